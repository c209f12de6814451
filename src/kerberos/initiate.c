#include "kerberos/handshake.h"

#include "base/memory.h"
#include "base/time.h"
#include "core/cause.h"
#include "core/trace.h"
#include <string.h>

/* The client's side: AP-REQ with the checksum of RFC 4121 4.1.1, and the server's answer. */

static uint32_t gss_flags_wanted(uint32_t asked)
{
    static const struct {
        uint32_t asked, gss;
    } pairs[] = {
        {ISC_REQ_MUTUAL_AUTH, GSS_MUTUAL},
        {ISC_REQ_REPLAY_DETECT, GSS_REPLAY | GSS_INTEG},
        {ISC_REQ_SEQUENCE_DETECT, GSS_SEQUENCE | GSS_INTEG},
        {ISC_REQ_CONFIDENTIALITY, GSS_CONF | GSS_INTEG},
        {ISC_REQ_INTEGRITY, GSS_INTEG},
        {ISC_REQ_USE_DCE_STYLE, GSS_DCE_STYLE | GSS_MUTUAL},
        {ISC_REQ_IDENTIFY, GSS_IDENTIFY},
        {ISC_REQ_EXTENDED_ERROR, GSS_EXTENDED_ERROR},
    };
    uint32_t flags = 0;
    for (size_t i = 0; i < COUNT_OF(pairs); i++)
        if ((asked & pairs[i].asked) != 0)
            flags |= pairs[i].gss;
    if ((asked & ISC_REQ_NO_INTEGRITY) != 0)
        flags &= ~(uint32_t)(GSS_INTEG | GSS_CONF | GSS_REPLAY | GSS_SEQUENCE);
    return flags;
}

/* What holds already with the AP-REQ; mutual authentication only once the server has answered. */
static uint32_t flags_granted(uint32_t asked, uint32_t gss, bool answered)
{
    uint32_t granted = asked & ISC_REQ_CONNECTION;
    granted |= (gss & GSS_INTEG) != 0 ? ISC_RET_INTEGRITY : 0;
    granted |= (gss & GSS_CONF) != 0 ? ISC_RET_CONFIDENTIALITY : 0;
    granted |= (gss & GSS_REPLAY) != 0 ? ISC_RET_REPLAY_DETECT : 0;
    granted |= (gss & GSS_SEQUENCE) != 0 ? ISC_RET_SEQUENCE_DETECT : 0;
    granted |= (gss & GSS_IDENTIFY) != 0 ? ISC_RET_IDENTIFY : 0;
    granted |= (gss & GSS_DELEG) != 0 ? ISC_RET_DELEGATE : 0;
    granted |= (gss & GSS_EXTENDED_ERROR) != 0 ? ISC_RET_EXTENDED_ERROR : 0;
    granted |= (gss & GSS_DCE_STYLE) != 0 ? ISC_RET_USED_DCE_STYLE : 0;
    granted |= (gss & GSS_MUTUAL) != 0 && answered ? ISC_RET_MUTUAL_AUTH : 0;
    return granted;
}

static char *name_text(krb5_const_principal principal)
{
    struct krb_name name;
    return krb_name_of(principal, &name) ? krb_name_text(&name) : NULL;
}

