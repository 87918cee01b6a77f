/* SPDX-License-Identifier: MIT */
#include "wire/imap_parse.h"

#include "../unit.h"
#include "wire/imap_reader.h"
#include "wire/limits.h"

/* The first response in `wire` as the reader hands it out at this chunk size, in memory of exactly its size: the caller
 * frees .p. Bodies are dropped. Every case goes this way, so that reader and parser agree on what a text looks like. */
static struct slice text_at(struct slice wire, size_t size)
{
    struct chunks c = CHUNKS_INIT(wire, size);
    struct slice in, text = SLICE_NONE;
    struct imap_reader r;

    imap_reader_init(&r);
    while (text.p == NULL && chunks_next(&c, &in)) {
        enum imap_event event;

        do {
            size_t used;

            event = imap_reader_next(&r, in, &used);
            in = slice_from(in, used);
            CHECK(event != IMAP_EV_BAD);
        } while (event != IMAP_EV_MORE && event != IMAP_EV_RESPONSE);
        if (event == IMAP_EV_RESPONSE) {
            char *p = malloc(r.text.n > 0 ? r.text.n : 1);
            CHECK(p != NULL);
            if (r.text.n > 0)
                memcpy(p, r.text.p, r.text.n);
            text = slice_make(p, r.text.n);
        }
    }
    CHECK(text.p != NULL);
    chunks_release(&c);
    imap_reader_release(&r);
    return text;
}

static void free_text(struct slice text)
{
    free((char *)(uintptr_t)text.p);
}

static const struct {
    const char *name;
    struct slice wire;
    int rc;
    struct imap_response want;
} responses[] = {
    { "untagged OK",
      SLICE("* OK [CAPABILITY IMAP4rev1 ID] Dovecot ready.\r\n"),
      0,
      { IMAP_UNTAGGED, SLICE(""), IMAP_OK, SLICE("CAPABILITY"), SLICE("IMAP4rev1 ID"), SLICE("Dovecot ready."), false,
        0, SLICE("OK"), SLICE("") } },
    { "tagged NO",
      SLICE("A1 NO [AUTHENTICATIONFAILED] Authentication failed.\r\n"),
      0,
      { IMAP_TAGGED, SLICE("A1"), IMAP_NO, SLICE("AUTHENTICATIONFAILED"), SLICE(""), SLICE("Authentication failed."),
        false, 0, SLICE("NO"), SLICE("") } },
    { "lower case, several blanks",
      SLICE("a1  bad   [ alert ]   what?  \r\n"),
      0,
      { IMAP_TAGGED, SLICE("a1"), IMAP_BAD, SLICE("alert"), SLICE(""), SLICE("what?"), false, 0, SLICE("bad"),
        SLICE("") } },
    { "no text at all",
      SLICE("A1 OK\r\n"),
      0,
      { IMAP_TAGGED, SLICE("A1"), IMAP_OK, SLICE(""), SLICE(""), SLICE(""), false, 0, SLICE("OK"), SLICE("") } },
    { "code without text (Gmail)",
      SLICE("* OK [HIGHESTMODSEQ 715194045007]\r\n"),
      0,
      { IMAP_UNTAGGED, SLICE(""), IMAP_OK, SLICE("HIGHESTMODSEQ"), SLICE("715194045007"), SLICE(""), false, 0,
        SLICE("OK"), SLICE("") } },
    { "code with a list",
      SLICE("* OK [PERMANENTFLAGS (\\Seen \\*)] yes\r\n"),
      0,
      { IMAP_UNTAGGED, SLICE(""), IMAP_OK, SLICE("PERMANENTFLAGS"), SLICE("(\\Seen \\*)"), SLICE("yes"), false, 0,
        SLICE("OK"), SLICE("") } },
    { "empty code",
      SLICE("* NO [] x\r\n"),
      0,
      { IMAP_UNTAGGED, SLICE(""), IMAP_NO, SLICE(""), SLICE(""), SLICE("x"), false, 0, SLICE("NO"), SLICE("") } },
    { "a bracket that does not close",
      SLICE("* NO [ALERT x\r\n"),
      0,
      { IMAP_UNTAGGED, SLICE(""), IMAP_NO, SLICE(""), SLICE(""), SLICE("[ALERT x"), false, 0, SLICE("NO"),
        SLICE("") } },
    { "a bracket that is not in front",
      SLICE("* NO a [b] c\r\n"),
      0,
      { IMAP_UNTAGGED, SLICE(""), IMAP_NO, SLICE(""), SLICE(""), SLICE("a [b] c"), false, 0, SLICE("NO"), SLICE("") } },
    { "BYE",
      SLICE("* BYE Session expired\r\n"),
      0,
      { IMAP_UNTAGGED, SLICE(""), IMAP_BYE, SLICE(""), SLICE(""), SLICE("Session expired"), false, 0, SLICE("BYE"),
        SLICE("") } },
    { "PREAUTH",
      SLICE("* PREAUTH hello\r\n"),
      0,
      { IMAP_UNTAGGED, SLICE(""), IMAP_PREAUTH, SLICE(""), SLICE(""), SLICE("hello"), false, 0, SLICE("PREAUTH"),
        SLICE("") } },
    { "text that ends like a literal",
      SLICE("* OK wait {12}\r\n"),
      0,
      { IMAP_UNTAGGED, SLICE(""), IMAP_OK, SLICE(""), SLICE(""), SLICE("wait {12}"), false, 0, SLICE("OK"),
        SLICE("") } },
    { "number",
      SLICE("* 12 EXISTS\r\n"),
      0,
      { IMAP_UNTAGGED, SLICE(""), IMAP_NO_STATUS, SLICE(""), SLICE(""), SLICE(""), true, 12, SLICE("EXISTS"),
        SLICE("") } },
    { "the largest number",
      SLICE("*  4294967295  uidfetch  (UID 1)\r\n"),
      0,
      { IMAP_UNTAGGED, SLICE(""), IMAP_NO_STATUS, SLICE(""), SLICE(""), SLICE(""), true, UINT32_MAX, SLICE("uidfetch"),
        SLICE("(UID 1)") } },
    { "a number in front makes it no status",
      SLICE("* 1 OK done\r\n"),
      0,
      { IMAP_UNTAGGED, SLICE(""), IMAP_NO_STATUS, SLICE(""), SLICE(""), SLICE(""), true, 1, SLICE("OK"),
        SLICE("done") } },
    { "no blank before the list",
      SLICE("* FLAGS(\\Seen)\r\n"),
      0,
      { IMAP_UNTAGGED, SLICE(""), IMAP_NO_STATUS, SLICE(""), SLICE(""), SLICE(""), false, 0, SLICE("FLAGS"),
        SLICE("(\\Seen)") } },
    { "rest keeps the blanks of a literal",
      SLICE("* LIST () NIL {3}\r\na  \r\n"),
      0,
      { IMAP_UNTAGGED, SLICE(""), IMAP_NO_STATUS, SLICE(""), SLICE(""), SLICE(""), false, 0, SLICE("LIST"),
        SLICE("() NIL {3}\r\na  ") } },
    { "continuation", SLICE("+ idling\r\n"), 0, { .kind = IMAP_CONTINUE, .text = SLICE("idling") } },
    { "continuation of public-inbox", SLICE("+\r\n"), 0, { .kind = IMAP_CONTINUE } },
    { "continuation, not taken apart",
      SLICE("+ [ALERT] x\r\n"),
      0,
      { .kind = IMAP_CONTINUE, .text = SLICE("[ALERT] x") } },

    { "empty", SLICE("\r\n"), -1, { 0 } },
    { "star alone", SLICE("*\r\n"), -1, { 0 } },
    { "star and blanks", SLICE("*   \r\n"), -1, { 0 } },
    { "number alone", SLICE("* 12\r\n"), -1, { 0 } },
    { "number and blank", SLICE("* 12 \r\n"), -1, { 0 } },
    { "more than 32 bits", SLICE("* 4294967296 EXISTS\r\n"), -1, { 0 } },
    { "negative",
      SLICE("* 1 FETCH (UID -1)\r\n"),
      0,
      { IMAP_UNTAGGED, SLICE(""), IMAP_NO_STATUS, SLICE(""), SLICE(""), SLICE(""), true, 1, SLICE("FETCH"),
        SLICE("(UID -1)") } },
    { "letters behind the number", SLICE("* 12x EXISTS\r\n"), -1, { 0 } },
    { "a tagged line that is no status", SLICE("A1 FETCH (UID 1)\r\n"), -1, { 0 } },
    { "tagged BYE", SLICE("A1 BYE x\r\n"), -1, { 0 } },
    { "a tag alone", SLICE("A1\r\n"), -1, { 0 } },
    { "a blank in front", SLICE(" OK x\r\n"), -1, { 0 } },
    { "a mail server of another kind", SLICE("220 mx.example ESMTP\r\n"), -1, { 0 } },
};

