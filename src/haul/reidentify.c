/* SPDX-License-Identifier: MIT
 * A changed UIDVALIDITY says that no UID of before means anything now (RFC 3501 section 2.3.1.1). What is here already
 * is told again by the SHA-256 of its header block, one to one: first those of the same size, then, because some
 * servers' sizes are guesses, the others; of identical twins, as many as there are, in UID order. What stays unpaired
 * on the server is new; what stays unpaired in the journal is kept there, in case the server changes its mind. Nothing
 * is removed on either side in this pass.
 */
#include "base/array.h"
#include "base/log.h"
#include "base/step.h"
#include "haul/haul_int.h"

struct old_row {
    unsigned char digest[JOURNAL_SHA256];
    int64_t row;
    uint64_t octets;
    uint32_t uid;
    bool used;
    size_t after; /* once used: where the search for a free one goes on */
};

struct pairing {
    struct old_row *rows; /* owned; sorted by digest, size and UID */
    size_t count, cap;
    struct items asked;  /* what has no row under the new UIDVALIDITY yet */
    bool *answered;      /* owned; one for each asked */
    struct items unlike; /* a row has this header, none the size; row: index of the first such one */
    struct items paired; /* number: new UID, row: the journal's */
};

static int compare_row(const struct old_row *row, const unsigned char *digest, uint64_t octets)
{
    int order = memcmp(row->digest, digest, sizeof(row->digest));

    return order != 0 ? order : row->octets < octets ? -1 : row->octets > octets;
}

static int compare_rows(const void *a, const void *b)
{
    const struct old_row *x = a, *y = b;
    int order = compare_row(x, y->digest, y->octets);

    return order != 0 ? order : x->uid < y->uid ? -1 : x->uid > y->uid;
}

static int load_row(void *ctx, const struct journal_message *m, struct err *e)
{
    struct pairing *pairing = ctx;

    if (!m->has_header_digest)
        return 0;
    if (pairing->count == pairing->cap) {
        struct old_row *rows = array_grow(pairing->rows, &pairing->cap, sizeof(*rows));
        if (rows == NULL)
            return err_nomem(e);
        pairing->rows = rows;
    }
    struct old_row *row = &pairing->rows[pairing->count++];
    *row = (struct old_row){ .row = m->id, .octets = m->octets, .uid = m->uid };
    memcpy(row->digest, m->header_digest, sizeof(row->digest));
    return 0;
}

static int load_rows(struct pass *p, const struct visit *visit, struct pairing *pairing, struct err *e)
{
    struct journal_query query = { .walk = WALK_OTHER_UIDVALIDITY,
                                   .folder = visit->known.id,
                                   .uidvalidity = p->listing.uidvalidity };

    if (journal_each(p->o->journal, &query, load_row, pairing, e) != 0)
        return -1;
    if (pairing->count > 0)
        qsort(pairing->rows, pairing->count, sizeof(*pairing->rows), compare_rows);
    for (size_t i = 0; i < pairing->count; i++)
        pairing->rows[i].after = i + 1;
    return 0;
}

