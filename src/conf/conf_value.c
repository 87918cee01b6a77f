/* SPDX-License-Identifier: MIT */
#include "conf/conf_int.h"

#include <arpa/inet.h>
#include <pwd.h>
#include <unistd.h>

#include "base/num.h"
#include "wire/address.h"
#include "wire/utf8.h"

int conf_bad(const struct conf_value *v, const char *fmt, ...)
{
    char what[600];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    return conf_report(v->report, v->file, v->line, "%s%s: %s", v->where, v->key->name, what);
}

void conf_strings_release(struct conf_strings *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->v[i]);
    free(s->v);
    *s = (struct conf_strings){ NULL, 0 };
}

static int later(const struct conf_value *v, const char *word)
{
    if (word != NULL)
        return conf_bad(v, "\"%s\" is not yet supported by this version; take it out", word);
    return conf_bad(v, "not yet supported by this version; take it out");
}

int conf_value_unknown(const struct conf_value *v, const char *word, const struct conf_choice *choices)
{
    const char *names[24];
    char list[300] = "", nearest[80] = "";
    const char *near;
    size_t n = 0, at = 0;

    for (; choices[n].name != NULL && n < ARRAY_LEN(names); n++) {
        names[n] = choices[n].name;
        at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s%s", n > 0 ? ", " : "", choices[n].name,
                               choices[n].later ? " (not yet)" : "");
        at = size_min(at, sizeof(list) - 1);
    }
    near = conf_nearest(word, names, n);
    if (near != NULL)
        snprintf(nearest, sizeof(nearest), "; did you mean \"%s\"?", near);
    return conf_bad(v, "\"%.80s\" is not one of: %s%s", word, list, nearest);
}

static int store_integer(const struct conf_value *v, char *field, int64_t number)
{
    switch (v->key->size) {
    case sizeof(uint8_t):
        *(uint8_t *)field = (uint8_t)number;
        return 0;
    case sizeof(uint16_t):
        memcpy(field, &(uint16_t){ (uint16_t)number }, sizeof(uint16_t));
        return 0;
    case sizeof(uint32_t):
        memcpy(field, &(uint32_t){ (uint32_t)number }, sizeof(uint32_t));
        return 0;
    default:
        memcpy(field, &number, sizeof(number));
        return 0;
    }
}

static int store_string(const struct conf_value *v, char *field, char *owned)
{
    char *old;

    if (owned == NULL)
        return conf_report_nomem(v->report);
    memcpy(&old, field, sizeof(old));
    free(old);
    memcpy(field, &owned, sizeof(owned));
    return 0;
}

static bool has_control(const char *s)
{
    for (; *s != '\0'; s++) {
        if ((unsigned char)*s < ' ' || *s == 0x7f)
            return true;
    }
    return false;
}

static int string(const struct conf_value *v, char *field)
{
    if (v->v[0]->string[0] == '\0')
        return conf_bad(v, "the value is empty");
    if (has_control(v->v[0]->string))
        return conf_bad(v, "the value holds a control character");
    return store_string(v, field, strdup(v->v[0]->string));
}

static int checked(const struct conf_value *v, char *field, int (*check)(const struct conf_value *, const char *))
{
    return check(v, v->v[0]->string) == 0 ? string(v, field) : -1;
}

static int host(const struct conf_value *v, char *field)
{
    const char *name = v->v[0]->string;
    unsigned char ip[16];

    if (strchr(name, '/') != NULL || strchr(name, '[') != NULL || strchr(name, ' ') != NULL)
        return conf_bad(v, "\"%.80s\" is not a host: write its name or address alone", name);
    if (strchr(name, ':') != NULL && inet_pton(AF_INET6, name, ip) != 1)
        return conf_bad(v, "\"%.80s\" is not a host: the port has a key of its own, port", name);
    return string(v, field);
}

char *conf_home_path(const char *path)
{
    const char *home = getenv("HOME");
    struct buf whole = BUF_INIT(CONF_VALUE_MAX);
    char *copy = NULL;

    if (path[0] != '~' || (path[1] != '/' && path[1] != '\0'))
        return strdup(path);
    if (home == NULL || home[0] == '\0') {
        const struct passwd *pw = getpwuid(getuid());
        home = pw != NULL ? pw->pw_dir : NULL;
    }
    if (home != NULL && buf_put_str(&whole, home) == 0 && buf_put_str(&whole, path + 1) == 0)
        copy = slice_dup(buf_slice(&whole));
    buf_release(&whole);
    return copy;
}

