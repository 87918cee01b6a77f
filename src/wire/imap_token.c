/* SPDX-License-Identifier: MIT */
#include "wire/imap_token_int.h"

#include "base/num.h"

struct slice imap_take_atom(struct slice *in)
{
    struct slice atom = slice_make(in->p, 0);

    while (atom.n < in->n && !imap_ends_atom(in->p[atom.n]))
        atom.n++;
    *in = slice_from(*in, atom.n);
    return atom;
}

int imap_take_literal_header(struct slice *in, uint64_t *octets_out)
{
    struct slice rest = *in;
    uint64_t octets;

    if (rest.n == 0 || rest.p[0] != '{')
        return -1;
    rest = slice_from(rest, 1);
    if (num_take_u64(&rest, &octets) != 0)
        return -1;
    if (rest.n > 0 && rest.p[0] == '+')
        rest = slice_from(rest, 1);
    if (rest.n == 0 || rest.p[0] != '}')
        return -1;
    *in = slice_from(rest, 1);
    *octets_out = octets;
    return 0;
}

size_t imap_quoted_length(struct slice in)
{
    for (size_t i = 1; i < in.n; i++) {
        switch (in.p[i]) {
        case '"':
            return i + 1;
        case '\\':
            i++;
            if (i < in.n && (in.p[i] == '\r' || in.p[i] == '\n'))
                return 0;
            break;
        case '\r':
        case '\n':
            return 0;
        default:
            break;
        }
    }
    return 0;
}

/* At "{", or behind the "~" of a literal8. */
static struct imap_token take_literal(struct slice *in)
{
    struct imap_token t = { .kind = IMAP_TOKEN_STREAMED };
    uint64_t octets;

    if (imap_take_literal_header(in, &octets) != 0) {
        t.kind = IMAP_TOKEN_BAD;
    } else if (slice_starts(*in, SLICE("\r\n"))) {
        *in = slice_from(*in, 2);
        if (octets > in->n) {
            t.kind = IMAP_TOKEN_BAD;
        } else {
            t.kind = IMAP_TOKEN_LITERAL;
            t.value = slice_make(in->p, (size_t)octets);
            *in = slice_from(*in, t.value.n);
        }
    }
    return t;
}

static struct imap_token take_quoted(struct slice *in)
{
    struct imap_token t = { .kind = IMAP_TOKEN_QUOTED };
    size_t n = imap_quoted_length(*in);

    if (n == 0) {
        t.kind = IMAP_TOKEN_BAD;
    } else {
        t.value = slice_make(in->p + 1, n - 2);
        *in = slice_from(*in, n);
    }
    return t;
}

static struct imap_token take_word(struct slice *in)
{
    struct imap_token t = { .kind = IMAP_TOKEN_ATOM, .value = imap_take_atom(in) };

    if (t.value.n == 0)
        t.kind = IMAP_TOKEN_BAD;
    else if (slice_ieq(t.value, SLICE("NIL")))
        t.kind = IMAP_TOKEN_NIL;
    return t;
}

struct imap_token imap_token_take(struct slice *in)
{
    struct imap_token t = { .kind = IMAP_TOKEN_END };
    struct slice from;

    imap_skip_blanks(in);
    from = *in;
    if (from.n == 0)
        return t;
    switch (from.p[0]) {
    case '(':
    case ')':
        t.kind = from.p[0] == '(' ? IMAP_TOKEN_OPEN : IMAP_TOKEN_CLOSE;
        *in = slice_from(from, 1);
        break;
    case '"':
        t = take_quoted(in);
        break;
    case '{':
        t = take_literal(in);
        break;
    case '~':
        if (from.n > 1 && from.p[1] == '{') {
            *in = slice_from(from, 1);
            t = take_literal(in);
            break;
        }
        t = take_word(in);
        break;
    default:
        t = take_word(in);
        break;
    }
    t.raw = slice_make(from.p, from.n - in->n);
    return t;
}

struct slice imap_take_item(struct slice *in)
{
    const struct slice from = *in;
    size_t i = 0;

    while (i < from.n && !imap_ends_atom(from.p[i]) && from.p[i] != '[')
        i++;
    if (i < from.n && from.p[i] == '[') {
        while (i < from.n && from.p[i] != ']') {
            size_t quoted = from.p[i] == '"' ? imap_quoted_length(slice_from(from, i)) : 1;
            /* Also what tells an unclosed section from a later bracket behind a literal: no line end in a section. */
            if (quoted == 0 || from.p[i] == '\r' || from.p[i] == '\n')
                return SLICE_NONE;
            i += quoted;
        }
        if (i == from.n)
            return SLICE_NONE;
        i++;
        if (i < from.n && from.p[i] == '<') {
            while (i < from.n && !imap_ends_atom(from.p[i]) && from.p[i] != '>')
                i++;
            if (i < from.n && from.p[i] == '>')
                i++;
        }
    }
    *in = slice_from(from, i);
    return slice_make(from.p, i);
}

bool imap_is_body_item(struct slice item)
{
    return slice_istarts(item, SLICE("BODY[")) || slice_istarts(item, SLICE("BODY.PEEK[")) ||
           slice_istarts(item, SLICE("BINARY[")) || slice_istarts(item, SLICE("BINARY.PEEK[")) ||
           slice_ieq(item, SLICE("RFC822")) || slice_ieq(item, SLICE("RFC822.HEADER")) ||
           slice_ieq(item, SLICE("RFC822.TEXT"));
}

int imap_skip_value(struct slice *in, unsigned depth)
{
    unsigned open = depth;

    do {
        switch (imap_token_take(in).kind) {
        case IMAP_TOKEN_OPEN:
            if (++open > IMAP_NESTING)
                return -1;
            break;
        case IMAP_TOKEN_CLOSE:
            if (open == depth)
                return -1;
            open--;
            break;
        case IMAP_TOKEN_END:
        case IMAP_TOKEN_BAD:
            return -1;
        default:
            break;
        }
    } while (open > depth);
    return 0;
}

int imap_take_wrapped(struct slice *in, struct slice *value_out)
{
    struct slice rest = *in;
    struct imap_token t = imap_token_take(&rest);
    bool wrapped = t.kind == IMAP_TOKEN_OPEN;

    if (wrapped)
        t = imap_token_take(&rest);
    switch (t.kind) {
    case IMAP_TOKEN_ATOM:
    case IMAP_TOKEN_QUOTED:
    case IMAP_TOKEN_LITERAL:
        *value_out = t.value;
        break;
    case IMAP_TOKEN_NIL:
        *value_out = SLICE_NONE;
        break;
    case IMAP_TOKEN_CLOSE:
        if (!wrapped)
            return -1;
        *value_out = SLICE_NONE;
        *in = rest;
        return 0;
    default:
        return -1;
    }
    if (wrapped && imap_token_take(&rest).kind != IMAP_TOKEN_CLOSE)
        return -1;
    *in = rest;
    return 0;
}
