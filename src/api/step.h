/*
 * One call of InitializeSecurityContext, AcceptSecurityContext or their SASL forms.
 */
#ifndef OPENSSPI_API_STEP_H
#define OPENSSPI_API_STEP_H

#include <sspi.h>
#include <stdbool.h>

struct step_call {
    bool initiator, sasl;
    PCredHandle credential;
    PCtxtHandle context;
    const char *target; /* UTF-8, or NULL */
    ULONG flags;
    PSecBufferDesc input, output;
    PCtxtHandle new_context;
    ULONG *attributes;
    PTimeStamp expiry;
};

SECURITY_STATUS api_step(const struct step_call *call);

#endif
