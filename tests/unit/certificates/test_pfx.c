/*
 * PFX files, of the old encryption and the new; what is no PFX; what a hostile one asks for.
 *
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/utf16.h"
#include "unit/certificates/authority.h"
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <sspi_ext.h>
#include <string.h>

/* Makes a PFX of the leaf, its key and its issuer in a library context of the tests' own, which has the legacy provider. */
static CRYPT_DATA_BLOB pfx_make(const char *password, int key_nid, int certificate_nid, int iterations, bool mac)
{
    static OSSL_LIB_CTX *context;
    if (context == NULL) {
        context = OSSL_LIB_CTX_new();
        assert_non_null(OSSL_PROVIDER_load(context, "default"));
        assert_non_null(OSSL_PROVIDER_load(context, "legacy"));
    }
    STACK_OF(X509) *others = sk_X509_new_null();
    sk_X509_push(others, the_middle()->x509);
    PKCS12 *pkcs12 = PKCS12_create_ex(password, "Friendly \xc3\xa9", the_leaf()->key, the_leaf()->x509, others, key_nid,
                                      certificate_nid, iterations, mac ? iterations : -1, 0, context, NULL);
    assert_non_null(pkcs12);
    unsigned char *der = NULL;
    int len = i2d_PKCS12(pkcs12, &der);
    assert_true(len > 0);
    CRYPT_DATA_BLOB blob = {(DWORD)len, mem_dup(der, (size_t)len)};
    OPENSSL_free(der);
    PKCS12_free(pkcs12);
    sk_X509_free(others);
    return blob;
}

static WCHAR *wide(const char *text)
{
    uint16_t *units = NULL;
    assert_int_equal(utf16_from_text(text, &units, NULL), WIRE_OK);
    return (WCHAR *)units;
}

static void pfx_opens(CRYPT_DATA_BLOB blob, const WCHAR *password)
{
    HCERTSTORE store = PFXImportCertStore(&blob, password, CRYPT_EXPORTABLE | PKCS12_NO_PERSIST_KEY);
    if (store == NULL)
        fail_msg("0x%x: %s", (unsigned)OpenSspiLastError(), OpenSspiLastErrorText());
    PCCERT_CONTEXT leaf = CertFindCertificateInStore(store, 0, 0, CERT_FIND_HAS_PRIVATE_KEY, NULL, NULL);
    assert_non_null(leaf);
    char name[40];
    assert_true(CertGetNameStringA(leaf, CERT_NAME_FRIENDLY_DISPLAY_TYPE, 0, NULL, name, sizeof name) > 1);
    assert_string_equal(name, "Friendly \xc3\xa9");
    HCRYPTPROV_OR_NCRYPT_KEY_HANDLE handle = 0;
    assert_true(CryptAcquireCertificatePrivateKey(leaf, 0, NULL, &handle, NULL, NULL));
    DWORD flags = CERT_STORE_SIGNATURE_FLAG;
    PCCERT_CONTEXT issuer = CertGetIssuerCertificateFromStore(store, leaf, NULL, &flags);
    assert_non_null(issuer);
    assert_int_equal(flags, 0);
    assert_true(CertFreeCertificateContext(issuer));
    assert_true(CertFreeCertificateContext(leaf));
    assert_true(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
}

static void test_kinds(void **state)
{
    static const int kinds[][2] = {
        {NID_aes_256_cbc, NID_aes_256_cbc},
        {NID_aes_128_cbc, NID_aes_128_cbc},
        {NID_pbe_WithSHA1And3_Key_TripleDES_CBC, NID_pbe_WithSHA1And40BitRC2_CBC}, /* Windows before 2019, OpenSSL 1 */
        {NID_pbe_WithSHA1And3_Key_TripleDES_CBC, NID_pbe_WithSHA1And3_Key_TripleDES_CBC},
        {NID_pbe_WithSHA1And128BitRC4, NID_pbe_WithSHA1And128BitRC4},
        {NID_aes_256_cbc, -1}, /* certificates in the clear */
        {-1, -1},              /* all in the clear, under the checksum alone */
    };
    (void)state;
    WCHAR *right = wide("p\xc3\xa4ss"), *wrong = wide("pass");
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        CRYPT_DATA_BLOB blob = pfx_make("p\xc3\xa4ss", kinds[i][0], kinds[i][1], 2048, true);
        assert_true(PFXIsPFXBlob(&blob));
        assert_true(PFXVerifyPassword(&blob, right, 0));
        pfx_opens(blob, right);
        assert_false(PFXVerifyPassword(&blob, wrong, 0));
        assert_int_equal(OpenSspiLastError(), ERROR_INVALID_PASSWORD);
        assert_null(PFXImportCertStore(&blob, wrong, 0));
        assert_int_equal(OpenSspiLastError(), ERROR_INVALID_PASSWORD);
        assert_null(PFXImportCertStore(&blob, NULL, 0));
        assert_int_equal(OpenSspiLastError(), ERROR_INVALID_PASSWORD);
        mem_free(blob.pbData);
    }
    mem_free(right);
    mem_free(wrong);
    /* The host's own library context has not learnt of the legacy provider. */
    assert_int_equal(OSSL_PROVIDER_available(NULL, "legacy"), 0);
    assert_null(EVP_CIPHER_fetch(NULL, "RC2-40-CBC", NULL));
    ERR_clear_error();
}

