/*
 * Allocation with a fault hook, and cleanup by attribute.
 */
#ifndef OPENSSPI_BASE_MEMORY_H
#define OPENSSPI_BASE_MEMORY_H

#include "base/result.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Returns `len` zeroed bytes (len 0 counts as 1), or NULL. Free with mem_free. */
void *mem_zalloc(size_t len);
/* Returns a zeroed array of `count` elements, or NULL when there is no memory or count * size overflows. */
void *mem_zalloc_array(size_t count, size_t size);
/* The same, beginning at a multiple of `align`, a power of two that divides `size`. */
void *mem_zalloc_aligned(size_t align, size_t count, size_t size);
/* Returns a copy of `len` bytes followed by one NUL that is not counted, or NULL. */
void *mem_dup(const void *data, size_t len);
/* Returns a copy of a NUL-terminated string, or NULL; NULL gives NULL. */
char *mem_strdup(const char *text);
/* Makes `*to` a copy of `from`, and NULL of NULL; what it held before is not freed. False, with NULL, when there is no memory. */
MUST_USE bool mem_text_copy(char **to, const char *from);
/* Grows or shrinks a block from mem_*; on failure answers NULL and leaves the block as it was. New bytes are not zeroed. */
void *mem_realloc(void *block, size_t len);
/* Frees a block of the functions above; NULL is fine. */
void mem_free(void *block);

/* Tests only: makes the nth allocation from now (1 = the next) and all that follow it fail when `sticky`,
 * else only that one; 0 switches off. mem_fault_count tells how many allocations happened since; nothing is counted while it is off,
 * so that to count alone one arms ULONG_MAX. Blocks of secret.h count too. */
void mem_fault_set(unsigned long nth, bool sticky);
unsigned long mem_fault_count(void);

/* Was this thread refused memory by the functions above, or by those of secret.h, since it last forgot? For whoever answers a caller: most functions
 * say "bad" of an input that they had no memory to read. */
bool mem_refused(void);
void mem_refused_forget(void);

static inline void mem_free_cleanup(void *pointer_to_pointer)
{
    mem_free(*(void **)pointer_to_pointer);
}
#define AUTO_FREE __attribute__((cleanup(mem_free_cleanup)))

/* Takes a pointer out of an AUTO_ variable: gives its value, leaves NULL behind. */
#define STEAL(variable)                                \
    __extension__({                                    \
        __typeof__(variable) steal_value = (variable); \
        (variable) = NULL;                             \
        steal_value;                                   \
    })

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
