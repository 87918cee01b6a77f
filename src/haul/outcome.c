/* SPDX-License-Identifier: MIT */
#include "haul/outcome.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"

enum { WORDS_MAX = 1400 };

/* A destination that can look for a message before it takes it again makes no duplicates. */
static bool looks_first(const struct sink *sink)
{
    return sink->ops->staged_means == DELIVERY_IN_DOUBT;
}

static const struct batch_item *item_of(const struct batch *b, size_t sink, const struct sink_slot *slot)
{
    for (size_t i = 0; i < b->count; i++) {
        if (&b->items[i].slots[sink] == slot)
            return &b->items[i];
    }
    return NULL;
}

static void message_name(const struct batch_item *item, char *out, size_t size)
{
    char id[300];

    log_printable(id, sizeof(id), item->m.message_id);
    if (id[0] != '\0')
        snprintf(out, size, "message %s", id);
    else
        snprintf(out, size, "a message without Message-ID in %s", item->visit->folder->name);
}

static void tell_second_time(const struct sink *sink, const struct batch_item *item, struct sink_slot *slot)
{
    char name[400];

    if (!slot->doubtful || slot->told || looks_first(sink))
        return;
    slot->told = true;
    message_name(item, name, sizeof(name));
    log_warn("possible duplicate: %s was handed to %s before and its answer was never read", name, sink->name);
}

static void tell_doubt(const struct sink *sink, const struct batch_item *item, const struct sink_slot *slot)
{
    char name[400];

    message_name(item, name, sizeof(name));
    log_warn("%s was handed to %s and its answer was never read%s%s; the next pass %s", name, sink->name,
             slot->why != NULL ? ": " : "", slot->why != NULL ? slot->why : "",
             looks_first(sink) ? "looks for it there first" : "hands it over again, so it may arrive twice");
}

/* What the journal says of a slot now. A refusal is not written before it is clear what it means; a doubt of an earlier
 * pass stays until the destination has answered for this message. */
static bool state_to_write(const struct sink_slot *slot, enum delivery_state *out)
{
    *out = slot->state == DELIVERY_REJECTED ? DELIVERY_WANTED : slot->state;
    return *out != DELIVERY_WANTED || !slot->doubtful;
}

static int write_slot(struct batch_store *s, struct sink_slot *slot, size_t sink, struct err *e)
{
    int64_t row = s->sinks[sink]->row;
    enum delivery_state state;

    if (state_to_write(slot, &state) && journal_delivery(s->journal, slot->message, row, state, slot->name, e) != 0)
        return -1;
    if (state == DELIVERY_DELIVERED || slot->done.len == 0)
        return 0;
    return journal_recipients(s->journal, slot->message, row, buf_slice(&slot->done), e);
}

static bool outcome_of(const struct sink *sink, const struct sink_slot *slot, enum outcome *out)
{
    switch (slot->state) {
    case DELIVERY_DELIVERED:
        *out = OUTCOME_ACCEPTED;
        return true;
    case DELIVERY_REJECTED:
        *out = slot->by_us ? OUTCOME_UNFIT : OUTCOME_REJECTED;
        return true;
    case DELIVERY_IN_DOUBT:
        *out = looks_first(sink) ? OUTCOME_PUT_OFF : OUTCOME_DOUBT;
        return true;
    default:
        *out = OUTCOME_PUT_OFF;
        return slot->why != NULL;
    }
}

static void add_to(struct verdict *v, const struct sink *sink, const struct sink_slot *slot)
{
    enum outcome outcome;

    if (!outcome_of(sink, slot, &outcome))
        return;
    verdict_add(v, outcome);
    if (outcome != OUTCOME_ACCEPTED && slot->done.len > slot->known)
        verdict_add(v, OUTCOME_ACCEPTED);
}

/* A message that everybody has is stored from here on: no later pass would ask what became of it. */
static int record(struct batch_store *s, struct sink_slot *slot, size_t sink, struct err *e)
{
    if (journal_begin_light(s->journal, e) != 0)
        return -1;
    if (write_slot(s, slot, sink, e) != 0 ||
        (slot->state == DELIVERY_DELIVERED &&
         journal_settle_message(s->journal, slot->message, clock_wall(), NULL, e) != 0) ||
        journal_commit(s->journal, e) != 0) {
        journal_rollback(s->journal);
        return -1;
    }
    return 0;
}

