/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include "../unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"

static const struct {
    const char *name;
    struct slice in, out;
} printable[] = {
    { "plain", SLICE("plain text"), SLICE("plain text") },
    { "empty", SLICE(""), SLICE("") },
    { "line ends", SLICE("a\r\nb"), SLICE("a\\x0d\\x0ab") },
    { "an escape sequence", SLICE("\x1b[2J"), SLICE("\\x1b[2J") },
    { "NUL, tab, DEL", SLICE("\0\t\x7f"), SLICE("\\x00\\x09\\x7f") },
    { "UTF-8", SLICE("\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\xac"), SLICE("\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\xac") },
    { "C1 controls in UTF-8",
      SLICE("\xc2\x9b"
            "31m\xc2\xa0"),
      SLICE("\\xc2\\x9b"
            "31m\xc2\xa0") },
    { "C1 controls raw", SLICE("\x9b"), SLICE("\\x9b") },
    { "Latin-1", SLICE("caf\xe9!"), SLICE("caf\\xe9!") },
    { "an overlong slash", SLICE("\xc0\xaf"), SLICE("\\xc0\\xaf") },
    { "overlong in three bytes", SLICE("\xe0\x9f\xbf"), SLICE("\\xe0\\x9f\\xbf") },
    { "a surrogate", SLICE("\xed\xa0\x80"), SLICE("\\xed\\xa0\\x80") },
    { "above U+10FFFF", SLICE("\xf4\x90\x80\x80"), SLICE("\\xf4\\x90\\x80\\x80") },
    { "cut-off UTF-8", SLICE("\xe2\x82"), SLICE("\\xe2\\x82") },
};

static void test_printable(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(printable); i++) {
        char *exact = slice_dup(printable[i].in);
        char out[200];

        CASE("%s", printable[i].name);
        log_printable(out, sizeof(out), slice_make(exact, printable[i].in.n));
        CHECK_SLICE(slice_str(out), printable[i].out);
        free(exact);
    }
}

/* What may be on a terminal: no control character, no broken UTF-8. A character is never cut in two. */
static void check_clean(struct slice s)
{
    char again[2 * LOG_LINE_MAX];

    log_printable(again, sizeof(again), s);
    CHECK_SLICE(s, slice_str(again));
}

static void test_printable_is_cut(void **state)
{
    struct slice in = SLICE("a\xc3\xa9\x01\xf0\x9f\x93\xac ... and on and on and on");

    (void)state;
    for (size_t size = 1; size < 60; size++) {
        char *out = malloc(size);

        assert_non_null(out);
        CASE("into %zu bytes", size);
        log_printable(out, size, in);
        check_clean(slice_str(out));
        CHECK(strlen(out) < size);
        if (size >= 4 && size <= in.n)
            CHECK_SLICE(slice_from(slice_str(out), strlen(out) - 3), SLICE("..."));
        free(out);
    }
    log_printable(NULL, 0, in);
}

static void check_words(struct slice in, struct slice want)
{
    char out[200];

    log_words(out, sizeof(out), in);
    CHECK_SLICE(slice_str(out), want);
}

static void test_hidden_words(void **state)
{
    (void)state;
    CASE("nothing is hidden");
    check_words(SLICE("NO hunter2 is wrong"), SLICE("NO hunter2 is wrong"));
    log_hide(SLICE("hunter2"));
    CASE("a peer says it again");
    check_words(SLICE("NO hunter2 is wrong"), SLICE("NO ******** is wrong"));
    check_words(SLICE("hunter2"), SLICE("********"));
    check_words(SLICE("hunterhunter2hunter2"), SLICE("hunter****************"));
    CASE("what we say ourselves is as it is");
    char out[200];
    log_printable(out, sizeof(out), SLICE("hunter2"));
    CHECK_SLICE(slice_str(out), SLICE("hunter2"));
    CASE("the longer one of two that begin alike");
    log_hide(SLICE("hunter2 and more"));
    check_words(SLICE("hunter2 and more; hunter2"), SLICE("********; ********"));
    CASE("a word that a peer may well say, and one of some length");
    log_hide(SLICE("password"));
    log_hide(SLICE("1x"));
    check_words(SLICE("password 1x"), SLICE("password 1x"));
    log_hide(SLICE("correcthorse"));
    check_words(SLICE("-ERR correcthorse"), SLICE("-ERR ********"));
    CASE("bytes that are not shown as they are");
    log_hide(SLICE("p\xe9\tw\x01!"));
    check_words(SLICE("a p\xe9\tw\x01!\x01"), SLICE("a ********\\x01"));
    CASE("in an error");
    struct err e = ERR_INIT;
    err_set(&e, E_AUTH, "refused");
    err_peer(&e, SLICE("hunter2 is wrong"));
    CHECK_SLICE(slice_str(e.peer), SLICE("******** is wrong"));
    CASE("the last four");
    log_hide(SLICE("fifth-one"));
    check_words(SLICE("hunter2 fifth-one"), SLICE("hunter2 ********"));
    CASE("forgotten");
    log_unhide();
    check_words(SLICE("fifth-one"), SLICE("fifth-one"));
}

