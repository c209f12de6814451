#include "crypto/hmac_sha.h"

#include "base/secret.h"
#include <endian.h>
#include <stddef.h>
#include <string.h>

#define BLOCK_MAX 128
#define DIGEST_MAX 48
#define INNER_PAD 0x36
#define OUTER_PAD 0x5c

static size_t block_len(enum krb_digest digest)
{
    return digest == KRB_SHA384 ? 128 : 64;
}

static void digest_init(struct hmac_sha *hmac, enum krb_digest digest)
{
    if (digest == KRB_SHA1)
        SHA1_Init(&hmac->sha1);
    else if (digest == KRB_SHA256)
        SHA256_Init(&hmac->sha256);
    else
        SHA384_Init(&hmac->sha384);
}

static void digest_update(struct hmac_sha *hmac, enum krb_digest digest, const void *data, size_t len)
{
    if (digest == KRB_SHA1)
        SHA1_Update(&hmac->sha1, data, len);
    else if (digest == KRB_SHA256)
        SHA256_Update(&hmac->sha256, data, len);
    else
        SHA384_Update(&hmac->sha384, data, len);
}

static size_t digest_final(struct hmac_sha *hmac, enum krb_digest digest, uint8_t *out)
{
    if (digest == KRB_SHA1) {
        SHA1_Final(out, &hmac->sha1);
        return 20;
    }
    if (digest == KRB_SHA256) {
        SHA256_Final(out, &hmac->sha256);
        return 32;
    }
    SHA384_Final(out, &hmac->sha384);
    return 48;
}

size_t hmac_sha1_missing(const struct hmac_sha *hmac)
{
    return (64 - hmac->sha1.num) % 64;
}

void hmac_sha1_words_out(const struct hmac_sha *hmac, uint32_t words[5])
{
    const SHA_CTX *from = &hmac->sha1;
    const uint32_t all[5] = {from->h0, from->h1, from->h2, from->h3, from->h4};
    memcpy(words, all, sizeof all);
}

void hmac_sha1_words_in(struct hmac_sha *hmac, const uint32_t words[5], size_t n_blocks)
{
    SHA_CTX *to = &hmac->sha1;
    uint64_t n_bits = ((uint64_t)to->Nh << 32 | to->Nl) + (uint64_t)n_blocks * 512;
    to->h0 = words[0];
    to->h1 = words[1];
    to->h2 = words[2];
    to->h3 = words[3];
    to->h4 = words[4];
    to->Nl = (uint32_t)n_bits;
    to->Nh = (uint32_t)(n_bits >> 32);
}

/* The chaining value after one whole block, and back. */
static void state_out(const struct hmac_sha *hmac, enum krb_digest digest, union krb_digest_state *state)
{
    if (digest == KRB_SHA1)
        hmac_sha1_words_out(hmac, state->w32);
    else if (digest == KRB_SHA256)
        memcpy(state->w32, hmac->sha256.h, sizeof state->w32);
    else
        memcpy(state->w64, hmac->sha384.h, sizeof state->w64);
}

static void state_in(struct hmac_sha *hmac, enum krb_digest digest, const union krb_digest_state *state)
{
    if (digest == KRB_SHA1) {
        hmac->sha1.Nl = hmac->sha1.Nh = 0;
        hmac->sha1.num = 0;
        hmac_sha1_words_in(hmac, state->w32, 1);
    } else if (digest == KRB_SHA256) {
        memcpy(hmac->sha256.h, state->w32, sizeof state->w32);
        hmac->sha256.Nl = 64 * 8;
        hmac->sha256.Nh = 0;
        hmac->sha256.num = 0;
        hmac->sha256.md_len = 32;
    } else {
        memcpy(hmac->sha384.h, state->w64, sizeof state->w64);
        hmac->sha384.Nl = 1024; /* bits: one block */
        hmac->sha384.Nh = 0;
        hmac->sha384.num = 0;
        hmac->sha384.md_len = 48;
    }
}

static const uint32_t sha1_start[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
                                       0xc3d2e1f0}; /* FIPS 180-4, 5.3.1 */

static struct krb_lane lane_of(const uint32_t state[5], const uint8_t block[64])
{
    struct krb_lane lane = {.hashed = block, .n_units = 1};
    memcpy(lane.state, state, sizeof lane.state);
    return lane;
}

/* Both at once: neither waits for the other. */
static void pads_side_by_side(struct krb_mac *key, const uint8_t inner_pad[64])
{
    uint8_t outer_pad[64];
    for (size_t i = 0; i < sizeof outer_pad; i++)
        outer_pad[i] = inner_pad[i] ^ (INNER_PAD ^ OUTER_PAD);
    struct krb_lane inner = lane_of(sha1_start, inner_pad),
                    outer = lane_of(sha1_start, outer_pad), *const lanes[] = {&inner, &outer};
    krb_lanes_hash(lanes, 2);
    memcpy(key->inner.w32, inner.state, sizeof inner.state);
    memcpy(key->outer.w32, outer.state, sizeof outer.state);
    secret_wipe(outer_pad, sizeof outer_pad);
    secret_wipe(&inner, sizeof inner);
    secret_wipe(&outer, sizeof outer);
}

