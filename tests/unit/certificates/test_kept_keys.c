/*
 * Keys that somebody else keeps: their signatures by every scheme, what they refuse, and a keeper that fails.
 *
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "certificates/kept_key.h"
#include "certificates/key_scheme.h"
#include "core/cause.h"
#include "unit/certificates/authority.h"
#include <openssl/rsa.h>
#include <openssl/ec.h>
#include <sspi_ext.h>
#include <string.h>

/* The keeper: in this process, with one key. */
static EVP_PKEY *real;
static SECURITY_STATUS refusal;
static unsigned n_asked;

static SECURITY_STATUS find(const char *name, struct writer *spki)
{
    unsigned char *der = NULL;
    if (strcmp(name, "junk") == 0) {
        writer_bytes(spki, "junk", 4);
        return SEC_E_OK;
    }
    require(strcmp(name, "one") == 0 && real != NULL, cause_set(NTE_BAD_KEYSET, "no such key"));
    int len = i2d_PUBKEY(real, &der);
    if (strcmp(name, "one") == 0 && len > 0)
        writer_bytes(spki, der, (size_t)len);
    OPENSSL_free(der);
    return writer_finish(spki) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS sign(const char *name, const uint8_t *hash, uint16_t scheme, struct slice data,
                            struct writer *signature)
{
    (void)hash;
    n_asked++;
    assert_string_equal(name, "one");
    require(refusal == SEC_E_OK, cause_set(refusal, "the keeper is asleep"));
    return key_scheme_sign(real, scheme, data, signature);
}

static const struct key_keeper keeper = {.find = find, .sign = sign};

static EVP_PKEY *kept_new(EVP_PKEY *key)
{
    EVP_PKEY *kept = NULL;
    assert_non_null(key);
    EVP_PKEY_free(real);
    real = key;
    refusal = SEC_E_OK;
    assert_int_equal(kept_key_open("lsa:one", &kept), SEC_E_OK);
    assert_true(key_is_kept(kept));
    assert_false(key_is_kept(real));
    assert_int_equal(EVP_PKEY_get_base_id(kept), EVP_PKEY_get_base_id(real));
    assert_int_equal(EVP_PKEY_get_size(kept), EVP_PKEY_get_size(real));
    assert_int_equal(EVP_PKEY_get_bits(kept), EVP_PKEY_get_bits(real));
    assert_int_equal(EVP_PKEY_eq(kept, real), 1);
    assert_int_equal(EVP_PKEY_eq(real, kept), 1);
    return kept;
}

static EVP_PKEY *pss_key(void)
{
    EVP_PKEY *made = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    assert_true(EVP_PKEY_keygen_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048) == 1 &&
                EVP_PKEY_generate(ctx, &made) == 1);
    EVP_PKEY_CTX_free(ctx);
    return made;
}

static bool begin(EVP_MD_CTX *ctx, EVP_PKEY *key, const char *hash, int padding, bool verifies)
{
    EVP_PKEY_CTX *at = NULL;
    int begun = verifies ? EVP_DigestVerifyInit_ex(ctx, &at, hash, NULL, NULL, key, NULL)
                         : EVP_DigestSignInit_ex(ctx, &at, hash, NULL, NULL, key, NULL);
    if (begun != 1 || padding == 0)
        return begun == 1;
    return EVP_PKEY_CTX_set_rsa_padding(at, padding) == 1 &&
           (padding != RSA_PKCS1_PSS_PADDING || EVP_PKEY_CTX_set_rsa_pss_saltlen(at, RSA_PSS_SALTLEN_DIGEST) == 1);
}

/* Signs in one call, or in pieces; then OpenSSL verifies with the real key. */
static bool signs(EVP_PKEY *kept, const char *hash, int padding, bool in_pieces)
{
    static const uint8_t message[] = "what is signed, in two pieces";
    uint8_t signature[KEY_SIGNATURE_MAX];
    size_t len = 0;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool made = begin(ctx, kept, hash, padding, false);
    n_asked = 0;
    if (made && in_pieces)
        made = EVP_DigestSignUpdate(ctx, message, 10) == 1 &&
               EVP_DigestSignUpdate(ctx, message + 10, sizeof message - 10) == 1 &&
               EVP_DigestSignFinal(ctx, NULL, &len) == 1 && len <= sizeof signature &&
               EVP_DigestSignFinal(ctx, signature, &len) == 1;
    else if (made)
        made = EVP_DigestSign(ctx, NULL, &len, message, sizeof message) == 1 && len <= sizeof signature &&
               EVP_DigestSign(ctx, signature, &len, message, sizeof message) == 1;
    EVP_MD_CTX_free(ctx);
    if (!made)
        return false;
    assert_int_equal(n_asked, 1);
    ctx = EVP_MD_CTX_new();
    assert_true(begin(ctx, real, hash, padding, true));
    assert_int_equal(EVP_DigestVerify(ctx, signature, len, message, sizeof message), 1);
    EVP_MD_CTX_free(ctx);
    return true;
}

