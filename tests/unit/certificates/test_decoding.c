/*
 * Encoded structures laid out by CryptDecodeObjectEx: what is in them, into whose memory, and what they answer when they are damaged.
 *
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/certificates/authority.h"
#include <sspi_ext.h>
#include <stdlib.h>
#include <string.h>
#include <uchar.h>

#define NAME_NUMBER ((LPCSTR)7) /* X509_NAME is a type of OpenSSL's */

static size_t units_of(const WCHAR *text)
{
    size_t n = 0;
    while (text[n] != 0)
        n++;
    return n;
}

static bool is_text(const WCHAR *text, const char16_t *expected)
{
    size_t n = units_of((const WCHAR *)expected);
    return units_of(text) == n && memcmp(text, expected, n * sizeof *text) == 0;
}

/* Into the caller's memory, of just the size that is asked for; one byte less does not do. The block has no room to spare for ASan to miss. */
static void *decode(LPCSTR type, const void *der, size_t len)
{
    DWORD needed = 0, told;
    assert_true(CryptDecodeObject(X509_ASN_ENCODING, type, der, (DWORD)len, 0, NULL, &needed));
    BYTE *room = malloc(needed);
    assert_non_null(room);
    told = needed - 1;
    assert_false(CryptDecodeObject(X509_ASN_ENCODING, type, der, (DWORD)len, 0, room, &told));
    assert_int_equal(OpenSspiLastError(), ERROR_MORE_DATA);
    assert_int_equal(told, needed);
    assert_true(CryptDecodeObject(X509_ASN_ENCODING, type, der, (DWORD)len, 0, room, &told));
    assert_int_equal(told, needed);
    return room;
}

static void *decode_extension(PCCERT_CONTEXT context, const char *oid)
{
    PCERT_EXTENSION extension = CertFindExtension(oid, context->pCertInfo->cExtension, context->pCertInfo->rgExtension);
    assert_non_null(extension);
    return decode(oid, extension->Value.pbData, extension->Value.cbData);
}

static void test_alternative_names(void **state)
{
    static const BYTE ip6[16] = {[15] = 1};
    const struct order order = {.name = "names",
                                .alternatives = "DNS:server.example,DNS:*.example.test,email:alice@example.test,"
                                                "URI:https://example.test/,IP:192.0.2.7,IP:::1,RID:1.2.3.4,"
                                                "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:alice@EXAMPLE"};
    struct pki pki = make_identity(&order);
    PCCERT_CONTEXT context = context_of(pki.x509);
    CERT_ALT_NAME_INFO *info = decode_extension(context, szOID_SUBJECT_ALT_NAME2);
    (void)state;
    assert_int_equal(info->cAltEntry, 8);
    const CERT_ALT_NAME_ENTRY *entry = info->rgAltEntry;
    assert_int_equal(entry[0].dwAltNameChoice, CERT_ALT_NAME_DNS_NAME);
    assert_true(is_text(entry[0].pwszDNSName, u"server.example"));
    assert_true(is_text(entry[1].pwszDNSName, u"*.example.test"));
    assert_int_equal(entry[2].dwAltNameChoice, CERT_ALT_NAME_RFC822_NAME);
    assert_true(is_text(entry[2].pwszRfc822Name, u"alice@example.test"));
    assert_int_equal(entry[3].dwAltNameChoice, CERT_ALT_NAME_URL);
    assert_true(is_text(entry[3].pwszURL, u"https://example.test/"));
    assert_int_equal(entry[4].dwAltNameChoice, CERT_ALT_NAME_IP_ADDRESS);
    assert_int_equal(entry[4].IPAddress.cbData, 4);
    assert_memory_equal(entry[4].IPAddress.pbData, "\xc0\x00\x02\x07", 4);
    assert_int_equal(entry[5].IPAddress.cbData, 16);
    assert_memory_equal(entry[5].IPAddress.pbData, ip6, 16);
    assert_int_equal(entry[6].dwAltNameChoice, CERT_ALT_NAME_REGISTERED_ID);
    assert_string_equal(entry[6].pszRegisteredID, "1.2.3.4");
    assert_int_equal(entry[7].dwAltNameChoice, CERT_ALT_NAME_OTHER_NAME);
    assert_string_equal(entry[7].pOtherName->pszObjId, szOID_NT_PRINCIPAL_NAME);
    assert_int_equal(entry[7].pOtherName->Value.cbData, 15);
    assert_memory_equal(entry[7].pOtherName->Value.pbData,
                        "\x0c\x0d"
                        "alice@EXAMPLE",
                        15);
    free(info);
    CertFreeCertificateContext(context);
    pki_free(&pki);
}

