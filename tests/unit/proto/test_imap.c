/* SPDX-License-Identifier: MIT
 * The IMAP client against servers made of bytes: dial() is this file's own, and so is the TLS handshake (the linker puts
 * __wrap_stream_push_tls() in the place of stream_push_tls()); stream_exchange() is listened to.
 */
#include "proto/imap.h"

#include "../unit.h"
#include "base/log.h"
#include "proto/imap_int.h"
#include "wire/limits.h"

#define TEN "0123456789"
#define LONG_PASSWORD                                                                                                  \
    TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static struct slice server_bytes;
static size_t chunk_size;
static struct buf sent;
static unsigned handshakes;

int dial(const struct dial_options *options, struct stream **out, struct err *e)
{
    (void)options;
    return stream_memory(server_bytes, chunk_size, &sent, out, e);
}

int __wrap_stream_push_tls(struct stream *s, const struct tls_settings *settings, struct err *e);
int __wrap_stream_push_tls(struct stream *s, const struct tls_settings *settings, struct err *e)
{
    assert_string_equal(settings->alpn, "imap");
    handshakes++;
    if (stream_peek(s).n > 0)
        return err_set(e, E_TLS, "bytes ahead of the handshake");
    return buf_put_str(&sent, "<TLS>");
}

static unsigned silence_factor;
void __real_stream_exchange(struct stream *s, unsigned factor);
void __wrap_stream_exchange(struct stream *s, unsigned factor);
void __wrap_stream_exchange(struct stream *s, unsigned factor)
{
    silence_factor = factor;
    __real_stream_exchange(s, factor);
}

static int give_password(void *ctx, struct secret *out, struct err *e)
{
    return secret_set(out, *(const struct slice *)ctx) == 0 ? 0 : err_nomem(e);
}

struct play {
    struct server server;
    struct slice password;
    struct imap *im;
    struct err e;
};

static void play_init(struct play *p, struct slice input, size_t chunk)
{
    *p = (struct play){ .password = SLICE("s3cret"), .e = ERR_INIT };
    p->server = (struct server){
        .dial = { .host = "imap.example.org", .port = 143 },
        .tls = SERVER_PLAINTEXT,
        .user = "anna",
        .password = give_password,
    };
    server_bytes = input;
    chunk_size = chunk;
    sent = BUF_INIT(1 << 20);
    handshakes = 0;
}

static int play_open(struct play *p)
{
    p->server.password_ctx = &p->password;
    return imap_open(&p->server, &p->im, &p->e);
}

static void play_close(struct play *p)
{
    imap_close(&p->im);
    buf_release(&sent);
}

/* --- from the greeting to the session --- */

