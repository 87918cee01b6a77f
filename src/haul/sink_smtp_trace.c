/* SPDX-License-Identifier: MIT */
#include "haul/sink_smtp_int.h"

#include <stdio.h>
#include <time.h>

static bool host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || ascii_isdigit(c) || strchr(".-_:", c) != NULL;
}

void smtp_trace_host(const char *host, char out[HOST_MAX])
{
    char ascii[HOST_MAX];
    struct err ignored;
    bool fits = host != NULL && *host != '\0' && host_ascii(host, ascii, &ignored) == 0;

    for (const char *p = ascii; fits && *p != '\0'; p++)
        fits = host_char(*p);
    /* An address literal: RFC 5321 section 4.1.3. */
    if (fits && host_is_address(ascii))
        fits = snprintf(out, HOST_MAX, "[%s%s]", strchr(ascii, ':') != NULL ? "IPv6:" : "", ascii) < HOST_MAX;
    else if (fits)
        snprintf(out, HOST_MAX, "%s", ascii);
    if (!fits)
        snprintf(out, HOST_MAX, "unknown");
}

/* "Sat, 21 Nov 2026 01:23:45 +0100"; strftime() would say it in the user's language. */
static int put_date(int64_t when, struct buf *out)
{
    static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    time_t t = (time_t)when;
    struct tm tm;
    long zone;

    if (localtime_r(&t, &tm) == NULL)
        return -1;
    zone = tm.tm_gmtoff / 60;
    return buf_putf(out, "%s, %02d %s %04d %02d:%02d:%02d %c%02ld%02ld", days[tm.tm_wday], tm.tm_mday,
                    months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec, zone < 0 ? '-' : '+',
                    labs(zone) / 60, labs(zone) % 60);
}

int smtp_trace_put(const struct smtp_trace *t, struct buf *out)
{
    if (buf_putf(out, "Received: from %s\r\n\tby %s (mailhaul " PACKAGE_VERSION ")\r\n\twith %s", t->from, t->by,
                 t->protocol) != 0)
        return -1;
    if (t->recipient != NULL && buf_putf(out, "\r\n\tfor <%s>", t->recipient) != 0)
        return -1;
    if (buf_put_str(out, ";\r\n\t") != 0 || put_date(t->when, out) != 0)
        return -1;
    return buf_put_str(out, "\r\n");
}
