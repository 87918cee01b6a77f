/* SPDX-License-Identifier: MIT */
#include "base/base.h"

#include "cmd/output.h"

#include <time.h>

#include "base/log.h"

json_t *output_text(struct slice s)
{
    char words[4096];

    log_printable(words, sizeof(words), s);
    return json_string(words);
}

int output_json(json_t *o)
{
    char *text = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;

    if (text != NULL)
        puts(text);
    free(text);
    json_decref(o);
    return text != NULL ? 0 : -1;
}

void output_time(int64_t s, char *out, size_t size)
{
    time_t when = (time_t)s;
    struct tm tm;

    if (s == 0 || localtime_r(&when, &tm) == NULL || strftime(out, size, "%Y-%m-%d %H:%M", &tm) == 0)
        snprintf(out, size, "never");
}
