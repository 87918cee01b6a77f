/* SPDX-License-Identifier: MIT
 * control_client.h - how a command talks to the daemon of a state directory: one request, then its answer line by line
 * (control.h).
 *
 * Calling sequence: control_client_ask(); control_client_read() until an object with "end"; control_client_close().
 * A wish to stop (base/stop.h) ends each wait with E_STOPPED. Thread: one.
 */
#ifndef MAILHAUL_DAEMON_CONTROL_CLIENT_H
#define MAILHAUL_DAEMON_CONTROL_CLIENT_H

#include <jansson.h>

#include "base/err.h"
#include "daemon/control_request.h"

struct control_client;

/* 0 and NULL in *out: there is no daemon. Else the request was sent. */
MUST_CHECK int control_client_ask(const char *state_dir, const struct control_request *r, struct control_client **out,
                                  struct err *e);
/* The next object, let go by the caller. E_NET: the daemon hung up. E_TIMEOUT: it said nothing for that long. E_PROTO:
 * what it says is no answer. */
MUST_CHECK int control_client_read(struct control_client *c, json_t **out, struct err *e);
/* Until the daemon's process has ended. E_TIMEOUT. */
MUST_CHECK int control_client_await_exit(struct control_client *c, struct err *e);
void control_client_close(struct control_client **c);

#endif
