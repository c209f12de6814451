#include "negotiate/handshake.h"

#include "base/memory.h"
#include "base/utf16.h"
#include "core/trace.h"
#include "negotiate/package.h"
#include "negotiate/session.h"

static void inner_abandon(struct negotiate_handshake *handshake)
{
    if (handshake->inner != NULL && handshake->chosen->package->authority->abandon != NULL)
        handshake->chosen->package->authority->abandon(handshake->inner);
    handshake->inner = NULL;
}

static SECURITY_STATUS begun(void *handshake, void *credential)
{
    ((struct negotiate_handshake *)handshake)->credential = credential;
    return SEC_E_OK;
}

void negotiate_abandon(void *handshake)
{
    struct negotiate_handshake *freed = handshake;
    inner_abandon(freed);
    session_close(freed->mic_session);
    secret_release(&freed->bindings);
    writer_release(&freed->record);
    writer_release(&freed->refusal);
    secret_release(&freed->mech_list);
    handshake_free(&negotiate_handshake_kind, freed);
}

static SECURITY_STATUS bindings_keep(void *handshake, const struct step_in *in)
{
    struct secret *kept = &((struct negotiate_handshake *)handshake)->bindings;
    bool has = in->bindings.data == NULL || secret_set(kept, in->bindings.data, in->bindings.len);
    return has ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

const struct handshake_kind negotiate_handshake_kind = {"Negotiate", sizeof(struct negotiate_handshake), begun,
                                                        negotiate_abandon, bindings_keep};

/* The chosen package knows about its own tokens; behind them a code over the list may be wanted, and the server may choose another package. */
static SECURITY_STATUS last_token(const struct negotiate_handshake *asked, const struct package *chosen,
                                  struct attribute *value)
{
    require(asked->base.initiator,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "which token is the client's last is asked of the initiating side"));
    if (asked->inner == NULL || asked->inner_done || chosen->authority->query_handshake == NULL ||
        chosen->authority->query_handshake(asked->inner, SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS, value) != SEC_E_OK) {
        cause_drop();
        value->number = SecPkgAttrLastClientTokenMaybe;
    }
    return SEC_E_OK;
}

SECURITY_STATUS negotiate_query_handshake(const void *handshake, uint32_t attribute, struct attribute *value)
{
    const struct negotiate_handshake *asked = handshake;
    bool guess = asked->base.state == NEGOTIATE_CLIENT_FIRST; /* the client's; the server may choose another */
    uint32_t state = asked->base.state == NEGOTIATE_DIRECT ? SECPKG_NEGOTIATION_DIRECT
                     : guess                               ? SECPKG_NEGOTIATION_OPTIMISTIC
                                                           : SECPKG_NEGOTIATION_IN_PROGRESS;
    const struct package *chosen = asked->chosen != NULL ? asked->chosen->package : &negotiate_package;
    if (negotiate_choice(chosen, state, attribute, value))
        return SEC_E_OK;
    if (attribute == SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS)
        return last_token(asked, chosen, value);
    /* The package has ended, the code is on its way: until it has come nobody is who he says, and names and keys are not told. */
    bool harmless = attribute == SECPKG_ATTR_SIZES || attribute == SECPKG_ATTR_KEY_INFO ||
                    attribute == SECPKG_ATTR_TARGET_INFORMATION;
    if (asked->inner_done && asked->mic_session != NULL && harmless)
        return session_query(asked->mic_session, attribute, value);
    require(asked->inner != NULL && !asked->inner_done && chosen->authority->query_handshake != NULL,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "attribute %u is known once the handshake has ended",
                      (unsigned)attribute));
    return chosen->authority->query_handshake(asked->inner, attribute, value);
}

SECURITY_STATUS negotiate_complete(void *handshake, struct slice_mut token, struct step_out *out)
{
    struct negotiate_handshake *now = handshake;
    require(now->inner != NULL && now->chosen->package->authority->complete != NULL,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "the chosen package has no tokens to complete"));
    struct step_out inner = {.record = writer_growing(768), .granted = out->granted, .expiry = out->expiry};
    SECURITY_STATUS status = now->chosen->package->authority->complete(now->inner, token, &inner);
    if (status == SEC_E_OK && inner.record.len > 0)
        status = negotiate_record_write(&out->record, writer_slice_of(&inner.record));
    writer_release(&inner.record);
    return status;
}

