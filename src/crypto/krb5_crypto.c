#include "crypto/krb5_crypto.h"

#include "base/secret.h"
#include "crypto/krb5_run.h"
#include <string.h>

void krb_mac_compute(const struct krb_mac *mac, const struct krb_piece *pieces, unsigned n_pieces, uint8_t *out)
{
    struct hmac_sha hmac;
    hmac_sha_begin(&hmac, mac);
    for (unsigned i = 0; i < n_pieces; i++)
        hmac_sha_update(&hmac, pieces[i].data, pieces[i].len);
    hmac_sha_end(&hmac, out, mac->len);
}

size_t krb_cipher_len(const struct krb_piece *pieces, unsigned n_pieces)
{
    size_t len = 0;
    for (unsigned i = 0; i < n_pieces; i++)
        if (!pieces[i].fixed)
            len += pieces[i].len;
    return len;
}

void krb_run_begin(struct krb_run *run, const struct krb_cipher *cipher, const struct krb_piece *pieces,
                   unsigned n_pieces)
{
    static const uint8_t zero_vector[AES_BLOCK_LEN];
    run->pieces = pieces;
    run->n_pieces = n_pieces;
    run->hashed_piece = 0;
    run->hashed_offset = run->hashed = 0;
    hmac_sha_begin(&run->hmac, &cipher->integrity);
    if (cipher->profile->encrypt_then_mac) /* RFC 8009, section 5: H = HMAC(Ki, IV | C) */
        hmac_sha_update(&run->hmac, zero_vector, sizeof zero_vector);
}

void krb_run_hash(struct krb_run *run, size_t limit)
{
    while (run->hashed_piece < run->n_pieces) {
        const struct krb_piece *piece = &run->pieces[run->hashed_piece];
        size_t left = piece->len - run->hashed_offset, wanted = limit > run->hashed ? limit - run->hashed : 0;
        size_t len = piece->fixed || left <= wanted ? left : wanted;
        hmac_sha_update(&run->hmac, piece->data + run->hashed_offset, len);
        if (!piece->fixed)
            run->hashed += len;
        if (len < left) {
            run->hashed_offset += len;
            return;
        }
        run->hashed_piece++;
        run->hashed_offset = 0;
    }
}

size_t krb_run_stretch(struct krb_run *run, const struct krb_aes *stitch, const struct krb_piece *piece,
                       struct krb_lane *lane)
{
    size_t ahead = hmac_sha1_missing(&run->hmac),
           len = piece->len < run->cts.bulk_left ? piece->len : run->cts.bulk_left;
    size_t n_units = len > ahead ? (len - ahead) / STITCH_UNIT : 0;
    if (n_units < STITCH_MIN || run->cts.n_pending > 0)
        return 0;
    krb_run_hash(run, run->hashed + ahead);
    hmac_sha1_words_out(&run->hmac, lane->state);
    lane->aes = stitch;
    memcpy(lane->chain, krb_cts_by_hand(&run->cts), sizeof lane->chain);
    lane->data = piece->data;
    lane->hashed = piece->data + ahead;
    lane->n_units = n_units;
    return n_units;
}

void krb_run_stretched(struct krb_run *run, const struct krb_lane *lane, size_t n_units)
{
    size_t len = n_units * STITCH_UNIT;
    hmac_sha1_words_in(&run->hmac, lane->state, n_units);
    memcpy(krb_cts_by_hand(&run->cts), lane->chain, sizeof lane->chain);
    krb_cts_skip(&run->cts, len);
    run->hashed += len;
    run->hashed_offset += len;
}

/* Encrypts and hashes the start of a piece side by side, as far as whole blocks of both go; the bytes that the cipher took. */
static size_t run_stitch(struct krb_run *run, const struct krb_aes *stitch, const struct krb_piece *piece)
{
    struct krb_lane lane, *const lanes[] = {&lane};
    size_t n_units = krb_run_stretch(run, stitch, piece, &lane);
    if (n_units > 0) {
        krb_lanes_run(lanes, 1);
        krb_run_stretched(run, &lane, n_units);
    }
    return n_units * STITCH_UNIT;
}

enum order { HASH_FIRST, CIPHER_FIRST, CIPHER_ONLY };

