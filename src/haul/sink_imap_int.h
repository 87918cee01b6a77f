/* SPDX-License-Identifier: MIT
 * sink_imap_int.h - sink_imap.c (session, folders, the sink itself), imap_target.c (names of folders), imap_append.c
 * (commit: APPEND) and imap_lookup.c (was it appended already?).
 */
#ifndef MAILHAUL_HAUL_SINK_IMAP_INT_H
#define MAILHAUL_HAUL_SINK_IMAP_INT_H

#include "haul/sink_imap.h"
#include "proto/imap.h"

/* How folders are named on the server. */
struct imap_naming {
    const char *folder;        /* of the options */
    const char *folder_prefix; /* of the options */
    char delimiter;            /* '\0': a flat name space */
    char *personal;            /* owned; prefix of the personal namespace, in wire form; NULL: none */
};
/* Appends the wire form of the folder that takes messages of `folder` (program form). A letter in a component that is
 * the delimiter over there becomes "_". -1: no memory, or longer than LIMIT_FOLDER_NAME. */
MUST_CHECK int imap_target_name(const struct imap_naming *naming, struct slice folder, char delimiter,
                                struct buf *wire);

/* A folder that messages go to. Lives from the first prepare that meets it to the next ready() or close(). */
struct imap_target {
    char *folder; /* owned; the source's, program form; NULL: the one that takes everything */
    char delimiter;
    char *wire;  /* owned */
    char *shown; /* owned; the same for people */
    char *words; /* owned; why nothing can be appended there in this pass, NULL: nothing known against it */
    bool looked; /* the server told what is in the next two */
    bool made;   /* by us, in this pass */
    bool behind; /* messages went there whose UIDs were not told */
    uint32_t uidvalidity, uidnext; /* 0: not known */
    uint64_t limit;                /* octets of one message (APPENDLIMIT); 0: none told */
};

enum imap_stage {
    IMAP_WAITING,
    IMAP_FLYING,  /* in a command that is not answered yet */
    IMAP_SETTLED, /* slot->state says how                  */
};

/* A message that waits in a slot: sink_slot.own. */
struct imap_mail {
    struct spool_file *file;
    char *folder; /* owned; of the source */
    char delimiter;
    unsigned flags;
    int64_t date;
    struct imap_target *target; /* from prepare on */
    /* During a commit. */
    enum imap_stage stage;
    uint32_t tag;  /* IMAP_FLYING: of its command */
    uint32_t uid;  /* told or found; 0: not known */
    bool doubt;    /* it may be there already: to be looked for before it is sent */
    bool single;   /* not in one command with others: a group with it was refused */
    bool alone;    /* nothing else on its way meanwhile: the connection was lost with it, or it failed in an earlier
                       pass */
    bool cut;      /* ... and was lost while it was alone, or nothing was answered at all */
    bool missing;  /* the folder was not there when it was sent, and has been made since */
    bool add_crlf; /* the server wants an end to the last line */
};

enum {
    IMAP_SPOOL_CHUNK = 16 * 1024,
    IMAP_WINDOW = 24, /* APPEND commands on their way */
};

struct sink_imap {
    struct sink sink;
    struct server server;  /* a copy, with capabilities of ours disabled */
    const char **disabled; /* owned array of borrowed names */
    struct imap_naming naming;
    bool naming_known;
    struct imap *im; /* NULL: not connected */
    struct imap_target **targets;
    size_t target_count, target_cap;
    bool no_groups;          /* MULTIAPPEND is advertised and of no use */
    unsigned groups_refused; /* with NO */
    unsigned lost;           /* connections since a message was accepted */
    unsigned put_off;        /* messages since a message was accepted */
    char from_spool[IMAP_SPOOL_CHUNK];
    char to_wire[2 * IMAP_SPOOL_CHUNK];
};

static inline struct sink_imap *sink_imap_self(struct sink *s)
{
    return (struct sink_imap *)s;
}

/* Connected and logged in from here on. An idle connection may have died meanwhile: only use tells. */
MUST_CHECK int imap_sink_session(struct sink_imap *si, struct err *e);
/* True for an error that a new session may be free of. */
bool imap_sink_lost(const struct err *e);
/* Makes and subscribes the folder and asks for its UIDs; what the server says against it goes to t->words. */
MUST_CHECK int imap_target_make(struct sink_imap *si, struct imap_target *t, struct err *e);
void imap_target_refuse(struct imap_target *t, const char *words);

/* One commit. */
struct appender {
    struct sink_imap *si;
    struct sink_slot *const *slots;
    size_t count;
    const struct sink_record *record;
    uint32_t flying[IMAP_WINDOW]; /* tags, in the order they were sent */
    size_t flying_count;
    bool exclusive;    /* what is on its way wants to be alone */
    struct err ending; /* no more is sent because of this; E_NONE: go on */
    bool mute;         /* the heart takes no more records in this commit */
};
static inline struct imap_mail *append_mail(const struct appender *a, size_t i)
{
    return a->slots[i]->own;
}
/* The slot has reached `state` for now; NULL: no words. */
void append_settle(struct appender *a, size_t i, enum delivery_state state, const char *words);
/* It is there, under this UID (0: which one was not told). */
void append_delivered(struct appender *a, size_t i, uint32_t uidvalidity, uint32_t uid);

int imap_sink_commit(struct sink *s, struct sink_slot *const *slots, size_t count, const struct sink_record *record,
                     struct err *e);
/* Looks for each message that is in doubt: it is settled when it was found, else no longer in doubt. */
MUST_CHECK int imap_look_up(struct appender *a, struct err *e);

#endif
