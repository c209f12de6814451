/*
 * A response to a challenge that somebody else gave the client: what a server of another protocol passes on (MSV1_0_LM20_LOGON).
 */
#ifndef OPENSSPI_NTLM_RESPONSE_H
#define OPENSSPI_NTLM_RESPONSE_H

#include "core/package.h"

/* package_authority.prove_response. Nothing that goes over three messages can be looked at here, neither bindings nor a MIC: where the configuration
 * asks every client for them, it refuses. Statuses of account_verify_ntlm; SEC_E_LOGON_DENIED, SEC_E_WRONG_PRINCIPAL, SEC_E_TIME_SKEW,
 * SEC_E_INVALID_TOKEN. */
SECURITY_STATUS ntlm_prove_response(const struct config *config, const struct identity *identity,
                                    struct writer *record);

#endif
