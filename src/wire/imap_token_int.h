/* SPDX-License-Identifier: MIT
 * imap_token_int.h - the tokens of an IMAP response (RFC 3501 section 4), for the parsers of this room only.
 *
 * Works on the text that imap_reader.h hands out: a stored literal is "{n}" CRLF bytes, a streamed one "{n}" alone.
 * Pure views, nothing is copied, nothing recurses; each byte is looked at once.
 */
#ifndef MAILHAUL_WIRE_IMAP_TOKEN_INT_H
#define MAILHAUL_WIRE_IMAP_TOKEN_INT_H

#include "base/slice.h"

/* Parentheses inside each other, those of the response itself included. BODYSTRUCTURE of real mail stays below 20. */
enum { IMAP_NESTING = 32 };

enum imap_token_kind {
    IMAP_TOKEN_END, /* nothing left */
    IMAP_TOKEN_OPEN,
    IMAP_TOKEN_CLOSE,
    IMAP_TOKEN_ATOM,
    IMAP_TOKEN_NIL,      /* an atom too: where a name is expected, NIL is that name */
    IMAP_TOKEN_QUOTED,   /* value: between the quotes, escapes still in it */
    IMAP_TOKEN_LITERAL,  /* value: its bytes */
    IMAP_TOKEN_STREAMED, /* a body went by; value is empty */
    IMAP_TOKEN_BAD       /* a control byte, a quote that does not end, a malformed or cut literal */
};

struct imap_token {
    enum imap_token_kind kind;
    struct slice value;
    struct slice raw; /* as it stands in the text, quotes and literal header included */
};

static inline void imap_skip_blanks(struct slice *in)
{
    while (in->n > 0 && (in->p[0] == ' ' || in->p[0] == '\t'))
        *in = slice_from(*in, 1);
}

/* Blanks, a parenthesis or a control byte: what ends an atom. Lenient: real flags and names hold everything else. */
static inline bool imap_ends_atom(char c)
{
    return (unsigned char)c <= ' ' || c == '(' || c == ')' || c == '\x7f';
}

/* Skips blanks, takes the next token, and moves *in behind it. Once BAD, *in is of no more use. */
struct imap_token imap_token_take(struct slice *in);

/* Takes the bytes up to what ends an atom; may be empty. */
struct slice imap_take_atom(struct slice *in);

/* Takes "{n}" or "{n+}" at the front. -1: it is none, or n does not fit 64 bits; *in is as before. */
MUST_CHECK int imap_take_literal_header(struct slice *in, uint64_t *octets_out);

/* Behind the quote at the front of `in`, up to the one that ends it: the length of the whole with both, or 0 when the
 * string does not end, or a line ends first. */
size_t imap_quoted_length(struct slice in);

/* Takes the name of a FETCH item with its section, "BODY[HEADER.FIELDS (TO)]<0>". Empty: there is none. */
struct slice imap_take_item(struct slice *in);
/* Such a name stands for bytes of a message: BODY[...], BODY.PEEK[...] (some servers echo it), BINARY[...], RFC822,
 * RFC822.HEADER, RFC822.TEXT. */
bool imap_is_body_item(struct slice item);

/* Skips one value of any kind, lists inside lists included. `depth`: parentheses open around it. */
MUST_CHECK int imap_skip_value(struct slice *in, unsigned depth);

/* Takes "(" value ")" or the bare value, as OBJECTID and MODSEQ have it: one atom or string. n == 0: NIL or an empty
 * list. -1: something else, which is not skipped. */
MUST_CHECK int imap_take_wrapped(struct slice *in, struct slice *value_out);

#endif
