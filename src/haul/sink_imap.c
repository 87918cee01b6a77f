/* SPDX-License-Identifier: MIT */
#include "haul/sink_imap.h"

#include <stdio.h>
#include <strings.h>

#include "base/array.h"
#include "base/log.h"
#include "haul/sink_imap_int.h"
#include "net/tls_tell.h"
#include "wire/folder.h"
#include "wire/limits.h"

enum { STATUS_WINDOW = 8, WORDS_MAX = ERR_TEXT_MAX + ERR_PEER_MAX };

static const char *host_of(const struct sink_imap *si)
{
    return si->server.dial.host != NULL ? si->server.dial.host : "the server behind the tunnel";
}

/* --- session -------------------------------------------------------------------------------------------------- */

bool imap_sink_lost(const struct err *e)
{
    return e->code == E_NET || e->code == E_TIMEOUT || e->code == E_PROTO ||
           (e->code == E_BUSY && e->retry == RETRY_RECONNECT);
}

/* NAMESPACE (RFC 2342): (("INBOX." ".")...) ... */
static void take_namespace(struct sink_imap *si, struct slice rest)
{
    struct buf prefix = BUF_INIT(LIMIT_FOLDER_NAME), delimiter = BUF_INIT(8);

    rest = slice_trim(rest);
    if (slice_starts(rest, SLICE("(("))) {
        rest = slice_from(rest, 2);
        if (imap_string(&rest, &prefix) == 0 && imap_string(&rest, &delimiter) == 0 && delimiter.len <= 1 &&
            !slice_has_nul(buf_slice(&prefix))) {
            free(si->naming.personal);
            si->naming.personal = prefix.len > 0 ? strdup(buf_cstr(&prefix)) : NULL;
            si->naming.delimiter = delimiter.len > 0 ? delimiter.p[0] : '\0';
            si->naming_known = true;
        }
    }
    buf_release(&prefix);
    buf_release(&delimiter);
}

static int naming_untagged(void *ctx, const struct imap_response *r, struct err *e)
{
    struct sink_imap *si = ctx;
    struct buf name = BUF_INIT(LIMIT_FOLDER_NAME);
    struct imap_list list;

    (void)e;
    if (slice_ieq(r->name, SLICE("NAMESPACE"))) {
        take_namespace(si, r->rest);
    } else if (slice_ieq(r->name, SLICE("LIST")) && !si->naming_known && imap_parse_list(r->rest, &list, &name) == 0) {
        si->naming.delimiter = list.delimiter;
        si->naming_known = true;
    }
    buf_release(&name);
    return 0;
}

static int ask_naming(struct sink_imap *si, const char *command, struct err *e)
{
    struct imap_handler handler = { .ctx = si, .untagged = naming_untagged };
    struct imap_done done;
    uint32_t tag;

    if (si->naming_known)
        return 0;
    imap_begin(si->im, &tag);
    imap_text(si->im, "%s", command);
    imap_end(si->im);
    return imap_finish(si->im, tag, &handler, &done, e);
}

int imap_sink_session(struct sink_imap *si, struct err *e)
{
    if (si->im != NULL)
        return 0;
    if (imap_open(&si->server, &si->im, e) != 0)
        return -1;
    if (((imap_caps(si->im) & IMAP_CAP_NAMESPACE) != 0 && ask_naming(si, "NAMESPACE", e) != 0) ||
        ask_naming(si, "LIST \"\" \"\"", e) != 0) {
        imap_close(&si->im);
        return -1;
    }
    /* A server that tells nothing of its names: most have this one. */
    if (!si->naming_known)
        si->naming.delimiter = '/';
    si->naming_known = true;
    return 0;
}

/* --- folders -------------------------------------------------------------------------------------------------- */

static void target_free(struct imap_target *t)
{
    if (t == NULL)
        return;
    free(t->folder);
    free(t->wire);
    free(t->shown);
    free(t->words);
    free(t);
}

static void forget_targets(struct sink_imap *si)
{
    for (size_t i = 0; i < si->target_count; i++)
        target_free(si->targets[i]);
    si->target_count = 0;
}

void imap_target_refuse(struct imap_target *t, const char *words)
{
    free(t->words);
    t->words = strdup(words);
}

