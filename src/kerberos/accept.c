#include "kerberos/handshake.h"

#include "access/client_identity.h"
#include "access/well_known.h"
#include "base/memory.h"
#include "base/time.h"
#include "core/cause.h"
#include "core/trace.h"
#include "kerberos/pac_verify.h"
#include "kerberos/replay.h"
#include "kerberos/delegated.h"
#include "kerberos/user_to_user.h"
#include <string.h>

/* The server's side: AP-REQ in, AP-REP out where the client wants it. */

#define SKEW_USUAL_SECONDS 300         /* libkrb5's default */
#define SKEW_MOST_SECONDS (30 * 86400) /* a bound for the search, not for the configuration */

static uint32_t flags_granted(uint32_t asked, uint32_t gss)
{
    uint32_t granted = asked & (ASC_REQ_CONNECTION | ASC_REQ_DATAGRAM);
    granted |= (gss & GSS_INTEG) != 0 ? ASC_RET_INTEGRITY : 0;
    granted |= (gss & GSS_CONF) != 0 ? ASC_RET_CONFIDENTIALITY : 0;
    granted |= (gss & GSS_REPLAY) != 0 ? ASC_RET_REPLAY_DETECT : 0;
    granted |= (gss & GSS_SEQUENCE) != 0 ? ASC_RET_SEQUENCE_DETECT : 0;
    granted |= (gss & GSS_MUTUAL) != 0 ? ASC_RET_MUTUAL_AUTH : 0;
    granted |= (gss & GSS_IDENTIFY) != 0 ? ASC_RET_IDENTIFY : 0;
    granted |= (gss & GSS_DELEG) != 0 ? ASC_RET_DELEGATE : 0;
    granted |= (gss & GSS_DCE_STYLE) != 0 ? ASC_RET_USED_DCE_STYLE : 0;
    granted |= (gss & GSS_EXTENDED_ERROR) != 0 ? ASC_RET_EXTENDED_ERROR : 0;
    return granted;
}

/* How long an authenticator stays good: it may be as old as the skew that krb5.conf allows, or as far ahead. libkrb5 tells the skew only by judging.
 * */
static unsigned replay_seconds(krb5_context krb)
{
    krb5_timestamp now;
    unsigned skew = SKEW_USUAL_SECONDS;
    if (krb5_timeofday(krb, &now) != 0)
        return 2 * SKEW_MOST_SECONDS;
    while (skew < SKEW_MOST_SECONDS && krb5_check_clockskew(krb, (krb5_timestamp)((uint32_t)now - skew - 2)) == 0)
        skew *= 2;
    return 2 * skew + 2;
}

/* What tells one request from another is the authenticator's cipher text, and in it the checksum: at its end, of RC4 at its start (RFC 4757 5).
 * Another text with the same checksum would not have opened. The fields beside it, kvno and etype, are not protected: a replay could wear others. */
static SECURITY_STATUS replay_refuse(krb5_context krb, const struct kerberos_request *request)
{
    const struct slice cipher = request->outer.authenticator.cipher;
    bool leads = request->outer.authenticator.enctype == KRB_RC4_HMAC;
    struct slice tag;
    require(cipher.len >= REPLAY_TAG_LEN &&
                slice_at(cipher, leads ? 0 : cipher.len - REPLAY_TAG_LEN, REPLAY_TAG_LEN, &tag) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "the authenticator is too short"));
    switch (replay_check(tag.data, request->client_name, replay_seconds(krb))) {
    case REPLAY_NEW:
        return SEC_E_OK;
    case REPLAY_SEEN:
        return cause_set(SEC_E_OUT_OF_SEQUENCE, "this AP-REQ came before: a replay");
    default:
        return cause_set(SEC_E_INSUFFICIENT_MEMORY, "the replay cache is full, or this client's part of it");
    }
}

