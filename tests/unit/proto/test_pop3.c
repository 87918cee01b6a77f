/* SPDX-License-Identifier: MIT */
#include "proto/pop3.h"

#include "../unit.h"
#include "wire/limits.h"

static const char password[] = "s3cret";

static int give_password(void *ctx, struct secret *out, struct err *e)
{
    return secret_set(out, slice_str(ctx)) == 0 ? 0 : err_nomem(e);
}

/* One connection: what the server says is there from the start, what we say is collected. */
struct play {
    struct server server;
    struct pop3 pop3;
    struct stream *stream;
    struct buf sent;
    struct err e;
};

static void play_open(struct play *p, struct slice input, size_t chunk)
{
    *p = (struct play){ .sent = BUF_INIT(1 << 20), .e = ERR_INIT };
    p->server = (struct server){
        .dial = { .host = "pop.example.org", .port = 110 },
        .tls = SERVER_PLAINTEXT,
        .user = "anna",
        .password = give_password,
        .password_ctx = (void *)(uintptr_t)password,
    };
    pop3_init(&p->pop3, &p->server);
    assert_int_equal(stream_memory(input, chunk, &p->sent, &p->stream, &p->e), 0);
}

static void play_close(struct play *p)
{
    pop3_release(&p->pop3);
    buf_release(&p->sent);
}

static bool sent_has(const struct play *p, const char *words)
{
    return memmem(buf_cstr(&p->sent), p->sent.len, words, strlen(words)) != NULL;
}

/* --- greeting --- */

static void test_greeting(void **state)
{
    static const struct {
        const char *bytes;
        enum err_code code;
    } cases[] = {
        { "+OK ready\r\n", E_NONE },
        { "+OK\r\n", E_NONE },
        { "-ERR too many connections\r\n", E_BUSY },
        { "* OK [CAPABILITY IMAP4rev1] ready\r\n", E_PROTO },
        { "220 mail.example.org ESMTP\r\n", E_PROTO },
        { "+OKAY\r\n", E_PROTO },
        { "+ go on\r\n", E_PROTO },
        { "\r\n", E_PROTO },
        { "", E_NET },
        { "+OK ready", E_NET },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        EVERY_CHUNK_SIZE(chunk, strlen(cases[i].bytes))
        {
            struct play p;

            CASE("%s chunk %zu", cases[i].bytes, chunk);
            play_open(&p, slice_str(cases[i].bytes), chunk);
            CHECK_INT(pop3_start(&p.pop3, p.stream, &p.e), cases[i].code == E_NONE ? 0 : -1);
            CHECK_INT(p.e.code, cases[i].code);
            pop3_release(&p.pop3);
            CHECK_SLICE(buf_slice(&p.sent), cases[i].code == E_NONE ? SLICE("QUIT\r\n") : SLICE(""));
            play_close(&p);
        }
    }
}

/* --- STLS --- */

static void test_stls(void **state)
{
    static const struct {
        const char *bytes;
        enum err_code code;
    } cases[] = {
        { "+OK\r\n-ERR unknown command\r\n", E_TLS },
        { "+OK\r\n+OK begin TLS\r\n+OK logged in\r\n", E_TLS },
        { "+OK\r\n+ begin\r\n", E_PROTO },
        { "+OK\r\n", E_NET },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct play p;

        CASE("%s", cases[i].bytes);
        play_open(&p, slice_str(cases[i].bytes), 0);
        p.server.tls = SERVER_TLS_STARTTLS;
        CHECK_INT(pop3_start(&p.pop3, p.stream, &p.e), -1);
        CHECK_INT(p.e.code, cases[i].code);
        pop3_release(&p.pop3);
        CHECK_SLICE(buf_slice(&p.sent), SLICE("STLS\r\n"));
        play_close(&p);
    }
}

