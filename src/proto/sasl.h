/* SPDX-License-Identifier: MIT
 * sasl.h - logging in by SASL (RFC 4422), the same for POP3 (RFC 5034), IMAP (RFC 3501, 4959) and SMTP (RFC 4954):
 * which mechanism, and the exchange. GNU SASL does the mechanisms, but for the two of OAuth 2.0 (sasl_bearer.h).
 *
 * Calling sequence: sasl_pick(), then sasl_login() with the protocol's three ways to talk; the protocol sends its own
 * commands for SASL_COMMAND and SASL_APOP.
 *
 * What is picked: of the mechanisms that `auth` names, in its order, the first that the server offers. `auto` stands
 * for EXTERNAL (a client certificate and no password), SCRAM-SHA-256-PLUS, SCRAM-SHA-1-PLUS, SCRAM-SHA-256,
 * SCRAM-SHA-1, PLAIN, LOGIN and the protocol's own command; with an OAuth token for OAUTHBEARER and XOAUTH2 alone. A
 * refusal is never answered with a second mechanism. Under `auto` a password does not go in a weaker way to a server
 * that once offered a stronger one: E_TLS.
 *
 * SCRAM (RFC 5802, 7677): the server has to prove that it knows the password too, and its iteration count is limited,
 * before any work is done. -PLUS binds the login to the TLS connection (RFC 5929, 9266).
 *
 * Secrets: the password is asked for when the mechanism wants it; our copies and the library's are overwritten.
 * Thread: the connection's.
 */
#ifndef MAILHAUL_PROTO_SASL_H
#define MAILHAUL_PROTO_SASL_H

#include "net/stream.h"
#include "proto/server.h"
#include "wire/sasl_name.h"

struct sasl_offer {
    uint32_t mechanisms; /* enum sasl_mechanism */
    bool unknown;        /* the server does not say which it has: what `auth` names is tried */
    const struct stream *stream;
    const char *service; /* RFC 4422 section 8.3 in the list of IANA: "imap", "pop", "smtp" */
    const char *host;    /* for words */
};

/* E_LACKS: nothing in common; E_TLS: a downgrade; E_CONFIG. */
MUST_CHECK int sasl_pick(const struct server *s, const struct sasl_offer *offer, uint32_t *mechanism_out,
                         struct err *e);

enum sasl_said { SASL_CHALLENGED, SASL_ACCEPTED, SASL_REFUSED };

/* How a protocol says it. `line` is base64, "=" (nothing; only in start) or "*" (cancel), and secret. */
struct sasl_channel {
    void *ctx;
    size_t initial_max; /* octets of `line` that may go along with the command; 0: none may */
    /* The command, with `line` where that is not NULL. */
    int (*start)(void *ctx, const char *mechanism, const struct slice *line, struct err *e);
    int (*say)(void *ctx, struct slice line, struct err *e);
    /* *challenge_out: base64, borrowed until the next call. */
    int (*hear)(void *ctx, enum sasl_said *said_out, struct slice *challenge_out, struct err *e);
};

enum { SASL_WORDS_MAX = 256 };
struct sasl_result {
    bool accepted;
    /* What the server said inside of the mechanism about its refusal; "": nothing. Not trusted. */
    char words[SASL_WORDS_MAX];
};

/* *out: what the server's last word was. -1: the talk is broken, or must not go on: E_TLS when the server or the
 * connection is not what it should be, E_PROTO, E_CONFIG, E_AUTH for what we cannot do (no Kerberos ticket), and what
 * the channel and the sources of secrets say. */
MUST_CHECK int sasl_login(const struct server *s, const struct sasl_offer *offer, uint32_t mechanism,
                          const struct sasl_channel *channel, struct sasl_result *out, struct err *e);

/* "2.2.0": of GNU SASL. */
const char *sasl_library(void);

#endif
