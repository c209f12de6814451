#include "objects.h"

#include <errno.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

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

static HANDLE event_create(BOOL manual, BOOL set, bool has_name)
{
    if (has_name) {
        SetLastError(ERROR_NOT_SUPPORTED);
        return NULL;
    }
    struct object *event = object_new(OBJECT_EVENT);
    if (event == NULL)
        return NULL;
    event->manual = manual;
    event->signalled = set;
    return object_publish(event);
}

HANDLE CreateEventA(LPSECURITY_ATTRIBUTES lpEventAttributes, BOOL bManualReset, BOOL bInitialState, LPCSTR lpName)
{
    (void)lpEventAttributes;
    return event_create(bManualReset, bInitialState, lpName != NULL);
}

HANDLE CreateEventW(LPSECURITY_ATTRIBUTES lpEventAttributes, BOOL bManualReset, BOOL bInitialState, LPCWSTR lpName)
{
    (void)lpEventAttributes;
    return event_create(bManualReset, bInitialState, lpName != NULL);
}

static BOOL event_change(HANDLE handle, bool signalled)
{
    pthread_mutex_lock(&objects_lock);
    struct object *event = object_get(handle);
    BOOL good = event != NULL && event->kind == OBJECT_EVENT;
    if (good) {
        event->signalled = signalled;
        pthread_cond_broadcast(&objects_changed);
    }
    if (event != NULL)
        object_put(event);
    pthread_mutex_unlock(&objects_lock);
    if (!good)
        SetLastError(ERROR_INVALID_HANDLE);
    return good;
}

BOOL SetEvent(HANDLE hEvent)
{
    return event_change(hEvent, true);
}

BOOL ResetEvent(HANDLE hEvent)
{
    return event_change(hEvent, false);
}

/* What a thread has that owned a mutex, so that its end is noticed whoever made it. Where a process has no keys left only the ends of our own threads
 * are. */
static pthread_key_t owner_key;
static atomic_bool has_owner_key;

static void owner_ended(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&objects_lock);
    objects_abandon();
    pthread_mutex_unlock(&objects_lock);
}

__attribute__((constructor)) static void owner_key_make(void)
{
    atomic_store(&has_owner_key, pthread_key_create(&owner_key, owner_ended) == 0);
}

__attribute__((destructor)) static void owner_key_drop(void)
{
    if (atomic_exchange(&has_owner_key, false)) /* the number may be another library's from here on */
        (void)pthread_key_delete(owner_key);
}

static void mutex_take(struct object *mutex)
{
    if (atomic_load(&has_owner_key))
        (void)pthread_setspecific(owner_key, &owner_key);
    mutex->owner = pthread_self();
    mutex->depth++;
    mutex->abandoned = false;
}

static HANDLE mutex_create(BOOL owned, bool has_name)
{
    if (has_name) {
        SetLastError(ERROR_NOT_SUPPORTED);
        return NULL;
    }
    struct object *mutex = object_new(OBJECT_MUTEX);
    if (mutex == NULL)
        return NULL;
    if (owned)
        mutex_take(mutex);
    return object_publish(mutex);
}

HANDLE CreateMutexA(LPSECURITY_ATTRIBUTES lpMutexAttributes, BOOL bInitialOwner, LPCSTR lpName)
{
    (void)lpMutexAttributes;
    return mutex_create(bInitialOwner, lpName != NULL);
}

HANDLE CreateMutexW(LPSECURITY_ATTRIBUTES lpMutexAttributes, BOOL bInitialOwner, LPCWSTR lpName)
{
    (void)lpMutexAttributes;
    return mutex_create(bInitialOwner, lpName != NULL);
}

