/* SPDX-License-Identifier: MIT
 * From a host name to a session: greeting, TLS, capabilities, login, and what is enabled. RFC 3501 sections 3, 6.1 and
 * 6.2, 7.1.4, 7.1.5.
 */
#include "proto/imap_int.h"

#include <stdio.h>
#include <strings.h>

#include "base/log.h"
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

static int login_result(struct imap *im, const struct imap_done *done, struct err *e)
{
    char what[IMAP_WORDS_MAX];

    if (done->status == IMAP_OK) {
        im->logged_in = true;
        return 0;
    }
    snprintf(what, sizeof(what), "the login of %s", im->server->user);
    return imap_refused(im, done, done->status == IMAP_BAD ? E_PROTO : E_AUTH, what, e);
}

/* RFC 4959: the response goes along with the command where SASL-IR is offered. */
static int authenticate_plain(struct imap *im, struct err *e)
{
    struct buf response = BUF_INIT(2 * SECRET_MAX);
    struct imap_done done = { 0 };
    bool go = false;
    uint32_t tag;
    int rc = -1;

    if (server_sasl_plain(im->server, &response, e) != 0)
        goto out;
    imap_begin(im, &tag);
    imap_text(im, "AUTHENTICATE PLAIN");
    if ((imap_caps(im) & IMAP_CAP_SASL_IR) != 0) {
        imap_text(im, " ");
    } else {
        imap_end(im);
        if (imap_await_continue(im, tag, &go, &done, e) != 0)
            goto out;
        if (!go) {
            rc = login_result(im, &done, e);
            goto out;
        }
    }
    stream_put_secret(im->stream, buf_slice(&response));
    imap_end(im);
    if (imap_await_continue(im, tag, &go, &done, e) != 0)
        goto out;
    if (go) {
        /* A challenge after the only message of PLAIN: cancelled (RFC 4422 section 3.5). */
        imap_text(im, "*");
        imap_end(im);
        if (imap_await_continue(im, tag, &go, &done, e) != 0)
            goto out;
        if (go || done.status == IMAP_OK) {
            im->broken = true;
            err_set(e, E_PROTO, "%s went on with a login that was cancelled", im->host);
            goto out;
        }
    }
    rc = login_result(im, &done, e);
out:
    buf_wipe(&response);
    buf_release(&response);
    return rc;
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
        rc = login_result(im, &done, e);
out:
    secret_release(&password);
    return rc;
}

int imap_login(struct imap *im, struct err *e)
{
    const struct server *s = im->server;
    uint64_t caps = imap_caps(im);

    im->caps_fresh = false;
    if (s->user == NULL)
        return err_set(e, E_CONFIG, "%s wants a login, and the account has no user", im->host);
    if ((caps & IMAP_CAP_AUTH_PLAIN) != 0 && server_allows(s, "plain"))
        return authenticate_plain(im, e);
    if ((caps & IMAP_CAP_LOGINDISABLED) == 0 && server_allows(s, "login") && s->authorize_as == NULL)
        return login_command(im, e);
    if ((caps & IMAP_CAP_LOGINDISABLED) != 0 && imap_tls(im) == NULL)
        return err_set(e, E_TLS,
                       "%s takes no login without TLS (LOGINDISABLED); set tls = \"implicit\" or \"starttls\"",
                       im->host);
    if (s->authorize_as != NULL)
        return err_set(e, E_LACKS, "%s does not offer AUTHENTICATE PLAIN, which authorize_as needs", im->host);
    return err_set(e, E_LACKS, "%s offers no way to log in that this account allows (AUTHENTICATE PLAIN or LOGIN)",
                   im->host);
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
