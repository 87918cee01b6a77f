/* SPDX-License-Identifier: MIT
 * The IMAP destination against servers made of bytes, one for each connection: dial() is this file's own. A cut is the
 * end of the bytes.
 */
#include "haul/sink_imap.h"

#include "../store/store_test.h"
#include "base/log.h"
#include "haul/sink_imap_int.h"
#include "net/stream.h"
#include "store/spool.h"
#include "wire/limits.h"

#define PLUS          "IMAP4rev1 LITERAL+ UIDPLUS"
#define MULTI         PLUS " MULTIAPPEND"
#define GREET(caps)   "* OK [CAPABILITY " caps "] hi\r\nm1 OK [CAPABILITY " caps "] in\r\n"
#define FLAT          "* LIST (\\Noselect) \".\" \"\"\r\nm2 OK\r\n"
#define STATUS(t)     "* STATUS INBOX (UIDNEXT 10 UIDVALIDITY 7)\r\n" t " OK\r\n"
#define LOGIN         "m1 LOGIN \"anna\" \"s3cret\"\r\n"
#define ASK_NAMES     "m2 LIST \"\" \"\"\r\n"
#define ASK_STATUS(t) t " STATUS \"INBOX\" (UIDNEXT UIDVALIDITY)\r\n"
#define BEFORE        LOGIN ASK_NAMES ASK_STATUS("m3")
#define FIRST(caps)   GREET(caps) FLAT STATUS("m3")
#define AGAIN(caps)   GREET(caps)

enum { CONNECTIONS = 4, MESSAGES = 6 };

static const char *const *servers; /* what each connection's server says; NULL: nobody answers */
static size_t dialled;
static size_t chunk_size;
static struct buf sent;

int dial(const struct dial_options *options, struct stream **out, struct err *e)
{
    (void)options;
    if (dialled >= CONNECTIONS || servers[dialled] == NULL)
        return err_set(e, E_NET, "nobody answers");
    if (dialled > 0 && buf_put_str(&sent, "|") != 0)
        return err_nomem(e);
    return stream_memory(slice_str(servers[dialled++]), chunk_size, &sent, out, e);
}

static int give_password(void *ctx, struct secret *out, struct err *e)
{
    (void)ctx;
    return secret_set(out, SLICE("s3cret")) == 0 ? 0 : err_nomem(e);
}

static const struct server server = {
    .dial = { .host = "imap.example.org", .port = 143 },
    .tls = SERVER_PLAINTEXT,
    .user = "anna",
    .password = give_password,
};

struct message {
    const char *body; /* file form; NULL: no more */
    const char *folder;
    unsigned flags;
    int64_t date;
    const char *doubt; /* the name that was recorded, NULL: it is new */
    unsigned tries;
};

static int records_until_enough; /* the heart's patience */
static struct buf recorded;

static int record_write(void *ctx, struct sink_slot *slot, struct err *e)
{
    static const char letters[] = { [DELIVERY_WANTED] = 'W',
                                    [DELIVERY_STAGED] = 'S',
                                    [DELIVERY_DELIVERED] = 'D',
                                    [DELIVERY_IN_DOUBT] = '?',
                                    [DELIVERY_REJECTED] = 'R' };

    (void)ctx;
    assert_int_equal(buf_putf(&recorded, "%c%" PRId64 " ", letters[slot->state], slot->message), 0);
    if (records_until_enough > 0 && --records_until_enough == 0)
        return err_set(e, E_REJECTED, "enough");
    return 0;
}

/* "D:7.10" or "R:7.10(words)", one behind the other. */
static void outcomes(struct sink_slot *const *slots, size_t count, struct buf *out)
{
    static const char *const letters[] = {
        [DELIVERY_WANTED] = "W", [DELIVERY_DELIVERED] = "D", [DELIVERY_IN_DOUBT] = "?", [DELIVERY_REJECTED] = "R"
    };

    for (size_t i = 0; i < count; i++) {
        const char *why = slots[i]->why;
        assert_int_equal(buf_putf(out, "%s%s:%s%s%s%s", i > 0 ? " " : "", letters[slots[i]->state], slots[i]->name,
                                  why != NULL ? "(" : "", why != NULL ? why : "", why != NULL ? ")" : ""),
                         0);
    }
}

static struct spool *spool;

static struct spool_file *spooled(const char *body)
{
    struct spool_file *file;
    struct err e;

    OK(spool_begin(spool, &e));
    OK(spool_write(spool, slice_str(body), &e));
    OK(spool_finish(spool, &file, &e));
    return file;
}

struct play {
    struct sink *sink;
    struct sink_slot slots[MESSAGES], *v[MESSAGES];
    size_t count;
    int rc;
    struct err e;
};

static void play_init(struct play *p, const char *const *scripts, const char *folder, const char *prefix)
{
    const struct sink_imap_options options = { "there", &server, folder, prefix, false };

    *p = (struct play){ .sink = sink_imap_new(&options), .e = ERR_INIT };
    CHECK(p->sink != NULL);
    servers = scripts;
    dialled = 0;
    sent = BUF_INIT(1 << 22);
    recorded = BUF_INIT(1 << 16);
}

static void play_batch(struct play *p, const struct message *messages)
{
    static const struct sink_record record = { NULL, record_write };
    struct err e;

    for (p->count = 0; p->count < MESSAGES && messages[p->count].body != NULL; p->count++) {
        const struct message *m = &messages[p->count];
        struct spool_file *file = spooled(m->body);
        struct sink_message what = { .folder = slice_str(m->folder != NULL ? m->folder : "INBOX"),
                                     .delimiter = '/',
                                     .flags = m->flags,
                                     .date = m->date,
                                     .file = file };
        struct sink_slot *slot = &p->slots[p->count];

        *slot = (struct sink_slot){ .message = (int64_t)p->count, .doubtful = m->doubt != NULL, .tries = m->tries };
        if (m->doubt != NULL)
            snprintf(slot->name, sizeof(slot->name), "%s", m->doubt);
        OK(p->sink->ops->finish(p->sink, &what, slot, &e));
        spool_release(&file);
        p->v[p->count] = slot;
    }
    p->rc = p->sink->ops->prepare(p->sink, p->v, p->count, &p->e);
    if (p->rc == 0)
        p->rc = p->sink->ops->commit(p->sink, p->v, p->count, &record, &p->e);
}

