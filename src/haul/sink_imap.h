/* SPDX-License-Identifier: MIT
 * sink_imap.h - an IMAP account as destination: APPEND with flags and INTERNALDATE. RFC 3501 6.3.11, 3502
 * (MULTIAPPEND), 7888 (LITERAL+, LITERAL-), 4315 (APPENDUID), 7889 (APPENDLIMIT).
 *
 * `folder` takes everything; without it a message goes to the folder of the same name as the source's, below
 * `folder_prefix` when that is set. Names travel in program form with the delimiters translated; missing folders are
 * created and subscribed.
 *
 * The name of a delivery is "UIDVALIDITY.UIDNEXT" of the folder before the APPEND while it is staged, and
 * "UIDVALIDITY.UID" once APPENDUID has told it. A slot that is doubtful is looked for in the folder from that UIDNEXT
 * on (size, digest of the header block, Message-ID) before anything is appended again; what is found under a UID that
 * another message of the same batch has is not it. A staged name is as good as a doubtful one, so nothing is recorded
 * between STAGED and the answer. Known limit: of two messages that are the same to the byte, in one batch, killed
 * between the two, the second counts as the first.
 *
 * Bytes: each LF becomes CRLF, nothing else changes; but a message without an end to its last line gets one when the
 * server refuses it for that (Yahoo). NUL has no place in IMAP and is sent as it is: servers refuse it (REJECTED), or
 * store 0x80 (Dovecot).
 *
 * A server that refuses a folder's name, or writing to it, has that folder's messages put off, and the rest goes on.
 */
#ifndef MAILHAUL_HAUL_SINK_IMAP_H
#define MAILHAUL_HAUL_SINK_IMAP_H

#include "haul/sink.h"
#include "proto/server.h"

struct sink_imap_options {
    const char *name;
    const struct server *server;
    const char *folder;        /* NULL: the source's */
    const char *folder_prefix; /* NULL */
    bool drop_rejected;
};
/* Everything in the options is borrowed for the sink's life. NULL: no memory. */
struct sink *sink_imap_new(const struct sink_imap_options *options);

#endif
