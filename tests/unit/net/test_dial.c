/* SPDX-License-Identifier: MIT
 * Connecting: addresses that are dead or silent, names that lead nowhere, tunnels, sockets in the file system, hosts'
 * names.
 *
 * getaddrinfo() is ours here: "*.test" leads to the addresses that a test sets, each with a port of its own, and
 * "localhost" is not known, as on a system without /etc/hosts; other names go to the C library.
 */
#include "peer.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/io.h"
#include "net/dial.h"
#include "net/host.h"

static struct {
    struct sockaddr_storage at[8];
    size_t count;
    char asked[HOST_MAX];
} names;

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
    typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    size_t n = node != NULL ? strlen(node) : 0;
    struct addrinfo **next = out;

    if (node != NULL && strcmp(node, "localhost") == 0)
        return EAI_NONAME;
    if (n < 5 || strcmp(node + n - 5, ".test") != 0) {
        void *real = dlsym(RTLD_NEXT, "getaddrinfo");
        lookup *f;
        memcpy(&f, &real, sizeof(f));
        return f(node, service, hints, out);
    }
    snprintf(names.asked, sizeof(names.asked), "%s", node);
    *out = NULL;
    for (size_t i = 0; i < names.count; i++) {
        socklen_t size = names.at[i].ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
        struct addrinfo *a;

        if (hints->ai_family != AF_UNSPEC && hints->ai_family != names.at[i].ss_family)
            continue;
        a = calloc(1, sizeof(*a) + size); /* in one piece, as freeaddrinfo() wants it */
        if (a == NULL)
            return EAI_MEMORY;
        a->ai_family = names.at[i].ss_family;
        a->ai_socktype = SOCK_STREAM;
        a->ai_addrlen = size;
        a->ai_addr = (struct sockaddr *)(a + 1);
        memcpy(a->ai_addr, &names.at[i], size);
        *next = a;
        next = &a->ai_next;
    }
    return *out != NULL ? 0 : EAI_NONAME;
}

static void add_address(int family, uint16_t port)
{
    struct sockaddr_storage *at = &names.at[names.count++];

    *at = (struct sockaddr_storage){ .ss_family = (sa_family_t)family };
    if (family == AF_INET)
        *(struct sockaddr_in *)at = (struct sockaddr_in){ .sin_family = AF_INET,
                                                          .sin_port = htons(port),
                                                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    else
        *(struct sockaddr_in6 *)at = (struct sockaddr_in6){ .sin6_family = AF_INET6,
                                                            .sin6_port = htons(port),
                                                            .sin6_addr = IN6ADDR_LOOPBACK_INIT };
}

/* A listener on a free port of the loopback; -1 where the family is not to be had. */
static int listener_of(int family, int backlog, uint16_t *port_out)
{
    struct sockaddr_storage a;
    socklen_t size = sizeof(a);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    names.count = 0;
    add_address(family, 0);
    a = names.at[--names.count];
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, size) != 0) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    CHECK_INT(listen(fd, backlog), 0);
    CHECK_INT(getsockname(fd, (struct sockaddr *)&a, &size), 0);
    *port_out =
        ntohs(family == AF_INET ? ((struct sockaddr_in *)&a)->sin_port : ((struct sockaddr_in6 *)&a)->sin6_port);
    return fd;
}

static int listener(int backlog, uint16_t *port_out)
{
    int fd = listener_of(AF_INET, backlog, port_out);

    CHECK(fd >= 0);
    return fd;
}

/* A port where nobody listens. */
static uint16_t dead_port(void)
{
    uint16_t port;
    int fd = listener(1, &port);

    close(fd);
    return port;
}

/* A port that never answers: the queue of connections is full. */
struct silent_port {
    int listener;
    int clients[3];
    uint16_t port;
};

static struct silent_port silent_port_open(void)
{
    struct silent_port s;
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    s.listener = listener(0, &s.port);
    a.sin_port = htons(s.port);
    for (size_t i = 0; i < ARRAY_LEN(s.clients); i++) {
        s.clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        CHECK(connect(s.clients[i], (struct sockaddr *)&a, sizeof(a)) == 0 || errno == EINPROGRESS);
    }
    return s;
}

static void silent_port_close(struct silent_port *s)
{
    for (size_t i = 0; i < ARRAY_LEN(s->clients); i++)
        close(s->clients[i]);
    close(s->listener);
}

/* Accepts, and checks that it is our stream that is at the other end. */
static void check_connected(int listening, struct stream *s)
{
    int fd = accept(listening, NULL, NULL);
    struct slice line;
    struct err e;

    CHECK(fd >= 0);
    CHECK_INT(io_write_all(fd, "+OK\r\n", 5), 0);
    CHECK_INT(stream_line(s, 100, &line, &e), 0);
    CHECK_SLICE(line, SLICE("+OK"));
    close(fd);
}

