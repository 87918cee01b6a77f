/* SPDX-License-Identifier: MIT */
#include "net/resolve.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <arpa/nameser_compat.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>

enum {
    ANSWER_MAX = 65535, /* RFC 1035 section 4.2.2 */
    ALIASES_MAX = 16,
    WAIT_S = 5,
    ROUNDS = 2,
    TYPE_TLSA = 52, /* RFC 6698 section 7.1 */
    TLSA_HEAD = 3,
};

static const int types[] = { [RESOLVE_IPV4] = ns_t_a, [RESOLVE_IPV6] = ns_t_aaaa, [RESOLVE_ALIAS] = ns_t_cname,
                             [RESOLVE_MX] = ns_t_mx,  [RESOLVE_TXT] = ns_t_txt,   [RESOLVE_TLSA] = TYPE_TLSA };

/* --- from bytes to records --- */

/* False also for the root, whose name is "." here and "" to dn_expand(). */
static bool is_host(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

    return n > 0 && n < HOST_MAX && name[n] == '\0' && name[0] != '.';
}

/* "" when it is none. */
static void put_host(const char *name, char out[HOST_MAX])
{
    out[0] = '\0';
    if (is_host(name))
        memcpy(out, name, strlen(name) + 1);
}

static int expand(const ns_msg *m, const unsigned char *from, char out[NS_MAXDNAME])
{
    return dn_expand(ns_msg_base(*m), ns_msg_end(*m), from, out, NS_MAXDNAME) < 0 ? -1 : 0;
}

/* Goes from `name` to where its aliases lead. */
static int follow(ns_msg *m, char name[NS_MAXDNAME])
{
    char next[NS_MAXDNAME];
    bool moved = true;
    ns_rr rr;

    for (unsigned hops = 0; moved; hops++) {
        moved = false;
        if (hops > ALIASES_MAX)
            return -1;
        for (int i = 0; i < ns_msg_count(*m, ns_s_an) && !moved; i++) {
            if (ns_parserr(m, ns_s_an, i, &rr) != 0)
                return -1;
            if (ns_rr_type(rr) != ns_t_cname || strcasecmp(ns_rr_name(rr), name) != 0)
                continue;
            if (expand(m, ns_rr_rdata(rr), next) != 0)
                return -1;
            moved = strcasecmp(next, name) != 0;
            snprintf(name, NS_MAXDNAME, "%s", next);
        }
    }
    return 0;
}

static int take_mx(const ns_msg *m, const ns_rr *rr, struct resolve_mx *out)
{
    char host[NS_MAXDNAME];

    if (ns_rr_rdlen(*rr) < 3 || expand(m, ns_rr_rdata(*rr) + 2, host) != 0)
        return -1;
    out->preference = ns_get16(ns_rr_rdata(*rr));
    put_host(host, out->host);
    if (out->host[0] == '\0' && host[0] != '\0' && strcmp(host, ".") != 0)
        snprintf(out->host, sizeof(out->host), ".");
    return 0;
}

/* `data` has room enough: slices into it stay good. */
static int take_txt(const ns_rr *rr, struct buf *data, struct slice *out)
{
    const unsigned char *p = ns_rr_rdata(*rr), *end = p + ns_rr_rdlen(*rr);
    size_t start = data->len;

    for (; p < end; p += 1 + *p) {
        if ((size_t)(end - p) < 1 + (size_t)*p || buf_put(data, p + 1, *p) != 0)
            return -1;
    }
    *out = slice_from(buf_slice(data), start);
    return 0;
}

static int take_tlsa(const ns_rr *rr, struct buf *data, struct tls_tlsa *out)
{
    const unsigned char *p = ns_rr_rdata(*rr);
    size_t start = data->len;

    if (ns_rr_rdlen(*rr) <= TLSA_HEAD || buf_put(data, p + TLSA_HEAD, ns_rr_rdlen(*rr) - (size_t)TLSA_HEAD) != 0)
        return -1;
    *out = (struct tls_tlsa){
        .usage = p[0], .selector = p[1], .matching = p[2], .data = slice_from(buf_slice(data), start)
    };
    return 0;
}

/* One record more of `out`. A record that is none is passed over: the others are as good as before. */
static void take(const ns_msg *m, const ns_rr *rr, enum resolve_type type, struct resolve_answer *out)
{
    size_t n = out->count;
    int rc = 0;

    if (type == RESOLVE_MX)
        rc = take_mx(m, rr, &out->records.mx[n]);
    else if (type == RESOLVE_TXT)
        rc = take_txt(rr, &out->data, &out->records.txt[n]);
    else if (type == RESOLVE_TLSA)
        rc = take_tlsa(rr, &out->data, &out->records.tlsa[n]);
    if (rc == 0)
        out->count++;
}

static int make_room(size_t answer, enum resolve_type type, struct resolve_answer *out)
{
    static const size_t sizes[] = { [RESOLVE_MX] = sizeof(struct resolve_mx),
                                    [RESOLVE_TXT] = sizeof(struct slice),
                                    [RESOLVE_TLSA] = sizeof(struct tls_tlsa) };

    buf_init(&out->data, 2 * ANSWER_MAX);
    if (type < RESOLVE_MX)
        return 0;
    out->records.any = calloc(RESOLVE_RECORDS_MAX, sizes[type]);
    return out->records.any != NULL ? buf_reserve(&out->data, answer + 1) : -1;
}

