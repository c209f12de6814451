/*
 * Fields of SCHANNEL_CRED and SCH_CREDENTIALS, as the connection shows them: signatures and key exchanges that are switched off, also in TLS 1.3,
 * roots that are sent, certificates that are named by their hash, flags that need nothing done. Lifespans: test_sharing.c.
 * build: all
 */
#include "support/ntlm_loop.h"
#include "support/tls_loop.h"

#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sspi_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

/* Both kinds of certificates; the client's own taste decides. */
static SECURITY_STATUS acquire_both_kinds(struct side *side, DWORD protocols)
{
    PCCERT_CONTEXT contexts[2] = {pki_context(pki_server(), NULL, false), pki_context(pki_server_rsa(), NULL, false)};
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION,
                          .cCreds = 2,
                          .paCred = contexts,
                          .grbitEnabledProtocols = protocols & SP_PROT_TLS1_X_SERVER};
    SECURITY_STATUS status = side_acquire(side, &cred);
    CertFreeCertificateContext(contexts[0]);
    CertFreeCertificateContext(contexts[1]);
    return status;
}

static UNICODE_STRING wide(const WCHAR *word)
{
    USHORT len = 0;
    while (word[len / 2] != 0)
        len = (USHORT)(len + 2);
    return (UNICODE_STRING){.Length = len, .MaximumLength = len, .Buffer = (WCHAR *)(uintptr_t)word};
}

/* A client without this algorithm. */
static SECURITY_STATUS acquire_without(struct side *side, eTlsAlgorithmUsage usage, const WCHAR *word, DWORD disabled)
{
    CRYPTO_SETTINGS settings = {.eAlgorithmUsage = usage, .strCngAlgId = wide(word)};
    TLS_PARAMETERS parameters = {
        .grbitDisabledProtocols = disabled, .cDisabledCrypto = 1, .pDisabledCrypto = &settings};
    SCH_CREDENTIALS cred = {.dwVersion = SCH_CREDENTIALS_VERSION,
                            .dwFlags = SCH_CRED_MANUAL_CRED_VALIDATION,
                            .cTlsParameters = 1,
                            .pTlsParameters = &parameters};
    return side_acquire(side, &cred);
}

static SECURITY_STATUS acquire_with_algorithm(struct side *side, ALG_ID algorithm, DWORD protocols)
{
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION,
                          .cSupportedAlgs = 1,
                          .palgSupportedAlgs = &algorithm,
                          .grbitEnabledProtocols = protocols,
                          .dwFlags = SCH_CRED_MANUAL_CRED_VALIDATION};
    return side_acquire(side, &cred);
}

static void kind_is(struct loop_pair *pair, const char *kind)
{
    SecPkgContext_CipherInfo cipher;
    assert_int_equal(QueryContextAttributesW(&pair->client.context, SECPKG_ATTR_CIPHER_INFO, &cipher), SEC_E_OK);
    for (size_t i = 0; i <= strlen(kind); i++)
        assert_int_equal(cipher.szCertificate[i], (unsigned char)kind[i]);
}

/* What one side must not sign with is not taken of the other, whatever the version. */
static void test_signatures(void **state)
{
    static const struct {
        const WCHAR *without;
        const char *kind;
        ALG_ID alone;
    } cases[] = {{u"ECDSA", "RSA", CALG_RSA_SIGN}, {u"rsa", "ECDSA", CALG_ECDSA}};
    (void)state;
    EACH_TLS_VERSION(protocols)
    for (size_t i = 0; i < 4; i++) {
        struct loop_pair *pair = pair_new();
        DWORD others = SP_PROT_TLS1_X_CLIENT & ~protocols;
        assert_int_equal(
            i < 2 ? acquire_without(&pair->client, TlsParametersCngAlgUsageSignature, cases[i].without, others)
                  : acquire_with_algorithm(&pair->client, cases[i - 2].alone, protocols & SP_PROT_TLS1_X_CLIENT),
            SEC_E_OK);
        assert_int_equal(acquire_both_kinds(&pair->server, protocols), SEC_E_OK);
        assert_true(pair_run(pair));
        kind_is(pair, cases[i % 2].kind);
        /* A server that has the other kind only has nothing to show. */
        pair_restart(pair);
        FreeCredentialsHandle(&pair->server.credential);
        assert_int_equal(side_acquire_with(&pair->server, i % 2 == 0 ? pki_server() : pki_server_rsa(), 0, 0),
                         SEC_E_OK);
        assert_false(pair_run(pair));
        assert_int_equal(pair->server.status, SEC_E_ALGORITHM_MISMATCH);
        pair_free(pair);
    }
}

