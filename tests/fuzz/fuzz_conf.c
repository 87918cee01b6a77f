/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include "conf/conf_int.h"
#include "fuzz.h"

/* What a configuration that was taken promises to everybody who reads the struct. */
static void check(const struct conf *c)
{
    MUST(c->account_count > 0);
    MUST(c->max_sessions > 0);
    for (size_t i = 0; i < c->account_count; i++) {
        const struct conf_account *a = c->accounts[i];

        MUST(a->name != NULL && a->name[0] != '\0' && strchr(a->name, '/') == NULL);
        MUST(conf_find(c, a->name) == a);
        MUST(a->tunnel.n > 0 || (a->host != NULL && a->login.user != NULL));
        MUST(a->port > 0 && a->timeout > 0 && a->max_connections > 0);
        MUST(a->leave_s >= CONF_LEAVE_FOREVER);
        MUST(a->folders.n > 0 && a->folders.v[a->folders.n] == NULL);
        MUST(a->login.auth.n > 0);
        MUST(a->proxy_host == NULL || a->proxy_port > 0);
        MUST(a->deliver_count > 0);
        for (size_t k = 0; k < a->deliver_count; k++)
            MUST(a->delivers[k].name != NULL && a->delivers[k].path != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    struct conf_report report = { .first = &e, .quiet = true };
    struct buf text = BUF_INIT(CONF_FILE_MAX);
    struct conf *c = calloc(1, sizeof(*c));
    struct conf_scan scan;
    cfg_t *tree = NULL;

    MUST(c != NULL && buf_put(&text, data, size) == 0);
    c->max_sessions = 16;
    if (conf_scan(&report, "fuzz", &text, &scan) == 0)
        tree = conf_parse(&report, "fuzz", &text);
    if (tree != NULL) {
        conf_build(&report, &tree, 1, c);
        if (report.count == 0)
            check(c);
    } else {
        MUST(report.count > 0);
    }
    conf_parse_free(tree);
    conf_free(&c);
    buf_release(&text);
    return 0;
}
