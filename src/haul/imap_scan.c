/* SPDX-License-Identifier: MIT
 * Which folders there are. One LIST with STATUS in it (RFC 5819) where the server can, else LIST and pipelined STATUS.
 */
#include "base/log.h"
#include "haul/source_imap_int.h"
#include "wire/folder.h"
#include "wire/limits.h"

#define STATUS_ITEMS "(MESSAGES UIDNEXT UIDVALIDITY)"

enum { STATUS_WINDOW = 16 };

struct scan {
    struct source_imap *si;
    struct source_folders *out;
    size_t bytes;
};

static bool name_taken(const struct source_folders *f, struct slice name)
{
    for (size_t i = f->count; i-- > 0;) {
        if (slice_eq(slice_str(f->v[i].name), name))
            return true;
    }
    return false;
}

/* Under UTF8=ACCEPT names travel as UTF-8, and '&' is itself (RFC 6855 section 3). Some servers send 8-bit names all
 * the same; what no decoder takes, or what would be a second folder of one name, goes by its bytes. */
static int decode_name(const struct scan *scan, struct slice wire, char delimiter, struct buf *name)
{
    bool utf8 = imap_utf8(scan->si->im);

    if (((utf8 ? folder_from_utf8 : folder_from_mutf7)(wire, delimiter, name) == 0 ||
         (!utf8 && folder_from_utf8(wire, delimiter, name) == 0)) &&
        !name_taken(scan->out, buf_slice(name)))
        return 0;
    buf_clear(name);
    return folder_from_raw(wire, name);
}

static int find_wire(const struct source_folders *f, const char *wire)
{
    for (size_t i = f->count; i-- > 0;) {
        if (strcmp(f->v[i].wire_name, wire) == 0 ||
            (slice_ieq(slice_str(wire), SLICE("INBOX")) && strcmp(f->v[i].name, "INBOX") == 0))
            return (int)i;
    }
    return -1;
}

static int take_list(struct scan *scan, const struct imap_response *r, struct err *e)
{
    struct buf wire = BUF_INIT(LIMIT_FOLDER_NAME * 4), name = BUF_INIT(LIMIT_FOLDER_NAME * 4);
    struct imap_list list;
    int rc = -1;

    if (imap_parse_list(r->rest, &list, &wire) != 0 || slice_has_nul(buf_slice(&wire)) || wire.len == 0) {
        log_warn("the server lists a folder whose name cannot be read; it is left out");
        rc = 0;
        goto out;
    }
    if (wire.len > LIMIT_FOLDER_NAME || (scan->bytes += wire.len) > LIMIT_FOLDER_BYTES) {
        err_set(e, E_PROTO, "the server's folder names are longer than any real ones");
        goto out;
    }
    if (decode_name(scan, buf_slice(&wire), list.delimiter, &name) != 0) {
        err_nomem(e);
        goto out;
    }
    struct source_folder folder = {
        .name = name.p, .wire_name = wire.p, .delimiter = list.delimiter, .attrs = list.attrs
    };
    if ((list.attrs & IMAP_ATTR_TRASH) != 0 && scan->si->trash == NULL)
        scan->si->trash = strdup(wire.p);
    rc = (list.attrs & IMAP_ATTR_NOSELECT) != 0 || find_wire(scan->out, wire.p) >= 0
             ? 0
             : source_folders_add(scan->out, &folder, e);
out:
    buf_release(&wire);
    buf_release(&name);
    return rc;
}

static int take_status(struct scan *scan, const struct imap_response *r)
{
    struct buf wire = BUF_INIT(LIMIT_FOLDER_NAME * 4);
    struct imap_status_items items;
    int at;

    if (imap_parse_status(r->rest, &items, &wire) == 0 && (at = find_wire(scan->out, buf_cstr(&wire))) >= 0) {
        struct source_folder *f = &scan->out->v[at];
        f->has_status = items.has_messages && items.has_uidnext && items.has_uidvalidity;
        f->messages = items.messages;
        f->uidnext = items.uidnext;
        f->uidvalidity = items.uidvalidity;
    }
    buf_release(&wire);
    return 0;
}

