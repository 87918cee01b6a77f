/* SPDX-License-Identifier: MIT
 * base64.h - RFC 4648 section 4, for SASL exchanges. Both append to `out` and leave it as it was when they return -1.
 * Encoding makes no line breaks; decoding is strict: padding needed, no blanks, no bits left over.
 */
#ifndef MAILHAUL_WIRE_BASE64_H
#define MAILHAUL_WIRE_BASE64_H

#include "base/buf.h"

MUST_CHECK int base64_encode(struct slice in, struct buf *out);
MUST_CHECK int base64_decode(struct slice in, struct buf *out);

#endif
