/* SPDX-License-Identifier: MIT
 * pop3.h - a POP3 client in straight lines: one function an exchange. RFC 1939; 2449 (CAPA, PIPELINING, response
 * codes); 2595 (STLS); 5034 (AUTH); 3206 (SYS, AUTH codes); 6856 (UTF8).
 *
 * Calling sequence:
 *     pop3_init()
 *     pop3_connect()                     dial, implicit TLS, greeting, STLS; or pop3_start() on a stream that is there
 *     pop3_capa()                        not when the server is known to hang at it; a refusal is no error
 *     pop3_login()
 *     pop3_ask_ahead()                   commands of the next exchanges leave together, when pipelining is allowed
 *     pop3_capa() pop3_stat() pop3_uidl() pop3_list()      in this order, each may be left out
 *     pop3_retrieve()... pop3_dele()...
 *     pop3_quit()                        where its answer matters; then
 *     pop3_release()                     says QUIT if nobody did, does not wait for the answer, closes
 *
 * What protects the account: nothing secret is sent before TLS is up, unless the server is SERVER_PLAINTEXT; what was
 * learned before STLS is forgotten; a greeting that is not +OK ends the session before anything is sent.
 *
 * Pipelining: commands go ahead of their replies only where CAPA shows PIPELINING (or `pipelining` was set by the
 * caller, who knows it from an earlier session), and never past AUTH, STLS or QUIT. What was sent and is not answered
 * yet is at most LIMIT_IN_FLIGHT bytes. When a line that should be a status is neither +OK nor -ERR, while commands
 * were ahead, `out_of_step` is set beside the E_PROTO: the caller may do the session again with no_pipelining.
 *
 * Errors: E_NET, E_TIMEOUT, E_STOPPED of the stream; E_TLS (no STLS); E_AUTH; E_BUSY ([IN-USE], [LOGIN-DELAY],
 * [SYS/TEMP], -ERR as greeting); E_LACKS (no login that is allowed); E_CONFIG (a user or password that no line can
 * carry); E_PROTO. The server's words go to err.peer. After an error only pop3_release() may follow, which then sends
 * nothing more.
 *
 * Thread: one at a time.
 */
#ifndef MAILHAUL_PROTO_POP3_H
#define MAILHAUL_PROTO_POP3_H

#include "net/digest.h"
#include "net/stream.h"
#include "proto/server.h"
#include "wire/pop3_parse.h"

/* Exchanges whose command may go ahead. */
enum pop3_ask { POP3_ASK_CAPA = 1 << 0, POP3_ASK_STAT = 1 << 1, POP3_ASK_UIDL = 1 << 2, POP3_ASK_LIST = 1 << 3 };

struct pop3 {
    const struct server *server; /* borrowed */
    struct stream *stream;       /* owned; NULL: not connected */
    struct pop3_caps caps;       /* of the latest CAPA, less what disable_extensions names */
    bool has_caps;               /* the server answered a CAPA with a list */
    bool no_pipelining;          /* set by the caller, before pop3_connect(): never, whatever the server offers */
    bool pipelining;             /* commands may go ahead */
    bool out_of_step;            /* see above */
    bool in_capa;                /* the last exchange begun is CAPA: what failed is that */
    bool in_auth;                /* a challenge ("+ ") is a reply */
    bool gmail;                  /* the greeting is Gmail's */
    bool quit;                   /* QUIT was sent, or an error ended the talk: nothing more is said */
    char timestamp[256];         /* of the greeting, for APOP; "": it has none */
    unsigned ahead;              /* enum pop3_ask: sent, its reply not read yet */
};

void pop3_init(struct pop3 *p, const struct server *server);
/* Polite QUIT where nothing went wrong, without waiting for the answer; closes. May be called twice. */
void pop3_release(struct pop3 *p);

