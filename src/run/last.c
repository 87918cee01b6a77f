/* SPDX-License-Identifier: MIT */
#include "run/last.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "run/report.h"
#include "run/session.h"

enum { NAME_MAX_BYTES = 1024, FILE_MAX = 16 * 1024 };

/* Both ways: what is written is what is read. */
static const struct {
    const char *key;
    size_t at;
} counts[] = {
    { "messages", offsetof(struct last, messages) },
    { "bytes", offsetof(struct last, bytes) },
    { "removed", offsetof(struct last, removed) },
    { "skipped", offsetof(struct last, skipped) },
    { "failed", offsetof(struct last, failed) },
    { "quarantined", offsetof(struct last, quarantined) },
    { "set_aside", offsetof(struct last, set_aside) },
    { "messages_today", offsetof(struct last, messages_today) },
    { "bytes_today", offsetof(struct last, bytes_today) },
    { "total_passes", offsetof(struct last, total.passes) },
    { "total_failures", offsetof(struct last, total.failures) },
    { "total_messages", offsetof(struct last, total.messages) },
    { "total_bytes", offsetof(struct last, total.bytes) },
    { "total_removed", offsetof(struct last, total.removed) },
    { "total_quarantined", offsetof(struct last, total.quarantined) },
};

static uint64_t *count_at(struct last *l, size_t i)
{
    return (uint64_t *)(void *)((char *)l + counts[i].at);
}

static void take_text(const json_t *o, const char *key, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(o, key));

    log_printable(out, size, slice_str(text));
}

static uint64_t take_count(const json_t *o, const char *key)
{
    json_int_t v = json_integer_value(json_object_get(o, key));

    return v > 0 ? (uint64_t)v : 0;
}

