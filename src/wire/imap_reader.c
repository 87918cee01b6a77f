/* SPDX-License-Identifier: MIT */
#include "wire/imap_reader.h"

#include "wire/imap_parse.h"
#include "wire/imap_token_int.h"
#include "wire/limits.h"

enum {
    READER_FRESH,   /* before a response: the text handed out last may go */
    READER_LINE,    /* in a line of text */
    READER_LITERAL, /* in a literal that is kept */
    READER_BODY,    /* in a literal that is handed through */
    READER_BAD
};

/* `why` names the limits in bytes. */
_Static_assert(LIMIT_LINE == 65536 && LIMIT_RESPONSE == 262144 && LIMIT_MESSAGE_OCTETS == UINT64_C(1) << 40,
               "the words below say otherwise");

void imap_reader_init(struct imap_reader *r)
{
    *r = (struct imap_reader){ .buf = BUF_INIT(LIMIT_RESPONSE), .state = READER_FRESH };
}

void imap_reader_release(struct imap_reader *r)
{
    buf_release(&r->buf);
    imap_reader_init(r);
}

void imap_reader_rest(struct imap_reader *r)
{
    if (r->state != READER_FRESH)
        return;
    buf_release(&r->buf);
    r->text = SLICE_NONE;
}

static enum imap_event bad(struct imap_reader *r, const char *why)
{
    r->state = READER_BAD;
    r->why = why;
    return IMAP_EV_BAD;
}

static enum imap_event put(struct imap_reader *r, struct slice bytes)
{
    if (buf_put_slice(&r->buf, bytes) == 0)
        return IMAP_EV_MORE;
    return bad(r, buf_full(&r->buf, bytes.n) ? "a response of more than 262144 bytes" : "no memory for a response");
}

static struct slice line_of(const struct imap_reader *r)
{
    return slice_from(buf_slice(&r->buf), r->line_start);
}

/* Only data that the server tells untagged holds literals; the words of a status or of a continuation may end in
 * "{12}" too. Asked once for each response, when its first line is whole. */
static bool may_hold_literals(struct imap_reader *r)
{
    struct imap_response response;

    if (r->line_start > 0)
        return true;
    if (imap_parse_response(buf_slice(&r->buf), &response) != 0 || response.kind != IMAP_UNTAGGED ||
        response.status != IMAP_NO_STATUS)
        return false;
    r->is_fetch = response.has_number &&
                  (slice_ieq(response.name, SLICE("FETCH")) || slice_ieq(response.name, SLICE("UIDFETCH")));
    return true;
}

/* The literal header that the line ends with: where it begins, the "~" of a literal8 apart. */
enum literal_check { LITERAL_NONE, LITERAL_FOUND, LITERAL_MALFORMED };

static enum literal_check find_literal(struct slice line, size_t *at_out, uint64_t *octets_out)
{
    const char *brace = memrchr(line.p, '{', line.n);
    struct slice header;

    if (brace == NULL)
        return LITERAL_NONE;
    *at_out = (size_t)(brace - line.p);
    header = slice_from(line, *at_out);
    if (imap_take_literal_header(&header, octets_out) == 0)
        return header.n == 0 ? LITERAL_FOUND : LITERAL_NONE;
    /* Nothing between the braces but what a number is made of: "{}", "{-1}", or more than 64 bits. */
    for (size_t i = 1; i + 1 < header.n; i++) {
        if (!ascii_isdigit(header.p[i]) && header.p[i] != '-' && header.p[i] != '+')
            return LITERAL_NONE;
    }
    return LITERAL_MALFORMED;
}

/* Looks at the text before a literal header. -1: a quoted string is open there. Else *item_out is the last word, which
 * is the name of the item whose value the literal is, section and all. */
static int look_before(struct slice text, struct slice *item_out)
{
    bool sections = true;

    *item_out = SLICE_NONE;
    while (text.n > 0) {
        size_t n = 1;

        if (text.p[0] == '"') {
            n = imap_quoted_length(text);
            if (n == 0)
                return -1;
            *item_out = SLICE_NONE;
        } else if (text.p[0] == '(' || text.p[0] == ')') {
            *item_out = SLICE_NONE;
        } else if (!imap_ends_atom(text.p[0])) {
            struct slice rest = text;

            *item_out = sections ? imap_take_item(&rest) : SLICE_NONE;
            /* A bracket that does not close is looked for once, not again for each bracket behind it. */
            if (item_out->n == 0) {
                sections = false;
                *item_out = imap_take_atom(&rest);
            }
            n = item_out->n;
        }
        text = slice_from(text, n);
    }
    return 0;
}

