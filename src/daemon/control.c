/* SPDX-License-Identifier: MIT */
#include "base/base.h"

#include "daemon/control.h"

#include <jansson.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/stop.h"
#include "daemon/conn.h"
#include "daemon/control_request.h"
#include "daemon/control_socket.h"
#include "daemon/http.h"
#include "daemon/status_json.h"
#include "run/report.h"
#include "run/session.h"

enum {
    CLIENTS_MAX = 64,
    ANSWER_MAX = 1024 * 1024, /* what a client may be behind */
    ANSWER_PART = 64 * 1024,  /* of a status, made when the part before was taken */
    PROGRESS_MS = 250
};

enum client_state { ASKING, TELLING_STATUS, FETCHING, RELOADING, STOPPING, ENDING };

struct client {
    struct control *control;
    struct client *next; /* the newer ones first */
    struct conn conn;
    enum client_state state;
    struct control_request request;
    size_t told; /* accounts of a status */
    struct fetch_request fetch;
    bool fetch_runs; /* the supervisor has `fetch` */
};

struct control {
    struct supervisor *supervisor;
    struct loop *loop;
    int state_dir;
    struct lock lock;
    struct listener listener;
    struct client *clients;
    size_t client_count;
    struct loop_timer progress, reloaded;
    unsigned reloads; /* that there were when one was asked for */
    struct http *http;
};

static void client_free(struct client *cl)
{
    struct control *c = cl->control;

    for (struct client **p = &c->clients; *p != NULL; p = &(*p)->next) {
        if (*p == cl) {
            *p = cl->next;
            break;
        }
    }
    c->client_count--;
    if (cl->fetch_runs)
        supervisor_fetch_forget(c->supervisor, &cl->fetch);
    control_request_release(&cl->request);
    conn_close(&cl->conn);
    free(cl);
}

/* False: it is too far behind. Whoever gets that leaves it to its time limit, which is now. */
static bool put_line(struct client *cl, json_t *o)
{
    char *text = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;
    bool good = text != NULL && conn_put(&cl->conn, slice_str(text)) == 0 && conn_put(&cl->conn, SLICE("\n")) == 0;

    free(text);
    json_decref(o);
    if (!good)
        loop_at(cl->control->loop, &cl->conn.timer, clock_mono_ms());
    return good;
}

/* The last line; `words` under `key`, or NULL. */
static void put_end(struct client *cl, int status, const char *key, const char *words)
{
    json_t *o = json_pack("{s:b, s:i}", "end", true, "status", status);

    if (o != NULL && words != NULL)
        json_object_set_new(o, key, json_string(words));
    if (cl->state == TELLING_STATUS)
        json_object_set_new(o, "since", json_integer((json_int_t)supervisor_since(cl->control->supervisor)));
    if (cl->state != STOPPING)
        cl->state = ENDING;
    (void)put_line(cl, o);
}

static void tell_status(struct client *cl)
{
    struct supervisor *s = cl->control->supervisor;
    struct status_line l;

    while (cl->told < supervisor_count(s) && conn_behind(&cl->conn) < ANSWER_PART) {
        status_live(s, cl->told++, cl->control->state_dir, &l);
        if (!put_line(cl, status_to_json(&l)))
            return;
    }
    if (cl->told >= supervisor_count(s))
        put_end(cl, 0, NULL, NULL);
}

static json_t *parsed(const struct buf *text)
{
    return json_loadb(buf_cstr(text), text->len, 0, NULL);
}

static void fetch_done(void *ctx, const char *account, const struct haul_result *r, int64_t took_ms)
{
    struct client *cl = ctx;
    struct buf object = BUF_INIT(64 * 1024), summary = BUF_INIT(4096);

    /* A pass that ended because the daemon does is not what was asked for. */
    if (r->err.code != E_STOPPED && report_account(account, r, false, took_ms, &object) == 0 &&
        report_summary(r, false, &summary) == 0)
        (void)put_line(cl, json_pack("{s:s, s:o, s:s}", "account", account, "done", parsed(&object), "summary",
                                     buf_cstr(&summary)));
    buf_release(&object);
    buf_release(&summary);
}

static void fetch_end(void *ctx, int status)
{
    struct client *cl = ctx;

    cl->fetch_runs = false;
    put_end(cl, status, NULL, NULL);
}

