/* RC4 as RFC 6229 gives vectors for it (and draft-kaukonen-cipher-arcfour-03 describes it), alone and side by side with MD5. */
#include "crypto/rc4.h"
#include "crypto/md5_rounds.h"
#include "base/secret.h"

#define BLOCK_LEN 64

/*
 * sum = (sum + value) % 256, where sum is below 256 before: one instruction where compilers make two, an addition and an
 * extension; in a loop of a dozen instructions that shows. The generator's speed is also why bytes travel in registers of
 * full width: some compilers load a byte into a part of a register and then wait for the rest of it.
 */
#if defined(__x86_64__)
#define BYTE_ADD(sum, value) __asm__("addb %b1, %b0" : "+r"(sum) : "ri"(value) : "cc")
#else
#define BYTE_ADD(sum, value) ((sum) = (uint8_t)((sum) + (value)))
#endif
#define WHOLE(value) __asm__("" : "+r"(value))
#define BYTE_LOAD(to, from) \
    (to) = (from);          \
    WHOLE(to)

/*
 * One step of the key schedule (draft-kaukonen-cipher-arcfour-03, section 2). `next` is s[i + 1], read before the swap that may change it:
 * read after the swap it would have to wait for the store, as far as the processor can tell, though it must in one of 256 cases.
 */
#define SCHEDULE_STEP(here, following, key_byte) \
    do {                                         \
        size_t after = (following), x, y;        \
        x = next;                                \
        BYTE_ADD(j, (size_t)(key_byte));         \
        BYTE_ADD(j, x);                          \
        BYTE_LOAD(next, s[after]);               \
        BYTE_LOAD(y, s[j]);                      \
        s[here] = (uint8_t)y;                    \
        s[j] = (uint8_t)x;                       \
        next = after == j ? x : next;            \
    } while (0)
/* Of sixteen steps only the last may wrap. */
#define SCHEDULE_ONE(i, k) SCHEDULE_STEP(i, (k) == 15 ? (uint8_t)((i) + 1) : (i) + 1, bytes[k])

/* The same in its plain form: of two schedules side by side one waits while the other works, and fewer instructions count for more. */
#define SCHEDULE_PLAIN(s, j, i, key_byte) \
    do {                                  \
        size_t x, y;                      \
        BYTE_LOAD(x, s[i]);               \
        BYTE_ADD(j, (size_t)(key_byte));  \
        BYTE_ADD(j, x);                   \
        BYTE_LOAD(y, s[j]);               \
        s[i] = (uint8_t)y;                \
        s[j] = (uint8_t)x;                \
    } while (0)
#define SCHEDULE_BOTH(i, k)                  \
    SCHEDULE_PLAIN(s_a, j_a, (i), key_a[k]); \
    SCHEDULE_PLAIN(s_b, j_b, (i), key_b[k])

#define SCHEDULE_FOUR(STEP, i, k) \
    STEP((i) + (k), (k));         \
    STEP((i) + (k) + 1, (k) + 1); \
    STEP((i) + (k) + 2, (k) + 2); \
    STEP((i) + (k) + 3, (k) + 3)
#define SCHEDULE_SIXTEEN(STEP, i) \
    SCHEDULE_FOUR(STEP, i, 0);    \
    SCHEDULE_FOUR(STEP, i, 4);    \
    SCHEDULE_FOUR(STEP, i, 8);    \
    SCHEDULE_FOUR(STEP, i, 12)

/* 0 to 255, eight at a time: no byte's sum reaches into its neighbour. */
static void numbers_fill(uint8_t s[256])
{
    uint64_t eight;

    memcpy(&eight, "\0\1\2\3\4\5\6\7", sizeof eight);
    for (size_t i = 0; i < 256; i += sizeof eight, eight += 0x0808080808080808u)
        memcpy(s + i, &eight, sizeof eight);
}

void rc4_init(struct rc4 *rc4, const void *key, size_t key_len)
{
    const uint8_t *bytes = key;
    uint8_t *const s = rc4->s;
    size_t j = 0, k = 0, next = 0;

    numbers_fill(s);
    /* Nearly all keys have 16 bytes: nothing has to be counted then. */
    for (size_t i = 0; i < 256 && key_len == 16; i += 16) {
        SCHEDULE_SIXTEEN(SCHEDULE_ONE, i);
    }
    /* A key without bytes is the caller's mistake; it must not become an endless or wild read. */
    for (size_t i = 0; i < 256 && key_len != 0 && key_len != 16; i++) {
        SCHEDULE_STEP(i, (uint8_t)(i + 1), bytes[k]);
        k = k + 1 != key_len ? k + 1 : 0;
    }
    rc4->i = 0;
    rc4->j = 0;
}

