#include "negotiate/handshake.h"

#include "base/memory.h"
#include "base/utf16.h"
#include "core/trace.h"
#include "wire/der.h"

/* The server's side (RFC 4178 3.2 and 5, MS-SPNG 3.2.5). */

/* What a server that fails tells the peer: the package's own words, and in SPNEGO, if it was asked to, a reject with them in it. */
static void failed(void *opaque, SECURITY_STATUS status, struct step_out *out)
{
    struct negotiate_handshake *handshake = opaque;
    (void)status;
    writer_release(&out->token);
    if (handshake->base.state == NEGOTIATE_DIRECT) {
        out->token = handshake->refusal;
        handshake->refusal = (struct writer){0};
    } else if ((handshake->base.asked & ASC_REQ_EXTENDED_ERROR) != 0) {
        const struct spnego_resp resp = {.state = SPNEGO_REJECT, .token = writer_slice_of(&handshake->refusal)};
        out->token = writer_growing(64);
        spnego_resp_write(&out->token, &resp);
    }
    out->alert = writer_finish(&out->token) == WIRE_OK && out->token.len > 0;
}

/* NULL, or the package whose raw token this is. */
static const struct negotiate_inner *raw_of(const struct negotiate_credential *credential, struct slice token)
{
    struct slice mech, inner;
    if (gss_frame_read(token, &mech, &inner) == WIRE_OK)
        return negotiate_inner_of(credential, mech);
    for (unsigned i = 0; i < credential->n_inner; i++) {
        struct slice start = credential->inner[i].package->info.mech.raw_start;
        if (start.len > 0 && token.len >= start.len && slice_equal(slice_of(token.data, start.len), start))
            return &credential->inner[i];
    }
    return NULL;
}

static SECURITY_STATUS begin_raw(struct negotiate_handshake *handshake, const struct negotiate_inner *inner,
                                 const struct step_in *in, struct step_out *out)
{
    negotiate_choose(handshake, inner);
    TRACE("negotiate", "%s%s without SPNEGO", negotiate_audit(handshake), inner->package->info.name);
    handshake->base.state = NEGOTIATE_DIRECT;
    return negotiate_direct(handshake, in, out);
}

/* Datagrams: the server speaks first, and there is no negotiation. Whoever can do that, does. */
static SECURITY_STATUS begin_datagram(struct negotiate_handshake *handshake, const struct step_in *in,
                                      struct step_out *out)
{
    const struct negotiate_credential *credential = handshake->credential;
    char causes[CAUSE_TEXT_MAX] = "";
    SECURITY_STATUS status = SEC_E_UNSUPPORTED_FUNCTION;
    for (unsigned i = 0; i < credential->n_inner; i++) {
        status = begin_raw(handshake, &credential->inner[i], in, out);
        if (status >= 0 || !negotiate_is_unable(status))
            break;
        negotiate_cause_keep(causes, credential->inner[i].package->info.name);
        writer_release(&handshake->refusal); /* one package's alone */
    }
    if (status >= 0)
        cause_drop();
    return status >= 0 ? status : cause_set(status, "%s", causes);
}

static SECURITY_STATUS hint(struct negotiate_handshake *handshake, struct step_out *out)
{
    AUTO_WRITER struct writer list = writer_growing(64);
    try(negotiate_mech_list(handshake->credential, handshake->credential->inner, &list));
    spnego_hints_write(&out->token, writer_slice_of(&list));
    handshake->base.state = NEGOTIATE_SERVER_INIT;
    return SEC_I_CONTINUE_NEEDED;
}

static void answer_write(struct negotiate_handshake *handshake, enum spnego_state state, struct slice token,
                         struct slice mic, struct step_out *out)
{
    struct spnego_resp resp = {.state = state, .token = token, .mic = mic};
    if (!handshake->oid_told)
        resp.mech = handshake->oid;
    handshake->oid_told = true;
    spnego_resp_write(&out->token, &resp);
}

/* The package has ended. A code is sent where the client sent one, and, where one is due and the package's last word is ours, before the client's:
 * never unasked, for Windows' clients take that for an error. */
static SECURITY_STATUS ended(struct negotiate_handshake *handshake, struct slice token, struct slice their_mic,
                             struct step_out *out)
{
    uint8_t room[NEGOTIATE_MIC_MAX];
    struct writer mic = writer_fixed(room, sizeof room);
    bool due;
    try(negotiate_mic_due(handshake, &due));
    if (their_mic.data != NULL)
        try(negotiate_mic_check(handshake, their_mic));
    bool waits = due && !handshake->mic_seen && token.len > 0;
    require(!due || handshake->mic_seen || waits,
            cause_set(SEC_E_MESSAGE_ALTERED,
                      "a code over the list of mechanisms is due, and the client ended without one"));
    if (handshake->mic_seen || waits)
        try(negotiate_mic_make(handshake, &mic));
    answer_write(handshake, waits ? SPNEGO_INCOMPLETE : SPNEGO_COMPLETED, token, writer_slice_of(&mic), out);
    if (!waits)
        return negotiate_finish(handshake, out);
    handshake->base.state = NEGOTIATE_SERVER_MIC;
    return SEC_I_CONTINUE_NEEDED;
}

