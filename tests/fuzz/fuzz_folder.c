/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "wire/folder.h"
#include "wire/limits.h"

static const char delimiters[] = { '/', '.', '\0', '\\', '%', '-', 'u', '2', '\xc3' };

/* INBOX has no case, so what was read may differ from what was there in these five letters. */
static bool same_but_inbox(struct slice a, struct slice b)
{
    return slice_eq(a, b) || (slice_istarts(a, SLICE("INBOX")) && slice_istarts(b, SLICE("INBOX")) &&
                              slice_eq(slice_from(a, 5), slice_from(b, 5)));
}

static void try_wire(struct slice wire, char delimiter)
{
    struct buf name = BUF_INIT(SIZE_MAX / 4), back = BUF_INIT(SIZE_MAX / 4);

    if (folder_from_mutf7(wire, delimiter, &name) == 0) {
        MUST(utf8_valid(buf_slice(&name)) && !slice_has_nul(buf_slice(&name)));
        MUST(folder_to_mutf7(buf_slice(&name), &back) == 0);
        MUST(same_but_inbox(buf_slice(&back), wire));
    } else {
        MUST(name.len == 0);
        MUST(folder_from_raw(wire, &name) == 0);
        for (size_t i = 0; i < name.len; i++)
            MUST(name.p[i] >= 0x20 && name.p[i] < 0x7f);
        /* No well-formed name has the name of an ill-formed one. */
        MUST(folder_from_utf8(buf_slice(&name), delimiter, &back) != 0 && back.len == 0);
    }
    buf_release(&name);
    buf_release(&back);
}

static void try_name(struct slice utf8, char delimiter)
{
    struct buf name = BUF_INIT(SIZE_MAX / 4), wire = BUF_INIT(SIZE_MAX / 4), back = BUF_INIT(SIZE_MAX / 4);

    if (folder_from_utf8(utf8, delimiter, &name) == 0) {
        MUST(same_but_inbox(buf_slice(&name), utf8));
        MUST(folder_to_mutf7(buf_slice(&name), &wire) == 0);
        MUST(folder_from_mutf7(buf_slice(&wire), delimiter, &back) == 0);
        MUST(same_but_inbox(buf_slice(&back), buf_slice(&name)));
    }
    buf_release(&name);
    buf_release(&wire);
    buf_release(&back);
}

/* A path goes below the root, one directory at a time, and never into the parts of a Maildir. */
static void must_be_safe(struct slice path, enum folder_layout layout)
{
    static const char *const forbidden[] = { "", ".", "..", "cur", "new", "tmp", ".mailhaul-id" };

    MUST(utf8_valid(path) && path.n <= LIMIT_FOLDER_NAME * 3);
    for (size_t i = 0; i < path.n; i++)
        MUST((unsigned char)path.p[i] >= 0x20 && path.p[i] != 0x7f);
    if (layout == FOLDER_MAILDIRPP)
        MUST(path.p[0] == '.' && path.n >= 2 && memchr(path.p, '/', path.n) == NULL &&
             memmem(path.p, path.n, "..", 2) == NULL);
    for (;;) {
        const char *slash = memchr(path.p, '/', path.n);
        struct slice component = slice_make(path.p, slash != NULL ? (size_t)(slash - path.p) : path.n);

        MUST(component.n <= 255);
        MUST(layout == FOLDER_MAILDIRPP || (component.n > 0 && component.p[0] != '.'));
        for (size_t i = 0; i < ARRAY_LEN(forbidden); i++)
            MUST(!slice_eq(component, slice_str(forbidden[i])));
        if (slash == NULL)
            return;
        path = slice_from(path, component.n + 1);
    }
}

static void try_path(struct slice in, char delimiter, enum folder_layout layout)
{
    struct buf path = BUF_INIT(SIZE_MAX / 4), name = BUF_INIT(SIZE_MAX / 4);

    if (folder_to_path(in, delimiter, layout, &path) == 0) {
        MUST((path.len == 0) == slice_eq(in, SLICE("INBOX")));
        if (path.len > 0)
            must_be_safe(buf_slice(&path), layout);
        MUST(folder_from_path(buf_slice(&path), delimiter, layout, &name) == 0);
        MUST(slice_eq(buf_slice(&name), in));
    }
    buf_clear(&name);
    buf_clear(&path);
    if (folder_from_path(in, delimiter, layout, &name) == 0) {
        MUST(folder_to_path(buf_slice(&name), delimiter, layout, &path) == 0);
        MUST(slice_eq(buf_slice(&path), in));
    }
    buf_release(&path);
    buf_release(&name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make((const char *)data, size);
    char delimiter = delimiters[fuzz_byte(&in) % ARRAY_LEN(delimiters)];

    try_wire(in, delimiter);
    try_name(in, delimiter);
    try_path(in, delimiter, FOLDER_MAILDIRPP);
    try_path(in, delimiter, FOLDER_FS);
    return 0;
}
