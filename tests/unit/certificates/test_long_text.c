/*
 * Bytes as text where there are many: sizes are told exactly, and nothing but memory and a DWORD limits them.
 *
 * build: all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "unit/certificates/authority.h"
#include <openssl/x509v3.h>
#include <sspi_ext.h>
#include <string.h>

#define MIB ((size_t)1 << 20)

static const DWORD forms[] = {CRYPT_STRING_BASE64HEADER,
                              CRYPT_STRING_BASE64,
                              CRYPT_STRING_BINARY,
                              CRYPT_STRING_BASE64REQUESTHEADER,
                              CRYPT_STRING_HEX,
                              CRYPT_STRING_HEXASCII,
                              CRYPT_STRING_BASE64X509CRLHEADER,
                              CRYPT_STRING_HEXADDR,
                              CRYPT_STRING_HEXASCIIADDR,
                              CRYPT_STRING_HEXRAW,
                              CRYPT_STRING_BASE64URI};
static const DWORD ends[] = {0, CRYPT_STRING_NOCR, CRYPT_STRING_NOCRLF};

static BYTE *bytes_new(size_t len)
{
    BYTE *bytes = mem_zalloc(len);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (BYTE)(i * 7 + 1);
    return bytes;
}

/* The room that is asked for is what is written, and one less is too little. */
static void size_check(const BYTE *bytes, DWORD len, DWORD flags)
{
    DWORD needed = 0;
    bool has_nul = (flags & CRYPT_STRING_ENCODEMASK) != CRYPT_STRING_BINARY;
    assert_true(CryptBinaryToStringA(bytes, len, flags, NULL, &needed));
    char *room = mem_zalloc((size_t)needed + 1);
    assert_non_null(room);
    memset(room, 'x', (size_t)needed + 1);
    DWORD n = needed;
    assert_true(CryptBinaryToStringA(bytes, len, flags, room, &n));
    if (n + has_nul != needed || room[needed] != 'x' || (has_nul && strlen(room) != n))
        fail_msg("flags 0x%x of %u bytes: %u characters in a room of %u", flags, len, n, needed);
    if (needed > 0) {
        n = needed - 1;
        assert_false(CryptBinaryToStringA(bytes, len, flags, room, &n));
        assert_int_equal(OpenSspiLastError(), ERROR_MORE_DATA);
    }
    mem_free(room);
}

static void test_sizes(void **state)
{
    BYTE *bytes = bytes_new(MIB + 17);
    (void)state;
    for (size_t f = 0; f < COUNT_OF(forms); f++)
        for (size_t e = 0; e < COUNT_OF(ends); e++)
            for (DWORD len = 0; len <= 131; len++)
                size_check(bytes, len, forms[f] | ends[e]);
    /* Where an address gets a digit more. */
    static const DWORD steps[] = {0xFFFF, 0x10000, 0x10001, 0x10010, 0x10011, (1 << 20) + 17};
    for (size_t i = 0; i < COUNT_OF(steps); i++)
        size_check(bytes, steps[i], CRYPT_STRING_HEXADDR);
    size_check(bytes, 1 << 20, CRYPT_STRING_HEXASCIIADDR | CRYPT_STRING_NOCRLF);
    mem_free(bytes);
}