static void play_end_batch(struct play *p)
{
    for (size_t i = 0; i < p->count; i++) {
        p->sink->ops->discard(p->sink, p->v[i]);
        free(p->v[i]->why);
    }
    p->count = 0;
}

static void play_release(struct play *p)
{
    play_end_batch(p);
    p->sink->ops->close(p->sink);
    p->sink->ops->free(p->sink);
    buf_release(&sent);
    buf_release(&recorded);
}

/* --- what is sent, and what becomes of it --- */

#define TWO                                                                                                            \
    {                                                                                                                  \
        { .body = "a\n" },                                                                                             \
        {                                                                                                              \
            .body = "b\n"                                                                                              \
        }                                                                                                              \
    }
#define THREE                                                                                                          \
    {                                                                                                                  \
        { .body = "a\n" }, { .body = "b\n" },                                                                          \
        {                                                                                                              \
            .body = "c\n"                                                                                              \
        }                                                                                                              \
    }

static const struct play_case {
    const char *name;
    const char *servers[CONNECTIONS];
    struct message messages[MESSAGES];
    const char *outcomes;
    enum err_code code;
    const char *sent; /* NULL: not looked at; the LOGOUT apart */
} plays[] = {
    { "one message",
      { FIRST("IMAP4rev1") "+ go\r\nm4 OK done\r\n" },
      { { .body = "a\nb" } },
      "D:7.10",
      E_NONE,
      BEFORE "m4 APPEND \"INBOX\" {4}\r\na\r\nb\r\n" },
    { "flags and date; every byte of it",
      { FIRST(PLUS) "m4 OK [APPENDUID 7 10] done\r\n" },
      { { .body = "a\r\n\r.\n\xc3\xa4\r",
          .flags = MAIL_SEEN | MAIL_ANSWERED | MAIL_FLAGGED | MAIL_DRAFT | MAIL_DELETED | MAIL_RECENT,
          .date = 837596665 } },
      "D:7.10",
      E_NONE,
      BEFORE "m4 APPEND \"INBOX\" (\\Seen \\Answered \\Flagged \\Draft) \"17-Jul-1996 09:44:25 +0000\" {11+}\r\n"
             "a\r\r\n\r.\r\n\xc3\xa4\r\r\n" },
    { "LITERAL+: many on their way",
      { FIRST(PLUS) "m4 OK [APPENDUID 7 10] done\r\nm5 OK [APPENDUID 7 12] done\r\n" },
      TWO,
      "D:7.10 D:7.12",
      E_NONE,
      BEFORE "m4 APPEND \"INBOX\" {3+}\r\na\r\n\r\nm5 APPEND \"INBOX\" {3+}\r\nb\r\n\r\n" },
    { "MULTIAPPEND: many in one",
      { FIRST(MULTI) "m4 OK [APPENDUID 7 10,20:21] done\r\n" },
      THREE,
      "D:7.10 D:7.20 D:7.21",
      E_NONE,
      BEFORE "m4 APPEND \"INBOX\" {3+}\r\na\r\n {3+}\r\nb\r\n {3+}\r\nc\r\n\r\n" },
    { "MULTIAPPEND without LITERAL+",
      { FIRST("IMAP4rev1 MULTIAPPEND") "+\r\n+\r\nm4 OK done\r\n" },
      TWO,
      "D:7.10 D:7.10",
      E_NONE,
      BEFORE "m4 APPEND \"INBOX\" {3}\r\na\r\n {3}\r\nb\r\n\r\n" },
    { "fewer UIDs than messages: no name for anybody",
      { FIRST(MULTI) "m4 OK [APPENDUID 7 10] done\r\n" },
      TWO,
      "D:7.10 D:7.10",
      E_NONE,
      NULL },
    { "APPENDUID the wrong way round",
      { FIRST(PLUS) "m4 OK [APPENDUID 10 7] done\r\n" },
      { { .body = "a\n" } },
      "D:7.10",
      E_NONE,
      NULL },
    { "a group refused: its messages one by one",
      { FIRST(MULTI) "m4 NO bad message\r\nm5 OK [APPENDUID 7 10] x\r\nm6 NO [ALERT] bad message\r\nm7 OK [APPENDUID 7 "
                     "11] x\r\n" },
      THREE,
      "D:7.10 R:7.10(imap.example.org refused a message (ALERT: bad message)) D:7.11",
      E_NONE,
      BEFORE "m4 APPEND \"INBOX\" {3+}\r\na\r\n {3+}\r\nb\r\n {3+}\r\nc\r\n\r\n"
             "m5 APPEND \"INBOX\" {3+}\r\na\r\n\r\nm6 APPEND \"INBOX\" {3+}\r\nb\r\n\r\nm7 APPEND \"INBOX\" "
             "{3+}\r\nc\r\n\r\n" },
    { "refused before it was sent: nothing of it is",
      { FIRST("IMAP4rev1") "m4 NO [TOOBIG] too big\r\n+ go\r\nm5 OK\r\n" },
      TWO,
      "R:7.10(imap.example.org refused a message (TOOBIG: too big)) D:7.10",
      E_NONE,
      BEFORE "m4 APPEND \"INBOX\" {3}\r\nm5 APPEND \"INBOX\" {3}\r\nb\r\n\r\n" },
    { "over quota: put off, and the next one tried; three in a row are enough",
      { FIRST("IMAP4rev1") "m4 NO [OVERQUOTA] full\r\nm5 NO [OVERQUOTA] full\r\nm6 NO [OVERQUOTA] full\r\n" },
      { { .body = "a\n" }, { .body = "b\n" }, { .body = "c\n" }, { .body = "d\n" } },
      "W:7.10(imap.example.org refused a message (OVERQUOTA: full)) W:7.10(imap.example.org refused a message "
      "(OVERQUOTA: full)) W:7.10(imap.example.org refused a message (OVERQUOTA: full)) W:7.10",
      E_BUSY,
      BEFORE "m4 APPEND \"INBOX\" {3}\r\nm5 APPEND \"INBOX\" {3}\r\nm6 APPEND \"INBOX\" {3}\r\n" },
    { "over quota in words alone",
      { FIRST("IMAP4rev1") "m4 NO [ALERT] You exceeded your mail Quota.\r\n" },
      { { .body = "a\n" } },
      "W:7.10(imap.example.org refused a message (ALERT: You exceeded your mail Quota.))",
      E_NONE,
      NULL },
    { "three of them are the destination's, and will pass",
      { FIRST("IMAP4rev1") "m4 NO over quota\r\nm5 NO over quota\r\nm6 NO over quota\r\n" },
      THREE,
      "W:7.10(imap.example.org refused a message (over quota)) W:7.10(imap.example.org refused a message (over quota)) "
      "W:7.10(imap.example.org refused a message (over quota))",
      E_BUSY,
      NULL },
    { "OK before the message was sent: nothing is believed",
      { FIRST("IMAP4rev1") "m4 OK done\r\n",
        AGAIN("IMAP4rev1") "* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 10] x\r\nm2 OK\r\n+\r\nm3 OK\r\n" },
      { { .body = "a\n" } },
      "D:7.10",
      E_NONE,
      BEFORE "m4 APPEND \"INBOX\" {3}\r\n|" LOGIN "m2 EXAMINE \"INBOX\"\r\nm3 APPEND \"INBOX\" "
             "{3}\r\na\r\n\r\n" },
    { "OK behind the first of two",
      { FIRST("IMAP4rev1 MULTIAPPEND") "+\r\nm4 OK done\r\n", NULL },
      TWO,
      "?:7.10(imap.example.org said that it has a message which was not sent yet) ?:7.10(imap.example.org said that it "
      "has a message which was not sent yet)",
      E_NET,
      NULL },
    { "throttled: nobody's message is to blame, and no more is sent",
      { FIRST("IMAP4rev1") "m4 NO [THROTTLED] slow down\r\n" },
      TWO,
      "W:7.10 W:7.10",
      E_BUSY,
      BEFORE "m4 APPEND \"INBOX\" {3}\r\n" },
    { "what is on its way is heard to the end",
      { FIRST(PLUS) "m4 NO [UNAVAILABLE] later\r\nm5 OK [APPENDUID 7 10] done\r\n" },
      TWO,
      "W:7.10 D:7.10",
      E_BUSY,
      NULL },
    { "BAD [CLIENTBUG] for want of a line end: once more, with one",
      { FIRST(PLUS) "m4 BAD [CLIENTBUG] no\r\nm5 OK [APPENDUID 7 10] done\r\n" },
      { { .body = "a" } },
      "D:7.10",
      E_NONE,
      BEFORE "m4 APPEND \"INBOX\" {1+}\r\na\r\nm5 APPEND \"INBOX\" {3+}\r\na\r\n\r\n" },
    { "BAD [CLIENTBUG] for anything else",
      { FIRST(PLUS) "m4 BAD [CLIENTBUG] no\r\n" },
      { { .body = "a\n" } },
      "R:7.10(imap.example.org refused a message (CLIENTBUG: no))",
      E_NONE,
      NULL },
    { "an empty message is not sent",
      { FIRST(PLUS) },
      { { .body = "" } },
      "R:7.10(the message is empty; IMAP has no way to store such a one)",
      E_NONE,
      BEFORE },
    { "APPENDLIMIT for all",
      { FIRST(PLUS " APPENDLIMIT=4") "m4 OK\r\n" },
      { { .body = "abc\n" }, { .body = "ab\n" } },
      "R:7.10(the message has 5 octets, and the server takes at most 4) D:7.10",
      E_NONE,
      NULL },
    { "APPENDLIMIT of the folder",
      { GREET(PLUS " APPENDLIMIT") FLAT "* STATUS INBOX (UIDNEXT 10 UIDVALIDITY 7 APPENDLIMIT 4)\r\nm3 OK\r\n" },
      { { .body = "abc\n" } },
      "R:7.10(the message has 5 octets, and the server takes at most 4)",
      E_NONE,
      LOGIN ASK_NAMES "m3 STATUS \"INBOX\" (UIDNEXT UIDVALIDITY APPENDLIMIT)\r\n" },
    { "no permission: the folder is left, another goes on",
      { GREET(PLUS) FLAT "* STATUS a (UIDNEXT 1 UIDVALIDITY 1)\r\nm3 OK\r\n* STATUS b (UIDNEXT 2 UIDVALIDITY 2)\r\nm4 "
                         "OK\r\nm5 NO [NOPERM] not you\r\nm6 OK [APPENDUID 2 2] done\r\n" },
      { { .body = "a\n", .folder = "a" }, { .body = "b\n", .folder = "b" } },
      "W:1.1(imap.example.org refused a message (NOPERM: not you)) D:2.2",
      E_NONE,
      NULL },
    { "a missing folder is made and subscribed",
      { GREET(PLUS) FLAT "m3 NO [NONEXISTENT] no\r\nm4 OK made\r\nm5 NO what for\r\n* STATUS x.y (UIDNEXT 1 "
                         "UIDVALIDITY 3)\r\nm6 OK\r\nm7 OK [APPENDUID 3 1] done\r\n" },
      { { .body = "a\n", .folder = "x/y" } },
      "D:3.1",
      E_NONE,
      LOGIN ASK_NAMES
      "m3 STATUS \"x.y\" (UIDNEXT UIDVALIDITY)\r\nm4 CREATE \"x.y\"\r\nm5 SUBSCRIBE \"x.y\"\r\nm6 STATUS "
      "\"x.y\" (UIDNEXT UIDVALIDITY)\r\nm7 APPEND \"x.y\" {3+}\r\na\r\n\r\n" },
    { "a folder that cannot be made: its messages are put off, others go on",
      { GREET(PLUS) FLAT "m3 NO no\r\n* STATUS INBOX (UIDNEXT 10 UIDVALIDITY 7)\r\nm4 OK\r\nm5 NO [CANNOT] bad "
                         "name\r\nm6 OK [APPENDUID 7 10] done\r\n" },
      { { .body = "a\n", .folder = "%" }, { .body = "b\n" } },
      "W:0.0(imap.example.org refused to make a folder that is missing there (CANNOT: bad name)) D:7.10",
      E_NONE,
      NULL },
    { "a folder that goes away meanwhile is made again, once",
      { FIRST(PLUS) "m4 NO [TRYCREATE] gone\r\nm5 NO [TRYCREATE] gone\r\nm6 OK\r\nm7 OK\r\n* STATUS INBOX (UIDNEXT 1 "
                    "UIDVALIDITY 8)\r\nm8 OK\r\nm9 OK [APPENDUID 8 1] x\r\nm10 NO [TRYCREATE] gone again\r\n" },
      TWO,
      "D:8.1 W:7.10(imap.example.org refused a message (TRYCREATE: gone again))",
      E_NONE,
      NULL },
    { "nobody answers", { NULL }, { { .body = "a\n" } }, "W:", E_NET, "" },
    { "the login is refused",
      { "* OK [CAPABILITY IMAP4rev1] hi\r\nm1 NO [AUTHENTICATIONFAILED] no\r\n" },
      { { .body = "a\n" } },
      "W:",
      E_AUTH,
      LOGIN },
    /* --- lost connections --- */
    { "cut behind the message: it is there",
      { FIRST(PLUS),
        AGAIN(PLUS) "* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 11] x\r\nm2 OK\r\n* 1 FETCH (UID 10 RFC822.SIZE 24)\r\nm3 "
                    "OK\r\n* 1 FETCH (UID 10 RFC822.SIZE 24 BODY[HEADER] {21}\r\nMessage-ID: <1@x>\r\n\r\n)\r\nm4 "
                    "OK\r\n" },
      { { .body = "Message-ID: <1@x>\n\na\n" } },
      "D:7.10",
      E_NONE,
      BEFORE "m4 APPEND \"INBOX\" {24+}\r\nMessage-ID: <1@x>\r\n\r\na\r\n\r\n|" LOGIN
             "m2 EXAMINE \"INBOX\"\r\nm3 UID FETCH 10:* (UID RFC822.SIZE)\r\n"
             "m4 UID FETCH 10 (UID RFC822.SIZE BODY.PEEK[HEADER])\r\n" },
    { "cut behind the message: nothing has come; it goes again, alone",
      { FIRST(PLUS), AGAIN(PLUS) "* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 10] x\r\nm2 OK\r\nm3 OK [APPENDUID 7 10] "
                                 "x\r\nm4 OK [APPENDUID 7 11] x\r\n" },
      TWO,
      "D:7.10 D:7.11",
      E_NONE,
      BEFORE "m4 APPEND \"INBOX\" {3+}\r\na\r\n\r\nm5 APPEND \"INBOX\" {3+}\r\nb\r\n\r\n|" LOGIN
             "m2 EXAMINE \"INBOX\"\r\nm3 APPEND \"INBOX\" {3+}\r\na\r\n\r\nm4 APPEND \"INBOX\" {3+}\r\nb\r\n\r\n" },
    { "the first was answered, the second was not, and it is there under a wrong size",
      { FIRST(PLUS) "m4 OK [APPENDUID 7 10] x\r\nm5 OK",
        AGAIN(PLUS) "* OK [UIDVALIDITY 7] x\r\nm2 OK\r\n* 1 FETCH (UID 10 RFC822.SIZE 3)\r\n* 2 FETCH (UID 11 "
                    "RFC822.SIZE 99)\r\nm3 OK\r\n* SEARCH 11\r\nm4 OK\r\n* 2 FETCH (UID 11 RFC822.SIZE 99 "
                    "BODY[HEADER] {21}\r\nMessage-ID: <1@x>\r\n\r\n)\r\nm5 OK\r\n" },
      { { .body = "a\n" }, { .body = "Message-ID: <1@x>\n\nb\n" } },
      "D:7.10 D:7.11",
      E_NONE,
      NULL },
    { "the second was answered before the cut, the first was not",
      { FIRST(PLUS) "m5 OK [APPENDUID 7 10] x\r\n",
        AGAIN(PLUS) "* OK [UIDVALIDITY 7] x\r\nm2 OK\r\nm3 OK\r\nm4 OK [APPENDUID 7 11] x\r\n" },
      TWO,
      "D:7.11 D:7.10",
      E_NONE,
      BEFORE "m4 APPEND \"INBOX\" {3+}\r\na\r\n\r\nm5 APPEND \"INBOX\" {3+}\r\nb\r\n\r\n|" LOGIN
             "m2 EXAMINE \"INBOX\"\r\nm3 UID FETCH 10:* (UID RFC822.SIZE)\r\nm4 APPEND \"INBOX\" "
             "{3+}\r\na\r\n\r\n" },
    { "twins: one was answered, and only the other can be the one that was not",
      { FIRST(PLUS) "m4 OK [APPENDUID 7 10] x\r\n",
        AGAIN(PLUS) "* OK [UIDVALIDITY 7] x\r\nm2 OK\r\n* 1 FETCH (UID 10 RFC822.SIZE 3)\r\nm3 OK\r\n* 1 FETCH (UID 10 "
                    "RFC822.SIZE 3 BODY[HEADER] {3}\r\na\r\n)\r\nm4 OK\r\nm5 OK [APPENDUID 7 11] x\r\n" },
      { { .body = "a\n" }, { .body = "a\n" } },
      "D:7.10 D:7.11",
      E_NONE,
      NULL },
    { "the connection is lost with one message again and again: it is put off, the next goes on",
      { FIRST("IMAP4rev1") "+\r\n",
        AGAIN("IMAP4rev1") "* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 10] x\r\nm2 OK\r\n+\r\n",
        AGAIN("IMAP4rev1") "* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 10] x\r\nm2 OK\r\n+\r\nm3 OK\r\n" },
      TWO,
      "?:7.10(memory: the server closed the connection) D:7.10",
      E_NONE,
      NULL },
    { "lost, and nobody answers any more: in doubt",
      { FIRST(PLUS) },
      TWO,
      "?:7.10(memory: the server closed the connection) ?:7.10(memory: the server closed the connection)",
      E_NET,
      NULL },
    { "BYE",
      { FIRST("IMAP4rev1") "* BYE enough\r\n", NULL },
      TWO,
      "?:7.10(imap.example.org ended the session (enough)) W:7.10",
      E_NET,
      NULL },
    /* --- in doubt from an earlier pass --- */
    { "found: not appended again",
      { FIRST(
          PLUS) "* OK [UIDVALIDITY 7] x\r\nm4 OK\r\n* 9 FETCH (UID 4 RFC822.SIZE 3)\r\n* 9 FETCH (UID 5 RFC822.SIZE "
                "3)\r\nm5 OK\r\n* 9 FETCH (UID 5 RFC822.SIZE 3 BODY[HEADER] {3}\r\na\r\n)\r\nm6 OK\r\nm7 OK "
                "[APPENDUID 7 10] x\r\n" },
      { { .body = "a\n", .doubt = "7.5" }, { .body = "b\n" } },
      "D:7.5 D:7.10",
      E_NONE,
      BEFORE "m4 EXAMINE \"INBOX\"\r\nm5 UID FETCH 5:* (UID RFC822.SIZE)\r\nm6 UID FETCH 5 (UID RFC822.SIZE "
             "BODY.PEEK[HEADER])\r\nm7 APPEND \"INBOX\" {3+}\r\nb\r\n\r\n" },
    { "the same size, and another message: appended",
      { FIRST(PLUS) "* OK [UIDVALIDITY 7] x\r\nm4 OK\r\n* 9 FETCH (UID 5 RFC822.SIZE 3)\r\nm5 OK\r\n* 9 FETCH (UID 5 "
                    "RFC822.SIZE 3 BODY[HEADER] {3}\r\nx\r\n)\r\nm6 OK\r\nm7 OK [APPENDUID 7 10] x\r\n" },
      { { .body = "a\n", .doubt = "7.5" } },
      "D:7.10",
      E_NONE,
      NULL },
    { "the same Message-ID, and another message: appended",
      { FIRST(PLUS) "* OK [UIDVALIDITY 7] x\r\nm4 OK\r\n* 9 FETCH (UID 5 RFC822.SIZE 33)\r\nm5 OK\r\n* SEARCH 5\r\nm6 "
                    "OK\r\n* 9 FETCH (UID 5 RFC822.SIZE 33 BODY[HEADER] {30}\r\nList: x\r\nMessage-ID: "
                    "<1@x>\r\n\r\n)\r\nm7 OK\r\nm8 OK [APPENDUID 7 10] x\r\n" },
      { { .body = "Message-ID: <1@x>\n\na\n", .doubt = "7.5" } },
      "D:7.10",
      E_NONE,
      NULL },
    { "another UIDVALIDITY: all of the folder is looked at, ESEARCH or not",
      { FIRST(PLUS) "* OK [UIDVALIDITY 8] x\r\nm4 OK\r\n* 9 FETCH (UID 2 RFC822.SIZE 1)\r\nm5 OK\r\n* ESEARCH (TAG "
                    "\"m6\") UID ALL 2:3\r\nm6 OK\r\n* 9 FETCH (UID 2 BODY[HEADER] {21}\r\nMessage-ID: "
                    "<1@x>\r\n\r\n)\r\nm7 OK\r\n" },
      { { .body = "Message-ID: <1@x>\n\na\n", .doubt = "7.5" } },
      "D:8.2",
      E_NONE,
      BEFORE "m4 EXAMINE \"INBOX\"\r\nm5 UID FETCH 1:* (UID RFC822.SIZE)\r\nm6 UID SEARCH UID 1:* HEADER Message-ID "
             "\"<1@x>\"\r\nm7 UID FETCH 2:3 (UID RFC822.SIZE BODY.PEEK[HEADER])\r\n" },
    { "the folder cannot be opened: nobody knows, and nothing is sent",
      { FIRST(PLUS) "m4 NO [SERVERBUG] oops\r\n" },
      { { .body = "a\n", .doubt = "7.5" } },
      "?:7.5(imap.example.org refused to open the folder in which it may be (SERVERBUG: oops))",
      E_NONE,
      NULL },
    { "the sizes are not told: nobody knows, and nothing is sent",
      { FIRST(PLUS) "* OK [UIDVALIDITY 7] x\r\nm4 OK\r\nm5 NO [SERVERBUG] oops\r\n" },
      { { .body = "a\n", .doubt = "7.5" } },
      "?:7.5(imap.example.org refused to tell what is in the folder in which it may be (SERVERBUG: oops))",
      E_NONE,
      NULL },
    { "a header is not told: who was found was found, and nobody knows of the other",
      { FIRST(PLUS) "* OK [UIDVALIDITY 7] x\r\nm4 OK\r\n* 9 FETCH (UID 5 RFC822.SIZE 3)\r\n* 9 FETCH (UID 6 "
                    "RFC822.SIZE 4)\r\nm5 OK\r\n* 9 FETCH (UID 5 RFC822.SIZE 3 BODY[HEADER] {3}\r\na\r\n)\r\nm6 NO "
                    "some were not to be had\r\n" },
      { { .body = "a\n", .doubt = "7.5" }, { .body = "bb\n", .doubt = "7.5" } },
      "D:7.5 ?:7.5(imap.example.org refused to tell what is in the folder in which it may be (some were not to be "
      "had))",
      E_NONE,
      NULL },
    { "SEARCH refused: sizes may be guesses, so nobody knows",
      { FIRST(PLUS) "* OK [UIDVALIDITY 7] x\r\nm4 OK\r\n* 9 FETCH (UID 5 RFC822.SIZE 99)\r\nm5 OK\r\nm6 NO "
                    "slower\r\n" },
      { { .body = "Message-ID: <1@x>\n\na\n", .doubt = "7.5" } },
      "?:7.5(imap.example.org refused to tell what is in the folder in which it may be (slower))",
      E_NONE,
      NULL },
    { "a server that cannot SEARCH for a header: the sizes have to do",
      { FIRST(PLUS) "* OK [UIDVALIDITY 7] x\r\nm4 OK\r\n* 9 FETCH (UID 5 RFC822.SIZE 99)\r\nm5 OK\r\nm6 BAD "
                    "what?\r\nm7 OK [APPENDUID 7 10] x\r\n" },
      { { .body = "Message-ID: <1@x>\n\na\n", .doubt = "7.5" } },
      "D:7.10",
      E_NONE,
      NULL },
    { "an empty folder is asked for nothing: some servers call that BAD",
      { FIRST(PLUS) "* 0 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\nm4 OK\r\nm5 OK [APPENDUID 7 10] x\r\n" },
      { { .body = "a\n", .doubt = "7.5" } },
      "D:7.10",
      E_NONE,
      BEFORE "m4 EXAMINE \"INBOX\"\r\nm5 APPEND \"INBOX\" {3+}\r\na\r\n\r\n" },
    { "twins in doubt: each from where it can be",
      { FIRST(PLUS) "* OK [UIDVALIDITY 7] x\r\nm4 OK\r\n* 9 FETCH (UID 5 RFC822.SIZE 3)\r\nm5 OK\r\n* 9 FETCH (UID 5 "
                    "RFC822.SIZE 3 BODY[HEADER] {3}\r\na\r\n)\r\nm6 OK\r\nm7 OK [APPENDUID 7 10] x\r\n" },
      { { .body = "a\n", .doubt = "7.8" }, { .body = "a\n", .doubt = "7.5" } },
      "D:7.10 D:7.5",
      E_NONE,
      NULL },
    { "tried before: nothing else is on its way when the connection is lost with it",
      { FIRST(PLUS),
        AGAIN(PLUS) "* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 10] x\r\nm2 OK\r\nm3 OK [APPENDUID 7 10] x\r\n" },
      { { .body = "a\n", .tries = 1 }, { .body = "b\n" } },
      "?:7.10(memory: the server closed the connection) D:7.10",
      E_NONE,
      BEFORE "m4 APPEND \"INBOX\" {3+}\r\na\r\n\r\n|" LOGIN
             "m2 EXAMINE \"INBOX\"\r\nm3 APPEND \"INBOX\" {3+}\r\nb\r\n\r\n" },
    { "MULTIAPPEND: a command for each folder",
      { GREET(MULTI) FLAT "* STATUS a (UIDNEXT 1 UIDVALIDITY 1)\r\nm3 OK\r\n* STATUS b (UIDNEXT 2 UIDVALIDITY 2)\r\nm4 "
                          "OK\r\nm5 OK [APPENDUID 1 1:2] x\r\nm6 OK [APPENDUID 2 2] x\r\n" },
      { { .body = "a\n", .folder = "a" }, { .body = "b\n", .folder = "b" }, { .body = "c\n", .folder = "a" } },
      "D:1.1 D:2.2 D:1.2",
      E_NONE,
      NULL },
    { "BAD [CLIENTBUG] also with a line end",
      { FIRST(PLUS) "m4 BAD [CLIENTBUG] no\r\nm5 BAD [CLIENTBUG] no\r\n" },
      { { .body = "a" } },
      "R:7.10(imap.example.org refused a message (CLIENTBUG: no))",
      E_NONE,
      NULL },
    { "tried before: nothing else on its way",
      { FIRST(PLUS) "m4 OK\r\nm5 OK\r\n" },
      { { .body = "a\n", .tries = 1 }, { .body = "b\n" } },
      "D:7.10 D:7.10",
      E_NONE,
      BEFORE "m4 APPEND \"INBOX\" {3+}\r\na\r\n\r\nm5 APPEND \"INBOX\" {3+}\r\nb\r\n\r\n" },
};

