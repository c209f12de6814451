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

SECURITY_STATUS kerberos_tgt_write(krb5_context krb, krb5_creds *tgt, struct secret *delegated)
{
    return creds_write(krb, KERBEROS_FORWARDED, tgt, delegated);
}

/* The same name as libkrb5 has it; it borrows. */
static void principal_of(const struct krb_name *name, krb5_data parts[KRB_NAME_PARTS], krb5_principal_data *principal)
{
    for (unsigned i = 0; i < name->n_parts; i++)
        parts[i] = krb_data(name->part[i]);
    *principal = (krb5_principal_data){
        .magic = KV5M_PRINCIPAL,
        .realm = krb_data(name->realm),
        .data = parts,
        .length = (krb5_int32)name->n_parts,
        .type = name->type,
    };
}

static SECURITY_STATUS info_keep(krb5_context krb, const struct krb_cred *cred, const struct krb_cred_info *info,
                                 struct secret *delegated)
{
    krb5_data client_parts[KRB_NAME_PARTS], server_parts[KRB_NAME_PARTS];
    krb5_principal_data client, server;
    principal_of(&info->client, client_parts, &client);
    principal_of(&info->server, server_parts, &server);
    krb5_creds creds = {
        .magic = KV5M_CREDS,
        .client = &client,
        .server = &server,
        .keyblock = {.magic = KV5M_KEYBLOCK,
                     .enctype = info->enctype,
                     .length = (unsigned)info->key.len,
                     .contents = (krb5_octet *)(uintptr_t)info->key.data},
        .times = {.authtime = (krb5_timestamp)info->auth_time,
                  .starttime = (krb5_timestamp)info->start_time,
                  .endtime = (krb5_timestamp)info->end_time,
                  .renew_till = (krb5_timestamp)info->renew_till},
        .ticket_flags = (krb5_flags)info->flags,
        .ticket = krb_data(cred->ticket_message),
    };
    return creds_write(krb, KERBEROS_FORWARDED, &creds, delegated);
}

SECURITY_STATUS kerberos_forwarded_read(krb5_context krb, const struct krb_key *session, const struct krb_name *client,
                                        struct slice message, struct secret *delegated)
{
    AUTO_SECRET struct secret buffer = {0};
    struct krb_cred cred;
    struct krb_cred_info info;
    require(krb_cred_parse(message, &cred) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "the client's forwarded ticket is damaged, or there is none"));
    struct slice plain = cred.part.cipher; /* inside the authenticator it need not be encrypted once more */
    require(cred.part.enctype == 0 || (cred.part.enctype == session->enctype &&
                                       krb_decrypt(session, KRB_USAGE_CRED, cred.part.cipher, &buffer, &plain)),
            cause_set(SEC_E_INVALID_TOKEN, "the client's forwarded ticket does not open with the session key"));
    require(krb_cred_info_parse(plain, &info) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "what the client says of its forwarded ticket is damaged, or lacks a name"));
    /* Else a service that looks at the name alone would take whatever the client calls itself. */
    require(krb_name_equal(&info.client, client),
            cause_set(SEC_E_WRONG_PRINCIPAL, "the forwarded ticket is said to be another's than the client's"));
    return info_keep(krb, &cred, &info, delegated);
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
