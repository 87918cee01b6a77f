/* SPDX-License-Identifier: MIT */
#include "wire/address.h"

#include "wire/utf8.h"

static bool is_alnum(char c)
{
    return ascii_isdigit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

static bool is_one_of(char c, struct slice set)
{
    return memchr(set.p, c, set.n) != NULL;
}

/* atext of RFC 5322, and the dots between atoms. */
static bool is_local(char c)
{
    return is_alnum(c) || is_one_of(c, SLICE("!#$%&'*+-/=?^_`{|}~."));
}

static bool is_label(char c)
{
    return is_alnum(c) || c == '-' || c == '_';
}

static bool is_literal(char c)
{
    return is_alnum(c) || c == '.' || c == ':' || c == '-';
}

static bool is_printable(char c)
{
    return c >= ' ' && c < 0x7f;
}

static bool is_quoted(char c)
{
    return is_printable(c) && c != '"' && c != '\\';
}

static bool take_char(struct slice *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = slice_from(*s, 1);
    return true;
}

/* Takes one character of UTF-8 that is neither ASCII nor a control character. */
static bool take_utf8(struct slice *s)
{
    struct slice next = *s;
    uint32_t cp;

    if (utf8_take(&next, &cp) != 0 || cp < 0xa0)
        return false;
    *s = next;
    return true;
}

/* Returns how many bytes of the kind, or of UTF-8, were taken. */
static size_t take_many(struct slice *s, bool (*kind)(char))
{
    size_t before = s->n;

    for (;;) {
        if (s->n > 0 && kind(s->p[0]))
            *s = slice_from(*s, 1);
        else if (!take_utf8(s))
            return before - s->n;
    }
}

static int take_quoted(struct slice *s)
{
    if (!take_char(s, '"'))
        return -1;
    for (;;) {
        (void)take_many(s, is_quoted);
        if (take_char(s, '"'))
            return 0;
        if (!take_char(s, '\\') || s->n == 0 || !is_printable(s->p[0]))
            return -1;
        *s = slice_from(*s, 1);
    }
}

static int take_local(struct slice *s)
{
    if (s->n > 0 && s->p[0] == '"')
        return take_quoted(s);
    return take_many(s, is_local) > 0 ? 0 : -1;
}

static int take_domain(struct slice *s)
{
    if (take_char(s, '[')) {
        size_t n = 0;

        while (n < s->n && is_literal(s->p[n]))
            n++;
        *s = slice_from(*s, n);
        return n > 0 && take_char(s, ']') ? 0 : -1;
    }
    do {
        if (take_many(s, is_label) == 0)
            return -1;
    } while (take_char(s, '.'));
    return 0;
}

/* "@a,@b:" in front of the mailbox. */
static int skip_route(struct slice *s)
{
    if (s->n == 0 || s->p[0] != '@')
        return 0;
    do {
        if (!take_char(s, '@') || take_domain(s) != 0)
            return -1;
    } while (take_char(s, ','));
    return take_char(s, ':') ? 0 : -1;
}

static struct slice front_of(struct slice whole, struct slice rest)
{
    return slice_make(whole.p, whole.n - rest.n);
}

/* What stands between angle brackets, or the whole when there are none. False: only one of the two is there. */
static bool unwrap(struct slice *s, bool *angle_out)
{
    *s = slice_trim(*s);
    *angle_out = take_char(s, '<');
    if (!*angle_out)
        return true;
    if (s->n == 0 || s->p[s->n - 1] != '>')
        return false;
    s->n--;
    *s = slice_trim(*s);
    return true;
}

int address_parse(struct slice text, struct address *out)
{
    struct address a = { 0 };
    struct slice s = text, whole;
    bool angle;

    if (!unwrap(&s, &angle) || (angle && skip_route(&s) != 0))
        return -1;
    whole = a.text = s;
    if (a.text.n > ADDRESS_MAX || take_local(&s) != 0)
        return -1;
    a.local = front_of(whole, s);
    if (take_char(&s, '@')) {
        a.domain = s;
        if (take_domain(&s) != 0)
            return -1;
    }
    if (s.n > 0)
        return -1;
    for (size_t i = 0; i < a.text.n; i++)
        a.utf8 = a.utf8 || (unsigned char)a.text.p[i] >= 0x80;
    *out = a;
    return 0;
}

bool address_is_null(struct slice text)
{
    bool angle;

    return unwrap(&text, &angle) && angle && text.n == 0;
}

/* The three below: `at` is behind the opening character, the result behind the closing one, or s.n. */
static size_t behind_quoted(struct slice s, size_t at)
{
    while (at < s.n && s.p[at] != '"')
        at += s.p[at] == '\\' ? 2 : 1;
    return size_min(at + 1, s.n);
}

static size_t behind_comment(struct slice s, size_t at)
{
    size_t depth = 1;

    for (; at < s.n && depth > 0; at++) {
        if (s.p[at] == '\\')
            at++;
        else if (s.p[at] == '(')
            depth++;
        else if (s.p[at] == ')')
            depth--;
    }
    return size_min(at, s.n);
}

static size_t behind_angle(struct slice s, size_t at)
{
    while (at < s.n && s.p[at] != '>')
        at = s.p[at] == '"' ? behind_quoted(s, at + 1) : at + 1;
    return size_min(at + 1, s.n);
}

/* One member of a list: what stands in angle brackets, or all of it without the comments at its ends. */
struct member {
    struct slice angle, plain;
    bool in_literal; /* the colon of [IPv6:...] begins no group */
};

/* Takes the quoted string, comment, angle bracket or single character at `at`; returns where the next one begins. */
static size_t take_piece(struct slice s, size_t at, struct member *m)
{
    size_t next = at + 1;

    switch (s.p[at]) {
    case ' ':
    case '\t':
        return next;
    case '(':
        return behind_comment(s, next);
    case '"':
        next = behind_quoted(s, next);
        break;
    case '<':
        next = behind_angle(s, next);
        if (m->angle.n == 0)
            m->angle = slice_make(s.p + at, next - at);
        break;
    case '\\':
        next = size_min(next + 1, s.n);
        break;
    case '[':
    case ']':
        m->in_literal = s.p[at] == '[';
        break;
    }
    if (m->plain.n == 0)
        m->plain.p = s.p + at;
    m->plain.n = (size_t)(s.p + next - m->plain.p);
    return next;
}

static struct slice take_member(struct slice *rest)
{
    struct member m = { 0 };
    size_t at = 0;

    while (at < rest->n) {
        char c = rest->p[at];

        if (c == ',' || c == ';') {
            at++;
            break;
        }
        if (c == ':' && !m.in_literal) {
            m = (struct member){ 0 };
            at++;
        } else {
            at = take_piece(*rest, at, &m);
        }
    }
    *rest = slice_from(*rest, at);
    return m.angle.n > 0 ? m.angle : m.plain;
}

bool address_next(struct slice *rest, struct address *out)
{
    while (rest->n > 0) {
        if (address_parse(take_member(rest), out) == 0)
            return true;
    }
    return false;
}
