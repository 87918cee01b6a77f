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
 * In between no command may be begun; imap_close() is fine at any time.
 *
 * Errors: as imap_finish(); BYE is E_BUSY with RETRY_RECONNECT, the end of the connection E_NET.
 */
#ifndef MAILHAUL_PROTO_IMAP_WAIT_H
#define MAILHAUL_PROTO_IMAP_WAIT_H

#include "proto/imap.h"

MUST_CHECK int imap_idle(struct imap *im, const struct imap_handler *handler, bool *idling_out, struct err *e);
/* False also when the server has ended the IDLE by itself. */
bool imap_idling(const struct imap *im);
MUST_CHECK int imap_idle_end(struct imap *im, const struct imap_handler *handler, struct err *e);

/* *all_out false: so much came at once that the rest was left; the descriptor need not be readable for it. */
MUST_CHECK int imap_arrived(struct imap *im, const struct imap_handler *handler, bool *all_out, struct err *e);
int imap_fd(const struct imap *im);
/* Frees what is needed in motion only. */
void imap_park(struct imap *im);

#endif
