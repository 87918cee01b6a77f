/* SPDX-License-Identifier: MIT */
#include "net/tls.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/io.h"
#include "base/log.h"
#include "net/host.h"
#include "net/stream_int.h"
#include "net/tls_dane.h"
#include "net/tls_pin.h"

enum {
    /* What OpenSSL reads at once: four whole records, their heads and tags. */
    READ_AHEAD = 4 * (16 * 1024 + 256 + 5),
    CONTEXT_KEY_MAX = 64 * 1024,
    /* Names of a certificate that an error text shows. */
    NAMES_SHOWN = 3,
};

struct tls_layer {
    struct layer layer;
    SSL *ssl;
    const struct tls_settings *settings; /* borrowed until the handshake is over */
    char host[HOST_MAX];                 /* as it is verified                     */
    bool shaken;                         /* the handshake is over                 */
    bool broken;                         /* no goodbye can be said                */
    size_t have;                         /* bytes that the read under way has got */
    size_t barren;                       /* bytes from below since the last for above, the handshake's apart */
    enum layer_result below;             /* what the layer below said last        */
    bool ended;                          /* it has no more to read                */
    struct err below_error;
    struct err verdict; /* on the certificate; E_NONE: none, or a good one */
    struct err later;   /* met behind bytes that were good */
    struct tls_facts facts;
};

/* --- certificates in words --- */

static int64_t seconds(const ASN1_TIME *t)
{
    struct tm tm;

    return t != NULL && ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static void put_date(char out[16], int64_t when)
{
    time_t t = (time_t)when;
    struct tm tm;

    if (gmtime_r(&t, &tm) == NULL || strftime(out, 16, "%Y-%m-%d", &tm) == 0)
        out[0] = '\0';
}

static void put_name(char *out, size_t size, const X509_NAME *name)
{
    BIO *text = BIO_new(BIO_s_mem());
    char *p;

    out[0] = '\0';
    if (text != NULL && X509_NAME_print_ex(text, name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
        long n = BIO_get_mem_data(text, &p);
        log_printable(out, size, slice_make(p, n > 0 ? (size_t)n : 0));
    }
    BIO_free(text);
}

static void take_facts(struct tls_facts *f, const X509 *cert)
{
    unsigned char digest[DIGEST_SIZE];

    put_name(f->subject, sizeof(f->subject), X509_get_subject_name(cert));
    put_name(f->issuer, sizeof(f->issuer), X509_get_issuer_name(cert));
    f->not_before = seconds(X509_get0_notBefore(cert));
    f->not_after = seconds(X509_get0_notAfter(cert));
    if (X509_digest(cert, EVP_sha256(), digest, NULL) == 1)
        tls_pin_write(digest, f->fingerprint, sizeof(f->fingerprint));
}

static bool is_pinned(const struct tls_settings *settings, X509 *cert)
{
    unsigned char of_cert[DIGEST_SIZE], of_key[DIGEST_SIZE], *der = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    bool ok = n > 0 && X509_digest(cert, EVP_sha256(), of_cert, NULL) == 1 &&
              EVP_Digest(der, (size_t)n, of_key, NULL, EVP_sha256(), NULL) == 1;

    OPENSSL_free(der);
    return ok && tls_pin_match(settings, of_cert, of_key);
}

static bool put_general_name(char *out, size_t size, const GENERAL_NAME *name)
{
    char address[INET6_ADDRSTRLEN];
    const ASN1_STRING *s;

    if (name->type == GEN_DNS) {
        s = name->d.dNSName;
        log_printable(out, size, slice_make((const char *)ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)));
        return true;
    }
    if (name->type != GEN_IPADD)
        return false;
    s = name->d.iPAddress;
    if (inet_ntop(ASN1_STRING_length(s) == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(s), address,
                  sizeof(address)) == NULL ||
        (ASN1_STRING_length(s) != 4 && ASN1_STRING_length(s) != 16))
        return false;
    snprintf(out, size, "%s", address);
    return true;
}

/* "a.example", "b.example" and 3 more; empty when the certificate names no host. */
static void put_hosts(char *out, size_t size, const X509 *cert)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    int count = names != NULL ? sk_GENERAL_NAME_num(names) : 0, hosts = 0;
    size_t at = 0;

    out[0] = '\0';
    for (int i = 0; i < count; i++) {
        char host[80];

        if (!put_general_name(host, sizeof(host), sk_GENERAL_NAME_value(names, i)) || hosts++ >= NAMES_SHOWN)
            continue;
        snprintf(out + at, size - at, "%s\"%s\"", at > 0 ? ", " : "", host);
        at += strlen(out + at);
    }
    if (hosts > NAMES_SHOWN)
        snprintf(out + at, size - at, " and %d more", hosts - NAMES_SHOWN);
    GENERAL_NAMES_free(names);
}

