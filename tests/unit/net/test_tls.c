/* SPDX-License-Identifier: MIT
 * TLS against servers of OpenSSL in a thread: whom we trust, whom we refuse and in which words, and how a connection
 * ends.
 */
#include "tls_server.h"

#include <poll.h>

#include "net/tls_pin.h"

/* --- whom we trust --- */

struct meeting {
    const char *name;
    struct server server;
    const char *host; /* NULL: localhost */
    int code;
    const char *words[2];
};

static const struct meeting meetings[] = {
    { "good", { .who = GOOD, .alpn = "imap" }, NULL, E_NONE, { NULL } },
    { "good, no ALPN answer", { .who = GOOD }, NULL, E_NONE, { NULL } },
    { "good, TLS 1.2", { .who = GOOD, .version = TLS1_2_VERSION }, NULL, E_NONE, { NULL } },
    { "a dot behind the host", { .who = GOOD }, "localhost.", E_NONE, { NULL } },
    { "a wildcard", { .who = WILD }, "imap.example.org", E_NONE, { NULL } },
#ifdef HAVE_IDN2
    { "a host outside ASCII",
      { .who = FOREIGN },
      "b\xc3\xbc"
      "cher.example",
      E_NONE,
      { NULL } },
    { "and not another", { .who = FOREIGN }, "bucher.example", E_TLS, { "\"xn--bcher-kva.example\"", NULL } },
#endif
    { "an address", { .who = BY_IP }, "127.0.0.1", E_NONE, { NULL } },
    { "an IPv6 address", { .who = BY_IP }, "::1", E_NONE, { NULL } },
    { "TLS 1.1 only",
      { .who = GOOD, .version = TLS1_1_VERSION },
      NULL,
      E_TLS,
      { "no version of TLS", "tls_min_version" } },
    { "expired", { .who = EXPIRED }, NULL, E_TLS, { "the certificate expired on 20", "CN = The CA" } },
    { "not yet valid", { .who = FUTURE }, NULL, E_TLS, { "is not valid before 20", "clock" } },
    { "self-signed", { .who = SELF_SIGNED }, NULL, E_TLS, { "self-signed", "tls_fingerprint = { \"sha256:" } },
    { "of a CA unknown here",
      { .who = STRANGER },
      NULL,
      E_TLS,
      { "issuer that is not trusted here", "CN = Stranger" } },
    { "of another host",
      { .who = OTHER_HOST },
      NULL,
      E_TLS,
      { "localhost: the certificate is for \"mail.other.org\", \"a.other\", \"b.other\" and 1 more, not for this host",
        "valid until 20" } },
    { "a common name is no name", { .who = NO_NAME }, NULL, E_TLS, { "names no host", NULL } },
    { "a partial wildcard",
      { .who = PARTIAL },
      "imap.example.org",
      E_TLS,
      { "\"im*.example.org\", not for this", NULL } },
    { "a wildcard for two labels",
      { .who = WILD },
      "a.b.example.org",
      E_TLS,
      { "\"*.example.org\", not for this", NULL } },
    { "a wildcard for nothing", { .who = WILD }, "example.org", E_TLS, { "\"*.example.org\", not for this", NULL } },
    { "a wildcard in the middle",
      { .who = WILD_DEEP },
      "imap.example.org",
      E_TLS,
      { "\"imap.*.org\", not for this", NULL } },
    { "an address without its name", { .who = GOOD }, "127.0.0.1", E_TLS, { "for \"localhost\", not for this", NULL } },
    { "another address", { .who = BY_IP }, "127.0.0.2", E_TLS, { "for \"127.0.0.1\", \"::1\", not for this", NULL } },
    { "for clients only", { .who = CLIENT_ONLY }, NULL, E_TLS, { "not one for servers", NULL } },
    { "a weak key", { .who = WEAK, .version = TLS1_2_VERSION }, NULL, E_TLS, { "key too weak", NULL } },
    { "another service", { .who = GOOD, .alpn = "smtp" }, NULL, E_TLS, { "another service", NULL } },
    { "a certificate wanted, TLS 1.2",
      { .who = GOOD, .wants_client = true, .version = TLS1_2_VERSION },
      NULL,
      E_TLS,
      { "tls_cert_file", NULL } },
};

