/* SPDX-License-Identifier: MIT
 * Was it appended already? The folder is looked at from the UIDNEXT on that was recorded before the APPEND: first the
 * sizes, then the header blocks of those that have the right one; then, for servers whose RFC822.SIZE is a guess, what
 * SEARCH finds under the Message-ID. SEARCH alone would not do: there are servers whose answers are not to be trusted,
 * and lists send copies under one Message-ID that are other messages.
 */
#include "haul/sink_imap_int.h"

#include <strings.h>

#include "base/log.h"
#include "base/num.h"
#include "haul/source_imap_int.h"
#include "net/digest.h"
#include "wire/crlf.h"
#include "wire/header.h"
#include "wire/limits.h"

enum {
    CANDIDATES_MAX = 20000, /* header blocks that are fetched at most */
    SET_ROOM = 2000,        /* octets of a set in one FETCH */
    SEARCH_WINDOW = 4,
};

/* A message that is looked for. */
struct wanted {
    size_t slot;
    uint32_t from; /* the first UID that it can have */
    uint32_t uid;  /* found; 0: not */
    uint64_t octets;
    unsigned char digest[DIGEST_SIZE]; /* of the header block */
    char *message_id;                  /* owned; "" for none */
};

struct lookup {
    struct appender *a;
    struct imap_target *target;
    struct wanted *v; /* owned */
    size_t count;
    uint32_t from;        /* the lowest of all */
    uint32_t uidvalidity; /* of the folder as it was opened */
    uint32_t uidnext;
    bool empty;               /* the folder, when it was opened */
    struct imap_done refusal; /* of a question about what is in it; IMAP_OK: all were answered */
    struct uid_set candidates;
    struct uid_set found; /* of SEARCH, not yet looked at */
    struct header_scan header;
    struct digest digest;
    unsigned bodies; /* in the response that is being read */
};

/* --- what the message is ---------------------------------------------------------------------------------------- */

static int scan_header(struct lookup *l, struct spool_file *file, struct err *e)
{
    struct sink_imap *si = l->a->si;
    struct crlf form = CRLF_INIT(CRLF_EXACT);
    uint64_t offset = 0;
    size_t n = 1;

    header_clear(&l->header);
    if (digest_start(&l->digest, e) != 0)
        return -1;
    while (n > 0 && !l->header.done) {
        struct slice in;

        if (spool_read(file, offset, si->from_spool, IMAP_SPOOL_CHUNK, &n, e) != 0)
            return -1;
        offset += n;
        for (in = slice_make(si->from_spool, n); in.n > 0;) {
            struct slice wire = slice_make(si->to_wire, crlf_put(&form, &in, si->to_wire, sizeof(si->to_wire)));
            digest_add(&l->digest, slice_make(wire.p, header_feed(&l->header, wire)));
        }
    }
    header_end(&l->header);
    return 0;
}

static int add_wanted(struct lookup *l, size_t slot, struct err *e)
{
    const struct imap_mail *mail = append_mail(l->a, slot);
    struct wanted *w = &l->v[l->count];

    if (scan_header(l, mail->file, e) != 0)
        return -1;
    *w = (struct wanted){ .slot = slot, .octets = spool_facts(mail->file)->exact_octets };
    digest_finish(&l->digest, w->digest);
    w->message_id = slice_dup(buf_slice(&l->header.message_id));
    if (w->message_id == NULL)
        return err_nomem(e);
    l->count++;
    return 0;
}

/* What was recorded before the APPEND means nothing any more in a folder that has been made anew since. */
static void set_from(struct lookup *l, struct wanted *w)
{
    struct slice name = slice_str(l->a->slots[w->slot]->name);
    uint32_t uidvalidity = 0, uid = 0;

    w->from = 1;
    if (num_take_u32(&name, &uidvalidity) == 0 && slice_starts(name, SLICE(".")) &&
        num_parse_u32(slice_from(name, 1), &uid) == 0 && uidvalidity == l->uidvalidity && uid > 0)
        w->from = uid;
    if (w->from < l->from)
        l->from = w->from;
}

/* --- what is in the folder -------------------------------------------------------------------------------------- */

static bool is_taken(const struct lookup *l, uint32_t uid)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->v[i].uid == uid)
            return true;
    }
    for (size_t i = 0; i < l->a->count; i++) {
        const struct imap_mail *mail = append_mail(l->a, i);
        if (mail->target == l->target && mail->uid == uid)
            return true;
    }
    return false;
}

/* Some servers want an end to the last line, and get one. */
static bool has_size(const struct wanted *w, uint64_t octets)
{
    return octets == w->octets || octets == w->octets + 2;
}

