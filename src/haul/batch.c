/* SPDX-License-Identifier: MIT */
#include "haul/batch.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/step.h"
#include "haul/outcome.h"

struct batch *batch_new(void)
{
    return calloc(1, sizeof(struct batch));
}

void batch_free(struct batch **b, struct sink *const *sinks, size_t sink_count)
{
    if (*b == NULL)
        return;
    for (size_t i = 0; i < (*b)->count; i++) {
        struct batch_item *item = &(*b)->items[i];
        for (size_t k = 0; k < sink_count; k++) {
            if (item->slots[k].own != NULL)
                sinks[k]->ops->discard(sinks[k], &item->slots[k]);
            free(item->slots[k].why);
            free(item->slots[k].path);
            buf_release(&item->slots[k].done);
        }
        free(item->slots);
        free(item->bytes);
    }
    free((*b)->items);
    free((*b)->closed);
    free(*b);
    *b = NULL;
}

static struct slice keep(char **at, struct slice s)
{
    char *p = *at;

    if (s.n > 0)
        memcpy(p, s.p, s.n);
    *at += s.n;
    return slice_make(p, s.n);
}

struct batch_item *batch_add(struct batch *b, const struct journal_message *m, size_t sink_count)
{
    struct batch_item item = { .m = *m };
    char *at;

    if (b->count == b->cap) {
        struct batch_item *items = array_grow(b->items, &b->cap, sizeof(*items));
        if (items == NULL)
            return NULL;
        b->items = items;
    }
    item.bytes = at = malloc(m->uidl.n + m->message_id.n + m->object_id.n + m->reason.n + 1);
    item.slots = calloc(sink_count > 0 ? sink_count : 1, sizeof(*item.slots));
    if (item.bytes == NULL || item.slots == NULL) {
        free(item.bytes);
        free(item.slots);
        return NULL;
    }
    for (size_t k = 0; k < sink_count; k++)
        buf_init(&item.slots[k].done, SINK_DONE_MAX);
    item.m.uidl = keep(&at, m->uidl);
    item.m.message_id = keep(&at, m->message_id);
    item.m.object_id = keep(&at, m->object_id);
    item.m.reason = keep(&at, m->reason);
    if (b->count == 0)
        b->since_ms = clock_mono_ms();
    b->items[b->count] = item;
    return &b->items[b->count++];
}

int batch_close_folder(struct batch *b, struct visit *visit, const struct journal_folder *state)
{
    if (b->closed_count == b->closed_cap) {
        void *v = array_grow(b->closed, &b->closed_cap, sizeof(*b->closed));
        if (v == NULL)
            return -1;
        b->closed = v;
    }
    b->closed[b->closed_count].visit = visit;
    b->closed[b->closed_count++].state = *state;
    return 0;
}

int row_list_add(struct row_list *l, int64_t row, struct err *e)
{
    if (l->count == l->cap) {
        int64_t *v = array_grow(l->v, &l->cap, sizeof(*v));
        if (v == NULL)
            return err_nomem(e);
        l->v = v;
    }
    l->v[l->count++] = row;
    return 0;
}

bool row_list_has(const struct row_list *l, int64_t row)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->v[i] == row)
            return true;
    }
    return false;
}

void batch_store_release(struct batch_store *s)
{
    batch_free(&s->unrecorded, s->sinks, s->sink_count);
    free(s->failed.v);
    free(s->tried.v);
    free(s->aside.v);
    for (size_t k = 0; k < SINK_MAX; k++) {
        struct destination *d = &s->destinations[k];

        for (size_t i = 0; i < d->held_count; i++) {
            free(d->held[i].folder);
            free(d->held[i].why);
        }
        free(d->held);
    }
}

void batch_put_out(struct batch_store *s, size_t k, const struct err *why)
{
    char words[ERR_TEXT_MAX + ERR_PEER_MAX];
    struct err told = *why;

    s->sinks[k]->out = true;
    err_ctx(&told, "destination %s", s->sinks[k]->name);
    err_format(&told, words, sizeof(words));
    log_error("%s", words);
    trouble_note(&s->err, &told);
}

bool batch_nobody_left(struct sink *const *sinks, size_t sink_count)
{
    bool left = sink_count == 0;

    for (size_t k = 0; k < sink_count; k++)
        left |= !sinks[k]->out;
    return !left;
}

/* The slots of one sink, collected for its prepare and commit. */
static struct sink_slot **slots_of(struct batch *b, size_t sink, size_t *count_out, struct err *e)
{
    struct sink_slot **v = malloc((b->count + 1) * sizeof(struct sink_slot *));
    size_t n = 0;

    if (v == NULL) {
        err_nomem(e);
        return NULL;
    }
    for (size_t i = 0; i < b->count; i++) {
        if (b->items[i].slots[sink].own != NULL)
            v[n++] = &b->items[i].slots[sink];
    }
    *count_out = n;
    return v;
}

