/*
 * Locks that are no handles: critical sections, slim locks, condition variables, and what is done once; and values of threads. They lie in the
 * caller's memory, are the system's own, and where Windows takes zeroes for a free one, zeroes do here, too.
 */
#include <errno.h>
#include <stdbool.h>
#include <time.h>
#include <windows.h>

VOID InitializeCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&lpCriticalSection->opensspi_mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

BOOL InitializeCriticalSectionAndSpinCount(LPCRITICAL_SECTION lpCriticalSection, DWORD dwSpinCount)
{
    (void)dwSpinCount;
    InitializeCriticalSection(lpCriticalSection);
    return TRUE;
}

VOID EnterCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
{
    pthread_mutex_lock(&lpCriticalSection->opensspi_mutex);
}

BOOL TryEnterCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
{
    return pthread_mutex_trylock(&lpCriticalSection->opensspi_mutex) == 0;
}

VOID LeaveCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
{
    pthread_mutex_unlock(&lpCriticalSection->opensspi_mutex);
}

VOID DeleteCriticalSection(LPCRITICAL_SECTION lpCriticalSection)
{
    pthread_mutex_destroy(&lpCriticalSection->opensspi_mutex);
}

BOOL InitializeCriticalSectionEx(LPCRITICAL_SECTION lpCriticalSection, DWORD dwSpinCount, DWORD Flags)
{
    if ((Flags & 0x00FFFFFF) != 0) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    return InitializeCriticalSectionAndSpinCount(lpCriticalSection, dwSpinCount);
}

VOID InitializeSRWLock(PSRWLOCK SRWLock)
{
    *SRWLock = (SRWLOCK)SRWLOCK_INIT;
}

/* The C library prefers readers, so that a writer might wait for ever: it keeps the gate shut while it waits. Who only tries looks whether one does:
 * the gate may be another reader's at that moment. */
VOID AcquireSRWLockExclusive(PSRWLOCK SRWLock)
{
    __atomic_add_fetch(&SRWLock->opensspi_writers, 1, __ATOMIC_RELAXED);
    pthread_mutex_lock(&SRWLock->opensspi_gate);
    pthread_rwlock_wrlock(&SRWLock->opensspi_lock);
    __atomic_sub_fetch(&SRWLock->opensspi_writers, 1, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&SRWLock->opensspi_gate);
}

VOID AcquireSRWLockShared(PSRWLOCK SRWLock)
{
    pthread_mutex_lock(&SRWLock->opensspi_gate);
    while (pthread_rwlock_rdlock(&SRWLock->opensspi_lock) == EAGAIN) /* more readers than it can count */
        (void)SwitchToThread();
    pthread_mutex_unlock(&SRWLock->opensspi_gate);
}

BOOLEAN TryAcquireSRWLockExclusive(PSRWLOCK SRWLock)
{
    return pthread_rwlock_trywrlock(&SRWLock->opensspi_lock) == 0;
}

BOOLEAN TryAcquireSRWLockShared(PSRWLOCK SRWLock)
{
    return __atomic_load_n(&SRWLock->opensspi_writers, __ATOMIC_RELAXED) == 0 &&
           pthread_rwlock_tryrdlock(&SRWLock->opensspi_lock) == 0;
}

VOID ReleaseSRWLockExclusive(PSRWLOCK SRWLock)
{
    pthread_rwlock_unlock(&SRWLock->opensspi_lock);
}

VOID ReleaseSRWLockShared(PSRWLOCK SRWLock)
{
    pthread_rwlock_unlock(&SRWLock->opensspi_lock);
}

VOID InitializeConditionVariable(PCONDITION_VARIABLE ConditionVariable)
{
    *ConditionVariable = (CONDITION_VARIABLE)CONDITION_VARIABLE_INIT;
}

VOID WakeConditionVariable(PCONDITION_VARIABLE ConditionVariable)
{
    pthread_mutex_lock(&ConditionVariable->opensspi_mutex);
    pthread_cond_signal(&ConditionVariable->opensspi_condition);
    pthread_mutex_unlock(&ConditionVariable->opensspi_mutex);
}

VOID WakeAllConditionVariable(PCONDITION_VARIABLE ConditionVariable)
{
    pthread_mutex_lock(&ConditionVariable->opensspi_mutex);
    pthread_cond_broadcast(&ConditionVariable->opensspi_condition);
    pthread_mutex_unlock(&ConditionVariable->opensspi_mutex);
}

