/* SPDX-License-Identifier: MIT
 * tell.h - one short request to the live daemon, whose answer is one line: what `reload` and `stop` are.
 */
#ifndef MAILHAUL_CMD_TELL_H
#define MAILHAUL_CMD_TELL_H

#include "cmd/cmd.h"
#include "daemon/control_request.h"

/* Says what the daemon says, and the exit status that it gave; 75 when there is no daemon. `await_exit`: returns when
 * the daemon has ended. */
int tell_daemon(const struct conf *c, enum control_do what, bool await_exit);

#endif
