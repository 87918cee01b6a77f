/* SPDX-License-Identifier: MIT */
#include "run/destination.h"

#include "haul/sink_command.h"
#include "haul/sink_imap.h"
#include "haul/sink_maildir.h"
#include "haul/sink_smtp.h"
#include "run/login_memory.h"
#include "run/servers.h"
#include "run/tickets.h"

static bool has_server(const struct conf_deliver *d)
{
    return d->type == CONF_DELIVER_SMTP || d->type == CONF_DELIVER_LMTP || d->type == CONF_DELIVER_IMAP;
}

int destination_check(const struct conf_account *a, const struct conf_deliver *d, struct err *e)
{
    struct server server = servers_destination(a, d);

    if (!has_server(d) || servers_check(&server, e) == 0)
        return 0;
    return err_ctx(e, "destination %s", d->name);
}

static const char *const nobody[] = { NULL };

static const char *const *list(const struct conf_strings *s)
{
    return s->n > 0 ? (const char *const *)s->v : nobody;
}

static struct sink *open_mta(const struct conf_account *a, const struct conf_deliver *d, const struct server *server)
{
    static const char *const protocols[] = { [CONF_IMAP] = "IMAP", [CONF_POP3] = "POP3" };
    static const char *const secure[] = { [CONF_IMAP] = "IMAPS", [CONF_POP3] = "POP3S" };
    const struct sink_smtp_options options = {
        .name = d->name,
        .server = server,
        .lmtp = d->type == CONF_DELIVER_LMTP,
        .domain = d->domain,
        .state = d->login.state,
        .rules = { .from = d->from,
                   .to = list(&d->to),
                   .to_header = d->to_header,
                   .to_domains = list(&d->to_domains),
                   .to_strip_prefix = d->to_strip_prefix,
                   .to_fallback = d->to_fallback },
        .drop_rejected = d->drop_rejected,
        .source_host = a->host != NULL ? a->host : "localhost",
        .source_protocol = a->tls == CONF_TLS_PLAINTEXT ? protocols[a->protocol] : secure[a->protocol],
    };

    return sink_smtp_new(&options);
}

static struct sink *open_imap(const struct conf_deliver *d, const struct server *server)
{
    struct sink_imap_options options = {
        .name = d->name, .server = server, .folder = d->folder, .folder_prefix = d->folder_prefix
    };

    return sink_imap_new(&options);
}

static struct sink *open_command(const struct conf *c, const struct conf_account *a, const struct conf_deliver *d)
{
    const struct sink_command_options options = { .name = d->name,
                                                  .account = a->name,
                                                  .user = a->login.user,
                                                  .argv = d->command.v,
                                                  .crlf = d->crlf,
                                                  .time_limit_s = d->time_limit,
                                                  .max_parallel = d->max_parallel,
                                                  .spool_dir = c->spool_dir,
                                                  .drop_rejected = d->drop_rejected };

    return sink_command_new(&options);
}

int destination_open(const struct conf *c, const struct conf_account *a, const struct conf_deliver *d, bool dry_run,
                     struct destination *out, struct err *e)
{
    *out = (struct destination){ .sink = NULL };
    if (has_server(d))
        out->server = servers_destination(a, d);
    if (has_server(d))
        login_memory_use(&out->server, &d->login, dry_run);
    if (has_server(d) && !dry_run)
        tickets_use(&out->server, &d->login);
    switch (d->type) {
    case CONF_DELIVER_MAILDIR:
        out->sink = sink_maildir_new(d->name, d->path, d->layout == CONF_LAYOUT_FS ? FOLDER_FS : FOLDER_MAILDIRPP);
        break;
    case CONF_DELIVER_SMTP:
    case CONF_DELIVER_LMTP:
        out->sink = open_mta(a, d, &out->server);
        break;
    case CONF_DELIVER_IMAP:
        out->sink = open_imap(d, &out->server);
        break;
    case CONF_DELIVER_COMMAND:
        out->sink = open_command(c, a, d);
        break;
    }
    if (out->sink == NULL)
        return err_nomem(e);
    out->sink->drop_rejected = d->drop_rejected;
    return 0;
}

void destination_close(struct destination *d)
{
    if (d->sink == NULL)
        return;
    d->sink->ops->close(d->sink);
    d->sink->ops->free(d->sink);
    d->sink = NULL;
}
