/* SPDX-License-Identifier: MIT */
#include "haul/committer.h"

#include "world.h"

enum { BATCHES = 20 };

static struct source_folder folder = { .name = (char[]){ "INBOX" }, .delimiter = '/' };
static struct visit visit;
static struct committer committer;
static struct err e;

static void start(void)
{
    const struct haul_options *o;
    struct batch_store store;

    world_make(false);
    o = world_stage();
    store = (struct batch_store){
        .journal = o->journal, .sinks = o->sinks, .sink_count = o->sink_count, .observer = &o->observer
    };
    visit = (struct visit){ .folder = &folder };
    committer_init(&committer, &store);
    e = ERR_INIT;
}

static void end(void)
{
    committer_release(&committer);
    world_unstage();
    world_end();
}

static struct batch *batch_with(uint32_t uid)
{
    struct journal_message m = { .uidvalidity = 7, .uid = uid, .state = MESSAGE_PENDING };
    struct sink_message facts = { .folder = SLICE("INBOX"), .delimiter = '/' };
    struct sink *sink = committer.store.sinks[0];
    struct batch *b = batch_new();
    struct batch_item *item;
    char words[16];

    assert_non_null(b);
    item = batch_add(b, &m, 1);
    assert_non_null(item);
    item->visit = &visit;
    snprintf(words, sizeof(words), "m%02" PRIu32, uid);
    CHECK_INT(sink->ops->begin(sink, &facts, &e), 0);
    CHECK_INT(sink->ops->write(sink, slice_str(words), &e), 0);
    CHECK_INT(sink->ops->finish(sink, &facts, &item->slots[0], &e), 0);
    return b;
}

static unsigned stored(void)
{
    unsigned n = 0;

    for (uint32_t uid = 1; uid <= BATCHES; uid++) {
        struct journal_message m;
        bool found;

        CHECK_INT(journal_find_uid(committer.store.journal, visit.known.id, 7, uid, &m, &found, &e), 0);
        n += found && m.state == MESSAGE_STORED;
    }
    return n;
}

/* A pass that fits into one batch has no second thread. */
static void test_no_thread(void **state)
{
    (void)state;
    CASE("no thread");
    start();
    CHECK(committer_idle(&committer));
    CHECK_INT(committer_wait(&committer, &e), 0);
    CHECK_INT(committer_finish(&committer, NULL, &e), 0);
    CHECK_INT(fate_commits(), 0);
    CHECK_INT(committer_finish(&committer, batch_with(1), &e), 0);
    CHECK(!committer.started);
    CHECK_INT(stored(), 1);
    CHECK_INT(fate_commits(), 2);
    end();
}

static void test_many_batches(void **state)
{
    (void)state;
    CASE("many batches");
    start();
    for (uint32_t uid = 1; uid < BATCHES; uid++)
        CHECK_INT(committer_submit(&committer, batch_with(uid), &e), 0);
    CHECK_INT(committer_wait(&committer, &e), 0);
    CHECK(committer_idle(&committer));
    CHECK_INT(sink_memory_count(&w.sinks[0]), BATCHES - 1);
    /* All but the last are recorded along with the one behind them. */
    CHECK_INT(stored(), BATCHES - 2);
    CHECK_INT(committer_finish(&committer, batch_with(BATCHES), &e), 0);
    CHECK_INT(stored(), BATCHES);
    CHECK_INT(fate_commits(), BATCHES + 1);
    CHECK_INT(w.delivered, BATCHES);
    end();
}

/* The source is to wait for a slow destination a minute at most, whatever a batch could hold. */
static void test_room(void **state)
{
    (void)state;
    CASE("room");
    start();
    CHECK_INT(committer_room(&committer, 256), 256);
    sink_memory_remote(&w.sinks[0], false);
    CHECK_INT(committer_room(&committer, 256), 64);
    CHECK_INT(committer_room(&committer, 8), 8);
    committer.took_count = 50;
    CHECK_INT(committer_room(&committer, 256), 256);
    committer.took_ms = 100 * 1000;
    CHECK_INT(committer_room(&committer, 256), 30);
    committer.took_ms = 30000 * 1000;
    CHECK_INT(committer_room(&committer, 256), 1);
    end();
}

/* The error of a batch that was handed over comes out at the next call, and at each one after it. */
static void test_error_sticks(void **state)
{
    (void)state;
    CASE("an error sticks");
    start();
    w.sinks[0].fail = CALL_PREPARE;
    w.sinks[0].fail_after = 1;
    CHECK_INT(committer_submit(&committer, batch_with(1), &e), 0);
    CHECK_INT(committer_submit(&committer, batch_with(2), &e), 0);
    CHECK_INT(committer_submit(&committer, batch_with(3), &e), -1);
    CHECK_INT(e.code, E_DISK);
    w.sinks[0].fail = CALL_NONE;
    CHECK_INT(committer_wait(&committer, &e), -1);
    CHECK_INT(e.code, E_DISK);
    unsigned commits = fate_commits();
    CHECK_INT(committer_finish(&committer, batch_with(4), &e), -1);
    CHECK_INT(e.code, E_DISK);
    CHECK_INT(fate_commits(), commits);
    CHECK_INT(sink_memory_count(&w.sinks[0]), 1);
    end();
}

static void test_error_at_the_end_sticks(void **state)
{
    (void)state;
    CASE("an error at the end sticks");
    start();
    w.sinks[0].fail = CALL_COMMIT;
    CHECK_INT(committer_finish(&committer, batch_with(1), &e), -1);
    w.sinks[0].fail = CALL_NONE;
    CHECK_INT(committer_wait(&committer, &e), -1);
    CHECK_INT(committer_finish(&committer, NULL, &e), -1);
    end();
}

/* Whether it was begun or not, a batch leaves no scratch file behind (world_unstage() looks). */
static void test_release_in_the_middle(void **state)
{
    (void)state;
    CASE("release in the middle");
    for (int i = 0; i < 20; i++) {
        start();
        CHECK_INT(committer_submit(&committer, batch_with(1), &e), 0);
        CHECK_INT(committer_submit(&committer, batch_with(2), &e), 0);
        end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_thread),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_many_batches),
        cmocka_unit_test(test_error_sticks),
        cmocka_unit_test(test_error_at_the_end_sticks),
        cmocka_unit_test(test_release_in_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
