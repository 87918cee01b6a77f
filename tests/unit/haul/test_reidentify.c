/* SPDX-License-Identifier: MIT
 * UIDVALIDITY changed: what is here is known again, what is new is fetched, and nothing is removed in that pass.
 */
#include "world.h"

static struct mem_folder *inbox;

static void start(unsigned messages)
{
    world_make(false);
    inbox = source_memory_folder(&w.source, "INBOX");
    for (unsigned i = 1; i <= messages; i++) {
        char words[16];

        snprintf(words, sizeof(words), "m%02u", i);
        world_say("INBOX", words);
    }
}

static struct mem_message *message(const char *words)
{
    return source_memory_find(&w.source, words);
}

static void test_all_known_again(void **state)
{
    struct journal_message row;

    (void)state;
    CASE("all known again");
    start(6);
    PASS(6);
    w.policy.leave_s = 0;
    source_memory_renew(inbox, 8, 101);
    PASS(0);
    CHECK_INT(w.r.known_again, 6);
    CHECK_INT(w.source.removes, 0);
    CHECK(world_row("m03", &row));
    CHECK_INT(row.uidvalidity, 8);
    CHECK_INT(row.uid, 103);
    CHECK_INT(row.state, MESSAGE_STORED);
    PASS(0);
    CHECK_INT(w.r.removed, 6);
    CHECK_INT(w.source.header_calls, 1);
    ARRIVED(1);
    PASS(0);
    QUIET();
    world_end();
}

static void test_some_are_new_some_are_gone(void **state)
{
    (void)state;
    CASE("some are new, some are gone");
    start(5);
    PASS(5);
    message("m02")->removed = true;
    world_say("INBOX", "n01");
    world_say("INBOX", "n02");
    source_memory_renew(inbox, 3, 1);
    PASS(2);
    CHECK_INT(w.r.known_again, 4);
    ARRIVED(1);
    PASS(0);
    QUIET();
    world_end();
}

/* Same header, same size: two were here, three are there now. One is new, and only one. */
static void test_twins(void **state)
{
    static const char twin[] = "Subject: the same\r\n";
    struct journal_message row;
    int64_t rows[2];

    (void)state;
    CASE("twins");
    start(3);
    for (int i = 0; i < 2; i++)
        inbox->messages[i].header = twin;
    PASS(3);
    CHECK(world_row("m01", &row));
    rows[0] = row.id;
    CHECK(world_row("m02", &row));
    rows[1] = row.id;
    world_say("INBOX", "m04")->header = twin;
    source_memory_renew(inbox, 8, 201);
    PASS(1);
    CHECK_INT(w.r.known_again, 3);
    /* In the order of the UIDs. */
    CHECK(world_row("m01", &row));
    CHECK_INT(row.id, rows[0]);
    CHECK(world_row("m02", &row));
    CHECK_INT(row.id, rows[1]);
    ARRIVED(1);
    PASS(0);
    QUIET();
    world_end();
}

/* Same header, another body: the one of the same size is the one that is here, whichever comes first. */
static void test_same_header_other_size(void **state)
{
    static const char twin[] = "Subject: the same\r\n";

    (void)state;
    CASE("the same header, another size");
    start(2);
    inbox->messages[0].header = twin;
    PASS(2);
    struct mem_message known = inbox->messages[0];
    snprintf(inbox->messages[0].words, sizeof(inbox->messages[0].words), "another and longer body");
    snprintf(world_say("INBOX", "x")->words, 8, "m01");
    inbox->messages[2].header = known.header;
    source_memory_renew(inbox, 8, 1);
    PASS(1);
    CHECK_INT(w.r.known_again, 2);
    CHECK_INT(inbox->messages[0].fetched, 2);
    CHECK_INT(inbox->messages[2].fetched, 0);
    ARRIVED(1);
    world_end();
}

/* Servers whose RFC822.SIZE is a guess. */
static void test_sizes_are_guesses(void **state)
{
    (void)state;
    CASE("sizes are guesses");
    start(4);
    PASS(4);
    for (int i = 0; i < 4; i++)
        inbox->messages[i].listed = 1000;
    source_memory_renew(inbox, 8, 1);
    PASS(0);
    CHECK_INT(w.r.known_again, 4);
    ARRIVED(1);
    world_end();
}

static void test_answered_twice(void **state)
{
    static const char twin[] = "Subject: the same\r\n";

    (void)state;
    CASE("answered twice");
    start(4);
    inbox->messages[0].header = inbox->messages[1].header = twin;
    PASS(4);
    w.source.headers_twice = true;
    source_memory_renew(inbox, 8, 1);
    PASS(0);
    CHECK_INT(w.r.known_again, 4);
    ARRIVED(1);
    PASS(0);
    QUIET();
    world_end();
}

/* The server goes back to what it was, and rows that were not paired meanwhile are still there. */
static void test_back_again(void **state)
{
    struct mem_message *lost;

    (void)state;
    CASE("back to the old UIDVALIDITY");
    start(3);
    for (int i = 0; i < 3; i++)
        inbox->messages[i].header = "Subject: the same\r\n";
    PASS(3);
    lost = message("m03");
    lost->removed = true;
    source_memory_renew(inbox, 8, 1);
    PASS(0);
    CHECK_INT(w.r.known_again, 2);
    struct mem_message first = *lost;
    memmove(inbox->messages + 1, inbox->messages, 2 * sizeof(first));
    inbox->messages[0] = first;
    inbox->messages[0].removed = false;
    source_memory_renew(inbox, 7, 3);
    PASS(0);
    CHECK_INT(w.r.known_again, 2);
    ARRIVED(1);
    PASS(0);
    QUIET();
    world_end();
}