static void the_first_that_connects_wins(void **state)
{
    static const struct {
        const char *name;
        bool dead, silent; /* what stands in front of the good address */
        int64_t at_least, at_most;
    } cases[] = {
        { "good at once", false, false, 0, 240 },
        { "dead first: the next at once", true, false, 0, 240 },
        { "silent first: the next after its time", false, true, 250, 900 },
        { "dead and silent", true, true, 250, 900 },
    };
    struct silent_port silent = silent_port_open();
    uint16_t dead = dead_port(), good;
    int fd = listener(5, &good);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dial_options o = { .host = "many.test", .port = 1, .timeout_s = 10 };
        struct stream *s = NULL;
        struct err e = ERR_INIT;
        int64_t start = clock_mono_ms(), took;

        CASE("%s", cases[i].name);
        names.count = 0;
        if (cases[i].dead)
            add_address(AF_INET, dead);
        if (cases[i].silent)
            add_address(AF_INET, silent.port);
        add_address(AF_INET, good);
        CHECK_INT(dial(&o, &s, &e), 0);
        took = clock_mono_ms() - start;
        CHECK(took >= cases[i].at_least && took < cases[i].at_most);
        check_connected(fd, s);
        stream_close(&s);
    }
    silent_port_close(&silent);
    close(fd);
}

static void localhost_needs_no_resolver(void **state)
{
    struct dial_options o = { .host = "localhost", .timeout_s = 10 };
    struct stream *s = NULL;
    struct err e = ERR_INIT;
    int fd = listener(5, &o.port);

    (void)state;
    CHECK_INT(dial(&o, &s, &e), 0);
    check_connected(fd, s);
    stream_close(&s);
    close(fd);
}

/* However many addresses of the first family are silent, as a broken route makes them, the other has the second
 * turn. */
static void the_families_take_turns(void **state)
{
    struct silent_port silent = silent_port_open();
    struct dial_options o = { .host = "many.test", .port = 1, .timeout_s = 10 };
    struct stream *s = NULL;
    struct err e;
    uint16_t good;
    int fd = listener_of(AF_INET6, 5, &good);
    int64_t start, took;

    (void)state;
    if (fd < 0) {
        silent_port_close(&silent);
        print_message("skipped: there is no IPv6 here\n");
        skip();
    }
    names.count = 0;
    add_address(AF_INET, silent.port);
    add_address(AF_INET, silent.port);
    add_address(AF_INET, silent.port);
    add_address(AF_INET6, good);
    start = clock_mono_ms();
    CHECK_INT(dial(&o, &s, &e), 0);
    took = clock_mono_ms() - start;
    CHECK(took >= 250 && took < 740);
    check_connected(fd, s);
    stream_close(&s);

    o.family = DIAL_IPV6;
    start = clock_mono_ms();
    CHECK_INT(dial(&o, &s, &e), 0);
    CHECK(clock_mono_ms() - start < 250);
    stream_close(&s);
    names.count = 3;
    CHECK_INT(dial(&o, &s, &e), -1);
    CHECK_INT(e.code, E_NET);
    CHECK_HAS(e.text, "no IPv6 address");
    silent_port_close(&silent);
    close(fd);
}

static void what_cannot_be_reached_is_said(void **state)
{
    struct silent_port silent = silent_port_open();
    struct dial_options o = { .host = "many.test", .port = 993, .timeout_s = 1 };
    struct stream *s = NULL;
    struct err e;
    int64_t start = clock_mono_ms();

    (void)state;
    names.count = 0;
    add_address(AF_INET, dead_port());
    CHECK_INT(dial(&o, &s, &e), -1);
    CHECK_INT(e.code, E_NET);
    CHECK_INT(e.retry, RETRY_LATER);
    CHECK_HAS(e.text, "many.test port 993: Connection refused");

    add_address(AF_INET, silent.port);
    CHECK_INT(dial(&o, &s, &e), -1);
    CHECK_INT(e.code, E_TIMEOUT);
    CHECK(clock_mono_ms() - start >= 1000 && clock_mono_ms() - start < 3000);

    names.count = 0;
    CHECK_INT(dial(&o, &s, &e), -1);
    CHECK_INT(e.code, E_NET);
    CHECK_HAS(e.text, "many.test: the name does not exist");
    CHECK(s == NULL);
    silent_port_close(&silent);
}

