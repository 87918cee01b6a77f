/* SPDX-License-Identifier: MIT
 * Being told of new mail: NOTIFY about all folders on one connection (RFC 5465), else IDLE on one (RFC 2177).
 *
 * An event says no more than "look again": the pass that follows finds out by itself. What counts is that none is
 * missed. So each begin and each NOTIFY asks for the state as it is now and compares it with what the pass saw last
 * (si->seen), and only from there on events are relied on.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/num.h"
#include "haul/source_imap_int.h"
#include "proto/imap_wait.h"
#include "wire/folder.h"
#include "wire/limits.h"

enum {
    /* RFC 2177: less than 29 minutes; middleboxes forget a quiet connection after 10. */
    RENEW_S = 9 * 60,
    /* A server that ends an IDLE this soon, so often, has none that is of use. */
    CUT_SHORT_MS = 10 * 1000,
    CUT_SHORT_MAX = 3,
    /* What the names of folders may take in one NOTIFY; beyond that it is about all personal ones. */
    NAMES_MAX = LIMIT_COMMAND - 200,
};

/* --- what was seen -------------------------------------------------------------------------------------------- */

int imap_see_folders(struct source_imap *si, bool (*wanted)(void *ctx, const struct source_folder *f), void *ctx,
                     const struct source_folders *scanned, struct err *e)
{
    struct source_folders seen = { 0 };

    for (size_t i = 0; i < scanned->count; i++) {
        if (wanted(ctx, &scanned->v[i]) && source_folders_add(&seen, &scanned->v[i], e) != 0) {
            source_folders_release(&seen);
            return -1;
        }
    }
    source_folders_release(&si->seen);
    si->seen = seen;
    return 0;
}

static struct source_folder *find_seen(struct source_imap *si, const char *wire_name)
{
    bool inbox = slice_ieq(slice_str(wire_name), SLICE("INBOX"));

    for (size_t i = 0; i < si->seen.count; i++) {
        struct source_folder *f = &si->seen.v[i];
        if (strcmp(f->wire_name, wire_name) == 0 || (inbox && strcmp(f->name, "INBOX") == 0))
            return f;
    }
    return NULL;
}

void imap_see_listing(struct source_imap *si, const char *wire_name, const struct listing *l)
{
    struct source_folder *f = find_seen(si, wire_name);

    if (f == NULL)
        return;
    f->has_status = true;
    f->uidvalidity = l->uidvalidity;
    f->uidnext = l->uidnext;
    f->messages = l->messages;
}

void imap_see_removal(struct source_imap *si, size_t count)
{
    struct source_folder *f = si->folder != NULL ? find_seen(si, si->folder) : NULL;

    if (f != NULL)
        f->messages -= (uint32_t)size_min(f->messages, count);
}

/* True when `now` tells of mail that the pass cannot have met; it counts as seen from here on. Messages that are gone
 * are no news. */
static bool take_news(struct source_folder *f, const struct source_folder *now)
{
    bool renewed = now->uidvalidity != 0 && f->uidvalidity != 0 && now->uidvalidity != f->uidvalidity;
    bool news = renewed || now->uidnext > f->uidnext || now->messages > f->messages;

    f->messages = now->messages;
    if (now->uidvalidity != 0)
        f->uidvalidity = now->uidvalidity;
    if (now->uidnext > f->uidnext || renewed)
        f->uidnext = now->uidnext;
    if (f->has_status)
        return news;
    f->has_status = true;
    return false;
}

/* --- what is told --------------------------------------------------------------------------------------------- */

static void take_status(struct source_imap *si, const struct imap_response *r)
{
    struct buf wire = BUF_INIT(LIMIT_FOLDER_NAME * 4);
    struct imap_status_items items;
    struct source_folder *f;

    if (imap_parse_status(r->rest, &items, &wire) == 0 && (f = find_seen(si, buf_cstr(&wire))) != NULL) {
        struct source_folder now = { .uidvalidity = items.has_uidvalidity ? items.uidvalidity : 0,
                                     .uidnext = items.has_uidnext ? items.uidnext : 0,
                                     .messages = items.has_messages ? items.messages : f->messages };
        si->waiting.news |= take_news(f, &now);
    }
    buf_release(&wire);
}

