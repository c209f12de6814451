#include "api/win32.h"

#include "access/impersonation.h"
#include "access/token_build.h"
#include "access/well_known.h"
#include "base/memory.h"
#include "core/cause.h"
#include <win32/processthreadsapi.h>
#include <win32/securitybaseapi.h>
#include <sspi_ext.h>
#include <string.h>

/* Opening, reading and duplicating access tokens. */

static DWORD process_token(const struct token **token)
{
    AS_PROCESS_SCOPE;
    const struct config *config;
    SECURITY_STATUS status = config_get(&config);
    if (status != SEC_E_OK)
        return win32_error_of(status);
    status = token_of_process(config, token);
    config_release(config);
    return win32_error_of(status);
}

static DWORD process_open(HANDLE process, DWORD rights, HANDLE *handle)
{
    const struct token *token = NULL;
    if (process != GetCurrentProcess())
        return ERROR_INVALID_HANDLE;
    if (handle == NULL)
        return ERROR_INVALID_PARAMETER;
    DWORD error = process_token(&token);
    return error == ERROR_SUCCESS ? win32_token_open(token, rights, handle) : error;
}

BOOL WINAPI OpenProcessToken(HANDLE ProcessHandle, DWORD DesiredAccess, PHANDLE TokenHandle)
{
    cause_clear();
    return win32_answer(process_open(ProcessHandle, DesiredAccess, TokenHandle));
}

static DWORD thread_open(HANDLE thread, DWORD rights, HANDLE *handle)
{
    const struct token *token = impersonation_current();
    if (thread != GetCurrentThread())
        return ERROR_INVALID_HANDLE;
    if (handle == NULL)
        return ERROR_INVALID_PARAMETER;
    if (token == NULL)
        return ERROR_NO_TOKEN;
    if (token->level == SecurityAnonymous && !token->primary)
        return ERROR_CANT_OPEN_ANONYMOUS;
    return win32_token_open(token_retain(token), rights, handle);
}

BOOL WINAPI OpenThreadToken(HANDLE ThreadHandle, DWORD DesiredAccess, BOOL OpenAsSelf, PHANDLE TokenHandle)
{
    (void)OpenAsSelf;
    cause_clear();
    return win32_answer(thread_open(ThreadHandle, DesiredAccess, TokenHandle));
}

static DWORD duplicate(HANDLE handle, DWORD right, DWORD rights, bool primary, SECURITY_IMPERSONATION_LEVEL level,
                       HANDLE *out)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    const struct token *token;
    const struct token_opened *opened;
    DWORD error = win32_token_get(handle, right, &ref, &token);
    if (error != ERROR_SUCCESS)
        return error;
    if (out == NULL || level < SecurityAnonymous || level > SecurityDelegation)
        return ERROR_INVALID_PARAMETER;
    /* A lower level is never made a higher one; a primary token is a level above all. */
    SECURITY_IMPERSONATION_LEVEL needed = primary ? SecurityImpersonation : level;
    if (!token->primary && token->level < needed)
        return ERROR_BAD_IMPERSONATION_LEVEL;
    opened = ref.object;
    const struct token *made = token_duplicate(token, primary, level);
    return made != NULL ? win32_token_open(made, rights != 0 ? rights : opened->rights, out) : ERROR_NOT_ENOUGH_MEMORY;
}

BOOL WINAPI DuplicateToken(HANDLE ExistingTokenHandle, SECURITY_IMPERSONATION_LEVEL ImpersonationLevel,
                           PHANDLE DuplicateTokenHandle)
{
    cause_clear();
    return win32_answer(duplicate(ExistingTokenHandle, TOKEN_DUPLICATE, TOKEN_IMPERSONATE | TOKEN_QUERY, false,
                                  ImpersonationLevel, DuplicateTokenHandle));
}

BOOL WINAPI DuplicateTokenEx(HANDLE hExistingToken, DWORD dwDesiredAccess, LPSECURITY_ATTRIBUTES lpTokenAttributes,
                             SECURITY_IMPERSONATION_LEVEL ImpersonationLevel, TOKEN_TYPE Type, PHANDLE phNewToken)
{
    (void)lpTokenAttributes; /* tokens have no access control list, and handles are not inherited */
    cause_clear();
    if (Type != TokenPrimary && Type != TokenImpersonation)
        return win32_answer(ERROR_INVALID_PARAMETER);
    return win32_answer(duplicate(hExistingToken, TOKEN_DUPLICATE, dwDesiredAccess, Type == TokenPrimary,
                                  ImpersonationLevel, phNewToken));
}

static DWORD member_of(const struct token *token, PSID sid, BOOL *member)
{
    struct sid wanted;
    if (member == NULL)
        return ERROR_INVALID_PARAMETER;
    DWORD error = win32_sid_read(sid, &wanted);
    if (error == ERROR_SUCCESS)
        *member = token_has(token, &wanted) ? TRUE : FALSE;
    return error;
}

static DWORD membership(HANDLE handle, PSID sid, BOOL *member)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    AUTO_TOKEN const struct token *process = NULL;
    const struct token *token = impersonation_current();
    DWORD error = ERROR_SUCCESS;
    if (handle != NULL)
        error = win32_token_get(handle, TOKEN_QUERY, &ref, &token);
    else if (token == NULL) {
        error = process_token(&process);
        token = process;
    }
    if (error != ERROR_SUCCESS)
        return error;
    if (handle != NULL && token->primary)
        return ERROR_NO_IMPERSONATION_TOKEN;
    return member_of(token, sid, member);
}

BOOL APIENTRY CheckTokenMembership(HANDLE TokenHandle, PSID SidToCheck, PBOOL IsMember)
{
    cause_clear();
    return win32_answer(membership(TokenHandle, SidToCheck, IsMember));
}
