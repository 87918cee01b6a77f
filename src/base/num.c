/* SPDX-License-Identifier: MIT */
#include "base/num.h"

int num_take_u64(struct slice *s, uint64_t *out)
{
    uint64_t v = 0;
    size_t i = 0;

    for (; i < s->n && ascii_isdigit(s->p[i]); i++) {
        if (__builtin_mul_overflow(v, (uint64_t)10, &v) || __builtin_add_overflow(v, (uint64_t)(s->p[i] - '0'), &v))
            return -1;
    }
    if (i == 0)
        return -1;
    *out = v;
    *s = slice_from(*s, i);
    return 0;
}

int num_take_u32(struct slice *s, uint32_t *out)
{
    struct slice rest = *s;
    uint64_t v;

    if (num_take_u64(&rest, &v) != 0 || v > UINT32_MAX)
        return -1;
    *out = (uint32_t)v;
    *s = rest;
    return 0;
}

int num_parse_u64(struct slice s, uint64_t *out)
{
    uint64_t v;

    if (num_take_u64(&s, &v) != 0 || s.n != 0)
        return -1;
    *out = v;
    return 0;
}

int num_parse_u32(struct slice s, uint32_t *out)
{
    uint32_t v;

    if (num_take_u32(&s, &v) != 0 || s.n != 0)
        return -1;
    *out = v;
    return 0;
}
