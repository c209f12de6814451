#include "ntlm/response.h"

#include "accounts/accounts.h"
#include "base/memory.h"
#include "core/cause.h"
#include "core/login.h"
#include "core/identity.h"
#include "core/session.h"
#include "core/trace.h"
#include "ntlm/handshake.h"
#include "ntlm/host.h"
#include "ntlm/package.h"

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

/* The blob of an NTLMv2 response (MS-NLMP 2.2.2.7): when it was made, and for whom. */
static SECURITY_STATUS blob_check(const struct config *config, struct slice nt_response)
{
    struct ntlm_client_challenge client;
    struct ntlm_av av;
    AUTO_FREE char *target = NULL;
    require(nt_response.len > 16 &&
                ntlm_client_challenge_parse(slice_of(nt_response.data + 16, nt_response.len - 16), &client) ==
                    WIRE_OK &&
                ntlm_av_parse(client.pairs, &av) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "the NTLMv2 response is damaged"));
    uint64_t timestamp = av.timestamp != 0 ? av.timestamp : client.timestamp;
    require(timestamp <= INT64_MAX, cause_set(SEC_E_TIME_SKEW, "the client's NTLMv2 timestamp is no time"));
    int64_t age = filetime_now() - (int64_t)timestamp;
    int64_t limit = (int64_t)config->ntlm_clock_skew_seconds * FILETIME_SECOND;
    require(age <= limit && age >= -limit,
            cause_set(SEC_E_TIME_SKEW, "the client's NTLMv2 timestamp is %lld seconds away",
                      (long long)(age / FILETIME_SECOND)));
    if (config->ntlm_service_binding == WHEN_NEVER || config->ntlm_targets.n_items == 0 ||
        av.value[NTLM_AV_TARGET_NAME].len == 0)
        return SEC_E_OK;
    require(ntlm_text_read(NTLM_UNICODE, av.value[NTLM_AV_TARGET_NAME], &target) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "the client's target name is not valid UTF-16"));
    require(ntlm_target_is_accepted(config, target),
            cause_set(SEC_E_WRONG_PRINCIPAL, "the client meant \"%.128s\", which is not this service", target));
    return SEC_E_OK;
}

static SECURITY_STATUS record_write(const struct config *config, const struct account *account, const struct key16 *key,
                                    struct writer *record)
{
    struct ntlm_session_seed seed = {
        .flags = FLAGS, .key = *key, .password_expiry = account->password_expires, .target_info = slice_of("", 0)};
    AUTO_WRITER struct writer own = writer_growing(128), identity = writer_growing(256);
    ntlm_session_seed_write(&own, &seed);
    key16_wipe(&seed.key);
    AUTO_FREE char *name = login_full_name(account->domain, account->name);
    require(name != NULL && writer_finish(&own) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    try(account_identity_write(account, &identity));
    const struct session_facts facts = {.start = filetime_now(),
                                        .expiry = account->logon_ends,
                                        .client = name,
                                        .server = config->computer,
                                        .authority = account->domain,
                                        .session_key = slice_of(key->bytes, sizeof key->bytes),
                                        .identity = writer_slice_of(&identity)};
    return session_record_write(record, &ntlm_package, &facts, writer_slice_of(&own));
}

SECURITY_STATUS ntlm_prove_response(const struct config *config, const struct identity *identity, struct writer *record)
{
    struct identity_response response;
    struct accounts *accounts = NULL;
    const struct account *account = NULL;
    AUTO_KEY16 struct key16 key = {{0}};
    require(identity_response_read(secret_slice(&identity->proof), &response) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "this is no response to a challenge"));
    try(policy_check(config, &response));
    if (response.nt.len > 24)
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
    if (status == SEC_E_OK)
        status = record_write(config, account, &key, record);
    TRACE("ntlm", "response of %s\\%s at %s passed on: 0x%08x", check.domain, check.user, check.workstation,
          (unsigned)status);
    account_release(account);
    accounts_close(accounts);
    return status;
}
