/* SPDX-License-Identifier: MIT */
#include "run/last.h"

#include <fcntl.h>
#include <jansson.h>

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

void last_write(int state_dir, const char *account, int64_t began, const struct haul_result *r)
{
    struct buf name = BUF_INIT(NAME_MAX_BYTES);
    bool failed = r->err.code != E_NONE;
    char words[ERR_TEXT_MAX + ERR_PEER_MAX] = "";
    struct last before;
    json_t *o = NULL;
    char *text = NULL;

    last_read(state_dir, account, &before);
    if (failed)
        err_format(&r->err, words, sizeof(words));
    o = json_pack("{s:s, s:I, s:I, s:I, s:i, s:i, s:s, s:s%, s:I, s:I, s:I, s:I, s:I, s:I}", "account", account,
                  "began", (json_int_t)began, "ended", (json_int_t)clock_wall(), "last_success",
                  (json_int_t)(failed ? before.last_success : began), "failures", failed ? (int)before.failures + 1 : 0,
                  "exit_status", report_exit_status(r), "error_name", failed ? err_name(r->err.code) : "", "error",
                  words, strlen(words), "messages", (json_int_t)r->messages, "bytes", (json_int_t)r->bytes, "removed",
                  (json_int_t)r->removed, "skipped", (json_int_t)r->skipped, "failed", (json_int_t)r->failed,
                  "quarantined", (json_int_t)r->quarantined);
    text = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;
    if (text == NULL || session_state_name(account, ".last", &name) != 0 ||
        io_replace_file(state_dir, buf_cstr(&name), slice_str(text), false) != 0)
        log_warn(
            "the result of this pass could not be written to the state directory; `mailhaul status` will not show it");
    json_decref(o);
    free(text);
    buf_release(&name);
}

void last_write_error(const struct conf *c, const char *account, int64_t began, const struct err *why)
{
    struct haul_result result = { .err = *why };
    struct err ignored;
    int dir;

    if (session_state_dir(c, false, &dir, &ignored) != 0 || dir < 0)
        return;
    last_write(dir, account, began, &result);
    io_close(&dir);
}
