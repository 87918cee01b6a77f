/* SPDX-License-Identifier: MIT */
#include "mta.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"

enum { LATE_MS = 3000, BODY_MAX = 64 * 1024 * 1024 };

static void must(bool ok)
{
    if (!ok)
        abort();
}

/* --- the log --- */

void mta_note(struct mta *m, const char *line)
{
    pthread_mutex_lock(&m->lock);
    must(buf_putf(&m->log, "%s\n", line) == 0);
    pthread_mutex_unlock(&m->lock);
}

static void note(struct mta_connection *c, const char *what)
{
    char line[1200];

    snprintf(line, sizeof(line), "%u %s", c->number, what);
    mta_note(c->mta, line);
}

long mta_at(struct mta *m, const char *line)
{
    char whole[1200];
    const char *found;
    long at;

    snprintf(whole, sizeof(whole), "\n%s\n", line);
    pthread_mutex_lock(&m->lock);
    found = strstr(buf_cstr(&m->log), whole);
    at = found != NULL ? (long)(found - buf_cstr(&m->log)) : -1;
    pthread_mutex_unlock(&m->lock);
    return at;
}

unsigned mta_count(struct mta *m, const char *part)
{
    unsigned n = 0;

    pthread_mutex_lock(&m->lock);
    for (const char *p = buf_cstr(&m->log); (p = strstr(p, part)) != NULL; p++)
        n++;
    pthread_mutex_unlock(&m->lock);
    return n;
}

/* --- one connection --- */

static bool fill(struct mta_connection *c)
{
    ssize_t got;

    if (c->start == c->end)
        c->start = c->end = 0;
    if (c->end == sizeof(c->in)) {
        memmove(c->in, c->in + c->start, c->end - c->start);
        c->end -= c->start;
        c->start = 0;
    }
    got = recv(c->fd, c->in + c->end, sizeof(c->in) - c->end, 0);
    c->end += got > 0 ? (size_t)got : 0;
    return got > 0;
}

/* With its line end. */
static bool read_line(struct mta_connection *c, struct slice *out)
{
    for (;;) {
        const char *p = c->in + c->start, *lf = memchr(p, '\n', c->end - c->start);

        if (lf != NULL) {
            *out = slice_make(p, (size_t)(lf - p) + 1);
            c->start += out->n;
            return true;
        }
        if (!fill(c))
            return false;
    }
}

static bool say(struct mta_connection *c, const char *text)
{
    char whole[2000];
    int n = snprintf(whole, sizeof(whole), "%s\r\n", text);

    return send(c->fd, whole, (size_t)n, MSG_NOSIGNAL) == n;
}

/* Counts for all rules that fit. *out stays as it is when none decides. */
static void find_rule(struct mta_connection *c, const char *command, struct mta_rule *out)
{
    struct mta *m = c->mta;
    bool found = false;

    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; m->options.rules != NULL && m->options.rules[i].on != NULL; i++) {
        const struct mta_rule *r = &m->options.rules[i];

        if (strncasecmp(command, r->on, strlen(r->on)) != 0 || (r->connection != 0 && r->connection != c->number))
            continue;
        m->fits[i]++;
        if (!found && (r->nth == 0 || r->nth == m->fits[i])) {
            found = true;
            *out = *r;
        }
    }
    pthread_mutex_unlock(&m->lock);
}

static void take(struct mta_connection *c, struct buf *body)
{
    struct mta *m = c->mta;

    pthread_mutex_lock(&m->lock);
    must(m->message_count < MTA_MESSAGES && buf_put_char(body, '\0') == 0);
    m->messages[m->message_count++] =
        (struct mta_message){ .body = body->p, .n = body->len - 1, .connection = c->number };
    pthread_mutex_unlock(&m->lock);
    *body = BUF_INIT(BODY_MAX);
}

/* False: the connection is to be cut. *taken_out: the reply was positive. `body` (or NULL) is kept then, before the
 * other side hears of it. */
static bool answer(struct mta_connection *c, const char *command, const char *usual, struct buf *body, bool *taken_out)
{
    struct mta_rule r = { .reply = usual };

    find_rule(c, command, &r);
    if (r.call != NULL)
        r.call();
    if (r.wait && c->start == c->end) {
        struct pollfd more = { .fd = c->fd, .events = POLLIN };
        if (poll(&more, 1, LATE_MS) <= 0)
            note(c, "late");
    }
    if (r.delay_ms > 0)
        poll(NULL, 0, r.delay_ms);
    if (r.drop)
        c->start = c->end;
    *taken_out = r.reply != NULL && (r.reply[0] == '2' || r.reply[0] == '3');
    if (*taken_out && body != NULL)
        take(c, body);
    return r.reply != NULL && say(c, r.reply);
}

/* The replies behind a whole message: it is kept when one of them is positive. */
static bool end_message(struct mta_connection *c, struct buf *body)
{
    bool any = false, taken, go_on = true;
    char on[MTA_ADDRESS + 8];

    note(c, ".");
    for (size_t i = 0; i < (c->mta->options.lmtp ? c->recipient_count : 1) && go_on; i++) {
        snprintf(on, sizeof(on), ". %s", c->recipients[i]);
        go_on = answer(c, on, "250 taken", any ? NULL : body, &taken);
        any |= taken;
    }
    c->recipient_count = 0;
    c->in_mail = false;
    return go_on;
}

static bool read_data(struct mta_connection *c, struct buf *body)
{
    struct slice line;

    while (read_line(c, &line)) {
        if (slice_eq(line, SLICE(".\r\n")))
            return true;
        must(buf_put_slice(body, line.p[0] == '.' ? slice_from(line, 1) : line) == 0);
    }
    return false;
}

