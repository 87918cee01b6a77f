/* SPDX-License-Identifier: MIT
 * tls_int.h - what the parts of the TLS layer are to each other. The path of a connection through them: a context for
 * its settings (tls_context.c), the layer (tls.c), the peer's certificate judged (tls_verify.c, tls_dane.c, tls_pin.c)
 * (tls_ocsp.c)
 * and put into words (tls_words.c); the session kept for the next (tls_session.c).
 */
#ifndef MAILHAUL_NET_TLS_INT_H
#define MAILHAUL_NET_TLS_INT_H

#include "net/digest.h"
#include "net/host.h"
#include "net/stream_int.h"
#include "net/tls.h"

#include <openssl/ssl.h>

enum { TLS_DATE_MAX = 16 };

/* RFC 9525 section 6: no common name, a wildcard as the whole left-most label only. */
#define TLS_NAME_RULES (X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS)

struct tls_layer {
    struct layer layer;
    SSL *ssl;
    const struct tls_settings *settings; /* borrowed until the handshake is over */
    char host[HOST_MAX];                 /* as it is verified                     */
    bool shaken;                         /* the handshake is over                 */
    bool broken;                         /* no goodbye can be said                */
    size_t have;                         /* bytes that the read under way has got */
    size_t barren;                       /* bytes from below since the last for above, the handshake's apart */
    enum layer_result below;             /* what the layer below said last        */
    bool ended;                          /* it has no more to read                */
    struct err below_error;
    struct err verdict; /* on the certificate; E_NONE: none, or a good one */
    struct err later;   /* met behind bytes that were good */
    struct tls_facts facts;
    const struct tls_tickets *tickets; /* NULL: no session is kept */
    void *tickets_ctx;
    char session_key[2 * DIGEST_SIZE + 1];
    int64_t began;         /* the connection                                          */
    int64_t judged_before; /* when the certificate of the session that is offered was */
};

/* tls_words.c. A name or date that cannot be had is empty; everything is printable. */
int64_t tls_seconds(const ASN1_TIME *t);
void tls_put_date(char out[TLS_DATE_MAX], int64_t when);
void tls_put_name(char *out, size_t size, const X509_NAME *name);
/* "a.example", "b.example" and 3 more; empty when the certificate names no host. */
void tls_put_hosts(char *out, size_t size, const X509 *cert);
/* What is about the certificate; the rest stays. */
void tls_take_facts(struct tls_facts *f, const X509 *cert);
/* OpenSSL's words for its last error. */
const char *tls_reason(void);

/* tls_verify.c: in place of OpenSSL's own verification, which it calls unless there are pins. */
int tls_verify(X509_STORE_CTX *store, void *unused);
bool tls_is_pinned(const struct tls_settings *settings, X509 *cert);

/* tls_context.c: the context for these settings, found or made; *out is a reference of the caller's own. */
MUST_CHECK int tls_context_get(const struct tls_settings *s, SSL_CTX **out, struct err *e);

/* tls_key.c: the certificate of our own and its key: in a file, or where a "pkcs11:" URI says (RFC 7512), for which
 * OpenSSL needs a provider. E_CONFIG. */
bool tls_key_is_uri(const char *key);
MUST_CHECK int tls_key_load(SSL_CTX *ctx, const struct tls_settings *s, struct err *e);
void tls_key_cleanup(void);

/* tls_session.c. Of every context; ahead of the handshake, which may then be a short one; when it is over. */
void tls_session_prepare(SSL_CTX *ctx);
void tls_session_offer(struct tls_layer *t, const struct tls_settings *s);
void tls_session_begun(struct tls_layer *t);

/* tls_ocsp.c: RFC 6066 section 8. Asked for ahead of the handshake; judged behind it, before anything else is said: an
 * answer that is there must be good, and a certificate that promises one (RFC 7633) must come with it. Not where a pin
 * or the DNS vouches for the certificate, nor for a resumed session. E_TLS. */
void tls_ocsp_ask(SSL *ssl);
MUST_CHECK int tls_ocsp_check(struct tls_layer *t, struct err *e);

#endif