static void test_no_password(void **state)
{
    (void)state;
    static const WCHAR empty[] = {0};
    static const char *const passwords[] = {NULL, ""};
    for (size_t i = 0; i < 2; i++) {
        CRYPT_DATA_BLOB blob = pfx_make(passwords[i], NID_aes_256_cbc, NID_aes_256_cbc, 2048, true);
        pfx_opens(blob, NULL);
        pfx_opens(blob, empty);
        mem_free(blob.pbData);
    }
}

static void test_flags(void **state)
{
    (void)state;
    WCHAR *password = wide("x");
    CRYPT_DATA_BLOB blob = pfx_make("x", NID_aes_256_cbc, NID_aes_256_cbc, 2048, true);
    HCERTSTORE store = PFXImportCertStore(&blob, password, PKCS12_ONLY_CERTIFICATES);
    assert_non_null(store);
    assert_null(CertFindCertificateInStore(store, 0, 0, CERT_FIND_HAS_PRIVATE_KEY, NULL, NULL));
    assert_true(CertCloseStore(store, 0));
    assert_null(PFXImportCertStore(&blob, password, CRYPT_USER_PROTECTED));
    assert_int_equal(OpenSspiLastError(), ERROR_NOT_SUPPORTED);
    assert_null(PFXImportCertStore(NULL, password, 0));
    assert_false(PFXIsPFXBlob(NULL));
    assert_false(PFXVerifyPassword(NULL, password, 0));
    mem_free(blob.pbData);
    mem_free(password);
}

static void test_damage(void **state)
{
    (void)state;
    WCHAR *password = wide("x");
    CRYPT_DATA_BLOB blob = pfx_make("x", NID_aes_256_cbc, NID_aes_256_cbc, 1, true), cut = blob;
    for (cut.cbData = 0; cut.cbData < blob.cbData; cut.cbData += 41) {
        assert_false(PFXIsPFXBlob(&cut));
        assert_null(PFXImportCertStore(&cut, password, 0));
        assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_BAD_ENCODE);
    }
    for (DWORD at = 0; at < blob.cbData; at += 13) { /* under the checksum no change opens */
        blob.pbData[at] ^= 0x20;
        HCERTSTORE store = PFXImportCertStore(&blob, password, 0);
        assert_null(store);
        blob.pbData[at] ^= 0x20;
    }
    mem_free(blob.pbData);
    blob = pfx_make("x", NID_aes_256_cbc, NID_aes_256_cbc, 2048, false); /* no checksum */
    assert_true(PFXIsPFXBlob(&blob));
    assert_false(PFXVerifyPassword(&blob, password, 0));
    assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_BAD_ENCODE);
    assert_null(PFXImportCertStore(&blob, password, 0));
    mem_free(blob.pbData);
    mem_free(password);
}

#define ONE_TOO_MANY 5000001 /* rounds: src/certificates/pfx.c */

/* What these encryptions ask for is refused, not begun. */
static void too_many_times(const PKCS12 *pkcs12)
{
    WCHAR *password = wide("x");
    unsigned char *der = NULL;
    CRYPT_DATA_BLOB blob = {(DWORD)i2d_PKCS12(pkcs12, &der), der};
    assert_null(PFXImportCertStore(&blob, password, 0));
    assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_BAD_ENCODE);
    assert_non_null(strstr(OpenSspiLastErrorText(), "times"));
    OPENSSL_free(der);
    mem_free(password);
}

