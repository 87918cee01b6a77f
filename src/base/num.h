/* SPDX-License-Identifier: MIT
 * num.h - decimal numbers from outside: digits only, no sign, no blanks, overflow is an error.
 */
#ifndef MAILHAUL_BASE_NUM_H
#define MAILHAUL_BASE_NUM_H

#include "base/slice.h"

/* The whole slice must be the number. 0, or -1 (then *out is untouched). */
MUST_CHECK int num_parse_u64(struct slice s, uint64_t *out);
MUST_CHECK int num_parse_u32(struct slice s, uint32_t *out);

/* Reads the digits at the front of *s and moves *s behind them. -1 when there is none, or on overflow. */
MUST_CHECK int num_take_u64(struct slice *s, uint64_t *out);
MUST_CHECK int num_take_u32(struct slice *s, uint32_t *out);

#endif
