/* SPDX-License-Identifier: MIT
 * SHA-256 in pieces, against the examples of FIPS 180-4, and the pins made of it.
 */
#include "net/digest.h"

#include "../unit.h"
#include "net/tls_pin.h"

static const char abc_hex[] =
    "sha256:BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:"
    "F2:00:15:AD";

static void known_digests(void **state)
{
    static const struct {
        struct slice input;
        const char *pin;
    } cases[] = {
        { SLICE("abc"), abc_hex },
        { SLICE("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
          "sha256:24:8D:6A:61:D2:06:38:B8:E5:C0:26:93:0C:3E:60:39:A3:3C:E4:59:64:FF:21:67:F6:EC:ED:D4:19:DB:06:C1" },
        { SLICE(""),
          "sha256:E3:B0:C4:42:98:FC:1C:14:9A:FB:F4:C8:99:6F:B9:24:27:AE:41:E4:64:9B:93:4C:A4:95:99:1B:78:52:B8:55" },
    };
    struct digest d;
    struct err e;

    (void)state;
    CHECK_INT(digest_init(&d, &e), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        EVERY_CHUNK_SIZE(size, cases[i].input.n)
        {
            struct chunks c = CHUNKS_INIT(cases[i].input, size);
            unsigned char out[DIGEST_SIZE];
            char pin[104];
            struct slice in;

            CASE("digest %zu, chunks of %zu", i, size);
            CHECK_INT(digest_start(&d, &e), 0);
            while (chunks_next(&c, &in))
                digest_add(&d, in);
            digest_finish(&d, out);
            tls_pin_write(out, pin, sizeof(pin));
            CHECK_SLICE(slice_str(pin), slice_str(cases[i].pin));
        }
    }
    digest_release(&d);
    digest_release(&d);
}

#define HEX31 "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEE"

static void pins_well_formed(void **state)
{
    static const struct {
        const char *pin;
        bool valid;
    } cases[] = {
        { "sha256:" HEX31 "ff", true },
        { "SHA256:" HEX31 "FF", true },
        { "spki-sha256:" HEX31 "ff", true },
        { abc_hex, true },
        { "sha256:" HEX31 ":ff", true },
        { "sha256:" HEX31, false },
        { "sha256:" HEX31 "fff", false },
        { "sha256:" HEX31 "ff:", false },
        { "sha256:" HEX31 "f:f", false },
        { "sha256::" HEX31 "ff", false },
        { "sha256:" HEX31 "fg", false },
        { "sha256 " HEX31 "ff", false },
        { "sha1:" HEX31 "ff", false },
        { HEX31 "ff", false },
        { "sha256:", false },
        { "", false },
        { NULL, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CASE("pin %s", cases[i].pin != NULL ? cases[i].pin : "(none)");
        CHECK_INT(tls_pin_valid(cases[i].pin), cases[i].valid);
    }
}

static void pins_match_the_right_thing(void **state)
{
    static const unsigned char one[DIGEST_SIZE] = { 1 }, two[DIGEST_SIZE] = { 2 }, three[DIGEST_SIZE] = { 3 };
    char cert_pin[104], key_pin[120] = "spki-";
    const char *pins[] = { "sha256:" HEX31 "ff", cert_pin, key_pin };
    struct tls_settings s = { .fingerprints = pins, .fingerprint_count = ARRAY_LEN(pins) };

    (void)state;
    tls_pin_write(one, cert_pin, sizeof(cert_pin));
    tls_pin_write(two, key_pin + 5, sizeof(key_pin) - 5);
    CHECK(tls_pin_match(&s, one, three));
    CHECK(tls_pin_match(&s, three, two));
    CHECK(!tls_pin_match(&s, two, one));
    s.fingerprint_count = 1;
    CHECK(!tls_pin_match(&s, one, two));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_digests),
        cmocka_unit_test(pins_well_formed),
        cmocka_unit_test(pins_match_the_right_thing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