MUST_CHECK int pop3_connect(struct pop3 *p, struct err *e);
/* Takes the stream over, also when it fails. */
MUST_CHECK int pop3_start(struct pop3 *p, struct stream *stream, struct err *e);
/* -ERR is success, with has_caps false. Caps of an earlier CAPA are replaced. */
MUST_CHECK int pop3_capa(struct pop3 *p, struct err *e);
/* By what sasl_pick() says (sasl.h): SASL, USER and PASS, APOP. UTF8 goes first where it is offered, so
 * that international messages come as they are and not as a surrogate (RFC 6856 section 2.1). Without UTF8 USER a name
 * or password that is not ASCII is sent as it is: old servers compare bytes. */
MUST_CHECK int pop3_login(struct pop3 *p, struct err *e);

/* Sends the commands of `asks` (enum pop3_ask) at once when pipelining is on; else does nothing. */
MUST_CHECK int pop3_ask_ahead(struct pop3 *p, unsigned asks, struct err *e);

MUST_CHECK int pop3_stat(struct pop3 *p, uint32_t *count_out, uint64_t *octets_out, struct err *e);

/* One line of a listing; `uidl` (n == 0: blank) or `octets` is filled. */
struct pop3_entry {
    uint32_t number; /* not checked against STAT */
    uint64_t octets;
    struct slice uidl; /* borrowed for the call */
};
typedef int (*pop3_entry_fn)(void *ctx, const struct pop3_entry *entry, struct err *e);

/* Calls `entry` for each line, in the server's order; lines without a message number are skipped. `digest` (may be
 * NULL, started by the caller) is fed the reply as it came, without its terminator. *offered_out: false when the server
 * answered -ERR (then no entry, and nothing in the digest). */
MUST_CHECK int pop3_uidl(struct pop3 *p, struct digest *digest, pop3_entry_fn entry, void *ctx, bool *offered_out,
                         struct err *e);
MUST_CHECK int pop3_list(struct pop3 *p, pop3_entry_fn entry, void *ctx, bool *offered_out, struct err *e);

/* Who takes messages. For each i of 0..count-1, in order, one of:
 *     begin, data..., done     whole, and the reply behind it (if one is due) begins as a reply
 *     refused                  -ERR; not for [IN-USE] and [SYS/TEMP], which end the session as E_BUSY
 *     begin, data..., spoilt   whole by its terminator, but more bytes followed that nobody asked for: it was
 *                              perhaps part of the message. The session ends (E_PROTO, RETRY_RECONNECT)
 *     [begin, data...,] cut    the session ended in it
 * and nothing for those behind an error. A callback's own error ends the session and is passed on. */
struct pop3_taker {
    uint32_t (*number)(void *ctx, size_t i);
    int (*begin)(void *ctx, size_t i, struct err *e);
    int (*data)(void *ctx, struct slice run, struct err *e); /* wire form, dots unstuffed */
    int (*done)(void *ctx, size_t i, struct err *e);
    int (*refused)(void *ctx, size_t i, const struct pop3_reply *reply, struct err *e);
    int (*spoilt)(void *ctx, size_t i, struct err *e);
    void (*cut)(void *ctx);
    void *ctx;
};
enum pop3_part { POP3_WHOLE /* RETR n */, POP3_HEADER /* TOP n 0 */ };
MUST_CHECK int pop3_retrieve(struct pop3 *p, enum pop3_part part, size_t count, const struct pop3_taker *taker,
                             struct err *e);

/* Marks `count` messages as deleted; *refused_out counts those that were answered -ERR, with the words of the last in
 * `words` (err.peer alone is filled). Nothing is gone before pop3_quit() said so. */
MUST_CHECK int pop3_dele(struct pop3 *p, size_t count, uint32_t (*number)(void *ctx, size_t i), void *ctx,
                         size_t *refused_out, struct err *words, struct err *e);
/* Waits for +OK: then what was marked is gone (RFC 1939 section 6). -ERR: E_BUSY. */
MUST_CHECK int pop3_quit(struct pop3 *p, struct err *e);

#endif
