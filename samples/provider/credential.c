/* What both faces of the module need of credentials. */
#include "provider.h"

#include <string.h>

void *handle_object(const SecHandle *handle, ULONG_PTR mark)
{
    return handle != NULL && handle->dwUpper == mark ? (void *)handle->dwLower : NULL;
}

SECURITY_STATUS identity_read(const void *auth_data, struct credential *credential)
{
    const SEC_WINNT_AUTH_IDENTITY_EXW *ex = auth_data;
    SEC_WINNT_AUTH_IDENTITY_W plain = {0};
    if (auth_data == NULL)
        return SEC_E_NO_CREDENTIALS;
    if (ex->Version == SEC_WINNT_AUTH_IDENTITY_VERSION_2) /* offsets where the others have pointers */
        return SEC_E_UNKNOWN_CREDENTIALS;
    if (ex->Version == SEC_WINNT_AUTH_IDENTITY_VERSION)
        plain = (SEC_WINNT_AUTH_IDENTITY_W){ex->User,     ex->UserLength,     ex->Domain, ex->DomainLength,
                                            ex->Password, ex->PasswordLength, ex->Flags};
    else
        memcpy(&plain, auth_data, sizeof plain);
    if ((plain.Flags & SEC_WINNT_AUTH_IDENTITY_UNICODE) == 0 || plain.UserLength > USER_MAX)
        return SEC_E_UNKNOWN_CREDENTIALS;
    if (plain.User == NULL || plain.UserLength == 0 || plain.Password == NULL || plain.PasswordLength == 0)
        return SEC_E_NO_CREDENTIALS; /* no user, or nothing that is shared */
    static const uint8_t label[] = {'S', 'h', 'a', 'r', 'e', 'd', 'K', 'e', 'y'};
    const struct piece password = {plain.Password, 2 * (size_t)plain.PasswordLength};
    memcpy(credential->user, plain.User, 2 * (size_t)plain.UserLength);
    credential->n_user = plain.UserLength;
    return key_hmac(label, sizeof label, &password, 1, credential->key) ? SEC_E_OK : SEC_E_INTERNAL_ERROR;
}
