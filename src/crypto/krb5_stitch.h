/*
 * AES-CBC encryption and SHA-1 side by side, where the processor has instructions for both: each alone waits for its own last result most of the time, so
 * that together they take as long as the slower one.
 */
#ifndef OPENSSPI_CRYPTO_KRB5_STITCH_H
#define OPENSSPI_CRYPTO_KRB5_STITCH_H

#include "base/slice.h"

#define STITCH_UNIT 64 /* four blocks of AES, one of SHA-1 */

struct krb_stitch {
    unsigned rounds; /* 0: this processor cannot */
    uint8_t keys[15][16];
};

/* 16 or 32 bytes of key. */
void krb_stitch_init(struct krb_stitch *stitch, const uint8_t *key, size_t key_len);
/* Encrypts `n_units` units at `data` in place and hashes as many at `hashed`, which is `data` or up to one unit ahead of it: each unit is read before
 * it is overwritten. `chain` and `state` go on from where they are. Only with rounds. */
void krb_stitch_run(const struct krb_stitch *stitch, uint8_t chain[16], uint8_t *data, const uint8_t *hashed,
                    size_t n_units, uint32_t state[5]);

#endif
