/* SPDX-License-Identifier: MIT */
#include "base/secret.h"

#include <sys/mman.h>

enum { PAGE = 4096 };

int secret_set(struct secret *s, struct slice value)
{
    char *p;

    secret_release(s);
    if (value.n > SECRET_MAX)
        return -1;
    p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return -1;
    (void)mlock(p, PAGE);
    (void)madvise(p, PAGE, MADV_DONTDUMP);
    (void)madvise(p, PAGE, MADV_WIPEONFORK);
    if (value.n > 0)
        memcpy(p, value.p, value.n);
    s->p = p;
    s->n = value.n;
    return 0;
}

void secret_release(struct secret *s)
{
    if (s->p != NULL) {
        explicit_bzero(s->p, PAGE);
        munmap(s->p, PAGE);
    }
    *s = (struct secret){ NULL, 0 };
}

bool secret_is_set(const struct secret *s)
{
    return s->p != NULL;
}

struct slice secret_get(const struct secret *s)
{
    return slice_make(s->p, s->n);
}
