/* SPDX-License-Identifier: MIT */
#include "conf/conf_int.h"

#include "scratch.h"

static struct conf *load(struct scratch *s, const char *text)
{
    struct conf *c = NULL;
    struct err e = ERR_INIT;

    scratch_file(s, "c", 0600, slice_str(text));
    CHECK_INT(scratch_load(s, scratch_path(s, "c"), &c, &e), 0);
    CHECK_SLICE(slice_str(s->said), SLICE(""));
    return c;
}

#define OAUTH "oauth_authorize_url = 'https://a' oauth_token_url = 'https://t'"

/* The second line of keys, one each; none is the default. */
static const char *const differences[] = {
    "enabled = no",
    "protocol = pop3",
    "provider = gmail",
    "provider = posteo",
    "host = other",
    "port = 1",
    "tls = starttls",
    "timeout = 7",
    "address_family = ipv4",
    "bind_address = \"127.0.0.2\"",
    "proxy = \"socks5://x\"",
    "proxy = \"socks5://x:99\"",
    "proxy = \"socks5://a:b@x\"",
    "proxy = \"socks5://a:c@x\"",
    "tunnel = x tls = plaintext",
    "disable_extensions = MOVE",
    "max_connections = 9",
    "compress = yes",
    "tls_trust_file = /t",
    "tls_cert_file = /c",
    "tls_cert_file = /d",
    "tls_min_version = 1.3",
    "user = other",
    "authorize_as = x",
    "password = x",
    "password = y",
    "password_command = cat",
    "password_command = { cat, x }",
    "password_file = /p",
    "oauth_client_id = x " OAUTH,
    "oauth_client_id = y " OAUTH,
    "oauth_client_secret = x oauth_client_id = x " OAUTH,
    "oauth_client_secret = y oauth_client_id = x " OAUTH,
    "oauth_tenant = x oauth_client_id = x " OAUTH,
    "oauth_scopes = x oauth_client_id = x " OAUTH,
    "oauth_scopes = { x, y } oauth_client_id = x " OAUTH,
    "oauth_device_url = 'https://d' oauth_client_id = x " OAUTH,
    "oauth_grant = client_credentials oauth_client_id = x oauth_client_secret = x " OAUTH,
    "oauth_authorize_url = 'https://b' oauth_client_id = x oauth_token_url = 'https://t'",
    "oauth_token_url = 'https://u' oauth_client_id = x oauth_authorize_url = 'https://a'",
    "netrc = /n",
    "auth = plain",
    "folders = { A }",
    "folders = { A, B }",
    "leave_on_server = 3d",
    "max_size = 7",
    "max_messages = 7",
    "interval = 7",
    "idle = { }",
    "on_new_mail = x",
    "on_failure = x",
    "on_recovery = x",
    "failure_threshold = 7",
    "deliver maildir { path = /other }",
    "deliver maildir { path = /m layout = fs }",
    "deliver maildir { path = /m on_reject = drop }",
    "deliver renamed { type = maildir path = /m }",
    "deliver maildir { path = /m } deliver two { type = maildir path = /m }",
    "deliver smtp { host = h to = x }",
    "deliver smtp { host = h to = y }",
    "deliver smtp { host = h to = y user = u password = x }",
    "deliver smtp { host = h to = y user = u password = z }",
    "deliver command { command = cat }",
    "deliver command { command = cat newline = crlf }",
};

static void test_every_difference(void **state)
{
    enum { N = ARRAY_LEN(differences) };
    struct scratch *s = *state;
    struct conf *all[N + 1];
    char text[400];

    for (size_t i = 0; i <= N; i++) {
        snprintf(text, sizeof(text),
                 "defaults { host = h user = u deliver maildir { path = /m } }\naccount a {\n%s }\n",
                 i < N ? differences[i] : "");
        all[i] = load(s, text);
    }
    for (size_t i = 0; i <= N; i++) {
        for (size_t k = 0; k <= N; k++) {
            CASE("%s and %s", i < N ? differences[i] : "nothing", k < N ? differences[k] : "nothing");
            CHECK_INT(conf_account_equal(all[i]->accounts[0], all[k]->accounts[0]), i == k);
        }
    }
    for (size_t i = 0; i <= N; i++)
        conf_free(&all[i]);
}

static void test_every_key_is_tried(void **state)
{
    (void)state;
    for (size_t i = 0; i < conf_key_count; i++) {
        const struct conf_key *key = &conf_keys[i];
        bool found = key->where != IN_ACCOUNT || key->kind == KIND_LATER || key->size == 0;

        for (size_t k = 0; k < ARRAY_LEN(differences) && !found; k++)
            found = slice_starts(slice_str(differences[k]), slice_str(key->name));
        /* Those that need another beside them. */
        found = found || strcmp(key->name, "tls_fingerprint") == 0 || strcmp(key->name, "tls_key_file") == 0;
        CASE("%s", key->name);
        CHECK(found);
    }
}

