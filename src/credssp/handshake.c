#include "credssp/handshake.h"

#include "base/reader.h"
#include "core/cause.h"
#include "core/trace.h"
#include "credssp/session.h"
#include <schannel.h>

static const struct handshake_kind credssp_handshake_kind;

void credssp_abandon(void *handshake)
{
    struct credssp_handshake *freed = handshake;
    if (freed->inner != NULL && freed->credential->inner_credential->authority->abandon != NULL)
        freed->credential->inner_credential->authority->abandon(freed->inner);
    session_close(freed->session);
    channel_release(&freed->channel);
    secret_release(&freed->public_key);
    secret_release(&freed->authorized);
    writer_release(&freed->refusal);
    credssp_release(freed->credential);
    handshake_free(&credssp_handshake_kind, freed);
}

static SECURITY_STATUS begun(void *opaque, void *credential)
{
    struct credssp_handshake *handshake = opaque;
    handshake->credential = credssp_retain(credential);
    handshake->role = handshake->base.initiator ? &credssp_client : &credssp_server;
    try(channel_init(&handshake->channel, credential, handshake->base.initiator, handshake->base.target));
    try(credssp_ts_credentials(credential, &handshake->authorized));
    return handshake->role->begun != NULL ? handshake->role->begun(handshake) : SEC_E_OK;
}

SECURITY_STATUS credssp_query_handshake(const void *handshake, uint32_t attribute, struct attribute *value)
{
    const struct credssp_handshake *asked = handshake;
    const struct package *tls = asked->credential->tls;
    /* As of a session: whoever asks has the token made, and is told that there is none yet. */
    if (attribute == SECPKG_ATTR_C_ACCESS_TOKEN || attribute == SECPKG_ATTR_C_FULL_ACCESS_TOKEN)
        return SEC_E_OK;
    require(asked->channel.handshake != NULL && tls != NULL && tls->authority->query_handshake != NULL &&
                attribute != SECPKG_ATTR_PACKAGE_INFO && attribute != SECPKG_ATTR_NEGOTIATION_PACKAGE,
            cause_set(SEC_E_INVALID_HANDLE, "this CREDSSP context is not established"));
    return tls->authority->query_handshake(asked->channel.handshake, attribute, value);
}

SECURITY_STATUS credssp_control(void *handshake, struct slice token)
{
    struct credssp_handshake *now = handshake;
    const struct package *tls = now->credential->tls;
    uint32_t wish = SCHANNEL_SESSION;
    struct reader reader = reader_of(token);
    require(now->channel.handshake != NULL && tls != NULL && tls->authority->control != NULL,
            cause_set(SEC_E_OUT_OF_SEQUENCE, "there is no TLS connection yet"));
    bool ended = now->base.state == HANDSHAKE_DONE, known = reader_u32le(&reader, &wish) == WIRE_OK;
    require(ended || !known || wish != SCHANNEL_RENEGOTIATE,
            cause_set(SEC_E_OUT_OF_SEQUENCE, "TLS is not negotiated anew inside a CredSSP handshake"));
    try(tls->authority->control(now->channel.handshake, token));
    if (!ended && (wish == SCHANNEL_SHUTDOWN || wish == SCHANNEL_ALERT))
        now->told = true;
    return SEC_E_OK;
}

/* What the program told TLS is the next step's business, before anything of CredSSP's. */
static bool told_take(struct credssp_handshake *handshake)
{
    bool told = handshake->told;
    handshake->told = false;
    return told;
}

/* The peer's version: told with its first request, and never another one after. */
static SECURITY_STATUS version_take(struct credssp_handshake *handshake, uint32_t version)
{
    const struct config *config = handshake->credential->config;
    require(handshake->peer_version == 0 || handshake->peer_version == version,
            cause_set(SEC_E_INVALID_TOKEN, "the peer told version %u of CredSSP, and now %u",
                      (unsigned)handshake->peer_version, (unsigned)version));
    require(version >= TS_VERSION_MIN, cause_set(SEC_E_INVALID_TOKEN, "version %u of CredSSP", (unsigned)version));
    handshake->too_old = version < config->credssp_min_version;
    if (handshake->too_old)
        handshake->peer_version = version; /* what it is told depends on it */
    require(!handshake->too_old,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION,
                      "the peer knows version %u of CredSSP; min_version in [credssp] is %u: older ones bind the "
                      "server's key in a way that can be abused",
                      (unsigned)version, config->credssp_min_version));
    handshake->peer_version = version;
    handshake->version = version < config->credssp_max_version ? version : config->credssp_max_version;
    return SEC_E_OK;
}