/* Also where the thread is cancelled, or ended by the function that it called. */
static void mutex_give(void *mutex)
{
    pthread_mutex_unlock(mutex);
}

/* With the variable's own mutex held since before the caller's lock was given back, so that no waking is missed in between. */
static BOOL condition_wait(PCONDITION_VARIABLE variable, DWORD milliseconds)
{
    struct timespec until;
    int error;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += milliseconds / 1000;
    until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cleanup_push(mutex_give, &variable->opensspi_mutex);
    error = milliseconds == INFINITE ? pthread_cond_wait(&variable->opensspi_condition, &variable->opensspi_mutex)
                                     : pthread_cond_clockwait(&variable->opensspi_condition, &variable->opensspi_mutex,
                                                              CLOCK_MONOTONIC, &until);
    pthread_cleanup_pop(1);
    return error == 0;
}

static BOOL condition_answer(BOOL woken)
{
    if (!woken)
        SetLastError(ERROR_TIMEOUT);
    return woken;
}

BOOL SleepConditionVariableCS(PCONDITION_VARIABLE ConditionVariable, PCRITICAL_SECTION CriticalSection,
                              DWORD dwMilliseconds)
{
    pthread_mutex_lock(&ConditionVariable->opensspi_mutex);
    LeaveCriticalSection(CriticalSection);
    BOOL woken = condition_wait(ConditionVariable, dwMilliseconds);
    EnterCriticalSection(CriticalSection);
    return condition_answer(woken);
}

BOOL SleepConditionVariableSRW(PCONDITION_VARIABLE ConditionVariable, PSRWLOCK SRWLock, DWORD dwMilliseconds,
                               ULONG Flags)
{
    bool shared = (Flags & CONDITION_VARIABLE_LOCKMODE_SHARED) != 0;
    if ((Flags & ~(ULONG)CONDITION_VARIABLE_LOCKMODE_SHARED) != 0) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    pthread_mutex_lock(&ConditionVariable->opensspi_mutex);
    pthread_rwlock_unlock(&SRWLock->opensspi_lock);
    BOOL woken = condition_wait(ConditionVariable, dwMilliseconds);
    (shared ? AcquireSRWLockShared : AcquireSRWLockExclusive)(SRWLock);
    return condition_answer(woken);
}

VOID InitOnceInitialize(PINIT_ONCE InitOnce)
{
    *InitOnce = (INIT_ONCE)INIT_ONCE_STATIC_INIT;
}

BOOL InitOnceExecuteOnce(PINIT_ONCE InitOnce, PINIT_ONCE_FN InitFn, PVOID Parameter, LPVOID *Context)
{
    BOOL done;
    pthread_mutex_lock(&InitOnce->opensspi_mutex);
    pthread_cleanup_push(mutex_give, &InitOnce->opensspi_mutex);
    if (!InitOnce->opensspi_done)
        InitOnce->opensspi_done = InitFn(InitOnce, Parameter, &InitOnce->opensspi_context);
    done = InitOnce->opensspi_done;
    if (done && Context != NULL)
        *Context = InitOnce->opensspi_context;
    pthread_cleanup_pop(1);
    return done;
}

DWORD TlsAlloc(VOID)
{
    pthread_key_t key;
    if (pthread_key_create(&key, NULL) == 0)
        return (DWORD)key;
    SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    return TLS_OUT_OF_INDEXES;
}

LPVOID TlsGetValue(DWORD dwTlsIndex)
{
    SetLastError(ERROR_SUCCESS); /* NULL is a value */
    return pthread_getspecific((pthread_key_t)dwTlsIndex);
}

static BOOL key_answer(int error)
{
    if (error != 0)
        SetLastError(error == ENOMEM ? ERROR_NOT_ENOUGH_MEMORY : ERROR_INVALID_PARAMETER);
    return error == 0;
}

BOOL TlsSetValue(DWORD dwTlsIndex, LPVOID lpTlsValue)
{
    return key_answer(pthread_setspecific((pthread_key_t)dwTlsIndex, lpTlsValue));
}

BOOL TlsFree(DWORD dwTlsIndex)
{
    return key_answer(pthread_key_delete((pthread_key_t)dwTlsIndex));
}
