/* SPDX-License-Identifier: MIT
 * Whole passes into destinations that are not Maildirs: what they read, what a refusal means (haul/trouble.h), what is
 * remembered of doubt and of recipients, and how one that is out leaves the others alone.
 */
#include "world.h"

#include "haul/trouble.h"

static struct sink_memory *const first = &w.sinks[0], *const second = &w.sinks[1];

static void say_many(unsigned from, unsigned to)
{
    for (unsigned i = from; i <= to; i++) {
        char words[16];

        snprintf(words, sizeof(words), "m%02u", i);
        world_say("INBOX", words);
    }
}

/* `remote`: bit k, sinks[k] is a server elsewhere. */
static void begin(bool pop3, unsigned sinks, unsigned remote)
{
    world_make(pop3);
    w.active = (1u << sinks) - 1;
    for (size_t k = 0; k < sinks; k++) {
        if ((remote & (1u << k)) != 0)
            sink_memory_remote(&w.sinks[k], false);
    }
    world_log();
}

static void set(char *where, const char *words)
{
    snprintf(where, sizeof(first->reject), "%s", words);
}

static void pass_with(enum err_code want)
{
    fate_set(FATE_NEVER, 0);
    world_pass();
    CHECK_INT(w.r.err.code, want);
}

static struct journal_message row_of(const char *words)
{
    struct journal_message m = { 0 };

    CHECK(world_row(words, &m));
    return m;
}

/* `recipients`: what the journal must hold of those that have it. */
static enum delivery_state delivery_of(const char *words, const struct sink_memory *sink, struct slice recipients)
{
    struct buf done = BUF_INIT(1000);
    struct err e;
    enum delivery_state state;
    char name[SINK_NAME_MAX];

    CHECK_INT(
        journal_delivery_get(world_journal(), row_of(words).id, sink->sink.row, &state, name, sizeof(name), &done, &e),
        0);
    CHECK_SLICE(buf_slice(&done), recipients);
    buf_release(&done);
    world_journal_close();
    return state;
}

static unsigned fetched(const char *words)
{
    return source_memory_find(&w.source, words)->fetched;
}

/* --- what arrives ------------------------------------------------------------------------------------------------ */

static void test_beside_a_maildir(void **state)
{
    (void)state;
    for (int pop3 = 0; pop3 < 2; pop3++) {
        CASE("beside a Maildir, %s", pop3 ? "POP3" : "IMAP");
        begin(pop3, 2, 2);
        w.policy.leave_s = 0;
        say_many(1, 11);
        PASS(11);
        ARRIVED(2);
        CHECK_INT(source_memory_left(&w.source), 0);
        CHECK_INT(w.delivered, 22);
        CHECK_INT(second->readied, 1);
        PASS(0);
        QUIET();
        CHECK_INT(second->readied, 0);
        world_end();
    }
}

static void test_bytes_and_facts(void **state)
{
    const struct mem_file *file;
    struct mem_message *m;

    (void)state;
    CASE("bytes and facts");
    begin(false, 1, 1);
    m = world_say("Sent", "m01");
    m->flags = 3;
    m->date = 1234567890;
    PASS(1);
    file = sink_memory_find(first, "m01");
    CHECK(file != NULL);
    CHECK_SLICE(slice_make(file->body, file->len), SLICE("Message-ID: <m01@x>\n\nm01\n"));
    CHECK_INT(file->flags, 3);
    CHECK_INT(file->date, 1234567890);
    CHECK_INT(file->octets, file->len + 3);
    CHECK_SLICE(slice_str(file->folder), SLICE("Sent"));
    QUIET();
    world_end();
}

static void test_dry_run_asks_nobody(void **state)
{
    (void)state;
    CASE("dry run");
    begin(false, 1, 1);
    say_many(1, 3);
    w.dry_run = true;
    PASS(0);
    CHECK_INT(w.r.would_fetch, 3);
    CHECK_INT(first->readied, 0);
    world_end();
}

/* --- what a refusal means ---------------------------------------------------------------------------------------- */

