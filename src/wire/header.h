/* SPDX-License-Identifier: MIT
 * header.h - watches a message go by, tells where its header block ends, and keeps its Message-ID.
 * RFC 5322 section 2.2.
 *
 * The header block is everything up to and including the first empty line (CRLF CRLF, or LF LF, or mixed; a message may
 * also begin with the empty line, and may have none: then all of it is header). This is what IMAP's BODY[HEADER] holds,
 * so that a digest of it is the same however it was fetched.
 *
 * Pure, any chunk size, memory bounded by LIMIT_MESSAGE_ID. The first Message-ID field counts (any case, unfolded by
 * removing each line end before a blank; the text from the first < to the next > with the brackets; without brackets
 * the trimmed value); a value longer than the limit counts as none, and so does an empty one.
 *
 * Calling sequence: header_init(), header_feed() for each piece, header_end(); header_clear() before the next message.
 */
#ifndef MAILHAUL_WIRE_HEADER_H
#define MAILHAUL_WIRE_HEADER_H

#include "base/buf.h"

struct header_scan {
    bool done;             /* the empty line has passed */
    struct buf message_id; /* "<...>" or empty; complete once done, or after header_end() */
    /* private */
    struct buf field; /* the value so far, unfolded */
    bool seen;        /* the first Message-ID field has begun */
    bool in_field;    /* ... and may still be continued */
    bool too_long;
    size_t matched; /* bytes of the wanted name */
    int state;
};

void header_init(struct header_scan *h);
void header_release(struct header_scan *h);
void header_clear(struct header_scan *h);
/* Takes the next bytes of the message (wire form) and returns how many of them, from the front, belong to the header
 * block. After done: 0, at no cost. */
size_t header_feed(struct header_scan *h, struct slice in);
/* The message is over. */
void header_end(struct header_scan *h);

#endif
