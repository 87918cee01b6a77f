/* SPDX-License-Identifier: MIT */
#include "proto/server.h"

#include <arpa/inet.h>
#include <strings.h>

#include "base/buf.h"
#include "wire/base64.h"

bool server_allows(const struct server *s, const char *mechanism)
{
    if (s->auth == NULL || s->auth[0] == NULL)
        return true;
    for (size_t i = 0; s->auth[i] != NULL; i++) {
        if (strcasecmp(s->auth[i], "auto") == 0 || strcasecmp(s->auth[i], mechanism) == 0)
            return true;
    }
    return false;
}

int server_sasl_plain(const struct server *s, struct buf *out, struct err *e)
{
    struct secret password = { 0 };
    struct buf plain = BUF_INIT(SECRET_MAX + 2048);
    int rc = -1;

    if (s->password(s->password_ctx, &password, e) != 0)
        goto out;
    if (slice_has_nul(secret_get(&password))) {
        err_set(e, E_CONFIG, "the password holds a NUL byte, which SASL PLAIN cannot carry");
        goto out;
    }
    if (buf_put_str(&plain, s->authorize_as != NULL ? s->authorize_as : "") != 0 || buf_put_char(&plain, '\0') != 0 ||
        buf_put_str(&plain, s->user) != 0 || buf_put_char(&plain, '\0') != 0 ||
        buf_put_slice(&plain, secret_get(&password)) != 0 || base64_encode(buf_slice(&plain), out) != 0) {
        err_nomem(e);
        goto out;
    }
    rc = 0;
out:
    secret_release(&password);
    buf_wipe(&plain);
    buf_release(&plain);
    return rc;
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
