/* SPDX-License-Identifier: MIT
 * A whole SMTP or LMTP session: the bytes are all that the server ever says. The client logs in and hands on two
 * messages, the second one's envelope with the end of the first. Whatever the server says, every line sent is a command
 * that has its place, a message goes out whole or without its end, and nothing counts as accepted that was not sent
 * whole.
 */
#include "fuzz.h"

#include "base/log.h"
#include "net/stream.h"
#include "proto/smtp.h"

enum { MESSAGES = 2, RECIPIENTS = 3, LMTP = 1, LOGIN = 2, PIECES = 4, WHOLE = 8 };

static struct slice server_bytes;
static size_t chunk_size;
static struct buf sent;

static const char body[] = "Subject: fuzz\r\n\r\n..\r\nlast line\r\n";

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

struct reader {
    struct slice left;
    bool in_pieces;
};

static int give_body(void *ctx, bool dots, char *out, size_t size, size_t *n_out, struct err *e)
{
    struct reader *r = ctx;
    size_t n = size_min(size_min(size, r->in_pieces ? 5 : size), r->left.n);

    (void)dots;
    (void)e;
    if (n > 0)
        memcpy(out, r->left.p, n);
    r->left = slice_from(r->left, n);
    *n_out = n;
    return 0;
}

static void check_reply(const struct smtp_reply *reply)
{
    MUST(reply->code == 0 || (reply->code >= 200 && reply->code <= 599));
    MUST(memchr(reply->words, '\0', sizeof(reply->words)) != NULL);
    for (const char *p = reply->words; *p != '\0'; p++)
        MUST((unsigned char)*p >= ' ' && *p != 0x7f);
}

static unsigned class_of(const struct smtp_reply *reply)
{
    return reply->code / 100;
}

/* True when somebody has it. */
static bool is_delivered(const struct smtp_message *m)
{
    bool delivered = false, accepted = false;

    check_reply(&m->mail);
    for (size_t i = 0; i < m->recipient_count; i++) {
        const struct smtp_recipient *r = &m->recipients[i];

        check_reply(&r->reply);
        MUST(class_of(&r->reply) != 3);
        MUST(r->accepted || class_of(&r->reply) != 2);
        accepted = accepted || r->accepted;
        delivered = delivered || class_of(&r->reply) == 2;
    }
    MUST(!m->go || (accepted && class_of(&m->mail) == 2));
    MUST(!delivered || m->go);
    return delivered;
}

static int hand_over(struct smtp *s, struct smtp_message *m, bool in_pieces, struct err *e)
{
    struct reader reader = { .left = SLICE(body), .in_pieces = in_pieces };

    if (smtp_body(s, m, give_body, &reader, e) != 0)
        return -1;
    return smtp_last(s, m, e);
}

static int run(struct smtp *s, struct smtp_message *m, bool in_pieces, struct err *e)
{
    if (smtp_envelope(s, &m[0], e) != 0 || smtp_envelope_done(s, &m[0], e) != 0)
        return -1;
    if (m[0].go) {
        bool ahead;

        if (hand_over(s, &m[0], in_pieces, e) != 0)
            return -1;
        ahead = smtp_pipelines(s);
        if ((ahead && smtp_envelope(s, &m[1], e) != 0) || smtp_body_done(s, &m[0], e) != 0)
            return -1;
        if (!ahead && smtp_envelope(s, &m[1], e) != 0)
            return -1;
    } else if (smtp_envelope(s, &m[1], e) != 0) {
        return -1;
    }
    if (smtp_envelope_done(s, &m[1], e) != 0)
        return -1;
    if (!m[1].go)
        return smtp_probe(s, &m[0], e);
    return hand_over(s, &m[1], in_pieces, e) != 0 ? -1 : smtp_body_done(s, &m[1], e);
}

/* --- what was sent --- */

