/* SPDX-License-Identifier: MIT */
#include "base/base.h"

#include "cmd/status_view.h"

#include "base/io.h"
#include "daemon/control_client.h"
#include "daemon/status_json.h"
#include "run/report.h"
#include "run/session.h"

/* `quarantine` changes it between two passes. */
static int count_set_aside(const struct conf *c, int dir, struct status_line *l)
{
    struct buf name = BUF_INIT(1024);
    struct journal *j = NULL;
    struct err e = ERR_INIT;
    unsigned n = 0;
    int rc = -1;

    if (conf_state_name(l->account, ".db", &name) != 0)
        err_nomem(&e);
    else if (journal_open(dir, c->state_dir, buf_cstr(&name), true, &j, &e) == 0)
        rc = journal_quarantine_count(j, &n, &e);
    if (rc == 0)
        l->last.set_aside = n;
    else
        log_error("account %s: %s", l->account, e.text);
    journal_close(&j);
    buf_release(&name);
    return rc;
}

/* Its objects into v->told, by name. */
static int read_answer(struct control_client *client, struct status_view *v, struct err *e)
{
    json_t *o = NULL;

    for (;;) {
        const char *name;

        if (control_client_read(client, &o, e) != 0)
            return -1;
        if (json_is_true(json_object_get(o, "end")))
            break;
        name = json_string_value(json_object_get(o, "account"));
        if (name == NULL || json_object_set(v->told, name, o) != 0) {
            json_decref(o);
            return err_set(e, E_PROTO, "what the daemon says is not understood");
        }
        json_decref(o);
    }
    v->since = (int64_t)json_integer_value(json_object_get(o, "since"));
    json_decref(o);
    return 0;
}

static int ask_daemon(const struct conf *c, struct status_view *v, struct err *e)
{
    const struct control_request request = { .what = CONTROL_STATUS };
    struct control_client *client = NULL;
    int rc = control_client_ask(c->state_dir, &request, &client, e);

    if (rc == 0 && client != NULL) {
        rc = read_answer(client, v, e);
        v->up = rc == 0;
    }
    control_client_close(&client);
    return rc;
}

static void take_line(const struct conf *c, int dir, const struct conf_account *a, struct status_view *v)
{
    struct status_line *l = &v->lines[v->count++];
    const json_t *o = json_object_get(v->told, a->name);

    if (!v->up || o == NULL || status_from_json(o, l) != 0)
        status_of_files(dir, a->name, a->enabled, l);
    authorize_look(&a->login, &l->authorization);
    if (count_set_aside(c, dir, l) != 0)
        v->status = err_exit_status(E_DISK);
}

int status_view_take(const struct cmd_options *o, const struct conf *c, struct status_view *out, struct err *e)
{
    size_t count = o->named ? o->account_count : c->account_count;
    int dir = -1;

    *out = (struct status_view){ .told = json_object(), .lines = calloc(count + 1, sizeof(*out->lines)) };
    if (out->told == NULL || out->lines == NULL) {
        err_nomem(e);
        goto fail;
    }
    if (session_state_dir(c, true, &dir, e) != 0)
        goto fail;
    if (ask_daemon(c, out, e) != 0) {
        if (e->code == E_STOPPED)
            goto fail;
        log_warn("%s; this is what its state files say", e->text);
    }
    for (size_t i = 0; i < count; i++)
        take_line(c, dir, o->named ? o->accounts[i] : c->accounts[i], out);
    io_close(&dir);
    return 0;
fail:
    io_close(&dir);
    status_view_release(out);
    return -1;
}

void status_view_release(struct status_view *v)
{
    free(v->lines);
    json_decref(v->told);
    *v = (struct status_view){ 0 };
}
