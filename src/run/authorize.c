/* SPDX-License-Identifier: MIT */
#include "run/authorize.h"

#include <poll.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/step.h"
#include "base/stop.h"
#include "run/login_file.h"
#include "store/lock.h"

enum {
    FILE_MAX = 64 * 1024,
    EARLY_S = 300,
    /* A server that refuses good tokens, and a provider that refuses to renew, are not asked more often than this. */
    INSIST_S = 3600,
    LOCK_WAIT_MS = 60 * 1000,
    LOCK_LOOK_MS = 100,
};

/* As the file holds it. */
struct kept {
    struct oauth2_tokens tokens; /* access not set: there is none */
    int64_t obtained;            /* the authorization, not the token */
    int64_t got;                 /* the token */
    int64_t insisted;            /* a server refused the token and a new one was got; 0: never */
    int64_t refused;             /* the provider refused to renew; 0: not */
    char client_id[512];
};

static void kept_release(struct kept *k)
{
    oauth2_tokens_release(&k->tokens);
}

/* --- the file --- */

static int64_t number_of(const json_t *o, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(o, key));

    return n > 0 ? (int64_t)n : 0;
}

static void take_secret(const json_t *o, const char *key, struct secret *out)
{
    const char *s = json_string_value(json_object_get(o, key));

    if (s != NULL && s[0] != '\0' && secret_set(out, slice_str(s)) != 0)
        secret_release(out);
}

/* What another client id got is of no use to this one. */
static int read_kept(const struct login_file *f, const struct conf_login *l, struct kept *out, struct err *e)
{
    struct buf text = BUF_INIT(FILE_MAX);
    json_t *o = NULL;
    int rc = login_file_read(f, &text, e);

    *out = (struct kept){ .obtained = 0 };
    if (rc != 0 || text.len == 0)
        goto out;
    o = json_loadb(buf_cstr(&text), text.len, 0, NULL);
    snprintf(out->client_id, sizeof(out->client_id), "%s",
             json_is_string(json_object_get(o, "client_id")) ? json_string_value(json_object_get(o, "client_id")) : "");
    if (strcmp(out->client_id, l->oauth.client_id) != 0)
        goto out;
    take_secret(o, "access", &out->tokens.access);
    take_secret(o, "refresh", &out->tokens.refresh);
    out->tokens.expires = number_of(o, "expires");
    out->tokens.refresh_expires = number_of(o, "refresh_expires");
    out->obtained = number_of(o, "obtained");
    out->got = number_of(o, "got");
    out->insisted = number_of(o, "insisted");
    out->refused = number_of(o, "refused");
out:
    json_decref(o);
    buf_wipe(&text);
    buf_release(&text);
    return rc;
}

static json_t *secret_text(const struct secret *s)
{
    struct slice v = secret_get(s);

    return json_stringn(v.n > 0 ? v.p : "", v.n);
}

static int write_kept(const struct login_file *f, const struct conf_login *l, const struct kept *k, struct err *e)
{
    json_t *o = json_pack("{s:s, s:o, s:I, s:o, s:I, s:I, s:I, s:I, s:I}", "client_id", l->oauth.client_id, "access",
                          secret_text(&k->tokens.access), "expires", (json_int_t)k->tokens.expires, "refresh",
                          secret_text(&k->tokens.refresh), "refresh_expires", (json_int_t)k->tokens.refresh_expires,
                          "obtained", (json_int_t)k->obtained, "got", (json_int_t)k->got, "insisted",
                          (json_int_t)k->insisted, "refused", (json_int_t)k->refused);
    char *text = o != NULL ? json_dumps(o, JSON_INDENT(1)) : NULL;
    int rc = -1;

    if (text == NULL) {
        (void)err_nomem(e);
    } else {
        rc = login_file_write(f, slice_str(text), true, e);
        explicit_bzero(text, strlen(text));
    }
    free(text);
    json_decref(o);
    step("oauth.kept");
    return rc;
}

/* --- renewing --- */