static void test_cut_while_asking(void **state)
{
    (void)state;
    CASE("cut while the headers come");
    start(5);
    PASS(5);
    source_memory_renew(inbox, 8, 1);
    w.source.cut_headers = 3;
    fate_set(FATE_NEVER, 0);
    world_pass();
    CHECK_INT(w.r.err.code, E_NET);
    CHECK_INT(fate_commits(), 0);
    w.source.cut_headers = 0;
    PASS(0);
    CHECK_INT(w.r.known_again, 5);
    ARRIVED(1);
    world_end();
}

/* The very first pass of a folder is cut, and then its UIDVALIDITY changes. */
static void test_renewed_after_a_first_pass_that_was_cut(void **state)
{
    (void)state;
    CASE("renewed after a first pass that was cut");
    start(4);
    message("m03")->fault = FAULT_CUT;
    message("m03")->fault_times = 1;
    fate_set(FATE_NEVER, 0);
    world_pass();
    CHECK_INT(sink_memory_count(&w.sinks[0]), 2);
    source_memory_renew(inbox, 8, 1);
    PASS(2);
    CHECK_INT(w.r.known_again, 2);
    ARRIVED(1);
    world_end();
}

static void test_one_folder_of_two(void **state)
{
    (void)state;
    CASE("one folder of two");
    start(2);
    world_say("Archive", "a01");
    world_say("Archive", "a02");
    PASS(4);
    w.policy.leave_s = 0;
    source_memory_renew(inbox, 8, 1);
    PASS(0);
    CHECK_INT(w.r.removed, 2);
    CHECK(!message("m01")->removed && message("a01")->removed);
    PASS(0);
    CHECK_INT(source_memory_left(&w.source), 0);
    world_end();
}

/* Another session of the same pass is still that pass. */
static void test_next_session(void **state)
{
    (void)state;
    CASE("next session");
    start(2);
    world_say("Archive", "a01");
    PASS(3);
    w.policy.leave_s = 0;
    source_memory_renew(inbox, 8, 1);
    world_say("Archive", "a02")->fault = FAULT_CUT;
    message("a02")->fault_times = 1;
    w.source.quirk_learned = QUIRK_SAID_NO_EXPUNGE;
    fate_set(FATE_NEVER, 0);
    world_pass();
    CHECK_INT(w.source.opens, 3);
    CHECK(!message("m01")->removed && !message("m02")->removed);
    CHECK_INT(w.r.known_again, 2);
    PASS(1);
    CHECK_INT(source_memory_left(&w.source), 0);
    ARRIVED(1);
    world_end();
}

static void test_dry_run(void **state)
{
    (void)state;
    CASE("dry run");
    start(5);
    PASS(5);
    world_say("INBOX", "n01");
    source_memory_renew(inbox, 8, 1);
    w.policy.leave_s = 0;
    w.dry_run = true;
    QUIET();
    CHECK_INT(w.r.known_again, 5);
    CHECK_INT(w.r.would_fetch, 1);
    CHECK_INT(w.r.would_remove, 0);
    w.dry_run = false;
    PASS(1);
    CHECK_INT(w.r.known_again, 5);
    ARRIVED(1);
    world_end();
}

/* Stopped at every step of the pass that finds the new UIDVALIDITY. */
static void test_stopped_at_every_step(void **state)
{
    (void)state;
    for (int fate = FATE_BEFORE; fate <= FATE_AFTER; fate++) {
        bool struck = true;

        for (unsigned step = 1; struck; step++) {
            CASE("stopped %s step %u", fate == FATE_BEFORE ? "before" : "after", step);
            start(5);
            PASS(5);
            world_say("INBOX", "n01");
            source_memory_renew(inbox, 8, 3);
            w.policy.leave_s = 0;
            fate_set((enum fate)fate, step);
            world_pass();
            struck = fate_struck();
            CHECK_INT(w.source.removes, 0);
            sink_memory_power_cut(&w.sinks[0], step % 2 == 0);
            fate_set(FATE_NEVER, 0);
            world_pass();
            world_pass();
            CHECK_INT(w.r.err.code, E_NONE);
            ARRIVED(1);
            CHECK_INT(source_memory_left(&w.source), 0);
            PASS(0);
            QUIET();
            world_end();
            struck = struck || step < 5;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_known_again),
        cmocka_unit_test(test_some_are_new_some_are_gone),
        cmocka_unit_test(test_twins),
        cmocka_unit_test(test_same_header_other_size),
        cmocka_unit_test(test_sizes_are_guesses),
        cmocka_unit_test(test_answered_twice),
        cmocka_unit_test(test_back_again),
        cmocka_unit_test(test_cut_while_asking),
        cmocka_unit_test(test_renewed_after_a_first_pass_that_was_cut),
        cmocka_unit_test(test_one_folder_of_two),
        cmocka_unit_test(test_next_session),
        cmocka_unit_test(test_dry_run),
        cmocka_unit_test(test_stopped_at_every_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
