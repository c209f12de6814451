#include "schannel/policy.h"

#include "base/memory.h"
#include "base/writer.h"
#include "core/cause.h"
#include "crypto/sha256.h"
#include "schannel/suite.h"
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Protocols, oldest first. */
static const struct protocol {
    uint32_t client, server;
    int version;
    bool datagram;
    enum config_tls level; /* DTLS 1.0 is TLS 1.1's kin, DTLS 1.2 TLS 1.2's */
    uint64_t option_off;
} protocols[] = {
    {SP_PROT_TLS1_0_CLIENT, SP_PROT_TLS1_0_SERVER, TLS1_VERSION, false, CONFIG_TLS_1_0, SSL_OP_NO_TLSv1},
    {SP_PROT_TLS1_1_CLIENT, SP_PROT_TLS1_1_SERVER, TLS1_1_VERSION, false, CONFIG_TLS_1_1, SSL_OP_NO_TLSv1_1},
    {SP_PROT_TLS1_2_CLIENT, SP_PROT_TLS1_2_SERVER, TLS1_2_VERSION, false, CONFIG_TLS_1_2, SSL_OP_NO_TLSv1_2},
    {SP_PROT_TLS1_3_CLIENT, SP_PROT_TLS1_3_SERVER, TLS1_3_VERSION, false, CONFIG_TLS_1_3, SSL_OP_NO_TLSv1_3},
    {SP_PROT_DTLS1_0_CLIENT, SP_PROT_DTLS1_0_SERVER, DTLS1_VERSION, true, CONFIG_TLS_1_1, SSL_OP_NO_DTLSv1},
    {SP_PROT_DTLS1_2_CLIENT, SP_PROT_DTLS1_2_SERVER, DTLS1_2_VERSION, true, CONFIG_TLS_1_2, SSL_OP_NO_DTLSv1_2},
};

static uint32_t bit_of(const struct protocol *protocol, bool server)
{
    return server ? protocol->server : protocol->client;
}

static unsigned lower(unsigned unit)
{
    return unit >= 'A' && unit <= 'Z' ? unit - 'A' + 'a' : unit;
}

/* Is this UNICODE_STRING the given ASCII word? Without memory: a name that cannot be read must not allow what it forbids. */
static bool name_is(const UNICODE_STRING *name, const char *word)
{
    size_t len = strlen(word);
    if (name->Buffer == NULL || name->Length != len * sizeof(WCHAR))
        return false;
    for (size_t i = 0; i < len; i++)
        if (lower(name->Buffer[i]) != lower((unsigned char)word[i]))
            return false;
    return true;
}

static bool name_is_listed(const UNICODE_STRING *name, const char *const words[])
{
    for (size_t i = 0; words[i] != NULL; i++)
        if (name_is(name, words[i]))
            return true;
    return false;
}

/* What CRYPTO_SETTINGS may name (bcrypt.h). Some of it is never offered here: then it is disabled already. Another name would change nothing unseen.
 * */
static const char *const known_exchanges[] = {"RSA", "ECDH", "DH", NULL};
static const char *const known_signatures[] = {"RSA", "ECDSA", "DSA", NULL};
static const char *const known_ciphers[] = {"AES", "CHACHA20_POLY1305", "3DES", "3DES_112", "DES", "RC4", "RC2", NULL};
static const char *const known_digests[] = {"SHA1", "SHA256", "SHA384", "SHA512", "MD5", NULL};
static const char *const known_modes[] = {"ChainingModeCBC",
                                          "ChainingModeGCM",
                                          "ChainingModeCCM",
                                          "ChainingModeECB",
                                          "ChainingModeCFB",
                                          "ChainingModeN/A",
                                          NULL};

static bool algorithm_is_known(const CRYPTO_SETTINGS *settings)
{
    static const char *const *const known[] = {
        [TlsParametersCngAlgUsageKeyExchange] = known_exchanges,
        [TlsParametersCngAlgUsageSignature] = known_signatures,
        [TlsParametersCngAlgUsageCipher] = known_ciphers,
        [TlsParametersCngAlgUsageDigest] = known_digests,
    };
    return name_is_listed(&settings->strCngAlgId, known[settings->eAlgorithmUsage]);
}

