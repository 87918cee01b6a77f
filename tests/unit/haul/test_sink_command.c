/* SPDX-License-Identifier: MIT */
#include "haul/sink_command.h"

#include "../store/store_test.h"

#include <signal.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "wire/mailflag.h"

enum { MESSAGES_MAX = 8 };

/* One destination, and messages on their way to it. The program is a shell script that runs in the test's directory. */
struct bench {
    struct sink *sink;
    struct sink_command_options options;
    char sh[3], script[200];
    char *argv[3];
    struct sink_slot slots[MESSAGES_MAX];
    struct sink_slot *list[MESSAGES_MAX];
    size_t count;
    int fail_at; /* the record fails at its n-th call; 0: never */
    int records;
    bool other_thread; /* a record came from a thread without the account's name */
};

static int note(void *ctx, struct sink_slot *slot, struct err *e)
{
    static const char *const words[] = { "wanted", "staged", "delivered", "in doubt", "rejected" };
    struct bench *b = ctx;
    int fd = openat(box_fd, "log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    b->records++;
    b->other_thread |= strcmp(log_account_name(), "acc") != 0;
    if (fd < 0 || dprintf(fd, "%s\n", words[slot->state]) < 0)
        abort();
    io_close(&fd);
    return b->records == b->fail_at ? err_set(e, E_DISK, "no journal") : 0;
}

static void bench_init(struct bench *b, const char *script)
{
    struct buf text = BUF_INIT(4096);

    *b = (struct bench){ .sh = "sh" };
    snprintf(b->script, sizeof(b->script), "%s/script", box);
    CHECK_INT(buf_putf(&text, "cd '%s'\n%s\n", box, script), 0);
    put_file("script", buf_slice(&text));
    buf_release(&text);
    b->argv[0] = b->sh;
    b->argv[1] = b->script;
    b->options = (struct sink_command_options){ .name = "mda",
                                                .account = "acc",
                                                .user = "me",
                                                .argv = b->argv,
                                                .time_limit_s = 60,
                                                .max_parallel = 1,
                                                .spool_dir = box };
    log_account("acc");
}

static void add(struct bench *b, struct slice body, struct slice folder, unsigned flags)
{
    struct sink_message m = { .folder = folder, .delimiter = '/', .flags = flags };
    struct sink_slot *slot = &b->slots[b->count];
    struct err e = ERR_INIT;
    struct spool *s = NULL;

    if (b->sink == NULL)
        b->sink = sink_command_new(&b->options);
    CHECK(b->sink != NULL);
    OK(spool_new(box, &s, &e));
    OK(spool_begin(s, &e));
    OK(spool_write(s, body, &e));
    OK(spool_finish(s, &m.file, &e));
    spool_free(&s);
    OK(b->sink->ops->finish(b->sink, &m, slot, &e));
    spool_release(&m.file);
    slot->state = DELIVERY_STAGED;
    b->list[b->count++] = slot;
}

static int commit(struct bench *b, struct err *e)
{
    const struct sink_record record = { .ctx = b, .write = note };

    return b->sink->ops->commit(b->sink, b->list, b->count, &record, e);
}

static void bench_release(struct bench *b)
{
    for (size_t i = 0; i < b->count; i++) {
        b->sink->ops->discard(b->sink, &b->slots[i]);
        free(b->slots[i].why);
    }
    if (b->sink != NULL)
        b->sink->ops->free(b->sink);
    unlinkat(box_fd, "log", 0);
    unlinkat(box_fd, "out", 0);
    log_account(NULL);
}

static const struct {
    const char *name, *script;
    enum delivery_state state;
    const char *why; /* NULL: none */
    const char *log;
} outcomes[] = {
    { "taken", "cat >out", DELIVERY_DELIVERED, NULL, "in doubt\ndelivered\n" },
    { "the state is recorded before it begins", "echo runs >>log", DELIVERY_DELIVERED, NULL,
      "in doubt\nruns\ndelivered\n" },
    { "words of one that took it are nobody's", "echo all is well", DELIVERY_DELIVERED, NULL, "in doubt\ndelivered\n" },
    { "temporary", "echo first; printf ' come back \\033[1mlater\\r\\n\\n' >&2; exit 75", DELIVERY_WANTED,
      "sh ended with status 75: come back \\x1b[1mlater", "in doubt\nwanted\n" },
    { "refused", "exit 1", DELIVERY_REJECTED, "sh ended with status 1", "in doubt\nrejected\n" },
    { "refused with words", "echo no such user; exit 67", DELIVERY_REJECTED, "sh ended with status 67: no such user",
      "in doubt\nrejected\n" },
    { "killed", "echo ouch; kill -9 $$", DELIVERY_WANTED, "sh was killed by signal 9: ouch", "in doubt\nwanted\n" },
    { "the last of many words", "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i + 1)); done; exit 2",
      DELIVERY_REJECTED, "sh ended with status 2: line 1999", "in doubt\nrejected\n" },
    { "too slow", "exec sleep 100", DELIVERY_WANTED, "the command sh took longer than 1 s and was stopped",
      "in doubt\nwanted\n" },
};

static void test_outcomes(void **state)
{
    struct err e = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
        struct bench b;

        CASE("%s", outcomes[i].name);
        bench_init(&b, outcomes[i].script);
        if (strstr(outcomes[i].script, "sleep") != NULL)
            b.options.time_limit_s = 1;
        add(&b, SLICE("Subject: x\n\nbody\n"), SLICE("INBOX"), 0);
        OK(commit(&b, &e));
        CHECK_INT(b.slots[0].state, outcomes[i].state);
        CHECK_SLICE(slice_str(b.slots[0].why), slice_str(outcomes[i].why));
        check_file("log", slice_str(outcomes[i].log));
        bench_release(&b);
    }
}

