/*
 * Does a PAC belong to the ticket it came in?
 */
#ifndef OPENSSPI_KERBEROS_PAC_VERIFY_H
#define OPENSSPI_KERBEROS_PAC_VERIFY_H

#include "crypto/krb5_encrypt.h"
#include "kerberos/name.h"
#include "kerberos/pac.h"
#include <sspi.h>

/* `pac` is `bytes` decoded, `key` opened the ticket, `prepared` is that key for signing, or NULL, `client` and `auth_time` (Unix seconds) stand in
 * it. Verifies the server signature (MS-PAC 2.8.1) and PAC_CLIENT_INFO (2.7). SEC_E_OK; SEC_E_MESSAGE_ALTERED when they do not fit;
 * SEC_E_INVALID_TOKEN when one is missing. */
SECURITY_STATUS kerberos_pac_verify(struct slice bytes, const struct pac *pac, const struct krb_key *key,
                                    const struct krb_prepared *prepared, const struct krb_name *client,
                                    int64_t auth_time);

#endif
