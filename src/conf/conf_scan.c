/* SPDX-License-Identifier: MIT */
#include "conf/conf_int.h"

enum token { TOKEN_NONE, TOKEN_WORD, TOKEN_STRING, TOKEN_VALUE, TOKEN_EQUALS, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_COMMA };

/* Nothing is nested deeper than a list in a deliver section in an account. */
enum { OPEN_MAX = 8 };

struct scan {
    struct conf_report *report;
    const char *file;
    struct buf *text;
    size_t at;
    int line;
    enum token before; /* the token before this one */
    bool in_list;
    int open[OPEN_MAX]; /* the lines of the braces that are not closed yet */
    size_t depth;
    struct slice key; /* the last word that was no value */
    int secret_line;
    int secret_value_line; /* where the last value stands, when it is a secret; else 0 */
    int blank_line;        /* of the last secret with a blank */
    int comma_line;        /* of the last comma complained of: once a line is enough */
    bool broken;
};

static int peek(const struct scan *s, size_t ahead)
{
    return s->at + ahead < s->text->len ? (unsigned char)s->text->p[s->at + ahead] : -1;
}

static void complain(struct scan *s, int line, const char *what)
{
    s->broken = true;
    conf_report(s->report, s->file, line, "%s", what);
}

static void blank(struct scan *s)
{
    if (s->text->p[s->at] == '\n')
        s->line++;
    else
        s->text->p[s->at] = ' ';
    s->at++;
}

static void line_comment(struct scan *s)
{
    while (peek(s, 0) >= 0 && peek(s, 0) != '\n')
        blank(s);
}

static void block_comment(struct scan *s)
{
    int begin = s->line;

    while (peek(s, 0) >= 0 && !(peek(s, 0) == '*' && peek(s, 1) == '/'))
        blank(s);
    if (peek(s, 0) < 0) {
        complain(s, begin, "this comment has no end: */ is missing");
        return;
    }
    blank(s);
    blank(s);
}

/* At "${": true when it is a well-formed variable; then s->at is behind its "}". */
static bool variable(struct scan *s)
{
    char name[128];
    const char *p = s->text->p + s->at + 2;
    size_t left = s->text->len - s->at - 2, n = 0;
    const char *colon;
    bool fallback;

    while (n < left && p[n] != '}' && p[n] != '\n' && p[n] != '"')
        n++;
    if (n == left || p[n] != '}') {
        complain(s, s->line, "\"${\" without \"}\": write ${NAME}, or \\${ for the two characters");
        return false;
    }
    s->at += n + 3;
    colon = memchr(p, ':', n);
    fallback = colon != NULL && colon[1] == '-';
    log_printable(name, sizeof(name), slice_make(p, n));
    if (!fallback && getenv(name) == NULL) {
        s->broken = true;
        conf_report(s->report, s->file, s->line,
                    "the environment variable %s is not set (single quotes take ${ literally)", name);
    }
    return true;
}

/* What the lexer would turn into a NUL, and so into the end of the value. */
static bool escapes_nul(const struct scan *s)
{
    if (peek(s, 1) == 'x')
        return peek(s, 2) == '0' &&
               (peek(s, 3) == '0' || peek(s, 3) < 0 || strchr("0123456789abcdefABCDEF", peek(s, 3)) == NULL);
    if (peek(s, 1) != '0')
        return false;
    for (size_t i = 2; i <= 3 && peek(s, i) >= '0' && peek(s, i) <= '7'; i++) {
        if (peek(s, i) != '0')
            return false;
    }
    return true;
}

/* Behind the opening quote. Sets *literal when there is anything but variables inside. */
static void quoted(struct scan *s, char quote, bool *literal)
{
    int begin = s->line;

    while (peek(s, 0) >= 0 && peek(s, 0) != quote) {
        if (quote == '"' && peek(s, 0) == '$' && peek(s, 1) == '{') {
            if (variable(s))
                continue;
            *literal = true;
        }
        if (peek(s, 0) == '\\') {
            if (quote == '"' && escapes_nul(s))
                complain(s, s->line, "a value cannot hold a NUL character");
            *literal = true;
            s->at++;
            if (peek(s, 0) < 0)
                break;
        }
        *literal = true;
        s->line += peek(s, 0) == '\n';
        s->at++;
    }
    if (peek(s, 0) < 0) {
        complain(s, begin, "this string has no end: the closing quote is missing");
        return;
    }
    s->at++;
}

/* A proxy's password stands in its URL, in front of the "@". */
static void value(struct scan *s, struct slice bytes, bool literal, int line)
{
    bool secret = slice_eq(s->key, SLICE("password")) || slice_eq(s->key, SLICE("oauth_client_secret")) ||
                  (slice_eq(s->key, SLICE("proxy")) && bytes.n > 0 && memchr(bytes.p, '@', bytes.n) != NULL);

    if (s->in_list && s->before == TOKEN_VALUE)
        complain(s, line, "a comma is missing between two values of this list");
    if (secret && literal && s->secret_line == 0)
        s->secret_line = line;
    s->secret_value_line = secret ? line : 0;
}

static void comma(struct scan *s)
{
    if (!s->in_list && s->comma_line != s->line) {
        complain(s, s->line,
                 "a comma outside of a list: write several values as { \"one\", \"two\" }, and settings "
                 "without commas in between");
        s->comma_line = s->line;
    }
    s->before = TOKEN_COMMA;
}

