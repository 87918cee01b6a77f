/* SPDX-License-Identifier: MIT
 * Bodies and header blocks: many messages to a FETCH, several FETCHes in flight, everything streamed.
 *
 * A body may come before its UID, and it may come for a message that nobody asked for: it counts only once its response
 * has ended with a UID that is in flight and not done. What an answered FETCH did not bring is asked for once more,
 * alone; then it has failed, or is gone (RFC 3501 section 6.4.8: a UID that does not exist is no error).
 */
#include "base/log.h"
#include "base/num.h"
#include "base/stop.h"
#include "haul/intake_int.h"
#include "haul/source_imap_int.h"
#include "wire/header.h"
#include "wire/limits.h"

enum {
    WINDOW = 4, /* FETCH commands in flight */
    CHUNK_MESSAGES = 250,
    CHUNK_OCTETS = 16 * 1024 * 1024,
    CHUNK_BYTES = LIMIT_IN_FLIGHT / WINDOW - 128,
    /* So many single messages refused in a row, and none had: it is the server, not the messages. */
    ALL_REFUSED = 10,
};

int imap_take_fetch(const struct imap_response *r, struct imap_fetch *out)
{
    bool uidfetch = slice_ieq(r->name, SLICE("UIDFETCH"));

    if (!r->has_number || (!uidfetch && !slice_ieq(r->name, SLICE("FETCH"))) || imap_parse_fetch(r->rest, out) != 0)
        return -1;
    if (!uidfetch)
        return 0;
    if (r->number == 0 || (out->has_uid && out->uid != r->number))
        return -1;
    out->has_uid = true;
    out->uid = r->number;
    return 0;
}

const struct fetch_item *imap_find_item(const struct fetch_item *items, size_t from, size_t to, uint32_t uid)
{
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        if (items[mid].number == uid)
            return &items[mid];
        if (items[mid].number < uid)
            from = mid + 1;
        else
            to = mid;
    }
    return NULL;
}

/* --- the receiving side, for bodies and for header blocks ----------------------------------------------------- */

struct receiver {
    struct source_imap *si;
    const struct fetch_item *items;
    size_t from, to; /* in flight: items[from..to) */
    unsigned bodies; /* in the response that is being read */
    bool answered;   /* a response named a UID in flight, with or without body */
    /* Bodies. */
    struct intake *in;
    /* Header blocks. */
    int (*got)(void *ctx, const struct fetch_item *item, const struct header_facts *facts, struct err *e);
    void *got_ctx;
    struct header_scan header;
    struct digest digest;
};

/* False for a body that is far larger than any that is in flight was listed: whose it is may come after it. */
static bool plausible(const struct receiver *rx, uint64_t octets)
{
    uint64_t listed = 0;

    if (octets <= LIMIT_OCTETS_SLACK)
        return true;
    for (size_t i = rx->from; i < rx->to; i++) {
        if (rx->items[i].octets == 0)
            return true;
        listed = rx->items[i].octets > listed ? rx->items[i].octets : listed;
    }
    return octets - LIMIT_OCTETS_SLACK <= listed * LIMIT_OCTETS_FACTOR;
}

static int body_begin(void *ctx, uint64_t octets, struct err *e)
{
    struct receiver *rx = ctx;

    if (!plausible(rx, octets))
        return err_set(e, E_PROTO, "the server sends a message of %" PRIu64 " octets, far more than it listed", octets);
    rx->bodies++;
    if (rx->in != NULL)
        return intake_begin(rx->in, e);
    header_clear(&rx->header);
    return digest_start(&rx->digest, e);
}

static int body_data(void *ctx, struct slice bytes, struct err *e)
{
    struct receiver *rx = ctx;

    if (rx->in != NULL)
        return intake_data(rx->in, bytes, e);
    digest_add(&rx->digest, slice_make(bytes.p, header_feed(&rx->header, bytes)));
    return 0;
}

static int body_inline(struct receiver *rx, struct slice token, struct err *e)
{
    struct buf bytes = BUF_INIT(LIMIT_RESPONSE);
    int rc = -1;

    if (imap_string(&token, &bytes) != 0) {
        err_set(e, E_PROTO, "the server sent a message that is no IMAP string");
        goto out;
    }
    rc = body_begin(rx, bytes.len, e);
    if (rc == 0 && bytes.len > 0)
        rc = body_data(rx, buf_slice(&bytes), e);
out:
    buf_release(&bytes);
    return rc;
}

static int drop(struct receiver *rx)
{
    if (rx->in != NULL)
        intake_drop(rx->in);
    return 0;
}

