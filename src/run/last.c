/* SPDX-License-Identifier: MIT */
#include "run/last.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "run/report.h"
#include "run/session.h"

enum { NAME_MAX_BYTES = 1024, FILE_MAX = 16 * 1024 };

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

void last_read(int state_dir, const char *account, struct last *out)
{
    struct buf name = BUF_INIT(NAME_MAX_BYTES), text = BUF_INIT(FILE_MAX);
    json_t *o = NULL;
    int fd = -1;

    *out = (struct last){ 0 };
    if (state_dir < 0 || session_state_name(account, ".last", &name) != 0)
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
    out->failures = (unsigned)take_count(o, "failures");
    out->told = json_is_true(json_object_get(o, "told"));
    out->exit_status = (int)take_count(o, "exit_status");
    take_text(o, "error_name", out->error_name, sizeof(out->error_name));
    take_text(o, "error", out->error, sizeof(out->error));
    out->messages = take_count(o, "messages");
    out->bytes = take_count(o, "bytes");
    out->removed = take_count(o, "removed");
    out->skipped = take_count(o, "skipped");
    out->failed = take_count(o, "failed");
    out->quarantined = take_count(o, "quarantined");
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

static json_t *describe(const char *account, int64_t began, const struct haul_result *r, const struct last *before,
                        const struct last_turn *turn)
{
    bool failed = r->err.code != E_NONE;
    char words[ERR_TEXT_MAX + ERR_PEER_MAX] = "";

    if (failed)
        err_format(&r->err, words, sizeof(words));
    return json_pack("{s:s, s:I, s:I, s:I, s:i, s:b, s:i, s:s, s:s%, s:I, s:I, s:I, s:I, s:I, s:I}", "account", account,
                     "began", (json_int_t)began, "ended", (json_int_t)clock_wall(), "last_success",
                     (json_int_t)(failed ? before->last_success : began), "failures", (int)turn->row.failures, "told",
                     turn->row.told, "exit_status", report_exit_status(r), "error_name",
                     failed ? err_name(r->err.code) : "", "error", words, strlen(words), "messages",
                     (json_int_t)r->messages, "bytes", (json_int_t)r->bytes, "removed", (json_int_t)r->removed,
                     "skipped", (json_int_t)r->skipped, "failed", (json_int_t)r->failed, "quarantined",
                     (json_int_t)r->quarantined);
}

void last_write(int state_dir, const struct conf_account *account, int64_t began, const struct haul_result *r,
                struct last_turn *turn)
{
    struct buf name = BUF_INIT(NAME_MAX_BYTES);
    struct last before;
    json_t *o = NULL;
    char *text = NULL;

    last_read(state_dir, account->name, &before);
    turn_over(turn, &before, &r->err, account->failure_threshold);
    o = describe(account->name, began, r, &before, turn);
    text = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;
    turn->row.unsaved = text == NULL || session_state_name(account->name, ".last", &name) != 0 ||
                        io_replace_file(state_dir, buf_cstr(&name), slice_str(text), false) != 0;
    if (turn->row.unsaved)
        log_warn(
            "the result of this pass could not be written to the state directory; `mailhaul status` will not show it");
    json_decref(o);
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
    last_write(dir, account, began, &result, turn);
    io_close(&dir);
}
