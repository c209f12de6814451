/* The three messages. */
#include "provider.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t magic[4] = {'S', 'K', '1', 0};

#define GRANTED (ISC_RET_MUTUAL_AUTH | ISC_RET_INTEGRITY | ISC_RET_REPLAY_DETECT | ISC_RET_SEQUENCE_DETECT)
#define GRANTED_SERVER (ASC_RET_MUTUAL_AUTH | ASC_RET_INTEGRITY | ASC_RET_REPLAY_DETECT | ASC_RET_SEQUENCE_DETECT)

SecBuffer *buffer_find(const SecBufferDesc *list, ULONG type)
{
    for (ULONG i = 0; list != NULL && i < list->cBuffers; i++)
        if ((list->pBuffers[i].BufferType & ~(ULONG)SECBUFFER_ATTRMASK) == type)
            return &list->pBuffers[i];
    return NULL;
}

/* Into the caller's buffer, or where the caller wants it into one that FreeContextBuffer frees. */
static SECURITY_STATUS token_put(PSecBufferDesc output, ULONG flags, const void *data, size_t len)
{
    SecBuffer *token = buffer_find(output, SECBUFFER_TOKEN);
    if (token == NULL || (token->cbBuffer < len && (flags & ISC_REQ_ALLOCATE_MEMORY) == 0))
        return len == 0 ? SEC_E_OK : SEC_E_BUFFER_TOO_SMALL;
    if ((flags & ISC_REQ_ALLOCATE_MEMORY) != 0 && len > 0) {
        token->pvBuffer = malloc(len);
        if (token->pvBuffer == NULL)
            return SEC_E_INSUFFICIENT_MEMORY;
    }
    if (len > 0)
        memcpy(token->pvBuffer, data, len);
    token->cbBuffer = (ULONG)len;
    return SEC_E_OK;
}

static bool proof_make(const struct context *context, const char *label, size_t second_len, uint8_t mac[KEY_LEN])
{
    const struct piece pieces[] = {
        {label, strlen(label)}, {context->first, context->first_len}, {context->second, second_len}};
    return key_hmac(context->key, KEY_LEN, pieces, 3, mac);
}

static SECURITY_STATUS client_first(struct context *context, const struct credential *credential, PSecBufferDesc output)
{
    memcpy(context->first, magic, sizeof magic);
    if (!key_random(context->first + 4, NONCE_LEN))
        return SEC_E_INTERNAL_ERROR;
    memcpy(context->first + 4 + NONCE_LEN, credential->user, 2 * credential->n_user);
    context->first_len = 4 + NONCE_LEN + 2 * credential->n_user;
    SECURITY_STATUS status = token_put(output, context->flags, context->first, context->first_len);
    return status == SEC_E_OK ? SEC_I_CONTINUE_NEEDED : status;
}

static SECURITY_STATUS client_last(struct context *context, const SecBuffer *token, PSecBufferDesc output)
{
    uint8_t proof[KEY_LEN];
    if (token == NULL || token->cbBuffer != SECOND_LEN)
        return SEC_E_INVALID_TOKEN;
    memcpy(context->second, token->pvBuffer, SECOND_LEN);
    if (!proof_make(context, "server", NONCE_LEN, proof))
        return SEC_E_INTERNAL_ERROR;
    if (!key_same(proof, context->second + NONCE_LEN, KEY_LEN))
        return SEC_E_LOGON_DENIED; /* the other side does not know the password */
    if (!proof_make(context, "client", SECOND_LEN, proof) ||
        !proof_make(context, "session", SECOND_LEN, context->session_key))
        return SEC_E_INTERNAL_ERROR;
    return token_put(output, context->flags, proof, sizeof proof);
}

static SECURITY_STATUS server_first(struct context *context, const struct credential *credential,
                                    const SecBuffer *token, PSecBufferDesc output)
{
    if (token == NULL || token->cbBuffer < 4 + NONCE_LEN || token->cbBuffer > FIRST_MAX ||
        memcmp(token->pvBuffer, magic, sizeof magic) != 0)
        return SEC_E_INVALID_TOKEN;
    context->first_len = token->cbBuffer;
    memcpy(context->first, token->pvBuffer, token->cbBuffer);
    size_t user_len = context->first_len - 4 - NONCE_LEN;
    /* A wrong name gets a wrong proof, not a quicker answer. */
    if (user_len != 2 * credential->n_user || memcmp(context->first + 4 + NONCE_LEN, credential->user, user_len) != 0)
        if (!key_random(context->key, KEY_LEN))
            return SEC_E_INTERNAL_ERROR;
    if (!key_random(context->second, NONCE_LEN) ||
        !proof_make(context, "server", NONCE_LEN, context->second + NONCE_LEN))
        return SEC_E_INTERNAL_ERROR;
    SECURITY_STATUS status = token_put(output, context->flags, context->second, SECOND_LEN);
    return status == SEC_E_OK ? SEC_I_CONTINUE_NEEDED : status;
}

