/* SPDX-License-Identifier: MIT */
#include "haul/plan_folder.h"

#include "haul/pop3_listing.h"
#include "wire/limits.h"

enum {
    /* So many unique-ids whose LIST size is another than before, and more than half of all: not reused ids, but a
     * server that counts octets in another way now. */
    RECOUNTED_MIN = 4,
    GONE_KEPT_S = 90 * 24 * 3600,
    /* What one session takes on: beside the largest listing the whole pass stays under 64 MiB (CONTRACT, promise 5). */
    PLAN_MAX = 250000,
};

static uint16_t all_sinks(const struct pass *p)
{
    return (uint16_t)((1u << p->o->sink_count) - 1);
}

static bool failed_now(const struct pass *p, int64_t row)
{
    return row_list_has(&p->committer.store.failed, row);
}

static int wanted_sinks(struct pass *p, int64_t row, uint16_t *out, struct err *e)
{
    int64_t rows[SINK_MAX];
    uint64_t bits = 0;

    *out = all_sinks(p);
    if (row == 0)
        return 0;
    for (size_t k = 0; k < p->o->sink_count; k++)
        rows[k] = p->o->sinks[k]->row;
    if (journal_missing(p->o->journal, row, rows, p->o->sink_count, &bits, e) != 0)
        return -1;
    *out = (uint16_t)bits;
    return 0;
}

/* One message of the listing, or of the journal alone, into the list where it belongs. */
static int sort_in(struct pass *p, uint32_t number, uint64_t octets, const struct journal_message *row, bool *truncated,
                   struct err *e)
{
    struct fetch_item item = { .number = number, .octets = octets };
    enum plan_action action = plan_message(&p->o->policy, row, octets);

    if (row != NULL) {
        item.row = row->id;
        item.tries = (uint16_t)row->tries;
    }
    if (action != PLAN_FETCH && action != PLAN_SKIP)
        return 0;
    if (p->fetch.count + p->retry.count + p->skip.count >= PLAN_MAX) {
        *truncated = p->again = true;
        return 0;
    }
    if (action == PLAN_SKIP)
        return items_add(&p->skip, &item, e);
    if (p->budget == 0 || (row != NULL && failed_now(p, row->id))) {
        *truncated = true;
        return 0;
    }
    if (wanted_sinks(p, item.row, &item.wanted, e) != 0)
        return -1;
    if (item.row != 0 && item.wanted != 0 && (item.wanted & ~sinks_out(p->o)) == 0) {
        *truncated = true;
        return 0;
    }
    p->budget--;
    return items_add(item.tries > 0 ? &p->retry : &p->fetch, &item, e);
}

/* Rows in the order of their ids, which is the order of earlier listings: as long as the server keeps it, no row has
 * to be searched for. */
struct row_cursor {
    struct journal_message row;
    struct buf uidl;
    bool have;
};

static int cursor_next(struct pass *p, struct row_cursor *c, struct err *e)
{
    if (journal_walk_next(p->o->journal, &c->row, &c->have, e) != 0)
        return -1;
    buf_clear(&c->uidl);
    if (c->have && buf_put_slice(&c->uidl, c->row.uidl) != 0)
        return err_nomem(e);
    return 0;
}

static int cursor_start(struct pass *p, const struct visit *visit, struct row_cursor *c, int64_t after, struct err *e)
{
    struct journal_query query = { .walk = WALK_ALL, .folder = visit->known.id, .after_id = after };

    journal_walk_end(p->o->journal);
    if (journal_walk(p->o->journal, &query, e) != 0)
        return -1;
    return cursor_next(p, c, e);
}

/* POP3: a message that had its unique-id to itself at the last look and now shares it has a row under the plain one;
 * the header says whether it is this one. */
static int find_alone(struct pass *p, const struct visit *visit, struct slice uidl, struct journal_message *row,
                      bool *found, struct err *e)
{
    unsigned char header[JOURNAL_SHA256];
    struct slice plain;

    if (!pop3_listing_derived(uidl, &plain, header) || plain.n == 0)
        return 0;
    if (journal_find_uidl(p->o->journal, visit->known.id, plain, row, found, e) != 0)
        return -1;
    *found = *found && row->has_header_digest && memcmp(row->header_digest, header, sizeof(header)) == 0;
    return 0;
}

static int find_row(struct pass *p, const struct visit *visit, struct row_cursor *c, struct slice uidl,
                    struct journal_message *row, bool *found, struct err *e)
{
    if (c->have && slice_eq(buf_slice(&c->uidl), uidl)) {
        *row = c->row;
        *found = true;
        return cursor_next(p, c, e);
    }
    if (journal_find_uidl(p->o->journal, visit->known.id, uidl, row, found, e) != 0 ||
        (!*found && find_alone(p, visit, uidl, row, found, e) != 0))
        return -1;
    if (*found && c->have && row->id > c->row.id)
        return cursor_start(p, visit, c, row->id, e);
    return 0;
}

