/*
 * Modules written for Windows' LSA, compiled like broken.c once for each name of tests/modules/cases.txt that begins with "lsa_". lsa_right is
 * package "Test": one byte from the client, then messages with a sum of their bytes for a signature, "sealed" by turning bits over.
 */
#include <ntsecpkg.h>
#include <sspi_ext.h>
#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))
#define FAILURE ((NTSTATUS)0xC0000001) /* STATUS_UNSUCCESSFUL */
#define NOT_SUPPORTED ((NTSTATUS)0xC00000BB)
#define LOGON_FAILURE ((NTSTATUS)0xC000006D)
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wunused-parameter"

static long n_credentials, n_contexts, n_mapped, n_starts, n_shutdowns;
static PLSA_SECPKG_FUNCTION_TABLE lsa;
static PSECPKG_DLL_FUNCTIONS dll;

#define COUNT(variable, by) __atomic_add_fetch(&(variable), by, __ATOMIC_SEQ_CST)

/* Is the authority what it says? What there is works, what there is not says so, and nothing is missing. */
static NTSTATUS authority_check(void)
{
    char text[] = "text", back[8] = "";
    PVOID place = NULL;
    HANDLE handle = NULL;
    LUID luid = {1, 2};
    SECPKG_CLIENT_INFO client;
    SECPKG_CALL_INFO call;
    SecBuffer unmapped = {4, SECBUFFER_TOKEN | SECBUFFER_UNMAPPED, text}, mapped = {0};
    void *const *members = (void *const *)(void *)lsa;
    for (size_t i = 0; i < sizeof *lsa / sizeof *members; i++)
        if (members[i] == NULL)
            return FAILURE;
    if (lsa->AllocateClientBuffer(NULL, 5, &place) != 0 || lsa->CopyToClientBuffer(NULL, 5, place, text) != 0 ||
        lsa->CopyFromClientBuffer(NULL, 5, back, place) != 0 || strcmp(back, "text") != 0 ||
        lsa->FreeClientBuffer(NULL, place) != 0)
        return FAILURE;
    if (lsa->AllocateClientBuffer(NULL, 1, NULL) == 0 || lsa->CopyToClientBuffer(NULL, 1, NULL, text) == 0 ||
        lsa->CopyFromClientBuffer(NULL, 1, text, NULL) == 0 || lsa->CopyToClientBuffer(NULL, 0, NULL, NULL) != 0)
        return FAILURE;
    place = lsa->AllocatePrivateHeap(100);
    if (place == NULL)
        return FAILURE;
    lsa->FreePrivateHeap(place);
    if (lsa->MapBuffer(&unmapped, &mapped) != 0 || mapped.pvBuffer != text || mapped.BufferType != SECBUFFER_TOKEN)
        return FAILURE;
    if (lsa->GetClientInfo(&client) != 0 || client.ProcessID == 0 || client.ThreadID == 0 || client.Impersonating)
        return FAILURE;
    if (!lsa->GetCallInfo(&call) || (call.Attributes & SECPKG_CALL_IN_PROC) == 0 || call.CallCount == 0)
        return FAILURE;
    if (lsa->CreateLogonSession(&luid) != NOT_SUPPORTED || lsa->DuplicateHandle(NULL, &handle) != NOT_SUPPORTED ||
        lsa->ImpersonateClient() != NOT_SUPPORTED || lsa->OpenTokenByLogonId(&luid, &handle) != NOT_SUPPORTED ||
        lsa->CreateSharedMemory(16, 16) != NULL || lsa->DeleteSharedMemory(NULL))
        return FAILURE;
    lsa->LsaProtectMemory(text, sizeof text);
    lsa->LsaUnprotectMemory(text, sizeof text);
    return strcmp(text, "text") == 0 ? 0 : FAILURE;
}

static NTSTATUS NTAPI start(ULONG_PTR id, PSECPKG_PARAMETERS parameters, PLSA_SECPKG_FUNCTION_TABLE functions)
{
    lsa = functions;
    COUNT(n_starts, 1);
    if (id == 0 || parameters == NULL || parameters->Version != SECPKG_INTERFACE_VERSION)
        return FAILURE;
#if defined(CASE_lsa_start_fails)
    return FAILURE;
#endif
    return authority_check();
}

static NTSTATUS NTAPI start_not(ULONG_PTR id, PSECPKG_PARAMETERS parameters, PLSA_SECPKG_FUNCTION_TABLE functions)
{
    return FAILURE;
}

