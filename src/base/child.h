/* SPDX-License-Identifier: MIT
 * child.h - runs another program: argv without a shell, in its own process group, with a time limit.
 *
 * posix_spawn, so that threads may run. The child gets default signal handling, nothing of our descriptors but the
 * three it is given, and our environment with `environment` ("NAME=value") added or replaced. What it writes is
 * collected in `output` up to the buffer's limit (4 KiB or more with keep_end); the rest is read and dropped.
 *
 * It is always waited for, and it alone: whoever it leaves behind in the background may live on and keep its output
 * open. When the time is over, or stop_requested(), its whole group gets SIGKILL.
 *
 * Errors: E_CONFIG when it cannot be started (not found, not executable); E_TIMEOUT; E_STOPPED; E_NOMEM. How the
 * program ended is no error: *status_out as of waitpid(). After an error *status_out is -1 when it was never started.
 * Thread: any.
 */
#ifndef MAILHAUL_BASE_CHILD_H
#define MAILHAUL_BASE_CHILD_H

#include "base/buf.h"
#include "base/err.h"

#include <sys/types.h>

struct child_options {
    const char *what;               /* what it is called in errors, in front of its name: "the tunnel command" */
    char *const *argv;              /* NULL-terminated; argv[0] is looked for in PATH */
    const char *const *environment; /* NULL-terminated, or NULL */
    int input;                      /* descriptor for standard input; -1: /dev/null */
    bool merge_errors;              /* standard error goes to `output` too; else to ours */
    bool keep_end;                  /* of more output than the buffer takes, the end is kept, not the beginning */
    bool patient;                   /* it goes on for the while that base/stop.h grants after the wish to stop */
    int64_t limit_ms;
    int64_t linger_ms; /* the most that it may stay once it has closed its output, then SIGKILL; 0: no such limit */
};
MUST_CHECK int child_run(const struct child_options *options, struct buf *output, int *status_out, struct err *e);
/* Whether argv[0] is a program that could be started: a path, or found in PATH. E_CONFIG with words, which begin with
 * `what` as above. */
MUST_CHECK int child_find(const char *what, const char *program, struct err *e);

/* Starts a program and does not wait for it. `fds` are its standard input (-1: /dev/null), output and error (-1:
 * ours). 0, or what errno would be. */
MUST_CHECK int child_spawn(char *const *argv, const char *const *environment, const int fds[3], pid_t *pid_out);

#endif