/* Without the LOGOUTs: whether there is one depends on how the connection ended. */
static void strip_logout(struct buf *b)
{
    char *p;

    while (b->len > 0 && (p = memmem(b->p, b->len, "LOGOUT\r\n", 8)) != NULL) {
        char *from = p;
        while (from > b->p && from[-1] != '\n' && from[-1] != '|')
            from--;
        memmove(from, p + 8, (size_t)(b->p + b->len - (p + 8)));
        buf_truncate(b, b->len - (size_t)(p + 8 - from));
    }
}

static void test_plays(void **state)
{
    static const size_t chunks[] = { 0, 1, 7 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(plays) * ARRAY_LEN(chunks); i++) {
        const struct play_case *c = &plays[i / ARRAY_LEN(chunks)];
        struct buf got = BUF_INIT(4000);
        struct play p;

        chunk_size = chunks[i % ARRAY_LEN(chunks)];
        CASE("%s, chunks of %zu", c->name, chunk_size);
        play_init(&p, c->servers, NULL, NULL);
        play_batch(&p, c->messages);
        outcomes(p.v, p.count, &got);
        CHECK_SLICE(buf_slice(&got), slice_str(c->outcomes));
        CHECK_INT(p.e.code, c->code);
        CHECK_INT(p.rc, c->code == E_NONE ? 0 : -1);
        p.sink->ops->close(p.sink);
        strip_logout(&sent);
        if (c->sent != NULL)
            CHECK_SLICE(buf_slice(&sent), slice_str(c->sent));
        play_release(&p);
        buf_release(&got);
    }
}