static void test_stls_disabled(void **state)
{
    static const char *const disabled[] = { "stls", NULL };
    struct play p;

    (void)state;
    CASE("STLS is in disable_extensions");
    play_open(&p, SLICE("+OK\r\n+OK\r\n"), 0);
    p.server.tls = SERVER_TLS_STARTTLS;
    p.server.disabled = disabled;
    CHECK_INT(pop3_start(&p.pop3, p.stream, &p.e), -1);
    CHECK_INT(p.e.code, E_TLS);
    CHECK_INT(p.sent.len, 0);
    play_close(&p);
}

/* --- CAPA and login --- */

static const char long_password[] =
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901"
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901"
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901";

static const struct login_case {
    const char *name;
    const char *capa; /* the reply to CAPA */
    const char *rest; /* what follows it */
    const char *password;
    const char *auth;      /* NULL: auto */
    const char *authorize; /* authorize_as */
    const char *disabled;
    enum err_code code;
    const char *sent; /* behind CAPA */
} logins[] = {
    { "SASL PLAIN", "+OK\r\nSASL LOGIN PLAIN\r\n.\r\n", "+OK in\r\n", password, NULL, NULL, NULL, E_NONE,
      "AUTH PLAIN AGFubmEAczNjcmV0\r\n" },
    { "a line over 255 octets goes in two", "+OK\r\nSASL PLAIN\r\n.\r\n", "+ \r\n+OK in\r\n", long_password, NULL, NULL,
      NULL, E_NONE,
      "AUTH PLAIN\r\n"
      "AGFubmEAMDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MD"
      "EyMzQ1Njc4OTAxMjM0NTY3ODkwMTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2"
      "Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMT"
      "IzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAx"
      "\r\n" },
    { "a server that overlooks the initial response", "+OK\r\nSASL PLAIN\r\n.\r\n", "+\r\n+OK in\r\n", password, NULL,
      NULL, NULL, E_NONE, "AUTH PLAIN AGFubmEAczNjcmV0\r\nAGFubmEAczNjcmV0\r\n" },
    { "challenges without end", "+OK\r\nSASL PLAIN\r\n.\r\n", "+ \r\n+ \r\n+ \r\n", password, NULL, NULL, NULL, E_PROTO,
      "AUTH PLAIN AGFubmEAczNjcmV0\r\nAGFubmEAczNjcmV0\r\n*\r\n" },
    { "USER and PASS", "+OK\r\nUSER\r\n.\r\n", "+OK\r\n+OK\r\n", password, NULL, NULL, NULL, E_NONE,
      "USER anna\r\nPASS s3cret\r\n" },
    { "no CAPA", "-ERR what\r\n", "+OK\r\n+OK\r\n", password, NULL, NULL, NULL, E_NONE,
      "USER anna\r\nPASS s3cret\r\n" },
    { "PLAIN disabled", "+OK\r\nSASL PLAIN\r\n.\r\n", "+OK\r\n+OK\r\n", password, NULL, NULL, "AUTH=PLAIN", E_NONE,
      "USER anna\r\nPASS s3cret\r\n" },
    { "PLAIN demanded, not offered", "+OK\r\nUSER\r\n.\r\n", "", password, "plain", NULL, NULL, E_LACKS, "" },
    { "PLAIN demanded, no CAPA: no initial response (RFC 5034 section 3)", "-ERR\r\n", "+ \r\n+OK\r\n", password,
      "plain", NULL, NULL, E_NONE, "AUTH PLAIN\r\nAGFubmEAczNjcmV0\r\n" },
    { "login demanded, PLAIN offered", "+OK\r\nSASL PLAIN\r\n.\r\n", "+OK\r\n+OK\r\n", password, "login", NULL, NULL,
      E_NONE, "USER anna\r\nPASS s3cret\r\n" },
    { "authorize_as needs PLAIN", "+OK\r\nUSER\r\n.\r\n", "", password, NULL, "bert", NULL, E_LACKS, "" },
    { "authorize_as", "+OK\r\nSASL PLAIN\r\n.\r\n", "+OK\r\n", password, NULL, "bert", NULL, E_NONE,
      "AUTH PLAIN YmVydABhbm5hAHMzY3JldA==\r\n" },
    { "UTF8", "+OK\r\nUTF8 USER\r\nUSER\r\n.\r\n", "+OK\r\n+OK\r\n+OK\r\n", password, NULL, NULL, NULL, E_NONE,
      "UTF8\r\nUSER anna\r\nPASS s3cret\r\n" },
    { "UTF8 refused is no matter", "+OK\r\nUTF8\r\n.\r\n", "-ERR\r\n+OK\r\n+OK\r\n", password, NULL, NULL, NULL, E_NONE,
      "UTF8\r\nUSER anna\r\nPASS s3cret\r\n" },
    { "UTF8 disabled", "+OK\r\nUTF8 USER\r\n.\r\n", "+OK\r\n+OK\r\n", password, NULL, NULL, "utf8", E_NONE,
      "USER anna\r\nPASS s3cret\r\n" },
    { "wrong password", "-ERR\r\n", "+OK\r\n-ERR no\r\n", password, NULL, NULL, NULL, E_AUTH,
      "USER anna\r\nPASS s3cret\r\n" },
    { "wrong user", "-ERR\r\n", "-ERR no\r\n", password, NULL, NULL, NULL, E_AUTH, "USER anna\r\n" },
    { "[AUTH]", "+OK\r\nSASL PLAIN\r\n.\r\n", "-ERR [AUTH] no\r\n", password, NULL, NULL, NULL, E_AUTH,
      "AUTH PLAIN AGFubmEAczNjcmV0\r\n" },
    { "[SYS/PERM]", "-ERR\r\n", "+OK\r\n-ERR [SYS/PERM] no\r\n", password, NULL, NULL, NULL, E_AUTH,
      "USER anna\r\nPASS s3cret\r\n" },
    { "[SYS/TEMP]", "-ERR\r\n", "+OK\r\n-ERR [sys/temp] no\r\n", password, NULL, NULL, NULL, E_BUSY,
      "USER anna\r\nPASS s3cret\r\n" },
    { "[IN-USE]", "-ERR\r\n", "+OK\r\n-ERR [IN-USE] locked\r\n", password, NULL, NULL, NULL, E_BUSY,
      "USER anna\r\nPASS s3cret\r\n" },
    { "[LOGIN-DELAY]", "-ERR\r\n", "+OK\r\n-ERR [LOGIN-DELAY] wait\r\n", password, NULL, NULL, NULL, E_BUSY,
      "USER anna\r\nPASS s3cret\r\n" },
    { "the words of RFC 1939 for a lock", "-ERR\r\n", "+OK\r\n-ERR Maildrop already locked\r\n", password, NULL, NULL,
      NULL, E_BUSY, "USER anna\r\nPASS s3cret\r\n" },
    { "a locked account is another matter", "-ERR\r\n", "+OK\r\n-ERR account locked\r\n", password, NULL, NULL, NULL,
      E_AUTH, "USER anna\r\nPASS s3cret\r\n" },
    { "a line end in the password", "-ERR\r\n", "+OK\r\n+OK\r\n", "one\r\nDELE 1", NULL, NULL, NULL, E_CONFIG, "" },
    { "garbage", "-ERR\r\n", "250 fine\r\n", password, NULL, NULL, NULL, E_PROTO, "USER anna\r\n" },
};

