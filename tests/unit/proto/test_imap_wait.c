/* SPDX-License-Identifier: MIT
 * IDLE, and reading without waiting.
 */
#include "proto/imap_wait.h"

#include "../net/script.h"

#include "base/clock.h"
#include "base/log.h"
#include "proto/imap_int.h"

#define IN "* OK [CAPABILITY IMAP4rev1] hi\r\nm1 OK [CAPABILITY IMAP4rev1 IDLE] in\r\n"

static int give_password(void *ctx, struct secret *out, struct err *e)
{
    (void)ctx;
    return secret_set(out, SLICE("s3cret")) == 0 ? 0 : err_nomem(e);
}

static struct server server = {
    .dial = { .host = "imap.example.org", .port = 143 },
    .tls = SERVER_PLAINTEXT,
    .user = "anna",
    .password = give_password,
};

/* "4 EXISTS;OK;" is what the handler saw. */
static struct buf heard;

static int hear(void *ctx, const struct imap_response *r, struct err *e)
{
    (void)ctx;
    if (r->has_number && buf_putf(&heard, "%" PRIu32 " ", r->number) != 0)
        return err_nomem(e);
    return buf_putf(&heard, "%.*s;", SLICE_ARG(r->name)) == 0 ? 0 : err_nomem(e);
}

static const struct imap_handler handler = { .untagged = hear };
static struct imap *im;
static struct err e;

static void play(const char *more)
{
    script_start(IN, NULL);
    heard = BUF_INIT(1 << 24);
    e = ERR_INIT;
    CHECK_INT(imap_open(&server, &im, &e), 0);
    script_sent();
    if (more != NULL)
        script_says(more);
}

static void done(void)
{
    imap_close(&im);
    script_end();
    buf_release(&heard);
}

static void check_heard(const char *want)
{
    CHECK_SLICE(buf_slice(&heard), slice_str(want));
    buf_clear(&heard);
}

static void idle(bool want)
{
    bool idling;

    CHECK_INT(imap_idle(im, &handler, &idling, &e), 0);
    CHECK_INT(idling, want);
    CHECK_INT(imap_idling(im), want ? IMAP_IDLE_ON : IMAP_IDLE_OFF);
    CHECK_SLICE(script_sent(), SLICE("m2 IDLE\r\n"));
}

static void arrived(const char *want)
{
    bool all;

    CHECK_INT(imap_arrived(im, &handler, &all, &e), 0);
    CHECK(all);
    check_heard(want);
    imap_park(im);
}

/* The trap: nothing makes the descriptor readable any more. */
static void events_behind_the_plus(void **state)
{
    (void)state;
    CASE("in the same packet as +");
    play("+ idling\r\n* 4 EXISTS\r\n* 1 RECENT\r\n");
    idle(true);
#ifndef MAILHAUL_SMALL
    CHECK(!script_readable(imap_fd(im)));
#endif
    arrived("4 EXISTS;1 RECENT;");
    arrived("");
    script_says("* 5 EXISTS\r\n");
    CHECK(script_readable(imap_fd(im)));
    arrived("5 EXISTS;");
    CHECK(!script_readable(imap_fd(im)));
    script_says("m2 OK\r\n");
    CHECK_INT(imap_idle_end(im, &handler, &e), 0);
    CHECK_SLICE(script_sent(), SLICE("DONE\r\n"));
    done();
}

static void events_around(void **state)
{
    (void)state;
    CASE("before +");
    play("* 2 EXPUNGE\r\n* 4 EXISTS\r\n+ \r\n");
    idle(true);
    check_heard("2 EXPUNGE;4 EXISTS;");
    CASE("between DONE and its answer");
    script_says("+ again\r\n* 5 EXISTS\r\n* 6 EXISTS\r\nm2 OK\r\n* 7 EXISTS\r\n");
    CHECK_INT(imap_idle_end(im, &handler, &e), 0);
    check_heard("5 EXISTS;6 EXISTS;");
    CHECK_INT(imap_idling(im), IMAP_IDLE_OFF);
    CHECK_INT(imap_answers(im), 2);
    done();
}

