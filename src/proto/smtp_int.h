/* SPDX-License-Identifier: MIT
 * smtp_int.h - what the three files of the SMTP client share.
 */
#ifndef MAILHAUL_PROTO_SMTP_INT_H
#define MAILHAUL_PROTO_SMTP_INT_H

#include "proto/smtp.h"

enum {
    SMTP_HELLO_MAX = 256,
    /* CONTRACT section 2: the silence allowed behind the final dot. */
    SMTP_FINAL_FACTOR = 10,
};

struct smtp {
    const struct server *server;
    struct stream *stream;
    const char *host; /* for error texts */
    bool lmtp;
    char hello[SMTP_HELLO_MAX];
    struct smtp_caps caps;
    struct buf *challenge; /* borrowed, in AUTH: takes the text of a 334 */
    int64_t round_trip_ms;
    bool broken; /* nothing is said any more, not even QUIT                                           */
    bool spent;  /* a message was refused before it was whole, and the rest of it was never sent      */

    /* The envelope that is on its way: of the commands RSET, MAIL, RCPT..., DATA (smtp_mail.c) the first `sent` went
     * out, the first `answered` have their reply. */
    struct smtp_message *envelope; /* NULL: none */
    bool with_rset, with_data, go_ahead /* 354 */;
    size_t sent, answered;
    size_t in_flight; /* bytes of commands since everything was answered */
    bool rset_due;    /* the server may still hold an envelope that came to nothing */

    /* The message whose body is on its way. */
    struct smtp_message *body; /* NULL: none */
    bool ended;                /* smtp_last() was called for it */
    uint64_t left;             /* BDAT: octets that smtp_body() has yet to send */
    char held;                 /* BDAT: the last octet of all */
};

/* Marks the session as one in which nothing is said any more; returns -1. */
int smtp_broken(struct smtp *s);
/* A reply of one or more lines, in an exchange of its own; `final`: the one that tells what became of a message.
 * `caps` is filled from all lines but the first; NULL: they are words. 421 is E_BUSY, with *out filled in. */
MUST_CHECK int smtp_read(struct smtp *s, bool final, struct smtp_caps *caps, struct smtp_reply *out, struct err *e);
/* Sends what was put and reads the reply. Bytes that were there before are an error (smtp_unasked()). */
MUST_CHECK int smtp_ask(struct smtp *s, struct smtp_caps *caps, struct smtp_reply *out, struct err *e);
/* E_PROTO when the server has said something that nothing asked for; E_BUSY when that was 421. */
MUST_CHECK int smtp_unasked(struct smtp *s, struct err *e);
/* E_PROTO, to be tried again in a new session, for a reply that does not fit what was asked. Returns -1. */
int smtp_out_of_step(struct smtp *s, const struct smtp_reply *reply, struct err *e);
/* The first digit of its code. */
unsigned smtp_class(const struct smtp_reply *reply);

/* smtp_login.c: from the greeting to AUTH, on a stream that is connected. */
MUST_CHECK int smtp_enter(struct smtp *s, const char *hello, struct err *e);

#endif
