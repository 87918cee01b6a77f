/* SPDX-License-Identifier: MIT
 * https.h - one HTTPS exchange, for tokens and policies. libcurl is used here alone, and loaded at the first.
 *
 * https:// and nothing else, TLS 1.2 or later, certificate and name verified against the system's certificates
 * (SSL_CERT_FILE and SSL_CERT_DIR of the environment are honoured), no redirects, proxies as the environment says to
 * every program (https_proxy, no_proxy), HTTPS_TIMEOUT_S in all. The wish to stop ends it within a second.
 *
 * Errors in words, with the address: E_TLS, E_NET, E_TIMEOUT, E_STOPPED, E_NOMEM; E_CONFIG when libcurl is not there;
 * E_PROTO for an answer that is none or too long. Any HTTP status is an answer. Thread: any.
 */
#ifndef MAILHAUL_NET_HTTPS_H
#define MAILHAUL_NET_HTTPS_H

#include "base/buf.h"
#include "base/err.h"

enum { HTTPS_TIMEOUT_S = 30, HTTPS_TYPE_MAX = 128 };

struct https_response {
    unsigned status;
    char type[HTTPS_TYPE_MAX]; /* Content-Type; "" for none */
    struct buf body;
};

/* GET. `max`: octets of the body. To be released in either case. */
MUST_CHECK int https_get(const char *url, size_t max, struct https_response *out, struct err *e);
/* POST of a form (wire/form.h), which may hold secrets, as may the answer: the body is overwritten when it is released.
 * JSON is asked for. */
MUST_CHECK int https_post(const char *url, struct slice form, size_t max, struct https_response *out, struct err *e);
void https_release(struct https_response *r);

#endif
