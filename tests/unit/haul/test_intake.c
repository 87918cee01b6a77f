/* SPDX-License-Identifier: MIT
 * What becomes of a body on its way in, and when a batch is handed over.
 */
#include "haul/intake_int.h"

#include "world.h"

static struct source_folder folder = { .name = (char[]){ "INBOX" }, .delimiter = '/' };
static struct visit visit;
static struct committer committer;
static struct intake *in;
static struct listing listing;
static struct haul_result result;
static struct err e;

static void start(unsigned sinks, bool pop3)
{
    const struct haul_options *o;
    struct batch_store store;

    world_make(pop3);
    w.active = (1u << sinks) - 1;
    o = world_stage();
    store = (struct batch_store){
        .journal = o->journal, .sinks = o->sinks, .sink_count = o->sink_count, .observer = &o->observer
    };
    visit = (struct visit){ .folder = &folder };
    result = (struct haul_result){ .err = ERR_INIT };
    committer_init(&committer, &store);
    listing_init(&listing);
    listing.uidvalidity = pop3 ? 0 : 7;
    in = intake_new(o, &committer, &result, &e);
    assert_non_null(in);
}

static void end(void)
{
    intake_free(&in);
    committer_release(&committer);
    listing_release(&listing);
    world_unstage();
    world_end();
}

static void expect(const struct fetch_item *items, size_t count)
{
    CHECK_INT(intake_expect(in, &visit, &listing, items, count, &e), 0);
}

static void feed(struct slice body, size_t size)
{
    struct chunks c = CHUNKS_INIT(body, size);
    struct slice piece;

    CHECK_INT(intake_begin(in, &e), 0);
    while (chunks_next(&c, &piece))
        CHECK_INT(intake_data(in, piece, &e), 0);
}

static int done(const struct fetch_item *item)
{
    struct arrival facts = { .flags = 1, .date = 1234567890, .object_id = SLICE("M1") };

    return intake_done(in, item, &facts, &e);
}

static struct journal_message row_of(uint32_t uid)
{
    struct journal_message m = { 0 };
    bool found = false;

    CHECK_INT(journal_find_uid(committer.store.journal, visit.known.id, 7, uid, &m, &found, &e), 0);
    return found ? m : (struct journal_message){ 0 };
}

static void digest_of(struct slice bytes, unsigned char *out)
{
    struct digest d;

    CHECK_INT(digest_init(&d, &e), 0);
    CHECK_INT(digest_start(&d, &e), 0);
    digest_add(&d, bytes);
    digest_finish(&d, out);
    digest_release(&d);
}

