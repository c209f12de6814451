#include "kerberos/kdc.h"

#include "core/cause.h"

static krb5_error_code KRB5_CALLCONV has_waited(krb5_context krb, void *data, krb5_error_code code,
                                                const krb5_data *realm, const krb5_data *message,
                                                const krb5_data *reply, krb5_data **other_reply)
{
    (void)krb, (void)data, (void)realm, (void)message, (void)reply, (void)other_reply;
    late_checkpoint();
    return code;
}

void kdc_context_prepare(krb5_context krb)
{
    krb5_set_kdc_recv_hook(krb, has_waited, NULL);
}

SECURITY_STATUS kdc_run(const struct late_work *work, void **data, uint64_t deadline)
{
    SECURITY_STATUS status = SEC_E_INTERNAL_ERROR;
    switch (late_run(LATE_KDC, work, data, deadline, &status)) {
    case LATE_DONE:
        return status;
    case LATE_OVER:
        return cause_set(SEC_E_NO_AUTHENTICATING_AUTHORITY, "no KDC answered in time (kdc_seconds in [kerberos])");
    case LATE_FULL:
        return cause_set(
            SEC_E_NO_AUTHENTICATING_AUTHORITY,
            "%u requests to KDCs that do not answer are still waiting; nothing more is asked until they end",
            late_abandoned(LATE_KDC));
    default:
        return cause_set(SEC_E_INSUFFICIENT_MEMORY, "no memory, or no thread to wait for the KDC with");
    }
}
