/* RFC 1321. */
#include "crypto/digest.h"
#include "crypto/md5_four.h"
#include "crypto/md5_rounds.h"
#include "base/secret.h"

#define BLOCK_LEN 64
#define LENGTH_AT 56 /* where the length in bits stands in the last block (RFC 1321, section 3.2) */

#define MD5_NOTHING(n) (void)0

void md5_blocks(uint32_t state[4], const uint8_t *data, size_t n_blocks)
{
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];

    for (; n_blocks > 0; n_blocks--, data += BLOCK_LEN) {
        uint32_t a_before = a, b_before = b, c_before = c, d_before = d;

        MD5_ROUNDS(data, MD5_NOTHING);
        a += a_before;
        b += b_before;
        c += c_before;
        d += d_before;
    }
    state[0] = a;
    state[1] = b;
    state[2] = c;
    state[3] = d;
}

void md5_blocks_both(uint32_t state[4], const uint8_t *data, uint32_t state2[4], const uint8_t *data2, size_t n_blocks)
{
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t a2 = state2[0], b2 = state2[1], c2 = state2[2], d2 = state2[3];

    for (; n_blocks > 0; n_blocks--, data += BLOCK_LEN, data2 += BLOCK_LEN) {
        MD5_ROUNDS_BOTH(data, MD5_NOTHING);
        a = state[0] += a;
        b = state[1] += b;
        c = state[2] += c;
        d = state[3] += d;
        a2 = state2[0] += a2;
        b2 = state2[1] += b2;
        c2 = state2[2] += c2;
        d2 = state2[3] += d2;
    }
}

void md5_init(struct md5 *md5)
{
    /* RFC 1321, section 3.3. */
    md5->state[0] = 0x67452301;
    md5->state[1] = 0xefcdab89;
    md5->state[2] = 0x98badcfe;
    md5->state[3] = 0x10325476;
    md5->len = 0;
}

void md5_update(struct md5 *md5, const void *data, size_t len)
{
    const uint8_t *from = data;
    size_t pending = (size_t)(md5->len % BLOCK_LEN);
    size_t head_len, n_blocks;

    if (len == 0)
        return;
    md5->len += len;
    if (pending != 0) {
        head_len = len < BLOCK_LEN - pending ? len : BLOCK_LEN - pending;
        memcpy(md5->block + pending, from, head_len);
        if (pending + head_len < BLOCK_LEN)
            return;
        md5_blocks(md5->state, md5->block, 1);
        from += head_len;
        len -= head_len;
    }
    n_blocks = len / BLOCK_LEN;
    md5_blocks(md5->state, from, n_blocks);
    if (len % BLOCK_LEN != 0)
        memcpy(md5->block, from + n_blocks * BLOCK_LEN, len % BLOCK_LEN);
}

/* RFC 1321, sections 3.1, 3.2 and 3.5. */
void md5_final(struct md5 *md5, uint8_t digest[MD5_LEN])
{
    size_t pending = (size_t)(md5->len % BLOCK_LEN);

    md5->block[pending++] = 0x80;
    if (pending > LENGTH_AT) {
        memset(md5->block + pending, 0, BLOCK_LEN - pending);
        md5_blocks(md5->state, md5->block, 1);
        pending = 0;
    }
    memset(md5->block + pending, 0, LENGTH_AT - pending);
    md5_length_write(md5->len, md5->block + LENGTH_AT);
    md5_blocks(md5->state, md5->block, 1);
    md5_state_write(md5->state, digest);
    secret_wipe(md5, sizeof(*md5));
}

/* The last blocks of a message that begins in them; how many they are. */
static size_t blocks_fill(uint8_t blocks[MD5_BOTH_MAX_BLOCKS * BLOCK_LEN], struct slice first, struct slice second)
{
    size_t len = first.len + second.len, n_blocks = (len + 8) / BLOCK_LEN + 1;

    memset(blocks, 0, n_blocks * BLOCK_LEN);
    if (first.len != 0)
        memcpy(blocks, first.data, first.len);
    if (second.len != 0)
        memcpy(blocks + first.len, second.data, second.len);
    blocks[len] = 0x80;
    md5_length_write(len, blocks + n_blocks * BLOCK_LEN - 8);
    return n_blocks;
}

void md5_both(const struct slice a[2], uint8_t digest_a[MD5_LEN], const struct slice b[2], uint8_t digest_b[MD5_LEN])
{
    uint8_t blocks[2][MD5_BOTH_MAX_BLOCKS * BLOCK_LEN];
    struct md5 md5[2];
    size_t n_a = blocks_fill(blocks[0], a[0], a[1]), n_b = blocks_fill(blocks[1], b[0], b[1]);
    size_t n_both = n_a < n_b ? n_a : n_b;

    md5_init(&md5[0]);
    md5_init(&md5[1]);
    md5_blocks_both(md5[0].state, blocks[0], md5[1].state, blocks[1], n_both);
    md5_blocks(md5[0].state, blocks[0] + n_both * BLOCK_LEN, n_a - n_both);
    md5_blocks(md5[1].state, blocks[1] + n_both * BLOCK_LEN, n_b - n_both);
    md5_state_write(md5[0].state, digest_a);
    md5_state_write(md5[1].state, digest_b);
    secret_wipe(blocks, sizeof(blocks));
    secret_wipe(md5, sizeof(md5));
}

void md5_four(const struct slice messages[4][2], uint8_t digests[4][MD5_LEN])
{
    uint8_t blocks[4][MD5_BOTH_MAX_BLOCKS * BLOCK_LEN];
    uint32_t state[4][4];
    struct md5 md5;
    size_t n_blocks = 0;

    md5_init(&md5);
    for (unsigned i = 0; i < 4; i++) {
        memcpy(state[i], md5.state, sizeof(state[i]));
        n_blocks = blocks_fill(blocks[i], messages[i][0], messages[i][1]);
    }
    for (size_t at = 0; at < n_blocks * BLOCK_LEN; at += BLOCK_LEN)
        md5_blocks_four(state,
                        (const uint8_t *const[4]){blocks[0] + at, blocks[1] + at, blocks[2] + at, blocks[3] + at});
    for (unsigned i = 0; i < 4; i++)
        md5_state_write(state[i], digests[i]);
    secret_wipe(blocks, sizeof(blocks));
    secret_wipe(state, sizeof(state));
}

void md5_once(const void *data, size_t len, uint8_t digest[MD5_LEN])
{
    struct md5 md5;

    md5_init(&md5);
    md5_update(&md5, data, len);
    md5_final(&md5, digest);
}
