/* SPDX-License-Identifier: MIT */
#include "proto/imap.h"

#include <assert.h>
#include <stdio.h>
#include <strings.h>

#include "base/log.h"
#include "base/num.h"
#include "proto/imap_int.h"
#include "proto/imap_wait.h"
#include "wire/limits.h"

enum {
    /* Between two tagged responses: one for each message of the largest listing, and as many that nobody asked for. */
    UNTAGGED_MAX = 2 * LIMIT_LISTING,
    ALERTS_MAX = 10,
    STORING_PATIENCE = 10,
    LITERAL_MINUS_MAX = 4096,
};

struct imap *imap_new(const struct server *server)
{
    struct imap *im = calloc(1, sizeof(*im));

    if (im == NULL)
        return NULL;
    im->server = server;
    im->host = server->dial.host != NULL ? server->dial.host : "the server behind the tunnel";
    im->patience = 1;
    im->challenge = BUF_INIT(LIMIT_LINE);
    imap_reader_init(&im->reader);
    for (size_t i = 0; server->disabled != NULL && server->disabled[i] != NULL; i++)
        im->disabled |= imap_cap_from_name(slice_str(server->disabled[i]));
    return im;
}

uint64_t imap_caps(const struct imap *im)
{
    return im->caps.bits & ~im->disabled;
}

uint32_t imap_message_limit(const struct imap *im)
{
    return im->caps.message_limit;
}

uint64_t imap_append_limit(const struct imap *im)
{
    return im->caps.append_limit;
}

bool imap_utf8(const struct imap *im)
{
    return im->utf8;
}

bool imap_uidonly(const struct imap *im)
{
    return im->uidonly;
}

const struct stream *imap_stream(const struct imap *im)
{
    return im->stream;
}

const struct tls_facts *imap_tls(const struct imap *im)
{
    return stream_tls(im->stream);
}

void imap_expect(struct imap *im, uint64_t octets)
{
    stream_expect(im->stream, octets);
}

void imap_patient(struct imap *im)
{
    im->patience = 5;
}

/* --- responses ------------------------------------------------------------------------------------------------ */

static int bad_stream(struct imap *im, struct err *e)
{
    im->broken = true;
    return err_set(e, E_PROTO, "%s broke the IMAP protocol: %s", im->host, im->reader.why);
}

static int body_event(struct imap *im, enum imap_event event, const struct imap_handler *h, struct err *e)
{
    if (h == NULL)
        return 0;
    if (event == IMAP_EV_BODY_BEGIN)
        return h->body_begin != NULL ? h->body_begin(h->ctx, im->reader.body_octets, e) : 0;
    if (event == IMAP_EV_BODY_DATA)
        return h->body_data != NULL ? h->body_data(h->ctx, im->reader.data, e) : 0;
    return h->body_end != NULL ? h->body_end(h->ctx, e) : 0;
}

/* *got_out false: nothing has arrived, or enough of it (no_wait). */
static int more(struct imap *im, bool *got_out, struct err *e)
{
    *got_out = !im->no_wait;
    if (!im->no_wait)
        return stream_fill(im->stream, e);
    if (im->fills_left == 0)
        return 0;
    im->fills_left--;
    return stream_try_fill(im->stream, got_out, e);
}

int imap_read(struct imap *im, const struct imap_handler *handler, struct imap_response *r, struct err *e)
{
    bool got = true;

    for (;;) {
        struct slice in = stream_peek(im->stream);
        enum imap_event event;
        size_t used;

        if (in.n == 0) {
            if (im->at_end)
                return err_set(e, E_NET, "%s said no more", im->host);
            if (im->no_wait && !got)
                return 1;
            if (more(im, &got, e) != 0) {
                im->broken = true;
                return -1;
            }
            continue;
        }
        event = imap_reader_next(&im->reader, in, &used);
        if (event == IMAP_EV_BAD)
            return bad_stream(im, e);
        if ((event == IMAP_EV_BODY_BEGIN || event == IMAP_EV_BODY_DATA || event == IMAP_EV_BODY_END) &&
            body_event(im, event, handler, e) != 0) {
            im->broken = true;
            /* The rest of the body was not taken: it must not be read as responses. */
            return e->scope < SCOPE_SESSION ? err_scope(e, SCOPE_SESSION) : -1;
        }
        stream_consume(im->stream, used);
        if (event == IMAP_EV_RESPONSE)
            break;
    }
    stream_trace(im->stream, 'S', im->reader.text);
    if (imap_parse_response(im->reader.text, r) != 0) {
        im->broken = true;
        err_set(e, E_PROTO, "%s sent something that is no IMAP response", im->host);
        return err_peer(e, im->reader.text);
    }
    return 0;
}