static SECURITY_STATUS server_last(struct context *context, const SecBuffer *token, PSecBufferDesc output)
{
    uint8_t proof[KEY_LEN];
    if (token == NULL || token->cbBuffer != KEY_LEN)
        return SEC_E_INVALID_TOKEN;
    if (!proof_make(context, "client", SECOND_LEN, proof) ||
        !proof_make(context, "session", SECOND_LEN, context->session_key))
        return SEC_E_INTERNAL_ERROR;
    if (!key_same(proof, token->pvBuffer, KEY_LEN))
        return SEC_E_LOGON_DENIED;
    return token_put(output, context->flags, NULL, 0);
}

static SECURITY_STATUS context_make(const struct credential *credential, bool client, ULONG flags,
                                    struct context **made)
{
    if (credential == NULL)
        return SEC_E_INVALID_HANDLE;
    struct context *context = calloc(1, sizeof *context);
    if (context == NULL)
        return SEC_E_INSUFFICIENT_MEMORY;
    context->client = client;
    context->flags = flags;
    memcpy(context->key, credential->key, KEY_LEN);
    memcpy(context->user, credential->user, 2 * credential->n_user);
    *made = context;
    return SEC_E_OK;
}

static void context_free(struct context *context)
{
    key_wipe(context, sizeof *context);
    free(context);
}

static SECURITY_STATUS step_run(struct context *context, const struct credential *credential, PSecBufferDesc input,
                                PSecBufferDesc output)
{
    const SecBuffer *token = buffer_find(input, SECBUFFER_TOKEN);
    if (context->state == FRESH)
        return context->client ? client_first(context, credential, output)
                               : server_first(context, credential, token, output);
    if (context->state != WAITING)
        return SEC_E_OUT_OF_SEQUENCE;
    return context->client ? client_last(context, token, output) : server_last(context, token, output);
}

static SECURITY_STATUS step(PCredHandle credential_handle, PCtxtHandle old, bool client, ULONG flags,
                            PSecBufferDesc input, PCtxtHandle new_context, PSecBufferDesc output, ULONG *attributes,
                            PTimeStamp expiry)
{
    const struct credential *credential = handle_object(credential_handle, MARK_CREDENTIAL);
    struct context *context = handle_object(old, MARK_CONTEXT);
    bool first = old == NULL || (old->dwLower == 0 && old->dwUpper == 0);
    if (first) {
        SECURITY_STATUS made = context_make(credential, client, flags, &context);
        if (made != SEC_E_OK)
            return made;
    }
    if (context == NULL || context->client != client)
        return SEC_E_INVALID_HANDLE;
    SECURITY_STATUS status = step_run(context, credential, input, output);
    context->state = status == SEC_E_OK ? DONE : status == SEC_I_CONTINUE_NEEDED ? WAITING : FAILED;
    if (first && status < 0) {
        context_free(context); /* a first call that fails leaves nothing behind */
        return status;
    }
    if (new_context != NULL)
        *new_context = (CtxtHandle){(ULONG_PTR)context, MARK_CONTEXT};
    if (attributes != NULL)
        *attributes = client ? GRANTED : GRANTED_SERVER;
    if (expiry != NULL) {
        expiry->LowPart = 0xffffffff;
        expiry->HighPart = 0x7fffffff;
    }
    return status;
}

SECURITY_STATUS SEC_ENTRY sharedkey_initialize(PCredHandle credential, PCtxtHandle context, SEC_WCHAR *target,
                                               ULONG flags, ULONG reserved1, ULONG drep, PSecBufferDesc input,
                                               ULONG reserved2, PCtxtHandle new_context, PSecBufferDesc output,
                                               ULONG *attributes, PTimeStamp expiry)
{
    (void)target, (void)reserved1, (void)drep, (void)reserved2;
    return step(credential, context, true, flags, input, new_context, output, attributes, expiry);
}

SECURITY_STATUS SEC_ENTRY sharedkey_accept(PCredHandle credential, PCtxtHandle context, PSecBufferDesc input,
                                           ULONG flags, ULONG drep, PCtxtHandle new_context, PSecBufferDesc output,
                                           ULONG *attributes, PTimeStamp expiry)
{
    (void)drep;
    return step(credential, context, false, flags, input, new_context, output, attributes, expiry);
}

SECURITY_STATUS SEC_ENTRY sharedkey_delete(PCtxtHandle handle)
{
    struct context *context = handle_object(handle, MARK_CONTEXT);
    if (context == NULL)
        return SEC_E_INVALID_HANDLE;
    context_free(context);
    return SEC_E_OK;
}
