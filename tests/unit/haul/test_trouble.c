/* SPDX-License-Identifier: MIT */
#include "haul/trouble.h"

#include "../unit.h"

static struct err of(enum err_code code)
{
    struct err e;

    err_set(&e, code, "%s", err_name(code));
    return e;
}

/* A new session at once makes sense only when it will do something in another way. */
static void test_decide(void **state)
{
    struct err cut = of(E_NET), folder = of(E_BUSY), proto = of(E_PROTO);

    (void)state;
    err_scope(&folder, SCOPE_FOLDER);
    CHECK_INT(trouble_decide(&cut, false), TROUBLE_END);
    CHECK_INT(trouble_decide(&cut, true), TROUBLE_RECONNECT);
    CHECK_INT(trouble_decide(&folder, false), TROUBLE_NEXT_FOLDER);
    CHECK_INT(trouble_decide(&folder, true), TROUBLE_NEXT_FOLDER);
    CHECK_INT(trouble_decide(&proto, true), TROUBLE_END);
    err_retry(&proto, RETRY_RECONNECT);
    CHECK_INT(trouble_decide(&proto, false), TROUBLE_END);
    CHECK_INT(trouble_decide(&proto, true), TROUBLE_RECONNECT);
}

static void test_every_code(void **state)
{
    (void)state;
    for (int code = E_USAGE; code < E_CODE_COUNT; code++) {
        struct err e = of((enum err_code)code);

        CASE("%s", err_name(e.code));
        CHECK_INT(trouble_decide(&e, false), e.scope == SCOPE_FOLDER ? TROUBLE_NEXT_FOLDER : TROUBLE_END);
    }
}

/* Of each two, the one that stands first in CONTRACT section 1 is kept, whichever came first. */
static void test_note(void **state)
{
    static const enum err_code ranked[] = { E_STOPPED, E_USAGE, E_CONFIG, E_AUTH, E_TLS, E_PROTO, E_DISK, E_NET };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ranked); i++) {
        for (size_t k = 0; k < ARRAY_LEN(ranked); k++) {
            struct err worst = ERR_INIT, first = of(ranked[i]), second = of(ranked[k]);

            CASE("%s, then %s", err_name(ranked[i]), err_name(ranked[k]));
            CHECK(trouble_note(&worst, &first));
            CHECK_INT(trouble_note(&worst, &second), k < i);
            CHECK_INT(worst.code, ranked[k < i ? k : i]);
        }
    }
}

static void test_note_equal_rank(void **state)
{
    struct err worst = ERR_INIT, busy = of(E_BUSY), cut = of(E_NET), lacks = of(E_LACKS), proto = of(E_PROTO);

    (void)state;
    CHECK(trouble_note(&worst, &busy));
    CHECK(!trouble_note(&worst, &cut));
    CHECK(trouble_note(&worst, &lacks));
    CHECK(!trouble_note(&worst, &proto));
    CHECK_INT(worst.code, E_LACKS);
}

/* --- the verdict over one destination ---------------------------------------------------------------------------- */

static struct verdict after(uint64_t accepted, uint64_t rejected, uint64_t put_off)
{
    return (struct verdict){ .accepted = accepted, .rejected = rejected, .put_off = put_off };
}

static void test_counts(void **state)
{
    struct verdict v = { 0 };

    (void)state;
    CHECK(verdict_holds(&v));
    verdict_add(&v, OUTCOME_REJECTED);
    verdict_add(&v, OUTCOME_PUT_OFF);
    verdict_add(&v, OUTCOME_DOUBT);
    verdict_add(&v, OUTCOME_UNFIT);
    CHECK(verdict_holds(&v));
    verdict_add(&v, OUTCOME_ACCEPTED);
    CHECK(!verdict_holds(&v));
    CHECK(v.accepted == 1 && v.rejected == 1 && v.put_off == 2);
}

