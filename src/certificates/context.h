/*
 * Certificates and revocation lists as the exported functions handle them: by the caller's pointers, without OpenSSL. Statuses become last errors in
 * src/api. A pointer that is not, or no longer, ours gives E_INVALIDARG.
 */
#ifndef OPENSSPI_CERTIFICATES_CONTEXT_H
#define OPENSSPI_CERTIFICATES_CONTEXT_H

#include "base/slice.h"
#include <sspi.h>
#include <stdbool.h>
#include <wincrypt.h>

/* Contexts from DER. CRYPT_E_ASN1_BADTAG, E_INVALIDARG for another encoding, SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS certificate_create(DWORD encoding, struct slice der, PCCERT_CONTEXT *context);
SECURITY_STATUS crl_create(DWORD encoding, struct slice der, PCCRL_CONTEXT *context);

/* Properties: CertSet/Get/EnumCertificateContextProperties. With `data` NULL the getter only tells the size. */
SECURITY_STATUS property_set(PCCERT_CONTEXT context, DWORD id, DWORD flags, const void *data);
SECURITY_STATUS property_get(PCCERT_CONTEXT context, DWORD id, void *data, DWORD *len);
DWORD property_next(PCCERT_CONTEXT context, DWORD id);
/* The private key's handle, which stays the certificate's. CRYPT_E_NO_KEY_PROPERTY, NTE_BAD_KEYSET, NTE_BAD_PUBLIC_KEY. */
SECURITY_STATUS property_key_handle(PCCERT_CONTEXT context, HCRYPTPROV_OR_NCRYPT_KEY_HANDLE *handle);

/* Are these integers of callers' structures (little-endian) the same number? Bytes at the end that only extend the sign do not count. */
bool numbers_equal(const CRYPT_INTEGER_BLOB *a, const CRYPT_INTEGER_BLOB *b);

/* CryptHashCertificate: `hash` NULL tells the size. NTE_BAD_ALGID, ERROR_MORE_DATA. */
SECURITY_STATUS hash_of_bytes(ALG_ID algorithm, struct slice bytes, BYTE *hash, DWORD *len);
/* Bits of a public key; 0 when it cannot be read. */
DWORD public_key_bits(const CERT_PUBLIC_KEY_INFO *info);

/* CertCreateSelfSignCertificate. */
struct self_sign {
    HCRYPTPROV_OR_NCRYPT_KEY_HANDLE key;         /* 0: see place */
    const CRYPT_KEY_PROV_INFO *place;            /* NULL: a new RSA key */
    const CRYPT_ALGORITHM_IDENTIFIER *algorithm; /* NULL: SHA-256 */
    const CERT_EXTENSIONS *extensions;
    struct slice subject; /* DER */
    DWORD flags;
    int64_t from, until; /* FILETIME; 0: now, for a year */
};
SECURITY_STATUS certificate_self_sign(const struct self_sign *wish, PCCERT_CONTEXT *context);

/* A certificate with its key from files (sspi_ext.h). */
SECURITY_STATUS certificate_from_pem(const char *certificate_file, const char *key_file, const char *password,
                                     PCCERT_CONTEXT *context);

#endif
