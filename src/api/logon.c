#include "api/win32.h"

#include "access/impersonation.h"
#include "api/api.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/block.h"
#include "core/cause.h"
#include "core/identity.h"
#include "lsa/authority.h"
#include <win32/winbase.h>

/* LogonUser. */

struct logon_call {
    const void *user, *domain, *password; /* in one of the two forms */
    bool wide;
    DWORD type, provider;
    HANDLE *token;
    PSID *logon_sid;
    void **profile;
    DWORD *profile_len;
    QUOTA_LIMITS *quotas;
};

static DWORD password_read(const struct logon_call *call, struct identity *identity)
{
    identity->has_password = true; /* NULL is an empty one */
    if (call->password == NULL)
        return ERROR_SUCCESS;
    if (call->wide)
        return secret_set(&identity->password, call->password, 2 * utf16_units(call->password))
                   ? ERROR_SUCCESS
                   : ERROR_NOT_ENOUGH_MEMORY;
    if (!utf8_valid(slice_of_text(call->password)))
        return ERROR_INVALID_PARAMETER;
    return utf16le_secret(&identity->password, call->password) == WIRE_OK ? ERROR_SUCCESS : ERROR_NOT_ENOUGH_MEMORY;
}

static DWORD identity_read(const struct logon_call *call, struct identity *identity)
{
    DWORD error = win32_text_read(call->user, call->wide, &identity->user);
    if (error == ERROR_SUCCESS)
        error = win32_text_read(call->domain, call->wide, &identity->domain);
    if (error == ERROR_SUCCESS && (identity->user == NULL || *identity->user == '\0'))
        error = ERROR_INVALID_PARAMETER;
    return error == ERROR_SUCCESS ? password_read(call, identity) : error;
}

static DWORD request_fill(const struct logon_call *call, struct logon_request *request)
{
    switch (call->type) {
    case LOGON32_LOGON_INTERACTIVE:
    case LOGON32_LOGON_UNLOCK:
        request->logon = TOKEN_LOGON_INTERACTIVE;
        break;
    case LOGON32_LOGON_NETWORK:
    case LOGON32_LOGON_NETWORK_CLEARTEXT:
        request->logon = TOKEN_LOGON_NETWORK;
        break;
    case LOGON32_LOGON_BATCH:
        request->logon = TOKEN_LOGON_BATCH;
        break;
    case LOGON32_LOGON_SERVICE:
        request->logon = TOKEN_LOGON_SERVICE;
        break;
    default:
        return ERROR_NOT_SUPPORTED;
    }
    /* A network logon is what a server makes of a client: it proves who somebody is, and leaves nothing to go on with. */
    request->primary = request->keeps = call->type != LOGON32_LOGON_NETWORK;
    request->provider = call->provider == LOGON32_PROVIDER_DEFAULT   ? LOGON_BY_DOMAIN
                        : call->provider == LOGON32_PROVIDER_WINNT50 ? LOGON_BY_KERBEROS
                                                                     : LOGON_BY_STORES;
    return call->provider <= LOGON32_PROVIDER_WINNT50 ? ERROR_SUCCESS : ERROR_INVALID_PARAMETER;
}

static DWORD token_get(const struct logon_call *call, const struct token **token)
{
    AS_PROCESS_SCOPE;
    AUTO_IDENTITY struct identity identity = {0};
    struct logon_request request = {.identity = &identity, .level = SecurityImpersonation};
    DWORD error = request_fill(call, &request);
    if (error == ERROR_SUCCESS)
        error = identity_read(call, &identity);
    if (error != ERROR_SUCCESS)
        return error;
    api_start();
    SECURITY_STATUS status = config_get(&request.config);
    if (status != SEC_E_OK)
        return win32_error_of(status);
    status = authority()->logon(&request, token);
    config_release(request.config);
    /* The KDC does not know this computer. Where names are looked up the code means a name that nobody has. */
    return status == SEC_E_TARGET_UNKNOWN ? ERROR_NO_TRUST_SAM_ACCOUNT : win32_error_of(status);
}

static DWORD logon(const struct logon_call *call)
{
    const struct token *token = NULL;
    void *sid = NULL;
    DWORD error = token_get(call, &token);
    if (error != ERROR_SUCCESS)
        return error;
    if (call->logon_sid != NULL) {
        sid = block_alloc(win32_sid_len(&token->facts->logon_sid));
        if (sid == NULL) {
            token_release(token);
            return ERROR_NOT_ENOUGH_MEMORY;
        }
        win32_sid_put(&token->facts->logon_sid, sid);
    }
    if (call->token != NULL)
        error = win32_token_open(token, TOKEN_ALL_ACCESS, call->token);
    else
        token_release(token); /* only whether they may log on was asked */
    if (error != ERROR_SUCCESS) {
        (void)block_free(sid);
        return error;
    }
    if (call->logon_sid != NULL)
        *call->logon_sid = sid;
    if (call->profile != NULL)
        *call->profile = NULL;
    if (call->profile_len != NULL)
        *call->profile_len = 0;
    if (call->quotas != NULL)
        *call->quotas = (QUOTA_LIMITS){0};
    return ERROR_SUCCESS;
}

BOOL WINAPI LogonUserExW(LPCWSTR lpszUsername, LPCWSTR lpszDomain, LPCWSTR lpszPassword, DWORD dwLogonType,
                         DWORD dwLogonProvider, PHANDLE phToken, PSID *ppLogonSid, PVOID *ppProfileBuffer,
                         LPDWORD pdwProfileLength, PQUOTA_LIMITS pQuotaLimits)
{
    cause_clear();
    return win32_answer(
        logon(&(struct logon_call){lpszUsername, lpszDomain, lpszPassword, true, dwLogonType, dwLogonProvider, phToken,
                                   ppLogonSid, ppProfileBuffer, pdwProfileLength, pQuotaLimits}));
}

BOOL WINAPI LogonUserExA(LPCSTR lpszUsername, LPCSTR lpszDomain, LPCSTR lpszPassword, DWORD dwLogonType,
                         DWORD dwLogonProvider, PHANDLE phToken, PSID *ppLogonSid, PVOID *ppProfileBuffer,
                         LPDWORD pdwProfileLength, PQUOTA_LIMITS pQuotaLimits)
{
    cause_clear();
    return win32_answer(
        logon(&(struct logon_call){lpszUsername, lpszDomain, lpszPassword, false, dwLogonType, dwLogonProvider, phToken,
                                   ppLogonSid, ppProfileBuffer, pdwProfileLength, pQuotaLimits}));
}

BOOL WINAPI LogonUserW(LPCWSTR lpszUsername, LPCWSTR lpszDomain, LPCWSTR lpszPassword, DWORD dwLogonType,
                       DWORD dwLogonProvider, PHANDLE phToken)
{
    cause_clear();
    if (phToken == NULL)
        return win32_answer(ERROR_INVALID_PARAMETER);
    return LogonUserExW(lpszUsername, lpszDomain, lpszPassword, dwLogonType, dwLogonProvider, phToken, NULL, NULL, NULL,
                        NULL);
}

BOOL WINAPI LogonUserA(LPCSTR lpszUsername, LPCSTR lpszDomain, LPCSTR lpszPassword, DWORD dwLogonType,
                       DWORD dwLogonProvider, PHANDLE phToken)
{
    cause_clear();
    if (phToken == NULL)
        return win32_answer(ERROR_INVALID_PARAMETER);
    return LogonUserExA(lpszUsername, lpszDomain, lpszPassword, dwLogonType, dwLogonProvider, phToken, NULL, NULL, NULL,
                        NULL);
}
