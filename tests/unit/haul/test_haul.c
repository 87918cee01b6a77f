/* SPDX-License-Identifier: MIT
 * Whole passes between memory and memory. fate.c and world.c check the invariant in every one of them.
 */
#include "world.h"

#include <signal.h>

#include "base/stop.h"
#include "haul/haul_int.h"
#include "haul/plan_folder.h"
#include "wire/mailflag.h"

static struct mem_message *message(const char *words)
{
    return source_memory_find(&w.source, words);
}

static void say_many(const char *folder, unsigned first, unsigned last)
{
    for (unsigned i = first; i <= last; i++) {
        char words[16];

        snprintf(words, sizeof(words), "m%02u", i);
        world_say(folder, words);
    }
}

static void fault(const char *words, enum mem_fault what, int times)
{
    message(words)->fault = what;
    message(words)->fault_times = times;
}

/* A pass that ends with this error, or ends well and reports it. */
static void pass_with(enum err_code want, uint64_t messages)
{
    fate_set(FATE_NEVER, 0);
    world_pass();
    CHECK_INT(w.r.err.code, want);
    CHECK_INT(w.r.messages, messages);
}

static void pass_fails(enum err_code want)
{
    fate_set(FATE_NEVER, 0);
    world_pass();
    CHECK_INT(w.rc, -1);
    CHECK_INT(w.r.err.code, want);
}

/* The same for both protocols. */
static void both(void (*test)(void))
{
    for (int pop3 = 0; pop3 < 2; pop3++) {
        CASE("%s", pop3 ? "POP3" : "IMAP");
        world_make(pop3);
        test();
        world_end();
    }
}

/* --- what arrives, and how -------------------------------------------------------------------------------------- */

static void keep(void)
{
    say_many("INBOX", 1, 9);
    PASS(9);
    CHECK_INT(w.delivered, 9);
    CHECK_INT(atomic_load(&w.progress.messages), 9);
    CHECK_INT(atomic_load(&w.progress.wanted_messages), 9);
    CHECK(atomic_load(&w.progress.bytes) == w.r.bytes && w.r.bytes > 0);
    ARRIVED(1);
    QUIET();
    QUIET();
    say_many("INBOX", 10, 10);
    PASS(1);
    ARRIVED(1);
    CHECK_INT(message("m01")->fetched, 1);
    QUIET();
}

static void test_keep(void **state)
{
    (void)state;
    both(keep);
}

/* A connection lives over passes only where it can be waited on, and as long as nothing is wrong with it. */
static void test_keep_open(void **state)
{
    (void)state;
    CASE("not wanted");
    world_make(false);
    source_memory_can_wait(&w.source);
    world_say("INBOX", "m01");
    PASS(1);
    CHECK(!w.source.open);
    CASE("kept, and used again");
    w.keep_open = true;
    QUIET();
    CHECK(w.source.open);
    world_say("INBOX", "m02");
    world_say("Broken", "m03");
    source_memory_folder(&w.source, "Broken")->refuses = true;
    w.source.opens = 0;
    CHECK_INT(world_pass(), 0);
    CHECK_INT(w.r.messages, 1);
    CHECK_INT(w.r.err.code, E_BUSY);
    CHECK(w.source.open);
    CHECK_INT(w.source.opens, 0);
    source_memory_folder(&w.source, "Broken")->refuses = false;
    CASE("cut");
    world_say("INBOX", "m04");
    fault("m04", FAULT_CUT, -1);
    CHECK_INT(world_pass(), -1);
    CHECK(!w.source.open);
    world_end();
    CASE("POP3 says goodbye");
    world_make(true);
    w.keep_open = true;
    world_say("INBOX", "m01");
    PASS(1);
    CHECK(!w.source.open);
    world_end();
}

static void test_as_it_was(void **state)
{
    const struct mem_file *file;
    struct mem_message *m;

    (void)state;
    CASE("as it was");
    world_make(false);
    m = world_say("Sent/2024", "m01");
    m->flags = MAIL_SEEN | MAIL_FLAGGED;
    m->date = 1234567890;
    m->listed = 3;
    PASS(1);
    file = sink_memory_find(&w.sinks[0], "m01");
    CHECK(file != NULL);
    CHECK_SLICE(slice_make(file->body, file->len), SLICE("Message-ID: <m01@x>\n\nm01\n"));
    CHECK_INT(file->flags, MAIL_SEEN | MAIL_FLAGGED);
    CHECK_INT(file->date, 1234567890);
    CHECK_INT(file->octets, file->len + 3);
    CHECK_SLICE(slice_str(file->folder), SLICE("Sent/2024"));
    world_end();
}

