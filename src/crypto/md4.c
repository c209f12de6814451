/* RFC 1320. Only password hashes need it (MS-NLMP 3.3.1, 3.3.2), so that one call over the whole input is enough. */
#include "crypto/digest.h"
#include "base/secret.h"

#include <string.h>

#define BLOCK_LEN 64
#define LENGTH_AT 56

static uint32_t rotl(uint32_t value, unsigned bits)
{
    return value << bits | value >> (32 - bits);
}

/* RFC 1320, section 3.4: the three functions of the rounds. */
static uint32_t choose(uint32_t x, uint32_t y, uint32_t z)
{
    return z ^ (x & (y ^ z));
}

static uint32_t majority(uint32_t x, uint32_t y, uint32_t z)
{
    return (x & y) | (z & (x | y));
}

static uint32_t parity(uint32_t x, uint32_t y, uint32_t z)
{
    return x ^ y ^ z;
}

/* RFC 1320, section 3.4: which word each step takes, per round, and by how much it rotates. */
static const uint8_t word_order[3][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15},
    {0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15},
};
static const uint8_t rotation[3][4] = {{3, 7, 11, 19}, {3, 5, 9, 13}, {3, 9, 11, 15}};
static const uint32_t addend[3] = {0, 0x5a827999, 0x6ed9eba1};

static void compress(uint32_t state[4], const uint8_t block[BLOCK_LEN])
{
    uint32_t words[16], a = state[0], b = state[1], c = state[2], d = state[3], mixed, next;

    for (size_t i = 0; i < 16; i++)
        words[i] = (uint32_t)block[4 * i] | (uint32_t)block[4 * i + 1] << 8 | (uint32_t)block[4 * i + 2] << 16 |
                   (uint32_t)block[4 * i + 3] << 24;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 16; i++) {
            mixed = round == 0 ? choose(b, c, d) : round == 1 ? majority(b, c, d) : parity(b, c, d);
            next = rotl(a + mixed + words[word_order[round][i]] + addend[round], rotation[round][i % 4]);
            a = d;
            d = c;
            c = b;
            b = next;
        }
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    secret_wipe(words, sizeof(words));
}

void md4_once(const void *data, size_t len, uint8_t digest[MD4_LEN])
{
    /* RFC 1320, section 3.3. */
    uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    const uint8_t *from = data;
    uint64_t n_bits = (uint64_t)len * 8;
    uint8_t last[BLOCK_LEN] = {0};

    for (; len >= BLOCK_LEN; len -= BLOCK_LEN, from += BLOCK_LEN)
        compress(state, from);
    /* RFC 1320, sections 3.1 and 3.2. */
    if (len != 0)
        memcpy(last, from, len);
    last[len] = 0x80;
    if (len >= LENGTH_AT) {
        compress(state, last);
        memset(last, 0, sizeof(last));
    }
    for (unsigned i = 0; i < 8; i++)
        last[LENGTH_AT + i] = (uint8_t)(n_bits >> 8 * i);
    compress(state, last);
    for (unsigned i = 0; i < MD4_LEN; i++)
        digest[i] = (uint8_t)(state[i / 4] >> 8 * (i % 4));
    secret_wipe(last, sizeof(last));
    secret_wipe(state, sizeof(state));
}