static SECURITY_STATUS nonce_take(struct credssp_handshake *handshake, struct slice nonce)
{
    if (nonce.data == NULL ||
        handshake->base.initiator) /* servers may send the client's back; it is ours that counts */
        return SEC_E_OK;
    require(!handshake->has_nonce || secret_equal(nonce.data, handshake->nonce, TS_NONCE_LEN),
            cause_set(SEC_E_MESSAGE_ALTERED, "the client's nonce has changed"));
    struct writer to = writer_fixed(handshake->nonce, TS_NONCE_LEN);
    writer_slice(&to, nonce);
    handshake->has_nonce = true;
    return SEC_E_OK;
}

SECURITY_STATUS request_send(struct credssp_handshake *handshake, struct ts_request *request, struct writer *token)
{
    AUTO_WRITER struct writer bytes = writer_growing(1024);
    request->version = handshake->credential->config->credssp_max_version; /* always: peers refuse one that changes */
    ts_request_write(&bytes, request);
    require(writer_finish(&bytes) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    if (!handshake->credential->bare)
        return channel_send(&handshake->channel, writer_slice_of(&bytes), token);
    writer_slice(token, writer_slice_of(&bytes));
    return writer_finish(token) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* What the inner handshake has to give: keys to seal with. ISC_ and ASC_REQ_ have the same bits but for a few. */
static uint32_t inner_flags(const struct credssp_handshake *handshake)
{
    _Static_assert(ISC_REQ_CONFIDENTIALITY == ASC_REQ_CONFIDENTIALITY && ISC_REQ_MUTUAL_AUTH == ASC_REQ_MUTUAL_AUTH &&
                       ISC_REQ_SEQUENCE_DETECT == ASC_REQ_SEQUENCE_DETECT &&
                       ISC_REQ_REPLAY_DETECT == ASC_REQ_REPLAY_DETECT && ISC_REQ_CONNECTION == ASC_REQ_CONNECTION,
                   "one set for both");
    return ISC_REQ_CONFIDENTIALITY | ISC_REQ_MUTUAL_AUTH | ISC_REQ_SEQUENCE_DETECT | ISC_REQ_REPLAY_DETECT |
           ISC_REQ_CONNECTION | (handshake->base.initiator ? ISC_REQ_INTEGRITY : ASC_REQ_INTEGRITY);
}

/* The inner handshake has ended, for this side. */
static SECURITY_STATUS inner_end(struct credssp_handshake *handshake, struct step_out *out)
{
    require((out->granted & ISC_RET_CONFIDENTIALITY) != 0,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "CredSSP needs confidentiality, which was not negotiated"));
    try(session_of_step(out, &handshake->session));
    require(handshake->session != NULL, cause_set(SEC_E_INTERNAL_ERROR, "the inner handshake ended without a session"));
    handshake->inner_granted = out->granted;
    handshake->inner_expiry = out->expiry;
    handshake->inner_done = true;
    return SEC_E_OK;
}

SECURITY_STATUS inner_step(struct credssp_handshake *handshake, struct slice token, struct writer *answer)
{
    const struct package *package = handshake->credential->inner;
    const struct credential *who = handshake->credential->inner_credential;
    SECURITY_STATUS(*step)
    (void *, void **, const struct step_in *, struct step_out *) =
        handshake->base.initiator ? who->authority->initiate : who->authority->accept;
    require(token.len <= package->info.max_token,
            cause_set(SEC_E_INVALID_TOKEN, "a token of %zu bytes for %s, whose longest is %u", token.len,
                      package->info.name, (unsigned)package->info.max_token));
    const struct step_in in = {
        .token = token.len > 0 ? token : (struct slice){0},
        .target = handshake->base.target,
        .flags = inner_flags(handshake),
    };
    struct step_out out = {.token = *answer, .record = writer_growing(768)};
    SECURITY_STATUS status = step(who->own, &handshake->inner, &in, &out);
    bool refused = status < 0 && out.alert && writer_finish(&out.token) == WIRE_OK;
    *answer = out.token;
    if (status >= 0 && (writer_finish(answer) != WIRE_OK || writer_finish(&out.record) != WIRE_OK))
        status = SEC_E_INSUFFICIENT_MEMORY;
    if (status == SEC_E_OK)
        status = inner_end(handshake, &out);
    writer_release(&out.record);
    session_close(out.session);
    if (status >= 0 && status != SEC_E_OK && status != SEC_I_CONTINUE_NEEDED)
        status = cause_set(SEC_E_UNSUPPORTED_FUNCTION, "%s wants its tokens completed, which CredSSP does not know",
                           package->info.name);
    if (status < 0 && !refused) /* a token that the package did not mean for this is no word of a failure */
        writer_release(answer);
    return status;
}

#define PADDING_MAX 16 /* a cipher's block */

SECURITY_STATUS inner_seal(struct credssp_handshake *handshake, struct slice plain, struct writer *sealed)
{
    const struct session *session = handshake->session;
    struct attribute value = {0};
    AUTO_SECRET struct secret room = {0};
    try(session_query(session, SECPKG_ATTR_SIZES, &value));
    require(session->package->session->seal != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    size_t trailer = value.sizes.trailer;
    require(secret_alloc(&room, trailer + plain.len + PADDING_MAX), SEC_E_INSUFFICIENT_MEMORY);
    struct writer copy = writer_fixed(room.data + trailer, plain.len);
    writer_slice(&copy, plain);
    struct message message = {.n_data = 1};
    message.token = (struct slice_mut){room.data, trailer};
    message.data[0] = (struct segment){.data = room.data + trailer, .len = plain.len};
    message.padding = (struct slice_mut){room.data + trailer + plain.len, PADDING_MAX};
    try(session->package->session->seal(session->state, 0, &message, handshake->sent++));
    writer_bytes(sealed, message.token.data, message.token.len);
    writer_bytes(sealed, message.data[0].data, message.data[0].len);
    writer_bytes(sealed, message.padding.data, message.padding.len);
    return writer_finish(sealed) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

SECURITY_STATUS inner_unseal(struct credssp_handshake *handshake, struct slice sealed, struct secret *plain)
{
    const struct session *session = handshake->session;
    AUTO_SECRET struct secret copy = {0};
    uint32_t qop = 0;
    require(session->package->session->unseal != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    require(sealed.len > 0, cause_set(SEC_E_INVALID_TOKEN, "a sealed field of no bytes"));
    require(secret_set(&copy, sealed.data, sealed.len), SEC_E_INSUFFICIENT_MEMORY);
    struct message message = {.stream = {copy.data, copy.len}};
    try(session->package->session->unseal(session->state, &message, handshake->received++, &qop));
    require(qop != SECQOP_WRAP_NO_ENCRYPT,
            cause_set(SEC_E_MESSAGE_ALTERED, "a field that has to be sealed came signed alone"));
    return secret_set(plain, message.stream_data.data, message.stream_data.len) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

SECURITY_STATUS binding_seal(struct credssp_handshake *handshake, struct writer *sealed)
{
    AUTO_SECRET struct secret text = {0};
    require(handshake->public_key.len > 0,
            cause_set(SEC_E_INVALID_TOKEN, "TSSSP needs the server's certificate in a second TOKEN buffer"));
    try(binding_text(handshake->base.initiator ? BINDING_CLIENT : BINDING_SERVER, handshake->version, handshake->nonce,
                     secret_slice(&handshake->public_key), &text));
    return inner_seal(handshake, secret_slice(&text), sealed);
}

SECURITY_STATUS binding_check(struct credssp_handshake *handshake, struct slice sealed)
{
    AUTO_SECRET struct secret expected = {0}, text = {0};
    require(handshake->public_key.len > 0,
            cause_set(SEC_E_INVALID_TOKEN, "TSSSP needs the server's certificate in a second TOKEN buffer"));
    try(binding_text(handshake->base.initiator ? BINDING_SERVER : BINDING_CLIENT, handshake->version, handshake->nonce,
                     secret_slice(&handshake->public_key), &expected));
    try(inner_unseal(handshake, sealed, &text));
    require(text.len == expected.len && secret_equal(text.data, expected.data, text.len),
            cause_set(SEC_E_MESSAGE_ALTERED, "the %s has seen another TLS key than this side: somebody stands between",
                      handshake->base.initiator ? "server" : "client"));
    return SEC_E_OK;
}

SECURITY_STATUS handshake_finish(struct credssp_handshake *handshake, struct step_out *out)
{
    _Static_assert(ISC_RET_REPLAY_DETECT == ASC_RET_REPLAY_DETECT &&
                       ISC_RET_SEQUENCE_DETECT == ASC_RET_SEQUENCE_DETECT &&
                       ISC_RET_CONFIDENTIALITY == ASC_RET_CONFIDENTIALITY,
                   "one set for both");
    uint32_t granted = ISC_RET_REPLAY_DETECT | ISC_RET_SEQUENCE_DETECT | ISC_RET_CONFIDENTIALITY;
    if (!handshake->credential->bare)
        granted |= handshake->base.initiator ? ISC_RET_STREAM : ASC_RET_STREAM;
    if (handshake->base.initiator ? handshake->server_auth != 0 : (handshake->inner_granted & ASC_RET_MUTUAL_AUTH) != 0)
        granted |= ISC_RET_MUTUAL_AUTH; /* the acceptor's is the same bit, like the next one's */
    if (handshake->handed_over)
        granted |= ISC_RET_DELEGATE;
    if (handshake->base.initiator && handshake->credential->source == CREDSSP_SOURCE_FRESH)
        granted |= ISC_RET_USED_SUPPLIED_CREDS;
    handshake->base.granted = granted;
    handshake->base.expiry = handshake->inner_expiry;
    TRACE("credssp", "version %u, %s inside, credentials %s", (unsigned)handshake->version,
          handshake->credential->inner->info.name, handshake->handed_over ? "handed over" : "not handed over");
    try(credssp_session_make(handshake, &out->stream));
    handshake->base.state = HANDSHAKE_DONE;
    return SEC_E_OK;
}

static SECURITY_STATUS request_run(struct credssp_handshake *handshake, struct slice bytes, struct step_out *out)
{
    struct ts_request request;
    unsigned state = handshake->base.state;
    require(ts_request_parse(bytes, &request) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "what came is no TSRequest, or it is damaged"));
    try(version_take(handshake, request.version));
    try(nonce_take(handshake, request.nonce));
    require(handshake->role->steps[state] != NULL, cause_set(SEC_E_OUT_OF_SEQUENCE, "a TSRequest, and none is due"));
    SECURITY_STATUS status = handshake->role->steps[state](handshake, &request, out);
    /* A TSRequest is whole: no more bytes can mend what is inside it. */
    require(status != SEC_E_INCOMPLETE_MESSAGE,
            cause_set(SEC_E_INVALID_TOKEN, "a token inside a TSRequest that is cut off"));
    return status;
}

/* TLS is open: takes a TSRequest off what was received, and answers it. */
static SECURITY_STATUS records_take(struct credssp_handshake *handshake, struct slice input, struct step_out *out)
{
    size_t left;
    SECURITY_STATUS status = channel_receive(&handshake->channel, input, out, &left);
    if (status == SEC_E_OK) {
        status = request_run(handshake, writer_slice_of(&handshake->channel.received), out);
        writer_release(&handshake->channel.received);
        handshake->channel.received = writer_growing(4096);
    }
    out->extra = left;
    return status;
}

/* TLS' own handshake, and what came glued to its end. */
static SECURITY_STATUS tls_run(void *opaque, const struct step_in *in, struct step_out *out)
{
    struct credssp_handshake *handshake = opaque;
    bool told = told_take(handshake);
    SECURITY_STATUS status = channel_step(&handshake->channel, in, out);
    if (status != SEC_E_OK || told)
        return status;
    size_t extra = out->extra;
    out->extra = 0;
    require(handshake->channel.session != NULL,
            cause_set(SEC_E_CONTEXT_EXPIRED, "TLS was closed before it was established"));
    try(channel_public_key(&handshake->channel, &handshake->public_key));
    status = handshake->role->opened(handshake, out);
    if (status != SEC_I_CONTINUE_NEEDED || extra == 0)
        return status;
    status = records_take(handshake, slice_of(in->token.data + (in->token.len - extra), extra), out);
    if (status == SEC_E_INCOMPLETE_MESSAGE) { /* the handshake was whole, what follows is not yet */
        out->extra = extra;
        return SEC_I_CONTINUE_NEEDED;
    }
    return status;
}

/* TSSSP: each token is a TSRequest, and the channel's certificate comes with one of them, or before. */
static SECURITY_STATUS bare_run(void *opaque, const struct step_in *in, struct step_out *out)
{
    struct credssp_handshake *handshake = opaque;
    struct slice token = in->token.data != in->second.data ? in->token : (struct slice){0};
    if (in->second.len > 0 && handshake->public_key.len == 0) {
        try(channel_show(&handshake->channel, in->second));
        try(channel_public_key(&handshake->channel, &handshake->public_key));
    }
    if (handshake->base.state == CREDSSP_TLS) {
        require(!handshake->base.initiator || token.len == 0,
                cause_set(SEC_E_INVALID_TOKEN, "the client of CredSSP speaks first"));
        SECURITY_STATUS status = handshake->role->opened(handshake, out);
        require(status == SEC_I_CONTINUE_NEEDED && !handshake->base.initiator, status);
    }
    return request_run(handshake, token, out);
}

static SECURITY_STATUS request_take(void *opaque, const struct step_in *in, struct step_out *out)
{
    struct credssp_handshake *handshake = opaque;
    return told_take(handshake) ? channel_step(&handshake->channel, in, out) : records_take(handshake, in->token, out);
}

/* After the end TLS may have more to say. */
static SECURITY_STATUS channel_talk(void *handshake, const struct step_in *in, struct step_out *out)
{
    return channel_step(&((struct credssp_handshake *)handshake)->channel, in, out);
}

static void failed(void *opaque, SECURITY_STATUS status, struct step_out *out)
{
    struct credssp_handshake *handshake = opaque;
    bool open = handshake->credential->bare ? handshake->base.state != CREDSSP_TLS : handshake->channel.session != NULL;
    if (open && handshake->role->failed != NULL)
        handshake->role->failed(handshake, status, out);
}

static const struct handshake_kind credssp_handshake_kind = {"CredSSP", sizeof(struct credssp_handshake), begun,
                                                             credssp_abandon, NULL};

static SECURITY_STATUS walk(bool initiator, struct credssp_credential *credential, void **handshake,
                            const struct step_in *in, struct step_out *out)
{
    static handshake_step *const over_tls[CREDSSP_STATES] = {
        [HANDSHAKE_DONE] = channel_talk,
        [CREDSSP_TLS] = tls_run,
        [CREDSSP_CLIENT_NEGO... CREDSSP_SERVER_CREDENTIALS] = request_take,
    };
    static handshake_step *const bare[CREDSSP_STATES] = {[CREDSSP_TLS... CREDSSP_SERVER_CREDENTIALS] = bare_run};
    const struct handshake_role role = {
        &credssp_handshake_kind, initiator, CREDSSP_TLS, credential->bare ? bare : over_tls, CREDSSP_STATES, failed};
    return handshake_walk(&role, credential, handshake, in, out);
}

SECURITY_STATUS credssp_initiate(void *credential, void **handshake, const struct step_in *in, struct step_out *out)
{
    return walk(true, credential, handshake, in, out);
}

SECURITY_STATUS credssp_accept(void *credential, void **handshake, const struct step_in *in, struct step_out *out)
{
    return walk(false, credential, handshake, in, out);
}
