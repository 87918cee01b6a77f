/* SPDX-License-Identifier: MIT
 * The IMAP source against servers made of bytes: dial() and the intake are this file's own.
 */
#include "haul/source_imap.h"

#include "../unit.h"
#include "base/log.h"
#include "haul/intake_int.h"
#include "net/stream.h"
#include "wire/limits.h"

#define LOGIN           "m1 LOGIN \"anna\" \"s3cret\"\r\n"
#define SERVER(caps)    "* OK [CAPABILITY IMAP4rev1] hi\r\nm1 OK [CAPABILITY IMAP4rev1 " caps "] in\r\n"
#define ITEMS(...)      ((const struct fetch_item[]){ __VA_ARGS__ })
#define ASK             " (UID FLAGS INTERNALDATE BODY.PEEK[])\r\n"
#define STATUS(f, rest) "* STATUS " f " (MESSAGES 3 UIDNEXT 9 UIDVALIDITY 7" rest ")\r\n"

static struct slice server_bytes;
static size_t chunk_size;
static struct buf sent;

int dial(const struct dial_options *options, struct stream **out, struct err *e)
{
    (void)options;
    return stream_memory(server_bytes, chunk_size, &sent, out, e);
}

static int give_password(void *ctx, struct secret *out, struct err *e)
{
    (void)ctx;
    return secret_set(out, SLICE("s3cret")) == 0 ? 0 : err_nomem(e);
}

static struct server server = {
    .dial = { .host = "imap.example.org", .port = 143 },
    .tls = SERVER_PLAINTEXT,
    .user = "anna",
    .password = give_password,
};

/* --- the intake: "<body>UID(flags date object)" is a message, "#" one that was dropped, "!" failed, "-" gone --- */

static struct intake intake; /* only its address counts */
static struct buf intake_log;
static const struct fetch_item *intake_items;
static bool intake_had[2000];
static bool intake_open;

int intake_begin(struct intake *in, struct err *e)
{
    (void)e;
    intake_drop(in);
    intake_open = true;
    return buf_put_char(&intake_log, '<');
}

int intake_data(struct intake *in, struct slice bytes, struct err *e)
{
    (void)in;
    (void)e;
    assert_true(intake_open);
    return buf_put_slice(&intake_log, bytes);
}

static int mark(const struct fetch_item *item, const char *how)
{
    bool twice = intake_had[item - intake_items];

    intake_had[item - intake_items] = true;
    intake_open = false;
    return buf_putf(&intake_log, "%s%s%" PRIu32, how, twice ? "(twice)" : "", item->number);
}

int intake_done(struct intake *in, const struct fetch_item *item, const struct arrival *facts, struct err *e)
{
    (void)in;
    (void)e;
    assert_true(intake_open);
    if (mark(item, ">") != 0)
        return -1;
    if (facts->flags == 0 && facts->date == 0 && facts->object_id.n == 0)
        return 0;
    return buf_putf(&intake_log, "(%x %" PRId64 " %.*s)", facts->flags, facts->date, SLICE_ARG(facts->object_id));
}

void intake_drop(struct intake *in)
{
    (void)in;
    if (intake_open)
        assert_int_equal(buf_put_char(&intake_log, '#'), 0);
    intake_open = false;
}

int intake_failed(struct intake *in, const struct fetch_item *item, const struct err *why, struct err *e)
{
    (void)in;
    (void)e;
    assert_int_equal(why->code, E_MESSAGE);
    return mark(item, "!");
}

int intake_gone(struct intake *in, const struct fetch_item *item, struct err *e)
{
    (void)in;
    (void)e;
    return mark(item, "-");
}

bool intake_is_done(const struct intake *in, size_t index)
{
    (void)in;
    return intake_had[index];
}

/* --- playing --- */

struct play {
    struct source *source;
    struct source_folders folders;
    struct listing listing;
    struct source_folder folder;
    struct journal_folder known;
    struct err e;
};

static char inbox[] = "INBOX";

static void play_open(struct play *p, struct slice input, size_t chunk)
{
    *p = (struct play){ .e = ERR_INIT, .folder = { .name = inbox, .wire_name = inbox, .delimiter = '/' } };
    server_bytes = input;
    chunk_size = chunk;
    sent = BUF_INIT(1 << 20);
    intake_log = BUF_INIT(1 << 20);
    memset(intake_had, 0, sizeof(intake_had));
    intake_open = false;
    listing_init(&p->listing);
    p->source = source_imap_new(&server, &p->e);
    CHECK(p->source != NULL);
    CHECK_INT(p->source->ops->open(p->source, &p->e), 0);
    CHECK_SLICE(buf_slice(&sent), SLICE(LOGIN));
    buf_clear(&sent);
}

/* Whatever was played: nothing is expunged but by UID, and no folder is closed in the way that expunges. */
static void play_close(struct play *p)
{
    p->source->ops->close(p->source);
    p->source->ops->free(p->source);
    CHECK(memmem(buf_cstr(&sent), sent.len, " CLOSE", 6) == NULL);
    for (char *at = sent.p; at != NULL && (at = memmem(at, sent.len - (size_t)(at - sent.p), "EXPUNGE", 7)) != NULL;
         at++)
        CHECK(at - sent.p >= 4 && memcmp(at - 4, "UID ", 4) == 0 && at[7] == ' ');
    listing_release(&p->listing);
    source_folders_release(&p->folders);
    buf_release(&intake_log);
    buf_release(&sent);
}

/* --- folders --- */

static bool wanted_but_spam(void *ctx, const struct source_folder *f)
{
    (void)ctx;
    return strcmp(f->name, "Spam") != 0;
}

