/* SPDX-License-Identifier: MIT */
#include "cmd/each.h"

#include "base/stop.h"
#include "cmd/output.h"
#include "run/report.h"

void each_tell_failure(const struct cmd_options *o, const struct conf_account *a, const struct err *e)
{
    char words[ERR_TEXT_MAX + ERR_PEER_MAX];

    err_format(e, words, sizeof(words));
    log_error("%s", words);
    if (o->json &&
        output_json(json_pack("{s:s, s:s, s:i, s:o}", "account", a->name, "result", err_name(e->code), "exit_status",
                              err_exit_status(e->code), "error", output_text(slice_str(words)))) != 0)
        log_error("out of memory");
}

int each_account(const struct cmd_options *o, const struct conf *c, const struct session_options *options,
                 int (*work)(const struct cmd_options *o, const struct conf_account *a, struct session *s,
                             struct err *e))
{
    int status = EXIT_OK;

    for (size_t i = 0; i < o->account_count && stop_requested() == 0; i++) {
        const struct conf_account *a = o->accounts[i];
        struct session *s = NULL;
        struct err e = ERR_INIT;

        log_account(a->name);
        if (session_open(c, a, options, &s, &e) != 0 || work(o, a, s, &e) != 0) {
            each_tell_failure(o, a, &e);
            status = report_worse(status, err_exit_status(e.code));
        }
        session_close(&s);
        log_account(NULL);
    }
    return status;
}
