/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "wire/folder.h"

enum { LONGEST = 300 };

static bool same(char p, char n, char delimiter, bool any_case)
{
    return p == n || (p == '/' && delimiter != '\0' && n == delimiter) ||
           (any_case && ascii_lower(p) == ascii_lower(n));
}

/* What the two wildcards mean, tried out. Gives up (and says "no") when `budget` is used. */
static bool match(struct slice p, struct slice n, char delimiter, size_t inbox, int *budget)
{
    if (--*budget <= 0)
        return false;
    if (p.n == 0)
        return n.n == 0;
    if (p.p[0] == '*' || p.p[0] == '%') {
        for (size_t i = 0;; i++) {
            if (match(slice_from(p, 1), slice_from(n, i), delimiter, i < inbox ? inbox - i : 0, budget))
                return true;
            if (i == n.n || (p.p[0] == '%' && delimiter != '\0' && n.p[i] == delimiter))
                return false;
        }
    }
    return n.n > 0 && same(p.p[0], n.p[0], delimiter, inbox > 0) &&
           match(slice_from(p, 1), slice_from(n, 1), delimiter, inbox > 0 ? inbox - 1 : 0, budget);
}

/* Bytes: delimiter, pattern, NUL, name. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make((const char *)data, size), pattern, name;
    char delimiter = "/.\0*%a"[fuzz_byte(&in) % 6];
    char exclude[LONGEST + 2] = "!", *include = exclude + 1;
    const char *list[] = { include, exclude, include };
    const char *nul = in.n > 0 ? memchr(in.p, '\0', in.n) : NULL;
    bool matches, inbox;
    int budget = 20000;

    if (nul == NULL)
        return 0;
    pattern = slice_make(in.p, (size_t)(nul - in.p));
    name = slice_from(in, pattern.n + 1);
    if (pattern.n > LONGEST || name.n > LONGEST)
        return 0;
    matches = folder_match(pattern, name, delimiter);
    inbox = slice_istarts(name, SLICE("INBOX")) && (name.n == 5 || (delimiter != '\0' && name.p[5] == delimiter));
    MUST(match(pattern, name, delimiter, inbox ? 5 : 0, &budget) == matches || budget <= 0);

    if (pattern.n > 0 && pattern.p[0] != '!' && pattern.p[0] != '\\') {
        memcpy(include, pattern.p, pattern.n);
        include[pattern.n] = '\0';
        MUST(folder_selected(list, 1, name, delimiter, 0) == matches);
        MUST(!folder_selected(list, 2, name, delimiter, 0));
        MUST(!folder_selected(list, 3, name, delimiter, 0));
        MUST(!folder_selected(list + 1, 2, name, delimiter, 0));
    }
    if (!folder_is_pattern(pattern) && matches && pattern.n > 0 && memchr(pattern.p, '/', pattern.n) == NULL)
        MUST(slice_ieq(pattern, name));
    return 0;
}