static void check_response(struct slice text, int rc, const struct imap_response *want)
{
    struct imap_response got;

    CHECK_INT(imap_parse_response(text, &got), rc);
    if (rc != 0)
        return;
    CHECK_INT(got.kind, want->kind);
    CHECK_INT(got.status, want->status);
    CHECK_INT(got.has_number, want->has_number);
    CHECK_INT(got.number, want->number);
    CHECK_SLICE(got.tag, want->tag);
    CHECK_SLICE(got.code, want->code);
    CHECK_SLICE(got.code_args, want->code_args);
    CHECK_SLICE(got.text, want->text);
    CHECK_SLICE(got.name, want->name);
    CHECK_SLICE(got.rest, want->rest);
}

static void test_response(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(responses); i++) {
        EVERY_CHUNK_SIZE(size, responses[i].wire.n)
        {
            struct slice text;

            CASE("%s, chunks of %zu", responses[i].name, size);
            text = text_at(responses[i].wire, size);
            check_response(text, responses[i].rc, &responses[i].want);
            free_text(text);
        }
    }
    CASE("no bytes at all");
    CHECK_INT(imap_parse_response(SLICE_NONE, &(struct imap_response){ 0 }), -1);
}

#define UID(n)      .has_uid = true, .uid = (n)
#define SIZE(n)     .has_size = true, .size = (n)
#define FLAGS(f)    .has_flags = true, .flags = (f)
#define DATE(t)     .has_date = true, .date = (t)
#define MODSEQ(n)   .has_modseq = true, .modseq = (n)
#define BODY(b)     .body_count = 1, .body = (b), .body_item = SLICE("BODY[]")
#define OBJECT(lit) .object_id = SLICE(lit)

