/* SPDX-License-Identifier: MIT */
#include "conf/conf_int.h"

#include "scratch.h"

#include <pty.h>
#include <sys/wait.h>

#include "base/clock.h"

/* What stands in the account, the password or the beginning of the error behind "DIR/". */
static const struct {
    const char *name, *keys, *password, *error;
    enum err_code code;
} cases[] = {
    { "literal", "password = 'p w'", "p w", NULL, E_NONE },
    { "the command's first line", "password_command = { printf, 'one\\ntwo\\n' }", "one", NULL, E_NONE },
    { "a command without line end", "password_command = { printf, one }", "one", NULL, E_NONE },
    { "CRLF", "password_command = { printf, 'one\\r\\n' }", "one", NULL, E_NONE },
    { "blanks belong to it", "password_command = { printf, ' one \\n' }", " one ", NULL, E_NONE },
    { "arguments see no shell", "password_command = { printf, '%s', '$HOME;`x`' }", "$HOME;`x`", NULL, E_NONE },
    { "a token instead of a password",
      "oauth_client_id = x oauth_token_url = 'https://t' oauth_device_url = 'https://d'", NULL,
      "account a logs in by OAuth 2.0", E_CONFIG },
    { "a password beside a token, for who asks",
      "password = x oauth_client_id = x oauth_token_url = 'https://t' oauth_device_url = 'https://d'", "x", NULL,
      E_NONE },
    { "a command that is not there", "password_command = { /no/such/program }", NULL,
      "password_command /no/such/program cannot be run: ", E_CONFIG },
    { "a command that fails", "password_command = { sh, -c, 'echo x; exit 3' }", NULL,
      "password_command sh failed with status 3", E_CONFIG },
    { "a command that is killed", "password_command = { sh, -c, 'kill -9 $$' }", NULL,
      "password_command sh was killed by signal 9", E_CONFIG },
    { "a command that says nothing", "password_command = { 'true' }", NULL, "password_command gave no password",
      E_CONFIG },
    { "an empty first line", "password_command = { printf, '\\nx' }", NULL, "password_command gave no password",
      E_CONFIG },
    { "a NUL", "password_command = { printf, 'a\\0b\\n' }", NULL, "password_command gave a password with a NUL",
      E_CONFIG },
    { "its input is empty", "password_command = { sh, -c, 'cat; echo end' }", "end", NULL, E_NONE },
    { "a file", "password_file = \"~/secret\"", "in the file", NULL, E_NONE },
    { "a file that others may read", "password_file = \"~/open\"", NULL, "password_file open can be read by others",
      E_CONFIG },
    { "no such file", "password_file = \"~/none\"", NULL, "password_file none cannot be read", E_CONFIG },
    { "netrc", "netrc = \"~/netrc\"", "mine", NULL, E_NONE },
    { "netrc, another user", "netrc = \"~/netrc\" user = 'other'", "his \"quoted\"", NULL, E_NONE },
    { "netrc, another host", "netrc = \"~/netrc\" host = 'unknown'", "for all", NULL, E_NONE },
    { "netrc, nobody", "netrc = \"~/netrc2\"", NULL, "netrc netrc2 has no password for me on mail.example.org",
      E_CONFIG },
};

static const char netrc[] = "# machine names\n"
                            "machine other.example.org login me password wrong\n"
                            "macdef init\nmachine mail.example.org login me password macro\n\n"
                            "machine Mail.Example.ORG\n\tlogin other\n\taccount x\n\tpassword \"his \\\"quoted\\\"\"\n"
                            "machine mail.example.org login me password mine\n"
                            "default login me password \"for all\"\n";

static void strip_directory(const struct scratch *s, char *text)
{
    char *at = strstr(text, s->dir);

    if (at != NULL)
        memmove(at, at + strlen(s->dir) + 1, strlen(at + strlen(s->dir) + 1) + 1);
}

static struct conf *load(struct scratch *s, const char *keys)
{
    struct conf *c = NULL;
    struct err e = ERR_INIT;
    char text[600];

    snprintf(text, sizeof(text), "account a { host = mail.example.org user = me deliver maildir { path = /m }\n%s }",
             keys);
    scratch_file(s, "c", 0600, slice_str(text));
    CHECK_INT(scratch_load(s, scratch_path(s, "c"), &c, &e), 0);
    return c;
}