static SECURITY_STATUS names_fill(struct kerberos_handshake *handshake, const krb5_creds *creds)
{
    handshake->client_name = name_text(creds->client);
    handshake->server_name = name_text(creds->server);
    handshake->authority = mem_dup(creds->client->realm.data, creds->client->realm.length);
    handshake->expiry = krb_filetime(creds->times.endtime);
    return handshake->client_name != NULL && handshake->server_name != NULL && handshake->authority != NULL
               ? SEC_E_OK
               : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS request_make(struct kerberos_handshake *handshake, const krb5_creds *creds,
                                    struct writer *message)
{
    struct gss_checksum checksum = {.flags = handshake->gss_flags};
    AUTO_WRITER struct writer bytes = writer_growing(64);
    memcpy(checksum.bindings, handshake->bindings, sizeof checksum.bindings);
    gss_checksum_write(&bytes, &checksum);
    require(writer_finish(&bytes) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    uint32_t options = (handshake->gss_flags & GSS_MUTUAL) != 0 ? KRB_AP_MUTUAL_REQUIRED : 0;
    return kerberos_request_make(&handshake->exchange, handshake->krb, creds, options, writer_slice_of(&bytes),
                                 message);
}

static SECURITY_STATUS begin_with(struct kerberos_handshake *handshake, const krb5_creds *creds, struct step_out *out)
{
    AUTO_WRITER struct writer request = writer_growing(2048);
    try(names_fill(handshake, creds));
    try(request_make(handshake, creds, &request));
    if ((handshake->gss_flags & GSS_DCE_STYLE) != 0)
        writer_slice(&out->token, writer_slice_of(&request));
    else
        krb_token_write(&out->token, TOKEN_AP_REQ, writer_slice_of(&request));
    handshake->granted = flags_granted(handshake->asked, handshake->gss_flags, false);
    out->granted = handshake->granted;
    out->expiry = handshake->expiry;
    if ((handshake->gss_flags & GSS_MUTUAL) == 0)
        return kerberos_handshake_finish(handshake, true, out);
    handshake->state = KERBEROS_CLIENT_REPLY;
    return SEC_I_CONTINUE_NEEDED;
}

static SECURITY_STATUS begin(struct kerberos_handshake *handshake, const struct step_in *in, struct step_out *out)
{
    krb5_creds *creds = NULL;
    (void)in; /* bindings are taken already; a token on the first call is empty or refused by nobody */
    require(handshake->target != NULL && handshake->target[0] != '\0',
            cause_set(SEC_E_TARGET_UNKNOWN, "Kerberos needs a target name"));
    require((handshake->asked & ISC_REQ_USE_SESSION_KEY) == 0,
            cause_set(SEC_E_UNSUPPORTED_FUNCTION, "user-to-user authentication is not in this version"));
    try(kerberos_ticket_get(handshake->credential, handshake->krb, handshake->target, &creds));
    handshake->gss_flags = gss_flags_wanted(handshake->asked);
    SECURITY_STATUS status = begin_with(handshake, creds, out);
    krb5_free_creds(handshake->krb, creds);
    return status;
}

#define PROTOCOL_ERRORS_MAX 127 /* libkrb5's table: those of RFC 4120 7.5.9 and their extensions */

/* A KRB-ERROR (RFC 4120 5.9.1) is not protected: it may end the handshake, and is believed for nothing else. */
static SECURITY_STATUS error_read(const struct kerberos_handshake *handshake, struct slice message)
{
    krb5_error *error = NULL;
    krb5_data data = krb_data(message);
    krb5_error_code code = krb5_rd_error(handshake->krb, &data, &error);
    if (code == 0) {
        krb5_ui_4 number = error->error;
        krb5_free_error(handshake->krb, error);
        /* Anybody can send one. A number that is no error of the protocol must not become success, or an error of this machine. */
        code = KRB5KRB_ERR_GENERIC;
        if (number >= 1 && number <= PROTOCOL_ERRORS_MAX)
            code = (krb5_error_code)ERROR_TABLE_BASE_krb5 + (krb5_error_code)number;
        if (code == KRB5KRB_AP_ERR_MODIFIED) /* so servers say that their key did not open the ticket */
            code = KRB5KRB_AP_WRONG_PRINC;
    }
    return krb_status(handshake->krb, code, KRB_STAGE_ACCEPT, "the server answered with an error");
}

static SECURITY_STATUS reply(struct kerberos_handshake *handshake, const struct step_in *in, struct step_out *out)
{
    enum krb_token id;
    struct slice message;
    bool framed;
    require(in->token.len > 0, cause_set(SEC_E_INVALID_TOKEN, "the server's AP-REP is due, and no token was given"));
    require(krb_token_parse(in->token, &id, &message, &framed) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "this is not a Kerberos token, or it is damaged"));
    if (id == TOKEN_ERROR)
        return error_read(handshake, message);
    require(id == TOKEN_AP_REP, cause_set(SEC_E_INVALID_TOKEN, "the server's AP-REP is due, and an AP-REQ came"));
    try(kerberos_reply_open(&handshake->exchange, message));
    if ((handshake->gss_flags & GSS_DCE_STYLE) != 0)
        try(kerberos_third_make(&handshake->exchange, &out->token));
    handshake->granted = flags_granted(handshake->asked, handshake->gss_flags, true);
    return kerberos_handshake_finish(handshake, true, out);
}

SECURITY_STATUS kerberos_initiate(void *credential, void **handshake, const struct step_in *in, struct step_out *out)
{
    static kerberos_step *const steps[] = {
        [KERBEROS_CLIENT_BEGIN] = begin,
        [KERBEROS_CLIENT_REPLY] = reply,
    };
    return kerberos_handshake_step(steps, COUNT_OF(steps), KERBEROS_CLIENT_BEGIN, credential, handshake, in, out);
}
