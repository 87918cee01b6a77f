/* SPDX-License-Identifier: MIT
 * The POP3 source against servers made of bytes: dial() and the intake are this file's own.
 */
#include "haul/source_pop3.h"

#include "../unit.h"
#include "haul/intake.h"
#include "haul/pop3_listing.h"
#include "net/stream.h"
#include "wire/limits.h"

#define ENTER "+OK ready\r\n+OK\r\nPIPELINING\r\nUSER\r\n.\r\n+OK\r\n+OK in\r\n"
#define CAPA  "+OK\r\nPIPELINING\r\nUIDL\r\nTOP\r\n.\r\n"
#define LOGIN "CAPA\r\nUSER anna\r\nPASS s3cret\r\n"

/* --- the servers: one string a connection --- */

static const char *const *connections; /* NULL-terminated */
static size_t chunk_size;
static struct buf sent;

int dial(const struct dial_options *options, struct stream **out, struct err *e)
{
    (void)options;
    if (*connections == NULL)
        return err_set(e, E_NET, "no more connections in this test");
    assert_int_equal(buf_put_str(&sent, "|"), 0);
    return stream_memory(slice_str(*connections++), chunk_size, &sent, out, e);
}

static int give_password(void *ctx, struct secret *out, struct err *e)
{
    (void)ctx;
    return secret_set(out, SLICE("s3cret")) == 0 ? 0 : err_nomem(e);
}

static const char *const no_top[] = { "TOP", NULL };

static struct server server = {
    .dial = { .host = "pop.example.org", .port = 110 },
    .tls = SERVER_PLAINTEXT,
    .user = "anna",
    .password = give_password,
};

/* --- the intake: what arrived, as text --- */

struct intake {
    struct buf log;
    uint64_t octets;
};

int intake_begin(struct intake *in, struct err *e)
{
    (void)e;
    in->octets = 0;
    return buf_put_char(&in->log, '<');
}

int intake_data(struct intake *in, struct slice bytes, struct err *e)
{
    (void)e;
    in->octets += bytes.n;
    return buf_put_slice(&in->log, bytes);
}

uint64_t intake_octets(const struct intake *in)
{
    return in->octets;
}

int intake_done(struct intake *in, const struct fetch_item *item, const struct arrival *facts, struct err *e)
{
    (void)facts;
    (void)e;
    return buf_putf(&in->log, ">%" PRIu32, item->number);
}

void intake_drop(struct intake *in)
{
    assert_int_equal(buf_put_char(&in->log, '#'), 0);
}

int intake_failed(struct intake *in, const struct fetch_item *item, const struct err *why, struct err *e)
{
    (void)e;
    assert_int_equal(why->code, E_MESSAGE);
    return buf_putf(&in->log, "!%" PRIu32, item->number);
}

/* --- playing --- */

struct play {
    struct source *source;
    struct listing listing;
    struct journal_folder known;
    struct intake intake;
    struct err e;
};

static void play_open(struct play *p, const char *const *servers, size_t chunk, unsigned quirks)
{
    *p = (struct play){ .intake = { .log = BUF_INIT(1 << 20) }, .e = ERR_INIT };
    connections = servers;
    chunk_size = chunk;
    sent = BUF_INIT(1 << 20);
    listing_init(&p->listing);
    p->source = source_pop3_new(&server, &p->e);
    CHECK(p->source != NULL);
    p->source->quirks = quirks;
    CHECK_INT(p->source->ops->open(p->source, &p->e), 0);
}

static void play_close(struct play *p)
{
    p->source->ops->close(p->source);
    p->source->ops->free(p->source);
    listing_release(&p->listing);
    buf_release(&p->intake.log);
    buf_release(&sent);
}

static int play_list(struct play *p, bool complete)
{
    struct list_request request = { .known = &p->known, .complete = complete };

    return p->source->ops->list(p->source, &request, &p->listing, &p->e);
}

