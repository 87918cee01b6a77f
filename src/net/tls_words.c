/* SPDX-License-Identifier: MIT */
#include "net/tls_int.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/log.h"
#include "net/tls_pin.h"

/* Names of a certificate that an error text shows. */
enum { NAMES_SHOWN = 3 };

int64_t tls_seconds(const ASN1_TIME *t)
{
    struct tm tm;

    return t != NULL && ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

void tls_put_date(char out[TLS_DATE_MAX], int64_t when)
{
    time_t t = (time_t)when;
    struct tm tm;

    if (gmtime_r(&t, &tm) == NULL || strftime(out, TLS_DATE_MAX, "%Y-%m-%d", &tm) == 0)
        out[0] = '\0';
}

void tls_put_name(char *out, size_t size, const X509_NAME *name)
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

void tls_take_facts(struct tls_facts *f, const X509 *cert)
{
    unsigned char digest[DIGEST_SIZE];

    tls_put_name(f->subject, sizeof(f->subject), X509_get_subject_name(cert));
    tls_put_name(f->issuer, sizeof(f->issuer), X509_get_issuer_name(cert));
    f->not_before = tls_seconds(X509_get0_notBefore(cert));
    f->not_after = tls_seconds(X509_get0_notAfter(cert));
    if (X509_digest(cert, EVP_sha256(), digest, NULL) == 1)
        tls_pin_write(digest, f->fingerprint, sizeof(f->fingerprint));
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

void tls_put_hosts(char *out, size_t size, const X509 *cert)
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

const char *tls_reason(void)
{
    const char *words = ERR_reason_error_string(ERR_peek_last_error());

    return words != NULL ? words : "unknown reason";
}