/* 20261121: what people call the same day. */
static json_int_t day_of(int64_t s)
{
    time_t when = (time_t)s;
    struct tm tm;

    return localtime_r(&when, &tm) != NULL ? (tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 + tm.tm_mday : 0;
}

void last_read(int state_dir, const char *account, struct last *out)
{
    struct buf name = BUF_INIT(NAME_MAX_BYTES), text = BUF_INIT(FILE_MAX);
    json_t *o = NULL;
    int fd = -1;

    *out = (struct last){ 0 };
    if (state_dir < 0 || conf_state_name(account, ".last", &name) != 0)
        goto out;
    fd = openat(state_dir, buf_cstr(&name), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || io_read_all(fd, &text) != 0)
        goto out;
    o = json_loadb(buf_cstr(&text), text.len, 0, NULL);
    if (!json_is_object(o))
        goto out;
    out->known = true;
    out->began = (int64_t)take_count(o, "began");
    out->ended = (int64_t)take_count(o, "ended");
    out->last_success = (int64_t)take_count(o, "last_success");
    out->last_error_at = (int64_t)take_count(o, "last_error_at");
    out->failures = (unsigned)take_count(o, "failures");
    out->told = json_is_true(json_object_get(o, "told"));
    out->exit_status = (int)take_count(o, "exit_status");
    take_text(o, "error_name", out->error_name, sizeof(out->error_name));
    take_text(o, "error", out->error, sizeof(out->error));
    take_text(o, "last_error", out->last_error, sizeof(out->last_error));
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        *count_at(out, i) = take_count(o, counts[i].key);
    if (json_integer_value(json_object_get(o, "day")) != day_of(clock_wall()))
        out->messages_today = out->bytes_today = 0;
out:
    json_decref(o);
    io_close(&fd);
    buf_release(&name);
    buf_release(&text);
}

/* From what was before to what is now; the words of the error stay until it works. */
static void turn_over(struct last_turn *turn, const struct last *before, const struct err *e, unsigned threshold)
{
    struct last_row *row = &turn->row;

    if (!row->unsaved) {
        row->failures = before->failures;
        row->told = before->told;
    }
    snprintf(turn->error, sizeof(turn->error), "%s", before->error);
    turn->what = LAST_AS_BEFORE;
    turn->failures = row->failures;
    if (e->code == E_STOPPED)
        return;
    if (e->code != E_NONE) {
        turn->failures = ++row->failures;
        err_format(e, turn->error, sizeof(turn->error));
        if (row->failures >= threshold && !row->told) {
            turn->what = LAST_FAILING;
            row->told = true;
        }
        return;
    }
    if (row->told) {
        turn->what = LAST_WORKS_AGAIN;
    } else {
        turn->failures = 0;
        turn->error[0] = '\0';
    }
    row->failures = 0;
    row->told = false;
}

/* What is to be read next time: `l` is what was read before this pass. */
static void add_pass(struct last *l, int64_t began, const struct haul_result *r, const struct last_row *row)
{
    bool stopped = r->err.code == E_STOPPED, failed = r->err.code != E_NONE && !stopped;
    char words[sizeof(l->error)];

    l->began = began;
    l->ended = clock_wall();
    l->exit_status = report_exit_status(r);
    l->failures = row->failures;
    l->told = row->told;
    if (!stopped)
        l->error_name[0] = l->error[0] = '\0';
    if (failed) {
        snprintf(l->error_name, sizeof(l->error_name), "%s", err_name(r->err.code));
        err_format(&r->err, words, sizeof(words));
        log_printable(l->error, sizeof(l->error), slice_str(words));
        memcpy(l->last_error, l->error, sizeof(l->last_error));
        l->last_error_at = l->ended;
    } else if (!stopped) {
        l->last_success = began;
    }
    l->messages = r->messages;
    l->bytes = r->bytes;
    l->removed = r->removed;
    l->skipped = r->skipped;
    l->failed = r->failed;
    l->quarantined = r->quarantined;
    l->messages_today += r->messages;
    l->bytes_today += r->bytes;
    l->total.passes++;
    l->total.failures += failed;
    l->total.messages += r->messages;
    l->total.bytes += r->bytes;
    l->total.removed += r->removed;
    l->total.quarantined += r->quarantined;
}

static char *text_of(const char *account, struct last *l)
{
    json_t *o = json_pack("{s:s, s:I, s:I, s:I, s:i, s:b, s:i, s:s, s:s, s:s, s:I, s:I}", "account", account, "began",
                          (json_int_t)l->began, "ended", (json_int_t)l->ended, "last_success",
                          (json_int_t)l->last_success, "failures", (int)l->failures, "told", l->told, "exit_status",
                          l->exit_status, "error_name", l->error_name, "error", l->error, "last_error", l->last_error,
                          "last_error_at", (json_int_t)l->last_error_at, "day", day_of(l->ended));
    char *text = NULL;

    for (size_t i = 0; o != NULL && i < ARRAY_LEN(counts); i++)
        (void)json_object_set_new(o, counts[i].key, json_integer((json_int_t)*count_at(l, i)));
    if (o != NULL)
        text = json_dumps(o, JSON_COMPACT);
    json_decref(o);
    return text;
}

void last_write(int state_dir, const struct conf_account *account, int64_t began, const struct haul_result *r,
                const unsigned *set_aside, struct last_turn *turn)
{
    struct buf name = BUF_INIT(NAME_MAX_BYTES);
    struct last l;
    char *text;

    last_read(state_dir, account->name, &l);
    turn_over(turn, &l, &r->err, account->failure_threshold);
    add_pass(&l, began, r, &turn->row);
    if (set_aside != NULL)
        l.set_aside = *set_aside;
    text = text_of(account->name, &l);
    turn->row.unsaved = text == NULL || conf_state_name(account->name, ".last", &name) != 0 ||
                        io_replace_file(state_dir, buf_cstr(&name), slice_str(text), false) != 0;
    if (turn->row.unsaved)
        log_warn(
            "the result of this pass could not be written to the state directory; `mailhaul status` will not show it");
    free(text);
    buf_release(&name);
}

void last_write_error(const struct conf *c, const struct conf_account *account, int64_t began, const struct err *why,
                      struct last_turn *turn)
{
    struct haul_result result = { .err = *why };
    struct err ignored;
    int dir = -1;

    if (session_state_dir(c, false, &dir, &ignored) != 0)
        dir = -1;
    last_write(dir, account, began, &result, NULL, turn);
    io_close(&dir);
}
