/* SPDX-License-Identifier: MIT */
#include "wire/mta_sts.h"

#include "../unit.h"

/* --- the record --- */

static const struct {
    struct slice record;
    const char *id; /* NULL: it is none */
} records[] = {
    { SLICE("v=STSv1; id=20160831085700Z;"), "20160831085700Z" },
    { SLICE("v=STSv1;id=a"), "a" },
    { SLICE("v=STSv1 ; x=y ; id=12345678901234567890123456789012 ; "), "12345678901234567890123456789012" },
    { SLICE("v=STSv1; id=first; id=second"), "first" },
    { SLICE("v=STSv1"), NULL },
    { SLICE("v=STSv1;"), NULL },
    { SLICE("v=STSv1; id="), NULL },
    { SLICE("v=STSv1; id=a b"), NULL },
    { SLICE("v=STSv1; id=a-b"), NULL },
    { SLICE("v=STSv1; ; id=a"), NULL },
    { SLICE("v=STSv1; id"), NULL },
    { SLICE("v=STSv1; =a; id=b"), NULL },
    { SLICE("v=STSv1; id=123456789012345678901234567890123"), NULL },
    { SLICE("v=STSv11; id=a"), NULL },
    { SLICE("V=STSv1; id=a"), NULL },
    { SLICE("id=a; v=STSv1"), NULL },
    { SLICE("v=spf1 -all"), NULL },
    { SLICE(""), NULL },
};

static void test_records(void **state)
{
    char id[MTA_STS_ID_MAX + 1];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(records); i++) {
        CASE("%s", records[i].record.p);
        CHECK_INT(mta_sts_parse_record(records[i].record, id), records[i].id != NULL ? 0 : -1);
        if (records[i].id != NULL)
            CHECK_SLICE(slice_str(id), slice_str(records[i].id));
    }
    CHECK(mta_sts_is_record(SLICE("v=STSv1; rubbish")));
    CHECK(!mta_sts_is_record(SLICE("v=STSv2; id=a")));
}

/* --- the policy --- */

static const struct {
    const char *name;
    struct slice body;
    bool good;
    enum mta_sts_mode mode;
    uint32_t max_age;
    struct slice patterns;
} policies[] = {
    { "the one of RFC 8461",
      SLICE("version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n"),
      true, MTA_STS_ENFORCE, 604800, SLICE("mail.example.com\0*.example.net\0") },
    { "LF, no end, another order", SLICE("max_age:1\nmx:a\nmode:testing\nversion:STSv1"), true, MTA_STS_TESTING, 1,
      SLICE("a\0") },
    { "none needs no mx", SLICE("version: STSv1\nmode: none\nmax_age: 86400\n"), true, MTA_STS_NONE, 86400,
      SLICE_NONE },
    { "unknown fields, repeated ones",
      SLICE("version: STSv1\nx-y: z\nmode: enforce\nmode: none\nmx: a.b\nmax_age: 5\nmax_age: x\n"), true,
      MTA_STS_ENFORCE, 5, SLICE("a.b\0") },
    { "longer than a year", SLICE("version: STSv1\nmode: enforce\nmx: a\nmax_age: 9999999999\n"), true, MTA_STS_ENFORCE,
      MTA_STS_AGE_MAX, SLICE("a\0") },
    { "blanks and empty lines", SLICE("version:  STSv1 \n\r\n\nmode: \tenforce\nmx: a \nmax_age: 7\n\n"), true,
      MTA_STS_ENFORCE, 7, SLICE("a\0") },
    { "no mx", SLICE("version: STSv1\nmode: enforce\nmax_age: 5\n"), false, 0, 0, SLICE_NONE },
    { "no mode", SLICE("version: STSv1\nmx: a\nmax_age: 5\n"), false, 0, 0, SLICE_NONE },
    { "no version", SLICE("mode: enforce\nmx: a\nmax_age: 5\n"), false, 0, 0, SLICE_NONE },
    { "no max_age", SLICE("version: STSv1\nmode: enforce\nmx: a\n"), false, 0, 0, SLICE_NONE },
    { "another version", SLICE("version: STSv2\nmode: enforce\nmx: a\nmax_age: 5\n"), false, 0, 0, SLICE_NONE },
    { "another mode", SLICE("version: STSv1\nmode: Enforce\nmx: a\nmax_age: 5\n"), false, 0, 0, SLICE_NONE },
    { "a number that is none", SLICE("version: STSv1\nmode: enforce\nmx: a\nmax_age: -5\n"), false, 0, 0, SLICE_NONE },
    { "a number too long", SLICE("version: STSv1\nmode: enforce\nmx: a\nmax_age: 00000000005\n"), false, 0, 0,
      SLICE_NONE },
    { "a web page", SLICE("<html>\n"), false, 0, 0, SLICE_NONE },
    { "a pattern in the middle", SLICE("version: STSv1\nmode: enforce\nmx: a.*.b\nmax_age: 5\n"), false, 0, 0,
      SLICE_NONE },
    { "a star alone", SLICE("version: STSv1\nmode: enforce\nmx: *.\nmax_age: 5\n"), false, 0, 0, SLICE_NONE },
    { "a NUL", SLICE("version: STSv1\nmode: enforce\nmx: a\0b\nmax_age: 5\n"), false, 0, 0, SLICE_NONE },
    { "nothing", SLICE(""), false, 0, 0, SLICE_NONE },
};

