/* SPDX-License-Identifier: MIT */
#include "haul/envelope.h"

#include "../store/store_test.h"

#include "wire/fields.h"

#define DOTS_60 "............................................................"

static void spool_message(struct slice message, struct spool_file **out)
{
    struct err e = ERR_INIT;
    struct spool *s = NULL;

    OK(spool_new(box, &s, &e));
    OK(spool_begin(s, &e));
    OK(spool_write(s, message, &e));
    OK(spool_finish(s, out, &e));
    spool_free(&s);
}

static void read_message(struct slice message, const struct envelope_rules *rules, struct envelope *out)
{
    struct err e = ERR_INIT;
    struct spool_file *file = NULL;

    spool_message(message, &file);
    OK(envelope_read(file, rules, out, &e));
    spool_release(&file);
}

static void check_words(const char *got, const char *want)
{
    CHECK_SLICE(slice_str(got != NULL ? got : "(none)"), slice_str(want != NULL ? want : "(none)"));
}

/* The recipients, a blank between them. */
static void check_recipients(const struct envelope *v, const char *want)
{
    struct buf got = BUF_INIT(10000);

    for (size_t i = 0; i < v->recipient_count; i++)
        CHECK_INT(buf_putf(&got, "%s%s", i > 0 ? " " : "", v->recipients[i]), 0);
    CHECK_SLICE(buf_slice(&got), slice_str(want));
    buf_release(&got);
}

static const char *const me[] = { "me@here", NULL };
static const char *const us[] = { "me@here", "you@Here", "me@HERE", "Me@here", "\"a@B\"", "\"a@b\"", NULL };
static const char *const domains[] = { "example.org", "example.net", NULL };

static const struct {
    const char *name;
    struct slice message;
    const char *from, *sender;
} senders[] = {
    { "an address", SLICE("Return-Path: <a@b.example>\n\n"), "f@x", "a@b.example" },
    { "without brackets, another case", SLICE("RETURN-path:a@b.example\n\n"), "f@x", "a@b.example" },
    { "CRLF", SLICE("Return-Path: <a@b.example>\r\n\r\n"), "f@x", "a@b.example" },
    { "null", SLICE("Return-Path: <>\n\n"), "f@x", "" },
    { "none", SLICE("Subject: x\n\n"), "f@x", "f@x" },
    { "none, and no from", SLICE("Subject: x\n\n"), NULL, "" },
    { "no domain", SLICE("Return-Path: <root>\n\n"), "f@x", "f@x" },
    { "no domain, and no from", SLICE("Return-Path: <root>\n\n"), NULL, "" },
    { "nothing in it", SLICE("Return-Path:\n\n"), "f@x", "f@x" },
    { "a command in it", SLICE("Return-Path: <a@b> RET=FULL\n\n"), "f@x", "f@x" },
    { "a command behind a CR", SLICE("Return-Path: <a@b>\rRCPT TO:<c@d>\n\n"), "f@x", "a@b" },
    { "CRs as line ends", SLICE("Return-Path: <a@b>\rSubject: x\r\rhello\r"), "f@x", "a@b" },
    { "a command, folded", SLICE("Return-Path: <a@b>\n RCPT TO:<c@d>\n\n"), NULL, "" },
    { "a quote in it", SLICE("Return-Path: <\"a> SIZE=1\"@b>\n\n"), "f@x", "\"a> SIZE=1\"@b" },
    { "a source route", SLICE("Return-Path: <@r,@s:a@b>\n\n"), "f@x", "a@b" },
    { "the first counts", SLICE("Return-Path: <a@b>\nReturn-Path: <c@d>\n\n"), "f@x", "a@b" },
    { "... valid or not", SLICE("Return-Path: a b\nReturn-Path: <c@d>\n\n"), "f@x", "f@x" },
    { "not in the body", SLICE("Subject: x\n\nReturn-Path: <a@b>\n"), "f@x", "f@x" },
    { "only a body", SLICE("\nReturn-Path: <a@b>\n"), "f@x", "f@x" },
    { "an empty message", SLICE(""), "f@x", "f@x" },
    { "behind an mbox separator", SLICE("From x@y Thu Jan  1 00:00:00 1970\nReturn-Path: <a@b>\n\n"), "f@x", "a@b" },
    { "no end of the header", SLICE("Return-Path: <a@b>"), "f@x", "a@b" },
};

static void test_sender(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(senders); i++) {
        struct envelope_rules rules = { .from = senders[i].from, .to = me };
        struct envelope v;

        CASE("%s", senders[i].name);
        read_message(senders[i].message, &rules, &v);
        check_words(v.sender, senders[i].sender);
        check_recipients(&v, "me@here");
        CHECK(!v.utf8);
        envelope_release(&v);
    }
}

