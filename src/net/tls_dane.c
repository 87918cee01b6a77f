/* SPDX-License-Identifier: MIT */
#include "net/tls_dane.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

int tls_dane_prepare(struct ssl_ctx_st *ctx)
{
    return SSL_CTX_dane_enable(ctx) == 1 ? 0 : -1;
}

int tls_dane_set(struct ssl_st *ssl, const char *host, const struct tls_settings *settings, struct err *e)
{
    size_t used = 0;

    if (settings->tlsa_count == 0)
        return 0;
    if (SSL_dane_enable(ssl, host) != 1 ||
        (settings->tlsa_also != NULL && SSL_add1_host(ssl, settings->tlsa_also) != 1))
        return err_nomem(e);
    /* RFC 7672 section 3.1.1. */
    SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
    for (size_t i = 0; i < settings->tlsa_count; i++) {
        const struct tls_tlsa *r = &settings->tlsa[i];

        /* PKIX-TA(0) and PKIX-EE(1) let the trusted certificates in again. */
        if ((r->usage == 2 || r->usage == 3) && SSL_dane_tlsa_add(ssl, r->usage, r->selector, r->matching,
                                                                  (const unsigned char *)r->data.p, r->data.n) == 1)
            used++;
    }
    ERR_clear_error();
    if (used > 0)
        return 0;
    return err_set(e, E_TLS, "%s: none of its TLSA records can be used to judge its certificate", settings->host);
}