static void test_unchanged_folders_are_not_opened(void **state)
{
    (void)state;
    CASE("unchanged folders");
    world_make(false);
    say_many("INBOX", 1, 2);
    say_many("Archive", 3, 4);
    say_many("Empty", 1, 0);
    source_memory_folder(&w.source, "Empty");
    PASS(4);
    CHECK_INT(w.source.lists, 3);
    PASS(0);
    CHECK_INT(w.source.lists, 3);
    say_many("Archive", 5, 5);
    PASS(1);
    CHECK_INT(w.source.lists, 4);
    QUIET();
    CHECK_INT(w.source.lists, 4);
    source_memory_folder(&w.source, "INBOX")->no_status = true;
    QUIET();
    CHECK_INT(w.source.lists, 5);
    ARRIVED(1);
    world_end();
}

static void odd_bodies(void)
{
    say_many("INBOX", 1, 6);
    fault("m02", FAULT_TWICE, -1);
    fault("m04", FAULT_NOBODY, -1);
    PASS(6);
    ARRIVED(1);
    QUIET();
}

static void test_odd_bodies(void **state)
{
    (void)state;
    both(odd_bodies);
}

static void part(void)
{
    say_many("INBOX", 1, 11);
    w.policy.leave_s = 0;
    w.source.part = true;
    PASS(11);
    ARRIVED(1);
    CHECK_INT(source_memory_left(&w.source), 0);
    QUIET();
}

static void test_lists_a_part(void **state)
{
    (void)state;
    CASE("a part at a time");
    world_make(true);
    part();
    world_end();
}

static void test_no_unique_ids(void **state)
{
    (void)state;
    CASE("no unique-ids");
    world_make(true);
    say_many("INBOX", 1, 3);
    w.source.no_uidl = true;
    pass_with(E_LACKS, 0);
    CHECK_INT(sink_memory_count(&w.sinks[0]), 0);
    w.policy.leave_s = 30 * 24 * 3600;
    pass_with(E_LACKS, 0);
    w.policy.leave_s = 0;
    PASS(3);
    CHECK_INT(source_memory_left(&w.source), 0);
    world_end();
}

/* --- removal ---------------------------------------------------------------------------------------------------- */

static void remove_all(void)
{
    w.policy.leave_s = 0;
    say_many("INBOX", 1, 8);
    PASS(8);
    CHECK_INT(w.r.removed, 8);
    CHECK_INT(source_memory_left(&w.source), 0);
    ARRIVED(1);
    CHECK(!world_row("m01", &(struct journal_message){ 0 }));
    PASS(0);
    QUIET();
}

static void test_remove(void **state)
{
    (void)state;
    both(remove_all);
}

static void remove_what_was_kept(void)
{
    say_many("INBOX", 1, 8);
    PASS(8);
    QUIET();
    w.policy.leave_s = 0;
    PASS(0);
    CHECK_INT(w.r.removed, 8);
    CHECK_INT(source_memory_left(&w.source), 0);
    ARRIVED(1);
    PASS(0);
    QUIET();
}

static void test_remove_what_was_kept(void **state)
{
    (void)state;
    both(remove_what_was_kept);
}

static void by_age(void)
{
    enum { DAY = 24 * 3600 };

    w.policy.leave_s = 30 * DAY;
    say_many("INBOX", 1, 2);
    message("m01")->date = WORLD_START - 1000 * DAY;
    PASS(2);
    w.now += 10 * DAY;
    say_many("INBOX", 3, 3);
    PASS(1);
    w.now += 20 * DAY - 1;
    QUIET();
    CHECK_INT(source_memory_left(&w.source), 3);
    w.now += 1;
    PASS(0);
    CHECK_INT(w.r.removed, 2);
    CHECK(message("m01")->removed && message("m02")->removed && !message("m03")->removed);
    PASS(0);
    QUIET();
    w.now += 10 * DAY;
    PASS(0);
    CHECK_INT(w.r.removed, 1);
    ARRIVED(1);
    PASS(0);
    QUIET();
}

static void test_by_age(void **state)
{
    (void)state;
    both(by_age);
}

/* The removal took effect, its reply never came. */
static void lost_reply(void)
{
    w.policy.leave_s = 0;
    say_many("INBOX", 1, 2);
    PASS(2);
    say_many("INBOX", 3, 4);
    w.source.lose_reply = true;
    world_pass();
    w.source.lose_reply = false;
    say_many("INBOX", 5, 5);
    world_pass();
    CHECK_INT(w.r.err.code, E_NONE);
    CHECK_INT(source_memory_left(&w.source), 0);
    ARRIVED(1);
    CHECK_INT(message("m03")->fetched, 1);
    PASS(0);
    QUIET();
}