static int lock_wait(struct lock *lock, const struct login_file *f, struct err *e)
{
    struct buf name = BUF_INIT(8192);
    int64_t until = clock_mono_ms() + LOCK_WAIT_MS;
    int rc = -1;

    if (buf_putf(&name, "%s.lock", buf_cstr(&f->name)) != 0) {
        (void)err_nomem(e);
        goto out;
    }
    while ((rc = lock_take(lock, f->dir, buf_cstr(&name), false, e)) != 0 && e->code == E_LOCKED &&
           clock_mono_ms() < until) {
        struct pollfd stop = { .fd = stop_fd(), .events = POLLIN };

        /* flock() tells nobody that it is free. */
        (void)poll(&stop, 1, LOCK_LOOK_MS);
        if (stop_requested() != 0) {
            rc = err_set(e, E_STOPPED, "stopped");
            break;
        }
    }
out:
    buf_release(&name);
    return rc;
}

static int not_there(const struct conf_login *l, struct err *e)
{
    return err_set(e, E_AUTH, "there is no authorization yet: mailhaul login %s", l->account);
}

static int get_new(const struct oauth2_client *c, const struct conf_login *l, const struct kept *k,
                   struct oauth2_tokens *out, struct err *e)
{
    if (l->oauth.grant == CONF_GRANT_CLIENT_CREDENTIALS)
        return oauth2_client_credentials(c, out, e);
    if (!secret_is_set(&k->tokens.refresh))
        return err_set(e, E_AUTH,
                       "the authorization has ended, and the provider gave nothing to renew it with: mailhaul login %s "
                       "(with Microsoft \"offline_access\" belongs to oauth_scopes)",
                       c->account);
    return oauth2_refresh(c, &k->tokens.refresh, out, e);
}

/* A provider that gives no new refresh token means the old one to be used on. */
static int take_over(struct kept *k, struct oauth2_tokens *fresh, struct err *e)
{
    if (!secret_is_set(&fresh->refresh)) {
        if (secret_is_set(&k->tokens.refresh) && secret_set(&fresh->refresh, secret_get(&k->tokens.refresh)) != 0)
            return err_nomem(e);
        fresh->refresh_expires = k->tokens.refresh_expires;
    }
    oauth2_tokens_release(&k->tokens);
    k->tokens = *fresh;
    *fresh = (struct oauth2_tokens){ .expires = 0 };
    return 0;
}

/* Under the lock. */
static int renew_now(const struct conf_login *l, const struct login_file *f, struct kept *k, bool insist, struct err *e)
{
    struct oauth2_client c = authorize_client(l);
    struct oauth2_tokens fresh = { .expires = 0 };
    int64_t now = clock_wall();
    int rc = -1;

    if (k->refused != 0 && now - k->refused < INSIST_S && now >= k->refused)
        return err_set(e, E_AUTH, "the provider has ended the authorization: mailhaul login %s", l->account);
    /* Where the disk is full, or gone, the provider must not be asked: what it gives in exchange for the refresh token
     * would be lost. */
    if (secret_is_set(&k->tokens.refresh) && write_kept(f, l, k, e) != 0)
        goto out;
    if (get_new(&c, l, k, &fresh, e) != 0) {
        struct err ignored;

        if (e->code == E_AUTH) {
            k->refused = now;
            (void)!write_kept(f, l, k, &ignored);
        }
        goto out;
    }
    if (take_over(k, &fresh, e) != 0)
        goto out;
    k->refused = 0;
    k->got = now;
    if (insist)
        k->insisted = now;
    if (k->obtained == 0)
        k->obtained = now;
    rc = write_kept(f, l, k, e);
out:
    oauth2_tokens_release(&fresh);
    return rc;
}

static bool good_for(const struct kept *k, int64_t seconds)
{
    return secret_is_set(&k->tokens.access) && k->tokens.expires - clock_wall() > seconds;
}

/* Tokens that live for some minutes only are not renewed at each pass. */
static bool is_fresh(const struct kept *k)
{
    int64_t quarter = (k->tokens.expires - k->got) / 4;

    return good_for(k, quarter > 0 && quarter < EARLY_S ? quarter : EARLY_S);
}

static bool same_token(const struct kept *a, const struct kept *b)
{
    return slice_eq(secret_get(&a->tokens.access), secret_get(&b->tokens.access));
}

