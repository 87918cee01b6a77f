/* SPDX-License-Identifier: MIT
 * The SMTP and LMTP client against scripted servers. A script is what both sides say, line by line, in order:
 *
 *     S 250 fine      the server says this line
 *     R 250 fi        the server says this, without a line end
 *     C DATA          the client must have said this line before the server goes on
 *     T               the client must have made a TLS handshake
 *     Q               the server is quiet from here on
 *
 * The server says nothing as long as the client has not said its part, and it is noted when the client has said more
 * than its part: so a script tells what goes out in one flight, and what waits. At its end the server hangs up; where
 * the client says less than it should, the server is silent. dial() is this file's own, and so are the TLS handshake and
 * the name of the machine (the linker puts __wrap_...() in their places).
 */
#include "proto/smtp.h"

#include "../net/peer.h"
#include "../unit.h"
#include "base/log.h"
#include "wire/limits.h"

#include <poll.h>

enum { TIMEOUT_MS = 2, SOCKET_TIMEOUT_MS = 2000, RECIPIENTS = 3, MESSAGES = 3 };

/* --- the scripted server --- */

struct scripted {
    struct layer layer;
    const char *at; /* the script from here on */
    size_t chunk;
    size_t heard; /* of `sent`, compared with the script */
    struct buf line;
    size_t line_at;
};

static const char *script;
static size_t chunk_size;
static struct buf sent;
static unsigned handshakes;
static bool talked_ahead;
static size_t most;        /* bytes that were sent without an answer, when there is no script */
static int socket_fd = -1; /* instead of a script */
static const char *machine;
static size_t cut_at = SIZE_MAX; /* of `sent`: from there on the connection is gone for what we send */

static enum layer_result scripted_read(struct layer *l, char *p, size_t n, size_t *got_out, struct err *e);
static enum layer_result scripted_write(struct layer *l, const char *p, size_t n, size_t *done_out, struct err *e);
static void scripted_close(struct layer *l);
static const struct layer_ops scripted_ops = { .read = scripted_read,
                                               .write = scripted_write,
                                               .close = scripted_close };

int dial(const struct dial_options *options, struct stream **out, struct err *e)
{
    struct scripted *l;

    (void)options;
    if (socket_fd >= 0) {
        struct layer *socket;

        return socket_layer(socket_fd, 0, &socket, e) != 0 ? -1
                                                           : stream_create(socket, "peer", SOCKET_TIMEOUT_MS, out, e);
    }
    l = calloc(1, sizeof(*l));
    assert_non_null(l);
    *l = (struct scripted){ .layer = { .ops = &scripted_ops, .fd = -1 }, .at = script, .chunk = chunk_size };
    buf_init(&l->line, 1 << 18);
    return stream_create(&l->layer, "script", TIMEOUT_MS, out, e);
}

/* Takes the next line of the script; its letter, or NUL at the end. */
static char next_line(const char **at, struct slice *text_out)
{
    const char *line = *at, *lf = strchr(line, '\n');

    if (*line == '\0')
        return '\0';
    assert_non_null(lf);
    *at = lf + 1;
    *text_out = lf - line > 2 ? slice_make(line + 2, (size_t)(lf - line) - 2) : SLICE("");
    return *line;
}

static void put_said(struct buf *out, char letter, struct slice text)
{
    assert_int_equal(buf_put_slice(out, letter == 'T' ? SLICE("<TLS>") : text), 0);
    if (letter == 'S' || letter == 'C')
        assert_int_equal(buf_put_str(out, "\r\n"), 0);
}

/* The client's part that comes next. False: it has not said all of it, or something else. */
static bool hear(struct scripted *s)
{
    struct slice text;
    struct buf want = BUF_INIT(1 << 16);
    const char *at = s->at;
    bool so = true;

    while (*at == 'C' || *at == 'T') {
        char letter = next_line(&at, &text);

        put_said(&want, letter, text);
    }
    so = slice_starts(slice_from(buf_slice(&sent), s->heard), buf_slice(&want));
    if (so) {
        s->heard += want.len;
        s->at = at;
        talked_ahead = talked_ahead || (*at != '\0' && s->heard < sent.len);
    }
    buf_release(&want);
    return so;
}

/* Without a script: everything is welcome. */
static void welcome(struct scripted *s)
{
    struct slice heard = slice_from(buf_slice(&sent), s->heard);
    const char *lf;

    if (s->heard == 0 && heard.n == 0)
        assert_int_equal(buf_put_str(&s->line, "220 mx\r\n"), 0);
    most = heard.n > most ? heard.n : most;
    while (heard.n > 0 && (lf = memchr(heard.p, '\n', heard.n)) != NULL) {
        const char *words = "250 ok\r\n";

        if (slice_starts(heard, SLICE("EHLO")))
            words = "250-mx\r\n250 PIPELINING\r\n";
        else if (slice_starts(heard, SLICE("DATA")))
            words = "354 go\r\n";
        assert_int_equal(buf_put_str(&s->line, words), 0);
        heard = slice_from(heard, (size_t)(lf - heard.p) + 1);
    }
    s->heard = sent.len;
}

static enum layer_result scripted_read(struct layer *l, char *p, size_t n, size_t *got_out, struct err *e)
{
    struct scripted *s = (struct scripted *)l;
    struct slice text;

    (void)e;
    if (s->line_at == s->line.len) {
        if (s->at != NULL && (*s->at == 'C' || *s->at == 'T') && !hear(s))
            return LAYER_WANT_READ;
        if (s->at != NULL && *s->at == 'Q')
            return LAYER_WANT_READ;
        buf_clear(&s->line);
        s->line_at = 0;
        if (s->at == NULL)
            welcome(s);
        while (s->at != NULL && (*s->at == 'S' || *s->at == 'R')) {
            char letter = next_line(&s->at, &text);

            put_said(&s->line, letter, text);
        }
        if (s->line.len == 0)
            return LAYER_END;
    }
    n = size_min(n, s->line.len - s->line_at);
    if (s->chunk > 0)
        n = size_min(n, s->chunk);
    memcpy(p, s->line.p + s->line_at, n);
    s->line_at += n;
    *got_out = n;
    return LAYER_OK;
}

static enum layer_result scripted_write(struct layer *l, const char *p, size_t n, size_t *done_out, struct err *e)
{
    (void)l;
    if (sent.len >= cut_at) {
        err_set(e, E_NET, "the connection was cut while sending");
        return LAYER_FAILED;
    }
    n = size_min(n, cut_at - sent.len);
    assert_int_equal(buf_put(&sent, p, n), 0);
    *done_out = n;
    return LAYER_OK;
}

static void scripted_close(struct layer *l)
{
    buf_release(&((struct scripted *)l)->line);
    free(l);
}

int __wrap_stream_push_tls(struct stream *s, const struct tls_settings *settings, struct err *e);
int __wrap_stream_push_tls(struct stream *s, const struct tls_settings *settings, struct err *e)
{
    assert_null(settings->alpn);
    if (stream_peek(s).n > 0)
        return err_set(e, E_TLS, "bytes ahead of the handshake");
    handshakes++;
    return buf_put_str(&sent, "<TLS>");
}

const struct tls_facts *__wrap_stream_tls(const struct stream *s);
const struct tls_facts *__wrap_stream_tls(const struct stream *s)
{
    static const struct tls_facts facts;

    (void)s;
    return handshakes > 0 ? &facts : NULL;
}

int __wrap_gethostname(char *name, size_t size);
int __wrap_gethostname(char *name, size_t size)
{
    return snprintf(name, size, "%s", machine) < (int)size ? 0 : -1;
}

/* --- the client --- */

