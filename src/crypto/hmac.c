/* HMAC-MD5, RFC 2104. */
#include "crypto/digest.h"
#include "crypto/md5_four.h"
#include "crypto/md5_rounds.h"
#include "base/secret.h"

#include <string.h>

#define BLOCK_LEN 64
#define INNER_PAD 0x36
#define OUTER_PAD 0x5c

/* RFC 2104, section 4: both key blocks are compressed once per key instead of once per message. */
void hmac_md5_key_init(struct hmac_md5_key *key, const void *secret, size_t len)
{
    uint8_t block[BLOCK_LEN] = {0}, outer[BLOCK_LEN];
    struct md5 md5;

    /* RFC 2104, section 2: longer keys are hashed first. */
    if (len > BLOCK_LEN)
        md5_once(secret, len, block);
    else if (len != 0)
        memcpy(block, secret, len);
    md5_init(&md5);
    memcpy(key->inner, md5.state, sizeof(key->inner));
    memcpy(key->outer, md5.state, sizeof(key->outer));
    for (size_t i = 0; i < BLOCK_LEN; i++) {
        outer[i] = block[i] ^ OUTER_PAD;
        block[i] ^= INNER_PAD;
    }
    md5_blocks_both(key->inner, block, key->outer, outer, 1);
    secret_wipe(block, sizeof(block));
    secret_wipe(outer, sizeof(outer));
}

void hmac_md5_key_init_both(struct hmac_md5_key *a, const uint8_t secret_a[HMAC_MD5_BOTH_LEN], struct hmac_md5_key *b,
                            const uint8_t secret_b[HMAC_MD5_BOTH_LEN])
{
    uint8_t block[4][BLOCK_LEN];
    uint32_t state[4][4];
    struct md5 md5;

    md5_init(&md5);
    memset(block[0], INNER_PAD, BLOCK_LEN);
    memset(block[1], OUTER_PAD, BLOCK_LEN);
    memset(block[2], INNER_PAD, BLOCK_LEN);
    memset(block[3], OUTER_PAD, BLOCK_LEN);
    for (size_t i = 0; i < HMAC_MD5_BOTH_LEN; i++) {
        block[0][i] ^= secret_a[i];
        block[1][i] ^= secret_a[i];
        block[2][i] ^= secret_b[i];
        block[3][i] ^= secret_b[i];
    }
    for (unsigned i = 0; i < 4; i++)
        memcpy(state[i], md5.state, sizeof(state[i]));
    md5_blocks_four(state, (const uint8_t *const[4]){block[0], block[1], block[2], block[3]});
    memcpy(a->inner, state[0], sizeof(a->inner));
    memcpy(a->outer, state[1], sizeof(a->outer));
    memcpy(b->inner, state[2], sizeof(b->inner));
    memcpy(b->outer, state[3], sizeof(b->outer));
    secret_wipe(block, sizeof(block));
    secret_wipe(state, sizeof(state));
}

void hmac_md5_init(struct hmac_md5 *hmac, const struct hmac_md5_key *key)
{
    memcpy(hmac->md5.state, key->inner, sizeof(key->inner));
    hmac->md5.len = BLOCK_LEN;
    memcpy(hmac->outer, key->outer, sizeof(key->outer));
}

void hmac_md5_update(struct hmac_md5 *hmac, const void *data, size_t len)
{
    md5_update(&hmac->md5, data, len);
}

void hmac_md5_final(struct hmac_md5 *hmac, uint8_t mac[MD5_LEN])
{
    /* The outer hash always has these two blocks: the padded key and one inner digest. */
    struct md5 outer = {.len = BLOCK_LEN + MD5_LEN};

    memcpy(outer.state, hmac->outer, sizeof(outer.state));
    md5_final(&hmac->md5, outer.block);
    md5_final(&outer, mac);
    secret_wipe(hmac->outer, sizeof(hmac->outer));
}

/* The end of a message as MD5 pads it (RFC 1321, sections 3.1 and 3.2), where `total_len` bytes are hashed in all; how many
 * blocks it takes: one, or from 56 bytes on two. */
static size_t tail_fill(uint8_t *blocks, const uint8_t *rest, size_t rest_len, uint64_t total_len)
{
    size_t n_blocks = (rest_len + 8) / BLOCK_LEN + 1;

    memset(blocks, 0, n_blocks * BLOCK_LEN);
    if (rest != NULL)
        memcpy(blocks, rest, rest_len);
    blocks[rest_len] = 0x80;
    md5_length_write(total_len, blocks + n_blocks * BLOCK_LEN - 8);
    return n_blocks;
}

void hmac_md5_both(const struct hmac_md5_key *a, uint8_t mac_a[MD5_LEN], const struct hmac_md5_key *b,
                   uint8_t mac_b[MD5_LEN], struct slice message)
{
    uint8_t tail[2 * BLOCK_LEN], inner_a[BLOCK_LEN], inner_b[BLOCK_LEN], digest[MD5_LEN];
    size_t whole_len = message.len - message.len % BLOCK_LEN, n_tail;
    uint32_t state_a[4], state_b[4];

    memcpy(state_a, a->inner, sizeof state_a);
    memcpy(state_b, b->inner, sizeof state_b);
    md5_blocks_both(state_a, message.data, state_b, message.data, whole_len / BLOCK_LEN);
    n_tail = tail_fill(tail, whole_len < message.len ? message.data + whole_len : NULL, message.len - whole_len,
                       BLOCK_LEN + (uint64_t)message.len);
    md5_blocks_both(state_a, tail, state_b, tail, n_tail);
    md5_state_write(state_a, digest);
    (void)tail_fill(inner_a, digest, MD5_LEN, BLOCK_LEN + MD5_LEN);
    memcpy(inner_b, inner_a, BLOCK_LEN);
    md5_state_write(state_b, inner_b);
    memcpy(state_a, a->outer, sizeof state_a);
    memcpy(state_b, b->outer, sizeof state_b);
    md5_blocks_both(state_a, inner_a, state_b, inner_b, 1);
    md5_state_write(state_a, mac_a);
    md5_state_write(state_b, mac_b);
    secret_wipe(state_a, sizeof state_a);
    secret_wipe(state_b, sizeof state_b);
}

void hmac_md5_pieces(const struct hmac_md5_key *key, const struct slice *pieces, size_t n_pieces, uint8_t mac[MD5_LEN])
{
    struct hmac_md5 hmac;

    hmac_md5_init(&hmac, key);
    for (size_t i = 0; i < n_pieces; i++)
        hmac_md5_update(&hmac, pieces[i].data, pieces[i].len);
    hmac_md5_final(&hmac, mac);
}

void hmac_md5_once(const void *secret, size_t secret_len, const struct slice *pieces, size_t n_pieces,
                   uint8_t mac[MD5_LEN])
{
    struct hmac_md5_key key;

    hmac_md5_key_init(&key, secret, secret_len);
    hmac_md5_pieces(&key, pieces, n_pieces, mac);
    secret_wipe(&key, sizeof(key));
}