/* Directory names come as they are encoded; X.400 and EDI without a value. */
static void test_rare_alternatives(void **state)
{
    static const BYTE der[] = {0x30, 0x15, 0xA4, 0x0F, 0x30, 0x0D, 0x31, 0x0B, 0x30, 0x09, 0x06, 0x03,
                               0x55, 0x04, 0x03, 0x0C, 0x02, 'a',  'b',  0xA5, 0x02, 0xA1, 0x00};
    (void)state;
    DWORD needed = 0;
    /* EDI's party name is not empty: its text is missing here. */
    assert_false(CryptDecodeObject(X509_ASN_ENCODING, X509_ALTERNATE_NAME, der, sizeof der, 0, NULL, &needed));
    assert_int_equal(OpenSspiLastError(), (ULONG)CRYPT_E_ASN1_BADTAG);
    BYTE one[sizeof der - 4];
    memcpy(one, der, sizeof one);
    one[1] = 0x11;
    CERT_ALT_NAME_INFO *info = decode(X509_ALTERNATE_NAME, one, sizeof one);
    assert_int_equal(info->cAltEntry, 1);
    assert_int_equal(info->rgAltEntry[0].dwAltNameChoice, CERT_ALT_NAME_DIRECTORY_NAME);
    assert_int_equal(info->rgAltEntry[0].DirectoryName.cbData, 15);
    assert_memory_equal(info->rgAltEntry[0].DirectoryName.pbData, one + 4, 15);
    free(info);
}

/* Whoever compares text up to its NUL must not find the name of another server. */
static void test_disguised_names(void **state)
{
    static const BYTE der[] = {0x30, 0x0C, 0x82, 0x0A, 'a', '.', 't', 'e', 's', 't', 0, '.', 'b', '\n'},
                      latin[] = {0x30, 0x04, 0x82, 0x02, 'a', 0xE9}, none[] = {0x30, 0x02, 0x82, 0x00};
    DWORD needed = 0;
    (void)state;
    CERT_ALT_NAME_INFO *info = decode(szOID_SUBJECT_ALT_NAME2, der, sizeof der);
    assert_true(is_text(info->rgAltEntry[0].pwszDNSName, u"a.test\ufffd.b\ufffd"));
    free(info);
    assert_false(CryptDecodeObject(X509_ASN_ENCODING, szOID_ISSUER_ALT_NAME2, latin, sizeof latin, 0, NULL, &needed));
    assert_int_equal(OpenSspiLastError(), (ULONG)CRYPT_E_INVALID_IA5_STRING);
    info = decode(szOID_ISSUER_ALT_NAME, none, sizeof none);
    assert_true(is_text(info->rgAltEntry[0].pwszDNSName, u""));
    free(info);
    /* So in names, whose values have lengths besides. */
    static const BYTE name[] = {0x30, 0x0E, 0x31, 0x0C, 0x30, 0x0A, 0x06, 0x03,
                                0x55, 0x04, 0x03, 0x0C, 0x03, 'a',  0,    'b'};
    CERT_NAME_INFO *read = decode(X509_UNICODE_NAME, name, sizeof name);
    assert_true(is_text((const WCHAR *)read->rgRDN[0].rgRDNAttr[0].Value.pbData, u"a\ufffdb"));
    assert_int_equal(read->rgRDN[0].rgRDNAttr[0].Value.cbData, 6);
    free(read);
}

