/*
 * Waiting. A wait that cannot end at once hangs itself into a list, and whoever signals an object ends the waits that this ends, in the order in
 * which they began. So an event that is set and unset in one breath has let go who waited for it, and one that is set four times lets four go,
 * however late their threads come to run: as on Windows.
 */
#include "objects.h"

#include <errno.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

/* On the stack of the thread that waits. */
struct wait {
    struct wait *earlier, *later;
    struct object *objects[MAXIMUM_WAIT_OBJECTS];
    DWORD n;
    bool all;
    pthread_t who;
    DWORD result;                          /* WAIT_TIMEOUT until it has ended */
    bool returns;                          /* its caller learns of that */
    unsigned resets[MAXIMUM_WAIT_OBJECTS]; /* of the objects, when it took them */
};

static struct wait *oldest, *newest;

static void wait_hang_in(struct wait *wait)
{
    wait->earlier = newest;
    *(newest != NULL ? &newest->later : &oldest) = wait;
    newest = wait;
}

static void wait_take_out(struct wait *wait)
{
    *(wait->earlier != NULL ? &wait->earlier->later : &oldest) = wait->later;
    *(wait->later != NULL ? &wait->later->earlier : &newest) = wait->earlier;
}

static bool ready(const struct object *object, pthread_t who)
{
    switch (object->kind) {
    case OBJECT_MUTEX:
        return object->depth == 0 || pthread_equal(object->owner, who);
    case OBJECT_SEMAPHORE:
        return object->count > 0;
    default:
        return object->signalled;
    }
}

/* Was it a mutex that somebody ended with? */
static bool take(struct wait *wait, DWORD index)
{
    struct object *object = wait->objects[index];
    bool abandoned = object->abandoned;
    wait->resets[index] = object->resets;
    if (object->kind == OBJECT_MUTEX) {
        object->owner = wait->who;
        object->depth++;
        object->abandoned = false;
    } else if (object->kind == OBJECT_SEMAPHORE) {
        object->count--;
    } else if (object->kind == OBJECT_EVENT && !object->manual) {
        object->signalled = false;
    }
    return abandoned;
}

/* What a thread took and never learned of is there for the next. Not an event that was unset since; a mutex goes with its owner's end. */
static void give_back(const struct wait *wait)
{
    for (DWORD i = 0; i < wait->n; i++) {
        struct object *object = wait->objects[i];
        if (!wait->all && i != (wait->result & (MAXIMUM_WAIT_OBJECTS - 1)))
            continue;
        if (object->kind == OBJECT_SEMAPHORE && object->count < object->count_max)
            object->count++;
        else if (object->kind == OBJECT_EVENT && wait->resets[i] == object->resets)
            object->signalled = true;
    }
    waits_settle();
}

/* WAIT_OBJECT_0 or WAIT_ABANDONED and the index, having taken what was waited for; WAIT_TIMEOUT for not yet. */
static DWORD look(struct wait *wait)
{
    DWORD n_ready = 0;
    for (DWORD i = 0; i < wait->n; i++) {
        if (!ready(wait->objects[i], wait->who))
            continue;
        n_ready++;
        if (!wait->all)
            return (take(wait, i) ? WAIT_ABANDONED : WAIT_OBJECT_0) + i;
    }
    if (n_ready < wait->n)
        return WAIT_TIMEOUT;
    bool abandoned = false;
    for (DWORD i = 0; i < wait->n; i++)
        abandoned |= take(wait, i);
    return abandoned ? WAIT_ABANDONED : WAIT_OBJECT_0;
}

void waits_settle(void)
{
    struct wait *later;
    bool any = false;
    for (struct wait *wait = oldest; wait != NULL; wait = later) {
        later = wait->later;
        wait->result = look(wait);
        if (wait->result == WAIT_TIMEOUT)
            continue;
        wait_take_out(wait);
        any = true;
    }
    if (any)
        pthread_cond_broadcast(&objects_changed);
}

