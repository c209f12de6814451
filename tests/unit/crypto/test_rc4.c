#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/rc4.h"
#include "reference.h"

#include <string.h>

/* RFC 6229, section 2: 16 bytes of key stream at offsets 0, 1520 and 4096. */
static void vectors_of_rfc_6229(void **state)
{
    static const struct {
        uint8_t key[32];
        size_t key_len;
        const char *at_0, *at_1520, *at_4096;
    } vectors[] = {
        {{1, 2, 3, 4, 5},
         5,
         "b2396305f03dc027ccc3524a0a1118a8",
         "3294f744d8f9790507e70f62e5bbceea",
         "ff25b58995996707e51fbdf08b34d875"},
        {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
         16,
         "9ac7cc9a609d1ef7b2932899cde41b97",
         "b40110c4190b5622a96116b0017ed297",
         "a36a4c301ae8ac13610ccbc12256cacc"},
        {{1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16,
          17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32},
         32,
         "eaa6bd25880bf93d3f5d1e4ca2611d91",
         "40f250b26d1f096a4afd4c340a588815",
         "f3e4c0a2e02d1d01f7f0a74618af2b48"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        uint8_t stream[4112] = {0};
        struct rc4 rc4;

        rc4_init(&rc4, vectors[i].key, vectors[i].key_len);
        rc4_crypt(&rc4, stream, stream, sizeof(stream));
        assert_hex(stream, 16, vectors[i].at_0);
        assert_hex(stream + 1520, 16, vectors[i].at_1520);
        assert_hex(stream + 4096, 16, vectors[i].at_4096);
    }
}

static void agrees_with_openssl(void **state)
{
    struct reference reference = reference_open();
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(reference.library, "RC4", NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t key[256], input[600], ours[600], theirs[600];
    uint64_t seed = 10;

    (void)state;
    assert_non_null(cipher);
    for (size_t key_len = 1; key_len <= sizeof(key); key_len++) {
        struct rc4 rc4;
        int theirs_len;

        random_fill(&seed, key, key_len);
        random_fill(&seed, input, sizeof(input));
        assert_int_equal(EVP_EncryptInit_ex2(context, cipher, NULL, NULL, NULL), 1);
        assert_int_equal(EVP_CIPHER_CTX_set_key_length(context, (int)key_len), 1);
        assert_int_equal(EVP_EncryptInit_ex2(context, NULL, key, NULL, NULL), 1);
        rc4_init(&rc4, key, key_len);
        /* Twice: the state goes on between calls, at any length. */
        for (unsigned i = 0; i < 2; i++) {
            size_t len = random_next(&seed) % (sizeof(input) + 1);

            rc4_crypt(&rc4, input, ours, len);
            assert_int_equal(EVP_EncryptUpdate(context, theirs, &theirs_len, input, (int)len), 1);
            assert_memory_equal(ours, theirs, len);
        }
    }
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    reference_close(reference);
}

static void two_at_once_are_as_one_by_one(void **state)
{
    uint64_t seed = 11;

    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        uint8_t key[2][RC4_BOTH_KEY_LEN];
        struct rc4 both[2], single[2];

        random_fill(&seed, key[0], sizeof(key[0]));
        random_fill(&seed, key[1], sizeof(key[1]));
        if (i % 5 == 0)
            memcpy(key[1], key[0], sizeof(key[1]));
        rc4_init_both(&both[0], key[0], &both[1], key[1]);
        for (unsigned j = 0; j < 2; j++)
            rc4_init(&single[j], key[j], sizeof(key[j]));
        assert_memory_equal(both, single, sizeof(both));
    }
}

static void a_copy_is_a_checkpoint(void **state)
{
    uint8_t first[100] = {0}, second[100] = {0};
    struct rc4 rc4, copy;

    (void)state;
    rc4_init(&rc4, "key", 3);
    rc4_crypt(&rc4, first, first, 37);
    copy = rc4;
    memset(first, 0, sizeof(first));
    rc4_crypt(&rc4, first, first, sizeof(first));
    rc4_crypt(&copy, second, second, sizeof(second));
    assert_memory_equal(first, second, sizeof(first));
    assert_memory_equal(&rc4, &copy, sizeof(rc4));
    rc4_crypt(&rc4, NULL, NULL, 0);
    assert_memory_equal(&rc4, &copy, sizeof(rc4));
}

static void assert_same_hash(const struct md5 *a, const struct md5 *b)
{
    assert_true(a->len == b->len);
    assert_memory_equal(a->state, b->state, sizeof(a->state));
    assert_memory_equal(a->block, b->block, a->len % 64);
}

/* Side by side or one after the other: the same bytes, the same hash, the same key stream after. Guards find a write past the end. */
static void check_interleaving(bool seals, size_t pending_len, size_t used_len, size_t len, uint64_t *seed)
{
    uint8_t key[16], room[1100], ours[1100], theirs[1100];
    struct rc4 rc4, rc4_apart;
    struct md5 md5, md5_apart;

    random_fill(seed, key, sizeof(key));
    random_fill(seed, room, sizeof(room));
    rc4_init(&rc4, key, sizeof(key));
    rc4_crypt(&rc4, room, room, used_len);
    md5_init(&md5);
    md5_update(&md5, room, pending_len);
    rc4_apart = rc4;
    md5_apart = md5;
    memcpy(ours, room, sizeof(room));
    memcpy(theirs, room, sizeof(room));
    if (seals) {
        rc4_md5_seal(&rc4, &md5, ours + 8, len);
        md5_update(&md5_apart, theirs + 8, len);
        rc4_crypt(&rc4_apart, theirs + 8, theirs + 8, len);
    } else {
        rc4_md5_unseal(&rc4, &md5, ours + 8, len);
        rc4_crypt(&rc4_apart, theirs + 8, theirs + 8, len);
        md5_update(&md5_apart, theirs + 8, len);
    }
    assert_memory_equal(ours, theirs, sizeof(ours));
    assert_memory_equal(&rc4, &rc4_apart, sizeof(rc4));
    assert_same_hash(&md5, &md5_apart);
}

static void interleaving_changes_nothing(void **state)
{
    uint64_t seed = 11;

    (void)state;
    for (unsigned seals = 0; seals < 2; seals++) {
        /* Every pending length with every length of up to five blocks. */
        for (size_t pending_len = 0; pending_len < 64; pending_len++)
            for (size_t len = 0; len <= 320; len++)
                check_interleaving(seals, pending_len, len % 7, len, &seed);
        for (unsigned round = 0; round < 20000; round++)
            check_interleaving(seals, random_next(&seed) % 200, random_next(&seed) % 600, random_next(&seed) % 1080,
                               &seed);
    }
}

static void sealed_in_any_pieces_unseals_in_any_others(void **state)
{
    uint8_t plain[3000], data[3000], sealed_digest[MD5_LEN], unsealed_digest[MD5_LEN];
    uint64_t seed = 12;

    (void)state;
    for (unsigned round = 0; round < 500; round++) {
        struct rc4 rc4;
        struct md5 md5;
        size_t at;

        random_fill(&seed, plain, sizeof(plain));
        memcpy(data, plain, sizeof(data));
        for (unsigned unseals = 0; unseals < 2; unseals++) {
            rc4_init(&rc4, "0123456789abcdef", 16);
            md5_init(&md5);
            for (at = 0; at < sizeof(data);) {
                size_t len = random_next(&seed) % 400;

                if (len > sizeof(data) - at)
                    len = sizeof(data) - at;
                if (unseals)
                    rc4_md5_unseal(&rc4, &md5, data + at, len);
                else
                    rc4_md5_seal(&rc4, &md5, data + at, len);
                at += len;
            }
            md5_final(&md5, unseals ? unsealed_digest : sealed_digest);
            if (!unseals)
                assert_memory_not_equal(data, plain, sizeof(data));
        }
        assert_memory_equal(data, plain, sizeof(data));
        assert_memory_equal(sealed_digest, unsealed_digest, MD5_LEN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_of_rfc_6229),           cmocka_unit_test(agrees_with_openssl),
        cmocka_unit_test(two_at_once_are_as_one_by_one), cmocka_unit_test(a_copy_is_a_checkpoint),
        cmocka_unit_test(interleaving_changes_nothing),  cmocka_unit_test(sealed_in_any_pieces_unseals_in_any_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
