/* SPDX-License-Identifier: MIT */
#include "store/maildir.h"

#include <pthread.h>

#include "base/clock.h"
#include "store/maildir_int.h"
#include "store_test.h"
#include "wire/mailflag.h"

static struct maildir *md;
static struct err e;

/* box/name as a tree. */
static void tree(const char *name, enum folder_layout layout)
{
    OK(maildir_open(in_box(name), layout, "0123abcd", true, &md, &e));
}

static int tree_close(void **state)
{
    maildir_close(&md);
    return box_remove(state);
}

static struct maildir_folder *folder(struct slice name)
{
    struct maildir_folder *f = NULL;

    OK(maildir_folder(md, name, '/', true, &f, &e));
    CHECK(f != NULL);
    return f;
}

/* Through the whole way; the base name is left in `base`. */
static void deliver(struct maildir_folder *f, const char *body, unsigned flags, char base[MAILDIR_NAME_MAX])
{
    char scratch[MAILDIR_NAME_MAX];
    int fd;

    OK(maildir_scratch(f, &fd, scratch, &e));
    CHECK_INT(io_write_all(fd, body, strlen(body)), 0);
    maildir_start_flush(fd);
    OK(maildir_flush_file(f, fd, &e));
    io_close(&fd);
    maildir_base_name(base);
    OK(maildir_place(f, scratch, base, flags, &e));
    OK(maildir_sync(f, &e));
}

static bool found(struct maildir_folder *f, const char *base)
{
    bool yes;

    OK(maildir_find(f, base, &yes, &e));
    return yes;
}

/* box/DIR/NAME of a message. */
static const char *at(const char *dir, const char *base, const char *info)
{
    static char path[512];

    snprintf(path, sizeof(path), "%s/%s%s", dir, base, info);
    return path;
}

/* ---- the tree and its folders ---- */

static void test_root(void **state)
{
    (void)state;
    CASE("a missing root");
    FAILS(maildir_open(in_box("a/b/c"), FOLDER_FS, "0", false, &md, &e), E_DISK, in_box("a/b/c"));
    CHECK_INT(count_entries("."), 0);

    CASE("made, with its parents");
    umask(0);
    tree("a/b/c", FOLDER_FS);
    check_mode("a", 0700);
    check_mode("a/b", 0700);
    check_mode("a/b/c", 0700);
    CHECK_INT(strcmp(maildir_path(md), in_box("a/b/c")), 0);
    CHECK_INT(count_entries("a/b/c"), 0);
    maildir_close(&md);
    maildir_close(&md);

    CASE("reached through a symbolic link of the user's");
    CHECK_INT(symlinkat("a/b", box_fd, "link"), 0);
    tree("link/c/", FOLDER_FS);
    folder(SLICE("INBOX"));
    CHECK(is_there("a/b/c/new"));
    maildir_close(&md);

    CASE("no name at all");
    FAILS(maildir_open("", FOLDER_FS, "0", true, &md, &e), E_DISK, "not there");
    CASE("a file in its place");
    put_file("file", SLICE(""));
    FAILS(maildir_open(in_box("file"), FOLDER_FS, "0", true, &md, &e), E_DISK, "in the place of a directory");
    FAILS(maildir_open(in_box("file/below"), FOLDER_FS, "0", true, &md, &e), E_DISK, "in the place of a directory");
}

