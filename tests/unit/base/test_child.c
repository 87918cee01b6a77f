/* SPDX-License-Identifier: MIT */
#include "base/child.h"

#include "../unit.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/num.h"
#include "base/stop.h"

enum { LONG_MS = 60 * 1000 };

/* The linker puts this in front of libc's: a kernel without pidfd_open. */
static bool no_pidfd;
long __real_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f);

long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
#ifdef SYS_pidfd_open
    if (no_pidfd && number == SYS_pidfd_open) {
        errno = ENOSYS;
        return -1;
    }
#endif
    return __real_syscall(number, a, b, c, d, e, f);
}

static char sh[] = "sh", dash_c[] = "-c", nothing[] = ":";

/* `sh -c script` with what is not set in `o`. */
static int run_script(const char *script, struct child_options o, struct buf *out, int *status, struct err *e)
{
    char *const argv[] = { sh, dash_c, (char *)script, NULL };

    buf_clear(out);
    o.what = "the test";
    o.argv = argv;
    if (o.limit_ms == 0)
        o.limit_ms = LONG_MS;
    return child_run(&o, out, status, e);
}

static const struct {
    const char *name, *script;
    bool merge;
    int exit_status, signal;
    const char *output;
} endings[] = {
    { "all is well", "echo hello", false, 0, 0, "hello\n" },
    { "a status", "exit 75", false, 75, 0, "" },
    { "a signal", "kill -9 $$", false, 0, SIGKILL, "" },
    { "its error output is not for us", "echo a; echo b 2>/dev/null >&2; echo c", false, 0, 0, "a\nc\n" },
    { "both outputs", "echo a; echo b >&2; echo c", true, 0, 0, "a\nb\nc\n" },
    { "no input", "cat; echo end", false, 0, 0, "end\n" },
    { "it closes its output and goes on", "echo a; exec >&- 2>&-; exit 3", true, 3, 0, "a\n" },
    { "more than anybody wants",
      "i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; "
      "i=$((i + 1)); done; exit 4",
      false, 4, 0, "0123456789012345678901234567890123456789\n012345678" },
    { "signals are as a program expects them", "kill -PIPE $$; echo not reached", false, 0, SIGPIPE, "" },
    { "no signal is blocked", "kill -TERM $$; echo not reached", false, 0, SIGTERM, "" },
};

static void test_endings(void **state)
{
    struct buf out = BUF_INIT(50);
    struct err e = ERR_INIT;
    sigset_t blocked;
    int status;

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    for (size_t i = 0; i < 2 * ARRAY_LEN(endings); i++) {
        size_t n = i / 2;
        no_pidfd = i % 2 == 1;
        CASE("%s%s", endings[n].name, no_pidfd ? ", without pidfd" : "");
        CHECK_INT(run_script(endings[n].script, (struct child_options){ .input = -1, .merge_errors = endings[n].merge },
                             &out, &status, &e),
                  0);
        if (endings[n].signal != 0)
            CHECK_INT(WIFSIGNALED(status) ? WTERMSIG(status) : 0, endings[n].signal);
        else
            CHECK_INT(WIFEXITED(status) ? WEXITSTATUS(status) : -1, endings[n].exit_status);
        CHECK_SLICE(buf_slice(&out), slice_str(endings[n].output));
    }
    no_pidfd = false;
    pthread_sigmask(SIG_UNBLOCK, &blocked, NULL);
    buf_release(&out);
}

static void test_environment(void **state)
{
    static const char *const more[] = { "CHILD_ONE=1", "CHILD_TWO=new = x", "CHILD_=", NULL };
    static char env[] = "env";
    struct child_options o = { .what = "the test", .environment = more, .input = -1, .limit_ms = LONG_MS };
    struct buf out = BUF_INIT(65536);
    struct err e = ERR_INIT;
    int status;

    (void)state;
    CASE("added, replaced, and the rest as it is");
    setenv("CHILD_TWO", "old", 1);
    setenv("CHILD_TWOS", "kept", 1);
    CHECK_INT(run_script("env | grep ^CHILD_ | sort", (struct child_options){ .input = -1, .environment = more }, &out,
                         &status, &e),
              0);
    CHECK_SLICE(buf_slice(&out), SLICE("CHILD_=\nCHILD_ONE=1\nCHILD_TWO=new = x\nCHILD_TWOS=kept\n"));
    CASE("nothing is there twice");
    o.argv = (char *const[]){ env, NULL };
    buf_clear(&out);
    CHECK_INT(child_run(&o, &out, &status, &e), 0);
    CHECK(strstr(buf_cstr(&out), "CHILD_TWO=new = x\n") != NULL);
    CHECK(strstr(buf_cstr(&out), "CHILD_TWO=old\n") == NULL);
    CASE("ours is untouched");
    CHECK_SLICE(slice_str(getenv("CHILD_TWO")), SLICE("old"));
    CHECK(getenv("CHILD_ONE") == NULL);
    CASE("nothing to add");
    CHECK_INT(run_script("echo $CHILD_TWO", (struct child_options){ .input = -1 }, &out, &status, &e), 0);
    CHECK_SLICE(buf_slice(&out), SLICE("old\n"));
    buf_release(&out);
}

