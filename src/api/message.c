#include "api/message.h"

#include "api/api.h"
#include "api/buffers.h"
#include "core/block.h"
#include "core/cause.h"
#include "core/objects.h"
#include "core/trace.h"
#include "sasl/sasl.h"
#include <string.h>

/* EncryptMessage and its kin: no allocation, no system call, no search after the handle look-up; but WDigest's over HTTP, whose key a daemon may
 * keep. */

#define STREAM_FORMAT_MAX \
    ((size_t)64 << 20) /* bytes of one buffer that the library formats; more is to be sent piece by piece */

typedef SECURITY_STATUS (*send_call)(void *state, uint32_t qop, struct message *message, uint32_t seq);
typedef SECURITY_STATUS (*receive_call)(void *state, struct message *message, uint32_t seq, uint32_t *qop);

SECURITY_STATUS message_not_established(const struct context *context)
{
    return cause_set(SEC_E_INVALID_HANDLE, "this %s context is not established", context->package->info.name);
}

/* Off the fast path: what a decoder without memory took for the peer's fault is none. */
static inline SECURITY_STATUS answered(SECURITY_STATUS status)
{
    return __builtin_expect(status < 0, 0) ? cause_answer(status) : status;
}

/* A single buffer is formatted here: records in a block of ours, which takes the place of the caller's. */
static SECURITY_STATUS stream_format(struct session *session, struct message *message)
{
    struct attribute value = {0};
    SecPkgContext_StreamSizes sizes;
    struct segment data = message->data[0];
    try(session->package->session->query(session->state, SECPKG_ATTR_STREAM_SIZES, &value));
    memcpy(&sizes, value.flat.bytes, sizeof sizes);
    require(data.len <= STREAM_FORMAT_MAX,
            cause_set(SEC_E_INVALID_TOKEN, "a message of %zu bytes to be formatted at once", data.len));
    size_t n_records = (data.len + sizes.cbMaximumMessage - 1) / sizes.cbMaximumMessage;
    uint8_t *block = block_alloc(data.len + n_records * (sizes.cbHeader + sizes.cbTrailer));
    require(block != NULL, SEC_E_INSUFFICIENT_MEMORY);
    size_t len = 0;
    for (size_t at = 0; at < data.len;) {
        size_t piece = data.len - at < sizes.cbMaximumMessage ? data.len - at : sizes.cbMaximumMessage;
        uint8_t *record = block + len;
        memcpy(record + sizes.cbHeader, data.data + at, piece);
        message->header = (struct slice_mut){record, sizes.cbHeader};
        message->data[0] = (struct segment){.data = record + sizes.cbHeader, .len = piece};
        message->trailer = (struct slice_mut){record + sizes.cbHeader + piece, sizes.cbTrailer};
        SECURITY_STATUS status = session->package->session->seal(session->state, 0, message, 0);
        if (status != SEC_E_OK) {
            (void)block_free(block);
            return status;
        }
        len += message->header.len + message->data[0].len + message->trailer.len;
        at += piece;
    }
    message->stream = (struct slice_mut){block, len};
    return SEC_E_OK;
}

/* A stream has one way to protect: MakeSignature seals as EncryptMessage does. */
static SECURITY_STATUS send_stream(struct context *context, uint32_t qop, SecBufferDesc *list)
{
    struct message message;
    require(qop == 0, cause_set(SEC_E_QOP_NOT_SUPPORTED, "quality of protection 0x%x", (unsigned)qop));
    try(buffers_stream_seal(list, &message));
    pthread_mutex_lock(&context->send_lock);
    struct session *session = context->session;
    SECURITY_STATUS status;
    if (session == NULL)
        status = message_not_established(context);
    else if (message.header.data == NULL)
        status = stream_format(session, &message);
    else
        status = session->package->session->seal(session->state, qop, &message, 0);
    pthread_mutex_unlock(&context->send_lock);
    status = answered(status);
    if (status == SEC_E_OK)
        buffers_stream_seal_done(list, &message);
    return status;
}

static SECURITY_STATUS receive_stream(struct context *context, SecBufferDesc *list, ULONG *qop)
{
    struct message message;
    try(buffers_stream_unseal(list, &message));
    uint32_t protection = 0;
    pthread_mutex_lock(&context->receive_lock);
    struct session *session = context->session;
    SECURITY_STATUS status = session == NULL
                                 ? message_not_established(context)
                                 : session->package->session->unseal(session->state, &message, 0, &protection);
    pthread_mutex_unlock(&context->receive_lock);
    status = answered(status);
    if (status >= 0 || status == SEC_E_INCOMPLETE_MESSAGE)
        buffers_stream_unseal_done(list, status, &message);
    if (status == SEC_E_OK && qop != NULL)
        *qop = protection;
    return status;
}