static int sizes_untagged(void *ctx, const struct imap_response *r, struct err *e)
{
    struct lookup *l = ctx;
    struct imap_fetch f;

    if (imap_take_fetch(r, &f) != 0 || !f.has_uid || !f.has_size || f.uid < l->from ||
        uid_set_size(&l->candidates) >= CANDIDATES_MAX)
        return 0;
    for (size_t i = 0; i < l->count; i++) {
        if (f.uid < l->v[i].from || !has_size(&l->v[i], f.size))
            continue;
        return uid_set_add(&l->candidates, f.uid) == 0 ? 0 : err_nomem(e);
    }
    return 0;
}

static void match(struct lookup *l, const struct imap_fetch *f, const unsigned char digest[DIGEST_SIZE])
{
    struct slice id = buf_slice(&l->header.message_id);

    if (is_taken(l, f->uid))
        return;
    for (size_t i = 0; i < l->count; i++) {
        struct wanted *w = &l->v[i];
        bool same_id = id.n > 0 && slice_eq(id, slice_str(w->message_id));
        bool same_header = memcmp(digest, w->digest, DIGEST_SIZE) == 0;

        if (w->uid != 0 || f->uid < w->from)
            continue;
        if (f->has_size && has_size(w, f->size) ? same_header || same_id : same_header && same_id) {
            w->uid = f->uid;
            return;
        }
    }
}

static int header_begin(void *ctx, uint64_t octets, struct err *e)
{
    struct lookup *l = ctx;

    (void)octets;
    l->bodies++;
    header_clear(&l->header);
    return digest_start(&l->digest, e);
}

static int header_data(void *ctx, struct slice bytes, struct err *e)
{
    struct lookup *l = ctx;

    (void)e;
    digest_add(&l->digest, slice_make(bytes.p, header_feed(&l->header, bytes)));
    return 0;
}

static int header_inline(struct lookup *l, struct slice token, struct err *e)
{
    struct buf bytes = BUF_INIT(LIMIT_RESPONSE);
    int rc = 0;

    if (imap_string(&token, &bytes) == 0) {
        rc = header_begin(l, bytes.len, e);
        if (rc == 0)
            rc = header_data(l, buf_slice(&bytes), e);
    }
    buf_release(&bytes);
    return rc;
}

static int headers_untagged(void *ctx, const struct imap_response *r, struct err *e)
{
    struct lookup *l = ctx;
    unsigned bodies = l->bodies;
    unsigned char digest[DIGEST_SIZE];
    struct imap_fetch f;

    l->bodies = 0;
    if (imap_take_fetch(r, &f) != 0 || !f.has_uid)
        return 0;
    if (f.body == IMAP_BODY_INLINE && bodies == 0) {
        if (header_inline(l, f.body_inline, e) != 0)
            return -1;
        bodies = l->bodies;
        l->bodies = 0;
    }
    if (bodies != 1 || f.body_count != 1)
        return 0;
    header_end(&l->header);
    digest_finish(&l->digest, digest);
    match(l, &f, digest);
    return 0;
}

static int take_search(struct lookup *l, struct slice rest, struct err *e)
{
    uint32_t uid;

    for (rest = slice_trim(rest); num_take_u32(&rest, &uid) == 0; rest = slice_trim(rest)) {
        if (uid < l->from || uid_set_has(&l->candidates, uid) || uid_set_size(&l->found) >= CANDIDATES_MAX)
            continue;
        if (uid_set_add(&l->found, uid) != 0)
            return err_nomem(e);
    }
    return 0;
}

/* RFC 4731: (TAG "m5") UID ALL 2,10:11 */
static int take_esearch(struct lookup *l, struct slice rest, struct err *e)
{
    struct uid_set set = UID_SET_INIT;
    const char *all = rest.n > 0 ? memmem(rest.p, rest.n, " ALL ", 5) : NULL;
    int rc = 0;

    if (all == NULL)
        return 0;
    rest = slice_from(rest, (size_t)(all - rest.p) + 5);
    while (rest.n > 0 && memchr(rest.p, ' ', rest.n) != NULL)
        rest.n--;
    if (uid_set_parse(rest, CANDIDATES_MAX, &set) != 0 || uid_set_size(&set) > CANDIDATES_MAX)
        goto out;
    for (size_t i = 0; i < set.count && rc == 0; i++) {
        for (uint64_t uid = set.ranges[i].first; uid <= set.ranges[i].last && rc == 0; uid++) {
            if (uid >= l->from && !uid_set_has(&l->candidates, (uint32_t)uid) &&
                uid_set_add(&l->found, (uint32_t)uid) != 0)
                rc = err_nomem(e);
        }
    }
out:
    uid_set_release(&set);
    return rc;
}

