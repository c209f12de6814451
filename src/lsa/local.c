#include "lsa/logon.h"

#include "core/cause.h"

/* The embedded authority: the packages' own tables, in this process. */

static SECURITY_STATUS local_acquire(const struct package *package, const struct acquire_request *request,
                                     struct credential **credential)
{
    require(package->authority->acquire != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    struct credential *acquired = credential_new(package, request->config, request->use);
    require(acquired != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = package->authority->acquire(request, &acquired->own, &acquired->expiry);
    if (status != SEC_E_OK) {
        credential_put(acquired);
        return status;
    }
    *credential = acquired;
    return SEC_E_OK;
}

static SECURITY_STATUS local_step(struct context *context, const struct step_in *in, struct step_out *out)
{
    const struct package_authority *table = context->package->authority;
    SECURITY_STATUS(*step)
    (void *, void **, const struct step_in *, struct step_out *) = context->initiator ? table->initiate : table->accept;
    require(step != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    return step(context->credential->own, &context->handshake, in, out);
}

static SECURITY_STATUS local_complete(struct context *context, struct slice_mut token)
{
    require(context->package->authority->complete != NULL && context->handshake != NULL,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "%s has no tokens to complete", context->package->info.name));
    return context->package->authority->complete(context->handshake, token);
}

static SECURITY_STATUS local_query_credential(const struct credential *credential, uint32_t attribute,
                                              struct attribute *value)
{
    require(credential->package->authority->query_credential != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    return credential->package->authority->query_credential(credential->own, attribute, value);
}

static SECURITY_STATUS local_set_credential(struct credential *credential, uint32_t attribute, const void *value,
                                            size_t len)
{
    require(credential->package->authority->set_credential != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    return credential->package->authority->set_credential(credential->own, attribute, value, len);
}

static SECURITY_STATUS local_change_password(const struct package *package, const struct password_change *change)
{
    require(package->authority->change_password != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    return package->authority->change_password(change);
}

static SECURITY_STATUS local_client_token(const struct session *session, const struct config *config,
                                          const struct token **token)
{
    const struct session_facts *facts = &session->facts;
    require(!facts->initiator,
            cause_set(SEC_E_NO_IMPERSONATION, "this is the client's side of the context: there is no client to be"));
    const struct token_request request = {
        .package = session->package->info.name,
        .identity = facts->identity,
        .client = facts->client,
        .authority = facts->authority,
        .expiry = facts->expiry,
        .level = token_level_of_flags(facts->flags),
    };
    return token_of_client(&request, config, token);
}

static const struct authority local = {
    .acquire = local_acquire,
    .step = local_step,
    .complete = local_complete,
    .query_credential = local_query_credential,
    .set_credential = local_set_credential,
    .change_password = local_change_password,
    .client_token = local_client_token,
    .logon = local_logon,
};

const struct authority *authority(void)
{
    return &local;
}
