/*
 * heapapi.h: heaps.
 *
 * Source: Microsoft, heap functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_HEAPAPI_H
#define OPENSSPI_WIN32_HEAPAPI_H

#include "winnt.h"
#include "symbol.h"

OPENSSPI_BEGIN_DECLS

#define HEAP_NO_SERIALIZE 0x00000001
#define HEAP_GROWABLE 0x00000002
#define HEAP_GENERATE_EXCEPTIONS 0x00000004
#define HEAP_ZERO_MEMORY 0x00000008
#define HEAP_REALLOC_IN_PLACE_ONLY 0x00000010

/* GetProcessHeap gives the heap that is always there. */
HANDLE WINAPI GetProcessHeap(VOID) OPENSSPI_WIN32_SYMBOL(GetProcessHeap);
/* HeapCreate makes another one. dwMaximumSize: bytes that its blocks may have together; 0: any. NULL: ERROR_NOT_ENOUGH_MEMORY. */
HANDLE WINAPI HeapCreate(DWORD flOptions, SIZE_T dwInitialSize, SIZE_T dwMaximumSize) OPENSSPI_WIN32_SYMBOL(HeapCreate);
/* HeapDestroy frees it and all its blocks. FALSE, ERROR_INVALID_HANDLE for the process's. */
BOOL WINAPI HeapDestroy(HANDLE hHeap) OPENSSPI_WIN32_SYMBOL(HeapDestroy);
/* HeapAlloc gives a block of dwBytes, zeroed with HEAP_ZERO_MEMORY, for HeapFree. NULL when there is no memory, or the heap is none
 * (ERROR_INVALID_HANDLE). */
LPVOID WINAPI HeapAlloc(HANDLE hHeap, DWORD dwFlags, SIZE_T dwBytes) OPENSSPI_WIN32_SYMBOL(HeapAlloc);
/* HeapReAlloc changes its size; with HEAP_ZERO_MEMORY what is new is zeroed. NULL: the block is as it was. HEAP_REALLOC_IN_PLACE_ONLY only shrinks.
 * */
LPVOID WINAPI HeapReAlloc(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem, SIZE_T dwBytes) OPENSSPI_WIN32_SYMBOL(HeapReAlloc);
/* HeapFree frees a block of this heap; NULL is fine. FALSE, ERROR_INVALID_PARAMETER for what is none, which is not touched. */
BOOL WINAPI HeapFree(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem) OPENSSPI_WIN32_SYMBOL(HeapFree);
/* HeapSize gives a block's bytes; (SIZE_T)-1 for what is none. */
SIZE_T WINAPI HeapSize(HANDLE hHeap, DWORD dwFlags, LPCVOID lpMem) OPENSSPI_WIN32_SYMBOL(HeapSize);

OPENSSPI_END_DECLS

#endif