/* The look is remembered, as the heart does it. */
static void play_settle(struct play *p)
{
    p->known = (struct journal_folder){
        .id = 1, .settled = true, .messages = p->listing.messages, .octets = p->listing.octets
    };
    memcpy(p->known.listing, p->listing.digest, sizeof(p->known.listing));
}

/* "1:10:a 2:20:b"; NUL in a unique-id shows as 0, 64 hex digits as H, flags behind it. */
static void check_listing(const struct listing *l, const char *want)
{
    struct buf text = BUF_INIT(100000);

    for (size_t i = 0; i < l->count; i++) {
        struct slice uidl = listing_uidl(l, &l->v[i]);

        assert_int_equal(
            buf_putf(&text, "%s%" PRIu32 ":%" PRIu64 ":", i > 0 ? " " : "", l->v[i].number, l->v[i].octets), 0);
        for (size_t k = 0; k < uidl.n; k++) {
            if (uidl.p[k] == '\0' && uidl.n - k > 64) {
                assert_int_equal(buf_put_str(&text, "0H"), 0);
                k += 64;
            } else {
                assert_int_equal(buf_put_char(&text, uidl.p[k] != '\0' ? uidl.p[k] : '0'), 0);
            }
        }
        assert_int_equal(buf_putf(&text, "%s%s", l->v[i].weak_id ? "~" : "", l->v[i].unnamed ? "?" : ""), 0);
    }
    CHECK_SLICE(buf_slice(&text), slice_str(want));
    buf_release(&text);
}

#define SERVERS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* --- listing --- */

static void test_listing(void **state)
{
    static const char first[] =
        ENTER CAPA "+OK 2 30\r\n+OK\r\n1 a\r\n2 b\r\n.\r\n+OK\r\n1 10\r\n2 20\r\n.\r\n"
                   "+OK 2 30\r\n+OK\r\n1 a\r\n2 b\r\n.\r\n"
                   "+OK 3 33\r\n+OK\r\n1 a\r\n2 b\r\n3 c\r\n.\r\n+OK\r\n1 10\r\n2 20\r\n3 3\r\n.\r\n"
                   "+OK 2 31\r\n+OK\r\n1 a\r\n2 b\r\n.\r\n+OK\r\n1 11\r\n2 20\r\n.\r\n";

    (void)state;
    EVERY_CHUNK_SIZE(chunk, sizeof(first))
    {
        struct play p;

        CASE("chunk %zu", chunk);
        play_open(&p, SERVERS(first), chunk, 0);
        CHECK_INT(play_list(&p, false), 0);
        check_listing(&p.listing, "1:10:a 2:20:b");
        CHECK(p.listing.complete && !p.listing.unchanged && !p.listing.no_unique_ids);
        CHECK_INT(p.listing.messages, 2);
        CHECK_INT(p.listing.octets, 30);
        CHECK_SLICE(buf_slice(&sent), SLICE("|" LOGIN "CAPA\r\nSTAT\r\nUIDL\r\nLIST\r\n"));
        play_settle(&p);

        buf_clear(&sent);
        CHECK_INT(play_list(&p, false), 0);
        CHECK(p.listing.unchanged);
        CHECK_INT(p.listing.count, 0);
        CHECK_SLICE(buf_slice(&sent), SLICE("STAT\r\nUIDL\r\n"));

        buf_clear(&sent);
        CHECK_INT(play_list(&p, false), 0);
        check_listing(&p.listing, "1:10:a 2:20:b 3:3:c");
        CHECK_SLICE(buf_slice(&sent), SLICE("STAT\r\nUIDL\r\nLIST\r\n"));

        CHECK_INT(play_list(&p, false), 0);
        check_listing(&p.listing, "1:11:a 2:20:b");
        play_close(&p);
    }
}

