/*
 * What [schannel] of the configuration decides: versions, ciphers, whether a client must show a certificate.
 * build: all
 */
#include "support/ntlm_loop.h"
#include "support/tls_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sspi_ext.h>

static struct wire text;

static void talk(struct loop_pair *pair)
{
    struct side *sides[2] = {&pair->client, &pair->server};
    for (size_t i = 0; i < 2; i++)
        for (size_t len = 1; len < 40; len++) {
            text.len = 0;
            assert_int_equal(
                side_send(sides[i], "a text whose padding changes with its length", len, &sides[1 - i]->in), SEC_E_OK);
            assert_int_equal(side_receive(sides[1 - i], &text), SEC_E_OK);
            assert_int_equal(text.len, len);
            assert_int_equal(sides[1 - i]->in.len, 0);
        }
}

static void test_old_versions(void **state)
{
    static const DWORD protocols[] = {SP_PROT_TLS1_0_CLIENT, SP_PROT_TLS1_1_CLIENT};
    (void)state;
    loop_configure("[schannel]\nmin_protocol = 1.0\n");
    for (size_t i = 0; i < 2; i++) {
        SecPkgContext_ConnectionInfo info;
        SecPkgContext_StreamSizes sizes;
        struct loop_pair *pair = pair_new();
        pair_acquire(pair, protocols[i], 0, SCH_CRED_MANUAL_CRED_VALIDATION);
        assert_true(pair_run(pair));
        assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_CONNECTION_INFO, &info), SEC_E_OK);
        assert_int_equal(info.dwProtocol, protocols[i]);
        assert_int_equal(info.aiHash, CALG_SHA1);
        assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_STREAM_SIZES, &sizes), SEC_E_OK);
        assert_int_equal(sizes.cbHeader, i == 0 ? 5 : 5 + 16);
        assert_int_equal(sizes.cbTrailer, 20 + 16);
        talk(pair);
        pair_free(pair);
    }
}

static void test_ciphers(void **state)
{
    SecPkgContext_CipherInfo info;
    SecPkgContext_StreamSizes sizes;
    struct side side = {.client = true};
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION};
    (void)state;
    loop_configure("[schannel]\nmax_protocol = 1.2\nciphers = ECDHE-ECDSA-AES128-SHA256\n");
    struct loop_pair *pair = pair_new();
    assert_true(pair_run(pair));
    assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_CIPHER_INFO, &info), SEC_E_OK);
    assert_int_equal(info.dwCipherSuite, 0xC023);
    assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_STREAM_SIZES, &sizes), SEC_E_OK);
    assert_int_equal(sizes.cbHeader, 5 + 16);
    assert_int_equal(sizes.cbTrailer, 32 + 16);
    talk(pair);
    pair_free(pair);
    loop_configure("[schannel]\nciphers = NO-SUCH-CIPHER\n");
    assert_int_equal(side_acquire_with(&side, NULL, 0, 0), SEC_E_INTERNAL_ERROR);
    loop_configure("[schannel]\nmin_protocol = 1.3\n");
    assert_int_equal(side_acquire_with(&side, NULL, SP_PROT_TLS1_2_CLIENT, 0), SEC_E_ALGORITHM_MISMATCH);
    /* Nothing older is left: programs with the older structure get TLS 1.3, too. */
    SecPkgCred_SupportedProtocols protocols;
    assert_int_equal(side_acquire(&side, &cred), SEC_E_OK);
    assert_int_equal(QueryCredentialsAttributesA(&side.credential, SECPKG_ATTR_SUPPORTED_PROTOCOLS, &protocols),
                     SEC_E_OK);
    assert_int_equal(protocols.grbitProtocol, SP_PROT_TLS1_3_CLIENT);
    FreeCredentialsHandle(&side.credential);
    loop_configure("[schannel]\nmax_protocol = 1.1\n");
    assert_int_equal(side_acquire(&side, &cred), SEC_E_ALGORITHM_MISMATCH);
    assert_non_null(strstr(OpenSspiLastErrorText(), "max_protocol"));
    loop_configure("[schannel]\nmin_protocol = 2\n");
    assert_int_equal(side_acquire_with(&side, NULL, 0, 0), SEC_E_INTERNAL_ERROR);
}

static void test_required_certificate(void **state)
{
    static const DWORD protocols[] = {SP_PROT_TLS1_2_CLIENT, SP_PROT_TLS1_3_CLIENT};
    (void)state;
    loop_configure("[schannel]\nrequire_client_certificate = yes\n");
    for (size_t i = 0; i < 4; i++) {
        struct loop_pair *pair = pair_new();
        bool has = i % 2 == 1;
        assert_int_equal(side_acquire_with(&pair->client, has ? pki_client() : NULL, protocols[i / 2], 0), SEC_E_OK);
        pair->client.flags |= ISC_REQ_USE_SUPPLIED_CREDS;
        pair->server.flags |= ASC_REQ_MUTUAL_AUTH;
        (void)pair_run(pair);
        assert_int_equal(pair->server.status, has ? SEC_E_OK : SEC_E_NO_CREDENTIALS);
        pair_free(pair);
    }
}

static int tear_down(void **state)
{
    (void)state;
    loop_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_old_versions),
        cmocka_unit_test(test_ciphers),
        cmocka_unit_test(test_required_certificate),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