static void test_folders(void **state)
{
    struct maildir_folder *f;

    (void)state;
    umask(0);
    tree("pp", FOLDER_MAILDIRPP);
    CASE("missing, and not to be made");
    OK(maildir_folder(md, SLICE("INBOX"), '/', false, &f, &e));
    CHECK(f == NULL);
    CHECK_INT(count_entries("pp"), 0);

    CASE("maildir++");
    f = folder(SLICE("INBOX"));
    CHECK(folder(SLICE("INBOX")) == f);
    CHECK_INT(strcmp(maildir_folder_path(f), in_box("pp")), 0);
    CHECK(!is_there("pp/maildirfolder"));
    f = folder(SLICE("Work/2026"));
    CHECK_INT(strcmp(maildir_folder_path(f), in_box("pp/.Work.2026")), 0);
    check_mode("pp/.Work.2026", 0700);
    check_mode("pp/.Work.2026/tmp", 0700);
    check_mode("pp/.Work.2026/new", 0700);
    check_mode("pp/.Work.2026/cur", 0700);
    check_mode("pp/.Work.2026/maildirfolder", 0600);
    maildir_close(&md);

    CASE("fs");
    tree("fs", FOLDER_FS);
    f = folder(SLICE("Work/2026"));
    CHECK_INT(strcmp(maildir_folder_path(f), in_box("fs/Work/2026")), 0);
    CHECK(is_there("fs/Work/2026/cur") && !is_there("fs/Work/cur") && !is_there("fs/cur"));
    CHECK(!is_there("fs/Work/2026/maildirfolder"));
    OK(maildir_folder(md, SLICE("Work"), '/', false, &f, &e));
    CHECK(f == NULL);
    maildir_close(&md);

    CASE("what is missing of a folder that is there is made");
    CHECK_INT(unlinkat(box_fd, "fs/Work/2026/cur", AT_REMOVEDIR), 0);
    CHECK_INT(unlinkat(box_fd, "fs/Work/2026/tmp", AT_REMOVEDIR), 0);
    tree("fs", FOLDER_FS);
    OK(maildir_folder(md, SLICE("Work/2026"), '/', false, &f, &e));
    CHECK(f == NULL);
    folder(SLICE("Work/2026"));
    CHECK(is_there("fs/Work/2026/cur") && is_there("fs/Work/2026/tmp"));
    CASE("without tmp/ it can still be read");
    maildir_close(&md);
    CHECK_INT(unlinkat(box_fd, "fs/Work/2026/tmp", AT_REMOVEDIR), 0);
    tree("fs", FOLDER_FS);
    OK(maildir_folder(md, SLICE("Work/2026"), '/', false, &f, &e));
    CHECK(f != NULL && !found(f, "x"));
}

