/* SPDX-License-Identifier: MIT */
#include "conf/conf_int.h"

struct place {
    const char *host; /* NULL: the provider has no such server */
    uint16_t port;
    enum conf_tls tls;
};

struct conf_provider {
    const char *name;
    const char *others; /* names for it, too, with blanks in between */
    const char *title;  /* as people write it */
    struct place imap, pop3, smtp;
    bool local_part; /* the login name is what stands in front of the "@" */
    bool oauth_only; /* passwords are switched off */
    /* "TENANT" stands for oauth_tenant. */
    const char *authorize_url, *token_url, *device_url;
    const char *imap_scopes, *pop3_scopes, *smtp_scopes;
    const char *app_scopes;                                    /* with client credentials */
    const char *mechanisms;                                    /* that take its tokens */
    const char *register_at;                                   /* where one gets a client id */
    const char *note, *password_note, *oauth_note, *pop3_note; /* what a person must know */
};

static const struct conf_provider providers[] = {
#include "conf/providers.def"
};

/* The next of the words in *rest; an empty one behind the last. */
static struct slice next_word(const char **rest)
{
    size_t n = strcspn(*rest, " ");
    struct slice word = slice_make(*rest, n);

    *rest += n + ((*rest)[n] == ' ');
    return word;
}

const struct conf_provider *conf_provider_find(const char *name)
{
    struct slice word;

    for (size_t i = 0; i < ARRAY_LEN(providers); i++) {
        const char *rest = providers[i].others != NULL ? providers[i].others : "";

        if (slice_ieq(slice_str(providers[i].name), slice_str(name)))
            return &providers[i];
        while ((word = next_word(&rest)).n > 0) {
            if (slice_ieq(word, slice_str(name)))
                return &providers[i];
        }
    }
    return NULL;
}

/* Any name of a provider that is near to what was written, as its first name. */
static const char *nearest(const char *word)
{
    const char *best = NULL;

    for (size_t i = 0; i < ARRAY_LEN(providers) && best == NULL; i++) {
        const char *rest = providers[i].others != NULL ? providers[i].others : "";
        char name[80];
        const char *only = name;

        for (struct slice w = slice_str(providers[i].name); w.n > 0 && best == NULL; w = next_word(&rest)) {
            snprintf(name, sizeof(name), "%.*s", (int)w.n, w.p);
            if (conf_nearest(word, &only, 1) != NULL)
                best = providers[i].name;
        }
    }
    return best;
}

int conf_store_provider(const struct conf_value *v, const struct conf_provider **field)
{
    const char *names[ARRAY_LEN(providers)], *near, *word = v->v[0]->string;

    *field = conf_provider_find(word);
    if (*field != NULL)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(providers); i++)
        names[i] = providers[i].name;
    near = conf_nearest(word, names, ARRAY_LEN(names));
    if (near == NULL)
        near = nearest(word);
    return conf_bad(v, "\"%.80s\" is no provider known here (host and the other keys serve for any)%s%s%s", word,
                    near != NULL ? "; did you mean \"" : "", near != NULL ? near : "", near != NULL ? "\"?" : "");
}

/* ---- what was not written ---- */

static void fill_text(const struct conf_place *p, const char *key, const char *text, char **field)
{
    if (text == NULL || *field != NULL || conf_place_wrote(p, key))
        return;
    *field = strdup(text);
    if (*field == NULL)
        conf_report_nomem(p->report);
}

static void fill_words(const struct conf_place *p, const char *key, const char *words, struct conf_strings *field)
{
    if (words == NULL || conf_place_wrote(p, key))
        return;
    conf_strings_release(field);
    if (conf_scopes_add(field, words) != 0)
        conf_report_nomem(p->report);
}

static void fill_server(const struct conf_place *p, const struct conf_provider *from, struct conf_account *a)
{
    bool has_imap = from->imap.host != NULL;
    const struct place *server;
    struct conf_value v;

    if (!conf_place_wrote(p, "protocol"))
        a->protocol = has_imap ? CONF_IMAP : CONF_POP3;
    server = a->protocol == CONF_IMAP ? &from->imap : &from->pop3;
    if (server->host == NULL && a->host == NULL && !conf_place_wrote(p, "host") &&
        conf_place_find_name(p, "protocol", &v)) {
        conf_bad(&v, "%s offers no %s; take protocol = \"%s\"", from->title, a->protocol == CONF_IMAP ? "IMAP" : "POP3",
                 has_imap ? "imap" : "pop3");
        return;
    }
    fill_text(p, "host", server->host, &a->host);
    if (server->host == NULL)
        return;
    if (!conf_place_wrote(p, "tls"))
        a->tls = server->tls;
    if (a->port == 0 && a->tls == server->tls && !conf_place_wrote(p, "port"))
        a->port = server->port;
}

