#include "kerberos/behalf.h"

#include "base/memory.h"
#include "base/reader.h"
#include "base/time.h"
#include "core/cause.h"
#include "core/trace.h"
#include "kerberos/delegated.h"
#include <errno.h>
#include <string.h>

static bool is_tgt(const krb5_creds *creds)
{
    const krb5_data *first = creds->server != NULL && creds->server->length == 2 ? &creds->server->data[0] : NULL;
    return first != NULL && first->length == strlen(KRB5_TGS_NAME) &&
           memcmp(first->data, KRB5_TGS_NAME, first->length) == 0;
}

static SECURITY_STATUS delegated_read(krb5_context krb, struct slice delegated, uint8_t *kind, krb5_creds **creds)
{
    struct reader reader = reader_of(delegated);
    krb5_creds *read = NULL;
    const char *words = "what the context holds of its client is damaged";
    require(reader_u8(&reader, kind) == WIRE_OK && (*kind == KERBEROS_FORWARDED || *kind == KERBEROS_EVIDENCE),
            cause_set(SEC_E_INVALID_TOKEN, "%s", words));
    const krb5_data packed = krb_data(reader_rest(&reader));
    krb5_error_code code = krb5_unmarshal_credentials(krb, &packed, &read);
    require(code != ENOMEM, SEC_E_INSUFFICIENT_MEMORY);
    bool whole = code == 0 && read->client != NULL && read->server != NULL && read->ticket.length > 0 &&
                 (*kind == KERBEROS_EVIDENCE || (read->keyblock.length > 0 && is_tgt(read)));
    if (!whole) {
        if (read != NULL)
            krb5_free_creds(krb, read);
        return cause_set(SEC_E_INVALID_TOKEN, "%s", words);
    }
    *creds = read;
    return SEC_E_OK;
}

static SECURITY_STATUS name_fill(struct kerberos_credential *credential, krb5_context krb, const krb5_creds *creds)
{
    char *name = NULL;
    try(krb_status(krb, krb5_unparse_name(krb, creds->client, &name), KRB_STAGE_FORWARD, "the client's name"));
    SECURITY_STATUS status = kerberos_text_keep(credential, name, &credential->full_name);
    krb5_free_unparsed_name(krb, name);
    return status;
}

/* Takes `creds`. */
static SECURITY_STATUS with_tgt(const struct acquire_request *request, krb5_creds *creds,
                                struct kerberos_credential **credential)
{
    struct kerberos_source *source = kerberos_source_new();
    if (source != NULL)
        source->logon = LOGON_SEALED;
    *credential = kerberos_credential_new(request, source);
    require(*credential != NULL, SEC_E_INSUFFICIENT_MEMORY);
    (*credential)->tgt = creds;
    return SEC_E_OK;
}

/* The service's tickets are its own: a copy of what it has now, and its source for later. */
static SECURITY_STATUS with_evidence(const struct acquire_request *request, krb5_context krb, krb5_creds *creds,
                                     struct kerberos_credential *service, struct kerberos_credential **credential)
{
    krb5_error_code code = 0;
    require(service != NULL,
            cause_set(SEC_E_NO_CREDENTIALS, "to act for a client by S4U2Proxy the service's own credential is needed"));
    *credential = kerberos_credential_new(request, kerberos_credential_source(service));
    require(*credential != NULL, SEC_E_INSUFFICIENT_MEMORY);
    struct kerberos_lane *lane = kerberos_lane_enter(service->lanes);
    if (service->tgt != NULL && service->source == (*credential)->source) /* not changed in the meantime */
        code = krb5_copy_creds(krb, service->tgt, &(*credential)->tgt);
    kerberos_lane_leave(lane);
    require(code == 0, SEC_E_INSUFFICIENT_MEMORY);
    (*credential)->evidence = creds;
    return SEC_E_OK;
}

/* Takes `creds` and, on success, `krb`: the credential can then be freed by a thread that may not read krb5.conf. */
static SECURITY_STATUS acquire_with(const struct acquire_request *request, krb5_context krb, uint8_t kind,
                                    krb5_creds *creds, struct kerberos_credential *service, void **credential,
                                    int64_t *expiry)
{
    struct kerberos_credential *acquired = NULL;
    int64_t end = krb_filetime(creds->times.endtime);
    SECURITY_STATUS status = kind == KERBEROS_FORWARDED ? with_tgt(request, creds, &acquired)
                                                        : with_evidence(request, krb, creds, service, &acquired);
    if (acquired == NULL || (acquired->tgt != creds && acquired->evidence != creds))
        krb5_free_creds(krb, creds);
    else if (status == SEC_E_OK)
        status = name_fill(acquired, krb, creds);
    if (status != SEC_E_OK) {
        if (acquired != NULL)
            kerberos_release(acquired);
        return status;
    }
    TRACE("kerberos", "a credential to act for %s by %s", acquired->full_name,
          kind == KERBEROS_FORWARDED ? "its forwarded ticket" : "S4U2Proxy");
    krb_pool_give(&acquired->pool, krb);
    *credential = acquired;
    *expiry = end;
    return SEC_E_OK;
}

SECURITY_STATUS kerberos_delegated_acquire(const struct acquire_request *request, struct slice delegated, void *service,
                                           void **credential, int64_t *expiry)
{
    krb5_context krb;
    krb5_creds *creds;
    uint8_t kind;
    require(delegated.len > 0,
            cause_set(SEC_E_NO_CREDENTIALS, "the client has handed nothing over to act for it with"));
    try(krb_context_new(&krb));
    SECURITY_STATUS status = delegated_read(krb, delegated, &kind, &creds);
    if (status == SEC_E_OK && kind != KERBEROS_FORWARDED && !request->config->kerberos_s4u2proxy) {
        krb5_free_creds(krb, creds);
        status = cause_set(SEC_E_NO_CREDENTIALS,
                           "the client forwarded no ticket, and \"s4u2proxy\" in [kerberos] lets nobody ask for one");
    }
    if (status == SEC_E_OK)
        status = acquire_with(request, krb, kind, creds, service, credential, expiry);
    if (status != SEC_E_OK)
        krb5_free_context(krb);
    return status;
}

SECURITY_STATUS kerberos_keep(void *credential, struct secret *delegated)
{
    struct kerberos_credential *proved = credential;
    krb5_context krb;
    krb5_creds *tgt = NULL;
    require(proved->evidence == NULL,
            cause_set(SEC_E_NO_CREDENTIALS, "the ticket-granting ticket is the service's own, not the user's that it "
                                            "acts for: it is not kept"));
    try(krb_pool_take(&proved->pool, &krb));
    SECURITY_STATUS status = kerberos_tgt_get(proved, krb, &tgt);
    if (status == SEC_E_OK)
        status = kerberos_tgt_write(krb, tgt, delegated);
    krb5_free_creds(krb, tgt);
    krb_pool_give(&proved->pool, krb);
    return status;
}

SECURITY_STATUS kerberos_s4u_acquire(const struct acquire_request *request, const char *user, void *service,
                                     void **credential, int64_t *expiry)
{
    krb5_context krb;
    krb5_creds *creds;
    try(krb_context_new(&krb));
    SECURITY_STATUS status = kerberos_s4u_self(service, krb, user, &creds);
    if (status == SEC_E_OK)
        status = acquire_with(request, krb, KERBEROS_EVIDENCE, creds, service, credential, expiry);
    if (status != SEC_E_OK)
        krb5_free_context(krb);
    return status;
}
