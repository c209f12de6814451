#include "ntlm/handshake.h"

#include "base/memory.h"
#include "core/cause.h"
#include "core/trace.h"
#include "crypto/ntlm_response.h"
#include "crypto/random.h"
#include "crypto/rc4.h"
#include "ntlm/blob.h"
#include "ntlm/host.h"
#include "ntlm/record.h"
#include <string.h>

/* The server's side (MS-NLMP 3.2.5). */

/* Of the flags that a client offers, those this server takes over into its challenge. */
#define FLAGS_MIRRORED                                                                                                \
    (NTLM_SIGN | NTLM_SEAL | NTLM_ALWAYS_SIGN | NTLM_EXTENDED_SESSION_SECURITY | NTLM_KEY_EXCH | NTLM_128 | NTLM_56 | \
     NTLM_IDENTIFY | NTLM_VERSION)
/* Flags that change keys: a client's AUTHENTICATE is held to what the challenge offered. LM_KEY is never offered: its keys hang on
 * the LM hash (3.4.5.1) and have 40 or 56 bits. */
#define KEY_FLAGS \
    (NTLM_SIGN | NTLM_SEAL | NTLM_ALWAYS_SIGN | NTLM_EXTENDED_SESSION_SECURITY | NTLM_KEY_EXCH | NTLM_128 | NTLM_56)

static uint32_t flags_granted(uint32_t asked, uint32_t agreed)
{
    uint32_t granted = 0;
    bool datagram = (agreed & NTLM_DATAGRAM) != 0; /* its numbers are the caller's, and so is what is made of them */
    if (ntlm_key_is_secret(agreed) && (agreed & (NTLM_SIGN | NTLM_SEAL)) != 0)
        granted |= ASC_RET_INTEGRITY | (datagram ? 0 : ASC_RET_REPLAY_DETECT | ASC_RET_SEQUENCE_DETECT);
    if (ntlm_key_is_secret(agreed) && (agreed & NTLM_SEAL) != 0)
        granted |= ASC_RET_CONFIDENTIALITY;
    granted |= datagram ? ASC_RET_DATAGRAM : (asked & ASC_REQ_CONNECTION);
    if ((agreed & NTLM_IDENTIFY) != 0)
        granted |= ASC_RET_IDENTIFY;
    if ((agreed & NTLM_ANONYMOUS) != 0)
        granted |= ASC_RET_NULL_SESSION;
    return granted;
}

/* Names as the domain knows them, where one is asked about accounts: its controllers refuse responses whose target information names another computer
 * than the one that passes them on (MS-NRPC 3.5.4.5.1, since CVE-2015-0005). */
struct names {
    struct account_host host;
    bool member;
    const char *computer, *domain, *dns_domain;
};

static void names_fill(const struct ntlm_credential *credential, struct names *names)
{
    const struct config *config = credential->config;
    names->member = accounts_host(credential->accounts, false, &names->host) == SEC_E_OK;
    cause_drop(); /* local accounts do without */
    names->computer = names->member ? names->host.computer : config->computer;
    names->domain = names->member ? names->host.domain : config->domain;
    names->dns_domain =
        names->member && names->host.dns_domain[0] != '\0' ? names->host.dns_domain : config->dns_domain;
}

static void pairs_write(const struct config *config, const struct names *names, struct writer *pairs)
{
    ntlm_av_write_text(pairs, NTLM_AV_NB_DOMAIN, names->domain);
    ntlm_av_write_text(pairs, NTLM_AV_NB_COMPUTER, names->computer);
    if (names->dns_domain != NULL)
        ntlm_av_write_text(pairs, NTLM_AV_DNS_DOMAIN, names->dns_domain);
    ntlm_av_write_text(pairs, NTLM_AV_DNS_COMPUTER, config->dns_computer);
    if (config->dns_forest != NULL)
        ntlm_av_write_text(pairs, NTLM_AV_DNS_TREE, config->dns_forest);
    ntlm_av_write_u64(pairs, NTLM_AV_TIMESTAMP, (uint64_t)filetime_now());
    ntlm_av_write(pairs, NTLM_AV_EOL, slice_of(NULL, 0));
}

