#include "crypto/krb5_aes.h"

#include "base/secret.h"
#include "crypto/processor.h"
#include <string.h>

#if defined(__x86_64__)

#include "crypto/sse.h"

#define ROUNDS_128 10
#define ROUNDS_256 14

/* FIPS 197, section 5.2: four words of the schedule from the four that lie one key length before and the transformed last word. */
SSE_INLINE __m128i next_words(__m128i words, __m128i last)
{
    words = _mm_xor_si128(words, _mm_slli_si128(words, 4));
    words = _mm_xor_si128(words, _mm_slli_si128(words, 8));
    return _mm_xor_si128(words, last);
}

/* SubWord and RotWord of the last word, with the round constant, in all places. */
SSE_INLINE __m128i rotated_word(__m128i words, int constant)
{
    return _mm_xor_si128(_mm_shuffle_epi32(_mm_aeskeygenassist_si128(words, 0), 0xff), _mm_set1_epi32(constant));
}

/* The schedule for decrypting (FIPS 197, section 5.3.5): the same from its end, all but the outermost through InvMixColumns. */
SSE_INLINE void schedule_turn(__m128i *words, unsigned rounds)
{
    for (unsigned i = 0; i < rounds - i; i++) {
        __m128i swap = words[i];
        words[i] = words[rounds - i];
        words[rounds - i] = swap;
    }
    for (unsigned i = 1; i < rounds; i++)
        words[i] = _mm_aesimc_si128(words[i]);
}

SSE_CODE static void keys_expand(struct krb_aes *aes, const uint8_t *key, size_t key_len, bool encrypting)
{
    __m128i words[ROUNDS_256 + 1] = {sse_load(key)};
    int constant = 1;
    if (key_len == 16) {
        aes->rounds = ROUNDS_128;
        for (unsigned i = 1; i <= ROUNDS_128; i++) {
            words[i] = next_words(words[i - 1], rotated_word(words[i - 1], constant));
            constant = constant << 1 ^ (constant & 0x80 ? 0x11b : 0);
        }
    } else {
        aes->rounds = ROUNDS_256;
        words[1] = sse_load(key + 16);
        for (unsigned i = 2; i <= ROUNDS_256; i++)
            if (i % 2 == 0) {
                words[i] = next_words(words[i - 2], rotated_word(words[i - 1], constant));
                constant <<= 1;
            } else /* SubWord alone */
                words[i] =
                    next_words(words[i - 2], _mm_shuffle_epi32(_mm_aeskeygenassist_si128(words[i - 1], 0), 0xaa));
    }
    if (!encrypting)
        schedule_turn(words, aes->rounds);
    memcpy(aes->keys, words, sizeof aes->keys);
    secret_wipe(words, sizeof words);
}

SSE_INLINE void blocks_encrypt(const uint8_t (*keys)[AES_BLOCK_LEN], unsigned rounds, uint8_t *chain_bytes,
                               uint8_t *data, size_t n_blocks)
{
    __m128i chain = sse_load(chain_bytes);
    for (; n_blocks > 0; n_blocks--, data += AES_BLOCK_LEN) {
        chain = _mm_xor_si128(_mm_xor_si128(sse_load(data), sse_load(keys[0])), chain);
#pragma GCC unroll 16
        for (unsigned i = 1; i < rounds; i++)
            chain = _mm_aesenc_si128(chain, sse_load(keys[i]));
        chain = _mm_aesenclast_si128(chain, sse_load(keys[rounds]));
        sse_store(data, chain);
    }
    sse_store(chain_bytes, chain);
}

/* So many blocks at a time as the processor has on its way while it waits for the first. */
#define AT_ONCE 8

