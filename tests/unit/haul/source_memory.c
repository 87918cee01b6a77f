/* SPDX-License-Identifier: MIT */
#include "source_memory.h"

#include <stdio.h>

#include "fate.h"
#include "net/digest.h"
#include "wire/header.h"

enum { BODY_MAX = 400 };

static struct source_memory *self(struct source *s)
{
    return (struct source_memory *)s;
}

size_t source_memory_body(const struct mem_message *m, char *out, size_t size)
{
    int n = m->header != NULL ? snprintf(out, size, "%s\r\n%s\r\n", m->header, m->words)
                              : snprintf(out, size, "Message-ID: <%s@x>\r\n\r\n%s\r\n", m->words, m->words);

    if (n < 0 || (size_t)n >= size)
        fate_broken("a body longer than this test can hold");
    return (size_t)n;
}

static uint64_t octets_of(const struct mem_message *m)
{
    char body[BODY_MAX];

    return m->listed != 0 ? m->listed : source_memory_body(m, body, sizeof(body));
}

/* The message that has this number in the folder as it is now. */
static struct mem_message *of_number(const struct source_memory *s, struct mem_folder *f, uint32_t number)
{
    uint32_t n = 0;

    for (size_t i = 0; i < f->count; i++) {
        struct mem_message *m = &f->messages[i];
        if (m->removed)
            continue;
        n++;
        if (number == (s->source.one_folder ? n : m->uid))
            return m;
    }
    return NULL;
}

static int mem_describe(const struct source *s, struct buf *out)
{
    return buf_putf(out, "memory, %s", s->one_folder ? "POP3" : "IMAP");
}

static int mem_open(struct source *source, struct err *e)
{
    struct source_memory *s = self(source);

    if (s->open && s->waits)
        return 0;
    if (s->open)
        fate_broken("a session is opened in the middle of another");
    s->opens++;
    s->open = true;
    s->at = NULL;
    source->quirks |= s->quirk_learned;
    if (s->open_fails.code != E_NONE) {
        *e = s->open_fails;
        return -1;
    }
    return fate_step(e);
}

static uint32_t count_of(const struct mem_folder *f)
{
    uint32_t n = 0;

    for (size_t i = 0; i < f->count; i++)
        n += !f->messages[i].removed;
    return n;
}

static int mem_scan(struct source *source, bool (*wanted)(void *ctx, const struct source_folder *f), void *ctx,
                    struct source_folders *out, struct err *e)
{
    struct source_memory *s = self(source);

    if (fate_step(e) != 0)
        return -1;
    for (size_t i = 0; i < s->folder_count; i++) {
        struct mem_folder *f = &s->folders[i];
        struct source_folder folder = { .name = (char *)(uintptr_t)f->name, .delimiter = '/' };

        folder.has_status = !source->one_folder && !f->no_status && wanted(ctx, &folder);
        if (folder.has_status) {
            folder.uidvalidity = f->uidvalidity;
            folder.uidnext = f->uidnext;
            folder.messages = count_of(f);
        }
        if (source_folders_add(out, &folder, e) != 0)
            return -1;
    }
    return 0;
}

static void digest_of(const struct mem_folder *f, unsigned char *out)
{
    uint64_t sum = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < f->count; i++) {
        for (const char *p = f->messages[i].uidl; *p != '\0' && !f->messages[i].removed; p++)
            sum = (sum ^ (unsigned char)*p) * UINT64_C(1099511628211);
    }
    memset(out, 0, JOURNAL_SHA256);
    memcpy(out, &sum, sizeof(sum));
}