int outcome_record(void *recorder, struct sink_slot *slot, struct err *e)
{
    struct recorder *r = recorder;

    if (record(r->store, slot, r->sink, &r->err) != 0) {
        r->failed = true;
        *e = r->err;
        return -1;
    }
    if (slot->state == DELIVERY_DELIVERED || slot->state == DELIVERY_IN_DOUBT)
        tell_second_time(r->store->sinks[r->sink], item_of(r->batch, r->sink, slot), slot);
    /* IN_DOUBT is a step here: the outcome is still to come. */
    if (slot->state == DELIVERY_IN_DOUBT)
        return 0;
    add_to(&r->verdict, r->store->sinks[r->sink], slot);
    return verdict_enough(&r->verdict, e);
}

void outcome_count(struct batch_store *s, const struct batch *b, size_t sink)
{
    struct destination *d = &s->destinations[sink];

    for (size_t i = 0; i < b->count; i++) {
        const struct batch_item *item = &b->items[i];
        struct sink_slot *slot = &item->slots[sink];

        if ((item->staged & (1u << sink)) == 0)
            continue;
        add_to(&d->verdict, s->sinks[sink], slot);
        if (slot->state == DELIVERY_DELIVERED || slot->state == DELIVERY_IN_DOUBT)
            tell_second_time(s->sinks[sink], item, slot);
        if (slot->state == DELIVERY_IN_DOUBT)
            tell_doubt(s->sinks[sink], item, slot);
        if (slot->state != DELIVERY_DELIVERED && slot->why != NULL && !slot->by_us)
            log_printable(d->words, sizeof(d->words), slice_str(slot->why));
    }
}

static int hold(struct destination *d, const struct batch_item *item, const struct sink_slot *slot,
                enum outcome outcome, struct err *e)
{
    struct refusal r = { .message = item->m.id, .tries = item->tries, .outcome = outcome };

    if (d->held_count == d->held_cap) {
        struct refusal *held = array_grow(d->held, &d->held_cap, sizeof(*held));
        if (held == NULL)
            return err_nomem(e);
        d->held = held;
    }
    r.folder = strdup(item->visit->folder->name);
    r.why = strdup(slot->why != NULL ? slot->why : "");
    if (r.folder == NULL || r.why == NULL) {
        free(r.folder);
        free(r.why);
        return err_nomem(e);
    }
    d->held[d->held_count++] = r;
    return 0;
}

int outcome_write(struct batch_store *s, struct batch_item *item, int64_t now, struct err *e)
{
    bool failed = false, stored;

    for (size_t k = 0; k < s->sink_count; k++) {
        struct sink_slot *slot = &item->slots[k];
        enum outcome outcome;

        if ((item->staged & (1u << k)) == 0)
            continue;
        if (write_slot(s, slot, k, e) != 0)
            return -1;
        failed |= slot->state != DELIVERY_DELIVERED;
        if (outcome_of(s->sinks[k], slot, &outcome) && outcome != OUTCOME_ACCEPTED &&
            hold(&s->destinations[k], item, slot, outcome, e) != 0)
            return -1;
    }
    if (journal_settle_message(s->journal, item->m.id, now, &stored, e) != 0)
        return -1;
    item->open = !stored;
    return failed ? row_list_add(&s->failed, item->m.id, e) : 0;
}

static int drop(struct batch_store *s, size_t sink, const struct refusal *r, const char *words, int64_t now,
                struct err *e)
{
    bool stored;

    log_warn("a message in %s counts as delivered, because on_reject is \"drop\": %s", r->folder, words);
    if (journal_delivery(s->journal, r->message, s->sinks[sink]->row, DELIVERY_DROPPED, NULL, e) != 0 ||
        journal_settle_message(s->journal, r->message, now, &stored, e) != 0)
        return -1;
    return stored ? row_list_add(&s->aside, r->message, e) : 0;
}

