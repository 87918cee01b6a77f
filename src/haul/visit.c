/* SPDX-License-Identifier: MIT
 * One folder in a pass: what is there, what of it is wanted, fetch it, remove what may go, and remember the look.
 */
#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/step.h"
#include "base/stop.h"
#include "haul/haul_int.h"
#include "haul/plan_folder.h"

enum {
    CHUNK_MIN = 4 * 1024 * 1024,
    /* A session that removes should end within 5 minutes, so that a cut loses little: it fetches for about half of
     * that. */
    CHUNK_LONG_MS = 150 * 1000,
    CHUNK_SHORT_MS = 60 * 1000,
};

void items_clear(struct items *i)
{
    i->count = 0;
}

void items_release(struct items *i)
{
    free(i->v);
    *i = (struct items){ 0 };
}

int items_add(struct items *i, const struct fetch_item *item, struct err *e)
{
    if (i->count == i->cap) {
        struct fetch_item *v = array_grow(i->v, &i->cap, sizeof(*v));
        if (v == NULL)
            return err_nomem(e);
        i->v = v;
    }
    i->v[i->count++] = *item;
    return 0;
}

static bool unchanged_by_status(const struct source_folder *f, const struct journal_folder *known)
{
    return f->has_status && known->id != 0 && f->uidvalidity == known->uidvalidity && f->uidnext == known->uidnext &&
           f->messages == known->messages;
}

static bool may_remove(const struct pass *p)
{
    return p->o->policy.leave_s >= 0;
}

/* The session ended while a message was on its way. Whether it is the message's fault cannot be known: it counts as one
 * try, and the next pass takes it last, so that it holds up nothing. */
static int blame(struct pass *p, const struct err *why, struct err *e)
{
    const struct fetch_item *item = intake_first_missing(p->intake);

    intake_drop(p->intake);
    if (item == NULL || (why->code != E_NET && why->code != E_TIMEOUT && why->code != E_PROTO))
        return 0;
    /* A quirk of the server was learned (POP3 out of step): the session is to blame. */
    if (why->code == E_PROTO && why->retry == RETRY_RECONNECT)
        return 0;
    return intake_failed(p->intake, item, why, e);
}

static uint32_t wanted_of(const struct pass *p, const struct fetch_item *item)
{
    return item->row == 0 ? (uint32_t)((1u << p->o->sink_count) - 1) : item->wanted;
}

/* Before anything is fetched, whoever is to have it is asked whether it can be had. */
static int ask_destinations(struct pass *p, struct err *e)
{
    uint32_t wanted = 0;

    for (size_t i = 0; i < p->fetch.count; i++)
        wanted |= wanted_of(p, &p->fetch.v[i]);
    for (size_t i = 0; i < p->retry.count; i++)
        wanted |= wanted_of(p, &p->retry.v[i]);
    return wanted != 0 ? sinks_ready(p, wanted, e) : 0;
}

/* Without what only a destination wants that turns out not to be there: it would take the place of other mail. */
static int plan(struct pass *p, struct visit *visit, bool *truncated_out, struct err *e)
{
    uint64_t budget = p->budget;
    uint32_t out;

    do {
        out = sinks_out(p->o);
        p->budget = budget;
        if (plan_fetches(p, visit, truncated_out, e) != 0 || (!p->o->dry_run && ask_destinations(p, e) != 0))
            return -1;
    } while (sinks_out(p->o) != out);
    return 0;
}

static int fetch_items(struct pass *p, struct visit *visit, const struct fetch_item *items, size_t count, struct err *e)
{
    struct source *source = p->o->source;
    struct err later;
    uint64_t octets = 0;

    if (count == 0)
        return 0;
    for (size_t i = 0; i < count; i++)
        octets += items[i].octets;
    atomic_fetch_add(&p->o->progress->wanted_messages, count);
    atomic_fetch_add(&p->o->progress->wanted_bytes, octets);
    atomic_store(&p->o->progress->phase, HAUL_FETCHING);
    if (intake_expect(p->intake, visit, &p->listing, items, count, e) != 0 || intake_try(p->intake, e) != 0)
        return -1;
    if (source->ops->fetch(source, items, count, p->intake, e) == 0)
        return 0;
    if (blame(p, e, &later) != 0)
        *e = later;
    return -1;
}

/* How many of the fresh messages this session takes: all, unless it has to end soon because it removes (POP3). */
static size_t chunk_of(struct pass *p)
{
    uint64_t octets = 0;
    size_t n = 0;

    if (!p->o->source->one_folder || p->o->policy.leave_s != 0)
        return p->fetch.count;
    while (n < p->fetch.count && n < p->o->source->remove_max && (n == 0 || octets < p->chunk_octets))
        octets += p->fetch.v[n++].octets;
    return n;
}

