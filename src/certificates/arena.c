#include "certificates/arena.h"

#include "base/memory.h"
#include "base/result.h"
#include <stdint.h>
#include <string.h>

struct arena_block {
    struct arena_block *next;
    max_align_t data[];
};

/* The next bytes of the room. */
static void *room_take(struct arena *arena, size_t len)
{
    require(len <= arena->n_room - arena->taken, NULL);
    void *data = arena->room + arena->taken;
    arena->taken += len;
    memset(data, 0, len);
    return data;
}

void *arena_alloc(struct arena *arena, size_t len)
{
    require(len < SIZE_MAX / 2, NULL);
    size_t whole = (len + _Alignof(void *) - 1) / _Alignof(void *) * _Alignof(void *);
    if (arena->room != NULL)
        return room_take(arena, whole);
    arena->taken += whole;
    struct arena_block *block = mem_zalloc(sizeof *block + len);
    require(block != NULL, NULL);
    block->next = arena->blocks;
    arena->blocks = block;
    return block->data;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    require(size == 0 || count <= SIZE_MAX / 2 / size, NULL);
    return arena_alloc(arena, count * size);
}

void *arena_copy(struct arena *arena, const void *data, size_t len)
{
    void *copy = arena_alloc(arena, len);
    if (copy != NULL && len > 0)
        memcpy(copy, data, len);
    return copy;
}

void arena_release(struct arena *arena)
{
    while (arena->blocks != NULL) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->next;
        mem_free(block);
    }
}