static void copy_words(char *out, size_t size, struct slice in)
{
    log_words(out, size, in);
}

static void take_caps(struct imap *im, struct slice names)
{
    imap_parse_caps(names, &im->caps);
    im->caps_fresh = true;
}

/* The first ones of a session: a server could fill the log with them. Before TLS anybody may have said it: words that
 * press a user to act come from the server or not at all. */
static void say_alert(struct imap *im, const struct imap_response *r)
{
    char words[LOG_LINE_MAX];

    if (im->server->tls != SERVER_PLAINTEXT && stream_tls(im->stream) == NULL)
        return;
    if (im->alerts++ < ALERTS_MAX) {
        log_words(words, sizeof(words), r->text);
        log_info("%s says: %s", im->host, words);
    }
}

/* RFC 2221, 2193. Whoever says so may not be who he should be. */
int imap_referred(struct imap *im, struct err *e)
{
    im->broken = true;
    return err_set(e, E_TLS,
                   "%s refers us to another server (REFERRAL), which is not followed; if that is right, write it into "
                   "the account as host",
                   im->host);
}

static int bye(struct imap *im, const struct imap_response *r, struct err *e)
{
    im->broken = true;
    if (slice_ieq(r->code, SLICE("REFERRAL")))
        return imap_referred(im, e);
    err_set(e, E_BUSY, "%s ended the session", im->host);
    /* In a session that worked this is a time limit or a restart: a new one may go on. */
    if (im->logged_in)
        err_retry(e, RETRY_RECONNECT);
    return err_peer(e, r->text);
}

static int note_uidvalidity(struct imap *im, const struct imap_response *r, struct err *e)
{
    uint32_t uidvalidity;

    if (!slice_ieq(r->code, SLICE("UIDVALIDITY")) || num_parse_u32(r->code_args, &uidvalidity) != 0)
        return 0;
    if (im->uidvalidity != 0 && im->uidvalidity != uidvalidity) {
        im->broken = true;
        return err_set(e, E_PROTO, "%s changed UIDVALIDITY while the folder was open; nothing in it was removed",
                       im->host);
    }
    im->uidvalidity = uidvalidity;
    return 0;
}

void imap_again(struct imap *im)
{
    im->alerts = 0;
}

uint64_t imap_answers(const struct imap *im)
{
    return im->answers;
}

void imap_opening(struct imap *im)
{
    im->uidvalidity = 0;
}

/* What concerns the session, whichever command it came with. */
static int note_untagged(struct imap *im, const struct imap_response *r, struct err *e)
{
    if (slice_ieq(r->name, SLICE("CAPABILITY")))
        take_caps(im, r->rest);
    else if (slice_ieq(r->code, SLICE("CAPABILITY")))
        take_caps(im, r->code_args);
    else if (slice_ieq(r->name, SLICE("ENABLED"))) {
        char words[IMAP_WORDS_MAX];
        copy_words(words, sizeof(words), r->rest);
        im->utf8 |= strcasestr(words, "UTF8=ACCEPT") != NULL;
        im->uidonly |= strcasestr(words, "UIDONLY") != NULL;
    } else if (slice_ieq(r->code, SLICE("ALERT")))
        say_alert(im, r);
    if (r->status == IMAP_BYE)
        return bye(im, r, e);
    return note_uidvalidity(im, r, e);
}

struct imap_sent *imap_sent_find(struct imap *im, uint32_t tag)
{
    for (size_t i = 0; i < IMAP_IN_FLIGHT; i++) {
        if (im->sent[i].tag == tag)
            return &im->sent[i];
    }
    return NULL;
}

void imap_sent_drop(struct imap_sent *sent, struct imap_done *done_out)
{
    if (done_out != NULL && sent->result != NULL)
        *done_out = *sent->result;
    free(sent->result);
    *sent = (struct imap_sent){ 0 };
}