static void test_bytes(void **state)
{
    static const struct {
        const char *name;
        struct slice wire, disk, header, id;
    } cases[] = {
        { "as usual", SLICE("Message-ID: <a@x>\r\n\r\nbody\r\n"), SLICE("Message-ID: <a@x>\n\nbody\n"),
          SLICE("Message-ID: <a@x>\r\n\r\n"), SLICE("<a@x>") },
        { "no last line end", SLICE("A: b\r\n\r\nbody"), SLICE("A: b\n\nbody"), SLICE("A: b\r\n\r\n"), SLICE("") },
        { "line ends of all kinds", SLICE("A: b\n\nx\ry\r\r\nz\r"), SLICE("A: b\n\nx\ry\r\nz\r"), SLICE("A: b\n\n"),
          SLICE("") },
        { "only a header", SLICE("A: b\r\nMessage-Id: <q>"), SLICE("A: b\nMessage-Id: <q>"),
          SLICE("A: b\r\nMessage-Id: <q>"), SLICE("<q>") },
        { "only a body", SLICE("\r\nMessage-ID: <no>\r\n"), SLICE("\nMessage-ID: <no>\n"), SLICE("\r\n"), SLICE("") },
        { "NUL and 8 bits", SLICE("A: \0\xff\r\n\r\n\0\xc3\r\n"), SLICE("A: \0\xff\n\n\0\xc3\n"),
          SLICE("A: \0\xff\r\n\r\n"), SLICE("") },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fetch_item items[40];

        CASE("%s", cases[i].name);
        start(2, false);
        assert_true(cases[i].wire.n < ARRAY_LEN(items));
        for (size_t n = 0; n < cases[i].wire.n; n++)
            items[n] = (struct fetch_item){ .number = (uint32_t)n + 1 };
        expect(items, cases[i].wire.n);
        EVERY_CHUNK_SIZE(size, cases[i].wire.n)
        {
            feed(cases[i].wire, size);
            CHECK_INT(intake_octets(in), cases[i].wire.n);
            CHECK_INT(done(&items[size - 1]), 0);
        }
        CHECK_INT(intake_finish(in, &e), 0);
        CHECK_INT(sink_memory_count(&w.sinks[1]), cases[i].wire.n);
        for (size_t n = 0; n < cases[i].wire.n; n++) {
            unsigned char digest[JOURNAL_SHA256];
            struct journal_message m = row_of((uint32_t)n + 1);

            CASE("%s, chunks of %zu", cases[i].name, n + 1);
            CHECK_SLICE(slice_make(w.sinks[1].files[n].body, w.sinks[1].files[n].len), cases[i].disk);
            CHECK_INT(m.octets, cases[i].wire.n);
            CHECK_INT(m.date, 1234567890);
            CHECK_SLICE(m.object_id, SLICE("M1"));
            CHECK_SLICE(m.message_id, cases[i].id);
            digest_of(cases[i].header, digest);
            CHECK(m.has_header_digest);
            CHECK_SLICE(slice_make((const char *)m.header_digest, sizeof(digest)),
                        slice_make((const char *)digest, sizeof(digest)));
        }
        end();
    }
}

static void test_dropped(void **state)
{
    struct fetch_item items[] = { { .number = 1 }, { .number = 2 } };

    (void)state;
    CASE("dropped");
    start(1, false);
    expect(items, 2);
    intake_drop(in);
    feed(SLICE("half a mess"), 4);
    intake_drop(in);
    feed(SLICE("a body that nobody ended"), 4);
    feed(SLICE("A: b\r\n\r\nwhole\r\n"), 4);
    CHECK(intake_first_missing(in) == &items[0]);
    CHECK_INT(done(&items[0]), 0);
    CHECK(intake_is_done(in, 0) && !intake_is_done(in, 1));
    CHECK(intake_first_missing(in) == &items[1]);
    feed(SLICE("cut of"), 4);
    CHECK_INT(intake_finish(in, &e), 0);
    CHECK_INT(sink_memory_count(&w.sinks[0]), 1);
    CHECK_INT(sink_memory_having(&w.sinks[0], "whole"), 1);
    CHECK_INT(result.messages, 1);
    CHECK_INT(row_of(2).id, 0);
    end();
}

/* The first word about a message counts. */
static void test_twice(void **state)
{
    struct fetch_item items[] = { { .number = 1 }, { .number = 2 }, { .number = 3, .octets = 9 } };
    struct err why;

    (void)state;
    CASE("twice");
    start(1, false);
    expect(items, 3);
    err_set(&why, E_MESSAGE, "refused");
    feed(SLICE("first"), 9);
    CHECK_INT(done(&items[0]), 0);
    feed(SLICE("again"), 9);
    CHECK_INT(done(&items[0]), 0);
    CHECK_INT(intake_failed(in, &items[0], &why, &e), 0);
    CHECK_INT(intake_failed(in, &items[1], &why, &e), 0);
    feed(SLICE("after all"), 9);
    CHECK_INT(done(&items[1]), 0);
    CHECK_INT(intake_failed(in, &items[1], &why, &e), 0);
    feed(SLICE(""), 1);
    CHECK_INT(done(&items[2]), 0);
    CHECK(intake_first_missing(in) == NULL);
    CHECK_INT(intake_finish(in, &e), 0);
    CHECK_INT(sink_memory_count(&w.sinks[0]), 1);
    CHECK_INT(sink_memory_having(&w.sinks[0], "first"), 1);
    CHECK_INT(result.messages, 1);
    CHECK_INT(result.failed, 2);
    CHECK_INT(row_of(1).state, MESSAGE_STORED);
    CHECK_INT(row_of(2).tries, 1);
    CHECK_INT(row_of(3).tries, 1);
    end();
}

