#include "kerberos/handshake.h"

#include "access/client_identity.h"
#include "base/memory.h"
#include "base/time.h"
#include "core/cause.h"
#include "core/trace.h"
#include "kerberos/keytab.h"
#include "kerberos/pac.h"
#include "kerberos/replay.h"
#include "wire/der.h"
#include <errno.h>
#include <string.h>

/* The server's side: AP-REQ in, AP-REP out where the client wants it. */

#define SKEW_USUAL_SECONDS 300         /* libkrb5's default */
#define SKEW_MOST_SECONDS (30 * 86400) /* a bound for the search, not for the configuration */

static uint32_t flags_granted(uint32_t asked, uint32_t gss)
{
    uint32_t granted = asked & ASC_REQ_CONNECTION;
    granted |= (gss & GSS_INTEG) != 0 ? ASC_RET_INTEGRITY : 0;
    granted |= (gss & GSS_CONF) != 0 ? ASC_RET_CONFIDENTIALITY : 0;
    granted |= (gss & GSS_REPLAY) != 0 ? ASC_RET_REPLAY_DETECT : 0;
    granted |= (gss & GSS_SEQUENCE) != 0 ? ASC_RET_SEQUENCE_DETECT : 0;
    granted |= (gss & GSS_MUTUAL) != 0 ? ASC_RET_MUTUAL_AUTH : 0;
    granted |= (gss & GSS_IDENTIFY) != 0 ? ASC_RET_IDENTIFY : 0;
    granted |= (gss & GSS_DCE_STYLE) != 0 ? ASC_RET_USED_DCE_STYLE : 0;
    granted |= (gss & GSS_EXTENDED_ERROR) != 0 ? ASC_RET_EXTENDED_ERROR : 0;
    return granted;
}

/* What rd_req leaves to be freed. */
struct opened {
    krb5_keytab keytab;
    krb5_principal server;
    krb5_ticket *ticket;
    krb5_authenticator *authenticator;
    krb5_flags options;
};

static void opened_release(krb5_context krb, struct opened *opened)
{
    if (opened->authenticator != NULL)
        krb5_free_authenticator(krb, opened->authenticator);
    if (opened->ticket != NULL)
        krb5_free_ticket(krb, opened->ticket);
    krb5_free_principal(krb, opened->server);
    if (opened->keytab != NULL)
        krb5_kt_close(krb, opened->keytab);
}

static SECURITY_STATUS request_read(struct kerberos_handshake *handshake, struct slice message, struct opened *opened)
{
    krb5_context krb = handshake->krb;
    const struct kerberos_credential *credential = handshake->credential;
    krb5_data data = krb_data(message);
    try(kerberos_keytab_get(handshake->credential, krb, &opened->keytab));
    if (credential->server != NULL)
        try(krb_target_parse(krb, credential->server, false, &opened->server));
    krb5_error_code code = krb5_auth_con_init(krb, &handshake->auth);
    if (code == 0) /* no DO_TIME: libkrb5 would write a replay cache file; ours is in memory, below */
        code = krb5_auth_con_setflags(krb, handshake->auth, KRB5_AUTH_CONTEXT_DO_SEQUENCE);
    if (code == 0)
        code = krb5_rd_req(krb, &handshake->auth, &data, opened->server, opened->keytab, &opened->options,
                           &opened->ticket);
    if (code == 0)
        code = krb5_auth_con_getauthenticator(krb, handshake->auth, &opened->authenticator);
    return krb_status(krb, code, KRB_STAGE_ACCEPT, "the client's AP-REQ");
}

/* The content of the field with this tag in a SEQUENCE. */
static enum wire_result field_find(struct slice sequence, uint8_t wanted, struct slice *field)
{
    struct reader reader = reader_of(sequence);
    struct slice body;
    uint8_t tag;
    try(der_read(&reader, DER_SEQUENCE, &body));
    reader = reader_of(body);
    do
        try(der_read_any(&reader, &tag, field));
    while (tag != wanted);
    return WIRE_OK;
}

/* What tells one request from another: the authenticator's cipher text, [2] of [4] of the AP-REQ (RFC 4120 5.5.1, 5.2.9). The fields beside it,
 * kvno and etype, are not protected: a replay could wear others. */
static enum wire_result authenticator_find(struct slice message, struct slice *authenticator)
{
    struct reader reader = reader_of(message);
    struct slice body, field;
    try(der_read(&reader, DER_APPLICATION(14), &body));
    try(field_find(body, DER_CONTEXT(4), &field));
    try(field_find(field, DER_CONTEXT(2), &body));
    reader = reader_of(body);
    return der_read(&reader, DER_OCTET_STRING, authenticator);
}

/* How long an authenticator stays good: it may be as old as the skew that krb5.conf allows, or as far ahead. libkrb5 tells the skew only by judging. */
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

