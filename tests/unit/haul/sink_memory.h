/* SPDX-License-Identifier: MIT
 * sink_memory.h - a destination that keeps its messages in memory and checks that it is called in the order of sink.h.
 *
 * What was finished but not prepared, and what was placed but whose commit did not end, is lost when
 * sink_memory_power_cut() is called: placed files vanish or stay, as `keep_placed` says (a rename that was not flushed
 * may go either way).
 *
 * sink_memory_remote() makes it a server elsewhere: it reads the spool, takes one message after the other, keeps what
 * it has taken through any power cut of ours, and does as its script says. It ends the world when something is handed
 * to it twice, unless the answer to the first time was never read.
 */
#ifndef MAILHAUL_UNIT_SINK_MEMORY_H
#define MAILHAUL_UNIT_SINK_MEMORY_H

#include "haul/sink.h"

enum { MEM_FILES = 512, MEM_BODY = 400 };

enum mem_file_state { FILE_NONE, FILE_OPEN, FILE_FINISHED, FILE_PREPARED, FILE_PLACED, FILE_DURABLE };

struct mem_file {
    _Atomic enum mem_file_state state; /* a free one is looked for while the committer moves others on */
    char name[32], folder[64];
    char body[MEM_BODY];
    size_t len;
    unsigned to; /* bit i: recipients[i] has it */
    unsigned flags;
    int64_t date;
    uint64_t octets;
};

enum { MEM_RECIPIENTS = 3 };
enum sink_call { CALL_NONE, CALL_OPEN, CALL_BEGIN, CALL_WRITE, CALL_FINISH, CALL_PREPARE, CALL_COMMIT, CALL_RECOVER };

struct sink_memory {
    struct sink sink;
    struct mem_file files[MEM_FILES];
    struct mem_file *current;
    unsigned made, begun, recovered, swept;
    char marker[33];
    enum sink_call fail; /* this call answers E_DISK, */
    unsigned fail_after; /* after so many good ones   */
    /* Bodies that hold these words are refused, for good or for now. "": none. */
    char reject[32], later[32];
    bool null; /* counts, and keeps nothing */
    uint64_t null_octets;
    /* The script of a remote one. Words as above; "*" is every body. */
    char doubt[32];                         /* the answer to these is lost           */
    char unfit[32];                         /* these it cannot even be offered       */
    unsigned down_after;                    /* messages into a pass the line is cut; 0: never */
    enum err_code cut;                      /* what commit() says then; E_NET        */
    enum err_code down;                     /* what ready() says                     */
    enum err_code lame;                     /* what prepare() says                   */
    enum err_code absent;                   /* what open() says                      */
    const char *recipients[MEM_RECIPIENTS]; /* NULL: one, who needs no name          */
    const char *full;                       /* this recipient is put off             */
    unsigned readied, prepared, handed;     /* in this pass; handed: messages that it was asked to take */
};

void sink_memory_init(struct sink_memory *m, const char *name);
/* `looks`: it looks for a message in doubt before it takes it again. */
void sink_memory_remote(struct sink_memory *m, bool looks);
void sink_memory_power_cut(struct sink_memory *m, bool keep_placed);
/* From any thread, also while the other one is at work. */
bool sink_memory_is_durable(struct sink_memory *m, const char *name);
/* Files that are where readers see them. */
size_t sink_memory_count(const struct sink_memory *m);
/* Those whose body holds `words`. */
size_t sink_memory_having(const struct sink_memory *m, const char *words);
const struct mem_file *sink_memory_find(const struct sink_memory *m, const char *words);
/* Scratch files: none may be left after a pass. */
size_t sink_memory_scratch(const struct sink_memory *m);

#endif