static int complete_headers(struct receiver *rx, const struct fetch_item *item, const struct imap_fetch *f,
                            struct err *e)
{
    struct header_facts facts = { .object_id = f->object_id,
                                  .date = f->has_date ? f->date : 0,
                                  .octets = f->has_size ? f->size : item->octets };

    header_end(&rx->header);
    digest_finish(&rx->digest, facts.digest);
    facts.message_id = buf_slice(&rx->header.message_id);
    return rx->got(rx->got_ctx, item, &facts, e);
}

static int complete_body(struct receiver *rx, const struct fetch_item *item, const struct imap_fetch *f, struct err *e)
{
    struct arrival arrival = { .flags = f->has_flags ? f->flags : 0,
                               .date = f->has_date ? f->date : 0,
                               .object_id = f->object_id };

    return intake_done(rx->in, item, &arrival, e);
}

static int untagged(void *ctx, const struct imap_response *r, struct err *e)
{
    struct receiver *rx = ctx;
    const struct fetch_item *item = NULL;
    unsigned bodies = rx->bodies;
    struct imap_fetch f;
    uint32_t valid;

    rx->bodies = 0;
    if (slice_ieq(r->code, SLICE("UIDVALIDITY")) &&
        (num_parse_u32(r->code_args, &valid) != 0 || valid != rx->si->uidvalidity))
        return err_set(e, E_PROTO, "the server changed the folder's UIDVALIDITY while it was open");
    if (imap_take_fetch(r, &f) != 0)
        return drop(rx);
    if (f.has_uid)
        item = imap_find_item(rx->items, rx->from, rx->to, f.uid);
    if (item == NULL)
        return drop(rx);
    rx->answered = true;
    if (f.body == IMAP_BODY_INLINE && bodies == 0) {
        if (body_inline(rx, f.body_inline, e) != 0)
            return -1;
        bodies = rx->bodies;
        rx->bodies = 0;
    }
    /* Flags alone, NIL, no body at all, a part of it, or two of them: not the message. */
    if (bodies != 1 || f.body_count != 1 || (f.body != IMAP_BODY_STREAMED && f.body != IMAP_BODY_INLINE) ||
        !slice_ieq(f.body_item, rx->in != NULL ? SLICE("BODY[]") : SLICE("BODY[HEADER]")))
        return drop(rx);
    return rx->in != NULL ? complete_body(rx, item, &f, e) : complete_headers(rx, item, &f, e);
}

static struct imap_handler handler_of(struct receiver *rx)
{
    return (struct imap_handler){ .ctx = rx, .untagged = untagged, .body_begin = body_begin, .body_data = body_data };
}

/* --- the asking side ------------------------------------------------------------------------------------------ */

struct chunk {
    uint32_t tag;
    size_t from, to;
};

static const char *object_item(const struct source_imap *si)
{
    if ((imap_caps(si->im) & IMAP_CAP_GMAIL) != 0)
        return " X-GM-MSGID";
    return (imap_caps(si->im) & IMAP_CAP_OBJECTID) != 0 ? " EMAILID" : "";
}

static void put_fetch_items(struct source_imap *si, bool headers)
{
    imap_text(si->im, " (UID FLAGS INTERNALDATE%s%s)", object_item(si),
              headers ? " RFC822.SIZE BODY.PEEK[HEADER]" : " BODY.PEEK[]");
}

/* Takes items from `from` on as far as one command reaches, sends it, and returns where the next begins. */
static int begin_chunk(struct source_imap *si, const struct fetch_item *items, size_t from, size_t count, bool headers,
                       struct chunk *out, struct err *e)
{
    struct uid_set set = UID_SET_INIT;
    struct buf text = BUF_INIT(LIMIT_COMMAND);
    uint32_t limit = imap_message_limit(si->im);
    size_t most = limit != 0 && limit < CHUNK_MESSAGES ? limit : CHUNK_MESSAGES, at = 0, to = from;
    uint64_t octets = 0;
    int rc = -1;

    while (to < count && to - from < most && (to == from || octets + items[to].octets <= CHUNK_OCTETS) &&
           set.count < CHUNK_BYTES / 24) {
        octets += items[to].octets;
        if (uid_set_add(&set, items[to++].number) != 0) {
            err_nomem(e);
            goto out;
        }
    }
    if (uid_set_put(&set, &at, LIMIT_COMMAND - 256, &text) != 0) {
        err_nomem(e);
        goto out;
    }
    imap_begin(si->im, &out->tag);
    imap_text(si->im, "UID FETCH %s", buf_cstr(&text));
    put_fetch_items(si, headers);
    imap_end(si->im);
    if (!headers)
        imap_expect(si->im, octets);
    out->from = from;
    out->to = to;
    rc = 0;
out:
    uid_set_release(&set);
    buf_release(&text);
    return rc;
}

