#include "kerberos/source.h"

#include "base/memory.h"
#include "core/cause.h"
#include "core/exiting.h"
#include "core/late.h"
#include <string.h>

/* First tickets: the AS exchange with a password, a keytab's key or a certificate's. */

struct logon {
    const struct kerberos_source *source;
    krb5_context krb;
    krb5_principal client;
    krb5_get_init_creds_opt *options;
    krb5_creds *creds;
};

/* The PIN of the token, or the pass phrase of the key file, whatever it is called. */
static krb5_error_code KRB5_CALLCONV pin_answer(krb5_context krb, void *data, krb5_responder_context responder)
{
    const struct kerberos_source *source = data;
    krb5_responder_pkinit_challenge *challenge = NULL;
    krb5_error_code code = krb5_responder_pkinit_get_challenge(krb, responder, &challenge);
    if (code != 0 || challenge == NULL)
        return code;
    for (size_t i = 0; code == 0 && challenge->identities[i] != NULL && source->pin.data != NULL; i++)
        /* a token that counts its last try is not risked */
        if (challenge->identities[i]->token_flags < 0 ||
            (challenge->identities[i]->token_flags & (KRB5_RESPONDER_PKINIT_FLAGS_TOKEN_USER_PIN_LOCKED |
                                                      KRB5_RESPONDER_PKINIT_FLAGS_TOKEN_USER_PIN_FINAL_TRY)) == 0)
            code = krb5_responder_pkinit_set_answer(krb, responder, challenge->identities[i]->identity,
                                                    (const char *)source->pin.data);
    krb5_responder_pkinit_challenge_free(krb, responder, challenge);
    return code;
}

static krb5_error_code certificate_options(const struct logon *logon)
{
    static krb5_preauthtype only[] = {KRB5_PADATA_PK_AS_REQ};
    const struct kerberos_source *source = logon->source;
    krb5_context krb = logon->krb;
    krb5_get_init_creds_opt_set_preauth_list(logon->options, only, (int)COUNT_OF(only));
    krb5_error_code code =
        krb5_get_init_creds_opt_set_pa(krb, logon->options, "X509_user_identity", source->certificate);
    if (code == 0 && source->anchors != NULL)
        code = krb5_get_init_creds_opt_set_pa(krb, logon->options, "X509_anchors", source->anchors);
    if (code == 0)
        code = krb5_get_init_creds_opt_set_responder(krb, logon->options, pin_answer, (void *)(uintptr_t)source);
    return code;
}

static krb5_error_code first_in_keytab(krb5_context krb, krb5_keytab keytab, krb5_principal *client)
{
    krb5_kt_cursor cursor;
    krb5_keytab_entry entry;
    krb5_error_code code = krb5_kt_start_seq_get(krb, keytab, &cursor);
    if (code != 0)
        return code;
    code = krb5_kt_next_entry(krb, keytab, &entry, &cursor);
    if (code == 0) {
        code = krb5_copy_principal(krb, entry.principal, client);
        krb5_free_keytab_entry_contents(krb, &entry);
    }
    (void)krb5_kt_end_seq_get(krb, keytab, &cursor);
    return code == KRB5_KT_END ? (krb5_error_code)KRB5_KT_NOTFOUND : code;
}

static krb5_error_code with_keytab(struct logon *logon)
{
    krb5_keytab keytab = NULL;
    krb5_error_code code = logon->source->keytab != NULL ? krb5_kt_resolve(logon->krb, logon->source->keytab, &keytab)
                                                         : krb5_kt_default(logon->krb, &keytab);
    if (code == 0 && logon->client == NULL)
        code = first_in_keytab(logon->krb, keytab, &logon->client);
    if (code == 0)
        code = krb5_get_init_creds_keytab(logon->krb, logon->creds, logon->client, keytab, 0, NULL, logon->options);
    if (keytab != NULL)
        krb5_kt_close(logon->krb, keytab);
    return code;
}

static krb5_error_code options_make(struct logon *logon, bool forwardable)
{
    krb5_error_code code = krb5_get_init_creds_opt_alloc(logon->krb, &logon->options);
    if (code != 0)
        return code;
    krb5_get_init_creds_opt_set_canonicalize(logon->options, 1);
    if (forwardable)
        krb5_get_init_creds_opt_set_forwardable(logon->options, 1);
    return logon->source->logon == LOGON_CERTIFICATE ? certificate_options(logon) : 0;
}

static krb5_error_code exchange(struct logon *logon)
{
    const struct kerberos_source *source = logon->source;
    switch (source->logon) {
    case LOGON_KEYTAB:
        return with_keytab(logon);
    case LOGON_PASSWORD:
        return krb5_get_init_creds_password(logon->krb, logon->creds, logon->client, (char *)source->password.data,
                                            NULL, NULL, 0, NULL, logon->options);
    case LOGON_CERTIFICATE:
        return krb5_get_init_creds_password(logon->krb, logon->creds, logon->client, NULL, NULL, NULL, 0, NULL,
                                            logon->options);
    default:
        return KRB5_NO_TKT_SUPPLIED;
    }
}

static krb5_error_code log_on_as(struct logon *logon, int name_flags)
{
    krb5_error_code code = 0;
    /* KDCs may forbid tickets that can be forwarded, and some refuse instead of giving another one. */
    for (int forwardable = logon->source->forwardable ? 1 : 0; forwardable >= 0; forwardable--) {
        if (logon->source->client != NULL)
            code = krb5_parse_name_flags(logon->krb, logon->source->client, name_flags, &logon->client);
        if (code == 0)
            code = options_make(logon, forwardable != 0);
        if (code == 0)
            code = exchange(logon);
        late_checkpoint();
        krb5_get_init_creds_opt_free(logon->krb, logon->options);
        krb5_free_principal(logon->krb, logon->client);
        logon->options = NULL;
        logon->client = NULL;
        if (code != KRB5KDC_ERR_POLICY && code != KRB5KDC_ERR_BADOPTION)
            break;
    }
    return code;
}

SECURITY_STATUS kerberos_source_log_on(const struct kerberos_source *source, krb5_context krb, krb5_creds *creds)
{
    static const char *const doing[] = {
        [LOGON_NONE] = "there is nothing to log on with",   [LOGON_PASSWORD] = "logging on with the password",
        [LOGON_KEYTAB] = "logging on with the keytab",      [LOGON_CERTIFICATE] = "logging on with the certificate",
        [LOGON_SEALED] = "there is nothing to log on with",
    };
    struct logon logon = {.source = source, .krb = krb, .creds = creds};
    try(exiting_check());
    krb5_error_code code = log_on_as(&logon, 0);
    /* What follows the @ may be no realm but a UPN's suffix or a domain's NetBIOS name: then the default realm's KDC knows what is meant (MS-KILE
     * 3.1.5.11, RFC 6806 5). */
    if (code == KRB5_REALM_UNKNOWN && source->client != NULL && strchr(source->client, '@') != NULL) {
        krb5_error_code second = log_on_as(&logon, KRB5_PRINCIPAL_PARSE_ENTERPRISE);
        if (second != KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN && second != KRB5_CONFIG_NODEFREALM)
            code = second;
    }
    enum krb_stage stage = source->logon == LOGON_CERTIFICATE ? KRB_STAGE_CERTIFICATE : KRB_STAGE_LOGON;
    return krb_status(krb, code, stage, doing[source->logon]);
}
