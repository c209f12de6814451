/*
 * Logging on with a password, in this process.
 */
#ifndef OPENSSPI_LSA_LOGON_H
#define OPENSSPI_LSA_LOGON_H

#include "lsa/authority.h"

/* authority()->logon of the embedded authority: a client and a server of the package authenticate in memory, so that a logon is refused, counted and
 * locked out as one over the network is. */
SECURITY_STATUS local_logon(const struct logon_request *request, const struct token **token);

/* authority()->logon_s4u: what KERB_S4U_LOGON asks of LsaLogonUser. SEC_E_LOGON_DENIED for a user whom the KDC does not know. */
SECURITY_STATUS local_logon_s4u(const struct config *config, const char *user, struct credential *service,
                                const struct token **token);
/* What a client's session gives to act for it with; NULL where there is nothing. `service` is what context->service says. */
SECURITY_STATUS local_behalf_of_client(const struct session *session, struct credential *service,
                                       const struct config *config, const struct behalf **behalf);

#endif
