/* SPDX-License-Identifier: MIT */
#include "wire/pop3_parse.h"

#include "base/num.h"
#include "wire/limits.h"
#include "wire/sasl_name.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_alnum(char c)
{
    char l = ascii_lower(c);

    return ascii_isdigit(c) || (l >= 'a' && l <= 'z');
}

/* Moves *s behind the blanks at its front and tells whether there were any. */
static bool skip_blanks(struct slice *s)
{
    size_t i = 0;

    while (i < s->n && is_blank(s->p[i]))
        i++;
    if (i > 0)
        *s = slice_from(*s, i);
    return i > 0;
}

static struct slice take_word(struct slice *s)
{
    struct slice word;

    skip_blanks(s);
    word = slice_make(s->p, 0);
    while (word.n < s->n && !is_blank(s->p[word.n]))
        word.n++;
    if (word.n > 0)
        *s = slice_from(*s, word.n);
    return word;
}

/* Moves *s behind `word` when it stands there alone: "+OK" is not the beginning of "+OKAY". */
static bool take_status(struct slice *s, struct slice word)
{
    if (!slice_istarts(*s, word) || (s->n > word.n && is_alnum(s->p[word.n])))
        return false;
    *s = slice_from(*s, word.n);
    return true;
}

/* RFC 2449 section 3: resp-code. Something else in brackets is part of the text. */
static struct slice take_code(struct slice *text)
{
    struct slice code = SLICE_NONE;

    if (text->n == 0 || text->p[0] != '[')
        return SLICE_NONE;
    code = slice_from(*text, 1);
    for (size_t i = 0; i < code.n; i++) {
        if (code.p[i] == ']' && i > 0) {
            *text = slice_from(code, i + 1);
            return slice_make(code.p, i);
        }
        if (code.p[i] <= ' ' || code.p[i] == 0x7f || code.p[i] == ']' || code.p[i] == '[')
            return SLICE_NONE;
    }
    return SLICE_NONE;
}

int pop3_parse_reply(struct slice line, struct pop3_reply *out)
{
    struct slice s = slice_trim(line);

    *out = (struct pop3_reply){ .code = SLICE_NONE, .text = SLICE_NONE };
    if (take_status(&s, SLICE("+OK"))) {
        out->status = POP3_OK;
    } else if (take_status(&s, SLICE("-ERR"))) {
        out->status = POP3_ERR;
    } else if (s.n > 0 && s.p[0] == '+' && (s.n == 1 || is_blank(s.p[1]))) {
        out->status = POP3_CONTINUE;
        out->text = slice_trim(slice_from(s, 1));
        return 0;
    } else {
        return -1;
    }
    s = slice_trim(s);
    out->code = take_code(&s);
    out->text = slice_trim(s);
    return 0;
}

static const struct {
    const char *name;
    uint32_t bits;
} cap_names[] = {
    { "TOP", POP3_CAP_TOP },
    { "USER", POP3_CAP_USER },
    { "UIDL", POP3_CAP_UIDL },
    { "PIPELINING", POP3_CAP_PIPELINING },
    { "STLS", POP3_CAP_STLS },
    { "RESP-CODES", POP3_CAP_RESP_CODES },
    { "AUTH-RESP-CODE", POP3_CAP_AUTH_RESP_CODE },
    { "LANG", POP3_CAP_LANG },
    { "UTF8", POP3_CAP_UTF8 | POP3_CAP_UTF8_USER },
};

uint32_t pop3_cap_from_name(struct slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(cap_names); i++) {
        if (slice_ieq(name, slice_str(cap_names[i].name)))
            return cap_names[i].bits;
    }
    return 0;
}

void pop3_parse_cap_line(struct slice line, struct pop3_caps *out)
{
    struct slice rest = slice_trim(line), name = take_word(&rest), word;
    uint32_t n;

    if (slice_ieq(name, SLICE("SASL"))) {
        out->auth |= sasl_from_list(rest);
    } else if (slice_ieq(name, SLICE("UTF8"))) {
        out->bits |= POP3_CAP_UTF8;
        while ((word = take_word(&rest)).n > 0) {
            if (slice_ieq(word, SLICE("USER")))
                out->bits |= POP3_CAP_UTF8_USER;
        }
    } else if (slice_ieq(name, SLICE("LOGIN-DELAY"))) {
        if (num_parse_u32(take_word(&rest), &n) == 0 && n > out->login_delay)
            out->login_delay = n;
    } else if (slice_ieq(name, SLICE("EXPIRE"))) {
        if (num_parse_u32(take_word(&rest), &n) == 0 && n < out->expire_days)
            out->expire_days = n;
    } else if (name.n > 0 && memchr(name.p, '=', name.n) == NULL) {
        out->bits |= pop3_cap_from_name(name);
    }
}

int pop3_parse_stat(struct slice text, uint32_t *count_out, uint64_t *octets_out)
{
    struct slice s = slice_trim(text);
    uint32_t count;
    uint64_t octets;

    if (num_take_u32(&s, &count) != 0 || !skip_blanks(&s) || num_take_u64(&s, &octets) != 0)
        return -1;
    if (s.n > 0 && !is_blank(s.p[0]))
        return -1;
    *count_out = count;
    *octets_out = octets;
    return 0;
}

/* RFC 1939 section 4: the first message is number 1. */
static int take_number(struct slice *s, uint32_t *number_out)
{
    uint32_t number;

    *s = slice_trim(*s);
    if (num_take_u32(s, &number) != 0 || number == 0)
        return -1;
    *number_out = number;
    return 0;
}

int pop3_parse_uidl_line(struct slice line, uint32_t *number_out, struct slice *uidl_out)
{
    struct slice s = line;
    uint32_t number;

    if (take_number(&s, &number) != 0 || (s.n > 0 && !is_blank(s.p[0])))
        return -1;
    s = slice_trim(s);
    *number_out = number;
    *uidl_out = s.n <= LIMIT_UIDL ? s : SLICE_NONE;
    return 0;
}

int pop3_parse_list_line(struct slice line, uint32_t *number_out, uint64_t *octets_out)
{
    struct slice s = line;
    uint32_t number;
    uint64_t octets;

    if (take_number(&s, &number) != 0 || !skip_blanks(&s) || num_take_u64(&s, &octets) != 0)
        return -1;
    if (s.n > 0 && !is_blank(s.p[0]))
        return -1;
    *number_out = number;
    *octets_out = octets;
    return 0;
}
