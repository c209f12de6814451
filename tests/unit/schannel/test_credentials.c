/*
 * Credentials of Schannel: the table of Windows' behaviour, each field honoured or refused, and the credential's attributes.
 * build: all
 */
#include "support/tls_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static CredHandle handle;

static SECURITY_STATUS acquire_as(const char *package, ULONG use, const void *cred)
{
    return AcquireCredentialsHandleA(NULL, (char *)(uintptr_t)package, use, NULL, (void *)(uintptr_t)cred, NULL, NULL,
                                     &handle, NULL);
}

static SECURITY_STATUS acquire(ULONG use, const void *cred)
{
    SECURITY_STATUS status = acquire_as(SCHANNEL_NAME_A, use, cred);
    if (status == SEC_E_OK)
        assert_int_equal(FreeCredentialsHandle(&handle), SEC_E_OK);
    return status;
}

static SECURITY_STATUS acquire_flags(ULONG use, DWORD flags)
{
    return acquire(use, &(SCHANNEL_CRED){.dwVersion = SCHANNEL_CRED_VERSION, .dwFlags = flags});
}

static SECURITY_STATUS acquire_protocols(ULONG use, DWORD protocols)
{
    return acquire(use, &(SCHANNEL_CRED){.dwVersion = SCHANNEL_CRED_VERSION, .grbitEnabledProtocols = protocols});
}

static void test_packages(void **state)
{
    static const char *const names[] = {"Schannel", "Microsoft Unified Security Protocol Provider", "Default TLS SSP",
                                        "SCHANNEL"};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        PSecPkgInfoA info;
        assert_int_equal(QuerySecurityPackageInfoA((char *)(uintptr_t)names[i], &info), SEC_E_OK);
        assert_int_equal(info->fCapabilities, 0x107B3);
        assert_int_equal(info->wRPCID, 14);
        assert_int_equal(info->cbMaxToken, 24576);
        assert_string_equal(info->Comment, "Schannel Security Package");
        FreeContextBuffer(info);
        assert_int_equal(acquire_as(names[i], SECPKG_CRED_OUTBOUND, NULL), SEC_E_OK);
        FreeCredentialsHandle(&handle);
    }
    assert_int_equal(acquire_as(NULL, SECPKG_CRED_OUTBOUND, NULL), SEC_E_SECPKG_NOT_FOUND);
}

static void test_direction(void **state)
{
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION};
    (void)state;
    assert_int_equal(acquire(0, &cred), SEC_E_NO_CREDENTIALS);
    assert_int_equal(acquire(SECPKG_CRED_BOTH, &cred), SEC_E_NO_CREDENTIALS);
    assert_int_equal(acquire(SECPKG_CRED_INBOUND, NULL), SEC_E_NO_CREDENTIALS);
    assert_int_equal(acquire(SECPKG_CRED_OUTBOUND, NULL), SEC_E_OK);
    assert_int_equal(acquire(SECPKG_CRED_INBOUND, &cred), SEC_E_OK);
    assert_int_equal(acquire(SECPKG_CRED_OUTBOUND, &cred), SEC_E_OK);
}

static void test_protocols(void **state)
{
    (void)state;
    assert_int_equal(acquire_protocols(SECPKG_CRED_OUTBOUND, SP_PROT_TLS1_2_SERVER), SEC_E_ALGORITHM_MISMATCH);
    assert_int_equal(acquire_protocols(SECPKG_CRED_INBOUND, SP_PROT_TLS1_2_CLIENT), SEC_E_ALGORITHM_MISMATCH);
    assert_int_equal(acquire_protocols(SECPKG_CRED_OUTBOUND, SP_PROT_TLS1_2), SEC_E_OK);
    assert_int_equal(acquire_protocols(SECPKG_CRED_OUTBOUND, SP_PROT_TLS1_2 | SP_PROT_DTLS1_2),
                     SEC_E_ALGORITHM_MISMATCH);
    assert_int_equal(acquire_protocols(SECPKG_CRED_OUTBOUND, SP_PROT_DTLS1_2), SEC_E_OK);
    /* Older ones are for the configuration to allow. */
    assert_int_equal(acquire_protocols(SECPKG_CRED_OUTBOUND, SP_PROT_TLS1_0), SEC_E_ALGORITHM_MISMATCH);
    assert_int_equal(acquire_protocols(SECPKG_CRED_OUTBOUND, SP_PROT_SSL3 | SP_PROT_SSL2), SEC_E_ALGORITHM_MISMATCH);
    assert_int_equal(acquire_protocols(SECPKG_CRED_OUTBOUND, SP_PROT_SSL3 | SP_PROT_TLS1_X), SEC_E_OK);
}