/* A server whose own credential forbids the kind of its certificate. */
static void test_own_signature(void **state)
{
    static const WCHAR word[] = u"ECDSA";
    CRYPTO_SETTINGS settings = {.eAlgorithmUsage = TlsParametersCngAlgUsageSignature, .strCngAlgId = wide(word)};
    TLS_PARAMETERS parameters = {.cDisabledCrypto = 1, .pDisabledCrypto = &settings};
    PCCERT_CONTEXT contexts[2] = {pki_context(pki_server(), NULL, false), pki_context(pki_server_rsa(), NULL, false)};
    SCH_CREDENTIALS cred = {.dwVersion = SCH_CREDENTIALS_VERSION,
                            .cCreds = 2,
                            .paCred = contexts,
                            .cTlsParameters = 1,
                            .pTlsParameters = &parameters};
    (void)state;
    EACH_TLS_VERSION(protocols)
    {
        struct loop_pair *pair = pair_new();
        assert_int_equal(side_acquire(&pair->server, &cred), SEC_E_OK);
        pair_acquire(pair, protocols & SP_PROT_TLS1_X_CLIENT, 0, SCH_CRED_MANUAL_CRED_VALIDATION);
        assert_true(pair_run(pair));
        kind_is(pair, "RSA");
        pair_free(pair);
    }
    CertFreeCertificateContext(contexts[0]);
    CertFreeCertificateContext(contexts[1]);
}

/* Does the client's hello offer a group of finite fields (RFC 7919: 0x0100 and up)? */
static bool offers_fields(const struct wire *hello)
{
    const unsigned char *at = hello->data + 5 + 4 + 2 + 32;
    at += 1 + at[0];
    at += 2 + ((size_t)at[0] << 8 | at[1]);
    at += 1 + at[0];
    const unsigned char *end = at + 2 + ((size_t)at[0] << 8 | at[1]);
    for (at += 2; at < end;) {
        size_t type = (size_t)at[0] << 8 | at[1], len = (size_t)at[2] << 8 | at[3];
        for (size_t i = 2; type == 10 && i < len; i += 2)
            if (at[4 + i] == 1)
                return true;
        at += 4 + len;
    }
    return false;
}

static void test_exchanges(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct loop_pair *pair = pair_new();
        DWORD others = SP_PROT_TLS1_2_CLIENT;
        if (i == 0)
            pair_acquire(pair, SP_PROT_TLS1_3_CLIENT, 0, SCH_CRED_MANUAL_CRED_VALIDATION);
        else
            assert_int_equal(i == 1 ? acquire_without(&pair->client, TlsParametersCngAlgUsageKeyExchange, u"DH", others)
                                    : acquire_with_algorithm(&pair->client, CALG_ECDH_EPHEM, SP_PROT_TLS1_3_CLIENT),
                             SEC_E_OK);
        pair_acquire(pair, 0, 0, 0);
        assert_int_equal(side_step(&pair->client), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(offers_fields(&pair->client.out), i == 0);
        assert_true(pair_go_on(pair));
        pair_free(pair);
    }
    /* Without elliptic curves there is no TLS 1.3 here. */
    struct side side = {.client = true};
    assert_int_equal(acquire_without(&side, TlsParametersCngAlgUsageKeyExchange, u"ECDH", SP_PROT_TLS1_2_CLIENT),
                     SEC_E_ALGORITHM_MISMATCH);
}