static const struct {
    const char *name;
    struct slice wire;
    int rc;
    struct imap_fetch want;
} fetches[] = {
    { "the usual line",
      SLICE("* 1 FETCH (UID 7 FLAGS (\\Seen \\Answered) RFC822.SIZE 4321 INTERNALDATE \"17-Jul-1996 02:44:25 "
            "-0700\")\r\n"),
      0,
      { UID(7), SIZE(4321), FLAGS(MAIL_SEEN | MAIL_ANSWERED), DATE(837596665) } },
    { "body, UID before", SLICE("* 1 FETCH (UID 7 BODY[] {5}\r\nhello)\r\n"), 0, { UID(7), BODY(IMAP_BODY_STREAMED) } },
    { "body, UID behind", SLICE("* 1 FETCH (BODY[] {5}\r\nhello UID 7)\r\n"), 0, { UID(7), BODY(IMAP_BODY_STREAMED) } },
    { "body, no blank behind",
      SLICE("* 1 FETCH (BODY[] {5}\r\nhelloUID 7)\r\n"),
      0,
      { UID(7), BODY(IMAP_BODY_STREAMED) } },
    { "body NIL (Exchange)", SLICE("* 1 FETCH (UID 7 BODY[] NIL)\r\n"), 0, { UID(7), BODY(IMAP_BODY_NIL) } },
    { "body nil", SLICE("* 1 FETCH (UID 7 BODY[] nil)\r\n"), 0, { UID(7), BODY(IMAP_BODY_NIL) } },
    { "no body (iCloud)", SLICE("* 1 FETCH (UID 7)\r\n"), 0, { UID(7) } },
    { "body in quotes",
      SLICE("* 1 FETCH (UID 7 BODY[] \"a\\\"b\")\r\n"),
      0,
      { UID(7), BODY(IMAP_BODY_INLINE), .body_inline = SLICE("\"a\\\"b\"") } },
    { "empty body in quotes",
      SLICE("* 1 FETCH (UID 7 BODY[] \"\")\r\n"),
      0,
      { UID(7), BODY(IMAP_BODY_INLINE), .body_inline = SLICE("\"\"") } },
    { "two bodies: the first, counted",
      SLICE("* 1 FETCH (BODY[HEADER]<0> {1}\r\na RFC822.TEXT NIL UID 7)\r\n"),
      0,
      { UID(7), .body_count = 2, .body = IMAP_BODY_STREAMED, .body_item = SLICE("BODY[HEADER]<0>") } },
    { "a section with a list in it",
      SLICE("* 1 FETCH (BODY[HEADER.FIELDS (\"a]\" To)] {1}\r\na UID 7)\r\n"),
      0,
      { UID(7), .body_count = 1, .body = IMAP_BODY_STREAMED, .body_item = SLICE("BODY[HEADER.FIELDS (\"a]\" To)]") } },
    { "BODY without a section is a structure",
      SLICE("* 1 FETCH (BODY (\"TEXT\" \"PLAIN\" NIL) UID 7)\r\n"),
      0,
      { UID(7) } },
    { "empty", SLICE("* 1 FETCH ()\r\n"), 0, { 0 } },
    { "blanks everywhere",
      SLICE("* 1 FETCH (  UID   7  FLAGS  (  \\Seen  )  )  \r\n"),
      0,
      { UID(7), FLAGS(MAIL_SEEN) } },
    { "no blanks", SLICE("* 1 FETCH(FLAGS(\\Seen)UID 7)\r\n"), 0, { UID(7), FLAGS(MAIL_SEEN) } },
    { "lower case",
      SLICE("* 1 fetch (uid 7 flags (\\seen) rfc822.size 1)\r\n"),
      0,
      { UID(7), FLAGS(MAIL_SEEN), SIZE(1) } },
    { "UIDFETCH without UID", SLICE("* 7 UIDFETCH (FLAGS ())\r\n"), 0, { FLAGS(0) } },
    { "the same UID twice", SLICE("* 7 UIDFETCH (UID 7 FLAGS () UID 7)\r\n"), 0, { UID(7), FLAGS(0) } },
    { "keywords are passed over",
      SLICE("* 1 FETCH (FLAGS ($Junk a\"b [x x{y \\Flagged NIL \"q\"))\r\n"),
      0,
      { FLAGS(MAIL_FLAGGED) } },
    { "FLAGS twice: the last", SLICE("* 1 FETCH (FLAGS (\\Seen) FLAGS (\\Draft))\r\n"), 0, { FLAGS(MAIL_DRAFT) } },
    { "FLAGS NIL", SLICE("* 1 FETCH (FLAGS NIL UID 7)\r\n"), 0, { UID(7) } },
    { "MODSEQ", SLICE("* 1 FETCH (MODSEQ (18446744073709551615) UID 7)\r\n"), 0, { UID(7), MODSEQ(UINT64_MAX) } },
    { "EMAILID", SLICE("* 1 FETCH (EMAILID (M6d99) THREADID NIL UID 7)\r\n"), 0, { UID(7), OBJECT("M6d99") } },
    { "EMAILID before X-GM-MSGID",
      SLICE("* 1 FETCH (X-GM-MSGID 12 EMAILID (M6) X-GM-MSGID 13)\r\n"),
      0,
      { OBJECT("M6") } },
    { "X-GM-MSGID and labels",
      SLICE("* 1 FETCH (X-GM-MSGID 1278455344230334865 X-GM-LABELS (\\Inbox \"a)\") UID 7)\r\n"),
      0,
      { UID(7), OBJECT("1278455344230334865") } },
    { "X-GM-MSGID that is none", SLICE("* 1 FETCH (X-GM-MSGID 1x)\r\n"), 0, { 0 } },
    { "unknown items of every kind",
      SLICE(
          "* 1 FETCH (A 1 B \"x\" C {3}\r\n)\"( D (() (\"(\" {1}\r\n)) NIL) BINARY.SIZE[1] 5 E ~{1}\r\n\0 UID 7)\r\n"),
      0,
      { UID(7) } },
    { "ENVELOPE with literals",
      SLICE("* 1 FETCH (ENVELOPE (\"d\" {5}\r\nhello ((NIL NIL \"a\" {1}\r\nb)) NIL) UID 7)\r\n"),
      0,
      { UID(7) } },
    { "a size that is none", SLICE("* 1 FETCH (RFC822.SIZE -1 UID 7)\r\n"), 0, { UID(7) } },
    { "a size of more than 64 bits", SLICE("* 1 FETCH (RFC822.SIZE 18446744073709551616 UID 7)\r\n"), 0, { UID(7) } },
    { "a size of 64 bits",
      SLICE("* 1 FETCH (RFC822.SIZE 18446744073709551615 UID 7)\r\n"),
      0,
      { UID(7), SIZE(UINT64_MAX) } },
    { "no date", SLICE("* 1 FETCH (INTERNALDATE NIL UID 7)\r\n"), 0, { UID(7) } },
    { "a date that is none", SLICE("* 1 FETCH (INTERNALDATE \"yesterday\" UID 7)\r\n"), 0, { UID(7) } },
    { "a date that is a list", SLICE("* 1 FETCH (INTERNALDATE (1 2) UID 7)\r\n"), 0, { UID(7) } },
    { "a date as a literal",
      SLICE("* 1 FETCH (INTERNALDATE {26}\r\n17-Jul-1996 02:44:25 -0700)\r\n"),
      0,
      { DATE(837596665) } },
    { "streamed says only what the text says",
      SLICE("* 1 FETCH (BODY[] {5} UID 7)\r\n"),
      0,
      { UID(7), BODY(IMAP_BODY_STREAMED) } },

    { "body without a value (GroupWise)", SLICE("* 1 FETCH (UID 7 BODY[]\r\n"), -1, { 0 } },
    { "body without a value, more behind", SLICE("* 1 FETCH (BODY[] UID 7)\r\n"), -1, { 0 } },
    { "body that is a list", SLICE("* 1 FETCH (BODY[] (a))\r\n"), -1, { 0 } },
    { "body in a quote that does not end", SLICE("* 1 FETCH (BODY[] \"a)\r\n"), -1, { 0 } },
    { "not closed", SLICE("* 1 FETCH (UID 7\r\n"), -1, { 0 } },
    { "not opened", SLICE("* 1 FETCH UID 7)\r\n"), -1, { 0 } },
    { "closed twice", SLICE("* 1 FETCH (UID 7))\r\n"), -1, { 0 } },
    { "something behind it", SLICE("* 1 FETCH (UID 7) x\r\n"), -1, { 0 } },
    { "an item without a value", SLICE("* 1 FETCH (UID 7 X)\r\n"), -1, { 0 } },
    { "an item without a value, closed twice", SLICE("* 1 FETCH (UID 7 X))\r\n"), -1, { 0 } },
    { "a size without a value, closed twice", SLICE("* 1 FETCH (RFC822.SIZE))\r\n"), -1, { 0 } },
    { "UID without a value", SLICE("* 1 FETCH (UID)\r\n"), -1, { 0 } },
    { "UID 0", SLICE("* 1 FETCH (UID 0)\r\n"), -1, { 0 } },
    { "UID of more than 32 bits", SLICE("* 1 FETCH (UID 4294967296)\r\n"), -1, { 0 } },
    { "UID in quotes", SLICE("* 1 FETCH (UID \"7\")\r\n"), -1, { 0 } },
    { "UID with letters", SLICE("* 1 FETCH (UID 7x)\r\n"), -1, { 0 } },
    { "two UIDs", SLICE("* 1 FETCH (UID 7 BODY[] {1}\r\na UID 8)\r\n"), -1, { 0 } },
    { "a list in FLAGS", SLICE("* 1 FETCH (FLAGS (\\Seen (\\Draft)))\r\n"), -1, { 0 } },
    { "a brace that is no literal", SLICE("* 1 FETCH (FLAGS ({y))\r\n"), -1, { 0 } },
    { "FLAGS that do not close", SLICE("* 1 FETCH (FLAGS (\\Seen\r\n"), -1, { 0 } },
    { "FLAGS that are a word", SLICE("* 1 FETCH (FLAGS \\Seen UID 7)\r\n"), -1, { 0 } },
    { "a section that does not close", SLICE("* 1 FETCH (BODY[HEADER UID 7)\r\n"), -1, { 0 } },
    { "a NUL where a name should be", SLICE("* 1 FETCH (\0 1)\r\n"), -1, { 0 } },
    { "a CR inside", SLICE("* 1 FETCH (X a\rb)\r\n"), -1, { 0 } },
    { "only a parenthesis", SLICE("* 1 FETCH (\r\n"), -1, { 0 } },
};

