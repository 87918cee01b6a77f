/* SPDX-License-Identifier: MIT */
#include "base/stop.h"

#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"

static atomic_int wanted;
static _Atomic int64_t since_ms; /* stored ahead of `wanted` */
static int event = -1;

int stop_init(struct err *e)
{
    if (event < 0)
        event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return event >= 0 ? 0 : err_sys(e, E_NOMEM, errno, "no descriptor for signals");
}

void stop_request(int signal)
{
    uint64_t one = 1;
    int none = 0, saved = errno;

    if (atomic_load(&wanted) == 0)
        atomic_store(&since_ms, clock_mono_ms());
    atomic_compare_exchange_strong(&wanted, &none, signal);
    if (event >= 0 && write(event, &one, sizeof(one)) < 0)
        atomic_store(&wanted, signal);
    errno = saved;
}

int stop_requested(void)
{
    return atomic_load(&wanted);
}

int stop_fd(void)
{
    return event;
}

int64_t stop_grace_ms(void)
{
    int64_t left = STOP_GRACE_MS;

    if (stop_requested() != 0)
        left = atomic_load(&since_ms) + STOP_GRACE_MS - clock_mono_ms();
    return left > 0 ? left : 0;
}
