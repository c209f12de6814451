#include "api/buffers.h"

#include "base/utf16.h"
#include "core/bindings.h"
#include "core/block.h"
#include "core/cause.h"
#include <string.h>

#define BUFFERS_MAX 128 /* far above any real list; bounds every walk */

/* The type without its attribute bits. */
static inline ULONG buffer_type(const SecBuffer *buffer)
{
    return buffer->BufferType & ~(ULONG)SECBUFFER_ATTRMASK;
}

static inline bool is_read_only(const SecBuffer *buffer)
{
    return (buffer->BufferType & (SECBUFFER_READONLY | SECBUFFER_READONLY_WITH_CHECKSUM)) != 0;
}

/* Is the list one that can be walked? NULL is, and is empty. SEC_E_INVALID_TOKEN otherwise. */
static SECURITY_STATUS buffers_check(const SecBufferDesc *list)
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

/* Another SECBUFFER_PKG_PARAMS, which may be empty; those past the last are of no package here. */
static SECURITY_STATUS param_in(const SecBuffer *buffer, struct slice *params, unsigned *n_params, unsigned max)
{
    require(buffer->cbBuffer == 0 || buffer->pvBuffer != NULL,
            cause_set(SEC_E_INVALID_TOKEN, "a PKG_PARAMS buffer with a length but no memory"));
    if (*n_params < max)
        params[(*n_params)++] = slice_of(buffer->pvBuffer, buffer->cbBuffer);
    return SEC_E_OK;
}

/* The first that has bytes is the token. */
static SECURITY_STATUS token_in(const SecBuffer *buffer, unsigned nth, uint32_t max_token, struct step_in *in)
{
    require(buffer->cbBuffer == 0 || buffer->pvBuffer != NULL,
            cause_set(SEC_E_INVALID_TOKEN, "a token buffer with a length but no memory"));
    if (nth == 2 && buffer->cbBuffer > 0)
        in->second = slice_of(buffer->pvBuffer, buffer->cbBuffer);
    if (in->token.data != NULL || buffer->cbBuffer == 0)
        return SEC_E_OK;
    require(buffer->cbBuffer <= max_token,
            cause_set(SEC_E_INVALID_TOKEN, "a token of %u bytes; this package's longest is %u",
                      (unsigned)buffer->cbBuffer, (unsigned)max_token));
    in->token = slice_of(buffer->pvBuffer, buffer->cbBuffer);
    return SEC_E_OK;
}

