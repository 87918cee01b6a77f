/* SPDX-License-Identifier: MIT
 * limits.h - every maximum of what a peer may make us hold, and the reason for each. A pass stays under 64 MiB whatever
 * the server sends (CONTRACT, promise 5): the largest sum here is one listing (index and bytes, 40 MiB), reached with
 * no body in flight.
 */
#ifndef MAILHAUL_WIRE_LIMITS_H
#define MAILHAUL_WIRE_LIMITS_H

enum {
    /* One protocol line. The standards say 512 (POP3, SMTP) and 8192 (IMAP, RFC 7162 section 4); Gmail and Exchange
     * send longer CAPABILITY and LIST lines; nobody was seen above 16 KiB. */
    LIMIT_LINE = 64 * 1024,
    /* One IMAP response with the literals inside it, message bodies apart (those are streamed). Room for an
     * ENVELOPE-sized oddity and a folder name sent as a literal. */
    LIMIT_RESPONSE = 256 * 1024,
    /* Lines of one multi-line reply that is no listing (CAPA, EHLO): an endless one is an attack. */
    LIMIT_REPLY_LINES = 512,
    /* What we may have sent without having read the answers: no server's receive buffer is smaller, so neither side can
     * wait for the other for ever. */
    LIMIT_IN_FLIGHT = 8 * 1024,
    /* One command of ours: RFC 7162 section 4 advises servers to take 8192. */
    LIMIT_COMMAND = 8000,
    /* A unique-id: RFC 1939 says 70; longer ones were seen (Message-ID based servers). */
    LIMIT_UIDL = 512,
    /* Entries of one UIDL, LIST or FETCH listing; index entries are at most 16 bytes. */
    LIMIT_LISTING = 1000000,
    /* Bytes of all unique-ids of one listing. */
    LIMIT_LISTING_BYTES = 24 * 1024 * 1024,
    /* Folders of one account, and one folder's name (UTF-8): a path component on disk is 255 bytes. */
    LIMIT_FOLDERS = 50000,
    LIMIT_FOLDER_NAME = 1000,
    /* All folder names of one account. */
    LIMIT_FOLDER_BYTES = 8 * 1024 * 1024,
    /* A Message-ID that we remember to recognise a message again: RFC 5322 lines are 998 at most; 2,000 were seen. */
    LIMIT_MESSAGE_ID = 1000,
    /* EMAILID, MAILBOXID: RFC 8474 section 3 says 255. */
    LIMIT_OBJECT_ID = 255,
    /* One read call: four TLS records. */
    LIMIT_READ = 64 * 1024,
};

/* Rounds of PBKDF2 in a SCRAM login: about a second of work, and far more than RFC 7677 asks for. */
enum { LIMIT_SCRAM_ITERATIONS = 1000000 };

/* A message larger than this is nobody's mail: 1 TiB keeps every sum of sizes far from overflow. */
#define LIMIT_MESSAGE_OCTETS (UINT64_C(1) << 40)

/* Listed sizes are wrong in both directions, but a body without end is an attack on the disk: it may have this many
 * times what was listed, and this much more. */
#define LIMIT_OCTETS_SLACK  (UINT64_C(64) * 1024 * 1024)
#define LIMIT_OCTETS_FACTOR 4

#endif
