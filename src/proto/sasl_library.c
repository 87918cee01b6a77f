/* SPDX-License-Identifier: MIT
 * The mechanisms of GNU SASL. Its callback is the only way by which a password gets there; what it keeps of one is
 * overwritten before the session ends.
 */
#include "proto/sasl_int.h"

#include <stdlib.h>

#include <gsasl.h>

#include "base/log.h"
#include "base/num.h"
#include "wire/base64.h"
#include "wire/limits.h"

struct library {
    Gsasl *lib;
    Gsasl_session *session;
    bool proved;  /* SCRAM: we have said all, and only the server's proof is left */
    bool unbound; /* the library is not shown what a login could be bound to */
};

const char *sasl_library(void)
{
    return gsasl_check_version(NULL);
}

static int no_binding(Gsasl_property property)
{
    return property == GSASL_CB_TLS_EXPORTER ? GSASL_NO_CB_TLS_EXPORTER : GSASL_NO_CB_TLS_UNIQUE;
}

/* Where the server offers the same SCRAM with -PLUS, and it was not wanted, the library must not know of the binding:
 * it would tell the server that it was not offered (RFC 5802 section 6), which would be taken for an attack. */
static int give_binding(const struct sasl_work *w, Gsasl_session *session, Gsasl_property property)
{
    uint32_t plus = SASL_SCRAM_SHA_256_PLUS | SASL_SCRAM_SHA_1_PLUS;
    const struct library *l = w->library;
    struct buf text = BUF_INIT(256);
    struct tls_binding binding;
    int rc;

    stream_tls_binding(w->offer->stream, &binding);
    if (binding.type != (property == GSASL_CB_TLS_EXPORTER ? TLS_BINDING_EXPORTER : TLS_BINDING_UNIQUE) ||
        ((w->mechanism & plus) == 0 && ((w->offer->mechanisms & plus) != 0 || l->unbound)))
        return no_binding(property);
    rc = base64_encode(slice_make((const char *)binding.data, binding.n), &text) != 0
             ? GSASL_MALLOC_ERROR
             : gsasl_property_set(session, property, buf_cstr(&text));
    buf_release(&text);
    return rc;
}

/* The count is the server's to choose, and costs us the work (RFC 5802 section 9). */
static int check_iterations(struct sasl_work *w, Gsasl_session *session)
{
    const char *count = gsasl_property_fast(session, GSASL_SCRAM_ITER);
    uint32_t n;

    if (count == NULL)
        return GSASL_OK;
    if (num_parse_u32(slice_str(count), &n) == 0 && n > 0 && n <= LIMIT_SCRAM_ITERATIONS)
        return GSASL_OK;
    err_set(&w->err, E_TLS, "%s asks for %.20s rounds of hashing, more than the %d that are done; no proof was sent",
            w->offer->host, count, LIMIT_SCRAM_ITERATIONS);
    return GSASL_AUTHENTICATION_ERROR;
}

static int give_password(struct sasl_work *w, Gsasl_session *session)
{
    struct secret password = { 0 };
    int rc = check_iterations(w, session);

    if (rc != GSASL_OK)
        return rc;
    rc = GSASL_NO_PASSWORD;
    if (w->server->password(w->server->password_ctx, &password, &w->err) == 0) {
        struct slice p = secret_get(&password);

        if (slice_has_nul(p))
            err_set(&w->err, E_CONFIG, "the password holds a NUL byte, which no SASL login can carry");
        else
            rc = gsasl_property_set_raw(session, GSASL_PASSWORD, p.p, p.n);
    }
    secret_release(&password);
    return rc;
}

static int give_text(Gsasl_session *session, Gsasl_property property, const char *text)
{
    return gsasl_property_set(session, property, text);
}

static int callback(Gsasl *lib, Gsasl_session *session, Gsasl_property property)
{
    struct sasl_work *w = gsasl_session_hook_get(session);
    const struct server *s = w->server;

    (void)lib;
    switch (property) {
    case GSASL_AUTHID:
        return s->user != NULL ? give_text(session, property, s->user) : GSASL_NO_AUTHID;
    case GSASL_AUTHZID:
        return s->authorize_as != NULL ? give_text(session, property, s->authorize_as) : GSASL_NO_AUTHZID;
    case GSASL_PASSWORD:
        return give_password(w, session);
    case GSASL_SCRAM_SALTED_PASSWORD:
        return check_iterations(w, session) == GSASL_OK ? GSASL_NO_CALLBACK : GSASL_AUTHENTICATION_ERROR;
    case GSASL_CB_TLS_EXPORTER:
    case GSASL_CB_TLS_UNIQUE:
        return give_binding(w, session, property);
    case GSASL_SERVICE:
        return give_text(session, property, w->offer->service);
    case GSASL_HOSTNAME:
        return s->dial.host != NULL ? give_text(session, property, s->dial.host) : GSASL_NO_HOSTNAME;
    default:
        return GSASL_NO_CALLBACK;
    }
}

