/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "wire/limits.h"
#include "wire/pop3_parse.h"

static bool inside(struct slice part, struct slice whole)
{
    return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static bool is_trimmed(struct slice s)
{
    return slice_eq(s, slice_trim(s));
}

static void try_reply(struct slice line)
{
    struct pop3_reply r;

    if (pop3_parse_reply(line, &r) != 0)
        return;
    MUST(r.status == POP3_OK || r.status == POP3_ERR || r.status == POP3_CONTINUE);
    MUST(inside(r.code, line) && inside(r.text, line) && is_trimmed(r.text));
    MUST(r.status != POP3_CONTINUE || r.code.n == 0);
    for (size_t i = 0; i < r.code.n; i++)
        MUST(r.code.p[i] > ' ' && r.code.p[i] != ']');
}

/* What was read, written again the way RFC 1939 wants it, must read the same. */
static void try_numbers(struct slice line)
{
    struct buf again = BUF_INIT(LIMIT_UIDL + 64);
    uint32_t number, number2;
    uint64_t octets, octets2;
    struct slice uidl, uidl2;

    if (pop3_parse_stat(line, &number, &octets) == 0) {
        MUST(buf_putf(&again, "%" PRIu32 " %" PRIu64, number, octets) == 0);
        MUST(pop3_parse_stat(buf_slice(&again), &number2, &octets2) == 0);
        MUST(number == number2 && octets == octets2);
        MUST((pop3_parse_list_line(line, &number2, &octets2) == 0) == (number != 0));
    }
    buf_clear(&again);
    if (pop3_parse_uidl_line(line, &number, &uidl) == 0) {
        MUST(number != 0 && uidl.n <= LIMIT_UIDL && inside(uidl, line) && is_trimmed(uidl));
        MUST(buf_putf(&again, "%" PRIu32 " ", number) == 0 && buf_put_slice(&again, uidl) == 0);
        MUST(pop3_parse_uidl_line(buf_slice(&again), &number2, &uidl2) == 0);
        MUST(number == number2 && slice_eq(uidl, uidl2));
    }
    buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make((const char *)data, size);
    struct pop3_caps caps = POP3_CAPS_NONE, before;

    while (in.n > 0) {
        const char *lf = memchr(in.p, '\n', in.n);
        struct slice line = slice_make(in.p, lf != NULL ? (size_t)(lf - in.p) : in.n);

        try_reply(line);
        try_numbers(line);
        before = caps;
        pop3_parse_cap_line(line, &caps);
        MUST((caps.bits & before.bits) == before.bits && caps.bits < POP3_CAP_LANG << 1);
        MUST(caps.login_delay >= before.login_delay && caps.expire_days <= before.expire_days);
        in = slice_from(in, line.n + (lf != NULL));
    }
    return 0;
}
