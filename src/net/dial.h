/* SPDX-License-Identifier: MIT
 * dial.h - from a host and a port to a connected stream.
 *
 * TCP with happy eyeballs (RFC 8305: the addresses of both families in turn, a new attempt every 250 ms or as soon as
 * one failed, the first that connects wins), from `bind_address` and in `family` only where these are set, TCP_NODELAY
 * and keep-alive on; or through a SOCKS5 proxy (RFC 1928, user and password of RFC 1929; the proxy resolves the name);
 * or over the standard input and output of a command (`tunnel`, no shell, posix_spawn, own process group, the command's
 * standard error goes to ours).
 *
 * Errors in words: E_NET with host, port and what the last address said ("imap.example.org port 993: connection
 * refused"), or that the name does not exist; E_TIMEOUT; E_CONFIG for a bind_address that is no address, a host that is
 * no name, a tunnel command that cannot be started; of a proxy also E_AUTH and E_PROTO. The name is looked up by
 * getaddrinfo(), which nothing can interrupt: its own limits (resolv.conf) come on top. A host outside ASCII is turned
 * into A-labels. The texts of later errors of the stream begin with the host as given here.
 */
#ifndef MAILHAUL_NET_DIAL_H
#define MAILHAUL_NET_DIAL_H

#include "net/stream.h"

enum dial_family { DIAL_ANY, DIAL_IPV4, DIAL_IPV6 };

struct dial_options {
    const char *host;
    uint16_t port;
    const char *unix_socket; /* instead of host and port; NULL: none                 */
    enum dial_family family;
    const char *bind_address; /* numeric; NULL: any                                   */
    const char *proxy_host;   /* SOCKS5; NULL: none                                   */
    uint16_t proxy_port;
    const char *proxy_user; /* NULL: no authentication                              */
    const char *proxy_password;
    char *const *tunnel; /* argv ending in NULL; NULL: none                      */
    int timeout_s;       /* of the stream, and of connecting to all the addresses */
};

MUST_CHECK int dial(const struct dial_options *options, struct stream **out, struct err *e);

#endif
