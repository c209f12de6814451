/* Whoever signals an object lets go who waits for it, whatever happens to it next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>

#include "blocked.h"

#define LONG_TIME 60000 /* nobody waits for so long */
#define PATIENCE 20000
#define N 4

struct waiter {
    HANDLE objects[2];
    DWORD n;
    BOOL release; /* the mutex that it got */
};

static DWORD WINAPI wait_for(LPVOID parameter)
{
    const struct waiter *waiter = parameter;
    DWORD result = WaitForMultipleObjects(waiter->n, waiter->objects, TRUE, LONG_TIME);
    if (waiter->release && !ReleaseMutex(waiter->objects[0]))
        return 99;
    return result;
}

/* A thread that waits already. */
static HANDLE waiting(struct waiter *waiter)
{
    DWORD id;
    HANDLE thread = CreateThread(NULL, 0, wait_for, waiter, 0, &id);
    assert_non_null(thread);
    assert_true(all_blocked(&id, 1));
    return thread;
}

static void begin(struct waiter *waiter, HANDLE threads[N])
{
    for (int i = 0; i < N; i++)
        threads[i] = waiting(waiter);
}

static bool has_ended(HANDLE thread)
{
    DWORD code;
    assert_true(GetExitCodeThread(thread, &code));
    return code != STILL_ACTIVE;
}

static void gone(HANDLE thread, DWORD result)
{
    DWORD code;
    assert_int_equal(WaitForSingleObject(thread, PATIENCE), WAIT_OBJECT_0);
    assert_true(GetExitCodeThread(thread, &code));
    assert_int_equal(code, result);
    assert_true(CloseHandle(thread));
}

static void all_gone(HANDLE threads[N])
{
    for (int i = 0; i < N; i++)
        gone(threads[i], WAIT_OBJECT_0);
}

static HANDLE event_new(BOOL manual)
{
    HANDLE event = CreateEvent(NULL, manual, FALSE, NULL);
    assert_non_null(event);
    return event;
}

