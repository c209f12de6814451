#include "kerberos/delegated.h"

#include "base/memory.h"
#include "core/cause.h"
#include <string.h>

static SECURITY_STATUS creds_write(krb5_context krb, enum kerberos_delegated kind, krb5_creds *creds,
                                   struct secret *delegated)
{
    krb5_data *bytes = NULL;
    try(krb_status(krb, krb5_marshal_credentials(krb, creds, &bytes), KRB_STAGE_ACCEPT, "keeping the client's ticket"));
    bool kept = secret_alloc(delegated, 1 + (size_t)bytes->length);
    if (kept) {
        delegated->data[0] = (uint8_t)kind;
        memcpy(delegated->data + 1, bytes->data, bytes->length);
    }
    secret_wipe(bytes->data, bytes->length);
    krb5_free_data(krb, bytes);
    return kept ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* libkrb5 decodes a KRB-CRED in the name of an exchange of its own. */
static krb5_error_code forwarded_open(krb5_context krb, krb5_keyblock *session, krb5_data *message, krb5_creds ***creds)
{
    krb5_auth_context auth = NULL;
    krb5_error_code code = krb5_auth_con_init(krb, &auth);
    if (code == 0)
        code = krb5_auth_con_setflags(
            krb, auth, 0); /* no times: libkrb5 would write a replay cache; the AP-REQ around it is new */
    if (code == 0)
        code = krb5_auth_con_setuseruserkey(krb, auth, session);
    if (code == 0)
        code = krb5_rd_cred(krb, auth, message, creds, NULL);
    if (auth != NULL)
        krb5_auth_con_free(krb, auth);
    return code;
}

SECURITY_STATUS kerberos_forwarded_read(krb5_context krb, const struct krb_key *session, struct slice message,
                                        struct secret *delegated)
{
    struct krb_key copy = *session;
    krb5_keyblock block = {.magic = KV5M_KEYBLOCK, .enctype = copy.enctype, .length = copy.len, .contents = copy.bytes};
    krb5_data data = krb_data(message);
    krb5_creds **creds = NULL;
    krb5_error_code code = forwarded_open(krb, &block, &data, &creds);
    krb_key_wipe(&copy);
    SECURITY_STATUS status = krb_status(krb, code, KRB_STAGE_REPLY, "the client's forwarded ticket");
    if (status == SEC_E_OK && (creds == NULL || creds[0] == NULL))
        status = cause_set(SEC_E_INVALID_TOKEN, "the client says that it forwards a ticket, and there is none");
    if (status == SEC_E_OK)
        status = creds_write(krb, KERBEROS_FORWARDED, creds[0], delegated);
    krb5_free_tgt_creds(krb, creds);
    return status;
}

SECURITY_STATUS kerberos_evidence_write(krb5_context krb, const struct kerberos_request *request, const char *client,
                                        struct secret *delegated)
{
    const struct krb_ticket_part *ticket = &request->ticket;
    AUTO_FREE char *server = krb_name_text(&request->outer.ticket.server);
    require(server != NULL, SEC_E_INSUFFICIENT_MEMORY);
    struct krb_key session = ticket->key;
    krb5_creds creds = {
        .magic = KV5M_CREDS,
        .keyblock = {.magic = KV5M_KEYBLOCK,
                     .enctype = session.enctype,
                     .length = session.len,
                     .contents = session.bytes},
        .times = {.authtime = (krb5_timestamp)ticket->auth_time,
                  .starttime = (krb5_timestamp)ticket->start_time,
                  .endtime = (krb5_timestamp)ticket->end_time,
                  .renew_till = (krb5_timestamp)ticket->renew_till},
        .ticket_flags = (krb5_flags)ticket->flags,
        .ticket = krb_data(request->outer.ticket_message),
    };
    krb5_error_code code = krb5_parse_name(krb, client, &creds.client);
    if (code == 0)
        code = krb5_parse_name(krb, server, &creds.server);
    SECURITY_STATUS status = krb_status(krb, code, KRB_STAGE_ACCEPT, "keeping the client's ticket");
    if (status == SEC_E_OK)
        status = creds_write(krb, KERBEROS_EVIDENCE, &creds, delegated);
    krb5_free_principal(krb, creds.client);
    krb5_free_principal(krb, creds.server);
    krb_key_wipe(&session);
    return status;
}