void rc4_init_both(struct rc4 *a, const uint8_t key_a[RC4_BOTH_KEY_LEN], struct rc4 *b,
                   const uint8_t key_b[RC4_BOTH_KEY_LEN])
{
    uint8_t *const s_a = a->s, *const s_b = b->s;
    size_t j_a = 0, j_b = 0;

    numbers_fill(s_a);
    numbers_fill(s_b);
    for (size_t i = 0; i < 256; i += 16) {
        SCHEDULE_SIXTEEN(SCHEDULE_BOTH, i);
    }
    a->i = b->i = 0;
    a->j = b->j = 0;
}

/* One byte of key stream (draft-kaukonen-cipher-arcfour-03, section 3), with `next` as above. */
#define RC4_STEP(OUT)             \
    do {                          \
        size_t here = i;          \
        x = next;                 \
        BYTE_ADD(j, x);           \
        BYTE_ADD(i, 1);           \
        BYTE_LOAD(next, s[i]);    \
        BYTE_LOAD(y, s[j]);       \
        s[here] = (uint8_t)y;     \
        s[j] = (uint8_t)x;        \
        next = i == j ? x : next; \
        BYTE_ADD(x, y);           \
        OUT(s[x]);                \
    } while (0)

void rc4_crypt(struct rc4 *rc4, const uint8_t *in, uint8_t *out, size_t len)
{
    uint8_t *const s = rc4->s;
    size_t i = (uint8_t)(rc4->i + 1), j = rc4->j, next = s[i], x, y;
    uint64_t stream, word;

#define STREAM_PUSH(byte) stream = stream >> 8 | (uint64_t)(byte) << 56
#define OUT_BYTE(byte) *out++ = (uint8_t)(*in++ ^ (byte))
    /* Eight bytes at once: one load and one store of data for all of them. */
    for (; len >= 8; len -= 8, in += 8, out += 8) {
        stream = 0;
        RC4_STEP(STREAM_PUSH);
        RC4_STEP(STREAM_PUSH);
        RC4_STEP(STREAM_PUSH);
        RC4_STEP(STREAM_PUSH);
        RC4_STEP(STREAM_PUSH);
        RC4_STEP(STREAM_PUSH);
        RC4_STEP(STREAM_PUSH);
        RC4_STEP(STREAM_PUSH);
        if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
            stream = __builtin_bswap64(stream);
        __builtin_memcpy(&word, in, 8);
        word ^= stream;
        __builtin_memcpy(out, &word, 8);
    }
    for (; len > 0; len--)
        RC4_STEP(OUT_BYTE);
#undef STREAM_PUSH
#undef OUT_BYTE
    rc4->i = (uint8_t)(i - 1);
    rc4->j = (uint8_t)j;
}

/*
 * The same in its plain form, with `USE` made of the byte, y. Beside MD5 it is the faster one: MD5 leaves time to wait, but no registers.
 */
#define RC4_PLAIN(USE)      \
    do {                    \
        BYTE_LOAD(x, s[i]); \
        BYTE_ADD(j, x);     \
        BYTE_LOAD(y, s[j]); \
        s[i] = (uint8_t)y;  \
        BYTE_ADD(i, 1);     \
        s[j] = (uint8_t)x;  \
        BYTE_ADD(x, y);     \
        BYTE_LOAD(y, s[x]); \
        USE;                \
    } while (0)

/* Compresses one block of MD5 and makes 64 bytes of key stream meanwhile, one per step. */
static void md5_block_and_stream(uint32_t state[4], const uint8_t *block, struct rc4 *rc4, uint8_t stream[BLOCK_LEN])
{
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint8_t *const s = rc4->s;
    size_t i = (uint8_t)(rc4->i + 1), j = rc4->j, x, y;

#define STREAM_STEP(n) RC4_PLAIN(stream[n] = (uint8_t)y)
    MD5_ROUNDS(block, STREAM_STEP);
#undef STREAM_STEP
    rc4->i = (uint8_t)(i - 1);
    rc4->j = (uint8_t)j;
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

#define WORD_LEN 4
#define OWN_LEN (BLOCK_LEN - WORD_LEN)

/*
 * Decrypts OWN_LEN bytes and compresses the block that they fill but for its first word: the first round takes the block's words in their order, and
 * each is decrypted while the step before it is done.
 */
static void md5_block_of_stream(uint32_t state[4], uint8_t block[BLOCK_LEN], struct rc4 *rc4, uint8_t *data)
{
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], stream, word;
    uint8_t *const s = rc4->s;
    size_t i = (uint8_t)(rc4->i + 1), j = rc4->j, x, y;

#define STREAM_BYTE() RC4_PLAIN(stream = stream >> 8 | (uint32_t)y << 24)
#define WORD_STEP(n)                                                                   \
    do {                                                                               \
        const size_t at = (n) < OWN_LEN / WORD_LEN ? (size_t)WORD_LEN * (n) : OWN_LEN; \
        if (at < OWN_LEN) {                                                            \
            stream = 0;                                                                \
            STREAM_BYTE();                                                             \
            STREAM_BYTE();                                                             \
            STREAM_BYTE();                                                             \
            STREAM_BYTE();                                                             \
            if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)                                \
                stream = __builtin_bswap32(stream);                                    \
            __builtin_memcpy(&word, data + at, WORD_LEN);                              \
            word ^= stream;                                                            \
            __builtin_memcpy(data + at, &word, WORD_LEN);                              \
            __builtin_memcpy(block + WORD_LEN + at, &word, WORD_LEN);                  \
        }                                                                              \
    } while (0)
    MD5_ROUNDS(block, WORD_STEP);
