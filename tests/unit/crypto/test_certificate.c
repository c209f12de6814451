/*
 * The hash of tls-server-end-point: each kind of signature, and what is not a certificate. The certificates are made here; the hashes expected are
 * computed by name, not by the certificate.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/certificate.h"
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

enum key { KEY_RSA, KEY_EC, KEY_ED25519, KEY_ED448 };

static EVP_PKEY *key_make(enum key kind)
{
    switch (kind) {
    case KEY_RSA:
        return EVP_RSA_gen(2048);
    case KEY_EC:
        return EVP_EC_gen("P-256");
    case KEY_ED25519:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    default:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
    }
}

/* A self-signed certificate; `digest` NULL for keys that hash by themselves. */
static X509 *certificate_make(enum key kind, const char *digest, bool pss)
{
    EVP_PKEY *key = key_make(kind);
    X509 *made = X509_new();
    EVP_MD_CTX *sign = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters = NULL;
    X509_NAME *name = X509_get_subject_name(made);
    assert_non_null(key);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(made), 1), 1);
    X509_gmtime_adj(X509_getm_notBefore(made), 0);
    X509_gmtime_adj(X509_getm_notAfter(made), 3600);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"www.example.test", -1, -1, 0);
    assert_int_equal(X509_set_issuer_name(made, name), 1);
    assert_int_equal(X509_set_pubkey(made, key), 1);
    const EVP_MD *md = digest != NULL ? EVP_get_digestbyname(digest) : NULL;
    assert_int_equal(EVP_DigestSignInit(sign, &parameters, md, NULL, key), 1);
    if (pss)
        assert_true(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) > 0);
    assert_true(X509_sign_ctx(made, sign) > 0);
    EVP_MD_CTX_free(sign);
    EVP_PKEY_free(key);
    return made;
}

static struct slice der_of(X509 *certificate, uint8_t *room, size_t size)
{
    unsigned char *at = room;
    int len = i2d_X509(certificate, NULL);
    assert_true(len > 0 && (size_t)len < size);
    assert_int_equal(i2d_X509(certificate, &at), len);
    return slice_of(room, (size_t)len);
}

static void test_hash_of_each_signature(void **state)
{
    static const struct {
        enum key key;
        const char *signature;
        bool pss;
        const char *binding; /* NULL: undefined */
    } cases[] = {
        {KEY_RSA, "MD5", false, "SHA256"},    {KEY_RSA, "SHA1", false, "SHA256"},
        {KEY_RSA, "SHA224", false, "SHA224"}, {KEY_RSA, "SHA256", false, "SHA256"},
        {KEY_RSA, "SHA384", false, "SHA384"}, {KEY_RSA, "SHA512", false, "SHA512"},
        {KEY_RSA, "SHA1", true, "SHA256"},    {KEY_RSA, "SHA256", true, "SHA256"},
        {KEY_RSA, "SHA384", true, "SHA384"},  {KEY_RSA, "SHA512", true, "SHA512"},
        {KEY_EC, "SHA1", false, "SHA256"},    {KEY_EC, "SHA256", false, "SHA256"},
        {KEY_EC, "SHA384", false, "SHA384"},  {KEY_EC, "SHA512", false, "SHA512"},
        {KEY_ED25519, NULL, false, NULL},     {KEY_ED448, NULL, false, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        X509 *certificate = certificate_make(cases[i].key, cases[i].signature, cases[i].pss);
        uint8_t room[4096], hash[CERTIFICATE_HASH_MAX], wanted[EVP_MAX_MD_SIZE];
        size_t len = 0, wanted_len = 0;
        struct slice der = der_of(certificate, room, sizeof room);
        enum certificate_result result = certificate_end_point_hash(der, hash, &len);
        if (cases[i].binding == NULL)
            assert_int_equal(result, CERTIFICATE_UNDEFINED);
        else {
            if (result != CERTIFICATE_OK)
                fail_msg("case %zu, %s: %d", i, cases[i].signature, (int)result);
            assert_int_equal(EVP_Q_digest(NULL, cases[i].binding, NULL, der.data, der.len, wanted, &wanted_len), 1);
            assert_int_equal(len, wanted_len);
            assert_memory_equal(hash, wanted, len);
        }
        X509_free(certificate);
    }
}

static void test_not_a_certificate(void **state)
{
    X509 *certificate = certificate_make(KEY_EC, "SHA256", false);
    uint8_t room[4096], hash[CERTIFICATE_HASH_MAX];
    size_t len = 77;
    struct slice der = der_of(certificate, room, sizeof room - 1);
    (void)state;
    for (size_t cut = 0; cut < der.len; cut++)
        assert_int_equal(certificate_end_point_hash(slice_of(room, cut), hash, &len), CERTIFICATE_BAD);
    room[der.len] = 0; /* one byte behind it */
    assert_int_equal(certificate_end_point_hash(slice_of(room, der.len + 1), hash, &len), CERTIFICATE_BAD);
    assert_int_equal(certificate_end_point_hash(slice_of(NULL, 0), hash, &len), CERTIFICATE_BAD);
    assert_int_equal(certificate_end_point_hash(slice_of_text("-----BEGIN"), hash, &len), CERTIFICATE_BAD);
    assert_int_equal(len, 77);
    X509_free(certificate);
}

/* A chain file: text around, a key before, the server's own certificate first. */
static void test_pem(void **state)
{
    X509 *own = certificate_make(KEY_EC, "SHA256", false), *issuer = certificate_make(KEY_EC, "SHA384", false);
    EVP_PKEY *key = key_make(KEY_EC);
    BIO *text = BIO_new(BIO_s_mem());
    char *pem;
    uint8_t room[4096];
    (void)state;
    BIO_puts(text, "subject: whoever\n");
    assert_int_equal(PEM_write_bio_PrivateKey(text, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(PEM_write_bio_X509(text, own), 1);
    assert_int_equal(PEM_write_bio_X509(text, issuer), 1);
    long len = BIO_get_mem_data(text, &pem);
    assert_true(len > 0);
    AUTO_WRITER struct writer der = writer_growing(256);
    assert_true(certificate_pem_read(slice_of(pem, (size_t)len), &der));
    struct slice wanted = der_of(own, room, sizeof room);
    assert_int_equal(der.len, wanted.len);
    assert_memory_equal(der.data, wanted.data, der.len);

    AUTO_WRITER struct writer none = writer_growing(256);
    assert_false(certificate_pem_read(slice_of_text("no certificate\n"), &none));
    assert_false(certificate_pem_read(slice_of(NULL, 0), &none));
    /* A first certificate that is none is not passed over for the next. */
    char *broken = strstr(pem, "BEGIN CERTIFICATE");
    assert_non_null(broken);
    memset(broken + 30, '!', 20);
    assert_false(certificate_pem_read(slice_of(pem, (size_t)len), &none));
    assert_int_equal(none.len, 0);
    BIO_free(text);
    EVP_PKEY_free(key);
    X509_free(own);
    X509_free(issuer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hash_of_each_signature),
                                       cmocka_unit_test(test_not_a_certificate), cmocka_unit_test(test_pem)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