static void test_long_words(void **state)
{
    struct err e = ERR_INIT;
    struct bench b;

    (void)state;
    CASE("an endless line is cut");
    bench_init(&b, "head -c 100000 /dev/zero | tr '\\0' x; exit 1");
    add(&b, SLICE("x"), SLICE("INBOX"), 0);
    OK(commit(&b, &e));
    CHECK_INT(b.slots[0].state, DELIVERY_REJECTED);
    CHECK(strlen(b.slots[0].why) < 400);
    CHECK(strstr(b.slots[0].why, "status 1: xxx") != NULL && strstr(b.slots[0].why, "xxx...") != NULL);
    bench_release(&b);
}

static const struct {
    const char *name;
    struct slice body, folder;
    unsigned flags;
    bool crlf;
    const char *user;
    struct slice input, environment;
} handed[] = {
    { "no addresses", SLICE("Subject: x\n\n\0\r\n.\nno end"), SLICE("INBOX"), 0, false, "me",
      SLICE("Subject: x\n\n\0\r\n.\nno end"),
      SLICE("ACCOUNT=acc\nFLAGS=\nFOLDER=INBOX\nRECIPIENT=me\nSENDER=\nSIZE=23\n") },
    { "no user", SLICE(""), SLICE("INBOX"), 0, false, NULL, SLICE(""),
      SLICE("ACCOUNT=acc\nFLAGS=\nFOLDER=INBOX\nRECIPIENT=\nSENDER=\nSIZE=0\n") },
    { "all there is", SLICE("Return-Path: <a@example.org>\nDelivered-To: b@example.org\nTo: c@example.org\n\nx\n"),
      SLICE("Mail/\xc3\xa4 100%"), MAIL_SEEN | MAIL_FLAGGED, false, "me",
      SLICE("Return-Path: <a@example.org>\nDelivered-To: b@example.org\nTo: c@example.org\n\nx\n"),
      SLICE("ACCOUNT=acc\nFLAGS=FS\nFOLDER=Mail/\xc3\xa4 100%\nRECIPIENT=b@example.org\nSENDER=a@example.org\n"
            "SIZE=78\n") },
    { "a folder that would paint", SLICE("x\n"), SLICE("a\x1b[1m\xc2\x9b\xff"), 0, false, "me", SLICE("x\n"),
      SLICE("ACCOUNT=acc\nFLAGS=\nFOLDER=a%1B[1m%C2%9B%FF\nRECIPIENT=me\nSENDER=\nSIZE=2\n") },
    { "CRLF", SLICE("a: b\n\n.x\r\n\r"), SLICE("INBOX"), 0, true, "me", SLICE("a: b\r\n\r\n.x\r\r\n\r"),
      SLICE("ACCOUNT=acc\nFLAGS=\nFOLDER=INBOX\nRECIPIENT=me\nSENDER=\nSIZE=14\n") },
};

