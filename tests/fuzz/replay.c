/* SPDX-License-Identifier: MIT
 * replay.c - stands in for libFuzzer: runs a target over files, so that its corpus is part of `make check` everywhere.
 *
 *     fuzz_NAME                 the files of the corpus in the source tree
 *     fuzz_NAME FILE|DIR...     these
 */
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

enum { EXIT_SKIP = 77, INPUT_MAX = 16 << 20 };

static size_t count;

static void run_file(int at, const char *name)
{
    struct buf input = BUF_INIT(INPUT_MAX);
    int fd = openat(at, name, O_RDONLY | O_CLOEXEC);
    char *exact;

    if (fd < 0 || io_read_all(fd, &input) != 0) {
        perror(name);
        exit(1);
    }
    io_close(&fd);
    /* A sanitizer sees a read past the end only when the memory ends there. */
    exact = malloc(input.len > 0 ? input.len : 1);
    MUST(exact != NULL);
    if (input.len > 0)
        memcpy(exact, input.p, input.len);
    fprintf(stderr, "%s (%zu bytes)\n", name, input.len);
    (void)LLVMFuzzerTestOneInput((const uint8_t *)exact, input.len);
    free(exact);
    buf_release(&input);
    count++;
}

static void run(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;

    if (dir == NULL) {
        run_file(AT_FDCWD, path);
        return;
    }
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.')
            run_file(dirfd(dir), entry->d_name);
    }
    closedir(dir);
}

int main(int argc, char **argv)
{
    char corpus[4096];

    for (int i = 1; i < argc; i++)
        run(argv[i]);
    if (argc == 1) {
        snprintf(corpus, sizeof(corpus), "%s/%s", FUZZ_CORPUS, program_invocation_short_name);
        if (access(corpus, F_OK) != 0) {
            fprintf(stderr, "skipped: there is no %s\n", corpus);
            return EXIT_SKIP;
        }
        run(corpus);
        if (count == 0) {
            fprintf(stderr, "%s is empty\n", corpus);
            return 1;
        }
    }
    printf("%zu inputs\n", count);
    return 0;
}
