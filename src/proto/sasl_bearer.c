/* SPDX-License-Identifier: MIT
 * OAUTHBEARER (RFC 7628) and XOAUTH2, which Google and Microsoft had before it.
 */
#include "proto/sasl_int.h"

#include <jansson.h>

#include "base/log.h"

/* RFC 7628 section 3.1: the token is what RFC 6750 section 2.1 allows; nothing in it may end the field. */
static bool sendable(struct slice token)
{
    for (size_t i = 0; i < token.n; i++) {
        if ((unsigned char)token.p[i] <= ' ' || (unsigned char)token.p[i] >= 0x7f)
            return false;
    }
    return token.n > 0;
}

/* RFC 5801 section 4: "=" and "," in a name. */
static int put_saslname(struct buf *out, const char *name)
{
    for (const char *p = name; *p != '\0'; p++) {
        int rc = *p == ',' ? buf_put_str(out, "=2C") : *p == '=' ? buf_put_str(out, "=3D") : buf_put_char(out, *p);

        if (rc != 0)
            return -1;
    }
    return 0;
}

static int put_bearer(const struct sasl_work *w, struct slice token, struct buf *out)
{
    const struct server *s = w->server;
    const char *who = s->authorize_as != NULL ? s->authorize_as : s->user != NULL ? s->user : "";

    if (w->mechanism == SASL_XOAUTH2) {
        if (buf_putf(out, "user=%s\001", who) != 0)
            return -1;
    } else {
        if (buf_put_str(out, "n,a=") != 0 || put_saslname(out, who) != 0 || buf_put_str(out, ",\001") != 0)
            return -1;
        if (s->dial.host != NULL && buf_putf(out, "host=%s\001port=%u\001", s->dial.host, (unsigned)s->dial.port) != 0)
            return -1;
    }
    if (buf_put_str(out, "auth=Bearer ") != 0 || buf_put_slice(out, token) != 0)
        return -1;
    return buf_put_str(out, "\001\001");
}

static enum sasl_step first(struct sasl_work *w, struct buf *out, struct err *e)
{
    const struct server *s = w->server;
    struct secret token = { 0 };
    enum sasl_step rc = SASL_FAILED;

    if ((s->token != NULL ? s->token(s->token_ctx, w->renew, &token, e) : s->password(s->password_ctx, &token, e)) != 0)
        goto out;
    if (!sendable(secret_get(&token)))
        err_set(e, E_CONFIG, "the access token is empty, or has a blank or another byte in it that no token has");
    else if (put_bearer(w, secret_get(&token), out) != 0)
        (void)err_nomem(e);
    else
        rc = SASL_MAY_END;
out:
    secret_release(&token);
    return rc;
}

/* RFC 7628 section 3.2.2; Google and Microsoft say "status" and "schemes" in the same way. */
static void take_words(struct sasl_work *w, struct slice challenge)
{
    json_t *o = json_loadb(challenge.p, challenge.n, 0, NULL);
    const char *status = json_string_value(json_object_get(o, "status"));
    const char *scope = json_string_value(json_object_get(o, "scope"));
    struct buf text = BUF_INIT(4 * SASL_WORDS_MAX);

    if (status != NULL &&
        buf_putf(&text, "%.100s%s%.100s", status, scope != NULL ? ", scope " : "", scope != NULL ? scope : "") == 0)
        log_printable(w->words, sizeof(w->words), buf_slice(&text));
    buf_release(&text);
    json_decref(o);
}

/* Section 3.2.3: the one answer to an error, without which the server does not say no. */
enum sasl_step sasl_bearer_step(struct sasl_work *w, const struct slice *in, struct buf *out, struct err *e)
{
    if (in == NULL)
        return first(w, out, e);
    take_words(w, *in);
    if (buf_put_char(out, '\001') != 0) {
        (void)err_nomem(e);
        return SASL_FAILED;
    }
    return SASL_DONE;
}
