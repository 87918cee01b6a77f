/* SPDX-License-Identifier: MIT */
#include "wire/fields.h"

enum {
    LINE_START,
    LINE_START_CR, /* nothing but CRs so far: an empty line if LF follows */
    NAME,
    NAME_BLANK, /* behind the name and a blank: a colon must follow */
    VALUE,
    SKIP
};

void fields_init(struct fields *f, fields_fn *fn, void *ctx)
{
    *f = (struct fields){
        .fn = fn,
        .ctx = ctx,
        .line = BUF_INIT(FIELDS_NAME_MAX + FIELDS_VALUE_MAX),
        .state = LINE_START,
    };
}

void fields_release(struct fields *f)
{
    buf_release(&f->line);
}

/* The field is over: the next line is no continuation of it. */
static void finish_field(struct fields *f)
{
    struct slice line = buf_slice(&f->line);

    if (!f->in_field)
        return;
    f->in_field = false;
    if (f->fn(f->ctx, slice_make(line.p, f->name_size), slice_trim(slice_from(line, f->name_size))) != 0)
        f->done = true;
}

/* The first byte of a line, or what follows CRs there. Returns how many bytes were used. */
static size_t start_line(struct fields *f, char c)
{
    if (c == '\n') {
        finish_field(f);
        f->done = true;
        return 1;
    }
    if (c == '\r') {
        f->state = LINE_START_CR;
        return 1;
    }
    if (f->state == LINE_START && (c == ' ' || c == '\t')) {
        f->state = f->in_field ? VALUE : SKIP;
        return 0;
    }
    finish_field(f);
    buf_clear(&f->line);
    f->state = f->state == LINE_START ? NAME : SKIP;
    return 0;
}

static bool ends_name(char c)
{
    return c <= ' ' || c >= 0x7f || c == ':';
}

/* Returns how many bytes were used. */
static size_t take_name(struct fields *f, struct slice in, bool *no_memory)
{
    size_t n = 0;

    while (f->state == NAME && n < in.n && !ends_name(in.p[n]))
        n++;
    if (n > FIELDS_NAME_MAX - f->line.len || (n == 0 && f->line.len == 0)) {
        f->state = SKIP;
        return n;
    }
    if (n > 0) {
        *no_memory = buf_put(&f->line, in.p, n) != 0;
        return n;
    }
    if (in.p[0] == ':') {
        f->name_size = f->line.len;
        f->in_field = true;
        f->cut = false;
        f->state = VALUE;
        return 1;
    }
    if (in.p[0] == ' ' || in.p[0] == '\t') {
        f->state = NAME_BLANK;
        return 1;
    }
    f->state = SKIP;
    return 0;
}

/* Blanks in front of the value are not kept, so that they cannot use up its room. */
static int add_value(struct fields *f, struct slice bytes)
{
    size_t have = f->line.len - f->name_size;

    while (have == 0 && bytes.n > 0 && (bytes.p[0] == ' ' || bytes.p[0] == '\t'))
        bytes = slice_from(bytes, 1);
    f->cut = f->cut || bytes.n > FIELDS_VALUE_MAX - have;
    return buf_put(&f->line, bytes.p, size_min(bytes.n, FIELDS_VALUE_MAX - have));
}

/* The rest of a line that is no field, or of a value: up to its LF. Returns how many bytes were used. */
static size_t take_rest(struct fields *f, struct slice in, bool *no_memory)
{
    const char *lf = memchr(in.p, '\n', in.n);
    size_t n = lf != NULL ? (size_t)(lf - in.p) : in.n;

    if (f->state == VALUE) {
        *no_memory = add_value(f, slice_make(in.p, n)) != 0;
        while (lf != NULL && !f->cut && f->line.len > f->name_size && f->line.p[f->line.len - 1] == '\r')
            buf_truncate(&f->line, f->line.len - 1);
    }
    if (lf == NULL)
        return n;
    f->state = LINE_START;
    return n + 1;
}

int fields_feed(struct fields *f, struct slice in)
{
    bool no_memory = false;

    while (!f->done && in.n > 0) {
        size_t used;

        if (f->state == LINE_START || f->state == LINE_START_CR)
            used = start_line(f, in.p[0]);
        else if (f->state == NAME || f->state == NAME_BLANK)
            used = take_name(f, in, &no_memory);
        else
            used = take_rest(f, in, &no_memory);
        if (no_memory)
            return -1;
        in = slice_from(in, used);
    }
    return 0;
}

void fields_end(struct fields *f)
{
    if (!f->done)
        finish_field(f);
    f->done = true;
}
