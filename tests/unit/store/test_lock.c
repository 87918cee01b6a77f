/* SPDX-License-Identifier: MIT */
#include "store/lock.h"

#include <signal.h>

#include "store_test.h"

/* A process that takes the lock (and marks it busy), says so, and waits to be killed. */
static pid_t other_process(bool busy)
{
    int pipes[2];
    char c = 0;
    pid_t pid;

    CHECK_INT(pipe(pipes), 0);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        struct err e = ERR_INIT;
        struct lock l = LOCK_INIT;
        if (lock_take(&l, box_fd, "a.lock", false, &e) == 0) {
            if (busy)
                lock_mark_busy(&l);
            if (write(pipes[1], "y", 1) == 1)
                pause();
        }
        _exit(1);
    }
    close(pipes[1]);
    CHECK_INT(read(pipes[0], &c, 1), 1);
    close(pipes[0]);
    return pid;
}

static void end(pid_t pid)
{
    int status;

    kill(pid, SIGKILL);
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status));
}

static void test_two_in_one_process(void **state)
{
    struct err e = ERR_INIT;
    struct lock a = LOCK_INIT, b = LOCK_INIT;
    char words[64];

    (void)state;
    CASE("two descriptions in one process");
    OK(lock_take(&a, box_fd, "a.lock", false, &e));
    check_mode("a.lock", 0600);
    snprintf(words, sizeof(words), "process %d", (int)getpid());
    FAILS(lock_take(&b, box_fd, "a.lock", false, &e), E_LOCKED, words);
    CHECK_INT(b.fd, -1);
    FAILS(lock_take(&b, box_fd, "a.lock", true, &e), E_LOCKED, words);
    OK(lock_take(&b, box_fd, "b.lock", false, &e));
    lock_release(&b);
    lock_release(&a);
    lock_release(&a);
    OK(lock_take(&b, box_fd, "a.lock", false, &e));
    lock_release(&b);
}

static void test_two_processes(void **state)
{
    struct err e = ERR_INIT;
    struct lock l = LOCK_INIT;
    pid_t pid = other_process(false);
    char words[64];

    (void)state;
    CASE("held by another process");
    snprintf(words, sizeof(words), "process %d", (int)pid);
    FAILS(lock_take(&l, box_fd, "a.lock", false, &e), E_LOCKED, words);
    end(pid);
    CASE("free when that was killed");
    OK(lock_take(&l, box_fd, "a.lock", false, &e));
    CHECK(!lock_was_busy(&l));
    lock_release(&l);
}

static void test_busy(void **state)
{
    struct err e = ERR_INIT;
    struct lock l = LOCK_INIT;

    (void)state;
    CASE("a new file");
    OK(lock_take(&l, box_fd, "a.lock", false, &e));
    CHECK(!lock_was_busy(&l));
    lock_mark_busy(&l);
    lock_mark_clean(&l);
    lock_release(&l);

    CASE("a pass that ended tidily");
    OK(lock_take(&l, box_fd, "a.lock", false, &e));
    CHECK(!lock_was_busy(&l));
    lock_release(&l);

    CASE("a pass that was killed");
    end(other_process(true));
    for (int i = 0; i < 2; i++) {
        OK(lock_take(&l, box_fd, "a.lock", false, &e));
        CHECK(lock_was_busy(&l));
        lock_release(&l);
        CASE("and one that neither swept nor made files");
    }

    CASE("swept");
    OK(lock_take(&l, box_fd, "a.lock", false, &e));
    lock_mark_clean(&l);
    lock_release(&l);
    OK(lock_take(&l, box_fd, "a.lock", false, &e));
    CHECK(!lock_was_busy(&l));
    lock_release(&l);
}

static void test_read_only(void **state)
{
    struct err e = ERR_INIT;
    struct lock l = LOCK_INIT;

    (void)state;
    CASE("no file: nobody holds it");
    OK(lock_take(&l, box_fd, "a.lock", true, &e));
    CHECK_INT(l.fd, -1);
    CHECK_INT(count_entries("."), 0);
    lock_release(&l);

    CASE("nothing is written");
    put_file("a.lock", SLICE("         1 busy\n"));
    OK(lock_take(&l, box_fd, "a.lock", true, &e));
    CHECK(lock_was_busy(&l));
    lock_mark_clean(&l);
    lock_release(&l);
    check_file("a.lock", SLICE("         1 busy\n"));
}

static void test_odd_files(void **state)
{
    static const struct slice contents[] = { SLICE(""), SLICE("x"), SLICE("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
                                             SLICE("99999999999999999999999999999999") };
    struct err e = ERR_INIT;
    struct lock l = LOCK_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
        CASE("odd contents %zu", i);
        put_file("a.lock", contents[i]);
        OK(lock_take(&l, box_fd, "a.lock", false, &e));
        CHECK(!lock_was_busy(&l));
        lock_release(&l);
    }
    CASE("a symbolic link is not followed");
    CHECK_INT(symlinkat("elsewhere", box_fd, "link.lock"), 0);
    FAILS(lock_take(&l, box_fd, "link.lock", false, &e), E_DISK, "symbolic link");
    CHECK(!is_there("elsewhere"));
    CASE("a directory");
    CHECK_INT(mkdirat(box_fd, "dir.lock", 0700), 0);
    FAILS(lock_take(&l, box_fd, "dir.lock", false, &e), E_DISK, "dir.lock");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_two_in_one_process, box_make, box_remove),
        cmocka_unit_test_setup_teardown(test_two_processes, box_make, box_remove),
        cmocka_unit_test_setup_teardown(test_busy, box_make, box_remove),
        cmocka_unit_test_setup_teardown(test_read_only, box_make, box_remove),
        cmocka_unit_test_setup_teardown(test_odd_files, box_make, box_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