static int path(const struct conf_value *v, char *field)
{
    char *whole;

    if (v->v[0]->string[0] == '\0')
        return conf_bad(v, "the path is empty");
    if (v->v[0]->string[0] == '~' && v->v[0]->string[1] != '/' && v->v[0]->string[1] != '\0')
        return conf_bad(v, "\"~user\" is not expanded; write the whole path, or ~/ for your own home");
    whole = conf_home_path(v->v[0]->string);
    if (whole == NULL)
        return conf_bad(v, "~/ needs a home directory, and HOME is not set");
    return store_string(v, field, whole);
}

static int address(const struct conf_value *v, char *field)
{
    unsigned char ip[16];

    if (inet_pton(AF_INET, v->v[0]->string, ip) != 1 && inet_pton(AF_INET6, v->v[0]->string, ip) != 1)
        return conf_bad(v, "\"%.80s\" is not an IP address", v->v[0]->string);
    return store_string(v, field, strdup(v->v[0]->string));
}

static int boolean(const struct conf_value *v, char *field)
{
    int yes = cfg_parse_boolean(v->v[0]->string);

    if (yes < 0)
        return conf_bad(v, "\"%.80s\" is neither yes nor no", v->v[0]->string);
    return store_integer(v, field, yes);
}

static int number(const struct conf_value *v, char *field)
{
    uint64_t n;

    if (num_parse_u64(slice_str(v->v[0]->string), &n) != 0 || n < (uint64_t)v->key->min || n > (uint64_t)v->key->max)
        return conf_bad(v, "\"%.80s\" is not a number from %" PRId64 " to %" PRId64, v->v[0]->string, v->key->min,
                        v->key->max);
    return store_integer(v, field, (int64_t)n);
}

static int octets(const struct conf_value *v, char *field)
{
    struct slice s = slice_str(v->v[0]->string);
    uint64_t n = 0;
    unsigned shift = 0;

    if (num_take_u64(&s, &n) != 0)
        return conf_bad(v, "\"%.80s\" is not a size: write octets, or a number with K, M or G", v->v[0]->string);
    if (s.n == 1)
        shift = ascii_lower(s.p[0]) == 'k' ? 10 : ascii_lower(s.p[0]) == 'm' ? 20 : ascii_lower(s.p[0]) == 'g' ? 30 : 0;
    if ((s.n > 0 && shift == 0) || n > (UINT64_C(1) << 40) >> shift)
        return conf_bad(v, "\"%.80s\" is not a size: write octets, or a number with K, M or G", v->v[0]->string);
    return store_integer(v, field, (int64_t)(n << shift));
}

static int leave(const struct conf_value *v, char *field)
{
    struct slice s = slice_str(v->v[0]->string);
    uint32_t n = 0;
    int yes = cfg_parse_boolean(v->v[0]->string);
    int64_t unit = 0;

    if (yes >= 0)
        return store_integer(v, field, yes ? CONF_LEAVE_FOREVER : 0);
    if (num_take_u32(&s, &n) == 0 && s.n == 1)
        unit = s.p[0] == 'h' ? 3600 : s.p[0] == 'd' ? 86400 : s.p[0] == 'w' ? 7 * 86400 : 0;
    if (unit == 0)
        return conf_bad(v, "\"%.80s\" is neither yes, no nor an age such as \"30d\" (h, d or w)", v->v[0]->string);
    if (n == 0)
        return conf_bad(v, "an age of nothing; write \"no\" to remove messages once they are stored");
    if (n > 100 * INT64_C(366) * 86400 / unit)
        return conf_bad(v, "\"%.80s\" is longer than a hundred years; write \"yes\" to keep messages", v->v[0]->string);
    return store_integer(v, field, n * unit);
}

static int choice(const struct conf_value *v, char *field)
{
    for (const struct conf_choice *c = v->key->choices; c->name != NULL; c++) {
        if (strcmp(c->name, v->v[0]->string) == 0)
            return c->later ? later(v, c->name) : v->key->size > 0 ? store_integer(v, field, c->value) : 0;
    }
    return conf_value_unknown(v, v->v[0]->string, v->key->choices);
}

