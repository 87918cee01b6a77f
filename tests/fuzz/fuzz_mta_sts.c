/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "wire/mta_sts.h"

static bool same(const struct mta_sts_policy *a, const struct mta_sts_policy *b)
{
    return a->mode == b->mode && a->max_age == b->max_age && slice_eq(buf_slice(&a->patterns), buf_slice(&b->patterns));
}

/* What was read can be kept, and is the same when it is read again. */
static void keep(struct mta_sts_policy *policy)
{
    struct mta_sts_kept k = { .domain = "example.org", .id = "1", .fetched = 1, .policy = *policy }, again;
    struct buf file = BUF_INIT(MTA_STS_KEPT_MAX);

    MUST(policy->max_age <= MTA_STS_AGE_MAX);
    MUST(policy->mode == MTA_STS_NONE || policy->patterns.len > 0);
    MUST(mta_sts_put_kept(&k, &file) == 0);
    MUST(mta_sts_parse_kept(buf_slice(&file), &again) == 0);
    MUST(same(policy, &again.policy) && strcmp(again.domain, k.domain) == 0);
    mta_sts_policy_release(&again.policy);
    buf_release(&file);
}

/* Each pattern names itself, or with a letter for its star. */
static void match(const struct mta_sts_policy *policy)
{
    struct slice left = buf_slice(&policy->patterns);

    while (left.n > 0) {
        size_t n = strlen(left.p);
        char *host = slice_dup(slice_make(left.p, n));

        MUST(host != NULL);
        if (host[0] == '*')
            host[0] = 'x';
        MUST(mta_sts_names(policy, slice_make(host, n)));
        free(host);
        left = slice_from(left, n + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make((const char *)data, size);
    struct mta_sts_policy policy;
    struct mta_sts_kept kept;
    char id[MTA_STS_ID_MAX + 1];

    if (mta_sts_parse_record(in, id) == 0)
        MUST(mta_sts_is_record(in) && id[0] != '\0' && strlen(id) <= MTA_STS_ID_MAX);
    if (mta_sts_parse_policy(in, &policy) == 0) {
        keep(&policy);
        match(&policy);
    }
    mta_sts_policy_release(&policy);
    if (mta_sts_parse_kept(in, &kept) == 0)
        MUST(kept.domain[0] != '\0' && kept.id[0] != '\0');
    mta_sts_policy_release(&kept.policy);
    return 0;
}