static void test_lost_reply(void **state)
{
    (void)state;
    both(lost_reply);
}

static void test_only_marked(void **state)
{
    struct journal_message row;

    (void)state;
    CASE("marked and left");
    world_make(false);
    w.policy.leave_s = 0;
    w.source.only_marks = true;
    say_many("INBOX", 1, 3);
    PASS(3);
    CHECK_INT(w.r.marked, 3);
    CHECK_INT(w.r.removed, 0);
    CHECK(world_row("m02", &row));
    CHECK_INT(row.state, MESSAGE_REMOVING);
    unsigned lists = w.source.lists;
    QUIET();
    CHECK_INT(w.source.lists, lists);
    say_many("INBOX", 4, 4);
    PASS(1);
    CHECK_INT(w.r.marked, 1);
    ARRIVED(1);
    QUIET();
    world_end();
}

/* --- messages that cannot be had -------------------------------------------------------------------------------- */

static void three_tries_with(enum mem_fault what)
{
    struct journal_message row;

    say_many("INBOX", 1, 5);
    fault("m02", what, -1);
    for (unsigned pass = 1; pass <= 3; pass++) {
        CASE("fault %d, pass %u, %s", what, pass, w.source.source.one_folder ? "POP3" : "IMAP");
        pass_with(pass < 3 ? E_MESSAGE : E_NONE, pass == 1 ? 4 : 0);
        CHECK_INT(w.r.failed, pass < 3);
        CHECK_INT(w.r.quarantined, pass == 3);
        CHECK_INT(sink_memory_count(&w.sinks[0]), 4);
        CHECK(world_row("m02", &row));
        CHECK_INT(row.tries, pass);
        CHECK_INT(row.state, pass < 3 ? MESSAGE_PENDING : MESSAGE_QUARANTINED);
        CHECK(row.reason.n > 0);
    }
    unsigned fetched = message("m02")->fetched;
    QUIET();
    CHECK_INT(message("m02")->fetched, fetched);
    CHECK(!message("m02")->removed);
}

static void three_tries_refused(void)
{
    three_tries_with(FAULT_REFUSED);
}

static void three_tries_empty(void)
{
    three_tries_with(FAULT_EMPTY);
}

/* The pass ends there each time; what is behind it comes in the second. */
static void three_tries_cut(void)
{
    struct journal_message row;

    say_many("INBOX", 1, 5);
    fault("m02", FAULT_CUT, -1);
    pass_with(E_NET, 1);
    pass_with(E_NET, 3);
    CHECK(world_row("m02", &row));
    CHECK_INT(row.tries, 2);
    pass_with(E_NET, 0);
    CHECK_INT(w.r.quarantined, 1);
    PASS(0);
    CHECK_INT(message("m02")->fetched, 3);
    CHECK_INT(sink_memory_count(&w.sinks[0]), 4);
    QUIET();
}

static void test_three_tries(void **state)
{
    (void)state;
    both(three_tries_refused);
    both(three_tries_empty);
    both(three_tries_cut);
}

static void second_try(void)
{
    struct journal_message row;

    w.policy.leave_s = 0;
    say_many("INBOX", 1, 5);
    fault("m02", FAULT_REFUSED, 1);
    pass_with(E_MESSAGE, 4);
    CHECK_INT(source_memory_left(&w.source), 1);
    w.policy.leave_s = -1;
    PASS(1);
    ARRIVED(1);
    CHECK(world_row("m02", &row));
    CHECK_INT(row.state, MESSAGE_STORED);
    CHECK_INT(row.tries, 0);
    CHECK_INT(row.reason.n, 0);
    QUIET();
}

static void test_second_try(void **state)
{
    (void)state;
    both(second_try);
}

static void cut_once(void)
{
    say_many("INBOX", 1, 9);
    fault("m04", FAULT_CUT, 1);
    pass_with(E_NET, 3);
    CHECK_INT(w.source.opens, 1);
    CHECK_INT(sink_memory_count(&w.sinks[0]), 3);
    PASS(6);
    CHECK_INT(message("m03")->fetched, 1);
    ARRIVED(1);
    QUIET();
}

static void test_cut_once(void **state)
{
    (void)state;
    both(cut_once);
}

static void cut_everywhere(void)
{
    say_many("INBOX", 1, 9);
    for (unsigned i = 0; i < 9; i++) {
        source_memory_folder(&w.source, "INBOX")->messages[i].fault = FAULT_CUT;
        source_memory_folder(&w.source, "INBOX")->messages[i].fault_times = 1;
    }
    for (unsigned i = 0; i < 9; i++)
        pass_with(E_NET, 0);
    PASS(9);
    ARRIVED(1);
    QUIET();
}

