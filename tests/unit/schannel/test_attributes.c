/*
 * Attributes of TLS contexts: both sides agree, and what other libraries derive is the same.
 * build: all
 */
#include "support/memory_search.h"
#include "support/ntlm_loop.h"
#include "support/tls_loop.h"
#include "support/wide.h"

#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <setjmp.h>
#include <sspi_ext.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct loop_pair *established(DWORD protocols, const struct pki *server)
{
    struct loop_pair *pair = pair_new();
    assert_int_equal(side_acquire_with(&pair->server, server, protocols & SP_PROT_TLS1_X_SERVER, 0), SEC_E_OK);
    pair_acquire(pair, 0, 0, SCH_CRED_MANUAL_CRED_VALIDATION);
    assert_true(pair_run(pair));
    return pair;
}

static SECURITY_STATUS query(struct side *side, ULONG attribute, void *to)
{
    return QueryContextAttributesW(&side->context, attribute, to);
}

static void test_infos(void **state)
{
    (void)state;
    for (DWORD protocols = SP_PROT_TLS1_2; protocols <= SP_PROT_TLS1_3; protocols <<= 2) {
        bool is_1_3 = protocols == SP_PROT_TLS1_3;
        struct loop_pair *pair = established(protocols, pki_server());
        struct side *sides[2] = {&pair->client, &pair->server};
        for (size_t i = 0; i < 2; i++) {
            SecPkgContext_ConnectionInfo info;
            SecPkgContext_ConnectionInfoEx info_ex;
            SecPkgContext_CipherInfo cipher;
            SecPkgContext_StreamSizes sizes;
            SecPkgContext_KeyInfoW key;
            SecPkgContext_Flags flags;
            SecPkgContext_Lifespan lifespan;
            SecPkgContext_EarlyStart early = {7};
            assert_int_equal(query(sides[i], SECPKG_ATTR_CONNECTION_INFO, &info), SEC_E_OK);
            assert_int_equal(info.dwProtocol, protocols & (i == 0 ? SP_PROT_TLS1_X_CLIENT : SP_PROT_TLS1_X_SERVER));
            assert_int_equal(info.aiCipher, CALG_AES_256);
            assert_int_equal(info.dwCipherStrength, 256);
            assert_int_equal(info.aiHash, CALG_SHA_384);
            assert_int_equal(info.aiExch, CALG_ECDH_EPHEM);
            assert_true(info.dwExchStrength >= 253 && info.dwExchStrength <= 256); /* X25519 */
            assert_int_equal(query(sides[i], SECPKG_ATTR_CONNECTION_INFO_EX, &info_ex), SEC_E_OK);
            assert_wide_equal(info_ex.szCipher, "AES");
            assert_wide_equal(info_ex.szHash, "SHA384");
            assert_int_equal(query(sides[i], SECPKG_ATTR_CIPHER_INFO, &cipher), SEC_E_OK);
            assert_int_equal(cipher.dwVersion, 1);
            assert_int_equal(cipher.dwProtocol, is_1_3 ? 0x0304 : 0x0303);
            assert_int_equal(cipher.dwCipherSuite, is_1_3 ? 0x1302 : 0xC02C);
            assert_wide_equal(cipher.szCipherSuite,
                              is_1_3 ? "TLS_AES_256_GCM_SHA384" : "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
            assert_wide_equal(cipher.szCertificate, "ECDSA");
            assert_int_equal(query(sides[i], SECPKG_ATTR_STREAM_SIZES, &sizes), SEC_E_OK);
            assert_int_equal(sizes.cbHeader, is_1_3 ? 5 : 13);
            assert_int_equal(sizes.cbTrailer, is_1_3 ? 17 : 16);
            assert_int_equal(query(sides[i], SECPKG_ATTR_KEY_INFO, &key), SEC_E_OK);
            assert_wide_equal(key.sEncryptAlgorithmName, "AES");
            assert_int_equal(key.KeySize, 256);
            FreeContextBuffer(key.sEncryptAlgorithmName);
            FreeContextBuffer(key.sSignatureAlgorithmName);
            assert_int_equal(query(sides[i], SECPKG_ATTR_FLAGS, &flags), SEC_E_OK);
            assert_int_equal(flags.Flags, sides[i]->attributes & ~(ULONG)ISC_RET_ALLOCATED_MEMORY);
            assert_int_equal(query(sides[i], SECPKG_ATTR_LIFESPAN, &lifespan), SEC_E_OK);
            assert_true(lifespan.tsStart.QuadPart < lifespan.tsExpiry.QuadPart);
            /* Nothing is sent before the peer's Finished, and nobody can ask for it. */
            assert_int_equal(query(sides[i], SECPKG_ATTR_EARLY_START, &early), SEC_E_OK);
            assert_int_equal(early.dwEarlyStartFlags, 0);
            CtxtHandle *context = &sides[i]->context;
            assert_int_equal(SetContextAttributesW(context, SECPKG_ATTR_EARLY_START, &early, sizeof early), SEC_E_OK);
            early.dwEarlyStartFlags = ENABLE_TLS_CLIENT_EARLY_START;
            assert_int_equal(SetContextAttributesW(context, SECPKG_ATTR_EARLY_START, &early, sizeof early),
                             SEC_E_UNSUPPORTED_FUNCTION);
            assert_int_equal(query(sides[i], SECPKG_ATTR_SIZES, &sizes), SEC_E_UNSUPPORTED_FUNCTION);
            assert_int_equal(query(sides[i], 9999, &sizes), SEC_E_UNSUPPORTED_FUNCTION);
            assert_int_equal(query(sides[i], SECPKG_ATTR_STREAM_SIZES, NULL), SEC_E_INTERNAL_ERROR);
        }
        pair_free(pair);
    }
}

/* The exchange's strength is the ephemeral key's on both sides and in resumed connections, never that of the RSA key which signed it. */
static void test_exchange_strength(void **state)
{
    (void)state;
    for (DWORD protocols = SP_PROT_TLS1_2; protocols <= SP_PROT_TLS1_3; protocols <<= 2) {
        struct loop_pair *pair = established(protocols, pki_server_rsa());
        struct side *sides[2] = {&pair->client, &pair->server};
        for (unsigned turn = 0; turn < 2; turn++) {
            for (size_t i = 0; i < 2; i++) {
                SecPkgContext_ConnectionInfo info;
                SecPkgContext_ConnectionInfoEx info_ex;
                SecPkgContext_CipherInfo cipher;
                assert_int_equal(query(sides[i], SECPKG_ATTR_CONNECTION_INFO, &info), SEC_E_OK);
                assert_int_equal(info.aiExch, CALG_ECDH_EPHEM);
                assert_int_equal(info.dwExchStrength, 253);
                assert_int_equal(query(sides[i], SECPKG_ATTR_CONNECTION_INFO_EX, &info_ex), SEC_E_OK);
                assert_int_equal(info_ex.dwExchStrength, 253);
                assert_int_equal(query(sides[i], SECPKG_ATTR_CIPHER_INFO, &cipher), SEC_E_OK);
                assert_int_equal(cipher.dwMinExchangeLen, 253);
                assert_int_equal(cipher.dwMaxExchangeLen, 253);
                assert_int_equal(side_is_resumed(sides[i]), turn == 1);
            }
            if (turn == 0) {
                pair_talk(pair);
                pair_restart(pair);
                assert_true(pair_run(pair));
            }
        }
        pair_free(pair);
    }
}

/* Of a finite field's group: a server takes one as strong as its key, in resumed connections too; a client that resumes has not seen it. */
static void test_exchange_strength_dh(void **state)
{
    (void)state;
    loop_configure("[schannel]\nmax_protocol = 1.2\nciphers = DHE-RSA-AES256-GCM-SHA384\n");
    struct loop_pair *pair = established(SP_PROT_TLS1_2, pki_server_rsa());
    DWORD of_key = (DWORD)EVP_PKEY_get_bits(pki_server_rsa()->key);
    for (unsigned turn = 0; turn < 2; turn++) {
        SecPkgContext_ConnectionInfo of_client, of_server;
        assert_int_equal(query(&pair->client, SECPKG_ATTR_CONNECTION_INFO, &of_client), SEC_E_OK);
        assert_int_equal(query(&pair->server, SECPKG_ATTR_CONNECTION_INFO, &of_server), SEC_E_OK);
        assert_int_equal(of_client.aiExch, CALG_DH_EPHEM);
        assert_int_equal(of_server.aiExch, CALG_DH_EPHEM);
        assert_int_equal(side_is_resumed(&pair->client), turn == 1);
        assert_int_equal(of_server.dwExchStrength, of_key);
        assert_int_equal(of_client.dwExchStrength, turn == 0 ? of_key : 0);
        if (turn == 0) {
            pair_talk(pair);
            pair_restart(pair);
            assert_true(pair_run(pair));
        }
    }
    pair_free(pair);
    loop_configure("");
}

static void bindings_are(struct side *side, ULONG attribute, const char *prefix, const void *data, size_t len)
{
    SecPkgContext_Bindings bindings;
    assert_int_equal(query(side, attribute, &bindings), SEC_E_OK);
    const SEC_CHANNEL_BINDINGS zero = {0}, *header = bindings.Bindings;
    assert_int_equal(header->dwInitiatorAddrType, zero.dwInitiatorAddrType);
    assert_int_equal(header->cbInitiatorLength, 0);
    assert_int_equal(header->dwAcceptorAddrType, 0);
    assert_int_equal(header->dwApplicationDataOffset, sizeof *header);
    assert_int_equal(bindings.BindingsLength, sizeof *header + header->cbApplicationDataLength);
    const unsigned char *at = (const unsigned char *)(header + 1);
    assert_memory_equal(at, prefix, strlen(prefix));
    if (data != NULL) {
        assert_int_equal(header->cbApplicationDataLength, strlen(prefix) + len);
        assert_memory_equal(at + strlen(prefix), data, len);
    }
    FreeContextBuffer(bindings.Bindings);
}

/* A server that asks for its client's token is told why there is none, and nothing of tickets or SIDs. */
static void test_no_token(void **state)
{
    SecPkgContext_AccessToken token;
    (void)state;
    struct loop_pair *pair = established(SP_PROT_TLS1_3, pki_server());
    assert_int_equal(query(&pair->server, SECPKG_ATTR_ACCESS_TOKEN, &token), SEC_E_NO_IMPERSONATION);
    assert_string_equal(
        OpenSspiLastErrorText(),
        "Schannel says nothing of an account that its client has; certificates are not mapped to accounts");
    pair_free(pair);
}

/* Of weaker signatures, which TLS does not take: crypto/test_certificate.c. */
static void test_endpoint_bindings(void **state)
{
    static const struct {
        const EVP_MD *(*signed_with)(void), *(*hashed_with)(void);
    } rules[] = {{EVP_sha256, EVP_sha256}, {EVP_sha384, EVP_sha384}, {EVP_sha512, EVP_sha512}};
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct pki made = pki_make(
            &(struct pki_wish){.name = "server.test", .issuer = pki_authority(), .digest = rules[i].signed_with()});
        unsigned char hash[EVP_MAX_MD_SIZE];
        unsigned int len;
        X509_digest(made.x509, rules[i].hashed_with(), hash, &len);
        for (DWORD protocols = SP_PROT_TLS1_2; protocols <= SP_PROT_TLS1_3; protocols <<= 2) {
            struct loop_pair *pair = established(protocols, &made);
            bindings_are(&pair->client, SECPKG_ATTR_ENDPOINT_BINDINGS, "tls-server-end-point:", hash, len);
            bindings_are(&pair->server, SECPKG_ATTR_ENDPOINT_BINDINGS, "tls-server-end-point:", hash, len);
            pair_free(pair);
        }
        pki_free(&made);
    }
    /* Ed25519 has no hash of its own: RFC 5929 leaves it undefined. */
    struct pki authority = pki_make(&(struct pki_wish){.name = "Edward", .authority = true, .ed25519 = true});
    struct pki made = pki_make(&(struct pki_wish){.name = "server.test", .issuer = &authority});
    struct loop_pair *pair = established(SP_PROT_TLS1_3, &made);
    SecPkgContext_Bindings bindings;
    assert_int_equal(query(&pair->client, SECPKG_ATTR_ENDPOINT_BINDINGS, &bindings), SEC_E_UNSUPPORTED_FUNCTION);
    pair_free(pair);
    pki_free(&made);
    pki_free(&authority);
}

