/* SPDX-License-Identifier: MIT */
#include "haul/batch.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/step.h"

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

/* The slots of one sink, collected for its prepare and commit. */
static struct sink_slot **slots_of(struct batch *b, size_t sink, size_t *count_out)
{
    struct sink_slot **v = malloc((b->count + 1) * sizeof(struct sink_slot *));
    size_t n = 0;

    if (v == NULL)
        return NULL;
    for (size_t i = 0; i < b->count; i++) {
        if (b->items[i].slots[sink].own != NULL)
            v[n++] = &b->items[i].slots[sink];
    }
    *count_out = n;
    return v;
}

static int each_sink(struct batch_store *s, struct batch *b, bool commit, struct err *e)
{
    for (size_t k = 0; k < s->sink_count; k++) {
        const struct sink_ops *ops = s->sinks[k]->ops;
        size_t count = 0;
        struct sink_slot **slots = slots_of(b, k, &count);
        int rc;

        if (slots == NULL)
            return err_nomem(e);
        rc = count == 0 ? 0
             : commit   ? ops->commit(s->sinks[k], slots, count, NULL, e)
                        : ops->prepare(s->sinks[k], slots, count, e);
        free(slots);
        if (rc != 0)
            return -1;
    }
    return 0;
}

static int folder_row(struct batch_store *s, struct visit *visit, struct err *e)
{
    if (visit->known.id != 0)
        return 0;
    return journal_folder_put(s->journal, slice_str(visit->folder->name), &visit->known, e);
}

static int remember_failed(struct batch_store *s, int64_t row)
{
    if (s->failed_count == s->failed_cap) {
        int64_t *failed = array_grow(s->failed, &s->failed_cap, sizeof(*failed));
        if (failed == NULL)
            return -1;
        s->failed = failed;
    }
    s->failed[s->failed_count++] = row;
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
        if (item->m.tries > 0 && remember_failed(s, item->m.id) != 0)
            return err_nomem(e);
        for (size_t k = 0; k < s->sink_count; k++) {
            if (item->slots[k].own != NULL &&
                journal_stage(s->journal, item->m.id, s->sinks[k]->row, item->slots[k].name, e) != 0)
                return -1;
        }
    }
    return 0;
}

/* A destination did not take it: it is tried in as many passes as one that could not be had. */
static int write_refused(struct batch_store *s, struct batch_item *item, const char *sink, bool rejected, struct err *e)
{
    char words[SINK_NAME_MAX + 64];

    snprintf(words, sizeof(words), "the destination %s %s", sink, rejected ? "rejected it" : "did not take it");
    item->m.tries = item->tries + 1;
    item->m.reason = slice_str(words);
    item->m.state = rejected || item->m.tries >= HAUL_TRIES ? MESSAGE_QUARANTINED : MESSAGE_PENDING;
    if (item->m.state == MESSAGE_QUARANTINED) {
        s->rejected++;
        log_error("a message in %s was set aside: %s; see: mailhaul quarantine list", item->visit->folder->name, words);
    } else {
        s->put_off++;
        item->visit->unsettled = true;
        log_warn("a message in %s could not be delivered (try %u of %d): %s", item->visit->folder->name, item->m.tries,
                 HAUL_TRIES, words);
    }
    if (remember_failed(s, item->m.id) != 0)
        return err_nomem(e);
    return journal_message_put(s->journal, &item->m, e);
}

static int write_outcome(struct batch_store *s, struct batch_item *item, int64_t now, struct err *e)
{
    const char *refusing = NULL;
    bool rejected = false;

    for (size_t k = 0; k < s->sink_count; k++) {
        const struct sink_slot *slot = &item->slots[k];

        if (slot->own == NULL)
            continue;
        if (journal_delivery(s->journal, item->m.id, s->sinks[k]->row, slot->state, e) != 0)
            return -1;
        if (slot->state != DELIVERY_DELIVERED && !rejected) {
            refusing = s->sinks[k]->name;
            rejected = slot->state == DELIVERY_REJECTED;
        }
    }
    if (refusing != NULL)
        return write_refused(s, item, refusing, rejected, e);
    return journal_settle_message(s->journal, item->m.id, now, NULL, e);
}

static int write_delivered(struct batch_store *s, struct batch *b, struct err *e)
{
    int64_t now = clock_wall();

    for (size_t i = 0; i < b->count; i++) {
        struct batch_item *item = &b->items[i];
        if (!item->row_only && write_outcome(s, item, now, e) != 0)
            return -1;
    }
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
                                        .name = item->slots[k].name };
            s->observer->delivered(s->observer->ctx, &d);
        }
    }
}

int batch_commit(struct batch_store *s, struct batch *b, struct err *e)
{
    int rc = -1;

    if (each_sink(s, b, false, e) != 0 || journal_begin(s->journal, e) != 0)
        goto out;
    if ((s->unrecorded != NULL && write_delivered(s, s->unrecorded, e) != 0) || write_staged(s, b, e) != 0 ||
        journal_commit(s->journal, e) != 0) {
        journal_rollback(s->journal);
        goto out;
    }
    step("batch.staged");
    batch_free(&s->unrecorded, s->sinks, s->sink_count);
    if (each_sink(s, b, true, e) != 0)
        goto out;
    step("batch.delivered");
    tell(s, b);
    s->unrecorded = b;
    b = NULL;
    rc = 0;
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
