/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <time.h>

static bool faked;
static int64_t fake_mono_ms, fake_wall_s;

int64_t clock_mono_ms(void)
{
    struct timespec ts;

    if (faked)
        return fake_mono_ms;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_wall_us(void)
{
    struct timespec ts;

    if (faked)
        return fake_wall_s * 1000000;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_wall(void)
{
    return clock_wall_us() / 1000000;
}

void clock_fake(int64_t mono_ms, int64_t wall_s)
{
    faked = true;
    fake_mono_ms = mono_ms;
    fake_wall_s = wall_s;
}

void clock_real(void)
{
    faked = false;
}
