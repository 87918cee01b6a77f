/* SPDX-License-Identifier: MIT */
#include "proto/pop3.h"

#include "proto/pop3_int.h"
#include "wire/limits.h"

enum {
    /* RFC 2449 section 4: a command line with its CRLF. */
    COMMAND_MAX = 255,
    /* Base64 of the longest user, authorisation and password. */
    PLAIN_MAX = 12 * 1024,
};

void pop3_init(struct pop3 *p, const struct server *server)
{
    *p = (struct pop3){ .server = server, .caps = POP3_CAPS_NONE };
}

void pop3_release(struct pop3 *p)
{
    struct err ignored;

    if (p->stream != NULL && !p->quit) {
        p->quit = true;
        stream_exchange(p->stream, 1);
        stream_put(p->stream, SLICE("QUIT\r\n"));
        if (stream_flush(p->stream, &ignored) == 0)
            stream_consume(p->stream, stream_peek(p->stream).n);
    }
    stream_close(&p->stream);
}

const char *pop3_host(const struct pop3 *p)
{
    return p->server->dial.host != NULL ? p->server->dial.host : "the server behind the tunnel";
}

int pop3_broken(struct pop3 *p)
{
    p->quit = true;
    return -1;
}

int pop3_send(struct pop3 *p, unsigned ask, const char *command, struct err *e)
{
    if ((p->ahead & ask) != 0) {
        p->ahead &= ~ask;
        return 0;
    }
    stream_put(p->stream, slice_str(command));
    stream_put(p->stream, SLICE("\r\n"));
    if (stream_flush(p->stream, e) != 0)
        return pop3_broken(p);
    return 0;
}

int pop3_no_status(struct pop3 *p, bool ahead, struct slice line, struct err *e)
{
    err_set(e, E_PROTO, "%s broke the POP3 protocol: a line that is neither +OK nor -ERR where a reply was due",
            pop3_host(p));
    err_peer(e, line);
    p->out_of_step = ahead;
    return pop3_broken(p);
}

int pop3_reply(struct pop3 *p, unsigned factor, bool ahead, struct pop3_reply *out, struct err *e)
{
    struct slice line;

    stream_exchange(p->stream, factor);
    if (stream_line(p->stream, LIMIT_LINE, &line, e) != 0)
        return pop3_broken(p);
    if (pop3_parse_reply(line, out) != 0 || (out->status == POP3_CONTINUE && !p->in_auth))
        return pop3_no_status(p, ahead, line, e);
    return 0;
}

bool pop3_says_later(const struct pop3_reply *reply)
{
    return slice_ieq(reply->code, SLICE("IN-USE")) || slice_ieq(reply->code, SLICE("LOGIN-DELAY")) ||
           slice_istarts(reply->code, SLICE("SYS/TEMP"));
}

/* --- greeting and TLS --- */

static int greeting(struct pop3 *p, struct err *e)
{
    struct slice line;
    struct pop3_reply reply;

    stream_exchange(p->stream, 1);
    if (stream_line(p->stream, LIMIT_LINE, &line, e) != 0)
        return pop3_broken(p);
    if (pop3_parse_reply(line, &reply) == 0 && reply.status == POP3_OK) {
        p->gmail = slice_istarts(reply.text, SLICE("Gpop"));
        return 0;
    }
    if (pop3_parse_reply(line, &reply) == 0 && reply.status == POP3_ERR)
        err_set(e, E_BUSY, "%s turns us away", pop3_host(p));
    else if (slice_starts(line, SLICE("* ")))
        err_set(e, E_PROTO, "%s port %u answers as an IMAP server: check protocol and port", pop3_host(p),
                (unsigned)p->server->dial.port);
    else if (slice_starts(line, SLICE("220")))
        err_set(e, E_PROTO, "%s port %u answers as an SMTP or FTP server: check protocol and port", pop3_host(p),
                (unsigned)p->server->dial.port);
    else
        err_set(e, E_PROTO, "%s port %u does not answer as a POP3 server: check protocol and port", pop3_host(p),
                (unsigned)p->server->dial.port);
    err_peer(e, line);
    return pop3_broken(p);
}

static uint32_t disabled_bits(const struct pop3 *p)
{
    const char *const *names = p->server->disabled;
    uint32_t bits = 0;

    for (; names != NULL && *names != NULL; names++)
        bits |= pop3_cap_from_name(slice_str(*names));
    return bits;
}

static int push_tls(struct pop3 *p, struct err *e)
{
    struct tls_settings settings = p->server->tls_settings;

    settings.alpn = "pop3";
    if (stream_push_tls(p->stream, &settings, e) != 0)
        return pop3_broken(p);
    return 0;
}