static int give_password(void *ctx, struct secret *out, struct err *e)
{
    return secret_set(out, slice_str(ctx)) == 0 ? 0 : err_nomem(e);
}

struct play_case {
    const char *name;
    const char *script;
    const char *outcome; /* see tell() */
    enum err_code code;
    unsigned messages, recipients; /* 0: 1 */
    bool whole;                    /* not at every chunk size: what comes in one piece matters */
    bool lmtp, eight_bit, utf8, probe;
    enum server_tls tls; /* PLAINTEXT unless... */
    bool secure;         /* ... this says that `tls` counts */
    const char *user, *password, *auth, *authorize, *disabled, *sender;
    const char *body; /* NULL: three lines */
    uint64_t octets;  /* 0: the body's */
    bool reconnect;   /* RETRY_RECONNECT */
};

struct play {
    struct server server;
    struct smtp_options options;
    const char *auth[2], *disabled[2];
    struct smtp *smtp;
    struct smtp_message messages[MESSAGES];
    struct smtp_recipient recipients[MESSAGES][RECIPIENTS];
    struct slice body, body_left;
    size_t count;
    struct err e;
};

static void play_init(struct play *p, const struct play_case *c)
{
    static const char *const addresses[RECIPIENTS] = { "a@y.org", "b@y.org", "c@y.org" };

    *p = (struct play){ .auth = { c->auth }, .disabled = { c->disabled }, .e = ERR_INIT };
    p->server = (struct server){
        .dial = { .host = "mx.example.org", .port = 25 },
        .tls = c->secure ? c->tls : SERVER_PLAINTEXT,
        .user = c->user,
        .authorize_as = c->authorize,
        .auth = p->auth,
        .password = give_password,
        .password_ctx = (void *)(uintptr_t)(c->password != NULL ? c->password : "s3cret"),
        .disabled = p->disabled,
    };
    p->options = (struct smtp_options){ .server = &p->server, .lmtp = c->lmtp, .hello = "me.example.org" };
    p->body = c->body != NULL ? slice_str(c->body) : SLICE("Subject: x\r\n\r\nhello\r\n");
    p->count = c->messages > 0 ? c->messages : 1;
    for (size_t i = 0; i < p->count; i++) {
        p->messages[i] = (struct smtp_message){
            .sender = slice_str(c->sender != NULL ? c->sender : "s@x.org"),
            .recipients = p->recipients[i],
            .recipient_count = c->recipients > 0 ? c->recipients : 1,
            .octets = c->octets > 0 ? c->octets : p->body.n,
            .eight_bit = c->eight_bit,
            .utf8 = c->utf8,
        };
        for (size_t k = 0; k < RECIPIENTS; k++)
            p->recipients[i][k].address = slice_str(addresses[k]);
    }
    script = c->script;
    sent = BUF_INIT(1 << 20);
    handshakes = 0;
    talked_ahead = false;
    machine = "mx.example.net";
}

static int give_body(void *ctx, bool dots, char *out, size_t size, size_t *n_out, struct err *e)
{
    struct play *p = ctx;
    size_t n = size_min(size_min(size, 7), p->body_left.n);

    (void)e;
    CHECK_INT(dots, (smtp_caps(p->smtp)->bits & SMTP_CAP_CHUNKING) == 0);
    memcpy(out, n > 0 ? p->body_left.p : "", n);
    p->body_left = slice_from(p->body_left, n);
    *n_out = n;
    return 0;
}

static int send_body(struct play *p, struct smtp_message *m)
{
    p->body_left = p->body;
    if (smtp_body(p->smtp, m, give_body, p, &p->e) != 0)
        return -1;
    return smtp_last(p->smtp, m, &p->e);
}

/* As a sink does it: the next envelope goes out before the answer to the message in front of it is read. */
static int deliver(struct play *p)
{
    struct smtp_message *before = NULL;

    for (size_t i = 0; i < p->count; i++) {
        struct smtp_message *m = &p->messages[i];

        if (before != NULL && !smtp_pipelines(p->smtp)) {
            if (smtp_body_done(p->smtp, before, &p->e) != 0)
                return -1;
            before = NULL;
        }
        if (smtp_envelope(p->smtp, m, &p->e) != 0)
            return -1;
        if (before != NULL && smtp_body_done(p->smtp, before, &p->e) != 0)
            return -1;
        before = NULL;
        if (smtp_envelope_done(p->smtp, m, &p->e) != 0)
            return -1;
        if (!m->go)
            continue;
        if (send_body(p, m) != 0)
            return -1;
        before = m;
    }
    return before != NULL ? smtp_body_done(p->smtp, before, &p->e) : 0;
}

/* "250!:250,550 ": the reply of MAIL (DATA), whether the body was wanted, the replies of the recipients. */
static void tell(const struct play *p, struct buf *out)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct smtp_message *m = &p->messages[i];

        assert_int_equal(buf_putf(out, "%s%u%s", i > 0 ? " " : "", m->mail.code, m->go ? "!" : ""), 0);
        for (size_t k = 0; k < m->recipient_count; k++)
            assert_int_equal(buf_putf(out, "%c%u", k > 0 ? ',' : ':', m->recipients[k].reply.code), 0);
    }
}

static void check_sent(const char *whole)
{
    struct buf want = BUF_INIT(1 << 20);
    struct slice text;
    char letter;

    while ((letter = next_line(&whole, &text)) != '\0') {
        if (letter == 'C' || letter == 'T')
            put_said(&want, letter, text);
    }
    CHECK_SLICE(buf_slice(&sent), buf_slice(&want));
    CHECK(!talked_ahead);
    buf_release(&want);
}

static void play(const struct play_case *c, size_t chunk)
{
    struct buf outcome = BUF_INIT(4096);
    struct play p;
    int rc;

    CASE("%s, chunk %zu", c->name, chunk);
    play_init(&p, c);
    chunk_size = chunk;
    rc = smtp_open(&p.options, &p.smtp, &p.e);
    if (rc == 0)
        rc = c->probe ? smtp_probe(p.smtp, &p.messages[0], &p.e) : c->outcome != NULL ? deliver(&p) : 0;
    if (rc != 0 && p.e.code != c->code)
        print_error("    error: %s (%s)\n", p.e.text, p.e.peer);
    CHECK_INT(rc, c->code == E_NONE ? 0 : -1);
    CHECK_INT(p.e.code, c->code);
    if (c->reconnect)
        CHECK_INT(p.e.retry, RETRY_RECONNECT);
    CHECK(strstr(p.e.text, "s3cret") == NULL && strstr(p.e.peer, "s3cret") == NULL);
    if (c->outcome != NULL) {
        tell(&p, &outcome);
        CHECK_SLICE(buf_slice(&outcome), slice_str(c->outcome));
    }
    smtp_close(&p.smtp);
    check_sent(c->script);
    buf_release(&outcome);
    buf_release(&sent);
}

static void play_all(const struct play_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
#ifdef MAILHAUL_SMALL
        /* No piece is large enough there. */
        if (cases[i].whole)
            continue;
#endif
        play(&cases[i], 0);
        EVERY_CHUNK_SIZE(chunk, cases[i].whole ? 0 : 60)
        {
            if (!cases[i].whole)
                play(&cases[i], chunk);
        }
    }
}

/* --- from the greeting to the session --- */

#define TEN  "0123456789"
#define HUND TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

#define GREETING    "S 220 mx.example.org ESMTP\nC EHLO me.example.org\n"
#define HELLO(caps) GREETING "S 250-mx.example.org\n" caps "S 250 HELP\n"
#define QUIT        "C QUIT\n"

