/* SPDX-License-Identifier: MIT
 * source_memory.h - a server in memory, POP3 or IMAP as the heart sees them, that does wrong when it is told to.
 *
 * A message's body is made from its words, so that a test finds it again at the destination: 29 octets and the words
 * twice. Message numbers of POP3 hold for one session; remove() takes effect at once, or, with lose_reply, takes effect
 * and fails.
 */
#ifndef MAILHAUL_UNIT_SOURCE_MEMORY_H
#define MAILHAUL_UNIT_SOURCE_MEMORY_H

#include "haul/source.h"

enum { MEM_FOLDERS = 4, MEM_MESSAGES = 160 };

/* What happens when this message is fetched. */
enum mem_fault {
    FAULT_NONE,
    FAULT_REFUSED, /* E_MESSAGE through intake_failed()              */
    FAULT_EMPTY,   /* a body without a byte                          */
    FAULT_CUT,     /* the connection ends in the middle of the body  */
    FAULT_SILENT,  /* E_TIMEOUT there                                */
    FAULT_GONE,    /* listed, but not to be had any more             */
    FAULT_TWICE,   /* comes two times                                */
    FAULT_NOBODY,  /* bytes for nobody come first, and are dropped   */
    FAULT_FOLDER,  /* the folder cannot be read on, the session can  */
    FAULT_STOP,    /* as when a signal came                          */
};

struct mem_message {
    uint32_t uid;
    char uidl[24], words[48];
    const char *header; /* header lines instead of the usual ones, "X: y\r\n" */
    uint64_t listed;    /* octets as listed; 0: as they are                   */
    unsigned flags;
    int64_t date;
    enum mem_fault fault;
    int fault_times; /* < 0: always */
    bool removed;    /* by the heart */
    bool marked;     /* \Deleted     */
    unsigned fetched;
    int64_t row; /* of the journal, by the last remove() */
};

struct mem_folder {
    const char *name;
    uint32_t uidvalidity, uidnext;
    bool no_status;
    bool refuses; /* list() fails with scope FOLDER */
    struct mem_message messages[MEM_MESSAGES];
    size_t count;
};

struct source_memory {
    struct source source;
    struct mem_folder folders[MEM_FOLDERS];
    size_t folder_count;
    struct mem_folder *at; /* listed last */
    bool open;
    bool waits; /* it can be told of new mail, and its connection used again; set by source_memory_can_wait() */
    /* What it does wrong. */
    struct err open_fails; /* E_NONE: not */
    bool lose_reply, only_marks, part, no_uidl;
    unsigned quirk_learned; /* at open */
    size_t cut_headers;     /* headers() is cut after so many; 0: not */
    bool headers_twice;
    /* What was asked of it. */
    unsigned opens, lists, completes, fetches, header_calls, removes;
    /* Called for each message before it is removed: may it be? */
    void (*removing)(const struct mem_folder *f, struct mem_message *m, int64_t row);
};

void source_memory_init(struct source_memory *s, bool pop3);
/* As a source that offers wait_begin; nobody here calls it. */
void source_memory_can_wait(struct source_memory *s);
struct mem_folder *source_memory_folder(struct source_memory *s, const char *name);
/* A message at the end, with a UID and unique-id of its own. */
struct mem_message *source_memory_add(struct mem_folder *f, const char *words);
struct mem_message *source_memory_find(struct source_memory *s, const char *words);
/* Messages that are still there. */
size_t source_memory_left(const struct source_memory *s);
/* The folder is made anew: another UIDVALIDITY, and UIDs from `first` on in the same order. */
void source_memory_renew(struct mem_folder *f, uint32_t uidvalidity, uint32_t first);
/* The body in wire form, into `out`; returns its length. */
size_t source_memory_body(const struct mem_message *m, char *out, size_t size);

#endif
