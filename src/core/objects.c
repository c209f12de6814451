#include "core/objects.h"

#include "base/memory.h"
#include "core/handle.h"

struct credential *credential_new(const struct package *package, const struct config *config, uint32_t use)
{
    struct credential *credential = mem_zalloc(sizeof *credential);
    require(credential != NULL, NULL);
    atomic_init(&credential->n_references, 1);
    credential->package = package;
    credential->authority = package->authority;
    credential->config = config_retain(config);
    credential->use = use;
    return credential;
}

SECURITY_STATUS credential_give(SECURITY_STATUS status, struct credential *filled, struct credential **credential)
{
    if (status == SEC_E_OK)
        *credential = filled;
    else
        credential_put(filled);
    return status;
}

SECURITY_STATUS credential_acquire(const struct package *package, const struct acquire_request *request,
                                   struct credential **credential)
{
    require(package->authority->acquire != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    struct credential *acquired = credential_new(package, request->config, request->use);
    require(acquired != NULL, SEC_E_INSUFFICIENT_MEMORY);
    struct acquire_request meant = *request;
    meant.package = package;
    SECURITY_STATUS status = package->authority->acquire(&meant, &acquired->own, &acquired->expiry);
    return credential_give(status, acquired, credential);
}

static credential_acquirer *chooses = credential_acquire;

void credential_chosen_by(credential_acquirer *who)
{
    chooses = who;
}

SECURITY_STATUS credential_acquire_chosen(const struct package *package, const struct acquire_request *request,
                                          struct credential **credential)
{
    return chooses(package, request, credential);
}

struct credential *credential_retain(struct credential *credential)
{
    atomic_fetch_add_explicit(&credential->n_references, 1, memory_order_relaxed);
    return credential;
}

void credential_put(struct credential *credential)
{
    if (credential == NULL || atomic_fetch_sub_explicit(&credential->n_references, 1, memory_order_acq_rel) != 1)
        return;
    if (credential->own != NULL)
        credential->authority->release(credential->own);
    config_release(credential->config);
    mem_free(credential);
}

void *credential_part(const struct credential *credential, const struct package *package)
{
    if (credential->package == package)
        return credential->own;
    const struct package_authority *table = credential->package->authority;
    return table->part != NULL ? table->part(credential->own, package) : NULL;
}

struct context *context_new(const struct package *package, bool initiator)
{
    struct context *context = mem_zalloc(sizeof *context);
    require(context != NULL, NULL);
    context->package = package;
    context->initiator = initiator;
    pthread_mutex_init(&context->handshake_lock, NULL);
    pthread_mutex_init(&context->send_lock, NULL);
    pthread_mutex_init(&context->receive_lock, NULL);
    return context;
}

void context_credential_drop(struct context *context)
{
    struct credential *credential = STEAL(context->credential);
    if (context->credential_ref.slot != NULL)
        handle_put(&context->credential_ref);
    else
        credential_put(credential);
}

void context_credential_set(struct context *context, struct handle_ref *ref)
{
    context_credential_drop(context);
    context->credential = ref->object;
    context->credential_ref = *ref;
    *ref = (struct handle_ref){0};
}

void context_session_set(struct context *context, struct session *session)
{
    pthread_mutex_lock(&context->send_lock);
    pthread_mutex_lock(&context->receive_lock);
    struct session *old = context->session;
    context->session = session;
    pthread_mutex_unlock(&context->receive_lock);
    pthread_mutex_unlock(&context->send_lock);
    session_close(old);
}

void context_free(void *object)
{
    struct context *context = object;
    if (context->handshake != NULL)
        context->credential->authority->abandon(context->handshake); /* a handshake has its credential */
    (void)handle_delete(&context->token, HANDLE_TOKEN);
    (void)handle_delete(&context->token_shown, HANDLE_TOKEN);
    session_close(context->session);
    if (context->sasl != NULL)
        context->sasl_free(context->sasl);
    context_credential_drop(context);
    credential_put(context->service);
    pthread_mutex_destroy(&context->handshake_lock);
    pthread_mutex_destroy(&context->send_lock);
    pthread_mutex_destroy(&context->receive_lock);
    mem_free(context->target);
    mem_free(context);
}
