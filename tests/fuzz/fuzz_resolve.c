/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "net/resolve.h"

/* Touches every byte. */
static unsigned digest(struct slice s)
{
    unsigned sum = 0;

    for (size_t i = 0; i < s.n; i++)
        sum = (sum + (unsigned char)s.p[i]) % 256;
    return sum;
}

static void look(const struct resolve_answer *a, enum resolve_type type)
{
    MUST(a->count <= RESOLVE_RECORDS_MAX && strlen(a->name) < HOST_MAX);
    for (size_t i = 0; i < a->count; i++) {
        if (type == RESOLVE_MX) {
            const char *host = a->records.mx[i].host;

            MUST(strlen(host) < HOST_MAX && strpbrk(host, " \r\n\\@<>") == NULL);
        }
        if (type == RESOLVE_TXT)
            MUST(digest(a->records.txt[i]) < 256);
        if (type == RESOLVE_TLSA)
            MUST(a->records.tlsa[i].data.n > 0 && digest(a->records.tlsa[i].data) < 256);
    }
}

/* The first byte tells what was asked. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make((const char *)data, size);
    enum resolve_type type = (enum resolve_type)(fuzz_byte(&in) % (RESOLVE_TLSA + 1));
    struct resolve_answer a;

    if (resolve_parse(in, type, &a) == 0)
        look(&a, type);
    resolve_release(&a);
    return 0;
}
