/* SPDX-License-Identifier: MIT
 * imap_folder.c - LIST and STATUS: what a server tells about its folders.
 */
#include "wire/imap_parse.h"

#include "base/num.h"
#include "wire/imap_token_int.h"
#include "wire/limits.h"

unsigned imap_attr_from_name(struct slice name)
{
    static const struct {
        struct slice name;
        enum imap_attr attr;
    } known[] = {
        { SLICE("\\Noselect"), IMAP_ATTR_NOSELECT },
        { SLICE("\\NonExistent"), IMAP_ATTR_NOSELECT },
        { SLICE("\\Noinferiors"), IMAP_ATTR_NOINFERIORS },
        { SLICE("\\Subscribed"), IMAP_ATTR_SUBSCRIBED },
        { SLICE("\\All"), IMAP_ATTR_ALL },
        { SLICE("\\Archive"), IMAP_ATTR_ARCHIVE },
        { SLICE("\\Drafts"), IMAP_ATTR_DRAFTS },
        { SLICE("\\Flagged"), IMAP_ATTR_FLAGGED },
        { SLICE("\\Junk"), IMAP_ATTR_JUNK },
        { SLICE("\\Sent"), IMAP_ATTR_SENT },
        { SLICE("\\Trash"), IMAP_ATTR_TRASH },
        { SLICE("\\Important"), IMAP_ATTR_IMPORTANT },
        /* XLIST had other names before RFC 6154. */
        { SLICE("\\AllMail"), IMAP_ATTR_ALL },
        { SLICE("\\Starred"), IMAP_ATTR_FLAGGED },
        { SLICE("\\Spam"), IMAP_ATTR_JUNK },
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (slice_ieq(name, known[i].name))
            return known[i].attr;
    }
    return 0;
}

/* A mailbox name: an astring, in which NIL is no more than three letters. On failure `name` is as before. */
static int take_mailbox(struct slice *in, struct buf *name)
{
    struct slice rest = *in;
    struct imap_token t = imap_token_take(&rest);

    if (t.kind != IMAP_TOKEN_NIL)
        return imap_string(in, name);
    *in = rest;
    return buf_put_slice(name, t.value);
}

static int take_attrs(struct slice *in, unsigned *out)
{
    struct imap_token t = imap_token_take(in);

    if (t.kind != IMAP_TOKEN_OPEN)
        return -1;
    while ((t = imap_token_take(in)).kind != IMAP_TOKEN_CLOSE) {
        if (t.kind != IMAP_TOKEN_ATOM && t.kind != IMAP_TOKEN_NIL)
            return -1;
        *out |= imap_attr_from_name(t.value);
    }
    return 0;
}

static int take_delimiter(struct slice *in, char *out)
{
    struct imap_token t = imap_token_take(in);

    *out = '\0';
    if (t.kind == IMAP_TOKEN_NIL)
        return 0;
    if (t.kind != IMAP_TOKEN_QUOTED)
        return -1;
    if (t.value.n == 0)
        return 0;
    if (t.value.n == 2 && t.value.p[0] == '\\')
        t.value = slice_from(t.value, 1);
    if (t.value.n != 1 || (unsigned char)t.value.p[0] < ' ')
        return -1;
    *out = t.value.p[0];
    return 0;
}

int imap_parse_list(struct slice rest, struct imap_list *out, struct buf *name)
{
    const size_t before = name->len;

    *out = (struct imap_list){ 0 };
    if (take_attrs(&rest, &out->attrs) != 0 || take_delimiter(&rest, &out->delimiter) != 0 ||
        take_mailbox(&rest, name) != 0)
        return -1;
    /* RFC 5258 may send a list of extended data behind the name; anything else means that a blank stood in an unquoted
     * name, and half a name is the name of another folder. */
    imap_skip_blanks(&rest);
    if (rest.n > 0 && rest.p[0] != '(') {
        buf_truncate(name, before);
        return -1;
    }
    return 0;
}

static int take_u32(struct slice *in, bool *has_out, uint32_t *out)
{
    struct imap_token t = imap_token_take(in);

    if (t.kind != IMAP_TOKEN_ATOM || num_parse_u32(t.value, out) != 0)
        return -1;
    *has_out = true;
    return 0;
}

static int parse_status_item(struct slice item, struct slice *in, struct imap_status_items *out)
{
    struct slice value;

    if (slice_ieq(item, SLICE("MESSAGES")))
        return take_u32(in, &out->has_messages, &out->messages);
    if (slice_ieq(item, SLICE("UIDNEXT")))
        return take_u32(in, &out->has_uidnext, &out->uidnext);
    if (slice_ieq(item, SLICE("UIDVALIDITY")))
        return take_u32(in, &out->has_uidvalidity, &out->uidvalidity);
    if (slice_ieq(item, SLICE("UNSEEN")))
        return take_u32(in, &out->has_unseen, &out->unseen);
    if (imap_take_wrapped(in, &value) != 0)
        return imap_skip_value(in, 1);
    if (slice_ieq(item, SLICE("HIGHESTMODSEQ")))
        out->has_highestmodseq = num_parse_u64(value, &out->highestmodseq) == 0;
    else if (slice_ieq(item, SLICE("APPENDLIMIT")) && num_parse_u64(value, &out->append_limit) != 0)
        out->append_limit = 0;
    else if (slice_ieq(item, SLICE("MAILBOXID")) && value.n <= LIMIT_OBJECT_ID)
        out->mailbox_id = value;
    return 0;
}

int imap_parse_status(struct slice rest, struct imap_status_items *out, struct buf *name)
{
    const size_t before = name->len;
    struct imap_token t;

    *out = (struct imap_status_items){ 0 };
    if (take_mailbox(&rest, name) != 0)
        return -1;
    if (imap_token_take(&rest).kind != IMAP_TOKEN_OPEN)
        goto fail;
    while ((t = imap_token_take(&rest)).kind == IMAP_TOKEN_ATOM) {
        if (parse_status_item(t.value, &rest, out) != 0)
            goto fail;
    }
    if (t.kind == IMAP_TOKEN_CLOSE && slice_trim(rest).n == 0)
        return 0;
fail:
    buf_truncate(name, before);
    return -1;
}