/* Wishes that would have to be passed over are refused, and so is what no honest caller writes. */
static SECURITY_STATUS settings_check(const CRYPTO_SETTINGS *settings)
{
    require(
        settings->cChainingModes <= SCH_CRED_MAX_SUPPORTED_CHAINING_MODES &&
            (settings->cChainingModes == 0 || settings->rgstrChainingModes != NULL),
        cause_set(SEC_E_UNKNOWN_CREDENTIALS, "CRYPTO_SETTINGS with chaining modes that point nowhere, or too many"));
    require(settings->eAlgorithmUsage <= TlsParametersCngAlgUsageDigest,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "algorithms of certificates' signatures cannot be disabled here"));
    bool bounded = settings->dwMinBitLength != 0 || settings->dwMaxBitLength != 0;
    require(!bounded || settings->eAlgorithmUsage == TlsParametersCngAlgUsageCipher,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "only ciphers can be disabled by their strength"));
    require(settings->cChainingModes == 0 || settings->eAlgorithmUsage == TlsParametersCngAlgUsageCipher,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "only ciphers have chaining modes"));
    require(algorithm_is_known(settings),
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "CRYPTO_SETTINGS that name no algorithm of their usage"));
    for (DWORD i = 0; i < settings->cChainingModes; i++)
        require(name_is_listed(&settings->rgstrChainingModes[i], known_modes),
                cause_set(SEC_E_UNSUPPORTED_FUNCTION, "CRYPTO_SETTINGS that name no chaining mode"));
    return SEC_E_OK;
}

static SECURITY_STATUS parameters_check(const struct tls_request *request)
{
    const TLS_PARAMETERS *parameters = request->parameters;
    require(request->n_parameters <= SCH_CRED_MAX_SUPPORTED_PARAMETERS &&
                (request->n_parameters == 0 || parameters != NULL),
            cause_set(SEC_E_UNKNOWN_CREDENTIALS, "TLS_PARAMETERS that point nowhere, or more than 16"));
    for (DWORD i = 0; i < request->n_parameters; i++) {
        require(parameters[i].cAlpnIds == 0,
                cause_set(SEC_E_UNSUPPORTED_FUNCTION, "TLS_PARAMETERS for single application protocols"));
        require(parameters[i].cDisabledCrypto <= SCH_CRED_MAX_SUPPORTED_CRYPTO_SETTINGS &&
                    (parameters[i].cDisabledCrypto == 0 || parameters[i].pDisabledCrypto != NULL),
                cause_set(SEC_E_UNKNOWN_CREDENTIALS, "CRYPTO_SETTINGS that point nowhere, or more than 16"));
        require(
            (parameters[i].dwFlags & ~(DWORD)TLS_PARAMS_OPTIONAL) == 0,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "TLS_PARAMETERS with flags 0x%x", (unsigned)parameters[i].dwFlags));
        for (DWORD j = 0; j < parameters[i].cDisabledCrypto; j++)
            try(settings_check(&parameters[i].pDisabledCrypto[j]));
    }
    return SEC_E_OK;
}

/* What the parameters of SCH_CREDENTIALS switch off. */
static uint32_t protocols_disabled(const struct tls_request *request)
{
    uint32_t disabled = 0;
    const TLS_PARAMETERS *parameters = request->parameters;
    for (DWORD i = 0; i < request->n_parameters; i++)
        disabled |= parameters[i].grbitDisabledProtocols;
    return disabled;
}

/* Programs with a SCHANNEL_CRED never met TLS 1.3 on Windows, which speaks it with SCH_CREDENTIALS only. Many of them take its last token of a client
 * or its tickets for a failure: they get it when they ask for it by name, or when the configuration leaves nothing older. */
static enum config_tls newest_meant(const struct config *config, const struct tls_request *request)
{
    if (!request->older || request->protocols != 0 || config->schannel_min > CONFIG_TLS_1_2)
        return config->schannel_max;
    return config->schannel_max < CONFIG_TLS_1_2 ? config->schannel_max : CONFIG_TLS_1_2;
}

