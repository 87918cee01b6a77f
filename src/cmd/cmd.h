/* SPDX-License-Identifier: MIT
 * cmd.h - what a command gets, and the table of commands. One file a command: cmd_NAME.c.
 *
 * main() reads the options, the configuration and the accounts named, sets up signals and the log, calls the command
 * and returns its result. A command returns the exit status of CONTRACT section 1 (err_exit_status()); that a signal
 * asked to stop is main()'s to say. Standard output carries only what was asked for; everything else goes through
 * log_*().
 */
#ifndef MAILHAUL_CMD_CMD_H
#define MAILHAUL_CMD_CMD_H

#include "conf/conf.h"

enum { EXIT_OK = 0, EXIT_SOFTWARE = 70 };

struct cmd_options {
    const char *config; /* -c; NULL: search */
    int verbosity;      /* -v: 1 steps, 2 protocol lines */
    bool quiet;         /* -q */
    bool dry_run;       /* -n */
    bool json;
    bool oversize;      /* fetch */
    bool connect;       /* check */
    bool adopt;         /* check */
    bool watch;         /* status */
    bool prometheus;    /* status */
    bool device;        /* login */
    const char *action; /* quarantine: "list", "retry" or "drop" */
    /* Those named, in that order and once each, or all that are enabled. */
    const struct conf_account *const *accounts;
    size_t account_count;
    bool named; /* the accounts were named */
};

/* Options that one command alone has a use for; -c -n -q -v --json are everybody's. */
enum cmd_takes {
    TAKES_OVERSIZE = 1,
    TAKES_CONNECT = 2,
    TAKES_ADOPT = 4,
    TAKES_WATCH = 8,
    TAKES_PROMETHEUS = 16,
    TAKES_DEVICE = 32
};

struct cmd {
    const char *name;
    const char *synopsis; /* behind "mailhaul " */
    const char *summary;  /* for --help; NULL: of later work, "not yet" */
    int (*run)(const struct cmd_options *, const struct conf *);
    bool logs_in;               /* always, not only with --connect */
    unsigned takes;             /* of enum cmd_takes */
    const char *const *actions; /* the words of which one must follow; NULL: none */
    size_t accounts_min, accounts_max;
};

extern const struct cmd cmds[]; /* the first is the default one */
extern const size_t cmd_count;

int cmd_fetch(const struct cmd_options *o, const struct conf *c);
int cmd_daemon(const struct cmd_options *o, const struct conf *c);
int cmd_check(const struct cmd_options *o, const struct conf *c);
int cmd_folders(const struct cmd_options *o, const struct conf *c);
int cmd_status(const struct cmd_options *o, const struct conf *c);
int cmd_reload(const struct cmd_options *o, const struct conf *c);
int cmd_stop(const struct cmd_options *o, const struct conf *c);
int cmd_login(const struct cmd_options *o, const struct conf *c);
int cmd_quarantine(const struct cmd_options *o, const struct conf *c);

#endif
