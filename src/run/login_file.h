/* SPDX-License-Identifier: MIT
 * login_file.h - the small files that are kept for a login between runs: conf_login.state and a suffix. Mode 0600,
 * replaced as a whole.
 * Thread: any.
 */
#ifndef MAILHAUL_RUN_LOGIN_FILE_H
#define MAILHAUL_RUN_LOGIN_FILE_H

#include "conf/conf.h"

struct login_file {
    int dir;
    struct buf name; /* in `dir` */
};
#define LOGIN_FILE_INIT ((struct login_file){ .dir = -1 })

/* Opens the state directory, which is there (session_state_dir()). E_DISK. */
MUST_CHECK int login_file_open(struct login_file *f, const struct conf_login *l, const char *suffix, struct err *e);
void login_file_release(struct login_file *f);
/* Appends what is in it; nothing when there is none. E_DISK: it cannot be read, or it is not ours alone (another
 * owner, or readable by others). */
MUST_CHECK int login_file_read(const struct login_file *f, struct buf *out, struct err *e);
MUST_CHECK int login_file_write(const struct login_file *f, struct slice bytes, bool durable, struct err *e);

#endif
