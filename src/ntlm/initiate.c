#include "ntlm/handshake.h"

#include "base/memory.h"
#include "core/cause.h"
#include "core/trace.h"
#include "crypto/ntlm_response.h"
#include "crypto/random.h"
#include "crypto/rc4.h"
#include "ntlm/host.h"
#include "ntlm/package.h"
#include <string.h>

/* The client's side (MS-NLMP 3.1.5). */

#define INTEGRITY_REQ (ISC_REQ_INTEGRITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)

/* 3.1.1.2 and observation: only integrity and confidentiality ask for SIGN and SEAL, and only they and datagrams, whose key the client chooses first,
 * exchange a key. */
static uint32_t flags_wanted(uint32_t asked)
{
    uint32_t flags = NTLM_UNICODE | NTLM_OEM | NTLM_REQUEST_TARGET | NTLM_NTLM | NTLM_ALWAYS_SIGN |
                     NTLM_EXTENDED_SESSION_SECURITY | NTLM_VERSION | NTLM_128 | NTLM_56;
    if ((asked & INTEGRITY_REQ) != 0)
        flags |= NTLM_SIGN | NTLM_KEY_EXCH;
    if ((asked & ISC_REQ_CONFIDENTIALITY) != 0)
        flags |= NTLM_SEAL | NTLM_KEY_EXCH;
    if ((asked & ISC_REQ_DATAGRAM) != 0)
        flags |= NTLM_DATAGRAM | NTLM_KEY_EXCH;
    if ((asked & ISC_REQ_IDENTIFY) != 0)
        flags |= NTLM_IDENTIFY;
    if ((asked & ISC_REQ_NULL_SESSION) != 0)
        flags |= NTLM_ANONYMOUS;
    return flags;
}

/* What the context's owner is told: what was asked and is there, never more. */
static uint32_t flags_granted(uint32_t asked, uint32_t agreed)
{
    uint32_t granted = 0;
    bool datagram = (agreed & NTLM_DATAGRAM) != 0; /* its numbers are the caller's, and so is what is made of them */
    if (ntlm_key_is_secret(agreed) && (agreed & (NTLM_SIGN | NTLM_SEAL)) != 0)
        granted |= ISC_RET_INTEGRITY | (datagram ? 0 : asked & (ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT));
    if (ntlm_key_is_secret(agreed) && (agreed & NTLM_SEAL) != 0)
        granted |= ISC_RET_CONFIDENTIALITY;
    granted |= datagram ? ISC_RET_DATAGRAM : (asked & ISC_REQ_CONNECTION);
    if ((agreed & NTLM_IDENTIFY) != 0)
        granted |= ISC_RET_IDENTIFY;
    if ((agreed & NTLM_ANONYMOUS) != 0)
        granted |= ISC_RET_NULL_SESSION;
    return granted;
}

static const struct ntlm_login *login_of(const struct ntlm_handshake *handshake)
{
    return handshake->has_prompted ? &handshake->prompted : &handshake->credential->login;
}

static bool is_anonymous(const struct ntlm_handshake *handshake)
{
    return (handshake->base.asked & ISC_REQ_NULL_SESSION) != 0;
}

/* Before anything is sent there must be somebody to be. */
static SECURITY_STATUS login_ensure(struct ntlm_handshake *handshake)
{
    const struct ntlm_credential *credential = handshake->credential;
    if (is_anonymous(handshake))
        return SEC_E_OK;
    try(lease_check(credential->lease));
    bool lacking = !credential->has_login || credential->needs_password;
    if (lacking && (handshake->base.asked & ISC_REQ_PROMPT_FOR_CREDS) != 0) {
        try(ntlm_login_prompt(credential, handshake->base.target, &handshake->prompted));
        handshake->has_prompted = true;
        return SEC_E_OK;
    }
    require(credential->has_login,
            cause_set(SEC_E_NO_CREDENTIALS,
                      "there are no default NTLM credentials: give an identity, or set user_file in [credentials]"));
    return SEC_E_OK;
}