SECURITY_STATUS policy_protocols(struct tls_credential *credential, const struct tls_request *request)
{
    const struct config *config = credential->config;
    const uint32_t every_dtls = SP_PROT_DTLS1_X, every_tls = SP_PROT_TLS1_X;
    try(parameters_check(request));
    require((request->protocols & every_dtls) == 0 || (request->protocols & every_tls) == 0,
            cause_set(SEC_E_ALGORITHM_MISMATCH, "DTLS and TLS in one credential"));
    credential->datagram = (request->protocols & every_dtls) != 0 || (request->flags & SCH_USE_DTLS_ONLY) != 0;
    require(!credential->datagram || (request->protocols & every_tls) == 0,
            cause_set(SEC_E_ALGORITHM_MISMATCH, "SCH_USE_DTLS_ONLY with TLS protocols"));
    require(config->schannel_min <= config->schannel_max,
            cause_set(SEC_E_ALGORITHM_MISMATCH, "min_protocol in [schannel] is above max_protocol"));
    uint32_t disabled = protocols_disabled(request);
    enum config_tls newest = newest_meant(config, request);
    credential->below_tls13 = !credential->datagram && newest < config->schannel_max;
    for (size_t i = 0; i < COUNT_OF(protocols); i++) {
        uint32_t bit = bit_of(&protocols[i], credential->server);
        if (protocols[i].datagram != credential->datagram || protocols[i].level < config->schannel_min ||
            protocols[i].level > newest || (disabled & bit) != 0)
            continue;
        if ((request->flags & SCH_USE_STRONG_CRYPTO) != 0 && protocols[i].level < CONFIG_TLS_1_2)
            continue;
        if (request->protocols == 0 || (request->protocols & bit) != 0)
            credential->protocols |= bit;
    }
    require(credential->protocols != 0,
            cause_set(SEC_E_ALGORITHM_MISMATCH,
                      "of the protocols 0x%x none is this side's, and allowed by the configuration",
                      (unsigned)request->protocols));
    return SEC_E_OK;
}

/* Does one entry of the list speak of this class of algorithms, and does one of them name this one? */
static bool algorithms_allow(const struct tls_request *request, uint32_t class, ALG_ID algorithm)
{
    bool spoken_of = false;
    for (DWORD i = 0; i < request->n_algorithms; i++) {
        ALG_ID listed = request->algorithms[i];
        if (GET_ALG_CLASS(listed) != class)
            continue;
        spoken_of = true;
        if (listed == algorithm || (listed == CALG_AES && (algorithm == CALG_AES_128 || algorithm == CALG_AES_256)))
            return true;
    }
    return !spoken_of;
}

static bool mode_is_listed(const CRYPTO_SETTINGS *settings, const char *mode)
{
    for (DWORD i = 0; i < settings->cChainingModes; i++)
        if (name_is(&settings->rgstrChainingModes[i], mode))
            return true;
    return settings->cChainingModes == 0;
}

static bool bits_are_listed(const CRYPTO_SETTINGS *settings, unsigned bits)
{
    return bits >= settings->dwMinBitLength && (settings->dwMaxBitLength == 0 || bits <= settings->dwMaxBitLength);
}

static bool settings_disable(const CRYPTO_SETTINGS *settings, const struct suite *suite)
{
    switch (settings->eAlgorithmUsage) {
    case TlsParametersCngAlgUsageKeyExchange:
        return name_is(&settings->strCngAlgId, suite->exchange_name);
    case TlsParametersCngAlgUsageSignature:
        return suite->certificate_name[0] != '\0' && name_is(&settings->strCngAlgId, suite->certificate_name);
    case TlsParametersCngAlgUsageCipher:
        return name_is(&settings->strCngAlgId, suite->cipher_name) && mode_is_listed(settings, suite->mode) &&
               bits_are_listed(settings, suite->bits);
    case TlsParametersCngAlgUsageDigest:
        return name_is(&settings->strCngAlgId, suite->hash_name);
    default: /* refused before */
        return false;
    }
}

static bool parameters_disable(const struct tls_request *request, const struct suite *suite)
{
    const TLS_PARAMETERS *parameters = request->parameters;
    for (DWORD i = 0; i < request->n_parameters; i++)
        for (DWORD j = 0; j < parameters[i].cDisabledCrypto; j++)
            if (settings_disable(&parameters[i].pDisabledCrypto[j], suite))
                return true;
    return false;
}