static void play_login(const struct login_case *c, size_t chunk)
{
    const char *auth[] = { c->auth, NULL }, *disabled[] = { c->disabled, NULL };
    struct buf input = BUF_INIT(4096), want = BUF_INIT(4096);
    struct play p;

    CASE("%s, chunk %zu", c->name, chunk);
    assert_int_equal(buf_putf(&input, "+OK\r\n%s%s", c->capa, c->rest), 0);
    assert_int_equal(buf_putf(&want, "CAPA\r\n%s%s", c->sent, c->code == E_NONE ? "QUIT\r\n" : ""), 0);
    play_open(&p, buf_slice(&input), chunk);
    p.server.password_ctx = (void *)(uintptr_t)c->password;
    p.server.auth = auth;
    p.server.disabled = disabled;
    p.server.authorize_as = c->authorize;
    CHECK_INT(pop3_start(&p.pop3, p.stream, &p.e), 0);
    CHECK_INT(pop3_capa(&p.pop3, &p.e), 0);
    CHECK_INT(pop3_login(&p.pop3, &p.e), c->code == E_NONE ? 0 : -1);
    CHECK_INT(p.e.code, c->code);
    CHECK(strstr(p.e.text, c->password) == NULL);
    pop3_release(&p.pop3);
    CHECK_SLICE(buf_slice(&p.sent), buf_slice(&want));
    play_close(&p);
    buf_release(&input);
    buf_release(&want);
}

