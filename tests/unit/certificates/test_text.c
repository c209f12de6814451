/*
 * Names and bytes as text, and what a file holds. The base64 and HEXRAW rows were also observed of Wine's implementation.
 *
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "support/wide.h"
#include "unit/certificates/authority.h"
#include <openssl/pem.h>
#include <sspi_ext.h>
#include <stdio.h>
#include <string.h>

static const BYTE bytes[52] = {0x01, 0x08, 0x0f, 'A',  0x1d, 0x24, 0x2b, 0x32, 0x39, 0x40,
                               0x47, 0x4e, 0x55, 0x5c, 0x63, 0x6a, 0x71, 0x78, 0x7f, 0x86};

static void test_write(void **state)
{
    static const struct {
        DWORD flags, len;
        const char *text;
    } cases[] = {
        {CRYPT_STRING_BASE64, 1, "AQ==\r\n"},
        {CRYPT_STRING_BASE64, 9, "AQgPQR0kKzI5\r\n"},
        {CRYPT_STRING_BASE64, 48, "AQgPQR0kKzI5QEdOVVxjanF4f4YAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n"},
        {CRYPT_STRING_BASE64, 49, "AQgPQR0kKzI5QEdOVVxjanF4f4YAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\nAA==\r\n"},
        {CRYPT_STRING_BASE64 | CRYPT_STRING_NOCR, 1, "AQ==\n"},
        {CRYPT_STRING_BASE64 | CRYPT_STRING_NOCRLF, 1, "AQ=="},
        {CRYPT_STRING_BASE64, 0, ""},
        {CRYPT_STRING_BASE64HEADER, 1, "-----BEGIN CERTIFICATE-----\r\nAQ==\r\n-----END CERTIFICATE-----\r\n"},
        {CRYPT_STRING_BASE64HEADER | CRYPT_STRING_NOCRLF, 1,
         "-----BEGIN CERTIFICATE-----AQ==-----END CERTIFICATE-----"},
        {CRYPT_STRING_BASE64REQUESTHEADER, 1,
         "-----BEGIN NEW CERTIFICATE REQUEST-----\r\nAQ==\r\n-----END NEW CERTIFICATE REQUEST-----\r\n"},
        {CRYPT_STRING_BASE64X509CRLHEADER, 1, "-----BEGIN X509 CRL-----\r\nAQ==\r\n-----END X509 CRL-----\r\n"},
        {CRYPT_STRING_HEXRAW, 9, "01080f411d242b3239\r\n"},
        {CRYPT_STRING_HEXRAW | CRYPT_STRING_NOCRLF, 2, "0108"},
        {CRYPT_STRING_BASE64URI, 1, "AQ"},
        {CRYPT_STRING_HEX, 9, "01 08 0f 41 1d 24 2b 32  39\r\n"},
        {CRYPT_STRING_HEX, 17, "01 08 0f 41 1d 24 2b 32  39 40 47 4e 55 5c 63 6a\r\n71\r\n"},
        {CRYPT_STRING_HEXASCIIADDR, 2, "0000\t01 08                                              ..\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char room[300];
        WCHAR wide[300];
        size_t len = strlen(cases[i].text);
        DWORD n = 0;
        assert_true(CryptBinaryToStringA(bytes, cases[i].len, cases[i].flags, NULL, &n));
        assert_int_equal(n, len + 1);
        n = (DWORD)len;
        bool hex = (cases[i].flags & CRYPT_STRING_ENCODEMASK) != CRYPT_STRING_BASE64URI && cases[i].text[0] == '0';
        assert_false(CryptBinaryToStringA(bytes, cases[i].len, cases[i].flags, room, &n));
        assert_int_equal(OpenSspiLastError(), ERROR_MORE_DATA);
        assert_int_equal(n, hex ? len : len + 1); /* of hexadecimal digits Windows tells the room only without one */
        n = (DWORD)len + 1;
        assert_true(CryptBinaryToStringA(bytes, cases[i].len, cases[i].flags, room, &n));
        assert_int_equal(n, len);
        assert_string_equal(room, cases[i].text);
        n = 300;
        assert_true(CryptBinaryToStringW(bytes, cases[i].len, cases[i].flags, wide, &n));
        assert_int_equal(n, len);
        assert_wide_equal(wide, cases[i].text);
    }
    DWORD n = 0;
    assert_false(CryptBinaryToStringA(bytes, 1, CRYPT_STRING_ANY, NULL, &n));
    assert_false(CryptBinaryToStringA(NULL, 1, CRYPT_STRING_BASE64, NULL, &n));
    assert_false(CryptBinaryToStringA(bytes, 1, CRYPT_STRING_BASE64, NULL, NULL));
}