/* A message that one of two destinations has goes to the other alone. */
static void test_where_it_is_missing(void **state)
{
    struct fetch_item first = { .number = 1 }, again = { .number = 1, .wanted = 2 };

    (void)state;
    CASE("where it is missing");
    start(2, false);
    snprintf(w.sinks[1].later, sizeof(w.sinks[1].later), "wanted");
    expect(&first, 1);
    feed(SLICE("wanted"), 3);
    CHECK_INT(done(&first), 0);
    CHECK_INT(intake_finish(in, &e), 0);
    CHECK_INT(row_of(1).state, MESSAGE_PENDING);
    w.sinks[1].later[0] = '\0';
    again.row = row_of(1).id;
    expect(&again, 1);
    feed(SLICE("wanted"), 3);
    CHECK_INT(done(&again), 0);
    CHECK_INT(intake_finish(in, &e), 0);
    CHECK_INT(sink_memory_count(&w.sinks[0]), 1);
    CHECK_INT(sink_memory_count(&w.sinks[1]), 1);
    CHECK_INT(row_of(1).state, MESSAGE_STORED);
    CHECK_INT(row_of(1).first_seen, WORLD_START);
    end();
}

static void test_sink_fails(void **state)
{
    struct fetch_item items[] = { { .number = 1 }, { .number = 2 } };

    (void)state;
    for (int call = CALL_BEGIN; call <= CALL_FINISH; call++) {
        CASE("call %d fails", call);
        start(2, false);
        expect(items, 2);
        feed(SLICE("m01"), 3);
        CHECK_INT(done(&items[0]), 0);
        w.sinks[1].fail = (enum sink_call)call;
        if (intake_begin(in, &e) == 0 && intake_data(in, SLICE("m02"), &e) == 0)
            CHECK_INT(done(&items[1]), -1);
        CHECK_INT(e.code, E_DISK);
        w.sinks[1].fail = CALL_NONE;
        CHECK_INT(intake_finish(in, &e), 0);
        CHECK_INT(row_of(1).state, MESSAGE_STORED);
        CHECK(row_of(2).state != MESSAGE_STORED);
        CHECK_INT(sink_memory_count(&w.sinks[1]), 1);
        end();
    }
}

static void test_tries(void **state)
{
    struct fetch_item items[] = { { .number = 1 },
                                  { .number = 2, .tries = HAUL_TRIES - 2 },
                                  { .number = 3, .tries = HAUL_TRIES - 1 } };
    struct err why;

    (void)state;
    CASE("tries");
    start(1, false);
    expect(items, 3);
    err_set(&why, E_MESSAGE, "the server refused");
    err_peer(&why, SLICE("no such luck"));
    for (size_t i = 0; i < 3; i++)
        CHECK_INT(intake_failed(in, &items[i], &why, &e), 0);
    CHECK_INT(intake_finish(in, &e), 0);
    CHECK_INT(result.failed, 2);
    CHECK_INT(result.quarantined, 1);
    for (uint32_t uid = 1; uid <= 3; uid++) {
        CHECK_INT(row_of(uid).tries, uid);
        CHECK_INT(row_of(uid).state, uid < 3 ? MESSAGE_PENDING : MESSAGE_QUARANTINED);
        CHECK_SLICE(row_of(uid).reason, SLICE("the server refused (no such luck)"));
    }
    end();
}

