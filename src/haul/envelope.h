/* SPDX-License-Identifier: MIT
 * envelope.h - who a message is from and for, as its header block tells and the destination's keys allow: the first
 * Return-Path; the addresses of `to`, or (multidrop) those in every occurrence of the field that the delivering server
 * added, never those of To or Cc. RFC 5321 section 4.4 (Return-Path, Received), 6.3 (loops).
 *
 * Sender: the first Return-Path alone counts. "<>" is the null sender; one that is no valid address, or has no domain,
 * counts as none: then it is `from`, without that the null sender.
 *
 * Multidrop: every occurrence of `to_header` counts, each may hold several addresses. Of each, `to_strip_prefix` is cut
 * off the front of the local part (when it is there, in the same case), then the domain must be one of `to_domains`
 * (any case; empty: every address counts, also one without a domain). Doubles (domain in any case) go. None left:
 * `to_fallback`; without that, no recipient. More than ENVELOPE_RECIPIENTS_MAX addresses, doubles among them, are
 * nobody's mail: no recipient, and `too_many` is set.
 *
 * The header block is read as the next server will see it (CRLF_SMTP of wire/crlf.h): a CR alone ends a line.
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

/* Addresses are those that address_parse() gives (wire/address.h). */
struct envelope_rules {
    const char *from;              /* when there is no valid Return-Path; NULL: the null sender */
    const char *const *to;         /* NULL-terminated; may be empty, or NULL, with to_header */
    const char *to_header;         /* NULL: no multidrop; else `to` is not looked at */
    const char *const *to_domains; /* NULL-terminated, or NULL */
    const char *to_strip_prefix;   /* NULL */
    const char *to_fallback;       /* NULL */
};

struct envelope {
    char *sender;      /* never NULL; "" is the null sender */
    char **recipients; /* without angle brackets */
    size_t recipient_count;
    bool too_many;
    unsigned hops;      /* Received fields */
    bool utf8;          /* an address in the envelope, or in an address field of the header, is not ASCII */
    char *delivered_to; /* the first valid Delivered-To, X-Original-To or Envelope-To; NULL */
    char *message_id;   /* of the first Message-ID, cut to what is printable; NULL */
};

/* Errors: those of spool_read(); E_NOMEM. *out need not be released after an error. */
MUST_CHECK int envelope_read(const struct spool_file *file, const struct envelope_rules *rules, struct envelope *out,
                             struct err *e);
void envelope_release(struct envelope *v);

#endif
