/* SPDX-License-Identifier: MIT
 * A changed UIDVALIDITY says that no UID of before means anything now (RFC 3501 section 2.3.1.1). What is here already
 * is told again by the SHA-256 of its header block, one to one: of identical twins, as many as there are, in UID order;
 * the same size and the same EMAILID are preferred. What stays unpaired on the server is new; what stays unpaired in
 * the journal is kept there, in case the server changes its mind. Nothing is removed on either side in this pass.
 */
#include "base/log.h"
#include "base/step.h"
#include "haul/haul_int.h"

struct old_row {
    unsigned char digest[JOURNAL_SHA256];
    int64_t row;
    uint64_t octets;
    uint32_t uid;
    bool used;
};

struct pairing {
    struct old_row *rows; /* owned; sorted by digest, then UID */
    size_t count, cap;
    struct items paired; /* number: new UID, row: the journal's */
};

static int compare_rows(const void *a, const void *b)
{
    const struct old_row *x = a, *y = b;
    int order = memcmp(x->digest, y->digest, sizeof(x->digest));

    return order != 0 ? order : x->uid < y->uid ? -1 : x->uid > y->uid;
}

static int load_rows(struct pass *p, const struct visit *visit, struct pairing *pairing, struct err *e)
{
    struct journal_query query = { .walk = WALK_OTHER_UIDVALIDITY,
                                   .folder = visit->known.id,
                                   .uidvalidity = p->listing.uidvalidity };
    struct journal_message m;
    bool found;
    int rc = -1;

    if (journal_walk(p->o->journal, &query, e) != 0)
        return -1;
    for (;;) {
        if (journal_walk_next(p->o->journal, &m, &found, e) != 0)
            goto out;
        if (!found)
            break;
        if (!m.has_header_digest)
            continue;
        if (pairing->count == pairing->cap) {
            size_t cap = pairing->cap > 0 ? pairing->cap * 2 : 256;
            struct old_row *rows = realloc(pairing->rows, cap * sizeof(*rows));
            if (rows == NULL) {
                err_nomem(e);
                goto out;
            }
            pairing->rows = rows;
            pairing->cap = cap;
        }
        struct old_row *row = &pairing->rows[pairing->count++];
        *row = (struct old_row){ .row = m.id, .octets = m.octets, .uid = m.uid };
        memcpy(row->digest, m.header_digest, sizeof(row->digest));
    }
    if (pairing->count > 0)
        qsort(pairing->rows, pairing->count, sizeof(*pairing->rows), compare_rows);
    rc = 0;
out:
    journal_walk_end(p->o->journal);
    return rc;
}

static size_t first_of(const struct pairing *pairing, const unsigned char *digest)
{
    size_t low = 0, high = pairing->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (memcmp(pairing->rows[mid].digest, digest, JOURNAL_SHA256) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static int got_header(void *ctx, const struct fetch_item *item, const struct header_facts *facts, struct err *e)
{
    struct pairing *pairing = ctx;
    struct old_row *best = NULL;

    for (size_t i = first_of(pairing, facts->digest);
         i < pairing->count && memcmp(pairing->rows[i].digest, facts->digest, JOURNAL_SHA256) == 0; i++) {
        struct old_row *row = &pairing->rows[i];
        if (row->used)
            continue;
        if (best == NULL)
            best = row;
        if (row->octets == item->octets) {
            best = row;
            break;
        }
    }
    if (best == NULL)
        return 0;
    best->used = true;
    struct fetch_item pair = { .number = item->number, .row = best->row, .octets = best->octets };
    return items_add(&pairing->paired, &pair, e);
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
    struct items all = { 0 };
    int rc = -1;

    if (load_rows(p, visit, &pairing, e) != 0)
        goto out;
    for (size_t i = 0; i < p->listing.count && pairing.count > 0; i++) {
        struct fetch_item item = { .number = p->listing.v[i].number, .octets = p->listing.v[i].octets };
        if (items_add(&all, &item, e) != 0)
            goto out;
    }
    if (all.count > 0 && source->ops->headers(source, all.v, all.count, got_header, &pairing, e) != 0)
        goto out;
    p->r->known_again += pairing.paired.count;
    log_info(
        "folder %s has a new UIDVALIDITY: %zu of %zu messages were recognised and are not fetched again; nothing is "
        "removed in this pass",
        visit->folder->name, pairing.paired.count, p->listing.count);
    rc = p->o->dry_run ? 0 : move_rows(p, visit, &pairing, e);
out:
    free(pairing.rows);
    items_release(&pairing.paired);
    items_release(&all);
    return rc;
}
