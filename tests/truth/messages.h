/*
 * Messages between the two sides of world.h, in the layout that each package's kind wants.
 */
#ifndef OPENSSPI_TRUTH_MESSAGES_H
#define OPENSSPI_TRUTH_MESSAGES_H

#include "world.h"

#define MESSAGE_MAX 4096

struct text {
    unsigned char bytes[MESSAGE_MAX + 1024]; /* header or token, text, trailer or padding */
    ULONG before, text, after;
};

/* Room for a text of `length` bytes. */
static SECURITY_STATUS room_for(struct side *side, int sealed, ULONG length, struct text *text)
{
    SecPkgContext_StreamSizes stream;
    SecPkgContext_Sizes sizes;
    text->text = length;
    memset(text->bytes, 'x', sizeof text->bytes);
    if (is_stream()) {
        SECURITY_STATUS status = QueryContextAttributesA(&side->context, SECPKG_ATTR_STREAM_SIZES, &stream);
        text->before = stream.cbHeader;
        text->after = stream.cbTrailer;
        return status;
    }
    SECURITY_STATUS status = QueryContextAttributesA(&side->context, SECPKG_ATTR_SIZES, &sizes);
    text->before = sealed ? sizes.cbSecurityTrailer : sizes.cbMaxSignature;
    text->after = sealed && sizes.cbBlockSize > 1 ? sizes.cbBlockSize : 0;
    return status;
}

static void list_of(struct text *text, SecBuffer buffers[4], SecBufferDesc *list)
{
    int stream = is_stream();
    buffers[0] = (SecBuffer){text->before, stream ? SECBUFFER_STREAM_HEADER : SECBUFFER_TOKEN, text->bytes};
    buffers[1] = (SecBuffer){text->text, SECBUFFER_DATA, text->bytes + text->before};
    buffers[2] = (SecBuffer){text->after, stream ? SECBUFFER_STREAM_TRAILER : SECBUFFER_PADDING,
                             text->bytes + text->before + text->text};
    buffers[3] = (SecBuffer){0, SECBUFFER_EMPTY, NULL};
    *list = (SecBufferDesc){SECBUFFER_VERSION, stream ? 4 : text->after > 0 ? 3 : 2, buffers};
}

/* What the other side opens: `list` itself, or of a stream one record, with room for it. */
struct received {
    SecBuffer record[4];
    SecBufferDesc stream, *list;
};

static void receive(struct received *received, struct text *text, const SecBuffer sent[4], SecBufferDesc *list)
{
    *received = (struct received){
        .record = {{sent[0].cbBuffer + sent[1].cbBuffer + sent[2].cbBuffer, SECBUFFER_DATA, text->bytes}}};
    received->stream = (SecBufferDesc){SECBUFFER_VERSION, 4, received->record};
    received->list = is_stream() ? &received->stream : list;
}

/* Where the text is; none without a DATA buffer. */
static SecBuffer text_of(const struct received *received)
{
    for (ULONG i = received->list->cBuffers; i-- > 0;)
        if ((received->list->pBuffers[i].BufferType & ~SECBUFFER_ATTRMASK) == SECBUFFER_DATA)
            return received->list->pBuffers[i];
    return (SecBuffer){0};
}

/* Opens with VerifySignature, DecryptMessage or UnsealMessage; `plain`, which may be NULL, receives where the text is. */
static SECURITY_STATUS open_sealed(struct side *to, struct text *text, SecBuffer sent[4], SecBufferDesc *list,
                                   SECURITY_STATUS(SEC_ENTRY *open)(PCtxtHandle, PSecBufferDesc, ULONG, PULONG),
                                   SecBuffer *plain)
{
    struct received received;
    ULONG qop = 0;
    receive(&received, text, sent, list);
    SECURITY_STATUS status = open(&to->context, received.list, 0, &qop);
    if (plain != NULL)
        *plain = text_of(&received);
    return status;
}

#endif
