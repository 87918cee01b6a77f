/* SPDX-License-Identifier: MIT
 * output.h - what commands print on standard output: text made safe for a terminal, and JSON, one object a line.
 */
#ifndef MAILHAUL_CMD_OUTPUT_H
#define MAILHAUL_CMD_OUTPUT_H

#include <jansson.h>

#include "base/slice.h"

/* A JSON string of bytes that need not be Unicode: those that are not are written \xNN. NULL without memory. */
json_t *output_text(struct slice s);
/* Prints `o` as a line and lets it go; NULL (no memory) prints nothing and returns -1. */
int output_json(json_t *o);
/* "2026-11-20 21:30", local time; "never" for 0. */
void output_time(int64_t s, char *out, size_t size);

#endif
