/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

#include <signal.h>
#include <unistd.h>

#include "daemon/control.h"
#include "daemon/service.h"
#include "daemon/supervisor.h"
#include "run/session.h"

/* nohup(1) had a reason to ignore SIGHUP. */
static void catch_signals(void)
{
    struct sigaction ask = { .sa_handler = supervisor_signal, .sa_flags = SA_RESTART }, old;

    sigemptyset(&ask.sa_mask);
    if (sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
        (void)sigaction(SIGHUP, &ask, NULL);
    (void)sigaction(SIGUSR1, &ask, NULL);
}

static int run(struct supervisor *s)
{
    struct err e = ERR_INIT;
    size_t left = 0;

    if (supervisor_run(s, &left, &e) != 0) {
        log_error("%s", e.text);
        return err_exit_status(e.code);
    }
    /* Their connections stay silent for longer than anyone wants to wait; what is complete is recorded. */
    if (left > 0)
        _exit(EXIT_OK);
    return EXIT_OK;
}

static void free_names(char **names)
{
    for (size_t i = 0; names != NULL && names[i] != NULL; i++)
        free(names[i]);
    free(names);
}

/* Copies: accounts come and go while the daemon runs. */
static char **copy_names(const struct cmd_options *o)
{
    char **names = calloc(o->account_count + 1, sizeof(*names));

    for (size_t i = 0; names != NULL && i < o->account_count; i++) {
        names[i] = strdup(o->accounts[i]->name);
        if (names[i] == NULL) {
            free_names(names);
            return NULL;
        }
    }
    return names;
}

int cmd_daemon(const struct cmd_options *o, const struct conf *c)
{
    char **names = copy_names(o);
    struct supervisor_options options = { .names = (const char *const *)names,
                                          .name_count = o->named ? o->account_count : 0 };
    struct supervisor *s = NULL;
    struct service *service = NULL;
    struct control *control = NULL;
    struct err e = ERR_INIT;
    int status;

    if (names == NULL || !session_all_right(o->accounts, o->account_count)) {
        status = err_exit_status(names == NULL ? E_NOMEM : E_CONFIG);
        goto out;
    }
    if (supervisor_new(c, &options, &s, &e) != 0) {
        log_error("%s", e.text);
        status = err_exit_status(e.code);
        goto out;
    }
    catch_signals();
    if (service_new(s, &service, &e) != 0 || control_open(s, &control, &e) != 0) {
        log_error("%s", e.text);
        status = err_exit_status(e.code);
        goto out;
    }
    status = run(s);
out:
    service_free(&service);
    control_close(&control);
    supervisor_free(&s);
    free_names(names);
    return status;
}
