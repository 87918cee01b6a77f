/* SPDX-License-Identifier: MIT
 * certificates.h - keys and certificates made in memory, good and bad, for the servers of test_tls.c.
 */
#ifndef MAILHAUL_UNIT_NET_CERTIFICATES_H
#define MAILHAUL_UNIT_NET_CERTIFICATES_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "../unit.h"

struct identity {
    X509 *cert;
    EVP_PKEY *key;
};

struct identity_wish {
    const char *common_name;
    const char *names; /* subjectAltName; NULL: none */
    const char *usage; /* extendedKeyUsage; NULL: none */
    int from_days, to_days;
    bool ca;
    bool rsa1024;        /* too weak for security level 2 */
    const char *feature; /* of TLS (RFC 7633); NULL: none */
};

static inline void identity_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *x;

    if (value == NULL)
        return;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    x = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(x);
    X509_add_ext(cert, x, -1);
    X509_EXTENSION_free(x);
}

/* Signed by `issuer`, by itself if that is NULL. */
static inline struct identity identity_make(const struct identity *issuer, struct identity_wish wish)
{
    static long serial = 1000;
    struct identity id = { .cert = X509_new(), .key = wish.rsa1024 ? EVP_RSA_gen(1024) : EVP_EC_gen("P-256") };
    const struct identity *by = issuer != NULL ? issuer : &id;
    X509_NAME *name;

    assert_non_null(id.cert);
    assert_non_null(id.key);
    X509_set_version(id.cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(id.cert), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(id.cert), 86400L * wish.from_days);
    X509_gmtime_adj(X509_getm_notAfter(id.cert), 86400L * wish.to_days);
    name = X509_get_subject_name(id.cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)wish.common_name, -1, -1, 0);
    X509_set_issuer_name(id.cert, X509_get_subject_name(by->cert));
    X509_set_pubkey(id.cert, id.key);
    identity_extension(id.cert, by->cert, NID_basic_constraints, wish.ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    identity_extension(id.cert, by->cert, NID_key_usage, wish.ca ? "keyCertSign,cRLSign" : "digitalSignature");
    identity_extension(id.cert, by->cert, NID_ext_key_usage, wish.usage);
    identity_extension(id.cert, by->cert, NID_subject_alt_name, wish.names);
    identity_extension(id.cert, by->cert, NID_tlsfeature, wish.feature);
    assert_true(X509_sign(id.cert, by->key, EVP_sha256()) > 0);
    return id;
}

static inline void identity_release(struct identity *id)
{
    X509_free(id->cert);
    EVP_PKEY_free(id->key);
}

static inline void identity_write(const struct identity *id, const char *cert_path, const char *key_path)
{
    FILE *f = fopen(cert_path, "w");

    assert_non_null(f);
    assert_int_equal(PEM_write_X509(f, id->cert), 1);
    fclose(f);
    if (key_path == NULL)
        return;
    f = fopen(key_path, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_PrivateKey(f, id->key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(f);
}

/* "sha256:..." of the certificate or "spki-sha256:..." of its key. */
static inline void identity_pin(const struct identity *id, bool of_key, char *out, size_t size)
{
    unsigned char digest[32], *der = NULL;
    int n = of_key ? i2d_PUBKEY(id->key, &der) : i2d_X509(id->cert, &der);
    size_t at = (size_t)snprintf(out, size, of_key ? "spki-sha256:" : "sha256:");

    assert_true(n > 0);
    EVP_Digest(der, (size_t)n, digest, NULL, EVP_sha256(), NULL);
    OPENSSL_free(der);
    for (size_t i = 0; i < sizeof(digest); i++)
        at += (size_t)snprintf(out + at, size - at, "%02x", digest[i]);
}

#endif
