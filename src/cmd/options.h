/* SPDX-License-Identifier: MIT
 * options.h - the command line: options before or after the command, `fetch` when there is none.
 *
 * Calling sequence: options_parse(), then - with the configuration at hand - options_accounts(), options_release().
 */
#ifndef MAILHAUL_CMD_OPTIONS_H
#define MAILHAUL_CMD_OPTIONS_H

#include "cmd/cmd.h"

struct options {
    struct cmd_options o;
    const struct cmd *cmd;
    bool implied; /* no command was written: the first name may be a mistyped one */
    bool help, version;
    char **names; /* of accounts; into argv */
    size_t name_count;
    const struct conf_account **chosen; /* owned; o.accounts */
};

/* -1 with E_USAGE, or E_CONFIG for what is "not yet" there. */
MUST_CHECK int options_parse(struct options *out, int argc, char **argv, struct err *e);
/* Fills o.accounts. E_USAGE for an account that is not in `c`. */
MUST_CHECK int options_accounts(struct options *options, const struct conf *c, struct err *e);
/* The error for a first word that is neither command nor account; `c` NULL: there is no configuration. */
int options_unknown(const char *word, const struct conf *c, struct err *e);
void options_release(struct options *options);

#endif
