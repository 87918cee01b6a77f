/* SPDX-License-Identifier: MIT */
#include "conf/conf_int.h"

static bool among(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* True when what defaults say of the key is not meant for this section. */
static bool hides(const struct conf_place *p, const struct conf_key *key)
{
    static const char *const of_provider[] = {
        "host", "port", "tls", "oauth_scopes", "oauth_authorize_url", "oauth_token_url", "oauth_device_url"
    };

    if (p->own_password && (conf_key_is_password(key) || strcmp(key->name, "oauth_client_id") == 0))
        return true;
    return p->own_provider && among(key->name, of_provider, ARRAY_LEN(of_provider));
}

bool conf_place_find_own(const struct conf_place *p, const struct conf_key *key, struct conf_value *out)
{
    *out = (struct conf_value){ .report = p->report, .where = p->where };
    return conf_section_get(p->own, key, out);
}

bool conf_place_find(const struct conf_place *p, const struct conf_key *key, struct conf_value *out)
{
    if (conf_place_find_own(p, key, out))
        return true;
    if (p->default_count == 0 || hides(p, key))
        return false;
    for (size_t i = p->default_count; i-- > 0;) {
        if (conf_section_get(p->defaults[i], key, out))
            return true;
    }
    return false;
}

bool conf_place_find_name(const struct conf_place *p, const char *key, struct conf_value *out)
{
    return conf_place_find(p, conf_key_find(p->in, key), out);
}

bool conf_place_wrote(const struct conf_place *p, const char *key)
{
    struct conf_value v;

    return conf_place_find_name(p, key, &v);
}

void conf_place_look(struct conf_place *p)
{
    struct conf_value v;

    for (size_t i = 0; i < conf_key_count; i++) {
        if (conf_keys[i].where == p->in && conf_key_is_password(&conf_keys[i]))
            p->own_password = p->own_password || conf_place_find_own(p, &conf_keys[i], &v);
    }
    p->own_provider = conf_place_find_own(p, conf_key_find(p->in, "provider"), &v);
}

int conf_place_bad(const struct conf_place *p, const char *fmt, ...)
{
    char what[ERR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    return conf_report(p->report, p->own->filename, conf_section_line(p->own), "%s%s", p->where, what);
}