static bool suite_allowed(const struct tls_credential *credential, const struct tls_request *request,
                          const SSL_CIPHER *cipher, const struct suite *suite)
{
    bool strong = SSL_CIPHER_is_aead(cipher) && suite->exchange != CALG_RSA_KEYX;
    return !(credential->signs_only && credential->server && suite->exchange == CALG_RSA_KEYX) &&
           suite->bits >= credential->min_strength && suite->bits <= credential->max_strength &&
           algorithms_allow(request, ALG_CLASS_DATA_ENCRYPT, suite->cipher) &&
           algorithms_allow(request, ALG_CLASS_HASH, suite->hash) &&
           algorithms_allow(request, ALG_CLASS_KEY_EXCHANGE, suite->exchange) &&
           (suite->signature == 0 || algorithms_allow(request, ALG_CLASS_SIGNATURE, suite->signature)) &&
           !parameters_disable(request, suite) && ((request->flags & SCH_USE_STRONG_CRYPTO) == 0 || strong);
}

static void algorithm_note(struct tls_credential *credential, ALG_ID algorithm)
{
    for (unsigned i = 0; i < credential->n_algorithms; i++)
        if (credential->algorithm[i] == algorithm)
            return;
    if (algorithm != 0 && credential->n_algorithms < TLS_ALGORITHMS_MAX)
        credential->algorithm[credential->n_algorithms++] = algorithm;
}

/* In the order in which a server prefers them: forward secrecy and authenticated encryption first. */
static const char default_ciphers[] =
    "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:ECDHE+AES:DHE+AES:RSA+AESGCM:RSA+AES:"
    "!aNULL:!eNULL:!PSK:!SRP:!DSS:!kDH:!kECDH";
/* MD5 and SHA-1 signatures, which TLS 1.0 and 1.1 cannot do without, are below every other level. */
static const char old_protocols_level[] = ":@SECLEVEL=0";

static SECURITY_STATUS suites_choose(struct tls_credential *credential, const struct tls_request *request)
{
    AUTO_WRITER struct writer older = writer_growing(1024), newer = writer_growing(128);
    STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(credential->ctx);
    const uint32_t newest = credential->server ? SP_PROT_TLS1_3_SERVER : SP_PROT_TLS1_3_CLIENT;
    bool newest_alone = credential->protocols == newest;
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(ciphers, i);
        bool is_newer = strcmp(SSL_CIPHER_get_version(cipher), "TLSv1.3") == 0;
        struct suite suite;
        if (!suite_describe(cipher, is_newer ? TLS1_3_VERSION : TLS1_2_VERSION, &suite) ||
            !suite_allowed(credential, request, cipher, &suite))
            continue;
        if (!is_newer && newest_alone && older.len > 0)
            continue; /* libssl wants one to be there, and looks at all of them in every handshake */
        struct writer *names = is_newer ? &newer : &older;
        if (names->len > 0)
            writer_u8(names, ':');
        writer_slice(names, slice_of_text(SSL_CIPHER_get_name(cipher)));
        if (is_newer ? (credential->protocols & newest) == 0 : newest_alone)
            continue;
        algorithm_note(credential, suite.cipher);
        algorithm_note(credential, suite.hash);
        algorithm_note(credential, suite.exchange);
        algorithm_note(credential, suite.signature);
    }
    credential->protocols &= newer.len > 0 ? UINT32_MAX : ~newest;
    credential->protocols &= older.len > 0 ? UINT32_MAX : newest;
    require(credential->protocols != 0,
            cause_set(SEC_E_ALGORITHM_MISMATCH, "the credential's algorithms and strengths leave no cipher suite"));
    writer_u8(&older, 0);
    writer_u8(&newer, 0);
    require(writer_finish(&older) == WIRE_OK && writer_finish(&newer) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    require((older.len == 1 || SSL_CTX_set_cipher_list(credential->ctx, (const char *)older.data) == 1) &&
                SSL_CTX_set_ciphersuites(credential->ctx, (const char *)newer.data) == 1,
            SEC_E_INSUFFICIENT_MEMORY);
    return SEC_E_OK;
}

/* Is this key exchange, or this kind of signature, switched off by name? */
static bool name_is_disabled(const struct tls_request *request, eTlsAlgorithmUsage usage, const char *name)
{
    const TLS_PARAMETERS *parameters = request->parameters;
    for (DWORD i = 0; i < request->n_parameters; i++)
        for (DWORD j = 0; j < parameters[i].cDisabledCrypto; j++)
            if (parameters[i].pDisabledCrypto[j].eAlgorithmUsage == usage &&
                name_is(&parameters[i].pDisabledCrypto[j].strCngAlgId, name))
                return true;
    return false;
}

