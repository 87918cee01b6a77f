/* SPDX-License-Identifier: MIT */
#include "haul/envelope.h"

#include "base/array.h"
#include "wire/address.h"
#include "wire/crlf.h"
#include "wire/fields.h"
#include "wire/limits.h"

enum { PIECE = 16 * 1024 };

struct reading {
    const struct envelope_rules *rules;
    struct envelope *v;
    struct fields fields;
    size_t recipient_cap;
    size_t seen; /* addresses that counted, doubles among them */
    bool no_memory;
};

static bool is_one_of(struct slice name, const char *const *list)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
        if (slice_ieq(name, slice_str(list[i])))
            return true;
    }
    return false;
}

static bool is_ascii(const char *s)
{
    while (*s != '\0' && (unsigned char)*s < 0x80)
        s++;
    return *s == '\0';
}

static char *keep(struct reading *r, struct slice s)
{
    char *copy = slice_dup(s);

    r->no_memory = r->no_memory || copy == NULL;
    return copy;
}

/* --- recipients --- */

static bool same_mailbox(const struct address *a, struct slice b)
{
    return slice_starts(b, a->local) && slice_ieq(slice_from(a->text, a->local.n), slice_from(b, a->local.n));
}

static void add_recipient(struct reading *r, const struct address *a)
{
    struct envelope *v = r->v;

    if (++r->seen > ENVELOPE_RECIPIENTS_MAX) {
        v->too_many = true;
        return;
    }
    for (size_t i = 0; i < v->recipient_count; i++) {
        if (same_mailbox(a, slice_str(v->recipients[i])))
            return;
    }
    if (v->recipient_count == r->recipient_cap) {
        char **more = array_grow(v->recipients, &r->recipient_cap, sizeof(*more));

        if (more == NULL) {
            r->no_memory = true;
            return;
        }
        v->recipients = more;
    }
    v->recipients[v->recipient_count] = keep(r, a->text);
    if (v->recipients[v->recipient_count] != NULL)
        v->recipient_count++;
}

/* What is left of an address behind the prefix may be none any more ("" in front of the @). */
static bool strip_prefix(const char *prefix, struct address *a)
{
    if (prefix == NULL || !slice_starts(a->local, slice_str(prefix)))
        return true;
    return address_parse(slice_from(a->text, strlen(prefix)), a) == 0;
}

static void take_multidrop(struct reading *r, struct slice value)
{
    const char *const *domains = r->rules->to_domains;
    bool any_domain = domains == NULL || domains[0] == NULL;
    struct address a;

    /* Its last address may have lost its end. */
    if (r->fields.cut)
        r->v->too_many = true;
    while (!r->v->too_many && address_next(&value, &a)) {
        if (strip_prefix(r->rules->to_strip_prefix, &a) && (any_domain || is_one_of(a.domain, domains)))
            add_recipient(r, &a);
    }
}

static void drop_recipients(struct envelope *v)
{
    for (size_t i = 0; i < v->recipient_count; i++)
        free(v->recipients[i]);
    v->recipient_count = 0;
}

static void add_named(struct reading *r, const char *address)
{
    struct address a;

    if (address != NULL && address_parse(slice_str(address), &a) == 0)
        add_recipient(r, &a);
}

static void settle_recipients(struct reading *r)
{
    const struct envelope_rules *rules = r->rules;

    if (rules->to_header == NULL) {
        for (size_t i = 0; rules->to != NULL && rules->to[i] != NULL; i++)
            add_named(r, rules->to[i]);
    } else if (r->seen == 0 && !r->v->too_many) {
        add_named(r, rules->to_fallback);
    }
    if (r->v->too_many)
        drop_recipients(r->v);
}

/* --- the header --- */

static void take_return_path(struct reading *r, struct slice value)
{
    const char *from = r->rules->from;
    struct address a;

    if (r->v->sender != NULL)
        return;
    if (address_is_null(value))
        r->v->sender = keep(r, SLICE(""));
    else if (address_parse(value, &a) == 0 && a.domain.n > 0)
        r->v->sender = keep(r, a.text);
    else
        r->v->sender = keep(r, slice_str(from != NULL ? from : ""));
}

