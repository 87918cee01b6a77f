/* SPDX-License-Identifier: MIT
 * What is in a folder: SELECT or EXAMINE, and in the same flight the UIDs from the first one that is not known.
 */
#include "base/log.h"
#include "base/num.h"
#include "haul/source_imap_int.h"

struct opening {
    struct listing *out;
    bool exists;
};

static int take_code(struct opening *o, const struct imap_response *r)
{
    if (slice_ieq(r->code, SLICE("UIDVALIDITY")))
        return num_parse_u32(r->code_args, &o->out->uidvalidity);
    if (slice_ieq(r->code, SLICE("UIDNEXT")))
        return num_parse_u32(r->code_args, &o->out->uidnext);
    if (slice_ieq(r->code, SLICE("HIGHESTMODSEQ")))
        return num_parse_u64(r->code_args, &o->out->modseq);
    return 0;
}

static int opening_untagged(void *ctx, const struct imap_response *r, struct err *e)
{
    struct opening *o = ctx;

    if (r->has_number && slice_ieq(r->name, SLICE("EXISTS"))) {
        o->out->messages = r->number;
        o->exists = true;
    }
    if (r->code.n > 0 && take_code(o, r) != 0) {
        err_set(e, E_PROTO, "the server sent a number that is none");
        err_scope(e, SCOPE_FOLDER);
        return err_peer(e, r->code_args);
    }
    return 0;
}

struct uids {
    struct listing *out;
    uint32_t from;
    uint32_t last; /* the highest so far, to keep the listing ascending */
    bool disorder;
    bool partial; /* the server left some out */
};

static int uids_untagged(void *ctx, const struct imap_response *r, struct err *e)
{
    struct uids *u = ctx;
    struct imap_fetch fetch;

    if (r->has_number && slice_ieq(r->name, SLICE("EXISTS")))
        u->out->messages = r->number;
    if (imap_take_fetch(r, &fetch) != 0 || !fetch.has_uid)
        return 0;
    /* "n:*" names the last message even when its UID is lower (RFC 3501 section 6.4.8). */
    if (fetch.uid < u->from)
        return 0;
    u->disorder |= fetch.uid <= u->last;
    u->last = fetch.uid > u->last ? fetch.uid : u->last;
    return listing_add(u->out, fetch.uid, fetch.has_size ? fetch.size : 0, fetch.object_id, e);
}

static int compare_entries(const void *a, const void *b)
{
    const struct listing_entry *x = a, *y = b;

    return x->number < y->number ? -1 : x->number > y->number;
}

static void sort_entries(struct listing *l)
{
    size_t kept = 0;

    if (l->count > 0)
        qsort(l->v, l->count, sizeof(*l->v), compare_entries);
    for (size_t i = 0; i < l->count; i++) {
        if (i == 0 || l->v[i].number != l->v[kept - 1].number)
            l->v[kept++] = l->v[i];
    }
    l->count = kept;
}

static void begin_uids(struct imap *im, uint32_t from, uint32_t to, uint32_t *tag)
{
    imap_begin(im, tag);
    if (to == 0)
        imap_text(im, "UID FETCH %" PRIu32 ":* (UID RFC822.SIZE)", from);
    else
        imap_text(im, "UID FETCH %" PRIu32 ":%" PRIu32 " (UID RFC822.SIZE)", from, to);
    imap_end(im);
}

/* RFC 9738: a server with MESSAGELIMIT answers for the highest ones and tells how far down it got. */
static int finish_uids(struct imap *im, uint32_t from, uint32_t tag, struct uids *u, struct imap_done *done,
                       struct err *e)
{
    struct imap_handler handler = { .ctx = u, .untagged = uids_untagged };
    uint32_t below = 0;

    for (;;) {
        size_t before = u->out->count;
        uint32_t limit, lowest;
        struct slice args;

        if (imap_finish(im, tag, &handler, done, e) != 0)
            return -1;
        args = slice_str(done->code_args);
        if (!slice_ieq(slice_str(done->code), SLICE("MESSAGELIMIT")) || num_take_u32(&args, &limit) != 0)
            return 0;
        args = slice_trim(args);
        u->partial = num_take_u32(&args, &lowest) != 0;
        if (u->partial || lowest <= from)
            return 0;
        u->partial = (below != 0 && lowest >= below) || u->out->count == before;
        if (u->partial)
            return 0;
        below = lowest;
        u->last = 0;
        u->disorder = true;
        begin_uids(im, from, lowest - 1, &tag);
    }
}

