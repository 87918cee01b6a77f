/* SPDX-License-Identifier: MIT */
#include "base/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/stop.h"

extern char **environ;

/* ---- starting ---- */

static bool same_name(const char *variable, const char *other)
{
    size_t n = strcspn(variable, "=");

    return strncmp(variable, other, n) == 0 && other[n] == '=';
}

static bool is_replaced(const char *variable, const char *const *by)
{
    for (; *by != NULL; by++) {
        if (same_name(*by, variable))
            return true;
    }
    return false;
}

/* Ours, and `more` instead of or beside it. Only the array is to be freed. NULL: no memory. */
static char **merge_environment(const char *const *more)
{
    size_t count = 1, at = 0;
    char **merged;

    for (char **v = environ; *v != NULL; v++)
        count++;
    for (const char *const *v = more; *v != NULL; v++)
        count++;
    merged = calloc(count, sizeof(*merged));
    if (merged == NULL)
        return NULL;
    for (char **v = environ; *v != NULL; v++) {
        if (!is_replaced(*v, more))
            merged[at++] = *v;
    }
    for (const char *const *v = more; *v != NULL; v++)
        merged[at++] = (char *)*v;
    return merged;
}

/* The signals as a program expects to find them, and a group of its own, so that all it started can be ended. */
static int set_attributes(posix_spawnattr_t *attr)
{
    sigset_t none, all;
    int rc;

    sigemptyset(&none);
    sigfillset(&all);
    if ((rc = posix_spawnattr_setpgroup(attr, 0)) != 0 || (rc = posix_spawnattr_setsigmask(attr, &none)) != 0 ||
        (rc = posix_spawnattr_setsigdefault(attr, &all)) != 0)
        return rc;
    return posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static int set_descriptors(posix_spawn_file_actions_t *actions, const int fds[3])
{
    int rc = fds[0] < 0 ? posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
                        : posix_spawn_file_actions_adddup2(actions, fds[0], STDIN_FILENO);

    for (int i = STDOUT_FILENO; i <= STDERR_FILENO && rc == 0; i++) {
        if (fds[i] >= 0)
            rc = posix_spawn_file_actions_adddup2(actions, fds[i], i);
    }
#ifdef HAVE_POSIX_SPAWN_FILE_ACTIONS_ADDCLOSEFROM_NP
    /* All of ours are closed by exec; those that we were started with may not be. */
    if (rc == 0)
        rc = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
#endif
    return rc;
}

int child_spawn(char *const *argv, const char *const *environment, const int fds[3], pid_t *pid_out)
{
    char **merged = environment != NULL ? merge_environment(environment) : NULL;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    int rc;

    if (environment != NULL && merged == NULL)
        return ENOMEM;
    if ((rc = posix_spawn_file_actions_init(&actions)) != 0)
        goto out;
    if ((rc = posix_spawnattr_init(&attr)) != 0)
        goto out_actions;
    if ((rc = set_attributes(&attr)) == 0 && (rc = set_descriptors(&actions, fds)) == 0)
        rc = posix_spawnp(pid_out, argv[0], &actions, &attr, argv, merged != NULL ? merged : environ);
    posix_spawnattr_destroy(&attr);
out_actions:
    posix_spawn_file_actions_destroy(&actions);
out:
    free(merged);
    return rc;
}

static bool passes_by_itself(int errnum)
{
    return errnum == ENOMEM || errnum == EAGAIN || errnum == EMFILE || errnum == ENFILE;
}

/* ---- waiting ---- */

struct child {
    const struct child_options *options;
    pid_t pid;
    int pidfd;        /* -1: the kernel has none */
    int out;          /* what it writes, non-blocking; -1: closed by all who had it */
    int64_t deadline; /* clock_mono_ms() */
    bool lingering;   /* the deadline is that of linger_ms */
    struct buf *output;
};

static int start(struct child *c, struct err *e)
{
    const struct child_options *o = c->options;
    int ends[2], rc;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_sys(e, E_NOMEM, errno, "%s: no pipe", o->what);
    c->out = ends[0];
    rc = fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 ? 0 : errno;
    if (rc == 0)
        rc =
            child_spawn(o->argv, o->environment, (int[]){ o->input, ends[1], o->merge_errors ? ends[1] : -1 }, &c->pid);
    io_close(&ends[1]);
    if (rc != 0) {
        io_close(&c->out);
        return err_sys(e, passes_by_itself(rc) ? E_NOMEM : E_CONFIG, rc, "%s %s cannot be run", o->what, o->argv[0]);
    }
#ifdef SYS_pidfd_open
    c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
#endif
    return 0;
}

enum { CHUNK = 4096 };

static int keep(struct child *c, const char *chunk, size_t n)
{
    struct buf *b = c->output;

    if (c->options->keep_end && b->max - b->len < n && b->max >= CHUNK) {
        size_t old = n - (b->max - b->len);
        memmove(b->p, b->p + old, b->len - old);
        buf_truncate(b, b->len - old);
    }
    return buf_put(b, chunk, size_min(n, b->max - b->len));
}

/* Takes what the pipe holds now. Whoever writes without end shall not keep us here for ever. */
static int take_output(struct child *c, struct err *e)
{
    enum { READS = 64 };
    char chunk[CHUNK];
    ssize_t got = 1;
    int rc = 0;

    for (int i = 0; i < READS && got > 0 && rc == 0; i++) {
        got = read(c->out, chunk, sizeof(chunk));
        if (got > 0 && keep(c, chunk, (size_t)got) != 0)
            rc = err_nomem(e);
    }
    /* It may be a password. */
    explicit_bzero(chunk, sizeof(chunk));
    if (got < 0 && errno != EAGAIN && errno != EINTR)
        return err_sys(e, E_CONFIG, errno, "%s %s: its output cannot be read", c->options->what, c->options->argv[0]);
    if (got == 0 && rc == 0) {
        io_close(&c->out);
        if (c->options->linger_ms > 0 && clock_mono_ms() + c->options->linger_ms < c->deadline) {
            c->deadline = clock_mono_ms() + c->options->linger_ms;
            c->lingering = true;
        }
    }
    return rc;
}

/* It is not reaped by this, so that its process group cannot be anybody else's yet. */
static bool has_ended(const struct child *c)
{
    siginfo_t info = { .si_pid = 0 };

    return (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOWAIT | WNOHANG) != 0 && errno != EINTR) ||
           info.si_pid == c->pid;
}