static void test_never_unchanged(void **state)
{
    static const char listing[] = ENTER CAPA "+OK 1 10\r\n+OK\r\n1 a\r\n.\r\n+OK\r\n1 10\r\n.\r\n"
                                             "+OK 1 10\r\n+OK\r\n1 a\r\n.\r\n+OK\r\n1 10\r\n.\r\n";
    struct play p;

    (void)state;
    CASE("complete is asked for");
    play_open(&p, SERVERS(listing), 0, 0);
    CHECK_INT(play_list(&p, false), 0);
    play_settle(&p);
    CHECK_INT(play_list(&p, true), 0);
    check_listing(&p.listing, "1:10:a");
    play_close(&p);

    CASE("the last look left work");
    play_open(&p, SERVERS(listing), 0, 0);
    CHECK_INT(play_list(&p, false), 0);
    play_settle(&p);
    p.known.settled = false;
    CHECK_INT(play_list(&p, false), 0);
    check_listing(&p.listing, "1:10:a");
    play_close(&p);
}

static const struct odd_case {
    const char *name;
    const char *replies; /* to STAT UIDL LIST and TOP */
    const char *want;
    const char *then; /* what is sent behind LIST */
    bool no_top;
} odd[] = {
    { "numbers past STAT, zero, no number",
      "+OK 2 30\r\n+OK\r\n1 a\r\n0 z\r\n99999 x\r\nnone\r\n2 b\r\n4294967297 w\r\n.\r\n+OK\r\n1 10\r\n2 20\r\n3 "
      "30\r\n.\r\n",
      "1:10:a 2:20:b", "", false },
    { "another order", "+OK 3 60\r\n+OK\r\n3 c\r\n1 a\r\n2 b\r\n.\r\n+OK\r\n2 20\r\n3 30\r\n1 10\r\n.\r\n",
      "1:10:a 2:20:b 3:30:c", "", false },
    { "the same line twice", "+OK 2 30\r\n+OK\r\n1 a\r\n1 a\r\n2 b\r\n.\r\n+OK\r\n1 10\r\n2 20\r\n2 21\r\n.\r\n",
      "1:10:a 2:20:b", "", false },
    { "LIST lacks one", "+OK 2 30\r\n+OK\r\n1 a\r\n2 b\r\n.\r\n+OK\r\n2 20\r\n.\r\n", "1:0:a 2:20:b", "", false },
    { "LIST refused", "+OK 2 30\r\n+OK\r\n1 a\r\n2 b\r\n.\r\n-ERR\r\n", "1:0:a 2:0:b", "", false },
    { "UIDL lacks one",
      "+OK 3 60\r\n+OK\r\n1 a\r\n3 c\r\n.\r\n+OK\r\n1 10\r\n2 20\r\n3 30\r\n.\r\n+OK\r\nS: 2\r\n\r\n.\r\n",
      "1:10:a 2:20:0H? 3:30:c", "TOP 2 0\r\n", false },
    { "one number, two names",
      "+OK 2 60\r\n+OK\r\n1 a\r\n1 b\r\n2 c\r\n.\r\n+OK\r\n1 10\r\n2 20\r\n.\r\n+OK\r\nS: 1\r\n\r\n.\r\n",
      "1:10:0H? 2:20:c", "TOP 1 0\r\n", false },
    { "one name for two, one blank",
      "+OK 4 60\r\n+OK\r\n1 a\r\n2 b\r\n3 a\r\n4\r\n.\r\n+OK\r\n1 10\r\n2 20\r\n3 30\r\n4 40\r\n.\r\n"
      "+OK\r\nS: 1\r\n\r\n.\r\n+OK\r\nS: 3\r\n\r\n.\r\n+OK\r\nS: 4\r\n\r\n.\r\n",
      "1:10:a0H 2:20:b 3:30:a0H 4:40:0H", "TOP 1 0\r\nTOP 3 0\r\nTOP 4 0\r\n", false },
    { "twins to the last letter",
      "+OK 3 60\r\n+OK\r\n1 a\r\n2 a\r\n3 a\r\n.\r\n+OK\r\n1 10\r\n2 10\r\n3 10\r\n.\r\n"
      "+OK\r\nS: 1\r\n\r\n.\r\n+OK\r\nS: 3\r\n\r\n.\r\n+OK\r\nS: 1\r\n\r\n.\r\n",
      "1:10:a0H~ 2:10:a0H 3:10:a0H #2~", "TOP 1 0\r\nTOP 2 0\r\nTOP 3 0\r\n", false },
    { "no TOP", "+OK 3 60\r\n+OK\r\n1 a\r\n2 a\r\n3 a\r\n.\r\n+OK\r\n1 10\r\n2 20\r\n3 10\r\n.\r\n-ERR\r\n",
      "1:10:a0octets 10~ 2:20:a0octets 20~ 3:10:a0octets 10 #2~", "TOP 1 0\r\n", false },
    { "TOP disabled", "+OK 2 60\r\n+OK\r\n1\r\n2\r\n.\r\n+OK\r\n1 10\r\n2 20\r\n.\r\n",
      "1:10:0octets 10~ 2:20:0octets 20~", "", true },
    { "no messages", "+OK 0 0\r\n+OK\r\n.\r\n+OK\r\n.\r\n", "", "", false },
    { "no messages, which UIDL refuses to list", "+OK 0 0\r\n-ERR nothing\r\n+OK\r\n.\r\n", "", "", false },
};

