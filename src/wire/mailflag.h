/* SPDX-License-Identifier: MIT
 * mailflag.h - IMAP system flags (RFC 3501 section 2.3.2) to the info letters of a Maildir file name and back.
 * \Seen S, \Answered R, \Flagged F, \Draft D; \Deleted gives no letter, \Recent none. Letters stand in ASCII order.
 */
#ifndef MAILHAUL_WIRE_MAILFLAG_H
#define MAILHAUL_WIRE_MAILFLAG_H

#include "wire/imap_parse.h"

enum { MAILFLAG_LETTERS = 8 };
/* Writes the letters, NUL-terminated, and returns how many. */
size_t mailflag_letters(unsigned flags, char out[MAILFLAG_LETTERS]);
unsigned mailflag_from_letters(struct slice letters);
/* "\Seen" (any case) to MAIL_SEEN; 0: a keyword or unknown. */
unsigned mailflag_from_imap(struct slice name);

#endif