static PKCS12 *pkcs12_of(CRYPT_DATA_BLOB blob)
{
    const unsigned char *at = blob.pbData;
    PKCS12 *pkcs12 = d2i_PKCS12(NULL, &at, (long)blob.cbData);
    assert_non_null(pkcs12);
    mem_free(blob.pbData);
    return pkcs12;
}

/* The safes under a checksum that is right: the file of somebody who knows its password. They are freed. */
static PKCS12 *pkcs12_with(STACK_OF(PKCS7) * safes)
{
    PKCS12 *pkcs12 = PKCS12_init(NID_pkcs7_data);
    assert_true(PKCS12_pack_authsafes(pkcs12, safes));
    assert_true(PKCS12_set_mac(pkcs12, "x", -1, NULL, 0, 1, NULL));
    sk_PKCS7_pop_free(safes, PKCS7_free);
    return pkcs12;
}

/* A count of rounds that would take for ever is refused, not begun. */
static void test_rounds(void **state)
{
    (void)state;
    PKCS12 *pkcs12 = pkcs12_of(pfx_make("x", NID_aes_256_cbc, NID_aes_256_cbc, 2048, true));
    const ASN1_INTEGER *rounds = NULL;
    PKCS12_get0_mac(NULL, NULL, NULL, &rounds, pkcs12);
    ASN1_INTEGER_set((ASN1_INTEGER *)(uintptr_t)rounds, ONE_TOO_MANY);
    too_many_times(pkcs12);
    PKCS12_free(pkcs12);
}

/* The same of what is encrypted. */
static void test_inner_rounds(void **state)
{
    static const int kinds[] = {NID_aes_256_cbc, NID_pbe_WithSHA1And3_Key_TripleDES_CBC};
    static const unsigned char few[] = {0x02, 0x03, 0x01, 0x00, 0x01}, many[] = {0x02, 0x03, 0x4c, 0x4b, 0x41};
    (void)state;
    for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
        /* 65537 rounds become one too many in the encoding. */
        PKCS12 *honest = pkcs12_of(pfx_make("x", kinds[kind], -1, 0x10001, true));
        STACK_OF(PKCS7) *safes = PKCS12_unpack_authsafes(honest);
        unsigned n_raised = 0;
        for (int i = 0; i < sk_PKCS7_num(safes); i++) {
            ASN1_OCTET_STRING *data = sk_PKCS7_value(safes, i)->d.data;
            unsigned char *at = memmem(data->data, (size_t)data->length, few, sizeof few);
            if (at != NULL) {
                memcpy(at, many, sizeof many);
                n_raised++;
            }
        }
        assert_int_equal(n_raised, 1);
        PKCS12_free(honest);
        PKCS12 *changed = pkcs12_with(safes);
        too_many_times(changed);
        PKCS12_free(changed);
    }
}

/* Many parts, each of which asks for less than too much: what they ask for together counts, before the first of them is decrypted. */
static void test_rounds_of_all(void **state)
{
    static const unsigned char few[] = {0x02, 0x03, 0x01, 0x00, 0x01}, four_million[] = {0x02, 0x03, 0x3d, 0x09, 0x00};
    (void)state;
    STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
    STACK_OF(PKCS7) *safes = sk_PKCS7_new_null();
    assert_non_null(PKCS12_add_cert(&bags, the_leaf()->x509));
    for (int i = 0; i < 13; i++) {
        PKCS7 *safe = PKCS12_pack_p7encdata(NID_pbe_WithSHA1And3_Key_TripleDES_CBC, "x", -1, NULL, 0, 0x10001, bags);
        assert_non_null(safe);
        ASN1_STRING *parameters = safe->d.encrypted->enc_data->algorithm->parameter->value.sequence;
        unsigned char *at = memmem(parameters->data, (size_t)parameters->length, few, sizeof few);
        assert_non_null(at);
        memcpy(at, four_million, sizeof four_million);
        sk_PKCS7_push(safes, safe);
    }
    PKCS12 *pkcs12 = pkcs12_with(safes);
    too_many_times(pkcs12);
    PKCS12_free(pkcs12);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
}

