/* SPDX-License-Identifier: MIT */
#include "wire/folder.h"

#include "wire/limits.h"

enum { COMPONENT_MAX = 255, PATH_MAX_BYTES = LIMIT_FOLDER_NAME * 3 };

/* Names that mean something in the directories where folders are made. */
static bool is_reserved(struct slice component)
{
    return slice_eq(component, SLICE("cur")) || slice_eq(component, SLICE("new")) ||
           slice_eq(component, SLICE("tmp")) || slice_eq(component, SLICE("mailhaul-id"));
}

static int put_escaped(struct slice bytes, struct buf *out)
{
    for (size_t i = 0; i < bytes.n; i++) {
        if (buf_putf(out, "%%%02X", (unsigned char)bytes.p[i]) != 0)
            return -1;
    }
    return 0;
}

static bool must_escape(uint32_t cp, bool first, enum folder_layout layout)
{
    if (cp == '.')
        return first || layout == FOLDER_MAILDIRPP;
    return cp == '%' || cp == '/' || cp < 0x20 || (cp >= 0x7f && cp < 0xa0);
}

static int put_component(struct slice component, enum folder_layout layout, struct buf *out)
{
    bool reserved = is_reserved(component), first = true;

    if (component.n == 0)
        return buf_put_char(out, '%');
    while (component.n > 0) {
        struct slice rest = component, letter;
        uint32_t cp;
        bool valid = utf8_take(&rest, &cp) == 0;
        int rc;

        letter = slice_make(component.p, valid ? component.n - rest.n : 1);
        if (!valid || (first && reserved) || must_escape(cp, first, layout))
            rc = put_escaped(letter, out);
        else
            rc = buf_put_slice(out, letter);
        if (rc != 0)
            return -1;
        component = slice_from(component, letter.n);
        first = false;
    }
    return 0;
}

/* Takes the component at the front of *s and the separator behind it. False at the end: "a/" has two components. */
static bool take_component(struct slice *s, char separator, bool *over, struct slice *component_out)
{
    const char *at = NULL;

    if (*over)
        return false;
    if (separator != '\0' && s->n > 0)
        at = memchr(s->p, separator, s->n);
    *component_out = at != NULL ? slice_make(s->p, (size_t)(at - s->p)) : *s;
    *over = at == NULL;
    if (at != NULL)
        *s = slice_from(*s, component_out->n + 1);
    return true;
}

/* The names that the file system will see: a whole maildir++ path is one of them. */
static bool fits(struct slice path, enum folder_layout layout)
{
    struct slice component;
    bool over = false;

    if (path.n > PATH_MAX_BYTES)
        return false;
    while (take_component(&path, layout == FOLDER_FS ? '/' : '\0', &over, &component)) {
        if (component.n > COMPONENT_MAX)
            return false;
    }
    return true;
}

int folder_to_path(struct slice name, char delimiter, enum folder_layout layout, struct buf *out)
{
    size_t start = out->len;
    struct slice component;
    bool over = false, first = true;

    if (slice_eq(name, SLICE("INBOX")))
        return 0;
    while (take_component(&name, delimiter, &over, &component)) {
        if (layout == FOLDER_MAILDIRPP && buf_put_char(out, '.') != 0)
            goto bad;
        if (layout == FOLDER_FS && !first && buf_put_char(out, '/') != 0)
            goto bad;
        if (put_component(component, layout, out) != 0)
            goto bad;
        first = false;
    }
    if (fits(slice_make(out->p + start, out->len - start), layout))
        return 0;
bad:
    buf_truncate(out, start);
    return -1;
}

static int hex_digit(char c)
{
    return ascii_isdigit(c) ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int put_unescaped(struct slice s, struct buf *out)
{
    if (slice_eq(s, SLICE("%")))
        return 0;
    while (s.n > 0) {
        char c = s.p[0];
        size_t used = 1;

        if (c == '%') {
            int high = s.n >= 3 ? hex_digit(s.p[1]) : -1, low = s.n >= 3 ? hex_digit(s.p[2]) : -1;

            if (high < 0 || low < 0)
                return -1;
            c = (char)(high << 4 | low);
            used = 3;
        }
        if (buf_put_char(out, c) != 0)
            return -1;
        s = slice_from(s, used);
    }
    return 0;
}

static int put_name(struct slice path, char delimiter, enum folder_layout layout, struct buf *out)
{
    bool over = false, first = true;
    struct slice component;

    if (path.n == 0)
        return buf_put_str(out, "INBOX");
    if (layout == FOLDER_MAILDIRPP) {
        if (path.p[0] != '.')
            return -1;
        path = slice_from(path, 1);
    }
    while (take_component(&path, layout == FOLDER_FS ? '/' : '.', &over, &component)) {
        if (!first && (delimiter == '\0' || buf_put_char(out, delimiter) != 0))
            return -1;
        if (put_unescaped(component, out) != 0)
            return -1;
        first = false;
    }
    return 0;
}

int folder_from_path(struct slice path, char delimiter, enum folder_layout layout, struct buf *out)
{
    struct buf again = BUF_INIT(PATH_MAX_BYTES);
    size_t start = out->len;
    int rc = put_name(path, delimiter, layout, out);

    /* Only the one path that folder_to_path() would choose stands for a name. */
    if (rc == 0)
        rc = folder_to_path(slice_make(out->p != NULL ? out->p + start : NULL, out->len - start), delimiter, layout,
                            &again);
    if (rc == 0 && !slice_eq(path, buf_slice(&again)))
        rc = -1;
    if (rc != 0)
        buf_truncate(out, start);
    buf_release(&again);
    return rc;
}