/* libkrb5 keeps its replay cache to itself: it reads the whole request once more, with the key that is known now. */
static SECURITY_STATUS shared_replay_refuse(krb5_context krb, const struct kerberos_request *request,
                                            struct slice message)
{
    struct krb_key key = request->ticket_key;
    krb5_keyblock block = {.magic = KV5M_KEYBLOCK, .enctype = key.enctype, .length = key.len, .contents = key.bytes};
    krb5_auth_context auth = NULL;
    krb5_data data = krb_data(message);
    krb5_error_code code = krb5_auth_con_init(krb, &auth);
    if (code == 0)
        code = krb5_auth_con_setuseruserkey(krb, auth, &block);
    if (code == 0)
        code = krb5_rd_req(krb, &auth, &data, NULL, NULL, NULL, NULL);
    if (auth != NULL)
        krb5_auth_con_free(krb, auth);
    krb_key_wipe(&key);
    return krb_status(krb, code, KRB_STAGE_ACCEPT, "the shared replay cache");
}

/* MS-KILE 3.4.5: the client's programs give channel bindings wherever they have a channel. */
static bool bindings_promised(const struct krb_authenticator *authenticator)
{
    struct slice data;
    uint32_t options;
    require(krb_authdata_find(authenticator->authorization, KRB_AD_AP_OPTIONS, &data), false);
    struct reader reader = reader_of(data);
    return reader_u32le(&reader, &options) == WIRE_OK && (options & KRB_AP_OPTIONS_CBT) != 0;
}

/* The checksum cannot say "I have no channel": zero bindings are none. Of a client that promised them they say so. */
static SECURITY_STATUS bindings_check(const struct kerberos_handshake *handshake,
                                      const struct krb_authenticator *authenticator,
                                      const struct gss_checksum *checksum)
{
    if (!handshake->base.has_bindings || (handshake->base.asked & ASC_REQ_PROXY_BINDINGS) != 0)
        return SEC_E_OK; /* a ticket is for one service: that is the service binding which a proxy leaves */
    if (secret_is_zero(checksum->bindings, sizeof checksum->bindings)) {
        require(!bindings_promised(authenticator),
                cause_set(SEC_E_BAD_BINDINGS,
                          "the client gives channel bindings, and saw no channel: a relay, or a TLS "
                          "proxy between"));
        bool allowed = (handshake->base.asked & ASC_REQ_ALLOW_MISSING_BINDINGS) != 0;
        return allowed ? SEC_E_OK : cause_set(SEC_E_BAD_BINDINGS, "the client sent no channel bindings");
    }
    require(secret_equal(checksum->bindings, handshake->base.bindings, sizeof handshake->base.bindings),
            cause_set(SEC_E_BAD_BINDINGS, "the client is bound to another channel: a relay, or a TLS proxy between"));
    return SEC_E_OK;
}

static SECURITY_STATUS checksum_read(struct kerberos_handshake *handshake, const struct kerberos_request *request)
{
    const struct krb_authenticator *authenticator = &request->authenticator;
    struct gss_checksum checksum = {0};
    if (authenticator->has_checksum && authenticator->checksum_type == GSS_CHECKSUM_TYPE)
        require(gss_checksum_parse(authenticator->checksum, &checksum) == WIRE_OK,
                cause_set(SEC_E_INVALID_TOKEN, "the authenticator's checksum is damaged"));
    else { /* a raw AP-REQ of a client that is not GSS-API; only it is asked by AP options, which nothing protects */
        require(handshake->framing == KRB_RAW,
                cause_set(SEC_E_INVALID_TOKEN, "the authenticator has no GSS-API checksum"));
        checksum.flags = (request->outer.options & KRB_AP_MUTUAL_REQUIRED) != 0 ? GSS_MUTUAL : 0;
    }
    handshake->gss_flags = checksum.flags & ~(uint32_t)GSS_DELEG;
    try(bindings_check(handshake, authenticator, &checksum));
    if ((checksum.flags & GSS_DELEG) == 0 || checksum.credential.data == NULL)
        return SEC_E_OK;
    try(kerberos_forwarded_read(handshake->kit.krb, &request->ticket.key, &request->ticket.client, checksum.credential,
                                &handshake->delegated));
    handshake->gss_flags |= GSS_DELEG;
    return SEC_E_OK;
}