/* --- is this the right server? --- */

/* What is wrong, without the host in front and the particulars behind. */
static void put_fault(char *out, size_t size, int error, int depth, const X509 *leaf, const struct tls_facts *f)
{
    char hosts[320], from[16], to[16];

    put_date(from, f->not_before);
    put_date(to, f->not_after);
    switch (error) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        put_hosts(hosts, sizeof(hosts), leaf);
        snprintf(out, size,
                 hosts[0] != '\0' ? "the certificate is for %s, not for this host" : "the certificate names no host%s",
                 hosts);
        break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        if (depth == 0)
            snprintf(out, size, "the certificate expired on %s", to);
        else
            snprintf(out, size, "the certificate of an issuer in the chain has expired");
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        snprintf(out, size, "the certificate is not valid before %s (is the clock of this machine right?)", from);
        break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        snprintf(out, size, "the certificate is self-signed: nobody vouches for it");
        break;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        snprintf(out, size,
                 "the certificate comes from an issuer that is not trusted here, or the server left out a "
                 "certificate in between (an issuer of your own: tls_trust_file)");
        break;
    case X509_V_ERR_INVALID_PURPOSE:
        snprintf(out, size, "the certificate is not one for servers");
        break;
    default:
        snprintf(out, size, "the certificate is not accepted: %s", X509_verify_cert_error_string(error));
    }
}

static void judge(struct tls_layer *t, X509_STORE_CTX *store, X509 *leaf)
{
    int error = X509_STORE_CTX_get_error(store);
    char fault[512], until[16];

    if (t->settings->fingerprint_count > 0)
        snprintf(fault, sizeof(fault), "the certificate is not the one that tls_fingerprint asks for");
    else if (error == X509_V_ERR_DANE_NO_MATCH)
        snprintf(fault, sizeof(fault), "the certificate is none that the TLSA records in the DNS allow (DANE)");
    else
        put_fault(fault, sizeof(fault), error, X509_STORE_CTX_get_error_depth(store), leaf, &t->facts);
    put_date(until, t->facts.not_after);
    err_set(&t->verdict, E_TLS,
            "%.300s (issued by %.100s, valid until %s); to trust exactly this certificate write "
            "tls_fingerprint = { \"%s\" }",
            fault, t->facts.issuer, until, t->facts.fingerprint);
}

/* In place of OpenSSL's own verification, which it calls unless there are pins. */
static int verify(X509_STORE_CTX *store, void *unused)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_layer *t = SSL_get_app_data(ssl);
    X509 *leaf = X509_STORE_CTX_get0_cert(store);
    bool good;

    (void)unused;
    take_facts(&t->facts, leaf);
    if (t->settings->fingerprint_count > 0) {
        good = t->facts.pinned = is_pinned(t->settings, leaf);
        X509_STORE_CTX_set_error(store, good ? X509_V_OK : X509_V_ERR_CERT_UNTRUSTED);
    } else {
        good = X509_verify_cert(store) == 1;
    }
    if (!good)
        judge(t, store, leaf);
    return good;
}

/* --- contexts --- */

struct context {
    struct buf key;
    SSL_CTX *ctx;
    struct context *next;
};

static struct {
    pthread_mutex_t lock;
    struct context *first;
} contexts = { .lock = PTHREAD_MUTEX_INITIALIZER };

static const char *reason(void)
{
    const char *words = ERR_reason_error_string(ERR_peek_last_error());

    return words != NULL ? words : "unknown reason";
}

