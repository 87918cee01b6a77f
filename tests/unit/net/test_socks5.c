/* SPDX-License-Identifier: MIT
 * SOCKS5 against a scripted proxy: what is asked to the byte, every refusal, every place where the proxy may fall
 * silent.
 */
#include "peer.h"

#define HELLO       "\x05\x01\x00"
#define HELLO_LOGIN "\x05\x02\x00\x02"
#define LOGIN       "\x01\x02me\x06secret"
#define ASK_NAME    "\x05\x01\x00\x03\x10imap.example.org\x03\xe1"
#define BOUND       "\x00\x01\x7f\x00\x00\x01\x04\x38"

struct script {
    const char *name;
    const char *host;
    bool login;
    /* What the proxy reads and answers, in turn; an empty answer ends the script. */
    struct slice ask[3], answer[3];
    int code;
    const char *words;
};

static const struct script scripts[] = {
    { "no login",
      "imap.example.org",
      false,
      { SLICE(HELLO), SLICE(ASK_NAME) },
      { SLICE("\x05\x00"), SLICE("\x05\x00" BOUND "* OK hi\r\n") },
      E_NONE,
      NULL },
    { "login",
      "imap.example.org",
      true,
      { SLICE(HELLO_LOGIN), SLICE(LOGIN), SLICE(ASK_NAME) },
      { SLICE("\x05\x02"), SLICE("\x01\x00"), SLICE("\x05\x00" BOUND "* OK hi\r\n") },
      E_NONE,
      NULL },
    { "login offered, not wanted",
      "imap.example.org",
      true,
      { SLICE(HELLO_LOGIN), SLICE(ASK_NAME) },
      { SLICE("\x05\x00"), SLICE("\x05\x00" BOUND "* OK hi\r\n") },
      E_NONE,
      NULL },
    { "IPv4",
      "192.0.2.1",
      false,
      { SLICE(HELLO), SLICE("\x05\x01\x00\x01\xc0\x00\x02\x01\x03\xe1") },
      { SLICE("\x05\x00"), SLICE("\x05\x00" BOUND "* OK hi\r\n") },
      E_NONE,
      NULL },
    { "IPv6",
      "2001:db8::1",
      false,
      { SLICE(HELLO), SLICE("\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x03\xe1") },
      { SLICE("\x05\x00"), SLICE("\x05\x00\x00\x04"
                                 "0123456789abcdef"
                                 "\x04\x38* OK hi\r\n") },
      E_NONE,
      NULL },
    { "bound to a name",
      "imap.example.org",
      false,
      { SLICE(HELLO), SLICE(ASK_NAME) },
      { SLICE("\x05\x00"), SLICE("\x05\x00\x00\x03\x05proxy\x04\x38* OK hi\r\n") },
      E_NONE,
      NULL },
    { "login wanted",
      "imap.example.org",
      false,
      { SLICE(HELLO) },
      { SLICE("\x05\xff") },
      E_AUTH,
      "a user and a password" },
    { "no way to log in", "imap.example.org", true, { SLICE(HELLO_LOGIN) }, { SLICE("\x05\xff") }, E_AUTH, "no way" },
    { "a method not offered", "imap.example.org", false, { SLICE(HELLO) }, { SLICE("\x05\x02") }, E_AUTH, "no way" },
    { "login refused",
      "imap.example.org",
      true,
      { SLICE(HELLO_LOGIN), SLICE(LOGIN) },
      { SLICE("\x05\x02"), SLICE("\x01\x01") },
      E_AUTH,
      "refused the user or the password" },
    { "no proxy",
      "imap.example.org",
      false,
      { SLICE(HELLO) },
      { SLICE("HTTP/1.1 400 Bad\r\n") },
      E_PROTO,
      "no SOCKS5 proxy" },
    { "odd reply",
      "imap.example.org",
      false,
      { SLICE(HELLO), SLICE(ASK_NAME) },
      { SLICE("\x05\x00"), SLICE("\x04\x00" BOUND) },
      E_PROTO,
      "not SOCKS5" },
    { "odd address",
      "imap.example.org",
      false,
      { SLICE(HELLO), SLICE(ASK_NAME) },
      { SLICE("\x05\x00"), SLICE("\x05\x00\x00\x02\x7f\x00\x00\x01\x04\x38") },
      E_PROTO,
      "not SOCKS5" },
    { "silence in the method", "imap.example.org", false, { SLICE(HELLO) }, { SLICE("\x05") }, E_NET, "closed" },
    { "silence in the reply",
      "imap.example.org",
      false,
      { SLICE(HELLO), SLICE(ASK_NAME) },
      { SLICE("\x05\x00"), SLICE("\x05\x00\x00\x01\x7f") },
      E_NET,
      "closed" },
    { "silence in the name",
      "imap.example.org",
      false,
      { SLICE(HELLO), SLICE(ASK_NAME) },
      { SLICE("\x05\x00"), SLICE("\x05\x00\x00\x03\xff"
                                 "abc") },
      E_NET,
      "closed" },
};

