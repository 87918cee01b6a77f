/* SPDX-License-Identifier: MIT
 * server.h - how to reach and enter a server, the same for POP3, IMAP and SMTP.
 *
 * Everything in it is borrowed and outlives the client. The password is asked for by callback at the moment it is
 * needed, and forgotten after use.
 */
#ifndef MAILHAUL_PROTO_SERVER_H
#define MAILHAUL_PROTO_SERVER_H

#include "base/buf.h"
#include "base/secret.h"
#include "net/dial.h"
#include "net/tls.h"

enum server_tls { SERVER_TLS_IMPLICIT, SERVER_TLS_STARTTLS, SERVER_PLAINTEXT };

struct server {
    struct dial_options dial;
    enum server_tls tls;
    struct tls_settings tls_settings; /* host and trust; the client sets alpn itself */
    const char *user;                 /* NULL: none, for servers that ask for no login (PREAUTH through a tunnel) */
    const char *authorize_as;         /* NULL: the user itself */
    const char *const *auth; /* NULL-terminated: "auto", or the mechanisms allowed, in lower case, in their order */
    int (*password)(void *ctx, struct secret *out, struct err *e);
    void *password_ctx;
    bool has_password; /* there is one that nobody has to type */
    /* An OAuth 2.0 access token that is good for now; `renew`: the server refused the last one, although it was not
     * due. NULL: the login is no OAuth login. */
    int (*token)(void *ctx, bool renew, struct secret *out, struct err *e);
    void *token_ctx;
    /* What is remembered of this server from one run to the next: the best rank of SASL mechanism that it ever offered
     * (proto/sasl.h), 0: nothing yet. NULL: nothing is remembered. */
    unsigned (*offered_before)(void *ctx);
    void (*offers)(void *ctx, unsigned rank);
    void *offers_ctx;
    const char *const *disabled; /* NULL-terminated capability names that are never used, or NULL */
    bool compress;               /* IMAP: COMPRESS=DEFLATE where offered */
};

/* Those that disable_extensions names: enum sasl_mechanism. */
uint32_t server_disabled_mechanisms(const struct server *s);
/* True when this host is the machine itself (a loopback address, localhost, or a tunnel). */
bool server_is_local(const struct server *s);

#endif
