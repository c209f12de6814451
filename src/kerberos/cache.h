/*
 * Looking into ticket caches, for those who administer tickets (LsaCallAuthenticationPackage).
 */
#ifndef OPENSSPI_KERBEROS_CACHE_H
#define OPENSSPI_KERBEROS_CACHE_H

#include "core/tickets.h"

/* SEC_E_OK; SEC_E_NO_CREDENTIALS for a ticket that is not there, also where there is no cache at all; what krb.h maps. A list of no cache is empty.
 * */
SECURITY_STATUS kerberos_tickets(const struct tickets_request *request, struct writer *answer);

#endif
