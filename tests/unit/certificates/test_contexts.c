/*
 * Certificate contexts: what is in them, counting, properties and keys.
 *
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/time.h"
#include "certificates/certificate.h"
#include "unit/certificates/authority.h"
#include "wire/der.h"
#include <openssl/x509v3.h>
#include <sspi_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <wincrypt.h>

static void test_create(void **state)
{
    (void)state;
    unsigned char *der = NULL;
    int len = i2d_X509(the_leaf()->x509, &der);
    PCCERT_CONTEXT context = CertCreateCertificateContext(X509_ASN_ENCODING | PKCS_7_ASN_ENCODING, der, (DWORD)len);
    assert_non_null(context);
    assert_int_equal(context->dwCertEncodingType, X509_ASN_ENCODING | PKCS_7_ASN_ENCODING);
    assert_int_equal(context->cbCertEncoded, len);
    assert_memory_equal(context->pbCertEncoded, der, (size_t)len);
    assert_null(context->hCertStore);
    assert_ptr_equal(CertDuplicateCertificateContext(context), context);
    assert_true(CertFreeCertificateContext(context));
    assert_true(CertFreeCertificateContext(context));
    assert_false(CertFreeCertificateContext(context)); /* once too often */
    assert_null(CertDuplicateCertificateContext(context));
    assert_int_equal((HRESULT)OpenSspiLastError(), E_INVALIDARG);
    assert_true(CertFreeCertificateContext(NULL));
    assert_null(CertDuplicateCertificateContext(NULL));
    /* What is no certificate. */
    for (int cut = 0; cut < len; cut += 7) {
        assert_null(CertCreateCertificateContext(X509_ASN_ENCODING, der, (DWORD)cut));
        assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_ASN1_BADTAG);
    }
    unsigned char *longer = mem_zalloc((size_t)len + 1);
    memcpy(longer, der, (size_t)len);
    assert_null(CertCreateCertificateContext(X509_ASN_ENCODING, longer, (DWORD)len + 1));
    mem_free(longer);
    assert_null(CertCreateCertificateContext(X509_ASN_ENCODING, NULL, 5));
    assert_null(CertCreateCertificateContext(PKCS_7_ASN_ENCODING, der, (DWORD)len));
    assert_int_equal((HRESULT)OpenSspiLastError(), E_INVALIDARG);
    assert_null(CertCreateCertificateContext(0, der, (DWORD)len));
    OPENSSL_free(der);
}