static void test_one_is_rejected(void **state)
{
    struct journal_message m;

    (void)state;
    CASE("one is rejected");
    begin(false, 1, 1);
    w.policy.leave_s = 0;
    say_many(1, 6);
    set(first->reject, "m02");
    pass_with(E_NONE);
    CHECK_INT(w.r.quarantined, 1);
    CHECK_INT(w.r.failed, 0);
    CHECK_INT(source_memory_left(&w.source), 1);
    m = row_of("m02");
    CHECK_INT(m.state, MESSAGE_QUARANTINED);
    CHECK_SLICE(m.reason, SLICE("the destination a rejected it: 550 5.7.1 never"));
    CHECK_INT(delivery_of("m02", first, SLICE_NONE), DELIVERY_REJECTED);
    PASS(0);
    QUIET();
    world_end();
}

static void test_everything_is_rejected(void **state)
{
    (void)state;
    CASE("everything is rejected");
    begin(false, 1, 1);
    w.policy.leave_s = 0;
    say_many(1, 6);
    set(first->reject, "*");
    for (int pass = 0; pass < 4; pass++) {
        pass_with(E_REJECTED);
        CHECK_INT(w.r.quarantined, 0);
        CHECK(w.r.err_told);
        CHECK_INT(row_of("m03").state, MESSAGE_PENDING);
        CHECK_INT(row_of("m03").tries, 0);
        CHECK_INT(source_memory_left(&w.source), 6);
    }
    SAID("destination a: it refused all of 6 messages");
    SAID("550 5.7.1 never");
    set(first->reject, "");
    PASS(6);
    ARRIVED(1);
    CHECK_INT(source_memory_left(&w.source), 0);
    world_end();
}

/* It is not even tried with the rest, and the Maildir beside it gets everything. */
static void test_enough_is_enough(void **state)
{
    (void)state;
    CASE("enough");
    begin(false, 2, 2);
    w.batch_messages = 100;
    say_many(1, 40);
    set(second->reject, "*");
    pass_with(E_REJECTED);
    CHECK_INT(w.rc, 0);
    CHECK_INT(second->handed, VERDICT_REJECTED_MAX);
    CHECK_INT(world_said("destination b: it refused all of"), 1);
    SAID("(550 5.7.1 never)");
    CHECK_INT(sink_memory_count(first), 40);
    CHECK_INT(w.r.quarantined, 0);
    CHECK_INT(row_of("m01").tries, 0);
    set(second->reject, "");
    PASS(40);
    ARRIVED(2);
    world_end();
}

static void test_two_of_two_rejected(void **state)
{
    (void)state;
    CASE("two of two");
    begin(false, 1, 1);
    say_many(1, 2);
    set(first->reject, "*");
    pass_with(E_NONE);
    CHECK_INT(w.r.quarantined, 2);
    CHECK_INT(row_of("m01").state, MESSAGE_QUARANTINED);
    world_end();
}

/* The first that is taken tells that it is the messages, also of batches long gone. */
static void test_held_until_one_is_taken(void **state)
{
    (void)state;
    CASE("held");
    begin(false, 1, 1);
    w.batch_messages = 2;
    for (int i = 0; i < 4; i++)
        world_say("INBOX", "spam");
    world_say("INBOX", "ham");
    set(first->reject, "spam");
    pass_with(E_NONE);
    CHECK_INT(w.r.quarantined, 4);
    CHECK_INT(sink_memory_count(first), 1);
    PASS(0);
    QUIET();
    world_end();
}

static void test_everything_is_put_off(void **state)
{
    (void)state;
    CASE("everything is put off");
    begin(true, 1, 1);
    say_many(1, 5);
    set(first->later, "*");
    for (int pass = 0; pass < 5; pass++) {
        pass_with(E_MESSAGE);
        CHECK_INT(w.r.failed, 5);
        CHECK_INT(row_of("m01").tries, 0);
        CHECK_INT(row_of("m05").state, MESSAGE_PENDING);
    }
    SAID("put off 5 messages for later: 451 4.7.1 later");
    set(first->later, "");
    PASS(5);
    ARRIVED(1);
    world_end();
}

/* Singled out while others were taken, it has three passes, also when it is the only one that is left. */
static void test_one_is_put_off(void **state)
{
    (void)state;
    CASE("one is put off");
    begin(false, 1, 1);
    say_many(1, 3);
    set(first->later, "m02");
    for (unsigned pass = 1; pass <= 3; pass++) {
        pass_with(pass < 3 ? E_MESSAGE : E_NONE);
        CHECK_INT(row_of("m02").tries, pass);
        CHECK_INT(row_of("m02").state, pass < 3 ? MESSAGE_PENDING : MESSAGE_QUARANTINED);
        CHECK_INT(w.r.quarantined, pass == 3);
    }
    world_end();
}

