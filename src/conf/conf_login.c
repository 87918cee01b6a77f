/* SPDX-License-Identifier: MIT */
#include "conf/conf_int.h"

/* What a mechanism asks of the rest of the login. */
enum need {
    NEEDS_POP3 = 1,
    NEEDS_TLS = 2,
    NEEDS_CERTIFICATE = 4,
    NEEDS_TOKEN = 8,
    NEEDS_PASSWORD = 16,
};

static const struct mechanism {
    const char *name;
    unsigned needs;
} mechanisms[] = {
    { "auto", NEEDS_PASSWORD },
    { "external", NEEDS_TLS | NEEDS_CERTIFICATE },
    { "scram-sha-256-plus", NEEDS_TLS | NEEDS_PASSWORD },
    { "scram-sha-1-plus", NEEDS_TLS | NEEDS_PASSWORD },
    { "scram-sha-256", NEEDS_PASSWORD },
    { "scram-sha-1", NEEDS_PASSWORD },
    { "plain", NEEDS_PASSWORD },
    { "login", NEEDS_PASSWORD },
    { "user", NEEDS_PASSWORD | NEEDS_POP3 },
    { "cram-md5", NEEDS_PASSWORD },
    { "apop", NEEDS_PASSWORD | NEEDS_POP3 },
    { "gssapi", 0 },
    { "oauthbearer", NEEDS_TOKEN },
    { "xoauth2", NEEDS_TOKEN },
};

static const struct mechanism *find_mechanism(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++) {
        if (slice_ieq(slice_str(mechanisms[i].name), slice_str(name)))
            return &mechanisms[i];
    }
    return NULL;
}

static unsigned needs_of(const struct conf_login *l)
{
    unsigned all = 0;

    for (size_t i = 0; i < l->auth.n; i++) {
        const struct mechanism *m = find_mechanism(l->auth.v[i]);

        all |= m != NULL ? m->needs : 0;
    }
    return all;
}

static bool names(const struct conf_login *l, const char *mechanism)
{
    for (size_t i = 0; i < l->auth.n; i++) {
        if (strcmp(l->auth.v[i], mechanism) == 0)
            return true;
    }
    return false;
}

bool conf_login_is_oauth(const struct conf_login *l)
{
    return l->oauth.client_id != NULL && (names(l, "auto") || (needs_of(l) & NEEDS_TOKEN) != 0);
}

bool conf_login_sends_password(const struct conf_login *l)
{
    return !conf_login_is_oauth(l) && (needs_of(l) & (NEEDS_PASSWORD | NEEDS_TOKEN)) == NEEDS_PASSWORD;
}

bool conf_login_wants_password(const struct conf_login *l, const struct conf_tls_settings *tls)
{
    bool by_certificate = names(l, "auto") && tls->cert_file != NULL && !conf_login_has_source(l);

    return !conf_login_is_oauth(l) && !by_certificate && (needs_of(l) & NEEDS_PASSWORD) != 0;
}

/* ---- values ---- */

int conf_check_auth(const struct conf_value *v, const char *word)
{
    static const char ntlm[] = "ntlm", digest[] = "digest-md5";
    struct conf_choice known[ARRAY_LEN(mechanisms) + 1] = { { NULL, 0, false } };

    if (find_mechanism(word) != NULL)
        return 0;
    if (slice_ieq(slice_str(word), slice_str(ntlm)))
        return conf_bad(v,
                        "NTLM is not supported, now or later: it rests on DES and MD4, and its answers can be handed "
                        "on to another server; use gssapi, or plain inside TLS");
    if (slice_ieq(slice_str(word), slice_str(digest)))
        return conf_bad(v, "DIGEST-MD5 is not supported, now or later: RFC 6331 has moved it to history; use "
                           "scram-sha-256, or plain inside TLS");
    for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++)
        known[i].name = mechanisms[i].name;
    return conf_value_unknown(v, word, known);
}

/* RFC 6749, 3.3: the characters of a scope; a list of them is separated by blanks. */
static bool is_scope(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '"' || s.p[i] == '\\')
            return false;
    }
    return s.n > 0;
}

static struct slice next_scope(struct slice *s)
{
    struct slice word;
    size_t n = 0;

    while (s->n > 0 && s->p[0] == ' ')
        *s = slice_from(*s, 1);
    while (n < s->n && s->p[n] != ' ')
        n++;
    word = slice_make(s->p, n);
    *s = slice_from(*s, n);
    return word;
}

int conf_scopes_add(struct conf_strings *to, const char *text)
{
    struct slice rest = slice_str(text), word;

    while ((word = next_scope(&rest)).n > 0) {
        char **more = reallocarray(to->v, to->n + 2, sizeof(*more));

        if (more == NULL)
            return -1;
        to->v = more;
        to->v[to->n + 1] = NULL;
        to->v[to->n] = slice_dup(word);
        if (to->v[to->n] == NULL)
            return -1;
        to->n++;
    }
    return 0;
}

int conf_store_scopes(const struct conf_value *v, struct conf_strings *field)
{
    conf_strings_release(field);
    for (size_t i = 0; i < v->n; i++) {
        struct slice rest = slice_str(v->v[i]->string), word;

        while ((word = next_scope(&rest)).n > 0) {
            if (!is_scope(word))
                return conf_bad(v, "\"%.80s\" holds a character that no scope has", v->v[i]->string);
        }
        if (conf_scopes_add(field, v->v[i]->string) != 0)
            return conf_report_nomem(v->report);
    }
    return field->n > 0 ? 0 : conf_bad(v, "the list is empty");
}

