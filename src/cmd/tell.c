/* SPDX-License-Identifier: MIT */
#include "base/base.h"

#include "cmd/tell.h"

#include "daemon/control_client.h"

static int fail(const struct err *e)
{
    if (e->code != E_STOPPED)
        log_error("%s", e->text);
    return err_exit_status(e->code);
}

static int say(const json_t *answer)
{
    const char *said = json_string_value(json_object_get(answer, "said"));
    const char *error = json_string_value(json_object_get(answer, "error"));

    if (said != NULL)
        log_info("%s", said);
    if (error != NULL)
        log_error("%s", error);
    return (int)json_integer_value(json_object_get(answer, "status"));
}

int tell_daemon(const struct conf *c, enum control_do what, bool await_exit)
{
    const struct control_request request = { .what = what };
    struct control_client *client = NULL;
    struct err e = ERR_INIT;
    json_t *answer = NULL;
    int status;

    if (control_client_ask(c->state_dir, &request, &client, &e) == 0 && client == NULL)
        (void)err_set(&e, E_BUSY, "no daemon is running for the state directory %s", c->state_dir);
    if (client == NULL)
        return fail(&e);
    if (control_client_read(client, &answer, &e) != 0) {
        status = fail(&e);
    } else {
        status = say(answer);
        if (status == EXIT_OK && await_exit && control_client_await_exit(client, &e) != 0)
            status = fail(&e);
    }
    json_decref(answer);
    control_client_close(&client);
    return status;
}