static void adapt_chunk(struct pass *p, int64_t took_ms)
{
    if (took_ms > CHUNK_LONG_MS && p->chunk_octets > CHUNK_MIN)
        p->chunk_octets /= 2;
    else if (took_ms < CHUNK_SHORT_MS && p->chunk_octets < UINT64_MAX / 4)
        p->chunk_octets *= 2;
}

/* What failed in an earlier pass may end this session too: with many folders it waits until all have got their new
 * mail. */
static bool put_off_retries(struct pass *p, struct visit *visit)
{
    if (p->o->source->one_folder || p->second_round || p->retry.count == 0)
        return false;
    visit->retries = true;
    p->budget += p->retry.count;
    items_clear(&p->retry);
    return true;
}

static int fetch_planned(struct pass *p, struct visit *visit, bool *left_out, struct err *e)
{
    int64_t began = clock_mono_ms();
    size_t n = chunk_of(p);

    for (size_t i = 0; i < p->skip.count; i++) {
        const struct fetch_item *item = &p->skip.v[i];
        if (intake_skip(p->intake, visit, &p->listing, item, e) != 0)
            return -1;
        log_warn("a message of %" PRIu64 " octets in %s is over max_size and was left; fetch --oversize brings it",
                 item->octets, visit->folder->name);
    }
    *left_out = n < p->fetch.count;
    if (fetch_items(p, visit, p->fetch.v, n, e) != 0)
        return -1;
    if (!*left_out && fetch_items(p, visit, p->retry.v, p->retry.count, e) != 0)
        return -1;
    adapt_chunk(p, clock_mono_ms() - began);
    return 0;
}

static int record_removed(struct pass *p, const struct fetch_item *items, size_t count, enum remove_result result,
                          struct err *e)
{
    if (journal_begin(p->o->journal, e) != 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        int rc = result == REMOVE_DONE ? journal_message_delete(p->o->journal, items[i].row, e)
                                       : journal_message_marked(p->o->journal, items[i].row, e);
        if (rc != 0) {
            journal_rollback(p->o->journal);
            return -1;
        }
    }
    if (journal_commit(p->o->journal, e) != 0) {
        journal_rollback(p->o->journal);
        return -1;
    }
    step("journal.removed");
    *(result == REMOVE_DONE ? &p->r->removed : &p->r->marked) += count;
    return 0;
}

/* Nothing gets here before its DELIVERED is committed: plan_removals() reads the journal. */
static int remove_due(struct pass *p, struct visit *visit, uint32_t *removed_out, struct err *e)
{
    struct source *source = p->o->source;

    *removed_out = 0;
    if (intake_finish(p->intake, e) != 0 || plan_removals(p, visit, e) != 0)
        return -1;
    for (size_t at = 0; at < p->remove.count && !p->session_over;) {
        size_t n = size_min(p->remove.count - at, source->remove_max);
        enum remove_result result;

        if (stop_requested() != 0)
            return err_set(e, E_STOPPED, "stopped by a signal");
        atomic_store(&p->o->progress->phase, HAUL_REMOVING);
        p->session_over = source->one_folder;
        if (source->ops->remove(source, p->remove.v + at, n, &result, e) != 0)
            return -1;
        step("source.removed");
        if (record_removed(p, p->remove.v + at, n, result, e) != 0)
            return -1;
        log_debug("%s: %zu %s", visit->folder->name, n,
                  result == REMOVE_DONE ? "removed from the server" : "marked as deleted on the server");
        if (result == REMOVE_DONE)
            *removed_out += (uint32_t)n;
        at += n;
        p->again |= p->session_over && at < p->remove.count;
    }
    return 0;
}

static bool same_state(const struct journal_folder *a, const struct journal_folder *b)
{
    return a->id != 0 && a->uidvalidity == b->uidvalidity && a->uidnext == b->uidnext && a->messages == b->messages &&
           a->modseq == b->modseq && a->octets == b->octets && a->settled == b->settled &&
           memcmp(a->listing, b->listing, sizeof(a->listing)) == 0;
}