static void follow(struct peer *p)
{
    const struct script *c = p->arg;

    for (size_t i = 0; i < ARRAY_LEN(c->ask) && c->ask[i].n > 0; i++) {
        if (!peer_take(p, c->ask[i].n) || !peer_send(p, c->answer[i]))
            return;
    }
}

static struct dial_options options_of(const struct script *c)
{
    return (struct dial_options){
        .host = c->host, .port = 993, .proxy_user = c->login ? "me" : NULL, .proxy_password = c->login ? "secret" : NULL
    };
}

static void each_script(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        const struct script *c = &scripts[i];
        struct dial_options o = options_of(c);
        char asked[200];
        size_t asked_n = 0;
        struct peer p;
        struct stream *s = peer_start(&p, follow, c, 5000);
        struct slice line;
        struct err e = ERR_INIT;

        CASE("%s", c->name);
        CHECK_INT(socks5_connect(s, &o, &e), c->code == E_NONE ? 0 : -1);
        CHECK_INT(e.code, c->code);
        if (c->code == E_NONE) {
            CHECK_INT(stream_line(s, 100, &line, &e), 0);
            CHECK_SLICE(line, SLICE("* OK hi"));
        } else {
            CHECK_HAS(e.text, c->words);
        }
        stream_close(&s);
        peer_join(&p);
        for (size_t k = 0; k < ARRAY_LEN(c->ask) && c->ask[k].n > 0; k++) {
            memcpy(asked + asked_n, c->ask[k].p, c->ask[k].n);
            asked_n += c->ask[k].n;
        }
        CHECK_SLICE(slice_make(p.seen, p.seen_n), slice_make(asked, asked_n));
    }
}

static void each_refusal(void **state)
{
    static const char *const words[] = { "failed",           "rules",           "network unreachable",
                                         "host unreachable", "refused",         "no answer",
                                         "cannot make",      "kind of address", "refused" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        char answer[] = "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00";
        struct script c = { .host = "imap.example.org",
                            .ask = { SLICE(HELLO), SLICE(ASK_NAME) },
                            .answer = { SLICE("\x05\x00"), slice_make(answer, 10) } };
        struct dial_options o = options_of(&c);
        struct peer p;
        struct stream *s;
        struct err e;

        CASE("refusal %zu", i + 1);
        answer[1] = (char)(i + 1);
        s = peer_start(&p, follow, &c, 5000);
        CHECK_INT(socks5_connect(s, &o, &e), -1);
        CHECK_INT(e.code, E_NET);
        CHECK_HAS(e.text, "imap.example.org port 993 through the proxy");
        CHECK_HAS(e.text, words[i]);
        stream_close(&s);
        peer_join(&p);
    }
}

/* Every cut of a good conversation ends in an error, not in a wait or a crash. */
static void replies_cut_anywhere(void **state)
{
    static const char whole[] = "\x05\x02\x01\x00\x05\x00\x00\x03\x05proxy\x04\x38";
    struct dial_options o = options_of(&scripts[1]);
    struct err e;

    (void)state;
    for (size_t n = 0; n < sizeof(whole); n++) {
        struct stream *s;

        CASE("%zu bytes of the proxy", n);
        CHECK_INT(stream_memory(slice_make(whole, n), 1, NULL, &s, &e), 0);
        CHECK_INT(socks5_connect(s, &o, &e), n == sizeof(whole) - 1 ? 0 : -1);
        stream_close(&s);
        if (n == sizeof(whole) - 1)
            break;
        CHECK_INT(e.code, E_NET);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_script),
        cmocka_unit_test(each_refusal),
        cmocka_unit_test(replies_cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
