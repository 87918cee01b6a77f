/* SPDX-License-Identifier: MIT */
#include "haul/intake.h"

#include "base/clock.h"
#include "base/log.h"
#include "haul/intake_int.h"

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

static bool sink_wants(const struct fetch_item *item, size_t k)
{
    return item->row == 0 || (item->wanted & (1u << k)) != 0;
}

int intake_begin(struct intake *in, struct err *e)
{
    struct sink_message message = { .folder = slice_str(in->visit->folder->name),
                                    .delimiter = in->visit->folder->delimiter };

    intake_drop(in);
    in->octets = 0;
    in->out_len = 0;
    in->eol = EOL_INIT;
    header_clear(&in->header);
    if (digest_start(&in->digest, e) != 0)
        return -1;
    lock_mark_busy(in->options->lock);
    for (size_t k = 0; k < in->options->sink_count; k++) {
        if (in->options->sinks[k]->ops->begin(in->options->sinks[k], &message, e) != 0) {
            while (k-- > 0)
                in->options->sinks[k]->ops->abort(in->options->sinks[k]);
            return -1;
        }
    }
    in->open = true;
    return 0;
}

int intake_try(struct intake *in, struct err *e)
{
    int rc = intake_begin(in, e);

    intake_drop(in);
    return rc;
}

static int write_out(struct intake *in, struct err *e)
{
    for (size_t k = 0; k < in->options->sink_count && in->out_len > 0; k++) {
        struct sink *sink = in->options->sinks[k];
        if (sink->ops->write(sink, slice_make(in->out, in->out_len), e) != 0)
            return -1;
    }
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
    for (size_t k = 0; k < in->options->sink_count; k++)
        in->options->sinks[k]->ops->abort(in->options->sinks[k]);
    in->open = false;
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
    bool full = b->count >= in->options->batch_messages / 2 || b->octets >= BATCH_OCTETS ||
                clock_mono_ms() - b->since_ms >= BATCH_MS;
    bool overfull = b->count >= in->options->batch_messages || b->octets >= 4 * BATCH_OCTETS;

    if (!full || (!overfull && !committer_idle(in->committer)))
        return 0;
    in->batch = NULL;
    return committer_submit(in->committer, b, e);
}

static int finish_sinks(struct intake *in, const struct fetch_item *item, const struct arrival *facts,
                        struct batch_item *arrived, struct err *e)
{
    struct sink_message message = { .folder = slice_str(in->visit->folder->name),
                                    .delimiter = in->visit->folder->delimiter,
                                    .flags = facts->flags,
                                    .date = facts->date,
                                    .octets = in->octets };

    for (size_t k = 0; k < in->options->sink_count; k++) {
        struct sink *sink = in->options->sinks[k];

        if (!sink_wants(item, k))
            sink->ops->abort(sink);
        else if (sink->ops->finish(sink, &message, &arrived->slots[k], e) != 0)
            return -1;
    }
    in->open = false;
    return 0;
}

int intake_done(struct intake *in, const struct fetch_item *item, const struct arrival *facts, struct err *e)
{
    bool by_uidl = in->options->source->one_folder;
    struct journal_message m = row_of(in->listing, item, by_uidl);
    struct batch_item *arrived;
    struct err empty = ERR_INIT;

    if (in->octets == 0 && item->octets > 0) {
        err_set(&empty, E_MESSAGE, "the server sent an empty body");
        return intake_failed(in, item, &empty, e);
    }
    if (mark_done(in, item)) {
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
    if (finish_sinks(in, item, facts, arrived, e) != 0)
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