static void test_login(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(logins); i++) {
        EVERY_CHUNK_SIZE(chunk, strlen(logins[i].capa) + strlen(logins[i].rest) + 5)
        play_login(&logins[i], chunk);
    }
}

static void test_user_with_line_end(void **state)
{
    struct play p;

    (void)state;
    CASE("a line end in the user name");
    play_open(&p, SLICE("+OK\r\n+OK\r\n+OK\r\n"), 0);
    p.server.user = "anna\r\nDELE 1";
    CHECK_INT(pop3_start(&p.pop3, p.stream, &p.e), 0);
    CHECK_INT(pop3_login(&p.pop3, &p.e), -1);
    CHECK_INT(p.e.code, E_CONFIG);
    CHECK_INT(p.sent.len, 0);
    play_close(&p);
}

static void test_capa_that_hangs(void **state)
{
    struct play p;
    struct buf input = BUF_INIT(100000);

    (void)state;
    CASE("the connection ends in CAPA");
    play_open(&p, SLICE("+OK\r\n+OK\r\nTOP\r\n"), 0);
    CHECK_INT(pop3_start(&p.pop3, p.stream, &p.e), 0);
    CHECK_INT(pop3_capa(&p.pop3, &p.e), -1);
    CHECK_INT(p.e.code, E_NET);
    CHECK(p.pop3.in_capa);
    play_close(&p);

    CASE("capabilities without end");
    assert_int_equal(buf_put_str(&input, "+OK\r\n+OK\r\n"), 0);
    for (size_t i = 0; i <= LIMIT_REPLY_LINES; i++)
        assert_int_equal(buf_putf(&input, "X-%zu\r\n", i), 0);
    play_open(&p, buf_slice(&input), 0);
    CHECK_INT(pop3_start(&p.pop3, p.stream, &p.e), 0);
    CHECK_INT(pop3_capa(&p.pop3, &p.e), -1);
    CHECK_INT(p.e.code, E_PROTO);
    play_close(&p);
    buf_release(&input);
}

/* --- listings --- */

static int collect(void *ctx, const struct pop3_entry *entry, struct err *e)
{
    (void)e;
    assert_int_equal(
        buf_putf(ctx, "%" PRIu32 "/%" PRIu64 "/%.*s;", entry->number, entry->octets, SLICE_ARG(entry->uidl)), 0);
    return 0;
}

static const char pipelined[] = "+OK\r\n+OK\r\nPIPELINING\r\nUSER\r\n.\r\n+OK\r\n+OK in\r\n";

/* Greeting, CAPA with PIPELINING, and login done. */
static void play_enter(struct play *p, const char *then, size_t chunk)
{
    struct buf input = BUF_INIT(1 << 20);

    assert_int_equal(buf_putf(&input, "%s%s", pipelined, then), 0);
    play_open(p, buf_slice(&input), chunk);
    CHECK_INT(pop3_start(&p->pop3, p->stream, &p->e), 0);
    CHECK_INT(pop3_capa(&p->pop3, &p->e), 0);
    CHECK_INT(pop3_login(&p->pop3, &p->e), 0);
    CHECK(p->pop3.pipelining);
    buf_clear(&p->sent);
    buf_release(&input);
}

