/* SPDX-License-Identifier: MIT
 * From a connection to a session: greeting, EHLO, STARTTLS, AUTH. RFC 5321 sections 3.1, 3.2 and 4.1.1.1; RFC 3207; RFC
 * 4954.
 */
#include "proto/smtp_int.h"

#include <unistd.h>

#include "base/clock.h"
#include "proto/sasl.h"
#include "wire/limits.h"

enum {
    /* RFC 5321 section 4.5.3.1.4: a command line with its CRLF. */
    COMMAND_MAX = 512,
};

static int push_tls(struct smtp *s, struct err *e)
{
    struct tls_settings settings = s->server->tls_settings;

    settings.alpn = NULL;
    if (stream_push_tls(s->stream, &settings, e) != 0)
        return smtp_broken(s);
    return 0;
}

static int greeting(struct smtp *s, struct err *e)
{
    struct smtp_reply reply;

    if (smtp_read(s, false, NULL, &reply, e) != 0)
        return -1;
    if (smtp_class(&reply) == 2)
        return 0;
    if (smtp_class(&reply) == 3)
        return smtp_out_of_step(s, &reply, e);
    err_set(e, smtp_class(&reply) == 4 ? E_BUSY : E_REJECTED, "%s turns us away", s->host);
    err_peer(e, slice_str(reply.words));
    return smtp_broken(s);
}

/* --- EHLO --- */

static bool is_host_name(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");

    return n > 0 && n < SMTP_HELLO_MAX && name[n] == '\0';
}

/* RFC 5321 section 4.1.4: the name of this machine, or else its address. */
static int choose_hello(struct smtp *s, const char *wanted, struct err *e)
{
    char text[SMTP_HELLO_MAX - sizeof("[IPv6:]")] = "";

    if (wanted != NULL) {
        for (const char *p = wanted; *p != '\0'; p++) {
            if (*p <= ' ' || *p >= 0x7f)
                return err_set(e, E_CONFIG, "the name to greet with is no host name");
        }
        snprintf(s->hello, sizeof(s->hello), "%s", wanted);
        return 0;
    }
    if (gethostname(text, sizeof(text) - 1) == 0 && is_host_name(text) && strchr(text, '.') != NULL &&
        !slice_istarts(slice_str(text), SLICE("localhost.")))
        snprintf(s->hello, sizeof(s->hello), "%s", text);
    else if (stream_local_address(s->stream, text, sizeof(text)))
        snprintf(s->hello, sizeof(s->hello), "[%s%s]", strchr(text, ':') != NULL ? "IPv6:" : "", text);
    else
        snprintf(s->hello, sizeof(s->hello), "localhost");
    return 0;
}

static uint32_t disabled_bits(const struct smtp *s)
{
    const char *const *names = s->server->disabled;
    uint32_t bits = 0;

    for (; names != NULL && *names != NULL; names++)
        bits |= smtp_cap_from_name(slice_str(*names));
    return bits;
}

/* EHLO, LHLO and HELO alike. *reply_out is 2xx or 5xx. */
static int greet(struct smtp *s, const char *verb, struct smtp_caps *caps, struct smtp_reply *reply_out, struct err *e)
{
    int64_t start = clock_mono_ms();

    stream_putf(s->stream, "%s %s\r\n", verb, s->hello);
    if (smtp_ask(s, caps, reply_out, e) != 0)
        return -1;
    s->round_trip_ms = clock_mono_ms() - start;
    if (smtp_class(reply_out) == 3)
        return smtp_out_of_step(s, reply_out, e);
    if (smtp_class(reply_out) != 4)
        return 0;
    err_set(e, E_BUSY, "%s does not take mail from us now", s->host);
    err_peer(e, slice_str(reply_out->words));
    return smtp_broken(s);
}

static int hello_refused(struct smtp *s, enum err_code code, const char *what, const struct smtp_reply *reply,
                         struct err *e)
{
    err_set(e, code, "%s refused %s", s->host, what);
    err_peer(e, slice_str(reply->words));
    return smtp_broken(s);
}

/* Everything that was learned before is forgotten (RFC 3207 section 4.2). */
static int hello(struct smtp *s, struct err *e)
{
    struct smtp_reply reply;

    s->caps = (struct smtp_caps){ 0 };
    if (greet(s, s->lmtp ? "LHLO" : "EHLO", &s->caps, &reply, e) != 0)
        return -1;
    if (smtp_class(&reply) == 2) {
        s->caps.bits &= ~disabled_bits(s);
        return 0;
    }
    s->caps = (struct smtp_caps){ 0 };
    if (s->server->tls == SERVER_TLS_STARTTLS && stream_tls(s->stream) == NULL)
        return hello_refused(s, E_TLS, "EHLO, without which there is no STARTTLS; nothing was sent", &reply, e);
    if (s->lmtp)
        return hello_refused(s, E_REJECTED, "LHLO; is it an LMTP server?", &reply, e);
    if (s->server->user != NULL)
        return hello_refused(s, E_LACKS, "EHLO, without which there is no login", &reply, e);
    if (greet(s, "HELO", NULL, &reply, e) != 0)
        return -1;
    return smtp_class(&reply) == 2 ? 0 : hello_refused(s, E_REJECTED, "EHLO and HELO", &reply, e);
}