static void test_put_off_by_two(void **state)
{
    (void)state;
    CASE("put off by two");
    begin(true, 2, 3);
    say_many(1, 3);
    set(first->later, "m02");
    set(second->later, "m02");
    for (unsigned pass = 1; pass <= 3; pass++) {
        pass_with(pass < 3 ? E_MESSAGE : E_NONE);
        CHECK_INT(row_of("m02").tries, pass);
        CHECK_INT(w.r.failed, pass < 3);
        CHECK_INT(w.r.quarantined, pass == 3);
    }
    world_end();
}

static void test_rejected_by_two(void **state)
{
    (void)state;
    CASE("rejected by two");
    begin(true, 2, 3);
    say_many(1, 3);
    set(first->reject, "m02");
    set(second->reject, "m02");
    pass_with(E_NONE);
    CHECK_INT(w.r.quarantined, 1);
    world_end();
}

static void test_many_put_off(void **state)
{
    (void)state;
    CASE("put off without end");
    begin(false, 1, 1);
    w.batch_messages = 40;
    say_many(1, 150);
    set(first->later, "*");
    pass_with(E_BUSY);
    CHECK_INT(first->handed, VERDICT_PUT_OFF_MAX);
    CHECK_INT(w.r.quarantined, 0);
    CHECK_INT(row_of("m01").tries, 0);
    world_end();
}

static void test_drop_rejected(void **state)
{
    (void)state;
    CASE("drop");
    begin(false, 2, 2);
    w.policy.leave_s = 0;
    w.unchecked_removal = true;
    second->sink.drop_rejected = true;
    say_many(1, 4);
    set(second->reject, "m02");
    PASS(4);
    CHECK_INT(w.r.quarantined, 0);
    CHECK_INT(source_memory_left(&w.source), 0);
    CHECK_INT(sink_memory_count(first), 4);
    CHECK_INT(sink_memory_count(second), 3);
    SAID("on_reject is \"drop\"");
    say_many(5, 9);
    set(second->reject, "*");
    pass_with(E_REJECTED);
    CHECK_INT(source_memory_left(&w.source), 5);
    world_end();
}

/* What cannot be offered says nothing of the destination: it goes out of the way at once, is never dropped, and does
 * not make the destination one that refuses everything. */
static void test_unfit(void **state)
{
    (void)state;
    CASE("nothing can be offered");
    begin(false, 1, 1);
    w.policy.leave_s = 0;
    w.batch_messages = 40;
    first->sink.drop_rejected = true;
    say_many(1, 15);
    set(first->unfit, "*");
    pass_with(E_NONE);
    CHECK_INT(w.r.quarantined, 15);
    CHECK_INT(first->handed, 0);
    CHECK_INT(source_memory_left(&w.source), 15);
    CHECK_SLICE(row_of("m15").reason, SLICE("the destination a was not given it: nobody is named in it"));
    CHECK_INT(delivery_of("m15", first, SLICE_NONE), DELIVERY_REJECTED);
    PASS(0);
    world_end();

    CASE("some of those that are offered");
    begin(false, 1, 1);
    say_many(1, 6);
    set(first->unfit, "m0");
    world_say("INBOX", "spam");
    set(first->reject, "spam");
    pass_with(E_NONE);
    CHECK_INT(w.r.quarantined, 7);
    world_end();

    CASE("while everything else is refused");
    begin(false, 1, 1);
    say_many(1, 4);
    world_say("INBOX", "nobody's");
    set(first->unfit, "nobody's");
    set(first->reject, "m0");
    pass_with(E_REJECTED);
    CHECK_INT(w.r.quarantined, 1);
    CHECK_INT(row_of("nobody's").state, MESSAGE_QUARANTINED);
    CHECK_INT(row_of("m01").state, MESSAGE_PENDING);
    world_end();
}

