/* SPDX-License-Identifier: MIT */
#include "net/tls_int.h"

#include <pthread.h>
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/log.h"
#include "net/tls_dane.h"

/* --- between OpenSSL and the layer below --- */

/* A BIO of our own rather than the descriptor: so send() can be told not to raise SIGPIPE, the bytes on the wire are
 * counted in one place, the error of the layer below is kept in words, and one fill costs one read call: once it has
 * something, the rest is left for the next. */
static int bio_read(BIO *bio, char *p, int n)
{
    struct tls_layer *t = BIO_get_data(bio);
    struct layer *below = t->layer.below;
    size_t got = 0;

    BIO_clear_retry_flags(bio);
    if (n <= 0)
        return 0;
    t->below = t->have > 0 ? LAYER_WANT_READ : below->ops->read(below, p, (size_t)n, &got, &t->below_error);
    if (t->below == LAYER_OK && t->shaken && (t->barren += got) > STREAM_BARREN_MAX) {
        err_set(&t->below_error, E_PROTO, "the server sends nothing but housekeeping of TLS");
        t->below = LAYER_FAILED;
    }
    if (t->below == LAYER_OK)
        return (int)got;
    if (t->below == LAYER_WANT_READ || t->below == LAYER_WANT_WRITE)
        BIO_set_retry_read(bio);
    t->ended = t->below == LAYER_END;
    return t->ended ? 0 : -1;
}

static int bio_write(BIO *bio, const char *p, int n)
{
    struct tls_layer *t = BIO_get_data(bio);
    struct layer *below = t->layer.below;
    size_t done = 0;

    BIO_clear_retry_flags(bio);
    if (n <= 0)
        return 0;
    t->below = below->ops->write(below, p, (size_t)n, &done, &t->below_error);
    if (t->below == LAYER_OK)
        return (int)done;
    if (t->below == LAYER_WANT_READ || t->below == LAYER_WANT_WRITE)
        BIO_set_retry_write(bio);
    return -1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    struct tls_layer *t = BIO_get_data(bio);

    (void)number, (void)pointer;
    if (command == BIO_CTRL_EOF)
        return t->ended;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *bio_method;
static pthread_once_t bio_once = PTHREAD_ONCE_INIT;

static void make_bio_method(void)
{
    bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "mailhaul layer");
    if (bio_method != NULL) {
        BIO_meth_set_read(bio_method, bio_read);
        BIO_meth_set_write(bio_method, bio_write);
        BIO_meth_set_ctrl(bio_method, bio_ctrl);
    }
}

/* --- the layer --- */

/* Alerts of RFC 8446 section 6.2 that a server sends about the certificate of a client. */
static bool is_about_ours(int why)
{
    static const int alerts[] = { SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,     SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
                                  SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
                                  SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, SSL_R_TLSV1_ALERT_UNKNOWN_CA,
                                  SSL_R_TLSV1_ALERT_ACCESS_DENIED,       SSL_R_TLSV1_ALERT_DECRYPT_ERROR };

    for (size_t i = 0; i < ARRAY_LEN(alerts); i++) {
        if (alerts[i] == why)
            return true;
    }
    return false;
}

/* What went wrong in an SSL call, once it is not a matter of waiting. */
static void put_error(struct tls_layer *t, struct err *e)
{
    unsigned long code = ERR_peek_error();
    int why = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;

    t->broken = true;
    /* First what came first: a refused certificate or an end is followed by an alert of ours, which may fail in its
     * turn. */
    if (t->verdict.code != E_NONE)
        *e = t->verdict;
    else if (t->ended && !t->shaken)
        err_set(e, E_NET, "the server closed the connection in the TLS handshake");
    else if (t->ended)
        err_set(e, E_NET, "the connection was cut: it ended without the goodbye of TLS (close_notify)");
    else if (t->below == LAYER_FAILED)
        *e = t->below_error;
    else if (why == SSL_R_WRONG_VERSION_NUMBER || why == SSL_R_HTTP_REQUEST)
        err_set(e, E_TLS, "the server does not speak TLS here (is the port right, or should tls be \"starttls\"?)");
    else if (why == SSL_R_UNSUPPORTED_PROTOCOL || why == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION)
        err_set(e, E_TLS, "the server has no version of TLS that is allowed here (1.2 or later; see tls_min_version)");
    else if (why == SSL_R_BAD_EXTENSION && !t->shaken)
        err_set(e, E_TLS,
                "the server's answer in the TLS handshake does not fit: it may be another service than \"%s\"",
                t->settings->alpn != NULL ? t->settings->alpn : "");
    else if (why == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED || why == SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE)
        err_set(e, E_TLS,
                "the server ended the TLS handshake: %s (it may want another certificate from us, see "
                "tls_cert_file)",
                tls_reason());
    else if (is_about_ours(why))
        err_set(e, E_TLS, "the server refuses the certificate that we show: %s (see tls_cert_file)", tls_reason());
    else
        err_set(e, E_TLS, "TLS failed: %s", tls_reason());
}

