/* SPDX-License-Identifier: MIT
 * last.h - STATE/NAME.last: when the last pass of an account was, how it ended, and what came today and ever. JSON,
 * replaced whole, without fsync: it is for people, nothing hangs on it.
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
    bool told;            /* failure_threshold was reached in this row */
    int exit_status;
    char error_name[16]; /* "auth", "tls"...; "": none */
    char error[ERR_TEXT_MAX + ERR_PEER_MAX];
    uint64_t messages, bytes, removed, skipped, failed, quarantined;
    uint64_t set_aside; /* messages in quarantine at its end */
    /* The last error there was, whatever passes went well since. */
    char last_error[ERR_TEXT_MAX + ERR_PEER_MAX];
    int64_t last_error_at;                /* s since 1970; 0: never */
    uint64_t messages_today, bytes_today; /* of this machine's day; nothing when the last pass was on another */
    struct {
        uint64_t passes, failures, messages, bytes, removed, quarantined;
    } total; /* since there is this file */
};

/* What could not be read is "not known". `state_dir` may be -1. */
void last_read(int state_dir, const char *account, struct last *out);

/* Failed passes in a row. Who makes several passes keeps it from one to the next, so that it is known also while the
 * file cannot be written; {0} at first. */
struct last_row {
    unsigned failures;
    bool told;    /* failure_threshold was reached in it */
    bool unsaved; /* the file does not have it */
};

/* What a pass has changed about how the account is doing. */
struct last_turn {
    enum { LAST_AS_BEFORE, LAST_FAILING, LAST_WORKS_AGAIN } what; /* FAILING: failure_threshold was reached, once */
    unsigned failures;                                            /* in a row; with WORKS_AGAIN those that there were */
    char error[ERR_TEXT_MAX + ERR_PEER_MAX];                      /* in words; with WORKS_AGAIN the last one; "" */
    struct last_row row;                                          /* in and out */
};

/* Says so in the log when it cannot be written; the pass is none the worse. A pass that was stopped (E_STOPPED) neither
 * failed nor worked. `set_aside` NULL: as many as before. */
void last_write(int state_dir, const struct conf_account *account, int64_t began, const struct haul_result *result,
                const unsigned *set_aside, struct last_turn *turn);
/* The same for a pass that could not even begin. */
void last_write_error(const struct conf *c, const struct conf_account *account, int64_t began, const struct err *e,
                      struct last_turn *turn);

#endif
