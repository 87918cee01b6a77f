/* SPDX-License-Identifier: MIT */
#include "haul/listing.h"

#include "base/array.h"
#include "wire/limits.h"

enum { NO_UIDL = 0x3fffffff };
_Static_assert((uint64_t)LIMIT_LISTING_BYTES < (uint64_t)NO_UIDL, "every place in the arena fits into 30 bits");

void listing_init(struct listing *l)
{
    *l = (struct listing){ .uidls = BUF_INIT(LIMIT_LISTING_BYTES) };
}

void listing_release(struct listing *l)
{
    free(l->v);
    buf_release(&l->uidls);
    listing_init(l);
}

void listing_clear(struct listing *l)
{
    struct listing fresh = { .v = l->v, .cap = l->cap, .uidls = l->uidls };

    buf_clear(&fresh.uidls);
    *l = fresh;
}

static int grow(struct listing *l)
{
    struct listing_entry *v = array_grow(l->v, &l->cap, sizeof(*v));

    if (v == NULL)
        return -1;
    l->v = v;
    return 0;
}

/* *at_out: where it stands; NO_UIDL when `uidl` is blank. */
static int put_uidl(struct listing *l, struct slice uidl, uint32_t *at_out, struct err *e)
{
    unsigned char length[2] = { (unsigned char)(uidl.n >> 8), (unsigned char)(uidl.n & 0xff) };
    size_t at = l->uidls.len;

    *at_out = NO_UIDL;
    if (uidl.n == 0)
        return 0;
    if (uidl.n > LIMIT_UIDL || buf_full(&l->uidls, uidl.n + sizeof(length)))
        return err_set(e, E_PROTO, "the server's unique-ids take more room than any mailbox needs");
    if (buf_put(&l->uidls, length, sizeof(length)) != 0 || buf_put_slice(&l->uidls, uidl) != 0) {
        buf_truncate(&l->uidls, at);
        return err_nomem(e);
    }
    *at_out = (uint32_t)at;
    return 0;
}

int listing_add(struct listing *l, uint32_t number, uint64_t octets, struct slice uidl, struct err *e)
{
    uint32_t at;

    if (l->count == LIMIT_LISTING)
        return err_set(e, E_PROTO, "the server lists more messages than any mailbox holds (over %zu)", l->count);
    if (l->count == l->cap && grow(l) != 0)
        return err_nomem(e);
    if (put_uidl(l, uidl, &at, e) != 0)
        return -1;
    l->v[l->count++] = (struct listing_entry){ .number = number, .uidl_at = at, .octets = octets };
    return 0;
}

int listing_set_uidl(struct listing *l, size_t index, struct slice uidl, struct err *e)
{
    uint32_t at;

    if (put_uidl(l, uidl, &at, e) != 0)
        return -1;
    l->v[index].uidl_at = at;
    return 0;
}

void listing_forget_uidl(struct listing_entry *entry)
{
    entry->uidl_at = NO_UIDL;
}

const struct listing_entry *listing_find(const struct listing *l, uint32_t number)
{
    size_t low = 0, high = l->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (l->v[mid].number == number)
            return &l->v[mid];
        if (l->v[mid].number < number)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

struct slice listing_uidl(const struct listing *l, const struct listing_entry *entry)
{
    const unsigned char *p;

    if (entry->uidl_at == NO_UIDL)
        return SLICE_NONE;
    p = (const unsigned char *)l->uidls.p + entry->uidl_at;
    return slice_make((const char *)p + 2, (size_t)p[0] << 8 | p[1]);
}
