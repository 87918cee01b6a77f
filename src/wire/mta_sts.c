/* SPDX-License-Identifier: MIT */
#include "wire/mta_sts.h"

#include "base/num.h"

static const char *const modes[] = {
    [MTA_STS_NONE] = "none", [MTA_STS_TESTING] = "testing", [MTA_STS_ENFORCE] = "enforce"
};

static bool is_alnum(char c)
{
    return ascii_isdigit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

/* Up to `stop`, which is taken too, or all there is. */
static struct slice take_until(struct slice *s, char stop)
{
    const char *p = s->n > 0 ? memchr(s->p, stop, s->n) : NULL;
    struct slice found = slice_make(s->p, p != NULL ? (size_t)(p - s->p) : s->n);

    *s = slice_from(*s, found.n + (p != NULL));
    return found;
}

/* --- the TXT record --- */

static bool is_id(struct slice id)
{
    for (size_t i = 0; i < id.n; i++) {
        if (!is_alnum(id.p[i]))
            return false;
    }
    return id.n > 0 && id.n <= MTA_STS_ID_MAX;
}

static void put_id(struct slice id, char out[MTA_STS_ID_MAX + 1])
{
    memcpy(out, id.p, id.n);
    out[id.n] = '\0';
}

bool mta_sts_is_record(struct slice record)
{
    struct slice version = take_until(&record, ';');

    return slice_eq(slice_trim(version), SLICE("v=STSv1"));
}

int mta_sts_parse_record(struct slice record, char id_out[MTA_STS_ID_MAX + 1])
{
    bool found = false;

    if (!mta_sts_is_record(record))
        return -1;
    take_until(&record, ';');
    while (record.n > 0) {
        struct slice value = slice_trim(take_until(&record, ';')), name;
        /* Nothing but a delimiter may end the record without a field. */
        if (value.n == 0 && slice_trim(record).n > 0)
            return -1;
        if (value.n == 0)
            break;
        name = take_until(&value, '=');
        if (name.n == 0 || value.n == 0)
            return -1;
        if (found || !slice_eq(name, SLICE("id")))
            continue;
        if (!is_id(value))
            return -1;
        put_id(value, id_out);
        found = true;
    }
    return found ? 0 : -1;
}

/* --- the policy --- */

static bool is_pattern(struct slice s)
{
    if (slice_starts(s, SLICE("*.")))
        s = slice_from(s, 2);
    if (s.n == 0 || s.n > MTA_STS_HOST_MAX || s.p[0] == '.')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_alnum(s.p[i]) && strchr("-_.", s.p[i]) == NULL)
            return false;
        if (i > 0 && s.p[i] == '.' && s.p[i - 1] == '.')
            return false;
    }
    return true;
}

/* The next "name: value" of a file in lines; *broken_out: a line that is none. False: no more lines. */
static bool next_field(struct slice *text, struct slice *name_out, struct slice *value_out, bool *broken_out)
{
    while (text->n > 0) {
        struct slice line = slice_trim(take_until(text, '\n'));

        if (line.n == 0)
            continue;
        *broken_out = memchr(line.p, ':', line.n) == NULL || slice_has_nul(line);
        *name_out = take_until(&line, ':');
        *value_out = slice_trim(line);
        return true;
    }
    return false;
}

struct seen {
    bool version, mode, max_age, mx;
};

static int take_mode(struct slice value, enum mta_sts_mode *out)
{
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        if (slice_eq(value, slice_str(modes[i]))) {
            *out = (enum mta_sts_mode)i;
            return 0;
        }
    }
    return -1;
}

