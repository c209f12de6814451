#include "ntlm/blob.h"

#include "base/time.h"
#include "core/cause.h"
#include "crypto/ntlm_response.h"
#include "ntlm/host.h"

SECURITY_STATUS ntlm_text_take(uint32_t charset, struct slice bytes, const char *what, char **text)
{
    if (ntlm_text_read(charset, bytes, text) == WIRE_OK)
        return SEC_E_OK;
    return ntlm_text_valid(charset, bytes) ? SEC_E_INSUFFICIENT_MEMORY
                                           : cause_set(SEC_E_INVALID_TOKEN, "%s is not valid text", what);
}

SECURITY_STATUS ntlm_blob_read(struct slice nt_response, struct ntlm_blob *blob)
{
    struct ntlm_client_challenge client;
    struct slice behind = slice_of(nt_response.data + NTLM_V2_PROOF_LEN, nt_response.len - NTLM_V2_PROOF_LEN);
    require(ntlm_client_challenge_parse(behind, &client) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "the NTLMv2 response is damaged"));
    require(ntlm_av_parse(client.pairs, &blob->av) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "the client's target information is damaged"));
    blob->pairs = slice_of(client.pairs.data, blob->av.len);
    blob->timestamp = blob->av.timestamp != 0 ? blob->av.timestamp : client.timestamp;
    struct slice target = blob->av.value[NTLM_AV_TARGET_NAME];
    return target.len > 0 ? ntlm_text_take(NTLM_UNICODE, target, "the client's target name", &blob->target) : SEC_E_OK;
}

SECURITY_STATUS ntlm_blob_check_time(const struct config *config, const struct ntlm_blob *blob)
{
    require(blob->timestamp <= INT64_MAX, cause_set(SEC_E_TIME_SKEW, "the client's NTLMv2 timestamp is no time"));
    int64_t age = filetime_now() - (int64_t)blob->timestamp;
    int64_t limit = (int64_t)config->ntlm_clock_skew_seconds * FILETIME_SECOND;
    require(age <= limit && age >= -limit,
            cause_set(SEC_E_TIME_SKEW, "the client's NTLMv2 timestamp is %lld seconds away",
                      (long long)(age / FILETIME_SECOND)));
    return SEC_E_OK;
}

SECURITY_STATUS ntlm_check_service(const struct config *config, const char *target)
{
    bool always = config->ntlm_service_binding == WHEN_ALWAYS;
    if (config->ntlm_service_binding == WHEN_NEVER || (target == NULL && !always))
        return SEC_E_OK;
    require(target != NULL, cause_set(SEC_E_WRONG_PRINCIPAL, "the client did not say which service it meant"));
    bool wanted = always || config->ntlm_targets.n_items > 0;
    require(!wanted || ntlm_target_is_accepted(config, target),
            cause_set(SEC_E_WRONG_PRINCIPAL, "the client meant \"%.128s\", which is not this service", target));
    return SEC_E_OK;
}
