/*
 * Signatures by the numbers that TLS gives them (RFC 8446 4.2.3), as a keeper of keys is asked for them.
 */
#ifndef OPENSSPI_CERTIFICATES_KEY_SCHEME_H
#define OPENSSPI_CERTIFICATES_KEY_SCHEME_H

#include "base/slice.h"
#include "base/writer.h"
#include <openssl/evp.h>
#include <wincrypt.h>

#define SCHEME_RSA_PKCS1_MD5_SHA1 0xfe01 /* of TLS 1.0 and 1.1, which have no number for it; one for private use */
#define KEY_SIGNATURE_MAX 4096           /* bytes: an RSA key of 32768 bits */

/* The scheme of a key of this kind (EVP_PKEY_get_base_id) with a hash, NULL for kinds that have their own, and for RSA a padding (RSA_PKCS1_PADDING,
 * RSA_PKCS1_PSS_PADDING). 0: there is none. PSS is with a salt of the hash's length and the same hash in its mask, as in TLS. */
uint16_t key_scheme_find(int kind, const EVP_MD *hash, int padding);
/* Signs with the key in hand. NTE_BAD_ALGID: the scheme is none, or not this key's; SEC_E_INVALID_TOKEN: no digest of it; NTE_BAD_KEY_STATE: OpenSSL
 * would not. */
SECURITY_STATUS key_scheme_sign(EVP_PKEY *pkey, uint16_t scheme, struct slice data, struct writer *signature);

#endif