static void string(struct scan *s)
{
    int line = s->line;
    char quote = s->text->p[s->at++];
    bool literal = false;
    size_t begin = s->at;

    quoted(s, quote, &literal);
    if (s->before == TOKEN_EQUALS || s->in_list) {
        value(s, slice_make(s->text->p + begin, s->at - begin), literal, line);
        s->before = TOKEN_VALUE;
    } else if (s->before == TOKEN_WORD) {
        s->before = TOKEN_STRING;
    } else if (s->before == TOKEN_COMMA) {
        s->before = TOKEN_VALUE;
    } else {
        complain(s, line, "a string where a key was expected: keys are written without quotes");
        s->before = TOKEN_VALUE;
    }
}

static bool in_word(int c)
{
    return c > ' ' && c != 0x7f && strchr("#\"'={}()+,*", c) == NULL;
}

static bool is_known(struct slice w)
{
    static const char *const sections[] = { "account", "defaults", "deliver" };

    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        if (slice_eq(w, slice_str(sections[i])))
            return true;
    }
    for (size_t i = 0; i < conf_key_count; i++) {
        if (slice_eq(w, slice_str(conf_keys[i].name)))
            return true;
    }
    return false;
}

/* Told here, and only once, so that the other words of a password are not shown as keys that nobody knows. */
static bool is_rest_of_secret(struct scan *s, struct slice w)
{
    if (s->before != TOKEN_VALUE || s->secret_value_line != s->line || is_known(w))
        return false;
    if (s->blank_line != s->line)
        complain(s, s->line, "put this secret in quotes: there is a blank in it");
    s->blank_line = s->line;
    return true;
}

static void word(struct scan *s)
{
    size_t begin = s->at;
    struct slice w;

    while (in_word(peek(s, 0)))
        s->at++;
    w = slice_make(s->text->p + begin, s->at - begin);
    if (peek(s, 0) == '#' || peek(s, 0) == '*' || peek(s, 0) == '+')
        complain(s, s->line, "put this value in quotes: it holds a character with a meaning of its own (# * +)");
    if (s->before == TOKEN_EQUALS || s->in_list) {
        value(s, w, true, s->line);
        s->before = TOKEN_VALUE;
    } else if (s->before == TOKEN_WORD) {
        s->before = TOKEN_STRING;
    } else if (!is_rest_of_secret(s, w)) {
        s->key = w;
        s->before = TOKEN_WORD;
    }
}

static void punctuation(struct scan *s)
{
    int c = peek(s, 0);

    s->at++;
    if (c == '{') {
        s->in_list = s->before == TOKEN_EQUALS;
        s->before = TOKEN_OPEN;
        if (s->depth < OPEN_MAX)
            s->open[s->depth] = s->line;
        s->depth++;
    } else if (c == '}') {
        s->in_list = false;
        s->before = TOKEN_CLOSE;
        if (s->depth == 0)
            complain(s, s->line, "this \"}\" closes nothing");
        else
            s->depth--;
    } else if (c == ',') {
        comma(s);
    } else if (c == '=' || (c == '+' && peek(s, 0) == '=')) {
        s->at += c == '+';
        if (s->before != TOKEN_WORD)
            complain(s, s->line, "\"=\" without a key in front of it");
        s->before = TOKEN_EQUALS;
    } else {
        char what[80], shown[8];

        log_printable(shown, sizeof(shown), slice_make(s->text->p + s->at - 1, 1));
        snprintf(what, sizeof(what), "unexpected \"%s\"; does a value need quotes?", shown);
        complain(s, s->line, what);
    }
}

static void step_over(struct scan *s)
{
    int c = peek(s, 0);

    if (c == '\n' || c == ' ' || c == '\t' || c == '\r')
        blank(s);
    else if (c == '#' || (c == '/' && peek(s, 1) == '/'))
        line_comment(s);
    else if (c == '/' && peek(s, 1) == '*')
        block_comment(s);
    else if (c == '"' || c == '\'')
        string(s);
    else if (c == '$' && peek(s, 1) == '{') {
        if (variable(s))
            s->before = s->before == TOKEN_WORD ? TOKEN_STRING : TOKEN_VALUE;
        else
            s->at++;
    } else if (in_word(c))
        word(s);
    else
        punctuation(s);
}

int conf_scan(struct conf_report *r, const char *file, struct buf *text, struct conf_scan *out)
{
    struct scan s = { .report = r, .file = file, .text = text, .line = 1 };

    *out = (struct conf_scan){ 0 };
    if (slice_has_nul(buf_slice(text)))
        return conf_report(r, file, 0, "this is no text file: there is a NUL character in it");
    if (slice_starts(buf_slice(text), SLICE("\xef\xbb\xbf"))) {
        for (int i = 0; i < 3; i++)
            blank(&s);
    }
    while (s.at < text->len && r->count < CONF_REPORT_MAX)
        step_over(&s);
    /* The library takes a section without end for a whole one. */
    if (s.depth > 0 && !s.broken)
        complain(&s, s.open[size_min(s.depth, OPEN_MAX) - 1], "the \"{\" of this line has no \"}\"");
    out->secret_line = s.secret_line;
    return s.broken ? -1 : 0;
}
