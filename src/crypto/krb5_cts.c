#include "crypto/krb5_cts.h"

#include "base/secret.h"
#include "crypto/openssl.h"
#include <openssl/evp.h>
#include <string.h>

#define RUN_MAX ((size_t)1 << 20) /* EVP_Cipher counts in unsigned int */

bool krb_cbc_init(struct krb_cbc *cbc, const uint8_t *key, size_t key_len, bool encrypting)
{
    static _Atomic(void *) aes128, aes256;
    *cbc = (struct krb_cbc){.encrypting = encrypting};
    krb_aes_init(&cbc->aes, key, key_len, encrypting);
    if (cbc->aes.rounds > 0)
        return true;
    OPENSSL_QUIET;
    const EVP_CIPHER *cipher =
        key_len == 16 ? openssl_cipher(&aes128, "AES-128-CBC") : openssl_cipher(&aes256, "AES-256-CBC");
    require(cipher != NULL, false);
    cbc->context = EVP_CIPHER_CTX_new();
    require(cbc->context != NULL, false);
    if (EVP_CipherInit_ex2(cbc->context, cipher, key, cbc->last, encrypting, NULL) == 1)
        return true;
    krb_cbc_release(cbc);
    return false;
}

void krb_cbc_release(struct krb_cbc *cbc)
{
    EVP_CIPHER_CTX_free(cbc->context); /* wipes the key schedule */
    secret_wipe(cbc, sizeof *cbc);
}

static inline void block_xor(uint8_t *to, const uint8_t *from)
{
    uint64_t a[2], b[2];
    memcpy(a, to, sizeof a);
    memcpy(b, from, sizeof b);
    a[0] ^= b[0];
    a[1] ^= b[1];
    memcpy(to, a, sizeof a);
}

/* Whole blocks, chained to those before. EVP_Cipher goes straight to the cipher, without the buffer that the update functions keep. */
static bool blocks_crypt(struct krb_cbc *cbc, uint8_t *data, size_t len)
{
    OPENSSL_QUIET;
    for (size_t now_len; len > 0; data += now_len, len -= now_len) {
        now_len = len < RUN_MAX ? len : RUN_MAX;
        uint8_t *end = data + now_len - AES_BLOCK_LEN;
        if (!cbc->encrypting)
            memcpy(cbc->last, end, AES_BLOCK_LEN);
        require(EVP_Cipher(cbc->context, data, data, (unsigned)now_len) > 0, false);
        if (cbc->encrypting)
            memcpy(cbc->last, end, AES_BLOCK_LEN);
    }
    return true;
}

/* The same by the processor's instructions. */
static void blocks_by_hand(const struct krb_cbc *cbc, uint8_t chain[AES_BLOCK_LEN], uint8_t *data, size_t len)
{
    if (cbc->encrypting)
        krb_aes_cbc_encrypt(&cbc->aes, chain, data, len);
    else
        krb_aes_cbc_decrypt(&cbc->aes, chain, data, len);
}

bool krb_cbc_block(struct krb_cbc *cbc, uint8_t block[AES_BLOCK_LEN])
{
    uint8_t before[AES_BLOCK_LEN] = {0};
    bool done = true;
    if (cbc->aes.rounds > 0)
        blocks_by_hand(cbc, before, block, AES_BLOCK_LEN);
    else {
        memcpy(before, cbc->last, sizeof before);
        if (cbc->encrypting)
            block_xor(block, before);
        done = blocks_crypt(cbc, block, AES_BLOCK_LEN);
        if (done && !cbc->encrypting)
            block_xor(block, before);
    }
    if (cbc->encrypting) /* it holds this block or the last one, and keys are derived so (krb_dr) */
        secret_wipe(before, sizeof before);
    return done;
}

/* A message begins with a vector of zeros, OpenSSL's context with what the last message left in it. Taking the difference out of the first block
 * costs nothing, setting a vector as much as encrypting eight blocks. */
static void message_crypt(struct krb_cts *cts, uint8_t *data, size_t len)
{
    struct krb_cbc *cbc = cts->cbc;
    if (cbc->aes.rounds > 0) {
        blocks_by_hand(cbc, cts->chain, data, len);
        return;
    }
    if (cts->linked) {
        cts->failed |= !blocks_crypt(cbc, data, len);
        return;
    }
    uint8_t difference[AES_BLOCK_LEN];
    memcpy(difference, cbc->last, sizeof difference);
    block_xor(difference, cts->chain);
    cts->linked = true;
    if (cbc->encrypting)
        block_xor(data, difference);
    cts->failed |= !blocks_crypt(cbc, data, len);
    if (!cbc->encrypting)
        block_xor(data, difference);
}