static bool must_stop(const struct child *c)
{
    return stop_requested() != 0 && !(c->options->patient && stop_grace_ms() > 0);
}

/* The next thing that happens, or is due. */
static int wait_once(const struct child *c, bool *readable_out, struct err *e)
{
    enum { WITHOUT_PIDFD_MS = 10 };
    bool waits_on = c->options->patient && stop_requested() != 0;
    struct pollfd fds[3] = { { .fd = c->out, .events = POLLIN },
                             { .fd = c->pidfd, .events = POLLIN },
                             { .fd = waits_on ? -1 : stop_fd(), .events = POLLIN } };
    int64_t left = c->deadline - clock_mono_ms();

    if (waits_on && stop_grace_ms() < left)
        left = stop_grace_ms();
    if (c->pidfd < 0 && left > WITHOUT_PIDFD_MS)
        left = WITHOUT_PIDFD_MS;
    if (left > INT32_MAX)
        left = INT32_MAX;
    if (poll(fds, ARRAY_LEN(fds), left > 0 ? (int)left : 0) < 0 && errno != EINTR)
        return err_sys(e, E_NOMEM, errno, "%s %s: waiting failed", c->options->what, c->options->argv[0]);
    *readable_out = fds[0].revents != 0;
    return 0;
}

/* Until it has ended; -1: it is to be ended. */
static int watch(struct child *c, struct err *e)
{
    const struct child_options *o = c->options;
    bool readable = false;

    while (!has_ended(c)) {
        if (must_stop(c))
            return err_set(e, E_STOPPED, "stopped while %s %s ran", o->what, o->argv[0]);
        if (clock_mono_ms() >= c->deadline)
            return err_set(e, E_TIMEOUT, "%s %s took longer than %" PRId64 " s and was stopped", o->what, o->argv[0],
                           o->limit_ms / 1000);
        if (wait_once(c, &readable, e) != 0 || (readable && take_output(c, e) != 0))
            return -1;
    }
    return c->out >= 0 ? take_output(c, e) : 0;
}

int child_run(const struct child_options *options, struct buf *output, int *status_out, struct err *e)
{
    struct child c = { .options = options, .pidfd = -1, .out = -1, .output = output };
    int rc;
    pid_t got;

    *status_out = -1;
    c.deadline = clock_mono_ms() + options->limit_ms;
    if (start(&c, e) != 0)
        return -1;
    rc = watch(&c, e);
    if (rc != 0) {
        /* Itself, too: it may have left the group. */
        (void)kill(-c.pid, SIGKILL);
        (void)kill(c.pid, SIGKILL);
        if (c.lingering && e->code == E_TIMEOUT)
            rc = 0;
    }
    while ((got = waitpid(c.pid, status_out, 0)) < 0 && errno == EINTR)
        continue;
    io_close(&c.out);
    io_close(&c.pidfd);
    if (got < 0 && rc == 0)
        rc = err_sys(e, E_NOMEM, errno, "%s %s: nobody can say how it ended", options->what, options->argv[0]);
    return rc;
}

/* ---- finding ---- */

static bool can_be_run(const char *path, int *why)
{
    struct stat st;

    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        errno = EACCES;
    else if (access(path, X_OK) == 0)
        return true;
    /* One that is there and may not be run says more than one that is nowhere. */
    if (*why != EACCES)
        *why = errno;
    return false;
}

static bool in_path(const char *program, int *why)
{
    struct buf path = BUF_INIT(8192);
    const char *dirs = getenv("PATH");
    bool found = false;

    if (dirs == NULL)
        dirs = "/bin:/usr/bin";
    for (bool more = true; more && !found;) {
        size_t n = strcspn(dirs, ":");

        buf_clear(&path);
        if (buf_put(&path, dirs, n) == 0 && buf_putf(&path, "%s%s", n > 0 ? "/" : "", program) == 0)
            found = can_be_run(buf_cstr(&path), why);
        more = dirs[n] == ':';
        dirs += n + more;
    }
    buf_release(&path);
    return found;
}

int child_find(const char *what, const char *program, struct err *e)
{
    int why = ENOENT;

    if (strchr(program, '/') != NULL ? can_be_run(program, &why) : in_path(program, &why))
        return 0;
    return err_sys(e, E_CONFIG, why, "%s %s cannot be run", what, program);
}