static NTSTATUS NTAPI shut_down(void)
{
    COUNT(n_shutdowns, 1);
    return 0;
}

static NTSTATUS NTAPI describe(PSecPkgInfo info)
{
    static SEC_WCHAR name[] = {'T', 'e', 's', 't', 0}, bad_name[] = {'a', ',', 'b', 0}, comment[] = {'C', 0};
    (void)bad_name;
    *(SecPkgInfoW *)(void *)info = (SecPkgInfoW){
        .fCapabilities = SECPKG_FLAG_CONNECTION | SECPKG_FLAG_INTEGRITY | SECPKG_FLAG_PRIVACY | SECPKG_FLAG_NEGOTIABLE,
        .wVersion = 1,
        .wRPCID = SECPKG_ID_NONE,
        .cbMaxToken = 64,
        .Name = name,
        .Comment = comment,
    };
#if defined(CASE_lsa_info_fails)
    return FAILURE;
#elif defined(CASE_lsa_bad_name)
    ((SecPkgInfoW *)(void *)info)->Name = bad_name;
#elif defined(CASE_lsa_no_name)
    ((SecPkgInfoW *)(void *)info)->Name = NULL;
#endif
    return 0;
}

static NTSTATUS NTAPI describe_other(PSecPkgInfo info)
{
    static SEC_WCHAR name[] = {'O', 't', 'h', 'e', 'r', 0};
    NTSTATUS status = describe(info);
    ((SecPkgInfoW *)(void *)info)->Name = name;
    return status;
}

static NTSTATUS NTAPI describe_more(SECPKG_EXTENDED_INFORMATION_CLASS class, PSECPKG_EXTENDED_INFORMATION *info)
{
    static SECPKG_EXTENDED_INFORMATION thunks = {
        .Class = SecpkgContextThunks,
#if defined(CASE_lsa_many_thunks)
        .Info.ContextThunks = {65, {SECPKG_ATTR_KEY_INFO}},
#elif defined(CASE_lsa_thunks_all)
        .Info.ContextThunks = {1, {SECPKG_ATTR_THUNK_ALL}},
#else
        .Info.ContextThunks = {1, {SECPKG_ATTR_KEY_INFO}},
#endif
    };
#if defined(CASE_lsa_our_oid) || defined(CASE_lsa_bad_oid) || defined(CASE_lsa_complete)
    static union {
        SECPKG_EXTENDED_INFORMATION info;
        struct {
            SECPKG_EXTENDED_INFORMATION_CLASS class;
            __attribute__((aligned(sizeof(void *)))) ULONG len; /* where the union begins */
            UCHAR der[12];
        } with;
    } gss = {.with = {SecpkgGssInfo,
                      12,
#if defined(CASE_lsa_complete) /* in the arc for examples (RFC 5612) */
                      {0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x81, 0xfd, 0x59, 0x03, 0x01}}};
#elif defined(CASE_lsa_bad_oid)
                      {0x06, 0x0b, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0a}}};
#else
                      {0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0a}}}; /* NTLM's */
#endif
    if (class == SecpkgGssInfo) {
        *info = &gss.info;
        return 0;
    }
#endif
    if (class != SecpkgContextThunks)
        return NOT_SUPPORTED;
    *info = &thunks;
    return 0;
}

static NTSTATUS NTAPI acquire(PUNICODE_STRING principal, ULONG use, PLUID logon, PVOID data, PVOID get_key,
                              PVOID argument, PLSA_SEC_HANDLE handle, PTimeStamp expiry)
{
    if (logon == NULL)
        return FAILURE;
#if defined(CASE_lsa_denies)
    return LOGON_FAILURE;
#elif defined(CASE_lsa_strange)
    return FAILURE;
#endif
    if (principal != NULL && (principal->Length != 2 * 5 || principal->MaximumLength < principal->Length ||
                              principal->Buffer[0] != 'a' || principal->Buffer[4] != 'e'))
        return LOGON_FAILURE; /* "alice" only */
    COUNT(n_credentials, 1);
    *handle = 0x11;
    return 0;
}

static NTSTATUS NTAPI release(LSA_SEC_HANDLE handle)
{
    COUNT(n_credentials, -1);
    return handle == 0x11 ? 0 : FAILURE;
}