static int64_t value_of(FILETIME time)
{
    return (int64_t)((uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime);
}

static FILETIME moved(FILETIME time, int64_t by)
{
    uint64_t value = (uint64_t)(value_of(time) + by);
    return (FILETIME){(DWORD)value, (DWORD)(value >> 32)};
}

static void test_info(void **state)
{
    (void)state;
    struct pki pair = make_identity(&(struct order){.name = "info",
                                                    .issuer = the_middle(),
                                                    .serial = 0x1280,
                                                    .rsa_bits = 2048,
                                                    .key_usage = "critical,keyEncipherment,decipherOnly,keyAgreement"});
    PCCERT_CONTEXT context = context_of(pair.x509), other = context_of(the_leaf()->x509);
    CERT_INFO *info = context->pCertInfo;
    assert_int_equal(info->dwVersion, CERT_V3);
    assert_int_equal(info->SerialNumber.cbData, 2);
    assert_memory_equal(info->SerialNumber.pbData, "\x80\x12", 2); /* little-endian */
    assert_string_equal(info->SignatureAlgorithm.pszObjId, "1.2.840.10045.4.3.2");
    assert_string_equal(info->SubjectPublicKeyInfo.Algorithm.pszObjId, "1.2.840.113549.1.1.1");
    assert_int_equal(info->SubjectPublicKeyInfo.Algorithm.Parameters.cbData, 2); /* NULL */
    assert_int_equal(info->SubjectPublicKeyInfo.PublicKey.cUnusedBits, 0);
    assert_int_equal(CertGetPublicKeyLength(X509_ASN_ENCODING, &info->SubjectPublicKeyInfo), 2048);
    assert_int_equal(CertGetPublicKeyLength(X509_ASN_ENCODING, &other->pCertInfo->SubjectPublicKeyInfo), 256);
    CERT_PUBLIC_KEY_INFO empty = {0};
    assert_int_equal(CertGetPublicKeyLength(X509_ASN_ENCODING, &empty), 0);
    assert_true(info->Issuer.cbData > 10 && info->Subject.cbData > 10);
    assert_true(CertCompareCertificateName(X509_ASN_ENCODING, &info->Issuer, &other->pCertInfo->Issuer));
    CERT_NAME_BLOB nowhere = {5, NULL};
    assert_false(CertCompareCertificateName(X509_ASN_ENCODING, &nowhere, &nowhere));
    assert_false(CertCompareCertificateName(X509_ASN_ENCODING, &info->Subject, &other->pCertInfo->Subject));
    int64_t now = filetime_now(), day = 86400 * FILETIME_SECOND;
    assert_in_range(now - value_of(info->NotBefore), day - day / 100, day + day / 100);
    assert_in_range(value_of(info->NotAfter) - now, 365 * day - day, 365 * day + day);
    /* Extensions. */
    CERT_EXTENSION *usage = CertFindExtension(szOID_KEY_USAGE, info->cExtension, info->rgExtension);
    assert_non_null(usage);
    assert_true(usage->fCritical);
    assert_null(CertFindExtension(szOID_ENHANCED_KEY_USAGE, info->cExtension, info->rgExtension));
    assert_null(CertFindExtension(NULL, info->cExtension, info->rgExtension));
    BYTE bits[3] = {9, 9, 9};
    assert_true(CertGetIntendedKeyUsage(X509_ASN_ENCODING, info, bits, 3));
    assert_int_equal(bits[0], CERT_KEY_ENCIPHERMENT_KEY_USAGE | CERT_KEY_AGREEMENT_KEY_USAGE);
    assert_int_equal(bits[1], 0x80);
    assert_int_equal(bits[2], 0);
    usage->Value.pbData[1] = 77;
    assert_false(CertGetIntendedKeyUsage(X509_ASN_ENCODING, info, bits, 3));
    CERT_INFO bare = {0};
    assert_false(CertGetIntendedKeyUsage(X509_ASN_ENCODING, &bare, bits, 1));
    assert_int_equal(OpenSspiLastError(), 0);
    /* Times. */
    assert_int_equal(CertVerifyTimeValidity(NULL, info), 0);
    assert_int_equal(CertVerifyTimeValidity(&info->NotBefore, info), 0);
    assert_int_equal(CertVerifyTimeValidity(&info->NotAfter, info), 0);
    FILETIME after = moved(info->NotAfter, 1), before = moved(info->NotBefore, -1);
    assert_int_equal(CertVerifyTimeValidity(&after, info), 1);
    assert_int_equal(CertVerifyTimeValidity(&before, info), -1);
    assert_true(CertCompareCertificate(X509_ASN_ENCODING, info, info));
    assert_false(CertCompareCertificate(X509_ASN_ENCODING, info, other->pCertInfo));
    assert_true(CertFreeCertificateContext(context));
    assert_true(CertFreeCertificateContext(other));
    pki_free(&pair);
}

static void test_integers(void **state)
{
    static const struct {
        const char *a, *b;
        DWORD n_a, n_b;
        BOOL same;
    } cases[] = {
        {"\x01", "\x01\x00", 1, 2, TRUE}, {"\x01", "\x01\x00\x00", 1, 3, TRUE}, {"\x80", "\x80\x00", 1, 2, FALSE},
        {"\x80", "\x80\xff", 1, 2, TRUE}, {"\xff", "\xff\xff\xff", 1, 3, TRUE}, {"\x01", "\x02", 1, 1, FALSE},
        {"\x00", "\x00\x00", 1, 2, TRUE}, {"\xff\x00", "\xff", 2, 1, FALSE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CRYPT_INTEGER_BLOB a = {cases[i].n_a, (BYTE *)(uintptr_t)cases[i].a},
                           b = {cases[i].n_b, (BYTE *)(uintptr_t)cases[i].b};
        assert_int_equal(CertCompareIntegerBlob(&a, &b), cases[i].same);
        assert_int_equal(CertCompareIntegerBlob(&b, &a), cases[i].same);
    }
    assert_false(CertCompareIntegerBlob(NULL, NULL));
}

static void property_is(PCCERT_CONTEXT context, DWORD id, const void *value, DWORD len)
{
    BYTE room[64];
    DWORD size = 0;
    assert_true(CertGetCertificateContextProperty(context, id, NULL, &size));
    assert_int_equal(size, len);
    size = len - 1;
    assert_false(CertGetCertificateContextProperty(context, id, room, &size));
    assert_int_equal(OpenSspiLastError(), ERROR_MORE_DATA);
    assert_int_equal(size, len);
    size = sizeof room;
    assert_true(CertGetCertificateContextProperty(context, id, room, &size));
    assert_int_equal(size, len);
    if (value != NULL)
        assert_memory_equal(room, value, len);
}

static void hash_property_is(PCCERT_CONTEXT context, DWORD id, const char *algorithm, const void *data, size_t len)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    size_t hash_len = 0;
    assert_int_equal(EVP_Q_digest(NULL, algorithm, NULL, data, len, hash, &hash_len), 1);
    property_is(context, id, hash, (DWORD)hash_len);
}

static void test_hashes(void **state)
{
    (void)state;
    PCCERT_CONTEXT context = context_of(the_leaf()->x509);
    BYTE hash[64], digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    X509_digest(the_leaf()->x509, EVP_sha1(), digest, &len);
    property_is(context, CERT_SHA1_HASH_PROP_ID, digest, 20);
    DWORD size = 20;
    assert_true(CryptHashCertificate(0, 0, 0, context->pbCertEncoded, context->cbCertEncoded, hash, &size));
    assert_memory_equal(hash, digest, 20);
    X509_digest(the_leaf()->x509, EVP_sha256(), digest, &len);
    property_is(context, CERT_SHA256_HASH_PROP_ID, digest, 32);
    size = 31;
    assert_false(CryptHashCertificate(0, CALG_SHA_256, 0, context->pbCertEncoded, context->cbCertEncoded, hash, &size));
    assert_int_equal(OpenSspiLastError(), ERROR_MORE_DATA);
    assert_int_equal(size, 32);
    assert_false(CryptHashCertificate(0, CALG_RC4, 0, context->pbCertEncoded, context->cbCertEncoded, hash, &size));
    assert_int_equal((HRESULT)OpenSspiLastError(), NTE_BAD_ALGID);
    X509 *x509 = X509_dup(the_leaf()->x509);
    unsigned char *der = NULL;
    size_t der_len = (size_t)i2d_re_X509_tbs(x509, &der);
    hash_property_is(context, CERT_SIGNATURE_HASH_PROP_ID, "SHA256", der, der_len);
    OPENSSL_free(der);
    const unsigned char *name;
    hash_property_is(context, CERT_MD5_HASH_PROP_ID, "MD5", context->pbCertEncoded, context->cbCertEncoded);
    assert_int_equal(X509_NAME_get0_der(X509_get_subject_name(x509), &name, &der_len), 1);
    hash_property_is(context, CERT_SUBJECT_NAME_MD5_HASH_PROP_ID, "MD5", name, der_len);
    const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(x509);
    hash_property_is(context, CERT_SUBJECT_PUBLIC_KEY_MD5_HASH_PROP_ID, "MD5", ASN1_STRING_get0_data(key),
                     (size_t)ASN1_STRING_length(key));
    unsigned char both[256];
    assert_int_equal(X509_NAME_get0_der(X509_get_issuer_name(x509), &name, &der_len), 1);
    assert_true(der_len < sizeof both);
    memcpy(both, name, der_len);
    both[der_len] = 3; /* the serial number */
    hash_property_is(context, CERT_ISSUER_SERIAL_NUMBER_MD5_HASH_PROP_ID, "MD5", both, der_len + 1);
    const ASN1_OCTET_STRING *identifier = X509_get0_subject_key_id(x509);
    property_is(context, CERT_KEY_IDENTIFIER_PROP_ID, identifier->data, (DWORD)identifier->length);
    X509_free(x509);
    /* A certificate without the extension: of its key. */
    struct pki bare = pki_make(&(struct pki_wish){.name = "bare"});
    PCCERT_CONTEXT other = context_of(bare.x509);
    der = NULL;
    der_len = (size_t)i2d_PUBKEY(bare.key, &der);
    hash_property_is(other, CERT_KEY_IDENTIFIER_PROP_ID, "SHA1", der, der_len);
    OPENSSL_free(der);
    pki_free(&bare);
    assert_true(CertFreeCertificateContext(other));
    assert_false(CertSetCertificateContextProperty(context, CERT_SHA1_HASH_PROP_ID, 0, NULL));
    assert_true(CertFreeCertificateContext(context));
}

/* The part that is signed with its last length, that of the extensions, longer than it has to be. */
static void loosely_write(const X509 *x509, struct writer *writer)
{
    unsigned char *der = NULL;
    int der_len = i2d_X509(x509, &der);
    struct slice whole, fields, content, extensions;
    uint8_t tag;
    assert_int_equal(der_only(slice_of(der, (size_t)der_len), DER_SEQUENCE, &whole), WIRE_OK);
    struct reader reader = reader_of(whole);
    assert_int_equal(der_read(&reader, DER_SEQUENCE, &fields), WIRE_OK);
    struct der_mark part = der_begin(writer, DER_SEQUENCE);
    for (reader = reader_of(fields); !der_peek(&reader, DER_CONTEXT(3));) {
        assert_int_equal(der_read_any(&reader, &tag, &content), WIRE_OK);
        der_write(writer, tag, content);
    }
    assert_int_equal(der_read(&reader, DER_CONTEXT(3), &content), WIRE_OK);
    assert_int_equal(der_only(content, DER_SEQUENCE, &extensions), WIRE_OK);
    struct der_mark last = der_begin(writer, DER_CONTEXT(3));
    writer_bytes(writer, "\x30\x83", 2);
    writer_u8(writer, 0);
    writer_u16be(writer, (uint16_t)extensions.len);
    writer_slice(writer, extensions);
    der_end(writer, last);
    der_end(writer, part);
    OPENSSL_free(der);
}

/* A certificate that is signed as it stands, and would be encoded otherwise. */
static PCCERT_CONTEXT loosely_encoded(BYTE signed_hash[32])
{
    struct pki pair = make_identity(&(struct order){.name = "Loose", .authority = true});
    unsigned char *algorithm = NULL, signature[128];
    int algorithm_len = i2d_X509_ALGOR(X509_get0_tbs_sigalg(pair.x509), &algorithm);
    size_t signature_len = sizeof signature;
    struct writer part = writer_growing(1024), whole = writer_growing(1024);
    loosely_write(pair.x509, &part);
    EVP_Q_digest(NULL, "SHA256", NULL, part.data, part.len, signed_hash, NULL);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pair.key), 1);
    assert_int_equal(EVP_DigestSign(ctx, signature, &signature_len, part.data, part.len), 1);
    EVP_MD_CTX_free(ctx);
    struct der_mark all = der_begin(&whole, DER_SEQUENCE);
    writer_slice(&whole, writer_slice_of(&part));
    writer_bytes(&whole, algorithm, (size_t)algorithm_len);
    struct der_mark bits = der_begin(&whole, DER_BIT_STRING);
    writer_u8(&whole, 0);
    writer_bytes(&whole, signature, signature_len);
    der_end(&whole, bits);
    der_end(&whole, all);
    assert_int_equal(writer_finish(&whole), WIRE_OK);
    PCCERT_CONTEXT context = CertCreateCertificateContext(X509_ASN_ENCODING, whole.data, (DWORD)whole.len);
    assert_non_null(context);
    writer_release(&part);
    writer_release(&whole);
    OPENSSL_free(algorithm);
    pki_free(&pair);
    return context;
}

