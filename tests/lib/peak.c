/* SPDX-License-Identifier: MIT
 * peak - runs a command and writes its peak memory (KiB) and its CPU time (microseconds in user mode) to a file.
 *
 *     peak FILE COMMAND [ARGUMENT...]
 *
 * Ends as the command ended, by the same signal too. Why a program: what the kernel reports as a child's peak counts
 * the memory of the process it was forked from, and a Python with a corpus in memory is large.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int status = 0;
    struct rusage usage;
    if (argc < 3)
        return 64;
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child)
        return 71;
    FILE *f = fopen(argv[1], "w");
    if (f) {
        fprintf(f, "%ld %lld\n", usage.ru_maxrss,
                (long long)usage.ru_utime.tv_sec * 1000000 + (long long)usage.ru_utime.tv_usec);
        fclose(f);
    }
    if (WIFSIGNALED(status)) {
        signal(WTERMSIG(status), SIG_DFL);
        setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
        kill(getpid(), WTERMSIG(status));
    }
    return WEXITSTATUS(status);
}