static void test_unique_bindings(void **state)
{
    SecPkgContext_Bindings of_client, of_server;
    (void)state;
    struct loop_pair *pair = established(SP_PROT_TLS1_2, pki_server());
    for (int i = 0; i < 2; i++) { /* a full handshake, then a resumed one */
        bindings_are(&pair->client, SECPKG_ATTR_UNIQUE_BINDINGS, "tls-unique:", NULL, 0);
        assert_int_equal(query(&pair->client, SECPKG_ATTR_UNIQUE_BINDINGS, &of_client), SEC_E_OK);
        assert_int_equal(query(&pair->server, SECPKG_ATTR_UNIQUE_BINDINGS, &of_server), SEC_E_OK);
        assert_int_equal(of_client.BindingsLength, sizeof(SEC_CHANNEL_BINDINGS) + 11 + 12);
        assert_int_equal(of_client.BindingsLength, of_server.BindingsLength);
        assert_memory_equal(of_client.Bindings, of_server.Bindings, of_client.BindingsLength);
        FreeContextBuffer(of_client.Bindings);
        FreeContextBuffer(of_server.Bindings);
        pair_restart(pair);
        assert_true(pair_run(pair));
    }
    pair_free(pair);
    pair = established(SP_PROT_TLS1_3, pki_server());
    assert_int_equal(query(&pair->client, SECPKG_ATTR_UNIQUE_BINDINGS, &of_client), SEC_E_UNSUPPORTED_FUNCTION);
    pair_free(pair);
}

