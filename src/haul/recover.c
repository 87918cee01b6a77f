/* SPDX-License-Identifier: MIT
 * Destinations before a pass: their rows and markers, and the STAGED deliveries of a pass that did not end.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/step.h"
#include "haul/haul_int.h"

static int open_sink(const struct haul_options *o, struct sink *sink, bool adopt, struct err *e)
{
    struct journal_sink known;
    char marker[MAILHAUL_MARKER_SIZE];
    struct buf where = BUF_INIT(8192);

    if (log_wants(LOG_LEVEL_DEBUG) && sink->ops->describe(sink, &where) == 0)
        log_debug("delivering to %s", buf_cstr(&where));
    buf_release(&where);
    if (journal_sink(o->journal, sink->name, sink->ops->type, &known, e) != 0)
        return -1;
    sink->row = known.id;
    if (sink->ops->open(sink, journal_tag(o->journal), &known, o->dry_run, adopt, marker, e) != 0)
        return -1;
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

/* Each STAGED name is looked for where it would be: there, it was delivered; not there, it was not. */
static int recover_sink(const struct haul_options *o, struct sink *sink, unsigned *count_out, struct err *e)
{
    struct journal_staged staged;
    int64_t after = 0;
    bool found;

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
        rc = sink->ops->recover(sink, folder, staged.delimiter, name_copy, &state, e);
        free(folder_copy);
        free(name_copy);
        if (rc != 0 || journal_delivery(o->journal, staged.message, sink->row, state, e) != 0 ||
            journal_settle_message(o->journal, staged.message, clock_wall(), NULL, e) != 0)
            return -1;
        if (state == DELIVERY_WANTED && journal_unsettle_folder_of(o->journal, staged.message, e) != 0)
            return -1;
        (*count_out)++;
    }
}

/* *any_out: the last pass did not end. */
static int recover_all(const struct haul_options *o, bool *any_out, struct err *e)
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
    for (size_t i = 0; i < o->sink_count; i++) {
        if (recover_sink(o, o->sinks[i], &count, e) != 0) {
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

int haul_open_sinks(const struct haul_options *o, bool adopt, struct err *e)
{
    bool broken;

    for (size_t i = 0; i < o->sink_count; i++) {
        if (open_sink(o, o->sinks[i], adopt, e) != 0)
            return -1;
    }
    if (o->dry_run)
        return 0;
    if (journal_sinks_done(o->journal, e) != 0 || recover_all(o, &broken, e) != 0)
        return -1;
    /* The mark in the lock file is not flushed, so a power cut may have taken it; the journal is. */
    if (!broken && !lock_was_busy(o->lock))
        return 0;
    for (size_t i = 0; i < o->sink_count; i++) {
        if (o->sinks[i]->ops->sweep(o->sinks[i], e) != 0)
            return -1;
    }
    lock_mark_clean(o->lock);
    return 0;
}
