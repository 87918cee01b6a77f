/* SPDX-License-Identifier: MIT
 * The session and its replies. RFC 5321 section 4.2.
 */
#include "proto/smtp_int.h"

#include "base/log.h"
#include "wire/limits.h"

int smtp_broken(struct smtp *s)
{
    s->broken = true;
    return -1;
}

unsigned smtp_class(const struct smtp_reply *reply)
{
    return reply->code / 100;
}

int smtp_out_of_step(struct smtp *s, const struct smtp_reply *reply, struct err *e)
{
    err_set(e, E_PROTO, "%s is out of step: its reply does not fit what was asked", s->host);
    err_retry(e, RETRY_RECONNECT);
    err_peer(e, slice_str(reply->words));
    return smtp_broken(s);
}

/* The words of all lines of a reply, as they came. */
struct words {
    char raw[SMTP_WORDS_MAX];
    size_t n;
};

static void add_word(struct words *w, struct slice word)
{
    if (w->n > 0 && w->n < sizeof(w->raw))
        w->raw[w->n++] = ' ';
    word.n = size_min(word.n, sizeof(w->raw) - w->n);
    if (word.n > 0)
        memcpy(w->raw + w->n, word.p, word.n);
    w->n += word.n;
}

/* The enhanced status code, which each line has (RFC 2034 section 4), is told once. */
static void add_line(struct words *w, const struct smtp_line *line, bool first)
{
    struct smtp_enhanced ignored;
    struct slice text = line->text;

    if (!first)
        smtp_take_enhanced(line->code, &text, &ignored);
    if (text.n > 0)
        add_word(w, text);
}

static int no_reply(struct smtp *s, struct slice line, struct err *e)
{
    err_set(e, E_PROTO, "%s broke the %s protocol: what came is no reply; is the port right?", s->host,
            s->lmtp ? "LMTP" : "SMTP");
    err_peer(e, line);
    return smtp_broken(s);
}

static int keep_challenge(struct smtp *s, struct slice text, struct err *e)
{
    buf_wipe(s->challenge);
    if (buf_put_slice(s->challenge, text) == 0)
        return 0;
    smtp_broken(s);
    return err_nomem(e);
}

static int read_lines(struct smtp *s, struct smtp_caps *caps, struct words *words, unsigned *code_out, struct err *e)
{
    struct slice text;
    struct smtp_line line = { .last = false };
    char code[8];

    for (size_t lines = 0; !line.last; lines++) {
        if (lines == LIMIT_REPLY_LINES) {
            smtp_broken(s);
            return err_set(e, E_PROTO, "%s gives a reply without end", s->host);
        }
        if (stream_line(s->stream, LIMIT_LINE, &text, e) != 0)
            return smtp_broken(s);
        if (smtp_parse_line(text, &line) != 0 || (lines > 0 && line.code != *code_out))
            return no_reply(s, text, e);
        *code_out = line.code;
        if (s->challenge != NULL && line.code == 334 && keep_challenge(s, line.text, e) != 0)
            return -1;
        if (lines == 0) {
            snprintf(code, sizeof(code), "%u", line.code);
            add_word(words, slice_str(code));
        }
        if (caps != NULL && lines > 0)
            smtp_parse_cap_line(line.text, caps);
        else
            add_line(words, &line, lines == 0);
    }
    return 0;
}

int smtp_read(struct smtp *s, bool final, struct smtp_caps *caps, struct smtp_reply *out, struct err *e)
{
    struct words words = { .n = 0 };
    unsigned code = 0;

    *out = SMTP_REPLY_NONE;
    stream_exchange(s->stream, final ? SMTP_FINAL_FACTOR : 1);
    if (final)
        stream_patient(s->stream);
    if (read_lines(s, caps, &words, &code, e) != 0)
        return -1;
    out->code = code;
    log_words(out->words, sizeof(out->words), slice_make(words.raw, words.n));
    if (code != 421)
        return 0;
    err_set(e, E_BUSY, "%s closes the connection: it is not available now", s->host);
    err_peer(e, slice_str(out->words));
    return smtp_broken(s);
}

int smtp_unasked(struct smtp *s, struct err *e)
{
    struct smtp_reply reply;

    if (stream_peek(s->stream).n == 0)
        return 0;
    if (smtp_read(s, false, NULL, &reply, e) != 0)
        return -1;
    return smtp_out_of_step(s, &reply, e);
}

int smtp_ask(struct smtp *s, struct smtp_caps *caps, struct smtp_reply *out, struct err *e)
{
    if (smtp_unasked(s, e) != 0)
        return -1;
    stream_exchange(s->stream, 1);
    if (stream_flush(s->stream, e) != 0)
        return smtp_broken(s);
    return smtp_read(s, false, caps, out, e);
}

/* --- the session --- */

static const char *host_of(const struct server *server)
{
    if (server->dial.unix_socket != NULL)
        return server->dial.unix_socket;
    return server->dial.host != NULL ? server->dial.host : "the server behind the tunnel";
}

int smtp_open(const struct smtp_options *options, struct smtp **out, struct err *e)
{
    struct smtp *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return err_nomem(e);
    s->server = options->server;
    s->host = host_of(options->server);
    s->lmtp = options->lmtp;
    if (dial(&options->server->dial, &s->stream, e) != 0 || smtp_enter(s, options->hello, e) != 0) {
        smtp_close(&s);
        return -1;
    }
    *out = s;
    return 0;
}

/* QUIT is said only where the server expects a command; its answer is not waited for, nothing hangs on it. */
void smtp_close(struct smtp **sp)
{
    struct smtp *s = *sp;
    struct err ignored;

    if (s == NULL)
        return;
    if (s->stream != NULL && !s->broken && !s->spent && s->envelope == NULL && s->body == NULL) {
        stream_exchange(s->stream, 1);
        stream_put(s->stream, SLICE("QUIT\r\n"));
        if (stream_flush(s->stream, &ignored) == 0)
            stream_consume(s->stream, stream_peek(s->stream).n);
    }
    stream_close(&s->stream);
    free(s);
    *sp = NULL;
}

const struct smtp_caps *smtp_caps(const struct smtp *s)
{
    return &s->caps;
}

bool smtp_pipelines(const struct smtp *s)
{
    return (s->caps.bits & SMTP_CAP_PIPELINING) != 0 && !s->broken && !s->spent;
}

int64_t smtp_round_trip_ms(const struct smtp *s)
{
    return s->round_trip_ms;
}

const struct stream *smtp_stream(const struct smtp *s)
{
    return s->stream;
}

const struct tls_facts *smtp_tls(const struct smtp *s)
{
    return s->stream != NULL ? stream_tls(s->stream) : NULL;
}

bool smtp_alive(struct smtp *s)
{
    if (s->broken || s->spent)
        return false;
    return s->envelope != NULL || s->body != NULL || stream_quiet(s->stream);
}
