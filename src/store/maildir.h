/* SPDX-License-Identifier: MIT
 * maildir.h - one Maildir tree: folders, scratch files in tmp/, names that are never used twice, and the moves that
 * make a message appear whole or not at all. maildir(5) in the qmail description; layouts in wire/folder.h; CONTRACT
 * section 3.
 *
 * Everything below the root is reached by openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS) from the root's descriptor
 * (openat with O_NOFOLLOW component by component where the kernel has no openat2), so no folder name and no symbolic
 * link inside can lead out of it. The root itself may be reached through symbolic links: that is the user's choice.
 * Directories are made with mode 0700, files 0600. The descriptors that are kept open are bounded, however many
 * folders there are.
 *
 * The marker ".mailhaul-id" in the root holds 32 hex digits and LF: who finds another one, or none, is looking at
 * another Maildir or at an empty mount point.
 *
 * Names: a scratch name is "mailhaul-TAG-RANDOM.N" (TAG is the journal's, N counts within the tree): maildir_sweep()
 * may remove those of its own tag at any time that no pass of that account runs. A final base name is
 * "SECONDS.RANDOM_COUNTER.HOST", chosen once and never reused; with flags the file is cur/BASE:2,LETTERS, without any
 * new/BASE.
 *
 * Durable order for a batch: write scratch -> maildir_flush_files() -> maildir_place() each -> maildir_sync()
 * once a folder. maildir_start_flush() may begin the write-out early.
 *
 * Errors: E_DISK, in words with the path ("Maildir folder /home/me/Mail/tmp: no space left on the disk; make room and
 * run again"); E_NOMEM for memory and descriptors. After an error from a flush the file must be given up, never
 * flushed again.
 * Thread: different threads may use different folders, and one folder's place/sync/flush in one thread beside
 * create/write in another. Opening folders is for one thread at a time.
 */
#ifndef MAILHAUL_STORE_MAILDIR_H
#define MAILHAUL_STORE_MAILDIR_H

#include "base/buf.h"
#include "base/err.h"
#include "wire/folder.h"

enum { MAILDIR_NAME_MAX = 128, MAILDIR_ID_LEN = 32 };

struct maildir;        /* the tree */
struct maildir_folder; /* one folder in it; owned by the tree, lives as long as it */

/* Opens the root. `create`: makes it (and parents) when it is missing; otherwise a missing root is E_DISK. `tag`: see
 * Names. What was made becomes durable with the marker. */
MUST_CHECK int maildir_open(const char *path, enum folder_layout layout, const char *tag, bool create,
                            struct maildir **out, struct err *e);
void maildir_close(struct maildir **md);
const char *maildir_path(const struct maildir *md);

/* Reads the marker into id_out; *found_out is false when there is none (no error). A malformed one is E_DISK. */
MUST_CHECK int maildir_marker_read(struct maildir *md, char id_out[MAILDIR_ID_LEN + 1], bool *found_out, struct err *e);
/* Makes a marker durably with a fresh random id, and what leads to it; existing messages are left
 * alone. When another made one meanwhile, that one is read. */
MUST_CHECK int maildir_marker_make(struct maildir *md, char id_out[MAILDIR_ID_LEN + 1], struct err *e);
/* Removes the marker, damaged or not, if it can be. */
void maildir_marker_drop(struct maildir *md);

/* The folder of this name (program form, UTF-8; see wire/folder.h). Opened once, then found again. `create`: makes
 * folder, tmp, new and cur (and for maildir++ the file "maildirfolder") durably where missing. Without it a missing
 * folder, or one that lacks new/ or cur/, gives *out = NULL and 0. */
MUST_CHECK int maildir_folder(struct maildir *md, struct slice name, char delimiter, bool create,
                              struct maildir_folder **out, struct err *e);
/* The folder's path for people: root, "/" and the relative path. */
const char *maildir_folder_path(const struct maildir_folder *f);

/* A new scratch file in tmp/, open for writing. */
MUST_CHECK int maildir_scratch(struct maildir_folder *f, int *fd_out, char name_out[MAILDIR_NAME_MAX], struct err *e);
/* Starts the write-out of what was written so far without waiting. Never fails. */
void maildir_start_flush(int fd);
/* fsync of the file. */
MUST_CHECK int maildir_flush_file(struct maildir_folder *f, int fd, struct err *e);
/* The same for many, several at a time; which of them are durable after an error is not told. */
struct maildir_flush {
    struct maildir_folder *folder;
    int fd;
};
MUST_CHECK int maildir_flush_files(const struct maildir_flush *files, size_t count, struct err *e);
/* Removes a scratch file. Never fails: what stays is swept by the next pass. */
void maildir_scratch_drop(struct maildir_folder *f, const char *scratch);

/* A fresh final base name. */
void maildir_base_name(char out[MAILDIR_NAME_MAX]);
/* Moves tmp/scratch to its final place for these flags (enum mail_flag); an existing file is never replaced. */
MUST_CHECK int maildir_place(struct maildir_folder *f, const char *scratch, const char *base, unsigned flags,
                             struct err *e);
/* Where that is, appended. */
MUST_CHECK int maildir_placed_path(const struct maildir_folder *f, const char *base, unsigned flags, struct buf *out);
/* fsync of new/ and cur/ where something was placed, or found, since the last call. */
MUST_CHECK int maildir_sync(struct maildir_folder *f, struct err *e);

/* Whether a message of this base name is in new/ or cur/ (with any info behind it), or was at the first call since
 * something was placed: the directories are read once, so that many names can be looked for. One that is found may be
 * the work of a run that died before its sync: call maildir_sync() before recording it as delivered. */
MUST_CHECK int maildir_find(struct maildir_folder *f, const char *base, bool *found_out, struct err *e);

/* Removes scratch files of our own tag from tmp/ of this folder, or of every folder of the tree. */
MUST_CHECK int maildir_sweep(struct maildir_folder *f, struct err *e);
MUST_CHECK int maildir_sweep_all(struct maildir *md, struct err *e);

#endif