/* The result of an SSL call that did not succeed. */
static enum layer_result outcome(struct tls_layer *t, int rc, struct err *e)
{
    int kind = SSL_get_error(t->ssl, rc);

    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE)
        return kind == SSL_ERROR_WANT_READ ? LAYER_WANT_READ : LAYER_WANT_WRITE;
    if (kind == SSL_ERROR_ZERO_RETURN)
        return LAYER_END;
    put_error(t, e);
    ERR_clear_error();
    return LAYER_FAILED;
}

static enum layer_result tls_read(struct layer *l, char *p, size_t n, size_t *got_out, struct err *e)
{
    struct tls_layer *t = (struct tls_layer *)l;
    enum layer_result r = LAYER_OK;

    if (t->later.code != E_NONE) {
        *e = t->later;
        return LAYER_FAILED;
    }
    ERR_clear_error();
    for (t->have = 0; r == LAYER_OK && t->have < n;) {
        size_t got = 0;
        int rc = SSL_read_ex(t->ssl, p + t->have, n - t->have, &got);

        t->have += got;
        if (got > 0)
            t->barren = 0;
        if (rc != 1)
            r = outcome(t, rc, t->have > 0 ? &t->later : e);
    }
    *got_out = t->have;
    t->have = 0;
    return *got_out > 0 ? LAYER_OK : r;
}

static enum layer_result tls_write(struct layer *l, const char *p, size_t n, size_t *done_out, struct err *e)
{
    struct tls_layer *t = (struct tls_layer *)l;
    int rc;

    ERR_clear_error();
    rc = SSL_write_ex(t->ssl, p, n, done_out);
    return rc == 1 ? LAYER_OK : outcome(t, rc, e);
}

static void tls_close(struct layer *l)
{
    struct tls_layer *t = (struct tls_layer *)l;

    if (t->ssl != NULL && t->shaken && !t->broken) {
        ERR_clear_error();
        SSL_shutdown(t->ssl);
        ERR_clear_error();
    }
    SSL_free(t->ssl);
    free(t);
}

static const struct layer_ops tls_ops = { .read = tls_read, .write = tls_write, .close = tls_close };

/* Whom we expect at the other end, and what we tell it. */
static int set_peer(struct tls_layer *t, const struct tls_settings *s)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(t->ssl);
    size_t alpn_length = s->alpn != NULL ? strlen(s->alpn) : 0;
    unsigned char alpn[32];

    X509_VERIFY_PARAM_set_hostflags(param, TLS_NAME_RULES);
    if (host_is_address(t->host)) {
        if (X509_VERIFY_PARAM_set1_ip_asc(param, t->host) != 1)
            return -1;
    } else if (X509_VERIFY_PARAM_set1_host(param, t->host, 0) != 1 || SSL_set_tlsext_host_name(t->ssl, t->host) != 1) {
        return -1;
    }
    if (alpn_length == 0)
        return 0;
    if (alpn_length >= sizeof(alpn))
        return -1;
    alpn[0] = (unsigned char)alpn_length;
    memcpy(alpn + 1, s->alpn, alpn_length);
    return SSL_set_alpn_protos(t->ssl, alpn, (unsigned)alpn_length + 1) == 0 ? 0 : -1;
}