static const struct open_case {
    const char *name;
    const char *bytes;
    const char *sent; /* the LOGOUT of a session that works apart */
    enum err_code code;
    enum server_tls tls;
    const char *auth, *authorize, *disabled, *user;
    struct slice password; /* n == 0: s3cret */
} opens[] = {
    { "greeting: BYE", "* BYE too many\r\n", "", E_BUSY, SERVER_PLAINTEXT, NULL, NULL, NULL, NULL, { 0 } },
    { "greeting: POP3", "+OK ready\r\n", "", E_PROTO, SERVER_PLAINTEXT, NULL, NULL, NULL, NULL, { 0 } },
    { "greeting: SMTP", "220 mx ESMTP\r\n", "", E_PROTO, SERVER_PLAINTEXT, NULL, NULL, NULL, NULL, { 0 } },
    { "greeting: NO", "* NO\r\n", "", E_PROTO, SERVER_PLAINTEXT, NULL, NULL, NULL, NULL, { 0 } },
    { "greeting: no status",
      "* CAPABILITY IMAP4rev1\r\n",
      "",
      E_PROTO,
      SERVER_PLAINTEXT,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "greeting: a message",
      "* 1 FETCH (UID 1 BODY[] {3}\r\nabc)\r\n",
      "",
      E_PROTO,
      SERVER_PLAINTEXT,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "greeting: a tag", "m1 OK in\r\n", "", E_PROTO, SERVER_PLAINTEXT, NULL, NULL, NULL, NULL, { 0 } },
    { "greeting: cut", "* OK", "", E_NET, SERVER_PLAINTEXT, NULL, NULL, NULL, NULL, { 0 } },
    { "PREAUTH without TLS wanted",
      "* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n",
      "",
      E_NONE,
      SERVER_PLAINTEXT,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "PREAUTH before STARTTLS",
      "* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n",
      "",
      E_TLS,
      SERVER_TLS_STARTTLS,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "LOGIN, capabilities asked for each time",
      "* OK\r\n* CAPABILITY IMAP4rev1\r\nm1 OK\r\nm2 OK in\r\n* CAPABILITY IMAP4rev1 IDLE\r\nm3 OK\r\n",
      "m1 CAPABILITY\r\nm2 LOGIN \"anna\" \"s3cret\"\r\nm3 CAPABILITY\r\n",
      E_NONE,
      SERVER_PLAINTEXT,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "LOGIN, capabilities told along",
      "* OK [CAPABILITY IMAP4rev1] hi\r\nm1 OK [CAPABILITY IMAP4rev1] in\r\n",
      "m1 LOGIN \"anna\" \"s3cret\"\r\n",
      E_NONE,
      SERVER_PLAINTEXT,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "quotes and backslashes", "* OK [CAPABILITY IMAP4rev1] hi\r\nm1 OK [CAPABILITY IMAP4rev1] in\r\n",
      "m1 LOGIN \"a\\\"b\" \"c\\\\\\\"d\"\r\n", E_NONE, SERVER_PLAINTEXT, NULL, NULL, NULL, "a\"b", SLICE("c\\\"d") },
    { "a literal that the server agrees to",
      "* OK [CAPABILITY IMAP4rev1] hi\r\n+ go\r\nm1 OK [CAPABILITY IMAP4rev1] in\r\n",
      "m1 LOGIN \"anna\" {3}\r\n\xc3\xa4z\r\n", E_NONE, SERVER_PLAINTEXT, NULL, NULL, NULL, NULL, SLICE("\xc3\xa4z") },
    { "a literal that the server refuses", "* OK [CAPABILITY IMAP4rev1] hi\r\nm1 BAD no literals here\r\n",
      "m1 LOGIN \"anna\" {3}\r\n", E_PROTO, SERVER_PLAINTEXT, NULL, NULL, NULL, NULL, SLICE("\xc3\xa4z") },
    { "a user that is refused before the password",
      "* OK [CAPABILITY IMAP4rev1] hi\r\nm1 NO [AUTHENTICATIONFAILED] never\r\n",
      "m1 LOGIN {3}\r\n",
      E_AUTH,
      SERVER_PLAINTEXT,
      NULL,
      NULL,
      NULL,
      "\xc3\xa4z",
      { 0 } },
    { "LITERAL+", "* OK [CAPABILITY IMAP4rev1 LITERAL+] hi\r\nm1 OK [CAPABILITY IMAP4rev1] in\r\n",
      "m1 LOGIN \"anna\" {3+}\r\n\xc3\xa4z\r\n", E_NONE, SERVER_PLAINTEXT, NULL, NULL, NULL, NULL, SLICE("\xc3\xa4z") },
    { "LITERAL-", "* OK [CAPABILITY IMAP4rev1 LITERAL-] hi\r\nm1 OK [CAPABILITY IMAP4rev1] in\r\n",
      "m1 LOGIN \"anna\" {3+}\r\n\xc3\xa4z\r\n", E_NONE, SERVER_PLAINTEXT, NULL, NULL, NULL, NULL, SLICE("\xc3\xa4z") },
    { "LITERAL+ disabled", "* OK [CAPABILITY IMAP4rev1 LITERAL+] hi\r\n+\r\nm1 OK [CAPABILITY IMAP4rev1] in\r\n",
      "m1 LOGIN \"anna\" {3}\r\n\xc3\xa4z\r\n", E_NONE, SERVER_PLAINTEXT, NULL, NULL, "LITERAL+", NULL,
      SLICE("\xc3\xa4z") },
    { "a line end goes in a literal only",
      "* OK [CAPABILITY IMAP4rev1 LITERAL+] hi\r\nm1 OK [CAPABILITY IMAP4rev1] in\r\n",
      "m1 LOGIN {14+}\r\nanna\r\nx NOOP\r\n \"s3cret\"\r\n",
      E_NONE,
      SERVER_PLAINTEXT,
      NULL,
      NULL,
      NULL,
      "anna\r\nx NOOP\r\n",
      { 0 } },
    { "NUL in the password: LOGIN", "* OK [CAPABILITY IMAP4rev1] hi\r\nm1 OK\r\n", "", E_CONFIG, SERVER_PLAINTEXT, NULL,
      NULL, NULL, NULL, SLICE("a\0b") },
    { "NUL in the password: PLAIN", "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\nm1 OK\r\n", "", E_CONFIG,
      SERVER_PLAINTEXT, NULL, NULL, NULL, NULL, SLICE("a\0b") },
    { "PLAIN with SASL-IR",
      "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\nm1 OK [CAPABILITY IMAP4rev1] in\r\n",
      "m1 AUTHENTICATE PLAIN AGFubmEAczNjcmV0\r\n",
      E_NONE,
      SERVER_PLAINTEXT,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "PLAIN without SASL-IR",
      "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n+\r\nm1 OK [CAPABILITY IMAP4rev1] in\r\n",
      "m1 AUTHENTICATE PLAIN\r\nAGFubmEAczNjcmV0\r\n",
      E_NONE,
      SERVER_PLAINTEXT,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "PLAIN refused before the password",
      "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\nm1 NO not now\r\n",
      "m1 AUTHENTICATE PLAIN\r\n",
      E_AUTH,
      SERVER_PLAINTEXT,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "PLAIN for another user",
      "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\nm1 OK [CAPABILITY IMAP4rev1] in\r\n",
      "m1 AUTHENTICATE PLAIN YmVydABhbm5hAHMzY3JldA==\r\n",
      E_NONE,
      SERVER_PLAINTEXT,
      NULL,
      "bert",
      NULL,
      NULL,
      { 0 } },
    { "authorize_as needs PLAIN",
      "* OK [CAPABILITY IMAP4rev1] hi\r\n",
      "",
      E_LACKS,
      SERVER_PLAINTEXT,
      NULL,
      "bert",
      NULL,
      NULL,
      { 0 } },
    { "a challenge after PLAIN is cancelled",
      "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n+ c2F5IG1vcmU=\r\nm1 BAD cancelled\r\n",
      "m1 AUTHENTICATE PLAIN AGFubmEAczNjcmV0\r\n*\r\n",
      E_PROTO,
      SERVER_PLAINTEXT,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "cancelled and refused",
      "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n+ eA==\r\nm1 NO wrong\r\n",
      "m1 AUTHENTICATE PLAIN AGFubmEAczNjcmV0\r\n*\r\n",
      E_AUTH,
      SERVER_PLAINTEXT,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "cancelled, and yet in",
      "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n+ eA==\r\nm1 OK in\r\n",
      "m1 AUTHENTICATE PLAIN AGFubmEAczNjcmV0\r\n*\r\n",
      E_PROTO,
      SERVER_PLAINTEXT,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "challenges without end",
      "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n+\r\n+\r\n+\r\n",
      "m1 AUTHENTICATE PLAIN AGFubmEAczNjcmV0\r\nAGFubmEAczNjcmV0\r\n*\r\n",
      E_PROTO,
      SERVER_PLAINTEXT,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "PLAIN demanded, not offered",
      "* OK [CAPABILITY IMAP4rev1] hi\r\n",
      "",
      E_LACKS,
      SERVER_PLAINTEXT,
      "plain",
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "PLAIN disabled",
      "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\nm1 OK [CAPABILITY IMAP4rev1] in\r\n",
      "m1 LOGIN \"anna\" \"s3cret\"\r\n",
      E_NONE,
      SERVER_PLAINTEXT,
      NULL,
      NULL,
      "AUTH=PLAIN",
      NULL,
      { 0 } },
    { "LOGINDISABLED",
      "* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n",
      "",
      E_TLS,
      SERVER_PLAINTEXT,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "the password is wrong",
      "* OK [CAPABILITY IMAP4rev1] hi\r\nm1 NO wrong\r\n",
      "m1 LOGIN \"anna\" \"s3cret\"\r\n",
      E_AUTH,
      SERVER_PLAINTEXT,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "LOGIN is bad",
      "* OK [CAPABILITY IMAP4rev1] hi\r\nm1 BAD what\r\n",
      "m1 LOGIN \"anna\" \"s3cret\"\r\n",
      E_PROTO,
      SERVER_PLAINTEXT,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "the server is busy",
      "* OK [CAPABILITY IMAP4rev1] hi\r\nm1 NO [UNAVAILABLE] later\r\n",
      "m1 LOGIN \"anna\" \"s3cret\"\r\n",
      E_BUSY,
      SERVER_PLAINTEXT,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "Exchange: too many sessions",
      "* OK [CAPABILITY IMAP4rev1] hi\r\nm1 NO User is authenticated but not connected.\r\n",
      "m1 LOGIN \"anna\" \"s3cret\"\r\n",
      E_BUSY,
      SERVER_PLAINTEXT,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "BYE at the login",
      "* OK [CAPABILITY IMAP4rev1] hi\r\n* BYE out\r\n",
      "m1 LOGIN \"anna\" \"s3cret\"\r\n",
      E_BUSY,
      SERVER_PLAINTEXT,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "a continuation that nobody waits for",
      "* OK [CAPABILITY IMAP4rev1] hi\r\n+ more\r\nm1 OK in\r\n",
      "m1 LOGIN \"anna\" \"s3cret\"\r\n",
      E_PROTO,
      SERVER_PLAINTEXT,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "an answer to a command that was never sent",
      "* OK [CAPABILITY IMAP4rev1] hi\r\nm2 OK in\r\n",
      "m1 LOGIN \"anna\" \"s3cret\"\r\n",
      E_PROTO,
      SERVER_PLAINTEXT,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "STARTTLS not offered",
      "* OK [CAPABILITY IMAP4rev1] hi\r\n",
      "",
      E_TLS,
      SERVER_TLS_STARTTLS,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "STARTTLS disabled",
      "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\nm1 OK\r\n",
      "",
      E_TLS,
      SERVER_TLS_STARTTLS,
      NULL,
      NULL,
      "STARTTLS",
      NULL,
      { 0 } },
    { "STARTTLS refused",
      "* OK hi\r\nm1 NO [UNAVAILABLE] later\r\n",
      "m1 STARTTLS\r\n",
      E_TLS,
      SERVER_TLS_STARTTLS,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "STARTTLS answered with BYE",
      "* OK hi\r\n* BYE\r\n",
      "m1 STARTTLS\r\n",
      E_BUSY,
      SERVER_TLS_STARTTLS,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "UTF8=ACCEPT and UIDONLY are enabled, ID is told",
      "* OK [CAPABILITY IMAP4rev1] hi\r\nm1 OK [CAPABILITY IMAP4rev1 ID ENABLE UTF8=ACCEPT UIDONLY] in\r\n",
      "m1 LOGIN \"anna\" \"s3cret\"\r\nm2 ID (\"name\" \"mailhaul\" \"version\" \"" PACKAGE_VERSION
      "\" \"vendor\" \"mailhaul\")\r\nm3 ENABLE UTF8=ACCEPT UIDONLY\r\n",
      E_NONE,
      SERVER_PLAINTEXT,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
    { "nothing to enable",
      "* OK [CAPABILITY IMAP4rev1] hi\r\nm1 OK [CAPABILITY IMAP4rev1 ENABLE CONDSTORE] in\r\n",
      "m1 LOGIN \"anna\" \"s3cret\"\r\n",
      E_NONE,
      SERVER_PLAINTEXT,
      NULL,
      NULL,
      NULL,
      NULL,
      { 0 } },
};

static bool cut_logout(void)
{
    size_t n = sent.len;

    if (n < 9 || memcmp(sent.p + n - 9, " LOGOUT\r\n", 9) != 0)
        return false;
    for (n -= 9; n > 0 && sent.p[n - 1] != '\n'; n--)
        ;
    buf_truncate(&sent, n);
    return true;
}

static void play_case(const struct open_case *c, size_t chunk)
{
    const char *auth[] = { c->auth, NULL }, *disabled[] = { c->disabled, NULL };
    struct play p;
    bool logout;

    CASE("%s, chunk %zu", c->name, chunk);
    play_init(&p, slice_str(c->bytes), chunk);
    p.server.tls = c->tls;
    p.server.auth = auth;
    p.server.disabled = disabled;
    p.server.authorize_as = c->authorize;
    if (c->user != NULL)
        p.server.user = c->user;
    if (c->password.n > 0)
        p.password = c->password;
    CHECK_INT(play_open(&p), c->code == E_NONE ? 0 : -1);
    CHECK_INT(p.e.code, c->code);
    CHECK(strstr(p.e.text, "s3cret") == NULL);
    CHECK_INT(handshakes, 0);
    imap_close(&p.im);
    logout = cut_logout();
    CHECK(logout || c->code != E_NONE);
    CHECK(!logout || strncmp(c->name, "greeting", 8) != 0);
    CHECK_SLICE(buf_slice(&sent), slice_str(c->sent));
    play_close(&p);
}

static void test_open(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(opens); i++) {
        EVERY_CHUNK_SIZE(chunk, strlen(opens[i].bytes))
        play_case(&opens[i], chunk);
    }
}

