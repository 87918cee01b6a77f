/* SPDX-License-Identifier: MIT
 * source_imap_int.h - source_imap.c (session, removal), imap_scan.c (folders), imap_list.c (what is in one),
 * imap_fetch.c (bodies and header blocks) and source_imap_wait.c (being told of new mail).
 */
#ifndef MAILHAUL_HAUL_SOURCE_IMAP_INT_H
#define MAILHAUL_HAUL_SOURCE_IMAP_INT_H

#include "haul/source_imap.h"
#include "net/digest.h"
#include "proto/imap.h"

/* What a connection that is asked whether it still lives (wait_renew) has to answer next. */
enum imap_asked { ASKED_NOTHING, ASKED_DONE, ASKED_NOOP, ASKED_IDLE, ASKED_NOTIFY };

/* What a connection waits for. */
struct imap_waiting {
    enum wait_how how;
    bool news;
    uint32_t exists; /* IDLE: messages in the folder, as far as was told */
    bool exists_known;
    int64_t began_ms;   /* of the IDLE */
    unsigned cut_short; /* IDLEs that the server ended at once */
    bool overflow;      /* NOTIFICATIONOVERFLOW was said */
    unsigned poll_s;    /* of the request */
    bool no_idle;       /* of this connection: refused, or of no use */
    bool notify_set;    /* NOTIFY SET was accepted on this connection */
    enum imap_asked asked;
    uint32_t asked_tag, none_tag; /* of the NOOP or NOTIFY SET, and of the NOTIFY NONE before it; 0: none */
    int64_t answer_due_ms;
    int64_t renew_ms;
};

struct source_imap {
    struct source source;
    struct server server;
    struct imap *im;      /* NULL: not open */
    char *trash;          /* owned; the wire name of the \Trash folder, NULL: none told */
    char *folder;         /* owned; the wire name of the folder that is open, NULL: none was opened */
    bool listed;          /* the folders were listed in this session: `trash` is all there is to know */
    bool selected_any;    /* a SELECT was answered in this session */
    uint32_t uidvalidity; /* of the folder that is open */
    bool reused;          /* this pass goes on with the connection of the one before, */
    uint64_t answers;     /* which had so many answers by then                        */
    /* The folders that the last scan wanted, each with what was last told of it (if anything: has_status). */
    struct source_folders seen;
    struct imap_waiting waiting;
    bool no_notify; /* the server refused NOTIFY, or gave it up */
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

/* The connection of an earlier pass was found dead: nothing has been answered on it in this one, and *e says that it is
 * gone. Then it is opened anew, once, and 0 returned; else -1 and *e. What was told on it is to be asked again. */
MUST_CHECK int imap_anew(struct source_imap *si, struct err *e);
/* Nothing has been answered in this pass, on a connection that an earlier one used. */
bool imap_unproven(const struct source_imap *si);
/* Closes the connection; si->seen stays. */
void imap_drop(struct source_imap *si);
/* EXAMINE; fills the numbers of `out`. */
MUST_CHECK int imap_examine(struct source_imap *si, const struct source_folder *folder, struct listing *out,
                            struct err *e);

/* si->seen: of a scan, and of a folder that was listed. */
MUST_CHECK int imap_see_folders(struct source_imap *si, bool (*wanted)(void *ctx, const struct source_folder *f),
                                void *ctx, const struct source_folders *scanned, struct err *e);
void imap_see_listing(struct source_imap *si, const char *wire_name, const struct listing *l);
void imap_see_removal(struct source_imap *si, size_t count);

int imap_wait_begin(struct source *s, const struct wait_request *request, struct wait_state *out, struct err *e);
int imap_wait_read(struct source *s, struct wait_state *state, struct err *e);
int imap_wait_renew(struct source *s, struct wait_state *state, struct err *e);
int imap_wait_end(struct source *s, struct err *e);

/* A UIDFETCH of a UIDONLY session carries the UID in front; a FETCH inside. -1: no FETCH at all, or malformed. */
int imap_take_fetch(const struct imap_response *r, struct imap_fetch *out);
/* The item with this UID among items[from..to). */
const struct fetch_item *imap_find_item(const struct fetch_item *items, size_t from, size_t to, uint32_t uid);

#endif
