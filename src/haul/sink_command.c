/* SPDX-License-Identifier: MIT */
#include "haul/sink_command.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/child.h"
#include "base/io.h"
#include "base/log.h"
#include "base/step.h"
#include "base/stop.h"
#include "haul/envelope.h"
#include "haul/lanes.h"
#include "wire/crlf.h"
#include "wire/limits.h"
#include "wire/mailflag.h"
#include "wire/utf8.h"

enum {
    TEMPORARY = 75,       /* EX_TEMPFAIL */
    OUTPUT_MAX = 8 * 1024 /* of what a program says, of which the last line is shown */
};
static const char what[] = "the command";

struct sink_command {
    struct sink sink;
    struct sink_command_options o;
};

struct handover {
    struct spool_file *file;
    char *folder;
    unsigned flags;
};

static struct sink_command *self(struct sink *s)
{
    return (struct sink_command *)s;
}

static int cmd_describe(const struct sink *s, struct buf *out)
{
    return buf_putf(out, "command %s", ((const struct sink_command *)s)->o.argv[0]);
}

static int cmd_open(struct sink *s, const char *tag, const struct journal_sink *known, bool read_only, bool adopt,
                    char *marker_out, struct err *e)
{
    (void)s, (void)tag, (void)known, (void)read_only, (void)adopt, (void)e;
    marker_out[0] = '\0';
    return 0;
}

static int cmd_ready(struct sink *s, struct err *e)
{
    return child_find(what, self(s)->o.argv[0], e);
}

static int cmd_check(struct sink *s, sink_tell_fn *tell, void *ctx, struct err *e)
{
    struct buf line = BUF_INIT(LIMIT_LINE);

    if (cmd_ready(s, e) != 0)
        return -1;
    if (buf_putf(&line, "the command %s is there and can be run", self(s)->o.argv[0]) == 0)
        tell(ctx, buf_cstr(&line));
    buf_release(&line);
    return 0;
}

/* ---- a message's way in and out ---- */

/* A folder's name that a shell script may print: control characters, and what is no UTF-8, as %XX. */
static char *tame_folder(struct slice name)
{
    struct buf out = BUF_INIT(LIMIT_FOLDER_NAME * 3);
    char *copy = NULL;
    int rc = 0;

    while (name.n > 0 && rc == 0) {
        struct slice rest = name;
        uint32_t cp = 0;
        bool valid = utf8_take(&rest, &cp) == 0;
        bool plain = valid && cp >= 0x20 && !(cp >= 0x7f && cp <= 0x9f);
        size_t n = valid ? name.n - rest.n : 1;

        if (plain)
            rc = buf_put(&out, name.p, n);
        for (size_t i = 0; i < n && !plain && rc == 0; i++)
            rc = buf_putf(&out, "%%%02X", (unsigned)(unsigned char)name.p[i]);
        name = slice_from(name, n);
    }
    if (rc == 0)
        copy = slice_dup(buf_slice(&out));
    buf_release(&out);
    return copy;
}

static int cmd_finish(struct sink *s, const struct sink_message *m, struct sink_slot *slot, struct err *e)
{
    struct handover *h = calloc(1, sizeof(*h));

    (void)s;
    if (h == NULL)
        return err_nomem(e);
    h->folder = tame_folder(m->folder);
    if (h->folder == NULL) {
        free(h);
        return err_nomem(e);
    }
    h->flags = m->flags;
    h->file = spool_keep(m->file);
    slot->state = DELIVERY_WANTED;
    slot->own = h;
    return 0;
}

static void cmd_discard(struct sink *s, struct sink_slot *slot)
{
    struct handover *h = slot->own;

    (void)s;
    slot->own = NULL;
    if (h == NULL)
        return;
    spool_release(&h->file);
    free(h->folder);
    free(h);
}

/* ---- standard input and environment ---- */

static int write_crlf(const struct spool_file *from, struct spool *to, struct err *e)
{
    enum { CHUNK = 8 * 1024 };
    struct crlf crlf = CRLF_INIT(CRLF_EXACT);
    char in[CHUNK], out[CHUNK];
    uint64_t at = 0;
    size_t n;

    do {
        if (spool_read(from, at, in, sizeof(in), &n, e) != 0)
            return -1;
        at += n;
        for (struct slice left = slice_make(in, n); left.n > 0;) {
            size_t written = crlf_put(&crlf, &left, out, sizeof(out));
            if (spool_write(to, slice_make(out, written), e) != 0)
                return -1;
        }
    } while (n > 0);
    return spool_write(to, slice_make(out, crlf_end(&crlf, out)), e);
}

