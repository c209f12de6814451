/*
 * What the cryptographic tests share: hexadecimal vectors, pseudo-random input that is the same in every run, and OpenSSL as the reference.
 */
#ifndef OPENSSPI_TESTS_CRYPTO_REFERENCE_H
#define OPENSSPI_TESTS_CRYPTO_REFERENCE_H

#include "base/slice.h"

#include <openssl/evp.h>
#include <openssl/provider.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Asserts that `len` bytes read in hexadecimal as `expected`. */
#define assert_hex(bytes, len, expected)                          \
    do {                                                          \
        char hex[2 * 256 + 1];                                    \
        for (size_t hex_i = 0; hex_i < (len); hex_i++)            \
            snprintf(hex + 2 * hex_i, 3, "%02x", (bytes)[hex_i]); \
        assert_string_equal(hex, expected);                       \
    } while (0)

static inline size_t from_hex(const char *hex, uint8_t *out)
{
    size_t len = strlen(hex) / 2;

    for (size_t i = 0; i < len; i++) {
        const char digits[3] = {hex[2 * i], hex[2 * i + 1], 0};

        out[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return len;
}

/* SplitMix64 (Steele, Lea, Flood 2014). */
static inline uint64_t random_next(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline void random_fill(uint64_t *seed, uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)random_next(seed);
}

/* OpenSSL with its default and legacy providers, apart from the process's own settings. */
struct reference {
    OSSL_LIB_CTX *library;
    OSSL_PROVIDER *standard, *legacy;
};

/* Fails the test, and does not skip it, when the legacy provider is not installed. */
static inline struct reference reference_open(void)
{
    struct reference reference = {.library = OSSL_LIB_CTX_new()};

    assert_non_null(reference.library);
    reference.standard = OSSL_PROVIDER_load(reference.library, "default");
    assert_non_null(reference.standard);
    reference.legacy = OSSL_PROVIDER_load(reference.library, "legacy");
    assert_non_null(reference.legacy);
    return reference;
}

static inline void reference_close(struct reference reference)
{
    OSSL_PROVIDER_unload(reference.legacy);
    OSSL_PROVIDER_unload(reference.standard);
    OSSL_LIB_CTX_free(reference.library);
}

#endif
