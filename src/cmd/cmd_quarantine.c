/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

#include "cmd/each.h"
#include "cmd/output.h"
#include "run/report.h"

static int print_json(const struct conf_account *a, const struct journal_quarantined *q)
{
    const struct journal_message *m = &q->message;
    json_t *o =
        json_pack("{s:s, s:o, s:I, s:I, s:o, s:o}", "account", a->name, "folder", output_text(q->folder_name), "octets",
                  (json_int_t)m->octets, "first_seen", (json_int_t)m->first_seen, "message_id",
                  m->message_id.n > 0 ? output_text(m->message_id) : json_null(), "reason", output_text(m->reason));

    if (o != NULL && m->uid != 0)
        json_object_set_new(o, "uid", json_integer(m->uid));
    if (o != NULL && m->uidl.n > 0)
        json_object_set_new(o, "uidl", output_text(m->uidl));
    return output_json(o);
}

static void print_line(const struct conf_account *a, const struct journal_quarantined *q)
{
    const struct journal_message *m = &q->message;
    char folder[1024], uidl[600], when[32], size[32], reason[1024], id[32];

    log_printable(folder, sizeof(folder), q->folder_name);
    log_printable(uidl, sizeof(uidl), m->uidl);
    log_printable(reason, sizeof(reason), m->reason);
    output_time(m->first_seen, when, sizeof(when));
    report_size(m->octets, size, sizeof(size));
    snprintf(id, sizeof(id), "%" PRIu32, m->uid);
    printf("%s  %s  %s %s  %s  %s  %s\n", a->name, folder, m->uid != 0 ? "uid" : "uidl", m->uid != 0 ? id : uidl, size,
           when, reason);
}

static int list(const struct cmd_options *o, const struct conf_account *a, struct session *s, struct err *e)
{
    struct journal_quarantined q;
    int64_t after = 0;
    bool found;

    for (;;) {
        if (journal_quarantine_next(session_journal(s), after, &q, &found, e) != 0)
            return -1;
        if (!found)
            return 0;
        after = q.message.id;
        if (!o->json)
            print_line(a, &q);
        else if (print_json(a, &q) != 0)
            return err_nomem(e);
    }
}

/* A dry run only counts. */
static int change(const struct cmd_options *o, struct session *s, enum message_state state, unsigned *count,
                  struct err *e)
{
    struct journal *j = session_journal(s);

    *count = 0;
    if (o->dry_run)
        return journal_quarantine_count(j, count, e);
    if (journal_begin(j, e) != 0)
        return -1;
    if (journal_quarantine_set(j, 0, state, count, e) == 0 && journal_commit(j, e) == 0)
        return 0;
    journal_rollback(j);
    return -1;
}

static int tell(const struct cmd_options *o, const struct conf_account *a, unsigned count, const char *what,
                struct err *e)
{
    log_info("%u message%s %s%s", count, count == 1 ? "" : "s", o->dry_run ? "would be " : "will be ", what);
    if (!o->json || output_json(json_pack("{s:s, s:s, s:i, s:b}", "account", a->name, "action", o->action, "messages",
                                          (int)count, "dry_run", o->dry_run)) == 0)
        return 0;
    return err_nomem(e);
}

static int retry(const struct cmd_options *o, const struct conf_account *a, struct session *s, struct err *e)
{
    unsigned count;

    if (change(o, s, MESSAGE_PENDING, &count, e) != 0)
        return -1;
    return tell(o, a, count, "tried again in the next pass", e);
}

static int drop(const struct cmd_options *o, const struct conf_account *a, struct session *s, struct err *e)
{
    unsigned count;

    if (change(o, s, MESSAGE_DROPPED, &count, e) != 0)
        return -1;
    return tell(o, a, count, "left alone from now on, on the server too", e);
}

int cmd_quarantine(const struct cmd_options *o, const struct conf *c)
{
    const struct session_options writing = { .dry_run = o->dry_run, .sessions = 1 };
    const struct session_options looking = { .dry_run = true, .look = true, .sessions = 1 };

    if (strcmp(o->action, "retry") == 0)
        return each_account(o, c, &writing, retry);
    if (strcmp(o->action, "drop") == 0)
        return each_account(o, c, &writing, drop);
    return each_account(o, c, &looking, list);
}
