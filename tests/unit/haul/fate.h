/* SPDX-License-Identifier: MIT
 * fate.h - when the world ends, and what had truly happened by then.
 *
 * Everything with an effect outside the heart counts as one step: fate_step() before it, fate_done() after it.
 * fate_set(n, ...) ends the world at the n-th step, before it takes effect or right after, when the effect is there but
 * its success is never told; from then on every step fails, as nothing more happens once a process is killed.
 *
 * The journal's calls are wrapped by the linker (--wrap), so that what is committed is known: fate_*() answer from
 * committed transactions alone, and each wrapped call checks the invariant. One that is broken ends the process at once
 * (the call may come from the committer's thread, where cmocka cannot fail).
 */
#ifndef MAILHAUL_UNIT_FATE_H
#define MAILHAUL_UNIT_FATE_H

#include "base/err.h"
#include "store/journal.h"

enum fate { FATE_NEVER, FATE_BEFORE, FATE_AFTER };

/* Forgets the journal's doings too. */
void fate_reset(void);
/* A new life: counts from 0 again. */
void fate_set(enum fate fate, unsigned step);
bool fate_struck(void);
unsigned fate_steps(void);

/* Both -1 with E_DISK when the world has ended. */
MUST_CHECK int fate_step(struct err *e);
MUST_CHECK int fate_done(struct err *e);

/* Durable transactions so far that changed something. */
unsigned fate_commits(void);
bool fate_is_staged(int64_t sink, const char *name);
bool fate_is_delivered(int64_t message, int64_t sink);
bool fate_in_transaction(void);

/* "Is what this destination calls `name` there, and would it survive a power cut?": asked before DELIVERED is
 * written. */
void fate_judge(bool (*is_durable)(int64_t sink, const char *name));

void fate_broken(const char *fmt, ...) PRINTF_LIKE(1, 2) __attribute__((noreturn));

#endif
