/* SPDX-License-Identifier: MIT */
#include "conf/conf_int.h"

#include <arpa/inet.h>

/* One deliver section on its way into a struct conf_deliver. */
struct draft {
    struct conf_report *report;
    cfg_t *section;
    char where[2 * CONF_NAME_MAX + 64]; /* "account work: deliver mta: " */
    struct conf_deliver *out;
};

static int problem(const struct draft *d, const char *what, const char *hint)
{
    return conf_report(d->report, d->section->filename, conf_section_line(d->section), "%s%s%s", d->where, what, hint);
}

static bool wrote(const struct draft *d, const char *key)
{
    struct conf_value v;

    return conf_section_get(d->section, conf_key_find(IN_DELIVER, key), &v);
}

static const struct conf_choice *types(void)
{
    return conf_key_find(IN_DELIVER, "type")->choices;
}

static const char *type_name(enum conf_deliver_type type)
{
    const struct conf_choice *c = types();

    while (c->name != NULL && c->value != (int)type)
        c++;
    return c->name;
}

static int set_type(struct draft *d)
{
    struct conf_value v = { .report = d->report, .where = d->where };

    if (conf_section_get(d->section, conf_key_find(IN_DELIVER, "type"), &v))
        return conf_value_store(&v, d->out);
    for (const struct conf_choice *c = types(); c->name != NULL; c++) {
        if (strcmp(c->name, d->section->title) == 0) {
            d->out->type = (enum conf_deliver_type)c->value;
            return 0;
        }
    }
    return problem(d, "type is missing (the title is a name of your own): ",
                   "type = \"maildir\", \"smtp\", \"lmtp\", \"imap\" or \"command\"");
}

/* "smtp, lmtp and imap": the types that have the key. */
static void types_of(const struct conf_key *key, char *out, size_t size)
{
    unsigned left = key->types;
    size_t at = 0;

    out[0] = '\0';
    for (const struct conf_choice *c = types(); c->name != NULL && at < size; c++) {
        unsigned bit = 1u << c->value;

        if ((left & bit) == 0)
            continue;
        left &= ~bit;
        at += (size_t)snprintf(out + at, size - at, "%s%s", at == 0 ? "" : left != 0 ? ", " : " and ", c->name);
    }
}

static void set_values(struct draft *d)
{
    for (size_t i = 0; i < conf_key_count; i++) {
        const struct conf_key *key = &conf_keys[i];
        struct conf_value v = { .report = d->report, .where = d->where };
        char others[80];

        if (key->where != IN_DELIVER || !conf_section_get(d->section, key, &v))
            continue;
        if ((key->types & 1u << d->out->type) != 0) {
            (void)conf_value_store(&v, d->out);
            continue;
        }
        types_of(key, others, sizeof(others));
        conf_bad(&v, "a destination of type %s has no such key; it is one of type %s", type_name(d->out->type), others);
    }
}

/* ---- maildir ---- */

static char *with_name(const char *path, const char *name)
{
    struct buf b = BUF_INIT(CONF_VALUE_MAX);
    char *whole = NULL;
    bool bad = false;

    for (const char *p = path; *p != '\0' && !bad; p++) {
        if (p[0] == '%' && p[1] == 'a') {
            bad = buf_put_str(&b, name) != 0;
            p++;
        } else {
            bad = buf_put_char(&b, *p) != 0;
        }
    }
    if (!bad)
        whole = slice_dup(buf_slice(&b));
    buf_release(&b);
    return whole;
}

static void finish_maildir(struct draft *d, const char *account)
{
    char *whole;

    if (d->out->path == NULL) {
        if (!wrote(d, "path"))
            problem(d, "path is missing: ", "path = \"~/Mail/%a\" (%a is the account's name)");
        return;
    }
    whole = with_name(d->out->path, account);
    if (whole == NULL) {
        conf_report_nomem(d->report);
        return;
    }
    free(d->out->path);
    d->out->path = whole;
}

/* ---- smtp, lmtp, imap ---- */

