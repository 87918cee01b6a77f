/* SPDX-License-Identifier: MIT */
#include "haul/sink_imap_int.h"

#include "wire/folder.h"
#include "wire/limits.h"

enum { NAME_MAX_OCTETS = 4 * LIMIT_FOLDER_NAME };

/* A name of the configuration: its `/` also means the server's delimiter, as in `folders`. */
static int put_configured(struct buf *out, const char *name, char delimiter)
{
    for (; *name != '\0'; name++) {
        if (buf_put_char(out, *name == '/' && delimiter != '\0' ? delimiter : *name) != 0)
            return -1;
    }
    return 0;
}

static int put_translated(struct buf *out, struct slice folder, char from, char to)
{
    for (size_t i = 0; i < folder.n; i++) {
        char c = folder.p[i];

        if (to != '\0' && from != '\0' && c == from)
            c = to;
        else if (to != '\0' && c == to)
            c = '_';
        if (buf_put_char(out, c) != 0)
            return -1;
    }
    return 0;
}

static int put_name(const struct imap_naming *naming, struct slice folder, char delimiter, struct buf *out)
{
    if (naming->folder != NULL)
        return put_configured(out, naming->folder, naming->delimiter);
    if (naming->folder_prefix != NULL) {
        if (put_configured(out, naming->folder_prefix, naming->delimiter) != 0)
            return -1;
        if (naming->delimiter != '\0' && out->len > 0 && out->p[out->len - 1] != naming->delimiter &&
            buf_put_char(out, naming->delimiter) != 0)
            return -1;
    }
    return put_translated(out, folder, delimiter, naming->delimiter);
}

int imap_target_name(const struct imap_naming *naming, struct slice folder, char delimiter, struct buf *wire)
{
    struct buf name = BUF_INIT(NAME_MAX_OCTETS);
    struct slice personal = slice_str(naming->personal);
    size_t before = wire->len;
    int rc = -1;

    if (put_name(naming, folder, delimiter, &name) != 0 || name.len > LIMIT_FOLDER_NAME)
        goto out;
    if (slice_ieq(buf_slice(&name), SLICE("INBOX"))) {
        rc = buf_put_str(wire, "INBOX");
        goto out;
    }
    /* RFC 2342: folders of the user's own begin with it; whoever wrote the name may have known that. */
    if (!slice_istarts(buf_slice(&name), personal) && buf_put_slice(wire, personal) != 0)
        goto out;
    rc = folder_to_mutf7(buf_slice(&name), wire);
out:
    if (rc != 0)
        buf_truncate(wire, before);
    buf_release(&name);
    return rc;
}
