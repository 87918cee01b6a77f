/* SPDX-License-Identifier: MIT
 * From a host name to a session: greeting, TLS, capabilities, login, and what is enabled. RFC 3501 sections 3, 6.1 and
 * 6.2, 7.1.4, 7.1.5.
 */
#include "proto/imap_int.h"

#include <stdio.h>
#include <strings.h>

#include "base/log.h"
#include "proto/sasl.h"
#include "wire/limits.h"

static int push_tls(struct imap *im, struct err *e)
{
    struct tls_settings settings = im->server->tls_settings;

    settings.alpn = "imap";
    if (stream_push_tls(im->stream, &settings, e) != 0) {
        im->broken = true;
        return -1;
    }
    return 0;
}

static int greeting(struct imap *im, bool *preauth_out, struct err *e)
{
    struct imap_response r;

    *preauth_out = false;
    if (imap_read(im, NULL, &r, e) != 0)
        return -1;
    im->broken = true; /* no LOGOUT to something that is no IMAP server */
    if (r.kind != IMAP_UNTAGGED || r.status == IMAP_NO_STATUS || r.status == IMAP_NO || r.status == IMAP_BAD) {
        err_set(e, E_PROTO, "%s does not greet as an IMAP server; is the port right?", im->host);
        return err_peer(e, im->reader.text);
    }
    if (slice_ieq(r.code, SLICE("REFERRAL")))
        return imap_referred(im, e);
    if (r.status == IMAP_BYE) {
        err_set(e, E_BUSY, "%s does not take connections now", im->host);
        return err_peer(e, r.text);
    }
    im->broken = false;
    *preauth_out = r.status == IMAP_PREAUTH;
    if (slice_ieq(r.code, SLICE("CAPABILITY"))) {
        imap_parse_caps(r.code_args, &im->caps);
        im->caps_fresh = true;
    }
    return 0;
}

static int starttls(struct imap *im, bool preauth, struct err *e)
{
    struct imap_done done;
    uint32_t tag;

    im->broken = true;
    if (preauth)
        return err_set(e, E_TLS,
                       "%s says PREAUTH before TLS, so STARTTLS is not possible; nothing was sent. Somebody may be "
                       "between you and the server; use tls = \"implicit\"",
                       im->host);
    if (im->caps_fresh && (imap_caps(im) & IMAP_CAP_STARTTLS) == 0)
        return err_set(
            e, E_TLS,
            "%s does not offer STARTTLS; nothing was sent. Use tls = \"implicit\" (port 993), or find out who "
            "strips it",
            im->host);
    imap_begin(im, &tag);
    imap_text(im, "STARTTLS");
    imap_end(im);
    if (imap_finish(im, tag, NULL, &done, e) != 0)
        return -1;
    if (done.status != IMAP_OK) {
        imap_refused(im, &done, E_TLS, "STARTTLS; no login was tried", e);
        e->code = E_TLS;
        return -1;
    }
    /* RFC 3501 section 6.2.1: whatever was said in clear may have been said by anybody. */
    im->caps = (struct imap_caps){ 0 };
    im->caps_fresh = im->utf8 = im->uidonly = false;
    if (push_tls(im, e) != 0)
        return -1;
    im->broken = false;
    return 0;
}

static int need_caps(struct imap *im, struct err *e)
{
    struct imap_done done;
    uint32_t tag;

    if (im->caps_fresh)
        return 0;
    imap_begin(im, &tag);
    imap_text(im, "CAPABILITY");
    imap_end(im);
    if (imap_finish(im, tag, NULL, &done, e) != 0)
        return -1;
    if (done.status != IMAP_OK)
        return imap_refused(im, &done, E_PROTO, "to tell its capabilities", e);
    return 0;
}

