/* SPDX-License-Identifier: MIT
 * sasl_name.h - names of ways to log in, as IMAP (AUTH=...), POP3 (SASL, RFC 5034) and SMTP (AUTH, RFC 4954) list them.
 */
#ifndef MAILHAUL_WIRE_SASL_NAME_H
#define MAILHAUL_WIRE_SASL_NAME_H

#include "base/slice.h"

/* For sets. The last two are no SASL. */
enum sasl_mechanism {
    SASL_EXTERNAL = 1 << 0,
    SASL_SCRAM_SHA_256_PLUS = 1 << 1,
    SASL_SCRAM_SHA_1_PLUS = 1 << 2,
    SASL_SCRAM_SHA_256 = 1 << 3,
    SASL_SCRAM_SHA_1 = 1 << 4,
    SASL_PLAIN = 1 << 5,
    SASL_LOGIN = 1 << 6,
    SASL_CRAM_MD5 = 1 << 7,
    SASL_GSSAPI = 1 << 8,
    SASL_OAUTHBEARER = 1 << 9,
    SASL_XOAUTH2 = 1 << 10,
    SASL_COMMAND = 1 << 11, /* POP3 USER and PASS, IMAP LOGIN */
    SASL_APOP = 1 << 12,
    SASL_ALL = (1 << 11) - 1, /* all of SASL */
};

/* "SCRAM-SHA-256", any case; 0: none of ours. */
uint32_t sasl_from_name(struct slice name);
/* Of one mechanism; upper case. */
const char *sasl_name(uint32_t mechanism);
/* The names of a list with blanks between them. */
uint32_t sasl_from_list(struct slice names);
/* For disable_extensions: "AUTH=PLAIN" one of them, "AUTH" and "SASL" all; 0: it names none. */
uint32_t sasl_from_capability(struct slice name);

#endif
