/*
 * AES-256-GCM: a vector, and everything that can be altered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/aead.h"
#include <string.h>

static void vector(void **state)
{
    /* The GCM specification's test case 14: key, nonce and one block of zeros. */
    static const uint8_t sealed[16] = {0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e,
                                       0x07, 0x4e, 0xc5, 0xd3, 0xba, 0xf3, 0x9d, 0x18};
    static const uint8_t expected[16] = {0xd0, 0xd1, 0xc8, 0xa7, 0x99, 0x99, 0x6b, 0xf0,
                                         0x26, 0x5b, 0x98, 0xb5, 0xd4, 0x8a, 0xb9, 0x19};
    uint8_t key[AEAD_KEY_LEN] = {0}, nonce[AEAD_NONCE_LEN] = {0}, data[16] = {0}, tag[AEAD_TAG_LEN];
    (void)state;
    assert_true(aead_seal(key, nonce, NULL, 0, (struct slice_mut){data, sizeof data}, tag));
    assert_memory_equal(data, sealed, sizeof data);
    assert_memory_equal(tag, expected, sizeof tag);
}

static void altered(void **state)
{
    uint8_t key[AEAD_KEY_LEN] = {1}, nonce[AEAD_NONCE_LEN] = {2}, head[3] = "abc", tail[2] = "de", tag[AEAD_TAG_LEN];
    uint8_t sealed[21] = "what nobody may read";
    const struct slice bound[2] = {{head, sizeof head}, {tail, sizeof tail}};
    (void)state;
    assert_true(aead_seal(key, nonce, bound, 2, (struct slice_mut){sealed, sizeof sealed}, tag));
    uint8_t *const parts[] = {key, nonce, head, tail, sealed, tag};
    const size_t lens[] = {sizeof key, sizeof nonce, sizeof head, sizeof tail, sizeof sealed, sizeof tag};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (size_t at = 0; at < lens[i]; at++) {
            uint8_t copy[sizeof sealed], zeros[sizeof sealed] = {0};
            parts[i][at] ^= 0x40;
            memcpy(copy, sealed, sizeof copy);
            assert_false(aead_open(key, nonce, bound, 2, (struct slice_mut){copy, sizeof copy}, tag));
            assert_memory_equal(copy, zeros, sizeof copy);
            parts[i][at] ^= 0x40;
        }
    assert_true(aead_open(key, nonce, bound, 2, (struct slice_mut){sealed, sizeof sealed}, tag));
    assert_string_equal((char *)sealed, "what nobody may read");
}

static void nothing_to_hide(void **state)
{
    uint8_t key[AEAD_KEY_LEN] = {1}, nonce[AEAD_NONCE_LEN] = {2}, tag[AEAD_TAG_LEN];
    (void)state;
    assert_true(aead_seal(key, nonce, NULL, 0, (struct slice_mut){NULL, 0}, tag));
    assert_true(aead_open(key, nonce, NULL, 0, (struct slice_mut){NULL, 0}, tag));
    tag[0] ^= 1;
    assert_false(aead_open(key, nonce, NULL, 0, (struct slice_mut){NULL, 0}, tag));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(vector), cmocka_unit_test(altered),
                                       cmocka_unit_test(nothing_to_hide)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
