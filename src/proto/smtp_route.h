/* SPDX-License-Identifier: MIT
 * smtp_route.h - which servers take the mail of a destination, in which order, and what proves that they are the right
 * ones. Between a sink and smtp_open().
 *
 * A host: that host. A domain: its MX hosts by preference, equal ones shuffled (RFC 5321 section 5.1), without MX the
 * host of that name, with a null MX nobody (RFC 7505: E_REJECTED). They are tried in turn until one is entered; one
 * that failed is not tried again before all have failed. Of a domain's hosts STARTTLS is demanded on port 25, always,
 * and a certificate that is good for the host's name. Besides:
 *
 *   DANE (RFC 7672), of a host and of a domain: when the resolver validates (net/resolve.h), the MX and the address
 *     answers are authentic, and so is a TLSA answer with records that can be used: they alone judge the certificate. A
 *     lookup that fails puts that server off. Not asked for without TLS, for an address or a name without a dot,
 *     through a tunnel, proxy or Unix socket, nor where the settings have pins or a trust file.
 *   MTA-STS (RFC 8461), of a domain and where DANE does not apply: smtp_policy.h. In mode enforce a host that the
 *     policy does not name is passed over (E_TLS).
 *
 * Answers are used for ROUTE_KEPT_MS, then asked for again. The DNS is asked when the first connection is wanted.
 * Thread: any; a lock keeps lookups one at a time.
 */
#ifndef MAILHAUL_PROTO_SMTP_ROUTE_H
#define MAILHAUL_PROTO_SMTP_ROUTE_H

#include "net/resolve.h"
#include "proto/smtp.h"

/* What the certificate was judged by. */
enum smtp_proof { SMTP_PROOF_CERTIFICATE, SMTP_PROOF_DANE, SMTP_PROOF_MTA_STS };

struct smtp_route_options {
    const char *domain; /* NULL: the host of the server that is given to smtp_route_open() */
    const char *state;  /* the policy is kept in the file STATE.mta-sts; NULL: nowhere */
};

/* The server that was entered. It stays where it is as long as the session. */
struct smtp_hop {
    char host[HOST_MAX];
    struct server server;
    enum smtp_proof proof;
};

struct smtp_route;

/* The options are copied, what they point to is borrowed for the route's life. NULL: no memory. */
struct smtp_route *smtp_route_new(const struct smtp_route_options *options);
/* From here on the policy's file may be written. */
void smtp_route_may_write(struct smtp_route *r);
void smtp_route_free(struct smtp_route **r); /* NULL is fine; no smtp_route_open() is under way */

/* As smtp_open(), of the first server that can be entered. `options->server` says all but where to, with a domain, and
 * who it is. When none can: the first E_TLS that was met, or else the first error. `further`: a connection beside one
 * that stands; to the same server or to none, and that it is not to be had is held against nobody. */
MUST_CHECK int smtp_route_open(struct smtp_route *r, const struct smtp_options *options, bool further,
                               struct smtp_hop *hop, struct smtp **out, struct err *e);

/* By preference, equal ones in the order that `dice` (one for each) makes. */
void smtp_route_sort(struct resolve_mx *mx, const uint32_t *dice, size_t count);

#endif
