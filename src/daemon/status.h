/* SPDX-License-Identifier: MIT
 * status.h - all that `mailhaul status` can say of one account: what a live daemon is doing with it, and what its state
 * files hold of the passes that were.
 *
 * Filled by the daemon (status_live()), by whoever finds no daemon (status_of_files()), or from what the daemon sent
 * (status_json.h). Strings are borrowed, of the supervisor or of the JSON object, until the loop goes on or the object
 * is let go. Thread: any, but status_live() is the loop's.
 */
#ifndef MAILHAUL_DAEMON_STATUS_H
#define MAILHAUL_DAEMON_STATUS_H

#include "daemon/supervisor.h"
#include "run/authorize.h"
#include "run/last.h"

struct status_line {
    const char *account;
    bool enabled;
    bool live;                /* a daemon has it: what `doing` and `next_pass` say counts */
    enum account_doing doing; /* of these the fields that supervisor.h gives to each */
    enum haul_phase phase;
    uint64_t wanted_messages, wanted_bytes, messages, bytes; /* RUNNING: so far */
    enum wait_how how;
    const char *folder; /* NULL: none */
    uint64_t connections;
    int64_t next_pass; /* s since 1970; 0: none is planned */
    struct last last;
    struct authorization authorization; /* of its login; not `wanted`: there is nothing to say */
};

/* `state_dir`: open, or -1. */
void status_of_files(int state_dir, const char *account, bool enabled, struct status_line *out);
void status_live(const struct supervisor *s, size_t i, int state_dir, struct status_line *out);

/* "queued", "fetching", "waiting"...: for programs, and values of the label of mailhaul_state. */
extern const char *const status_states[];
extern const size_t status_state_count;
/* NULL: no daemon has it. */
const char *status_state(const struct status_line *l);
/* The result of the last pass: "ok", "never", or the error's short name. */
const char *status_result(const struct status_line *l);

/* What it does now, for people: "waiting (IDLE on INBOX)", "fetching 12 of 40", "next try in 3 min". Always
 * NUL-terminated; printable whatever the folder is called. */
void status_words(const struct status_line *l, int64_t now, char *out, size_t size);
/* What a person has to do about the OAuth 2.0 authorization: it is missing, refused, or ends within a week. "" when
 * there is nothing to do. */
void status_authorization(const struct status_line *l, int64_t now, char *out, size_t size);
/* "40 s", "3 min", "2 h 5 min" */
void status_span(int64_t seconds, char *out, size_t size);

#endif