bool waits_abandon(void)
{
    bool any = false;
    for (struct wait *wait = oldest; wait != NULL; wait = wait->later) {
        for (DWORD i = 0; i < wait->n; i++) {
            struct object *mutex = wait->objects[i];
            if (mutex->kind != OBJECT_MUTEX || mutex->depth == 0 || !pthread_equal(mutex->owner, pthread_self()))
                continue;
            mutex->depth = 0;
            mutex->abandoned = any = true;
        }
    }
    return any;
}

void waits_forget(void)
{
    oldest = newest = NULL;
}

static bool any_twice(const struct wait *wait)
{
    for (DWORD i = 1; i < wait->n; i++)
        for (DWORD k = 0; k < i; k++)
            if (wait->objects[i] == wait->objects[k])
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

/* However it ends: a thread may be cancelled while it waits. */
static void wait_end(void *argument)
{
    struct wait *wait = argument;
    if (wait->result == WAIT_TIMEOUT)
        wait_take_out(wait);
    else if (!wait->returns)
        give_back(wait);
    for (DWORD i = 0; i < wait->n; i++)
        object_put(wait->objects[i]);
    pthread_mutex_unlock(&objects_lock);
}

/* Under the lock, which it gives back with the wait's objects. */
static DWORD wait_run(struct wait *wait, DWORD milliseconds, const struct timespec *until)
{
    int waited = 0;
    for (DWORD i = 0; i < wait->n; i++)
        if (wait->objects[i]->kind == OBJECT_MUTEX)
            owner_announce(); /* whoever gives it to this thread cannot */
    wait->result = look(wait);
    if (wait->result == WAIT_TIMEOUT)
        wait_hang_in(wait);
    pthread_cleanup_push(wait_end, wait);
    while (wait->result == WAIT_TIMEOUT && milliseconds != 0 && waited != ETIMEDOUT)
        waited = milliseconds == INFINITE ? pthread_cond_wait(&objects_changed, &objects_lock)
                                          : pthread_cond_timedwait(&objects_changed, &objects_lock, until);
    wait->returns = true;
    pthread_cleanup_pop(1);
    return wait->result;
}

DWORD WaitForMultipleObjects(DWORD nCount, const HANDLE *lpHandles, BOOL bWaitAll, DWORD dwMilliseconds)
{
    struct wait wait = {.all = bWaitAll, .who = pthread_self()};
    struct timespec until = moment_in(dwMilliseconds);
    DWORD error = ERROR_SUCCESS;
    if (nCount == 0 || nCount > MAXIMUM_WAIT_OBJECTS || lpHandles == NULL) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return WAIT_FAILED;
    }
    pthread_mutex_lock(&objects_lock);
    while (wait.n < nCount && (wait.objects[wait.n] = object_get(lpHandles[wait.n])) != NULL)
        wait.n++;
    if (wait.n < nCount)
        error = ERROR_INVALID_HANDLE;
    else if (bWaitAll && any_twice(&wait))
        error = ERROR_INVALID_PARAMETER;
    else
        return wait_run(&wait, dwMilliseconds, &until);
    wait.result = WAIT_FAILED;
    wait.returns = true;
    wait_end(&wait);
    SetLastError(error);
    return WAIT_FAILED;
}

DWORD WaitForSingleObject(HANDLE hHandle, DWORD dwMilliseconds)
{
    return WaitForMultipleObjects(1, &hHandle, FALSE, dwMilliseconds);
}

/* Nothing here queues calls for a thread, which an alertable wait would end for. */
DWORD WaitForSingleObjectEx(HANDLE hHandle, DWORD dwMilliseconds, BOOL bAlertable)
{
    (void)bAlertable;
    return WaitForSingleObject(hHandle, dwMilliseconds);
}

DWORD WaitForMultipleObjectsEx(DWORD nCount, const HANDLE *lpHandles, BOOL bWaitAll, DWORD dwMilliseconds,
                               BOOL bAlertable)
{
    (void)bAlertable;
    return WaitForMultipleObjects(nCount, lpHandles, bWaitAll, dwMilliseconds);
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

DWORD SleepEx(DWORD dwMilliseconds, BOOL bAlertable)
{
    (void)bAlertable;
    Sleep(dwMilliseconds);
    return 0;
}

BOOL SwitchToThread(VOID)
{
    return sched_yield() == 0;
}