/* What the issuer signed is hashed as it stands, and the certificate stays what it was: its signature is good before and after. */
static void test_signature_hash(void **state)
{
    (void)state;
    BYTE hash[32];
    PCCERT_CONTEXT context = loosely_encoded(hash);
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, 0, NULL);
    PCCERT_CONTEXT kept = NULL;
    assert_true(CertAddCertificateContextToStore(store, context, CERT_STORE_ADD_NEW, &kept));
    for (int i = 0; i < 2; i++) {
        DWORD checks = CERT_STORE_SIGNATURE_FLAG;
        assert_null(CertGetIssuerCertificateFromStore(store, kept, NULL, &checks));
        assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_SELF_SIGNED);
        assert_int_equal(checks, 0);
        property_is(kept, CERT_SIGNATURE_HASH_PROP_ID, hash, sizeof hash);
    }
    assert_true(CertFreeCertificateContext(kept));
    assert_true(CertFreeCertificateContext(context));
    assert_true(CertCloseStore(store, 0));
}

static void test_properties(void **state)
{
    static const WCHAR name[] = {'n', 'a', 'm', 'e', 0};
    (void)state;
    PCCERT_CONTEXT context = context_of(the_leaf()->x509);
    CRYPT_DATA_BLOB blob = {sizeof name, (BYTE *)(uintptr_t)name};
    DWORD size = 0, number = 7;
    assert_false(CertGetCertificateContextProperty(context, CERT_FRIENDLY_NAME_PROP_ID, NULL, &size));
    assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_NOT_FOUND);
    assert_true(CertSetCertificateContextProperty(context, CERT_FRIENDLY_NAME_PROP_ID, 0, &blob));
    property_is(context, CERT_FRIENDLY_NAME_PROP_ID, name, sizeof name);
    assert_true(CertSetCertificateContextProperty(context, CERT_FIRST_USER_PROP_ID, 0, &blob));
    assert_true(CertSetCertificateContextProperty(context, CERT_KEY_SPEC_PROP_ID, 0, &number));
    property_is(context, CERT_KEY_SPEC_PROP_ID, &number, 4);
    DWORD seen = 0, id = 0;
    for (DWORD last = 0; (id = CertEnumCertificateContextProperties(context, id)) != 0; last = id) {
        assert_true(id > last);
        seen += id == CERT_FRIENDLY_NAME_PROP_ID || id == CERT_FIRST_USER_PROP_ID || id == CERT_SHA1_HASH_PROP_ID;
        size = 0;
        assert_true(CertGetCertificateContextProperty(context, id, NULL, &size));
    }
    assert_int_equal(seen, 3);
    assert_true(CertSetCertificateContextProperty(context, CERT_FRIENDLY_NAME_PROP_ID, 0, NULL));
    assert_false(CertGetCertificateContextProperty(context, CERT_FRIENDLY_NAME_PROP_ID, NULL, &size));
    assert_false(CertSetCertificateContextProperty(context, 0, 0, &blob));
    assert_false(CertSetCertificateContextProperty(context, 0x10000, 0, &blob));
    blob = (CRYPT_DATA_BLOB){0x7FFFFFFF, (BYTE *)(uintptr_t)name};
    assert_false(CertSetCertificateContextProperty(context, CERT_FRIENDLY_NAME_PROP_ID, 0, &blob));
    blob = (CRYPT_DATA_BLOB){5, NULL};
    assert_false(CertSetCertificateContextProperty(context, CERT_FRIENDLY_NAME_PROP_ID, 0, &blob));
    assert_false(CertGetCertificateContextProperty(context, CERT_KEY_SPEC_PROP_ID, NULL, NULL));
    assert_true(CertFreeCertificateContext(context));
    assert_false(CertSetCertificateContextProperty(context, CERT_FRIENDLY_NAME_PROP_ID, 0, NULL));
    assert_false(CertGetCertificateContextProperty(context, CERT_KEY_SPEC_PROP_ID, NULL, &size));
    assert_int_equal(CertEnumCertificateContextProperties(context, 0), 0);
}