/* A set of row ids, one bit each. */
struct row_set {
    unsigned char *bits; /* owned */
    size_t size;
};

static int row_set_add(struct row_set *s, int64_t id, struct err *e)
{
    size_t byte = (size_t)id / 8;

    if (byte >= s->size) {
        size_t size = s->size * 2 > byte + 1 ? s->size * 2 : byte + 1024;
        unsigned char *bits = realloc(s->bits, size);
        if (bits == NULL)
            return err_nomem(e);
        memset(bits + s->size, 0, size - s->size);
        s->bits = bits;
        s->size = size;
    }
    s->bits[byte] |= (unsigned char)(1u << (id % 8));
    return 0;
}

static bool row_set_has(const struct row_set *s, int64_t id)
{
    size_t byte = (size_t)id / 8;

    return byte < s->size && (s->bits[byte] & (1u << (id % 8))) != 0;
}

typedef int entry_fn(struct pass *p, const struct listing_entry *entry, const struct journal_message *row, void *ctx,
                     struct err *e);

/* Calls `fn` for every entry of the listing with its row, NULL for none. */
static int each_entry(struct pass *p, const struct visit *visit, entry_fn *fn, void *ctx, struct err *e)
{
    struct row_cursor cursor = { .uidl = BUF_INIT(LIMIT_UIDL + 1) };
    int rc = -1;

    if (visit->known.id != 0 && cursor_start(p, visit, &cursor, 0, e) != 0)
        goto out;
    for (size_t i = 0; i < p->listing.count; i++) {
        const struct listing_entry *entry = &p->listing.v[i];
        struct journal_message row;
        bool found = false;

        if (visit->known.id != 0 && find_row(p, visit, &cursor, listing_uidl(&p->listing, entry), &row, &found, e) != 0)
            goto out;
        if (fn(p, entry, found ? &row : NULL, ctx, e) != 0)
            goto out;
    }
    rc = 0;
out:
    journal_walk_end(p->o->journal);
    buf_release(&cursor.uidl);
    return rc;
}

struct sizes {
    size_t matched, changed;
};

static bool size_changed(const struct listing_entry *entry, const struct journal_message *row)
{
    return row != NULL && row->octets != 0 && entry->octets != 0 && row->octets != entry->octets;
}

static int count_sizes(struct pass *p, const struct listing_entry *entry, const struct journal_message *row, void *ctx,
                       struct err *e)
{
    struct sizes *sizes = ctx;

    (void)p;
    (void)e;
    sizes->matched += row != NULL;
    sizes->changed += size_changed(entry, row);
    return 0;
}

static int collect_changed(struct pass *p, const struct listing_entry *entry, const struct journal_message *row,
                           void *ctx, struct err *e)
{
    struct fetch_item item = { .number = entry->number, .octets = entry->octets };

    (void)p;
    if (!size_changed(entry, row))
        return 0;
    item.row = row->id;
    return items_add(ctx, &item, e);
}

static int apply_changed(struct pass *p, const struct items *changed, bool recounted, struct err *e)
{
    if (journal_begin(p->o->journal, e) != 0)
        return -1;
    for (size_t i = 0; i < changed->count; i++) {
        const struct fetch_item *item = &changed->v[i];
        int rc = recounted ? journal_message_resize(p->o->journal, item->row, item->octets, e)
                           : journal_message_delete(p->o->journal, item->row, e);
        if (rc != 0) {
            journal_rollback(p->o->journal);
            return -1;
        }
    }
    if (journal_commit(p->o->journal, e) != 0) {
        journal_rollback(p->o->journal);
        return -1;
    }
    return 0;
}

/* A unique-id that now has another size stands for another message: its row is forgotten, so that it is fetched. */
static int settle_sizes(struct pass *p, struct visit *visit, struct err *e)
{
    struct sizes sizes = { 0 };
    struct items changed = { 0 };
    int rc;

    if (visit->known.id == 0)
        return 0;
    if (each_entry(p, visit, count_sizes, &sizes, e) != 0)
        return -1;
    if (sizes.changed == 0 || p->o->dry_run)
        return 0;
    rc = each_entry(p, visit, collect_changed, &changed, e);
    if (rc == 0)
        rc = apply_changed(p, &changed, sizes.changed >= RECOUNTED_MIN && sizes.changed * 2 > sizes.matched, e);
    items_release(&changed);
    return rc;
}