static void test_hostile_names(void **state)
{
    static const struct slice names[] = {
        SLICE("../out"),
        SLICE(".."),
        SLICE("."),
        SLICE("a/../../../out"),
        SLICE("/out"),
        SLICE("//out"),
        SLICE("cur"),
        SLICE("new/x"),
        SLICE("tmp"),
        SLICE("a\0b"),
        SLICE("\n"),
        SLICE("a/./../.."),
        SLICE("..\0"),
        SLICE("\xff.."),
        SLICE(".mailhaul-id"),
    };

    (void)state;
    for (int layout = 0; layout < 2; layout++) {
        CASE("layout %d", layout);
        tree("top/root", layout == 0 ? FOLDER_MAILDIRPP : FOLDER_FS);
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
            char base[MAILDIR_NAME_MAX];
            CASE("layout %d, name %zu", layout, i);
            deliver(folder(names[i]), "m", 0, base);
            CHECK_INT(count_entries("top"), 1);
            CHECK_INT(count_entries("."), 1);
            CHECK(!is_there("top/root/new") && !is_there("top/root/cur"));
        }
        maildir_close(&md);
        CHECK_INT(nftw(in_box("top"), box_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    }
}

static void no_way_out(void)
{
    struct maildir_folder *f;
    char scratch[MAILDIR_NAME_MAX];
    int fd;

    FAILS(maildir_folder(md, SLICE("Link"), '/', true, &f, &e), E_DISK, in_box("root/Link"));
    FAILS(maildir_folder(md, SLICE("Link"), '/', false, &f, &e), E_DISK, "root/Link");
    FAILS(maildir_folder(md, SLICE("Link/Below"), '/', true, &f, &e), E_DISK, "root/Link/Below");
    FAILS(maildir_folder(md, SLICE("Trap"), '/', true, &f, &e), E_DISK, "root/Trap");
    FAILS(maildir_folder(md, SLICE("Twin"), '/', false, &f, &e), E_DISK, "root/Twin");
    CHECK_INT(count_entries("outside"), 3);
    CHECK_INT(count_entries("outside/new"), 0);
    CHECK_INT(maildir_open_dir(md, "../outside", ""), -1);
    CHECK_INT(maildir_open_dir(md, "Real/../..", ""), -1);
    CHECK_INT(maildir_open_dir(md, "Link", ""), -1);

    CASE("tmp/ itself is a link");
    CHECK_INT(symlinkat("../../outside/tmp", box_fd, "root/Real/tmp"), 0);
    OK(maildir_folder(md, SLICE("Real"), '/', false, &f, &e));
    CHECK(f != NULL);
    FAILS(maildir_scratch(f, &fd, scratch, &e), E_DISK, "root/Real");
    CHECK_INT(count_entries("outside/tmp"), 0);
    CHECK_INT(unlinkat(box_fd, "root/Real/tmp", 0), 0);
}

static void test_links_inside(void **state)
{
    static const char *const dirs[] = { "outside",   "outside/tmp",   "outside/new",   "outside/cur", "root",
                                        "root/Real", "root/Real/new", "root/Real/cur", "root/Trap" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
        CHECK_INT(mkdirat(box_fd, dirs[i], 0700), 0);
    CHECK_INT(symlinkat("../outside", box_fd, "root/Link"), 0);
    CHECK_INT(symlinkat("../../outside/new", box_fd, "root/Trap/new"), 0);

    CHECK_INT(symlinkat("Real", box_fd, "root/Twin"), 0);
    CASE("by openat2");
    tree("root", FOLDER_FS);
    no_way_out();
    maildir_close(&md);

    CASE("component by component");
    tree("root", FOLDER_FS);
    atomic_store(&md->no_openat2, true);
    no_way_out();
    CASE("component by component, a plain folder");
    CHECK(folder(SLICE("a/b/c")) != NULL);
    CHECK(is_there("root/a/b/c/new"));
}

static int open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    CHECK(dir != NULL);
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

static void test_many_folders(void **state)
{
    enum { FOLDERS = 60 };
    struct maildir_folder *folders[FOLDERS];
    char scratch[FOLDERS][MAILDIR_NAME_MAX], base[FOLDERS][MAILDIR_NAME_MAX], name[16];
    int fd, before = open_descriptors();

    (void)state;
    tree("root", FOLDER_FS);
    for (size_t i = 0; i < FOLDERS; i++) {
        snprintf(name, sizeof(name), "f%zu", i);
        folders[i] = folder(slice_str(name));
        OK(maildir_scratch(folders[i], &fd, scratch[i], &e));
        io_close(&fd);
    }
    CASE("descriptors are bounded");
    CHECK(open_descriptors() <= before + 1 + MAILDIR_OPEN * SUB_COUNT);
    for (size_t i = 0; i < FOLDERS; i++) {
        maildir_base_name(base[i]);
        OK(maildir_place(folders[i], scratch[i], base[i], i % 2 != 0 ? MAIL_SEEN : 0, &e));
    }
    for (size_t i = 0; i < FOLDERS; i++) {
        CASE("folder %zu", i);
        OK(maildir_sync(folders[i], &e));
        CHECK(found(folders[i], base[i]));
    }
    CASE("but not the one that is at work");
    fd = folder_hold(folders[0], SUB_NEW);
    CHECK(fd >= 0);
    for (size_t i = 1; i < FOLDERS; i++)
        OK(maildir_sweep(folders[i], &e));
    CHECK_INT(folders[0]->fd[SUB_NEW], fd);
    folder_let_go(folders[0]);
    maildir_close(&md);
    CHECK_INT(open_descriptors(), before);
}

/* ---- the marker ---- */

static void test_marker(void **state)
{
    char id[MAILDIR_ID_LEN + 1], again[MAILDIR_ID_LEN + 1], base[MAILDIR_NAME_MAX];
    bool yes;

    (void)state;
    tree("root", FOLDER_MAILDIRPP);
    deliver(folder(SLICE("INBOX")), "mine", 0, base);
    CASE("none");
    OK(maildir_marker_read(md, id, &yes, &e));
    CHECK(!yes);

    CASE("made");
    OK(maildir_marker_make(md, id, &e));
    CHECK_INT(strlen(id), MAILDIR_ID_LEN);
    CHECK_INT(strspn(id, "0123456789abcdef"), MAILDIR_ID_LEN);
    check_mode("root/.mailhaul-id", 0600);
    CHECK_INT(count_entries("root"), 4);
    check_file(at("root/new", base, ""), SLICE("mine"));
    OK(maildir_marker_read(md, again, &yes, &e));
    CHECK(yes);
    CHECK_INT(strcmp(id, again), 0);

    CASE("another one was faster");
    OK(maildir_marker_make(md, again, &e));
    CHECK_INT(strcmp(id, again), 0);
    CHECK_INT(count_entries("root"), 4);

    CASE("another root, another marker");
    maildir_close(&md);
    tree("other", FOLDER_MAILDIRPP);
    OK(maildir_marker_make(md, again, &e));
    CHECK(strcmp(id, again) != 0);
}

static void test_bad_markers(void **state)
{
    static const struct slice bad[] = { SLICE(""),
                                        SLICE("\n"),
                                        SLICE("0123456789abcdef0123456789abcdef"),
                                        SLICE("0123456789abcdef0123456789abcde\n"),
                                        SLICE("0123456789abcdef0123456789abcdef0\n"),
                                        SLICE("0123456789abcdef0123456789abcdeg\n"),
                                        SLICE("0123456789abcdef0123456789abcdef\n\n"),
                                        SLICE("0123456789abcdef\0"
                                              "123456789abcdef\n") };
    char id[MAILDIR_ID_LEN + 1];
    bool yes;

    (void)state;
    tree("root", FOLDER_FS);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        CASE("contents %zu", i);
        put_file("root/.mailhaul-id", bad[i]);
        FAILS(maildir_marker_read(md, id, &yes, &e), E_DISK, "--adopt");
        FAILS(maildir_marker_make(md, id, &e), E_DISK, ".mailhaul-id");
        check_file("root/.mailhaul-id", bad[i]);
    }
    CASE("a symbolic link");
    put_file("id", SLICE("0123456789abcdef0123456789abcdef\n"));
    CHECK_INT(unlinkat(box_fd, "root/.mailhaul-id", 0), 0);
    CHECK_INT(symlinkat("../id", box_fd, "root/.mailhaul-id"), 0);
    FAILS(maildir_marker_read(md, id, &yes, &e), E_DISK, "symbolic link");
    CASE("a directory");
    CHECK_INT(unlinkat(box_fd, "root/.mailhaul-id", 0), 0);
    CHECK_INT(mkdirat(box_fd, "root/.mailhaul-id", 0700), 0);
    FAILS(maildir_marker_read(md, id, &yes, &e), E_DISK, ".mailhaul-id");
}

/* ---- messages ---- */

static void test_deliver(void **state)
{
    struct maildir_folder *f;
    char base[MAILDIR_NAME_MAX];

    (void)state;
    umask(0);
    tree("root", FOLDER_FS);
    f = folder(SLICE("INBOX"));
    CASE("no flag: new/, without info");
    deliver(f, "one\n", 0, base);
    check_file(at("root/new", base, ""), SLICE("one\n"));
    check_mode(at("root/new", base, ""), 0600);
    CASE("flags that have no letter");
    deliver(f, "two\n", MAIL_DELETED | MAIL_RECENT, base);
    check_file(at("root/new", base, ""), SLICE("two\n"));
    CASE("a flag: cur/");
    deliver(f, "three\n", MAIL_SEEN | MAIL_FLAGGED, base);
    check_file(at("root/cur", base, ":2,FS"), SLICE("three\n"));
    CHECK_INT(count_entries("root/tmp"), 0);
    CHECK_INT(count_entries("root/new"), 2);
    CHECK_INT(count_entries("root/cur"), 1);
}

static void never_replaces(const char *folder_name)
{
    struct maildir_folder *f = folder(slice_str(folder_name));
    char scratch[MAILDIR_NAME_MAX], path[600];
    int fd;

    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "root/%s/%s", folder_name, i == 0 ? "new/base" : "cur/base:2,S");
        put_file(path, SLICE("theirs"));
        OK(maildir_scratch(f, &fd, scratch, &e));
        io_close(&fd);
        FAILS(maildir_place(f, scratch, "base", i == 0 ? 0 : MAIL_SEEN, &e), E_DISK, "already");
        check_file(path, SLICE("theirs"));
        maildir_scratch_drop(f, scratch);
        maildir_scratch_drop(f, scratch);
        snprintf(path, sizeof(path), "root/%s/tmp", folder_name);
        CHECK_INT(count_entries(path), 0);
    }
}

