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

/* Opens with VerifySignature, DecryptMessage or UnsealMessage; `plain`, which may be NULL, receives where the text is. */
static SECURITY_STATUS open_sealed(struct side *to, struct text *text, SecBuffer sent[4], SecBufferDesc *list,
                                   SECURITY_STATUS(SEC_ENTRY *open)(PCtxtHandle, PSecBufferDesc, ULONG, PULONG),
                                   SecBuffer *plain)
{
    SecBuffer record[4] = {{sent[0].cbBuffer + sent[1].cbBuffer + sent[2].cbBuffer, SECBUFFER_DATA, text->bytes}};
    SecBufferDesc stream = {SECBUFFER_VERSION, 4, record}, *list_given = is_stream() ? &stream : list;
    ULONG qop = 0;
    SECURITY_STATUS status = open(&to->context, list_given, 0, &qop);
    for (ULONG i = 0; plain != NULL && i < list_given->cBuffers; i++)
        if ((list_given->pBuffers[i].BufferType & ~SECBUFFER_ATTRMASK) == SECBUFFER_DATA)
            *plain = list_given->pBuffers[i];
    return status;
}

#endif