static void test_round_trip(void **state)
{
    static const DWORD forms[] = {0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 13};
    static const DWORD ends[] = {0, CRYPT_STRING_NOCR, CRYPT_STRING_NOCRLF};
    (void)state;
    for (size_t f = 0; f < COUNT_OF(forms); f++)
        for (size_t e = 0; e < COUNT_OF(ends); e++)
            for (DWORD len = 0; len <= sizeof bytes; len++) {
                char text[600];
                BYTE back[600];
                DWORD n = sizeof text, n_back = sizeof back;
                bool dump = forms[f] == 5 || forms[f] == 10 || forms[f] == 11;
                if ((dump && (ends[e] == CRYPT_STRING_NOCRLF && len > 16)) || (forms[f] == 2 && len == 0))
                    continue; /* such lines cannot be told apart; an empty text is a length of 0 */
                assert_true(CryptBinaryToStringA(bytes, len, forms[f] | ends[e], text, &n));
                assert_true(n > 0 || len == 0);
                if (!CryptStringToBinaryA(text, n, forms[f], back, &n_back, NULL, NULL))
                    fail_msg("form %u ends 0x%x len %u", forms[f], ends[e], len);
                if (n == 0)
                    continue;
                assert_int_equal(n_back, len);
                assert_memory_equal(back, bytes, len);
            }
}

