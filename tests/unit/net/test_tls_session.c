/* SPDX-License-Identifier: MIT
 * Sessions that are resumed, and what a login may be bound to in them: both hold against what OpenSSL says at the
 * server's end.
 */
#include "tls_server.h"

#include <poll.h>

#include "base/clock.h"

/* A place that keeps the sessions of one test. */
static struct place {
    struct {
        char key[65];
        struct buf bytes;
    } v[32];
    size_t count;
    size_t kept;
} place;

static bool take(void *ctx, const char *key, struct buf *out)
{
    struct place *pl = ctx;

    for (size_t i = pl->count; i-- > 0;) {
        if (strcmp(pl->v[i].key, key) != 0)
            continue;
        CHECK_INT(buf_put_slice(out, buf_slice(&pl->v[i].bytes)), 0);
        buf_release(&pl->v[i].bytes);
        pl->v[i] = pl->v[--pl->count];
        return true;
    }
    return false;
}

static void keep(void *ctx, const char *key, struct slice session)
{
    struct place *pl = ctx;

    CHECK(pl->count < ARRAY_LEN(pl->v));
    CHECK(session.n <= TLS_SESSION_MAX);
    snprintf(pl->v[pl->count].key, sizeof(pl->v[0].key), "%s", key);
    pl->v[pl->count].bytes = BUF_INIT(TLS_SESSION_MAX);
    CHECK_INT(buf_put_slice(&pl->v[pl->count++].bytes, session), 0);
    pl->kept++;
}

static void forget(void)
{
    while (place.count > 0)
        buf_release(&place.v[--place.count].bytes);
    place.kept = 0;
}

static const struct tls_tickets tickets = { .take = take, .keep = keep };

static struct tls_settings remembering(void)
{
    struct tls_settings s = usual();

    s.tickets = &tickets;
    s.tickets_ctx = &place;
    return s;
}

/* One connection, its greeting read; whether it was resumed, on which both sides agree. */
static bool resumes(const struct server *server, const struct tls_settings *settings)
{
    struct peer p;
    struct stream *s = peer_start(&p, serve, server, 10000);
    struct slice line;
    struct err e = ERR_INIT;
    bool resumed;

    if (stream_push_tls(s, settings, &e) != 0)
        print_error("%s\n", e.text);
    CHECK_INT(e.code, E_NONE);
    CHECK_INT(stream_line(s, 100, &line, &e), 0);
    resumed = stream_tls(s)->resumed;
    CHECK_SLICE(slice_str(stream_tls(s)->issuer), SLICE("CN = The CA"));
    CHECK(stream_tls(s)->not_after > stream_tls(s)->not_before);
    stream_close(&s);
    peer_join(&p);
    CHECK_INT(slice_starts(slice_make(p.seen, p.seen_n), SLICE("resumed")), resumed);
    return resumed;
}

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

static void a_session_goes_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        struct server server = { .who = GOOD, .version = versions[i], .alpn = "imap" };
        struct tls_settings settings = remembering(), silent = usual();

        CASE("TLS 1.%zu", 2 + i);
        server.ctx = server_context(&server);
        CHECK(!resumes(&server, &settings));
        CHECK(place.kept > 0);
        for (int k = 0; k < 3; k++)
            CHECK(resumes(&server, &settings));
        CHECK(!resumes(&server, &silent));
        CHECK(place.count > 0);
        forget();
        SSL_CTX_free(server.ctx);
    }
}

/* A server that has forgotten its keys, and rubbish in the place. */
static void what_is_not_taken_costs_a_handshake(void **state)
{
    struct server server = { .who = GOOD }, other = { .who = GOOD };
    struct tls_settings settings = remembering();

    (void)state;
    server.ctx = server_context(&server);
    other.ctx = server_context(&other);
    CHECK(!resumes(&server, &settings));
    CHECK(!resumes(&other, &settings));
    for (int k = 0; k < 3; k++) {
        for (size_t i = 0; i < place.count; i++)
            memset(place.v[i].bytes.p + 8, 'x', place.v[i].bytes.len - 8);
        CHECK(!resumes(&server, &settings));
    }
    forget();
    SSL_CTX_free(server.ctx);
    SSL_CTX_free(other.ctx);
}

