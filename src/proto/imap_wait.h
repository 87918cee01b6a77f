/* SPDX-License-Identifier: MIT
 * imap_wait.h - an IMAP session that waits to be told: IDLE (RFC 2177), or nothing but listening (NOTIFY, RFC 5465),
 * without a thread.
 *
 *     imap_idle(im, handler, &idling, e)       IDLE until "+"; false: the server refused it (NO, BAD)
 *     imap_park(im)                            then poll(imap_fd(im)) by anyone, as long as one likes; when readable:
 *     imap_arrived(im, handler, &all, e)       what has arrived goes to `handler`; never waits. imap_park() again
 *     imap_idle_end(im, handler, e)            DONE; ordinary commands again
 * Without IDLE the second and third step alone.
 *
 * Before imap_park() everything that arrived has to be taken (imap_arrived() with *all_out true): bytes that lie in a
 * buffer of ours make no descriptor readable. imap_idle() may have read more than the "+".
 *
 * The same without waiting for the answers, which imap_arrived() takes in when they come:
 *     imap_idle_ask(im, e), imap_idle_leave(im, e)      send IDLE, DONE; imap_idling() says how far it is
 *     imap_begin() ... imap_end(), imap_send(im, e)     a command; imap_has_answer(), then imap_finish()
 * One thing at a time. imap_idle_end() brings IDLE to its end from wherever it is; imap_close() is fine at any time.
 *
 * Errors: as imap_finish(); BYE is E_BUSY with RETRY_RECONNECT, the end of the connection E_NET.
 */
#ifndef MAILHAUL_PROTO_IMAP_WAIT_H
#define MAILHAUL_PROTO_IMAP_WAIT_H

#include "proto/imap.h"

enum imap_idle_state {
    IMAP_IDLE_OFF, /* also when the server has refused it, or ended it by itself */
    IMAP_IDLE_ASKED,
    IMAP_IDLE_ON,
    IMAP_IDLE_LEAVING
};

MUST_CHECK int imap_idle(struct imap *im, const struct imap_handler *handler, bool *idling_out, struct err *e);
MUST_CHECK int imap_idle_end(struct imap *im, const struct imap_handler *handler, struct err *e);
enum imap_idle_state imap_idling(const struct imap *im);

MUST_CHECK int imap_idle_ask(struct imap *im, struct err *e);
/* Of an IDLE that is on; one that is off stays so. */
MUST_CHECK int imap_idle_leave(struct imap *im, struct err *e);
MUST_CHECK int imap_send(struct imap *im, struct err *e);
bool imap_has_answer(const struct imap *im, uint32_t tag);

/* *all_out false: so much came at once that the rest was left; the descriptor need not be readable for it. */
MUST_CHECK int imap_arrived(struct imap *im, const struct imap_handler *handler, bool *all_out, struct err *e);
int imap_fd(const struct imap *im);
/* Frees what is needed in motion only. */
void imap_park(struct imap *im);

#endif
