/* SPDX-License-Identifier: MIT */
#include "haul/intake.h"

#include "base/clock.h"
#include "base/log.h"
#include "haul/haul_int.h"

enum {
#ifdef MAILHAUL_SMALL
    OUT_SIZE = 17,
#else
    OUT_SIZE = 64 * 1024,
#endif
    BATCH_OCTETS = 8 * 1024 * 1024,
    BATCH_MS = 200,
};

struct intake *intake_new(const struct haul_options *options, struct committer *committer, struct haul_result *result,
                          struct err *e)
{
    struct intake *in = calloc(1, sizeof(*in));

    if (in == NULL) {
        err_nomem(e);
        return NULL;
    }
    in->options = options;
    in->committer = committer;
    in->result = result;
    header_init(&in->header);
    in->out = malloc(OUT_SIZE);
    if (in->out == NULL)
        err_nomem(e);
    if (in->out == NULL || digest_init(&in->digest, e) != 0)
        intake_free(&in);
    return in;
}

void intake_free(struct intake **in)
{
    if (*in == NULL)
        return;
    intake_drop(*in);
    batch_free(&(*in)->batch, (*in)->options->sinks, (*in)->options->sink_count);
    header_release(&(*in)->header);
    digest_release(&(*in)->digest);
    free((*in)->out);
    free((*in)->done);
    free(*in);
    *in = NULL;
}

static uint32_t wanted_by(const struct intake *in, const struct fetch_item *item)
{
    return item->row == 0 ? (uint32_t)((1u << in->options->sink_count) - 1) : item->wanted;
}

int intake_expect(struct intake *in, struct visit *visit, const struct listing *listing, const struct fetch_item *items,
                  size_t count, struct err *e)
{
    if (count > in->done_cap) {
        bool *done = realloc(in->done, count * sizeof(*done));
        if (done == NULL)
            return err_nomem(e);
        in->done = done;
        in->done_cap = count;
    }
    if (count > 0)
        memset(in->done, 0, count * sizeof(*in->done));
    in->visit = visit;
    in->listing = listing;
    in->items = items;
    in->item_count = count;
    in->wanted = 0;
    for (size_t i = 0; i < count; i++)
        in->wanted |= wanted_by(in, &items[i]);
    return 0;
}

const struct fetch_item *intake_first_missing(const struct intake *in)
{
    for (size_t i = 0; i < in->item_count; i++) {
        if (!in->done[i])
            return &in->items[i];
    }
    return NULL;
}

bool intake_is_done(const struct intake *in, size_t index)
{
    return in->done[index];
}

/* True when it was marked before: a server that sends a message twice does not get it stored twice. */
static bool mark_done(struct intake *in, const struct fetch_item *item)
{
    size_t index = (size_t)(item - in->items);
    bool before = in->done[index];

    in->done[index] = true;
    return before;
}

static bool is_in(uint32_t sinks, size_t k)
{
    return (sinks & (1u << k)) != 0;
}

/* Destinations that take messages of this folder now. One may go out in the midst of a message. */
static uint32_t takers(const struct intake *in)
{
    return ~(sinks_out(in->options) | in->visit->barred);
}

/* This destination cannot hold this folder; told once. */
static void bar(struct intake *in, size_t k, const struct err *why)
{
    char words[ERR_TEXT_MAX + ERR_PEER_MAX];
    struct err told = *why;

    in->visit->barred |= 1u << k;
    err_ctx(&told, "folder %s: destination %s", in->visit->folder->name, in->options->sinks[k]->name);
    err_format(&told, words, sizeof(words));
    log_error("%s", words);
    if (trouble_note(&in->result->err, &told))
        in->result->err_told = true;
}

/* The others get the messages of a folder that one cannot hold; where there is no other, the folder has to wait. */
static bool spare(struct intake *in, size_t k, uint32_t sinks, const struct err *why)
{
    if (why->scope != SCOPE_FOLDER || (sinks & ~(1u << k)) == 0)
        return false;
    bar(in, k, why);
    return true;
}

static int begin_sinks(struct intake *in, struct err *e)
{
    struct sink_message message = { .folder = slice_str(in->visit->folder->name),
                                    .delimiter = in->visit->folder->delimiter };
    uint32_t sinks = in->wanted & takers(in);

    for (size_t k = 0; k < in->options->sink_count; k++) {
        struct sink *sink = in->options->sinks[k];

        if (!is_in(sinks, k) || sink->ops->write == NULL)
            continue;
        if (sink->ops->begin(sink, &message, e) == 0)
            in->begun |= 1u << k;
        else if (spare(in, k, sinks, e))
            sinks &= ~(1u << k);
        else
            return -1;
    }
    if ((sinks & sinks_spooled(in->options)) == 0)
        return 0;
    if (spool_begin(in->options->spool, e) != 0)
        return -1;
    in->spooling = true;
    return 0;
}