/* RFC 5530, in words that say what to do; the server's own follow. */
static const char *advice(const char *code)
{
    static const struct {
        const char *code, *words;
    } known[] = {
        { "EXPIRED", ": the password has expired, and has to be changed" },
        { "PRIVACYREQUIRED", ": the server wants TLS" },
        { "AUTHORIZATIONFAILED", ": the user may not act for authorize_as" },
        { "CONTACTADMIN", ": the server's administrator has to be asked" },
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (strcasecmp(code, known[i].code) == 0)
            return known[i].words;
    }
    return "";
}

static int login_result(struct imap *im, const struct imap_done *done, const char *words, struct err *e)
{
    char what[IMAP_WORDS_MAX];

    if (strcasecmp(done->code, "REFERRAL") == 0)
        return imap_referred(im, e);
    if (done->status == IMAP_OK) {
        im->logged_in = true;
        return 0;
    }
    snprintf(what, sizeof(what), "the login%s%s%s", im->server->user != NULL ? " of " : "",
             im->server->user != NULL ? im->server->user : "", advice(done->code));
    imap_refused(im, done, done->status == IMAP_BAD ? E_PROTO : E_AUTH, what, e);
    return words[0] != '\0' ? err_peer(e, slice_str(words)) : -1;
}

/* --- SASL --- */

struct exchange {
    struct imap *im;
    uint32_t tag;
    struct imap_done done;
};

static int start(void *ctx, const char *mechanism, const struct slice *line, struct err *e)
{
    struct exchange *x = ctx;

    (void)e;
    imap_begin(x->im, &x->tag);
    imap_text(x->im, "AUTHENTICATE %s", mechanism);
    if (line != NULL) {
        imap_text(x->im, " ");
        stream_put_secret(x->im->stream, *line);
    }
    imap_end(x->im);
    return 0;
}

static int say(void *ctx, struct slice line, struct err *e)
{
    struct exchange *x = ctx;

    (void)e;
    stream_put_secret(x->im->stream, line);
    imap_end(x->im);
    return 0;
}

static int hear(void *ctx, enum sasl_said *said_out, struct slice *challenge_out, struct err *e)
{
    struct exchange *x = ctx;
    bool go = false;

    if (imap_await_continue(x->im, x->tag, &go, &x->done, e) != 0)
        return -1;
    *challenge_out = buf_slice(&x->im->challenge);
    *said_out = go ? SASL_CHALLENGED : x->done.status == IMAP_OK ? SASL_ACCEPTED : SASL_REFUSED;
    return 0;
}

/* RFC 4959: the first answer goes along with the command where SASL-IR is offered. */
static int authenticate(struct imap *im, const struct sasl_offer *offer, uint32_t mechanism, struct err *e)
{
    struct exchange x = { .im = im };
    const struct sasl_channel channel = { .ctx = &x,
                                          .initial_max = (imap_caps(im) & IMAP_CAP_SASL_IR) != 0 ? SIZE_MAX : 0,
                                          .start = start,
                                          .say = say,
                                          .hear = hear };
    struct sasl_result result;

    if (sasl_login(im->server, offer, mechanism, &channel, &result, e) != 0) {
        im->broken = true;
        return -1;
    }
    return login_result(im, &x.done, result.words, e);
}

static void put_password(struct imap *im, struct slice password)
{
    struct buf quoted = BUF_INIT(4 * SECRET_MAX);

    if (imap_put_string(&quoted, password, im->utf8) == IMAP_QUOTED)
        stream_put_secret(im->stream, buf_slice(&quoted));
    else
        imap_string_arg(im, password);
    buf_wipe(&quoted);
    buf_release(&quoted);
}

static int login_command(struct imap *im, struct err *e)
{
    struct secret password = { 0 };
    struct imap_done done;
    uint32_t tag;
    int rc = -1;

    if (im->server->password(im->server->password_ctx, &password, e) != 0)
        goto out;
    imap_begin(im, &tag);
    imap_text(im, "LOGIN ");
    imap_string_arg(im, slice_str(im->server->user));
    imap_text(im, " ");
    put_password(im, secret_get(&password));
    imap_end(im);
    if (imap_finish(im, tag, NULL, &done, e) == 0)
        rc = login_result(im, &done, "", e);
out:
    secret_release(&password);
    return rc;
}

