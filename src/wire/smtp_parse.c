/* SPDX-License-Identifier: MIT */
#include "wire/smtp_parse.h"

#include "base/num.h"
#include "wire/sasl_name.h"

enum {
    CODE_DIGITS = 3,
    /* RFC 3463 section 2: subject and detail have at most three digits. */
    ENHANCED_MAX = 999,
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The word at the front of *s, which moves behind it. */
static struct slice take_word(struct slice *s)
{
    struct slice word;

    *s = slice_trim(*s);
    word = slice_make(s->p, 0);
    while (word.n < s->n && !is_blank(s->p[word.n]))
        word.n++;
    *s = slice_from(*s, word.n);
    return word;
}

int smtp_parse_line(struct slice line, struct smtp_line *out)
{
    unsigned code = 0;
    bool more;

    while (line.n > 0 && (is_blank(line.p[line.n - 1]) || line.p[line.n - 1] == '\r'))
        line.n--;
    if (line.n < CODE_DIGITS)
        return -1;
    for (size_t i = 0; i < CODE_DIGITS; i++) {
        if (!ascii_isdigit(line.p[i]))
            return -1;
        code = code * 10 + (unsigned)(line.p[i] - '0');
    }
    if (code < 200 || code > 599)
        return -1;
    line = slice_from(line, CODE_DIGITS);
    more = line.n > 0 && line.p[0] == '-';
    if (line.n > 0 && !more && !is_blank(line.p[0]))
        return -1;
    *out = (struct smtp_line){ .code = code, .last = !more, .text = slice_trim(slice_from(line, more)) };
    return 0;
}

static bool take_dot(struct slice *s)
{
    if (s->n == 0 || s->p[0] != '.')
        return false;
    *s = slice_from(*s, 1);
    return true;
}

static bool take_part(struct slice *s, unsigned *out)
{
    uint32_t n;

    if (num_take_u32(s, &n) != 0 || n > ENHANCED_MAX)
        return false;
    *out = n;
    return true;
}

bool smtp_take_enhanced(unsigned code, struct slice *text, struct smtp_enhanced *out)
{
    struct slice s = *text;
    struct smtp_enhanced got;

    if (!take_part(&s, &got.class) || !take_dot(&s) || !take_part(&s, &got.subject) || !take_dot(&s) ||
        !take_part(&s, &got.detail) || (s.n > 0 && !is_blank(s.p[0])))
        return false;
    if (got.class != code / 100 || got.class == 3)
        return false;
    *out = got;
    *text = slice_trim(s);
    return true;
}

static const struct {
    const char *name;
    uint32_t bits;
} cap_names[] = {
    { "PIPELINING", SMTP_CAP_PIPELINING },
    { "CHUNKING", SMTP_CAP_CHUNKING },
    { "8BITMIME", SMTP_CAP_8BITMIME },
    { "SMTPUTF8", SMTP_CAP_SMTPUTF8 },
    { "SIZE", SMTP_CAP_SIZE },
    { "STARTTLS", SMTP_CAP_STARTTLS },
    { "ENHANCEDSTATUSCODES", SMTP_CAP_ENHANCED },
    { "BURL", SMTP_CAP_BURL },
    { "AUTH", SMTP_CAP_AUTH },
};

uint32_t smtp_cap_from_name(struct slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(cap_names); i++) {
        if (slice_ieq(name, slice_str(cap_names[i].name)))
            return cap_names[i].bits;
    }
    return 0;
}

static void parse_auth(struct slice mechanisms, struct smtp_caps *out)
{
    if (slice_trim(mechanisms).n > 0)
        out->bits |= SMTP_CAP_AUTH;
    out->auth |= sasl_from_list(mechanisms);
}

/* RFC 1870 section 4: no number, or 0, is no limit. */
static void parse_size(struct slice number, struct smtp_caps *out)
{
    uint64_t n;

    out->bits |= SMTP_CAP_SIZE;
    if (num_parse_u64(number, &n) == 0 && n > 0 && (out->max_size == 0 || n < out->max_size))
        out->max_size = n;
}

void smtp_parse_cap_line(struct slice text, struct smtp_caps *out)
{
    struct slice rest = text, name = take_word(&rest);

    if (slice_ieq(name, SLICE("AUTH")))
        parse_auth(rest, out);
    else if (slice_istarts(name, SLICE("AUTH=")))
        parse_auth(slice_from(slice_trim(text), strlen("AUTH=")), out);
    else if (slice_ieq(name, SLICE("SIZE")))
        parse_size(take_word(&rest), out);
    else
        out->bits |= smtp_cap_from_name(name);
}