/* One cut is no message's end: each is blamed once, and comes. */
static void test_cut_everywhere(void **state)
{
    (void)state;
    both(cut_everywhere);
}

static void silent(void)
{
    say_many("INBOX", 1, 5);
    fault("m03", FAULT_SILENT, 1);
    pass_with(E_TIMEOUT, 2);
    CHECK_INT(w.source.opens, 1);
    PASS(3);
    ARRIVED(1);
    QUIET();
}

/* Silence ends the pass: the server is not asked again at once. */
static void test_silent(void **state)
{
    (void)state;
    both(silent);
}

static void test_no_connection(void **state)
{
    (void)state;
    CASE("no connection");
    world_make(false);
    say_many("INBOX", 1, 2);
    err_set(&w.source.open_fails, E_NET, "connection refused");
    pass_with(E_NET, 0);
    CHECK_INT(w.rc, -1);
    CHECK_INT(w.source.opens, 1);
    err_set(&w.source.open_fails, E_AUTH, "wrong password");
    pass_with(E_AUTH, 0);
    w.source.open_fails.code = E_NONE;
    PASS(2);
    world_end();
}

/* POP3 that removes: several sessions make a pass, and a message is tried in one of them only. */
static void test_three_tries_over_sessions(void **state)
{
    (void)state;
    CASE("three tries, several sessions a pass");
    world_make(true);
    w.policy.leave_s = 0;
    say_many("INBOX", 1, 8);
    fault("m02", FAULT_REFUSED, -1);
    for (unsigned pass = 1; pass <= 3; pass++) {
        pass_with(pass < 3 ? E_MESSAGE : E_NONE, pass == 1 ? 7 : 0);
        CHECK_INT(message("m02")->fetched, pass);
        CHECK_INT(w.r.quarantined, pass == 3);
        CHECK_INT(source_memory_left(&w.source), 1);
    }
    PASS(0);
    QUIET();
    world_end();
}

static void decide(enum message_state what)
{
    struct err e = ERR_INIT;
    unsigned count;

    CHECK_INT(journal_begin(world_journal(), &e), 0);
    CHECK_INT(journal_quarantine_set(world_journal(), 0, what, &count, &e), 0);
    CHECK_INT(count, 1);
    CHECK_INT(journal_commit(world_journal(), &e), 0);
}

/* What the user decides about a message that was set aside. */
static void retried_or_dropped(void)
{
    say_many("INBOX", 1, 3);
    fault("m02", FAULT_REFUSED, 6);
    world_pass();
    world_pass();
    world_pass();
    CHECK_INT(w.r.quarantined, 1);
    PASS(0);
    QUIET();
    decide(MESSAGE_PENDING);
    pass_with(E_MESSAGE, 0);
    pass_with(E_MESSAGE, 0);
    world_pass();
    CHECK_INT(w.r.quarantined, 1);
    decide(MESSAGE_DROPPED);
    w.policy.leave_s = 0;
    PASS(0);
    CHECK_INT(w.r.removed, 2);
    CHECK_INT(message("m02")->fetched, 6);
    CHECK(!message("m02")->removed);
    PASS(0);
    QUIET();
}

static void retried_with_luck(void)
{
    say_many("INBOX", 1, 3);
    fault("m02", FAULT_REFUSED, 3);
    world_pass();
    world_pass();
    world_pass();
    decide(MESSAGE_PENDING);
    PASS(1);
    ARRIVED(1);
    QUIET();
}

static void test_retried_or_dropped(void **state)
{
    (void)state;
    both(retried_or_dropped);
    both(retried_with_luck);
}

/* It was refused, and when it is asked for again it is not there any more. */
static void test_gone_meanwhile(void **state)
{
    struct journal_message row;

    (void)state;
    CASE("gone meanwhile");
    world_make(false);
    say_many("INBOX", 1, 3);
    fault("m02", FAULT_REFUSED, 1);
    pass_with(E_MESSAGE, 2);
    CHECK(world_row("m02", &row));
    fault("m02", FAULT_GONE, -1);
    PASS(0);
    CHECK(!world_row("m02", &row));
    QUIET();
    world_end();
}

/* --- limits ----------------------------------------------------------------------------------------------------- */

static void too_large(void)
{
    say_many("INBOX", 1, 4);
    message("m02")->listed = 5000;
    message("m03")->listed = 9000;
    w.policy.max_size = 1000;
    w.policy.leave_s = 0;
    PASS(2);
    CHECK_INT(w.r.skipped, 2);
    CHECK_INT(source_memory_left(&w.source), 2);
    PASS(0);
    CHECK_INT(w.r.skipped, 0);
    QUIET();
    w.policy.max_size = 6000;
    w.policy.leave_s = -1;
    PASS(1);
    CHECK_INT(sink_memory_count(&w.sinks[0]), 3);
    unsigned lists = w.source.lists, completes = w.source.completes;
    QUIET();
    CHECK_INT(w.source.source.one_folder ? w.source.completes : w.source.lists,
              w.source.source.one_folder ? completes : lists);
    w.policy.max_size = 0;
    PASS(1);
    ARRIVED(1);
    w.policy.max_size = 1000;
    QUIET();
}

