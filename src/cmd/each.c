/* SPDX-License-Identifier: MIT */
#include "cmd/each.h"

#include "base/stop.h"
#include "run/report.h"

int each_account(const struct cmd_options *o, const struct conf *c, const struct session_options *options,
                 int (*work)(const struct cmd_options *o, const struct conf_account *a, struct session *s,
                             struct err *e))
{
    int status = EXIT_OK;

    for (size_t i = 0; i < o->account_count && stop_requested() == 0; i++) {
        const struct conf_account *a = o->accounts[i];
        char words[ERR_TEXT_MAX + ERR_PEER_MAX];
        struct session *s = NULL;
        struct err e = ERR_INIT;

        log_account(a->name);
        if (session_open(c, a, options, &s, &e) != 0 || work(o, a, s, &e) != 0) {
            err_format(&e, words, sizeof(words));
            log_error("%s", words);
            status = report_worse(status, err_exit_status(e.code));
        }
        session_close(&s);
        log_account(NULL);
    }
    return status;
}
