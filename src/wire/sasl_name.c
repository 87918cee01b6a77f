/* SPDX-License-Identifier: MIT */
#include "wire/sasl_name.h"

static const struct {
    const char *name;
    uint32_t mechanism;
} known[] = {
    { "EXTERNAL", SASL_EXTERNAL },
    { "SCRAM-SHA-256-PLUS", SASL_SCRAM_SHA_256_PLUS },
    { "SCRAM-SHA-1-PLUS", SASL_SCRAM_SHA_1_PLUS },
    { "SCRAM-SHA-256", SASL_SCRAM_SHA_256 },
    { "SCRAM-SHA-1", SASL_SCRAM_SHA_1 },
    { "PLAIN", SASL_PLAIN },
    { "LOGIN", SASL_LOGIN },
    { "CRAM-MD5", SASL_CRAM_MD5 },
    { "GSSAPI", SASL_GSSAPI },
    { "OAUTHBEARER", SASL_OAUTHBEARER },
    { "XOAUTH2", SASL_XOAUTH2 },
};

uint32_t sasl_from_name(struct slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (slice_ieq(name, slice_str(known[i].name)))
            return known[i].mechanism;
    }
    return 0;
}

const char *sasl_name(uint32_t mechanism)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (known[i].mechanism == mechanism)
            return known[i].name;
    }
    return "";
}

uint32_t sasl_from_list(struct slice names)
{
    uint32_t all = 0;

    for (;;) {
        size_t n = 0;

        names = slice_trim(names);
        while (n < names.n && names.p[n] != ' ' && names.p[n] != '\t')
            n++;
        if (n == 0)
            return all;
        all |= sasl_from_name(slice_make(names.p, n));
        names = slice_from(names, n);
    }
}

uint32_t sasl_from_capability(struct slice name)
{
    static const struct slice prefix = SLICE("AUTH=");

    if (slice_ieq(name, SLICE("AUTH")) || slice_ieq(name, SLICE("SASL")))
        return SASL_ALL;
    return slice_istarts(name, prefix) ? sasl_from_name(slice_from(name, prefix.n)) : 0;
}