int tls_layer(struct layer *below, const struct tls_settings *settings, struct layer **out, struct err *e)
{
    struct tls_layer *t = calloc(1, sizeof(*t));
    SSL_CTX *ctx = NULL;
    BIO *bio = NULL;
    int rc = -1;

    if (t == NULL)
        return err_nomem(e);
    t->layer = (struct layer){ .ops = &tls_ops, .below = below, .fd = -1 };
    t->settings = settings;
    if (host_ascii(settings->host, t->host, e) != 0 || tls_context_get(settings, &ctx, e) != 0)
        goto out;
    pthread_once(&bio_once, make_bio_method);
    t->ssl = SSL_new(ctx);
    bio = bio_method != NULL ? BIO_new(bio_method) : NULL;
    if (t->ssl == NULL || bio == NULL || set_peer(t, settings) != 0) {
        err_nomem(e);
        goto out;
    }
    if (tls_dane_set(t->ssl, t->host, settings, e) != 0)
        goto out;
    BIO_set_data(bio, t);
    BIO_set_init(bio, 1);
    SSL_set_bio(t->ssl, bio, bio);
    bio = NULL;
    SSL_set_app_data(t->ssl, t);
    tls_session_offer(t, settings);
    tls_ocsp_ask(t->ssl);
    SSL_set_connect_state(t->ssl);
    *out = &t->layer;
    rc = 0;
out:
    BIO_free(bio);
    SSL_CTX_free(ctx);
    if (rc != 0)
        tls_close(&t->layer);
    return rc;
}

static int check_alpn(const struct tls_layer *t, struct err *e)
{
    struct slice wanted = slice_str(t->settings->alpn);
    const unsigned char *answer = NULL;
    unsigned length = 0;
    char shown[64];

    SSL_get0_alpn_selected(t->ssl, &answer, &length);
    if (length == 0 || slice_eq(wanted, slice_make((const char *)answer, length)))
        return 0;
    log_printable(shown, sizeof(shown), slice_make((const char *)answer, length));
    return err_set(e, E_TLS, "the server speaks \"%s\" here, not \"%s\": the connection leads to another service",
                   shown, t->settings->alpn != NULL ? t->settings->alpn : "");
}

enum layer_result tls_handshake(struct layer *l, struct err *e)
{
    struct tls_layer *t = (struct tls_layer *)l;
    STACK_OF(X509) * chain;
    enum layer_result r;
    int rc;

    ERR_clear_error();
    rc = SSL_do_handshake(t->ssl);
    if (rc != 1) {
        r = outcome(t, rc, e);
        if (r == LAYER_END)
            err_set(e, E_NET, "the server closed the connection in the TLS handshake");
        return r == LAYER_END ? LAYER_FAILED : r;
    }
    if (check_alpn(t, e) != 0 || tls_ocsp_check(t, e) != 0) {
        t->broken = true;
        return LAYER_FAILED;
    }
    chain = SSL_get_peer_cert_chain(t->ssl);
    t->facts.chain_length = chain != NULL ? (unsigned)sk_X509_num(chain) : 0;
    tls_session_begun(t);
    snprintf(t->facts.protocol, sizeof(t->facts.protocol), "%s", SSL_get_version(t->ssl));
    snprintf(t->facts.cipher, sizeof(t->facts.cipher), "%s", SSL_get_cipher_name(t->ssl));
    t->shaken = true;
    t->settings = NULL;
    return LAYER_OK;
}

const struct tls_facts *tls_layer_facts(const struct layer *l)
{
    return &((const struct tls_layer *)l)->facts;
}

/* RFC 9266 section 4.2; RFC 5929 section 3, which only extended master secret (RFC 7627) makes safe. */
void tls_layer_binding(const struct layer *l, struct tls_binding *out)
{
    static const char label[] = "EXPORTER-Channel-Binding";
    const struct tls_layer *t = (const struct tls_layer *)l;
    SSL *ssl = t->ssl;

    if (SSL_version(ssl) >= TLS1_3_VERSION) {
        out->n = 32;
        if (SSL_export_keying_material(ssl, out->data, out->n, label, sizeof(label) - 1, (const unsigned char *)"", 0,
                                       1) == 1)
            out->type = TLS_BINDING_EXPORTER;
    } else if (SSL_get_extms_support(ssl) == 1) {
        /* The Finished of the full handshake is the client's; of a resumed one, the server's (RFC 5929 section 3.1). */
        out->n = SSL_session_reused(ssl) ? SSL_get_peer_finished(ssl, out->data, sizeof(out->data))
                                         : SSL_get_finished(ssl, out->data, sizeof(out->data));
        if (out->n > 0 && out->n <= sizeof(out->data))
            out->type = TLS_BINDING_UNIQUE;
    }
}