static bool is_command(struct slice line)
{
    static const char *const commands[] = {
        "EHLO me.example.org\r\n",
        "LHLO me.example.org\r\n",
        "HELO me.example.org\r\n",
        "AUTH PLAIN AGFubmEAczNjcmV0\r\n",
        "AGFubmEAczNjcmV0\r\n",
        "AUTH LOGIN\r\n",
        "YW5uYQ==\r\n",
        "czNjcmV0\r\n",
        "MAIL FROM:<s@x.org>\r\n",
        "MAIL FROM:<s@x.org> SIZE=32\r\n",
        "MAIL FROM:<s@x.org> BODY=8BITMIME\r\n",
        "MAIL FROM:<s@x.org> SIZE=32 BODY=8BITMIME\r\n",
        "RCPT TO:<a@y.org>\r\n",
        "DATA\r\n",
        ".\r\n",
        "BDAT 32 LAST\r\n",
        "RSET\r\n",
        "QUIT\r\n",
    };

    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (slice_eq(line, slice_str(commands[i])))
            return true;
    }
    return false;
}

/* The number of messages that went out whole, with what makes them so. */
static unsigned check_sent(struct slice s)
{
    struct slice whole = SLICE(body);
    unsigned count = 0;
    bool bdat = false;

    while (s.n > 0) {
        const char *lf = memchr(s.p, '\n', s.n);
        struct slice line = slice_make(s.p, lf != NULL ? (size_t)(lf - s.p) + 1 : s.n);

        if (slice_starts(whole, slice_make(s.p, size_min(s.n, whole.n)))) {
            line.n = size_min(s.n, whole.n);
            MUST(line.n == whole.n || line.n == s.n);
            s = slice_from(s, line.n);
            MUST(bdat || s.n == 0 || slice_starts(s, SLICE(".\r\n")));
            count += line.n == whole.n && (bdat || s.n > 0);
            continue;
        }
        MUST(is_command(line));
        bdat = slice_starts(line, SLICE("BDAT"));
        s = slice_from(s, line.n);
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make((const char *)data, size);
    uint8_t options = fuzz_byte(&in), delivered = 0;
    struct server server = { .dial = { .host = "mx.example.org", .port = 25 },
                             .tls = SERVER_PLAINTEXT,
                             .user = (options & LOGIN) != 0 ? "anna" : NULL,
                             .password = give_password };
    struct smtp_options how = { .server = &server, .lmtp = (options & LMTP) != 0, .hello = "me.example.org" };
    struct smtp_recipient recipients[MESSAGES][RECIPIENTS];
    struct smtp_message messages[MESSAGES];
    struct smtp *s = NULL;
    struct err e = ERR_INIT;

    MUST(log_open(&(struct log_options){ .level = LOG_LEVEL_ERROR }, &e) == 0);
    /* A byte at a time nothing lies ahead of its question. */
    chunk_size = (options & WHOLE) != 0 ? 40 : 1;
    server_bytes = in;
    sent = BUF_INIT(1 << 22);
    for (size_t i = 0; i < MESSAGES; i++) {
        for (size_t k = 0; k < RECIPIENTS; k++)
            recipients[i][k] = (struct smtp_recipient){ .address = SLICE("a@y.org") };
        messages[i] = (struct smtp_message){ .sender = SLICE("s@x.org"),
                                             .recipients = recipients[i],
                                             .recipient_count = 1 + (options >> 6) % RECIPIENTS,
                                             .octets = sizeof(body) - 1,
                                             .eight_bit = i == 1 };
    }
    if (smtp_open(&how, &s, &e) == 0)
        MUST(run(s, messages, (options & PIECES) != 0, &e) == 0 || e.code != E_NONE);
    else
        MUST(e.code != E_NONE);
    smtp_close(&s);
    for (size_t i = 0; i < MESSAGES; i++)
        delivered += is_delivered(&messages[i]);
    MUST(delivered <= check_sent(buf_slice(&sent)));
    buf_release(&sent);
    return 0;
}