static int list_pop3(struct source_memory *s, const struct list_request *request, struct listing *out, struct err *e)
{
    struct mem_folder *f = s->at;

    out->complete = true;
    out->messages = count_of(f);
    digest_of(f, out->digest);
    for (size_t i = 0; i < f->count; i++)
        out->octets += f->messages[i].removed ? 0 : octets_of(&f->messages[i]);
    if (!request->complete && request->known->settled && request->known->messages == out->messages &&
        request->known->octets == out->octets &&
        memcmp(request->known->listing, out->digest, sizeof(out->digest)) == 0) {
        out->unchanged = true;
        return 0;
    }
    for (uint32_t number = 1; number <= out->messages && (!s->part || number <= 4); number++) {
        const struct mem_message *m = of_number(s, f, number);
        if (listing_add(out, number, octets_of(m), slice_str(m->uidl), e) != 0)
            return -1;
    }
    s->source.lists_a_part = s->part;
    out->no_unique_ids = s->no_uidl;
    return 0;
}

static int list_imap(struct source_memory *s, const struct list_request *request, struct listing *out, struct err *e)
{
    const struct mem_folder *f = s->at;
    bool known = !request->complete && request->known->id != 0 && request->known->uidvalidity == f->uidvalidity;
    uint32_t from = known && request->known->uidnext != 0 ? request->known->uidnext : 1;

    out->uidvalidity = f->uidvalidity;
    out->uidnext = f->uidnext;
    out->messages = count_of(f);
    out->complete = from == 1;
    for (size_t i = 0; i < f->count; i++) {
        const struct mem_message *m = &f->messages[i];
        if (!m->removed && m->uid >= from && listing_add(out, m->uid, octets_of(m), SLICE_NONE, e) != 0)
            return -1;
    }
    return 0;
}

static int mem_list(struct source *source, const struct list_request *request, struct listing *out, struct err *e)
{
    struct source_memory *s = self(source);

    if (!s->open)
        fate_broken("a folder is listed without a session");
    s->lists++;
    s->completes += request->complete;
    s->at = source_memory_folder(s, request->folder->name);
    if (fate_step(e) != 0)
        return -1;
    if (s->at->refuses) {
        err_set(e, E_BUSY, "the server refused to open the folder");
        return err_scope(e, SCOPE_FOLDER);
    }
    return source->one_folder ? list_pop3(s, request, out, e) : list_imap(s, request, out, e);
}

static int send_bytes(struct intake *in, const char *body, size_t n, struct err *e)
{
    if (intake_begin(in, e) != 0)
        return -1;
    for (size_t at = 0; at < n; at += 7) {
        if (intake_data(in, slice_make(body + at, size_min(7, n - at)), e) != 0)
            return -1;
    }
    return 0;
}

static int send_whole(const struct mem_message *m, const struct fetch_item *item, struct intake *in, struct err *e)
{
    struct arrival facts = { .flags = m->flags, .date = m->date };
    char body[BODY_MAX];
    size_t n = source_memory_body(m, body, sizeof(body));

    return send_bytes(in, body, n, e) != 0 ? -1 : intake_done(in, item, &facts, e);
}

static int send_faulty(struct mem_message *m, const struct fetch_item *item, struct intake *in, struct err *e)
{
    struct arrival facts = { .flags = m->flags };
    struct err why;
    char body[BODY_MAX];
    size_t n = source_memory_body(m, body, sizeof(body));

    switch (m->fault) {
    case FAULT_REFUSED:
        err_set(&why, E_MESSAGE, "the server refused to send the message");
        return intake_failed(in, item, &why, e);
    case FAULT_EMPTY:
        return intake_begin(in, e) != 0 ? -1 : intake_done(in, item, &facts, e);
    case FAULT_CUT:
        return send_bytes(in, body, n / 2, e) != 0 ? -1 : err_set(e, E_NET, "the connection was cut");
    case FAULT_SILENT:
        return send_bytes(in, body, n / 2, e) != 0 ? -1 : err_set(e, E_TIMEOUT, "silence");
    case FAULT_GONE:
        return intake_gone(in, item, e);
    case FAULT_TWICE:
        return send_whole(m, item, in, e) != 0 ? -1 : send_whole(m, item, in, e);
    case FAULT_NOBODY:
        if (send_bytes(in, "From: nobody\r\n\r\nlost", 20, e) != 0)
            return -1;
        intake_drop(in);
        return send_whole(m, item, in, e);
    case FAULT_FOLDER:
        err_set(e, E_BUSY, "the folder cannot be read on");
        return err_scope(e, SCOPE_FOLDER);
    case FAULT_STOP:
        return err_set(e, E_STOPPED, "stopped by a signal");
    case FAULT_NONE:
        break;
    }
    return send_whole(m, item, in, e);
}

