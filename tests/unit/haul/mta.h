/* SPDX-License-Identifier: MIT
 * mta.h - a mail server on loopback that a test writes the rules of: what it answers to which command, when it cuts the
 * connection, and what it took. SMTP or LMTP, any number of connections, each in a thread of its own.
 *
 *     static const struct mta_rule rules[] = { { .on = "RCPT TO:<b@", .reply = "550 no such user" }, { 0 } };
 *     mta_start(&mta, &(struct mta_options){ .caps = "PIPELINING\nSIZE 1000", .rules = rules });
 *     ... the client's side ...
 *     mta_stop(&mta);
 *     CHECK_SLICE(buf_slice(&mta.log), ...); mta.messages[0].body ...
 *
 * The log has a line for each command, with the connection's number in front: "1 MAIL FROM:<a@x>"; "1 ." is the end of
 * a message; "1 +" and "1 -" a connection's beginning and end. The test adds lines of its own with mta_note().
 * The server never checks: the test looks, after mta_stop() where another thread may still write.
 */
#ifndef MAILHAUL_UNIT_MTA_H
#define MAILHAUL_UNIT_MTA_H

#include "base/buf.h"

#include <pthread.h>

enum { MTA_CONNECTIONS = 64, MTA_MESSAGES = 600, MTA_RECIPIENTS = 16, MTA_ADDRESS = 300 };

/* The first rule that fits a command decides. */
struct mta_rule {
    const char *on;      /* how the command begins; "+": the greeting; ".": the end of a message, in LMTP ". <b@x>" */
    unsigned connection; /* the first is 1; 0: any */
    unsigned nth;        /* only the n-th time that it fits; 0: always */
    const char *reply;   /* without its last CRLF; NULL: the connection is cut */
    int delay_ms;        /* ahead of the reply */
    bool wait;           /* the reply waits until more has come; "late" in the log: nothing did */
    bool drop;           /* what has come behind this command is thrown away */
    void (*call)(void);  /* before the reply */
};

struct mta_options {
    const char *caps; /* of EHLO or LHLO, a line each; NULL: none */
    const struct mta_rule *rules;
    bool lmtp;
};

struct mta_message {
    char *body; /* without doubled dots */
    size_t n;
    unsigned connection;
};

struct mta_connection {
    struct mta *mta;
    pthread_t thread;
    unsigned number;
    bool ended; /* its thread is joined */
    int fd;
    char in[64 * 1024];
    size_t start, end;
    char recipients[MTA_RECIPIENTS][MTA_ADDRESS];
    size_t recipient_count;
    bool in_mail; /* a MAIL that was taken has not come to its end: another one is 503 */
};

struct mta {
    struct mta_options options;
    int listener;
    uint16_t port;
    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    struct buf log;
    struct mta_message messages[MTA_MESSAGES]; /* those that were taken */
    size_t message_count;
    struct mta_connection *connections[MTA_CONNECTIONS];
    size_t connection_count;
    unsigned fits[32]; /* of each rule, so far */
};

void mta_start(struct mta *m, const struct mta_options *options);
/* No further connection is taken. */
void mta_stop_listening(struct mta *m);
/* The n-th connection is closed, when this returns. */
void mta_hang_up(struct mta *m, size_t n);
/* Other rules from here on. */
void mta_rules(struct mta *m, const struct mta_rule *rules);
void mta_stop(struct mta *m);
/* Forgets log and messages. */
void mta_release(struct mta *m);
void mta_note(struct mta *m, const char *line);
/* Where the line is in the log; -1: nowhere. */
long mta_at(struct mta *m, const char *line);
unsigned mta_count(struct mta *m, const char *part);

#endif
