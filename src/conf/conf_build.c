/* SPDX-License-Identifier: MIT */
#include "conf/conf_int.h"

#include "wire/folder.h"

/* What one account is made of. */
struct draft {
    struct conf_place place;
    char where[CONF_NAME_MAX + 16]; /* "account work: " */
    struct conf_account *account;
};

static int problem(const struct draft *d, const char *what, const char *hint)
{
    return conf_place_bad(&d->place, "%s%s", what, hint);
}

int conf_strings_set(struct conf_strings *s, const char *only)
{
    s->v = calloc(2, sizeof(*s->v));
    if (s->v == NULL || (s->v[0] = strdup(only)) == NULL)
        return -1;
    s->n = 1;
    return 0;
}

static int begin_account(struct draft *d)
{
    struct conf_account *a = d->account;

    *a = (struct conf_account){ .enabled = true,
                                .timeout = 60,
                                .max_connections = 3,
                                .leave_s = CONF_LEAVE_FOREVER,
                                .interval = 300,
                                .failure_threshold = 3 };
    if (conf_strings_set(&a->folders, "INBOX") != 0 || conf_strings_set(&a->idle, "INBOX") != 0 ||
        conf_strings_set(&a->login.auth, "auto") != 0)
        return conf_report_nomem(d->place.report);
    return 0;
}

void conf_one_password(struct conf_report *r, const char *where, unsigned in, cfg_t *section)
{
    const char *first = NULL;
    struct conf_value v;

    for (size_t i = 0; i < conf_key_count; i++) {
        if (conf_keys[i].where != in || !conf_key_is_password(&conf_keys[i]) ||
            !conf_section_get(section, &conf_keys[i], &v))
            continue;
        if (first != NULL)
            conf_report(r, v.file, v.line, "%s%s: %s is there too; keep one of the two", where, v.key->name, first);
        first = conf_keys[i].name;
    }
}

static void set_values(struct draft *d)
{
    struct conf_report silent = { .first = d->place.report->first, .quiet = true };
    struct conf_value v;

    for (size_t i = 0; i < conf_key_count; i++) {
        const struct conf_key *key = &conf_keys[i];

        if (key->where != IN_ACCOUNT)
            continue;
        if (conf_place_find_own(&d->place, key, &v)) {
            (void)conf_value_store(&v, d->account);
        } else if (conf_place_find(&d->place, key, &v)) {
            v.report = &silent;
            (void)conf_value_store(&v, d->account);
        }
    }
}

static const cfg_opt_t *delivers_of(const cfg_t *section)
{
    for (const cfg_opt_t *opt = section->opts; opt->name != NULL; opt++) {
        if (opt->type == CFGT_SEC && strcmp(opt->name, "deliver") == 0)
            return opt->nvalues > 0 ? opt : NULL;
    }
    return NULL;
}

static void set_delivers(struct draft *d)
{
    struct conf_report silent = { .first = d->place.report->first, .quiet = true };
    struct conf_report *r = d->place.report;
    const cfg_opt_t *sections = delivers_of(d->place.own);
    struct conf_account *a = d->account;

    for (size_t at = d->place.default_count; at-- > 0 && sections == NULL;) {
        sections = delivers_of(d->place.defaults[at]);
        r = &silent;
    }
    if (sections == NULL) {
        problem(d, "no deliver section, so its mail has no place to go: ",
                "write  deliver maildir { path = \"~/Mail/%a\" }  into it");
        return;
    }
    a->delivers = calloc(sections->nvalues, sizeof(*a->delivers));
    if (a->delivers == NULL) {
        conf_report_nomem(d->place.report);
        return;
    }
    for (; a->deliver_count < sections->nvalues; a->deliver_count++)
        conf_deliver_build(r, d->where, a->name, sections->values[a->deliver_count]->section,
                           &a->delivers[a->deliver_count]);
}

static bool is_usual(uint16_t port)
{
    return port == 993 || port == 143 || port == 995 || port == 110;
}

static bool selects(const struct conf_account *a, const char *folder)
{
    return folder_selected((const char *const *)a->folders.v, a->folders.n, slice_str(folder), '/', 0);
}