static void test_descriptors(void **state)
{
    struct buf out = BUF_INIT(500);
    struct err e = ERR_INIT;
    int ends[2], low, status;

    (void)state;
    CASE("standard input");
    CHECK_INT(pipe2(ends, O_CLOEXEC), 0);
    CHECK_INT(io_write_all(ends[1], "a message", 9), 0);
    io_close(&ends[1]);
    CHECK_INT(run_script("cat", (struct child_options){ .input = ends[0] }, &out, &status, &e), 0);
    CHECK_SLICE(buf_slice(&out), SLICE("a message"));
    io_close(&ends[0]);
    CASE("nothing else of ours");
    low = dup(STDIN_FILENO);
    CHECK(low >= 0 && low < 10);
    CHECK_INT(run_script("for i in 3 4 5 6 7 8 9; do if (true <&$i) 2>/dev/null; then echo $i; fi; done",
                         (struct child_options){ .input = -1 }, &out, &status, &e),
              0);
#ifdef HAVE_POSIX_SPAWN_FILE_ACTIONS_ADDCLOSEFROM_NP
    CHECK_SLICE(buf_slice(&out), SLICE(""));
#endif
    io_close(&low);
    buf_release(&out);
}

/* Its one writer is the other end's last holder: end of file says that they are all gone. */
static bool all_gone(int fd)
{
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    char chunk[100];
    ssize_t got;

    while (poll(&wait, 1, 10 * 1000) == 1) {
        got = read(fd, chunk, sizeof(chunk));
        if (got == 0)
            return true;
    }
    return false;
}

static void test_group(void **state)
{
    static const char script[] = "sleep 100 & sh -c 'sleep 100; true'";
    struct buf out = BUF_INIT(500);
    struct err e = ERR_INIT;
    int64_t begin = clock_mono_ms();
    int ends[2], status;

    (void)state;
    CASE("over the time: all that it started is killed");
    CHECK_INT(pipe2(ends, O_CLOEXEC), 0);
    CHECK_INT(run_script(script, (struct child_options){ .input = ends[1], .limit_ms = 200 }, &out, &status, &e), -1);
    CHECK_INT(e.code, E_TIMEOUT);
    CHECK(strstr(e.text, "the test sh took longer than") != NULL);
    io_close(&ends[1]);
    CHECK(all_gone(ends[0]));
    CHECK(clock_mono_ms() - begin < LONG_MS);
    io_close(&ends[0]);
    buf_release(&out);
}

/* The grandchild keeps standard output and error, and is not ours to wait for or to kill. */
static void test_daemonised(void **state)
{
    struct buf out = BUF_INIT(500);
    struct err e = ERR_INIT;
    int64_t begin = clock_mono_ms();
    uint64_t pid = 0;
    int status;

    (void)state;
    for (int i = 0; i < 2; i++) {
        no_pidfd = i == 1;
        CASE("a program that leaves another one behind%s", no_pidfd ? ", without pidfd" : "");
        CHECK_INT(run_script("sleep 100 & echo $!; exit 7", (struct child_options){ .input = -1, .merge_errors = true },
                             &out, &status, &e),
                  0);
        CHECK_INT(WEXITSTATUS(status), 7);
        CHECK_INT(num_parse_u64(slice_trim(buf_slice(&out)), &pid), 0);
        CHECK_INT(kill((pid_t)pid, SIGTERM), 0);
        CHECK(clock_mono_ms() - begin < LONG_MS);
    }
    no_pidfd = false;
    buf_release(&out);
}

static void test_long_output(void **state)
{
    static const char script[] = "i=0; while [ $i -lt 2000 ]; do echo $i; i=$((i + 1)); done; echo the end";
    struct buf out = BUF_INIT(5000);
    struct err e = ERR_INIT;
    int status;

    (void)state;
    CASE("the beginning of a long output");
    CHECK_INT(run_script(script, (struct child_options){ .input = -1 }, &out, &status, &e), 0);
    CHECK_INT(out.len, 5000);
    CHECK(slice_starts(buf_slice(&out), SLICE("0\n1\n2\n")));
    CASE("its end");
    CHECK_INT(run_script(script, (struct child_options){ .input = -1, .keep_end = true }, &out, &status, &e), 0);
    CHECK_INT(out.len, 5000);
    CHECK_SLICE(slice_from(buf_slice(&out), 5000 - 23), SLICE("1997\n1998\n1999\nthe end\n"));
    buf_release(&out);
}

