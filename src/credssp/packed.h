/*
 * The client's credentials as SECPKG_ATTR_CREDS_2 gives them: a KERB_INTERACTIVE_LOGON or KERB_CERTIFICATE_LOGON in one block, whose pointers are
 * offsets.
 */
#ifndef OPENSSPI_CREDSSP_PACKED_H
#define OPENSSPI_CREDSSP_PACKED_H

#include "base/secret.h"
#include "credssp/request.h"
#include <sspi.h>

/* `packed` stays empty for credentials that have no such form (remote guard). SEC_E_INVALID_TOKEN when a text is too long; SEC_E_INSUFFICIENT_MEMORY.
 * */
SECURITY_STATUS packed_write(const struct ts_credentials *credentials, struct secret *packed);
/* The same read back, from a program that hands it over: slices into `block`. SEC_E_UNKNOWN_CREDENTIALS for another kind; SEC_E_INVALID_TOKEN for a
 * block that is damaged. */
SECURITY_STATUS packed_read(struct slice block, struct ts_credentials *credentials);

#endif
