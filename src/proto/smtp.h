/* SPDX-License-Identifier: MIT
 * smtp.h - a straight-line SMTP client; LMTP is the same with LHLO and a reply for each recipient.
 *
 * RFC 5321; 2033 (LMTP); 1870 (SIZE); 2034, 3463 (enhanced codes); 2920 (PIPELINING); 3030 (CHUNKING); 3207 (STARTTLS);
 * 4954 (AUTH); 6152 (8BITMIME); 6409, 8314 (submission); 6531 (SMTPUTF8).
 *
 * Calling sequence:
 *     smtp_open()                       connect, greeting, EHLO (HELO), STARTTLS, AUTH
 *     smtp_envelope(s, m)               RSET when one is due, MAIL, RCPT..., and DATA when both PIPELINING is there and
 *                                       CHUNKING is not; sent, not waited for when the server offers PIPELINING
 *     smtp_envelope_done(s, m)          reads the replies: m->mail, each recipient's reply, m->go. m->go false: nobody
 *                                       takes it, no body goes out and this message is over
 *     smtp_body(s, m, body, ctx)        the message, up to the last byte before the final dot (or BDAT LAST's)
 *     smtp_last(s, m)                   the final dot: from here on the message may be delivered. Goes out with what
 *                                       follows: the next envelope, or smtp_body_done()
 *     [smtp_envelope(s, next)]          of the next message, when smtp_pipelines()
 *     smtp_body_done(s, m)              the reply, or one for each recipient that was accepted (LMTP): into
 *                                       recipient->reply
 *     smtp_close()                      QUIT and away
 *
 * Errors: the connection (E_NET, E_TIMEOUT, E_TLS, E_STOPPED), a reply that is none or was not asked for (E_PROTO), 421
 * at any time (E_BUSY). smtp_open() also: a greeting or EHLO with 4xx is E_BUSY, with 5xx E_REJECTED; AUTH refused is
 * E_AUTH with 5xx, E_BUSY with 4xx; no way to log in E_LACKS; a STARTTLS that is missing, refused, or has bytes behind
 * its reply E_TLS. A reply out of step (503 to MAIL, RCPT or DATA, too) is E_PROTO with RETRY_RECONNECT. After an error
 * only smtp_close(). A refusal of MAIL, RCPT, DATA or the message is no error: it is in the message's replies. Whether
 * an error came after smtp_last() is for the caller to remember: only then is it in doubt, and only for the recipients
 * that have no reply (a 421 in place of the final reply is a reply, and E_BUSY).
 * A refusal in mid-body ends the body: smtp_body() and smtp_last() send no more and return 0, smtp_body_done() tells
 * the reply, and smtp_pipelines() and smtp_alive() are false from then on: close, and go on in a new session.
 * A body that is not as long as `octets` is E_MESSAGE (BDAT), and the server has not got all of it.
 * Nothing but 2xx after the final dot delivers; 354 there is E_PROTO. Times: 10 x timeout behind the final dot, and
 * stream_patient() from smtp_last() on, so that a signal leaves no message in doubt whose answer comes within seconds
 * (net/stream.h).
 * Every line that goes out is made of checked parts (wire/address.h): no CR or LF gets into a command.
 * Thread: one at a time.
 */
#ifndef MAILHAUL_PROTO_SMTP_H
#define MAILHAUL_PROTO_SMTP_H

#include "proto/server.h"
#include "wire/smtp_parse.h"

struct smtp;

enum { SMTP_WORDS_MAX = 256 };

struct smtp_reply {
    unsigned code;              /* 0: none was read */
    char words[SMTP_WORDS_MAX]; /* "550 5.1.1 no such user": of all lines, as many as fit, printable, NUL-terminated */
};
#define SMTP_REPLY_NONE ((struct smtp_reply){ 0 })

struct smtp_recipient {
    struct slice address;    /* checked: wire/address.h; borrowed */
    struct smtp_reply reply; /* of RCPT when it was refused, else of the message */
    bool accepted;           /* RCPT got 2xx */
};

struct smtp_message {
    struct slice sender;               /* checked; n == 0: the null sender; borrowed */
    struct smtp_recipient *recipients; /* borrowed; at least one */
    size_t recipient_count;
    uint64_t octets; /* CRLF_SMTP form, without dots stuffed: for SIZE and BDAT; exact */
    bool eight_bit;  /* BODY=8BITMIME where offered */
    bool utf8;       /* SMTPUTF8 where offered      */
    /* Filled in. */
    struct smtp_reply mail; /* of MAIL; of DATA when that was refused */
    bool go;                /* at least one recipient is accepted, and the body is wanted */
};

/* Gives the next piece of the message in CRLF_SMTP or CRLF_DATA form (`dots`) into `out`; 0 in *n_out: that was all.
 * Its last line is whole. */
typedef int smtp_body_fn(void *ctx, bool dots, char *out, size_t size, size_t *n_out, struct err *e);

struct smtp_options {
    const struct server *server; /* borrowed; user NULL: no AUTH */
    bool lmtp;
    const char *hello; /* for EHLO; NULL: this machine's name if it has a dot, else "[address]" of our end (RFC 5321
                          section 4.1.4), or "localhost" */
};

MUST_CHECK int smtp_open(const struct smtp_options *options, struct smtp **out, struct err *e);
void smtp_close(struct smtp **s); /* NULL is fine */
/* Without those that are disabled. */
const struct smtp_caps *smtp_caps(const struct smtp *s);
bool smtp_pipelines(const struct smtp *s);
/* Milliseconds from EHLO to its reply: what a round trip costs. */
int64_t smtp_round_trip_ms(const struct smtp *s);
/* NULL without TLS. */
const struct tls_facts *smtp_tls(const struct smtp *s);
/* For net/tls_tell.h alone; NULL: the connection is gone. */
const struct stream *smtp_stream(const struct smtp *s);
/* Is it still there? False when the server has said goodbye or the connection is gone (looked at without waiting). */
bool smtp_alive(struct smtp *s);

MUST_CHECK int smtp_envelope(struct smtp *s, struct smtp_message *m, struct err *e);
MUST_CHECK int smtp_envelope_done(struct smtp *s, struct smtp_message *m, struct err *e);
MUST_CHECK int smtp_body(struct smtp *s, struct smtp_message *m, smtp_body_fn *body, void *ctx, struct err *e);
MUST_CHECK int smtp_last(struct smtp *s, struct smtp_message *m, struct err *e);
MUST_CHECK int smtp_body_done(struct smtp *s, struct smtp_message *m, struct err *e);
/* For `check --connect`: MAIL and RCPT, then RSET; m's replies are filled in, nothing is sent to anybody. */
MUST_CHECK int smtp_probe(struct smtp *s, struct smtp_message *m, struct err *e);

#endif
