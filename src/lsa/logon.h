/*
 * Logging on with a password, in this process.
 */
#ifndef OPENSSPI_LSA_LOGON_H
#define OPENSSPI_LSA_LOGON_H

#include "lsa/authority.h"

/* authority()->logon of the embedded authority: a client and a server of the package authenticate in memory, so that a logon is refused, counted and
 * locked out as one over the network is. */
SECURITY_STATUS local_logon(const struct logon_request *request, const struct token **token);

#endif
