/* SPDX-License-Identifier: MIT */
#include "haul/source.h"

#include "base/array.h"
#include "wire/limits.h"

void source_folders_release(struct source_folders *f)
{
    for (size_t i = 0; i < f->count; i++) {
        free(f->v[i].name);
        free(f->v[i].wire_name);
    }
    free(f->v);
    *f = (struct source_folders){ 0 };
}

void wait_state_release(struct wait_state *w)
{
    free(w->folder);
    source_folders_release(&w->more);
    *w = (struct wait_state){ .fd = -1 };
}

int source_folders_add(struct source_folders *f, const struct source_folder *folder, struct err *e)
{
    struct source_folder copy = *folder;

    if (f->count == LIMIT_FOLDERS)
        return err_set(e, E_PROTO, "the server lists more than %d folders", (int)LIMIT_FOLDERS);
    if (f->count == f->cap) {
        struct source_folder *v = array_grow(f->v, &f->cap, sizeof(*v));
        if (v == NULL)
            return err_nomem(e);
        f->v = v;
    }
    copy.name = strdup(folder->name);
    copy.wire_name = strdup(folder->wire_name != NULL ? folder->wire_name : folder->name);
    if (copy.name == NULL || copy.wire_name == NULL) {
        free(copy.name);
        free(copy.wire_name);
        return err_nomem(e);
    }
    f->v[f->count++] = copy;
    return 0;
}
