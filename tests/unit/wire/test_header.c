/* SPDX-License-Identifier: MIT */
#include "wire/header.h"

#include "../unit.h"

#include "wire/limits.h"

static const struct {
    const char *name;
    struct slice message;
    size_t header; /* bytes of the header block */
    bool done;     /* by an empty line, not by the end of the message */
    struct slice id;
} cases[] = {
    { "an ordinary message", SLICE("From: a\r\nMessage-ID: <x@y>\r\nTo: b\r\n\r\nbody"), 37, true, SLICE("<x@y>") },
    { "bare LF line ends", SLICE("A: b\nMessage-ID: <x@y>\n\nbody"), 24, true, SLICE("<x@y>") },
    { "CRLF, then LF alone", SLICE("A: b\r\n\nbody"), 7, true, SLICE("") },
    { "LF, then CRLF", SLICE("A: b\n\r\nbody"), 7, true, SLICE("") },
    { "begins with the empty line", SLICE("\r\nMessage-ID: <x@y>\r\n\r\n"), 2, true, SLICE("") },
    { "begins with an empty line of LF", SLICE("\nbody"), 1, true, SLICE("") },
    { "no empty line: all is header", SLICE("A: b\r\nMessage-ID: <x@y>\r\n"), 25, false, SLICE("<x@y>") },
    { "cut off inside the field", SLICE("Message-ID: <x@y>"), 17, false, SLICE("<x@y>") },
    { "cut off behind a CR", SLICE("Message-ID: <x@y>\r"), 18, false, SLICE("<x@y>") },
    { "nothing", SLICE(""), 0, false, SLICE("") },
    { "any case", SLICE("mEssAge-iD: <x@y>\r\n\r\n"), 21, true, SLICE("<x@y>") },
    { "no blank behind the colon", SLICE("Message-ID:<x@y>\r\n\r\n"), 20, true, SLICE("<x@y>") },
    { "blanks before the colon", SLICE("Message-ID \t: <x@y>\r\n\r\n"), 23, true, SLICE("<x@y>") },
    { "folded before the value", SLICE("Message-ID:\r\n <x@y>\r\n\r\n"), 23, true, SLICE("<x@y>") },
    { "folded with tabs and LF", SLICE("Message-ID:\n\t<x@y>\n\n"), 20, true, SLICE("<x@y>") },
    { "folded inside the value", SLICE("Message-ID: <x\r\n @y>\r\n\r\n"), 24, true, SLICE("<x @y>") },
    { "folded over a line of blanks", SLICE("Message-ID: \r\n \r\n <x@y>\r\n\r\n"), 27, true, SLICE("<x@y>") },
    { "text around the brackets", SLICE("Message-ID: a <x@y> (b) <c@d>\r\n\r\n"), 33, true, SLICE("<x@y>") },
    { "no brackets", SLICE("Message-ID:  x@y \r\n\r\n"), 21, true, SLICE("x@y") },
    { "one bracket", SLICE("Message-ID: <x@y \r\n\r\n"), 21, true, SLICE("<x@y") },
    { "brackets the wrong way round", SLICE("Message-ID: >x<\r\n\r\n"), 19, true, SLICE(">x<") },
    { "an empty value", SLICE("Message-ID:\r\n\r\n"), 15, true, SLICE("") },
    { "the first one counts", SLICE("Message-ID: <1@y>\r\nMessage-ID: <2@y>\r\n\r\n"), 40, true, SLICE("<1@y>") },
    { "even an empty first one", SLICE("Message-ID: \r\nMessage-ID: <2@y>\r\n\r\n"), 35, true, SLICE("") },
    { "a longer name", SLICE("Message-IDs: <x@y>\r\n\r\n"), 22, true, SLICE("") },
    { "behind a name that begins alike", SLICE("Me: x\r\nMessage-ID: <x@y>\r\n\r\n"), 28, true, SLICE("<x@y>") },
    { "a name that ends with it", SLICE("Resent-Message-ID: <x@y>\r\n\r\n"), 28, true, SLICE("") },
    { "the beginning of the name", SLICE("Message-I: <x@y>\r\n\r\n"), 20, true, SLICE("") },
    { "in a continuation line", SLICE("A: b\r\n Message-ID: <x@y>\r\n\r\n"), 28, true, SLICE("") },
    { "in the body", SLICE("A: b\r\n\r\nMessage-ID: <x@y>\r\n\r\n"), 8, true, SLICE("") },
    { "a continuation as the first line", SLICE(" a\r\nMessage-ID: <x@y>\r\n\r\n"), 25, true, SLICE("<x@y>") },
    { "a line of blanks ends nothing", SLICE("A: b\r\n \r\nMessage-ID: <x@y>\r\n\r\n"), 30, true, SLICE("<x@y>") },
    { "CR CR LF is no empty line", SLICE("A: b\r\n\r\r\n\r\nbody"), 11, true, SLICE("") },
    { "a CR at the start of a line is text", SLICE("A: b\r\n\rMessage-ID: <x@y>\r\n\r\n"), 28, true, SLICE("") },
    { "a CR inside the value stays", SLICE("Message-ID: <x\ry>\r\n\r\n"), 21, true, SLICE("<x\ry>") },
    { "a line without a colon", SLICE("From me\r\nMessage-ID: <x@y>\r\n\r\n"), 30, true, SLICE("<x@y>") },
    { "NUL and 8-bit bytes", SLICE("\0: \xff\r\nMessage-ID: <\0\xff>\r\n\r\n"), 26, true, SLICE("<\0\xff>") },
};

