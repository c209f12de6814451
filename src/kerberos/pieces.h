/*
 * Lists of the pieces that a message is protected in, and the body of a received token, which may be rotated and lie in several buffers.
 */
#ifndef OPENSSPI_KERBEROS_PIECES_H
#define OPENSSPI_KERBEROS_PIECES_H

#include "core/message.h"
#include "crypto/krb5_crypto.h"

#define PIECES_MAX \
    (MESSAGE_SEGMENTS_MAX + 8) /* the caller's buffers; confounder and trailer, each split at most three times */

struct pieces {
    struct krb_piece list[PIECES_MAX];
    unsigned n;
};

/* Neighbours in memory become one piece: fewer calls of the cipher. */
static inline void pieces_add(struct pieces *pieces, uint8_t *data, size_t len, bool fixed)
{
    struct krb_piece *last = &pieces->list[pieces->n == 0 ? 0 : pieces->n - 1];
    if (len == 0)
        return;
    if (pieces->n > 0 && last->fixed == fixed && last->data + last->len == data)
        last->len += len;
    else
        pieces->list[pieces->n++] = (struct krb_piece){data, len, fixed};
}

/* The bytes behind a token's header as they lie in memory. The text begins at `start` and goes around. */
struct ring {
    struct slice_mut parts[MESSAGE_SEGMENTS_MAX + 2];
    unsigned n_parts;
    size_t len, start;
};

/* Where so many bytes from the ring's begin on are: they rarely go around twice, and dividing takes as long as encrypting a block. */
static inline size_t ring_place(const struct ring *ring, size_t n)
{
    size_t len = ring->len;
    return n < len ? n : n - len < len ? n - len : n % len;
}

void ring_add(struct ring *ring, uint8_t *data, size_t len);
/* `offset` and `len` are the text's; both lie in it. */
void ring_pieces(const struct ring *ring, size_t offset, size_t len, bool fixed, struct pieces *pieces);
void ring_copy(const struct ring *ring, size_t offset, size_t len, uint8_t *out);
/* Moves the bytes so that the text begins at `start`; swaps each byte once or twice and needs no room. */
void ring_turn(struct ring *ring, size_t start);

#endif