/* Session record, for the end and for the beginning of a datagram context. */
static SECURITY_STATUS record_write(struct ntlm_handshake *handshake, const struct key16 *session_key,
                                    struct step_out *out)
{
    const struct ntlm_login *login = login_of(handshake);
    struct ntlm_session_seed seed = {
        .flags = handshake->agreed,
        .key = *session_key,
        .password_expiry = FILETIME_NEVER,
        .target_info = handshake->server_pairs,
    };
    uint8_t room[512];
    AUTO_WRITER struct writer own = writer_lent(room, sizeof room);
    ntlm_session_seed_write(&own, &seed);
    key16_wipe(&seed.key);
    const struct session_facts facts = {
        .initiator = true,
        .flags = handshake->base.granted,
        .start = filetime_now(),
        .expiry = FILETIME_NEVER,
        .client = is_anonymous(handshake) ? "" : login->full_name,
        .server = handshake->base.target,
        .target = handshake->base.target,
        .authority = is_anonymous(handshake) ? NULL : login->domain,
        .session_key = slice_of(session_key->bytes, sizeof session_key->bytes),
    };
    require(writer_finish(&own) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    return session_record_write(&out->record, &ntlm_package, &facts, writer_slice_of(&own));
}

static SECURITY_STATUS begin(void *opaque, const struct step_in *in, struct step_out *out)
{
    struct ntlm_handshake *handshake = opaque;
    (void)in; /* input on the first call is bindings, or an empty token */
    try(login_ensure(handshake));
    handshake->offered = flags_wanted(handshake->base.asked);
    handshake->base.state = NTLM_CLIENT_CHALLENGE;
    handshake->base.expiry = FILETIME_NEVER;
    if ((handshake->base.asked & ISC_REQ_DATAGRAM) != 0) {
        /* 3.1.5.2: the server speaks first; messages may be protected at once under the key that this client chooses. */
        require(random_bytes(handshake->datagram_key.bytes, sizeof handshake->datagram_key.bytes),
                cause_set(SEC_E_INTERNAL_ERROR, "no randomness"));
        handshake->agreed = handshake->offered & ~(uint32_t)NTLM_OEM;
        handshake->base.granted = flags_granted(handshake->base.asked, handshake->agreed);
        try(record_write(handshake, &handshake->datagram_key, out));
        return SEC_I_CONTINUE_NEEDED;
    }
    ntlm_negotiate_write(&out->token, handshake->offered);
    require(writer_finish(&out->token) == WIRE_OK && secret_set(&handshake->negotiate, out->token.data, out->token.len),
            SEC_E_INSUFFICIENT_MEMORY);
    handshake->base.granted = flags_granted(handshake->base.asked, handshake->offered);
    return SEC_I_CONTINUE_NEEDED;
}

/* Flags that change keys or what is promised: a server may not add them. */
#define KEY_FLAGS                                                                                                  \
    (NTLM_SIGN | NTLM_SEAL | NTLM_EXTENDED_SESSION_SECURITY | NTLM_KEY_EXCH | NTLM_128 | NTLM_56 | NTLM_DATAGRAM | \
     NTLM_ALWAYS_SIGN)

/* 3.1.5.1.2: what was asked and is not granted is an error, never a flag that nobody reads. */
static SECURITY_STATUS flags_agree(struct ntlm_handshake *handshake, uint32_t server)
{
    uint32_t mine = handshake->offered;
    uint32_t agreed = mine & server & (KEY_FLAGS | NTLM_VERSION | NTLM_REQUEST_TARGET);
    agreed |= NTLM_NTLM | (mine & NTLM_IDENTIFY) | (mine & NTLM_ANONYMOUS) | (server & NTLM_TARGET_INFO);
    agreed |= (server & NTLM_UNICODE) != 0 ? NTLM_UNICODE : NTLM_OEM;
    uint32_t promised = mine & (NTLM_SIGN | NTLM_SEAL);
    require((agreed & promised) == promised,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "the server grants no %s",
                      (promised & ~agreed & NTLM_SEAL) != 0 ? "confidentiality" : "integrity"));
    if (promised != 0 && handshake->credential->config->ntlm_require_128)
        require((agreed & NTLM_128) != 0 && ntlm_key_bits(agreed) == 128,
                cause_set(SEC_E_UNSUPPORTED_FUNCTION,
                          "the server has no 128-bit keys; require_128 in [ntlm] asks for them"));
    if ((mine & NTLM_DATAGRAM) != 0)
        require((agreed & KEY_FLAGS) == (mine & KEY_FLAGS),
                cause_set(SEC_E_UNSUPPORTED_FUNCTION,
                          "the server wants other keys than this datagram context uses already"));
    handshake->agreed = agreed;
    return SEC_E_OK;
}

struct proof {
    struct writer lm, nt;
    struct key16 base_key;
    bool v2, mic;
};

/* What of MsvAvFlags is the client's to say (2.2.2.1). */
#define CLIENT_AV_FLAGS (NTLM_AV_FLAG_MIC | NTLM_AV_FLAG_UNVERIFIED_TARGET)