static int start(struct sasl_work *w, struct err *e)
{
    struct library *l = w->library;
    int rc = gsasl_client_start(l->lib, sasl_name(w->mechanism), &l->session);

    if (rc == GSASL_MALLOC_ERROR)
        return err_nomem(e);
    if (rc != GSASL_OK)
        return err_set(e, E_CONFIG, "%s is not built into the SASL library of this machine", sasl_name(w->mechanism));
    gsasl_session_hook_set(l->session, w);
    return 0;
}

int sasl_library_begin(struct sasl_work *w, struct err *e)
{
    struct library *l = calloc(1, sizeof(*l));

    if (l == NULL)
        return err_nomem(e);
    w->library = l;
    if (gsasl_init(&l->lib) != GSASL_OK)
        return err_nomem(e);
    gsasl_callback_set(l->lib, callback);
    return start(w, e);
}

/* The library's own copies. */
static void wipe(Gsasl_session *session, Gsasl_property property)
{
    const char *value = gsasl_property_fast(session, property);

    if (value != NULL)
        explicit_bzero((void *)(uintptr_t)value, strlen(value));
}

void sasl_library_end(struct sasl_work *w)
{
    struct library *l = w->library;

    if (l == NULL)
        return;
    if (l->session != NULL) {
        wipe(l->session, GSASL_PASSWORD);
        wipe(l->session, GSASL_SCRAM_SALTED_PASSWORD);
        gsasl_finish(l->session);
    }
    if (l->lib != NULL)
        gsasl_done(l->lib);
    free(l);
    w->library = NULL;
}

static bool is_scram(uint32_t mechanism)
{
    return (mechanism & (SASL_SCRAM_SHA_256_PLUS | SASL_SCRAM_SHA_1_PLUS | SASL_SCRAM_SHA_256 | SASL_SCRAM_SHA_1)) != 0;
}

/* RFC 5802 section 7, server-error-value: the server's word in place of its proof. */
static bool server_error(struct sasl_work *w, struct slice in, struct err *e)
{
    if (!is_scram(w->mechanism) || !slice_starts(in, SLICE("e=")))
        return false;
    log_printable(w->words, sizeof(w->words), slice_from(in, 2));
    if (strstr(w->words, "channel-binding") != NULL)
        err_set(e, E_TLS,
                "%s sees another TLS connection than this one (%.80s); somebody is between you and the server",
                w->offer->host, w->words);
    else
        err_set(e, E_AUTH, "%s refused user %s or the password", w->offer->host, w->server->user);
    (void)err_peer(e, slice_str(w->words));
    return true;
}

static enum sasl_step failed(struct sasl_work *w, int rc, struct err *e)
{
    const struct library *l = w->library;
    const char *name = sasl_name(w->mechanism), *host = w->offer->host;

    if (w->err.code != E_NONE)
        *e = w->err;
    else if (rc == GSASL_MALLOC_ERROR)
        (void)err_nomem(e);
    else if (l->proved)
        err_set(e, E_TLS,
                "%s could not prove that it knows the password (%s): it is not the server that it should be; nothing "
                "was fetched",
                host, name);
    else if (w->mechanism == SASL_GSSAPI)
        err_set(e, E_AUTH, "no Kerberos ticket could be had for %s (%s); kinit gets one, klist shows those there are",
                host, gsasl_strerror(rc));
    else if (rc == GSASL_SASLPREP_ERROR)
        err_set(e, E_CONFIG, "the user name or the password holds a character that %s does not allow (RFC 4013)", name);
    else
        err_set(e, E_PROTO, "%s does not keep to %s (%s)", host, name, gsasl_strerror(rc));
    return SASL_FAILED;
}

/* The first message. "I could have bound this, and you did not offer it" (RFC 5802 section 5.1, flag "y") is a message
 * that GNU SASL 2.2.0 makes, finds fault with, and does not give out; then it has to be "n". */
static int first_step(struct sasl_work *w, char **bytes_out, size_t *n_out, struct err *e)
{
    struct library *l = w->library;
    int rc = gsasl_step(l->session, NULL, 0, bytes_out, n_out);

    if (rc != GSASL_AUTHENTICATION_ERROR || !is_scram(w->mechanism) || l->unbound)
        return rc;
    l->unbound = true;
    gsasl_finish(l->session);
    l->session = NULL;
    if (start(w, e) != 0)
        return rc;
    return gsasl_step(l->session, NULL, 0, bytes_out, n_out);
}

enum sasl_step sasl_library_step(struct sasl_work *w, const struct slice *in, struct buf *out, struct err *e)
{
    struct library *l = w->library;
    char *bytes = NULL;
    size_t n = 0;
    int rc, put = 0;

    if (in != NULL && server_error(w, *in, e))
        return SASL_FAILED;
    rc = in != NULL ? gsasl_step(l->session, in->p, in->n, &bytes, &n) : first_step(w, &bytes, &n, e);
    if (rc != GSASL_OK && rc != GSASL_NEEDS_MORE)
        return failed(w, rc, e);
    if (n > 0) {
        put = buf_put(out, bytes, n);
        explicit_bzero(bytes, n);
    }
    gsasl_free(bytes);
    if (put != 0) {
        (void)err_nomem(e);
        return SASL_FAILED;
    }
    l->proved = is_scram(w->mechanism) && in != NULL;
    return rc == GSASL_OK ? SASL_DONE : SASL_GOES_ON;
}
