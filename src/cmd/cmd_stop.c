/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

#include "cmd/tell.h"

int cmd_stop(const struct cmd_options *o, const struct conf *c)
{
    (void)o;
    return tell_daemon(c, CONTROL_STOP, true);
}
