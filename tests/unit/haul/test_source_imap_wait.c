/* SPDX-License-Identifier: MIT
 * An IMAP source that lives longer than a pass: waiting by IDLE and NOTIFY, and going on with the connection.
 */
#include "haul/source_imap.h"

#include "../net/script.h"

#include "base/clock.h"
#include "base/log.h"
#include "haul/intake_int.h"
#include "haul/source_imap_int.h"

#define IN(caps)    "* OK [CAPABILITY IMAP4rev1] hi\r\nm1 OK [CAPABILITY IMAP4rev1 " caps "] in\r\n"
#define LOGIN       "m1 LOGIN \"anna\" \"s3cret\"\r\n"
#define ITEMS       " (MESSAGES UIDNEXT UIDVALIDITY)\r\n"
#define STATUS      "* STATUS INBOX (MESSAGES 3 UIDNEXT 9 UIDVALIDITY 7)\r\n"
#define EXAMINED    "* 3 EXISTS\r\n* OK [UIDVALIDITY 7]\r\n* OK [UIDNEXT 9]\r\n"
#define NOTIFY_BOTH "NOTIFY SET STATUS (mailboxes (\"INBOX\" \"Work\") (MessageNew MessageExpunge))\r\n"

/* The intake is not used here. */
int intake_begin(struct intake *in, struct err *e)
{
    (void)in;
    return err_nomem(e);
}
int intake_data(struct intake *in, struct slice bytes, struct err *e)
{
    (void)in, (void)bytes;
    return err_nomem(e);
}
int intake_done(struct intake *in, const struct fetch_item *item, const struct arrival *facts, struct err *e)
{
    (void)in, (void)item, (void)facts;
    return err_nomem(e);
}
void intake_drop(struct intake *in)
{
    (void)in;
}
int intake_failed(struct intake *in, const struct fetch_item *item, const struct err *why, struct err *e)
{
    (void)in, (void)item, (void)why;
    return err_nomem(e);
}
int intake_gone(struct intake *in, const struct fetch_item *item, struct err *e)
{
    (void)in, (void)item;
    return err_nomem(e);
}
bool intake_is_done(const struct intake *in, size_t index)
{
    (void)in, (void)index;
    return false;
}

static int give_password(void *ctx, struct secret *out, struct err *e)
{
    (void)ctx;
    return secret_set(out, SLICE("s3cret")) == 0 ? 0 : err_nomem(e);
}

static struct server server = {
    .dial = { .host = "imap.example.org", .port = 143, .timeout_s = 10 },
    .tls = SERVER_PLAINTEXT,
    .user = "anna",
    .password = give_password,
};

static struct source *source;
static struct wait_state state_now;
static struct source_folders folders;
static struct err e;

static const char *const inbox_only[] = { "INBOX" }, *const everything[] = { "*" };

static bool wanted(void *ctx, const struct source_folder *f)
{
    (void)ctx;
    return strcmp(f->name, "Spam") != 0;
}

static void check_sent(const char *want)
{
    CHECK_SLICE(script_sent(), slice_str(want));
}

/* The next source is for a server that has to answer at once. */
static bool impatient;

static void start(const char *first, const char *second)
{
    script_start(first, second);
    server.dial.timeout_s = impatient ? 0 : 10;
    e = ERR_INIT;
    state_now = (struct wait_state){ .fd = -1 };
    source = source_imap_new(&server, &e);
    CHECK(source != NULL);
}

static void done(void)
{
    wait_state_release(&state_now);
    source_folders_release(&folders);
    source->ops->close(source);
    source->ops->free(source);
    script_end();
}

static int open_and_scan(void)
{
    source_folders_release(&folders);
    return source->ops->open(source, &e) != 0 || source->ops->scan(source, wanted, NULL, &folders, &e) != 0 ? -1 : 0;
}

/* A pass over INBOX that finds it as it was. */
static void quiet_pass(const char *caps_and_login)
{
    start(caps_and_login, NULL);
    source->only_inbox = true;
    CHECK_INT(source->ops->open(source, &e), 0);
    script_says(STATUS "m2 OK\r\n");
    CHECK_INT(source->ops->scan(source, wanted, NULL, &folders, &e), 0);
    check_sent(LOGIN "m2 STATUS \"INBOX\"" ITEMS);
}

