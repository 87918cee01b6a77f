/* SPDX-License-Identifier: MIT */
#include "base/step.h"

#ifdef MAILHAUL_DEV

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/num.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t count;

void step(const char *name)
{
    const char *die = getenv("MAILHAUL_DIE_AT"), *file = getenv("MAILHAUL_STEPS");
    uint64_t at = 0;

    if (die == NULL && file == NULL)
        return;
    pthread_mutex_lock(&lock);
    count++;
    if (file != NULL) {
        int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (fd >= 0) {
            dprintf(fd, "%s\n", name);
            close(fd);
        }
    }
    if (die != NULL && num_parse_u64(slice_str(die), &at) == 0 && at == count)
        kill(getpid(), SIGKILL);
    pthread_mutex_unlock(&lock);
}

#else
typedef int step_is_empty_in_a_release_build;
#endif
