/* SPDX-License-Identifier: MIT */
#include "proto/pop3.h"

#include "proto/pop3_int.h"
#include "proto/sasl.h"
#include "wire/limits.h"

enum {
    /* RFC 2449 section 4: a command line with its CRLF. */
    COMMAND_MAX = 255,
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

/* RFC 1939 section 7: "<process-ID.clock@hostname>", a msg-id; what is none is not hashed with a password. */
static void take_timestamp(struct pop3 *p, struct slice text)
{
    const char *begin = memchr(text.p, '<', text.n);
    const char *end = begin != NULL ? memchr(begin, '>', text.n - (size_t)(begin - text.p)) : NULL;
    size_t n = end != NULL ? (size_t)(end + 1 - begin) : 0;

    p->timestamp[0] = '\0';
    if (n == 0 || n >= sizeof(p->timestamp) || memchr(begin, '@', n) == NULL)
        return;
    for (size_t i = 0; i < n; i++) {
        if (begin[i] <= ' ' || begin[i] >= 0x7f)
            return;
    }
    memcpy(p->timestamp, begin, n);
    p->timestamp[n] = '\0';
}

static int greeting(struct pop3 *p, struct err *e)
{
    struct slice line;
    struct pop3_reply reply;

    stream_exchange(p->stream, 1);
    if (stream_line(p->stream, LIMIT_LINE, &line, e) != 0)
        return pop3_broken(p);
    if (pop3_parse_reply(line, &reply) == 0 && reply.status == POP3_OK) {
        p->gmail = slice_istarts(reply.text, SLICE("Gpop"));
        take_timestamp(p, reply.text);
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
    p->timestamp[0] = '\0';
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

/* --- SASL --- */

struct exchange {
    struct pop3 *p;
    struct pop3_reply reply; /* the last; its slices die at the next read */
    bool heard;
};

static int start(void *ctx, const char *mechanism, const struct slice *line, struct err *e)
{
    struct exchange *x = ctx;

    x->p->in_auth = true;
    stream_put(x->p->stream, SLICE("AUTH "));
    stream_put(x->p->stream, slice_str(mechanism));
    if (line != NULL) {
        stream_put(x->p->stream, SLICE(" "));
        stream_put_secret(x->p->stream, *line);
    }
    return pop3_send(x->p, 0, "", e);
}

static int say(void *ctx, struct slice line, struct err *e)
{
    struct exchange *x = ctx;

    stream_put_secret(x->p->stream, line);
    return pop3_send(x->p, 0, "", e);
}

static int hear(void *ctx, enum sasl_said *said_out, struct slice *challenge_out, struct err *e)
{
    struct exchange *x = ctx;

    if (pop3_reply(x->p, 1, false, &x->reply, e) != 0)
        return -1;
    *challenge_out = x->reply.text;
    *said_out = x->reply.status == POP3_CONTINUE ? SASL_CHALLENGED
                : x->reply.status == POP3_OK     ? SASL_ACCEPTED
                                                 : SASL_REFUSED;
    x->heard |= x->reply.status == POP3_CONTINUE;
    return 0;
}

/* RFC 5034 section 4: a first answer goes along only where SASL is offered and the line stays within its limit. */
static int authenticate(struct pop3 *p, const struct sasl_offer *offer, uint32_t mechanism, struct err *e)
{
    size_t before = strlen("AUTH ") + strlen(sasl_name(mechanism)) + strlen(" \r\n");
    struct exchange x = { .p = p };
    struct sasl_channel channel = {
        .ctx = &x, .initial_max = offer->unknown ? 0 : COMMAND_MAX - before, .start = start, .say = say, .hear = hear
    };
    struct sasl_result result;
    int rc = sasl_login(p->server, offer, mechanism, &channel, &result, e);

    /* Some servers take a token in the line of the command alone, however long; nothing was said to this one yet. */
    if (rc == 0 && !result.accepted && !x.heard && mechanism == SASL_XOAUTH2) {
        channel.initial_max = SIZE_MAX;
        rc = sasl_login(p->server, offer, mechanism, &channel, &result, e);
    }
    p->in_auth = false;
    if (rc != 0)
        return pop3_broken(p);
    if (!result.accepted && result.words[0] != '\0') {
        (void)login_result(p, &x.reply, e);
        return err_peer(e, slice_str(result.words));
    }
    return login_result(p, &x.reply, e);
}

/* RFC 1939 section 7: the digest of the greeting's timestamp and the password. */
static int apop(struct pop3 *p, struct err *e)
{
    struct secret password = { 0 };
    char hex[2 * DIGEST_MD5_SIZE + 1];
    struct pop3_reply reply;
    int rc = -1;

    if (p->server->password(p->server->password_ctx, &password, e) != 0)
        goto out;
    if (digest_md5_hex(slice_str(p->timestamp), secret_get(&password), hex, e) != 0)
        goto out;
    stream_put(p->stream, SLICE("APOP "));
    stream_put(p->stream, slice_str(p->server->user));
    stream_put(p->stream, SLICE(" "));
    stream_put_secret(p->stream, slice_str(hex));
    if (pop3_send(p, 0, "", e) != 0 || pop3_reply(p, 1, false, &reply, e) != 0)
        goto out;
    rc = login_result(p, &reply, e);
out:
    if (rc != 0)
        (void)pop3_broken(p);
    explicit_bzero(hex, sizeof(hex));
    secret_release(&password);
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
    struct sasl_offer offer = { .mechanisms = (p->caps.auth & ~server_disabled_mechanisms(s)) | SASL_COMMAND,
                                .unknown = !p->has_caps && (server_disabled_mechanisms(s) & SASL_ALL) == 0,
                                .stream = p->stream,
                                .service = "pop",
                                .host = pop3_host(p) };
    uint32_t mechanism;

    if (p->timestamp[0] != '\0')
        offer.mechanisms |= SASL_APOP;
    if (s->user == NULL && s->tls_settings.cert_file == NULL) {
        pop3_broken(p);
        return err_set(e, E_CONFIG, "%s wants a login, and the account has no user", pop3_host(p));
    }
    if (!in_a_line(slice_str(s->user)) || !in_a_line(slice_str(s->authorize_as))) {
        pop3_broken(p);
        return err_set(e, E_CONFIG, "the user name holds a line end");
    }
    if (sasl_pick(s, &offer, &mechanism, e) != 0)
        return pop3_broken(p);
    if (utf8_mode(p, e) != 0)
        return -1;
    if (mechanism == SASL_COMMAND)
        return user_pass(p, e);
    return mechanism == SASL_APOP ? apop(p, e) : authenticate(p, &offer, mechanism, e);
}
