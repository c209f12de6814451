/* Slim locks, condition variables, what is done once, values of threads, _beginthread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <process.h>
#include <pthread.h>
#include <semaphore.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#define PATIENCE 60000
#define N 4
#define ROUNDS 2000

static SRWLOCK slim = SRWLOCK_INIT, zeroes;
static LONG counter, sum;
static CRITICAL_SECTION section;
static CONDITION_VARIABLE changed = CONDITION_VARIABLE_INIT, drained;

static void run_all(LPTHREAD_START_ROUTINE start)
{
    HANDLE threads[N];
    DWORD code;
    for (intptr_t i = 0; i < N; i++)
        assert_non_null(threads[i] = CreateThread(NULL, 0, start, (LPVOID)i, 0, NULL));
    assert_int_equal(WaitForMultipleObjects(N, threads, TRUE, PATIENCE), WAIT_OBJECT_0);
    for (int i = 0; i < N; i++) {
        assert_true(GetExitCodeThread(threads[i], &code) && code == 0);
        assert_true(CloseHandle(threads[i]));
    }
}

static DWORD WINAPI count(LPVOID parameter)
{
    (void)parameter;
    for (int i = 0; i < ROUNDS; i++) {
        AcquireSRWLockExclusive(&slim);
        counter++;
        ReleaseSRWLockExclusive(&slim);
        AcquireSRWLockShared(&slim);
        LONG seen = counter;
        ReleaseSRWLockShared(&slim);
        if (seen == 0)
            return 1;
    }
    return 0;
}

static DWORD WINAPI try_both(LPVOID expected)
{
    BOOLEAN shared = TryAcquireSRWLockShared(&zeroes);
    if (shared)
        ReleaseSRWLockShared(&zeroes);
    BOOLEAN exclusive = TryAcquireSRWLockExclusive(&zeroes);
    if (exclusive)
        ReleaseSRWLockExclusive(&zeroes);
    return (DWORD)(shared | exclusive << 1) == (DWORD)(uintptr_t)expected ? 0 : 1;
}

static void expect_of_another(intptr_t expected)
{
    DWORD code = 9;
    HANDLE thread = CreateThread(NULL, 0, try_both, (LPVOID)expected, 0, NULL);
    assert_int_equal(WaitForSingleObject(thread, PATIENCE), WAIT_OBJECT_0);
    assert_true(GetExitCodeThread(thread, &code) && CloseHandle(thread));
    assert_int_equal(code, 0);
}

static void test_slim(void **state)
{
    (void)state;
    run_all(count);
    assert_int_equal(counter, N * ROUNDS);
    expect_of_another(3);
    AcquireSRWLockShared(&zeroes);
    expect_of_another(1);
    ReleaseSRWLockShared(&zeroes);
    AcquireSRWLockExclusive(&zeroes);
    expect_of_another(0);
    ReleaseSRWLockExclusive(&zeroes);
    InitializeSRWLock(&zeroes);
    expect_of_another(3);
}

#define READS_MAX 10000 /* while the writer waits; a few are right */

static SRWLOCK busy;
static LONG coming, written, reads;

static LONG peek(LONG *at)
{
    return InterlockedCompareExchange(at, 0, 0);
}

static DWORD WINAPI read_on(LPVOID parameter)
{
    (void)parameter;
    while (peek(&written) == 0) {
        AcquireSRWLockShared(&busy);
        Sleep(1);
        ReleaseSRWLockShared(&busy);
        if (peek(&coming) != 0 && InterlockedIncrement(&reads) > READS_MAX)
            return 1;
    }
    return 0;
}

static DWORD WINAPI write_once(LPVOID parameter)
{
    (void)parameter;
    InterlockedIncrement(&coming);
    AcquireSRWLockExclusive(&busy);
    InterlockedIncrement(&written);
    ReleaseSRWLockExclusive(&busy);
    return 0;
}

static void test_writer_among_readers(void **state)
{
    (void)state;
    HANDLE reading[N], writer;
    for (int i = 0; i < N; i++)
        assert_non_null(reading[i] = CreateThread(NULL, 0, read_on, NULL, 0, NULL));
    Sleep(5);
    writer = CreateThread(NULL, 0, write_once, NULL, 0, NULL);
    assert_int_equal(WaitForSingleObject(writer, PATIENCE), WAIT_OBJECT_0);
    assert_int_equal(WaitForMultipleObjects(N, reading, TRUE, PATIENCE), WAIT_OBJECT_0);
    for (int i = 0; i < N; i++) {
        DWORD code = 9;
        assert_true(GetExitCodeThread(reading[i], &code) && CloseHandle(reading[i]));
        assert_int_equal(code, 0);
    }
    assert_true(CloseHandle(writer));
}

