/* SPDX-License-Identifier: MIT */
#include "conf/conf_int.h"

#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

int conf_report(struct conf_report *r, const char *file, int line, const char *fmt, ...)
{
    char what[ERR_TEXT_MAX], place[400] = "";
    va_list ap;

    if (r->quiet) {
        r->count++;
        return -1;
    }
    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    if (file != NULL && line > 0)
        snprintf(place, sizeof(place), "%s:%d: ", file, line);
    else if (file != NULL)
        snprintf(place, sizeof(place), "%s: ", file);
    if (r->count == 0)
        err_set(r->first, E_CONFIG, "%s%s", place, what);
    if (r->count < CONF_REPORT_MAX)
        log_error("%s%s", place, what);
    r->count++;
    return -1;
}

int conf_report_nomem(struct conf_report *r)
{
    if (r->count++ == 0)
        err_nomem(r->first);
    log_error("out of memory");
    return -1;
}

static void tls_release(struct conf_tls_settings *t)
{
    free(t->trust_file);
    conf_strings_release(&t->fingerprints);
    free(t->cert_file);
    free(t->key_file);
}

static void login_release(struct conf_login *l)
{
    free(l->whose);
    free(l->user);
    free(l->authorize_as);
    secret_release(&l->password);
    conf_strings_release(&l->password_command);
    free(l->password_file);
    free(l->netrc);
    conf_strings_release(&l->auth);
    free(l->oauth.client_id);
    secret_release(&l->oauth.client_secret);
    free(l->oauth.tenant);
    conf_strings_release(&l->oauth.scopes);
    free(l->oauth.authorize_url);
    free(l->oauth.token_url);
    free(l->oauth.device_url);
    free(l->state);
}

void conf_deliver_release(struct conf_deliver *d)
{
    free(d->name);
    free(d->path);
    free(d->host);
    free(d->socket);
    free(d->domain);
    tls_release(&d->tls_settings);
    login_release(&d->login);
    conf_strings_release(&d->to);
    free(d->from);
    free(d->to_header);
    free(d->to_strip_prefix);
    free(d->to_fallback);
    conf_strings_release(&d->to_domains);
    free(d->folder);
    free(d->folder_prefix);
    conf_strings_release(&d->command);
}

void conf_account_release(struct conf_account *a)
{
    free(a->name);
    free(a->file);
    free(a->host);
    free(a->bind_address);
    free(a->proxy_host);
    free(a->proxy_user);
    secret_release(&a->proxy_password);
    conf_strings_release(&a->tunnel);
    conf_strings_release(&a->disable_extensions);
    tls_release(&a->tls_settings);
    login_release(&a->login);
    conf_strings_release(&a->folders);
    conf_strings_release(&a->idle);
    conf_strings_release(&a->on_new_mail);
    conf_strings_release(&a->on_failure);
    conf_strings_release(&a->on_recovery);
    for (size_t i = 0; i < a->deliver_count; i++)
        conf_deliver_release(&a->delivers[i]);
    free(a->delivers);
}

void conf_free(struct conf **c)
{
    if (*c == NULL)
        return;
    for (size_t i = 0; i < (*c)->account_count; i++) {
        conf_account_release((*c)->accounts[i]);
        free((*c)->accounts[i]);
    }
    free((*c)->accounts);
    free((*c)->path);
    free((*c)->state_dir);
    free((*c)->spool_dir);
    free((*c)->log_file);
    free((*c)->metrics_address);
    free(*c);
    *c = NULL;
}

const struct conf_account *conf_find(const struct conf *c, const char *name)
{
    for (size_t i = 0; i < c->account_count; i++) {
        if (c->accounts[i]->name != NULL && strcmp(c->accounts[i]->name, name) == 0)
            return c->accounts[i];
    }
    return NULL;
}

/* The files of one configuration, in the order in which they are read. */
struct load {
    struct conf_report report;
    cfg_t **trees;
    size_t count, room;
    bool incomplete; /* a file could not be taken: what is missing elsewhere may stand in it */
};

/* A file that anybody may write can name any program as password_command; one with a password is nobody else's to
 * read. */
static int judge(struct conf_report *r, const char *file, const struct stat *st, int secret_line)
{
    if ((st->st_mode & S_IWOTH) != 0 && S_ISREG(st->st_mode))
        return conf_report(r, file, 0, "anybody may write to this file; run: chmod o-w %s", file);
    if (secret_line == 0)
        return 0;
    if (st->st_uid != geteuid() && st->st_uid != 0)
        return conf_report(r, file, secret_line, "there is a password in this file, and it belongs to another user");
    if ((st->st_mode & (S_IRGRP | S_IROTH | S_IWGRP)) != 0)
        return conf_report(r, file, secret_line,
                           "there is a password in this file, and others may read it; run: chmod 600 %s", file);
    return 0;
}

