/*
 * Randomness: one hook, so that tests are deterministic.
 */
#ifndef OPENSSPI_CRYPTO_RANDOM_H
#define OPENSSPI_CRYPTO_RANDOM_H

#include "base/result.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fills `data` from the cryptographic generator; false when it cannot: the caller must give up. */
MUST_USE bool random_bytes(void *data, size_t len);
/* Tests only: `fill` replaces the generator; NULL gives it back. */
void random_hook(bool (*fill)(void *data, size_t len));

#endif
