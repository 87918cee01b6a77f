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
    size_t unreadable;
    size_t last; /* folder that a STATUS was for */
};

/* Under UTF8=ACCEPT names travel as UTF-8, and '&' is itself (RFC 6855 section 3). Some servers send 8-bit names all
 * the same; what no decoder takes goes by its bytes. */
static int decode_name(const struct source_imap *si, struct slice wire, char delimiter, struct buf *name)
{
    bool utf8 = imap_utf8(si->im);

    if ((utf8 ? folder_from_utf8 : folder_from_mutf7)(wire, delimiter, name) == 0 ||
        (!utf8 && folder_from_utf8(wire, delimiter, name) == 0))
        return 0;
    buf_clear(name);
    return folder_from_raw(wire, name);
}

static bool is_wire(const struct source_folder *f, const char *wire)
{
    return strcmp(f->wire_name, wire) == 0 ||
           (strcmp(f->name, "INBOX") == 0 && slice_ieq(slice_str(wire), SLICE("INBOX")));
}

/* RFC 3501 section 6.3.10: what STATUS says of the folder that is open may be old. */
static bool is_open(const struct source_imap *si, const struct source_folder *f)
{
    return si->folder != NULL && is_wire(f, si->folder);
}

/* STATUS comes in the order of the folders, as a rule: the search goes on where the last one ended. */
static struct source_folder *find_wire(struct scan *scan, const char *wire)
{
    struct source_folders *f = scan->out;

    for (size_t i = 0; i < f->count; i++) {
        size_t at = (scan->last + i) % f->count;
        if (is_wire(&f->v[at], wire)) {
            scan->last = at;
            return &f->v[at];
        }
    }
    return NULL;
}

static int compare_names(const void *a, const void *b)
{
    const struct source_folder *const *x = a, *const *y = b;
    int order = strcmp((*x)->name, (*y)->name);

    return order != 0 ? order : *x < *y ? -1 : 1;
}

static int rename_raw(struct source_folder *f, struct err *e)
{
    struct buf name = BUF_INIT(LIMIT_FOLDER_NAME * 4);
    char *copy = NULL;

    if (folder_from_raw(slice_str(f->wire_name), &name) == 0)
        copy = strdup(buf_cstr(&name));
    buf_release(&name);
    if (copy == NULL)
        return err_nomem(e);
    free(f->name);
    f->name = copy;
    return 0;
}

/* A folder that is listed twice counts once; two folders that decode to one name are told apart by their bytes. */
static int settle_names(struct source_folders *f, struct err *e)
{
    struct source_folder **sorted = malloc((f->count + 1) * sizeof(struct source_folder *)), *first = NULL;
    size_t kept = 0;
    int rc = -1;

    if (sorted == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < f->count; i++)
        sorted[i] = &f->v[i];
    qsort(sorted, f->count, sizeof(struct source_folder *), compare_names);
    for (size_t i = 0; i < f->count; i++) {
        if (i == 0 || strcmp(first->name, sorted[i]->name) != 0)
            first = sorted[i];
        else if (is_wire(first, sorted[i]->wire_name))
            sorted[i]->listed_twice = true;
        else if (rename_raw(sorted[i], e) != 0)
            goto out;
    }
    for (size_t i = 0; i < f->count; i++) {
        if (!f->v[i].listed_twice) {
            f->v[kept++] = f->v[i];
            continue;
        }
        free(f->v[i].name);
        free(f->v[i].wire_name);
    }
    f->count = kept;
    rc = 0;
out:
    free(sorted);
    return rc;
}