static const struct play_case opens[] = {
    { .name = "plain", .script = HELLO("") QUIT },
    { .name = "a greeting of several lines",
      .script = "S 220-mx.example.org\nS 220-welcome\nS 220\nC EHLO me.example.org\nS 250\n" QUIT },
    { .name = "greeting: 421", .script = "S 421 4.3.2 shutting down\n", .code = E_BUSY },
    { .name = "greeting: 450", .script = "S 450 4.7.1 come back\n", .code = E_BUSY },
    { .name = "greeting: 554", .script = "S 554-no\nS 554 5.7.1 go away\n", .code = E_REJECTED },
    { .name = "greeting: 354", .script = "S 354 go\n", .code = E_PROTO },
    { .name = "greeting: POP3", .script = "S +OK ready\n", .code = E_PROTO },
    { .name = "greeting: IMAP", .script = "S * OK ready\n", .code = E_PROTO },
    { .name = "greeting: cut", .script = "R 220 mx\n", .code = E_NET },
    { .name = "greeting: silence", .script = "Q\n", .code = E_TIMEOUT },
    { .name = "two codes in one reply", .script = "S 220-mx\nS 221 mx\n", .code = E_PROTO },
    { .name = "EHLO: 421", .script = GREETING "S 421 bye\n", .code = E_BUSY },
    { .name = "EHLO: 4xx", .script = GREETING "S 451 later\n", .code = E_BUSY },
    { .name = "EHLO: 3xx", .script = GREETING "S 354 go\n", .code = E_PROTO, .reconnect = true },
    { .name = "EHLO refused, HELO taken", .script = GREETING "S 500 what\nC HELO me.example.org\nS 250 hello\n" QUIT },
    { .name = "EHLO and HELO refused",
      .script = GREETING "S 550 no\nC HELO me.example.org\nS 550 no\n",
      .code = E_REJECTED },
    { .name = "EHLO refused, login wanted", .script = GREETING "S 502 what\n", .code = E_LACKS, .user = "anna" },
    { .name = "EHLO refused, STARTTLS wanted",
      .script = GREETING "S 502 what\n",
      .code = E_TLS,
      .secure = true,
      .tls = SERVER_TLS_STARTTLS },
    { .name = "LHLO", .script = "S 220 lmtp\nC LHLO me.example.org\nS 250 hi\n" QUIT, .lmtp = true },
    { .name = "LHLO refused: no HELO",
      .script = "S 220 mx\nC LHLO me.example.org\nS 500 what\n",
      .code = E_REJECTED,
      .lmtp = true },
    { .name = "something was said before EHLO",
      .script = "S 220 mx\nS 250 in advance\n",
      .code = E_PROTO,
      .whole = true,
      .reconnect = true },

    { .name = "implicit TLS", .script = "T\n" HELLO("") QUIT, .secure = true, .tls = SERVER_TLS_IMPLICIT },
    { .name = "STARTTLS; what was learned before is forgotten",
      .script = HELLO("S 250-STARTTLS\nS 250-AUTH PLAIN\n") "C STARTTLS\nS 220 go\nT\n"
                                                            "C EHLO me.example.org\nS 250-mx\nS 250 AUTH LOGIN\n"
                                                            "C AUTH LOGIN\nS 334 VXNlcm5hbWU6\nC YW5uYQ==\nS 334 "
                                                            "UGFzc3dvcmQ6\nC czNjcmV0\nS 235 in\n" QUIT,
      .user = "anna",
      .secure = true,
      .tls = SERVER_TLS_STARTTLS },
    { .name = "STARTTLS: AUTH is gone behind it",
      .script = HELLO("S 250-STARTTLS\nS 250-AUTH PLAIN\n") "C STARTTLS\nS 220 go\nT\n"
                                                            "C EHLO me.example.org\nS 250 mx\n",
      .code = E_LACKS,
      .user = "anna",
      .secure = true,
      .tls = SERVER_TLS_STARTTLS },
    { .name = "STARTTLS not offered",
      .script = HELLO("S 250-AUTH PLAIN\n"),
      .code = E_TLS,
      .user = "anna",
      .secure = true,
      .tls = SERVER_TLS_STARTTLS },
    { .name = "STARTTLS disabled",
      .script = HELLO("S 250-STARTTLS\n"),
      .code = E_TLS,
      .disabled = "starttls",
      .secure = true,
      .tls = SERVER_TLS_STARTTLS },
    { .name = "STARTTLS: 454",
      .script = HELLO("S 250-STARTTLS\n") "C STARTTLS\nS 454 not now\n",
      .code = E_TLS,
      .secure = true,
      .tls = SERVER_TLS_STARTTLS },
    { .name = "STARTTLS: 5xx",
      .script = HELLO("S 250-STARTTLS\n") "C STARTTLS\nS 503 no\n",
      .code = E_TLS,
      .secure = true,
      .tls = SERVER_TLS_STARTTLS },
    { .name = "STARTTLS: another 2xx",
      .script = HELLO("S 250-STARTTLS\n") "C STARTTLS\nS 250 sure\n",
      .code = E_TLS,
      .secure = true,
      .tls = SERVER_TLS_STARTTLS },
    { .name = "STARTTLS: bytes behind the reply",
      .script = HELLO("S 250-STARTTLS\n") "C STARTTLS\nS 220 go\nS 250-mx\nS 250 AUTH PLAIN\n",
      .code = E_TLS,
      .whole = true,
      .user = "anna",
      .secure = true,
      .tls = SERVER_TLS_STARTTLS },

    { .name = "AUTH PLAIN",
      .script = HELLO("S 250-AUTH LOGIN PLAIN\n") "C AUTH PLAIN AGFubmEAczNjcmV0\nS 235 2.7.0 in\n" QUIT,
      .user = "anna" },
    { .name = "AUTH PLAIN, as old servers write it",
      .script = HELLO("S 250-AUTH=PLAIN\n") "C AUTH PLAIN AGFubmEAczNjcmV0\nS 235 in\n" QUIT,
      .user = "anna" },
    { .name = "the initial response is overlooked",
      .script = HELLO("S 250-AUTH PLAIN\n") "C AUTH PLAIN AGFubmEAczNjcmV0\nS 334\nC AGFubmEAczNjcmV0\nS 235 in\n" QUIT,
      .user = "anna" },
    { .name = "challenges without end",
      .script =
          HELLO("S 250-AUTH PLAIN\n") "C AUTH PLAIN AGFubmEAczNjcmV0\nS 334\nC AGFubmEAczNjcmV0\nS 334\nC *\nS 334\n",
      .code = E_PROTO,
      .user = "anna" },
    { .name = "a line over 512 octets goes in two",
      .script = HELLO("S 250-AUTH PLAIN\n") "C AUTH PLAIN\nS 334\nC "
                                            "AGFubmEAMDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3OD"
                                            "kwMTIzNDU2Nzg5MD"
                                            "EyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2"
                                            "Nzg5MDEyMzQ1Njc4"
                                            "OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMz"
                                            "Q1Njc4OTAxMjM0NT"
                                            "Y3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAx"
                                            "MjM0NTY3ODkwMTIz"
                                            "NDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3OD"
                                            "kwMTIzNDU2Nzg5MD"
                                            "EyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OQ==\nS 235 in\n" QUIT,
      .user = "anna",
      .password = HUND HUND HUND TEN TEN TEN TEN TEN TEN TEN },
    { .name = "AUTH PLAIN: accepted before it was said",
      .script = HELLO("S 250-AUTH PLAIN\n") "C AUTH PLAIN\nS 235 in\n",
      .code = E_PROTO,
      .user = "anna",
      .password = HUND HUND HUND HUND },
    { .name = "authorize_as",
      .script = HELLO("S 250-AUTH PLAIN\n") "C AUTH PLAIN YmVydABhbm5hAHMzY3JldA==\nS 235 in\n" QUIT,
      .user = "anna",
      .authorize = "bert" },
    { .name = "authorize_as needs PLAIN",
      .script = HELLO("S 250-AUTH LOGIN\n"),
      .code = E_LACKS,
      .user = "anna",
      .authorize = "bert" },
    { .name = "AUTH LOGIN where it is demanded",
      .script = HELLO("S 250-AUTH PLAIN LOGIN\n") "C AUTH LOGIN\nS 334\nC YW5uYQ==\nS 334\nC czNjcmV0\nS 235 in\n" QUIT,
      .user = "anna",
      .auth = "login" },
    { .name = "AUTH LOGIN where PLAIN is disabled",
      .script = HELLO("S 250-AUTH PLAIN LOGIN\n") "C AUTH LOGIN\nS 334\nC YW5uYQ==\nS 334\nC czNjcmV0\nS 235 in\n" QUIT,
      .user = "anna",
      .disabled = "AUTH=PLAIN" },
    { .name = "AUTH LOGIN: accepted without the password",
      .script = HELLO("S 250-AUTH LOGIN\n") "C AUTH LOGIN\nS 334\nC YW5uYQ==\nS 235 in\n",
      .code = E_PROTO,
      .user = "anna" },
    { .name = "AUTH LOGIN: accepted at once",
      .script = HELLO("S 250-AUTH LOGIN\n") "C AUTH LOGIN\nS 235 in\n",
      .code = E_PROTO,
      .user = "anna" },
    { .name = "AUTH LOGIN: no such user",
      .script = HELLO("S 250-AUTH LOGIN\n") "C AUTH LOGIN\nS 334\nC YW5uYQ==\nS 535 no\n",
      .code = E_AUTH,
      .user = "anna" },
    { .name = "AUTH not offered", .script = HELLO(""), .code = E_LACKS, .user = "anna" },
    { .name = "AUTH disabled",
      .script = HELLO("S 250-AUTH PLAIN LOGIN\n"),
      .code = E_LACKS,
      .user = "anna",
      .disabled = "auth" },
    { .name = "only mechanisms that we do not have",
      .script = HELLO("S 250-AUTH NTLM GSSAPI\n"),
      .code = E_LACKS,
      .user = "anna" },
    { .name = "PLAIN demanded, LOGIN offered",
      .script = HELLO("S 250-AUTH LOGIN\n"),
      .code = E_LACKS,
      .user = "anna",
      .auth = "plain" },
    { .name = "AUTH: 535",
      .script = HELLO("S 250-AUTH PLAIN\n") "C AUTH PLAIN AGFubmEAczNjcmV0\nS 535 5.7.8 no\n",
      .code = E_AUTH,
      .user = "anna" },
    { .name = "AUTH: 454",
      .script = HELLO("S 250-AUTH PLAIN\n") "C AUTH PLAIN AGFubmEAczNjcmV0\nS 454 4.7.0 later\n",
      .code = E_BUSY,
      .user = "anna" },
    { .name = "AUTH: cut",
      .script = HELLO("S 250-AUTH PLAIN\n") "C AUTH PLAIN AGFubmEAczNjcmV0\n",
      .code = E_NET,
      .user = "anna" },
};