/* What is appended where it was fetched from is new mail there: every pass would hand on what the one before did. */
static bool feeds_itself(const struct conf_account *a, const struct conf_deliver *o)
{
    bool one_server = o->type == CONF_DELIVER_IMAP && a->host != NULL && o->host != NULL && a->login.user != NULL &&
                      o->login.user != NULL && slice_ieq(slice_str(a->host), slice_str(o->host)) &&
                      strcmp(a->login.user, o->login.user) == 0 &&
                      (a->port == o->port || (is_usual(a->port) && is_usual(o->port)));

    if (!one_server || o->folder_prefix != NULL)
        return false;
    if (a->protocol == CONF_POP3)
        return o->folder == NULL || slice_ieq(slice_str(o->folder), SLICE("INBOX"));
    return o->folder == NULL || selects(a, o->folder);
}

static void check_circles(struct draft *d)
{
    for (size_t i = 0; i < d->account->deliver_count; i++) {
        const struct conf_deliver *o = &d->account->delivers[i];
        char what[2 * CONF_NAME_MAX + 64];

        if (!feeds_itself(d->account, o))
            continue;
        snprintf(what, sizeof(what), "deliver %.100s puts the mail back where it is fetched from, for ever: ", o->name);
        problem(d, what, "name another folder, one that `folders` does not select, or another account");
    }
}

static uint16_t usual_port(const struct conf_account *a)
{
    if (a->protocol == CONF_IMAP)
        return a->tls == CONF_TLS_IMPLICIT ? 993 : 143;
    return a->tls == CONF_TLS_IMPLICIT ? 995 : 110;
}

static void check_login(struct draft *d)
{
    struct conf_account *a = d->account;
    const struct conf_login_draft login = { .place = d->place,
                                            .pop3 = a->protocol == CONF_POP3,
                                            .plaintext = a->tls == CONF_TLS_PLAINTEXT,
                                            .tls = &a->tls_settings,
                                            .login = &a->login };

    conf_login_check(&login);
}

/* What is wrong only in sight of the whole account. A key that was written, and refused for its value, is not
 * missing. */
static void check_whole(struct draft *d)
{
    struct conf_account *a = d->account;

    if (a->port == 0)
        a->port = usual_port(a);
    if (a->tunnel.n == 0 && a->host == NULL && !conf_place_wrote(&d->place, "host") &&
        !conf_place_wrote(&d->place, "provider"))
        problem(d, "host is missing: ", "host = \"imap.example.org\"");
    if (a->tunnel.n > 0 && a->host == NULL && a->tls != CONF_TLS_PLAINTEXT && !conf_place_wrote(&d->place, "host"))
        problem(d, "TLS through a tunnel needs host, the name in the certificate; ",
                "if the tunnel itself is safe: tls = \"plaintext\"");
    if (a->tunnel.n == 0 && a->login.user == NULL && !conf_place_wrote(&d->place, "user"))
        problem(d, "user is missing: ", "user = \"me@example.org\"");
    if (a->tunnel.n > 0 && a->proxy_host != NULL)
        problem(d, "tunnel and proxy: ", "a connection goes through one of them");
    if (a->tls_settings.key_file != NULL && a->tls_settings.cert_file == NULL &&
        !conf_place_wrote(&d->place, "tls_cert_file"))
        problem(d, "tls_key_file without ", "tls_cert_file");
    check_login(d);
    set_delivers(d);
    check_circles(d);
}

static void build_account(struct draft *d, struct conf *c)
{
    struct conf_account *a;
    const struct conf_account *twin = conf_find(c, d->place.own->title);

    snprintf(d->where, sizeof(d->where), "account %.100s: ", d->place.own->title);
    d->place.where = d->where;
    conf_place_look(&d->place);
    if (!conf_good_name(d->place.own->title)) {
        problem(d, "this cannot be an account's name ", "(1 to 100 characters, no /, no . or - in front)");
        return;
    }
    if (twin != NULL) {
        conf_report(d->place.report, d->place.own->filename, conf_section_line(d->place.own),
                    "%sa second account of this name; the first is in %s, line %d", d->where, twin->file, twin->line);
        return;
    }
    a = calloc(1, sizeof(*a));
    if (a == NULL) {
        conf_report_nomem(d->place.report);
        return;
    }
    d->account = c->accounts[c->account_count++] = a;
    if (begin_account(d) != 0)
        return;
    a->name = strdup(d->place.own->title);
    a->file = strdup(d->place.own->filename);
    a->line = conf_section_line(d->place.own);
    if (a->name == NULL || a->file == NULL) {
        conf_report_nomem(d->place.report);
        return;
    }
    conf_one_password(d->place.report, d->where, IN_ACCOUNT, d->place.own);
    set_values(d);
    conf_login_set_grant(&d->place, &a->login);
    conf_provider_fill(&d->place, a);
    check_whole(d);
    if (asprintf(&a->login.whose, "account %s", a->name) < 0) {
        a->login.whose = NULL;
        conf_report_nomem(d->place.report);
    }
    a->login.machine = a->host;
    a->login.account = a->name;
    for (size_t i = 0; i < a->deliver_count; i++)
        a->delivers[i].login.account = a->name;
}