static void test_versions(void **state)
{
    (void)state;
    for (DWORD version = 0; version < 12; version++) {
        SECURITY_STATUS expected = version == 4 || version == 5 ? SEC_E_OK : SEC_E_UNKNOWN_CREDENTIALS;
        SCH_CREDENTIALS five = {.dwVersion = version};
        SCHANNEL_CRED four = {.dwVersion = version};
        assert_int_equal(acquire(SECPKG_CRED_OUTBOUND, version == 5 ? (void *)&five : (void *)&four), expected);
    }
}

static void test_certificates(void **state)
{
    const CERT_CONTEXT malformed = {.dwCertEncodingType = X509_ASN_ENCODING,
                                    .pbCertEncoded = (BYTE *)(uintptr_t) "no certificate",
                                    .cbCertEncoded = 14};
    PCCERT_CONTEXT contexts[2] = {&malformed, NULL};
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION, .cCreds = 1, .paCred = contexts};
    (void)state;
    for (ULONG use = SECPKG_CRED_INBOUND; use <= SECPKG_CRED_OUTBOUND; use++) {
        contexts[0] = &malformed;
        assert_int_equal(acquire(use, &cred), SEC_E_UNKNOWN_CREDENTIALS);
        contexts[0] = NULL;
        assert_int_equal(acquire(use, &cred), SEC_E_UNKNOWN_CREDENTIALS);
        contexts[0] = pki_context(pki_server(), NULL, true);
        assert_int_equal(acquire(use, &cred), SEC_E_NO_CREDENTIALS);
        CertFreeCertificateContext(contexts[0]);
        contexts[0] = pki_context(pki_server(), NULL, false);
        assert_int_equal(acquire(use, &cred), SEC_E_OK);
        contexts[1] = contexts[0];
        cred.cCreds = 2;
        assert_int_equal(acquire(use, &cred), SEC_E_UNKNOWN_CREDENTIALS);
        contexts[1] = pki_context(pki_server_rsa(), NULL, false);
        assert_int_equal(acquire(use, &cred), SEC_E_OK);
        CertFreeCertificateContext(contexts[0]);
        CertFreeCertificateContext(contexts[1]);
        cred.cCreds = 1;
    }
    cred.cCreds = 3;
    cred.paCred = NULL;
    assert_int_equal(acquire(SECPKG_CRED_OUTBOUND, &cred), SEC_E_UNKNOWN_CREDENTIALS);
}

