/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stop.h"
#include "cmd/output.h"
#include "cmd/status_view.h"
#include "daemon/metrics.h"
#include "daemon/status_json.h"
#include "run/report.h"

enum { WATCH_MS = 1000, TABLE_MAX = 16 * 1024 * 1024, COLUMNS = 8, CELL_MAX = 320 };

/* A screen of text that is drawn over the one before, without flicker; lines that are too long are cut, not wrapped. */
#define SCREEN_BEGIN "\033[?7l\033[2J"
#define SCREEN_HOME  "\033[H"
#define SCREEN_LINE  "\033[K\n"
#define SCREEN_REST  "\033[J"
#define SCREEN_END   "\033[?7h"

struct row {
    char cell[COLUMNS][CELL_MAX];
};

static const char *const heads[COLUMNS] = { "ACCOUNT", "RESULT", "NOW",  "LAST SUCCESS",
                                            "NEXT",    "TODAY",  "SIZE", "SET ASIDE" };
static const bool to_the_right[COLUMNS] = { [5] = true, [6] = true, [7] = true };

static void fill_row(const struct status_line *l, int64_t now, struct row *out)
{
    char span[40] = "-";

    if (l->next_pass != 0)
        status_span(l->next_pass - now, span, sizeof(span));
    log_printable(out->cell[0], CELL_MAX, slice_str(l->account));
    snprintf(out->cell[1], CELL_MAX, "%s", status_result(l));
    status_words(l, now, out->cell[2], CELL_MAX);
    output_time(l->last.last_success, out->cell[3], CELL_MAX);
    snprintf(out->cell[4], CELL_MAX, "%s", span);
    snprintf(out->cell[5], CELL_MAX, "%" PRIu64, l->last.messages_today);
    report_size(l->last.bytes_today, out->cell[6], CELL_MAX);
    snprintf(out->cell[7], CELL_MAX, "%" PRIu64, l->last.set_aside);
}

/* Columns of a terminal, as far as characters of one column go: continuation bytes of UTF-8 take none. */
static int width_of(const char *s)
{
    int n = 0;

    for (; *s != '\0'; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static int put_cells(const struct row *r, const int *widths, struct buf *out)
{
    for (int i = 0; i < COLUMNS; i++) {
        int pad = widths[i] - width_of(r->cell[i]);

        if (i > 0 && buf_put_str(out, "  ") != 0)
            return -1;
        if (to_the_right[i] ? buf_putf(out, "%*s%s", pad, "", r->cell[i])
                            : buf_putf(out, "%s%*s", r->cell[i], i + 1 < COLUMNS ? pad : 0, ""))
            return -1;
    }
    return buf_put_char(out, '\n');
}

static int put_below(const char *words, int indent, struct buf *out)
{
    return words[0] != '\0' ? buf_putf(out, "%*s  %s\n", indent, "", words) : 0;
}

static int put_rows(const struct status_view *v, const struct row *rows, struct buf *out)
{
    int widths[COLUMNS] = { 0 };
    char words[sizeof(v->lines[0].last.error)];

    for (size_t i = 0; i <= v->count; i++) {
        for (int k = 0; k < COLUMNS; k++) {
            int w = width_of(rows[i].cell[k]);
            widths[k] = w > widths[k] ? w : widths[k];
        }
    }
    for (size_t i = 0; i <= v->count; i++) {
        if (put_cells(&rows[i], widths, out) != 0)
            return -1;
        if (i == 0)
            continue;
        log_printable(words, sizeof(words), slice_str(v->lines[i - 1].last.error));
        if (put_below(words, widths[0], out) != 0)
            return -1;
        status_authorization(&v->lines[i - 1], clock_wall(), words, sizeof(words));
        if (put_below(words, widths[0], out) != 0)
            return -1;
    }
    return 0;
}

static int put_table(const struct status_view *v, struct buf *out)
{
    struct row *rows = calloc(v->count + 1, sizeof(*rows));
    int64_t now = clock_wall();
    int rc = -1;

    if (rows == NULL)
        return -1;
    for (int k = 0; k < COLUMNS; k++)
        snprintf(rows[0].cell[k], CELL_MAX, "%s", heads[k]);
    for (size_t i = 0; i < v->count; i++)
        fill_row(&v->lines[i], now, &rows[i + 1]);
    rc = put_rows(v, rows, out);
    free(rows);
    return rc;
}

static int put_json(const struct status_view *v, struct buf *out)
{
    int rc = 0;

    for (size_t i = 0; i < v->count && rc == 0; i++) {
        json_t *o = status_to_json(&v->lines[i]);
        char *text = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;

        rc = text != NULL && buf_put_str(out, text) == 0 ? buf_put_char(out, '\n') : -1;
        free(text);
        json_decref(o);
    }
    return rc;
}

static int put_view(const struct cmd_options *o, const struct status_view *v, struct buf *out)
{
    if (o->prometheus)
        return metrics_put(&(struct metrics){ .up = v->up, .since = v->since, .lines = v->lines, .count = v->count },
                           out);
    return o->json ? put_json(v, out) : put_table(v, out);
}

static void print_over(const struct buf *text)
{
    fputs(SCREEN_HOME, stdout);
    for (const char *p = buf_cstr(text); *p != '\0'; p++)
        fputs(*p == '\n' ? SCREEN_LINE : (char[2]){ *p, '\0' }, stdout);
    fputs(SCREEN_REST, stdout);
}

/* Once. */
static int show(const struct cmd_options *o, const struct conf *c, bool screen)
{
    struct buf text = BUF_INIT(TABLE_MAX);
    struct status_view v = { 0 };
    struct err e = ERR_INIT;
    int status;

    if (status_view_take(o, c, &v, &e) != 0) {
        if (e.code != E_STOPPED)
            log_error("%s", e.text);
        return err_exit_status(e.code);
    }
    status = v.status;
    if (put_view(o, &v, &text) != 0) {
        log_error("out of memory");
        status = err_exit_status(E_NOMEM);
    } else if (screen) {
        print_over(&text);
    } else {
        fputs(buf_cstr(&text), stdout);
    }
    status_view_release(&v);
    buf_release(&text);
    return status;
}

static int watch(const struct cmd_options *o, const struct conf *c)
{
    bool screen = isatty(STDOUT_FILENO) && !o->json && !o->prometheus;
    struct pollfd stop = { .fd = stop_fd(), .events = POLLIN };
    int status = EXIT_OK;

    if (screen)
        fputs(SCREEN_BEGIN, stdout);
    while (stop_requested() == 0) {
        status = show(o, c, screen);
        /* Nobody reads it any more. */
        if (fflush(stdout) != 0)
            break;
        (void)poll(&stop, 1, WATCH_MS);
    }
    if (screen)
        fputs(SCREEN_END, stdout);
    return status;
}

int cmd_status(const struct cmd_options *o, const struct conf *c)
{
    return o->watch ? watch(o, c) : show(o, c, false);
}
