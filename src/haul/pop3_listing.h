/* SPDX-License-Identifier: MIT
 * pop3_listing.h - one listing from the UIDL and LIST replies of a server that need not be right: numbers out of range,
 * twice, missing or in any order; unique-ids that are blank or given to several messages.
 *
 * Calling sequence:
 *     pop3_listing_start(), then set `count`
 *     pop3_listing_uidl() for each line, pop3_listing_order() at the end     (both also where UIDL is not offered)
 *     pop3_listing_size() for each line of LIST, pop3_listing_order() again
 *     pop3_listing_shared()     which messages have no unique-id of their own; those get one by
 *     pop3_listing_rename() each, in this order, then pop3_listing_number_twins()
 *
 * What holds at the end: ascending by number, each number once, none above STAT's count. A number with two different
 * unique-ids has none; a message that only LIST knows has none (both are marked `unnamed` where others have one); one
 * that only UIDL knows has 0 octets.
 *
 * Derived unique-ids. RFC 1939 promises that a unique-id names one message; where it does not, every message of the
 * group (all of them: the server may put a new one in front of an old one) is told by
 *     the server's unique-id (its first 400 bytes), NUL, 64 hex digits: SHA-256 of its header block          or
 *     the server's unique-id (its first 400 bytes), NUL, "octets ", its size     where the header cannot be had
 * and, for the second and later ones that are equal even so, " #2", " #3" in the order of their numbers. No unique-id
 * of a server can be the same, as none holds a NUL that is followed by one of these forms by accident. The last two
 * kinds are marked weak_id.
 */
#ifndef MAILHAUL_HAUL_POP3_LISTING_H
#define MAILHAUL_HAUL_POP3_LISTING_H

#include "haul/listing.h"
#include "net/digest.h"
#include "proto/pop3.h"

struct pop3_listing {
    struct listing *out; /* borrowed */
    uint32_t count;      /* by STAT */
    size_t ordered;      /* entries that pop3_listing_order() has seen */
    size_t cursor;       /* where LIST is, if it comes in the same order */
    size_t odd;          /* lines without meaning: numbers that STAT does not know */
    bool has_uidl;       /* UIDL is offered: set by the caller before LIST */
    bool ascending;      /* as the lines came */
};

void pop3_listing_start(struct pop3_listing *p, struct listing *out);
/* A pop3_entry_fn; ctx is the struct pop3_listing. */
int pop3_listing_uidl(void *ctx, const struct pop3_entry *line, struct err *e);
int pop3_listing_size(void *ctx, const struct pop3_entry *line, struct err *e);
void pop3_listing_order(struct pop3_listing *p);

/* *v_out: indexes into the listing, ascending, to be freed; NULL when all unique-ids are unique. */
MUST_CHECK int pop3_listing_shared(const struct listing *l, uint32_t **v_out, size_t *count_out, struct err *e);
/* `header`: SHA-256 of the message's header block; NULL: could not be had. */
MUST_CHECK int pop3_listing_rename(struct listing *l, uint32_t index, const unsigned char *header, struct err *e);
/* The other way round: true when `uidl` is of the first kind (without a number behind it), and then what it was made
 * of. A message that was alone with its unique-id at the last look is found again by this. */
bool pop3_listing_derived(struct slice uidl, struct slice *server_uidl_out, unsigned char header_out[JOURNAL_SHA256]);
MUST_CHECK int pop3_listing_number_twins(struct listing *l, const uint32_t *v, size_t count, struct err *e);

#endif