/* "name=wire(attrs)[messages uidnext uidvalidity]" */
static void check_folders(const struct source_folders *f, const char *want)
{
    struct buf text = BUF_INIT(10000);

    for (size_t i = 0; i < f->count; i++) {
        assert_int_equal(buf_putf(&text, "%s%s=%s", i > 0 ? " " : "", f->v[i].name, f->v[i].wire_name), 0);
        if (f->v[i].attrs != 0)
            assert_int_equal(buf_putf(&text, "(%x)", f->v[i].attrs), 0);
        if (f->v[i].has_status)
            assert_int_equal(buf_putf(&text, "[%" PRIu32 " %" PRIu32 " %" PRIu32 "]", f->v[i].messages, f->v[i].uidnext,
                                      f->v[i].uidvalidity),
                             0);
    }
    CHECK_SLICE(buf_slice(&text), slice_str(want));
    buf_release(&text);
}

#define ASK_STATUS " (MESSAGES UIDNEXT UIDVALIDITY)\r\n"

static const struct scan_case {
    const char *name;
    struct slice bytes;
    const char *sent, *want;
    bool only_inbox;
    enum err_code code;
} scans[] = {
    { "LIST-STATUS",
      SLICE(SERVER("LIST-STATUS LIST-EXTENDED SPECIAL-USE") "* LIST () \"/\" INBOX\r\n" STATUS(
          "INBOX", "") "* LIST (\\Sent) "
                       "\"/\" S\r\n" STATUS("S", " HIGHESTMODSEQ 4") "m2 OK\r\n"),
      "m2 LIST \"\" \"*\" RETURN (SPECIAL-USE STATUS (MESSAGES UIDNEXT UIDVALIDITY))\r\n",
      "INBOX=INBOX[3 9 7] S=S(40)[3 9 7]", false, E_NONE },
    { "STATUS comes before, behind and without the LIST",
      SLICE(SERVER("LIST-STATUS")
                STATUS("A", "") "* LIST () \"/\" A\r\n* LIST () \"/\" inbox\r\n* LIST () \"/\" B\r\n" STATUS("C", "")
                    STATUS("B", "") STATUS("INBOX", "") "m2 OK\r\n" STATUS("A", "") "m3 OK\r\n"),
      "m2 LIST \"\" \"*\" RETURN (STATUS (MESSAGES UIDNEXT UIDVALIDITY))\r\nm3 STATUS \"A\"" ASK_STATUS,
      "A=A[3 9 7] INBOX=inbox[3 9 7] B=B[3 9 7]", false, E_NONE },
    { "options refused, then a plain LIST; STATUS refused",
      SLICE(SERVER(
          "LIST-EXTENDED SPECIAL-USE") "m2 BAD\r\n* LIST () \"/\" INBOX\r\n* LIST () \"/\" Spam\r\n* LIST () \"/\" "
                                       "A\r\nm3 OK\r\nm4 NO\r\n" STATUS("A", "") "m5 OK\r\n"),
      "m2 LIST \"\" \"*\" RETURN (SPECIAL-USE)\r\nm3 LIST \"\" \"*\"\r\nm4 STATUS \"INBOX\"" ASK_STATUS
      "m5 STATUS \"A\"" ASK_STATUS,
      "INBOX=INBOX Spam=Spam A=A[3 9 7]", false, E_NONE },
    { "LIST refused", SLICE(SERVER("") "m2 NO [UNAVAILABLE] later\r\n"), "m2 LIST \"\" \"*\"\r\n", "", false, E_BUSY },
    { "no INBOX is listed", SLICE(SERVER("") "* LIST () \"/\" Spam\r\nm2 OK\r\n" STATUS("INBOX", "") "m3 OK\r\n"),
      "m2 LIST \"\" \"*\"\r\nm3 STATUS \"INBOX\"" ASK_STATUS, "Spam=Spam INBOX=INBOX[3 9 7]", false, E_NONE },
    { "only INBOX is wanted", SLICE(SERVER("LIST-STATUS") STATUS("INBOX", "") "m2 OK\r\n"),
      "m2 STATUS \"INBOX\"" ASK_STATUS, "INBOX=INBOX[3 9 7]", true, E_NONE },
    { "twice, in two cases, not to be opened, not to be read",
      SLICE(SERVER(
          "") "* LIST () \"/\" INBOX\r\n* LIST () \"/\" Inbox\r\n* LIST () \"/\" Spam\r\n* LIST () \"/\" Spam\r\n"
              "* LIST (\\Noselect) \"/\" N\r\n* LIST () \"/\" two words\r\n* LIST () \"/\" \"\"\r\n* LIST () \"/\" "
              "{3}\r\na"
              "\0c\r\nm2 OK\r\nm3 OK\r\n"),
      "m2 LIST \"\" \"*\"\r\nm3 STATUS \"INBOX\"" ASK_STATUS, "INBOX=INBOX Spam=Spam", false, E_NONE },
    { "a name that is no modified UTF-7, one that is UTF-8, and one that is a name of another folder",
      SLICE(SERVER(
          "LITERAL+") "* LIST () \"/\" Spam\r\n* LIST () \"/\" \"a&b\"\r\n* LIST () \"/\" {2}\r\n\xc3\xa4\r\n* LIST () "
                      "\"/\" \"&AOQ-\"\r\n* LIST () \"/\" {1}\r\n\xff\r\nm2 OK\r\nm3 OK\r\nm4 OK\r\nm5 OK\r\nm6 "
                      "OK\r\nm7 OK\r\n"),
      "m2 LIST \"\" \"*\"\r\nm3 STATUS \"a&b\"" ASK_STATUS "m4 STATUS {2+}\r\n\xc3\xa4" ASK_STATUS
      "m5 STATUS \"&AOQ-\"" ASK_STATUS "m6 STATUS {1+}\r\n\xff" ASK_STATUS "m7 STATUS \"INBOX\"" ASK_STATUS,
      "Spam=Spam a&b=a&b \xc3\xa4=\xc3\xa4 \\x26AOQ-=&AOQ- \\xff=\xff INBOX=INBOX", false, E_NONE },
    { "a line end in a name stays a name",
      SLICE(SERVER(
          "") "* LIST () \"/\" Spam\r\n* LIST () NIL {13}\r\nA\r\nx DELETE B\r\nm2 OK\r\n+\r\nm3 OK\r\nm4 OK\r\n"),
      "m2 LIST \"\" \"*\"\r\nm3 STATUS {13}\r\nA\r\nx DELETE B" ASK_STATUS "m4 STATUS \"INBOX\"" ASK_STATUS,
      "Spam=Spam A\r\nx DELETE B=A\r\nx DELETE B INBOX=INBOX", false, E_NONE },
};

