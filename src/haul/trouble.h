/* SPDX-License-Identifier: MIT
 * trouble.h - what a failure means. Protocol and storage code classify an error (base/err.h); here alone it is decided
 * what is given up because of it.
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

#endif