/* Does the directory hold certificates under the names by which OpenSSL finds them (a1b2c3d4.0)? */
static bool is_hashed(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    bool found = false;

    while (dir != NULL && !found && (entry = readdir(dir)) != NULL)
        found = strspn(entry->d_name, "0123456789abcdef") == 8 && entry->d_name[8] == '.' &&
                ascii_isdigit(entry->d_name[9]);
    if (dir != NULL)
        closedir(dir);
    return found;
}

static int trust_directory(SSL_CTX *ctx, const char *path)
{
    X509_LOOKUP *lookup = X509_STORE_add_lookup(SSL_CTX_get_cert_store(ctx), X509_LOOKUP_hash_dir());

    return lookup != NULL && X509_LOOKUP_add_dir(lookup, path, X509_FILETYPE_PEM) == 1 ? 0 : -1;
}

/* The directory costs one small file for each issuer that is met, the bundle 20 ms for all there are. */
static int trust_system(SSL_CTX *ctx)
{
    const char *file = secure_getenv(X509_get_default_cert_file_env());
    const char *dir = secure_getenv(X509_get_default_cert_dir_env());
    const char *const places[] = { dir != NULL ? dir : X509_get_default_cert_dir(), "/etc/ssl/certs" };

    for (size_t i = 0; file == NULL && i < (dir != NULL ? 1 : ARRAY_LEN(places)); i++) {
        if (is_hashed(places[i]))
            return trust_directory(ctx, places[i]);
    }
    return SSL_CTX_set_default_verify_paths(ctx) == 1 ? 0 : -1;
}

/* OpenSSL's own words for a file that is not there are none. */
static int check_readable(const char *key, const char *file, struct err *e)
{
    int fd = file != NULL ? open(file, O_RDONLY | O_CLOEXEC) : -1;

    if (file != NULL && fd < 0)
        return err_sys(e, E_CONFIG, errno, "%s %s", key, file);
    io_close(&fd);
    return 0;
}

/* Instead of asking on the terminal. */
static int no_password(char *buf, int size, int writing, void *unused)
{
    (void)buf, (void)size, (void)writing, (void)unused;
    return -1;
}

static int load_client_certificate(SSL_CTX *ctx, const struct tls_settings *s, struct err *e)
{
    const char *key = s->key_file != NULL ? s->key_file : s->cert_file;

    SSL_CTX_set_default_passwd_cb(ctx, no_password);
    if (check_readable("tls_cert_file", s->cert_file, e) != 0 || check_readable("tls_key_file", s->key_file, e) != 0)
        return -1;
    if (SSL_CTX_use_certificate_chain_file(ctx, s->cert_file) != 1)
        return err_set(e, E_CONFIG, "tls_cert_file %s: no certificate can be read from it: %s", s->cert_file, reason());
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        return err_set(e, E_CONFIG, "%s %s: no key that belongs to the certificate can be read from it: %s",
                       s->key_file != NULL ? "tls_key_file" : "tls_cert_file", key, reason());
    return 0;
}

static int fill_context(SSL_CTX *ctx, const struct tls_settings *s, struct err *e)
{
    int oldest = s->min_version == TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;

    if (SSL_CTX_set_min_proto_version(ctx, oldest) != 1)
        return err_set(e, E_TLS, "TLS cannot be set up: %s", reason());
    SSL_CTX_set_security_level(ctx, 2);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_clear_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ctx,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_default_read_buffer_len(ctx, READ_AHEAD);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, verify, NULL);
    if (tls_dane_prepare(ctx) != 0)
        return err_nomem(e);
    if (check_readable("tls_trust_file", s->trust_file, e) != 0)
        return -1;
    if (s->trust_file != NULL && SSL_CTX_load_verify_file(ctx, s->trust_file) != 1)
        return err_set(e, E_CONFIG, "tls_trust_file %s: no certificate can be read from it: %s", s->trust_file,
                       reason());
    if (s->trust_file == NULL && s->fingerprint_count == 0 && trust_system(ctx) != 0)
        return err_set(e, E_TLS, "the certificates that this system trusts cannot be read: %s", reason());
    return s->cert_file != NULL ? load_client_certificate(ctx, s, e) : 0;
}