static void play_scan(const struct scan_case *c, size_t chunk)
{
    struct play p;

    CASE("%s, chunk %zu", c->name, chunk);
    play_open(&p, c->bytes, chunk);
    p.source->only_inbox = c->only_inbox;
    CHECK_INT(p.source->ops->scan(p.source, wanted_but_spam, NULL, &p.folders, &p.e), c->code == E_NONE ? 0 : -1);
    CHECK_INT(p.e.code, c->code);
    check_folders(&p.folders, c->want);
    CHECK_SLICE(buf_slice(&sent), slice_str(c->sent));
    play_close(&p);
}

static void test_scan(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(scans); i++) {
        const struct scan_case *c = &scans[i];

        EVERY_CHUNK_SIZE(chunk, c->bytes.n)
        play_scan(c, chunk);
    }
}

/* --- what is in a folder --- */

#define OPENED(exists, valid, next)                                                                                    \
    "* " exists " EXISTS\r\n* OK [UIDVALIDITY " valid "]\r\n* OK [UIDNEXT " next "]\r\nm2 OK\r\n"
#define FROM(n) "m2 EXAMINE \"INBOX\"\r\nm3 UID FETCH " n ":* (UID RFC822.SIZE)\r\n"

/* Each: what was known, what STATUS said, what the server says, what is asked, and what is listed. */
static const struct list_case {
    const char *name, *bytes, *sent,
        *want; /* "UID:size ... | uidvalidity uidnext messages", "..." where not complete */
    struct journal_folder known;
    uint32_t status; /* UIDVALIDITY; 0: no STATUS */
    bool complete, writable;
    enum err_code code;
    enum err_scope scope;
} lists[] = {
    { .name = "never seen",
      .bytes =
          SERVER("") OPENED("2", "7", "9") "* 1 FETCH (UID 3 RFC822.SIZE 10)\r\n* 2 FETCH (RFC822.SIZE 4294967297 UID "
                                           "8)\r\nm3 OK\r\n",
      .sent = FROM("1"),
      .want = "3:10 8:4294967297 | 7 9 2" },
    { .name = "what is new, and the last one that n:* names",
      .bytes = SERVER("") OPENED("9", "7", "12") "* 9 FETCH (UID 8 RFC822.SIZE 1)\r\nm3 OK\r\n",
      .sent = FROM("9"),
      .want = "... | 7 12 9",
      .known = { .id = 1, .uidvalidity = 7, .uidnext = 9 } },
    { .name = "writable, complete, in disorder, twice, without UID, more than UIDNEXT told",
      .bytes = SERVER("") OPENED("2", "7", "4") "* 2 FETCH (UID 9 RFC822.SIZE 90)\r\n* 1 FETCH (UID 2)\r\n* 7 FETCH "
                                                "(RFC822.SIZE 4)\r\n* 5 EXISTS\r\n* 2 FETCH (UID 9)\r\nm3 OK\r\n",
      .sent = "m2 SELECT \"INBOX\"\r\nm3 UID FETCH 1:* (UID RFC822.SIZE)\r\n",
      .want = "2:0 9:90 | 7 10 5",
      .known = { .id = 1, .uidvalidity = 7, .uidnext = 4 },
      .complete = true,
      .writable = true },
    { .name = "the UIDVALIDITY of the last pass is not this one's",
      .bytes = SERVER("") OPENED("1", "8", "12") "* 1 FETCH (UID 11 RFC822.SIZE 1)\r\nm3 OK\r\n* 1 FETCH (UID 2 "
                                                 "RFC822.SIZE 5)\r\nm4 OK\r\n",
      .sent = FROM("9") "m4 UID FETCH 1:* (UID RFC822.SIZE)\r\n",
      .want = "2:5 | 8 12 1",
      .known = { .id = 1, .uidvalidity = 7, .uidnext = 9 } },
    { .name = "STATUS tells the UIDVALIDITY beforehand",
      .bytes = SERVER("") OPENED("1", "8", "12") "* 1 FETCH (UID 2 RFC822.SIZE 5)\r\nm3 OK\r\n",
      .sent = FROM("1"),
      .want = "2:5 | 8 12 1",
      .known = { .id = 1, .uidvalidity = 7, .uidnext = 9 },
      .status = 8 },
    { .name = "STATUS told a wrong one: the pass goes on where it was",
      .bytes = SERVER("") OPENED("1", "7", "12") "* 1 FETCH (UID 2 RFC822.SIZE 5)\r\nm3 OK\r\n* 1 FETCH (UID 10 "
                                                 "RFC822.SIZE 5)\r\nm4 OK\r\n",
      .sent = FROM("1") "m4 UID FETCH 9:* (UID RFC822.SIZE)\r\n",
      .want = "10:5... | 7 12 1",
      .known = { .id = 1, .uidvalidity = 7, .uidnext = 9 },
      .status = 8 },
    { .name = "MESSAGELIMIT: from the highest down",
      .bytes = SERVER("MESSAGELIMIT=2") OPENED("5", "7", "9") "* 4 FETCH (UID 6)\r\n* 5 FETCH (UID 8)\r\nm3 OK "
                                                              "[MESSAGELIMIT 2 6]\r\n* 2 FETCH (UID 3)\r\n* 3 FETCH "
                                                              "(UID 4)\r\nm4 OK [MESSAGELIMIT 2 3]\r\n* 1 FETCH (UID "
                                                              "1)\r\nm5 OK\r\n",
      .sent = FROM("1") "m4 UID FETCH 1:5 (UID RFC822.SIZE)\r\nm5 UID FETCH 1:2 (UID RFC822.SIZE)\r\n",
      .want = "1:0 3:0 4:0 6:0 8:0 | 7 9 5" },
    { .name = "MESSAGELIMIT that gets nowhere: looked at again in the next pass",
      .bytes =
          SERVER("") OPENED("5", "7", "9") "* 5 FETCH (UID 8)\r\nm3 OK [MESSAGELIMIT 2 6]\r\nm4 OK [MESSAGELIMIT 2 "
                                           "5]\r\n",
      .sent = FROM("1") "m4 UID FETCH 1:5 (UID RFC822.SIZE)\r\n",
      .want = "8:0... | 7 1 5" },
    { .name = "MESSAGELIMIT with nothing at all",
      .bytes = SERVER("") OPENED("5", "7", "9") "m3 OK [MESSAGELIMIT 2 6]\r\n",
      .sent = FROM("1"),
      .want = "... | 7 1 5" },
    { .name = "MESSAGELIMIT without a place to go on",
      .bytes = SERVER("") OPENED("5", "7", "9") "* 5 FETCH (UID 8)\r\nm3 OK [MESSAGELIMIT 2]\r\n",
      .sent = FROM("4"),
      .want = "8:0... | 7 4 5",
      .known = { .id = 1, .uidvalidity = 7, .uidnext = 4 } },
    { .name = "a part of the list, then NO: the rest is not forgotten",
      .bytes = SERVER("") OPENED("5", "7", "9") "* 5 FETCH (UID 8)\r\nm3 NO some could not be had\r\n",
      .sent = FROM("4"),
      .want = "8:0... | 7 4 5",
      .known = { .id = 1, .uidvalidity = 7, .uidnext = 4 } },
    { .name = "a part of the list, then throttled",
      .bytes = SERVER("") OPENED("5", "7", "9") "* 5 FETCH (UID 8)\r\nm3 NO [UNAVAILABLE] later\r\n",
      .sent = FROM("1"),
      .code = E_BUSY,
      .scope = SCOPE_SESSION },
    { .name = "nothing of the list",
      .bytes = SERVER("") OPENED("5", "7", "9") "m3 NO\r\n",
      .sent = FROM("1"),
      .code = E_BUSY,
      .scope = SCOPE_FOLDER },
    { .name = "an empty folder, where 1:* is BAD",
      .bytes = SERVER("") OPENED("0", "7", "1") "m3 BAD no messages\r\n",
      .sent = FROM("1"),
      .want = "| 7 1 0" },
    { .name = "no UIDNEXT",
      .bytes = SERVER("") "* 0 EXISTS\r\n* OK [UIDVALIDITY 7]\r\nm2 OK\r\nm3 OK\r\n",
      .sent = FROM("4"),
      .want = "... | 7 4 0",
      .known = { .id = 1, .uidvalidity = 7, .uidnext = 4 } },
    { .name = "UIDFETCH: the UID is in front, and what is inside agrees",
      .bytes =
          SERVER("") OPENED("2", "7", "9") "* 3 UIDFETCH (RFC822.SIZE 10)\r\n* 4 UIDFETCH (UID 4)\r\n* 5 UIDFETCH (UID "
                                           "6)\r\n* 0 UIDFETCH (RFC822.SIZE 1)\r\nm3 OK\r\n",
      .sent = FROM("1"),
      .want = "3:10 4:0 | 7 9 2" },
    { .name = "no UIDVALIDITY",
      .bytes = SERVER("") "* 1 EXISTS\r\nm2 OK\r\n* 1 FETCH (UID 1)\r\nm3 OK\r\n",
      .sent = FROM("1"),
      .code = E_PROTO,
      .scope = SCOPE_FOLDER },
    { .name = "a number that is none",
      .bytes = SERVER("") "* OK [UIDNEXT -1]\r\nm2 OK\r\nm3 OK\r\n",
      .sent = FROM("1"),
      .code = E_PROTO,
      .scope = SCOPE_FOLDER },
    { .name = "UIDVALIDITY changes under the list",
      .bytes = SERVER("") OPENED("1", "7", "9") "* OK [UIDVALIDITY 8]\r\n* 1 FETCH (UID 1)\r\nm3 OK\r\n",
      .sent = FROM("1"),
      .code = E_PROTO,
      .scope = SCOPE_SESSION },
    { .name = "the folder is not opened; what another folder answers counts for nothing",
      .bytes = SERVER("") "m2 NO no such folder\r\n* 1 FETCH (UID 1)\r\nm3 OK\r\n",
      .sent = FROM("1"),
      .code = E_BUSY,
      .scope = SCOPE_FOLDER },
    { .name = "throttled at the folder",
      .bytes = SERVER("") "m2 NO [LIMIT] later\r\nm3 BAD\r\n",
      .sent = FROM("1"),
      .code = E_BUSY,
      .scope = SCOPE_SESSION },
    { .name = "cut behind the folder",
      .bytes = SERVER("") "m2 NO no such folder\r\n",
      .sent = FROM("1"),
      .code = E_NET,
      .scope = SCOPE_SESSION },
};

