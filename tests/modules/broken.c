/*
 * Modules with one thing wrong with each: compiled once a name of tests/modules/cases.txt, with CASE_<name> defined. What has none is right: package
 * "Test", whose only token is one byte from the client.
 */
#include <sspi.h>
#include <sspi_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))
/* Each case leaves some of them out of its table. */
#pragma GCC diagnostic ignored "-Wunused-function"

/* Names that a case changes. */
#if defined(CASE_no_name)
#define NAME NULL
#elif defined(CASE_empty_name)
#define NAME ""
#elif defined(CASE_long_name)
#define NAME "A name of more than sixty-four characters, which is one more than can be"
#elif defined(CASE_comma_name)
#define NAME "Test,NTLM"
#elif defined(CASE_control_name)
#define NAME "Te\nst"
#elif defined(CASE_utf8_name)
#define NAME "T\xc3\xa4st"
#elif defined(CASE_our_name)
#define NAME "nTLM"
#elif defined(CASE_second)
#define NAME "Second"
#else
#define NAME "Test"
#endif

#if defined(CASE_pair) || defined(CASE_one_oid)
#define NAME_OF(i) ((i) == 0 ? NAME : "Second")
#else
#define NAME_OF(i) NAME
#endif

static long n_credentials, n_contexts; /* told by OpenSspiTestCounts, so that tests see what is left behind */

