/* SPDX-License-Identifier: MIT */
#include "haul/haul.h"

#include "base/log.h"
#include "base/num.h"
#include "base/step.h"
#include "base/stop.h"
#include "haul/haul_int.h"
#include "haul/trouble.h"
#include "wire/folder.h"
#include "wire/imap_parse.h"

enum {
    FIRST_CHUNK_OCTETS = 32 * 1024 * 1024,
    /* Of one pass: a server that always has something more must not keep it for ever. */
    SESSIONS_MAX = 10000,
};

static const char quirk_note[] = "quirks";

static bool folder_wanted(void *ctx, const struct source_folder *f)
{
    const struct haul_options *o = ctx;

    return o->source->one_folder ||
           folder_selected(o->folders, o->folder_count, slice_str(f->name), f->delimiter, f->attrs);
}

static void tell_connecting(const struct source *source)
{
    struct buf where = BUF_INIT(2048);

    if (log_wants(LOG_LEVEL_DEBUG) && source->ops->describe(source, &where) == 0)
        log_debug("connecting: %s", buf_cstr(&where));
    buf_release(&where);
}

int haul_scan(const struct haul_options *o, struct source_folders *out, struct err *e)
{
    struct journal_folder inbox;

    if (journal_folder_get(o->journal, SLICE("INBOX"), &inbox, e) != 0)
        return -1;
    o->source->only_inbox = o->folder_count == 1 && slice_ieq(slice_str(o->folders[0]), SLICE("INBOX")) && !o->list_all;
    o->source->no_status = o->source->only_inbox && inbox.id == 0;
    atomic_store(&o->progress->phase, HAUL_CONNECTING);
    tell_connecting(o->source);
    if (o->source->ops->open(o->source, e) != 0)
        return -1;
    log_debug("logged in");
    atomic_store(&o->progress->phase, HAUL_LISTING);
    return o->source->ops->scan(o->source, folder_wanted, (void *)(uintptr_t)o, out, e);
}

static uint64_t progress_of(const struct pass *p)
{
    return p->r->messages + p->r->failed + p->r->quarantined + p->r->removed + p->r->marked + p->r->known_again +
           p->r->skipped + p->o->source->quirks;
}

static void report(struct pass *p, const struct err *e)
{
    char words[ERR_TEXT_MAX + ERR_PEER_MAX];

    err_format(e, words, sizeof(words));
    log_error("%s", words);
    if (trouble_note(&p->r->err, e))
        p->r->err_told = true;
}

int haul_folder_there(const char *name, const struct source_folders *folders, struct err *e)
{
    bool found = name[0] == '!' || name[0] == '\\' || folder_is_pattern(slice_str(name));
    char use[32];

    for (size_t i = 0; i < folders->count && !found; i++)
        found = folder_match(slice_str(name), slice_str(folders->v[i].name), folders->v[i].delimiter);
    if (found)
        return 0;
    /* In double quotes one backslash is an escape: "\Sent" names the folder Sent. */
    snprintf(use, sizeof(use), "\\%s", name);
    if (imap_attr_from_name(slice_str(use)) & IMAP_ATTR_SPECIAL_USE)
        return err_set(e, E_NOFOLDER,
                       "folder %s does not exist on the server; `mailhaul folders ACCOUNT` shows those that do, and "
                       "the special use is written \"\\\\%s\"",
                       name, name);
    return err_set(e, E_NOFOLDER,
                   "folder %s does not exist on the server; `mailhaul folders ACCOUNT` shows those that do", name);
}

/* Folders that the configuration names without a pattern have to be there. */
static void check_named(struct pass *p)
{
    for (size_t i = 0; i < p->o->folder_count && !p->o->source->one_folder; i++) {
        struct err e;

        if (haul_folder_there(p->o->folders[i], &p->folders, &e) != 0)
            report(p, &e);
    }
}

/* `folders` has this very name, not a pattern that it fits. */
static bool is_named(const struct haul_options *o, const struct source_folder *f)
{
    for (size_t i = 0; i < o->folder_count; i++) {
        struct slice name = slice_str(o->folders[i]);
        if (!folder_is_pattern(name) && folder_match(name, slice_str(f->name), f->delimiter))
            return true;
    }
    return false;
}