BOOL ReleaseMutex(HANDLE hMutex)
{
    DWORD error = ERROR_SUCCESS;
    pthread_mutex_lock(&objects_lock);
    struct object *mutex = object_get(hMutex);
    if (mutex == NULL || mutex->kind != OBJECT_MUTEX)
        error = ERROR_INVALID_HANDLE;
    else if (mutex->depth == 0 || !pthread_equal(mutex->owner, pthread_self()))
        error = ERROR_NOT_OWNER;
    else if (--mutex->depth == 0)
        pthread_cond_broadcast(&objects_changed);
    if (mutex != NULL)
        object_put(mutex);
    pthread_mutex_unlock(&objects_lock);
    if (error != ERROR_SUCCESS)
        SetLastError(error);
    return error == ERROR_SUCCESS;
}

static bool ready(const struct object *object)
{
    if (object->kind == OBJECT_MUTEX)
        return object->depth == 0 || pthread_equal(object->owner, pthread_self());
    return object->signalled;
}

/* Was it a mutex that somebody ended with? */
static bool take(struct object *object)
{
    bool abandoned = object->abandoned;
    if (object->kind == OBJECT_MUTEX)
        mutex_take(object);
    else if (object->kind == OBJECT_EVENT && !object->manual)
        object->signalled = false;
    return abandoned;
}

/* WAIT_OBJECT_0 or WAIT_ABANDONED and the index, having taken what was waited for; WAIT_TIMEOUT for not yet. */
static DWORD look(struct object *const *objects, DWORD n, BOOL all)
{
    DWORD n_ready = 0;
    for (DWORD i = 0; i < n; i++) {
        if (!ready(objects[i]))
            continue;
        n_ready++;
        if (!all)
            return (take(objects[i]) ? WAIT_ABANDONED : WAIT_OBJECT_0) + i;
    }
    if (n_ready < n)
        return WAIT_TIMEOUT;
    bool abandoned = false;
    for (DWORD i = 0; i < n; i++)
        abandoned |= take(objects[i]);
    return abandoned ? WAIT_ABANDONED : WAIT_OBJECT_0;
}

static bool any_twice(struct object *const *objects, DWORD n)
{
    for (DWORD i = 1; i < n; i++)
        for (DWORD k = 0; k < i; k++)
            if (objects[i] == objects[k])
                return true;
    return false;
}

static struct timespec moment_in(DWORD milliseconds)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += milliseconds / 1000;
    at.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_nsec -= 1000000000;
        at.tv_sec++;
    }
    return at;
}

DWORD WaitForMultipleObjects(DWORD nCount, const HANDLE *lpHandles, BOOL bWaitAll, DWORD dwMilliseconds)
{
    struct object *objects[MAXIMUM_WAIT_OBJECTS];
    DWORD n = 0, result = WAIT_FAILED;
    struct timespec until = moment_in(dwMilliseconds);
    if (nCount == 0 || nCount > MAXIMUM_WAIT_OBJECTS || lpHandles == NULL) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return WAIT_FAILED;
    }
    pthread_mutex_lock(&objects_lock);
    while (n < nCount && (objects[n] = object_get(lpHandles[n])) != NULL)
        n++;
    if (n < nCount) {
        SetLastError(ERROR_INVALID_HANDLE);
    } else if (bWaitAll && any_twice(objects, n)) {
        SetLastError(ERROR_INVALID_PARAMETER);
    } else {
        int waited = 0;
        while ((result = look(objects, n, bWaitAll)) == WAIT_TIMEOUT && dwMilliseconds != 0 && waited != ETIMEDOUT)
            waited = dwMilliseconds == INFINITE ? pthread_cond_wait(&objects_changed, &objects_lock)
                                                : pthread_cond_timedwait(&objects_changed, &objects_lock, &until);
    }
    for (DWORD i = 0; i < n; i++)
        object_put(objects[i]);
    pthread_mutex_unlock(&objects_lock);
    return result;
}

DWORD WaitForSingleObject(HANDLE hHandle, DWORD dwMilliseconds)
{
    return WaitForMultipleObjects(1, &hHandle, FALSE, dwMilliseconds);
}

VOID Sleep(DWORD dwMilliseconds)
{
    if (dwMilliseconds == INFINITE)
        for (;;)
            pause();
    struct timespec until = moment_in(dwMilliseconds);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}