/* A key by its place, by handle, from one context to another. */
static void test_keys(void **state)
{
    (void)state;
    PCCERT_CONTEXT context = context_of(the_leaf()->x509), twin = context_of(the_leaf()->x509);
    PCCERT_CONTEXT stranger = context_of(the_middle()->x509);
    HCRYPTPROV_OR_NCRYPT_KEY_HANDLE handle = 0;
    DWORD spec = 0, size = 0;
    BOOL must_free = TRUE;
    assert_false(CryptAcquireCertificatePrivateKey(context, 0, NULL, &handle, NULL, NULL));
    assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_NO_KEY_PROPERTY);
    uint16_t place[600] = {0};
    const char *path = scratch_pem("key.pem", NULL, 0, the_leaf()->key, NULL);
    for (size_t i = 0; path[i] != '\0'; i++)
        place[i] = (uint8_t)path[i];
    CRYPT_KEY_PROV_PARAM parameter = {.dwParam = 4, .pbData = (BYTE *)(uintptr_t) "abc", .cbData = 3, .dwFlags = 5};
    CRYPT_KEY_PROV_INFO info = {
        .pwszContainerName = (LPWSTR)place, .cProvParam = 1, .rgProvParam = &parameter, .dwKeySpec = AT_SIGNATURE};
    assert_true(CertSetCertificateContextProperty(context, CERT_KEY_PROV_INFO_PROP_ID, 0, &info));
    assert_true(CertGetCertificateContextProperty(context, CERT_KEY_PROV_INFO_PROP_ID, NULL, &size));
    CRYPT_KEY_PROV_INFO *back = mem_zalloc(size);
    assert_true(CertGetCertificateContextProperty(context, CERT_KEY_PROV_INFO_PROP_ID, back, &size));
    assert_in_range((uintptr_t)back->pwszContainerName, (uintptr_t)back, (uintptr_t)back + size);
    assert_int_equal(back->rgProvParam[0].dwFlags, 5);
    assert_memory_equal(back->rgProvParam[0].pbData, "abc", 3);
    assert_null(back->pwszProvName);
    mem_free(back);
    assert_true(CryptAcquireCertificatePrivateKey(context, CRYPT_ACQUIRE_PREFER_NCRYPT_KEY_FLAG, NULL, &handle, &spec,
                                                  &must_free));
    assert_int_equal(spec, CERT_NCRYPT_KEY_SPEC);
    assert_false(must_free);
    CERT_KEY_CONTEXT key = {.cbSize = sizeof key, .dwKeySpec = spec};
    key.hNCryptKey = handle;
    assert_true(
        CertSetCertificateContextProperty(twin, CERT_KEY_CONTEXT_PROP_ID, CERT_STORE_NO_CRYPT_RELEASE_FLAG, &key));
    assert_false(CertSetCertificateContextProperty(stranger, CERT_KEY_CONTEXT_PROP_ID, 0, &key));
    assert_int_equal((HRESULT)OpenSspiLastError(), NTE_BAD_PUBLIC_KEY);
    key.cbSize--;
    assert_false(CertSetCertificateContextProperty(twin, CERT_KEY_CONTEXT_PROP_ID, 0, &key));
    property_is(twin, CERT_NCRYPT_KEY_HANDLE_PROP_ID, &handle, sizeof handle);
    property_is(twin, CERT_KEY_CONTEXT_PROP_ID, NULL, sizeof key);
    struct certificate *certificate;
    assert_int_equal(certificate_take(twin, &certificate), SEC_E_OK);
    EVP_PKEY *pkey = certificate_key(certificate);
    assert_int_equal(EVP_PKEY_eq(pkey, the_leaf()->key), 1);
    EVP_PKEY_free(pkey);
    certificate_put(certificate);
    assert_true(CertFreeCertificateContext(context)); /* the twin keeps the key */
    assert_true(CertSetCertificateContextProperty(twin, CERT_NCRYPT_KEY_HANDLE_PROP_ID, 0, (const void *)handle));
    assert_true(CertSetCertificateContextProperty(twin, CERT_KEY_CONTEXT_PROP_ID, 0, NULL));
    assert_false(
        CertSetCertificateContextProperty(twin, CERT_NCRYPT_KEY_HANDLE_PROP_ID, 0, (const void *)handle)); /* gone */
    assert_false(CertGetCertificateContextProperty(twin, CERT_NCRYPT_KEY_HANDLE_PROP_ID, NULL, &size));
    /* Places that hold nothing of use. */
    static const WCHAR nowhere[] = {'/', 'n', 'o', 'w', 'h', 'e', 'r', 'e', 0};
    info = (CRYPT_KEY_PROV_INFO){.pwszContainerName = (LPWSTR)(uintptr_t)nowhere};
    assert_true(CertSetCertificateContextProperty(twin, CERT_KEY_PROV_INFO_PROP_ID, 0, &info));
    assert_false(CryptAcquireCertificatePrivateKey(twin, 0, NULL, &handle, NULL, NULL));
    assert_int_equal((HRESULT)OpenSspiLastError(), NTE_BAD_KEYSET);
    static const WCHAR no_text[] = {'/', 0xD800, 0}; /* half a character: no file's name, whatever memory there is */
    info.pwszContainerName = (LPWSTR)(uintptr_t)no_text;
    assert_true(CertSetCertificateContextProperty(twin, CERT_KEY_PROV_INFO_PROP_ID, 0, &info));
    assert_false(CryptAcquireCertificatePrivateKey(twin, 0, NULL, &handle, NULL, NULL));
    assert_int_equal((HRESULT)OpenSspiLastError(), NTE_BAD_KEYSET);
    info.pwszContainerName = (LPWSTR)place;
    assert_true(CertSetCertificateContextProperty(stranger, CERT_KEY_PROV_INFO_PROP_ID, 0, &info));
    assert_false(CryptAcquireCertificatePrivateKey(stranger, 0, NULL, &handle, NULL, NULL));
    assert_int_equal((HRESULT)OpenSspiLastError(), NTE_BAD_PUBLIC_KEY);
    assert_int_equal(chmod(path, 0644), 0);
    assert_true(CertSetCertificateContextProperty(twin, CERT_KEY_PROV_INFO_PROP_ID, 0, &info));
    assert_false(CryptAcquireCertificatePrivateKey(twin, 0, NULL, &handle, NULL, NULL));
    assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_FILE_ERROR);
    assert_true(CertFreeCertificateContext(twin));
    assert_true(CertFreeCertificateContext(stranger));
}