/* RFC 2104, section 4 */
void hmac_sha_key_init(struct krb_mac *key, enum krb_digest digest, const uint8_t *secret, size_t len)
{
    uint8_t block[BLOCK_MAX] = {0};
    struct hmac_sha hmac;
    size_t block_size = block_len(digest);
    memcpy(block, secret, len);
    for (size_t i = 0; i < block_size; i++)
        block[i] ^= INNER_PAD;
    key->digest = digest;
    if (digest == KRB_SHA1 && krb_stitch_can(NULL)) {
        pads_side_by_side(key, block);
        secret_wipe(block, sizeof block);
        return;
    }
    digest_init(&hmac, digest);
    digest_update(&hmac, digest, block, block_size);
    state_out(&hmac, digest, &key->inner);
    for (size_t i = 0; i < block_size; i++)
        block[i] ^= INNER_PAD ^ OUTER_PAD;
    digest_init(&hmac, digest);
    digest_update(&hmac, digest, block, block_size);
    state_out(&hmac, digest, &key->outer);
    secret_wipe(block, sizeof block);
    secret_wipe(&hmac, sizeof hmac);
}

void hmac_sha_begin(struct hmac_sha *hmac, const struct krb_mac *key)
{
    hmac->key = key;
    state_in(hmac, key->digest, &key->inner);
}

void hmac_sha_update(struct hmac_sha *hmac, const void *data, size_t len)
{
    if (len > 0)
        digest_update(hmac, hmac->key->digest, data, len);
}

size_t hmac_sha1_pad(uint8_t *text, size_t len)
{
    size_t n_blocks = (len + 1 + 8 + 64 - 1) / 64;
    uint64_t n_bits = htobe64(((uint64_t)len + 64) * 8);
    memset(text + len, 0, n_blocks * 64 - len);
    text[len] = 0x80;
    memcpy(text + n_blocks * 64 - sizeof n_bits, &n_bits, sizeof n_bits);
    return n_blocks;
}

void hmac_sha1_bytes(const uint32_t words[5], uint8_t digest[20])
{
    uint32_t turned[5];
    for (size_t i = 0; i < 5; i++)
        turned[i] = htobe32(words[i]);
    memcpy(digest, turned, sizeof turned);
}

/* Whole blocks from a chaining value on: without the buffer that the library's functions keep and wipe. */
static void sha1_blocks(const union krb_digest_state *start, const uint8_t *blocks, size_t n_blocks, uint8_t digest[20])
{
    struct hmac_sha hmac;
    uint32_t words[5];
    state_in(&hmac, KRB_SHA1, start);
    SHA1_Update(&hmac.sha1, blocks, n_blocks * 64);
    hmac_sha1_words_out(&hmac, words);
    hmac_sha1_bytes(words, digest);
    secret_wipe(words, sizeof words);
    secret_wipe(&hmac.sha1, offsetof(SHA_CTX, Nl)); /* the same words */
}

/* The outer digest is of one block: the inner one's bytes, and the padding. */
static void sha1_outer(const struct krb_mac *key, const uint8_t digest[20], uint8_t mac[20])
{
    uint8_t block[64];
    memcpy(block, digest, 20);
    sha1_blocks(&key->outer, block, hmac_sha1_pad(block, 20), mac);
    secret_wipe(block, 20);
}

void hmac_sha1_whole(const struct krb_mac *key, uint8_t *text, size_t len, uint8_t mac[20])
{
    uint8_t digest[20];
    sha1_blocks(&key->inner, text, hmac_sha1_pad(text, len), digest);
    sha1_outer(key, digest, mac);
    secret_wipe(digest, sizeof digest);
}

void hmac_sha_end(struct hmac_sha *hmac, uint8_t *mac, size_t len)
{
    uint8_t digest[DIGEST_MAX];
    enum krb_digest kind = hmac->key->digest;
    size_t digest_len = digest_final(hmac, kind, digest);
    if (kind == KRB_SHA1) {
        sha1_outer(hmac->key, digest, digest);
        memcpy(mac, digest, len);
        secret_wipe(digest, sizeof digest);
        return;
    }
    state_in(hmac, kind, &hmac->key->outer);
    digest_update(hmac, kind, digest, digest_len);
    (void)digest_final(hmac, kind, digest);
    memcpy(mac, digest, len);
    secret_wipe(digest, sizeof digest); /* RFC 8009 derives keys so */
}
