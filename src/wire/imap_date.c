/* SPDX-License-Identifier: MIT
 * imap_date.c - INTERNALDATE to seconds. No libc calendar: those read the process's time zone and locale.
 */
#include "wire/imap_parse.h"

#include "base/num.h"
#include "wire/imap_write.h"

/* Takes up to `max` digits and no more, at least `min`. */
static int take_digits(struct slice *in, size_t min, size_t max, uint32_t *out)
{
    struct slice digits = slice_make(in->p, 0);

    while (digits.n < max && digits.n < in->n && ascii_isdigit(in->p[digits.n]))
        digits.n++;
    if (digits.n < min || num_parse_u32(digits, out) != 0)
        return -1;
    *in = slice_from(*in, digits.n);
    return 0;
}

static int take_char(struct slice *in, char c)
{
    if (in->n == 0 || in->p[0] != c)
        return -1;
    *in = slice_from(*in, 1);
    return 0;
}

static int take_month(struct slice *in, uint32_t *out)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (uint32_t i = 0; i < 12; i++) {
        if (slice_istarts(*in, slice_make(names + i * 3, 3))) {
            *out = i + 1;
            *in = slice_from(*in, 3);
            return 0;
        }
    }
    return -1;
}

static uint32_t days_in_month(uint32_t year, uint32_t month)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* Days from 1970-01-01, Gregorian. Years are counted from March, so that the leap day is the last of its year. */
static int64_t days_since_1970(uint32_t year, uint32_t month, uint32_t day)
{
    int64_t y = (int64_t)year - (month <= 2 ? 1 : 0);
    int64_t m = month <= 2 ? month + 9 : month - 3;
    /* 400 years are added and taken away again, so that year 0 does not divide a negative number. */
    int64_t days = (y + 400) * 365 + (y + 400) / 4 - (y + 400) / 100 + (y + 400) / 400 + (m * 153 + 2) / 5 + day - 1;

    return days - 719468 - 146097;
}

static int take_zone(struct slice *in, int64_t *seconds_out)
{
    bool west = in->n > 0 && in->p[0] == '-';
    uint32_t hours, minutes;

    if (take_char(in, west ? '-' : '+') != 0 || take_digits(in, 2, 2, &hours) != 0 ||
        take_digits(in, 2, 2, &minutes) != 0 || hours > 23 || minutes > 59)
        return -1;
    *seconds_out = (int64_t)(hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return 0;
}

int imap_parse_date(struct slice s, int64_t *out)
{
    uint32_t day, month, year, hour, minute, second;
    int64_t zone;

    s = slice_trim(s);
    if (take_digits(&s, 1, 2, &day) != 0 || take_char(&s, '-') != 0 || take_month(&s, &month) != 0 ||
        take_char(&s, '-') != 0 || take_digits(&s, 4, 4, &year) != 0 || take_char(&s, ' ') != 0)
        return -1;
    s = slice_trim(s);
    if (take_digits(&s, 2, 2, &hour) != 0 || take_char(&s, ':') != 0 || take_digits(&s, 2, 2, &minute) != 0 ||
        take_char(&s, ':') != 0 || take_digits(&s, 2, 2, &second) != 0 || take_char(&s, ' ') != 0)
        return -1;
    s = slice_trim(s);
    if (take_zone(&s, &zone) != 0 || s.n != 0)
        return -1;
    /* Second 60 is a leap second. */
    if (day < 1 || day > days_in_month(year, month) || hour > 23 || minute > 59 || second > 60)
        return -1;
    *out = days_since_1970(year, month, day) * 86400 + (int64_t)hour * 3600 + (int64_t)minute * 60 + second - zone;
    return 0;
}

/* The inverse of days_since_1970(), by 400-year eras that begin in March. */
static void from_days(int64_t days, uint32_t *year_out, uint32_t *month_out, uint32_t *day_out)
{
    int64_t shifted = days + 719468, era = shifted / 146097, of_era = shifted % 146097, y, of_year, m;

    if (of_era < 0) {
        of_era += 146097;
        era--;
    }
    y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    of_year = of_era - (365 * y + y / 4 - y / 100);
    m = (5 * of_year + 2) / 153;
    *day_out = (uint32_t)(of_year - (153 * m + 2) / 5 + 1);
    *month_out = (uint32_t)(m < 10 ? m + 3 : m - 9);
    *year_out = (uint32_t)(y + era * 400 + (m >= 10 ? 1 : 0));
}

int imap_put_date(struct buf *out, int64_t seconds)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t days = seconds / 86400, left = seconds % 86400;
    uint32_t year, month, day;

    /* The first second of year 0 and the last of 9999. */
    if (seconds < INT64_C(-62167219200) || seconds > INT64_C(253402300799))
        return -1;
    if (left < 0) {
        left += 86400;
        days--;
    }
    from_days(days, &year, &month, &day);
    return buf_putf(out, "\"%02" PRIu32 "-%.3s-%04" PRIu32 " %02d:%02d:%02d +0000\"", day, names + (month - 1) * 3,
                    year, (int)(left / 3600), (int)(left / 60 % 60), (int)(left % 60));
}
