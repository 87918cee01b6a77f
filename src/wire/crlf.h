/* SPDX-License-Identifier: MIT
 * crlf.h - a message in file form (LF) to its form on the wire. RFC 5321 section 2.3.8 and 4.5.2.
 *
 *     CRLF_EXACT   each LF becomes CRLF, a CR stays, nothing is added at the end: what IMAP APPEND sends (the inverse
 *                  of eol.h)
 *     CRLF_SMTP    every line end is CRLF, so that the receiver and whoever comes behind it can never disagree about
 *                  where a line ends: LF, CR LF, and a CR alone become CRLF. A run of CRs directly before an LF or the
 *                  end of the message is one line end; before anything else, each CR is one (the empty line of a text
 *                  with CR line ends stays one). The last line gets an end when it has none; an empty message stays
 *                  empty. For BDAT.
 *     CRLF_DATA    the same, and a dot at the beginning of a line is doubled. For DATA; the final "." CRLF is the
 *                  caller's.
 *
 * Pure, the same at every chunk size and room, and fast: it runs over every byte that is handed on.
 *
 *     while (in.n > 0) { n = crlf_put(&c, &in, out, room); ... send n bytes of `out` ... }
 *     n = crlf_end(&c, out);
 */
#ifndef MAILHAUL_WIRE_CRLF_H
#define MAILHAUL_WIRE_CRLF_H

#include "base/slice.h"

enum crlf_form { CRLF_EXACT, CRLF_SMTP, CRLF_DATA };

struct crlf {
    enum crlf_form form;
    bool mid_line; /* the last byte written was not the end of a line                    */
    size_t crs;    /* SMTP, DATA: CRs taken, not written; what comes next tells what they are */
};
#define CRLF_INIT(f) ((struct crlf){ .form = (f) })

enum { CRLF_ROOM_MIN = 2, CRLF_END_MAX = 2 };
/* Takes bytes from the front of *in (moving it) as long as `room` holds what becomes of them, and returns the bytes
 * written to `out`, which must not overlap. With room >= CRLF_ROOM_MIN each call takes or writes something. What is
 * left in *in must come first in the next call. */
size_t crlf_put(struct crlf *c, struct slice *in, char *out, size_t room);
/* At the end of the message: what is held back, and the missing end of the last line. At most CRLF_END_MAX bytes. */
size_t crlf_end(struct crlf *c, char *out);

#endif