static void test_too_large(void **state)
{
    (void)state;
    both(too_large);
}

/* Skipped in a pass that was cut, so that the next one sees it listed again. */
static void too_large_and_cut(void)
{
    say_many("INBOX", 1, 4);
    message("m02")->listed = 5000;
    w.policy.max_size = 1000;
    fault("m03", FAULT_SILENT, 1);
    pass_with(E_TIMEOUT, 1);
    CHECK_INT(w.r.skipped, 1);
    w.policy.max_size = 0;
    PASS(3);
    CHECK_INT(message("m02")->fetched, 1);
    ARRIVED(1);
    QUIET();
}

static void test_too_large_and_cut(void **state)
{
    (void)state;
    both(too_large_and_cut);
}

static void so_many_a_pass(void)
{
    w.max_messages = 3;
    say_many("INBOX", 1, 8);
    PASS(3);
    PASS(3);
    CHECK_INT(message("m01")->fetched, 1);
    PASS(2);
    ARRIVED(1);
    PASS(0);
    QUIET();
}

static void so_many_a_pass_removed(void)
{
    w.policy.leave_s = 0;
    w.max_messages = 5;
    say_many("INBOX", 1, 8);
    PASS(5);
    CHECK_INT(w.r.removed, 5);
    PASS(3);
    ARRIVED(1);
    CHECK_INT(source_memory_left(&w.source), 0);
}

static void so_many_a_pass_cut(void)
{
    w.max_messages = 5;
    say_many("INBOX", 1, 8);
    fault("m03", FAULT_CUT, 1);
    pass_with(E_NET, 2);
    PASS(5);
    PASS(1);
    ARRIVED(1);
}

static void test_so_many_a_pass(void **state)
{
    (void)state;
    both(so_many_a_pass);
    both(so_many_a_pass_removed);
    both(so_many_a_pass_cut);
}

static void test_so_many_over_folders(void **state)
{
    (void)state;
    CASE("max_messages over folders");
    world_make(false);
    w.max_messages = 3;
    say_many("INBOX", 1, 2);
    say_many("Archive", 3, 6);
    PASS(3);
    PASS(3);
    ARRIVED(1);
    PASS(0);
    QUIET();
    world_end();
}

/* A mailbox of more messages than one session takes on: planned only, as nobody wants to wait for the bodies. */
static void test_so_many_a_session(void **state)
{
    enum { MANY = 300000 };
    struct haul_result result = { .err = ERR_INIT };
    struct visit visit = { 0 };
    struct pass p = { .r = &result, .budget = UINT64_MAX };
    struct err e = ERR_INIT;
    bool truncated;

    (void)state;
    for (int large = 0; large < 2; large++) {
        CASE("so many a session%s", large ? ", all too large" : "");
        world_make(true);
        w.policy.max_size = large ? 10 : 0;
        p.o = world_stage();
        listing_init(&p.listing);
        for (uint32_t n = 1; n <= MANY; n++)
            CHECK_INT(listing_add(&p.listing, n, 100, SLICE_NONE, &e), 0);
        p.again = false;
        CHECK_INT(plan_fetches(&p, &visit, &truncated, &e), 0);
        CHECK(truncated && p.again);
        CHECK_INT(p.fetch.count + p.skip.count, 250000);
        CHECK_INT(large ? p.fetch.count : p.skip.count, 0);
        p.listing.count = 250000;
        p.again = false;
        CHECK_INT(plan_fetches(&p, &visit, &truncated, &e), 0);
        CHECK(!truncated && !p.again);
        listing_release(&p.listing);
        world_unstage();
        world_end();
    }
    items_release(&p.fetch);
    items_release(&p.skip);
}

/* --- destinations ----------------------------------------------------------------------------------------------- */

static void added_later(void)
{
    say_many("INBOX", 1, 3);
    PASS(3);
    w.active = 3;
    PASS(0);
    CHECK_INT(sink_memory_count(&w.sinks[1]), 0);
    say_many("INBOX", 4, 5);
    PASS(2);
    CHECK_INT(sink_memory_count(&w.sinks[0]), 5);
    CHECK_INT(sink_memory_count(&w.sinks[1]), 2);
    w.policy.leave_s = 0;
    w.unchecked_removal = true;
    PASS(0);
    CHECK_INT(w.r.removed, 5);
    CHECK_INT(sink_memory_count(&w.sinks[1]), 2);
}

