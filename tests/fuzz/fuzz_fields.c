/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "wire/fields.h"

static int collect(void *ctx, struct slice name, struct slice value)
{
    struct buf *out = ctx;

    MUST(name.n > 0 && name.n <= FIELDS_NAME_MAX && value.n <= FIELDS_VALUE_MAX);
    MUST(value.n == 0 || memchr(value.p, '\n', value.n) == NULL);
    MUST(slice_eq(value, slice_trim(value)));
    for (size_t i = 0; i < name.n; i++)
        MUST(name.p[i] > ' ' && name.p[i] < 0x7f && name.p[i] != ':');
    MUST(buf_put_slice(out, name) == 0 && buf_put_char(out, ':') == 0);
    MUST(buf_put_slice(out, value) == 0 && buf_put_char(out, '\n') == 0);
    return 0;
}

static bool scan(struct slice message, uint32_t seed, struct buf *out)
{
    struct fuzz_pieces pieces = { message, seed, NULL };
    struct fields f;
    struct slice in;
    bool done;

    buf_init(out, SIZE_MAX / 4);
    fields_init(&f, collect, out);
    while (fuzz_piece(&pieces, &in))
        MUST(fields_feed(&f, in) == 0);
    done = f.done;
    fields_end(&f);
    MUST(f.line.cap <= FIELDS_NAME_MAX + FIELDS_VALUE_MAX + 1);
    fields_release(&f);
    return done;
}

/* The name in front of a colon; n == 0: the line is no field. */
static struct slice name_of(struct slice line, struct slice *value_out)
{
    size_t n = 0, colon;

    while (n < line.n && line.p[n] > ' ' && line.p[n] < 0x7f && line.p[n] != ':')
        n++;
    for (colon = n; colon < line.n && (line.p[colon] == ' ' || line.p[colon] == '\t');)
        colon++;
    if (n == 0 || n > FIELDS_NAME_MAX || colon == line.n || line.p[colon] != ':')
        return SLICE_NONE;
    *value_out = slice_from(line, colon + 1);
    return slice_make(line.p, n);
}

static void flush(struct slice *name, struct buf *value, struct buf *out)
{
    if (name->n > 0)
        MUST(collect(out, *name, slice_trim(buf_slice(value))) == 0);
    *name = SLICE_NONE;
    buf_clear(value);
}

/* The definition of fields.h, one line at a time. */
static bool reference(struct slice in, struct buf *out)
{
    struct buf value = BUF_INIT(SIZE_MAX / 4);
    struct slice name = SLICE_NONE, rest = SLICE_NONE;
    bool done = false;

    buf_init(out, SIZE_MAX / 4);
    while (in.n > 0 && !done) {
        const char *lf = memchr(in.p, '\n', in.n);
        struct slice line = slice_make(in.p, lf != NULL ? (size_t)(lf - in.p) : in.n);

        in = slice_from(in, line.n + (lf != NULL));
        while (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        done = lf != NULL && line.n == 0;
        if (line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t')) {
            MUST(name.n == 0 || buf_put_slice(&value, line) == 0);
            continue;
        }
        flush(&name, &value, out);
        name = name_of(line, &rest);
        MUST(name.n == 0 || buf_put_slice(&value, rest) == 0);
    }
    flush(&name, &value, out);
    buf_release(&value);
    return done;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make((const char *)data, size);
    uint32_t seed = FUZZ_SEED + fuzz_byte(&in);
    const uint32_t ways[] = { FUZZ_WHOLE, FUZZ_BYTES, seed };
    struct buf want, got;
    bool done;

    in.n = size_min(in.n, FIELDS_VALUE_MAX);
    done = reference(in, &want);
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        MUST(scan(in, ways[i], &got) == done);
        MUST(slice_eq(buf_slice(&got), buf_slice(&want)));
        buf_release(&got);
    }
    buf_release(&want);
    return 0;
}
