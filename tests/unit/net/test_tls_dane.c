/* SPDX-License-Identifier: MIT
 * Certificates judged by TLSA records, against a server of OpenSSL in a thread whose issuer nobody here trusts.
 */
#include "peer.h"

#include <openssl/ssl.h>

#include "certificates.h"

enum { GOOD, EXPIRED, OTHER_HOST, WHO_COUNT };

static struct {
    struct identity ca, other_ca, who[WHO_COUNT];
} world;

/* --- the server --- */

static void serve(struct peer *p)
{
    const struct identity *who = p->arg;
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL *ssl = NULL;

    if (ctx != NULL && SSL_CTX_use_certificate(ctx, who->cert) == 1 && SSL_CTX_use_PrivateKey(ctx, who->key) == 1 &&
        SSL_CTX_add1_chain_cert(ctx, world.ca.cert) == 1)
        ssl = SSL_new(ctx);
    if (ssl != NULL && SSL_set_fd(ssl, p->fd) == 1 && SSL_accept(ssl) == 1 && SSL_write(ssl, "hi\r\n", 4) == 4)
        peer_wait_for_end(p);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

/* --- the records --- */

/* What a record is made of: a certificate or its key, whole or as a digest. */
static void put_data(X509 *cert, unsigned selector, unsigned matching, struct buf *out)
{
    unsigned char *der = NULL, digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    int size = selector == 0 ? i2d_X509(cert, &der) : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

    assert_true(size > 0);
    if (matching == 0) {
        assert_int_equal(buf_put(out, der, (size_t)size), 0);
    } else {
        assert_int_equal(EVP_Digest(der, (size_t)size, digest, &n, matching == 1 ? EVP_sha256() : EVP_sha512(), NULL),
                         1);
        assert_int_equal(buf_put(out, digest, n), 0);
    }
    OPENSSL_free(der);
}

enum of { OF_GOOD = GOOD, OF_EXPIRED = EXPIRED, OF_OTHER_HOST = OTHER_HOST, OF_CA, OF_OTHER_CA, OF_NOBODY };

static X509 *cert_of(enum of of)
{
    return of == OF_CA ? world.ca.cert : of == OF_OTHER_CA ? world.other_ca.cert : world.who[of].cert;
}

struct record {
    unsigned usage, selector, matching;
    enum of of;
};

enum { RECORDS = 2 };

static const struct {
    const char *name;
    int who;
    struct record records[RECORDS];
    size_t count;
    const char *also;
    int code;
    const char *words;
} cases[] = {
    { "its key", GOOD, { { 3, 1, 1, OF_GOOD } }, 1, NULL, E_NONE, NULL },
    { "its key, SHA-512", GOOD, { { 3, 1, 2, OF_GOOD } }, 1, NULL, E_NONE, NULL },
    { "its key, whole", GOOD, { { 3, 1, 0, OF_GOOD } }, 1, NULL, E_NONE, NULL },
    { "its certificate", GOOD, { { 3, 0, 1, OF_GOOD } }, 1, NULL, E_NONE, NULL },
    { "its key, and another name", OTHER_HOST, { { 3, 1, 1, OF_OTHER_HOST } }, 1, NULL, E_NONE, NULL },
    { "its key, and expired", EXPIRED, { { 3, 1, 1, OF_EXPIRED } }, 1, NULL, E_NONE, NULL },
    { "another key", GOOD, { { 3, 1, 1, OF_EXPIRED } }, 1, NULL, E_TLS, "TLSA" },
    { "one of two", GOOD, { { 3, 1, 1, OF_EXPIRED }, { 3, 1, 1, OF_GOOD } }, 2, NULL, E_NONE, NULL },
    { "its issuer", GOOD, { { 2, 0, 1, OF_CA } }, 1, NULL, E_NONE, NULL },
    { "its issuer's key, whole", GOOD, { { 2, 1, 0, OF_CA } }, 1, NULL, E_NONE, NULL },
    { "another issuer", GOOD, { { 2, 0, 1, OF_OTHER_CA } }, 1, NULL, E_TLS, "TLSA" },
    { "its issuer, and another name", OTHER_HOST, { { 2, 0, 1, OF_CA } }, 1, NULL, E_TLS, "not for this host" },
    { "its issuer, and a name that counts too", OTHER_HOST, { { 2, 0, 1, OF_CA } }, 1, "example.org", E_NONE, NULL },
    { "its issuer, and expired", EXPIRED, { { 2, 0, 1, OF_CA } }, 1, NULL, E_TLS, "expired" },
    { "a usage that brings the system's trust in", GOOD, { { 1, 1, 1, OF_GOOD } }, 1, NULL, E_TLS, "can be used" },
    { "no certificate", GOOD, { { 3, 0, 0, OF_NOBODY } }, 1, NULL, E_TLS, "can be used" },
    { "a digest nobody knows", GOOD, { { 3, 1, 9, OF_NOBODY } }, 1, NULL, E_TLS, "can be used" },
};

static void meet(size_t i, int *code_out, struct err *e)
{
    struct buf data[RECORDS] = { BUF_INIT(4096), BUF_INIT(4096) };
    struct tls_tlsa tlsa[RECORDS];
    struct tls_settings settings = {
        .host = "mx.example.org", .tlsa = tlsa, .tlsa_count = cases[i].count, .tlsa_also = cases[i].also
    };
    struct peer p;
    struct stream *s;

    for (size_t k = 0; k < cases[i].count; k++) {
        const struct record *r = &cases[i].records[k];

        if (r->of == OF_NOBODY)
            assert_int_equal(buf_put_str(&data[k], "nothing at all of this kind here"), 0);
        else
            put_data(cert_of(r->of), r->selector, r->matching, &data[k]);
        tlsa[k] = (struct tls_tlsa){ .usage = (uint8_t)r->usage,
                                     .selector = (uint8_t)r->selector,
                                     .matching = (uint8_t)r->matching,
                                     .data = buf_slice(&data[k]) };
    }
    s = peer_start(&p, serve, &world.who[cases[i].who], 5000);
    *code_out = stream_push_tls(s, &settings, e) == 0 ? (int)E_NONE : (int)e->code;
    stream_close(&s);
    peer_join(&p);
    for (size_t k = 0; k < RECORDS; k++)
        buf_release(&data[k]);
}

static void test_records(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        int code;

        meet(i, &code, &e);
        CASE("%s: %.200s", cases[i].name, e.text);
        CHECK_INT(code, cases[i].code);
        CHECK(cases[i].words == NULL || strstr(e.text, cases[i].words) != NULL);
    }
}

static int make_world(void **state)
{
    static const struct identity_wish wishes[WHO_COUNT] = {
        [GOOD] = { "x", "DNS:mx.example.org", NULL, -1, 100, false, false, NULL },
        [EXPIRED] = { "x", "DNS:mx.example.org", NULL, -100, -1, false, false, NULL },
        [OTHER_HOST] = { "x", "DNS:example.org", NULL, -1, 100, false, false, NULL },
    };

    (void)state;
    world.ca = identity_make(NULL, (struct identity_wish){ "The CA", NULL, NULL, -1000, 1000, true, false, NULL });
    world.other_ca =
        identity_make(NULL, (struct identity_wish){ "Another", NULL, NULL, -1000, 1000, true, false, NULL });
    for (size_t i = 0; i < WHO_COUNT; i++)
        world.who[i] = identity_make(&world.ca, wishes[i]);
    return 0;
}

static int end_world(void **state)
{
    (void)state;
    tls_cleanup();
    identity_release(&world.ca);
    identity_release(&world.other_ca);
    for (size_t i = 0; i < WHO_COUNT; i++)
        identity_release(&world.who[i]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_records) };

    return cmocka_run_group_tests(tests, make_world, end_world);
}