/* TLS 1.3's suites name no signature: what is not wanted must not be among the algorithms of signatures. */
static SECURITY_STATUS signatures_choose(struct tls_credential *credential, const struct tls_request *request)
{
    bool rsa = algorithms_allow(request, ALG_CLASS_SIGNATURE, CALG_RSA_SIGN) &&
               !name_is_disabled(request, TlsParametersCngAlgUsageSignature, "RSA");
    bool ecdsa = algorithms_allow(request, ALG_CLASS_SIGNATURE, CALG_ECDSA) &&
                 !name_is_disabled(request, TlsParametersCngAlgUsageSignature, "ECDSA");
    bool others = algorithms_allow(request, ALG_CLASS_SIGNATURE, 0); /* Ed25519 has no ALG_ID: a list leaves it out */
    char list[512];
    credential->signatures =
        (uint8_t)((rsa ? SIGNATURES_RSA : 0) | (ecdsa ? SIGNATURES_ECDSA : 0) | (others ? SIGNATURES_EDWARDS : 0));
    if (rsa && ecdsa && others)
        return SEC_E_OK;
    require(rsa || ecdsa || others,
            cause_set(SEC_E_ALGORITHM_MISMATCH, "the credential leaves no algorithm for signatures"));
    (void)snprintf(list, sizeof list, "%s%s%s%s%s", ecdsa ? "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512" : "",
                   ecdsa && others ? ":" : "", others ? "ed25519:ed448" : "", (ecdsa || others) && rsa ? ":" : "",
                   rsa ? "rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:rsa_pss_rsae_sha256:"
                         "rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:RSA+SHA256:RSA+SHA384:RSA+SHA512"
                       : "");
    require(SSL_CTX_set1_sigalgs_list(credential->ctx, list) == 1, SEC_E_INSUFFICIENT_MEMORY);
    return SEC_E_OK;
}

/* The same with key exchanges: TLS 1.3 may take finite fields, whatever the suite. */
static SECURITY_STATUS groups_choose(struct tls_credential *credential, const struct tls_request *request)
{
    if (algorithms_allow(request, ALG_CLASS_KEY_EXCHANGE, CALG_DH_EPHEM) &&
        !name_is_disabled(request, TlsParametersCngAlgUsageKeyExchange, "DH"))
        return SEC_E_OK;
    credential->curves_only = true;
    /* A list with one group that the provider does not have (FIPS) fails as a whole. */
    require(SSL_CTX_set1_groups_list(credential->ctx, "X25519:P-256:X448:P-521:P-384") == 1 ||
                SSL_CTX_set1_groups_list(credential->ctx, "P-256:P-521:P-384") == 1,
            cause_set(SEC_E_ALGORITHM_MISMATCH, "this OpenSSL has no curve to exchange keys with"));
    return SEC_E_OK;
}

static SECURITY_STATUS versions_set(struct tls_credential *credential)
{
    int min = 0, max = 0;
    uint64_t options = 0;
    for (size_t i = 0; i < COUNT_OF(protocols); i++) {
        if (protocols[i].datagram != credential->datagram)
            continue;
        if ((credential->protocols & bit_of(&protocols[i], credential->server)) == 0) {
            options |= protocols[i].option_off; /* a hole between the first and the last */
            continue;
        }
        min = min == 0 ? protocols[i].version : min;
        max = protocols[i].version;
    }
    require(SSL_CTX_set_min_proto_version(credential->ctx, min) == 1 &&
                SSL_CTX_set_max_proto_version(credential->ctx, max) == 1,
            cause_set(SEC_E_ALGORITHM_MISMATCH, "this OpenSSL does not speak the credential's protocols"));
    (void)SSL_CTX_set_options(credential->ctx, options);
    return SEC_E_OK;
}

