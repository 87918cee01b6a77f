/* SPDX-License-Identifier: MIT
 * control_request.h - what a client may ask of the daemon: one JSON object on one line. The answers are control.h's.
 *
 *     {"do":"status"}
 *     {"do":"fetch","accounts":["work"],"oversize":false,"messages":false}
 *     {"do":"reload"}        {"do":"stop"}
 *
 * "accounts" missing or empty: all. "messages": also tell of each message. Keys that are not known are passed over.
 * Pure; thread: any.
 */
#ifndef MAILHAUL_DAEMON_CONTROL_REQUEST_H
#define MAILHAUL_DAEMON_CONTROL_REQUEST_H

#include "base/buf.h"

/* A request with the names of some thousand accounts. */
enum { CONTROL_REQUEST_MAX = 256 * 1024 };

enum control_do { CONTROL_STATUS, CONTROL_FETCH, CONTROL_RELOAD, CONTROL_STOP };

struct control_request {
    enum control_do what;
    bool oversize, messages;
    char **accounts; /* owned */
    size_t account_count;
};

/* `line` without its LF. -1 with *why_out: words for the client. Nothing is left to release then. */
MUST_CHECK int control_request_parse(struct slice line, struct control_request *out, const char **why_out);
void control_request_release(struct control_request *r);
/* The line with its LF, appended. */
MUST_CHECK int control_request_write(const struct control_request *r, struct buf *out);

#endif