/* What has arrived whole is not fetched again for a Maildir, wherever that stands in the configuration. */
static void test_stopped(void **state)
{
    (void)state;
    CASE("stopped between two destinations");
    begin(false, 2, 1);
    w.batch_messages = 40;
    say_many(1, 3);
    first->down_after = 1;
    first->cut = E_STOPPED;
    pass_with(E_STOPPED);
    CHECK_INT(first->handed, 1);
    CHECK_INT(sink_memory_count(second), 3);
    CHECK_INT(delivery_of("m01", first, SLICE_NONE), DELIVERY_DELIVERED);
    CHECK_INT(delivery_of("m02", first, SLICE_NONE), DELIVERY_WANTED);
    CHECK_INT(delivery_of("m02", second, SLICE_NONE), DELIVERY_DELIVERED);
    CHECK_INT(row_of("m02").tries, 0);
    first->down_after = 0;
    PASS(2);
    CHECK_INT(second->recovered, 0);
    ARRIVED(2);
    world_end();
}

/* --- doubt ------------------------------------------------------------------------------------------------------- */

static void test_doubt(void **state)
{
    (void)state;
    CASE("doubt");
    begin(false, 1, 1);
    say_many(1, 3);
    set(first->doubt, "m02");
    pass_with(E_MESSAGE);
    SAID("message <m02@x> was handed to a and its answer was never read: the line was cut");
    CHECK_INT(delivery_of("m02", first, SLICE_NONE), DELIVERY_IN_DOUBT);
    CHECK_INT(row_of("m02").tries, 1);
    set(first->doubt, "");
    PASS(1);
    SAID("possible duplicate: message <m02@x> was handed to a before and its answer was never read");
    CHECK_INT(row_of("m02").state, MESSAGE_STORED);
    QUIET();
    world_end();
}

/* Without an end to it, one copy more would arrive with every pass. */
static void test_doubt_alone(void **state)
{
    (void)state;
    CASE("nothing but doubt");
    begin(false, 1, 1);
    say_many(1, 1);
    set(first->doubt, "*");
    for (unsigned pass = 1; pass <= 3; pass++) {
        pass_with(pass < 3 ? E_MESSAGE : E_NONE);
        CHECK_INT(row_of("m01").tries, pass);
    }
    CHECK_INT(row_of("m01").state, MESSAGE_QUARANTINED);
    CHECK_INT(first->handed, 1);
    PASS(0);
    CHECK_INT(first->handed, 0);
    world_end();
}

/* What is refused before it is handed over again does not answer the old question. */
static void test_doubt_stays(void **state)
{
    (void)state;
    CASE("doubt stays");
    begin(false, 1, 1);
    say_many(1, 3);
    set(first->doubt, "m02");
    pass_with(E_MESSAGE);
    set(first->doubt, "");
    set(first->later, "m02");
    pass_with(E_MESSAGE);
    CHECK_INT(delivery_of("m02", first, SLICE_NONE), DELIVERY_IN_DOUBT);
    set(first->later, "");
    PASS(1);
    SAID("possible duplicate: message <m02@x>");
    world_end();
}

static void test_doubt_that_looks(void **state)
{
    (void)state;
    CASE("doubt that looks");
    begin(false, 1, 0);
    sink_memory_remote(first, true);
    say_many(1, 3);
    set(first->doubt, "m02");
    pass_with(E_MESSAGE);
    SAID("the next pass looks for it there first");
    CHECK_INT(first->handed, 3);
    PASS(1);
    CHECK_INT(first->handed, 0);
    ARRIVED(1);
    world_end();
}

/* --- recipients -------------------------------------------------------------------------------------------------- */

static void test_recipients(void **state)
{
    (void)state;
    CASE("recipients");
    begin(false, 1, 1);
    say_many(1, 2);
    first->recipients[0] = "one@x";
    first->recipients[1] = "two@x";
    first->recipients[2] = "three@x";
    first->full = "two@x";
    pass_with(E_MESSAGE);
    CHECK_INT(delivery_of("m01", first, SLICE("one@x\0three@x\0")), DELIVERY_WANTED);
    /* Some recipient took it, so it is this one that is tried up. */
    CHECK_INT(row_of("m01").tries, 1);
    first->full = NULL;
    PASS(2);
    CHECK_INT(sink_memory_find(first, "m01")->to, 7);
    CHECK_INT(delivery_of("m01", first, SLICE_NONE), DELIVERY_DELIVERED);
    world_end();
}

/* --- a destination that is out ----------------------------------------------------------------------------------- */

