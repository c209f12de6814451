#include "base/memory.h"
#include "core/cause.h"
#include "core/exiting.h"
#include "crypto/certificate.h"
#include "schannel/connection.h"
#include "schannel/prf.h"
#include "schannel/session.h"
#include <string.h>

#define TOKEN_BINDING_LEN 32

_Static_assert(sizeof(SecPkgContext_CipherInfo) <= ATTRIBUTE_FLAT_MAX, "the largest");

/* ASCII into a WCHAR array, cut at its end. */
static void wide_put(WCHAR to[SZ_ALG_MAX_SIZE], const char *text)
{
    for (size_t i = 0; i + 1 < SZ_ALG_MAX_SIZE && text[i] != '\0'; i++)
        to[i] = (WCHAR)(unsigned char)text[i];
}

static DWORD protocol_bit(const struct connection *connection)
{
    bool client = connection->initiator;
    switch (SSL_version(connection->ssl)) {
    case TLS1_VERSION:
        return client ? SP_PROT_TLS1_0_CLIENT : SP_PROT_TLS1_0_SERVER;
    case TLS1_1_VERSION:
        return client ? SP_PROT_TLS1_1_CLIENT : SP_PROT_TLS1_1_SERVER;
    case TLS1_2_VERSION:
        return client ? SP_PROT_TLS1_2_CLIENT : SP_PROT_TLS1_2_SERVER;
    case TLS1_3_VERSION:
        return client ? SP_PROT_TLS1_3_CLIENT : SP_PROT_TLS1_3_SERVER;
    case DTLS1_VERSION:
        return client ? SP_PROT_DTLS1_0_CLIENT : SP_PROT_DTLS1_0_SERVER;
    default:
        return client ? SP_PROT_DTLS1_2_CLIENT : SP_PROT_DTLS1_2_SERVER;
    }
}

static X509 *server_certificate(const struct connection *connection)
{
    return connection->initiator ? SSL_get0_peer_certificate(connection->ssl) : connection_own(connection, NULL);
}

/* The bits of a group's keys; 0 for one that credentials do not offer (groups_choose). */
static DWORD group_bits(int nid)
{
    static const struct {
        int nid;
        DWORD bits;
    } groups[] = {
        {NID_X25519, 253}, {NID_X9_62_prime256v1, 256}, {NID_secp384r1, 384}, {NID_X448, 448}, {NID_secp521r1, 521}};
    for (size_t i = 0; i < COUNT_OF(groups); i++)
        if (groups[i].nid == nid)
            return groups[i].bits;
    return 0;
}

/* The strength of the key exchange: of the ephemeral key, or, with RSA's, of the server's. A TLS 1.2 server keeps no ephemeral key, and a resumed
 * session has none: there the group tells. Of finite fields the server's own key does on a server, where SSL_CTX_set_dh_auto takes a group as strong
 * as it; a client that resumes does not know which group its peer had, and says 0. */
static DWORD exchange_bits(const struct connection *connection)
{
    EVP_PKEY *key = NULL;
    DWORD bits = 0;
    if (SSL_get_peer_tmp_key(connection->ssl, &key) == 1) {
        bits = (DWORD)EVP_PKEY_get_bits(key);
        EVP_PKEY_free(key);
        return bits;
    }
    if (connection->suite.exchange == CALG_ECDH_EPHEM)
        return group_bits((int)SSL_get_negotiated_group(connection->ssl));
    if (connection->suite.exchange == CALG_DH_EPHEM && connection->initiator)
        return 0;
    X509 *server = server_certificate(connection);
    EVP_PKEY *of_server = server != NULL ? X509_get0_pubkey(server) : NULL;
    return of_server != NULL ? (DWORD)EVP_PKEY_get_bits(of_server) : 0;
}

static SECURITY_STATUS connection_info(const struct connection *connection, struct attribute *value)
{
    const struct suite *suite = &connection->suite;
    SecPkgContext_ConnectionInfo info = {
        .dwProtocol = protocol_bit(connection),
        .aiCipher = suite->cipher,
        .dwCipherStrength = suite->bits,
        .aiHash = suite->hash,
        .dwHashStrength = suite->hash_bits,
        .aiExch = suite->exchange,
        .dwExchStrength = exchange_bits(connection),
    };
    return attribute_flat(value, &info, sizeof info);
}