static void test_many(void **state)
{
    const DWORD n_bytes = 12 << 20;
    BYTE *bytes = bytes_new(n_bytes), *back = mem_zalloc(n_bytes);
    DWORD n = 0, n_back = n_bytes;
    (void)state;
    assert_non_null(back);
    assert_true(CryptBinaryToStringA(bytes, 6 << 20, CRYPT_STRING_HEX, NULL, &n));
    assert_int_equal(n, (6 << 20) / 16 * (48 + 2) + 1);
    assert_true(CryptBinaryToStringA(bytes, n_bytes, CRYPT_STRING_BASE64, NULL, &n));
    char *text = mem_zalloc(n);
    assert_non_null(text);
    assert_true(CryptBinaryToStringA(bytes, n_bytes, CRYPT_STRING_BASE64, text, &n));
    assert_true(CryptStringToBinaryA(text, n, CRYPT_STRING_BASE64, back, &n_back, NULL, NULL));
    assert_int_equal(n_back, n_bytes);
    assert_memory_equal(back, bytes, n_bytes);
    mem_free(text);
    mem_free(back);
    mem_free(bytes);
    /* As many bytes as characters. */
    const size_t len = 24 * MIB;
    text = mem_zalloc(len + 1);
    assert_non_null(text);
    memset(text, 'A', len);
    assert_true(CryptStringToBinaryA(text, 0, CRYPT_STRING_BASE64_ANY, NULL, &n, NULL, NULL));
    assert_int_equal(n, len / 4 * 3);
    assert_true(CryptStringToBinaryA(text, (DWORD)len, CRYPT_STRING_BINARY, NULL, &n, NULL, NULL));
    assert_int_equal(n, len);
    mem_free(text);
}

/* More characters than a DWORD counts: no memory of that many bytes is looked at before. */
static void test_too_many(void **state)
{
    BYTE one = 0;
    DWORD n = 7;
    (void)state;
    assert_false(CryptBinaryToStringA(&one, UINT32_MAX, CRYPT_STRING_HEX, NULL, &n));
    assert_int_equal(OpenSspiLastError(), ERROR_INVALID_PARAMETER);
    assert_int_equal(n, 7);
}

/* A list of 19 MiB, which an extension fills. */
static X509_CRL *long_list(void)
{
    X509_CRL *crl = pki_crl(the_middle(), 3, 7);
    ASN1_OBJECT *object = OBJ_txt2obj("1.3.6.1.4.1.99999.1", 1);
    ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
    BYTE *bytes = bytes_new(19 * MIB);
    assert_int_equal(ASN1_OCTET_STRING_set(data, bytes, (int)(19 * MIB)), 1);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, object, 0, data);
    assert_int_equal(X509_CRL_add_ext(crl, extension, -1), 1);
    assert_true(X509_CRL_sign(crl, the_middle()->key, EVP_sha256()) > 0);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(data);
    ASN1_OBJECT_free(object);
    mem_free(bytes);
    return crl;
}

static void test_long_list(void **state)
{
    (void)state;
    X509_CRL *crl = long_list();
    unsigned char *der = NULL;
    DWORD len = (DWORD)i2d_X509_CRL(crl, &der), n_pem = 0, content = 0, format = 0;
    assert_true(CryptBinaryToStringA(der, len, CRYPT_STRING_BASE64X509CRLHEADER, NULL, &n_pem));
    char *pem = mem_zalloc(n_pem);
    assert_non_null(pem);
    assert_true(CryptBinaryToStringA(der, len, CRYPT_STRING_BASE64X509CRLHEADER, pem, &n_pem));
    CRYPT_DATA_BLOB blob = {n_pem, (BYTE *)pem};
    HCERTSTORE store = NULL;
    const void *context = NULL;
    assert_true(CryptQueryObject(CERT_QUERY_OBJECT_BLOB, &blob, CERT_QUERY_CONTENT_FLAG_ALL, CERT_QUERY_FORMAT_FLAG_ALL,
                                 0, NULL, &content, &format, &store, NULL, &context));
    assert_int_equal(content, CERT_QUERY_CONTENT_CRL);
    assert_int_equal(format, CERT_QUERY_FORMAT_BASE64_ENCODED);
    assert_int_equal(((PCCRL_CONTEXT)context)->cbCrlEncoded, len);
    assert_true(CertFreeCRLContext(context));
    assert_true(CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG));
    mem_free(pem);
    OPENSSL_free(der);
    X509_CRL_free(crl);
}

int main(void)
{
    configure("");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test_teardown(test_long_list, nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