static void test_names(void **state)
{
    /* C=DE (PrintableString); CN=a (UTF8String) + O=bc (BMPString); a serial number that is a BIT STRING. */
    static const char c[] = "\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02"
                            "DE",
                      cn_o[] = "\x31\x17\x30\x08\x06\x03\x55\x04\x03\x0c\x01"
                               "a\x30\x0b\x06\x03\x55\x04\x0a\x1e\x04\0b\0c",
                      number[] = "\x31\x0d\x30\x0b\x06\x03\x55\x04\x05\x03\x04\x04\1\2\x30";
    BYTE good[2 + 13 + 25 + 15] = {0x30, 13 + 25 + 15};
    memcpy(good + 2, c, 13);
    memcpy(good + 15, cn_o, 25);
    memcpy(good + 40, number, 15);
    (void)state;
    CERT_NAME_INFO *plain = decode(NAME_NUMBER, good, sizeof good),
                   *wide = decode(X509_UNICODE_NAME, good, sizeof good);
    assert_int_equal(plain->cRDN, 3);
    assert_int_equal(wide->cRDN, 3);
    assert_int_equal(plain->rgRDN[0].cRDNAttr, 1);
    assert_int_equal(plain->rgRDN[1].cRDNAttr, 2);
    const CERT_RDN_ATTR *country = plain->rgRDN[0].rgRDNAttr;
    assert_string_equal(country->pszObjId, szOID_COUNTRY_NAME);
    assert_int_equal(country->dwValueType, CERT_RDN_PRINTABLE_STRING);
    assert_int_equal(country->Value.cbData, 2);
    assert_memory_equal(country->Value.pbData, "DE", 2);
    country = wide->rgRDN[0].rgRDNAttr;
    assert_int_equal(country->dwValueType, CERT_RDN_PRINTABLE_STRING);
    assert_int_equal(country->Value.cbData, 4);
    assert_true(is_text((const WCHAR *)country->Value.pbData, u"DE"));
    const CERT_RDN_ATTR *pair = plain->rgRDN[1].rgRDNAttr;
    assert_int_equal(pair[0].dwValueType, CERT_RDN_UTF8_STRING);
    assert_true(is_text((const WCHAR *)pair[0].Value.pbData, u"a"));
    assert_int_equal(pair[1].dwValueType, CERT_RDN_BMP_STRING);
    assert_string_equal(pair[1].pszObjId, szOID_ORGANIZATION_NAME);
    assert_int_equal(pair[1].Value.cbData, 4);
    assert_true(is_text((const WCHAR *)pair[1].Value.pbData, u"bc"));
    const CERT_RDN_ATTR *serial = wide->rgRDN[2].rgRDNAttr;
    assert_int_equal(serial->dwValueType, CERT_RDN_ENCODED_BLOB);
    assert_int_equal(serial->Value.cbData, 6);
    assert_memory_equal(serial->Value.pbData, "\x03\x04\x04\1\2\x30", 6);
    free(plain);
    free(wide);
    plain = decode(NAME_NUMBER, "\x30\x00", 2);
    assert_int_equal(plain->cRDN, 0);
    free(plain);
}

