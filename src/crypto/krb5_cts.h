/*
 * AES in CBC mode with ciphertext stealing (RFC 3962, section 5) in place over scattered pieces, always from an initial vector of zeros.
 */
#ifndef OPENSSPI_CRYPTO_KRB5_CTS_H
#define OPENSSPI_CRYPTO_KRB5_CTS_H

#include "base/result.h"
#include "base/slice.h"
#include "crypto/krb5_aes.h"

/* A key in one direction. */
struct krb_cbc {
    struct krb_aes aes; /* without rounds: `context` has the key */
    struct evp_cipher_ctx_st *context;
    bool encrypting;
    uint8_t last[AES_BLOCK_LEN]; /* the chaining value in `context` */
};

/* 16 or 32 bytes of key. False when there is no memory; release is safe then too. */
MUST_USE bool krb_cbc_init(struct krb_cbc *cbc, const uint8_t *key, size_t key_len, bool encrypting);
void krb_cbc_release(struct krb_cbc *cbc);
/* One block under the key alone (ECB). */
MUST_USE bool krb_cbc_block(struct krb_cbc *cbc, uint8_t block[AES_BLOCK_LEN]);

/* One message of `len` bytes, at least 16: begin, update until all bytes were given, finish. A block that spans pieces is written when its last byte
 * has come, the last two by finish. */
struct krb_cts {
    struct krb_cbc *cbc;
    size_t bulk, bulk_left; /* bytes before the last two blocks */
    bool linked;            /* the chaining value is the one in cbc; else it is `chain` */
    bool failed;            /* the library refused; checked by finish */
    uint8_t chain[AES_BLOCK_LEN];
    uint8_t pending[2 * AES_BLOCK_LEN];
    unsigned n_pending, n_places;
    struct slice_mut places[2 * AES_BLOCK_LEN]; /* where they came from */
};

void krb_cts_begin(struct krb_cts *cts, struct krb_cbc *cbc, size_t len);
void krb_cts_update(struct krb_cts *cts, uint8_t *data, size_t len);
MUST_USE bool krb_cts_finish(struct krb_cts *cts);

/* The chaining value, for a caller that processes the next whole blocks by other means (at most `bulk_left` bytes, and only with nothing pending),
 * leaves the new value there and tells krb_cts_skip how many bytes it took. */
uint8_t *krb_cts_by_hand(struct krb_cts *cts);
static inline void krb_cts_skip(struct krb_cts *cts, size_t len)
{
    cts->bulk_left -= len;
}

/* Bytes from the start of the message that are as they will stay. */
static inline size_t krb_cts_done(const struct krb_cts *cts)
{
    return cts->bulk - cts->bulk_left;
}

#endif