static void test_meaning(void **state)
{
    static const struct {
        uint64_t accepted, rejected;
        unsigned tries;
        enum outcome outcome;
        enum meaning want;
    } cases[] = {
        /* It takes some: it is the message. */
        { 1, 1, 0, OUTCOME_REJECTED, MEANS_ASIDE },
        { 1, 500, 0, OUTCOME_REJECTED, MEANS_ASIDE },
        { 1, 0, 0, OUTCOME_PUT_OFF, MEANS_TRY },
        { 1, 0, 2, OUTCOME_PUT_OFF, MEANS_TRY },
        /* It has taken nothing. */
        { 0, 1, 0, OUTCOME_REJECTED, MEANS_ASIDE },
        { 0, 2, 0, OUTCOME_REJECTED, MEANS_ASIDE },
        { 0, 3, 0, OUTCOME_REJECTED, MEANS_NOTHING },
        { 0, 3, 2, OUTCOME_REJECTED, MEANS_NOTHING },
        { 0, 0, 0, OUTCOME_PUT_OFF, MEANS_NOTHING },
        { 0, 9, 0, OUTCOME_PUT_OFF, MEANS_NOTHING },
        { 0, 0, 1, OUTCOME_PUT_OFF, MEANS_TRY },
        /* Each hand-over may be one copy more. */
        { 0, 0, 0, OUTCOME_DOUBT, MEANS_TRY },
        { 1, 0, 0, OUTCOME_DOUBT, MEANS_TRY },
        /* The destination has nothing to do with it. */
        { 0, 0, 0, OUTCOME_UNFIT, MEANS_ASIDE },
        { 0, 9, 0, OUTCOME_UNFIT, MEANS_ASIDE },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct verdict v = after(cases[i].accepted, cases[i].rejected, 1);

        CASE("meaning %zu", i);
        CHECK_INT(verdict_meaning(&v, cases[i].outcome, cases[i].tries), cases[i].want);
    }
}

static void test_enough(void **state)
{
    struct verdict few = after(0, VERDICT_REJECTED_MAX - 1, VERDICT_PUT_OFF_MAX - 1);
    struct verdict rejected = after(0, VERDICT_REJECTED_MAX, 0), put_off = after(0, 0, VERDICT_PUT_OFF_MAX);
    struct verdict some = after(1, 1000, 1000);
    struct err e;

    (void)state;
    CHECK_INT(verdict_enough(&few, &e), 0);
    CHECK_INT(verdict_enough(&some, &e), 0);
    CHECK_INT(verdict_enough(&rejected, &e), -1);
    CHECK_INT(e.code, E_REJECTED);
    CHECK_INT(verdict_enough(&put_off, &e), -1);
    CHECK_INT(e.code, E_BUSY);
}

static void test_end_of_pass(void **state)
{
    struct verdict none = after(0, 0, 50), two = after(0, 2, 0), three = after(0, 3, 0), some = after(1, 300, 0);
    struct err e;

    (void)state;
    CHECK_INT(verdict_end(&none, &e), 0);
    CHECK_INT(verdict_end(&two, &e), 0);
    CHECK_INT(verdict_end(&some, &e), 0);
    CHECK_INT(verdict_end(&three, &e), -1);
    CHECK_INT(e.code, E_REJECTED);
    CHECK_INT(err_exit_status(e.code), 76);
}

static void test_whose_error(void **state)
{
    (void)state;
    for (int code = E_USAGE; code < E_CODE_COUNT; code++) {
        struct err e = of((enum err_code)code);

        CASE("%s", err_name(e.code));
        CHECK_INT(trouble_is_of_sink(&e), code != E_DISK && code != E_NOMEM && code != E_STOPPED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decide),          cmocka_unit_test(test_every_code),  cmocka_unit_test(test_note),
        cmocka_unit_test(test_note_equal_rank), cmocka_unit_test(test_counts),      cmocka_unit_test(test_meaning),
        cmocka_unit_test(test_enough),          cmocka_unit_test(test_end_of_pass), cmocka_unit_test(test_whose_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