static int list(const struct conf_value *v, char *field)
{
    struct conf_strings *s = (struct conf_strings *)(void *)field;

    conf_strings_release(s);
    s->v = calloc(v->n + 1, sizeof(*s->v));
    if (s->v == NULL)
        return conf_report_nomem(v->report);
    for (; s->n < v->n; s->n++) {
        s->v[s->n] = strdup(v->v[s->n]->string);
        if (s->v[s->n] == NULL)
            return conf_report_nomem(v->report);
    }
    return 0;
}

static int each(const struct conf_value *v, char *field, int (*check)(const struct conf_value *, const char *))
{
    if (v->n == 0)
        return conf_bad(v, "the list is empty");
    for (size_t i = 0; i < v->n; i++) {
        if (check(v, v->v[i]->string) != 0)
            return -1;
    }
    return list(v, field);
}

static int check_word(const struct conf_value *v, const char *word)
{
    return word[0] == '\0' || has_control(word) ? conf_bad(v, "an empty word, or a control character in it") : 0;
}

static int check_argument(const struct conf_value *v, const char *word)
{
    if (word != v->v[0]->string)
        return 0;
    if (word[0] == '\0')
        return conf_bad(v, "the program's name is empty");
    if (v->n == 1 && strchr(word, ' ') != NULL && access(word, X_OK) != 0)
        return conf_bad(v, "there is no shell to take \"%.80s\" apart; write it as { \"program\", \"argument\" }",
                        word);
    return 0;
}

static int check_pattern(const struct conf_value *v, const char *word)
{
    const char *name = word[0] == '!' ? word + 1 : word;

    if (name[0] == '\0' || has_control(name))
        return conf_bad(v, "\"%.80s\" is not a folder's name or pattern", word);
    return name[0] == '\\' && name[1] == '\0' ? conf_bad(v, "\"%.80s\" is not a special use such as \\Sent", word) : 0;
}

static int check_fingerprint(const struct conf_value *v, const char *word)
{
    struct slice s = slice_str(word);
    size_t digits = 0;

    if (slice_istarts(s, SLICE("sha256:")))
        s = slice_from(s, 7);
    else if (slice_istarts(s, SLICE("spki-sha256:")))
        s = slice_from(s, 12);
    else
        return conf_bad(v, "\"%.100s\" begins with neither sha256: nor spki-sha256:", word);
    for (size_t i = 0; i < s.n; i++) {
        char c = ascii_lower(s.p[i]);

        if (ascii_isdigit(c) || (c >= 'a' && c <= 'f'))
            digits++;
        else if (c != ':')
            return conf_bad(v, "\"%.100s\" holds a character that is no hexadecimal digit", word);
    }
    return digits == 64 ? 0 : conf_bad(v, "\"%.100s\" has %zu hexadecimal digits; SHA-256 has 64", word, digits);
}

static int auth(const struct conf_value *v, char *field)
{
    struct conf_strings *s = (struct conf_strings *)(void *)field;

    if (each(v, field, conf_check_auth) != 0)
        return -1;
    for (size_t i = 0; i < s->n; i++) {
        for (char *p = s->v[i]; *p != '\0'; p++)
            *p = ascii_lower(*p);
    }
    return 0;
}

static int proxy_part(const struct conf_value *v, char **field, struct slice s)
{
    free(*field);
    *field = slice_dup(s);
    return *field != NULL ? 0 : conf_report_nomem(v->report);
}