/* --- over several batches --- */

static void test_next_batch(void **state)
{
    static const char *const scripts[CONNECTIONS] = { FIRST(
        PLUS) "m4 OK [APPENDUID 7 20] x\r\nm5 OK x\r\n* STATUS INBOX (UIDNEXT 99 UIDVALIDITY 7)\r\nm6 OK\r\nm7 "
              "OK\r\n" };
    static const struct message one[MESSAGES] = { { .body = "a\n" } };
    struct play p;

    (void)state;
    chunk_size = 0;
    CASE("APPENDUID keeps UIDNEXT; without it the folder is asked again");
    play_init(&p, scripts, NULL, NULL);
    play_batch(&p, one);
    CHECK(strcmp(p.v[0]->name, "7.20") == 0);
    play_end_batch(&p);
    play_batch(&p, one);
    CHECK(strcmp(p.v[0]->name, "7.21") == 0);
    play_end_batch(&p);
    play_batch(&p, one);
    CHECK(strcmp(p.v[0]->name, "7.99") == 0);
    CHECK_INT(p.rc, 0);
    play_release(&p);
}

static void test_idle_connection(void **state)
{
    static const char *const scripts[CONNECTIONS] = {
        GREET(PLUS) FLAT "* BYE idle\r\n",
        GREET(PLUS) "* STATUS INBOX (UIDNEXT 10 UIDVALIDITY 7)\r\nm2 OK\r\nm3 OK [APPENDUID 7 10] x\r\n"
    };
    static const struct message one[MESSAGES] = { { .body = "a\n" } };
    struct play p;

    (void)state;
    chunk_size = 1;
    CASE("a connection that died while the messages came in");
    play_init(&p, scripts, NULL, NULL);
    CHECK_INT(p.sink->ops->ready(p.sink, &p.e), 0);
    play_batch(&p, one);
    CHECK_INT(p.rc, 0);
    CHECK_INT(p.v[0]->state, DELIVERY_DELIVERED);
    play_release(&p);
}