/* The client's pairs: the server's, unchanged, and our own behind (3.1.5.1.2). */
static SECURITY_STATUS pairs_write(const struct ntlm_handshake *handshake, const struct ntlm_av *server,
                                   struct slice server_pairs, bool mic, struct writer *pairs)
{
    uint8_t host[SINGLE_HOST_LEN];
    if (server_pairs.len > 0)
        require(ntlm_av_copy_server(pairs, server_pairs) == WIRE_OK,
                cause_set(SEC_E_INVALID_TOKEN, "the server's target information is damaged"));
    uint32_t flags = (server->flags & ~CLIENT_AV_FLAGS) | (mic ? NTLM_AV_FLAG_MIC : 0);
    if ((handshake->base.asked & ISC_REQ_UNVERIFIED_TARGET_NAME) != 0)
        flags |= NTLM_AV_FLAG_UNVERIFIED_TARGET;
    if (flags != 0)
        ntlm_av_write_u32(pairs, NTLM_AV_FLAGS, flags);
    ntlm_single_host(host);
    ntlm_av_write(pairs, NTLM_AV_SINGLE_HOST, slice_of(host, sizeof host));
    /* all zero without any: "I know about bindings and have none" */
    ntlm_av_write(pairs, NTLM_AV_CHANNEL_BINDINGS, slice_of(handshake->base.bindings, 16));
    ntlm_av_write_text(pairs, NTLM_AV_TARGET_NAME, handshake->base.target != NULL ? handshake->base.target : "");
    ntlm_av_write(pairs, NTLM_AV_EOL, slice_of(NULL, 0));
    return SEC_E_OK;
}

/* 3.1.5.1.2: a server that is to protect messages says who it is. One that does not is old, or somebody between took the pairs out so that the
 * proof would carry less. */
static SECURITY_STATUS server_check(const struct ntlm_handshake *handshake, const struct ntlm_av *server)
{
    bool named = server->value[NTLM_AV_NB_COMPUTER].data != NULL && server->value[NTLM_AV_NB_DOMAIN].data != NULL;
    bool wanted = (handshake->agreed & (NTLM_SIGN | NTLM_SEAL)) != 0 || handshake->base.has_bindings;
    return named || !wanted ? SEC_E_OK
                            : cause_set(SEC_E_LOGON_DENIED, "the server's challenge does not name computer and domain");
}

