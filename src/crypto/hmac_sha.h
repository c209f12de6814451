/*
 * HMAC (RFC 2104) with SHA-1, SHA-256 and SHA-384, the two padded key blocks compressed once per key. Only src/crypto includes this header: it
 * shows OpenSSL's types. The digests are OpenSSL's low-level ones because those of EVP allocate for every message in version 3.
 */
#ifndef OPENSSPI_CRYPTO_HMAC_SHA_H
#define OPENSSPI_CRYPTO_HMAC_SHA_H

#include "crypto/krb5_crypto.h"
#ifndef OPENSSL_SUPPRESS_DEPRECATED
#define OPENSSL_SUPPRESS_DEPRECATED
#endif
#include <openssl/sha.h>

struct hmac_sha {
    const struct krb_mac *key;
    union {
        SHA_CTX sha1;
        SHA256_CTX sha256;
        SHA512_CTX sha384;
    };
};

/* `key` takes the pads; at most one block of the digest long. */
void hmac_sha_key_init(struct krb_mac *key, enum krb_digest digest, const uint8_t *secret, size_t len);
/* `key` is borrowed until the message is finished. */
void hmac_sha_begin(struct hmac_sha *hmac, const struct krb_mac *key);
void hmac_sha_update(struct hmac_sha *hmac, const void *data, size_t len);
/* SHA-1 with whole blocks by other means: bytes that complete the block which is under way; then the chaining value out, and in again after
 * `n_blocks`. */
size_t hmac_sha1_missing(const struct hmac_sha *hmac);
void hmac_sha1_words_out(const struct hmac_sha *hmac, uint32_t words[5]);
void hmac_sha1_words_in(struct hmac_sha *hmac, const uint32_t words[5], size_t n_blocks);
/* The first `len` bytes of the result. What remains in `hmac` is a digest of what was hashed, not of the key. */
void hmac_sha_end(struct hmac_sha *hmac, uint8_t *mac, size_t len);

#define HMAC_SHA1_ROOM 72 /* bytes behind a text that its padding takes at most */
/* The whole HMAC-SHA1 of a text in one piece, with HMAC_SHA1_ROOM behind it, which is written. */
void hmac_sha1_whole(const struct krb_mac *key, uint8_t *text, size_t len, uint8_t mac[20]);
/* FIPS 180-4, section 5.1.1: pads a text behind one block of key, in HMAC_SHA1_ROOM; the number of blocks that it has then. */
size_t hmac_sha1_pad(uint8_t *text, size_t len);
/* A chaining value as it stands in a digest. */
void hmac_sha1_bytes(const uint32_t words[5], uint8_t digest[20]);

#endif
