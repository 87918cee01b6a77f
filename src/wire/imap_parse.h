/* SPDX-License-Identifier: MIT
 * imap_parse.h - one complete IMAP response (as imap_reader.h hands it out) to values.
 *
 * RFC 3501 section 9 (formal syntax), RFC 9051, RFC 5530 (response codes), RFC 6154 (special use), RFC 5819 (STATUS in
 * LIST), RFC 7162 (MODSEQ, HIGHESTMODSEQ), RFC 8474 (EMAILID, MAILBOXID), X-GM-MSGID of Gmail.
 *
 * Lenient where real servers err (double blanks, HIGHESTMODSEQ code without text, unknown data items and attributes,
 * lower case keywords, missing text behind a status), strict where a guess could lose mail (numbers, UIDs, literals).
 * Linear time, no recursion, nesting up to 32 parentheses. All slices in the results are views into the text. Every
 * function returns 0, or -1 for "not what the standard says".
 */
#ifndef MAILHAUL_WIRE_IMAP_PARSE_H
#define MAILHAUL_WIRE_IMAP_PARSE_H

#include "base/buf.h"

enum imap_kind { IMAP_TAGGED, IMAP_UNTAGGED, IMAP_CONTINUE };
enum imap_status { IMAP_NO_STATUS, IMAP_OK, IMAP_NO, IMAP_BAD, IMAP_BYE, IMAP_PREAUTH };

struct imap_response {
    enum imap_kind kind;
    struct slice tag;
    enum imap_status status; /* for OK, NO, BAD, BYE, PREAUTH */
    struct slice code;       /* name of the response code without brackets ("UIDVALIDITY"), n == 0: none */
    struct slice code_args;  /* what follows the name inside the brackets, trimmed */
    struct slice text;       /* the human part, for a continuation all of it */
    bool has_number;         /* "* 12 EXISTS", "* 3 FETCH (...)" */
    uint32_t number;
    struct slice name; /* "FETCH", "LIST", "CAPABILITY" ... as sent; compare with slice_ieq() */
    struct slice rest; /* what follows the name */
};

int imap_parse_response(struct slice text, struct imap_response *out);

enum imap_body { IMAP_BODY_ABSENT, IMAP_BODY_NIL, IMAP_BODY_INLINE, IMAP_BODY_STREAMED };

enum mail_flag {
    MAIL_SEEN = 1 << 0,
    MAIL_ANSWERED = 1 << 1,
    MAIL_FLAGGED = 1 << 2,
    MAIL_DRAFT = 1 << 3,
    MAIL_DELETED = 1 << 4,
    MAIL_RECENT = 1 << 5,
};

struct imap_fetch {
    bool has_uid, has_size, has_flags, has_date, has_modseq;
    uint32_t uid;
    uint64_t size;  /* RFC822.SIZE: never to be trusted as the length of the body */
    unsigned flags; /* enum mail_flag; keywords are not told */
    int64_t date;   /* INTERNALDATE, seconds since 1970 UTC; has_date is false when it could not be read */
    uint64_t modseq;
    struct slice object_id;   /* EMAILID without its parentheses, or the digits of X-GM-MSGID; n == 0: none */
    unsigned body_count;      /* body sections in the response: more than one is not what we ask for */
    enum imap_body body;      /* of the first of them */
    struct slice body_item;   /* its name, for instance "BODY[]" or "BODY[HEADER]<0>" */
    struct slice body_inline; /* IMAP_BODY_INLINE: a quoted string with its quotes; see imap_string() */
};

/* `rest` of a FETCH or UIDFETCH response. For UIDFETCH the UID is `number`: the caller sets it when has_uid is false,
 * and takes a `uid` that differs for an error.
 * -1 for a UID that is none, two UIDs, a list that does not close, BODY[] without a value (a server that leaves out the
 * literal's length does so: the lines that follow are the body, so the connection is of no more use). A size, date,
 * MODSEQ or id that cannot be read counts as not sent. */
int imap_parse_fetch(struct slice rest, struct imap_fetch *out);

/* Decodes one string token (atom, quoted with escapes, literal "{n}" CRLF bytes, or NIL as "") at the front of *in into
 * `out` (appended) and moves *in behind it and following blanks. -1, with both as they were: something else, or no
 * room. */
MUST_CHECK int imap_string(struct slice *in, struct buf *out);

enum imap_attr {
    IMAP_ATTR_NOSELECT = 1 << 0, /* also \NonExistent */
    IMAP_ATTR_ALL = 1 << 1,
    IMAP_ATTR_ARCHIVE = 1 << 2,
    IMAP_ATTR_DRAFTS = 1 << 3,
    IMAP_ATTR_FLAGGED = 1 << 4,
    IMAP_ATTR_JUNK = 1 << 5,
    IMAP_ATTR_SENT = 1 << 6,
    IMAP_ATTR_TRASH = 1 << 7,
    IMAP_ATTR_IMPORTANT = 1 << 8,
    IMAP_ATTR_NOINFERIORS = 1 << 9,
    IMAP_ATTR_SUBSCRIBED = 1 << 10,
};
#define IMAP_ATTR_SPECIAL_USE 0x1fe
/* "\Sent" (any case) to IMAP_ATTR_SENT; 0 when it is no attribute that we know. XLIST's older names (\Spam,
 * \AllMail, \Starred) too. */