static void check_listing(const struct listing *l, const char *want)
{
    struct buf text = BUF_INIT(10000);

    for (size_t i = 0; i < l->count; i++)
        assert_int_equal(buf_putf(&text, "%s%" PRIu32 ":%" PRIu64, i > 0 ? " " : "", l->v[i].number, l->v[i].octets),
                         0);
    assert_int_equal(buf_putf(&text, "%s%s| %" PRIu32 " %" PRIu32 " %" PRIu32, l->complete ? "" : "...",
                              l->count > 0 || !l->complete ? " " : "", l->uidvalidity, l->uidnext, l->messages),
                     0);
    CHECK_SLICE(buf_slice(&text), slice_str(want));
    buf_release(&text);
}

static void play_list(const struct list_case *c, size_t chunk)
{
    struct play p;

    CASE("%s, chunk %zu", c->name, chunk);
    play_open(&p, slice_str(c->bytes), chunk);
    struct list_request request = {
        .folder = &p.folder, .known = &c->known, .complete = c->complete, .writable = c->writable
    };
    p.folder.has_status = c->status != 0;
    p.folder.uidvalidity = c->status;
    CHECK_INT(p.source->ops->list(p.source, &request, &p.listing, &p.e), c->code == E_NONE ? 0 : -1);
    CHECK_INT(p.e.code, c->code);
    CHECK_SLICE(buf_slice(&sent), slice_str(c->sent));
    if (c->code == E_NONE)
        check_listing(&p.listing, c->want);
    else
        CHECK_INT(p.e.scope, c->scope);
    play_close(&p);
}