/* 3.2.5.1.1. `client` is what the NEGOTIATE offered, or, in a datagram context, what this server offers first. */
static SECURITY_STATUS challenge_send(struct ntlm_handshake *handshake, uint32_t client, struct step_out *out)
{
    const struct config *config = handshake->credential->config;
    uint8_t pairs_room[512], name_room[64];
    AUTO_WRITER struct writer pairs = writer_lent(pairs_room, sizeof pairs_room),
                              name = writer_lent(name_room, sizeof name_room);
    struct ntlm_challenge challenge = {.flags = client & FLAGS_MIRRORED};
    struct names names;
    names_fill(handshake->credential, &names);
    challenge.flags |= NTLM_NTLM | NTLM_TARGET_INFO | NTLM_REQUEST_TARGET | (client & NTLM_DATAGRAM);
    challenge.flags |= names.member ? NTLM_TARGET_TYPE_DOMAIN : NTLM_TARGET_TYPE_SERVER;
    challenge.flags |= (client & NTLM_UNICODE) != 0 ? NTLM_UNICODE : NTLM_OEM;
    require(random_bytes(challenge.challenge, sizeof challenge.challenge),
            cause_set(SEC_E_INTERNAL_ERROR, "no randomness"));
    pairs_write(config, &names, &pairs);
    require(ntlm_text_write(challenge.flags, &name, names.member ? names.domain : names.computer) == WIRE_OK &&
                writer_finish(&pairs) == WIRE_OK && writer_finish(&name) == WIRE_OK,
            SEC_E_INSUFFICIENT_MEMORY);
    challenge.target_name = writer_slice_of(&name);
    challenge.target_info = writer_slice_of(&pairs);
    ntlm_challenge_write(&out->token, &challenge);
    require(writer_finish(&out->token) == WIRE_OK && secret_set(&handshake->challenge, out->token.data, out->token.len),
            SEC_E_INSUFFICIENT_MEMORY);
    memcpy(handshake->server_challenge, challenge.challenge, sizeof challenge.challenge);
    handshake->server_pairs = slice_of(handshake->challenge.data + handshake->challenge.len - pairs.len, pairs.len);
    handshake->offered = challenge.flags;
    handshake->challenge_ms = monotonic_ms();
    handshake->base.state = NTLM_SERVER_PROOF;
    handshake->base.granted = flags_granted(handshake->base.asked, challenge.flags);
    handshake->base.expiry = FILETIME_NEVER;
    return SEC_I_CONTINUE_NEEDED;
}

static SECURITY_STATUS begin(void *opaque, const struct step_in *in, struct step_out *out)
{
    struct ntlm_handshake *handshake = opaque;
    struct ntlm_negotiate negotiate;
    if (in->token.len == 0) {
        require((handshake->base.asked & ASC_REQ_DATAGRAM) != 0,
                cause_set(SEC_E_INVALID_TOKEN, "the client's NTLM NEGOTIATE is due, and no token was given"));
        return challenge_send(handshake, FLAGS_MIRRORED | NTLM_UNICODE | NTLM_DATAGRAM, out);
    }
    require(ntlm_negotiate_parse(in->token, &negotiate) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "this is not an NTLM NEGOTIATE message, or it is damaged"));
    require((negotiate.flags & (NTLM_UNICODE | NTLM_OEM)) != 0,
            cause_set(SEC_E_INVALID_TOKEN, "the client offers no character set"));
    if ((negotiate.flags & (NTLM_SIGN | NTLM_SEAL)) != 0 && handshake->credential->config->ntlm_require_128)
        require((negotiate.flags & NTLM_128) != 0,
                cause_set(SEC_E_UNSUPPORTED_FUNCTION,
                          "the client has no 128-bit keys; require_128 in [ntlm] asks for them"));
    require(secret_set(&handshake->negotiate, in->token.data, in->token.len), SEC_E_INSUFFICIENT_MEMORY);
    TRACE("ntlm", "negotiate, flags 0x%08x", (unsigned)negotiate.flags);
    return challenge_send(handshake, negotiate.flags & ~(uint32_t)NTLM_DATAGRAM, out);
}