int intake_begin(struct intake *in, struct err *e)
{
    intake_drop(in);
    in->octets = 0;
    in->out_len = 0;
    in->eol = EOL_INIT;
    header_clear(&in->header);
    if (batch_nobody_left(in->options->sinks, in->options->sink_count))
        return sinks_none_left(e);
    if (digest_start(&in->digest, e) != 0)
        return -1;
    lock_mark_busy(in->options->lock);
    in->open = true;
    if (begin_sinks(in, e) == 0)
        return 0;
    intake_drop(in);
    return -1;
}

int intake_try(struct intake *in, struct err *e)
{
    int rc = intake_begin(in, e);

    intake_drop(in);
    return rc;
}

static int write_out(struct intake *in, struct err *e)
{
    struct slice bytes = slice_make(in->out, in->out_len);

    for (size_t k = 0; k < in->options->sink_count && bytes.n > 0; k++) {
        struct sink *sink = in->options->sinks[k];
        if (is_in(in->begun, k) && sink->ops->write(sink, bytes, e) != 0)
            return -1;
    }
    if (in->spooling && bytes.n > 0 && spool_write(in->options->spool, bytes, e) != 0)
        return -1;
    in->out_len = 0;
    return 0;
}

int intake_data(struct intake *in, struct slice bytes, struct err *e)
{
    in->octets += bytes.n;
    atomic_fetch_add_explicit(&in->options->progress->bytes, bytes.n, memory_order_relaxed);
    if (!in->header.done) {
        size_t n = header_feed(&in->header, bytes);
        digest_add(&in->digest, slice_make(bytes.p, n));
    }
    while (bytes.n > 0) {
        size_t n = size_min(bytes.n, OUT_SIZE - 1 - in->out_len);

        in->out_len += eol_to_lf(&in->eol, slice_make(bytes.p, n), in->out + in->out_len);
        bytes = slice_from(bytes, n);
        if (in->out_len >= OUT_SIZE - 1 && write_out(in, e) != 0)
            return -1;
    }
    return 0;
}

uint64_t intake_octets(const struct intake *in)
{
    return in->octets;
}

void intake_drop(struct intake *in)
{
    if (!in->open)
        return;
    for (size_t k = 0; k < in->options->sink_count; k++) {
        if (is_in(in->begun, k))
            in->options->sinks[k]->ops->abort(in->options->sinks[k]);
    }
    if (in->spooling)
        spool_drop(in->options->spool);
    in->begun = 0;
    in->open = in->spooling = false;
}

/* The row of an item as far as the listing tells it. */
static struct journal_message row_of(const struct listing *listing, const struct fetch_item *item, bool by_uidl)
{
    struct journal_message m = {
        .id = item->row, .octets = item->octets, .state = MESSAGE_PENDING, .first_seen = clock_wall()
    };

    if (by_uidl) {
        const struct listing_entry *entry = listing_find(listing, item->number);
        m.uidl = entry != NULL ? listing_uidl(listing, entry) : SLICE_NONE;
    } else {
        m.uid = item->number;
        m.uidvalidity = listing->uidvalidity;
    }
    return m;
}

static struct batch_item *add(struct intake *in, const struct journal_message *m, struct visit *visit, struct err *e)
{
    struct batch_item *item;

    if (in->batch == NULL && (in->batch = batch_new()) == NULL) {
        err_nomem(e);
        return NULL;
    }
    item = batch_add(in->batch, m, in->options->sink_count);
    if (item == NULL) {
        err_nomem(e);
        return NULL;
    }
    item->visit = visit;
    return item;
}

/* Hands the batch over when it is full; waits for the one before only when it must. */
static int submit_if_full(struct intake *in, struct err *e)
{
    struct batch *b = in->batch;
    size_t most = committer_room(in->committer, in->options->batch_messages);
    bool full = b->count >= most / 2 || b->octets >= BATCH_OCTETS || clock_mono_ms() - b->since_ms >= BATCH_MS;
    bool overfull = b->count >= most || b->octets >= 4 * BATCH_OCTETS;

    if (!full || (!overfull && !committer_idle(in->committer)))
        return 0;
    in->batch = NULL;
    return committer_submit(in->committer, b, e);
}

/* Of the destinations that want it and can have it: Maildirs that it streamed into, and the readers of the spool. */
static int finish_sinks(struct intake *in, uint32_t sinks, const struct arrival *facts, struct batch_item *arrived,
                        struct err *e)
{
    struct sink_message message = { .folder = slice_str(in->visit->folder->name),
                                    .delimiter = in->visit->folder->delimiter,
                                    .flags = facts->flags,
                                    .date = facts->date,
                                    .octets = in->octets };
    int rc = 0;

