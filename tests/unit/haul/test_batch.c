/* SPDX-License-Identifier: MIT
 * The order of batch.h. That nothing is placed before STAGED is durable, nor recorded before it is durable, fate.c and
 * sink_memory.c see to; here: how many transactions it takes, and what is left when one of the steps fails.
 */
#include "haul/batch.h"

#include "world.h"

static struct source_folder folder = { .name = (char[]){ "INBOX" }, .delimiter = '/' };
static struct visit visit;
static struct batch_store store;
static uint32_t uid;
static struct err e;

static void start(unsigned sinks)
{
    const struct haul_options *o;

    world_make(false);
    w.active = (1u << sinks) - 1;
    o = world_stage();
    visit = (struct visit){ .folder = &folder };
    store = (struct batch_store){
        .journal = o->journal, .sinks = o->sinks, .sink_count = o->sink_count, .observer = &o->observer
    };
    uid = 0;
    e = ERR_INIT;
}

static void end(void)
{
    batch_store_release(&store);
    world_unstage();
    world_end();
}

/* One message, finished in every destination. */
static struct batch_item *add(struct batch *b, const char *words)
{
    struct journal_message m = { .uidvalidity = 7, .uid = ++uid, .state = MESSAGE_PENDING, .first_seen = w.now };
    struct sink_message facts = { .folder = SLICE("INBOX"), .delimiter = '/' };
    struct batch_item *item = batch_add(b, &m, store.sink_count);

    assert_non_null(item);
    item->visit = &visit;
    for (size_t k = 0; k < store.sink_count; k++) {
        const struct sink_ops *ops = store.sinks[k]->ops;

        CHECK_INT(ops->begin(store.sinks[k], &facts, &e), 0);
        CHECK_INT(ops->write(store.sinks[k], slice_str(words), &e), 0);
        CHECK_INT(ops->finish(store.sinks[k], &facts, &item->slots[k], &e), 0);
    }
    return item;
}

static struct batch *batch_of(const char *first, const char *second)
{
    struct batch *b = batch_new();

    assert_non_null(b);
    add(b, first);
    if (second != NULL)
        add(b, second);
    return b;
}

static struct journal_message row_of(uint32_t number)
{
    struct journal_message m = { 0 };
    bool found = false;

    if (visit.known.id != 0)
        CHECK_INT(journal_find_uid(store.journal, visit.known.id, 7, number, &m, &found, &e), 0);
    if (!found)
        m = (struct journal_message){ 0 };
    return m;
}

/* Two batches cost three transactions: the first one's DELIVERED is in the second one's STAGED. */
static void test_transactions(void **state)
{
    (void)state;
    CASE("transactions");
    start(2);
    CHECK_INT(batch_commit(&store, batch_of("m01", "m02"), &e), 0);
    CHECK_INT(fate_commits(), 1);
    CHECK_INT(row_of(1).state, MESSAGE_PENDING);
    CHECK_INT(w.delivered, 4);
    CHECK(store.unrecorded != NULL);
    /* Nothing is held open for it any more. */
    CHECK(store.unrecorded->items[0].slots[0].own == NULL);
    CHECK_INT(batch_commit(&store, batch_of("m03", NULL), &e), 0);
    CHECK_INT(fate_commits(), 2);
    CHECK_INT(row_of(1).state, MESSAGE_STORED);
    CHECK_INT(row_of(1).stored_at, w.now);
    CHECK_INT(row_of(3).state, MESSAGE_PENDING);
    CHECK_INT(batch_record(&store, &e), 0);
    CHECK_INT(fate_commits(), 3);
    CHECK_INT(row_of(3).state, MESSAGE_STORED);
    CHECK(store.unrecorded == NULL);
    CHECK_INT(batch_record(&store, &e), 0);
    CHECK_INT(fate_commits(), 3);
    for (unsigned k = 0; k < 2; k++)
        CHECK_INT(sink_memory_count(&w.sinks[k]), 3);
    end();
}

