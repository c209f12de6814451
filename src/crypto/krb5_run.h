/*
 * One message on its way through cipher and digest, for the files that take it there. Only src/crypto includes this header.
 */
#ifndef OPENSSPI_CRYPTO_KRB5_RUN_H
#define OPENSSPI_CRYPTO_KRB5_RUN_H

#include "crypto/hmac_sha.h"
#include "crypto/krb5_stitch.h"

#define KRB_CHUNK_LEN \
    ((size_t)4096)   /* what one of cipher and digest touched, the other still finds in the first cache */
#define STITCH_MIN 4 /* units below which the way there costs more than it gains */

/* Cipher and digest go over the pieces each on its own, the fixed ones belonging to the digest alone. */
struct krb_run {
    const struct krb_piece *pieces;
    unsigned n_pieces;
    struct krb_cts cts;
    struct hmac_sha hmac;
    unsigned hashed_piece; /* where the digest stands */
    size_t hashed_offset;
    size_t hashed; /* bytes of the cipher's that it has seen */
};

/* Bytes of the pieces that are not fixed. */
size_t krb_cipher_len(const struct krb_piece *pieces, unsigned n_pieces);
/* What is not fixed. */
void krb_pieces_wipe(const struct krb_piece *pieces, unsigned n_pieces);
/* A copy of what is not fixed, in one piece; how long it is. And back. */
size_t krb_cipher_gather(const struct krb_piece *pieces, unsigned n_pieces, uint8_t *to);
void krb_cipher_scatter(const struct krb_piece *pieces, unsigned n_pieces, const uint8_t *from);
/* A copy of all that the checksum is over, in its order: `cipher` has what is not fixed. */
size_t krb_text_gather(const struct krb_piece *pieces, unsigned n_pieces, const uint8_t *cipher, uint8_t *to);

/* Of RFC 3962's types, by the processor's instructions, and few bytes in all? krb_seal and krb_unseal do them so; at least 16 are not fixed. */
bool krb_is_short(const struct krb_cipher *cipher, const struct krb_piece *pieces, unsigned n_pieces);
void krb_short_seal(struct krb_cipher *cipher, const struct krb_piece *pieces, unsigned n_pieces, uint8_t *mac);
MUST_USE bool krb_short_unseal(struct krb_cipher *cipher, const struct krb_piece *pieces, unsigned n_pieces,
                               const uint8_t *mac);

/* The cipher is begun by krb_cts_begin. */
void krb_run_begin(struct krb_run *run, const struct krb_cipher *cipher, const struct krb_piece *pieces,
                   unsigned n_pieces);
/* Hashes until the digest has seen `limit` bytes of the cipher's text, and the fixed pieces that follow them. */
void krb_run_hash(struct krb_run *run, size_t limit);
/* The start of a piece, at which digest and cipher stand, as far as whole blocks of both go and it is worth while: how many units, and a lane for
 * them; the digest is ahead by what completed its block. krb_run_stretched tells that the lane went there. */
size_t krb_run_stretch(struct krb_run *run, const struct krb_aes *stitch, const struct krb_piece *piece,
                       struct krb_lane *lane);
void krb_run_stretched(struct krb_run *run, const struct krb_lane *lane, size_t n_units);

#endif