/* The same with the folders INBOX, Work and Spam. */
static void quiet_pass_of_all(const char *caps_and_login, const char *second)
{
    start(caps_and_login, second);
    CHECK_INT(source->ops->open(source, &e), 0);
    script_says("* LIST () \"/\" INBOX\r\n* LIST () \"/\" Work\r\n* LIST () \"/\" Spam\r\n" STATUS
                "* STATUS Work (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 8)\r\nm2 OK\r\n");
    CHECK_INT(source->ops->scan(source, wanted, NULL, &folders, &e), 0);
    check_sent(LOGIN "m2 LIST \"\" \"*\" RETURN (STATUS (MESSAGES UIDNEXT UIDVALIDITY))\r\n");
}

static int begin(const char *const *patterns, const char *answers)
{
    struct wait_request request = { .folders = patterns, .folder_count = 1, .notify_ok = true, .poll_s = 60 };

    script_says(answers);
    return source->ops->wait_begin(source, &request, &state_now, &e);
}

static void check_news(const char *bytes, bool want)
{
    struct wait_state looked = { .news = !want };

    CASE("%s", bytes);
    script_says(bytes);
    CHECK_INT(source->ops->wait_read(source, &looked, &e), 0);
    CHECK_INT(looked.news, want);
}

/* It asks what it has to, and waits for nothing. */
static void ask(const char *sent)
{
    struct wait_state looked = { .news = true };

    CHECK_INT(source->ops->wait_renew(source, &looked, &e), 0);
    check_sent(sent);
    CHECK(looked.asked && !looked.news);
    CHECK(looked.renew_ms > clock_mono_ms() + 8000 && looked.renew_ms <= clock_mono_ms() + 10000);
}

/* What the server says, and what is sent then. The last answer: `asked` is over. */
static void answered(const char *bytes, const char *sent, bool news, bool over)
{
    struct wait_state looked = { .asked = over };

    script_says(bytes);
    CHECK_INT(source->ops->wait_read(source, &looked, &e), 0);
    check_sent(sent);
    CHECK_INT(looked.news, news);
    CHECK_INT(looked.asked, !over);
    CHECK(!over || looked.renew_ms > clock_mono_ms() + 50000);
}

static void idle_from_pass_to_pass(void **state)
{
    (void)state;
    CASE("IDLE");
    quiet_pass(IN("IDLE"));
    CHECK_INT(begin(inbox_only, EXAMINED "m3 OK\r\n+ idling\r\n"), 0);
    check_sent("m3 EXAMINE \"INBOX\"\r\nm4 IDLE\r\n");
    CHECK_INT(state_now.how, WAIT_IDLE);
    CHECK_SLICE(slice_str(state_now.folder), SLICE("INBOX"));
    CHECK_INT(state_now.more.count, 0);
    CHECK(!state_now.news);
    CHECK(state_now.fd >= 0);
    CHECK(state_now.renew_ms > clock_mono_ms() + 50000 && state_now.renew_ms <= clock_mono_ms() + 60000);
    check_news("", false);
    check_news("* OK Still here\r\n", false);
    check_news("* 3 EXISTS\r\n* 0 RECENT\r\n* 2 FETCH (FLAGS (\\Seen))\r\n", false);
    check_news("* 4 EXIS", false);
    check_news("TS\r\n", true);
    check_news("", false);
    check_news("* 2 EXPUNGE\r\n", false);
    check_news("* 4 EXISTS\r\n", true);
    check_news("* VANISHED 5\r\n", false);
    check_news("* 4 EXISTS\r\n", true);
    check_news("* OK [UIDVALIDITY 9] it is another\r\n", false);

    CASE("renewed");
    ask("DONE\r\n");
    answered("m4 O", "", false, false);
    answered("K\r\n", "m5 NOOP\r\n", false, false);
    answered("m5 OK\r\n", "m6 IDLE\r\n", false, false);
    answered("+ idling\r\n", "", false, true);
    ask("DONE\r\n");
    answered("m6 OK\r\n", "m7 NOOP\r\n", false, false);
    answered("* 5 EXISTS\r\nm7 OK\r\n", "m8 IDLE\r\n", true, false);
    CASE("asked twice is asked once");
    ask("");
    answered("+ idling\r\n", "", false, true);

    CASE("and the next pass, which asks no STATUS of the folder that is open");
    script_says("m8 OK\r\n");
    CHECK_INT(source->ops->wait_end(source, &e), 0);
    check_sent("DONE\r\n");
    CHECK_INT(open_and_scan(), 0);
    check_sent("");
    CHECK_INT(folders.count, 1);
    CHECK(!folders.v[0].has_status);
    CHECK_INT(script.dials, 1);
    done();
}

