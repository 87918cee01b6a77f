/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <stdio.h>

#include "base/log.h"

struct err_row {
    const char *name;
    int exit_status;
    enum err_scope scope;
    enum err_retry retry;
};

static const struct err_row rows[] = {
    [E_NONE] = { "ok", 0, SCOPE_MESSAGE, RETRY_LATER },
    [E_USAGE] = { "usage", 64, SCOPE_ACCOUNT, RETRY_NEVER },
    [E_CONFIG] = { "config", 78, SCOPE_ACCOUNT, RETRY_NEVER },
    [E_NOFOLDER] = { "nofolder", 78, SCOPE_FOLDER, RETRY_NEVER },
    [E_AUTH] = { "auth", 77, SCOPE_ACCOUNT, RETRY_NEVER },
    [E_TLS] = { "tls", 69, SCOPE_ACCOUNT, RETRY_LATER },
    [E_PROTO] = { "protocol", 76, SCOPE_SESSION, RETRY_LATER },
    [E_LACKS] = { "lacks", 76, SCOPE_ACCOUNT, RETRY_NEVER },
    [E_REJECTED] = { "rejected", 76, SCOPE_ACCOUNT, RETRY_NEVER },
    [E_DISK] = { "disk", 74, SCOPE_ACCOUNT, RETRY_LATER },
    [E_NET] = { "network", 75, SCOPE_SESSION, RETRY_RECONNECT },
    [E_TIMEOUT] = { "timeout", 75, SCOPE_SESSION, RETRY_LATER },
    [E_BUSY] = { "busy", 75, SCOPE_SESSION, RETRY_LATER },
    [E_LOCKED] = { "locked", 75, SCOPE_ACCOUNT, RETRY_LATER },
    [E_NOMEM] = { "memory", 75, SCOPE_SESSION, RETRY_LATER },
    [E_MESSAGE] = { "message", 75, SCOPE_MESSAGE, RETRY_LATER },
    [E_STOPPED] = { "stopped", 75, SCOPE_ACCOUNT, RETRY_LATER },
};
_Static_assert(ARRAY_LEN(rows) == E_CODE_COUNT, "a row for each code");

static void fill(struct err *e, enum err_code code)
{
    e->code = code;
    e->scope = rows[code].scope;
    e->retry = rows[code].retry;
    e->peer[0] = '\0';
}

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
    va_list ap;

    fill(e, code);
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof(e->text), fmt, ap);
    va_end(ap);
    return -1;
}

int err_sys(struct err *e, enum err_code code, int errnum, const char *fmt, ...)
{
    char words[128];
    size_t len;
    va_list ap;

    fill(e, code);
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof(e->text), fmt, ap);
    va_end(ap);
    len = strlen(e->text);
    snprintf(e->text + len, sizeof(e->text) - len, ": %s", strerror_r(errnum, words, sizeof(words)));
    return -1;
}

int err_nomem(struct err *e)
{
    return err_set(e, E_NOMEM, "out of memory");
}

int err_peer(struct err *e, struct slice words)
{
    log_words(e->peer, sizeof(e->peer), slice_trim(words));
    return -1;
}

int err_ctx(struct err *e, const char *fmt, ...)
{
    char old[ERR_TEXT_MAX];
    size_t len;
    va_list ap;

    memcpy(old, e->text, sizeof(old));
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof(e->text), fmt, ap);
    va_end(ap);
    len = strlen(e->text);
    snprintf(e->text + len, sizeof(e->text) - len, ": %s", old);
    return -1;
}

int err_scope(struct err *e, enum err_scope scope)
{
    e->scope = scope;
    return -1;
}

int err_retry(struct err *e, enum err_retry retry)
{
    e->retry = retry;
    return -1;
}

void err_format(const struct err *e, char *out, size_t size)
{
    if (e->peer[0] != '\0')
        snprintf(out, size, "%s (%s)", e->text, e->peer);
    else
        snprintf(out, size, "%s", e->text);
}

int err_exit_status(enum err_code code)
{
    return rows[code].exit_status;
}

const char *err_name(enum err_code code)
{
    return rows[code].name;
}
