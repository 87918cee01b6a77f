/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include "../unit.h"

/* The exit statuses that users' scripts rely on. */
static const struct {
    enum err_code code;
    int status;
} statuses[] = {
    { E_NONE, 0 },   { E_USAGE, 64 },  { E_CONFIG, 78 },   { E_NOFOLDER, 78 }, { E_AUTH, 77 }, { E_TLS, 69 },
    { E_PROTO, 76 }, { E_LACKS, 76 },  { E_REJECTED, 76 }, { E_DISK, 74 },     { E_NET, 75 },  { E_TIMEOUT, 75 },
    { E_BUSY, 75 },  { E_LOCKED, 75 }, { E_NOMEM, 75 },    { E_MESSAGE, 75 },
};

static void test_exit_status(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        CASE("%s", err_name(statuses[i].code));
        CHECK_INT(err_exit_status(statuses[i].code), statuses[i].status);
    }
}

static void test_names_differ(void **state)
{
    (void)state;
    for (int a = 0; a < E_CODE_COUNT; a++) {
        for (int b = 0; b < a; b++) {
            CASE("codes %d and %d", a, b);
            CHECK(strcmp(err_name((enum err_code)a), err_name((enum err_code)b)) != 0);
        }
    }
}

static void test_texts(void **state)
{
    struct err e = ERR_INIT;
    char line[256];

    (void)state;
    CASE("set");
    CHECK_INT(err_peer(&e, SLICE("of an earlier error")), -1);
    CHECK_INT(err_set(&e, E_AUTH, "host %s says %d", "a", 1), -1);
    CHECK_INT(e.code, E_AUTH);
    CHECK_INT(e.scope, SCOPE_ACCOUNT);
    CHECK_INT(e.retry, RETRY_NEVER);
    CHECK_SLICE(slice_str(e.text), SLICE("host a says 1"));
    CHECK_SLICE(slice_str(e.peer), SLICE(""));
    CASE("prefixed twice");
    CHECK_INT(err_ctx(&e, "folder %s", "b"), -1);
    CHECK_INT(err_ctx(&e, "account %s", "c"), -1);
    CHECK_SLICE(slice_str(e.text), SLICE("account c: folder b: host a says 1"));
    CASE("with the peer's words, which are trimmed and made printable");
    CHECK_INT(err_peer(&e, SLICE("  no \x1b[31m\xff\r\n")), -1);
    CHECK_SLICE(slice_str(e.peer), SLICE("no \\x1b[31m\\xff"));
    err_format(&e, line, sizeof(line));
    CHECK_SLICE(slice_str(line), SLICE("account c: folder b: host a says 1 (no \\x1b[31m\\xff)"));
    CASE("changed reach");
    CHECK_INT(err_scope(&e, SCOPE_MESSAGE), -1);
    CHECK_INT(err_retry(&e, RETRY_RECONNECT), -1);
    CHECK_INT(e.scope, SCOPE_MESSAGE);
    CHECK_INT(e.retry, RETRY_RECONNECT);
    CASE("the system's words");
    CHECK_INT(err_sys(&e, E_DISK, ENOSPC, "cannot write %s", "x"), -1);
    CHECK_SLICE(slice_str(e.text), SLICE("cannot write x: No space left on device"));
    CHECK_INT(e.scope, SCOPE_ACCOUNT);
    CASE("memory");
    CHECK_INT(err_nomem(&e), -1);
    CHECK_INT(e.code, E_NOMEM);
}

static void test_long_texts(void **state)
{
    struct err e = ERR_INIT;
    char words[5000], line[100];

    (void)state;
    memset(words, 'w', sizeof(words) - 1);
    words[sizeof(words) - 1] = '\0';
    CASE("texts are cut, never run over");
    CHECK_INT(err_set(&e, E_PROTO, "%s", words), -1);
    CHECK_INT(strlen(e.text), ERR_TEXT_MAX - 1);
    CHECK_INT(err_ctx(&e, "%s", "in front"), -1);
    CHECK(slice_starts(slice_str(e.text), SLICE("in front: www")));
    CHECK_INT(strlen(e.text), ERR_TEXT_MAX - 1);
    CHECK_INT(err_ctx(&e, "%s", words), -1);
    CHECK_INT(strlen(e.text), ERR_TEXT_MAX - 1);
    CHECK_INT(err_sys(&e, E_DISK, EIO, "%s", words), -1);
    CHECK_INT(strlen(e.text), ERR_TEXT_MAX - 1);
    CHECK_INT(err_peer(&e, slice_str(words)), -1);
    CHECK(strlen(e.peer) < ERR_PEER_MAX);
    CHECK(strlen(e.peer) > ERR_PEER_MAX / 2);
    err_format(&e, line, sizeof(line));
    CHECK_INT(strlen(line), sizeof(line) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exit_status),
        cmocka_unit_test(test_names_differ),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_long_texts),
    };

    return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
