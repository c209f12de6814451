/*
 * Names from text, certificates that sign themselves, and chains found by their issuers.
 *
 * build: all
 */
#define CERT_CHAIN_FIND_BY_ISSUER_PARA_HAS_EXTRA_FIELDS
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/time.h"
#include "base/utf16.h"
#include "certificates/certificate.h"
#include "unit/certificates/authority.h"
#include <openssl/x509v3.h>
#include <sspi_ext.h>
#include <stdio.h>
#include <string.h>

#define X500 CERT_X500_NAME_STR

static DWORD encode(const char *text, DWORD form, BYTE *der, DWORD room)
{
    const char *wrong = "unset";
    DWORD needed = 0, len = room;
    if (!CertStrToNameA(X509_ASN_ENCODING, text, form, NULL, NULL, &needed, NULL))
        return 0;
    assert_true(CertStrToNameA(X509_ASN_ENCODING, text, form, NULL, der, &len, &wrong));
    assert_true(wrong == NULL && len == needed);
    return len;
}

/* Text, its encoding and what CertNameToStr makes of that. */
static void test_names(void **state)
{
    static const struct {
        const char *text;
        DWORD form;
        const char *shown;
    } cases[] = {
        {"CN=server.test", X500, "CN=server.test"},
        {"cn = a , o= b ;OU=c", X500, "CN=a, O=b, OU=c"},
        {"", X500, ""},
        {"CN=\"a, \"\"b\"\"\", C=DE", X500, "CN=\"a, \"\"b\"\"\", C=DE"},
        {"CN=\"\"", X500, "CN=\"\""},
        {"CN=a+OU=b, C=DE", X500, "CN=a + OU=b, C=DE"},
        {"CN=a+OU=b, C=DE", X500 | CERT_NAME_STR_REVERSE_FLAG, "C=DE, CN=a + OU=b"},
        {"CN=a+b", X500 | CERT_NAME_STR_NO_PLUS_FLAG, "CN=\"a+b\""},
        {"CN=a;b, C=DE", X500 | CERT_NAME_STR_COMMA_FLAG, "CN=\"a;b\", C=DE"},
        {"CN=a,b; C=DE", X500 | CERT_NAME_STR_SEMICOLON_FLAG, "CN=\"a,b\", C=DE"},
        {"CN=a\r\nC=DE", X500 | CERT_NAME_STR_CRLF_FLAG, "CN=a, C=DE"},
        {"CN=\"a\"", X500 | CERT_NAME_STR_NO_QUOTING_FLAG, "CN=\"\"\"a\"\"\""},
        {"OID.2.5.4.3=a, 1.2.3.4=b", CERT_OID_NAME_STR, "CN=a, OID.1.2.3.4=b"},
        {"E=a@b.test, DC=example, ST=x, Title=y", X500, "E=a@b.test, DC=example, S=x, T=y"},
        {"CN=J\xc3\xbcrgen \xf0\x9f\x98\x80", X500, "CN=J\xc3\xbcrgen \xf0\x9f\x98\x80"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        BYTE der[512];
        char shown[256];
        CERT_NAME_BLOB name = {encode(cases[i].text, cases[i].form, der, sizeof der), der};
        if (name.cbData == 0)
            fail_msg("case %zu, %s: 0x%08x", i, cases[i].text, (unsigned)OpenSspiLastError());
        CertNameToStrA(X509_ASN_ENCODING, &name, X500, shown, sizeof shown);
        assert_string_equal(shown, cases[i].shown);
        BYTE one_less[512];
        DWORD len = name.cbData - 1;
        assert_false(CertStrToNameA(X509_ASN_ENCODING, cases[i].text, cases[i].form, NULL, one_less, &len, NULL));
        assert_int_equal(OpenSspiLastError(), ERROR_MORE_DATA);
        assert_int_equal(len, name.cbData);
    }
}

/* Types of values as Windows chooses them, byte for byte. */
static void test_encodings(void **state)
{
    BYTE der[64];
    (void)state;
    static const BYTE printable[] = {0x30, 0x0c, 0x31, 0x0a, 0x30, 0x08, 6, 3, 0x55, 4, 3, 0x13, 1, 'a'};
    static const BYTE utf8[] = {0x30, 0x0c, 0x31, 0x0a, 0x30, 0x08, 6, 3, 0x55, 4, 3, 0x0c, 1, '@'};
    static const BYTE bmp[] = {0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 6, 3, 0x55, 4, 3, 0x1e, 2, 0, '@'};
    static const BYTE beyond[] = {0x30, 0x0f, 0x31, 0x0d, 0x30, 0x0b, 6,    3,   0x55,
                                  4,    3,    0x0c, 4,    0xf0, 0x9f, 0x98, 0x80};
    assert_int_equal(encode("CN=a", X500, der, sizeof der), sizeof printable);
    assert_memory_equal(der, printable, sizeof printable);
    assert_int_equal(encode("CN=@", X500, der, sizeof der), sizeof bmp);
    assert_memory_equal(der, bmp, sizeof bmp);
    assert_int_equal(encode("CN=@", 0, der, sizeof der), sizeof bmp);
    assert_int_equal(encode("CN=@", X500 | CERT_NAME_STR_ENABLE_UTF8_UNICODE_FLAG, der, sizeof der), sizeof utf8);
    assert_memory_equal(der, utf8, sizeof utf8);
    assert_int_equal(encode("CN=\xf0\x9f\x98\x80", X500, der, sizeof der),
                     sizeof beyond); /* two bytes do not hold it */
    assert_memory_equal(der, beyond, sizeof beyond);
    assert_int_equal(encode("CN=a", X500 | CERT_NAME_STR_FORCE_UTF8_DIR_STR_FLAG, der, sizeof der), sizeof utf8);
    assert_int_equal(der[11], 0x0c);
    encode("CN=a", X500 | CERT_NAME_STR_FORCE_UTF8_DIR_STR_FLAG | CERT_NAME_STR_DISABLE_UTF8_DIR_STR_FLAG, der,
           sizeof der);
    assert_int_equal(der[11], 0x13);
}

static void test_names_that_are_none(void **state)
{
    static const struct {
        const char *text;
        size_t wrong;
        HRESULT code;
    } cases[] = {
        {"server.test", 0, CRYPT_E_INVALID_X500_STRING},     {"CN=a,", 5, CRYPT_E_INVALID_X500_STRING},
        {"CN=a,,C=DE", 5, CRYPT_E_INVALID_X500_STRING},      {"CN=", 3, CRYPT_E_INVALID_X500_STRING},
        {"C=DE, NN=a", 6, CRYPT_E_INVALID_X500_STRING},      {"CN=\"a", 3, CRYPT_E_INVALID_X500_STRING},
        {"CN=\"a\"b", 6, CRYPT_E_INVALID_X500_STRING},       {"CN=a\"b", 4, CRYPT_E_INVALID_X500_STRING},
        {"CN=#0401", 3, CRYPT_E_INVALID_X500_STRING},        {"1.2.x=a", 0, CRYPT_E_INVALID_X500_STRING},
        {"CN=a, C=@@", 8, CRYPT_E_INVALID_PRINTABLE_STRING}, {"CN=a, E=\xc3\xbc@b", 8, CRYPT_E_INVALID_IA5_STRING},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *wrong = NULL;
        LPCWSTR wide_wrong = NULL;
        uint16_t *wide = NULL;
        DWORD len = 0;
        assert_false(CertStrToNameA(X509_ASN_ENCODING, cases[i].text, X500, NULL, NULL, &len, &wrong));
        assert_int_equal(OpenSspiLastError(), (DWORD)cases[i].code);
        if (wrong != cases[i].text + cases[i].wrong)
            fail_msg("case %zu, %s: wrong at %td", i, cases[i].text, wrong - cases[i].text);
        assert_int_equal(utf16_from_text(cases[i].text, &wide, NULL), WIRE_OK);
        assert_false(CertStrToNameW(X509_ASN_ENCODING, (LPCWSTR)wide, X500, NULL, NULL, &len, &wide_wrong));
        assert_true(wide_wrong == (LPCWSTR)wide + cases[i].wrong);
        mem_free(wide);
    }
    DWORD len = 0;
    assert_false(CertStrToNameA(X509_ASN_ENCODING, "CN=a", CERT_SIMPLE_NAME_STR, NULL, NULL, &len, NULL));
    assert_false(CertStrToNameA(X509_ASN_ENCODING, NULL, X500, NULL, NULL, &len, NULL));
    assert_false(CertStrToNameA(X509_ASN_ENCODING, "CN=a", X500, NULL, NULL, NULL, NULL));
    assert_int_equal(OpenSspiLastError(), (DWORD)E_INVALIDARG);
}

static BYTE subject_der[64];
static CERT_NAME_BLOB subject = {0, subject_der};

static EVP_PKEY *key_of(PCCERT_CONTEXT context)
{
    struct certificate *certificate = NULL;
    assert_int_equal(certificate_take(context, &certificate), SEC_E_OK);
    EVP_PKEY *key = certificate_key(certificate);
    assert_int_equal(X509_verify(certificate_x509(certificate), X509_get0_pubkey(certificate_x509(certificate))), 1);
    certificate_put(certificate);
    return key;
}

static int64_t value_of(FILETIME time)
{
    return (int64_t)((uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime);
}

static void test_self_signed(void **state)
{
    (void)state;
    PCCERT_CONTEXT made = CertCreateSelfSignCertificate(0, &subject, 0, NULL, NULL, NULL, NULL, NULL);
    assert_non_null(made);
    EVP_PKEY *key = key_of(made);
    assert_int_equal(EVP_PKEY_get_bits(key), 2048);
    EVP_PKEY_free(key);
    assert_int_equal(made->pCertInfo->dwVersion, CERT_V3);
    assert_string_equal(made->pCertInfo->SignatureAlgorithm.pszObjId, "1.2.840.113549.1.1.11");
    assert_int_equal(made->pCertInfo->cExtension, 0);
    assert_int_equal(CertVerifyTimeValidity(NULL, made->pCertInfo), 0);
    /* Its own handle signs another. */
    HCRYPTPROV_OR_NCRYPT_KEY_HANDLE handle = 0;
    assert_true(CryptAcquireCertificatePrivateKey(made, 0, NULL, &handle, NULL, NULL));
    static char sha384[] = "1.2.840.113549.1.1.12", ecdsa[] = "1.2.840.10045.4.3.2", nonsense[] = "1.2.3.4";
    CRYPT_ALGORITHM_IDENTIFIER algorithm = {.pszObjId = sha384};
    SYSTEMTIME from = {.wYear = 2030, .wMonth = 2, .wDay = 28, .wHour = 23},
               until = {2060, 12, 5, 31, 23, 59, 59, 0}; /* another kind of time than before 2050 (RFC 5280 4.1.2.5) */
    static char oid[] = szOID_SUBJECT_ALT_NAME2;
    BYTE alternative[] = {0x30, 0x08, 0x82, 0x06, 'a', '.', 't', 'e', 's', 't'};
    CERT_EXTENSION extension = {oid, TRUE, {sizeof alternative, alternative}};
    CERT_EXTENSIONS extensions = {1, &extension};
    PCCERT_CONTEXT second = CertCreateSelfSignCertificate(handle, &subject, CERT_CREATE_SELFSIGN_NO_KEY_INFO, NULL,
                                                          &algorithm, &from, &until, &extensions);
    assert_non_null(second);
    assert_null(key_of(second));
    const CRYPT_BIT_BLOB *one = &made->pCertInfo->SubjectPublicKeyInfo.PublicKey,
                         *two = &second->pCertInfo->SubjectPublicKeyInfo.PublicKey;
    assert_int_equal(one->cbData, two->cbData);
    assert_memory_equal(one->pbData, two->pbData, one->cbData);
    assert_string_equal(second->pCertInfo->SignatureAlgorithm.pszObjId, sha384);
    assert_true(value_of(second->pCertInfo->NotBefore) == filetime_from_unix(1898550000));
    assert_true(value_of(second->pCertInfo->NotAfter) == filetime_from_unix(2871763199));
    char name[32];
    assert_int_equal(CertGetNameStringA(second, CERT_NAME_DNS_TYPE, 0, NULL, name, sizeof name), 7);
    assert_true(second->pCertInfo->rgExtension[0].fCritical);
    /* What cannot be. */
    algorithm.pszObjId = ecdsa;
    assert_null(CertCreateSelfSignCertificate(handle, &subject, 0, NULL, &algorithm, NULL, NULL, NULL));
    assert_int_equal(OpenSspiLastError(), (DWORD)NTE_BAD_ALGID);
    algorithm.pszObjId = nonsense;
    assert_null(CertCreateSelfSignCertificate(handle, &subject, 0, NULL, &algorithm, NULL, NULL, NULL));
    assert_int_equal(OpenSspiLastError(), (DWORD)NTE_BAD_ALGID);
    assert_null(CertCreateSelfSignCertificate(handle, &subject, 0, NULL, NULL, &until, &from, NULL));
    from.wDay = 30;
    assert_null(CertCreateSelfSignCertificate(handle, &subject, 0, NULL, NULL, &from, NULL, NULL));
    assert_null(CertCreateSelfSignCertificate(handle, &subject, 4, NULL, NULL, NULL, NULL, NULL));
    assert_null(CertCreateSelfSignCertificate(handle, NULL, 0, NULL, NULL, NULL, NULL, NULL));
    assert_null(CertCreateSelfSignCertificate((ULONG_PTR)&subject, &subject, 0, NULL, NULL, NULL, NULL, NULL));
    assert_int_equal(OpenSspiLastError(), (DWORD)E_INVALIDARG);
    CERT_NAME_BLOB cut = {subject.cbData - 1, subject.pbData};
    assert_null(CertCreateSelfSignCertificate(handle, &cut, 0, NULL, NULL, NULL, NULL, NULL));
    assert_int_equal(OpenSspiLastError(), (DWORD)CRYPT_E_ASN1_BADTAG);
    /* Handles are given back as often as one likes. */
    assert_true(CryptReleaseContext(handle, 0) && CryptReleaseContext(handle, 0));
    assert_int_equal(NCryptFreeObject(handle), 0);
    assert_false(CryptReleaseContext(handle, 1));
    assert_false(CryptReleaseContext(0, 0));
    assert_int_equal(NCryptFreeObject((ULONG_PTR)&subject), NTE_INVALID_HANDLE);
    CertFreeCertificateContext(second);
    CertFreeCertificateContext(made);
    assert_int_equal(NCryptFreeObject(handle), NTE_INVALID_HANDLE);
}

/* The key of a file. */
static void test_self_signed_by_file(void **state)
{
    (void)state;
    const char *path = scratch_pem("own.pem", NULL, 0, the_leaf()->key, NULL);
    uint16_t *wide = NULL;
    assert_int_equal(utf16_from_text(path, &wide, NULL), WIRE_OK);
    CRYPT_KEY_PROV_INFO place = {.pwszContainerName = (LPWSTR)wide};
    PCCERT_CONTEXT made = CertCreateSelfSignCertificate(0, &subject, 0, &place, NULL, NULL, NULL, NULL);
    assert_non_null(made);
    EVP_PKEY *key = key_of(made);
    assert_int_equal(EVP_PKEY_eq(key, the_leaf()->key), 1);
    EVP_PKEY_free(key);
    DWORD size = 0;
    assert_true(CertGetCertificateContextProperty(made, CERT_KEY_PROV_INFO_PROP_ID, NULL, &size));
    CertFreeCertificateContext(made);
    wide[utf16_units(wide) - 1] = 'x';
    assert_null(CertCreateSelfSignCertificate(0, &subject, 0, &place, NULL, NULL, NULL, NULL));
    mem_free(wide);
}

static PCCERT_CONTEXT add_with_key(HCERTSTORE store, const struct pki *pair)
{
    PCCERT_CONTEXT with_key = NULL, added = NULL;
    assert_int_equal(certificate_context_make(pair->x509, NULL, pair->key, &with_key), SEC_E_OK);
    assert_true(CertAddCertificateContextToStore(store, with_key, CERT_STORE_ADD_ALWAYS, &added));
    CertFreeCertificateContext(with_key);
    return added;
}

static BOOL WINAPI refuse(PCCERT_CONTEXT context, void *count)
{
    assert_non_null(context);
    ++*(int *)count;
    return FALSE;
}

static void test_chains_by_issuer(void **state)
{
    (void)state;
    HCERTSTORE store = store_with(the_middle()->x509, the_root()->x509);
    struct pki stranger = make_identity(&(struct order){.name = "stranger"});
    PCCERT_CONTEXT other = add_with_key(store, &stranger), first = add_with_key(store, the_leaf()),
                   again = add_with_key(store, the_leaf());
    CERT_NAME_BLOB names[2] = {first->pCertInfo->Issuer, {0, NULL}};
    PCCERT_CONTEXT middle = context_of(the_middle()->x509);
    DWORD chain_index = 77, element_index = 77;
    CERT_CHAIN_FIND_BY_ISSUER_PARA wanted = {.cbSize = sizeof wanted,
                                             .cIssuer = 1,
                                             .rgIssuer = names,
                                             .pdwIssuerChainIndex = &chain_index,
                                             .pdwIssuerElementIndex = &element_index};
#define NEXT(flags, previous) \
    CertFindChainInStore(store, X509_ASN_ENCODING, flags, CERT_CHAIN_FIND_BY_ISSUER, &wanted, previous)
    PCCERT_CHAIN_CONTEXT chain = NEXT(0, NULL);
    assert_non_null(chain);
    assert_true(chain->rgpChain[0]->rgpElement[0]->pCertContext == first && element_index == 0 && chain_index == 0);
    chain = NEXT(0, chain); /* the same certificate once more is another context */
    assert_non_null(chain);
    assert_true(chain->rgpChain[0]->rgpElement[0]->pCertContext == again);
    assert_null(NEXT(0, chain));
    assert_int_equal(OpenSspiLastError(), (DWORD)CRYPT_E_NOT_FOUND);
    /* The root's name, one up; without keys the middle one comes first. */
    names[0] = middle->pCertInfo->Issuer;
    chain = NEXT(0, NULL);
    assert_true(chain->rgpChain[0]->rgpElement[0]->pCertContext == first && element_index == 1);
    CertFreeCertificateChain(chain);
    chain = NEXT(CERT_CHAIN_FIND_BY_ISSUER_NO_KEY_FLAG, NULL);
    assert_int_equal(CertCompareCertificate(X509_ASN_ENCODING,
                                            chain->rgpChain[0]->rgpElement[0]->pCertContext->pCertInfo,
                                            middle->pCertInfo),
                     TRUE);
    CertFreeCertificateChain(chain);
    assert_null(NEXT(CERT_CHAIN_FIND_BY_ISSUER_LOCAL_MACHINE_FLAG | 0x100, NULL)); /* there is no such flag */
    assert_int_equal(OpenSspiLastError(), (DWORD)E_INVALIDARG);
    /* Purposes, a callback, no names. */
    wanted.pszUsageIdentifier = szOID_PKIX_KP_CODE_SIGNING;
    names[0] = first->pCertInfo->Issuer;
    wanted.cIssuer = 0;
    chain = NEXT(0, NULL);
    assert_true(chain->rgpChain[0]->rgpElement[0]->pCertContext == other);
    CertFreeCertificateChain(chain);
    wanted.pszUsageIdentifier = NULL;
    int n_asked = 0;
    wanted.pfnFindCallback = refuse;
    wanted.pvFindArg = &n_asked;
    assert_null(NEXT(0, NULL));
    assert_int_equal(n_asked, 3);
    /* A short structure, and none. */
    wanted.pfnFindCallback = NULL;
    wanted.cbSize = offsetof(CERT_CHAIN_FIND_BY_ISSUER_PARA, pdwIssuerChainIndex);
    element_index = 77;
    chain = NEXT(0, NULL);
    assert_non_null(chain);
    assert_int_equal(element_index, 77);
    wanted.cbSize = 8;
    assert_null(NEXT(0, chain)); /* the previous one is freed all the same */
    assert_null(CertDuplicateCertificateChain(chain));
    assert_null(CertFindChainInStore(store, X509_ASN_ENCODING, 0, 2, &wanted, NULL));
    assert_null(CertFindChainInStore(store, X509_ASN_ENCODING, 0, CERT_CHAIN_FIND_BY_ISSUER, NULL, NULL));
    CertFreeCertificateContext(middle);
    CertFreeCertificateContext(other);
    CertFreeCertificateContext(first);
    CertFreeCertificateContext(again);
    CertCloseStore(store, 0);
    pki_free(&stranger);
}

static int prepare(void **state)
{
    (void)state;
    subject.cbData = encode("CN=self.test, O=Example", X500, subject_der, sizeof subject_der);
    return subject.cbData > 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_names, nothing_left),
        cmocka_unit_test_teardown(test_encodings, nothing_left),
        cmocka_unit_test_teardown(test_self_signed, nothing_left),
        cmocka_unit_test_teardown(test_names_that_are_none, nothing_left),
        cmocka_unit_test_teardown(test_self_signed_by_file, nothing_left),
        cmocka_unit_test_teardown(test_chains_by_issuer, nothing_left),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
