/* SPDX-License-Identifier: MIT
 * stop.h - the one wish that crosses threads: stop, the finished messages first.
 *
 * A signal handler calls stop_request() (async-signal-safe); every wait in the program polls stop_fd() beside its own
 * descriptor and ends with E_STOPPED; loops ask stop_requested(). The descriptor stays readable once it is.
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

#endif
