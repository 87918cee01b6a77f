/* SPDX-License-Identifier: MIT
 * log.h - what the program says to people: one line a call, to standard error, a file or syslog, never to standard
 * output.
 *
 * Whatever bytes go in, a line that comes out holds no control character (0x00-0x1f, 0x7f, 0x80-0x9f) and no invalid
 * UTF-8: each such byte is written \xNN. A server cannot paint the terminal. A line is at most LOG_LINE_MAX bytes.
 *
 * Calling sequence: log_open() once at the start, log_account() in each thread that works for an account (its name then
 * stands in front of every line of that thread), log_*(), log_close().
 * Thread: any; a lock keeps lines whole.
 */
#ifndef MAILHAUL_BASE_LOG_H
#define MAILHAUL_BASE_LOG_H

#include "base/err.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG, LOG_LEVEL_TRACE };
enum { LOG_LINE_MAX = 2048 };

struct log_options {
    enum log_level level;   /* of standard error: TRACE shows protocol lines                      */
    enum log_level to_file; /* of log_file and syslog                                             */
    const char *file;       /* NULL: none. Appended to, mode 0600, opened again by log_reopen()   */
    bool syslog;
    bool timestamps; /* in front of lines on standard error; a file always has them        */
    bool priorities; /* "<4>" in front of them instead: sd-daemon(3)                       */
};

/* Whether standard error leads to the journal of systemd, which has the time and wants priorities. */
bool log_goes_to_journal(void);

MUST_CHECK int log_open(const struct log_options *options, struct err *e);
MUST_CHECK int log_reopen(struct err *e);
void log_close(void);

/* The name that this thread's lines begin with; NULL for none. Copied. */
void log_account(const char *name);
/* For threads that help this one; "" is none. Lives as long as this thread keeps the name. */
const char *log_account_name(void);

/* True when a line of this level would go anywhere: to skip the work of making it. */
bool log_wants(enum log_level level);
void log_at(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);
#define log_error(...) log_at(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_trace(...) log_at(LOG_LEVEL_TRACE, __VA_ARGS__)

/* From here on a warning or an error about an account that says what was said before, word for word, is DEBUG only: for
 * a program that meets the same trouble pass after pass. log_news() makes what is said of the account new again. */
void log_once(void);
void log_news(const char *account);

/* Called under the lock around every line for standard error, so that a progress line can get out of its way. */
void log_around(void (*before)(void), void (*after)(void));

/* Calls `fn` under the lock: for what draws on standard error beside the log. It must not log. */
void log_locked(void (*fn)(void));

/* Copies `in` to `out` (size bytes, always NUL-terminated) as a line may show it; cut with "..." when it does not fit.
 */
void log_printable(char *out, size_t size, struct slice in);

/* What this thread sends to a peer in confidence: a peer may say it again, in its error for instance. From here on
 * log_words() shows "********" for these bytes, in this thread, for the last four of them; log_unhide() forgets and
 * wipes them. A short word of letters alone is not hidden: it would black out the peer's own words. */
void log_hide(struct slice secret);
void log_unhide(void);
/* log_printable() for what a peer says. */
void log_words(char *out, size_t size, struct slice in);

#endif
