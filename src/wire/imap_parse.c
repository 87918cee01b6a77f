/* SPDX-License-Identifier: MIT */
#include "wire/imap_parse.h"

#include "base/num.h"
#include "wire/imap_token_int.h"
#include "wire/limits.h"
#include "wire/mailflag.h"

static enum imap_status status_from_name(struct slice name)
{
    static const struct {
        struct slice name;
        enum imap_status status;
    } known[] = {
        { SLICE("OK"), IMAP_OK },   { SLICE("NO"), IMAP_NO },           { SLICE("BAD"), IMAP_BAD },
        { SLICE("BYE"), IMAP_BYE }, { SLICE("PREAUTH"), IMAP_PREAUTH },
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (slice_ieq(name, known[i].name))
            return known[i].status;
    }
    return IMAP_NO_STATUS;
}

/* resp-text: an optional "[" code "]", then words. A bracket that does not close belongs to the words. */
static void parse_status_text(struct slice s, struct imap_response *out)
{
    const char *end;

    s = slice_trim(s);
    end = s.n > 0 && s.p[0] == '[' ? memchr(s.p, ']', s.n) : NULL;
    if (end != NULL) {
        struct slice code = slice_trim(slice_make(s.p + 1, (size_t)(end - s.p) - 1));

        out->code = code;
        out->code.n = 0;
        while (out->code.n < code.n && code.p[out->code.n] != ' ')
            out->code.n++;
        out->code_args = slice_trim(slice_from(code, out->code.n));
        s = slice_trim(slice_from(s, (size_t)(end - s.p) + 1));
    }
    out->text = s;
}

/* Behind "* ". */
static int parse_untagged(struct slice s, struct imap_response *out)
{
    out->kind = IMAP_UNTAGGED;
    imap_skip_blanks(&s);
    if (s.n > 0 && ascii_isdigit(s.p[0])) {
        if (num_take_u32(&s, &out->number) != 0 || s.n == 0 || !imap_ends_atom(s.p[0]))
            return -1;
        out->has_number = true;
        imap_skip_blanks(&s);
    }
    out->name = imap_take_atom(&s);
    if (out->name.n == 0)
        return -1;
    if (!out->has_number)
        out->status = status_from_name(out->name);
    if (out->status != IMAP_NO_STATUS) {
        parse_status_text(s, out);
    } else {
        imap_skip_blanks(&s);
        out->rest = s;
    }
    return 0;
}

static int parse_tagged(struct slice s, struct imap_response *out)
{
    out->kind = IMAP_TAGGED;
    out->tag = imap_take_atom(&s);
    imap_skip_blanks(&s);
    out->name = imap_take_atom(&s);
    out->status = status_from_name(out->name);
    if (out->tag.n == 0 || (out->status != IMAP_OK && out->status != IMAP_NO && out->status != IMAP_BAD))
        return -1;
    parse_status_text(s, out);
    return 0;
}

int imap_parse_response(struct slice text, struct imap_response *out)
{
    *out = (struct imap_response){ 0 };
    if (text.n == 0)
        return -1;
    if (text.p[0] == '+') {
        out->kind = IMAP_CONTINUE;
        out->text = slice_trim(slice_from(text, 1));
        return 0;
    }
    if (text.p[0] == '*' && text.n > 1 && (text.p[1] == ' ' || text.p[1] == '\t'))
        return parse_untagged(slice_from(text, 1), out);
    return parse_tagged(text, out);
}

/* Behind each backslash of a quoted token is a byte: imap_quoted_length() saw to it. */
static int put_unescaped(struct slice s, struct buf *out)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++, n++)
        i += s.p[i] == '\\' ? 1 : 0;
    if (buf_reserve(out, n) != 0)
        return -1;
    n = 0;
    for (size_t i = 0; i < s.n; i++) {
        i += s.p[i] == '\\' ? 1 : 0;
        out->p[out->len + n++] = s.p[i];
    }
    buf_grew(out, n);
    return 0;
}

/* Appends the value of an astring or nstring token; NIL is `nil`. */
static int put_token(const struct imap_token *t, struct slice nil, struct buf *out)
{
    switch (t->kind) {
    case IMAP_TOKEN_ATOM:
    case IMAP_TOKEN_LITERAL:
        return buf_put_slice(out, t->value);
    case IMAP_TOKEN_QUOTED:
        return put_unescaped(t->value, out);
    case IMAP_TOKEN_NIL:
        return buf_put_slice(out, nil);
    default:
        return -1;
    }
}