static void test_refused_fields(void **state)
{
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION, .cMappers = 1};
    (void)state;
    assert_int_equal(acquire(SECPKG_CRED_OUTBOUND, &cred), SEC_E_UNSUPPORTED_FUNCTION);
    cred.cMappers = 0;
    cred.hRootStore = &cred; /* no store */
    assert_int_equal(acquire(SECPKG_CRED_OUTBOUND, &cred), SEC_E_INVALID_HANDLE);
    cred.hRootStore = NULL;
    cred.cSupportedAlgs = 1;
    assert_int_equal(acquire(SECPKG_CRED_OUTBOUND, &cred), SEC_E_UNKNOWN_CREDENTIALS);
    assert_int_equal(acquire_flags(SECPKG_CRED_OUTBOUND, 0x80000000), SEC_E_UNKNOWN_CREDENTIALS);
    assert_int_equal(acquire_flags(SECPKG_CRED_INBOUND, SCH_CRED_SNI_ENABLE_OCSP), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(acquire_flags(SECPKG_CRED_OUTBOUND, SCH_USE_PRESHAREDKEY_ONLY), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(acquire_flags(SECPKG_CRED_OUTBOUND, SCH_CRED_DEFERRED_CRED_VALIDATION),
                     SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(acquire_flags(SECPKG_CRED_OUTBOUND, SCH_CRED_RESTRICTED_ROOTS), SEC_E_UNKNOWN_CREDENTIALS);
    assert_int_equal(
        acquire_flags(SECPKG_CRED_OUTBOUND, SCH_CRED_MANUAL_CRED_VALIDATION | SCH_CRED_AUTO_CRED_VALIDATION),
        SEC_E_UNKNOWN_CREDENTIALS);
    assert_int_equal(acquire_flags(SECPKG_CRED_OUTBOUND, SCH_CRED_NO_DEFAULT_CREDS | SCH_CRED_USE_DEFAULT_CREDS),
                     SEC_E_UNKNOWN_CREDENTIALS);
    assert_int_equal(acquire_flags(SECPKG_CRED_OUTBOUND, SCH_USE_STRONG_CRYPTO | SCH_CRED_NO_SERVERNAME_CHECK |
                                                             SCH_CRED_REVOCATION_CHECK_CHAIN | SCH_SEND_AUX_RECORD),
                     SEC_E_OK);
}

static DWORD protocols_of(const void *cred, ULONG use)
{
    SecPkgCred_SupportedProtocols protocols = {0};
    assert_int_equal(acquire_as(SCHANNEL_NAME_A, use, cred), SEC_E_OK);
    assert_int_equal(QueryCredentialsAttributesA(&handle, SECPKG_ATTR_SUPPORTED_PROTOCOLS, &protocols), SEC_E_OK);
    FreeCredentialsHandle(&handle);
    return protocols.grbitProtocol;
}

static void test_protocols_attribute(void **state)
{
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION};
    (void)state;
    assert_int_equal(protocols_of(NULL, SECPKG_CRED_OUTBOUND), SP_PROT_TLS1_2_CLIENT | SP_PROT_TLS1_3_CLIENT);
    assert_int_equal(protocols_of(&(SCH_CREDENTIALS){.dwVersion = SCH_CREDENTIALS_VERSION}, SECPKG_CRED_INBOUND),
                     SP_PROT_TLS1_2_SERVER | SP_PROT_TLS1_3_SERVER);
    /* Programs with the older structure did not meet TLS 1.3 on Windows: they get it when they name it. */
    assert_int_equal(protocols_of(&cred, SECPKG_CRED_INBOUND), SP_PROT_TLS1_2_SERVER);
    assert_int_equal(protocols_of(&cred, SECPKG_CRED_OUTBOUND), SP_PROT_TLS1_2_CLIENT);
    cred.grbitEnabledProtocols = SP_PROT_TLS1_X;
    assert_int_equal(protocols_of(&cred, SECPKG_CRED_OUTBOUND), SP_PROT_TLS1_2_CLIENT | SP_PROT_TLS1_3_CLIENT);
    cred.grbitEnabledProtocols = SP_PROT_TLS1_2_CLIENT;
    assert_int_equal(protocols_of(&cred, SECPKG_CRED_OUTBOUND), SP_PROT_TLS1_2_CLIENT);
    cred.grbitEnabledProtocols = SP_PROT_DTLS1_2_SERVER;
    assert_int_equal(protocols_of(&cred, SECPKG_CRED_INBOUND), SP_PROT_DTLS1_2_SERVER);
    cred.grbitEnabledProtocols = 0;
    cred.dwFlags = SCH_USE_DTLS_ONLY;
    assert_int_equal(protocols_of(&cred, SECPKG_CRED_OUTBOUND), SP_PROT_DTLS1_2_CLIENT);
    assert_int_equal(acquire_as(SCHANNEL_NAME_A, SECPKG_CRED_OUTBOUND, NULL), SEC_E_OK);
    assert_int_equal(QueryCredentialsAttributesA(&handle, SECPKG_ATTR_SUPPORTED_PROTOCOLS, NULL), SEC_E_INTERNAL_ERROR);
    assert_int_equal(QueryCredentialsAttributesA(&handle, SECPKG_ATTR_UI_INFO, &cred), SEC_E_UNSUPPORTED_FUNCTION);
    SecPkgCred_SupportedProtocols protocols;
    assert_int_equal(QueryCredentialsAttributesExA(&handle, SECPKG_ATTR_SUPPORTED_PROTOCOLS, &protocols, 3),
                     SEC_E_BUFFER_TOO_SMALL);
    FreeCredentialsHandle(&handle);
}

static void test_strengths(void **state)
{
    SecPkgCred_CipherStrengths strengths;
    SecPkgCred_SupportedAlgs algorithms;
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION, .dwMinimumCipherStrength = 256};
    (void)state;
    assert_int_equal(acquire_as(SCHANNEL_NAME_A, SECPKG_CRED_OUTBOUND, &cred), SEC_E_OK);
    assert_int_equal(QueryCredentialsAttributesA(&handle, SECPKG_ATTR_CIPHER_STRENGTHS, &strengths), SEC_E_OK);
    assert_int_equal(strengths.dwMinimumCipherStrength, 256);
    assert_int_equal(strengths.dwMaximumCipherStrength, 256);
    assert_int_equal(QueryCredentialsAttributesA(&handle, SECPKG_ATTR_SUPPORTED_ALGS, &algorithms), SEC_E_OK);
    bool has_256 = false;
    for (DWORD i = 0; i < algorithms.cSupportedAlgs; i++) {
        assert_int_not_equal(algorithms.palgSupportedAlgs[i], CALG_AES_128);
        has_256 = has_256 || algorithms.palgSupportedAlgs[i] == CALG_AES_256;
    }
    assert_true(has_256);
    FreeContextBuffer(algorithms.palgSupportedAlgs);
    FreeCredentialsHandle(&handle);
    cred.dwMinimumCipherStrength = 0;
    cred.dwMaximumCipherStrength = 64;
    assert_int_equal(acquire(SECPKG_CRED_OUTBOUND, &cred), SEC_E_ALGORITHM_MISMATCH);
    cred.dwMaximumCipherStrength = UINT32_MAX;
    cred.dwMinimumCipherStrength = UINT32_MAX;
    assert_int_equal(acquire(SECPKG_CRED_OUTBOUND, &cred), SEC_E_ALGORITHM_MISMATCH);
}