/* `before`: what the journal knew of the folder. visit->known is the committer's by now. */
static int close_folder(struct pass *p, struct visit *visit, const struct journal_folder *before, bool settled,
                        uint32_t removed, struct err *e)
{
    const struct listing *l = &p->listing;
    struct journal_folder state = *before;
    bool touched = p->fetch.count + p->retry.count + p->skip.count + p->remove.count > 0;

    state.uidvalidity = l->uidvalidity;
    state.uidnext = l->uidnext;
    state.messages = l->messages - (removed < l->messages ? removed : l->messages);
    state.modseq = l->modseq;
    state.octets = l->octets;
    state.settled = settled;
    memcpy(state.listing, l->digest, sizeof(state.listing));
    if (!touched && same_state(before, &state))
        return 0;
    return intake_close_folder(p->intake, visit, &state, e);
}

static int list(struct pass *p, struct visit *visit, bool quiet, struct err *e)
{
    struct source *source = p->o->source;
    struct list_request request = { .folder = visit->folder,
                                    .known = &visit->known,
                                    .complete = source->one_folder && !quiet,
                                    .writable = may_remove(p) && !p->o->dry_run };

    atomic_store(&p->o->progress->phase, HAUL_LISTING);
    listing_clear(&p->listing);
    return source->ops->list(source, &request, &p->listing, e);
}

static int dry_visit(struct pass *p, struct visit *visit, bool renewed, struct err *e)
{
    uint64_t octets = 0;

    if (!renewed && plan_removals(p, visit, e) != 0)
        return -1;
    for (size_t i = 0; i < p->fetch.count; i++)
        octets += p->fetch.v[i].octets;
    for (size_t i = 0; i < p->retry.count; i++)
        octets += p->retry.v[i].octets;
    p->r->would_fetch += p->fetch.count + p->retry.count;
    p->r->would_fetch_bytes += octets;
    p->r->would_remove += p->remove.count;
    if (p->o->policy.leave_s == 0 && !renewed)
        p->r->would_remove += p->fetch.count + p->retry.count;
    return 0;
}

int visit_folder(struct pass *p, struct visit *visit, struct err *e)
{
    struct source *source = p->o->source;
    uint64_t failed_before = p->r->failed;
    bool quiet, truncated, left, put_off, renewed = p->careful;
    struct journal_folder before;
    uint32_t removed = 0;

    if (committer_wait(&p->committer, e) != 0 ||
        journal_folder_get(p->o->journal, slice_str(visit->folder->name), &visit->known, e) != 0)
        return -1;
    visit->known.delimiter = visit->folder->delimiter;
    quiet = plan_folder_quiet(&p->o->policy, &visit->known);
    p->r->folders += !p->second_round;
    if (quiet && unchanged_by_status(visit->folder, &visit->known)) {
        log_debug("%s: unchanged", visit->folder->name);
        return 0;
    }
    items_clear(&p->remove);
    if (list(p, visit, quiet, e) != 0)
        return -1;
    if (p->listing.unchanged) {
        log_debug("%s: unchanged", visit->folder->name);
        return 0;
    }
    if (p->listing.no_unique_ids && p->o->policy.leave_s != 0)
        return err_set(
            e, E_LACKS,
            "the server has no unique-ids (UIDL), so mail cannot be left there without fetching it again each "
            "time; set leave_on_server = \"no\", or use IMAP");
    if (visit->known.id == 0) /* its row is written with the first message: a pass cut off there must leave it told */
        visit->known.uidvalidity = p->listing.uidvalidity;
    if (visit->known.id != 0 && visit->known.uidvalidity != 0 && visit->known.uidvalidity != p->listing.uidvalidity) {
        renewed = p->renewed = true;
        if (reidentify(p, visit, e) != 0)
            return -1;
    }
    if (plan(p, visit, &truncated, e) != 0)
        return -1;
    log_debug("%s: %zu listed, %zu to fetch, %zu to try again, %zu over max_size", visit->folder->name,
              p->listing.count, p->fetch.count, p->retry.count, p->skip.count);
    if (p->o->dry_run)
        return dry_visit(p, visit, renewed, e);
    before = visit->known;
    put_off = put_off_retries(p, visit);
    if (fetch_planned(p, visit, &left, e) != 0)
        return -1;
    p->again |= left || (source->lists_a_part && p->fetch.count > 0);
    if (may_remove(p) && !renewed && remove_due(p, visit, &removed, e) != 0)
        return -1;
    if (source->one_folder && (committer_wait(&p->committer, e) != 0 || plan_note_gone(p, visit, e) != 0))
        return -1;
    return close_folder(p, visit, &before,
                        !truncated && !left && !put_off && !visit->withheld && !renewed &&
                            p->r->failed == failed_before && (removed == 0 || !source->one_folder),
                        removed, e);
}
