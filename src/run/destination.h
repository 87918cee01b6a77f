/* SPDX-License-Identifier: MIT
 * destination.h - a deliver section of the configuration as a sink of the heart.
 *
 * destination_open() makes the sink and contacts nobody; in a dry run it keeps no state of its own.
 * destination_close() closes and frees it. The sink borrows from the configuration and from the struct itself, which
 * stays where it is meanwhile. Thread: as haul/sink.h says.
 */
#ifndef MAILHAUL_RUN_DESTINATION_H
#define MAILHAUL_RUN_DESTINATION_H

#include "conf/conf.h"
#include "haul/sink.h"
#include "proto/server.h"

struct destination {
    struct server server; /* of smtp, lmtp and imap */
    struct sink *sink;
};

MUST_CHECK int destination_open(const struct conf *c, const struct conf_account *a, const struct conf_deliver *d,
                                bool dry_run, struct destination *out, struct err *e);
void destination_close(struct destination *d); /* one that was not opened is fine */
/* E_CONFIG for what is wrong with it that the configuration alone does not show; contacts nobody. */
MUST_CHECK int destination_check(const struct conf_account *a, const struct conf_deliver *d, struct err *e);

#endif