#define TEXT(globals, accounts)                                                                                        \
    globals "\ndefaults { host = h user = u deliver maildir { path = \"/m/%a\" } }\n" accounts

static void test_what_is_the_same_goes_on(void **state)
{
    struct scratch *s = *state;
    struct conf *before = load(s, TEXT("", "account a { } account b { } account c { } account d { }"));
    struct conf *now = load(s, TEXT("\n\n", "account d { } account a { }\naccount new { } account c { interval = 9 }"));
    const struct conf_account *a = before->accounts[0], *c = before->accounts[2], *d = before->accounts[3];
    struct buf fixed = BUF_INIT(300);
    struct err e = ERR_INIT;
    size_t same = 0;

    CHECK_INT(conf_carry_over(before, now, &same, &fixed, &e), 0);
    CHECK_INT(same, 2);
    CHECK_INT(fixed.len, 0);
    CASE("the same object, in the new order");
    CHECK(now->accounts[0] == d && now->accounts[1] == a);
    CASE("a changed one is a new object, and the old one is there still");
    CHECK(conf_find(now, "c") != c && conf_find(now, "c")->interval == 9);
    CHECK(conf_find(before, "c") == c && c->interval == 300);
    CASE("one that is gone is there still");
    CHECK(conf_find(before, "b") != NULL && conf_find(now, "b") == NULL);
    CHECK(conf_find(now, "new") != NULL);
    conf_free(&before);
    CASE("what was the same outlives the old configuration");
    CHECK_SLICE(slice_str(a->delivers[0].path), SLICE("/m/a"));
    conf_free(&now);
}

static void test_fixed_keys(void **state)
{
    struct scratch *s = *state;
    struct conf *before =
        load(s, TEXT("state_dir = /s max_sessions = 3 metrics_listen = \"127.0.0.1:1\"", "account a { }"));
    struct conf *now = load(s, TEXT("state_dir = /t max_sessions = 4 metrics_listen = \"127.0.0.1:2\" syslog = yes "
                                    "log_file = /l",
                                    "account a { }"));
    struct buf fixed = BUF_INIT(300);
    struct err e = ERR_INIT;
    size_t same = 0;

    CHECK_INT(conf_carry_over(before, now, &same, &fixed, &e), 0);
    CHECK_SLICE(buf_slice(&fixed), SLICE("state_dir, spool_dir, log_file, syslog, metrics_listen"));
    CHECK_INT(now->max_sessions, 4);
    CHECK_SLICE(slice_str(now->state_dir), SLICE("/s"));
    CHECK_SLICE(slice_str(now->spool_dir), SLICE("/s"));
    CHECK_INT(now->metrics_port, 1);
    CHECK(!now->syslog && now->log_file == NULL);
    CHECK_INT(same, 1);
    buf_release(&fixed);
    conf_free(&before);
    conf_free(&now);
}

static void test_typed_passwords(void **state)
{
    static const struct {
        const char *name, *now;
        bool kept, same;
    } cases[] = {
        { "as it was", TEXT("", "account a { }"), true, true },
        { "something else changed", TEXT("", "account a { interval = 9 }"), true, false },
        { "somebody else", TEXT("", "account a { user = v }"), false, false },
        { "somewhere else", TEXT("", "account a { host = other }"), false, false },
        { "now there is a file", TEXT("", "account a { password_file = /p }"), false, false },
        { "now it is a token", TEXT("", "account a { oauth_client_id = x " OAUTH " }"), false, false },
    };
    struct scratch *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct conf *before, *now;
        struct buf fixed = BUF_INIT(300);
        struct err e = ERR_INIT;
        size_t same = 0;

        CASE("%s", cases[i].name);
        before = load(s, TEXT("", "account a { }"));
        now = load(s, cases[i].now);
        CHECK_INT(secret_set(&before->accounts[0]->login.password, SLICE("hunter 2")), 0);
        before->accounts[0]->login.typed = true;
        CHECK_INT(conf_carry_over(before, now, &same, &fixed, &e), 0);
        CHECK_INT(same, cases[i].same);
        CHECK_SLICE(secret_get(&now->accounts[0]->login.password), cases[i].kept ? SLICE("hunter 2") : SLICE_NONE);
        conf_free(&before);
        conf_free(&now);
    }

    CASE("a password that was written, and is not there any more, was not typed");
    struct conf *before = load(s, TEXT("", "account a { password = x }")), *now = load(s, TEXT("", "account a { }"));
    struct buf fixed = BUF_INIT(300);
    struct err e = ERR_INIT;
    size_t same = 0;
    CHECK_INT(conf_carry_over(before, now, &same, &fixed, &e), 0);
    CHECK(!secret_is_set(&now->accounts[0]->login.password));
    conf_free(&before);
    conf_free(&now);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_every_difference), TEST(test_every_key_is_tried), TEST(test_what_is_the_same_goes_on),
        TEST(test_fixed_keys),       TEST(test_typed_passwords),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
