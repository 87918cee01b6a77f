/* SPDX-License-Identifier: MIT */
#include "conf/conf_int.h"

static const struct conf_choice log_levels[] = { { "error", LOG_LEVEL_ERROR, false },
                                                 { "warning", LOG_LEVEL_WARN, false },
                                                 { "info", LOG_LEVEL_INFO, false },
                                                 { "debug", LOG_LEVEL_DEBUG, false },
                                                 { NULL, 0, false } };
static const struct conf_choice protocols[] = { { "imap", CONF_IMAP, false },
                                                { "pop3", CONF_POP3, false },
                                                { NULL, 0, false } };
static const struct conf_choice tls_modes[] = { { "implicit", CONF_TLS_IMPLICIT, false },
                                                { "starttls", CONF_TLS_STARTTLS, false },
                                                { "plaintext", CONF_TLS_PLAINTEXT, false },
                                                { NULL, 0, false } };
static const struct conf_choice tls_versions[] = { { "1.2", false, false },
                                                   { "1.3", true, false },
                                                   { NULL, 0, false } };
static const struct conf_choice families[] = { { "any", CONF_FAMILY_ANY, false },
                                               { "ipv4", CONF_FAMILY_IPV4, false },
                                               { "ipv6", CONF_FAMILY_IPV6, false },
                                               { NULL, 0, false } };
static const struct conf_choice modes[] = {
    { "fetch", 0, false }, { "backup", 0, true }, { "sync", 0, true }, { NULL, 0, false }
};
static const struct conf_choice layouts[] = { { "maildir++", CONF_LAYOUT_MAILDIRPP, false },
                                              { "fs", CONF_LAYOUT_FS, false },
                                              { NULL, 0, false } };
static const struct conf_choice reject_policies[] = { { "quarantine", false, false },
                                                      { "drop", true, false },
                                                      { NULL, 0, false } };
static const struct conf_choice deliver_types[] = {
    { "maildir", CONF_DELIVER_MAILDIR, false }, { "smtp", CONF_DELIVER_SMTP, false },
    { "lmtp", CONF_DELIVER_LMTP, false },       { "imap", CONF_DELIVER_IMAP, false },
    { "command", CONF_DELIVER_COMMAND, false }, { NULL, 0, false }
};
static const struct conf_choice grants[] = { { "authorization_code", CONF_GRANT_CODE, false },
                                             { "client_credentials", CONF_GRANT_CLIENT_CREDENTIALS, false },
                                             { NULL, 0, false } };
static const struct conf_choice newlines[] = { { "lf", false, false }, { "crlf", true, false }, { NULL, 0, false } };

#define FIELD(type, member) .offset = offsetof(struct type, member), .size = sizeof(((struct type *)0)->member)
#define GLOBAL(member)      .where = IN_GLOBAL, FIELD(conf, member)
#define ACCOUNT(member)     .where = IN_ACCOUNT, FIELD(conf_account, member)
#define DELIVER(in, member) .where = IN_DELIVER, .types = (in), FIELD(conf_deliver, member)
#define LATER(in)           .where = (in), .kind = KIND_LATER

enum {
    MAILDIR = 1u << CONF_DELIVER_MAILDIR,
    SMTP = 1u << CONF_DELIVER_SMTP,
    LMTP = 1u << CONF_DELIVER_LMTP,
    IMAP = 1u << CONF_DELIVER_IMAP,
    COMMAND = 1u << CONF_DELIVER_COMMAND,
    MTA = SMTP | LMTP,
    SERVER = MTA | IMAP,
    ANY = SERVER | MAILDIR | COMMAND
};