static void test_list(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        EVERY_CHUNK_SIZE(chunk, strlen(lists[i].bytes))
        play_list(&lists[i], chunk);
    }
}

/* --- bodies --- */

static const struct fetch_case {
    const char *name, *bytes, *sent, *log;
    struct fetch_item items[3];
    enum err_code code;
} fetches[] = {
    { "all there, UID before and behind the body, flags, date",
      SERVER(
          "") "* 1 FETCH (UID 4 FLAGS (\\Seen) INTERNALDATE \"01-Jan-1970 00:00:09 +0000\" BODY[] {3}\r\na\r\n)\r\n* 2 "
              "FETCH (BODY[] {0}\r\n UID 5)\r\n* 3 FETCH (UID 9 BODY[] {4}\r\n)\r\nb)\r\nm2 OK\r\n",
      "m2 UID FETCH 4:5,9" ASK,
      "<a\r\n>4(1 9 )<>5<)\r\nb>9",
      { { .number = 4 }, { .number = 5 }, { .number = 9 } },
      E_NONE },
    { "Gmail's ids",
      SERVER("X-GM-EXT-1") "* 1 FETCH (X-GM-MSGID 77 UID 4 BODY[] {1}\r\na)\r\nm2 OK\r\n",
      "m2 UID FETCH 4 (UID FLAGS INTERNALDATE X-GM-MSGID BODY.PEEK[])\r\n",
      "<a>4(0 0 77)",
      { { .number = 4 } },
      E_NONE },
    { "EMAILID",
      SERVER("OBJECTID") "* 1 FETCH (EMAILID (M1) UID 4 BODY[] {1}\r\na)\r\nm2 OK\r\n",
      "m2 UID FETCH 4 (UID FLAGS INTERNALDATE EMAILID BODY.PEEK[])\r\n",
      "<a>4(0 0 M1)",
      { { .number = 4 } },
      E_NONE },
    { "UIDFETCH",
      SERVER("") "* 4 UIDFETCH (BODY[] {1}\r\na)\r\nm2 OK\r\n",
      "m2 UID FETCH 4" ASK,
      "<a>4",
      { { .number = 4 } },
      E_NONE },
    { "in quotes",
      SERVER("") "* 1 FETCH (UID 4 BODY[] \"a \\\"b\\\"\")\r\n* 2 FETCH (UID 5 BODY[] \"\")\r\nm2 OK\r\n",
      "m2 UID FETCH 4:5" ASK,
      "<a \"b\">4<>5",
      { { .number = 4 }, { .number = 5 } },
      E_NONE },
    { "not asked for, without UID, with another's, mere news",
      SERVER(
          "") "* 3 EXISTS\r\n* 9 FETCH (UID 8 BODY[] {1}\r\nx)\r\n* 1 FETCH (BODY[] {1}\r\ny)\r\n* 1 FETCH (UID 4 "
              "FLAGS "
              "())\r\n* 4 UIDFETCH (UID 5 BODY[] {1}\r\nz)\r\n* 2 EXPUNGE\r\n* 1 FETCH (UID 4 BODY[] {1}\r\na)\r\nm2 "
              "OK\r\n",
      "m2 UID FETCH 4" ASK,
      "<x#<y#<z#<a>4",
      { { .number = 4 } },
      E_NONE },
    { "NIL, a part, the header, two bodies: asked for alone; there, but refused",
      SERVER("") "* 1 FETCH (UID 4 BODY[] NIL)\r\n* 2 FETCH (UID 5 BODY[]<0> {1}\r\nx)\r\n* 3 FETCH (UID 9 BODY[] "
                 "{1}\r\ny "
                 "BODY[HEADER] {1}\r\nz)\r\nm2 OK\r\n"
                 "* 1 FETCH (UID 4 BODY[] {1}\r\na)\r\nm3 OK\r\n"
                 "* 2 FETCH (UID 5 BODY[]<0> {1}\r\nx)\r\nm4 OK\r\n* 2 FETCH (UID 5)\r\nm5 OK\r\nm6 NO\r\nm7 NO\r\n",
      "m2 UID FETCH 4:5,9" ASK "m3 UID FETCH 4" ASK "m4 UID FETCH 5" ASK "m5 UID FETCH 5 (UID)\r\nm6 UID FETCH 9" ASK
      "m7 UID FETCH 9 (UID)\r\n",
      "<x#<y#<z#<a>4<x#!5!9",
      { { .number = 4 }, { .number = 5 }, { .number = 9 } },
      E_NONE },
    { "gone",
      SERVER("") "* 1 FETCH (UID 5 BODY[] {1}\r\na)\r\nm2 OK\r\nm3 OK\r\nm4 OK\r\n",
      "m2 UID FETCH 4:5" ASK "m3 UID FETCH 4" ASK "m4 UID FETCH 4 (UID)\r\n",
      "<a>5-4",
      { { .number = 4 }, { .number = 5 } },
      E_NONE },
    { "it comes when it is asked whether it is there",
      SERVER("") "m2 OK\r\nm3 OK\r\n* 1 FETCH (UID 4 BODY[] {1}\r\na)\r\nm4 "
                 "OK\r\n",
      "m2 UID FETCH 4" ASK "m3 UID FETCH 4" ASK "m4 UID FETCH 4 (UID)\r\n",
      "<a>4",
      { { .number = 4 } },
      E_NONE },
    { "throttled",
      SERVER("") "* 1 FETCH (UID 4 BODY[] {1}\r\na)\r\nm2 NO Request is throttled.\r\n",
      "m2 UID FETCH 4:5" ASK,
      "<a>4",
      { { .number = 4 }, { .number = 5 } },
      E_BUSY },
    { "throttled at a single one",
      SERVER("") "m2 OK\r\nm3 NO [UNAVAILABLE]\r\n",
      "m2 UID FETCH 4" ASK "m3 UID FETCH 4" ASK,
      "",
      { { .number = 4 } },
      E_BUSY },
    { "cut in a body",
      SERVER("") "* 1 FETCH (UID 4 BODY[] {9}\r\nabc",
      "m2 UID FETCH 4" ASK,
      "<abc",
      { { .number = 4 } },
      E_NET },
    { "BYE between bodies",
      SERVER("") "* 1 FETCH (UID 4 BODY[] {1}\r\na)\r\n* BYE\r\n",
      "m2 UID FETCH 4:5" ASK,
      "<a>4",
      { { .number = 4 }, { .number = 5 } },
      E_BUSY },
    { "UIDVALIDITY changes",
      SERVER("") "* OK [UIDVALIDITY 8]\r\n* 1 FETCH (UID 4 BODY[] {1}\r\na)\r\nm2 OK\r\n",
      "m2 UID FETCH 4" ASK,
      "",
      { { .number = 4 } },
      E_PROTO },
    { "MESSAGELIMIT",
      SERVER("MESSAGELIMIT=2") "* 1 FETCH (UID 4 BODY[] {1}\r\na)\r\n* 2 FETCH (UID 5 BODY[] {1}\r\nb)\r\nm2 "
                               "OK\r\n* 3 FETCH (UID 6 BODY[] {1}\r\nc)\r\nm3 OK\r\n",
      "m2 UID FETCH 4:5" ASK "m3 UID FETCH 6" ASK,
      "<a>4<b>5<c>6",
      { { .number = 4 }, { .number = 5 }, { .number = 6 } },
      E_NONE },
    { "large ones go in commands of their own, all in flight; answered in another order",
      SERVER("") "* 1 FETCH (UID 6 BODY[] {1}\r\nc)\r\nm4 OK\r\n* 2 FETCH (UID 4 BODY[] {1}\r\na)\r\nm2 OK\r\n* 3 "
                 "FETCH (UID "
                 "5 BODY[] {1}\r\nb)\r\nm3 OK\r\n",
      "m2 UID FETCH 4" ASK "m3 UID FETCH 5" ASK "m4 UID FETCH 6" ASK,
      "<c>6<a>4<b>5",
      { { .number = 4, .octets = 12 << 20 }, { .number = 5, .octets = 12 << 20 }, { .number = 6, .octets = 12 << 20 } },
      E_NONE },
};

