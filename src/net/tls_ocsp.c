/* SPDX-License-Identifier: MIT */
#include "net/tls_int.h"

#include <stdio.h>

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

/* How far the clocks of the two sides may differ, s. */
enum { SKEW = 300, STATUS_REQUEST = 5 };

/* RFC 7633: the certificate says that its server always staples. */
static bool must_staple(const X509 *leaf)
{
    TLS_FEATURE *features = X509_get_ext_d2i(leaf, NID_tlsfeature, NULL, NULL);
    bool must = false;

    for (int i = 0; features != NULL && i < sk_ASN1_INTEGER_num(features) && !must; i++)
        must = ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == STATUS_REQUEST;
    TLS_FEATURE_free(features);
    return must;
}

/* The part of the answer that is about this certificate: each names it by digests of its own choice. */
static OCSP_SINGLERESP *find(OCSP_BASICRESP *answer, const X509 *leaf, const X509 *issuer)
{
    for (int i = 0; i < OCSP_resp_count(answer); i++) {
        OCSP_SINGLERESP *one = OCSP_resp_get0(answer, i);
        const OCSP_CERTID *named = OCSP_SINGLERESP_get0_id(one);
        ASN1_OBJECT *digest = NULL;
        const EVP_MD *md;
        OCSP_CERTID *ours;
        bool same;

        OCSP_id_get0_info(NULL, &digest, NULL, NULL, (OCSP_CERTID *)(uintptr_t)named);
        md = digest != NULL ? EVP_get_digestbyobj(digest) : NULL;
        ours = md != NULL ? OCSP_cert_to_id(md, leaf, issuer) : NULL;
        same = ours != NULL && OCSP_id_cmp(ours, named) == 0;
        OCSP_CERTID_free(ours);
        if (same)
            return one;
    }
    return NULL;
}

static int judge_one(OCSP_SINGLERESP *one, const char *host, struct err *e)
{
    ASN1_GENERALIZEDTIME *revoked = NULL, *from = NULL, *to = NULL;
    char date[TLS_DATE_MAX];
    int why = -1, status = OCSP_single_get0_status(one, &why, &revoked, &from, &to);

    if (status == V_OCSP_CERTSTATUS_REVOKED) {
        tls_put_date(date, tls_seconds(revoked));
        return err_set(e, E_TLS, "%s: the certificate was revoked by its issuer on %s%s%s%s", host, date,
                       why >= 0 ? " (" : "", why >= 0 ? OCSP_crl_reason_str(why) : "", why >= 0 ? ")" : "");
    }
    if (status != V_OCSP_CERTSTATUS_GOOD)
        return err_set(e, E_TLS, "%s: the issuer of the certificate does not know it (OCSP)", host);
    if (OCSP_check_validity(from, to, SKEW, -1) == 1)
        return 0;
    tls_put_date(date, tls_seconds(to != NULL ? to : from));
    return err_set(e, E_TLS,
                   "%s: what the server shows of its issuer, that the certificate is not revoked (OCSP), is not valid "
                   "now: it is of %s (is the clock of this machine right?)",
                   host, date);
}

static int judge_answer(struct tls_layer *t, OCSP_BASICRESP *answer, X509 *leaf, struct err *e)
{
    STACK_OF(X509) *chain = SSL_get0_verified_chain(t->ssl);
    X509_STORE *trusted = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(t->ssl));
    X509 *issuer = sk_X509_num(chain) > 1 ? sk_X509_value(chain, 1) : leaf;
    OCSP_SINGLERESP *one;

    if (OCSP_basic_verify(answer, chain, trusted, 0) != 1)
        return err_set(e, E_TLS,
                       "%s: what the server shows, that its certificate is not revoked (OCSP), is not signed by the "
                       "issuer: %s",
                       t->host, tls_reason());
    one = find(answer, leaf, issuer);
    if (one == NULL)
        return err_set(e, E_TLS,
                       "%s: what the server shows, that its certificate is not revoked (OCSP), is about another one",
                       t->host);
    return judge_one(one, t->host, e);
}

void tls_ocsp_ask(SSL *ssl)
{
    (void)SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
}

int tls_ocsp_check(struct tls_layer *t, struct err *e)
{
    X509 *leaf = SSL_get0_peer_certificate(t->ssl);
    OCSP_RESPONSE *response = NULL;
    OCSP_BASICRESP *answer = NULL;
    const unsigned char *p = NULL;
    long n;
    int rc = -1;

    if (leaf == NULL || SSL_get0_verified_chain(t->ssl) == NULL || t->settings->fingerprint_count > 0 ||
        t->settings->tlsa_count > 0 || SSL_session_reused(t->ssl) == 1)
        return 0;
    ERR_clear_error();
    n = SSL_get_tlsext_status_ocsp_resp(t->ssl, &p);
    if (n > 0 && p != NULL) {
        response = d2i_OCSP_RESPONSE(NULL, &p, n);
        if (response == NULL) {
            err_set(e, E_TLS, "%s: what the server shows of OCSP for its certificate is no such answer", t->host);
            goto out;
        }
        /* "Try later" and its like are said, unsigned, of the question and not of the certificate. */
        if (OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL) {
            answer = OCSP_response_get1_basic(response);
            if (answer == NULL)
                err_set(e, E_TLS, "%s: what the server shows of OCSP for its certificate is no such answer", t->host);
            else
                rc = judge_answer(t, answer, leaf, e);
            t->facts.stapled = rc == 0;
            goto out;
        }
    }
    rc = 0;
    if (must_staple(leaf))
        rc = err_set(e, E_TLS,
                     "%s: the certificate says that its server always shows that it is not revoked (OCSP must-staple), "
                     "and this one does not",
                     t->host);
out:
    OCSP_BASICRESP_free(answer);
    OCSP_RESPONSE_free(response);
    /* Else it lives as long as the connection, which may wait for days. */
    SSL_set_tlsext_status_ocsp_resp(t->ssl, NULL, 0);
    ERR_clear_error();
    return rc;
}