/* RFC 2595 section 4. Asked for without a CAPA before: whether STLS is offered is told by its answer, one round trip
 * earlier, and also by servers that have no CAPA. */
static int starttls(struct pop3 *p, struct err *e)
{
    struct pop3_reply reply;

    if ((disabled_bits(p) & POP3_CAP_STLS) != 0) {
        pop3_broken(p);
        return err_set(e, E_TLS, "tls = \"starttls\" is asked for, and disable_extensions forbids STLS");
    }
    if (pop3_send(p, 0, "STLS", e) != 0 || pop3_reply(p, 1, false, &reply, e) != 0)
        return -1;
    if (reply.status != POP3_OK) {
        err_set(e, E_TLS, "%s offers no STARTTLS (STLS), so nothing was sent; tls = \"implicit\" may work, on port 995",
                pop3_host(p));
        err_peer(e, reply.text);
        return pop3_broken(p);
    }
    if (push_tls(p, e) != 0)
        return -1;
    p->caps = POP3_CAPS_NONE;
    p->has_caps = p->gmail = false;
    return 0;
}

/* For implicit TLS the stream is secured already. */
static int begin(struct pop3 *p, struct err *e)
{
    if (greeting(p, e) != 0)
        return -1;
    return p->server->tls == SERVER_TLS_STARTTLS ? starttls(p, e) : 0;
}

int pop3_start(struct pop3 *p, struct stream *stream, struct err *e)
{
    p->stream = stream;
    p->quit = false;
    if (p->server->tls == SERVER_TLS_IMPLICIT && push_tls(p, e) != 0)
        return -1;
    return begin(p, e);
}

int pop3_connect(struct pop3 *p, struct err *e)
{
    struct stream *stream = NULL;

    if (dial(&p->server->dial, &stream, e) != 0)
        return -1;
    return pop3_start(p, stream, e);
}

/* --- CAPA --- */

int pop3_capa(struct pop3 *p, struct err *e)
{
    bool ahead = (p->ahead & POP3_ASK_CAPA) != 0;
    struct pop3_caps caps = POP3_CAPS_NONE;
    struct pop3_reply reply;
    struct slice line;

    p->in_capa = true;
    if (pop3_send(p, POP3_ASK_CAPA, "CAPA", e) != 0 || pop3_reply(p, 1, ahead, &reply, e) != 0)
        return -1;
    if (reply.status == POP3_OK) {
        for (size_t lines = 0;; lines++) {
            if (stream_line(p->stream, LIMIT_LINE, &line, e) != 0)
                return pop3_broken(p);
            if (slice_eq(line, SLICE(".")))
                break;
            if (lines == LIMIT_REPLY_LINES) {
                pop3_broken(p);
                return err_set(e, E_PROTO, "%s lists capabilities without end", pop3_host(p));
            }
            pop3_parse_cap_line(line, &caps);
        }
        caps.bits &= ~disabled_bits(p);
        p->caps = caps;
        p->has_caps = true;
        p->pipelining = !p->no_pipelining && (p->pipelining || (caps.bits & POP3_CAP_PIPELINING) != 0);
    }
    p->in_capa = false;
    return 0;
}

/* --- login --- */

static bool in_a_line(struct slice s)
{
    return !slice_has_nul(s) && (s.n == 0 || (memchr(s.p, '\r', s.n) == NULL && memchr(s.p, '\n', s.n) == NULL));
}

static bool mentions(struct slice text, struct slice word)
{
    for (; text.n >= word.n; text = slice_from(text, 1)) {
        if (slice_istarts(text, word))
            return true;
    }
    return false;
}

/* RFC 1939 section 7 gives these words for a mailbox that another session holds; codes came later. */
static bool is_locked(struct slice text)
{
    return (mentions(text, SLICE("maildrop")) || mentions(text, SLICE("mailbox"))) &&
           (mentions(text, SLICE("lock")) || mentions(text, SLICE("in use")) || mentions(text, SLICE("busy")));
}

/* *reply is the last word of the login: +OK or not. */
static int login_result(struct pop3 *p, const struct pop3_reply *reply, struct err *e)
{
    if (reply->status == POP3_OK)
        return 0;
    pop3_broken(p);
    if (reply->status == POP3_CONTINUE)
        return err_set(e, E_PROTO, "%s asks for more than the login that it offered", pop3_host(p));
    if (pop3_says_later(reply) || is_locked(reply->text))
        err_set(e, E_BUSY, "%s does not let us in now", pop3_host(p));
    else
        err_set(e, E_AUTH, "%s refused user %s or the password", pop3_host(p), p->server->user);
    return err_peer(e, reply->text);
}