/* Returns the bytes of the header block. */
static size_t feed(struct header_scan *h, struct slice message, size_t size)
{
    struct chunks c = CHUNKS_INIT(message, size);
    struct slice in;
    size_t total = 0;

    while (chunks_next(&c, &in)) {
        size_t n = header_feed(h, in);

        CHECK(n == in.n || h->done);
        total += n;
    }
    return total;
}

static void test_cases(void **state)
{
    struct header_scan h;

    (void)state;
    header_init(&h);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        EVERY_CHUNK_SIZE(size, cases[i].message.n)
        {
            CASE("%s, chunks of %zu", cases[i].name, size);
            CHECK_INT(feed(&h, cases[i].message, size), cases[i].header);
            CHECK_INT(h.done, cases[i].done);
            header_end(&h);
            CHECK(h.done);
            CHECK_SLICE(buf_slice(&h.message_id), cases[i].id);
            CHECK_INT(header_feed(&h, SLICE("more\r\n")), 0);
            header_clear(&h);
        }
    }
    header_release(&h);
}

/* The id is written by filling `n` bytes of it. */
static void check_length(size_t n, bool folded, bool kept)
{
    struct buf message = BUF_INIT(10000), want = BUF_INIT(10000);
    struct header_scan h;
    size_t sizes[] = { 1, 7, 1000, 10000 };

    CHECK_INT(buf_put_str(&message, "Message-ID:  "), 0);
    CHECK_INT(buf_put_str(&want, "<"), 0);
    for (size_t i = 0; i + 2 < n; i++)
        CHECK_INT(buf_put_char(&want, 'a'), 0);
    CHECK_INT(buf_put_str(&want, ">"), 0);
    CHECK_INT(buf_put_slice(&message, buf_slice(&want)), 0);
    CHECK_INT(buf_put_str(&message, folded ? "\r\n (more and more)" : ""), 0);
    CHECK_INT(buf_put_str(&message, "\r\nMessage-ID: <2@y>\r\n\r\n"), 0);
    header_init(&h);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        CASE("an id of %zu bytes, folded %d, chunks of %zu", n, folded, sizes[i]);
        CHECK_INT(feed(&h, buf_slice(&message), sizes[i]), message.len);
        CHECK_SLICE(buf_slice(&h.message_id), kept ? buf_slice(&want) : SLICE(""));
        header_clear(&h);
    }
    header_release(&h);
    buf_release(&message);
    buf_release(&want);
}

static void test_limit(void **state)
{
    (void)state;
    check_length(LIMIT_MESSAGE_ID - 1, false, true);
    check_length(LIMIT_MESSAGE_ID, false, true);
    check_length(LIMIT_MESSAGE_ID + 1, false, false);
    check_length(LIMIT_MESSAGE_ID + 2, false, false);
    check_length(5000, false, false);
    check_length(LIMIT_MESSAGE_ID - 10, true, false);
    check_length(LIMIT_MESSAGE_ID, true, false);
}

static void test_memory_is_bounded(void **state)
{
    struct header_scan h;

    (void)state;
    CASE("a field without an end");
    header_init(&h);
    CHECK_INT(header_feed(&h, SLICE("Message-ID: <")), 13);
    for (int i = 0; i < 100000; i++)
        CHECK_INT(header_feed(&h, SLICE("aaaaaaaaaaaaaaaa\r\n ")), 19);
    CHECK(h.field.cap + h.message_id.cap <= 3 * LIMIT_MESSAGE_ID);
    header_end(&h);
    CHECK_SLICE(buf_slice(&h.message_id), SLICE(""));
    header_release(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_memory_is_bounded),
    };

    return cmocka_run_group_tests_name("header", tests, NULL, NULL);
}