static void test_open(void **state)
{
    (void)state;
    play_all(opens, ARRAY_LEN(opens));
}

/* --- mail --- */

#define PIPE  "S 250-PIPELINING\n"
#define CHUNK "S 250-CHUNKING\n"
#define MAIL  "C MAIL FROM:<s@x.org>\n"
#define RCPT  "C RCPT TO:<a@y.org>\n"
#define RCPTS RCPT "C RCPT TO:<b@y.org>\nC RCPT TO:<c@y.org>\n"
#define DATA  "C DATA\n"
#define BODY  "C Subject: x\nC \nC hello\n"
#define DOT   "C .\n"
#define BDAT  "C BDAT 21 LAST\n"
#define OK2   "S 250 ok\nS 250 ok\n"
#define OK3   OK2 "S 250 ok\n"
#define GO    "S 354 go\n"

static const struct play_case mails[] = {
    { .name = "one after the other",
      .script = HELLO("") MAIL "S 250 ok\n" RCPT "S 250 ok\n" DATA GO BODY DOT "S 250 queued\n" MAIL "S 250 ok\n" RCPT
                               "S 251 elsewhere\n" DATA GO BODY DOT "S 250 queued\n" QUIT,
      .outcome = "250!:250 250!:250",
      .messages = 2 },
    { .name = "PIPELINING: an envelope in one flight, the next with the final dot",
      .script = HELLO(PIPE) MAIL RCPT DATA OK2 GO BODY DOT MAIL RCPT DATA "S 250 queued\n" OK2 GO BODY DOT
                                                                          "S 250 queued\n" QUIT,
      .outcome = "250!:250 250!:250",
      .messages = 2 },
    { .name = "CHUNKING",
      .script = HELLO(CHUNK) MAIL "S 250 ok\n" RCPT "S 250 ok\n" BDAT BODY "S 250 queued\n" QUIT,
      .outcome = "250!:250" },
    { .name = "PIPELINING and CHUNKING",
      .script =
          HELLO(PIPE CHUNK) MAIL RCPT OK2 BDAT BODY MAIL RCPT "S 250 queued\n" OK2 BDAT BODY "S 250 queued\n" QUIT,
      .outcome = "250!:250 250!:250",
      .messages = 2 },
    { .name = "PIPELINING and CHUNKING disabled",
      .script = HELLO(PIPE CHUNK) MAIL "S 250 ok\n" RCPT "S 250 ok\n" BDAT BODY "S 250 queued\n" QUIT,
      .outcome = "250!:250",
      .disabled = "pipelining" },
    { .name = "SIZE, 8BITMIME and SMTPUTF8 where offered",
      .script = HELLO("S 250-SIZE 1000\nS 250-8BITMIME\nS 250-SMTPUTF8\n") "C MAIL FROM:<s@x.org> SIZE=21 "
                                                                           "BODY=8BITMIME SMTPUTF8\nS 250 ok\n" RCPT
                                                                           "S 250 ok\n" DATA GO BODY DOT
                                                                           "S 250 queued\n" QUIT,
      .outcome = "250!:250",
      .eight_bit = true,
      .utf8 = true },
    { .name = "the same, of no need",
      .script =
          HELLO("S 250-SIZE\nS 250-8BITMIME\nS 250-SMTPUTF8\n") "C MAIL FROM:<s@x.org> SIZE=21\nS 250 ok\n" RCPT
                                                                "S 250 ok\n" DATA GO BODY DOT "S 250 queued\n" QUIT,
      .outcome = "250!:250" },
    { .name = "the same, not offered",
      .script = HELLO("") MAIL "S 250 ok\n" RCPT "S 250 ok\n" DATA GO BODY DOT "S 250 queued\n" QUIT,
      .outcome = "250!:250",
      .eight_bit = true,
      .utf8 = true },
    { .name = "after HELO nothing is assumed",
      .script = GREETING "S 500 what\nC HELO me.example.org\nS 250-mx\nS 250 PIPELINING\n" MAIL "S 250 ok\n" RCPT
                         "S 250 ok\n" DATA GO BODY DOT "S 250 queued\n" QUIT,
      .outcome = "250!:250" },
    { .name = "the null sender",
      .script = HELLO("") "C MAIL FROM:<>\nS 250 ok\n" RCPT "S 250 ok\n" DATA GO BODY DOT "S 250 queued\n" QUIT,
      .outcome = "250!:250",
      .sender = "" },
    { .name = "BDAT of one octet",
      .script = HELLO(CHUNK) MAIL "S 250 ok\n" RCPT "S 250 ok\nC BDAT 2 LAST\nC \nS 250 queued\n" QUIT,
      .outcome = "250!:250",
      .body = "\r\n" },

    { .name = "one of three refused",
      .script = HELLO(PIPE) MAIL RCPTS DATA "S 250 ok\nS 250 ok\nS 550 5.1.1 who\nS 250 ok\n" GO BODY DOT
                                            "S 250 queued\n" QUIT,
      .outcome = "250!:250,550,250",
      .recipients = 3 },
    { .name = "all refused, DATA too; RSET with the next",
      .script = HELLO(PIPE) MAIL RCPTS DATA
      "S 250 ok\nS 550 who\nS 452 full\nS 550 who\nS 554 nobody\nC RSET\n" MAIL RCPTS DATA "S 250 flushed\n" OK3
      "S 250 ok\n" GO BODY DOT "S 250 queued\n" QUIT,
      .outcome = "250:550,452,550 250!:250,250,250",
      .messages = 2,
      .recipients = 3 },
    { .name = "all refused, and 354 all the same: nothing for nobody",
      .script = HELLO(PIPE) MAIL RCPT DATA "S 250 ok\nS 550 who\n" GO DOT "S 250 queued\nC RSET\n" MAIL RCPT DATA
                                           "S 250 ok\n" OK2 GO BODY DOT "S 250 queued\n" QUIT,
      .outcome = "250:550 250!:250",
      .messages = 2 },
    { .name = "the same, refused",
      .script = HELLO(PIPE) MAIL RCPT DATA "S 250 ok\nS 450 later\n" GO DOT "S 554 no recipients\n" QUIT,
      .outcome = "250:450" },
    { .name = "all refused, without PIPELINING: no DATA",
      .script =
          HELLO("") MAIL "S 250 ok\n" RCPT "S 550 who\nC RSET\nS 250 ok\n" MAIL "S 250 ok\n" RCPT "S 550 who\n" QUIT,
      .outcome = "250:550 250:550",
      .messages = 2 },
    { .name = "all refused, CHUNKING: no BDAT",
      .script = HELLO(PIPE CHUNK) MAIL RCPT "S 250 ok\nS 550 who\n" QUIT,
      .outcome = "250:550" },
    { .name = "MAIL refused: the rest is swallowed",
      .script = HELLO(PIPE) MAIL RCPTS DATA
      "S 552 5.3.4 too large\nS 503 no MAIL\nS 250 odd\nS 503 no MAIL\nS 503 no RCPT\nC RSET\n" MAIL RCPTS DATA
      "S 250 ok\nS 451 later\nS 503 no MAIL\nS 503 no MAIL\nS 503 no MAIL\nS 503 no RCPT\n" QUIT,
      .outcome = "552:0,0,0 451:0,0,0",
      .messages = 2,
      .recipients = 3 },
    { .name = "MAIL refused, and 354 all the same",
      .script = HELLO(PIPE) MAIL RCPT DATA "S 550 no\nS 250 ok\n" GO DOT "S 250 queued\n" QUIT,
      .outcome = "550:0" },
    { .name = "MAIL refused, without PIPELINING", .script = HELLO("") MAIL "S 550 no\n" QUIT, .outcome = "550:0" },
    { .name = "DATA refused", .script = HELLO(PIPE) MAIL RCPT DATA OK2 "S 451 4.3.0 disk\n" QUIT, .outcome = "451:0" },
    { .name = "the message refused, after the envelope of the next went out",
      .script = HELLO(PIPE) MAIL RCPT DATA OK2 GO BODY DOT MAIL RCPT DATA "S 554 5.6.0 spam\n" OK2 GO BODY DOT
                                                                          "S 250 queued\n" QUIT,
      .outcome = "250!:554 250!:250",
      .messages = 2 },
    { .name = "the message refused, without PIPELINING: RSET",
      .script = HELLO("") MAIL "S 250 ok\n" RCPT "S 250 ok\n" DATA GO BODY DOT "S 452 full\nC RSET\nS 250 ok\n" MAIL
                               "S 250 ok\n" RCPT "S 250 ok\n" DATA GO BODY DOT "S 250 queued\n" QUIT,
      .outcome = "250!:452 250!:250",
      .messages = 2 },
    { .name = "a final reply of several lines",
      .script = HELLO("") MAIL "S 250 ok\n" RCPT "S 250 ok\n" DATA GO BODY DOT "S 250-2.0.0 queued\nS 250 2.0.0\n" QUIT,
      .outcome = "250!:250" },

    { .name = "LMTP: a reply for each that was accepted",
      .script = "S 220 lmtp\nC LHLO me.example.org\nS 250-hi\nS 250 PIPELINING\n" MAIL RCPTS DATA
                "S 250 ok\nS 250 ok\nS 550 who\nS 250 ok\n" GO BODY DOT "S 250 2.0.0 stored\nS 452 4.2.2 full\n" QUIT,
      .outcome = "250!:250,550,452",
      .recipients = 3,
      .lmtp = true },
    { .name = "LMTP: the next envelope",
      .script = "S 220 lmtp\nC LHLO me.example.org\nS 250-hi\nS 250-CHUNKING\nS 250 PIPELINING\n" MAIL RCPTS
                "S 250 ok\n" OK3 BDAT BODY MAIL RCPTS OK3 "S 250 ok\nS 250 ok\nS 250 ok\nS 550 who\n" BDAT BODY
                "S 250 ok\nS 550-5.2.2 no\nS 550 5.2.2 really\n" QUIT,
      .outcome = "250!:250,250,250 250!:250,550,550",
      .messages = 2,
      .recipients = 3,
      .lmtp = true },
    { .name = "LMTP: cut after the first of three",
      .script = "S 220 lmtp\nC LHLO me.example.org\nS 250-hi\nS 250 PIPELINING\n" MAIL RCPTS DATA
                "S 250 ok\n" OK3 GO BODY DOT "S 250 2.0.0 stored\n",
      .outcome = "250!:250,0,0",
      .code = E_NET,
      .recipients = 3,
      .lmtp = true },
    { .name = "LMTP: 354 though nobody was accepted",
      .script =
          "S 220 lmtp\nC LHLO me.example.org\nS 250-hi\nS 250 PIPELINING\n" MAIL RCPT DATA "S 250 ok\nS 550 who\n" GO,
      .outcome = "250:550",
      .code = E_PROTO,
      .lmtp = true },

    { .name = "probe",
      .script = HELLO(PIPE) MAIL RCPTS "S 250 ok\nS 250 ok\nS 550 who\nS 250 ok\nC RSET\nS 250 ok\n" QUIT,
      .outcome = "250:0,550,0",
      .recipients = 3,
      .probe = true },
    { .name = "probe, MAIL refused, one by one",
      .script = HELLO("") MAIL "S 530 log in\nC RSET\nS 250 ok\n" QUIT,
      .outcome = "530:0",
      .probe = true },
};

