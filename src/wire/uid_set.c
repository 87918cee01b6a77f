/* SPDX-License-Identifier: MIT
 * uid_set.c - sets of UIDs as sorted ranges.
 */
#include "wire/imap_write.h"

#include "base/array.h"
#include "base/num.h"
#include "wire/limits.h"

void uid_set_release(struct uid_set *s)
{
    free(s->ranges);
    *s = UID_SET_INIT;
}

void uid_set_clear(struct uid_set *s)
{
    s->count = 0;
}

/* The first range that ends at `uid` or later; count when there is none. */
static size_t find(const struct uid_set *s, uint32_t uid)
{
    size_t low = 0, high = s->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (s->ranges[mid].last < uid)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static int make_room(struct uid_set *s)
{
    struct uid_range *ranges;

    if (s->count >= LIMIT_LISTING)
        return -1;
    if (s->count < s->cap)
        return 0;
    ranges = array_grow(s->ranges, &s->cap, sizeof(*ranges));
    if (ranges == NULL)
        return -1;
    s->ranges = ranges;
    return 0;
}

static int add_range(struct uid_set *s, struct uid_range r)
{
    const struct uid_range *last = s->count > 0 ? &s->ranges[s->count - 1] : NULL;
    size_t at, end;

    if (r.first == 0)
        return -1;
    /* Ascending, the common case, touches the last range only. */
    if (last == NULL || r.first - 1 > last->last)
        at = s->count;
    else if (r.first >= last->first)
        at = s->count - 1;
    else
        at = find(s, r.first - 1);
    for (end = at; end < s->count && s->ranges[end].first - 1 <= r.last; end++) {
        if (s->ranges[end].first < r.first)
            r.first = s->ranges[end].first;
        if (s->ranges[end].last > r.last)
            r.last = s->ranges[end].last;
    }
    if (end == at) {
        if (make_room(s) != 0)
            return -1;
        memmove(s->ranges + at + 1, s->ranges + at, (s->count - at) * sizeof(*s->ranges));
        s->count++;
    } else {
        memmove(s->ranges + at + 1, s->ranges + end, (s->count - end) * sizeof(*s->ranges));
        s->count -= end - at - 1;
    }
    s->ranges[at] = r;
    return 0;
}

int uid_set_add(struct uid_set *s, uint32_t uid)
{
    return add_range(s, (struct uid_range){ uid, uid });
}

bool uid_set_has(const struct uid_set *s, uint32_t uid)
{
    size_t at = find(s, uid);

    return at < s->count && s->ranges[at].first <= uid;
}

uint64_t uid_set_size(const struct uid_set *s)
{
    uint64_t size = 0;

    for (size_t i = 0; i < s->count; i++)
        size += (uint64_t)s->ranges[i].last - s->ranges[i].first + 1;
    return size;
}

int uid_set_put(const struct uid_set *s, size_t *at, size_t room, struct buf *out)
{
    bool first = true;

    for (; *at < s->count; ++*at) {
        const struct uid_range *r = &s->ranges[*at];
        char text[24];
        size_t n;

        if (r->first == r->last)
            n = (size_t)snprintf(text, sizeof(text), "%s%" PRIu32, first ? "" : ",", r->first);
        else
            n = (size_t)snprintf(text, sizeof(text), "%s%" PRIu32 ":%" PRIu32, first ? "" : ",", r->first, r->last);
        if (n > room)
            break;
        if (buf_put(out, text, n) != 0)
            return -1;
        room -= n;
        first = false;
    }
    return 0;
}

static int take_range(struct slice *in, struct uid_range *out)
{
    if (num_take_u32(in, &out->first) != 0)
        return -1;
    out->last = out->first;
    if (in->n > 0 && in->p[0] == ':') {
        *in = slice_from(*in, 1);
        if (num_take_u32(in, &out->last) != 0)
            return -1;
    }
    if (out->first > out->last)
        *out = (struct uid_range){ out->last, out->first };
    if (out->first == 0)
        return -1;
    if (in->n == 0)
        return 0;
    if (in->p[0] != ',' || in->n == 1)
        return -1;
    *in = slice_from(*in, 1);
    return 0;
}

int uid_set_parse(struct slice s, size_t max_ranges, struct uid_set *out)
{
    struct slice check = s;
    struct uid_range r;

    if (s.n == 0)
        return -1;
    /* All of it is read before the first range is added: a set that is cut in its middle must not count by half. */
    for (size_t n = 0; check.n > 0; n++) {
        if (n == max_ranges || take_range(&check, &r) != 0)
            return -1;
    }
    while (s.n > 0) {
        if (take_range(&s, &r) != 0 || add_range(out, r) != 0)
            return -1;
    }
    return 0;
}