static void test_odd_listings(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        const struct odd_case *c = &odd[i];
        struct buf input = BUF_INIT(10000), want = BUF_INIT(1000);

        assert_int_equal(buf_putf(&input, "%s%s%s", ENTER, CAPA, c->replies), 0);
        assert_int_equal(buf_putf(&want, "|%sCAPA\r\nSTAT\r\nUIDL\r\nLIST\r\n%s", LOGIN, c->then), 0);
        EVERY_CHUNK_SIZE(chunk, input.len)
        {
            struct play p;

            CASE("%s, chunk %zu", c->name, chunk);
            server.disabled = c->no_top ? no_top : NULL;
            /* What has come behind the answer to a single TOP would make it suspect. */
            play_open(&p, SERVERS(buf_cstr(&input)), strstr(c->then, "TOP 3") != NULL ? 1 : chunk, 0);
            CHECK_INT(play_list(&p, false), 0);
            check_listing(&p.listing, c->want);
            CHECK(!p.listing.no_unique_ids);
            CHECK_SLICE(buf_slice(&sent), buf_slice(&want));
            play_close(&p);
            server.disabled = NULL;
        }
        buf_release(&input);
        buf_release(&want);
    }
}

static void test_derived(void **state)
{
#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddee"
    static const struct {
        struct slice uidl;
        bool derived;
        struct slice plain;
    } cases[] = {
        { SLICE("a b\0" HEX "fe"), true, SLICE("a b") }, { SLICE("\0" HEX "fe"), true, SLICE("") },
        { SLICE("a\0" HEX "FE"), false, SLICE("") },     { SLICE("a\0" HEX "fg"), false, SLICE("") },
        { SLICE("a\0" HEX "fe #2"), false, SLICE("") },  { SLICE("a\0octets 10"), false, SLICE("") },
        { SLICE("a" HEX "fe"), false, SLICE("") },       { SLICE(""), false, SLICE("") },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        unsigned char header[JOURNAL_SHA256] = { 0 };
        struct slice plain = SLICE("");

        CASE("%zu", i);
        CHECK_INT(pop3_listing_derived(cases[i].uidl, &plain, header), cases[i].derived);
        CHECK_SLICE(plain, cases[i].plain);
        CHECK_INT(header[31], cases[i].derived ? 0xfe : 0);
    }
#undef HEX
}

static void test_no_uidl(void **state)
{
    struct play p;

    (void)state;
    CASE("no UIDL: the headers are the names");
    play_open(&p,
              SERVERS(ENTER CAPA "+OK 2 30\r\n-ERR what\r\n+OK\r\n1 10\r\n2 20\r\n.\r\n"
                                 "+OK\r\nS: 1\r\n\r\n.\r\n+OK\r\nS: 2\r\n\r\n.\r\n"),
              1, 0);
    CHECK_INT(play_list(&p, false), 0);
    CHECK(p.listing.no_unique_ids);
    check_listing(&p.listing, "1:10:0H 2:20:0H");
    play_close(&p);

    CASE("neither UIDL nor LIST");
    play_open(&p, SERVERS(ENTER CAPA "+OK 2 30\r\n-ERR what\r\n-ERR what\r\n"), 0, 0);
    CHECK_INT(play_list(&p, false), -1);
    CHECK_INT(p.e.code, E_LACKS);
    play_close(&p);
}

