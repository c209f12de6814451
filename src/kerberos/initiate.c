#include "kerberos/handshake.h"

#include "base/memory.h"
#include "base/time.h"
#include "core/cause.h"
#include "core/trace.h"
#include "kerberos/task.h"
#include "kerberos/user_to_user.h"
#include <string.h>

/* The client's side: AP-REQ with the checksum of RFC 4121 4.1.1, and the server's answer. */

#define DELEGATED_MAX ((size_t)UINT16_MAX) /* the checksum counts it in 16 bits */

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
    uint32_t granted = asked & (ISC_REQ_CONNECTION | ISC_REQ_DATAGRAM | ISC_REQ_USE_SESSION_KEY);
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

/* Forwards the user's own tickets to the service (RFC 4121 4.1.1.1). What policy, KDC or size forbid is not granted, and the handshake goes on, as on
 * Windows. */
static void delegate(struct kerberos_handshake *handshake, const krb5_creds *creds, uint64_t deadline,
                     struct secret *forwarded)
{
    SECURITY_STATUS status =
        kerberos_tgt_forward(handshake->credential, handshake->kit.krb, creds, deadline, forwarded);
    if (status == SEC_E_OK && forwarded->len <= DELEGATED_MAX) {
        handshake->gss_flags |= GSS_DELEG;
        return;
    }
    TRACE("kerberos", "not delegated to %s: %s", handshake->names.server,
          status == SEC_E_OK ? "the ticket is too long" : cause_text());
    secret_release(forwarded);
    cause_drop();
}