/* --- TLS --- */

static void test_starttls_forgets(void **state)
{
    /* Everything is one stream here, so the answers of the inside come only once they are asked for: one byte at a time. */
    static const char bytes[] = "* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN SASL-IR LITERAL+] hi\r\n"
                                "* ENABLED UTF8=ACCEPT UIDONLY\r\nm1 OK go\r\n"
                                "* CAPABILITY IMAP4rev1\r\nm2 OK\r\nm3 OK [CAPABILITY IMAP4rev1] in\r\n";
    struct play p;

    (void)state;
    CASE("what was said in clear does not count");
    play_init(&p, SLICE(bytes), 1);
    p.server.tls = SERVER_TLS_STARTTLS;
    CHECK_INT(play_open(&p), 0);
    CHECK_INT(handshakes, 1);
    CHECK_SLICE(buf_slice(&sent), SLICE("m1 STARTTLS\r\n<TLS>m2 CAPABILITY\r\nm3 LOGIN \"anna\" \"s3cret\"\r\n"));
    CHECK(!imap_utf8(p.im) && !imap_uidonly(p.im));
    CHECK_INT(imap_caps(p.im), IMAP_CAP_IMAP4REV1);
    play_close(&p);

    CASE("and nothing of it counts where the inside is silent about it");
    play_init(&p,
              SLICE("* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN SASL-IR] hi\r\nm1 OK go\r\nm2 OK\r\nm3 OK in\r\nm4 "
                    "OK\r\n"),
              1);
    p.server.tls = SERVER_TLS_STARTTLS;
    CHECK_INT(play_open(&p), 0);
    CHECK_SLICE(buf_slice(&sent),
                SLICE("m1 STARTTLS\r\n<TLS>m2 CAPABILITY\r\nm3 LOGIN \"anna\" \"s3cret\"\r\nm4 CAPABILITY\r\n"));
    play_close(&p);

    for (size_t chunk = 2; chunk < sizeof(bytes); chunk++) {
        CASE("bytes behind the OK, chunk %zu", chunk);
        play_init(&p, SLICE(bytes), chunk);
        p.server.tls = SERVER_TLS_STARTTLS;
        if (play_open(&p) != 0)
            CHECK_INT(p.e.code, E_TLS);
        CHECK(p.im != NULL || memmem(buf_cstr(&sent), sent.len, "LOGIN", 5) == NULL);
        play_close(&p);
    }
}

