/* SPDX-License-Identifier: MIT */
#include "daemon/sdnotify.h"

#include "../unit.h"

#include <unistd.h>

/* The service manager: a socket and its name for NOTIFY_SOCKET. */
struct manager {
    int fd;
    char name[100];
    bool abstract;
};

static void listen_at(struct manager *m, bool abstract)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    size_t n;

    m->abstract = abstract;
    n = (size_t)snprintf(m->name, sizeof(m->name), "%smailhaul-test-%ld", abstract ? "@" : "/tmp/", (long)getpid());
    memcpy(at.sun_path, m->name, n + 1);
    if (abstract)
        at.sun_path[0] = '\0';
    m->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(m->fd >= 0);
    CHECK_INT(bind(m->fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + !abstract)),
              0);
    CHECK_INT(setenv("NOTIFY_SOCKET", m->name, 1), 0);
}

static void hear(const struct manager *m, const char *want)
{
    char got[2000] = "";
    ssize_t n = recv(m->fd, got, sizeof(got) - 1, MSG_DONTWAIT);

    CHECK(n >= 0);
    CHECK_SLICE(slice_make(got, (size_t)n), slice_str(want));
}

static void hear_nothing(const struct manager *m)
{
    char got[10];

    CHECK_INT(recv(m->fd, got, sizeof(got), MSG_DONTWAIT), -1);
}

static void leave(struct manager *m)
{
    close(m->fd);
    if (!m->abstract)
        unlink(m->name);
}

#define RELOADING "RELOADING=1\nMONOTONIC_USEC="

static void test_everything(void **state)
{
    (void)state;
    for (int abstract = 0; abstract < 2; abstract++) {
        struct manager m;
        struct sdnotify n;
        char got[200] = "";

        CASE("%s", abstract ? "abstract" : "a path");
        listen_at(&m, abstract);
        sdnotify_init(&n);
        CHECK(getenv("NOTIFY_SOCKET") == NULL);
        sdnotify_ready(&n);
        hear(&m, "READY=1");
        sdnotify_status(&n, "3 accounts\nSTOPPING=1");
        hear(&m, "STATUS=3 accounts\\x0aSTOPPING=1");
        sdnotify_reloading(&n);
        CHECK(recv(m.fd, got, sizeof(got) - 1, MSG_DONTWAIT) > 0);
        CHECK(slice_starts(slice_str(got), SLICE(RELOADING)));
        CHECK(strtoll(got + strlen(RELOADING), NULL, 10) > 0);
        sdnotify_watchdog(&n);
        hear(&m, "WATCHDOG=1");
        sdnotify_stopping(&n);
        hear(&m, "STOPPING=1");
        hear_nothing(&m);
        sdnotify_release(&n);
        leave(&m);
    }
}

static void test_nobody_listens(void **state)
{
    static const char *const names[] = {
        NULL, "", "@", "relative", "vsock:2:1", "/tmp/mailhaul-nobody-is-here/x", "/"
    };
    char too_long[200] = "/";
    struct sdnotify n;

    (void)state;
    memset(too_long + 1, 'x', sizeof(too_long) - 2);
    for (size_t i = 0; i <= ARRAY_LEN(names); i++) {
        const char *name = i < ARRAY_LEN(names) ? names[i] : too_long;

        CASE("\"%s\"", name != NULL ? name : "(not set)");
        unsetenv("NOTIFY_SOCKET");
        CHECK_INT(name != NULL ? setenv("NOTIFY_SOCKET", name, 1) : 0, 0);
        sdnotify_init(&n);
        sdnotify_ready(&n);
        sdnotify_stopping(&n);
        CHECK_INT(sdnotify_watchdog_ms(&n), 0);
        sdnotify_release(&n);
        CHECK(getenv("NOTIFY_SOCKET") == NULL);
    }
}

static void test_watchdog(void **state)
{
    char us[20];
    const struct {
        const char *name, *usec, *pid;
        int64_t want;
    } cases[] = {
        { "none", NULL, NULL, 0 },
        { "half of it", "30000000", NULL, 15000 },
        { "ours", "3000000", us, 1500 },
        { "somebody else's", "3000000", "1", 0 },
        { "no number", "3s", NULL, 0 },
        { "nothing", "0", NULL, 0 },
        { "no end", "18446744073709551615", NULL, INT32_MAX },
    };
    struct manager m;

    (void)state;
    snprintf(us, sizeof(us), "%ld", (long)getpid());
    listen_at(&m, true);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sdnotify n;

        CASE("%s", cases[i].name);
        CHECK_INT(setenv("NOTIFY_SOCKET", m.name, 1), 0);
        CHECK_INT(cases[i].usec != NULL ? setenv("WATCHDOG_USEC", cases[i].usec, 1) : unsetenv("WATCHDOG_USEC"), 0);
        CHECK_INT(cases[i].pid != NULL ? setenv("WATCHDOG_PID", cases[i].pid, 1) : unsetenv("WATCHDOG_PID"), 0);
        sdnotify_init(&n);
        CHECK_INT(sdnotify_watchdog_ms(&n), cases[i].want);
        CHECK(getenv("WATCHDOG_USEC") == NULL && getenv("WATCHDOG_PID") == NULL);
        sdnotify_release(&n);
    }
    leave(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything),
        cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_watchdog),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
