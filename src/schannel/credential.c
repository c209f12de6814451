#include "schannel/credential.h"

#include "access/impersonation.h"
#include "base/memory.h"
#include "base/time.h"
#include "base/utf16.h"
#include "certificates/kept_key.h"
#include "core/cause.h"
#include "core/exiting.h"
#include "crypto/openssl.h"
#include "schannel/connection.h"
#include "schannel/policy.h"
#include "schannel/ticket.h"
#include <openssl/x509v3.h>
#include <string.h>

#define LIFESPAN_DEFAULT_MS 36000000u /* ten hours: Microsoft, SCHANNEL_CRED, dwSessionLifespan */
#define SECURITY_LEVEL 2              /* OpenSSL's: 112 bits; RSA keys of 2048 bits and more */

/* Wishes that would have to be passed over, and are refused; and all flags that change what is done here, or need nothing done. */
#define FLAGS_REFUSED (SCH_CRED_SNI_ENABLE_OCSP | SCH_USE_PRESHAREDKEY_ONLY | SCH_CRED_DEFERRED_CRED_VALIDATION)
#define FLAGS_KNOWN                                                                                                   \
    (SCH_CRED_NO_SYSTEM_MAPPER | SCH_CRED_NO_SERVERNAME_CHECK | SCH_CRED_MANUAL_CRED_VALIDATION |                     \
     SCH_CRED_NO_DEFAULT_CREDS | SCH_CRED_AUTO_CRED_VALIDATION | SCH_CRED_USE_DEFAULT_CREDS |                         \
     SCH_CRED_DISABLE_RECONNECTS | SCH_CRED_REVOCATION_CHECK_END_CERT | SCH_CRED_REVOCATION_CHECK_CHAIN |             \
     SCH_CRED_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT | SCH_CRED_IGNORE_NO_REVOCATION_CHECK |                             \
     SCH_CRED_IGNORE_REVOCATION_OFFLINE | SCH_CRED_RESTRICTED_ROOTS | SCH_CRED_REVOCATION_CHECK_CACHE_ONLY |          \
     SCH_CRED_CACHE_ONLY_URL_RETRIEVAL | SCH_CRED_MEMORY_STORE_CERT | SCH_CRED_CACHE_ONLY_URL_RETRIEVAL_ON_CREATE |   \
     SCH_SEND_ROOT_CERT | SCH_CRED_SNI_CREDENTIAL | SCH_SEND_AUX_RECORD | SCH_USE_STRONG_CRYPTO | SCH_USE_DTLS_ONLY | \
     SCH_ALLOW_NULL_ENCRYPTION)

static bool both(DWORD flags, DWORD one, DWORD other)
{
    return (flags & one) != 0 && (flags & other) != 0;
}

static SECURITY_STATUS flags_check(const struct tls_request *request)
{
    DWORD flags = request->flags;
    require((flags & FLAGS_REFUSED) == 0,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION,
                      "credential flags 0x%x: OCSP stapling, pre-shared keys and deferred validation are not here",
                      (unsigned)(flags & FLAGS_REFUSED)));
    require((flags & ~(DWORD)FLAGS_KNOWN) == 0, cause_set(SEC_E_UNKNOWN_CREDENTIALS, "unknown credential flags 0x%x",
                                                          (unsigned)(flags & ~(DWORD)FLAGS_KNOWN)));
    require(!both(flags, SCH_CRED_MANUAL_CRED_VALIDATION, SCH_CRED_AUTO_CRED_VALIDATION) &&
                !both(flags, SCH_CRED_NO_DEFAULT_CREDS, SCH_CRED_USE_DEFAULT_CREDS),
            cause_set(SEC_E_UNKNOWN_CREDENTIALS, "credential flags 0x%x contradict each other", (unsigned)flags));
    require((flags & SCH_CRED_RESTRICTED_ROOTS) == 0 || request->roots != NULL,
            cause_set(SEC_E_UNKNOWN_CREDENTIALS, "SCH_CRED_RESTRICTED_ROOTS without a store of roots"));
    return SEC_E_OK;
}

