/* SPDX-License-Identifier: MIT */
#include "haul/source_imap.h"

#include "base/log.h"
#include "base/step.h"
#include "haul/source_imap_int.h"
#include "wire/limits.h"

static int describe(const struct source *s, struct buf *out)
{
    const struct server *server = &((const struct source_imap *)s)->server;

    return buf_putf(out, "imap%s %s, %s%s", server->tls == SERVER_TLS_IMPLICIT ? "s" : "",
                    server->dial.host != NULL ? server->dial.host : "through a tunnel",
                    server->user != NULL ? "user " : "no user", server->user != NULL ? server->user : "");
}

void imap_drop(struct source_imap *si)
{
    imap_close(&si->im);
    free(si->trash);
    free(si->folder);
    si->trash = si->folder = NULL;
    si->waiting = (struct imap_waiting){ 0 };
    si->selected_any = si->listed = si->reused = false;
}

static int open_new(struct source_imap *si, struct err *e)
{
    imap_drop(si);
    return imap_open(&si->server, &si->im, e);
}

bool imap_unproven(const struct source_imap *si)
{
    return si->reused && imap_answers(si->im) == si->answers;
}

int imap_anew(struct source_imap *si, struct err *e)
{
    bool gone = e->code == E_NET || e->code == E_TIMEOUT || (e->code == E_BUSY && e->retry == RETRY_RECONNECT);

    if (!gone || !imap_unproven(si))
        return -1;
    log_debug("the connection of the last pass has gone: %s; connecting again", e->text);
    return open_new(si, e);
}

static int open_session(struct source *s, struct err *e)
{
    struct source_imap *si = imap_self(s);

    bool waits = si->waiting.how != WAIT_NONE || si->waiting.asked != ASKED_NOTHING;

    if (si->im != NULL && waits && imap_wait_end(s, e) != 0 && e->code == E_STOPPED)
        return -1;
    /* NOTIFY, once used, can only be left with the connection. */
    if (si->im == NULL || (si->waiting.notify_set && si->no_notify))
        return open_new(si, e);
    si->reused = true;
    si->answers = imap_answers(si->im);
    imap_again(si->im);
    free(si->trash);
    si->trash = NULL;
    si->listed = false;
    return 0;
}

static void close_session(struct source *s)
{
    struct source_imap *si = imap_self(s);

    imap_drop(si);
    source_folders_release(&si->seen);
}

static void free_source(struct source *s)
{
    close_session(s);
    free(s);
}

/* --- removal -------------------------------------------------------------------------------------------------- */

enum removal { REMOVAL_EXPUNGE, REMOVAL_MOVE, REMOVAL_MARK };

/* CONTRACT promise 6, and what each server needs. On Gmail an expunged message stays in All Mail: only the trash
 * removes. Without UIDPLUS an EXPUNGE would take what others have marked. What is in the trash already would come back
 * from a MOVE with another UID, as new mail. */
static int decide_removal(struct source_imap *si, enum removal *how_out, struct err *e)
{
    uint64_t caps = imap_caps(si->im);
    bool gmail = (caps & IMAP_CAP_GMAIL) != 0, uidplus = (caps & IMAP_CAP_UIDPLUS) != 0;

    *how_out = uidplus ? REMOVAL_EXPUNGE : REMOVAL_MARK;
    if ((caps & IMAP_CAP_MOVE) == 0 || (uidplus && !gmail))
        return 0;
    if (imap_find_trash(si, e) != 0)
        return -1;
    if (si->trash != NULL && (si->folder == NULL || strcmp(si->trash, si->folder) != 0))
        *how_out = REMOVAL_MOVE;
    return 0;
}

static void say_how(struct source_imap *si, enum removal how)
{
    uint64_t caps = imap_caps(si->im);

    if (how == REMOVAL_EXPUNGE || (si->source.quirks & QUIRK_SAID_NO_EXPUNGE) != 0 || (caps & IMAP_CAP_GMAIL) != 0)
        return;
    si->source.quirks |= QUIRK_SAID_NO_EXPUNGE;
    if (how == REMOVAL_MOVE)
        log_warn("the server cannot remove single messages (no UIDPLUS): they are moved to its trash folder");
    else
        log_warn(
            "the server cannot remove single messages (neither UIDPLUS nor MOVE): they are marked \\Deleted and stay "
            "there");
}