static NTSTATUS NTAPI query_credential(LSA_SEC_HANDLE handle, ULONG attribute, PVOID buffer)
{
    static const SEC_WCHAR name[] = {'a', 'l', 'i', 'c', 'e', 0};
    PVOID copy = NULL;
    if (attribute != SECPKG_CRED_ATTR_NAMES || handle != 0x11)
        return SEC_E_UNSUPPORTED_FUNCTION;
    if (lsa->AllocateClientBuffer(NULL, sizeof name, &copy) != 0)
        return SEC_E_INSUFFICIENT_MEMORY;
    memcpy(copy, name, sizeof name);
    ((SecPkgCredentials_NamesW *)buffer)->sUserName = copy;
    return 0;
}

/* What the part in the application gets: a key of one byte. */
static NTSTATUS context_map(PBOOLEAN mapped, PSecBuffer data)
{
#if !defined(CASE_lsa_no_user)
    unsigned char *key = lsa->AllocateLsaHeap(1);
    if (key == NULL)
        return SEC_E_INSUFFICIENT_MEMORY;
    *key = 0x5a;
    *data = (SecBuffer){1, SECBUFFER_TOKEN, key};
    *mapped = TRUE;
#if defined(CASE_lsa_map_null)
    lsa->FreeLsaHeap(key);
    data->pvBuffer = NULL;
#elif defined(CASE_lsa_map_huge)
    lsa->FreeLsaHeap(key);
    *data = (SecBuffer){0x40000000, SECBUFFER_TOKEN, (void *)(size_t)16};
#endif
#endif
    return 0;
}

static NTSTATUS step_finish(PLSA_SEC_HANDLE context, ULONG *attributes, PTimeStamp expiry, PBOOLEAN mapped,
                            PSecBuffer data)
{
    *attributes = ISC_RET_INTEGRITY | ISC_RET_CONFIDENTIALITY;
#if defined(CASE_lsa_says_nothing) || defined(CASE_lsa_map_fails)
    *attributes |= ISC_RET_EXTENDED_ERROR | ASC_RET_EXTENDED_ERROR; /* and this part does not fail */
#endif
#if defined(CASE_lsa_says_nothing)
    return 0x103; /* STATUS_PENDING */
#endif
    expiry->LowPart = 0xffffffff;
    expiry->HighPart = 0x7fffffff;
#if defined(CASE_lsa_no_context)
    return 0;
#endif
    NTSTATUS status = context_map(mapped, data);
    if (status == 0) {
        COUNT(n_contexts, 1);
        *context = 0x22;
    }
#if defined(CASE_lsa_complete)
    if (status == 0)
        status = SEC_I_COMPLETE_NEEDED;
#elif defined(CASE_lsa_complete_more)
    if (status == 0)
        status = SEC_I_COMPLETE_AND_CONTINUE;
#elif defined(CASE_lsa_other_success)
    if (status == 0)
        status = SEC_I_CONTEXT_EXPIRED; /* no answer of this function, but there is a context */
#endif
    return status;
}

static NTSTATUS NTAPI initiate(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE old, PUNICODE_STRING target, ULONG flags,
                               ULONG drep, PSecBufferDesc input, PLSA_SEC_HANDLE context, PSecBufferDesc output,
                               PULONG attributes, PTimeStamp expiry, PBOOLEAN mapped, PSecBuffer data)
{
    SECPKG_CALL_INFO call;
    if (credential != 0x11 || old != 0 || input == NULL || input->cBuffers != 0 || target == NULL ||
        target->Length != 2 || target->Buffer[0] != 't' || !lsa->GetCallInfo(&call))
        return FAILURE;
    memset(output->pBuffers[0].pvBuffer, 'T', 1);
    output->pBuffers[0].cbBuffer = 1;
    return step_finish(context, attributes, expiry, mapped, data);
}

static NTSTATUS NTAPI accept_token(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE old, PSecBufferDesc input, ULONG flags,
                                   ULONG drep, PLSA_SEC_HANDLE context, PSecBufferDesc output, PULONG attributes,
                                   PTimeStamp expiry, PBOOLEAN mapped, PSecBuffer data)
{
    if (input->cBuffers == 0 || input->pBuffers[0].cbBuffer != 1)
        return SEC_E_INVALID_TOKEN;
    output->pBuffers[0].cbBuffer = 0;
#if defined(CASE_lsa_complete_more)
    if (old != 0) {
        *attributes = ASC_RET_INTEGRITY;
        return 0;
    }
#endif
#if defined(CASE_lsa_says_nothing) || defined(CASE_lsa_map_fails)
    memset(output->pBuffers[0].pvBuffer, 'T', 1);
    output->pBuffers[0].cbBuffer = 1;
#endif
    return step_finish(context, attributes, expiry, mapped, data);
}