static void test_other_extensions(void **state)
{
    const struct order order = {.name = "uses",
                                .constraints = "critical,CA:TRUE,pathlen:3",
                                .usage = "serverAuth,clientAuth,1.2.3.4.5",
                                .key_usage = "digitalSignature,keyCertSign,decipherOnly"};
    struct pki pki = make_identity(&order);
    PCCERT_CONTEXT context = context_of(pki.x509);
    (void)state;
    CERT_ENHKEY_USAGE *purposes = decode_extension(context, szOID_ENHANCED_KEY_USAGE);
    assert_int_equal(purposes->cUsageIdentifier, 3);
    assert_string_equal(purposes->rgpszUsageIdentifier[0], szOID_PKIX_KP_SERVER_AUTH);
    assert_string_equal(purposes->rgpszUsageIdentifier[2], "1.2.3.4.5");
    free(purposes);
    CERT_BASIC_CONSTRAINTS2_INFO *constraints = decode_extension(context, szOID_BASIC_CONSTRAINTS2);
    assert_true(constraints->fCA && constraints->fPathLenConstraint);
    assert_int_equal(constraints->dwPathLenConstraint, 3);
    free(constraints);
    CRYPT_BIT_BLOB *bits = decode_extension(context, szOID_KEY_USAGE);
    assert_int_equal(bits->cbData, 2);
    assert_int_equal(bits->cUnusedBits, 7);
    assert_int_equal(bits->pbData[0], CERT_DIGITAL_SIGNATURE_KEY_USAGE | CERT_KEY_CERT_SIGN_KEY_USAGE);
    assert_int_equal(bits->pbData[1], 0x80);
    free(bits);
    CertFreeCertificateContext(context);
    pki_free(&pki);
    constraints = decode(X509_BASIC_CONSTRAINTS2, "\x30\x00", 2);
    assert_false(constraints->fCA || constraints->fPathLenConstraint);
    free(constraints);
    CRYPT_DATA_BLOB *octets = decode(szOID_SUBJECT_KEY_IDENTIFIER, "\x04\x02xy", 4);
    assert_int_equal(octets->cbData, 2);
    assert_memory_equal(octets->pbData, "xy", 2);
    free(octets);
    bits = decode(X509_BITS, "\x03\x02\x00\xff", 4);
    assert_int_equal(bits->cbData, 1);
    assert_int_equal(bits->cUnusedBits, 0);
    free(bits);
    DWORD needed;
    /* -1, and 2^32: no lengths of a path. */
    assert_false(CryptDecodeObject(X509_ASN_ENCODING, X509_BASIC_CONSTRAINTS2,
                                   (const BYTE *)"\x30\x06\x01\x01\xff\x02\x01\xff", 8, 0, NULL, &needed));
    assert_int_equal(OpenSspiLastError(), (ULONG)CRYPT_E_ASN1_BADTAG);
    assert_false(CryptDecodeObject(X509_ASN_ENCODING, X509_BASIC_CONSTRAINTS2,
                                   (const BYTE *)"\x30\x0a\x01\x01\xff\x02\x05\x01\x00\x00\x00\x00", 12, 0, NULL,
                                   &needed));
}

static size_t n_given, n_taken;

static LPVOID WINAPI give(size_t len)
{
    n_given++;
    return malloc(len);
}

static LPVOID WINAPI give_none(size_t len)
{
    (void)len;
    return NULL;
}

static VOID WINAPI take(LPVOID block)
{
    n_taken++;
    free(block);
}

static void test_memory(void **state)
{
    static const BYTE der[] = {0x30, 0x03, 0x82, 0x01, 'a'};
    CRYPT_DECODE_PARA para = {.cbSize = sizeof para}, none = {.cbSize = sizeof none, .pfnAlloc = give_none};
    CERT_ALT_NAME_INFO *info = NULL;
    DWORD len = 0;
    (void)state;
    /* Memory of the library's own, as most programs want it: with an empty CRYPT_DECODE_PARA, or none; nobody need ask for the length. */
    for (int i = 0; i < 3; i++) {
        assert_true(CryptDecodeObjectEx(X509_ASN_ENCODING | PKCS_7_ASN_ENCODING, szOID_SUBJECT_ALT_NAME2, der,
                                        sizeof der, CRYPT_DECODE_ALLOC_FLAG | CRYPT_DECODE_NOCOPY_FLAG,
                                        i == 0 ? NULL : &para, &info, i == 2 ? NULL : &len));
        assert_true(is_text(info->rgAltEntry[0].pwszDNSName, u"a"));
        assert_int_equal(OpenSspiLocalSize(info), len);
        assert_null(OpenSspiLocalFree(info));
    }
    para.pfnAlloc = give;
    para.pfnFree = take;
    assert_true(CryptDecodeObjectEx(X509_ASN_ENCODING, X509_ALTERNATE_NAME, der, sizeof der, CRYPT_DECODE_ALLOC_FLAG,
                                    &para, &info, &len));
    assert_int_equal(n_given, 1);
    assert_int_equal(n_taken, 0);
    take(info);
    info = NULL;
    assert_false(CryptDecodeObjectEx(X509_ASN_ENCODING, X509_ALTERNATE_NAME, der, sizeof der, CRYPT_DECODE_ALLOC_FLAG,
                                     &none, &info, &len));
    assert_int_equal(OpenSspiLastError(), (ULONG)E_OUTOFMEMORY);
    assert_null(info);
}