static void test_handed_over(void **state)
{
    struct err e = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(handed); i++) {
        struct bench b;

        CASE("%s", handed[i].name);
        bench_init(&b, "cat >in; env | LC_ALL=C sort | sed -n 's/^MAILHAUL_\\([AFRS][A-Z]*=\\)/\\1/p' "
                       "| grep '^\\(ACCOUNT\\|FLAGS\\|FOLDER\\|RECIPIENT\\|SENDER\\|SIZE\\)=' >env");
        b.options.crlf = handed[i].crlf;
        b.options.user = handed[i].user;
        add(&b, handed[i].body, handed[i].folder, handed[i].flags);
        OK(commit(&b, &e));
        CHECK_INT(b.slots[0].state, DELIVERY_DELIVERED);
        check_file("in", handed[i].input);
        check_file("env", handed[i].environment);
        bench_release(&b);
    }
}

/* More than a few buffers of every kind, with line ends at each place of one. */
static void test_large_crlf(void **state)
{
    struct err e = ERR_INIT;
    struct buf body = BUF_INIT(300 * 1024), want = BUF_INIT(300 * 1024), got = BUF_INIT(300 * 1024);
    struct bench b;
    int fd;

    (void)state;
    CASE("a large message with CRLF");
    for (int i = 0; i < 700; i++) {
        for (int k = 0; k < i % 300; k++)
            CHECK(buf_put_char(&body, 'x') == 0 && buf_put_char(&want, 'x') == 0);
        CHECK(buf_put_char(&body, '\n') == 0 && buf_put_str(&want, "\r\n") == 0);
    }
    bench_init(&b, "cat >in");
    b.options.crlf = true;
    add(&b, buf_slice(&body), SLICE("INBOX"), 0);
    OK(commit(&b, &e));
    fd = openat(box_fd, "in", O_RDONLY | O_CLOEXEC);
    CHECK_INT(io_read_all(fd, &got), 0);
    io_close(&fd);
    CHECK(slice_eq(buf_slice(&got), buf_slice(&want)));
    bench_release(&b);
    buf_release(&body);
    buf_release(&want);
    buf_release(&got);
}

static void test_record_fails(void **state)
{
    struct err e = ERR_INIT;
    struct bench b;

    (void)state;
    CASE("what cannot be recorded as in doubt is not handed over");
    bench_init(&b, "echo ran >>log");
    b.fail_at = 1;
    add(&b, SLICE("x"), SLICE("INBOX"), 0);
    add(&b, SLICE("y"), SLICE("INBOX"), 0);
    FAILS(commit(&b, &e), E_DISK, "no journal");
    CHECK_INT(b.slots[0].state, DELIVERY_WANTED);
    CHECK_INT(b.slots[1].state, DELIVERY_WANTED);
    CHECK(b.slots[0].why == NULL && b.slots[1].why == NULL);
    check_file("log", SLICE("in doubt\n"));
    bench_release(&b);

    CASE("the heart says: enough");
    bench_init(&b, "exit 1");
    b.fail_at = 2;
    add(&b, SLICE("x"), SLICE("INBOX"), 0);
    add(&b, SLICE("y"), SLICE("INBOX"), 0);
    FAILS(commit(&b, &e), E_DISK, "no journal");
    CHECK_INT(b.slots[0].state, DELIVERY_REJECTED);
    CHECK_INT(b.slots[1].state, DELIVERY_WANTED);
    CHECK(b.slots[1].why == NULL);
    check_file("log", SLICE("in doubt\nrejected\n"));
    bench_release(&b);
}

static void keep_line(void *ctx, const char *line)
{
    snprintf(ctx, 200, "%s", line);
}

