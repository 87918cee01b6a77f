/* SPDX-License-Identifier: MIT
 * The choice of a mechanism, and the exchange against GNU SASL's own server, or one that lies.
 */
#include "proto/sasl.h"

#include <stdlib.h>

#include <gsasl.h>

#include "../unit.h"
#include "wire/base64.h"
#include "wire/limits.h"

/* --- a connection without a network: TLS, a binding, a password --- */

static bool tls_is_up;
static enum tls_binding_type binding;

const struct tls_facts *__wrap_stream_tls(const struct stream *s);
const struct tls_facts *__wrap_stream_tls(const struct stream *s)
{
    static const struct tls_facts facts = { .protocol = "TLSv1.3" };

    (void)s;
    return tls_is_up ? &facts : NULL;
}

void __wrap_stream_tls_binding(const struct stream *s, struct tls_binding *out);
void __wrap_stream_tls_binding(const struct stream *s, struct tls_binding *out)
{
    (void)s;
    *out = (struct tls_binding){ .type = binding, .n = 32 };
    memset(out->data, 'b', out->n);
}

static unsigned passwords, tokens, renewed;

static int give_password(void *ctx, struct secret *out, struct err *e)
{
    passwords++;
    return secret_set(out, slice_str(ctx)) == 0 ? 0 : err_nomem(e);
}

static int give_token(void *ctx, bool renew, struct secret *out, struct err *e)
{
    tokens++;
    renewed += renew;
    return secret_set(out, slice_str(ctx)) == 0 ? 0 : err_nomem(e);
}

static unsigned remembered, told;

static unsigned before(void *ctx)
{
    (void)ctx;
    return remembered;
}

static void offers(void *ctx, unsigned rank)
{
    (void)ctx;
    told = rank;
}

/* --- which one --- */

#define PLUS  (SASL_SCRAM_SHA_256_PLUS | SASL_SCRAM_SHA_1_PLUS)
#define SCRAM (SASL_SCRAM_SHA_256 | SASL_SCRAM_SHA_1)