static void test_keys(void **state)
{
    (void)state;
    for (DWORD protocols = SP_PROT_TLS1_2; protocols <= SP_PROT_TLS1_3; protocols <<= 2) {
        struct loop_pair *pair = established(protocols, pki_server_rsa());
        SecPkgContext_SessionKey keys[2];
        SecPkgContext_EapKeyBlock blocks[2];
        SecPkgContext_KeyingMaterial materials[2], bound[2];
        struct side *sides[2] = {&pair->client, &pair->server};
        char label[] = "EXPORTER-test", binding[] = "EXPORTER-Token-Binding";
        unsigned char with[] = {1, 2, 3};
        SecPkgContext_KeyingMaterialInfo info = {.cbLabel = sizeof label,
                                                 .pszLabel = label,
                                                 .cbContextValue = 3,
                                                 .pbContextValue = with,
                                                 .cbKeyingMaterial = 40};
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(query(sides[i], SECPKG_ATTR_SESSION_KEY, &keys[i]), SEC_E_OK);
            assert_int_equal(query(sides[i], SECPKG_ATTR_EAP_KEY_BLOCK, &blocks[i]), SEC_E_OK);
            assert_int_equal(query(sides[i], SECPKG_ATTR_KEYING_MATERIAL, &materials[i]), SEC_E_OUT_OF_SEQUENCE);
            assert_int_equal(SetContextAttributesW(&sides[i]->context, SECPKG_ATTR_KEYING_MATERIAL_INFO, &info, 3),
                             SEC_E_INVALID_TOKEN);
            assert_int_equal(
                SetContextAttributesW(&sides[i]->context, SECPKG_ATTR_KEYING_MATERIAL_INFO, &info, sizeof info),
                SEC_E_OK);
            assert_int_equal(query(sides[i], SECPKG_ATTR_KEYING_MATERIAL, &materials[i]), SEC_E_OK);
            assert_int_equal(materials[i].cbKeyingMaterial, 40);
            /* Token Binding's (RFC 8471 3.3) is what everybody's exporter gives for its label. */
            SecPkgContext_KeyingMaterialInfo of_binding = {
                .cbLabel = sizeof binding, .pszLabel = binding, .cbKeyingMaterial = 32};
            SecPkgContext_KeyingMaterial exported;
            assert_int_equal(query(sides[i], SECPKG_ATTR_KEYING_MATERIAL_TOKEN_BINDING, &bound[i]), SEC_E_OK);
            assert_int_equal(bound[i].cbKeyingMaterial, 32);
            assert_int_equal(SetContextAttributesW(&sides[i]->context, SECPKG_ATTR_KEYING_MATERIAL_INFO, &of_binding,
                                                   sizeof of_binding),
                             SEC_E_OK);
            assert_int_equal(query(sides[i], SECPKG_ATTR_KEYING_MATERIAL, &exported), SEC_E_OK);
            assert_memory_equal(exported.pbKeyingMaterial, bound[i].pbKeyingMaterial, 32);
            FreeContextBuffer(exported.pbKeyingMaterial);
        }
        assert_int_equal(keys[0].SessionKeyLength, 48);
        assert_memory_equal(keys[0].SessionKey, keys[1].SessionKey, 48);
        assert_memory_equal(&blocks[0], &blocks[1], sizeof blocks[0]);
        static const unsigned char zero[64];
        assert_true((memcmp(blocks[0].rgbIVs, zero, 64) == 0) == (protocols == SP_PROT_TLS1_3));
        assert_memory_not_equal(blocks[0].rgbKeys, zero, 64);
        assert_memory_equal(bound[0].pbKeyingMaterial, bound[1].pbKeyingMaterial, 32);
        assert_memory_equal(materials[0].pbKeyingMaterial, materials[1].pbKeyingMaterial, 40);
        for (size_t i = 0; i < 2; i++) {
            FreeContextBuffer(keys[i].SessionKey);
            FreeContextBuffer(materials[i].pbKeyingMaterial);
            FreeContextBuffer(bound[i].pbKeyingMaterial);
        }
        pair_free(pair);
    }
}

