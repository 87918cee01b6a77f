/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <fcntl.h>
#include <ftw.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"

struct world w;

static char box[128];
static int box_fd = -1;
static struct journal *journal;
static const char *world_case; /* the test's unit_case: this file has one of its own */

static void ok(int rc, const struct err *e)
{
    if (rc != 0)
        print_error("case: %s\n    %s\n", unit_case, e->text);
    assert_int_equal(rc, 0);
}

static bool is_durable(int64_t sink, const char *name)
{
    for (size_t k = 0; k < WORLD_SINKS; k++) {
        if (w.sinks[k].sink.row == sink && sink_memory_is_durable(&w.sinks[k], name))
            return true;
    }
    return false;
}

static void removing(const struct mem_folder *f, struct mem_message *m, int64_t row)
{
    m->row = row;
    if (w.unchecked_removal)
        return;
    for (size_t k = 0; k < WORLD_SINKS; k++) {
        const struct mem_file *file = sink_memory_find(&w.sinks[k], m->words);

        if ((w.active & (1u << k)) == 0)
            continue;
        if (file == NULL || file->state != FILE_DURABLE || strcmp(file->folder, f->name) != 0)
            fate_broken("%s is removed, and %s does not have it durably", m->words, w.sinks[k].sink.name);
        if (!fate_is_delivered(row, w.sinks[k].sink.row))
            fate_broken("%s is removed before DELIVERED is committed", m->words);
    }
}