/* It gets no old mail, and does not hold up the removal of what came before it. */
static void test_destination_added(void **state)
{
    (void)state;
    both(added_later);
}

static void failing_call(enum sink_call call)
{
    w.active = 3;
    w.policy.leave_s = 0;
    w.batch_messages = 100;
    say_many("INBOX", 1, 3);
    w.sinks[1].fail = call;
    pass_fails(E_DISK);
    CHECK_INT(source_memory_left(&w.source), 3);
    w.sinks[1].fail = CALL_NONE;
    world_pass();
    CHECK_INT(w.r.err.code, E_NONE);
    ARRIVED(2);
    CHECK_INT(source_memory_left(&w.source), 0);
    PASS(0);
    QUIET();
}

static void test_one_of_two_fails(void **state)
{
    (void)state;
    for (int pop3 = 0; pop3 < 2; pop3++) {
        for (int call = CALL_OPEN; call <= CALL_COMMIT; call++) {
            CASE("%s, call %d of the second destination", pop3 ? "POP3" : "IMAP", call);
            world_make(pop3);
            failing_call((enum sink_call)call);
            world_end();
        }
    }
}

/* The one that failed goes out of the configuration: what the other has counts as stored, and may go. */
static void removed_from_configuration(void)
{
    w.active = 3;
    say_many("INBOX", 1, 3);
    w.sinks[1].fail = CALL_COMMIT;
    pass_fails(E_DISK);
    w.active = 1;
    w.policy.leave_s = 0;
    world_pass();
    CHECK_INT(w.r.err.code, E_NONE);
    ARRIVED(1);
    CHECK_INT(source_memory_left(&w.source), 0);
    CHECK_INT(sink_memory_count(&w.sinks[1]), 0);
}

static void test_destination_removed(void **state)
{
    (void)state;
    both(removed_from_configuration);
}

static void test_another_marker(void **state)
{
    (void)state;
    CASE("another destination under the same name");
    world_make(false);
    say_many("INBOX", 1, 2);
    PASS(2);
    w.policy.leave_s = 0;
    w.sinks[0].marker[0] = 'X';
    pass_with(E_DISK, 0);
    CHECK_INT(w.source.opens, 1);
    CHECK_INT(source_memory_left(&w.source), 2);
    world_end();
}

static void one_is_put_off(void)
{
    struct journal_message row;

    w.active = 3;
    w.policy.leave_s = 0;
    say_many("INBOX", 1, 4);
    snprintf(w.sinks[1].later, sizeof(w.sinks[1].later), "m02");
    for (unsigned pass = 1; pass <= 3; pass++) {
        CASE("%s, put off, pass %u", w.source.source.one_folder ? "POP3" : "IMAP", pass);
        pass_with(pass < 3 ? E_MESSAGE : E_NONE, pass == 1 ? 4 : 1);
        CHECK_INT(w.r.failed, pass < 3);
        CHECK_INT(w.r.quarantined, pass == 3);
        CHECK_INT(source_memory_left(&w.source), 1);
        CHECK(world_row("m02", &row));
        CHECK_INT(row.state, pass < 3 ? MESSAGE_PENDING : MESSAGE_QUARANTINED);
        CHECK_INT(sink_memory_having(&w.sinks[0], "m02"), 1);
        CHECK_INT(sink_memory_having(&w.sinks[1], "m02"), 0);
    }
    /* It was set aside behind the folder's last look. */
    PASS(0);
    QUIET();
}

/* One destination will not have one message for now: three passes, then it is set aside; the other has it once. */
static void test_one_is_put_off(void **state)
{
    (void)state;
    both(one_is_put_off);
}

/* --- folders, errors, the end ------------------------------------------------------------------------------------ */

static void test_folder_error(void **state)
{
    (void)state;
    CASE("a folder that cannot be opened");
    world_make(false);
    say_many("INBOX", 1, 2);
    say_many("Broken", 3, 4);
    say_many("Half", 5, 7);
    say_many("Zoo", 8, 9);
    source_memory_folder(&w.source, "Broken")->refuses = true;
    fault("m06", FAULT_FOLDER, 1);
    pass_with(E_BUSY, 5);
    CHECK_INT(w.rc, 0);
    CHECK(w.r.err_told);
    CHECK(strstr(w.r.err.text, "folder Broken") != NULL);
    source_memory_folder(&w.source, "Broken")->refuses = false;
    PASS(4);
    ARRIVED(1);
    QUIET();
    world_end();
}

