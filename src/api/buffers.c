#include "api/buffers.h"

#include "base/utf16.h"
#include "core/bindings.h"
#include "core/block.h"
#include "core/cause.h"
#include <string.h>

SECURITY_STATUS buffers_check(const SecBufferDesc *list)
{
    require(list != NULL, SEC_E_OK);
    require(list->cBuffers <= BUFFERS_MAX,
            cause_set(SEC_E_INVALID_TOKEN, "a list of %u buffers", (unsigned)list->cBuffers));
    require(list->cBuffers == 0 || list->pBuffers != NULL,
            cause_set(SEC_E_INVALID_TOKEN, "a list of %u buffers that points nowhere", (unsigned)list->cBuffers));
    return SEC_E_OK;
}

static SECURITY_STATUS bindings_in(const SecBuffer *buffer, struct slice *bindings)
{
    struct bindings parsed;
    struct slice block = slice_of(buffer->pvBuffer, buffer->pvBuffer != NULL ? buffer->cbBuffer : 0);
    require(bindings_parse(block, &parsed) == WIRE_OK,
            cause_set(SEC_E_BAD_BINDINGS, "channel bindings whose offsets and lengths do not fit their buffer"));
    *bindings = block;
    return SEC_E_OK;
}

SECURITY_STATUS buffers_step_in(const SecBufferDesc *list, uint32_t max_token, struct step_in *in)
{
    try(buffers_check(list));
    for (ULONG i = 0; list != NULL && i < list->cBuffers; i++) {
        const SecBuffer *buffer = &list->pBuffers[i];
        switch (buffer_type(buffer)) {
        case SECBUFFER_TOKEN:
            require(buffer->cbBuffer == 0 || buffer->pvBuffer != NULL,
                    cause_set(SEC_E_INVALID_TOKEN, "a token buffer with a length but no memory"));
            require(buffer->cbBuffer <= max_token,
                    cause_set(SEC_E_INVALID_TOKEN, "a token of %u bytes; this package's longest is %u",
                              (unsigned)buffer->cbBuffer, (unsigned)max_token));
            if (in->token.data == NULL && buffer->cbBuffer > 0)
                in->token = slice_of(buffer->pvBuffer, buffer->cbBuffer);
            break;
        case SECBUFFER_CHANNEL_BINDINGS:
            try(bindings_in(buffer, &in->bindings));
            break;
        default: /* EMPTY and what other packages use */
            break;
        }
    }
    return SEC_E_OK;
}

static SecBuffer *token_buffer(const SecBufferDesc *list)
{
    for (ULONG i = 0; list != NULL && i < list->cBuffers; i++)
        if (buffer_type(&list->pBuffers[i]) == SECBUFFER_TOKEN)
            return &list->pBuffers[i];
    return NULL;
}

SECURITY_STATUS buffers_step_out(SecBufferDesc *list, bool allocate, struct slice token)
{
    try(buffers_check(list));
    SecBuffer *buffer = token_buffer(list);
    if (token.len == 0) {
        if (buffer != NULL)
            buffer->cbBuffer = 0;
        return SEC_E_OK;
    }
    require(buffer != NULL,
            cause_set(SEC_E_BUFFER_TOO_SMALL, "there is a token to send and no SECBUFFER_TOKEN to put it in"));
    if (allocate) {
        void *block = block_alloc(token.len);
        require(block != NULL, SEC_E_INSUFFICIENT_MEMORY);
        buffer->pvBuffer = block;
    } else {
        require(buffer->cbBuffer > 0,
                cause_set(SEC_E_BUFFER_TOO_SMALL, "a token buffer of 0 bytes without ALLOCATE_MEMORY"));
        require(buffer->pvBuffer != NULL,
                cause_set(SEC_E_INTERNAL_ERROR, "a token buffer with a length, no memory, and no ALLOCATE_MEMORY"));
        require(buffer->cbBuffer >= token.len,
                cause_set(SEC_E_BUFFER_TOO_SMALL, "the token has %zu bytes, the buffer %u", token.len,
                          (unsigned)buffer->cbBuffer));
    }
    memcpy(buffer->pvBuffer, token.data, token.len);
    buffer->cbBuffer = (ULONG)token.len;
    return SEC_E_OK;
}

