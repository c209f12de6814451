#include "ntlm/response.h"

#include "accounts/accounts.h"
#include "base/memory.h"
#include "core/cause.h"
#include "core/trace.h"
#include "crypto/ntlm_response.h"
#include "ntlm/blob.h"
#include "ntlm/record.h"

/* What the record's keys would be for; nobody signs with them. */
#define FLAGS (NTLM_UNICODE | NTLM_NTLM | NTLM_EXTENDED_SESSION_SECURITY | NTLM_128)

static SECURITY_STATUS policy_check(const struct config *config, const struct identity_response *response)
{
    require(config->ntlm_channel_bindings != WHEN_ALWAYS && config->ntlm_service_binding != WHEN_ALWAYS,
            cause_set(SEC_E_LOGON_DENIED, "channel_bindings or service_binding in [ntlm] asks for them always, and a "
                                          "response that is passed on shows none"));
    require(response->nt.len > 0 || config->ntlm_lm,
            cause_set(SEC_E_LOGON_DENIED, "the client sent an LM response alone; allow_lm in [ntlm] takes it"));
    return SEC_E_OK;
}

/* When it was made, and for whom. */
static SECURITY_STATUS blob_check(const struct config *config, struct slice nt_response)
{
    struct ntlm_blob blob = {0};
    SECURITY_STATUS status = ntlm_blob_read(nt_response, &blob);
    if (status == SEC_E_OK)
        status = ntlm_blob_check_time(config, &blob);
    if (status == SEC_E_OK)
        status = ntlm_check_service(config, blob.target);
    mem_free(blob.target);
    return status;
}

SECURITY_STATUS ntlm_prove_response(const struct config *config, const struct identity *identity, struct writer *record)
{
    struct identity_response response;
    struct accounts *accounts = NULL;
    const struct account *account = NULL;
    bool v2;
    AUTO_KEY16 struct key16 key = {{0}};
    require(identity_response_read(secret_slice(&identity->proof), &response) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "this is no response to a challenge"));
    try(policy_check(config, &response));
    v2 = response.nt.len > NTLM_V1_RESPONSE_LEN;
    if (v2)
        try(blob_check(config, response.nt));
    try(accounts_open_configured(config, &accounts));
    const struct ntlm_check check = {.user = identity->user,
                                     .domain = identity->domain != NULL ? identity->domain : "",
                                     .workstation = response.workstation,
                                     .challenge = response.challenge,
                                     .lm_response = response.lm,
                                     .nt_response = response.nt,
                                     .extended_session_security = response.client_challenge,
                                     .allow_v1 = config->ntlm_v1,
                                     .allow_lm = config->ntlm_lm};
    SECURITY_STATUS status = account_verify_ntlm(accounts, &check, &account, &key);
    const struct ntlm_admitted admitted = {
        .account = account, .v2 = v2, .flags = FLAGS, .key = &key, .target_info = slice_of("", 0)};
    if (status == SEC_E_OK)
        status = ntlm_admitted_write(config, &admitted, record);
    TRACE("ntlm", "response of %s\\%s at %s passed on: 0x%08x", check.domain, check.user, check.workstation,
          (unsigned)status);
    account_release(account);
    accounts_close(accounts);
    return status;
}
