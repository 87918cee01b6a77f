/* SPDX-License-Identifier: MIT
 * io.h - the few system calls that everybody needs whole: read all, write all, write a small file by replacement.
 *
 * Errors are left in errno; the caller knows the file's meaning and says it in words.
 */
#ifndef MAILHAUL_BASE_IO_H
#define MAILHAUL_BASE_IO_H

#include "base/buf.h"

/* Writes everything, over short writes and EINTR. 0 or -1 with errno. */
MUST_CHECK int io_write_all(int fd, const void *bytes, size_t n);

/* Appends the rest of `fd` to `out`; a file's buffer does not grow on the way, so that no copy of its bytes is left in
 * freed memory. -1 with errno; EFBIG when the buffer's maximum is smaller than the file. */
MUST_CHECK int io_read_all(int fd, struct buf *out);

/* Puts `bytes` into dir/name by way of a temporary name, rename and - when `durable` - fsync of file and directory.
 * Mode 0600. 0 or -1 with errno; then the old file is untouched. */
MUST_CHECK int io_replace_file(int dirfd, const char *name, struct slice bytes, bool durable);

/* Closes and sets to -1; a descriptor that is -1 already is left alone. */
void io_close(int *fd);

#endif