static void test_sources(void **state)
{
    struct scratch *s = *state;

    scratch_file(s, "secret", 0600, SLICE("in the file\nnot this\n"));
    scratch_file(s, "open", 0644, SLICE("x\n"));
    scratch_file(s, "netrc", 0600, slice_str(netrc));
    scratch_file(s, "netrc2", 0600, SLICE("machine mail.example.org login you password x"));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct secret got = { NULL, 0 };
        struct err e = ERR_INIT;
        struct conf *c;

        CASE("%s", cases[i].name);
        c = load(s, cases[i].keys);
        if (cases[i].password != NULL) {
            CHECK_INT(conf_password(&c->accounts[0]->login, &got, &e), 0);
            CHECK_SLICE(secret_get(&got), slice_str(cases[i].password));
        } else {
            CHECK_INT(conf_password(&c->accounts[0]->login, &got, &e), -1);
            strip_directory(s, e.text);
            CHECK_SLICE(slice_make(e.text, size_min(strlen(e.text), strlen(cases[i].error))),
                        slice_str(cases[i].error));
            CHECK_INT(e.code, cases[i].code);
            CHECK(!secret_is_set(&got));
        }
        secret_release(&got);
        conf_free(&c);
    }
}

static int ask_file(struct conf *c)
{
    struct secret got = { NULL, 0 };
    struct err e = ERR_INIT;
    int rc = conf_password(&c->accounts[0]->login, &got, &e);

    secret_release(&got);
    return rc;
}