static void check_fetch(struct slice text, int rc, const struct imap_fetch *want)
{
    struct imap_response response;
    struct imap_fetch got;

    CHECK_INT(imap_parse_response(text, &response), 0);
    CHECK_INT(imap_parse_fetch(response.rest, &got), rc);
    if (rc != 0)
        return;
    CHECK_INT(got.has_uid, want->has_uid);
    CHECK_INT(got.has_size, want->has_size);
    CHECK_INT(got.has_flags, want->has_flags);
    CHECK_INT(got.has_date, want->has_date);
    CHECK_INT(got.has_modseq, want->has_modseq);
    CHECK_INT(got.uid, want->uid);
    CHECK_INT(got.flags, want->flags);
    CHECK_INT(got.body_count, want->body_count);
    CHECK_INT(got.body, want->body);
    CHECK_SLICE(got.body_item, want->body_item);
    CHECK_SLICE(got.body_inline, want->body_inline);
    CHECK_SLICE(got.object_id, want->object_id);
    if (want->has_size)
        CHECK_INT(got.size, want->size);
    if (want->has_date)
        CHECK_INT(got.date, want->date);
    if (want->has_modseq)
        CHECK_INT(got.modseq, want->modseq);
}

static void test_fetch(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fetches); i++) {
        EVERY_CHUNK_SIZE(size, fetches[i].wire.n)
        {
            struct slice text;

            CASE("%s, chunks of %zu", fetches[i].name, size);
            text = text_at(fetches[i].wire, size);
            check_fetch(text, fetches[i].rc, &fetches[i].want);
            free_text(text);
        }
    }
}

