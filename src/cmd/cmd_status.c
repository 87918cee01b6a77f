/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

int cmd_status(const struct cmd_options *o, const struct conf *c)
{
    (void)o;
    (void)c;
    log_error("status is not yet supported by this version");
    return EXIT_SOFTWARE;
}
