/* SPDX-License-Identifier: MIT
 * sink_command.h - a program as destination (procmail, maildrop, rspamc ...): one run a message, the message on its
 * standard input, no shell.
 *
 * Environment: MAILHAUL_ACCOUNT, MAILHAUL_SENDER (from Return-Path; empty: none), MAILHAUL_RECIPIENT (the first valid
 * Delivered-To, X-Original-To or Envelope-To, else the account's user), MAILHAUL_FOLDER (UTF-8, control characters as
 * %XX), MAILHAUL_FLAGS (Maildir letters: "FS"), MAILHAUL_SIZE (octets on its standard input).
 * Exit status 0: delivered; 75 (EX_TEMPFAIL), a signal, or the time limit: put off; any other: REJECTED. The last line
 * that it wrote to standard output or error stands in slot->why. A program that cannot be started is E_CONFIG. One that
 * runs when we are asked to stop may end within the while that base/stop.h grants; else it is killed, and IN_DOUBT.
 */
#ifndef MAILHAUL_HAUL_SINK_COMMAND_H
#define MAILHAUL_HAUL_SINK_COMMAND_H

#include "haul/sink.h"

struct sink_command_options {
    const char *name;
    const char *account, *user; /* user may be NULL */
    char *const *argv;          /* NULL-terminated */
    bool crlf;                  /* line ends on standard input */
    int time_limit_s;
    unsigned max_parallel;
    const char *spool_dir; /* for the CRLF form */
    bool drop_rejected;
};
/* Everything in the options is borrowed for the sink's life. NULL: no memory. */
struct sink *sink_command_new(const struct sink_command_options *options);

#endif