/* Nor is a reader who only tries let in before a writer who waits. */
static void test_try_behind_writer(void **state)
{
    (void)state;
    int tries = 0;
    coming = written = 0;
    AcquireSRWLockShared(&busy);
    HANDLE writer = CreateThread(NULL, 0, write_once, NULL, 0, NULL);
    for (; tries < PATIENCE && TryAcquireSRWLockShared(&busy); tries++) {
        ReleaseSRWLockShared(&busy);
        Sleep(1);
    }
    LONG early = peek(&written);
    ReleaseSRWLockShared(&busy);
    assert_int_equal(WaitForSingleObject(writer, PATIENCE), WAIT_OBJECT_0);
    assert_true(CloseHandle(writer));
    assert_true(tries < PATIENCE && early == 0);
    assert_true(TryAcquireSRWLockShared(&busy));
    ReleaseSRWLockShared(&busy);
}

/* A queue of one place, with a section, between two pairs of threads. */
static LONG place;

static DWORD WINAPI pass_on(LPVOID parameter)
{
    BOOL gives = (intptr_t)parameter % 2 == 0;
    for (LONG i = 1; i <= ROUNDS; i++) {
        EnterCriticalSection(&section);
        while ((place != 0) == gives)
            if (!SleepConditionVariableCS(gives ? &drained : &changed, &section, PATIENCE))
                return 1;
        sum += gives ? 0 : place;
        place = gives ? i : 0;
        LeaveCriticalSection(&section);
        WakeConditionVariable(gives ? &changed : &drained);
    }
    return 0;
}

static DWORD WINAPI wait_for_all(LPVOID parameter)
{
    BOOL shared = (intptr_t)parameter % 2 == 0;
    (shared ? AcquireSRWLockShared : AcquireSRWLockExclusive)(&slim);
    BOOL good = TRUE;
    while (place == 0 && good)
        good = SleepConditionVariableSRW(&changed, &slim, INFINITE, shared ? CONDITION_VARIABLE_LOCKMODE_SHARED : 0);
    (shared ? ReleaseSRWLockShared : ReleaseSRWLockExclusive)(&slim);
    return good ? 0 : 1;
}

static DWORD WINAPI set_place(LPVOID parameter)
{
    (void)parameter;
    Sleep(5); /* whoever comes later does not sleep */
    AcquireSRWLockExclusive(&slim);
    place = 1;
    ReleaseSRWLockExclusive(&slim);
    WakeAllConditionVariable(&changed);
    return 0;
}

static void test_condition(void **state)
{
    (void)state;
    assert_true(InitializeCriticalSectionEx(&section, 100, CRITICAL_SECTION_NO_DEBUG_INFO));
    InitializeConditionVariable(&drained);
    run_all(pass_on);
    assert_int_equal(sum, (N / 2) * (ROUNDS * (ROUNDS + 1) / 2));
    HANDLE setter = CreateThread(NULL, 0, set_place, NULL, 0, NULL);
    run_all(wait_for_all);
    assert_int_equal(WaitForSingleObject(setter, PATIENCE), WAIT_OBJECT_0);
    assert_true(CloseHandle(setter));
    EnterCriticalSection(&section);
    SetLastError(0);
    while (SleepConditionVariableCS(&changed, &section, 5)) /* it may wake without a reason */
        ;
    assert_int_equal(GetLastError(), ERROR_TIMEOUT);
    LeaveCriticalSection(&section);
    DeleteCriticalSection(&section);
    AcquireSRWLockExclusive(&zeroes);
    assert_false(SleepConditionVariableSRW(&changed, &zeroes, 5, 2));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    while (SleepConditionVariableSRW(&changed, &zeroes, 5, 0))
        ;
    assert_int_equal(GetLastError(), ERROR_TIMEOUT);
    expect_of_another(0); /* it is taken again */
    ReleaseSRWLockExclusive(&zeroes);
}

static CONDITION_VARIABLE left;