static void refused(void **state)
{
    static const char *const answers[] = { "m2 NO not now\r\n", "m2 BAD what\r\n", "m2 OK without a word\r\n" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        CASE("%s", answers[i]);
        play(answers[i]);
        idle(false);
        CHECK_INT(imap_idle_end(im, &handler, &e), 0);
        CHECK(script_sent().n == 0);
        /* The session goes on. */
        script_says("* 3 EXISTS\r\n");
        arrived("3 EXISTS;");
        done();
    }
}

static void pieces(void **state)
{
    static const char bytes[] = "* 4 EXISTS\r\n* LIST () \"/\" {3}\r\nabc\r\n* OK Still here\r\n";

    (void)state;
    CASE("byte by byte");
    play("+\r\n");
    idle(true);
    for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
        bool all;

        script_says((char[]){ bytes[i], '\0' });
        CHECK_INT(imap_arrived(im, &handler, &all, &e), 0);
        CHECK(all);
        imap_park(im);
    }
    check_heard("4 EXISTS;LIST;OK;");
    done();
}

static void ends(void **state)
{
    bool all;

    (void)state;
    CASE("BYE");
    play("+\r\n");
    idle(true);
    script_says("* 4 EXISTS\r\n* BYE timeout\r\n");
    CHECK_INT(imap_arrived(im, &handler, &all, &e), -1);
    CHECK_INT(e.code, E_BUSY);
    CHECK_INT(e.retry, RETRY_RECONNECT);
    check_heard("4 EXISTS;");
    imap_close(&im);
    CHECK(script_sent().n == 0);
    script_end();
    buf_release(&heard);

    CASE("cut");
    play("+\r\n");
    idle(true);
    script_says("* 4 EXISTS\r\n* 5 EX");
    script_hangs_up();
    CHECK_INT(imap_arrived(im, &handler, &all, &e), -1);
    CHECK_INT(e.code, E_NET);
    check_heard("4 EXISTS;");
    done();

    CASE("a tag that nobody sent");
    play("+\r\nm7 OK\r\n");
    idle(true);
    CHECK_INT(imap_arrived(im, &handler, &all, &e), -1);
    CHECK_INT(e.code, E_PROTO);
    done();
}

static void ended_by_the_server(void **state)
{
    (void)state;
    CASE("the answer comes before DONE");
    play("+\r\n* 4 EXISTS\r\nm2 OK enough\r\n");
    idle(true);
    arrived("4 EXISTS;");
    CHECK_INT(imap_idling(im), IMAP_IDLE_OFF);
    CHECK_INT(imap_idle_end(im, &handler, &e), 0);
    CHECK(script_sent().n == 0);
    imap_close(&im);
    CHECK_SLICE(script_sent(), SLICE("m3 LOGOUT\r\n"));
    done();
}