/* RFC 5034 section 4: an initial response only where SASL is offered and the line stays within its limit. */
static int auth_plain(struct pop3 *p, struct err *e)
{
    static const char command[] = "AUTH PLAIN";
    struct buf plain = BUF_INIT(PLAIN_MAX);
    struct pop3_reply reply;
    bool initial;
    int rc = -1;

    if (server_sasl_plain(p->server, &plain, e) != 0) {
        pop3_broken(p);
        goto out;
    }
    initial = (p->caps.bits & POP3_CAP_SASL_PLAIN) != 0 && sizeof(command) + plain.len + 2 <= COMMAND_MAX;
    p->in_auth = true;
    stream_put(p->stream, SLICE("AUTH PLAIN"));
    if (initial) {
        stream_put(p->stream, SLICE(" "));
        stream_put_secret(p->stream, buf_slice(&plain));
    }
    if (pop3_send(p, 0, "", e) != 0 || pop3_reply(p, 1, false, &reply, e) != 0)
        goto out;
    if (reply.status == POP3_CONTINUE) {
        stream_put_secret(p->stream, buf_slice(&plain));
        if (pop3_send(p, 0, "", e) != 0 || pop3_reply(p, 1, false, &reply, e) != 0)
            goto out;
    } else if (reply.status == POP3_OK && !initial) {
        err_set(e, E_PROTO, "%s accepted a login without waiting for the password", pop3_host(p));
        pop3_broken(p);
        goto out;
    }
    rc = login_result(p, &reply, e);
out:
    p->in_auth = false;
    buf_wipe(&plain);
    buf_release(&plain);
    return rc;
}

/* RFC 1939 section 7. */
static int user_pass(struct pop3 *p, struct err *e)
{
    struct secret password = { 0 };
    struct pop3_reply reply;
    int rc = -1;

    if (p->server->password(p->server->password_ctx, &password, e) != 0) {
        pop3_broken(p);
        goto out;
    }
    if (!in_a_line(secret_get(&password))) {
        err_set(e, E_CONFIG, "the password holds a line end or a NUL byte, which POP3 cannot carry");
        pop3_broken(p);
        goto out;
    }
    stream_put(p->stream, SLICE("USER "));
    if (pop3_send(p, 0, p->server->user, e) != 0 || pop3_reply(p, 1, false, &reply, e) != 0)
        goto out;
    if (reply.status == POP3_OK) {
        stream_put(p->stream, SLICE("PASS "));
        stream_put_secret(p->stream, secret_get(&password));
        if (pop3_send(p, 0, "", e) != 0 || pop3_reply(p, 1, false, &reply, e) != 0)
            goto out;
    }
    rc = login_result(p, &reply, e);
out:
    secret_release(&password);
    return rc;
}

static int utf8_mode(struct pop3 *p, struct err *e)
{
    struct pop3_reply reply;

    if ((p->caps.bits & POP3_CAP_UTF8) == 0)
        return 0;
    if (pop3_send(p, 0, "UTF8", e) != 0)
        return -1;
    return pop3_reply(p, 1, false, &reply, e);
}

int pop3_login(struct pop3 *p, struct err *e)
{
    const struct server *s = p->server;
    bool offered = (p->caps.bits & POP3_CAP_SASL_PLAIN) != 0;
    bool unknown = !p->has_caps && (disabled_bits(p) & POP3_CAP_SASL_PLAIN) == 0;
    bool only_plain = s->authorize_as != NULL || !server_allows(s, "login");

    if (s->user == NULL) {
        pop3_broken(p);
        return err_set(e, E_CONFIG, "%s wants a login, and the account has no user", pop3_host(p));
    }
    if (!in_a_line(slice_str(s->user)) || !in_a_line(slice_str(s->authorize_as))) {
        pop3_broken(p);
        return err_set(e, E_CONFIG, "the user name holds a line end");
    }
    if (server_allows(s, "plain") && (offered || (only_plain && unknown)))
        return utf8_mode(p, e) != 0 ? -1 : auth_plain(p, e);
    if (!only_plain)
        return utf8_mode(p, e) != 0 ? -1 : user_pass(p, e);
    pop3_broken(p);
    return err_set(e, E_LACKS, "%s does not offer SASL PLAIN, which %s needs", pop3_host(p),
                   s->authorize_as != NULL ? "authorize_as" : "auth = { \"plain\" }");
}
