/* SPDX-License-Identifier: MIT
 * stop.h - the one wish that crosses threads: stop, the finished messages first.
 *
 * A signal handler calls stop_request() (async-signal-safe); every wait in the program polls stop_fd() beside its own
 * descriptor and ends with E_STOPPED; loops ask stop_requested(). The descriptor stays readable once it is.
 * Who has handed a message over whole and waits to hear what became of it may wait on for a while after the wish: the
 * message would be in doubt otherwise.
 */
#ifndef MAILHAUL_BASE_STOP_H
#define MAILHAUL_BASE_STOP_H

#include "base/err.h"

/* Before threads and handlers. */
MUST_CHECK int stop_init(struct err *e);
void stop_request(int signal);
/* The first signal that asked, or 0. */
int stop_requested(void);
/* -1 before stop_init(): poll() ignores it. */
int stop_fd(void);

/* A second less than the five that the program may take to leave. */
enum { STOP_GRACE_MS = 4000 };
/* What is left of that while; all of it as long as nobody asked; 0: it is over. */
int64_t stop_grace_ms(void);

#endif