#undef WORD_STEP
#undef STREAM_BYTE
    rc4->i = (uint8_t)(i - 1);
    rc4->j = (uint8_t)j;
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

static void xor_bytes(uint8_t *data, const uint8_t *stream, size_t len)
{
    uint64_t word, mask;

    for (; len >= 8; len -= 8, data += 8, stream += 8) {
        __builtin_memcpy(&word, data, 8);
        __builtin_memcpy(&mask, stream, 8);
        word ^= mask;
        __builtin_memcpy(data, &word, 8);
    }
    for (; len > 0; len--)
        *data++ ^= *stream++;
}

/* Bytes until the pending block of the hash is full. */
static size_t missing_len(const struct md5 *md5)
{
    return (size_t)(-md5->len % BLOCK_LEN);
}

/*
 * Key stream is made ahead of its use: each block of MD5 brings 64 bytes of it, while the data to encrypt must have been hashed
 * before. The blocks of the hash begin where the pending block ends, `ahead_len` bytes behind those of the key stream.
 */
void rc4_md5_seal(struct rc4 *rc4, struct md5 *md5, uint8_t *data, size_t len)
{
    uint8_t stream[2 * BLOCK_LEN];
    size_t ahead_len = 0, head_len = missing_len(md5);

    if (len < BLOCK_LEN) {
        md5_update(md5, data, len);
        rc4_crypt(rc4, data, data, len);
        return;
    }
    if (head_len != 0) {
        memcpy(md5->block + (BLOCK_LEN - head_len), data, head_len);
        md5_block_and_stream(md5->state, md5->block, rc4, stream);
        md5->len += head_len;
        xor_bytes(data, stream, head_len);
        ahead_len = BLOCK_LEN - head_len;
        memmove(stream, stream + head_len, ahead_len);
        data += head_len;
        len -= head_len;
    }
    for (; len >= BLOCK_LEN + ahead_len; len -= BLOCK_LEN, data += BLOCK_LEN) {
        md5_block_and_stream(md5->state, data, rc4, stream + ahead_len);
        md5->len += BLOCK_LEN;
        xor_bytes(data, stream, BLOCK_LEN);
        if (ahead_len != 0)
            memcpy(stream, stream + BLOCK_LEN, BLOCK_LEN);
    }
    md5_update(md5, data, len);
    xor_bytes(data, stream, ahead_len);
    rc4_crypt(rc4, data + ahead_len, data + ahead_len, len - ahead_len);
    secret_wipe(stream, sizeof(stream));
}

/* While one block of plain text is hashed, the key stream of the next is made; of a short message, as NTLM hashes it behind its number, the key
 * stream of that block itself. */
void rc4_md5_unseal(struct rc4 *rc4, struct md5 *md5, uint8_t *data, size_t len)
{
    uint8_t stream[BLOCK_LEN];
    size_t head_len = missing_len(md5);

    if (head_len == OWN_LEN && len >= OWN_LEN && len < head_len + BLOCK_LEN) {
        md5_block_of_stream(md5->state, md5->block, rc4, data);
        md5->len += OWN_LEN;
        data += OWN_LEN;
        len -= OWN_LEN;
        head_len = BLOCK_LEN;
    }
    if (len < head_len + BLOCK_LEN) {
        rc4_crypt(rc4, data, data, len);
        md5_update(md5, data, len);
        return;
    }
    if (head_len == 0) {
        rc4_crypt(rc4, data, data, BLOCK_LEN);
    } else {
        rc4_crypt(rc4, data, data, head_len);
        memcpy(md5->block + (BLOCK_LEN - head_len), data, head_len);
        md5_block_and_stream(md5->state, md5->block, rc4, stream);
        md5->len += head_len;
        data += head_len;
        len -= head_len;
        xor_bytes(data, stream, BLOCK_LEN);
    }
    for (; len >= (size_t)2 * BLOCK_LEN; len -= BLOCK_LEN, data += BLOCK_LEN) {
        md5_block_and_stream(md5->state, data, rc4, stream);
        md5->len += BLOCK_LEN;
        xor_bytes(data + BLOCK_LEN, stream, BLOCK_LEN);
    }
    rc4_crypt(rc4, data + BLOCK_LEN, data + BLOCK_LEN, len - BLOCK_LEN);
    md5_update(md5, data, len);
    secret_wipe(stream, sizeof(stream));
}
