/* SPDX-License-Identifier: MIT */
#include "conf/conf_int.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/child.h"
#include "base/io.h"
#include "base/stop.h"

enum {
    COMMAND_LIMIT_MS = 30 * 1000,
    LINGER_LIMIT_MS = 2 * 1000,
    NETRC_MAX = 1024 * 1024,
    FIRST_LINE_MAX = SECRET_MAX + 2
};

/* Whoever keeps a secret in a buffer makes it whole from the start: one that grew would leave copies behind. */

/* The first line of `text` becomes the secret. */
static int take_line(const struct buf *text, const char *what, struct secret *out, struct err *e)
{
    struct slice line = buf_slice(text);
    const char *end = line.n > 0 ? memchr(line.p, '\n', line.n) : NULL;

    if (end != NULL)
        line.n = (size_t)(end - line.p);
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    if (line.n == 0)
        return err_set(e, E_CONFIG, "%s gave no password: the first line is empty", what);
    if (slice_has_nul(line))
        return err_set(e, E_CONFIG, "%s gave a password with a NUL character in it", what);
    return secret_set(out, line) == 0 ? 0 : err_nomem(e);
}

/* What a service manager has handed to us alone: it belongs to root, and we read it by an access control list, which
 * looks like permission for the group. */
static bool is_credential(const char *path)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    size_t n = directory != NULL ? strlen(directory) : 0;

    return n > 0 && directory[0] == '/' && strncmp(path, directory, n) == 0 && path[n] == '/' &&
           strchr(path + n + 1, '/') == NULL;
}

/* A file of secrets is nobody else's to read. */
static int read_private(const char *path, const char *key, struct buf *text, struct err *e)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), rc = -1;

    if (fd < 0 || fstat(fd, &st) != 0)
        err_sys(e, E_CONFIG, errno, "%s %s cannot be read", key, path);
    else if (st.st_uid != geteuid() && st.st_uid != 0)
        err_set(e, E_CONFIG, "%s %s belongs to another user", key, path);
    else if (S_ISREG(st.st_mode) && (st.st_mode & (is_credential(path) ? S_IROTH : S_IRGRP | S_IROTH)) != 0)
        err_set(e, E_CONFIG, "%s %s can be read by others; run: chmod 600 %s", key, path, path);
    else if (io_read_all(fd, text) != 0)
        err_sys(e, E_CONFIG, errno, "%s %s cannot be read", key, path);
    else
        rc = 0;
    io_close(&fd);
    return rc;
}

static int from_file(const char *path, struct secret *out, struct err *e)
{
    struct buf text = BUF_INIT(FIRST_LINE_MAX);
    int rc = buf_reserve(&text, FIRST_LINE_MAX) == 0 ? read_private(path, "password_file", &text, e) : err_nomem(e);

    if (rc == 0)
        rc = take_line(&text, "password_file", out, e);
    buf_wipe(&text);
    buf_release(&text);
    return rc;
}

/* ---- netrc: "machine NAME login NAME password WORD", "default"; words in quotes may hold white space ---- */

static bool next_word(struct slice *s, struct buf *word)
{
    bool quoted;

    buf_wipe(word);
    while (s->n > 0 && strchr(" \t\r\n", s->p[0]) != NULL)
        *s = slice_from(*s, 1);
    if (s->n == 0)
        return false;
    quoted = s->p[0] == '"';
    if (quoted)
        *s = slice_from(*s, 1);
    while (s->n > 0 && (quoted ? s->p[0] != '"' : strchr(" \t\r\n", s->p[0]) == NULL)) {
        if (s->p[0] == '\\' && s->n > 1)
            *s = slice_from(*s, 1);
        if (buf_put_char(word, s->p[0]) != 0)
            return false;
        *s = slice_from(*s, 1);
    }
    if (quoted && s->n > 0)
        *s = slice_from(*s, 1);
    return true;
}

static void skip_behind(struct slice *s, const char *end)
{
    const char *at = s->n > 0 ? memmem(s->p, s->n, end, strlen(end)) : NULL;

    *s = slice_from(*s, at != NULL ? (size_t)(at - s->p) : s->n);
}