static void test_look(void **state)
{
    static const char uidl[] = "1 a b\r\n  7   odd\xff  \r\nnonsense\r\n2\r\n3 \"..\"\r\n";
    static const char replies[] =
        "+OK 3 400\r\n+OK uids\r\n1 a b\r\n  7   odd\xff  \r\nnonsense\r\n2\r\n3 \"..\"\r\n.\r\n"
        "+OK\r\n1 100\r\n2 200 and more\r\n3 -1\r\n.\r\n";
    unsigned char want[DIGEST_SIZE], got[DIGEST_SIZE];
    struct digest digest;
    struct err e;

    (void)state;
    assert_int_equal(digest_init(&digest, &e), 0);
    assert_int_equal(digest_start(&digest, &e), 0);
    digest_add(&digest, slice_str(uidl));
    digest_finish(&digest, want);
    EVERY_CHUNK_SIZE(chunk, sizeof(replies))
    {
        struct buf entries = BUF_INIT(1000);
        uint32_t count = 0;
        uint64_t octets = 0;
        bool offered = false;
        struct play p;

        CASE("chunk %zu", chunk);
        play_enter(&p, replies, chunk);
        CHECK_INT(pop3_ask_ahead(&p.pop3, POP3_ASK_STAT | POP3_ASK_UIDL | POP3_ASK_LIST, &p.e), 0);
        CHECK_SLICE(buf_slice(&p.sent), SLICE("STAT\r\nUIDL\r\nLIST\r\n"));
        CHECK_INT(pop3_stat(&p.pop3, &count, &octets, &p.e), 0);
        CHECK_INT(count, 3);
        CHECK_INT(octets, 400);
        CHECK_INT(digest_start(&digest, &e), 0);
        CHECK_INT(pop3_uidl(&p.pop3, &digest, collect, &entries, &offered, &p.e), 0);
        digest_finish(&digest, got);
        CHECK(offered);
        CHECK_SLICE(slice_make((char *)got, sizeof(got)), slice_make((char *)want, sizeof(want)));
        CHECK_SLICE(buf_slice(&entries), SLICE("1/0/a b;7/0/odd\xff;2/0/;3/0/\"..\";"));
        buf_clear(&entries);
        CHECK_INT(pop3_list(&p.pop3, collect, &entries, &offered, &p.e), 0);
        CHECK_SLICE(buf_slice(&entries), SLICE("1/100/;2/200/;"));
        pop3_release(&p.pop3);
        CHECK_SLICE(buf_slice(&p.sent), SLICE("STAT\r\nUIDL\r\nLIST\r\nQUIT\r\n"));
        play_close(&p);
        buf_release(&entries);
    }
    digest_release(&digest);
}

static void test_look_refused(void **state)
{
    struct buf entries = BUF_INIT(1000);
    uint32_t count = 0;
    uint64_t octets = 0;
    bool offered = true;
    struct play p;

    (void)state;
    CASE("no UIDL");
    play_enter(&p, "+OK 1 10\r\n-ERR what\r\n", 0);
    CHECK_INT(pop3_stat(&p.pop3, &count, &octets, &p.e), 0);
    CHECK_INT(pop3_uidl(&p.pop3, NULL, collect, &entries, &offered, &p.e), 0);
    CHECK(!offered);
    play_close(&p);

    CASE("STAT that is none");
    play_enter(&p, "+OK 99999999999999999999 -5\r\n", 0);
    CHECK_INT(pop3_stat(&p.pop3, &count, &octets, &p.e), -1);
    CHECK_INT(p.e.code, E_PROTO);
    play_close(&p);

    CASE("STAT refused");
    play_enter(&p, "-ERR come back later\r\n", 0);
    CHECK_INT(pop3_stat(&p.pop3, &count, &octets, &p.e), -1);
    CHECK_INT(p.e.code, E_BUSY);
    play_close(&p);

    CASE("out of step");
    play_enter(&p, "250 fine\r\n", 0);
    CHECK_INT(pop3_ask_ahead(&p.pop3, POP3_ASK_STAT, &p.e), 0);
    CHECK_INT(pop3_stat(&p.pop3, &count, &octets, &p.e), -1);
    CHECK_INT(p.e.code, E_PROTO);
    CHECK(p.pop3.out_of_step);
    play_close(&p);
    buf_release(&entries);
}

