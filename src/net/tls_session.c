/* SPDX-License-Identifier: MIT */
#include "net/tls_int.h"

#include <stdio.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "net/digest.h"

enum {
    /* A certificate that was revoked, or an issuer that is trusted no more, is found at the next full handshake. */
    SESSION_AGE_MAX = 24 * 60 * 60,
    TIME_BYTES = 8,
    KEY_TEXT_MAX = 64 * 1024,
};

static int put_text(struct buf *b, const char *text)
{
    return text != NULL ? buf_putf(b, " %zu:%s", strlen(text), text) : buf_put_str(b, " -");
}

/* Another file under the same name is another setting. */
static int put_file(struct buf *b, const char *path)
{
    struct stat st;

    if (put_text(b, path) != 0)
        return -1;
    if (path == NULL || stat(path, &st) != 0)
        return 0;
    return buf_putf(b, " %llu %lld %lld.%09ld", (unsigned long long)st.st_ino, (long long)st.st_size,
                    (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

static int put_settings(struct buf *b, const char *host, const struct tls_settings *s)
{
    int rc = buf_putf(b, "%u %d", s->port, s->min_version == TLS_1_3);

    if (rc != 0 || put_text(b, host) != 0 || put_text(b, s->alpn) != 0 || put_file(b, s->trust_file) != 0 ||
        put_text(b, secure_getenv(X509_get_default_cert_file_env())) != 0 ||
        put_text(b, secure_getenv(X509_get_default_cert_dir_env())) != 0 || put_file(b, s->cert_file) != 0 ||
        put_file(b, s->key_file) != 0)
        return -1;
    for (size_t i = 0; i < s->fingerprint_count && rc == 0; i++)
        rc = put_text(b, s->fingerprints[i]);
    return rc;
}

static int make_key(struct tls_layer *t, const struct tls_settings *s)
{
    struct buf text = BUF_INIT(KEY_TEXT_MAX);
    unsigned char bytes[DIGEST_SIZE];
    struct digest digest = { NULL };
    struct err e;
    int rc = -1;

    if (put_settings(&text, t->host, s) != 0 || digest_init(&digest, &e) != 0 || digest_start(&digest, &e) != 0)
        goto out;
    digest_add(&digest, buf_slice(&text));
    digest_finish(&digest, bytes);
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(t->session_key + 2 * i, 3, "%02x", bytes[i]);
    rc = 0;
out:
    digest_release(&digest);
    buf_release(&text);
    return rc;
}

/* Who was judged good in the full handshake must be it still, by what is asked now. */
static bool is_still_good(struct tls_layer *t, const struct tls_settings *s, SSL_SESSION *session)
{
    X509 *leaf = SSL_SESSION_get0_peer(session);
    int64_t now = clock_wall();

    if (leaf == NULL || !SSL_SESSION_is_resumable(session))
        return false;
    if (s->fingerprint_count > 0)
        return tls_is_pinned(s, leaf);
    if (tls_seconds(X509_get0_notBefore(leaf)) > now || tls_seconds(X509_get0_notAfter(leaf)) < now)
        return false;
    return host_is_address(t->host) ? X509_check_ip_asc(leaf, t->host, 0) == 1
                                    : X509_check_host(leaf, t->host, 0, TLS_NAME_RULES, NULL) == 1;
}

/* What is kept: when the certificate was judged, 8 bytes, and the session as OpenSSL writes it. */
static SSL_SESSION *parse(struct slice kept, int64_t *judged_out)
{
    const unsigned char *p = (const unsigned char *)kept.p;
    uint64_t when = 0;

    if (kept.n <= TIME_BYTES || kept.n > TLS_SESSION_MAX)
        return NULL;
    for (size_t i = 0; i < TIME_BYTES; i++)
        when = when << 8 | *p++;
    *judged_out = (int64_t)when;
    return d2i_SSL_SESSION(NULL, &p, (long)(kept.n - TIME_BYTES));
}

static bool is_of_today(int64_t judged)
{
    int64_t now = clock_wall();

    return judged <= now && now - judged < SESSION_AGE_MAX;
}

static void keep(struct tls_layer *t, SSL_SESSION *session)
{
    int64_t judged = SSL_session_reused(t->ssl) == 1 ? t->judged_before : t->began;
    int n = i2d_SSL_SESSION(session, NULL);
    struct buf bytes = BUF_INIT(TLS_SESSION_MAX);
    unsigned char *p;

    if (n > 0 && is_of_today(judged) && buf_reserve(&bytes, TIME_BYTES + (size_t)n) == 0) {
        for (size_t i = 0; i < TIME_BYTES; i++)
            bytes.p[i] = (char)((uint64_t)judged >> (8 * (TIME_BYTES - 1 - i)));
        p = (unsigned char *)bytes.p + TIME_BYTES;
        if (i2d_SSL_SESSION(session, &p) == n) {
            buf_grew(&bytes, TIME_BYTES + (size_t)n);
            t->tickets->keep(t->tickets_ctx, t->session_key, buf_slice(&bytes));
        }
    }
    buf_wipe(&bytes);
    buf_release(&bytes);
}

/* OpenSSL has a new session: with TLS 1.3 whenever the server sends a ticket, also long after the handshake. */
static int on_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls_layer *t = SSL_get_app_data(ssl);

    if (t->tickets != NULL && SSL_SESSION_is_resumable(session))
        keep(t, session);
    return 0;
}

void tls_session_prepare(SSL_CTX *ctx)
{
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, on_session);
}

void tls_session_offer(struct tls_layer *t, const struct tls_settings *s)
{
    struct buf kept = BUF_INIT(TLS_SESSION_MAX);
    SSL_SESSION *session = NULL;

    t->began = clock_wall();
    /* The records in the DNS have a life of their own, and are asked for with every connection. */
    if (s->tickets == NULL || s->tlsa_count > 0 || make_key(t, s) != 0)
        return;
    t->tickets = s->tickets;
    t->tickets_ctx = s->tickets_ctx;
    if (t->tickets->take(t->tickets_ctx, t->session_key, &kept))
        session = parse(buf_slice(&kept), &t->judged_before);
    if (session != NULL && is_of_today(t->judged_before) && is_still_good(t, s, session))
        (void)SSL_set_session(t->ssl, session);
    SSL_SESSION_free(session);
    ERR_clear_error();
    buf_wipe(&kept);
    buf_release(&kept);
}

void tls_session_begun(struct tls_layer *t)
{
    X509 *leaf = SSL_get0_peer_certificate(t->ssl);

    t->facts.resumed = SSL_session_reused(t->ssl) == 1;
    if (!t->facts.resumed)
        return;
    if (leaf != NULL)
        tls_take_facts(&t->facts, leaf);
    t->facts.pinned = t->settings->fingerprint_count > 0;
    /* OpenSSL tells only of those of a full handshake, and of every ticket of TLS 1.3. */
    if (t->tickets != NULL && SSL_version(t->ssl) < TLS1_3_VERSION)
        keep(t, SSL_get0_session(t->ssl));
}
