/* SPDX-License-Identifier: MIT
 * control.h - the daemon's side of its socket (control_socket.h): what `status`, `fetch`, `reload` and `stop` ask of a
 * daemon that runs. Also its metrics over HTTP (http.h), where the configuration wants that.
 *
 * A connection is one request (control_request.h) and its answer, one JSON object a line, after which the daemon closes
 * it:
 *     status   an object for each account (status_json.h)
 *     fetch    {"account":A,"unknown":true} for each that the daemon does not have; of the others
 *              {"account":A,"progress":{...}} a few times a second while they are at work, with "messages" also
 *              {"account":A,"message":{...}} for each one, and {"account":A,"done":{...},"summary":"..."} at the end;
 *              the objects are those of `fetch --json`
 *     stop     nothing; the connection ends with the daemon
 *     all      {"end":true,"status":N}, with "error" in words when N is not of an account, with "said" when there is
 *              more to say; of status also "since", s since 1970
 *
 * Only our own user and root are listened to. No client can hold the daemon up: conn.h.
 * Thread: the loop's.
 */
#ifndef MAILHAUL_DAEMON_CONTROL_H
#define MAILHAUL_DAEMON_CONTROL_H

#include "daemon/supervisor.h"

struct control;

/* E_LOCKED: there is a daemon for this state directory. `s` is borrowed. */
MUST_CHECK int control_open(struct supervisor *s, struct control **out, struct err *e);
/* After a reload: the address of metrics_listen may be another. Says so when it cannot be listened on. */
void control_conf_changed(struct control *c);
/* Before the supervisor goes. */
void control_close(struct control **c);

#endif
