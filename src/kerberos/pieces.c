#include "kerberos/pieces.h"

#include <string.h>

void ring_add(struct ring *ring, uint8_t *data, size_t len)
{
    if (len == 0)
        return;
    ring->parts[ring->n_parts++] = (struct slice_mut){data, len};
    ring->len += len;
}

/* Bytes `at` to `at + len` in memory order, not going around. */
static void stretch_pieces(const struct ring *ring, size_t at, size_t len, bool fixed, struct pieces *pieces)
{
    for (unsigned i = 0; i < ring->n_parts && len > 0; i++) {
        const struct slice_mut *part = &ring->parts[i];
        if (at >= part->len) {
            at -= part->len;
            continue;
        }
        size_t now_len = part->len - at < len ? part->len - at : len;
        pieces_add(pieces, part->data + at, now_len, fixed);
        len -= now_len;
        at = 0;
    }
}

void ring_pieces(const struct ring *ring, size_t offset, size_t len, bool fixed, struct pieces *pieces)
{
    size_t at = ring_place(ring, ring->start + offset);
    size_t before_end = ring->len - at < len ? ring->len - at : len;
    stretch_pieces(ring, at, before_end, fixed, pieces);
    stretch_pieces(ring, 0, len - before_end, fixed, pieces);
}

void ring_copy(const struct ring *ring, size_t offset, size_t len, uint8_t *out)
{
    struct pieces pieces;
    pieces.n = 0;
    ring_pieces(ring, offset, len, true, &pieces);
    for (unsigned i = 0; i < pieces.n; i++) {
        memcpy(out, pieces.list[i].data, pieces.list[i].len);
        out += pieces.list[i].len;
    }
}

struct cursor {
    unsigned part;
    size_t offset;
};

static struct cursor cursor_at(const struct ring *ring, size_t at)
{
    struct cursor cursor = {0};
    for (; at >= ring->parts[cursor.part].len; cursor.part++)
        at -= ring->parts[cursor.part].len;
    cursor.offset = at;
    return cursor;
}

/* Reverses bytes `from` to `to`, the latter not included. */
static void stretch_reverse(struct ring *ring, size_t from, size_t to)
{
    if (to - from < 2)
        return;
    struct cursor low = cursor_at(ring, from), high = cursor_at(ring, to - 1);
    for (size_t n_swaps = (to - from) / 2; n_swaps > 0; n_swaps--) {
        uint8_t *a = &ring->parts[low.part].data[low.offset], *b = &ring->parts[high.part].data[high.offset], swap = *a;
        *a = *b;
        *b = swap;
        if (n_swaps == 1)
            return;
        if (++low.offset == ring->parts[low.part].len)
            low = (struct cursor){low.part + 1, 0};
        if (high.offset-- == 0) {
            high.part--;
            high.offset = ring->parts[high.part].len - 1;
        }
    }
}

void ring_turn(struct ring *ring, size_t start)
{
    size_t left = (ring->start + ring->len - start) % ring->len;
    if (left > 0) {
        stretch_reverse(ring, 0, left);
        stretch_reverse(ring, left, ring->len);
        stretch_reverse(ring, 0, ring->len);
    }
    ring->start = start;
}
