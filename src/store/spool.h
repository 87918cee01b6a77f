/* SPDX-License-Identifier: MIT
 * spool.h - whole messages on their way to destinations other than a Maildir: one unlinked file each, in spool_dir,
 * read by all of them. Nothing of it outlives the program, so nothing of it is ever flushed: until the destination has
 * said that it has the message, the source has it.
 *
 * A spool file is in file form (CRLF of the wire is LF there: wire/eol.h). Its length in every wire form is counted
 * while it is written: a size that a server announces is never trusted.
 *
 * Calling sequence: spool_begin(), spool_write()..., spool_finish() gives a body with one reference; or spool_drop().
 * spool_keep() and spool_release() count references; the last one closes the file. Reading is by position and needs no
 * order. A body that got shorter meanwhile is E_DISK, never a short message.
 * Errors: E_DISK in words with the directory; E_NOMEM for memory and descriptors.
 * Thread: a spool belongs to one; a body may be read and released by several at a time.
 */
#ifndef MAILHAUL_STORE_SPOOL_H
#define MAILHAUL_STORE_SPOOL_H

#include "base/err.h"

struct spool;
struct spool_file;

struct spool_facts {
    uint64_t lf_octets;    /* as in the file                                      */
    uint64_t exact_octets; /* CRLF_EXACT of wire/crlf.h                           */
    uint64_t smtp_octets;  /* CRLF_SMTP                                           */
    bool eight_bit;        /* a byte above 0x7f somewhere                         */
    bool has_nul;
};

/* `dir` is borrowed for the life of the spool and its bodies; it is made (mode 0700) with the first message when it is
 * missing. */
MUST_CHECK int spool_new(const char *dir, struct spool **out, struct err *e);
void spool_free(struct spool **s);

MUST_CHECK int spool_begin(struct spool *s, struct err *e);
MUST_CHECK int spool_write(struct spool *s, struct slice lf_bytes, struct err *e);
MUST_CHECK int spool_finish(struct spool *s, struct spool_file **out, struct err *e);
void spool_drop(struct spool *s);

struct spool_file *spool_keep(struct spool_file *f);
void spool_release(struct spool_file **f); /* NULL is fine */
const struct spool_facts *spool_facts(const struct spool_file *f);
/* The bytes at `offset`, as many as there are up to `size`; *n_out 0 at the end. */
MUST_CHECK int spool_read(const struct spool_file *f, uint64_t offset, char *out, size_t size, size_t *n_out,
                          struct err *e);
/* A descriptor of its own that reads the file from its start (close it), for a program's standard input. */
MUST_CHECK int spool_open(const struct spool_file *f, int *fd_out, struct err *e);

#endif