/* The ticket's PAC: on its own, or in AD-IF-RELEVANT, where KDCs put it. data NULL when it has none. */
static struct slice pac_find(const struct kerberos_request *request)
{
    struct slice pac;
    return krb_authdata_find(request->ticket.authorization, KRB_AD_WIN2K_PAC, &pac) ? pac : (struct slice){0};
}

/* MS-PAC 2.5: LogoffTime and KickOffTime, the earlier of what is set. */
static int64_t logoff_of(const struct pac_logon_info *info)
{
    int64_t logoff = info->logoff_time > 0 ? info->logoff_time : FILETIME_NEVER,
            kick_off = info->kick_off_time > 0 ? info->kick_off_time : FILETIME_NEVER;
    return logoff < kick_off ? logoff : kick_off;
}

static SECURITY_STATUS identity_set(struct kerberos_handshake *handshake, const struct client_identity *identity)
{
    uint8_t room[512];
    AUTO_WRITER struct writer writer = writer_lent(room, sizeof room);
    client_identity_write(&writer, identity);
    bool set = writer_finish(&writer) == WIRE_OK && secret_set(&handshake->identity, writer.data, writer.len);
    return set ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS identity_fill(struct kerberos_handshake *handshake, const struct pac *pac)
{
    struct client_identity identity = {0};
    if (!pac->has_logon_info) /* an MIT KDC's PAC names nobody */
        return SEC_E_OK;
    require(pac_to_identity(pac, &identity) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "the ticket's PAC contradicts itself, or names too many groups"));
    SECURITY_STATUS status = identity_set(handshake, &identity);
    client_identity_release(&identity);
    handshake->has_logon = true;
    handshake->user_flags = pac->logon_info.user_flags;
    handshake->logoff = logoff_of(&pac->logon_info);
    return status;
}

/* RFC 8062: whoever asks a KDC for such a ticket gets it. Off unless the server's flag and the configuration both allow it. Nothing is done in
 * nobody's name elsewhere, either. */
static SECURITY_STATUS nobody_admit(struct kerberos_handshake *handshake)
{
    const struct client_identity nobody = {.user = WELL_KNOWN_ANONYMOUS, .uid = -1, .gid = -1, .anonymous = true};
    require(handshake->credential->config->kerberos_anonymous &&
                (handshake->base.asked & ASC_REQ_ALLOW_NULL_SESSION) != 0,
            cause_set(SEC_E_LOGON_DENIED, "an anonymous client; allow_anonymous in [kerberos] and "
                                          "ASC_REQ_ALLOW_NULL_SESSION together let it in"));
    handshake->nobody = true;
    handshake->gss_flags &= ~(uint32_t)GSS_DELEG;
    secret_release(&handshake->delegated);
    return identity_set(handshake, &nobody);
}

static SECURITY_STATUS pac_take(struct kerberos_handshake *handshake, struct kerberos_request *request)
{
    const struct slice bytes = pac_find(request);
    struct pac pac = {0};
    if (bytes.data == NULL)
        return handshake->credential->config->kerberos_require_pac
                   ? cause_set(SEC_E_LOGON_DENIED, "the ticket has no PAC; require_pac in [kerberos] asks for one")
                   : SEC_E_OK;
    require(pac_decode(bytes, &pac) == WIRE_OK, cause_set(SEC_E_INVALID_TOKEN, "the ticket's PAC is damaged"));
    const struct krb_prepared *prepared = request->prepared != NULL ? &request->prepared[KERBEROS_VERIFIES_PAC] : NULL;
    SECURITY_STATUS status = kerberos_pac_verify(bytes, &pac, &request->ticket_key, prepared, &request->ticket.client,
                                                 request->ticket.auth_time);
    if (status == SEC_E_OK && !handshake->nobody)
        status = identity_fill(handshake, &pac);
    pac_release(&pac);
    try(status);
    /* The whole block moves, for the PAC in it: nothing is copied, and what the request borrows of it stays. */
    handshake->ticket_plain = request->ticket_plain;
    request->ticket_plain = (struct secret){0};
    handshake->authorization = bytes;
    return SEC_E_OK;
}