/* What earlier passes left of a message: a hand-over that was never answered, recipients that have it. */
static int look_up(struct batch_store *s, struct batch *b, struct err *e)
{
    for (size_t i = 0; i < b->count; i++) {
        struct batch_item *item = &b->items[i];

        for (size_t k = 0; k < s->sink_count; k++) {
            struct sink_slot *slot = &item->slots[k];
            char name[SINK_NAME_MAX];
            enum delivery_state state;

            slot->tries = item->tries;
            slot->message = item->m.id;
            /* A Maildir is never in doubt. */
            if (slot->own == NULL || item->m.id == 0 || s->sinks[k]->ops->write != NULL)
                continue;
            if (journal_delivery_get(s->journal, item->m.id, s->sinks[k]->row, &state, name, sizeof(name), &slot->done,
                                     e) != 0)
                return -1;
            slot->known = slot->done.len;
            slot->doubtful = state == DELIVERY_IN_DOUBT;
            if (slot->doubtful)
                memcpy(slot->name, name, sizeof(name));
        }
    }
    return 0;
}

/* -1 for an error that ends the pass; one that is the destination's own puts it out. */
static int spare(struct batch_store *s, size_t k, const struct err *why, struct err *e)
{
    if (trouble_is_of_sink(why)) {
        batch_put_out(s, k, why);
        return 0;
    }
    *e = *why;
    return -1;
}

static int prepare_all(struct batch_store *s, struct batch *b, struct err *e)
{
    for (size_t k = 0; k < s->sink_count; k++) {
        struct sink *sink = s->sinks[k];
        size_t count = 0;
        struct sink_slot **slots;
        struct err why;
        int rc;

        if (sink->ops->prepare == NULL || sink->out)
            continue;
        slots = slots_of(b, k, &count, e);
        if (slots == NULL)
            return -1;
        rc = count > 0 ? sink->ops->prepare(sink, slots, count, &why) : 0;
        free(slots);
        if (rc != 0 && spare(s, k, &why, e) != 0)
            return -1;
    }
    return 0;
}

/* What the sink holds of its messages, files most of all, goes at once. */
static void discard(struct sink *sink, struct sink_slot *const *slots, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (slots[i]->own != NULL)
            sink->ops->discard(sink, slots[i]);
        slots[i]->own = NULL;
    }
}

static int commit_one(struct batch_store *s, struct batch *b, size_t k, struct sink_slot *const *slots, size_t count,
                      struct err *e)
{
    struct sink *sink = s->sinks[k];
    struct destination *d = &s->destinations[k];
    struct recorder recorder = { .store = s, .batch = b, .sink = k, .verdict = d->verdict };
    const struct sink_record record = { .ctx = &recorder, .write = outcome_record };
    struct err why;
    int rc = sink->ops->commit(sink, slots, count, &record, &why);

    outcome_count(s, b, k);
    discard(sink, slots, count);
    if (recorder.failed) {
        *e = recorder.err;
        return -1;
    }
    if (rc != 0 && !trouble_is_of_sink(&why)) {
        *e = why;
        return -1;
    }
    if (verdict_enough(&d->verdict, &why) != 0) {
        d->judged = true;
        if (d->words[0] != '\0')
            err_peer(&why, slice_str(d->words));
        rc = -1;
    }
    if (rc != 0)
        batch_put_out(s, k, &why);
    return 0;
}

/* E_STOPPED: a destination elsewhere was interrupted, and all else that needs no more than the disk is done. */
static int commit_all(struct batch_store *s, struct batch *b, struct err *e)
{
    struct err stopped = ERR_INIT;

    for (size_t k = 0; k < s->sink_count; k++) {
        size_t count = 0;
        struct sink_slot **slots;
        int rc = 0;

        if (s->sinks[k]->out || (stopped.code != E_NONE && s->sinks[k]->ops->write == NULL))
            continue;
        slots = slots_of(b, k, &count, e);
        if (slots == NULL)
            return -1;
        if (count > 0)
            rc = commit_one(s, b, k, slots, count, e);
        free(slots);
        if (rc != 0 && e->code != E_STOPPED)
            return -1;
        if (rc != 0)
            stopped = *e;
    }
    if (stopped.code == E_NONE)
        return 0;
    *e = stopped;
    return -1;
}

static int folder_row(struct batch_store *s, struct visit *visit, struct err *e)
{
    if (visit->known.id != 0)
        return 0;
    return journal_folder_put(s->journal, slice_str(visit->folder->name), &visit->known, e);
}

static int stage(struct batch_store *s, struct batch_item *item, struct err *e)
{
    for (size_t k = 0; k < s->sink_count; k++) {
        struct sink_slot *slot = &item->slots[k];

        if (slot->own == NULL || s->sinks[k]->out)
            continue;
        slot->message = item->m.id;
        item->staged |= 1u << k;
        /* A doubt is recorded already, with the name that it goes by. */
        if (!slot->doubtful && journal_stage(s->journal, item->m.id, s->sinks[k]->row, slot->name, e) != 0)
            return -1;
    }
    return 0;
}

