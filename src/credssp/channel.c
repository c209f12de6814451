#include "credssp/channel.h"

#include "base/memory.h"
#include "base/reader.h"
#include "certificates/chain.h"
#include "certificates/context.h"
#include "certificates/live.h"
#include "core/cause.h"
#include "core/target.h"
#include "wire/der.h"
#include <schannel.h>
#include <string.h>
#include <wincrypt.h>

SECURITY_STATUS channel_init(struct channel *channel, const struct credssp_credential *credential, bool initiator,
                             const char *target)
{
    *channel = (struct channel){.credential = credential, .initiator = initiator, .received = writer_growing(4096)};
    if (target == NULL)
        return SEC_E_OK;
    /* The certificate is checked against what the policy allows. */
    struct slice host = target_parse(target).host;
    channel->host = mem_dup(host.data, host.len);
    return channel->host != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

void channel_release(struct channel *channel)
{
    if (channel->handshake != NULL)
        channel->credential->tls->authority->abandon(channel->handshake);
    session_close(channel->session);
    if (channel->shown != NULL)
        (void)live_user_drop(channel->shown, LIVE_CERTIFICATE);
    writer_release(&channel->received);
    mem_free(channel->host);
    *channel = (struct channel){0};
}

/* What of the caller's wishes is TLS'. Without its own validation the server is judged by what comes inside: Windows sets MANUAL_CRED_VALIDATION
 * always. */
static uint32_t tls_flags(const struct channel *channel, uint32_t flags)
{
    if (!channel->initiator)
        return ASC_REQ_SEQUENCE_DETECT | ASC_REQ_REPLAY_DETECT | ASC_REQ_CONFIDENTIALITY | ASC_REQ_STREAM |
               (flags & ASC_REQ_EXTENDED_ERROR);
    return ISC_REQ_SEQUENCE_DETECT | ISC_REQ_REPLAY_DETECT | ISC_REQ_CONFIDENTIALITY | ISC_REQ_STREAM |
           (flags & (ISC_REQ_EXTENDED_ERROR | ISC_REQ_USE_SUPPLIED_CREDS)) |
           (channel->credential->validates ? 0 : ISC_REQ_MANUAL_CRED_VALIDATION);
}

SECURITY_STATUS channel_step(struct channel *channel, const struct step_in *in, struct step_out *out)
{
    const struct package *tls = channel->credential->tls;
    struct step_in inner = *in;
    uint32_t granted = out->granted;
    int64_t expiry = out->expiry;
    inner.flags = tls_flags(channel, in->flags);
    inner.flags_now = tls_flags(channel, in->flags_now);
    inner.target = channel->host;
    inner.bindings = (struct slice){0};
    SECURITY_STATUS(*step)
    (void *, void **, const struct step_in *, struct step_out *) =
        channel->initiator ? tls->authority->initiate : tls->authority->accept;
    SECURITY_STATUS status = step(channel->credential->tls_credential, &channel->handshake, &inner, out);
    bool stream = (out->granted & (channel->initiator ? ISC_RET_STREAM : ASC_RET_STREAM)) != 0;
    out->granted = granted;
    out->expiry = expiry;
    if (out->stream != NULL)
        try(session_adopt(tls, channel->initiator, STEAL(out->stream), &channel->session));
    require(status < 0 || stream, cause_set(SEC_E_UNKNOWN_CREDENTIALS, "CredSSP needs TLS, not DTLS"));
    return status;
}

/* TLS 1.3 has messages of its own after the handshake, which its next step takes off `rest`; before it a renegotiation, which nobody needs inside
 * CredSSP. */
static SECURITY_STATUS own_message(struct channel *channel, struct slice rest, struct step_out *out, size_t *left)
{
    const struct step_in in = {.token = rest, .given = true};
    SECURITY_STATUS status = channel_step(channel, &in, out);
    *left = out->extra;
    out->extra = 0;
    require(status < 0 || (status == SEC_E_OK && *left < rest.len),
            cause_set(SEC_E_INVALID_TOKEN, "the peer wants to renegotiate TLS inside CredSSP"));
    return status;
}

/* Is the TSRequest whole? */
static SECURITY_STATUS received_judge(const struct channel *channel)
{
    size_t total;
    struct slice received = writer_slice_of(&channel->received);
    enum wire_result found = der_total_len(received, &total);
    require(writer_finish(&channel->received) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    require(found != WIRE_BAD && (received.len == 0 || received.data[0] == DER_SEQUENCE),
            cause_set(SEC_E_INVALID_TOKEN, "what came through TLS is no TSRequest"));
    if (found == WIRE_SHORT && channel->received.len <= CREDSSP_TOKEN_MAX)
        return SEC_I_CONTINUE_NEEDED;
    require(found == WIRE_OK && total <= CREDSSP_TOKEN_MAX,
            cause_set(SEC_E_INVALID_TOKEN, "a TSRequest of more than %d bytes", CREDSSP_TOKEN_MAX));
    require(total >= channel->received.len, cause_set(SEC_E_INVALID_TOKEN, "bytes behind a TSRequest"));
    return total == channel->received.len ? SEC_E_OK : SEC_I_CONTINUE_NEEDED;
}

/* One record of `stream`, which is our copy; `message` tells how much is left. */
static SECURITY_STATUS record_receive(struct channel *channel, struct slice_mut stream, struct step_out *out,
                                      struct message *message)
{
    uint32_t qop = 0;
    message->stream = stream;
    SECURITY_STATUS status = channel->session->package->session->unseal(channel->session->state, message, 0, &qop);
    if (status == SEC_I_RENEGOTIATE) {
        size_t begin = stream.len - message->extra; /* the record is shown again */
        try(own_message(channel, slice_of(stream.data + begin, message->extra), out, &message->extra));
        return SEC_I_CONTINUE_NEEDED;
    }
    require(status != SEC_I_CONTEXT_EXPIRED,
            cause_set(SEC_E_CONTEXT_EXPIRED, "the peer closed TLS before CredSSP had ended"));
    try(status);
    writer_bytes(&channel->received, message->stream_data.data, message->stream_data.len);
    return received_judge(channel);
}

SECURITY_STATUS channel_receive(struct channel *channel, struct slice input, struct step_out *out, size_t *left)
{
    AUTO_SECRET struct secret copy = {0};
    *left = input.len;
    require(input.len == 0 || secret_set(&copy, input.data, input.len), SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = SEC_I_CONTINUE_NEEDED;
    bool first = true;
    while (status == SEC_I_CONTINUE_NEEDED && (first || *left > 0)) {
        struct message message = {0};
        struct slice_mut rest = {input.len > 0 ? copy.data + (input.len - *left) : NULL, *left};
        status = record_receive(channel, rest, out, &message);
        if (status == SEC_E_INCOMPLETE_MESSAGE) {
            out->missing = message.missing;
            return first ? status : SEC_I_CONTINUE_NEEDED;
        }
        first = false;
        *left = message.extra;
    }
    return status;
}

SECURITY_STATUS channel_send(struct channel *channel, struct slice plain, struct writer *token)
{
    const struct package_session *table = channel->session->package->session;
    struct attribute value = {0};
    SecPkgContext_StreamSizes sizes;
    AUTO_SECRET struct secret room = {0};
    try(table->query(channel->session->state, SECPKG_ATTR_STREAM_SIZES, &value));
    memcpy(&sizes, value.flat.bytes, sizeof sizes);
    require(secret_alloc(&room, (size_t)sizes.cbHeader + sizes.cbMaximumMessage + sizes.cbTrailer),
            SEC_E_INSUFFICIENT_MEMORY);
    for (size_t at = 0; at < plain.len;) {
        size_t piece = plain.len - at < sizes.cbMaximumMessage ? plain.len - at : sizes.cbMaximumMessage;
        uint8_t *data = room.data + sizes.cbHeader;
        memcpy(data, plain.data + at, piece);
        struct message message = {.n_data = 1};
        message.header = (struct slice_mut){room.data, sizes.cbHeader};
        message.data[0] = (struct segment){.data = data, .len = piece};
        message.trailer = (struct slice_mut){data + piece, sizes.cbTrailer};
        try(table->seal(channel->session->state, 0, &message, 0));
        writer_bytes(token, message.header.data, message.header.len);
        writer_bytes(token, message.data[0].data, message.data[0].len);
        writer_bytes(token, message.trailer.data, message.trailer.len);
        at += piece;
    }
    return writer_finish(token) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

SECURITY_STATUS channel_show(struct channel *channel, struct slice certificates)
{
    struct reader reader = reader_of(certificates);
    struct slice first = {0};
    if (channel->shown != NULL)
        return SEC_E_OK;
    while (reader_left(&reader) > 0) {
        struct slice der;
        uint32_t len;
        require(reader_u32le(&reader, &len) == WIRE_OK && reader_bytes(&reader, len, &der) == WIRE_OK,
                cause_set(SEC_E_INVALID_TOKEN, "the second TOKEN buffer is no certificate with its length before it"));
        if (first.data == NULL)
            first = der;
    }
    require(certificate_create(X509_ASN_ENCODING, first, &channel->shown) == SEC_E_OK,
            cause_set(SEC_E_INVALID_TOKEN, "the second TOKEN buffer has no certificate that can be read"));
    return SEC_E_OK;
}

static SECURITY_STATUS server_certificate(const struct channel *channel, PCCERT_CONTEXT *certificate)
{
    struct attribute value = {0};
    if (channel->credential->bare) {
        *certificate = channel->shown;
        require(channel->shown != NULL && live_user_add(channel->shown, LIVE_CERTIFICATE),
                cause_set(SEC_E_INVALID_TOKEN, "TSSSP needs the server's certificate in a second TOKEN buffer"));
        return SEC_E_OK;
    }
    try(channel->session->package->session->query(
        channel->session->state, channel->initiator ? SECPKG_ATTR_REMOTE_CERT_CONTEXT : SECPKG_ATTR_LOCAL_CERT_CONTEXT,
        &value));
    *certificate = value.pointer;
    return SEC_E_OK;
}

SECURITY_STATUS channel_public_key(const struct channel *channel, struct secret *key)
{
    PCCERT_CONTEXT certificate;
    try(server_certificate(channel, &certificate));
    const CRYPT_BIT_BLOB *bits = &certificate->pCertInfo->SubjectPublicKeyInfo.PublicKey;
    bool empty = bits->cbData == 0, copied = !empty && secret_set(key, bits->pbData, bits->cbData);
    (void)live_user_drop(certificate, LIVE_CERTIFICATE);
    require(!empty, cause_set(SEC_E_INVALID_TOKEN, "the server's certificate has no public key"));
    return copied ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS chain_judge(const struct channel *channel, PCCERT_CONTEXT certificate, bool *trusted,
                                   CERT_TRUST_STATUS *found)
{
    SSL_EXTRA_CERT_CHAIN_POLICY_PARA ssl = {.cbSize = sizeof ssl, .dwAuthType = AUTHTYPE_SERVER};
    CERT_CHAIN_POLICY_PARA policy = {.cbSize = sizeof policy, .pvExtraPolicyPara = &ssl};
    CERT_CHAIN_POLICY_STATUS verdict = {.cbSize = sizeof verdict};
    CERT_CHAIN_PARA parameters = {.cbSize = sizeof parameters};
    PCCERT_CHAIN_CONTEXT chain;
    try(chain_get(NULL, certificate, 0, certificate->hCertStore, &parameters, 0, &chain));
    *found = chain->TrustStatus;
    SECURITY_STATUS status = chain_policy(CERT_CHAIN_POLICY_SSL, chain, &policy, channel->host, &verdict);
    (void)live_user_drop(chain, LIVE_CHAIN);
    *trusted = status == SEC_E_OK && verdict.dwError == 0 && channel->host != NULL;
    return status;
}

SECURITY_STATUS channel_server_trusted(const struct channel *channel, bool *trusted, CERT_TRUST_STATUS *status)
{
    PCCERT_CONTEXT certificate;
    *trusted = false;
    *status = (CERT_TRUST_STATUS){.dwErrorStatus = CERT_TRUST_IS_PARTIAL_CHAIN};
    try(server_certificate(channel, &certificate));
    SECURITY_STATUS judged = chain_judge(channel, certificate, trusted, status);
    (void)live_user_drop(certificate, LIVE_CERTIFICATE);
    if (judged != SEC_E_OK) { /* roots that cannot be read vouch for nobody */
        require(judged != SEC_E_INSUFFICIENT_MEMORY, judged);
        *trusted = false;
        cause_drop();
    }
    /* What TLS has validated, with the roots that the program chose, counts as it is: else there were no channel. */
    if (channel->credential->validates && !channel->credential->name_passed)
        *trusted = true;
    return SEC_E_OK;
}