static int read_text(struct conf_report *r, const char *file, int fd, struct buf *text)
{
    if (io_read_all(fd, text) == 0)
        return 0;
    if (errno == EFBIG)
        return conf_report(r, file, 0, "larger than %d MiB: this is no configuration", CONF_FILE_MAX / 1024 / 1024);
    return conf_report(r, file, 0, "cannot be read: %s", strerror(errno));
}

static int keep(struct load *l, cfg_t *tree)
{
    if (l->count == l->room) {
        size_t room = l->room * 2 + 8;
        cfg_t **more = reallocarray(l->trees, room, sizeof(*more));

        if (more == NULL) {
            conf_parse_free(tree);
            return conf_report_nomem(&l->report);
        }
        l->trees = more;
        l->room = room;
    }
    l->trees[l->count++] = tree;
    return 0;
}

/* From an open descriptor, which stays the caller's, to one more tree. */
static int read_file(struct load *l, const char *file, int fd)
{
    struct buf text = BUF_INIT(CONF_FILE_MAX);
    struct conf_scan scan = { 0 };
    struct stat st;
    cfg_t *tree = NULL;
    int rc = -1;

    if (fstat(fd, &st) != 0) {
        conf_report(&l->report, file, 0, "cannot be read: %s", strerror(errno));
        goto out;
    }
    if (S_ISDIR(st.st_mode)) {
        conf_report(&l->report, file, 0, "this is a directory, not a file");
        goto out;
    }
    if (read_text(&l->report, file, fd, &text) != 0)
        goto out;
    rc = conf_scan(&l->report, file, &text, &scan);
    if (judge(&l->report, file, &st, scan.secret_line) != 0 || rc != 0) {
        rc = -1;
        goto out;
    }
    tree = conf_parse(&l->report, file, &text);
    rc = tree != NULL ? keep(l, tree) : -1;
out:
    l->incomplete = l->incomplete || rc != 0;
    buf_wipe(&text);
    buf_release(&text);
    return rc;
}

static int wanted(const struct dirent *d)
{
    size_t n = strlen(d->d_name);

    return d->d_name[0] != '.' && n > 5 && strcmp(d->d_name + n - 5, ".conf") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* accounts.d beside `main_file`. Goes on after a broken file, to tell about the others too. */
static void read_directory(struct load *l, const char *main_file)
{
    struct dirent **names = NULL;
    const char *slash = strrchr(main_file, '/');
    struct buf path = BUF_INIT(CONF_VALUE_MAX);
    size_t base;
    int n, fd;

    if (buf_putf(&path, "%.*saccounts.d", slash != NULL ? (int)(slash - main_file + 1) : 0, main_file) != 0) {
        conf_report_nomem(&l->report);
        return;
    }
    n = scandir(buf_cstr(&path), &names, wanted, by_name);
    if (n < 0 && errno != ENOENT && errno != ENOTDIR)
        conf_report(&l->report, buf_cstr(&path), 0, "cannot be read: %s", strerror(errno));
    base = path.len;
    for (int i = 0; i < n; i++) {
        path.len = base;
        if (buf_putf(&path, "/%s", names[i]->d_name) != 0) {
            conf_report_nomem(&l->report);
        } else if ((fd = open(buf_cstr(&path), O_RDONLY | O_CLOEXEC | O_NOCTTY)) < 0) {
            conf_report(&l->report, buf_cstr(&path), 0, "cannot be read: %s", strerror(errno));
        } else {
            (void)read_file(l, buf_cstr(&path), fd);
            io_close(&fd);
        }
        free(names[i]);
    }
    free(names);
    buf_release(&path);
}

static char *in_home(const char *variable, const char *usual, const char *name)
{
    struct buf b = BUF_INIT(CONF_VALUE_MAX);
    const char *base = getenv(variable);
    char *home = NULL, *whole = NULL;

    /* The XDG specification: a relative path there is to be ignored. */
    if (base == NULL || base[0] != '/')
        base = home = conf_home_path(usual);
    if (base != NULL && buf_putf(&b, "%s/%s", base, name) == 0)
        whole = slice_dup(buf_slice(&b));
    free(home);
    buf_release(&b);
    return whole;
}

static int try_open(const char *path, int *fd)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return *fd >= 0 || (errno != ENOENT && errno != ENOTDIR) ? 0 : -1;
}