static void request_read_v4(const SCHANNEL_CRED *from, struct tls_request *request)
{
    *request = (struct tls_request){
        .format = from->dwCredFormat,
        .n_certificates = from->cCreds,
        .certificates = from->paCred,
        .roots = from->hRootStore,
        .n_mappers = from->cMappers,
        .n_algorithms = from->cSupportedAlgs,
        .algorithms = from->palgSupportedAlgs,
        .protocols = from->grbitEnabledProtocols,
        .older = true,
        .min_strength = from->dwMinimumCipherStrength,
        .max_strength = from->dwMaximumCipherStrength,
        .lifespan_ms = from->dwSessionLifespan,
        .flags = from->dwFlags,
    };
}

static void request_read_v5(const SCH_CREDENTIALS *from, struct tls_request *request)
{
    *request = (struct tls_request){
        .format = from->dwCredFormat,
        .n_certificates = from->cCreds,
        .certificates = from->paCred,
        .roots = from->hRootStore,
        .n_mappers = from->cMappers,
        .lifespan_ms = from->dwSessionLifespan,
        .flags = from->dwFlags,
        .n_parameters = from->cTlsParameters,
        .parameters = from->pTlsParameters,
    };
}

static SECURITY_STATUS request_read(const void *auth_data, struct tls_request *request)
{
    DWORD version;
    if (auth_data == NULL) { /* a client's defaults */
        *request = (struct tls_request){0};
        return SEC_E_OK;
    }
    memcpy(&version, auth_data, sizeof version);
    if (version == SCHANNEL_CRED_VERSION)
        request_read_v4(auth_data, request);
    else if (version == SCH_CREDENTIALS_VERSION)
        request_read_v5(auth_data, request);
    else
        return cause_set(SEC_E_UNKNOWN_CREDENTIALS, "credentials of version %u: 4 and 5 are known", (unsigned)version);
    require(request->n_mappers == 0,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "mappers of certificates to accounts are not in this version"));
    require(request->n_certificates <= TLS_CERTIFICATES_MAX &&
                (request->n_certificates == 0 || request->certificates != NULL),
            cause_set(SEC_E_UNKNOWN_CREDENTIALS, "%u certificates, or they point nowhere",
                      (unsigned)request->n_certificates));
    require(
        request->n_algorithms <= SCH_CRED_MAX_SUPPORTED_ALGS &&
            (request->n_algorithms == 0 || request->algorithms != NULL),
        cause_set(SEC_E_UNKNOWN_CREDENTIALS, "%u algorithms, or they point nowhere", (unsigned)request->n_algorithms));
    require(request->n_certificates == 0 || request->format <= SCH_CRED_FORMAT_CERT_HASH_STORE,
            cause_set(SEC_E_UNKNOWN_CREDENTIALS, "credential format %u", (unsigned)request->format));
    return flags_check(request);
}

/* The store MY is the process's: to the server it would say that the client whom the thread impersonates is this process. */
static SECURITY_STATUS own_store_check(const struct tls_credential *credential, bool machine)
{
    require(credential->server || machine || !credential->of_client,
            cause_set(SEC_E_NO_CREDENTIALS,
                      "this thread impersonates a client, of whom there are no certificates here: "
                      "SCH_MACHINE_CERT_HASH, or a certificate itself, says which is meant"));
    return SEC_E_OK;
}

