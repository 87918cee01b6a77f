/* SPDX-License-Identifier: MIT
 * err.h - one kind of error for the whole program: what went wrong, how far it reaches, whether to try again.
 *
 * Convention: int f(..., struct err *e) returns 0 or -1, and fills *e if and only if it returns -1. The one who first
 * sees the trouble calls err_set() with a code; the code's row in the table in err.c gives the usual scope and retry
 * class, which err_scope() and err_retry() may change. Callers on the way up prefix what they know with err_ctx()
 * ("folder Archive: ..."). Protocol code classifies; haul/trouble.c alone decides what a class means.
 *
 * Texts are for a person: what, where, what to do; no errno numbers, no names of functions. The words of the peer are
 * kept apart in `peer`, because they are not to be trusted: they were made printable when they were stored.
 *
 * A struct err is a plain value without ownership. Thread: any; each thread has its own.
 */
#ifndef MAILHAUL_BASE_ERR_H
#define MAILHAUL_BASE_ERR_H

#include <stdarg.h>

#include "base/slice.h"

enum err_code {
    E_NONE,
    E_USAGE,    /* unknown command, option or account                                                   64 */
    E_CONFIG,   /* configuration missing, unreadable, too open or wrong                                  78 */
    E_NOFOLDER, /* a folder named in the configuration does not exist on the server                      78 */
    E_AUTH,     /* the server refused the credentials                                                    77 */
    E_TLS,      /* no secure connection                                                                  69 */
    E_PROTO,    /* the peer broke the protocol                                                           76 */
    E_LACKS,    /* the peer lacks what the account needs                                                 76 */
    E_REJECTED, /* a destination refused everything                                                      76 */
    E_DISK,     /* local disk: Maildir, spool or state                                                   74 */
    E_NET,      /* network, name not found, connection cut                                               75 */
    E_TIMEOUT,  /* silence, or too slow                                                                  75 */
    E_BUSY,     /* the server says: later ([IN-USE], [UNAVAILABLE], [SYS/TEMP], BYE, 4xx)                75 */
    E_LOCKED,   /* another mailhaul has this account                                                     75 */
    E_NOMEM,    /* out of memory                                                                         75 */
    E_MESSAGE,  /* this one message cannot be had (yet)                                                  75 */
    E_STOPPED,  /* SIGINT, SIGTERM                                                             128 + signal */
    E_CODE_COUNT
};

/* How far the damage reaches: what has to be given up because of it. */
enum err_scope { SCOPE_MESSAGE, SCOPE_FOLDER, SCOPE_SESSION, SCOPE_ACCOUNT };

/* When trying again can help. */
enum err_retry {
    RETRY_RECONNECT, /* at once, in a new session (a cut connection in mid-pass)     */
    RETRY_LATER,     /* in the next pass, after back-off                             */
    RETRY_NEVER      /* not before a person has changed something                    */
};

enum { ERR_TEXT_MAX = 768, ERR_PEER_MAX = 320 };

struct err {
    enum err_code code;
    enum err_scope scope;
    enum err_retry retry;
    char text[ERR_TEXT_MAX]; /* our words, NUL-terminated                                      */
    char peer[ERR_PEER_MAX]; /* the peer's words, printable, NUL-terminated; "" when there are none */
};

#define ERR_INIT ((struct err){ .code = E_NONE })

/* Fills *e (code, usual scope and retry, text) and drops the peer's words of an earlier error. Always returns -1. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The same, with ": " and the system's words for `errnum` behind the text. */
int err_sys(struct err *e, enum err_code code, int errnum, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* E_NOMEM with the usual text. Always returns -1. */
int err_nomem(struct err *e);
/* Keeps the peer's words, as log_words() makes them, cut to size. Returns -1, so that it may end a function. */
int err_peer(struct err *e, struct slice words);
/* Prefixes the text. Always returns -1. */
int err_ctx(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
int err_scope(struct err *e, enum err_scope scope);
int err_retry(struct err *e, enum err_retry retry);

/* "text (peer's words)" into `out`, always NUL-terminated. */
void err_format(const struct err *e, char *out, size_t size);

/* The exit status of sysexits.h that CONTRACT gives to this code; 0 for E_NONE. */
int err_exit_status(enum err_code code);
/* A short stable name for machines ("auth", "tls", "disk"). */
const char *err_name(enum err_code code);

#endif
