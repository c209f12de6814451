#include "foreign/context.h"

#include "base/memory.h"
#include "core/cause.h"
#include <string.h>

/* The session half: messages and attributes, each as one call of the module's with its own handle. */

static SECURITY_STATUS session_open_claim(struct slice own, uint32_t flags, bool initiator, void **state)
{
    (void)flags;
    struct foreign_context *context = foreign_context_claim(own);
    require(context != NULL && context->initiator == initiator,
            (foreign_context_put(context),
             cause_set(SEC_E_INVALID_TOKEN, "this context of another's package lives in another process, or no more")));
    *state = context;
    return SEC_E_OK;
}

static void session_close_claim(void *state)
{
    foreign_context_put(state);
}

/* For Negotiate, which writes records anew within one process; packages with process_bound are never exported. */
static SECURITY_STATUS session_save_claim(const void *state, struct writer *own)
{
    struct foreign_context *context = (struct foreign_context *)(uintptr_t)state;
    writer_bytes(own, context->claim, CLAIM_LEN);
    foreign_context_promise(context);
    return SEC_E_OK;
}

/* A message as the module gets it. Buffers of no length are left out but for the token. */
struct listed {
    SecBuffer buffer[MESSAGE_SEGMENTS_MAX + 3];
    SecBufferDesc list;
    SecBuffer *token, *padding, *stream, *stream_data, *data[MESSAGE_SEGMENTS_MAX];
};

static SecBuffer *listed_add(struct listed *listed, ULONG type, void *data, size_t len)
{
    SecBuffer *buffer = &listed->buffer[listed->list.cBuffers++];
    *buffer = (SecBuffer){.cbBuffer = (ULONG)len, .BufferType = type, .pvBuffer = data};
    return buffer;
}

static void listed_fill(struct listed *listed, const struct message *message)
{
    listed->list = (SecBufferDesc){.ulVersion = SECBUFFER_VERSION, .pBuffers = listed->buffer};
    listed->token = listed->padding = listed->stream = listed->stream_data = NULL;
    if (message->token.data != NULL)
        listed->token = listed_add(listed, SECBUFFER_TOKEN, message->token.data, message->token.len);
    if (message->stream.data != NULL) {
        listed->stream = listed_add(listed, SECBUFFER_STREAM, message->stream.data, message->stream.len);
        listed->stream_data = listed_add(listed, SECBUFFER_DATA, NULL, 0);
    }
    for (unsigned i = 0; message->stream.data == NULL && i < message->n_data; i++) {
        const struct segment *segment = &message->data[i];
        ULONG type = SECBUFFER_DATA | (segment->read_only ? SECBUFFER_READONLY_WITH_CHECKSUM : 0);
        listed->data[i] = listed_add(listed, type, segment->data, segment->len);
    }
    if (message->padding.data != NULL)
        listed->padding = listed_add(listed, SECBUFFER_PADDING, message->padding.data, message->padding.len);
}

/* Takes a length back; a module that claims more than there was room has written where it must not. */
static bool length_take(const SecBuffer *buffer, size_t *len)
{
    if (buffer == NULL)
        return true;
    require(buffer->cbBuffer <= *len, false);
    *len = buffer->cbBuffer;
    return true;
}

static bool stream_take(const struct listed *listed, struct message *message)
{
    if (listed->stream_data == NULL)
        return true;
    const uint8_t *start = listed->stream_data->pvBuffer, *whole = message->stream.data;
    size_t len = listed->stream_data->cbBuffer;
    require(start >= whole && start <= whole + message->stream.len &&
                len <= message->stream.len - (size_t)(start - whole),
            false);
    message->stream_data = (struct slice_mut){listed->stream_data->pvBuffer, len};
    return true;
}