static int write_staged(struct batch_store *s, struct batch *b, struct err *e)
{
    for (size_t i = 0; i < b->count; i++) {
        struct batch_item *item = &b->items[i];

        if (folder_row(s, item->visit, e) != 0)
            return -1;
        item->m.folder = item->visit->known.id;
        if (item->gone) {
            if (journal_message_delete(s->journal, item->m.id, e) != 0)
                return -1;
            continue;
        }
        if (journal_message_put(s->journal, &item->m, e) != 0)
            return -1;
        if (item->m.tries > 0 && row_list_add(&s->failed, item->m.id, e) != 0)
            return -1;
        if (stage(s, item, e) != 0)
            return -1;
    }
    return 0;
}

static int write_closed(struct batch_store *s, struct batch *b, struct err *e)
{
    for (size_t i = 0; i < b->closed_count; i++) {
        struct visit *visit = b->closed[i].visit;
        struct journal_folder *state = &b->closed[i].state;

        state->id = visit->known.id;
        state->settled = state->settled && !visit->unsettled;
        if (state->id != 0 &&
            journal_folder_sums(s->journal, state->id, &state->oldest_kept, &state->smallest_skipped, e) != 0)
            return -1;
        if (journal_folder_put(s->journal, slice_str(visit->folder->name), state, e) != 0)
            return -1;
        visit->known = *state;
    }
    return 0;
}

static int write_delivered(struct batch_store *s, struct batch *b, struct err *e)
{
    int64_t now = clock_wall();

    for (size_t i = 0; i < b->count; i++) {
        struct batch_item *item = &b->items[i];
        if (!item->row_only && outcome_write(s, item, now, e) != 0)
            return -1;
    }
    if (outcome_resolve(s, false, now, e) != 0)
        return -1;
    for (size_t i = 0; i < b->count; i++) {
        if (b->items[i].open && !row_list_has(&s->aside, b->items[i].m.id))
            b->items[i].visit->unsettled = true;
    }
    return write_closed(s, b, e);
}

static void tell(const struct batch_store *s, const struct batch *b)
{
    if (s->observer == NULL || s->observer->delivered == NULL)
        return;
    for (size_t i = 0; i < b->count; i++) {
        const struct batch_item *item = &b->items[i];
        for (size_t k = 0; k < s->sink_count; k++) {
            if (item->slots[k].state != DELIVERY_DELIVERED)
                continue;
            struct haul_delivered d = { .folder = slice_str(item->visit->folder->name),
                                        .uid = item->m.uid,
                                        .uidl = item->m.uidl,
                                        .octets = item->m.octets,
                                        .sink = s->sinks[k]->name,
                                        .name = item->slots[k].name,
                                        .path = item->slots[k].path };
            s->observer->delivered(s->observer->ctx, &d);
        }
    }
}

int batch_commit(struct batch_store *s, struct batch *b, struct err *e)
{
    struct err later;
    int rc = -1;

    if (look_up(s, b, e) != 0 || prepare_all(s, b, e) != 0 || journal_begin(s->journal, e) != 0)
        goto out;
    if ((s->unrecorded != NULL && write_delivered(s, s->unrecorded, e) != 0) || write_staged(s, b, e) != 0 ||
        journal_commit(s->journal, e) != 0) {
        journal_rollback(s->journal);
        goto out;
    }
    step("batch.staged");
    batch_free(&s->unrecorded, s->sinks, s->sink_count);
    rc = commit_all(s, b, e);
    if (rc != 0 && e->code != E_STOPPED)
        goto out;
    step("batch.delivered");
    tell(s, b);
    s->unrecorded = b;
    b = NULL;
    /* No other batch will follow this one. */
    if (rc != 0 && batch_record(s, &later) != 0)
        *e = later;
out:
    batch_free(&b, s->sinks, s->sink_count);
    return rc;
}

int batch_record(struct batch_store *s, struct err *e)
{
    if (s->unrecorded == NULL)
        return 0;
    if (journal_begin(s->journal, e) != 0)
        return -1;
    if (write_delivered(s, s->unrecorded, e) != 0 || journal_commit(s->journal, e) != 0) {
        journal_rollback(s->journal);
        return -1;
    }
    step("batch.recorded");
    batch_free(&s->unrecorded, s->sinks, s->sink_count);
    return 0;
}

int batch_end(struct batch_store *s, struct err *e)
{
    if (outcome_is_held(s)) {
        if (journal_begin(s->journal, e) != 0)
            return -1;
        if (outcome_resolve(s, true, clock_wall(), e) != 0 || journal_commit(s->journal, e) != 0) {
            journal_rollback(s->journal);
            return -1;
        }
        step("batch.judged");
    }
    for (size_t k = 0; k < s->sink_count; k++) {
        struct destination *d = &s->destinations[k];
        struct err why;

        if (d->judged || verdict_end(&d->verdict, &why) == 0)
            continue;
        if (d->words[0] != '\0')
            err_peer(&why, slice_str(d->words));
        batch_put_out(s, k, &why);
    }
    return 0;
}
