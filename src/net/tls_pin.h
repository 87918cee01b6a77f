/* SPDX-License-Identifier: MIT
 * tls_pin.h - the pins of tls_fingerprint: "sha256:HEX" and "spki-sha256:HEX".
 */
#ifndef MAILHAUL_NET_TLS_PIN_H
#define MAILHAUL_NET_TLS_PIN_H

#include "net/digest.h"
#include "net/tls.h"

/* True when one of the pins in `settings` is the digest of the certificate or of its public key. */
bool tls_pin_match(const struct tls_settings *settings, const unsigned char certificate[DIGEST_SIZE],
                   const unsigned char key[DIGEST_SIZE]);
/* "sha256:AB:CD:..." */
void tls_pin_write(const unsigned char digest[DIGEST_SIZE], char *out, size_t size);

#endif
