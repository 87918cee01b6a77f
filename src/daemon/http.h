/* SPDX-License-Identifier: MIT
 * http.h - the metrics for a Prometheus that asks over HTTP (RFC 9112): GET /metrics on a loopback address, one request
 * a connection, nothing else.
 *
 * Thread: the loop's.
 */
#ifndef MAILHAUL_DAEMON_HTTP_H
#define MAILHAUL_DAEMON_HTTP_H

#include "daemon/supervisor.h"

struct http;

/* Listens on `address` (of the loopback interface) and `port` from now on; an address of NULL ends that. What listens
 * there already stays. `s` and `state_dir` are borrowed. -1: it cannot, and nothing listens. */
MUST_CHECK int http_set(struct http **h, struct supervisor *s, int state_dir, const char *address, uint16_t port,
                        struct err *e);
void http_free(struct http **h);

/* The status of the answer (200, 400, 404, 405, 431, 505) to the bytes that came so far, 0: the head is not complete.
 * Pure. */
int http_judge(struct slice request, size_t most);

#endif