static void each_meeting(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(meetings); i++) {
        const struct meeting *m = &meetings[i];
        struct tls_settings settings = usual();
        struct peer p;
        struct stream *s = peer_start(&p, serve, &m->server, 10000);
        struct slice line;
        struct err e = ERR_INIT;

        CASE("%s", m->name);
        if (m->host != NULL) {
            settings.host = m->host;
            snprintf(s->name, sizeof(s->name), "%s", m->host);
        } else {
            snprintf(s->name, sizeof(s->name), "localhost");
        }
        CHECK_INT(stream_push_tls(s, &settings, &e), m->code == E_NONE ? 0 : -1);
        CHECK_INT(e.code, m->code);
        for (size_t k = 0; k < ARRAY_LEN(m->words) && m->words[k] != NULL; k++)
            CHECK_HAS(e.text, m->words[k]);
        if (m->code == E_NONE) {
            CHECK_INT(stream_line(s, 100, &line, &e), 0);
            CHECK_SLICE(line, SLICE("* OK hi"));
            CHECK_INT(stream_line(s, 100, &line, &e), -1);
            CHECK_INT(e.code, E_NET);
            CHECK_HAS(e.text, "the server closed the connection");
        }
        stream_close(&s);
        peer_join(&p);
        /* Whom we refuse has not even seen the handshake through, another service apart. */
        if (m->code != E_NONE && m->server.alpn == NULL)
            CHECK_INT(p.seen_n, 0);
    }
}

static void the_facts(void **state)
{
    static const struct server server = { .who = GOOD, .alpn = "imap" };
    struct tls_settings settings = usual();
    struct peer p;
    struct stream *s = peer_start(&p, serve, &server, 10000);
    const struct tls_facts *f;
    char pin[120], shown[104];
    struct err e;

    (void)state;
    CHECK(stream_tls(s) == NULL);
    CHECK_INT(stream_push_tls(s, &settings, &e), 0);
    f = stream_tls(s);
    CHECK_SLICE(slice_str(f->protocol), SLICE("TLSv1.3"));
    CHECK_HAS(f->cipher, "TLS_");
    CHECK_SLICE(slice_str(f->subject), SLICE("CN = x"));
    CHECK_SLICE(slice_str(f->issuer), SLICE("CN = The CA"));
    CHECK_INT(f->not_after - f->not_before, 101 * 86400);
    CHECK_INT(f->chain_length, 1);
    CHECK(!f->pinned && !f->resumed);
    identity_pin(&world.who[GOOD], false, pin, sizeof(pin));
    CHECK_INT(strlen(f->fingerprint), strlen("sha256:") + 95);
    CHECK(tls_pin_valid(f->fingerprint));
    size_t n = 0;
    for (const char *c = f->fingerprint + strlen("sha256:"); *c != '\0'; c++) {
        if (*c != ':')
            shown[n++] = ascii_lower(*c);
    }
    CHECK_SLICE(slice_make(shown, n), slice_str(pin + strlen("sha256:")));
    stream_close(&s);
    peer_join(&p);
    CHECK_SLICE(slice_make(p.seen, p.seen_n), SLICE("shaken localhost\n"));
}