static NTSTATUS NTAPI delete_context(LSA_SEC_HANDLE context)
{
    COUNT(n_contexts, -1);
    return context == 0x22 ? 0 : FAILURE;
}

static NTSTATUS NTAPI query_in_lsa(LSA_SEC_HANDLE context, ULONG attribute, PVOID buffer)
{
    static const SEC_WCHAR text[] = {'l', 's', 'a', 0};
    if (attribute != SECPKG_ATTR_KEY_INFO || context != 0x22)
        return NOT_SUPPORTED;
    SEC_WCHAR *names[2] = {lsa->AllocateLsaHeap(sizeof text), lsa->AllocateLsaHeap(sizeof text)};
    for (int i = 0; i < 2; i++)
        if (names[i] != NULL)
            memcpy(names[i], text, sizeof text);
    *(SecPkgContext_KeyInfoW *)buffer = (SecPkgContext_KeyInfoW){names[0], names[1], 8, 9, 10};
    return 0;
}

static NTSTATUS NTAPI control(LSA_SEC_HANDLE context, PSecBufferDesc token)
{
    if (context != 0x22 || token->cBuffers != 1 || token->pBuffers[0].BufferType != SECBUFFER_TOKEN)
        return FAILURE;
    return token->pBuffers[0].cbBuffer == 2 && memcmp(token->pBuffers[0].pvBuffer, "go", 2) == 0 ? 0
                                                                                                 : SEC_E_INVALID_TOKEN;
}

static NTSTATUS NTAPI set_context(LSA_SEC_HANDLE context, ULONG attribute, PVOID buffer, ULONG len)
{
    if (attribute != 77 || context != 0x22)
        return NOT_SUPPORTED;
    return len == 3 && memcmp(buffer, "set", 3) == 0 ? 0 : SEC_E_INVALID_TOKEN;
}

static NTSTATUS NTAPI set_credential(LSA_SEC_HANDLE credential, ULONG attribute, PVOID buffer, ULONG len)
{
    if (attribute != 78 || credential != 0x11)
        return NOT_SUPPORTED;
    return len == 3 && memcmp(buffer, "set", 3) == 0 ? 0 : SEC_E_INVALID_TOKEN;
}

static SECPKG_FUNCTION_TABLE tables[17] = {
    {
#if !defined(CASE_lsa_no_start)
        .Initialize = start,
#endif
        .Shutdown = shut_down,
#if !defined(CASE_lsa_no_info)
        .GetInfo = describe,
#endif
        .AcquireCredentialsHandle = acquire,
#if !defined(CASE_lsa_no_release)
        .FreeCredentialsHandle = release,
#endif
#if !defined(CASE_lsa_no_steps)
        .InitLsaModeContext = initiate,
        .AcceptLsaModeContext = accept_token,
#endif
#if !defined(CASE_lsa_no_delete)
        .DeleteContext = delete_context,
#endif
#if !defined(CASE_lsa_sparse)
        .QueryCredentialsAttributes = query_credential,
        .GetExtendedInformation = describe_more,
        .QueryContextAttributes = query_in_lsa,
        .ApplyControlToken = control,
        .SetContextAttributes = set_context,
        .SetCredentialsAttributes = set_credential,
#endif
    },
    {
#if defined(CASE_lsa_second_fails)
        .Initialize = start_not,
#else
        .Initialize = start,
#endif
        .Shutdown = shut_down,
        .GetInfo = describe_other,
        .AcquireCredentialsHandle = acquire,
        .FreeCredentialsHandle = release,
        .InitLsaModeContext = initiate,
        .DeleteContext = delete_context,
    },
};

