/* SPDX-License-Identifier: MIT */
#include "haul/pop3_listing.h"

#include "wire/limits.h"

enum { KEPT_OF_UIDL = 400, DERIVED_MAX = 100 };
_Static_assert(KEPT_OF_UIDL + DERIVED_MAX <= LIMIT_UIDL, "a derived unique-id is one");

void pop3_listing_start(struct pop3_listing *p, struct listing *out)
{
    *p = (struct pop3_listing){ .out = out, .ascending = true };
}

static int append(struct pop3_listing *p, const struct pop3_entry *line, struct err *e)
{
    const struct listing *l = p->out;

    if (l->count > 0 && line->number <= l->v[l->count - 1].number)
        p->ascending = false;
    return listing_add(p->out, line->number, line->octets, line->uidl, e);
}

int pop3_listing_uidl(void *ctx, const struct pop3_entry *line, struct err *e)
{
    struct pop3_listing *p = ctx;

    if (line->number <= p->count)
        return append(p, line, e);
    p->odd++;
    return 0;
}

/* Among the ordered ones. */
static struct listing_entry *find(struct pop3_listing *p, uint32_t number)
{
    struct listing known = { .v = p->out->v, .count = p->ordered };
    const struct listing_entry *entry;

    if (p->cursor < p->ordered && p->out->v[p->cursor].number == number)
        return &p->out->v[p->cursor];
    entry = listing_find(&known, number);
    return entry != NULL ? &p->out->v[entry - known.v] : NULL;
}

int pop3_listing_size(void *ctx, const struct pop3_entry *line, struct err *e)
{
    struct pop3_listing *p = ctx;
    struct listing_entry *entry;

    if (line->number > p->count || line->octets > LIMIT_MESSAGE_OCTETS) {
        p->odd++;
        return 0;
    }
    entry = find(p, line->number);
    if (entry == NULL) {
        if (append(p, line, e) != 0)
            return -1;
        p->out->v[p->out->count - 1].unnamed = p->has_uidl;
        return 0;
    }
    if (entry->octets == 0)
        entry->octets = line->octets;
    p->cursor = (size_t)(entry - p->out->v) + 1;
    return 0;
}

static int by_number(const void *a, const void *b)
{
    const struct listing_entry *x = a, *y = b;

    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x->uidl_at < y->uidl_at ? -1 : x->uidl_at > y->uidl_at;
}

void pop3_listing_order(struct pop3_listing *p)
{
    struct listing *l = p->out;
    size_t kept = 0;

    if (!p->ascending) {
        qsort(l->v, l->count, sizeof(*l->v), by_number);
        for (size_t i = 0; i < l->count; i++) {
            struct listing_entry *last = kept > 0 ? &l->v[kept - 1] : NULL;

            if (last == NULL || last->number != l->v[i].number) {
                l->v[kept++] = l->v[i];
            } else if (!slice_eq(listing_uidl(l, last), listing_uidl(l, &l->v[i]))) {
                listing_forget_uidl(last);
                last->unnamed = 1;
            }
        }
        l->count = kept;
    }
    p->ascending = true;
    p->ordered = l->count;
    p->cursor = 0;
}

/* --- unique-ids that are not --- */

