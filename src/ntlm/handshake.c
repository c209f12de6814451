#include "ntlm/handshake.h"

#include "core/cause.h"
#include "ntlm/session.h"

static SECURITY_STATUS begun(void *handshake, void *credential)
{
    ((struct ntlm_handshake *)handshake)->credential = credential;
    return SEC_E_OK;
}

void ntlm_abandon(void *handshake)
{
    struct ntlm_handshake *freed = handshake;
    secret_release(&freed->negotiate);
    secret_release(&freed->challenge);
    ntlm_login_release(&freed->prompted); /* also what there is of one that failed half way */
    handshake_free(&ntlm_handshake_kind, freed);
}

const struct handshake_kind ntlm_handshake_kind = {"NTLM", sizeof(struct ntlm_handshake), begun, ntlm_abandon, NULL};

SECURITY_STATUS ntlm_query_handshake(const void *handshake, uint32_t attribute, struct attribute *value)
{
    const struct ntlm_handshake *asked = handshake;
    if (attribute == SECPKG_ATTR_TARGET_INFORMATION) {
        require(asked->server_pairs.len > 0,
                cause_set(SEC_E_UNSUPPORTED_FUNCTION, "no target information has come yet"));
        value->bytes = asked->server_pairs;
        return SEC_E_OK;
    }
    if (attribute == SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS && asked->base.state == NTLM_CLIENT_CHALLENGE) {
        value->number = SecPkgAttrLastClientTokenNo; /* AUTHENTICATE follows */
        return SEC_E_OK;
    }
    return ntlm_attribute(asked->offered, attribute, value);
}