static void what_came_before_is_found(void **state)
{
    (void)state;
    CASE("between the pass and the IDLE");
    quiet_pass(IN("IDLE"));
    CHECK_INT(begin(inbox_only, "* 4 EXISTS\r\n* OK [UIDVALIDITY 7]\r\n* OK [UIDNEXT 10]\r\nm3 OK\r\n+\r\n"), 0);
    CHECK(state_now.news);
    done();
    CASE("in the packet of the +");
    quiet_pass(IN("IDLE"));
    CHECK_INT(begin(inbox_only, EXAMINED "m3 OK\r\n+\r\n* 4 EXISTS\r\n"), 0);
    CHECK(state_now.news);
    CHECK(!script_readable(state_now.fd));
    done();
    CASE("before the +");
    quiet_pass(IN("IDLE"));
    CHECK_INT(begin(inbox_only, EXAMINED "m3 OK\r\n* 4 EXISTS\r\n+\r\n"), 0);
    CHECK(state_now.news);
    done();
    CASE("another folder of that name");
    quiet_pass(IN("IDLE"));
    CHECK_INT(begin(inbox_only, "* 1 EXISTS\r\n* OK [UIDVALIDITY 8]\r\n* OK [UIDNEXT 2]\r\nm3 OK\r\n+\r\n"), 0);
    CHECK(state_now.news);
    done();
    CASE("one that the pass removed, and one that it fetched, are no news");
    quiet_pass(IN("IDLE UIDPLUS"));
    {
        struct source_folder inbox = folders.v[0];
        struct journal_folder known = { .id = 1, .uidvalidity = 7, .uidnext = 9 };
        struct list_request request = { .folder = &inbox, .known = &known, .writable = true };
        struct fetch_item item = { .number = 9 };
        enum remove_result result;
        struct listing l;

        listing_init(&l);
        script_says(
            "* 4 EXISTS\r\n* OK [UIDVALIDITY 7]\r\n* OK [UIDNEXT 10]\r\nm3 OK\r\n* 4 FETCH (UID 9)\r\nm4 OK\r\n");
        CHECK_INT(source->ops->list(source, &request, &l, &e), 0);
        CHECK_INT(l.count, 1);
        listing_release(&l);
        script_says("m5 OK\r\n* 4 EXPUNGE\r\nm6 OK\r\n");
        CHECK_INT(source->ops->remove(source, &item, 1, &result, &e), 0);
        CHECK_INT(begin(inbox_only, "* 3 EXISTS\r\n* OK [UIDVALIDITY 7]\r\n* OK [UIDNEXT 10]\r\nm7 OK\r\n+\r\n"), 0);
        CHECK(!state_now.news);
    }
    done();
}

static void nothing_to_wait_with(void **state)
{
    static const struct wait_request none = { .notify_ok = true };

    (void)state;
    CASE("not offered");
    quiet_pass(IN(""));
    CHECK_INT(begin(inbox_only, ""), 0);
    CHECK_INT(state_now.how, WAIT_NONE);
    check_sent("");
    done();
    CASE("not wanted");
    quiet_pass(IN("IDLE NOTIFY"));
    CHECK_INT(source->ops->wait_begin(source, &none, &state_now, &e), 0);
    CHECK_INT(state_now.how, WAIT_NONE);
    check_sent("");
    done();
    CASE("both refused");
    quiet_pass(IN("IDLE NOTIFY"));
    CHECK_INT(begin(inbox_only, "m3 NO too expensive\r\n" EXAMINED "m4 OK\r\nm5 BAD no\r\n"), 0);
    CHECK_INT(state_now.how, WAIT_NONE);
    check_sent("m3 NOTIFY SET STATUS (mailboxes (\"INBOX\") (MessageNew MessageExpunge))\r\nm4 EXAMINE \"INBOX\"\r\nm5 "
               "IDLE\r\n");
    CASE("and not asked for again on this connection");
    wait_state_release(&state_now);
    CHECK_INT(begin(inbox_only, ""), 0);
    CHECK_INT(state_now.how, WAIT_NONE);
    check_sent("");
    done();
    CASE("the folder cannot be opened");
    quiet_pass(IN("IDLE"));
    CHECK_INT(begin(inbox_only, "m3 NO [NONEXISTENT] gone\r\n"), 0);
    CHECK_INT(state_now.how, WAIT_NONE);
    done();
    CASE("a server that ends every IDLE at once has none");
    quiet_pass(IN("IDLE"));
    for (int i = 0; i < 3; i++) {
        char answers[200];

        snprintf(answers, sizeof(answers), EXAMINED "m%d OK\r\n+\r\nm%d OK bye\r\n", 3 + 2 * i, 4 + 2 * i);
        wait_state_release(&state_now);
        CHECK_INT(begin(inbox_only, answers), 0);
        CHECK_INT(state_now.how, WAIT_NONE);
        CHECK(state_now.news);
        script_sent();
    }
    wait_state_release(&state_now);
    CHECK_INT(begin(inbox_only, ""), 0);
    CHECK_INT(state_now.how, WAIT_NONE);
    CHECK(!state_now.news);
    check_sent("");
    done();
}