static int mem_fetch(struct source *source, const struct fetch_item *items, size_t count, struct intake *in,
                     struct err *e)
{
    struct source_memory *s = self(source);

    s->fetches++;
    for (size_t i = 0; i < count; i++) {
        struct mem_message *m = of_number(s, s->at, items[i].number);
        int rc;

        if (i > 0 && items[i].number <= items[i - 1].number)
            fate_broken("messages are not asked for in ascending order");
        if (m == NULL)
            fate_broken("message %" PRIu32 " is asked for and was never listed", items[i].number);
        if (fate_step(e) != 0)
            return -1;
        m->fetched++;
        if (m->fault == FAULT_NONE || m->fault_times == 0) {
            rc = send_whole(m, &items[i], in, e);
        } else {
            m->fault_times -= m->fault_times > 0;
            rc = send_faulty(m, &items[i], in, e);
        }
        if (rc != 0)
            return -1;
    }
    return 0;
}

static int send_header(const struct mem_message *m, const struct fetch_item *item,
                       int (*got)(void *ctx, const struct fetch_item *item, const struct header_facts *facts,
                                  struct err *e),
                       void *ctx, struct err *e)
{
    struct header_facts facts = { .octets = octets_of(m) };
    struct header_scan scan;
    struct digest digest;
    char body[BODY_MAX];
    size_t n = source_memory_body(m, body, sizeof(body));
    int rc;

    if (digest_init(&digest, e) != 0)
        return -1;
    if (digest_start(&digest, e) != 0) {
        digest_release(&digest);
        return -1;
    }
    header_init(&scan);
    digest_add(&digest, slice_make(body, header_feed(&scan, slice_make(body, n))));
    header_end(&scan);
    digest_finish(&digest, facts.digest);
    facts.message_id = buf_slice(&scan.message_id);
    rc = got(ctx, item, &facts, e);
    header_release(&scan);
    digest_release(&digest);
    return rc;
}

static int mem_headers(struct source *source, const struct fetch_item *items, size_t count,
                       int (*got)(void *ctx, const struct fetch_item *item, const struct header_facts *facts,
                                  struct err *e),
                       void *ctx, struct err *e)
{
    struct source_memory *s = self(source);

    s->header_calls++;
    for (size_t i = 0; i < count; i++) {
        const struct mem_message *m = of_number(s, s->at, items[i].number);

        if (fate_step(e) != 0)
            return -1;
        if (s->cut_headers > 0 && i == s->cut_headers)
            return err_set(e, E_NET, "the connection was cut");
        for (int again = s->headers_twice; again >= 0; again--) {
            if (send_header(m, &items[i], got, ctx, e) != 0)
                return -1;
        }
    }
    return 0;
}

static int mem_remove(struct source *source, const struct fetch_item *items, size_t count,
                      enum remove_result *result_out, struct err *e)
{
    struct source_memory *s = self(source);
    struct mem_message *gone[MEM_MESSAGES];

