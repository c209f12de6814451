#include "api/api.h"

#include "base/memory.h"
#include "core/block.h"
#include "core/cause.h"
#include "core/handle.h"
#include "core/objects.h"
#include "core/trace.h"
#include <credssp.h>
#include <string.h>

/* Export and import: the session record, handed out and taken in. */

/* Does the session, or the one that it stands for, live in this process only? */
static bool session_is_bound(const struct session *session)
{
    struct attribute value = {0};
    const struct package *package = session->package;
    if (package->info.chooses && session_query(session, SECPKG_ATTR_NEGOTIATION_PACKAGE, &value) == SEC_E_OK)
        package = value.choice.package;
    return package->info.process_bound;
}

static SECURITY_STATUS record_write(const struct context *context, ULONG flags, struct writer *record)
{
    const struct package_session *table = context->session->package->session;
    require(!session_is_bound(context->session),
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "a context of a module's package lives in its process only"));
    if ((flags & SECPKG_CONTEXT_EXPORT_RESET_NEW) != 0) {
        /* The copy begins anew, the original goes on: reset a twin that is opened from the record. */
        AUTO_WRITER struct writer now = writer_growing(2048);
        struct session *twin = NULL;
        require(table->reset != NULL, SEC_E_UNSUPPORTED_FUNCTION);
        try(session_save(context->session, &now));
        try(session_open(writer_slice_of(&now), &twin));
        SECURITY_STATUS status = table->reset(twin->state);
        if (status == SEC_E_OK)
            status = session_save(twin, record);
        session_close(twin);
        return status;
    }
    return session_save(context->session, record);
}

/* Under all locks of the context. With DELETE_OLD its session ends in the same moment, once nothing can fail: two threads that export, or one
 * that encrypts meanwhile, would else use one key stream twice. */
static SECURITY_STATUS export_locked(struct context *context, ULONG flags, SecBuffer *packed, struct session **ended)
{
    AUTO_WRITER struct writer record = writer_growing(2048);
    require(context->session != NULL, cause_set(SEC_E_INVALID_HANDLE, "only an established context can be exported"));
    try(cause_answer(record_write(context, flags, &record)));
    void *block = block_alloc_secret(record.len); /* session keys are in it */
    require(block != NULL, SEC_E_INSUFFICIENT_MEMORY);
    memcpy(block, record.data, record.len);
    *packed = (SecBuffer){.cbBuffer = (ULONG)record.len, .BufferType = SECBUFFER_TOKEN, .pvBuffer = block};
    if ((flags & SECPKG_CONTEXT_EXPORT_DELETE_OLD) != 0) {
        *ended = STEAL(context->session);
        context->state = CONTEXT_FAILED;
    }
    return SEC_E_OK;
}

SECURITY_STATUS SEC_ENTRY ExportSecurityContext(PCtxtHandle phContext, ULONG fFlags, PSecBuffer pPackedContext,
                                                PVOID *pToken)
{
    AUTO_HANDLE struct handle_ref ref = {0};
    struct session *ended = NULL;
    cause_clear();
    try(api_context_get(phContext, &ref));
    require(pPackedContext != NULL, cause_set(SEC_E_INVALID_TOKEN, "no buffer for the exported context was given"));
    require((fFlags & ~(ULONG)(SECPKG_CONTEXT_EXPORT_RESET_NEW | SECPKG_CONTEXT_EXPORT_DELETE_OLD)) == 0,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "export flags 0x%x", (unsigned)fFlags));
    struct context *context = ref.object;
    require(context->sasl ==
                NULL, /* the record has no place for the layer and its sizes: the copy would not keep them */
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "a context of the SASL functions cannot be exported"));
    pthread_mutex_lock(&context->handshake_lock);
    pthread_mutex_lock(&context->send_lock);
    pthread_mutex_lock(&context->receive_lock);
    SECURITY_STATUS status = export_locked(context, fFlags, pPackedContext, &ended);
    pthread_mutex_unlock(&context->receive_lock);
    pthread_mutex_unlock(&context->send_lock);
    pthread_mutex_unlock(&context->handshake_lock);
    try(status);
    session_close(ended);
    if (pToken != NULL)
        *pToken = NULL; /* the access token travels inside */
    TRACE("export", "%s, %u bytes, flags 0x%x", context->package->info.name, (unsigned)pPackedContext->cbBuffer,
          (unsigned)fFlags);
    /* Who finds the handle gone had it deleted by another thread in between: what matters, the session, has left once either way. */
    if ((fFlags & SECPKG_CONTEXT_EXPORT_DELETE_OLD) != 0)
        (void)handle_delete(phContext, HANDLE_CONTEXT);
    return SEC_E_OK;
}

static SECURITY_STATUS import(const char *package_name, const SecBuffer *packed, PCtxtHandle handle)
{
    const struct package *package;
    struct session *session = NULL;
    try(api_package_find(package_name, &package));
    require(packed != NULL && packed->pvBuffer != NULL && handle != NULL,
            cause_set(SEC_E_INVALID_TOKEN, "no exported context, or no place for the handle, was given"));
    try(cause_answer(session_open(slice_of(packed->pvBuffer, packed->cbBuffer), &session)));
    SECURITY_STATUS status = SEC_E_OK;
    struct context *context = NULL;
    if (session->package != package)
        status = cause_set(SEC_E_INVALID_TOKEN, "the exported context is of %s, not of %s", session->package->info.name,
                           package->info.name);
    else if ((context = context_new(package, session->facts.initiator)) == NULL)
        status = SEC_E_INSUFFICIENT_MEMORY;
    if (status != SEC_E_OK) {
        session_close(session);
        return status;
    }
    context->session = session;
    context->state = CONTEXT_ESTABLISHED;
    context->granted = session->facts.flags;
    context->expiry = session->facts.expiry;
    status = handle_create(HANDLE_CONTEXT, context, context_free, handle);
    if (status != SEC_E_OK)
        context_free(context);
    return status;
}

SECURITY_STATUS SEC_ENTRY ImportSecurityContextW(LPWSTR pszPackage, PSecBuffer pPackedContext, PVOID Token,
                                                 PCtxtHandle phContext)
{
    AUTO_FREE char *package = NULL;
    (void)Token;
    cause_clear();
    try(api_package_from_w(pszPackage, &package));
    return import(package, pPackedContext, phContext);
}

SECURITY_STATUS SEC_ENTRY ImportSecurityContextA(LPSTR pszPackage, PSecBuffer pPackedContext, PVOID Token,
                                                 PCtxtHandle phContext)
{
    (void)Token;
    cause_clear();
    return import(pszPackage, pPackedContext, phContext);
}
