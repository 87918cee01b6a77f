/* SPDX-License-Identifier: MIT
 * utf8.h - UTF-8 one character at a time, as strict as RFC 3629: no overlong form, no surrogate, nothing above
 * U+10FFFF.
 */
#ifndef MAILHAUL_WIRE_UTF8_H
#define MAILHAUL_WIRE_UTF8_H

#include "base/buf.h"

/* Takes the character at the front of *s. -1: *s is empty or does not begin with a well-formed one; *s is
 * unchanged then. */
MUST_CHECK int utf8_take(struct slice *s, uint32_t *cp_out);
/* Appends a character. -1: no room, no memory, or no character (a surrogate, above U+10FFFF). */
MUST_CHECK int utf8_put(struct buf *out, uint32_t cp);
bool utf8_valid(struct slice s);

#endif
