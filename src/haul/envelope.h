/* SPDX-License-Identifier: MIT
 * envelope.h - who a message is from and for, as its header block tells and the destination's keys allow: the first
 * Return-Path; the addresses of `to`, or (multidrop) those in every occurrence of the field that the delivering server
 * added, never those of To or Cc. RFC 5321 section 4.4 (Return-Path, Received), 6.3 (loops).
 *
 * Multidrop: every occurrence of `to_header` counts, each may hold several addresses. Of each, `to_strip_prefix` is cut
 * off the front of the local part (when it is there), then the domain must be one of `to_domains` (any case; empty:
 * every address counts). Doubles (domain in any case) go. None left: `to_fallback`; without that, no recipient.
 *
 * Ownership: struct envelope owns what it holds; envelope_release(). Thread: any.
 */
#ifndef MAILHAUL_HAUL_ENVELOPE_H
#define MAILHAUL_HAUL_ENVELOPE_H

#include "base/buf.h"
#include "store/spool.h"

enum {
    ENVELOPE_RECIPIENTS_MAX = 1000,
    /* RFC 5321 6.3: "a large rejection threshold, normally at least 100". */
    ENVELOPE_HOPS_MAX = 100,
    ENVELOPE_HEADER_MAX = 4 * 1024 * 1024, /* what of a message is looked at */
};

struct envelope_rules {
    const char *from;              /* when there is no valid Return-Path; NULL: the null sender */
    const char *const *to;         /* NULL-terminated; may be empty with to_header */
    const char *to_header;         /* NULL: no multidrop */
    const char *const *to_domains; /* NULL-terminated */
    const char *to_strip_prefix;   /* NULL */
    const char *to_fallback;       /* NULL */
};

struct envelope {
    char *sender; /* "" is the null sender */
    char **recipients;
    size_t recipient_count;
    unsigned hops;      /* Received fields */
    bool utf8;          /* an address in the envelope, or in an address field of the header, is not ASCII */
    char *delivered_to; /* the first valid Delivered-To, X-Original-To or Envelope-To; NULL */
    char *message_id;   /* printable; NULL */
};

MUST_CHECK int envelope_read(const struct spool_file *file, const struct envelope_rules *rules, struct envelope *out,
                             struct err *e);
void envelope_release(struct envelope *v);

#endif