static void other_settings_are_another_session(void **state)
{
    struct server server = { .who = GOOD };
    char pin[120];
    const char *right_pin = pin;

    (void)state;
    identity_pin(&world.who[GOOD], true, pin, sizeof(pin));
    server.ctx = server_context(&server);
    for (unsigned i = 0; i < 7; i++) {
        struct tls_settings before = remembering(), s = remembering();

        CASE("setting %u", i);
        switch (i) {
        case 0:
            s.port = 143;
            break;
        case 1:
            s.alpn = "pop3";
            break;
        case 2:
            s.min_version = TLS_1_3;
            break;
        case 3:
            s.fingerprints = &right_pin;
            s.fingerprint_count = 1;
            break;
        case 4:
            s.cert_file = world.client_file;
            s.key_file = world.client_key;
            break;
        case 5:
            before.trust_file = world.other_file;
            before.fingerprints = &right_pin;
            before.fingerprint_count = 1;
            break;
        case 6:
            before.host = "localhost";
            before.fingerprints = &right_pin;
            before.fingerprint_count = 1;
            s.host = "127.0.0.1";
            s.fingerprints = &right_pin;
            s.fingerprint_count = 1;
            break;
        }
        CHECK(!resumes(&server, &before));
        CHECK(!resumes(&server, &s));
        CHECK(resumes(&server, &s));
        forget();
    }
    SSL_CTX_free(server.ctx);
}

/* A session under the key of settings that it was not made for, as if the digest did not tell them apart or the world
 * had changed: its certificate is looked at again. */
static void the_certificate_is_judged_again(void **state)
{
    static const struct {
        enum who who;      /* of the session, which a pin made good    */
        enum who pinned;   /* by the connection that would resume it   */
        bool by_pin;       /* that has a pin at all                    */
        const char *words; /* why it does not; NULL: it may            */
    } cases[] = {
        { GOOD, GOOD, false, NULL },
        { GOOD, GOOD, true, NULL },
        { EXPIRED, GOOD, false, "expired on" },
        { OTHER_HOST, GOOD, false, "not for this host" },
        { GOOD, WILD, true, "not the one that tls_fingerprint asks for" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct server server = { .who = cases[i].who }, model = { .who = cases[i].pinned };
        struct tls_settings first = remembering(), second = remembering();
        char first_pin[120], second_pin[120], key[65];
        const char *first_pins = first_pin, *second_pins = second_pin;
        struct peer p;
        struct stream *s;
        struct err e = ERR_INIT;

        CASE("case %zu", i);
        identity_pin(&world.who[cases[i].who], false, first_pin, sizeof(first_pin));
        identity_pin(&world.who[cases[i].pinned], false, second_pin, sizeof(second_pin));
        server.ctx = server_context(&server);
        model.ctx = server_context(&model);
        first.fingerprints = &first_pins;
        second.fingerprints = &second_pins;
        first.fingerprint_count = 1;
        second.fingerprint_count = cases[i].by_pin;
        CHECK(!resumes(&model, &second));
        snprintf(key, sizeof(key), "%s", place.v[0].key);
        forget();
        CHECK(!resumes(&server, &first));
        for (size_t k = 0; k < place.count; k++)
            memcpy(place.v[k].key, key, sizeof(key));
        if (cases[i].words == NULL) {
            CHECK(resumes(&server, &second));
        } else {
            s = peer_start(&p, serve, &server, 10000);
            CHECK_INT(stream_push_tls(s, &second, &e), -1);
            CHECK_INT(e.code, E_TLS);
            CHECK_HAS(e.text, cases[i].words);
            stream_close(&s);
            peer_join(&p);
            CHECK_INT(p.seen_n, 0);
        }
        forget();
        SSL_CTX_free(server.ctx);
        SSL_CTX_free(model.ctx);
    }
}

/* Whatever tickets the server goes on giving: after a day everything is judged anew. */
static void a_day_later_all_is_judged_anew(void **state)
{
    enum { DAY = 24 * 60 * 60 };
    struct server server = { .who = GOOD };
    struct tls_settings settings = remembering();
    static const struct {
        int64_t ago;
        bool good;
    } cases[] = { { DAY - 100, true }, { DAY + 1, false }, { -100, false } };

    (void)state;
    server.ctx = server_context(&server);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CASE("case %zu", i);
        CHECK(!resumes(&server, &settings));
        for (size_t k = 0; k < place.count; k++) {
            uint64_t when = (uint64_t)(clock_wall() - cases[i].ago);
            for (size_t n = 0; n < 8; n++)
                place.v[k].bytes.p[n] = (char)(when >> (56 - 8 * n));
        }
        CHECK_INT(resumes(&server, &settings), cases[i].good);
        /* A ticket of a resumed session is no younger. */
        for (size_t k = 0; cases[i].good && k < place.count; k++) {
            uint64_t when = 0;
            for (size_t n = 0; n < 8; n++)
                when = when << 8 | (unsigned char)place.v[k].bytes.p[n];
            CHECK(clock_wall() - (int64_t)when >= cases[i].ago);
        }
        forget();
    }
    SSL_CTX_free(server.ctx);
}