static char file_path[] = "/tmp/mailhaul-test-log-XXXXXX";
static int stderr_copy = -1, captured = -1;

static void capture(void)
{
    fflush(stderr);
    captured = open("/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    if (captured < 0)
        abort();
    stderr_copy = dup(STDERR_FILENO);
    dup2(captured, STDERR_FILENO);
}

/* What was written to standard error since capture(). */
static void captured_put(struct buf *out)
{
    buf_init(out, 100000);
    dup2(stderr_copy, STDERR_FILENO);
    io_close(&stderr_copy);
    lseek(captured, 0, SEEK_SET);
    CHECK_INT(io_read_all(captured, out), 0);
    io_close(&captured);
}

static void check_captured(struct slice want)
{
    struct buf got;

    captured_put(&got);
    CHECK_SLICE(buf_slice(&got), want);
    buf_release(&got);
}

static void check_file(struct slice want)
{
    struct buf got = BUF_INIT(100000);
    int fd = open(file_path, O_RDONLY | O_CLOEXEC);

    CHECK_INT(io_read_all(fd, &got), 0);
    CHECK_SLICE(buf_slice(&got), want);
    buf_release(&got);
    io_close(&fd);
}

static void open_log(const struct log_options *options)
{
    struct err e = ERR_INIT;

    CHECK_INT(log_open(options, &e), 0);
}

static void test_levels(void **state)
{
    (void)state;
    CASE("before log_open: info and what is worse");
    capture();
    log_info("one %d", 1);
    log_debug("hidden");
    check_captured(SLICE("one 1\n"));
    CASE("errors alone");
    open_log(&(struct log_options){ .level = LOG_LEVEL_ERROR });
    CHECK(log_wants(LOG_LEVEL_ERROR));
    CHECK(!log_wants(LOG_LEVEL_WARN));
    capture();
    log_error("two");
    log_warn("hidden");
    check_captured(SLICE("two\n"));
    CASE("everything");
    open_log(&(struct log_options){ .level = LOG_LEVEL_TRACE });
    capture();
    log_trace("three");
    check_captured(SLICE("three\n"));
    log_close();
}

static void test_lines(void **state)
{
    struct buf got;
    char words[5000];

    (void)state;
    open_log(&(struct log_options){ .level = LOG_LEVEL_INFO });
    CASE("one line a call, whatever is in it");
    capture();
    log_info("%s", "a\nb\x1b[0m\xff");
    check_captured(SLICE("a\\x0ab\\x1b[0m\\xff\n"));
    CASE("with the account in front");
    log_account("wo\nrk");
    capture();
    log_info("hello");
    check_captured(SLICE("account wo\\x0ark: hello\n"));
    for (size_t shift = 0; shift < 4; shift++) {
        CASE("a long line of long characters, account of %zu letters", shift);
        log_account(&"abc"[3 - shift]);
        for (size_t i = 0; i + 1 < sizeof(words); i++)
            words[i] = "\xe2\x82\xac"[i % 3];
        words[sizeof(words) - 1] = '\0';
        capture();
        log_info("%s", words);
        captured_put(&got);
        CHECK_INT(got.p[got.len - 1], '\n');
        check_clean(slice_make(got.p, got.len - 1));
        CHECK(got.len <= LOG_LINE_MAX);
        CHECK(got.len > LOG_LINE_MAX - 16);
        buf_release(&got);
    }
    log_account(NULL);
    log_close();
}

static void test_priorities(void **state)
{
    char stream[64];
    struct stat st;

    (void)state;
    open_log(&(struct log_options){ .level = LOG_LEVEL_TRACE, .priorities = true, .timestamps = true });
    CASE("a number in front, and no time");
    capture();
    log_error("a");
    log_warn("b");
    log_account("work");
    log_info("<0>c");
    log_account(NULL);
    log_debug("d");
    log_trace("e");
    check_captured(SLICE("<3>a\n<4>b\n<6>account work: <0>c\n<7>d\n<7>e\n"));
    log_close();

    CASE("the journal is where JOURNAL_STREAM says");
    CHECK_INT(fstat(STDERR_FILENO, &st), 0);
    snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    CHECK_INT(setenv("JOURNAL_STREAM", stream, 1), 0);
    CHECK(log_goes_to_journal());
    CASE("and standard error may have been led elsewhere since");
    CHECK_INT(setenv("JOURNAL_STREAM", "1:1", 1), 0);
    CHECK(!log_goes_to_journal());
    CHECK_INT(unsetenv("JOURNAL_STREAM"), 0);
    CHECK(!log_goes_to_journal());
}

static void before(void)
{
    CHECK_INT(write(STDERR_FILENO, "<", 1), 1);
}

static void after(void)
{
    CHECK_INT(write(STDERR_FILENO, ">", 1), 1);
}

static void test_around(void **state)
{
    (void)state;
    CASE("the progress line gets out of the way");
    open_log(&(struct log_options){ .level = LOG_LEVEL_INFO });
    log_around(before, after);
    capture();
    log_info("a");
    log_debug("b");
    log_around(NULL, NULL);
    log_info("c");
    check_captured(SLICE("<a\n>c\n"));
    log_close();
}

static void test_once(void **state)
{
    (void)state;
    CASE("trouble is told once an account, until it is over");
    open_log(&(struct log_options){ .level = LOG_LEVEL_INFO });
    capture();
    log_account("a");
    log_once();
    for (int i = 0; i < 3; i++) {
        log_error("down");
        log_warn("odd");
        log_info("mail");
    }
    log_account("b");
    log_error("down");
    log_news("a");
    log_error("down");
    log_account("a");
    log_error("down");
    log_account(NULL);
    log_error("down");
    log_error("down");
    check_captured(SLICE("account a: down\naccount a: odd\naccount a: mail\naccount a: mail\naccount a: mail\n"
                         "account b: down\naccount a: down\ndown\ndown\n"));
    CASE("a log that is opened anew knows nothing of that");
    log_close();
    open_log(&(struct log_options){ .level = LOG_LEVEL_INFO });
    capture();
    log_account("a");
    log_error("down");
    log_error("down");
    log_account(NULL);
    check_captured(SLICE("account a: down\naccount a: down\n"));
    log_close();
}

static void test_file(void **state)
{
    struct log_options options = { .level = LOG_LEVEL_ERROR, .to_file = LOG_LEVEL_DEBUG, .file = file_path };
    struct err e = ERR_INIT;
    char moved[sizeof(file_path) + 4];
    struct stat st;

    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    clock_fake(0, 0);
    CHECK_INT(unlink(file_path), 0);
    CASE("a file has a level and time stamps of its own");
    open_log(&options);
    capture();
    log_debug("to the file");
    log_trace("to nobody");
    log_error("to both");
    check_captured(SLICE("to both\n"));
    check_file(SLICE("1970-01-01T00:00:00+0000 to the file\n1970-01-01T00:00:00+0000 to both\n"));
    CHECK_INT(stat(file_path, &st), 0);
    CHECK_INT(st.st_mode & 07777, 0600);
    CASE("rotated");
    snprintf(moved, sizeof(moved), "%s.old", file_path);
    CHECK_INT(rename(file_path, moved), 0);
    CHECK_INT(log_reopen(&e), 0);
    log_info("after");
    check_file(SLICE("1970-01-01T00:00:00+0000 after\n"));
    CASE("appended to");
    log_close();
    open_log(&options);
    log_info("again");
    check_file(SLICE("1970-01-01T00:00:00+0000 after\n1970-01-01T00:00:00+0000 again\n"));
    CASE("closed");
    log_close();
    log_info("lost");
    check_file(SLICE("1970-01-01T00:00:00+0000 after\n1970-01-01T00:00:00+0000 again\n"));
    CASE("a symbolic link is not followed");
    CHECK_INT(unlink(file_path), 0);
    CHECK_INT(symlink(moved, file_path), 0);
    CHECK_INT(log_open(&options, &e), -1);
    CHECK_INT(e.code, E_CONFIG);
    CHECK(strstr(e.text, file_path) != NULL);
    log_close();
    CHECK_INT(unlink(moved), 0);
    CASE("time stamps on standard error");
    open_log(&(struct log_options){ .level = LOG_LEVEL_INFO, .timestamps = true });
    capture();
    log_info("when");
    check_captured(SLICE("1970-01-01T00:00:00+0000 when\n"));
    log_close();
    clock_real();
}

static int make_file(void **state)
{
    int fd = mkstemp(file_path);

    (void)state;
    io_close(&fd);
    return access(file_path, F_OK);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(file_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_printable), cmocka_unit_test(test_hidden_words), cmocka_unit_test(test_printable_is_cut),
        cmocka_unit_test(test_levels),    cmocka_unit_test(test_lines),        cmocka_unit_test(test_priorities),
        cmocka_unit_test(test_around),    cmocka_unit_test(test_file),         cmocka_unit_test(test_once),
    };

    return cmocka_run_group_tests_name("log", tests, make_file, remove_file);
}