static int open_folder(struct source_imap *si, const struct list_request *request, uint32_t *tag_out, struct err *e)
{
    struct imap *im = si->im;

    free(si->folder);
    si->folder = strdup(request->folder->wire_name);
    if (si->folder == NULL)
        return err_nomem(e);
    imap_opening(im);
    imap_begin(im, tag_out);
    imap_text(im, request->writable ? "SELECT " : "EXAMINE ");
    imap_string_arg(im, slice_str(request->folder->wire_name));
    imap_end(im);
    if (!si->selected_any && !imap_unproven(si))
        imap_patient(im);
    si->selected_any = true;
    return 0;
}

static uint32_t first_unknown(const struct list_request *request, uint32_t uidvalidity)
{
    const struct journal_folder *known = request->known;

    if (request->complete || known->id == 0 || known->uidvalidity != uidvalidity || known->uidnext == 0)
        return 1;
    return known->uidnext;
}

static int finish_open(struct source_imap *si, uint32_t tag, struct listing *out, struct err *e)
{
    struct opening opening = { .out = out };
    struct imap_handler handler = { .ctx = &opening, .untagged = opening_untagged };
    struct imap_done done;

    if (imap_finish(si->im, tag, &handler, &done, e) != 0)
        return -1;
    if (done.status != IMAP_OK) {
        imap_refused(si->im, &done, E_BUSY, "to open the folder", e);
        if (!imap_throttled(&done) && e->code != E_AUTH && e->code != E_TLS)
            err_scope(e, SCOPE_FOLDER);
        return -1;
    }
    if (out->uidvalidity == 0) {
        err_set(e, E_PROTO,
                "the server gives no UIDVALIDITY, so its messages cannot be told apart from one pass to the next");
        return err_scope(e, SCOPE_FOLDER);
    }
    return 0;
}

int imap_examine(struct source_imap *si, const struct source_folder *folder, struct listing *out, struct err *e)
{
    struct list_request request = { .folder = folder };
    uint32_t tag;

    return open_folder(si, &request, &tag, e) == 0 ? finish_open(si, tag, out, e) : -1;
}

static int list_folder(struct source_imap *si, const struct list_request *request, struct listing *out, struct err *e)
{
    struct imap *im = si->im;
    uint32_t guess = request->folder->has_status ? request->folder->uidvalidity : request->known->uidvalidity;
    uint32_t from = first_unknown(request, guess), open_tag, uids_tag;
    struct uids uids = { .out = out };
    struct imap_done done;
    struct err later;

    if (open_folder(si, request, &open_tag, e) != 0)
        return -1;
    begin_uids(im, from, 0, &uids_tag);
    if (finish_open(si, open_tag, out, e) != 0) {
        if (e->scope == SCOPE_FOLDER && imap_finish(im, uids_tag, NULL, &done, &later) != 0)
            *e = later;
        return -1;
    }
    si->uidvalidity = out->uidvalidity;
    uids.from = from;
    if (finish_uids(im, from, uids_tag, &uids, &done, e) != 0)
        return -1;
    if (first_unknown(request, out->uidvalidity) != from) {
        /* The folder is another one than STATUS, or the last pass, had said. */
        out->count = 0;
        uids = (struct uids){ .out = out, .from = first_unknown(request, out->uidvalidity) };
        begin_uids(im, uids.from, 0, &uids_tag);
        if (finish_uids(im, uids.from, uids_tag, &uids, &done, e) != 0)
            return -1;
    }
    if (done.status != IMAP_OK && out->messages > 0) {
        if (imap_throttled(&done))
            return imap_refused(im, &done, E_BUSY, "to list the messages now", e);
        if (out->count == 0) {
            imap_refused(im, &done, E_BUSY, "to list the messages", e);
            return err_scope(e, SCOPE_FOLDER);
        }
        uids.partial = true;
    }
    if (uids.disorder)
        sort_entries(out);
    if (out->count > 0 && out->uidnext <= out->v[out->count - 1].number)
        out->uidnext = out->v[out->count - 1].number + 1;
    imap_see_listing(si, request->folder->wire_name, out);
    /* What was left out has to be found in the next pass. */
    if (out->uidnext == 0 || uids.partial)
        out->uidnext = uids.from;
    out->complete = uids.from == 1 && !uids.partial;
    return 0;
}

int imap_list_folder(struct source *s, const struct list_request *request, struct listing *out, struct err *e)
{
    struct source_imap *si = imap_self(s);

    if (list_folder(si, request, out, e) == 0)
        return 0;
    if (imap_anew(si, e) != 0)
        return -1;
    listing_clear(out);
    return list_folder(si, request, out, e);
}
