/* SPDX-License-Identifier: MIT
 * secret.h - a password or token: kept on a page of its own that is locked, left out of core dumps and of forked
 * children, and overwritten when it is let go.
 *
 * It is never given to a function that logs. mlock() may be refused (RLIMIT_MEMLOCK); the rest then still holds.
 * Thread: a secret is not changed while others read it.
 */
#ifndef MAILHAUL_BASE_SECRET_H
#define MAILHAUL_BASE_SECRET_H

#include "base/slice.h"

enum { SECRET_MAX = 4096 - 16 };

struct secret {
    char *p; /* owned page, with a NUL behind the value; NULL: not set */
    size_t n;
};

/* Copies; what was held before is wiped first. -1: longer than SECRET_MAX, or no memory. */
MUST_CHECK int secret_set(struct secret *s, struct slice value);
void secret_release(struct secret *s);
bool secret_is_set(const struct secret *s);
/* Borrowed until the secret changes. */
struct slice secret_get(const struct secret *s);

#endif