/* mailhaul.conf(5) has a paragraph for each row. */
const struct conf_key conf_keys[] = {
    { "state_dir", GLOBAL(state_dir), .kind = KIND_PATH, .fixed = true },
    { "spool_dir", GLOBAL(spool_dir), .kind = KIND_PATH, .fixed = true },
    { "max_sessions", GLOBAL(max_sessions), .kind = KIND_NUMBER, .min = 1, .max = 1000 },
    { "log_level", GLOBAL(log_level), .kind = KIND_CHOICE, .choices = log_levels, .fixed = true },
    { "log_file", GLOBAL(log_file), .kind = KIND_PATH, .fixed = true },
    { "syslog", GLOBAL(syslog), .kind = KIND_BOOL, .fixed = true },
    { "metrics_listen", GLOBAL(metrics_address), .kind = KIND_LISTEN, .fixed = true },

    { "enabled", ACCOUNT(enabled), .kind = KIND_BOOL },
    { "provider", ACCOUNT(provider), .kind = KIND_PROVIDER },
    { "protocol", ACCOUNT(protocol), .kind = KIND_CHOICE, .choices = protocols },
    { "host", ACCOUNT(host), .kind = KIND_HOST },
    { "port", ACCOUNT(port), .kind = KIND_NUMBER, .min = 1, .max = 65535 },
    { "tls", ACCOUNT(tls), .kind = KIND_CHOICE, .choices = tls_modes },
    { "timeout", ACCOUNT(timeout), .kind = KIND_NUMBER, .min = 1, .max = 3600 },
    { "address_family", ACCOUNT(family), .kind = KIND_CHOICE, .choices = families },
    { "bind_address", ACCOUNT(bind_address), .kind = KIND_ADDRESS },
    { "proxy", ACCOUNT(proxy_host), .kind = KIND_PROXY },
    { "tunnel", ACCOUNT(tunnel), .kind = KIND_ARGV },
    { "disable_extensions", ACCOUNT(disable_extensions), .kind = KIND_LIST },
    { "max_connections", ACCOUNT(max_connections), .kind = KIND_NUMBER, .min = 1, .max = 100 },
    { "compress", ACCOUNT(compress), .kind = KIND_BOOL },

    { "tls_trust_file", ACCOUNT(tls_settings.trust_file), .kind = KIND_PATH },
    { "tls_fingerprint", ACCOUNT(tls_settings.fingerprints), .kind = KIND_FINGERPRINTS },
    { "tls_cert_file", ACCOUNT(tls_settings.cert_file), .kind = KIND_PATH },
    { "tls_key_file", ACCOUNT(tls_settings.key_file), .kind = KIND_PATH },
    { "tls_min_version", ACCOUNT(tls_settings.min_1_3), .kind = KIND_CHOICE, .choices = tls_versions },

    { "user", ACCOUNT(login.user), .kind = KIND_STRING },
    { "authorize_as", ACCOUNT(login.authorize_as), .kind = KIND_STRING },
    { "password", ACCOUNT(login.password), .kind = KIND_SECRET },
    { "password_command", ACCOUNT(login.password_command), .kind = KIND_ARGV },
    { "password_file", ACCOUNT(login.password_file), .kind = KIND_PATH },
    { "netrc", ACCOUNT(login.netrc), .kind = KIND_PATH },
    { "auth", ACCOUNT(login.auth), .kind = KIND_AUTH },
    { "oauth_client_id", ACCOUNT(login.oauth.client_id), .kind = KIND_STRING },
    { "oauth_client_secret", ACCOUNT(login.oauth.client_secret), .kind = KIND_SECRET },
    { "oauth_tenant", ACCOUNT(login.oauth.tenant), .kind = KIND_TENANT },
    { "oauth_scopes", ACCOUNT(login.oauth.scopes), .kind = KIND_SCOPES },
    { "oauth_authorize_url", ACCOUNT(login.oauth.authorize_url), .kind = KIND_URL },
    { "oauth_token_url", ACCOUNT(login.oauth.token_url), .kind = KIND_URL },
    { "oauth_device_url", ACCOUNT(login.oauth.device_url), .kind = KIND_URL },
    { "oauth_grant", ACCOUNT(login.oauth.grant), .kind = KIND_CHOICE, .choices = grants },

    { "folders", ACCOUNT(folders), .kind = KIND_PATTERNS, .min = 1 },
    { "mode", .where = IN_ACCOUNT, .kind = KIND_CHOICE, .choices = modes },
    { "leave_on_server", ACCOUNT(leave_s), .kind = KIND_LEAVE },
    { "max_size", ACCOUNT(max_size), .kind = KIND_OCTETS },
    { "max_messages", ACCOUNT(max_messages), .kind = KIND_NUMBER, .min = 0, .max = 1000000000 },
    { "interval", ACCOUNT(interval), .kind = KIND_NUMBER, .min = 1, .max = 7 * 86400 },
    { "idle", ACCOUNT(idle), .kind = KIND_PATTERNS },
    { "on_new_mail", ACCOUNT(on_new_mail), .kind = KIND_ARGV },
    { "on_failure", ACCOUNT(on_failure), .kind = KIND_ARGV },
    { "on_recovery", ACCOUNT(on_recovery), .kind = KIND_ARGV },
    { "failure_threshold", ACCOUNT(failure_threshold), .kind = KIND_NUMBER, .min = 1, .max = 1000 },

    { "type", DELIVER(ANY, type), .kind = KIND_CHOICE, .choices = deliver_types },
    { "on_reject", DELIVER(ANY, drop_rejected), .kind = KIND_CHOICE, .choices = reject_policies },
    { "path", DELIVER(MAILDIR, path), .kind = KIND_PATH },
    { "layout", DELIVER(MAILDIR, layout), .kind = KIND_CHOICE, .choices = layouts },
    { "host", DELIVER(SERVER, host), .kind = KIND_HOST },
    { "port", DELIVER(SERVER, port), .kind = KIND_NUMBER, .min = 1, .max = 65535 },
    { "socket", DELIVER(LMTP, socket), .kind = KIND_PATH },
    { "domain", DELIVER(SMTP, domain), .kind = KIND_HOST },
    { "tls", DELIVER(SERVER, tls), .kind = KIND_CHOICE, .choices = tls_modes },
    { "to", DELIVER(MTA, to), .kind = KIND_MAILBOXES },
    { "from", DELIVER(MTA, from), .kind = KIND_MAILBOX },
    { "to_header", DELIVER(MTA, to_header), .kind = KIND_FIELD },
    { "to_domains", DELIVER(MTA, to_domains), .kind = KIND_DOMAINS },
    { "to_strip_prefix", DELIVER(MTA, to_strip_prefix), .kind = KIND_STRING },
    { "to_fallback", DELIVER(MTA, to_fallback), .kind = KIND_MAILBOX },
    { "folder", DELIVER(IMAP, folder), .kind = KIND_FOLDER },
    { "folder_prefix", DELIVER(IMAP, folder_prefix), .kind = KIND_FOLDER },
    { "command", DELIVER(COMMAND, command), .kind = KIND_ARGV },
    { "newline", DELIVER(COMMAND, crlf), .kind = KIND_CHOICE, .choices = newlines },
    { "time_limit", DELIVER(COMMAND, time_limit), .kind = KIND_NUMBER, .min = 1, .max = 86400 },
    { "max_parallel", DELIVER(COMMAND, max_parallel), .kind = KIND_NUMBER, .min = 1, .max = 100 },

    { "tls_trust_file", DELIVER(SERVER, tls_settings.trust_file), .kind = KIND_PATH },
    { "tls_fingerprint", DELIVER(SERVER, tls_settings.fingerprints), .kind = KIND_FINGERPRINTS },
    { "tls_cert_file", DELIVER(SERVER, tls_settings.cert_file), .kind = KIND_PATH },
    { "tls_key_file", DELIVER(SERVER, tls_settings.key_file), .kind = KIND_PATH },
    { "tls_min_version", DELIVER(SERVER, tls_settings.min_1_3), .kind = KIND_CHOICE, .choices = tls_versions },

    { "user", DELIVER(SERVER, login.user), .kind = KIND_STRING },
    { "authorize_as", DELIVER(SERVER, login.authorize_as), .kind = KIND_STRING },
    { "password", DELIVER(SERVER, login.password), .kind = KIND_SECRET },
    { "password_command", DELIVER(SERVER, login.password_command), .kind = KIND_ARGV },
    { "password_file", DELIVER(SERVER, login.password_file), .kind = KIND_PATH },
    { "netrc", DELIVER(SERVER, login.netrc), .kind = KIND_PATH },
    { "auth", DELIVER(SERVER, login.auth), .kind = KIND_AUTH },
    { "oauth_client_id", DELIVER(SERVER, login.oauth.client_id), .kind = KIND_STRING },
    { "oauth_client_secret", DELIVER(SERVER, login.oauth.client_secret), .kind = KIND_SECRET },
    { "oauth_tenant", DELIVER(SERVER, login.oauth.tenant), .kind = KIND_TENANT },
    { "oauth_scopes", DELIVER(SERVER, login.oauth.scopes), .kind = KIND_SCOPES },
    { "oauth_authorize_url", DELIVER(SERVER, login.oauth.authorize_url), .kind = KIND_URL },
    { "oauth_token_url", DELIVER(SERVER, login.oauth.token_url), .kind = KIND_URL },
    { "oauth_device_url", DELIVER(SERVER, login.oauth.device_url), .kind = KIND_URL },
    { "oauth_grant", DELIVER(SERVER, login.oauth.grant), .kind = KIND_CHOICE, .choices = grants },
};
const size_t conf_key_count = ARRAY_LEN(conf_keys);