/* All that was read from an AUTHENTICATE. */
struct claim {
    struct ntlm_authenticate message;
    struct slice bytes;
    char *user, *domain, *workstation;
    bool v2, anonymous;
    struct ntlm_blob blob; /* of v2, else empty */
};

static void claim_release(struct claim *claim)
{
    mem_free(claim->user);
    mem_free(claim->domain);
    mem_free(claim->workstation);
    mem_free(claim->blob.target);
}

static SECURITY_STATUS claim_read(const struct step_in *in, uint32_t offered, struct claim *claim)
{
    SECURITY_STATUS bad = SEC_E_INVALID_TOKEN;
    require(in->token.len > 0, cause_set(bad, "the client's NTLM AUTHENTICATE is due, and no token was given"));
    require(ntlm_authenticate_parse(in->token, &claim->message) == WIRE_OK,
            cause_set(bad, "this is not an NTLM AUTHENTICATE message, or it is damaged"));
    const struct ntlm_authenticate *message = &claim->message;
    claim->bytes = in->token;
    uint32_t charset = offered & NTLM_UNICODE; /* the challenge settled it */
    try(ntlm_text_take(charset, message->user, "the user's name", &claim->user));
    try(ntlm_text_take(charset, message->domain, "the domain's name", &claim->domain));
    try(ntlm_text_take(charset, message->workstation, "the workstation's name", &claim->workstation));
    claim->anonymous = message->user.len == 0 && message->nt_response.len == 0 && message->lm_response.len <= 1;
    claim->v2 = message->nt_response.len > NTLM_V1_RESPONSE_LEN;
    return claim->v2 ? ntlm_blob_read(message->nt_response, &claim->blob) : SEC_E_OK;
}

/* The client returns what the challenge said, in time, and its MIC if it promised one. Without the password an attacker can change none of it. */
static SECURITY_STATUS claim_check_pairs(const struct ntlm_handshake *handshake, const struct claim *claim)
{
    require(ntlm_av_contains(claim->blob.pairs, handshake->server_pairs),
            cause_set(SEC_E_INVALID_TOKEN, "the client does not return the target information that it was sent"));
    try(ntlm_blob_check_time(handshake->credential->config, &claim->blob));
    if ((claim->blob.av.flags & NTLM_AV_FLAG_MIC) != 0)
        require(claim->message.has_mic_field,
                cause_set(SEC_E_INVALID_TOKEN, "the client promised a MIC and sent none"));
    return SEC_E_OK;
}

/* Channel bindings: "absent" is a client that never heard of them, "all zero" one that has no channel. ASC_REQ_ALLOW_MISSING_BINDINGS lets the first
 * pass; under ASC_REQ_PROXY_BINDINGS the channel ends elsewhere, and the service binding stands for it. */
