/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

#include "cmd/each.h"
#include "cmd/output.h"
#include "wire/imap_parse.h"

static const struct {
    unsigned attr;
    const char *name;
} uses[] = {
    { IMAP_ATTR_ALL, "\\All" },         { IMAP_ATTR_ARCHIVE, "\\Archive" },     { IMAP_ATTR_DRAFTS, "\\Drafts" },
    { IMAP_ATTR_FLAGGED, "\\Flagged" }, { IMAP_ATTR_JUNK, "\\Junk" },           { IMAP_ATTR_SENT, "\\Sent" },
    { IMAP_ATTR_TRASH, "\\Trash" },     { IMAP_ATTR_IMPORTANT, "\\Important" },
};

static int print_json(const struct conf_account *a, const struct source_folder *f, bool selected)
{
    json_t *special = json_array();

    for (size_t i = 0; special != NULL && i < ARRAY_LEN(uses); i++) {
        if ((f->attrs & uses[i].attr) != 0)
            json_array_append_new(special, json_string(uses[i].name));
    }
    return output_json(json_pack("{s:s, s:o, s:b, s:b, s:o}", "account", a->name, "folder",
                                 output_text(slice_str(f->name)), "selected", selected, "selectable",
                                 (f->attrs & IMAP_ATTR_NOSELECT) == 0, "special_use", special));
}

/* "* INBOX", "  Junk  \Junk": a star for those that are selected. */
static void print_line(const struct source_folder *f, bool selected)
{
    char name[4096];

    log_printable(name, sizeof(name), slice_str(f->name));
    printf("%s %s", selected ? "*" : " ", name);
    for (size_t i = 0; i < ARRAY_LEN(uses); i++) {
        if ((f->attrs & uses[i].attr) != 0)
            printf("  %s", uses[i].name);
    }
    puts((f->attrs & IMAP_ATTR_NOSELECT) != 0 ? "  (holds no messages)" : "");
}

static int by_name(const void *a, const void *b)
{
    const struct source_folder *x = a, *y = b;
    bool x_inbox = slice_ieq(slice_str(x->name), SLICE("INBOX")),
         y_inbox = slice_ieq(slice_str(y->name), SLICE("INBOX"));

    return x_inbox != y_inbox ? (x_inbox ? -1 : 1) : strcmp(x->name, y->name);
}

static int show(const struct cmd_options *o, const struct conf_account *a, struct session *s, struct err *e)
{
    struct source_folders folders = { NULL, 0, 0 };
    int rc = session_folders(s, &folders, e);

    session_logout(s);
    if (rc == 0 && folders.count > 0)
        qsort(folders.v, folders.count, sizeof(*folders.v), by_name);
    for (size_t i = 0; rc == 0 && i < folders.count; i++) {
        bool selected = session_selects(s, &folders.v[i]);

        if (!o->json)
            print_line(&folders.v[i], selected);
        else if (print_json(a, &folders.v[i], selected) != 0)
            rc = err_nomem(e);
    }
    source_folders_release(&folders);
    return rc;
}

int cmd_folders(const struct cmd_options *o, const struct conf *c)
{
    const struct session_options looking = { .dry_run = true, .look = true, .list_all = true, .sessions = 1 };

    return each_account(o, c, &looking, show);
}
