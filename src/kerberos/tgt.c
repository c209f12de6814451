#include "kerberos/task.h"

#include "base/memory.h"
#include "core/cause.h"
#include "core/trace.h"

/* Ticket-granting tickets: one's own for user-to-user (RFC 4120 3.7), and forwarded ones for delegation (RFC 4120 2.6). */

static SECURITY_STATUS tgt_get(struct kerberos_credential *credential, krb5_context krb, bool for_peer,
                               krb5_creds **creds)
{
    struct kerberos_task *task;
    try(kerberos_task_new(credential, NULL, NULL, &task));
    task->for_peer = for_peer;
    SECURITY_STATUS status = kerberos_task_run(credential, &task, kerberos_deadline(credential));
    if (status == SEC_E_OK) {
        krb_clock_set(krb, krb_clock_get(task->krb));
        *creds = STEAL(task->tgt);
    }
    kerberos_task_free(task);
    return status;
}

SECURITY_STATUS kerberos_tgt_get(struct kerberos_credential *credential, krb5_context krb, krb5_creds **creds)
{
    return tgt_get(credential, krb, false, creds);
}

SECURITY_STATUS kerberos_tgt_get_for_peer(struct kerberos_credential *credential, krb5_context krb, krb5_creds **creds)
{
    return tgt_get(credential, krb, true, creds);
}

/* RFC 4120 5.8, RFC 4121 4.1.1.1: the KRB-CRED is encrypted with the key of the service's ticket. */
static SECURITY_STATUS forward(struct kerberos_task *task, krb5_ccache cache)
{
    krb5_context krb = task->krb;
    krb5_auth_context auth = NULL;
    krb5_data message = {0};
    krb5_error_code code = krb5_auth_con_init(krb, &auth);
    if (code == 0)
        code = krb5_auth_con_setflags(krb, auth, 0); /* no times or numbers of its own: the authenticator has them */
    if (code == 0)
        code = krb5_auth_con_setuseruserkey(krb, auth, &task->service->keyblock);
    if (code == 0)
        code = krb5_fwd_tgt_creds(krb, auth, NULL, task->service->client, task->service->server, cache, 1, &message);
    late_checkpoint();
    SECURITY_STATUS status = krb_status(krb, code, KRB_STAGE_FORWARD, "getting a ticket to be forwarded");
    if (status == SEC_E_OK && !secret_set(&task->bytes, message.data, message.length))
        status = SEC_E_INSUFFICIENT_MEMORY;
    if (message.data != NULL)
        secret_wipe(message.data, message.length);
    krb5_free_data_contents(krb, &message);
    krb5_auth_con_free(krb, auth);
    return status;
}

static SECURITY_STATUS policy_check(const struct kerberos_credential *credential, const krb5_creds *service)
{
    enum config_delegate policy = credential->config->kerberos_delegate;
    require(credential->evidence == NULL,
            cause_set(SEC_E_DELEGATION_POLICY, "the ticket-granting ticket is the service's own, not the client's that "
                                               "it acts for: it is not handed on"));
    require(policy != DELEGATE_NEVER,
            cause_set(SEC_E_DELEGATION_POLICY, "\"delegate\" in [kerberos] is never: no ticket is forwarded"));
    require(policy == DELEGATE_ALWAYS || (service->ticket_flags & TKT_FLG_OK_AS_DELEGATE) != 0,
            cause_set(SEC_E_DELEGATION_POLICY,
                      "the KDC does not call the service trusted for delegation (ok-as-delegate)"));
    return SEC_E_OK;
}

SECURITY_STATUS kerberos_tgt_forward(struct kerberos_credential *credential, krb5_context krb,
                                     const krb5_creds *service, uint64_t deadline, struct secret *message)
{
    struct kerberos_task *task;
    try(policy_check(credential, service));
    try(kerberos_task_new(credential, NULL, forward, &task));
    SECURITY_STATUS status = krb5_copy_creds(krb, service, &task->service) == 0 ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    if (status == SEC_E_OK)
        status = kerberos_task_run(credential, &task, deadline);
    if (status == SEC_E_OK) {
        secret_release(message);
        *message = task->bytes;
        task->bytes = (struct secret){0};
    }
    TRACE("kerberos", "a ticket to be forwarded: 0x%08x", (unsigned)status);
    kerberos_task_free(task);
    return status;
}
