/* SPDX-License-Identifier: MIT */
#include "daemon/metrics.h"

#include "base/log.h"

enum kind { COUNT, TIME, STATUS, FAILURES, ENDS, NEXT };

/* In the order in which they are told. Times that are not known have no sample: 0 would be 1970. */
static const struct {
    const char *name, *type, *help;
    enum kind kind;
    size_t at; /* in struct last */
} families[] = {
    { "passes_total", "counter", "Passes over the account.", COUNT, offsetof(struct last, total.passes) },
    { "failures_total", "counter", "Passes that ended with an error.", COUNT, offsetof(struct last, total.failures) },
    { "messages_total", "counter", "Messages delivered.", COUNT, offsetof(struct last, total.messages) },
    { "bytes_total", "counter", "Bytes of messages delivered.", COUNT, offsetof(struct last, total.bytes) },
    { "removed_total", "counter", "Messages removed from the server.", COUNT, offsetof(struct last, total.removed) },
    { "quarantined_total", "counter", "Messages set aside after repeated failure.", COUNT,
      offsetof(struct last, total.quarantined) },
    { "messages_today", "gauge", "Messages delivered since midnight.", COUNT, offsetof(struct last, messages_today) },
    { "bytes_today", "gauge", "Bytes of messages delivered since midnight.", COUNT,
      offsetof(struct last, bytes_today) },
    { "quarantine_messages", "gauge", "Messages in quarantine.", COUNT, offsetof(struct last, set_aside) },
    { "consecutive_failures", "gauge", "Passes in a row that ended with an error.", FAILURES, 0 },
    { "last_exit_status", "gauge", "Exit status of the last pass.", STATUS, 0 },
    { "last_pass_timestamp_seconds", "gauge", "End of the last pass.", TIME, offsetof(struct last, ended) },
    { "last_success_timestamp_seconds", "gauge", "Start of the last pass that went well.", TIME,
      offsetof(struct last, last_success) },
    { "last_error_timestamp_seconds", "gauge", "End of the last pass that failed.", TIME,
      offsetof(struct last, last_error_at) },
    { "authorization_end_timestamp_seconds", "gauge", "When somebody has to log in again, where that is known.", ENDS,
      0 },
    { "next_pass_timestamp_seconds", "gauge", "When the next pass is due.", NEXT, 0 },
};

/* A label's value: backslash, quote and line feed are escaped; what is no text was made \xNN before that. */
static int put_label(struct buf *out, const char *value)
{
    char words[1024];

    log_printable(words, sizeof(words), slice_str(value));
    for (const char *p = words; *p != '\0'; p++) {
        if ((*p == '\\' || *p == '"') && buf_put_char(out, '\\') != 0)
            return -1;
        if (buf_put_char(out, *p) != 0)
            return -1;
    }
    return 0;
}

static int put_head(struct buf *out, const char *name, const char *type, const char *help)
{
    return buf_putf(out, "# HELP mailhaul_%s %s\n# TYPE mailhaul_%s %s\n", name, help, name, type);
}

/* False: there is nothing to say of this account. */
static bool value_of(const struct status_line *l, size_t family, int64_t *out)
{
    const void *at = (const char *)&l->last + families[family].at;

    switch (families[family].kind) {
    case COUNT:
        *out = (int64_t) * (const uint64_t *)at;
        return true;
    case TIME:
        *out = *(const int64_t *)at;
        return *out != 0;
    case STATUS:
        *out = l->last.exit_status;
        return l->last.known;
    case FAILURES:
        *out = l->last.failures;
        return true;
    case ENDS:
        *out = l->authorization.ends;
        return l->authorization.wanted && *out != 0;
    case NEXT:
        *out = l->next_pass;
        return l->live && *out != 0;
    }
    return false;
}

static int put_family(const struct metrics *m, size_t family, struct buf *out)
{
    int64_t value;

    if (put_head(out, families[family].name, families[family].type, families[family].help) != 0)
        return -1;
    for (size_t i = 0; i < m->count; i++) {
        if (!value_of(&m->lines[i], family, &value))
            continue;
        if (buf_putf(out, "mailhaul_%s{account=\"", families[family].name) != 0 ||
            put_label(out, m->lines[i].account) != 0 || buf_putf(out, "\"} %" PRId64 "\n", value) != 0)
            return -1;
    }
    return 0;
}

/* One sample for each state, 1 for the one that is so. */
static int put_states(const struct metrics *m, struct buf *out)
{
    if (put_head(out, "state", "gauge", "What the daemon is doing with the account: 1 for the state it is in.") != 0)
        return -1;
    for (size_t i = 0; i < m->count; i++) {
        for (size_t state = 0; m->lines[i].live && state < status_state_count; state++) {
            if (buf_put_str(out, "mailhaul_state{account=\"") != 0 || put_label(out, m->lines[i].account) != 0 ||
                buf_putf(out, "\",state=\"%s\"} %d\n", status_states[state], m->lines[i].doing == state) != 0)
                return -1;
        }
    }
    return 0;
}

int metrics_put(const struct metrics *m, struct buf *out)
{
    if (put_head(out, "up", "gauge", "Whether the daemon runs.") != 0 ||
        buf_putf(out, "mailhaul_up %d\n", m->up) != 0 ||
        put_head(out, "build_info", "gauge", "The version of mailhaul, which is 1.") != 0 ||
        buf_putf(out, "mailhaul_build_info{version=\"%s\"} 1\n", PACKAGE_VERSION) != 0)
        return -1;
    if (m->up && (put_head(out, "start_time_seconds", "gauge", "When the daemon started.") != 0 ||
                  buf_putf(out, "mailhaul_start_time_seconds %" PRId64 "\n", m->since) != 0))
        return -1;
    if (put_head(out, "accounts", "gauge", "Accounts that are told of here.") != 0 ||
        buf_putf(out, "mailhaul_accounts %zu\n", m->count) != 0 || put_states(m, out) != 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        if (put_family(m, i, out) != 0)
            return -1;
    }
    return 0;
}