static void test_mail(void **state)
{
    (void)state;
    play_all(mails, ARRAY_LEN(mails));
}

static const struct play_case hostiles[] = {
    { .name = "cut at MAIL", .script = HELLO("") MAIL, .outcome = "0:0", .code = E_NET },
    { .name = "cut at RCPT", .script = HELLO("") MAIL "S 250 ok\n" RCPT, .outcome = "250:0", .code = E_NET },
    { .name = "cut at DATA",
      .script = HELLO("") MAIL "S 250 ok\n" RCPT "S 250 ok\n" DATA "R 35\n",
      .outcome = "250:0",
      .code = E_NET },
    { .name = "cut behind the dot",
      .script = HELLO("") MAIL "S 250 ok\n" RCPT "S 250 ok\n" DATA GO BODY DOT,
      .outcome = "250!:0",
      .code = E_NET },
    { .name = "half a reply behind the dot delivers nothing",
      .script = HELLO("") MAIL "S 250 ok\n" RCPT "S 250 ok\n" DATA GO BODY DOT "S 250-queued\nR 250 ok\n",
      .outcome = "250!:0",
      .code = E_NET },
    { .name = "silence behind the dot",
      .script = HELLO("") MAIL "S 250 ok\n" RCPT "S 250 ok\n" DATA GO BODY DOT "S 250-queued\nQ\n",
      .outcome = "250!:0",
      .code = E_TIMEOUT },
    { .name = "354 behind the dot is no delivery",
      .script = HELLO("") MAIL "S 250 ok\n" RCPT "S 250 ok\n" DATA GO BODY DOT "S 354 more\n",
      .outcome = "250!:0",
      .code = E_PROTO },
    { .name = "421 behind the dot: refused, and over",
      .script = HELLO("") MAIL "S 250 ok\n" RCPT "S 250 ok\n" DATA GO BODY DOT "S 421 4.3.2 shutting down\n",
      .outcome = "250!:421",
      .code = E_BUSY },
    { .name = "421 to MAIL", .script = HELLO(PIPE) MAIL RCPT DATA "S 421 bye\n", .outcome = "0:0", .code = E_BUSY },
    { .name = "421 to RCPT",
      .script = HELLO(PIPE) MAIL RCPTS DATA "S 250 ok\nS 250 ok\nS 421 bye\n",
      .outcome = "250:0,0,0",
      .code = E_BUSY,
      .recipients = 3 },
    { .name = "503 to MAIL is about the session",
      .script = HELLO("") MAIL "S 503 nested MAIL\n",
      .outcome = "0:0",
      .code = E_PROTO,
      .reconnect = true },
    { .name = "503 to RCPT behind a good MAIL is, too",
      .script = HELLO("") MAIL "S 250 ok\n" RCPT "S 503 need MAIL\n",
      .outcome = "250:0",
      .code = E_PROTO,
      .reconnect = true },
    { .name = "503 to DATA, though a recipient was accepted",
      .script = HELLO(PIPE) MAIL RCPT DATA OK2 "S 503 no RCPT\n",
      .outcome = "250:0",
      .code = E_PROTO,
      .reconnect = true },
    { .name = "354 to MAIL", .script = HELLO("") MAIL GO, .outcome = "0:0", .code = E_PROTO, .reconnect = true },
    { .name = "354 to RCPT",
      .script = HELLO(PIPE) MAIL RCPT DATA "S 250 ok\n" GO,
      .outcome = "250:0",
      .code = E_PROTO,
      .reconnect = true },
    { .name = "250 to DATA",
      .script = HELLO(PIPE) MAIL RCPT DATA OK3,
      .outcome = "250:0",
      .code = E_PROTO,
      .reconnect = true },
    { .name = "RSET refused",
      .script = HELLO(PIPE CHUNK) MAIL RCPT "S 250 ok\nS 550 who\nC RSET\n" MAIL RCPT "S 500 what\n",
      .outcome = "250:550 0:0",
      .code = E_PROTO,
      .messages = 2,
      .reconnect = true },
    { .name = "no reply at all", .script = HELLO("") MAIL "S OK\n", .outcome = "0:0", .code = E_PROTO },
    { .name = "another code in one reply",
      .script = HELLO("") MAIL "S 250-fine\nS 550 not\n",
      .outcome = "0:0",
      .code = E_PROTO },
    { .name = "a code over 599", .script = HELLO("") MAIL "S 600 x\n", .outcome = "0:0", .code = E_PROTO },
    { .name = "PIPELINING not honoured: what was sent ahead is thrown away",
      .script = HELLO(PIPE) MAIL RCPT DATA "S 250 ok\nQ\n",
      .outcome = "250:0",
      .code = E_TIMEOUT },
    { .name = "one reply too many",
      .script = HELLO("") MAIL "S 250 ok\nS 250 ok\n",
      .outcome = "250:0",
      .code = E_PROTO,
      .whole = true,
      .reconnect = true },
    { .name = "bytes that nothing asked for, before a message",
      .script = HELLO("S 250-SIZE\nS 250 ok\n"),
      .outcome = "0:0",
      .code = E_PROTO,
      .whole = true,
      .reconnect = true },
    { .name = "421 that nothing asked for",
      .script = GREETING "S 250 mx\nS 421 idle for too long\n",
      .outcome = "0:0",
      .code = E_BUSY,
      .whole = true },
    { .name = "refused before the body",
      .script = HELLO(PIPE) MAIL RCPTS DATA "S 250 ok\nS 250 ok\nS 550 who\nS 250 ok\n" GO "S 552 5.3.4 too large\n",
      .outcome = "250!:552,550,552",
      .recipients = 3,
      .whole = true },
    { .name = "accepted before the body",
      .script = HELLO("") MAIL "S 250 ok\n" RCPT "S 250 ok\n" DATA GO "S 250 queued\n",
      .outcome = "250!:0",
      .code = E_PROTO,
      .whole = true,
      .reconnect = true },
    { .name = "421 before the body",
      .script = HELLO(PIPE CHUNK) MAIL RCPT OK2 "S 421 bye\n",
      .outcome = "250!:421",
      .code = E_BUSY,
      .whole = true },
    { .name = "BDAT: the body is shorter than was said",
      .script = HELLO(CHUNK) MAIL "S 250 ok\n" RCPT "S 250 ok\nC BDAT 22 LAST\nC Subject: x\nC \n",
      .outcome = "250!:0",
      .code = E_MESSAGE,
      .octets = 22 },
    { .name = "BDAT: the body is longer than was said",
      .script = HELLO(CHUNK) MAIL "S 250 ok\n" RCPT "S 250 ok\nC BDAT 8 LAST\nC first\n",
      .outcome = "250!:0",
      .code = E_MESSAGE,
      .body = "first\r\nother\r\nthird\r\n",
      .octets = 8 },
    { .name = "a command in the sender",
      .script = HELLO("") QUIT,
      .outcome = "0:0",
      .code = E_MESSAGE,
      .sender = "s@x.org>\r\nRCPT TO:<z@z.org" },
};

