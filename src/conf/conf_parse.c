/* SPDX-License-Identifier: MIT */
#include "conf/conf_int.h"

#include <assert.h>
#include <stdio.h>

/* libconfuse expands its defaults when a section opens: this hidden list then learns the line. Its name cannot be
 * written in a file ("|" separates sections in a name). */
static char line_key[] = "section|line", line_value[] = "{x}";

struct attempt {
    struct conf_report *report;
    struct {
        unsigned where;
        char *name;
    } unknown
        [CONF_REPORT_MAX]; /* names that were refused: let through in the next attempt, to find what else is wrong */
    size_t unknown_count;
    bool same_accounts, same_delivers; /* duplicates were told already */
    bool again;
};

/* The library's callbacks have no argument for their caller, and its lexer is one for the process: main thread only. */
static struct attempt *current;

static unsigned where_of(const cfg_t *section)
{
    if (strcmp(section->name, "root") == 0)
        return IN_GLOBAL;
    return strcmp(section->name, "deliver") == 0 ? IN_DELIVER : IN_ACCOUNT;
}

/* "account work: " of the section, for messages of the parser. */
static void describe(const cfg_t *section, char *out, size_t size)
{
    out[0] = '\0';
    if (where_of(section) != IN_GLOBAL)
        snprintf(out, size, "%s%s%.100s: ", section->name, section->title != NULL ? " " : "",
                 section->title != NULL ? section->title : "");
}

static const char *place_of(const char *key)
{
    if (conf_key_find(IN_GLOBAL, key) != NULL)
        return "outside of sections";
    return conf_key_find(IN_ACCOUNT, key) != NULL ? "in an account or in defaults" : "in a deliver section";
}

/* What a person may have meant, behind "unknown key". */
static void hint(unsigned where, const char *name, char *out, size_t size)
{
    const char *near = conf_key_nearest(where, name, true);
    const char *any;

    out[0] = '\0';
    if (conf_key_find(IN_GLOBAL | IN_ACCOUNT | IN_DELIVER, name) != NULL)
        snprintf(out, size, " in this place: it stands %s%s%s%s", place_of(name),
                 near != NULL ? "; or did you mean \"" : "", near != NULL ? near : "", near != NULL ? "\"?" : "");
    else if (near != NULL)
        snprintf(out, size, "; did you mean \"%s\"?", near);
    else if ((near = conf_key_nearest(IN_GLOBAL | IN_ACCOUNT | IN_DELIVER, name, true)) != NULL)
        snprintf(out, size, "; did you mean \"%s\", which stands %s?", near, place_of(near));
    else if ((any = conf_key_nearest(where, name, false)) != NULL)
        snprintf(out, size, "; the nearest known one is \"%s\"", any);
}

static bool was_refused(unsigned where, const char *name)
{
    for (size_t i = 0; i < current->unknown_count; i++) {
        if (current->unknown[i].where == where && strcmp(current->unknown[i].name, name) == 0)
            return true;
    }
    return false;
}

static void refuse(cfg_t *section, const char *name)
{
    char where[150], meant[150];
    unsigned in = where_of(section);

    describe(section, where, sizeof(where));
    hint(in, name, meant, sizeof(meant));
    conf_report(current->report, section->filename, section->line, "%sunknown key \"%.80s\"%s", where, name, meant);
    /* The library takes "|" and "=" in a name apart, so such a one cannot be let through. */
    if (current->unknown_count == ARRAY_LEN(current->unknown) || strpbrk(name, "|=") != NULL)
        return;
    current->unknown[current->unknown_count].where = in;
    current->unknown[current->unknown_count].name = strdup(name);
    if (current->unknown[current->unknown_count].name != NULL) {
        current->unknown_count++;
        current->again = true;
    }
}

