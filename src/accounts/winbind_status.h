/*
 * What a domain's refusal means to a server: NT statuses (MS-ERREF 2.3.1) as SSPI's.
 */
#ifndef OPENSSPI_ACCOUNTS_WINBIND_STATUS_H
#define OPENSSPI_ACCOUNTS_WINBIND_STATUS_H

#include "access/wbclient.h"

/* SEC_E_LOGON_DENIED for a wrong password, an unknown name, and every refusal that has no code of its own; the STATUS_ACCOUNT_* and STATUS_PASSWORD_*
 * of core/status.h; SEC_E_NO_AUTHENTICATING_AUTHORITY where it was not the account that was refused: no controller, no trust, no right to ask. Always
 * with the cause. `failure` may be NULL. */
SECURITY_STATUS winbind_status_of_failure(int error, const struct wbc_failure *failure, const char *domain);

#endif