static int take_field(struct slice name, struct slice value, struct seen *seen, struct mta_sts_policy *out)
{
    if (slice_eq(name, SLICE("mx"))) {
        seen->mx = true;
        return is_pattern(value) && buf_put_slice(&out->patterns, value) == 0 ? buf_put_char(&out->patterns, '\0') : -1;
    }
    if (slice_eq(name, SLICE("version")) && !seen->version) {
        seen->version = true;
        return slice_eq(value, SLICE("STSv1")) ? 0 : -1;
    }
    if (slice_eq(name, SLICE("mode")) && !seen->mode) {
        seen->mode = true;
        return take_mode(value, &out->mode);
    }
    if (slice_eq(name, SLICE("max_age")) && !seen->max_age) {
        uint64_t age;

        seen->max_age = true;
        if (value.n > 10 || num_parse_u64(value, &age) != 0)
            return -1;
        out->max_age = age < MTA_STS_AGE_MAX ? (uint32_t)age : MTA_STS_AGE_MAX;
    }
    return 0;
}

static int parse_policy(struct slice body, size_t max, struct mta_sts_policy *out)
{
    struct seen seen = { .version = false };
    struct slice name, value;
    bool broken;

    *out = (struct mta_sts_policy){ .patterns = BUF_INIT(max) };
    if (body.n > max)
        return -1;
    while (next_field(&body, &name, &value, &broken)) {
        if (broken || take_field(name, value, &seen, out) != 0)
            return -1;
    }
    if (!seen.version || !seen.mode || !seen.max_age)
        return -1;
    return seen.mx || out->mode == MTA_STS_NONE ? 0 : -1;
}

int mta_sts_parse_policy(struct slice body, struct mta_sts_policy *out)
{
    return parse_policy(body, MTA_STS_POLICY_MAX, out);
}

void mta_sts_policy_release(struct mta_sts_policy *p)
{
    buf_release(&p->patterns);
}

static bool matches(struct slice pattern, struct slice host)
{
    if (!slice_starts(pattern, SLICE("*.")))
        return slice_ieq(pattern, host);
    if (take_until(&host, '.').n == 0)
        return false;
    return slice_ieq(slice_from(pattern, 2), host);
}

static struct slice without_dot(struct slice name)
{
    return name.n > 0 && name.p[name.n - 1] == '.' ? slice_make(name.p, name.n - 1) : name;
}

bool mta_sts_names(const struct mta_sts_policy *p, struct slice host)
{
    struct slice left = buf_slice(&p->patterns);

    while (left.n > 0) {
        if (matches(without_dot(take_until(&left, '\0')), without_dot(host)))
            return true;
    }
    return false;
}

/* --- in a file --- */

int mta_sts_put_kept(const struct mta_sts_kept *k, struct buf *out)
{
    struct slice left = buf_slice(&k->policy.patterns);

    if (buf_putf(out, "kept-domain: %s\nkept-id: %s\nkept-since: %" PRIu64 "\n", k->domain, k->id, k->fetched) != 0 ||
        buf_putf(out, "version: STSv1\nmode: %s\nmax_age: %" PRIu32 "\n", modes[k->policy.mode], k->policy.max_age) !=
            0)
        return -1;
    while (left.n > 0) {
        if (buf_putf(out, "mx: %s\n", left.p) != 0)
            return -1;
        take_until(&left, '\0');
    }
    return 0;
}

int mta_sts_parse_kept(struct slice file, struct mta_sts_kept *k)
{
    struct slice left = file, name, value;
    bool broken;

    *k = (struct mta_sts_kept){ .fetched = 0 };
    if (parse_policy(file, MTA_STS_KEPT_MAX, &k->policy) != 0)
        return -1;
    while (next_field(&left, &name, &value, &broken)) {
        if (slice_eq(name, SLICE("kept-domain")) && is_pattern(value))
            memcpy(k->domain, value.p, size_min(value.n, MTA_STS_HOST_MAX));
        else if (slice_eq(name, SLICE("kept-id")) && is_id(value))
            put_id(value, k->id);
        else if (slice_eq(name, SLICE("kept-since")) && num_parse_u64(value, &k->fetched) != 0)
            return -1;
    }
    return k->domain[0] != '\0' && k->id[0] != '\0' && k->fetched > 0 ? 0 : -1;
}