static void on_error(cfg_t *section, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
static void on_error(cfg_t *section, const char *fmt, va_list ap)
{
    char where[150], what[200];

    describe(section, where, sizeof(where));
    if (strcmp(fmt, "no such option '%s'") == 0) {
        refuse(section, va_arg(ap, const char *));
        return;
    }
    if (strcmp(fmt, "found duplicate title '%s'") == 0) {
        bool *told = where_of(section) == IN_GLOBAL ? &current->same_accounts : &current->same_delivers;

        conf_report(current->report, section->filename, section->line,
                    "%sa second %s \"%.100s\"; each name is used once", where,
                    where_of(section) == IN_GLOBAL ? "account" : "deliver", va_arg(ap, const char *));
        *told = true;
        current->again = true;
        return;
    }
    if (strcmp(fmt, "missing equal sign after option '%s'") == 0) {
        const char *name = va_arg(ap, const char *);

        /* An unknown section, told as an unknown key before. */
        if (!was_refused(where_of(section), name))
            conf_report(current->report, section->filename, section->line, "%s%s: \"=\" is missing behind the key",
                        where, name);
        return;
    }
    if (strcmp(fmt, "premature end of file") == 0) {
        conf_report(current->report, section->filename, section->line,
                    "%sthe file ends in the middle; is a \"}\" missing?", where);
        return;
    }
    if (strcmp(fmt, "missing title for section '%s'") == 0) {
        const char *name = va_arg(ap, const char *);

        conf_report(current->report, section->filename, section->line, "%s%s needs a name and braces: %s { ... }",
                    where, name, where_of(section) == IN_GLOBAL ? "account \"work\"" : "deliver maildir");
        return;
    }
    vsnprintf(what, sizeof(what), fmt, ap);
    conf_report(current->report, section->filename, section->line, "%s%s", where, what);
}

static int note_line(cfg_t *section, cfg_opt_t *opt)
{
    char line[16];

    snprintf(line, sizeof(line), "%d", section->line);
    if (opt->nvalues <= 1)
        (void)cfg_opt_setcomment(opt, line);
    return 0;
}

static cfg_opt_t *add(cfg_opt_t *opt, const char *name, bool is_list)
{
    const cfg_opt_t string = CFG_STR(name, NULL, CFGF_NODEFAULT), strings = CFG_STR_LIST(name, NULL, CFGF_NODEFAULT);

    *opt = is_list ? strings : string;
    opt->validcb = note_line;
    return opt + 1;
}

enum { OPTIONS_MAX = 128 + CONF_REPORT_MAX };

/* The keys of `where`, then those that were refused there. Returns the place for what follows. */
static cfg_opt_t *fill(cfg_opt_t *opt, unsigned where)
{
    cfg_opt_t marker = CFG_STR_LIST(line_key, line_value, CFGF_NONE);

    if (where != IN_GLOBAL) {
        *opt = marker;
        opt->validcb = note_line;
        opt++;
    }
    for (size_t i = 0; i < conf_key_count; i++) {
        if (conf_keys[i].where == where)
            opt = add(opt, conf_keys[i].name, conf_key_is_list(&conf_keys[i]));
    }
    for (size_t i = 0; i < current->unknown_count; i++) {
        if (current->unknown[i].where == where)
            opt = add(opt, current->unknown[i].name, true);
    }
    return opt;
}

static cfg_t *make_tree(void)
{
    static const cfg_opt_t end = CFG_END();
    cfg_opt_t root[OPTIONS_MAX], account[OPTIONS_MAX], deliver[OPTIONS_MAX], *opt;
    cfg_flag_t accounts = CFGF_MULTI | CFGF_TITLE | (current->same_accounts ? 0 : CFGF_NO_TITLE_DUPES);
    cfg_flag_t delivers = CFGF_MULTI | CFGF_TITLE | (current->same_delivers ? 0 : CFGF_NO_TITLE_DUPES);
    const cfg_opt_t deliver_section = CFG_SEC("deliver", deliver, delivers);
    const cfg_opt_t account_section = CFG_SEC("account", account, accounts);
    const cfg_opt_t defaults_section = CFG_SEC("defaults", account, CFGF_MULTI);

    _Static_assert(OPTIONS_MAX > CONF_REPORT_MAX + 100, "room for every key");
    opt = fill(deliver, IN_DELIVER);
    *opt = end;
    opt = fill(account, IN_ACCOUNT);
    *opt++ = deliver_section;
    *opt = end;
    opt = fill(root, IN_GLOBAL);
    *opt++ = account_section;
    *opt++ = defaults_section;
    *opt = end;
    return cfg_init(root, CFGF_NONE);
}

static cfg_t *parse_once(const char *file, struct buf *text)
{
    cfg_t *tree = make_tree();
    FILE *fp = NULL;
    int rc = CFG_SUCCESS;

    current->again = false;
    if (tree == NULL || (tree->filename = strdup(file)) == NULL)
        goto nomem;
    (void)cfg_set_error_function(tree, on_error);
    if (text->len > 0) {
        fp = fmemopen(text->p, text->len, "r");
        if (fp == NULL)
            goto nomem;
        rc = cfg_parse_fp(tree, fp);
        fclose(fp);
    }
    if (rc == CFG_SUCCESS)
        return tree;
    if (current->report->count == 0)
        conf_report(current->report, file, tree->line, "not understood");
    conf_parse_free(tree);
    return NULL;
nomem:
    conf_report_nomem(current->report);
    conf_parse_free(tree);
    return NULL;
}

cfg_t *conf_parse(struct conf_report *r, const char *file, struct buf *text)
{
    struct attempt attempt = { .report = r };
    cfg_t *tree;

    current = &attempt;
    do
        tree = parse_once(file, text);
    while (tree == NULL && attempt.again && r->count < CONF_REPORT_MAX);
    current = NULL;
    for (size_t i = 0; i < attempt.unknown_count; i++)
        free(attempt.unknown[i].name);
    return tree;
}

static void wipe(cfg_opt_t *opt)
{
    for (unsigned i = 0; i < opt->nvalues; i++) {
        char *s = opt->values[i]->string;

        if (s != NULL)
            explicit_bzero(s, strlen(s));
    }
}

static void wipe_strings(cfg_t *section)
{
    for (cfg_opt_t *opt = section->opts; opt->name != NULL; opt++) {
        if (opt->type == CFGT_STR && (strcmp(opt->name, "password") == 0 || strcmp(opt->name, "proxy") == 0 ||
                                      strcmp(opt->name, "oauth_client_secret") == 0))
            wipe(opt);
    }
}

static void wipe_sections(cfg_t *section, void (*each)(cfg_t *))
{
    for (cfg_opt_t *opt = section->opts; opt->name != NULL; opt++) {
        for (unsigned i = 0; opt->type == CFGT_SEC && i < opt->nvalues; i++)
            each(opt->values[i]->section);
    }
}

static void wipe_account(cfg_t *section)
{
    wipe_strings(section);
    wipe_sections(section, wipe_strings);
}

void conf_parse_free(cfg_t *tree)
{
    if (tree == NULL)
        return;
    wipe_sections(tree, wipe_account);
    cfg_free(tree);
}

static const cfg_opt_t *find(const cfg_t *section, const char *name)
{
    for (const cfg_opt_t *opt = section->opts; opt->name != NULL; opt++) {
        if (strcmp(opt->name, name) == 0)
            return opt;
    }
    return NULL;
}

static int line_of(const cfg_opt_t *opt)
{
    return opt != NULL && opt->comment != NULL ? (int)strtol(opt->comment, NULL, 10) : 0;
}

int conf_section_line(cfg_t *section)
{
    return line_of(find(section, line_key));
}

/* fill() laid the keys of a place out in the order of the table: a thousand accounts ask for each of sixty. */
static const cfg_opt_t *find_key(const cfg_t *section, const struct conf_key *key)
{
    size_t at = key->where != IN_GLOBAL;

    for (const struct conf_key *k = conf_keys; k < key; k++)
        at += k->where == key->where;
    assert(strcmp(section->opts[at].name, key->name) == 0);
    return &section->opts[at];
}

bool conf_section_get(cfg_t *section, const struct conf_key *key, struct conf_value *out)
{
    const cfg_opt_t *opt = find_key(section, key);

    if ((opt->flags & CFGF_MODIFIED) == 0)
        return false;
    out->file = section->filename;
    out->line = opt->comment != NULL ? line_of(opt) : conf_section_line(section);
    out->key = key;
    out->v = opt->values;
    out->n = opt->nvalues;
    return true;
}
