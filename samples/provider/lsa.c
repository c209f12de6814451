/*
 * The other face of the same package, as one writes it for Windows' LSA: "SharedKeyLsa". The part in the authority has credentials and walks the
 * handshake; what it packs at the end is all that the part in the application knows.
 */
#include "provider.h"

#include <ntsecpkg.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

static SEC_WCHAR package_name[] = {'S', 'h', 'a', 'r', 'e', 'd', 'K', 'e', 'y', 'L', 's', 'a', 0};
static SEC_WCHAR package_comment[] = {'S', 'a', 'm', 'p', 'l', 'e', 0};

static PLSA_SECPKG_FUNCTION_TABLE lsa; /* what the authority does for us */

/* The part in the authority. */

static NTSTATUS NTAPI start(ULONG_PTR id, PSECPKG_PARAMETERS parameters, PLSA_SECPKG_FUNCTION_TABLE functions)
{
    (void)id, (void)parameters;
    lsa = functions;
    return SEC_E_OK;
}

static NTSTATUS NTAPI shut_down(void)
{
    return SEC_E_OK;
}

static NTSTATUS NTAPI describe(PSecPkgInfo info)
{
    *(SecPkgInfoW *)(void *)info = (SecPkgInfoW){
        .fCapabilities = SECPKG_FLAG_INTEGRITY | SECPKG_FLAG_CONNECTION | SECPKG_FLAG_TOKEN_ONLY |
                         SECPKG_FLAG_MUTUAL_AUTH | SECPKG_FLAG_NEGOTIABLE,
        .wVersion = SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION,
        .wRPCID = SECPKG_ID_NONE,
        .cbMaxToken = MAX_TOKEN,
        .Name = package_name,
        .Comment = package_comment,
    };
    return SEC_E_OK;
}

/* By which name Negotiate offers it: 2.25.… once more, in DER. */
static NTSTATUS NTAPI describe_more(SECPKG_EXTENDED_INFORMATION_CLASS class, PSECPKG_EXTENDED_INFORMATION *info)
{
    static const UCHAR der[] = {0x06, 0x14, 0x69, 0x83, 0xa4, 0xc1, 0x8f, 0xe2, 0xd7, 0xb5, 0x9c,
                                0x84, 0xf3, 0xe6, 0xa1, 0x93, 0xb2, 0xc8, 0xd4, 0x8a, 0x97, 0x36};
    static union {
        SECPKG_EXTENDED_INFORMATION info;
        UCHAR room[sizeof(SECPKG_EXTENDED_INFORMATION) + sizeof der];
    } gss;
    if (class != SecpkgGssInfo)
        return SEC_E_UNSUPPORTED_FUNCTION;
    gss.info.Class = class;
    gss.info.Info.GssInfo.EncodedIdLength = sizeof der;
    memcpy(gss.room + offsetof(SECPKG_EXTENDED_INFORMATION, Info.GssInfo.EncodedId), der, sizeof der);
    *info = &gss.info;
    return SEC_E_OK;
}

static NTSTATUS NTAPI acquire(PUNICODE_STRING principal, ULONG use, PLUID logon_id, PVOID auth_data, PVOID get_key,
                              PVOID get_key_argument, PLSA_SEC_HANDLE handle, PTimeStamp expiry)
{
    (void)principal, (void)use, (void)logon_id, (void)get_key, (void)get_key_argument;
    struct credential *credential = lsa->AllocatePrivateHeap(sizeof *credential);
    if (credential == NULL)
        return SEC_E_INSUFFICIENT_MEMORY;
    /* The client is this process: its structure can be read where it lies. */
    SECURITY_STATUS status = identity_read(auth_data, credential);
    if (status != SEC_E_OK) {
        lsa->FreePrivateHeap(credential);
        return status;
    }
    *handle = (LSA_SEC_HANDLE)credential;
    expiry->LowPart = 0xffffffff; /* never */
    expiry->HighPart = 0x7fffffff;
    return SEC_E_OK;
}