static void further_folders(void **state)
{
    struct source *other;
    struct wait_state its;
    struct wait_request request = { 0 };

    (void)state;
    CASE("IDLE on INBOX, and what is left");
    quiet_pass_of_all(IN("IDLE LIST-STATUS"), NULL);
    CHECK_INT(begin(everything, EXAMINED "m3 OK\r\n+\r\n"), 0);
    check_sent("m3 EXAMINE \"INBOX\"\r\nm4 IDLE\r\n");
    CHECK_INT(state_now.more.count, 1);
    CHECK_SLICE(slice_str(state_now.more.v[0].name), SLICE("Work"));

    CASE("a connection of its own");
    script_hangs_up();
    script.greetings[script.dials] = IN("IDLE NOTIFY");
    other = source_imap_new(&server, &e);
    CHECK(other != NULL);
    CHECK_INT(other->ops->open(other, &e), 0);
    script_says("* 1 EXISTS\r\n* OK [UIDVALIDITY 8]\r\n* OK [UIDNEXT 2]\r\nm2 OK\r\n+\r\n");
    request.folder = &state_now.more.v[0];
    request.notify_ok = true;
    CHECK_INT(other->ops->wait_begin(other, &request, &its, &e), 0);
    check_sent(LOGIN "m2 EXAMINE \"Work\"\r\nm3 IDLE\r\n");
    CHECK_INT(its.how, WAIT_IDLE);
    CHECK(!its.news);
    CHECK_SLICE(slice_str(its.folder), SLICE("Work"));
    CHECK_INT(its.more.count, 0);
    wait_state_release(&its);
    other->ops->close(other);
    check_sent("DONE\r\nm4 LOGOUT\r\n");
    other->ops->free(other);
    done();
}