void negotiate_choose(struct negotiate_handshake *handshake, const struct negotiate_inner *inner)
{
    inner_abandon(handshake);
    session_close(handshake->mic_session);
    handshake->mic_session = NULL;
    writer_release(&handshake->record);
    writer_release(&handshake->refusal);
    handshake->inner_done = handshake->mic_asked = handshake->signs_list = false;
    handshake->base.granted = 0;
    handshake->base.expiry = 0;
    handshake->chosen = inner;
}

const char *negotiate_audit(const struct negotiate_handshake *handshake)
{
    bool audited = handshake->credential->config->negotiate_ntlm_fallback == FALLBACK_AUDIT &&
                   text_equal_fold(handshake->chosen->package->info.name, "NTLM");
    return audited ? "audit: " : "";
}

/* Integrity is what the code over the list is made with: a client asks the package for it even where the application does not, as Windows does. */
static uint32_t inner_flags(const struct negotiate_handshake *handshake)
{
    bool adds = handshake->base.initiator && handshake->base.state != NEGOTIATE_DIRECT &&
                (handshake->base.asked & (ISC_REQ_NO_INTEGRITY | ISC_REQ_DATAGRAM)) == 0;
    return handshake->base.asked | (adds ? ISC_REQ_INTEGRITY : 0);
}

