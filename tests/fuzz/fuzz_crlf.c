/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "wire/crlf.h"
#include "wire/eol.h"

static void convert(enum crlf_form form, struct slice file, uint32_t seed, size_t room, struct buf *out)
{
    struct fuzz_pieces pieces = { file, seed, NULL };
    struct crlf c = CRLF_INIT(form);
    char *piece = malloc(room), end[CRLF_END_MAX];
    struct slice in;

    MUST(piece != NULL);
    buf_init(out, SIZE_MAX / 4);
    while (fuzz_piece(&pieces, &in)) {
        while (in.n > 0) {
            size_t before = in.n, n = crlf_put(&c, &in, piece, room);

            MUST(n <= room && (n > 0 || in.n < before));
            MUST(buf_put(out, piece, n) == 0);
        }
    }
    MUST(buf_put(out, end, crlf_end(&c, end)) == 0);
    free(piece);
}

/* The definition of crlf.h, one byte at a time. */
static void reference(struct slice file, bool stuffed, struct buf *out)
{
    bool line_start = true;

    for (size_t i = 0; i < file.n;) {
        size_t crs = 0, ends;

        while (i + crs < file.n && file.p[i + crs] == '\r')
            crs++;
        ends = crs;
        i += crs;
        if (i == file.n || file.p[i] == '\n')
            ends = 1;
        for (size_t k = 0; k < ends; k++, line_start = true)
            MUST(buf_put_str(out, "\r\n") == 0);
        if (i < file.n && file.p[i] != '\n') {
            if (stuffed && line_start && file.p[i] == '.')
                MUST(buf_put_char(out, '.') == 0);
            MUST(buf_put_char(out, file.p[i]) == 0);
            line_start = false;
        }
        i++;
    }
    if (!line_start)
        MUST(buf_put_str(out, "\r\n") == 0);
}

/* A server ends the message at CRLF.CRLF (behind the DATA command's CRLF too) and drops the first dot of a line. */
static void receive(struct slice wire, struct buf *out)
{
    bool line_start = true;

    for (size_t i = 0; i < wire.n; i++) {
        bool dot = line_start && wire.p[i] == '.';

        MUST(!dot || !slice_starts(slice_from(wire, i), SLICE(".\r\n")));
        MUST(wire.p[i] != '\r' || (i + 1 < wire.n && wire.p[i + 1] == '\n'));
        MUST(wire.p[i] != '\n' || (i > 0 && wire.p[i - 1] == '\r'));
        if (!dot)
            MUST(buf_put_char(out, wire.p[i]) == 0);
        line_start = wire.p[i] == '\n';
    }
    MUST(line_start);
}

static void exact_comes_back(struct slice file, uint32_t seed)
{
    struct eol eol = EOL_INIT;
    struct buf wire;
    char *back;
    size_t n;

    convert(CRLF_EXACT, file, seed, 1000, &wire);
    back = malloc(wire.len + 2);
    MUST(back != NULL);
    n = eol_to_lf(&eol, buf_slice(&wire), back);
    n += eol_end(&eol, back + n);
    MUST(slice_eq(slice_make(back, n), file));
    free(back);
    buf_release(&wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make((const char *)data, size);
    uint32_t seed = FUZZ_SEED + fuzz_byte(&in);
    size_t room = CRLF_ROOM_MIN + fuzz_byte(&in);
    const uint32_t ways[] = { FUZZ_WHOLE, FUZZ_BYTES, seed };
    struct buf smtp = BUF_INIT(SIZE_MAX / 4), stuffed = BUF_INIT(SIZE_MAX / 4), seen = BUF_INIT(SIZE_MAX / 4), got;

    reference(in, false, &smtp);
    reference(in, true, &stuffed);
    receive(buf_slice(&stuffed), &seen);
    MUST(slice_eq(buf_slice(&seen), buf_slice(&smtp)));
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        convert(CRLF_SMTP, in, ways[i], room, &got);
        MUST(slice_eq(buf_slice(&got), buf_slice(&smtp)));
        buf_release(&got);
        convert(CRLF_DATA, in, ways[i], room, &got);
        MUST(slice_eq(buf_slice(&got), buf_slice(&stuffed)));
        buf_release(&got);
        exact_comes_back(in, ways[i]);
    }
    buf_release(&smtp);
    buf_release(&stuffed);
    buf_release(&seen);
    return 0;
}
