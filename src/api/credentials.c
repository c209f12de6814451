#include "api/api.h"

#include "access/impersonation.h"
#include "base/memory.h"
#include "base/utf16.h"
#include "core/block.h"
#include "core/cause.h"
#include "core/handle.h"
#include "core/objects.h"
#include "core/trace.h"
#include "lsa/authority.h"
#include <schannel.h>
#include <sspi_ext.h>
#include <string.h>

static void credential_destroy(void *object)
{
    credential_put(object);
}

SECURITY_STATUS api_credential_publish(struct credential *credential, PCredHandle handle, PTimeStamp expiry)
{
    int64_t credential_expiry = credential->expiry;
    SECURITY_STATUS status = handle_create(HANDLE_CREDENTIAL, credential, credential_destroy, handle);
    if (status != SEC_E_OK)
        credential_put(credential);
    else if (expiry != NULL)
        *expiry = api_timestamp(credential_expiry);
    return status;
}

/* The one credential of the package by which the client came, for all who act with its token. */
static SECURITY_STATUS acting_credential(const struct behalf *behalf, const struct acquire_request *request,
                                         struct credential **credential)
{
    *credential = behalf_made(behalf);
    if (*credential != NULL)
        return SEC_E_OK;
    const struct acquire_request own = {.config = request->config, .use = request->use};
    struct credential *made = NULL;
    try(authority()->acquire_delegated(behalf->package, &own, secret_slice(&behalf->delegated), behalf->service,
                                       &made));
    *credential = behalf_keep(behalf, made);
    return SEC_E_OK;
}

/* The default credentials of a thread that impersonates are its client's: the process's would tell the next server that the client is this one. */
static SECURITY_STATUS acquire_acting(const struct token *token, const struct package *package,
                                      const struct acquire_request *request, struct credential **credential)
{
    const struct behalf *behalf = token->behalf;
    struct credential *chosen = NULL;
    require(behalf != NULL,
            cause_set(SEC_E_NO_CREDENTIALS, "this thread impersonates a client that delegated no credentials"));
    require(request->use == SECPKG_CRED_OUTBOUND,
            cause_set(SEC_E_NO_CREDENTIALS, "this thread impersonates a client, whose credentials serve nobody: "
                                            "acquire outbound and inbound ones apart"));
    require(package == behalf->package || package->authority->wrap != NULL,
            cause_set(SEC_E_NO_CREDENTIALS, "this thread impersonates a client that can be acted for by %s, not by %s",
                      behalf->package->info.name, package->info.name));
    try(acting_credential(behalf, request, &chosen));
    if (package == behalf->package) {
        *credential = chosen;
        return SEC_E_OK;
    }
    SECURITY_STATUS status = authority()->wrap(package, request, chosen, credential);
    credential_put(chosen);
    return status;
}

/* The bits by which a program has its user asked before anything of his goes out. */
#define ASKS_FIRST (SECPKG_CRED_AUTOLOGON_RESTRICTED | SECPKG_CRED_PROCESS_POLICY_ONLY)

/* `use` with all its bits. */
static SECURITY_STATUS acquire_with(const struct package *package, const char *principal, ULONG use,
                                    const void *auth_data, bool wide, const struct config *config,
                                    struct credential **credential)
{
    AUTO_IDENTITY struct identity identity = {0};
    struct acquire_request request = {.config = config, .principal = principal, .use = use & SECPKG_CRED_BOTH};
    const struct package_info *info = &package->info;
    bool asks_first = (use & SECPKG_CRED_OUTBOUND) != 0 && (use & ASKS_FIRST) != 0;
    const struct token *token = (use & SECPKG_CRED_OUTBOUND) != 0 ? impersonation_current() : NULL;
    const void *given = auth_data;
    bool named = auth_data != NULL;
    if (!info->takes_identity) {
        request.auth_data = auth_data;
        given = info->identity_in != NULL ? info->identity_in(auth_data) : NULL;
        /* A package that knows no users says nothing of this one; modules may. */
        named = info->identity_in != NULL ? given != NULL : named || !info->process_bound;
    }
    if (given != NULL) {
        try(api_identity_read(given, wide, &identity));
        require(info->chooses || !identity_forbids(&identity, info->name),
                cause_set(SEC_E_NO_CREDENTIALS, "the identity's package list \"%.64s\" leaves out %s",
                          identity.packages, info->name));
        request.identity = &identity;
        named = identity_kind(&identity) != IDENTITY_DEFAULT;
    }
    require(!asks_first || (named && (given == NULL || identity_kind(&identity) != IDENTITY_NAME)),
            cause_set(SEC_E_NO_CREDENTIALS,
                      "credential use 0x%x forbids the caller's own credentials and those that are "
                      "kept, and no others were given",
                      (unsigned)use));
    if (token != NULL && !named)
        return acquire_acting(token, package, &request, credential);
    return authority()->acquire(package, &request, credential);
}