static SECURITY_STATUS listed_take(const struct foreign_package *package, const struct listed *listed,
                                   struct message *message)
{
    bool fits = length_take(listed->token, &message->token.len) &&
                length_take(listed->padding, &message->padding.len) && stream_take(listed, message);
    for (unsigned i = 0; fits && message->stream.data == NULL && i < message->n_data; i++)
        fits = length_take(listed->data[i], &message->data[i].len);
    return fits ? SEC_E_OK
                : cause_set(SEC_E_INTERNAL_ERROR, "package %s gave back buffers that it was not given", package->name);
}

typedef SECURITY_STATUS(SEC_ENTRY *send_fn)(PCtxtHandle, ULONG, PSecBufferDesc, ULONG);
typedef SECURITY_STATUS(SEC_ENTRY *receive_fn)(PCtxtHandle, PSecBufferDesc, ULONG, PULONG);

static SECURITY_STATUS send_call(struct foreign_context *context, const char *name, send_fn call, uint32_t qop,
                                 struct message *message, uint32_t seq)
{
    struct listed listed;
    require(call != NULL, cause_set(SEC_E_UNSUPPORTED_FUNCTION, "package %s has no %s", context->package->name, name));
    listed_fill(&listed, message);
    pthread_mutex_lock(&context->lock);
    SECURITY_STATUS status = call(&context->handle, qop, &listed.list, seq);
    pthread_mutex_unlock(&context->lock);
    try(foreign_status(context->package, name, status));
    return listed_take(context->package, &listed, message);
}

static SECURITY_STATUS receive_call(struct foreign_context *context, const char *name, receive_fn call,
                                    struct message *message, uint32_t seq, uint32_t *qop)
{
    struct listed listed;
    ULONG quality = *qop;
    require(call != NULL, cause_set(SEC_E_UNSUPPORTED_FUNCTION, "package %s has no %s", context->package->name, name));
    listed_fill(&listed, message);
    pthread_mutex_lock(&context->lock);
    SECURITY_STATUS status = call(&context->handle, &listed.list, seq, &quality);
    pthread_mutex_unlock(&context->lock);
    try(foreign_status(context->package, name, status));
    try(listed_take(context->package, &listed, message));
    *qop = quality;
    return SEC_E_OK;
}

/* Tables of NT 4.0's age have SealMessage and UnsealMessage in the reserved places. */
static send_fn seal_of(const struct foreign_module *module)
{
    send_fn call = FOREIGN_CALL(module, EncryptMessage);
    if (call == NULL)
        *(void **)&call = FOREIGN_CALL(module, Reserved3);
    return call;
}

static receive_fn unseal_of(const struct foreign_module *module)
{
    receive_fn call = FOREIGN_CALL(module, DecryptMessage);
    if (call == NULL)
        *(void **)&call = FOREIGN_CALL(module, Reserved4);
    return call;
}

static SECURITY_STATUS session_sign(void *state, uint32_t qop, struct message *message, uint32_t seq)
{
    struct foreign_context *context = state;
    return send_call(context, "MakeSignature", FOREIGN_CALL(context->package->module, MakeSignature), qop, message,
                     seq);
}

static SECURITY_STATUS session_seal(void *state, uint32_t qop, struct message *message, uint32_t seq)
{
    struct foreign_context *context = state;
    return send_call(context, "EncryptMessage", seal_of(context->package->module), qop, message, seq);
}

static SECURITY_STATUS session_verify(void *state, struct message *message, uint32_t seq, uint32_t *qop)
{
    struct foreign_context *context = state;
    return receive_call(context, "VerifySignature", FOREIGN_CALL(context->package->module, VerifySignature), message,
                        seq, qop);
}

static SECURITY_STATUS session_unseal(void *state, struct message *message, uint32_t seq, uint32_t *qop)
{
    struct foreign_context *context = state;
    return receive_call(context, "DecryptMessage", unseal_of(context->package->module), message, seq, qop);
}