/* paCred holds certificates, or their SHA-1 hashes to be looked up. */
static SECURITY_STATUS certificate_find(const struct tls_credential *credential, const struct tls_request *request,
                                        DWORD index, struct certificate **certificate)
{
    const void *at = request->certificates[index];
    AUTO_FREE char *store = NULL;
    require(at != NULL, cause_set(SEC_E_UNKNOWN_CREDENTIALS, "a certificate that points nowhere"));
    if (request->format == SCH_CRED_FORMAT_CERT_CONTEXT)
        return certificate_take(at, certificate);
    const SCHANNEL_CERT_HASH *hash = at; /* SCHANNEL_CERT_HASH_STORE begins alike */
    if (request->format == SCH_CRED_FORMAT_CERT_HASH)
        require(hash->dwLength == sizeof *hash && hash->hProv == 0,
                cause_set(SEC_E_UNKNOWN_CREDENTIALS, "a SCHANNEL_CERT_HASH of another size, or with a provider"));
    else {
        const SCHANNEL_CERT_HASH_STORE *in_store = at;
        require(hash->dwLength == sizeof *in_store && hash->hProv == 0,
                cause_set(SEC_E_UNKNOWN_CREDENTIALS, "a SCHANNEL_CERT_HASH_STORE of another size, or with a provider"));
        size_t n_units = 0;
        while (n_units < SCH_CRED_MAX_STORE_NAME_SIZE && in_store->pwszStoreName[n_units] != 0)
            n_units++;
        require(n_units < SCH_CRED_MAX_STORE_NAME_SIZE &&
                    utf16le_to_text(slice_of(in_store->pwszStoreName, n_units * 2), &store) == WIRE_OK,
                cause_set(SEC_E_UNKNOWN_CREDENTIALS, "the name of a store that is not text, or has no end"));
    }
    require((hash->dwFlags & ~(DWORD)SCH_MACHINE_CERT_HASH) == 0,
            cause_set(SEC_E_UNKNOWN_CREDENTIALS, "a certificate's hash with flags 0x%x", (unsigned)hash->dwFlags));
    bool machine = (hash->dwFlags & SCH_MACHINE_CERT_HASH) != 0;
    try(own_store_check(credential, machine));
    return certificate_by_hash(store, machine, hash->ShaHash, certificate);
}

static void tls_certificate_release(struct tls_certificate *certificate)
{
    X509_free(certificate->x509);
    EVP_PKEY_free(certificate->key);
    sk_X509_pop_free(certificate->issuers, X509_free);
    *certificate = (struct tls_certificate){0};
}

int64_t tls_not_after(const X509 *x509)
{
    struct tm at;
    if (x509 == NULL || ASN1_TIME_to_tm(X509_get0_notAfter(x509), &at) != 1)
        return FILETIME_NEVER;
    return filetime_from_unix(unix_from_utc(&at));
}

static SECURITY_STATUS certificate_add(struct tls_credential *credential, struct certificate *found)
{
    struct tls_certificate *added = &credential->certificate[credential->n_certificates];
    added->key = certificate_key(found);
    require(added->key != NULL, cause_set(SEC_E_NO_CREDENTIALS, "a certificate without its private key"));
    credential->signs_only = credential->signs_only || key_is_kept(added->key);
    credential->n_certificates++; /* what follows is released with the credential */
    X509 *x509 = certificate_x509(found);
    require(X509_up_ref(x509) == 1, SEC_E_INSUFFICIENT_MEMORY);
    added->x509 = x509;
    try(certificate_issuers(found, (credential->flags & SCH_SEND_ROOT_CERT) != 0, &added->issuers));
    for (unsigned i = 0; i + 1 < credential->n_certificates; i++)
        require((credential->flags & SCH_CRED_SNI_CREDENTIAL) != 0 ||
                    EVP_PKEY_get_base_id(credential->certificate[i].key) != EVP_PKEY_get_base_id(added->key),
                cause_set(SEC_E_UNKNOWN_CREDENTIALS,
                          "two certificates of one kind; SCH_CRED_SNI_CREDENTIAL lets the client's name choose"));
    unsigned int len = 0;
    require(X509_digest(x509, EVP_sha256(), added->fingerprint, &len) == 1 && len == FINGERPRINT_LEN,
            SEC_E_INSUFFICIENT_MEMORY);
    added->expiry = tls_not_after(x509);
    credential->expiry = added->expiry < credential->expiry ? added->expiry : credential->expiry;
    return SEC_E_OK;
}

static SECURITY_STATUS certificates_read(struct tls_credential *credential, const struct tls_request *request)
{
    for (DWORD i = 0; i < request->n_certificates; i++) {
        AUTO_CERTIFICATE struct certificate *found = NULL;
        try(certificate_find(credential, request, i, &found));
        try(certificate_add(credential, found));
    }
    return SEC_E_OK;
}