EXPORTED NTSTATUS SEC_ENTRY SpLsaModeInitialize(ULONG version, PULONG ours, PSECPKG_FUNCTION_TABLE *out, PULONG count);
EXPORTED NTSTATUS SEC_ENTRY SpLsaModeInitialize(ULONG version, PULONG ours, PSECPKG_FUNCTION_TABLE *out, PULONG count)
{
    if (version != SECPKG_INTERFACE_VERSION)
        return FAILURE;
    *ours = SECPKG_INTERFACE_VERSION;
    *out = tables;
    *count = 1;
#if defined(CASE_lsa_fails)
    return FAILURE;
#elif defined(CASE_lsa_version)
    *ours = 0x00030000;
#elif defined(CASE_lsa_no_tables)
    *count = 0;
#elif defined(CASE_lsa_many_tables)
    *count = 17;
#elif defined(CASE_lsa_null_tables)
    *out = NULL;
#elif defined(CASE_lsa_version_2)
    *ours = SECPKG_INTERFACE_VERSION_2;
    *count = 2;
#elif defined(CASE_lsa_version_3)
    *ours = SECPKG_INTERFACE_VERSION_3;
    *count = 2;
#elif defined(CASE_lsa_second_fails)
    *count = 2;
#endif
    return 0;
}

/* The part in the application. */

static unsigned char key;
static long n_completed;

static NTSTATUS NTAPI instance(ULONG version, PSECPKG_DLL_FUNCTIONS functions, PVOID *unused)
{
    dll = functions;
#if defined(CASE_lsa_instance_fails)
    return FAILURE;
#endif
    return dll->RegisterCallback(1, NULL) == NOT_SUPPORTED ? 0 : FAILURE;
}

static NTSTATUS NTAPI map(LSA_SEC_HANDLE context, PSecBuffer packed)
{
    if (context != 0x22 || packed->cbBuffer != 1)
        return FAILURE;
    __atomic_store_n(&key, *(unsigned char *)packed->pvBuffer, __ATOMIC_SEQ_CST);
#if defined(CASE_lsa_map_fails)
    return FAILURE;
#elif defined(CASE_lsa_map_keeps)
    dll->FreeHeap(packed->pvBuffer);
    packed->pvBuffer = NULL;
#endif
    COUNT(n_mapped, 1);
    return 0;
}

static NTSTATUS NTAPI unmap(LSA_SEC_HANDLE context)
{
    COUNT(n_mapped, -1);
    return 0;
}

static NTSTATUS NTAPI complete(LSA_SEC_HANDLE context, PSecBufferDesc token)
{
    if (context != 0x22 || token->cBuffers != 1 || token->pBuffers[0].cbBuffer != 1)
        return SEC_E_INVALID_TOKEN;
    if (*(const char *)token->pBuffers[0].pvBuffer == 'D')
        return SEC_E_LOGON_DENIED;
    memset(token->pBuffers[0].pvBuffer, 'C', 1);
    COUNT(n_completed, 1);
    return 0;
}

static SecBuffer *buffer_find(PSecBufferDesc message, ULONG type)
{
    for (ULONG i = 0; i < message->cBuffers; i++)
        if ((message->pBuffers[i].BufferType & ~(ULONG)SECBUFFER_ATTRMASK) == type)
            return &message->pBuffers[i];
    return NULL;
}

static unsigned char sum_of(const SecBuffer *data)
{
    unsigned char sum = key;
    for (ULONG i = 0; i < data->cbBuffer; i++)
        sum = (unsigned char)(sum + ((const unsigned char *)data->pvBuffer)[i]);
    return sum;
}

static NTSTATUS NTAPI sign(LSA_SEC_HANDLE context, ULONG qop, PSecBufferDesc message, ULONG seq)
{
    SecBuffer *token = buffer_find(message, SECBUFFER_TOKEN), *data = buffer_find(message, SECBUFFER_DATA);
    if (context != 0x22 || token == NULL || data == NULL || token->cbBuffer < 1)
        return SEC_E_INVALID_TOKEN;
    *(unsigned char *)token->pvBuffer = sum_of(data);
    token->cbBuffer = 1;
#if defined(CASE_lsa_long_signature)
    token->cbBuffer = 100;
#endif
    return 0;
}

static NTSTATUS NTAPI verify(LSA_SEC_HANDLE context, PSecBufferDesc message, ULONG seq, PULONG qop)
{
    SecBuffer *token = buffer_find(message, SECBUFFER_TOKEN), *data = buffer_find(message, SECBUFFER_DATA);
    if (context != 0x22 || token == NULL || data == NULL || token->cbBuffer != 1)
        return SEC_E_INVALID_TOKEN;
    *qop = 0;
    return *(unsigned char *)token->pvBuffer == sum_of(data) ? 0 : SEC_E_MESSAGE_ALTERED;
}

