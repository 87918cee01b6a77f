/* SPDX-License-Identifier: MIT */
#include "base/array.h"

enum { FIRST = 16 };

void *array_grow(void *v, size_t *cap, size_t item_size)
{
    size_t more = *cap > 0 ? *cap * 2 : FIRST;
    void *grown = more > *cap ? reallocarray(v, more, item_size) : NULL;

    if (grown != NULL)
        *cap = more;
    return grown;
}
