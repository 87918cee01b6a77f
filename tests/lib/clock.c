/* SPDX-License-Identifier: MIT
 * clock.so - shifts clocks. For LD_PRELOAD, into a build without sanitizers.
 *     CLOCK_OFFSET=SECONDS    the calendar
 *     CLOCK_FILE=PATH         holds "SECONDS SECONDS", read each time: the calendar, and the time since boot (sleep)
 * Monotonic clocks stay as they are: no timeout becomes longer or shorter.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t offset(int since_boot)
{
    const char *text = getenv("CLOCK_OFFSET"), *path = getenv("CLOCK_FILE");
    char both[100] = "", *end = both;
    long long calendar = text ? strtoll(text, NULL, 10) : 0;
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    if (fd < 0)
        return since_boot ? 0 : (time_t)calendar;
    if (read(fd, both, sizeof(both) - 1) > 0)
        calendar += strtoll(both, &end, 10);
    close(fd);
    return (time_t)(since_boot ? strtoll(end, NULL, 10) : calendar);
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int status = (int)syscall(SYS_clock_gettime, clock, out);
    if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_BOOTTIME))
        out->tv_sec += offset(clock == CLOCK_BOOTTIME);
    return status;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec t;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &t);
    *out = (struct timeval){ t.tv_sec, t.tv_nsec / 1000 };
    return 0;
}

time_t time(time_t *out)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (out)
        *out = t.tv_sec;
    return t.tv_sec;
}
