/* SPDX-License-Identifier: MIT */
#include "run/session.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "haul/source_imap.h"
#include "haul/source_pop3.h"
#include "run/destination.h"
#include "run/last.h"
#include "run/login_memory.h"
#include "run/servers.h"
#include "run/tickets.h"
#include "wire/folder.h"

enum { STATE_NAME_MAX = 1024, BATCH_MOST = 256, BATCH_LEAST = 8, DESCRIPTORS_KEPT = 128 };

struct session {
    const struct conf *conf;            /* borrowed */
    const struct conf_account *account; /* borrowed */
    struct session_options options;
    struct haul_progress own_progress;
    int state_dir;
    struct lock lock;
    struct journal *journal;
    struct source *source;
    struct destination destinations[SINK_MAX];
    struct sink *sinks[SINK_MAX]; /* theirs */
    size_t sink_count;
    struct spool *spool; /* NULL: no sink reads it */
    size_t batch_messages;
};

/* The entry that leads to a new directory: without it, what is in there goes with the power. */
static int sync_parent(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *parent = slash == NULL || slash == path ? strdup(slash == path ? "/" : ".")
                                                  : slice_dup(slice_make(path, (size_t)(slash - path)));
    int fd = parent != NULL ? open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    /* What may be written but not read cannot be flushed from here. */
    int rc = parent == NULL || (fd >= 0 && fsync(fd) != 0 && errno != EINVAL) ? -1 : 0;

    io_close(&fd);
    free(parent);
    return rc;
}

static int make_parents(const char *path, struct err *e)
{
    struct buf part = BUF_INIT(4096);
    int rc = -1;

    for (const char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        buf_clear(&part);
        if (buf_put(&part, path, slash != NULL ? (size_t)(slash - path) : strlen(path)) != 0) {
            err_nomem(e);
            goto out;
        }
        if (mkdir(buf_cstr(&part), 0700) == 0 ? sync_parent(buf_cstr(&part)) != 0 : errno != EEXIST) {
            err_sys(e, E_DISK, errno, "the state directory %s cannot be made", buf_cstr(&part));
            goto out;
        }
        if (slash == NULL)
            break;
    }
    rc = 0;
out:
    buf_release(&part);
    return rc;
}

int session_state_dir(const struct conf *c, bool read_only, int *fd_out, struct err *e)
{
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

    *fd_out = open(c->state_dir, flags);
    if (*fd_out < 0 && errno == ENOENT && read_only)
        return 0;
    if (*fd_out < 0 && errno == ENOENT) {
        if (make_parents(c->state_dir, e) != 0)
            return -1;
        *fd_out = open(c->state_dir, flags);
    }
    if (*fd_out < 0)
        return err_sys(e, E_DISK, errno, "the state directory %s cannot be opened", c->state_dir);
    return 0;
}

static int check_account(const struct conf_account *a, struct err *e)
{
    struct server server = servers_account(a);

    if (servers_check(&server, e) != 0)
        return -1;
    if (a->deliver_count > SINK_MAX)
        return err_set(e, E_CONFIG, "more than %d deliver sections", (int)SINK_MAX);
    for (size_t i = 0; i < a->deliver_count; i++) {
        if (destination_check(a, &a->delivers[i], e) != 0)
            return -1;
    }
    return 0;
}

bool session_all_right(const struct conf_account *const *accounts, size_t count)
{
    bool right = true;

    for (size_t i = 0; i < count; i++) {
        struct err e;

        if (check_account(accounts[i], &e) == 0)
            continue;
        log_error("account %s: %s", accounts[i]->name, e.text);
        right = false;
    }
    return right;
}

static int make_sinks(struct session *s, struct err *e)
{
    for (size_t i = 0; i < s->account->deliver_count; i++) {
        if (destination_open(s->conf, s->account, &s->account->delivers[i], s->options.dry_run, &s->destinations[i],
                             e) != 0)
            return -1;
        s->sinks[i] = s->destinations[i].sink;
        s->sink_count++;
        if (s->sinks[i]->ops->write == NULL && s->spool == NULL && spool_new(s->conf->spool_dir, &s->spool, e) != 0)
            return -1;
    }
    return 0;
}

/* A message of a batch keeps a file open in each Maildir until it is flushed, and one in the spool until it is handed
 * on; two batches at a time, in as many accounts as run at once. */
static size_t batch_for(const struct conf_account *a, unsigned sessions)
{
    struct rlimit limit;
    size_t maildirs = 0, each, share;

    for (size_t i = 0; i < a->deliver_count; i++)
        maildirs += a->delivers[i].type == CONF_DELIVER_MAILDIR;
    each = maildirs + (maildirs < a->deliver_count);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return BATCH_MOST;
    share = limit.rlim_cur > DESCRIPTORS_KEPT
                ? (limit.rlim_cur - DESCRIPTORS_KEPT) / (sessions > 0 ? sessions : 1) / (2 * each + 1)
                : 0;
    return share > BATCH_MOST ? BATCH_MOST : share < BATCH_LEAST ? BATCH_LEAST : share;
}

