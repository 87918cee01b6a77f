/* SPDX-License-Identifier: MIT
 * trouble.h - what a failure means. Protocol and storage code classify an error (base/err.h); here alone it is decided what is given up because of it.
 */
#ifndef MAILHAUL_HAUL_TROUBLE_H
#define MAILHAUL_HAUL_TROUBLE_H

#include "base/err.h"

enum trouble {
    TROUBLE_NEXT_FOLDER, /* report, and go on with the next folder */
    TROUBLE_RECONNECT,   /* a new session, now                     */
    TROUBLE_END,         /* the pass is over                       */
};

enum { TROUBLE_RECONNECTS = 20 /* in one pass, each after some progress */ };

/* `progressed`: since the last session began something was brought to an end (a message arrived, failed or was removed, a quirk was learned), so that going on leads
 * somewhere. `reconnects`: so far in this pass. */
enum trouble trouble_decide(const struct err *e, bool progressed, unsigned reconnects);

/* Keeps in *worst the error that decides the exit status, in the order of CONTRACT section 1. True when that is `e`. */
bool trouble_note(struct err *worst, const struct err *e);

#endif
