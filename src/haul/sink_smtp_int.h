/* SPDX-License-Identifier: MIT
 * sink_smtp_int.h - the inside of a mail server as destination: sink_smtp.c is the sink, sink_smtp_lane.c one
 * connection that works its way through a batch, sink_smtp_mail.c one message on its way.
 *
 * Thread: a lane belongs to the thread that runs it; what lanes share is marked, and guarded by the lock of their
 * struct lanes while they run.
 */
#ifndef MAILHAUL_HAUL_SINK_SMTP_INT_H
#define MAILHAUL_HAUL_SINK_SMTP_INT_H

#include "base/base.h"

#include <stdatomic.h>

#include "haul/lanes.h"
#include "haul/sink_smtp.h"
#include "net/host.h"
#include "proto/smtp_route.h"
#include "wire/crlf.h"

enum {
    SMTP_READ = 64 * 1024, /* from the spool, at a time */
    SMTP_LABEL_MAX = HOST_MAX + 16,
    /* Failures of the connection in a row, with no message taken: the destination is gone. */
    SMTP_FAILURES_MAX = 3,
    /* Several connections pay when so much is waited for: milliseconds for EHLO, or for each of the first replies. In
     * the second case it is the server's work that is waited for, and with more connections its processes
     * wait for each other. */
    SMTP_SLOW_EHLO_MS = 3,
    SMTP_SLOW_REPLY_MS = 1,
    SMTP_LANES_NEAR = 2,
    SMTP_REPLIES_MEASURED = 8,
    /* One connection more for each so many messages: it has to earn its greeting, EHLO and login. */
    SMTP_LANE_MESSAGES = 8,
};

/* What slot->own is here. */
struct smtp_slot {
    struct spool_file *file;
    bool again;             /* it was begun anew on another connection already: once is enough */
    struct sink_slot *next; /* in smtp_work.back */
};

/* One message on its way over one connection. slot == NULL: none. */
struct smtp_mail {
    struct sink_slot *slot;
    struct envelope envelope;
    struct smtp_message m;
    struct smtp_recipient *recipients; /* owned: those that do not have it yet */
    char *unsendable;                  /* owned: of a recipient that this server cannot be given; NULL: none */
    struct buf trace;
    bool lmtp;
    bool begun;  /* something of the body went out, or may have */
    bool handed; /* so may the final dot: in doubt until the answer is read */
    /* The body, as far as it was read. */
    const struct spool_file *file;
    char *buffer; /* the lane's, SMTP_READ */
    uint64_t offset;
    struct slice unread;
    size_t trace_sent;
    struct crlf crlf;
    bool ended;
};

struct smtp_sink;

struct smtp_lane {
    struct smtp_sink *sink;
    struct smtp_work *work;
    unsigned index;
    struct smtp *smtp;   /* NULL: not open; kept from batch to batch */
    struct smtp_hop hop; /* where to */
    bool pipelines;
    bool seasoned; /* it was of use before this message: when it breaks now, that tells nothing of the message */
    char *buffer;
    struct smtp_mail mails[2];
    struct smtp_mail *mail, *ahead; /* on its way, and the one whose envelope went out behind it */
};

struct smtp_sink {
    struct sink sink;
    struct sink_smtp_options options;
    struct smtp_route *route; /* NULL: LMTP, which goes where it is told */
    struct server plain;      /* the server, never pipelining */
    const char **disabled;
    char label[SMTP_LABEL_MAX]; /* "localhost:25", or the domain */
    char our_host[HOST_MAX];    /* for Received */
    char source_host[HOST_MAX];
    atomic_bool unpipelined; /* PIPELINING is offered there and not honoured */
    atomic_uint lanes_max;   /* fewer once a further connection was refused */
    struct smtp_lane lanes[SMTP_LANES_MAX];
    /* Shared. */
    unsigned failures; /* in a row */
    unsigned measured; /* replies whose time is in measured_ms */
    int64_t measured_ms;
    bool slow, far; /* to answer; away */
};

/* A batch that the lanes work through. */
struct smtp_work {
    struct smtp_sink *sink;
    struct lanes lanes;
    struct sink_slot *const *slots;
    size_t count;
    const struct sink_record *record;
    unsigned started; /* lanes; lane 0's own */
    /* Shared. */
    size_t next;
    struct sink_slot *back; /* begun, and given back to be begun anew: they come first */
    bool over;              /* nothing more is begun: `err` says why */
    struct err err;
};

/* --- sink_smtp_lane.c --- */

/* Connects and logs in. */
MUST_CHECK int smtp_lane_open(struct smtp_lane *l, struct err *e);
void smtp_lane_close(struct smtp_lane *l);
/* Works until nothing is left of l->work; lane 0 starts the others. What goes wrong is noted in the work. */
void smtp_lane_run(struct smtp_lane *l);
bool smtp_work_left(struct smtp_work *w);

/* --- sink_smtp_mail.c --- */

/* Finds out who the message of `slot` is from and for. *send_out false: that settled it, slot->state and why are set,
 * and the connection need not hear of it. The mail is to be ended in either case. E_DISK, E_NOMEM. */
MUST_CHECK int smtp_mail_begin(struct smtp_mail *mail, const struct smtp_lane *l, struct sink_slot *slot,
                               bool *send_out, struct err *e);
void smtp_mail_end(struct smtp_mail *mail);
/* A smtp_body_fn: the Received field, then the message. */
int smtp_mail_body(void *mail, bool dots, char *out, size_t size, size_t *n_out, struct err *e);
/* All replies are read: slot->state, why and done. *again_out: some recipients were too many for one transaction, and
 * the others have it: the rest can be sent now. -1: not this message is refused but we are (E_AUTH, E_LACKS); E_NOMEM.
 */
MUST_CHECK int smtp_mail_settle(struct smtp_mail *mail, const struct smtp_sink *s, bool *again_out, struct err *e);
/* The connection ended under it, because of `cause`: IN_DOUBT, or put off with its words. E_NOMEM. */
MUST_CHECK int smtp_mail_cut(struct smtp_mail *mail, const struct err *cause, struct err *e);
/* A reply to MAIL or RCPT that is about the session, not the message: -1 with E_AUTH or E_LACKS. */
MUST_CHECK int smtp_login_wanted(const struct smtp_sink *s, const struct smtp_reply *reply, struct err *e);

/* --- sink_smtp_trace.c --- */

struct smtp_trace {
    const char *from, *by; /* hosts */
    const char *protocol;  /* "POP3S" */
    const char *recipient; /* NULL: not told */
    int64_t when;          /* s since 1970 */
};
/* The Received field with its CRLF, folded: RFC 5321 section 4.4. */
MUST_CHECK int smtp_trace_put(const struct smtp_trace *t, struct buf *out);
/* `host` as it may stand there; what is none becomes "unknown". */
void smtp_trace_host(const char *host, char out[HOST_MAX]);

#endif
