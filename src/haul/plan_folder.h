/* SPDX-License-Identifier: MIT
 * plan_folder.h - plan.h applied to one folder: its listing and its rows in the journal become the lists of what to
 * fetch, skip and remove.
 *
 * POP3 lists everything by unique-id, so listing and journal are laid side by side, and rows that the listing lacks are
 * found as well. IMAP lists what is new by UID; what else is due (retries, removals) the journal knows by itself.
 */
#ifndef MAILHAUL_HAUL_PLAN_FOLDER_H
#define MAILHAUL_HAUL_PLAN_FOLDER_H

#include "haul/haul_int.h"

/* Fills p->fetch, p->retry and p->skip from p->listing. `truncated_out`: something wanted was left for the next pass
 * (max_messages, it failed in this pass already, or only destinations that are out are without it). */
MUST_CHECK int plan_fetches(struct pass *p, struct visit *visit, bool *truncated_out, struct err *e);
/* Fills p->remove with stored messages whose time on the server is over. */
MUST_CHECK int plan_removals(struct pass *p, struct visit *visit, struct err *e);
/* POP3: rows of messages that are not on the server any more are marked, and forgotten after a while. */
MUST_CHECK int plan_note_gone(struct pass *p, struct visit *visit, struct err *e);

#endif
