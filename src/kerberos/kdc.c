#include "kerberos/kdc.h"

#include "core/cause.h"

unsigned kdc_abandoned(void)
{
    return late_abandoned(LATE_KDC);
}

uint64_t kdc_deadline(unsigned seconds)
{
    return late_deadline(seconds);
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
            kdc_abandoned());
    default:
        return cause_set(SEC_E_INSUFFICIENT_MEMORY, "no memory, or no thread to wait for the KDC with");
    }
}
