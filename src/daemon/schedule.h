/* SPDX-License-Identifier: MIT
 * schedule.h - when an account has its next turn. Pure: no clock, no randomness of its own; what it is given decides.
 *
 * After each pass schedule_passed() with how it ended; it says for how long nothing is tried by itself.
 *
 *   well           `interval` +-10 %, where the server does not tell of new mail
 *   a message, or a folder, could not be had: the same; the connection is fine
 *   failed         60 s (10 s where the network failed; `interval` where that is shorter), doubled with each failure in
 *                  a row, an hour at most, +-25 %; longer when the server says so ("Suggested Backoff Time")
 *   refused        the password: the first time as above, the second time STOPPED: a provider locks an account that
 *                  tries again and again
 *   locked         another mailhaul has the account: 2 s, doubled up to 30 s. No failure
 *
 * Never sooner than a POP3 server's LOGIN-DELAY (RFC 2449 section 6.5) allows.
 */
#ifndef MAILHAUL_DAEMON_SCHEDULE_H
#define MAILHAUL_DAEMON_SCHEDULE_H

#include "base/err.h"

struct schedule {
    unsigned failures; /* in a row */
    unsigned refusals; /* of the password, in a row */
    unsigned locked;   /* in a row */
    unsigned vain;     /* passes in a row that the server asked for and that brought nothing */
};

struct schedule_limits {
    unsigned interval_s;
    unsigned login_delay_s; /* 0: none */
};

enum schedule_verdict { SCHEDULE_WELL, SCHEDULE_PARTLY, SCHEDULE_LOCKED, SCHEDULE_FAILED, SCHEDULE_STOPPED };

/* `random` is any number. *delay_ms_out is 0 for STOPPED. */
enum schedule_verdict schedule_passed(struct schedule *s, const struct err *how, const struct schedule_limits *limits,
                                      uint32_t random, int64_t *delay_ms_out);

/* The server says that there is news: 0, but a server that does so all the time is heeded less and less. */
int64_t schedule_news(const struct schedule *s, unsigned interval_s);
/* To be told of each pass that news asked for. */
void schedule_news_passed(struct schedule *s, bool brought_something);

/* `ms` give or take `percent` of it. */
int64_t schedule_jitter(int64_t ms, unsigned percent, uint32_t random);
/* When the account that is the n-th to connect may do so: 100 at once, then as many a second, so that a thousand are no
 * storm. */
int64_t schedule_spread(size_t nth);
/* "Suggested Backoff Time: N milliseconds" (Exchange); 0: the server says no such thing. A day at most. */
int64_t schedule_hint(const char *peer);

#endif
