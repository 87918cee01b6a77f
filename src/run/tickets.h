/* SPDX-License-Identifier: MIT
 * tickets.h - the TLS sessions of a login, kept from one connection and one run to the next (net/tls.h).
 *
 * The file is conf_login.state + ".tls": a line for each session, "KEY TIME BASE64", oldest first; mode 0600, replaced
 * as a whole, not flushed, because nothing hangs on it. It is as secret as a password: whoever has it can speak as the
 * client of that session. At most 4 a key are kept, none for longer than a day. A file that cannot be read or written
 * costs a full handshake and is only noted in the log.
 *
 * Thread: any; one file at a time in the process. Processes are kept apart by the account's lock.
 */
#ifndef MAILHAUL_RUN_TICKETS_H
#define MAILHAUL_RUN_TICKETS_H

#include "conf/conf.h"
#include "proto/server.h"

/* From here on connections to `s` take and keep sessions. `login` outlives them. Not in a dry run. */
void tickets_use(struct server *s, const struct conf_login *login);

#endif
