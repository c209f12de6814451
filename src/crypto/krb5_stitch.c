#include "crypto/krb5_stitch.h"

#include "crypto/processor.h"

#if defined(__x86_64__)

#include "crypto/sse.h"

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

SSE_INLINE __m128i block_encrypt(const uint8_t (*keys)[16], unsigned rounds, __m128i chain, uint8_t *at)
{
    __m128i block = _mm_xor_si128(_mm_xor_si128(sse_load(at), sse_load(keys[0])), chain);
#pragma GCC unroll 16
    for (unsigned i = 1; i < rounds; i++)
        block = _mm_aesenc_si128(block, sse_load(keys[i]));
    block = _mm_aesenclast_si128(block, sse_load(keys[rounds]));
    sse_store(at, block);
    return block;
}

/* A quarter of the one between two quarters of the other: the processor runs ahead that far. */
SSE_INLINE void units_run(const uint8_t (*keys)[16], unsigned rounds, uint8_t chain_bytes[16], uint8_t *data,
                          const uint8_t *hashed, size_t n_units, uint32_t state[5])
{
    const __m128i big_endian = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
    __m128i chain = sse_load(chain_bytes), abcd = _mm_shuffle_epi32(sse_load(state), 0x1b);
    __m128i e = _mm_set_epi32((int)state[4], 0, 0, 0);
    for (; n_units > 0; n_units--, data += STITCH_UNIT, hashed += STITCH_UNIT) {
        struct sha1 sha1 = {.abcd = abcd, .before = e};
        for (size_t i = 0; i < 4; i++)
            sha1.words[i] = _mm_shuffle_epi8(sse_load(hashed + 16 * i), big_endian);
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
    sse_store(chain_bytes, chain);
    sse_store(state, _mm_shuffle_epi32(abcd, 0x1b));
    state[4] = (uint32_t)_mm_extract_epi32(e, 3);
}

SSE_CODE void krb_stitch_run(const struct krb_aes *aes, uint8_t chain[16], uint8_t *data, const uint8_t *hashed,
                             size_t n_units, uint32_t state[5])
{
    if (aes->rounds == 14)
        units_run(aes->keys, 14, chain, data, hashed, n_units, state);
    else
        units_run(aes->keys, 10, chain, data, hashed, n_units, state);
}

bool krb_stitch_can(const struct krb_aes *aes)
{
    return aes->rounds > 0 && processor_has(PROCESSOR_SHA);
}

#else

bool krb_stitch_can(const struct krb_aes *aes)
{
    (void)aes;
    return false;
}

void krb_stitch_run(const struct krb_aes *aes, uint8_t chain[16], uint8_t *data, const uint8_t *hashed, size_t n_units,
                    uint32_t state[5])
{
    (void)aes;
    (void)chain;
    (void)data;
    (void)hashed;
    (void)n_units;
    (void)state;
}

#endif
