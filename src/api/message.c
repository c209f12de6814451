#include "api/buffers.h"

#include "core/cause.h"
#include "core/handle.h"
#include "core/objects.h"
#include "core/trace.h"
#include "sasl/sasl.h"

/* EncryptMessage and its kin: no allocation, no system call, no search after the handle look-up. */

typedef SECURITY_STATUS (*send_call)(void *state, uint32_t qop, struct message *message, uint32_t seq);
typedef SECURITY_STATUS (*receive_call)(void *state, struct message *message, uint32_t seq, uint32_t *qop);

static SECURITY_STATUS not_established(const struct context *context)
{
    return cause_set(SEC_E_INVALID_HANDLE, "this %s context is not established", context->package->info.name);
}

static SECURITY_STATUS send_message(const SecHandle *handle, uint32_t qop, SecBufferDesc *list, uint32_t seq, bool seal)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    cause_clear();
    require(handle_get(handle, HANDLE_CONTEXT, &ref) == SEC_E_OK,
            cause_set(SEC_E_INVALID_HANDLE, "this is not the handle of a living context"));
    struct context *context = ref.object;
    struct message message;
    enum message_call what = seal ? MESSAGE_SEAL : MESSAGE_SIGN;
    try(buffers_message(list, what, &message));

    pthread_mutex_lock(&context->send_lock);
    struct session *session = context->session;
    SECURITY_STATUS status;
    if (session == NULL)
        status = not_established(context);
    else if ((status = sasl_check_send(context, &message, qop, seal)) == SEC_E_OK) {
        send_call call = seal ? session->package->session->seal : session->package->session->sign;
        status = call != NULL ? call(session->state, qop, &message, seq) : SEC_E_UNSUPPORTED_FUNCTION;
    }
    pthread_mutex_unlock(&context->send_lock);
    if (status == SEC_E_OK)
        buffers_message_done(list, what, &message);
    return status;
}

static SECURITY_STATUS receive_message(const SecHandle *handle, SecBufferDesc *list, uint32_t seq, ULONG *qop,
                                       bool unseal)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    cause_clear();
    require(handle_get(handle, HANDLE_CONTEXT, &ref) == SEC_E_OK,
            cause_set(SEC_E_INVALID_HANDLE, "this is not the handle of a living context"));
    struct context *context = ref.object;
    struct message message;
    enum message_call what = unseal ? MESSAGE_UNSEAL : MESSAGE_VERIFY;
    try(buffers_message(list, what, &message));

    uint32_t protection = qop != NULL ? *qop : 0; /* packages that have no qualities leave it as it was */
    pthread_mutex_lock(&context->receive_lock);
    struct session *session = context->session;
    SECURITY_STATUS status;
    if (session == NULL)
        status = not_established(context);
    else if ((status = sasl_check_receive(context, &message, unseal)) == SEC_E_OK) {
        receive_call call = unseal ? session->package->session->unseal : session->package->session->verify;
        status = call != NULL ? call(session->state, &message, seq, &protection) : SEC_E_UNSUPPORTED_FUNCTION;
        if (status == SEC_E_OK)
            status = sasl_check_received(context, protection, unseal);
    }
    pthread_mutex_unlock(&context->receive_lock);
    if (status == SEC_E_OK) {
        buffers_message_done(list, what, &message);
        if (qop != NULL)
            *qop = protection;
    }
    return status;
}

SECURITY_STATUS SEC_ENTRY MakeSignature(PCtxtHandle phContext, ULONG fQOP, PSecBufferDesc pMessage, ULONG MessageSeqNo)
{
    return send_message(phContext, fQOP, pMessage, MessageSeqNo, false);
}

SECURITY_STATUS SEC_ENTRY VerifySignature(PCtxtHandle phContext, PSecBufferDesc pMessage, ULONG MessageSeqNo,
                                          PULONG pfQOP)
{
    return receive_message(phContext, pMessage, MessageSeqNo, pfQOP, false);
}

SECURITY_STATUS SEC_ENTRY EncryptMessage(PCtxtHandle phContext, ULONG fQOP, PSecBufferDesc pMessage, ULONG MessageSeqNo)
{
    return send_message(phContext, fQOP, pMessage, MessageSeqNo, true);
}

SECURITY_STATUS SEC_ENTRY DecryptMessage(PCtxtHandle phContext, PSecBufferDesc pMessage, ULONG MessageSeqNo,
                                         PULONG pfQOP)
{
    return receive_message(phContext, pMessage, MessageSeqNo, pfQOP, true);
}

/* The NT 4.0 names. */
SECURITY_STATUS SEC_ENTRY SealMessage(PCtxtHandle phContext, ULONG fQOP, PSecBufferDesc pMessage, ULONG MessageSeqNo)
{
    return send_message(phContext, fQOP, pMessage, MessageSeqNo, true);
}

SECURITY_STATUS SEC_ENTRY UnsealMessage(PCtxtHandle phContext, PSecBufferDesc pMessage, ULONG MessageSeqNo,
                                        PULONG pfQOP)
{
    return receive_message(phContext, pMessage, MessageSeqNo, pfQOP, true);
}
