/* SPDX-License-Identifier: MIT */
#include "run/report.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>

#include "base/log.h"

enum { OBJECT_MAX = 64 * 1024 };

void report_size(uint64_t octets, char *out, size_t size)
{
    static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB" };
    double v = (double)octets;
    size_t unit = 0;

    while (v >= 1000 && unit + 1 < ARRAY_LEN(units)) {
        v /= 1000;
        unit++;
    }
    snprintf(out, size, unit == 0 ? "%.0f %s" : "%.1f %s", v, units[unit]);
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

int report_summary(const struct haul_result *r, bool dry_run, struct buf *out)
{
    uint64_t n = dry_run ? r->would_fetch : r->messages;
    char size[32];

    report_size(dry_run ? r->would_fetch_bytes : r->bytes, size, sizeof(size));
    if (n == 0 && buf_put_str(out, r->err.code == E_NONE ? "nothing new" : "nothing fetched") != 0)
        return -1;
    if (n > 0 &&
        buf_putf(out, "%s%" PRIu64 " new message%s (%s)", dry_run ? "would fetch " : "", n, plural(n), size) != 0)
        return -1;
    if (r->would_remove > 0 && buf_putf(out, ", would remove %" PRIu64 " from the server", r->would_remove) != 0)
        return -1;
    if (r->removed > 0 && buf_putf(out, ", %" PRIu64 " removed from the server", r->removed) != 0)
        return -1;
    if (r->marked > 0 && buf_putf(out, ", %" PRIu64 " marked as deleted", r->marked) != 0)
        return -1;
    if (r->known_again > 0 && buf_putf(out, ", %" PRIu64 " recognised", r->known_again) != 0)
        return -1;
    if (r->skipped > 0 && buf_putf(out, ", %" PRIu64 " over max_size left", r->skipped) != 0)
        return -1;
    if (r->failed > 0 && buf_putf(out, ", %" PRIu64 " could not be had or delivered yet", r->failed) != 0)
        return -1;
    return r->quarantined > 0 ? buf_putf(out, ", %" PRIu64 " set aside", r->quarantined) : 0;
}

void report_json_line(const char *text)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

    pthread_mutex_lock(&lock);
    puts(text);
    fflush(stdout);
    pthread_mutex_unlock(&lock);
}

/* Lets `o` go. */
static int put_object(json_t *o, struct buf *out)
{
    char *text = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;
    int rc = text != NULL ? buf_put_str(out, text) : -1;

    free(text);
    json_decref(o);
    return rc;
}

/* JSON is Unicode; of other bytes a unique-id keeps its printable form. */
static json_t *text_of(struct slice s)
{
    char words[1024];

    log_printable(words, sizeof(words), s);
    return json_string(words);
}

int report_message(const char *account, const struct haul_delivered *d, struct buf *out)
{
    json_t *o = json_pack("{s:s, s:s, s:o, s:I, s:s, s:s}", "event", "message", "account", account, "folder",
                          text_of(d->folder), "octets", (json_int_t)d->octets, "deliver", d->sink, "name", d->name);

    if (o != NULL && d->uid != 0)
        json_object_set_new(o, "uid", json_integer(d->uid));
    if (o != NULL && d->uidl.n > 0)
        json_object_set_new(o, "uidl", text_of(d->uidl));
    return put_object(o, out);
}

int report_account(const char *account, const struct haul_result *r, bool dry_run, int64_t took_ms, struct buf *out)
{
    char words[ERR_TEXT_MAX + ERR_PEER_MAX] = "";
    json_t *o;

    if (r->err.code != E_NONE)
        err_format(&r->err, words, sizeof(words));
    o = json_pack("{s:s, s:s, s:i, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "event", "account", "account",
                  account, "exit_status", report_exit_status(r), "result", err_name(r->err.code), "error",
                  r->err.code != E_NONE ? json_string(words) : json_null(), "folders", (json_int_t)r->folders,
                  "messages", (json_int_t)r->messages, "bytes", (json_int_t)r->bytes, "removed", (json_int_t)r->removed,
                  "skipped", (json_int_t)r->skipped, "failed", (json_int_t)r->failed, "quarantined",
                  (json_int_t)r->quarantined, "milliseconds", (json_int_t)took_ms);
    if (o != NULL && dry_run) {
        json_object_set_new(o, "dry_run", json_true());
        json_object_set_new(o, "would_fetch", json_integer((json_int_t)r->would_fetch));
        json_object_set_new(o, "would_fetch_bytes", json_integer((json_int_t)r->would_fetch_bytes));
        json_object_set_new(o, "would_remove", json_integer((json_int_t)r->would_remove));
    }
    return put_object(o, out);
}

void report_json_message(const char *account, const struct haul_delivered *d)
{
    struct buf text = BUF_INIT(OBJECT_MAX);

    if (report_message(account, d, &text) == 0)
        report_json_line(buf_cstr(&text));
    buf_release(&text);
}

void report_json_account(const char *account, const struct haul_result *r, bool dry_run, int64_t took_ms)
{
    struct buf text = BUF_INIT(OBJECT_MAX);

    if (report_account(account, r, dry_run, took_ms, &text) == 0)
        report_json_line(buf_cstr(&text));
    buf_release(&text);
}

int report_worse(int a, int b)
{
    static const int order[] = { 64, 78, 77, 69, 76, 74, 75, 65 };

    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        if (order[i] == a || order[i] == b)
            return order[i];
    }
    return 0;
}

int report_exit_status(const struct haul_result *r)
{
    if (r->err.code != E_NONE)
        return err_exit_status(r->err.code);
    return r->quarantined > 0 ? 65 : 0;
}