static const struct {
    const char *name;
    const char *auth[6];
    uint32_t offered, picked;
    enum err_code code;
    const char *authorize_as;
    bool plaintext, no_binding, certificate, no_password, token, unknown;
    unsigned remembered, told;
} picks[] = {
    { .name = "the strongest first", .offered = SASL_ALL | SASL_COMMAND, .picked = SASL_SCRAM_SHA_256_PLUS, .told = 3 },
    { .name = "-PLUS of SHA-1 is before SHA-256",
      .offered = SASL_SCRAM_SHA_1_PLUS | SCRAM,
      .picked = SASL_SCRAM_SHA_1_PLUS,
      .told = 3 },
    { .name = "no binding, no -PLUS",
      .offered = PLUS | SCRAM,
      .picked = SASL_SCRAM_SHA_256,
      .no_binding = true,
      .told = 2 },
    { .name = "SHA-1", .offered = SASL_SCRAM_SHA_1 | SASL_PLAIN, .picked = SASL_SCRAM_SHA_1, .told = 2 },
    { .name = "PLAIN before LOGIN",
      .offered = SASL_LOGIN | SASL_PLAIN | SASL_COMMAND,
      .picked = SASL_PLAIN,
      .told = 1 },
    { .name = "LOGIN before the command", .offered = SASL_LOGIN | SASL_COMMAND, .picked = SASL_LOGIN, .told = 1 },
    { .name = "the command", .offered = SASL_COMMAND, .picked = SASL_COMMAND, .told = 1 },
    { .name = "never by itself", .offered = SASL_CRAM_MD5 | SASL_APOP | SASL_GSSAPI | SASL_EXTERNAL, .code = E_LACKS },
    { .name = "no token, no bearer", .offered = SASL_XOAUTH2 | SASL_OAUTHBEARER, .code = E_LACKS },
    { .name = "a certificate instead of a password",
      .offered = SASL_EXTERNAL | SCRAM,
      .picked = SASL_EXTERNAL,
      .certificate = true,
      .no_password = true },
    { .name = "a certificate and a password",
      .offered = SASL_EXTERNAL | SASL_PLAIN,
      .picked = SASL_PLAIN,
      .certificate = true,
      .told = 1 },
    { .name = "a certificate needs TLS",
      .offered = SASL_EXTERNAL,
      .certificate = true,
      .no_password = true,
      .plaintext = true,
      .code = E_LACKS },
    { .name = "a token alone", .offered = SASL_ALL | SASL_COMMAND, .token = true, .picked = SASL_OAUTHBEARER },
    { .name = "Microsoft's", .offered = SASL_XOAUTH2 | SASL_PLAIN, .token = true, .picked = SASL_XOAUTH2 },
    { .name = "a token is no password", .offered = SASL_PLAIN | SASL_COMMAND, .token = true, .code = E_LACKS },
    { .name = "in the order of auth",
      .auth = { "plain", "scram-sha-256" },
      .offered = SASL_ALL,
      .picked = SASL_PLAIN,
      .told = 3 },
    { .name = "the first that is offered",
      .auth = { "cram-md5", "login" },
      .offered = SASL_LOGIN,
      .picked = SASL_LOGIN,
      .told = 1 },
    { .name = "login is the command too",
      .auth = { "login" },
      .offered = SASL_COMMAND,
      .picked = SASL_COMMAND,
      .told = 1 },
    { .name = "user is the command alone",
      .auth = { "user" },
      .offered = SASL_LOGIN | SASL_COMMAND,
      .picked = SASL_COMMAND,
      .told = 1 },
    { .name = "APOP when it is named",
      .auth = { "apop" },
      .offered = SASL_APOP | SASL_PLAIN,
      .picked = SASL_APOP,
      .told = 1 },
    { .name = "what is not named is not taken",
      .auth = { "scram-sha-256-plus" },
      .offered = SASL_PLAIN | SCRAM,
      .code = E_LACKS },
    { .name = "auto behind a name",
      .auth = { "gssapi", "auto" },
      .offered = SCRAM,
      .picked = SASL_SCRAM_SHA_256,
      .told = 2 },
    { .name = "for somebody else",
      .offered = SASL_LOGIN | SASL_COMMAND | SASL_PLAIN,
      .authorize_as = "b",
      .picked = SASL_PLAIN,
      .told = 1 },
    { .name = "who cannot say for whom",
      .offered = SASL_LOGIN | SASL_COMMAND | SASL_CRAM_MD5,
      .authorize_as = "b",
      .code = E_LACKS },
    { .name = "weaker than before", .offered = SASL_PLAIN | SASL_COMMAND, .remembered = 2, .code = E_TLS },
    { .name = "-PLUS is gone", .offered = SCRAM | SASL_PLAIN, .remembered = 3, .code = E_TLS },
    { .name = "as before", .offered = SCRAM, .remembered = 2, .picked = SASL_SCRAM_SHA_256 },
    { .name = "weaker, but named", .auth = { "plain" }, .offered = SASL_PLAIN, .remembered = 3, .picked = SASL_PLAIN },
    { .name = "what is said without TLS is not remembered",
      .offered = SCRAM,
      .plaintext = true,
      .no_binding = true,
      .picked = SASL_SCRAM_SHA_256 },
    { .name = "nor does it count",
      .offered = SASL_PLAIN,
      .plaintext = true,
      .no_binding = true,
      .remembered = 3,
      .picked = SASL_PLAIN },
    { .name = "a server that does not say", .auth = { "plain" }, .unknown = true, .picked = SASL_PLAIN, .told = 1 },
    { .name = "is not asked for more by itself",
      .unknown = true,
      .offered = SASL_COMMAND,
      .picked = SASL_COMMAND,
      .told = 1 },
    { .name = "nothing at all", .code = E_LACKS },
};

