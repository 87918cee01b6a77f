/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

int cmd_check(const struct cmd_options *o, const struct conf *c)
{
    log_info("configuration ok: %zu account%s (%s)", c->account_count, c->account_count == 1 ? "" : "s", c->path);
    return o->connect || o->adopt ? EXIT_SOFTWARE : EXIT_OK;
}
