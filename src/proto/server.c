/* SPDX-License-Identifier: MIT */
#include "proto/server.h"

#include <arpa/inet.h>
#include <strings.h>

#include "wire/sasl_name.h"

uint32_t server_disabled_mechanisms(const struct server *s)
{
    uint32_t all = 0;

    for (size_t i = 0; s->disabled != NULL && s->disabled[i] != NULL; i++)
        all |= sasl_from_capability(slice_str(s->disabled[i]));
    return all;
}

bool server_is_local(const struct server *s)
{
    struct in_addr v4;
    struct in6_addr v6;
    const char *host = s->dial.host;

    if (s->dial.tunnel != NULL || s->dial.unix_socket != NULL)
        return true;
    if (host == NULL || strcasecmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}
