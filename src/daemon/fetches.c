/* SPDX-License-Identifier: MIT */
#include "daemon/fetches.h"

#include "base/array.h"
#include "run/report.h"

int fetches_ask(struct fetches *f, struct account *a, bool oversize, struct fetch_request *request, struct err *e)
{
    if (request != NULL && f->count == f->cap) {
        struct fetch_wish *v = array_grow(f->v, &f->cap, sizeof(*v));
        if (v == NULL)
            return err_nomem(e);
        f->v = v;
    }
    account_fetch(a, oversize);
    if (request != NULL) {
        f->v[f->count++] = (struct fetch_wish){ .request = request, .account = a, .pass = a->begun + a->again };
        request->left++;
    }
    return 0;
}

static void take_out(struct fetches *f, size_t i)
{
    memmove(&f->v[i], &f->v[i + 1], (--f->count - i) * sizeof(*f->v));
}

static void served(struct fetch_request *r, int status)
{
    r->status = report_worse(r->status, status);
    if (--r->left == 0)
        r->end(r->ctx, r->status);
}

void fetches_none(struct fetch_request *r)
{
    if (r->left == 0)
        r->end(r->ctx, r->status);
}

/* From the start each time: the callbacks may change the list. */
void fetches_passed(struct fetches *f, const struct account *a)
{
    for (size_t i = 0; i < f->count;) {
        struct fetch_request *r = f->v[i].request;

        if (f->v[i].account != a || f->v[i].pass > a->begun) {
            i++;
            continue;
        }
        take_out(f, i);
        r->done(r->ctx, a->conf->name, a->result, a->took_ms);
        served(r, report_exit_status(a->result));
        i = 0;
    }
}

void fetches_left(struct fetches *f, const struct account *a)
{
    for (size_t i = 0; i < f->count;) {
        struct fetch_request *r = f->v[i].request;

        if (f->v[i].account != a) {
            i++;
            continue;
        }
        take_out(f, i);
        served(r, err_exit_status(E_CONFIG));
        i = 0;
    }
}

void fetches_forget(struct fetches *f, const struct fetch_request *request)
{
    for (size_t i = f->count; i-- > 0;) {
        if (f->v[i].request == request)
            take_out(f, i);
    }
}

void fetches_end(struct fetches *f)
{
    while (f->count > 0) {
        struct fetch_request *r = f->v[0].request;

        take_out(f, 0);
        served(r, err_exit_status(E_BUSY));
    }
}

void fetches_release(struct fetches *f)
{
    free(f->v);
    *f = (struct fetches){ 0 };
}