static SECURITY_STATUS inner_outcome(struct negotiate_handshake *handshake, SECURITY_STATUS status,
                                     struct step_out *out)
{
    require(status >= 0, status);
    require(writer_finish(&out->token) == WIRE_OK && writer_finish(&out->record) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    handshake->base.granted = out->granted;
    handshake->base.expiry = out->expiry;
    handshake->mic_asked = handshake->mic_asked || out->wants_list_mic;
    handshake->signs_list = handshake->signs_list || out->signs_list;
    if (out->record.len > 0) {
        writer_release(&handshake->record);
        handshake->record = out->record;
        out->record = (struct writer){0};
    }
    handshake->inner_done = status == SEC_E_OK;
    return status;
}

/* What a package that failed says to the peer. A copy: the answer may lie in the room of the call that is running, and the handshake outlives that.
 * */
static void refusal_keep(struct negotiate_handshake *handshake, const struct writer *words)
{
    writer_release(&handshake->refusal);
    handshake->refusal = writer_growing(words->len);
    writer_slice(&handshake->refusal, writer_slice_of(words));
    if (writer_finish(words) != WIRE_OK || writer_finish(&handshake->refusal) != WIRE_OK)
        writer_release(&handshake->refusal); /* words that were cut off are none */
}

SECURITY_STATUS negotiate_inner_step(struct negotiate_handshake *handshake, struct slice token, struct writer *answer)
{
    const struct package *package = handshake->chosen->package;
    const struct package_authority *table = package->authority;
    SECURITY_STATUS(*step)
    (void *, void **, const struct step_in *, struct step_out *) =
        handshake->base.initiator ? table->initiate : table->accept;
    require(step != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    require(token.len <= package->info.max_token,
            cause_set(SEC_E_INVALID_TOKEN, "a token of %zu bytes for %s, whose longest is %u", token.len,
                      package->info.name, (unsigned)package->info.max_token));
    const struct step_in in = {
        .token = token.len > 0 ? token : (struct slice){0},
        .bindings = secret_slice(&handshake->bindings),
        .target = handshake->base.target,
        .flags = inner_flags(handshake),
    };
    struct step_out out = {.token = *answer,
                           .record = writer_growing(768),
                           .granted = handshake->base.granted,
                           .expiry = handshake->base.expiry};
    SECURITY_STATUS status = step(handshake->chosen->credential, &handshake->inner, &in, &out);
    bool refused = status < 0 && status != SEC_E_INCOMPLETE_MESSAGE && out.alert;
    *answer = out.token;
    status = inner_outcome(handshake, status, &out);
    if (refused)
        refusal_keep(handshake, answer);
    if (status < 0) /* a token that the package did not mean for this is no word of a failure */
        writer_release(answer);
    writer_release(&out.record);
    return status;
}

SECURITY_STATUS negotiate_framed_check(const struct negotiate_handshake *handshake, SECURITY_STATUS status)
{
    require(status <= 0 || status == SEC_I_CONTINUE_NEEDED,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "%s wants its tokens completed, which SPNEGO does not know",
                      handshake->chosen->package->info.name));
    return status < 0 ? status : SEC_E_OK;
}

SECURITY_STATUS negotiate_direct_done(struct negotiate_handshake *handshake, SECURITY_STATUS status,
                                      struct step_out *out)
{
    handshake->base.state = NEGOTIATE_DIRECT;
    require(status >= 0, status);
    if (handshake->record.len > 0) { /* a datagram context has it before its handshake ends, and not again then */
        try(negotiate_record_write(&out->record, writer_slice_of(&handshake->record)));
        writer_release(&handshake->record);
    }
    if (status == SEC_E_OK && handshake->inner == NULL)
        handshake->base.state = HANDSHAKE_DONE;
    return status;
}

SECURITY_STATUS negotiate_direct(void *opaque, const struct step_in *in, struct step_out *out)
{
    struct negotiate_handshake *handshake = opaque;
    return negotiate_direct_done(handshake, negotiate_inner_step(handshake, in->token, &out->token), out);
}

/* RFC 4178 5 and MS-SPNG appendix A on mechListMIC: where the chosen mechanism is not the preferred one, where the package's messages carried a code
 * of their own, and where the peer asks. Integrity has one bit on each side. A null session's code proves nothing, and there is nothing to prove:
 * peers that sign with its key expect it. */
SECURITY_STATUS negotiate_mic_due(const struct negotiate_handshake *handshake, bool *due)
{
    bool integrity =
        handshake->signs_list ||
        (handshake->base.granted & (handshake->base.initiator ? ISC_RET_INTEGRITY : ASC_RET_INTEGRITY)) != 0;
    require(
        integrity || !handshake->switched,
        cause_set(SEC_E_UNSUPPORTED_FUNCTION,
                  "%s was chosen instead of what the client prefers, and without integrity nothing shows that nobody "
                  "changed the list",
                  handshake->chosen->package->info.name));
    *due = integrity && (handshake->switched || handshake->mic_asked);
    return SEC_E_OK;
}

/* Opens the session if that is still to do, and lets the package make both codes where it can. */
static SECURITY_STATUS mic_open(struct negotiate_handshake *handshake)
{
    if (handshake->mic_session != NULL)
        return SEC_E_OK;
    try(session_open_chosen(writer_slice_of(&handshake->record), &handshake->mic_session));
    const struct package_session *table = handshake->mic_session->package->session;
    handshake->codes.len = 0;
    if (table->list_codes == NULL)
        return SEC_E_OK;
    SECURITY_STATUS status =
        table->list_codes(handshake->mic_session->state, secret_slice(&handshake->mech_list), &handshake->codes);
    return status == SEC_E_UNSUPPORTED_FUNCTION ? SEC_E_OK : status;
}

static SECURITY_STATUS signature_len(const struct negotiate_handshake *handshake, size_t *len)
{
    struct attribute value = {0};
    try(session_query(handshake->mic_session, SECPKG_ATTR_SIZES, &value));
    *len = value.sizes.max_signature;
    require(*len <= NEGOTIATE_MIC_MAX, cause_set(SEC_E_INTERNAL_ERROR, "a signature of %zu bytes", *len));
    return SEC_E_OK;
}

/* The list as the one segment of a message that is signed, never changed. */
static void mic_message(const struct negotiate_handshake *handshake, struct slice_mut token, struct message *message)
{
    message->token = token;
    message->padding = message->stream = message->stream_data = (struct slice_mut){0};
    message->data[0] = (struct segment){handshake->mech_list.data, handshake->mech_list.len, true};
    message->n_data = 1;
}

static SECURITY_STATUS list_sign(const struct negotiate_handshake *handshake, struct writer *mic)
{
    struct message message;
    uint8_t room[NEGOTIATE_MIC_MAX];
    size_t len;
    const struct package_session *table = handshake->mic_session->package->session;
    require(table->sign != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    try(signature_len(handshake, &len));
    mic_message(handshake, (struct slice_mut){room, len}, &message);
    try(table->sign(handshake->mic_session->state, 0, &message, 0));
    writer_bytes(mic, room, message.token.len);
    return SEC_E_OK;
}

SECURITY_STATUS negotiate_mic_make(struct negotiate_handshake *handshake, struct writer *mic)
{
    try(mic_open(handshake));
    if (handshake->codes.len > 0)
        writer_bytes(mic, handshake->codes.own, handshake->codes.len);
    else
        try(list_sign(handshake, mic));
    handshake->mic_sent = true;
    return writer_finish(mic) == WIRE_OK ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS list_verify(const struct negotiate_handshake *handshake, struct slice mic)
{
    struct message message;
    uint8_t room[NEGOTIATE_MIC_MAX];
    uint32_t qop = 0;
    const struct package_session *table = handshake->mic_session->package->session;
    struct writer copy = writer_fixed(room, sizeof room); /* packages may work in place */
    writer_slice(&copy, mic);
    mic_message(handshake, (struct slice_mut){room, mic.len}, &message);
    return table->verify(handshake->mic_session->state, &message, 0, &qop);
}

SECURITY_STATUS negotiate_mic_check(struct negotiate_handshake *handshake, struct slice mic)
{
    const struct list_codes *codes = &handshake->codes;
    require(!handshake->mic_seen, cause_set(SEC_E_OUT_OF_SEQUENCE, "a second code over the list of mechanisms"));
    require(mic.len <= NEGOTIATE_MIC_MAX, cause_set(SEC_E_INVALID_TOKEN, "a code of %zu bytes over the list", mic.len));
    try(mic_open(handshake));
    require(handshake->mic_session->package->session->verify != NULL, SEC_E_UNSUPPORTED_FUNCTION);
    bool equal = codes->len > 0 && mic.len == codes->len && secret_equal(codes->peer, mic.data, mic.len);
    SECURITY_STATUS status = equal            ? SEC_E_OK
                             : codes->len > 0 ? cause_set(SEC_E_MESSAGE_ALTERED, "it does not fit the list")
                                              : list_verify(handshake, mic);
    if (status != SEC_E_OK) {
        char why[CAUSE_TEXT_MAX] = "";
        negotiate_cause_keep(why, handshake->chosen->package->info.name);
        return cause_set(status == SEC_E_INSUFFICIENT_MEMORY ? status : SEC_E_MESSAGE_ALTERED,
                         "the code over the list of mechanisms is wrong: the list was changed on its way (%s)", why);
    }
    handshake->mic_seen = true;
    return SEC_E_OK;
}

/* A session that signed the list goes on where that left it. */
static SECURITY_STATUS session_give(struct negotiate_handshake *handshake, struct step_out *out)
{
    struct session *signer = handshake->mic_session;
    if (signer == NULL)
        return negotiate_record_write(&out->record, writer_slice_of(&handshake->record));
    if (signer->package->session->list_signed != NULL)
        try(signer->package->session->list_signed(signer->state, handshake->mic_sent, handshake->mic_seen));
    out->session = session_wrap(&negotiate_package, signer);
    require(out->session != NULL, SEC_E_INSUFFICIENT_MEMORY);
    handshake->mic_session = NULL;
    return SEC_E_OK;
}

SECURITY_STATUS negotiate_finish(struct negotiate_handshake *handshake, struct step_out *out)
{
    try(session_give(handshake, out));
    handshake->base.state = HANDSHAKE_DONE;
    TRACE("negotiate", "%s it is%s%s", handshake->chosen->package->info.name,
          handshake->mic_sent ? ", list signed" : "", handshake->mic_seen ? ", list verified" : "");
    return SEC_E_OK;
}
