/* SPDX-License-Identifier: MIT */
#include "proto/smtp_policy.h"

#include <fcntl.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "net/https.h"
#include "net/resolve.h"

enum {
    DAY_S = 86400, /* RFC 8461 section 3.3: how often a policy in force is looked at again */
    STS_NAME_MAX = HOST_MAX + 64,
    STS_PATH_MAX = 4096,
};

/* --- the file --- */

/* Its directory, and its name in it. */
static int open_directory(const char *state, struct buf *name, int *dir_out)
{
    const char *slash = strrchr(state, '/');
    char *directory = slash != NULL ? slice_dup(slice_make(state, (size_t)(slash - state) + 1)) : strdup(".");
    int rc = -1;

    *dir_out = directory != NULL ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (*dir_out >= 0)
        rc = buf_putf(name, "%s.mta-sts", slash != NULL ? slash + 1 : state);
    if (rc != 0)
        io_close(dir_out);
    free(directory);
    return rc;
}

static bool in_force(const struct mta_sts_kept *k)
{
    uint64_t now = (uint64_t)clock_wall();

    /* What was kept in the future was kept by a clock that was wrong. */
    return k->fetched <= now + DAY_S && now < k->fetched + k->policy.max_age;
}

static void load(const char *state, const char *domain, struct smtp_policy *out)
{
    struct buf name = BUF_INIT(STS_PATH_MAX), text = BUF_INIT(MTA_STS_KEPT_MAX);
    int dir = -1, fd = -1;

    if (state != NULL && open_directory(state, &name, &dir) == 0)
        fd = openat(dir, buf_cstr(&name), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && io_read_all(fd, &text) == 0 && mta_sts_parse_kept(buf_slice(&text), &out->kept) == 0)
        out->there = strcasecmp(out->kept.domain, domain) == 0 && in_force(&out->kept);
    if (!out->there)
        smtp_policy_release(out);
    io_close(&fd);
    io_close(&dir);
    buf_release(&name);
    buf_release(&text);
}

/* It is asked for again where it cannot be kept. */
static void keep(const char *state, const struct mta_sts_kept *k)
{
    struct buf name = BUF_INIT(STS_PATH_MAX), text = BUF_INIT(MTA_STS_KEPT_MAX);
    int dir = -1;

    if (open_directory(state, &name, &dir) != 0 || mta_sts_put_kept(k, &text) != 0 ||
        io_replace_file(dir, buf_cstr(&name), buf_slice(&text), false) != 0)
        log_debug("the MTA-STS policy of %s cannot be kept in the state directory", k->domain);
    io_close(&dir);
    buf_release(&name);
    buf_release(&text);
}

/* --- the record --- */

/* RFC 8461 section 3.1: exactly one. */
static bool find_id(const char *domain, char id_out[MTA_STS_ID_MAX + 1])
{
    struct resolve_answer found = { .count = 0 };
    const struct slice *record = NULL;
    char name[STS_NAME_MAX];
    struct err e;
    size_t n = 0;
    bool ok;

    snprintf(name, sizeof(name), "_mta-sts.%s", domain);
    if (resolve(name, RESOLVE_TXT, &found, &e) != 0)
        log_debug("MTA-STS of %s: %s", domain, e.text);
    for (size_t i = 0; i < found.count; i++) {
        if (mta_sts_is_record(found.records.txt[i])) {
            record = &found.records.txt[i];
            n++;
        }
    }
    ok = n == 1 && mta_sts_parse_record(*record, id_out) == 0;
    if (n > 0 && !ok)
        log_warn("the MTA-STS record of %s is none: what RFC 8461 asks for is one, with an id", domain);
    resolve_release(&found);
    return ok;
}

/* --- the policy --- */

static int fetch(const char *domain, struct mta_sts_policy *out, struct err *e)
{
    struct https_response response = { .status = 0 };
    char url[STS_NAME_MAX + 64];
    int rc = -1;

    snprintf(url, sizeof(url), "https://mta-sts.%s/.well-known/mta-sts.txt", domain);
    if (https_get(url, MTA_STS_POLICY_MAX, &response, e) != 0)
        goto out;
    if (response.status != 200)
        err_set(e, E_PROTO, "%s: the server answers with HTTP status %u", url, response.status);
    else if (!slice_istarts(slice_str(response.type), SLICE("text/plain")))
        err_set(e, E_PROTO, "%s: what the server sends is not text/plain", url);
    else if (mta_sts_parse_policy(buf_slice(&response.body), out) != 0)
        err_set(e, E_PROTO, "%s: what the server sends is no MTA-STS policy", url);
    else
        rc = 0;
out:
    https_release(&response);
    return rc;
}

int smtp_policy_get(const char *domain, const struct smtp_policies *kept, struct smtp_policy *out, struct err *e)
{
    struct mta_sts_kept fresh = { .fetched = (uint64_t)clock_wall() };

    *out = (struct smtp_policy){ .there = false };
    load(kept->state, domain, out);
    if (!find_id(domain, fresh.id))
        return 0;
    if (out->there && strcmp(out->kept.id, fresh.id) == 0 && fresh.fetched < out->kept.fetched + DAY_S)
        return 0;
    if (fetch(domain, &fresh.policy, e) != 0) {
        mta_sts_policy_release(&fresh.policy);
        if (e->code == E_STOPPED || e->code == E_NOMEM)
            return -1;
        log_warn("the MTA-STS policy of %s cannot be had (%s); %s", domain, e->text,
                 out->there ? "the one that is kept stays in force" : "none is in force");
        return 0;
    }
    snprintf(fresh.domain, sizeof(fresh.domain), "%s", domain);
    smtp_policy_release(out);
    *out = (struct smtp_policy){ .there = true, .kept = fresh };
    if (kept->state != NULL && !kept->read_only)
        keep(kept->state, &out->kept);
    return 0;
}

void smtp_policy_release(struct smtp_policy *p)
{
    mta_sts_policy_release(&p->kept.policy);
    p->there = false;
}
