/* SPDX-License-Identifier: MIT
 * trouble.h - what a failure means. Protocol and storage code classify an error (base/err.h), a destination what became
 * of each message (sink.h); here alone it is decided what is given up because of it.
 */
#ifndef MAILHAUL_HAUL_TROUBLE_H
#define MAILHAUL_HAUL_TROUBLE_H

#include "base/err.h"

enum trouble {
    TROUBLE_NEXT_FOLDER, /* report, and go on with the next folder */
    TROUBLE_RECONNECT,   /* a new session, now                     */
    TROUBLE_END,         /* the pass is over                       */
};

/* `learned`: this session taught a quirk of the server (source.h) that the next one will heed. Only then is another
 * tried at once: a connection that is cut ends the pass, and the next pass goes on where it was. */
enum trouble trouble_decide(const struct err *e, bool learned);

/* Keeps in *worst the error that decides the exit status, in the order of CONTRACT section 1. True when that is `e`. */
bool trouble_note(struct err *worst, const struct err *e);

/* An error that a destination gave is about this destination alone, and the others go on. */
bool trouble_is_of_sink(const struct err *e);

/* What one destination did in a pass, and what its refusals mean. A destination that takes some mail and refuses some
 * is right about that mail; one that refuses all is what is wrong, and no message may be set aside, tried up or removed
 * for it. So as long as it has taken nothing, its refusals are held back: until the first message that it takes, or the
 * end of the pass. */
struct verdict {
    uint64_t accepted; /* messages, or a recipient of one */
    uint64_t rejected, put_off;
};
enum {
    /* So many rejected and none taken: not the messages. */
    VERDICT_ALL_REJECTED = 3,
    /* So many and none taken: the rest is not even tried. */
    VERDICT_REJECTED_MAX = 10,
    VERDICT_PUT_OFF_MAX = 100,
};
enum outcome {
    OUTCOME_ACCEPTED,
    OUTCOME_REJECTED,
    OUTCOME_PUT_OFF,
    OUTCOME_DOUBT, /* put off, and each time that it is sent may be one copy more */
    OUTCOME_UNFIT, /* it was never offered, because it cannot be: that says nothing of the destination */
};
enum meaning {
    MEANS_NOTHING, /* it stays wanted, and the pass does not count  */
    MEANS_TRY,     /* one of the passes that it is given            */
    MEANS_ASIDE,   /* to be set aside, or dropped as on_reject says */
};
void verdict_add(struct verdict *v, enum outcome outcome);
/* True: refusals wait; false: verdict_meaning() tells what they mean. */
bool verdict_holds(const struct verdict *v);
/* Of one refusal (behind the hold, or at the end of the pass; OUTCOME_UNFIT: at any time); `tries`: passes in which the
 * message failed before. */
enum meaning verdict_meaning(const struct verdict *v, enum outcome outcome, unsigned tries);
/* -1: nothing more should be handed to it in this pass (E_REJECTED, E_BUSY). */
MUST_CHECK int verdict_enough(const struct verdict *v, struct err *e);
/* At the end of the pass: -1 with E_REJECTED when it refused everything. */
MUST_CHECK int verdict_end(const struct verdict *v, struct err *e);

#endif
