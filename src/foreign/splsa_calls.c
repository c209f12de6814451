#include "foreign/splsa.h"

#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "foreign/splsa_authority.h"

/* The calls of SSPI as calls of the two parts. A credential's handle has the package beside the part's own one; a context's an object. */

struct splsa_context {
    const struct foreign_package *package;
    LSA_SEC_HANDLE
    handle;      /* the part in the authority knows the context by it, and so does the one in the application */
    bool mapped; /* the part in the application has it too */
};

static const struct foreign_package *package_of(const SecHandle *credential)
{
    return (const struct foreign_package *)credential->dwUpper;
}

static struct splsa_context *context_of(const SecHandle *handle)
{
    return (struct splsa_context *)handle->dwUpper;
}

static SECURITY_STATUS missing(const struct foreign_package *package, const char *call)
{
    return cause_set(SEC_E_UNSUPPORTED_FUNCTION, "package %s has no %s for this", package->name, call);
}

/* Called in the authority, which answered: its code as SSPI's. */
static SECURITY_STATUS lsa_answered(const struct foreign_package *package, const char *call, NTSTATUS status)
{
    splsa_call_leave();
    return splsa_status(package, call, status);
}

/* Calls a function of either part and gives its answer as SSPI's code; where the package lacks it, says so. A table is of ntsecpkg.h's layout
 * whatever version its module speaks: modules are compiled with that header, and a version older than a member is no reason not to look at it. The
 * part in the application has mapped contexts only. */