/* The file to read and a descriptor of it; the path is the caller's to free. */
static char *find_file(struct conf_report *r, const char *given, int *fd)
{
    char *paths[3] = { NULL, NULL, NULL }, *found = NULL;
    size_t n = 0;

    *fd = -1;
    if (given != NULL) {
        paths[n++] = conf_home_path(given);
    } else {
        paths[n++] = in_home("XDG_CONFIG_HOME", "~/.config", "mailhaul/mailhaul.conf");
        paths[n++] = strdup(SYSCONFDIR "/mailhaul/mailhaul.conf");
        paths[n++] = strdup("/etc/mailhaul/mailhaul.conf");
        if (strcmp(SYSCONFDIR, "/etc") == 0)
            free(paths[--n]);
    }
    for (size_t i = 0; i < n; i++) {
        if (found != NULL || paths[i] == NULL || try_open(paths[i], fd) != 0)
            continue;
        found = paths[i];
        if (*fd < 0)
            conf_report(r, found, 0, "cannot be read: %s", strerror(errno));
    }
    if (found == NULL && given != NULL)
        conf_report(r, given, 0, "there is no such configuration file");
    else if (found == NULL)
        conf_report(r, NULL, 0,
                    "no configuration file; looked for %s%s%s%s%s. Copy the sample " DOCDIR "/mailhaul.conf "
                    "to the first of them and put your account in; mailhaul.conf(5) explains it",
                    paths[0] != NULL ? paths[0] : "(no home directory)", ", ", paths[1] != NULL ? paths[1] : "",
                    n > 2 ? ", " : "", n > 2 && paths[2] != NULL ? paths[2] : "");
    for (size_t i = 0; i < n; i++) {
        if (paths[i] != found)
            free(paths[i]);
    }
    return found;
}

bool conf_present(const char *path)
{
    struct err unused;
    struct conf_report silent = { .first = &unused, .quiet = true };
    int fd = -1;
    char *found = find_file(&silent, path, &fd);
    bool present = found != NULL;

    io_close(&fd);
    free(found);
    return present;
}

const char *conf_library(void)
{
    return confuse_version;
}

static int set_defaults(struct conf *c, struct conf_report *r)
{
    if (c->state_dir == NULL)
        c->state_dir = in_home("XDG_STATE_HOME", "~/.local/state", "mailhaul");
    if (c->state_dir == NULL)
        return conf_report(r, c->path, 0, "state_dir: there is no home directory to put it in; write one");
    if (c->spool_dir == NULL)
        c->spool_dir = strdup(c->state_dir);
    return c->spool_dir != NULL && conf_set_states(c) == 0 ? 0 : conf_report_nomem(r);
}

/* What the library and the C library free, they do not wipe: the text passes through their buffers. Larger blocks are
 * overwritten as they are freed; the small ones, which glibc keeps at hand, are asked for again. */
static void begin_wiping(void)
{
    (void)mallopt(M_PERTURB, 0x5a);
}

static void end_wiping(void)
{
    enum { SMALLEST = 24, STEP = 16, LARGEST = 1032, KEPT = 7 };

    (void)mallopt(M_PERTURB, 0);
    for (size_t size = SMALLEST; size <= LARGEST; size += STEP) {
        void *blocks[KEPT];

        for (size_t i = 0; i < KEPT; i++) {
            blocks[i] = malloc(size);
            if (blocks[i] != NULL)
                explicit_bzero(blocks[i], size);
        }
        for (size_t i = 0; i < KEPT; i++)
            free(blocks[i]);
    }
}

int conf_load(const char *path, struct conf **out, struct err *e)
{
    struct load l = { .report = { .first = e } };
    struct conf *c = calloc(1, sizeof(*c));
    int fd = -1;

    *out = NULL;
    if (c == NULL)
        return conf_report_nomem(&l.report);
    begin_wiping();
    *c = (struct conf){ .max_sessions = 16, .log_level = LOG_LEVEL_INFO };
    c->path = find_file(&l.report, path, &fd);
    if (fd >= 0) {
        (void)read_file(&l, c->path, fd);
        io_close(&fd);
        read_directory(&l, c->path);
    }
    if (l.count > 0 && !l.incomplete)
        conf_build(&l.report, l.trees, l.count, c);
    if (l.report.count == 0)
        (void)set_defaults(c, &l.report);
    if (l.report.count > CONF_REPORT_MAX)
        log_error("%s: and %zu more", c->path, l.report.count - CONF_REPORT_MAX);
    for (size_t i = 0; i < l.count; i++)
        conf_parse_free(l.trees[i]);
    free(l.trees);
    end_wiping();
    /* The library's trees of a thousand accounts are 24 MB, and a daemon would keep the room for them for ever. */
    (void)malloc_trim(0);
    if (l.report.count > 0) {
        conf_free(&c);
        return -1;
    }
    *out = c;
    return 0;
}
