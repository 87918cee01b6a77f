/* SPDX-License-Identifier: MIT
 * pop3_parse.h - the lines of a POP3 server to values. RFC 1939; RFC 2449 (CAPA, response codes); RFC 3206; RFC 6856.
 * A line comes without its CRLF. Lenient as real servers need it: several blanks, trailing blanks, any case.
 */
#ifndef MAILHAUL_WIRE_POP3_PARSE_H
#define MAILHAUL_WIRE_POP3_PARSE_H

#include "base/buf.h"

enum pop3_status { POP3_OK, POP3_ERR, POP3_CONTINUE /* "+ ", in AUTH */ };
struct pop3_reply {
    enum pop3_status status;
    struct slice code; /* "IN-USE", "SYS/TEMP", "AUTH", "LOGIN-DELAY" without brackets; n == 0: none */
    struct slice text; /* behind status (and code), trimmed; for POP3_CONTINUE the challenge */
};
/* -1: no status indicator ("+OK" must not run on into other letters). */
MUST_CHECK int pop3_parse_reply(struct slice line, struct pop3_reply *out);

enum pop3_cap {
    POP3_CAP_TOP = 1 << 0,
    POP3_CAP_USER = 1 << 1,
    POP3_CAP_UIDL = 1 << 2,
    POP3_CAP_PIPELINING = 1 << 3,
    POP3_CAP_STLS = 1 << 4,
    POP3_CAP_RESP_CODES = 1 << 5,
    POP3_CAP_AUTH_RESP_CODE = 1 << 6,
    POP3_CAP_UTF8 = 1 << 7,
    POP3_CAP_UTF8_USER = 1 << 8,
    POP3_CAP_LANG = 1 << 9,
};
struct pop3_caps {
    uint32_t bits;        /* enum pop3_cap */
    uint32_t login_delay; /* LOGIN-DELAY seconds, 0: none */
    uint32_t expire_days; /* EXPIRE n; UINT32_MAX: NEVER or not said; 0: the server removes what was retrieved */
    uint32_t auth;        /* SASL: enum sasl_mechanism */
};
#define POP3_CAPS_NONE ((struct pop3_caps){ .expire_days = UINT32_MAX })
/* One line of the CAPA reply; adds to *out; an unknown one is skipped. */
void pop3_parse_cap_line(struct slice line, struct pop3_caps *out);
/* For disable_extensions ("PIPELINING", "UTF8", "STLS" ...; any case). 0: unknown. */
uint32_t pop3_cap_from_name(struct slice name);

/* "+OK 2 320": `text` of the reply. */
MUST_CHECK int pop3_parse_stat(struct slice text, uint32_t *count_out, uint64_t *octets_out);
/* "1 whqtswO00WBw418f9t5JxYwZ": the unique-id is all that follows the number, any bytes, blanks around it cut off.
 * Blank, or longer than LIMIT_UIDL: n == 0 (allowed, a quirk: such a message has no unique-id). -1: no message
 * number. */
MUST_CHECK int pop3_parse_uidl_line(struct slice line, uint32_t *number_out, struct slice *uidl_out);
/* "1 120"; what follows is ignored. */
MUST_CHECK int pop3_parse_list_line(struct slice line, uint32_t *number_out, uint64_t *octets_out);

#endif