/* RFC 5246 5: P_SHA256 of an empty secret. */
static void prf_of_nothing(const unsigned char *seed, size_t seed_len, unsigned char *to, size_t len)
{
    unsigned char block[SHA256_DIGEST_LENGTH + 256], a[SHA256_DIGEST_LENGTH];
    unsigned int a_len, made;
    assert_true(seed_len <= 256);
    HMAC(EVP_sha256(), "", 0, seed, seed_len, a, &a_len);
    for (size_t at = 0; at < len; at += SHA256_DIGEST_LENGTH) {
        memcpy(block, a, sizeof a);
        memcpy(block + sizeof a, seed, seed_len);
        HMAC(EVP_sha256(), "", 0, block, sizeof a + seed_len, to + at, &made);
        HMAC(EVP_sha256(), "", 0, block, sizeof a, a, &a_len);
    }
}

/* RFC 5216 2.3: EAP's IV is the PRF's with an empty secret, and TLS 1.2's PRF is with SHA-256 for suites that name no hash for it, too. */
static void test_eap_iv(void **state)
{
    static const char label[] = "client EAP encryption";
    static const ALG_ID hashes[] = {CALG_SHA1, CALG_SHA_256}; /* of the MAC, or the suite */
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct loop_pair *pair = pair_new();
        ALG_ID algorithms[] = {hashes[i], CALG_AES_128};
        SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION,
                              .cSupportedAlgs = 2,
                              .palgSupportedAlgs = algorithms,
                              .grbitEnabledProtocols = SP_PROT_TLS1_2_CLIENT,
                              .dwFlags = SCH_CRED_MANUAL_CRED_VALIDATION};
        unsigned char seed[sizeof label - 1 + 64], expected[64];
        SecPkgContext_EapKeyBlock blocks[2];
        SecPkgContext_CipherInfo cipher;
        assert_int_equal(side_acquire(&pair->client, &cred), SEC_E_OK);
        pair_acquire(pair, 0, SP_PROT_TLS1_2_SERVER, 0);
        /* The randoms stand behind the heads of record and message, and the version. */
        memcpy(seed, label, sizeof label - 1);
        assert_int_equal(side_step(&pair->client), SEC_I_CONTINUE_NEEDED);
        memcpy(seed + sizeof label - 1, pair->client.out.data + 11, 32);
        side_hand_over(&pair->client, &pair->server);
        assert_int_equal(side_step(&pair->server), SEC_I_CONTINUE_NEEDED);
        memcpy(seed + sizeof label - 1 + 32, pair->server.out.data + 11, 32);
        assert_true(pair_go_on(pair));
        assert_int_equal(query(&pair->client, SECPKG_ATTR_CIPHER_INFO, &cipher), SEC_E_OK);
        assert_wide_equal(cipher.szHash, i == 0 ? "SHA1" : "SHA256");
        assert_int_equal(query(&pair->client, SECPKG_ATTR_EAP_KEY_BLOCK, &blocks[0]), SEC_E_OK);
        assert_int_equal(query(&pair->server, SECPKG_ATTR_EAP_KEY_BLOCK, &blocks[1]), SEC_E_OK);
        prf_of_nothing(seed, sizeof seed, expected, sizeof expected);
        assert_memory_equal(blocks[0].rgbIVs, expected, sizeof expected);
        assert_memory_equal(blocks[1].rgbIVs, expected, sizeof expected);
        pair_free(pair);
    }
}

