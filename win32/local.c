/*
 * The blocks of LocalAlloc and GlobalAlloc, which are libopensspi's, so that LocalFree knows them, what that library hands out, and nothing else.
 *
 * A movable block does not move here, but is locked and unlocked as on Windows: how often stands in a table beside the blocks, and what a block
 * that stays where it is was cut to. Lock: one for the table.
 */
#include <winbase.h>

#include "addresses.h"
#include "fork.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct known {
    struct address_entry entry;
    bool movable;
    SIZE_T locks;
    SIZE_T size,
        whole; /* what it was cut to, and what libopensspi has it for, by which it is told from another block there later; 0: not cut */
};

_Static_assert(offsetof(struct known, entry) == 0, "an entry is what it is in");

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct addresses table;

FORK_GUARD(lock)

static void known_add(struct known *known, const void *block)
{
    pthread_mutex_lock(&lock);
    addresses_add(&table, &known->entry, block);
    pthread_mutex_unlock(&lock);
}

static struct known *known_take(const void *block)
{
    pthread_mutex_lock(&lock);
    struct known *known = (struct known *)addresses_take(&table, block);
    pthread_mutex_unlock(&lock);
    return known;
}

/* The rest is for holders of the lock. */
static struct known *known_find(const void *block)
{
    return (struct known *)addresses_find(&table, block);
}

/* `whole` was asked for before the lock was taken (fork.h). */
static SIZE_T size_now(SIZE_T whole, const struct known *known)
{
    return known != NULL && known->whole == whole && whole != 0 ? known->size : whole;
}

/* A block of no bytes has one, so that it is told from none. */
HLOCAL LocalAlloc(UINT uFlags, SIZE_T uBytes)
{
    HLOCAL block = OpenSspiLocalAlloc(uBytes == 0 ? 1 : uBytes); /* zeroed always */
    if (block == NULL)
        return NULL;
    free(known_take(block)); /* of a block that was freed without LocalFree */
    if ((uFlags & LMEM_MOVEABLE) == 0)
        return block;
    struct known *known = calloc(1, sizeof *known);
    if (known == NULL) {
        OpenSspiLocalFree(block);
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    known->movable = true;
    known_add(known, block);
    return block;
}

static HLOCAL moved(void *block, SIZE_T n)
{
    SIZE_T size = LocalSize(block);
    HLOCAL fresh = LocalAlloc(LMEM_FIXED, n);
    if (fresh == NULL)
        return NULL;
    memcpy(fresh, block, size < n ? size : n);
    struct known *known = known_take(block);
    if (known != NULL && known->movable) {
        known->whole = 0;
        known_add(known, fresh);
    } else {
        free(known);
    }
    OpenSspiLocalFree(block);
    return fresh;
}

/* A block grows no further than it once was. */
static HLOCAL in_place(void *block, SIZE_T n)
{
    struct known *fresh = calloc(1, sizeof *fresh);
    SIZE_T whole = OpenSspiLocalSize(block);
    pthread_mutex_lock(&lock);
    bool good = fresh != NULL && n <= whole;
    if (good) {
        struct known *known = known_find(block);
        SIZE_T size = size_now(whole, known);
        if (known == NULL) {
            known = fresh;
            fresh = NULL;
            addresses_add(&table, &known->entry, block);
        }
        if (n > size)
            memset((char *)block + size, 0, n - size);
        known->size = n;
        known->whole = whole;
    }
    pthread_mutex_unlock(&lock);
    free(fresh);
    if (good)
        return block;
    SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    return NULL;
}

HLOCAL LocalReAlloc(HLOCAL hMem, SIZE_T uBytes, UINT uFlags)
{
    if (LocalSize(hMem) == 0)
        return NULL;
    if ((uFlags & LMEM_MODIFY) != 0)
        return hMem;
    pthread_mutex_lock(&lock);
    const struct known *known = known_find(hMem);
    bool may_move = (uFlags & LMEM_MOVEABLE) != 0 || (known != NULL && known->movable && known->locks == 0);
    pthread_mutex_unlock(&lock);
    return may_move ? moved(hMem, uBytes) : in_place(hMem, uBytes == 0 ? 1 : uBytes);
}

HLOCAL LocalFree(HLOCAL hMem)
{
    if (hMem != NULL)
        free(known_take(hMem)); /* before another thread may get a block of this address */
    return OpenSspiLocalFree(hMem);
}

SIZE_T LocalSize(HLOCAL hMem)
{
    SIZE_T whole = OpenSspiLocalSize(hMem);
    pthread_mutex_lock(&lock);
    SIZE_T size = size_now(whole, known_find(hMem));
    pthread_mutex_unlock(&lock);
    if (size == 0)
        SetLastError(ERROR_INVALID_HANDLE);
    return size;
}

LPVOID LocalLock(HLOCAL hMem)
{
    if (LocalSize(hMem) == 0)
        return NULL;
    pthread_mutex_lock(&lock);
    struct known *known = known_find(hMem);
    if (known != NULL && known->movable)
        known->locks++;
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
    struct known *known = known_find(block);
    if (known != NULL && known->movable) {
        answer = known->locks > 1;
        if (known->locks > 0) {
            known->locks--;
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
