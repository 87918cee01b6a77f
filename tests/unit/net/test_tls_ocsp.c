/* SPDX-License-Identifier: MIT
 * What a server staples to its certificate (RFC 6066 section 8), and one that promised to (RFC 7633).
 */
#include "tls_server.h"

#include <openssl/ocsp.h>

#include "net/tls_pin.h"

enum signer { BY_CA, BY_RESPONDER, BY_STRANGER, BY_ITSELF };

struct answer {
    int status; /* V_OCSP_CERTSTATUS_*              */
    enum who about;
    enum signer by;
    int from_hours, to_hours;
    bool sha256; /* names the certificate by SHA-256 */
    bool later;  /* "try later" instead              */
    bool rubbish;
};

static const struct identity *signer_of(const struct answer *a)
{
    return a->by == BY_CA          ? &world.ca
           : a->by == BY_RESPONDER ? &world.who[RESPONDER]
           : a->by == BY_STRANGER  ? &world.stranger_ca
                                   : &world.who[GOOD];
}

static unsigned char *make_answer(const struct answer *a, size_t *n_out)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(a->sha256 ? EVP_sha256() : EVP_sha1(), world.who[a->about].cert, world.ca.cert);
    ASN1_TIME *from = X509_gmtime_adj(NULL, 3600L * a->from_hours), *to = X509_gmtime_adj(NULL, 3600L * a->to_hours);
    const struct identity *signer = signer_of(a);
    OCSP_RESPONSE *response;
    unsigned char *der = NULL;
    int n;

    assert_non_null(OCSP_basic_add1_status(basic, id, a->status, OCSP_REVOKED_STATUS_KEYCOMPROMISE, from, from, to));
    assert_int_equal(OCSP_basic_sign(basic, signer->cert, signer->key, EVP_sha256(), NULL, 0), 1);
    response = a->later ? OCSP_response_create(OCSP_RESPONSE_STATUS_TRYLATER, NULL)
                        : OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    n = i2d_OCSP_RESPONSE(response, &der);
    assert_true(n > 0);
    if (a->rubbish)
        der[1] ^= 0x55;
    *n_out = (size_t)n;
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    return der;
}

enum { GOOD_ONE = V_OCSP_CERTSTATUS_GOOD, REVOKED = V_OCSP_CERTSTATUS_REVOKED, UNKNOWN = V_OCSP_CERTSTATUS_UNKNOWN };

static const struct staple_case {
    const char *name;
    enum who who;
    bool none;
    struct answer answer;
    const char *words; /* NULL: fine */
} staple_cases[] = {
    { "good", GOOD, false, { GOOD_ONE, GOOD, BY_CA, -1, 24, false, false, false }, NULL },
    { "good, named by SHA-256", GOOD, false, { GOOD_ONE, GOOD, BY_CA, -1, 24, true, false, false }, NULL },
    { "good, by a responder", GOOD, false, { GOOD_ONE, GOOD, BY_RESPONDER, -1, 24, false, false, false }, NULL },
    { "none", GOOD, true, { 0 }, NULL },
    { "try later", GOOD, false, { GOOD_ONE, GOOD, BY_CA, -1, 24, false, true, false }, NULL },
    { "must staple and does", MUST_STAPLE, false, { GOOD_ONE, MUST_STAPLE, BY_CA, -1, 24, false, false, false }, NULL },
    { "must staple", MUST_STAPLE, true, { 0 }, "must-staple" },
    { "must staple, try later",
      MUST_STAPLE,
      false,
      { GOOD_ONE, MUST_STAPLE, BY_CA, -1, 24, false, true, false },
      "must-staple" },
    { "revoked",
      GOOD,
      false,
      { REVOKED, GOOD, BY_CA, -1, 24, false, false, false },
      "localhost: the certificate was revoked by its issuer on 20" },
    { "unknown", GOOD, false, { UNKNOWN, GOOD, BY_CA, -1, 24, false, false, false }, "does not know it" },
    { "old", GOOD, false, { GOOD_ONE, GOOD, BY_CA, -48, -24, false, false, false }, "is not valid now" },
    { "of tomorrow", GOOD, false, { GOOD_ONE, GOOD, BY_CA, 24, 48, false, false, false }, "is not valid now" },
    { "about another", GOOD, false, { GOOD_ONE, OTHER_GOOD, BY_CA, -1, 24, false, false, false }, "another one" },
    { "by a stranger", GOOD, false, { GOOD_ONE, GOOD, BY_STRANGER, -1, 24, false, false, false }, "not signed by" },
    { "by itself", GOOD, false, { GOOD_ONE, GOOD, BY_ITSELF, -1, 24, false, false, false }, "not signed by" },
    { "rubbish", GOOD, false, { GOOD_ONE, GOOD, BY_CA, -1, 24, false, false, true }, "no such answer" },
};

static void each_staple(void **state)
{
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LEN(staple_cases); i++) {
        const struct staple_case *c = &staple_cases[i / 2];
        struct tls_settings settings = usual();
        size_t n = 0;
        unsigned char *der = c->none ? NULL : make_answer(&c->answer, &n);
        struct server server = { .who = c->who, .version = versions[i % 2], .staple = { (const char *)der, n } };
        struct peer p;
        struct stream *s = peer_start(&p, serve, &server, 10000);
        struct slice line;
        struct err e = ERR_INIT;

        CASE("%s, TLS 1.%zu", c->name, 2 + i % 2);
        CHECK_INT(stream_push_tls(s, &settings, &e), c->words == NULL ? 0 : -1);
        CHECK_INT(e.code, c->words == NULL ? E_NONE : E_TLS);
        if (c->words != NULL)
            CHECK_HAS(e.text, c->words);
        if (c->words == NULL) {
            CHECK_INT(stream_tls(s)->stapled, !c->none && !c->answer.later);
            CHECK_INT(stream_line(s, 100, &line, &e), 0);
        }
        stream_close(&s);
        peer_join(&p);
        OPENSSL_free(der);
    }
}

/* The pin is the trust: not even the issuer has a say. */
static void a_pin_needs_no_staple(void **state)
{
    static const struct answer revoked = { REVOKED, GOOD, BY_CA, -1, 24, false, false, false };
    struct tls_settings settings = usual();
    size_t n;
    unsigned char *der = make_answer(&revoked, &n);
    struct server server = { .who = GOOD, .staple = { (const char *)der, n } };
    char pin[120];
    const char *pins = pin;
    struct peer p;
    struct stream *s = peer_start(&p, serve, &server, 10000);
    struct err e;

    (void)state;
    identity_pin(&world.who[GOOD], false, pin, sizeof(pin));
    settings.fingerprints = &pins;
    settings.fingerprint_count = 1;
    CHECK_INT(stream_push_tls(s, &settings, &e), 0);
    stream_close(&s);
    peer_join(&p);
    OPENSSL_free(der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_staple),
        cmocka_unit_test(a_pin_needs_no_staple),
    };
    return cmocka_run_group_tests(tests, make_world, end_world);
}