static SECURITY_STATUS acquire(const char *principal, const char *package_name, ULONG use, const void *auth_data,
                               bool wide, PCredHandle handle, PTimeStamp expiry)
{
    AS_PROCESS_SCOPE;
    const struct package *package;
    try(api_package_find(package_name, &package));
    require((use & SECPKG_CRED_BOTH) != 0,
            cause_set(SEC_E_NO_CREDENTIALS, "credential use 0x%x is neither inbound nor outbound", (unsigned)use));
    const struct config *config;
    try(config_get(&config));
    struct credential *credential = NULL;
    SECURITY_STATUS status = cause_answer(acquire_with(package, principal, use, auth_data, wide, config, &credential));
    config_release(config);
    TRACE("acquire", "%s, use %u, principal %s, %s%s: 0x%08x", package->info.name, (unsigned)use,
          principal != NULL ? principal : "(default)", auth_data != NULL ? "explicit identity" : "default credentials",
          impersonation_current() != NULL ? ", impersonating" : "", (unsigned)status);
    try(status);
    if (handle == NULL) { /* last, as on Windows: what was given is judged first */
        credential_put(credential);
        return cause_set(SEC_E_INVALID_HANDLE, "no place for the credential handle was given");
    }
    return api_credential_publish(credential, handle, expiry);
}

SECURITY_STATUS SEC_ENTRY AcquireCredentialsHandleW(LPWSTR pszPrincipal, LPWSTR pszPackage, ULONG fCredentialUse,
                                                    PVOID pvLogonId, PVOID pAuthData, SEC_GET_KEY_FN pGetKeyFn,
                                                    PVOID pvGetKeyArgument, PCredHandle phCredential,
                                                    PTimeStamp ptsExpiry)
{
    AUTO_FREE char *principal = NULL;
    AUTO_FREE char *package = NULL;
    (void)pvLogonId, (void)pGetKeyFn,
        (void)pvGetKeyArgument; /* logon sessions belong to the daemon; the key callback was never used by Windows */
    cause_clear();
    try(api_text_from_w(pszPrincipal, &principal));
    try(api_package_from_w(pszPackage, &package));
    return acquire(principal, package, fCredentialUse, pAuthData, true, phCredential, ptsExpiry);
}

SECURITY_STATUS SEC_ENTRY AcquireCredentialsHandleA(LPSTR pszPrincipal, LPSTR pszPackage, ULONG fCredentialUse,
                                                    PVOID pvLogonId, PVOID pAuthData, SEC_GET_KEY_FN pGetKeyFn,
                                                    PVOID pvGetKeyArgument, PCredHandle phCredential,
                                                    PTimeStamp ptsExpiry)
{
    AUTO_FREE char *principal = NULL;
    (void)pvLogonId, (void)pGetKeyFn, (void)pvGetKeyArgument;
    cause_clear();
    try(api_text_from_a(pszPrincipal, &principal));
    return acquire(principal, pszPackage, fCredentialUse, pAuthData, false, phCredential, ptsExpiry);
}

SECURITY_STATUS SEC_ENTRY FreeCredentialsHandle(PCredHandle phCredential)
{
    AS_PROCESS_SCOPE; /* to let go of tickets and keytabs may need the process's files */
    cause_clear();
    SECURITY_STATUS status = handle_delete(phCredential, HANDLE_CREDENTIAL);
    return status != SEC_E_INVALID_HANDLE ? status : cause_set(status, "this is not the handle of a living credential");
}

SECURITY_STATUS api_credential_get(const SecHandle *handle, struct handle_ref *ref)
{
    SECURITY_STATUS status = handle_get(handle, HANDLE_CREDENTIAL, ref);
    return status == SEC_E_OK ? status : cause_set(status, "this is not the handle of a living credential");
}