static void test_policies(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
        struct mta_sts_policy p;
        int rc = mta_sts_parse_policy(policies[i].body, &p);

        CASE("%s", policies[i].name);
        CHECK_INT(rc, policies[i].good ? 0 : -1);
        if (rc == 0) {
            CHECK_INT(p.mode, policies[i].mode);
            CHECK_INT(p.max_age, policies[i].max_age);
            CHECK_SLICE(buf_slice(&p.patterns), policies[i].patterns);
        }
        mta_sts_policy_release(&p);
    }
}

/* A policy that was cut anywhere is none, or one that was whole already. */
static void test_cut(void **state)
{
    static const struct slice whole = SLICE("version: STSv1\nmode: enforce\nmx: *.b\nmax_age: 123\n");
    char *exact;

    (void)state;
    for (size_t n = 0; n <= whole.n; n++) {
        struct mta_sts_policy p;
        int rc;

        CASE("%zu bytes", n);
        exact = malloc(n + 1);
        assert_non_null(exact);
        memcpy(exact, whole.p, n);
        rc = mta_sts_parse_policy(slice_make(exact, n), &p);
        CHECK_INT(rc, n > whole.n - sizeof("123") ? 0 : -1);
        CHECK(rc != 0 || mta_sts_names(&p, SLICE("a.b")));
        mta_sts_policy_release(&p);
        free(exact);
    }
}

static void test_too_long(void **state)
{
    struct buf body = BUF_INIT(MTA_STS_POLICY_MAX + 100);
    struct mta_sts_policy p;

    (void)state;
    assert_int_equal(buf_put_str(&body, "version: STSv1\nmode: enforce\nmax_age: 5\n"), 0);
    while (body.len + 5 < MTA_STS_POLICY_MAX)
        assert_int_equal(buf_put_str(&body, "mx:a\n"), 0);
    CHECK_INT(mta_sts_parse_policy(buf_slice(&body), &p), 0);
    mta_sts_policy_release(&p);
    assert_int_equal(buf_put_str(&body, "mx:a\nmx:a\n"), 0);
    CHECK_INT(mta_sts_parse_policy(buf_slice(&body), &p), -1);
    mta_sts_policy_release(&p);
    buf_release(&body);
}

/* --- whom it names --- */

static const struct {
    const char *host;
    bool named;
} hosts[] = {
    { "mail.example.com", true },
    { "MAIL.Example.com.", true },
    { "example.com", false },
    { "x.mail.example.com", false },
    { "a.example.net", true },
    { "a.b.example.net", false },
    { "example.net", false },
    { ".example.net", false },
    { "aexample.net", false },
    { "a.example.net.evil.org", false },
    { "", false },
};

static void test_hosts(void **state)
{
    struct mta_sts_policy p;

    (void)state;
    assert_int_equal(mta_sts_parse_policy(policies[0].body, &p), 0);
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        CASE("%s", hosts[i].host);
        CHECK_INT(mta_sts_names(&p, slice_str(hosts[i].host)), hosts[i].named);
    }
    mta_sts_policy_release(&p);
}

/* --- in a file --- */

static void test_kept(void **state)
{
    struct mta_sts_kept k = { .domain = "example.com", .id = "abc", .fetched = 1790000000 }, again;
    struct buf file = BUF_INIT(MTA_STS_KEPT_MAX);

    (void)state;
    assert_int_equal(mta_sts_parse_policy(policies[0].body, &k.policy), 0);
    CHECK_INT(mta_sts_put_kept(&k, &file), 0);
    CHECK_INT(mta_sts_parse_kept(buf_slice(&file), &again), 0);
    CHECK_SLICE(slice_str(again.domain), SLICE("example.com"));
    CHECK_SLICE(slice_str(again.id), SLICE("abc"));
    CHECK_INT(again.fetched, 1790000000);
    CHECK_INT(again.policy.mode, MTA_STS_ENFORCE);
    CHECK_INT(again.policy.max_age, 604800);
    CHECK_SLICE(buf_slice(&again.policy.patterns), buf_slice(&k.policy.patterns));
    mta_sts_policy_release(&again.policy);
    CHECK_INT(mta_sts_parse_kept(policies[0].body, &again), -1);
    mta_sts_policy_release(&again.policy);
    mta_sts_policy_release(&k.policy);
    buf_release(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),  cmocka_unit_test(test_policies), cmocka_unit_test(test_cut),
        cmocka_unit_test(test_too_long), cmocka_unit_test(test_hosts),    cmocka_unit_test(test_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