static SECURITY_STATUS connection_info_ex(const struct connection *connection, struct attribute *value)
{
    const struct suite *suite = &connection->suite;
    SecPkgContext_ConnectionInfoEx info = {
        .dwVersion = SECPKGCONTEXT_CONNECTION_INFO_EX_V1,
        .dwProtocol = protocol_bit(connection),
        .dwCipherStrength = suite->bits,
        .dwHashStrength = suite->hash_bits,
        .dwExchStrength = exchange_bits(connection),
    };
    wide_put(info.szCipher, suite->cipher_name);
    wide_put(info.szHash, suite->hash_name);
    wide_put(info.szExchange, suite->exchange_name);
    return attribute_flat(value, &info, sizeof info);
}

/* In TLS 1.3 the suite does not name the kind of certificate; the server's own key does. */
static const char *certificate_kind(const struct connection *connection)
{
    X509 *server = server_certificate(connection);
    EVP_PKEY *key = server != NULL ? X509_get0_pubkey(server) : NULL;
    if (key == NULL)
        return connection->suite.certificate_name;
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
        return "RSA";
    case EVP_PKEY_EC:
        return "ECDSA";
    default:
        return connection->suite.certificate_name;
    }
}

static SECURITY_STATUS cipher_info(const struct connection *connection, struct attribute *value)
{
    const struct suite *suite = &connection->suite;
    const SSL_CIPHER *cipher = SSL_get_current_cipher(connection->ssl);
    DWORD bits = exchange_bits(connection);
    SecPkgContext_CipherInfo info = {
        .dwVersion = SECPKGCONTEXT_CIPHERINFO_V1,
        .dwProtocol = (DWORD)SSL_version(connection->ssl),
        .dwCipherSuite = SSL_CIPHER_get_protocol_id(cipher),
        .dwBaseCipherSuite = SSL_CIPHER_get_protocol_id(cipher),
        .dwCipherLen = suite->bits,
        .dwCipherBlockLen = (DWORD)suite->block_len,
        .dwHashLen = suite->hash_bits,
        .dwMinExchangeLen = bits,
        .dwMaxExchangeLen = bits,
    };
    const char *name = SSL_CIPHER_standard_name(cipher);
    wide_put(info.szCipherSuite, name != NULL ? name : SSL_CIPHER_get_name(cipher));
    wide_put(info.szCipher, suite->cipher_name);
    wide_put(info.szHash, suite->hash_name);
    wide_put(info.szExchange, suite->exchange_name);
    wide_put(info.szCertificate, certificate_kind(connection));
    return attribute_flat(value, &info, sizeof info);
}

static SECURITY_STATUS key_info(const struct connection *connection, struct attribute *value)
{
    const struct suite *suite = &connection->suite;
    value->key_info.signature_name = suite->hash_name;
    value->key_info.signature_algorithm = suite->hash;
    value->key_info.encrypt_name = suite->cipher_name;
    value->key_info.encrypt_algorithm = suite->cipher;
    value->key_info.key_bits = suite->bits;
    return SEC_E_OK;
}

static SECURITY_STATUS application_protocol(const struct connection *connection, struct attribute *value)
{
    SecPkgContext_ApplicationProtocol protocol = {0};
    const unsigned char *name;
    unsigned int len;
    SSL_get0_alpn_selected(connection->ssl, &name, &len);
    if (len > 0 && len <= MAX_PROTOCOL_ID_SIZE) {
        protocol.ProtoNegoStatus = SecApplicationProtocolNegotiationStatus_Success;
        protocol.ProtoNegoExt = SecApplicationProtocolNegotiationExt_ALPN;
        protocol.ProtocolIdSize = (unsigned char)len;
        memcpy(protocol.ProtocolId, name, len);
    }
    return attribute_flat(value, &protocol, sizeof protocol);
}

