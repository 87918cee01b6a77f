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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decide),
        cmocka_unit_test(test_every_code),
        cmocka_unit_test(test_note),
        cmocka_unit_test(test_note_equal_rank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