/* Hands a token to the package and its answer back. */
static SECURITY_STATUS package_step(struct negotiate_handshake *handshake, struct slice token, struct slice mic,
                                    struct step_out *out)
{
    uint8_t room[NEGOTIATE_TOKEN_ROOM];
    AUTO_WRITER struct writer answer = writer_lent(room, sizeof room);
    try(negotiate_framed_check(handshake, negotiate_inner_step(handshake, token, &answer)));
    if (handshake->inner_done)
        return ended(handshake, writer_slice_of(&answer), mic, out);
    require(mic.data == NULL,
            cause_set(SEC_E_INVALID_TOKEN, "a code over the list of mechanisms before there is a key for it"));
    handshake->base.state = NEGOTIATE_SERVER_REPLY;
    answer_write(handshake, SPNEGO_INCOMPLETE, writer_slice_of(&answer), (struct slice){0}, out);
    return SEC_I_CONTINUE_NEEDED;
}

/* Of what the client offers, what stands first here. */
static const struct negotiate_inner *choose(struct negotiate_handshake *handshake, const struct spnego_init *init)
{
    const struct negotiate_credential *credential = handshake->credential;
    for (unsigned i = 0; i < credential->n_inner; i++)
        for (unsigned j = 0; j < init->n_mechs; j++)
            if (negotiate_inner_of(credential, init->mech[j]) == &credential->inner[i]) {
                handshake->oid = init->mech[j]; /* the name that the client used */
                return &credential->inner[i];
            }
    return NULL;
}

static SECURITY_STATUS init_take(struct negotiate_handshake *handshake, struct slice token, struct spnego_init *init)
{
    require(
        spnego_init_parse(token, init) == WIRE_OK,
        cause_set(SEC_E_INVALID_TOKEN, "this is neither a NegTokenInit nor a package's own token, or it is damaged"));
    require(secret_set(&handshake->mech_list, init->mech_list.data, init->mech_list.len), SEC_E_INSUFFICIENT_MEMORY);
    const struct negotiate_inner *chosen = choose(handshake, init);
    require(chosen != NULL,
            cause_set(SEC_E_LOGON_DENIED, "the client offers %u mechanisms, and none of them is here%s%s",
                      init->n_mechs, handshake->credential->missing[0] != '\0' ? "; " : "",
                      handshake->credential->missing));
    /* The name must outlive the token: in our copy of the list it lies where it lay in the client's. */
    handshake->oid.data = handshake->mech_list.data + (handshake->oid.data - init->mech_list.data);
    handshake->preferred = negotiate_inner_of(handshake->credential, init->mech[0]);
    handshake->switched = handshake->preferred != chosen;
    negotiate_choose(handshake, chosen);
    TRACE("negotiate", "%sthe client offers %u mechanisms, %s was chosen%s", negotiate_audit(handshake), init->n_mechs,
          chosen->package->info.name, handshake->switched ? ", which is not its first" : "");
    if (slice_equal(init->mic, init->token))
        init->mic = (struct slice){0}; /* old clients repeat the token where the code belongs */
    return SEC_E_OK;
}

static SECURITY_STATUS init(struct negotiate_handshake *handshake, const struct step_in *in, struct step_out *out)
{
    struct spnego_init init;
    try(init_take(handshake, in->token, &init));
    if (!handshake->switched && init.token.data != NULL)
        return package_step(handshake, init.token, init.mic, out);
    /* The token was for another mechanism, or none came: the client begins with this one. */
    handshake->base.state = NEGOTIATE_SERVER_REPLY;
    answer_write(handshake, handshake->switched ? SPNEGO_REQUEST_MIC : SPNEGO_INCOMPLETE, (struct slice){0},
                 (struct slice){0}, out);
    return SEC_I_CONTINUE_NEEDED;
}

/* The client's first token. One that was sent hints need not heed them: it may know no SPNEGO. */
static SECURITY_STATUS first_token(void *opaque, const struct step_in *in, struct step_out *out)
{
    struct negotiate_handshake *handshake = opaque;
    const struct negotiate_inner *raw = raw_of(handshake->credential, in->token);
    return raw != NULL ? begin_raw(handshake, raw, in, out) : init(handshake, in, out);
}

static SECURITY_STATUS begin(void *opaque, const struct step_in *in, struct step_out *out)
{
    struct negotiate_handshake *handshake = opaque;
    if (in->token.len > 0)
        return first_token(handshake, in, out);
    return (handshake->base.asked & ASC_REQ_DATAGRAM) != 0 ? begin_datagram(handshake, in, out) : hint(handshake, out);
}