/* --- messages --- */

struct taken {
    struct buf log;
    const struct play *play;
    size_t refuse_at; /* done() fails there; SIZE_MAX: never */
};

static uint32_t taken_number(void *ctx, size_t i)
{
    (void)ctx;
    return (uint32_t)i + 1;
}

static int taken_begin(void *ctx, size_t i, struct err *e)
{
    struct taken *t = ctx;

    (void)e;
    return buf_putf(&t->log, "%zu<", i + 1);
}

static int taken_data(void *ctx, struct slice run, struct err *e)
{
    struct taken *t = ctx;

    (void)e;
    CHECK(run.n > 0);
    return buf_put_slice(&t->log, run);
}

static int taken_done(void *ctx, size_t i, struct err *e)
{
    struct taken *t = ctx;

    if (i == t->refuse_at)
        return err_set(e, E_DISK, "full");
    return buf_put_str(&t->log, ">");
}

static int taken_refused(void *ctx, size_t i, const struct pop3_reply *reply, struct err *e)
{
    struct taken *t = ctx;

    (void)e;
    return buf_putf(&t->log, "%zu!%.*s", i + 1, SLICE_ARG(reply->text));
}

static int taken_spoilt(void *ctx, size_t i, struct err *e)
{
    struct taken *t = ctx;

    (void)e;
    return buf_putf(&t->log, "%zu?", i + 1);
}

static void taken_cut(void *ctx)
{
    struct taken *t = ctx;

    assert_int_equal(buf_put_str(&t->log, "#"), 0);
}

static struct pop3_taker taker_of(struct taken *t)
{
    return (struct pop3_taker){ taken_number,  taken_begin,  taken_data, taken_done,
                                taken_refused, taken_spoilt, taken_cut,  t };
}

static const struct retrieval_case {
    const char *name;
    const char *replies;
    size_t count;
    bool one_by_one; /* pipelining off */
    bool any_chunk;  /* else the bytes come one at a time, as from a server that waits for each command */
    size_t refuse_at;
    enum err_code code;
    bool out_of_step;
    const char *log;
} retrievals[] = {
    { "three, with dots", "+OK\r\na\r\n..b\r\n...\r\n.\r\n+OK 5 octets\r\nx\n.\ny\r\n.\r\n+OK\r\n.\r\n", 3, false, true,
      SIZE_MAX, E_NONE, false, "1<a\r\n.b\r\n..\r\n>2<x\n.\ny\r\n>3<>" },
    { "one refused", "+OK\r\na\r\n.\r\n-ERR [X] no\r\n+OK\r\nc\r\n.\r\n", 3, false, true, SIZE_MAX, E_NONE, false,
      "1<a\r\n>2!no3<c\r\n>" },
    { "later", "+OK\r\na\r\n.\r\n-ERR [SYS/TEMP] no\r\n+OK\r\nc\r\n.\r\n", 3, false, true, SIZE_MAX, E_BUSY, false,
      "1<a\r\n>" },
    { "cut in the second", "+OK\r\na\r\n.\r\n+OK\r\nbb\r\n.", 3, false, true, SIZE_MAX, E_NET, false,
      "1<a\r\n>2<bb\r\n#" },
    { "cut behind the first", "+OK\r\na\r\n.\r\n", 3, false, true, SIZE_MAX, E_NET, false, "1<a\r\n>" },
    { "a body that runs on: the second reply is none", "+OK\r\na\r\n.\r\nand more\r\n.\r\n+OK\r\nb\r\n.\r\n", 2, false,
      true, SIZE_MAX, E_PROTO, true, "1<a\r\n#" },
    { "the same in the last", "+OK\r\na\r\n.\r\nand more\r\n.\r\n", 1, false, false, SIZE_MAX, E_PROTO, false,
      "1<a\r\n1?" },
    { "the first reply is none", "what?\r\n", 2, false, true, SIZE_MAX, E_PROTO, true, "" },
    { "a challenge is no reply", "+ \r\n", 2, false, true, SIZE_MAX, E_PROTO, true, "" },
    { "the disk is full", "+OK\r\na\r\n.\r\n+OK\r\nb\r\n.\r\n", 2, false, true, 0, E_DISK, false, "1<a\r\n" },
    { "one by one", "+OK\r\na\r\n.\r\n-ERR no\r\n+OK\r\nc\r\n.\r\n", 3, true, false, SIZE_MAX, E_NONE, false,
      "1<a\r\n>2!no3<c\r\n>" },
    { "one by one, a reply that is none", "+OK\r\na\r\n.\r\nwhat?\r\n", 2, true, false, SIZE_MAX, E_PROTO, false,
      "1<a\r\n1?" },
};