static int told(void *ctx, const struct imap_response *r, struct err *e)
{
    struct source_imap *si = ctx;
    struct imap_waiting *w = &si->waiting;

    (void)e;
    if (slice_ieq(r->name, SLICE("STATUS"))) {
        take_status(si, r);
    } else if (slice_ieq(r->code, SLICE("NOTIFICATIONOVERFLOW"))) {
        w->overflow = true;
    } else if (w->how != WAIT_IDLE) {
        return 0;
    } else if (r->has_number && slice_ieq(r->name, SLICE("EXISTS"))) {
        w->news |= !w->exists_known || r->number != w->exists;
        w->exists = r->number;
        w->exists_known = true;
    } else if (r->has_number && slice_ieq(r->name, SLICE("EXPUNGE"))) {
        w->exists -= w->exists > 0;
    } else if (slice_ieq(r->name, SLICE("VANISHED"))) {
        w->exists_known = false;
    }
    return 0;
}

static struct imap_handler listener(struct source_imap *si)
{
    return (struct imap_handler){ .ctx = si, .untagged = told };
}

/* --- NOTIFY --------------------------------------------------------------------------------------------------- */

static int simple_command(struct source_imap *si, const char *text, struct imap_done *done, struct err *e)
{
    struct imap_handler handler = listener(si);
    uint32_t tag;

    imap_begin(si->im, &tag);
    imap_text(si->im, "%s", text);
    imap_end(si->im);
    return imap_finish(si->im, tag, &handler, done, e);
}

static bool names_fit(const struct source_folders *f)
{
    size_t bytes = 0;

    for (size_t i = 0; i < f->count && bytes <= NAMES_MAX; i++)
        bytes += 2 * strlen(f->v[i].wire_name) + 8;
    return bytes <= NAMES_MAX;
}

static void put_notify(struct source_imap *si)
{
    struct imap *im = si->im;

    imap_text(im, "NOTIFY SET STATUS (");
    if (names_fit(&si->seen)) {
        imap_text(im, "mailboxes (");
        for (size_t i = 0; i < si->seen.count; i++) {
            imap_text(im, i > 0 ? " " : "");
            imap_string_arg(im, slice_str(si->seen.v[i].wire_name));
        }
        imap_text(im, ")");
    } else {
        imap_text(im, "personal");
    }
    imap_text(im, " (MessageNew MessageExpunge))");
}

/* Answered with a STATUS of each folder: whatever an earlier NOTIFY failed to tell comes out here. Dovecot 2.3 tells
 * nothing any more after a second SET, unless there is a NONE in between. */
static int ask_notify(struct source_imap *si, struct err *e)
{
    struct imap_handler handler = listener(si);
    struct imap *im = si->im;
    struct imap_done done;
    uint32_t none = 0, set;

    si->waiting.overflow = false;
    if (si->waiting.notify_set) {
        imap_begin(im, &none);
        imap_text(im, "NOTIFY NONE");
        imap_end(im);
    }
    imap_begin(im, &set);
    put_notify(si);
    imap_end(im);
    if ((none != 0 && imap_finish(im, none, &handler, &done, e) != 0) || imap_finish(im, set, &handler, &done, e) != 0)
        return -1;
    si->waiting.notify_set |= done.status == IMAP_OK;
    si->no_notify = done.status != IMAP_OK || si->waiting.overflow;
    return 0;
}

/* With a folder open, Dovecot 2.3 misses events. */
static int begin_notify(struct source_imap *si, struct err *e)
{
    struct imap_done done;

    if (si->folder != NULL) {
        if ((imap_caps(si->im) & IMAP_CAP_UNSELECT) == 0)
            return 0;
        if (simple_command(si, "UNSELECT", &done, e) != 0)
            return -1;
        if (done.status != IMAP_OK)
            return 0;
        free(si->folder);
        si->folder = NULL;
    }
    if (ask_notify(si, e) != 0)
        return -1;
    if (!si->no_notify)
        si->waiting.how = WAIT_NOTIFY;
    return 0;
}