/* Keying material is the caller's alone: once the block is freed it stands nowhere. */
static void test_keys_leave_nothing(void **state)
{
    struct loop_pair *pair = established(SP_PROT_TLS1_3, pki_server());
    char label[] = "EXPORTER-test";
    SecPkgContext_KeyingMaterialInfo info = {.cbLabel = sizeof label, .pszLabel = label, .cbKeyingMaterial = 64};
    SecPkgContext_KeyingMaterial material;
    uint8_t disguised[64];
    (void)state;
    assert_int_equal(SetContextAttributesW(&pair->client.context, SECPKG_ATTR_KEYING_MATERIAL_INFO, &info, sizeof info),
                     SEC_E_OK);
    assert_int_equal(query(&pair->client, SECPKG_ATTR_KEYING_MATERIAL, &material), SEC_E_OK);
    for (size_t i = 0; i < sizeof disguised; i++)
        disguised[i] = material.pbKeyingMaterial[i] ^ MEMORY_DISGUISE;
    assert_true(memory_holds(disguised, sizeof disguised));
    assert_int_equal(FreeContextBuffer(material.pbKeyingMaterial), SEC_E_OK);
    /* Without an optimizing compiler copies that live in registers otherwise are on the stack; sanitizers have stacks of their own. */
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_false(memory_holds(disguised, sizeof disguised));
#endif
    pair_free(pair);
}