static void test_read(void **state)
{
    static const struct {
        const char *text;
        DWORD form;
        int len; /* -1: refused */
        DWORD skip, found;
    } cases[] = {
        {"AQID", CRYPT_STRING_BASE64, 3, 0, CRYPT_STRING_BASE64},
        {"AQI=", CRYPT_STRING_BASE64, 2, 0, CRYPT_STRING_BASE64},
        {"AQI", CRYPT_STRING_BASE64, 2, 0, CRYPT_STRING_BASE64},
        {" A Q\r\nI D\t", CRYPT_STRING_BASE64, 3, 0, CRYPT_STRING_BASE64},
        {"!AQID", CRYPT_STRING_BASE64, -1, 0, 0},
        {"A", CRYPT_STRING_BASE64, 1, 0, CRYPT_STRING_BASE64}, /* Windows takes these five */
        {"A===", CRYPT_STRING_BASE64, 1, 0, CRYPT_STRING_BASE64},
        {"AQID====", CRYPT_STRING_BASE64, 3, 0, CRYPT_STRING_BASE64},
        {"AQ==AQID", CRYPT_STRING_BASE64, 1, 0, CRYPT_STRING_BASE64},
        {"AR==", CRYPT_STRING_BASE64, 1, 0, CRYPT_STRING_BASE64},
        {"AQ=", CRYPT_STRING_BASE64, -1, 0, 0},
        {"A==", CRYPT_STRING_BASE64, -1, 0, 0},
        {"AQ=I", CRYPT_STRING_BASE64, -1, 0, 0},
        {"AQID", CRYPT_STRING_BASE64 | CRYPT_STRING_NOCR, -1, 0, 0}, /* a flag for writing */
        {"AQ-_", CRYPT_STRING_BASE64, -1, 0, 0},
        {"AQ-_", CRYPT_STRING_BASE64URI, 3, 0, CRYPT_STRING_BASE64URI},
        {"AQ+/", CRYPT_STRING_BASE64URI, -1, 0, 0},
        {"-----BEGIN X-----\nAQID\n-----END X-----\n", CRYPT_STRING_BASE64HEADER, 3, 0, CRYPT_STRING_BASE64HEADER},
        {"junk\n-----BEGIN X-----\nAQID\n-----END Y-----\njunk", CRYPT_STRING_BASE64_ANY, 3, 5,
         CRYPT_STRING_BASE64HEADER},
        {"-----BEGIN X-----AQID-----END X-----", CRYPT_STRING_ANY, 3, 0, CRYPT_STRING_BASE64HEADER},
        {"-----BEGIN X-----\nAQID\n", CRYPT_STRING_BASE64_ANY, -1, 0, 0},
        {"-----BEGIN X\nAQID-----\n-----END X-----", CRYPT_STRING_BASE64HEADER, -1, 0, 0},
        {"junk\n-----BEGIN X-----\nAQID\n-----END X-----", CRYPT_STRING_BASE64HEADER | CRYPT_STRING_STRICT, -1, 0, 0},
        {"AQID", CRYPT_STRING_BASE64_ANY, 3, 0, CRYPT_STRING_BASE64},
        {"AQID", CRYPT_STRING_BASE64HEADER, -1, 0, 0},
        {"!?", CRYPT_STRING_ANY, 2, 0, CRYPT_STRING_BINARY},
        {"01 02\r\n0304", CRYPT_STRING_HEX, 4, 0, CRYPT_STRING_HEX},
        {"-01-02,,03-", CRYPT_STRING_HEX, 3, 0, CRYPT_STRING_HEX},
        {"0", CRYPT_STRING_HEX, -1, 0, 0},
        {"0 1", CRYPT_STRING_HEX, -1, 0, 0},
        {"0g", CRYPT_STRING_HEXRAW, -1, 0, 0},
        {"0000\t01 02  03\r\n", CRYPT_STRING_HEXADDR, 3, 0, CRYPT_STRING_HEXADDR},
        {"01 02", CRYPT_STRING_HEXADDR, -1, 0, 0},
        {"01 02   ab", CRYPT_STRING_HEXASCII, 2, 0, CRYPT_STRING_HEXASCII},
        {"0000\t01 02   zz\n", CRYPT_STRING_HEX_ANY, 2, 0, CRYPT_STRING_HEXASCIIADDR},
        {"01 02", CRYPT_STRING_HEX_ANY, 2, 0, CRYPT_STRING_HEX},
        {"xyz", CRYPT_STRING_HEX_ANY, -1, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        BYTE room[60];
        WCHAR wide[100] = {0};
        DWORD n = sizeof room, skip = 99, found = 99;
        for (size_t k = 0; cases[i].text[k] != '\0'; k++)
            wide[k] = (WCHAR)cases[i].text[k];
        BOOL ok = CryptStringToBinaryA(cases[i].text, 0, cases[i].form, room, &n, &skip, &found);
        if ((cases[i].len >= 0) != (ok == TRUE))
            fail_msg("case %zu", i);
        BOOL ok_wide = CryptStringToBinaryW(wide, 0, cases[i].form, NULL, &n, NULL, NULL);
        assert_int_equal(ok, ok_wide);
        if (!ok) {
            assert_int_equal(OpenSspiLastError(), ERROR_INVALID_DATA);
            continue;
        }
        assert_int_equal(n, cases[i].len);
        assert_int_equal(skip, cases[i].skip);
        assert_int_equal(found, cases[i].found);
        n--;
        assert_false(CryptStringToBinaryA(cases[i].text, 0, cases[i].form, room, &n, NULL, NULL));
        assert_int_equal(OpenSspiLastError(), ERROR_MORE_DATA);
        assert_int_equal(n, cases[i].len - 1); /* as it was */
    }
    static const WCHAR strange[] = {'A', 'Q', 0x0149, 'D', 0}; /* 0x49 in its low half */
    DWORD n = 0;
    assert_false(CryptStringToBinaryW(strange, 0, CRYPT_STRING_BASE64, NULL, &n, NULL, NULL));
    assert_false(CryptStringToBinaryA("AQID", 0, 99, NULL, &n, NULL, NULL));
    assert_int_equal(OpenSspiLastError(), ERROR_INVALID_PARAMETER);
    assert_true(CryptStringToBinaryA("AQIDx", 4, CRYPT_STRING_BASE64, NULL, &n, NULL, NULL));
    assert_int_equal(n, 3);
}

/* As Windows does it: of pairs what comes before the fault is written; a NUL within the length is none; bytes in wide text stay bytes. */
static void test_pieces_of_text(void **state)
{
    static const WCHAR wide_pairs[] = {'0', '1', '0', '2', 0}, nothing[] = {0};
    BYTE room[8] = {0xcc, 0xcc, 0xcc};
    DWORD n = 8, skip = 9, form = 9;
    (void)state;
    assert_false(CryptStringToBinaryA("01q", 0, CRYPT_STRING_HEX, room, &n, &skip, &form));
    assert_int_equal(OpenSspiLastError(), ERROR_INVALID_DATA);
    assert_int_equal(n, 8);
    assert_int_equal(skip + form, 0);
    assert_memory_equal(room, "\x01\xcc", 2);
    assert_false(CryptStringToBinaryA("01q", 0, CRYPT_STRING_HEX, NULL, &n, NULL, NULL));
    assert_int_equal(n, 0);
    n = 1;
    assert_false(CryptStringToBinaryW(wide_pairs, 0, CRYPT_STRING_HEX, room, &n, NULL, NULL));
    assert_int_equal(OpenSspiLastError(), ERROR_MORE_DATA);
    assert_int_equal(n, 1);
    assert_memory_equal(room, "\x01\xcc", 2);
    n = 8;
    assert_false(CryptStringToBinaryA("01\0002", 4, CRYPT_STRING_HEX, room, &n, NULL, NULL));
    assert_int_equal(OpenSspiLastError(), ERROR_INVALID_DATA);
    assert_false(CryptStringToBinaryW(nothing, 0, CRYPT_STRING_HEX, room, &n, NULL, NULL));
    assert_int_equal(OpenSspiLastError(), ERROR_INVALID_PARAMETER);
    /* Writing. */
    WCHAR wide[4] = {0x2323, 0x2323, 0x2323, 0x2323};
    char text[8];
    n = 3;
    assert_true(CryptBinaryToStringW(room, 3, CRYPT_STRING_BINARY, wide, &n));
    assert_int_equal(n, 3);
    assert_memory_equal(wide, room, 3);
    assert_memory_equal((char *)wide + 3, "#####", 5);
    assert_false(CryptBinaryToStringA(NULL, 0, CRYPT_STRING_BASE64, NULL, &n));
    assert_int_equal(OpenSspiLastError(), ERROR_INVALID_PARAMETER);
    memset(text, '#', sizeof text);
    n = 3;
    assert_false(CryptBinaryToStringA((const BYTE *)"abc", 3, CRYPT_STRING_BASE64, text, &n));
    assert_int_equal(n, 7);
    assert_memory_equal(text, "YWJ#", 4);
    n = 4;
    assert_false(CryptBinaryToStringA((const BYTE *)"abc", 3, CRYPT_STRING_HEXRAW, text, &n));
    assert_int_equal(n, 4);
    assert_memory_equal(text, "61\0#", 4);
    n = 2;
    text[0] = '#';
    assert_false(CryptBinaryToStringA((const BYTE *)"abc", 3, CRYPT_STRING_HEXRAW, text, &n));
    assert_int_equal(text[0], '#');
    n = 3;
    assert_false(CryptBinaryToStringW((const BYTE *)"abc", 3, CRYPT_STRING_BASE64, wide, &n));
    assert_memory_equal((char *)wide + 3, "#####", 5);
}

static void name_is(PCERT_NAME_BLOB blob, DWORD form, const char *text)
{
    char room[200];
    WCHAR wide[200];
    DWORD n = CertNameToStrA(X509_ASN_ENCODING, blob, form, NULL, 0);
    assert_int_equal(n, strlen(text) + 1);
    assert_int_equal(CertNameToStrA(X509_ASN_ENCODING, blob, form, room, sizeof room), n);
    assert_string_equal(room, text);
    assert_int_equal(CertNameToStrW(X509_ASN_ENCODING, blob, form, wide, 200), n);
    assert_wide_equal(wide, text);
    assert_int_equal(CertNameToStrA(X509_ASN_ENCODING, blob, form, room, 4),
                     1); /* as on Windows, where wide text is cut */
    assert_string_equal(room, "");
    assert_int_equal(CertNameToStrW(X509_ASN_ENCODING, blob, form, wide, 4), 4);
    assert_int_equal(wide[3], 0);
}

/* "CN=", two bytes, three bytes, four bytes: whatever the room, what is written is text. */
static void test_names_cut(void **state)
{
    static const char utf8[] = "CN=\xC3\xA9\xE2\x82\xAC\xF0\x9F\x99\x82";
    static const WCHAR units[] = {'C', 'N', '=', 0xE9, 0x20AC, 0xD83D, 0xDE42, 0};
    /* How much of it fits into so many bytes, or units, with the NUL. */
    static const unsigned char narrow[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12};
    static const unsigned char wide[] = {0, 0, 1, 2, 3, 4, 5, 5, 7};
    BYTE der[64];
    CERT_NAME_BLOB name = {sizeof der, der};
    (void)state;
    assert_true(CertStrToNameA(X509_ASN_ENCODING, utf8, CERT_X500_NAME_STR, NULL, der, &name.cbData, NULL));
    for (DWORD n = 1; n < sizeof narrow; n++) {
        char room[sizeof narrow + 1];
        memset(room, '#', sizeof room);
        assert_int_equal(CertNameToStrA(X509_ASN_ENCODING, &name, CERT_X500_NAME_STR, room, n), narrow[n] + 1);
        assert_int_equal(strlen(room), narrow[n]);
        assert_memory_equal(room, utf8, narrow[n]);
        assert_int_equal(room[n], '#');
    }
    for (DWORD n = 1; n < sizeof wide; n++) {
        WCHAR room[sizeof wide + 1];
        memset(room, '#', sizeof room);
        assert_int_equal(CertNameToStrW(X509_ASN_ENCODING, &name, CERT_X500_NAME_STR, room, n), n);
        assert_memory_equal(room, units, wide[n] * sizeof *units);
        assert_int_equal(room[wide[n]], 0);
        assert_int_equal(room[n - 1], 0);
        assert_int_equal(room[n], 0x2323);
    }
}

static void test_names(void **state)
{
    (void)state;
    PCCERT_CONTEXT context = context_of(the_leaf()->x509);
    CERT_NAME_BLOB *subject = &context->pCertInfo->Subject;
    name_is(subject, CERT_SIMPLE_NAME_STR, "\"Tests, Inc.\", server.example");
    name_is(subject, CERT_X500_NAME_STR, "O=\"Tests, Inc.\", CN=server.example");
    name_is(subject, CERT_OID_NAME_STR, "2.5.4.10=\"Tests, Inc.\", 2.5.4.3=server.example");
    name_is(subject, CERT_X500_NAME_STR | CERT_NAME_STR_REVERSE_FLAG, "CN=server.example, O=\"Tests, Inc.\"");
    name_is(subject, CERT_X500_NAME_STR | CERT_NAME_STR_NO_QUOTING_FLAG, "O=Tests, Inc., CN=server.example");
    name_is(subject, CERT_X500_NAME_STR | CERT_NAME_STR_SEMICOLON_FLAG, "O=\"Tests, Inc.\"; CN=server.example");
    name_is(subject, CERT_X500_NAME_STR | CERT_NAME_STR_CRLF_FLAG, "O=\"Tests, Inc.\"\r\nCN=server.example");
    char room[10] = "x";
    name_is(subject, 0, "\"Tests, Inc.\", server.example");
    assert_int_equal(OpenSspiLastError(), 0); /* so that an empty name is told from none */
    assert_int_equal(CertNameToStrA(PKCS_7_ASN_ENCODING, subject, CERT_X500_NAME_STR, room, 10), 1);
    assert_int_equal(OpenSspiLastError(), ERROR_FILE_NOT_FOUND);
    assert_int_equal(CertNameToStrA(X509_ASN_ENCODING, subject, 9, room, 10), 1);
    assert_string_equal(room, "");
    CERT_NAME_BLOB damaged = {subject->cbData - 1, subject->pbData};
    assert_int_equal(CertNameToStrA(X509_ASN_ENCODING, &damaged, CERT_X500_NAME_STR, room, 10), 1);
    assert_true(CertFreeCertificateContext(context));
    /* More than one attribute in a step, an unknown one, NUL and quotes in a value. */
    X509_NAME *name = X509_NAME_new();
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"a\"b", -1, -1, 0);
    X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_ASC, (const unsigned char *)"good\0.evil", 10, -1, -1);
    X509_NAME_add_entry_by_txt(name, "1.2.3.4", MBSTRING_ASC, (const unsigned char *)"q", -1, -1, 0);
    unsigned char *der = NULL;
    CERT_NAME_BLOB blob = {(DWORD)i2d_X509_NAME(name, &der), NULL};
    blob.pbData = der;
    char text[100];
    CertNameToStrA(X509_ASN_ENCODING, &blob, CERT_X500_NAME_STR, text, sizeof text);
    assert_non_null(strstr(text, "CN=\"a\"\"b\""));
    assert_non_null(strstr(text, " + "));
    assert_non_null(strstr(text, "OU=good\xef\xbf\xbd.evil"));
    assert_non_null(strstr(text, "OID.1.2.3.4=q"));
    OPENSSL_free(der);
    X509_NAME_free(name);
}