static void test_implicit_tls(void **state)
{
    struct play p;

    (void)state;
    CASE("the handshake comes before the greeting; PREAUTH is taken inside TLS");
    play_init(&p, SLICE(""), 0);
    p.server.tls = SERVER_TLS_IMPLICIT;
    CHECK_INT(play_open(&p), -1);
    CHECK_INT(p.e.code, E_NET);
    CHECK_SLICE(buf_slice(&sent), SLICE("<TLS>"));
    play_close(&p);
    play_init(&p, SLICE("* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n"), 0);
    p.server.tls = SERVER_TLS_IMPLICIT;
    CHECK_INT(play_open(&p), 0);
    play_close(&p);
}

/* --- commands --- */

#define IN "* OK [CAPABILITY IMAP4rev1] hi\r\nm1 OK [CAPABILITY IMAP4rev1 MESSAGELIMIT=7] in\r\n"

static void play_in(struct play *p, const char *input, size_t chunk)
{
    play_init(p, slice_str(input), chunk);
    CHECK_INT(play_open(p), 0);
    buf_clear(&sent);
}

static uint32_t noop(struct imap *im)
{
    uint32_t tag;

    imap_begin(im, &tag);
    imap_text(im, "NOOP");
    imap_end(im);
    return tag;
}

static int log_untagged(void *ctx, const struct imap_response *r, struct err *e)
{
    (void)e;
    return buf_putf(ctx, "[%.*s %.*s]", SLICE_ARG(r->name), SLICE_ARG(r->rest));
}

static int log_begin(void *ctx, uint64_t octets, struct err *e)
{
    (void)e;
    return buf_putf(ctx, "<%" PRIu64 ":", octets);
}

static int log_data(void *ctx, struct slice bytes, struct err *e)
{
    (void)e;
    return buf_put_slice(ctx, bytes);
}

static int log_end(void *ctx, struct err *e)
{
    (void)e;
    return buf_put_str(ctx, ">");
}