static void turn(SecBuffer *data)
{
    for (ULONG i = 0; i < data->cbBuffer; i++)
        ((unsigned char *)data->pvBuffer)[i] ^= key;
}

static NTSTATUS NTAPI seal(LSA_SEC_HANDLE context, ULONG qop, PSecBufferDesc message, ULONG seq)
{
    NTSTATUS status = sign(context, qop, message, seq);
    if (status == 0)
        turn(buffer_find(message, SECBUFFER_DATA));
    return status;
}

static NTSTATUS NTAPI unseal(LSA_SEC_HANDLE context, PSecBufferDesc message, ULONG seq, PULONG qop)
{
    SecBuffer *data = buffer_find(message, SECBUFFER_DATA);
    if (data == NULL)
        return SEC_E_INVALID_TOKEN;
    turn(data);
    return verify(context, message, seq, qop);
}

static NTSTATUS NTAPI query(LSA_SEC_HANDLE context, ULONG attribute, PVOID buffer)
{
    static const SEC_WCHAR name[] = {'b', 'o', 'b', 0};
    if (context != 0x22)
        return FAILURE;
#if defined(CASE_lsa_complete) || defined(CASE_lsa_complete_more)
    if (__atomic_load_n(&n_completed, __ATOMIC_SEQ_CST) == 0)
        return SEC_E_UNSUPPORTED_FUNCTION; /* who it is, is known when the token is completed */
#endif
    if (attribute == SECPKG_ATTR_SIZES) {
        *(SecPkgContext_Sizes *)buffer = (SecPkgContext_Sizes){64, 1, 1, 1};
        return 0;
    }
    if (attribute == SECPKG_ATTR_NAMES) {
        SEC_WCHAR *copy = dll->AllocateHeap(sizeof name);
        if (copy == NULL)
            return SEC_E_INSUFFICIENT_MEMORY;
        memcpy(copy, name, sizeof name);
        ((SecPkgContext_NamesW *)buffer)->sUserName = copy;
        return 0;
    }
    return SEC_E_UNSUPPORTED_FUNCTION;
}

static SECPKG_USER_FUNCTION_TABLE user_tables[2] = {{
    .InstanceInit = instance,
#if !defined(CASE_lsa_no_map)
    .InitUserModeContext = map,
#endif
    .DeleteUserModeContext = unmap,
#if !defined(CASE_lsa_sparse)
    .CompleteAuthToken = complete,
    .MakeSignature = sign,
    .VerifySignature = verify,
    .SealMessage = seal,
    .UnsealMessage = unseal,
    .QueryContextAttributes = query,
#endif
}};

#if !defined(CASE_lsa_no_user)
EXPORTED NTSTATUS SEC_ENTRY SpUserModeInitialize(ULONG version, PULONG ours, PSECPKG_USER_FUNCTION_TABLE *out,
                                                 PULONG count);
EXPORTED NTSTATUS SEC_ENTRY SpUserModeInitialize(ULONG version, PULONG ours, PSECPKG_USER_FUNCTION_TABLE *out,
                                                 PULONG count)
{
    *ours = SECPKG_INTERFACE_VERSION;
    *out = user_tables;
    *count = 1;
#if defined(CASE_lsa_user_fails)
    return FAILURE;
#elif defined(CASE_lsa_user_version)
    *ours = 0;
#elif defined(CASE_lsa_user_count) || defined(CASE_lsa_second_fails) || defined(CASE_lsa_version_2) || \
    defined(CASE_lsa_version_3)
    *count = 2;
#endif
    return 0;
}
#endif

EXPORTED void OpenSspiTestCounts(long *credentials, long *contexts);
EXPORTED void OpenSspiTestCounts(long *credentials, long *contexts)
{
    *credentials = __atomic_load_n(&n_credentials, __ATOMIC_SEQ_CST);
    *contexts = __atomic_load_n(&n_contexts, __ATOMIC_SEQ_CST) + __atomic_load_n(&n_mapped, __ATOMIC_SEQ_CST);
}

EXPORTED long OpenSspiTestShutdowns(void);
EXPORTED long OpenSspiTestShutdowns(void)
{
    return __atomic_load_n(&n_shutdowns, __ATOMIC_SEQ_CST);
}

EXPORTED long OpenSspiTestStarts(void);
EXPORTED long OpenSspiTestStarts(void)
{
    return __atomic_load_n(&n_starts, __ATOMIC_SEQ_CST);
}
