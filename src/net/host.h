/* SPDX-License-Identifier: MIT
 * host.h - the names of hosts: internationalised ones as the network knows them (A-labels, RFC 5891), and which are
 * addresses.
 */
#ifndef MAILHAUL_NET_HOST_H
#define MAILHAUL_NET_HOST_H

#include "base/err.h"

enum { HOST_MAX = 256 };

/* `host` in ASCII, without the dot that may end it. E_CONFIG when it is no name of a host. */
MUST_CHECK int host_ascii(const char *host, char out[HOST_MAX], struct err *e);
/* True for a numeric IPv4 or IPv6 address. */
bool host_is_address(const char *host);

#endif
