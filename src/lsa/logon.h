/*
 * Logging on with a password, in this process.
 */
#ifndef OPENSSPI_LSA_LOGON_H
#define OPENSSPI_LSA_LOGON_H

#include "lsa/authority.h"

/* A client with the given request and a server with this computer's stores or keys authenticate in memory, so that a logon is refused, counted and locked out as one over
 * the network is. `record` gets the server's session record. SEC_E_LOGON_DENIED also for nobody's (null) session; else what the handshake said. */
SECURITY_STATUS logon_prove(const struct package *package, const struct acquire_request *client, struct writer *record);
/* The same with a credential to act for a user (S4U) in place of a request, to the very service that acts. */
SECURITY_STATUS logon_prove_s4u(const struct package *package, const struct config *config, void *credential,
                                void *service, struct writer *record);
/* The token of whom such a record tells. Makes it with this process's view of Unix users. */
SECURITY_STATUS logon_token(const struct logon_request *request, struct slice record, const struct token **token);
/* Which package proves a name: accounts of this computer NTLM, others Kerberos. SEC_E_SECPKG_NOT_FOUND. */
SECURITY_STATUS logon_package(const struct config *config, const struct identity *identity,
                              enum logon_provider provider, const struct package **package);

/* authority()->logon of the embedded authority. */
SECURITY_STATUS local_logon(const struct logon_request *request, const struct token **token);

#endif
