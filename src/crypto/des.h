/*
 * Single DES of one block, which only LM and NTLMv1 responses need (MS-NLMP 6: DES, DESL). By OpenSSL's triple DES with
 * three equal keys, which the default provider has where single DES needs the legacy one.
 */
#ifndef OPENSSPI_CRYPTO_DES_H
#define OPENSSPI_CRYPTO_DES_H

#include "base/result.h"
#include <stdbool.h>
#include <stdint.h>

/* Spreads 56 key bits over 8 bytes, whose parity bits DES ignores. */
void des_key_spread(const uint8_t key[7], uint8_t spread[8]);
/* Encrypts one block under a 56-bit key spread over 7 bytes. False when OpenSSL refuses. */
MUST_USE bool des_encrypt7(const uint8_t key[7], const uint8_t in[8], uint8_t out[8]);

#endif
