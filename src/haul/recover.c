/* SPDX-License-Identifier: MIT
 * Destinations before a pass: their rows and markers, the STAGED deliveries of a pass that did not end, and whether
 * they can take mail.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/step.h"
#include "haul/haul_int.h"

uint32_t sinks_out(const struct haul_options *o)
{
    uint32_t out = 0;

    for (size_t k = 0; k < o->sink_count; k++)
        out |= o->sinks[k]->out ? 1u << k : 0;
    return out;
}

uint32_t sinks_spooled(const struct haul_options *o)
{
    uint32_t spooled = 0;

    for (size_t k = 0; k < o->sink_count; k++)
        spooled |= o->sinks[k]->ops->write == NULL ? 1u << k : 0;
    return spooled;
}

/* A code that no source and no blame takes for trouble of its own connection. */
int sinks_none_left(struct err *e)
{
    err_set(e, E_MESSAGE, "no destination is left that could take mail");
    err_scope(e, SCOPE_ACCOUNT);
    return err_retry(e, RETRY_LATER);
}

bool sinks_is_none_left(const struct err *e)
{
    return e->code == E_MESSAGE && e->scope == SCOPE_ACCOUNT;
}

/* 0 when the error is the destination's own: it is out, and was told. Without a store the caller wants to know. */
static int spare(struct batch_store *store, const struct haul_options *o, size_t k, const struct err *why,
                 struct err *e)
{
    if (trouble_is_of_sink(why) && store != NULL) {
        batch_put_out(store, k, why);
        return 0;
    }
    *e = *why;
    return trouble_is_of_sink(why) ? err_ctx(e, "destination %s", o->sinks[k]->name) : -1;
}

int sinks_ready(struct pass *p, uint32_t wanted, struct err *e)
{
    for (size_t k = 0; k < p->o->sink_count; k++) {
        struct sink *sink = p->o->sinks[k];
        struct destination *d = &p->committer.store.destinations[k];
        struct err why;

        if (d->ready || sink->ops->ready == NULL || sink->out || (wanted & (1u << k)) == 0)
            continue;
        d->ready = true;
        if (committer_wait(&p->committer, e) != 0)
            return -1;
        if (sink->ops->ready(sink, &why) != 0 && spare(&p->committer.store, p->o, k, &why, e) != 0)
            return -1;
    }
    return batch_nobody_left(p->o->sinks, p->o->sink_count) ? sinks_none_left(e) : 0;
}

/* *of_sink_out: the destination failed, not the journal. */
static int open_sink(const struct haul_options *o, struct sink *sink, bool adopt, bool *of_sink_out, struct err *e)
{
    struct journal_sink known;
    char marker[MAILHAUL_MARKER_SIZE];
    struct buf where = BUF_INIT(8192);

    if (log_wants(LOG_LEVEL_DEBUG) && sink->ops->describe(sink, &where) == 0)
        log_debug("delivering to %s", buf_cstr(&where));
    buf_release(&where);
    *of_sink_out = false;
    if (journal_sink(o->journal, sink->name, sink->ops->type, &known, e) != 0)
        return -1;
    sink->row = known.id;
    if (sink->ops->open(sink, journal_tag(o->journal), &known, o->dry_run, adopt, marker, e) != 0) {
        *of_sink_out = trouble_is_of_sink(e);
        return -1;
    }
    if (o->dry_run || marker[0] == '\0' || strcmp(marker, known.marker) == 0)
        return 0;
    if (journal_begin(o->journal, e) != 0)
        return -1;
    if (journal_sink_bind(o->journal, sink->row, marker, e) != 0 || journal_commit(o->journal, e) != 0) {
        journal_rollback(o->journal);
        return -1;
    }
    step("sink.bound");
    return 0;
}

/* Each STAGED name is looked for where it would be: there, it was delivered; not there, it was not. Where nobody can
 * look, the kind of destination says what it means. */
