/*
 * OpenSSL's error queue is the thread's, and so the host's: what it complains of when we ask it is forgotten, what the host has not read yet stays. A
 * host that uses TLS would take what is left there for an error of its own connection.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "crypto/aead.h"
#include "crypto/certificate.h"
#include "crypto/des.h"
#include "crypto/des3_cbc.h"
#include "crypto/http_digest.h"
#include "crypto/krb5_cts.h"
#include "crypto/processor.h"
#include "crypto/sha256.h"
#include <openssl/err.h>
#include <openssl/evp.h>

static const uint8_t bytes[64] = {1, 2, 3};

static bool certificate(void)
{
    uint8_t hash[CERTIFICATE_HASH_MAX];
    size_t len;
    return certificate_end_point_hash(slice_of(bytes, sizeof bytes), hash, &len) == CERTIFICATE_OK;
}

static bool pem(void)
{
    AUTO_WRITER struct writer der = writer_growing(64);
    return certificate_pem_read(slice_of_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), &der);
}

static bool des(void)
{
    uint8_t out[8];
    return des_encrypt7(bytes, bytes, out);
}

static bool des3(void)
{
    struct des3_cbc *cipher = des3_cbc_new(bytes, true);
    des3_cbc_free(cipher);
    return cipher != NULL;
}

static bool hash(void)
{
    const struct slice piece = slice_of(bytes, sizeof bytes);
    uint8_t out[DIGEST_LEN_MAX];
    return digest_hash(DIGEST_SHA256, &piece, 1, out);
}

static bool seal(void)
{
    uint8_t data[16] = {0}, tag[AEAD_TAG_LEN];
    return aead_seal(bytes, bytes, NULL, 0, (struct slice_mut){data, sizeof data}, tag);
}

static bool open(void)
{
    uint8_t data[16] = {0};
    return aead_open(bytes, bytes, NULL, 0, (struct slice_mut){data, sizeof data}, bytes);
}

static bool aes(void)
{
    struct krb_cbc cbc;
    processor_lacks(PROCESSOR_AES);
    bool done = krb_cbc_init(&cbc, bytes, 16, true);
    krb_cbc_release(&cbc);
    processor_lacks(0);
    return done;
}

static bool sha256(void)
{
    uint8_t digest[32];
    return sha256_once(slice_of(bytes, sizeof bytes), digest);
}

static void test_failures(void **state)
{
    static bool (*const fails[])(void) = {certificate, pem, des, des3, hash, seal, open, aes, sha256};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(fails); i++)
        for (int n_before = 0; n_before < 2; n_before++) {
            ERR_clear_error();
            if (n_before > 0)
                ERR_raise(ERR_LIB_USER, 7); /* the host's */
            if (fails[i]())
                fail_msg("case %zu does not fail", i);
            assert_int_equal(ERR_GET_REASON(ERR_get_error()), n_before > 0 ? 7 : 0);
            if (ERR_peek_error() != 0)
                fail_msg("case %zu: %s", i, ERR_reason_error_string(ERR_peek_error()));
        }
}

static int no_ciphers(void **state)
{
    (void)state;
    return EVP_set_default_properties(NULL, "fips=yes") == 1 ? 0 : -1; /* and no provider that has it */
}

static int ciphers_again(void **state)
{
    (void)state;
    return EVP_set_default_properties(NULL, "") == 1 ? 0 : -1;
}

/* A failure is not kept. */
static void test_successes(void **state)
{
    (void)state;
    assert_true(des() && des3() && hash() && seal() && aes());
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_failures, no_ciphers, ciphers_again),
                                       cmocka_unit_test(test_successes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
