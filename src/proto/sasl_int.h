/* SPDX-License-Identifier: MIT
 * sasl_int.h - one mechanism at work: bytes of the server in, bytes for it out. sasl.c leads the talk,
 * sasl_library.c has the mechanisms of GNU SASL, sasl_bearer.c those of OAuth 2.0.
 */
#ifndef MAILHAUL_PROTO_SASL_INT_H
#define MAILHAUL_PROTO_SASL_INT_H

#include "proto/sasl.h"

enum {
    /* A challenge or an answer: a Kerberos ticket or a token is the longest. */
    SASL_STEP_MAX = 64 * 1024,
};

enum sasl_step { SASL_FAILED = -1, SASL_GOES_ON, SASL_MAY_END, SASL_DONE };

struct sasl_work {
    const struct server *server;
    const struct sasl_offer *offer;
    uint32_t mechanism;
    bool renew;     /* bearer: the token was refused */
    void *library;  /* owned by sasl_library.c */
    struct err err; /* met inside of the library */
    char words[SASL_WORDS_MAX];
};

/* `in` is what the challenge says (NULL at first, when the client speaks first); `out` gets the answer, which is
 * secret. DONE: nothing more is due from us but this answer; MAY_END: unless the server wants more. FAILED: *e. */
MUST_CHECK int sasl_library_begin(struct sasl_work *w, struct err *e);
enum sasl_step sasl_library_step(struct sasl_work *w, const struct slice *in, struct buf *out, struct err *e);
void sasl_library_end(struct sasl_work *w);

enum sasl_step sasl_bearer_step(struct sasl_work *w, const struct slice *in, struct buf *out, struct err *e);

#endif