static void string_is(PCCERT_CONTEXT context, DWORD type, DWORD flags, const void *para, const char *text)
{
    char room[200];
    DWORD n = CertGetNameStringA(context, type, flags, (void *)(uintptr_t)para, NULL, 0);
    assert_int_equal(CertGetNameStringA(context, type, flags, (void *)(uintptr_t)para, room, sizeof room), n);
    assert_string_equal(room, text);
    WCHAR wide[200];
    assert_int_equal(CertGetNameStringW(context, type, flags, (void *)(uintptr_t)para, wide, 200), n);
    assert_wide_equal(wide, text);
}

/* All DNS names into each room that is too small: the list ends within it, and none of its names is half of one. */
static void test_all_names_cut(void **state)
{
    static const char names[] = "server.example\0*.wild.example\0";
    (void)state;
    PCCERT_CONTEXT context = context_of(the_leaf()->x509);
    for (DWORD n = 1; n <= sizeof names + 1; n++) {
        char room[sizeof names + 2];
        WCHAR wide[sizeof names + 2];
        DWORD written = n < sizeof names ? n : sizeof names;
        size_t whole = n < 16 ? 0 : n < sizeof names ? 15 : 30; /* characters of names, each with its NUL */
        memset(room, '#', sizeof room);
        memset(wide, '#', sizeof wide);
        assert_int_equal(
            CertGetNameStringA(context, CERT_NAME_DNS_TYPE, CERT_NAME_SEARCH_ALL_NAMES_FLAG, NULL, room, n),
            n < sizeof names ? 1 : written);
        assert_int_equal(
            CertGetNameStringW(context, CERT_NAME_DNS_TYPE, CERT_NAME_SEARCH_ALL_NAMES_FLAG, NULL, wide, n), written);
        for (size_t i = 0; i <= n; i++) {
            if (n >= sizeof names)
                assert_int_equal(room[i], i < whole ? names[i] : i < written ? 0 : '#');
            else
                assert_int_equal(room[i], i == 0 ? 0 : '#');
            assert_int_equal(wide[i], i < whole ? names[i] : i < written ? 0 : 0x2323);
        }
    }
    assert_true(CertFreeCertificateContext(context));
}

