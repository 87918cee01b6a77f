/* SPDX-License-Identifier: MIT
 * last.h - STATE/NAME.last: when the last pass of an account was, and how it ended. JSON, replaced whole, without
 * fsync: it is for people, nothing hangs on it.
 */
#ifndef MAILHAUL_RUN_LAST_H
#define MAILHAUL_RUN_LAST_H

#include "conf/conf.h"
#include "haul/haul.h"

struct last {
    bool known;           /* there was a pass */
    int64_t began, ended; /* s since 1970 */
    int64_t last_success; /* 0: never */
    unsigned failures;    /* passes in a row that ended with an error */
    int exit_status;
    char error_name[16]; /* "auth", "tls"...; "": none */
    char error[ERR_TEXT_MAX + ERR_PEER_MAX];
    uint64_t messages, bytes, removed, skipped, failed, quarantined;
};

/* What could not be read is "not known". `state_dir` may be -1. */
void last_read(int state_dir, const char *account, struct last *out);
/* Says so in the log when it cannot be written; the pass is none the worse. */
void last_write(int state_dir, const char *account, int64_t began, const struct haul_result *result);
/* The same for a pass that could not even begin. */
void last_write_error(const struct conf *c, const char *account, int64_t began, const struct err *e);

#endif
