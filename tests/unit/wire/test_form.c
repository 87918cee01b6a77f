/* SPDX-License-Identifier: MIT */
#include "wire/form.h"

#include <stdlib.h>

#include "../unit.h"

static void test_put(void **state)
{
    struct buf b = BUF_INIT(64);

    (void)state;
    CASE("what is escaped");
    CHECK_INT(form_put(&b, "a", SLICE("az AZ09-._~")), 0);
    CHECK_INT(form_put(&b, "b", SLICE("&=\xff\0")), 0);
    CHECK_SLICE(buf_slice(&b), SLICE("a=az%20AZ09-._~&b=%26%3D%FF%00"));
    CASE("behind an address");
    buf_clear(&b);
    CHECK_INT(buf_put_str(&b, "https://h/?"), 0);
    CHECK_INT(form_put(&b, "c", SLICE("")), 0);
    CHECK_SLICE(buf_slice(&b), SLICE("https://h/?c="));
    CASE("what does not fit leaves nothing");
    CHECK_INT(form_put(&b, "d", SLICE("                                ")), -1);
    CHECK_SLICE(buf_slice(&b), SLICE("https://h/?c="));
    buf_release(&b);
}

static const struct {
    struct slice form;
    const char *name;
    const char *value; /* NULL: there is none */
} cases[] = {
    { SLICE("a=1&b=2"), "a", "1" },
    { SLICE("a=1&b=2"), "b", "2" },
    { SLICE("a=1&b=2"), "c", NULL },
    { SLICE("ab=1"), "a", NULL },
    { SLICE("a"), "a", NULL },
    { SLICE("a="), "a", "" },
    { SLICE("&&a=x&&"), "a", "x" },
    { SLICE("a=x=y"), "a", "x=y" },
    { SLICE("a=b+c%20d%2fe%2F"), "a", "b c d/e/" },
    { SLICE("a=1&a=1"), "a", NULL },
    { SLICE("a=%"), "a", NULL },
    { SLICE("a=%4"), "a", NULL },
    { SLICE("a=%4g"), "a", NULL },
    { SLICE("a=%00"), "a", NULL },
    { SLICE("a=x\0y"), "a", NULL },
    { SLICE("a=0123456789abcdef0123456789abcdef0"), "a", NULL },
    { SLICE_NONE, "a", NULL },
};

static void test_get(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct slice form = cases[i].form;
        char *exact = malloc(form.n + (form.n == 0));
        struct buf out = BUF_INIT(32);

        CASE("%.*s", (int)form.n, form.n > 0 ? form.p : "");
        if (form.n > 0)
            memcpy(exact, form.p, form.n);
        CHECK_INT(form_get(slice_make(exact, form.n), cases[i].name, &out), cases[i].value != NULL);
        CHECK_SLICE(buf_slice(&out), slice_str(cases[i].value != NULL ? cases[i].value : ""));
        buf_release(&out);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_put), cmocka_unit_test(test_get) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
