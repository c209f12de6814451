/*
 * Small blocks that live as long as the object they belong to and are freed together, or lie one behind the other in a room of the caller's.
 */
#ifndef OPENSSPI_CERTIFICATES_ARENA_H
#define OPENSSPI_CERTIFICATES_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena {
    struct arena_block *blocks;
    uint8_t *room; /* aligned for pointers: nothing is to be released. NULL: each block is on the heap */
    size_t n_room;
    size_t taken; /* bytes so far, and those that the same blocks take in a room */
};

/* Zeroed and aligned, on the heap for anything and in a room for pointers, or NULL; len 0 gives a block as well. */
void *arena_alloc(struct arena *arena, size_t len);
void *arena_array(struct arena *arena, size_t count, size_t size);
/* A copy, or NULL. */
void *arena_copy(struct arena *arena, const void *data, size_t len);
void arena_release(struct arena *arena);

#endif
