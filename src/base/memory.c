#include "base/memory.h"

#include "base/memory_fault.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Three atomics instead of a lock: a test that arms them runs its threads against one another on purpose. `fault_nth` 0 means off. */
static atomic_ulong fault_nth;
static atomic_ulong fault_seen;
static atomic_bool fault_sticky;

static _Thread_local bool refused;

/* glibc's calloc takes none of the blocks that a thread's own cache holds, up to this size. */
#define CACHED_MAX ((size_t)1032)

static bool fault_counts(unsigned long nth)
{
    unsigned long seen = atomic_fetch_add_explicit(&fault_seen, 1, memory_order_relaxed) + 1;

    return seen == nth || (seen > nth && atomic_load_explicit(&fault_sticky, memory_order_relaxed));
}

bool mem_fault_strikes(void)
{
    unsigned long nth = atomic_load_explicit(&fault_nth, memory_order_relaxed);

    return __builtin_expect(nth != 0, 0) && fault_counts(nth);
}

void mem_fault_set(unsigned long nth, bool sticky)
{
    atomic_store(&fault_nth, 0);
    atomic_store(&fault_seen, 0);
    atomic_store(&fault_sticky, sticky);
    atomic_store(&fault_nth, nth);
}

unsigned long mem_fault_count(void)
{
    return atomic_load(&fault_seen);
}

void mem_refuse(void)
{
    refused = true;
}

bool mem_refused(void)
{
    return refused;
}

void mem_refused_forget(void)
{
    refused = false;
}

/* NULL is remembered. */
static void *given(void *block)
{
    if (__builtin_expect(block == NULL, 0))
        refused = true;
    return block;
}

void *mem_zalloc(size_t len)
{
    /* No object may be larger (C11 7.20.3); refused here, sanitizers need not be asked. */
    if (len > PTRDIFF_MAX || mem_fault_strikes())
        return given(NULL);
    void *block = given(len <= CACHED_MAX ? malloc(len != 0 ? len : 1) : calloc(1, len));
    if (block != NULL && len <= CACHED_MAX)
        memset(block, 0, len);
    return block;
}

void *mem_zalloc_array(size_t count, size_t size)
{
    size_t len;

    if (__builtin_mul_overflow(count, size, &len))
        return given(NULL);
    return mem_zalloc(len);
}

void *mem_zalloc_aligned(size_t align, size_t count, size_t size)
{
    size_t len;

    if (__builtin_mul_overflow(count, size, &len) || len > PTRDIFF_MAX || mem_fault_strikes())
        return given(NULL);
    void *block = given(aligned_alloc(align, len));
    if (block != NULL)
        memset(block, 0, len);
    return block;
}

void *mem_dup(const void *data, size_t len)
{
    uint8_t *copy;

    if (len >= PTRDIFF_MAX || mem_fault_strikes())
        return given(NULL);
    copy = given(malloc(len + 1));
    if (copy == NULL)
        return NULL;
    if (len != 0)
        memcpy(copy, data, len);
    copy[len] = 0;
    return copy;
}

char *mem_strdup(const char *text)
{
    return text != NULL ? mem_dup(text, strlen(text)) : NULL;
}

bool mem_text_copy(char **to, const char *from)
{
    *to = mem_strdup(from);
    return from == NULL || *to != NULL;
}

void *mem_realloc(void *block, size_t len)
{
    if (len > PTRDIFF_MAX || mem_fault_strikes())
        return given(NULL);
    return given(realloc(block, len != 0 ? len : 1));
}

void mem_free(void *block)
{
    free(block);
}
