/* SPDX-License-Identifier: MIT
 * source_imap.h - an IMAP account as source: proto/imap.h behind source.h.
 *
 * RFC 3501 and 9051; LIST-EXTENDED RFC 5258, LIST-STATUS RFC 5819, SPECIAL-USE RFC 6154; UIDPLUS RFC 4315; MOVE RFC
 * 6851; OBJECTID RFC 8474; UIDONLY RFC 9586; MESSAGELIMIT RFC 9738.
 *
 * New mail is told by UIDVALIDITY and UID, never by \Seen; bodies are asked for with BODY.PEEK[], and folders are
 * opened with EXAMINE unless something is to be removed, so fetching changes nothing on the server. Only UIDs in flight
 * are taken, and only when UID and body come in one response.
 */
#ifndef MAILHAUL_HAUL_SOURCE_IMAP_H
#define MAILHAUL_HAUL_SOURCE_IMAP_H

#include "haul/source.h"
#include "proto/server.h"

/* `server` is copied; what it points to is borrowed for the source's life. */
struct source *source_imap_new(const struct server *server, struct err *e);
/* Of the open session; NULL: no TLS. */
const struct stream *source_imap_stream(const struct source *s);

#endif
