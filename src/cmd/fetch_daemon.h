/* SPDX-License-Identifier: MIT
 * fetch_daemon.h - a fetch by the daemon that has the accounts, shown as a pass of our own would be.
 *
 * Thread: one, beside that of the progress lines.
 */
#ifndef MAILHAUL_CMD_FETCH_DAEMON_H
#define MAILHAUL_CMD_FETCH_DAEMON_H

#include "cmd/cmd.h"
#include "run/pool.h"

/* done_out[i]: the daemon had a pass over o->accounts[i]. The others - it does not know them, it ended, there is none -
 * are still to be fetched. Returns the exit status of those that are done. */
int fetch_by_daemon(const struct cmd_options *o, const struct conf *c, const struct pool_options *options,
                    bool *done_out);

#endif
