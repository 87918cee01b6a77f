/* SPDX-License-Identifier: MIT */
#include "proto/smtp_route.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "proto/smtp_policy.h"

enum {
    ROUTE_KEPT_MS = 5 * 60 * 1000,
    /* RFC 5321 section 5.1 wants two at least; each may cost a time limit. */
    HOPS_MAX = 10,
    BASE_NAMES = 2,
    TLSA_NAME_MAX = HOST_MAX + 16,
};

/* One server, and what was found out about it. */
struct hop {
    char host[HOST_MAX];
    bool secure; /* nobody can have forged that it is the one */
    bool looked; /* what follows is known                     */
    enum smtp_proof proof;
    char base[HOST_MAX];        /* the name that its TLSA records belong to (RFC 7672 section 2.2.3) */
    struct resolve_answer tlsa; /* those that can be used */
    bool failed;
};

/* What the DNS said. */
struct answers {
    unsigned users;
    int64_t until;         /* clock_mono_ms() */
    char domain[HOST_MAX]; /* in ASCII; "" without */
    bool policy_known;
    struct smtp_policy policy;
    size_t count;
    struct hop hops[HOPS_MAX];
};

struct smtp_route {
    struct smtp_route_options options;
    struct smtp_policies policies;
    pthread_mutex_t lock;
    struct answers *answers; /* NULL: not asked, or all have failed; a user of its own */
};

/* --- answers --- */

static void leave(struct answers *a)
{
    if (a == NULL || --a->users > 0)
        return;
    for (size_t i = 0; i < a->count; i++)
        resolve_release(&a->hops[i].tlsa);
    smtp_policy_release(&a->policy);
    free(a);
}

static void forget(struct smtp_route *r)
{
    leave(r->answers);
    r->answers = NULL;
}

static void add_hop(struct answers *a, const char *host, bool secure)
{
    struct hop *h = &a->hops[a->count++];

    snprintf(h->host, sizeof(h->host), "%s", host);
    h->secure = secure;
}

void smtp_route_sort(struct resolve_mx *mx, const uint32_t *dice, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = dice[i - 1] % i;
        struct resolve_mx m = mx[i - 1];

        mx[i - 1] = mx[other];
        mx[other] = m;
    }
    for (size_t i = 1; i < count; i++) {
        struct resolve_mx m = mx[i];
        size_t at = i;

        for (; at > 0 && mx[at - 1].preference > m.preference; at--)
            mx[at] = mx[at - 1];
        mx[at] = m;
    }
}

static int add_mx(struct answers *a, const char *domain, struct resolve_answer *found, struct err *e)
{
    uint32_t dice[RESOLVE_RECORDS_MAX];

    if (found->count == 1 && found->records.mx[0].host[0] == '\0')
        return err_set(e, E_REJECTED, "the domain %s takes no mail, and says so (its MX record names no host)", domain);
    if (getrandom(dice, sizeof(dice), 0) != (ssize_t)sizeof(dice))
        return err_sys(e, E_NOMEM, errno, "no random numbers");
    smtp_route_sort(found->records.mx, dice, found->count);
    for (size_t i = 0; i < found->count && a->count < HOPS_MAX; i++) {
        const char *host = found->records.mx[i].host;

        if (host[0] != '\0' && host[0] != '.' && !host_is_address(host))
            add_hop(a, host, found->authentic);
    }
    if (a->count > 0)
        return 0;
    return err_set(e, E_REJECTED, "the MX records of the domain %s name nothing that can be a host", domain);
}

/* RFC 5321 section 5.1. */
static int find_servers(struct answers *a, const char *domain, struct err *e)
{
    struct resolve_answer found = { .count = 0 };
    int rc = -1;

    if (host_ascii(domain, a->domain, e) != 0 || resolve(a->domain, RESOLVE_MX, &found, e) != 0) {
        err_ctx(e, "mail servers of %s", domain);
    } else if (found.count > 0) {
        rc = add_mx(a, domain, &found, e);
    } else if (found.known) {
        add_hop(a, a->domain, found.authentic);
        rc = 0;
    } else {
        err_set(e, E_NET, "the domain %s does not exist", domain);
    }
    if (rc != 0 && e->code == E_NET)
        err_retry(e, RETRY_LATER);
    resolve_release(&found);
    return rc;
}