static SECURITY_STATUS SEC_ENTRY enumerate(ULONG *count, PSecPkgInfoA *infos)
{
    ULONG n_packages = 1;
#if defined(CASE_enumerate_fails)
    return SEC_E_INTERNAL_ERROR;
#endif
#if defined(CASE_no_packages)
    n_packages = 0;
#elif defined(CASE_many_packages)
    n_packages = 17;
#elif defined(CASE_twice) || defined(CASE_pair) || defined(CASE_one_oid)
    n_packages = 2;
#endif
    SecPkgInfoA *info = calloc(n_packages + 1, sizeof *info);
    if (info == NULL)
        return SEC_E_INSUFFICIENT_MEMORY;
    for (ULONG i = 0; i < n_packages; i++) {
        info[i] = (SecPkgInfoA){
            .fCapabilities = SECPKG_FLAG_CONNECTION | SECPKG_FLAG_INTEGRITY | SECPKG_FLAG_NEGOTIABLE,
            .wVersion = 1,
            .wRPCID = SECPKG_ID_NONE,
            .cbMaxToken = 64,
            .Name = (char *)(size_t)NAME_OF(i),
            .Comment = (char *)(size_t) "A test",
        };
#if defined(CASE_package_version)
        info[i].wVersion = 2;
#elif defined(CASE_no_token)
        info[i].cbMaxToken = 0;
#elif defined(CASE_huge_token)
        info[i].cbMaxToken = 0x80000000;
#elif defined(CASE_stream)
        info[i].fCapabilities |= SECPKG_FLAG_STREAM;
#elif defined(CASE_no_comment)
        info[i].Comment = NULL;
#endif
    }
    *count = n_packages;
    *infos = info;
#if defined(CASE_null_packages)
    free(info);
    *infos = NULL;
#endif
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY acquire(LPSTR principal, LPSTR package, ULONG use, PVOID logon, PVOID auth,
                                         SEC_GET_KEY_FN get_key, PVOID argument, PCredHandle handle, PTimeStamp expiry)
{
    (void)principal, (void)package, (void)use, (void)logon, (void)auth, (void)get_key, (void)argument, (void)expiry;
#if defined(CASE_says_nothing)
    return 0x1234;
#endif
#if defined(CASE_no_memory)
    return SEC_E_INSUFFICIENT_MEMORY;
#endif
    *handle = (CredHandle){1, 2}; /* like the handles of others */
    __atomic_add_fetch(&n_credentials, 1, __ATOMIC_SEQ_CST);
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY release(PCredHandle handle)
{
    (void)handle;
    __atomic_sub_fetch(&n_credentials, 1, __ATOMIC_SEQ_CST);
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY initialize(PCredHandle credential, PCtxtHandle old, SEC_CHAR *target, ULONG flags,
                                            ULONG reserved1, ULONG drep, PSecBufferDesc input, ULONG reserved2,
                                            PCtxtHandle context, PSecBufferDesc output, ULONG *attributes,
                                            PTimeStamp expiry)
{
    (void)credential, (void)target, (void)flags, (void)reserved1, (void)drep, (void)input, (void)reserved2,
        (void)expiry;
    SecBuffer *token = &output->pBuffers[0];
    if (old != NULL)
        return SEC_E_INVALID_HANDLE;
    memset(token->pvBuffer, 'T', 1);
    token->cbBuffer = 1;
#if defined(CASE_long_token)
    token->cbBuffer = 65;
#elif defined(CASE_moved_token)
    static char elsewhere[1];
    token->pvBuffer = elsewhere;
#endif
    *context = (CtxtHandle){3, 4};
    *attributes = ISC_RET_INTEGRITY;
    __atomic_add_fetch(&n_contexts, 1, __ATOMIC_SEQ_CST);
#if defined(CASE_other_success)
    return SEC_I_CONTEXT_EXPIRED; /* no answer of this function, but there is a context */
#endif
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY accept_token(PCredHandle credential, PCtxtHandle old, PSecBufferDesc input,
                                              ULONG flags, ULONG drep, PCtxtHandle context, PSecBufferDesc output,
                                              ULONG *attributes, PTimeStamp expiry)
{
    (void)credential, (void)old, (void)flags, (void)drep, (void)expiry;
    if (input->cBuffers == 0 || input->pBuffers[0].cbBuffer != 1)
        return SEC_E_INVALID_TOKEN;
#if defined(CASE_tells_failure) || defined(CASE_hides_failure) || defined(CASE_vague_failure)
    memcpy(output->pBuffers[0].pvBuffer, "why", 3);
    output->pBuffers[0].cbBuffer = 3;
#if !defined(CASE_hides_failure)
    *attributes = ASC_RET_EXTENDED_ERROR;
#endif
#if defined(CASE_vague_failure)
    return 0x1234; /* it did not fail */
#endif
    return SEC_E_LOGON_DENIED;
#endif
    output->pBuffers[0].cbBuffer = 0;
#if defined(CASE_bad_text)
    memset(output->pBuffers[0].pvBuffer, 'T', 1);
    output->pBuffers[0].cbBuffer = 1;
#endif
    *context = (CtxtHandle){3, 4};
    *attributes = ASC_RET_INTEGRITY;
    __atomic_add_fetch(&n_contexts, 1, __ATOMIC_SEQ_CST);
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY delete_context(PCtxtHandle context)
{
    __atomic_sub_fetch(&n_contexts, 1, __ATOMIC_SEQ_CST);
    return context->dwLower == 3 && context->dwUpper == 4 ? SEC_E_OK : SEC_E_INVALID_HANDLE;
}

static SECURITY_STATUS SEC_ENTRY sign(PCtxtHandle context, ULONG qop, PSecBufferDesc message, ULONG seq)
{
    (void)context, (void)qop, (void)seq;
#if defined(CASE_long_signature)
    message->pBuffers[0].cbBuffer += 1;
#else
    message->pBuffers[0].cbBuffer = 0;
#endif
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY unseal(PCtxtHandle context, PSecBufferDesc message, ULONG seq, PULONG qop)
{
    (void)context, (void)seq, (void)qop;
    for (ULONG i = 0; i < message->cBuffers; i++)
        if (message->pBuffers[i].BufferType == SECBUFFER_DATA) { /* outside of the stream it came in */
            message->pBuffers[i].pvBuffer = (char *)message->pBuffers[0].pvBuffer + 1;
            message->pBuffers[i].cbBuffer = message->pBuffers[0].cbBuffer;
        }
    return SEC_E_OK;
}

#if defined(CASE_long_key)
#define LONG_KEY_LEN 1025
static unsigned char *key;
#endif

static SECURITY_STATUS SEC_ENTRY free_buffer(PVOID buffer)
{
#if defined(CASE_no_target)
    if (buffer == NULL) /* no block of this package */
        abort();
#endif
#if defined(CASE_long_key)
    if (buffer == key)
        for (size_t i = 0; i < LONG_KEY_LEN; i++)
            n_contexts += key[i] != 0 ? 1 : 0; /* not wiped: the test finds something left behind */
#endif
    free(buffer);
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY query(PCtxtHandle context, ULONG attribute, void *buffer)
{
    (void)context;
    static const char text[] = "text", broken[] = "\xff";
    const char *name = text;
#if defined(CASE_bad_text)
    name = broken;
#endif
    (void)broken;
    if (attribute == SECPKG_ATTR_KEY_INFO) {
        *(SecPkgContext_KeyInfoA *)buffer = (SecPkgContext_KeyInfoA){strdup(name), strdup(name), 8, 9, 10};
        return SEC_E_OK;
    }
    if (attribute == SECPKG_ATTR_NAMES) {
        ((SecPkgContext_NamesA *)buffer)->sUserName = strdup(name);
        return SEC_E_OK;
    }
#if defined(CASE_no_target)
    if (attribute == SECPKG_ATTR_TARGET_INFORMATION) {
        *(SecPkgContext_TargetInformation *)buffer = (SecPkgContext_TargetInformation){0};
        return SEC_E_OK;
    }
#endif
#if defined(CASE_long_key)
    if (attribute == SECPKG_ATTR_SESSION_KEY) {
        key = malloc(LONG_KEY_LEN);
        if (key == NULL)
            return SEC_E_INSUFFICIENT_MEMORY;
        memset(key, 'K', LONG_KEY_LEN);
        *(SecPkgContext_SessionKey *)buffer = (SecPkgContext_SessionKey){LONG_KEY_LEN, key};
        return SEC_E_OK;
    }
#endif
    return SEC_E_UNSUPPORTED_FUNCTION;
}

static SECURITY_STATUS SEC_ENTRY query_credential(PCredHandle credential, ULONG attribute, void *buffer)
{
    (void)credential;
    if (attribute != SECPKG_CRED_ATTR_NAMES)
        return SEC_E_UNSUPPORTED_FUNCTION;
    ((SecPkgCredentials_NamesA *)buffer)->sUserName = strdup("\xff");
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY control(PCtxtHandle context, PSecBufferDesc token)
{
    (void)context;
    return token->cBuffers == 1 && token->pBuffers[0].cbBuffer == 2 && memcmp(token->pBuffers[0].pvBuffer, "go", 2) == 0
               ? SEC_E_OK
               : SEC_E_INVALID_TOKEN;
}

static SECURITY_STATUS SEC_ENTRY set_context(PCtxtHandle context, ULONG attribute, void *buffer, ULONG len)
{
    (void)context;
    return attribute == 77 && len == 3 && memcmp(buffer, "set", 3) == 0 ? SEC_E_OK : SEC_E_INVALID_TOKEN;
}

static SecurityFunctionTableA table = {
#if defined(CASE_version_0)
    .dwVersion = 0,
#elif defined(CASE_version_6)
    .dwVersion = 6,
#elif defined(CASE_second)
    .dwVersion =
        SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION, /* does not reach SetContextAttributes, whatever lies there */
#else
    .dwVersion = SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_2,
#endif
#if !defined(CASE_no_enumerate)
    .EnumerateSecurityPackagesA = enumerate,
#endif
    .AcquireCredentialsHandleA = acquire,
#if !defined(CASE_no_release)
    .FreeCredentialsHandle = release,
#endif
#if !defined(CASE_no_steps) && !defined(CASE_server_only)
    .InitializeSecurityContextA = initialize,
#endif
#if !defined(CASE_no_steps)
    .AcceptSecurityContext = accept_token,
#endif
    .DeleteSecurityContext = delete_context,
#if defined(CASE_bad_text)
    .QueryCredentialsAttributesA = query_credential,
#endif
#if !defined(CASE_sparse)
    .MakeSignature = sign,
    .DecryptMessage = unseal,
    .QueryContextAttributesA = query,
    .ApplyControlToken = control,
    .SetContextAttributesA = set_context,
#endif
#if !defined(CASE_no_free)
    .FreeContextBuffer = free_buffer,
#endif
};

#if !defined(CASE_no_entry)
/* A start that calls the library, where the test gave it a way, and one that forks. */
EXPORTED PSecurityFunctionTableA SEC_ENTRY InitSecurityInterfaceA(void)
{
#if defined(CASE_calls_back)
    const char *way = getenv("OPENSSPI_TEST_CALLBACK");
    ENUMERATE_SECURITY_PACKAGES_FN_A call = NULL;
    ULONG count = 0;
    PSecPkgInfoA infos = NULL;
    if (way != NULL)
        *(void **)&call = (void *)strtoul(way, NULL, 16);
    if (call == NULL || call(&count, &infos) != SEC_E_OK || count == 0)
        return NULL;
#endif
#if defined(CASE_forks)
    pid_t child = fork();
    int status = 1;
    if (child == 0)
        _exit(0);
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        return NULL;
#endif
#if defined(CASE_null_table)
    return NULL;
#endif
    return &table;
}
#endif

#if defined(CASE_no_entry)
EXPORTED int unrelated(void);
EXPORTED int unrelated(void)
{
    return table.dwVersion != 0;
}
#endif

#if defined(CASE_our_oid)
static const unsigned char oid[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0a}; /* NTLM's */
#elif defined(CASE_spnego_oid)
static const unsigned char oid[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x02};
#elif defined(CASE_cut_oid)
static const unsigned char oid[] = {0x2b, 0x86};
#elif defined(CASE_long_oid)
static const unsigned char oid[65] = {0x2b};
#elif defined(CASE_bad_text) || defined(CASE_one_oid)
static const unsigned char oid[] = {0x2b, 0x06, 0x01, 0x04, 0x01,
                                    0x81, 0xfd, 0x59, 0x03}; /* the arc for examples (RFC 5612) */
#endif
#if defined(CASE_bad_text) || defined(CASE_our_oid) || defined(CASE_spnego_oid) || defined(CASE_cut_oid) || \
    defined(CASE_long_oid) || defined(CASE_one_oid)
EXPORTED const unsigned char *OpenSspiPackageMechanism(const char *name, ULONG *length)
{
    (void)name;
    *length = sizeof oid;
    return oid;
}
#endif

EXPORTED void OpenSspiTestCounts(long *credentials, long *contexts);
EXPORTED void OpenSspiTestCounts(long *credentials, long *contexts)
{
    *credentials = __atomic_load_n(&n_credentials, __ATOMIC_SEQ_CST);
    *contexts = __atomic_load_n(&n_contexts, __ATOMIC_SEQ_CST);
}