static int sort_entry(struct pass *p, const struct listing_entry *entry, const struct journal_message *row, void *ctx,
                      struct err *e)
{
    return sort_in(p, entry->number, entry->octets, row, ctx, e);
}

static int plan_by_uidl(struct pass *p, struct visit *visit, bool *truncated, struct err *e)
{
    if (settle_sizes(p, visit, e) != 0)
        return -1;
    return each_entry(p, visit, sort_entry, truncated, e);
}

static int plan_listed_uids(struct pass *p, struct visit *visit, bool *truncated, struct err *e)
{
    uint32_t highest = 0;

    if (visit->known.id != 0 &&
        journal_max_uid(p->o->journal, visit->known.id, p->listing.uidvalidity, &highest, e) != 0)
        return -1;
    for (size_t i = 0; i < p->listing.count; i++) {
        const struct listing_entry *entry = &p->listing.v[i];
        struct journal_message row;
        bool found = false;

        if (entry->number <= highest && journal_find_uid(p->o->journal, visit->known.id, p->listing.uidvalidity,
                                                         entry->number, &row, &found, e) != 0)
            return -1;
        /* Rows that wait for another try, or for a larger limit, come from the journal, below, listed or not. */
        if (found && (row.state == MESSAGE_PENDING || row.state == MESSAGE_SKIPPED))
            continue;
        if (sort_in(p, entry->number, entry->octets, found ? &row : NULL, truncated, e) != 0)
            return -1;
        if (*truncated) {
            p->listing.uidnext = entry->number;
            break;
        }
    }
    return 0;
}

static int compare_items(const void *a, const void *b)
{
    const struct fetch_item *x = a, *y = b;

    return x->number < y->number ? -1 : x->number > y->number;
}

static int collect_row(void *ctx, const struct journal_message *row, struct err *e)
{
    struct fetch_item item = {
        .number = row->uid, .tries = (uint16_t)row->tries, .row = row->id, .octets = row->octets
    };

    return items_add(ctx, &item, e);
}

static int plan_walked(struct pass *p, struct visit *visit, enum journal_walk walk, bool *truncated, struct err *e)
{
    struct journal_query query = { .walk = walk, .folder = visit->known.id, .uidvalidity = p->listing.uidvalidity };
    struct items rows = { 0 };
    int rc = journal_each(p->o->journal, &query, collect_row, &rows, e);

    for (size_t i = 0; i < rows.count && rc == 0; i++) {
        const struct fetch_item *item = &rows.v[i];
        struct journal_message row = { .id = item->row,
                                       .tries = item->tries,
                                       .state = walk == WALK_SKIPPED ? MESSAGE_SKIPPED : MESSAGE_PENDING };
        rc = sort_in(p, item->number, item->octets, &row, truncated, e);
    }
    items_release(&rows);
    return rc;
}

static int plan_by_uid(struct pass *p, struct visit *visit, bool *truncated, struct err *e)
{
    if (plan_listed_uids(p, visit, truncated, e) != 0)
        return -1;
    if (visit->known.id != 0 && (plan_walked(p, visit, WALK_PENDING, truncated, e) != 0 ||
                                 plan_walked(p, visit, WALK_SKIPPED, truncated, e) != 0))
        return -1;
    if (p->fetch.count > 1)
        qsort(p->fetch.v, p->fetch.count, sizeof(*p->fetch.v), compare_items);
    if (p->retry.count > 1)
        qsort(p->retry.v, p->retry.count, sizeof(*p->retry.v), compare_items);
    return 0;
}

int plan_fetches(struct pass *p, struct visit *visit, bool *truncated_out, struct err *e)
{
    items_clear(&p->fetch);
    items_clear(&p->retry);
    items_clear(&p->skip);
    *truncated_out = false;
    return p->o->source->one_folder ? plan_by_uidl(p, visit, truncated_out, e)
                                    : plan_by_uid(p, visit, truncated_out, e);
}

static bool is_among(const struct items *items, uint32_t number)
{
    const struct fetch_item key = { .number = number };

    return items->count > 0 && bsearch(&key, items->v, items->count, sizeof(key), compare_items) != NULL;
}

/* POP3: where only size or order tell messages apart, the one that was stored is known to be this one only in the
 * session that fetched it; one that the server does not name is never known. */
static bool surely_it(const struct pass *p, const struct listing_entry *entry)
{
    if (entry->unnamed)
        return false;
    return !entry->weak_id || is_among(&p->fetch, entry->number) || is_among(&p->retry, entry->number);
}

static int sort_removal(struct pass *p, const struct listing_entry *entry, const struct journal_message *row, void *ctx,
                        struct err *e)
{
    struct fetch_item item = { .number = entry->number, .octets = entry->octets };