static SECURITY_STATUS client_fill(struct kerberos_handshake *handshake, struct kerberos_request *request)
{
    const struct slice realm = request->ticket.client.realm;
    handshake->names.client = STEAL(request->client_name);
    handshake->names.server = STEAL(request->server_name);
    handshake->target = STEAL(request->target);
    handshake->names.authority = mem_dup(realm.data, realm.len);
    require(handshake->names.authority != NULL, SEC_E_INSUFFICIENT_MEMORY);
    handshake->base.expiry = filetime_from_unix((time_t)request->ticket.end_time);
    if ((request->ticket.flags & KRB_TICKET_ANONYMOUS) != 0 || krb_name_is_anonymous(&request->ticket.client))
        try(nobody_admit(handshake));
    /* Without the client's own tickets, the one it came with is what S4U2Proxy asks for, by who may ask. */
    bool user_to_user =
        handshake->own_session.enctype != 0; /* such a ticket opens for nobody later, the KDC included */
    bool evidence = handshake->delegated.len == 0 && !user_to_user && !handshake->nobody &&
                    (handshake->credential->use & SECPKG_CRED_OUTBOUND) != 0;
    if (evidence)
        try(kerberos_evidence_write(handshake->kit.krb, request, handshake->names.client, &handshake->delegated));
    return pac_take(handshake, request);
}

static SECURITY_STATUS reply_make(struct kerberos_handshake *handshake, const struct kerberos_request *request,
                                  struct step_out *out)
{
    struct kerberos_exchange *exchange = &handshake->exchange;
    uint8_t room[256];
    AUTO_WRITER struct writer reply = writer_lent(room, sizeof room);
    const struct krb_prepared *prepared = &request->session[KERBEROS_MAKES_REPLY];
    bool dce = (handshake->gss_flags & GSS_DCE_STYLE) != 0;
    /* A subkey of our own, so that the session key is fresh from both sides; RC4 knows none outside DCE style (RFC 1964). */
    bool rc4 = kerberos_initiator_key(exchange)->enctype == KRB_RC4_HMAC;
    try(kerberos_reply_make(exchange, prepared->enctype != 0 ? prepared : NULL, !rc4 || dce, &reply));
    krb_token_write(&out->token, dce ? KRB_RAW : handshake->framing, TOKEN_AP_REP, writer_slice_of(&reply));
    return SEC_E_OK;
}

/* The keys are a password's, perhaps of a salt that somebody forged, or of none that a KDC told: others are kept once they have opened a ticket. */
static SECURITY_STATUS request_open_anew(struct kerberos_handshake *handshake, struct slice message,
                                         struct kerberos_request *request)
{
    struct kerberos_keys *former;
    struct kerberos_kit *kit = &handshake->kit;
    if (!kerberos_keys_renew(handshake->credential, kit->krb, &kit->keys, &former))
        return SEC_E_WRONG_PRINCIPAL;
    cause_drop();
    kerberos_request_release(request);
    *request = (struct kerberos_request){0};
    SECURITY_STATUS status = kerberos_request_open(request, kit->krb, kit->keys, NULL, NULL, message);
    if (former != NULL && !request->unopened)
        kerberos_keys_adopt(handshake->credential, former, kit->keys);
    kerberos_keys_put(former);
    return status;
}