static void test_pipelined(void **state)
{
    static const char bytes[] =
        IN "* 3 EXISTS\r\nm4 NO [TRYCREATE] third\r\n* ok [ALERT] look\r\nm2 OK [X y z] first\r\n"
           "* 1 FETCH (UID 4 BODY[] {5}\r\na)\r\nb)\r\nm3 BAD second\r\n";

    (void)state;
    EVERY_CHUNK_SIZE(chunk, sizeof(bytes) - 1)
    {
        struct buf log = BUF_INIT(1000);
        struct imap_handler h = { &log, log_untagged, log_begin, log_data, log_end };
        struct imap_done done;
        uint32_t tags[3];
        struct play p;

        CASE("chunk %zu", chunk);
        play_in(&p, bytes, chunk);
        CHECK_INT(imap_message_limit(p.im), 7);
        for (size_t i = 0; i < 3; i++)
            tags[i] = noop(p.im);
        CHECK_INT(imap_finish(p.im, tags[0], &h, &done, &p.e), 0);
        CHECK_SLICE(buf_slice(&sent), SLICE("m2 NOOP\r\nm3 NOOP\r\nm4 NOOP\r\n"));
        CHECK(done.status == IMAP_OK && strcmp(done.text, "first") == 0 && strcmp(done.code, "X") == 0 &&
              strcmp(done.code_args, "y z") == 0);
        CHECK_INT(imap_finish(p.im, tags[1], &h, &done, &p.e), 0);
        CHECK(done.status == IMAP_BAD && strcmp(done.text, "second") == 0 && done.code[0] == '\0');
        CHECK_INT(imap_finish(p.im, tags[2], &h, &done, &p.e), 0);
        CHECK(done.status == IMAP_NO && strcmp(done.text, "third") == 0 && strcmp(done.code, "TRYCREATE") == 0);
        CHECK_SLICE(buf_slice(&log), SLICE("[EXISTS ][ok ]<5:a)\r\nb>[FETCH (UID 4 BODY[] {5})]"));
        play_close(&p);
        CHECK_INT(sent.len, 0);
        buf_release(&log);
    }
}

static void test_broken(void **state)
{
    static const struct {
        const char *name, *bytes;
        enum err_code code;
    } cases[] = {
        { "never sent", "m9 OK\r\n", E_PROTO },
        { "answered before", "m1 OK\r\n", E_PROTO },
        { "answered twice", "m3 OK\r\nm3 OK\r\n", E_PROTO },
        { "no number", "m OK\r\n", E_PROTO },
        { "tag nought", "m0 OK\r\n", E_PROTO },
        { "another's", "a2 OK\r\n", E_PROTO },
        { "a tag with BYE", "m2 BYE\r\n", E_PROTO },
        { "a tag with PREAUTH", "m2 PREAUTH\r\n", E_PROTO },
        { "a tag with data", "m2 EXISTS\r\n", E_PROTO },
        { "a continuation", "+ go on\r\nm2 OK\r\n", E_PROTO },
        { "a continuation behind the answer of another", "m3 OK\r\n+\r\nm2 OK\r\n", E_PROTO },
        { "BYE", "* BYE [UNAVAILABLE] time is up\r\nm2 OK\r\n", E_BUSY },
        { "cut", "m2 OK", E_NET },
        { "cut in a body", "* 1 FETCH (BODY[] {10}\r\nabc", E_NET },
        { "an endless literal", "* 1 FETCH (BODY[] {99999999999999999999}\r\n", E_PROTO },
        { "UIDVALIDITY changes", "* OK [UIDVALIDITY 1]\r\n* OK [UIDVALIDITY 2]\r\nm2 OK\r\n", E_PROTO },
        { "no response", "\r\nm2 OK\r\n", E_PROTO },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf input = BUF_INIT(4096);

        assert_int_equal(buf_putf(&input, "%s%s", IN, cases[i].bytes), 0);
        EVERY_CHUNK_SIZE(chunk, input.len)
        {
            struct imap_done done;
            struct play p;
            uint32_t tag;

            CASE("%s, chunk %zu", cases[i].name, chunk);
            play_in(&p, buf_cstr(&input), chunk);
            tag = noop(p.im);
            noop(p.im);
            CHECK_INT(imap_finish(p.im, tag, NULL, &done, &p.e), -1);
            CHECK_INT(p.e.code, cases[i].code);
            CHECK(cases[i].code != E_BUSY || (p.e.retry == RETRY_RECONNECT && strcmp(p.e.peer, "time is up") == 0));
            buf_clear(&sent);
            imap_close(&p.im);
            CHECK_INT(sent.len, 0);
            play_close(&p);
        }
        buf_release(&input);
    }
}

static void test_uidvalidity_of_the_next_folder(void **state)
{
    struct imap_done done;
    struct play p;

    (void)state;
    CASE("another folder has another UIDVALIDITY");
    play_in(&p, IN "* OK [UIDVALIDITY 1]\r\nm2 OK\r\n* OK [UIDVALIDITY 2]\r\n* OK [UIDVALIDITY x]\r\nm3 OK\r\n", 0);
    CHECK_INT(imap_finish(p.im, noop(p.im), NULL, &done, &p.e), 0);
    imap_opening(p.im);
    CHECK_INT(imap_finish(p.im, noop(p.im), NULL, &done, &p.e), 0);
    play_close(&p);
}

static void test_enabled(void **state)
{
    struct imap_done done;
    struct play p;

    (void)state;
    CASE("names are quoted as UTF-8 once ENABLED has come, and ID and ENABLE need not be waited for");
    play_init(&p,
              SLICE("* OK [CAPABILITY IMAP4rev1] hi\r\nm1 OK [CAPABILITY IMAP4rev1 ID ENABLE UTF8=ACCEPT] in\r\n* ID "
                    "NIL\r\nm2 OK\r\n* ENABLED UTF8=ACCEPT\r\nm3 OK\r\nm4 OK\r\n"),
              0);
    CHECK_INT(play_open(&p), 0);
    CHECK(!imap_utf8(p.im));
    CHECK_INT(imap_finish(p.im, noop(p.im), NULL, &done, &p.e), 0);
    CHECK(imap_utf8(p.im) && !imap_uidonly(p.im));
    buf_clear(&sent);
    imap_string_arg(p.im, SLICE("\xc3\xa4"));
    imap_close(&p.im);
    CHECK_SLICE(buf_slice(&sent), SLICE("\"\xc3\xa4\"m5 LOGOUT\r\n"));
    play_close(&p);
}

