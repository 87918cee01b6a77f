/* SPDX-License-Identifier: MIT
 * array.h - the one way in which arrays grow here: doubled when they are full.
 *
 *     if (a->count == a->cap) {
 *         struct item *v = array_grow(a->v, &a->cap, sizeof(*v));
 *         if (v == NULL)
 *             return err_nomem(e);
 *         a->v = v;
 *     }
 *     a->v[a->count++] = item;
 */
#ifndef MAILHAUL_BASE_ARRAY_H
#define MAILHAUL_BASE_ARRAY_H

#include "base/base.h"

/* Room for twice as many items (16 at first); *cap is updated. NULL: no memory, and the old array and *cap stand. */
MUST_CHECK void *array_grow(void *v, size_t *cap, size_t item_size);

#endif
