/* SPDX-License-Identifier: MIT
 * authorize.h - the OAuth 2.0 authorization of a login: kept in conf_login.state + ".oauth" (JSON, mode 0600, durable),
 * renewed when it is due, and given to logins as an access token.
 *
 * An access token is renewed five minutes ahead of its end, and once more when a server refuses it, which is done at
 * most once an hour; by one process and thread at a time, the others wait and take what that one got. A refresh token
 * that the provider replaces is on the disk before the new access token is used. With client credentials there is
 * nothing to authorize: the first login gets a token.
 *
 * After the provider has refused to renew (the authorization ended or was withdrawn) it is not asked again for an hour,
 * unless `mailhaul login` brought a new authorization.
 *
 * Thread: any.
 */
#ifndef MAILHAUL_RUN_AUTHORIZE_H
#define MAILHAUL_RUN_AUTHORIZE_H

#include "conf/conf.h"
#include "proto/oauth2.h"
#include "proto/server.h"

/* Where the login is an OAuth login (conf_login_is_oauth()), connections to `s` log in with its token. `login` outlives
 * them. */
void authorize_use(struct server *s, const struct conf_login *login);

/* Borrows from it. */
struct oauth2_client authorize_client(const struct conf_login *login);
/* A new authorization takes the place of the old one, if any. The state directory is there. */
MUST_CHECK int authorize_keep(const struct conf_login *login, const struct oauth2_tokens *tokens, struct err *e);

/* What is known of it, for people. */
struct authorization {
    bool wanted;            /* the login is an OAuth login that needs one */
    bool there;             /* there is one */
    bool renews;            /* it has a refresh token */
    bool refused;           /* the provider does not renew it any more */
    int64_t obtained, ends; /* s since 1970; ends: when a person has to log in again, 0: not known */
};
void authorize_look(const struct conf_login *login, struct authorization *out);

#endif
