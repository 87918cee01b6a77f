/* SPDX-License-Identifier: MIT */
#include "proto/oauth2.h"

#include <stdio.h>
#include <sys/random.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/digest.h"
#include "net/https.h"
#include "wire/base64.h"
#include "wire/form.h"

enum {
    ANSWER_MAX = 256 * 1024,
    FORM_MAX = 64 * 1024,
    USUAL_LIFE_S = 3600,
    /* Nobody's token lives a year, and nobody's refresh token ten. */
    LIFE_MAX_S = 366 * 86400,
    REFRESH_LIFE_MAX_S = 10 * LIFE_MAX_S / 2,
    RANDOM_BYTES = 32,
    DEVICE_INTERVAL_S = 5,
    DEVICE_INTERVAL_MAX_S = 300,
    DEVICE_LIFE_S = 900,
    DESCRIPTION_MAX = 512,
};

void oauth2_tokens_release(struct oauth2_tokens *t)
{
    secret_release(&t->access);
    secret_release(&t->refresh);
}

void oauth2_device_release(struct oauth2_device *d)
{
    secret_release(&d->code);
}

/* --- the endpoint --- */

struct form {
    struct buf text; /* secret */
    bool failed;
};

static void form_begin(struct form *f)
{
    *f = (struct form){ .text = BUF_INIT(FORM_MAX) };
    /* At once as large as it may get, so that no copy is left behind as it grows. */
    f->failed = buf_reserve(&f->text, FORM_MAX) != 0;
}

static void field(struct form *f, const char *name, struct slice value)
{
    f->failed |= form_put(&f->text, name, value) != 0;
}

static void field_str(struct form *f, const char *name, const char *value)
{
    field(f, name, slice_str(value));
}

static void field_scopes(struct form *f, const struct oauth2_client *c)
{
    struct buf all = BUF_INIT(8192);

    for (size_t i = 0; c->scopes != NULL && c->scopes[i] != NULL; i++)
        f->failed |= buf_putf(&all, "%s%s", i > 0 ? " " : "", c->scopes[i]) != 0;
    if (all.len > 0)
        field(f, "scope", buf_slice(&all));
    buf_release(&all);
}

static void field_client(struct form *f, const struct oauth2_client *c)
{
    field_str(f, "client_id", c->id);
    if (c->secret != NULL && secret_is_set(c->secret))
        field(f, "client_secret", secret_get(c->secret));
}

static void form_release(struct form *f)
{
    buf_wipe(&f->text);
    buf_release(&f->text);
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s != NULL ? s : "";
}

/* Some providers write numbers as texts. -1: none. */
static int64_t seconds_of(const json_t *o, const char *key, int64_t most)
{
    const json_t *v = json_object_get(o, key);
    double n = json_is_string(v) ? strtod(json_string_value(v), NULL) : json_is_number(v) ? json_number_value(v) : -1;

    if (!(n >= 0))
        return -1;
    return n > (double)most ? most : (int64_t)n;
}

static int refused(const struct oauth2_client *c, const char *url, const struct https_response *r, const json_t *o,
                   struct err *e)
{
    char error[64], said[DESCRIPTION_MAX];
    const char *what = text_of(o, "error"), *description = text_of(o, "error_description");

    log_printable(error, sizeof(error), slice_str(what));
    log_printable(said, sizeof(said), slice_str(description[0] != '\0' ? description : what));
    if (r->status >= 500 || r->status == 429 || strcmp(error, "temporarily_unavailable") == 0)
        err_set(e, E_BUSY, "%s cannot answer now (HTTP status %u)", url, r->status);
    else if (error[0] == '\0')
        err_set(e, E_PROTO, "%s gives no answer of OAuth 2.0 (HTTP status %u); is the address right?", url, r->status);
    else
        err_set(e, E_AUTH, "the provider gives no access (%s): %s; to log in: mailhaul login %s", error,
                oauth2_advice(error, said), c->account);
    return err_peer(e, slice_str(said));
}

