/* SPDX-License-Identifier: MIT
 * fuzz_imap_response.c - any bytes as the text of a response, and as the arguments of each parser on its own.
 *
 * Oracles: views lie inside the text; what was read, printed and read again is the same (flags, dates, UID sets, folder
 * names); a parser that refuses leaves its buffer as it was.
 */
#include "fuzz.h"

#include "wire/imap_parse.h"
#include "wire/imap_write.h"
#include "wire/limits.h"
#include "wire/mailflag.h"

enum { INPUT_MAX = 128 * 1024 };

static void inside(struct slice view, struct slice whole)
{
    MUST(view.n == 0 || (view.p >= whole.p && view.p + view.n <= whole.p + whole.n));
}

static void try_date(struct slice text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t seconds, again;
    char line[80];
    struct tm tm;
    time_t at;
    int n;

    if (imap_parse_date(text, &seconds) != 0)
        return;
    at = (time_t)seconds;
    MUST(gmtime_r(&at, &tm) != NULL);
    /* The zone may carry a date out of the years that four digits hold. */
    if (tm.tm_year < -1900 || tm.tm_year > 9999 - 1900)
        return;
    n = snprintf(line, sizeof(line), "%02d-%.3s-%04d %02d:%02d:%02d +0000", tm.tm_mday, months + tm.tm_mon * 3,
                 tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    MUST(imap_parse_date(slice_make(line, (size_t)n), &again) == 0 && again == seconds);
}

static void try_uid_set(struct slice text)
{
    struct uid_set set = UID_SET_INIT, again = UID_SET_INIT;
    struct buf out = BUF_INIT(INPUT_MAX * 2);
    size_t at = 0;

    if (uid_set_parse(text, 5000, &set) != 0) {
        MUST(set.count == 0);
    } else {
        MUST(set.count > 0 && set.count <= 5000);
        MUST(uid_set_put(&set, &at, INPUT_MAX * 2, &out) == 0 && at == set.count);
        MUST(uid_set_parse(buf_slice(&out), set.count, &again) == 0);
        MUST(again.count == set.count && memcmp(again.ranges, set.ranges, set.count * sizeof(*set.ranges)) == 0);
        for (size_t i = 0; i < set.count; i++) {
            MUST(set.ranges[i].first <= set.ranges[i].last && uid_set_has(&set, set.ranges[i].last));
            MUST(i == 0 || set.ranges[i].first - 1 > set.ranges[i - 1].last);
        }
    }
    uid_set_release(&set);
    uid_set_release(&again);
    buf_release(&out);
}

/* A name as a server sent it goes back in a command and must be the same there. */
static void try_name(const struct buf *name)
{
    struct buf out = BUF_INIT(LIMIT_LINE), back = BUF_INIT(LIMIT_LINE);

    if (imap_put_string(&out, buf_slice(name), true) == IMAP_QUOTED) {
        struct slice in = buf_slice(&out);

        MUST(imap_string(&in, &back) == 0 && in.n == 0 && slice_eq(buf_slice(&back), buf_slice(name)));
    }
    buf_release(&out);
    buf_release(&back);
}

static void try_fetch(struct slice text)
{
    struct imap_fetch f;
    char letters[MAILFLAG_LETTERS];
    const unsigned in_letters = MAIL_SEEN | MAIL_ANSWERED | MAIL_FLAGGED | MAIL_DRAFT;

    if (imap_parse_fetch(text, &f) != 0)
        return;
    inside(f.object_id, text);
    inside(f.body_inline, text);
    inside(f.body_item, text);
    MUST(f.has_uid == (f.uid != 0));
    MUST((f.body_count == 0) == (f.body == IMAP_BODY_ABSENT));
    MUST((f.body == IMAP_BODY_INLINE) == (f.body_inline.n > 0));
    MUST(f.object_id.n <= LIMIT_OBJECT_ID);
    MUST(mailflag_letters(f.flags, letters) == strlen(letters));
    MUST(mailflag_from_letters(slice_str(letters)) == (f.flags & in_letters));
    if (f.body == IMAP_BODY_INLINE) {
        struct buf body = BUF_INIT(INPUT_MAX);

        MUST(imap_string(&f.body_inline, &body) == 0 && f.body_inline.n == 0);
        buf_release(&body);
    }
}

static void try_folders(struct slice text)
{
    struct buf name = BUF_INIT(LIMIT_FOLDER_NAME);
    struct imap_list list;
    struct imap_status_items items;

    if (imap_parse_list(text, &list, &name) == 0)
        try_name(&name);
    else
        MUST(name.len == 0);
    buf_clear(&name);
    if (imap_parse_status(text, &items, &name) == 0) {
        inside(items.mailbox_id, text);
        try_name(&name);
    } else {
        MUST(name.len == 0);
    }
    buf_release(&name);
}

static void try_strings(struct slice text)
{
    struct buf out = BUF_INIT(INPUT_MAX);
    struct slice in = text;

    while (imap_string(&in, &out) == 0)
        inside(in, text);
    MUST(out.len <= text.n);
    buf_release(&out);
}

static void try_arguments(struct slice text)
{
    struct imap_caps caps;

    try_fetch(text);
    try_folders(text);
    try_strings(text);
    try_date(text);
    try_uid_set(text);
    imap_parse_caps(text, &caps);
    (void)imap_attr_from_name(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_make((const char *)data, size);
    struct imap_response r;

    if (size > INPUT_MAX)
        return 0;
    if (imap_parse_response(text, &r) == 0) {
        inside(r.tag, text);
        inside(r.code, text);
        inside(r.code_args, text);
        inside(r.text, text);
        inside(r.name, text);
        inside(r.rest, text);
        MUST(r.kind == IMAP_CONTINUE || r.name.n > 0);
        try_arguments(r.rest);
        try_arguments(r.code_args);
    }
    try_arguments(text);
    return 0;
}