static bool certificate_is_of(const struct tls_certificate *certificate, const char *host)
{
    return host == NULL || X509_check_host(certificate->x509, host, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

/* Of those of one kind that are this host's the first counts. */
static bool certificate_counts(const struct tls_credential *credential, unsigned index, const char *host)
{
    const struct tls_certificate *certificate = &credential->certificate[index];
    for (unsigned i = 0; i < index; i++)
        if (certificate_is_of(&credential->certificate[i], host) &&
            EVP_PKEY_get_base_id(credential->certificate[i].key) == EVP_PKEY_get_base_id(certificate->key))
            return false;
    return certificate_is_of(certificate, host);
}

bool tls_certificates_use(const struct tls_credential *credential, SSL *ssl, const char *host)
{
    bool used = false;
    SSL_certs_clear(ssl);
    for (unsigned i = 0; i < credential->n_certificates; i++) {
        const struct tls_certificate *certificate = &credential->certificate[i];
        if (!certificate_counts(credential, i, host))
            continue;
        if (SSL_use_cert_and_key(ssl, certificate->x509, certificate->key, certificate->issuers, 1) != 1)
            return false;
        used = true;
    }
    return used;
}

static SECURITY_STATUS ctx_certificates(struct tls_credential *credential)
{
    for (unsigned i = 0; i < credential->n_certificates; i++) {
        const struct tls_certificate *certificate = &credential->certificate[i];
        if (certificate_counts(credential, i, NULL) &&
            SSL_CTX_use_cert_and_key(credential->ctx, certificate->x509, certificate->key, certificate->issuers, 1) !=
                1) {
            const char *reason = ERR_reason_error_string(ERR_peek_last_error());
            return cause_set(SEC_E_UNKNOWN_CREDENTIALS, "a certificate that OpenSSL does not take for TLS: %s",
                             reason != NULL ? reason : "no reason given");
        }
    }
    return SEC_E_OK;
}

/* The names of the CAs that a server with a root store of its own asks clients for. */
static SECURITY_STATUS ctx_authorities(struct tls_credential *credential)
{
    if (!credential->server || credential->roots == NULL)
        return SEC_E_OK;
    STACK_OF(X509) *roots = NULL;
    try(store_certificates(credential->roots, &roots));
    STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
    bool made = names != NULL;
    for (int i = 0; made && i < sk_X509_num(roots); i++) {
        X509_NAME *name = X509_NAME_dup(X509_get_subject_name(sk_X509_value(roots, i)));
        made = name != NULL && sk_X509_NAME_push(names, name) > 0;
        if (!made)
            X509_NAME_free(name);
    }
    sk_X509_pop_free(roots, X509_free);
    if (!made) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    SSL_CTX_set_client_CA_list(credential->ctx, names);
    return SEC_E_OK;
}

static SECURITY_STATUS ctx_sessions(struct tls_credential *credential)
{
    bool reconnects = (credential->flags & SCH_CRED_DISABLE_RECONNECTS) == 0;
    int64_t seconds = credential->lifespan / FILETIME_SECOND;
    SSL_CTX_set_timeout(credential->ctx, seconds > 0 ? (long)seconds : 1);
    /* Servers give tickets, which need no memory here; a client keeps its sessions in a cache of its own, by name. */
    if (credential->server || !reconnects)
        SSL_CTX_set_session_cache_mode(credential->ctx, SSL_SESS_CACHE_OFF);
    else
        SSL_CTX_set_session_cache_mode(credential->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    if (!reconnects) {
        (void)SSL_CTX_set_options(credential->ctx, SSL_OP_NO_TICKET);
        (void)SSL_CTX_set_num_tickets(credential->ctx, 0);
    } else
        (void)SSL_CTX_set_num_tickets(credential->ctx, 1);
    /* libssl resumes a session without looking at its peer's chain again, or at what would be agreed on today: it must have begun under the same
     * rules. */
    try(policy_digest(credential, credential->session_policy));
    require(SSL_CTX_set_session_id_context(credential->ctx, credential->session_policy, SESSION_POLICY_LEN) == 1,
            SEC_E_INTERNAL_ERROR);
    return SEC_E_OK;
}

static SECURITY_STATUS ctx_make(struct tls_credential *credential, const struct tls_request *request)
{
    const SSL_METHOD *method = credential->datagram ? (credential->server ? DTLS_server_method() : DTLS_client_method())
                                                    : (credential->server ? TLS_server_method() : TLS_client_method());
    credential->ctx = SSL_CTX_new(method);
    require(credential->ctx != NULL, SEC_E_INSUFFICIENT_MEMORY);
    if (SSL_CTX_get_security_level(credential->ctx) < SECURITY_LEVEL)
        SSL_CTX_set_security_level(credential->ctx, SECURITY_LEVEL);
    /* A host's openssl.cnf may have set versions and more; what the credential says counts. */
    (void)SSL_CTX_clear_options(credential->ctx, SSL_OP_NO_SSL_MASK);
    SSL_CTX_set_verify(credential->ctx, SSL_VERIFY_NONE, NULL); /* whom a connection asks, it says itself */
    (void)SSL_CTX_set_block_padding(credential->ctx, 0);        /* STREAM_SIZES knows of no padding */
    (void)SSL_CTX_set_options(credential->ctx, SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                                   SSL_OP_ALLOW_CLIENT_RENEGOTIATION | SSL_OP_NO_QUERY_MTU |
                                                   SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION |
                                                   SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS);
    (void)SSL_CTX_clear_options(credential->ctx, SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION |
                                                     SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_NO_EXTENDED_MASTER_SECRET |
                                                     SSL_OP_NO_ENCRYPT_THEN_MAC | SSL_OP_ALLOW_NO_DHE_KEX);
    (void)SSL_CTX_set_mode(credential->ctx, SSL_MODE_NO_AUTO_CHAIN);
    (void)SSL_CTX_set_dh_auto(credential->ctx, 1);
    if (credential->datagram)
        /* RFC 7366: libssl 3.0 ends a connection for anybody's record, if its MAC comes after the encryption and is wrong. */
        (void)SSL_CTX_set_options(credential->ctx, SSL_OP_NO_ENCRYPT_THEN_MAC);
    else
        /* Header and body of a record in one read; the BIO gives one record at a time. */
        SSL_CTX_set_read_ahead(credential->ctx, 1);
    try(policy_apply(credential, request));
    try(ctx_certificates(credential));
    try(ctx_authorities(credential));
    try(ctx_sessions(credential));
    require(!credential->server || ticket_keys_prepare(credential->ctx), SEC_E_INSUFFICIENT_MEMORY);
    require(connection_callbacks(credential), SEC_E_INSUFFICIENT_MEMORY);
    return SEC_E_OK;
}

static SECURITY_STATUS strengths_read(struct tls_credential *credential, const struct tls_request *request)
{
    require(request->min_strength != UINT32_MAX && request->max_strength != UINT32_MAX,
            cause_set(SEC_E_ALGORITHM_MISMATCH, "suites without encryption are not offered"));
    credential->min_strength = request->min_strength > 112 ? request->min_strength : 112;
    credential->max_strength = request->max_strength > 0 ? request->max_strength : UINT32_MAX;
    return SEC_E_OK;
}

static SECURITY_STATUS credential_fill(struct tls_credential *credential, const struct acquire_request *from)
{
    struct tls_request request;
    require(from->use == SECPKG_CRED_INBOUND || from->use == SECPKG_CRED_OUTBOUND,
            cause_set(SEC_E_NO_CREDENTIALS, "a TLS credential is inbound or outbound, not both"));
    require(from->use == SECPKG_CRED_OUTBOUND || from->auth_data != NULL,
            cause_set(SEC_E_NO_CREDENTIALS, "a TLS server's credential needs SCHANNEL_CRED or SCH_CREDENTIALS"));
    credential->server = from->use == SECPKG_CRED_INBOUND;
    credential->of_client = impersonation_current() != NULL;
    try(request_read(from->auth_data, &request));
    credential->flags = request.flags;
    credential->lifespan =
        (request.lifespan_ms > 0 ? request.lifespan_ms : LIFESPAN_DEFAULT_MS) * (FILETIME_SECOND / 1000);
    credential->app_data.lifespan = credential->lifespan;
    if (request.roots != NULL) {
        try(store_take(request.roots));
        credential->roots = request.roots;
    }
    try(policy_protocols(credential, &request));
    require((request.flags & SCH_SEND_AUX_RECORD) == 0 || (credential->protocols & SP_PROT_TLS1_0) == 0,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "TLS 1.0 with records cut in two"));
    try(strengths_read(credential, &request));
    try(certificates_read(credential, &request));
    if (!credential->server && (credential->flags & SCH_CRED_DISABLE_RECONNECTS) == 0) {
        credential->cache = session_cache_new(credential->lifespan);
        require(credential->cache != NULL, SEC_E_INSUFFICIENT_MEMORY);
    }
    return ctx_make(credential, &request);
}

SECURITY_STATUS schannel_acquire(const struct acquire_request *request, void **credential, int64_t *expiry)
{
    OPENSSL_QUIET;
    try(exiting_check());
    struct tls_credential *acquired = mem_zalloc(sizeof *acquired);
    require(acquired != NULL, SEC_E_INSUFFICIENT_MEMORY);
    atomic_init(&acquired->n_references, 1);
    acquired->config = config_retain(request->config);
    acquired->expiry = FILETIME_NEVER;
    SECURITY_STATUS status = credential_fill(acquired, request);
    if (status != SEC_E_OK) {
        tls_credential_put(acquired);
        return status;
    }
    *credential = acquired;
    *expiry = acquired->expiry;
    return SEC_E_OK;
}

struct tls_credential *tls_credential_retain(struct tls_credential *credential)
{
    atomic_fetch_add_explicit(&credential->n_references, 1, memory_order_relaxed);
    return credential;
}

void tls_credential_put(struct tls_credential *credential)
{
    if (credential == NULL || atomic_fetch_sub_explicit(&credential->n_references, 1, memory_order_acq_rel) != 1)
        return;
    SSL_CTX_free(credential->ctx);
    for (unsigned i = 0; i < credential->n_certificates; i++)
        tls_certificate_release(&credential->certificate[i]);
    session_cache_free(credential->cache);
    app_data_release(&credential->app_data);
    store_put(credential->roots);
    config_release(credential->config);
    mem_free(credential);
}

void schannel_release(void *credential)
{
    tls_credential_put(credential);
}

SECURITY_STATUS schannel_set_credential(void *credential, uint32_t attribute, const void *value, size_t len)
{
    struct tls_credential *changed = credential;
    require(
        attribute == SECPKG_ATTR_SESSION_TICKET_KEYS,
        cause_set(SEC_E_UNSUPPORTED_FUNCTION, "Schannel credentials let no attribute %u be set", (unsigned)attribute));
    require(changed->server, cause_set(SEC_E_UNSUPPORTED_FUNCTION, "only servers have keys for session tickets"));
    return ticket_keys_set(changed->ctx, value, len);
}

SECURITY_STATUS schannel_query_credential(const void *from, uint32_t attribute, struct attribute *value)
{
    const struct tls_credential *credential = from;
    switch (attribute) {
    case SECPKG_ATTR_SUPPORTED_PROTOCOLS:
        return attribute_flat(value, &(SecPkgCred_SupportedProtocols){.grbitProtocol = credential->protocols},
                              sizeof(SecPkgCred_SupportedProtocols));
    case SECPKG_ATTR_CIPHER_STRENGTHS: {
        /* The strengths there are, within what was asked. */
        SecPkgCred_CipherStrengths strengths = {.dwMinimumCipherStrength = UINT32_MAX};
        STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(credential->ctx);
        for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
            DWORD bits = (DWORD)SSL_CIPHER_get_bits(sk_SSL_CIPHER_value(ciphers, i), NULL);
            strengths.dwMinimumCipherStrength =
                bits < strengths.dwMinimumCipherStrength ? bits : strengths.dwMinimumCipherStrength;
            strengths.dwMaximumCipherStrength =
                bits > strengths.dwMaximumCipherStrength ? bits : strengths.dwMaximumCipherStrength;
        }
        return attribute_flat(value, &strengths, sizeof strengths);
    }
    case SECPKG_ATTR_SUPPORTED_ALGS:
        value->bytes = slice_of(credential->algorithm, credential->n_algorithms * sizeof credential->algorithm[0]);
        return SEC_E_OK;
    default:
        return cause_set(SEC_E_UNSUPPORTED_FUNCTION, "Schannel credentials have no attribute %u", (unsigned)attribute);
    }
}
