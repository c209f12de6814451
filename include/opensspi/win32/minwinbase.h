/*
 * minwinbase.h: structures that several headers share.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_MINWINBASE_H
#define OPENSSPI_WIN32_MINWINBASE_H

#include "winnt.h"
#include "symbol.h"

#define LMEM_FIXED 0x0000
#define LMEM_MOVEABLE 0x0002
#define LMEM_ZEROINIT 0x0040
#define LMEM_MODIFY 0x0080
#define LPTR 0x0040
#define LHND 0x0042

/* What ReadFile and WriteFile take where something goes on meanwhile, which it does not here: its pointer is NULL. */
typedef struct _OVERLAPPED {
    ULONG_PTR Internal;
    ULONG_PTR InternalHigh;
    DWORD Offset; /* with the next one the address that Windows also calls Pointer */
    DWORD OffsetHigh;
    HANDLE hEvent;
} OVERLAPPED, *LPOVERLAPPED;

#endif