static void set_tls(struct draft *d)
{
    struct conf_deliver *o = d->out;

    if (wrote(d, "tls"))
        return;
    if (o->type == CONF_DELIVER_IMAP)
        o->tls = CONF_TLS_IMPLICIT;
    else if (o->socket != NULL || (o->host != NULL && conf_is_loopback(o->host)))
        o->tls = CONF_TLS_PLAINTEXT;
    else
        o->tls = CONF_TLS_STARTTLS;
}

/* RFC 6409: submission is where one logs in; RFC 8314: 465 is submission over TLS. RFC 2033: LMTP is never on 25. */
static uint16_t usual_port(const struct conf_deliver *o)
{
    if (o->type == CONF_DELIVER_IMAP)
        return o->tls == CONF_TLS_IMPLICIT ? 993 : 143;
    if (o->type == CONF_DELIVER_LMTP)
        return 24;
    if (o->tls == CONF_TLS_IMPLICIT)
        return 465;
    return o->tls == CONF_TLS_STARTTLS && o->login.user != NULL ? 587 : 25;
}

static void check_socket(struct draft *d)
{
    static const char *const none[] = { "host",          "port",         "tls_trust_file",  "tls_fingerprint",
                                        "tls_cert_file", "tls_key_file", "tls_min_version", "tls" };
    /* Said in so many words, it is no contradiction. */
    size_t n = ARRAY_LEN(none) - (d->out->tls == CONF_TLS_PLAINTEXT);

    for (size_t i = 0; i < n; i++) {
        struct conf_value v = { .report = d->report, .where = d->where };

        if (conf_section_get(d->section, conf_key_find(IN_DELIVER, none[i]), &v))
            conf_bad(&v, "socket is there too, and a Unix socket has no such thing; keep one of the two");
    }
}

/* RFC 5321 section 5.1. Whoever forges an answer of the DNS chooses the server that is called a domain's: it is given
 * mail, never a password. */
static void check_domain(struct draft *d)
{
    static const char *const none[] = { "host", "port", "user" };
    struct conf_value v = { .report = d->report, .where = d->where };
    unsigned char ip[16];

    if (conf_section_get(d->section, conf_key_find(IN_DELIVER, "domain"), &v) && d->out->domain != NULL &&
        (inet_pton(AF_INET, d->out->domain, ip) == 1 || inet_pton(AF_INET6, d->out->domain, ip) == 1))
        conf_bad(&v, "\"%.80s\" is an address; a server that you know is host", d->out->domain);
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        if (conf_section_get(d->section, conf_key_find(IN_DELIVER, none[i]), &v))
            conf_bad(&v, "domain is there too, whose mail servers the DNS tells: they are on port 25, and nobody logs "
                         "in to them; keep one of the two");
    }
    if (conf_section_get(d->section, conf_key_find(IN_DELIVER, "tls"), &v) && d->out->tls != CONF_TLS_STARTTLS)
        conf_bad(&v, "domain is there too, and its mail servers are spoken to with starttls");
}

static void check_login(struct draft *d)
{
    static const char *const keys[] = { "password", "password_command", "password_file", "netrc", "authorize_as",
                                        "auth",     "oauth_client_id" };
    const struct conf_login_draft login = {
        .place = { .report = d->report, .where = d->where, .in = IN_DELIVER, .own = d->section },
        .plaintext = d->out->tls == CONF_TLS_PLAINTEXT,
        .tls = &d->out->tls_settings,
        .login = &d->out->login
    };

    conf_one_password(d->report, d->where, IN_DELIVER, d->section);
    for (size_t i = 0; i < ARRAY_LEN(keys) && !wrote(d, "user"); i++) {
        if (wrote(d, keys[i])) {
            problem(d, keys[i], " without user: who logs in?");
            return;
        }
    }
    conf_login_set_grant(&login.place, login.login);
    conf_login_check(&login);
}

static void set_login(struct draft *d, const char *parent)
{
    struct conf_login *l = &d->out->login;
    size_t n = strlen(parent);

    l->machine = d->out->host;
    if ((l->auth.n == 0 && !wrote(d, "auth") && conf_strings_set(&l->auth, "auto") != 0) ||
        asprintf(&l->whose, "%.*s, destination %s", n > 2 ? (int)n - 2 : 0, parent, d->out->name) < 0) {
        l->whose = NULL;
        conf_report_nomem(d->report);
    }
}

