/* SPDX-License-Identifier: MIT
 * oauth2.h - OAuth 2.0 (RFC 6749): what is asked of a provider's token endpoint, one function a grant. HTTPS alone
 * (net/https.h).
 *
 *     authorization code    RFC 6749 section 4.1 with PKCE (RFC 7636, S256): oauth2_proof_new(); oauth2_authorize_url()
 *                           is for the person's browser; oauth2_redirected() reads what the browser brings back;
 *                           oauth2_exchange()
 *     device code           RFC 8628: oauth2_device_begin(); oauth2_device_poll() every `interval_s` seconds
 *     client credentials    RFC 6749 section 4.4: oauth2_client_credentials()
 *     refresh               section 6: oauth2_refresh(); the answer may bring a new refresh token, which replaces the
 *                           old one (RFC 9700 section 4.14)
 *
 * Errors: E_AUTH when the provider says no, with what it said and the next step in words; E_BUSY (5xx, 429,
 * temporarily_unavailable), E_PROTO for an answer that makes no sense, those of https.h. What a provider says is not
 * trusted: bounded, printable.
 *
 * Thread: any.
 */
#ifndef MAILHAUL_PROTO_OAUTH2_H
#define MAILHAUL_PROTO_OAUTH2_H

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"

/* Borrowed. */
struct oauth2_client {
    const char *account; /* for words: `mailhaul login ACCOUNT` */
    const char *id;
    const struct secret *secret; /* not set: a public client */
    const char *const *scopes;   /* NULL-terminated */
    const char *authorize_url, *token_url, *device_url;
    const char *login_hint; /* the user's address; NULL */
};

struct oauth2_tokens {
    struct secret access, refresh; /* refresh: not set when there came none */
    int64_t expires;               /* s since 1970; an hour from now when the provider did not say */
    int64_t refresh_expires;       /* 0: not told */
};
void oauth2_tokens_release(struct oauth2_tokens *t);

MUST_CHECK int oauth2_refresh(const struct oauth2_client *c, const struct secret *refresh, struct oauth2_tokens *out,
                              struct err *e);
MUST_CHECK int oauth2_client_credentials(const struct oauth2_client *c, struct oauth2_tokens *out, struct err *e);

/* --- authorization code --- */

enum { OAUTH2_PROOF_MAX = 44 };
struct oauth2_proof {
    char verifier[OAUTH2_PROOF_MAX]; /* secret until it is used */
    char challenge[OAUTH2_PROOF_MAX];
    char state[OAUTH2_PROOF_MAX];
};
MUST_CHECK int oauth2_proof_new(struct oauth2_proof *out, struct err *e);
MUST_CHECK int oauth2_authorize_url(const struct oauth2_client *c, const char *redirect_uri,
                                    const struct oauth2_proof *proof, struct buf *out, struct err *e);
/* `query` of the address that the browser was sent back to. False: it is not the answer to our question (another
 * state); *e else says how it ended. RFC 9207: an issuer that is told has to be that of the authorize_url. */
enum oauth2_answer { OAUTH2_NOT_OURS, OAUTH2_CODE, OAUTH2_DENIED };
enum oauth2_answer oauth2_redirected(const struct oauth2_client *c, const struct oauth2_proof *proof,
                                     struct slice query, struct secret *code_out, struct err *e);
MUST_CHECK int oauth2_exchange(const struct oauth2_client *c, const char *redirect_uri,
                               const struct oauth2_proof *proof, const struct secret *code, struct oauth2_tokens *out,
                               struct err *e);

/* --- device code --- */

struct oauth2_device {
    struct secret code;
    char user_code[64], address[512], address_complete[512]; /* printable; the last may be "" */
    int64_t expires;                                         /* monotonic ms */
    unsigned interval_s;
};
void oauth2_device_release(struct oauth2_device *d);
MUST_CHECK int oauth2_device_begin(const struct oauth2_client *c, struct oauth2_device *out, struct err *e);
/* *done_out false: not yet; d->interval_s may have grown. */
MUST_CHECK int oauth2_device_poll(const struct oauth2_client *c, struct oauth2_device *d, bool *done_out,
                                  struct oauth2_tokens *out, struct err *e);

/* --- words --- */

/* What a provider's error means and what to do about it; `description` is what it said about it (AADSTS codes of
 * Microsoft are looked up). Never NULL. */
const char *oauth2_advice(const char *error, const char *description);

#endif
