/* SPDX-License-Identifier: MIT
 * listing.h - the messages of one folder as the server lists them: 16 bytes each, unique-ids in one arena, both bounded
 * by wire/limits.h.
 */
#ifndef MAILHAUL_HAUL_LISTING_H
#define MAILHAUL_HAUL_LISTING_H

#include "base/buf.h"
#include "base/err.h"
#include "store/journal.h"

struct listing_entry {
    uint32_t number;       /* POP3: message number; IMAP: UID              */
    uint32_t uidl_at : 30; /* POP3: where the unique-id is in the arena */
    /* POP3: the server gave this unique-id to several messages or to none, and only size or order tell which is which:
     * never removed unless it was fetched in this same session. */
    uint32_t weak_id : 1;
    /* POP3: UIDL has no name for it, or two, though it names others: never removed. */
    uint32_t unnamed : 1;
    uint64_t octets; /* LIST or RFC822.SIZE: an estimate; 0: not told  */
};

struct listing {
    struct listing_entry *v; /* owned, ascending by number */
    size_t count, cap;
    struct buf uidls;   /* the arena: length (two bytes) and bytes of each */
    bool unchanged;     /* nothing can be new since the last complete look; no entries     */
    bool complete;      /* all messages of the folder are here (POP3 always)               */
    bool no_unique_ids; /* POP3: the server has no UIDL                                    */
    /* What to record of this look once everything in it was dealt with. */
    uint32_t uidvalidity, uidnext, messages;
    uint64_t modseq, octets;
    unsigned char digest[JOURNAL_SHA256];
};

void listing_init(struct listing *l);
void listing_release(struct listing *l);
void listing_clear(struct listing *l);
/* E_PROTO beyond the limits, E_NOMEM. */
MUST_CHECK int listing_add(struct listing *l, uint32_t number, uint64_t octets, struct slice uidl, struct err *e);
/* Gives the entry another unique-id; the old one's bytes stay in the arena. Same errors. */
MUST_CHECK int listing_set_uidl(struct listing *l, size_t index, struct slice uidl, struct err *e);
void listing_forget_uidl(struct listing_entry *entry);
/* The entry of this number by binary search; NULL: none. */
const struct listing_entry *listing_find(const struct listing *l, uint32_t number);
struct slice listing_uidl(const struct listing *l, const struct listing_entry *entry);

/* What the plan wants fetched, looked into, or removed. */
struct fetch_item {
    uint32_t number; /* as in the listing                                              */
    uint16_t tries;  /* failed passes so far                                           */
    uint16_t wanted; /* bit k: sinks[k] has not got it; counts only when `row` is not 0 */
    int64_t row;     /* of the journal; 0: none yet, every sink wants it               */
    uint64_t octets; /* as listed                                                      */
};

struct header_facts {
    unsigned char digest[JOURNAL_SHA256];
    struct slice message_id; /* borrowed for the call */
    struct slice object_id;
    int64_t date;
    uint64_t octets;
};

#endif