static void test_name_strings(void **state)
{
    (void)state;
    PCCERT_CONTEXT context = context_of(the_leaf()->x509);
    DWORD x500 = CERT_X500_NAME_STR;
    string_is(context, CERT_NAME_SIMPLE_DISPLAY_TYPE, 0, NULL, "server.example");
    string_is(context, CERT_NAME_SIMPLE_DISPLAY_TYPE, CERT_NAME_ISSUER_FLAG, NULL, "Middle");
    string_is(context, CERT_NAME_FRIENDLY_DISPLAY_TYPE, 0, NULL, "server.example");
    string_is(context, CERT_NAME_ATTR_TYPE, 0, szOID_ORGANIZATION_NAME, "Tests, Inc.");
    string_is(context, CERT_NAME_ATTR_TYPE, 0, "2.5.4.99", "");
    string_is(context, CERT_NAME_ATTR_TYPE, 0, NULL, "server.example");                  /* there is no address */
    string_is(context, CERT_NAME_EMAIL_TYPE, CERT_NAME_SEARCH_ALL_NAMES_FLAG, NULL, ""); /* DNS names only */
    string_is(context, CERT_NAME_ATTR_TYPE, 0, "nonsense", "");
    string_is(context, CERT_NAME_RDN_TYPE, 0, &x500, "O=\"Tests, Inc.\", CN=server.example");
    string_is(context, CERT_NAME_EMAIL_TYPE, 0, NULL, "boss@server.example");
    string_is(context, CERT_NAME_URL_TYPE, 0, NULL, "https://server.example/");
    string_is(context, CERT_NAME_DNS_TYPE, 0, NULL, "server.example");
    string_is(context, CERT_NAME_UPN_TYPE, 0, NULL, "");
    string_is(context, 99, 0, NULL, "");
    char all[60];
    DWORD n = CertGetNameStringA(context, CERT_NAME_DNS_TYPE, CERT_NAME_SEARCH_ALL_NAMES_FLAG, NULL, all, sizeof all);
    assert_int_equal(n, sizeof "server.example\0*.wild.example\0");
    assert_memory_equal(all, "server.example\0*.wild.example\0", n);
    assert_true(CertFreeCertificateContext(context));
    assert_int_equal(CertGetNameStringA(NULL, CERT_NAME_DNS_TYPE, 0, NULL, all, sizeof all), 1);
    struct pki user = make_identity(
        &(struct order){.name = "user", .alternatives = "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:user@domain.example"});
    context = context_of(user.x509);
    string_is(context, CERT_NAME_UPN_TYPE, 0, NULL, "user@domain.example");
    assert_true(CertFreeCertificateContext(context));
    pki_free(&user);
    /* What would end the text, move a terminal, or write backwards. */
    struct pki odd = make_identity(&(struct order){.name = "a\x1b b\xc2\x9b c\xe2\x80\xae \"d"});
    context = context_of(odd.x509);
    assert_true(CertGetNameStringA(context, CERT_NAME_SIMPLE_DISPLAY_TYPE, 0, NULL, all, sizeof all) > 1);
    assert_string_equal(all, "a\xef\xbf\xbd b\xef\xbf\xbd c\xef\xbf\xbd \"d");
    assert_true(CertGetNameStringA(context, CERT_NAME_RDN_TYPE, 0, &x500, all, sizeof all) > 1);
    assert_string_equal(all, "O=\"Tests, Inc.\", CN=\"a\xef\xbf\xbd b\xef\xbf\xbd c\xef\xbf\xbd \"\"d\"");
    assert_true(CertFreeCertificateContext(context));
    pki_free(&odd);
}