static SECURITY_STATUS session_info(const struct connection *connection, struct attribute *value)
{
    SecPkgContext_SessionInfo info = {.dwFlags = SSL_session_reused(connection->ssl) == 1 ? SSL_SESSION_RECONNECT : 0};
    unsigned int len = 0;
    const unsigned char *id = SSL_SESSION_get_id(SSL_get_session(connection->ssl), &len);
    if (len <= sizeof info.rgbSessionId) {
        info.cbSessionId = len;
        memcpy(info.rgbSessionId, id, len);
    }
    return attribute_flat(value, &info, sizeof info);
}

/* RFC 5929 3: the first Finished of the latest handshake. Not defined for TLS 1.3 (RFC 9266), and of a resumed session only with the extended master
 * secret (RFC 7627 1) the connection's own. */
static SECURITY_STATUS unique_bindings(const struct connection *connection, struct attribute *value)
{
    static const char prefix[] = "tls-unique:";
    uint8_t finished[BINDINGS_UNIQUE_MAX];
    bool reused = SSL_session_reused(connection->ssl) == 1;
    require(SSL_version(connection->ssl) != TLS1_3_VERSION,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "TLS 1.3 has no tls-unique bindings"));
    require(
        !reused || SSL_get_extms_support(connection->ssl) == 1,
        cause_set(SEC_E_UNSUPPORTED_FUNCTION, "a resumed session without the extended master secret is not unique"));
    bool ours =
        connection->initiator != reused; /* the client's Finished comes first, in a resumed handshake the server's */
    size_t len = ours ? SSL_get_finished(connection->ssl, finished, sizeof finished)
                      : SSL_get_peer_finished(connection->ssl, finished, sizeof finished);
    require(len > 0 && len <= sizeof finished, cause_set(SEC_E_INTERNAL_ERROR, "a Finished message of %zu bytes", len));
    memcpy(value->flat.bytes, prefix, sizeof prefix - 1);
    memcpy(value->flat.bytes + sizeof prefix - 1, finished, len);
    value->flat.len = sizeof prefix - 1 + len;
    return SEC_E_OK;
}

/* RFC 5929 4.1: the server's certificate, hashed as its signature is (crypto/certificate.h has the rule). */
static SECURITY_STATUS endpoint_bindings(const struct connection *connection, struct attribute *value)
{
    static const char prefix[] = "tls-server-end-point:";
    _Static_assert(sizeof prefix - 1 + CERTIFICATE_HASH_MAX <= ATTRIBUTE_FLAT_MAX, "the longest");
    X509 *server = server_certificate(connection);
    size_t len = 0;
    require(server != NULL, cause_set(SEC_E_NO_CREDENTIALS, "the server showed no certificate"));
    memcpy(value->flat.bytes, prefix, sizeof prefix - 1);
    switch (certificate_x509_end_point_hash(server, value->flat.bytes + sizeof prefix - 1, &len)) {
    case CERTIFICATE_OK:
        value->flat.len = sizeof prefix - 1 + len;
        return SEC_E_OK;
    case CERTIFICATE_UNDEFINED:
        return cause_set(SEC_E_UNSUPPORTED_FUNCTION,
                         "the certificate's signature has no hash of its own: its bindings are not defined");
    default:
        return cause_set(SEC_E_INTERNAL_ERROR, "the server's certificate cannot be hashed");
    }
}

static bool is_tls_exporter(const struct connection *connection)
{
    return strcmp(connection->label, "EXPORTER-Channel-Binding") == 0; /* RFC 9266 4.2 */
}

/* RFC 5705, RFC 8446 7.5, by what KEYING_MATERIAL_INFO set. */
static SECURITY_STATUS keying_material(const struct connection *connection, struct attribute *value)
{
    require(connection->keying_len > 0,
            cause_set(SEC_E_OUT_OF_SEQUENCE, "SECPKG_ATTR_KEYING_MATERIAL_INFO was not set before"));
    require(!is_tls_exporter(connection) || SSL_version(connection->ssl) == TLS1_3_VERSION ||
                SSL_get_extms_support(connection->ssl) == 1,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "without the extended master secret there is no tls-exporter"));
    require(SSL_export_keying_material(connection->ssl, value->flat.bytes, connection->keying_len, connection->label,
                                       strlen(connection->label), connection->label_context,
                                       connection->label_context_len, connection->has_label_context) == 1,
            cause_set(SEC_E_INTERNAL_ERROR, "the keying material cannot be derived"));
    value->flat.len = connection->keying_len;
    return SEC_E_OK;
}