static void test_certificates(void **state)
{
    PCCERT_CONTEXT context;
    SecPkgContext_NamesA names;
    (void)state;
    struct loop_pair *pair = established(SP_PROT_TLS1_3, pki_server());
    assert_int_equal(query(&pair->client, SECPKG_ATTR_REMOTE_CERT_CHAIN, &context), SEC_E_OK);
    CertFreeCertificateContext(context);
    assert_int_equal(query(&pair->server, SECPKG_ATTR_LOCAL_CERT_CONTEXT, &context), SEC_E_OK);
    unsigned char *der = NULL;
    int der_len = i2d_X509(pki_server()->x509, &der);
    assert_int_equal(context->cbCertEncoded, der_len);
    assert_memory_equal(context->pbCertEncoded, der, (size_t)der_len);
    OPENSSL_free(der);
    CertFreeCertificateContext(context);
    assert_int_equal(query(&pair->client, SECPKG_ATTR_LOCAL_CERT_CONTEXT, &context), SEC_E_NO_CREDENTIALS);
    assert_int_equal(query(&pair->server, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &context), SEC_E_NO_CREDENTIALS);
    assert_int_equal(QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_NAMES, &names), SEC_E_NO_CREDENTIALS);
    pair_free(pair);
}

static void test_unfinished(void **state)
{
    SecPkgContext_StreamSizes sizes;
    (void)state;
    struct loop_pair *pair = pair_new();
    pair_acquire(pair, 0, 0, 0);
    assert_int_equal(side_step(&pair->client), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(query(&pair->client, SECPKG_ATTR_STREAM_SIZES, &sizes), SEC_E_INVALID_HANDLE);
    PCCERT_CONTEXT context;
    assert_int_equal(query(&pair->client, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &context), SEC_E_NO_CREDENTIALS);
    struct wire *wire = calloc(1, sizeof *wire);
    SecBuffer buffers[4] = {{10, SECBUFFER_DATA, wire->data}};
    SecBufferDesc list = {SECBUFFER_VERSION, 4, buffers};
    assert_int_equal(DecryptMessage(&pair->client.context, &list, 0, NULL), SEC_E_INVALID_HANDLE);
    free(wire);
    pair_free(pair);
}

/* A connection that failed before it was established tells nothing about itself. */
static void test_failed_early(void **state)
{
    static const ULONG attributes[] = {SECPKG_ATTR_STREAM_SIZES,
                                       SECPKG_ATTR_CONNECTION_INFO,
                                       SECPKG_ATTR_CONNECTION_INFO_EX,
                                       SECPKG_ATTR_CIPHER_INFO,
                                       SECPKG_ATTR_APPLICATION_PROTOCOL,
                                       SECPKG_ATTR_NEGOTIATED_TLS_EXTENSIONS,
                                       SECPKG_ATTR_SRTP_PARAMETERS,
                                       SECPKG_ATTR_SUPPORTED_SIGNATURES,
                                       SECPKG_ATTR_APP_DATA,
                                       SECPKG_ATTR_SESSION_INFO,
                                       SECPKG_ATTR_EAP_KEY_BLOCK,
                                       SECPKG_ATTR_KEYING_MATERIAL,
                                       SECPKG_ATTR_KEYING_MATERIAL_TOKEN_BINDING,
                                       SECPKG_ATTR_LOCAL_CERT_CONTEXT,
                                       SECPKG_ATTR_CERT_CHECK_RESULT_INPROC,
                                       SECPKG_ATTR_NAMES,
                                       SECPKG_ATTR_SESSION_KEY,
                                       SECPKG_ATTR_LIFESPAN,
                                       SECPKG_ATTR_KEY_INFO,
                                       SECPKG_ATTR_UNIQUE_BINDINGS,
                                       SECPKG_ATTR_ENDPOINT_BINDINGS};
    static unsigned char room[4096];
    (void)state;
    struct loop_pair *pair = pair_new();
    struct side *sides[2] = {&pair->client, &pair->server};
    pair_acquire(pair, 0, 0, 0);
    assert_int_equal(side_step(&pair->client), SEC_I_CONTINUE_NEEDED);
    /* The server gets a record that holds a piece of the ClientHello: libssl has no session yet. */
    pair->client.out.data[3] = 0;
    pair->client.out.data[4] = 20;
    wire_put(&pair->server.in, pair->client.out.data, 5 + 20);
    assert_int_equal(side_step(&pair->server), SEC_I_CONTINUE_NEEDED);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(side_alert(sides[i], TLS1_ALERT_ACCESS_DENIED), SEC_E_OK);
        for (size_t j = 0; j < sizeof attributes / sizeof attributes[0]; j++)
            assert_int_equal(query(sides[i], attributes[j], room), SEC_E_INVALID_HANDLE);
        assert_int_equal(query(sides[i], SECPKG_ATTR_REMOTE_CERT_CONTEXT, room), SEC_E_NO_CREDENTIALS);
    }
    pair_free(pair);
}