static NTSTATUS NTAPI release(LSA_SEC_HANDLE handle)
{
    struct credential *credential = (struct credential *)handle;
    key_wipe(credential, sizeof *credential);
    lsa->FreePrivateHeap(credential);
    return SEC_E_OK;
}

static NTSTATUS NTAPI query_credential(LSA_SEC_HANDLE handle, ULONG attribute, PVOID buffer)
{
    const struct credential *credential = (const struct credential *)handle;
    PVOID name = NULL;
    if (attribute != SECPKG_CRED_ATTR_NAMES)
        return SEC_E_UNSUPPORTED_FUNCTION;
    NTSTATUS status = lsa->AllocateClientBuffer(NULL, (ULONG)(2 * credential->n_user + 2), &name);
    if (status != SEC_E_OK)
        return status;
    memcpy(name, credential->user, 2 * credential->n_user); /* zeroed memory: the end is there */
    ((SecPkgCredentials_NamesW *)buffer)->sUserName = name;
    return SEC_E_OK;
}

/* A handshake that has ended goes over to the application: all of the context, which is how this sample keeps it simple. */
static NTSTATUS step_end(NTSTATUS status, const SecHandle *made, PLSA_SEC_HANDLE context, PBOOLEAN mapped,
                         PSecBuffer data)
{
    if (status < 0)
        return status;
    *context = made->dwLower;
    if (status != SEC_E_OK)
        return status;
    void *packed = lsa->AllocateLsaHeap(sizeof(struct context));
    if (packed == NULL)
        return SEC_E_INSUFFICIENT_MEMORY;
    memcpy(packed, (const void *)made->dwLower, sizeof(struct context));
    *data = (SecBuffer){sizeof(struct context), SECBUFFER_TOKEN, packed};
    *mapped = TRUE;
    return SEC_E_OK;
}

static NTSTATUS NTAPI initiate(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE old, PUNICODE_STRING target, ULONG flags,
                               ULONG drep, PSecBufferDesc input, PLSA_SEC_HANDLE context, PSecBufferDesc output,
                               PULONG attributes, PTimeStamp expiry, PBOOLEAN mapped, PSecBuffer data)
{
    SecHandle owner = {credential, MARK_CREDENTIAL}, before = {old, MARK_CONTEXT}, made = {0};
    (void)target;
    NTSTATUS status = sharedkey_initialize(&owner, old != 0 ? &before : NULL, NULL, flags, 0, drep, input, 0, &made,
                                           output, attributes, expiry);
    return step_end(status, &made, context, mapped, data);
}

static NTSTATUS NTAPI accept_token(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE old, PSecBufferDesc input, ULONG flags,
                                   ULONG drep, PLSA_SEC_HANDLE context, PSecBufferDesc output, PULONG attributes,
                                   PTimeStamp expiry, PBOOLEAN mapped, PSecBuffer data)
{
    SecHandle owner = {credential, MARK_CREDENTIAL}, before = {old, MARK_CONTEXT}, made = {0};
    NTSTATUS status =
        sharedkey_accept(&owner, old != 0 ? &before : NULL, input, flags, drep, &made, output, attributes, expiry);
    return step_end(status, &made, context, mapped, data);
}

static NTSTATUS NTAPI delete_context(LSA_SEC_HANDLE handle)
{
    return sharedkey_delete(&(SecHandle){handle, MARK_CONTEXT});
}

static SECPKG_FUNCTION_TABLE table = {
    .Initialize = start,
    .Shutdown = shut_down,
    .GetInfo = describe,
    .AcquireCredentialsHandle = acquire,
    .QueryCredentialsAttributes = query_credential,
    .FreeCredentialsHandle = release,
    .InitLsaModeContext = initiate,
    .AcceptLsaModeContext = accept_token,
    .DeleteContext = delete_context,
    .GetExtendedInformation = describe_more,
};

EXPORTED NTSTATUS SEC_ENTRY SpLsaModeInitialize(ULONG version, PULONG ours, PSECPKG_FUNCTION_TABLE *tables,
                                                PULONG count);