/* RFC 8471 3.3: what Token Binding's messages are signed over. */
static SECURITY_STATUS token_binding_material(const struct connection *connection, struct attribute *value)
{
    static const char label[] = "EXPORTER-Token-Binding";
    require(SSL_version(connection->ssl) == TLS1_3_VERSION || SSL_get_extms_support(connection->ssl) == 1,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "without the extended master secret there is no Token Binding"));
    require(SSL_export_keying_material(connection->ssl, value->flat.bytes, TOKEN_BINDING_LEN, label, sizeof label - 1,
                                       NULL, 0, 0) == 1,
            cause_set(SEC_E_INTERNAL_ERROR, "the keying material cannot be derived"));
    value->flat.len = TOKEN_BINDING_LEN;
    return SEC_E_OK;
}

/* RFC 5216 2.3; RFC 9190 2.3 for TLS 1.3, which has no IV. */
static SECURITY_STATUS eap_key_block(const struct connection *connection, struct attribute *value)
{
    static const char label[] = "client EAP encryption", label_1_3[] = "EXPORTER_EAP_TLS_Key_Material";
    static const unsigned char eap_tls = 13;
    bool is_1_3 = SSL_version(connection->ssl) == TLS1_3_VERSION;
    SecPkgContext_EapKeyBlock block = {{0}, {0}};
    int done = is_1_3 ? SSL_export_keying_material(connection->ssl, block.rgbKeys, sizeof block.rgbKeys, label_1_3,
                                                   sizeof label_1_3 - 1, &eap_tls, 1, 1)
                      : SSL_export_keying_material(connection->ssl, block.rgbKeys, sizeof block.rgbKeys, label,
                                                   sizeof label - 1, NULL, 0, 0);
    if (done == 1 && !is_1_3) /* the IV comes from the same function with an empty secret */
        done = prf_derive(connection->ssl, slice_of("", 0), label, PRF_CLIENT_FIRST,
                          (struct slice_mut){block.rgbIVs, sizeof block.rgbIVs});
    if (done == 1)
        (void)attribute_flat(value, &block, sizeof block);
    secret_wipe(&block, sizeof block);
    return done == 1 ? SEC_E_OK : cause_set(SEC_E_INTERNAL_ERROR, "EAP's keys cannot be derived");
}

static SECURITY_STATUS certificate_give(X509 *x509, STACK_OF(X509) * chain, const char *whose, struct attribute *value)
{
    PCCERT_CONTEXT context;
    require(x509 != NULL, cause_set(SEC_E_NO_CREDENTIALS, "%s showed no certificate", whose));
    try(certificate_context_make(x509, chain, NULL, &context));
    value->pointer = context;
    return SEC_E_OK;
}

static SECURITY_STATUS local_certificate(const struct connection *connection, struct attribute *value)
{
    STACK_OF(X509) *chain = NULL;
    X509 *own = connection_own(connection, &chain);
    return certificate_give(own, chain, "this side", value);
}

/* The names in TLS's form, each behind its length. */
static SECURITY_STATUS issuer_list(struct connection *connection, struct attribute *value)
{
    const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(connection->ssl);
    AUTO_WRITER struct writer list = writer_growing(256);
    require(connection->initiator, cause_set(SEC_E_UNSUPPORTED_FUNCTION, "a server sends issuers, it gets none"));
    for (int i = 0; i < sk_X509_NAME_num(names); i++) {
        const unsigned char *der;
        size_t len;
        require(X509_NAME_get0_der(sk_X509_NAME_value(names, i), &der, &len) == 1 && len <= UINT16_MAX,
                SEC_E_INTERNAL_ERROR);
        writer_u16be(&list, (uint16_t)len);
        writer_bytes(&list, der, len);
    }
    mem_free(connection->issuers);
    connection->issuers = writer_steal(&list, &connection->issuers_len);
    require(connection->issuers != NULL, SEC_E_INSUFFICIENT_MEMORY);
    value->bytes = slice_of(connection->issuers, connection->issuers_len);
    return SEC_E_OK;
}

