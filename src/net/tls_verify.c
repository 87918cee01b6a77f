/* SPDX-License-Identifier: MIT */
#include "net/tls_int.h"

#include <stdio.h>

#include <openssl/x509v3.h>

#include "net/tls_pin.h"

bool tls_is_pinned(const struct tls_settings *settings, X509 *cert)
{
    unsigned char of_cert[DIGEST_SIZE], of_key[DIGEST_SIZE], *der = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    bool ok = n > 0 && X509_digest(cert, EVP_sha256(), of_cert, NULL) == 1 &&
              EVP_Digest(der, (size_t)n, of_key, NULL, EVP_sha256(), NULL) == 1;

    OPENSSL_free(der);
    return ok && tls_pin_match(settings, of_cert, of_key);
}

/* What is wrong, without the host in front and the particulars behind. */
static void put_fault(char *out, size_t size, int error, int depth, const X509 *leaf, const struct tls_facts *f)
{
    char hosts[320], from[TLS_DATE_MAX], to[TLS_DATE_MAX];

    tls_put_date(from, f->not_before);
    tls_put_date(to, f->not_after);
    switch (error) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        tls_put_hosts(hosts, sizeof(hosts), leaf);
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
    char fault[512], until[TLS_DATE_MAX];

    if (t->settings->fingerprint_count > 0)
        snprintf(fault, sizeof(fault), "the certificate is not the one that tls_fingerprint asks for");
    else if (error == X509_V_ERR_DANE_NO_MATCH)
        snprintf(fault, sizeof(fault), "the certificate is none that the TLSA records in the DNS allow (DANE)");
    else
        put_fault(fault, sizeof(fault), error, X509_STORE_CTX_get_error_depth(store), leaf, &t->facts);
    tls_put_date(until, t->facts.not_after);
    err_set(&t->verdict, E_TLS,
            "%.300s (issued by %.100s, valid until %s); to trust exactly this certificate write "
            "tls_fingerprint = { \"%s\" }",
            fault, t->facts.issuer, until, t->facts.fingerprint);
}

int tls_verify(X509_STORE_CTX *store, void *unused)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_layer *t = SSL_get_app_data(ssl);
    X509 *leaf = X509_STORE_CTX_get0_cert(store);
    bool good;

    (void)unused;
    tls_take_facts(&t->facts, leaf);
    if (t->settings->fingerprint_count > 0) {
        good = t->facts.pinned = tls_is_pinned(t->settings, leaf);
        X509_STORE_CTX_set_error(store, good ? X509_V_OK : X509_V_ERR_CERT_UNTRUSTED);
    } else {
        good = X509_verify_cert(store) == 1;
    }
    if (!good)
        judge(t, store, leaf);
    return good;
}