static int search_untagged(void *ctx, const struct imap_response *r, struct err *e)
{
    if (slice_ieq(r->name, SLICE("SEARCH")))
        return take_search(ctx, r->rest, e);
    return slice_ieq(r->name, SLICE("ESEARCH")) ? take_esearch(ctx, r->rest, e) : 0;
}

/* --- the questions ---------------------------------------------------------------------------------------------- */

static int opened_untagged(void *ctx, const struct imap_response *r, struct err *e)
{
    struct lookup *l = ctx;

    (void)e;
    /* A number that is none stays unknown. */
    if ((slice_ieq(r->code, SLICE("UIDVALIDITY")) && num_parse_u32(r->code_args, &l->uidvalidity) != 0) ||
        (slice_ieq(r->code, SLICE("UIDNEXT")) && num_parse_u32(r->code_args, &l->uidnext) != 0))
        log_debug("the server sent a number that is none");
    if (slice_ieq(r->name, SLICE("EXISTS")) && r->has_number)
        l->empty = r->number == 0;
    return 0;
}

static int open_folder(struct lookup *l, struct imap_done *done, struct err *e)
{
    struct imap_handler handler = { .ctx = l, .untagged = opened_untagged };
    struct imap *im = l->a->si->im;
    uint32_t tag;

    imap_opening(im);
    imap_begin(im, &tag);
    imap_text(im, "EXAMINE ");
    imap_string_arg(im, slice_str(l->target->wire));
    imap_end(im);
    imap_patient(im);
    return imap_finish(im, tag, &handler, done, e);
}

/* What was not told may be there. */
static void note_refusal(struct lookup *l, const struct imap_done *done)
{
    if (done->status != IMAP_OK && l->refusal.status == IMAP_OK)
        l->refusal = *done;
}

static int fetch_sizes(struct lookup *l, struct err *e)
{
    struct imap_handler handler = { .ctx = l, .untagged = sizes_untagged };
    struct imap_done done;
    uint32_t tag;

    imap_begin(l->a->si->im, &tag);
    imap_text(l->a->si->im, "UID FETCH %" PRIu32 ":* (UID RFC822.SIZE)", l->from);
    imap_end(l->a->si->im);
    imap_patient(l->a->si->im);
    if (imap_finish(l->a->si->im, tag, &handler, &done, e) != 0)
        return -1;
    note_refusal(l, &done);
    return 0;
}

static int fetch_headers(struct lookup *l, const struct uid_set *set, struct err *e)
{
    struct imap_handler handler = {
        .ctx = l, .untagged = headers_untagged, .body_begin = header_begin, .body_data = header_data
    };
    struct buf text = BUF_INIT(LIMIT_COMMAND);
    struct imap_done done;
    uint32_t tag;
    int rc = -1;

    for (size_t at = 0; at < set->count;) {
        buf_clear(&text);
        if (uid_set_put(set, &at, SET_ROOM, &text) != 0) {
            err_nomem(e);
            goto out;
        }
        imap_begin(l->a->si->im, &tag);
        imap_text(l->a->si->im, "UID FETCH %s (UID RFC822.SIZE BODY.PEEK[HEADER])", buf_cstr(&text));
        imap_end(l->a->si->im);
        if (imap_finish(l->a->si->im, tag, &handler, &done, e) != 0)
            goto out;
        note_refusal(l, &done);
    }
    rc = 0;
out:
    buf_release(&text);
    return rc;
}

/* What a command line may hold as it is. */
static bool searchable(const struct wanted *w)
{
    size_t n = strlen(w->message_id);

    for (size_t i = 0; i < n; i++) {
        if (w->message_id[i] <= ' ' || w->message_id[i] > '~')
            return false;
    }
    return w->uid == 0 && n > 0 && n <= 900;
}

static int search_all(struct lookup *l, struct err *e)
{
    struct imap_handler handler = { .ctx = l, .untagged = search_untagged };
    uint32_t tags[SEARCH_WINDOW];
    struct imap_done done;
    size_t next = 0;

    while (next < l->count) {
        size_t n = 0;

        for (; next < l->count && n < SEARCH_WINDOW; next++) {
            if (!searchable(&l->v[next]))
                continue;
            imap_begin(l->a->si->im, &tags[n++]);
            imap_text(l->a->si->im, "UID SEARCH UID %" PRIu32 ":* HEADER Message-ID ", l->v[next].from);
            imap_string_arg(l->a->si->im, slice_str(l->v[next].message_id));
            imap_end(l->a->si->im);
        }
        for (size_t i = 0; i < n; i++) {
            if (imap_finish(l->a->si->im, tags[i], &handler, &done, e) != 0)
                return -1;
            /* BAD: it cannot search for that. The sizes have to do. */
            if (done.status == IMAP_NO)
                note_refusal(l, &done);
        }
    }
    return fetch_headers(l, &l->found, e);
}