static void test_a_part(void **state)
{
    struct buf input = BUF_INIT(100000);
    struct play p;

    (void)state;
    CASE("Gmail by its greeting");
    play_open(&p,
              SERVERS("+OK Gpop ready for requests\r\n-ERR\r\n+OK\r\n+OK\r\n+OK 1 10\r\n+OK\r\n1 a\r\n.\r\n"
                      "+OK\r\n1 10\r\n.\r\n"),
              1, 0);
    CHECK_INT(play_list(&p, false), 0);
    CHECK(p.source->lists_a_part);
    play_close(&p);

    CASE("250 of a mailbox never seen");
    assert_int_equal(buf_put_str(&input, ENTER CAPA "+OK 250 2500\r\n+OK\r\n"), 0);
    for (int i = 1; i <= 250; i++)
        assert_int_equal(buf_putf(&input, "%d u%d\r\n", i, i), 0);
    assert_int_equal(buf_put_str(&input, ".\r\n+OK\r\n.\r\n"), 0);
    play_open(&p, SERVERS(buf_cstr(&input)), 0, 0);
    CHECK_INT(play_list(&p, false), 0);
    CHECK_INT(p.listing.count, 250);
    CHECK(p.source->lists_a_part);
    play_close(&p);

    CASE("250 of a mailbox known before");
    play_open(&p, SERVERS(buf_cstr(&input)), 0, 0);
    p.known.id = 1;
    CHECK_INT(play_list(&p, true), 0);
    CHECK(!p.source->lists_a_part);
    play_close(&p);
    buf_release(&input);
}

/* --- what is learned of a server --- */

static void test_capa_quirk(void **state)
{
    struct play p;

    (void)state;
    CASE("the server leaves at CAPA");
    play_open(&p, SERVERS("+OK\r\n", "+OK\r\n+OK\r\n+OK\r\n+OK 1 1\r\n+OK\r\n1 a\r\n.\r\n+OK\r\n1 1\r\n.\r\n"), 1, 0);
    CHECK_INT(p.source->quirks, QUIRK_NO_CAPA);
    CHECK_INT(play_list(&p, false), 0);
    CHECK_SLICE(buf_slice(&sent), SLICE("|CAPA\r\n|USER anna\r\nPASS s3cret\r\nSTAT\r\nUIDL\r\nLIST\r\n"));
    play_close(&p);

    CASE("remembered");
    play_open(&p, SERVERS("+OK\r\n+OK\r\n+OK\r\n"), 1, QUIRK_NO_CAPA);
    CHECK_SLICE(buf_slice(&sent), SLICE("|USER anna\r\nPASS s3cret\r\n"));
    play_close(&p);
}

static void test_pipelining_quirk(void **state)
{
    static const char one_by_one[] = ENTER CAPA "+OK 1 1\r\n+OK\r\n1 a\r\n.\r\n+OK\r\n1 1\r\n.\r\n";
    struct play p;

    (void)state;
    CASE("out of step while listing: done again, one by one");
    play_open(&p, SERVERS(ENTER CAPA "+OK 1 1\r\nUIDL\r\n", one_by_one), 1, 0);
    CHECK_INT(play_list(&p, false), 0);
    check_listing(&p.listing, "1:1:a");
    CHECK_INT(p.source->quirks, QUIRK_NO_PIPELINING);
    CHECK_SLICE(buf_slice(&sent),
                SLICE("|" LOGIN "CAPA\r\nSTAT\r\nUIDL\r\nLIST\r\n|" LOGIN "CAPA\r\nSTAT\r\nUIDL\r\nLIST\r\n"));
    play_close(&p);

    CASE("out of step while fetching: reconnect");
    play_open(&p, SERVERS(ENTER "+OK\r\na\r\n.\r\nwhat?\r\n"), 1, 0);
    const struct fetch_item items[] = { { .number = 1 }, { .number = 2 } };
    CHECK_INT(p.source->ops->fetch(p.source, items, 2, &p.intake, &p.e), -1);
    CHECK_INT(p.e.code, E_PROTO);
    CHECK_INT(p.e.retry, RETRY_RECONNECT);
    CHECK_INT(p.source->quirks, QUIRK_NO_PIPELINING);
    CHECK_SLICE(buf_slice(&p.intake.log), SLICE("<a\r\n#"));
    play_close(&p);
}