/* Any text cut short is refused: whatever a peer leaves out, nothing is made up. */
static void test_fetch_cut_anywhere(void **state)
{
    static const char whole[] =
        "(UID 7 BODY[HEADER.FIELDS (\"a\")]<0> \"x\" FLAGS (\\Seen) MODSEQ (1) X ((a) {1}\r\nb))";
    struct imap_fetch got;

    (void)state;
    for (size_t n = 0; n < sizeof(whole) - 1; n++) {
        char *p = malloc(n + 1);

        CASE("the first %zu bytes", n);
        CHECK(p != NULL);
        memcpy(p + 1, whole, n);
        CHECK_INT(imap_parse_fetch(slice_make(p + 1, n), &got), -1);
        free(p);
    }
    CASE("all of it");
    CHECK_INT(imap_parse_fetch(slice_str(whole), &got), 0);
}

static void put(struct buf *b, const char *s, size_t times)
{
    for (size_t i = 0; i < times; i++)
        CHECK(buf_put_str(b, s) == 0);
}

static void test_nesting(void **state)
{
    struct imap_fetch got;

    (void)state;
    for (size_t depth = 30; depth <= 34; depth++) {
        struct buf b = BUF_INIT(LIMIT_RESPONSE);

        CASE("%zu parentheses with that of the response", depth);
        put(&b, "(X ", 1);
        put(&b, "(", depth - 1);
        put(&b, ")", depth - 1);
        put(&b, " UID 7)", 1);
        CHECK_INT(imap_parse_fetch(buf_slice(&b), &got), depth <= 32 ? 0 : -1);
        buf_release(&b);
    }
}

static void test_linear_time(void **state)
{
    static const struct {
        const char *name;
        const char *head, *unit;
    } slow[] = {
        { "parentheses", "(", "(" },
        { "lists", "(X (", "()" },
        { "quotes", "(X (", "\"\"" },
        { "open quotes", "(X (", "\"\\" },
        { "brackets", "(", "[" },
        { "flags", "(FLAGS (", "\\Seen " },
        { "literals", "(X (", "{0}\r\n" },
        { "UIDs", "(", "UID 7 " },
        { "bodies", "(", "BODY[] {5} " },
        { "wrapped", "(", "MODSEQ ((1)) " },
        { "blanks", "(", " " },
        { "one atom", "(X ", "a" },
        { "sections", "(", "BODY[\"\"] \"\"" },
    };
    struct buf b = BUF_INIT(2 * 1024 * 1024), out = BUF_INIT(LIMIT_RESPONSE);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
        struct imap_response response;
        struct imap_fetch fetch;
        struct imap_list list;
        struct imap_caps caps;
        double before;

        CASE("%s", slow[i].name);
        buf_clear(&b);
        put(&b, slow[i].head, 1);
        while (b.len < 1024 * 1024)
            put(&b, slow[i].unit, 1);
        before = unit_cpu_seconds();
        CHECK_INT(imap_parse_fetch(buf_slice(&b), &fetch), -1);
        CHECK_INT(imap_parse_list(buf_slice(&b), &list, &out), -1);
        (void)imap_parse_response(buf_slice(&b), &response);
        imap_parse_caps(buf_slice(&b), &caps);
        CHECK(unit_cpu_seconds() - before < 0.5);
    }
    buf_release(&b);
    buf_release(&out);
}