static const struct {
    const char *name;
    struct slice message;
    struct envelope_rules rules;
    const char *recipients;
} multidrops[] = {
    { "one", SLICE("Delivered-To: a@example.org\n\n"), { .to_header = "delivered-to" }, "a@example.org" },
    { "every occurrence, several in one",
      SLICE("X-Original-To: a@x, <b@x>\nX-Original-To: c@x (d@x)\nDelivered-To: e@x\n\n"),
      { .to_header = "X-Original-To" },
      "a@x b@x c@x" },
    { "never To and Cc", SLICE("To: a@x\nCc: b@x\n\n"), { .to_header = "Delivered-To" }, "" },
    { "never `to`", SLICE("Delivered-To: a@x\n\n"), { .to_header = "Delivered-To", .to = me }, "a@x" },
    { "not in the body", SLICE("A: b\n\nDelivered-To: a@x\n"), { .to_header = "Delivered-To" }, "" },
    { "of these domains",
      SLICE("Delivered-To: a@EXAMPLE.org, b@no, c@sub.example.org, d@example.net, root\n\n"),
      { .to_header = "Delivered-To", .to_domains = domains },
      "a@EXAMPLE.org d@example.net" },
    { "a prefix",
      SLICE("Delivered-To: box-a@x\nDelivered-To: b@x\nDelivered-To: Box-c@x\nDelivered-To: box-box-d@x\n"
            "Delivered-To: box-@x\n\n"),
      { .to_header = "Delivered-To", .to_strip_prefix = "box-" },
      "a@x b@x Box-c@x box-d@x" },
    { "doubles",
      SLICE("Delivered-To: a@x\nDelivered-To: a@X\nDelivered-To: A@x\nDelivered-To: box-a@x\n\n"),
      { .to_header = "Delivered-To", .to_strip_prefix = "box-" },
      "a@x A@x" },
    { "the fall-back, not used",
      SLICE("Delivered-To: a@x\n\n"),
      { .to_header = "Delivered-To", .to_fallback = "me@here" },
      "a@x" },
    { "the fall-back",
      SLICE("Delivered-To: a@no\n\n"),
      { .to_header = "Delivered-To", .to_domains = domains, .to_fallback = "me@here" },
      "me@here" },
    { "the fall-back, no header",
      SLICE("\nhello\n"),
      { .to_header = "Delivered-To", .to_fallback = "me@here" },
      "me@here" },
    { "commands",
      SLICE("Delivered-To: a@x\rDATA\nDelivered-To: <c@x> ORCPT=d\n\n"),
      { .to_header = "Delivered-To" },
      "a@x c@x" },
    { "CRs as line ends: not all of the message is one field",
      SLICE("Delivered-To: a@x\rTo: b@x,\r c@x\r\rDelivered-To: d@x, e@x\r"),
      { .to_header = "Delivered-To" },
      "a@x" },
};

static void test_multidrop(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(multidrops); i++) {
        struct envelope v;

        CASE("%s", multidrops[i].name);
        read_message(multidrops[i].message, &multidrops[i].rules, &v);
        check_recipients(&v, multidrops[i].recipients);
        CHECK(!v.too_many);
        envelope_release(&v);
    }
}

static void test_fixed_recipients(void **state)
{
    struct envelope_rules rules = { .to = us };
    struct envelope v;

    (void)state;
    CASE("doubles of `to`");
    read_message(SLICE("Delivered-To: x@y\n\n"), &rules, &v);
    check_recipients(&v, "me@here you@Here Me@here \"a@B\" \"a@b\"");
    envelope_release(&v);
}

static void read_recipients(size_t count, const char *field, struct envelope *v)
{
    struct envelope_rules rules = { .to_header = "Delivered-To", .to_fallback = "me@here" };
    struct buf message = BUF_INIT(ENVELOPE_HEADER_MAX);

    CHECK_INT(buf_put_str(&message, "Delivered-To: z@x"), 0);
    for (size_t i = 1; i < count; i++)
        CHECK_INT(buf_putf(&message, "%sr%zu@x", field, i), 0);
    CHECK_INT(buf_put_str(&message, "\n\nbody\n"), 0);
    read_message(buf_slice(&message), &rules, v);
    buf_release(&message);
}

static void test_too_many(void **state)
{
    struct envelope v;

    (void)state;
    CASE("as many as there may be");
    read_recipients(ENVELOPE_RECIPIENTS_MAX, "\nDelivered-To: ", &v);
    CHECK_INT(v.recipient_count, ENVELOPE_RECIPIENTS_MAX);
    CHECK(!v.too_many);
    envelope_release(&v);
    CASE("one more");
    read_recipients(ENVELOPE_RECIPIENTS_MAX + 1, "\nDelivered-To: ", &v);
    CHECK_INT(v.recipient_count, 0);
    CHECK(v.too_many);
    envelope_release(&v);
    CASE("a field that is cut short");
    read_recipients(200, ", (" DOTS_60 DOTS_60 DOTS_60 ") ", &v);
    CHECK_INT(v.recipient_count, 0);
    CHECK(v.too_many);
    envelope_release(&v);
}

