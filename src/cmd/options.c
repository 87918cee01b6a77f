/* SPDX-License-Identifier: MIT */
#include "cmd/options.h"

#include <getopt.h>

enum { OPT_JSON = 256, OPT_OVERSIZE, OPT_CONNECT, OPT_ADOPT, OPT_PROMETHEUS, OPT_WATCH, OPT_DEVICE };

static const struct option long_options[] = {
    { "config", required_argument, NULL, 'c' },
    { "verbose", no_argument, NULL, 'v' },
    { "quiet", no_argument, NULL, 'q' },
    { "dry-run", no_argument, NULL, 'n' },
    { "json", no_argument, NULL, OPT_JSON },
    { "oversize", no_argument, NULL, OPT_OVERSIZE },
    { "connect", no_argument, NULL, OPT_CONNECT },
    { "adopt", no_argument, NULL, OPT_ADOPT },
    { "prometheus", no_argument, NULL, OPT_PROMETHEUS },
    { "watch", no_argument, NULL, OPT_WATCH },
    { "device", no_argument, NULL, OPT_DEVICE },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' },
    { NULL, 0, NULL, 0 },
};

static int bad_option(char **argv, struct err *e)
{
    const char *names[ARRAY_LEN(long_options)];
    const char *word = argv[optind - 1], *near = NULL;
    size_t n = 0, length;
    char bare[64];

    if (optopt != 0 && optopt < 256)
        return optopt == 'c' ? err_set(e, E_USAGE, "option -c needs a file behind it")
                             : err_set(e, E_USAGE, "unknown option -%c; mailhaul --help lists them", optopt);
    for (; long_options[n].name != NULL; n++)
        names[n] = long_options[n].name;
    length = strcspn(word, "=");
    snprintf(bare, sizeof(bare), "%.*s", (int)size_min(length > 2 ? length - 2 : 0, sizeof(bare) - 1), word + 2);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], bare) == 0)
            return err_set(e, E_USAGE, "option --%s takes no value", bare);
    }
    near = conf_nearest(bare, names, n);
    if (near != NULL)
        return err_set(e, E_USAGE, "unknown option %s; did you mean --%s?", word, near);
    return err_set(e, E_USAGE, "unknown option %s; mailhaul --help lists them", word);
}

static int take(struct options *out, int option, unsigned *used, char **argv, struct err *e)
{
    struct cmd_options *o = &out->o;

    switch (option) {
    case 'c':
        o->config = optarg;
        return optarg[0] != '\0' ? 0 : err_set(e, E_USAGE, "option -c needs a file behind it");
    case 'v':
        o->verbosity++;
        return 0;
    case 'q':
        o->quiet = true;
        return 0;
    case 'n':
        o->dry_run = true;
        return 0;
    case 'h':
        out->help = true;
        return 0;
    case 'V':
        out->version = true;
        return 0;
    case OPT_JSON:
        o->json = true;
        return 0;
    case OPT_OVERSIZE:
        o->oversize = true;
        *used |= TAKES_OVERSIZE;
        return 0;
    case OPT_CONNECT:
        o->connect = true;
        *used |= TAKES_CONNECT;
        return 0;
    case OPT_ADOPT:
        o->adopt = true;
        *used |= TAKES_ADOPT;
        return 0;
    case OPT_PROMETHEUS:
        o->prometheus = true;
        *used |= TAKES_PROMETHEUS;
        return 0;
    case OPT_WATCH:
        o->watch = true;
        *used |= TAKES_WATCH;
        return 0;
    case OPT_DEVICE:
        o->device = true;
        *used |= TAKES_DEVICE;
        return 0;
    case ':':
        return err_set(e, E_USAGE, "option %s needs a file behind it", argv[optind - 1]);
    default:
        return bad_option(argv, e);
    }
}

static const struct cmd *find(const char *name)
{
    for (size_t i = 0; i < cmd_count; i++) {
        if (strcmp(cmds[i].name, name) == 0)
            return &cmds[i];
    }
    return NULL;
}

/* An option that the command has no use for was meant for another one. */
static int check_options(const struct cmd *cmd, unsigned used, struct err *e)
{
    static const struct {
        unsigned bit;
        const char *name;
    } bits[] = { { TAKES_OVERSIZE, "--oversize" }, { TAKES_CONNECT, "--connect" },       { TAKES_ADOPT, "--adopt" },
                 { TAKES_WATCH, "--watch" },       { TAKES_PROMETHEUS, "--prometheus" }, { TAKES_DEVICE, "--device" } };

    for (size_t i = 0; i < ARRAY_LEN(bits); i++) {
        if ((used & bits[i].bit & ~cmd->takes) != 0)
            return err_set(e, E_USAGE, "mailhaul %s has no option %s", cmd->name, bits[i].name);
    }
    return 0;
}

