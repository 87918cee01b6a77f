/* SPDX-License-Identifier: MIT
 * tls_dane.h - the certificate judged by the TLSA records of tls_settings (RFC 6698, 7671; for SMTP 7672).
 *
 * DANE-EE(3) matches the server's own certificate or key: names and dates do not count then. DANE-TA(2) matches an
 * issuer that the server sends along: dates count, and one of `host` and tlsa_also. The certificates that are trusted
 * here count for neither.
 */
#ifndef MAILHAUL_NET_TLS_DANE_H
#define MAILHAUL_NET_TLS_DANE_H

#include "net/tls.h"

struct ssl_ctx_st;
struct ssl_st;

/* Of every context: makes it able to. -1: no memory. */
MUST_CHECK int tls_dane_prepare(struct ssl_ctx_st *ctx);
/* Behind the other settings of the connection; without records nothing happens. E_TLS when none of them can be used:
 * the certificate would be judged without them. */
MUST_CHECK int tls_dane_set(struct ssl_st *ssl, const char *host, const struct tls_settings *settings, struct err *e);

#endif