static void test_never_replaces(void **state)
{
    struct maildir_folder *f;
    char scratch[MAILDIR_NAME_MAX], base[MAILDIR_NAME_MAX];
    int fd;

    (void)state;
    tree("root", FOLDER_FS);
    CASE("by rename");
    never_replaces("a");
    CASE("by link and unlink");
    atomic_store(&md->no_rename_flags, true);
    never_replaces("b");
    f = folder(SLICE("b"));
    deliver(f, "four\n", 0, base);
    check_file(at("root/b/new", base, ""), SLICE("four\n"));
    CHECK_INT(count_entries("root/b/tmp"), 0);

    CASE("the file server made the link, its answer was lost");
    OK(maildir_scratch(f, &fd, scratch, &e));
    io_close(&fd);
    maildir_base_name(base);
    CHECK_INT(linkat(f->fd[SUB_TMP], scratch, f->fd[SUB_NEW], base, 0), 0);
    OK(maildir_place(f, scratch, base, 0, &e));
    CHECK_INT(count_entries("root/b/tmp"), 0);
    CHECK(found(f, base));
}

static void test_find(void **state)
{
    struct maildir_folder *f;
    char base[MAILDIR_NAME_MAX], from[600];

    (void)state;
    tree("root", FOLDER_FS);
    f = folder(SLICE("INBOX"));
    CASE("nothing");
    CHECK(!found(f, "1.2.host"));
    deliver(f, "m", 0, base);
    CASE("in new/, and the next sync flushes the directories");
    CHECK(!atomic_load(&f->dirty[SUB_NEW]));
    CHECK(found(f, base));
    CHECK(atomic_load(&f->dirty[SUB_NEW]) && atomic_load(&f->dirty[SUB_CUR]));
    OK(maildir_sync(f, &e));
    CHECK(!atomic_load(&f->dirty[SUB_NEW]) && !atomic_load(&f->dirty[SUB_CUR]));

    static const char *const moves[] = { "root/new:2,", "root/new:2,S",   "root/cur:2,", "root/cur:2,FS",
                                         "root/cur",    "root/cur:2,RSa", "root/cur:1,x" };
    snprintf(from, sizeof(from), "root/new/%s", base);
    for (size_t i = 0; i < ARRAY_LEN(moves); i++) {
        char dir[9], to[600];
        CASE("moved to %s", moves[i]);
        memcpy(dir, moves[i], 8);
        dir[8] = '\0';
        snprintf(to, sizeof(to), "%s", at(dir, base, moves[i] + 8));
        CHECK_INT(renameat(box_fd, from, box_fd, to), 0);
        maildir_close(&md);
        tree("root", FOLDER_FS);
        f = folder(SLICE("INBOX"));
        CHECK(found(f, base));
        memcpy(from, to, sizeof(to));
    }
    CASE("a longer name that begins with it is another message");
    char shorter[MAILDIR_NAME_MAX];
    snprintf(shorter, sizeof(shorter), "%.*s", (int)strlen(base) - 1, base);
    CHECK(!found(f, shorter));
    CASE("removed after it was seen: it was delivered");
    CHECK_INT(unlinkat(box_fd, from, 0), 0);
    CHECK(found(f, base));
    CASE("removed before");
    maildir_close(&md);
    tree("root", FOLDER_FS);
    f = folder(SLICE("INBOX"));
    CHECK(!found(f, base));
    CASE("placed after something else was looked for");
    deliver(f, "n", MAIL_SEEN, base);
    CHECK(found(f, base));
    CHECK_INT(unlinkat(box_fd, at("root/cur", base, ":2,S"), 0), 0);
    deliver(f, "n", 0, from);
    CHECK(!found(f, base));
    CASE("a scratch file is not a message");
    put_file(at("root/tmp", base, ""), SLICE(""));
    CHECK(!found(f, base));
}

