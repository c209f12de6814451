/*
 * Triple DES with two keys in CBC mode, as RFC 2831 2.4 keys it: a stream over many messages, by OpenSSL. Nothing is allocated after des3_cbc_new.
 */
#ifndef OPENSSPI_CRYPTO_DES3_CBC_H
#define OPENSSPI_CRYPTO_DES3_CBC_H

#include "base/result.h"
#include "base/slice.h"

#define DES_BLOCK_LEN 8

struct des3_cbc;

/* The key's first 7 bytes are the outer key, the next 7 the inner one, and its last 8 the first vector. NULL: OpenSSL has none, or no memory. */
struct des3_cbc *des3_cbc_new(const uint8_t key[16], bool encrypting);
void des3_cbc_free(struct des3_cbc *cipher); /* NULL is fine */
/* Whole blocks, in place; the last block of cipher text is the next call's vector. False: OpenSSL refuses. */
MUST_USE bool des3_cbc_crypt(struct des3_cbc *cipher, uint8_t *data, size_t len);
/* The vector that comes next: what has to be kept to go on elsewhere, or to go back. */
void des3_cbc_vector(const struct des3_cbc *cipher, uint8_t vector[DES_BLOCK_LEN]);
MUST_USE bool des3_cbc_vector_set(struct des3_cbc *cipher, const uint8_t vector[DES_BLOCK_LEN]);

#endif
