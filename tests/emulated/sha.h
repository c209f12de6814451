/*
 * SHA-1's instructions in C, included before everything else into the files that use them (cmake/Tests.cmake): tests of what is written in them run
 * on processors without them, too. From Intel's description of the instructions.
 */
#ifndef TEST_EMULATED_SHA_H
#define TEST_EMULATED_SHA_H

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>
#include <stdint.h>

/* What processor.c asks for: also of processors that do not know the question. */
#undef bit_SHA
#define bit_SHA (1u << 29)
#define __get_cpuid_count(leaf, subleaf, a, b, c, d) (*(a) = *(c) = *(d) = 0, *(b) = bit_SHA, 1)

/* How often the ones here were run: taken.c looks. */
extern unsigned emulated_taken;

/* As four words, the highest last. */
union emulated_words {
    __m128i all;
    uint32_t at[4];
};

static inline uint32_t emulated_rol(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

static inline __m128i emulated_sha1nexte(__m128i a, __m128i b)
{
    union emulated_words state = {a}, words = {b};
    __atomic_fetch_add(&emulated_taken, 1, __ATOMIC_RELAXED);
    words.at[3] += emulated_rol(state.at[3], 30);
    return words.all;
}

static inline __m128i emulated_sha1msg1(__m128i a, __m128i b)
{
    union emulated_words first = {a}, second = {b}, out;
    out.at[3] = first.at[3] ^ first.at[1];
    out.at[2] = first.at[2] ^ first.at[0];
    out.at[1] = first.at[1] ^ second.at[3];
    out.at[0] = first.at[0] ^ second.at[2];
    return out.all;
}

static inline __m128i emulated_sha1msg2(__m128i a, __m128i b)
{
    union emulated_words first = {a}, second = {b}, out;
    out.at[3] = emulated_rol(first.at[3] ^ second.at[2], 1);
    out.at[2] = emulated_rol(first.at[2] ^ second.at[1], 1);
    out.at[1] = emulated_rol(first.at[1] ^ second.at[0], 1);
    out.at[0] = emulated_rol(first.at[0] ^ out.at[3], 1);
    return out.all;
}

static inline uint32_t emulated_function(unsigned quarter, uint32_t b, uint32_t c, uint32_t d)
{
    return quarter == 0 ? ((b & c) ^ (~b & d)) : quarter == 2 ? ((b & c) ^ (b & d) ^ (c & d)) : b ^ c ^ d;
}

/* Four rounds of the quarter's; the first word came with E added. */
static inline __m128i emulated_sha1rnds4(__m128i abcd, __m128i words, unsigned quarter)
{
    static const uint32_t constants[4] = {0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6};
    union emulated_words state = {abcd}, added = {words};
    uint32_t a = state.at[3], b = state.at[2], c = state.at[1], d = state.at[0], e = 0;
    for (int i = 3; i >= 0; i--) {
        uint32_t next = emulated_function(quarter, b, c, d) + emulated_rol(a, 5) + added.at[i] + e + constants[quarter];
        e = d;
        d = c;
        c = emulated_rol(b, 30);
        b = a;
        a = next;
    }
    return (union emulated_words){.at = {d, c, b, a}}.all;
}

#undef _mm_sha1nexte_epu32
#undef _mm_sha1msg1_epu32
#undef _mm_sha1msg2_epu32
#undef _mm_sha1rnds4_epu32
#define _mm_sha1nexte_epu32 emulated_sha1nexte
#define _mm_sha1msg1_epu32 emulated_sha1msg1
#define _mm_sha1msg2_epu32 emulated_sha1msg2
#define _mm_sha1rnds4_epu32 emulated_sha1rnds4

#endif

#endif
