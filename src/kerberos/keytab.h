/*
 * The keys of a server's credential, in memory.
 */
#ifndef OPENSSPI_KERBEROS_KEYTAB_H
#define OPENSSPI_KERBEROS_KEYTAB_H

#include "kerberos/credential.h"

/* Gives the credential's keytab as its file is now; krb5_kt_close it. */
SECURITY_STATUS kerberos_keytab_get(struct kerberos_credential *credential, krb5_context krb, krb5_keytab *keytab);

#endif
