#include "ntlm/handshake.h"

#include "base/memory.h"
#include "core/bindings.h"
#include "core/cause.h"
#include "ntlm/session.h"

struct ntlm_handshake *ntlm_handshake_new(struct ntlm_credential *credential, const struct step_in *in,
                                          enum ntlm_state state)
{
    struct ntlm_handshake *handshake = secret_block_alloc(sizeof *handshake);
    require(handshake != NULL, NULL);
    handshake->credential = credential;
    handshake->state = state;
    handshake->asked = in->flags;
    if (in->target != NULL && (handshake->target = mem_strdup(in->target)) == NULL) {
        ntlm_handshake_free(handshake);
        return NULL;
    }
    return handshake;
}

void ntlm_handshake_free(void *handshake)
{
    struct ntlm_handshake *freed = handshake;
    mem_free(freed->target);
    secret_release(&freed->negotiate);
    secret_release(&freed->challenge);
    if (freed->has_prompted)
        ntlm_login_release(&freed->prompted);
    secret_block_free(freed, sizeof *freed);
}

SECURITY_STATUS ntlm_query_handshake(const void *handshake, uint32_t attribute, struct attribute *value)
{
    const struct ntlm_handshake *asked = handshake;
    if (attribute == SECPKG_ATTR_TARGET_INFORMATION) {
        require(asked->server_pairs.len > 0,
                cause_set(SEC_E_UNSUPPORTED_FUNCTION, "no target information has come yet"));
        value->bytes = asked->server_pairs;
        return SEC_E_OK;
    }
    if (attribute == SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS && asked->state == NTLM_CLIENT_CHALLENGE) {
        value->number = SecPkgAttrLastClientTokenNo; /* AUTHENTICATE follows */
        return SEC_E_OK;
    }
    return ntlm_attribute(asked->offered, attribute, value);
}

SECURITY_STATUS ntlm_handshake_step(ntlm_step *const *steps, size_t n_steps, enum ntlm_state first_state,
                                    void *credential, void **handshake, const struct step_in *in, struct step_out *out)
{
    struct ntlm_handshake *now = *handshake;
    bool first = now == NULL;
    if (first)
        now = ntlm_handshake_new(credential, in, first_state);
    require(now != NULL, SEC_E_INSUFFICIENT_MEMORY);
    SECURITY_STATUS status = bindings_take(in->bindings, now->bindings, &now->has_bindings);
    if (status == SEC_E_OK) {
        bool legal = now->state < n_steps && steps[now->state] != NULL;
        status =
            legal ? steps[now->state](now, in, out) : cause_set(SEC_E_OUT_OF_SEQUENCE, "this NTLM handshake has ended");
    }
    if (status < 0) /* NTLM has no error messages: what was written before the failure stays here */
        writer_release(&out->token);
    bool over = status == SEC_E_OK && now->state == NTLM_DONE;
    if (over || (first && status < 0)) {
        ntlm_handshake_free(now);
        now = NULL;
    }
    *handshake = now;
    return status;
}