static void put_progress(struct client *cl, const struct account_status *a)
{
    bool runs = a->doing == ACCOUNT_RUNNING;

    (void)put_line(cl, json_pack("{s:s, s:{s:i, s:I, s:I, s:I, s:I}}", "account", a->name, "progress", "phase",
                                 runs ? (int)a->phase : (int)HAUL_WAITING, "messages", (json_int_t)a->running_messages,
                                 "bytes", (json_int_t)a->running_bytes, "wanted_messages",
                                 (json_int_t)a->running_wanted, "wanted_bytes", (json_int_t)a->running_wanted_bytes));
}

/* When all of them still wait for a worker, one of them says so: the client hears that the daemon lives. */
static void tell_progress(struct client *cl)
{
    struct supervisor *s = cl->control->supervisor;
    struct account_status a, queued = { 0 };
    bool told = false;

    for (size_t i = 0; i < cl->request.account_count && conn_behind(&cl->conn) < ANSWER_PART; i++) {
        size_t at = supervisor_find(s, cl->request.accounts[i]);

        if (at == SIZE_MAX)
            continue;
        supervisor_status(s, at, &a);
        if (a.doing == ACCOUNT_RUNNING) {
            put_progress(cl, &a);
            told = true;
        } else {
            queued = a;
        }
    }
    if (!told && queued.name != NULL)
        put_progress(cl, &queued);
}

static void progress_due(void *ctx)
{
    struct control *c = ctx;
    bool wanted = false;

    for (struct client *cl = c->clients; cl != NULL; cl = cl->next) {
        if (cl->state != FETCHING)
            continue;
        tell_progress(cl);
        wanted = true;
    }
    if (wanted)
        loop_at(c->loop, &c->progress, clock_mono_ms() + PROGRESS_MS);
}

/* All accounts, when none is named: of these, too, it is told how far they are. */
static int name_all(struct client *cl)
{
    struct supervisor *s = cl->control->supervisor;
    struct control_request *r = &cl->request;
    struct account_status a;
    char **names = calloc(supervisor_count(s) + 1, sizeof(*names));

    if (names == NULL)
        return -1;
    free(r->accounts);
    r->accounts = names;
    for (size_t i = 0; i < supervisor_count(s); i++) {
        supervisor_status(s, i, &a);
        if (a.doing == ACCOUNT_STOPPED)
            continue;
        names[r->account_count] = strdup(a.name);
        if (names[r->account_count] == NULL)
            return -1;
        r->account_count++;
    }
    return 0;
}

static void start_fetch(struct client *cl)
{
    struct control *c = cl->control;
    struct control_request *r = &cl->request;
    struct err e = ERR_INIT;
    size_t known = 0;

    cl->state = FETCHING;
    if (r->account_count == 0 && name_all(cl) != 0) {
        put_end(cl, err_exit_status(E_NOMEM), "error", "out of memory");
        return;
    }
    for (size_t i = 0; i < r->account_count; i++) {
        char *name = r->accounts[i];

        if (supervisor_find(c->supervisor, name) != SIZE_MAX) {
            r->accounts[i] = r->accounts[known];
            r->accounts[known++] = name;
        } else if (!put_line(cl, json_pack("{s:s, s:b}", "account", name, "unknown", true))) {
            return;
        }
    }
    if (known == 0) {
        put_end(cl, 0, NULL, NULL);
        return;
    }
    cl->fetch = (struct fetch_request){ .oversize = r->oversize, .done = fetch_done, .end = fetch_end, .ctx = cl };
    cl->fetch_runs = true;
    if (supervisor_fetch(c->supervisor, (const char *const *)r->accounts, known, &cl->fetch, &e) != 0) {
        cl->fetch_runs = false;
        put_end(cl, err_exit_status(e.code), "error", e.text);
    } else if (!c->progress.set) {
        loop_at(c->loop, &c->progress, clock_mono_ms() + PROGRESS_MS);
    }
}

/* The supervisor reads it between two rounds, so that it is done soon. */
static void reloaded(void *ctx)
{
    struct control *c = ctx;
    const struct reload_outcome *outcome = supervisor_reload_outcome(c->supervisor);

    if (outcome->count == c->reloads) {
        loop_at(c->loop, &c->reloaded, clock_mono_ms() + 1);
        return;
    }
    control_conf_changed(c);
    for (struct client *cl = c->clients; cl != NULL; cl = cl->next) {
        if (cl->state == RELOADING)
            put_end(cl, outcome->taken ? 0 : err_exit_status(E_CONFIG), outcome->taken ? "said" : "error",
                    outcome->words);
    }
}

static void reload(struct client *cl)
{
    struct control *c = cl->control;

    cl->state = RELOADING;
    c->reloads = supervisor_reload_outcome(c->supervisor)->count;
    supervisor_ask_reload(c->supervisor);
    loop_at(c->loop, &c->reloaded, clock_mono_ms());
}

