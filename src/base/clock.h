/* SPDX-License-Identifier: MIT
 * clock.h - the two clocks: a monotonic one for every wait, the wall for what people read and for ages.
 *
 * No timer in the program uses the wall clock, so setting it breaks nothing. Tests may put a fake pair in place.
 * Thread: any.
 */
#ifndef MAILHAUL_BASE_CLOCK_H
#define MAILHAUL_BASE_CLOCK_H

#include "base/base.h"

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t clock_mono_ms(void);
/* Seconds since 1970, UTC. */
int64_t clock_wall(void);
/* Microseconds since 1970, UTC: for file names. */
int64_t clock_wall_us(void);

/* From here on both clocks stand still at these values (ms, s); clock_real() undoes it. Before threads start. */
void clock_fake(int64_t mono_ms, int64_t wall_s);
void clock_real(void);

#endif
