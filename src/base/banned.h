/* SPDX-License-Identifier: MIT
 * banned.h - functions that end in overruns, injected commands or surprises; a use is a compile error.
 *
 * What to call instead: num_parse_*() for atoi and sscanf, buf_putf() for sprintf, posix_spawn() for system and fork
 * (threads are running), gmtime_r and localtime_r for their static twins. `make lint` looks for exit() below cmd/.
 */
#ifndef MAILHAUL_BANNED_H
#define MAILHAUL_BANNED_H

#include <stdio.h>
#include <string.h>
#include <time.h>

/* To clang these are macros where library calls are fortified, and it warns about poisoning one. */
#undef sprintf
#undef vsprintf
#pragma GCC poison strcpy strcat sprintf vsprintf strtok strncpy strncat atoi atol atoll sscanf gets
#pragma GCC poison gmtime localtime ctime asctime system tmpnam tempnam mktemp

#endif