/* scrypt costs what its own numbers say, which are no rounds. */
static void test_other_derivation(void **state)
{
    (void)state;
    PKCS8_PRIV_KEY_INFO *key = EVP_PKEY2PKCS8(the_leaf()->key);
    X509_ALGOR *scheme = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL, 0, NULL, 2, 1, 1);
    assert_true(key != NULL && scheme != NULL);
    X509_SIG *locked = PKCS8_set0_pbe("x", -1, key, scheme);
    assert_non_null(locked);
    STACK_OF(PKCS12_SAFEBAG) *bags = sk_PKCS12_SAFEBAG_new_null();
    sk_PKCS12_SAFEBAG_push(bags, PKCS12_SAFEBAG_create0_pkcs8(locked));
    STACK_OF(PKCS7) *safes = sk_PKCS7_new_null();
    sk_PKCS7_push(safes, PKCS12_pack_p7data(bags));
    PKCS12 *pkcs12 = pkcs12_with(safes);
    too_many_times(pkcs12);
    PKCS12_free(pkcs12);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    PKCS8_PRIV_KEY_INFO_free(key);
}

/* Reading a DSA key computes modulo a number of any length: none is read, whatever its length. */
static void test_other_key(void **state)
{
    (void)state;
    EVP_PKEY *parameters = NULL, *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_DSA, NULL);
    assert_int_equal(EVP_PKEY_paramgen_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_dsa_paramgen_bits(context, 1024), 1);
    assert_int_equal(EVP_PKEY_paramgen(context, &parameters), 1);
    EVP_PKEY_CTX_free(context);
    context = EVP_PKEY_CTX_new(parameters, NULL);
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(EVP_PKEY_keygen(context, &key), 1);
    EVP_PKEY_CTX_free(context);
    STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
    assert_non_null(PKCS12_add_key(&bags, key, 0, 0, -1, NULL));
    STACK_OF(PKCS7) *safes = sk_PKCS7_new_null();
    sk_PKCS7_push(safes, PKCS12_pack_p7data(bags));
    PKCS12 *pkcs12 = pkcs12_with(safes);
    WCHAR *password = wide("x");
    unsigned char *der = NULL;
    CRYPT_DATA_BLOB blob = {(DWORD)i2d_PKCS12(pkcs12, &der), der};
    assert_null(PFXImportCertStore(&blob, password, 0));
    assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_BAD_ENCODE);
    assert_non_null(strstr(OpenSspiLastErrorText(), "of no known kind"));
    OPENSSL_free(der);
    mem_free(password);
    PKCS12_free(pkcs12);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    EVP_PKEY_free(parameters);
    EVP_PKEY_free(key);
}

/* PBMAC1 (RFC 9579) says by itself how much it costs: it is named as unknown, and the password is not blamed. */
static void test_other_checksum(void **state)
{
    CRYPT_DATA_BLOB blob =
        pfx_make("x", NID_pbe_WithSHA1And3_Key_TripleDES_CBC, NID_pbe_WithSHA1And3_Key_TripleDES_CBC, 1, true);
    WCHAR *password = wide("x");
    const unsigned char *at = blob.pbData;
    const X509_ALGOR *how = NULL;
    unsigned char *der = NULL;
    (void)state;
    PKCS12 *pkcs12 = d2i_PKCS12(NULL, &at, (long)blob.cbData);
    assert_non_null(pkcs12);
    PKCS12_get0_mac(NULL, &how, NULL, NULL, pkcs12);
    assert_true(
        X509_ALGOR_set0((X509_ALGOR *)(uintptr_t)how, OBJ_txt2obj("1.2.840.113549.1.5.14", 1), V_ASN1_NULL, NULL));
    CRYPT_DATA_BLOB other = {(DWORD)i2d_PKCS12(pkcs12, &der), der};
    assert_null(PFXImportCertStore(&other, password, 0));
    assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_BAD_ENCODE);
    assert_non_null(strstr(OpenSspiLastErrorText(), "of a kind not known"));
    OPENSSL_free(der);
    PKCS12_free(pkcs12);
    mem_free(password);
    mem_free(blob.pbData);
}

int main(void)
{
    configure("");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_kinds, nothing_left),
        cmocka_unit_test_teardown(test_no_password, nothing_left),
        cmocka_unit_test_teardown(test_other_checksum, nothing_left),
        cmocka_unit_test_teardown(test_other_key, nothing_left),
        cmocka_unit_test_teardown(test_flags, nothing_left),
        cmocka_unit_test_teardown(test_damage, nothing_left),
        cmocka_unit_test_teardown(test_rounds, nothing_left),
        cmocka_unit_test_teardown(test_inner_rounds, nothing_left),
        cmocka_unit_test_teardown(test_rounds_of_all, nothing_left),
        cmocka_unit_test_teardown(test_other_derivation, nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
