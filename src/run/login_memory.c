/* SPDX-License-Identifier: MIT */
#include "run/login_memory.h"

#include "base/log.h"
#include "base/num.h"
#include "run/login_file.h"

enum { TEXT_MAX = 4096 };

/* "RANK HOST\n": another host has another past. */
static unsigned rank_of(struct slice text, const char *host)
{
    const char *blank = text.n > 0 ? memchr(text.p, ' ', text.n) : NULL;
    uint32_t rank;

    if (blank == NULL || num_parse_u32(slice_make(text.p, (size_t)(blank - text.p)), &rank) != 0)
        return 0;
    text = slice_trim(slice_from(text, (size_t)(blank - text.p)));
    return slice_ieq(text, slice_str(host)) ? rank : 0;
}

static unsigned offered_before(void *ctx)
{
    const struct conf_login *l = ctx;
    struct login_file f = LOGIN_FILE_INIT;
    struct buf text = BUF_INIT(TEXT_MAX);
    struct err e = ERR_INIT;
    unsigned rank = 0;

    if (l->machine != NULL && login_file_open(&f, l, ".login", &e) == 0 && login_file_read(&f, &text, &e) == 0)
        rank = rank_of(buf_slice(&text), l->machine);
    buf_release(&text);
    login_file_release(&f);
    return rank;
}

static void offers(void *ctx, unsigned rank)
{
    const struct conf_login *l = ctx;
    struct login_file f = LOGIN_FILE_INIT;
    struct buf text = BUF_INIT(TEXT_MAX);
    struct err e = ERR_INIT;

    if (l->machine == NULL)
        return;
    if (login_file_open(&f, l, ".login", &e) != 0 || buf_putf(&text, "%u %s\n", rank, l->machine) != 0 ||
        login_file_write(&f, buf_slice(&text), false, &e) != 0)
        log_debug("what the server offers could not be remembered");
    buf_release(&text);
    login_file_release(&f);
}

void login_memory_use(struct server *s, const struct conf_login *login, bool read_only)
{
    if (login->state == NULL)
        return;
    s->offered_before = offered_before;
    s->offers = read_only ? NULL : offers;
    s->offers_ctx = (void *)(uintptr_t)login;
}