static void test_enough(void **state)
{
    static const char *const scripts[CONNECTIONS] = { FIRST(
        PLUS) "m4 NO a\r\nm5 NO b\r\nm6 OK [APPENDUID 7 10] x\r\n" };
    static const struct message three[MESSAGES] = THREE;
    struct buf got = BUF_INIT(1000);
    struct play p;

    (void)state;
    chunk_size = 0;
    CASE("the heart has enough: what is on its way is heard, and nothing is recorded any more");
    play_init(&p, scripts, NULL, NULL);
    records_until_enough = 1;
    play_batch(&p, three);
    CHECK_INT(p.rc, -1);
    CHECK_INT(p.e.code, E_REJECTED);
    CHECK_SLICE(buf_slice(&recorded), SLICE("R0 "));
    outcomes(p.v, p.count, &got);
    CHECK(memmem(got.p, got.len, "D:7.10", 6) != NULL);
    buf_release(&got);
    play_release(&p);
}

/* More than is read at once, more than a literal may have without being asked for. */
static void test_large(void **state)
{
    enum { BIG = 3 * 1024 * 1024 };
    static const char *const scripts[CONNECTIONS] = { FIRST(
        MULTI) "m4 OK [APPENDUID 7 10] x\r\n+ go\r\nm5 OK [APPENDUID 7 "
               "11] x\r\nm6 OK [APPENDUID 7 12] x\r\n" };
    struct message messages[MESSAGES] = { { .body = "a\n" }, { .body = NULL }, { .body = "b\n" } };
    char *body = malloc(BIG + 1);
    size_t lines = 0;
    char head[40];
    struct play p;

    (void)state;
    CASE("a large message between small ones");
    assert_non_null(body);
    for (size_t i = 0; i < BIG; i++) {
        body[i] = i % 61 == 60 ? '\n' : (char)('a' + i % 23);
        lines += body[i] == '\n';
    }
    body[BIG] = '\0';
    messages[1].body = body;
    play_init(&p, scripts, NULL, NULL);
    play_batch(&p, messages);
    CHECK_INT(p.rc, 0);
    for (size_t i = 0; i < 3; i++)
        CHECK_INT(p.v[i]->state, DELIVERY_DELIVERED);
    snprintf(head, sizeof(head), "m5 APPEND \"INBOX\" {%zu}\r\n", BIG + lines);
    CHECK(memmem(sent.p, sent.len, head, strlen(head)) != NULL);
    CHECK(sent.len > BIG + lines && sent.len < BIG + lines + 400);
    play_release(&p);
    free(body);
}