/* 1: found, 0: not there, -1: no memory. */
static int search_netrc(struct slice s, const struct conf_login *l, struct secret *out)
{
    struct buf word = BUF_INIT(SECRET_MAX), value = BUF_INIT(SECRET_MAX);
    bool machine = false, login = false;
    int rc = buf_reserve(&word, SECRET_MAX) == 0 && buf_reserve(&value, SECRET_MAX) == 0 ? 0 : -1;

    while (rc == 0 && next_word(&s, &word)) {
        struct slice w = buf_slice(&word);

        if (slice_starts(w, SLICE("#"))) {
            skip_behind(&s, "\n");
        } else if (slice_eq(w, SLICE("default"))) {
            machine = login = true;
        } else if (slice_eq(w, SLICE("macdef"))) {
            skip_behind(&s, "\n\n");
        } else if (!next_word(&s, &value)) {
            break;
        } else if (slice_eq(w, SLICE("machine"))) {
            machine = slice_ieq(buf_slice(&value), slice_str(l->machine));
            login = true;
        } else if (slice_eq(w, SLICE("login"))) {
            login = l->user == NULL || slice_eq(buf_slice(&value), slice_str(l->user));
        } else if (slice_eq(w, SLICE("password")) && machine && login) {
            rc = secret_set(out, buf_slice(&value)) == 0 ? 1 : -1;
        }
    }
    buf_wipe(&word);
    buf_release(&word);
    buf_wipe(&value);
    buf_release(&value);
    return rc;
}

static int from_netrc(const struct conf_login *l, struct secret *out, struct err *e)
{
    struct buf text = BUF_INIT(NETRC_MAX);
    int rc = read_private(l->netrc, "netrc", &text, e);

    if (rc == 0) {
        int found = search_netrc(buf_slice(&text), l, out);

        if (found < 0)
            rc = err_nomem(e);
        else if (found == 0)
            rc = err_set(e, E_CONFIG, "netrc %s has no password for %s on %s", l->netrc,
                         l->user != NULL ? l->user : "anybody", l->machine != NULL ? l->machine : "this server");
    }
    buf_wipe(&text);
    buf_release(&text);
    return rc;
}

/* ---- password_command ---- */

static int from_command(const struct conf_strings *argv, struct secret *out, struct err *e)
{
    const struct child_options options = {
        .what = "password_command",
        .argv = argv->v,
        .input = -1,
        .limit_ms = COMMAND_LIMIT_MS,
        .linger_ms = LINGER_LIMIT_MS,
    };
    struct buf text = BUF_INIT(FIRST_LINE_MAX);
    int status = 0, rc;

    rc = buf_reserve(&text, FIRST_LINE_MAX) == 0 ? child_run(&options, &text, &status, e) : err_nomem(e);
    if (rc == 0 && WIFSIGNALED(status))
        rc = err_set(e, E_CONFIG, "password_command %s was killed by signal %d", argv->v[0], WTERMSIG(status));
    else if (rc == 0 && WEXITSTATUS(status) != 0)
        rc = err_set(e, E_CONFIG, "password_command %s failed with status %d; try it by hand", argv->v[0],
                     WEXITSTATUS(status));
    if (rc == 0)
        rc = take_line(&text, "password_command", out, e);
    buf_wipe(&text);
    buf_release(&text);
    return rc;
}

/* ---- the terminal ---- */

static int read_line(int tty, struct buf *line, struct err *e)
{
    for (;;) {
        struct pollfd wait[2] = { { .fd = tty, .events = POLLIN }, { .fd = stop_fd(), .events = POLLIN } };
        char c;

        if (poll(wait, 2, -1) < 0 && errno != EINTR)
            return err_sys(e, E_CONFIG, errno, "the terminal cannot be read");
        if (stop_requested() != 0)
            return err_set(e, E_STOPPED, "stopped while asking for the password");
        if (wait[0].revents == 0)
            continue;
        ssize_t got = read(tty, &c, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || c == '\n')
            return 0;
        if (buf_put_char(line, c) != 0)
            return err_set(e, E_CONFIG, "the password is too long");
    }
}