static void test_string(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        int rc;
        struct slice value, left;
    } strings[] = {
        { "atom", SLICE("abc def"), 0, SLICE("abc"), SLICE("def") },
        { "atom at a parenthesis", SLICE("abc)"), 0, SLICE("abc"), SLICE(")") },
        { "NIL", SLICE("NIL x"), 0, SLICE(""), SLICE("x") },
        { "quoted", SLICE("\"a b\"  c"), 0, SLICE("a b"), SLICE("c") },
        { "escapes", SLICE("\"\\\"\\\\\""), 0, SLICE("\"\\"), SLICE("") },
        { "escapes of other bytes", SLICE("\"\\a\""), 0, SLICE("a"), SLICE("") },
        { "8-bit", SLICE("\"\xc3\xa4\""), 0, SLICE("\xc3\xa4"), SLICE("") },
        { "literal", SLICE("{3}\r\na)\n x"), 0, SLICE("a)\n"), SLICE("x") },
        { "literal8, NUL", SLICE("~{2}\r\n\0b"), 0, SLICE("\0b"), SLICE("") },
        { "non-synchronising literal", SLICE("{1+}\r\na"), 0, SLICE("a"), SLICE("") },
        { "empty literal", SLICE("{0}\r\n"), 0, SLICE(""), SLICE("") },
        { "a tilde in an atom", SLICE("~x"), 0, SLICE("~x"), SLICE("") },
        { "blanks in front", SLICE("  a"), 0, SLICE("a"), SLICE("") },
        { "nothing", SLICE(""), -1, SLICE(""), SLICE("") },
        { "only blanks", SLICE("  "), -1, SLICE(""), SLICE("") },
        { "a list", SLICE("(a)"), -1, SLICE(""), SLICE("") },
        { "a quote that does not end", SLICE("\"abc"), -1, SLICE(""), SLICE("") },
        { "an escape at the end", SLICE("\"abc\\"), -1, SLICE(""), SLICE("") },
        { "a line end behind a backslash", SLICE("\"a\\\n\""), -1, SLICE(""), SLICE("") },
        { "a line end in quotes", SLICE("\"a\r\n\""), -1, SLICE(""), SLICE("") },
        { "a literal that is cut", SLICE("{4}\r\nabc"), -1, SLICE(""), SLICE("") },
        { "a literal that was streamed", SLICE("{4} x"), -1, SLICE(""), SLICE("") },
        { "a literal of 64 bits", SLICE("{18446744073709551615}\r\nabc"), -1, SLICE(""), SLICE("") },
        { "a literal of more", SLICE("{18446744073709551616}\r\nabc"), -1, SLICE(""), SLICE("") },
        { "a negative literal", SLICE("{-1}\r\nabc"), -1, SLICE(""), SLICE("") },
        { "a control byte", SLICE("\x01"), -1, SLICE(""), SLICE("") },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
        struct buf out = BUF_INIT(100);
        char *exact = malloc(strings[i].in.n + 1);
        struct slice in;

        CASE("%s", strings[i].name);
        CHECK(exact != NULL && buf_put_str(&out, "=") == 0);
        memcpy(exact + 1, strings[i].in.p, strings[i].in.n);
        in = slice_make(exact + 1, strings[i].in.n);
        CHECK_INT(imap_string(&in, &out), strings[i].rc);
        CHECK_SLICE(slice_from(buf_slice(&out), 1), strings[i].value);
        CHECK_SLICE(in, strings[i].rc == 0 ? strings[i].left : strings[i].in);
        buf_release(&out);
        free(exact);
    }
    CASE("no room");
    struct buf small = BUF_INIT(3);
    struct slice in = SLICE("\"a\\\"bc\"");
    CHECK_INT(imap_string(&in, &small), -1);
    CHECK_INT(small.len, 0);
    CASE("just enough room: what counts is the value, not its escapes");
    in = SLICE("\"\\\"\\\"\\\"\"");
    CHECK_INT(imap_string(&in, &small), 0);
    CHECK_SLICE(buf_slice(&small), SLICE("\"\"\""));
    buf_release(&small);
}

