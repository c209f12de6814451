#include "base/memory.h"
#include "base/reader.h"
#include "core/cause.h"
#include "schannel/connection.h"
#include "wire/client_hello.h"
#include <openssl/srtp.h>
#include <stdio.h>
#include <string.h>

/* What was agreed on by extensions of TLS: SRTP's profile, which extensions, and the algorithms of signatures. */

#define EXTENSIONS_MAX 5
#define SIGNATURES_MAX 128 /* no peer offers as many; what is more is left out */
#define HELLO_MAX 8192     /* the MTU of a ClientHello that goes nowhere: it stays in one piece */

/* RFC 5764 4.1.2, RFC 7714 14.2. */
static const struct srtp_profile {
    uint16_t number;
    const char *name; /* libssl's */
} srtp_profiles[] = {
    {1, "SRTP_AES128_CM_SHA1_80"},
    {2, "SRTP_AES128_CM_SHA1_32"},
    {7, "SRTP_AEAD_AES_128_GCM"},
    {8, "SRTP_AEAD_AES_256_GCM"},
};

/* Microsoft does not say in which order the two bytes stand, and programs differ. All profiles there are have numbers below 256, so there is no
 * mistaking. */
static uint16_t profile_number(uint16_t written)
{
    return (uint16_t)((written & 0xff) == 0 ? written >> 8 : written);
}

/* Profiles that nobody here knows are passed over (RFC 5764 4.1.2), and so is a second mention. */
SECURITY_STATUS connection_srtp(struct connection *connection, struct slice profiles)
{
    char list[128] = "";
    unsigned used = 0;
    uint16_t written;
    require(connection->datagram,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "SRTP's keys are agreed on by DTLS, not by TLS (RFC 5764)"));
    for (struct reader reader = reader_of(profiles); reader_left(&reader) > 0;) {
        require(reader_u16le(&reader, &written) == WIRE_OK,
                cause_set(SEC_E_INVALID_TOKEN, "SRTP protection profiles of %zu bytes", profiles.len));
        for (unsigned i = 0; i < COUNT_OF(srtp_profiles); i++) {
            size_t len = strlen(list);
            if (srtp_profiles[i].number != profile_number(written) || (used & 1u << i) != 0)
                continue;
            (void)snprintf(list + len, sizeof list - len, "%s%s", len > 0 ? ":" : "", srtp_profiles[i].name);
            used |= 1u << i;
        }
    }
    require(used != 0, cause_set(SEC_E_UNSUPPORTED_FUNCTION, "none of the SRTP protection profiles is known here"));
    require(SSL_set_tlsext_use_srtp(connection->ssl, list) == 0, SEC_E_INSUFFICIENT_MEMORY);
    return SEC_E_OK;
}

SECURITY_STATUS connection_srtp_parameters(const struct connection *connection, struct attribute *value)
{
    const SRTP_PROTECTION_PROFILE *profile =
        connection->datagram ? SSL_get_selected_srtp_profile(connection->ssl) : NULL;
    require(profile != NULL, cause_set(SEC_E_UNSUPPORTED_FUNCTION, "no SRTP protection profile was agreed on"));
    const SecPkgContext_SrtpParameters parameters = {.ProtectionProfile = (WORD)profile->id};
    return attribute_flat(value, &parameters, sizeof parameters);
}

static void word_put(struct attribute *value, unsigned word)
{
    const uint16_t number = (uint16_t)word;
    memcpy(value->flat.bytes + value->flat.len, &number, sizeof number);
    value->flat.len += sizeof number;
}