/* The request borrows from the kit's keys. */
static SECURITY_STATUS request_take(struct kerberos_handshake *handshake, struct slice message,
                                    struct kerberos_request *request)
{
    struct kerberos_keys *keys = NULL;
    krb5_context krb = handshake->kit.krb;
    const struct krb_key *own = handshake->own_session.enctype != 0 ? &handshake->own_session : NULL;
    if (own == NULL) {
        try(kerberos_keys_get(handshake->credential, krb, &handshake->kit.keys));
        keys = handshake->kit.keys;
    }
    SECURITY_STATUS status = kerberos_request_open(request, krb, keys, own, handshake->own_name, message);
    if (request->unopened) {
        status = request_open_anew(handshake, message, request);
        keys = handshake->kit.keys;
    }
    try(status);
    kerberos_exchange_of_request(&handshake->exchange, request,
                                 keys != NULL ? keys->permitted : kerberos_enctypes_permitted(krb));
    return SEC_E_OK;
}

static SECURITY_STATUS begin_with(struct kerberos_handshake *handshake, struct slice message,
                                  struct kerberos_request *request, struct step_out *out)
{
    try(request_take(handshake, message, request));
    try(checksum_read(handshake, request));
    try(replay_refuse(handshake->kit.krb, request));
    if (handshake->credential->config->kerberos_shared_replay_cache)
        try(shared_replay_refuse(handshake->kit.krb, request, message));
    try(client_fill(handshake, request));
    handshake->base.granted = flags_granted(handshake->base.asked, handshake->gss_flags);
    handshake->base.granted |= handshake->own_session.enctype != 0 ? ASC_RET_USE_SESSION_KEY : 0;
    handshake->base.granted |= handshake->nobody ? ASC_RET_NULL_SESSION : 0;
    if ((handshake->gss_flags & (GSS_MUTUAL | GSS_DCE_STYLE)) != 0)
        try(reply_make(handshake, request, out));
    if ((handshake->gss_flags & GSS_DCE_STYLE) == 0)
        return kerberos_handshake_finish(handshake, out);
    handshake->base.state = KERBEROS_SERVER_THIRD;
    return SEC_I_CONTINUE_NEEDED;
}

/* A KRB-ERROR for the peer (RFC 4120 5.9.1): the reason as a number, nothing else. */
static void failed(void *opaque, SECURITY_STATUS status, struct step_out *out)
{
    const struct kerberos_handshake *handshake = opaque;
    krb5_context krb = handshake->kit.krb;
    krb5_error error = {0};
    krb5_data encoded = {0};
    krb5_principal server = NULL;
    long code = status == SEC_E_TIME_SKEW         ? KRB5KRB_AP_ERR_SKEW
                : status == SEC_E_WRONG_PRINCIPAL ? KRB5KRB_AP_ERR_NOT_US
                : status == SEC_E_CONTEXT_EXPIRED ? KRB5KRB_AP_ERR_TKT_EXPIRED
                : status == SEC_E_OUT_OF_SEQUENCE ? KRB5KRB_AP_ERR_REPEAT
                                                  : KRB5KRB_ERR_GENERIC;
    out->token.len = 0; /* an AP-REP would say the contrary */
    if ((handshake->base.asked & ASC_REQ_EXTENDED_ERROR) == 0 || handshake->base.state == KERBEROS_SERVER_THIRD ||
        krb5_build_principal(krb, &server, 0, "", "host", "localhost", NULL) != 0)
        return;
    error.error = (krb5_ui_4)(code - ERROR_TABLE_BASE_krb5);
    error.server = server;
    if (krb5_us_timeofday(krb, &error.stime, &error.susec) == 0 && krb5_mk_error(krb, &error, &encoded) == 0) {
        krb_token_write(&out->token, handshake->framing == KRB_USER ? KRB_USER : KRB_FRAMED, TOKEN_ERROR,
                        krb_slice(&encoded));
        krb5_free_data_contents(krb, &encoded);
        out->alert = true;
    }
    krb5_free_principal(krb, server);
}

static SECURITY_STATUS request_answer(struct kerberos_handshake *handshake, struct slice message, struct step_out *out)
{
    struct kerberos_request request = {0};
    SECURITY_STATUS status = begin_with(handshake, message, &request, out);
    kerberos_request_release(&request);
    TRACE("kerberos", "accept %s for %s, flags 0x%x: 0x%08x",
          handshake->names.client != NULL ? handshake->names.client : "(nobody)",
          handshake->names.server != NULL ? handshake->names.server : "(no service)", (unsigned)handshake->gss_flags,
          (unsigned)status);
    return status;
}