/* --- IDLE ----------------------------------------------------------------------------------------------------- */

static int start_idle(struct source_imap *si, struct err *e)
{
    struct imap_handler handler = listener(si);
    bool idling;

    si->waiting.how = WAIT_IDLE;
    si->waiting.began_ms = clock_mono_ms();
    if (imap_idle(si->im, &handler, &idling, e) != 0)
        return -1;
    if (!idling) {
        si->waiting.how = WAIT_NONE;
        si->waiting.no_idle = true;
    }
    return 0;
}

/* EXAMINE tells what the folder holds now, and pins no message as \Recent. `base`: as it was seen last. */
static int begin_idle(struct source_imap *si, struct source_folder *base, struct err *e)
{
    struct listing now;
    int rc = -1;

    listing_init(&now);
    if (imap_examine(si, base, &now, e) != 0) {
        /* The next pass will say what is wrong with it. */
        rc = e->scope == SCOPE_FOLDER ? 0 : -1;
        goto out;
    }
    /* No UID of it will be used. */
    imap_opening(si->im);
    si->waiting.news |= take_news(
        base,
        &(struct source_folder){ .uidvalidity = now.uidvalidity, .uidnext = now.uidnext, .messages = now.messages });
    si->waiting.exists = now.messages;
    si->waiting.exists_known = true;
    rc = start_idle(si, e);
out:
    listing_release(&now);
    return rc;
}

static bool selects(const struct wait_request *request, const struct source_folder *f)
{
    return folder_selected(request->folders, request->folder_count, slice_str(f->name), f->delimiter, f->attrs);
}

static struct source_folder *choose(struct source_imap *si, const struct wait_request *request)
{
    struct source_folder *inbox = find_seen(si, "INBOX");

    if (inbox != NULL && selects(request, inbox))
        return inbox;
    for (size_t i = 0; i < si->seen.count; i++) {
        if (selects(request, &si->seen.v[i]))
            return &si->seen.v[i];
    }
    return NULL;
}

/* --- the operations ------------------------------------------------------------------------------------------- */

/* What is in our own buffers by now would wake nobody. */
static int listen_now(struct source_imap *si, struct err *e)
{
    struct imap_waiting *w = &si->waiting;
    struct imap_handler handler = listener(si);
    bool all;

    if (imap_arrived(si->im, &handler, &all, e) != 0)
        return -1;
    w->news |= !all;
    if (w->how == WAIT_IDLE && !imap_idling(si->im)) {
        w->cut_short += clock_mono_ms() - w->began_ms < CUT_SHORT_MS;
        w->no_idle |= w->cut_short >= CUT_SHORT_MAX;
        w->how = WAIT_NONE;
        w->news = true;
    }
    if (w->overflow) {
        si->no_notify = w->news = true;
        w->overflow = false;
    }
    imap_park(si->im);
    return 0;
}

static int lost(struct source_imap *si)
{
    imap_drop(si);
    return -1;
}

static int64_t renew_at(const struct source_imap *si)
{
    unsigned after_s = si->waiting.poll_s != 0 && si->waiting.poll_s < RENEW_S ? si->waiting.poll_s : RENEW_S;

    return clock_mono_ms() + (int64_t)after_s * 1000;
}

static bool take_news_flag(struct source_imap *si)
{
    bool news = si->waiting.news;

    si->waiting.news = false;
    return news;
}

