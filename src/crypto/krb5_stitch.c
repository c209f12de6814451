#include "crypto/krb5_stitch.h"

#include "crypto/processor.h"

#if defined(__x86_64__)

#include "crypto/sse.h"

#define ROUNDS_128 10
#define ROUNDS_256 14

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

/* A lane's part of what is under way; the number of lanes is a constant wherever these are inlined, so that all of it lies in registers. */
struct moving {
    __m128i chain, abcd, e;
    struct sha1 sha1;
    const uint8_t (*keys)[AES_BLOCK_LEN];
    uint8_t *data;
    const uint8_t *hashed;
};

SSE_INLINE void lanes_load(struct moving *moving, struct krb_lane *const *lanes, unsigned n)
{
#pragma GCC unroll 4
    for (unsigned k = 0; k < n; k++) {
        moving[k].chain = sse_load(lanes[k]->chain);
        moving[k].abcd = _mm_shuffle_epi32(sse_load(lanes[k]->state), 0x1b);
        moving[k].e = _mm_set_epi32((int)lanes[k]->state[4], 0, 0, 0);
        moving[k].keys = lanes[k]->aes != NULL ? lanes[k]->aes->keys : NULL;
        moving[k].data = lanes[k]->data;
        moving[k].hashed = lanes[k]->hashed;
    }
}

SSE_INLINE void lanes_store(const struct moving *moving, struct krb_lane *const *lanes, unsigned n, size_t n_units)
{
#pragma GCC unroll 4
    for (unsigned k = 0; k < n; k++) {
        sse_store(lanes[k]->chain, moving[k].chain);
        sse_store(lanes[k]->state, _mm_shuffle_epi32(moving[k].abcd, 0x1b));
        lanes[k]->state[4] = (uint32_t)_mm_extract_epi32(moving[k].e, 3);
        lanes[k]->hashed += n_units * STITCH_UNIT;
        lanes[k]->n_units -= n_units;
    }
}

SSE_INLINE void unit_begin(struct moving *moving, unsigned n, size_t offset)
{
    const __m128i big_endian = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
#pragma GCC unroll 4
    for (unsigned k = 0; k < n; k++) {
        moving[k].sha1.abcd = moving[k].abcd;
        moving[k].sha1.before = moving[k].e;
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++)
            moving[k].sha1.words[i] = _mm_shuffle_epi8(sse_load(moving[k].hashed + offset + 16 * i), big_endian);
    }
}

SSE_INLINE void unit_end(struct moving *moving, unsigned n)
{
#pragma GCC unroll 4
    for (unsigned k = 0; k < n; k++) {
        moving[k].e = _mm_sha1nexte_epu32(moving[k].sha1.before, moving[k].e);
        moving[k].abcd = _mm_add_epi32(moving[k].abcd, moving[k].sha1.abcd);
    }
}

/* One block of each lane. */
SSE_INLINE void blocks_encrypt(struct moving *moving, unsigned n, unsigned rounds, size_t offset)
{
#pragma GCC unroll 4
    for (unsigned k = 0; k < n; k++)
        moving[k].chain = _mm_xor_si128(_mm_xor_si128(sse_load(moving[k].data + offset), sse_load(moving[k].keys[0])),
                                        moving[k].chain);
#pragma GCC unroll 16
    for (unsigned i = 1; i < rounds; i++)
#pragma GCC unroll 4
        for (unsigned k = 0; k < n; k++)
            moving[k].chain = _mm_aesenc_si128(moving[k].chain, sse_load(moving[k].keys[i]));
#pragma GCC unroll 4
    for (unsigned k = 0; k < n; k++) {
        moving[k].chain = _mm_aesenclast_si128(moving[k].chain, sse_load(moving[k].keys[rounds]));
        sse_store(moving[k].data + offset, moving[k].chain);
    }
}

#define LANES_QUARTER(moving, n, quarter)                      \
    _Pragma("GCC unroll 4") for (unsigned k = 0; k < (n); k++) \
    {                                                          \
        SHA1_QUARTER(&(moving)[k].sha1, quarter);              \
    }