static void test_set_and_unset(void **state)
{
    (void)state;
    HANDLE event = event_new(TRUE), threads[N];
    struct waiter waiter = {{event}, 1, FALSE};
    begin(&waiter, threads);
    assert_true(SetEvent(event) && ResetEvent(event));
    all_gone(threads);
    begin(&waiter, threads);
    assert_true(PulseEvent(event));
    all_gone(threads);
    assert_int_equal(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    assert_true(PulseEvent(event)); /* nobody is there */
    assert_int_equal(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    assert_true(CloseHandle(event));
    assert_false(PulseEvent(event));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
}

static void test_one_each(void **state)
{
    (void)state;
    HANDLE event = event_new(FALSE), threads[N];
    struct waiter waiter = {{event}, 1, FALSE};
    begin(&waiter, threads);
    for (int i = 0; i < N; i++)
        assert_true(SetEvent(event));
    all_gone(threads);
    assert_int_equal(WaitForSingleObject(event, 0), WAIT_TIMEOUT); /* all were taken */
    /* The first that came, and not who set it. */
    begin(&waiter, threads);
    for (int i = 0; i < N; i++) {
        assert_true(i % 2 == 0 ? SetEvent(event) : PulseEvent(event));
        assert_int_equal(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
        gone(threads[i], WAIT_OBJECT_0);
        for (int k = i + 1; k < N; k++)
            assert_false(has_ended(threads[k]));
    }
    assert_true(CloseHandle(event));
}

static void test_mutex(void **state)
{
    (void)state;
    HANDLE mutex = CreateMutex(NULL, TRUE, NULL), event = event_new(TRUE);
    struct waiter holder = {{mutex, event}, 2, FALSE}, next = {{mutex}, 1, TRUE};
    HANDLE first = waiting(&holder), second = waiting(&next);
    assert_true(ReleaseMutex(mutex)); /* the first wants the event, too */
    gone(second, WAIT_OBJECT_0);
    assert_int_equal(WaitForSingleObject(mutex, LONG_TIME), WAIT_OBJECT_0);
    second = waiting(&next);
    assert_true(SetEvent(event));
    assert_true(ReleaseMutex(mutex)); /* the first has it and ends with it */
    gone(first, WAIT_OBJECT_0);
    gone(second, WAIT_ABANDONED);
    assert_int_equal(WaitForSingleObject(mutex, 0), WAIT_OBJECT_0);
    assert_true(ReleaseMutex(mutex));
    assert_true(CloseHandle(mutex) && CloseHandle(event));
}

static DWORD WINAPI take_close_and_end(LPVOID parameter)
{
    HANDLE *mutex_and_event = parameter;
    DWORD result = WaitForSingleObject(mutex_and_event[0], LONG_TIME);
    WaitForSingleObject(mutex_and_event[1], LONG_TIME);
    return CloseHandle(mutex_and_event[0]) ? result : 99;
}

/* Its owner closes the last handle and ends: who waits for it gets it all the same. */
static void test_closed_mutex(void **state)
{
    (void)state;
    DWORD id;
    HANDLE both[2] = {CreateMutex(NULL, FALSE, NULL), event_new(FALSE)};
    struct waiter next = {{both[0]}, 1, FALSE};
    HANDLE owner = CreateThread(NULL, 0, take_close_and_end, both, 0, &id);
    assert_true(all_blocked(&id, 1));
    HANDLE second = waiting(&next);
    assert_true(SetEvent(both[1]));
    gone(owner, WAIT_OBJECT_0);
    gone(second, WAIT_ABANDONED);
    assert_true(CloseHandle(both[1]));
}

static void test_semaphore(void **state)
{
    (void)state;
    LONG before = -1;
    HANDLE semaphore = CreateSemaphore(NULL, 1, 3, NULL), threads[N];
    assert_int_equal(WaitForSingleObject(semaphore, 0), WAIT_OBJECT_0);
    assert_int_equal(WaitForSingleObject(semaphore, 1), WAIT_TIMEOUT);
    struct waiter waiter = {{semaphore}, 1, FALSE};
    begin(&waiter, threads);
    assert_true(ReleaseSemaphore(semaphore, 3, &before));
    assert_int_equal(before, 0);
    for (int i = 0; i < 3; i++)
        gone(threads[i], WAIT_OBJECT_0);
    assert_false(has_ended(threads[3]));
    assert_true(ReleaseSemaphore(semaphore, 1, NULL));
    gone(threads[3], WAIT_OBJECT_0);
    assert_true(ReleaseSemaphore(semaphore, 2, &before));
    assert_int_equal(before, 0);
    assert_false(ReleaseSemaphore(semaphore, 2, &before)); /* all or none */
    assert_int_equal(GetLastError(), ERROR_TOO_MANY_POSTS);
    assert_false(ReleaseSemaphore(semaphore, INT_MAX, &before));
    assert_int_equal(GetLastError(), ERROR_TOO_MANY_POSTS);
    assert_false(ReleaseSemaphore(semaphore, 0, &before));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_true(ReleaseSemaphore(semaphore, 1, &before));
    assert_int_equal(before, 2);
    HANDLE event = event_new(FALSE);
    assert_false(ReleaseSemaphore(event, 1, NULL));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    assert_true(CloseHandle(event) && CloseHandle(semaphore));
    static const LONG wrong[][2] = {{-1, 1}, {0, 0}, {2, 1}, {0, -1}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_null(CreateSemaphoreW(NULL, wrong[i][0], wrong[i][1], NULL));
        assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    }
    assert_null(CreateSemaphoreA(NULL, 0, 1, "name"));
    assert_int_equal(GetLastError(), ERROR_NOT_SUPPORTED);
}

/* Who waits for all takes nothing until all are there. */
static void test_all(void **state)
{
    (void)state;
    struct waiter waiter = {{event_new(FALSE), event_new(FALSE)}, 2, FALSE};
    HANDLE thread = waiting(&waiter);
    assert_true(SetEvent(waiter.objects[0]));
    assert_int_equal(WaitForSingleObject(waiter.objects[0], 0), WAIT_OBJECT_0);
    assert_true(SetEvent(waiter.objects[1]));
    assert_false(has_ended(thread));
    assert_true(SetEvent(waiter.objects[0]));
    assert_int_equal(WaitForMultipleObjectsEx(2, waiter.objects, FALSE, 0, TRUE), WAIT_TIMEOUT);
    gone(thread, WAIT_OBJECT_0);
    assert_true(CloseHandle(waiter.objects[0]) && CloseHandle(waiter.objects[1]));
}

static void *wait_long(void *event)
{
    (void)WaitForSingleObjectEx(event, LONG_TIME, TRUE);
    return NULL;
}

static DWORD cancelled_id;

static void *say_and_wait(void *event)
{
    __atomic_store_n(&cancelled_id, GetCurrentThreadId(), __ATOMIC_SEQ_CST);
    return wait_long(event);
}

/* A wait that is over takes nothing any more. */
static void test_over(void **state)
{
    (void)state;
    HANDLE event = event_new(FALSE);
    assert_int_equal(WaitForSingleObject(event, 1), WAIT_TIMEOUT);
    assert_true(SetEvent(event));
    assert_int_equal(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    pthread_t thread;
    DWORD id;
    assert_int_equal(pthread_create(&thread, NULL, say_and_wait, event), 0);
    while ((id = __atomic_load_n(&cancelled_id, __ATOMIC_SEQ_CST)) == 0)
        (void)SwitchToThread();
    assert_true(all_blocked(&id, 1));
    assert_int_equal(pthread_cancel(thread), 0);
    void *result;
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, PTHREAD_CANCELED);
    assert_true(SetEvent(event));
    assert_int_equal(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    assert_true(CloseHandle(event));
    assert_int_equal(SleepEx(1, TRUE), 0);
}

static sem_t interrupted, go_on;

static void hold(int signal)
{
    (void)signal;
    sem_post(&interrupted);
    while (sem_wait(&go_on) != 0)
        ;
}

/* A thread that gets what it waits for, then is cancelled before it has seen that. */
static void got_and_cancelled(HANDLE object, BOOL (*signal)(HANDLE), BOOL (*then)(HANDLE))
{
    pthread_t thread;
    DWORD id;
    void *result;
    __atomic_store_n(&cancelled_id, 0, __ATOMIC_SEQ_CST);
    assert_int_equal(pthread_create(&thread, NULL, say_and_wait, object), 0);
    while ((id = __atomic_load_n(&cancelled_id, __ATOMIC_SEQ_CST)) == 0)
        (void)SwitchToThread();
    assert_true(all_blocked(&id, 1));
    assert_int_equal(pthread_kill(thread, SIGUSR1), 0);
    while (sem_wait(&interrupted) != 0)
        ;
    assert_true(signal(object));
    assert_true(then == NULL || then(object));
    assert_int_equal(pthread_cancel(thread), 0);
    assert_int_equal(sem_post(&go_on), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, PTHREAD_CANCELED);
    while (sem_trywait(&go_on) == 0) /* cancelled in hold() */
        ;
}

static BOOL release_one(HANDLE semaphore)
{
    return ReleaseSemaphore(semaphore, 1, NULL);
}

/* What it got is the next one's. */
static void test_cancelled(void **state)
{
    (void)state;
    HANDLE event = event_new(FALSE), semaphore = CreateSemaphoreA(NULL, 0, 1, NULL);
    struct sigaction action = {.sa_handler = hold}, before;
    assert_non_null(semaphore);
    assert_int_equal(sem_init(&interrupted, 0, 0) + sem_init(&go_on, 0, 0), 0);
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    got_and_cancelled(event, SetEvent, NULL);
    assert_int_equal(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    got_and_cancelled(event, SetEvent, ResetEvent);
    assert_int_equal(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    got_and_cancelled(event, PulseEvent, NULL);
    assert_int_equal(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    got_and_cancelled(semaphore, release_one, NULL);
    assert_int_equal(WaitForSingleObject(semaphore, 0), WAIT_OBJECT_0);
    assert_int_equal(WaitForSingleObject(semaphore, 0), WAIT_TIMEOUT);
    assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
    assert_true(CloseHandle(event) && CloseHandle(semaphore));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_and_unset), cmocka_unit_test(test_one_each),  cmocka_unit_test(test_mutex),
        cmocka_unit_test(test_semaphore),     cmocka_unit_test(test_all),       cmocka_unit_test(test_over),
        cmocka_unit_test(test_closed_mutex),  cmocka_unit_test(test_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
