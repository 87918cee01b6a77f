/* SPDX-License-Identifier: MIT
 * fetches.h - who asked for a fetch of which accounts, and is told when it is done (struct fetch_request of
 * supervisor.h).
 *
 * Thread: the supervisor's. The callbacks of a request may ask for another one.
 */
#ifndef MAILHAUL_DAEMON_FETCHES_H
#define MAILHAUL_DAEMON_FETCHES_H

#include "daemon/account.h"

struct fetch_wish {
    struct fetch_request *request;
    const struct account *account;
    uint64_t pass; /* the first that counts: account.begun */
};

struct fetches {
    struct fetch_wish *v; /* owned */
    size_t count, cap;
};

/* Asks the account and remembers who did; `request` may be NULL. */
MUST_CHECK int fetches_ask(struct fetches *f, struct account *a, bool oversize, struct fetch_request *request,
                           struct err *e);
/* Of its accounts none was asked after all. */
void fetches_none(struct fetch_request *request);
/* A pass of `a` has ended. */
void fetches_passed(struct fetches *f, const struct account *a);
/* `a` is taken away. */
void fetches_left(struct fetches *f, const struct account *a);
void fetches_forget(struct fetches *f, const struct fetch_request *request);
/* Ends all of them: the daemon goes. */
void fetches_end(struct fetches *f);
void fetches_release(struct fetches *f);

#endif