/* *answer_out is an object, to be given back with json_decref(); also of a refusal that is one of `but`'s. */
static int ask(const struct oauth2_client *c, const char *url, struct form *f, bool (*but)(const char *error),
               json_t **answer_out, struct err *e)
{
    struct https_response r = { .status = 0 };
    json_t *o = NULL;
    int rc = -1;

    *answer_out = NULL;
    if (f->failed) {
        (void)err_nomem(e);
        goto out;
    }
    if (https_post(url, buf_slice(&f->text), ANSWER_MAX, &r, e) != 0)
        goto out;
    o = json_loadb(buf_cstr(&r.body), r.body.len, JSON_REJECT_DUPLICATES, NULL);
    if (r.status / 100 != 2 && !(but != NULL && but(text_of(o, "error")))) {
        (void)refused(c, url, &r, o, e);
        goto out;
    }
    if (!json_is_object(o)) {
        err_set(e, E_PROTO, "%s answers with something that is no JSON object", url);
        goto out;
    }
    *answer_out = o;
    o = NULL;
    rc = 0;
out:
    json_decref(o);
    https_release(&r);
    form_release(f);
    return rc;
}

static int take_tokens(const struct oauth2_client *c, const json_t *o, struct oauth2_tokens *out, struct err *e)
{
    const char *access = text_of(o, "access_token"), *refresh = text_of(o, "refresh_token"),
               *type = text_of(o, "token_type");
    int64_t life = seconds_of(o, "expires_in", LIFE_MAX_S), now = clock_wall();
    int64_t refresh_life = seconds_of(o, "refresh_token_expires_in", REFRESH_LIFE_MAX_S);

    *out = (struct oauth2_tokens){ .expires = now + (life >= 0 ? life : USUAL_LIFE_S),
                                   .refresh_expires = refresh_life > 0 ? now + refresh_life : 0 };
    if (access[0] == '\0')
        return err_set(e, E_PROTO, "%s gives no access token", c->token_url);
    if (type[0] != '\0' && !slice_ieq(slice_str(type), SLICE("bearer")))
        return err_set(e, E_PROTO, "%s gives a token of a type that is not known here", c->token_url);
    if (secret_set(&out->access, slice_str(access)) == 0 &&
        (refresh[0] == '\0' || secret_set(&out->refresh, slice_str(refresh)) == 0))
        return 0;
    oauth2_tokens_release(out);
    return err_set(e, E_PROTO, "%s gives a token of more than %d bytes", c->token_url, SECRET_MAX);
}

static int get_tokens(const struct oauth2_client *c, struct form *f, struct oauth2_tokens *out, struct err *e)
{
    json_t *o = NULL;
    int rc;

    *out = (struct oauth2_tokens){ .expires = 0 };
    if (ask(c, c->token_url, f, NULL, &o, e) != 0)
        return -1;
    rc = take_tokens(c, o, out, e);
    json_decref(o);
    return rc;
}

int oauth2_refresh(const struct oauth2_client *c, const struct secret *refresh, struct oauth2_tokens *out,
                   struct err *e)
{
    struct form f;

    form_begin(&f);
    field_str(&f, "grant_type", "refresh_token");
    field(&f, "refresh_token", secret_get(refresh));
    field_client(&f, c);
    return get_tokens(c, &f, out, e);
}

int oauth2_client_credentials(const struct oauth2_client *c, struct oauth2_tokens *out, struct err *e)
{
    struct form f;

    form_begin(&f);
    field_str(&f, "grant_type", "client_credentials");
    field_scopes(&f, c);
    field_client(&f, c);
    return get_tokens(c, &f, out, e);
}

/* --- authorization code --- */

/* RFC 4648 section 5, without padding. */
static int base64url(struct slice in, char out[OAUTH2_PROOF_MAX])
{
    struct buf text = BUF_INIT(2 * OAUTH2_PROOF_MAX);
    size_t n = 0;

    if (base64_encode(in, &text) != 0 || buf_reserve(&text, 1) != 0) {
        buf_release(&text);
        return -1;
    }
    for (size_t i = 0; i < text.len && text.p[i] != '=' && n + 1 < OAUTH2_PROOF_MAX; i++)
        out[n++] = (char)(text.p[i] == '+' ? '-' : text.p[i] == '/' ? '_' : text.p[i]);
    out[n] = '\0';
    buf_wipe(&text);
    buf_release(&text);
    return 0;
}