static bool refused(DWORD encoding, LPCSTR type, const void *der, size_t len, DWORD flags, void *room, DWORD *n_room,
                    ULONG error)
{
    assert_false(CryptDecodeObject(encoding, type, der, (DWORD)len, flags, room, n_room));
    return OpenSspiLastError() == error;
}

static void test_refusals(void **state)
{
    static const BYTE der[] = {0x30, 0x03, 0x82, 0x01, 'a', 0};
    _Alignas(16) BYTE room[256];
    DWORD len = sizeof room;
    CERT_ALT_NAME_INFO *info = NULL;
    const DWORD asn1 = X509_ASN_ENCODING;
    (void)state;
    assert_true(refused(asn1, "1.2.3", der, 5, 0, room, &len, ERROR_FILE_NOT_FOUND));
    assert_true(refused(asn1, (LPCSTR)999, der, 5, 0, room, &len, ERROR_FILE_NOT_FOUND));
    assert_true(refused(PKCS_7_ASN_ENCODING, X509_ALTERNATE_NAME, der, 5, 0, room, &len, ERROR_FILE_NOT_FOUND));
    assert_true(refused(asn1, NULL, der, 5, 0, room, &len, (ULONG)E_INVALIDARG));
    assert_true(refused(asn1, X509_ALTERNATE_NAME, NULL, 5, 0, room, &len, (ULONG)E_INVALIDARG));
    assert_true(refused(asn1, X509_ALTERNATE_NAME, der, 5, 0, room, NULL, (ULONG)E_INVALIDARG));
    assert_true(refused(asn1, X509_ALTERNATE_NAME, der, 5, 0, room + 1, &len, (ULONG)E_INVALIDARG));
    assert_true(refused(asn1, X509_ALTERNATE_NAME, der, 5, CRYPT_DECODE_ALLOC_FLAG, room, &len, (ULONG)E_INVALIDARG));
    assert_true(refused(asn1, X509_ALTERNATE_NAME, der, 0, 0, room, &len, (ULONG)CRYPT_E_ASN1_BADTAG));
    assert_true(refused(asn1, X509_ALTERNATE_NAME, der, 4, 0, room, &len, (ULONG)CRYPT_E_ASN1_BADTAG));
    assert_true(refused(asn1, X509_ALTERNATE_NAME, der, 6, 0, room, &len, (ULONG)CRYPT_E_ASN1_BADTAG));
    assert_true(refused(asn1, X509_KEY_USAGE, der, 5, 0, room, &len, (ULONG)CRYPT_E_ASN1_BADTAG));
    assert_false(CryptDecodeObjectEx(asn1, X509_ALTERNATE_NAME, der, 5, CRYPT_DECODE_ALLOC_FLAG, NULL, NULL, &len));
    assert_int_equal(OpenSspiLastError(), (ULONG)E_INVALIDARG);
    assert_int_equal(len, sizeof room);
    assert_null(info);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_alternative_names, nothing_left),
        cmocka_unit_test(test_rare_alternatives),
        cmocka_unit_test(test_disguised_names),
        cmocka_unit_test(test_names),
        cmocka_unit_test_teardown(test_other_extensions, nothing_left),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