static SECURITY_STATUS replay_refuse(krb5_context krb, struct slice message)
{
    struct slice authenticator;
    require(authenticator_find(message, &authenticator) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "the AP-REQ has no authenticator"));
    switch (replay_check(authenticator, replay_seconds(krb))) {
    case REPLAY_NEW:
        return SEC_E_OK;
    case REPLAY_SEEN:
        return cause_set(SEC_E_OUT_OF_SEQUENCE, "this AP-REQ came before: a replay");
    default:
        return cause_set(SEC_E_INSUFFICIENT_MEMORY, "the replay cache is full");
    }
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++)
        any |= bytes[i];
    return any == 0;
}

/* The checksum cannot say "I have no channel": zero bindings are none. */
static SECURITY_STATUS bindings_check(const struct kerberos_handshake *handshake, const struct gss_checksum *checksum)
{
    if (!handshake->has_bindings || (handshake->asked & ASC_REQ_PROXY_BINDINGS) != 0)
        return SEC_E_OK; /* a ticket is for one service: that is the service binding which a proxy leaves */
    if (all_zero(checksum->bindings, sizeof checksum->bindings)) {
        bool allowed = (handshake->asked & ASC_REQ_ALLOW_MISSING_BINDINGS) != 0;
        return allowed ? SEC_E_OK : cause_set(SEC_E_BAD_BINDINGS, "the client sent no channel bindings");
    }
    require(secret_equal(checksum->bindings, handshake->bindings, sizeof handshake->bindings),
            cause_set(SEC_E_BAD_BINDINGS, "the client is bound to another channel: a relay, or a TLS proxy between"));
    return SEC_E_OK;
}

static SECURITY_STATUS checksum_read(struct kerberos_handshake *handshake, const struct opened *opened)
{
    const krb5_checksum *sent = opened->authenticator->checksum;
    struct gss_checksum checksum = {0};
    if (sent != NULL && sent->checksum_type == GSS_CHECKSUM_TYPE)
        require(gss_checksum_parse(slice_of(sent->contents, sent->length), &checksum) == WIRE_OK,
                cause_set(SEC_E_INVALID_TOKEN, "the authenticator's checksum is damaged"));
    else { /* a raw AP-REQ of a client that is not GSS-API; only it is asked by AP options, which nothing protects */
        require(!handshake->framed, cause_set(SEC_E_INVALID_TOKEN, "the authenticator has no GSS-API checksum"));
        checksum.flags = (opened->options & AP_OPTS_MUTUAL_REQUIRED) != 0 ? GSS_MUTUAL : 0;
    }
    handshake->gss_flags = checksum.flags & ~(uint32_t)GSS_DELEG;
    return bindings_check(handshake, &checksum);
}

/* Verifies with the key that opened the ticket: libkrb5 finds it under whatever number the keytab gives it, and does not tell which it was. */
static krb5_error_code pac_verify(krb5_context krb, const struct opened *opened, krb5_pac pac)
{
    const krb5_ticket *ticket = opened->ticket;
    const krb5_enc_tkt_part *part = ticket->enc_part2;
    krb5_keytab_entry entry = {0};
    krb5_kt_cursor cursor;
    krb5_error_code code =
        krb5_kt_get_entry(krb, opened->keytab, ticket->server, ticket->enc_part.kvno, ticket->enc_part.enctype, &entry);
    if (code == 0) {
        code = krb5_pac_verify(krb, pac, part->times.authtime, part->client, &entry.key, NULL);
        krb5_free_keytab_entry_contents(krb, &entry);
    }
    if (code == 0 || krb5_kt_start_seq_get(krb, opened->keytab, &cursor) != 0)
        return code;
    while (code != 0 && krb5_kt_next_entry(krb, opened->keytab, &entry, &cursor) == 0) {
        if (entry.key.enctype == ticket->enc_part.enctype &&
            krb5_principal_compare(krb, entry.principal, ticket->server))
            code = krb5_pac_verify(krb, pac, part->times.authtime, part->client, &entry.key, NULL);
        krb5_free_keytab_entry_contents(krb, &entry);
    }
    krb5_kt_end_seq_get(krb, opened->keytab, &cursor);
    return code;
}

/* The ticket's PAC, if it has one: decoded, its server signature verified with the key that opened the ticket. */
static krb5_error_code pac_get(struct kerberos_handshake *handshake, const struct opened *opened, krb5_data *bytes)
{
    krb5_context krb = handshake->krb;
    krb5_authdata **found = NULL;
    krb5_pac pac = NULL;
    const krb5_ticket *ticket = opened->ticket;
    krb5_error_code code =
        krb5_find_authdata(krb, ticket->enc_part2->authorization_data, NULL, KRB5_AUTHDATA_WIN2K_PAC, &found);
    if (code != 0 || found == NULL || found[0] == NULL) {
        krb5_free_authdata(krb, found);
        return code;
    }
    code = krb5_pac_parse(krb, found[0]->contents, found[0]->length, &pac);
    if (code == 0)
        code = pac_verify(krb, opened, pac);
    if (code == 0) {
        bytes->data = malloc(found[0]->length);
        bytes->length = found[0]->length;
        if (bytes->data == NULL)
            code = ENOMEM;
        else
            memcpy(bytes->data, found[0]->contents, found[0]->length);
    }
    krb5_pac_free(krb, pac);
    krb5_free_authdata(krb, found);
    return code;
}