static int name_target(const struct sink_imap *si, const struct imap_mail *mail, struct imap_target *t)
{
    struct buf wire = BUF_INIT(LIMIT_FOLDER_NAME * 4), shown = BUF_INIT(LIMIT_FOLDER_NAME * 4);
    int rc = -1;

    if (imap_target_name(&si->naming, slice_str(mail->folder), mail->delimiter, &wire) != 0) {
        buf_clear(&wire);
        imap_target_refuse(t, "the folder's name is not one that an IMAP server could have");
    }
    if (folder_from_mutf7(buf_slice(&wire), si->naming.delimiter, &shown) != 0 &&
        buf_put_slice(&shown, buf_slice(&wire)) != 0)
        goto out;
    t->wire = strdup(buf_cstr(&wire));
    t->shown = strdup(buf_cstr(&shown));
    rc = t->wire != NULL && t->shown != NULL ? 0 : -1;
out:
    buf_release(&wire);
    buf_release(&shown);
    return rc;
}

static struct imap_target *target_new(const struct sink_imap *si, const struct imap_mail *mail, struct err *e)
{
    struct imap_target *t = calloc(1, sizeof(*t));

    if (t == NULL || (si->naming.folder == NULL && (t->folder = strdup(mail->folder)) == NULL) ||
        name_target(si, mail, t) != 0) {
        target_free(t);
        err_nomem(e);
        return NULL;
    }
    t->delimiter = mail->delimiter;
    return t;
}

static struct imap_target *target_of(struct sink_imap *si, const struct imap_mail *mail, struct err *e)
{
    struct imap_target *t;

    for (size_t i = si->target_count; i-- > 0;) {
        t = si->targets[i];
        if (t->folder == NULL || (t->delimiter == mail->delimiter && strcmp(t->folder, mail->folder) == 0))
            return t;
    }
    if (si->target_count == si->target_cap) {
        struct imap_target **v = array_grow(si->targets, &si->target_cap, sizeof(struct imap_target *));
        if (v == NULL) {
            err_nomem(e);
            return NULL;
        }
        si->targets = v;
    }
    t = target_new(si, mail, e);
    if (t != NULL)
        si->targets[si->target_count++] = t;
    return t;
}

static int status_untagged(void *ctx, const struct imap_response *r, struct err *e)
{
    struct imap_target *t = ctx;
    struct buf wire = BUF_INIT(LIMIT_FOLDER_NAME * 4);
    struct imap_status_items items;

    (void)e;
    if (slice_ieq(r->name, SLICE("STATUS")) && imap_parse_status(r->rest, &items, &wire) == 0 &&
        (strcmp(buf_cstr(&wire), t->wire) == 0 ||
         (slice_ieq(buf_slice(&wire), SLICE("INBOX")) && strcmp(t->wire, "INBOX") == 0)) &&
        items.has_uidvalidity && items.has_uidnext) {
        t->uidvalidity = items.uidvalidity;
        t->uidnext = items.uidnext;
        t->limit = items.append_limit;
    }
    buf_release(&wire);
    return 0;
}

static uint32_t begin_status(struct sink_imap *si, const struct imap_target *t)
{
    bool limit = (imap_caps(si->im) & IMAP_CAP_APPENDLIMIT) != 0;
    uint32_t tag;

    imap_begin(si->im, &tag);
    imap_text(si->im, "STATUS ");
    imap_string_arg(si->im, slice_str(t->wire));
    imap_text(si->im, " (UIDNEXT UIDVALIDITY%s)", limit ? " APPENDLIMIT" : "");
    imap_end(si->im);
    return tag;
}

/* *there_out is false when the server knows no such folder, or will not say. */
static int finish_status(struct sink_imap *si, struct imap_target *t, uint32_t tag, bool *there_out, struct err *e)
{
    struct imap_handler handler = { .ctx = t, .untagged = status_untagged };
    struct imap_done done;

    if (imap_finish(si->im, tag, &handler, &done, e) != 0)
        return -1;
    if (done.status != IMAP_OK && imap_throttled(&done))
        return imap_refused(si->im, &done, E_BUSY, "to look at a folder now", e);
    *there_out = done.status == IMAP_OK;
    t->looked = true;
    t->behind = false;
    return 0;
}

static int simple_command(struct sink_imap *si, const char *command, const struct imap_target *t,
                          struct imap_done *done, struct err *e)
{
    uint32_t tag;

    imap_begin(si->im, &tag);
    imap_text(si->im, "%s ", command);
    imap_string_arg(si->im, slice_str(t->wire));
    imap_end(si->im);
    return imap_finish(si->im, tag, NULL, done, e);
}

