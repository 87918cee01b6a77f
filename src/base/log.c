/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/secret.h"

static struct {
    pthread_mutex_t lock;
    struct log_options options;
    char *path; /* owned */
    int fd;
    void (*before)(void);
    void (*after)(void);
    bool once;
} state = { .lock = PTHREAD_MUTEX_INITIALIZER, .options = { .level = LOG_LEVEL_INFO }, .fd = -1 };

static _Thread_local char account[128];

enum { HIDDEN = 4, HIDDEN_LETTERS = 12, HIDDEN_LEAST = 4 };
static _Thread_local struct {
    struct secret v[HIDDEN];
    size_t next;
} hidden;

/* What was said of accounts, by its digest; also under the lock. */
static struct saying {
    uint64_t line, account;
} said[2048];

/* The length of a well-formed, printable UTF-8 character at the front of `s`, or 0. C1 controls are not printable. */
static size_t utf8_printable(struct slice s)
{
    unsigned char c = (unsigned char)s.p[0];
    size_t len = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;

    if (len == 1)
        return c >= 0x20 && c != 0x7f;
    if (len == 0 || s.n < len)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if (((unsigned char)s.p[i] & 0xc0) != 0x80)
            return 0;
    }
    unsigned char d = (unsigned char)s.p[1];
    bool bad = (c == 0xc2 && d < 0xa0) || (c == 0xe0 && d < 0xa0) || (c == 0xed && d >= 0xa0) ||
               (c == 0xf0 && d < 0x90) || (c == 0xf4 && d >= 0x90);
    return bad ? 0 : len;
}

/* How many bytes at the front of `s` are not to be shown. */
static size_t hidden_front(struct slice s)
{
    size_t longest = 0;

    for (size_t i = 0; i < HIDDEN; i++) {
        if (hidden.v[i].n > longest && slice_starts(s, secret_get(&hidden.v[i])))
            longest = hidden.v[i].n;
    }
    return longest;
}

static void print(char *out, size_t size, struct slice in, bool hides)
{
    static const char hex[] = "0123456789abcdef";
    enum { ELLIPSIS = 4 }; /* "..." and NUL */
    static const char stars[] = "********";
    size_t at = 0;

    while (in.n > 0) {
        size_t skip = hides ? hidden_front(in) : 0;
        size_t len = skip > 0 ? strlen(stars) : utf8_printable(in);
        size_t need = len > 0 ? len : 4;

        if (at + need + ELLIPSIS > size) {
            if (at + ELLIPSIS <= size) {
                memcpy(out + at, "...", 3);
                at += 3;
            }
            break;
        }
        if (skip > 0) {
            memcpy(out + at, stars, len);
            len = skip;
        } else if (len > 0) {
            memcpy(out + at, in.p, len);
        } else {
            unsigned char c = (unsigned char)in.p[0];
            out[at] = '\\';
            out[at + 1] = 'x';
            out[at + 2] = hex[c >> 4];
            out[at + 3] = hex[c & 15];
            len = 1;
        }
        at += need;
        in = slice_from(in, len);
    }
    if (size > 0)
        out[at] = '\0';
}

void log_printable(char *out, size_t size, struct slice in)
{
    print(out, size, in, false);
}

void log_words(char *out, size_t size, struct slice in)
{
    print(out, size, in, true);
}

static bool worth_hiding(struct slice s)
{
    for (size_t i = 0; i < s.n && s.n < HIDDEN_LETTERS; i++) {
        if (ascii_lower(s.p[i]) < 'a' || ascii_lower(s.p[i]) > 'z')
            return s.n >= HIDDEN_LEAST;
    }
    return s.n >= HIDDEN_LETTERS;
}

void log_hide(struct slice secret)
{
    if (!worth_hiding(secret) || hidden_front(secret) == secret.n)
        return;
    if (secret_set(&hidden.v[hidden.next], secret) == 0)
        hidden.next = (hidden.next + 1) % HIDDEN;
}

void log_unhide(void)
{
    for (size_t i = 0; i < HIDDEN; i++)
        secret_release(&hidden.v[i]);
}

