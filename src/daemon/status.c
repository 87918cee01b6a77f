/* SPDX-License-Identifier: MIT */
#include "daemon/status.h"

#include <stdio.h>

#include "base/log.h"

const char *const status_states[] = {
    [ACCOUNT_QUEUED] = "queued",     [ACCOUNT_RUNNING] = "fetching", [ACCOUNT_WAITING] = "waiting",
    [ACCOUNT_SLEEPING] = "sleeping", [ACCOUNT_BACKOFF] = "backoff",  [ACCOUNT_STOPPED] = "stopped"
};
const size_t status_state_count = ARRAY_LEN(status_states);

void status_of_files(int state_dir, const char *account, bool enabled, struct status_line *out)
{
    *out = (struct status_line){ .account = account, .enabled = enabled };
    last_read(state_dir, account, &out->last);
}

enum { SOON_S = 7 * 86400 };

void status_authorization(const struct status_line *l, int64_t now, char *out, size_t size)
{
    const struct authorization *a = &l->authorization;
    char span[40];

    out[0] = '\0';
    if (!a->wanted)
        return;
    if (!a->there)
        snprintf(out, size, "there is no authorization yet: mailhaul login %s", l->account);
    else if (a->refused)
        snprintf(out, size, "the provider has ended the authorization: mailhaul login %s", l->account);
    else if (a->ends != 0 && a->ends <= now)
        snprintf(out, size, "the authorization has ended: mailhaul login %s", l->account);
    else if (a->ends != 0 && a->ends - now < SOON_S) {
        status_span(a->ends - now, span, sizeof(span));
        snprintf(out, size, "the authorization ends in %s: mailhaul login %s", span, l->account);
    }
}

void status_live(const struct supervisor *s, size_t i, int state_dir, struct status_line *out)
{
    const struct conf_account *conf;
    struct account_status a;

    supervisor_status(s, i, &a);
    status_of_files(state_dir, a.name, true, out);
    conf = conf_find(supervisor_conf(s), a.name);
    if (conf != NULL)
        authorize_look(&conf->login, &out->authorization);
    out->live = true;
    out->doing = a.doing;
    out->phase = a.phase;
    out->wanted_messages = a.running_wanted;
    out->wanted_bytes = a.running_wanted_bytes;
    out->messages = a.running_messages;
    out->bytes = a.running_bytes;
    out->how = a.how;
    out->folder = a.folder;
    out->connections = a.connections;
    out->next_pass = a.next_pass;
}

const char *status_state(const struct status_line *l)
{
    return l->live ? status_states[l->doing] : NULL;
}

const char *status_result(const struct status_line *l)
{
    if (!l->last.known)
        return "never";
    return l->last.error_name[0] != '\0' ? l->last.error_name : "ok";
}

void status_span(int64_t seconds, char *out, size_t size)
{
    if (seconds < 60)
        snprintf(out, size, "%" PRId64 " s", seconds > 0 ? seconds : 0);
    else if (seconds < 3600)
        snprintf(out, size, "%" PRId64 " min", (seconds + 30) / 60);
    else
        snprintf(out, size, "%" PRId64 " h %" PRId64 " min", seconds / 3600, seconds % 3600 / 60);
}

static void running_words(const struct status_line *l, char *out, size_t size)
{
    static const char *const words[] = {
        [HAUL_WAITING] = "starting",  [HAUL_CONNECTING] = "connecting", [HAUL_LISTING] = "looking",
        [HAUL_FETCHING] = "fetching", [HAUL_REMOVING] = "removing",     [HAUL_FINISHED] = "finishing"
    };

    if (l->phase == HAUL_FETCHING && l->wanted_messages > 0)
        snprintf(out, size, "fetching %" PRIu64 " of %" PRIu64, l->messages, l->wanted_messages);
    else
        snprintf(out, size, "%s", words[l->phase]);
}

static void waiting_words(const struct status_line *l, char *out, size_t size)
{
    char folder[256];

    log_printable(folder, sizeof(folder), slice_str(l->folder != NULL ? l->folder : ""));
    if (l->how == WAIT_NOTIFY)
        snprintf(out, size, "waiting (NOTIFY)");
    else if (folder[0] == '\0')
        snprintf(out, size, "waiting (IDLE)");
    else if (l->connections > 1)
        snprintf(out, size, "waiting (IDLE on %s and %" PRIu64 " more)", folder, l->connections - 1);
    else
        snprintf(out, size, "waiting (IDLE on %s)", folder);
}

static void later_words(const struct status_line *l, int64_t now, const char *what, char *out, size_t size)
{
    char span[40];

    status_span(l->next_pass - now, span, sizeof(span));
    if (l->next_pass > now)
        snprintf(out, size, "%s in %s", what, span);
    else
        snprintf(out, size, "%s now", what);
}

void status_words(const struct status_line *l, int64_t now, char *out, size_t size)
{
    if (!l->live) {
        snprintf(out, size, "%s", l->enabled ? "no daemon" : "not enabled");
        return;
    }
    switch (l->doing) {
    case ACCOUNT_QUEUED:
        snprintf(out, size, "queued");
        return;
    case ACCOUNT_RUNNING:
        running_words(l, out, size);
        return;
    case ACCOUNT_WAITING:
        waiting_words(l, out, size);
        return;
    case ACCOUNT_SLEEPING:
        later_words(l, now, "next look", out, size);
        return;
    case ACCOUNT_BACKOFF:
        later_words(l, now, "next try", out, size);
        return;
    case ACCOUNT_STOPPED:
        snprintf(out, size, "stopped: the server refused the login");
        return;
    }
    snprintf(out, size, "?");
}