static void finish_server(struct draft *d, const char *parent)
{
    struct conf_deliver *o = d->out;
    bool by_socket = o->type == CONF_DELIVER_LMTP && wrote(d, "socket");

    set_tls(d);
    if (o->port == 0 && o->socket == NULL)
        o->port = usual_port(o);
    if (by_socket)
        check_socket(d);
    else if (o->type == CONF_DELIVER_SMTP && wrote(d, "domain"))
        check_domain(d);
    else if (!wrote(d, "host"))
        problem(d, "host is missing: ",
                o->type == CONF_DELIVER_LMTP   ? "host = \"localhost\", or socket = \"/run/dovecot/lmtp\""
                : o->type == CONF_DELIVER_IMAP ? "host = \"imap.example.org\""
                                               : "host = \"localhost\"");
    if (wrote(d, "tls_key_file") && !wrote(d, "tls_cert_file"))
        problem(d, "tls_key_file without ", "tls_cert_file");
    set_login(d, parent);
    check_login(d);
}

static void finish_mta(struct draft *d)
{
    static const char *const multidrop[] = { "to_domains", "to_strip_prefix", "to_fallback" };

    if (wrote(d, "to") && wrote(d, "to_header"))
        problem(d, "to and to_header: ",
                "either all mail has the same recipients, or a header field tells them; the address for mail in which "
                "the field tells none is to_fallback");
    else if (!wrote(d, "to") && !wrote(d, "to_header"))
        problem(
            d, "to is missing: ", "to = \"me@localhost\", or for a mailbox of many users to_header = \"Delivered-To\"");
    for (size_t i = 0; i < ARRAY_LEN(multidrop) && !wrote(d, "to_header"); i++) {
        if (wrote(d, multidrop[i]))
            problem(d, multidrop[i], " without to_header, whose addresses it is about");
    }
}

static void finish_imap(struct draft *d)
{
    if (!wrote(d, "user"))
        problem(d, "user is missing: ", "user = \"me@example.org\"");
    if (wrote(d, "folder") && wrote(d, "folder_prefix"))
        problem(d, "folder and folder_prefix: ",
                "mail goes either into one folder or into those of its source, below a prefix; keep one of the two");
}

static void finish_command(struct draft *d)
{
    if (!wrote(d, "command"))
        problem(d, "command is missing: ", "command = { \"/usr/bin/procmail\", \"-d\", \"me\" }");
}

bool conf_good_name(const char *name)
{
    char printable[2 * CONF_NAME_MAX];
    size_t n = strlen(name);

    if (n == 0 || n > CONF_NAME_MAX || name[0] == '.' || name[0] == '-' || strchr(name, '/') != NULL)
        return false;
    log_printable(printable, sizeof(printable), slice_str(name));
    return strcmp(printable, name) == 0;
}

static int begin(struct draft *d)
{
    struct conf_deliver *o = d->out;

    if (!conf_good_name(d->section->title))
        return conf_report(d->report, d->section->filename, conf_section_line(d->section),
                           "%sthis cannot be a destination's name (1 to %d characters, no /, no . or - in front)",
                           d->where, (int)CONF_NAME_MAX);
    o->name = strdup(d->section->title);
    if (o->name == NULL)
        return conf_report_nomem(d->report);
    o->time_limit = 60;
    o->max_parallel = 4;
    return set_type(d);
}

void conf_deliver_build(struct conf_report *r, const char *parent, const char *account, cfg_t *section,
                        struct conf_deliver *out)
{
    struct draft d = { .report = r, .section = section, .out = out };

    snprintf(d.where, sizeof(d.where), "%sdeliver %.100s: ", parent, section->title);
    if (begin(&d) != 0)
        return;
    set_values(&d);
    switch (out->type) {
    case CONF_DELIVER_MAILDIR:
        finish_maildir(&d, account);
        break;
    case CONF_DELIVER_SMTP:
    case CONF_DELIVER_LMTP:
        finish_server(&d, parent);
        finish_mta(&d);
        break;
    case CONF_DELIVER_IMAP:
        finish_server(&d, parent);
        finish_imap(&d);
        break;
    case CONF_DELIVER_COMMAND:
        finish_command(&d);
        break;
    }
}
