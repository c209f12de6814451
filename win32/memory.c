/* Heaps. */
#include <winbase.h>

#include "addresses.h"
#include "fork.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

/* A heap knows its blocks by their addresses; a pointer is looked for among them, never followed before. Lock: one for all heaps. */
struct heap_block {
    struct address_entry entry;
    SIZE_T size;
    SIZE_T unused; /* so that what follows is aligned for anything */
};

struct heap {
    struct address_entry entry; /* in `heaps`, but for the process heap */
    struct addresses blocks;
    SIZE_T used, limit; /* 0: none */
};

_Static_assert(sizeof(struct heap_block) % 16 == 0, "alignment");
_Static_assert(offsetof(struct heap_block, entry) == 0 && offsetof(struct heap, entry) == 0,
               "an entry is what it is in");

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct heap process_heap;
static struct addresses heaps;

FORK_GUARD(lock)

static struct heap *heap_find(HANDLE handle)
{
    return handle == &process_heap ? &process_heap : (struct heap *)addresses_find(&heaps, handle);
}

HANDLE GetProcessHeap(VOID)
{
    return &process_heap;
}

HANDLE HeapCreate(DWORD flOptions, SIZE_T dwInitialSize, SIZE_T dwMaximumSize)
{
    (void)flOptions;
    (void)dwInitialSize;
    struct heap *heap = calloc(1, sizeof *heap);
    if (heap == NULL) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    heap->limit = dwMaximumSize;
    pthread_mutex_lock(&lock);
    addresses_add(&heaps, &heap->entry, heap);
    pthread_mutex_unlock(&lock);
    return heap;
}

BOOL HeapDestroy(HANDLE hHeap)
{
    pthread_mutex_lock(&lock);
    struct heap *heap = (struct heap *)addresses_take(&heaps, hHeap);
    pthread_mutex_unlock(&lock);
    if (heap == NULL) {
        SetLastError(ERROR_INVALID_HANDLE);
        return FALSE;
    }
    size_t place = 0;
    for (struct address_entry *block; (block = addresses_take_any(&heap->blocks, &place)) != NULL;)
        free(block);
    free(heap);
    return TRUE;
}

/* A block more in the heap, beside which `gone` bytes of it do not count, since they are about to be freed. */
static void *heap_add(HANDLE handle, DWORD flags, SIZE_T n, SIZE_T gone)
{
    struct heap_block *block = NULL;
    if (n <= SIZE_MAX / 2)
        block = (flags & HEAP_ZERO_MEMORY) != 0 ? calloc(1, sizeof *block + n) : malloc(sizeof *block + n);
    pthread_mutex_lock(&lock);
    struct heap *heap = heap_find(handle);
    bool good = block != NULL && heap != NULL && (heap->limit == 0 || n <= heap->limit - (heap->used - gone));
    if (good) {
        heap->used += n - gone;
        block->size = n;
        addresses_add(&heap->blocks, &block->entry, block + 1);
    }
    pthread_mutex_unlock(&lock);
    if (good)
        return block + 1;
    free(block);
    SetLastError(heap == NULL ? ERROR_INVALID_HANDLE : ERROR_NOT_ENOUGH_MEMORY);
    return NULL;
}

LPVOID HeapAlloc(HANDLE hHeap, DWORD dwFlags, SIZE_T dwBytes)
{
    return heap_add(hHeap, dwFlags, dwBytes, 0);
}

/* Frees a block, whose bytes still count or no longer do. */
static BOOL heap_take(HANDLE handle, const void *memory, bool counted)
{
    pthread_mutex_lock(&lock);
    struct heap *heap = heap_find(handle);
    struct heap_block *block = heap == NULL ? NULL : (struct heap_block *)addresses_take(&heap->blocks, memory);
    if (block != NULL && counted)
        heap->used -= block->size;
    pthread_mutex_unlock(&lock);
    if (block == NULL)
        SetLastError(heap == NULL ? ERROR_INVALID_HANDLE : ERROR_INVALID_PARAMETER);
    free(block);
    return block != NULL;
}

LPVOID HeapReAlloc(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem, SIZE_T dwBytes)
{
    SIZE_T size = HeapSize(hHeap, 0, lpMem);
    if (size == (SIZE_T)-1)
        return NULL;
    if ((dwFlags & HEAP_REALLOC_IN_PLACE_ONLY) != 0) {
        if (dwBytes > size) {
            SetLastError(ERROR_NOT_ENOUGH_MEMORY);
            return NULL;
        }
        pthread_mutex_lock(&lock);
        ((struct heap *)hHeap)->used -= size - dwBytes;
        ((struct heap_block *)lpMem - 1)->size = dwBytes;
        pthread_mutex_unlock(&lock);
        return lpMem;
    }
    void *grown = heap_add(hHeap, dwFlags, dwBytes, size);
    if (grown == NULL)
        return NULL;
    memcpy(grown, lpMem, size < dwBytes ? size : dwBytes);
    heap_take(hHeap, lpMem, false);
    return grown;
}

BOOL HeapFree(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem)
{
    (void)dwFlags;
    return lpMem == NULL || heap_take(hHeap, lpMem, true);
}

SIZE_T HeapSize(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem)
{
    (void)dwFlags;
    pthread_mutex_lock(&lock);
    struct heap *heap = heap_find(hHeap);
    const struct heap_block *block = heap == NULL ? NULL : (struct heap_block *)addresses_find(&heap->blocks, lpMem);
    SIZE_T size = block == NULL ? (SIZE_T)-1 : block->size;
    pthread_mutex_unlock(&lock);
    if (size == (SIZE_T)-1)
        SetLastError(heap == NULL ? ERROR_INVALID_HANDLE : ERROR_INVALID_PARAMETER);
    return size;
}

PVOID SecureZeroMemory(PVOID ptr, SIZE_T cnt)
{
    explicit_bzero(ptr, cnt);
    return ptr;
}