/* ---- sweeping and names ---- */

static void test_sweep(void **state)
{
    static const char *const dirs[] = { "root",     "root/Sub",     "root/Sub/Deep", "root/Sub/Deep/tmp", "root/tmp",
                                        "root/new", "root/Sub/tmp", "outside",       "outside/tmp" };
    static const char *const stay[] = { "root/tmp/mailhaul-ffffffff-1", "root/tmp/mailhaul-0123abcde-1",
                                        "root/tmp/1234.other.host",     "root/new/mailhaul-0123abcd-1",
                                        "root/mailhaul-0123abcd-1",     "outside/tmp/mailhaul-0123abcd-1" };
    static const char *const go[] = { "root/tmp/mailhaul-0123abcd-1.7", "root/.mailhaul-0123abcd-9",
                                      "root/Sub/tmp/mailhaul-0123abcd-2", "root/Sub/Deep/tmp/mailhaul-0123abcd-3" };
    struct maildir_folder *f;
    char scratch[MAILDIR_NAME_MAX];
    int fd;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
        CHECK_INT(mkdirat(box_fd, dirs[i], 0700), 0);
    CHECK_INT(symlinkat("../outside", box_fd, "root/Link"), 0);
    for (size_t i = 0; i < ARRAY_LEN(stay); i++)
        put_file(stay[i], SLICE(""));
    for (size_t i = 0; i < ARRAY_LEN(go); i++)
        put_file(go[i], SLICE(""));
    tree("root", FOLDER_FS);
    OK(maildir_sweep_all(md, &e));
    for (size_t i = 0; i < ARRAY_LEN(stay); i++) {
        CASE("%s stays", stay[i]);
        CHECK(is_there(stay[i]));
    }
    for (size_t i = 0; i < ARRAY_LEN(go); i++) {
        CASE("%s goes", go[i]);
        CHECK(!is_there(go[i]));
    }

    CASE("one folder; what maildir_scratch() makes is ours");
    f = folder(SLICE("INBOX"));
    OK(maildir_scratch(f, &fd, scratch, &e));
    io_close(&fd);
    CHECK_INT(count_entries("root/tmp"), 4);
    OK(maildir_sweep(f, &e));
    CHECK_INT(count_entries("root/tmp"), 3);
    maildir_close(&md);

    CASE("maildir++, where a directory without a leading dot is no folder");
    CHECK_INT(mkdirat(box_fd, "pp", 0700) | mkdirat(box_fd, "pp/dir", 0700) | mkdirat(box_fd, "pp/dir/tmp", 0700), 0);
    put_file("pp/dir/tmp/mailhaul-0123abcd-1", SLICE(""));
    tree("pp", FOLDER_MAILDIRPP);
    f = folder(SLICE("a/b"));
    OK(maildir_scratch(f, &fd, scratch, &e));
    io_close(&fd);
    CHECK_INT(count_entries("pp/.a.b/tmp"), 1);
    OK(maildir_sweep_all(md, &e));
    CHECK_INT(count_entries("pp/.a.b/tmp"), 0);
    CHECK_INT(count_entries("pp/dir/tmp"), 1);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void test_names_never_repeat(void **state)
{
    enum { NAMES = 100000 };
    char(*names)[MAILDIR_NAME_MAX] = malloc(NAMES * sizeof(*names));

    (void)state;
    CHECK(names != NULL);
    clock_fake(0, 1700000000);
    for (size_t i = 0; i < NAMES; i++) {
        if (i == NAMES / 2)
            clock_fake(0, -5);
        maildir_base_name(names[i]);
        CHECK(strlen(names[i]) < 100);
        CHECK(strpbrk(names[i], "/: \n") == NULL && names[i][0] != '.');
    }
    clock_real();
    CHECK_INT(strncmp(names[0], "1700000000.", 11), 0);
    qsort(names, NAMES, sizeof(*names), compare_names);
    for (size_t i = 1; i < NAMES; i++)
        CHECK(strcmp(names[i - 1], names[i]) != 0);
    free(names);
}

/* ---- two threads, steps, faults ---- */

enum { PASSES = 200 };
struct handed {
    struct maildir_folder *f;
    char scratch[PASSES][MAILDIR_NAME_MAX];
    atomic_size_t made;
    struct err e;
    int failed;
};

static void *placer(void *arg)
{
    struct handed *h = arg;
    char base[MAILDIR_NAME_MAX];

    for (size_t i = 0; i < PASSES; i++) {
        while (atomic_load(&h->made) <= i)
            sched_yield();
        maildir_base_name(base);
        if (maildir_place(h->f, h->scratch[i], base, i % 3 != 0 ? MAIL_SEEN : 0, &h->e) != 0 ||
            maildir_sync(h->f, &h->e) != 0)
            h->failed++;
    }
    return NULL;
}

static void test_two_threads(void **state)
{
    struct handed *h = calloc(1, sizeof(*h));
    pthread_t thread;
    int fd;

    (void)state;
    CHECK(h != NULL);
    tree("root", FOLDER_FS);
    h->f = folder(SLICE("INBOX"));
    CHECK_INT(pthread_create(&thread, NULL, placer, h), 0);
    for (size_t i = 0; i < PASSES; i++) {
        char name[24];
        OK(maildir_scratch(h->f, &fd, h->scratch[i], &e));
        io_close(&fd);
        atomic_fetch_add(&h->made, 1);
        /* Other folders push each other's descriptors out meanwhile. */
        snprintf(name, sizeof(name), "f%zu", i % 20);
        folder(slice_str(name));
    }
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK_INT(h->failed, 0);
    CHECK_INT(count_entries("root/tmp"), 0);
    CHECK_INT(count_entries("root/new") + count_entries("root/cur"), PASSES);
    free(h);
}

static void test_steps(void **state)
{
    char base[MAILDIR_NAME_MAX], id[MAILDIR_ID_LEN + 1];

    (void)state;
#ifndef MAILHAUL_DEV
    print_message("skipped: steps are in a developer build only\n");
    skip();
#endif
    setenv("MAILHAUL_STEPS", in_box("steps"), 1);
    tree("root", FOLDER_FS);
    OK(maildir_marker_make(md, id, &e));
    deliver(folder(SLICE("INBOX")), "m", 0, base);
    OK(maildir_sync(folder(SLICE("INBOX")), &e));
    unsetenv("MAILHAUL_STEPS");
    CASE("a sync without anything placed does nothing");
    check_file("steps", SLICE("maildir.marker\nmaildir.folder\nmaildir.flushed\nmaildir.placed\nmaildir.synced\n"));
}

static void test_full_disk(void **state)
{
    struct maildir_folder *f;
    char scratch[MAILDIR_NAME_MAX], id[MAILDIR_ID_LEN + 1];
    int fd, rc = 0;

    (void)state;
    mount_tiny("tiny", "size=64k,nr_inodes=12");
    CASE("no inode left");
    tree("tiny/root", FOLDER_FS);
    f = folder(SLICE("INBOX"));
    for (int i = 0; i < 20 && rc == 0; i++) {
        rc = maildir_scratch(f, &fd, scratch, &e);
        io_close(&fd);
    }
    CHECK_INT(rc, -1);
    CHECK_INT(e.code, E_DISK);
    unit_says(&e, "no space left", __FILE__, __LINE__);
    unit_says(&e, in_box("tiny/root/tmp"), __FILE__, __LINE__);
    FAILS(maildir_marker_make(md, id, &e), E_DISK, "no space left");
    FAILS(maildir_folder(md, SLICE("More"), '/', true, &f, &e), E_DISK, "no space left");

    CASE("read-only");
    f = folder(SLICE("INBOX"));
    CHECK_INT(mount(NULL, in_box("tiny"), NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    FAILS(maildir_scratch(f, &fd, scratch, &e), E_DISK, "read-only");
    maildir_close(&md);
    unmount_tiny("tiny");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, box_make, tree_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_root),           TEST(test_folders), TEST(test_hostile_names), TEST(test_links_inside),
        TEST(test_many_folders),   TEST(test_marker),  TEST(test_bad_markers),   TEST(test_deliver),
        TEST(test_never_replaces), TEST(test_find),    TEST(test_sweep),         TEST(test_names_never_repeat),
        TEST(test_two_threads),    TEST(test_steps),   TEST(test_full_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
