/*
 * MD4 (RFC 1320), MD5 (RFC 1321) and HMAC-MD5 (RFC 2104): ours, because NTLM needs them where OpenSSL's legacy provider or
 * FIPS settings refuse them, and because sealing interleaves them with RC4. None of them allocates.
 */
#ifndef OPENSSPI_CRYPTO_DIGEST_H
#define OPENSSPI_CRYPTO_DIGEST_H

#include "base/slice.h"

#define MD4_LEN 16
#define MD5_LEN 16

struct md5 {
    uint32_t state[4];
    uint64_t len;      /* bytes so far */
    uint8_t block[64]; /* len % 64 bytes are pending */
};

void md5_init(struct md5 *md5);
void md5_update(struct md5 *md5, const void *data, size_t len);
/* Wipes the state. */
void md5_final(struct md5 *md5, uint8_t digest[MD5_LEN]);
/* Compresses whole blocks into a state; the building brick that sealing interleaves. */
void md5_blocks(uint32_t state[4], const uint8_t *data, size_t n_blocks);
/* The same for two chains side by side, which takes little longer than one. */
void md5_blocks_both(uint32_t state[4], const uint8_t *data, uint32_t state2[4], const uint8_t *data2, size_t n_blocks);
void md5_once(const void *data, size_t len, uint8_t digest[MD5_LEN]);
#define MD5_BOTH_MAX_BLOCKS 2
/* Two short messages of two pieces each at a time: at most MD5_BOTH_MAX bytes either. */
#define MD5_BOTH_MAX (MD5_BOTH_MAX_BLOCKS * 64 - 9)
void md5_both(const struct slice a[2], uint8_t digest_a[MD5_LEN], const struct slice b[2], uint8_t digest_b[MD5_LEN]);
/* Four such messages, which all take the same number of blocks: the caller sees to it. */
void md5_four(const struct slice messages[4][2], uint8_t digests[4][MD5_LEN]);

void md4_once(const void *data, size_t len, uint8_t digest[MD4_LEN]);

/* HMAC-MD5 with the two padded key blocks compressed once: a message then costs only its own blocks plus one. */
struct hmac_md5_key {
    uint32_t inner[4], outer[4];
};
struct hmac_md5 {
    struct md5 md5;
    uint32_t outer[4];
};

void hmac_md5_key_init(struct hmac_md5_key *key, const void *secret, size_t len);
/* Two keys of HMAC_MD5_BOTH_LEN bytes at a time. */
#define HMAC_MD5_BOTH_LEN 16
void hmac_md5_key_init_both(struct hmac_md5_key *a, const uint8_t secret_a[HMAC_MD5_BOTH_LEN], struct hmac_md5_key *b,
                            const uint8_t secret_b[HMAC_MD5_BOTH_LEN]);
void hmac_md5_init(struct hmac_md5 *hmac, const struct hmac_md5_key *key);
void hmac_md5_update(struct hmac_md5 *hmac, const void *data, size_t len);
/* Wipes `hmac`; the key remains for the next message. */
void hmac_md5_final(struct hmac_md5 *hmac, uint8_t mac[MD5_LEN]);
/* Of one message under two keys at a time. */
void hmac_md5_both(const struct hmac_md5_key *a, uint8_t mac_a[MD5_LEN], const struct hmac_md5_key *b,
                   uint8_t mac_b[MD5_LEN], struct slice message);
/* One call over any number of pieces, under a key that is kept, or one that is used this once. */
void hmac_md5_pieces(const struct hmac_md5_key *key, const struct slice *pieces, size_t n_pieces, uint8_t mac[MD5_LEN]);
void hmac_md5_once(const void *secret, size_t secret_len, const struct slice *pieces, size_t n_pieces,
                   uint8_t mac[MD5_LEN]);

/* CRC-32 of ISO 3309, as NTLM signatures without extended session security use it. Start with 0. */
uint32_t crc32_update(uint32_t crc, const void *data, size_t len);

#endif
