/* SPDX-License-Identifier: MIT
 * Being told of new mail: NOTIFY about all folders on one connection (RFC 5465), else IDLE on one (RFC 2177).
 *
 * An event says no more than "look again": the pass that follows finds out by itself. What counts is that none is
 * missed. So each begin and each NOTIFY asks for the state as it is now and compares it with what the pass saw last
 * (si->seen), and only from there on events are relied on.
 *
 * Renewal is a conversation without a thread: each question is sent, and the next one when wait_read has met the answer
 *
 *     IDLE     DONE, NOOP (there are servers that tell nothing during IDLE), IDLE
 *     NOTIFY   NOTIFY NONE and NOTIFY SET at once
 *     else     NOOP
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
    struct imap_waiting *w = &si->waiting;

    w->overflow = false;
    w->none_tag = 0;
    if (w->notify_set) {
        imap_begin(si->im, &w->none_tag);
        imap_text(si->im, "NOTIFY NONE");
        imap_end(si->im);
    }
    imap_begin(si->im, &w->asked_tag);
    put_notify(si);
    imap_end(si->im);
    return imap_send(si->im, e);
}

static int finish_notify(struct source_imap *si, struct err *e)
{
    struct imap_handler handler = listener(si);
    struct imap_waiting *w = &si->waiting;
    struct imap_done done;

    if ((w->none_tag != 0 && imap_finish(si->im, w->none_tag, &handler, &done, e) != 0) ||
        imap_finish(si->im, w->asked_tag, &handler, &done, e) != 0)
        return -1;
    w->notify_set |= done.status == IMAP_OK;
    si->no_notify |= done.status != IMAP_OK || w->overflow;
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
    if (ask_notify(si, e) != 0 || finish_notify(si, e) != 0)
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
    if (w->how == WAIT_IDLE && w->asked == ASKED_NOTHING && imap_idling(si->im) != IMAP_IDLE_ON) {
        w->cut_short += clock_mono_ms() - w->began_ms < CUT_SHORT_MS;
        w->no_idle |= w->cut_short >= CUT_SHORT_MAX;
        w->how = WAIT_NONE;
        w->news = true;
    }
    if (w->overflow) {
        si->no_notify = w->news = true;
        w->overflow = false;
    }
    return 0;
}

static int lost(struct source_imap *si)
{
    imap_drop(si);
    return -1;
}

static void renewed(struct source_imap *si)
{
    struct imap_waiting *w = &si->waiting;
    unsigned after_s = w->poll_s != 0 && w->poll_s < RENEW_S ? w->poll_s : RENEW_S;

    w->asked = ASKED_NOTHING;
    w->renew_ms = clock_mono_ms() + (int64_t)after_s * 1000;
}

static void say_state(struct source_imap *si, struct wait_state *out)
{
    struct imap_waiting *w = &si->waiting;

    imap_park(si->im);
    out->how = w->how;
    out->asked = w->asked != ASKED_NOTHING;
    out->renew_ms = out->asked ? w->answer_due_ms : w->renew_ms;
    out->news = w->news;
    w->news = false;
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
    renewed(si);
    say_state(si, out);
    out->fd = imap_fd(si->im);
    log_debug("waiting for new mail: %s%s",
              out->how == WAIT_IDLE     ? "IDLE on "
              : out->how == WAIT_NOTIFY ? "NOTIFY"
                                        : "the server does not tell",
              out->how == WAIT_IDLE && out->folder != NULL ? out->folder : "");
    return 0;
}

/* --- renewal -------------------------------------------------------------------------------------------------- */

static void expect(struct source_imap *si, enum imap_asked what)
{
    si->waiting.asked = what;
    si->waiting.answer_due_ms = clock_mono_ms() + (int64_t)si->server.dial.timeout_s * 1000;
}

static int ask_noop(struct source_imap *si, struct err *e)
{
    expect(si, ASKED_NOOP);
    imap_begin(si->im, &si->waiting.asked_tag);
    imap_text(si->im, "NOOP");
    imap_end(si->im);
    return imap_send(si->im, e);
}