static int finish_removal(struct source_imap *si, uint32_t tag, const char *what, struct err *e)
{
    struct imap_done done;

    if (imap_finish(si->im, tag, NULL, &done, e) != 0)
        return -1;
    if (done.status == IMAP_OK)
        return 0;
    imap_refused(si->im, &done, E_BUSY, what, e);
    return err_scope(e, SCOPE_FOLDER);
}

static int remove_set(struct source_imap *si, enum removal how, const char *set, struct err *e)
{
    struct imap *im = si->im;
    uint32_t first, second = 0;
    struct err later;

    imap_begin(im, &first);
    if (how == REMOVAL_MOVE) {
        imap_text(im, "UID MOVE %s ", set);
        imap_string_arg(im, slice_str(si->trash));
    } else {
        imap_text(im, "UID STORE %s +FLAGS.SILENT (\\Deleted)", set);
    }
    imap_end(im);
    if (how == REMOVAL_EXPUNGE) {
        imap_begin(im, &second);
        imap_text(im, "UID EXPUNGE %s", set);
        imap_end(im);
    }
    if (finish_removal(si, first, how == REMOVAL_MOVE ? "to move messages to the trash" : "to mark messages as deleted",
                       e) != 0) {
        if (e->scope == SCOPE_FOLDER && second != 0 && finish_removal(si, second, "", &later) != 0 &&
            later.scope != SCOPE_FOLDER)
            *e = later;
        return -1;
    }
    return second != 0 ? finish_removal(si, second, "to expunge messages", e) : 0;
}

static int remove_some(struct source_imap *si, enum removal how, const struct fetch_item *items, size_t count,
                       struct err *e)
{
    struct uid_set set = UID_SET_INIT;
    struct buf text = BUF_INIT(LIMIT_COMMAND);
    int rc = -1;

    for (size_t i = 0; i < count; i++) {
        if (uid_set_add(&set, items[i].number) != 0) {
            err_nomem(e);
            goto out;
        }
    }
    for (size_t at = 0; at < set.count;) {
        buf_clear(&text);
        if (uid_set_put(&set, &at, LIMIT_IN_FLIGHT / 2 - 1200, &text) != 0) {
            err_nomem(e);
            goto out;
        }
        if (remove_set(si, how, buf_cstr(&text), e) != 0)
            goto out;
    }
    rc = 0;
out:
    uid_set_release(&set);
    buf_release(&text);
    return rc;
}

static int remove_messages(struct source *s, const struct fetch_item *items, size_t count,
                           enum remove_result *result_out, struct err *e)
{
    struct source_imap *si = imap_self(s);
    /* A command for more than this does a part of its work only (RFC 9738 section 3). */
    uint32_t limit = imap_message_limit(si->im);
    size_t most = limit != 0 ? limit : SIZE_MAX;
    enum removal how;

    if (decide_removal(si, &how, e) != 0)
        return -1;
    *result_out = how == REMOVAL_MARK ? REMOVE_MARKED : REMOVE_DONE;
    say_how(si, how);
    for (size_t i = 0; i < count; i += most) {
        if (remove_some(si, how, items + i, size_min(most, count - i), e) != 0)
            return -1;
        if (how != REMOVAL_MARK)
            imap_see_removal(si, size_min(most, count - i));
    }
    return 0;
}

static const struct source_ops imap_ops = {
    .protocol = "imap",
    .describe = describe,
    .open = open_session,
    .scan = imap_scan_folders,
    .list = imap_list_folder,
    .fetch = imap_fetch_bodies,
    .headers = imap_fetch_headers,
    .remove = remove_messages,
    .close = close_session,
    .free = free_source,
    .wait_begin = imap_wait_begin,
    .wait_read = imap_wait_read,
    .wait_renew = imap_wait_renew,
    .wait_end = imap_wait_end,
};

struct source *source_imap_new(const struct server *server, struct err *e)
{
    struct source_imap *si = calloc(1, sizeof(*si));

    if (si == NULL) {
        err_nomem(e);
        return NULL;
    }
    si->source.ops = &imap_ops;
    si->source.remove_max = SIZE_MAX;
    si->server = *server;
    return &si->source;
}

const struct stream *source_imap_stream(const struct source *s)
{
    const struct source_imap *si = (const struct source_imap *)s;

    return si->im != NULL ? imap_stream(si->im) : NULL;
}