static SECURITY_STATUS session_key_give(struct connection *connection, struct attribute *value)
{
    static const char label[] = "EXPERIMENTAL OpenSSPI session key"; /* RFC 5705 4: such labels need no registration */
    if (!connection->has_session_key)
        require(SSL_export_keying_material(connection->ssl, connection->session_key, sizeof connection->session_key,
                                           label, sizeof label - 1, NULL, 0, 0) == 1,
                cause_set(SEC_E_INTERNAL_ERROR, "no session key can be derived"));
    connection->has_session_key = true;
    value->bytes = slice_of(connection->session_key, sizeof connection->session_key);
    return SEC_E_OK;
}

static SECURITY_STATUS names_give(const struct connection *connection, struct attribute *value)
{
    require(connection->peer_name != NULL,
            cause_set(SEC_E_NO_CREDENTIALS, "the client showed no certificate that names it"));
    value->names.text = connection->peer_name;
    return SEC_E_OK;
}

static SECURITY_STATUS target_give(const struct connection *connection, struct attribute *value)
{
    require(!connection->initiator,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "the client's target name is asked of the accepting side"));
    value->names.text = SSL_get_servername(connection->ssl, TLSEXT_NAMETYPE_host_name);
    require(value->names.text != NULL, cause_set(SEC_E_UNSUPPORTED_FUNCTION, "the client named no server"));
    return SEC_E_OK;
}

static SECURITY_STATUS check_result(const struct connection *connection, struct attribute *value)
{
    SecPkgContext_CertificateValidationResult result = {.dwChainErrorStatus = connection->chain_errors,
                                                        .hrVerifyChainStatus = connection->chain_code};
    /* A client that was asked anew may have shown none this time. */
    bool shown = connection->initiator || SSL_get0_peer_certificate(connection->ssl) != NULL;
    require((shown && connection->validated) || connection->chain_code != SEC_E_OK,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "no certificate of the peer was validated"));
    return attribute_flat(value, &result, sizeof result);
}

/* What can be asked while the handshake runs: the server's wishes, when it asks for a certificate, and the peer's chain. */
static bool is_early(uint32_t attribute)
{
    switch (attribute) {
    case SECPKG_ATTR_ISSUER_LIST_EX:
    case SECPKG_ATTR_REMOTE_CERT_CONTEXT:
    case SECPKG_ATTR_REMOTE_CERT_CHAIN:
    case SECPKG_ATTR_EARLY_START:
    case SECPKG_ATTR_DTLS_MTU:
    case SECPKG_ATTR_CERT_CHECK_RESULT:
    case SECPKG_ATTR_CLIENT_SPECIFIED_TARGET:
        return true;
    default:
        return false;
    }
}

/* What comes of the session's keys, or of its Finished messages: while TLS 1.2 negotiates anew, libssl has none of the old session and not yet those
 * of the new one. */
static bool is_of_keys(uint32_t attribute)
{
    switch (attribute) {
    case SECPKG_ATTR_CIPHER_INFO:
    case SECPKG_ATTR_SESSION_KEY:
    case SECPKG_ATTR_EAP_KEY_BLOCK:
    case SECPKG_ATTR_KEYING_MATERIAL:
    case SECPKG_ATTR_KEYING_MATERIAL_TOKEN_BINDING:
    case SECPKG_ATTR_UNIQUE_BINDINGS:
        return true;
    default:
        return false;
    }
}

