/* SPDX-License-Identifier: MIT
 * sink_smtp.h - a mail server as destination, by SMTP or LMTP: proto/smtp.h behind sink.h.
 *
 * One Received field is put in front of each message (RFC 5321 section 4.4); nothing else of it changes but its line
 * ends (wire/crlf.h). A message with ENVELOPE_HOPS_MAX Received fields goes round in circles: REJECTED. So is one that
 * is larger than the server's SIZE, one that no recipient can be found for, and one with a recipient outside ASCII when
 * the server has no SMTPUTF8. 8-bit mail for a server without 8BITMIME is sent as it is.
 *
 * One connection serves the whole pass; while round trips are what is waited for, there are up to SMTP_LANES_MAX side
 * by side (haul/lanes.h), and two when a server near by takes its time, each with one message whose answer is
 * not read yet and the envelope of the next.
 */
#ifndef MAILHAUL_HAUL_SINK_SMTP_H
#define MAILHAUL_HAUL_SINK_SMTP_H

#include "haul/envelope.h"
#include "haul/sink.h"
#include "proto/server.h"

enum { SMTP_LANES_MAX = 8 };

struct sink_smtp_options {
    const char *name;            /* the deliver section's */
    const struct server *server; /* host and port, or dial.unix_socket */
    bool lmtp;
    const char *domain; /* SMTP: its mail servers instead (proto/smtp_route.h); NULL: none */
    const char *state;  /* where what is kept of the domain stands, as there; NULL: nowhere */
    struct envelope_rules rules;
    bool drop_rejected;
    const char *source_host;     /* for Received: where the mail was fetched from */
    const char *source_protocol; /* "POP3", "IMAP", "POP3S", "IMAPS" */
};
/* Everything in the options is borrowed for the sink's life. NULL: no memory. */
struct sink *sink_smtp_new(const struct sink_smtp_options *options);

#endif