static void test_schemes(void **state)
{
    static const char *const hashes[] = {"SHA256", "SHA384", "SHA512", "SHA224", "SHA1"};
    (void)state;
    EVP_PKEY *rsa = kept_new(EVP_RSA_gen(2048));
    for (size_t i = 0; i < COUNT_OF(hashes); i++) {
        assert_true(signs(rsa, hashes[i], RSA_PKCS1_PADDING, i % 2 == 0));
        assert_int_equal(signs(rsa, hashes[i], RSA_PKCS1_PSS_PADDING, i % 2 == 1), i < 3);
    }
    assert_true(signs(rsa, "MD5-SHA1", RSA_PKCS1_PADDING, false)); /* TLS 1.0 */
    assert_true(signs(rsa, NULL, 0, false));                       /* the default hash */
    assert_false(signs(rsa, "SHA3-256", RSA_PKCS1_PADDING, false));
    assert_false(signs(rsa, "SHA256", RSA_NO_PADDING, false));
    EVP_PKEY_free(rsa);
    EVP_PKEY *pss = kept_new(pss_key());
    assert_true(signs(pss, "SHA256", RSA_PKCS1_PSS_PADDING, false));
    assert_false(signs(pss, "SHA256", RSA_PKCS1_PADDING, false));
    EVP_PKEY_free(pss);
    EVP_PKEY *ec = kept_new(EVP_EC_gen("P-384"));
    for (size_t i = 0; i < COUNT_OF(hashes); i++)
        assert_true(signs(ec, hashes[i], 0, i % 2 == 0));
    EVP_PKEY_free(ec);
    EVP_PKEY *edwards = kept_new(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
    assert_true(signs(edwards, NULL, 0, false));
    assert_false(signs(edwards, NULL, 0, true));
    assert_false(signs(edwards, "SHA256", 0, false));
    EVP_PKEY_free(edwards);
}

static void test_nothing_else(void **state)
{
    (void)state;
    uint8_t bytes[512];
    size_t len = sizeof bytes;
    unsigned char *der = NULL;
    EVP_PKEY *rsa = kept_new(EVP_RSA_gen(2048));
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, rsa, NULL);
    assert_int_not_equal(EVP_PKEY_decrypt_init(ctx), 1);
    EVP_PKEY_CTX_free(ctx);
    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, rsa, NULL);
    assert_true(EVP_PKEY_sign_init(ctx) != 1 || EVP_PKEY_sign(ctx, bytes, &len, bytes, 32) != 1);
    EVP_PKEY_CTX_free(ctx);
    EVP_MD_CTX *salted = EVP_MD_CTX_new();
    EVP_PKEY_CTX *at = NULL;
    assert_int_equal(EVP_DigestSignInit_ex(salted, &at, "SHA256", NULL, NULL, rsa, NULL), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(at, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(at, 32), 1);
    assert_int_not_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(at, 20), 1);
    assert_int_not_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(at, EVP_sha1()), 1);
    EVP_MD_CTX_free(salted);
    assert_true(i2d_PrivateKey(rsa, &der) <= 0);
    BIGNUM *secret = NULL;
    assert_int_not_equal(EVP_PKEY_get_bn_param(rsa, "d", &secret), 1);
    EVP_PKEY *other = EVP_RSA_gen(2048), *kept = rsa;
    assert_int_not_equal(EVP_PKEY_eq(other, kept), 1);
    assert_int_not_equal(EVP_PKEY_eq(kept, the_leaf()->key), 1);
    EVP_PKEY_free(other);
    EVP_PKEY_free(rsa);
}

static void test_failures(void **state)
{
    (void)state;
    EVP_PKEY *ec = kept_new(EVP_EC_gen("P-256")), *none = NULL;
    kept_key_failure_forget();
    refusal = SEC_E_NO_AUTHENTICATING_AUTHORITY;
    cause_clear();
    assert_false(signs(ec, "SHA256", 0, false));
    assert_int_equal(kept_key_failure(), SEC_E_NO_AUTHENTICATING_AUTHORITY);
    assert_string_equal(cause_text(), "the keeper is asleep");
    kept_key_failure_forget();
    assert_int_equal(kept_key_failure(), SEC_E_OK);
    refusal = SEC_E_OK;
    assert_true(signs(ec, "SHA256", 0, false));
    EVP_PKEY_free(ec);
    static const char *const places[] = {"lsa:", "lsa:two", "lsa:junk", "lsa:o/ne", "lsa:one ", "lsa:\xc3\xbc"};
    for (size_t i = 0; i < COUNT_OF(places); i++)
        assert_int_equal(kept_key_open(places[i], &none), NTE_BAD_KEYSET);
    EVP_PKEY *x25519 = EVP_PKEY_Q_keygen(NULL, NULL, "X25519"); /* signs nothing */
    EVP_PKEY_free(real);
    real = x25519;
    assert_int_equal(kept_key_open("lsa:one", &none), NTE_BAD_KEYSET);
    key_keeper_set(NULL);
    assert_int_equal(kept_key_open("lsa:one", &none), NTE_BAD_KEYSET);
    key_keeper_set(&keeper);
    assert_null(none);
}

/* Each allocation fails once: no crash, no leak, and nothing that is half signed. */
static void test_faults(void **state)
{
    (void)state;
    EVP_PKEY_free(kept_new(EVP_EC_gen("P-256"))); /* what is made once is there */
    for (unsigned long nth = 1;; nth++) {
        EVP_PKEY *kept = NULL;
        cause_clear();
        mem_fault_set(nth, false);
        SECURITY_STATUS status = kept_key_open("lsa:one", &kept);
        bool signed_ = status == SEC_E_OK && signs(kept, "SHA256", 0, false);
        unsigned long n_made = mem_fault_count();
        mem_fault_set(0, false);
        EVP_PKEY_free(kept);
        if (status != SEC_E_OK && cause_answer(status) != SEC_E_INSUFFICIENT_MEMORY)
            fail_msg("allocation %lu: 0x%08x %s", nth, (unsigned)status, cause_text());
        if (n_made < nth) {
            assert_true(signed_ && nth > 3);
            break;
        }
        assert_true(nth < 100);
    }
}

static int prepare(void **state)
{
    (void)state;
    key_keeper_set(&keeper);
    return 0;
}

static int end(void **state)
{
    (void)state;
    EVP_PKEY_free(real);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schemes),
        cmocka_unit_test(test_nothing_else),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, prepare, end);
}