static void pins(void **state)
{
    static const struct {
        enum who who;
        bool of_key, right;
    } cases[] = {
        { GOOD, false, true },        { GOOD, true, true },    { GOOD, false, false },      { GOOD, true, false },
        { SELF_SIGNED, false, true }, { EXPIRED, true, true }, { OTHER_HOST, false, true }, { STRANGER, true, true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct server server = { .who = cases[i].who };
        struct tls_settings settings = usual();
        char pin[120];
        const char *list[] = { "sha256:0000000000000000000000000000000000000000000000000000000000000000", pin };
        struct peer p;
        struct stream *s;
        struct err e = ERR_INIT;

        CASE("pin %zu", i);
        identity_pin(&world.who[cases[i].right ? cases[i].who : WILD], cases[i].of_key, pin, sizeof(pin));
        settings.fingerprints = list;
        settings.fingerprint_count = ARRAY_LEN(list);
        s = peer_start(&p, serve, &server, 10000);
        CHECK_INT(stream_push_tls(s, &settings, &e), cases[i].right ? 0 : -1);
        if (cases[i].right) {
            CHECK(stream_tls(s)->pinned);
        } else {
            CHECK_INT(e.code, E_TLS);
            CHECK_HAS(e.text, "not the one that tls_fingerprint asks for");
        }
        stream_close(&s);
        peer_join(&p);
    }
}

static void a_client_certificate(void **state)
{
    static const struct server server = { .who = GOOD, .wants_client = true };
    struct tls_settings settings = usual();
    struct peer p;
    struct stream *s = peer_start(&p, serve, &server, 10000);
    struct slice line;
    struct err e;

    (void)state;
    settings.cert_file = world.client_file;
    settings.key_file = world.client_key;
    CHECK_INT(stream_push_tls(s, &settings, &e), 0);
    CHECK_INT(stream_line(s, 100, &line, &e), 0);
    stream_close(&s);
    peer_join(&p);

    /* Without one: TLS 1.3 says so only behind the handshake. */
    settings = usual();
    s = peer_start(&p, serve, &server, 10000);
    CHECK_INT(stream_push_tls(s, &settings, &e), 0);
    CHECK_INT(stream_line(s, 100, &line, &e), -1);
    CHECK_INT(e.code, E_TLS);
    CHECK_HAS(e.text, "tls_cert_file");
    stream_close(&s);
    peer_join(&p);
}

static void an_end_without_goodbye(void **state)
{
    static const struct server server = { .who = GOOD, .truncates = true },
                               old = { .who = GOOD, .truncates = true, .version = TLS1_2_VERSION };
    const struct server *const servers[] = { &server, &old };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
        struct tls_settings settings = usual();
        struct peer p;
        struct stream *s = peer_start(&p, serve, servers[i], 10000);
        struct slice line;
        struct err e;

        CASE("server %zu", i);
        CHECK_INT(stream_push_tls(s, &settings, &e), 0);
        CHECK_INT(stream_line(s, 100, &line, &e), 0);
        CHECK_INT(stream_line(s, 100, &line, &e), -1);
        CHECK_INT(e.code, E_NET);
        CHECK_HAS(e.text, "without the goodbye of TLS");
        stream_close(&s);
        peer_join(&p);
    }
}

/* What came in clear behind the answer to STARTTLS must not be taken for what the server says inside. */
static void bytes_ahead_of_the_handshake(void **state)
{
    static const struct server server = { .who = GOOD, .before = SLICE("a OK begin\r\n* PREAUTH injected\r\n") };
    struct tls_settings settings = usual();
    struct peer p;
    struct stream *s = peer_start(&p, serve, &server, 10000);
    struct slice line;
    struct err e;

    (void)state;
    CHECK_INT(stream_line(s, 100, &line, &e), 0);
    while (stream_peek(s).n < 20)
        CHECK_INT(stream_fill(s, &e), 0);
    CHECK_INT(stream_push_tls(s, &settings, &e), -1);
    CHECK_INT(e.code, E_TLS);
    CHECK_HAS(e.text, "ahead of the TLS handshake");
    CHECK_INT(stream_bytes_out(s), 0);
    CHECK_INT(stream_flush(s, &e), -1);
    stream_close(&s);
    peer_join(&p);
    CHECK_INT(p.seen_n, 0);
}

static void plaintext(struct peer *p)
{
    peer_send(p, SLICE("* OK this is IMAP, and no TLS at all\r\n"));
    peer_wait_for_end(p);
}

static void say_nothing(struct peer *p)
{
    peer_wait_for_end(p);
}

static void hang_up(struct peer *p)
{
    peer_take(p, 5);
}

