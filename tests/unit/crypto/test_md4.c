#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/digest.h"
#include "reference.h"

#include <string.h>

/* RFC 1320, appendix A.5. */
static void vectors_of_rfc_1320(void **state)
{
    static const char *const vectors[][2] = {
        {"", "31d6cfe0d16ae931b73c59d7e0c089c0"},
        {"a", "bde52cb31de33e46245e05fbdbd6fb24"},
        {"abc", "a448017aaf21d8525fc10ae87aa6729d"},
        {"message digest", "d9130a8164549fe818874806e1c7014b"},
        {"abcdefghijklmnopqrstuvwxyz", "d79e1c308aa5bbcdeea8ed63df412da9"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "043f8582f241db351ce627e153e7f0e4"},
        {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
         "e33b4ddc9c38f2199c3e7b164fcc0536"},
    };
    uint8_t digest[MD4_LEN];

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        md4_once(vectors[i][0], strlen(vectors[i][0]), digest);
        assert_hex(digest, MD4_LEN, vectors[i][1]);
    }
    md4_once(NULL, 0, digest);
    assert_hex(digest, MD4_LEN, vectors[0][1]);
}

static void agrees_with_openssl_at_every_length(void **state)
{
    struct reference reference = reference_open();
    EVP_MD *md4 = EVP_MD_fetch(reference.library, "MD4", NULL);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t input[700], ours[MD4_LEN], theirs[MD4_LEN];
    uint64_t seed = 4;

    (void)state;
    assert_non_null(md4);
    for (size_t len = 0; len <= sizeof(input); len++) {
        random_fill(&seed, input, len);
        md4_once(input, len, ours);
        assert_int_equal(EVP_DigestInit_ex2(context, md4, NULL), 1);
        assert_int_equal(EVP_DigestUpdate(context, input, len), 1);
        assert_int_equal(EVP_DigestFinal_ex(context, theirs, NULL), 1);
        assert_memory_equal(ours, theirs, MD4_LEN);
    }
    EVP_MD_CTX_free(context);
    EVP_MD_free(md4);
    reference_close(reference);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_of_rfc_1320),
        cmocka_unit_test(agrees_with_openssl_at_every_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
