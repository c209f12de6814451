/*
 * Where the ground floor's results become SECURITY_STATUS, and the few NT statuses that SSPI hands out as they are.
 */
#ifndef OPENSSPI_CORE_STATUS_H
#define OPENSSPI_CORE_STATUS_H

#include "base/result.h"
#include <sspi.h>

/* SSPI has no codes of its own for these: Windows hands the NT status through (MS-ERREF 2.3.1). */
#ifndef STATUS_INVALID_PARAMETER
#define STATUS_INVALID_PARAMETER ((NTSTATUS)0xC000000D)
#endif
#ifndef STATUS_ACCOUNT_DISABLED
#define STATUS_ACCOUNT_DISABLED ((NTSTATUS)0xC0000072)
#endif
#ifndef STATUS_PASSWORD_EXPIRED
#define STATUS_PASSWORD_EXPIRED ((NTSTATUS)0xC0000071)
#endif
#ifndef STATUS_ACCOUNT_EXPIRED
#define STATUS_ACCOUNT_EXPIRED ((NTSTATUS)0xC0000193)
#endif
#ifndef STATUS_PASSWORD_MUST_CHANGE
#define STATUS_PASSWORD_MUST_CHANGE ((NTSTATUS)0xC0000224)
#endif
#ifndef STATUS_ACCOUNT_LOCKED_OUT
#define STATUS_ACCOUNT_LOCKED_OUT ((NTSTATUS)0xC0000234)
#endif

/* SHORT becomes SEC_E_INCOMPLETE_MESSAGE, BAD SEC_E_INVALID_TOKEN. */
static inline SECURITY_STATUS status_of_wire(enum wire_result result)
{
    switch (result) {
    case WIRE_OK:
        return SEC_E_OK;
    case WIRE_SHORT:
        return SEC_E_INCOMPLETE_MESSAGE;
    default:
        return SEC_E_INVALID_TOKEN;
    }
}

#endif
