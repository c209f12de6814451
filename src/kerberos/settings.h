/*
 * Where a credential's tickets come from, as the program says: by its identity, or by attributes (sspi_ext.h).
 */
#ifndef OPENSSPI_KERBEROS_SETTINGS_H
#define OPENSSPI_KERBEROS_SETTINGS_H

#include "kerberos/credential.h"

/* Makes the source log on with what an identity proves itself with; a password is not this one's. The source's client is set already.
 * SEC_E_UNKNOWN_CREDENTIALS for a damaged keytab or a certificate of nobody. */
SECURITY_STATUS kerberos_source_prove(struct kerberos_source *source, const struct identity *identity);

SECURITY_STATUS kerberos_set_credential(void *credential, uint32_t attribute, const void *value, size_t len);

/* OPENSSPI_CRED_ATTR_CCACHE; the name lives as long as the credential. May wait for KDCs. */
SECURITY_STATUS kerberos_cache_name(struct kerberos_credential *credential, const char **name);

#endif