static void test_prepare_fails(void **state)
{
    (void)state;
    CASE("prepare fails");
    start(2);
    CHECK_INT(batch_commit(&store, batch_of("m01", NULL), &e), 0);
    w.sinks[1].fail = CALL_PREPARE;
    CHECK_INT(batch_commit(&store, batch_of("m02", NULL), &e), -1);
    CHECK_INT(e.code, E_DISK);
    CHECK_INT(fate_commits(), 1);
    CHECK_INT(row_of(2).id, 0);
    CHECK_INT(sink_memory_count(&w.sinks[0]), 1);
    /* What was delivered before is still recorded. */
    CHECK_INT(batch_record(&store, &e), 0);
    CHECK_INT(row_of(1).state, MESSAGE_STORED);
    end();
}

static void test_transaction_fails(void **state)
{
    (void)state;
    CASE("the transaction fails");
    start(1);
    CHECK_INT(batch_commit(&store, batch_of("m01", NULL), &e), 0);
    struct batch *b = batch_of("m02", NULL);
    /* prepare, begin, commit */
    fate_set(FATE_BEFORE, 3);
    CHECK_INT(batch_commit(&store, b, &e), -1);
    fate_set(FATE_NEVER, 0);
    CHECK_INT(sink_memory_count(&w.sinks[0]), 1);
    CHECK_INT(row_of(1).state, MESSAGE_PENDING);
    CHECK_INT(row_of(2).id, 0);
    CHECK_INT(batch_record(&store, &e), 0);
    CHECK_INT(row_of(1).state, MESSAGE_STORED);
    end();
}

/* One file is in place, the next is not: both are STAGED, and the next pass looks. */
static void test_commit_fails(void **state)
{
    struct journal_staged staged;
    bool found;

    (void)state;
    CASE("commit fails");
    start(1);
    w.sinks[0].fail = CALL_COMMIT;
    w.sinks[0].fail_after = 1;
    CHECK_INT(batch_commit(&store, batch_of("m01", "m02"), &e), -1);
    CHECK_INT(sink_memory_count(&w.sinks[0]), 1);
    CHECK(store.unrecorded == NULL);
    CHECK_INT(w.delivered, 0);
    CHECK_INT(journal_staged_first(store.journal, w.sinks[0].sink.row, 0, &staged, &found, &e), 0);
    CHECK(found);
    w.sinks[0].fail = CALL_NONE;
    world_unstage();
    store.journal = world_stage()->journal;
    CHECK_INT(w.sinks[0].recovered, 2);
    CHECK_INT(row_of(1).state, MESSAGE_STORED);
    CHECK_INT(row_of(2).state, MESSAGE_PENDING);
    CHECK_INT(sink_memory_count(&w.sinks[0]), 1);
    end();
}

static void test_refusals(void **state)
{
    struct batch *b;

    (void)state;
    CASE("refusals");
    start(2);
    snprintf(w.sinks[0].later, sizeof(w.sinks[0].later), "m02");
    snprintf(w.sinks[1].reject, sizeof(w.sinks[1].reject), "m03");
    b = batch_of("m01", "m02");
    add(b, "m03");
    add(b, "m02 again")->tries = HAUL_TRIES - 1;
    CHECK_INT(batch_commit(&store, b, &e), 0);
    CHECK_INT(batch_record(&store, &e), 0);
    CHECK_INT(row_of(1).state, MESSAGE_STORED);
    CHECK_INT(row_of(2).state, MESSAGE_PENDING);
    CHECK_INT(row_of(2).tries, 1);
    CHECK_INT(row_of(3).state, MESSAGE_QUARANTINED);
    CHECK(row_of(3).reason.n > 0);
    CHECK_INT(row_of(4).state, MESSAGE_QUARANTINED);
    CHECK_INT(store.put_off, 1);
    CHECK_INT(store.rejected, 2);
    CHECK_INT(store.failed.count, 3);
    CHECK(visit.unsettled);
    end();
}

