/* SPDX-License-Identifier: MIT
 * disk_int.h - what the system says about a local file, in words a person can act on. For store/ only.
 */
#ifndef MAILHAUL_STORE_DISK_INT_H
#define MAILHAUL_STORE_DISK_INT_H

#include "base/err.h"

/* Fills *e with "TEXT: what is wrong; what to do" for `errnum`. E_DISK, but E_NOMEM for what passes by itself (no
 * memory, no descriptors). Always returns -1. */
int disk_err(struct err *e, int errnum, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* fsync of a directory; a file system that cannot (EINVAL, as some of FUSE say) has no more to give. errno is set. */
MUST_CHECK int disk_sync_dir(int fd);

/* Flushes the entry that leads to the directory `fd`. errno is set. */
MUST_CHECK int disk_sync_parent(int fd);
/* Makes a directory (mode 0700) and what leads to it, all durable but its own entry. errno is set. */
MUST_CHECK int disk_make_dirs(const char *path);

/* Says once in the life of the process that a state directory on a network file system is a bad idea. */
void disk_warn_network(int dirfd, const char *path);

#endif