EXPORTED NTSTATUS SEC_ENTRY SpLsaModeInitialize(ULONG version, PULONG ours, PSECPKG_FUNCTION_TABLE *tables,
                                                PULONG count)
{
    (void)version;
    *ours = SECPKG_INTERFACE_VERSION;
    *tables = &table;
    *count = 1;
    return SEC_E_OK;
}

/* The part in the application: contexts of its own, found by the authority's handle. */

struct mapped {
    struct mapped *next;
    LSA_SEC_HANDLE handle;
    struct context context;
};

static pthread_mutex_t mapped_lock = PTHREAD_MUTEX_INITIALIZER;
static struct mapped *mapped_list; /* guarded by mapped_lock */

static struct mapped **mapped_find(LSA_SEC_HANDLE handle)
{
    struct mapped **link = &mapped_list;
    while (*link != NULL && (*link)->handle != handle)
        link = &(*link)->next;
    return link;
}

static NTSTATUS NTAPI map(LSA_SEC_HANDLE handle, PSecBuffer packed)
{
    struct mapped *mapped = calloc(1, sizeof *mapped);
    if (mapped == NULL)
        return SEC_E_INSUFFICIENT_MEMORY;
    mapped->handle = handle;
    memcpy(&mapped->context, packed->pvBuffer, sizeof mapped->context);
    pthread_mutex_lock(&mapped_lock);
    mapped->next = mapped_list;
    mapped_list = mapped;
    pthread_mutex_unlock(&mapped_lock);
    return SEC_E_OK;
}

static NTSTATUS NTAPI unmap(LSA_SEC_HANDLE handle)
{
    pthread_mutex_lock(&mapped_lock);
    struct mapped **link = mapped_find(handle), *mapped = *link;
    if (mapped != NULL)
        *link = mapped->next;
    pthread_mutex_unlock(&mapped_lock);
    if (mapped == NULL)
        return SEC_E_INVALID_HANDLE;
    key_wipe(mapped, sizeof *mapped);
    free(mapped);
    return SEC_E_OK;
}

static SecHandle context_of(LSA_SEC_HANDLE handle)
{
    pthread_mutex_lock(&mapped_lock);
    struct mapped *mapped = *mapped_find(handle);
    pthread_mutex_unlock(&mapped_lock);
    return mapped != NULL ? (SecHandle){(ULONG_PTR)&mapped->context, MARK_CONTEXT} : (SecHandle){0, 0};
}

static NTSTATUS NTAPI sign(LSA_SEC_HANDLE handle, ULONG qop, PSecBufferDesc message, ULONG seq)
{
    SecHandle context = context_of(handle);
    return sharedkey_sign(&context, qop, message, seq);
}

static NTSTATUS NTAPI verify(LSA_SEC_HANDLE handle, PSecBufferDesc message, ULONG seq, PULONG qop)
{
    SecHandle context = context_of(handle);
    return sharedkey_verify(&context, message, seq, qop);
}

static NTSTATUS NTAPI query(LSA_SEC_HANDLE handle, ULONG attribute, PVOID buffer)
{
    SecHandle context = context_of(handle);
    return sharedkey_query(&context, attribute, buffer);
}

/* What a package does not do stays NULL: callers get SEC_E_UNSUPPORTED_FUNCTION. */
static SECPKG_USER_FUNCTION_TABLE user_table = {
    .InitUserModeContext = map,
    .DeleteUserModeContext = unmap,
    .MakeSignature = sign,
    .VerifySignature = verify,
    .QueryContextAttributes = query,
};

EXPORTED NTSTATUS SEC_ENTRY SpUserModeInitialize(ULONG version, PULONG ours, PSECPKG_USER_FUNCTION_TABLE *tables,
                                                 PULONG count);
EXPORTED NTSTATUS SEC_ENTRY SpUserModeInitialize(ULONG version, PULONG ours, PSECPKG_USER_FUNCTION_TABLE *tables,
                                                 PULONG count)
{
    (void)version;
    *ours = SECPKG_INTERFACE_VERSION;
    *tables = &user_table;
    *count = 1;
    return SEC_E_OK;
}