/* *out: those in use, of which the caller is a user now. Under the lock. */
static int ask(struct smtp_route *r, const struct server *server, struct answers **out, struct err *e)
{
    char host[HOST_MAX] = "";
    struct answers *a;
    int rc = 0;

    if (r->answers != NULL && clock_mono_ms() >= r->answers->until)
        forget(r);
    if (r->answers == NULL) {
        a = calloc(1, sizeof(*a));
        if (a == NULL)
            return err_nomem(e);
        a->users = 1;
        a->until = clock_mono_ms() + ROUTE_KEPT_MS;
        if (r->options.domain != NULL)
            rc = find_servers(a, r->options.domain, e);
        else if (server->dial.host == NULL || (rc = host_ascii(server->dial.host, host, e)) == 0)
            add_hop(a, host, true);
        if (rc != 0) {
            leave(a);
            return -1;
        }
        r->answers = a;
    }
    r->answers->users++;
    *out = r->answers;
    return 0;
}

/* --- DANE --- */

static bool dane_counts(const struct server *s, const struct hop *h)
{
    const struct dial_options *dial = &s->dial;

    return h->secure && s->tls != SERVER_PLAINTEXT && dial->unix_socket == NULL && dial->tunnel == NULL &&
           dial->proxy_host == NULL && s->tls_settings.fingerprint_count == 0 && s->tls_settings.trust_file == NULL &&
           strchr(h->host, '.') != NULL && !host_is_address(h->host) && resolve_validating();
}

/* The names under which its TLSA records may stand: RFC 7672 section 2.2.2. */
static int find_bases(const char *host, char bases[BASE_NAMES][HOST_MAX], size_t *count_out, struct err *e)
{
    struct resolve_answer found;
    bool alias, secure;
    int rc = resolve(host, RESOLVE_IPV4, &found, e);

    *count_out = 0;
    /* Then it is /etc/hosts that knows the name. */
    if (rc != 0 && found.nobody)
        return 0;
    if (rc == 0 && found.count == 0) {
        resolve_release(&found);
        rc = resolve(host, RESOLVE_IPV6, &found, e);
    }
    secure = rc == 0 && found.count > 0 && found.authentic;
    alias = rc == 0 && found.count > 0 && found.name[0] != '\0' && strcasecmp(found.name, host) != 0;
    if (secure && alias)
        memcpy(bases[(*count_out)++], found.name, HOST_MAX);
    resolve_release(&found);
    if (rc == 0 && alias && !secure) {
        rc = resolve(host, RESOLVE_ALIAS, &found, e);
        secure = rc == 0 && found.count > 0 && found.authentic;
        resolve_release(&found);
    }
    if (secure)
        snprintf(bases[(*count_out)++], HOST_MAX, "%s", host);
    return rc;
}

/* RFC 7672 section 3.1: the usages of SMTP, and lengths that can be right. */
static bool usable(const struct tls_tlsa *t)
{
    static const size_t lengths[] = { 0, 32, 64 };

    return (t->usage == 2 || t->usage == 3) && t->selector <= 1 && t->matching < ARRAY_LEN(lengths) &&
           (t->matching == 0 || t->data.n == lengths[t->matching]);
}

static void keep_usable(struct resolve_answer *a)
{
    size_t n = 0;

    for (size_t i = 0; i < a->count; i++) {
        if (usable(&a->records.tlsa[i]))
            a->records.tlsa[n++] = a->records.tlsa[i];
    }
    a->count = n;
}