static int open_crlf(const struct sink_command *c, const struct spool_file *file, int *fd_out, struct err *e)
{
    struct spool *spool = NULL;
    struct spool_file *copy = NULL;
    int rc = -1;

    if (spool_new(c->o.spool_dir, &spool, e) != 0 || spool_begin(spool, e) != 0 || write_crlf(file, spool, e) != 0 ||
        spool_finish(spool, &copy, e) != 0)
        goto out;
    rc = spool_open(copy, fd_out, e);
out:
    spool_release(&copy);
    spool_free(&spool);
    return rc;
}

enum { VARIABLES = 6 };

static char *variable(const char *name, const char *value)
{
    size_t size = strlen(name) + strlen(value) + 2;
    char *v = malloc(size);

    if (v != NULL)
        snprintf(v, size, "%s=%s", name, value);
    return v;
}

static int make_environment(const struct sink_command *c, const struct handover *h, char *out[VARIABLES + 1],
                            struct err *e)
{
    static const struct envelope_rules rules = { .from = NULL };
    const struct spool_facts *facts = spool_facts(h->file);
    const char *recipient;
    char letters[MAILFLAG_LETTERS], size[24];
    struct envelope envelope;
    size_t n = 0;

    if (envelope_read(h->file, &rules, &envelope, e) != 0)
        return -1;
    recipient = envelope.delivered_to != NULL ? envelope.delivered_to : c->o.user != NULL ? c->o.user : "";
    mailflag_letters(h->flags, letters);
    snprintf(size, sizeof(size), "%" PRIu64, c->o.crlf ? facts->exact_octets : facts->lf_octets);
    out[n++] = variable("MAILHAUL_ACCOUNT", c->o.account);
    out[n++] = variable("MAILHAUL_SENDER", envelope.sender);
    out[n++] = variable("MAILHAUL_RECIPIENT", recipient);
    out[n++] = variable("MAILHAUL_FOLDER", h->folder);
    out[n++] = variable("MAILHAUL_FLAGS", letters);
    out[n++] = variable("MAILHAUL_SIZE", size);
    envelope_release(&envelope);
    for (size_t i = 0; i < n; i++) {
        if (out[i] == NULL)
            return err_nomem(e);
    }
    return 0;
}

/* ---- a run ---- */

struct work {
    struct sink_command *command;
    struct sink_slot *const *slots;
    size_t count, next;
    const struct sink_record *record;
    struct lanes lanes; /* its lock is for what stands here and for the record */
    bool failed;
    struct err err; /* of the first that failed */
};

static void fail(struct work *w, const struct err *why)
{
    pthread_mutex_lock(&w->lanes.lock);
    if (!w->failed)
        w->err = *why;
    w->failed = true;
    pthread_mutex_unlock(&w->lanes.lock);
}

static int record(struct work *w, struct sink_slot *slot, enum delivery_state state, struct err *e)
{
    int rc;

    pthread_mutex_lock(&w->lanes.lock);
    slot->state = state;
    rc = w->record->write(w->record->ctx, slot, e);
    pthread_mutex_unlock(&w->lanes.lock);
    return rc;
}

static struct slice last_line(const struct buf *output)
{
    struct slice all = slice_trim(buf_slice(output));
    const char *before = all.n > 0 ? memrchr(all.p, '\n', all.n) : NULL;

    return before != NULL ? slice_trim(slice_from(all, (size_t)(before + 1 - all.p))) : all;
}

/* Why a program did not take a message, ending in its own words. */
static void explain(const struct sink_command *c, int status, const struct buf *output, struct sink_slot *slot)
{
    char said[300], words[ERR_TEXT_MAX];

    log_printable(said, sizeof(said), last_line(output));
    if (WIFSIGNALED(status))
        snprintf(words, sizeof(words), "%s was killed by signal %d%s%s", c->o.argv[0], WTERMSIG(status),
                 said[0] != '\0' ? ": " : "", said);
    else
        snprintf(words, sizeof(words), "%s ended with status %d%s%s", c->o.argv[0], WEXITSTATUS(status),
                 said[0] != '\0' ? ": " : "", said);
    sink_slot_why(slot, words);
}

static enum delivery_state verdict_of(int status)
{
    if (!WIFEXITED(status) || WEXITSTATUS(status) == TEMPORARY)
        return DELIVERY_WANTED;
    return WEXITSTATUS(status) == 0 ? DELIVERY_DELIVERED : DELIVERY_REJECTED;
}

