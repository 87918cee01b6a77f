/* SPDX-License-Identifier: MIT
 * intake.h - where a source pours message bodies: it watches the header block go by (digest, Message-ID), turns CRLF
 * into LF, and hands the bytes to every Maildir, and to one spool file for all other destinations; finished messages
 * gather in a batch (batch.h). A destination that is out gets nothing.
 *
 * Calling sequence, from a source's fetch():
 *     intake_begin(in)          a body begins, perhaps before it is known whose
 *     intake_data(in, bytes)... as they came over the wire: CRLF, dots unstuffed
 *     intake_done(in, item, facts)   it is whole, and it is this item's   -- or --
 *     intake_drop(in)           it is cut, or nobody asked for it: nothing stays of it
 *     intake_gone(in, item)     the server does not have it any more: its row goes
 *     intake_failed(in, item, why)   this item cannot be had in this pass (no begin needed; what was begun is dropped)
 *
 * intake_done() may commit a batch, or wait for the one before to be durable; the network's buffers fill meanwhile.
 * Errors: E_DISK and others that end the pass: hand them up.
 * Thread: the session's.
 */
#ifndef MAILHAUL_HAUL_INTAKE_H
#define MAILHAUL_HAUL_INTAKE_H

#include "base/err.h"

struct intake;
struct fetch_item;

struct arrival {
    unsigned flags;         /* enum mail_flag */
    int64_t date;           /* INTERNALDATE, s since 1970; 0: not told */
    struct slice object_id; /* EMAILID or X-GM-MSGID; n == 0: none; borrowed for the call */
};

MUST_CHECK int intake_begin(struct intake *in, struct err *e);
MUST_CHECK int intake_data(struct intake *in, struct slice wire_bytes, struct err *e);
/* Bytes of the current body so far, in wire form. */
uint64_t intake_octets(const struct intake *in);
MUST_CHECK int intake_done(struct intake *in, const struct fetch_item *item, const struct arrival *facts,
                           struct err *e);
void intake_drop(struct intake *in);
MUST_CHECK int intake_failed(struct intake *in, const struct fetch_item *item, const struct err *why, struct err *e);
MUST_CHECK int intake_gone(struct intake *in, const struct fetch_item *item, struct err *e);

#endif
