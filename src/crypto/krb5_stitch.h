/*
 * AES-CBC encryption and SHA-1 side by side, where the processor has instructions for both: each alone waits for its own last result most of the
 * time, so that together they take as long as the slower one. With the messages of several lanes side by side nobody waits for long.
 */
#ifndef OPENSSPI_CRYPTO_KRB5_STITCH_H
#define OPENSSPI_CRYPTO_KRB5_STITCH_H

#include "crypto/krb5_aes.h"

#define STITCH_UNIT 64 /* four blocks of AES, one of SHA-1 */
#define STITCH_LANES 4 /* more do not pass faster */

/* Where one message stands. */
struct krb_lane {
    const struct krb_aes *aes;    /* one that encrypts; not looked at where nothing is */
    uint8_t chain[AES_BLOCK_LEN]; /* go on from where they are, as all that follows */
    uint32_t state[5];
    uint8_t *data; /* encrypted in place, */
    const uint8_t
        *hashed;    /* which may be `data`, or up to one unit ahead of it: each unit is read before it is overwritten */
    size_t n_units; /* what is left */
};

/* Is it for this key and this processor? krb_lanes_hash needs no key (NULL). */
bool krb_stitch_can(const struct krb_aes *aes);
/* Encrypts and hashes all units of the lanes, at most STITCH_LANES; their keys are of one length. Only where it can. */
void krb_lanes_run(struct krb_lane *const *lanes, unsigned n_lanes);
/* Hashes alone. */
void krb_lanes_hash(struct krb_lane *const *lanes, unsigned n_lanes);

#endif