/* Everything that a context depends on; what differs between connections (host, ALPN, the pins) is kept out of it. */
static int put_key(struct buf *key, const struct tls_settings *s, struct err *e)
{
    const char *const files[] = { s->trust_file, s->cert_file, s->key_file };
    int rc = buf_putf(key, "%d %d", s->min_version == TLS_1_3, s->fingerprint_count > 0);

    for (size_t i = 0; i < ARRAY_LEN(files) && rc == 0; i++)
        rc = files[i] != NULL ? buf_putf(key, " %zu:%s", strlen(files[i]), files[i]) : buf_put_str(key, " -");
    return rc == 0 ? 0 : err_nomem(e);
}

static int make_context(const struct tls_settings *s, struct buf *key, struct context **out, struct err *e)
{
    struct context *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return err_nomem(e);
    ERR_clear_error();
    /* The configuration file of OpenSSL may load code and lower what we ask for. */
    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    c->ctx = SSL_CTX_new(TLS_client_method());
    if (c->ctx == NULL)
        err_nomem(e);
    if (c->ctx == NULL || fill_context(c->ctx, s, e) != 0) {
        SSL_CTX_free(c->ctx);
        free(c);
        ERR_clear_error();
        return -1;
    }
    c->key = *key;
    *key = BUF_INIT(CONTEXT_KEY_MAX);
    *out = c;
    return 0;
}

/* The context for these settings, found or made; *out is a reference of the caller's own. */
static int context_get(const struct tls_settings *s, SSL_CTX **out, struct err *e)
{
    struct buf key = BUF_INIT(CONTEXT_KEY_MAX);
    struct context *c = NULL;
    int rc = -1;

    if (put_key(&key, s, e) != 0)
        goto out;
    pthread_mutex_lock(&contexts.lock);
    for (c = contexts.first; c != NULL && !slice_eq(buf_slice(&c->key), buf_slice(&key)); c = c->next)
        continue;
    if (c == NULL && make_context(s, &key, &c, e) == 0) {
        c->next = contexts.first;
        contexts.first = c;
    }
    if (c != NULL) {
        SSL_CTX_up_ref(c->ctx);
        *out = c->ctx;
        rc = 0;
    }
    pthread_mutex_unlock(&contexts.lock);
out:
    buf_release(&key);
    return rc;
}

void tls_cleanup(void)
{
    pthread_mutex_lock(&contexts.lock);
    while (contexts.first != NULL) {
        struct context *c = contexts.first;

        contexts.first = c->next;
        SSL_CTX_free(c->ctx);
        buf_release(&c->key);
        free(c);
    }
    pthread_mutex_unlock(&contexts.lock);
}

const char *tls_library(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}

int tls_settings_check(const struct tls_settings *settings, struct err *e)
{
    SSL_CTX *ctx;

    for (size_t i = 0; i < settings->fingerprint_count; i++) {
        if (!tls_pin_valid(settings->fingerprints[i]))
            return err_set(e, E_CONFIG, "tls_fingerprint \"%s\" is neither sha256: nor spki-sha256: with 64 hex digits",
                           settings->fingerprints[i]);
    }
    if (settings->key_file != NULL && settings->cert_file == NULL)
        return err_set(e, E_CONFIG, "tls_key_file %s needs a tls_cert_file", settings->key_file);
    if (context_get(settings, &ctx, e) != 0)
        return -1;
    SSL_CTX_free(ctx);
    return 0;
}

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
                reason());
    else
        err_set(e, E_TLS, "TLS failed: %s", reason());
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

    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
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
    if (host_ascii(settings->host, t->host, e) != 0 || context_get(settings, &ctx, e) != 0)
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
    if (check_alpn(t, e) != 0) {
        t->broken = true;
        return LAYER_FAILED;
    }
    chain = SSL_get_peer_cert_chain(t->ssl);
    t->facts.chain_length = chain != NULL ? (unsigned)sk_X509_num(chain) : 0;
    t->facts.resumed = SSL_session_reused(t->ssl) == 1;
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