#define LSA_CALL(package, member, ...)    \
    ((package)->lsa->member == NULL       \
         ? missing(package, "Sp" #member) \
         : (splsa_call_enter(), lsa_answered(package, "Sp" #member, (package)->lsa->member(__VA_ARGS__))))
#define USER_CALL(context, member, ...)                             \
    (!(context)->mapped || (context)->package->user->member == NULL \
         ? missing((context)->package, "Sp" #member)                \
         : splsa_status((context)->package, "Sp" #member,           \
                        (context)->package->user->member((context)->handle, __VA_ARGS__)))

/* Borrows the text. */
static bool string_of(SEC_WCHAR *text, UNICODE_STRING *string)
{
    size_t n_units = text != NULL ? utf16_units(text) : 0;
    require(n_units < UINT16_MAX / 2, false);
    *string = (UNICODE_STRING){(USHORT)(2 * n_units), (USHORT)(text != NULL ? 2 * n_units + 2 : 0), text};
    return true;
}

SECURITY_STATUS splsa_acquire(const struct foreign_package *package, SEC_WCHAR *principal, ULONG use, void *auth_data,
                              PCredHandle handle, PTimeStamp expiry)
{
    UNICODE_STRING name;
    LUID logon = splsa_logon_id();
    LSA_SEC_HANDLE own = 0;
    require(string_of(principal, &name),
            cause_set(SEC_E_UNKNOWN_CREDENTIALS, "a principal of more than 32766 characters"));
    try(LSA_CALL(package, AcquireCredentialsHandle, principal != NULL ? &name : NULL, use, &logon, auth_data, NULL,
                 NULL, &own, expiry));
    *handle = (CredHandle){own, (ULONG_PTR)package};
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY credential_free(PCredHandle credential)
{
    return LSA_CALL(package_of(credential), FreeCredentialsHandle, credential->dwLower);
}

static SECURITY_STATUS SEC_ENTRY credential_query(PCredHandle credential, ULONG attribute, PVOID buffer)
{
    return LSA_CALL(package_of(credential), QueryCredentialsAttributes, credential->dwLower, attribute, buffer);
}

static SECURITY_STATUS SEC_ENTRY credential_set(PCredHandle credential, ULONG attribute, PVOID buffer, ULONG len)
{
    return LSA_CALL(package_of(credential), SetCredentialsAttributes, credential->dwLower, attribute, buffer, len);
}

/* What a step of the part in the authority answers, besides tokens and attributes. */
struct step {
    struct splsa_context *context;
    LSA_SEC_HANDLE handle;
    BOOLEAN mapped;
    SecBuffer data; /* for the part in the application */
};

/* The context is made before the call, so that nothing of the package's has to be undone for want of memory. */
static bool step_begin(struct step *step, const struct foreign_package *package, PCtxtHandle old)
{
    *step = (struct step){.context = old != NULL ? context_of(old) : mem_zalloc(sizeof *step->context)};
    require(step->context != NULL, false);
    step->context->package = package;
    step->handle = step->context->handle;
    splsa_call_enter();
    return true;
}

/* What the package packed, from the authority's heap: it is ours now, unless the part in the application took it. */
struct packed {
    void *block;
    size_t len;
    const SecBuffer *data;
};

static void packed_release(struct packed *packed)
{
    if (packed->block == NULL || packed->data->pvBuffer != packed->block)
        return;
    secret_wipe(packed->block, packed->len);
    splsa_heap_free(packed->block);
}

/* Of a step that fails here though the package went on: nobody takes it. A buffer that cannot be is not touched. */
static void data_drop(const SecBuffer *data)
{
    struct packed packed = {data->pvBuffer, data->cbBuffer, data};
    if (data->cbBuffer <= FOREIGN_TOKEN_MAX)
        packed_release(&packed);
}

static SECURITY_STATUS context_map(struct splsa_context *context, SecBuffer *data)
{
    const struct foreign_package *package = context->package;
    const SECPKG_USER_FUNCTION_TABLE *user = package->user;
    /* A buffer that cannot be is not touched. */
    require(data->cbBuffer <= FOREIGN_TOKEN_MAX && (data->pvBuffer != NULL || data->cbBuffer == 0),
            cause_set(SEC_E_INTERNAL_ERROR, "package %s maps a context of %u bytes; 0 to 1048576 can be", package->name,
                      (unsigned)data->cbBuffer));
    __attribute__((cleanup(packed_release), unused)) struct packed packed = {data->pvBuffer, data->cbBuffer, data};
    require(
        user != NULL && user->InitUserModeContext != NULL,
        cause_set(SEC_E_INTERNAL_ERROR, "package %s maps a context, and has no SpInitUserModeContext", package->name));
    try(splsa_status(package, "SpInitUserModeContext", user->InitUserModeContext(context->handle, data)));
    context->mapped = true;
    return SEC_E_OK;
}

static void lsa_delete(const struct foreign_package *package, LSA_SEC_HANDLE handle)
{
    splsa_call_enter();
    (void)package->lsa->DeleteContext(handle);
    splsa_call_leave();
}

static SECURITY_STATUS step_end(struct step *step, const char *call, bool first, NTSTATUS nt, PCtxtHandle handle,
                                ULONG *attributes)
{
    struct splsa_context *context = step->context;
    const struct foreign_package *package = context->package;
    splsa_call_leave();
    SECURITY_STATUS status = splsa_status(package, call, nt), mapped = SEC_E_OK;
    bool made = nt >= 0 && step->handle != 0; /* also where its answer is none of this function's */
    if (status >= 0 && !made)
        status = cause_set(SEC_E_INTERNAL_ERROR, "%s of package %s gave no context", call, package->name);
    if (made) {
        context->handle = step->handle;
        if (step->mapped && status >= 0)
            mapped = context_map(context, &step->data);
        else if (step->mapped)
            data_drop(&step->data);
    }
    if (mapped != SEC_E_OK)
        status = mapped;
    if (status < 0 && nt >= 0)
        *attributes = 0; /* those of a step that went on: nothing in them speaks of a failure */
    if (status >= 0)
        *handle = (CtxtHandle){context->handle, (ULONG_PTR)context};
    else if (first) {
        if (made)
            lsa_delete(package, context->handle);
        mem_free(context);
    }
    return status;
}

static SECURITY_STATUS SEC_ENTRY context_initiate(PCredHandle credential, PCtxtHandle old, SEC_WCHAR *target,
                                                  ULONG flags, ULONG reserved1, ULONG drep, PSecBufferDesc input,
                                                  ULONG reserved2, PCtxtHandle context, PSecBufferDesc output,
                                                  ULONG *attributes, PTimeStamp expiry)
{
    const struct foreign_package *package = package_of(credential);
    SecBufferDesc none = {.ulVersion = SECBUFFER_VERSION};
    UNICODE_STRING name;
    struct step step;
    bool first = old == NULL;
    (void)reserved1, (void)reserved2;
    require(package->lsa->InitLsaModeContext != NULL, missing(package, "SpInitLsaModeContext"));
    require(string_of(target, &name), cause_set(SEC_E_TARGET_UNKNOWN, "a target of more than 32766 characters"));
    require(step_begin(&step, package, old), SEC_E_INSUFFICIENT_MEMORY);
    NTSTATUS status = package->lsa->InitLsaModeContext(credential->dwLower, step.handle, target != NULL ? &name : NULL,
                                                       flags, drep, input != NULL ? input : &none, &step.handle, output,
                                                       attributes, expiry, &step.mapped, &step.data);
    return step_end(&step, "SpInitLsaModeContext", first, status, context, attributes);
}

static SECURITY_STATUS SEC_ENTRY context_accept(PCredHandle credential, PCtxtHandle old, PSecBufferDesc input,
                                                ULONG flags, ULONG drep, PCtxtHandle context, PSecBufferDesc output,
                                                ULONG *attributes, PTimeStamp expiry)
{
    const struct foreign_package *package = package_of(credential);
    struct step step;
    bool first = old == NULL;
    require(package->lsa->AcceptLsaModeContext != NULL, missing(package, "SpAcceptLsaModeContext"));
    require(step_begin(&step, package, old), SEC_E_INSUFFICIENT_MEMORY);
    NTSTATUS status =
        package->lsa->AcceptLsaModeContext(credential->dwLower, step.handle, input, flags, drep, &step.handle, output,
                                           attributes, expiry, &step.mapped, &step.data);
    return step_end(&step, "SpAcceptLsaModeContext", first, status, context, attributes);
}

static SECURITY_STATUS SEC_ENTRY context_delete(PCtxtHandle handle)
{
    struct splsa_context *context = context_of(handle);
    const SECPKG_USER_FUNCTION_TABLE *user = context->package->user;
    if (context->mapped && user->DeleteUserModeContext != NULL)
        (void)user->DeleteUserModeContext(context->handle);
    lsa_delete(context->package, context->handle);
    mem_free(context);
    return SEC_E_OK;
}

/* The part in the application answers for a context that it has, but for what SpGetExtendedInformation named. */
static SECURITY_STATUS SEC_ENTRY context_query(PCtxtHandle handle, ULONG attribute, void *buffer)
{
    const struct splsa_context *context = context_of(handle);
    const struct foreign_package *package = context->package;
    bool in_lsa = !context->mapped || package->user->QueryContextAttributes == NULL;
    for (unsigned i = 0; i < package->n_thunks; i++)
        in_lsa |= package->thunk[i] == attribute || package->thunk[i] == SECPKG_ATTR_THUNK_ALL;
    if (!in_lsa)
        return USER_CALL(context, QueryContextAttributes, attribute, buffer);
    return LSA_CALL(package, QueryContextAttributes, context->handle, attribute, buffer);
}

static SECURITY_STATUS SEC_ENTRY context_control(PCtxtHandle handle, PSecBufferDesc token)
{
    const struct splsa_context *context = context_of(handle);
    return LSA_CALL(context->package, ApplyControlToken, context->handle, token);
}

static SECURITY_STATUS SEC_ENTRY context_set(PCtxtHandle handle, ULONG attribute, PVOID buffer, ULONG len)
{
    const struct splsa_context *context = context_of(handle);
    return LSA_CALL(context->package, SetContextAttributes, context->handle, attribute, buffer, len);
}

static SECURITY_STATUS SEC_ENTRY context_complete(PCtxtHandle handle, PSecBufferDesc token)
{
    return USER_CALL(context_of(handle), CompleteAuthToken, token);
}

/* Messages are the application's part's. */

static SECURITY_STATUS SEC_ENTRY message_sign(PCtxtHandle handle, ULONG qop, PSecBufferDesc message, ULONG seq)
{
    return USER_CALL(context_of(handle), MakeSignature, qop, message, seq);
}

static SECURITY_STATUS SEC_ENTRY message_verify(PCtxtHandle handle, PSecBufferDesc message, ULONG seq, PULONG qop)
{
    return USER_CALL(context_of(handle), VerifySignature, message, seq, qop);
}

static SECURITY_STATUS SEC_ENTRY message_seal(PCtxtHandle handle, ULONG qop, PSecBufferDesc message, ULONG seq)
{
    return USER_CALL(context_of(handle), SealMessage, qop, message, seq);
}

static SECURITY_STATUS SEC_ENTRY message_unseal(PCtxtHandle handle, PSecBufferDesc message, ULONG seq, PULONG qop)
{
    return USER_CALL(context_of(handle), UnsealMessage, message, seq, qop);
}

static SECURITY_STATUS SEC_ENTRY buffer_free(PVOID buffer)
{
    splsa_heap_free(buffer);
    return SEC_E_OK;
}

const SecurityFunctionTableW splsa_table = {
    .dwVersion = SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_3,
    .QueryCredentialsAttributesW = credential_query,
    .FreeCredentialsHandle = credential_free,
    .InitializeSecurityContextW = context_initiate,
    .AcceptSecurityContext = context_accept,
    .CompleteAuthToken = context_complete,
    .DeleteSecurityContext = context_delete,
    .ApplyControlToken = context_control,
    .QueryContextAttributesW = context_query,
    .MakeSignature = message_sign,
    .VerifySignature = message_verify,
    .FreeContextBuffer = buffer_free,
    .EncryptMessage = message_seal,
    .DecryptMessage = message_unseal,
    .SetContextAttributesW = context_set,
    .SetCredentialsAttributesW = credential_set,
};
