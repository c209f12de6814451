/*
 * Proving a name and a password by a handshake within the process.
 */
#ifndef OPENSSPI_LSA_REHEARSE_H
#define OPENSSPI_LSA_REHEARSE_H

#include "core/package.h"

/* A client with the identity and a server with this computer's stores or keys authenticate in memory, so that a logon is refused, counted and locked out as one over the
 * network is. SEC_E_OK; SEC_E_LOGON_DENIED also for nobody's (null) session; else what the handshake said. */
SECURITY_STATUS rehearse(const struct package *package, const struct config *config, const struct identity *identity);

#endif