/* --- names --- */

static void test_names(void **state)
{
    static const struct {
        const char *folder, *prefix, *personal;
        char delimiter;
        const char *source;
        char source_delimiter;
        const char *wire; /* NULL: none */
    } cases[] = {
        { NULL, NULL, NULL, '/', "INBOX", '/', "INBOX" },
        { NULL, NULL, NULL, '.', "A/B", '/', "A.B" },
        { NULL, NULL, NULL, '.', "A.x/B", '/', "A_x.B" },
        { NULL, NULL, NULL, '/', "A.x/B", '.', "A/x_B" },
        { NULL, NULL, NULL, '/', "A/B", '\0', "A_B" },
        { NULL, NULL, NULL, '\0', "A/B", '/', "A/B" },
        { NULL, NULL, NULL, '/', "Entw\xc3\xbcrfe & mehr", '/', "Entw&APw-rfe &- mehr" },
        { NULL, NULL, "INBOX.", '.', "INBOX", '/', "INBOX" },
        { NULL, NULL, "INBOX.", '.', "A/B", '/', "INBOX.A.B" },
        { NULL, NULL, "INBOX.", '.', "INBOX/B", '/', "INBOX.B" },
        { NULL, "Old", NULL, '/', "INBOX", '/', "Old/INBOX" },
        { NULL, "Old/", NULL, '.', "A/B", '/', "Old.A.B" },
        { NULL, "x/Old", "INBOX.", '.', "A", '/', "INBOX.x.Old.A" },
        { NULL, "inbox.Old", "INBOX.", '.', "A", '/', "inbox.Old.A" },
        { NULL, "Old", NULL, '\0', "A", '/', "OldA" },
        { "All/of it", NULL, NULL, '.', "A/B", '/', "All.of it" },
        { "All.of it", NULL, "INBOX.", '.', "INBOX", '/', "INBOX.All.of it" },
        { "inbox", NULL, "INBOX.", '.', "A", '/', "INBOX" },
        { "a\xff", NULL, NULL, '/', "A", '/', NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct imap_naming naming = { .folder = cases[i].folder,
                                      .folder_prefix = cases[i].prefix,
                                      .personal = (char *)(uintptr_t)cases[i].personal,
                                      .delimiter = cases[i].delimiter };
        struct buf wire = BUF_INIT(LIMIT_FOLDER_NAME * 4);

        CASE("%s to %s", cases[i].source, cases[i].wire != NULL ? cases[i].wire : "nothing");
        CHECK_INT(imap_target_name(&naming, slice_str(cases[i].source), cases[i].source_delimiter, &wire),
                  cases[i].wire != NULL ? 0 : -1);
        CHECK_SLICE(buf_slice(&wire), slice_str(cases[i].wire));
        buf_release(&wire);
    }
}

static void test_namespace(void **state)
{
    static const char *const scripts[][CONNECTIONS] = {
        { GREET(PLUS
                " NAMESPACE") "* NAMESPACE ((\"INBOX.\" \".\")) NIL ((\"#x.\" \".\"))\r\nm2 OK\r\nm3 OK\r\nm4 OK\r\n" },
        { GREET(
            PLUS
            " NAMESPACE") "* NAMESPACE NIL NIL NIL\r\nm2 OK\r\n* LIST () \"^\" \"\"\r\nm3 OK\r\nm4 OK\r\nm5 OK\r\n" },
        { GREET(PLUS) "m2 BAD what\r\nm3 OK\r\nm4 OK\r\n" },
    };
    static const char *const wires[] = { "APPEND \"INBOX.A.B\"", "APPEND \"A^B\"", "APPEND \"A/B\"" };
    static const struct message one[MESSAGES] = { { .body = "a\n", .folder = "A/B" } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wires); i++) {
        struct play p;

        CASE("%s", wires[i]);
        play_init(&p, scripts[i], NULL, NULL);
        play_batch(&p, one);
        CHECK_INT(p.rc, 0);
        CHECK(memmem(sent.p, sent.len, wires[i], strlen(wires[i])) != NULL);
        play_release(&p);
    }
}

