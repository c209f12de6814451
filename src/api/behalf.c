#include "api/api.h"

#include "access/impersonation.h"
#include "base/memory.h"
#include "core/cause.h"
#include "core/objects.h"
#include "core/trace.h"
#include "lsa/authority.h"
#include <sspi_ext.h>

/* Credentials to act for somebody else with (sspi_ext.h). */

/* What the context's session keeps of its client, copied: the session may go while a KDC is asked. `package` is the one that understands it. */
static SECURITY_STATUS delegated_copy(struct context *context, struct secret *delegated, const struct package **package)
{
    SECURITY_STATUS status = SEC_E_OK;
    pthread_mutex_lock(&context->handshake_lock);
    const struct session *session = context->session;
    if (session == NULL)
        status = cause_set(SEC_E_INVALID_HANDLE, "this %s context is not established", context->package->info.name);
    else if (session->facts.initiator)
        status = cause_set(SEC_E_UNSUPPORTED_FUNCTION, "a client's context has nobody to act for");
    else if (session->facts.delegated.len == 0)
        status = cause_set(SEC_E_NO_CREDENTIALS, "the client has handed nothing over to act for it with");
    else if (!secret_set(delegated, session->facts.delegated.data, session->facts.delegated.len))
        status = SEC_E_INSUFFICIENT_MEMORY;
    else
        *package = session_package(session);
    pthread_mutex_unlock(&context->handshake_lock);
    return status;
}

static SECURITY_STATUS delegated_acquire(struct context *context, struct credential *service, PCredHandle handle,
                                         PTimeStamp expiry)
{
    AS_PROCESS_SCOPE;
    AUTO_SECRET struct secret delegated = {0};
    const struct config *config;
    struct credential *credential = NULL;
    const struct package *package = NULL;
    try(delegated_copy(context, &delegated, &package));
    try(config_get(&config));
    const struct acquire_request request = {.config = config, .use = SECPKG_CRED_OUTBOUND};
    SECURITY_STATUS status =
        cause_answer(authority()->acquire_delegated(package, &request, secret_slice(&delegated), service, &credential));
    config_release(config);
    TRACE("acquire", "%s, to act for the client of a context: 0x%08x", context->package->info.name, (unsigned)status);
    try(status);
    return api_credential_publish(credential, handle, expiry);
}

SECURITY_STATUS SEC_ENTRY OpenSspiAcquireDelegatedCredentials(PCtxtHandle phContext, PCredHandle phService,
                                                              PCredHandle phCredential, PTimeStamp ptsExpiry)
{
    AUTO_HANDLE struct handle_ref context = {0}, service = {0};
    cause_clear();
    require(phCredential != NULL, cause_set(SEC_E_INVALID_HANDLE, "no place for the credential handle was given"));
    try(api_context_get(phContext, &context));
    if (phService != NULL)
        try(api_credential_get(phService, &service));
    return delegated_acquire(context.object, service.object, phCredential, ptsExpiry);
}

static SECURITY_STATUS s4u_acquire(PCredHandle service_handle, const char *user, PCredHandle handle, PTimeStamp expiry)
{
    AS_PROCESS_SCOPE;
    AUTO_HANDLE struct handle_ref service = {0};
    const struct config *config;
    struct credential *credential = NULL;
    require(handle != NULL, cause_set(SEC_E_INVALID_HANDLE, "no place for the credential handle was given"));
    require(user != NULL && *user != '\0', cause_set(SEC_E_INVALID_TOKEN, "no user to act for was named"));
    try(api_credential_get(service_handle, &service));
    try(config_get(&config));
    const struct acquire_request request = {.config = config, .use = SECPKG_CRED_OUTBOUND};
    SECURITY_STATUS status = cause_answer(authority()->acquire_s4u(&request, user, service.object, &credential));
    config_release(config);
    TRACE("acquire", "to act for %s: 0x%08x", user, (unsigned)status);
    try(status);
    return api_credential_publish(credential, handle, expiry);
}

SECURITY_STATUS SEC_ENTRY OpenSspiAcquireS4uCredentialsW(PCredHandle phService, SEC_WCHAR *pszUser,
                                                         PCredHandle phCredential, PTimeStamp ptsExpiry)
{
    AUTO_FREE char *user = NULL;
    cause_clear();
    try(api_text_from_w(pszUser, &user));
    return s4u_acquire(phService, user, phCredential, ptsExpiry);
}

SECURITY_STATUS SEC_ENTRY OpenSspiAcquireS4uCredentialsA(PCredHandle phService, SEC_CHAR *pszUser,
                                                         PCredHandle phCredential, PTimeStamp ptsExpiry)
{
    AUTO_FREE char *user = NULL;
    cause_clear();
    try(api_text_from_a(pszUser, &user));
    return s4u_acquire(phService, user, phCredential, ptsExpiry);
}