static int take_tagged(struct imap *im, const struct imap_response *r, struct err *e)
{
    struct imap_sent *sent = NULL;
    struct imap_done *done;
    uint32_t tag = 0;

    if (slice_starts(r->tag, SLICE("m")) && num_parse_u32(slice_from(r->tag, 1), &tag) == 0 && tag != 0)
        sent = imap_sent_find(im, tag);
    if (sent == NULL || sent->result != NULL || r->status == IMAP_BYE || r->status == IMAP_PREAUTH ||
        r->status == IMAP_NO_STATUS) {
        im->broken = true;
        err_set(e, E_PROTO, "%s answered a command that was never sent", im->host);
        return err_peer(e, im->reader.text);
    }
    done = malloc(sizeof(*done));
    if (done == NULL) {
        im->broken = true;
        return err_nomem(e);
    }
    done->status = r->status;
    copy_words(done->code, sizeof(done->code), r->code);
    copy_words(done->code_args, sizeof(done->code_args), r->code_args);
    copy_words(done->text, sizeof(done->text), r->text);
    sent->result = done;
    im->answers++;
    im->untagged = 0;
    if (slice_ieq(r->code, SLICE("CAPABILITY")))
        take_caps(im, r->code_args);
    else if (r->status == IMAP_OK && slice_ieq(r->code, SLICE("ALERT")))
        say_alert(im, r);
    return 0;
}

int imap_read_one(struct imap *im, const struct imap_handler *handler, struct err *e)
{
    struct imap_response r;
    int rc = imap_read(im, handler, &r, e);

    if (rc != 0)
        return rc;
    switch (r.kind) {
    case IMAP_TAGGED:
        return take_tagged(im, &r, e);
    case IMAP_CONTINUE:
        im->continued = true;
        buf_wipe(&im->challenge);
        if (buf_put_slice(&im->challenge, r.text) != 0) {
            im->broken = true;
            return err_nomem(e);
        }
        return 0;
    case IMAP_UNTAGGED:
        break;
    }
    if (++im->untagged > UNTAGGED_MAX) {
        im->broken = true;
        return err_set(e, E_PROTO, "%s sends responses without end", im->host);
    }
    if (note_untagged(im, &r, e) != 0)
        return -1;
    if (handler != NULL && handler->untagged != NULL && handler->untagged(handler->ctx, &r, e) != 0) {
        im->broken |= e->scope >= SCOPE_SESSION;
        return -1;
    }
    return 0;
}

/* A server that stores a message answers nothing else meanwhile. */
static unsigned patience_of(const struct imap *im)
{
    unsigned patience = im->patience;

    for (size_t i = 0; i < IMAP_IN_FLIGHT; i++) {
        if (im->sent[i].tag != 0 && im->sent[i].storing && im->sent[i].result == NULL)
            patience = STORING_PATIENCE;
    }
    return patience;
}

int imap_finish(struct imap *im, uint32_t tag, const struct imap_handler *handler, struct imap_done *done,
                struct err *e)
{
    struct imap_sent *sent = imap_sent_find(im, tag);

    if (im->put_error.code != E_NONE || sent == NULL) {
        *e = im->put_error;
        im->broken = true;
        return sent == NULL && e->code == E_NONE ? err_set(e, E_PROTO, "too many IMAP commands at once") : -1;
    }
    stream_exchange(im->stream, patience_of(im));
    if (stream_flush(im->stream, e) != 0) {
        im->broken = true;
        return -1;
    }
    while (sent->result == NULL) {
        if (imap_read_one(im, handler, e) != 0)
            return -1;
        if (im->continued) {
            im->broken = true;
            return err_set(e, E_PROTO, "%s asked for more where nothing was to come", im->host);
        }
    }
    imap_sent_drop(sent, done);
    im->patience = 1;
    return 0;
}

int imap_await_continue(struct imap *im, uint32_t tag, bool *continued_out, struct imap_done *done, struct err *e)
{
    struct imap_sent *sent = imap_sent_find(im, tag);

    *continued_out = false;
    stream_exchange(im->stream, patience_of(im));
    if (stream_flush(im->stream, e) != 0) {
        im->broken = true;
        return -1;
    }
    while (sent != NULL && sent->result == NULL) {
        if (imap_read_one(im, NULL, e) != 0)
            return -1;
        if (im->continued) {
            im->continued = false;
            *continued_out = true;
            return 0;
        }
    }
    if (sent != NULL)
        imap_sent_drop(sent, done);
    return 0;
}