static void test_arguments(void **state)
{
    struct imap_done done;
    struct play p;
    uint32_t tag;

    (void)state;
    CASE("NUL ends the command before it is sent");
    play_in(&p, IN "m2 OK\r\n", 0);
    imap_begin(p.im, &tag);
    imap_text(p.im, "SELECT ");
    imap_string_arg(p.im, SLICE("a\0b"));
    imap_end(p.im);
    CHECK_INT(imap_finish(p.im, tag, NULL, &done, &p.e), -1);
    CHECK_INT(p.e.code, E_CONFIG);
    play_close(&p);
    CHECK_INT(sent.len, 0);

    CASE("the answers of earlier commands are kept while a literal waits");
    play_in(&p, IN "m2 OK first\r\n+\r\nm3 OK second\r\n", 1);
    uint32_t first = noop(p.im);
    imap_begin(p.im, &tag);
    imap_text(p.im, "SELECT ");
    imap_string_arg(p.im, SLICE("a\r\nb"));
    imap_end(p.im);
    CHECK_INT(imap_finish(p.im, first, NULL, &done, &p.e), 0);
    CHECK(strcmp(done.text, "first") == 0);
    CHECK_INT(imap_finish(p.im, tag, NULL, &done, &p.e), 0);
    CHECK_SLICE(buf_slice(&sent), SLICE("m2 NOOP\r\nm3 SELECT {4}\r\na\r\nb\r\n"));
    play_close(&p);
}

static void test_in_flight(void **state)
{
    struct buf input = BUF_INIT(10000);
    struct imap_done done;
    uint32_t tag = 0;
    struct play p;

    (void)state;
    CASE("more commands than may be in flight");
    play_in(&p, IN, 0);
    for (size_t i = 0; i <= IMAP_IN_FLIGHT; i++)
        tag = noop(p.im);
    CHECK_INT(imap_finish(p.im, tag, NULL, &done, &p.e), -1);
    CHECK_INT(p.e.code, E_PROTO);
    play_close(&p);
    CHECK_INT(sent.len, 0);

    CASE("answers that nobody waited for make room");
    assert_int_equal(buf_put_str(&input, IN), 0);
    for (unsigned i = 2; i < 2 + IMAP_IN_FLIGHT + 10; i++)
        assert_int_equal(buf_putf(&input, "m%u OK\r\n", i), 0);
    play_in(&p, buf_cstr(&input), 0);
    for (size_t i = 0; i < IMAP_IN_FLIGHT; i++)
        tag = noop(p.im);
    CHECK_INT(imap_finish(p.im, tag, NULL, &done, &p.e), 0);
    for (size_t i = 0; i < 10; i++)
        tag = noop(p.im);
    CHECK_INT(imap_finish(p.im, tag, NULL, &done, &p.e), 0);
    play_close(&p);
    buf_release(&input);
}

static void test_without_end(void **state)
{
    static const char one[] = "* OK\r\n";
    struct buf input = BUF_INIT(32 << 20);
    struct imap_done done;
    struct play p;

    (void)state;
    CASE("untagged responses without end");
    assert_int_equal(buf_put_str(&input, IN), 0);
    for (size_t i = 0; i < 2 * LIMIT_LISTING + 1; i++)
        assert_int_equal(buf_put(&input, one, sizeof(one) - 1), 0);
    assert_int_equal(buf_put_str(&input, "m2 OK\r\n"), 0);
    play_in(&p, buf_cstr(&input), 0);
    CHECK_INT(imap_finish(p.im, noop(p.im), NULL, &done, &p.e), -1);
    CHECK_INT(p.e.code, E_PROTO);
    play_close(&p);
    buf_release(&input);
}

/* --- refusals --- */

static void test_refused(void **state)
{
    static const struct {
        struct imap_done done;
        enum err_code code;
        const char *peer;
        bool throttled;
    } cases[] = {
        { { IMAP_NO, "", "", "just no" }, E_MESSAGE, "just no", false },
        { { IMAP_NO, "UNAVAILABLE", "", "later" }, E_BUSY, "UNAVAILABLE: later", true },
        { { IMAP_NO, "InUse", "", "" }, E_BUSY, "InUse: ", true },
        { { IMAP_NO, "LIMIT", "", "" }, E_BUSY, "LIMIT: ", true },
        { { IMAP_NO, "THROTTLED", "", "" }, E_BUSY, "THROTTLED: ", true },
        { { IMAP_NO, "SERVERBUG", "", "" }, E_BUSY, "SERVERBUG: ", false },
        { { IMAP_NO, "OVERQUOTA", "", "" }, E_BUSY, "OVERQUOTA: ", false },
        { { IMAP_NO, "CONTACTADMIN", "", "" }, E_AUTH, "CONTACTADMIN: ", false },
        { { IMAP_NO, "EXPIRED", "", "" }, E_AUTH, "EXPIRED: ", false },
        { { IMAP_NO, "AUTHENTICATIONFAILED", "", "" }, E_AUTH, "AUTHENTICATIONFAILED: ", false },
        { { IMAP_NO, "AUTHORIZATIONFAILED", "", "" }, E_AUTH, "AUTHORIZATIONFAILED: ", false },
        { { IMAP_NO, "PRIVACYREQUIRED", "", "" }, E_TLS, "PRIVACYREQUIRED: ", false },
        { { IMAP_NO, "NONEXISTENT", "", "" }, E_NOFOLDER, "NONEXISTENT: ", false },
        { { IMAP_NO, "UNAVAILABLEX", "", "" }, E_MESSAGE, "UNAVAILABLEX: ", false },
        { { IMAP_BAD, "", "", "request is THROTTLED. Suggested Backoff Time: 9 ms" },
          E_BUSY,
          "request is THROTTLED. Suggested Backoff Time: 9 ms",
          true },
        { { IMAP_NO, "ALERT", "", "Too many simultaneous connections. (Failure)" },
          E_BUSY,
          "ALERT: Too many simultaneous connections. (Failure)",
          true },
    };
    struct play p;

    (void)state;
    play_in(&p, IN, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CASE("[%s] %s", cases[i].done.code, cases[i].done.text);
        CHECK_INT(imap_refused(p.im, &cases[i].done, E_MESSAGE, "it", &p.e), -1);
        CHECK_INT(p.e.code, cases[i].code);
        CHECK(strcmp(p.e.text, "imap.example.org refused it") == 0);
        CHECK_SLICE(slice_trim(slice_str(p.e.peer)), slice_trim(slice_str(cases[i].peer)));
        CHECK_INT(imap_throttled(&cases[i].done), cases[i].throttled);
    }
    play_close(&p);
}

