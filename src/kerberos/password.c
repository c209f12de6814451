#include "kerberos/credential.h"

#include "base/memory.h"
#include "base/utf16.h"
#include "core/cause.h"
#include "core/exiting.h"
#include "core/status.h"
#include "kerberos/kdc.h"

/* Changing a password: RFC 3244, by libkrb5: a ticket for kadmin/changepw, then the change. */

#define CHANGE_TICKET_SECONDS 300

struct change {
    char *client, *old_password, *new_password;
};

static void change_free(void *data)
{
    struct change *change = data;
    mem_free(change->client);
    secret_free_text(change->old_password);
    secret_free_text(change->new_password);
    mem_free(change);
}

static krb5_error_code ticket_get(krb5_context krb, const struct change *change, krb5_creds *creds)
{
    krb5_principal principal = NULL;
    krb5_get_init_creds_opt *options = NULL;
    krb5_error_code code = krb5_parse_name(krb, change->client, &principal);
    if (code == 0)
        code = krb5_get_init_creds_opt_alloc(krb, &options);
    if (code == 0) {
        krb5_get_init_creds_opt_set_tkt_life(options, CHANGE_TICKET_SECONDS);
        krb5_get_init_creds_opt_set_forwardable(options, 0);
        krb5_get_init_creds_opt_set_proxiable(options, 0);
        code = krb5_get_init_creds_password(krb, creds, principal, change->old_password, NULL, NULL, 0,
                                            "kadmin/changepw", options);
        late_checkpoint();
    }
    krb5_get_init_creds_opt_free(krb, options);
    krb5_free_principal(krb, principal);
    return code;
}

static SECURITY_STATUS change_with(krb5_context krb, const struct change *change)
{
    krb5_creds creds = {0};
    krb5_data text = {0}, words = {0};
    int result = 0;
    try(exiting_check());
    krb5_error_code code = ticket_get(krb, change, &creds);
    if (code == 0) {
        code = krb5_change_password(krb, &creds, change->new_password, &result, &words, &text);
        late_checkpoint();
    }
    SECURITY_STATUS status = krb_status(krb, code, KRB_STAGE_LOGON, "changing the password");
    if (status == SEC_E_OK && result != 0)
        status = cause_set(SEC_E_LOGON_DENIED, "the KDC refused the new password: %.*s %.*s", (int)words.length,
                           words.data, (int)text.length, text.data);
    krb5_free_data_contents(krb, &text);
    krb5_free_data_contents(krb, &words);
    krb5_free_cred_contents(krb, &creds);
    return status;
}

static SECURITY_STATUS change_run(void *data)
{
    krb5_context krb = NULL;
    try(krb_context_new(&krb));
    kdc_context_prepare(krb);
    SECURITY_STATUS status = change_with(krb, data);
    krb5_free_context(krb);
    return status;
}

static SECURITY_STATUS change_fill(struct change *change, const struct password_change *request)
{
    const struct identity who = {.user = (char *)(uintptr_t)request->user,
                                 .domain = (char *)(uintptr_t)request->domain};
    change->client = kerberos_client_name(&who);
    require(change->client != NULL, SEC_E_INSUFFICIENT_MEMORY);
    require(utf16le_to_text(request->old_password, &change->old_password) == WIRE_OK &&
                utf16le_to_text(request->new_password, &change->new_password) == WIRE_OK,
            cause_set(SEC_E_INVALID_TOKEN, "a password is not valid UTF-16"));
    return SEC_E_OK;
}

SECURITY_STATUS kerberos_change_password(const struct password_change *request)
{
    static const struct late_work work = {change_run, change_free};
    struct change *change = mem_zalloc(sizeof *change);
    require(change != NULL, SEC_E_INSUFFICIENT_MEMORY);
    void *data = change;
    SECURITY_STATUS status = change_fill(change, request);
    if (status == SEC_E_OK)
        status = kdc_run(&work, &data, late_deadline(request->config->kerberos_kdc_seconds));
    if (data != NULL)
        change_free(data);
    return status;
}
