/* SPDX-License-Identifier: MIT
 * dot.h - the body of a POP3 multi-line reply: byte-stuffing undone, the end found. RFC 1939 section 3.
 *
 * Only CRLF "." CRLF ends it (and "." CRLF as the very first line): a bare LF before the dot does not, or a message
 * could cut itself short. A dot is removed only behind CRLF (or at the very start). Line ends are kept as they are.
 *
 * Pure, and the same at every chunk size. No byte is copied: the caller gets runs that point into its own input (or to
 * static bytes for a CR that was held back at a chunk's end).
 *
 * Calling sequence:
 *     struct dot d = DOT_INIT;
 *     while ((what = dot_next(&d, &in, &run)) == DOT_RUN) take run;      in moves forward
 *     DOT_MORE: all of `in` is used. DOT_END: the terminator was read; `in` begins with the bytes behind it,
 * and nothing more is ever taken. A run is never empty.
 */
#ifndef MAILHAUL_WIRE_DOT_H
#define MAILHAUL_WIRE_DOT_H

#include "base/slice.h"

enum dot_event { DOT_RUN, DOT_MORE, DOT_END };
struct dot {
    int state;
};
#define DOT_INIT ((struct dot){ 0 })
enum dot_event dot_next(struct dot *d, struct slice *in, struct slice *run_out);

#endif
