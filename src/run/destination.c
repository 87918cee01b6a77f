/* SPDX-License-Identifier: MIT */
#include "run/destination.h"

#include "haul/sink_maildir.h"
#include "run/servers.h"

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

int destination_open(const struct conf *c, const struct conf_account *a, const struct conf_deliver *d,
                     struct destination *out, struct err *e)
{
    *out = (struct destination){ .sink = NULL };
    if (has_server(d))
        out->server = servers_destination(a, d);
    (void)c;
    switch (d->type) {
    case CONF_DELIVER_MAILDIR:
        out->sink = sink_maildir_new(d->name, d->path, d->layout == CONF_LAYOUT_FS ? FOLDER_FS : FOLDER_MAILDIRPP);
        break;
    case CONF_DELIVER_SMTP:
    case CONF_DELIVER_LMTP:
    case CONF_DELIVER_IMAP:
    case CONF_DELIVER_COMMAND:
        return err_set(e, E_CONFIG, "destination %s: its type is not yet supported by this version", d->name);
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
