/*
 * For the files that are written in a processor's instructions: x86-64 with those for AES and SHA. Functions that use them are marked, and called
 * only where processor_has says so.
 */
#ifndef OPENSSPI_CRYPTO_SSE_H
#define OPENSSPI_CRYPTO_SSE_H

#include <immintrin.h>

#define SSE_CODE __attribute__((target("aes,sha,sse4.1")))
#define SSE_INLINE __attribute__((target("aes,sha,sse4.1"), always_inline)) static inline

SSE_INLINE __m128i sse_load(const void *at)
{
    return _mm_loadu_si128((const __m128i *)at);
}

SSE_INLINE void sse_store(void *at, __m128i value)
{
    _mm_storeu_si128((__m128i *)at, value);
}

#endif