static SECURITY_STATUS query_common(struct connection *connection, uint32_t attribute, struct attribute *value)
{
    switch (attribute) {
    case SECPKG_ATTR_NAMES:
        return names_give(connection, value);
    case SECPKG_ATTR_CLIENT_SPECIFIED_TARGET:
        return target_give(connection, value);
    case SECPKG_ATTR_SESSION_KEY:
        return session_key_give(connection, value);
    case SECPKG_ATTR_LIFESPAN:
        value->lifespan.start = connection->start;
        value->lifespan.expiry = connection->expiry;
        return SEC_E_OK;
    case SECPKG_ATTR_FLAGS:
        value->number = connection->granted;
        return SEC_E_OK;
    case SECPKG_ATTR_KEY_INFO:
        return key_info(connection, value);
    case SECPKG_ATTR_UNIQUE_BINDINGS:
        return unique_bindings(connection, value);
    case SECPKG_ATTR_ENDPOINT_BINDINGS:
        return endpoint_bindings(connection, value);
    case SECPKG_ATTR_STREAM_SIZES:
        return attribute_flat(value, &connection->sizes, sizeof connection->sizes);
    default:
        return cause_set(SEC_E_UNSUPPORTED_FUNCTION, "Schannel contexts have no attribute %u", (unsigned)attribute);
    }
}

SECURITY_STATUS connection_query(struct connection *connection, uint32_t attribute, struct attribute *value)
{
    SSL *ssl = connection->ssl;
    /* One that failed before it was established has nothing to tell, and libssl has no session or cipher of it. */
    bool established = connection->state != CONNECTION_HANDSHAKE && connection->start != 0;
    require(established || is_early(attribute),
            cause_set(SEC_E_INVALID_HANDLE, "this Schannel context is not established"));
    require(!is_of_keys(attribute) || SSL_version(ssl) == TLS1_3_VERSION || SSL_in_init(ssl) == 0,
            cause_set(SEC_E_OUT_OF_SEQUENCE, "the connection is being renegotiated"));
    if (is_of_keys(attribute))
        try(exiting_check());
    switch (attribute) {
    case SECPKG_ATTR_CONNECTION_INFO:
        return connection_info(connection, value);
    case SECPKG_ATTR_CONNECTION_INFO_EX:
        return connection_info_ex(connection, value);
    case SECPKG_ATTR_CIPHER_INFO:
        return cipher_info(connection, value);
    case SECPKG_ATTR_APPLICATION_PROTOCOL:
        return application_protocol(connection, value);
    case SECPKG_ATTR_NEGOTIATED_TLS_EXTENSIONS:
        return connection_extensions(connection, value);
    case SECPKG_ATTR_SRTP_PARAMETERS:
        return connection_srtp_parameters(connection, value);
    case SECPKG_ATTR_SUPPORTED_SIGNATURES:
        return connection_signatures(connection, value);
    case SECPKG_ATTR_APP_DATA:
        return connection_app_data(connection, value);
    case SECPKG_ATTR_SESSION_INFO:
        return session_info(connection, value);
    case SECPKG_ATTR_EAP_KEY_BLOCK:
        return eap_key_block(connection, value);
    case SECPKG_ATTR_KEYING_MATERIAL:
        return keying_material(connection, value);
    case SECPKG_ATTR_KEYING_MATERIAL_TOKEN_BINDING:
        return token_binding_material(connection, value);
    case SECPKG_ATTR_REMOTE_CERT_CONTEXT:
    case SECPKG_ATTR_REMOTE_CERT_CHAIN:
        return certificate_give(SSL_get0_peer_certificate(ssl), connection_peer_issuers(connection), "the peer", value);
    case SECPKG_ATTR_LOCAL_CERT_CONTEXT:
        return local_certificate(connection, value);
    case SECPKG_ATTR_ISSUER_LIST_EX:
        return issuer_list(connection, value);
    case SECPKG_ATTR_EARLY_START:
        return attribute_flat(value, &(SecPkgContext_EarlyStart){0},
                              sizeof(SecPkgContext_EarlyStart)); /* never before Finished */
    case SECPKG_ATTR_CERT_CHECK_RESULT:
    case SECPKG_ATTR_CERT_CHECK_RESULT_INPROC:
        return check_result(connection, value);
    case SECPKG_ATTR_DTLS_MTU:
        require(connection->datagram, cause_set(SEC_E_UNSUPPORTED_FUNCTION, "TLS has no MTU"));
        return attribute_flat(value, &connection->mtu, sizeof connection->mtu);
    default:
        return query_common(connection, attribute, value);
    }
}

