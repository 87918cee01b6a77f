/* SPDX-License-Identifier: MIT */
#include "net/digest.h"

#include <openssl/crypto.h>
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