static int recover_sink(const struct haul_options *o, struct sink *sink, unsigned *count_out, bool *of_sink_out,
                        struct err *e)
{
    struct journal_staged staged;
    int64_t after = 0;
    bool found;

    *of_sink_out = false;
    for (;;) {
        enum delivery_state state;
        struct slice folder;
        char *folder_copy, *name_copy;
        int rc;

        if (journal_staged_first(o->journal, sink->row, after, &staged, &found, e) != 0)
            return -1;
        if (!found)
            return 0;
        after = staged.message;
        folder_copy = slice_dup(staged.folder_name);
        name_copy = strdup(staged.name);
        if (folder_copy == NULL || name_copy == NULL) {
            free(folder_copy);
            free(name_copy);
            return err_nomem(e);
        }
        folder = slice_make(folder_copy, staged.folder_name.n);
        state = sink->ops->staged_means;
        rc = sink->ops->recover != NULL ? sink->ops->recover(sink, folder, staged.delimiter, name_copy, &state, e) : 0;
        free(folder_copy);
        free(name_copy);
        if (rc != 0) {
            *of_sink_out = trouble_is_of_sink(e);
            return -1;
        }
        if (journal_delivery(o->journal, staged.message, sink->row, state, NULL, e) != 0 ||
            journal_settle_message(o->journal, staged.message, clock_wall(), NULL, e) != 0)
            return -1;
        if (state != DELIVERY_DELIVERED && journal_unsettle_folder_of(o->journal, staged.message, e) != 0)
            return -1;
        (*count_out)++;
    }
}

/* *any_out: the last pass did not end. */
static int recover_all(const struct haul_options *o, struct batch_store *store, bool *any_out, struct err *e)
{
    unsigned count = 0;

    *any_out = false;
    for (size_t i = 0; i < o->sink_count && !*any_out; i++) {
        struct journal_staged staged;
        if (journal_staged_first(o->journal, o->sinks[i]->row, 0, &staged, any_out, e) != 0)
            return -1;
    }
    if (!*any_out)
        return 0;
    if (journal_begin(o->journal, e) != 0)
        return -1;
    for (size_t k = 0; k < o->sink_count; k++) {
        struct err why;
        bool of_sink;

        if (o->sinks[k]->out || recover_sink(o, o->sinks[k], &count, &of_sink, &why) == 0)
            continue;
        if (!of_sink)
            *e = why;
        if (!of_sink || spare(store, o, k, &why, e) != 0) {
            journal_rollback(o->journal);
            return -1;
        }
    }
    if (journal_commit(o->journal, e) != 0) {
        journal_rollback(o->journal);
        return -1;
    }
    step("journal.recovered");
    log_info("the last pass did not end; what became of %u messages was looked up", count);
    return 0;
}

int sinks_open(const struct haul_options *o, bool adopt, struct batch_store *store, struct err *e)
{
    bool broken;

    for (size_t k = 0; k < o->sink_count; k++) {
        struct err why;
        bool of_sink;

        o->sinks[k]->out = false;
        if (open_sink(o, o->sinks[k], adopt, &of_sink, &why) == 0)
            continue;
        if (!of_sink)
            *e = why;
        if (!of_sink || spare(store, o, k, &why, e) != 0)
            return -1;
    }
    if (o->dry_run)
        return 0;
    if (journal_sinks_done(o->journal, e) != 0 || recover_all(o, store, &broken, e) != 0)
        return -1;
    /* The mark in the lock file is not flushed, so a power cut may have taken it; the journal is. */
    if (!broken && !lock_was_busy(o->lock))
        return 0;
    for (size_t i = 0; i < o->sink_count; i++) {
        if (o->sinks[i]->ops->sweep != NULL && o->sinks[i]->ops->sweep(o->sinks[i], e) != 0)
            return -1;
    }
    lock_mark_clean(o->lock);
    return 0;
}

int haul_open_sinks(const struct haul_options *o, bool adopt, struct err *e)
{
    return sinks_open(o, adopt, NULL, e);
}