/* Names that would be passed over are refused; of what is never offered nothing is left to disable. */
static void test_names(void **state)
{
    static const struct {
        eTlsAlgorithmUsage usage;
        const WCHAR *word;
        SECURITY_STATUS expected;
    } cases[] = {
        {TlsParametersCngAlgUsageCipher, u"RC4", SEC_E_OK},
        {TlsParametersCngAlgUsageCipher, u"3DES", SEC_E_OK},
        {TlsParametersCngAlgUsageDigest, u"md5", SEC_E_OK},
        {TlsParametersCngAlgUsageSignature, u"DSA", SEC_E_OK},
        {TlsParametersCngAlgUsageKeyExchange, u"RSA", SEC_E_OK},
        {TlsParametersCngAlgUsageKeyExchange, u"ECDHE", SEC_E_UNSUPPORTED_FUNCTION},
        {TlsParametersCngAlgUsageKeyExchange, u"x25519", SEC_E_UNSUPPORTED_FUNCTION},
        {TlsParametersCngAlgUsageSignature, u"ECDSA_P256", SEC_E_UNSUPPORTED_FUNCTION},
        {TlsParametersCngAlgUsageCipher, u"AES256", SEC_E_UNSUPPORTED_FUNCTION},
        {TlsParametersCngAlgUsageDigest, u"", SEC_E_UNSUPPORTED_FUNCTION},
        {TlsParametersCngAlgUsageDigest, u"SHA\x0431", SEC_E_UNSUPPORTED_FUNCTION},
        {TlsParametersCngAlgUsageCertSig, u"SHA1", SEC_E_UNSUPPORTED_FUNCTION},
        {(eTlsAlgorithmUsage)77, u"AES", SEC_E_UNSUPPORTED_FUNCTION},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct side side = {.client = true};
        assert_int_equal(acquire_without(&side, cases[i].usage, cases[i].word, 0), cases[i].expected);
        side_end(&side);
    }
    struct side side = {.client = true};
    UNICODE_STRING mode = wide(u"ChainingModeXTS");
    CRYPTO_SETTINGS settings = {.strCngAlgId = wide(u"AES"), .cChainingModes = 1, .rgstrChainingModes = &mode};
    TLS_PARAMETERS parameters = {.cDisabledCrypto = 1, .pDisabledCrypto = &settings};
    SCH_CREDENTIALS cred = {.dwVersion = SCH_CREDENTIALS_VERSION, .cTlsParameters = 1, .pTlsParameters = &parameters};
    settings.eAlgorithmUsage = TlsParametersCngAlgUsageCipher;
    assert_int_equal(side_acquire(&side, &cred), SEC_E_UNSUPPORTED_FUNCTION);
    mode = wide(u"ChainingModeGCM");
    assert_int_equal(side_acquire(&side, &cred), SEC_E_OK);
    side_end(&side);
    settings.eAlgorithmUsage = TlsParametersCngAlgUsageDigest;
    settings.strCngAlgId = wide(u"SHA1");
    assert_int_equal(side_acquire(&side, &cred), SEC_E_UNSUPPORTED_FUNCTION); /* digests have no modes */
}

/* Does a client offer ChaCha20, in TLS 1.2 or 1.3? Its hello's list of suites has it. */
static bool offers_chacha(struct side *client)
{
    struct loop_pair *pair = pair_new();
    bool found = false;
    pair->client.credential = client->credential;
    assert_int_equal(side_step(&pair->client), SEC_I_CONTINUE_NEEDED);
    const unsigned char *at = pair->client.out.data + 5 + 4 + 2 + 32;
    at += 1 + at[0];
    size_t len = (size_t)at[0] << 8 | at[1];
    for (size_t i = 2; i < 2 + len; i += 2)
        found = found || (at[i] == 0x13 && at[i + 1] == 0x03) || (at[i] == 0xcc && at[i + 1] >= 0xa8);
    pair->client.credential = (CredHandle){0, 0};
    pair_free(pair);
    return found;
}