static void test_pick(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(picks); i++) {
        const struct server s = { .user = "a",
                                  .authorize_as = picks[i].authorize_as,
                                  .auth = picks[i].auth,
                                  .tls_settings = { .cert_file = picks[i].certificate ? "cert" : NULL },
                                  .has_password = !picks[i].no_password,
                                  .token = picks[i].token ? give_token : NULL,
                                  .offered_before = before,
                                  .offers = offers };
        const struct sasl_offer offer = { .mechanisms = picks[i].offered, .unknown = picks[i].unknown, .host = "h" };
        struct err e = ERR_INIT;
        uint32_t picked = 0;

        CASE("%s", picks[i].name);
        tls_is_up = !picks[i].plaintext;
        binding = picks[i].no_binding ? TLS_BINDING_NONE : TLS_BINDING_EXPORTER;
        remembered = picks[i].remembered;
        told = 0;
        CHECK_INT(sasl_pick(&s, &offer, &picked, &e), picks[i].code == E_NONE ? 0 : -1);
        CHECK_INT(e.code, picks[i].code);
        CHECK_INT(picked, picks[i].picked);
        CHECK_INT(told, picks[i].told);
    }
}

/* --- the exchange --- */

enum lie { HONEST, TOO_MANY, TAMPERED_FINAL, NO_FINAL, BAD_BASE64, ENDLESS, AT_ONCE, OVERLOOKS, SERVER_ERROR };

/* The other side, one line at a time. */
struct peer {
    Gsasl *lib;
    Gsasl_session *session;
    const char *password;
    enum lie lie;
    bool over;      /* all was said, and only the client's empty line is missing */
    bool cancelled; /* by the client */
    bool overlooked;
    struct buf got, say; /* base64 */
    unsigned started;
};

static int server_callback(Gsasl *lib, Gsasl_session *session, Gsasl_property property)
{
    struct peer *p = gsasl_session_hook_get(session);
    const char *got;

    (void)lib;
    switch (property) {
    case GSASL_PASSWORD:
        return gsasl_property_set(session, property, p->password);
    case GSASL_SCRAM_ITER:
        return gsasl_property_set(session, property, p->lie == TOO_MANY ? "1000001" : "4096");
    case GSASL_SCRAM_SALT:
        return gsasl_property_set(session, property, "c2FsdHNhbHQ=");
    case GSASL_CB_TLS_EXPORTER:
        return binding == TLS_BINDING_EXPORTER
                   ? gsasl_property_set(session, property, "YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI=")
                   : GSASL_NO_CB_TLS_EXPORTER;
    case GSASL_VALIDATE_SIMPLE:
        got = gsasl_property_fast(session, GSASL_PASSWORD);
        return got != NULL && strcmp(got, p->password) == 0 ? GSASL_OK : GSASL_AUTHENTICATION_ERROR;
    case GSASL_VALIDATE_EXTERNAL:
        return GSASL_OK;
    default:
        return GSASL_NO_CALLBACK;
    }
}

static int peer_start(void *ctx, const char *mechanism, const struct slice *line, struct err *e)
{
    struct peer *p = ctx;

    (void)e;
    p->started++;
    assert_int_equal(gsasl_server_start(p->lib, mechanism, &p->session), GSASL_OK);
    gsasl_session_hook_set(p->session, p);
    buf_clear(&p->got);
    if (line != NULL && !slice_eq(*line, SLICE("=")))
        assert_int_equal(buf_put_slice(&p->got, *line), 0);
    return 0;
}

static int peer_say(void *ctx, struct slice line, struct err *e)
{
    struct peer *p = ctx;

    (void)e;
    p->cancelled = slice_eq(line, SLICE("*"));
    buf_clear(&p->got);
    assert_int_equal(buf_put_slice(&p->got, line), 0);
    return 0;
}

static enum sasl_said peer_step(struct peer *p)
{
    char *out = NULL;
    int rc = gsasl_step64(p->session, buf_cstr(&p->got), &out);
    enum sasl_said said = rc == GSASL_NEEDS_MORE ? SASL_CHALLENGED : rc == GSASL_OK ? SASL_ACCEPTED : SASL_REFUSED;

