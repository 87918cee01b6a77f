/* SPDX-License-Identifier: MIT
 * fuzz_imap_write.c - any bytes as a value that goes into a command, and as UIDs that go into a set.
 *
 * Oracles: a quoted string is read back as the same bytes, never holds CR, LF or NUL, and ends where it should even
 * with more of the command behind it; a set is what an array of booleans says it is.
 */
#include "fuzz.h"

#include "wire/imap_parse.h"
#include "wire/imap_write.h"

static void try_string(struct slice value, bool utf8, size_t room)
{
    struct buf out = BUF_INIT(room), back = BUF_INIT(value.n);

    if (imap_put_string(&out, value, utf8) != IMAP_QUOTED) {
        MUST(out.len == 0);
    } else {
        struct slice in;

        MUST(memchr(out.p, '\r', out.len) == NULL && memchr(out.p, '\n', out.len) == NULL);
        MUST(memchr(out.p, '\0', out.len) == NULL);
        out.max = out.len + 2;
        MUST(buf_put_str(&out, " \"") == 0);
        in = buf_slice(&out);
        MUST(imap_string(&in, &back) == 0);
        MUST(slice_eq(in, SLICE("\"")) && slice_eq(buf_slice(&back), value));
    }
    buf_release(&out);
    buf_release(&back);
}

static void try_set(struct slice uids)
{
    bool plain[257] = { false };
    struct uid_set set = UID_SET_INIT;
    uint64_t count = 0;

    for (size_t i = 0; i < uids.n; i++) {
        uint32_t uid = (unsigned char)uids.p[i];

        MUST((uid_set_add(&set, uid) == 0) == (uid != 0));
        plain[uid] = uid != 0;
    }
    for (uint32_t uid = 0; uid < 257; uid++) {
        MUST(uid_set_has(&set, uid) == plain[uid]);
        count += plain[uid] ? 1 : 0;
    }
    MUST(uid_set_size(&set) == count);
    for (size_t i = 1; i < set.count; i++)
        MUST(set.ranges[i].first > set.ranges[i - 1].last + 1);
    uid_set_release(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice value = slice_make((const char *)data, size);
    uint8_t how = fuzz_byte(&value);

    try_string(value, (how & 1) != 0, 4096);
    try_string(value, (how & 1) != 0, how);
    try_set(value);
    return 0;
}