static SECURITY_STATUS identity_fill(struct kerberos_handshake *handshake, struct slice bytes)
{
    struct pac pac = {0};
    struct client_identity identity = {0};
    AUTO_WRITER struct writer writer = writer_growing(512);
    require(pac_decode(bytes, &pac) == WIRE_OK, cause_set(SEC_E_INVALID_TOKEN, "the ticket's PAC is damaged"));
    SECURITY_STATUS status = SEC_E_OK;
    if (!pac.has_logon_info) { /* an MIT KDC's PAC names nobody */
        pac_release(&pac);
        return SEC_E_OK;
    }
    if (pac_to_identity(&pac, &identity) != WIRE_OK)
        status = cause_set(SEC_E_INVALID_TOKEN, "the ticket's PAC contradicts itself, or names too many groups");
    else {
        client_identity_write(&writer, &identity);
        client_identity_release(&identity);
        bool set = writer_finish(&writer) == WIRE_OK && secret_set(&handshake->identity, writer.data, writer.len);
        status = set ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    }
    pac_release(&pac);
    return status;
}

static SECURITY_STATUS client_fill(struct kerberos_handshake *handshake, const struct opened *opened)
{
    krb5_context krb = handshake->krb;
    krb5_data pac = {0};
    char *text = NULL;
    const krb5_enc_tkt_part *part = opened->ticket->enc_part2;
    krb5_error_code code = krb5_unparse_name(krb, part->client, &text);
    if (code == 0)
        handshake->client_name = mem_strdup(text);
    krb5_free_unparsed_name(krb, text);
    text = NULL;
    if (code == 0)
        code = krb5_unparse_name(krb, opened->ticket->server, &text);
    if (code == 0)
        handshake->server_name = mem_strdup(text);
    krb5_free_unparsed_name(krb, text);
    handshake->authority = mem_dup(part->client->realm.data, part->client->realm.length);
    handshake->expiry = krb_filetime(part->times.endtime);
    try(krb_status(krb, code, KRB_STAGE_ACCEPT, "reading the names"));
    require(handshake->client_name != NULL && handshake->server_name != NULL && handshake->authority != NULL,
            SEC_E_INSUFFICIENT_MEMORY);

    SECURITY_STATUS status =
        krb_status(krb, pac_get(handshake, opened, &pac), KRB_STAGE_ACCEPT, "verifying the ticket's PAC");
    if (status != SEC_E_OK) {
        free(pac.data);
        return status;
    }
    if (pac.data == NULL)
        return handshake->credential->config->kerberos_require_pac
                   ? cause_set(SEC_E_LOGON_DENIED, "the ticket has no PAC; require_pac in [kerberos] asks for one")
                   : SEC_E_OK;
    status = identity_fill(handshake, krb_slice(&pac));
    free(pac.data);
    return status;
}

static SECURITY_STATUS reply_make(struct kerberos_handshake *handshake, struct step_out *out)
{
    krb5_context krb = handshake->krb;
    krb5_data reply = {0};
    bool dce = (handshake->gss_flags & GSS_DCE_STYLE) != 0;
    /* A subkey of our own, so that the session key is fresh from both sides; RC4 knows none outside DCE style (RFC 1964). */
    krb5_key initiators = NULL;
    krb5_error_code code = krb5_auth_con_getrecvsubkey_k(krb, handshake->auth, &initiators);
    bool rc4 = initiators != NULL && krb5_k_key_enctype(krb, initiators) == ENCTYPE_ARCFOUR_HMAC;
    krb5_k_free_key(krb, initiators);
    if (code == 0 && (!rc4 || dce))
        code =
            krb5_auth_con_setflags(krb, handshake->auth, KRB5_AUTH_CONTEXT_DO_SEQUENCE | KRB5_AUTH_CONTEXT_USE_SUBKEY);
    if (code == 0)
        code = krb5_mk_rep(krb, handshake->auth, &reply);
    try(krb_status(krb, code, KRB_STAGE_ACCEPT, "making the AP-REP"));
    if (dce || !handshake->framed)
        writer_slice(&out->token, krb_slice(&reply));
    else
        krb_token_write(&out->token, TOKEN_AP_REP, krb_slice(&reply));
    krb5_free_data_contents(krb, &reply);
    return SEC_E_OK;
}