/* Those of which libssl says whether the peer agreed; Microsoft's list is no longer. */
SECURITY_STATUS connection_extensions(const struct connection *connection, struct attribute *value)
{
    SSL *ssl = connection->ssl;
    const unsigned char *protocol;
    unsigned int protocol_len = 0;
    bool is_1_3 = SSL_version(ssl) == TLS1_3_VERSION;
    _Static_assert(EXTENSIONS_MAX * sizeof(uint16_t) <= ATTRIBUTE_FLAT_MAX, "all of them");
    SSL_get0_alpn_selected(ssl, &protocol, &protocol_len);
    value->flat.len = 0;
    if (SSL_SESSION_get_max_fragment_length(SSL_get_session(ssl)) != TLSEXT_max_fragment_length_DISABLED)
        word_put(value, TLSEXT_TYPE_max_fragment_length);
    if (connection->datagram && SSL_get_selected_srtp_profile(ssl) != NULL)
        word_put(value, TLSEXT_TYPE_use_srtp);
    if (protocol_len > 0)
        word_put(value, TLSEXT_TYPE_application_layer_protocol_negotiation);
    if (!is_1_3 && SSL_get_extms_support(ssl) == 1) /* TLS 1.3 has neither of these two, it does always what they say */
        word_put(value, TLSEXT_TYPE_extended_master_secret);
    if (!is_1_3 && SSL_get_secure_renegotiation_support(ssl) == 1)
        word_put(value, TLSEXT_TYPE_renegotiate);
    return SEC_E_OK;
}

/* The two bytes of the wire, the first of which (before TLS 1.3: the hash) is the lower one of the WORD. */
static void signature_put(struct attribute *value, unsigned first, unsigned second)
{
    if (value->flat.len < SIGNATURES_MAX * sizeof(uint16_t))
        word_put(value, first | second << 8);
}

/* The algorithms in a ClientHello that libssl wrote. */
static bool signatures_of_hello(struct slice hello, bool datagram, struct attribute *value)
{
    struct slice list, data = {0};
    size_t missing;
    uint16_t type = 0, len;
    uint8_t first, second;
    if (client_hello_extensions(hello, datagram ? CLIENT_HELLO_DATAGRAM : CLIENT_HELLO_RECORD, &list, &missing) !=
        WIRE_OK)
        return false;
    struct reader extensions = reader_of(list);
    while (type != TLSEXT_TYPE_signature_algorithms)
        if (client_hello_extension(&extensions, &type, &data) != WIRE_OK)
            return false;
    struct reader reader = reader_of(data);
    if (reader_u16be(&reader, &len) != WIRE_OK)
        return false;
    while (reader_u8(&reader, &first) == WIRE_OK && reader_u8(&reader, &second) == WIRE_OK)
        signature_put(value, first, second);
    return value->flat.len > 0;
}

/* A client whose server named no algorithms supports what it offers, which libssl tells in a ClientHello only: one is made for nobody. */
static bool signatures_offered(const struct connection *connection, struct attribute *value)
{
    SSL *probe = SSL_new(SSL_get_SSL_CTX(connection->ssl));
    BIO *input = BIO_new(BIO_s_mem()), *output = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    bool found = false;
    if (probe != NULL && input != NULL && output != NULL) {
        SSL_set_bio(probe, input, output);
        SSL_set_connect_state(probe);
        SSL_set_mtu(probe, HELLO_MAX);
        (void)SSL_do_handshake(probe);
        long len = BIO_get_mem_data(output, &bytes);
        found = len > 0 && signatures_of_hello(slice_of(bytes, (size_t)len), connection->datagram, value);
    } else {
        BIO_free(input);
        BIO_free(output);
    }
    SSL_free(probe);
    connection_errors_forget();
    return found;
}

SECURITY_STATUS connection_signatures(const struct connection *connection, struct attribute *value)
{
    int n_shared = SSL_get_shared_sigalgs(connection->ssl, 0, NULL, NULL, NULL, NULL, NULL);
    _Static_assert(SIGNATURES_MAX * sizeof(uint16_t) <= ATTRIBUTE_FLAT_MAX, "all of them");
    value->flat.len = 0;
    for (int i = 0; i < n_shared; i++) {
        unsigned char signature = 0, hash = 0;
        (void)SSL_get_shared_sigalgs(connection->ssl, i, NULL, NULL, NULL, &signature, &hash);
        signature_put(value, hash, signature);
    }
    if (n_shared > 0)
        return SEC_E_OK;
    require(connection->initiator || SSL_session_reused(connection->ssl) != 1,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "a resumed handshake signs nothing"));
    require(connection->initiator && signatures_offered(connection, value),
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "the peer named no algorithms of signatures"));
    return SEC_E_OK;
}