/* E_NET: whether there are any is not known, so the server is out. */
static int look_for_tlsa(struct hop *h, uint16_t port, struct err *e)
{
    char bases[BASE_NAMES][HOST_MAX], name[TLSA_NAME_MAX];
    size_t count;

    if (find_bases(h->host, bases, &count, e) != 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        bool found;

        snprintf(name, sizeof(name), "_%u._tcp.%.*s", (unsigned)port, HOST_MAX - 1, bases[i]);
        if (resolve(name, RESOLVE_TLSA, &h->tlsa, e) != 0)
            return -1;
        found = h->tlsa.count > 0 && h->tlsa.authentic;
        if (found)
            keep_usable(&h->tlsa);
        if (found && h->tlsa.count == 0)
            log_warn("%s: none of its TLSA records can be used: they count as if there were none", h->host);
        if (found && h->tlsa.count > 0) {
            memcpy(h->base, bases[i], HOST_MAX);
            h->proof = SMTP_PROOF_DANE;
            return 0;
        }
        resolve_release(&h->tlsa);
        if (found)
            return 0;
    }
    return 0;
}

/* --- MTA-STS --- */

static int obey_policy(struct smtp_route *r, struct answers *a, struct hop *h, struct err *e)
{
    const struct mta_sts_policy *p = &a->policy.kept.policy;
    const char *domain = r->options.domain;

    if (!a->policy_known) {
        if (smtp_policy_get(a->domain, &r->policies, &a->policy, e) != 0)
            return -1;
        a->policy_known = true;
    }
    if (!a->policy.there || p->mode == MTA_STS_NONE)
        return 0;
    if (!mta_sts_names(p, slice_str(h->host))) {
        if (p->mode == MTA_STS_ENFORCE)
            return err_set(e, E_TLS,
                           "%s is not a mail server of %s: the domain's MTA-STS policy does not name it; nothing was "
                           "sent. Somebody may have forged the MX records",
                           h->host, domain);
        log_warn("%s is not named by the MTA-STS policy of %s, which is in mode testing: it is used", h->host, domain);
    }
    if (p->mode == MTA_STS_ENFORCE)
        h->proof = SMTP_PROOF_MTA_STS;
    return 0;
}

/* --- one server --- */

static int look_up(struct smtp_route *r, struct answers *a, struct hop *h, const struct server *server, struct err *e)
{
    if (h->looked)
        return 0;
    if (stop_requested() != 0)
        return err_set(e, E_STOPPED, "stopped");
    if (dane_counts(server, h) && look_for_tlsa(h, server->dial.port, e) != 0)
        return err_retry(e, RETRY_LATER);
    if (r->options.domain != NULL && h->proof != SMTP_PROOF_DANE && obey_policy(r, a, h, e) != 0)
        return -1;
    h->looked = true;
    return 0;
}

static void aim(const struct smtp_route *r, const struct answers *a, const struct hop *h, const struct server *server,
                struct smtp_hop *out)
{
    struct tls_settings *tls = &out->server.tls_settings;

    out->server = *server;
    out->proof = h->proof;
    memcpy(out->host, h->host, sizeof(out->host));
    if (r->options.domain != NULL) {
        out->server.dial.host = tls->host = out->host;
        out->server.tls = SERVER_TLS_STARTTLS;
        tls->tickets = NULL;
    }
    if (h->proof == SMTP_PROOF_DANE) {
        tls->host = h->base;
        tls->tlsa = h->tlsa.records.tlsa;
        tls->tlsa_count = h->tlsa.count;
        tls->tlsa_also = r->options.domain != NULL ? a->domain : out->host;
        tls->tickets = NULL;
    }
}

static int enter(struct smtp_route *r, struct answers *a, struct hop *h, const struct smtp_options *options,
                 struct smtp_hop *hop, struct smtp **out, struct err *e)
{
    struct smtp_options there = *options;
    int rc;