/* A cipher can be disabled by its chaining mode; ChaCha20's is that of ciphers that have none (BCRYPT_CHAIN_MODE_NA). */
static void test_chaining_modes(void **state)
{
    static const struct {
        const WCHAR *mode;
        bool offered;
    } cases[] = {{NULL, false}, {u"ChainingModeN/A", false}, {u"chainingmoden/a", false}, {u"ChainingModeGCM", true}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct side side = {.client = true};
        UNICODE_STRING mode = wide(cases[i].mode != NULL ? cases[i].mode : u"");
        CRYPTO_SETTINGS settings = {.eAlgorithmUsage = TlsParametersCngAlgUsageCipher,
                                    .strCngAlgId = wide(u"CHACHA20_POLY1305"),
                                    .cChainingModes = cases[i].mode != NULL ? 1 : 0,
                                    .rgstrChainingModes = &mode};
        TLS_PARAMETERS parameters = {.cDisabledCrypto = 1, .pDisabledCrypto = &settings};
        SCH_CREDENTIALS cred = {
            .dwVersion = SCH_CREDENTIALS_VERSION, .cTlsParameters = 1, .pTlsParameters = &parameters};
        assert_int_equal(side_acquire(&side, &cred), SEC_E_OK);
        assert_int_equal(offers_chacha(&side), cases[i].offered);
        side_end(&side);
    }
}

static unsigned n_sent(DWORD flags)
{
    struct loop_pair *pair = pair_new();
    PCCERT_CONTEXT context, at = NULL;
    unsigned n = 0;
    assert_int_equal(side_acquire_with(&pair->server, pki_server(), 0, flags), SEC_E_OK);
    assert_true(pair_run(pair));
    assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &context),
                     SEC_E_OK);
    while ((at = CertEnumCertificatesInStore(context->hCertStore, at)) != NULL)
        n++;
    CertFreeCertificateContext(context);
    pair_free(pair);
    return n;
}

static void test_root(void **state)
{
    (void)state;
    assert_int_equal(n_sent(0), 1);
    assert_int_equal(n_sent(SCH_SEND_ROOT_CERT), 2);
}

/* Flags about mappers, caches and fetching: none of that is here, so nothing has to be done. */
static void test_flags_that_need_nothing(void **state)
{
    static const DWORD flags[] = {SCH_CRED_NO_SYSTEM_MAPPER,         SCH_CRED_REVOCATION_CHECK_CACHE_ONLY,
                                  SCH_CRED_CACHE_ONLY_URL_RETRIEVAL, SCH_CRED_CACHE_ONLY_URL_RETRIEVAL_ON_CREATE,
                                  SCH_CRED_MEMORY_STORE_CERT,        SCH_CRED_NO_DEFAULT_CREDS,
                                  SCH_ALLOW_NULL_ENCRYPTION};
    (void)state;
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        struct loop_pair *pair = pair_new();
        SecPkgContext_ConnectionInfo info;
        assert_int_equal(side_acquire_with(&pair->server, pki_server(), 0, flags[i]), SEC_E_OK);
        pair_acquire(pair, 0, 0, flags[i]);
        assert_true(pair_run(pair));
        assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_CONNECTION_INFO, &info), SEC_E_OK);
        assert_true(info.dwCipherStrength >= 112);
        pair_free(pair);
    }
}