    buf_clear(&p->say);
    if (out != NULL)
        assert_int_equal(buf_put_str(&p->say, out), 0);
    /* SCRAM's proof goes as a challenge; the client has an empty answer for it. */
    if (said == SASL_ACCEPTED && out != NULL && out[0] != '\0' && !p->over && p->lie != NO_FINAL) {
        p->over = true;
        said = SASL_CHALLENGED;
        if (p->lie == TAMPERED_FINAL)
            p->say.p[6] = p->say.p[6] == 'A' ? 'B' : 'A';
        if (p->lie == SERVER_ERROR) {
            buf_clear(&p->say);
            assert_int_equal(base64_encode(SLICE("e=channel-bindings-dont-match"), &p->say), 0);
        }
    }
    gsasl_free(out);
    return said;
}

static int peer_hear(void *ctx, enum sasl_said *said_out, struct slice *challenge_out, struct err *e)
{
    struct peer *p = ctx;

    (void)e;
    *challenge_out = SLICE("");
    if (p->cancelled && p->lie != ENDLESS) {
        *said_out = SASL_REFUSED;
    } else if (p->lie == AT_ONCE) {
        *said_out = SASL_ACCEPTED;
    } else if (p->lie == BAD_BASE64 || p->lie == ENDLESS) {
        *said_out = SASL_CHALLENGED;
        *challenge_out = p->lie == ENDLESS ? SLICE("eA==") : SLICE("%%%");
    } else if (p->lie == OVERLOOKS && !p->overlooked) {
        p->overlooked = true;
        *said_out = SASL_CHALLENGED;
    } else if (p->over) {
        *said_out = SASL_ACCEPTED;
    } else {
        *said_out = peer_step(p);
        *challenge_out = buf_slice(&p->say);
    }
    return 0;
}

static const struct {
    const char *name;
    uint32_t mechanism;
    const char *password; /* the client's; the server's is "right" */
    enum lie lie;
    enum err_code code;
    bool accepted, no_initial, no_binding;
} talks[] = {
    { .name = "SCRAM-SHA-256", .mechanism = SASL_SCRAM_SHA_256, .accepted = true },
    { .name = "SCRAM-SHA-1", .mechanism = SASL_SCRAM_SHA_1, .accepted = true, .no_binding = true },
    { .name = "SCRAM-SHA-256-PLUS", .mechanism = SASL_SCRAM_SHA_256_PLUS, .accepted = true },
    { .name = "SCRAM-SHA-1-PLUS", .mechanism = SASL_SCRAM_SHA_1_PLUS, .accepted = true },
    { .name = "SCRAM, wrong", .mechanism = SASL_SCRAM_SHA_256, .password = "wrong" },
    { .name = "SCRAM-PLUS, wrong", .mechanism = SASL_SCRAM_SHA_256_PLUS, .password = "wrong" },
    { .name = "a million and one rounds", .mechanism = SASL_SCRAM_SHA_256, .lie = TOO_MANY, .code = E_TLS },
    { .name = "another server's proof", .mechanism = SASL_SCRAM_SHA_256, .lie = TAMPERED_FINAL, .code = E_TLS },
    { .name = "no proof", .mechanism = SASL_SCRAM_SHA_256, .lie = NO_FINAL, .code = E_TLS },
    { .name = "in at once", .mechanism = SASL_SCRAM_SHA_256, .lie = AT_ONCE, .code = E_TLS },
    { .name = "another binding", .mechanism = SASL_SCRAM_SHA_256_PLUS, .lie = SERVER_ERROR, .code = E_TLS },
    { .name = "no base64", .mechanism = SASL_SCRAM_SHA_256, .lie = BAD_BASE64, .code = E_PROTO },
    { .name = "nonsense without end", .mechanism = SASL_SCRAM_SHA_256, .lie = ENDLESS, .code = E_PROTO },
    { .name = "PLAIN", .mechanism = SASL_PLAIN, .accepted = true },
    { .name = "PLAIN in two", .mechanism = SASL_PLAIN, .accepted = true, .no_initial = true, .lie = OVERLOOKS },
    { .name = "PLAIN, overlooked", .mechanism = SASL_PLAIN, .accepted = true, .lie = OVERLOOKS },
    { .name = "PLAIN, wrong", .mechanism = SASL_PLAIN, .password = "wrong" },
    { .name = "PLAIN, asked on and on", .mechanism = SASL_PLAIN, .lie = ENDLESS, .code = E_PROTO },
    { .name = "PLAIN, in without it", .mechanism = SASL_PLAIN, .lie = AT_ONCE, .no_initial = true, .code = E_PROTO },
    { .name = "LOGIN", .mechanism = SASL_LOGIN, .accepted = true },
    { .name = "LOGIN, wrong", .mechanism = SASL_LOGIN, .password = "wrong" },
    { .name = "LOGIN, in at once", .mechanism = SASL_LOGIN, .lie = AT_ONCE, .code = E_PROTO },
    { .name = "CRAM-MD5", .mechanism = SASL_CRAM_MD5, .accepted = true },
    { .name = "CRAM-MD5, wrong", .mechanism = SASL_CRAM_MD5, .password = "wrong" },
    { .name = "EXTERNAL", .mechanism = SASL_EXTERNAL, .accepted = true },
};