    pthread_mutex_lock(&r->lock);
    rc = look_up(r, a, h, options->server, e);
    pthread_mutex_unlock(&r->lock);
    if (rc != 0)
        return -1;
    aim(r, a, h, options->server, hop);
    there.server = &hop->server;
    rc = smtp_open(&there, out, e);
    hop->server.tls_settings.host = options->server->tls_settings.host;
    hop->server.tls_settings.tlsa = NULL;
    hop->server.tls_settings.tlsa_also = NULL;
    hop->server.tls_settings.tlsa_count = 0;
    return rc;
}

/* What another server of the domain cannot mend. */
static bool is_ours(const struct err *e)
{
    return e->code == E_STOPPED || e->code == E_NOMEM || e->code == E_CONFIG;
}

static struct hop *next_hop(struct smtp_route *r, struct answers *a)
{
    struct hop *h = NULL;

    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < a->count && h == NULL; i++) {
        if (!a->hops[i].failed)
            h = &a->hops[i];
    }
    if (h == NULL && r->answers == a)
        forget(r);
    pthread_mutex_unlock(&r->lock);
    return h;
}

static void note_failure(struct smtp_route *r, struct hop *h, const struct err *e)
{
    char words[ERR_TEXT_MAX + ERR_PEER_MAX];

    pthread_mutex_lock(&r->lock);
    h->failed = true;
    pthread_mutex_unlock(&r->lock);
    if (r->options.domain == NULL)
        return;
    err_format(e, words, sizeof(words));
    log_at(e->code == E_TLS ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "mail server of %s: %s", r->options.domain, words);
}

/* Until one is entered. *e: the first E_TLS, or else the first error. */
static int enter_any(struct smtp_route *r, struct answers *a, const struct smtp_options *options, struct smtp_hop *hop,
                     struct smtp **out, struct err *e)
{
    struct err met, first = ERR_INIT;
    struct hop *h;

    while ((h = next_hop(r, a)) != NULL) {
        if (enter(r, a, h, options, hop, out, &met) == 0)
            return 0;
        if (first.code == E_NONE || is_ours(&met) || (met.code == E_TLS && first.code != E_TLS))
            first = met;
        if (is_ours(&met))
            break;
        note_failure(r, h, &met);
    }
    if (first.code == E_NONE)
        err_set(&first, E_NET, "no mail server can be reached");
    *e = first;
    return -1;
}

static int enter_further(struct smtp_route *r, struct answers *a, const struct smtp_options *options,
                         struct smtp_hop *hop, struct smtp **out, struct err *e)
{
    struct hop *h = next_hop(r, a);

    return h != NULL ? enter(r, a, h, options, hop, out, e) : err_set(e, E_NET, "no mail server can be reached");
}

int smtp_route_open(struct smtp_route *r, const struct smtp_options *options, bool further, struct smtp_hop *hop,
                    struct smtp **out, struct err *e)
{
    struct answers *a;
    int rc;

    pthread_mutex_lock(&r->lock);
    rc = ask(r, options->server, &a, e);
    pthread_mutex_unlock(&r->lock);
    if (rc != 0)
        return -1;
    rc = further ? enter_further(r, a, options, hop, out, e) : enter_any(r, a, options, hop, out, e);
    pthread_mutex_lock(&r->lock);
    leave(a);
    pthread_mutex_unlock(&r->lock);
    return rc;
}

struct smtp_route *smtp_route_new(const struct smtp_route_options *options)
{
    struct smtp_route *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return NULL;
    r->options = *options;
    r->policies = (struct smtp_policies){ .state = options->state, .read_only = true };
    pthread_mutex_init(&r->lock, NULL);
    return r;
}

void smtp_route_may_write(struct smtp_route *r)
{
    r->policies.read_only = false;
}

void smtp_route_free(struct smtp_route **rp)
{
    struct smtp_route *r = *rp;

    if (r == NULL)
        return;
    forget(r);
    pthread_mutex_destroy(&r->lock);
    free(r);
    *rp = NULL;
}
