/*
 * The blocks of LocalAlloc and GlobalAlloc, which are libopensspi's, so that LocalFree knows them, what that library hands out, and nothing else.
 *
 * A movable block does not move here, but is locked and unlocked as on Windows: how often stands in a list beside the blocks. Lock: one for the list.
 */
#include <winbase.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#define BUCKETS 64

struct movable {
    struct movable *next;
    const void *block;
    SIZE_T locks;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct movable *buckets[BUCKETS];

/* Where it hangs, or would. Under the lock. */
static struct movable **place_of(const void *block)
{
    struct movable **link = &buckets[((uintptr_t)block >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 58];
    while (*link != NULL && (*link)->block != block)
        link = &(*link)->next;
    return link;
}

static void movable_add(struct movable *movable, const void *block)
{
    pthread_mutex_lock(&lock);
    movable->block = block;
    struct movable **link = place_of(block);
    movable->next = *link; /* NULL */
    *link = movable;
    pthread_mutex_unlock(&lock);
}

static struct movable *movable_take(const void *block)
{
    pthread_mutex_lock(&lock);
    struct movable **link = place_of(block), *movable = *link;
    if (movable != NULL)
        *link = movable->next;
    pthread_mutex_unlock(&lock);
    return movable;
}

/* A block of no bytes has one, so that it is told from none. */
HLOCAL LocalAlloc(UINT uFlags, SIZE_T uBytes)
{
    HLOCAL block = OpenSspiLocalAlloc(uBytes == 0 ? 1 : uBytes); /* zeroed always */
    if (block == NULL)
        return NULL;
    free(movable_take(block)); /* of a block that was freed without LocalFree */
    if ((uFlags & LMEM_MOVEABLE) == 0)
        return block;
    struct movable *movable = calloc(1, sizeof *movable);
    if (movable == NULL) {
        OpenSspiLocalFree(block);
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    movable_add(movable, block);
    return block;
}

HLOCAL LocalReAlloc(HLOCAL hMem, SIZE_T uBytes, UINT uFlags)
{
    (void)uFlags;
    SIZE_T size = LocalSize(hMem);
    HLOCAL grown = size == 0 ? NULL : LocalAlloc(LMEM_FIXED, uBytes);
    if (grown == NULL)
        return NULL;
    memcpy(grown, hMem, size < uBytes ? size : uBytes);
    struct movable *movable = movable_take(hMem);
    if (movable != NULL)
        movable_add(movable, grown);
    OpenSspiLocalFree(hMem);
    return grown;
}

HLOCAL LocalFree(HLOCAL hMem)
{
    if (hMem != NULL)
        free(movable_take(hMem)); /* before another thread may get a block of this address */
    return OpenSspiLocalFree(hMem);
}

SIZE_T LocalSize(HLOCAL hMem)
{
    SIZE_T size = OpenSspiLocalSize(hMem);
    if (size == 0)
        SetLastError(ERROR_INVALID_HANDLE);
    return size;
}

LPVOID LocalLock(HLOCAL hMem)
{
    if (LocalSize(hMem) == 0)
        return NULL;
    pthread_mutex_lock(&lock);
    struct movable *movable = *place_of(hMem);
    if (movable != NULL)
        movable->locks++;
    pthread_mutex_unlock(&lock);
    return hMem;
}

/* Fixed blocks are never locked. What unlocking one answers is what the two families differ in. */
static BOOL unlock(void *block, BOOL fixed)
{
    if (LocalSize(block) == 0)
        return FALSE;
    BOOL answer = fixed;
    DWORD error = ERROR_NOT_LOCKED;
    pthread_mutex_lock(&lock);
    struct movable *movable = *place_of(block);
    if (movable != NULL) {
        answer = movable->locks > 1;
        if (movable->locks > 0) {
            movable->locks--;
            error = NO_ERROR;
        }
    }
    pthread_mutex_unlock(&lock);
    if (!answer)
        SetLastError(error);
    return answer;
}

BOOL LocalUnlock(HLOCAL hMem)
{
    return unlock(hMem, FALSE);
}

HGLOBAL GlobalAlloc(UINT uFlags, SIZE_T dwBytes)
{
    return LocalAlloc(uFlags, dwBytes);
}

HGLOBAL GlobalReAlloc(HGLOBAL hMem, SIZE_T dwBytes, UINT uFlags)
{
    return LocalReAlloc(hMem, dwBytes, uFlags);
}

HGLOBAL GlobalFree(HGLOBAL hMem)
{
    return LocalFree(hMem);
}

SIZE_T GlobalSize(HGLOBAL hMem)
{
    return LocalSize(hMem);
}

LPVOID GlobalLock(HGLOBAL hMem)
{
    return LocalLock(hMem);
}

BOOL GlobalUnlock(HGLOBAL hMem)
{
    return unlock(hMem, TRUE);
}