/* A structure that the caller laid together is parsed anew. */
static void test_callers_own(void **state)
{
    (void)state;
    PCCERT_CONTEXT ours = context_of(the_leaf()->x509);
    CERT_CONTEXT own = {.dwCertEncodingType = X509_ASN_ENCODING,
                        .pbCertEncoded = ours->pbCertEncoded,
                        .cbCertEncoded = ours->cbCertEncoded};
    char name[40];
    struct certificate *certificate = NULL;
    assert_int_equal(certificate_take(&own, &certificate), SEC_E_OK);
    assert_int_equal(X509_cmp(certificate_x509(certificate), the_leaf()->x509), 0);
    assert_null(certificate_key(certificate));
    certificate_put(certificate);
    assert_int_equal(CertGetNameStringA(&own, CERT_NAME_SIMPLE_DISPLAY_TYPE, 0, NULL, name, sizeof name), 15);
    own.cbCertEncoded -= 1;
    assert_int_equal(certificate_take(&own, &certificate), SEC_E_UNKNOWN_CREDENTIALS);
    own.pbCertEncoded = NULL;
    assert_int_equal(certificate_take(&own, &certificate), SEC_E_UNKNOWN_CREDENTIALS);
    assert_int_equal(certificate_take(NULL, &certificate), SEC_E_UNKNOWN_CREDENTIALS);
    assert_false(CertSetCertificateContextProperty(&own, CERT_FRIENDLY_NAME_PROP_ID, 0, NULL));
    assert_false(CertFreeCertificateContext(&own));
    assert_true(CertFreeCertificateContext(ours));
}