static int starttls(struct smtp *s, struct err *e)
{
    struct smtp_reply reply;

    if ((s->caps.bits & SMTP_CAP_STARTTLS) == 0) {
        smtp_broken(s);
        if ((disabled_bits(s) & SMTP_CAP_STARTTLS) != 0)
            return err_set(e, E_TLS, "tls = \"starttls\" is asked for, and disable_extensions forbids STARTTLS");
        return err_set(e, E_TLS, "%s does not offer STARTTLS; nothing was sent. %s who strips it", s->host,
                       s->server->dial.port == 25 ? "Find out" : "Use tls = \"implicit\" (port 465), or find out");
    }
    stream_put(s->stream, SLICE("STARTTLS\r\n"));
    if (smtp_ask(s, NULL, &reply, e) != 0)
        return -1;
    if (reply.code != 220) {
        err_set(e, E_TLS, "%s refused STARTTLS; nothing was sent", s->host);
        err_peer(e, slice_str(reply.words));
        return smtp_broken(s);
    }
    return push_tls(s, e);
}

/* --- AUTH --- */

/* *reply is the last word of the login. */
static int login_result(struct smtp *s, const struct smtp_reply *reply, struct err *e)
{
    if (smtp_class(reply) == 2)
        return 0;
    smtp_broken(s);
    if (smtp_class(reply) == 3)
        return err_set(e, E_PROTO, "%s asks for more than the login that it offered", s->host);
    if (smtp_class(reply) == 4)
        err_set(e, E_BUSY, "%s does not let us in now", s->host);
    else
        err_set(e, E_AUTH, "%s refused user %s or the password", s->host, s->server->user);
    return err_peer(e, slice_str(reply->words));
}

struct exchange {
    struct smtp *s;
    struct smtp_reply reply;
};

static int start(void *ctx, const char *mechanism, const struct slice *line, struct err *e)
{
    struct exchange *x = ctx;

    (void)e;
    stream_putf(x->s->stream, "AUTH %s%s", mechanism, line != NULL ? " " : "");
    if (line != NULL)
        stream_put_secret(x->s->stream, *line);
    stream_put(x->s->stream, SLICE("\r\n"));
    return 0;
}

static int say(void *ctx, struct slice line, struct err *e)
{
    struct exchange *x = ctx;

    (void)e;
    stream_put_secret(x->s->stream, line);
    stream_put(x->s->stream, SLICE("\r\n"));
    return 0;
}

static int hear(void *ctx, enum sasl_said *said_out, struct slice *challenge_out, struct err *e)
{
    struct exchange *x = ctx;

    if (smtp_ask(x->s, NULL, &x->reply, e) != 0)
        return -1;
    *challenge_out = slice_trim(buf_slice(x->s->challenge));
    *said_out = x->reply.code == 334 ? SASL_CHALLENGED : smtp_class(&x->reply) == 2 ? SASL_ACCEPTED : SASL_REFUSED;
    return 0;
}

/* RFC 4954 section 4: a first answer goes along only where the line stays within its limit. */
static int login(struct smtp *s, struct err *e)
{
    const struct server *server = s->server;
    struct sasl_offer offer = { .mechanisms = s->caps.auth & ~server_disabled_mechanisms(server),
                                .stream = s->stream,
                                .service = "smtp",
                                .host = s->host };
    struct exchange x = { .s = s };
    struct sasl_channel channel = { .ctx = &x, .start = start, .say = say, .hear = hear };
    struct buf challenge = BUF_INIT(LIMIT_LINE);
    struct sasl_result result;
    uint32_t mechanism;
    int rc;

    if (sasl_pick(server, &offer, &mechanism, e) != 0)
        return smtp_broken(s);
    channel.initial_max = COMMAND_MAX - strlen("AUTH  \r\n") - strlen(sasl_name(mechanism));
    s->challenge = &challenge;
    rc = sasl_login(server, &offer, mechanism, &channel, &result, e);
    s->challenge = NULL;
    buf_release(&challenge);
    if (rc != 0)
        return smtp_broken(s);
    if (!result.accepted && result.words[0] != '\0') {
        (void)login_result(s, &x.reply, e);
        return err_peer(e, slice_str(result.words));
    }
    return login_result(s, &x.reply, e);
}

int smtp_enter(struct smtp *s, const char *wanted_hello, struct err *e)
{
    if (choose_hello(s, wanted_hello, e) != 0)
        return smtp_broken(s);
    if (s->server->tls == SERVER_TLS_IMPLICIT && push_tls(s, e) != 0)
        return -1;
    if (greeting(s, e) != 0 || hello(s, e) != 0)
        return -1;
    if (s->server->tls == SERVER_TLS_STARTTLS && (starttls(s, e) != 0 || hello(s, e) != 0))
        return -1;
    return s->server->user != NULL ? login(s, e) : 0;
}
