/* SPDX-License-Identifier: MIT
 * imap_int.h - the inside of the IMAP client: imap.c (commands and responses), imap_login.c (from a host name to a
 * session) and imap_wait.c (waiting for news).
 */
#ifndef MAILHAUL_PROTO_IMAP_INT_H
#define MAILHAUL_PROTO_IMAP_INT_H

#include "proto/imap.h"
#include "proto/imap_wait.h"
#include "wire/imap_reader.h"

enum { IMAP_IN_FLIGHT = 32 };

struct imap_sent {
    uint32_t tag;             /* 0: free */
    bool storing;             /* it carries a message: its answer may take its time */
    struct imap_done *result; /* owned; NULL: not answered yet */
};

struct imap {
    const struct server *server; /* borrowed */
    const char *host;            /* for words   */
    struct stream *stream;
    struct imap_reader reader;
    struct imap_caps caps;
    uint64_t disabled;
    uint32_t next_tag;
    struct imap_sent sent[IMAP_IN_FLIGHT];
    uint32_t uidvalidity; /* of the folder that is open; 0: not told yet */
    bool caps_fresh;      /* told since the last change of state */
    bool logged_in, utf8, uidonly;
    bool broken;         /* no LOGOUT any more */
    bool at_end;         /* nothing is waited for any more: only what has arrived is read */
    bool no_wait;        /* the same, and there is a later; see imap_read() */
    unsigned fills_left; /* no_wait: so often more may be taken in */
    enum imap_idle_state idle;
    uint32_t idle_tag; /* of the IDLE; 0: none */
    uint64_t answers;  /* tagged responses so far */
    unsigned patience;
    uint64_t literal_left; /* octets that were announced and are not sent */
    uint32_t untagged;     /* responses since the last tagged one */
    unsigned alerts;
    bool continued;       /* a continuation was read and not used */
    struct buf challenge; /* what it said */
    struct err put_error; /* of building a command */
};

struct imap *imap_new(const struct server *server);
/* Reads one response; `handler` gets bodies. *r is valid until the next read. 1, with `no_wait` only: no whole one has
 * arrived; what has is kept. */
MUST_CHECK int imap_read(struct imap *im, const struct imap_handler *handler, struct imap_response *r, struct err *e);
/* Reads one response and acts on it. As imap_read(). */
MUST_CHECK int imap_read_one(struct imap *im, const struct imap_handler *handler, struct err *e);
/* The slot of a command, NULL: there is none. Tag 0: a free one. */
struct imap_sent *imap_sent_find(struct imap *im, uint32_t tag);
/* Frees the slot. `done_out` may be NULL, and is filled if there was an answer. */
void imap_sent_drop(struct imap_sent *sent, struct imap_done *done_out);
/* Sends what is collected and waits for "+", or for the command's end (*go_out false). */
MUST_CHECK int imap_await_go(struct imap *im, const struct imap_sent *sent, const struct imap_handler *handler,
                             bool *go_out, struct err *e);
/* Waits for "+" (then *done is not filled and *continued_out is true) or for the tagged response. */
MUST_CHECK int imap_await_continue(struct imap *im, uint32_t tag, bool *continued_out, struct imap_done *done,
                                   struct err *e);
MUST_CHECK int imap_login(struct imap *im, struct err *e);
/* E_TLS: the server sends us elsewhere. Ends the talk, returns -1. */
int imap_referred(struct imap *im, struct err *e);

#endif