static void test_not_startable(void **state)
{
    struct err e = ERR_INIT;
    struct buf said = BUF_INIT(200);
    char line[200] = "";
    struct bench b;

    (void)state;
    CASE("a program that is there");
    bench_init(&b, "exit 0");
    add(&b, SLICE("x"), SLICE("INBOX"), 0);
    OK(b.sink->ops->ready(b.sink, &e));
    OK(b.sink->ops->check(b.sink, keep_line, line, &e));
    CHECK_SLICE(slice_str(line), SLICE("the command sh is there and can be run"));
    CHECK_INT(b.sink->ops->describe(b.sink, &said), 0);
    CHECK_SLICE(buf_slice(&said), SLICE("command sh"));
    buf_release(&said);
    CASE("and is gone by the time it is needed: the destination is at fault, no message");
    b.argv[0] = b.script;
    line[0] = '\0';
    FAILS(b.sink->ops->ready(b.sink, &e), E_CONFIG, "script cannot be run: Permission denied");
    FAILS(b.sink->ops->check(b.sink, keep_line, line, &e), E_CONFIG, "script cannot be run: Permission denied");
    CHECK_SLICE(slice_str(line), SLICE(""));
    FAILS(commit(&b, &e), E_CONFIG, "script cannot be run: Permission denied");
    CHECK_INT(b.slots[0].state, DELIVERY_WANTED);
    CHECK(b.slots[0].why == NULL);
    check_file("log", SLICE("in doubt\nwanted\n"));
    bench_release(&b);
}

/* The first three wait for each other; each counts how many run besides it. */
static void test_parallel(void **state)
{
    struct err e = ERR_INIT;
    struct bench b;

    (void)state;
    CASE("three at a time");
    CHECK_INT(mkdirat(box_fd, "begun", 0700), 0);
    CHECK_INT(mkdirat(box_fd, "now", 0700), 0);
    bench_init(&b, "touch begun/$$ now/$$\n"
                   "while [ $(ls begun | wc -l) -lt 3 ]; do sleep 0.01; done\n"
                   "[ $(ls now | wc -l) -le 3 ] || exit 1\n"
                   "rm now/$$");
    b.options.max_parallel = 3;
    b.options.time_limit_s = 20;
    for (int i = 0; i < MESSAGES_MAX; i++)
        add(&b, SLICE("x"), SLICE("INBOX"), 0);
    OK(commit(&b, &e));
    for (int i = 0; i < MESSAGES_MAX; i++)
        CHECK_INT(b.slots[i].state, DELIVERY_DELIVERED);
    CHECK_INT(b.records, 2 * MESSAGES_MAX);
    CHECK_INT(count_entries("begun"), MESSAGES_MAX);
    CASE("each under the account's name");
    CHECK(!b.other_thread);
    bench_release(&b);
}

/* The file says that it was heard. */
static void stop(int signal)
{
    stop_request(signal);
    close(openat(box_fd, "stopped", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

/* The last test: the wish to stop stays. */
static void test_stop(void **state)
{
    struct err e = ERR_INIT;
    int64_t begin = clock_mono_ms();
    struct bench b;

    (void)state;
    CASE("stopped while two run: one ends in time, one does not, and the third is not begun");
    OK(stop_init(&e));
    signal(SIGUSR1, stop);
    bench_init(&b, "read word\n"
                   "if [ $word = slow ]; then touch slow; exec sleep 100; fi\n"
                   "until [ -e slow ]; do sleep 0.01; done\n"
                   "kill -USR1 $PPID\n"
                   "until [ -e stopped ]; do sleep 0.01; done\n");
    b.options.max_parallel = 2;
    add(&b, SLICE("quick\n"), SLICE("INBOX"), 0);
    add(&b, SLICE("slow\n"), SLICE("INBOX"), 0);
    add(&b, SLICE("quick\n"), SLICE("INBOX"), 0);
    FAILS(commit(&b, &e), E_STOPPED, "stopped");
    CHECK_INT(b.slots[0].state, DELIVERY_DELIVERED);
    CHECK_INT(b.slots[1].state, DELIVERY_IN_DOUBT);
    CHECK_SLICE(slice_str(b.slots[1].why), SLICE("stopped while the command sh ran"));
    CHECK_INT(b.slots[2].state, DELIVERY_WANTED);
    CHECK(b.slots[2].why == NULL);
    CHECK(clock_mono_ms() - begin < 50 * 1000);
    bench_release(&b);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, box_make, box_remove)
    const struct CMUnitTest tests[] = {
        TEST(test_outcomes),     TEST(test_long_words),    TEST(test_handed_over), TEST(test_large_crlf),
        TEST(test_record_fails), TEST(test_not_startable), TEST(test_parallel),    TEST(test_stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