static void test_top_quirk(void **state)
{
    static const char twins[] = "+OK 2 20\r\n+OK\r\n1 a\r\n2 a\r\n.\r\n+OK\r\n1 10\r\n2 12\r\n.\r\n";
    struct buf first = BUF_INIT(1000), second = BUF_INIT(1000);
    struct play p;

    (void)state;
    CASE("TOP gets more than its answer: done again, by size");
    assert_int_equal(buf_putf(&first, "%s%s%s+OK\r\nS: 1\r\n\r\n.\r\n.\r\n", ENTER, CAPA, twins), 0);
    assert_int_equal(buf_putf(&second, "%s%s%s", ENTER, CAPA, twins), 0);
    play_open(&p, SERVERS(buf_cstr(&first), buf_cstr(&second)), 0, 0);
    CHECK_INT(play_list(&p, false), 0);
    CHECK_INT(p.source->quirks, QUIRK_NO_TOP);
    check_listing(&p.listing, "1:10:a0octets 10~ 2:12:a0octets 12~");
    play_close(&p);

    CASE("a cut says nothing about TOP");
    buf_truncate(&first, first.len - 8);
    play_open(&p, SERVERS(buf_cstr(&first), buf_cstr(&second)), 0, 0);
    CHECK_INT(play_list(&p, false), -1);
    CHECK_INT(p.e.code, E_NET);
    CHECK_INT(p.source->quirks, 0);
    play_close(&p);
    buf_release(&first);
    buf_release(&second);
}

/* --- bodies --- */

static const struct fetch_case {
    const char *name;
    const char *replies;
    enum err_code code;
    const char *log;
} fetches[] = {
    { "whole", "+OK\r\n12345678\r\n.\r\n+OK\r\n.\r\n+OK\r\nlonger than it is listed\r\n.\r\n", E_NONE,
      "<12345678\r\n>1<!2<longer than it is listed\r\n>3" },
    { "refused", "-ERR gone\r\n+OK\r\nb\r\n.\r\n-ERR [SYS/PERM] no\r\n", E_NONE, "!1<b\r\n>2!3" },
    { "busy", "+OK\r\na\r\n.\r\n-ERR [SYS/TEMP] no\r\n+OK\r\n", E_BUSY, "<a\r\n>1" },
    { "cut", "+OK\r\na\r\n.\r\n+OK\r\nbb", E_NET, "<a\r\n>1<bb#" },
    { "one reply too many: the same body under the next name",
      "+OK\r\n12345678\r\n.\r\n+OK\r\n12345678\r\n.\r\n+OK\r\nb\r\n.\r\n", E_PROTO, "<12345678\r\n>1<12345678\r\n#" },
};

static void test_fetch(void **state)
{
    static const struct fetch_item items[] = { { .number = 1, .octets = 10 },
                                               { .number = 2, .octets = 20 },
                                               { .number = 3, .octets = 3 } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fetches); i++) {
        const struct fetch_case *c = &fetches[i];
        struct buf input = BUF_INIT(10000);

        assert_int_equal(buf_putf(&input, "%s%s", ENTER, c->replies), 0);
        EVERY_CHUNK_SIZE(chunk, input.len)
        {
            struct play p;

            CASE("%s, chunk %zu", c->name, chunk);
            play_open(&p, SERVERS(buf_cstr(&input)), chunk, 0);
            CHECK_INT(p.source->ops->fetch(p.source, items, 3, &p.intake, &p.e), c->code == E_NONE ? 0 : -1);
            CHECK_INT(p.e.code, c->code);
            CHECK_SLICE(buf_slice(&p.intake.log), slice_str(c->log));
            CHECK_SLICE(buf_slice(&sent), SLICE("|" LOGIN "RETR 1\r\nRETR 2\r\nRETR 3\r\n"));
            play_close(&p);
        }
        buf_release(&input);
    }
}