SECURITY_STATUS policy_apply(struct tls_credential *credential, const struct tls_request *request)
{
    const uint32_t old = SP_PROT_TLS1_0 | SP_PROT_TLS1_1 | SP_PROT_DTLS1_0;
    AUTO_WRITER struct writer base = writer_growing(256);
    const char *configured = credential->config->schannel_ciphers;
    writer_slice(&base, slice_of_text(configured != NULL ? configured : default_ciphers));
    if ((credential->protocols & old) != 0)
        writer_slice(&base, slice_of_text(old_protocols_level));
    writer_u8(&base, 0);
    require(writer_finish(&base) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    require(SSL_CTX_set_cipher_list(credential->ctx, (const char *)base.data) == 1,
            cause_set(SEC_E_INTERNAL_ERROR, "ciphers in [schannel] name no cipher suite that OpenSSL has here"));
    try(suites_choose(credential, request));
    try(signatures_choose(credential, request));
    try(groups_choose(credential, request));
    return versions_set(credential);
}

#define FLAGS_OF_VALIDATION                                                                                          \
    (SCH_CRED_MANUAL_CRED_VALIDATION | SCH_CRED_REVOCATION_CHECK_END_CERT | SCH_CRED_REVOCATION_CHECK_CHAIN |        \
     SCH_CRED_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT | SCH_CRED_IGNORE_NO_REVOCATION_CHECK |                            \
     SCH_CRED_IGNORE_REVOCATION_OFFLINE | SCH_CRED_REVOCATION_CHECK_CACHE_ONLY | SCH_CRED_CACHE_ONLY_URL_RETRIEVAL | \
     SCH_CRED_RESTRICTED_ROOTS)

static int fingerprint_compare(const void *one, const void *other)
{
    return memcmp(one, other, FINGERPRINT_LEN);
}

/* In which order a store holds its certificates says nothing. */
static bool fingerprints_put(STACK_OF(X509) * roots, struct writer *to)
{
    int n_roots = sk_X509_num(roots);
    size_t n_made = 0;
    uint8_t *fingerprints = mem_zalloc_array((size_t)n_roots + 1, FINGERPRINT_LEN);
    if (fingerprints == NULL)
        return false;
    for (int i = 0; i < n_roots; i++) {
        unsigned int len = 0;
        if (X509_digest(sk_X509_value(roots, i), EVP_sha256(), fingerprints + n_made * FINGERPRINT_LEN, &len) == 1)
            n_made++;
    }
    qsort(fingerprints, n_made, FINGERPRINT_LEN, fingerprint_compare);
    writer_u32be(to, (uint32_t)n_made);
    writer_bytes(to, fingerprints, n_made * FINGERPRINT_LEN);
    mem_free(fingerprints);
    return n_made == (size_t)n_roots;
}

SECURITY_STATUS policy_digest(const struct tls_credential *credential, uint8_t digest[SESSION_POLICY_LEN])
{
    AUTO_WRITER struct writer rules = writer_growing(512);
    STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(credential->ctx);
    writer_u32be(&rules, credential->protocols);
    writer_u32be(&rules, credential->min_strength);
    writer_u32be(&rules, credential->max_strength);
    writer_u32be(&rules, credential->flags & (uint32_t)FLAGS_OF_VALIDATION);
    writer_u8(&rules, credential->config->schannel_require_client_certificate ? 1 : 0);
    writer_u8(&rules, credential->signatures);
    writer_u8(&rules, credential->curves_only ? 1 : 0);
    writer_u32be(&rules, (uint32_t)SSL_CTX_get_security_level(credential->ctx));
    writer_u32be(&rules, credential->config->certificates_security_level); /* of chains, where that one is libssl's */
    writer_u32be(&rules, (uint32_t)sk_SSL_CIPHER_num(ciphers));
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++)
        writer_u16be(&rules, SSL_CIPHER_get_protocol_id(sk_SSL_CIPHER_value(ciphers, i)));
    writer_u8(&rules, credential->roots != NULL ? 1 : 0);
    if (credential->roots != NULL) {
        STACK_OF(X509) *roots = NULL;
        try(store_certificates(credential->roots, &roots));
        bool put = fingerprints_put(roots, &rules);
        sk_X509_pop_free(roots, X509_free);
        require(put, SEC_E_INSUFFICIENT_MEMORY);
    }
    require(writer_finish(&rules) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    require(sha256_once(writer_slice_of(&rules), digest),
            cause_set(SEC_E_INTERNAL_ERROR, "no SHA-256 for what sessions are admitted by"));
    return SEC_E_OK;
}
