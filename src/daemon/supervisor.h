/* SPDX-License-Identifier: MIT
 * supervisor.h - the daemon: keeps every account of the configuration fetched, told of new mail by the server where
 * that is possible, until it is asked to stop.
 *
 * The supervisor is one thread with a loop (loop.h) that owns the state of all accounts and never waits for a server.
 * What takes time is done by workers (worker.h), which get one account, or one of its waiting connections, at a time.
 * An account's life:
 *
 *     QUEUED   -> a worker runs a pass, and then asks the server to be told:
 *     WAITING  its connection is parked, without a thread; readable or due -> a worker looks -> news: QUEUED
 *     SLEEPING no push: until `interval`
 *     BACKOFF  it failed: until schedule.h says
 *     STOPPED  the server refused the password twice: until a reload, or until somebody asks for a fetch
 *
 * Calling sequence: supervisor_new(); what else lives in the loop is added; supervisor_run() until it is asked to stop
 * (base/stop.h); supervisor_free().
 *
 * Everything here belongs to the thread that runs the loop. What wants something of the supervisor from outside - a
 * control socket, a watched file - is a loop_watch in its loop.
 */
#ifndef MAILHAUL_DAEMON_SUPERVISOR_H
#define MAILHAUL_DAEMON_SUPERVISOR_H

#include "conf/conf.h"
#include "daemon/loop.h"
#include "haul/haul.h"

struct supervisor;

struct supervisor_options {
    const char *const *names; /* the only accounts it may have, or none: all that are enabled. Borrowed */
    size_t name_count;
};

/* `c` is borrowed and outlives the supervisor; later configurations are given by supervisor_reload(). */
MUST_CHECK int supervisor_new(const struct conf *c, const struct supervisor_options *options, struct supervisor **out,
                              struct err *e);
/* Until stop_requested(). -1 when it cannot go on. *left_out: so many workers did not end in time; nothing that they
 * may touch - the supervisor, the configuration, the log - may be freed then, only the process be ended. */
MUST_CHECK int supervisor_run(struct supervisor *s, size_t *left_out, struct err *e);
void supervisor_free(struct supervisor **s);

struct loop *supervisor_loop(struct supervisor *s);
/* The newest configuration. */
const struct conf *supervisor_conf(const struct supervisor *s);
/* When it started, s since 1970. */
int64_t supervisor_since(const struct supervisor *s);

/* --- what is going on ------------------------------------------------------------------------------------------ */

enum account_doing {
    ACCOUNT_QUEUED,
    ACCOUNT_RUNNING,
    ACCOUNT_WAITING,
    ACCOUNT_SLEEPING,
    ACCOUNT_BACKOFF,
    ACCOUNT_STOPPED
};

/* Strings are borrowed until the loop goes on. */
struct account_status {
    const char *name;
    enum account_doing doing;
    enum haul_phase phase; /* RUNNING: how far it is */
    uint64_t running_wanted, running_messages, running_wanted_bytes, running_bytes;
    enum wait_how how;    /* WAITING: how it is told */
    const char *folder;   /* WAITING by IDLE: of which folder; NULL */
    size_t connections;   /* that wait */
    int64_t last_pass;    /* its end, s since 1970; 0: never */
    int64_t last_success; /* 0: never */
    int64_t next_pass;    /* s since 1970; 0: when there is news, or (STOPPED) not at all */
    unsigned failures;    /* passes in a row */
    const char *error;    /* of the last pass, in words; "" */
    const char *error_name;
    int exit_status;                         /* of the last pass */
    uint64_t messages_today, bytes_today;    /* by the local calendar */
    uint64_t messages, bytes;                /* since it runs */
    uint64_t passes, failed_passes, renewed; /* since it runs; renewed: connections made again */
    uint64_t set_aside;                      /* in quarantine now */
};
/* Short words for people and machines: "queued", "fetching", "waiting" ... */
const char *account_doing_name(enum account_doing doing);

size_t supervisor_count(const struct supervisor *s);
/* In the order of the configuration. */
void supervisor_status(const struct supervisor *s, size_t i, struct account_status *out);
/* SIZE_MAX: it has no such account. */
size_t supervisor_find(const struct supervisor *s, const char *name);

/* --- asked to do something ------------------------------------------------------------------------------------- */

/* Somebody who wants a fetch and to hear of it. Filled in by the caller, linked in by supervisor_fetch(). */
struct fetch_request {
    bool oversize; /* max_size does not count */
    /* A pass that began after the request has ended. Not called for an account that is taken away meanwhile; that
     * counts as E_CONFIG in `end`. */
    void (*done)(void *ctx, const char *account, const struct haul_result *r, int64_t took_ms);
    /* Once, when there is nothing more to come: the exit status of CONTRACT section 1. */
    void (*end)(void *ctx, int status);
    void *ctx;
    struct fetch_request *next; /* the supervisor's, as all that follows */
    size_t left;
    int status;
};

/* A pass over these accounts (none: over all that are not STOPPED) as soon as there is a worker, also where one is
 * waiting, sleeping or - when named - STOPPED. `request` NULL: nobody wants to hear of it. Else it stays where it is
 * until `end` was called, which may be before this returns, or supervisor_fetch_forget(). Names that the supervisor
 * does not have are left out: ask supervisor_find() before. */
MUST_CHECK int supervisor_fetch(struct supervisor *s, const char *const *names, size_t count,
                                struct fetch_request *request, struct err *e);
/* Nothing more is called for it. Not from its own callbacks. */
void supervisor_fetch_forget(struct supervisor *s, struct fetch_request *request);

/* Takes over `c`, which it frees when no account needs it any more, and compares: accounts that are equal
 * (conf_carry_over()) go on untouched, whatever they do; of others the connections are closed and a pass is queued.
 * What is running ends its pass first. -1: nothing was changed, and `c` is the caller's still. */
struct reload_result {
    size_t added, changed, removed, kept;
    char fixed[256]; /* the keys that cannot change while it runs, but would have: "state_dir, syslog"; "" */
};
MUST_CHECK int supervisor_reload(struct supervisor *s, struct conf *c, struct reload_result *out, struct err *e);

/* What the last reload came to, in words, for the client that asked for it. */
struct reload_outcome {
    unsigned count; /* of reloads so far */
    bool taken;
    char words[640];
};
void supervisor_note_reload(struct supervisor *s, bool taken, const char *words);
const struct reload_outcome *supervisor_reload_outcome(const struct supervisor *s);

/* The calls that a reload by file or signal, hooks and a service manager put in. All may be NULL. */
struct supervisor_hooks {
    void *ctx;
    void (*reload)(void *ctx);   /* SIGHUP, or a client: load the file and call supervisor_reload() */
    void (*ready)(void *ctx);    /* the loop is about to run */
    void (*stopping)(void *ctx); /* it is about to end */
    void (*status)(void *ctx);   /* an account's `doing` changed; called once a round at most */
};
void supervisor_set_hooks(struct supervisor *s, const struct supervisor_hooks *hooks);
/* Calls hooks.reload in the next round. */
void supervisor_ask_reload(struct supervisor *s);

/* From a signal handler: SIGHUP asks for a reload, SIGUSR1 for a fetch of all accounts. Before the first supervisor
 * they do nothing. */
void supervisor_signal(int signal);

#endif
