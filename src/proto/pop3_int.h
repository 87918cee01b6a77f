/* SPDX-License-Identifier: MIT
 * pop3_int.h - what the three files of the POP3 client share.
 */
#ifndef MAILHAUL_PROTO_POP3_INT_H
#define MAILHAUL_PROTO_POP3_INT_H

#include "proto/pop3.h"

/* For error texts: "mail.example.org", or what stands for it. */
const char *pop3_host(const struct pop3 *p);
/* Ends the talk and returns -1: nothing is said after an error, not even QUIT. */
int pop3_broken(struct pop3 *p);
/* Sends one command line, given without CRLF, unless its bit of `ask` shows that it went ahead. */
MUST_CHECK int pop3_send(struct pop3 *p, unsigned ask, const char *command, struct err *e);
/* The next line as a reply, in an exchange of its own (silence `factor`). `ahead`: other commands were sent with it.
 * The slices of *out die at the next read. */
MUST_CHECK int pop3_reply(struct pop3 *p, unsigned factor, bool ahead, struct pop3_reply *out, struct err *e);
/* E_PROTO for a line that should be a status; sets out_of_step where `ahead`. Returns -1. */
int pop3_no_status(struct pop3 *p, bool ahead, struct slice line, struct err *e);
/* True for the codes that say: later. */
bool pop3_says_later(const struct pop3_reply *reply);

#endif
