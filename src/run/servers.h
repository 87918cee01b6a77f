/* SPDX-License-Identifier: MIT
 * servers.h - how to reach and enter the servers that a configuration names: the account's own, and those of its
 * destinations.
 *
 * What is returned borrows everything from the configuration. Thread: any.
 */
#ifndef MAILHAUL_RUN_SERVERS_H
#define MAILHAUL_RUN_SERVERS_H

#include "conf/conf.h"
#include "proto/server.h"

struct server servers_account(const struct conf_account *a);
/* Of type smtp, lmtp or imap. The account's time limit counts here too; what else it says of its server does not. */
struct server servers_destination(const struct conf_account *a, const struct conf_deliver *d);
/* The login whose authorization serves the destination: the account's own, when that is at the same provider for the
 * same user by the same client, so that nobody has to allow the same thing twice; else the destination's. */
const struct conf_login *servers_token_login(const struct conf_account *a, const struct conf_deliver *d);
/* What only OpenSSL can judge in it: trust file, client certificate and key, pins. Contacts nobody. E_CONFIG. */
MUST_CHECK int servers_check(const struct server *s, struct err *e);

#endif
