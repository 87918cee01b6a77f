/* SPDX-License-Identifier: MIT */
#include "net/digest.h"

#include <openssl/crypto.h>
#include <stdio.h>

#include <openssl/evp.h>

/* Nothing is allocated between a start and its finish. */
static void must(int ok)
{
    if (ok != 1)
        abort();
}

int digest_init(struct digest *d, struct err *e)
{
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    d->ctx = EVP_MD_CTX_new();
    if (d->ctx != NULL && EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL) == 1)
        return 0;
    digest_release(d);
    return err_nomem(e);
}

void digest_release(struct digest *d)
{
    EVP_MD_CTX_free(d->ctx);
    d->ctx = NULL;
}

int digest_start(struct digest *d, struct err *e)
{
    /* OpenSSL 3.0 gives back the state of before and allocates a new one. */
    return EVP_DigestInit_ex(d->ctx, NULL, NULL) == 1 ? 0 : err_nomem(e);
}

void digest_add(struct digest *d, struct slice bytes)
{
    must(EVP_DigestUpdate(d->ctx, bytes.p, bytes.n));
}

void digest_finish(struct digest *d, unsigned char out[DIGEST_SIZE])
{
    must(EVP_DigestFinal_ex(d->ctx, out, NULL));
}

int digest_md5_hex(struct slice a, struct slice b, char out[2 * DIGEST_MD5_SIZE + 1], struct err *e)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char sum[DIGEST_MD5_SIZE];
    bool ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_md5(), NULL) == 1 && EVP_DigestUpdate(ctx, a.p, a.n) == 1 &&
              EVP_DigestUpdate(ctx, b.p, b.n) == 1 && EVP_DigestFinal_ex(ctx, sum, NULL) == 1;

    EVP_MD_CTX_free(ctx);
    if (!ok)
        return err_set(e, E_CONFIG, "APOP needs MD5, which this machine's OpenSSL does not allow");
    for (size_t i = 0; i < sizeof(sum); i++)
        snprintf(out + 2 * i, 3, "%02x", sum[i]);
    return 0;
}
