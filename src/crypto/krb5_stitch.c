#include "crypto/krb5_stitch.h"

#include "base/secret.h"
#include <string.h>

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>
#include <stdatomic.h>

#define CODE __attribute__((target("aes,sha,sse4.1")))
#define CODE_INLINE __attribute__((target("aes,sha,sse4.1"), always_inline)) static inline

static bool processor_has(void)
{
    unsigned a, b, c, d;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_AES) == 0 || (c & bit_SSE4_1) == 0)
        return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
}

/* Asked once: in a virtual machine the question alone takes longer than everything else that opens a session. */
static bool processor_can(void)
{
    enum { UNKNOWN, CAN, CANNOT };
    static _Atomic(int) answer;
    int known = atomic_load_explicit(&answer, memory_order_relaxed);
    if (known == UNKNOWN) {
        known = processor_has() ? CAN : CANNOT;
        atomic_store_explicit(&answer, known, memory_order_relaxed);
    }
    return known == CAN;
}

CODE_INLINE __m128i load(const void *at)
{
    return _mm_loadu_si128((const __m128i *)at);
}

CODE_INLINE void store(void *at, __m128i value)
{
    _mm_storeu_si128((__m128i *)at, value);
}

/* FIPS 197, section 5.2: four words of the schedule from the four that lie one key length before and the transformed last word. */
CODE_INLINE __m128i next_words(__m128i words, __m128i last)
{
    words = _mm_xor_si128(words, _mm_slli_si128(words, 4));
    words = _mm_xor_si128(words, _mm_slli_si128(words, 8));
    return _mm_xor_si128(words, last);
}

/* SubWord and RotWord of the last word, with the round constant, in all places. */
CODE_INLINE __m128i rotated_word(__m128i words, int constant)
{
    return _mm_xor_si128(_mm_shuffle_epi32(_mm_aeskeygenassist_si128(words, 0), 0xff), _mm_set1_epi32(constant));
}

CODE static void keys_expand(struct krb_stitch *stitch, const uint8_t *key, size_t key_len)
{
    __m128i words[15] = {load(key)};
    int constant = 1;
    if (key_len == 16) {
        stitch->rounds = 10;
        for (unsigned i = 1; i <= 10; i++) {
            words[i] = next_words(words[i - 1], rotated_word(words[i - 1], constant));
            constant = constant << 1 ^ (constant & 0x80 ? 0x11b : 0);
        }
    } else {
        stitch->rounds = 14;
        words[1] = load(key + 16);
        for (unsigned i = 2; i <= 14; i++)
            if (i % 2 == 0) {
                words[i] = next_words(words[i - 2], rotated_word(words[i - 1], constant));
                constant <<= 1;
            } else /* SubWord alone */
                words[i] =
                    next_words(words[i - 2], _mm_shuffle_epi32(_mm_aeskeygenassist_si128(words[i - 1], 0), 0xaa));
    }
    memcpy(stitch->keys, words, sizeof stitch->keys);
    secret_wipe(words, sizeof words);
}

/* What one unit has on its way: FIPS 180-4, section 6.1, in groups of four rounds, as the instructions take them. */
struct sha1 {
    __m128i abcd, before; /* `before` one group earlier: the next E is in it */
    __m128i words[4];
};

/* Groups 5 * quarter to 5 * quarter + 4, which share function and constant. */
#define SHA1_GROUP(sha1, group, quarter)                                                                            \
    do {                                                                                                            \
        __m128i *w = (sha1)->words;                                                                                 \
        if ((group) >= 4)                                                                                           \
            w[(group)&3] = _mm_sha1msg2_epu32(                                                                      \
                _mm_xor_si128(_mm_sha1msg1_epu32(w[(group)&3], w[((group) + 1) & 3]), w[((group) + 2) & 3]),        \
                w[((group) + 3) & 3]);                                                                              \
        __m128i added =                                                                                             \
            (group) == 0 ? _mm_add_epi32((sha1)->before, w[0]) : _mm_sha1nexte_epu32((sha1)->before, w[(group)&3]); \
        (sha1)->before = (sha1)->abcd;                                                                              \
        (sha1)->abcd = _mm_sha1rnds4_epu32((sha1)->abcd, added, quarter);                                           \
    } while (0)