static void test_down_alone(void **state)
{
    (void)state;
    for (int pop3 = 0; pop3 < 2; pop3++) {
        CASE("down and alone, %s", pop3 ? "POP3" : "IMAP");
        begin(pop3, 1, 1);
        say_many(1, 4);
        first->down = E_AUTH;
        pass_with(E_AUTH);
        CHECK_INT(w.rc, -1);
        CHECK(w.r.err_told);
        CHECK_INT(w.r.messages, 0);
        CHECK_INT(fetched("m01"), 0);
        SAID("destination a: no way to a");
        first->down = E_NONE;
        PASS(4);
        ARRIVED(1);
        world_end();
    }
}

/* One of two: the other gets everything, and later only what is missing is asked for. */
static void one_down(struct sink_memory *down, struct sink_memory *fine)
{
    say_many(1, 5);
    down->down = E_NET;
    pass_with(E_NET);
    CHECK_INT(w.rc, 0);
    CHECK_INT(w.r.messages, 5);
    CHECK_INT(sink_memory_count(fine), 5);
    CHECK_INT(sink_memory_count(down), 0);
    CHECK_INT(row_of("m01").state, MESSAGE_PENDING);
    CHECK_INT(row_of("m01").tries, 0);
    say_many(6, 6);
    pass_with(E_NET);
    CHECK_INT(w.r.messages, 1);
    CHECK_INT(fetched("m01"), 1);
    CHECK_INT(row_of("m01").tries, 0);
    /* Nothing new, and nobody who would take the old: no body is asked for. */
    pass_with(E_NET);
    CHECK_INT(w.r.messages, 0);
    down->down = E_NONE;
    PASS(6);
    CHECK_INT(fetched("m01"), 2);
    CHECK_INT(sink_memory_count(fine), 6);
    ARRIVED(2);
    PASS(0);
    QUIET();
}

static void test_one_down(void **state)
{
    (void)state;
    for (int pop3 = 0; pop3 < 2; pop3++) {
        for (unsigned remote = 1; remote <= 3; remote++) {
            CASE("one down, %s, remote %u", pop3 ? "POP3" : "IMAP", remote);
            begin(pop3, 2, remote);
            if (remote == 2)
                one_down(second, first);
            else
                one_down(first, second);
            world_end();
        }
    }
}

/* Cut in the middle: what was taken is taken, the rest was not on its way and has no try counted. */
static void test_cut_in_the_middle(void **state)
{
    (void)state;
    CASE("cut in the middle");
    begin(false, 2, 3);
    w.policy.leave_s = 0;
    w.batch_messages = 100;
    say_many(1, 6);
    second->down_after = 2;
    pass_with(E_NET);
    CHECK_INT(w.rc, 0);
    CHECK_INT(sink_memory_count(first), 6);
    CHECK_INT(sink_memory_count(second), 2);
    CHECK_INT(source_memory_left(&w.source), 4);
    CHECK_INT(row_of("m05").tries, 0);
    second->down_after = 0;
    PASS(4);
    CHECK_INT(source_memory_left(&w.source), 0);
    CHECK_INT(sink_memory_count(first), 6);
    CHECK_INT(sink_memory_count(second), 6);
    world_end();
}

/* In the midst of a session: the bodies that are under way go where they are still wanted. */
static void test_out_while_fetching(void **state)
{
    (void)state;
    for (int pop3 = 0; pop3 < 2; pop3++) {
        CASE("out while fetching, %s", pop3 ? "POP3" : "IMAP");
        begin(pop3, 2, 3);
        w.batch_messages = 2;
        say_many(1, 30);
        first->down_after = 7;
        pass_with(E_NET);
        CHECK_INT(w.r.messages, 30);
        CHECK_INT(sink_memory_count(first), 7);
        CHECK_INT(sink_memory_count(second), 30);
        first->down_after = 0;
        PASS(23);
        ARRIVED(2);
        world_end();
    }
}

static void test_all_out_while_fetching(void **state)
{
    (void)state;
    for (int pop3 = 0; pop3 < 2; pop3++) {
        CASE("all out while fetching, %s", pop3 ? "POP3" : "IMAP");
        begin(pop3, 1, 1);
        w.batch_messages = 2;
        say_many(1, 30);
        first->down_after = 1;
        pass_with(E_NET);
        CHECK_INT(w.rc, -1);
        CHECK(w.r.messages < 30);
        CHECK_INT(w.r.failed, 0);
        first->down_after = 0;
        fate_set(FATE_NEVER, 0);
        CHECK_INT(world_pass(), 0);
        ARRIVED(1);
        world_end();
    }
}