static int take_list(struct scan *scan, const struct imap_response *r, struct err *e)
{
    struct buf wire = BUF_INIT(LIMIT_FOLDER_NAME * 4), name = BUF_INIT(LIMIT_FOLDER_NAME * 4);
    struct imap_list list;
    bool readable;
    int rc = -1;

    readable = imap_parse_list(r->rest, &list, &wire) == 0 && !slice_has_nul(buf_slice(&wire)) && wire.len > 0;
    scan->bytes += readable ? wire.len : r->rest.n;
    if (wire.len > LIMIT_FOLDER_NAME || scan->bytes > LIMIT_FOLDER_BYTES) {
        err_set(e, E_PROTO, "the server's folder names are longer than any real ones");
        goto out;
    }
    if (!readable) {
        if (scan->unreadable++ == 0)
            log_warn("the server lists a folder whose name cannot be read; it is left out");
        rc = 0;
        goto out;
    }
    if (decode_name(scan->si, buf_slice(&wire), list.delimiter, &name) != 0) {
        err_nomem(e);
        goto out;
    }
    struct source_folder folder = {
        .name = name.p, .wire_name = wire.p, .delimiter = list.delimiter, .attrs = list.attrs
    };
    if ((list.attrs & (IMAP_ATTR_TRASH | IMAP_ATTR_NOSELECT)) == IMAP_ATTR_TRASH && scan->si->trash == NULL)
        scan->si->trash = strdup(wire.p);
    rc = (list.attrs & IMAP_ATTR_NOSELECT) != 0 ? 0 : source_folders_add(scan->out, &folder, e);
    scan->last = scan->out->count - (scan->out->count > 0);
out:
    buf_release(&wire);
    buf_release(&name);
    return rc;
}

static int take_status(struct scan *scan, const struct imap_response *r)
{
    struct buf wire = BUF_INIT(LIMIT_FOLDER_NAME * 4);
    struct imap_status_items items;
    struct source_folder *f;

    if (imap_parse_status(r->rest, &items, &wire) == 0 && (f = find_wire(scan, buf_cstr(&wire))) != NULL) {
        f->has_status = items.has_messages && items.has_uidnext && items.has_uidvalidity && !is_open(scan->si, f);
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
    if (!imap_unproven(scan->si))
        imap_patient(im);
    return imap_finish(im, tag, &handler, done, e);
}

/* With STATUS and special use in one, where the server can; plain, where it said so and cannot. */
static int list_all(struct scan *scan, struct err *e)
{
    uint64_t caps = imap_caps(scan->si->im);
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

    return find_wire(scan, "INBOX") != NULL ? 0 : source_folders_add(scan->out, &inbox, e);
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
        if (!more || scan->out->v[i].has_status || is_open(scan->si, &scan->out->v[i]) ||
            !wanted(ctx, &scan->out->v[i]))
            continue;
        imap_begin(im, &tags[(first + count++) % STATUS_WINDOW]);
        imap_text(im, "STATUS ");
        imap_string_arg(im, slice_str(scan->out->v[i].wire_name));
        imap_text(im, " " STATUS_ITEMS);
        imap_end(im);
    }
    return 0;
}

static int scan_folders(struct source_imap *si, bool (*wanted)(void *ctx, const struct source_folder *f), void *ctx,
                        struct source_folders *out, struct err *e)
{
    struct scan scan = { .si = si, .out = out };

    if (!si->source.only_inbox && list_all(&scan, e) != 0)
        return -1;
    if (settle_names(out, e) != 0 || add_inbox(&scan, e) != 0)
        return -1;
    return si->source.no_status ? 0 : ask_status(&scan, wanted, ctx, e);
}

int imap_scan_folders(struct source *s, bool (*wanted)(void *ctx, const struct source_folder *f), void *ctx,
                      struct source_folders *out, struct err *e)
{
    struct source_imap *si = imap_self(s);

    if (scan_folders(si, wanted, ctx, out, e) != 0) {
        if (imap_anew(si, e) != 0)
            return -1;
        source_folders_release(out);
        if (scan_folders(si, wanted, ctx, out, e) != 0)
            return -1;
    }
    return imap_see_folders(si, wanted, ctx, out, e);
}