static int ask_first(struct source_imap *si, struct err *e)
{
    if (si->waiting.how == WAIT_NONE)
        return ask_noop(si, e);
    expect(si, si->waiting.how == WAIT_IDLE ? ASKED_DONE : ASKED_NOTIFY);
    return si->waiting.how == WAIT_IDLE ? imap_idle_leave(si->im, e) : ask_notify(si, e);
}

static bool is_answered(const struct source_imap *si)
{
    const struct imap_waiting *w = &si->waiting;

    switch (w->asked) {
    case ASKED_NOTHING:
        return false;
    case ASKED_DONE:
        return imap_idling(si->im) == IMAP_IDLE_OFF;
    case ASKED_IDLE:
        return imap_idling(si->im) != IMAP_IDLE_ASKED;
    case ASKED_NOOP:
    case ASKED_NOTIFY:
        return imap_has_answer(si->im, w->asked_tag);
    }
    return false;
}

static int finish_noop(struct source_imap *si, struct err *e)
{
    struct imap_handler handler = listener(si);
    struct imap_done done;

    return imap_finish(si->im, si->waiting.asked_tag, &handler, &done, e);
}

/* Takes the answer, and asks the next question. */
static int ask_next(struct source_imap *si, struct err *e)
{
    struct imap_waiting *w = &si->waiting;

    switch (w->asked) {
    case ASKED_NOTHING:
        break;
    case ASKED_DONE:
        return ask_noop(si, e);
    case ASKED_NOOP:
        if (finish_noop(si, e) != 0)
            return -1;
        if (w->how != WAIT_IDLE)
            break;
        expect(si, ASKED_IDLE);
        w->began_ms = clock_mono_ms();
        return imap_idle_ask(si->im, e);
    case ASKED_IDLE:
        break;
    case ASKED_NOTIFY:
        if (finish_notify(si, e) != 0)
            return -1;
        w->news |= si->no_notify;
        break;
    }
    renewed(si);
    return 0;
}

static int go_on(struct source_imap *si, struct err *e)
{
    if (listen_now(si, e) != 0)
        return -1;
    while (is_answered(si)) {
        if (ask_next(si, e) != 0 || listen_now(si, e) != 0)
            return -1;
    }
    return 0;
}

/* As far as it has come; then ordinary commands may follow. */
static int end_renewal(struct source_imap *si, struct err *e)
{
    enum imap_asked asked = si->waiting.asked;

    si->waiting.asked = ASKED_NOTHING;
    if (asked == ASKED_NOOP)
        return finish_noop(si, e);
    return asked == ASKED_NOTIFY ? finish_notify(si, e) : 0;
}

int imap_wait_read(struct source *s, struct wait_state *state, struct err *e)
{
    struct source_imap *si = imap_self(s);

    if (si->im == NULL)
        return err_set(e, E_NET, "there is no connection to wait on");
    if (go_on(si, e) != 0)
        return lost(si);
    say_state(si, state);
    return 0;
}

int imap_wait_renew(struct source *s, struct wait_state *state, struct err *e)
{
    struct source_imap *si = imap_self(s);
    bool asked;

    if (si->im == NULL)
        return err_set(e, E_NET, "there is no connection to wait on");
    asked = si->waiting.asked != ASKED_NOTHING;
    if ((!asked && ask_first(si, e) != 0) || go_on(si, e) != 0)
        return lost(si);
    if (asked && si->waiting.asked != ASKED_NOTHING && clock_mono_ms() >= si->waiting.answer_due_ms) {
        err_set(e, E_TIMEOUT, "no answer for %d seconds", si->server.dial.timeout_s);
        return lost(si);
    }
    say_state(si, state);
    return 0;
}

int imap_wait_end(struct source *s, struct err *e)
{
    struct source_imap *si = imap_self(s);

    if (si->im == NULL)
        return err_set(e, E_NET, "there is no connection any more");
    if (end_renewal(si, e) != 0 || imap_idle_end(si->im, NULL, e) != 0)
        return lost(si);
    si->waiting.how = WAIT_NONE;
    return 0;
}
