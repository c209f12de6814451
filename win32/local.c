/*
 * The blocks of LocalAlloc and GlobalAlloc, which are libopensspi's, so that LocalFree knows them, what that library hands out, and nothing else.
 *
 * A movable block does not move here, but is locked and unlocked as on Windows: how often stands in a table beside the blocks. Lock: one for the table.
 */
#include <winbase.h>

#include "addresses.h"
#include "fork.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct movable {
    struct address_entry entry;
    SIZE_T locks;
};

_Static_assert(offsetof(struct movable, entry) == 0, "an entry is what it is in");

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct addresses table;

FORK_GUARD(lock)

static void movable_add(struct movable *movable, const void *block)
{
    pthread_mutex_lock(&lock);
    addresses_add(&table, &movable->entry, block);
    pthread_mutex_unlock(&lock);
}

static struct movable *movable_take(const void *block)
{
    pthread_mutex_lock(&lock);
    struct movable *movable = (struct movable *)addresses_take(&table, block);
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
    struct movable *movable = (struct movable *)addresses_find(&table, hMem);
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
    struct movable *movable = (struct movable *)addresses_find(&table, block);
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
