/* SPDX-License-Identifier: MIT */
#include "conf/conf_int.h"

/* The table of keys says what there is to compare, so that a new key is compared, too. */

static const void *field_of(const struct conf_key *key, const void *target)
{
    return (const char *)target + key->offset;
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_strings(const struct conf_strings *a, const struct conf_strings *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        if (strcmp(a->v[i], b->v[i]) != 0)
            return false;
    }
    return true;
}

static bool same_secret(const struct secret *a, const struct secret *b)
{
    return secret_is_set(a) == secret_is_set(b) && slice_eq(secret_get(a), secret_get(b));
}

static bool same_proxy(const struct conf_account *a, const struct conf_account *b)
{
    return a->proxy_port == b->proxy_port && same_text(a->proxy_host, b->proxy_host) &&
           same_text(a->proxy_user, b->proxy_user) && same_secret(&a->proxy_password, &b->proxy_password);
}

static bool same_listen(const struct conf *a, const struct conf *b)
{
    return a->metrics_port == b->metrics_port && same_text(a->metrics_address, b->metrics_address);
}

static bool same_value(const struct conf_key *key, const void *a, const void *b)
{
    switch (key->kind) {
    case KIND_LATER:
        return true;
    case KIND_BOOL:
    case KIND_NUMBER:
    case KIND_OCTETS:
    case KIND_LEAVE:
    case KIND_CHOICE:
    case KIND_PROVIDER:
        return key->size == 0 || memcmp(field_of(key, a), field_of(key, b), key->size) == 0;
    case KIND_SECRET:
        return same_secret(field_of(key, a), field_of(key, b));
    case KIND_PROXY:
        return same_proxy(a, b);
    case KIND_LISTEN:
        return same_listen(a, b);
    case KIND_STRING:
    case KIND_HOST:
    case KIND_PATH:
    case KIND_ADDRESS:
    case KIND_MAILBOX:
    case KIND_FOLDER:
    case KIND_FIELD:
    case KIND_URL:
    case KIND_TENANT:
        return same_text(*(char *const *)field_of(key, a), *(char *const *)field_of(key, b));
    case KIND_LIST:
    case KIND_ARGV:
    case KIND_PATTERNS:
    case KIND_FINGERPRINTS:
    case KIND_AUTH:
    case KIND_SCOPES:
    case KIND_MAILBOXES:
    case KIND_DOMAINS:
        return same_strings(field_of(key, a), field_of(key, b));
    }
    return false;
}

static bool same_values(unsigned where, const void *a, const void *b)
{
    for (size_t i = 0; i < conf_key_count; i++) {
        if (conf_keys[i].where == where && !same_value(&conf_keys[i], a, b))
            return false;
    }
    return true;
}

bool conf_account_equal(const struct conf_account *a, const struct conf_account *b)
{
    if (strcmp(a->name, b->name) != 0 || a->deliver_count != b->deliver_count || !same_values(IN_ACCOUNT, a, b))
        return false;
    for (size_t i = 0; i < a->deliver_count; i++) {
        if (strcmp(a->delivers[i].name, b->delivers[i].name) != 0 ||
            !same_values(IN_DELIVER, &a->delivers[i], &b->delivers[i]))
            return false;
    }
    return true;
}

/* Nobody may be there to type it again. A copy, because a pass may be reading the other one. */
static int carry_typed(const struct conf_login *from, struct conf_login *to, struct err *e)
{
    if (!from->typed || conf_login_has_source(to) || conf_login_is_oauth(to) || !same_text(from->user, to->user) ||
        !same_text(from->machine, to->machine))
        return 0;
    to->typed = true;
    return secret_set(&to->password, secret_get(&from->password)) == 0 ? 0 : err_nomem(e);
}

static int carry_typed_all(const struct conf_account *from, struct conf_account *to, struct err *e)
{
    if (carry_typed(&from->login, &to->login, e) != 0)
        return -1;
    for (size_t i = 0; i < to->deliver_count; i++) {
        for (size_t k = 0; k < from->deliver_count; k++) {
            if (strcmp(from->delivers[k].name, to->delivers[i].name) == 0 &&
                carry_typed(&from->delivers[k].login, &to->delivers[i].login, e) != 0)
                return -1;
        }
    }
    return 0;
}

static int carry_text(const char *from, char **to, struct err *e)
{
    char *copy = from != NULL ? strdup(from) : NULL;

    if (from != NULL && copy == NULL)
        return err_nomem(e);
    free(*to);
    *to = copy;
    return 0;
}

static int carry_value(const struct conf_key *key, const struct conf *from, struct conf *to, struct err *e)
{
    switch (key->kind) {
    case KIND_LISTEN:
        to->metrics_port = from->metrics_port;
        return carry_text(from->metrics_address, &to->metrics_address, e);
    case KIND_PATH:
        return carry_text(*(char *const *)field_of(key, from), (char **)(void *)((char *)to + key->offset), e);
    default:
        memcpy((char *)to + key->offset, field_of(key, from), key->size);
        return 0;
    }
}

static int carry_fixed(const struct conf *before, struct conf *now, struct buf *names, struct err *e)
{
    for (size_t i = 0; i < conf_key_count; i++) {
        const struct conf_key *key = &conf_keys[i];

        if (!key->fixed || same_value(key, before, now))
            continue;
        if (carry_value(key, before, now, e) != 0)
            return -1;
        if (buf_putf(names, "%s%s", names->len > 0 ? ", " : "", key->name) != 0)
            return err_nomem(e);
    }
    return 0;
}

/* Most accounts stand where they stood, or a few places away from it. */
static struct conf_account **find_near(const struct conf *c, const char *name, size_t *near)
{
    for (size_t i = 0; i < c->account_count; i++) {
        size_t at = (*near + i) % c->account_count;

        if (strcmp(c->accounts[at]->name, name) == 0) {
            *near = at + 1;
            return &c->accounts[at];
        }
    }
    return NULL;
}

int conf_carry_over(const struct conf *before, struct conf *now, size_t *same_out, struct buf *fixed_out, struct err *e)
{
    size_t near = 0;

    *same_out = 0;
    if (carry_fixed(before, now, fixed_out, e) != 0)
        return -1;
    if (conf_set_states(now) != 0)
        return err_nomem(e);
    for (size_t i = 0; i < now->account_count; i++) {
        struct conf_account **old = find_near(before, now->accounts[i]->name, &near);

        if (old != NULL && carry_typed_all(*old, now->accounts[i], e) != 0)
            return -1;
    }
    near = 0;
    for (size_t i = 0; i < now->account_count; i++) {
        struct conf_account *a = now->accounts[i], **old = find_near(before, a->name, &near);

        if (old == NULL || !conf_account_equal(*old, a))
            continue;
        now->accounts[i] = *old;
        *old = a;
        (*same_out)++;
    }
    return 0;
}
