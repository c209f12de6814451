/* Heaps. */
#include <winbase.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

/* Blocks of a heap hang in a list; a pointer is looked for in it, never followed before. Lock: one for all heaps. */
#define BUCKETS 1024

struct heap_block {
    struct heap_block *next;
    struct heap *heap;
    SIZE_T size;
    SIZE_T unused; /* so that what follows is aligned for anything */
};

struct heap {
    struct heap *next;
    SIZE_T used, limit; /* 0: none */
};

_Static_assert(sizeof(struct heap_block) % 16 == 0, "alignment");

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct heap process_heap;
static struct heap *heaps = &process_heap;
static struct heap_block *buckets[BUCKETS];

static struct heap_block **bucket_of(const void *block)
{
    return &buckets[((uintptr_t)block >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 54];
}

static struct heap *heap_find(HANDLE handle)
{
    for (struct heap *heap = heaps; heap != NULL; heap = heap->next)
        if (heap == handle)
            return heap;
    return NULL;
}

/* Where the block hangs; NULL when the heap has none such. */
static struct heap_block **block_find(const struct heap *heap, const void *block)
{
    struct heap_block **link = bucket_of(block);
    while (*link != NULL && (const void *)(*link + 1) != block)
        link = &(*link)->next;
    return *link != NULL && (*link)->heap == heap ? link : NULL;
}

static void block_hang(struct heap_block *block)
{
    struct heap_block **bucket = bucket_of(block + 1);
    block->next = *bucket;
    *bucket = block;
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
    heap->next = process_heap.next;
    process_heap.next = heap;
    pthread_mutex_unlock(&lock);
    return heap;
}

BOOL HeapDestroy(HANDLE hHeap)
{
    pthread_mutex_lock(&lock);
    struct heap **link = &process_heap.next;
    while (*link != NULL && *link != hHeap)
        link = &(*link)->next;
    struct heap *heap = *link;
    for (size_t i = 0; heap != NULL && i < BUCKETS; i++)
        for (struct heap_block **place = &buckets[i]; *place != NULL;) {
            struct heap_block *block = *place;
            if (block->heap == heap) {
                *place = block->next;
                free(block);
            } else {
                place = &block->next;
            }
        }
    if (heap != NULL)
        *link = heap->next;
    pthread_mutex_unlock(&lock);
    if (heap == NULL)
        SetLastError(ERROR_INVALID_HANDLE);
    free(heap);
    return heap != NULL;
}

LPVOID HeapAlloc(HANDLE hHeap, DWORD dwFlags, SIZE_T dwBytes)
{
    struct heap_block *block = NULL;
    if (dwBytes <= SIZE_MAX / 2)
        block =
            (dwFlags & HEAP_ZERO_MEMORY) != 0 ? calloc(1, sizeof *block + dwBytes) : malloc(sizeof *block + dwBytes);
    pthread_mutex_lock(&lock);
    struct heap *heap = heap_find(hHeap);
    bool good = block != NULL && heap != NULL && (heap->limit == 0 || dwBytes <= heap->limit - heap->used);
    if (good) {
        heap->used += dwBytes;
        *block = (struct heap_block){.heap = heap, .size = dwBytes};
        block_hang(block);
    }
    pthread_mutex_unlock(&lock);
    if (good)
        return block + 1;
    free(block);
    SetLastError(heap == NULL ? ERROR_INVALID_HANDLE : ERROR_NOT_ENOUGH_MEMORY);
    return NULL;
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
        struct heap_block *block = (struct heap_block *)lpMem - 1;
        pthread_mutex_lock(&lock);
        block->heap->used -= size - dwBytes;
        block->size = dwBytes;
        pthread_mutex_unlock(&lock);
        return lpMem;
    }
    void *grown = HeapAlloc(hHeap, dwFlags, dwBytes);
    if (grown == NULL)
        return NULL;
    memcpy(grown, lpMem, size < dwBytes ? size : dwBytes);
    HeapFree(hHeap, 0, lpMem);
    return grown;
}

BOOL HeapFree(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem)
{
    (void)dwFlags;
    if (lpMem == NULL)
        return TRUE;
    pthread_mutex_lock(&lock);
    struct heap *heap = heap_find(hHeap);
    struct heap_block **link = heap == NULL ? NULL : block_find(heap, lpMem), *block = NULL;
    if (link != NULL) {
        block = *link;
        *link = block->next;
        heap->used -= block->size;
    }
    pthread_mutex_unlock(&lock);
    if (block == NULL)
        SetLastError(heap == NULL ? ERROR_INVALID_HANDLE : ERROR_INVALID_PARAMETER);
    free(block);
    return block != NULL;
}

SIZE_T HeapSize(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem)
{
    (void)dwFlags;
    pthread_mutex_lock(&lock);
    struct heap *heap = heap_find(hHeap);
    struct heap_block **link = heap == NULL ? NULL : block_find(heap, lpMem);
    SIZE_T size = link == NULL ? (SIZE_T)-1 : (*link)->size;
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
