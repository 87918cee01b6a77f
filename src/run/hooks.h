/* SPDX-License-Identifier: MIT
 * hooks.h - the programs that are told what became of a pass: on_new_mail, on_failure, on_recovery; mailhaul.conf(5).
 *
 * Calling sequence, around one pass of an account: hooks_begin(), which puts itself in front of the observer; the pass;
 * the session is closed, so that a program may fetch by itself; hooks_end(). Without any such key nothing happens.
 *
 * A program has HOOK_LIMIT_S. What goes wrong with it is logged and changes nothing else.
 * Thread: the pass's.
 */
#ifndef MAILHAUL_RUN_HOOKS_H
#define MAILHAUL_RUN_HOOKS_H

#include "conf/conf.h"
#include "haul/haul.h"
#include "run/last.h"

enum { HOOK_LIMIT_S = 60 };

struct hooks {
    const struct conf *conf; /* borrowed, as all but the list */
    const struct conf_account *account;
    struct haul_observer next;
    int list;           /* a file without a name: the new files' paths, a line each; -1: none yet */
    struct buf unsaved; /* of it */
    bool list_broken;
};

/* `observer` may be empty; it is told as before. */
void hooks_begin(struct hooks *h, const struct conf *c, const struct conf_account *account,
                 struct haul_observer *observer);
/* `turn` is what last.h has made of this pass. */
void hooks_end(struct hooks *h, const struct haul_result *result, const struct last_turn *turn);

#endif