    (void)ctx;
    if (row == NULL || size_changed(entry, row) || !surely_it(p, entry) ||
        plan_message(&p->o->policy, row, entry->octets) != PLAN_REMOVE)
        return 0;
    item.row = row->id;
    return items_add(&p->remove, &item, e);
}

static int collect_removal(void *ctx, const struct journal_message *row, struct err *e)
{
    struct pass *p = ctx;

    if (plan_message(&p->o->policy, row, row->octets) != PLAN_REMOVE)
        return 0;
    return collect_row(&p->remove, row, e);
}

int plan_removals(struct pass *p, struct visit *visit, struct err *e)
{
    const struct plan_policy *policy = &p->o->policy;
    struct journal_query query = { .walk = WALK_STORED,
                                   .folder = visit->known.id,
                                   .uidvalidity = p->listing.uidvalidity,
                                   .before = policy->leave_s == 0 ? INT64_MAX : policy->now - policy->leave_s };

    items_clear(&p->remove);
    if (policy->leave_s < 0 || visit->known.id == 0)
        return 0;
    if (p->o->source->one_folder)
        return each_entry(p, visit, sort_removal, NULL, e);
    if (journal_each(p->o->journal, &query, collect_removal, p, e) != 0)
        return -1;
    if (p->remove.count > 1)
        qsort(p->remove.v, p->remove.count, sizeof(*p->remove.v), compare_items);
    return 0;
}

static int see_row(struct pass *p, const struct listing_entry *entry, const struct journal_message *row, void *ctx,
                   struct err *e)
{
    (void)p;
    (void)entry;
    return row != NULL ? row_set_add(ctx, row->id, e) : 0;
}

/* What becomes of the row of a message that is not listed. */
enum gone { GONE_KEEP, GONE_MARK, GONE_BACK, GONE_FORGET };

static enum gone judge_gone(const struct pass *p, const struct journal_message *row, bool listed)
{
    if (listed)
        return row->gone_at != 0 ? GONE_BACK : GONE_KEEP;
    /* Removed by us (the reply to QUIT may have been lost), or never to be had again. */
    if (row->state == MESSAGE_PENDING || row->state == MESSAGE_SKIPPED || row->state == MESSAGE_QUARANTINED ||
        plan_message(&p->o->policy, row, row->octets) == PLAN_REMOVE)
        return GONE_FORGET;
    return row->gone_at == 0 ? GONE_MARK : GONE_KEEP;
}

static int apply_gone(struct pass *p, const struct items *changes, const struct visit *visit, struct err *e)
{
    if (changes->count == 0)
        return 0;
    if (journal_begin(p->o->journal, e) != 0)
        return -1;
    for (size_t i = 0; i < changes->count; i++) {
        const struct fetch_item *change = &changes->v[i];
        int rc = change->number == GONE_FORGET
                     ? journal_message_delete(p->o->journal, change->row, e)
                     : journal_message_gone(p->o->journal, change->row,
                                            change->number == GONE_MARK ? p->o->policy.now : 0, e);
        if (rc != 0)
            goto failed;
    }
    if (journal_prune_gone(p->o->journal, visit->known.id, p->o->policy.now - GONE_KEPT_S, e) != 0 ||
        journal_commit(p->o->journal, e) != 0)
        goto failed;
    return 0;
failed:
    journal_rollback(p->o->journal);
    return -1;
}

struct gone_rows {
    const struct pass *p;
    struct row_set seen;
    struct items changes; /* number: enum gone */
};

static int collect_gone(void *ctx, const struct journal_message *row, struct err *e)
{
    struct gone_rows *g = ctx;
    enum gone verdict = judge_gone(g->p, row, row_set_has(&g->seen, row->id));
    struct fetch_item change = { .number = (uint32_t)verdict, .row = row->id };

    return verdict != GONE_KEEP ? items_add(&g->changes, &change, e) : 0;
}

int plan_note_gone(struct pass *p, struct visit *visit, struct err *e)
{
    struct journal_query query = { .walk = WALK_ALL, .folder = visit->known.id };
    struct gone_rows g = { .p = p };
    int rc = -1;

    /* An empty listing may be a server in trouble, a partial one says nothing of the rest. */
    if (visit->known.id == 0 || p->listing.count == 0 || p->o->source->lists_a_part || p->o->dry_run)
        return 0;
    if (each_entry(p, visit, see_row, &g.seen, e) == 0 && journal_each(p->o->journal, &query, collect_gone, &g, e) == 0)
        rc = apply_gone(p, &g.changes, visit, e);
    items_release(&g.changes);
    free(g.seen.bits);
    return rc;
}