int imap_target_make(struct sink_imap *si, struct imap_target *t, struct err *e)
{
    struct imap_done done, ignored;
    struct err why;
    char words[WORDS_MAX];
    bool there;

    if (simple_command(si, "CREATE", t, &done, e) != 0)
        return -1;
    if (done.status != IMAP_OK && imap_throttled(&done))
        return imap_refused(si->im, &done, E_BUSY, "to make a folder now", e);
    if (done.status != IMAP_OK && strcasecmp(done.code, "ALREADYEXISTS") != 0) {
        imap_refused(si->im, &done, E_NOFOLDER, "to make a folder that is missing there", &why);
        err_format(&why, words, sizeof(words));
        log_warn("destination %s: the folder %s cannot be made: %s", si->sink.name, t->shown, words);
        imap_target_refuse(t, words);
        return 0;
    }
    t->made = true;
    if (done.status == IMAP_OK) {
        log_info("destination %s: made the folder %s", si->sink.name, t->shown);
        if (simple_command(si, "SUBSCRIBE", t, &ignored, e) != 0)
            return -1;
    }
    /* Whatever it says now, the APPEND will tell. */
    return finish_status(si, t, begin_status(si, t), &there, e);
}

static int look_at_targets(struct sink_imap *si, struct err *e)
{
    uint32_t tags[STATUS_WINDOW];
    struct imap_target *asked[STATUS_WINDOW];
    size_t next = 0;

    while (next < si->target_count) {
        size_t n = 0;
        bool there[STATUS_WINDOW] = { false };

        for (; next < si->target_count && n < STATUS_WINDOW; next++) {
            struct imap_target *t = si->targets[next];
            if (t->words != NULL || (t->looked && !t->behind))
                continue;
            asked[n] = t;
            tags[n++] = begin_status(si, t);
        }
        for (size_t i = 0; i < n; i++) {
            if (finish_status(si, asked[i], tags[i], &there[i], e) != 0)
                return -1;
        }
        for (size_t i = 0; i < n; i++) {
            if (!there[i] && imap_target_make(si, asked[i], e) != 0)
                return -1;
        }
    }
    return 0;
}

/* --- the sink ------------------------------------------------------------------------------------------------- */

static int describe(const struct sink *s, struct buf *out)
{
    const struct sink_imap *si = (const struct sink_imap *)s;

    return buf_putf(out, "imap%s %s%s%s, folder %s%s", si->server.tls == SERVER_TLS_IMPLICIT ? "s" : "", host_of(si),
                    si->server.user != NULL ? ", user " : "", si->server.user != NULL ? si->server.user : "",
                    si->naming.folder != NULL          ? si->naming.folder
                    : si->naming.folder_prefix != NULL ? "as in the source, below "
                                                       : "as in the source",
                    si->naming.folder == NULL && si->naming.folder_prefix != NULL ? si->naming.folder_prefix : "");
}

static int open_sink(struct sink *s, const char *tag, const struct journal_sink *known, bool read_only, bool adopt,
                     char *marker_out, struct err *e)
{
    (void)s;
    (void)tag;
    (void)known;
    (void)read_only;
    (void)adopt;
    (void)e;
    marker_out[0] = '\0';
    return 0;
}

/* A new pass looks at everything anew. */
static int ready(struct sink *s, struct err *e)
{
    struct sink_imap *si = sink_imap_self(s);

    forget_targets(si);
    si->lost = si->put_off = 0;
    return imap_sink_session(si, e);
}

static void close_sink(struct sink *s)
{
    struct sink_imap *si = sink_imap_self(s);

    imap_close(&si->im);
    forget_targets(si);
}

static int check_folder(struct sink_imap *si, sink_tell_fn *tell, void *ctx, struct err *e)
{
    struct imap_mail any = { .folder = (char[]){ "INBOX" }, .delimiter = '/' };
    struct imap_target *t = target_of(si, &any, e);
    char line[WORDS_MAX];
    bool there;

    if (t == NULL)
        return -1;
    if (t->words != NULL)
        return err_set(e, E_CONFIG, "%s: %s", si->naming.folder, t->words);
    if (finish_status(si, t, begin_status(si, t), &there, e) != 0)
        return -1;
    snprintf(line, sizeof(line), there ? "the folder %s is there" : "the folder %s is not there yet; it would be made",
             t->shown);
    tell(ctx, line);
    if (si->naming.folder == NULL)
        tell(ctx, "other folders: as in the source, made when they are needed");
    return 0;
}