static int untagged(void *ctx, const struct imap_response *r, struct err *e)
{
    if (slice_ieq(r->name, SLICE("LIST")))
        return take_list(ctx, r, e);
    if (slice_ieq(r->name, SLICE("STATUS")))
        return take_status(ctx, r);
    return 0;
}

static int ask_list(struct scan *scan, const char *options, struct imap_done *done, struct err *e)
{
    struct imap *im = scan->si->im;
    struct imap_handler handler = { .ctx = scan, .untagged = untagged };
    uint32_t tag;

    imap_begin(im, &tag);
    imap_text(im, "LIST \"\" \"*\"%s", options);
    imap_end(im);
    imap_patient(im);
    return imap_finish(im, tag, &handler, done, e);
}

/* With STATUS and special use in one, where the server can; plain, where it said so and cannot. */
static int list_all(struct scan *scan, struct err *e)
{
    uint32_t caps = imap_caps(scan->si->im);
    bool status = (caps & IMAP_CAP_LIST_STATUS) != 0;
    bool special = (caps & IMAP_CAP_SPECIAL_USE) != 0 && (caps & IMAP_CAP_LIST_EXTENDED) != 0;
    const char *options = status && special ? " RETURN (SPECIAL-USE STATUS " STATUS_ITEMS ")"
                          : status          ? " RETURN (STATUS " STATUS_ITEMS ")"
                          : special         ? " RETURN (SPECIAL-USE)"
                                            : "";
    struct imap_done done;

    if (ask_list(scan, options, &done, e) != 0)
        return -1;
    if (done.status != IMAP_OK && options[0] != '\0' && ask_list(scan, "", &done, e) != 0)
        return -1;
    scan->si->listed = true;
    return done.status == IMAP_OK ? 0 : imap_refused(scan->si->im, &done, E_PROTO, "to list the folders", e);
}

int imap_find_trash(struct source_imap *si, struct err *e)
{
    struct source_folders folders = { 0 };
    struct scan scan = { .si = si, .out = &folders };
    int rc = si->listed ? 0 : list_all(&scan, e);

    source_folders_release(&folders);
    return rc;
}

static int add_inbox(struct scan *scan, struct err *e)
{
    struct source_folder inbox = { .name = (char[]){ "INBOX" }, .wire_name = (char[]){ "INBOX" }, .delimiter = '/' };

    return find_wire(scan->out, "INBOX") >= 0 ? 0 : source_folders_add(scan->out, &inbox, e);
}

static int ask_status(struct scan *scan, bool (*wanted)(void *, const struct source_folder *), void *ctx, struct err *e)
{
    struct imap *im = scan->si->im;
    struct imap_handler handler = { .ctx = scan, .untagged = untagged };
    uint32_t tags[STATUS_WINDOW];
    size_t first = 0, count = 0;
    struct imap_done done;

    for (size_t i = 0; i <= scan->out->count; i++) {
        bool more = i < scan->out->count;

        while (count > 0 && (!more || count == STATUS_WINDOW)) {
            if (imap_finish(im, tags[first % STATUS_WINDOW], &handler, &done, e) != 0)
                return -1;
            first++;
            count--;
        }
        if (!more || scan->out->v[i].has_status || !wanted(ctx, &scan->out->v[i]))
            continue;
        imap_begin(im, &tags[(first + count++) % STATUS_WINDOW]);
        imap_text(im, "STATUS ");
        imap_string_arg(im, slice_str(scan->out->v[i].wire_name));
        imap_text(im, " " STATUS_ITEMS);
        imap_end(im);
    }
    return 0;
}

int imap_scan_folders(struct source *s, bool (*wanted)(void *ctx, const struct source_folder *f), void *ctx,
                      struct source_folders *out, struct err *e)
{
    struct source_imap *si = imap_self(s);
    struct scan scan = { .si = si, .out = out };

    if (!s->only_inbox && list_all(&scan, e) != 0)
        return -1;
    if (add_inbox(&scan, e) != 0)
        return -1;
    return ask_status(&scan, wanted, ctx, e);
}