static void serve(struct client *cl)
{
    switch (cl->request.what) {
    case CONTROL_STATUS:
        cl->state = TELLING_STATUS;
        tell_status(cl);
        return;
    case CONTROL_FETCH:
        start_fetch(cl);
        return;
    case CONTROL_RELOAD:
        reload(cl);
        return;
    case CONTROL_STOP:
        log_info("asked to stop");
        cl->state = STOPPING;
        put_end(cl, 0, NULL, NULL);
        return;
    }
}

static void received(void *owner)
{
    struct client *cl = owner;
    struct slice line = buf_slice(&cl->conn.in);
    const char *end = memchr(line.p, '\n', line.n), *why = "the request is too long";

    if (end == NULL && line.n < CONTROL_REQUEST_MAX)
        return;
    conn_asked(&cl->conn);
    if (end != NULL)
        line.n = (size_t)(end - line.p);
    if (end == NULL || control_request_parse(line, &cl->request, &why) != 0)
        put_end(cl, err_exit_status(E_USAGE), "error", why);
    else
        serve(cl);
    buf_release(&cl->conn.in);
}

static void drained(void *owner)
{
    struct client *cl = owner;

    if (cl->state == TELLING_STATUS)
        tell_status(cl);
    else if (cl->state == ENDING)
        client_free(cl);
    else if (cl->state == STOPPING)
        stop_request(SIGTERM);
}

static void gone(void *owner)
{
    struct client *cl = owner;

    if (cl->state == STOPPING)
        stop_request(SIGTERM);
    client_free(cl);
}

/* Who has not even asked yet gives way; else the new one does. */
static bool make_room(struct control *c)
{
    struct client *oldest = NULL;

    if (c->client_count < CLIENTS_MAX)
        return true;
    for (struct client *cl = c->clients; cl != NULL; cl = cl->next) {
        if (cl->state == ASKING)
            oldest = cl;
    }
    if (oldest != NULL)
        client_free(oldest);
    return oldest != NULL;
}

static void accepted(void *ctx, int fd)
{
    static const struct conn_ops ops = { .received = received, .drained = drained, .gone = gone };
    struct control *c = ctx;
    struct client *cl = NULL;
    struct err e;

    if (!control_socket_trusts(fd) || !make_room(c) || (cl = calloc(1, sizeof(*cl))) == NULL) {
        io_close(&fd);
        return;
    }
    cl->control = c;
    if (conn_open(&cl->conn, c->loop, fd, &ops, cl, CONTROL_REQUEST_MAX, ANSWER_MAX, &e) != 0) {
        free(cl);
        return;
    }
    cl->next = c->clients;
    c->clients = cl;
    c->client_count++;
}

int control_open(struct supervisor *s, struct control **out, struct err *e)
{
    struct control *c = calloc(1, sizeof(*c));
    const char *name = supervisor_conf(s)->state_dir;
    int fd = -1;

    if (c == NULL)
        return err_nomem(e);
    *c = (struct control){ .supervisor = s,
                           .loop = supervisor_loop(s),
                           .state_dir = -1,
                           .lock = LOCK_INIT,
                           .listener = LISTENER_INIT,
                           .progress = { .due = progress_due, .ctx = c },
                           .reloaded = { .due = reloaded, .ctx = c } };
    if (session_state_dir(supervisor_conf(s), false, &c->state_dir, e) != 0 ||
        control_socket_listen(c->state_dir, name, &c->lock, &fd, e) != 0 ||
        listener_open(&c->listener, c->loop, fd, accepted, c, e) != 0) {
        control_close(&c);
        return -1;
    }
    control_conf_changed(c);
    *out = c;
    return 0;
}

void control_conf_changed(struct control *c)
{
    const struct conf *conf = supervisor_conf(c->supervisor);
    struct err e = ERR_INIT;

    if (http_set(&c->http, c->supervisor, c->state_dir, conf->metrics_address, conf->metrics_port, &e) != 0)
        log_error("metrics_listen: %s", e.text);
}

void control_close(struct control **cp)
{
    struct control *c = *cp;

    if (c == NULL)
        return;
    http_free(&c->http);
    while (c->clients != NULL)
        client_free(c->clients);
    loop_cancel(c->loop, &c->progress);
    loop_cancel(c->loop, &c->reloaded);
    if (c->listener.watch.fd >= 0)
        control_socket_remove(c->state_dir);
    listener_close(&c->listener);
    lock_release(&c->lock);
    io_close(&c->state_dir);
    free(c);
    *cp = NULL;
}
