#include "objects.h"

#include <stdatomic.h>

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

static BOOL event_change(HANDLE handle, bool set, bool reset)
{
    pthread_mutex_lock(&objects_lock);
    struct object *event = object_get(handle);
    BOOL good = event != NULL && event->kind == OBJECT_EVENT;
    if (good) {
        event->signalled = set;
        if (set)
            waits_settle();
        if (reset) {
            event->signalled = false;
            event->resets++;
        }
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
    return event_change(hEvent, true, false);
}

BOOL ResetEvent(HANDLE hEvent)
{
    return event_change(hEvent, false, true);
}

BOOL PulseEvent(HANDLE hEvent)
{
    return event_change(hEvent, true, true);
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

void owner_announce(void)
{
    if (atomic_load(&has_owner_key))
        (void)pthread_setspecific(owner_key, &owner_key);
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
    if (owned) {
        owner_announce();
        mutex->owner = pthread_self();
        mutex->depth = 1;
    }
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
        waits_settle();
    if (mutex != NULL)
        object_put(mutex);
    pthread_mutex_unlock(&objects_lock);
    if (error != ERROR_SUCCESS)
        SetLastError(error);
    return error == ERROR_SUCCESS;
}

static HANDLE semaphore_create(LONG count, LONG max, bool has_name)
{
    if (has_name || count < 0 || max <= 0 || count > max) {
        SetLastError(has_name ? ERROR_NOT_SUPPORTED : ERROR_INVALID_PARAMETER);
        return NULL;
    }
    struct object *semaphore = object_new(OBJECT_SEMAPHORE);
    if (semaphore == NULL)
        return NULL;
    semaphore->count = count;
    semaphore->count_max = max;
    return object_publish(semaphore);
}

HANDLE CreateSemaphoreA(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes, LONG lInitialCount, LONG lMaximumCount,
                        LPCSTR lpName)
{
    (void)lpSemaphoreAttributes;
    return semaphore_create(lInitialCount, lMaximumCount, lpName != NULL);
}

HANDLE CreateSemaphoreW(LPSECURITY_ATTRIBUTES lpSemaphoreAttributes, LONG lInitialCount, LONG lMaximumCount,
                        LPCWSTR lpName)
{
    (void)lpSemaphoreAttributes;
    return semaphore_create(lInitialCount, lMaximumCount, lpName != NULL);
}

BOOL ReleaseSemaphore(HANDLE hSemaphore, LONG lReleaseCount, LPLONG lpPreviousCount)
{
    DWORD error = ERROR_SUCCESS;
    pthread_mutex_lock(&objects_lock);
    struct object *semaphore = object_get(hSemaphore);
    if (semaphore == NULL || semaphore->kind != OBJECT_SEMAPHORE)
        error = ERROR_INVALID_HANDLE;
    else if (lReleaseCount <= 0)
        error = ERROR_INVALID_PARAMETER;
    else if (lReleaseCount > semaphore->count_max - semaphore->count)
        error = ERROR_TOO_MANY_POSTS;
    if (error == ERROR_SUCCESS) {
        if (lpPreviousCount != NULL)
            *lpPreviousCount = semaphore->count;
        semaphore->count += lReleaseCount;
        waits_settle();
    }
    if (semaphore != NULL)
        object_put(semaphore);
    pthread_mutex_unlock(&objects_lock);
    if (error != ERROR_SUCCESS)
        SetLastError(error);
    return error == ERROR_SUCCESS;
}
