/* SPDX-License-Identifier: MIT
 * child.h - runs another program: argv without a shell, in its own process group, with a time limit.
 *
 * posix_spawn, so that threads may run. The child gets default signal handling, nothing of our descriptors but the
 * three it is given, and our environment with `environment` ("NAME=value") added or replaced. What it writes is
 * collected in `output` up to the buffer's limit; the rest is read and dropped. When the time is over, or
 * stop_requested(), its whole group gets SIGKILL. It is always waited for.
 *
 * Errors: E_CONFIG when it cannot be started (not found, not executable); E_TIMEOUT; E_STOPPED; E_NOMEM. How the
 * program ended is no error: *status_out as of waitpid().
 * Thread: any.
 */
#ifndef MAILHAUL_BASE_CHILD_H
#define MAILHAUL_BASE_CHILD_H

#include "base/buf.h"
#include "base/err.h"

struct child_options {
    char *const *argv;              /* NULL-terminated; argv[0] is looked for in PATH */
    const char *const *environment; /* NULL-terminated, or NULL */
    int input;                      /* descriptor for standard input; -1: /dev/null */
    bool merge_errors;              /* standard error goes to `output` too; else to ours */
    int64_t limit_ms;
};
MUST_CHECK int child_run(const struct child_options *options, struct buf *output, int *status_out, struct err *e);
/* Whether argv[0] is a program that could be started: a path, or found in PATH. E_CONFIG with words. */
MUST_CHECK int child_find(const char *program, struct err *e);

#endif