static void test_objects(void **state)
{
    (void)state;
    unsigned char *der = NULL, *crl_der = NULL;
    X509_CRL *crl = pki_crl(the_middle(), 3, 7);
    CRYPT_DATA_BLOB blob = {(DWORD)i2d_X509(the_leaf()->x509, &der), NULL};
    CRYPT_DATA_BLOB list = {(DWORD)i2d_X509_CRL(crl, &crl_der), NULL};
    blob.pbData = der;
    list.pbData = crl_der;
    DWORD encoding = 0, content = 0, format = 0;
    HCERTSTORE store = NULL;
    HCRYPTMSG message = &blob;
    const void *context = NULL;
    assert_true(CryptQueryObject(CERT_QUERY_OBJECT_BLOB, &blob, CERT_QUERY_CONTENT_FLAG_ALL, CERT_QUERY_FORMAT_FLAG_ALL,
                                 0, &encoding, &content, &format, &store, &message, &context));
    assert_int_equal(encoding, X509_ASN_ENCODING);
    assert_int_equal(content, CERT_QUERY_CONTENT_CERT);
    assert_int_equal(format, CERT_QUERY_FORMAT_BINARY);
    assert_null(message);
    assert_true(CertFreeCertificateContext(context));
    assert_true(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
    assert_true(CryptQueryObject(CERT_QUERY_OBJECT_BLOB, &list, CERT_QUERY_CONTENT_FLAG_ALL, CERT_QUERY_FORMAT_FLAG_ALL,
                                 0, NULL, &content, NULL, NULL, NULL, &context));
    assert_int_equal(content, CERT_QUERY_CONTENT_CRL);
    assert_true(CertFreeCRLContext(context));
    assert_false(CryptQueryObject(CERT_QUERY_OBJECT_BLOB, &list, CERT_QUERY_CONTENT_FLAG_CERT,
                                  CERT_QUERY_FORMAT_FLAG_ALL, 0, NULL, NULL, NULL, NULL, NULL, NULL));
    assert_int_equal((HRESULT)OpenSspiLastError(), CRYPT_E_NO_MATCH);
    const X509 *both[] = {the_leaf()->x509, the_middle()->x509};
    const char *path = scratch_pem("object.pem", both, 2, NULL, NULL);
    WCHAR wide[600] = {0};
    for (size_t i = 0; path[i] != '\0'; i++)
        wide[i] = (WCHAR)path[i];
    assert_true(CryptQueryObject(CERT_QUERY_OBJECT_FILE, wide, CERT_QUERY_CONTENT_FLAG_ALL, CERT_QUERY_FORMAT_FLAG_ALL,
                                 0, &encoding, &content, &format, &store, NULL, NULL));
    assert_int_equal(format, CERT_QUERY_FORMAT_BASE64_ENCODED);
    PCCERT_CONTEXT at = CertEnumCertificatesInStore(store, CertEnumCertificatesInStore(store, NULL));
    assert_non_null(at);
    assert_true(CertFreeCertificateContext(at));
    assert_true(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
    assert_false(CryptQueryObject(CERT_QUERY_OBJECT_FILE, wide, CERT_QUERY_CONTENT_FLAG_ALL,
                                  CERT_QUERY_FORMAT_FLAG_BINARY, 0, NULL, NULL, NULL, NULL, NULL, NULL));
    /* A list in PEM, too, is in its store once. */
    char pem[4096] = "";
    DWORD pem_len = sizeof pem;
    assert_true(CryptBinaryToStringA(crl_der, list.cbData, CRYPT_STRING_BASE64X509CRLHEADER, pem, &pem_len));
    CRYPT_DATA_BLOB text = {pem_len, (BYTE *)pem};
    assert_true(CryptQueryObject(CERT_QUERY_OBJECT_BLOB, &text, CERT_QUERY_CONTENT_FLAG_ALL, CERT_QUERY_FORMAT_FLAG_ALL,
                                 0, NULL, &content, &format, &store, NULL, &context));
    assert_int_equal(content, CERT_QUERY_CONTENT_CRL);
    assert_int_equal(format, CERT_QUERY_FORMAT_BASE64_ENCODED);
    PCCRL_CONTEXT first = CertEnumCRLsInStore(store, NULL);
    assert_non_null(first);
    assert_null(CertEnumCRLsInStore(store, first)); /* which frees the first */
    assert_true(CertFreeCRLContext(context));
    assert_true(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
    wide[3] = 'X';
    assert_false(CryptQueryObject(CERT_QUERY_OBJECT_FILE, wide, CERT_QUERY_CONTENT_FLAG_ALL, CERT_QUERY_FORMAT_FLAG_ALL,
                                  0, NULL, NULL, NULL, NULL, NULL, NULL));
    assert_int_equal(OpenSspiLastError(), ERROR_FILE_NOT_FOUND);
    assert_false(CryptQueryObject(3, &blob, CERT_QUERY_CONTENT_FLAG_ALL, CERT_QUERY_FORMAT_FLAG_ALL, 0, NULL, NULL,
                                  NULL, NULL, NULL, NULL));
    blob.pbData = NULL;
    assert_false(CryptQueryObject(CERT_QUERY_OBJECT_BLOB, &blob, CERT_QUERY_CONTENT_FLAG_ALL,
                                  CERT_QUERY_FORMAT_FLAG_ALL, 0, NULL, NULL, NULL, NULL, NULL, NULL));
    OPENSSL_free(der);
    OPENSSL_free(crl_der);
    X509_CRL_free(crl);
}

int main(void)
{
    configure("");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_read),
        cmocka_unit_test_teardown(test_pieces_of_text, nothing_left),
        cmocka_unit_test_teardown(test_names, nothing_left),
        cmocka_unit_test_teardown(test_names_cut, nothing_left),
        cmocka_unit_test_teardown(test_name_strings, nothing_left),
        cmocka_unit_test_teardown(test_all_names_cut, nothing_left),
        cmocka_unit_test_teardown(test_objects, nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
