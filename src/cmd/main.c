/* SPDX-License-Identifier: MIT */
#include "base/base.h"

#include <fcntl.h>
#include <jansson.h>
#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/stop.h"
#include "cmd/cmd.h"
#include "cmd/help.h"
#include "cmd/options.h"
#include "net/tls.h"

/* The first asks to finish what is complete; who asks a third time does not want to wait. */
static void on_signal(int signal)
{
    static volatile sig_atomic_t times;

    if (++times >= 3)
        _exit(128 + signal);
    stop_request(signal);
}

static void catch_signals(void)
{
    static const int stopping[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction ask = { .sa_handler = on_signal }, ignore = { .sa_handler = SIG_IGN }, old;

    sigemptyset(&ask.sa_mask);
    for (size_t i = 0; i < ARRAY_LEN(stopping); i++) {
        /* nohup(1) and a shell's background jobs had a reason to ignore it. */
        if (sigaction(stopping[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            (void)sigaction(stopping[i], &ask, NULL);
    }
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

/* A descriptor below 3 that is closed would be given to a mailbox or a socket, and a message for people written into
 * it. */
static void hold_standard_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

/* JSON is what tokens come in and are kept in. */
static void wiping_free(void *p)
{
    if (p != NULL)
        explicit_bzero(p, malloc_usable_size(p));
    free(p);
}

static void set_up_process(void)
{
    struct rlimit limit;

    /* One heap for all threads: they hold little, and a heap for each costs memory and a system call for every 4
     * KiB. */
    (void)mallopt(M_ARENA_MAX, 1);
    json_set_alloc_funcs(malloc, wiping_free);
    hold_standard_descriptors();
    umask(077);
#ifndef MAILHAUL_DEV
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    (void)prctl(PR_SET_DUMPABLE, 0);
#endif
    /* An account needs a dozen descriptors, and the usual soft limit is for programs that call select(). */
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    catch_signals();
}

/* A pass in cron shows warnings alone; whoever asks for something else, for -n, or sits at a terminal wants the
 * answer. */
static enum log_level screen_level(const struct cmd *cmd, const struct cmd_options *o, const struct conf *c)
{
    bool asked = cmd->run != cmd_fetch || o->dry_run || isatty(STDERR_FILENO);
    enum log_level usual = asked ? LOG_LEVEL_INFO : LOG_LEVEL_WARN;

    if (o->quiet)
        return LOG_LEVEL_ERROR;
    if (o->verbosity > 0)
        return o->verbosity == 1 ? LOG_LEVEL_DEBUG : LOG_LEVEL_TRACE;
    return c->log_level < usual ? c->log_level : usual;
}

static int open_log(const struct cmd *cmd, const struct cmd_options *o, const struct conf *c, struct err *e)
{
    bool journal = log_goes_to_journal();
    const struct log_options options = { .level = screen_level(cmd, o, c),
                                         .to_file = c->log_level,
                                         .file = c->log_file,
                                         .syslog = c->syslog,
                                         .priorities = journal,
                                         .timestamps = cmd->run == cmd_daemon && !journal };

    return log_open(&options, e);
}

static int fail(const struct err *e)
{
    char line[ERR_TEXT_MAX + ERR_PEER_MAX + 8];

    err_format(e, line, sizeof(line));
    log_error("%s", line);
    return err_exit_status(e->code);
}

/* A dry pass has nothing to hand on. */
static bool enters_destinations(const struct options *options)
{
    bool fetches = options->cmd->run == cmd_fetch || options->cmd->run == cmd_daemon;

    return (fetches && !options->o.dry_run) || options->o.connect;
}

static int ask(const struct options *options, struct conf *c, struct err *e)
{
    if (!options->cmd->logs_in && !options->o.connect)
        return 0;
    return conf_ask_passwords(c, options->o.accounts, options->o.account_count, enters_destinations(options), e);
}

/* Of the accounts that this command may enter, or is asked about. */
static void warn(const struct options *options)
{
    char warning[400];

    for (size_t i = 0; i < options->o.account_count; i++) {
        conf_warning(options->o.accounts[i], warning, sizeof(warning));
        if (warning[0] != '\0' && (options->cmd->logs_in || options->cmd->run == cmd_check))
            log_warn("account %s: %s", options->o.accounts[i]->name, warning);
    }
}

static int run(struct options *options)
{
    struct conf *c = NULL;
    struct err e = ERR_INIT;
    int status;

    /* Without any configuration nothing can be an account: the word is a mistyped command. */
    if (options->implied && options->name_count > 0 && !conf_present(options->o.config)) {
        (void)options_unknown(options->names[0], NULL, &e);
        return fail(&e);
    }
    if (conf_load(options->o.config, &c, &e) != 0)
        return err_exit_status(e.code);
    if (options_accounts(options, c, &e) != 0 || open_log(options->cmd, &options->o, c, &e) != 0) {
        status = fail(&e);
    } else {
        warn(options);
        status = ask(options, c, &e) == 0 ? options->cmd->run(&options->o, c) : fail(&e);
    }
    log_close();
    conf_free(&c);
    return status;
}

int main(int argc, char **argv)
{
    struct options options;
    struct err e = ERR_INIT;
    int status = EXIT_OK;

    set_up_process();
    if (options_parse(&options, argc, argv, &e) != 0 || stop_init(&e) != 0)
        return fail(&e);
    if (options.help)
        help_print();
    else if (options.version)
        help_version();
    else
        status = run(&options);
    options_release(&options);
    tls_cleanup();
    /* That is how a daemon ends when all is well. */
    if (stop_requested() != 0 && (options.cmd == NULL || options.cmd->run != cmd_daemon))
        return 128 + stop_requested();
    if (fflush(stdout) != 0 || ferror(stdout)) {
        (void)err_sys(&e, E_DISK, errno, "standard output cannot be written");
        return fail(&e);
    }
    return status;
}