SECURITY_STATUS message_send(const SecHandle *handle, uint32_t qop, SecBufferDesc *list, uint32_t seq, bool seal)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    try(api_context_get(handle, &ref));
    struct context *context = ref.object;
    if (context_is_stream(context))
        return send_stream(context, qop, list);
    struct message message;
    enum message_call what = seal ? MESSAGE_SEAL : MESSAGE_SIGN;
    try(buffers_message(list, what, &message));

    pthread_mutex_lock(&context->send_lock);
    struct session *session = context->session;
    SECURITY_STATUS status;
    if (session == NULL)
        status = message_not_established(context);
    else if ((status = sasl_check_send(context, &message, qop, seal)) == SEC_E_OK) {
        send_call call = seal ? session->package->session->seal : session->package->session->sign;
        status = call != NULL ? call(session->state, qop, &message, seq) : SEC_E_UNSUPPORTED_FUNCTION;
    }
    pthread_mutex_unlock(&context->send_lock);
    status = answered(status);
    if (status == SEC_E_OK)
        buffers_message_done(list, what, &message);
    return status;
}

SECURITY_STATUS message_receive(const SecHandle *handle, SecBufferDesc *list, uint32_t seq, ULONG *qop, bool unseal)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    try(api_context_get(handle, &ref));
    struct context *context = ref.object;
    if (context_is_stream(context))
        return receive_stream(context, list, qop);
    struct message message;
    enum message_call what = unseal ? MESSAGE_UNSEAL : MESSAGE_VERIFY;
    try(buffers_message(list, what, &message));

    uint32_t protection = qop != NULL ? *qop : 0; /* packages that have no qualities leave it as it was */
    pthread_mutex_lock(&context->receive_lock);
    struct session *session = context->session;
    SECURITY_STATUS status;
    if (session == NULL)
        status = message_not_established(context);
    else if ((status = sasl_check_receive(context, &message, unseal)) == SEC_E_OK) {
        receive_call call = unseal ? session->package->session->unseal : session->package->session->verify;
        status = call != NULL ? call(session->state, &message, seq, &protection) : SEC_E_UNSUPPORTED_FUNCTION;
        if (status == SEC_E_OK)
            status = sasl_check_received(context, protection, unseal);
    }
    pthread_mutex_unlock(&context->receive_lock);
    status = answered(status);
    if (status == SEC_E_OK) {
        buffers_message_done(list, what, &message);
        if (qop != NULL)
            *qop = protection;
    }
    return status;
}

SECURITY_STATUS SEC_ENTRY MakeSignature(PCtxtHandle phContext, ULONG fQOP, PSecBufferDesc pMessage, ULONG MessageSeqNo)
{
    cause_clear();
    return message_send(phContext, fQOP, pMessage, MessageSeqNo, false);
}

SECURITY_STATUS SEC_ENTRY VerifySignature(PCtxtHandle phContext, PSecBufferDesc pMessage, ULONG MessageSeqNo,
                                          PULONG pfQOP)
{
    cause_clear();
    return message_receive(phContext, pMessage, MessageSeqNo, pfQOP, false);
}

SECURITY_STATUS SEC_ENTRY EncryptMessage(PCtxtHandle phContext, ULONG fQOP, PSecBufferDesc pMessage, ULONG MessageSeqNo)
{
    cause_clear();
    return message_send(phContext, fQOP, pMessage, MessageSeqNo, true);
}

SECURITY_STATUS SEC_ENTRY DecryptMessage(PCtxtHandle phContext, PSecBufferDesc pMessage, ULONG MessageSeqNo,
                                         PULONG pfQOP)
{
    cause_clear();
    return message_receive(phContext, pMessage, MessageSeqNo, pfQOP, true);
}

/* The NT 4.0 names. */
SECURITY_STATUS SEC_ENTRY SealMessage(PCtxtHandle phContext, ULONG fQOP, PSecBufferDesc pMessage, ULONG MessageSeqNo)
{
    cause_clear();
    return message_send(phContext, fQOP, pMessage, MessageSeqNo, true);
}

SECURITY_STATUS SEC_ENTRY UnsealMessage(PCtxtHandle phContext, PSecBufferDesc pMessage, ULONG MessageSeqNo,
                                        PULONG pfQOP)
{
    cause_clear();
    return message_receive(phContext, pMessage, MessageSeqNo, pfQOP, true);
}