static bool read_octets(struct mta_connection *c, size_t left, struct buf *body)
{
    while (left > 0) {
        size_t n = size_min(left, c->end - c->start);

        must(buf_put(body, c->in + c->start, n) == 0);
        c->start += n;
        left -= n;
        if (left > 0 && !fill(c))
            return false;
    }
    return true;
}

static bool hello(struct mta_connection *c, const char *command)
{
    char reply[1000] = "250-mta.example.org\r\n", *at = reply + strlen(reply);
    const char *p = c->mta->options.caps != NULL ? c->mta->options.caps : "HELP";
    bool taken;

    for (const char *lf; *p != '\0'; p = lf + (*lf != '\0')) {
        lf = strchrnul(p, '\n');
        at += snprintf(at, sizeof(reply) - (size_t)(at - reply), "250%c%.*s%s", *lf != '\0' ? '-' : ' ', (int)(lf - p),
                       p, *lf != '\0' ? "\r\n" : "");
    }
    return answer(c, command, reply, NULL, &taken);
}

static bool one_command(struct mta_connection *c, const char *command, struct buf *body)
{
    bool taken = false, mail = strncasecmp(command, "MAIL", 4) == 0;

    if (strncasecmp(command, "EHLO", 4) == 0 || strncasecmp(command, "LHLO", 4) == 0) {
        note(c, slice_istarts(slice_str(command), SLICE("EHLO")) ? "EHLO" : "LHLO");
        return hello(c, command);
    }
    note(c, command);
    if (strncasecmp(command, "BDAT ", 5) == 0)
        return read_octets(c, strtoul(command + 5, NULL, 10), body) && end_message(c, body);
    if (strcasecmp(command, "DATA") == 0) {
        if (!answer(c, command, c->recipient_count > 0 ? "354 go on" : "554 no valid recipients", NULL, &taken))
            return false;
        return !taken || (read_data(c, body) && end_message(c, body));
    }
    if (strcasecmp(command, "QUIT") == 0)
        return false;
    if (!answer(c, command, mail && c->in_mail ? "503 nested MAIL" : "250 ok", NULL, &taken))
        return false;
    c->in_mail |= mail && taken;
    if (strncasecmp(command, "RCPT TO:", 8) == 0 && taken && c->recipient_count < MTA_RECIPIENTS)
        snprintf(c->recipients[c->recipient_count++], MTA_ADDRESS, "%.*s", MTA_ADDRESS - 1, command + 8);
    if (strcasecmp(command, "RSET") == 0) {
        c->recipient_count = 0;
        c->in_mail = false;
    }
    return true;
}

static void *serve(void *arg)
{
    struct mta_connection *c = arg;
    struct buf body = BUF_INIT(BODY_MAX);
    struct slice line;
    char command[1000];
    bool taken, go_on;

    note(c, "+");
    go_on = answer(c, "+", "220 mta.example.org", NULL, &taken) && taken;
    while (go_on && read_line(c, &line)) {
        line = slice_trim(line);
        snprintf(command, sizeof(command), "%.*s", SLICE_ARG(line));
        buf_clear(&body);
        go_on = one_command(c, command, &body);
    }
    note(c, "-");
    shutdown(c->fd, SHUT_RDWR);
    buf_release(&body);
    return NULL;
}

/* --- the server --- */

static void *listen_on(void *arg)
{
    struct mta *m = arg;
    int fd, one = 1;

    while ((fd = accept4(m->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        struct mta_connection *c = calloc(1, sizeof(*c));

        must(c != NULL && m->connection_count < MTA_CONNECTIONS);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        c->mta = m;
        c->fd = fd;
        pthread_mutex_lock(&m->lock);
        m->connections[m->connection_count++] = c;
        c->number = (unsigned)m->connection_count;
        pthread_mutex_unlock(&m->lock);
        must(pthread_create(&c->thread, NULL, serve, c) == 0);
    }
    return NULL;
}

void mta_start(struct mta *m, const struct mta_options *options)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof(at);

    memset(m, 0, sizeof(*m));
    m->options = *options;
    buf_init(&m->log, 1024 * 1024);
    must(buf_put_char(&m->log, '\n') == 0);
    pthread_mutex_init(&m->lock, NULL);
    m->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(bind(m->listener, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(m->listener, 32) == 0);
    must(getsockname(m->listener, (struct sockaddr *)&at, &n) == 0);
    m->port = ntohs(at.sin_port);
    must(pthread_create(&m->thread, NULL, listen_on, m) == 0);
}

void mta_rules(struct mta *m, const struct mta_rule *rules)
{
    pthread_mutex_lock(&m->lock);
    m->options.rules = rules;
    memset(m->fits, 0, sizeof(m->fits));
    pthread_mutex_unlock(&m->lock);
}

void mta_stop_listening(struct mta *m)
{
    if (m->listener < 0)
        return;
    shutdown(m->listener, SHUT_RDWR);
    pthread_join(m->thread, NULL);
    io_close(&m->listener);
}

void mta_hang_up(struct mta *m, size_t n)
{
    struct mta_connection *c = m->connections[n - 1];

    shutdown(c->fd, SHUT_RDWR);
    if (!c->ended)
        pthread_join(c->thread, NULL);
    c->ended = true;
}

void mta_stop(struct mta *m)
{
    mta_stop_listening(m);
    for (size_t i = 0; i < m->connection_count; i++) {
        mta_hang_up(m, i + 1);
        close(m->connections[i]->fd);
        free(m->connections[i]);
    }
    m->connection_count = 0;
}

void mta_release(struct mta *m)
{
    for (size_t i = 0; i < m->message_count; i++)
        free(m->messages[i].body);
    buf_release(&m->log);
    pthread_mutex_destroy(&m->lock);
}