    s->removes++;
    if (count > source->remove_max || count > MEM_MESSAGES)
        fate_broken("more messages are removed at once than was said");
    if (fate_in_transaction())
        fate_broken("the server is asked while a transaction is open");
    for (size_t i = 0; i < count; i++) {
        gone[i] = of_number(s, s->at, items[i].number);
        if (gone[i] == NULL && source->one_folder)
            fate_broken("message %" PRIu32 " is removed and was never listed", items[i].number);
        if (gone[i] != NULL && s->removing != NULL)
            s->removing(s->at, gone[i], items[i].row);
    }
    if (fate_step(e) != 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        /* UIDs that do not exist are no error (RFC 3501 section 6.4.8). */
        if (gone[i] == NULL)
            continue;
        gone[i]->removed = !s->only_marks;
        gone[i]->marked = true;
    }
    *result_out = s->only_marks ? REMOVE_MARKED : REMOVE_DONE;
    if (s->lose_reply)
        return err_set(e, E_NET, "the connection was cut before the reply");
    return fate_done(e);
}

static void mem_close(struct source *source)
{
    self(source)->open = false;
}

static void mem_free(struct source *source)
{
    (void)source;
}

static int mem_wait_begin(struct source *source, const struct wait_request *request, struct wait_state *out,
                          struct err *e)
{
    (void)source, (void)request, (void)out;
    return err_set(e, E_NET, "nobody waits for this one");
}

static const struct source_ops memory_ops = {
    .protocol = "memory",
    .describe = mem_describe,
    .open = mem_open,
    .scan = mem_scan,
    .list = mem_list,
    .fetch = mem_fetch,
    .headers = mem_headers,
    .remove = mem_remove,
    .close = mem_close,
    .free = mem_free,
};

static const struct source_ops waiting_ops = {
    .protocol = "memory",
    .describe = mem_describe,
    .open = mem_open,
    .scan = mem_scan,
    .list = mem_list,
    .fetch = mem_fetch,
    .headers = mem_headers,
    .remove = mem_remove,
    .close = mem_close,
    .free = mem_free,
    .wait_begin = mem_wait_begin,
};

void source_memory_can_wait(struct source_memory *s)
{
    s->waits = true;
    s->source.ops = &waiting_ops;
}

void source_memory_init(struct source_memory *s, bool pop3)
{
    memset(s, 0, sizeof(*s));
    s->source.ops = &memory_ops;
    s->source.one_folder = pop3;
    s->source.remove_max = pop3 ? 3 : SIZE_MAX;
}

struct mem_folder *source_memory_folder(struct source_memory *s, const char *name)
{
    struct mem_folder *f;

    for (size_t i = 0; i < s->folder_count; i++) {
        if (strcmp(s->folders[i].name, name) == 0)
            return &s->folders[i];
    }
    if (s->folder_count == MEM_FOLDERS)
        fate_broken("more folders than this test can hold");
    f = &s->folders[s->folder_count++];
    *f = (struct mem_folder){ .name = name, .uidvalidity = 7, .uidnext = 1 };
    return f;
}

struct mem_message *source_memory_add(struct mem_folder *f, const char *words)
{
    struct mem_message *m = &f->messages[f->count++];

    if (f->count > MEM_MESSAGES)
        fate_broken("more messages than this test can hold");
    *m = (struct mem_message){ .uid = f->uidnext++ };
    snprintf(m->uidl, sizeof(m->uidl), "id-%" PRIu32, m->uid);
    snprintf(m->words, sizeof(m->words), "%s", words);
    return m;
}

struct mem_message *source_memory_find(struct source_memory *s, const char *words)
{
    for (size_t i = 0; i < s->folder_count; i++) {
        for (size_t k = 0; k < s->folders[i].count; k++) {
            if (strcmp(s->folders[i].messages[k].words, words) == 0)
                return &s->folders[i].messages[k];
        }
    }
    fate_broken("this test has no message %s", words);
}

size_t source_memory_left(const struct source_memory *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->folder_count; i++)
        n += count_of(&s->folders[i]);
    return n;
}

void source_memory_renew(struct mem_folder *f, uint32_t uidvalidity, uint32_t first)
{
    f->uidvalidity = uidvalidity;
    f->uidnext = first;
    for (size_t i = 0; i < f->count; i++) {
        if (!f->messages[i].removed)
            f->messages[i].uid = f->uidnext++;
    }
}