/* No package so far takes further credentials into a handle; the handle is judged all the same. */
static SECURITY_STATUS add_credentials(PCredHandle handle)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    cause_clear();
    try(api_credential_get(handle, &ref));
    return cause_set(SEC_E_UNSUPPORTED_FUNCTION, "%s credentials take no further ones",
                     ((struct credential *)ref.object)->package->info.name);
}

SECURITY_STATUS SEC_ENTRY AddCredentialsW(PCredHandle hCredentials, LPWSTR pszPrincipal, LPWSTR pszPackage,
                                          ULONG fCredentialUse, PVOID pAuthData, SEC_GET_KEY_FN pGetKeyFn,
                                          PVOID pvGetKeyArgument, PTimeStamp ptsExpiry)
{
    (void)pszPrincipal, (void)pszPackage, (void)fCredentialUse, (void)pAuthData, (void)pGetKeyFn,
        (void)pvGetKeyArgument, (void)ptsExpiry;
    return add_credentials(hCredentials);
}

SECURITY_STATUS SEC_ENTRY AddCredentialsA(PCredHandle hCredentials, LPSTR pszPrincipal, LPSTR pszPackage,
                                          ULONG fCredentialUse, PVOID pAuthData, SEC_GET_KEY_FN pGetKeyFn,
                                          PVOID pvGetKeyArgument, PTimeStamp ptsExpiry)
{
    (void)pszPrincipal, (void)pszPackage, (void)fCredentialUse, (void)pAuthData, (void)pGetKeyFn,
        (void)pvGetKeyArgument, (void)ptsExpiry;
    return add_credentials(hCredentials);
}

static SECURITY_STATUS put_name(const char *name, bool wide, SecPkgCredentials_NamesW *names, size_t room)
{
    require(room >= sizeof *names,
            cause_set(SEC_E_BUFFER_TOO_SMALL, "SecPkgCredentials_Names has %zu bytes", sizeof *names));
    void *text = api_text_block(name, wide);
    require(text != NULL, SEC_E_INSUFFICIENT_MEMORY);
    names->sUserName = text;
    return SEC_E_OK;
}

/* `bytes` is an array of ALG_ID. */
static SECURITY_STATUS put_algorithms(struct slice bytes, SecPkgCred_SupportedAlgs *algorithms, size_t room)
{
    require(room >= sizeof *algorithms,
            cause_set(SEC_E_BUFFER_TOO_SMALL, "SecPkgCred_SupportedAlgs has %zu bytes", sizeof *algorithms));
    void *block = block_alloc(bytes.len);
    require(block != NULL, SEC_E_INSUFFICIENT_MEMORY);
    memcpy(block, bytes.data, bytes.len);
    algorithms->cSupportedAlgs = (DWORD)(bytes.len / sizeof(ALG_ID));
    algorithms->palgSupportedAlgs = block;
    return SEC_E_OK;
}

/* `room` is the size the caller told, or the largest there is. */
static SECURITY_STATUS credential_query(PCredHandle handle, ULONG attribute, void *buffer, size_t room, bool wide)
{
    AS_PROCESS_SCOPE;
    AUTO_HANDLE struct handle_ref ref = {0};
    cause_clear();
    try(api_credential_get(handle, &ref));
    require(buffer != NULL, cause_set(SEC_E_INTERNAL_ERROR, "no place for the attribute was given"));
    struct attribute value = {0};
    try(cause_answer(authority()->query_credential(ref.object, attribute, &value)));
    switch (attribute) {
    case SECPKG_CRED_ATTR_NAMES:
    case OPENSSPI_CRED_ATTR_CCACHE:
        return put_name(value.names.text, wide, buffer, room);
    case SECPKG_ATTR_SUPPORTED_ALGS:
        return put_algorithms(value.bytes, buffer, room);
    case SECPKG_ATTR_CIPHER_STRENGTHS:
    case SECPKG_ATTR_SUPPORTED_PROTOCOLS:
        require(room >= value.flat.len, cause_set(SEC_E_BUFFER_TOO_SMALL, "attribute %u has a structure of %zu bytes",
                                                  (unsigned)attribute, value.flat.len));
        memcpy(buffer, value.flat.bytes, value.flat.len);
        return SEC_E_OK;
    default:
        return SEC_E_UNSUPPORTED_FUNCTION;
    }
}