/* As systemd hands them over: the group's permission is the mask of an access control list. */
static void test_credentials(void **state)
{
    struct scratch *s = *state;
    struct conf *c;

    CHECK_INT(mkdir(scratch_path(s, "given"), 0700), 0);
    scratch_file(s, "given/work", 0440, SLICE("x\n"));
    scratch_file(s, "given/open", 0444, SLICE("x\n"));
    c = load(s, "password_file = \"~/given/work\"");
    CASE("a file of the group");
    CHECK_INT(ask_file(c), -1);
    CASE("is fine as a credential");
    CHECK_INT(setenv("CREDENTIALS_DIRECTORY", scratch_path(s, "given"), 1), 0);
    CHECK_INT(ask_file(c), 0);
    CASE("of another directory");
    CHECK_INT(setenv("CREDENTIALS_DIRECTORY", scratch_path(s, "giv"), 1), 0);
    CHECK_INT(ask_file(c), -1);
    conf_free(&c);
    CASE("for all to read");
    CHECK_INT(setenv("CREDENTIALS_DIRECTORY", scratch_path(s, "given"), 1), 0);
    c = load(s, "password_file = \"${CREDENTIALS_DIRECTORY}/open\"");
    CHECK_INT(ask_file(c), -1);
    conf_free(&c);
    CHECK_INT(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

/* A child that outlives its parent, holds the output open and would keep us for a minute. */
static void test_grandchildren(void **state)
{
    struct secret got = { NULL, 0 };
    struct err e = ERR_INIT;
    struct conf *c = load(*state, "password_command = { sh, -c, 'echo ready; exec >&-; exec sleep 60' }");
    int64_t begin = clock_mono_ms();

    CASE("a program that closes its output and stays is not waited for");
    CHECK_INT(conf_password(&c->accounts[0]->login, &got, &e), -1);
    CHECK_INT(e.code, E_CONFIG);
    CHECK(clock_mono_ms() - begin < 20 * 1000);
    secret_release(&got);
    conf_free(&c);
}

/* In the child of a terminal: 0 when the passwords are what the parent types. */
static int answers_of_child(struct conf *c, bool destinations)
{
    const struct conf_account *chosen = c->accounts[0];
    const struct conf_login *mta = &chosen->delivers[1].login;
    struct secret got = { NULL, 0 };
    struct err e = ERR_INIT;

    if (conf_ask_passwords(c, &chosen, 1, destinations, &e) != 0 || conf_password(&chosen->login, &got, &e) != 0)
        return 1;
    if (!slice_eq(secret_get(&got), SLICE("hunter 2")))
        return 2;
    if (!destinations)
        return secret_is_set(&mta->password) ? 3 : 0;
    return conf_password(mta, &got, &e) == 0 && slice_eq(secret_get(&got), SLICE("hunter 2")) ? 0 : 4;
}

static void check_questions(struct conf *c, bool destinations, const char *questions)
{
    char out[1000] = "";
    size_t n = 0, answered = 0;
    int master = -1, status = -1;
    ssize_t got;
    pid_t pid = forkpty(&master, NULL, NULL, NULL);

    CHECK(pid >= 0);
    if (pid == 0)
        _exit(answers_of_child(c, destinations));
    while (n + 1 < sizeof(out) && (got = read(master, out + n, sizeof(out) - 1 - n)) > 0) {
        size_t asked = 0;

        n += (size_t)got;
        for (const char *p = out; (p = strstr(p, "): ")) != NULL; p++)
            asked++;
        for (; answered < asked; answered++)
            CHECK_INT(io_write_all(master, "hunter 2\n", 9), 0);
    }
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK_INT(status, 0);
    CHECK_SLICE(slice_str(out), slice_str(questions));
    close(master);
}

static void test_terminal(void **state)
{
    struct conf *c = load(*state, "deliver mta { type = smtp host = mx to = x user = you }");

    CASE("asked on the terminal, without echo, once");
    check_questions(c, false, "Password of me at mail.example.org (account a): \r\n");
    CASE("those of destinations too");
    check_questions(c, true,
                    "Password of me at mail.example.org (account a): \r\n"
                    "Password of you at mx (account a, destination mta): \r\n");
    conf_free(&c);
}

/* Who is asked for a password at the start, when no key gives one. */
static void test_who_is_asked(void **state)
{
    static const struct {
        const char *keys;
        bool asked, sends;
    } logins[] = {
        { "", true, true },
        { "auth = { scram-sha-256, plain }", true, true },
        { "auth = gssapi", false, false },
        { "auth = { gssapi, plain }", true, true },
        { "tls_cert_file = /c", false, true },
        { "tls_cert_file = /c auth = external", false, false },
        { "tls_cert_file = /c auth = plain", true, true },
        { "oauth_client_id = x oauth_token_url = 'https://t' oauth_device_url = 'https://d'", false, false },
        { "oauth_client_id = x auth = plain", true, true },
        { "oauth_client_id = x auth = { plain, xoauth2 } oauth_token_url = 'https://t' oauth_device_url = 'https://d'",
          false, false },
    };

    for (size_t i = 0; i < ARRAY_LEN(logins); i++) {
        struct conf *c = load(*state, logins[i].keys);
        const struct conf_account *a = c->accounts[0];

        CASE("%s", logins[i].keys);
        CHECK_INT(conf_login_wants_password(&a->login, &a->tls_settings), logins[i].asked);
        CHECK_INT(conf_login_sends_password(&a->login), logins[i].sends);
        conf_free(&c);
    }
}

static void test_destination(void **state)
{
    struct scratch *s = *state;
    struct secret got = { NULL, 0 };
    struct err e = ERR_INIT;
    char keys[400];
    struct conf *c;

    CASE("a destination's netrc is asked for the destination's host and user");
    scratch_file(s, "netrc", 0600,
                 SLICE("machine mail.example.org login me password no\nmachine mx login you password yes\n"));
    snprintf(keys, sizeof(keys), "deliver smtp { host = mx to = x user = you netrc = '%s' }", scratch_path(s, "netrc"));
    c = load(s, keys);
    CHECK_INT(conf_password(&c->accounts[0]->delivers[1].login, &got, &e), 0);
    CHECK_SLICE(secret_get(&got), SLICE("yes"));
    secret_release(&got);
    conf_free(&c);
}

static void test_nearest(void **state)
{
    static const char *const names[] = { "host", "port", "protocol", "password", "password_command", "user", "INBOX" };
    static const struct {
        const char *word, *near;
    } slips[] = {
        { "hots", "host" },
        { "hst", "host" },
        { "Port", "port" },
        { "passwrod", "password" },
        { "pasword", "password" },
        { "pass", "password" },
        { "username", "user" },
        { "inbox", "INBOX" },
        { "protcoll", "protocol" },
        { "frobnicate", NULL },
        { "x", NULL },
        { "", NULL },
        { "password_comand", "password_command" },
    };
    char huge[5000];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(slips); i++) {
        CASE("%s", slips[i].word);
        CHECK_SLICE(slice_str(conf_nearest(slips[i].word, names, ARRAY_LEN(names))), slice_str(slips[i].near));
    }
    CASE("a huge word");
    memset(huge, 'p', sizeof(huge) - 1);
    huge[sizeof(huge) - 1] = '\0';
    CHECK(conf_nearest(huge, names, ARRAY_LEN(names)) == NULL);
    CASE("no names");
    CHECK(conf_nearest("host", names, 0) == NULL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_sources),     TEST(test_credentials),  TEST(test_grandchildren),       TEST(test_terminal),
        TEST(test_destination), TEST(test_who_is_asked), cmocka_unit_test(test_nearest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
