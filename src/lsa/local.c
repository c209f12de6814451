#include "lsa/local.h"

#include "core/cause.h"
#include "lsa/logon.h"

/* The embedded authority: the packages' own tables, in this process. */

SECURITY_STATUS local_step(struct context *context, const struct step_in *in, struct step_out *out)
{
    const struct package_authority *table = context->credential->authority;
    SECURITY_STATUS(*step)
    (void *, void **, const struct step_in *, struct step_out *) = context->initiator ? table->initiate : table->accept;
    require(step != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    return step(context->credential->own, &context->handshake, in, out);
}

SECURITY_STATUS local_complete(struct context *context, struct slice_mut token, struct step_out *out)
{
    require(context->handshake != NULL && context->credential->authority->complete != NULL,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "%s has no tokens to complete", context->package->info.name));
    return context->credential->authority->complete(context->handshake, token, out);
}

SECURITY_STATUS local_control(struct context *context, struct slice token)
{
    /* A context whose handshake has ended has no credential either: what its package can do is told by the package's own table. */
    const struct package_authority *table =
        context->credential != NULL ? context->credential->authority : context->package->authority;
    require(table->control != NULL,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "%s has no control tokens", context->package->info.name));
    require(context->handshake != NULL,
            cause_set(SEC_E_OUT_OF_SEQUENCE, "this context's handshake failed, there is nothing to control"));
    return table->control(context->handshake, token);
}

SECURITY_STATUS local_set_context(struct context *context, uint32_t attribute, const void *value, size_t len)
{
    require(context->handshake != NULL && context->credential->authority->set_handshake != NULL,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "%s contexts let no attribute %u be set", context->package->info.name,
                      (unsigned)attribute));
    return context->credential->authority->set_handshake(context->handshake, attribute, value, len);
}

SECURITY_STATUS local_query_credential(const struct credential *credential, uint32_t attribute, struct attribute *value)
{
    require(credential->authority->query_credential != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    return credential->authority->query_credential(credential->own, attribute, value);
}

SECURITY_STATUS local_set_credential(struct credential *credential, uint32_t attribute, const void *value, size_t len)
{
    require(credential->authority->set_credential != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    return credential->authority->set_credential(credential->own, attribute, value, len);
}

static SECURITY_STATUS local_change_password(const struct package *package, const struct password_change *change)
{
    require(package->authority->change_password != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    return package->authority->change_password(change);
}

static SECURITY_STATUS local_acquire_delegated(const struct package *package, const struct acquire_request *request,
                                               struct slice delegated, struct credential *service,
                                               struct credential **credential)
{
    require(package->authority->acquire_delegated != NULL,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "%s delegates nothing", package->info.name));
    void *part = service != NULL ? credential_part(service, package) : NULL;
    require(service == NULL || part != NULL,
            cause_set(SEC_E_UNKNOWN_CREDENTIALS, "the service's credential is one of %s, the context of %s",
                      service->package->info.name, package->info.name));
    struct credential *acquired = credential_new(package, request->config, request->use);
    require(acquired != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status =
        package->authority->acquire_delegated(request, delegated, part, &acquired->own, &acquired->expiry);
    return credential_give(status, acquired, credential);
}

static SECURITY_STATUS local_wrap(const struct package *package, const struct acquire_request *request,
                                  struct credential *chosen, struct credential **credential)
{
    require(package->authority->wrap != NULL,
            cause_set(SEC_E_NO_CREDENTIALS, "there are credentials of %s to act with, none of %s",
                      chosen->package->info.name, package->info.name));
    struct credential *acquired = credential_new(package, request->config, request->use);
    require(acquired != NULL, SEC_E_INSUFFICIENT_MEMORY);
    acquired->expiry = chosen->expiry;
    return credential_give(package->authority->wrap(request, chosen, &acquired->own), acquired, credential);
}

static SECURITY_STATUS local_acquire_s4u(const struct acquire_request *request, const char *user,
                                         struct credential *service, struct credential **credential)
{
    const struct package *package = service->package;
    require(package->authority->acquire_s4u != NULL,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "%s has no credentials for other users", package->info.name));
    require(
        request->config->kerberos_s4u2proxy,
        cause_set(SEC_E_NO_CREDENTIALS, "\"s4u2proxy\" in [kerberos] lets nobody ask for tickets in others' names"));
    struct credential *acquired = credential_new(package, request->config, request->use);
    require(acquired != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status =
        package->authority->acquire_s4u(request, user, service->own, &acquired->own, &acquired->expiry);
    return credential_give(status, acquired, credential);
}

/* NULL where there is nothing. What a client forwards it gives to the level of delegation; S4U2Proxy is the service's own right, which the KDC knows
 * of. */
static SECURITY_STATUS behalf_of_client(const struct session *session, struct credential *service,
                                        const struct config *config, const struct behalf **behalf)
{
    const struct session_facts *facts = &session->facts;
    bool forwarded = (facts->flags & ASC_RET_DELEGATE) != 0;
    *behalf = NULL;
    if (facts->delegated.len == 0 || (!forwarded && (service == NULL || !config->kerberos_s4u2proxy)))
        return SEC_E_OK;
    *behalf = behalf_new(session_package(session), facts->delegated, forwarded ? NULL : service,
                         forwarded ? SecurityDelegation : SecurityImpersonation);
    return *behalf != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

SECURITY_STATUS local_client_token(const struct session *session, struct credential *service,
                                   const struct config *config, const struct token **token)
{
    const struct session_facts *facts = &session->facts;
    AUTO_BEHALF const struct behalf *behalf = NULL;
    require(!facts->initiator,
            cause_set(SEC_E_NO_IMPERSONATION, "this is the client's side of the context: there is no client to be"));
    try(behalf_of_client(session, service, config, &behalf));
    const struct token_request request = {
        .package = session_package(session)->info.name,
        .identity = facts->identity,
        .client = facts->client,
        .authority = facts->authority,
        .expiry = facts->expiry,
        .level = token_level_of_flags(facts->flags),
        .behalf = behalf,
    };
    return token_of_client(&request, config, token);
}

const struct authority local_authority = {
    .acquire = credential_acquire,
    .step = local_step,
    .complete = local_complete,
    .control = local_control,
    .set_context = local_set_context,
    .query_credential = local_query_credential,
    .set_credential = local_set_credential,
    .change_password = local_change_password,
    .acquire_delegated = local_acquire_delegated,
    .wrap = local_wrap,
    .acquire_s4u = local_acquire_s4u,
    .client_token = local_client_token,
    .logon = local_logon,
};