static void test_hostile(void **state)
{
    (void)state;
    play_all(hostiles, ARRAY_LEN(hostiles));
}

static void test_addresses(void **state)
{
    static const struct {
        struct slice address;
        bool safe;
    } cases[] = {
        { SLICE("a@y.org"), true },
        { SLICE("root"), true },
        { SLICE("\"a b>\\\" <c\"@y.org"), true },
        { SLICE("\xc3\xbc@y.org"), true },
        { SLICE(""), false },
        { SLICE("a@y.org\r"), false },
        { SLICE("a\n@y.org"), false },
        { SLICE("a\0@y.org"), false },
        { SLICE("a@y.org> SIZE=1"), false },
        { SLICE("<a@y.org"), false },
        { SLICE("a@y.org SIZE=1"), false },
        { SLICE("\"a@y.org"), false },
        { SLICE("\"a\\"), false },
        { SLICE("\"a\\\n\"@y.org"), false },
        { SLICE("a\\\"b@y.org"), false },
        { SLICE("a\x7f@y.org"), false },
        { SLICE(HUND HUND HUND "@y.org"), false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        static const struct play_case c = { .script = HELLO(PIPE) };
        struct play p;

        CASE("address %zu", i);
        play_init(&p, &c);
        chunk_size = 0;
        CHECK_INT(smtp_open(&p.options, &p.smtp, &p.e), 0);
        buf_clear(&sent);
        p.recipients[0][0].address = cases[i].address;
        CHECK_INT(smtp_envelope(p.smtp, &p.messages[0], &p.e), cases[i].safe ? 0 : -1);
        CHECK_INT(sent.len > 0, cases[i].safe);
        CHECK_INT(p.e.code, cases[i].safe ? E_NONE : E_MESSAGE);
        smtp_close(&p.smtp);
        buf_release(&sent);
    }
}

static void test_words(void **state)
{
    static const struct {
        const char *reply, *words;
    } cases[] = {
        { "S 550 5.1.1 no such user\n", "550 5.1.1 no such user" },
        { "S 550\n", "550" },
        { "S 550-5.1.1 The account that you tried\nS 550-5.1.1 to reach does not\nS 550 5.1.1 exist\n",
          "550 5.1.1 The account that you tried to reach does not exist" },
        { "S 550-no\nS 550-\nS 550 5.7.1\n", "550 no" },
        { "S 550-first\nS 550 " HUND HUND HUND "\n", NULL },
        { "S 550 \x1b[31mred\xff\n", "550 \\x1b[31mred\\xff" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf whole = BUF_INIT(4096);
        struct play_case c = { .name = "words" };
        struct play p;

        CASE("words %zu", i);
        assert_int_equal(buf_putf(&whole, "%s%s%s", HELLO("") MAIL "S 250 ok\n" RCPT, cases[i].reply, QUIT), 0);
        c.script = buf_cstr(&whole);
        play_init(&p, &c);
        CHECK_INT(smtp_open(&p.options, &p.smtp, &p.e), 0);
        CHECK_INT(deliver(&p), 0);
        if (cases[i].words != NULL)
            CHECK_SLICE(slice_str(p.recipients[0][0].reply.words), slice_str(cases[i].words));
        CHECK(slice_starts(slice_str(p.recipients[0][0].reply.words), SLICE("550")));
        smtp_close(&p.smtp);
        buf_release(&sent);
        buf_release(&whole);
    }
}

static void test_limits(void **state)
{
    struct buf whole = BUF_INIT(1 << 20);
    struct play_case c = { .name = "limits" };
    struct play p;

    (void)state;
    CASE("a reply without end");
    assert_int_equal(buf_put_str(&whole, GREETING), 0);
    for (size_t i = 0; i <= LIMIT_REPLY_LINES; i++)
        assert_int_equal(buf_putf(&whole, "S 250-X%zu\n", i), 0);
    c.script = buf_cstr(&whole);
    play_init(&p, &c);
    CHECK_INT(smtp_open(&p.options, &p.smtp, &p.e), -1);
    CHECK_INT(p.e.code, E_PROTO);
    CHECK(p.smtp == NULL);
    buf_release(&sent);

    CASE("a line without end");
    buf_clear(&whole);
    assert_int_equal(buf_put_str(&whole, "S 220 "), 0);
    for (size_t i = 0; i <= LIMIT_LINE; i++)
        assert_int_equal(buf_put_char(&whole, 'x'), 0);
    assert_int_equal(buf_put_str(&whole, "\n"), 0);
    c.script = buf_cstr(&whole);
    play_init(&p, &c);
    CHECK_INT(smtp_open(&p.options, &p.smtp, &p.e), -1);
    CHECK_INT(p.e.code, E_PROTO);
    CHECK_INT(sent.len, 0);
    buf_release(&sent);
    buf_release(&whole);
}

static void test_hello(void **state)
{
    static const struct {
        const char *machine, *wanted, *ehlo;
    } cases[] = {
        { "mx.example.net", "me.example.org", "EHLO me.example.org\r\n" },
        { "mx.example.net", NULL, "EHLO mx.example.net\r\n" },
        { "laptop", NULL, "EHLO localhost\r\n" },
        { "localhost.localdomain", NULL, "EHLO localhost\r\n" },
        { "bad name.example.net", NULL, "EHLO localhost\r\n" },
        { "mx.example.net", "me\r\nDATA", "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        static const struct play_case c = { .script = "S 220 mx\nS \n" };
        struct play p;

        CASE("hello %zu", i);
        play_init(&p, &c);
        chunk_size = 1;
        machine = cases[i].machine;
        p.options.hello = cases[i].wanted;
        CHECK_INT(smtp_open(&p.options, &p.smtp, &p.e), -1);
        CHECK_SLICE(buf_slice(&sent), slice_str(cases[i].ehlo));
        buf_release(&sent);
    }
}

/* The server answers, and is gone before all is sent: the answer counts. */
static void test_cut_while_sending(void **state)
{
    static const struct {
        const char *reply, *outcome;
        enum err_code code;
    } cases[] = {
        { "S 552 5.3.4 too large\n", "250!:552", E_NONE },
        { "S 421 shutting down\n", "250!:421", E_BUSY },
        { "S 250 ok\n", "250!:0", E_NET },
        { "R 552 5.3.4 too\n", "250!:0", E_NET },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf whole = BUF_INIT(4096), outcome = BUF_INIT(100);
        struct play_case c = { .name = "cut" };
        struct play p;

        CASE("cut while sending %zu", i);
        assert_int_equal(
            buf_putf(&whole, "%s%s", HELLO("") MAIL "S 250 ok\n" RCPT "S 250 ok\n" DATA GO, cases[i].reply), 0);
        c.script = buf_cstr(&whole);
        play_init(&p, &c);
        chunk_size = 1;
        cut_at = strlen("EHLO me.example.org\r\nMAIL FROM:<s@x.org>\r\nRCPT TO:<a@y.org>\r\nDATA\r\n");
        CHECK_INT(smtp_open(&p.options, &p.smtp, &p.e), 0);
        CHECK_INT(deliver(&p), cases[i].code == E_NONE ? 0 : -1);
        CHECK_INT(p.e.code, cases[i].code);
        tell(&p, &outcome);
        CHECK_SLICE(buf_slice(&outcome), slice_str(cases[i].outcome));
        smtp_close(&p.smtp);
        cut_at = SIZE_MAX;
        buf_release(&sent);
        buf_release(&whole);
        buf_release(&outcome);
    }
}

/* The next envelope cannot be sent any more, but the answer to the message in front of it is there. */
static void test_cut_while_sending_ahead(void **state)
{
    static const struct play_case c = {
        .script = HELLO(PIPE) MAIL RCPT DATA OK2 GO "S 250 queued\n",
        .messages = 2,
    };
    struct play p;

    (void)state;
    CASE("cut while sending ahead");
    play_init(&p, &c);
    chunk_size = 1;
    CHECK_INT(smtp_open(&p.options, &p.smtp, &p.e), 0);
    p.body_left = SLICE("x\r\n");
    CHECK_INT(smtp_envelope(p.smtp, &p.messages[0], &p.e), 0);
    CHECK_INT(smtp_envelope_done(p.smtp, &p.messages[0], &p.e), 0);
    CHECK_INT(smtp_body(p.smtp, &p.messages[0], give_body, &p, &p.e), 0);
    CHECK_INT(smtp_last(p.smtp, &p.messages[0], &p.e), 0);
    cut_at = sent.len;
    CHECK_INT(smtp_envelope(p.smtp, &p.messages[1], &p.e), 0);
    CHECK_INT(smtp_body_done(p.smtp, &p.messages[0], &p.e), 0);
    CHECK_INT(p.recipients[0][0].reply.code, 250);
    CHECK_INT(smtp_envelope_done(p.smtp, &p.messages[1], &p.e), -1);
    CHECK_INT(p.e.code, E_NET);
    CHECK(!smtp_alive(p.smtp));
    smtp_close(&p.smtp);
    cut_at = SIZE_MAX;
    buf_release(&sent);
}

/* --- against a socket --- */

enum { LARGE = 8 * 1024 * 1024 };

static void say(struct peer *peer, const char *words)
{
    if (send(peer->fd, words, strlen(words), MSG_NOSIGNAL) < 0)
        peer->seen_n = 0;
}

static void hear_until(struct peer *peer, const char *end)
{
    ssize_t got = 1;

    while (got > 0 && peer->seen_n < sizeof(peer->seen) && memmem(peer->seen, peer->seen_n, end, strlen(end)) == NULL) {
        got = recv(peer->fd, peer->seen + peer->seen_n, sizeof(peer->seen) - peer->seen_n, 0);
        peer->seen_n += got > 0 ? (size_t)got : 0;
    }
}

struct refusal {
    const char *reply;
    bool closes;
    unsigned code;
    enum err_code error;
};

/* Says its word in mid-body and reads no more. */
static void play_refusal(struct peer *peer)
{
    const struct refusal *r = peer->arg;
    struct pollfd fd = { .fd = peer->fd, .events = POLLRDHUP };

    say(peer, "220 mx\r\n");
    hear_until(peer, "EHLO me.example.org\r\n");
    say(peer, "250-mx\r\n250 PIPELINING\r\n");
    hear_until(peer, "DATA\r\n");
    say(peer, "250 ok\r\n250 ok\r\n354 go\r\n");
    hear_until(peer, "xxxxx");
    say(peer, r->reply);
    if (!r->closes && poll(&fd, 1, -1) < 0)
        peer->seen_n = 0;
}

static int give_large(void *ctx, bool dots, char *out, size_t size, size_t *n_out, struct err *e)
{
    size_t *left = ctx;

    (void)dots;
    (void)e;
    *n_out = size_min(size, *left);
    memset(out, 'x', *n_out);
    *left -= *n_out;
    return 0;
}

/* The server fills up and answers: neither side waits for the other, and the answer counts. */
static void test_refusal_in_mid_body(void **state)
{
    static const struct refusal cases[] = {
        { "552 5.3.4 too large\r\n", false, 552, E_NONE },
        { "552 5.3.4 too large\r\n", true, 552, E_NONE },
        { "452 4.3.1 full\r\n", true, 452, E_NONE },
        { "421 4.3.2 shutting down\r\n", true, 421, E_BUSY },
        { "", true, 0, E_NET },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        static const struct play_case c = { .script = "" };
        size_t left = LARGE;
        struct peer peer;
        struct play p;
        int rc;

        CASE("in mid-body: case %zu", i);
        play_init(&p, &c);
        p.messages[0].octets = LARGE;
        socket_fd = peer_start_fd(&peer, play_refusal, &cases[i]);
        CHECK_INT(smtp_open(&p.options, &p.smtp, &p.e), 0);
        CHECK_INT(smtp_envelope(p.smtp, &p.messages[0], &p.e), 0);
        CHECK_INT(smtp_envelope_done(p.smtp, &p.messages[0], &p.e), 0);
        CHECK(p.messages[0].go);
        rc = smtp_body(p.smtp, &p.messages[0], give_large, &left, &p.e);
        if (rc == 0) {
            CHECK_INT(smtp_last(p.smtp, &p.messages[0], &p.e), 0);
            CHECK(!smtp_pipelines(p.smtp));
            rc = smtp_body_done(p.smtp, &p.messages[0], &p.e);
        }
        CHECK_INT(rc, cases[i].error == E_NONE ? 0 : -1);
        CHECK_INT(p.e.code, cases[i].error);
        CHECK(left > 0);
        CHECK_INT(p.recipients[0][0].reply.code, cases[i].code);
        CHECK(!smtp_alive(p.smtp));
        CHECK_INT(smtp_envelope(p.smtp, &p.messages[0], &p.e), -1);
        smtp_close(&p.smtp);
        peer_join(&peer);
        socket_fd = -1;
    }
}

/* A thousand recipients go out in windows, DATA with the last of them. */
static void test_windows(void **state)
{
    enum { MANY = 1000 };
    static struct smtp_recipient many[MANY];
    static const struct play_case c = { .script = "" };
    struct play p;

    (void)state;
    CASE("a thousand recipients");
    play_init(&p, &c);
    for (size_t i = 0; i < MANY; i++)
        many[i] = (struct smtp_recipient){ .address = SLICE("a.recipient@example.org") };
    p.messages[0].recipients = many;
    p.messages[0].recipient_count = MANY;
    script = NULL;
    CHECK_INT(smtp_open(&p.options, &p.smtp, &p.e), 0);
    CHECK_INT(smtp_envelope(p.smtp, &p.messages[0], &p.e), 0);
    CHECK_INT(smtp_envelope_done(p.smtp, &p.messages[0], &p.e), 0);
    CHECK(p.messages[0].go);
    for (size_t i = 0; i < MANY; i++)
        CHECK(many[i].accepted);
    smtp_close(&p.smtp);
    buf_release(&sent);
    CHECK(most > LIMIT_IN_FLIGHT / 2 && most <= LIMIT_IN_FLIGHT);
}

static void test_alive(void **state)
{
    static const struct play_case silent = { .script = HELLO("") "Q\n" };
    static const struct play_case gone = { .script = HELLO("") };
    static const struct play_case said = { .script = HELLO("") "S 421 idle\n" };
    const struct play_case *cases[] = { &silent, &gone, &said };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct play p;

        CASE("alive %zu", i);
        play_init(&p, cases[i]);
        chunk_size = 0;
        CHECK_INT(smtp_open(&p.options, &p.smtp, &p.e), 0);
        CHECK_INT(smtp_alive(p.smtp), i == 0);
        CHECK(smtp_round_trip_ms(p.smtp) >= 0);
        smtp_close(&p.smtp);
        buf_release(&sent);
    }
}

/* What is secret, and the mail itself, is not in the log. */
static void test_trace(void **state)
{
    static const struct play_case c = {
        .script = HELLO("S 250-AUTH PLAIN\n") "C AUTH PLAIN AGFubmEAczNjcmV0\nS 235 in\n" MAIL "S 250 ok\n" RCPT
                                              "S 250 ok\n" DATA GO BODY DOT "S 250 queued\n" QUIT,
        .user = "anna",
    };
    char path[] = "/tmp/mailhaul-test-XXXXXX", text[8192];
    int fd = mkstemp(path);
    struct play p;
    ssize_t n;

    (void)state;
    CASE("trace");
    CHECK(fd >= 0);
    play_init(&p, &c);
    chunk_size = 0;
    CHECK_INT(log_open(&(struct log_options){ .to_file = LOG_LEVEL_TRACE, .file = path }, &p.e), 0);
    CHECK_INT(smtp_open(&p.options, &p.smtp, &p.e), 0);
    CHECK_INT(deliver(&p), 0);
    smtp_close(&p.smtp);
    log_close();
    n = read(fd, text, sizeof(text) - 1);
    CHECK(n > 0);
    text[n] = '\0';
    close(fd);
    unlink(path);
    CHECK(strstr(text, "C: AUTH PLAIN ********") != NULL);
    CHECK(strstr(text, "C: MAIL FROM:<s@x.org>") != NULL);
    CHECK(strstr(text, "S: 250 queued") != NULL);
    CHECK(strstr(text, "AGFubmEAczNjcmV0") == NULL);
    CHECK(strstr(text, "hello") == NULL);
    buf_release(&sent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_mail),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_hello),
        cmocka_unit_test(test_refusal_in_mid_body),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_cut_while_sending),
        cmocka_unit_test(test_cut_while_sending_ahead),
        cmocka_unit_test(test_alive),
        cmocka_unit_test(test_trace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
