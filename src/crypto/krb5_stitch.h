/*
 * AES-CBC encryption and SHA-1 side by side, where the processor has instructions for both: each alone waits for its own last result most of the time, so
 * that together they take as long as the slower one.
 */
#ifndef OPENSSPI_CRYPTO_KRB5_STITCH_H
#define OPENSSPI_CRYPTO_KRB5_STITCH_H

#include "crypto/krb5_aes.h"

#define STITCH_UNIT 64 /* four blocks of AES, one of SHA-1 */

/* Is it for this key and this processor? */
bool krb_stitch_can(const struct krb_aes *aes);
/* Encrypts `n_units` units at `data` in place and hashes as many at `hashed`, which is `data` or up to one unit ahead of it: each unit is read before
 * it is overwritten. `chain` and `state` go on from where they are. Only where it can. */
void krb_stitch_run(const struct krb_aes *aes, uint8_t chain[16], uint8_t *data, const uint8_t *hashed, size_t n_units,
                    uint32_t state[5]);

#endif
