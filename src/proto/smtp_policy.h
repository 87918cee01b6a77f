/* SPDX-License-Identifier: MIT
 * smtp_policy.h - the MTA-STS policy that is in force for a domain (RFC 8461): the TXT record, the policy by HTTPS, and
 * the file in which it outlives the run.
 *
 * A policy is asked for when the TXT record has another id than the one that is kept, when the kept one is a day old or
 * has expired. One that is kept is in force until its max_age is over, whatever happens to the record and to the
 * policy's server; what cannot be had is said in the log. Where neither is to be had there is no policy. The file is
 * replaced whole, mode 0600.
 */
#ifndef MAILHAUL_PROTO_SMTP_POLICY_H
#define MAILHAUL_PROTO_SMTP_POLICY_H

#include "base/err.h"
#include "wire/mta_sts.h"

struct smtp_policy {
    bool there;
    struct mta_sts_kept kept;
};

/* Where policies are kept. */
struct smtp_policies {
    const char *state; /* in the file STATE.mta-sts; NULL: nowhere */
    bool read_only;
};

/* `domain` in ASCII. E_STOPPED, E_NOMEM. To be released in either case. */
MUST_CHECK int smtp_policy_get(const char *domain, const struct smtp_policies *kept, struct smtp_policy *out,
                               struct err *e);
void smtp_policy_release(struct smtp_policy *p);

#endif
