/* SPDX-License-Identifier: MIT
 * `mailhaul login`: OAuth 2.0 authorizations, by a browser here or elsewhere.
 */
#include "cmd/cmd.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/stop.h"
#include "cmd/each.h"
#include "cmd/output.h"
#include "cmd/redirect.h"
#include "daemon/control_client.h"
#include "run/authorize.h"
#include "run/servers.h"
#include "run/session.h"

enum { BROWSER_MS = 15 * 60 * 1000, URL_MAX = 16 * 1024, QUERY_MAX = 16 * 1024 };

/* What a person has to read stands on standard error, also with -q: nothing happens before he does what it says. */
static void say(const char *text)
{
    fprintf(stderr, "%s\n", text);
    fflush(stderr);
}

/* --- by a browser --- */

static bool has_display(void)
{
    const char *x = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");

    return (x != NULL && x[0] != '\0') || (wayland != NULL && wayland[0] != '\0');
}

/* Without a shell; what it prints is of no interest. The address holds no secret (RFC 7636): others see it in the list
 * of processes. */
static void open_browser(const char *url)
{
    char program[] = "xdg-open", *argv[] = { program, (char *)(uintptr_t)url, NULL };
    posix_spawn_file_actions_t actions;
    pid_t pid;

    if (!has_display() || posix_spawn_file_actions_init(&actions) != 0)
        return;
    if (posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO) == 0)
        (void)!posix_spawnp(&pid, program, &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
}

static void show_address(const char *url, const char *back)
{
    say("To allow mailhaul to read your mail, open this address in a browser:\n");
    say(url);
    fprintf(
        stderr,
        "\nIt comes back to %s on this machine. If your browser runs on another one, it will show an error page then: "
        "copy that page's address%s.\n",
        back, isatty(STDIN_FILENO) ? " and type it here" : "");
}

/* Others may come by: a browser asks for an icon, another program may try its luck. */
static int await_code(const struct oauth2_client *c, const struct oauth2_proof *proof, struct redirect *r,
                      struct secret *code, struct err *e)
{
    struct buf query = BUF_INIT(QUERY_MAX);
    int64_t until = clock_mono_ms() + BROWSER_MS;
    enum oauth2_answer answer = OAUTH2_NOT_OURS;
    int rc = 0;

    while (rc == 0 && answer == OAUTH2_NOT_OURS) {
        rc = redirect_wait(r, until, &query, e);
        if (rc != 0)
            break;
        answer = oauth2_redirected(c, proof, buf_slice(&query), code, e);
        if (answer == OAUTH2_CODE)
            redirect_answer(r, true, "Done: mailhaul has its answer. You can close this page.");
        else if (answer == OAUTH2_DENIED)
            redirect_answer(r, true, "mailhaul was not allowed in; it says why. You can close this page.");
        else
            redirect_answer(r, false, "This is not what mailhaul waits for.");
        if (answer == OAUTH2_NOT_OURS)
            say("that was not the address that is waited for");
    }
    buf_wipe(&query);
    buf_release(&query);
    return rc == 0 && answer == OAUTH2_CODE ? 0 : -1;
}

static int by_browser(const struct oauth2_client *c, struct oauth2_tokens *out, struct err *e)
{
    struct buf url = BUF_INIT(URL_MAX);
    struct oauth2_proof proof;
    struct redirect *r = NULL;
    struct secret code = { 0 };
    int rc = -1;

    if (oauth2_proof_new(&proof, e) != 0 || redirect_open(&r, e) != 0 ||
        oauth2_authorize_url(c, redirect_uri(r), &proof, &url, e) != 0)
        goto out;
    show_address(buf_cstr(&url), redirect_uri(r));
    open_browser(buf_cstr(&url));
    if (await_code(c, &proof, r, &code, e) == 0)
        rc = oauth2_exchange(c, redirect_uri(r), &proof, &code, out, e);
out:
    explicit_bzero(&proof, sizeof(proof));
    secret_release(&code);
    redirect_close(&r);
    buf_release(&url);
    return rc;
}

/* --- by a code that is typed elsewhere --- */

/* E_STOPPED when that is wished meanwhile. */
static int wait_s(unsigned seconds, struct err *e)
{
    struct pollfd stop = { .fd = stop_fd(), .events = POLLIN };

    (void)poll(&stop, 1, (int)seconds * 1000);
    return stop_requested() != 0 ? err_set(e, E_STOPPED, "stopped") : 0;
}