static int take_action(struct options *out, struct err *e)
{
    const char *const *actions = out->cmd->actions;
    const char *word = out->name_count > 0 ? out->names[0] : "", *near;
    size_t n = 0;

    for (; actions[n] != NULL; n++) {
        if (strcmp(word, actions[n]) == 0) {
            out->o.action = actions[n];
            out->names++;
            out->name_count--;
            return 0;
        }
    }
    near = conf_nearest(word, actions, n);
    if (near != NULL)
        return err_set(e, E_USAGE, "unknown action \"%s\"; did you mean \"%s\"?", word, near);
    return err_set(e, E_USAGE, "usage: mailhaul %s", out->cmd->synopsis);
}

int options_parse(struct options *out, int argc, char **argv, struct err *e)
{
    unsigned used = 0;
    int option;

    *out = (struct options){ .cmd = &cmds[0], .implied = true };
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":c:vqnhV", long_options, NULL)) != -1) {
        if (take(out, option, &used, argv, e) != 0)
            return -1;
    }
    if (out->help || out->version)
        return 0;
    out->names = argv + optind;
    out->name_count = (size_t)(argc - optind);
    if (out->name_count > 0 && find(out->names[0]) != NULL) {
        out->cmd = find(out->names[0]);
        out->implied = false;
        out->names++;
        out->name_count--;
    }
    if (out->cmd->run == NULL)
        return err_set(e, E_CONFIG, "mailhaul %s is not yet supported by this version", out->cmd->name);
    if (out->o.json && out->o.prometheus)
        return err_set(e, E_USAGE, "--json and --prometheus are two forms of the same; give one of them");
    if (check_options(out->cmd, used, e) != 0 || (out->cmd->actions != NULL && take_action(out, e) != 0))
        return -1;
    if (out->name_count < out->cmd->accounts_min || out->name_count > out->cmd->accounts_max)
        return err_set(e, E_USAGE, "usage: mailhaul %s", out->cmd->synopsis);
    return 0;
}

int options_unknown(const char *word, const struct conf *c, struct err *e)
{
    size_t accounts = c != NULL ? c->account_count : 0, n = 0;
    const char **names = calloc(cmd_count + accounts, sizeof(*names));
    const char *near = NULL;

    if (names == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < cmd_count; i++)
        names[n++] = cmds[i].name;
    for (size_t i = 0; i < accounts; i++)
        names[n++] = c->accounts[i]->name;
    near = conf_nearest(word, names, n);
    free(names);
    if (near != NULL)
        return err_set(e, E_USAGE, "\"%.100s\" is neither a command nor an account; did you mean \"%.100s\"?", word,
                       near);
    return err_set(e, E_USAGE, "\"%.100s\" is neither a command nor an account; mailhaul --help lists the commands",
                   word);
}

static int unknown_account(const struct options *options, const char *name, const struct conf *c, struct err *e)
{
    const char **names;
    const char *near;

    if (options->implied && find(name) != NULL)
        return err_set(e, E_USAGE, "the command stands in front of the accounts: mailhaul %s ...", name);
    if (options->implied)
        return options_unknown(name, c, e);
    names = calloc(c->account_count + 1, sizeof(*names));
    if (names == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < c->account_count; i++)
        names[i] = c->accounts[i]->name;
    near = conf_nearest(name, names, c->account_count);
    free(names);
    return near != NULL ? err_set(e, E_USAGE, "unknown account \"%.100s\"; did you mean \"%.100s\"?", name, near)
                        : err_set(e, E_USAGE, "unknown account \"%.100s\"; the accounts are in %s", name, c->path);
}

static void choose(struct options *options, const struct conf_account *a)
{
    for (size_t i = 0; i < options->o.account_count; i++) {
        if (options->chosen[i] == a)
            return;
    }
    options->chosen[options->o.account_count++] = a;
}

int options_accounts(struct options *options, const struct conf *c, struct err *e)
{
    options->chosen = calloc(c->account_count + 1, sizeof(*options->chosen));
    if (options->chosen == NULL)
        return err_nomem(e);
    for (size_t i = 0; i < options->name_count; i++) {
        const struct conf_account *a = conf_find(c, options->names[i]);

        if (a == NULL)
            return unknown_account(options, options->names[i], c, e);
        choose(options, a);
    }
    for (size_t i = 0; options->name_count == 0 && i < c->account_count; i++) {
        if (c->accounts[i]->enabled)
            choose(options, c->accounts[i]);
    }
    options->o.accounts = options->chosen;
    options->o.named = options->name_count > 0;
    return 0;
}

void options_release(struct options *options)
{
    free(options->chosen);
    options->chosen = NULL;
}
