#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/digest.h"
#include "reference.h"

#include <string.h>

/* RFC 1321, appendix A.5. */
static void vectors_of_rfc_1321(void **state)
{
    static const char *const vectors[][2] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e"},
        {"a", "0cc175b9c0f1b6a831c399e269772661"},
        {"abc", "900150983cd24fb0d6963f7d28e17f72"},
        {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
        {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"},
        {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
         "57edf4a22be3c955ac49da2e2107b67a"},
    };
    uint8_t digest[MD5_LEN];

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        md5_once(vectors[i][0], strlen(vectors[i][0]), digest);
        assert_hex(digest, MD5_LEN, vectors[i][1]);
    }
    md5_once(NULL, 0, digest);
    assert_hex(digest, MD5_LEN, vectors[0][1]);
}

static void agrees_with_openssl_at_every_length(void **state)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t input[700], ours[MD5_LEN], theirs[MD5_LEN];
    uint64_t seed = 5;

    (void)state;
    for (size_t len = 0; len <= sizeof(input); len++) {
        random_fill(&seed, input, len);
        md5_once(input, len, ours);
        assert_int_equal(EVP_DigestInit_ex2(context, EVP_md5(), NULL), 1);
        assert_int_equal(EVP_DigestUpdate(context, input, len), 1);
        assert_int_equal(EVP_DigestFinal_ex(context, theirs, NULL), 1);
        assert_memory_equal(ours, theirs, MD5_LEN);
    }
    EVP_MD_CTX_free(context);
}

static void pieces_make_no_difference(void **state)
{
    uint8_t input[2000], whole[MD5_LEN], pieced[MD5_LEN];
    uint64_t seed = 6;

    (void)state;
    random_fill(&seed, input, sizeof(input));
    for (unsigned round = 0; round < 2000; round++) {
        size_t len = random_next(&seed) % (sizeof(input) + 1), at = 0;
        struct md5 md5;

        md5_init(&md5);
        while (at < len) {
            size_t piece_len = random_next(&seed) % 150;

            if (piece_len > len - at)
                piece_len = len - at;
            md5_update(&md5, input + at, piece_len);
            at += piece_len;
            assert_true(md5.len == at);
        }
        md5_update(&md5, NULL, 0);
        md5_final(&md5, pieced);
        md5_once(input, len, whole);
        assert_memory_equal(pieced, whole, MD5_LEN);
    }
}

/* Of one block each, and of two; the lanes differ. */
static void four_at_once_are_as_one_by_one(void **state)
{
    uint8_t input[4][MD5_BOTH_MAX], four[4][MD5_LEN], single[MD5_LEN];
    uint64_t seed = 7;

    (void)state;
    for (size_t len = 0; len <= MD5_BOTH_MAX; len++) {
        struct slice messages[4][2];

        for (unsigned i = 0; i < 4; i++)
            random_fill(&seed, input[i], len);
        for (unsigned i = 0; i < 4; i++) {
            messages[i][0] = slice_of(input[i], len / (i + 1));
            messages[i][1] = slice_of(input[i] + len / (i + 1), len - len / (i + 1));
        }
        md5_four(messages, four);
        for (unsigned i = 0; i < 4; i++) {
            md5_once(input[i], len, single);
            assert_memory_equal(four[i], single, MD5_LEN);
        }
    }
}

static void final_wipes(void **state)
{
    static const struct md5 wiped;
    uint8_t digest[MD5_LEN];
    struct md5 md5;

    (void)state;
    md5_init(&md5);
    md5_update(&md5, "secret", 6);
    md5_final(&md5, digest);
    assert_memory_equal(&md5, &wiped, sizeof(md5));
}

/* The length field counts 64 bits: past 4 GiB of bits and of bytes. The blocks are the same one over and over. */
static void long_lengths_are_counted(void **state)
{
    struct md5 md5 = {.len = UINT64_C(1) << 33};
    struct md5 again = {.len = (UINT64_C(1) << 33) + (UINT64_C(1) << 61)};
    uint8_t digest[MD5_LEN], wrapped[MD5_LEN], shorter[MD5_LEN];
    struct md5 other = {.len = 0};

    (void)state;
    md5_final(&md5, digest);
    md5_final(&again, wrapped);
    md5_final(&other, shorter);
    assert_memory_equal(digest, wrapped,
                        MD5_LEN); /* RFC 1321, section 3.2: only the low 64 bits of the length in bits */
    assert_memory_not_equal(digest, shorter, MD5_LEN);
}

/* Every pair of lengths that a block's end can part, split anywhere. */
static void two_at_a_time(void **state)
{
    uint8_t input[2][MD5_BOTH_MAX], single[MD5_LEN], both[2][MD5_LEN];
    uint64_t seed = 7;

    (void)state;
    random_fill(&seed, input[0], sizeof(input[0]));
    random_fill(&seed, input[1], sizeof(input[1]));
    for (size_t a = 0; a <= MD5_BOTH_MAX; a++)
        for (size_t b = 0; b <= MD5_BOTH_MAX; b++) {
            const size_t len[2] = {a, b};
            struct slice pieces[2][2];
            for (unsigned i = 0; i < 2; i++) {
                size_t cut = random_next(&seed) % (len[i] + 1);
                pieces[i][0] = slice_of(input[i], cut);
                pieces[i][1] = slice_of(input[i] + cut, len[i] - cut);
            }
            md5_both(pieces[0], both[0], pieces[1], both[1]);
            for (unsigned i = 0; i < 2; i++) {
                md5_once(input[i], len[i], single);
                assert_memory_equal(both[i], single, MD5_LEN);
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_of_rfc_1321),
        cmocka_unit_test(agrees_with_openssl_at_every_length),
        cmocka_unit_test(pieces_make_no_difference),
        cmocka_unit_test(final_wipes),
        cmocka_unit_test(four_at_once_are_as_one_by_one),
        cmocka_unit_test(long_lengths_are_counted),
        cmocka_unit_test(two_at_a_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