static int by_device(const struct oauth2_client *c, struct oauth2_tokens *out, struct err *e)
{
    struct oauth2_device d;
    bool done = false;
    int rc = oauth2_device_begin(c, &d, e);

    if (rc == 0) {
        fprintf(stderr,
                "To allow mailhaul to read your mail, open this address in any browser, on any machine:\n\n"
                "    %s\n\nand type this code there:\n\n    %s\n\n",
                d.address, d.user_code);
        if (d.address_complete[0] != '\0')
            fprintf(stderr, "Or, with the code in it: %s\n\n", d.address_complete);
    }
    while (rc == 0 && !done) {
        rc = wait_s(d.interval_s, e);
        if (rc == 0 && clock_mono_ms() > d.expires)
            rc = err_set(e, E_TIMEOUT, "nobody typed the code in time");
        if (rc == 0)
            rc = oauth2_device_poll(c, &d, &done, out, e);
        /* RFC 8628 section 3.5: a provider that cannot be reached is asked again, less often. */
        if (rc != 0 && (e->code == E_NET || e->code == E_TIMEOUT || e->code == E_BUSY) && clock_mono_ms() < d.expires) {
            log_debug("%s", e->text);
            d.interval_s *= 2;
            rc = 0;
        }
    }
    oauth2_device_release(&d);
    return rc;
}

/* --- an account --- */

static void tell_success(const struct conf_login *l)
{
    struct authorization a;
    char when[32];

    authorize_look(l, &a);
    if (l->oauth.grant == CONF_GRANT_CLIENT_CREDENTIALS) {
        log_info("the client's credentials are good");
        return;
    }
    if (a.ends != 0)
        output_time(a.ends, when, sizeof(when));
    if (!a.renews)
        log_warn("authorized, but the provider gave nothing to renew it with: it ends on %s (with Microsoft "
                 "\"offline_access\" belongs to oauth_scopes)",
                 when);
    else if (a.ends != 0)
        log_info("authorized until %s", when);
    else
        log_info("authorized; it is renewed as needed");
}

static int ask(const struct cmd_options *o, const struct conf_login *l, struct oauth2_tokens *out, struct err *e)
{
    struct oauth2_client c = authorize_client(l);

    if (l->oauth.grant == CONF_GRANT_CLIENT_CREDENTIALS)
        return oauth2_client_credentials(&c, out, e);
    if (o->device && c.device_url == NULL)
        return err_set(e, E_CONFIG, "this provider has no device codes (oauth_device_url); log in without --device");
    if (!o->device && c.authorize_url == NULL)
        return err_set(e, E_CONFIG, "there is no oauth_authorize_url; log in with --device");
    return o->device ? by_device(&c, out, e) : by_browser(&c, out, e);
}

static int authorize(const struct cmd_options *o, const struct conf_login *l, struct err *e)
{
    struct oauth2_tokens tokens = { .expires = 0 };
    int rc = ask(o, l, &tokens, e);

    if (rc == 0)
        rc = authorize_keep(l, &tokens, e);
    if (rc == 0)
        tell_success(l);
    oauth2_tokens_release(&tokens);
    return rc;
}

/* Once for logins that share an authorization (run/servers.h). */
static int authorize_all(const struct cmd_options *o, const struct conf_account *a, struct err *e)
{
    size_t done = 0;

    if (conf_login_is_oauth(&a->login)) {
        if (authorize(o, &a->login, e) != 0)
            return -1;
        done++;
    }
    for (size_t i = 0; i < a->deliver_count; i++) {
        const struct conf_login *l = &a->delivers[i].login;

        if (!conf_login_is_oauth(l) || servers_token_login(a, &a->delivers[i]) != l)
            continue;
        log_info("now for destination %s", a->delivers[i].name);
        if (authorize(o, l, e) != 0)
            return err_ctx(e, "destination %s", a->delivers[i].name);
        done++;
    }
    if (done > 0)
        return 0;
    return err_set(e, E_CONFIG,
                   "this account does not log in by OAuth 2.0: it has no oauth_client_id, or its auth names other ways "
                   "(mailhaul.conf(5) shows how; with a password there is nothing to be done)");
}

/* A daemon that gave the account up goes on with it. */
static void wake_daemon(const struct conf *c, const struct conf_account *a)
{
    char *names[] = { a->name };
    const struct control_request request = { .what = CONTROL_FETCH, .accounts = names, .account_count = 1 };
    struct control_client *client = NULL;
    struct err e = ERR_INIT;

    if (control_client_ask(c->state_dir, &request, &client, &e) != 0)
        log_debug("%s", e.text);
    control_client_close(&client);
}

int cmd_login(const struct cmd_options *o, const struct conf *c)
{
    const struct conf_account *a = o->accounts[0];
    struct cmd_options check = *o;
    struct err e = ERR_INIT;
    int dir = -1, status = EXIT_OK;

    if (o->dry_run) {
        log_error("login has nothing that could be tried without doing it");
        return err_exit_status(E_USAGE);
    }
    if (!session_all_right(o->accounts, o->account_count))
        return err_exit_status(E_CONFIG);
    log_account(a->name);
    if (session_state_dir(c, false, &dir, &e) != 0 || authorize_all(o, a, &e) != 0) {
        each_tell_failure(o, a, &e);
        status = err_exit_status(e.code);
    }
    log_account(NULL);
    io_close(&dir);
    if (status != EXIT_OK)
        return status;
    wake_daemon(c, a);
    check.connect = true;
    return cmd_check(&check, c);
}