int imap_login(struct imap *im, struct err *e)
{
    const struct server *s = im->server;
    bool disabled = (imap_caps(im) & IMAP_CAP_LOGINDISABLED) != 0;
    struct sasl_offer offer = { .mechanisms = (im->caps.auth & ~server_disabled_mechanisms(s)) |
                                              (disabled ? 0 : (uint32_t)SASL_COMMAND),
                                .stream = im->stream,
                                .service = "imap",
                                .host = im->host };
    uint32_t mechanism;

    im->caps_fresh = false;
    if (s->user == NULL && s->tls_settings.cert_file == NULL)
        return err_set(e, E_CONFIG, "%s wants a login, and the account has no user", im->host);
    if (sasl_pick(s, &offer, &mechanism, e) != 0) {
        if (e->code == E_LACKS && disabled && imap_tls(im) == NULL)
            err_set(e, E_TLS, "%s takes no login without TLS (LOGINDISABLED); set tls = \"implicit\" or \"starttls\"",
                    im->host);
        return -1;
    }
    return mechanism == SASL_COMMAND ? login_command(im, e) : authenticate(im, &offer, mechanism, e);
}

static int compress(struct imap *im, struct err *e)
{
    struct imap_done done;
    uint32_t tag;

    if (!im->server->compress || (imap_caps(im) & IMAP_CAP_COMPRESS_DEFLATE) == 0)
        return 0;
    imap_begin(im, &tag);
    imap_text(im, "COMPRESS DEFLATE");
    imap_end(im);
    if (imap_finish(im, tag, NULL, &done, e) != 0)
        return -1;
    return done.status == IMAP_OK ? stream_push_deflate(im->stream, e) : 0;
}

/* ID before any SELECT (163.com and others refuse it else) and ENABLE; nobody waits for their answers, which come
 * before those of the next command. */
static void introduce(struct imap *im)
{
    uint64_t caps = imap_caps(im);
    uint32_t tag;

    if ((caps & IMAP_CAP_ID) != 0) {
        imap_begin(im, &tag);
        imap_text(im, "ID (\"name\" \"mailhaul\" \"version\" \"%s\" \"vendor\" \"mailhaul\")", PACKAGE_VERSION);
        imap_end(im);
    }
    if ((caps & IMAP_CAP_ENABLE) == 0 || (caps & (IMAP_CAP_UTF8_ACCEPT | IMAP_CAP_UIDONLY)) == 0)
        return;
    imap_begin(im, &tag);
    imap_text(im, "ENABLE%s%s", (caps & IMAP_CAP_UTF8_ACCEPT) != 0 ? " UTF8=ACCEPT" : "",
              (caps & IMAP_CAP_UIDONLY) != 0 ? " UIDONLY" : "");
    imap_end(im);
}

static int open_session(struct imap *im, struct err *e)
{
    bool preauth;

    if (dial(&im->server->dial, &im->stream, e) != 0)
        return -1;
    if (im->server->tls == SERVER_TLS_IMPLICIT && push_tls(im, e) != 0)
        return -1;
    if (greeting(im, &preauth, e) != 0)
        return -1;
    if (im->server->tls == SERVER_TLS_STARTTLS && starttls(im, preauth, e) != 0)
        return -1;
    if (preauth && im->server->tls != SERVER_TLS_STARTTLS)
        im->logged_in = true;
    else if (need_caps(im, e) != 0 || imap_login(im, e) != 0)
        return -1;
    if (need_caps(im, e) != 0 || compress(im, e) != 0)
        return -1;
    introduce(im);
    return 0;
}

int imap_open(const struct server *server, struct imap **out, struct err *e)
{
    struct imap *im = imap_new(server);

    if (im == NULL)
        return err_nomem(e);
    if (open_session(im, e) != 0) {
        imap_close(&im);
        return -1;
    }
    *out = im;
    return 0;
}