SECURITY_STATUS SEC_ENTRY QueryCredentialsAttributesW(PCredHandle phCredential, ULONG ulAttribute, PVOID pBuffer)
{
    return credential_query(phCredential, ulAttribute, pBuffer, SIZE_MAX, true);
}

SECURITY_STATUS SEC_ENTRY QueryCredentialsAttributesA(PCredHandle phCredential, ULONG ulAttribute, PVOID pBuffer)
{
    return credential_query(phCredential, ulAttribute, pBuffer, SIZE_MAX, false);
}

SECURITY_STATUS SEC_ENTRY QueryCredentialsAttributesExW(PCredHandle phCredential, ULONG ulAttribute, PVOID pBuffer,
                                                        ULONG cbBuffer)
{
    return credential_query(phCredential, ulAttribute, pBuffer, cbBuffer, true);
}

SECURITY_STATUS SEC_ENTRY QueryCredentialsAttributesExA(PCredHandle phCredential, ULONG ulAttribute, PVOID pBuffer,
                                                        ULONG cbBuffer)
{
    return credential_query(phCredential, ulAttribute, pBuffer, cbBuffer, false);
}

#define SETTING_MAX 65536

/* Those of OPENSSPI_CRED_ATTR_ that are text come to the package as UTF-8 without NUL; `text` holds it. */
static SECURITY_STATUS setting_text(const void *buffer, ULONG len, bool wide, char **text)
{
    size_t unit = wide ? sizeof(SEC_WCHAR) : 1;
    require(len <= SETTING_MAX && len % unit == 0,
            cause_set(SEC_E_INVALID_TOKEN, "an attribute's text of %u bytes", (unsigned)len));
    struct slice bytes = slice_of(buffer, len);
    if (len >= unit && bytes.data[len - 1] == 0 && bytes.data[len - unit] == 0)
        bytes.len -= unit;
    if (wide)
        require(utf16le_to_text(bytes, text) == WIRE_OK,
                cause_set(SEC_E_INVALID_TOKEN, "an attribute's text is not valid UTF-16"));
    else {
        require(utf8_valid(bytes), cause_set(SEC_E_INVALID_TOKEN, "an attribute's text is not valid UTF-8"));
        *text = mem_dup(bytes.data, bytes.len);
        require(*text != NULL, SEC_E_INSUFFICIENT_MEMORY);
    }
    return SEC_E_OK;
}

static SECURITY_STATUS credential_set(PCredHandle handle, ULONG attribute, const void *buffer, ULONG len, bool wide)
{
    AS_PROCESS_SCOPE;
    AUTO_HANDLE struct handle_ref ref = {0};
    cause_clear();
    try(api_credential_get(handle, &ref));
    require(buffer != NULL || len == 0, cause_set(SEC_E_INVALID_TOKEN, "an attribute with a length but no memory"));
    require(!((const struct credential *)ref.object)->lent,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "this credential is of a client that the thread impersonated: others "
                                                  "may act with it too, and nobody changes it"));
    if (attribute < OPENSSPI_CRED_ATTR_CCACHE || attribute > OPENSSPI_CRED_ATTR_PIN)
        return cause_answer(authority()->set_credential(ref.object, attribute, buffer, len));
    char *text = NULL;
    try(cause_answer(setting_text(buffer, len, wide, &text)));
    SECURITY_STATUS status = cause_answer(authority()->set_credential(ref.object, attribute, text, strlen(text)));
    secret_free_text(text);
    return status;
}

SECURITY_STATUS SEC_ENTRY SetCredentialsAttributesW(PCredHandle phCredential, ULONG ulAttribute, PVOID pBuffer,
                                                    ULONG cbBuffer)
{
    return credential_set(phCredential, ulAttribute, pBuffer, cbBuffer, true);
}

SECURITY_STATUS SEC_ENTRY SetCredentialsAttributesA(PCredHandle phCredential, ULONG ulAttribute, PVOID pBuffer,
                                                    ULONG cbBuffer)
{
    return credential_set(phCredential, ulAttribute, pBuffer, cbBuffer, false);
}