static void test_folder_missing(void **state)
{
    (void)state;
    CASE("a folder that does not exist");
    world_make(false);
    say_many("INBOX", 1, 2);
    say_many("Archive/A", 3, 3);
    memcpy(w.folders, ((const char *[]){ "INBOX", "Missing", "None*", "\\Sent", "!Archive/B", "Archive/*" }),
           sizeof(w.folders));
    w.folder_count = 6;
    pass_with(E_NOFOLDER, 3);
    CHECK_INT(w.rc, 0);
    CHECK(strstr(w.r.err.text, "Missing") != NULL);
    ARRIVED(1);
    /* What stands first in the table of exit statuses decides. */
    say_many("INBOX", 4, 5);
    fault("m05", FAULT_SILENT, -1);
    pass_with(E_NOFOLDER, 1);
    CHECK_INT(w.rc, -1);
    fault("m05", FAULT_NONE, 0);
    w.folders[1] = "INBOX";
    PASS(1);
    QUIET();
    world_end();
}

static void stopped(void)
{
    w.policy.leave_s = 0;
    say_many("INBOX", 1, 6);
    fault("m04", FAULT_STOP, 1);
    pass_with(E_STOPPED, 3);
    CHECK_INT(sink_memory_count(&w.sinks[0]), 3);
    /* POP3 had ended a first session by then. */
    CHECK_INT(source_memory_left(&w.source), w.source.source.one_folder ? 3 : 6);
    w.policy.leave_s = -1;
    PASS(3);
    ARRIVED(1);
    CHECK_INT(message("m02")->fetched, 1);
}

static void test_stopped(void **state)
{
    (void)state;
    both(stopped);
}

static void test_quirks(void **state)
{
    (void)state;
    CASE("what was learned of the server");
    world_make(true);
    say_many("INBOX", 1, 1);
    w.source.quirk_learned = QUIRK_NO_CAPA;
    PASS(1);
    w.source.quirk_learned = 0;
    w.source.source.quirks = 0;
    QUIET();
    CHECK_INT(w.source.source.quirks, QUIRK_NO_CAPA);
    world_end();
}

static void dry(void)
{
    w.policy.leave_s = 0;
    say_many("INBOX", 1, 3);
    PASS(3);
    w.policy.leave_s = -1;
    say_many("INBOX", 4, 5);
    PASS(2);
    w.policy.leave_s = 0;
    w.policy.max_size = 1000;
    say_many("INBOX", 6, 7);
    say_many("INBOX", 8, 8);
    message("m08")->listed = 2000;
    w.dry_run = true;
    QUIET();
    CHECK_INT(w.r.would_fetch, 2);
    CHECK_INT(w.r.would_remove, 4);
    CHECK(w.r.would_fetch_bytes > 0);
    CHECK_INT(source_memory_left(&w.source), 5);
    w.dry_run = false;
    w.policy.max_size = 0;
    PASS(3);
    ARRIVED(1);
}

static void test_dry_run(void **state)
{
    (void)state;
    both(dry);
}

static void dry_from_nothing(void)
{
    w.dry_run = true;
    say_many("INBOX", 1, 3);
    QUIET();
    CHECK_INT(w.r.would_fetch, 3);
}

static void test_dry_from_nothing(void **state)
{
    (void)state;
    both(dry_from_nothing);
}

/* --- POP3: what the listing says of old rows --------------------------------------------------------------------- */

static void test_gone_rows(void **state)
{
    enum { DAY = 24 * 3600 };
    struct journal_message row;

    (void)state;
    CASE("rows of messages that are not listed");
    world_make(true);
    say_many("INBOX", 1, 5);
    PASS(5);
    /* Somebody else took two away. */
    message("m02")->removed = message("m04")->removed = true;
    PASS(0);
    CHECK(world_row("m02", &row));
    CHECK_INT(row.gone_at, WORLD_START);
    QUIET();
    /* A server that lost its mailbox and has it back: nothing comes twice. */
    message("m02")->removed = false;
    PASS(0);
    CHECK(world_row("m02", &row));
    CHECK_INT(row.gone_at, 0);
    for (int i = 0; i < 5; i++)
        source_memory_folder(&w.source, "INBOX")->messages[i].removed = true;
    PASS(0);
    for (int i = 0; i < 5; i++)
        source_memory_folder(&w.source, "INBOX")->messages[i].removed = i == 3;
    PASS(0);
    QUIET();
    ARRIVED(1);
    /* And after a long time it is forgotten. */
    w.now += 91 * DAY;
    message("m05")->removed = true;
    PASS(0);
    CHECK(!world_row("m04", &row));
    CHECK(world_row("m05", &row));
    world_end();
}

