/* SPDX-License-Identifier: MIT */
#include "net/tls_int.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/io.h"
#include "net/tls_dane.h"

enum {
    /* What OpenSSL reads at once: four whole records, their heads and tags. */
    READ_AHEAD = 4 * (16 * 1024 + 256 + 5),
    CONTEXT_KEY_MAX = 64 * 1024,
};

struct context {
    struct buf key;
    SSL_CTX *ctx;
    struct context *next;
};

static struct {
    pthread_mutex_t lock;
    struct context *first;
} contexts = { .lock = PTHREAD_MUTEX_INITIALIZER };

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

static int load_client_certificate(SSL_CTX *ctx, const struct tls_settings *s, struct err *e)
{
    if (check_readable("tls_cert_file", s->cert_file, e) != 0)
        return -1;
    if (!tls_key_is_uri(s->key_file) && check_readable("tls_key_file", s->key_file, e) != 0)
        return -1;
    return tls_key_load(ctx, s, e);
}

static int fill_context(SSL_CTX *ctx, const struct tls_settings *s, struct err *e)
{
    int oldest = s->min_version == TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;

    if (SSL_CTX_set_min_proto_version(ctx, oldest) != 1)
        return err_set(e, E_TLS, "TLS cannot be set up: %s", tls_reason());
    SSL_CTX_set_security_level(ctx, 2);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_clear_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ctx,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_default_read_buffer_len(ctx, READ_AHEAD);
    tls_session_prepare(ctx);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, tls_verify, NULL);
    if (tls_dane_prepare(ctx) != 0)
        return err_nomem(e);
    if (check_readable("tls_trust_file", s->trust_file, e) != 0)
        return -1;
    if (s->trust_file != NULL && SSL_CTX_load_verify_file(ctx, s->trust_file) != 1)
        return err_set(e, E_CONFIG, "tls_trust_file %s: no certificate can be read from it: %s", s->trust_file,
                       tls_reason());
    if (s->trust_file == NULL && s->fingerprint_count == 0 && trust_system(ctx) != 0)
        return err_set(e, E_TLS, "the certificates that this system trusts cannot be read: %s", tls_reason());
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

int tls_context_get(const struct tls_settings *s, SSL_CTX **out, struct err *e)
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
    tls_key_cleanup();
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
    if (tls_context_get(settings, &ctx, e) != 0)
        return -1;
    SSL_CTX_free(ctx);
    return 0;
}