static const struct {
    const char *name;
    struct slice wire;
    int rc;
    unsigned attrs;
    char delimiter;
    struct slice folder;
} lists[] = {
    { "the usual line", SLICE("* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent Items\"\r\n"), 0, IMAP_ATTR_SENT, '/',
      SLICE("Sent Items") },
    { "no attributes, an atom", SLICE("* LSUB () \".\" INBOX.a&AOQ-\r\n"), 0, 0, '.', SLICE("INBOX.a&AOQ-") },
    { "flat", SLICE("* LIST () NIL a\r\n"), 0, 0, '\0', SLICE("a") },
    { "flat, as a quirk", SLICE("* LIST () \"\" a\r\n"), 0, 0, '\0', SLICE("a") },
    { "backslash (Domino)", SLICE("* LIST () \"\\\\\" \"a\\\\b\\\"c\"\r\n"), 0, 0, '\\', SLICE("a\\b\"c") },
    { "literal with CR LF", SLICE("* LIST () \"/\" {4}\r\na\r\nb\r\n"), 0, 0, '/', SLICE("a\r\nb") },
    { "literal with blanks at its end", SLICE("* LIST () \"/\" {3}\r\na  \r\n"), 0, 0, '/', SLICE("a  ") },
    { "a folder called NIL", SLICE("* LIST () \"/\" Nil\r\n"), 0, 0, '/', SLICE("Nil") },
    { "the hierarchy's answer", SLICE("* LIST (\\Noselect) \"/\" \"\"\r\n"), 0, IMAP_ATTR_NOSELECT, '/', SLICE("") },
    { "NonExistent is Noselect", SLICE("* LIST (\\NonExistent \\Subscribed) \"/\" a\r\n"), 0,
      IMAP_ATTR_NOSELECT | IMAP_ATTR_SUBSCRIBED, '/', SLICE("a") },
    { "any case, unknown ones", SLICE("* list (\\NOSELECT \\x junk \\iMPORTANT) \"/\" a\r\n"), 0,
      IMAP_ATTR_NOSELECT | IMAP_ATTR_IMPORTANT, '/', SLICE("a") },
    { "every special use",
      SLICE("* LIST (\\All \\Archive \\Drafts \\Flagged \\Junk \\Sent \\Trash \\Important) \"/\" a\r\n"), 0,
      IMAP_ATTR_SPECIAL_USE, '/', SLICE("a") },
    { "XLIST", SLICE("* XLIST (\\AllMail \\Starred \\Spam) \"/\" \"[Gmail]/All Mail\"\r\n"), 0,
      IMAP_ATTR_ALL | IMAP_ATTR_FLAGGED | IMAP_ATTR_JUNK, '/', SLICE("[Gmail]/All Mail") },
    { "extended data (RFC 5258)", SLICE("* LIST () \"/\" a (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n"), 0, 0, '/',
      SLICE("a") },
    { "blanks", SLICE("*  LIST  (  \\Sent  )  \"/\"  a  \r\n"), 0, IMAP_ATTR_SENT, '/', SLICE("a") },
    { "8-bit delimiter and name", SLICE("* LIST () \"\xa7\" \"\xc3\xa4\"\r\n"), 0, 0, '\xa7', SLICE("\xc3\xa4") },

    { "a blank in an unquoted name", SLICE("* LIST () \"/\" Sent Items\r\n"), -1, 0, 0, SLICE("") },
    { "no name", SLICE("* LIST () \"/\"\r\n"), -1, 0, 0, SLICE("") },
    { "no delimiter", SLICE("* LIST () a\r\n"), -1, 0, 0, SLICE("") },
    { "a long delimiter", SLICE("* LIST () \"ab\" a\r\n"), -1, 0, 0, SLICE("") },
    { "a control byte as delimiter", SLICE("* LIST () \"\x01\" a\r\n"), -1, 0, 0, SLICE("") },
    { "NUL as delimiter", SLICE("* LIST () \"\0\" a\r\n"), -1, 0, 0, SLICE("") },
    { "no attributes", SLICE("* LIST \"/\" a\r\n"), -1, 0, 0, SLICE("") },
    { "attributes that do not close", SLICE("* LIST (\\Sent \"/\" a\r\n"), -1, 0, 0, SLICE("") },
    { "an attribute in quotes", SLICE("* LIST (\"\\\\Sent\") \"/\" a\r\n"), -1, 0, 0, SLICE("") },
    { "a list of lists", SLICE("* LIST ((\\Sent)) \"/\" a\r\n"), -1, 0, 0, SLICE("") },
    { "a quote that does not end", SLICE("* LIST () \"/\" \"a\r\n"), -1, 0, 0, SLICE("") },
    { "a literal in the middle of the line", SLICE("* LIST () \"/\" {1} a\r\n"), -1, 0, 0, SLICE("") },
    { "nothing", SLICE("* LIST\r\n"), -1, 0, 0, SLICE("") },
};

static void test_list(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        EVERY_CHUNK_SIZE(size, lists[i].wire.n)
        {
            struct buf name = BUF_INIT(LIMIT_FOLDER_NAME);
            struct imap_response response;
            struct imap_list got;
            struct slice text;

            CASE("%s, chunks of %zu", lists[i].name, size);
            text = text_at(lists[i].wire, size);
            CHECK(buf_put_str(&name, "=") == 0);
            CHECK_INT(imap_parse_response(text, &response), 0);
            CHECK_INT(imap_parse_list(response.rest, &got, &name), lists[i].rc);
            CHECK_SLICE(slice_from(buf_slice(&name), 1), lists[i].folder);
            if (lists[i].rc == 0) {
                CHECK_INT(got.attrs, lists[i].attrs);
                CHECK_INT(got.delimiter, lists[i].delimiter);
            }
            buf_release(&name);
            free_text(text);
        }
    }
}

static void test_list_name_too_long(void **state)
{
    struct buf name = BUF_INIT(LIMIT_FOLDER_NAME), rest = BUF_INIT(LIMIT_LINE);
    struct imap_list got;

    (void)state;
    for (size_t n = LIMIT_FOLDER_NAME - 1; n <= LIMIT_FOLDER_NAME + 1; n++) {
        CASE("%zu bytes", n);
        buf_clear(&name);
        buf_clear(&rest);
        put(&rest, "() NIL ", 1);
        put(&rest, "a", n);
        CHECK_INT(imap_parse_list(buf_slice(&rest), &got, &name), n <= LIMIT_FOLDER_NAME ? 0 : -1);
        CHECK_INT(name.len, n <= LIMIT_FOLDER_NAME ? n : 0);
    }
    buf_release(&name);
    buf_release(&rest);
}

static void test_attr_names(void **state)
{
    (void)state;
    CASE("names of the configuration");
    CHECK_INT(imap_attr_from_name(SLICE("\\sent")), IMAP_ATTR_SENT);
    CHECK_INT(imap_attr_from_name(SLICE("Sent")), 0);
    CHECK_INT(imap_attr_from_name(SLICE("\\Sen")), 0);
    CHECK_INT(imap_attr_from_name(SLICE("")), 0);
}