int imap_string(struct slice *in, struct buf *out)
{
    struct slice rest = *in;
    struct imap_token t = imap_token_take(&rest);

    if (put_token(&t, SLICE(""), out) != 0)
        return -1;
    imap_skip_blanks(&rest);
    *in = rest;
    return 0;
}

/* The value of FLAGS. One that is no list (NIL) tells nothing. */
static int parse_flags(struct slice *in, struct imap_fetch *out)
{
    struct imap_token t = imap_token_take(in);

    if (t.kind != IMAP_TOKEN_OPEN)
        return t.kind == IMAP_TOKEN_NIL ? 0 : -1;
    out->has_flags = true;
    out->flags = 0;
    while ((t = imap_token_take(in)).kind != IMAP_TOKEN_CLOSE) {
        if (t.kind == IMAP_TOKEN_END || t.kind == IMAP_TOKEN_BAD || t.kind == IMAP_TOKEN_OPEN)
            return -1;
        out->flags |= mailflag_from_imap(t.value);
    }
    return 0;
}

static int parse_uid(struct slice *in, struct imap_fetch *out)
{
    struct imap_token t = imap_token_take(in);
    uint32_t uid;

    if (t.kind != IMAP_TOKEN_ATOM || num_parse_u32(t.value, &uid) != 0 || uid == 0)
        return -1;
    /* Two UIDs in one response: whose body is it? */
    if (out->has_uid && out->uid != uid)
        return -1;
    out->has_uid = true;
    out->uid = uid;
    return 0;
}

static int parse_body(struct slice item, struct slice *in, struct imap_fetch *out)
{
    struct imap_token t = imap_token_take(in);
    enum imap_body body;

    switch (t.kind) {
    case IMAP_TOKEN_NIL:
        body = IMAP_BODY_NIL;
        break;
    case IMAP_TOKEN_STREAMED:
        body = IMAP_BODY_STREAMED;
        break;
    case IMAP_TOKEN_QUOTED:
    case IMAP_TOKEN_LITERAL:
        body = IMAP_BODY_INLINE;
        break;
    default:
        return -1;
    }
    if (out->body_count++ == 0) {
        out->body = body;
        out->body_item = item;
        if (body == IMAP_BODY_INLINE)
            out->body_inline = t.raw;
    }
    return 0;
}

/* Items that help but decide nothing: a value that cannot be read counts as not sent, and one message with an odd
 * size does not stop the folder. */
static int parse_fact(struct slice item, struct slice *in, struct imap_fetch *out)
{
    struct slice from = *in, value;

    if (imap_take_wrapped(in, &value) != 0) {
        *in = from;
        return imap_skip_value(in, 1);
    }
    if (slice_ieq(item, SLICE("RFC822.SIZE"))) {
        out->has_size = num_parse_u64(value, &out->size) == 0;
    } else if (slice_ieq(item, SLICE("INTERNALDATE"))) {
        out->has_date = imap_parse_date(value, &out->date) == 0;
    } else if (slice_ieq(item, SLICE("MODSEQ"))) {
        out->has_modseq = num_parse_u64(value, &out->modseq) == 0;
    } else if (slice_ieq(item, SLICE("EMAILID")) && value.n <= LIMIT_OBJECT_ID) {
        out->object_id = value;
    } else if (slice_ieq(item, SLICE("X-GM-MSGID")) && out->object_id.n == 0) {
        uint64_t id;
        if (num_parse_u64(value, &id) == 0)
            out->object_id = value;
    }
    return 0;
}

int imap_parse_fetch(struct slice rest, struct imap_fetch *out)
{
    *out = (struct imap_fetch){ 0 };
    if (imap_token_take(&rest).kind != IMAP_TOKEN_OPEN)
        return -1;
    for (;;) {
        struct slice item;
        int rc;

        imap_skip_blanks(&rest);
        if (rest.n > 0 && rest.p[0] == ')')
            break;
        item = imap_take_item(&rest);
        if (item.n == 0)
            return -1;
        if (slice_ieq(item, SLICE("UID")))
            rc = parse_uid(&rest, out);
        else if (slice_ieq(item, SLICE("FLAGS")))
            rc = parse_flags(&rest, out);
        else if (imap_is_body_item(item))
            rc = parse_body(item, &rest, out);
        else
            rc = parse_fact(item, &rest, out);
        if (rc != 0)
            return -1;
    }
    return slice_trim(slice_from(rest, 1)).n == 0 ? 0 : -1;
}