int resolve_parse(struct slice answer, enum resolve_type type, struct resolve_answer *out)
{
    char name[NS_MAXDNAME];
    ns_msg m;
    ns_rr rr;

    *out = (struct resolve_answer){ .count = 0 };
    if (answer.n > ANSWER_MAX || ns_initparse((const unsigned char *)answer.p, (int)answer.n, &m) != 0 ||
        ns_msg_count(m, ns_s_qd) != 1 || ns_parserr(&m, ns_s_qd, 0, &rr) != 0)
        return -1;
    snprintf(name, sizeof(name), "%s", ns_rr_name(rr));
    if (type != RESOLVE_ALIAS && follow(&m, name) != 0)
        return -1;
    if (make_room(answer.n, type, out) != 0)
        return -1;
    out->known = ns_msg_getflag(m, ns_f_rcode) == ns_r_noerror;
    out->authentic = ns_msg_getflag(m, ns_f_ad) != 0;
    put_host(name, out->name);
    for (int i = 0; i < ns_msg_count(m, ns_s_an) && out->count < RESOLVE_RECORDS_MAX; i++) {
        if (ns_parserr(&m, ns_s_an, i, &rr) != 0)
            return -1;
        if ((int)ns_rr_type(rr) == types[type] && ns_rr_class(rr) == ns_c_in && strcasecmp(ns_rr_name(rr), name) == 0)
            take(&m, &rr, type, out);
    }
    return 0;
}

void resolve_release(struct resolve_answer *a)
{
    free(a->records.any);
    a->records.any = NULL;
    a->count = 0;
    buf_release(&a->data);
}

/* --- the resolver --- */

#ifdef HAVE_RES_NQUERY
static bool is_loopback(const struct __res_state *state, int i)
{
    const struct sockaddr_in *v4 = &state->nsaddr_list[i];
    const struct sockaddr_in6 *v6 = state->_u._ext.nsaddrs[i];

    /* An IPv6 server stands in the second list, and nothing in the first. */
    if (v4->sin_family == AF_INET)
        return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return v6 != NULL && v6->sin6_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

/* *trusted_out: AD bits can be believed, and are asked for. */
static int begin(struct __res_state *state, bool *trusted_out)
{
    bool trusted;

    memset(state, 0, sizeof(*state));
    if (res_ninit(state) != 0)
        return -1;
    if (state->retrans > WAIT_S)
        state->retrans = WAIT_S;
    if (state->retry > ROUNDS)
        state->retry = ROUNDS;
    trusted = (state->options & RES_TRUSTAD) != 0;
    if (!trusted && state->nscount > 0) {
        trusted = true;
        for (int i = 0; i < state->nscount && trusted; i++)
            trusted = is_loopback(state, i);
    }
    if (trusted)
        state->options |= RES_TRUSTAD | RES_USE_EDNS0;
    *trusted_out = trusted;
    return 0;
}

bool resolve_validating(void)
{
    struct __res_state state;
    bool trusted;

    if (begin(&state, &trusted) != 0)
        return false;
    res_nclose(&state);
    return trusted;
}

/* As res_query(), with h_errno in *why_out. */
static int query(const char *name, int type, unsigned char *answer, bool *trusted_out, int *why_out)
{
    struct __res_state state;
    int n, saved;

    *why_out = NO_RECOVERY;
    if (begin(&state, trusted_out) != 0)
        return -1;
    n = res_nquery(&state, name, ns_c_in, type, answer, ANSWER_MAX);
    saved = errno;
    *why_out = state.res_h_errno;
    res_nclose(&state);
    errno = saved;
    return n;
}
#else
/* musl: its res_query() keeps nothing between two calls. Who could be believed is not told. */
bool resolve_validating(void)
{
    return false;
}

static int query(const char *name, int type, unsigned char *answer, bool *trusted_out, int *why_out)
{
    int n = res_query(name, ns_c_in, type, answer, ANSWER_MAX);

    *trusted_out = false;
    *why_out = h_errno;
    return n;
}
#endif

/* *n_out 0: there is none, and the head of that answer stands in `answer`. */
static int ask(const char *name, enum resolve_type type, unsigned char *answer, size_t *n_out, bool *trusted_out,
               struct err *e)
{
    int why, n = query(name, types[type], answer, trusted_out, &why);

    /* How long such an answer is, is not told. */
    if (n < 0 && (why == HOST_NOT_FOUND || why == NO_DATA))
        n = 0;
    if (n < 0)
        return err_set(e, E_NET,
                       "%s: the name cannot be looked up now: no answer, or one that the resolver does not vouch for",
                       name);
    *n_out = size_min((size_t)n, ANSWER_MAX);
    return 0;
}

int resolve(const char *name, enum resolve_type type, struct resolve_answer *out, struct err *e)
{
    unsigned char *answer = calloc(1, ANSWER_MAX);
    bool trusted;
    size_t n;
    int rc = -1;

    *out = (struct resolve_answer){ .count = 0 };
    if (answer == NULL)
        return err_nomem(e);
    errno = 0;
    if (ask(name, type, answer, &n, &trusted, e) != 0) {
        out->nobody = errno == ECONNREFUSED;
        goto out;
    }
    if (n == 0) {
        const HEADER *head = (const HEADER *)answer;

        out->known = head->rcode == ns_r_noerror;
        out->authentic = head->ad != 0;
    } else if (resolve_parse(slice_make((const char *)answer, n), type, out) != 0) {
        err_set(e, E_NET, "%s: the name cannot be looked up: the resolver's answer makes no sense", name);
        goto out;
    }
    out->authentic = out->authentic && trusted;
    rc = 0;
out:
    free(answer);
    return rc;
}