static size_t item_count(const struct fetch_item *items)
{
    size_t n = 0;

    while (n < 3 && items[n].number != 0)
        n++;
    return n;
}

static int play_fetch(struct play *p, const struct fetch_item *items, size_t count)
{
    intake_items = items;
    return p->source->ops->fetch(p->source, items, count, &intake, &p->e);
}

static void test_fetch(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fetches); i++) {
        const struct fetch_case *c = &fetches[i];

        EVERY_CHUNK_SIZE(chunk, strlen(c->bytes))
        {
            struct play p;

            CASE("%s, chunk %zu", c->name, chunk);
            play_open(&p, slice_str(c->bytes), chunk);
            CHECK_INT(play_fetch(&p, c->items, item_count(c->items)), c->code == E_NONE ? 0 : -1);
            CHECK_INT(p.e.code, c->code);
            CHECK_SLICE(buf_slice(&intake_log), slice_str(c->log));
            CHECK_SLICE(buf_slice(&sent), slice_str(c->sent));
            play_close(&p);
        }
    }
}

/* 2,000 messages with gaps: 80 ranges a command, four commands in flight, never more than LIMIT_IN_FLIGHT bytes. */
static void test_window(void **state)
{
    enum { N = 2000 };
    static struct fetch_item items[N];
    struct buf input = BUF_INIT(1 << 20);
    unsigned commands = 0;
    struct play p;

    (void)state;
    CASE("many commands, few in flight");
    assert_int_equal(buf_put_str(&input, SERVER("")), 0);
    for (unsigned i = 0; i < N; i++) {
        items[i].number = 4000000000u + 2 * i;
        assert_int_equal(buf_putf(&input, "* %u FETCH (UID %" PRIu32 " BODY[] {1}\r\na)\r\n", i + 1, items[i].number),
                         0);
        if (i % 80 == 79 || i == N - 1)
            assert_int_equal(buf_putf(&input, "m%u OK\r\n", 2 + commands++), 0);
    }
    play_open(&p, buf_slice(&input), 0);
    CHECK_INT(play_fetch(&p, items, N), 0);
    for (size_t i = 0; i < N; i++)
        CHECK(intake_had[i]);
    size_t lines = 0, longest = 0;
    for (char *at = sent.p, *end; (end = memchr(at, '\n', sent.len - (size_t)(at - sent.p))) != NULL; at = end + 1) {
        lines++;
        longest = (size_t)(end - at) > longest ? (size_t)(end - at) : longest;
    }
    CHECK_INT(lines, commands);
    CHECK(4 * longest <= LIMIT_IN_FLIGHT);
    play_close(&p);
    buf_release(&input);
}

