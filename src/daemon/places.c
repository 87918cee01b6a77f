/* SPDX-License-Identifier: MIT */
#include "daemon/places.h"

#include <dirent.h>
#include <limits.h>
#include <unistd.h>

#include "base/array.h"
#include "base/buf.h"

enum { PATH_MAX_BYTES = 64 * 1024, LINKS_MAX = 40 };

static struct slice directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slice_make(path, (size_t)(slash - path) + 1) : SLICE("./");
}

static const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static bool is_account_file(const char *name)
{
    size_t n = strlen(name);

    return name[0] != '.' && n > 5 && strcmp(name + n - 5, ".conf") == 0;
}

static int find_place(struct places *p, struct slice directory, struct place **out, struct err *e)
{
    for (size_t i = 0; i < p->count; i++) {
        *out = &p->v[i];
        if (slice_eq(slice_str(p->v[i].directory), directory))
            return 0;
    }
    if (p->count == p->cap) {
        struct place *v = array_grow(p->v, &p->cap, sizeof(*v));
        if (v == NULL)
            return err_nomem(e);
        p->v = v;
    }
    *out = &p->v[p->count];
    **out = (struct place){ .directory = strndup(directory.p, directory.n) };
    if ((*out)->directory == NULL)
        return err_nomem(e);
    p->count++;
    return 0;
}

static int add_name(struct places *p, struct slice directory, const char *name, struct err *e)
{
    struct place *place;

    if (find_place(p, directory, &place, e) != 0)
        return -1;
    if (place->count == place->cap) {
        char **names = array_grow(place->names, &place->cap, sizeof(char *));
        if (names == NULL)
            return err_nomem(e);
        place->names = names;
    }
    place->names[place->count] = strdup(name);
    if (place->names[place->count] == NULL)
        return err_nomem(e);
    place->count++;
    return 0;
}

/* Where the link leads; *out is not touched when it is none. */
static int read_link(const char *path, char **out, struct err *e)
{
    struct buf target = BUF_INIT(PATH_MAX_BYTES);
    struct slice directory = directory_of(path);
    char words[PATH_MAX];
    ssize_t n = readlink(path, words, sizeof(words) - 1);
    char *copy;

    if (n <= 0)
        return 0;
    words[n] = '\0';
    copy = buf_putf(&target, "%.*s%s", words[0] == '/' ? 0 : (int)directory.n, directory.p, words) == 0
               ? strdup(buf_cstr(&target))
               : NULL;
    buf_release(&target);
    if (copy == NULL)
        return err_nomem(e);
    free(*out);
    *out = copy;
    return 0;
}

/* The file, unless it is known to be looked at, and what it leads to. */
static int add_file(struct places *p, const char *path, bool itself, struct err *e)
{
    char *at = strdup(path), *before;
    int rc = at != NULL ? 0 : err_nomem(e);

    for (int links = 0; rc == 0 && links <= LINKS_MAX; links++) {
        if ((links > 0 || itself) && (rc = add_name(p, directory_of(at), last_component(at), e)) != 0)
            break;
        before = at;
        rc = read_link(before, &at, e);
        if (at == before)
            break;
    }
    free(at);
    return rc;
}

static int add_accounts(struct places *p, const char *directory, struct err *e)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct place *place;
    struct dirent *d;
    DIR *dir;
    int rc = -1;

    if (find_place(p, slice_str(directory), &place, e) != 0)
        return -1;
    place->accounts = true;
    dir = opendir(directory);
    if (dir == NULL)
        return 0;
    while ((d = readdir(dir)) != NULL) {
        if ((d->d_type != DT_LNK && d->d_type != DT_UNKNOWN) || !is_account_file(d->d_name))
            continue;
        buf_clear(&path);
        if (buf_putf(&path, "%s%s", directory, d->d_name) != 0) {
            err_nomem(e);
            goto out;
        }
        if (add_file(p, buf_cstr(&path), false, e) != 0)
            goto out;
    }
    rc = 0;
out:
    closedir(dir);
    buf_release(&path);
    return rc;
}

static int find_all(struct places *p, const char *path, struct err *e)
{
    struct buf accounts = BUF_INIT(PATH_MAX_BYTES);
    struct slice beside = directory_of(path);
    int rc = -1;

    if (buf_putf(&accounts, "%.*saccounts.d", SLICE_ARG(beside)) != 0)
        err_nomem(e);
    else if (add_file(p, path, true, e) == 0 && add_file(p, buf_cstr(&accounts), true, e) == 0)
        rc = buf_put_str(&accounts, "/") == 0 ? add_accounts(p, buf_cstr(&accounts), e) : err_nomem(e);
    buf_release(&accounts);
    return rc;
}

int places_watch(struct places *p, struct watch *w, const char *path, struct err *e)
{
    for (size_t id = p->count; id-- > 0;)
        watch_remove(w, (unsigned)id);
    places_release(p);
    if (find_all(p, path, e) != 0)
        return -1;
    for (size_t id = 0; id < p->count; id++) {
        if (watch_add(w, p->v[id].directory, (unsigned)id, e) != 0)
            return -1;
    }
    return 0;
}

bool places_has(const struct places *p, unsigned id, const char *name)
{
    const struct place *place;

    if (id >= p->count || name == NULL)
        return true;
    place = &p->v[id];
    for (size_t i = 0; i < place->count; i++) {
        if (strcmp(place->names[i], name) == 0)
            return true;
    }
    return place->accounts && is_account_file(name);
}

void places_release(struct places *p)
{
    for (size_t i = 0; i < p->count; i++) {
        for (size_t k = 0; k < p->v[i].count; k++)
            free(p->v[i].names[k]);
        free(p->v[i].names);
        free(p->v[i].directory);
    }
    free(p->v);
    *p = (struct places){ 0 };
}