static void test_facts(void **state)
{
    struct envelope_rules rules = { .to = me };
    struct envelope v;

    (void)state;
    CASE("facts of the header");
    read_message(SLICE("Received: a\nreceived: b\nDelivered-To: not one\nX-Original-To: <a@x>\nDelivered-To: b@x\n"
                       "Message-ID:\n <x@y\x01\xff>\nMessage-ID: <no@no>\n\nReceived: c\n"),
                 &rules, &v);
    CHECK_INT(v.hops, 2);
    check_words(v.delivered_to, "a@x");
    check_words(v.message_id, "<x@y?"
                              "?>");
    envelope_release(&v);
    CASE("none of them");
    read_message(SLICE("Subject: x\n\n"), &rules, &v);
    CHECK_INT(v.hops, 0);
    check_words(v.delivered_to, NULL);
    check_words(v.message_id, NULL);
    envelope_release(&v);
    envelope_release(&v);
}

static const struct {
    const char *name;
    struct slice header;
    bool utf8;
} utf8s[] = {
    { "in From", SLICE("From: J <j\xc3\xb6rg@x>\n\n"), true },
    { "in Cc, folded", SLICE("Cc: a@x,\n b@\xc3\xb6\n\n"), true },
    { "in Resent-To", SLICE("resent-to: j\xc3\xb6rg@x\n\n"), true },
    { "in Return-Path", SLICE("Return-Path: <j\xc3\xb6rg@x>\n\n"), true },
    { "in the recipient", SLICE("X: \xc3\xb6@x\n\n"), true },
    { "in a name", SLICE("From: J\xc3\xb6rg <j@x>\n\n"), false },
    { "a name without an address", SLICE("To: J\xc3\xb6rg\n\n"), false },
    { "in a comment", SLICE("To: j@x (J\xc3\xb6rg@x)\n\n"), false },
    { "in Subject", SLICE("Subject: j\xc3\xb6rg@x\n\n"), false },
    { "Latin-1, which is no address", SLICE("From: j\xf6rg@x\n\n"), false },
    { "in the body", SLICE("A: b\n\nFrom: j\xc3\xb6rg@x\n"), false },
};

static void test_utf8(void **state)
{
    struct envelope_rules rules = { .to_header = "X", .to_fallback = "me@here" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(utf8s); i++) {
        struct envelope v;

        CASE("%s", utf8s[i].name);
        read_message(utf8s[i].header, &rules, &v);
        CHECK_INT(v.utf8, utf8s[i].utf8);
        envelope_release(&v);
    }
}

/* A header of `size` bytes, and the fields that matter behind it. */
static void read_large(size_t size, struct envelope *v)
{
    struct envelope_rules rules = { .to_header = "Delivered-To", .to_fallback = "me@here" };
    struct buf message = BUF_INIT(ENVELOPE_HEADER_MAX + 1000);

    while (message.len < size)
        CHECK_INT(buf_put_str(&message, "X-Spam-Report: nothing was found, but it takes a while to say so\n"), 0);
    buf_truncate(&message, size - 1);
    CHECK_INT(buf_put_str(&message, "\nReturn-Path: <a@b>\nReceived: x\nDelivered-To: a@example.org\n\nbody\n"), 0);
    read_message(buf_slice(&message), &rules, v);
    buf_release(&message);
}

static void test_large_header(void **state)
{
    struct envelope v;

    (void)state;
    CASE("200 KB");
    read_large(200 * 1000, &v);
    check_words(v.sender, "a@b");
    check_recipients(&v, "a@example.org");
    CHECK_INT(v.hops, 1);
    envelope_release(&v);
    CASE("an address at the limit is not taken for one that is shorter");
    read_large(ENVELOPE_HEADER_MAX - sizeof("Return-Path: <a@b>\nReceived: x\nDelivered-To: a@example") + 1, &v);
    check_words(v.sender, "a@b");
    check_recipients(&v, "me@here");
    envelope_release(&v);
}

static void test_bad_disk(void **state)
{
    struct envelope_rules rules = { .to = me };
    struct err e = ERR_INIT;
    struct spool_file *file = NULL;
    struct envelope v;
    char proc[64];
    int closed = 0;

    (void)state;
    CASE("the file cannot be read");
    spool_message(SLICE("A: b\n\n"), &file);
    /* The newest descriptor is the spool's. */
    for (int fd = 3; fd < 100; fd++) {
        char target[256];
        ssize_t n;

        snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
        n = readlink(proc, target, sizeof(target) - 1);
        if (n <= 0)
            continue;
        target[n] = '\0';
        if (strstr(target, box) != NULL && strstr(target, "(deleted)") != NULL) {
            int dir = open(box, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

            CHECK_INT(dup3(dir, fd, O_CLOEXEC), fd);
            close(dir);
            closed++;
        }
    }
    CHECK_INT(closed, 1);
    CHECK_INT(envelope_read(file, &rules, &v, &e), -1);
    CHECK_INT(e.code, E_DISK);
    spool_release(&file);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, box_make, box_remove)
    const struct CMUnitTest tests[] = {
        TEST(test_sender), TEST(test_multidrop), TEST(test_fixed_recipients), TEST(test_too_many),
        TEST(test_facts),  TEST(test_utf8),      TEST(test_large_header),     TEST(test_bad_disk),
    };

    return cmocka_run_group_tests_name("envelope", tests, NULL, NULL);
}
