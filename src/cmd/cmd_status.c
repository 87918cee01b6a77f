/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

#include "base/io.h"
#include "cmd/output.h"
#include "run/last.h"
#include "run/report.h"
#include "run/session.h"

struct line {
    const struct conf_account *account;
    struct last last;
    unsigned set_aside;
};

/* -1 also when the state cannot be read, with the reason in the log; the rest is shown nevertheless. */
static int count_set_aside(const struct conf *c, int dir, const char *account, unsigned *out)
{
    struct buf name = BUF_INIT(1024);
    struct journal *j = NULL;
    struct err e = ERR_INIT;
    int rc = -1;

    *out = 0;
    if (session_state_name(account, ".db", &name) != 0)
        err_nomem(&e);
    else if (journal_open(dir, c->state_dir, buf_cstr(&name), true, &j, &e) == 0)
        rc = journal_quarantine_count(j, out, &e);
    if (rc != 0)
        log_error("account %s: %s", account, e.text);
    journal_close(&j);
    buf_release(&name);
    return rc;
}

static const char *result_of(const struct line *l)
{
    if (!l->last.known)
        return "never";
    return l->last.error_name[0] != '\0' ? l->last.error_name : "ok";
}

static int print_json(const struct line *l)
{
    const struct last *r = &l->last;
    json_t *o = json_pack("{s:s, s:b, s:s, s:o, s:i, s:I}", "account", l->account->name, "enabled", l->account->enabled,
                          "result", result_of(l), "error", r->error[0] != '\0' ? json_string(r->error) : json_null(),
                          "failures", (int)r->failures, "quarantined", (json_int_t)l->set_aside);

    if (o != NULL && r->known) {
        json_object_set_new(o, "exit_status", json_integer(r->exit_status));
        json_object_set_new(o, "began", json_integer((json_int_t)r->began));
        json_object_set_new(o, "ended", json_integer((json_int_t)r->ended));
        json_object_set_new(o, "last_success",
                            r->last_success != 0 ? json_integer((json_int_t)r->last_success) : json_null());
        json_object_set_new(o, "messages", json_integer((json_int_t)r->messages));
        json_object_set_new(o, "bytes", json_integer((json_int_t)r->bytes));
        json_object_set_new(o, "removed", json_integer((json_int_t)r->removed));
        json_object_set_new(o, "skipped", json_integer((json_int_t)r->skipped));
        json_object_set_new(o, "failed", json_integer((json_int_t)r->failed));
    }
    return output_json(o);
}

static void print_line(const struct line *l, int width)
{
    char ended[32], success[32], size[32];

    output_time(l->last.ended, ended, sizeof(ended));
    output_time(l->last.last_success, success, sizeof(success));
    report_size(l->last.bytes, size, sizeof(size));
    printf("%-*s  %-8s  %-16s  %-16s  %8" PRIu64 "  %9s  %9u%s\n", width, l->account->name, result_of(l), ended,
           success, l->last.messages, size, l->set_aside, l->account->enabled ? "" : "  (not enabled)");
    if (l->last.error[0] != '\0')
        printf("%-*s  %s\n", width, "", l->last.error);
}

static void print_head(int width)
{
    printf("%-*s  %-8s  %-16s  %-16s  %8s  %9s  %9s\n", width, "ACCOUNT", "RESULT", "LAST PASS", "LAST SUCCESS",
           "MESSAGES", "SIZE", "SET ASIDE");
}

int cmd_status(const struct cmd_options *o, const struct conf *c)
{
    size_t count = o->named ? o->account_count : c->account_count;
    int dir = -1, status = EXIT_OK, width = 7;
    struct err e = ERR_INIT;

    if (session_state_dir(c, true, &dir, &e) != 0) {
        log_error("%s", e.text);
        return err_exit_status(e.code);
    }
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(o->named ? o->accounts[i]->name : c->accounts[i]->name);

        width = n > (size_t)width ? (int)n : width;
    }
    if (!o->json)
        print_head(width);
    for (size_t i = 0; i < count; i++) {
        struct line l = { .account = o->named ? o->accounts[i] : c->accounts[i] };

        last_read(dir, l.account->name, &l.last);
        if (count_set_aside(c, dir, l.account->name, &l.set_aside) != 0)
            status = err_exit_status(E_DISK);
        if (!o->json)
            print_line(&l, width);
        else if (print_json(&l) != 0)
            status = err_exit_status(E_NOMEM);
    }
    io_close(&dir);
    return status;
}
