/* SPDX-License-Identifier: MIT */
#include "net/tls_int.h"

#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>

/* Instead of asking on the terminal. */
static int no_password(char *buf, int size, int writing, void *unused)
{
    (void)buf, (void)size, (void)writing, (void)unused;
    return -1;
}

bool tls_key_is_uri(const char *key)
{
    return key != NULL && slice_istarts(slice_str(key), SLICE("pkcs11:"));
}

/* Guarded by the lock of the contexts, as all that makes them. */
static OSSL_PROVIDER *pkcs11;

/* Beside OpenSSL's own, which it would not take for granted otherwise. */
static bool has_pkcs11(void)
{
    if (pkcs11 == NULL)
        pkcs11 = OSSL_PROVIDER_try_load(NULL, "pkcs11", 1);
    return pkcs11 != NULL;
}

void tls_key_cleanup(void)
{
    if (pkcs11 != NULL)
        OSSL_PROVIDER_unload(pkcs11);
    pkcs11 = NULL;
}

static EVP_PKEY *fetch_key(const char *uri)
{
    UI_METHOD *nobody = UI_UTIL_wrap_read_pem_callback(no_password, 0);
    OSSL_STORE_CTX *store = nobody != NULL ? OSSL_STORE_open(uri, nobody, NULL, NULL, NULL) : NULL;
    EVP_PKEY *key = NULL;

    if (store != NULL && OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY) == 1) {
        while (key == NULL && OSSL_STORE_eof(store) == 0) {
            OSSL_STORE_INFO *info = OSSL_STORE_load(store);

            if (info != NULL && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
                key = OSSL_STORE_INFO_get1_PKEY(info);
            OSSL_STORE_INFO_free(info);
        }
    }
    OSSL_STORE_close(store);
    UI_destroy_method(nobody);
    return key;
}

/* A URI may hold a PIN (pin-value): it is not repeated. */
static int use_uri(SSL_CTX *ctx, const char *uri, struct err *e)
{
    EVP_PKEY *key;
    int rc;

    if (!has_pkcs11())
        return err_set(e, E_CONFIG,
                       "tls_key_file is a pkcs11: URI, but this OpenSSL has no provider for that: it is called "
                       "pkcs11-provider (with a file, no provider is needed)");
    key = fetch_key(uri);
    rc = key != NULL && SSL_CTX_use_PrivateKey(ctx, key) == 1 ? 0 : -1;
    EVP_PKEY_free(key);
    if (rc == 0)
        return 0;
    return err_set(e, E_CONFIG, "tls_key_file: no key that belongs to the certificate is found by the pkcs11: URI: %s",
                   tls_reason());
}

int tls_key_load(SSL_CTX *ctx, const struct tls_settings *s, struct err *e)
{
    const char *key = s->key_file != NULL ? s->key_file : s->cert_file;

    SSL_CTX_set_default_passwd_cb(ctx, no_password);
    if (SSL_CTX_use_certificate_chain_file(ctx, s->cert_file) != 1)
        return err_set(e, E_CONFIG, "tls_cert_file %s: no certificate can be read from it: %s", s->cert_file,
                       tls_reason());
    if (tls_key_is_uri(s->key_file))
        return use_uri(ctx, s->key_file, e);
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1)
        return 0;
    return err_set(e, E_CONFIG, "%s %s: no key that belongs to the certificate can be read from it: %s",
                   s->key_file != NULL ? "tls_key_file" : "tls_cert_file", key, tls_reason());
}