    if (in->spooling && (sinks & sinks_spooled(in->options)) != 0) {
        in->spooling = false;
        if (spool_finish(in->options->spool, &message.file, e) != 0)
            return -1;
    }
    for (size_t k = 0; k < in->options->sink_count && rc == 0; k++) {
        struct sink *sink = in->options->sinks[k];
        bool streams = is_in(in->begun, k);

        if (!is_in(sinks, k) || (!streams && (sink->ops->write != NULL || message.file == NULL)))
            continue;
        in->begun &= ~(1u << k);
        rc = sink->ops->finish(sink, &message, &arrived->slots[k], e);
        if (rc != 0 && spare(in, k, UINT32_MAX, e))
            rc = 0;
        if (rc != 0 && streams)
            in->begun |= 1u << k;
    }
    spool_release(&message.file);
    if (rc == 0)
        intake_drop(in);
    return rc;
}

int intake_done(struct intake *in, const struct fetch_item *item, const struct arrival *facts, struct err *e)
{
    bool by_uidl = in->options->source->one_folder;
    struct journal_message m = row_of(in->listing, item, by_uidl);
    struct batch_item *arrived;
    struct err empty = ERR_INIT;
    uint32_t sinks = wanted_by(in, item) & takers(in);

    if (in->octets == 0 && item->octets > 0) {
        err_set(&empty, E_MESSAGE, "the server sent an empty body");
        return intake_failed(in, item, &empty, e);
    }
    if (mark_done(in, item)) {
        intake_drop(in);
        return 0;
    }
    /* Whoever is without it went out meanwhile; a row says that it is to come again. */
    if (sinks == 0 && item->row != 0 && item->wanted != 0) {
        in->visit->withheld = true;
        intake_drop(in);
        return 0;
    }
    in->out_len += eol_end(&in->eol, in->out + in->out_len);
    header_end(&in->header);
    if (write_out(in, e) != 0)
        return -1;
    digest_finish(&in->digest, m.header_digest);
    m.has_header_digest = true;
    m.message_id = buf_slice(&in->header.message_id);
    m.object_id = facts->object_id;
    m.date = facts->date;
    /* What LIST said tells a reused unique-id; what arrived tells an IMAP message again. */
    if (!by_uidl)
        m.octets = in->octets;
    arrived = add(in, &m, in->visit, e);
    if (arrived == NULL)
        return -1;
    arrived->tries = item->tries;
    if (finish_sinks(in, sinks, facts, arrived, e) != 0)
        return -1;
    in->batch->octets += in->octets;
    in->result->messages++;
    in->result->bytes += in->octets;
    atomic_fetch_add_explicit(&in->options->progress->messages, 1, memory_order_relaxed);
    return submit_if_full(in, e);
}

int intake_failed(struct intake *in, const struct fetch_item *item, const struct err *why, struct err *e)
{
    struct journal_message m = row_of(in->listing, item, in->options->source->one_folder);
    char words[ERR_TEXT_MAX + ERR_PEER_MAX];

    intake_drop(in);
    if (mark_done(in, item))
        return 0;
    err_format(why, words, sizeof(words));
    m.tries = item->tries + 1u;
    m.reason = slice_str(words);
    m.state = m.tries >= HAUL_TRIES ? MESSAGE_QUARANTINED : MESSAGE_PENDING;
    if (m.state == MESSAGE_QUARANTINED) {
        in->result->quarantined++;
        log_error("a message in %s was set aside after %u tries: %s; see: mailhaul quarantine list",
                  in->visit->folder->name, m.tries, words);
    } else {
        in->result->failed++;
        log_warn("a message in %s could not be had (try %u of %d): %s", in->visit->folder->name, m.tries, HAUL_TRIES,
                 words);
    }
    struct batch_item *failed = add(in, &m, in->visit, e);
    if (failed == NULL)
        return -1;
    failed->row_only = true;
    return submit_if_full(in, e);
}

int intake_gone(struct intake *in, const struct fetch_item *item, struct err *e)
{
    struct journal_message m = row_of(in->listing, item, in->options->source->one_folder);
    struct batch_item *gone;

    intake_drop(in);
    if (mark_done(in, item) || item->row == 0)
        return 0;
    gone = add(in, &m, in->visit, e);
    if (gone == NULL)
        return -1;
    gone->gone = gone->row_only = true;
    return submit_if_full(in, e);
}

int intake_skip(struct intake *in, struct visit *visit, const struct listing *listing, const struct fetch_item *item,
                struct err *e)
{
    struct journal_message m = row_of(listing, item, in->options->source->one_folder);
    struct batch_item *skipped;

    m.state = MESSAGE_SKIPPED;
    skipped = add(in, &m, visit, e);
    if (skipped == NULL)
        return -1;
    skipped->row_only = true;
    in->result->skipped++;
    return submit_if_full(in, e);
}

int intake_close_folder(struct intake *in, struct visit *visit, const struct journal_folder *state, struct err *e)
{
    if (in->batch == NULL && (in->batch = batch_new()) == NULL)
        return err_nomem(e);
    return batch_close_folder(in->batch, visit, state) == 0 ? 0 : err_nomem(e);
}

int intake_finish(struct intake *in, struct err *e)
{
    struct batch *b = in->batch;

    intake_drop(in);
    in->batch = NULL;
    return committer_finish(in->committer, b, e);
}
