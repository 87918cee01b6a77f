/* SPDX-License-Identifier: MIT
 * imap_reader.h - cuts the byte stream of an IMAP server into responses and streams message bodies out of them.
 *
 * RFC 3501 sections 2.2.2, 4.3 and 7; RFC 9051 the same; literal8 "~{n}" of RFC 3516.
 *
 * Pure: no I/O, no clock. It may be fed any number of bytes at a time, with the same result at every chunk size.
 *
 * A response is everything up to the CRLF (a bare LF is taken too) that ends it, literals included. In a FETCH or
 * UIDFETCH a literal that follows a body section (BODY[...], BODY[...]<0>, RFC822, RFC822.HEADER, RFC822.TEXT,
 * BINARY[...]) is never stored: it is handed out as IMAP_EV_BODY_BEGIN, any number of IMAP_EV_BODY_DATA,
 * IMAP_EV_BODY_END, and the text of the response keeps only "{n}" without CRLF in its place, which imap_parse.h reads
 * as "streamed". Every other literal stays in the text as "{n}" CRLF bytes (CRLF even where a bare LF came).
 *
 * What is a literal header: "{n}", "{n+}" (RFC 7888) or either behind "~", as the last thing on a line of an untagged
 * response that is no status. Not in "* OK", NO, BAD, BYE, PREAUTH, not in a tagged line, not in a continuation: their
 * words may end in "{12}" too. One that is not at the end of a line is plain text. Malformed ones at the end of a line
 * ("{}", "{-1}", "{99999999999999999999}") are IMAP_EV_BAD. So is a line that ends in "{n}" while a quoted string is
 * open: no server may send it, and both guesses are dangerous (bytes of a message read as responses, or responses
 * swallowed as bytes of a literal).
 *
 * Bounds: a line of text LIMIT_LINE (its CR counted), a whole response LIMIT_RESPONSE, a body LIMIT_MESSAGE_OCTETS.
 * Beyond that the event is IMAP_EV_BAD too. `why` is then set and the reader finished: every further call says
 * IMAP_EV_BAD.
 * Memory: grows as bytes arrive, never by what the peer announced.
 *
 * A hostile server may announce two bodies in one response, or write "BODY[] {5}" in the middle of a line, where
 * nothing is streamed. So take a body only when exactly one BODY_BEGIN ... BODY_END came in the response whose
 * imap_parse_fetch() says body_count 1 and IMAP_BODY_STREAMED.
 *
 * Calling sequence:
 *     imap_reader_init(&r);
 *     for each chunk `in` from the peer, until all of it is used:
 *         event = imap_reader_next(&r, in, &used);  drop `used` bytes of in;  act on event
 *     IMAP_EV_MORE means: all of `in` is used, feed more.
 *     imap_reader_release(&r);
 * `text` is valid from IMAP_EV_RESPONSE, `data` from IMAP_EV_BODY_DATA, until the next call (`data` points into `in`).
 * A response that begins after IMAP_EV_RESPONSE starts a fresh text.
 */
#ifndef MAILHAUL_WIRE_IMAP_READER_H
#define MAILHAUL_WIRE_IMAP_READER_H

#include "base/buf.h"

enum imap_event {
    IMAP_EV_MORE,
    IMAP_EV_RESPONSE,
    IMAP_EV_BODY_BEGIN, /* body_octets is announced; the text so far (without UID, if that comes later) is in `text` */
    IMAP_EV_BODY_DATA,
    IMAP_EV_BODY_END,
    IMAP_EV_BAD
};

struct imap_reader {
    struct slice text;    /* borrowed from `buf` */
    struct slice data;    /* borrowed from the caller's `in` */
    uint64_t body_octets; /* of the body announced last */
    const char *why;      /* static; for IMAP_EV_BAD, words for a person ("a line of more than 65536 bytes") */
    /* private */
    struct buf buf;
    size_t line_start;     /* where the current line of text begins in buf */
    uint64_t literal_left; /* bytes still to come of the literal we are in */
    bool is_fetch;         /* only a FETCH or UIDFETCH has bodies */
    int state;
};

void imap_reader_init(struct imap_reader *r);
void imap_reader_release(struct imap_reader *r);
/* Between two responses: gives the memory of the last one back; `text` is gone with it. Elsewhere nothing happens. */
void imap_reader_rest(struct imap_reader *r);
enum imap_event imap_reader_next(struct imap_reader *r, struct slice in, size_t *used_out);

#endif