static int got_header(void *ctx, const struct fetch_item *item, const struct header_facts *facts, struct err *e)
{
    (void)e;
    return buf_putf(ctx, "%" PRIu32 "=%.*s %02x%02x;", item->number, SLICE_ARG(facts->message_id), facts->digest[0],
                    facts->digest[1]);
}

static void test_headers(void **state)
{
    static const struct fetch_item items[] = { { .number = 4 }, { .number = 9 } };
    struct buf got = BUF_INIT(1000);
    struct play p;

    (void)state;
    CASE("TOP, with lines of the body that nobody asked for");
    play_open(&p, SERVERS(ENTER "+OK\r\nMessage-ID: <x@y>\r\n\r\nbody\r\n.\r\n-ERR\r\n"), 0, 0);
    CHECK_INT(p.source->ops->headers(p.source, items, 2, got_header, &got, &p.e), 0);
    CHECK_SLICE(buf_slice(&got), SLICE("4=<x@y> 32e5;"));
    play_close(&p);
    buf_release(&got);
}

/* --- removal --- */

static void test_remove(void **state)
{
    static const struct {
        const char *name;
        const char *replies;
        enum err_code code;
    } cases[] = {
        { "done", "+OK\r\n+OK\r\n+OK bye\r\n", E_NONE },
        { "one refused", "+OK\r\n-ERR no\r\n+OK bye\r\n", E_BUSY },
        { "QUIT refused", "+OK\r\n+OK\r\n-ERR no\r\n", E_BUSY },
        { "QUIT lost", "+OK\r\n+OK\r\n", E_NET },
    };
    static const struct fetch_item items[] = { { .number = 4 }, { .number = 9 } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum remove_result result = REMOVE_MARKED;
        struct buf input = BUF_INIT(1000);
        struct play p;

        CASE("%s", cases[i].name);
        assert_int_equal(buf_putf(&input, "%s%s", ENTER, cases[i].replies), 0);
        play_open(&p, SERVERS(buf_cstr(&input)), 0, 0);
        CHECK_INT(p.source->ops->remove(p.source, items, 2, &result, &p.e), cases[i].code == E_NONE ? 0 : -1);
        CHECK_INT(p.e.code, cases[i].code);
        CHECK_INT(result, cases[i].code == E_NONE ? REMOVE_DONE : REMOVE_MARKED);
        CHECK(cases[i].code == E_NONE || strstr(p.e.text, "settled by the next listing") != NULL);
        CHECK_SLICE(buf_slice(&sent), SLICE("|" LOGIN "DELE 4\r\nDELE 9\r\nQUIT\r\n"));
        play_close(&p);
        buf_release(&input);
    }
}

static void test_describe(void **state)
{
    struct buf text = BUF_INIT(200);
    struct play p;

    (void)state;
    CASE("describe");
    play_open(&p, SERVERS(ENTER), 0, 0);
    CHECK_INT(p.source->ops->describe(p.source, &text), 0);
    CHECK_SLICE(buf_slice(&text), SLICE("pop3 pop.example.org without TLS, user anna"));
    play_close(&p);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listing),    cmocka_unit_test(test_never_unchanged),  cmocka_unit_test(test_odd_listings),
        cmocka_unit_test(test_derived),    cmocka_unit_test(test_no_uidl),          cmocka_unit_test(test_a_part),
        cmocka_unit_test(test_capa_quirk), cmocka_unit_test(test_pipelining_quirk), cmocka_unit_test(test_top_quirk),
        cmocka_unit_test(test_fetch),      cmocka_unit_test(test_headers),          cmocka_unit_test(test_remove),
        cmocka_unit_test(test_describe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
