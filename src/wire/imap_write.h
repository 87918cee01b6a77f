/* SPDX-License-Identifier: MIT
 * imap_write.h - values to the bytes of an IMAP command: strings that cannot break out of their place, and UID sets.
 * RFC 3501 section 4.3 and 9.
 */
#ifndef MAILHAUL_WIRE_IMAP_WRITE_H
#define MAILHAUL_WIRE_IMAP_WRITE_H

#include "base/buf.h"

enum imap_quoting {
    IMAP_QUOTED,        /* it was appended as a quoted string              */
    IMAP_NEEDS_LITERAL, /* 8-bit, CR, LF or longer than 1000: send a literal; nothing was appended */
    IMAP_UNSENDABLE     /* it holds NUL, or there is no room; nothing was appended */
};
/* `utf8`: UTF8=ACCEPT is enabled, valid UTF-8 may stand in quotes (RFC 6855 section 3). CR, LF and NUL never get
 * out. */
enum imap_quoting imap_put_string(struct buf *out, struct slice value, bool utf8);

/* Seconds since 1970 as the quoted date-time of APPEND, in UTC: "\"17-Jul-1996 02:44:25 +0000\"". -1: no memory, or a
 * year that has not four digits; nothing was appended. */
MUST_CHECK int imap_put_date(struct buf *out, int64_t seconds);

/* A set of UIDs as sorted ranges. Add in ascending order (any order is right, but ascending is O(1)). */
struct uid_range {
    uint32_t first, last;
};
struct uid_set {
    struct uid_range *ranges; /* owned, ascending, never touching */
    size_t count, cap;
};
#define UID_SET_INIT ((struct uid_set){ 0 })
void uid_set_release(struct uid_set *s);
void uid_set_clear(struct uid_set *s);
MUST_CHECK int uid_set_add(struct uid_set *s, uint32_t uid); /* -1: no memory, uid is 0, or LIMIT_LISTING ranges */
bool uid_set_has(const struct uid_set *s, uint32_t uid);
uint64_t uid_set_size(const struct uid_set *s);
/* Appends "1:5,9" beginning with range *at, as much as fits in `room` bytes (24 hold any one range), and moves *at; *at
 * == count: all was put. -1: no memory. */
MUST_CHECK int uid_set_put(const struct uid_set *s, size_t *at, size_t room, struct buf *out);
/* "1:5,9" ("5:1" is the same as "1:5"; "*" is refused). At most `max_ranges` ranges. Adds to *out; nothing when
 * it is malformed. */
MUST_CHECK int uid_set_parse(struct slice s, size_t max_ranges, struct uid_set *out);

#endif