static int open_file(struct err *e)
{
    int fd;

    if (state.path == NULL)
        return 0;
    fd = open(state.path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_sys(e, E_CONFIG, errno, "log_file %s cannot be opened", state.path);
    io_close(&state.fd);
    state.fd = fd;
    return 0;
}

bool log_goes_to_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    char ours[64];
    struct stat st;

    if (stream == NULL || fstat(STDERR_FILENO, &st) != 0)
        return false;
    snprintf(ours, sizeof(ours), "%" PRIuMAX ":%" PRIuMAX, (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    return strcmp(stream, ours) == 0;
}

int log_open(const struct log_options *options, struct err *e)
{
    state.options = *options;
    free(state.path);
    state.path = NULL;
    if (options->file != NULL && (state.path = strdup(options->file)) == NULL)
        return err_nomem(e);
    if (options->syslog)
        openlog("mailhaul", LOG_PID | LOG_NDELAY, LOG_MAIL);
    return open_file(e);
}

int log_reopen(struct err *e)
{
    int rc;

    pthread_mutex_lock(&state.lock);
    rc = open_file(e);
    pthread_mutex_unlock(&state.lock);
    return rc;
}

void log_close(void)
{
    if (state.options.syslog)
        closelog();
    io_close(&state.fd);
    free(state.path);
    state.path = NULL;
    state.options = (struct log_options){ .level = LOG_LEVEL_INFO };
    state.once = false;
}

void log_account(const char *name)
{
    log_printable(account, sizeof(account), slice_str(name));
}

const char *log_account_name(void)
{
    return account;
}

bool log_wants(enum log_level level)
{
    bool kept = state.fd >= 0 || state.options.syslog;

    return level <= state.options.level || (kept && level <= state.options.to_file);
}

void log_locked(void (*fn)(void))
{
    pthread_mutex_lock(&state.lock);
    fn();
    pthread_mutex_unlock(&state.lock);
}

void log_around(void (*before)(void), void (*after)(void))
{
    pthread_mutex_lock(&state.lock);
    state.before = before;
    state.after = after;
    pthread_mutex_unlock(&state.lock);
}

static void timestamp(char *out, size_t size)
{
    time_t now = (time_t)clock_wall();
    struct tm tm;

    if (localtime_r(&now, &tm) == NULL || strftime(out, size, "%Y-%m-%dT%H:%M:%S%z ", &tm) == 0)
        out[0] = '\0';
}

/* Best effort: when standard error or the log file cannot be written there is no better place to say so. */
static void put_line(int fd, const char *stamp, const char *line)
{
    char whole[LOG_LINE_MAX + 64];
    int n = snprintf(whole, sizeof(whole), "%s%s\n", stamp, line);

    if (n > 0 && io_write_all(fd, whole, size_min((size_t)n, sizeof(whole) - 1)) != 0)
        return;
}

/* FNV-1a */
static uint64_t hash(const char *s)
{
    uint64_t h = 0xcbf29ce484222325;

    for (; *s != '\0'; s++)
        h = (h ^ (unsigned char)*s) * 0x100000001b3;
    return h;
}

void log_once(void)
{
    pthread_mutex_lock(&state.lock);
    state.once = true;
    pthread_mutex_unlock(&state.lock);
}

void log_news(const char *name)
{
    char shown[sizeof(account)];
    uint64_t of;

    log_printable(shown, sizeof(shown), slice_str(name));
    of = hash(shown);
    pthread_mutex_lock(&state.lock);
    for (size_t i = 0; i < ARRAY_LEN(said); i++) {
        if (said[i].account == of)
            said[i].line = 0;
    }
    pthread_mutex_unlock(&state.lock);
}

/* Under the lock. Lines that want the same place push each other out, and are said again. */
static bool said_before(const char *line)
{
    uint64_t h = hash(line);
    struct saying *place = &said[h % ARRAY_LEN(said)];
    bool before = place->line == h;

    *place = (struct saying){ .line = h, .account = hash(account) };
    return before;
}

void log_at(enum log_level level, const char *fmt, ...)
{
    static const int priority[] = { LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG_DEBUG };
    char raw[LOG_LINE_MAX], line[LOG_LINE_MAX], stamp[40] = "", number[8];
    size_t len;
    va_list ap;

    if (!log_wants(level))
        return;
    va_start(ap, fmt);
    vsnprintf(raw, sizeof(raw), fmt, ap);
    va_end(ap);
    snprintf(line, sizeof(line), "%s%s%s", account[0] != '\0' ? "account " : "", account,
             account[0] != '\0' ? ": " : "");
    len = strlen(line);
    log_printable(line + len, sizeof(line) - len, slice_str(raw));

    pthread_mutex_lock(&state.lock);
    if (state.once && level <= LOG_LEVEL_WARN && account[0] != '\0' && said_before(line))
        level = LOG_LEVEL_DEBUG;
    snprintf(number, sizeof(number), "<%d>", priority[level]);
    timestamp(stamp, sizeof(stamp));
    if (level <= state.options.level) {
        if (state.before != NULL)
            state.before();
        put_line(STDERR_FILENO, state.options.priorities ? number : state.options.timestamps ? stamp : "", line);
        if (state.after != NULL)
            state.after();
    }
    if (state.fd >= 0 && level <= state.options.to_file)
        put_line(state.fd, stamp, line);
    if (state.options.syslog && level <= state.options.to_file)
        syslog(priority[level], "%s", line);
    pthread_mutex_unlock(&state.lock);
}