/* What goes to these addresses are the client's secret and the tokens. */
int conf_check_url(const struct conf_value *v, const char *url)
{
    struct slice rest = slice_str(url), host;
    size_t n = 0;

    if (slice_istarts(rest, SLICE("http://")))
        return conf_bad(v, "http:// would carry tokens and secrets in clear; only https:// is taken");
    if (!slice_istarts(rest, SLICE("https://")))
        return conf_bad(v, "\"%.80s\" does not begin with https://", url);
    rest = slice_from(rest, 8);
    for (size_t i = 0; i < rest.n; i++) {
        if (rest.p[i] <= ' ' || rest.p[i] > '~')
            return conf_bad(v, "the address holds a blank, or a character that is not ASCII");
    }
    while (n < rest.n && strchr("/?#", rest.p[n]) == NULL)
        n++;
    host = slice_make(rest.p, n);
    if (host.n == 0 || host.p[0] == ':')
        return conf_bad(v, "the host is missing behind https://");
    if (memchr(host.p, '@', host.n) != NULL)
        return conf_bad(v, "a user or password in the address is sent nowhere; oauth_client_id and "
                           "oauth_client_secret are the keys for them");
    if (memchr(rest.p, '#', rest.n) != NULL)
        return conf_bad(v, "the address has a fragment (\"#\"), which RFC 6749 forbids");
    return 0;
}

/* It becomes a part of addresses. */
int conf_check_tenant(const struct conf_value *v, const char *tenant)
{
    for (const char *p = tenant; *p != '\0'; p++) {
        bool letter = ascii_isdigit(*p) || (ascii_lower(*p) >= 'a' && ascii_lower(*p) <= 'z');

        if (!letter && strchr("-._", *p) == NULL)
            return conf_bad(v, "\"%.80s\" is neither a directory's id nor its domain", tenant);
    }
    return tenant[0] != '\0' ? 0 : conf_bad(v, "the value is empty");
}

/* ---- the login as a whole ---- */

static void check_mechanism(const struct conf_login_draft *d, const struct conf_value *v, const struct mechanism *m)
{
    const struct conf_login *l = d->login;

    if ((m->needs & NEEDS_POP3) != 0 && !d->pop3)
        conf_bad(v, "\"%s\" is a login of POP3 alone; plain, login or scram-sha-256 are for this server", m->name);
    else if ((m->needs & NEEDS_TLS) != 0 && d->plaintext)
        conf_bad(v, "\"%s\" works inside TLS alone, and this connection is tls = \"plaintext\"", m->name);
    else if ((m->needs & NEEDS_CERTIFICATE) != 0 && d->tls->cert_file == NULL &&
             !conf_place_wrote(&d->place, "tls_cert_file"))
        conf_bad(v, "\"%s\" needs a client certificate: tls_cert_file and tls_key_file", m->name);
    else if ((m->needs & NEEDS_TOKEN) != 0 && l->oauth.client_id == NULL && !conf_login_has_source(l) &&
             !conf_place_wrote(&d->place, "oauth_client_id"))
        conf_bad(v,
                 "\"%s\" needs an access token: oauth_client_id, so that mailhaul gets and renews it, or a "
                 "password_command that prints one",
                 m->name);
}

static void check_auth(const struct conf_login_draft *d)
{
    const struct conf_strings *auth = &d->login->auth;
    struct conf_value v;

    if (!conf_place_find_name(&d->place, "auth", &v))
        return;
    for (size_t i = 0; i < auth->n; i++) {
        const struct mechanism *m = find_mechanism(auth->v[i]);

        if (m != NULL)
            check_mechanism(d, &v, m);
    }
}

static bool ends(const char *s, const char *end)
{
    size_t n = strlen(s), k = strlen(end);

    return n >= k && strcmp(s + n - k, end) == 0;
}

void conf_login_set_grant(const struct conf_place *p, struct conf_login *l)
{
    if (conf_place_wrote(p, "oauth_grant"))
        return;
    for (size_t i = 0; i < l->oauth.scopes.n; i++) {
        if (ends(l->oauth.scopes.v[i], "/.default"))
            l->oauth.grant = CONF_GRANT_CLIENT_CREDENTIALS;
    }
}

static void check_oauth(const struct conf_login_draft *d)
{
    static const char *const others[] = { "oauth_client_secret", "oauth_tenant",    "oauth_scopes",
                                          "oauth_authorize_url", "oauth_token_url", "oauth_device_url",
                                          "oauth_grant" };
    const struct conf_oauth *o = &d->login->oauth;
    struct conf_value v;

    for (size_t i = 0; i < ARRAY_LEN(others) && !conf_place_wrote(&d->place, "oauth_client_id"); i++) {
        if (conf_place_find_own(&d->place, conf_key_find(d->place.in, others[i]), &v)) {
            conf_bad(&v, "oauth_client_id is missing: without it this is no OAuth login");
            return;
        }
    }
    if (!conf_login_is_oauth(d->login))
        return;
    if (o->token_url == NULL && !conf_place_wrote(&d->place, "oauth_token_url"))
        conf_place_bad(&d->place, "oauth_token_url is missing: the address at which the provider gives tokens");
    if (o->grant == CONF_GRANT_CLIENT_CREDENTIALS) {
        if (!secret_is_set(&o->client_secret) && !conf_place_wrote(&d->place, "oauth_client_secret"))
            conf_place_bad(&d->place, "oauth_client_secret is missing: with client credentials it is the login");
    } else if (o->authorize_url == NULL && o->device_url == NULL &&
               !conf_place_wrote(&d->place, "oauth_authorize_url") &&
               !conf_place_wrote(&d->place, "oauth_device_url")) {
        conf_place_bad(&d->place,
                       "oauth_authorize_url is missing: the page on which you allow this program to read your mail (or "
                       "oauth_device_url, for machines without a browser)");
    }
}

void conf_login_check(const struct conf_login_draft *d)
{
    check_auth(d);
    check_oauth(d);
}
