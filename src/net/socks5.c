/* SPDX-License-Identifier: MIT */
#include "net/stream_int.h"

#include <arpa/inet.h>

#include "net/host.h"

enum {
    SOCKS_VERSION = 5,
    METHOD_NONE = 0,
    METHOD_PASSWORD = 2,
    METHOD_REFUSED = 0xff,
    LOGIN_VERSION = 1,
    COMMAND_CONNECT = 1,
    TYPE_IPV4 = 1,
    TYPE_NAME = 3,
    TYPE_IPV6 = 4,
    FIELD_MAX = 255,
};

/* Waits for `n` bytes and takes them. */
static int take(struct stream *s, unsigned char *out, size_t n, struct err *e)
{
    while (stream_peek(s).n < n) {
        if (stream_fill(s, e) != 0)
            return -1;
    }
    memcpy(out, stream_peek(s).p, n);
    stream_consume(s, n);
    return 0;
}

static void put_byte(struct stream *s, unsigned value)
{
    char byte = (char)value;

    stream_put(s, slice_make(&byte, 1));
}

/* RFC 1928 section 3: what we can do, what the proxy chose. */
static int choose_method(struct stream *s, bool password, unsigned *method_out, struct err *e)
{
    unsigned char reply[2];

    put_byte(s, SOCKS_VERSION);
    put_byte(s, password ? 2 : 1);
    put_byte(s, METHOD_NONE);
    if (password)
        put_byte(s, METHOD_PASSWORD);
    if (stream_flush(s, e) != 0 || take(s, reply, sizeof(reply), e) != 0)
        return -1;
    if (reply[0] != SOCKS_VERSION)
        return err_set(e, E_PROTO, "this is no SOCKS5 proxy");
    if (reply[1] == METHOD_REFUSED && !password)
        return err_set(e, E_AUTH, "the proxy wants a user and a password");
    if (reply[1] != METHOD_NONE && !(password && reply[1] == METHOD_PASSWORD))
        return err_set(e, E_AUTH, "the proxy accepts no way to log in that we know");
    *method_out = reply[1];
    return 0;
}

/* RFC 1929. */
static int log_in(struct stream *s, struct slice user, struct slice password, struct err *e)
{
    unsigned char reply[2];

    if (user.n == 0 || user.n > FIELD_MAX || password.n > FIELD_MAX)
        return err_set(e, E_CONFIG, "user and password of a SOCKS5 proxy have at most %d bytes", FIELD_MAX);
    put_byte(s, LOGIN_VERSION);
    put_byte(s, (unsigned)user.n);
    stream_put(s, user);
    put_byte(s, (unsigned)password.n);
    stream_put_secret(s, password);
    if (stream_flush(s, e) != 0 || take(s, reply, sizeof(reply), e) != 0)
        return -1;
    return reply[1] == 0 ? 0 : err_set(e, E_AUTH, "the proxy refused the user or the password");
}

static int put_request(struct stream *s, const char *host, uint16_t port, struct err *e)
{
    unsigned char address[sizeof(struct in6_addr)];
    char name[HOST_MAX];

    if (host_ascii(host, name, e) != 0)
        return -1;
    if (strlen(name) > FIELD_MAX)
        return err_set(e, E_CONFIG, "%.64s... is too long for the name of a host", name);
    put_byte(s, SOCKS_VERSION);
    put_byte(s, COMMAND_CONNECT);
    put_byte(s, 0);
    if (inet_pton(AF_INET, name, address) == 1) {
        put_byte(s, TYPE_IPV4);
        stream_put(s, slice_make((char *)address, sizeof(struct in_addr)));
    } else if (inet_pton(AF_INET6, name, address) == 1) {
        put_byte(s, TYPE_IPV6);
        stream_put(s, slice_make((char *)address, sizeof(struct in6_addr)));
    } else {
        put_byte(s, TYPE_NAME);
        put_byte(s, (unsigned)strlen(name));
        stream_put(s, slice_str(name));
    }
    put_byte(s, port >> 8);
    put_byte(s, port & 0xff);
    return stream_flush(s, e);
}

/* RFC 1928 section 6; the address that it ends with means nothing to us, but must be taken whole. */
static int take_reply(struct stream *s, const char *host, uint16_t port, struct err *e)
{
    static const char *const words[] = {
        NULL,
        "the proxy failed",
        "the proxy's rules do not allow it",
        "network unreachable",
        "host unreachable or unknown",
        "connection refused",
        "no answer in time",
        "the proxy cannot make connections",
        "the proxy does not know this kind of address",
    };
    unsigned char head[4], rest[FIELD_MAX + 2], length = 0;

    if (take(s, head, sizeof(head), e) != 0)
        return -1;
    if (head[0] != SOCKS_VERSION)
        return err_set(e, E_PROTO, "the proxy's answer is not SOCKS5");
    if (head[1] != 0)
        return err_set(e, E_NET, "%s port %u through the proxy: %s", host, port,
                       head[1] < ARRAY_LEN(words) ? words[head[1]] : "refused");
    if (head[3] == TYPE_NAME && take(s, &length, 1, e) != 0)
        return -1;
    if (head[3] == TYPE_IPV4)
        length = sizeof(struct in_addr);
    else if (head[3] == TYPE_IPV6)
        length = sizeof(struct in6_addr);
    else if (head[3] != TYPE_NAME)
        return err_set(e, E_PROTO, "the proxy's answer is not SOCKS5");
    return take(s, rest, length + 2u, e);
}

int socks5_connect(struct stream *s, const struct dial_options *options, struct err *e)
{
    struct slice user = slice_str(options->proxy_user), password = slice_str(options->proxy_password);
    unsigned method;

    if (choose_method(s, options->proxy_user != NULL, &method, e) != 0)
        return -1;
    if (method == METHOD_PASSWORD && log_in(s, user, password, e) != 0)
        return -1;
    if (put_request(s, options->host, options->port, e) != 0)
        return -1;
    return take_reply(s, options->host, options->port, e);
}
