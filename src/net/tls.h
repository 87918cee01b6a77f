/* SPDX-License-Identifier: MIT
 * tls.h - what is asked of a TLS connection, and what is known about one. The layer itself is pushed with
 * stream_push_tls().
 *
 * TLS 1.2 or later (1.3 preferred), security level 2, no renegotiation, no compression. The peer's certificate chain,
 * purpose, dates and name are verified always (RFC 9525: subjectAltName only, wildcards as the whole left-most label
 * only, an IP address needs an IP name; an internationalised host is compared as A-labels). SNI and ALPN (RFC 7301) are
 * sent; an ALPN answer other than ours ends the handshake.
 *
 * A stapled OCSP answer is asked for (RFC 6066 section 8). One that is there must be good; a certificate that says
 * must-staple (RFC 7633) must have one.
 *
 * `fingerprints`: each "sha256:HEX" (of the certificate, DER) or "spki-sha256:HEX" (of its public key), with or without
 * colons between the bytes, any case. When the list is not empty, the peer's leaf certificate must match one; then
 * neither chain, nor name, nor dates matter (the pin is the trust).
 *
 * System trust: SSL_CERT_FILE and SSL_CERT_DIR of the environment are honoured, as by everything that uses OpenSSL.
 * After the files named in settings have changed, tls_cleanup() makes the next connection read them again.
 *
 * A session is resumed only out of `tickets`, which belong to one login: shared ones would tie accounts together for
 * whoever watches. That goes on for at most a day behind a full handshake, and only where the certificate that was
 * judged then still matches the pins, or has the name and the dates. Early data is never sent.
 *
 * Errors are E_TLS, in words, with the certificate's subject names, issuer, dates and fingerprint where that helps, and
 * the line to write into the configuration to pin it: tls_fingerprint = { "sha256:..." }.
 *
 * One SSL_CTX for each distinct setting in the process, shared by all threads (tls_settings with equal values find it;
 * the hashed directory of system certificates is used before the bundle, because loading the bundle costs 20 ms).
 * OpenSSL never reads its own configuration file's engine section here.
 */
#ifndef MAILHAUL_NET_TLS_H
#define MAILHAUL_NET_TLS_H

#include "base/buf.h"
#include "base/err.h"

enum tls_version { TLS_1_2, TLS_1_3 };

/* Where sessions are kept from one connection, and one run, to the next (RFC 8446 section 2.2). `key` is text without
 * blanks that stands for the peer and for everything its certificate was judged by: a session is only good for the same
 * key. A session that was taken is not given out again. Called in the thread of the connection, as long as it lives. */
struct tls_tickets {
    bool (*take)(void *ctx, const char *key, struct buf *out); /* false: none; the bytes are secret */
    void (*keep)(void *ctx, const char *key, struct slice session);
};
/* Of what is kept, the most. */
enum { TLS_SESSION_MAX = 16 * 1024 };

/* RFC 6698: what the DNS, signed, says of the peer's certificate or key. */
struct tls_tlsa {
    uint8_t usage, selector, matching;
    struct slice data;
};

/* For SCRAM-*-PLUS: tls-exporter (RFC 9266) with TLS 1.3, tls-unique (RFC 5929) with 1.2 and extended master secret. */
enum tls_binding_type { TLS_BINDING_NONE, TLS_BINDING_EXPORTER, TLS_BINDING_UNIQUE };
struct tls_binding {
    enum tls_binding_type type;
    unsigned char data[64];
    size_t n;
};

struct tls_settings {
    const char *host;                /* the name to verify, and SNI unless it is an address */
    uint16_t port;                   /* tells the sessions of a host's services apart       */
    const char *alpn;                /* "imap", "pop3"; NULL: none                          */
    const char *trust_file;          /* PEM; NULL: the system's                             */
    const char *const *fingerprints; /* pins                                                */
    size_t fingerprint_count;
    const char *cert_file; /* client certificate chain, PEM; NULL: none           */
    const char *key_file;  /* PEM, or a "pkcs11:" URI (RFC 7512); NULL: in cert_file */
    enum tls_version min_version;
    const struct tls_tickets *tickets; /* NULL: every handshake is a full one         */
    void *tickets_ctx;                 /* theirs; outlives the connection             */
    /* When there are any, the certificate is judged by them alone (DANE-EE) or by them and the name (DANE-TA), RFC 7672
     * section 3.1; a trust file does not count. */
    const struct tls_tlsa *tlsa;
    size_t tlsa_count;
    const char *tlsa_also; /* another name that the certificate may be for then (RFC 7672 section 3.2.2); NULL: none */
};

struct tls_facts {
    char protocol[16]; /* "TLSv1.3"                                    */
    char cipher[64];
    char subject[256]; /* printable                                     */
    char issuer[256];
    char fingerprint[104]; /* "sha256:..."                                  */
    int64_t not_before;    /* of the leaf, seconds since 1970               */
    int64_t not_after;
    unsigned chain_length;
    bool pinned;
    bool resumed;
    bool stapled; /* the issuer says, signed, that it is not revoked (OCSP) */
};

/* Checks what can be checked without a connection: files can be read and hold what they should, key and certificate
 * belong together, pins are well-formed. Makes the context. E_CONFIG with the value in the text. */
MUST_CHECK int tls_settings_check(const struct tls_settings *settings, struct err *e);
/* True when `value` is a well-formed pin. */
bool tls_pin_valid(const char *value);
/* Frees what the process keeps (contexts). At the end of main, for the leak checkers. */
void tls_cleanup(void);
/* "OpenSSL 3.0.19 ..." of the library in use. */
const char *tls_library(void);

#endif