static int set_aside(struct batch_store *s, const struct refusal *r, const char *words, struct err *e)
{
    if (row_list_has(&s->aside, r->message))
        return 0;
    s->rejected++;
    log_error("a message in %s was set aside: %s; see: mailhaul quarantine list", r->folder, words);
    if (row_list_add(&s->aside, r->message, e) != 0)
        return -1;
    return journal_message_tried(s->journal, r->message, MESSAGE_QUARANTINED, r->tries + 1, slice_str(words), e);
}

static int count_try(struct batch_store *s, const struct refusal *r, const char *words, struct err *e)
{
    /* Two destinations that put it off in one pass: one try of one message. One that is set aside is tried no more. */
    if (row_list_has(&s->tried, r->message) || row_list_has(&s->aside, r->message))
        return 0;
    if (row_list_add(&s->tried, r->message, e) != 0)
        return -1;
    if (r->tries + 1 >= HAUL_TRIES)
        return set_aside(s, r, words, e);
    s->put_off++;
    log_warn("a message in %s could not be delivered (try %u of %d): %s", r->folder, r->tries + 1, HAUL_TRIES, words);
    return journal_message_tried(s->journal, r->message, MESSAGE_PENDING, r->tries + 1, slice_str(words), e);
}

static const char *what_it_did(enum outcome outcome)
{
    if (outcome == OUTCOME_UNFIT)
        return "was not given it";
    return outcome == OUTCOME_REJECTED ? "rejected it" : "did not take it";
}

static int apply(struct batch_store *s, size_t sink, const struct refusal *r, int64_t now, struct err *e)
{
    const struct verdict *verdict = &s->destinations[sink].verdict;
    char words[WORDS_MAX];

    snprintf(words, sizeof(words), "the destination %s %s%s%s", s->sinks[sink]->name, what_it_did(r->outcome),
             r->why[0] != '\0' ? ": " : "", r->why);
    switch (verdict_meaning(verdict, r->outcome, r->tries)) {
    case MEANS_NOTHING:
        s->put_off++;
        return 0;
    case MEANS_TRY:
        return count_try(s, r, words, e);
    case MEANS_ASIDE:
        break;
    }
    /* That it may be dropped was said of what the destination refuses. */
    if (s->sinks[sink]->drop_rejected && r->outcome != OUTCOME_UNFIT)
        return drop(s, sink, r, words, now, e);
    if (journal_delivery(s->journal, r->message, s->sinks[sink]->row, DELIVERY_REJECTED, NULL, e) != 0)
        return -1;
    return set_aside(s, r, words, e);
}

/* Of one destination: those whose meaning is clear. */
static int resolve(struct batch_store *s, size_t sink, bool at_end, int64_t now, struct err *e)
{
    struct destination *d = &s->destinations[sink];
    bool holds = verdict_holds(&d->verdict) && !at_end;
    size_t kept = 0;
    int rc = 0;

    for (size_t i = 0; i < d->held_count; i++) {
        if (rc != 0 || (holds && d->held[i].outcome != OUTCOME_UNFIT)) {
            d->held[kept++] = d->held[i];
            continue;
        }
        rc = apply(s, sink, &d->held[i], now, e);
        free(d->held[i].folder);
        free(d->held[i].why);
    }
    d->held_count = kept;
    return rc;
}

int outcome_resolve(struct batch_store *s, bool at_end, int64_t now, struct err *e)
{
    for (size_t k = 0; k < s->sink_count; k++) {
        const struct destination *d = &s->destinations[k];

        if (at_end && verdict_holds(&d->verdict) && d->verdict.put_off > 0)
            log_warn("destination %s has taken nothing and put off %" PRIu64 " message%s for later: %s",
                     s->sinks[k]->name, d->verdict.put_off, d->verdict.put_off == 1 ? "" : "s", d->words);
        if (resolve(s, k, at_end, now, e) != 0)
            return -1;
    }
    return 0;
}

bool outcome_is_held(const struct batch_store *s)
{
    bool held = false;

    for (size_t k = 0; k < s->sink_count; k++)
        held |= s->destinations[k].held_count > 0;
    return held;
}