/* Errors that end no more than the folder are told here. */
static int visit_one(struct pass *p, struct visit *visit, struct err *e)
{
    if (stop_requested() != 0)
        return err_set(e, E_STOPPED, "stopped by a signal");
    if (visit_folder(p, visit, e) == 0)
        return 0;
    if (e->code == E_NOFOLDER && !is_named(p->o, visit->folder)) {
        /* It was there when the folders were listed: somebody removed or renamed it meanwhile. */
        log_info("folder %s has gone since the folders were listed", visit->folder->name);
        return 0;
    }
    if (!p->o->source->one_folder)
        err_ctx(e, "folder %s", visit->folder->name);
    if (trouble_decide(e, false) != TROUBLE_NEXT_FOLDER)
        return -1;
    report(p, e);
    return 0;
}

/* First what is new in every folder; then, once that is safe, what failed in earlier passes. */
static int visit_all(struct pass *p, struct err *e)
{
    bool retries = false, any = false;

    p->second_round = false;
    p->visits = calloc(p->folders.count + 1, sizeof(*p->visits));
    if (p->visits == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < p->folders.count && !p->session_over; i++) {
        p->visits[i].folder = &p->folders.v[i];
        if (!folder_wanted((void *)(uintptr_t)p->o, &p->folders.v[i]))
            continue;
        any = true;
        if (visit_one(p, &p->visits[i], e) != 0)
            return -1;
        retries |= p->visits[i].retries;
    }
    if (!any && p->r->err.code != E_NOFOLDER)
        log_warn(
            "no folder of the server fits the account's `folders`, so nothing is fetched; `mailhaul folders ACCOUNT` "
            "shows them");
    if (!retries)
        return 0;
    if (intake_finish(p->intake, e) != 0)
        return -1;
    p->second_round = true;
    for (size_t i = 0; i < p->folders.count; i++) {
        if (p->visits[i].retries && visit_one(p, &p->visits[i], e) != 0)
            return -1;
    }
    return 0;
}

/* What an earlier session planned and did not get to counts for nothing. */
static uint64_t budget_of(const struct pass *p)
{
    uint64_t used = p->r->messages + p->r->failed + p->r->quarantined, most = p->o->max_messages;

    return most == 0 ? UINT64_MAX : used < most ? most - used : 0;
}

/* What has arrived becomes durable and recorded, however the session ended. */
static int session(struct pass *p, bool first, struct err *e)
{
    struct err later = ERR_INIT;
    int rc;

    p->again = p->session_over = false;
    p->budget = budget_of(p);
    p->careful = p->renewed;
    rc = haul_scan(p->o, &p->folders, e);
    if (rc == 0) {
        if (first)
            check_named(p);
        rc = visit_all(p, e);
    }
    if (intake_finish(p->intake, &later) != 0 && (rc == 0 || e->code != E_DISK)) {
        *e = later;
        rc = -1;
    }
    if (rc != 0 || !p->o->keep_open || p->o->source->ops->wait_begin == NULL)
        p->o->source->ops->close(p->o->source);
    free(p->visits);
    p->visits = NULL;
    source_folders_release(&p->folders);
    return rc;
}

static int sessions(struct pass *p, struct err *e)
{
    for (unsigned count = 0; count < SESSIONS_MAX; count++) {
        uint64_t before = progress_of(p);
        unsigned quirks = p->o->source->quirks;
        char words[ERR_TEXT_MAX + ERR_PEER_MAX];

        if (session(p, count == 0, e) == 0) {
            if (!p->again || before == progress_of(p))
                return 0;
        } else {
            if (trouble_decide(e, p->o->source->quirks != quirks) != TROUBLE_RECONNECT)
                return -1;
            err_format(e, words, sizeof(words));
            log_info("%s; connecting again", words);
        }
    }
    return 0;
}

