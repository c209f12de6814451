/* A child of fork does not wait for locks that threads of its parent held. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <windows.h>

#include "blocked.h"

/* In a child the address sanitizer's own locks for memory may be held, which heaps and blocks take theirs from. */
#if defined(__SANITIZE_ADDRESS__)
#define OWN_MEMORY 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OWN_MEMORY 0
#endif
#endif
#ifndef OWN_MEMORY
#define OWN_MEMORY 1
#endif

#define FORKS 100
#define N_THREADS 3
#define PATIENCE 10 /* s */

static atomic_bool over;
static HANDLE event, never;

static void heap_use(void)
{
    void *block = HeapAlloc(GetProcessHeap(), 0, 10);
    HeapFree(GetProcessHeap(), 0, block);
}

static void event_use(void)
{
    SetEvent(event);
    ResetEvent(event);
}

static void handle_use(void)
{
    CloseHandle(CreateEvent(NULL, TRUE, FALSE, NULL));
}

static void movable_use(void)
{
    LocalFree(LocalAlloc(LHND, 10));
}

/* Threads wait for the condition, too. */
static void wait_use(void)
{
    WaitForSingleObject(never, 1);
}

static DWORD WINAPI use_it(LPVOID use)
{
    while (!atomic_load(&over))
        ((void (*)(void))use)();
    return 0;
}

/* In the child: the function, and a thread of its own, which an event tells of. */
static int child(void (*use)(void))
{
    (void)signal(SIGALRM, SIG_DFL);
    alarm(PATIENCE);
    for (int i = 0; i < 3; i++)
        use();
    atomic_store(&over, true);
    HANDLE thread = CreateThread(NULL, 0, use_it, (LPVOID)use, 0, NULL);
    if (WaitForSingleObject(thread, INFINITE) != WAIT_OBJECT_0)
        return 2;
    return CloseHandle(thread) ? 0 : 3;
}

static void check(void (*use)(void))
{
    HANDLE threads[N_THREADS];
    atomic_store(&over, false);
    for (int i = 0; i < N_THREADS; i++)
        assert_non_null(threads[i] = CreateThread(NULL, 0, use_it, (LPVOID)use, 0, NULL));
    int status = 0;
    for (int i = 0; i < FORKS && status == 0; i++) {
        pid_t id = fork();
        assert_true(id >= 0);
        if (id == 0)
            _exit(child(use));
        assert_int_equal(waitpid(id, &status, 0), id);
    }
    atomic_store(&over, true);
    assert_int_equal(WaitForMultipleObjects(N_THREADS, threads, TRUE, INFINITE), WAIT_OBJECT_0);
    for (int i = 0; i < N_THREADS; i++)
        assert_true(CloseHandle(threads[i]));
    assert_int_equal(status, 0);
}

static void test_heap(void **state)
{
    (void)state;
    if (OWN_MEMORY)
        check(heap_use);
}

static void test_event(void **state)
{
    (void)state;
    check(event_use);
}

static void test_handle(void **state)
{
    (void)state;
    check(handle_use);
}

static void test_movable(void **state)
{
    (void)state;
    if (OWN_MEMORY)
        check(movable_use);
}

static void test_wait(void **state)
{
    (void)state;
    check(wait_use);
}

static HANDLE mutex;

static DWORD WINAPI own(LPVOID parameter)
{
    (void)parameter;
    WaitForSingleObject(mutex, INFINITE);
    SetEvent(event);
    WaitForSingleObject(never, INFINITE);
    return ReleaseMutex(mutex) ? 1 : 0;
}

/* A mutex that a thread of the parent has is abandoned in the child, where that thread is not; one of the thread that forks stays its own. */
static void test_mutex(void **state)
{
    (void)state;
    int status;
    DWORD code = 0;
    HANDLE mine = CreateMutex(NULL, TRUE, NULL);
    mutex = CreateMutex(NULL, FALSE, NULL);
    ResetEvent(event);
    HANDLE thread = CreateThread(NULL, 0, own, NULL, 0, NULL);
    assert_int_equal(WaitForSingleObject(event, INFINITE), WAIT_OBJECT_0);
    pid_t id = fork();
    if (id == 0) {
        alarm(PATIENCE);
        _exit(WaitForSingleObject(mutex, INFINITE) == WAIT_ABANDONED && ReleaseMutex(mutex) && ReleaseMutex(mine) ? 0
                                                                                                                  : 1);
    }
    assert_int_equal(waitpid(id, &status, 0), id);
    assert_int_equal(status, 0);
    assert_int_equal(WaitForSingleObject(mutex, 0), WAIT_TIMEOUT);
    SetEvent(never);
    assert_int_equal(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
    assert_true(GetExitCodeThread(thread, &code) && code == 1);
    assert_true(CloseHandle(thread) && CloseHandle(mutex) && ReleaseMutex(mine) && CloseHandle(mine));
}

static DWORD WINAPI wait_for_one(LPVOID one)
{
    return WaitForSingleObject(one, INFINITE);
}

/* Who waits in the parent does not wait in the child, and takes nothing there. */
static void test_waiting(void **state)
{
    (void)state;
    int status;
    DWORD thread_id;
    HANDLE one = CreateEvent(NULL, FALSE, FALSE, NULL),
           thread = CreateThread(NULL, 0, wait_for_one, one, 0, &thread_id);
    assert_true(all_blocked(&thread_id, 1));
    pid_t id = fork();
    if (id == 0) {
        alarm(PATIENCE);
        _exit(SetEvent(one) && WaitForSingleObject(one, 0) == WAIT_OBJECT_0 ? 0 : 1);
    }
    assert_int_equal(waitpid(id, &status, 0), id);
    assert_int_equal(status, 0);
    assert_true(SetEvent(one));
    assert_int_equal(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
    assert_true(CloseHandle(thread) && CloseHandle(one));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heap),    cmocka_unit_test(test_event), cmocka_unit_test(test_handle),
        cmocka_unit_test(test_movable), cmocka_unit_test(test_wait),  cmocka_unit_test(test_mutex),
        cmocka_unit_test(test_waiting),
    };
    event = CreateEvent(NULL, TRUE, FALSE, NULL);
    never = CreateEvent(NULL, TRUE, FALSE, NULL);
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    CloseHandle(event);
    CloseHandle(never);
    return result;
}