static int ask(const struct conf_login *l, int tty, struct secret *out, struct err *e)
{
    struct buf line = BUF_INIT(SECRET_MAX), prompt = BUF_INIT(1024);
    struct termios old, silent;
    char shown[400];
    int rc = -1;

    if (tcgetattr(tty, &old) != 0)
        return err_sys(e, E_CONFIG, errno, "the terminal cannot be asked for the password");
    if (buf_reserve(&line, SECRET_MAX) != 0)
        return err_nomem(e);
    silent = old;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK);
    silent.c_lflag |= ICANON | ISIG;
    if (buf_putf(&prompt, "Password of %s at %s (%s)", l->user != NULL ? l->user : "?",
                 l->machine != NULL ? l->machine : "the tunnel", l->whose) != 0)
        buf_clear(&prompt);
    log_printable(shown, sizeof(shown), buf_slice(&prompt));
    if (tcsetattr(tty, TCSAFLUSH, &silent) != 0) {
        err_sys(e, E_CONFIG, errno, "the terminal's echo cannot be turned off");
        goto out;
    }
    if (io_write_all(tty, shown, strlen(shown)) == 0 && io_write_all(tty, ": ", 2) == 0)
        rc = read_line(tty, &line, e);
    else
        err_sys(e, E_CONFIG, errno, "the terminal cannot be written");
    (void)tcsetattr(tty, TCSAFLUSH, &old);
    if (io_write_all(tty, "\n", 1) != 0)
        rc = rc != 0 ? rc : err_sys(e, E_CONFIG, errno, "the terminal cannot be written");
    if (rc == 0)
        rc = take_line(&line, "the terminal", out, e);
out:
    buf_wipe(&line);
    buf_release(&line);
    buf_release(&prompt);
    return rc;
}

/* -1: there is none, or we are in the background, where it would stop us instead of asking. */
static int open_terminal(void)
{
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

    if (tty >= 0 && tcgetpgrp(tty) != getpgrp())
        io_close(&tty);
    return tty;
}

static int from_terminal(const struct conf_login *l, struct secret *out, struct err *e)
{
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
    int tty, rc;

    pthread_mutex_lock(&one_at_a_time);
    tty = open_terminal();
    if (tty >= 0)
        rc = ask(l, tty, out, e);
    else
        rc = err_set(e, E_CONFIG,
                     "there is no password, and no terminal to ask on: set one of password_command, password_file, "
                     "netrc and password");
    io_close(&tty);
    pthread_mutex_unlock(&one_at_a_time);
    return rc;
}

bool conf_login_has_source(const struct conf_login *l)
{
    return secret_is_set(&l->password) || l->password_command.n > 0 || l->password_file != NULL || l->netrc != NULL;
}

static bool among(const struct conf_account *a, const struct conf_account *const *accounts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (accounts[i] == a)
            return true;
    }
    return false;
}

/* *tty is opened for the first question. 1: there is none. */
static int ask_once(struct conf_login *l, const struct conf_tls_settings *tls, int *tty, struct err *e)
{
    if (conf_login_has_source(l) || l->user == NULL || !conf_login_wants_password(l, tls))
        return 0;
    if (*tty < 0 && (*tty = open_terminal()) < 0)
        return 1;
    if (ask(l, *tty, &l->password, e) != 0)
        return -1;
    l->typed = true;
    return 0;
}

int conf_ask_passwords(struct conf *c, const struct conf_account *const *accounts, size_t count, bool destinations,
                       struct err *e)
{
    int tty = -1, rc = 0;

    for (size_t i = 0; i < c->account_count && rc == 0; i++) {
        struct conf_account *a = c->accounts[i];

        if (!among(a, accounts, count))
            continue;
        rc = ask_once(&a->login, &a->tls_settings, &tty, e);
        for (size_t k = 0; destinations && k < a->deliver_count && rc == 0; k++)
            rc = ask_once(&a->delivers[k].login, &a->delivers[k].tls_settings, &tty, e);
    }
    io_close(&tty);
    return rc < 0 ? -1 : 0;
}

static int find_password(const struct conf_login *l, struct secret *out, struct err *e)
{
    if (secret_is_set(&l->password))
        return secret_set(out, secret_get(&l->password)) == 0 ? 0 : err_nomem(e);
    if (l->password_command.n > 0)
        return from_command(&l->password_command, out, e);
    if (l->password_file != NULL)
        return from_file(l->password_file, out, e);
    if (l->netrc != NULL)
        return from_netrc(l, out, e);
    if (conf_login_is_oauth(l))
        return err_set(e, E_CONFIG,
                       "%s logs in by OAuth 2.0 (oauth_client_id is set), and there is no password for any other way",
                       l->whose);
    return from_terminal(l, out, e);
}

int conf_password(const struct conf_login *l, struct secret *out, struct err *e)
{
    if (find_password(l, out, e) != 0)
        return -1;
    log_hide(secret_get(out));
    return 0;
}