#define SHA1_QUARTER(sha1, quarter)                   \
    do {                                              \
        SHA1_GROUP(sha1, 5 * (quarter), quarter);     \
        SHA1_GROUP(sha1, 5 * (quarter) + 1, quarter); \
        SHA1_GROUP(sha1, 5 * (quarter) + 2, quarter); \
        SHA1_GROUP(sha1, 5 * (quarter) + 3, quarter); \
        SHA1_GROUP(sha1, 5 * (quarter) + 4, quarter); \
    } while (0)

CODE_INLINE __m128i block_encrypt(const uint8_t (*keys)[16], unsigned rounds, __m128i chain, uint8_t *at)
{
    __m128i block = _mm_xor_si128(_mm_xor_si128(load(at), load(keys[0])), chain);
#pragma GCC unroll 16
    for (unsigned i = 1; i < rounds; i++)
        block = _mm_aesenc_si128(block, load(keys[i]));
    block = _mm_aesenclast_si128(block, load(keys[rounds]));
    store(at, block);
    return block;
}

/* A quarter of the one between two quarters of the other: the processor runs ahead that far. */
CODE_INLINE void units_run(const uint8_t (*keys)[16], unsigned rounds, uint8_t chain_bytes[16], uint8_t *data,
                           const uint8_t *hashed, size_t n_units, uint32_t state[5])
{
    const __m128i big_endian = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
    __m128i chain = load(chain_bytes), abcd = _mm_shuffle_epi32(load(state), 0x1b);
    __m128i e = _mm_set_epi32((int)state[4], 0, 0, 0);
    for (; n_units > 0; n_units--, data += STITCH_UNIT, hashed += STITCH_UNIT) {
        struct sha1 sha1 = {.abcd = abcd, .before = e};
        for (size_t i = 0; i < 4; i++)
            sha1.words[i] = _mm_shuffle_epi8(load(hashed + 16 * i), big_endian);
        chain = block_encrypt(keys, rounds, chain, data);
        SHA1_QUARTER(&sha1, 0);
        chain = block_encrypt(keys, rounds, chain, data + 16);
        SHA1_QUARTER(&sha1, 1);
        chain = block_encrypt(keys, rounds, chain, data + 32);
        SHA1_QUARTER(&sha1, 2);
        chain = block_encrypt(keys, rounds, chain, data + 48);
        SHA1_QUARTER(&sha1, 3);
        e = _mm_sha1nexte_epu32(sha1.before, e);
        abcd = _mm_add_epi32(abcd, sha1.abcd);
    }
    store(chain_bytes, chain);
    store(state, _mm_shuffle_epi32(abcd, 0x1b));
    state[4] = (uint32_t)_mm_extract_epi32(e, 3);
}

CODE void krb_stitch_run(const struct krb_stitch *stitch, uint8_t chain[16], uint8_t *data, const uint8_t *hashed,
                         size_t n_units, uint32_t state[5])
{
    if (stitch->rounds == 14)
        units_run(stitch->keys, 14, chain, data, hashed, n_units, state);
    else
        units_run(stitch->keys, 10, chain, data, hashed, n_units, state);
}

void krb_stitch_init(struct krb_stitch *stitch, const uint8_t *key, size_t key_len)
{
    stitch->rounds = 0;
    if (processor_can())
        keys_expand(stitch, key, key_len);
}

#else

void krb_stitch_init(struct krb_stitch *stitch, const uint8_t *key, size_t key_len)
{
    (void)key;
    (void)key_len;
    stitch->rounds = 0;
}

void krb_stitch_run(const struct krb_stitch *stitch, uint8_t chain[16], uint8_t *data, const uint8_t *hashed,
                    size_t n_units, uint32_t state[5])
{
    (void)stitch;
    (void)chain;
    (void)data;
    (void)hashed;
    (void)n_units;
    (void)state;
}

#endif
