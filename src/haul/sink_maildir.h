/* SPDX-License-Identifier: MIT
 * sink_maildir.h - a Maildir as destination: store/maildir.h behind sink.h.
 */
#ifndef MAILHAUL_HAUL_SINK_MAILDIR_H
#define MAILHAUL_HAUL_SINK_MAILDIR_H

#include "haul/sink.h"
#include "wire/folder.h"

/* `name` and `path` are borrowed for the sink's life. NULL: no memory. */
struct sink *sink_maildir_new(const char *name, const char *path, enum folder_layout layout);

#endif