static void no_tls_at_the_other_end(void **state)
{
    static const struct {
        void (*play)(struct peer *);
        int code;
        const char *words;
    } cases[] = {
        { plaintext, E_TLS, "does not speak TLS here" },
        { say_nothing, E_TIMEOUT, "in the TLS handshake" },
        { hang_up, E_NET, "closed the connection in the TLS handshake" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tls_settings settings = usual();
        struct peer p;
        struct stream *s = peer_start(&p, cases[i].play, NULL, 200);
        struct err e;

        CASE("case %zu", i);
        CHECK_INT(stream_push_tls(s, &settings, &e), -1);
        CHECK_INT(e.code, cases[i].code);
        CHECK_HAS(e.text, cases[i].words);
        stream_close(&s);
        peer_join(&p);
    }
}

/* Much in both directions at once, more than the sockets hold; and few reads for many records. */
static void bulk(void **state)
{
    enum { MUCH = 800 * 1000 };
    static const struct server server = { .who = GOOD, .bulk = MUCH, .expect = "0123456789" };
    static char commands[1000 * 1000];
    struct tls_settings settings = usual();
    struct peer p;
    struct stream *s = peer_start(&p, serve, &server, 20000);
    struct slice line;
    struct err e;

    (void)state;
    memset(commands, '0', sizeof(commands));
    memcpy(commands, "0123456789", 10);
    CHECK_INT(stream_push_tls(s, &settings, &e), 0);
    stream_put(s, slice_make(commands, sizeof(commands) / 4));
    CHECK_INT(stream_flush(s, &e), 0);
    CHECK_INT(stream_line(s, 100, &line, &e), 0);
    for (size_t total = 0; total < MUCH;) {
        if (stream_peek(s).n == 0)
            CHECK_INT(stream_fill(s, &e), 0);
        total += stream_peek(s).n;
        stream_consume(s, stream_peek(s).n);
    }
    CHECK(stream_bytes_in(s) > MUCH);
    CHECK(stream_bytes_out(s) > sizeof(commands) / 4);
    stream_close(&s);
    peer_join(&p);
    CHECK_HAS(p.seen, "0123456789");
}

/* A server that is never silent and never says anything. */
static void housekeeping_for_ever_is_refused(void **state)
{
    static const struct server server = { .who = GOOD, .tickets = 20 * 1000 };
    struct tls_settings settings = usual();
    struct peer p;
    struct stream *s = peer_start(&p, serve, &server, 20000);
    struct slice line;
    struct err e;

    (void)state;
    CHECK_INT(stream_push_tls(s, &settings, &e), 0);
    CHECK_INT(stream_line(s, 100, &line, &e), 0);
    CHECK_INT(stream_line(s, 100, &line, &e), -1);
    CHECK_INT(e.code, E_PROTO);
    CHECK_HAS(e.text, "housekeeping");
    CHECK(stream_bytes_in(s) < 2 * STREAM_BARREN_MAX);
    stream_close(&s);
    peer_join(&p);
}

static bool readable_within(const struct stream *s, int ms)
{
    struct pollfd fd = { .fd = stream_fd(s), .events = POLLIN };

    return poll(&fd, 1, ms) > 0;
}

/* Readable, and nothing to read: TLS 1.3 sends tickets when it likes. */
static void tickets_are_nothing(void **state)
{
    static const struct server server = { .who = GOOD, .expect = "go", .tickets = 3, .then = "on" };
    struct tls_settings settings = usual();
    struct peer p;
    struct stream *s = peer_start(&p, serve, &server, 20000);
    unsigned woken = 0;
    struct slice line;
    struct err e;
    bool got;

    (void)state;
    CASE("tickets alone");
    CHECK_INT(stream_push_tls(s, &settings, &e), 0);
    CHECK_INT(stream_line(s, 100, &line, &e), 0);
    stream_park(s);
    CHECK_INT(stream_try_fill(s, &got, &e), 0);
    CHECK(!got);
    stream_put(s, SLICE("go"));
    CHECK_INT(stream_flush(s, &e), 0);
    for (int patience = 10000; readable_within(s, patience); patience = 50) {
        CHECK_INT(stream_try_fill(s, &got, &e), 0);
        CHECK(!got);
        stream_park(s);
        woken++;
    }
    CHECK(woken > 0);
    CASE("and the end is one");
    stream_put(s, SLICE("on"));
    CHECK_INT(stream_flush(s, &e), 0);
    CHECK(readable_within(s, 10000));
    CHECK_INT(stream_try_fill(s, &got, &e), -1);
    CHECK_INT(e.code, E_NET);
    stream_close(&s);
    peer_join(&p);
}

/* As long as something is to come, either it is there for the taking, or the descriptor will tell. */
static void nothing_is_left_where_nobody_looks(void **state)
{
    enum { MUCH = 300 * 1000, GREETING = 9 };
    static const struct server server = { .who = GOOD, .bulk = MUCH, .expect = "go" };
    struct tls_settings settings = usual();
    struct peer p;
    struct stream *s = peer_start(&p, serve, &server, 20000);
    size_t total = 0;
    struct err e;
    bool got;

    (void)state;
    CASE("many records");
    CHECK_INT(stream_push_tls(s, &settings, &e), 0);
    stream_expect(s, 10 * MUCH);
    while (total < MUCH + GREETING) {
        CHECK_INT(stream_try_fill(s, &got, &e), 0);
        total += stream_peek(s).n;
        stream_consume(s, stream_peek(s).n);
        if (!got) {
            stream_park(s);
            CHECK(readable_within(s, 10000));
        }
    }
    stream_put(s, SLICE("go"));
    CHECK_INT(stream_flush(s, &e), 0);
    stream_close(&s);
    peer_join(&p);
}

static void *meet_good(void *arg)
{
    static const struct server server = { .who = GOOD, .alpn = "imap" };
    struct tls_settings settings = usual();
    struct layer *l;
    struct stream *s = NULL;
    struct slice line;
    struct peer p;
    struct err e;
    bool *ok = arg;

    /* Half of them with a second context, so that the list is changed while others look. */
    if ((uintptr_t)arg / sizeof(bool) % 2)
        settings.min_version = TLS_1_3;
    int fd = peer_start_fd(&p, serve, &server);
    *ok = socket_layer(fd, 0, &l, &e) == 0 && stream_create(l, "peer", 20000, &s, &e) == 0 &&
          stream_push_tls(s, &settings, &e) == 0 && stream_line(s, 100, &line, &e) == 0;
    stream_close(&s);
    peer_join(&p);
    return NULL;
}

static void many_threads_share_the_contexts(void **state)
{
    enum { THREADS = 12 };
    pthread_t threads[THREADS];
    bool ok[THREADS] = { false };

    (void)state;
    tls_cleanup();
    for (size_t i = 0; i < THREADS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, meet_good, &ok[i]), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < THREADS; i++)
        CHECK(ok[i]);
}

