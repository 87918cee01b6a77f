/* SPDX-License-Identifier: MIT
 * source_imap_int.h - source_imap.c (session, removal), imap_scan.c (folders), imap_list.c (what is in one) and
 * imap_fetch.c (bodies and header blocks).
 */
#ifndef MAILHAUL_HAUL_SOURCE_IMAP_INT_H
#define MAILHAUL_HAUL_SOURCE_IMAP_INT_H

#include "haul/source_imap.h"
#include "net/digest.h"
#include "proto/imap.h"

struct source_imap {
    struct source source;
    const struct server *server; /* borrowed */
    struct imap *im;             /* NULL: not open */
    char *trash;                 /* owned; the wire name of the \Trash folder, NULL: none told */
    char *folder;                /* owned; the wire name of the folder that is open, NULL: none was opened */
    bool listed;                 /* the folders were listed in this session: `trash` is all there is to know */
    bool selected_any;           /* a SELECT was answered in this session */
    uint32_t uidvalidity;        /* of the folder that is open */
};

static inline struct source_imap *imap_self(struct source *s)
{
    return (struct source_imap *)s;
}

int imap_scan_folders(struct source *s, bool (*wanted)(void *ctx, const struct source_folder *f), void *ctx,
                      struct source_folders *out, struct err *e);
/* Fills si->trash, with a LIST if none was sent in this session. */
int imap_find_trash(struct source_imap *si, struct err *e);
int imap_list_folder(struct source *s, const struct list_request *request, struct listing *out, struct err *e);
int imap_fetch_bodies(struct source *s, const struct fetch_item *items, size_t count, struct intake *in, struct err *e);
int imap_fetch_headers(struct source *s, const struct fetch_item *items, size_t count,
                       int (*got)(void *ctx, const struct fetch_item *item, const struct header_facts *facts,
                                  struct err *e),
                       void *ctx, struct err *e);

/* A UIDFETCH of a UIDONLY session carries the UID in front; a FETCH inside. -1: no FETCH at all, or malformed. */
int imap_take_fetch(const struct imap_response *r, struct imap_fetch *out);
/* The item with this UID among items[from..to). */
const struct fetch_item *imap_find_item(const struct fetch_item *items, size_t from, size_t to, uint32_t uid);

#endif
