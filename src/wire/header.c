/* SPDX-License-Identifier: MIT */
#include "wire/header.h"

#include "wire/limits.h"

enum {
    LINE_START,
    LINE_START_CR, /* a CR was the line's first byte: an empty line if LF follows */
    NAME,          /* h->matched bytes of "Message-ID" have passed, and nothing else */
    VALUE,
    SKIP
};

static const struct slice wanted = { "message-id", sizeof("message-id") - 1 };

void header_init(struct header_scan *h)
{
    *h = (struct header_scan){
        .message_id = BUF_INIT(LIMIT_MESSAGE_ID),
        .field = BUF_INIT(LIMIT_MESSAGE_ID + 1),
        .state = LINE_START,
    };
}

void header_release(struct header_scan *h)
{
    buf_release(&h->message_id);
    buf_release(&h->field);
}

void header_clear(struct header_scan *h)
{
    buf_clear(&h->message_id);
    buf_clear(&h->field);
    h->done = h->seen = h->in_field = h->too_long = false;
    h->matched = 0;
    h->state = LINE_START;
}

/* The field is over: the next line is no continuation of it. */
static void finish_field(struct header_scan *h)
{
    struct slice value = slice_trim(buf_slice(&h->field)), id = value;
    const char *open, *close;

    if (!h->in_field)
        return;
    h->in_field = false;
    if (h->too_long || value.n == 0)
        return;
    open = memchr(value.p, '<', value.n);
    close = open != NULL ? memchr(open, '>', value.n - (size_t)(open - value.p)) : NULL;
    if (close != NULL)
        id = slice_make(open, (size_t)(close - open) + 1);
    if (buf_put_slice(&h->message_id, id) != 0)
        buf_clear(&h->message_id);
}

static void end_header(struct header_scan *h)
{
    finish_field(h);
    h->done = true;
}

/* Blanks in front of the value are not kept, so that they cannot use up its room. */
static void add_value(struct header_scan *h, struct slice bytes)
{
    while (h->field.len == 0 && bytes.n > 0 && (bytes.p[0] == ' ' || bytes.p[0] == '\t'))
        bytes = slice_from(bytes, 1);
    if (bytes.n > 0 && buf_put_slice(&h->field, bytes) != 0)
        h->too_long = true;
}

/* The rest of a line whose name is not wanted, or of a value: up to its LF. */
static size_t pass_line(struct header_scan *h, struct slice in)
{
    const char *lf = memchr(in.p, '\n', in.n);
    size_t n = lf != NULL ? (size_t)(lf - in.p) : in.n;

    if (h->state == VALUE) {
        add_value(h, slice_make(in.p, n));
        if (lf != NULL && h->field.len > 0 && h->field.p[h->field.len - 1] == '\r')
            buf_truncate(&h->field, h->field.len - 1);
    }
    if (lf == NULL)
        return n;
    h->state = LINE_START;
    return n + 1;
}

/* The first byte of a line, or the second behind a CR. Returns how many bytes were used. */
static size_t start_line(struct header_scan *h, char c)
{
    if (c == '\n') {
        end_header(h);
        return 1;
    }
    if (h->state == LINE_START && c == '\r') {
        h->state = LINE_START_CR;
        return 1;
    }
    if (h->state == LINE_START && (c == ' ' || c == '\t')) {
        h->state = h->in_field ? VALUE : SKIP;
        return 0;
    }
    finish_field(h);
    h->matched = 0;
    h->state = h->state == LINE_START && !h->seen ? NAME : SKIP;
    return 0;
}

static size_t match_name(struct header_scan *h, char c)
{
    if (h->matched < wanted.n && ascii_lower(c) == wanted.p[h->matched]) {
        h->matched++;
        return 1;
    }
    if (h->matched == wanted.n && c == ':') {
        h->seen = h->in_field = true;
        h->state = VALUE;
        return 1;
    }
    /* RFC 5322 section 4.5: blanks before the colon were allowed once. */
    if (h->matched == wanted.n && (c == ' ' || c == '\t'))
        return 1;
    h->state = SKIP;
    return 0;
}

size_t header_feed(struct header_scan *h, struct slice in)
{
    size_t used = 0;

    while (!h->done && used < in.n) {
        switch (h->state) {
        case LINE_START:
        case LINE_START_CR:
            used += start_line(h, in.p[used]);
            break;
        case NAME:
            used += match_name(h, in.p[used]);
            break;
        default:
            used += pass_line(h, slice_from(in, used));
        }
    }
    return used;
}

void header_end(struct header_scan *h)
{
    if (!h->done)
        end_header(h);
}