static int load_quirks(struct pass *p, struct err *e)
{
    struct buf value = BUF_INIT(32);
    uint32_t quirks = 0;
    int rc = journal_note_get(p->o->journal, quirk_note, &value, e);

    if (rc == 0 && value.len > 0 && num_parse_u32(buf_slice(&value), &quirks) != 0)
        quirks = 0;
    p->o->source->quirks = quirks;
    buf_release(&value);
    return rc;
}

static int save_quirks(struct pass *p, unsigned before, struct err *e)
{
    char value[16];

    if (p->o->source->quirks == before || p->o->dry_run)
        return 0;
    snprintf(value, sizeof(value), "%u", p->o->source->quirks);
    if (journal_begin(p->o->journal, e) != 0)
        return -1;
    if (journal_note_put(p->o->journal, quirk_note, value, e) != 0 || journal_commit(p->o->journal, e) != 0) {
        journal_rollback(p->o->journal);
        return -1;
    }
    return 0;
}

/* A pass that was cut short cannot know what its refusals mean. */
static bool is_stopped(int rc, const struct err *e)
{
    return rc != 0 && e->code == E_STOPPED;
}

static int run(struct pass *p, struct err *e)
{
    const struct haul_options *o = p->o;
    struct err later;
    unsigned quirks;
    int rc;

    if (sinks_open(o, false, &p->committer.store, e) != 0 || load_quirks(p, e) != 0)
        return -1;
    if (batch_nobody_left(o->sinks, o->sink_count))
        return sinks_none_left(e);
    quirks = o->source->quirks;
    o->source->read_only = o->dry_run;
    p->intake = intake_new(o, &p->committer, p->r, e);
    if (p->intake == NULL)
        return -1;
    rc = sessions(p, e);
    if (committer_wait(&p->committer, &later) == 0 &&
        ((!is_stopped(rc, e) && batch_end(&p->committer.store, &later) != 0) || save_quirks(p, quirks, &later) != 0) &&
        (rc == 0 || sinks_is_none_left(e))) {
        *e = later;
        rc = -1;
    }
    return rc;
}

/* Destinations that went out were told when they did. */
static bool note_destinations(struct pass *p)
{
    const struct err *e = &p->committer.store.err;

    return e->code != E_NONE && trouble_note(&p->r->err, e);
}

int haul_pass(const struct haul_options *o, struct haul_result *out)
{
    struct batch_store store = { .journal = o->journal,
                                 .sinks = o->sinks,
                                 .sink_count = o->sink_count,
                                 .observer = &o->observer,
                                 .account = o->account,
                                 .err = ERR_INIT };
    struct pass p = { .o = o, .r = out, .chunk_octets = FIRST_CHUNK_OCTETS };
    struct err e = ERR_INIT;
    int rc;

    *out = (struct haul_result){ .err = ERR_INIT };
    listing_init(&p.listing);
    committer_init(&p.committer, &store);
    rc = run(&p, &e);
    if (note_destinations(&p))
        out->err_told = true;
    if (rc != 0 && !sinks_is_none_left(&e)) {
        if (trouble_note(&out->err, &e))
            out->err_told = false;
        else
            report(&p, &e);
    }
    intake_free(&p.intake);
    out->failed += p.committer.store.put_off;
    out->quarantined += p.committer.store.rejected;
    committer_release(&p.committer);
    for (size_t i = 0; i < o->sink_count; i++)
        o->sinks[i]->ops->close(o->sinks[i]);
    /* Every scratch file was placed or dropped by now: only a kill leaves some. */
    if (!o->dry_run)
        lock_mark_clean(o->lock);
    if (out->err.code == E_NONE && out->failed > 0)
        err_set(&out->err, E_MESSAGE, "%" PRIu64 " message%s could not be had or delivered and will be tried again",
                out->failed, out->failed == 1 ? "" : "s");
    listing_release(&p.listing);
    items_release(&p.fetch);
    items_release(&p.retry);
    items_release(&p.remove);
    items_release(&p.skip);
    atomic_store(&o->progress->phase, HAUL_FINISHED);
    return rc;
}