/* --- commands ------------------------------------------------------------------------------------------------- */

void imap_begin(struct imap *im, uint32_t *tag_out)
{
    struct imap_sent *slot = imap_sent_find(im, 0);

    /* Answers that nobody asked for make room. */
    for (size_t i = 0; i < IMAP_IN_FLIGHT && slot == NULL; i++) {
        if (im->sent[i].result != NULL) {
            slot = &im->sent[i];
            imap_sent_drop(slot, NULL);
        }
    }
    im->next_tag++;
    *tag_out = im->next_tag;
    if (slot == NULL) {
        err_set(&im->put_error, E_PROTO, "%s leaves too many commands unanswered", im->host);
        return;
    }
    *slot = (struct imap_sent){ .tag = im->next_tag };
    imap_text(im, "m%" PRIu32 " ", im->next_tag);
}

void imap_text(struct imap *im, const char *fmt, ...)
{
    struct buf b = BUF_INIT(2 * LIMIT_COMMAND);
    va_list ap;

    va_start(ap, fmt);
    if (buf_vputf(&b, fmt, ap) != 0)
        err_nomem(&im->put_error);
    va_end(ap);
    stream_put(im->stream, buf_slice(&b));
    buf_release(&b);
}

/* A literal (RFC 3501 section 4.3): without LITERAL+ or LITERAL- the server has to agree first. */
static void put_literal(struct imap *im, struct slice value)
{
    bool at_once = (imap_caps(im) & IMAP_CAP_LITERAL_PLUS) != 0 ||
                   ((imap_caps(im) & IMAP_CAP_LITERAL_MINUS) != 0 && value.n <= LITERAL_MINUS_MAX);
    struct imap_done done = { 0 };
    bool go = at_once;

    imap_text(im, "{%zu%s}\r\n", value.n, at_once ? "+" : "");
    if (!at_once && imap_await_continue(im, im->next_tag, &go, &done, &im->put_error) != 0)
        return;
    if (go)
        stream_put_secret(im->stream, value);
    else
        imap_refused(im, &done, E_PROTO, "a literal", &im->put_error);
}

void imap_string_arg(struct imap *im, struct slice value)
{
    struct buf b = BUF_INIT(4 * SECRET_MAX);

    switch (imap_put_string(&b, value, im->utf8)) {
    case IMAP_QUOTED:
        stream_put(im->stream, buf_slice(&b));
        break;
    case IMAP_NEEDS_LITERAL:
        put_literal(im, value);
        break;
    case IMAP_UNSENDABLE:
        if (slice_has_nul(value))
            err_set(&im->put_error, E_CONFIG, "a user name or password with a NUL byte cannot be sent to %s", im->host);
        else
            err_nomem(&im->put_error);
        break;
    }
    buf_release(&b);
}

int imap_await_go(struct imap *im, const struct imap_sent *sent, const struct imap_handler *handler, bool *go_out,
                  struct err *e)
{
    if (stream_flush(im->stream, e) != 0) {
        im->broken = true;
        return -1;
    }
    while (sent->result == NULL) {
        if (imap_read_one(im, handler, e) != 0)
            return -1;
        if (im->continued) {
            im->continued = false;
            *go_out = true;
            return 0;
        }
    }
    *go_out = false;
    return 0;
}

int imap_literal_begin(struct imap *im, uint32_t tag, uint64_t octets, bool *go_out, struct err *e)
{
    uint64_t caps = imap_caps(im);
    bool at_once = ((caps & IMAP_CAP_LITERAL_PLUS) != 0 && octets <= IMAP_LITERAL_AT_ONCE) ||
                   ((caps & IMAP_CAP_LITERAL_MINUS) != 0 && octets <= LITERAL_MINUS_MAX);
    struct imap_sent *sent = imap_sent_find(im, tag);

    *go_out = at_once;
    if (im->put_error.code != E_NONE || sent == NULL) {
        *e = im->put_error;
        im->broken = true;
        return sent == NULL && e->code == E_NONE ? err_set(e, E_PROTO, "too many IMAP commands at once") : -1;
    }
    stream_exchange(im->stream, patience_of(im));
    imap_text(im, "{%" PRIu64 "%s}\r\n", octets, at_once ? "+" : "");
    if (!at_once && imap_await_go(im, sent, NULL, go_out, e) != 0)
        return -1;
    if (!*go_out && sent->result->status == IMAP_OK) {
        im->broken = true;
        return err_set(e, E_PROTO, "%s said that it has a message which was not sent yet", im->host);
    }
    sent->storing = true;
    im->literal_left = *go_out ? octets : 0;
    return 0;
}