static DWORD WINAPI wake_left(LPVOID parameter)
{
    (void)parameter;
    WakeAllConditionVariable(&left);
    return 0;
}

static void *sleep_on(void *begun_at)
{
    SRWLOCK own = SRWLOCK_INIT;
    AcquireSRWLockExclusive(&own);
    sem_post(begun_at);
    (void)SleepConditionVariableSRW(&left, &own, INFINITE, 0);
    return NULL;
}

static void *make_threads(void *begun_at)
{
    for (;;) {
        DWORD code;
        HANDLE thread = CreateThread(NULL, 0, try_both, NULL, 0, NULL);
        sem_post(begun_at);
        pthread_testcancel();
        (void)WaitForSingleObject(thread, 0);
        (void)GetExitCodeThread(thread, &code);
        (void)CloseHandle(thread);
    }
    return NULL;
}

#define FRAMES_MAX 16384 /* more than they have, less than a thread's stack */

/* The frames that a cancelled thread leaves stay marked as theirs: AddressSanitizer does not see that it left them. */
static void frames_forget(void *nothing)
{
    (void)nothing;
#ifdef __SANITIZE_ADDRESS__
    __asan_unpoison_memory_region((char *)__builtin_frame_address(0) - FRAMES_MAX, FRAMES_MAX);
#endif
}

struct cancelled {
    void *(*work)(void *);
    sem_t at;
};

static void *cancel_me(void *parameter)
{
    struct cancelled *cancelled = parameter;
    pthread_cleanup_push(frames_forget, NULL);
    (void)cancelled->work(&cancelled->at);
    pthread_cleanup_pop(0);
    return NULL;
}

/* Who is cancelled leaves nothing locked behind. */
static void test_cancelled(void **state)
{
    void *(*const work[])(void *) = {sleep_on, make_threads};
    (void)state;
    for (int i = 0; i < 10; i++) {
        pthread_t thread;
        struct cancelled cancelled = {.work = work[i % 2]};
        assert_int_equal(sem_init(&cancelled.at, 0, 0), 0);
        assert_int_equal(pthread_create(&thread, NULL, cancel_me, &cancelled), 0);
        while (sem_wait(&cancelled.at) != 0)
            ;
        assert_int_equal(pthread_cancel(thread), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        sem_destroy(&cancelled.at);
        HANDLE waker = CreateThread(NULL, 0, wake_left, NULL, 0, NULL);
        assert_int_equal(WaitForSingleObject(waker, PATIENCE), WAIT_OBJECT_0);
        assert_true(CloseHandle(waker));
    }
}

static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
static LONG times;

static BOOL CALLBACK do_once(PINIT_ONCE which, PVOID parameter, PVOID *context)
{
    (void)which;
    times++; /* nobody else is here */
    *context = parameter;
    return times > 1;
}

static DWORD WINAPI want_it(LPVOID parameter)
{
    PVOID context = NULL;
    (void)parameter;
    return InitOnceExecuteOnce(&once, do_once, &times, &context) && context == &times ? 0 : 1;
}

static void test_once(void **state)
{
    (void)state;
    PVOID context = &once;
    assert_false(InitOnceExecuteOnce(&once, do_once, &once, &context)); /* its function failed */
    assert_ptr_equal(context, &once);
    run_all(want_it);
    assert_int_equal(times, 2);
    assert_true(InitOnceExecuteOnce(&once, do_once, NULL, NULL));
    assert_int_equal(times, 2);
    InitOnceInitialize(&once);
    assert_true(InitOnceExecuteOnce(&once, do_once, NULL, &context));
    assert_int_equal(times, 3);
    assert_null(context);
}

static BOOL CALLBACK end_thread(PINIT_ONCE which, PVOID parameter, PVOID *context)
{
    (void)which, (void)parameter, (void)context;
    ExitThread(0);
}

static DWORD WINAPI want_and_end(LPVOID parameter)
{
    return InitOnceExecuteOnce(&once, (intptr_t)parameter == 0 ? end_thread : do_once, NULL, NULL) ? 0 : 1;
}

/* The function may end its thread: the next one tries again. */
static void test_once_ended(void **state)
{
    (void)state;
    InitOnceInitialize(&once);
    for (intptr_t i = 0; i < 2; i++) {
        DWORD code = 9;
        HANDLE thread = CreateThread(NULL, 0, want_and_end, (LPVOID)i, 0, NULL);
        assert_int_equal(WaitForSingleObject(thread, PATIENCE), WAIT_OBJECT_0);
        assert_true(GetExitCodeThread(thread, &code) && CloseHandle(thread));
        assert_int_equal(code, 0);
    }
}

static DWORD WINAPI set_and_get(LPVOID parameter)
{
    char name[32], value[64];
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(name, sizeof name, "OPENSSPI_TEST_%d_%d", (int)(intptr_t)parameter, i);
        if ((intptr_t)parameter % 2 == 0 && !SetEnvironmentVariableA(name, "some value"))
            return 1;
        for (int reads_of_it = 0; reads_of_it < 4 && (intptr_t)parameter % 2 != 0; reads_of_it++)
            if (GetEnvironmentVariableA("OPENSSPI_TEST_THAT_IS_NOT_SET", value, sizeof value) != 0)
                return 2;
    }
    return 0;
}

