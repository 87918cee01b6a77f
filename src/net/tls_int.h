/* SPDX-License-Identifier: MIT
 * tls_int.h - what the parts of the TLS layer are to each other. The path of a connection through them: a context for
 * its settings (tls_context.c), the layer (tls.c), the peer's certificate judged (tls_verify.c, tls_dane.c, tls_pin.c)
 * and put into words (tls_words.c).
 */
#ifndef MAILHAUL_NET_TLS_INT_H
#define MAILHAUL_NET_TLS_INT_H

#include "net/host.h"
#include "net/stream_int.h"
#include "net/tls.h"

#include <openssl/ssl.h>

enum { TLS_DATE_MAX = 16 };

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

#endif