static void notify_from_pass_to_pass(void **state)
{
    (void)state;
    CASE("NOTIFY");
    quiet_pass_of_all(IN("IDLE NOTIFY LIST-STATUS UNSELECT"), NULL);
    CHECK_INT(begin(inbox_only, "* STATUS Work (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 8)\r\n" STATUS "m3 OK\r\n"), 0);
    check_sent("m3 " NOTIFY_BOTH);
    CHECK_INT(state_now.how, WAIT_NOTIFY);
    CHECK(state_now.folder == NULL);
    CHECK_INT(state_now.more.count, 0);
    CHECK(!state_now.news);
    check_news("* STATUS Work (MESSAGES 2 UIDNEXT 3 UNSEEN 2)\r\n", true);
    check_news("* STATUS Work (MESSAGES 2 UIDNEXT 3 UNSEEN 1)\r\n", false);
    check_news("* STATUS Work (MESSAGES 1 UIDNEXT 3)\r\n", false);
    check_news("* STATUS Spam (MESSAGES 20 UIDNEXT 30)\r\n", false);
    check_news("* STATUS inbox (MESSAGES 4)\r\n", true);
    check_news("* STATUS Work (UIDVALIDITY 9 UIDNEXT 1 MESSAGES 0)\r\n", true);

    CASE("renewed: NONE first, or Dovecot falls silent; the answer is compared");
    ask("m4 NOTIFY NONE\r\nm5 " NOTIFY_BOTH);
    answered("m4 OK\r\n", "", false, false);
    answered(STATUS "* STATUS Work (MESSAGES 5 UIDNEXT 6 UIDVALIDITY 9)\r\nm5 OK\r\n", "", true, true);

    CASE("a pass, then again, with no folder open");
    CHECK_INT(source->ops->wait_end(source, &e), 0);
    check_sent("");
    script_says("* LIST () \"/\" INBOX\r\n* LIST () \"/\" Work\r\n" STATUS
                "* STATUS Work (MESSAGES 5 UIDNEXT 6 UIDVALIDITY 9)\r\nm6 OK\r\n");
    CHECK_INT(open_and_scan(), 0);
    script_sent();
    {
        struct list_request request = { .folder = &folders.v[1], .known = &(struct journal_folder){ 0 } };
        struct listing l;

        listing_init(&l);
        script_says("* 6 EXISTS\r\n* OK [UIDVALIDITY 9]\r\n* OK [UIDNEXT 7]\r\nm7 OK\r\nm8 OK\r\n");
        CHECK_INT(source->ops->list(source, &request, &l, &e), 0);
        listing_release(&l);
        script_sent();
    }
    wait_state_release(&state_now);
    CHECK_INT(begin(inbox_only,
                    "m9 OK\r\nm10 OK\r\n* STATUS Work (MESSAGES 6 UIDNEXT 7 UIDVALIDITY 9)\r\n" STATUS "m11 OK\r\n"),
              0);
    check_sent("m9 UNSELECT\r\nm10 NOTIFY NONE\r\nm11 " NOTIFY_BOTH);
    CHECK_INT(state_now.how, WAIT_NOTIFY);
    CHECK(!state_now.news);
    done();
}

/* The session cannot be told of anything else any more: the next pass takes a new one, which idles. */
static void notify_given_up(void **state)
{
    (void)state;
    CASE("overflow");
    quiet_pass_of_all(IN("IDLE NOTIFY LIST-STATUS"), IN("IDLE NOTIFY LIST-STATUS"));
    CHECK_INT(begin(inbox_only, "m3 OK\r\n"), 0);
    CHECK_INT(state_now.how, WAIT_NOTIFY);
    script_sent();
    check_news("* OK [NOTIFICATIONOVERFLOW] too much\r\n", true);
    CHECK_INT(source->ops->wait_end(source, &e), 0);
    CHECK_INT(source->ops->open(source, &e), 0);
    CHECK_INT(script.dials, 2);
    script_says("* LIST () \"/\" INBOX\r\n" STATUS "m2 OK\r\n");
    CHECK_INT(source->ops->scan(source, wanted, NULL, &folders, &e), 0);
    script_sent();
    wait_state_release(&state_now);
    CHECK_INT(begin(inbox_only, EXAMINED "m3 OK\r\n+\r\n"), 0);
    check_sent("m3 EXAMINE \"INBOX\"\r\nm4 IDLE\r\n");
    CHECK_INT(state_now.how, WAIT_IDLE);
    done();
}

static void too_many_names(void **state)
{
    struct buf list = BUF_INIT(200000);

    (void)state;
    CASE("all personal folders");
    start(IN("NOTIFY LIST-STATUS"), NULL);
    CHECK_INT(source->ops->open(source, &e), 0);
    CHECK_INT(buf_put_str(&list, "* LIST () \"/\" INBOX\r\n" STATUS), 0);
    for (int i = 0; i < 1000; i++)
        CHECK_INT(buf_putf(&list,
                           "* LIST () \"/\" Folder%d\r\n* STATUS Folder%d (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 8)\r\n", i,
                           i),
                  0);
    CHECK_INT(buf_put_str(&list, "m2 OK\r\n"), 0);
    script_says(buf_cstr(&list));
    CHECK_INT(source->ops->scan(source, wanted, NULL, &folders, &e), 0);
    script_sent();
    CHECK_INT(begin(inbox_only, "m3 OK\r\n"), 0);
    check_sent("m3 NOTIFY SET STATUS (personal (MessageNew MessageExpunge))\r\n");
    CHECK_INT(state_now.how, WAIT_NOTIFY);
    buf_release(&list);
    done();
}

