/* SPDX-License-Identifier: MIT
 * address.h - mail addresses: what may stand in an envelope, and what stands in a header field. RFC 5321 section 4.1.2
 * (Mailbox) and 4.5.3.1 (lengths), RFC 6531 section 3.3 (UTF-8), RFC 5322 section 3.4 (lists).
 *
 * Whatever comes out of here can be put between < and > of MAIL or RCPT: it holds no CR, LF, NUL, no other control
 * character, and no <, >, or blank outside a quoted string, so that no command can hide in it. It is copied as it was
 * written (a quoted local part stays quoted).
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
    struct slice domain; /* n == 0: none */
    bool utf8;           /* holds non-ASCII; it is valid UTF-8 then */
};
/* Exactly one mailbox, blanks around it allowed, with or without angle brackets; a source route ("<@a,@b:c@d>") is
 * dropped (RFC 5321 appendix C). Slices point into `text`. -1: it is none. "<>" and "" are none: see address_null().
 * An address without a domain is one ("root"); callers that need a domain look for it. */
MUST_CHECK int address_parse(struct slice text, struct address *out);
/* "<>" with blanks. */
bool address_is_null(struct slice text);

/* The next address of a header field's value (unfolded): "A B" <a@x>, b@y (comment), group: c@z; one at a time.
 * *rest moves forward. False: there is no more. What is no valid address is passed over. */
bool address_next(struct slice *rest, struct address *out);

#endif