static int compare_uidls(struct slice a, struct slice b)
{
    size_t n = size_min(a.n, b.n);
    int order = n > 0 ? memcmp(a.p, b.p, n) : 0;

    return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

static int by_uidl(const void *a, const void *b, void *listing)
{
    const struct listing *l = listing;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int order = compare_uidls(listing_uidl(l, &l->v[x]), listing_uidl(l, &l->v[y]));

    return order != 0 ? order : (x > y) - (x < y);
}

static int by_index(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static bool same_uidl(const struct listing *l, uint32_t x, uint32_t y)
{
    return slice_eq(listing_uidl(l, &l->v[x]), listing_uidl(l, &l->v[y]));
}

/* Servers that count their unique-ids up need no sorting. */
static bool all_ascend(const struct listing *l)
{
    for (size_t i = 0; i < l->count; i++) {
        struct slice before = i > 0 ? listing_uidl(l, &l->v[i - 1]) : SLICE_NONE;
        if (compare_uidls(before, listing_uidl(l, &l->v[i])) >= 0)
            return false;
    }
    return true;
}

int pop3_listing_shared(const struct listing *l, uint32_t **v_out, size_t *count_out, struct err *e)
{
    uint32_t *v;
    size_t kept = 0, end;

    *v_out = NULL;
    *count_out = 0;
    if (all_ascend(l))
        return 0;
    v = malloc(l->count * sizeof(*v));
    if (v == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < l->count; i++)
        v[i] = (uint32_t)i;
    qsort_r(v, l->count, sizeof(*v), by_uidl, (void *)l);
    for (size_t i = 0; i < l->count; i = end) {
        for (end = i + 1; end < l->count && same_uidl(l, v[i], v[end]);)
            end++;
        if (end > i + 1 || listing_uidl(l, &l->v[v[i]]).n == 0) {
            memmove(v + kept, v + i, (end - i) * sizeof(*v));
            kept += end - i;
        }
    }
    if (kept == 0) {
        free(v);
        return 0;
    }
    qsort(v, kept, sizeof(*v), by_index);
    *v_out = v;
    *count_out = kept;
    return 0;
}

static int put_hex(struct buf *b, const unsigned char *digest)
{
    for (size_t i = 0; i < JOURNAL_SHA256; i++) {
        if (buf_putf(b, "%02x", digest[i]) != 0)
            return -1;
    }
    return 0;
}

int pop3_listing_rename(struct listing *l, uint32_t index, const unsigned char *header, struct err *e)
{
    struct listing_entry *entry = &l->v[index];
    struct slice old = listing_uidl(l, entry);
    struct buf id = BUF_INIT(LIMIT_UIDL);
    int rc = -1;

    old.n = size_min(old.n, KEPT_OF_UIDL);
    entry->weak_id = header == NULL;
    if (buf_put_slice(&id, old) != 0 || buf_put_char(&id, '\0') != 0 ||
        (header != NULL ? put_hex(&id, header) : buf_putf(&id, "octets %" PRIu64, entry->octets)) != 0)
        err_nomem(e);
    else
        rc = listing_set_uidl(l, index, buf_slice(&id), e);
    buf_release(&id);
    return rc;
}

static int hex_value(char c)
{
    if (ascii_isdigit(c))
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool pop3_listing_derived(struct slice uidl, struct slice *server_uidl_out, unsigned char header_out[JOURNAL_SHA256])
{
    enum { TAIL = 1 + 2 * JOURNAL_SHA256 };
    const char *hex;

    if (uidl.n < TAIL || uidl.p[uidl.n - TAIL] != '\0')
        return false;
    hex = uidl.p + uidl.n - TAIL + 1;
    for (size_t i = 0; i < JOURNAL_SHA256; i++) {
        int high = hex_value(hex[2 * i]), low = hex_value(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        header_out[i] = (unsigned char)(high << 4 | low);
    }
    *server_uidl_out = slice_make(uidl.p, uidl.n - TAIL);
    return true;
}

int pop3_listing_number_twins(struct listing *l, const uint32_t *v, size_t count, struct err *e)
{
    uint32_t *sorted = malloc(count * sizeof(*sorted));
    struct buf id = BUF_INIT(LIMIT_UIDL);
    size_t end;
    int rc = -1;

    if (sorted == NULL) {
        err_nomem(e);
        goto out;
    }
    memcpy(sorted, v, count * sizeof(*sorted));
    qsort_r(sorted, count, sizeof(*sorted), by_uidl, l);
    for (size_t i = 0; i < count; i = end) {
        for (end = i + 1; end < count && same_uidl(l, sorted[i], sorted[end]);)
            end++;
        for (size_t k = i; end > i + 1 && k < end; k++)
            l->v[sorted[k]].weak_id = 1;
        for (size_t k = end - 1; k > i; k--) {
            buf_clear(&id);
            if (buf_put_slice(&id, listing_uidl(l, &l->v[sorted[k]])) != 0 || buf_putf(&id, " #%zu", k - i + 1) != 0) {
                err_nomem(e);
                goto out;
            }
            if (listing_set_uidl(l, sorted[k], buf_slice(&id), e) != 0)
                goto out;
        }
    }
    rc = 0;
out:
    buf_release(&id);
    free(sorted);
    return rc;
}