/* --- messages inside a command --- */

#define IN_WITH(caps) "* OK [CAPABILITY IMAP4rev1] hi\r\nm1 OK [CAPABILITY IMAP4rev1 " caps "] in\r\n"

/* APPEND of `count` messages; how many were agreed to goes to *agreed_out. */
static int append(struct play *p, const struct slice *messages, size_t count, uint32_t *tag_out, size_t *agreed_out)
{
    bool go = true;

    *agreed_out = 0;
    imap_begin(p->im, tag_out);
    imap_text(p->im, "APPEND x");
    for (size_t i = 0; i < count; i++) {
        imap_text(p->im, " ");
        if (imap_literal_begin(p->im, *tag_out, messages[i].n, &go, &p->e) != 0)
            return -1;
        if (!go)
            return 0;
        (*agreed_out)++;
        imap_literal_data(p->im, messages[i]);
    }
    imap_end(p->im);
    return 0;
}

static const struct literal_case {
    const char *name, *bytes, *disabled;
    const char *sent;
    size_t agreed;
    enum imap_status status; /* IMAP_NO_STATUS: an error instead */
    enum err_code code;
} literals[] = {
    { "LITERAL+: nothing is waited for", IN_WITH("LITERAL+") "m2 OK done\r\n", NULL,
      "m2 APPEND x {3+}\r\nabc {2+}\r\nde\r\n", 2, IMAP_OK, E_NONE },
    { "LITERAL-, short ones: the same", IN_WITH("LITERAL-") "m2 OK done\r\n", NULL,
      "m2 APPEND x {3+}\r\nabc {2+}\r\nde\r\n", 2, IMAP_OK, E_NONE },
    { "without: each is asked for, and what else is said is heard",
      IN_WITH("") "* 3 EXISTS\r\n+ go\r\n* 4 EXISTS\r\n+\r\nm2 OK done\r\n", NULL,
      "m2 APPEND x {3}\r\nabc {2}\r\nde\r\n", 2, IMAP_OK, E_NONE },
    { "LITERAL+ that is not to be used", IN_WITH("LITERAL+") "+ go\r\n+\r\nm2 OK done\r\n", "LITERAL+",
      "m2 APPEND x {3}\r\nabc {2}\r\nde\r\n", 2, IMAP_OK, E_NONE },
    { "refused before the first", IN_WITH("") "m2 NO [TRYCREATE] no such folder\r\n", NULL, "m2 APPEND x {3}\r\n", 0,
      IMAP_NO, E_NONE },
    { "refused before the second", IN_WITH("") "+ go\r\nm2 BAD [TOOBIG] too much\r\n", NULL,
      "m2 APPEND x {3}\r\nabc {2}\r\n", 1, IMAP_BAD, E_NONE },
    { "cut where it should agree", IN_WITH("") "* OK\r\n", NULL, "m2 APPEND x {3}\r\n", 0, IMAP_NO_STATUS, E_NET },
    { "BYE where it should agree", IN_WITH("") "* BYE down\r\n", NULL, "m2 APPEND x {3}\r\n", 0, IMAP_NO_STATUS,
      E_BUSY },
    { "asking for more than was announced", IN_WITH("LITERAL+") "+ more\r\nm2 OK\r\n", NULL,
      "m2 APPEND x {3+}\r\nabc {2+}\r\nde\r\n", 2, IMAP_NO_STATUS, E_PROTO },
};

static void test_literals(void **state)
{
    static const struct slice messages[] = { SLICE("abc"), SLICE("de") };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(literals); i++) {
        const struct literal_case *c = &literals[i];
        const char *disabled[] = { c->disabled, NULL };
        struct imap_done done = { .status = IMAP_NO_STATUS };
        uint32_t tag;
        size_t agreed;
        struct play p;
        int rc;

        CASE("%s", c->name);
        play_init(&p, slice_str(c->bytes), 1);
        p.server.disabled = disabled;
        CHECK_INT(play_open(&p), 0);
        buf_clear(&sent);
        rc = append(&p, messages, 2, &tag, &agreed);
        if (rc == 0)
            rc = imap_finish(p.im, tag, NULL, &done, &p.e);
        CHECK_SLICE(buf_slice(&sent), slice_str(c->sent));
        CHECK_INT(agreed, c->agreed);
        CHECK_INT(rc, c->code == E_NONE ? 0 : -1);
        CHECK_INT(p.e.code, c->code);
        CHECK_INT(done.status, c->status);
        play_close(&p);
    }
}

