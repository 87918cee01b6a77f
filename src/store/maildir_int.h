/* SPDX-License-Identifier: MIT
 * maildir_int.h - what the files of the Maildir share: the tree, its folders, and how a directory below the root is
 * reached.
 *
 * A folder keeps no descriptor but those of its tmp/, new/ and cur/, opened when first needed. At most MAILDIR_OPEN
 * folders of a tree have any: the one that was used longest ago gives its up. folder_hold() pins those that a call
 * works with; the lock is held only while the table changes, never during I/O on messages.
 */
#ifndef MAILHAUL_STORE_MAILDIR_INT_H
#define MAILHAUL_STORE_MAILDIR_INT_H

#include "store/maildir.h"

#include <pthread.h>
#include <stdatomic.h>

#include "wire/limits.h"

enum { MAILDIR_OPEN = 12, MAILDIR_BUCKETS = 1024 };

enum maildir_sub { SUB_TMP, SUB_NEW, SUB_CUR, SUB_COUNT };
extern const char *const maildir_sub_names[SUB_COUNT];

struct maildir_folder {
    struct maildir *md;
    struct maildir_folder *next; /* in its bucket */
    char *name;                  /* program form */
    size_t name_len;
    char *rel;  /* below the root: "" is the root itself */
    char *path; /* for people */
    int fd[SUB_COUNT];
    unsigned holds;
    uint64_t used_at;             /* of maildir.tick */
    atomic_bool dirty[SUB_COUNT]; /* something was placed, or found, since the last sync */
    /* Hashes of the base names in new/ and cur/, sorted, from the first maildir_find() on; see maildir_scan.c. */
    uint64_t *seen;
    size_t seen_count, seen_room;
    atomic_bool seen_old; /* something was placed since */
};

struct maildir {
    char *path;
    int root;
    enum folder_layout layout;
    char tag[16];
    uint64_t random;
    atomic_uint_fast64_t scratches;
    atomic_bool no_openat2, no_rename_flags; /* learned: the kernel or the file system lacks it */
    pthread_mutex_t lock;                    /* of what follows, and of fd, holds and used_at of the folders */
    struct maildir_folder *buckets[MAILDIR_BUCKETS];
    struct maildir_folder *open[MAILDIR_OPEN];
    uint64_t tick;
};

/* maildir_path.c */

/* The directory rel/sub below the root ("" for neither). A descriptor, or -1 with errno: ELOOP, EXDEV or ENOTDIR for
 * a path that would leave the tree or passes a symbolic link. */
MUST_CHECK int maildir_open_dir(struct maildir *md, const char *rel, const char *sub);
/* The directories of a folder, durably (see there). 0, or -1 with errno. */
MUST_CHECK int maildir_make_folder(struct maildir *md, const char *rel);
/* Flushes the root's contents and its own entry. 0, or -1 with errno. */
MUST_CHECK int maildir_sync_root(struct maildir *md);
/* Renames, never over something. 0, or -1 with errno. */
MUST_CHECK int maildir_move(struct maildir *md, int from, const char *scratch, int to, const char *name);

/* maildir.c */

/* "mailhaul-TAG-RANDOM.N": a name for a file that is not finished. */
void maildir_scratch_name(struct maildir *md, const char *prefix, char out[MAILDIR_NAME_MAX]);
/* The descriptor of a directory of the folder, good until folder_let_go(). -1 with errno. */
MUST_CHECK int folder_hold(struct maildir_folder *f, enum maildir_sub sub);
void folder_let_go(struct maildir_folder *f);

#endif
