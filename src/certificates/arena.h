/*
 * Small blocks that live as long as the object they belong to and are freed together.
 */
#ifndef OPENSSPI_CERTIFICATES_ARENA_H
#define OPENSSPI_CERTIFICATES_ARENA_H

#include <stddef.h>

struct arena {
    struct arena_block *blocks;
};

/* Zeroed and aligned for anything, or NULL; len 0 gives a block as well. */
void *arena_alloc(struct arena *arena, size_t len);
void *arena_array(struct arena *arena, size_t count, size_t size);
/* A copy, or NULL. */
void *arena_copy(struct arena *arena, const void *data, size_t len);
void arena_release(struct arena *arena);

#endif
