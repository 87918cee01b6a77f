/* SPDX-License-Identifier: MIT
 * fields.h - the header fields of a message, one after the other. RFC 5322 section 2.2.
 *
 * The header block ends with the first empty line. A field is a name of printable ASCII (FIELDS_NAME_MAX at most),
 * blanks (RFC 5322 section 4.5), and a colon; a line that is none is passed over with its continuations, and so an
 * mbox separator ("From " or ">From ") in front of the message is too. Values are unfolded by removing each line end
 * that a blank follows, and trimmed. A value longer than FIELDS_VALUE_MAX is cut there; memory is bounded by it. Line
 * ends may be LF or CRLF (also with several CRs); a CR elsewhere stays in the value.
 *
 * Pure, any chunk size. Calling sequence: fields_init(); fields_feed() for each piece (the callback runs for each
 * field that is complete); fields_end(); fields_release().
 */
#ifndef MAILHAUL_WIRE_FIELDS_H
#define MAILHAUL_WIRE_FIELDS_H

#include "base/buf.h"

enum { FIELDS_NAME_MAX = 76, FIELDS_VALUE_MAX = 32 * 1024 };

/* `name` without the colon, `value` unfolded; both live for the call. Non-zero ends the scan (done is set). */
typedef int fields_fn(void *ctx, struct slice name, struct slice value);

struct fields {
    bool done; /* the empty line has passed, or the callback had enough */
    bool cut;  /* in the callback: there was more of the value */
    fields_fn *fn;
    void *ctx;
    /* private */
    struct buf line;  /* the name, then the value so far */
    size_t name_size; /* of `line` */
    bool in_field;    /* a field has begun and may still be continued */
    int state;
};
void fields_init(struct fields *f, fields_fn *fn, void *ctx);
void fields_release(struct fields *f);
/* -1: no memory. After done: 0, at no cost. */
MUST_CHECK int fields_feed(struct fields *f, struct slice in);
/* The message is over: a field that was not ended is complete now. */
void fields_end(struct fields *f);

#endif