static void test_rows_without_body(void **state)
{
    struct journal_message failed = {
        .uidvalidity = 7, .uid = 50, .tries = 1, .reason = SLICE("refused"), .state = MESSAGE_PENDING
    };
    struct journal_message skipped = { .uidvalidity = 7, .uid = 51, .octets = 5000, .state = MESSAGE_SKIPPED };
    struct batch *b = batch_new();
    struct batch_item *item;

    (void)state;
    CASE("rows without a body");
    start(1);
    item = batch_add(b, &failed, 1);
    item->visit = &visit;
    item->row_only = true;
    item = batch_add(b, &skipped, 1);
    item->visit = &visit;
    item->row_only = true;
    CHECK_INT(batch_commit(&store, b, &e), 0);
    CHECK_INT(batch_record(&store, &e), 0);
    CHECK_INT(row_of(50).tries, 1);
    CHECK_SLICE(row_of(50).reason, SLICE("refused"));
    CHECK_INT(row_of(51).state, MESSAGE_SKIPPED);
    CHECK_INT(store.failed.count, 1);
    CHECK_INT(store.failed.v[0], row_of(50).id);
    b = batch_new();
    failed.id = row_of(50).id;
    item = batch_add(b, &failed, 1);
    item->visit = &visit;
    item->gone = item->row_only = true;
    CHECK_INT(batch_commit(&store, b, &e), 0);
    CHECK_INT(row_of(50).id, 0);
    CHECK_INT(sink_memory_count(&w.sinks[0]), 0);
    end();
}

/* The folder's look is recorded with the DELIVERED of what was found in it, never before. */
static void test_folder_state(void **state)
{
    struct journal_folder look = { .uidvalidity = 7, .uidnext = 3, .messages = 2, .settled = true, .delimiter = '/' };
    struct journal_folder known;
    struct batch *b;

    (void)state;
    CASE("folder state");
    start(1);
    b = batch_of("m01", "m02");
    CHECK_INT(batch_close_folder(b, &visit, &look), 0);
    CHECK_INT(batch_commit(&store, b, &e), 0);
    CHECK_INT(journal_folder_get(store.journal, SLICE("INBOX"), &known, &e), 0);
    CHECK(known.id != 0 && known.uidnext == 0 && !known.settled);
    CHECK_INT(batch_record(&store, &e), 0);
    CHECK_INT(journal_folder_get(store.journal, SLICE("INBOX"), &known, &e), 0);
    CHECK_INT(known.uidnext, 3);
    CHECK(known.settled);
    CHECK_INT(known.oldest_kept, w.now);
    CHECK_INT(known.id, visit.known.id);
    b = batch_new();
    snprintf(w.sinks[0].later, sizeof(w.sinks[0].later), "m03");
    add(b, "m03");
    look.uidnext = 4;
    CHECK_INT(batch_close_folder(b, &visit, &look), 0);
    CHECK_INT(batch_commit(&store, b, &e), 0);
    CHECK_INT(batch_record(&store, &e), 0);
    CHECK_INT(journal_folder_get(store.journal, SLICE("INBOX"), &known, &e), 0);
    CHECK_INT(known.uidnext, 4);
    CHECK(!known.settled);
    end();
}

static void test_copies(void **state)
{
    char uidl[] = "uidl", id[] = "<id@x>", object[] = "object", reason[] = "reason";
    struct journal_message m = { .uidl = slice_str(uidl),
                                 .message_id = slice_str(id),
                                 .object_id = slice_str(object),
                                 .reason = slice_str(reason) };
    struct batch *b = batch_new();
    const struct batch_item *item;

    (void)state;
    CASE("copies");
    for (int i = 0; i < 100; i++)
        assert_non_null(batch_add(b, &m, 2));
    memset(uidl, 'x', 4);
    memset(id, 'x', 6);
    memset(object, 'x', 6);
    memset(reason, 'x', 6);
    CHECK_INT(b->count, 100);
    item = &b->items[0];
    CHECK_SLICE(item->m.uidl, SLICE("uidl"));
    CHECK_SLICE(item->m.message_id, SLICE("<id@x>"));
    CHECK_SLICE(item->m.object_id, SLICE("object"));
    CHECK_SLICE(item->m.reason, SLICE("reason"));
    batch_free(&b, NULL, 0);
    CHECK(b == NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transactions),      cmocka_unit_test(test_prepare_fails),
        cmocka_unit_test(test_transaction_fails), cmocka_unit_test(test_commit_fails),
        cmocka_unit_test(test_refusals),          cmocka_unit_test(test_rows_without_body),
        cmocka_unit_test(test_folder_state),      cmocka_unit_test(test_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
