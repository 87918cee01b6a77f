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
 * on (Message-ID, size, digest of the header block) before anything is appended again.
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