static void test_all_refused(void **state)
{
    static struct fetch_item items[20];
    struct buf input = BUF_INIT(10000);
    struct play p;

    (void)state;
    CASE("one after the other is refused: it is the server");
    assert_int_equal(buf_put_str(&input, SERVER("") "m2 NO\r\n"), 0);
    for (unsigned i = 0; i < 20; i++) {
        items[i].number = i + 1;
        assert_int_equal(buf_putf(&input, "m%u NO\r\nm%u NO\r\n", 3 + 2 * i, 4 + 2 * i), 0);
    }
    play_open(&p, buf_slice(&input), 0);
    CHECK_INT(play_fetch(&p, items, 20), -1);
    CHECK_INT(p.e.code, E_BUSY);
    CHECK_SLICE(buf_slice(&intake_log), SLICE("!1!2!3!4!5!6!7!8!9!10"));
    play_close(&p);
    buf_release(&input);
}

/* --- header blocks --- */

static int got_header(void *ctx, const struct fetch_item *item, const struct header_facts *facts, struct err *e)
{
    (void)e;
    return buf_putf(ctx, "%" PRIu32 "=%.*s %" PRIu64 " %02x%02x;", item->number, SLICE_ARG(facts->message_id),
                    facts->octets, facts->digest[0], facts->digest[1]);
}

static void test_headers(void **state)
{
    static const char bytes[] = SERVER(
        "") "* 1 FETCH (UID 4 RFC822.SIZE 44 BODY[HEADER] {23}\r\nMessage-ID: <x@y>\r\n\r\nzz)\r\n"
            "* 2 FETCH (UID 8 BODY[HEADER] {3}\r\na\r\n)\r\n* 2 FETCH (UID 5 BODY[] {3}\r\na\r\n)\r\n* 3 FETCH (UID 9 "
            "BODY[HEADER] \"\")\r\nm2 OK\r\n";
    static const struct fetch_item items[] = { { .number = 4 }, { .number = 5 }, { .number = 9, .octets = 7 } };

    (void)state;
    EVERY_CHUNK_SIZE(chunk, sizeof(bytes) - 1)
    {
        struct buf got = BUF_INIT(1000);
        struct play p;

        CASE("chunk %zu", chunk);
        play_open(&p, SLICE(bytes), chunk);
        CHECK_INT(p.source->ops->headers(p.source, items, 3, got_header, &got, &p.e), 0);
        CHECK_SLICE(buf_slice(&got), SLICE("4=<x@y> 44 32e5;9= 7 e3b0;"));
        CHECK_SLICE(buf_slice(&sent),
                    SLICE("m2 UID FETCH 4:5,9 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER])\r\n"));
        play_close(&p);
        buf_release(&got);
    }
}

/* --- removal --- */

#define STORE_4_5_9   "UID STORE 4:5,9 +FLAGS.SILENT (\\Deleted)\r\n"
#define EXPUNGE_4_5_9 "UID EXPUNGE 4:5,9\r\n"
#define TRASH         "* LIST (\\Trash \\Noselect) \"/\" N\r\n* LIST (\\Trash) \"/\" \"T t\"\r\nm2 OK\r\n"
#define LIST_TRASH    "m2 LIST \"\" \"*\" RETURN (SPECIAL-USE)\r\n"
#define GMAIL         "X-GM-EXT-1 MOVE UIDPLUS SPECIAL-USE LIST-EXTENDED"