/* --- check --connect --- */

static void tell(void *ctx, const char *line)
{
    CHECK_INT(buf_putf(ctx, "%s\n", line), 0);
}

static void test_check(void **state)
{
    static const char *const there[CONNECTIONS] = { GREET(PLUS) FLAT "m3 OK\r\n" };
    static const char *const missing[CONNECTIONS] = { GREET(PLUS) FLAT "m3 NO\r\n" };
    struct buf said = BUF_INIT(1000);
    struct play p;

    (void)state;
    CASE("there");
    play_init(&p, there, NULL, NULL);
    CHECK_INT(p.sink->ops->check(p.sink, tell, &said, &p.e), 0);
    CHECK(strstr(buf_cstr(&said), "the folder INBOX is there\n") != NULL);
    play_release(&p);
    CASE("missing: said, not made");
    play_init(&p, missing, "x/y", NULL);
    CHECK_INT(p.sink->ops->check(p.sink, tell, &said, &p.e), 0);
    CHECK(strstr(buf_cstr(&said), "the folder x.y is not there yet; it would be made\n") != NULL);
    CHECK_SLICE(buf_slice(&sent), SLICE(LOGIN ASK_NAMES "m3 STATUS \"x.y\" (UIDNEXT UIDVALIDITY)\r\nm4 LOGOUT\r\n"));
    play_release(&p);
    buf_release(&said);
}

static int set_up(void **state)
{
    struct err e;

    return box_make(state) != 0 || spool_new(box, &spool, &e) != 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    spool_free(&spool);
    return box_remove(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plays),     cmocka_unit_test(test_next_batch), cmocka_unit_test(test_idle_connection),
        cmocka_unit_test(test_enough),    cmocka_unit_test(test_large),      cmocka_unit_test(test_names),
        cmocka_unit_test(test_namespace), cmocka_unit_test(test_check),
    };
    struct err e;

    return log_open(&(struct log_options){ .level = LOG_LEVEL_ERROR }, &e) != 0 ||
           cmocka_run_group_tests(tests, set_up, tear_down);
}
