/*
 * synchapi.h: critical sections, slim locks, condition variables, what is done once; events, mutexes and semaphores, which have no names and stay in
 * the process; waiting.
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
/* InitializeCriticalSectionEx does, too; nor do its flags, CRITICAL_SECTION_NO_DEBUG_INFO and others of the highest byte, change anything. FALSE,
 * ERROR_INVALID_PARAMETER for other bits. */
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

/* A lock of one writer or many readers, which nobody may take twice; readers who come while a writer waits come behind it. SRWLOCK_INIT, zeroes or
 * InitializeSRWLock make a free one; it needs no end. */
typedef struct _RTL_SRWLOCK {
    pthread_rwlock_t opensspi_lock;
    pthread_mutex_t opensspi_gate;
    unsigned opensspi_writers; /* that wait */
} RTL_SRWLOCK, *PRTL_SRWLOCK, SRWLOCK, *PSRWLOCK;

#define RTL_SRWLOCK_INIT                                         \
    {                                                            \
        PTHREAD_RWLOCK_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, 0 \
    }
#define SRWLOCK_INIT RTL_SRWLOCK_INIT

VOID WINAPI InitializeSRWLock(PSRWLOCK SRWLock) OPENSSPI_WIN32_SYMBOL(InitializeSRWLock);
/* Acquire… waits; TryAcquire… answers FALSE instead. Release… gives it back, by the thread that has it. */
VOID WINAPI AcquireSRWLockExclusive(PSRWLOCK SRWLock) OPENSSPI_WIN32_SYMBOL(AcquireSRWLockExclusive);
VOID WINAPI AcquireSRWLockShared(PSRWLOCK SRWLock) OPENSSPI_WIN32_SYMBOL(AcquireSRWLockShared);
BOOLEAN WINAPI TryAcquireSRWLockExclusive(PSRWLOCK SRWLock) OPENSSPI_WIN32_SYMBOL(TryAcquireSRWLockExclusive);
BOOLEAN WINAPI TryAcquireSRWLockShared(PSRWLOCK SRWLock) OPENSSPI_WIN32_SYMBOL(TryAcquireSRWLockShared);
VOID WINAPI ReleaseSRWLockExclusive(PSRWLOCK SRWLock) OPENSSPI_WIN32_SYMBOL(ReleaseSRWLockExclusive);
VOID WINAPI ReleaseSRWLockShared(PSRWLOCK SRWLock) OPENSSPI_WIN32_SYMBOL(ReleaseSRWLockShared);

/* To sleep until another thread says that something under a lock has changed. Zeroes make one, too; it needs no end. */
typedef struct _RTL_CONDITION_VARIABLE {
    pthread_mutex_t opensspi_mutex;
    pthread_cond_t opensspi_condition;
} RTL_CONDITION_VARIABLE, *PRTL_CONDITION_VARIABLE, CONDITION_VARIABLE, *PCONDITION_VARIABLE;

#define RTL_CONDITION_VARIABLE_INIT                         \
    {                                                       \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER \
    }
#define CONDITION_VARIABLE_INIT RTL_CONDITION_VARIABLE_INIT
#define CONDITION_VARIABLE_LOCKMODE_SHARED 1

VOID WINAPI InitializeConditionVariable(PCONDITION_VARIABLE ConditionVariable)
    OPENSSPI_WIN32_SYMBOL(InitializeConditionVariable);
/* WakeConditionVariable wakes one thread that sleeps, WakeAllConditionVariable all. */
VOID WINAPI WakeConditionVariable(PCONDITION_VARIABLE ConditionVariable) OPENSSPI_WIN32_SYMBOL(WakeConditionVariable);
VOID WINAPI WakeAllConditionVariable(PCONDITION_VARIABLE ConditionVariable)
    OPENSSPI_WIN32_SYMBOL(WakeAllConditionVariable);
/* SleepConditionVariableCS gives the section back, which the thread has taken once, sleeps at most so many milliseconds or INFINITE, and takes it
 * again. A thread may wake without a reason: it looks again. FALSE with ERROR_TIMEOUT. */
BOOL WINAPI SleepConditionVariableCS(PCONDITION_VARIABLE ConditionVariable, PCRITICAL_SECTION CriticalSection,
                                     DWORD dwMilliseconds) OPENSSPI_WIN32_SYMBOL(SleepConditionVariableCS);
/* SleepConditionVariableSRW does the same with a slim lock, taken by a reader with CONDITION_VARIABLE_LOCKMODE_SHARED. ERROR_INVALID_PARAMETER for
 * other flags, with the lock still taken. */
BOOL WINAPI SleepConditionVariableSRW(PCONDITION_VARIABLE ConditionVariable, PSRWLOCK SRWLock, DWORD dwMilliseconds,
                                      ULONG Flags) OPENSSPI_WIN32_SYMBOL(SleepConditionVariableSRW);

/* What is done once, whoever comes first. INIT_ONCE_STATIC_INIT, zeroes or InitOnceInitialize make one. */
typedef struct _RTL_RUN_ONCE {
    pthread_mutex_t opensspi_mutex;
    PVOID opensspi_context;
    BOOL opensspi_done;
} RTL_RUN_ONCE, *PRTL_RUN_ONCE, INIT_ONCE, *PINIT_ONCE, *LPINIT_ONCE;

#define INIT_ONCE_STATIC_INIT                  \
    {                                          \
        PTHREAD_MUTEX_INITIALIZER, NULL, FALSE \
    }
#define RTL_RUN_ONCE_INIT INIT_ONCE_STATIC_INIT