static int random_text(char out[OAUTH2_PROOF_MAX], struct err *e)
{
    char bytes[RANDOM_BYTES];
    int rc;

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return err_sys(e, E_NOMEM, errno, "no random numbers");
    rc = base64url(slice_make(bytes, sizeof(bytes)), out);
    explicit_bzero(bytes, sizeof(bytes));
    return rc == 0 ? 0 : err_nomem(e);
}

int oauth2_proof_new(struct oauth2_proof *out, struct err *e)
{
    unsigned char sum[DIGEST_SIZE];
    struct digest d = { .ctx = NULL };
    int rc = -1;

    if (random_text(out->verifier, e) != 0 || random_text(out->state, e) != 0 || digest_init(&d, e) != 0)
        return -1;
    if (digest_start(&d, e) == 0) {
        digest_add(&d, slice_str(out->verifier));
        digest_finish(&d, sum);
        rc = base64url(slice_make((const char *)sum, sizeof(sum)), out->challenge) == 0 ? 0 : err_nomem(e);
    }
    digest_release(&d);
    return rc;
}

int oauth2_authorize_url(const struct oauth2_client *c, const char *redirect_uri, const struct oauth2_proof *proof,
                         struct buf *out, struct err *e)
{
    struct form f;
    int rc;

    form_begin(&f);
    field_str(&f, "response_type", "code");
    field_str(&f, "client_id", c->id);
    field_str(&f, "redirect_uri", redirect_uri);
    field_scopes(&f, c);
    field_str(&f, "state", proof->state);
    field_str(&f, "code_challenge", proof->challenge);
    field_str(&f, "code_challenge_method", "S256");
    /* Google gives a refresh token only when asked like this; others overlook it. */
    field_str(&f, "access_type", "offline");
    field_str(&f, "prompt", "consent");
    if (c->login_hint != NULL)
        field_str(&f, "login_hint", c->login_hint);
    rc = f.failed || buf_putf(out, "%s%s%s", c->authorize_url, strchr(c->authorize_url, '?') != NULL ? "&" : "?",
                              buf_cstr(&f.text)) != 0
             ? err_nomem(e)
             : 0;
    form_release(&f);
    return rc;
}

/* However much of it is right, it takes as long. */
static bool same(struct slice a, struct slice b)
{
    unsigned char differs = 0;

    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        differs |= (unsigned char)(a.p[i] ^ b.p[i]);
    return differs == 0;
}

/* "https://login.example.org" of an address. */
static struct slice origin(struct slice url)
{
    static const struct slice scheme = SLICE("https://");
    const char *slash;

    if (!slice_istarts(url, scheme))
        return url;
    slash = memchr(url.p + scheme.n, '/', url.n - scheme.n);
    return slash != NULL ? slice_make(url.p, (size_t)(slash - url.p)) : url;
}

static enum oauth2_answer denied(const struct oauth2_client *c, const struct buf *error, struct slice query,
                                 struct err *e)
{
    struct buf description = BUF_INIT(DESCRIPTION_MAX);
    char what[64], said[DESCRIPTION_MAX];

    (void)form_get(query, "error_description", &description);
    log_printable(what, sizeof(what), buf_slice(error));
    log_printable(said, sizeof(said), buf_slice(&description));
    err_set(e, E_AUTH, "the provider gives no access (%s): %s; to log in: mailhaul login %s", what,
            oauth2_advice(what, said), c->account);
    (void)err_peer(e, slice_str(said));
    buf_release(&description);
    return OAUTH2_DENIED;
}

enum oauth2_answer oauth2_redirected(const struct oauth2_client *c, const struct oauth2_proof *proof,
                                     struct slice query, struct secret *code_out, struct err *e)
{
    struct buf state = BUF_INIT(256), issuer = BUF_INIT(1024), code = BUF_INIT(SECRET_MAX), error = BUF_INIT(256);
    enum oauth2_answer answer = OAUTH2_NOT_OURS;

