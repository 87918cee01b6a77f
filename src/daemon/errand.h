/* SPDX-License-Identifier: MIT
 * errand.h - what a worker does for a connection: struct connection and, with a pass, struct account of account.h are
 * its own meanwhile, as they say.
 *
 *     ERRAND_PASS    session, pass, and then the wait: account.result, set_aside; connection.wait, news
 *     ERRAND_OPEN    connection.wait, news; err
 *     ERRAND_READ, ERRAND_RENEW    connection.looked, news; or err when the connection is lost
 *     ERRAND_CLOSE   the source is freed
 * A connection that does not wait afterwards (wait.how is WAIT_NONE) is closed.
 * Thread: a worker's.
 */
#ifndef MAILHAUL_DAEMON_ERRAND_H
#define MAILHAUL_DAEMON_ERRAND_H

#include "daemon/worker.h"

void errand_run(struct job *job);

#endif