static SECURITY_STATUS claim_check_bindings(const struct ntlm_handshake *handshake, const struct claim *claim)
{
    enum config_when when = handshake->credential->config->ntlm_channel_bindings;
    struct slice sent = claim->blob.av.value[NTLM_AV_CHANNEL_BINDINGS];
    if (when == WHEN_NEVER || (!handshake->base.has_bindings && when != WHEN_ALWAYS))
        return SEC_E_OK;
    require(handshake->base.has_bindings,
            cause_set(SEC_E_BAD_BINDINGS,
                      "channel_bindings in [ntlm] asks for bindings always, and the server was given none"));
    if (sent.data == NULL) {
        bool allowed = when == WHEN_SUPPORTED && (handshake->base.asked & ASC_REQ_ALLOW_MISSING_BINDINGS) != 0;
        return allowed ? SEC_E_OK : cause_set(SEC_E_BAD_BINDINGS, "the client sent no channel bindings");
    }
    require(!secret_is_zero(sent.data, sent.len),
            cause_set(SEC_E_BAD_BINDINGS, "the client has no channel to bind to"));
    if ((handshake->base.asked & ASC_REQ_PROXY_BINDINGS) != 0) {
        bool bound =
            claim->blob.target != NULL && ntlm_target_is_accepted(handshake->credential->config, claim->blob.target);
        return bound ? SEC_E_OK
                     : cause_set(SEC_E_BAD_BINDINGS,
                                 "bindings through a proxy need a service binding, and the client meant "
                                 "no service of this computer (targets in [ntlm])");
    }
    require(secret_equal(sent.data, handshake->base.bindings, sizeof handshake->base.bindings),
            cause_set(SEC_E_BAD_BINDINGS, "the client is bound to another channel: a relay, or a TLS proxy between"));
    return SEC_E_OK;
}

/* Service binding: the name the client meant. A client of this very machine that meant another host was led here by a reflection. */
static SECURITY_STATUS claim_check_target(const struct ntlm_handshake *handshake, const struct claim *claim)
{
    const struct config *config = handshake->credential->config;
    struct slice host = claim->blob.av.value[NTLM_AV_SINGLE_HOST];
    uint8_t own[SINGLE_HOST_LEN];
    ntlm_single_host(own);
    if (config->ntlm_refuse_reflection && claim->blob.target != NULL && host.len == SINGLE_HOST_LEN &&
        secret_equal(host.data + 16, own + 16, 32))
        require(ntlm_target_is_local(config, claim->blob.target),
                cause_set(SEC_E_LOGON_DENIED,
                          "a client of this machine meant \"%.128s\", which is not this computer: reflection, or a "
                          "name missing from targets in [ntlm]",
                          claim->blob.target));
    return ntlm_check_service(config, claim->blob.target);
}

static SECURITY_STATUS mic_check(const struct ntlm_handshake *handshake, const struct claim *claim,
                                 const struct key16 *session_key)
{
    uint8_t mic[NTLM_MIC_LEN];
    if (!claim->v2 || (claim->blob.av.flags & NTLM_AV_FLAG_MIC) == 0)
        return SEC_E_OK;
    ntlm_mic(session_key, secret_slice(&handshake->negotiate), secret_slice(&handshake->challenge), claim->bytes, mic);
    require(secret_equal(mic, claim->bytes.data + NTLM_MIC_OFFSET, sizeof mic),
            cause_set(SEC_E_MESSAGE_ALTERED,
                      "the MIC over the three messages is wrong: one of them was altered on its way"));
    return SEC_E_OK;
}

static SECURITY_STATUS key_exchange(const struct ntlm_handshake *handshake, const struct claim *claim,
                                    const struct key16 *base_key, struct key16 *session_key)
{
    const struct ntlm_kxkey_input input = {
        .flags = handshake->agreed,
        .base_key = base_key,
        .lm_response = claim->message.lm_response,
        .challenge = handshake->server_challenge,
        .v2 = claim->v2 || claim->anonymous || claim->message.nt_response.len == 0,
    };
    AUTO_KEY16 struct key16 exchange_key;
    require(ntlm_kxkey(&input, &exchange_key),
            cause_set(SEC_E_INVALID_TOKEN, "the client's LM response is too short for a session key"));
    if ((handshake->agreed & NTLM_KEY_EXCH) == 0) {
        *session_key = exchange_key;
        return SEC_E_OK;
    }
    require(claim->message.session_key.len == 16,
            cause_set(SEC_E_INVALID_TOKEN, "the client agreed to exchange a session key and sent none"));
    struct rc4 rc4;
    rc4_init(&rc4, exchange_key.bytes, sizeof exchange_key.bytes);
    rc4_crypt(&rc4, claim->message.session_key.data, session_key->bytes, sizeof session_key->bytes);
    secret_wipe(&rc4, sizeof rc4);
    return SEC_E_OK;
}

