/* SPDX-License-Identifier: MIT
 * status_view.h - what `status` shows: of each account what a live daemon says, else what its state files hold.
 *
 * Thread: one.
 */
#ifndef MAILHAUL_CMD_STATUS_VIEW_H
#define MAILHAUL_CMD_STATUS_VIEW_H

#include <jansson.h>

#include "cmd/cmd.h"
#include "daemon/status.h"

struct status_view {
    struct status_line *lines; /* owned; in the order of the configuration, or of the names */
    size_t count;
    json_t *told; /* owned: what the daemon said, which the lines borrow from */
    bool up;      /* a daemon answers */
    int64_t since;
    int status; /* exit status: 74 when some state could not be read, with the reason in the log */
};

/* Fails for want of memory, or of a state directory that can be read. A daemon that does not answer is warned of. */
MUST_CHECK int status_view_take(const struct cmd_options *o, const struct conf *c, struct status_view *out,
                                struct err *e);
void status_view_release(struct status_view *v);

#endif
