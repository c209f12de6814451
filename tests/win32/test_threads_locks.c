/* Slim locks, condition variables, what is done once, values of threads, _beginthread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <process.h>
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
        cmocka_unit_test(test_slim),   cmocka_unit_test(test_condition), cmocka_unit_test(test_once),
        cmocka_unit_test(test_values), cmocka_unit_test(test_begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