/* Every value in `defaults` is looked at once, here, whether or not an account makes use of it. */
static void check_defaults(struct conf_report *r, cfg_t *section)
{
    struct conf_account scratch = { .enabled = true };
    const cfg_opt_t *delivers = delivers_of(section);

    conf_one_password(r, "defaults: ", IN_ACCOUNT, section);
    for (size_t i = 0; i < conf_key_count; i++) {
        struct conf_value v = { .report = r, .where = "defaults: " };

        if (conf_keys[i].where == IN_ACCOUNT && conf_section_get(section, &conf_keys[i], &v))
            (void)conf_value_store(&v, &scratch);
    }
    for (unsigned i = 0; delivers != NULL && i < delivers->nvalues; i++) {
        struct conf_deliver deliver = { .name = NULL };

        conf_deliver_build(r, "defaults: ", "", delivers->values[i]->section, &deliver);
        conf_deliver_release(&deliver);
    }
    conf_account_release(&scratch);
}

static const cfg_opt_t *sections_of(const cfg_t *tree, const char *name)
{
    for (const cfg_opt_t *opt = tree->opts; opt->name != NULL; opt++) {
        if (opt->type == CFGT_SEC && strcmp(opt->name, name) == 0)
            return opt;
    }
    return NULL;
}

/* All sections of that name, in the order of the files; the caller frees the array. */
static cfg_t **collect(cfg_t *const *trees, size_t count, const char *name, size_t *n_out)
{
    cfg_t **all;
    size_t total = 0, at = 0;

    for (size_t i = 0; i < count; i++)
        total += sections_of(trees[i], name)->nvalues;
    all = calloc(total + 1, sizeof(cfg_t *));
    for (size_t i = 0; all != NULL && i < count; i++) {
        const cfg_opt_t *opt = sections_of(trees[i], name);

        for (unsigned k = 0; k < opt->nvalues; k++)
            all[at++] = opt->values[k]->section;
    }
    *n_out = total;
    return all;
}

static void set_globals(struct conf_report *r, cfg_t *const *trees, size_t count, struct conf *c)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < conf_key_count; k++) {
            struct conf_value v = { .report = r, .where = "" };

            if (conf_keys[k].where == IN_GLOBAL && conf_section_get(trees[i], &conf_keys[k], &v))
                (void)conf_value_store(&v, c);
        }
    }
}

void conf_build(struct conf_report *r, cfg_t *const *trees, size_t count, struct conf *c)
{
    size_t default_count = 0, account_count = 0;
    cfg_t **defaults = collect(trees, count, "defaults", &default_count);
    cfg_t **accounts = collect(trees, count, "account", &account_count);

    c->accounts = calloc(account_count + 1, sizeof(struct conf_account *));
    if (defaults == NULL || accounts == NULL || c->accounts == NULL) {
        conf_report_nomem(r);
        goto out;
    }
    set_globals(r, trees, count, c);
    for (size_t i = 0; i < default_count; i++)
        check_defaults(r, defaults[i]);
    for (size_t i = 0; i < account_count; i++) {
        struct draft d = { .place = { .report = r,
                                      .in = IN_ACCOUNT,
                                      .own = accounts[i],
                                      .defaults = defaults,
                                      .default_count = default_count } };

        build_account(&d, c);
    }
    if (account_count == 0)
        conf_report(r, c->path, 0, "no account in it: write  account \"work\" { ... }  (mailhaul.conf(5) shows how)");
out:
    free(defaults);
    free(accounts);
}