/* RFC 7888 sections 4 and 5. */
static void test_literal_lengths(void **state)
{
    static const struct {
        const char *bytes;
        size_t octets;
        bool at_once;
    } cases[] = {
        { IN_WITH("LITERAL-") "+\r\n", 4096, true },
        { IN_WITH("LITERAL-") "+\r\n", 4097, false },
        { IN_WITH("LITERAL+") "+\r\n", IMAP_LITERAL_AT_ONCE, true },
        { IN_WITH("LITERAL+") "+\r\n", IMAP_LITERAL_AT_ONCE + 1, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct play p;
        uint32_t tag;
        bool go;

        CASE("%zu octets", cases[i].octets);
        play_in(&p, cases[i].bytes, 0);
        imap_begin(p.im, &tag);
        CHECK_INT(imap_literal_begin(p.im, tag, cases[i].octets, &go, &p.e), 0);
        CHECK(go);
        CHECK_INT(stream_flush(p.im->stream, &p.e), 0);
        CHECK_INT(sent.p[sent.len - 4] == '+', cases[i].at_once);
        play_close(&p);
    }
}

static void test_storing_may_take_long(void **state)
{
    struct imap_done done;
    struct play p;
    uint32_t tag;
    bool go;

    (void)state;
    CASE("the answer to a message, and what waits behind it; then as ever");
    play_in(&p, IN_WITH("LITERAL+") "m2 OK stored\r\nm3 OK\r\n", 1);
    CHECK_INT(silence_factor, 1);
    imap_begin(p.im, &tag);
    CHECK_INT(imap_literal_begin(p.im, tag, 1, &go, &p.e), 0);
    CHECK_INT(silence_factor, 1);
    imap_literal_data(p.im, SLICE("a"));
    imap_end(p.im);
    CHECK_INT(imap_finish(p.im, tag, NULL, &done, &p.e), 0);
    CHECK_INT(silence_factor, 10);
    CHECK_INT(imap_finish(p.im, noop(p.im), NULL, &done, &p.e), 0);
    CHECK_INT(silence_factor, 1);
    play_close(&p);
}

/* What had been answered before the line broke does not count as lost. */
static void test_answered(void **state)
{
    static const struct slice messages[] = { SLICE("0123456789"), SLICE("0123456789") };
    struct imap_done done;
    uint32_t tags[3];
    size_t agreed;
    struct play p;
    int rc = 0;

    (void)state;
    CASE("cut while reading, and BYE");
    for (size_t i = 0; i < 2; i++) {
        play_in(&p, i == 0 ? IN "m2 OK first\r\nm3 NO" : IN "m2 OK first\r\n* BYE\r\nm3 NO second\r\nm4", 0);
        for (size_t n = 0; n < 3; n++)
            tags[n] = noop(p.im);
        CHECK_INT(imap_finish(p.im, tags[2], NULL, &done, &p.e), -1);
        CHECK_INT(imap_answered(p.im, tags[0], &done), true);
        CHECK_INT(done.status, IMAP_OK);
        CHECK_INT(imap_answered(p.im, tags[0], &done), false);
        CHECK_INT(imap_answered(p.im, tags[1], &done), i == 1);
        CHECK_INT(imap_answered(p.im, tags[2], &done), false);
        play_close(&p);
    }
    CASE("a write that fails");
    play_in(&p, IN_WITH("LITERAL+") "m2 OK first\r\n* BYE enough\r\n", 7);
    sent.max = 60;
    for (size_t n = 0; n < 2000 && rc == 0; n++) {
        rc = append(&p, messages, 2, &tags[n > 0], &agreed);
        if (n >= 20)
            rc = stream_flush(p.im->stream, &p.e);
    }
    CHECK_INT(rc, -1);
    CHECK_INT(imap_answered(p.im, tags[0], &done), true);
    CHECK_INT(imap_answered(p.im, tags[1], &done), false);
    play_close(&p);
}

/* Whatever is said inside a message becomes a part of it. */
static void test_given_up(void **state)
{
    struct play p;
    uint32_t tag;
    bool go;

    (void)state;
    CASE("a message that is not sent to its end ends the session without a word");
    play_in(&p, IN_WITH("LITERAL+"), 0);
    imap_begin(p.im, &tag);
    CHECK_INT(imap_literal_begin(p.im, tag, 20, &go, &p.e), 0);
    imap_literal_data(p.im, SLICE("a"));
    imap_close(&p.im);
    CHECK(memmem(buf_cstr(&sent), sent.len, "LOGOUT", 6) == NULL);
    play_close(&p);
}

static void test_append_limit(void **state)
{
    struct play p;

    (void)state;
    play_in(&p, IN_WITH("APPENDLIMIT=35651584 MULTIAPPEND"), 0);
    CHECK_INT(imap_append_limit(p.im), 35651584);
    CHECK_INT(imap_caps(p.im), IMAP_CAP_IMAP4REV1 | IMAP_CAP_MULTIAPPEND);
    play_close(&p);
    play_in(&p, IN, 0);
    CHECK_INT(imap_append_limit(p.im), 0);
    play_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_starttls_forgets),
        cmocka_unit_test(test_pipelined),
        cmocka_unit_test(test_implicit_tls),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_uidvalidity_of_the_next_folder),
        cmocka_unit_test(test_enabled),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_in_flight),
        cmocka_unit_test(test_without_end),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_literals),
        cmocka_unit_test(test_answered),
        cmocka_unit_test(test_storing_may_take_long),
        cmocka_unit_test(test_literal_lengths),
        cmocka_unit_test(test_append_limit),
        cmocka_unit_test(test_given_up),
    };
    struct err e;

    return log_open(&(struct log_options){ .level = LOG_LEVEL_ERROR }, &e) != 0 ||
           cmocka_run_group_tests(tests, NULL, NULL);
}
