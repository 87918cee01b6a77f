/* SPDX-License-Identifier: MIT
 * report.h - what a pass says to people (one summary line) and to programs (JSON, one object a line).
 */
#ifndef MAILHAUL_RUN_REPORT_H
#define MAILHAUL_RUN_REPORT_H

#include "haul/haul.h"

/* "12 new messages (3.4 MB), 2 removed from the server": appended. */
MUST_CHECK int report_summary(const struct haul_result *r, bool dry_run, struct buf *out);
/* "3.4 MB" */
void report_size(uint64_t octets, char *out, size_t size);

/* The JSON object of `fetch --json` for a message that arrived and for an account at its end, appended. */
MUST_CHECK int report_message(const char *account, const struct haul_delivered *d, struct buf *out);
MUST_CHECK int report_account(const char *account, const struct haul_result *r, bool dry_run, int64_t took_ms,
                              struct buf *out);
/* The same as lines on standard output, whole even when threads write at once. */
void report_json_message(const char *account, const struct haul_delivered *d);
void report_json_account(const char *account, const struct haul_result *r, bool dry_run, int64_t took_ms);
void report_json_line(const char *text);

/* The one of two exit statuses that decides, in the order of CONTRACT section 1. */
int report_worse(int a, int b);
/* Of a pass: its error's, else 65 when something was set aside, else 0. */
int report_exit_status(const struct haul_result *r);

#endif
