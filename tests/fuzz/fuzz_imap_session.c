/* SPDX-License-Identifier: MIT
 * A whole IMAP session: the bytes are all that the server ever says. The client logs in, lists the folders, opens one,
 * and fetches what is listed into an intake that only watches. Whatever the server says, only UIDs that were asked for
 * are delivered, each at most once, nothing is changed on the server, and every line sent is a command.
 */
#include "fuzz.h"

#include "base/log.h"
#include "haul/intake_int.h"
#include "haul/source_imap.h"
#include "net/stream.h"

enum { FOLDERS = 3, MESSAGES = 600 };

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

static const struct server server = {
    .dial = { .host = "imap.example.org", .port = 143 },
    .tls = SERVER_PLAINTEXT,
    .user = "anna",
    .password = give_password,
};

/* --- the intake --- */

static struct intake intake; /* only its address counts */
static struct fetch_item items[MESSAGES];
static size_t item_count;
static bool had[MESSAGES], body_open;

int intake_begin(struct intake *in, struct err *e)
{
    (void)e;
    MUST(in == &intake);
    body_open = true;
    return 0;
}

int intake_data(struct intake *in, struct slice bytes, struct err *e)
{
    (void)in;
    (void)e;
    MUST(body_open && bytes.n > 0);
    return 0;
}

static int take(const struct fetch_item *item, bool once)
{
    size_t at = (size_t)(item - items);

    MUST(item >= items && at < item_count);
    MUST(!once || !had[at]);
    had[at] = true;
    body_open = false;
    return 0;
}

/* A server may send a message twice; the intake takes the first. */
int intake_done(struct intake *in, const struct fetch_item *item, const struct arrival *facts, struct err *e)
{
    (void)in;
    (void)e;
    MUST(body_open);
    MUST(facts->object_id.n == 0 || facts->object_id.p != NULL);
    return take(item, false);
}

void intake_drop(struct intake *in)
{
    (void)in;
    body_open = false;
}

int intake_failed(struct intake *in, const struct fetch_item *item, const struct err *why, struct err *e)
{
    (void)in;
    (void)e;
    MUST(why->code == E_MESSAGE);
    return take(item, true);
}

int intake_gone(struct intake *in, const struct fetch_item *item, struct err *e)
{
    (void)in;
    (void)e;
    return take(item, true);
}

bool intake_is_done(const struct intake *in, size_t index)
{
    (void)in;
    return had[index];
}

/* --- the session --- */

static bool wanted(void *ctx, const struct source_folder *f)
{
    (void)ctx;
    return f->name[0] != 'x';
}

static int got_header(void *ctx, const struct fetch_item *item, const struct header_facts *facts, struct err *e)
{
    (void)ctx;
    (void)e;
    MUST(item >= items && item < items + item_count);
    MUST(facts->message_id.n == 0 || facts->message_id.p != NULL);
    return 0;
}

static void check_listing(const struct listing *l)
{
    for (size_t i = 0; i < l->count; i++)
        MUST(l->v[i].number != 0 && (i == 0 || l->v[i - 1].number < l->v[i].number));
    MUST(l->uidvalidity != 0);
}

static int visit(struct source *source, const struct source_folder *folder, struct err *e)
{
    static const struct journal_folder known = { .id = 1, .uidvalidity = 7, .uidnext = 4 };
    struct list_request request = { .folder = folder, .known = &known };
    struct listing listing;
    int rc;

    listing_init(&listing);
    rc = source->ops->list(source, &request, &listing, e);
    item_count = 0;
    memset(had, 0, sizeof(had));
    if (rc == 0) {
        check_listing(&listing);
        for (; item_count < listing.count && item_count < MESSAGES; item_count++)
            items[item_count] =
                (struct fetch_item){ .number = listing.v[item_count].number, .octets = listing.v[item_count].octets };
        rc = source->ops->fetch(source, items, item_count, &intake, e);
        for (size_t i = 0; i < item_count && rc == 0; i++)
            MUST(had[i]);
    }
    if (rc == 0)
        rc = source->ops->headers(source, items, item_count, got_header, NULL, e);
    listing_release(&listing);
    return rc;
}

static void run(struct source *source, struct err *e)
{
    struct source_folders folders = { 0 };

    if (source->ops->open(source, e) == 0 && source->ops->scan(source, wanted, NULL, &folders, e) == 0) {
        MUST(folders.count > 0);
        for (size_t i = 0; i < folders.count && i < FOLDERS; i++) {
            if (visit(source, &folders.v[i], e) != 0 && e->scope >= SCOPE_SESSION)
                break;
        }
    }
    source->ops->close(source);
    source_folders_release(&folders);
}

/* "m12 LIST ...": a tag, and a command that leaves everything on the server as it is. */
static bool harmless(struct slice line)
{
    static const char *const commands[] = {
        "CAPABILITY\r\n", "AUTHENTICATE PLAIN", "LOGIN ",     "ID (",      "ENABLE ", "LIST ",
        "STATUS ",        "EXAMINE ",           "UID FETCH ", "LOGOUT\r\n"
    };

    if (slice_eq(line, SLICE("*\r\n")) || slice_eq(line, SLICE("AGFubmEAczNjcmV0\r\n")))
        return true;
    if (!slice_starts(line, SLICE("m")))
        return false;
    line = slice_from(line, 1);
    while (line.n > 0 && line.p[0] >= '0' && line.p[0] <= '9')
        line = slice_from(line, 1);
    line = slice_from(line, line.n > 0 && line.p[0] == ' ');
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (slice_starts(line, slice_str(commands[i])))
            return true;
    }
    return false;
}

/* The bytes that a literal at the end of this line announces. */
static size_t literal_of(struct slice line)
{
    size_t at = line.n >= 4 && memcmp(line.p + line.n - 3, "}\r\n", 3) == 0 ? line.n - 4 : 0, octets = 0;

    while (at > 0 && line.p[at] != '{')
        at--;
    for (at++; at < line.n && line.p[at] >= '0' && line.p[at] <= '9'; at++)
        octets = octets * 10 + (size_t)(line.p[at] - '0');
    return octets;
}

static void check_sent(struct slice s)
{
    bool goes_on = false; /* a literal stands in front */

    while (s.n > 0) {
        const char *lf = memchr(s.p, '\n', s.n);
        struct slice line = slice_make(s.p, lf != NULL ? (size_t)(lf - s.p) + 1 : s.n);
        size_t octets = literal_of(line);

        MUST(goes_on || harmless(line));
        MUST(!slice_has_nul(line));
        s = slice_from(s, line.n);
        goes_on = octets > 0;
        s = slice_from(s, size_min(octets, s.n));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make((const char *)data, size);
    struct err e = ERR_INIT;
    struct source *source;

    MUST(log_open(&(struct log_options){ .level = LOG_LEVEL_ERROR }, &e) == 0);
    chunk_size = fuzz_byte(&in);
    server_bytes = in;
    sent = BUF_INIT(1 << 22);
    body_open = false;
    source = source_imap_new(&server, &e);
    MUST(source != NULL);
    run(source, &e);
    source->ops->free(source);
    check_sent(buf_slice(&sent));
    buf_release(&sent);
    return 0;
}