static const struct remove_case {
    const char *name, *bytes, *sent;
    enum remove_result result;
    enum err_code code;
    const char *folder; /* opened before; NULL: INBOX, not opened */
} removals[] = {
    { "UIDPLUS", SERVER("UIDPLUS") "m2 OK\r\n* 1 EXPUNGE\r\nm3 OK\r\n", "m2 " STORE_4_5_9 "m3 " EXPUNGE_4_5_9,
      REMOVE_DONE, E_NONE, NULL },
    { "UIDPLUS and MOVE: no trash", SERVER("UIDPLUS MOVE") "m2 OK\r\nm3 OK\r\n", "m2 " STORE_4_5_9 "m3 " EXPUNGE_4_5_9,
      REMOVE_DONE, E_NONE, NULL },
    { "refused to mark", SERVER("UIDPLUS") "m2 NO read-only\r\nm3 OK\r\n", "m2 " STORE_4_5_9 "m3 " EXPUNGE_4_5_9,
      REMOVE_DONE, E_BUSY, NULL },
    { "refused to expunge", SERVER("UIDPLUS") "m2 OK\r\nm3 NO\r\n", "m2 " STORE_4_5_9 "m3 " EXPUNGE_4_5_9, REMOVE_DONE,
      E_BUSY, NULL },
    { "cut before the answer", SERVER("UIDPLUS") "m2 OK\r\n", "m2 " STORE_4_5_9 "m3 " EXPUNGE_4_5_9, REMOVE_DONE, E_NET,
      NULL },
    { "neither", SERVER("") "m2 OK\r\n", "m2 " STORE_4_5_9, REMOVE_MARKED, E_NONE, NULL },
    { "MOVE", SERVER("MOVE SPECIAL-USE LIST-EXTENDED") TRASH "m3 OK\r\n", LIST_TRASH "m3 UID MOVE 4:5,9 \"T t\"\r\n",
      REMOVE_DONE, E_NONE, NULL },
    { "MOVE refused", SERVER("MOVE SPECIAL-USE LIST-EXTENDED") TRASH "m3 NO\r\n",
      LIST_TRASH "m3 UID MOVE 4:5,9 \"T t\"\r\n", REMOVE_DONE, E_BUSY, NULL },
    { "MOVE, but no trash", SERVER("MOVE") "m2 OK\r\nm3 OK\r\n", "m2 LIST \"\" \"*\"\r\nm3 " STORE_4_5_9, REMOVE_MARKED,
      E_NONE, NULL },
    { "Gmail", SERVER(GMAIL) TRASH "m3 OK\r\n", LIST_TRASH "m3 UID MOVE 4:5,9 \"T t\"\r\n", REMOVE_DONE, E_NONE, NULL },
    { "Gmail, in the trash itself",
      SERVER(GMAIL) "* OK [UIDVALIDITY 7]\r\nm2 OK\r\nm3 OK\r\n* LIST (\\Trash) \"/\" \"T t\"\r\nm4 OK\r\nm5 OK\r\nm6 "
                    "OK\r\n",
      "m2 SELECT \"T t\"\r\nm3 UID FETCH 1:* (UID RFC822.SIZE)\r\nm4 LIST \"\" \"*\" RETURN "
      "(SPECIAL-USE)\r\nm5 " STORE_4_5_9 "m6 " EXPUNGE_4_5_9,
      REMOVE_DONE, E_NONE, "T t" },
    { "MESSAGELIMIT", SERVER("UIDPLUS MESSAGELIMIT=2") "m2 OK\r\nm3 OK\r\nm4 OK\r\nm5 OK\r\n",
      "m2 UID STORE 4:5 +FLAGS.SILENT (\\Deleted)\r\nm3 UID EXPUNGE 4:5\r\nm4 UID STORE 9 +FLAGS.SILENT "
      "(\\Deleted)\r\nm5 UID "
      "EXPUNGE 9\r\n",
      REMOVE_DONE, E_NONE, NULL },
};

static void test_remove(void **state)
{
    static const struct fetch_item items[] = { { .number = 4 }, { .number = 5 }, { .number = 9 } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(removals); i++) {
        const struct remove_case *c = &removals[i];

        EVERY_CHUNK_SIZE(chunk, strlen(c->bytes))
        {
            enum remove_result result;
            struct play p;

            CASE("%s, chunk %zu", c->name, chunk);
            play_open(&p, slice_str(c->bytes), chunk);
            p.source->quirks = QUIRK_SAID_NO_EXPUNGE; /* quiet */
            if (c->folder != NULL) {
                struct list_request request = { .folder = &p.folder, .known = &p.known, .writable = true };
                p.folder.name = p.folder.wire_name = (char *)(uintptr_t)c->folder;
                CHECK_INT(p.source->ops->list(p.source, &request, &p.listing, &p.e), 0);
            }
            CHECK_INT(p.source->ops->remove(p.source, items, 3, &result, &p.e), c->code == E_NONE ? 0 : -1);
            CHECK_INT(p.e.code, c->code);
            CHECK(c->code != E_NONE || result == c->result);
            CHECK_SLICE(buf_slice(&sent), slice_str(c->sent));
            play_close(&p);
        }
    }
}

static void test_describe(void **state)
{
    struct buf text = BUF_INIT(200);
    struct play p;

    (void)state;
    CASE("describe");
    play_open(&p, SLICE(SERVER("")), 0);
    CHECK_INT(p.source->ops->describe(p.source, &text), 0);
    CHECK_SLICE(buf_slice(&text), SLICE("imap imap.example.org, user anna"));
    CHECK(stream_tls(source_imap_stream(p.source)) == NULL);
    play_close(&p);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scan),        cmocka_unit_test(test_list),     cmocka_unit_test(test_fetch),
        cmocka_unit_test(test_window),      cmocka_unit_test(test_headers),  cmocka_unit_test(test_remove),
        cmocka_unit_test(test_all_refused), cmocka_unit_test(test_describe),
    };
    struct err e;

    return log_open(&(struct log_options){ .level = LOG_LEVEL_ERROR }, &e) != 0 ||
           cmocka_run_group_tests(tests, NULL, NULL);
}