/* What nobody can take now does not take the place of other mail. */
static void test_down_and_max_messages(void **state)
{
    (void)state;
    for (int pop3 = 0; pop3 < 2; pop3++) {
        CASE("down, and so many a pass, %s", pop3 ? "POP3" : "IMAP");
        begin(pop3, 2, 3);
        w.max_messages = 3;
        say_many(1, 3);
        second->down = E_NET;
        pass_with(E_NET);
        say_many(4, 8);
        pass_with(E_NET);
        CHECK_INT(sink_memory_count(first), 6);
        pass_with(E_NET);
        CHECK_INT(sink_memory_count(first), 8);
        second->down = E_NONE;
        w.max_messages = 0;
        PASS(8);
        ARRIVED(2);
        world_end();
    }
}

static void test_cannot_get_ready(void **state)
{
    (void)state;
    CASE("cannot get ready");
    begin(false, 2, 3);
    w.batch_messages = 4;
    say_many(1, 12);
    second->lame = E_NET;
    pass_with(E_NET);
    CHECK_INT(w.rc, 0);
    CHECK_INT(sink_memory_count(first), 12);
    CHECK_INT(second->handed, 0);
    CHECK_INT(second->prepared, 1);
    CHECK_INT(row_of("m01").tries, 0);
    CHECK_INT(delivery_of("m01", second, SLICE_NONE), DELIVERY_WANTED);
    second->lame = E_NONE;
    PASS(12);
    ARRIVED(2);
    world_end();
}

/* A program that is not installed. */
static void test_cannot_be_opened(void **state)
{
    (void)state;
    CASE("cannot be opened");
    begin(true, 2, 3);
    say_many(1, 3);
    first->absent = E_CONFIG;
    pass_with(E_CONFIG);
    CHECK_INT(w.rc, 0);
    SAID("destination a: a is not there");
    CHECK_INT(sink_memory_count(second), 3);
    first->absent = E_NONE;
    PASS(3);
    ARRIVED(2);
    first->absent = second->absent = E_CONFIG;
    say_many(4, 4);
    pass_with(E_CONFIG);
    CHECK_INT(w.rc, -1);
    CHECK_INT(fetched("m04"), 0);
    world_end();
}

/* The local disk is no destination's own trouble. */
static void test_disk_ends_the_pass(void **state)
{
    (void)state;
    CASE("disk");
    begin(false, 2, 2);
    say_many(1, 3);
    first->fail = CALL_COMMIT;
    pass_with(E_DISK);
    CHECK_INT(w.rc, -1);
    first->fail = CALL_NONE;
    fate_set(FATE_NEVER, 0);
    CHECK_INT(world_pass(), 0);
    ARRIVED(2);
    world_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beside_a_maildir),
        cmocka_unit_test(test_bytes_and_facts),
        cmocka_unit_test(test_dry_run_asks_nobody),
        cmocka_unit_test(test_one_is_rejected),
        cmocka_unit_test(test_everything_is_rejected),
        cmocka_unit_test(test_enough_is_enough),
        cmocka_unit_test(test_two_of_two_rejected),
        cmocka_unit_test(test_held_until_one_is_taken),
        cmocka_unit_test(test_everything_is_put_off),
        cmocka_unit_test(test_one_is_put_off),
        cmocka_unit_test(test_put_off_by_two),
        cmocka_unit_test(test_rejected_by_two),
        cmocka_unit_test(test_down_and_max_messages),
        cmocka_unit_test(test_many_put_off),
        cmocka_unit_test(test_drop_rejected),
        cmocka_unit_test(test_unfit),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_doubt),
        cmocka_unit_test(test_doubt_alone),
        cmocka_unit_test(test_doubt_stays),
        cmocka_unit_test(test_doubt_that_looks),
        cmocka_unit_test(test_recipients),
        cmocka_unit_test(test_down_alone),
        cmocka_unit_test(test_one_down),
        cmocka_unit_test(test_cut_in_the_middle),
        cmocka_unit_test(test_out_while_fetching),
        cmocka_unit_test(test_all_out_while_fetching),
        cmocka_unit_test(test_disk_ends_the_pass),
        cmocka_unit_test(test_cannot_get_ready),
        cmocka_unit_test(test_cannot_be_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