static int check(struct sink *s, sink_tell_fn *tell, void *ctx, struct err *e)
{
    struct sink_imap *si = sink_imap_self(s);
    int rc = imap_sink_session(si, e);

    if (rc == 0)
        tls_tell(imap_stream(si->im), tell, ctx);
    if (rc == 0)
        rc = check_folder(si, tell, ctx, e);
    close_sink(s);
    return rc;
}

static int finish(struct sink *s, const struct sink_message *m, struct sink_slot *slot, struct err *e)
{
    struct imap_mail *mail = calloc(1, sizeof(*mail));

    (void)s;
    if (mail == NULL || (mail->folder = slice_dup(m->folder)) == NULL) {
        free(mail);
        return err_nomem(e);
    }
    mail->file = spool_keep(m->file);
    mail->delimiter = m->delimiter;
    mail->flags = m->flags;
    mail->date = m->date;
    slot->own = mail;
    return 0;
}

static void discard(struct sink *s, struct sink_slot *slot)
{
    struct imap_mail *mail = slot->own;

    (void)s;
    if (mail == NULL)
        return;
    spool_release(&mail->file);
    free(mail->folder);
    free(mail);
    slot->own = NULL;
}

static int prepare_targets(struct sink_imap *si, struct sink_slot *const *slots, size_t count, struct err *e)
{
    if (imap_sink_session(si, e) != 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct imap_mail *mail = slots[i]->own;
        if ((mail->target = target_of(si, mail, e)) == NULL)
            return -1;
    }
    return look_at_targets(si, e);
}

static int prepare(struct sink *s, struct sink_slot *const *slots, size_t count, struct err *e)
{
    struct sink_imap *si = sink_imap_self(s);
    bool idle = si->im != NULL;
    struct err why;
    int rc = prepare_targets(si, slots, count, &why);

    /* While the messages came in, nothing was said on this connection: servers end such ones. */
    if (rc != 0 && idle && imap_sink_lost(&why)) {
        imap_close(&si->im);
        rc = prepare_targets(si, slots, count, &why);
    }
    if (rc != 0) {
        imap_close(&si->im);
        *e = why;
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        const struct imap_target *t = ((struct imap_mail *)slots[i]->own)->target;
        if (!slots[i]->doubtful)
            snprintf(slots[i]->name, sizeof(slots[i]->name), "%" PRIu32 ".%" PRIu32, t->uidvalidity, t->uidnext);
    }
    return 0;
}

static void free_sink(struct sink *s)
{
    struct sink_imap *si = sink_imap_self(s);

    close_sink(s);
    free(si->targets);
    free(si->naming.personal);
    free(si->disabled);
    free(si);
}

static const struct sink_ops imap_sink_ops = {
    .type = "imap",
    .describe = describe,
    .open = open_sink,
    .ready = ready,
    .check = check,
    /* Not every one of them was sent, but only a look tells. */
    .staged_means = DELIVERY_IN_DOUBT,
    .finish = finish,
    .prepare = prepare,
    .commit = imap_sink_commit,
    .discard = discard,
    .close = close_sink,
    .free = free_sink,
};

/* Under UTF8=ACCEPT a server may take the bytes of a message for something else (RFC 6855 section 4), and names would
 * travel in another form; nothing here needs it. */
static int disable_ours(struct sink_imap *si, const char *const *theirs)
{
    size_t n = 0;

    while (theirs != NULL && theirs[n] != NULL)
        n++;
    si->disabled = calloc(n + 2, sizeof(*si->disabled));
    if (si->disabled == NULL)
        return -1;
    for (size_t i = 0; i < n; i++)
        si->disabled[i] = theirs[i];
    si->disabled[n] = "UTF8=ACCEPT";
    si->server.disabled = si->disabled;
    return 0;
}

struct sink *sink_imap_new(const struct sink_imap_options *options)
{
    struct sink_imap *si = calloc(1, sizeof(*si));

    if (si == NULL)
        return NULL;
    si->sink = (struct sink){ .ops = &imap_sink_ops, .name = options->name, .drop_rejected = options->drop_rejected };
    si->server = *options->server;
    si->naming.folder = options->folder;
    si->naming.folder_prefix = options->folder_prefix;
    if (disable_ours(si, options->server->disabled) != 0) {
        free(si);
        return NULL;
    }
    return &si->sink;
}