static void bind_address(void **state)
{
    struct dial_options o = { .host = "many.test", .port = 1, .timeout_s = 5, .bind_address = "127.0.0.3" };
    struct sockaddr_in from;
    socklen_t size = sizeof(from);
    char text[INET_ADDRSTRLEN];
    struct stream *s = NULL;
    struct err e;
    uint16_t good;
    int fd = listener(5, &good), accepted;

    (void)state;
    names.count = 0;
    add_address(AF_INET6, good);
    add_address(AF_INET, good);
    CHECK_INT(dial(&o, &s, &e), 0);
    accepted = accept(fd, (struct sockaddr *)&from, &size);
    CHECK(accepted >= 0);
    CHECK(inet_ntop(AF_INET, &from.sin_addr, text, sizeof(text)) != NULL);
    CHECK_SLICE(slice_str(text), SLICE("127.0.0.3"));
    close(accepted);
    stream_close(&s);

    o.bind_address = "eth0";
    CHECK_INT(dial(&o, &s, &e), -1);
    CHECK_INT(e.code, E_CONFIG);
    CHECK_HAS(e.text, "bind_address eth0");
    o.bind_address = "::1";
    names.count = 0;
    add_address(AF_INET, good);
    CHECK_INT(dial(&o, &s, &e), -1);
    CHECK_INT(e.code, E_NET);
    CHECK_HAS(e.text, "bind_address ::1");
    close(fd);
}

static void *relay_hello(void *arg)
{
    int fd = accept(*(int *)arg, NULL, NULL);
    char hello[3], request[4 + 1 + 9 + 2];

    if (fd < 0 || recv(fd, hello, sizeof(hello), MSG_WAITALL) != sizeof(hello) ||
        io_write_all(fd, "\x05\x00", 2) != 0 || recv(fd, request, sizeof(request), MSG_WAITALL) != sizeof(request) ||
        io_write_all(fd, "\x05\x00\x00\x01\0\0\0\0\0\0+OK\r\n", 15) != 0)
        return NULL;
    close(fd);
    return arg;
}

/* The proxy gets the name; nobody here looks it up. */
static void through_a_proxy(void **state)
{
    uint16_t port;
    int fd = listener(5, &port);
    struct dial_options o = {
        .host = "mail.test", .port = 110, .timeout_s = 5, .proxy_host = "127.0.0.1", .proxy_port = port
    };
    struct stream *s = NULL;
    struct slice line;
    struct err e;
    pthread_t thread;
    void *result;

    (void)state;
    names.asked[0] = '\0';
    CHECK_INT(pthread_create(&thread, NULL, relay_hello, &fd), 0);
    CHECK_INT(dial(&o, &s, &e), 0);
    CHECK_INT(stream_line(s, 100, &line, &e), 0);
    CHECK_SLICE(line, SLICE("+OK"));
    CHECK_INT(stream_line(s, 100, &line, &e), -1);
    CHECK_HAS(e.text, "mail.test: ");
    stream_close(&s);
    pthread_join(thread, &result);
    CHECK(result != NULL);
    CHECK_SLICE(slice_str(names.asked), SLICE(""));
    close(fd);

    CHECK_INT(dial(&o, &s, &e), -1);
    CHECK_INT(e.code, E_NET);
    CHECK_HAS(e.text, "proxy: 127.0.0.1 port");
}

static void through_a_tunnel(void **state)
{
    char *const cat[] = { (char[]){ "cat" }, NULL };
    char *const missing[] = { (char[]){ "no-such-command-anywhere" }, NULL };
    struct dial_options o = { .tunnel = cat, .timeout_s = 5 };
    struct stream *s = NULL;
    struct slice line;
    struct err e;

    (void)state;
    CHECK_INT(dial(&o, &s, &e), 0);
    stream_put(s, SLICE("* OK through the cat\r\n"));
    CHECK_INT(stream_flush(s, &e), 0);
    CHECK_INT(stream_line(s, 100, &line, &e), 0);
    CHECK_SLICE(line, SLICE("* OK through the cat"));
    stream_close(&s);
    CHECK_INT(waitpid(-1, NULL, WNOHANG), -1);
    CHECK_INT(errno, ECHILD);

    o.tunnel = missing;
    CHECK_INT(dial(&o, &s, &e), -1);
    CHECK_INT(e.code, E_CONFIG);
    CHECK_HAS(e.text, "no-such-command-anywhere");
}

/* Neither a command that ignores everything nor what it has started outlives the stream. */
static void a_stubborn_tunnel_is_ended(void **state)
{
    char *const argv[] = { (char[]){ "sh" }, (char[]){ "-c" },
                           (char[]){ "trap '' TERM HUP; sleep 60 & echo $!; wait; sleep 60" }, NULL };
    struct dial_options o = { .tunnel = argv, .timeout_s = 5 };
    struct stream *s = NULL;
    struct slice line;
    struct err e;
    long pid;

    (void)state;
    CHECK_INT(dial(&o, &s, &e), 0);
    CHECK_INT(stream_line(s, 100, &line, &e), 0);
    pid = strtol(line.p, NULL, 10);
    CHECK(pid > 1);
    struct pollfd ends = { .fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0), .events = POLLIN };
    CHECK(ends.fd >= 0);
    stream_close(&s);
    CHECK_INT(waitpid(-1, NULL, WNOHANG), -1);
    CHECK_INT(poll(&ends, 1, 5000), 1);
    close(ends.fd);
}