static int open_state(struct session *s, struct err *e)
{
    bool read_only = s->options.dry_run;
    struct buf lock = BUF_INIT(STATE_NAME_MAX), db = BUF_INIT(STATE_NAME_MAX);
    int rc = -1;

    if (session_state_dir(s->conf, read_only, &s->state_dir, e) != 0)
        goto out;
    if (conf_state_name(s->account->name, ".lock", &lock) != 0 || conf_state_name(s->account->name, ".db", &db) != 0) {
        if (strlen(s->account->name) < STATE_NAME_MAX / 4)
            err_nomem(e);
        else
            err_set(e, E_CONFIG, "the name of account %s is too long", s->account->name);
        goto out;
    }
    if (s->state_dir >= 0 && !s->options.look && lock_take(&s->lock, s->state_dir, buf_cstr(&lock), read_only, e) != 0)
        goto out;
    rc = journal_open(s->state_dir, s->conf->state_dir, buf_cstr(&db), read_only, &s->journal, e);
out:
    buf_release(&lock);
    buf_release(&db);
    return rc;
}

static int make_source(const struct conf_account *account, bool dry_run, struct source **out, struct err *e)
{
    struct server server = servers_account(account);

    login_memory_use(&server, &account->login, dry_run);
    if (!dry_run)
        tickets_use(&server, &account->login);
    *out = account->protocol == CONF_POP3 ? source_pop3_new(&server, e) : source_imap_new(&server, e);
    return *out != NULL ? 0 : -1;
}

int session_source_new(const struct conf_account *account, struct source **out, struct err *e)
{
    return make_source(account, false, out, e);
}

int session_open(const struct conf *c, const struct conf_account *account, const struct session_options *options,
                 struct session **out, struct err *e)
{
    struct session *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return err_nomem(e);
    s->conf = c;
    s->account = account;
    s->options = *options;
    s->state_dir = -1;
    s->lock = LOCK_INIT;
    if (s->options.progress == NULL)
        s->options.progress = &s->own_progress;
    s->batch_messages = batch_for(account, options->sessions);
    s->source = options->source;
    if ((s->source == NULL && make_source(account, options->dry_run, &s->source, e) != 0) ||
        check_account(account, e) != 0 || make_sinks(s, e) != 0 || open_state(s, e) != 0) {
        session_close(&s);
        return -1;
    }
    *out = s;
    return 0;
}

void session_close(struct session **sp)
{
    struct session *s = *sp;

    if (s == NULL)
        return;
    for (size_t i = 0; i < s->sink_count; i++)
        destination_close(&s->destinations[i]);
    spool_free(&s->spool);
    if (s->source != NULL && s->source != s->options.source)
        s->source->ops->free(s->source);
    journal_close(&s->journal);
    lock_release(&s->lock);
    io_close(&s->state_dir);
    free(s);
    *sp = NULL;
}

static struct haul_options options_of(struct session *s)
{
    return (struct haul_options){
        .source = s->source,
        .sinks = s->sinks,
        .sink_count = s->sink_count,
        .spool = s->spool,
        .journal = s->journal,
        .account = s->account->name,
        .lock = &s->lock,
        .folders = (const char *const *)s->account->folders.v,
        .folder_count = s->account->folders.n,
        .policy = { .now = clock_wall(),
                    .leave_s = s->account->leave_s,
                    .max_size = s->options.oversize ? 0 : s->account->max_size },
        .max_messages = s->account->max_messages,
        .batch_messages = s->batch_messages,
        .dry_run = s->options.dry_run,
        .keep_open = s->options.source != NULL,
        .list_all = s->options.list_all,
        .progress = s->options.progress,
        .observer = s->options.observer,
    };
}

int session_pass(struct session *s, struct haul_result *out)
{
    struct haul_options options = options_of(s);
    struct last_turn own = { .what = LAST_AS_BEFORE }, *turn = s->options.turn != NULL ? s->options.turn : &own;
    int rc = haul_pass(&options, out);
    unsigned set_aside;
    struct err e;

    if (!s->options.dry_run)
        last_write(s->state_dir, s->account, options.policy.now, out,
                   journal_quarantine_count(s->journal, &set_aside, &e) == 0 ? &set_aside : NULL, turn);
    return rc;
}

int session_folders(struct session *s, struct source_folders *out, struct err *e)
{
    struct haul_options options = options_of(s);

    return haul_scan(&options, out, e);
}

const struct stream *session_stream(const struct session *s)
{
    return s->account->protocol == CONF_IMAP ? source_imap_stream(s->source) : source_pop3_stream(s->source);
}

void session_logout(struct session *s)
{
    s->source->ops->close(s->source);
}

bool session_selects(const struct session *s, const struct source_folder *f)
{
    return s->source->one_folder || folder_selected((const char *const *)s->account->folders.v, s->account->folders.n,
                                                    slice_str(f->name), f->delimiter, f->attrs);
}

int session_sinks(struct session *s, bool adopt, struct err *e)
{
    struct haul_options options = options_of(s);

    return haul_open_sinks(&options, adopt, e);
}

size_t session_destinations(const struct session *s)
{
    return s->sink_count;
}

int session_check_destination(struct session *s, size_t i, sink_tell_fn *tell, void *ctx, struct err *e)
{
    struct sink *sink = s->sinks[i];

    if (sink->ops->check == NULL || sink->ops->check(sink, tell, ctx, e) == 0)
        return 0;
    return err_ctx(e, "destination %s", sink->name);
}

struct journal *session_journal(struct session *s)
{
    return s->journal;
}

int session_describe(const struct session *s, struct buf *out)
{
    return s->source->ops->describe(s->source, out);
}