/* Tickets that come while a connection waits are kept then, and break nothing. */
static void tickets_to_who_waits(void **state)
{
    struct server server = { .who = GOOD, .expect = "go", .tickets = 3, .then = "on" };
    struct tls_settings settings = remembering();
    struct stream *s;
    struct peer p;
    struct slice line;
    struct err e;
    size_t before;
    bool got;

    (void)state;
    server.ctx = server_context(&server);
    s = peer_start(&p, serve, &server, 10000);
    CHECK_INT(stream_push_tls(s, &settings, &e), 0);
    CHECK_INT(stream_line(s, 100, &line, &e), 0);
    stream_park(s);
    before = place.kept;
    stream_put(s, SLICE("go"));
    CHECK_INT(stream_flush(s, &e), 0);
    while (place.kept < before + 3) {
        struct pollfd fd = { .fd = stream_fd(s), .events = POLLIN };

        CHECK(poll(&fd, 1, 10000) > 0);
        CHECK_INT(stream_try_fill(s, &got, &e), 0);
        CHECK(!got);
        stream_park(s);
    }
    stream_put(s, SLICE("on"));
    CHECK_INT(stream_flush(s, &e), 0);
    stream_close(&s);
    peer_join(&p);
    server = (struct server){ .who = GOOD, .ctx = server.ctx };
    CHECK(resumes(&server, &settings));
    forget();
    SSL_CTX_free(server.ctx);
}

/* --- what a login may be bound to --- */

struct bound {
    struct server server;
    unsigned char data[64];
    size_t n;
};

/* RFC 9266 and RFC 5929 section 3 by the server's own means. */
static void serve_bound(struct peer *p)
{
    struct bound *b = (struct bound *)(uintptr_t)p->arg;
    SSL *ssl = SSL_new(b->server.ctx);

    SSL_set_fd(ssl, p->fd);
    if (SSL_accept(ssl) == 1) {
        if (SSL_version(ssl) == TLS1_3_VERSION) {
            b->n = 32;
            SSL_export_keying_material(ssl, b->data, 32, "EXPORTER-Channel-Binding", 24, NULL, 0, 1);
        } else if (SSL_session_reused(ssl)) {
            b->n = SSL_get_finished(ssl, b->data, sizeof(b->data));
        } else {
            b->n = SSL_get_peer_finished(ssl, b->data, sizeof(b->data));
        }
        SSL_write(ssl, "* OK hi\r\n", 9);
        SSL_shutdown(ssl);
        shutdown(p->fd, SHUT_WR);
        peer_wait_for_end(p);
    }
    SSL_free(ssl);
}

static void the_binding_is_the_servers(void **state)
{
    static const struct {
        int version;
        bool plain_master; /* without extended master secret */
        enum tls_binding_type type;
    } cases[] = {
        { TLS1_3_VERSION, false, TLS_BINDING_EXPORTER },
        { TLS1_2_VERSION, false, TLS_BINDING_UNIQUE },
        { TLS1_2_VERSION, true, TLS_BINDING_NONE },
    };

    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
        struct bound b = { .server = { .who = GOOD, .version = cases[i / 2].version } };
        bool again = i % 2 == 1;
        struct tls_settings settings = remembering();
        struct tls_binding binding;

        CASE("case %zu", i);
        b.server.ctx = server_context(&b.server);
        if (cases[i / 2].plain_master)
            SSL_CTX_set_options(b.server.ctx, SSL_OP_NO_EXTENDED_MASTER_SECRET);
        for (int k = 0; k <= again; k++) {
            struct peer p;
            struct stream *s = peer_start(&p, serve_bound, &b, 10000);
            struct slice line;
            struct err e;

            CHECK_INT(stream_push_tls(s, &settings, &e), 0);
            CHECK_INT(stream_line(s, 100, &line, &e), 0);
            CHECK_INT(stream_tls(s)->resumed, k == 1);
            stream_tls_binding(s, &binding);
            stream_close(&s);
            peer_join(&p);
        }
        CHECK_INT(binding.type, cases[i / 2].type);
        if (binding.type != TLS_BINDING_NONE) {
            CHECK_INT(binding.n, b.n);
            CHECK(binding.n >= 12 && memcmp(binding.data, b.data, b.n) == 0);
        }
        forget();
        SSL_CTX_free(b.server.ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_goes_on),
        cmocka_unit_test(what_is_not_taken_costs_a_handshake),
        cmocka_unit_test(other_settings_are_another_session),
        cmocka_unit_test(the_certificate_is_judged_again),
        cmocka_unit_test(a_day_later_all_is_judged_anew),
        cmocka_unit_test(tickets_to_who_waits),
        cmocka_unit_test(the_binding_is_the_servers),
    };
    return cmocka_run_group_tests(tests, make_world, end_world);
}
