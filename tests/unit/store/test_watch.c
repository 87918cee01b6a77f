/* SPDX-License-Identifier: MIT */
#include "store/watch.h"

#include "store_test.h"

#include <poll.h>

enum { MAIN, MORE, DEEP };

/* What was told, each once: " 0:name 1:*". */
static char told[4096];

static void note(void *ctx, unsigned id, const char *name)
{
    char one[300];
    size_t n = strlen(told), length;

    (void)ctx;
    length = (size_t)snprintf(one, sizeof(one), " %u:%s", id, name != NULL ? name : "*");
    for (const char *p = told; (p = strstr(p, one)) != NULL; p++) {
        if (p[length] == ' ' || p[length] == '\0')
            return;
    }
    snprintf(told + n, sizeof(told) - n, "%s", one);
}

static int put(const char *name, const char *text)
{
    int fd = open(in_box(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int rc = fd >= 0 ? io_write_all(fd, text, strlen(text)) : -1;

    io_close(&fd);
    return rc;
}

static int move(const char *from, const char *to)
{
    return rename(in_box(from), in_box(to));
}

static int make(const char *name)
{
    return mkdir(in_box(name), 0700);
}

static int drop(const char *name)
{
    return remove(in_box(name));
}

/* ---- what people and programs do to files ---- */

static int written_in_place(void)
{
    return put("c", "new");
}

static int replaced(void)
{
    return put("c.tmp", "new") != 0 ? -1 : move("c.tmp", "c");
}

/* vim with backupcopy=no, emacs: the old one is moved away first. */
static int saved_by_an_editor(void)
{
    if (put("4913", "") != 0 || drop("4913") != 0 || move("c", "c~") != 0 || put("c", "new") != 0)
        return -1;
    return drop("c~");
}

static int removed(void)
{
    return drop("c");
}

static int linked_symbolically(void)
{
    return symlink("elsewhere", in_box("l")) != 0 ? -1 : move("l", "c");
}

static int linked_hard(void)
{
    return put("other", "x") != 0 ? -1 : link(in_box("other"), in_box("d"));
}

static int mode_changed(void)
{
    return chmod(in_box("c"), 0644);
}

static int read_only(void)
{
    int fd = open(in_box("c"), O_RDONLY | O_CLOEXEC);
    char c;
    int rc = fd >= 0 && read(fd, &c, 1) == 1 ? 0 : -1;

    io_close(&fd);
    return rc;
}

static int more_appears(void)
{
    return make("more") != 0 ? -1 : put("more/x.conf", "x");
}

static int more_appears_by_a_move(void)
{
    if (make("made") != 0 || put("made/x.conf", "x") != 0)
        return -1;
    return move("made", "more");
}

static int deep_appears(void)
{
    return make("a") != 0 || make("a/b") != 0 ? -1 : make("a/b/deep");
}

static int deep_appears_halfway(void)
{
    return make("a") != 0 ? -1 : make("a/other");
}

static const struct {
    const char *name;
    int (*doing)(void);
    const char *told;
} cases[] = {
    { "written in place", written_in_place, " 0:c" },
    { "replaced", replaced, " 0:c.tmp 0:c" },
    { "saved by an editor", saved_by_an_editor, " 0:4913 0:c 0:c~" },
    { "removed", removed, " 0:c" },
    { "a symbolic link in its place", linked_symbolically, " 0:l 0:c" },
    { "a hard link", linked_hard, " 0:other 0:d" },
    { "a mode", mode_changed, " 0:c" },
    { "looked at", read_only, "" },
    { "a directory appears", more_appears, " 0:more 1:*" },
    { "a directory appears, with all in it", more_appears_by_a_move, " 0:made 0:more 1:*" },
    { "a directory far below appears", deep_appears, " 0:a 2:*" },
    { "half of it", deep_appears_halfway, " 0:a" },
};

static void listen_for(struct watch *w, const char *want)
{
    struct err e = ERR_INIT;

    for (int64_t begin = time(NULL); time(NULL) < begin + 10;) {
        struct pollfd fd = { .fd = watch_fd(w), .events = POLLIN };

        /* Without anything to come, a moment is enough to see that nothing does. */
        if (poll(&fd, 1, strlen(told) >= strlen(want) ? 20 : 1000) > 0)
            OK(watch_read(w, &e));
        else if (strlen(told) >= strlen(want))
            break;
    }
    CHECK_SLICE(slice_str(told), slice_str(want));
    told[0] = '\0';
}

static struct watch *begin(void)
{
    struct watch *w = NULL;
    struct err e = ERR_INIT;

    told[0] = '\0';
    CHECK_INT(put("c", "old"), 0);
    OK(watch_new(note, NULL, &w, &e));
    OK(watch_add(w, box, MAIN, &e));
    OK(watch_add(w, in_box("more"), MORE, &e));
    OK(watch_add(w, in_box("a/b/deep"), DEEP, &e));
    return w;
}

static void test_one(void **state)
{
    size_t i = (size_t)(uintptr_t)*state;
    struct watch *w = begin();

    CASE("%s", cases[i].name);
    CHECK_INT(cases[i].doing(), 0);
    listen_for(w, cases[i].told);
    watch_free(&w);
}

static void test_not_before_it_is_whole(void **state)
{
    struct watch *w = begin();
    int fd = open(in_box("slow"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    (void)state;
    CASE("a file that is being written");
    CHECK(fd >= 0);
    CHECK_INT(io_write_all(fd, "x", 1), 0);
    listen_for(w, "");
    CASE("is told when it is closed");
    io_close(&fd);
    listen_for(w, " 0:slow");
    watch_free(&w);
}

static void test_a_directory_comes_and_goes(void **state)
{
    struct watch *w = begin();

    (void)state;
    for (int round = 0; round < 3; round++) {
        CASE("it comes, round %d", round);
        CHECK_INT(make("more"), 0);
        listen_for(w, " 0:more 1:*");
        CASE("what happens in it, round %d", round);
        CHECK_INT(put("more/x", "x"), 0);
        listen_for(w, " 1:x");
        CASE("it goes, round %d", round);
        CHECK_INT(drop("more/x"), 0);
        CHECK_INT(drop("more"), 0);
        listen_for(w, " 1:x 1:* 0:more");
    }
    CASE("it is moved away: what happens there is nobody's business");
    CHECK_INT(make("more"), 0);
    listen_for(w, " 0:more 1:*");
    CHECK_INT(move("more", "away"), 0);
    listen_for(w, " 0:more 0:away 1:*");
    CHECK_INT(put("away/x", "x"), 0);
    listen_for(w, "");
    CASE("another one takes its place");
    CHECK_INT(make("more"), 0);
    listen_for(w, " 0:more 1:*");
    CHECK_INT(put("more/y", "x"), 0);
    listen_for(w, " 1:y");
    watch_free(&w);
}

static void test_all_above_goes(void **state)
{
    struct watch *w = begin();

    (void)state;
    CHECK_INT(deep_appears(), 0);
    listen_for(w, " 0:a 2:*");
    CHECK_INT(put("a/b/deep/x", "x"), 0);
    listen_for(w, " 2:x");
    CASE("all of it is removed");
    CHECK(drop("a/b/deep/x") == 0 && drop("a/b/deep") == 0 && drop("a/b") == 0 && drop("a") == 0);
    listen_for(w, " 2:x 2:* 0:a");
    CASE("and made again");
    CHECK_INT(deep_appears(), 0);
    listen_for(w, " 0:a 2:*");
    watch_free(&w);
}

static void test_too_much_at_once(void **state)
{
    struct watch *w = begin();
    struct err e = ERR_INIT;
    FILE *limit = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
    long most = 0;

    (void)state;
    if (limit == NULL || fscanf(limit, "%ld", &most) != 1 || most > 100000) {
        print_message("skipped: the queue is too long to be filled here\n");
        if (limit != NULL)
            fclose(limit);
        watch_free(&w);
        skip();
    }
    fclose(limit);
    CASE("more than the kernel keeps");
    for (long i = 0; i < most + 10; i += 2) {
        CHECK_INT(chmod(in_box("c"), i % 4 == 0 ? 0644 : 0600), 0);
        CHECK_INT(chmod(box, i % 4 == 0 ? 0750 : 0700), 0);
    }
    OK(watch_read(w, &e));
    CHECK(strstr(told, " 0:*") != NULL && strstr(told, " 1:*") != NULL && strstr(told, " 2:*") != NULL);
    told[0] = '\0';
    CASE("and it goes on");
    CHECK_INT(put("c", "x"), 0);
    listen_for(w, " 0:c");
    watch_free(&w);
}

static void test_taken_out(void **state)
{
    struct watch *w = begin();
    struct err e = ERR_INIT;

    (void)state;
    CASE("one is taken out, and the other one of the same directory is not");
    OK(watch_add(w, box, DEEP, &e));
    watch_remove(w, MAIN);
    CHECK_INT(put("c", "x"), 0);
    listen_for(w, " 2:c");
    CASE("put in again");
    OK(watch_add(w, box, MAIN, &e));
    watch_remove(w, DEEP);
    CHECK_INT(put("c", "y"), 0);
    listen_for(w, " 0:c");
    CASE("the last one");
    watch_remove(w, MAIN);
    watch_remove(w, MORE);
    CHECK_INT(put("c", "z"), 0);
    told[0] = '\0';
    listen_for(w, "");
    watch_free(&w);
}

static void test_settling(void **state)
{
    struct settle s = { .pending = false };

    (void)state;
    CASE("nothing");
    CHECK(settle_due(&s) == INT64_MAX && !settle_take(&s, 1000000));
    CASE("quiet after one");
    settle_note(&s, 5000);
    CHECK_INT(settle_due(&s), 5000 + SETTLE_QUIET_MS);
    CHECK(!settle_take(&s, 5000 + SETTLE_QUIET_MS - 1));
    CHECK(settle_take(&s, 5000 + SETTLE_QUIET_MS));
    CHECK(settle_due(&s) == INT64_MAX && !settle_take(&s, 9000));
    CASE("one after the other, without end");
    for (int64_t now = 10000; now <= 20000; now += SETTLE_QUIET_MS - 1) {
        settle_note(&s, now);
        if (settle_due(&s) == 10000 + SETTLE_LATEST_MS)
            break;
        CHECK(now < 10000 + SETTLE_LATEST_MS);
    }
    CHECK(settle_take(&s, 10000 + SETTLE_LATEST_MS));
    CASE("the next begins anew");
    settle_note(&s, 30000);
    CHECK_INT(settle_due(&s), 30000 + SETTLE_QUIET_MS);
}

static int box_with_case(void **state)
{
    uintptr_t i = (uintptr_t)*state;
    int rc = box_make(state);

    *state = (void *)i;
    return rc;
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, box_make, box_remove)
    enum { FIXED = 6 };
    struct CMUnitTest tests[ARRAY_LEN(cases) + FIXED + 1];
    const struct CMUnitTest fixed[FIXED + 1] = {
        TEST(test_not_before_it_is_whole),
        TEST(test_a_directory_comes_and_goes),
        TEST(test_all_above_goes),
        TEST(test_too_much_at_once),
        TEST(test_taken_out),
        cmocka_unit_test(test_settling),
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        tests[i] = (struct CMUnitTest){ .name = cases[i].name,
                                        .test_func = test_one,
                                        .setup_func = box_with_case,
                                        .teardown_func = box_remove,
                                        .initial_state = (void *)(uintptr_t)i };
    }
    for (size_t i = 0; i < FIXED; i++)
        tests[ARRAY_LEN(cases) + i] = fixed[i];
    return _cmocka_run_group_tests("watch", tests, ARRAY_LEN(cases) + FIXED, NULL, NULL);
}