static void test_algorithms(void **state)
{
    ALG_ID algorithms[] = {CALG_AES_128, CALG_SHA_256, CALG_ECDH_EPHEM, CALG_ECDSA};
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION, .cSupportedAlgs = 4, .palgSupportedAlgs = algorithms};
    SecPkgCred_SupportedAlgs known;
    (void)state;
    assert_int_equal(acquire_as(SCHANNEL_NAME_A, SECPKG_CRED_OUTBOUND, &cred), SEC_E_OK);
    assert_int_equal(QueryCredentialsAttributesA(&handle, SECPKG_ATTR_SUPPORTED_ALGS, &known), SEC_E_OK);
    assert_int_equal(known.cSupportedAlgs, 4);
    FreeContextBuffer(known.palgSupportedAlgs);
    FreeCredentialsHandle(&handle);
    /* What only the protocols have that are switched off is not there. */
    for (int i = 0; i < 2; i++) {
        cred = (SCHANNEL_CRED){.dwVersion = SCHANNEL_CRED_VERSION,
                               .grbitEnabledProtocols = i == 0 ? SP_PROT_TLS1_3_CLIENT : SP_PROT_TLS1_2_CLIENT};
        assert_int_equal(acquire_as(SCHANNEL_NAME_A, SECPKG_CRED_OUTBOUND, &cred), SEC_E_OK);
        assert_int_equal(QueryCredentialsAttributesA(&handle, SECPKG_ATTR_SUPPORTED_ALGS, &known), SEC_E_OK);
        bool has_rsa = false;
        for (DWORD j = 0; j < known.cSupportedAlgs; j++)
            has_rsa = has_rsa || known.palgSupportedAlgs[j] == CALG_RSA_KEYX;
        assert_int_equal(has_rsa, i != 0);
        FreeContextBuffer(known.palgSupportedAlgs);
        FreeCredentialsHandle(&handle);
    }
    cred = (SCHANNEL_CRED){.dwVersion = SCHANNEL_CRED_VERSION, .cSupportedAlgs = 4, .palgSupportedAlgs = algorithms};
    algorithms[0] = CALG_RC4;
    assert_int_equal(acquire(SECPKG_CRED_OUTBOUND, &cred), SEC_E_ALGORITHM_MISMATCH);
    /* RSA's key exchange alone leaves TLS 1.2 without TLS 1.3. */
    algorithms[0] = CALG_RSA_KEYX;
    cred.cSupportedAlgs = 1;
    assert_int_equal(protocols_of(&cred, SECPKG_CRED_OUTBOUND), SP_PROT_TLS1_2_CLIENT);
}

