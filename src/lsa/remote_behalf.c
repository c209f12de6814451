#include "base/memory.h"
#include "lsa/local.h"
#include "lsa/remote.h"
#include "lsa/remote_credential.h"

/* Credentials made of other ones: to act for somebody else, or wrapped by a package that chooses. */

/* A credential that another request than LSA_ACQUIRE gives. *lost, where there is one: the daemon was started anew. */
static SECURITY_STATUS behalf_ask(struct writer *request, enum lsa_operation operation, uint64_t life,
                                  struct credential **credential, bool *lost)
{
    AUTO_REPLY struct lsa_reply reply = {0};
    struct remote_credential *own = (*credential)->own;
    enum lsa_result result =
        lsa_ask(own->daemon, request, operation, own->config->lsa_seconds, life, &reply, &own->life);
    if (lost != NULL)
        *lost = result == LSA_LOST;
    SECURITY_STATUS status = result == LSA_ANSWERED ? reply.status : lsa_result_status(result);
    if (status != SEC_E_OK) {
        credential_put(STEAL(*credential));
        return status;
    }
    own->id = lsa_number(&reply.message, LSA_CREDENTIAL);
    (*credential)->expiry = (int64_t)lsa_number(&reply.message, LSA_EXPIRY);
    return SEC_E_OK;
}

SECURITY_STATUS remote_acquire_delegated(const struct package *package, const struct acquire_request *request,
                                         struct slice delegated, struct credential *service,
                                         struct credential **credential)
{
    struct credential *acquired = NULL;
    uint64_t id = 0, life = 0;
    struct credential *local =
        service != NULL && remote_is(service) ? remote_credential_now(service->own, &id, &life) : service;
    if (local != NULL)
        return local_authority.acquire_delegated(package, request, delegated, local, credential);
    try(remote_credential_make(package, request, &acquired));
    AUTO_WRITER struct writer asked = lsa_request(LSA_ACQUIRE_DELEGATED);
    lsa_text_write(&asked, LSA_PACKAGE, package->info.name);
    lsa_bytes_write(&asked, LSA_DELEGATED, delegated);
    if (service != NULL)
        lsa_number_write(&asked, LSA_CREDENTIAL, id);
    try(behalf_ask(&asked, LSA_ACQUIRE_DELEGATED, life, &acquired, NULL));
    *credential = acquired;
    return SEC_E_OK;
}

SECURITY_STATUS remote_acquire_s4u(const struct acquire_request *request, const char *user, struct credential *service,
                                   struct credential **credential)
{
    struct remote_credential *own = service->own;
    for (int attempt = 0;; attempt++) {
        struct credential *acquired = NULL;
        AUTO_WRITER struct writer asked = lsa_request(LSA_ACQUIRE_S4U);
        uint64_t id, life;
        bool lost;
        struct credential *local = remote_credential_now(own, &id, &life);
        if (local != NULL)
            return local_authority.acquire_s4u(request, user, local, credential);
        try(remote_credential_make(service->package, request, &acquired));
        lsa_number_write(&asked, LSA_CREDENTIAL, id);
        lsa_text_write(&asked, LSA_USER, user);
        SECURITY_STATUS status = behalf_ask(&asked, LSA_ACQUIRE_S4U, life, &acquired, &lost);
        if (lost && attempt == 0 && remote_credential_renew(own, life) == SEC_E_OK)
            continue;
        require(status == SEC_E_OK, status);
        *credential = acquired;
        return SEC_E_OK;
    }
}

SECURITY_STATUS remote_wrap(const struct package *package, const struct acquire_request *request,
                            struct credential *chosen, struct credential **credential)
{
    struct credential *acquired = NULL;
    uint64_t id, life;
    struct credential *local = remote_credential_now(chosen->own, &id, &life);
    if (local != NULL)
        return local_authority.wrap(package, request, local, credential);
    try(remote_credential_make(package, request, &acquired));
    AUTO_WRITER struct writer asked = lsa_request(LSA_WRAP);
    lsa_text_write(&asked, LSA_PACKAGE, package->info.name);
    lsa_number_write(&asked, LSA_USE, request->use);
    lsa_number_write(&asked, LSA_CREDENTIAL, id);
    lsa_text_write(&asked, LSA_PACKAGES, request->identity != NULL ? request->identity->packages : NULL);
    try(behalf_ask(&asked, LSA_WRAP, life, &acquired, NULL));
    *credential = acquired;
    return SEC_E_OK;
}