const struct conf_key *conf_key_find(unsigned where, const char *name)
{
    for (size_t i = 0; i < conf_key_count; i++) {
        if ((conf_keys[i].where & where) != 0 && strcmp(conf_keys[i].name, name) == 0)
            return &conf_keys[i];
    }
    return NULL;
}

bool conf_key_is_list(const struct conf_key *k)
{
    switch (k->kind) {
    case KIND_LATER: /* a list takes one value without braces too */
    case KIND_LIST:
    case KIND_ARGV:
    case KIND_PATTERNS:
    case KIND_FINGERPRINTS:
    case KIND_AUTH:
    case KIND_SCOPES:
    case KIND_MAILBOXES:
    case KIND_DOMAINS:
        return true;
    default:
        return false;
    }
}

bool conf_key_is_password(const struct conf_key *k)
{
    static const char *const names[] = { "password", "password_command", "password_file", "netrc" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(k->name, names[i]) == 0)
            return true;
    }
    return false;
}

const char *conf_key_nearest(unsigned where, const char *name, bool slips_only)
{
    const char *names[ARRAY_LEN(conf_keys) + 3];
    size_t n = 0;

    for (size_t i = 0; i < conf_key_count; i++) {
        if ((conf_keys[i].where & where) != 0)
            names[n++] = conf_keys[i].name;
    }
    if (where & IN_GLOBAL) {
        names[n++] = "account";
        names[n++] = "defaults";
    }
    if (where & IN_ACCOUNT)
        names[n++] = "deliver";
    return slips_only ? conf_nearest(name, names, n) : conf_nearest_any(name, names, n);
}