void imap_literal_data(struct imap *im, struct slice bytes)
{
    assert(bytes.n <= im->literal_left);
    im->literal_left -= bytes.n;
    stream_put_body(im->stream, bytes);
}

bool imap_answered(struct imap *im, uint32_t tag, struct imap_done *done_out)
{
    struct imap_sent *sent = imap_sent_find(im, tag);
    struct err ignored;

    im->at_end = im->broken = true;
    while (sent != NULL && sent->result == NULL && imap_read_one(im, NULL, &ignored) == 0)
        ;
    if (sent == NULL || sent->result == NULL)
        return false;
    imap_sent_drop(sent, done_out);
    return true;
}

void imap_end(struct imap *im)
{
    stream_put(im->stream, SLICE("\r\n"));
}

/* --- refusals ------------------------------------------------------------------------------------------------- */

struct code_row {
    const char *code;
    enum err_code means;
};

/* RFC 5530 section 3, RFC 9738. */
static const struct code_row codes[] = {
    { "UNAVAILABLE", E_BUSY },
    { "INUSE", E_BUSY },
    { "SERVERBUG", E_BUSY },
    { "LIMIT", E_BUSY },
    { "THROTTLED", E_BUSY },
    { "OVERQUOTA", E_BUSY },
    { "CONTACTADMIN", E_AUTH },
    { "EXPIRED", E_AUTH },
    { "AUTHENTICATIONFAILED", E_AUTH },
    { "AUTHORIZATIONFAILED", E_AUTH },
    { "PRIVACYREQUIRED", E_TLS },
    { "REFERRAL", E_TLS },
    { "NONEXISTENT", E_NOFOLDER },
};

bool imap_throttled(const struct imap_done *done)
{
    return strcasecmp(done->code, "UNAVAILABLE") == 0 || strcasecmp(done->code, "INUSE") == 0 ||
           strcasecmp(done->code, "LIMIT") == 0 || strcasecmp(done->code, "THROTTLED") == 0 ||
           strcasestr(done->text, "Suggested Backoff Time") != NULL || strcasestr(done->text, "throttled") != NULL ||
           strcasestr(done->text, "authenticated but not connected") != NULL ||
           strcasestr(done->text, "Too many simultaneous connections") != NULL;
}

int imap_refused(const struct imap *im, const struct imap_done *done, enum err_code usual, const char *what,
                 struct err *e)
{
    enum err_code code = imap_throttled(done) ? E_BUSY : usual;
    char words[2 * IMAP_WORDS_MAX];

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (strcasecmp(done->code, codes[i].code) == 0)
            code = codes[i].means;
    }
    err_set(e, code, "%s refused %s", im->host, what);
    snprintf(words, sizeof(words), "%s%s%s", done->code, done->code[0] != '\0' ? ": " : "", done->text);
    return err_peer(e, slice_str(words));
}

void imap_close(struct imap **imp)
{
    struct imap *im = *imp;
    struct err ignored;
    uint32_t tag;

    if (im == NULL)
        return;
    /* A LOGOUT would become the end of a message that was not sent whole. */
    if (im->stream != NULL && !im->broken && im->literal_left == 0 && im->put_error.code == E_NONE) {
        if (im->idle == IMAP_IDLE_ASKED || im->idle == IMAP_IDLE_ON)
            stream_put(im->stream, SLICE("DONE\r\n"));
        imap_begin(im, &tag);
        imap_text(im, "LOGOUT");
        imap_end(im);
        /* Nothing hangs on the answer: mail is stored, removals are confirmed by then. */
        if (stream_flush(im->stream, &ignored) != 0)
            im->broken = true;
    }
    stream_close(&im->stream);
    for (size_t i = 0; i < IMAP_IN_FLIGHT; i++)
        imap_sent_drop(&im->sent[i], NULL);
    imap_reader_release(&im->reader);
    buf_release(&im->challenge);
    free(im);
    *imp = NULL;
}
