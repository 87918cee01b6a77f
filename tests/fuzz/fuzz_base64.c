/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include "wire/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_make((const char *)data, size);
    struct buf text = BUF_INIT(SIZE_MAX / 4), bytes = BUF_INIT(SIZE_MAX / 4);

    MUST(base64_encode(in, &text) == 0);
    MUST(text.len == (size + 2) / 3 * 4);
    MUST(base64_decode(buf_slice(&text), &bytes) == 0);
    MUST(slice_eq(buf_slice(&bytes), in));

    /* Each value has one spelling. */
    buf_clear(&text);
    buf_clear(&bytes);
    if (base64_decode(in, &bytes) == 0) {
        MUST(base64_encode(buf_slice(&bytes), &text) == 0);
        MUST(slice_eq(buf_slice(&text), in));
    } else {
        MUST(bytes.len == 0);
    }
    buf_release(&text);
    buf_release(&bytes);
    return 0;
}