static void through_a_socket_in_the_file_system(void **state)
{
    char dir[] = "/tmp/test_dial_XXXXXX", path[128], too_long[200];
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    struct dial_options o = { .unix_socket = path, .timeout_s = 5 };
    struct stream *s = NULL;
    struct err e;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof(path), "%s/lmtp", dir);
    memcpy(a.sun_path, path, strlen(path) + 1);
    CHECK_INT(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    CHECK_INT(listen(fd, 5), 0);
    CHECK_INT(dial(&o, &s, &e), 0);
    check_connected(fd, s);
    stream_close(&s);
    close(fd);
    CHECK_INT(dial(&o, &s, &e), -1);
    CHECK_INT(e.code, E_NET);
    CHECK_HAS(e.text, path);
    memset(too_long, 'x', sizeof(too_long));
    too_long[sizeof(too_long) - 1] = '\0';
    o.unix_socket = too_long;
    CHECK_INT(dial(&o, &s, &e), -1);
    CHECK_INT(e.code, E_CONFIG);
    unlink(path);
    rmdir(dir);
}

/* What a client that sends mail asks of its connection: its own address, and whether anything was said. */
static void address_and_quiet(void **state)
{
    static const struct {
        int family;
        const char *address;
    } cases[] = { { AF_INET, "127.0.0.1" }, { AF_INET6, "::1" } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dial_options options = { .host = "mail.test", .timeout_s = 5 };
        struct stream *s = NULL;
        char address[64];
        struct slice line;
        struct err e;
        int fd = listener_of(cases[i].family, 5, &options.port), peer;

        CASE("our address: %s", cases[i].address);
        if (fd < 0)
            continue;
        add_address(cases[i].family, options.port);
        CHECK_INT(dial(&options, &s, &e), 0);
        peer = accept(fd, NULL, NULL);
        CHECK(peer >= 0);
        CHECK(stream_local_address(s, address, sizeof(address)));
        CHECK_SLICE(slice_str(address), slice_str(cases[i].address));
        CHECK(!stream_local_address(s, address, 3));
        CHECK(stream_quiet(s));
        CHECK_INT(send(peer, "421 bye\r\n", 9, MSG_NOSIGNAL), 9);
        CHECK_INT(stream_line(s, 100, &line, &e), 0);
        CHECK(stream_quiet(s));
        CHECK_INT(send(peer, "+", 1, MSG_NOSIGNAL), 1);
        CHECK_INT(stream_fill(s, &e), 0);
        CHECK(!stream_quiet(s));
        stream_consume(s, 1);
        close(peer);
        CHECK_INT(stream_fill(s, &e), -1);
        CHECK(!stream_quiet(s));
        stream_close(&s);
        close(fd);
    }
}

static void hosts(void **state)
{
    static const struct {
        const char *host, *ascii; /* NULL: refused */
        bool address;
    } cases[] = {
        { "imap.example.org", "imap.example.org", false },
        { "imap.example.org.", "imap.example.org", false },
        { "192.0.2.1", "192.0.2.1", true },
        { "2001:db8::1", "2001:db8::1", true },
        { "1.2.3", "1.2.3", false },
#ifdef HAVE_IDN2
        { "m\xc3\xbcnchen.example", "xn--mnchen-3ya.example", false },
        { "M\xc3\x9cNCHEN.example", "xn--mnchen-3ya.example", false },
        { "fa\xc3\x9f.example", "xn--fa-hia.example", false },
#endif
        { "\xff.example", NULL, false },
        { "", NULL, false },
        { ".", NULL, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char out[HOST_MAX];
        struct err e = ERR_INIT;

        CASE("host %s", cases[i].host);
        CHECK_INT(host_ascii(cases[i].host, out, &e), cases[i].ascii != NULL ? 0 : -1);
        if (cases[i].ascii != NULL)
            CHECK_SLICE(slice_str(out), slice_str(cases[i].ascii));
        else
            CHECK_INT(e.code, E_CONFIG);
        CHECK_INT(host_is_address(cases[i].host), cases[i].address);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_that_connects_wins),
        cmocka_unit_test(localhost_needs_no_resolver),
        cmocka_unit_test(the_families_take_turns),
        cmocka_unit_test(what_cannot_be_reached_is_said),
        cmocka_unit_test(bind_address),
        cmocka_unit_test(through_a_proxy),
        cmocka_unit_test(through_a_tunnel),
        cmocka_unit_test(a_stubborn_tunnel_is_ended),
        cmocka_unit_test(through_a_socket_in_the_file_system),
        cmocka_unit_test(address_and_quiet),
        cmocka_unit_test(hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
