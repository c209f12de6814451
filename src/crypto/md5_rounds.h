/*
 * The 64 steps of MD5 over one block as a macro, with a hole after each for something else to do meanwhile: MD5 is one
 * chain of additions and rotations that leaves most of a processor idle, and RC4 is another (rc4.c fills the holes).
 */
#ifndef OPENSSPI_CRYPTO_MD5_ROUNDS_H
#define OPENSSPI_CRYPTO_MD5_ROUNDS_H

#include <stdint.h>
#include <string.h>

static inline uint32_t md5_word(const uint8_t *block, unsigned n)
{
    uint32_t word;

    __builtin_memcpy(&word, block + (size_t)4 * n, 4);
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap32(word) : word;
}

/* A state as the digest that it is at the end (RFC 1321, section 3.5). */
static inline void md5_state_write(const uint32_t state[4], uint8_t digest[16])
{
    uint32_t word;

    for (unsigned i = 0; i < 4; i++) {
        word = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap32(state[i]) : state[i];
        __builtin_memcpy(digest + (size_t)4 * i, &word, sizeof word);
    }
}

/* How many bits were hashed, as it stands at the end of the last block (RFC 1321, section 3.2): modulo 2^64. */
static inline void md5_length_write(uint64_t len, uint8_t at[8])
{
    uint64_t n_bits = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap64(len * 8) : len * 8;

    __builtin_memcpy(at, &n_bits, sizeof n_bits);
}

static inline uint32_t md5_rotl(uint32_t value, unsigned bits)
{
    return value << bits | value >> (32 - bits);
}

/*
 * RFC 1321, section 3.4. `b` is the value that was computed last: each function is written so that as little as possible
 * waits for it. In G the two halves never have a bit in common, so that they may be added apart, and only one waits.
 */
#define MD5_F(b, c, d) ((d) ^ ((b) & ((c) ^ (d))))
#define MD5_H(b, c, d) ((b) ^ ((c) ^ (d)))
#define MD5_I(b, c, d) ((c) ^ ((b) | ~(d)))

/* Compilers like to regroup sums, and then more waits for b than must: this says that the sum so far is wanted as it is. */
#define MD5_SUM_STANDS(sum) __asm__("" : "+r"(sum))

#define MD5_STEP_G(a, b, c, d, block, word, bits, constant, n, MEANWHILE) \
    (a) += md5_word(block, word) + (constant);                            \
    (a) += ~(d) & (c);                                                    \
    MD5_SUM_STANDS(a);                                                    \
    (a) += (d) & (b);                                                     \
    (a) = md5_rotl(a, bits) + (b);                                        \
    MEANWHILE(n)
#define MD5_STEP_F(a, b, c, d, block, word, bits, constant, n, MEANWHILE) \
    (a) += md5_word(block, word) + (constant);                            \
    MD5_SUM_STANDS(a);                                                    \
    (a) += MD5_F(b, c, d);                                                \
    (a) = md5_rotl(a, bits) + (b);                                        \
    MEANWHILE(n)
#define MD5_STEP_H(a, b, c, d, block, word, bits, constant, n, MEANWHILE) \
    (a) += md5_word(block, word) + (constant);                            \
    MD5_SUM_STANDS(a);                                                    \
    (a) += MD5_H(b, c, d);                                                \
    (a) = md5_rotl(a, bits) + (b);                                        \
    MEANWHILE(n)
#define MD5_STEP_I(a, b, c, d, block, word, bits, constant, n, MEANWHILE) \
    (a) += md5_word(block, word) + (constant);                            \
    MD5_SUM_STANDS(a);                                                    \
    (a) += MD5_I(b, c, d);                                                \
    (a) = md5_rotl(a, bits) + (b);                                        \
    MEANWHILE(n)

/* Four steps: words w0 to w3, constants k0 to k3, rotations r0 to r3, the first being step n. */
#define MD5_FOUR(STEP, block, w0, w1, w2, w3, r0, r1, r2, r3, k0, k1, k2, k3, n, MEANWHILE) \
    STEP(a, b, c, d, block, w0, r0, k0, (n), MEANWHILE);                                    \
    STEP(d, a, b, c, block, w1, r1, k1, (n) + 1, MEANWHILE);                                \
    STEP(c, d, a, b, block, w2, r2, k2, (n) + 2, MEANWHILE);                                \
    STEP(b, c, d, a, block, w3, r3, k3, (n) + 3, MEANWHILE)

