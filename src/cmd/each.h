/* SPDX-License-Identifier: MIT
 * each.h - the same for one account after the other: what check, folders and quarantine do.
 */
#ifndef MAILHAUL_CMD_EACH_H
#define MAILHAUL_CMD_EACH_H

#include "cmd/cmd.h"
#include "run/session.h"

/* Opens a session for each chosen account in turn, calls `work`, closes it. The account's name stands in front of log
 * lines meanwhile. An error is logged, and the next account goes on. Returns the exit status that decides. */
int each_account(const struct cmd_options *o, const struct conf *c, const struct session_options *options,
                 int (*work)(const struct cmd_options *o, const struct conf_account *a, struct session *s,
                             struct err *e));

/* What each_account() says of an account that failed, for work that can fail in several ways and tells all of them. */
void each_tell_failure(const struct cmd_options *o, const struct conf_account *a, const struct err *e);

#endif
