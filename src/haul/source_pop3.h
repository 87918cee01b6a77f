/* SPDX-License-Identifier: MIT
 * source_pop3.h - mail from a POP3 server, as a source (source.h).
 *
 * list(): one UIDL, digested as it streams in; the same digest, count and octets as in request->known.settled is
 * `unchanged`. LIST is sent where sizes are needed: at once for a folder never seen or a complete look, else after the
 * UIDL that turned out to differ. See pop3_listing.h for servers whose unique-ids are not unique, or that have none
 * (no_unique_ids): their headers are asked for (TOP) at each look, and even a lost QUIT doubles nothing.
 *
 * remove(): DELE, then QUIT; only its +OK is REMOVE_DONE. On any error whatever was marked may be gone or not: the next
 * listing tells.
 *
 * Quirks it learns: QUIRK_NO_CAPA (open() connects again by itself), QUIRK_NO_PIPELINING (list() starts again by
 * itself; fetch() and remove() end with an error that says to reconnect).
 */
#ifndef MAILHAUL_HAUL_SOURCE_POP3_H
#define MAILHAUL_HAUL_SOURCE_POP3_H

#include "haul/source.h"
#include "proto/server.h"

/* `server` is copied; what it points to is borrowed for the source's life. NULL with E_NOMEM. Free with ops->free. */
struct source *source_pop3_new(const struct server *server, struct err *e);
/* Of the open session; NULL: no TLS. */
const struct stream *source_pop3_stream(const struct source *s);

#endif