/* socks5://[user:password@]host[:port]; an IPv6 address stands in brackets. */
static int proxy(const struct conf_value *v, struct conf_account *a)
{
    struct slice s = slice_str(v->v[0]->string), host, user = SLICE_NONE, password = SLICE_NONE;
    const char *at, *colon;
    uint32_t port = 1080;

    if (!slice_istarts(s, SLICE("socks5://")))
        return conf_bad(v, "only socks5://host:port is known");
    s = slice_from(s, 9);
    at = memrchr(s.p, '@', s.n);
    if (at != NULL) {
        user = slice_make(s.p, (size_t)(at - s.p));
        s = slice_from(s, user.n + 1);
        colon = user.n > 0 ? memchr(user.p, ':', user.n) : NULL;
        if (colon == NULL || colon == user.p)
            return conf_bad(v, "in front of \"@\" stand user:password");
        password = slice_from(user, (size_t)(colon - user.p) + 1);
        user.n = (size_t)(colon - user.p);
        /* RFC 1929 gives each a length in one octet. */
        if (user.n > 255 || password.n > 255)
            return conf_bad(v, "user and password are at most 255 octets each");
    }
    if (s.n > 0 && s.p[s.n - 1] == '/')
        s.n--;
    colon = s.n > 0 ? memrchr(s.p, s.p[0] == '[' ? ']' : ':', s.n) : NULL;
    if (s.n > 0 && s.p[0] == '[') {
        if (colon == NULL)
            return conf_bad(v, "\"]\" is missing behind the address");
        host = slice_make(s.p + 1, (size_t)(colon - s.p) - 1);
        s = slice_from(s, host.n + 2);
    } else {
        host = slice_make(s.p, colon != NULL ? (size_t)(colon - s.p) : s.n);
        s = slice_from(s, host.n);
    }
    if (host.n == 0)
        return conf_bad(v, "the proxy's host is missing: socks5://host:port");
    if (s.n > 0 && (s.p[0] != ':' || num_parse_u32(slice_from(s, 1), &port) != 0 || port < 1 || port > 65535))
        return conf_bad(v, "the proxy's port is not a number from 1 to 65535");
    a->proxy_port = (uint16_t)port;
    if (proxy_part(v, &a->proxy_host, host) != 0)
        return -1;
    if (at == NULL)
        return 0;
    if (proxy_part(v, &a->proxy_user, user) != 0)
        return -1;
    return secret_set(&a->proxy_password, password) == 0 ? 0 : conf_report_nomem(v->report);
}

bool conf_is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (slice_ieq(slice_str(host), SLICE("localhost")))
        return true;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* address:port, [address]:port. What listens tells anybody who asks how much mail comes from where. */
