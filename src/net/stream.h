/* SPDX-License-Identifier: MIT
 * stream.h - a connection as a stack of layers: socket (or a tunnel's pipes), TLS, DEFLATE; the top owns the one read
 * buffer and the one write buffer.
 *
 * Reading: the bytes that have arrived are looked at with stream_peek() and dropped with stream_consume();
 * stream_fill() waits for more. stream_line() is peek and fill until a line is whole. A slice into the buffer dies at
 * the next stream_fill() or stream_line().
 * Writing: stream_put() collects, stream_flush() sends. A write that would block also reads what comes meanwhile, so
 * the two sides can never wait for each other; the read buffer may then grow to STREAM_READ_MAX, beyond which the peer
 * has broken its side (E_PROTO). When a write fails, what the peer had sent before is still taken in: it may say why,
 * and what it had answered.
 *
 * Time (CONTRACT section 2): stream_exchange() starts an exchange: from then on each wait ends after `timeout` x factor
 * of silence, and the exchange as a whole after 5 x timeout + 1 s for each 500 bytes that went either way since (a
 * factor over 5 stretches that as well), so that a peer who drips bytes cannot hold the session. A stream starts in an
 * exchange of factor 1; the TLS handshake is an exchange of its own. Only time spent waiting for the peer counts, so
 * that our own disk is never held against it. Every wait also ends when base/stop.h asks (E_STOPPED).
 *
 * Not waiting: stream_try_fill() takes what has arrived. Called until it finds nothing, it leaves nothing behind that
 * stream_fd() would not tell of (decrypted bytes, whole records, inflated ones); a descriptor that is readable may
 * still hold nothing for us (TLS tickets). stream_park() then lets go of what a connection needs in motion only.
 *
 * Errors: E_NET (cut, refused; the end of the stream where bytes were wanted), E_TIMEOUT, E_TLS, E_PROTO, E_STOPPED. A
 * TLS connection that ends without close_notify is E_NET with words that say so: what was read so far is not complete.
 * After an error the stream can only be closed.
 *
 * Trace: at log level TRACE, stream_line(), stream_put() and stream_trace() show protocol lines ("S: ...", "C: ...");
 * bytes given to stream_put_secret() are shown as "********", also when the peer says them again (base/log.h), and are
 * wiped from the write buffer once sent; those given to stream_put_body() are left out.
 *
 * Thread: one at a time.
 */
#ifndef MAILHAUL_NET_STREAM_H
#define MAILHAUL_NET_STREAM_H

#include "base/buf.h"
#include "base/err.h"
#include "net/tls.h"

struct stream;

enum { STREAM_READ_MAX = 1024 * 1024 };

/* Waits until at least one more byte is in the buffer. */
MUST_CHECK int stream_fill(struct stream *s, struct err *e);
/* Takes in what is there, without waiting and outside any exchange; *got_out: at least one byte was. Once does not mean
 * all: see above. */
MUST_CHECK int stream_try_fill(struct stream *s, bool *got_out, struct err *e);
struct slice stream_peek(const struct stream *s);
void stream_consume(struct stream *s, size_t n);
/* The next line without its CRLF (or bare LF), consumed. Longer than `max`: E_PROTO. */
MUST_CHECK int stream_line(struct stream *s, size_t max, struct slice *line_out, struct err *e);

/* Into the write buffer; sent when it is full or at stream_flush(). Errors come out at the flush. */
void stream_put(struct stream *s, struct slice bytes);
void stream_putf(struct stream *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
void stream_put_secret(struct stream *s, struct slice bytes);
/* A piece of a message. */
void stream_put_body(struct stream *s, struct slice bytes);
MUST_CHECK int stream_flush(struct stream *s, struct err *e);
/* Shows a line at log level TRACE, cut to a readable length. `direction` is 'S' or 'C'. */
void stream_trace(const struct stream *s, char direction, struct slice line);

void stream_exchange(struct stream *s, unsigned silence_factor);
/* In this exchange the wish to stop ends a wait only when the while is over that base/stop.h grants: for the answer
 * that tells what became of a message. */
void stream_patient(struct stream *s);

/* `octets` more are on their way as far as is known (sizes of messages that were asked for); 0: nothing is known of
 * any. While that is much, a wait ends when a good part of it is there rather than with each segment, which saves two
 * system calls of three. An estimate that is too high costs a few waits of BULK_MS. */
void stream_expect(struct stream *s, uint64_t octets);

/* TLS on top of what is there (STLS, STARTTLS, implicit). When the read buffer is not empty somebody put bytes ahead of
 * the handshake: E_TLS, and nothing is sent. `settings` is borrowed for the call. */
MUST_CHECK int stream_push_tls(struct stream *s, const struct tls_settings *settings, struct err *e);
/* COMPRESS=DEFLATE (RFC 4978): raw deflate both ways. Bytes already buffered are taken as compressed. What one fill
 * inflates is bounded by the read buffer. */
MUST_CHECK int stream_push_deflate(struct stream *s, struct err *e);
/* NULL when there is no TLS layer. Borrowed, lives as long as the stream. */
const struct tls_facts *stream_tls(const struct stream *s);
/* TLS_BINDING_NONE when there is no TLS layer, or none that a login can be bound to. */
void stream_tls_binding(const struct stream *s, struct tls_binding *out);

/* What poll() may watch for POLLIN, and nothing else be done with. */
int stream_fd(const struct stream *s);
/* Frees the buffers that hold nothing. The stream may be used on at any time; it takes them again. */
void stream_park(struct stream *s);

/* True while the connection stands and nothing lies unread; looked at without waiting. */
bool stream_quiet(struct stream *s);
/* The address of our end in numbers ("192.0.2.1", "2001:db8::1"). False: it has none (a tunnel, a Unix socket). */
bool stream_local_address(const struct stream *s, char *out, size_t size);
/* Bytes that went over the wire so far. */
uint64_t stream_bytes_in(const struct stream *s);
uint64_t stream_bytes_out(const struct stream *s);

/* Says goodbye (close_notify, without waiting), closes everything; a tunnel's process is ended and waited for. NULL
 * is fine; sets *s to NULL. */
void stream_close(struct stream **s);

/* For tests: reads come from `input` (copied) at most `chunk` bytes at a time (0: all), then end of stream; what is
 * written is appended to `sent` (borrowed, may be NULL). */
MUST_CHECK int stream_memory(struct slice input, size_t chunk, struct buf *sent, struct stream **out, struct err *e);

#endif
