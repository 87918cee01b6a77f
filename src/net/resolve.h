/* SPDX-License-Identifier: MIT
 * resolve.h - what the DNS says beyond addresses: MX (RFC 7505 too), TXT, TLSA (RFC 6698); and whether it is signed.
 *
 * Questions go through the C library's resolver to the name servers of resolv.conf, for the name exactly as given (no
 * search list, no /etc/hosts). The resolver validates DNSSEC, or nobody does: an answer is authentic when the AD bit
 * stands in it and the way to the resolver can be believed, which is so with `options trust-ad` in resolv.conf, or when
 * all of its name servers are on the loopback interface (RFC 6698 section A.3, RFC 7672 section 2.2.1). A validating
 * resolver tells a forged answer as a failure (SERVFAIL): an error here, never "there is none".
 *
 * Calling sequence: resolve(), then answer->records, then resolve_release(). Release is due after an error too.
 * An answer is bounded by what DNS can carry (64 KiB), its records by RESOLVE_RECORDS_MAX.
 * Time: what resolv.conf says, but 5 s and two rounds of its servers at most; nothing can interrupt it.
 * Thread: any.
 */
#ifndef MAILHAUL_NET_RESOLVE_H
#define MAILHAUL_NET_RESOLVE_H

#include "net/host.h"
#include "net/tls.h"

enum resolve_type {
    RESOLVE_IPV4,
    RESOLVE_IPV6, /* of addresses it is only told whether there are any */
    RESOLVE_ALIAS,
    RESOLVE_MX,
    RESOLVE_TXT,
    RESOLVE_TLSA
};

enum { RESOLVE_RECORDS_MAX = 64 };

struct resolve_mx {
    uint16_t preference;
    /* Of letters, digits, "-", "_" and "."; "" is the null MX, "." a name that no host can have. */
    char host[HOST_MAX];
};

struct resolve_answer {
    bool known;          /* the name exists, if without such records */
    bool nobody;         /* with -1: there is no name server at any of its addresses */
    bool authentic;      /* all of it, also that there is nothing    */
    char name[HOST_MAX]; /* behind all aliases; "" when it is no name of a host */
    size_t count;
    union {
        struct resolve_mx *mx;
        struct slice *txt; /* its strings put together (RFC 7208 section 3.3) */
        struct tls_tlsa *tlsa;
        void *any;
    } records;       /* count of them; NULL for the other types */
    struct buf data; /* what the slices point into               */
};

/* E_NET: no answer, a failure, or an answer that is none. E_NOMEM. "There is none" is an answer (count 0). */
MUST_CHECK int resolve(const char *name, enum resolve_type type, struct resolve_answer *out, struct err *e);
void resolve_release(struct resolve_answer *a);
/* Whether answers can be authentic here at all. */
bool resolve_validating(void);

/* For tests: an answer as it came. -1: it is none. */
MUST_CHECK int resolve_parse(struct slice answer, enum resolve_type type, struct resolve_answer *out);

#endif
