#include "crypto/md5_four.h"

#include "base/secret.h"
#include "crypto/md5_rounds.h"

/* A word of each chain. Compilers make one register of it where there are such, and four words where there are none. */
typedef uint32_t four __attribute__((vector_size(16)));

#define FOUR_STEP(a, b, mixed, block, word, bits, constant) \
    (a) += (block)[word] + (constant);                      \
    (a) += (mixed);                                         \
    (a) = ((a) << (bits) | (a) >> (32 - (bits))) + (b)
#define FOUR_F(a, b, c, d, block, word, bits, constant, n, MEANWHILE) \
    FOUR_STEP(a, b, MD5_F(b, c, d), block, word, bits, constant)
#define FOUR_G(a, b, c, d, block, word, bits, constant, n, MEANWHILE) \
    FOUR_STEP(a, b, ((d) & (b)) | (~(d) & (c)), block, word, bits, constant)
#define FOUR_H(a, b, c, d, block, word, bits, constant, n, MEANWHILE) \
    FOUR_STEP(a, b, MD5_H(b, c, d), block, word, bits, constant)
#define FOUR_I(a, b, c, d, block, word, bits, constant, n, MEANWHILE) \
    FOUR_STEP(a, b, MD5_I(b, c, d), block, word, bits, constant)

static four four_of(uint32_t state[4][4], unsigned n)
{
    return (four){state[0][n], state[1][n], state[2][n], state[3][n]};
}

void md5_blocks_four(uint32_t state[4][4], const uint8_t *const data[4])
{
    four a = four_of(state, 0), b = four_of(state, 1), c = four_of(state, 2), d = four_of(state, 3);
    four block[16];

    for (unsigned i = 0; i < 16; i++)
        block[i] = (four){md5_word(data[0], i), md5_word(data[1], i), md5_word(data[2], i), md5_word(data[3], i)};
    MD5_ROUND_1(FOUR_F, block, );
    MD5_ROUND_2(FOUR_G, block, );
    MD5_ROUND_3(FOUR_H, block, );
    MD5_ROUND_4(FOUR_I, block, );
    for (unsigned i = 0; i < 4; i++) {
        state[i][0] += a[i];
        state[i][1] += b[i];
        state[i][2] += c[i];
        state[i][3] += d[i];
    }
    secret_wipe(block, sizeof(block));
}
