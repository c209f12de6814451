/*
 * AES-256-GCM (NIST SP 800-38D): for secrets that lie in memory and must neither be read there nor altered unseen.
 */
#ifndef OPENSSPI_CRYPTO_AEAD_H
#define OPENSSPI_CRYPTO_AEAD_H

#include "base/result.h"
#include "base/slice.h"

#define AEAD_KEY_LEN 32
#define AEAD_NONCE_LEN 12
#define AEAD_TAG_LEN 16

/* Encrypts `data` in place and authenticates it together with the `n_bound` slices. A nonce must never serve twice under a key. False
 * when the cipher is not to be had: `data` is then worthless. */
MUST_USE bool aead_seal(const uint8_t key[AEAD_KEY_LEN], const uint8_t nonce[AEAD_NONCE_LEN], const struct slice *bound,
                        size_t n_bound, struct slice_mut data, uint8_t tag[AEAD_TAG_LEN]);
/* The reverse, in place. False, and `data` wiped, when anything was altered: give it a copy. */
MUST_USE bool aead_open(const uint8_t key[AEAD_KEY_LEN], const uint8_t nonce[AEAD_NONCE_LEN], const struct slice *bound,
                        size_t n_bound, struct slice_mut data, const uint8_t tag[AEAD_TAG_LEN]);

#endif
