/*
 * What comes after OpenSSL's own end, among the functions of atexit: nothing crashes, random bytes come from the kernel, all else is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/aead.h"
#include "crypto/openssl.h"
#include "crypto/random.h"
#include "crypto/sha256.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEN 5000 /* more than any pool has */

static _Atomic(void *) late_cipher, late_hash, late_context;

static bool is_random(const uint8_t *bytes)
{
    size_t n_zeros = 0;
    for (size_t i = 0; i < LEN; i++)
        n_zeros += bytes[i] == 0;
    return n_zeros < LEN / 16;
}

/* 0, or the number of what went wrong. */
static int at_the_end(void)
{
    static uint8_t bytes[LEN], few[64];
    uint8_t key[AEAD_KEY_LEN] = {1}, nonce[AEAD_NONCE_LEN] = {2}, tag[AEAD_TAG_LEN] = {3}, digest[32];
    uint8_t secret[5] = "text", zeros[sizeof secret] = {0};
    {
        OPENSSL_QUIET;
        if (openssl_alive())
            return 1;
    }
    if (!random_bytes(bytes, LEN) || !is_random(bytes))
        return 2;
    for (int i = 0; i < 1000; i++)
        if (!random_bytes(few, sizeof few))
            return 3;
    if (sha256_once(slice_of("abc", 3), digest))
        return 4;
    if (aead_seal(key, nonce, NULL, 0, (struct slice_mut){secret, sizeof secret}, tag))
        return 5;
    if (aead_open(key, nonce, NULL, 0, (struct slice_mut){secret, sizeof secret}, tag))
        return 6;
    if (memcmp(secret, zeros, sizeof secret) != 0)
        return 7;
    if (openssl_cipher(&late_cipher, "AES-128-CBC") != NULL || openssl_hash(&late_hash, "SHA2-512") != NULL)
        return 8;
    static const struct openssl_provider provider = {"default", NULL};
    if (openssl_context(&late_context, &provider) != NULL)
        return 11;
    return 0;
}

static void late(void)
{
    _exit(at_the_end());
}

static void test_at_exit(void **state)
{
    int status = -1;
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        uint8_t bytes[16], digest[32];
        /* Registered before OpenSSL's own, and so called after it. */
        if (atexit(late) != 0 || !random_bytes(bytes, sizeof bytes) ||
            !sha256_once(slice_of(bytes, sizeof bytes), digest))
            _exit(9);
        exit(10);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_at_exit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
