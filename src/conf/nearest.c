/* SPDX-License-Identifier: MIT */
#include "conf/conf.h"

#include "conf/conf_int.h"

/* Edits between two words, two neighbours exchanged counting as one (optimal string alignment). */
static size_t distance(struct slice a, struct slice b)
{
    unsigned char rows[3][CONF_NEAREST_MAX + 1];
    unsigned char *before = rows[0], *last = rows[1], *now = rows[2];

    for (size_t j = 0; j <= b.n; j++)
        last[j] = (unsigned char)j;
    for (size_t i = 1; i <= a.n; i++) {
        now[0] = (unsigned char)i;
        for (size_t j = 1; j <= b.n; j++) {
            bool same = ascii_lower(a.p[i - 1]) == ascii_lower(b.p[j - 1]);
            size_t best = size_min(size_min(now[j - 1], last[j]) + 1u, last[j - 1] + (same ? 0u : 1u));

            if (i > 1 && j > 1 && ascii_lower(a.p[i - 1]) == ascii_lower(b.p[j - 2]) &&
                ascii_lower(a.p[i - 2]) == ascii_lower(b.p[j - 1]))
                best = size_min(best, before[j - 2] + 1u);
            now[j] = (unsigned char)best;
        }
        unsigned char *old = before;
        before = last;
        last = now;
        now = old;
    }
    return last[b.n];
}

static const char *search(const char *word, const char *const *names, size_t count, bool slips_only)
{
    struct slice w = slice_str(word);
    const char *nearest = NULL;
    size_t best = SIZE_MAX;

    if (w.n == 0 || w.n > CONF_NEAREST_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        struct slice name = slice_str(names[i]);
        bool begins = w.n >= 3 && name.n >= 3 && (slice_istarts(name, w) || slice_istarts(w, name));
        size_t edits, score;

        if (name.n == 0 || name.n > CONF_NEAREST_MAX)
            continue;
        edits = distance(w, name);
        if (slips_only && !begins && (edits > 1 + size_min(w.n, name.n) / 5 || edits >= size_min(w.n, name.n)))
            continue;
        /* "pass" for "password", "username" for "user": many edits away, and what most people mean; behind one edit. */
        score = begins ? size_min(2 * edits, 3) : 2 * edits;
        if (score < best) {
            best = score;
            nearest = names[i];
        }
    }
    return nearest;
}

const char *conf_nearest(const char *word, const char *const *names, size_t count)
{
    return search(word, names, count, true);
}

const char *conf_nearest_any(const char *word, const char *const *names, size_t count)
{
    return search(word, names, count, false);
}