static void lost_while_waiting(void **state)
{
    static const char *const last_words[] = { "* BYE time is up\r\n", "", "no IMAP\r\n" };
    struct wait_state looked;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(last_words); i++) {
        CASE("last words: %s", last_words[i]);
        quiet_pass(IN("IDLE"));
        script.greetings[1] = IN("IDLE");
        CHECK_INT(begin(inbox_only, EXAMINED "m3 OK\r\n+\r\n"), 0);
        script_says(last_words[i]);
        script_hangs_up();
        CHECK_INT(source->ops->wait_read(source, &looked, &e), -1);
        CHECK_INT(e.code, i == 0 ? E_BUSY : i == 1 ? E_NET : E_PROTO);
        /* Harmless from here on. */
        CHECK_INT(source->ops->wait_read(source, &looked, &e), -1);
        CHECK_INT(source->ops->wait_end(source, &e), -1);
        CHECK_INT(source->ops->open(source, &e), 0);
        CHECK_INT(script.dials, 2);
        done();
    }
}

static void silence_is_found(void **state)
{
    struct wait_state looked;

    (void)state;
    for (int notify = 0; notify < 2; notify++) {
        CASE("renew, %s", notify ? "NOTIFY" : "IDLE");
        impatient = true;
        start(notify ? IN("NOTIFY") : IN("IDLE"), NULL);
        impatient = false;
        source->only_inbox = true;
        CHECK_INT(source->ops->open(source, &e), 0);
        script_says(STATUS "m2 OK\r\n");
        CHECK_INT(source->ops->scan(source, wanted, NULL, &folders, &e), 0);
        CHECK_INT(begin(inbox_only, notify ? "m3 OK\r\n" : EXAMINED "m3 OK\r\n+\r\n"), 0);
        CHECK_INT(source->ops->wait_renew(source, &looked, &e), 0);
        CHECK(looked.asked && looked.renew_ms <= clock_mono_ms());
        CHECK_INT(source->ops->wait_renew(source, &looked, &e), -1);
        CHECK_INT(e.code, E_TIMEOUT);
        done();
        if (notify)
            continue;
        CASE("an answer that is there just in time");
        impatient = true;
        quiet_pass(IN("IDLE"));
        impatient = false;
        CHECK_INT(begin(inbox_only, EXAMINED "m3 OK\r\n+\r\n"), 0);
        script_sent();
        CHECK_INT(source->ops->wait_renew(source, &looked, &e), 0);
        script_says("m4 OK\r\n");
        ((struct source_imap *)source)->server.dial.timeout_s = 10;
        CHECK_INT(source->ops->wait_renew(source, &looked, &e), 0);
        check_sent("DONE\r\nm5 NOOP\r\n");
        done();
    }
}

/* A pass wants the connection while it has yet to answer. */
static void pass_in_the_middle_of_a_renewal(void **state)
{
    static const char *const told[] = { "", "m4 OK\r\n", "m5 OK\r\n" };
    static const char *const rest[] = { "m4 OK\r\n", "m5 OK\r\n", "+\r\nm6 OK\r\n" };
    struct wait_state looked;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(told); i++) {
        CASE("answered so far: %zu", i);
        quiet_pass(IN("IDLE"));
        CHECK_INT(begin(inbox_only, EXAMINED "m3 OK\r\n+\r\n"), 0);
        CHECK_INT(source->ops->wait_renew(source, &looked, &e), 0);
        for (size_t k = 1; k <= i; k++) {
            script_says(told[k]);
            CHECK_INT(source->ops->wait_read(source, &looked, &e), 0);
        }
        CHECK(looked.asked);
        script_says(rest[i]);
        CHECK_INT(open_and_scan(), 0);
        CHECK_INT(script.dials, 1);
        /* Nothing is left over: the folder is listed with the next tag. */
        script_sent();
        wait_state_release(&state_now);
        {
            char answers[200];

            snprintf(answers, sizeof(answers), EXAMINED "m%zu OK\r\n+\r\n", 5 + i);
            CHECK_INT(begin(inbox_only, answers), 0);
        }
        CHECK_INT(state_now.how, WAIT_IDLE);
        CHECK(!state_now.asked);
        done();
    }
}

