/*
 * The computations of Digest authentication (RFC 7616, RFC 2617, RFC 2831): made by clients, made again by stores that know the hash of a password.
 */
#ifndef OPENSSPI_CRYPTO_HTTP_DIGEST_H
#define OPENSSPI_CRYPTO_HTTP_DIGEST_H

#include "base/result.h"
#include "base/slice.h"

enum digest_algorithm { DIGEST_MD5, DIGEST_SHA256, DIGEST_SHA512_256, DIGEST_ALGORITHMS };

#define DIGEST_LEN_MAX 32
#define DIGEST_HEX_MAX (2 * DIGEST_LEN_MAX + 1) /* with its NUL */

/* Bytes of the algorithm's hash. */
size_t digest_len(enum digest_algorithm algorithm);
/* The hash over the pieces one after another; false where OpenSSL has no such hash or no memory. */
MUST_USE bool digest_hash(enum digest_algorithm algorithm, const struct slice *pieces, size_t n_pieces,
                          uint8_t hash[DIGEST_LEN_MAX]);

/* H(user:realm:password), which stands for the password. */
MUST_USE bool digest_secret(enum digest_algorithm algorithm, struct slice user, struct slice realm,
                            struct slice password, uint8_t secret[DIGEST_LEN_MAX]);

/* How the key of a session is made of the secret. */
enum digest_variant {
    DIGEST_PLAIN,   /* it is the secret (RFC 7616 3.4.2) */
    DIGEST_SESSION, /* "-sess" in HTTP: the secret's digits go in */
    DIGEST_SASL,    /* "md5-sess" of RFC 2831 2.1.2.1: its bytes do, and an authorization identity may follow */
};

struct digest_key_input {
    enum digest_algorithm algorithm;
    enum digest_variant variant;
    struct slice nonce, cnonce; /* for what is not PLAIN: of the session's first response */
    struct slice authzid;       /* SASL only; empty: none */
};
/* H(A1). */
MUST_USE bool digest_key(const struct digest_key_input *input, const uint8_t *secret, uint8_t key[DIGEST_LEN_MAX]);

struct digest_response_input {
    enum digest_algorithm algorithm;
    struct slice nonce, nc, cnonce, qop; /* qop empty: a response without one, as before RFC 2617 */
    struct slice method, uri;            /* method empty: the server's answer (rspauth) */
    struct slice entity;                 /* hexadecimal hash of the body under auth-int; else empty */
};
/* The response, as text. */
MUST_USE bool digest_response(const struct digest_response_input *input, const uint8_t *key, char hex[DIGEST_HEX_MAX]);

#define DIGEST_TAG_LEN 16
/* The first half of HMAC-SHA-256 under a key of 32 bytes: for nonces that tell their maker himself. */
void digest_tag(const uint8_t key[32], const struct slice *pieces, size_t n_pieces, uint8_t tag[DIGEST_TAG_LEN]);

#endif