typedef BOOL(WINAPI *PINIT_ONCE_FN)(PINIT_ONCE InitOnce, PVOID Parameter, PVOID *Context);

VOID WINAPI InitOnceInitialize(PINIT_ONCE InitOnce) OPENSSPI_WIN32_SYMBOL(InitOnceInitialize);
/* InitOnceExecuteOnce calls the function unless it has answered TRUE before; others that come meanwhile wait. Context (may be NULL) receives what the
 * function left there. FALSE when the function answers so, or it ends its thread: the next one calls it again. */
BOOL WINAPI InitOnceExecuteOnce(PINIT_ONCE InitOnce, PINIT_ONCE_FN InitFn, PVOID Parameter, LPVOID *Context)
    OPENSSPI_WIN32_SYMBOL(InitOnceExecuteOnce);

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
/* PulseEvent lets those go that wait for it now, or one of them without bManualReset, and leaves it unset. FALSE likewise. */
BOOL WINAPI PulseEvent(HANDLE hEvent) OPENSSPI_WIN32_SYMBOL(PulseEvent);
/* CreateMutex makes a mutex, which is taken by waiting for it. A name: NULL, ERROR_NOT_SUPPORTED. */
HANDLE WINAPI CreateMutexA(LPSECURITY_ATTRIBUTES lpMutexAttributes, BOOL bInitialOwner, LPCSTR lpName)
    OPENSSPI_WIN32_SYMBOL(CreateMutexA);
HANDLE WINAPI CreateMutexW(LPSECURITY_ATTRIBUTES lpMutexAttributes, BOOL bInitialOwner, LPCWSTR lpName)
    OPENSSPI_WIN32_SYMBOL(CreateMutexW);
#define CreateMutex OPENSSPI_AW(CreateMutex)
/* ReleaseMutex gives it back. FALSE, ERROR_NOT_OWNER when the thread does not own it. A mutex whose owner ends is the next one's, who gets
 * WAIT_ABANDONED. */
BOOL WINAPI ReleaseMutex(HANDLE hMutex) OPENSSPI_WIN32_SYMBOL(ReleaseMutex);

/* CreateSemaphore makes a semaphore, of which each wait takes one. NULL with ERROR_INVALID_PARAMETER where not 0 <= initial <= maximum, or the
 * maximum is 0; for a name ERROR_NOT_SUPPORTED. */
HANDLE WINAPI CreateSemaphoreA(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes, LONG lInitialCount, LONG lMaximumCount,
                               LPCSTR lpName) OPENSSPI_WIN32_SYMBOL(CreateSemaphoreA);
HANDLE WINAPI CreateSemaphoreW(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes, LONG lInitialCount, LONG lMaximumCount,
                               LPCWSTR lpName) OPENSSPI_WIN32_SYMBOL(CreateSemaphoreW);
#define CreateSemaphore OPENSSPI_AW(CreateSemaphore)
/* ReleaseSemaphore gives so many back; lpPreviousCount (may be NULL) receives how many there were. FALSE, with none given back:
 * ERROR_INVALID_PARAMETER for less than one, ERROR_TOO_MANY_POSTS for more than the maximum, ERROR_INVALID_HANDLE. */
BOOL WINAPI ReleaseSemaphore(HANDLE hSemaphore, LONG lReleaseCount, LPLONG lpPreviousCount)
    OPENSSPI_WIN32_SYMBOL(ReleaseSemaphore);

/* Of those that wait for one thing the first that came is served first; who signals it serves them, so that none is forgotten when it is unset at
 * once.
 *
 * WaitForSingleObject waits for the end of a thread, for an event, a mutex or a semaphore, at most so many milliseconds or INFINITE.
 * WAIT_OBJECT_0, WAIT_ABANDONED for a mutex whose owner ended with it, WAIT_TIMEOUT, WAIT_FAILED with ERROR_INVALID_HANDLE. */
DWORD WINAPI WaitForSingleObject(HANDLE hHandle, DWORD dwMilliseconds) OPENSSPI_WIN32_SYMBOL(WaitForSingleObject);
/* WaitForMultipleObjects waits for one of them (WAIT_OBJECT_0 or WAIT_ABANDONED_0 + its index) or for all. Up to MAXIMUM_WAIT_OBJECTS; WAIT_FAILED,
 * ERROR_INVALID_PARAMETER for more, for none, and for all of them where one is there twice. */
DWORD WINAPI WaitForMultipleObjects(DWORD nCount, const HANDLE *lpHandles, BOOL bWaitAll, DWORD dwMilliseconds)
    OPENSSPI_WIN32_SYMBOL(WaitForMultipleObjects);
/* The same; no calls are queued for threads here, so that it is one whether they are alertable. */
DWORD WINAPI WaitForSingleObjectEx(HANDLE hHandle, DWORD dwMilliseconds, BOOL bAlertable)
    OPENSSPI_WIN32_SYMBOL(WaitForSingleObjectEx);
DWORD WINAPI WaitForMultipleObjectsEx(DWORD nCount, const HANDLE *lpHandles, BOOL bWaitAll, DWORD dwMilliseconds,
                                      BOOL bAlertable) OPENSSPI_WIN32_SYMBOL(WaitForMultipleObjectsEx);
/* Sleep sleeps so many milliseconds, or for ever with INFINITE. SleepEx does the same, and returns 0. */
VOID WINAPI Sleep(DWORD dwMilliseconds) OPENSSPI_WIN32_SYMBOL(Sleep);
DWORD WINAPI SleepEx(DWORD dwMilliseconds, BOOL bAlertable) OPENSSPI_WIN32_SYMBOL(SleepEx);

OPENSSPI_END_DECLS

#endif