static void test_exchange(void **state)
{
    (void)state;
    tls_is_up = true;
    for (size_t i = 0; i < ARRAY_LEN(talks); i++) {
        const char *password = talks[i].password != NULL ? talks[i].password : "right";
        const struct server s = { .user = "anna",
                                  .password = give_password,
                                  .password_ctx = (void *)(uintptr_t)password };
        const struct sasl_offer offer = { .mechanisms = talks[i].mechanism, .service = "imap", .host = "h" };
        struct peer p = {
            .password = "right", .lie = talks[i].lie, .got = BUF_INIT(1 << 20), .say = BUF_INIT(1 << 20)
        };
        const struct sasl_channel channel = { .ctx = &p,
                                              .initial_max = talks[i].no_initial ? 0 : SIZE_MAX,
                                              .start = peer_start,
                                              .say = peer_say,
                                              .hear = peer_hear };
        struct sasl_result result;
        struct err e = ERR_INIT;

        CASE("%s", talks[i].name);
        binding = talks[i].no_binding ? TLS_BINDING_NONE : TLS_BINDING_EXPORTER;
        passwords = 0;
        assert_int_equal(gsasl_init(&p.lib), GSASL_OK);
        gsasl_callback_set(p.lib, server_callback);
        CHECK_INT(sasl_login(&s, &offer, talks[i].mechanism, &channel, &result, &e), talks[i].code == E_NONE ? 0 : -1);
        CHECK_INT(e.code, talks[i].code);
        if (talks[i].code == E_NONE)
            CHECK_INT(result.accepted, talks[i].accepted);
        CHECK_INT(p.started, 1);
        if (talks[i].lie == TOO_MANY)
            CHECK_INT(passwords, 0);
        gsasl_finish(p.session);
        gsasl_done(p.lib);
        buf_release(&p.got);
        buf_release(&p.say);
    }
}

/* --- tokens --- */

struct bearer {
    unsigned attempts, good_at; /* the attempt that is accepted; 0: none */
    const char *error;          /* the challenge, before base64; NULL: refused at once */
    struct buf first, error64;
    bool answered;
};

static int bearer_start(void *ctx, const char *mechanism, const struct slice *line, struct err *e)
{
    struct bearer *b = ctx;

    (void)mechanism;
    (void)e;
    b->attempts++;
    b->answered = false;
    buf_clear(&b->first);
    assert_non_null(line);
    return base64_decode(*line, &b->first);
}

static int bearer_say(void *ctx, struct slice line, struct err *e)
{
    struct bearer *b = ctx;

    (void)e;
    CHECK_SLICE(line, SLICE("AQ=="));
    b->answered = true;
    return 0;
}

static int bearer_hear(void *ctx, enum sasl_said *said_out, struct slice *challenge_out, struct err *e)
{
    struct bearer *b = ctx;

    (void)e;
    if (b->attempts == b->good_at)
        *said_out = SASL_ACCEPTED;
    else
        *said_out = b->error != NULL && !b->answered ? SASL_CHALLENGED : SASL_REFUSED;
    *challenge_out = buf_slice(&b->error64);
    return 0;
}