/* Off unless the server's flag and the configuration both allow it. */
static SECURITY_STATUS anonymous_check(const struct ntlm_handshake *handshake)
{
    bool allowed =
        handshake->credential->config->ntlm_anonymous && (handshake->base.asked & ASC_REQ_ALLOW_NULL_SESSION) != 0;
    return allowed ? SEC_E_OK
                   : cause_set(SEC_E_LOGON_DENIED, "an anonymous client; allow_anonymous in [ntlm] and "
                                                   "ASC_REQ_ALLOW_NULL_SESSION together let it in");
}

/* What is left to judge once the key is known. */
struct key_check {
    const struct ntlm_handshake *handshake;
    const struct claim *claim;
    struct key16 *session_key; /* comes out */
    SECURITY_STATUS status;
};

static bool key_check(void *context, const struct key16 *base_key)
{
    struct key_check *check = context;
    check->status = key_exchange(check->handshake, check->claim, base_key, check->session_key);
    if (check->status == SEC_E_OK)
        check->status = mic_check(check->handshake, check->claim, check->session_key);
    return check->status == SEC_E_OK;
}

static SECURITY_STATUS password_check(const struct ntlm_handshake *handshake, const struct claim *claim,
                                      const struct account **account, struct key_check *key)
{
    const struct config *config = handshake->credential->config;
    AUTO_KEY16 struct key16 base_key = {{0}};
    const struct ntlm_check check = {
        .user = claim->user,
        .domain = claim->domain,
        .workstation = claim->workstation,
        .challenge = handshake->server_challenge,
        .lm_response = claim->message.lm_response,
        .nt_response = claim->message.nt_response,
        .extended_session_security = (handshake->agreed & NTLM_EXTENDED_SESSION_SECURITY) != 0,
        .allow_v1 = config->ntlm_v1,
        .allow_lm = config->ntlm_lm,
        .is_whole = key_check,
        .context = key,
    };
    return account_verify_ntlm(handshake->credential->accounts, &check, account, &base_key);
}

/* Whatever can be refused without the password is refused before it is tried, whoever the client says to be: what somebody relays forgives no
 * guesses, and these answers tell nothing of accounts. */
static SECURITY_STATUS claim_decide(struct ntlm_handshake *handshake, const struct claim *claim,
                                    const struct account **account, struct key16 *session_key)
{
    static const struct key16 nobodys = {{0}}; /* 3.4.5: an anonymous client has no key */
    struct key_check key = {handshake, claim, session_key, SEC_E_INTERNAL_ERROR};
    require(monotonic_ms() - handshake->challenge_ms <=
                (uint64_t)handshake->credential->config->ntlm_challenge_seconds * 1000,
            cause_set(SEC_E_CONTEXT_EXPIRED, "the challenge is older than challenge_seconds in [ntlm]"));
    if (claim->v2)
        try(claim_check_pairs(handshake, claim));
    if (claim->anonymous)
        try(anonymous_check(handshake));
    else if (claim->message.nt_response.len == 0 && !handshake->credential->config->ntlm_lm)
        /* An LMv2 response carries no pairs: a relay that strips the NT response would shed MIC and bindings with it. */
        return cause_set(SEC_E_LOGON_DENIED, "the client sent an LM response alone; allow_lm in [ntlm] takes it");
    try(claim_check_bindings(handshake, claim));
    try(claim_check_target(handshake, claim));
    if (claim->anonymous)
        (void)key_check(&key, &nobodys);
    else
        try(password_check(handshake, claim, account, &key));
    return key.status;
}

/* Are the keys that come of the flags fit for messages? Those of datagrams without extended session security (3.4.5.3) are short, and each datagram
 * would begin the same key stream anew. */
