/* SPDX-License-Identifier: MIT
 * account.h - one account of the daemon through its life (supervisor.h): when it is fetched, what waits for news of it,
 * and what is known of it.
 *
 * An account has one connection that makes the passes and then waits, and, where a server tells about one folder a
 * connection (IDLE), further ones that only wait, max_connections together.
 * While a connection is `busy` a worker has it (errand.h), and with the first one also the fields of the account that
 * are marked so.
 *
 * Calling sequence: account_new(); account_start(); then it goes on by itself with the loop and account_returned();
 * account_leave() takes it down, and `left` of its world says that it may be freed.
 * Thread: the supervisor's.
 */
#ifndef MAILHAUL_DAEMON_ACCOUNT_H
#define MAILHAUL_DAEMON_ACCOUNT_H

#include "conf/conf.h"
#include "daemon/loop.h"
#include "daemon/schedule.h"
#include "daemon/supervisor.h"
#include "daemon/worker.h"
#include "haul/haul.h"
#include "run/last.h"

/* A configuration, for as long as an account borrows from it. */
struct edition {
    const struct conf *conf;
    struct conf *owned; /* conf; NULL: somebody else's */
    size_t users;
};

struct account;

/* What all accounts have in common. */
struct account_world {
    struct loop *loop;
    struct workers *workers;
    uint64_t seed; /* of the jitter; any number */
    void *ctx;
    void (*changed)(void *ctx, struct account *a); /* its `doing` */
    void (*passed)(void *ctx, struct account *a);  /* a pass has ended: a->result */
    void (*left)(void *ctx, struct account *a);    /* account_leave() has come to its end */
};

enum errand {
    ERRAND_PASS,  /* a pass, then wait (the first connection) */
    ERRAND_OPEN,  /* log in and wait (a further one) */
    ERRAND_READ,  /* it is readable */
    ERRAND_RENEW, /* ask whether it still lives, or look whether it has answered in time */
    ERRAND_CLOSE  /* say goodbye */
};

struct connection {
    struct job job;
    struct account *account;
    struct source *source;
    bool busy;     /* a worker has it, or will */
    bool unwanted; /* to be closed and freed */
    bool parked;   /* it waits for news, and the loop watches it */
    struct loop_watch watch;
    struct loop_timer due;       /* renewal; of one that is lost: the next attempt */
    struct source_folders about; /* a further one: its folder */
    unsigned lost;               /* times in a row */
    int64_t opened_ms;           /* a further one: since when it waits */
    /* What it waits for (WAIT_NONE: it does not), for all to see while it does. The worker's during a pass or while it
     * is opened, and only then. */
    struct wait_state wait;
    /* The worker's while busy. */
    enum errand errand;
    struct wait_state looked; /* what ERRAND_READ and ERRAND_RENEW found; owns nothing */
    bool news;
    enum err_code err; /* E_NONE, or why the connection is gone: said in the log */
};

/* What came today, by the local calendar, and since the daemon runs. */
struct account_totals {
    int day;
    uint64_t messages_today, bytes_today, messages, bytes, passes, failed_passes, renewed;
};

struct account {
    struct account_world *world;
    struct edition *edition;
    struct edition *running;         /* that a pass borrows from; NULL: there is none */
    const struct conf_account *conf; /* of the edition */
    enum account_doing doing;        /* RUNNING is a started job while QUEUED */
    bool leaving;
    bool again, again_oversize; /* somebody asked for a fetch while a worker had the connection */
    bool put_off;               /* a pass is due as soon as the connection has shown that it lives */
    bool news;                  /* the server has told of something that no pass has looked at */
    bool by_news;               /* that is why there is this pass */
    struct schedule schedule;
    enum schedule_verdict verdict; /* of the last pass */
    struct loop_timer next;        /* pass */
    int64_t last_pass_ms;          /* its end; 0: none yet */
    uint64_t begun;                /* passes: the number of the one that is queued, runs, or was the last */
    struct connection first;
    struct connection **further; /* owned */
    size_t further_count, further_cap;
    struct account_totals totals;
    /* The last result, for people. */
    int64_t ended, last_success; /* s since 1970 */
    enum err_code error_code;
    int exit_status;
    char *error; /* owned; NULL: none */
    char error_name[16];
    uint64_t set_aside;
    uint64_t folders; /* that the last pass looked at */
    bool cut_short;   /* by max_messages: there is more */
    /* The worker's while `first` is busy with a pass. */
    bool oversize;
    unsigned login_delay_s;
    int64_t took_ms;
    struct haul_result *result; /* owned; only until what came of the pass was told; NULL: no memory for it */
    struct last_row row;        /* from pass to pass */
    uint64_t now_set_aside;
    /* Read at any time. */
    struct haul_progress progress;
};

/* `conf` is of `edition`, which gets a user more. */
MUST_CHECK int account_new(struct account_world *world, struct edition *edition, const struct conf_account *conf,
                           struct account **out, struct err *e);
/* What an earlier process left in its state file, for people. */
void account_remember(struct account *a, const struct last *last);
/* Its first pass, so many ms from now. */
void account_start(struct account *a, int64_t in_ms);
/* A pass as soon as may be; one that runs by now does not count. */
void account_fetch(struct account *a, bool oversize);
/* What waits is asked whether it still lives; what waits for the network to come back tries it, in_ms from now.
 * `slept`: the machine did, and so did every deadline. */
void account_check(struct account *a, bool slept, int64_t in_ms);
/* The same section is in a newer configuration (conf_carry_over()); STOPPED, it is tried again. */
void account_move(struct account *a, struct edition *edition);
/* Takes it down; may call `left` at once. */
void account_leave(struct account *a);
/* A job that workers_done() gave back. */
void account_returned(struct job *job);
enum account_doing account_doing(const struct account *a);
void account_status(const struct account *a, struct account_status *out);
/* Sends a farewell on each waiting connection that no worker has; workers_stop() sees it through. */
void account_hang_up(struct account *a);
/* Closes what is open, at once, and frees. No worker has any of it. */
void account_free(struct account **a);

#endif