/* While TLS 1.2 negotiates anew there are no keys that anything could be derived from, and Finished messages of two handshakes. */
static void test_amid_renegotiation(void **state)
{
    static const ULONG attributes[] = {SECPKG_ATTR_CIPHER_INFO,
                                       SECPKG_ATTR_SESSION_KEY,
                                       SECPKG_ATTR_EAP_KEY_BLOCK,
                                       SECPKG_ATTR_KEYING_MATERIAL,
                                       SECPKG_ATTR_KEYING_MATERIAL_TOKEN_BINDING,
                                       SECPKG_ATTR_UNIQUE_BINDINGS};
    static unsigned char room[4096];
    SecPkgContext_SessionInfo info;
    (void)state;
    struct loop_pair *pair = established(SP_PROT_TLS1_2, pki_server());
    struct side *sides[2] = {&pair->client, &pair->server};
    side_control(&pair->client, SCHANNEL_RENEGOTIATE);
    assert_int_equal(side_step(&pair->client), SEC_I_CONTINUE_NEEDED);
    side_hand_over(&pair->client, &pair->server);
    assert_int_equal(side_receive(&pair->server, NULL), SEC_I_RENEGOTIATE);
    assert_int_equal(side_step(&pair->server), SEC_I_CONTINUE_NEEDED);
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < sizeof attributes / sizeof attributes[0]; j++)
            assert_int_equal(query(sides[i], attributes[j], room), SEC_E_OUT_OF_SEQUENCE);
        assert_int_equal(query(sides[i], SECPKG_ATTR_SESSION_INFO, &info), SEC_E_OK);
    }
    assert_true(pair_go_on(pair));
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(query(sides[i], SECPKG_ATTR_CIPHER_INFO, room), SEC_E_OK);
    pair_free(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_infos),
        cmocka_unit_test(test_exchange_strength),
        cmocka_unit_test(test_exchange_strength_dh),
        cmocka_unit_test(test_no_token),
        cmocka_unit_test(test_endpoint_bindings),
        cmocka_unit_test(test_unique_bindings),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_keys_leave_nothing),
        cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_unfinished),
        cmocka_unit_test(test_failed_early),
        cmocka_unit_test(test_amid_renegotiation),
        cmocka_unit_test(test_eap_iv),
    };
    return cmocka_run_group_tests(tests, NULL, loop_teardown);
}
