/*
 * X.509 certificates as channel bindings need them: their hash, and a PEM file's first one. By OpenSSL.
 */
#ifndef OPENSSPI_CRYPTO_CERTIFICATE_H
#define OPENSSPI_CRYPTO_CERTIFICATE_H

#include "base/result.h"
#include "base/slice.h"
#include "base/writer.h"
#include <openssl/types.h>

#define CERTIFICATE_HASH_MAX 64 /* SHA-512 */

enum certificate_result {
    CERTIFICATE_OK,
    CERTIFICATE_BAD,       /* not one DER certificate and nothing behind it */
    CERTIFICATE_UNDEFINED, /* its signature algorithm names no single hash function: RFC 5929 defines no binding */
    CERTIFICATE_FAILED,    /* OpenSSL cannot compute the hash */
};

/* The hash of "tls-server-end-point" (RFC 5929 4.1) over the certificate's DER: that of the certificate's own signature, SHA-256 where that is
 * MD5 or SHA-1. Ed25519 and Ed448 hash inside the signature and name no function: CERTIFICATE_UNDEFINED. */
MUST_USE enum certificate_result certificate_end_point_hash(struct slice der, uint8_t hash[CERTIFICATE_HASH_MAX],
                                                            size_t *hash_len);

/* The same of a certificate that OpenSSL has read. CERTIFICATE_OK, CERTIFICATE_UNDEFINED, CERTIFICATE_FAILED. */
MUST_USE enum certificate_result certificate_x509_end_point_hash(X509 *certificate, uint8_t hash[CERTIFICATE_HASH_MAX],
                                                                 size_t *hash_len);

/* The first certificate in PEM text, as DER; a server's chain file begins with its own. False when there is none, or it is damaged. */
MUST_USE bool certificate_pem_read(struct slice pem, struct writer *der);

#endif