static UNICODE_STRING wide(const WCHAR *text, size_t n_units)
{
    return (UNICODE_STRING){
        .Length = (USHORT)(n_units * 2), .MaximumLength = (USHORT)(n_units * 2), .Buffer = (WCHAR *)(uintptr_t)text};
}

static void test_parameters(void **state)
{
    static const WCHAR aes[] = u"AES", cbc[] = u"ChainingModeCBC", sha384[] = u"SHA384";
    UNICODE_STRING mode = wide(cbc, 15);
    CRYPTO_SETTINGS settings[2] = {
        {.eAlgorithmUsage = TlsParametersCngAlgUsageCipher,
         .strCngAlgId = wide(aes, 3),
         .cChainingModes = 1,
         .rgstrChainingModes = &mode},
        {.eAlgorithmUsage = TlsParametersCngAlgUsageDigest, .strCngAlgId = wide(sha384, 6)},
    };
    TLS_PARAMETERS parameters = {
        .grbitDisabledProtocols = SP_PROT_TLS1_3_CLIENT, .cDisabledCrypto = 2, .pDisabledCrypto = settings};
    SCH_CREDENTIALS cred = {.dwVersion = SCH_CREDENTIALS_VERSION, .cTlsParameters = 1, .pTlsParameters = &parameters};
    SecPkgCred_SupportedAlgs known;
    (void)state;
    assert_int_equal(protocols_of(&cred, SECPKG_CRED_OUTBOUND), SP_PROT_TLS1_2_CLIENT);
    assert_int_equal(acquire_as(SCHANNEL_NAME_A, SECPKG_CRED_OUTBOUND, &cred), SEC_E_OK);
    assert_int_equal(QueryCredentialsAttributesA(&handle, SECPKG_ATTR_SUPPORTED_ALGS, &known), SEC_E_OK);
    for (DWORD i = 0; i < known.cSupportedAlgs; i++) {
        assert_int_not_equal(known.palgSupportedAlgs[i], CALG_SHA_384);
        assert_int_not_equal(known.palgSupportedAlgs[i], CALG_SHA1); /* only CBC suites have it */
    }
    FreeContextBuffer(known.palgSupportedAlgs);
    FreeCredentialsHandle(&handle);
    settings[0].eAlgorithmUsage = TlsParametersCngAlgUsageCertSig;
    assert_int_equal(acquire(SECPKG_CRED_OUTBOUND, &cred), SEC_E_UNSUPPORTED_FUNCTION);
    parameters.cDisabledCrypto = 0;
    parameters.cAlpnIds = 1;
    assert_int_equal(acquire(SECPKG_CRED_OUTBOUND, &cred), SEC_E_UNSUPPORTED_FUNCTION);
    parameters.cAlpnIds = 0;
    parameters.grbitDisabledProtocols = SP_PROT_TLS1_X;
    assert_int_equal(acquire(SECPKG_CRED_OUTBOUND, &cred), SEC_E_ALGORITHM_MISMATCH);
    cred.cTlsParameters = 17;
    assert_int_equal(acquire(SECPKG_CRED_OUTBOUND, &cred), SEC_E_UNKNOWN_CREDENTIALS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packages),
        cmocka_unit_test(test_direction),
        cmocka_unit_test(test_protocols),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_refused_fields),
        cmocka_unit_test(test_protocols_attribute),
        cmocka_unit_test(test_strengths),
        cmocka_unit_test(test_algorithms),
        cmocka_unit_test(test_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