static void my_store_make(const struct pki *pki)
{
    char path[300], setting[700];
    snprintf(path, sizeof path, "%s/my.pem", loop_directory());
    snprintf(setting, sizeof setting, "[certificates]\nmy = %s\nmachine_my = %s\n", path, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fchmod(fileno(file), 0600), 0);
    assert_int_equal(PEM_write_X509(file, pki->x509), 1);
    assert_int_equal(PEM_write_PrivateKey(file, pki->key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    loop_configure(setting);
}

/* dwCredFormat: the certificate by its SHA-1 hash, in MY or in the store that is named. */
static void test_hashes(void **state)
{
    SCHANNEL_CERT_HASH hash = {.dwLength = sizeof hash};
    SCHANNEL_CERT_HASH_STORE in_store = {.dwLength = sizeof in_store};
    unsigned int len = 0;
    void *named[1];
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION, .cCreds = 1, .paCred = (PCCERT_CONTEXT *)named};
    (void)state;
    loop_configure("");
    my_store_make(pki_server());
    X509_digest(pki_server()->x509, EVP_sha1(), hash.ShaHash, &len);
    memcpy(in_store.ShaHash, hash.ShaHash, sizeof hash.ShaHash);
    memcpy(in_store.pwszStoreName, u"MY", 6);
    for (DWORD i = 0; i < 4; i++) {
        struct loop_pair *pair = pair_new();
        hash.dwFlags = in_store.dwFlags = i >= 2 ? SCH_MACHINE_CERT_HASH : 0;
        cred.dwCredFormat = i % 2 == 0 ? SCH_CRED_FORMAT_CERT_HASH : SCH_CRED_FORMAT_CERT_HASH_STORE;
        named[0] = i % 2 == 0 ? (void *)&hash : &in_store;
        assert_int_equal(side_acquire(&pair->server, &cred), SEC_E_OK);
        assert_true(pair_run(pair)); /* validated by name and root */
        pair_free(pair);
    }
    struct side side = {.client = false};
    in_store.dwFlags = 2;
    assert_int_equal(side_acquire(&side, &cred), SEC_E_UNKNOWN_CREDENTIALS);
    in_store.dwFlags = 0;
    in_store.dwLength--;
    assert_int_equal(side_acquire(&side, &cred), SEC_E_UNKNOWN_CREDENTIALS);
    in_store.dwLength++;
    in_store.hProv = 1;
    assert_int_equal(side_acquire(&side, &cred), SEC_E_UNKNOWN_CREDENTIALS);
    in_store.hProv = 0;
    in_store.ShaHash[0] ^= 1;
    assert_int_equal(side_acquire(&side, &cred), SEC_E_NO_CREDENTIALS);
    in_store.ShaHash[0] ^= 1;
    memcpy(in_store.pwszStoreName, u"NO", 6);
    assert_int_equal(side_acquire(&side, &cred), SEC_E_NO_CREDENTIALS);
    for (size_t i = 0; i < SCH_CRED_MAX_STORE_NAME_SIZE; i++)
        in_store.pwszStoreName[i] = 'M';
    assert_int_equal(side_acquire(&side, &cred), SEC_E_UNKNOWN_CREDENTIALS);
    cred.dwCredFormat = 3;
    assert_int_equal(side_acquire(&side, &cred), SEC_E_UNKNOWN_CREDENTIALS);
    cred.cCreds = 0; /* where it does not matter it may be anything, as on Windows */
    assert_int_equal(side_acquire(&side, &cred), SEC_E_OK);
    loop_cleanup();
}

/* A SCHANNEL_CRED that names no protocols ends at TLS 1.2, as on Windows; where that leaves the two without a version, the words say so. */
static void test_older_structure(void **state)
{
    const SCHANNEL_CRED older = {.dwVersion = SCHANNEL_CRED_VERSION, .dwFlags = SCH_CRED_MANUAL_CRED_VALIDATION};
    SecPkgContext_ConnectionInfo info;
    (void)state;
    for (DWORD server = SP_PROT_TLS1_2_SERVER; server <= SP_PROT_TLS1_3_SERVER; server <<= 2) {
        struct loop_pair *pair = pair_new();
        assert_int_equal(side_acquire(&pair->client, &older), SEC_E_OK);
        assert_int_equal(side_acquire_with(&pair->server, pki_server(), server, 0), SEC_E_OK);
        assert_int_equal(pair_run(pair), server == SP_PROT_TLS1_2_SERVER);
        if (server == SP_PROT_TLS1_2_SERVER) {
            assert_int_equal(QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_CONNECTION_INFO, &info),
                             SEC_E_OK);
            assert_int_equal(info.dwProtocol, SP_PROT_TLS1_2_CLIENT);
        } else {
            side_hand_over(&pair->server, &pair->client);
            assert_int_equal(side_step(&pair->client), SEC_E_UNSUPPORTED_FUNCTION);
            assert_non_null(strstr(OpenSspiLastErrorText(), "SCH_CREDENTIALS"));
        }
        pair_free(pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_older_structure),
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_own_signature),
        cmocka_unit_test(test_exchanges),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_chaining_modes),
        cmocka_unit_test(test_root),
        cmocka_unit_test(test_flags_that_need_nothing),
        cmocka_unit_test(test_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
