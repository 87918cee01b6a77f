/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "wire/address.h"
#include "wire/utf8.h"

/* What address.h promises about each one: it fits between < and > of a command. */
static void check_safe(struct slice text)
{
    bool quoted = false;

    MUST(text.n > 0 && text.n <= ADDRESS_MAX);
    MUST(utf8_valid(text));
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];

        MUST(c >= 0x20 && c != 0x7f);
        MUST(c != 0xc2 || (unsigned char)text.p[i + 1] >= 0xa0);
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else
            MUST(quoted || (c != ' ' && c != '<' && c != '>'));
    }
    MUST(!quoted);
}

static void check_address(struct slice whole, const struct address *a)
{
    struct buf path = BUF_INIT(ADDRESS_MAX + 100);
    struct address again;
    bool utf8 = false;

    check_safe(a->text);
    MUST(a->text.p >= whole.p && a->text.p + a->text.n <= whole.p + whole.n);
    MUST(a->local.p == a->text.p && a->local.n > 0);
    MUST(a->local.n == a->text.n || a->local.n + 1 + a->domain.n == a->text.n);
    for (size_t i = 0; i < a->text.n; i++)
        utf8 = utf8 || (unsigned char)a->text.p[i] >= 0x80;
    MUST(a->utf8 == utf8);

    MUST(buf_put_str(&path, " <@r.example,@s:") == 0);
    MUST(buf_put_slice(&path, a->text) == 0);
    MUST(buf_put_str(&path, ">") == 0);
    MUST(address_parse(a->text, &again) == 0 && slice_eq(again.text, a->text));
    MUST(address_parse(buf_slice(&path), &again) == 0 && slice_eq(again.text, a->text));
    MUST(slice_eq(again.local, a->local) && slice_eq(again.domain, a->domain));
    buf_release(&path);
}

/* What was found in one list is found again in a plain list of it. */
static void check_list(struct slice value)
{
    struct buf list = BUF_INIT(SIZE_MAX / 4);
    struct slice rest = value, again;
    const char *behind = value.p;
    struct address a, b;

    while (address_next(&rest, &a)) {
        check_address(value, &a);
        MUST(a.text.p >= behind && a.text.p + a.text.n <= rest.p);
        behind = rest.p;
        MUST(buf_putf(&list, "\"x, y\" (z) <%.*s>, ", SLICE_ARG(a.text)) == 0);
    }
    MUST(rest.n == 0);
    rest = value;
    again = buf_slice(&list);
    while (address_next(&rest, &a))
        MUST(address_next(&again, &b) && slice_eq(a.text, b.text));
    MUST(!address_next(&again, &b));
    buf_release(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make((const char *)data, size);
    struct address a;

    if (address_parse(in, &a) == 0) {
        check_address(in, &a);
        MUST(!address_is_null(in));
    }
    check_list(in);
    return 0;
}
