/*
 * RC4, and RC4 interleaved with HMAC-MD5: each is bound by latency, so that run side by side they take little longer than one.
 */
#ifndef OPENSSPI_CRYPTO_RC4_H
#define OPENSSPI_CRYPTO_RC4_H

#include "crypto/digest.h"

/* Plain struct, may be copied: a copy is a checkpoint of the key stream. */
struct rc4 {
    uint8_t s[256];
    uint8_t i, j;
};

void rc4_init(struct rc4 *rc4, const void *key, size_t key_len); /* 1 to 256 bytes */
#define RC4_BOTH_KEY_LEN 16
/* Two at once, with keys of the usual length. */
void rc4_init_both(struct rc4 *a, const uint8_t key_a[RC4_BOTH_KEY_LEN], struct rc4 *b,
                   const uint8_t key_b[RC4_BOTH_KEY_LEN]);
/* in and out may be the same or not overlap. */
void rc4_crypt(struct rc4 *rc4, const uint8_t *in, uint8_t *out, size_t len);

/* Encrypts in place and adds the PLAIN text to the hash. */
void rc4_md5_seal(struct rc4 *rc4, struct md5 *md5, uint8_t *data, size_t len);
/* Decrypts in place and adds the PLAIN text (the result) to the hash. */
void rc4_md5_unseal(struct rc4 *rc4, struct md5 *md5, uint8_t *data, size_t len);

#endif
