/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "wire/smtp_parse.h"

static bool inside(struct slice part, struct slice whole)
{
    return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static bool is_trimmed(struct slice s)
{
    return slice_eq(s, slice_trim(s));
}

/* What was read, written again, must read the same. */
static void try_enhanced(const struct smtp_line *line)
{
    struct buf again = BUF_INIT(64);
    struct smtp_enhanced e, e2;
    struct slice text = line->text, text2;

    if (!smtp_take_enhanced(line->code, &text, &e)) {
        MUST(slice_eq(text, line->text));
        return;
    }
    MUST(e.class == line->code / 100 && e.class != 3 && e.subject <= 999 && e.detail <= 999);
    MUST(inside(text, line->text) && text.n < line->text.n && is_trimmed(text));
    MUST(buf_putf(&again, "%u.%u.%u", e.class, e.subject, e.detail) == 0);
    text2 = buf_slice(&again);
    MUST(smtp_take_enhanced(line->code, &text2, &e2) && text2.n == 0);
    MUST(e.class == e2.class && e.subject == e2.subject && e.detail == e2.detail);
    buf_release(&again);
}

static void try_line(struct slice line)
{
    struct smtp_line got, again;
    struct buf written = BUF_INIT(line.n + 8);

    if (smtp_parse_line(line, &got) != 0)
        return;
    MUST(got.code >= 200 && got.code <= 599);
    MUST(inside(got.text, line) && is_trimmed(got.text) && got.text.n + 3 <= line.n);
    MUST(buf_putf(&written, "%u%c", got.code, got.last ? ' ' : '-') == 0 && buf_put_slice(&written, got.text) == 0);
    MUST(smtp_parse_line(buf_slice(&written), &again) == 0);
    MUST(again.code == got.code && again.last == got.last && slice_eq(again.text, got.text));
    try_enhanced(&got);
    buf_release(&written);
}

static void try_cap(struct slice line, struct smtp_caps *caps)
{
    struct smtp_caps before = *caps;

    smtp_parse_cap_line(line, caps);
    MUST((caps->bits & before.bits) == before.bits && caps->bits < SMTP_CAP_AUTH << 1);
    MUST(before.max_size == 0 || (caps->max_size != 0 && caps->max_size <= before.max_size));
    MUST(caps->max_size == 0 || (caps->bits & SMTP_CAP_SIZE) != 0);
    MUST(caps->auth == 0 || (caps->bits & SMTP_CAP_AUTH) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make((const char *)data, size);
    struct smtp_caps caps = { 0 };

    while (in.n > 0) {
        const char *lf = memchr(in.p, '\n', in.n);
        struct slice line = slice_make(in.p, lf != NULL ? (size_t)(lf - in.p) : in.n);

        try_line(line);
        try_cap(line, &caps);
        in = slice_from(in, line.n + (lf != NULL));
    }
    return 0;
}
