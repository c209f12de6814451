/* The module's face: its table, its package, its credentials. */
#include "provider.h"

#include <sspi_ext.h>
#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

static const SEC_WCHAR package_name[] = {'S', 'h', 'a', 'r', 'e', 'd', 'K', 'e', 'y', 0};
static const SEC_WCHAR package_comment[] = {'S', 'a', 'm', 'p', 'l', 'e', ':', ' ', 'o', 'n', 'e', ' ',
                                            's', 'h', 'a', 'r', 'e', 'd', ' ', 'k', 'e', 'y', 0};

static void info_fill(SecPkgInfoW *info)
{
    *info = (SecPkgInfoW){
        .fCapabilities = SECPKG_FLAG_INTEGRITY | SECPKG_FLAG_CONNECTION | SECPKG_FLAG_TOKEN_ONLY |
                         SECPKG_FLAG_MUTUAL_AUTH | SECPKG_FLAG_NEGOTIABLE,
        .wVersion = SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION,
        .wRPCID = SECPKG_ID_NONE,
        .cbMaxToken = MAX_TOKEN,
        .Name = (SEC_WCHAR *)(uintptr_t)package_name,
        .Comment = (SEC_WCHAR *)(uintptr_t)package_comment,
    };
}

static SECURITY_STATUS SEC_ENTRY enumerate(ULONG *count, PSecPkgInfoW *infos)
{
    SecPkgInfoW *info = malloc(sizeof *info);
    if (info == NULL)
        return SEC_E_INSUFFICIENT_MEMORY;
    info_fill(info);
    *count = 1;
    *infos = info;
    return SEC_E_OK;
}

static bool name_is_ours(const SEC_WCHAR *name)
{
    size_t i = 0;
    while (name != NULL && name[i] == package_name[i] && name[i] != 0)
        i++;
    return name != NULL && name[i] == package_name[i];
}

static SECURITY_STATUS SEC_ENTRY query_package(SEC_WCHAR *name, PSecPkgInfoW *info)
{
    ULONG count;
    return name_is_ours(name) ? enumerate(&count, info) : SEC_E_SECPKG_NOT_FOUND;
}

static SECURITY_STATUS SEC_ENTRY acquire(LPWSTR principal, LPWSTR package, ULONG use, PVOID logon_id, PVOID auth_data,
                                         SEC_GET_KEY_FN get_key, PVOID get_key_argument, PCredHandle handle,
                                         PTimeStamp expiry)
{
    (void)principal, (void)use, (void)logon_id, (void)get_key, (void)get_key_argument;
    if (!name_is_ours(package))
        return SEC_E_SECPKG_NOT_FOUND;
    struct credential *credential = calloc(1, sizeof *credential);
    if (credential == NULL)
        return SEC_E_INSUFFICIENT_MEMORY;
    SECURITY_STATUS status = identity_read(auth_data, credential);
    if (status != SEC_E_OK) {
        free(credential);
        return status;
    }
    *handle = (CredHandle){(ULONG_PTR)credential, MARK_CREDENTIAL};
    if (expiry != NULL) {
        expiry->LowPart = 0xffffffff; /* never */
        expiry->HighPart = 0x7fffffff;
    }
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY release(PCredHandle handle)
{
    struct credential *credential = handle_object(handle, MARK_CREDENTIAL);
    if (credential == NULL)
        return SEC_E_INVALID_HANDLE;
    key_wipe(credential, sizeof *credential);
    free(credential);
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY query_credential(PCredHandle handle, ULONG attribute, PVOID buffer)
{
    const struct credential *credential = handle_object(handle, MARK_CREDENTIAL);
    if (credential == NULL)
        return SEC_E_INVALID_HANDLE;
    if (attribute != SECPKG_CRED_ATTR_NAMES)
        return SEC_E_UNSUPPORTED_FUNCTION;
    SEC_WCHAR *name = calloc(credential->n_user + 1, sizeof *name);
    if (name == NULL)
        return SEC_E_INSUFFICIENT_MEMORY;
    memcpy(name, credential->user, 2 * credential->n_user);
    ((SecPkgCredentials_NamesW *)buffer)->sUserName = name;
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY free_buffer(PVOID buffer)
{
    free(buffer);
    return SEC_E_OK;
}

/* What a package does not do stays NULL: callers get SEC_E_UNSUPPORTED_FUNCTION. */
static SecurityFunctionTableW table = {
    .dwVersion = SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION,
    .EnumerateSecurityPackagesW = enumerate,
    .QueryCredentialsAttributesW = query_credential,
    .AcquireCredentialsHandleW = acquire,
    .FreeCredentialsHandle = release,
    .InitializeSecurityContextW = sharedkey_initialize,
    .AcceptSecurityContext = sharedkey_accept,
    .DeleteSecurityContext = sharedkey_delete,
    .QueryContextAttributesW = sharedkey_query,
    .MakeSignature = sharedkey_sign,
    .VerifySignature = sharedkey_verify,
    .FreeContextBuffer = free_buffer,
    .QuerySecurityPackageInfoW = query_package,
};

EXPORTED PSecurityFunctionTableW SEC_ENTRY InitSecurityInterfaceW(void)
{
    return &table;
}

/* 2.25.… : an identifier made of a UUID (ITU-T X.667), which anybody may make for themselves. */
EXPORTED const unsigned char *OpenSspiPackageMechanism(const char *PackageName, ULONG *Length)
{
    static const unsigned char oid[] = {0x69, 0x82, 0xd1, 0xb3, 0x9c, 0xe7, 0xa5, 0xf2, 0x8b, 0xc6,
                                        0xd5, 0x91, 0xae, 0xf4, 0x83, 0xba, 0xc7, 0xe9, 0x9d, 0x2b};
    (void)PackageName; /* there is only one */
    *Length = sizeof oid;
    return oid;
}
