#include "base/memory.h"
#include "base/time.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "schannel/connection.h"
#include "schannel/record.h"
#include <openssl/x509v3.h>
#include <string.h>

/* What is worked out when a handshake has ended, so that no message call and no query has to. */

#define STREAM_BUFFERS 4
#define NAME_LEN_MAX 1024

ULONG connection_message_max(const struct connection *connection)
{
    SSL *ssl = connection->ssl;
    size_t max = RECORD_DATA_MAX;
    uint8_t fragment = SSL_SESSION_get_max_fragment_length(SSL_get_session(ssl)); /* RFC 6066 4: 2^9 to 2^12 */
    if (fragment >= TLSEXT_max_fragment_length_512 && fragment <= TLSEXT_max_fragment_length_4096)
        max = (size_t)512 << (fragment - TLSEXT_max_fragment_length_512);
    size_t fits = connection->datagram ? DTLS_get_data_mtu(ssl) : 0;
    return (ULONG)(fits > 0 && fits < max ? fits : max);
}

static SECURITY_STATUS sizes_find(struct connection *connection)
{
    SSL *ssl = connection->ssl;
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
    int version = SSL_version(ssl);
    if (connection->datagram) /* DTLS 1.2 protects as TLS 1.2 does, DTLS 1.0 as TLS 1.1 */
        version = version == DTLS1_2_VERSION ? TLS1_2_VERSION : TLS1_1_VERSION;
    require(cipher != NULL && suite_describe(cipher, version, &connection->suite),
            cause_set(SEC_E_INTERNAL_ERROR, "a cipher suite that no policy lets in"));
    size_t header = connection->datagram ? RECORD_HEADER_LEN_DTLS : RECORD_HEADER_LEN;
    connection->sizes = (SecPkgContext_StreamSizes){
        .cbHeader = (ULONG)(header + connection->suite.header_more),
        .cbTrailer = (ULONG)connection->suite.trailer_len,
        .cbMaximumMessage = connection_message_max(connection),
        .cBuffers = STREAM_BUFFERS,
        .cbBlockSize = (ULONG)connection->suite.block_len,
    };
    return SEC_E_OK;
}

/* Programs look the name up and write it into logs. */
static bool is_plain_text(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (utf8_forging_len(text.data + i, text.len - i) > 0)
            return false;
    return text.len > 0 && text.len <= NAME_LEN_MAX && utf8_valid(text);
}

/* The first name of this kind in subjectAltName, as UTF-8 (mem_free), or NULL. */
static char *alternative_name(const GENERAL_NAMES *names, int kind)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        const ASN1_STRING *text = NULL;
        if (name->type != kind)
            continue;
        if (kind == GEN_EMAIL)
            text = name->d.rfc822Name;
        else if (kind == GEN_DNS)
            text = name->d.dNSName;
        else if (kind == GEN_OTHERNAME && OBJ_obj2nid(name->d.otherName->type_id) == NID_ms_upn &&
                 name->d.otherName->value->type == V_ASN1_UTF8STRING)
            text = name->d.otherName->value->value.utf8string;
        int len = text != NULL ? ASN1_STRING_length(text) : 0;
        if (len > 0 && is_plain_text(slice_of(ASN1_STRING_get0_data(text), (size_t)len)))
            return mem_dup(ASN1_STRING_get0_data(text), (size_t)len);
    }
    return NULL;
}

static char *subject_text(const X509 *x509)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes = NULL, *text = NULL;
    if (bio != NULL &&
        X509_NAME_print_ex(bio, X509_get_subject_name(x509), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
        long len = BIO_get_mem_data(bio, &bytes);
        text = mem_dup(bytes, len > 0 ? (size_t)len : 0);
        if (text != NULL)
            text_calm(text, strlen(text));
    }
    BIO_free(bio);
    return text;
}

/* Whom a certificate speaks of: the user principal name, the address, the host, or the subject. */
static char *certificate_name(const X509 *x509)
{
    static const int kinds[] = {GEN_OTHERNAME, GEN_EMAIL, GEN_DNS};
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
    char *name = NULL;
    for (size_t i = 0; i < COUNT_OF(kinds) && name == NULL; i++)
        name = alternative_name(names, kinds[i]);
    GENERAL_NAMES_free(names);
    return name != NULL ? name : subject_text(x509);
}

/* The credential knows it of its own. */
static int64_t own_not_after(const struct tls_credential *credential, const X509 *own)
{
    for (unsigned i = 0; i < credential->n_certificates; i++)
        if (credential->certificate[i].x509 == own)
            return credential->certificate[i].expiry;
    return tls_not_after(own);
}

SECURITY_STATUS connection_names(struct connection *connection)
{
    /* NAMES is the client's. */
    const X509 *peer = SSL_get0_peer_certificate(connection->ssl);
    const X509 *own = connection_own(connection, NULL);
    const X509 *client = connection->initiator ? own : peer;
    mem_free(connection->peer_name);
    connection->peer_name = NULL;
    if (client != NULL) {
        connection->peer_name = certificate_name(client);
        require(connection->peer_name != NULL, SEC_E_INSUFFICIENT_MEMORY);
    }
    int64_t expiry = connection->initiator ? tls_not_after(peer) : own_not_after(connection->credential, own);
    int64_t client_expiry = tls_not_after(client);
    connection->expiry = client_expiry < expiry ? client_expiry : expiry;
    connection->granted &= ~(uint32_t)ISC_RET_MUTUAL_AUTH; /* one bit on each side */
    if (client != NULL)
        connection->granted |= connection->initiator
                                   ? ISC_RET_USED_SUPPLIED_CREDS | (connection->flags & ISC_REQ_MUTUAL_AUTH)
                                   : ASC_RET_MUTUAL_AUTH;
    return SEC_E_OK;
}

SECURITY_STATUS connection_established(struct connection *connection)
{
    try(sizes_find(connection));
    try(connection_names(connection));
    (void)connection_is_validated(connection);
    connection_keep_renewed(connection);
    connection->start = filetime_now();
    connection->has_session_key = false;
    return SEC_E_OK;
}
