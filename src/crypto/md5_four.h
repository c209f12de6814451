/*
 * MD5 of four chains in the lanes of a vector: they take little longer than two do in ordinary registers.
 */
#ifndef OPENSSPI_CRYPTO_MD5_FOUR_H
#define OPENSSPI_CRYPTO_MD5_FOUR_H

#include <stdint.h>

/* Compresses one block into each of four states. */
void md5_blocks_four(uint32_t state[4][4], const uint8_t *const data[4]);

#endif
