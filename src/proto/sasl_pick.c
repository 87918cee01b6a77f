/* SPDX-License-Identifier: MIT */
#include "proto/sasl.h"

#include <strings.h>

enum {
    PLUS = SASL_SCRAM_SHA_256_PLUS | SASL_SCRAM_SHA_1_PLUS,
    SCRAM = SASL_SCRAM_SHA_256 | SASL_SCRAM_SHA_1,
    BEARER = SASL_OAUTHBEARER | SASL_XOAUTH2,
    /* Mechanisms that can say on whose behalf. */
    DELEGATING = SASL_EXTERNAL | PLUS | SCRAM | SASL_PLAIN | SASL_GSSAPI | SASL_OAUTHBEARER,
    /* Those that send the password, or what stands for it. */
    BY_PASSWORD = PLUS | SCRAM | SASL_PLAIN | SASL_LOGIN | SASL_CRAM_MD5 | SASL_COMMAND | SASL_APOP,
    ORDER_MAX = 32,
};

struct order {
    uint32_t v[ORDER_MAX];
    size_t n;
};

static void append(struct order *o, uint32_t mechanism)
{
    if (o->n < ORDER_MAX)
        o->v[o->n++] = mechanism;
}

static void append_auto(struct order *o, const struct server *s)
{
    static const uint32_t strongest_first[] = { SASL_SCRAM_SHA_256_PLUS,
                                                SASL_SCRAM_SHA_1_PLUS,
                                                SASL_SCRAM_SHA_256,
                                                SASL_SCRAM_SHA_1,
                                                SASL_PLAIN,
                                                SASL_LOGIN,
                                                SASL_COMMAND };

    if (s->token != NULL) {
        append(o, SASL_OAUTHBEARER);
        append(o, SASL_XOAUTH2);
        return;
    }
    if (s->tls_settings.cert_file != NULL && !s->has_password) {
        append(o, SASL_EXTERNAL);
        if (s->user == NULL)
            return;
    }
    for (size_t i = 0; i < ARRAY_LEN(strongest_first); i++)
        append(o, strongest_first[i]);
}

static void append_named(struct order *o, const char *name)
{
    uint32_t mechanism = sasl_from_name(slice_str(name));

    if (mechanism != 0)
        append(o, mechanism);
    if (mechanism == SASL_LOGIN || strcasecmp(name, "user") == 0)
        append(o, SASL_COMMAND);
    if (strcasecmp(name, "apop") == 0)
        append(o, SASL_APOP);
}

/* True: `auto` is part of it. */
static bool put_order(struct order *o, const struct server *s)
{
    bool by_itself = s->auth == NULL || s->auth[0] == NULL;

    for (size_t i = 0; !by_itself && s->auth[i] != NULL; i++) {
        if (strcasecmp(s->auth[i], "auto") == 0)
            by_itself = true;
        else
            append_named(o, s->auth[i]);
    }
    if (by_itself)
        append_auto(o, s);
    return by_itself;
}

static unsigned rank(uint32_t mechanisms)
{
    if ((mechanisms & PLUS) != 0)
        return 3;
    return (mechanisms & SCRAM) != 0 ? 2 : 1;
}

static bool can_bind(const struct sasl_offer *offer)
{
    struct tls_binding binding;

    stream_tls_binding(offer->stream, &binding);
    return binding.type != TLS_BINDING_NONE;
}

static bool usable(const struct server *s, const struct sasl_offer *offer, uint32_t mechanism)
{
    if (s->authorize_as != NULL && (mechanism & DELEGATING) == 0)
        return false;
    if ((mechanism & PLUS) != 0)
        return can_bind(offer);
    if (mechanism == SASL_EXTERNAL)
        return s->tls_settings.cert_file != NULL && stream_tls(offer->stream) != NULL;
    return true;
}

/* Remembered are only words from inside of TLS, where nobody else can have said them. */
static int heed_memory(const struct server *s, const struct sasl_offer *offer, uint32_t mechanism, bool by_itself,
                       struct err *e)
{
    uint32_t offered = offer->mechanisms;
    unsigned best, before;

    if (s->offered_before == NULL || stream_tls(offer->stream) == NULL || (mechanism & BY_PASSWORD) == 0)
        return 0;
    if (!can_bind(offer))
        offered &= ~(uint32_t)PLUS;
    best = rank(offered);
    before = s->offered_before(s->offers_ctx);
    if (by_itself && best < before)
        return err_set(e, E_TLS,
                       "%s offered %s before, and now nothing as strong; no password was sent. Somebody may be between "
                       "you and the server; if the server was changed, name what it offers now: auth = { \"plain\" }",
                       offer->host, before >= 3 ? "SCRAM with channel binding" : "SCRAM");
    if (best > before && s->offers != NULL)
        s->offers(s->offers_ctx, best);
    return 0;
}

static int nothing(const struct server *s, const struct sasl_offer *offer, bool by_itself, struct err *e)
{
    struct buf names = BUF_INIT(512);
    bool tls = stream_tls(offer->stream) != NULL;
    const char *why = "", *hint = tls ? "" : "; perhaps it does with tls = \"starttls\" or \"implicit\"";

    if (s->authorize_as != NULL)
        why = ", and that authorize_as needs";
    else if (s->token != NULL)
        why = ", by an OAuth 2.0 token (OAUTHBEARER or XOAUTH2)";
    for (uint32_t m = 1; m <= SASL_XOAUTH2; m <<= 1) {
        if ((offer->mechanisms & m) != 0 && buf_putf(&names, "%s%s", names.len > 0 ? ", " : "", sasl_name(m)) != 0)
            break;
    }
    err_set(e, E_LACKS, "%s offers no way to log in that %s%s; it offers %s%s", offer->host,
            by_itself ? "may be used" : "auth allows", why,
            names.len > 0 ? buf_cstr(&names) : "none that is known here", hint);
    buf_release(&names);
    return -1;
}

int sasl_pick(const struct server *s, const struct sasl_offer *offer, uint32_t *mechanism_out, struct err *e)
{
    struct order order = { .n = 0 };
    bool by_itself = put_order(&order, s);

    for (size_t i = 0; i < order.n; i++) {
        uint32_t m = order.v[i];
        bool offered = (offer->mechanisms & m) != 0 || (offer->unknown && !by_itself && (m & SASL_ALL) != 0) ||
                       (offer->unknown && s->token != NULL && m == SASL_XOAUTH2);

        if (!offered || !usable(s, offer, m))
            continue;
        if (heed_memory(s, offer, m, by_itself, e) != 0)
            return -1;
        *mechanism_out = m;
        return 0;
    }
    return nothing(s, offer, by_itself, e);
}