static void ended_while_renewed(void **state)
{
    struct wait_state looked;

    (void)state;
    CASE("IDLE is refused all of a sudden");
    quiet_pass(IN("IDLE"));
    CHECK_INT(begin(inbox_only, EXAMINED "m3 OK\r\n+\r\n"), 0);
    script_sent();
    ask("DONE\r\n");
    answered("m4 OK\r\n", "m5 NOOP\r\n", false, false);
    answered("m5 OK\r\n", "m6 IDLE\r\n", false, false);
    script_says("m6 NO\r\n");
    CHECK_INT(source->ops->wait_read(source, &looked, &e), 0);
    CHECK_INT(looked.how, WAIT_NONE);
    CHECK(looked.news && !looked.asked);
    CASE("and then it is asked by NOOP alone");
    ask("m7 NOOP\r\n");
    answered("m7 OK\r\n", "", false, true);
    done();
}

/* Found by the first command: another connection, once, and nobody need know. */
static void dead_between_passes(void **state)
{
    struct listing l;

    (void)state;
    CASE("found by the scan");
    quiet_pass_of_all(IN("LIST-STATUS"), IN("LIST-STATUS") "* LIST () \"/\" INBOX\r\n" STATUS "m2 OK\r\n");
    script_says("* BYE shutting down\r\n");
    script_hangs_up();
    CHECK_INT(open_and_scan(), 0);
    CHECK_INT(script.dials, 2);
    CHECK_INT(folders.count, 1);
    done();

    CASE("found in the middle of the first answer: what it brought is forgotten");
    quiet_pass_of_all(IN("LIST-STATUS"), IN("LIST-STATUS") "* LIST () \"/\" INBOX\r\n" STATUS "m2 OK\r\n");
    script_says("* LIST () \"/\" Half\r\n");
    script_hangs_up();
    CHECK_INT(open_and_scan(), 0);
    CHECK_INT(folders.count, 1);
    done();

    CASE("found when the folder is opened, where that is the first command");
    quiet_pass(IN(""));
    script.greetings[1] = IN("") EXAMINED "m2 OK\r\n* 3 FETCH (UID 8)\r\nm3 OK\r\n";
    script_hangs_up();
    source->no_status = true;
    CHECK_INT(open_and_scan(), 0);
    CHECK_INT(script.dials, 1);
    listing_init(&l);
    CHECK_INT(
        source->ops->list(
            source, &(struct list_request){ .folder = &folders.v[0], .known = &(struct journal_folder){ 0 } }, &l, &e),
        0);
    CHECK_INT(script.dials, 2);
    CHECK_INT(l.count, 1);
    listing_release(&l);
    done();

    CASE("once only");
    quiet_pass_of_all(IN("LIST-STATUS"), IN("LIST-STATUS") "* BYE no\r\n");
    script_hangs_up();
    CHECK_INT(open_and_scan(), -1);
    CHECK_INT(e.code, E_BUSY);
    CHECK_INT(script.dials, 2);
    done();
}

static void dead_after_an_answer(void **state)
{
    (void)state;
    CASE("a cut in mid-pass is one");
    start(IN(""), IN(""));
    CHECK_INT(source->ops->open(source, &e), 0);
    script_says("* LIST () \"/\" INBOX\r\nm2 OK\r\n" STATUS "m3 OK\r\n");
    CHECK_INT(source->ops->scan(source, wanted, NULL, &folders, &e), 0);
    script_says("* LIST () \"/\" INBOX\r\nm4 OK\r\n");
    script_says_no_more();
    CHECK_INT(open_and_scan(), -1);
    CHECK_INT(e.code, E_NET);
    CHECK_INT(script.dials, 1);
    done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_from_pass_to_pass),   cmocka_unit_test(what_came_before_is_found),
        cmocka_unit_test(nothing_to_wait_with),     cmocka_unit_test(further_folders),
        cmocka_unit_test(notify_from_pass_to_pass), cmocka_unit_test(notify_given_up),
        cmocka_unit_test(too_many_names),           cmocka_unit_test(lost_while_waiting),
        cmocka_unit_test(silence_is_found),         cmocka_unit_test(dead_between_passes),
        cmocka_unit_test(dead_after_an_answer),     cmocka_unit_test(pass_in_the_middle_of_a_renewal),
        cmocka_unit_test(ended_while_renewed),
    };

    return log_open(&(struct log_options){ .level = LOG_LEVEL_ERROR }, &e) != 0 ||
           cmocka_run_group_tests(tests, NULL, NULL);
}