static int begin(struct source_imap *si, const struct wait_request *request, struct wait_state *out, struct err *e)
{
    struct source_folders own = { 0 };
    struct source_folder *folder;
    int rc = -1;

    if (request->folder != NULL && source_folders_add(&own, request->folder, e) != 0)
        return -1;
    folder = own.count > 0 ? &own.v[0] : choose(si, request);
    if (request->folder == NULL && request->folder_count > 0 && si->seen.count > 0 && request->notify_ok &&
        !si->no_notify && (imap_caps(si->im) & IMAP_CAP_NOTIFY) != 0 && begin_notify(si, e) != 0)
        goto out;
    /* Who has once used NOTIFY is told by IDLE what NOTIFY asked for, and nothing else. */
    if (si->waiting.how == WAIT_NONE && folder != NULL && !si->waiting.no_idle && !si->waiting.notify_set &&
        (imap_caps(si->im) & IMAP_CAP_IDLE) != 0) {
        if (begin_idle(si, folder, e) != 0)
            goto out;
        if (si->waiting.how == WAIT_IDLE && (out->folder = strdup(folder->name)) == NULL) {
            err_nomem(e);
            goto out;
        }
    }
    for (size_t i = 0; i < si->seen.count && si->waiting.how == WAIT_IDLE && request->folder == NULL; i++) {
        struct source_folder *f = &si->seen.v[i];
        if (f != folder && selects(request, f) && source_folders_add(&out->more, f, e) != 0)
            goto out;
    }
    rc = 0;
out:
    source_folders_release(&own);
    return rc;
}

int imap_wait_begin(struct source *s, const struct wait_request *request, struct wait_state *out, struct err *e)
{
    struct source_imap *si = imap_self(s);

    *out = (struct wait_state){ .fd = -1 };
    if (si->im == NULL)
        return err_set(e, E_NET, "there is no connection to wait on");
    if (imap_wait_end(s, e) != 0)
        return -1;
    si->waiting.poll_s = request->poll_s;
    si->waiting.news = false;
    if (begin(si, request, out, e) != 0 || listen_now(si, e) != 0) {
        wait_state_release(out);
        return lost(si);
    }
    out->how = si->waiting.how;
    out->fd = imap_fd(si->im);
    out->renew_ms = renew_at(si);
    out->news = take_news_flag(si);
    log_debug("waiting for new mail: %s%s",
              out->how == WAIT_IDLE     ? "IDLE on "
              : out->how == WAIT_NOTIFY ? "NOTIFY"
                                        : "the server does not tell",
              out->folder != NULL ? out->folder : "");
    return 0;
}

int imap_wait_read(struct source *s, bool *news_out, struct err *e)
{
    struct source_imap *si = imap_self(s);

    if (si->im == NULL)
        return err_set(e, E_NET, "there is no connection to wait on");
    if (listen_now(si, e) != 0)
        return lost(si);
    *news_out = take_news_flag(si);
    return 0;
}

/* NOOP, because there are servers that tell nothing during IDLE. */
static int renew_idle(struct source_imap *si, struct err *e)
{
    struct imap_handler handler = listener(si);
    struct imap_done done;

    if (imap_idle_end(si->im, &handler, e) != 0 || simple_command(si, "NOOP", &done, e) != 0 || start_idle(si, e) != 0)
        return -1;
    si->waiting.news |= si->waiting.how != WAIT_IDLE;
    return 0;
}

int imap_wait_renew(struct source *s, bool *news_out, int64_t *renew_ms_out, struct err *e)
{
    struct source_imap *si = imap_self(s);
    struct imap_done done;
    int rc;

    if (si->im == NULL)
        return err_set(e, E_NET, "there is no connection to wait on");
    if (si->waiting.how == WAIT_IDLE)
        rc = renew_idle(si, e);
    else if (si->waiting.how == WAIT_NOTIFY)
        rc = ask_notify(si, e);
    else
        rc = simple_command(si, "NOOP", &done, e);
    si->waiting.news |= si->waiting.how == WAIT_NOTIFY && si->no_notify;
    if (rc != 0 || listen_now(si, e) != 0)
        return lost(si);
    *renew_ms_out = renew_at(si);
    *news_out = take_news_flag(si);
    return 0;
}

int imap_wait_end(struct source *s, struct err *e)
{
    struct source_imap *si = imap_self(s);

    if (si->im == NULL)
        return err_set(e, E_NET, "there is no connection any more");
    if (si->waiting.how == WAIT_IDLE && imap_idle_end(si->im, NULL, e) != 0)
        return lost(si);
    si->waiting.how = WAIT_NONE;
    return 0;
}