/* clang-format off */
#define MD5_ROUND_1(STEP, block, M) \
    MD5_FOUR(STEP, block, 0, 1, 2, 3, 7, 12, 17, 22, 0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0, M); \
    MD5_FOUR(STEP, block, 4, 5, 6, 7, 7, 12, 17, 22, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501, 4, M); \
    MD5_FOUR(STEP, block, 8, 9, 10, 11, 7, 12, 17, 22, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 8, M); \
    MD5_FOUR(STEP, block, 12, 13, 14, 15, 7, 12, 17, 22, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 12, M)
#define MD5_ROUND_2(STEP, block, M) \
    MD5_FOUR(STEP, block, 1, 6, 11, 0, 5, 9, 14, 20, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 16, M); \
    MD5_FOUR(STEP, block, 5, 10, 15, 4, 5, 9, 14, 20, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8, 20, M); \
    MD5_FOUR(STEP, block, 9, 14, 3, 8, 5, 9, 14, 20, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 24, M); \
    MD5_FOUR(STEP, block, 13, 2, 7, 12, 5, 9, 14, 20, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 28, M)
#define MD5_ROUND_3(STEP, block, M) \
    MD5_FOUR(STEP, block, 5, 8, 11, 14, 4, 11, 16, 23, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 32, M); \
    MD5_FOUR(STEP, block, 1, 4, 7, 10, 4, 11, 16, 23, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 36, M); \
    MD5_FOUR(STEP, block, 13, 0, 3, 6, 4, 11, 16, 23, 0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 40, M); \
    MD5_FOUR(STEP, block, 9, 12, 15, 2, 4, 11, 16, 23, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 44, M)
#define MD5_ROUND_4(STEP, block, M) \
    MD5_FOUR(STEP, block, 0, 7, 14, 5, 6, 10, 15, 21, 0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 48, M); \
    MD5_FOUR(STEP, block, 12, 3, 10, 1, 6, 10, 15, 21, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1, 52, M); \
    MD5_FOUR(STEP, block, 8, 15, 6, 13, 6, 10, 15, 21, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 56, M); \
    MD5_FOUR(STEP, block, 4, 11, 2, 9, 6, 10, 15, 21, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391, 60, M)
/* clang-format on */

/* Compresses one block into the variables a, b, c, d, which the caller adds to the state. */
#define MD5_ROUNDS(block, MEANWHILE)           \
    MD5_ROUND_1(MD5_STEP_F, block, MEANWHILE); \
    MD5_ROUND_2(MD5_STEP_G, block, MEANWHILE); \
    MD5_ROUND_3(MD5_STEP_H, block, MEANWHILE); \
    MD5_ROUND_4(MD5_STEP_I, block, MEANWHILE)

/* Two chains side by side: each step is done with a, b, c, d and block, and with a2, b2, c2, d2 and block2. */
#define MD5_BOTH(STEP, a, b, c, d, block, word, bits, constant, n, MEANWHILE) \
    STEP(a, b, c, d, block, word, bits, constant, n, MEANWHILE);              \
    STEP(a##2, b##2, c##2, d##2, block##2, word, bits, constant, n, MEANWHILE)
#define MD5_BOTH_F(a, b, c, d, block, ...) MD5_BOTH(MD5_STEP_F, a, b, c, d, block, __VA_ARGS__)
#define MD5_BOTH_G(a, b, c, d, block, ...) MD5_BOTH(MD5_STEP_G, a, b, c, d, block, __VA_ARGS__)
#define MD5_BOTH_H(a, b, c, d, block, ...) MD5_BOTH(MD5_STEP_H, a, b, c, d, block, __VA_ARGS__)
#define MD5_BOTH_I(a, b, c, d, block, ...) MD5_BOTH(MD5_STEP_I, a, b, c, d, block, __VA_ARGS__)
#define MD5_ROUNDS_BOTH(block, MEANWHILE)      \
    MD5_ROUND_1(MD5_BOTH_F, block, MEANWHILE); \
    MD5_ROUND_2(MD5_BOTH_G, block, MEANWHILE); \
    MD5_ROUND_3(MD5_BOTH_H, block, MEANWHILE); \
    MD5_ROUND_4(MD5_BOTH_I, block, MEANWHILE)

#endif
