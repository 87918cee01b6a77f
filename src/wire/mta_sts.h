/* SPDX-License-Identifier: MIT
 * mta_sts.h - MTA-STS (RFC 8461): what a domain says of its mail servers, so that nobody can take STARTTLS out of the
 * way. The TXT record of _mta-sts.DOMAIN (section 3.1), the policy (3.2), and a policy as it is kept in a file.
 *
 * Unknown fields are passed over, of a repeated one the first counts; a mistake in what we know makes the whole no
 * record, or no policy. Pure; no clock.
 */
#ifndef MAILHAUL_WIRE_MTA_STS_H
#define MAILHAUL_WIRE_MTA_STS_H

#include "base/buf.h"

enum {
    MTA_STS_ID_MAX = 32,            /* section 3.1 */
    MTA_STS_POLICY_MAX = 64 * 1024, /* section 3.3 */
    MTA_STS_AGE_MAX = 31557600,     /* a year: section 3.2 */
    MTA_STS_HOST_MAX = 255,
    MTA_STS_KEPT_MAX = 2 * MTA_STS_POLICY_MAX, /* "mx: a" is longer than "mx:a" */
};

enum mta_sts_mode { MTA_STS_NONE, MTA_STS_TESTING, MTA_STS_ENFORCE };

struct mta_sts_policy {
    enum mta_sts_mode mode;
    uint32_t max_age;    /* seconds, a year at most */
    struct buf patterns; /* "mail.example.org" or "*.example.org", each followed by a NUL */
};

/* `record`: the one TXT record that begins with "v=STSv1", whole. The id, NUL-terminated. -1: it is no such record. */
MUST_CHECK int mta_sts_parse_record(struct slice record, char id_out[MTA_STS_ID_MAX + 1]);
/* True when a TXT record is meant as one. */
bool mta_sts_is_record(struct slice record);

void mta_sts_policy_release(struct mta_sts_policy *p);
/* -1: no policy, or no memory. To be released in either case. */
MUST_CHECK int mta_sts_parse_policy(struct slice body, struct mta_sts_policy *out);
/* `host` is one of those that the policy names (section 4.1): in ASCII, letters of either case. */
bool mta_sts_names(const struct mta_sts_policy *p, struct slice host);

/* A policy in a file: itself, and three fields more. */
struct mta_sts_kept {
    char domain[MTA_STS_HOST_MAX + 1];
    char id[MTA_STS_ID_MAX + 1];
    uint64_t fetched; /* seconds since 1970 */
    struct mta_sts_policy policy;
};
MUST_CHECK int mta_sts_put_kept(const struct mta_sts_kept *k, struct buf *out);
/* -1: it is none, or no memory. k_out->policy is to be released in either case. */
MUST_CHECK int mta_sts_parse_kept(struct slice file, struct mta_sts_kept *k_out);

#endif
