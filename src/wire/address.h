/* SPDX-License-Identifier: MIT
 * address.h - mail addresses: what may stand in an envelope, and what stands in a header field. RFC 5321 section 4.1.2
 * (Mailbox) and 4.5.3.1 (lengths), RFC 6531 section 3.3 (UTF-8), RFC 5322 section 3.4 (lists).
 *
 * Whatever comes out of here can be put between < and > of MAIL or RCPT: it holds no CR, LF, NUL, no other control
 * character (also none of UTF-8's, U+0080 to U+009F), and no <, >, or blank outside a quoted string, so that no command
 * can hide in it. It is copied as it was written (a quoted local part stays quoted).
 *
 * More lenient than RFC 5321 where real addresses need it and it can do no harm: dots anywhere in a local part
 * ("a..b.@docomo.ne.jp"), a local part above 64 octets (bounce addresses with the recipient in it), underscores and
 * hyphens anywhere in a domain. Stricter: an address literal is of letters, digits, dot, colon and hyphen.
 */
#ifndef MAILHAUL_WIRE_ADDRESS_H
#define MAILHAUL_WIRE_ADDRESS_H

#include "base/buf.h"

enum {
    ADDRESS_MAX = 254, /* RFC 5321 4.5.3.1.3: a path is 256 with its angle brackets */
};

struct address {
    struct slice text;   /* "local@domain", or "local" */
    struct slice local;  /* as written, with its quotes */
    struct slice domain; /* n == 0: none; a literal with its [] */
    bool utf8;           /* holds non-ASCII; it is valid UTF-8 then */
};
/* Exactly one mailbox, blanks around it allowed, with or without angle brackets (blanks inside them too); a source
 * route ("<@a,@b:c@d>") is dropped (RFC 5321 appendix C). Slices point into `text`. -1: it is none, or too long. "<>"
 * and "" are none: see address_is_null(). An address without a domain is one ("root"); callers that need a domain look
 * for it. */
MUST_CHECK int address_parse(struct slice text, struct address *out);
/* "<>" with blanks. */
bool address_is_null(struct slice text);

/* The next address of a header field's value (unfolded): "A B" <a@x>, b@y (comment), group: c@z; one at a time.
 * *rest moves forward. False: there is no more. What is no valid address is passed over; so is one with blanks or
 * comments inside it ("a @ x"), and all behind a quote, comment or angle bracket that is never closed. Time is linear
 * in the value's length over all calls. */
bool address_next(struct slice *rest, struct address *out);

#endif
