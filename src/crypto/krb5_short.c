/* Short messages: what the ways over scattered pieces cost is more than their cipher and digest do, so that they go through a copy in one piece. */
#include "base/secret.h"
#include "crypto/krb5_run.h"

#include <string.h>

#define SHORT_MAX \
    ((size_t)STITCH_MIN * STITCH_UNIT + STITCH_UNIT) /* longer ones gain by cipher and digest side by side */
#define SHA1_LEN 20

size_t krb_cipher_gather(const struct krb_piece *pieces, unsigned n_pieces, uint8_t *to)
{
    size_t len = 0;
    for (unsigned i = 0; i < n_pieces; i++)
        if (!pieces[i].fixed && pieces[i].len > 0) {
            memcpy(to + len, pieces[i].data, pieces[i].len);
            len += pieces[i].len;
        }
    return len;
}

void krb_cipher_scatter(const struct krb_piece *pieces, unsigned n_pieces, const uint8_t *from)
{
    for (unsigned i = 0; i < n_pieces; i++)
        if (!pieces[i].fixed && pieces[i].len > 0) {
            memcpy(pieces[i].data, from, pieces[i].len);
            from += pieces[i].len;
        }
}

size_t krb_text_gather(const struct krb_piece *pieces, unsigned n_pieces, const uint8_t *cipher, uint8_t *to)
{
    size_t len = 0;
    for (unsigned i = 0; i < n_pieces; i++) {
        if (pieces[i].len == 0)
            continue;
        memcpy(to + len, pieces[i].fixed ? pieces[i].data : cipher, pieces[i].len);
        len += pieces[i].len;
        cipher += pieces[i].fixed ? 0 : pieces[i].len;
    }
    return len;
}

/* A copy: what is encrypted, and what the checksum is over, which is the same where no piece is fixed; both with room for the padding. */
struct copy {
    size_t cipher_len, text_len;
    uint8_t cipher[SHORT_MAX + (size_t)2 * STITCH_UNIT], text[SHORT_MAX + (size_t)2 * STITCH_UNIT];
};

bool krb_is_short(const struct krb_cipher *cipher, const struct krb_piece *pieces, unsigned n_pieces)
{
    size_t len = 0;
    for (unsigned i = 0; i < n_pieces; i++) {
        if (pieces[i].len > SHORT_MAX - len)
            return false;
        len += pieces[i].len;
    }
    return cipher->profile->digest == KRB_SHA1 && cipher->cbc.aes.rounds > 0;
}

static void copy_begin(struct copy *copy, const struct krb_piece *pieces, unsigned n_pieces)
{
    copy->text_len = 0;
    copy->cipher_len = krb_cipher_gather(pieces, n_pieces, copy->cipher);
}

/* Over what is plain in `cipher` now. */
static void copy_mac(struct copy *copy, const struct krb_mac *key, const struct krb_piece *pieces, unsigned n_pieces,
                     uint8_t mac[SHA1_LEN])
{
    uint8_t *text = copy->cipher;
    size_t len = copy->cipher_len;
    for (unsigned i = 0; i < n_pieces; i++)
        if (pieces[i].fixed) {
            text = copy->text;
            len = copy->text_len = krb_text_gather(pieces, n_pieces, copy->cipher, text);
            break;
        }
    hmac_sha1_whole(key, text, len, mac);
}

/* RFC 3962, section 5: the last block is filled up with zeros, and the last two change places. */
static void cts_encrypt(const struct krb_aes *aes, uint8_t *data, size_t len)
{
    uint8_t chain[AES_BLOCK_LEN] = {0}, swap[AES_BLOCK_LEN];
    size_t n_blocks = (len + AES_BLOCK_LEN - 1) / AES_BLOCK_LEN;
    uint8_t *last = data + (n_blocks - 1) * AES_BLOCK_LEN;
    memset(data + len, 0, n_blocks * AES_BLOCK_LEN - len);
    krb_aes_cbc_encrypt(aes, chain, data, n_blocks * AES_BLOCK_LEN);
    if (n_blocks == 1)
        return;
    memcpy(swap, last, sizeof swap);
    memcpy(last, last - AES_BLOCK_LEN, sizeof swap);
    memcpy(last - AES_BLOCK_LEN, swap, sizeof swap);
}

static void cts_decrypt(const struct krb_aes *aes, uint8_t *data, size_t len)
{
    uint8_t chain[AES_BLOCK_LEN] = {0}, none[AES_BLOCK_LEN] = {0}, stolen[AES_BLOCK_LEN], last[AES_BLOCK_LEN];
    size_t n_blocks = (len + AES_BLOCK_LEN - 1) / AES_BLOCK_LEN,
           bulk = n_blocks > 2 ? (n_blocks - 2) * AES_BLOCK_LEN : 0;
    if (n_blocks == 1) {
        krb_aes_cbc_decrypt(aes, chain, data, AES_BLOCK_LEN);
        return;
    }
    krb_aes_cbc_decrypt(aes, chain, data, bulk);
    uint8_t *first = data + bulk, *second = first + AES_BLOCK_LEN;
    size_t second_len = len - bulk - AES_BLOCK_LEN;
    memcpy(stolen, first, sizeof stolen);
    krb_aes_cbc_decrypt(aes, none, stolen, sizeof stolen);
    memcpy(last, stolen, sizeof last);
    memcpy(last, second, second_len);
    for (size_t i = 0; i < second_len; i++)
        second[i] ^= stolen[i];
    krb_aes_cbc_decrypt(aes, chain, last, sizeof last);
    memcpy(first, last, sizeof last);
    secret_wipe(stolen, sizeof stolen);
    secret_wipe(last, sizeof last);
}

void krb_short_seal(struct krb_cipher *cipher, const struct krb_piece *pieces, unsigned n_pieces, uint8_t *mac)
{
    struct copy copy;
    uint8_t whole[SHA1_LEN];
    copy_begin(&copy, pieces, n_pieces);
    copy_mac(&copy, &cipher->integrity, pieces, n_pieces, whole);
    memcpy(mac, whole, cipher->profile->mac_len);
    cts_encrypt(&cipher->cbc.aes, copy.cipher, copy.cipher_len);
    krb_cipher_scatter(pieces, n_pieces, copy.cipher);
    secret_wipe(copy.text, copy.text_len);
}

bool krb_short_unseal(struct krb_cipher *cipher, const struct krb_piece *pieces, unsigned n_pieces, const uint8_t *mac)
{
    struct copy copy;
    uint8_t expected[SHA1_LEN];
    copy_begin(&copy, pieces, n_pieces);
    cts_decrypt(&cipher->cbc.aes, copy.cipher, copy.cipher_len);
    copy_mac(&copy, &cipher->integrity, pieces, n_pieces, expected);
    bool right = secret_equal(expected, mac, cipher->profile->mac_len);
    if (right)
        krb_cipher_scatter(pieces, n_pieces, copy.cipher);
    secret_wipe(copy.cipher, copy.cipher_len);
    secret_wipe(copy.text, copy.text_len);
    return right;
}