static SECURITY_STATUS begin_with(struct kerberos_handshake *handshake, struct slice message, struct opened *opened,
                                  struct step_out *out)
{
    try(request_read(handshake, message, opened));
    try(checksum_read(handshake, opened));
    try(replay_refuse(handshake->krb, message));
    try(client_fill(handshake, opened));
    handshake->granted = flags_granted(handshake->asked, handshake->gss_flags);
    out->granted = handshake->granted;
    out->expiry = handshake->expiry;
    if ((handshake->gss_flags & GSS_MUTUAL) != 0)
        try(reply_make(handshake, out));
    if ((handshake->gss_flags & GSS_DCE_STYLE) == 0)
        return kerberos_handshake_finish(handshake, false, out);
    handshake->state = KERBEROS_SERVER_THIRD;
    return SEC_I_CONTINUE_NEEDED;
}

/* A KRB-ERROR for the peer (RFC 4120 5.9.1): the reason as a number, nothing else. */
static void error_write(const struct kerberos_handshake *handshake, SECURITY_STATUS status, struct step_out *out)
{
    krb5_context krb = handshake->krb;
    krb5_error error = {0};
    krb5_data encoded = {0};
    krb5_principal server = NULL;
    long code = status == SEC_E_TIME_SKEW         ? KRB5KRB_AP_ERR_SKEW
                : status == SEC_E_WRONG_PRINCIPAL ? KRB5KRB_AP_ERR_NOT_US
                : status == SEC_E_CONTEXT_EXPIRED ? KRB5KRB_AP_ERR_TKT_EXPIRED
                : status == SEC_E_OUT_OF_SEQUENCE ? KRB5KRB_AP_ERR_REPEAT
                                                  : KRB5KRB_ERR_GENERIC;
    if (krb5_build_principal(krb, &server, 0, "", "host", "localhost", NULL) != 0)
        return;
    error.error = (krb5_ui_4)(code - ERROR_TABLE_BASE_krb5);
    error.server = server;
    if (krb5_us_timeofday(krb, &error.stime, &error.susec) == 0 && krb5_mk_error(krb, &error, &encoded) == 0) {
        krb_token_write(&out->token, TOKEN_ERROR, krb_slice(&encoded));
        krb5_free_data_contents(krb, &encoded);
    }
    krb5_free_principal(krb, server);
}

static SECURITY_STATUS begin(struct kerberos_handshake *handshake, const struct step_in *in, struct step_out *out)
{
    enum krb_token id;
    struct slice message;
    struct opened opened = {0};
    require(in->token.len > 0, cause_set(SEC_E_INVALID_TOKEN, "the client's AP-REQ is due, and no token was given"));
    require(krb_token_parse(in->token, &id, &message, &handshake->framed) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "this is not a Kerberos token, or it is damaged"));
    require(id == TOKEN_AP_REQ, cause_set(SEC_E_INVALID_TOKEN, "the client's AP-REQ is due, and another message came"));
    SECURITY_STATUS status = begin_with(handshake, message, &opened, out);
    opened_release(handshake->krb, &opened);
    if (status < 0 && (handshake->asked & ASC_REQ_EXTENDED_ERROR) != 0)
        error_write(handshake, status, out);
    TRACE("kerberos", "accept %s for %s, flags 0x%x: 0x%08x",
          handshake->client_name != NULL ? handshake->client_name : "(nobody)",
          handshake->server_name != NULL ? handshake->server_name : "(no service)", (unsigned)handshake->gss_flags,
          (unsigned)status);
    return status;
}

static SECURITY_STATUS third(struct kerberos_handshake *handshake, const struct step_in *in, struct step_out *out)
{
    enum krb_token id;
    struct slice message;
    bool framed;
    krb5_ui_4 nonce;
    require(in->token.len > 0 && krb_token_parse(in->token, &id, &message, &framed) == WIRE_OK && id == TOKEN_AP_REP,
            cause_set(SEC_E_INVALID_TOKEN, "the client's third leg is due, and this is not an AP-REP"));
    krb5_data data = krb_data(message);
    try(krb_status(handshake->krb, krb5_rd_rep_dce(handshake->krb, handshake->auth, &data, &nonce), KRB_STAGE_REPLY,
                   "the client's third leg"));
    return kerberos_handshake_finish(handshake, false, out);
}

SECURITY_STATUS kerberos_accept(void *credential, void **handshake, const struct step_in *in, struct step_out *out)
{
    static kerberos_step *const steps[] = {
        [KERBEROS_SERVER_BEGIN] = begin,
        [KERBEROS_SERVER_THIRD] = third,
    };
    return kerberos_handshake_step(steps, COUNT_OF(steps), KERBEROS_SERVER_BEGIN, credential, handshake, in, out);
}
