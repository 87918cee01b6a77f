/* SPDX-License-Identifier: MIT
 * eol.h - line ends of the wire to line ends of a file: CRLF becomes LF, and nothing else changes (a bare CR and a bare
 * LF stay). Of CRCRLF only the CR directly before the LF goes.
 *
 * Pure, the same at every chunk size, and fast: it runs over every byte of mail.
 */
#ifndef MAILHAUL_WIRE_EOL_H
#define MAILHAUL_WIRE_EOL_H

#include "base/slice.h"

struct eol {
    bool cr_held; /* a CR at the end of the last chunk, not written yet */
};
#define EOL_INIT ((struct eol){ 0 })
/* Writes at most in.n + 1 bytes to `out` (which must not overlap `in`) and returns how many. */
size_t eol_to_lf(struct eol *s, struct slice in, char *out);
/* At the end of the message: a CR still held is the message's last byte. Writes 0 or 1 byte. */
size_t eol_end(struct eol *s, char *out);

#endif