static SECURITY_STATUS query_sizes(struct foreign_context *context, struct attribute *value)
{
    SecPkgContext_Sizes sizes = {0};
    try(foreign_attribute(context, SECPKG_ATTR_SIZES, &sizes));
    value->sizes.max_token = sizes.cbMaxToken;
    value->sizes.max_signature = sizes.cbMaxSignature;
    value->sizes.block = sizes.cbBlockSize;
    value->sizes.trailer = sizes.cbSecurityTrailer;
    return SEC_E_OK;
}

static SECURITY_STATUS query_key_info(struct foreign_context *context, struct attribute *value)
{
    SecPkgContext_KeyInfoW info = {0}; /* A and W have one layout */
    try(foreign_attribute(context, SECPKG_ATTR_KEY_INFO, &info));
    void *const text[2] = {info.sSignatureAlgorithmName, info.sEncryptAlgorithmName};
    for (unsigned i = 0; i < 2; i++) {
        mem_free(context->text[i]);
        context->text[i] = foreign_text_take(context->package->module, text[i]);
    }
    value->key_info.signature_name = context->text[0];
    value->key_info.encrypt_name = context->text[1];
    value->key_info.key_bits = info.KeySize;
    value->key_info.signature_algorithm = info.SignatureAlgorithm;
    value->key_info.encrypt_algorithm = info.EncryptAlgorithm;
    return SEC_E_OK;
}

static SECURITY_STATUS query_target_information(struct foreign_context *context, struct attribute *value)
{
    SecPkgContext_TargetInformation info = {0};
    try(foreign_attribute(context, SECPKG_ATTR_TARGET_INFORMATION, &info));
    bool kept = info.MarshalledTargetInfo == NULL ||
                secret_set(&context->bytes, info.MarshalledTargetInfo, info.MarshalledTargetInfoLength);
    if (info.MarshalledTargetInfo == NULL)
        secret_release(&context->bytes);
    else
        (void)FOREIGN_CALL(context->package->module, FreeContextBuffer)(info.MarshalledTargetInfo);
    require(kept, SEC_E_INSUFFICIENT_MEMORY);
    value->bytes = secret_slice(&context->bytes);
    return SEC_E_OK;
}

static SECURITY_STATUS query_password_expiry(struct foreign_context *context, struct attribute *value)
{
    SecPkgContext_PasswordExpiry expiry = {0};
    try(foreign_attribute(context, SECPKG_ATTR_PASSWORD_EXPIRY, &expiry));
    value->time = foreign_time(expiry.tsPasswordExpires);
    return SEC_E_OK;
}

/* What core/session.c does not answer from the facts, and of that what has a form here. */
static SECURITY_STATUS session_query_attribute(const void *state, uint32_t attribute, struct attribute *value)
{
    static const struct {
        uint32_t attribute;
        SECURITY_STATUS (*query)(struct foreign_context *context, struct attribute *value);
    } known[] = {
        {SECPKG_ATTR_SIZES, query_sizes},
        {SECPKG_ATTR_KEY_INFO, query_key_info},
        {SECPKG_ATTR_TARGET_INFORMATION, query_target_information},
        {SECPKG_ATTR_PASSWORD_EXPIRY, query_password_expiry},
    };
    struct foreign_context *context = (struct foreign_context *)(uintptr_t)state;
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (known[i].attribute == attribute) {
            pthread_mutex_lock(&context->lock);
            SECURITY_STATUS status = known[i].query(context, value);
            pthread_mutex_unlock(&context->lock);
            return status;
        }
    return cause_set(SEC_E_UNSUPPORTED_FUNCTION, "attribute %u of a module's context has no form here",
                     (unsigned)attribute);
}

const struct package_session foreign_session = {
    .open = session_open_claim,
    .close = session_close_claim,
    .save = session_save_claim,
    .sign = session_sign,
    .seal = session_seal,
    .verify = session_verify,
    .unseal = session_unseal,
    .query = session_query_attribute,
};
