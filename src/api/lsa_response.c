#include "api/lsa.h"

#include "base/memory.h"
#include "base/utf16.h"
#include "core/block.h"
#include "core/cause.h"
#include "core/identity.h"
#include "core/session.h"
#include <string.h>

/* MSV1_0_LM20_LOGON: the response of a client whom the calling server challenged itself. */

#define RESPONSE_MAX 16384 /* bytes; an NTLMv2 response has some hundreds */

/* What would be another logon than this one. */
#define CONTROL_REFUSED                                                                               \
    (MSV1_0_SUBAUTHENTICATION_DLL | MSV1_0_SUBAUTHENTICATION_DLL_EX | MSV1_0_TRY_GUEST_ACCOUNT_ONLY | \
     MSV1_0_CLEARTEXT_PASSWORD_SUPPLIED | MSV1_0_ALLOW_MSVCHAPV2 | MSV1_0_S4U2SELF | MSV1_0_INTERNET_DOMAIN)

NTSTATUS lsa_response_read(const void *information, size_t len, struct identity *identity)
{
    MSV1_0_LM20_LOGON logon;
    AUTO_FREE char *workstation = NULL;
    struct identity_response response = {.challenge = logon.ChallengeToClient};
    require(len >= sizeof logon, STATUS_INVALID_PARAMETER);
    memcpy(&logon, information, sizeof logon);
    try(lsa_text_read(&logon.UserName, information, len, &identity->user));
    try(lsa_text_read(&logon.LogonDomainName, information, len, &identity->domain));
    try(lsa_text_read(&logon.Workstation, information, len, &workstation));
    try(lsa_bytes_read(&logon.CaseSensitiveChallengeResponse, information, len, &response.nt));
    try(lsa_bytes_read(&logon.CaseInsensitiveChallengeResponse, information, len, &response.lm));
    require((logon.ParameterControl & CONTROL_REFUSED) == 0, STATUS_NOT_SUPPORTED);
    require(response.nt.len <= RESPONSE_MAX && response.lm.len <= RESPONSE_MAX, STATUS_INVALID_PARAMETER);
    response.client_challenge = (logon.ParameterControl & MSV1_0_USE_CLIENT_CHALLENGE) != 0;
    response.workstation = workstation;
    AUTO_WRITER struct writer proof = writer_growing(response.nt.len + response.lm.len + 64);
    identity_response_write(&proof, &response);
    identity->proof_kind = IDENTITY_RESPONSE;
    return writer_finish(&proof) == WIRE_OK && secret_set(&identity->proof, proof.data, proof.len) ? STATUS_SUCCESS
                                                                                                   : STATUS_NO_MEMORY;
}

SECURITY_STATUS lsa_response_profile(struct slice record, void **profile, size_t *len)
{
    struct session *session = NULL;
    try(session_open(record, &session));
    const struct session_facts *facts = &session->facts;
    const char *domain = facts->authority != NULL ? facts->authority : "";
    const char *server = facts->server != NULL ? facts->server : "";
    size_t size = sizeof(MSV1_0_LM20_LOGON_PROFILE) + utf16le_len(domain) + utf16le_len(server) + 4;
    MSV1_0_LM20_LOGON_PROFILE *block = block_alloc_secret(size);
    SECURITY_STATUS status = block != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    if (status == SEC_E_OK) {
        uint16_t *at = (uint16_t *)(block + 1);
        block->MessageType = MsV1_0Lm20LogonProfile;
        block->KickOffTime.QuadPart = block->LogoffTime.QuadPart = facts->logoff;
        block->UserFlags = facts->user_flags;
        if (facts->session_key.len == sizeof block->UserSessionKey)
            memcpy(block->UserSessionKey, facts->session_key.data, sizeof block->UserSessionKey);
        if (!lsa_string_put(&block->LogonDomainName, domain, &at) ||
            !lsa_string_put(&block->LogonServer, server, &at)) {
            (void)block_free(block);
            status = SEC_E_INSUFFICIENT_MEMORY;
        }
    }
    session_close(session);
    require(status == SEC_E_OK, status);
    *profile = block;
    *len = size;
    return SEC_E_OK;
}
