/* SPDX-License-Identifier: MIT
 * imap.h - a straight-line IMAP client: commands go out with tags, responses come back in order, bodies stream.
 *
 * RFC 3501, 9051; STARTTLS RFC 2595 and 3501 6.2.1; SASL-IR RFC 4959; LITERAL+ and LITERAL- RFC 7888; ID RFC 2971;
 * ENABLE RFC 5161; COMPRESS RFC 4978; UTF8=ACCEPT RFC 6855; response codes RFC 5530.
 *
 * Calling sequence:
 *     imap_open(server, &im, e)                  connect, TLS, capabilities, login, what is enabled
 *     imap_begin(im, &tag); imap_text()..., imap_string_arg()...; imap_end()       one command, not waited for
 *     imap_finish(im, tag, handler, &done, e)    sends what is collected; reads until that command's tagged response;
 *                                                everything untagged meanwhile goes to `handler`
 *     imap_literal_begin(im, tag, octets, &go, e), imap_literal_data()...     a message inside a command (APPEND)
 *     imap_close(&im)                            LOGOUT and away; nothing is expunged by it
 *     imap_wait.h                                between commands: to be told of news
 * Commands may be pipelined: begin several, finish them in order. The caller keeps what is in flight below
 * LIMIT_IN_FLIGHT.
 *
 * Errors of imap_finish(): the connection (E_NET, E_TIMEOUT, E_TLS, E_STOPPED), a broken protocol (E_PROTO), BYE
 * (E_BUSY). A NO or BAD is no error here: it is in `done`, and imap_refused() turns it into one, classed by its
 * response code. After an error only imap_close(). A tagged response to a command that was never sent is E_PROTO. After
 * STARTTLS everything learned before it is forgotten; PREAUTH before it, or no STARTTLS, is E_TLS. A command with all
 * its responses is one exchange of net/stream.h, so that untagged responses cannot hold the session; more than two
 * million of them are E_PROTO.
 * Thread: one at a time.
 */
#ifndef MAILHAUL_PROTO_IMAP_H
#define MAILHAUL_PROTO_IMAP_H

#include "proto/server.h"
#include "wire/imap_parse.h"
#include "wire/imap_write.h"

struct imap;

/* All may be NULL. What a callback returns non-zero ends imap_finish() with that error. Slices live for the call. */
struct imap_handler {
    void *ctx;
    int (*untagged)(void *ctx, const struct imap_response *r, struct err *e);
    int (*body_begin)(void *ctx, uint64_t octets, struct err *e);
    int (*body_data)(void *ctx, struct slice bytes, struct err *e);
    int (*body_end)(void *ctx, struct err *e);
};

enum { IMAP_WORDS_MAX = 256 };

struct imap_done {
    enum imap_status status; /* IMAP_OK, IMAP_NO, IMAP_BAD           */
    char code[32];           /* "TRYCREATE", "MESSAGELIMIT"; "": none */
    char code_args[IMAP_WORDS_MAX];
    char text[IMAP_WORDS_MAX];
};

MUST_CHECK int imap_open(const struct server *server, struct imap **out, struct err *e);
void imap_close(struct imap **im);

uint64_t imap_caps(const struct imap *im); /* enum imap_cap, without the disabled ones */
uint32_t imap_message_limit(const struct imap *im);
uint64_t imap_append_limit(const struct imap *im); /* octets; 0: none told */
bool imap_utf8(const struct imap *im);             /* names travel as UTF-8 */
bool imap_uidonly(const struct imap *im);
/* NULL before TLS. */
const struct tls_facts *imap_tls(const struct imap *im);
/* For net/tls_tell.h alone. */
const struct stream *imap_stream(const struct imap *im);

/* One command. Errors are kept and come out of imap_finish(). */
void imap_begin(struct imap *im, uint32_t *tag_out);
void imap_text(struct imap *im, const char *fmt, ...) PRINTF_LIKE(2, 3);
void imap_string_arg(struct imap *im, struct slice value);
void imap_end(struct imap *im);

/* A message as the next argument of the command `tag`, the last one begun: "{octets}" and then exactly that many octets
 * by imap_literal_data(); a session that is closed before sends no more at all. Where the server takes it so (LITERAL+
 * up to IMAP_LITERAL_AT_ONCE, LITERAL- up to 4096) nothing is waited for; else the server is asked first, and answers
 * to earlier commands are taken meanwhile. *go_out false: it answered the command instead; send no more of it,
 * imap_finish() tells. A larger message is asked for even under LITERAL+, because a server that will not have it could
 * only read all of it or hang up (RFC 7888 section 4). From here on the command may be silent for 10 x timeout, and so
 * may those that wait behind it. */
enum { IMAP_LITERAL_AT_ONCE = 1024 * 1024 };
MUST_CHECK int imap_literal_begin(struct imap *im, uint32_t tag, uint64_t octets, bool *go_out, struct err *e);
void imap_literal_data(struct imap *im, struct slice bytes);
/* After an error of the connection or BYE: whether the answer to this command had arrived all the same. Never waits;
 * each is told once. */
bool imap_answered(struct imap *im, uint32_t tag, struct imap_done *done_out);

MUST_CHECK int imap_finish(struct imap *im, uint32_t tag, const struct imap_handler *handler, struct imap_done *done,
                           struct err *e);
/* The next command opens another folder: what was told of the one before does not hold for it. A UIDVALIDITY that
 * changes while a folder is open is E_PROTO: no UID means what it did. */
void imap_opening(struct imap *im);
/* A session that has lasted for a while goes on as if it had just been opened: the server may say as much again. */
void imap_again(struct imap *im);
/* Commands answered so far: when none has been since some moment, nothing is known of the connection's health. */
uint64_t imap_answers(const struct imap *im);
/* stream_expect() of the connection: octets of the messages in a FETCH that was begun. */
void imap_expect(struct imap *im, uint64_t octets);
/* Waits for answers up to 5 x timeout until the next imap_finish() has ended (the first SELECT). */
void imap_patient(struct imap *im);

/* Fills *e for a NO or BAD: "HOST refused WHAT", the server's words as peer; E_BUSY, E_AUTH or E_NOFOLDER where the
 * response code says so, else `usual`. Always -1. */
int imap_refused(const struct imap *im, const struct imap_done *done, enum err_code usual, const char *what,
                 struct err *e);
/* True when the code or the words say that the server limits us now: nobody's message is to blame. */
bool imap_throttled(const struct imap_done *done);

#endif