/* Runs the program; what became of the message goes to *state_out. -1: the destination, or the pass, is at its end. */
static int run(const struct sink_command *c, int input, char *const *environment, struct sink_slot *slot,
               enum delivery_state *state_out, struct err *e)
{
    const struct child_options options = {
        .what = what,
        .argv = c->o.argv,
        .environment = (const char *const *)environment,
        .input = input,
        .merge_errors = true,
        .keep_end = true,
        .patient = true,
        .limit_ms = (int64_t)c->o.time_limit_s * 1000,
    };
    struct buf output = BUF_INIT(OUTPUT_MAX);
    int status, rc;

    rc = child_run(&options, &output, &status, e);
    if (rc == 0) {
        *state_out = verdict_of(status);
        if (*state_out != DELIVERY_DELIVERED)
            explain(c, status, &output, slot);
    } else if (e->code == E_TIMEOUT) {
        *state_out = DELIVERY_WANTED;
        sink_slot_why(slot, e->text);
        rc = 0;
    } else {
        /* One that ran may have taken the message before it was killed. */
        *state_out = status == -1 ? DELIVERY_WANTED : DELIVERY_IN_DOUBT;
        if (status != -1)
            sink_slot_why(slot, e->text);
    }
    buf_release(&output);
    return rc;
}

static int hand_over(struct work *w, struct sink_slot *slot, struct err *e)
{
    const struct sink_command *c = w->command;
    const struct handover *h = slot->own;
    char *environment[VARIABLES + 1] = { NULL };
    enum delivery_state state = DELIVERY_WANTED;
    struct err record_err;
    int input = -1, rc = -1;

    if (make_environment(c, h, environment, e) != 0)
        goto out;
    if ((c->o.crlf ? open_crlf(c, h->file, &input, e) : spool_open(h->file, &input, e)) != 0)
        goto out;
    if (record(w, slot, DELIVERY_IN_DOUBT, e) != 0) {
        slot->state = DELIVERY_WANTED;
        goto out;
    }
    rc = run(c, input, environment, slot, &state, e);
    if (record(w, slot, state, &record_err) != 0 && rc == 0) {
        *e = record_err;
        rc = -1;
    }
    if (state == DELIVERY_DELIVERED)
        step("command.done");
out:
    io_close(&input);
    for (size_t i = 0; i < VARIABLES; i++)
        free(environment[i]);
    return rc;
}

static struct sink_slot *next_slot(struct work *w)
{
    struct sink_slot *slot = NULL;
    struct err e;

    if (stop_requested() != 0) {
        (void)err_set(&e, E_STOPPED, "stopped before every message was handed to %s", w->command->o.argv[0]);
        fail(w, &e);
    }
    pthread_mutex_lock(&w->lanes.lock);
    if (!w->failed && w->next < w->count)
        slot = w->slots[w->next++];
    pthread_mutex_unlock(&w->lanes.lock);
    return slot;
}

static void lane(void *arg)
{
    struct work *w = arg;
    struct sink_slot *slot;
    struct err e;

    while ((slot = next_slot(w)) != NULL) {
        if (hand_over(w, slot, &e) != 0)
            fail(w, &e);
    }
}

static int cmd_commit(struct sink *s, struct sink_slot *const *slots, size_t count, const struct sink_record *record,
                      struct err *e)
{
    struct work w = { .command = self(s), .slots = slots, .count = count, .record = record };

    for (size_t i = 0; i < count; i++)
        slots[i]->state = DELIVERY_WANTED;
    lanes_init(&w.lanes);
    for (size_t i = 1; i < count && i < w.command->o.max_parallel; i++) {
        if (!lanes_add(&w.lanes, lane, &w))
            break;
    }
    lane(&w);
    lanes_wait(&w.lanes);
    if (!w.failed)
        return 0;
    *e = w.err;
    return -1;
}

static void cmd_close(struct sink *s)
{
    (void)s;
}

static void cmd_free(struct sink *s)
{
    free(s);
}

static const struct sink_ops ops = {
    .type = "command",
    .describe = cmd_describe,
    .open = cmd_open,
    .ready = cmd_ready,
    .check = cmd_check,
    /* A run is recorded as in doubt before it begins. */
    .staged_means = DELIVERY_WANTED,
    .finish = cmd_finish,
    .commit = cmd_commit,
    .discard = cmd_discard,
    .close = cmd_close,
    .free = cmd_free,
};

struct sink *sink_command_new(const struct sink_command_options *options)
{
    struct sink_command *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return NULL;
    c->sink = (struct sink){ .ops = &ops, .name = options->name, .drop_rejected = options->drop_rejected };
    c->o = *options;
    return &c->sink;
}
