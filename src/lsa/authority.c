#include "lsa/authority.h"

#include "base/memory.h"
#include "core/cause.h"
#include "lsa/local.h"
#include "lsa/logon.h"
#include "lsa/remote.h"
#include "lsa/seal.h"
#include "lsa/sessions.h"
#include <unistd.h>

/* Chooses by the configuration who answers: this process or a daemon. Once there is a credential, its own table says it. */

static bool embedded_only; /* set before there are threads */

void authority_embed(void)
{
    embedded_only = true;
    remote_keys_withdraw();
    remote_questions_withdraw();
}

enum config_lsa authority_mode(const struct config *config)
{
    return embedded_only ? LSA_EMBEDDED : config->lsa_mode;
}

/* Without a daemon logon sessions are the process's own. */
static SECURITY_STATUS local_acquire_session(const struct package *package, const struct acquire_request *request,
                                             struct credential **credential)
{
    bool defaults = (request->use & SECPKG_CRED_OUTBOUND) != 0 && request->auth_data == NULL &&
                    identity_kind(request->identity) == IDENTITY_DEFAULT;
    const struct logon_session *session = defaults ? sessions_default(geteuid()) : NULL;
    if (session == NULL)
        return local_authority.acquire(package, request, credential);
    struct acquire_request lent = *request;
    sessions_lend(session, &lent);
    SECURITY_STATUS status = local_authority.acquire(package, &lent, credential);
    sessions_put(session);
    return status;
}

static SECURITY_STATUS chosen_acquire(const struct package *package, const struct acquire_request *request,
                                      struct credential **credential)
{
    enum config_lsa mode = authority_mode(request->config);
    if (mode != LSA_EMBEDDED && remote_can_acquire(package, request)) {
        bool not_here = false;
        SECURITY_STATUS status = remote_acquire(package, request, credential, &not_here);
        if (mode == LSA_DAEMON || !not_here)
            return status;
        if (status == SEC_E_OK)
            credential_put(STEAL(*credential)); /* nobody's */
        cause_drop();
    }
    return local_acquire_session(package, request, credential);
}

/* CredSSP's Negotiate is walked where everybody's is. */
__attribute__((constructor)) static void choose_for_packages(void)
{
    credential_chosen_by(chosen_acquire);
}

static SECURITY_STATUS chosen_change_password(const struct package *package, const struct password_change *change)
{
    enum config_lsa mode = authority_mode(change->config);
    if (mode != LSA_EMBEDDED) {
        bool not_here = false;
        SECURITY_STATUS status = remote_change_password(package, change, &not_here);
        if (status == SEC_E_OK || mode == LSA_DAEMON || !not_here)
            return status;
        cause_drop();
    }
    return local_authority.change_password(package, change);
}

static SECURITY_STATUS chosen_acquire_delegated(const struct package *package, const struct acquire_request *request,
                                                struct slice delegated, struct credential *service,
                                                struct credential **credential)
{
    bool remote_service = service != NULL && remote_is(service);
    if (authority_mode(request->config) != LSA_EMBEDDED && (remote_service || seal_is(delegated)))
        return remote_acquire_delegated(package, request, delegated, service, credential);
    require(!remote_service && !seal_is(delegated),
            cause_set(SEC_E_NO_CREDENTIALS,
                      "what the client handed over is kept by a security authority that is not asked here"));
    return local_authority.acquire_delegated(package, request, delegated, service, credential);
}

/* Where the chosen one is, there it is wrapped. */
static SECURITY_STATUS chosen_wrap(const struct package *package, const struct acquire_request *request,
                                   struct credential *chosen, struct credential **credential)
{
    return remote_is(chosen) ? remote_wrap(package, request, chosen, credential)
                             : local_authority.wrap(package, request, chosen, credential);
}

static SECURITY_STATUS chosen_acquire_s4u(const struct acquire_request *request, const char *user,
                                          struct credential *service, struct credential **credential)
{
    if (remote_is(service))
        return remote_acquire_s4u(request, user, service, credential);
    return local_authority.acquire_s4u(request, user, service, credential);
}

static SECURITY_STATUS chosen_logon(const struct logon_request *request, const struct token **token)
{
    enum config_lsa mode = authority_mode(request->config);
    if (mode != LSA_EMBEDDED) {
        bool not_here = false;
        AUTO_PROOF struct logon_proof proof = {.keeps = request->keeps};
        SECURITY_STATUS status = remote_prove(request, &proof, &not_here);
        if (status == SEC_E_OK)
            return logon_token(request, &proof, token);
        if (mode == LSA_DAEMON || !not_here)
            return status;
        cause_drop();
    }
    return local_authority.logon(request, token);
}

static const struct authority chosen = {
    .acquire = chosen_acquire,
    .step = local_step,
    .complete = local_complete,
    .control = local_control,
    .set_context = local_set_context,
    .query_credential = local_query_credential,
    .set_credential = local_set_credential,
    .change_password = chosen_change_password,
    .acquire_delegated = chosen_acquire_delegated,
    .wrap = chosen_wrap,
    .acquire_s4u = chosen_acquire_s4u,
    .client_token = local_client_token,
    .logon = chosen_logon,
};

const struct authority *authority(void)
{
    return &chosen;
}