static void test_linger(void **state)
{
    struct buf out = BUF_INIT(500);
    struct err e = ERR_INIT;
    int status;

    (void)state;
    CASE("it has said all, and stays");
    CHECK_INT(run_script("echo all; exec >&-; exec sleep 100", (struct child_options){ .input = -1, .linger_ms = 100 },
                         &out, &status, &e),
              0);
    CHECK_INT(WIFSIGNALED(status) ? WTERMSIG(status) : 0, SIGKILL);
    CHECK_SLICE(buf_slice(&out), SLICE("all\n"));
    buf_release(&out);
}

static const struct {
    const char *name, *program, *path, *words; /* NULL: it can be run */
} programs[] = {
    { "in PATH", "sh", "/nowhere:/bin:/usr/bin", NULL },
    { "a path", "/bin/sh", "/nowhere", NULL },
    { "not in PATH", "sh", "/nowhere:/", "the test sh cannot be run: No such file" },
    { "nowhere", "/no/such/program", "/bin", "the test /no/such/program cannot be run: No such file" },
    { "a directory", "/tmp", "/bin", "the test /tmp cannot be run: Permission denied" },
    { "a directory in PATH", "tmp", "/:/nowhere", "the test tmp cannot be run: Permission denied" },
    { "a file that is no program", "/etc/passwd", "/bin", "the test /etc/passwd cannot be run: Permission denied" },
    { "no name", "", "/bin:/usr/bin", "the test  cannot be run: " },
};

static void test_programs(void **state)
{
    struct buf out = BUF_INIT(500);
    char *path = strdup(getenv("PATH"));
    struct err e = ERR_INIT;
    int status;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
        char *const argv[] = { (char *)programs[i].program, dash_c, nothing, NULL };
        const struct child_options o = { .what = "the test", .argv = argv, .input = -1, .limit_ms = LONG_MS };
        int want = programs[i].words == NULL ? 0 : -1;

        CASE("%s", programs[i].name);
        setenv("PATH", programs[i].path, 1);
        CHECK_INT(child_find("the test", programs[i].program, &e), want);
        if (want != 0) {
            CHECK_INT(e.code, E_CONFIG);
            CHECK(strstr(e.text, programs[i].words) == e.text);
        }
        CHECK_INT(child_run(&o, &out, &status, &e), want);
        if (want != 0) {
            CHECK_INT(e.code, E_CONFIG);
            CHECK_INT(status, -1);
            CHECK(strstr(e.text, "the test ") == e.text);
        }
    }
    setenv("PATH", path, 1);
    free(path);
    buf_release(&out);
}

/* Says stop as soon as the child has said that it runs, then lets it go on. */
static void *stop_when_running(void *arg)
{
    int fd = *(int *)arg;
    char c;

    if (read(fd, &c, 1) == 1)
        stop_request(SIGTERM);
    return io_write_all(fd, "go on\n", 6) == 0 ? NULL : arg;
}

/* The last test: the wish to stop stays. */
static void test_stop(void **state)
{
    struct buf out = BUF_INIT(500);
    struct err e = ERR_INIT;
    int64_t begin = clock_mono_ms();
    int ends[2], status;
    pthread_t thread;
    void *failed;

    (void)state;
    CHECK_INT(stop_init(&e), 0);
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    CASE("one that is waited for a little ends in peace");
    CHECK_INT(pthread_create(&thread, NULL, stop_when_running, &ends[1]), 0);
    CHECK_INT(run_script("echo x >&0; read line; echo $line; exit 5",
                         (struct child_options){ .input = ends[0], .patient = true }, &out, &status, &e),
              0);
    CHECK_INT(pthread_join(thread, &failed), 0);
    CHECK(failed == NULL);
    CHECK_INT(WEXITSTATUS(status), 5);
    CHECK_SLICE(buf_slice(&out), SLICE("go on\n"));
    CASE("others at once");
    CHECK_INT(run_script("sleep 100", (struct child_options){ .input = -1 }, &out, &status, &e), -1);
    CHECK_INT(e.code, E_STOPPED);
    CHECK(clock_mono_ms() - begin < STOP_GRACE_MS);
    CASE("not for ever");
    CHECK_INT(run_script("sleep 100", (struct child_options){ .input = -1, .patient = true }, &out, &status, &e), -1);
    CHECK_INT(e.code, E_STOPPED);
    CHECK(clock_mono_ms() - begin < LONG_MS);
    io_close(&ends[0]);
    io_close(&ends[1]);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_endings), cmocka_unit_test(test_environment), cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_group),   cmocka_unit_test(test_daemonised),  cmocka_unit_test(test_long_output),
        cmocka_unit_test(test_linger),  cmocka_unit_test(test_programs),    cmocka_unit_test(test_stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