/* --- the answer ------------------------------------------------------------------------------------------------- */

/* The server would not tell all: nobody knows. */
static void settle_unknown(struct lookup *l, const struct imap_done *done, enum err_code usual, const char *what)
{
    char words[ERR_TEXT_MAX + ERR_PEER_MAX];
    struct err why;

    imap_refused(l->a->si->im, done, usual, what, &why);
    err_format(&why, words, sizeof(words));
    for (size_t i = 0; i < l->count; i++) {
        if (l->v[i].uid == 0)
            append_settle(l->a, l->v[i].slot, DELIVERY_IN_DOUBT, words);
    }
}

static void settle_wanted(struct lookup *l)
{
    if (l->refusal.status != IMAP_OK)
        settle_unknown(l, &l->refusal, E_REJECTED, "to tell what is in the folder in which it may be");
    for (size_t i = 0; i < l->count; i++) {
        const struct wanted *w = &l->v[i];
        struct imap_mail *mail = append_mail(l->a, w->slot);
        struct sink_slot *slot = l->a->slots[w->slot];

        mail->doubt = false;
        if (mail->stage == IMAP_SETTLED)
            continue;
        if (mail->cut && w->uid == 0) {
            /* A server that took so long over it may yet have it: the next pass looks again. */
            append_settle(l->a, w->slot, DELIVERY_IN_DOUBT, NULL);
            continue;
        }
        slot->state = DELIVERY_WANTED;
        free(slot->why);
        slot->why = NULL;
        if (w->uid != 0) {
            log_info("destination %s: %s is in %s already; it is not appended again", l->a->si->sink.name,
                     w->message_id[0] != '\0' ? w->message_id : "a message without Message-ID", l->target->shown);
            append_delivered(l->a, w->slot, l->uidvalidity, w->uid);
        }
    }
}

static bool no_such_folder(const struct imap_done *done)
{
    return strcasecmp(done->code, "NONEXISTENT") == 0 || strcasecmp(done->code, "TRYCREATE") == 0;
}

static int look_into(struct lookup *l, struct err *e)
{
    struct imap_done done;

    if (open_folder(l, &done, e) != 0)
        return -1;
    if (done.status != IMAP_OK && !no_such_folder(&done)) {
        settle_unknown(l, &done, E_NOFOLDER, "to open the folder in which it may be");
        return 0;
    }
    l->from = UINT32_MAX;
    for (size_t i = 0; i < l->count; i++)
        set_from(l, &l->v[i]);
    /* Nothing has come since. */
    if (done.status == IMAP_OK && !l->empty && (l->uidnext == 0 || l->from < l->uidnext) &&
        (fetch_sizes(l, e) != 0 || fetch_headers(l, &l->candidates, e) != 0 || search_all(l, e) != 0))
        return -1;
    settle_wanted(l);
    return 0;
}

static int look_up_target(struct appender *a, struct imap_target *target, struct err *e)
{
    struct lookup l = { .a = a, .target = target, .refusal = { .status = IMAP_OK } };
    int rc = -1;

    header_init(&l.header);
    l.v = calloc(a->count, sizeof(*l.v));
    if (l.v == NULL) {
        err_nomem(e);
        goto out;
    }
    if (digest_init(&l.digest, e) != 0)
        goto out;
    for (size_t i = 0; i < a->count; i++) {
        const struct imap_mail *mail = append_mail(a, i);
        if (mail->doubt && mail->stage == IMAP_WAITING && mail->target == target && add_wanted(&l, i, e) != 0)
            goto out;
    }
    rc = look_into(&l, e);
out:
    for (size_t i = 0; i < l.count; i++)
        free(l.v[i].message_id);
    free(l.v);
    uid_set_release(&l.candidates);
    uid_set_release(&l.found);
    digest_release(&l.digest);
    header_release(&l.header);
    return rc;
}

int imap_look_up(struct appender *a, struct err *e)
{
    bool looked = false;
    uint32_t tag;

    for (size_t i = 0; i < a->count && a->ending.code == E_NONE; i++) {
        const struct imap_mail *mail = append_mail(a, i);

        if (!mail->doubt || mail->stage != IMAP_WAITING)
            continue;
        if (mail->target->words != NULL) {
            append_settle(a, i, DELIVERY_IN_DOUBT, mail->target->words);
            continue;
        }
        looked = true;
        if (look_up_target(a, mail->target, e) != 0)
            return -1;
    }
    /* An open folder is told of each message that comes; nobody waits for the answer. */
    if (looked && (imap_caps(a->si->im) & IMAP_CAP_UNSELECT) != 0) {
        imap_begin(a->si->im, &tag);
        imap_text(a->si->im, "UNSELECT");
        imap_end(a->si->im);
    }
    return 0;
}
