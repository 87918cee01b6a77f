/* SPDX-License-Identifier: MIT
 * redirect.h - where the browser comes back to after the person has logged in: a listener on loopback (RFC 8252 section
 * 7.3), on 127.0.0.1 and, where there is one, ::1, on a port that the system chooses.
 *
 * It answers GET of "/" with a query; everything else is 404, 405 or 400, and does not count. At most 8 connections
 * wait at a time, of which the oldest gives way; a request is at most 16 KiB. Where standard input is a terminal the
 * address may be typed there, too: for a browser on another machine, which cannot reach this one.
 *
 * Thread: one.
 */
#ifndef MAILHAUL_CMD_REDIRECT_H
#define MAILHAUL_CMD_REDIRECT_H

#include "base/buf.h"
#include "base/err.h"

struct redirect;

MUST_CHECK int redirect_open(struct redirect **out, struct err *e);
/* "http://localhost:49152": of loopback addresses the one that every provider takes, on any port. Borrowed. */
const char *redirect_uri(const struct redirect *r);
/* Waits for a request and appends its query (replacing what was in `query`), which is secret. The browser is answered
 * with redirect_answer(). E_TIMEOUT when `until_ms` (monotonic) comes first, E_STOPPED. */
MUST_CHECK int redirect_wait(struct redirect *r, int64_t until_ms, struct buf *query, struct err *e);
/* What the person sees in the browser: one line of text. `found` false: it was not what we wait for. */
void redirect_answer(struct redirect *r, bool found, const char *words);
void redirect_close(struct redirect **r);

#endif