static int throttled(struct source_imap *si, const struct imap_done *done, struct err *e)
{
    return imap_refused(si->im, done, E_BUSY, "to send more mail now", e);
}

/* All items in chunks, WINDOW of them in flight. */
static int fetch_chunks(struct receiver *rx, size_t count, struct err *e)
{
    struct source_imap *si = rx->si;
    struct imap_handler handler = handler_of(rx);
    struct chunk chunks[WINDOW];
    size_t first = 0, in_flight = 0, next = 0;
    struct imap_done done;

    while (next < count || in_flight > 0) {
        while (next < count && in_flight < WINDOW) {
            struct chunk *c = &chunks[(first + in_flight) % WINDOW];
            if (begin_chunk(si, rx->items, next, count, rx->in == NULL, c, e) != 0)
                return -1;
            next = c->to;
            in_flight++;
        }
        rx->from = chunks[first].from;
        rx->to = next;
        if (imap_finish(si->im, chunks[first].tag, &handler, &done, e) != 0)
            return -1;
        if (done.status != IMAP_OK && imap_throttled(&done))
            return throttled(si, &done, e);
        if (stop_requested() != 0)
            return err_set(e, E_STOPPED, "stopped by a signal");
        first = (first + 1) % WINDOW;
        in_flight--;
    }
    imap_expect(si->im, 0);
    return 0;
}

/* Whether the server still has this UID at all. */
static int still_there(struct receiver *rx, const struct fetch_item *item, bool *there_out, struct err *e)
{
    struct imap_handler handler = handler_of(rx);
    struct imap_done done;
    uint32_t tag;

    rx->answered = false;
    imap_begin(rx->si->im, &tag);
    imap_text(rx->si->im, "UID FETCH %" PRIu32 " (UID)", item->number);
    imap_end(rx->si->im);
    if (imap_finish(rx->si->im, tag, &handler, &done, e) != 0)
        return -1;
    *there_out = rx->answered || done.status != IMAP_OK;
    return 0;
}

/* One message that a FETCH of many did not bring, once more and alone. */
static int fetch_single(struct receiver *rx, size_t index, bool *refused_out, struct err *e)
{
    const struct fetch_item *item = &rx->items[index];
    struct imap_handler handler = handler_of(rx);
    struct imap_done done;
    struct chunk chunk;
    struct err why = ERR_INIT;
    bool there;

    rx->from = index;
    rx->to = index + 1;
    if (begin_chunk(rx->si, rx->items, index, index + 1, false, &chunk, e) != 0 ||
        imap_finish(rx->si->im, chunk.tag, &handler, &done, e) != 0)
        return -1;
    *refused_out = false;
    if (done.status != IMAP_OK && imap_throttled(&done))
        return throttled(rx->si, &done, e);
    if (intake_is_done(rx->in, index))
        return 0;
    if (still_there(rx, item, &there, e) != 0)
        return -1;
    if (intake_is_done(rx->in, index)) /* late, but here */
        return 0;
    if (!there)
        return intake_gone(rx->in, item, e);
    *refused_out = true;
    if (done.status != IMAP_OK)
        imap_refused(rx->si->im, &done, E_MESSAGE, "to send the message", &why);
    else
        err_set(&why, E_MESSAGE, "the server answered OK, but did not send the message");
    why.code = E_MESSAGE;
    return intake_failed(rx->in, item, &why, e);
}

int imap_fetch_bodies(struct source *s, const struct fetch_item *items, size_t count, struct intake *in, struct err *e)
{
    struct receiver rx = { .si = imap_self(s), .items = items, .in = in };
    unsigned refused = 0;
    bool any = false;

    if (fetch_chunks(&rx, count, e) != 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        any |= intake_is_done(in, i);
    for (size_t i = 0; i < count; i++) {
        bool was_refused;

        if (intake_is_done(in, i))
            continue;
        if (!any && refused >= ALL_REFUSED)
            return err_set(e, E_BUSY, "the server refuses one message after the other; the rest is left for later");
        if (fetch_single(&rx, i, &was_refused, e) != 0)
            return -1;
        refused += was_refused;
        any |= !was_refused;
    }
    return 0;
}

int imap_fetch_headers(struct source *s, const struct fetch_item *items, size_t count,
                       int (*got)(void *ctx, const struct fetch_item *item, const struct header_facts *facts,
                                  struct err *e),
                       void *ctx, struct err *e)
{
    struct receiver rx = { .si = imap_self(s), .items = items, .got = got, .got_ctx = ctx };
    int rc = -1;

    header_init(&rx.header);
    if (digest_init(&rx.digest, e) == 0)
        rc = fetch_chunks(&rx, count, e);
    digest_release(&rx.digest);
    header_release(&rx.header);
    return rc;
}