/* MS-NLMP 3.3.2 */
static SECURITY_STATUS prove_v2(const struct ntlm_handshake *handshake, const struct ntlm_challenge *challenge,
                                struct proof *proof)
{
    const struct ntlm_login *login = login_of(handshake);
    struct ntlm_av server = {0};
    struct ntlm_client_challenge client;
    uint8_t room[512];
    AUTO_WRITER struct writer pairs = writer_lent(room, sizeof room);
    if (challenge->target_info.len > 0)
        require(ntlm_av_parse(challenge->target_info, &server) == WIRE_OK,
                cause_set(SEC_E_INVALID_TOKEN, "the server's target information is damaged"));
    try(server_check(handshake, &server));
    proof->mic = server.timestamp != 0;
    try(pairs_write(handshake, &server, slice_of(challenge->target_info.data, server.len), proof->mic, &pairs));
    require(writer_finish(&pairs) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    require(random_bytes(client.challenge, sizeof client.challenge), cause_set(SEC_E_INTERNAL_ERROR, "no randomness"));
    client.timestamp = server.timestamp != 0 ? server.timestamp : (uint64_t)filetime_now();
    client.pairs = writer_slice_of(&pairs);

    uint8_t code[16];
    writer_zeros(&proof->nt, sizeof code);
    ntlm_client_challenge_write(&proof->nt, &client);
    require(writer_finish(&proof->nt) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    ntlm_v2_proof(&login->v2_key, challenge->challenge,
                  slice_of(proof->nt.data + sizeof code, proof->nt.len - sizeof code), code);
    writer_patch_bytes(&proof->nt, 0, code, sizeof code);
    ntlm_v2_base_key(&login->v2_key, code, &proof->base_key);

    /* An LMv2 response carries no pairs: a relay could use it without bindings and MIC, so it is sent only where LM is allowed. */
    if (server.timestamp != 0 || !handshake->credential->config->ntlm_lm) {
        writer_zeros(&proof->lm, 24);
    } else {
        ntlm_v2_proof(&login->v2_key, challenge->challenge, slice_of(client.challenge, sizeof client.challenge), code);
        writer_bytes(&proof->lm, code, sizeof code);
        writer_bytes(&proof->lm, client.challenge, sizeof client.challenge);
    }
    proof->v2 = true;
    return SEC_E_OK;
}

/* MS-NLMP 3.3.1; only by configuration, only for a server that knows no target information, and only without channel bindings. */
static SECURITY_STATUS prove_v1(const struct ntlm_handshake *handshake, const struct ntlm_challenge *challenge,
                                struct proof *proof)
{
    const struct ntlm_login *login = login_of(handshake);
    uint8_t response[24], lm_response[24] = {0}, answered[8];
    bool done;
    memcpy(answered, challenge->challenge, sizeof answered);
    if ((handshake->agreed & NTLM_EXTENDED_SESSION_SECURITY) != 0) {
        require(random_bytes(lm_response, 8), cause_set(SEC_E_INTERNAL_ERROR, "no randomness"));
        ntlm_v1_session_challenge(challenge->challenge, lm_response, answered);
        done = ntlm_desl(&login->nt_hash, answered, response);
    } else {
        done = ntlm_desl(&login->nt_hash, answered, response);
        if (handshake->credential->config->ntlm_lm && login->has_lm_hash)
            done = done && ntlm_desl(&login->lm_hash, answered, lm_response);
        else
            memcpy(lm_response, response, sizeof response);
    }
    require(done, cause_set(SEC_E_INTERNAL_ERROR, "DES is not available, and NTLMv1 needs it"));
    writer_bytes(&proof->lm, lm_response, sizeof lm_response);
    writer_bytes(&proof->nt, response, sizeof response);
    struct slice hash = slice_of(login->nt_hash.bytes, sizeof login->nt_hash.bytes);
    ntlm_nt_hash(hash, &proof->base_key); /* SessionBaseKey is MD4 of the NT hash */
    return SEC_E_OK;
}

static SECURITY_STATUS prove(const struct ntlm_handshake *handshake, const struct ntlm_challenge *challenge,
                             struct proof *proof)
{
    if (is_anonymous(handshake)) {
        writer_u8(&proof->lm, 0); /* 3.2.5.1.2: an anonymous client sends one zero byte and an empty NT response */
        proof->v2 = true;
        return SEC_E_OK;
    }
    /* A relay may have taken the target information out, and with it the place of the program's bindings. */
    if (challenge->target_info.len == 0 && handshake->credential->config->ntlm_v1 && !handshake->base.has_bindings)
        return prove_v1(handshake, challenge, proof);
    return prove_v2(handshake, challenge, proof);
}

/* The session key, and its encrypted form for the server when one is exchanged. */
static SECURITY_STATUS key_exchange(const struct ntlm_handshake *handshake, const struct ntlm_challenge *challenge,
                                    const struct proof *proof, struct key16 *session_key, uint8_t encrypted[16])
{
    AUTO_KEY16 struct key16 exchange_key = {{0}};
    const struct ntlm_kxkey_input input = {
        .flags = handshake->agreed,
        .base_key = &proof->base_key,
        .lm_response = writer_slice_of(&proof->lm),
        .challenge = challenge->challenge,
        .v2 = proof->v2,
    };
    require(ntlm_kxkey(&input, &exchange_key), cause_set(SEC_E_INTERNAL_ERROR, "the session key cannot be computed"));
    if ((handshake->agreed & NTLM_KEY_EXCH) == 0) {
        *session_key = exchange_key;
        return SEC_E_OK;
    }
    if ((handshake->agreed & NTLM_DATAGRAM) != 0)
        *session_key = handshake->datagram_key;
    else
        require(random_bytes(session_key->bytes, sizeof session_key->bytes),
                cause_set(SEC_E_INTERNAL_ERROR, "no randomness"));
    struct rc4 rc4;
    rc4_init(&rc4, exchange_key.bytes, sizeof exchange_key.bytes);
    rc4_crypt(&rc4, session_key->bytes, encrypted, 16);
    secret_wipe(&rc4, sizeof rc4);
    return SEC_E_OK;
}

static SECURITY_STATUS authenticate_write(const struct ntlm_handshake *handshake, const struct proof *proof,
                                          const uint8_t encrypted[16], struct writer *token)
{
    const struct ntlm_login *login = login_of(handshake);
    uint8_t room[256];
    AUTO_WRITER struct writer names = writer_lent(room, sizeof room);
    uint32_t flags = handshake->agreed;
    bool anonymous = is_anonymous(handshake);
    size_t domain_len, user_len;
    bool written = anonymous || ntlm_text_write(flags, &names, login->domain) == WIRE_OK;
    domain_len = names.len;
    written = written && (anonymous || ntlm_text_write(flags, &names, login->user) == WIRE_OK);
    user_len = names.len - domain_len;
    written = written && ntlm_text_write(flags, &names, handshake->credential->config->computer) == WIRE_OK &&
              writer_finish(&names) == WIRE_OK;
    require(written, SEC_E_INSUFFICIENT_MEMORY);
    const struct ntlm_authenticate authenticate = {
        .flags = flags,
        .lm_response = writer_slice_of(&proof->lm),
        .nt_response = writer_slice_of(&proof->nt),
        .domain = slice_of(names.data, domain_len),
        .user = slice_of(names.data + domain_len, user_len),
        .workstation = slice_of(names.data + domain_len + user_len, names.len - domain_len - user_len),
        .session_key = slice_of(encrypted, (flags & NTLM_KEY_EXCH) != 0 ? 16 : 0),
        .has_mic_field = proof->mic,
    };
    require(ntlm_authenticate_len(&authenticate) <= NTLM_MESSAGE_MAX,
            cause_set(SEC_E_INVALID_TOKEN, "names and target information are too long for an NTLM message"));
    ntlm_authenticate_write(token, &authenticate);
    return writer_finish(token) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS answer_with(struct ntlm_handshake *handshake, const struct ntlm_challenge *challenge,
                                   struct proof *proof, struct step_out *out)
{
    AUTO_KEY16 struct key16 session_key;
    uint8_t encrypted[16] = {0}, mic[NTLM_MIC_LEN];
    try(prove(handshake, challenge, proof));
    try(key_exchange(handshake, challenge, proof, &session_key, encrypted));
    try(authenticate_write(handshake, proof, encrypted, &out->token));
    if (proof->mic) {
        ntlm_mic(&session_key, secret_slice(&handshake->negotiate), secret_slice(&handshake->challenge),
                 writer_slice_of(&out->token), mic);
        writer_patch_bytes(&out->token, NTLM_MIC_OFFSET, mic, sizeof mic);
        out->wants_list_mic = true;
    }
    handshake->base.granted = flags_granted(handshake->base.asked, handshake->agreed);
    out->signs_list = (handshake->agreed & (NTLM_SIGN | NTLM_SEAL)) != 0;
    TRACE("ntlm", "authenticate as %s\\%s for %s, flags 0x%08x, %s, MIC %s, bindings %s",
          is_anonymous(handshake) ? "" : login_of(handshake)->domain,
          is_anonymous(handshake) ? "(anonymous)" : login_of(handshake)->user,
          handshake->base.target != NULL ? handshake->base.target : "(no target)", (unsigned)handshake->agreed,
          proof->v2 ? "NTLMv2" : "NTLMv1", proof->mic ? "yes" : "no", handshake->base.has_bindings ? "yes" : "no");
    if ((handshake->agreed & NTLM_DATAGRAM) != 0)
        return SEC_E_OK; /* the session is there since the first call */
    handshake->base.state = HANDSHAKE_DONE;
    return record_write(handshake, &session_key, out);
}

static SECURITY_STATUS answer(void *opaque, const struct step_in *in, struct step_out *out)
{
    struct ntlm_handshake *handshake = opaque;
    struct ntlm_challenge challenge;
    require(in->token.len > 0,
            cause_set(SEC_E_INVALID_TOKEN, "the server's NTLM challenge is due, and no token was given"));
    handshake->server_pairs = slice_of(NULL, 0); /* of a challenge before, in a datagram context */
    require(secret_set(&handshake->challenge, in->token.data, in->token.len), SEC_E_INSUFFICIENT_MEMORY);
    require(ntlm_challenge_parse(secret_slice(&handshake->challenge), &challenge) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "this is not an NTLM CHALLENGE message, or it is damaged"));
    try(flags_agree(handshake, challenge.flags));
    handshake->server_pairs = challenge.target_info; /* of our copy, which stays */
    uint8_t lm_room[24], nt_room[640];
    struct proof proof = {.lm = writer_lent(lm_room, sizeof lm_room), .nt = writer_lent(nt_room, sizeof nt_room)};
    SECURITY_STATUS status = answer_with(handshake, &challenge, &proof, out);
    writer_release(&proof.lm);
    writer_release(&proof.nt);
    key16_wipe(&proof.base_key);
    return status;
}

SECURITY_STATUS ntlm_initiate(void *credential, void **handshake, const struct step_in *in, struct step_out *out)
{
    static handshake_step *const steps[] = {
        [NTLM_CLIENT_BEGIN] = begin,
        [NTLM_CLIENT_CHALLENGE] = answer,
    };
    static const struct handshake_role role = {&ntlm_handshake_kind, true, NTLM_CLIENT_BEGIN, steps,
                                               COUNT_OF(steps),      NULL};
    return handshake_walk(&role, credential, handshake, in, out);
}
