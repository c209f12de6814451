/*
 * schannel.h's functions over bytes: hellos and certificates that are cut, garbage, or not there at all.
 * build: all
 */
#include "support/tls_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/x509.h>
#include <sspi_ext.h>
#include <string.h>

/* A client's first flight. */
static struct loop_pair *hello_make(void)
{
    struct loop_pair *pair = pair_new();
    assert_int_equal(side_acquire_with(&pair->client, NULL, SP_PROT_TLS1_2_CLIENT, 0), SEC_E_OK);
    assert_int_equal(side_step(&pair->client), SEC_I_CONTINUE_NEEDED);
    return pair;
}

/* Cut at every byte it is not whole, and both functions say so. */
static void test_cut(void **state)
{
    struct loop_pair *pair = hello_make();
    unsigned char *hello = pair->client.out.data;
    DWORD len = (DWORD)pair->client.out.len, name_len = 0, missing = 0;
    PBYTE name = NULL;
    (void)state;
    for (DWORD n = 0; n < len; n++) {
        assert_int_equal(SslGetServerIdentity(hello, n, &name, &name_len, 0), SEC_E_INCOMPLETE_MESSAGE);
        assert_int_equal(SslGetExtensions(hello, n, NULL, 0, &missing, 0), SEC_E_INCOMPLETE_MESSAGE);
        assert_true(missing > 0 && missing <= len - n);
        assert_string_not_equal(OpenSspiLastErrorText(), "");
    }
    assert_null(name);
    assert_int_equal(SslGetServerIdentity(hello, len, &name, &name_len, 0), SEC_E_OK);
    assert_int_equal(name_len, strlen("server.test"));
    assert_memory_equal(name, "server.test", name_len);
    pair_free(pair);
}

/* Each byte changed: an answer within the hello, or a refusal. */
static void test_changed(void **state)
{
    struct loop_pair *pair = hello_make();
    unsigned char *hello = pair->client.out.data;
    DWORD len = (DWORD)pair->client.out.len;
    unsigned n_bad = 0;
    (void)state;
    for (DWORD i = 0; i < len; i++) {
        SCH_EXTENSION_DATA wanted[] = {{.ExtensionType = 0}, {.ExtensionType = 10}, {.ExtensionType = 0x7777}};
        PBYTE name = NULL;
        DWORD name_len = 0, missing = 0;
        hello[i] ^= 0xff;
        SECURITY_STATUS identity = SslGetServerIdentity(hello, len, &name, &name_len, 0);
        SECURITY_STATUS extensions = SslGetExtensions(hello, len, wanted, 3, &missing, 0);
        hello[i] ^= 0xff;
        assert_true(identity == SEC_E_OK || identity == SEC_E_INVALID_TOKEN || identity == SEC_E_INCOMPLETE_MESSAGE);
        assert_true(extensions == SEC_E_OK || extensions == SEC_E_INVALID_TOKEN ||
                    extensions == SEC_E_INCOMPLETE_MESSAGE);
        assert_true(name == NULL || (name >= hello && name + name_len <= hello + len));
        for (size_t k = 0; extensions == SEC_E_OK && k < 3; k++)
            assert_true(wanted[k].pExtData == NULL ||
                        (wanted[k].pExtData >= hello && wanted[k].pExtData + wanted[k].cbExtData <= hello + len));
        n_bad += identity == SEC_E_INVALID_TOKEN ? 1U : 0U;
    }
    assert_true(n_bad > 5);
    pair_free(pair);
}

static void test_missing(void **state)
{
    BYTE bytes[8] = {22, 3, 1, 0, 3, 1, 0, 0};
    PBYTE name;
    DWORD len = 0;
    SCH_EXTENSION_DATA wanted = {0};
    PX509Certificate cracked = NULL;
    (void)state;
    assert_int_equal(SslGetServerIdentity(NULL, 8, &name, &len, 0), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SslGetServerIdentity(bytes, 8, NULL, &len, 0), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SslGetServerIdentity(bytes, 8, &name, NULL, 0), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SslGetServerIdentity(bytes, 8, &name, &len, 1), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SslGetExtensions(NULL, 8, &wanted, 1, &len, 0), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SslGetExtensions(bytes, 8, NULL, 1, &len, 0), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SslGetExtensions(bytes, 8, &wanted, 1, &len, (SchGetExtensionsOptions)2), SEC_E_INVALID_PARAMETER);
    assert_int_equal(SslGetServerIdentity(bytes, 8, &name, &len, 0), SEC_E_INVALID_TOKEN);
    assert_int_equal(SslGetExtensions(bytes, 8, &wanted, 1, NULL, 0), SEC_E_INVALID_TOKEN);
    assert_false(SslCrackCertificate(NULL, 8, 0, &cracked));
    assert_false(SslCrackCertificate(bytes, 8, 0, NULL));
    assert_string_equal(OpenSspiLastErrorText(), "a pointer is missing");
    assert_false(SslCrackCertificate(bytes, 8, 0, &cracked));
    assert_null(cracked);
    SslFreeCertificate(NULL);
    assert_false(SslGetDefaultIssuers(bytes, NULL));
    assert_false(SslEmptyCacheA(NULL, 1));
    assert_false(SslEmptyCacheW(NULL, 1));
}

/* Cut anywhere, and with each byte changed: never more than what there is. */
static void test_certificates(void **state)
{
    PCCERT_CONTEXT context = pki_context(pki_server_rsa(), NULL, true);
    unsigned char copy[4096];
    DWORD len = context->cbCertEncoded;
    (void)state;
    assert_true(len <= sizeof copy);
    memcpy(copy, context->pbCertEncoded, len);
    CertFreeCertificateContext(context);
    for (DWORD n = 0; n < len; n++) {
        PX509Certificate cracked = NULL;
        assert_false(SslCrackCertificate(copy, n, 0, &cracked));
        assert_null(cracked);
        copy[n] ^= 0x55;
        if (SslCrackCertificate(copy, len, 0, &cracked)) {
            assert_non_null(cracked->pszSubject);
            assert_non_null(cracked->pszIssuer);
            SslFreeCertificate(cracked);
        }
        copy[n] ^= 0x55;
    }
    PX509Certificate whole = NULL;
    assert_true(SslCrackCertificate(copy, len, 0, &whole));
    SslFreeCertificate(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cut), cmocka_unit_test(test_changed),
                                       cmocka_unit_test(test_missing), cmocka_unit_test(test_certificates)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
