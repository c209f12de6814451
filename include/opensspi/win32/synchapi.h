/*
 * synchapi.h: critical sections, events, mutexes, waiting. Events and mutexes have no names and stay in the process.
 *
 * Source: Microsoft, synchronization functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_SYNCHAPI_H
#define OPENSSPI_WIN32_SYNCHAPI_H

#include "winnt.h"
#include "symbol.h"
#include <pthread.h>

OPENSSPI_BEGIN_DECLS

/* A lock that its owner may take again. */
typedef struct _RTL_CRITICAL_SECTION {
    pthread_mutex_t opensspi_mutex;
} RTL_CRITICAL_SECTION, *PRTL_CRITICAL_SECTION, CRITICAL_SECTION, *PCRITICAL_SECTION, *LPCRITICAL_SECTION;

/* InitializeCriticalSection makes one for the functions below; DeleteCriticalSection ends it. */
VOID WINAPI InitializeCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
    OPENSSPI_WIN32_SYMBOL(InitializeCriticalSection);
/* InitializeCriticalSectionAndSpinCount does the same; the count changes nothing. TRUE. */
BOOL WINAPI InitializeCriticalSectionAndSpinCount(LPCRITICAL_SECTION lpCriticalSection, DWORD dwSpinCount)
    OPENSSPI_WIN32_SYMBOL(InitializeCriticalSectionAndSpinCount);
/* InitializeCriticalSectionEx does, too; Flags are 0 or CRITICAL_SECTION_NO_DEBUG_INFO. FALSE, ERROR_INVALID_PARAMETER for others. */
#define CRITICAL_SECTION_NO_DEBUG_INFO 0x01000000
BOOL WINAPI InitializeCriticalSectionEx(LPCRITICAL_SECTION lpCriticalSection, DWORD dwSpinCount, DWORD Flags)
    OPENSSPI_WIN32_SYMBOL(InitializeCriticalSectionEx);
/* EnterCriticalSection waits until no other thread owns it, and takes it. */
VOID WINAPI EnterCriticalSection(LPCRITICAL_SECTION lpCriticalSection) OPENSSPI_WIN32_SYMBOL(EnterCriticalSection);
/* TryEnterCriticalSection takes it; FALSE when another thread owns it. */
BOOL WINAPI TryEnterCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
    OPENSSPI_WIN32_SYMBOL(TryEnterCriticalSection);
/* LeaveCriticalSection gives it back, once for each time it was taken. */
VOID WINAPI LeaveCriticalSection(LPCRITICAL_SECTION lpCriticalSection) OPENSSPI_WIN32_SYMBOL(LeaveCriticalSection);
/* DeleteCriticalSection ends it; nobody may own it. */
VOID WINAPI DeleteCriticalSection(LPCRITICAL_SECTION lpCriticalSection) OPENSSPI_WIN32_SYMBOL(DeleteCriticalSection);

#define INFINITE 0xFFFFFFFF
#define WAIT_OBJECT_0 0x00000000
#define WAIT_ABANDONED 0x00000080
#define WAIT_ABANDONED_0 WAIT_ABANDONED
#define WAIT_FAILED ((DWORD)0xFFFFFFFF)
#define MAXIMUM_WAIT_OBJECTS 64

/* CreateEvent makes an event; with bManualReset it stays set until ResetEvent, else until one wait has seen it. A name: NULL, ERROR_NOT_SUPPORTED. */
HANDLE WINAPI CreateEventA(LPSECURITY_ATTRIBUTES lpEventAttributes, BOOL bManualReset, BOOL bInitialState,
                           LPCSTR lpName) OPENSSPI_WIN32_SYMBOL(CreateEventA);
HANDLE WINAPI CreateEventW(LPSECURITY_ATTRIBUTES lpEventAttributes, BOOL bManualReset, BOOL bInitialState,
                           LPCWSTR lpName) OPENSSPI_WIN32_SYMBOL(CreateEventW);
#define CreateEvent OPENSSPI_AW(CreateEvent)
/* SetEvent sets it, ResetEvent unsets it. FALSE, ERROR_INVALID_HANDLE for what is no event. */
BOOL WINAPI SetEvent(HANDLE hEvent) OPENSSPI_WIN32_SYMBOL(SetEvent);
BOOL WINAPI ResetEvent(HANDLE hEvent) OPENSSPI_WIN32_SYMBOL(ResetEvent);
/* CreateMutex makes a mutex, which is taken by waiting for it. A name: NULL, ERROR_NOT_SUPPORTED. */
HANDLE WINAPI CreateMutexA(LPSECURITY_ATTRIBUTES lpMutexAttributes, BOOL bInitialOwner, LPCSTR lpName)
    OPENSSPI_WIN32_SYMBOL(CreateMutexA);
HANDLE WINAPI CreateMutexW(LPSECURITY_ATTRIBUTES lpMutexAttributes, BOOL bInitialOwner, LPCWSTR lpName)
    OPENSSPI_WIN32_SYMBOL(CreateMutexW);
#define CreateMutex OPENSSPI_AW(CreateMutex)
/* ReleaseMutex gives it back. FALSE, ERROR_NOT_OWNER when the thread does not own it. A mutex whose owner ends is the next one's, who gets
 * WAIT_ABANDONED. */
BOOL WINAPI ReleaseMutex(HANDLE hMutex) OPENSSPI_WIN32_SYMBOL(ReleaseMutex);

/* WaitForSingleObject waits for the end of a thread, for an event or a mutex, at most so many milliseconds or INFINITE. WAIT_OBJECT_0, WAIT_ABANDONED
 * for a mutex whose owner ended with it, WAIT_TIMEOUT, WAIT_FAILED with ERROR_INVALID_HANDLE. */
DWORD WINAPI WaitForSingleObject(HANDLE hHandle, DWORD dwMilliseconds) OPENSSPI_WIN32_SYMBOL(WaitForSingleObject);
/* WaitForSingleObjectEx does the same; bAlertable changes nothing, as there are no procedure calls to wait for. */
DWORD WINAPI WaitForSingleObjectEx(HANDLE hHandle, DWORD dwMilliseconds, BOOL bAlertable)
    OPENSSPI_WIN32_SYMBOL(WaitForSingleObjectEx);
/* WaitForMultipleObjects waits for one of them (WAIT_OBJECT_0 or WAIT_ABANDONED_0 + its index) or for all. Up to MAXIMUM_WAIT_OBJECTS; WAIT_FAILED,
 * ERROR_INVALID_PARAMETER for more, for none, and for all of them where one is there twice. */
DWORD WINAPI WaitForMultipleObjects(DWORD nCount, const HANDLE *lpHandles, BOOL bWaitAll, DWORD dwMilliseconds)
    OPENSSPI_WIN32_SYMBOL(WaitForMultipleObjects);
/* Sleep sleeps so many milliseconds. */
VOID WINAPI Sleep(DWORD dwMilliseconds) OPENSSPI_WIN32_SYMBOL(Sleep);

OPENSSPI_END_DECLS

#endif
