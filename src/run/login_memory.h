/* SPDX-License-Identifier: MIT
 * login_memory.h - the strongest way to log in that a server ever offered, kept in conf_login.state + ".login", so that
 * a password never goes in a weaker one (proto/sasl.h).
 * Thread: any.
 */
#ifndef MAILHAUL_RUN_LOGIN_MEMORY_H
#define MAILHAUL_RUN_LOGIN_MEMORY_H

#include "conf/conf.h"
#include "proto/server.h"

/* `login` outlives the connections to `s`. `read_only`: what is new is not kept. */
void login_memory_use(struct server *s, const struct conf_login *login, bool read_only);

#endif
