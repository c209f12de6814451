#include "crypto/krb5_crypto.h"

#include "base/secret.h"
#include "crypto/hmac_sha.h"

#define CHUNK_LEN ((size_t)4096) /* what one of cipher and digest touched, the other still finds in the first cache */

void krb_mac_compute(const struct krb_mac *mac, const struct krb_piece *pieces, unsigned n_pieces, uint8_t *out)
{
    struct hmac_sha hmac;
    hmac_sha_begin(&hmac, mac);
    for (unsigned i = 0; i < n_pieces; i++)
        hmac_sha_update(&hmac, pieces[i].data, pieces[i].len);
    hmac_sha_end(&hmac, out, mac->len);
}

/* A message on its way through cipher and digest. Each goes over the pieces on its own, the fixed ones belonging to the digest alone. */
struct run {
    const struct krb_piece *pieces;
    unsigned n_pieces;
    struct krb_cts cts;
    struct hmac_sha hmac;
    unsigned hashed_piece; /* where the digest stands */
    size_t hashed_offset;
    size_t hashed; /* bytes of the cipher's that it has seen */
};

static size_t cipher_len(const struct krb_piece *pieces, unsigned n_pieces)
{
    size_t len = 0;
    for (unsigned i = 0; i < n_pieces; i++)
        if (!pieces[i].fixed)
            len += pieces[i].len;
    return len;
}

static void run_begin(struct run *run, const struct krb_cipher *cipher, const struct krb_piece *pieces,
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

/* Hashes until the digest has seen `limit` bytes of the cipher's text, and the fixed pieces that follow them. */
static void hash_until(struct run *run, size_t limit)
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

#define STITCH_MIN 4 /* units below which the way there costs more than it gains */

/* Encrypts and hashes the start of a piece side by side, as far as whole blocks of both go; the bytes that the cipher took. Digest and cipher
 * stand at the piece's start; afterwards the digest is ahead by what completed its block. */
static size_t run_stitch(struct run *run, const struct krb_aes *stitch, const struct krb_piece *piece)
{
    uint32_t words[5];
    size_t ahead = hmac_sha1_missing(&run->hmac),
           len = piece->len < run->cts.bulk_left ? piece->len : run->cts.bulk_left;
    size_t n_units = len > ahead ? (len - ahead) / STITCH_UNIT : 0;
    if (n_units < STITCH_MIN || run->cts.n_pending > 0)
        return 0;
    hash_until(run, run->hashed + ahead);
    hmac_sha1_words_out(&run->hmac, words);
    krb_stitch_run(stitch, krb_cts_by_hand(&run->cts), piece->data, piece->data + ahead, n_units, words);
    hmac_sha1_words_in(&run->hmac, words, n_units);
    krb_cts_skip(&run->cts, n_units * STITCH_UNIT);
    run->hashed += n_units * STITCH_UNIT;
    run->hashed_offset += n_units * STITCH_UNIT;
    return n_units * STITCH_UNIT;
}

enum order { HASH_FIRST, CIPHER_FIRST, CIPHER_ONLY };

/* `stitch` may be NULL. */
static bool run_cipher(struct run *run, struct krb_cbc *cbc, enum order order, const struct krb_aes *stitch)
{
    size_t len = cipher_len(run->pieces, run->n_pieces), given = 0;
    krb_cts_begin(&run->cts, cbc, len);
    for (unsigned i = 0; i < run->n_pieces; i++) {
        const struct krb_piece *piece = &run->pieces[i];
        if (piece->fixed)
            continue;
        size_t at = 0;
        if (stitch != NULL) {
            hash_until(run, given); /* fixed pieces on the way */
            at = run_stitch(run, stitch, piece);
            given += at;
        }
        for (size_t now_len; at < piece->len; at += now_len) {
            now_len = piece->len - at < CHUNK_LEN ? piece->len - at : CHUNK_LEN;
            given += now_len;
            if (order == HASH_FIRST)
                hash_until(run, given);
            krb_cts_update(&run->cts, piece->data + at, now_len);
            if (order == CIPHER_FIRST)
                hash_until(run, krb_cts_done(&run->cts));
        }
    }
    bool done = krb_cts_finish(&run->cts);
    if (order != CIPHER_ONLY)
        hash_until(run, len);
    return done;
}

static void wipe_pieces(const struct krb_piece *pieces, unsigned n_pieces)
{
    for (unsigned i = 0; i < n_pieces; i++)
        if (!pieces[i].fixed && pieces[i].len > 0)
            secret_wipe(pieces[i].data, pieces[i].len);
}

bool krb_seal(struct krb_cipher *cipher, const struct krb_piece *pieces, unsigned n_pieces, uint8_t *mac)
{
    struct run run;
    run_begin(&run, cipher, pieces, n_pieces);
    bool done = run_cipher(&run, &cipher->cbc, cipher->profile->encrypt_then_mac ? CIPHER_FIRST : HASH_FIRST,
                           cipher->stitched ? &cipher->cbc.aes : NULL);
    hmac_sha_end(&run.hmac, mac, cipher->profile->mac_len);
    if (!done)
        wipe_pieces(pieces, n_pieces);
    return done;
}

static void pieces_crypt(struct krb_cbc *cbc, const struct krb_piece *pieces, unsigned n_pieces)
{
    struct run run = {.pieces = pieces, .n_pieces = n_pieces};
    if (!run_cipher(&run, cbc, CIPHER_ONLY, NULL))
        wipe_pieces(pieces, n_pieces);
}

void krb_unseal_undo(const struct krb_cipher *cipher, const struct krb_piece *pieces, unsigned n_pieces)
{
    struct krb_cbc cbc;
    if (krb_cbc_init(&cbc, cipher->key, cipher->profile->key_len, true))
        pieces_crypt(&cbc, pieces, n_pieces);
    else
        wipe_pieces(pieces, n_pieces);
    krb_cbc_release(&cbc);
}

/* The checksum is over the cipher text: nothing is decrypted before it fits. */
static bool verify_then_decrypt(struct krb_cipher *cipher, struct run *run, const uint8_t *mac)
{
    uint8_t expected[KRB_MAC_MAX];
    hash_until(run, SIZE_MAX);
    hmac_sha_end(&run->hmac, expected, cipher->profile->mac_len);
    require(secret_equal(expected, mac, cipher->profile->mac_len), false);
    if (run_cipher(run, &cipher->cbc, CIPHER_ONLY, NULL))
        return true;
    wipe_pieces(run->pieces, run->n_pieces);
    return false;
}

bool krb_unseal(struct krb_cipher *cipher, const struct krb_piece *pieces, unsigned n_pieces, const uint8_t *mac)
{
    uint8_t expected[KRB_MAC_MAX];
    struct run run;
    require(cipher_len(pieces, n_pieces) >= AES_BLOCK_LEN, false);
    run_begin(&run, cipher, pieces, n_pieces);
    if (cipher->profile->encrypt_then_mac)
        return verify_then_decrypt(cipher, &run, mac);
    bool done = run_cipher(&run, &cipher->cbc, CIPHER_FIRST, NULL);
    hmac_sha_end(&run.hmac, expected, cipher->profile->mac_len);
    if (!done)
        wipe_pieces(pieces, n_pieces);
    else if (!secret_equal(expected, mac, cipher->profile->mac_len)) {
        krb_unseal_undo(cipher, pieces, n_pieces);
        done = false;
    }
    return done;
}
