/* SPDX-License-Identifier: MIT
 * scratch.h - a directory of its own for each test of the configuration, and what the program says while it loads one.
 */
#ifndef MAILHAUL_UNIT_CONF_SCRATCH_H
#define MAILHAUL_UNIT_CONF_SCRATCH_H

#include "../unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "conf/conf.h"

struct scratch {
    char dir[64];
    char said[16384]; /* lines for standard error of the last load, without "DIR/" */
};

static inline int scratch_setup(void **state)
{
    struct scratch *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return -1;
    snprintf(s->dir, sizeof(s->dir), "/tmp/mailhaul-conf-XXXXXX");
    *state = s;
    return mkdtemp(s->dir) != NULL && setenv("HOME", s->dir, 1) == 0 && unsetenv("XDG_CONFIG_HOME") == 0 &&
                   unsetenv("XDG_STATE_HOME") == 0
               ? 0
               : -1;
}

static inline int scratch_remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static inline int scratch_teardown(void **state)
{
    struct scratch *s = *state;
    int rc = nftw(s->dir, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS);

    free(s);
    return rc;
}

/* DIR/name; one at a time. */
static inline const char *scratch_path(struct scratch *s, const char *name)
{
    static char path[300];

    snprintf(path, sizeof(path), "%s/%s", s->dir, name);
    return path;
}

static inline void scratch_file(struct scratch *s, const char *name, mode_t mode, struct slice text)
{
    int fd = open(scratch_path(s, name), O_WRONLY | O_CREAT | O_TRUNC, mode);

    CHECK(fd >= 0);
    CHECK_INT(io_write_all(fd, text.p, text.n), 0);
    CHECK_INT(fchmod(fd, mode), 0);
    close(fd);
}

static inline void scratch_strip(struct scratch *s)
{
    struct buf out = BUF_INIT(sizeof(s->said) - 1);
    size_t n = strlen(s->dir);

    for (const char *p = s->said; *p != '\0';) {
        if (strncmp(p, s->dir, n) == 0 && p[n] == '/') {
            p += n + 1;
            continue;
        }
        CHECK_INT(buf_put_char(&out, *p++), 0);
    }
    memcpy(s->said, buf_cstr(&out), out.len + 1);
    buf_release(&out);
}

/* conf_load() with its messages kept in s->said. */
static inline int scratch_load(struct scratch *s, const char *path, struct conf **out, struct err *e)
{
    char name[80];
    int screen = dup(STDERR_FILENO), fd, rc;
    ssize_t got;

    snprintf(name, sizeof(name), "%s/.said", s->dir);
    fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(screen >= 0 && fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    rc = conf_load(path, out, e);
    dup2(screen, STDERR_FILENO);
    close(screen);
    got = pread(fd, s->said, sizeof(s->said) - 1, 0);
    CHECK(got >= 0);
    s->said[got] = '\0';
    close(fd);
    unlink(name);
    scratch_strip(s);
    return rc;
}

#endif