static void play_retrieval(const struct retrieval_case *c, size_t chunk)
{
    struct taken t = { .log = BUF_INIT(10000), .refuse_at = c->refuse_at };
    struct pop3_taker taker = taker_of(&t);
    struct play p;

    CASE("%s, chunk %zu", c->name, chunk);
    play_enter(&p, c->replies, chunk);
    if (c->one_by_one)
        p.pop3.pipelining = false;
    CHECK_INT(pop3_retrieve(&p.pop3, POP3_WHOLE, c->count, &taker, &p.e), c->code == E_NONE ? 0 : -1);
    CHECK_INT(p.e.code, c->code);
    CHECK_INT(p.pop3.out_of_step, c->out_of_step);
    CHECK_SLICE(buf_slice(&t.log), slice_str(c->log));
    pop3_release(&p.pop3);
    CHECK_INT(sent_has(&p, "QUIT"), c->code == E_NONE);
    play_close(&p);
    buf_release(&t.log);
}

static void test_retrieve(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(retrievals); i++) {
        const struct retrieval_case *c = &retrievals[i];

        if (strcmp(c->name, "the same in the last") == 0)
            play_retrieval(c, 0);
        else if (!c->any_chunk)
            play_retrieval(c, 1);
        else
            EVERY_CHUNK_SIZE(chunk, sizeof(pipelined) + strlen(c->replies))
        play_retrieval(c, chunk);
    }
}

static void test_one_by_one_leftover(void **state)
{
    static const struct retrieval_case c = { "one by one, more than was asked for",
                                             "+OK\r\na\r\n.\r\nand more\r\n.\r\n",
                                             2,
                                             true,
                                             false,
                                             SIZE_MAX,
                                             E_PROTO,
                                             false,
                                             "1<a\r\n1?" };

    (void)state;
    play_retrieval(&c, 0);
}

static int window_begin(void *ctx, size_t i, struct err *e)
{
    struct taken *t = ctx;
    size_t answered = 0;

    (void)e;
    for (size_t k = 0; k < i; k++)
        answered += (size_t)snprintf(NULL, 0, "RETR %zu\r\n", k + 1);
    CHECK(t->play->sent.len - answered <= LIMIT_IN_FLIGHT);
    return 0;
}

static int no_data(void *ctx, struct slice run, struct err *e)
{
    (void)ctx;
    (void)run;
    (void)e;
    return 0;
}

static int no_done(void *ctx, size_t i, struct err *e)
{
    (void)ctx;
    (void)i;
    (void)e;
    return 0;
}

