/*
 * SHA-256 (FIPS 180-4), by OpenSSL.
 */
#ifndef OPENSSPI_CRYPTO_SHA256_H
#define OPENSSPI_CRYPTO_SHA256_H

#include "base/result.h"
#include "base/slice.h"

/* False when OpenSSL refuses. */
MUST_USE bool sha256_once(struct slice data, uint8_t digest[32]);

#endif
