/* SPDX-License-Identifier: MIT
 * world.h - a server and destinations in memory, a journal and a lock in a directory of the test's own, and passes
 * between them.
 *
 * world_make(pop3); world_say("INBOX", "one")...; world_pass(); checks; world_end(). Each pass opens lock and journal
 * anew, as each run of the program does. Whatever the test does, every removal is checked: all destinations hold the
 * message durably, and DELIVERED is committed.
 */
#ifndef MAILHAUL_UNIT_WORLD_H
#define MAILHAUL_UNIT_WORLD_H

#include "../unit.h"
#include "fate.h"
#include "haul/haul.h"
#include "sink_memory.h"
#include "source_memory.h"

enum { WORLD_SINKS = 3, WORLD_START = 1700000000 };

struct world {
    struct source_memory source;
    struct sink_memory sinks[WORLD_SINKS]; /* "a", "b", "c"                         */
    unsigned active;                       /* bit k: sinks[k] is in the configuration */
    const char *folders[6];
    size_t folder_count;
    struct plan_policy policy; /* `now` is filled in */
    int64_t now;
    unsigned max_messages;
    size_t batch_messages;
    bool dry_run;
    bool keep_open;
    bool unchecked_removal; /* a test that lets the destinations change under the account */
    /* Of the last pass. */
    struct haul_result r;
    struct haul_progress progress;
    unsigned delivered; /* told to the observer */
    int rc;
};

extern struct world w;

#define world_make(pop3) world_make_for((pop3), unit_case)
void world_make_for(bool pop3, const char *case_name);
void world_end(void);
struct mem_message *world_say(const char *folder, const char *words);
/* One run of the program; its return value. */
int world_pass(void);
/* A pass that has to go well, and brings `messages`. */
#define PASS(messages) world_good_pass((messages), __FILE__, __LINE__)
void world_good_pass(uint64_t messages, const char *file, int line);
/* And one that changes nothing: no transaction, no body, no removal. */
#define QUIET() world_quiet_pass(__FILE__, __LINE__)
void world_quiet_pass(const char *file, int line);
/* Every message of the server is exactly once in each of the first `sinks` destinations. */
#define ARRIVED(sinks) world_arrived((sinks), __FILE__, __LINE__)
void world_arrived(size_t sinks, const char *file, int line);
/* For tests of single pieces: lock, journal and destinations open, as in a pass that has not begun; until world_unstage().
 * The options are good until then. */
const struct haul_options *world_stage(void);
void world_unstage(void);
/* Between passes: the journal, open until world_journal_close(). */
struct journal *world_journal(void);
void world_journal_close(void);
/* From here on, what is logged as a warning or worse can be looked for. */
void world_log(void);
#define SAID(words) CHECK(world_said(words) > 0)
/* How often. */
unsigned world_said(const char *words);
/* The row of this message, found by the journal. */
bool world_row(const char *words, struct journal_message *out);

#endif