/* OpenSspiCertificateFromPem. */
static void test_pem(void **state)
{
    (void)state;
    const X509 *chain[] = {the_leaf()->x509, the_middle()->x509};
    PCCERT_CONTEXT context = NULL;
    const char *both = scratch_pem("both.pem", chain, 2, the_leaf()->key, NULL);
    const char *locked = scratch_pem("locked.pem", NULL, 0, the_leaf()->key, "secret");
    const char *wrong = scratch_pem("wrong.pem", NULL, 0, the_middle()->key, NULL);
    assert_int_equal(OpenSspiCertificateFromPem(both, both, NULL, &context), SEC_E_OK);
    struct certificate *certificate;
    STACK_OF(X509) *issuers = NULL;
    assert_int_equal(certificate_take(context, &certificate), SEC_E_OK);
    assert_int_equal(certificate_issuers(certificate, false, &issuers), SEC_E_OK);
    assert_int_equal(sk_X509_num(issuers), 1);
    assert_int_equal(X509_cmp(sk_X509_value(issuers, 0), the_middle()->x509), 0);
    sk_X509_pop_free(issuers, X509_free);
    certificate_put(certificate);
    assert_true(CertFreeCertificateContext(context));
    assert_int_equal(OpenSspiCertificateFromPem(both, NULL, NULL, &context), SEC_E_OK);
    assert_true(CertFreeCertificateContext(context));
    assert_int_equal(OpenSspiCertificateFromPem(both, locked, "secret", &context), SEC_E_OK);
    assert_true(CertFreeCertificateContext(context));
    context = NULL;
    assert_int_equal(OpenSspiCertificateFromPem(both, locked, "Secret", &context), SEC_E_UNKNOWN_CREDENTIALS);
    assert_int_equal(OpenSspiCertificateFromPem(both, locked, NULL, &context), SEC_E_UNKNOWN_CREDENTIALS);
    assert_non_null(strstr(OpenSspiLastErrorText(), "password"));
    assert_int_equal(OpenSspiCertificateFromPem(both, wrong, NULL, &context), SEC_E_UNKNOWN_CREDENTIALS);
    assert_int_equal(OpenSspiCertificateFromPem(wrong, wrong, NULL, &context), SEC_E_UNKNOWN_CREDENTIALS);
    assert_int_equal(OpenSspiCertificateFromPem("/nowhere", both, NULL, &context), SEC_E_NO_CREDENTIALS);
    assert_int_equal(OpenSspiCertificateFromPem(both, "/nowhere", NULL, &context), SEC_E_NO_CREDENTIALS);
    assert_int_equal(OpenSspiCertificateFromPem(NULL, both, NULL, &context), SEC_E_INVALID_PARAMETER);
    assert_int_equal(OpenSspiCertificateFromPem(both, both, NULL, NULL), SEC_E_INVALID_PARAMETER);
    assert_int_equal(OpenSspiCertificateFromPem("\xff", both, NULL, &context), SEC_E_INVALID_PARAMETER);
    assert_int_equal(chmod(both, 0604), 0);
    assert_int_equal(OpenSspiCertificateFromPem(both, both, NULL, &context), SEC_E_NO_CREDENTIALS);
    assert_null(context);
}

