/* SPDX-License-Identifier: MIT
 * base.h - what every file includes first: the build's configuration, the standard types and three attributes.
 */
#ifndef MAILHAUL_BASE_H
#define MAILHAUL_BASE_H

#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* A result that nobody looks at is a lost message sooner or later. */
#define MUST_CHECK             __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

static inline size_t size_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

#endif
