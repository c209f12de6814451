#include "negotiate/handshake.h"

#include "base/memory.h"
#include "base/utf16.h"
#include "core/trace.h"
#include <stdio.h>
#include <string.h>

/* The client's side (RFC 4178 3.2 and 5, MS-SPNG 3.1.5). */

/* The list that goes out: the package whose token goes with it, then those of less preference. */
static SECURITY_STATUS list_make(struct negotiate_handshake *handshake)
{
    uint8_t room[64];
    AUTO_WRITER struct writer list = writer_lent(room, sizeof room);
    try(negotiate_mech_list(handshake->credential, handshake->chosen, &list));
    return secret_set(&handshake->mech_list, list.data, list.len) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* A package where one of more preference was there: what ntlm_fallback speaks of. Kept for the cause of a later failure. */
static void fallback_note(struct negotiate_handshake *handshake)
{
    const struct negotiate_credential *credential = handshake->credential;
    const char *name = handshake->chosen->package->info.name;
    const char *audit = negotiate_audit(handshake);
    size_t len = strlen(handshake->fallback);
    if (handshake->chosen->unable_len > 0)
        snprintf(handshake->fallback + len, sizeof handshake->fallback - len, "%s%.*s", len > 0 ? "; " : "",
                 (int)handshake->chosen->unable_len, credential->unable);
    if (audit[0] != '\0' || handshake->fallback[0] != '\0')
        TRACE("negotiate", "%s%s for %s, because %s", audit, name,
              handshake->base.target != NULL ? handshake->base.target : "(no target)",
              handshake->fallback[0] != '\0' ? handshake->fallback : "it stands first");
}

/* The first package that has a token to begin with. Nothing was sent yet, so that trying the next one tells nobody anything. */
static SECURITY_STATUS optimistic(struct negotiate_handshake *handshake, struct writer *token)
{
    const struct negotiate_credential *credential = handshake->credential;
    SECURITY_STATUS answer = SEC_E_NO_CREDENTIALS;
    for (unsigned i = 0; i < credential->n_inner; i++) {
        negotiate_choose(handshake, &credential->inner[i]);
        SECURITY_STATUS status = negotiate_inner_step(handshake, (struct slice){0}, token);
        if (status >= 0) {
            fallback_note(handshake);
            return status;
        }
        negotiate_cause_keep(handshake->fallback, credential->inner[i].package->info.name);
        /* The most preferred package's reason is the one to tell, unless it is just that there are no credentials for it. */
        if (answer == SEC_E_NO_CREDENTIALS)
            answer = status;
        if (!negotiate_is_unable(status)) {
            answer = status;
            break;
        }
    }
    negotiate_choose(handshake, NULL);
    return cause_set(answer, "%s%s%s", handshake->fallback, credential->missing[0] != '\0' ? "; " : "",
                     credential->missing);
}

static SECURITY_STATUS begin(void *opaque, const struct step_in *in, struct step_out *out)
{
    struct negotiate_handshake *handshake = opaque;
    struct spnego_init hints;
    uint8_t room[NEGOTIATE_TOKEN_ROOM];
    AUTO_WRITER struct writer token = writer_lent(room, sizeof room);
    if (in->token.len >
        0) /* a server that spoke first; nothing protects what it offers, so it is only looked at for being one */
        require(spnego_init_parse(in->token, &hints) == WIRE_OK,
                cause_set(SEC_E_INVALID_TOKEN, "the first token came from the server, and it is no NegTokenInit2"));
    SECURITY_STATUS status = optimistic(handshake, &token);
    require(status >= 0, status);
    if ((handshake->base.asked & ISC_REQ_DATAGRAM) != 0) { /* there is no negotiation in datagrams */
        writer_slice(&out->token, writer_slice_of(&token));
        return negotiate_direct_done(handshake, status, out);
    }
    try(negotiate_framed_check(handshake, status));
    handshake->preferred = handshake->chosen;
    try(list_make(handshake));
    spnego_init_write(&out->token, secret_slice(&handshake->mech_list), writer_slice_of(&token));
    handshake->base.state = NEGOTIATE_CLIENT_FIRST;
    return SEC_I_CONTINUE_NEEDED; /* also where the package has said all: the server may choose another */
}

/* A server that rejects may tell why in the package's own words (a KRB-ERROR). */
static SECURITY_STATUS rejected(struct negotiate_handshake *handshake, const struct spnego_resp *resp)
{
    AUTO_WRITER struct writer ignored = writer_growing(64);
    if (resp->token.data != NULL && handshake->inner != NULL) {
        SECURITY_STATUS status = negotiate_inner_step(handshake, resp->token, &ignored);
        require(status >= 0, status);
    }
    return cause_set(SEC_E_LOGON_DENIED, "the server rejected the negotiation with %s",
                     handshake->chosen->package->info.name);
}

/* supportedMech: one that was offered, and after the first answer the one that was chosen. Both of Kerberos' names are one mechanism. */
static SECURITY_STATUS mech_take(struct negotiate_handshake *handshake, const struct spnego_resp *resp, bool *fresh)
{
    const struct negotiate_inner *named =
        resp->mech.data != NULL ? negotiate_inner_of(handshake->credential, resp->mech) : handshake->chosen;
    require(named != NULL && named >= handshake->preferred,
            cause_set(SEC_E_INVALID_TOKEN, "the server chose a mechanism that was not offered"));
    *fresh = named != handshake->chosen;
    require(!*fresh || handshake->base.state == NEGOTIATE_CLIENT_FIRST,
            cause_set(SEC_E_INVALID_TOKEN, "the server changed its mind about the mechanism"));
    if (!*fresh)
        return SEC_E_OK;
    require(
        resp->token.data == NULL && resp->mic.data == NULL && resp->state != SPNEGO_COMPLETED,
        cause_set(SEC_E_INVALID_TOKEN, "the server chose another mechanism and answered what that one has not asked"));
    const char *before = handshake->chosen->package->info.name;
    negotiate_choose(handshake, named);
    TRACE("negotiate", "%sthe server chose %s instead of %s", negotiate_audit(handshake), named->package->info.name,
          before);
    handshake->switched = true;
    return SEC_E_OK;
}

/* What goes back: the package's token, a code over the list, or nothing at the end. */
static void answer_write(struct negotiate_handshake *handshake, enum spnego_state state, struct slice token,
                         struct slice mic, struct step_out *out)
{
    const struct spnego_resp resp = {.state = state, .token = token, .mic = mic};
    spnego_resp_write(&out->token, &resp);
    handshake->base.state = NEGOTIATE_CLIENT_REPLY;
}

/* The package has ended with a token of its own: it is the server's turn, whatever it has said. */
static SECURITY_STATUS ended_speaking(struct negotiate_handshake *handshake, struct slice token, struct step_out *out)
{
    uint8_t room[NEGOTIATE_MIC_MAX];
    struct writer mic = writer_fixed(room, sizeof room);
    bool due;
    try(negotiate_mic_due(handshake, &due));
    if (due)
        try(negotiate_mic_make(handshake, &mic));
    answer_write(handshake, SPNEGO_INCOMPLETE, token, writer_slice_of(&mic), out);
    return SEC_I_CONTINUE_NEEDED;
}

/* The package has ended and the server has spoken last. */
static SECURITY_STATUS ended_listening(struct negotiate_handshake *handshake, const struct spnego_resp *resp,
                                       struct step_out *out)
{
    uint8_t room[NEGOTIATE_MIC_MAX];
    struct writer mic = writer_fixed(room, sizeof room);
    bool due, waits = resp->state == SPNEGO_INCOMPLETE || resp->state == SPNEGO_REQUEST_MIC;
    try(negotiate_mic_due(handshake, &due));
    if (due && !handshake->mic_seen && !waits)
        return cause_set(SEC_E_MESSAGE_ALTERED,
                         "a code over the list of mechanisms is due, and the server ended without one");
    if ((due || waits) && !handshake->mic_sent && resp->state != SPNEGO_COMPLETED)
        try(negotiate_mic_make(handshake, &mic));
    else if (waits)
        return cause_set(SEC_E_INVALID_TOKEN, "the server waits, and there is nothing left to say");
    /* A server that has sent its code has nothing to add to ours; one that has not answers with it. */
    if (mic.len > 0)
        answer_write(handshake, handshake->mic_seen ? SPNEGO_COMPLETED : SPNEGO_INCOMPLETE, (struct slice){0},
                     writer_slice_of(&mic), out);
    if (mic.len > 0 && !handshake->mic_seen)
        return SEC_I_CONTINUE_NEEDED;
    return negotiate_finish(handshake, out);
}

static SECURITY_STATUS package_step(struct negotiate_handshake *handshake, const struct spnego_resp *resp, bool fresh,
                                    struct writer *token)
{
    if (handshake->inner_done) {
        require(resp->token.data == NULL, cause_set(SEC_E_INVALID_TOKEN, "a token for %s, which has ended",
                                                    handshake->chosen->package->info.name));
        return SEC_E_OK;
    }
    require(fresh || resp->token.data != NULL,
            cause_set(SEC_E_INVALID_TOKEN, "the server's answer has no token, and %s has not ended",
                      handshake->chosen->package->info.name));
    return negotiate_inner_step(handshake, resp->token, token);
}

/* Any NegTokenResp. A server's accept-completed ends nothing here: what the package and the list need decides. */
static SECURITY_STATUS reply(void *opaque, const struct step_in *in, struct step_out *out)
{
    struct negotiate_handshake *handshake = opaque;
    struct spnego_resp resp;
    uint8_t room[NEGOTIATE_TOKEN_ROOM];
    AUTO_WRITER struct writer token = writer_lent(room, sizeof room);
    bool fresh;
    require(in->token.len > 0, cause_set(SEC_E_INVALID_TOKEN, "the server's answer is due, and no token was given"));
    require(spnego_resp_parse(in->token, &resp) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "this is not a NegTokenResp, or it is damaged"));
    if (slice_equal(resp.mic, resp.token))
        resp.mic = (struct slice){0}; /* old servers repeat the token where the code belongs */
    if (resp.state == SPNEGO_REJECT)
        return rejected(handshake, &resp);
    try(mech_take(handshake, &resp, &fresh));
    handshake->mic_asked = handshake->mic_asked || resp.state == SPNEGO_REQUEST_MIC;
    try(negotiate_framed_check(handshake, package_step(handshake, &resp, fresh, &token)));
    if (!handshake->inner_done) {
        require(resp.mic.data == NULL,
                cause_set(SEC_E_INVALID_TOKEN, "a code over the list of mechanisms before there is a key for it"));
        answer_write(handshake, SPNEGO_INCOMPLETE, writer_slice_of(&token), (struct slice){0}, out);
        return SEC_I_CONTINUE_NEEDED;
    }
    if (resp.mic.data != NULL)
        try(negotiate_mic_check(handshake, resp.mic));
    return token.len > 0 ? ended_speaking(handshake, writer_slice_of(&token), out)
                         : ended_listening(handshake, &resp, out);
}

