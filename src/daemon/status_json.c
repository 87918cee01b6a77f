/* SPDX-License-Identifier: MIT */
#include "base/base.h"

#include "daemon/status_json.h"

#include "base/log.h"

static const char *const phases[] = {
    [HAUL_WAITING] = "starting",  [HAUL_CONNECTING] = "connecting", [HAUL_LISTING] = "listing",
    [HAUL_FETCHING] = "fetching", [HAUL_REMOVING] = "removing",     [HAUL_FINISHED] = "finishing"
};
static const char *const pushes[] = { [WAIT_NONE] = "none", [WAIT_IDLE] = "idle", [WAIT_NOTIFY] = "notify" };

/* Counts that are there once there was a pass. */
static const struct {
    const char *key;
    size_t at;
} counts[] = {
    { "messages", offsetof(struct last, messages) },
    { "bytes", offsetof(struct last, bytes) },
    { "removed", offsetof(struct last, removed) },
    { "skipped", offsetof(struct last, skipped) },
    { "failed", offsetof(struct last, failed) },
    { "messages_today", offsetof(struct last, messages_today) },
    { "bytes_today", offsetof(struct last, bytes_today) },
    { "total_passes", offsetof(struct last, total.passes) },
    { "total_failures", offsetof(struct last, total.failures) },
    { "total_messages", offsetof(struct last, total.messages) },
    { "total_bytes", offsetof(struct last, total.bytes) },
    { "total_removed", offsetof(struct last, total.removed) },
    { "total_quarantined", offsetof(struct last, total.quarantined) },
};

static json_t *time_or_null(int64_t s)
{
    return s != 0 ? json_integer((json_int_t)s) : json_null();
}

static json_t *text_or_null(const char *s)
{
    return s != NULL && s[0] != '\0' ? json_string(s) : json_null();
}

static int put_last(json_t *o, const struct last *l)
{
    int bad = 0;

    if (!l->known)
        return 0;
    bad |= json_object_set_new(o, "exit_status", json_integer(l->exit_status));
    bad |= json_object_set_new(o, "began", json_integer((json_int_t)l->began));
    bad |= json_object_set_new(o, "ended", json_integer((json_int_t)l->ended));
    bad |= json_object_set_new(o, "last_success", time_or_null(l->last_success));
    bad |= json_object_set_new(o, "last_error", text_or_null(l->last_error));
    bad |= json_object_set_new(o, "last_error_at", time_or_null(l->last_error_at));
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        const uint64_t *n = (const uint64_t *)(const void *)((const char *)l + counts[i].at);

        bad |= json_object_set_new(o, counts[i].key, json_integer((json_int_t)*n));
    }
    return bad;
}

static int put_live(json_t *o, const struct status_line *l)
{
    char folder[2048];
    int bad = 0;

    bad |= json_object_set_new(o, "doing", text_or_null(status_state(l)));
    bad |= json_object_set_new(o, "next_pass", time_or_null(l->next_pass));
    if (l->live && l->doing == ACCOUNT_RUNNING) {
        bad |= json_object_set_new(o, "phase", json_string(phases[l->phase]));
        bad |= json_object_set_new(o, "pass_wanted", json_integer((json_int_t)l->wanted_messages));
        bad |= json_object_set_new(o, "pass_wanted_bytes", json_integer((json_int_t)l->wanted_bytes));
        bad |= json_object_set_new(o, "pass_messages", json_integer((json_int_t)l->messages));
        bad |= json_object_set_new(o, "pass_bytes", json_integer((json_int_t)l->bytes));
    }
    if (l->live && l->doing == ACCOUNT_WAITING) {
        log_printable(folder, sizeof(folder), slice_str(l->folder != NULL ? l->folder : ""));
        bad |= json_object_set_new(o, "push", json_string(pushes[l->how]));
        bad |= json_object_set_new(o, "folder", text_or_null(folder));
        bad |= json_object_set_new(o, "connections", json_integer((json_int_t)l->connections));
    }
    return bad;
}