SECURITY_STATUS buffers_step_in(const SecBufferDesc *list, uint32_t max_token, struct step_in *in)
{
    unsigned n_tokens = 0;
    try(buffers_check(list));
    for (ULONG i = 0; list != NULL && i < list->cBuffers; i++) {
        const SecBuffer *buffer = &list->pBuffers[i];
        switch (buffer_type(buffer)) {
        case SECBUFFER_TOKEN:
            try(token_in(buffer, ++n_tokens, max_token, in));
            break;
        case SECBUFFER_CHANNEL_BINDINGS:
            try(bindings_in(buffer, &in->bindings));
            break;
        case SECBUFFER_PKG_PARAMS:
            try(param_in(buffer, in->params, &in->n_params, STEP_PARAMS_MAX));
            break;
        case SECBUFFER_TARGET_HOST:
            if (buffer->pvBuffer != NULL)
                in->target_host = slice_of(buffer->pvBuffer, buffer->cbBuffer);
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
        require(!is_read_only(buffer), cause_set(SEC_E_INVALID_TOKEN, "the buffer for the token is READONLY"));
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

/* Refuses what the call would write, and the caller lets nobody change: the token of a message that is sent, its padding, which is opened in place as
 * well, and a stream. */
static SECURITY_STATUS writable_check(const SecBuffer *buffer, bool is_token, enum message_call call)
{
    bool sends = call == MESSAGE_SIGN || call == MESSAGE_SEAL || call == MESSAGE_COMPLETE;
    ULONG type = buffer_type(buffer);
    bool pads = type == SECBUFFER_PADDING && (sends || (call == MESSAGE_UNSEAL && buffer->cbBuffer > 0));
    bool written = type == SECBUFFER_STREAM || pads || (sends && is_token);
    require(!written || !is_read_only(buffer),
            cause_set(SEC_E_INVALID_TOKEN, "a buffer of type %u that this call writes is READONLY", (unsigned)type));
    return SEC_E_OK;
}

SECURITY_STATUS buffers_message(const SecBufferDesc *list, enum message_call call, struct message *message)
{
    require(list != NULL, cause_set(SEC_E_INVALID_TOKEN, "no message was given"));
    try(buffers_check(list));
    message->token = message->padding = message->stream = message->stream_data = (struct slice_mut){0};
    message->n_data = message->n_params = 0;
    const SecBuffer *token = message_token(list, call == MESSAGE_SIGN);
    for (ULONG i = 0; i < list->cBuffers; i++) {
        const SecBuffer *buffer = &list->pBuffers[i];
        ULONG type = buffer_type(buffer);
        struct slice_mut bytes = {buffer->pvBuffer, buffer->cbBuffer};
        require(bytes.data != NULL || bytes.len == 0 || type == SECBUFFER_EMPTY,
                cause_set(SEC_E_INVALID_TOKEN, "a message buffer with a length but no memory"));
        if (__builtin_expect(is_read_only(buffer), 0))
            try(writable_check(buffer, buffer == token, call));
        if (buffer == token)
            message->token = bytes;
        else if (type == SECBUFFER_PADDING && message->padding.data == NULL)
            message->padding = bytes;
        else if (type == SECBUFFER_PKG_PARAMS)
            try(param_in(buffer, message->params, &message->n_params, MESSAGE_PARAMS_MAX));
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
                .read_only = is_read_only(buffer),
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

/* Streams (windows-behaviour, Schannel; the seed on stream contexts). */

static SecBuffer *buffer_of_type(const SecBufferDesc *list, ULONG type)
{
    for (ULONG i = 0; list != NULL && i < list->cBuffers; i++)
        if (buffer_type(&list->pBuffers[i]) == type)
            return &list->pBuffers[i];
    return NULL;
}

/* A SEC_APPLICATION_PROTOCOLS tells its own length, which must fit the buffer. */
static SECURITY_STATUS protocols_in(const SecBuffer *buffer, struct slice *protocols)
{
    uint32_t size;
    require(buffer->pvBuffer != NULL && buffer->cbBuffer >= sizeof size,
            cause_set(SEC_E_INVALID_TOKEN, "application protocols without a list"));
    memcpy(&size, buffer->pvBuffer, sizeof size);
    require(size <= buffer->cbBuffer - sizeof size,
            cause_set(SEC_E_INVALID_TOKEN, "application protocols of %u bytes in a buffer of %u", (unsigned)size,
                      (unsigned)buffer->cbBuffer));
    *protocols = slice_of((const uint8_t *)buffer->pvBuffer + sizeof size, size);
    return SEC_E_OK;
}

/* SEC_SRTP_PROTECTION_PROFILES: its size in bytes, then so many of WORDs. */
static SECURITY_STATUS srtp_in(const SecBuffer *buffer, struct slice *profiles)
{
    uint16_t size;
    require(buffer->pvBuffer != NULL && buffer->cbBuffer >= sizeof size,
            cause_set(SEC_E_INVALID_TOKEN, "SRTP protection profiles without a list"));
    memcpy(&size, buffer->pvBuffer, sizeof size);
    require(size > 0 && size % sizeof(uint16_t) == 0 && size <= buffer->cbBuffer - sizeof size,
            cause_set(SEC_E_INVALID_TOKEN, "SRTP protection profiles of %u bytes in a buffer of %u", (unsigned)size,
                      (unsigned)buffer->cbBuffer));
    *profiles = slice_of((const uint8_t *)buffer->pvBuffer + sizeof size, size);
    return SEC_E_OK;
}

static SECURITY_STATUS mtu_in(const SecBuffer *buffer, uint16_t *mtu)
{
    require(buffer->pvBuffer != NULL && buffer->cbBuffer >= sizeof *mtu,
            cause_set(SEC_E_INVALID_TOKEN, "a DTLS_MTU buffer is a WORD"));
    memcpy(mtu, buffer->pvBuffer, sizeof *mtu);
    return SEC_E_OK;
}

static SECURITY_STATUS stream_buffer_in(const SecBuffer *buffer, struct step_in *in)
{
    ULONG type = buffer_type(buffer);
    switch (type) {
    case SECBUFFER_TOKEN:
        require(buffer->cbBuffer == 0 || buffer->pvBuffer != NULL,
                cause_set(SEC_E_INVALID_TOKEN, "a token buffer with a length but no memory"));
        if (in->token.len == 0)
            in->token = slice_of(buffer->pvBuffer, buffer->cbBuffer);
        return SEC_E_OK;
    case SECBUFFER_EMPTY:
        require(buffer->cbBuffer == 0, cause_set(SEC_E_INVALID_TOKEN, "an EMPTY buffer with a length"));
        return SEC_E_OK;
    case SECBUFFER_APPLICATION_PROTOCOLS:
        return protocols_in(buffer, &in->protocols);
    case SECBUFFER_EXTRA: /* on input: the peer's address, for DTLS's cookie */
        require(buffer->cbBuffer == 0 || buffer->pvBuffer != NULL,
                cause_set(SEC_E_INVALID_TOKEN, "an EXTRA buffer with a length but no memory"));
        in->peer = slice_of(buffer->pvBuffer, buffer->cbBuffer);
        return SEC_E_OK;
    case SECBUFFER_DTLS_MTU:
        return mtu_in(buffer, &in->mtu);
    case SECBUFFER_SRTP_PROTECTION_PROFILES:
        return srtp_in(buffer, &in->srtp);
    case SECBUFFER_SRTP_MASTER_KEY_IDENTIFIER:
    case SECBUFFER_TOKEN_BINDING:
    case SECBUFFER_PRESHARED_KEY:
    case SECBUFFER_PRESHARED_KEY_IDENTITY:
    case SECBUFFER_SEND_GENERIC_TLS_EXTENSION:
    case SECBUFFER_SUBSCRIBE_GENERIC_TLS_EXTENSION:
    case SECBUFFER_FLAGS:
    case SECBUFFER_TRAFFIC_SECRETS:
    case SECBUFFER_CERTIFICATE_REQUEST_CONTEXT:
    case SECBUFFER_APP_SESSION_STATE:
    case SECBUFFER_SESSION_TICKET: /* what they ask for would not happen */
        return cause_set(SEC_E_UNSUPPORTED_FUNCTION, "buffers of type %u are not in this version", (unsigned)type);
    default: /* what other packages use, and an ALERT that a caller left in its list */
        return SEC_E_OK;
    }
}

SECURITY_STATUS buffers_stream_step_in(const SecBufferDesc *list, struct step_in *in)
{
    try(buffers_check(list));
    in->given = list != NULL;
    for (ULONG i = 0; list != NULL && i < list->cBuffers; i++)
        try(stream_buffer_in(&list->pBuffers[i], in));
    return SEC_E_OK;
}

void buffers_stream_step_done(SecBufferDesc *list, SECURITY_STATUS status, const struct step_in *in,
                              const struct step_out *out)
{
    SecBuffer *buffer = buffer_of_type(list, SECBUFFER_EMPTY);
    if (buffer == NULL)
        return;
    if (status == SEC_E_INCOMPLETE_MESSAGE && out->missing > 0) {
        buffer->BufferType = SECBUFFER_MISSING;
        buffer->cbBuffer = (ULONG)out->missing;
    } else if (status >= 0 && out->extra > 0) {
        buffer->BufferType = SECBUFFER_EXTRA;
        buffer->pvBuffer = (uint8_t *)(uintptr_t)in->token.data + (in->token.len - out->extra);
        buffer->cbBuffer = (ULONG)out->extra;
    }
}

/* Where a stream's token goes: without a TOKEN, as on Windows, into an EMPTY buffer, which becomes one. Programs count on it (curl). */
static SecBuffer *stream_token(const SecBufferDesc *list)
{
    SecBuffer *token = token_buffer(list);
    return token != NULL ? token : buffer_of_type(list, SECBUFFER_EMPTY);
}

SECURITY_STATUS buffers_stream_out_check(const SecBufferDesc *list, bool allocate)
{
    require(list != NULL, cause_set(SEC_E_INVALID_TOKEN, "no output was given"));
    try(buffers_check(list));
    const SecBuffer *token = stream_token(list);
    require(token != NULL, cause_set(SEC_E_INVALID_TOKEN, "an output without a SECBUFFER_TOKEN"));
    for (ULONG i = 0; i < list->cBuffers; i++) {
        const SecBuffer *buffer = &list->pBuffers[i];
        ULONG type = buffer_type(buffer);
        if (allocate || (buffer != token && type != SECBUFFER_TOKEN && type != SECBUFFER_ALERT))
            continue;
        require(buffer->cbBuffer > 0,
                cause_set(SEC_E_INSUFFICIENT_MEMORY, "an output buffer of 0 bytes without ALLOCATE_MEMORY"));
        require(buffer->pvBuffer == NULL || !is_read_only(buffer),
                cause_set(SEC_E_INVALID_TOKEN, "an output buffer that is READONLY"));
    }
    return SEC_E_OK;
}

SECURITY_STATUS buffers_stream_out(SecBufferDesc *list, bool allocate, struct slice token, bool as_alert)
{
    SecBuffer *tokens = stream_token(list), *alerts = buffer_of_type(list, SECBUFFER_ALERT);
    SecBuffer *buffer = as_alert ? alerts : tokens, *unused = as_alert ? tokens : alerts;
    void *block = NULL;
    if (token.len > 0) {
        require(buffer != NULL, cause_set(SEC_E_INVALID_TOKEN, "there is a token to send and no buffer to put it in"));
        if (allocate || buffer->pvBuffer == NULL) {
            block = block_alloc(token.len);
            require(block != NULL, SEC_E_INSUFFICIENT_MEMORY);
            buffer->pvBuffer = block;
        } else
            require(buffer->cbBuffer >= token.len,
                    cause_set(SEC_E_INSUFFICIENT_MEMORY, "the token has %zu bytes, the buffer %u", token.len,
                              (unsigned)buffer->cbBuffer));
        memcpy(buffer->pvBuffer, token.data, token.len);
        if (buffer_type(buffer) == SECBUFFER_EMPTY)
            buffer->BufferType = SECBUFFER_TOKEN;
    }
    if (buffer != NULL)
        buffer->cbBuffer = (ULONG)token.len;
    if (unused != NULL)
        unused->cbBuffer = 0;
    return SEC_E_OK;
}

SECURITY_STATUS buffers_control(const SecBufferDesc *list, struct slice *token)
{
    require(list != NULL, cause_set(SEC_E_INTERNAL_ERROR, "no control token was given"));
    try(buffers_check(list));
    require(list->cBuffers == 1 && buffer_type(&list->pBuffers[0]) == SECBUFFER_TOKEN,
            cause_set(SEC_E_INVALID_TOKEN, "a control token is exactly one SECBUFFER_TOKEN"));
    const SecBuffer *buffer = &list->pBuffers[0];
    require(buffer->cbBuffer == 0 || buffer->pvBuffer != NULL,
            cause_set(SEC_E_INVALID_TOKEN, "a control token with a length but no memory"));
    *token = slice_of(buffer->pvBuffer, buffer->cbBuffer);
    return SEC_E_OK;
}

static void stream_message_clear(struct message *message)
{
    message->token = message->padding = message->stream = message->stream_data = (struct slice_mut){0};
    message->header = message->trailer = (struct slice_mut){0};
    message->extra = message->missing = 0;
    message->n_data = 0;
}

/* The lists that everybody passes, and nearly nothing else, are recognised at once: HEADER, DATA, TRAILER, EMPTY, and DATA with three EMPTY. */
static bool is_usual_seal(const SecBufferDesc *list)
{
    const SecBuffer *buffer = list->pBuffers;
    return list->cBuffers == 4 && buffer[0].BufferType == SECBUFFER_STREAM_HEADER &&
           buffer[1].BufferType == SECBUFFER_DATA && buffer[2].BufferType == SECBUFFER_STREAM_TRAILER &&
           buffer[3].BufferType == SECBUFFER_EMPTY && buffer[0].pvBuffer != NULL && buffer[1].pvBuffer != NULL &&
           buffer[2].pvBuffer != NULL;
}

static bool is_usual_unseal(const SecBufferDesc *list)
{
    const SecBuffer *buffer = list->pBuffers;
    return list->cBuffers == 4 && buffer[0].BufferType == SECBUFFER_DATA && buffer[1].BufferType == SECBUFFER_EMPTY &&
           buffer[2].BufferType == SECBUFFER_EMPTY && buffer[3].BufferType == SECBUFFER_EMPTY &&
           buffer[0].pvBuffer != NULL;
}

static struct slice_mut buffer_bytes(const SecBuffer *buffer)
{
    return (struct slice_mut){buffer->pvBuffer, buffer->cbBuffer};
}

SECURITY_STATUS buffers_stream_seal(const SecBufferDesc *list, struct message *message)
{
    require(list != NULL, cause_set(SEC_E_INVALID_TOKEN, "no message was given"));
    try(buffers_check(list));
    stream_message_clear(message);
    if (is_usual_seal(list)) {
        message->header = buffer_bytes(&list->pBuffers[0]);
        message->data[0] = (struct segment){.data = list->pBuffers[1].pvBuffer, .len = list->pBuffers[1].cbBuffer};
        message->n_data = 1;
        message->trailer = buffer_bytes(&list->pBuffers[2]);
        return SEC_E_OK;
    }
    const SecBuffer *data = NULL, *header = NULL, *trailer = NULL; /* the first of each */
    ULONG n_data = 0;
    for (ULONG i = 0; i < list->cBuffers; i++) {
        const SecBuffer *buffer = &list->pBuffers[i];
        ULONG type = buffer_type(buffer);
        if (type == SECBUFFER_DATA && n_data++ == 0)
            data = buffer;
        else if (type == SECBUFFER_STREAM_HEADER && header == NULL)
            header = buffer;
        else if (type == SECBUFFER_STREAM_TRAILER && trailer == NULL)
            trailer = buffer;
    }
    require(data != NULL, cause_set(SEC_E_INVALID_TOKEN, "a stream's message needs a SECBUFFER_DATA"));
    require(data->pvBuffer != NULL || data->cbBuffer == 0,
            cause_set(SEC_E_INVALID_TOKEN, "a message buffer with a length but no memory"));
    require(!is_read_only(data),
            cause_set(SEC_E_INVALID_TOKEN, "a stream is encrypted in place: its DATA cannot be READONLY"));
    message->data[0] = (struct segment){.data = data->pvBuffer, .len = data->cbBuffer};
    message->n_data = 1;
    if (list->cBuffers == 1)
        return SEC_E_OK;
    require(header != NULL && trailer != NULL && header->pvBuffer != NULL && trailer->pvBuffer != NULL,
            cause_set(SEC_E_INVALID_TOKEN,
                      "a stream's message needs STREAM_HEADER and STREAM_TRAILER, of the sizes in STREAM_SIZES"));
    require(n_data == 1, cause_set(SEC_E_INVALID_TOKEN, "a stream's message with two DATA buffers"));
    require(!is_read_only(header) && !is_read_only(trailer),
            cause_set(SEC_E_INVALID_TOKEN, "a stream's header and trailer are written: they cannot be READONLY"));
    message->header = (struct slice_mut){header->pvBuffer, header->cbBuffer};
    message->trailer = (struct slice_mut){trailer->pvBuffer, trailer->cbBuffer};
    return SEC_E_OK;
}

void buffers_stream_seal_done(SecBufferDesc *list, const struct message *message)
{
    if (is_usual_seal(list)) {
        list->pBuffers[0].cbBuffer = (ULONG)message->header.len;
        list->pBuffers[1].cbBuffer = (ULONG)message->data[0].len;
        list->pBuffers[2].cbBuffer = (ULONG)message->trailer.len;
        return;
    }
    SecBuffer *data = buffer_of_type(list, SECBUFFER_DATA);
    if (list->cBuffers == 1) { /* formatted into a block of ours */
        data->pvBuffer = message->stream.data;
        data->cbBuffer = (ULONG)message->stream.len;
        return;
    }
    buffer_of_type(list, SECBUFFER_STREAM_HEADER)->cbBuffer = (ULONG)message->header.len;
    data->cbBuffer = (ULONG)message->data[0].len;
    buffer_of_type(list, SECBUFFER_STREAM_TRAILER)->cbBuffer = (ULONG)message->trailer.len;
}

SECURITY_STATUS buffers_stream_unseal(const SecBufferDesc *list, struct message *message)
{
    require(list != NULL, cause_set(SEC_E_INVALID_TOKEN, "no message was given"));
    try(buffers_check(list));
    stream_message_clear(message);
    if (is_usual_unseal(list)) {
        message->stream = buffer_bytes(&list->pBuffers[0]);
        __builtin_prefetch(message->stream.data); /* the record's header, which decides first */
        return SEC_E_OK;
    }
    ULONG n_empty = 0, n_data = 0;
    for (ULONG i = 0; i < list->cBuffers; i++) {
        const SecBuffer *buffer = &list->pBuffers[i];
        if (buffer_type(buffer) == SECBUFFER_EMPTY)
            n_empty++;
        else if (buffer_type(buffer) == SECBUFFER_DATA) {
            n_data++;
            require(!is_read_only(buffer),
                    cause_set(SEC_E_INVALID_TOKEN, "a stream is opened in place: its DATA cannot be READONLY"));
            message->stream = (struct slice_mut){buffer->pvBuffer, buffer->cbBuffer};
        }
    }
    require(list->cBuffers >= 4 && n_data == 1 && n_empty >= 3,
            cause_set(SEC_E_INVALID_TOKEN, "a stream is opened from one DATA and three EMPTY buffers"));
    require(message->stream.data != NULL || message->stream.len == 0,
            cause_set(SEC_E_INVALID_TOKEN, "a message buffer with a length but no memory"));
    return SEC_E_OK;
}

static void buffer_set(SecBuffer *buffer, ULONG type, struct slice_mut bytes)
{
    *buffer = (SecBuffer){.cbBuffer = (ULONG)bytes.len, .BufferType = type, .pvBuffer = bytes.data};
}

void buffers_stream_unseal_done(SecBufferDesc *list, SECURITY_STATUS status, const struct message *message)
{
    if (status == SEC_E_INCOMPLETE_MESSAGE) { /* the first two, as on Windows; the bytes stay where they are */
        for (ULONG i = 0; i < 2; i++) {
            list->pBuffers[i].BufferType = SECBUFFER_MISSING;
            list->pBuffers[i].cbBuffer = (ULONG)message->missing;
        }
        return;
    }
    SecBuffer *data = &list->pBuffers[0], *empty[3] = {&data[1], &data[2], &data[3]};
    if (!is_usual_unseal(list)) {
        data = buffer_of_type(list, SECBUFFER_DATA);
        for (ULONG i = 0, n = 0; i < list->cBuffers && n < 3; i++)
            if (buffer_type(&list->pBuffers[i]) == SECBUFFER_EMPTY)
                empty[n++] = &list->pBuffers[i];
    }
    buffer_set(data, SECBUFFER_STREAM_HEADER, message->header);
    buffer_set(empty[0], SECBUFFER_DATA, message->stream_data);
    buffer_set(empty[1], SECBUFFER_STREAM_TRAILER, message->trailer);
    if (message->extra > 0) {
        struct slice_mut extra = {message->stream.data + (message->stream.len - message->extra), message->extra};
        buffer_set(empty[2], SECBUFFER_EXTRA, extra);
    }
}
