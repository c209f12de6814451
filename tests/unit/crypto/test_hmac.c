#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/digest.h"
#include "reference.h"

#include <openssl/hmac.h>
#include <string.h>

/* RFC 2202, section 2 (which repeats the three of RFC 2104's appendix). */
static void vectors_of_rfc_2202(void **state)
{
    uint8_t key_0b[16], key_aa[80], data_dd[50], data_cd[50], key_count[25], key_0c[16], mac[MD5_LEN];
    struct {
        const void *key;
        size_t key_len;
        const void *data;
        size_t data_len;
        const char *mac;
    } vectors[] = {
        {key_0b, 16, "Hi There", 8, "9294727a3638bb1c13f48ef8158bfc9d"},
        {"Jefe", 4, "what do ya want for nothing?", 28, "750c783e6ab0b503eaa86e310a5db738"},
        {key_aa, 16, data_dd, 50, "56be34521d144c88dbb8c733f0e8b3f6"},
        {key_count, 25, data_cd, 50, "697eaf0aca3a3aea3a75164746ffaa79"},
        {key_0c, 16, "Test With Truncation", 20, "56461ef2342edc00f9bab995690efd4c"},
        {key_aa, 80, "Test Using Larger Than Block-Size Key - Hash Key First", 54, "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"},
        {key_aa, 80, "Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data", 73,
         "6f630fad67cda0ee1fb1f562db3aa53e"},
    };

    (void)state;
    memset(key_0b, 0x0b, sizeof(key_0b));
    memset(key_aa, 0xaa, sizeof(key_aa));
    memset(data_dd, 0xdd, sizeof(data_dd));
    memset(data_cd, 0xcd, sizeof(data_cd));
    memset(key_0c, 0x0c, sizeof(key_0c));
    for (size_t i = 0; i < sizeof(key_count); i++)
        key_count[i] = (uint8_t)(i + 1);
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct slice piece = slice_of(vectors[i].data, vectors[i].data_len);

        hmac_md5_once(vectors[i].key, vectors[i].key_len, &piece, 1, mac);
        assert_hex(mac, MD5_LEN, vectors[i].mac);
    }
}

static void agrees_with_openssl(void **state)
{
    uint8_t key[200], input[400], ours[MD5_LEN], theirs[MD5_LEN];
    uint64_t seed = 7;

    (void)state;
    for (unsigned round = 0; round < 3000; round++) {
        size_t key_len = random_next(&seed) % (sizeof(key) + 1), len = random_next(&seed) % (sizeof(input) + 1);
        size_t split = random_next(&seed) % (len + 1);
        struct slice pieces[2] = {slice_of(input, split), slice_of(input + split, len - split)};
        struct hmac_md5_key once;
        struct hmac_md5 hmac;

        random_fill(&seed, key, key_len);
        random_fill(&seed, input, len);
        assert_non_null(HMAC(EVP_md5(), key, (int)key_len, input, len, theirs, NULL));
        hmac_md5_once(key, key_len, pieces, 2, ours);
        assert_memory_equal(ours, theirs, MD5_LEN);
        /* A prepared key serves more than one message. */
        hmac_md5_key_init(&once, key, key_len);
        for (unsigned i = 0; i < 2; i++) {
            hmac_md5_init(&hmac, &once);
            hmac_md5_update(&hmac, input, split);
            hmac_md5_update(&hmac, input + split, len - split);
            hmac_md5_final(&hmac, ours);
            assert_memory_equal(ours, theirs, MD5_LEN);
        }
    }
}

static void two_at_once_are_as_one_by_one(void **state)
{
    uint8_t secret[2][16], input[400], both[2][MD5_LEN], single[MD5_LEN];
    uint64_t seed = 8;

    (void)state;
    for (size_t len = 0; len <= sizeof(input); len++) {
        const struct slice piece = slice_of(input, len);
        struct hmac_md5_key key[2], at_once[2];

        random_fill(&seed, input, len);
        for (unsigned i = 0; i < 2; i++) {
            random_fill(&seed, secret[i], sizeof(secret[i]));
            hmac_md5_key_init(&key[i], secret[i], sizeof(secret[i]));
        }
        hmac_md5_key_init_both(&at_once[0], secret[0], &at_once[1], secret[1]);
        assert_memory_equal(at_once, key, sizeof(key));
        hmac_md5_both(&key[0], both[0], &key[1], both[1], piece);
        for (unsigned i = 0; i < 2; i++) {
            hmac_md5_once(secret[i], sizeof(secret[i]), &piece, 1, single);
            assert_memory_equal(both[i], single, MD5_LEN);
        }
    }
}

static void nothing_at_all_has_a_mac(void **state)
{
    uint8_t ours[MD5_LEN];

    (void)state;
    hmac_md5_once(NULL, 0, NULL, 0, ours);
    /* Computed with OpenSSL 3.0: HMAC-MD5 of the empty message under the empty key. */
    assert_hex(ours, MD5_LEN, "74e6f7298a9c2d168935f58c001bad88");
}

static void final_wipes_the_key(void **state)
{
    static const struct hmac_md5 wiped;
    struct hmac_md5_key key;
    struct hmac_md5 hmac;
    uint8_t mac[MD5_LEN];

    (void)state;
    hmac_md5_key_init(&key, "key", 3);
    hmac_md5_init(&hmac, &key);
    hmac_md5_final(&hmac, mac);
    assert_memory_equal(&hmac.md5, &wiped.md5, sizeof(hmac.md5));
    assert_memory_equal(hmac.outer, wiped.outer, sizeof(hmac.outer));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_of_rfc_2202),           cmocka_unit_test(agrees_with_openssl),
        cmocka_unit_test(two_at_once_are_as_one_by_one), cmocka_unit_test(nothing_at_all_has_a_mac),
        cmocka_unit_test(final_wipes_the_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
