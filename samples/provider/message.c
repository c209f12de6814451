/* What a context does once it stands: signatures and attributes. */
#include "provider.h"

#include <stdlib.h>
#include <string.h>

/* The signature of the n-th message of a direction. The number is counted on both sides, so that a message that is missing, repeated or moved shows.
 * */
static SECURITY_STATUS signature_make(const struct context *context, bool from_client, uint64_t number,
                                      const SecBufferDesc *message, uint8_t mac[KEY_LEN])
{
    uint8_t head[9] = {from_client};
    struct piece pieces[33] = {{head, sizeof head}};
    size_t n_pieces = 1;
    for (unsigned i = 0; i < 8; i++)
        head[1 + i] = (uint8_t)(number >> (8 * i));
    for (ULONG i = 0; i < message->cBuffers; i++)
        if ((message->pBuffers[i].BufferType & ~(ULONG)SECBUFFER_ATTRMASK) == SECBUFFER_DATA) {
            if (n_pieces == sizeof pieces / sizeof *pieces)
                return SEC_E_INVALID_TOKEN;
            pieces[n_pieces++] = (struct piece){message->pBuffers[i].pvBuffer, message->pBuffers[i].cbBuffer};
        }
    return key_hmac(context->session_key, KEY_LEN, pieces, n_pieces, mac) ? SEC_E_OK : SEC_E_INTERNAL_ERROR;
}

SECURITY_STATUS SEC_ENTRY sharedkey_sign(PCtxtHandle handle, ULONG qop, PSecBufferDesc message, ULONG seq)
{
    struct context *context = handle_object(handle, MARK_CONTEXT);
    SecBuffer *token = buffer_find(message, SECBUFFER_TOKEN);
    uint8_t mac[KEY_LEN];
    (void)seq; /* counted here */
    if (context == NULL || context->state != DONE)
        return SEC_E_INVALID_HANDLE;
    if (qop != 0)
        return SEC_E_QOP_NOT_SUPPORTED;
    if (token == NULL || token->cbBuffer < KEY_LEN)
        return SEC_E_INVALID_TOKEN;
    SECURITY_STATUS status = signature_make(context, context->client, context->sent, message, mac);
    if (status != SEC_E_OK)
        return status;
    memcpy(token->pvBuffer, mac, KEY_LEN);
    token->cbBuffer = KEY_LEN;
    context->sent++;
    return SEC_E_OK;
}

SECURITY_STATUS SEC_ENTRY sharedkey_verify(PCtxtHandle handle, PSecBufferDesc message, ULONG seq, PULONG qop)
{
    struct context *context = handle_object(handle, MARK_CONTEXT);
    const SecBuffer *token = buffer_find(message, SECBUFFER_TOKEN);
    uint8_t mac[KEY_LEN];
    (void)seq;
    if (context == NULL || context->state != DONE)
        return SEC_E_INVALID_HANDLE;
    if (token == NULL || token->cbBuffer != KEY_LEN)
        return SEC_E_INVALID_TOKEN;
    SECURITY_STATUS status = signature_make(context, !context->client, context->received, message, mac);
    if (status != SEC_E_OK)
        return status;
    if (!key_same(mac, token->pvBuffer, KEY_LEN))
        return SEC_E_MESSAGE_ALTERED;
    context->received++;
    if (qop != NULL)
        *qop = 0;
    return SEC_E_OK;
}

static SECURITY_STATUS name_put(const struct context *context, SEC_WCHAR **name)
{
    SEC_WCHAR *copy = malloc(sizeof context->user);
    if (copy == NULL)
        return SEC_E_INSUFFICIENT_MEMORY;
    memcpy(copy, context->user, sizeof context->user);
    *name = copy;
    return SEC_E_OK;
}

SECURITY_STATUS SEC_ENTRY sharedkey_query(PCtxtHandle handle, ULONG attribute, void *buffer)
{
    const struct context *context = handle_object(handle, MARK_CONTEXT);
    if (context == NULL || context->state != DONE)
        return SEC_E_INVALID_HANDLE;
    switch (attribute) {
    case SECPKG_ATTR_SIZES:
        *(SecPkgContext_Sizes *)buffer = (SecPkgContext_Sizes){MAX_TOKEN, KEY_LEN, 0, 0};
        return SEC_E_OK;
    case SECPKG_ATTR_NAMES:
        return name_put(context, &((SecPkgContext_NamesW *)buffer)->sUserName);
    case SECPKG_ATTR_SESSION_KEY: {
        SecPkgContext_SessionKey *key = buffer;
        key->SessionKey = malloc(KEY_LEN);
        if (key->SessionKey == NULL)
            return SEC_E_INSUFFICIENT_MEMORY;
        memcpy(key->SessionKey, context->session_key, KEY_LEN);
        key->SessionKeyLength = KEY_LEN;
        return SEC_E_OK;
    }
    default:
        return SEC_E_UNSUPPORTED_FUNCTION;
    }
}