/* What the TLS package hands to callers. */
static void test_made_for_callers(void **state)
{
    (void)state;
    STACK_OF(X509) *chain = sk_X509_new_null();
    sk_X509_push(chain, the_leaf()->x509);
    sk_X509_push(chain, the_middle()->x509);
    PCCERT_CONTEXT context = NULL;
    assert_int_equal(certificate_context_make(the_leaf()->x509, chain, the_leaf()->key, &context), SEC_E_OK);
    assert_non_null(context->hCertStore);
    PCCERT_CONTEXT at = NULL;
    unsigned n = 0;
    while ((at = CertEnumCertificatesInStore(context->hCertStore, at)) != NULL)
        n++;
    assert_int_equal(n, 2);
    assert_true(CertFreeCertificateContext(context));
    assert_false(CertFreeCertificateContext(context));
    assert_int_equal(certificate_context_make(the_leaf()->x509, NULL, the_middle()->key, &context), NTE_BAD_PUBLIC_KEY);
    sk_X509_free(chain);
}

int main(void)
{
    configure("");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_create, nothing_left),
        cmocka_unit_test_teardown(test_info, nothing_left),
        cmocka_unit_test_teardown(test_integers, nothing_left),
        cmocka_unit_test_teardown(test_hashes, nothing_left),
        cmocka_unit_test_teardown(test_signature_hash, nothing_left),
        cmocka_unit_test_teardown(test_properties, nothing_left),
        cmocka_unit_test_teardown(test_keys, nothing_left),
        cmocka_unit_test_teardown(test_callers_own, nothing_left),
        cmocka_unit_test_teardown(test_pem, nothing_left),
        cmocka_unit_test_teardown(test_made_for_callers, nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