static enum imap_event begin_literal(struct imap_reader *r, size_t at, uint64_t octets)
{
    struct slice before = slice_make(line_of(r).p, at);
    struct slice item;

    if (before.n > 0 && before.p[before.n - 1] == '~')
        before.n--;
    if (look_before(before, &item) != 0)
        return bad(r, "a line that ends in the middle of a quoted string");
    r->literal_left = octets;
    if (r->is_fetch && imap_is_body_item(item)) {
        if (octets > LIMIT_MESSAGE_OCTETS)
            return bad(r, "a message of more than 1099511627776 bytes");
        r->state = READER_BODY;
        r->body_octets = octets;
        r->line_start = r->buf.len;
        r->text = buf_slice(&r->buf);
        return IMAP_EV_BODY_BEGIN;
    }
    if (put(r, SLICE("\r\n")) == IMAP_EV_BAD)
        return IMAP_EV_BAD;
    if (octets > r->buf.max - r->buf.len)
        return bad(r, "a response of more than 262144 bytes");
    r->state = READER_LITERAL;
    return IMAP_EV_MORE;
}

/* The line is whole, its LF not in `buf`. MORE: a literal of this response follows. */
static enum imap_event end_line(struct imap_reader *r)
{
    struct slice line;
    uint64_t octets = 0;
    size_t at = 0;

    if (r->buf.len > r->line_start && r->buf.p[r->buf.len - 1] == '\r')
        buf_truncate(&r->buf, r->buf.len - 1);
    line = line_of(r);
    if (line.n > 0 && line.p[line.n - 1] == '}' && may_hold_literals(r)) {
        switch (find_literal(line, &at, &octets)) {
        case LITERAL_FOUND:
            return begin_literal(r, at, octets);
        case LITERAL_MALFORMED:
            return bad(r, "a literal of an impossible length");
        case LITERAL_NONE:
            break;
        }
    }
    r->text = buf_slice(&r->buf);
    r->state = READER_FRESH;
    return IMAP_EV_RESPONSE;
}

static enum imap_event read_line(struct imap_reader *r, struct slice in, size_t *used)
{
    const char *lf = in.n > 0 ? memchr(in.p, '\n', in.n) : NULL;
    size_t n = lf != NULL ? (size_t)(lf - in.p) : in.n;

    *used += lf != NULL ? n + 1 : n;
    if (n > LIMIT_LINE - (r->buf.len - r->line_start))
        return bad(r, "a line of more than 65536 bytes");
    if (put(r, slice_make(in.p, n)) == IMAP_EV_BAD)
        return IMAP_EV_BAD;
    return lf != NULL ? end_line(r) : IMAP_EV_MORE;
}

static enum imap_event read_literal(struct imap_reader *r, struct slice in, size_t *used)
{
    size_t n = r->literal_left < in.n ? (size_t)r->literal_left : in.n;

    *used += n;
    if (put(r, slice_make(in.p, n)) == IMAP_EV_BAD)
        return IMAP_EV_BAD;
    r->literal_left -= n;
    if (r->literal_left == 0) {
        r->line_start = r->buf.len;
        r->state = READER_LINE;
    }
    return IMAP_EV_MORE;
}

static enum imap_event read_body(struct imap_reader *r, struct slice in, size_t *used)
{
    size_t n = r->literal_left < in.n ? (size_t)r->literal_left : in.n;

    if (r->literal_left == 0) {
        r->state = READER_LINE;
        return IMAP_EV_BODY_END;
    }
    if (n == 0)
        return IMAP_EV_MORE;
    *used += n;
    r->literal_left -= n;
    r->data = slice_make(in.p, n);
    return IMAP_EV_BODY_DATA;
}

enum imap_event imap_reader_next(struct imap_reader *r, struct slice in, size_t *used_out)
{
    enum imap_event event = IMAP_EV_MORE;
    size_t used = 0;

    r->data = SLICE_NONE;
    do {
        struct slice left = slice_from(in, used);

        switch (r->state) {
        case READER_FRESH:
            if (left.n == 0)
                break;
            buf_clear(&r->buf);
            r->text = SLICE_NONE;
            r->line_start = 0;
            r->state = READER_LINE;
            event = read_line(r, left, &used);
            break;
        case READER_LINE:
            event = read_line(r, left, &used);
            break;
        case READER_LITERAL:
            event = read_literal(r, left, &used);
            break;
        case READER_BODY:
            event = read_body(r, left, &used);
            break;
        default:
            event = IMAP_EV_BAD;
            break;
        }
    } while (event == IMAP_EV_MORE && used < in.n);
    *used_out = used;
    return event;
}
