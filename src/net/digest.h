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

enum { DIGEST_MD5_SIZE = 16 };
/* MD5 (RFC 1321) of `a` and `b` in one, in lower-case hexadecimal: for APOP, and nothing else. E_CONFIG where this
 * machine's OpenSSL has none. */
MUST_CHECK int digest_md5_hex(struct slice a, struct slice b, char out[2 * DIGEST_MD5_SIZE + 1], struct err *e);

MUST_CHECK int digest_init(struct digest *d, struct err *e);
void digest_release(struct digest *d);
/* Only memory can fail. */
MUST_CHECK int digest_start(struct digest *d, struct err *e);
void digest_add(struct digest *d, struct slice bytes);
void digest_finish(struct digest *d, unsigned char out[DIGEST_SIZE]);

#endif