uint8_t *krb_cts_by_hand(struct krb_cts *cts)
{
    if (cts->linked)
        memcpy(cts->chain, cts->cbc->last, sizeof cts->chain);
    cts->linked = false;
    return cts->chain;
}

void krb_cts_begin(struct krb_cts *cts, struct krb_cbc *cbc, size_t len)
{
    size_t n_blocks = len / AES_BLOCK_LEN + (len % AES_BLOCK_LEN != 0);
    cts->cbc = cbc;
    cts->bulk = cts->bulk_left = n_blocks > 2 ? (n_blocks - 2) * AES_BLOCK_LEN : 0;
    cts->linked = false;
    memset(cts->chain, 0, sizeof cts->chain);
    cts->failed = len < AES_BLOCK_LEN;
    cts->n_pending = cts->n_places = 0;
}

static void pending_scatter(struct krb_cts *cts)
{
    const uint8_t *from = cts->pending;
    for (unsigned i = 0; i < cts->n_places; from += cts->places[i++].len)
        memcpy(cts->places[i].data, from, cts->places[i].len);
    cts->n_pending = cts->n_places = 0;
}

static void pending_add(struct krb_cts *cts, uint8_t *data, size_t len)
{
    memcpy(cts->pending + cts->n_pending, data, len);
    cts->places[cts->n_places++] = (struct slice_mut){data, len};
    cts->n_pending += (unsigned)len;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

void krb_cts_update(struct krb_cts *cts, uint8_t *data, size_t len)
{
    size_t now_len;
    for (; len > 0; data += now_len, len -= now_len) {
        if (cts->bulk_left == 0) {
            now_len = smaller(len, sizeof cts->pending - cts->n_pending);
            if (now_len == 0) { /* more than was announced */
                cts->failed = true;
                return;
            }
            pending_add(cts, data, now_len);
            continue;
        }
        now_len = cts->n_pending == 0 ? smaller(len, cts->bulk_left) & ~(size_t)(AES_BLOCK_LEN - 1) : 0;
        if (now_len > 0) {
            message_crypt(cts, data, now_len);
            cts->bulk_left -= now_len;
            continue;
        }
        now_len = smaller(len, AES_BLOCK_LEN - cts->n_pending);
        pending_add(cts, data, now_len);
        if (cts->n_pending == AES_BLOCK_LEN) {
            message_crypt(cts, cts->pending, AES_BLOCK_LEN);
            pending_scatter(cts);
            cts->bulk_left -= AES_BLOCK_LEN;
        }
    }
}

/* Two blocks, the second of `second_len` bytes: both are encrypted, padded with zeros, and change places. */
static void tail_encrypt(struct krb_cts *cts, size_t second_len)
{
    uint8_t *first = cts->pending, *second = first + AES_BLOCK_LEN, swap[AES_BLOCK_LEN];
    memset(second + second_len, 0, AES_BLOCK_LEN - second_len);
    message_crypt(cts, first, sizeof cts->pending);
    memcpy(swap, first, sizeof swap);
    memcpy(first, second, AES_BLOCK_LEN);
    memcpy(second, swap, sizeof swap);
}

static void tail_decrypt(struct krb_cts *cts, size_t second_len)
{
    struct krb_cbc *cbc = cts->cbc;
    uint8_t chain[AES_BLOCK_LEN], stolen[AES_BLOCK_LEN], *first = cts->pending, *second = first + AES_BLOCK_LEN;
    memcpy(chain, cts->linked ? cbc->last : cts->chain, sizeof chain);
    memcpy(stolen, first, sizeof stolen);
    cts->failed |= !krb_cbc_block(cbc, stolen);
    memcpy(first, second, second_len);
    memcpy(first + second_len, stolen + second_len, AES_BLOCK_LEN - second_len);
    for (size_t i = 0; i < second_len; i++)
        second[i] ^= stolen[i];
    cts->failed |= !krb_cbc_block(cbc, first);
    block_xor(first, chain);
    secret_wipe(stolen, sizeof stolen);
}

bool krb_cts_finish(struct krb_cts *cts)
{
    size_t tail_len = cts->n_pending;
    if (cts->bulk_left > 0 || tail_len < AES_BLOCK_LEN)
        cts->failed = true;
    else if (tail_len == AES_BLOCK_LEN)
        message_crypt(cts, cts->pending, AES_BLOCK_LEN);
    else if (cts->cbc->encrypting)
        tail_encrypt(cts, tail_len - AES_BLOCK_LEN);
    else
        tail_decrypt(cts, tail_len - AES_BLOCK_LEN);
    pending_scatter(cts);
    if (!cts->cbc->encrypting)
        secret_wipe(cts->pending, sizeof cts->pending);
    return !cts->failed;
}