static int listen_at(const struct conf_value *v, struct conf *c)
{
    const char *text = v->v[0]->string, *colon = strrchr(text, ':');
    struct slice host = slice_make(text, colon != NULL ? (size_t)(colon - text) : 0);
    uint32_t port = 0;
    char *address;

    if (colon == NULL || num_parse_u32(slice_str(colon + 1), &port) != 0 || port < 1 || port > 65535)
        return conf_bad(v, "\"%.80s\" is not address:port; write \"127.0.0.1:9464\"", text);
    if (host.n > 1 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = slice_make(host.p + 1, host.n - 2);
    address = slice_ieq(host, SLICE("localhost")) ? strdup("127.0.0.1") : slice_dup(host);
    if (address == NULL)
        return conf_report_nomem(v->report);
    if (!conf_is_loopback(address)) {
        free(address);
        return conf_bad(v, "\"%.80s\" is not an address of this machine alone; write \"127.0.0.1:9464\"", text);
    }
    free(c->metrics_address);
    c->metrics_address = address;
    c->metrics_port = (uint16_t)port;
    return 0;
}

static int secret(const struct conf_value *v, struct secret *field)
{
    if (v->v[0]->string[0] == '\0')
        return conf_bad(v, "the value is empty");
    if (strlen(v->v[0]->string) > SECRET_MAX)
        return conf_bad(v, "the value is longer than %d octets", (int)SECRET_MAX);
    return secret_set(field, slice_str(v->v[0]->string)) == 0 ? 0 : conf_report_nomem(v->report);
}

/* The grammar of wire/address.h: nothing that it takes can end a command of the envelope, or begin another. */
static int check_mailbox(const struct conf_value *v, const char *word)
{
    struct address a;

    if (address_parse(slice_str(word), &a) != 0)
        return conf_bad(v, "\"%.80s\" is not a mail address: write it alone, as me@example.org", word);
    return 0;
}

/* Without its angle brackets and blanks. */
static int bare_mailbox(const struct conf_value *v, char **owned)
{
    struct address a;
    char *bare;

    if (address_parse(slice_str(*owned), &a) != 0)
        return -1;
    bare = slice_dup(a.text);
    free(*owned);
    *owned = bare;
    return bare != NULL ? 0 : conf_report_nomem(v->report);
}

static int mailbox(const struct conf_value *v, char *field)
{
    char *owned;

    if (check_mailbox(v, v->v[0]->string) != 0)
        return -1;
    owned = strdup(v->v[0]->string);
    return store_string(v, field, owned) != 0 ? -1 : bare_mailbox(v, (char **)(void *)field);
}

static int mailboxes(const struct conf_value *v, char *field)
{
    struct conf_strings *s = (struct conf_strings *)(void *)field;

    if (each(v, field, check_mailbox) != 0)
        return -1;
    for (size_t i = 0; i < s->n; i++) {
        if (bare_mailbox(v, &s->v[i]) != 0)
            return -1;
    }
    return 0;
}

static int folder(const struct conf_value *v, char *field)
{
    return utf8_valid(slice_str(v->v[0]->string)) ? string(v, field) : conf_bad(v, "a folder's name is in UTF-8");
}

static int check_domain(const struct conf_value *v, const char *word)
{
    if (word[0] == '@')
        return conf_bad(v, "\"%.80s\" is not a domain: write it without the @", word);
    if (word[0] == '\0' || has_control(word) || strpbrk(word, " <>@,;*") != NULL)
        return conf_bad(v, "\"%.80s\" is not a domain: write it whole, as example.org", word);
    return 0;
}

/* What the writer of a message says is no envelope: mail of a list would go to nobody here, a blind copy to all. */
static int field_name(const struct conf_value *v, char *field)
{
    static const char *const not_those[] = { "To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc" };
    const char *name = v->v[0]->string;

    for (const char *p = name; *p != '\0'; p++) {
        if (*p == ':' && p > name && p[1] == '\0')
            return conf_bad(v, "write the name of the field without the colon");
        if (*p <= ' ' || *p > '~' || *p == ':')
            return conf_bad(v, "\"%.80s\" is not the name of a header field", name);
    }
    for (size_t i = 0; i < ARRAY_LEN(not_those); i++) {
        if (slice_ieq(slice_str(name), slice_str(not_those[i])))
            return conf_bad(v,
                            "%s is what the sender wrote, not where the message was sent (lists, blind copies); "
                            "name the field that the delivering server adds, such as Delivered-To",
                            not_those[i]);
    }
    return string(v, field);
}

int conf_value_store(const struct conf_value *v, void *target)
{
    char *field = (char *)target + v->key->offset;

    for (size_t i = 0; i < v->n; i++) {
        if (strlen(v->v[i]->string) > CONF_VALUE_MAX)
            return conf_bad(v, "the value is longer than %d octets", (int)CONF_VALUE_MAX);
    }
    switch (v->key->kind) {
    case KIND_LATER:
        return later(v, NULL);
    case KIND_STRING:
        return string(v, field);
    case KIND_HOST:
        return host(v, field);
    case KIND_PROVIDER:
        return conf_store_provider(v, (const struct conf_provider **)(void *)field);
    case KIND_PATH:
        return path(v, field);
    case KIND_ADDRESS:
        return address(v, field);
    case KIND_LIST:
        return v->n == 0 ? list(v, field) : each(v, field, check_word);
    case KIND_ARGV:
        return each(v, field, check_argument);
    case KIND_PATTERNS:
        return v->n == 0 && v->key->min == 0 ? list(v, field) : each(v, field, check_pattern);
    case KIND_FINGERPRINTS:
        return each(v, field, check_fingerprint);
    case KIND_AUTH:
        return auth(v, field);
    case KIND_SCOPES:
        return conf_store_scopes(v, (struct conf_strings *)(void *)field);
    case KIND_URL:
        return checked(v, field, conf_check_url);
    case KIND_TENANT:
        return checked(v, field, conf_check_tenant);
    case KIND_BOOL:
        return boolean(v, field);
    case KIND_NUMBER:
        return number(v, field);
    case KIND_OCTETS:
        return octets(v, field);
    case KIND_LEAVE:
        return leave(v, field);
    case KIND_CHOICE:
        return choice(v, field);
    case KIND_PROXY:
        return proxy(v, target);
    case KIND_LISTEN:
        return listen_at(v, target);
    case KIND_SECRET:
        return secret(v, (struct secret *)(void *)field);
    case KIND_MAILBOX:
        return mailbox(v, field);
    case KIND_MAILBOXES:
        return mailboxes(v, field);
    case KIND_DOMAINS:
        return each(v, field, check_domain);
    case KIND_FOLDER:
        return folder(v, field);
    case KIND_FIELD:
        return field_name(v, field);
    }
    return -1;
}