    if (!form_get(query, "state", &state) || !same(buf_slice(&state), slice_str(proof->state)))
        goto out;
    answer = OAUTH2_DENIED;
    if (form_get(query, "iss", &issuer) &&
        !slice_ieq(origin(buf_slice(&issuer)), origin(slice_str(c->authorize_url)))) {
        err_set(e, E_TLS, "the browser came back from another provider than the one it was sent to; nothing was kept");
    } else if (form_get(query, "error", &error)) {
        answer = denied(c, &error, query, e);
    } else if (!form_get(query, "code", &code) || code.len == 0) {
        err_set(e, E_PROTO, "the browser came back without a code");
    } else if (secret_set(code_out, buf_slice(&code)) != 0) {
        (void)err_nomem(e);
    } else {
        answer = OAUTH2_CODE;
    }
out:
    buf_wipe(&code);
    buf_release(&code);
    buf_release(&state);
    buf_release(&issuer);
    buf_release(&error);
    return answer;
}

int oauth2_exchange(const struct oauth2_client *c, const char *redirect_uri, const struct oauth2_proof *proof,
                    const struct secret *code, struct oauth2_tokens *out, struct err *e)
{
    struct form f;

    form_begin(&f);
    field_str(&f, "grant_type", "authorization_code");
    field(&f, "code", secret_get(code));
    field_str(&f, "redirect_uri", redirect_uri);
    field_str(&f, "code_verifier", proof->verifier);
    field_client(&f, c);
    return get_tokens(c, &f, out, e);
}

/* --- device code --- */

static bool is_https(const char *text)
{
    return slice_istarts(slice_str(text), SLICE("https://"));
}

int oauth2_device_begin(const struct oauth2_client *c, struct oauth2_device *out, struct err *e)
{
    const char *code, *address, *complete;
    int64_t interval, life;
    json_t *o = NULL;
    struct form f;
    int rc = -1;

    *out = (struct oauth2_device){ .interval_s = DEVICE_INTERVAL_S };
    form_begin(&f);
    field_client(&f, c);
    field_scopes(&f, c);
    if (ask(c, c->device_url, &f, NULL, &o, e) != 0)
        return -1;
    code = text_of(o, "device_code");
    /* Google's name for it is older than the standard. */
    address =
        text_of(o, "verification_uri")[0] != '\0' ? text_of(o, "verification_uri") : text_of(o, "verification_url");
    complete = text_of(o, "verification_uri_complete");
    interval = seconds_of(o, "interval", DEVICE_INTERVAL_MAX_S);
    life = seconds_of(o, "expires_in", LIFE_MAX_S);
    log_printable(out->user_code, sizeof(out->user_code), slice_str(text_of(o, "user_code")));
    log_printable(out->address, sizeof(out->address), slice_str(address));
    if (is_https(complete))
        log_printable(out->address_complete, sizeof(out->address_complete), slice_str(complete));
    if (interval > 0)
        out->interval_s = (unsigned)interval;
    out->expires = clock_mono_ms() + (life > 0 ? life : DEVICE_LIFE_S) * 1000;
    if (code[0] == '\0' || out->user_code[0] == '\0' || !is_https(address) ||
        secret_set(&out->code, slice_str(code)) != 0)
        err_set(e, E_PROTO, "%s gives no code and address that could be shown", c->device_url);
    else
        rc = 0;
    json_decref(o);
    return rc;
}

static bool not_yet(const char *error)
{
    return strcmp(error, "authorization_pending") == 0 || strcmp(error, "slow_down") == 0;
}

/* RFC 8628 section 3.5. */
int oauth2_device_poll(const struct oauth2_client *c, struct oauth2_device *d, bool *done_out,
                       struct oauth2_tokens *out, struct err *e)
{
    json_t *o = NULL;
    struct form f;
    int rc = 0;

    *done_out = false;
    *out = (struct oauth2_tokens){ .expires = 0 };
    form_begin(&f);
    field_str(&f, "grant_type", "urn:ietf:params:oauth:grant-type:device_code");
    field(&f, "device_code", secret_get(&d->code));
    field_client(&f, c);
    if (ask(c, c->token_url, &f, not_yet, &o, e) != 0)
        return -1;
    if (strcmp(text_of(o, "error"), "slow_down") == 0 && d->interval_s < DEVICE_INTERVAL_MAX_S)
        d->interval_s += DEVICE_INTERVAL_S;
    if (!not_yet(text_of(o, "error"))) {
        rc = take_tokens(c, o, out, e);
        *done_out = rc == 0;
    }
    json_decref(o);
    return rc;
}
