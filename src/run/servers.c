/* SPDX-License-Identifier: MIT */
#include "run/servers.h"

#include "run/authorize.h"

static const enum server_tls tls_modes[] = { [CONF_TLS_IMPLICIT] = SERVER_TLS_IMPLICIT,
                                             [CONF_TLS_STARTTLS] = SERVER_TLS_STARTTLS,
                                             [CONF_TLS_PLAINTEXT] = SERVER_PLAINTEXT };

static int ask_password(void *ctx, struct secret *out, struct err *e)
{
    return conf_password(ctx, out, e);
}

const struct conf_login *servers_token_login(const struct conf_account *a, const struct conf_deliver *d)
{
    const struct conf_oauth *ours = &d->login.oauth, *its = &a->login.oauth;
    bool same = ours->client_id != NULL && its->client_id != NULL && strcmp(ours->client_id, its->client_id) == 0 &&
                ours->token_url != NULL && its->token_url != NULL && strcmp(ours->token_url, its->token_url) == 0 &&
                d->login.user != NULL && a->login.user != NULL && strcmp(d->login.user, a->login.user) == 0;

    return same ? &a->login : &d->login;
}

static struct tls_settings tls_of(const char *host, uint16_t port, const struct conf_tls_settings *t)
{
    return (struct tls_settings){ .host = host,
                                  .port = port,
                                  .trust_file = t->trust_file,
                                  .fingerprints = (const char *const *)t->fingerprints.v,
                                  .fingerprint_count = t->fingerprints.n,
                                  .cert_file = t->cert_file,
                                  .key_file = t->key_file,
                                  .min_version = t->min_1_3 ? TLS_1_3 : TLS_1_2 };
}

struct server servers_account(const struct conf_account *a)
{
    static const enum dial_family family[] = {
        [CONF_FAMILY_ANY] = DIAL_ANY, [CONF_FAMILY_IPV4] = DIAL_IPV4, [CONF_FAMILY_IPV6] = DIAL_IPV6
    };

    struct server s = {
        .dial = { .host = a->host,
                  .port = a->port,
                  .family = family[a->family],
                  .bind_address = a->bind_address,
                  .proxy_host = a->proxy_host,
                  .proxy_port = a->proxy_port,
                  .proxy_user = a->proxy_user,
                  .proxy_password = a->proxy_password.p,
                  .tunnel = a->tunnel.n > 0 ? a->tunnel.v : NULL,
                  .timeout_s = a->timeout },
        .tls = tls_modes[a->tls],
        .tls_settings = tls_of(a->host, a->port, &a->tls_settings),
        .user = a->login.user,
        .authorize_as = a->login.authorize_as,
        .auth = (const char *const *)a->login.auth.v,
        .password = ask_password,
        .password_ctx = (void *)(uintptr_t)&a->login,
        .has_password = conf_login_has_source(&a->login),
        .disabled = (const char *const *)a->disable_extensions.v,
        .compress = a->compress,
    };

    authorize_use(&s, &a->login);
    return s;
}

struct server servers_destination(const struct conf_account *a, const struct conf_deliver *d)
{
    struct server s = {
        .dial = { .host = d->host,
                  .port = d->port,
                  .unix_socket = d->socket,
                  .family = DIAL_ANY,
                  .timeout_s = a->timeout },
        .tls = tls_modes[d->tls],
        .tls_settings = tls_of(d->host, d->port, &d->tls_settings),
        .user = d->login.user,
        .authorize_as = d->login.authorize_as,
        .auth = (const char *const *)d->login.auth.v,
        .password = ask_password,
        .password_ctx = (void *)(uintptr_t)&d->login,
        .has_password = conf_login_has_source(&d->login),
    };

    if (conf_login_is_oauth(&d->login))
        authorize_use(&s, servers_token_login(a, d));
    return s;
}

int servers_check(const struct server *s, struct err *e)
{
    return s->tls == SERVER_PLAINTEXT ? 0 : tls_settings_check(&s->tls_settings, e);
}