/* Which buffer is the message's TOKEN? */
static SecBuffer *message_token(const SecBufferDesc *list, bool lone_empty)
{
    SecBuffer *token = token_buffer(list);
    for (ULONG i = 0; token == NULL && lone_empty && i < list->cBuffers; i++)
        if (buffer_type(&list->pBuffers[i]) == SECBUFFER_EMPTY && list->pBuffers[i].cbBuffer > 0)
            token = &list->pBuffers[i];
    return token;
}

SECURITY_STATUS buffers_message(const SecBufferDesc *list, enum message_call call, struct message *message)
{
    require(list != NULL, cause_set(SEC_E_INVALID_TOKEN, "no message was given"));
    try(buffers_check(list));
    message->token = message->padding = message->stream = message->stream_data = (struct slice_mut){0};
    message->n_data = 0;
    const SecBuffer *token = message_token(list, call == MESSAGE_SIGN);
    for (ULONG i = 0; i < list->cBuffers; i++) {
        const SecBuffer *buffer = &list->pBuffers[i];
        ULONG type = buffer_type(buffer);
        struct slice_mut bytes = {buffer->pvBuffer, buffer->cbBuffer};
        require(bytes.data != NULL || bytes.len == 0 || type == SECBUFFER_EMPTY,
                cause_set(SEC_E_INVALID_TOKEN, "a message buffer with a length but no memory"));
        if (buffer == token)
            message->token = bytes;
        else if (type == SECBUFFER_PADDING && message->padding.data == NULL)
            message->padding = bytes;
        else if (type == SECBUFFER_STREAM) {
            require(call == MESSAGE_UNSEAL,
                    cause_set(SEC_E_INVALID_TOKEN, "a STREAM buffer belongs to DecryptMessage"));
            require(message->stream.data == NULL && bytes.data != NULL,
                    cause_set(SEC_E_INVALID_TOKEN, "a message with two STREAM buffers, or an empty one"));
            message->stream = bytes;
        } else if (type == SECBUFFER_DATA) {
            require(message->n_data < MESSAGE_SEGMENTS_MAX,
                    cause_set(SEC_E_INVALID_TOKEN, "a message of more than %d DATA buffers", MESSAGE_SEGMENTS_MAX));
            message->data[message->n_data++] = (struct segment){
                .data = bytes.data,
                .len = bytes.len,
                .read_only = (buffer->BufferType & (SECBUFFER_READONLY | SECBUFFER_READONLY_WITH_CHECKSUM)) != 0,
            };
        }
    }
    return SEC_E_OK;
}

void buffers_message_done(SecBufferDesc *list, enum message_call call, const struct message *message)
{
    SecBuffer *token = message_token(list, call == MESSAGE_SIGN);
    bool padding_seen = false, stream_data_seen = false;
    unsigned n_data = 0;
    for (ULONG i = 0; i < list->cBuffers; i++) {
        SecBuffer *buffer = &list->pBuffers[i];
        ULONG type = buffer_type(buffer);
        if (buffer == token)
            buffer->cbBuffer = (ULONG)message->token.len;
        else if (type == SECBUFFER_PADDING && !padding_seen) {
            padding_seen = true;
            buffer->cbBuffer = (ULONG)message->padding.len;
        } else if (type == SECBUFFER_DATA && message->stream_data.data != NULL && !stream_data_seen) {
            stream_data_seen = true;
            buffer->pvBuffer = message->stream_data.data;
            buffer->cbBuffer = (ULONG)message->stream_data.len;
        } else if (type == SECBUFFER_DATA && message->stream.data == NULL && n_data < message->n_data)
            buffer->cbBuffer = (ULONG)message->data[n_data++].len; /* a package may take padding off its end */
    }
}