SSE_INLINE __m128i some_decrypt(const uint8_t (*keys)[AES_BLOCK_LEN], unsigned rounds, __m128i chain, uint8_t *data,
                                unsigned n)
{
    __m128i blocks[AT_ONCE], arrived[AT_ONCE];
#pragma GCC unroll 8
    for (unsigned k = 0; k < n; k++) {
        arrived[k] = sse_load(data + (size_t)k * AES_BLOCK_LEN);
        blocks[k] = _mm_xor_si128(arrived[k], sse_load(keys[0]));
    }
#pragma GCC unroll 16
    for (unsigned i = 1; i < rounds; i++) {
        __m128i key = sse_load(keys[i]);
#pragma GCC unroll 8
        for (unsigned k = 0; k < n; k++)
            blocks[k] = _mm_aesdec_si128(blocks[k], key);
    }
#pragma GCC unroll 8
    for (unsigned k = 0; k < n; k++) {
        blocks[k] = _mm_aesdeclast_si128(blocks[k], sse_load(keys[rounds]));
        sse_store(data + (size_t)k * AES_BLOCK_LEN, _mm_xor_si128(blocks[k], k == 0 ? chain : arrived[k - 1]));
    }
    return arrived[n - 1];
}

SSE_INLINE void blocks_decrypt(const uint8_t (*keys)[AES_BLOCK_LEN], unsigned rounds, uint8_t *chain_bytes,
                               uint8_t *data, size_t n_blocks)
{
    __m128i chain = sse_load(chain_bytes);
    for (; n_blocks >= AT_ONCE; n_blocks -= AT_ONCE, data += (size_t)AT_ONCE * AES_BLOCK_LEN)
        chain = some_decrypt(keys, rounds, chain, data, AT_ONCE);
    if (n_blocks >= 4) {
        chain = some_decrypt(keys, rounds, chain, data, 4);
        n_blocks -= 4;
        data += (size_t)4 * AES_BLOCK_LEN;
    }
    if (n_blocks == 3)
        chain = some_decrypt(keys, rounds, chain, data, 3);
    else if (n_blocks == 2)
        chain = some_decrypt(keys, rounds, chain, data, 2);
    else if (n_blocks == 1)
        chain = some_decrypt(keys, rounds, chain, data, 1);
    sse_store(chain_bytes, chain);
}

/* Twice each, so that the number of rounds is a constant. */
SSE_CODE void krb_aes_cbc_encrypt(const struct krb_aes *aes, uint8_t chain[AES_BLOCK_LEN], uint8_t *data, size_t len)
{
    if (aes->rounds == ROUNDS_256)
        blocks_encrypt(aes->keys, ROUNDS_256, chain, data, len / AES_BLOCK_LEN);
    else
        blocks_encrypt(aes->keys, ROUNDS_128, chain, data, len / AES_BLOCK_LEN);
}

SSE_CODE void krb_aes_cbc_decrypt(const struct krb_aes *aes, uint8_t chain[AES_BLOCK_LEN], uint8_t *data, size_t len)
{
    if (aes->rounds == ROUNDS_256)
        blocks_decrypt(aes->keys, ROUNDS_256, chain, data, len / AES_BLOCK_LEN);
    else
        blocks_decrypt(aes->keys, ROUNDS_128, chain, data, len / AES_BLOCK_LEN);
}

void krb_aes_init(struct krb_aes *aes, const uint8_t *key, size_t key_len, bool encrypting)
{
    aes->rounds = 0;
    if (processor_has(PROCESSOR_AES))
        keys_expand(aes, key, key_len, encrypting);
}

#else

void krb_aes_init(struct krb_aes *aes, const uint8_t *key, size_t key_len, bool encrypting)
{
    (void)key, (void)key_len, (void)encrypting;
    aes->rounds = 0;
}

void krb_aes_cbc_encrypt(const struct krb_aes *aes, uint8_t chain[AES_BLOCK_LEN], uint8_t *data, size_t len)
{
    (void)aes, (void)chain, (void)data, (void)len;
}

void krb_aes_cbc_decrypt(const struct krb_aes *aes, uint8_t chain[AES_BLOCK_LEN], uint8_t *data, size_t len)
{
    (void)aes, (void)chain, (void)data, (void)len;
}

#endif
