/* SPDX-License-Identifier: MIT
 * folder.h - the three forms of a folder's name, and the patterns that choose folders.
 *
 *   on the wire    modified UTF-7 (RFC 3501 section 5.1.3), or UTF-8 under UTF8=ACCEPT, with the server's delimiter
 *   in the program UTF-8 with the server's delimiter; INBOX in any case is "INBOX"
 *   on disk        a relative path below the Maildir's root that cannot leave it (CONTRACT section 3)
 *
 * On disk, layout maildir++: ".Sub.Folder" (the components joined by dots behind a leading dot); layout fs:
 * "Sub/Folder"; INBOX itself is "" (the root). What the layout cannot hold is written %XX (upper case hex), byte by
 * byte: '%' itself, '/', control characters (U+0000 to U+001F, U+007F to U+009F), bytes that are no valid UTF-8, for
 * maildir++ every '.', for fs a leading '.' of a component; a component that is cur, new, tmp or mailhaul-id
 * (".mailhaul-id" marks the root) has its first letter escaped (both layouts); an empty component is written "%" alone.
 * The delimiter separates components; under a NIL delimiter ('\0') the whole name is one component. A child of INBOX
 * ("INBOX/Work") is a folder like any other: ".INBOX.Work". A name other than INBOX that would map to the root does not
 * exist by construction. The mapping is one to one: folder_from_path() gives the name back. A name that the file system
 * would see as longer than 255 bytes (maildir++: the whole path, fs: a component), or a path longer than
 * LIMIT_FOLDER_NAME * 3, is refused (-1).
 *
 * Every function appends to `out`, and leaves it as it was when it returns -1 (also for want of room or memory).
 */
#ifndef MAILHAUL_WIRE_FOLDER_H
#define MAILHAUL_WIRE_FOLDER_H

#include "wire/utf8.h"

enum folder_layout { FOLDER_MAILDIRPP, FOLDER_FS };

/* Wire to program: strict modified UTF-7 (an ill-formed name is -1; the caller then uses folder_from_raw()), and under
 * UTF8=ACCEPT strict UTF-8. INBOX is made upper case when the name is exactly INBOX, or its first component is (any
 * case). Refused too: U+0000, and a name that holds "\x" and two hex digits, which is what folder_from_raw() writes:
 * so no two folders of a server get one name, but for those that differ in the case of INBOX alone. */
MUST_CHECK int folder_from_mutf7(struct slice wire, char delimiter, struct buf *out);
MUST_CHECK int folder_from_utf8(struct slice wire, char delimiter, struct buf *out);
/* For names that those refuse: every byte that is not printable ASCII, '&' and '\' as \xNN; the wire form stays the
 * identity. */
MUST_CHECK int folder_from_raw(struct slice wire, struct buf *out);
/* Program to wire, the one spelling that RFC 3501 allows. -1: not UTF-8, or U+0000. */
MUST_CHECK int folder_to_mutf7(struct slice name, struct buf *out);

MUST_CHECK int folder_to_path(struct slice name, char delimiter, enum folder_layout layout, struct buf *out);
MUST_CHECK int folder_from_path(struct slice path, char delimiter, enum folder_layout layout, struct buf *out);

/* One pattern of `folders`: `*` matches anything, `%` anything but the delimiter; INBOX matches in any case; a `/` in
 * the pattern also matches the server's delimiter. A pattern that begins with a backslash names a special use and is
 * not for this function. A name longer than LIMIT_FOLDER_NAME matches nothing. */
bool folder_match(struct slice pattern, struct slice name, char delimiter);
bool folder_is_pattern(struct slice pattern); /* it holds * or % */

/* `folders` of an account applied to one folder, in whatever order the entries stand: one must select it, and no "!"
 * entry may exclude it; "\Sent" and "!\Junk" go by special use. `attrs` is enum imap_attr; a \Noselect folder is never
 * selected. */
bool folder_selected(const char *const *patterns, size_t count, struct slice name, char delimiter, unsigned attrs);

#endif
