/* SPDX-License-Identifier: MIT
 * folder.h - the three forms of a folder's name, and the patterns that choose folders.
 *
 *   on the wire    modified UTF-7 (RFC 3501 section 5.1.3), or UTF-8 under UTF8=ACCEPT, with the server's delimiter
 *   in the program UTF-8 with the server's delimiter; INBOX in any case is "INBOX"
 *   on disk        a relative path below the Maildir's root that cannot leave it (CONTRACT section 3)
 *
 * On disk, layout maildir++: ".Sub.Folder" (the components joined by dots behind a leading dot); layout fs: "Sub/Folder";
 * INBOX itself is "" (the root). A byte that the layout cannot hold is written %XX (upper case hex): '%' itself, '/', bytes below 0x20 and 0x7f, for
 * maildir++ every '.', for fs a leading '.' of a component; a component that is cur, new or tmp has its first letter escaped (both layouts);
 * an empty component is written "%" alone. Bytes that are no valid UTF-8 are escaped too. The delimiter separates components; under a NIL
 * delimiter the whole name is one component. A child of INBOX ("INBOX/Work") is a folder like any other: ".INBOX.Work".
 * A name other than INBOX that would map to the root does not exist by construction. The mapping is one to one: folder_from_path() gives the name back.
 * A component longer than 255 bytes on disk, or a path longer than LIMIT_FOLDER_NAME * 3, is refused (-1).
 */
#ifndef MAILHAUL_WIRE_FOLDER_H
#define MAILHAUL_WIRE_FOLDER_H

#include "base/buf.h"

enum folder_layout { FOLDER_MAILDIRPP, FOLDER_FS };

/* Wire to program: strict modified UTF-7 (an ill-formed name is -1; the caller then uses folder_from_raw()). INBOX is made upper case when the
 * name is exactly INBOX, or its first component is (any case). Appends to `out`. */
MUST_CHECK int folder_from_mutf7(struct slice wire, char delimiter, struct buf *out);
/* For ill-formed names: every byte that is not printable ASCII as \xNN; the wire form stays the identity. */
MUST_CHECK int folder_from_raw(struct slice wire, struct buf *out);
/* Program to wire. -1: not UTF-8. */
MUST_CHECK int folder_to_mutf7(struct slice name, struct buf *out);
bool utf8_valid(struct slice s);

MUST_CHECK int folder_to_path(struct slice name, char delimiter, enum folder_layout layout, struct buf *out);
MUST_CHECK int folder_from_path(struct slice path, char delimiter, enum folder_layout layout, struct buf *out);

/* One pattern of `folders`: `*` matches anything, `%` anything but the delimiter; INBOX matches in any case; a `/` in the pattern also matches the
 * server's delimiter. A pattern that begins with a backslash names a special use and is not for this function. */
bool folder_match(struct slice pattern, struct slice name, char delimiter);
bool folder_is_pattern(struct slice pattern); /* it holds * or % */

/* `folders` of an account applied to one folder, later entries counting over earlier ones: "!" excludes. `attrs` is enum imap_attr. */
bool folder_selected(const char *const *patterns, size_t count, struct slice name, char delimiter, unsigned attrs);

#endif