#define MESSAGES(n) .has_messages = true, .messages = (n)
#define NEXT(n)     .has_uidnext = true, .uidnext = (n)
#define VALIDITY(n) .has_uidvalidity = true, .uidvalidity = (n)
#define UNSEEN(n)   .has_unseen = true, .unseen = (n)
#define HIGHEST(n)  .has_highestmodseq = true, .highestmodseq = (n)

static const struct {
    const char *name;
    struct slice wire;
    int rc;
    struct slice folder;
    struct imap_status_items want;
} statuses[] = {
    { "the usual line",
      SLICE("* STATUS \"a b\" (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 5 UNSEEN 2 HIGHESTMODSEQ 18446744073709551615)\r\n"),
      0,
      SLICE("a b"),
      { MESSAGES(3), NEXT(4), VALIDITY(5), UNSEEN(2), HIGHEST(UINT64_MAX) } },
    { "MAILBOXID",
      SLICE("* STATUS a (MAILBOXID (F221-1) MESSAGES 1)\r\n"),
      0,
      SLICE("a"),
      { MESSAGES(1), .mailbox_id = SLICE("F221-1") } },
    { "APPENDLIMIT",
      SLICE("* STATUS a (APPENDLIMIT 257890 MESSAGES 1)\r\n"),
      0,
      SLICE("a"),
      { MESSAGES(1), .append_limit = 257890 } },
    { "no APPENDLIMIT", SLICE("* STATUS a (MESSAGES 1 APPENDLIMIT NIL)\r\n"), 0, SLICE("a"), { MESSAGES(1) } },
    { "empty", SLICE("* STATUS INBOX ()\r\n"), 0, SLICE("INBOX"), { 0 } },
    { "unknown items",
      SLICE("* status a (SIZE 99999999999999 X (a (b)) Y \"q\" messages 1)\r\n"),
      0,
      SLICE("a"),
      { MESSAGES(1) } },
    { "a literal name", SLICE("* STATUS {3}\r\na\"b (MESSAGES 1)\r\n"), 0, SLICE("a\"b"), { MESSAGES(1) } },
    { "HIGHESTMODSEQ that cannot be read",
      SLICE("* STATUS a (HIGHESTMODSEQ NIL MESSAGES 1)\r\n"),
      0,
      SLICE("a"),
      { MESSAGES(1) } },
    { "blanks", SLICE("* STATUS  a  (  MESSAGES  1  )  \r\n"), 0, SLICE("a"), { MESSAGES(1) } },

    { "more than 32 bits", SLICE("* STATUS a (UIDVALIDITY 4294967296)\r\n"), -1, SLICE(""), { 0 } },
    { "negative", SLICE("* STATUS a (MESSAGES -1)\r\n"), -1, SLICE(""), { 0 } },
    { "no value", SLICE("* STATUS a (MESSAGES)\r\n"), -1, SLICE(""), { 0 } },
    { "a value that is a list", SLICE("* STATUS a (UIDNEXT (1))\r\n"), -1, SLICE(""), { 0 } },
    { "not closed", SLICE("* STATUS a (MESSAGES 1\r\n"), -1, SLICE(""), { 0 } },
    { "no list", SLICE("* STATUS a\r\n"), -1, SLICE(""), { 0 } },
    { "a blank in an unquoted name", SLICE("* STATUS a b (MESSAGES 1)\r\n"), -1, SLICE(""), { 0 } },
    { "something behind it", SLICE("* STATUS a (MESSAGES 1) x\r\n"), -1, SLICE(""), { 0 } },
};

static void test_status(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        EVERY_CHUNK_SIZE(size, statuses[i].wire.n)
        {
            const struct imap_status_items *want = &statuses[i].want;
            struct buf name = BUF_INIT(LIMIT_FOLDER_NAME);
            struct imap_response response;
            struct imap_status_items got;
            struct slice text;

            CASE("%s, chunks of %zu", statuses[i].name, size);
            text = text_at(statuses[i].wire, size);
            CHECK(buf_put_str(&name, "=") == 0);
            CHECK_INT(imap_parse_response(text, &response), 0);
            CHECK_INT(imap_parse_status(response.rest, &got, &name), statuses[i].rc);
            CHECK_SLICE(slice_from(buf_slice(&name), 1), statuses[i].folder);
            if (statuses[i].rc == 0) {
                CHECK_INT(got.has_messages, want->has_messages);
                CHECK_INT(got.messages, want->messages);
                CHECK_INT(got.has_uidnext, want->has_uidnext);
                CHECK_INT(got.uidnext, want->uidnext);
                CHECK_INT(got.has_uidvalidity, want->has_uidvalidity);
                CHECK_INT(got.uidvalidity, want->uidvalidity);
                CHECK_INT(got.has_unseen, want->has_unseen);
                CHECK_INT(got.unseen, want->unseen);
                CHECK_INT(got.has_highestmodseq, want->has_highestmodseq);
                CHECK_INT(got.highestmodseq, want->highestmodseq);
                CHECK_INT(got.append_limit, want->append_limit);
                CHECK_SLICE(got.mailbox_id, want->mailbox_id);
            }
            buf_release(&name);
            free_text(text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_response),
        cmocka_unit_test(test_fetch),
        cmocka_unit_test(test_fetch_cut_anywhere),
        cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_linear_time),
        cmocka_unit_test(test_string),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_list_name_too_long),
        cmocka_unit_test(test_attr_names),
        cmocka_unit_test(test_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