static SECURITY_STATUS keys_check(const struct ntlm_handshake *handshake)
{
    uint32_t agreed = handshake->agreed;
    require((agreed & NTLM_DATAGRAM) == 0 || (agreed & NTLM_EXTENDED_SESSION_SECURITY) != 0,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "a datagram client without extended session security"));
    if ((agreed & (NTLM_SIGN | NTLM_SEAL)) != 0 && handshake->credential->config->ntlm_require_128)
        require((agreed & NTLM_128) != 0 && ntlm_key_bits(agreed) == 128,
                cause_set(SEC_E_UNSUPPORTED_FUNCTION,
                          "the client has no 128-bit keys after all; require_128 in [ntlm] asks for them"));
    return SEC_E_OK;
}

static SECURITY_STATUS finish_with(struct ntlm_handshake *handshake, struct claim *claim,
                                   const struct account **account, struct step_out *out)
{
    AUTO_KEY16 struct key16 session_key = {{0}};
    uint32_t client = claim->message.flags;
    handshake->agreed = (client & KEY_FLAGS & handshake->offered) | (client & NTLM_IDENTIFY) |
                        (handshake->offered & (NTLM_DATAGRAM | NTLM_UNICODE));
    if (claim->anonymous)
        handshake->agreed |= NTLM_ANONYMOUS;
    try(keys_check(handshake));
    try(claim_decide(handshake, claim, account, &session_key));
    handshake->base.granted = flags_granted(handshake->base.asked, handshake->agreed);
    out->signs_list = (handshake->agreed & (NTLM_SIGN | NTLM_SEAL)) != 0;
    out->wants_list_mic = claim->v2 && (claim->blob.av.flags & NTLM_AV_FLAG_MIC) != 0;
    handshake->base.expiry = ntlm_logon_ends(*account);
    handshake->base.state = HANDSHAKE_DONE;
    const struct ntlm_admitted admitted = {
        .account = *account,
        .v2 = claim->v2,
        .flags = handshake->agreed,
        .granted = handshake->base.granted,
        .key = &session_key,
        .target = claim->blob.target,
        .target_info = handshake->server_pairs,
    };
    return ntlm_admitted_write(handshake->credential->config, &admitted, &out->record);
}

static SECURITY_STATUS finish(void *opaque, const struct step_in *in, struct step_out *out)
{
    struct ntlm_handshake *handshake = opaque;
    struct claim claim = {0};
    const struct account *account = NULL;
    SECURITY_STATUS status = claim_read(in, handshake->offered, &claim);
    if (status == SEC_E_OK)
        status = finish_with(handshake, &claim, &account, out);
    TRACE("ntlm", "authenticate from %s\\%s at %s for %s, flags 0x%08x, %s, MIC %s: 0x%08x",
          claim.domain != NULL ? claim.domain : "", claim.user != NULL ? claim.user : "",
          claim.workstation != NULL ? claim.workstation : "",
          claim.blob.target != NULL ? claim.blob.target : "(no target)", (unsigned)claim.message.flags,
          claim.v2 ? "NTLMv2" : "older response", (claim.blob.av.flags & NTLM_AV_FLAG_MIC) != 0 ? "yes" : "no",
          (unsigned)status);
    account_release(account);
    claim_release(&claim);
    return status;
}

SECURITY_STATUS ntlm_accept(void *credential, void **handshake, const struct step_in *in, struct step_out *out)
{
    static handshake_step *const steps[] = {
        [NTLM_SERVER_BEGIN] = begin,
        [NTLM_SERVER_PROOF] = finish,
    };
    static const struct handshake_role role = {&ntlm_handshake_kind, false, NTLM_SERVER_BEGIN, steps,
                                               COUNT_OF(steps),      NULL};
    return handshake_walk(&role, credential, handshake, in, out);
}

/* Only the second message asks about an account. */
bool ntlm_accept_may_wait(void *credential, const void *handshake, const struct step_in *in)
{
    (void)in;
    const struct ntlm_credential *own = credential;
    return handshake != NULL && own->accounts != NULL && accounts_may_wait(own->accounts);
}