/* The first row with this header of at least this size. */
static size_t first_of(const struct pairing *pairing, const unsigned char *digest, uint64_t octets)
{
    size_t low = 0, high = pairing->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (compare_row(&pairing->rows[mid], digest, octets) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool same_header(const struct pairing *pairing, size_t i, const unsigned char *digest)
{
    return i < pairing->count && memcmp(pairing->rows[i].digest, digest, JOURNAL_SHA256) == 0;
}

/* From `i` on. Each used row remembers how far the search got: thousands of twins cost no more than as many
 * messages. */
static size_t next_free(struct pairing *pairing, size_t i)
{
    while (i < pairing->count && pairing->rows[i].used) {
        struct old_row *row = &pairing->rows[i];
        if (row->after < pairing->count && pairing->rows[row->after].used)
            row->after = pairing->rows[row->after].after;
        i = row->after;
    }
    return i;
}

/* Takes the next free row from `first` on with the same header; octets 0: of any size. */
static int take_row(struct pairing *pairing, const unsigned char *digest, uint32_t number, uint64_t octets,
                    bool *taken_out, struct err *e)
{
    size_t i = next_free(pairing, first_of(pairing, digest, octets));
    struct old_row *row = &pairing->rows[i];

    *taken_out = same_header(pairing, i, digest) && (octets == 0 || row->octets == octets);
    if (!*taken_out)
        return 0;
    struct fetch_item pair = { .number = number, .row = row->row, .octets = row->octets };
    row->used = true;
    return items_add(&pairing->paired, &pair, e);
}

static int got_header(void *ctx, const struct fetch_item *item, const struct header_facts *facts, struct err *e)
{
    struct pairing *pairing = ctx;
    bool *answered = &pairing->answered[item - pairing->asked.v], taken = false;
    struct fetch_item unlike = { .number = item->number };
    size_t first = first_of(pairing, facts->digest, 0);

    /* A server that answers twice does not get two rows. */
    if (*answered || !same_header(pairing, first, facts->digest))
        return 0;
    *answered = true;
    unlike.row = (int64_t)first;
    if (item->octets != 0 && take_row(pairing, facts->digest, item->number, item->octets, &taken, e) != 0)
        return -1;
    return taken ? 0 : items_add(&pairing->unlike, &unlike, e);
}

static int pair_unlike(struct pairing *pairing, struct err *e)
{
    for (size_t i = 0; i < pairing->unlike.count; i++) {
        const struct fetch_item *item = &pairing->unlike.v[i];
        bool taken;

        if (take_row(pairing, pairing->rows[item->row].digest, item->number, 0, &taken, e) != 0)
            return -1;
    }
    return 0;
}

/* A server that comes back to an earlier UIDVALIDITY finds rows of that time. */
static int choose_asked(struct pass *p, const struct visit *visit, struct pairing *pairing, struct err *e)
{
    for (size_t i = 0; i < p->listing.count && pairing->count > 0; i++) {
        const struct listing_entry *entry = &p->listing.v[i];
        struct fetch_item item = { .number = entry->number, .octets = entry->octets };
        struct journal_message row;
        bool found;

        if (journal_find_uid(p->o->journal, visit->known.id, p->listing.uidvalidity, entry->number, &row, &found, e) !=
            0)
            return -1;
        if (!found && items_add(&pairing->asked, &item, e) != 0)
            return -1;
    }
    pairing->answered = calloc(pairing->asked.count + 1, sizeof(*pairing->answered));
    return pairing->answered != NULL ? 0 : err_nomem(e);
}

/* A dry run moves no row: what was recognised is taken from the listing instead, so that it does not count as new. */
static void unlist_paired(struct listing *l, const struct pairing *pairing)
{
    size_t kept = 0;

    for (size_t i = 0; i < pairing->paired.count; i++) {
        const struct listing_entry *entry = listing_find(l, pairing->paired.v[i].number);
        if (entry != NULL)
            l->v[entry - l->v].weak_id = 1;
    }
    for (size_t i = 0; i < l->count; i++) {
        if (!l->v[i].weak_id)
            l->v[kept++] = l->v[i];
    }
    l->count = kept;
}

static int move_rows(struct pass *p, struct visit *visit, const struct pairing *pairing, struct err *e)
{
    struct journal_folder state = visit->known;

    if (journal_begin(p->o->journal, e) != 0)
        return -1;
    for (size_t i = 0; i < pairing->paired.count; i++) {
        const struct fetch_item *pair = &pairing->paired.v[i];
        if (journal_message_move(p->o->journal, pair->row, p->listing.uidvalidity, pair->number, e) != 0)
            goto failed;
    }
    state.uidvalidity = p->listing.uidvalidity;
    state.uidnext = 1;
    state.settled = false;
    if (journal_folder_put(p->o->journal, slice_str(visit->folder->name), &state, e) != 0 ||
        journal_commit(p->o->journal, e) != 0)
        goto failed;
    step("journal.reidentified");
    visit->known = state;
    return 0;
failed:
    journal_rollback(p->o->journal);
    return -1;
}

int reidentify(struct pass *p, struct visit *visit, struct err *e)
{
    struct source *source = p->o->source;
    struct pairing pairing = { 0 };
    size_t listed = p->listing.count;
    int rc = -1;

    if (load_rows(p, visit, &pairing, e) != 0 || choose_asked(p, visit, &pairing, e) != 0)
        goto out;
    if (pairing.asked.count > 0 &&
        source->ops->headers(source, pairing.asked.v, pairing.asked.count, got_header, &pairing, e) != 0)
        goto out;
    if (pair_unlike(&pairing, e) != 0)
        goto out;
    p->r->known_again += pairing.paired.count;
    if (p->o->dry_run)
        unlist_paired(&p->listing, &pairing);
    else if (move_rows(p, visit, &pairing, e) != 0)
        goto out;
    rc = 0;
    log_info(
        "folder %s has a new UIDVALIDITY: %zu of %zu messages were recognised and are not fetched again; nothing is "
        "removed in this pass",
        visit->folder->name, pairing.paired.count, listed);
out:
    free(pairing.rows);
    free(pairing.answered);
    items_release(&pairing.asked);
    items_release(&pairing.unlike);
    items_release(&pairing.paired);
    return rc;
}