static void test_pop3_rows(void **state)
{
    struct fetch_item item = { .number = 1, .octets = 77 };
    struct journal_message m;
    bool found;

    (void)state;
    CASE("POP3 rows");
    start(1, true);
    CHECK_INT(listing_add(&listing, 1, 77, SLICE("unique"), &e), 0);
    expect(&item, 1);
    feed(SLICE("m01"), 3);
    CHECK_INT(done(&item), 0);
    CHECK_INT(intake_finish(in, &e), 0);
    CHECK_INT(journal_find_uidl(committer.store.journal, visit.known.id, SLICE("unique"), &m, &found, &e), 0);
    CHECK(found);
    /* As LIST said: that tells a unique-id that is used again. */
    CHECK_INT(m.octets, 77);
    end();
}

/* Whatever gathers, with or without bodies, is handed over in time. */
static void test_batches_are_bounded(void **state)
{
    enum { MANY = 200 };
    struct fetch_item items[MANY];
    struct err why;

    (void)state;
    CASE("batches are bounded");
    start(1, false);
    err_set(&why, E_MESSAGE, "refused");
    for (uint32_t i = 0; i < MANY; i++)
        items[i] = (struct fetch_item){ .number = i + 1 };
    expect(items, MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        if (i % 3 == 0) {
            CHECK_INT(intake_failed(in, &items[i], &why, &e), 0);
        } else if (i % 3 == 1) {
            CHECK_INT(intake_skip(in, &visit, &listing, &items[i], &e), 0);
        } else {
            feed(SLICE("A: b\r\n\r\n"), 8);
            CHECK_INT(done(&items[i]), 0);
        }
        CHECK(in->batch == NULL || in->batch->count < w.batch_messages);
    }
    CHECK_INT(intake_finish(in, &e), 0);
    CHECK_INT(result.skipped + result.failed + result.messages, MANY);
    for (uint32_t uid = 1; uid <= MANY; uid++)
        CHECK(row_of(uid).id != 0);
    end();
}

/* It comes although the one that wanted it is out by now: nothing becomes of it, and the folder stays open. */
static void test_nobody_wants_it_any_more(void **state)
{
    struct fetch_item item = { .number = 1, .row = 7, .wanted = 2 };

    (void)state;
    CASE("nobody wants it any more");
    start(2, false);
    expect(&item, 1);
    feed(SLICE("A: b\r\n\r\n"), 8);
    w.sinks[1].sink.out = true;
    CHECK_INT(done(&item), 0);
    CHECK(intake_first_missing(in) == NULL);
    CHECK(visit.withheld);
    CHECK(in->batch == NULL);
    CHECK_INT(result.messages, 0);
    CHECK_INT(w.sinks[0].begun, 0);
    end();
}

/* A null destination: megabytes pass through, nothing is kept. */
static void test_large(void **state)
{
    struct fetch_item item = { .number = 1 };
    char line[] = "0123456789012345678901234567890123456789012345678901234567890123\r\n";

    (void)state;
    CASE("large");
    start(1, false);
    w.sinks[0].null = true;
    expect(&item, 1);
    CHECK_INT(intake_begin(in, &e), 0);
    for (int i = 0; i < 200000; i++)
        CHECK_INT(intake_data(in, slice_make(line, sizeof(line) - 1), &e), 0);
    CHECK_INT(intake_octets(in), 200000 * (sizeof(line) - 1));
    CHECK_INT(done(&item), 0);
    CHECK_INT(intake_finish(in, &e), 0);
    CHECK_INT(w.sinks[0].null_octets, 200000 * (sizeof(line) - 2));
    CHECK_INT(atomic_load(&w.progress.bytes), 200000 * (sizeof(line) - 1));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_dropped),
        cmocka_unit_test(test_twice),
        cmocka_unit_test(test_where_it_is_missing),
        cmocka_unit_test(test_sink_fails),
        cmocka_unit_test(test_tries),
        cmocka_unit_test(test_pop3_rows),
        cmocka_unit_test(test_batches_are_bounded),
        cmocka_unit_test(test_nobody_wants_it_any_more),
        cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