unsigned imap_attr_from_name(struct slice name);

struct imap_list {
    unsigned attrs; /* enum imap_attr */
    char delimiter; /* '\0': NIL, a flat name space */
};
/* `rest` of a LIST, LSUB or XLIST response; the name as on the wire (still modified UTF-7) is appended to `name`.
 * On -1 nothing is. An unquoted name with a blank in it is -1: half a name is another folder's. */
int imap_parse_list(struct slice rest, struct imap_list *out, struct buf *name);

struct imap_status_items {
    bool has_messages, has_uidnext, has_uidvalidity, has_highestmodseq, has_unseen;
    uint32_t messages, uidnext, uidvalidity, unseen;
    uint64_t highestmodseq;
    uint64_t append_limit; /* APPENDLIMIT (RFC 7889); 0: none told */
    struct slice mailbox_id;
};
/* `rest` of a STATUS response; `name` as above. An item that cannot be read is -1, but HIGHESTMODSEQ,
 * APPENDLIMIT and MAILBOXID count as not sent. */
int imap_parse_status(struct slice rest, struct imap_status_items *out, struct buf *name);

enum imap_cap {
    IMAP_CAP_IMAP4REV1 = 1 << 0,
    IMAP_CAP_IMAP4REV2 = 1 << 1,
    IMAP_CAP_STARTTLS = 1 << 2,
    IMAP_CAP_LOGINDISABLED = 1 << 3,
    IMAP_CAP_SASL_IR = 1 << 4,
    IMAP_CAP_LITERAL_PLUS = 1 << 5,
    IMAP_CAP_LITERAL_MINUS = 1 << 6,
    IMAP_CAP_ID = 1 << 7,
    IMAP_CAP_ENABLE = 1 << 8,
    IMAP_CAP_IDLE = 1 << 9,
    IMAP_CAP_NOTIFY = 1 << 10,
    IMAP_CAP_UIDPLUS = 1 << 11,
    IMAP_CAP_MOVE = 1 << 12,
    IMAP_CAP_CONDSTORE = 1 << 13,
    IMAP_CAP_QRESYNC = 1 << 14,
    IMAP_CAP_LIST_EXTENDED = 1 << 15,
    IMAP_CAP_LIST_STATUS = 1 << 16,
    IMAP_CAP_SPECIAL_USE = 1 << 17,
    IMAP_CAP_COMPRESS_DEFLATE = 1 << 18,
    IMAP_CAP_OBJECTID = 1 << 19,
    IMAP_CAP_GMAIL = 1 << 20,       /* X-GM-EXT-1 */
    IMAP_CAP_UTF8_ACCEPT = 1 << 21, /* UTF8=ACCEPT or UTF8=ONLY */
    IMAP_CAP_UTF8_ONLY = 1 << 22,
    IMAP_CAP_UIDONLY = 1 << 23,
    IMAP_CAP_PARTIAL = 1 << 24,
    IMAP_CAP_UNSELECT = 1 << 25,
    IMAP_CAP_ESEARCH = 1 << 26,
    IMAP_CAP_XLIST = 1 << 27,
    IMAP_CAP_NAMESPACE = 1 << 28,
    IMAP_CAP_MULTIAPPEND = 1 << 29,
    IMAP_CAP_APPENDLIMIT = 1 << 30, /* without a number: STATUS tells it for each folder */
};
struct imap_caps {
    uint64_t bits;          /* enum imap_cap; 0: nothing known */
    uint32_t message_limit; /* MESSAGELIMIT=n (RFC 9738), 0: none */
    uint64_t append_limit;  /* APPENDLIMIT=n, 0: none */
    uint32_t auth;          /* AUTH=...: enum sasl_mechanism */
};
/* The blank-separated names behind CAPABILITY (untagged response or response code). Replaces *out. IMAP4rev2 implies
 * the extensions that RFC 9051 appendix E folded into the base (they are set too; SPECIAL-USE is not, only its
 * attributes were), QRESYNC implies CONDSTORE (RFC 7162 section 3.2.3). */
void imap_parse_caps(struct slice names, struct imap_caps *out);
/* For disable_extensions: the bits of one capability name ("MOVE", "COMPRESS=DEFLATE"; any case), 0 when unknown. */
uint64_t imap_cap_from_name(struct slice name);

/* "17-Jul-1996 02:44:25 -0700" (RFC 3501 date-time, leading blank allowed) to seconds since 1970. -1: a date that
 * does not exist, or anything behind it. */
int imap_parse_date(struct slice s, int64_t *out);

#endif