/* A quarter of the one between two quarters of the other: the processor runs ahead that far. */
SSE_INLINE void units_run(struct krb_lane *const *lanes, unsigned n, unsigned rounds, size_t n_units)
{
    struct moving moving[STITCH_LANES];
    lanes_load(moving, lanes, n);
    for (size_t at = 0; at < n_units * STITCH_UNIT; at += STITCH_UNIT) {
        unit_begin(moving, n, at);
        blocks_encrypt(moving, n, rounds, at);
        LANES_QUARTER(moving, n, 0)
        blocks_encrypt(moving, n, rounds, at + 16);
        LANES_QUARTER(moving, n, 1)
        blocks_encrypt(moving, n, rounds, at + 32);
        LANES_QUARTER(moving, n, 2)
        blocks_encrypt(moving, n, rounds, at + 48);
        LANES_QUARTER(moving, n, 3)
        unit_end(moving, n);
    }
    lanes_store(moving, lanes, n, n_units);
    for (unsigned k = 0; k < n; k++)
        lanes[k]->data += n_units * STITCH_UNIT;
}

SSE_INLINE void units_hash(struct krb_lane *const *lanes, unsigned n, size_t n_units)
{
    struct moving moving[STITCH_LANES];
    lanes_load(moving, lanes, n);
    for (size_t at = 0; at < n_units * STITCH_UNIT; at += STITCH_UNIT) {
        unit_begin(moving, n, at);
        LANES_QUARTER(moving, n, 0)
        LANES_QUARTER(moving, n, 1)
        LANES_QUARTER(moving, n, 2)
        LANES_QUARTER(moving, n, 3)
        unit_end(moving, n);
    }
    lanes_store(moving, lanes, n, n_units);
}

SSE_CODE static void some_run(struct krb_lane *const *lanes, unsigned n, size_t n_units)
{
    bool longer = lanes[0]->aes->rounds == ROUNDS_256;
    if (n == 1 && longer)
        units_run(lanes, 1, ROUNDS_256, n_units);
    else if (n == 1)
        units_run(lanes, 1, ROUNDS_128, n_units);
    else if (n == 2 && longer)
        units_run(lanes, 2, ROUNDS_256, n_units);
    else if (n == 2)
        units_run(lanes, 2, ROUNDS_128, n_units);
    else if (n == 3 && longer)
        units_run(lanes, 3, ROUNDS_256, n_units);
    else if (n == 3)
        units_run(lanes, 3, ROUNDS_128, n_units);
    else if (longer)
        units_run(lanes, 4, ROUNDS_256, n_units);
    else
        units_run(lanes, 4, ROUNDS_128, n_units);
}

SSE_CODE static void some_hash(struct krb_lane *const *lanes, unsigned n, size_t n_units)
{
    if (n == 1)
        units_hash(lanes, 1, n_units);
    else if (n == 2)
        units_hash(lanes, 2, n_units);
    else if (n == 3)
        units_hash(lanes, 3, n_units);
    else
        units_hash(lanes, 4, n_units);
}

/* All that have units left go on side by side, as far as the shortest of them goes. */
static void lanes_drive(struct krb_lane *const *lanes, unsigned n_lanes,
                        void (*some)(struct krb_lane *const *, unsigned, size_t))
{
    for (;;) {
        struct krb_lane *going[STITCH_LANES];
        unsigned n_going = 0;
        size_t n_units = SIZE_MAX;
        for (unsigned k = 0; k < n_lanes; k++)
            if (lanes[k]->n_units > 0) {
                going[n_going++] = lanes[k];
                n_units = lanes[k]->n_units < n_units ? lanes[k]->n_units : n_units;
            }
        if (n_going == 0)
            return;
        some(going, n_going, n_units);
    }
}

void krb_lanes_run(struct krb_lane *const *lanes, unsigned n_lanes)
{
    lanes_drive(lanes, n_lanes, some_run);
}

void krb_lanes_hash(struct krb_lane *const *lanes, unsigned n_lanes)
{
    lanes_drive(lanes, n_lanes, some_hash);
}

bool krb_stitch_can(const struct krb_aes *aes)
{
    return (aes == NULL || aes->rounds > 0) && processor_has(PROCESSOR_SHA);
}

#else

bool krb_stitch_can(const struct krb_aes *aes)
{
    (void)aes;
    return false;
}

void krb_lanes_run(struct krb_lane *const *lanes, unsigned n_lanes)
{
    (void)lanes, (void)n_lanes;
}

void krb_lanes_hash(struct krb_lane *const *lanes, unsigned n_lanes)
{
    (void)lanes, (void)n_lanes;
}

#endif
