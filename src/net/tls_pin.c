/* SPDX-License-Identifier: MIT */
#include "net/tls_pin.h"

#include <stdio.h>

static int hex_digit(char c)
{
    c = ascii_lower(c);
    return ascii_isdigit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int parse(const char *value, bool *key_out, unsigned char out[DIGEST_SIZE])
{
    struct slice s = slice_str(value);
    size_t n = 0;

    *key_out = slice_istarts(s, SLICE("spki-"));
    if (*key_out)
        s = slice_from(s, strlen("spki-"));
    if (!slice_istarts(s, SLICE("sha256:")))
        return -1;
    s = slice_from(s, strlen("sha256:"));
    while (n < DIGEST_SIZE && s.n >= 2 && hex_digit(s.p[0]) >= 0 && hex_digit(s.p[1]) >= 0) {
        out[n++] = (unsigned char)(hex_digit(s.p[0]) << 4 | hex_digit(s.p[1]));
        s = slice_from(s, 2);
        if (n < DIGEST_SIZE && s.n > 0 && s.p[0] == ':')
            s = slice_from(s, 1);
    }
    return n == DIGEST_SIZE && s.n == 0 ? 0 : -1;
}

bool tls_pin_valid(const char *value)
{
    unsigned char digest[DIGEST_SIZE];
    bool key;

    return value != NULL && parse(value, &key, digest) == 0;
}

bool tls_pin_match(const struct tls_settings *settings, const unsigned char certificate[DIGEST_SIZE],
                   const unsigned char key[DIGEST_SIZE])
{
    for (size_t i = 0; i < settings->fingerprint_count; i++) {
        unsigned char pin[DIGEST_SIZE];
        bool of_key;

        if (parse(settings->fingerprints[i], &of_key, pin) == 0 &&
            memcmp(pin, of_key ? key : certificate, DIGEST_SIZE) == 0)
            return true;
    }
    return false;
}

void tls_pin_write(const unsigned char digest[DIGEST_SIZE], char *out, size_t size)
{
    size_t at = (size_t)snprintf(out, size, "sha256");

    for (size_t i = 0; i < DIGEST_SIZE && at + 4 <= size; i++)
        at += (size_t)snprintf(out + at, size - at, ":%02X", digest[i]);
}
