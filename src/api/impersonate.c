#include "api/win32.h"

#include "access/impersonation.h"
#include "access/token_build.h"
#include "api/api.h"
#include "api/context_token.h"
#include "core/cause.h"
#include "core/objects.h"
#include "core/trace.h"
#include "lsa/authority.h"
#include <win32/processthreadsapi.h>
#include <win32/securitybaseapi.h>

/* Impersonation, and the tokens of contexts. */

/* Under the handshake lock. The token is made when it is first asked for. */
static SECURITY_STATUS token_make(struct context *context)
{
    AS_PROCESS_SCOPE;
    const struct config *config;
    const struct token *token = NULL;
    require(context->session != NULL && context->state == CONTEXT_ESTABLISHED,
            cause_set(SEC_E_NO_IMPERSONATION, "this %s context is not established", context->package->info.name));
    try(config_get(&config));
    SECURITY_STATUS status = authority()->client_token(context->session, context->service, config, &token);
    config_release(config);
    try(cause_answer(status));
    return token_handle_create(token, TOKEN_ALL_ACCESS, &context->token);
}

SECURITY_STATUS context_token(struct context *context, const struct token **token)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    pthread_mutex_lock(&context->handshake_lock);
    SECURITY_STATUS status = handle_get(&context->token, HANDLE_TOKEN, &ref);
    if (status != SEC_E_OK) {
        status = token_make(context);
        if (status == SEC_E_OK)
            status = handle_get(&context->token, HANDLE_TOKEN, &ref);
    }
    if (status == SEC_E_OK)
        *token = token_retain(((const struct token_opened *)ref.object)->token);
    pthread_mutex_unlock(&context->handshake_lock);
    return status;
}

SECURITY_STATUS context_token_shown(struct context *context, void **handle)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    AUTO_TOKEN const struct token *token = NULL;
    try(context_token(context, &token));
    pthread_mutex_lock(&context->handshake_lock);
    SECURITY_STATUS status = handle_get(&context->token_shown, HANDLE_TOKEN, &ref);
    if (status != SEC_E_OK) /* the first time, or after a caller closed what is not his */
        status = token_handle_create(token_retain(token), TOKEN_ALL_ACCESS, &context->token_shown);
    if (status == SEC_E_OK)
        *handle = handle_pack(&context->token_shown);
    pthread_mutex_unlock(&context->handshake_lock);
    return status;
}

static SECURITY_STATUS client_token(PCtxtHandle handle, const struct token **token)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    try(api_context_get(handle, &ref));
    return context_token(ref.object, token);
}

SECURITY_STATUS SEC_ENTRY QuerySecurityContextToken(PCtxtHandle phContext, PHANDLE Token)
{
    const struct token *token = NULL;
    SecHandle handle;
    cause_clear();
    require(Token != NULL, cause_set(SEC_E_INVALID_TOKEN, "no place for the token's handle was given"));
    try(client_token(phContext, &token));
    try(token_handle_create(token, TOKEN_ALL_ACCESS, &handle));
    *Token = handle_pack(&handle);
    return SEC_E_OK;
}

/* The configuration is read as the process; then the thread becomes the client. */
static SECURITY_STATUS begin(const struct token *token)
{
    const struct config *config;
    {
        AS_PROCESS_SCOPE;
        try(config_get(&config));
    }
    SECURITY_STATUS status = impersonation_begin(token, config);
    config_release(config);
    return status;
}

SECURITY_STATUS SEC_ENTRY ImpersonateSecurityContext(PCtxtHandle phContext)
{
    AUTO_TOKEN const struct token *token = NULL;
    cause_clear();
    try(client_token(phContext, &token));
    return begin(token);
}

/* Whoever calls it wants out: a thread that impersonates reverts whatever became of the context. */
SECURITY_STATUS SEC_ENTRY RevertSecurityContext(PCtxtHandle phContext)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    cause_clear();
    bool impersonates = impersonation_current() != NULL;
    impersonation_end();
    return impersonates ? SEC_E_OK : api_context_get(phContext, &ref);
}

static DWORD error_of_begin(const struct token *token, SECURITY_STATUS status)
{
    if (status != SEC_E_NO_IMPERSONATION)
        return win32_error_of(status);
    if (!token_may_act(token))
        return ERROR_BAD_IMPERSONATION_LEVEL;
    return token->facts->unix_ids.known ? ERROR_PRIVILEGE_NOT_HELD : ERROR_NONE_MAPPED;
}

BOOL WINAPI ImpersonateLoggedOnUser(HANDLE hToken)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    const struct token *token;
    cause_clear();
    DWORD error = win32_token_get(hToken, TOKEN_QUERY, &ref, &token);
    if (error == ERROR_SUCCESS) {
        const struct token_opened *opened = ref.object;
        DWORD right = token->primary ? TOKEN_DUPLICATE : TOKEN_IMPERSONATE;
        error = (opened->rights & right) != 0 ? error_of_begin(token, begin(token)) : ERROR_ACCESS_DENIED;
    }
    return win32_answer(error);
}

BOOL WINAPI SetThreadToken(PHANDLE Thread, HANDLE Token)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    const struct token *token;
    cause_clear();
    if (Thread != NULL && *Thread != GetCurrentThread())
        return win32_answer(ERROR_INVALID_HANDLE);
    if (Token == NULL) {
        impersonation_end();
        return TRUE;
    }
    DWORD error = win32_token_get(Token, TOKEN_IMPERSONATE, &ref, &token);
    if (error == ERROR_SUCCESS)
        error = token->primary ? ERROR_BAD_TOKEN_TYPE : error_of_begin(token, begin(token));
    return win32_answer(error);
}

static DWORD nobody(void)
{
    AUTO_TOKEN const struct token *token = NULL;
    const struct config *config;
    SECURITY_STATUS status;
    {
        AS_PROCESS_SCOPE;
        status = config_get(&config);
        if (status != SEC_E_OK)
            return win32_error_of(status);
        status = token_of_nobody(config, &token);
    }
    DWORD error =
        status == SEC_E_OK ? error_of_begin(token, impersonation_begin(token, config)) : win32_error_of(status);
    config_release(config);
    return error;
}

BOOL APIENTRY ImpersonateAnonymousToken(HANDLE ThreadHandle)
{
    cause_clear();
    return win32_answer(ThreadHandle == GetCurrentThread() ? nobody() : ERROR_INVALID_HANDLE);
}

BOOL WINAPI RevertToSelf(VOID)
{
    cause_clear();
    impersonation_end();
    return TRUE;
}