/* Where a package was passed over, a later failure names that too: it is what people look for. */
static void cause_extend(void *opaque, SECURITY_STATUS status, struct step_out *out)
{
    const struct negotiate_handshake *handshake = opaque;
    char text[CAUSE_TEXT_MAX] = "";
    (void)out;
    if (handshake->fallback[0] == '\0' || handshake->base.state == NEGOTIATE_CLIENT_BEGIN || handshake->chosen == NULL)
        return;
    negotiate_cause_keep(text, handshake->chosen->package->info.name);
    (void)cause_set(status, "%.256s; it was used because %s", text, handshake->fallback);
}

SECURITY_STATUS negotiate_initiate(void *credential, void **handshake, const struct step_in *in, struct step_out *out)
{
    static handshake_step *const steps[] = {
        [NEGOTIATE_CLIENT_BEGIN] = begin,
        [NEGOTIATE_CLIENT_FIRST] = reply,
        [NEGOTIATE_CLIENT_REPLY] = reply,
        [NEGOTIATE_DIRECT] = negotiate_direct,
    };
    static const struct handshake_role role = {&negotiate_handshake_kind, true,        NEGOTIATE_CLIENT_BEGIN, steps,
                                               COUNT_OF(steps),           cause_extend};
    return handshake_walk(&role, credential, handshake, in, out);
}
