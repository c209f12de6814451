#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/des.h"
#include "reference.h"

#include <pthread.h>
#include <string.h>

/* MS-NLMP 4.2.2.1.1 and 3.3.1 (LMOWFv1): "KGS!@#$%" under the two halves of "PASSWORD". */
static void vector_of_ms_nlmp(void **state)
{
    static const uint8_t second[7] = {'D'};
    uint8_t out[8];

    (void)state;
    assert_true(des_encrypt7((const uint8_t *)"PASSWOR", (const uint8_t *)"KGS!@#$%", out));
    assert_hex(out, 8, "e52cac67419a9a22");
    assert_true(des_encrypt7(second, (const uint8_t *)"KGS!@#$%", out));
    assert_hex(out, 8, "4a3b108f3fa6cb6d");
}

/* Single DES of the legacy provider, the key spread bit by bit. */
static void agrees_with_single_des(void **state)
{
    struct reference reference = reference_open();
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(reference.library, "DES-ECB", NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint64_t seed = 13;

    (void)state;
    assert_non_null(cipher);
    for (unsigned round = 0; round < 500; round++) {
        uint8_t key[7], in[8], spread[8] = {0}, ours[8], theirs[16];
        int theirs_len;

        random_fill(&seed, key, sizeof(key));
        random_fill(&seed, in, sizeof(in));
        for (unsigned bit = 0; bit < 56; bit++)
            if (key[bit / 8] & 0x80 >> bit % 8)
                spread[bit / 7] |= (uint8_t)(0x80 >> bit % 7);
        assert_int_equal(EVP_EncryptInit_ex2(context, cipher, spread, NULL, NULL), 1);
        assert_int_equal(EVP_CIPHER_CTX_set_padding(context, 0), 1);
        assert_int_equal(EVP_EncryptUpdate(context, theirs, &theirs_len, in, 8), 1);
        assert_true(des_encrypt7(key, in, ours));
        assert_memory_equal(ours, theirs, 8);
        /* In place. */
        assert_true(des_encrypt7(key, in, in));
        assert_memory_equal(in, theirs, 8);
    }
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    reference_close(reference);
}

static void *encrypt_once(void *out)
{
    return des_encrypt7((const uint8_t *)"PASSWOR", (const uint8_t *)"KGS!@#$%", out) ? out : NULL;
}

static void threads_may_come_first_together(void **state)
{
    pthread_t threads[8];
    uint8_t out[8][8];
    void *done;

    (void)state;
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, encrypt_once, out[i]), 0);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(threads[i], &done), 0);
        assert_non_null(done);
        assert_hex(out[i], 8, "e52cac67419a9a22");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_may_come_first_together),
        cmocka_unit_test(vector_of_ms_nlmp),
        cmocka_unit_test(agrees_with_single_des),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