static int renew(const struct conf_login *l, const struct login_file *f, struct kept *k, bool insist, struct err *e)
{
    struct kept now = { .obtained = 0 };
    struct lock lock = LOCK_INIT;
    int rc = -1;

    if (lock_wait(&lock, f, e) != 0)
        goto out;
    if (read_kept(f, l, &now, e) != 0)
        goto out;
    /* Somebody else did it meanwhile. */
    rc = 0;
    if (!(is_fresh(&now) && (!insist || !same_token(k, &now))))
        rc = renew_now(l, f, &now, insist, e);
    /* What is good for some minutes yet serves while the provider cannot be reached. */
    if (rc != 0 && !insist && e->code != E_STOPPED && good_for(&now, 0)) {
        log_warn("the access token could not be renewed, and is used for as long as it lives: %s", e->text);
        rc = 0;
    }
    kept_release(k);
    *k = now;
    now = (struct kept){ .obtained = 0 };
out:
    kept_release(&now);
    lock_release(&lock);
    return rc;
}

static int get_token(const struct conf_login *l, bool insist, struct secret *out, struct err *e)
{
    struct login_file f = LOGIN_FILE_INIT;
    struct kept k = { .obtained = 0 };
    int64_t now = clock_wall();
    int rc = -1;

    if (login_file_open(&f, l, ".oauth", e) != 0 || read_kept(&f, l, &k, e) != 0)
        goto out;
    if (!secret_is_set(&k.tokens.access) && l->oauth.grant != CONF_GRANT_CLIENT_CREDENTIALS) {
        (void)not_there(l, e);
        goto out;
    }
    if (insist && now >= k.insisted && now - k.insisted < INSIST_S) {
        err_set(e, E_AUTH,
                "the server refuses tokens that the provider has just given: is the user right, and may it "
                "be reached by this protocol?");
        goto out;
    }
    if ((insist || !is_fresh(&k)) && renew(l, &f, &k, insist, e) != 0)
        goto out;
    rc = secret_set(out, secret_get(&k.tokens.access)) == 0 ? 0 : err_nomem(e);
out:
    kept_release(&k);
    login_file_release(&f);
    return rc;
}

/* --- for others --- */

struct oauth2_client authorize_client(const struct conf_login *login)
{
    const struct conf_oauth *o = &login->oauth;

    return (struct oauth2_client){ .account = login->account,
                                   .id = o->client_id,
                                   .secret = &o->client_secret,
                                   .scopes = (const char *const *)o->scopes.v,
                                   .authorize_url = o->authorize_url,
                                   .token_url = o->token_url,
                                   .device_url = o->device_url,
                                   .login_hint = login->user };
}

int authorize_keep(const struct conf_login *login, const struct oauth2_tokens *tokens, struct err *e)
{
    struct login_file f = LOGIN_FILE_INIT;
    struct lock lock = LOCK_INIT;
    struct kept k = { .tokens = *tokens, .obtained = clock_wall(), .got = clock_wall() };
    int rc = -1;

    if (login_file_open(&f, login, ".oauth", e) == 0 && lock_wait(&lock, &f, e) == 0)
        rc = write_kept(&f, login, &k, e);
    lock_release(&lock);
    login_file_release(&f);
    return rc;
}

void authorize_look(const struct conf_login *login, struct authorization *out)
{
    struct login_file f = LOGIN_FILE_INIT;
    struct kept k = { .obtained = 0 };
    struct err e;

    *out = (struct authorization){ .wanted = conf_login_is_oauth(login) &&
                                             login->oauth.grant != CONF_GRANT_CLIENT_CREDENTIALS };
    if (out->wanted && login_file_open(&f, login, ".oauth", &e) == 0 && read_kept(&f, login, &k, &e) == 0) {
        out->there = secret_is_set(&k.tokens.access);
        out->renews = secret_is_set(&k.tokens.refresh);
        out->refused = k.refused != 0;
        out->obtained = k.obtained;
        out->ends = out->renews ? k.tokens.refresh_expires : k.tokens.expires;
    }
    kept_release(&k);
    login_file_release(&f);
}

static int token(void *ctx, bool renew_it, struct secret *out, struct err *e)
{
    int rc = get_token(ctx, renew_it, out, e);

    if (rc == 0)
        log_hide(secret_get(out));
    return rc;
}

void authorize_use(struct server *s, const struct conf_login *login)
{
    if (!conf_login_is_oauth(login))
        return;
    s->token = token;
    s->token_ctx = (void *)(uintptr_t)login;
}