/* Windows' functions may be called by all threads at once. */
static void test_environment(void **state)
{
    char value[64];
    (void)state;
    run_all(set_and_get);
    assert_int_equal(GetEnvironmentVariableA("OPENSSPI_TEST_0_0", value, sizeof value), 10);
    assert_string_equal(value, "some value");
}

static DWORD slot;

static DWORD WINAPI own_value(LPVOID parameter)
{
    if (TlsGetValue(slot) != NULL || !TlsSetValue(slot, (char *)&slot + (intptr_t)parameter))
        return 1;
    (void)SwitchToThread();
    return TlsGetValue(slot) == (char *)&slot + (intptr_t)parameter ? 0 : 1;
}

static void test_values(void **state)
{
    (void)state;
    slot = TlsAlloc();
    assert_int_not_equal(slot, TLS_OUT_OF_INDEXES);
    assert_true(TlsSetValue(slot, &slot));
    run_all(own_value);
    SetLastError(5);
    assert_ptr_equal(TlsGetValue(slot), &slot);
    assert_int_equal(GetLastError(), ERROR_SUCCESS);
    assert_true(TlsFree(slot));
    assert_false(TlsFree(TLS_OUT_OF_INDEXES));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_false(TlsSetValue(TLS_OUT_OF_INDEXES, &slot));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    DWORD again = TlsAlloc();
    assert_null(TlsGetValue(again));
    DWORD indexes[2000];
    size_t n = 0;
    while (n < 2000 && (indexes[n] = TlsAlloc()) != TLS_OUT_OF_INDEXES)
        n++;
    assert_true(n >= TLS_MINIMUM_AVAILABLE && n < 2000);
    assert_int_equal(GetLastError(), ERROR_NOT_ENOUGH_MEMORY);
    while (n-- > 0)
        assert_true(TlsFree(indexes[n]));
    assert_true(TlsFree(again));
}

static HANDLE begun, may_end;

static void unattended(void *early)
{
    SetEvent(begun);
    WaitForSingleObject(may_end, PATIENCE);
    if (early != NULL)
        _endthread();
}

static void test_begin(void **state)
{
    (void)state;
    begun = CreateEvent(NULL, FALSE, FALSE, NULL);
    may_end = CreateEvent(NULL, FALSE, FALSE, NULL);
    for (intptr_t early = 0; early < 2; early++) {
        HANDLE thread = (HANDLE)_beginthread(unattended, 0, (void *)early);
        assert_int_equal(WaitForSingleObject(begun, PATIENCE), WAIT_OBJECT_0);
        assert_int_equal(WaitForSingleObject(thread, 0), WAIT_TIMEOUT);
        assert_true(SetEvent(may_end));
        DWORD code;
        for (int i = 0; i < 10000 && GetExitCodeThread(thread, &code); i++)
            Sleep(1);
        assert_false(CloseHandle(thread)); /* it has closed itself */
        assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    }
    errno = 0;
    assert_true(_beginthread(NULL, 0, NULL) == (uintptr_t)-1);
    assert_int_equal(errno, EINVAL);
    assert_true(CloseHandle(begun) && CloseHandle(may_end));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slim),
        cmocka_unit_test(test_condition),
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_writer_among_readers),
        cmocka_unit_test(test_try_behind_writer),
        cmocka_unit_test(test_cancelled),
        cmocka_unit_test(test_once_ended),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
