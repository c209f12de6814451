#include "ntlm/handshake.h"

#include "base/memory.h"
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
    return ntlm_attribute(asked->offered, attribute, value);
}
