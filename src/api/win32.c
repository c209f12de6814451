#include "api/win32.h"

#include "api/api.h"
#include "api/lsa.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/block.h"
#include "core/cause.h"
#include "core/last_error.h"
#include "core/status.h"
#include <sspi_ext.h>
#include <string.h>

BOOL win32_answer(DWORD error)
{
    if (error == ERROR_SUCCESS)
        return TRUE;
    last_error_set(error);
    return FALSE;
}

DWORD win32_error_of(SECURITY_STATUS status)
{
    static const struct {
        SECURITY_STATUS status;
        DWORD error;
    } table[] = {
        {SEC_E_OK, ERROR_SUCCESS},
        {SEC_E_INSUFFICIENT_MEMORY, ERROR_NOT_ENOUGH_MEMORY},
        {SEC_E_INVALID_HANDLE, ERROR_INVALID_HANDLE},
        {SEC_E_INVALID_TOKEN, ERROR_INVALID_PARAMETER},
        {SEC_E_TARGET_UNKNOWN, ERROR_NONE_MAPPED},
        {SEC_E_LOGON_DENIED, ERROR_LOGON_FAILURE},
        {SEC_E_UNKNOWN_CREDENTIALS, ERROR_LOGON_FAILURE},
        {SEC_E_NO_AUTHENTICATING_AUTHORITY, ERROR_NO_LOGON_SERVERS},
        {SEC_E_SECPKG_NOT_FOUND, ERROR_NOT_SUPPORTED},
        {SEC_E_UNSUPPORTED_FUNCTION, ERROR_NOT_SUPPORTED},
        {SEC_E_NO_IMPERSONATION, ERROR_NONE_MAPPED},
        {(SECURITY_STATUS)STATUS_ACCOUNT_LOCKED_OUT, ERROR_ACCOUNT_LOCKED_OUT},
        {(SECURITY_STATUS)STATUS_ACCOUNT_DISABLED, ERROR_ACCOUNT_DISABLED},
        {(SECURITY_STATUS)STATUS_ACCOUNT_EXPIRED, ERROR_ACCOUNT_EXPIRED},
        {(SECURITY_STATUS)STATUS_PASSWORD_EXPIRED, ERROR_PASSWORD_EXPIRED},
        {(SECURITY_STATUS)STATUS_PASSWORD_MUST_CHANGE, ERROR_PASSWORD_MUST_CHANGE},
    };
    status = cause_answer(status);
    for (size_t i = 0; i < COUNT_OF(table); i++)
        if (table[i].status == status)
            return table[i].error;
    ULONG error = LsaNtStatusToWinError(lsa_status(status));
    return error != ERROR_MR_MID_NOT_FOUND ? error : ERROR_INTERNAL_ERROR;
}

DWORD win32_sid_read(PSID caller, struct sid *sid)
{
    const SID *at = caller;
    if (at == NULL || at->Revision != SID_REVISION || at->SubAuthorityCount > SID_MAX_SUB_AUTHORITIES)
        return ERROR_INVALID_SID;
    struct reader reader = reader_of(slice_of(caller, 8 + 4 * (size_t)at->SubAuthorityCount));
    return sid_read(&reader, sid) == WIRE_OK ? ERROR_SUCCESS : ERROR_INVALID_SID;
}

DWORD win32_sid_len(const struct sid *sid)
{
    return 8 + 4 * (DWORD)sid->n_subauthorities;
}

void win32_sid_put(const struct sid *sid, void *room)
{
    struct writer writer = writer_fixed(room, win32_sid_len(sid));
    sid_write(&writer, sid);
}

DWORD win32_text_read(const void *text, bool wide, char **utf8)
{
    SECURITY_STATUS status = wide ? api_text_from_w(text, utf8) : api_text_from_a(text, utf8);
    return status == SEC_E_OK ? ERROR_SUCCESS : win32_error_of(status);
}

DWORD win32_text_block(const char *utf8, bool wide, void **block)
{
    void *made = api_text_block(utf8, wide);
    if (made == NULL)
        return ERROR_NOT_ENOUGH_MEMORY;
    *block = made;
    return ERROR_SUCCESS;
}

DWORD win32_text_make(const char *utf8, bool wide, struct win32_text *text)
{
    *text = (struct win32_text){.utf8 = utf8, .len = strlen(utf8)};
    return wide && utf16_from_text(utf8, &text->units, &text->len) != WIRE_OK ? ERROR_NOT_ENOUGH_MEMORY : ERROR_SUCCESS;
}

void win32_text_copy(const struct win32_text *text, void *room)
{
    if (text->units != NULL)
        memcpy(room, text->units, (text->len + 1) * sizeof *text->units);
    else
        memcpy(room, text->utf8, text->len + 1);
}

void win32_text_release(struct win32_text *text)
{
    mem_free(text->units);
}

DWORD win32_text_put(const char *utf8, bool wide, void *room, ULONG *n, DWORD small, bool with_terminator)
{
    AUTO_WIN32_TEXT struct win32_text text = {0};
    DWORD error = win32_text_make(utf8, wide, &text);
    if (error != ERROR_SUCCESS)
        return error;
    if (*n < text.len + 1) {
        *n = (ULONG)(text.len + 1);
        return small;
    }
    if (room == NULL)
        return ERROR_INVALID_PARAMETER;
    win32_text_copy(&text, room);
    *n = (ULONG)(text.len + (with_terminator ? 1 : 0));
    return ERROR_SUCCESS;
}

DWORD win32_token_open(const struct token *token, DWORD rights, HANDLE *handle)
{
    SecHandle made;
    SECURITY_STATUS status = token_handle_create(token, rights, &made);
    if (status != SEC_E_OK)
        return win32_error_of(status);
    *handle = handle_pack(&made);
    return ERROR_SUCCESS;
}

DWORD win32_token_get(HANDLE handle, DWORD rights, struct handle_ref *ref, const struct token **token)
{
    const struct token_opened *opened;
    if (token_handle_get(handle, ref, &opened) != SEC_E_OK)
        return ERROR_INVALID_HANDLE;
    if ((opened->rights & rights) != rights) {
        (void)cause_set(SEC_E_INVALID_HANDLE, "the token was opened for rights 0x%x, and 0x%x are needed",
                        (unsigned)opened->rights, (unsigned)rights);
        return ERROR_ACCESS_DENIED;
    }
    *token = opened->token;
    return ERROR_SUCCESS;
}

BOOL OpenSspiCloseHandle(HANDLE hObject)
{
    SecHandle handle = handle_unpack(hObject, HANDLE_TOKEN);
    cause_clear();
    return win32_answer(handle_delete(&handle, HANDLE_TOKEN) == SEC_E_OK ? ERROR_SUCCESS : ERROR_INVALID_HANDLE);
}

HLOCAL OpenSspiLocalFree(HLOCAL hMem)
{
    cause_clear();
    if (block_free(hMem) == SEC_E_OK)
        return NULL;
    last_error_set(ERROR_INVALID_HANDLE);
    return hMem;
}

HLOCAL OpenSspiLocalAlloc(SIZE_T Length)
{
    cause_clear();
    void *block = block_alloc(Length);
    if (block == NULL)
        last_error_set(ERROR_NOT_ENOUGH_MEMORY);
    return block;
}

SIZE_T OpenSspiLocalSize(HLOCAL hMem)
{
    return block_len(hMem);
}
