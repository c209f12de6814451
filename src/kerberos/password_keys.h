/*
 * Keys made of a password: what a server without a keytab opens tickets with.
 */
#ifndef OPENSSPI_KERBEROS_PASSWORD_KEYS_H
#define OPENSSPI_KERBEROS_PASSWORD_KEYS_H

#include "kerberos/credential.h"

#define PASSWORD_KEYS_MAX 16 /* two of each encryption type that libkrb5 has, and room for more */

struct password_keys {
    krb5_keyblock key[PASSWORD_KEYS_MAX];
    unsigned n_keys;
};

/* Makes the keys of the credential's client principal for each permitted encryption type, from its password and the salt that its KDC names, which
 * nothing protects, and behind them those of the principal's usual salt where they differ; with that alone when no KDC answers in time (kdc_seconds),
 * or with an error: that is not protected either. Waits for KDCs; the caller keeps the keys, which belong to no context. SEC_E_NO_CREDENTIALS when
 * there is no password, SEC_E_NO_KERB_KEY when no type is permitted that keys can be made for, and what krb.h maps. */
SECURITY_STATUS kerberos_password_keys(struct kerberos_credential *credential, struct password_keys *keys);
/* Whose tickets those keys are to open, as krb_name_text writes it: `server`'s, in the account's realm where it has none, and then tickets must
 * name it (*by_name), for the keys open those of all the account's services; without `server`, or with one that names
 * no service - no slash, and no "service@host" whose first part is not the account's user - the account's. Mem_free *principal. May ask DNS.
 * SEC_E_UNKNOWN_CREDENTIALS for a name that cannot be written, SEC_E_INSUFFICIENT_MEMORY, and what krb.h maps. */
SECURITY_STATUS kerberos_password_principal(krb5_context krb, const char *account, const char *server, char **principal,
                                            bool *by_name);
void password_keys_release(krb5_context krb, struct password_keys *keys);

#endif