static SECURITY_STATUS request_make(struct kerberos_handshake *handshake, uint64_t deadline, struct writer *message)
{
    AUTO_SECRET struct secret forwarded = {0};
    uint8_t room[64];
    AUTO_WRITER struct writer bytes = writer_lent(room, sizeof room);
    if ((handshake->base.asked & ISC_REQ_DELEGATE) != 0)
        delegate(handshake, handshake->kit.ticket->creds, deadline, &forwarded);
    struct gss_checksum checksum = {.flags = handshake->gss_flags, .credential = secret_slice(&forwarded)};
    memcpy(checksum.bindings, handshake->base.bindings, sizeof checksum.bindings);
    gss_checksum_write(&bytes, &checksum);
    require(writer_finish(&bytes) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    uint32_t options = (handshake->gss_flags & GSS_MUTUAL) != 0 ? KRB_AP_MUTUAL_REQUIRED : 0;
    if (handshake->framing == KRB_USER)
        options |= KRB_AP_USE_SESSION_KEY;
    if (handshake->base.has_bindings) /* so that nobody makes the server believe that there is no channel */
        handshake->exchange.ap_options |= KRB_AP_OPTIONS_CBT;
    if ((handshake->base.asked & ISC_REQ_UNVERIFIED_TARGET_NAME) != 0)
        handshake->exchange.ap_options |= KRB_AP_OPTIONS_UNVERIFIED_TARGET;
    return kerberos_request_make(&handshake->exchange, handshake->kit.krb, handshake->kit.ticket, options,
                                 writer_slice_of(&bytes), message);
}

static SECURITY_STATUS request_send(struct kerberos_handshake *handshake, uint64_t deadline, struct step_out *out)
{
    uint8_t room[2048];
    AUTO_WRITER struct writer request = writer_lent(room, sizeof room);
    handshake->gss_flags = gss_flags_wanted(handshake->base.asked);
    handshake->names = handshake->kit.ticket->names;
    handshake->base.expiry = krb_filetime(handshake->kit.ticket->creds->times.endtime);
    try(request_make(handshake, deadline, &request));
    bool raw = (handshake->gss_flags & GSS_DCE_STYLE) != 0;
    krb_token_write(&out->token, raw ? KRB_RAW : handshake->framing, TOKEN_AP_REQ, writer_slice_of(&request));
    handshake->base.granted = flags_granted(handshake->base.asked, handshake->gss_flags, false);
    if ((handshake->gss_flags & GSS_MUTUAL) == 0)
        return kerberos_handshake_finish(handshake, out);
    handshake->base.state = KERBEROS_CLIENT_REPLY;
    return SEC_I_CONTINUE_NEEDED;
}

/* With the ticket for the target; for user-to-user `peers_ticket` is the server's TGT, else its data is NULL. */
static SECURITY_STATUS ticket_use(struct kerberos_handshake *handshake, struct slice peers_ticket, struct step_out *out)
{
    const struct kerberos_ticket_request request = {
        /* one time for all that the KDC is asked here */
        .target = handshake->base.target,
        .peer_ticket = peers_ticket,
        .deadline = kerberos_deadline(handshake->credential),
    };
    try(kerberos_ticket_ask(handshake->credential, handshake->kit.krb, &request, &handshake->kit.ticket));
    return request_send(handshake, request.deadline, out);
}

static SECURITY_STATUS tgt_ask(struct kerberos_handshake *handshake, struct step_out *out)
{
    krb5_principal server = NULL;
    struct krb_tgt_request request = {.has_server = true, .has_realm = true};
    AUTO_WRITER struct writer message = writer_growing(128);
    try(krb_target_parse(handshake->kit.krb, handshake->base.target, KRB_TARGET_USER, &server));
    bool named = krb_name_of(server, &request.server);
    if (named) {
        request.has_realm = request.server.realm.len > 0;
        krb_tgt_request_write(&message, &request);
    }
    krb5_free_principal(handshake->kit.krb, server);
    require(named, cause_set(SEC_E_TARGET_UNKNOWN, "the target's name has too many parts"));
    require(writer_finish(&message) == WIRE_OK, SEC_E_INSUFFICIENT_MEMORY);
    handshake->framing = KRB_USER;
    krb_token_write(&out->token, KRB_USER, TOKEN_TGT_REQ, writer_slice_of(&message));
    handshake->base.state = KERBEROS_CLIENT_TGT;
    return SEC_I_CONTINUE_NEEDED;
}

/* A service that acts for a user without saying towards whom: towards itself, to learn who that user is. */
static SECURITY_STATUS target_itself(struct kerberos_handshake *handshake)
{
    char *name = NULL;
    krb5_error_code code = krb5_unparse_name(handshake->kit.krb, handshake->credential->evidence->server, &name);
    try(krb_status(handshake->kit.krb, code, KRB_STAGE_FORWARD, "the service's name"));
    handshake->base.target = mem_strdup(name);
    krb5_free_unparsed_name(handshake->kit.krb, name);
    return handshake->base.target != NULL ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS begin(void *opaque, const struct step_in *in, struct step_out *out)
{
    struct kerberos_handshake *handshake = opaque;
    (void)in; /* bindings are taken already; a token on the first call is empty or refused by nobody */
    if (handshake->base.target == NULL && handshake->credential->evidence != NULL)
        try(target_itself(handshake));
    require(handshake->base.target != NULL && handshake->base.target[0] != '\0',
            cause_set(SEC_E_TARGET_UNKNOWN, "Kerberos needs a target name"));
    if ((handshake->base.asked & ISC_REQ_USE_SESSION_KEY) != 0)
        return tgt_ask(handshake, out);
    handshake->framing = KRB_FRAMED;
    return ticket_use(handshake, (struct slice){0}, out);
}

#define SERVER_ERRORS_FIRST 31  /* RFC 4120 7.5.9: those before it are a KDC's, of accounts and passwords */
#define PROTOCOL_ERRORS_MAX 127 /* libkrb5's table: those of RFC 4120 7.5.9 and their extensions */

/* A KRB-ERROR (RFC 4120 5.9.1) is not protected: it may end the handshake, and is believed for nothing else. */
static SECURITY_STATUS error_read(const struct kerberos_handshake *handshake, struct slice message)
{
    krb5_error *error = NULL;
    krb5_data data = krb_data(message);
    krb5_error_code code = krb5_rd_error(handshake->kit.krb, &data, &error);
    if (code == 0) {
        krb5_ui_4 number = error->error;
        krb5_free_error(handshake->kit.krb, error);
        /* Anybody can send one. A number that is no error of the protocol must not become success, or an error of this machine; nor may whoever
         * stands between make a program ask for a new password. */
        code = KRB5KRB_ERR_GENERIC;
        if (number >= SERVER_ERRORS_FIRST && number <= PROTOCOL_ERRORS_MAX)
            code = (krb5_error_code)ERROR_TABLE_BASE_krb5 + (krb5_error_code)number;
        if (code == KRB5KRB_AP_ERR_MODIFIED) /* so servers say that their key did not open the ticket */
            code = KRB5KRB_AP_WRONG_PRINC;
    }
    return krb_status(handshake->kit.krb, code, KRB_STAGE_ACCEPT, "the server answered with an error");
}

/* The server's message, if it is of the wanted kind; an error ends the handshake. */
static SECURITY_STATUS message_take(const struct kerberos_handshake *handshake, const struct step_in *in,
                                    enum krb_token wanted, const char *name, struct slice *message)
{
    enum krb_token id;
    enum krb_framing framing;
    require(in->token.len > 0, cause_set(SEC_E_INVALID_TOKEN, "the server's %s is due, and no token was given", name));
    require(krb_token_parse(in->token, &id, message, &framing) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "this is not a Kerberos token, or it is damaged"));
    if (id == TOKEN_ERROR)
        return error_read(handshake, *message);
    require(id == wanted, cause_set(SEC_E_INVALID_TOKEN, "the server's %s is due, and another message came", name));
    return SEC_E_OK;
}

static SECURITY_STATUS tgt_reply(void *opaque, const struct step_in *in, struct step_out *out)
{
    struct kerberos_handshake *handshake = opaque;
    struct slice message, ticket;
    try(message_take(handshake, in, TOKEN_TGT_REP, "KERB-TGT-REPLY", &message));
    require(krb_tgt_reply_parse(message, &ticket) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "the server's KERB-TGT-REPLY is damaged"));
    return ticket_use(handshake, ticket, out);
}

static SECURITY_STATUS reply(void *opaque, const struct step_in *in, struct step_out *out)
{
    struct kerberos_handshake *handshake = opaque;
    struct slice message;
    try(message_take(handshake, in, TOKEN_AP_REP, "AP-REP", &message));
    const struct krb_prepared *prepared = &handshake->kit.ticket->session[KERBEROS_OPENS_REPLY];
    try(kerberos_reply_open(&handshake->exchange, prepared->enctype != 0 ? prepared : NULL, message));
    if ((handshake->gss_flags & GSS_DCE_STYLE) != 0)
        try(kerberos_third_make(&handshake->exchange, &out->token));
    handshake->base.granted = flags_granted(handshake->base.asked, handshake->gss_flags, true);
    return kerberos_handshake_finish(handshake, out);
}

SECURITY_STATUS kerberos_initiate(void *credential, void **handshake, const struct step_in *in, struct step_out *out)
{
    static handshake_step *const steps[] = {
        [KERBEROS_CLIENT_BEGIN] = begin,
        [KERBEROS_CLIENT_TGT] = tgt_reply,
        [KERBEROS_CLIENT_REPLY] = reply,
    };
    static const struct handshake_role role = {&kerberos_handshake_kind, true, KERBEROS_CLIENT_BEGIN, steps,
                                               COUNT_OF(steps),          NULL};
    return handshake_walk(&role, credential, handshake, in, out);
}
