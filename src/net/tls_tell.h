/* SPDX-License-Identifier: MIT
 * tls_tell.h - what there is to say of a connection's security, for `check --connect`. Thread: the stream's.
 */
#ifndef MAILHAUL_NET_TLS_TELL_H
#define MAILHAUL_NET_TLS_TELL_H

#include "net/stream.h"

/* A line that warns begins so. */
#define TLS_TELL_WARNING "warning: "

typedef void tls_tell_fn(void *ctx, const char *line);

/* Protocol, cipher, whether resumed; each certificate of the chain, and the fingerprint of the server's own; a warning
 * for each that ends within 14 days, unless a pin made its dates worth nothing. "not encrypted" without TLS. */
void tls_tell(const struct stream *s, tls_tell_fn *tell, void *ctx);
/* Subject, issuer, dates and fingerprint of a certificate of the chain, 0 being the server's. False: there are no more
 * (of a resumed session the server's alone is known). */
bool tls_tell_certificate(const struct stream *s, size_t i, struct tls_facts *out);

#endif
