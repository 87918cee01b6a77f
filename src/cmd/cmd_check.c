/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

#include <stdio.h>

#include "base/stop.h"
#include "cmd/each.h"
#include "cmd/output.h"
#include "net/tls_tell.h"
#include "run/report.h"

static int adopt(const struct cmd_options *o, const struct conf_account *a, struct session *s, struct err *e)
{
    if (o->dry_run) {
        log_info("would be bound to its destinations as they are now");
        return 0;
    }
    if (session_sinks(s, true, e) != 0)
        return -1;
    log_info("bound to its %zu destination%s as %s now", a->deliver_count, a->deliver_count == 1 ? "" : "s",
             a->deliver_count == 1 ? "it is" : "they are");
    return 0;
}

static int check_folders(const struct conf_account *a, const struct source_folders *folders, struct err *e)
{
    for (size_t i = 0; a->protocol == CONF_IMAP && i < a->folders.n; i++) {
        if (haul_folder_there(a->folders.v[i], folders, e) != 0)
            return -1;
    }
    return 0;
}

static void tell_line(void *ctx, const char *line)
{
    const char *where = ctx != NULL ? ctx : "";

    if (strncmp(line, TLS_TELL_WARNING, strlen(TLS_TELL_WARNING)) == 0)
        log_warn("%s%s", where, line + strlen(TLS_TELL_WARNING));
    else
        log_info("%s%s", where, line);
}

static void tell(const struct conf_account *a, const struct session *s, const struct source_folders *folders)
{
    const struct tls_facts *tls = stream_tls(session_stream(s));
    struct buf server = BUF_INIT(2048);
    size_t selected = 0;

    for (size_t i = 0; i < folders->count; i++)
        selected += session_selects(s, &folders->v[i]);
    if (session_describe(s, &server) != 0)
        buf_clear(&server);
    log_info("ok: %s, %s", buf_cstr(&server), tls != NULL ? tls->protocol : "not encrypted");
    if (tls != NULL)
        tls_tell(session_stream(s), tell_line, NULL);
    if (a->protocol == CONF_IMAP && selected == 0)
        log_warn("no folder of the %zu is selected, so nothing will be fetched; `mailhaul folders %s` shows them",
                 folders->count, a->name);
    else if (a->protocol == CONF_IMAP)
        log_info("%zu of %zu folders selected", selected, folders->count);
    buf_release(&server);
}

static json_t *json_chain(const struct stream *s)
{
    json_t *chain = json_array();
    struct tls_facts one;

    for (size_t i = 0; tls_tell_certificate(s, i, &one); i++)
        json_array_append_new(
            chain, json_pack("{s:o, s:o, s:I, s:I, s:s}", "subject", output_text(slice_str(one.subject)), "issuer",
                             output_text(slice_str(one.issuer)), "not_before", (json_int_t)one.not_before, "not_after",
                             (json_int_t)one.not_after, "fingerprint", one.fingerprint));
    return chain;
}

static int tell_json(const struct conf_account *a, const struct session *s, const struct source_folders *folders)
{
    const struct tls_facts *tls = stream_tls(session_stream(s));
    size_t selected = 0;

    for (size_t i = 0; i < folders->count; i++)
        selected += session_selects(s, &folders->v[i]);
    return output_json(json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:I}", "account", a->name, "result", "ok",
                                 "tls", tls != NULL ? json_string(tls->protocol) : json_null(), "fingerprint",
                                 tls != NULL ? json_string(tls->fingerprint) : json_null(), "cipher",
                                 tls != NULL ? json_string(tls->cipher) : json_null(), "resumed",
                                 tls != NULL ? json_boolean(tls->resumed) : json_null(), "chain",
                                 json_chain(session_stream(s)), "folders", (json_int_t)folders->count, "selected",
                                 (json_int_t)selected));
}

static int check_source(const struct cmd_options *o, const struct conf_account *a, struct session *s, struct err *e)
{
    struct source_folders folders = { NULL, 0, 0 };
    int rc = session_folders(s, &folders, e);

    if (rc == 0)
        rc = check_folders(a, &folders, e);
    if (rc == 0)
        tell(a, s, &folders);
    if (rc == 0 && o->json && tell_json(a, s, &folders) != 0)
        rc = err_nomem(e);
    session_logout(s);
    source_folders_release(&folders);
    return rc;
}

/* What one destination says of itself, kept for JSON. */
struct answer {
    const char *name;
    json_t *lines;
};

static void keep_line(void *ctx, const char *line)
{
    struct answer *answer = ctx;
    char where[256];

    snprintf(where, sizeof(where), "destination %s: ", answer->name);
    tell_line(where, line);
    json_array_append_new(answer->lines, output_text(slice_str(line)));
}

static int check_destination(const struct cmd_options *o, const struct conf_account *a, struct session *s, size_t i,
                             struct err *e)
{
    struct answer answer = { .name = a->delivers[i].name, .lines = json_array() };
    int rc = session_check_destination(s, i, keep_line, &answer, e);

    if (rc != 0 || !o->json || json_array_size(answer.lines) == 0)
        json_decref(answer.lines);
    else if (output_json(json_pack("{s:s, s:s, s:s, s:o}", "account", a->name, "deliver", answer.name, "result", "ok",
                                   "details", answer.lines)) != 0)
        rc = err_nomem(e);
    return rc;
}

/* Keeps the failure that decides the exit status; the other one is told now. */
static void add_failure(const struct cmd_options *o, const struct conf_account *a, struct err *worst,
                        const struct err *next)
{
    int old = err_exit_status(worst->code), new = err_exit_status(next->code);

    if (worst->code == E_NONE) {
        *worst = *next;
    } else if (old == new || report_worse(old, new) == old) {
        each_tell_failure(o, a, next);
    } else {
        each_tell_failure(o, a, worst);
        *worst = *next;
    }
}

/* A person mends what is wrong in one go when all of it is told: the server does not hide the destinations. */
static int connect_to(const struct cmd_options *o, const struct conf_account *a, struct session *s, struct err *e)
{
    struct err next = ERR_INIT;
    bool opened;

    *e = ERR_INIT;
    opened = session_sinks(s, false, &next) == 0;
    if (!opened)
        add_failure(o, a, e, &next);
    if (check_source(o, a, s, &next) != 0)
        add_failure(o, a, e, &next);
    for (size_t i = 0; opened && i < session_destinations(s) && stop_requested() == 0; i++) {
        if (check_destination(o, a, s, i, &next) != 0)
            add_failure(o, a, e, &next);
    }
    return e->code == E_NONE ? 0 : -1;
}

static void tell_of_providers(const struct cmd_options *o)
{
    char note[1024];

    for (size_t i = 0; i < o->account_count; i++) {
        conf_note(o->accounts[i], note, sizeof(note));
        if (note[0] != '\0')
            log_info("account %s: %s", o->accounts[i]->name, note);
    }
}

int cmd_check(const struct cmd_options *o, const struct conf *c)
{
    const struct session_options writing = { .dry_run = o->dry_run, .sessions = 1 };
    const struct session_options looking = { .dry_run = true, .look = true, .list_all = true, .sessions = 1 };
    int status = EXIT_OK;

    if (!session_all_right(o->accounts, o->account_count))
        return err_exit_status(E_CONFIG);
    log_info("configuration ok: %zu account%s (%s)", c->account_count, c->account_count == 1 ? "" : "s", c->path);
    tell_of_providers(o);
    if (o->adopt)
        status = each_account(o, c, &writing, adopt);
    if (o->connect)
        status = report_worse(status, each_account(o, c, &looking, connect_to));
    return status;
}
