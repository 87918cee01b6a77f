/* SPDX-License-Identifier: MIT
 * crlf.h - a message in file form (LF) to its form on the wire. RFC 5321 section 2.3.8 and 4.5.2.
 *
 *     CRLF_EXACT   each LF becomes CRLF, a CR stays: what IMAP APPEND sends (the inverse of eol.h)
 *     CRLF_SMTP    every line end is CRLF: LF, CR LF, and a CR alone become CRLF (a run of CRs directly before an LF
 *                  is one line end with it), so that the receiver and whoever comes behind it can never disagree about
 *                  where a line ends; and the last line gets one when it has none. For BDAT.
 *     CRLF_DATA    the same, and a dot at the beginning of a line is doubled. For DATA; the final "." CRLF is the
 *                  caller's.
 *
 * Pure, the same at every chunk size.
 */
#ifndef MAILHAUL_WIRE_CRLF_H
#define MAILHAUL_WIRE_CRLF_H

#include "base/slice.h"

enum crlf_form { CRLF_EXACT, CRLF_SMTP, CRLF_DATA };

struct crlf {
    enum crlf_form form;
    bool cr_held;  /* SMTP, DATA: a run of CRs whose meaning the next byte decides */
    bool mid_line; /* the last byte written was not the end of a line              */
};
#define CRLF_INIT(f) ((struct crlf){ .form = (f) })
/* Takes bytes from the front of *in (moving it) as long as `room` holds what becomes of them, at least one when room >=
 * 4; returns the bytes written to `out`. */
size_t crlf_put(struct crlf *c, struct slice *in, char *out, size_t room);
/* At the end of the message: what is held back, and the missing end of the last line. At most 4 bytes. */
size_t crlf_end(struct crlf *c, char *out);

#endif
