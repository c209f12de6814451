/*
 * Private keys: from PEM, DER and PKCS#8 files, by PKCS#11 URI through whatever provider or engine OpenSSL is configured with, and those that a
 * daemon keeps (kept_key.h).
 */
#ifndef OPENSSPI_CERTIFICATES_KEYS_H
#define OPENSSPI_CERTIFICATES_KEYS_H

#include "base/slice.h"
#include <openssl/evp.h>
#include <sspi.h>

/* `password` may be NULL; nobody is ever asked for one. ERROR_INVALID_PASSWORD when it is wrong or missing; CRYPT_E_BAD_ENCODE when there is no key
 * in it. `place` is a path, of a key or of a line "lsa:NAME", a "pkcs11:" URI, or "lsa:NAME". Beside the errors of kept_key_open NTE_BAD_KEYSET when
 * there is no such key; CRYPT_E_FILE_ERROR when the file cannot be read or others than its owner and group may read it. */
SECURITY_STATUS key_open(const char *place, const char *password, EVP_PKEY **pkey);

#endif