/* ADDRESS with each "TENANT" replaced. */
static void fill_url(const struct conf_place *p, const char *key, const char *url, const char *tenant, char **field)
{
    static const char mark[] = "TENANT";
    const char *at = url != NULL ? strstr(url, mark) : NULL;
    char *whole = NULL;

    if (at == NULL) {
        fill_text(p, key, url, field);
        return;
    }
    if (asprintf(&whole, "%.*s%s%s", (int)(at - url), url, tenant, at + strlen(mark)) < 0) {
        conf_report_nomem(p->report);
        return;
    }
    fill_text(p, key, whole, field);
    free(whole);
}

static void fill_oauth(const struct conf_place *p, const struct conf_provider *from, struct conf_account *a)
{
    struct conf_oauth *o = &a->login.oauth;
    const char *tenant = o->tenant != NULL ? o->tenant : "common";
    bool app;

    if (!conf_login_is_oauth(&a->login))
        return;
    app = o->grant == CONF_GRANT_CLIENT_CREDENTIALS;
    if (app && o->tenant == NULL && from->app_scopes != NULL && !conf_place_wrote(p, "oauth_tenant"))
        conf_place_bad(p, "oauth_tenant is missing: %s gives client credentials to one organisation's directory",
                       from->title);
    fill_url(p, "oauth_authorize_url", from->authorize_url, tenant, &o->authorize_url);
    fill_url(p, "oauth_token_url", from->token_url, tenant, &o->token_url);
    fill_url(p, "oauth_device_url", from->device_url, tenant, &o->device_url);
    fill_words(p, "oauth_scopes",
               app                        ? from->app_scopes
               : a->protocol == CONF_IMAP ? from->imap_scopes
                                          : from->pop3_scopes,
               &o->scopes);
    fill_words(p, "auth", from->mechanisms, &a->login.auth);
}

static void demand_oauth(const struct conf_place *p, const struct conf_provider *from, const struct conf_account *a)
{
    if (!from->oauth_only || a->login.oauth.client_id != NULL || conf_place_wrote(p, "oauth_client_id") ||
        conf_login_has_source(&a->login) || !conf_login_wants_password(&a->login, &a->tls_settings))
        return;
    conf_place_bad(p,
                   "oauth_client_id is missing: %s takes no passwords. You get one where you register an application "
                   "(%s); then run: mailhaul login %s",
                   from->title, from->register_at, a->name);
}

static void shorten_user(const struct conf_provider *from, struct conf_account *a)
{
    char *at = a->login.user != NULL && from->local_part ? strrchr(a->login.user, '@') : NULL;

    if (at != NULL && at != a->login.user)
        *at = '\0';
}

void conf_provider_fill(const struct conf_place *p, struct conf_account *a)
{
    const struct conf_provider *from = a->provider;

    if (from == NULL)
        return;
    fill_server(p, from, a);
    fill_oauth(p, from, a);
    demand_oauth(p, from, a);
    shorten_user(from, a);
}

/* ---- what a person should know ---- */

void conf_note(const struct conf_account *a, char *out, size_t size)
{
    const struct conf_provider *from = a->provider;
    const char *said[4];
    size_t n = 0, at = 0;

    out[0] = '\0';
    if (from == NULL)
        return;
    said[n++] = from->note;
    said[n++] = conf_login_sends_password(&a->login) ? from->password_note : NULL;
    said[n++] = conf_login_is_oauth(&a->login) ? from->oauth_note : NULL;
    said[n++] = a->protocol == CONF_POP3 ? from->pop3_note : NULL;
    for (size_t i = 0; i < n && at < size; i++) {
        if (said[i] != NULL)
            at += (size_t)snprintf(out + at, size - at, "%s%s%s", at == 0 ? from->title : "", at == 0 ? ": " : "; ",
                                   said[i]);
    }
}

/* Its servers may have been written by hand. */
static const struct conf_provider *provider_of(const struct conf_account *a)
{
    if (a->provider != NULL || a->host == NULL)
        return a->provider;
    for (size_t i = 0; i < ARRAY_LEN(providers); i++) {
        const struct place *server = a->protocol == CONF_IMAP ? &providers[i].imap : &providers[i].pop3;

        if (server->host != NULL && slice_ieq(slice_str(server->host), slice_str(a->host)))
            return &providers[i];
    }
    return NULL;
}

void conf_warning(const struct conf_account *a, char *out, size_t size)
{
    const struct conf_provider *from = provider_of(a);

    out[0] = '\0';
    if (from != NULL && from->oauth_only && conf_login_sends_password(&a->login))
        snprintf(out, size,
                 "%s takes no passwords any more, app passwords neither, so this login will be refused: set "
                 "oauth_client_id and run: mailhaul login %s",
                 from->title, a->name);
}
