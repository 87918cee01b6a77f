/* SPDX-License-Identifier: MIT
 * digest.h - SHA-256 of bytes that come in pieces. FIPS 180-4, by OpenSSL.
 * Calling sequence: digest_init(); digest_start(); digest_add()...; digest_finish(); digest_start() again;
 * digest_release().
 */
#ifndef MAILHAUL_NET_DIGEST_H
#define MAILHAUL_NET_DIGEST_H

#include "base/err.h"

enum { DIGEST_SIZE = 32 };

struct digest {
    void *ctx; /* owned EVP_MD_CTX */
};

MUST_CHECK int digest_init(struct digest *d, struct err *e);
void digest_release(struct digest *d);
/* Only memory can fail. */
MUST_CHECK int digest_start(struct digest *d, struct err *e);
void digest_add(struct digest *d, struct slice bytes);
void digest_finish(struct digest *d, unsigned char out[DIGEST_SIZE]);

#endif
