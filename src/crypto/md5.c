/* RFC 1321. */
#include "crypto/digest.h"
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
    uint64_t n_bits = md5->len * 8; /* modulo 2^64, as the specification has it */

    md5->block[pending++] = 0x80;
    if (pending > LENGTH_AT) {
        memset(md5->block + pending, 0, BLOCK_LEN - pending);
        md5_blocks(md5->state, md5->block, 1);
        pending = 0;
    }
    memset(md5->block + pending, 0, LENGTH_AT - pending);
    for (unsigned i = 0; i < 8; i++)
        md5->block[LENGTH_AT + i] = (uint8_t)(n_bits >> 8 * i);
    md5_blocks(md5->state, md5->block, 1);
    for (unsigned i = 0; i < MD5_LEN; i++)
        digest[i] = (uint8_t)(md5->state[i / 4] >> 8 * (i % 4));
    secret_wipe(md5, sizeof(*md5));
}

void md5_once(const void *data, size_t len, uint8_t digest[MD5_LEN])
{
    struct md5 md5;

    md5_init(&md5);
    md5_update(&md5, data, len);
    md5_final(&md5, digest);
}