void world_make_for(bool pop3, const char *case_name)
{
    const char *tmp = getenv("TMPDIR");

    /* Power cuts are played, so nothing here needs a disk, and a flush costs nothing in memory. */
    if (tmp == NULL && access("/dev/shm", W_OK) == 0)
        tmp = "/dev/shm";
    world_case = case_name;
    memset(&w, 0, sizeof(w));
    fate_reset();
    fate_judge(is_durable);
    snprintf(box, sizeof(box), "%s/mailhaul-unit-XXXXXX", tmp != NULL && strlen(tmp) < 90 ? tmp : "/tmp");
    assert_non_null(mkdtemp(box));
    box_fd = open(box, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(box_fd >= 0);
    source_memory_init(&w.source, pop3);
    source_memory_folder(&w.source, "INBOX");
    w.source.removing = removing;
    for (size_t k = 0; k < WORLD_SINKS; k++)
        sink_memory_init(&w.sinks[k], (const char *const[]){ "a", "b", "c" }[k]);
    w.active = 1;
    w.folders[0] = "*";
    w.folder_count = 1;
    w.policy.leave_s = -1;
    w.now = WORLD_START;
    w.batch_messages = 4;
    struct err e = ERR_INIT;
    ok(log_open(&(struct log_options){ .level = LOG_LEVEL_ERROR }, &e), &e);
}

static int remove_one(const char *path, const struct stat *sb, int type, struct FTW *at)
{
    (void)sb, (void)type, (void)at;
    return remove(path);
}

void world_end(void)
{
    world_journal_close();
    io_close(&box_fd);
    clock_real();
    assert_int_equal(nftw(box, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT), 0);
}

struct mem_message *world_say(const char *folder, const char *words)
{
    return source_memory_add(source_memory_folder(&w.source, folder), words);
}

static void delivered(void *ctx, const struct haul_delivered *d)
{
    unsigned *count = ctx;

    if (d->folder.n == 0 || d->name[0] == '\0' || (d->uid == 0) == (d->uidl.n == 0))
        fate_broken("the observer is told nonsense");
    ++*count;
}

static struct {
    struct lock lock;
    struct sink *sinks[WORLD_SINKS];
    struct spool *spool;
    struct haul_options options;
} stage;

static const struct haul_options *set_up(void)
{
    struct err e = ERR_INIT;
    size_t sink_count = 0;

    for (size_t k = 0; k < WORLD_SINKS; k++) {
        if ((w.active & (1u << k)) == 0)
            continue;
        stage.sinks[sink_count++] = &w.sinks[k].sink;
        w.sinks[k].readied = w.sinks[k].prepared = w.sinks[k].handed = 0;
        if (w.sinks[k].sink.ops->write == NULL && stage.spool == NULL)
            ok(spool_new(box, &stage.spool, &e), &e);
    }
    clock_fake(1000, w.now);
    w.policy.now = w.now;
    w.delivered = 0;
    w.progress = (struct haul_progress){ 0 };
    world_journal_close();
    stage.lock = LOCK_INIT;
    ok(lock_take(&stage.lock, box_fd, "a.lock", w.dry_run, &e), &e);
    ok(journal_open(box_fd, box, "a.db", w.dry_run, &journal, &e), &e);
    stage.options = (struct haul_options){
        .source = &w.source.source,
        .sinks = stage.sinks,
        .sink_count = sink_count,
        .spool = stage.spool,
        .account = "test",
        .journal = journal,
        .lock = &stage.lock,
        .folders = w.folders,
        .folder_count = w.folder_count,
        .policy = w.policy,
        .max_messages = w.max_messages,
        .batch_messages = w.batch_messages,
        .dry_run = w.dry_run,
        .keep_open = w.keep_open,
        .progress = &w.progress,
        .observer = { .ctx = &w.delivered, .delivered = delivered },
    };
    return &stage.options;
}

static void tear_down(void)
{
    journal_close(&journal);
    lock_release(&stage.lock);
    spool_free(&stage.spool);
    for (size_t k = 0; k < WORLD_SINKS; k++)
        assert_int_equal(sink_memory_scratch(&w.sinks[k]), 0);
}

int world_pass(void)
{
    w.rc = haul_pass(set_up(), &w.r);
    tear_down();
    assert_true(w.keep_open || !w.source.open);
    assert_int_equal(atomic_load(&w.progress.phase), HAUL_FINISHED);
    return w.rc;
}

const struct haul_options *world_stage(void)
{
    const struct haul_options *options = set_up();
    struct err e = ERR_INIT;

    ok(haul_open_sinks(options, false, &e), &e);
    fate_set(FATE_NEVER, 0);
    return options;
}

void world_unstage(void)
{
    for (size_t k = 0; k < stage.options.sink_count; k++)
        stage.sinks[k]->ops->close(stage.sinks[k]);
    tear_down();
}

void world_good_pass(uint64_t messages, const char *file, int line)
{
    fate_set(FATE_NEVER, 0);
    CASE("%s", world_case);
    if (world_pass() != 0 || w.r.err.code != E_NONE) {
        print_error("case: %s\n    the pass fails: %s\n", unit_case, w.r.err.text);
        _fail(file, line);
    }
    unit_check_int((int64_t)w.r.messages, (int64_t)messages, "messages of this pass", file, line);
}

void world_quiet_pass(const char *file, int line)
{
    unsigned begun = w.sinks[0].begun + w.sinks[1].begun + w.sinks[2].begun, removes = w.source.removes;

    world_good_pass(0, file, line);
    unit_check_int(fate_commits(), 0, "transactions of a pass with nothing to do", file, line);
    unit_check_int(w.sinks[0].begun + w.sinks[1].begun + w.sinks[2].begun, begun, "bodies begun", file, line);
    unit_check_int(w.source.removes, removes, "removals", file, line);
}

void world_arrived(size_t sinks, const char *file, int line)
{
    CASE("%s", world_case);
    for (size_t k = 0; k < sinks; k++) {
        size_t total = 0;

        for (size_t i = 0; i < w.source.folder_count; i++) {
            const struct mem_folder *f = &w.source.folders[i];
            for (size_t n = 0; n < f->count; n++) {
                size_t here = sink_memory_having(&w.sinks[k], f->messages[n].words);

                total += here;
                if (here == 1)
                    continue;
                print_error("case: %s\n    %s is %zu times in %s\n", unit_case, f->messages[n].words, here,
                            w.sinks[k].sink.name);
                _fail(file, line);
            }
        }
        unit_check_int((int64_t)sink_memory_count(&w.sinks[k]), (int64_t)total, "all messages", file, line);
    }
}

void world_log(void)
{
    static char path[160];
    struct err e = ERR_INIT;

    snprintf(path, sizeof(path), "%s/log", box);
    unlinkat(box_fd, "log", 0);
    ok(log_open(&(struct log_options){ .level = LOG_LEVEL_ERROR, .to_file = LOG_LEVEL_WARN, .file = path }, &e), &e);
}

unsigned world_said(const char *words)
{
    struct buf said = BUF_INIT(1024 * 1024);
    int fd = openat(box_fd, "log", O_RDONLY | O_CLOEXEC);
    unsigned count = 0;

    assert_true(fd >= 0);
    assert_int_equal(io_read_all(fd, &said), 0);
    io_close(&fd);
    for (const char *at = buf_cstr(&said); (at = strstr(at, words)) != NULL; at++)
        count++;
    if (count == 0)
        print_error("case: %s\n    not said: %s; but:\n%s\n", unit_case, words, buf_cstr(&said));
    buf_release(&said);
    return count;
}

struct journal *world_journal(void)
{
    struct err e = ERR_INIT;

    if (journal == NULL)
        ok(journal_open(box_fd, box, "a.db", false, &journal, &e), &e);
    return journal;
}

void world_journal_close(void)
{
    journal_close(&journal);
}

bool world_row(const char *words, struct journal_message *out)
{
    struct err e = ERR_INIT;
    bool found = false;

    for (size_t i = 0; i < w.source.folder_count && !found; i++) {
        const struct mem_folder *f = &w.source.folders[i];
        struct journal_folder known;

        ok(journal_folder_get(world_journal(), slice_str(f->name), &known, &e), &e);
        for (size_t n = 0; n < f->count && !found; n++) {
            if (strcmp(f->messages[n].words, words) != 0)
                continue;
            ok(w.source.source.one_folder
                   ? journal_find_uidl(world_journal(), known.id, slice_str(f->messages[n].uidl), out, &found, &e)
                   : journal_find_uid(world_journal(), known.id, f->uidvalidity, f->messages[n].uid, out, &found, &e),
               &e);
        }
    }
    return found;
}
