/* SPDX-License-Identifier: MIT
 * smtp_parse.h - the lines of an SMTP or LMTP server to values. RFC 5321 section 4.2 (replies), 4.1.1.1 (EHLO); RFC
 * 2034 and 3463 (enhanced status codes); RFC 1870 (SIZE); RFC 4954 (AUTH).
 *
 * A line comes without its CRLF. Lenient as real servers need it: a reply line of the code alone, "250" or "250-", and
 * any text behind it. A reply is all lines up to the first that has no "-" behind its code; every line must carry the
 * same code, or the reply is broken.
 */
#ifndef MAILHAUL_WIRE_SMTP_PARSE_H
#define MAILHAUL_WIRE_SMTP_PARSE_H

#include "base/slice.h"

struct smtp_line {
    unsigned code; /* 200 to 599 */
    bool last;     /* no "-" behind the code */
    struct slice text;
};
/* -1: no three digits from 2 to 5 in front, or something else than "-", blank or nothing behind them. */
MUST_CHECK int smtp_parse_line(struct slice line, struct smtp_line *out);

/* "5.1.1 no such user": the enhanced status code is cut off the front of *text, blanks too. False: there is none (or
 * its class is not the reply code's first digit), *text is unchanged. */
struct smtp_enhanced {
    unsigned class, subject, detail; /* 5.1.1 */
};
bool smtp_take_enhanced(unsigned code, struct slice *text, struct smtp_enhanced *out);

enum smtp_cap {
    SMTP_CAP_PIPELINING = 1 << 0,
    SMTP_CAP_CHUNKING = 1 << 1,
    SMTP_CAP_8BITMIME = 1 << 2,
    SMTP_CAP_SMTPUTF8 = 1 << 3,
    SMTP_CAP_SIZE = 1 << 4,
    SMTP_CAP_STARTTLS = 1 << 5,
    SMTP_CAP_ENHANCED = 1 << 6,
    SMTP_CAP_AUTH = 1 << 7, /* any mechanism at all */
    SMTP_CAP_BURL = 1 << 8, /* RFC 4468: a submission server beside an IMAP server, as Dovecot's */
};
struct smtp_caps {
    uint32_t bits;     /* enum smtp_cap */
    uint64_t max_size; /* of SIZE; 0: no limit is told */
    uint32_t auth;     /* enum sasl_mechanism */
};
/* The text of one line of the EHLO or LHLO reply but the first; adds to *out; an unknown one is skipped. Also "AUTH=
 * PLAIN", as old servers write it. */
void smtp_parse_cap_line(struct slice text, struct smtp_caps *out);
/* For disable_extensions ("PIPELINING", "AUTH" ...; any case). 0: unknown. */
uint32_t smtp_cap_from_name(struct slice name);

#endif