static void take_delivered_to(struct reading *r, struct slice value)
{
    struct address a;

    if (r->v->delivered_to == NULL && address_next(&value, &a))
        r->v->delivered_to = keep(r, a.text);
}

static void take_message_id(struct reading *r, struct slice value)
{
    if (r->v->message_id != NULL || value.n == 0)
        return;
    value.n = size_min(value.n, LIMIT_MESSAGE_ID);
    r->v->message_id = keep(r, value);
    for (char *p = r->v->message_id; p != NULL && p < r->v->message_id + value.n; p++)
        *p = *p >= ' ' && *p < 0x7f ? *p : '?';
}

/* Without a domain it is no address but a name, and names may hold anything. */
static void look_for_utf8(struct reading *r, struct slice value)
{
    struct address a;

    while (!r->v->utf8 && address_next(&value, &a))
        r->v->utf8 = a.utf8 && a.domain.n > 0;
}

static int take_field(void *ctx, struct slice name, struct slice value)
{
    static const char *const addresses[] = { "From",      "Sender",    "Reply-To",    "To",
                                             "Cc",        "Bcc",       "Resent-From", "Resent-Sender",
                                             "Resent-To", "Resent-Cc", "Resent-Bcc",  NULL };
    static const char *const delivered_to[] = { "Delivered-To", "X-Original-To", "Envelope-To", NULL };
    struct reading *r = ctx;

    if (slice_ieq(name, SLICE("Received")))
        r->v->hops++;
    else if (slice_ieq(name, SLICE("Return-Path")))
        take_return_path(r, value);
    else if (slice_ieq(name, SLICE("Message-ID")))
        take_message_id(r, value);
    else if (is_one_of(name, delivered_to))
        take_delivered_to(r, value);
    else if (is_one_of(name, addresses))
        look_for_utf8(r, value);
    if (r->rules->to_header != NULL && slice_ieq(name, slice_str(r->rules->to_header)))
        take_multidrop(r, value);
    return r->no_memory;
}

static void feed(struct reading *r, struct slice bytes)
{
    if (fields_feed(&r->fields, bytes) != 0)
        r->no_memory = true;
}

/* The header is read in the form in which the message is handed on: a CR alone ends a line here as it will there. */
static int read_header(const struct spool_file *file, struct reading *r, struct err *e)
{
    struct crlf crlf = CRLF_INIT(CRLF_SMTP);
    char piece[PIECE], out[PIECE];
    uint64_t at = 0;
    size_t n = 1;
    int rc = -1;

    fields_init(&r->fields, take_field, r);
    while (!r->fields.done && !r->no_memory && n > 0 && at < ENVELOPE_HEADER_MAX) {
        struct slice in;

        if (spool_read(file, at, piece, sizeof(piece), &n, e) != 0)
            goto out;
        in = slice_make(piece, n);
        while (in.n > 0)
            feed(r, slice_make(out, crlf_put(&crlf, &in, out, sizeof(out))));
        at += n;
    }
    /* At the limit, the field that has begun is not whole. */
    if (n == 0) {
        feed(r, slice_make(out, crlf_end(&crlf, out)));
        fields_end(&r->fields);
    }
    rc = r->no_memory ? err_nomem(e) : 0;
out:
    fields_release(&r->fields);
    return rc;
}

int envelope_read(const struct spool_file *file, const struct envelope_rules *rules, struct envelope *out,
                  struct err *e)
{
    struct reading r = { .rules = rules, .v = out };

    *out = (struct envelope){ 0 };
    if (read_header(file, &r, e) != 0)
        goto fail;
    settle_recipients(&r);
    if (out->sender == NULL)
        out->sender = keep(&r, slice_str(rules->from != NULL ? rules->from : ""));
    if (r.no_memory) {
        err_nomem(e);
        goto fail;
    }
    out->utf8 = out->utf8 || !is_ascii(out->sender);
    for (size_t i = 0; i < out->recipient_count && !out->utf8; i++)
        out->utf8 = !is_ascii(out->recipients[i]);
    return 0;
fail:
    envelope_release(out);
    return -1;
}

void envelope_release(struct envelope *v)
{
    drop_recipients(v);
    free(v->recipients);
    free(v->sender);
    free(v->delivered_to);
    free(v->message_id);
    *v = (struct envelope){ 0 };
}