static int put_authorization(json_t *o, const struct authorization *a)
{
    const char *state = !a->there ? "missing" : a->refused ? "refused" : a->renews ? "renews" : "ends";

    if (!a->wanted)
        return 0;
    return json_object_set_new(o, "authorization",
                               json_pack("{s:s, s:o}", "state", state, "ends", time_or_null(a->ends)));
}

json_t *status_to_json(const struct status_line *l)
{
    json_t *o = json_pack("{s:s, s:b, s:s, s:o, s:i, s:I}", "account", l->account, "enabled", l->enabled, "result",
                          status_result(l), "error", text_or_null(l->last.error), "failures", (int)l->last.failures,
                          "quarantined", (json_int_t)l->last.set_aside);

    if (o != NULL &&
        (put_live(o, l) != 0 || put_last(o, &l->last) != 0 || put_authorization(o, &l->authorization) != 0)) {
        json_decref(o);
        return NULL;
    }
    return o;
}

static uint64_t count_of(const json_t *o, const char *key)
{
    json_int_t v = json_integer_value(json_object_get(o, key));

    return v > 0 ? (uint64_t)v : 0;
}

static void text_of(const json_t *o, const char *key, char *out, size_t size)
{
    log_printable(out, size, slice_str(json_string_value(json_object_get(o, key))));
}

/* Where in `words` the value of `key` stands; `n` when it is none of them. */
static size_t word_of(const json_t *o, const char *key, const char *const *words, size_t n)
{
    const char *value = json_string_value(json_object_get(o, key));
    size_t i = 0;

    while (i < n && (value == NULL || strcmp(value, words[i]) != 0))
        i++;
    return i;
}

static void take_last(const json_t *o, struct last *l)
{
    text_of(o, "result", l->error_name, sizeof(l->error_name));
    l->known = strcmp(l->error_name, "never") != 0;
    if (!l->known || strcmp(l->error_name, "ok") == 0)
        l->error_name[0] = '\0';
    text_of(o, "error", l->error, sizeof(l->error));
    text_of(o, "last_error", l->last_error, sizeof(l->last_error));
    l->began = (int64_t)count_of(o, "began");
    l->ended = (int64_t)count_of(o, "ended");
    l->last_success = (int64_t)count_of(o, "last_success");
    l->last_error_at = (int64_t)count_of(o, "last_error_at");
    l->failures = (unsigned)count_of(o, "failures");
    l->exit_status = (int)count_of(o, "exit_status");
    l->set_aside = count_of(o, "quarantined");
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        *(uint64_t *)(void *)((char *)l + counts[i].at) = count_of(o, counts[i].key);
}

int status_from_json(const json_t *o, struct status_line *out)
{
    size_t doing = word_of(o, "doing", status_states, status_state_count);
    size_t phase = word_of(o, "phase", phases, ARRAY_LEN(phases));
    size_t how = word_of(o, "push", pushes, ARRAY_LEN(pushes));

    *out = (struct status_line){ .account = json_string_value(json_object_get(o, "account")),
                                 .enabled = json_is_true(json_object_get(o, "enabled")),
                                 .live = doing < status_state_count,
                                 .folder = json_string_value(json_object_get(o, "folder")),
                                 .connections = count_of(o, "connections"),
                                 .wanted_messages = count_of(o, "pass_wanted"),
                                 .wanted_bytes = count_of(o, "pass_wanted_bytes"),
                                 .messages = count_of(o, "pass_messages"),
                                 .bytes = count_of(o, "pass_bytes"),
                                 .next_pass = (int64_t)count_of(o, "next_pass") };
    if (out->account == NULL)
        return -1;
    out->doing = out->live ? (enum account_doing)doing : ACCOUNT_QUEUED;
    out->phase = phase < ARRAY_LEN(phases) ? (enum haul_phase)phase : HAUL_WAITING;
    out->how = how < ARRAY_LEN(pushes) ? (enum wait_how)how : WAIT_NONE;
    take_last(o, &out->last);
    return 0;
}