/* The server's own TGT, for a client that has asked for it. The key in it opens the AP-REQ to come. */
static SECURITY_STATUS tgt_answer(struct kerberos_handshake *handshake, struct slice message, struct step_out *out)
{
    struct krb_tgt_request request;
    struct krb_name name;
    krb5_creds *tgt = NULL;
    AUTO_WRITER struct writer reply = writer_growing(2048);
    require(krb_tgt_request_parse(message, &request) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "the client's KERB-TGT-REQUEST is damaged"));
    try(kerberos_tgt_get_for_peer(handshake->credential, handshake->kit.krb, &tgt));
    SECURITY_STATUS status = SEC_E_OK;
    if (!krb_key_set(&handshake->own_session, tgt->keyblock.enctype,
                     slice_of(tgt->keyblock.contents, tgt->keyblock.length)))
        status = cause_set(SEC_E_KDC_UNKNOWN_ETYPE, "the key of this side's ticket is of a type that is not supported");
    else {
        handshake->own_name = krb_name_of(tgt->client, &name) ? krb_name_text(&name) : NULL;
        krb_tgt_reply_write(&reply, slice_of(tgt->ticket.data, tgt->ticket.length));
        if (handshake->own_name == NULL || writer_finish(&reply) != WIRE_OK)
            status = SEC_E_INSUFFICIENT_MEMORY;
    }
    krb5_free_creds(handshake->kit.krb, tgt);
    require(status == SEC_E_OK, status);
    krb_token_write(&out->token, KRB_USER, TOKEN_TGT_REP, writer_slice_of(&reply));
    handshake->base.state = KERBEROS_SERVER_USER;
    return SEC_I_CONTINUE_NEEDED;
}

/* Also after the TGT was given away. */
static SECURITY_STATUS begin(void *opaque, const struct step_in *in, struct step_out *out)
{
    struct kerberos_handshake *handshake = opaque;
    enum krb_token id;
    struct slice message;
    bool asked = handshake->base.state == KERBEROS_SERVER_BEGIN; /* a TGT is asked for once */
    require(in->token.len > 0, cause_set(SEC_E_INVALID_TOKEN, "the client's AP-REQ is due, and no token was given"));
    require(krb_token_parse(in->token, &id, &message, &handshake->framing) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "this is not a Kerberos token, or it is damaged"));
    if (id == TOKEN_TGT_REQ && asked)
        return tgt_answer(handshake, message, out);
    require(id == TOKEN_AP_REQ, cause_set(SEC_E_INVALID_TOKEN, "the client's AP-REQ is due, and another message came"));
    return request_answer(handshake, message, out);
}

static SECURITY_STATUS third(void *opaque, const struct step_in *in, struct step_out *out)
{
    struct kerberos_handshake *handshake = opaque;
    enum krb_token id;
    struct slice message;
    enum krb_framing framing;
    require(in->token.len > 0 && krb_token_parse(in->token, &id, &message, &framing) == WIRE_OK && id == TOKEN_AP_REP,
            cause_set(SEC_E_INVALID_TOKEN, "the client's third leg is due, and this is not an AP-REP"));
    try(kerberos_third_open(&handshake->exchange, message));
    return kerberos_handshake_finish(handshake, out);
}

SECURITY_STATUS kerberos_accept(void *credential, void **handshake, const struct step_in *in, struct step_out *out)
{
    static handshake_step *const steps[] = {
        [KERBEROS_SERVER_BEGIN] = begin,
        [KERBEROS_SERVER_USER] = begin,
        [KERBEROS_SERVER_THIRD] = third,
    };
    static const struct handshake_role role = {&kerberos_handshake_kind, false, KERBEROS_SERVER_BEGIN, steps,
                                               COUNT_OF(steps),          failed};
    return handshake_walk(&role, credential, handshake, in, out);
}