static SECURITY_STATUS keying_set(struct connection *connection, const SecPkgContext_KeyingMaterialInfo *info)
{
    require(info->pszLabel != NULL && info->cbLabel > 0 && info->cbLabel <= LABEL_MAX + 1,
            cause_set(SEC_E_INVALID_TOKEN, "an exporter's label of %u bytes", (unsigned)info->cbLabel));
    require(info->cbKeyingMaterial > 0 && info->cbKeyingMaterial <= KEYING_MATERIAL_MAX,
            cause_set(SEC_E_INVALID_TOKEN, "keying material of %u bytes; 1 to %d are given",
                      (unsigned)info->cbKeyingMaterial, KEYING_MATERIAL_MAX));
    size_t label_len = strnlen(info->pszLabel, info->cbLabel); /* cbLabel may count the NUL */
    require(label_len > 0 && label_len <= LABEL_MAX, cause_set(SEC_E_INVALID_TOKEN, "an exporter without a label"));
    uint8_t *copy = NULL;
    if (info->pbContextValue != NULL) {
        copy = mem_dup(info->pbContextValue, info->cbContextValue);
        require(copy != NULL, SEC_E_INSUFFICIENT_MEMORY);
    }
    mem_free(connection->label_context);
    connection->label_context = copy;
    connection->label_context_len = copy != NULL ? info->cbContextValue : 0;
    connection->has_label_context = copy != NULL;
    memset(connection->label, 0, sizeof connection->label);
    memcpy(connection->label, info->pszLabel, label_len);
    connection->keying_len = info->cbKeyingMaterial;
    return SEC_E_OK;
}

static SECURITY_STATUS mtu_set(struct connection *connection, const void *from)
{
    uint16_t mtu;
    memcpy(&mtu, from, sizeof mtu);
    require(connection->datagram, cause_set(SEC_E_UNSUPPORTED_FUNCTION, "TLS has no MTU"));
    require(mtu >= DTLS_MTU_MIN, cause_set(SEC_E_INVALID_TOKEN, "an MTU of %u bytes", (unsigned)mtu));
    connection->mtu = connection->ends.mtu = mtu;
    (void)SSL_set_mtu(connection->ssl, mtu);
    if (connection->state == CONNECTION_OPEN)
        connection->sizes.cbMaximumMessage = connection_message_max(connection);
    return SEC_E_OK;
}

/* False Start (RFC 7918): never here. */
static SECURITY_STATUS early_start_set(const void *from)
{
    SecPkgContext_EarlyStart wish;
    memcpy(&wish, from, sizeof wish);
    require(wish.dwEarlyStartFlags == 0,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "data is never sent before the peer's Finished"));
    return SEC_E_OK;
}

static size_t size_to_set(uint32_t attribute)
{
    switch (attribute) {
    case SECPKG_ATTR_KEYING_MATERIAL_INFO:
        return sizeof(SecPkgContext_KeyingMaterialInfo);
    case SECPKG_ATTR_DTLS_MTU:
        return sizeof(WORD);
    case SECPKG_ATTR_EARLY_START:
        return sizeof(SecPkgContext_EarlyStart);
    case SECPKG_ATTR_APP_DATA:
        return sizeof(SecPkgContext_SessionAppData);
    default:
        return 0;
    }
}

SECURITY_STATUS connection_set(struct connection *connection, uint32_t attribute, const void *value, size_t len)
{
    size_t wanted = size_to_set(attribute);
    require(wanted > 0,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "Schannel contexts let no attribute %u be set", (unsigned)attribute));
    require(value != NULL && len >= wanted, cause_set(SEC_E_INVALID_TOKEN, "attribute %u has %zu bytes, %zu were given",
                                                      (unsigned)attribute, wanted, len));
    switch (attribute) {
    case SECPKG_ATTR_EARLY_START:
        return early_start_set(value);
    case SECPKG_ATTR_DTLS_MTU:
        return mtu_set(connection, value);
    case SECPKG_ATTR_APP_DATA:
        return connection_app_data_set(connection, value);
    default:
        return keying_set(connection, value);
    }
}