#define FIRST_XOAUTH2 "user=anna\001auth=Bearer t0ken\001\001"
#define FIRST_BEARER  "n,a=an=2Cn=3Da,\001host=h\001port=993\001auth=Bearer t0ken\001\001"

static const struct {
    const char *name;
    uint32_t mechanism;
    const char *user, *token, *error, *first, *words;
    unsigned good_at, renewed;
    enum err_code code;
    bool by_password;
} bearers[] = {
    { "XOAUTH2", SASL_XOAUTH2, "anna", "t0ken", NULL, FIRST_XOAUTH2, "", 1, 0, E_NONE, false },
    { "OAUTHBEARER", SASL_OAUTHBEARER, "an,n=a", "t0ken", NULL, FIRST_BEARER, "", 1, 0, E_NONE, false },
    { "a new one is good", SASL_XOAUTH2, "anna", "t0ken", "{\"status\":\"401\"}", FIRST_XOAUTH2, "", 2, 1, E_NONE,
      false },
    { "none is good", SASL_XOAUTH2, "anna", "t0ken", "{\"status\":\"400\",\"scope\":\"mail\"}", FIRST_XOAUTH2,
      "400, scope mail", 0, 1, E_NONE, false },
    { "control characters", SASL_OAUTHBEARER, "an,n=a", "t0ken", "{\"status\":\"\\u001b[31mred\"}", FIRST_BEARER,
      "\\x1b[31mred", 0, 1, E_NONE, false },
    { "no JSON", SASL_XOAUTH2, "anna", "t0ken", "[[[", FIRST_XOAUTH2, "", 0, 1, E_NONE, false },
    { "refused without words", SASL_XOAUTH2, "anna", "t0ken", NULL, FIRST_XOAUTH2, "", 0, 1, E_NONE, false },
    { "from the password's source", SASL_XOAUTH2, "anna", "t0ken", NULL, FIRST_XOAUTH2, "", 0, 0, E_NONE, true },
    { "a token that would end its field", SASL_XOAUTH2, "anna", "t0\001ken", NULL, "", "", 0, 0, E_CONFIG, false },
    { "an empty one", SASL_XOAUTH2, "anna", "", NULL, "", "", 0, 0, E_CONFIG, false },
};

static void test_bearer(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bearers); i++) {
        const struct server s = { .dial = { .host = "h", .port = 993 },
                                  .user = bearers[i].user,
                                  .token = bearers[i].by_password ? NULL : give_token,
                                  .token_ctx = (void *)(uintptr_t)bearers[i].token,
                                  .password = give_password,
                                  .password_ctx = (void *)(uintptr_t)bearers[i].token };
        const struct sasl_offer offer = { .mechanisms = bearers[i].mechanism, .service = "imap", .host = "h" };
        struct bearer b = { .good_at = bearers[i].good_at,
                            .error = bearers[i].error,
                            .first = BUF_INIT(1 << 16),
                            .error64 = BUF_INIT(1 << 16) };
        const struct sasl_channel channel = {
            .ctx = &b, .initial_max = SIZE_MAX, .start = bearer_start, .say = bearer_say, .hear = bearer_hear
        };
        struct sasl_result result;
        struct err e = ERR_INIT;

        CASE("%s", bearers[i].name);
        tokens = renewed = passwords = 0;
        if (b.error != NULL)
            assert_int_equal(base64_encode(slice_str(b.error), &b.error64), 0);
        CHECK_INT(sasl_login(&s, &offer, bearers[i].mechanism, &channel, &result, &e),
                  bearers[i].code == E_NONE ? 0 : -1);
        CHECK_INT(e.code, bearers[i].code);
        CHECK_SLICE(buf_slice(&b.first), slice_str(bearers[i].first));
        CHECK_INT(renewed, bearers[i].renewed);
        CHECK_INT(passwords, bearers[i].by_password);
        if (bearers[i].code == E_NONE) {
            CHECK_INT(result.accepted, bearers[i].good_at != 0);
            CHECK_SLICE(slice_str(result.words), slice_str(bearers[i].words));
        }
        buf_release(&b.first);
        buf_release(&b.error64);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pick),
        cmocka_unit_test(test_exchange),
        cmocka_unit_test(test_bearer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