/* Whatever has been answered so far, nothing is waited for but in imap_idle_end(). */
static void without_waiting(void **state)
{
    struct imap_done answer;
    uint32_t tag;

    (void)state;
    CASE("step by step");
    play("");
    CHECK_INT(imap_idle_ask(im, &e), 0);
    CHECK_SLICE(script_sent(), SLICE("m2 IDLE\r\n"));
    arrived("");
    CHECK_INT(imap_idling(im), IMAP_IDLE_ASKED);
    script_says("* 4 EXISTS\r\n+ id");
    arrived("4 EXISTS;");
    CHECK_INT(imap_idling(im), IMAP_IDLE_ASKED);
    script_says("ling\r\n");
    arrived("");
    CHECK_INT(imap_idling(im), IMAP_IDLE_ON);
    CHECK_INT(imap_idle_leave(im, &e), 0);
    CHECK_SLICE(script_sent(), SLICE("DONE\r\n"));
    script_says("+ once more\r\n* 5 EXISTS\r\n");
    arrived("5 EXISTS;");
    CHECK_INT(imap_idling(im), IMAP_IDLE_LEAVING);
    script_says("m2 OK\r\n");
    arrived("");
    CHECK_INT(imap_idling(im), IMAP_IDLE_OFF);
    imap_begin(im, &tag);
    imap_text(im, "NOOP");
    imap_end(im);
    CHECK_INT(imap_send(im, &e), 0);
    CHECK_SLICE(script_sent(), SLICE("m3 NOOP\r\n"));
    CHECK(!imap_has_answer(im, tag));
    script_says("* 6 EXISTS\r\nm3 OK\r\n");
    arrived("6 EXISTS;");
    CHECK(imap_has_answer(im, tag));
    CHECK_INT(imap_finish(im, tag, NULL, &answer, &e), 0);
    done();

    CASE("refused");
    play("");
    CHECK_INT(imap_idle_ask(im, &e), 0);
    script_says("m2 NO\r\n");
    arrived("");
    CHECK_INT(imap_idling(im), IMAP_IDLE_OFF);
    done();

    CASE("ended before it was there");
    play("");
    CHECK_INT(imap_idle_ask(im, &e), 0);
    script_says("+\r\nm2 OK\r\n");
    CHECK_INT(imap_idle_end(im, NULL, &e), 0);
    CHECK_INT(imap_idling(im), IMAP_IDLE_OFF);
    CHECK_SLICE(script_sent(), SLICE("m2 IDLE\r\nDONE\r\n"));
    done();

    CASE("ended while it is being left");
    play("+\r\n");
    idle(true);
    CHECK_INT(imap_idle_leave(im, &e), 0);
    script_says("m2 OK\r\n");
    CHECK_INT(imap_idle_end(im, NULL, &e), 0);
    CHECK_SLICE(script_sent(), SLICE("DONE\r\n"));
    done();

    CASE("closed while it is asked for");
    play("");
    CHECK_INT(imap_idle_ask(im, &e), 0);
    imap_close(&im);
    CHECK_SLICE(script_sent(), SLICE("m2 IDLE\r\nDONE\r\nm3 LOGOUT\r\n"));
    done();
}

static void closed_while_idling(void **state)
{
    (void)state;
    CASE("LOGOUT of a session that idles");
    play("+\r\n");
    idle(true);
    imap_close(&im);
    CHECK_SLICE(script_sent(), SLICE("DONE\r\nm3 LOGOUT\r\n"));
    done();
}

static void silence(void **state)
{
    bool idling;
    int64_t start;

    (void)state;
    CASE("no answer to DONE");
    script_start(IN, NULL);
    script.timeout_ms = 60;
    heard = BUF_INIT(1000);
    CHECK_INT(imap_open(&server, &im, &e), 0);
    script_says("+\r\n");
    CHECK_INT(imap_idle(im, &handler, &idling, &e), 0);
    start = clock_mono_ms();
    CHECK_INT(imap_idle_end(im, &handler, &e), -1);
    CHECK_INT(e.code, E_TIMEOUT);
    CHECK(clock_mono_ms() - start < 2000);
    done();
    CASE("no answer to IDLE");
    script_start(IN, NULL);
    script.timeout_ms = 60;
    CHECK_INT(imap_open(&server, &im, &e), 0);
    CHECK_INT(imap_idle(im, &handler, &idling, &e), -1);
    CHECK_INT(e.code, E_TIMEOUT);
    done();
}

/* However fast a server talks, it cannot keep us from other work. */
static void flood(void **state)
{
    struct buf much = BUF_INIT(1 << 25);
    struct stream *slow;
    bool all;

    (void)state;
    CASE("flood");
    while (much.len < 8u << 20)
        CHECK_INT(buf_put_str(&much, "* 1000000 EXISTS\r\n"), 0);
    play("+\r\n");
    idle(true);
    slow = im->stream;
    CHECK_INT(stream_memory(buf_slice(&much), 0, NULL, &im->stream, &e), 0);
    stream_close(&slow);
    CHECK_INT(imap_arrived(im, &handler, &all, &e), 0);
    CHECK(!all);
    CHECK(heard.len > 0);
    buf_release(&much);
    done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_behind_the_plus),
        cmocka_unit_test(events_around),
        cmocka_unit_test(refused),
        cmocka_unit_test(pieces),
        cmocka_unit_test(ends),
        cmocka_unit_test(ended_by_the_server),
        cmocka_unit_test(without_waiting),
        cmocka_unit_test(closed_while_idling),
        cmocka_unit_test(silence),
        cmocka_unit_test(flood),
    };

    return log_open(&(struct log_options){ .level = LOG_LEVEL_ERROR }, &e) != 0 ||
           cmocka_run_group_tests(tests, NULL, NULL);
}