/* `stitch` may be NULL. */
static bool run_cipher(struct krb_run *run, struct krb_cbc *cbc, enum order order, const struct krb_aes *stitch)
{
    size_t len = krb_cipher_len(run->pieces, run->n_pieces), given = 0;
    krb_cts_begin(&run->cts, cbc, len);
    for (unsigned i = 0; i < run->n_pieces; i++) {
        const struct krb_piece *piece = &run->pieces[i];
        if (piece->fixed)
            continue;
        size_t at = 0;
        if (stitch != NULL) {
            krb_run_hash(run, given); /* fixed pieces on the way */
            at = run_stitch(run, stitch, piece);
            given += at;
        }
        for (size_t now_len; at < piece->len; at += now_len) {
            now_len = piece->len - at < KRB_CHUNK_LEN ? piece->len - at : KRB_CHUNK_LEN;
            given += now_len;
            if (order == HASH_FIRST)
                krb_run_hash(run, given);
            krb_cts_update(&run->cts, piece->data + at, now_len);
            if (order == CIPHER_FIRST)
                krb_run_hash(run, krb_cts_done(&run->cts));
        }
    }
    bool done = krb_cts_finish(&run->cts);
    if (order != CIPHER_ONLY)
        krb_run_hash(run, len);
    return done;
}

void krb_pieces_wipe(const struct krb_piece *pieces, unsigned n_pieces)
{
    for (unsigned i = 0; i < n_pieces; i++)
        if (!pieces[i].fixed && pieces[i].len > 0)
            secret_wipe(pieces[i].data, pieces[i].len);
}

bool krb_seal(struct krb_cipher *cipher, const struct krb_piece *pieces, unsigned n_pieces, uint8_t *mac)
{
    struct krb_run run;
    if (krb_is_short(cipher, pieces, n_pieces) && krb_cipher_len(pieces, n_pieces) >= AES_BLOCK_LEN) {
        krb_short_seal(cipher, pieces, n_pieces, mac);
        return true;
    }
    krb_run_begin(&run, cipher, pieces, n_pieces);
    bool done = run_cipher(&run, &cipher->cbc, cipher->profile->encrypt_then_mac ? CIPHER_FIRST : HASH_FIRST,
                           cipher->stitched ? &cipher->cbc.aes : NULL);
    hmac_sha_end(&run.hmac, mac, cipher->profile->mac_len);
    if (!done)
        krb_pieces_wipe(pieces, n_pieces);
    return done;
}

static void pieces_crypt(struct krb_cbc *cbc, const struct krb_piece *pieces, unsigned n_pieces)
{
    struct krb_run run = {.pieces = pieces, .n_pieces = n_pieces};
    if (!run_cipher(&run, cbc, CIPHER_ONLY, NULL))
        krb_pieces_wipe(pieces, n_pieces);
}

void krb_unseal_undo(const struct krb_cipher *cipher, const struct krb_piece *pieces, unsigned n_pieces)
{
    struct krb_cbc cbc;
    if (krb_cbc_init(&cbc, cipher->key, cipher->profile->key_len, true))
        pieces_crypt(&cbc, pieces, n_pieces);
    else
        krb_pieces_wipe(pieces, n_pieces);
    krb_cbc_release(&cbc);
}

/* The checksum is over the cipher text: nothing is decrypted before it fits. */
static bool verify_then_decrypt(struct krb_cipher *cipher, struct krb_run *run, const uint8_t *mac)
{
    uint8_t expected[KRB_MAC_MAX];
    krb_run_hash(run, SIZE_MAX);
    hmac_sha_end(&run->hmac, expected, cipher->profile->mac_len);
    require(secret_equal(expected, mac, cipher->profile->mac_len), false);
    if (run_cipher(run, &cipher->cbc, CIPHER_ONLY, NULL))
        return true;
    krb_pieces_wipe(run->pieces, run->n_pieces);
    return false;
}

bool krb_unseal(struct krb_cipher *cipher, const struct krb_piece *pieces, unsigned n_pieces, const uint8_t *mac)
{
    uint8_t expected[KRB_MAC_MAX];
    struct krb_run run;
    require(krb_cipher_len(pieces, n_pieces) >= AES_BLOCK_LEN, false);
    if (krb_is_short(cipher, pieces, n_pieces))
        return krb_short_unseal(cipher, pieces, n_pieces, mac);
    krb_run_begin(&run, cipher, pieces, n_pieces);
    if (cipher->profile->encrypt_then_mac)
        return verify_then_decrypt(cipher, &run, mac);
    bool done = run_cipher(&run, &cipher->cbc, CIPHER_FIRST, NULL);
    hmac_sha_end(&run.hmac, expected, cipher->profile->mac_len);
    if (!done)
        krb_pieces_wipe(pieces, n_pieces);
    else if (!secret_equal(expected, mac, cipher->profile->mac_len)) {
        krb_unseal_undo(cipher, pieces, n_pieces);
        done = false;
    }
    return done;
}