/* For one pass the server shows an empty mailbox: no row is given up for it. */
static void test_empty_for_once(void **state)
{
    struct mem_folder *f;

    (void)state;
    CASE("empty for once");
    world_make(true);
    say_many("INBOX", 1, 5);
    PASS(5);
    f = source_memory_folder(&w.source, "INBOX");
    for (size_t i = 0; i < f->count; i++)
        f->messages[i].removed = true;
    w.policy.leave_s = 0;
    PASS(0);
    for (size_t i = 0; i < f->count; i++)
        f->messages[i].removed = false;
    PASS(0);
    CHECK_INT(w.r.removed, 5);
    ARRIVED(1);
    world_end();
}

static void test_reused_unique_id(void **state)
{
    (void)state;
    CASE("a unique-id for another message");
    world_make(true);
    say_many("INBOX", 1, 5);
    PASS(5);
    message("m03")->removed = true;
    snprintf(world_say("INBOX", "another one")->uidl, 8, "id-3");
    w.policy.leave_s = 0;
    PASS(1);
    ARRIVED(1);
    CHECK_INT(source_memory_left(&w.source), 0);
    world_end();
}

static void test_recounted(void **state)
{
    (void)state;
    CASE("a server that counts octets in another way");
    world_make(true);
    say_many("INBOX", 1, 6);
    PASS(6);
    for (int i = 0; i < 5; i++)
        source_memory_folder(&w.source, "INBOX")->messages[i].listed = 500u + (unsigned)i;
    PASS(0);
    ARRIVED(1);
    QUIET();
    w.policy.leave_s = 0;
    PASS(0);
    CHECK_INT(w.r.removed, 6);
    world_end();
}

static void test_other_order(void **state)
{
    struct mem_folder *f;

    (void)state;
    CASE("listed in another order");
    world_make(true);
    say_many("INBOX", 1, 12);
    PASS(12);
    f = source_memory_folder(&w.source, "INBOX");
    for (size_t i = 0; i < 6; i++) {
        struct mem_message swap = f->messages[i];
        f->messages[i] = f->messages[11 - i];
        f->messages[11 - i] = swap;
    }
    say_many("INBOX", 13, 13);
    PASS(1);
    ARRIVED(1);
    QUIET();
    w.policy.leave_s = 0;
    PASS(0);
    CHECK_INT(w.r.removed, 13);
    world_end();
}

/* --- the last one, because the wish to stop stays ----------------------------------------------------------------- */

static void test_stop_request(void **state)
{
    (void)state;
    CASE("a signal before the first folder");
    world_make(false);
    say_many("INBOX", 1, 3);
    stop_request(SIGTERM);
    pass_with(E_STOPPED, 0);
    CHECK_INT(w.source.lists, 0);
    world_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keep),
        cmocka_unit_test(test_keep_open),
        cmocka_unit_test(test_as_it_was),
        cmocka_unit_test(test_unchanged_folders_are_not_opened),
        cmocka_unit_test(test_odd_bodies),
        cmocka_unit_test(test_lists_a_part),
        cmocka_unit_test(test_no_unique_ids),
        cmocka_unit_test(test_remove),
        cmocka_unit_test(test_remove_what_was_kept),
        cmocka_unit_test(test_by_age),
        cmocka_unit_test(test_lost_reply),
        cmocka_unit_test(test_only_marked),
        cmocka_unit_test(test_three_tries),
        cmocka_unit_test(test_second_try),
        cmocka_unit_test(test_cut_once),
        cmocka_unit_test(test_cut_everywhere),
        cmocka_unit_test(test_silent),
        cmocka_unit_test(test_no_connection),
        cmocka_unit_test(test_three_tries_over_sessions),
        cmocka_unit_test(test_gone_meanwhile),
        cmocka_unit_test(test_retried_or_dropped),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_too_large_and_cut),
        cmocka_unit_test(test_so_many_a_pass),
        cmocka_unit_test(test_so_many_over_folders),
        cmocka_unit_test(test_so_many_a_session),
        cmocka_unit_test(test_destination_added),
        cmocka_unit_test(test_one_of_two_fails),
        cmocka_unit_test(test_destination_removed),
        cmocka_unit_test(test_another_marker),
        cmocka_unit_test(test_one_is_put_off),
        cmocka_unit_test(test_folder_error),
        cmocka_unit_test(test_folder_missing),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_quirks),
        cmocka_unit_test(test_dry_run),
        cmocka_unit_test(test_dry_from_nothing),
        cmocka_unit_test(test_gone_rows),
        cmocka_unit_test(test_empty_for_once),
        cmocka_unit_test(test_reused_unique_id),
        cmocka_unit_test(test_recounted),
        cmocka_unit_test(test_other_order),
        cmocka_unit_test(test_stop_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