static void test_window(void **state)
{
    enum { COUNT = 3000 };
    struct taken t = { .log = BUF_INIT(10), .refuse_at = SIZE_MAX };
    struct pop3_taker taker = taker_of(&t);
    struct buf replies = BUF_INIT(1 << 20);
    struct play p;

    (void)state;
    CASE("no more than LIMIT_IN_FLIGHT bytes of commands wait for their answer");
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(buf_put_str(&replies, "+OK\r\nx\r\n.\r\n"), 0);
    play_enter(&p, buf_cstr(&replies), 0);
    t.play = &p;
    taker.begin = window_begin;
    taker.data = no_data;
    taker.done = no_done;
    CHECK_INT(pop3_retrieve(&p.pop3, POP3_WHOLE, COUNT, &taker, &p.e), 0);
    CHECK(sent_has(&p, "RETR 3000\r\n"));
    play_close(&p);
    buf_release(&replies);
}

static void test_top(void **state)
{
    struct taken t = { .log = BUF_INIT(100), .refuse_at = SIZE_MAX };
    struct pop3_taker taker = taker_of(&t);
    struct play p;

    (void)state;
    CASE("TOP");
    play_enter(&p, "+OK\r\nS: x\r\n\r\n.\r\n-ERR\r\n", 0);
    CHECK_INT(pop3_retrieve(&p.pop3, POP3_HEADER, 2, &taker, &p.e), 0);
    CHECK_SLICE(buf_slice(&t.log), SLICE("1<S: x\r\n\r\n>2!"));
    CHECK_SLICE(buf_slice(&p.sent), SLICE("TOP 1 0\r\nTOP 2 0\r\n"));
    play_close(&p);
    buf_release(&t.log);
}

/* --- DELE and QUIT --- */

static void test_removal(void **state)
{
    struct err words = ERR_INIT;
    size_t refused = 0;
    struct play p;

    (void)state;
    CASE("one of three refused");
    play_enter(&p, "+OK\r\n-ERR no such message\r\n+OK\r\n+OK bye\r\n", 0);
    CHECK_INT(pop3_dele(&p.pop3, 3, taken_number, NULL, &refused, &words, &p.e), 0);
    CHECK_INT(refused, 1);
    CHECK_SLICE(slice_str(words.peer), SLICE("no such message"));
    CHECK_INT(pop3_quit(&p.pop3, &p.e), 0);
    pop3_release(&p.pop3);
    CHECK_SLICE(buf_slice(&p.sent), SLICE("DELE 1\r\nDELE 2\r\nDELE 3\r\nQUIT\r\n"));
    play_close(&p);

    CASE("QUIT refused");
    play_enter(&p, "+OK\r\n-ERR some deleted messages not removed\r\n", 0);
    CHECK_INT(pop3_dele(&p.pop3, 1, taken_number, NULL, &refused, &words, &p.e), 0);
    CHECK_INT(pop3_quit(&p.pop3, &p.e), -1);
    CHECK_INT(p.e.code, E_BUSY);
    play_close(&p);

    CASE("QUIT never answered");
    play_enter(&p, "+OK\r\n", 0);
    CHECK_INT(pop3_dele(&p.pop3, 1, taken_number, NULL, &refused, &words, &p.e), 0);
    CHECK_INT(pop3_quit(&p.pop3, &p.e), -1);
    CHECK_INT(p.e.code, E_NET);
    play_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_greeting),
        cmocka_unit_test(test_stls),
        cmocka_unit_test(test_stls_disabled),
        cmocka_unit_test(test_login),
        cmocka_unit_test(test_user_with_line_end),
        cmocka_unit_test(test_capa_that_hangs),
        cmocka_unit_test(test_look),
        cmocka_unit_test(test_look_refused),
        cmocka_unit_test(test_retrieve),
        cmocka_unit_test(test_one_by_one_leftover),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_top),
        cmocka_unit_test(test_removal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