static SECURITY_STATUS resp_take(const struct negotiate_handshake *handshake, struct slice token,
                                 struct spnego_resp *resp)
{
    require(token.len > 0, cause_set(SEC_E_INVALID_TOKEN, "the client's answer is due, and no token was given"));
    require(spnego_resp_parse(token, resp) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "this is not a NegTokenResp, or it is damaged"));
    require(resp->state != SPNEGO_REJECT, cause_set(SEC_E_LOGON_DENIED, "the client rejected the negotiation with %s",
                                                    handshake->chosen->package->info.name));
    require(resp->mech.data == NULL || negotiate_inner_of(handshake->credential, resp->mech) == handshake->chosen,
            cause_set(SEC_E_INVALID_TOKEN, "the client answers with a mechanism that was not chosen"));
    if (slice_equal(resp->mic, resp->token))
        resp->mic = (struct slice){0};
    return SEC_E_OK;
}

static SECURITY_STATUS reply(void *opaque, const struct step_in *in, struct step_out *out)
{
    struct negotiate_handshake *handshake = opaque;
    struct spnego_resp resp;
    try(resp_take(handshake, in->token, &resp));
    require(resp.token.data != NULL,
            cause_set(SEC_E_INVALID_TOKEN, "the client's answer has no token, and %s has not ended",
                      handshake->chosen->package->info.name));
    return package_step(handshake, resp.token, resp.mic, out);
}

static SECURITY_STATUS mic_take(struct negotiate_handshake *handshake, struct slice token, struct spnego_resp *resp)
{
    try(resp_take(handshake, token, resp));
    require(resp->token.data == NULL && resp->mic.data != NULL,
            cause_set(SEC_E_MESSAGE_ALTERED, "the client's code over the list of mechanisms is due, and did not come"));
    return negotiate_mic_check(handshake, resp->mic);
}

/* Ours is sent: the client's code, and the end. */
static SECURITY_STATUS mic(void *opaque, const struct step_in *in, struct step_out *out)
{
    struct negotiate_handshake *handshake = opaque;
    struct spnego_resp resp;
    try(mic_take(handshake, in->token, &resp));
    if (resp.state == SPNEGO_INCOMPLETE) /* it waits for a word */
        answer_write(handshake, SPNEGO_COMPLETED, (struct slice){0}, (struct slice){0}, out);
    return negotiate_finish(handshake, out);
}

SECURITY_STATUS negotiate_accept(void *credential, void **handshake, const struct step_in *in, struct step_out *out)
{
    static handshake_step *const steps[] = {
        [NEGOTIATE_SERVER_BEGIN] = begin, [NEGOTIATE_SERVER_INIT] = first_token, [NEGOTIATE_SERVER_REPLY] = reply,
        [NEGOTIATE_SERVER_MIC] = mic,     [NEGOTIATE_DIRECT] = negotiate_direct,
    };
    static const struct handshake_role role = {&negotiate_handshake_kind, false, NEGOTIATE_SERVER_BEGIN, steps,
                                               COUNT_OF(steps),           failed};
    return handshake_walk(&role, credential, handshake, in, out);
}

/* The package's token in one of the client's; of what is damaged nobody waits for anything. */
static struct slice token_inside(const struct negotiate_handshake *handshake, struct slice token)
{
    struct spnego_init first;
    struct spnego_resp later;
    bool begins = handshake == NULL || handshake->base.state == NEGOTIATE_SERVER_BEGIN ||
                  handshake->base.state == NEGOTIATE_SERVER_INIT;
    if (begins && spnego_is_framed(token))
        return spnego_init_parse(token, &first) == WIRE_OK ? first.token : (struct slice){0};
    if (handshake != NULL && handshake->base.state == NEGOTIATE_SERVER_REPLY)
        return spnego_resp_parse(token, &later) == WIRE_OK ? later.token : (struct slice){0};
    return token;
}

bool negotiate_accept_may_wait(void *credential, const void *handshake, const struct step_in *in)
{
    const struct negotiate_credential *own = credential;
    const struct negotiate_handshake *begun = handshake;
    struct step_in inside = *in;
    if (in->token.len == 0 || (begun != NULL && begun->inner_done))
        return false;
    inside.token = token_inside(begun, in->token);
    for (unsigned i = 0; i < own->n_inner; i++) {
        const struct negotiate_inner *inner = &own->inner[i];
        const struct package_authority *table = inner->package->authority;
        if (begun != NULL && begun->chosen != NULL && begun->chosen != inner)
            continue;
        if (inside.token.len > 0 && table->accept_may_wait != NULL &&
            table->accept_may_wait(inner->credential, begun != NULL ? begun->inner : NULL, &inside))
            return true;
    }
    return false;
}
