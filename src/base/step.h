/* SPDX-License-Identifier: MIT
 * step.h - the marks at which the crash sweep kills us.
 *
 * Every durable step calls step("room.what") right after it took effect. In a --enable-dev build the process kills
 * itself with SIGKILL at the n-th mark when MAILHAUL_DIE_AT=n is set, and appends each mark's name to the file that
 * MAILHAUL_STEPS names, so that the harness knows how many there are. In a release build nothing is left of it.
 */
#ifndef MAILHAUL_BASE_STEP_H
#define MAILHAUL_BASE_STEP_H

#include "base/base.h"

#ifdef MAILHAUL_DEV
void step(const char *name);
#else
#define step(name) ((void)0)
#endif

#endif