static void settings_are_checked(void **state)
{
    const char *good_pin = "sha256:00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF",
               *bad_pin = "sha256:12";
    struct tls_settings s;
    struct err e;

    (void)state;
    s = usual();
    s.fingerprints = &good_pin;
    s.fingerprint_count = 1;
    CHECK_INT(tls_settings_check(&s, &e), 0);
    s.fingerprints = &bad_pin;
    CHECK_INT(tls_settings_check(&s, &e), -1);
    CHECK_INT(e.code, E_CONFIG);
    CHECK_HAS(e.text, "sha256:12");

    s = usual();
    s.trust_file = "/nonexistent/ca.pem";
    CHECK_INT(tls_settings_check(&s, &e), -1);
    CHECK_INT(e.code, E_CONFIG);
    CHECK_HAS(e.text, "tls_trust_file /nonexistent/ca.pem: No such file");

    s = usual();
    s.cert_file = world.client_file;
    CHECK_INT(tls_settings_check(&s, &e), -1);
    CHECK_HAS(e.text, "tls_cert_file");
    s.key_file = world.client_key;
    CHECK_INT(tls_settings_check(&s, &e), 0);
    /* OpenSSL's own provider does not come with PKCS#11; one that is installed does not know this token. */
    s.key_file = "pkcs11:token=none;object=key?pin-value=12345";
    CHECK_INT(tls_settings_check(&s, &e), -1);
    CHECK_INT(e.code, E_CONFIG);
    CHECK_HAS(e.text, "tls_key_file");
    CHECK_HAS(e.text, "pkcs11");
    CHECK(strstr(e.text, "12345") == NULL);
    s.key_file = world.client_key;
    s.cert_file = world.ca_file;
    CHECK_INT(tls_settings_check(&s, &e), -1);
    CHECK_INT(e.code, E_CONFIG);
    CHECK_HAS(e.text, "tls_key_file");
    s.cert_file = NULL;
    CHECK_INT(tls_settings_check(&s, &e), -1);
    CHECK_HAS(e.text, "needs a tls_cert_file");

    s = (struct tls_settings){ .host = "localhost" };
    CHECK_INT(tls_settings_check(&s, &e), 0);
    CHECK_HAS(tls_library(), "OpenSSL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_meeting),
        cmocka_unit_test(the_facts),
        cmocka_unit_test(pins),
        cmocka_unit_test(a_client_certificate),
        cmocka_unit_test(an_end_without_goodbye),
        cmocka_unit_test(bytes_ahead_of_the_handshake),
        cmocka_unit_test(no_tls_at_the_other_end),
        cmocka_unit_test(bulk),
        cmocka_unit_test(housekeeping_for_ever_is_refused),
        cmocka_unit_test(tickets_are_nothing),
        cmocka_unit_test(nothing_is_left_where_nobody_looks),
        cmocka_unit_test(many_threads_share_the_contexts),
        cmocka_unit_test(settings_are_checked),
    };
    return cmocka_run_group_tests(tests, make_world, end_world);
}
