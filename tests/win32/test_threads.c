/* Threads, events, mutexes, critical sections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <process.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <windows.h>
#include <winsock2.h>

#define LONG_TIME 60000 /* nobody waits for so long */

static HANDLE gate;
static CRITICAL_SECTION section;
static LONG counter;

static DWORD WINAPI give_back(LPVOID parameter)
{
    return (DWORD)(uintptr_t)parameter;
}

static DWORD WINAPI wait_for_gate(LPVOID parameter)
{
    (void)parameter;
    return WaitForSingleObject(gate, LONG_TIME);
}

static DWORD WINAPI leave_early(LPVOID parameter)
{
    (void)parameter;
    ExitThread(9);
}

static DWORD code_of(HANDLE thread)
{
    DWORD code;
    assert_int_equal(WaitForSingleObject(thread, LONG_TIME), WAIT_OBJECT_0);
    assert_true(GetExitCodeThread(thread, &code));
    assert_true(CloseHandle(thread));
    return code;
}

static void test_thread(void **state)
{
    (void)state;
    DWORD id = 0, code;
    HANDLE thread = CreateThread(NULL, 0, give_back, (LPVOID)77, 0, &id);
    assert_non_null(thread);
    assert_int_not_equal(id, GetCurrentThreadId());
    assert_int_equal(code_of(thread), 77);
    assert_false(CloseHandle(thread));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    assert_int_equal(code_of(CreateThread(NULL, 1 << 20, leave_early, NULL, 0, NULL)), 9);
    thread = CreateThread(NULL, 0, give_back, (LPVOID)5, CREATE_SUSPENDED, NULL);
    assert_int_equal(WaitForSingleObject(thread, 5), WAIT_TIMEOUT);
    assert_true(GetExitCodeThread(thread, &code));
    assert_int_equal(code, STILL_ACTIVE);
    assert_int_equal(ResumeThread(thread), 1);
    assert_int_equal(code_of(thread), 5);
    assert_null(CreateThread(NULL, 0, NULL, NULL, 0, NULL));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_int_equal(GetCurrentProcessId(), getpid());
}

static unsigned __stdcall routine(void *argument)
{
    return *(unsigned *)argument + 1;
}

static void test_crt_thread(void **state)
{
    (void)state;
    unsigned value = 41, id;
    assert_int_equal(code_of((HANDLE)_beginthreadex(NULL, 0, routine, &value, 0, &id)), 42);
    assert_int_equal(_beginthreadex(NULL, 0, NULL, NULL, 0, NULL), 0);
}

static void test_event(void **state)
{
    (void)state;
    gate = CreateEvent(NULL, TRUE, FALSE, NULL);
    assert_int_equal(WaitForSingleObject(gate, 0), WAIT_TIMEOUT);
    HANDLE threads[2] = {CreateThread(NULL, 0, wait_for_gate, NULL, 0, NULL),
                         CreateThread(NULL, 0, wait_for_gate, NULL, 0, NULL)};
    assert_true(SetEvent(gate));
    assert_int_equal(WaitForMultipleObjects(2, threads, TRUE, LONG_TIME), WAIT_OBJECT_0);
    assert_int_equal(code_of(threads[0]) + code_of(threads[1]), WAIT_OBJECT_0);
    assert_true(ResetEvent(gate));
    assert_int_equal(WaitForSingleObject(gate, 1), WAIT_TIMEOUT);
    assert_true(CloseHandle(gate));
    gate = CreateEventW(NULL, FALSE, TRUE, NULL);
    assert_int_equal(WaitForSingleObject(gate, 0), WAIT_OBJECT_0);
    assert_int_equal(WaitForSingleObject(gate, 0), WAIT_TIMEOUT); /* the wait took it */
    HANDLE both[2] = {gate, CreateEvent(NULL, TRUE, TRUE, NULL)};
    assert_int_equal(WaitForMultipleObjects(2, both, FALSE, 0), WAIT_OBJECT_0 + 1);
    assert_int_equal(WaitForMultipleObjects(2, both, TRUE, 0), WAIT_TIMEOUT);
    /* All of two is not one of them twice. */
    HANDLE twice[3] = {gate, both[1], gate};
    assert_true(SetEvent(gate));
    SetLastError(0);
    assert_int_equal(WaitForMultipleObjects(3, twice, TRUE, 0), WAIT_FAILED);
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_int_equal(WaitForMultipleObjects(3, twice, FALSE, 0), WAIT_OBJECT_0); /* the event was not taken */
    assert_true(CloseHandle(both[0]) && CloseHandle(both[1]));
    assert_null(CreateEventA(NULL, TRUE, TRUE, "name"));
    assert_int_equal(GetLastError(), ERROR_NOT_SUPPORTED);
}

static DWORD WINAPI try_section(LPVOID parameter)
{
    (void)parameter;
    BOOL got = TryEnterCriticalSection(&section);
    if (got)
        LeaveCriticalSection(&section);
    return (DWORD)got;
}

static void test_exclusion(void **state)
{
    (void)state;
    HANDLE mutex = CreateMutex(NULL, FALSE, NULL);
    assert_true(InitializeCriticalSectionAndSpinCount(&section, 100));
    EnterCriticalSection(&section);
    assert_true(TryEnterCriticalSection(&section)); /* again */
    HANDLE thread = CreateThread(NULL, 0, try_section, NULL, 0, NULL);
    assert_int_equal(code_of(thread), FALSE);
    LeaveCriticalSection(&section);
    LeaveCriticalSection(&section);
    assert_int_equal(code_of(CreateThread(NULL, 0, try_section, NULL, 0, NULL)), TRUE);
    DeleteCriticalSection(&section);
    assert_false(ReleaseMutex(mutex));
    assert_int_equal(GetLastError(), ERROR_NOT_OWNER);
    assert_int_equal(WaitForSingleObject(mutex, 0) + WaitForSingleObject(mutex, 0), WAIT_OBJECT_0);
    assert_true(ReleaseMutex(mutex) && ReleaseMutex(mutex));
    assert_false(ReleaseMutex(mutex));
    assert_true(CloseHandle(mutex));
}

/* Takes a mutex as often as there are places in the list, and ends. */
static DWORD WINAPI take_and_end(LPVOID parameter)
{
    for (HANDLE *mutex = parameter; *mutex != NULL; mutex++)
        if (WaitForSingleObject(*mutex, LONG_TIME) != WAIT_OBJECT_0)
            return 1;
    return 0;
}

static DWORD WINAPI wait_and_release(LPVOID parameter)
{
    DWORD result = WaitForSingleObject(parameter, LONG_TIME);
    return ReleaseMutex(parameter) ? result : WAIT_FAILED;
}

static void *system_thread(void *mutex)
{
    return (void *)(uintptr_t)WaitForSingleObject(mutex, LONG_TIME);
}

/* Who gets the mutex of a thread that ended with it is told so, once; nobody waits for ever, and no later thread is taken for the dead one. */
static void test_abandoned(void **state)
{
    (void)state;
    HANDLE mutex = CreateMutex(NULL, FALSE, NULL), other = CreateMutex(NULL, FALSE, NULL);
    HANDLE twice[] = {mutex, mutex, NULL}, both[] = {mutex, other, NULL},
           late[] = {CreateEvent(NULL, TRUE, FALSE, NULL), other};
    assert_int_equal(code_of(CreateThread(NULL, 0, take_and_end, twice, 0, NULL)), 0);
    assert_int_equal(WaitForSingleObject(mutex, 0), WAIT_ABANDONED);
    assert_int_equal(WaitForSingleObject(mutex, 0), WAIT_OBJECT_0);
    HANDLE waiting = CreateThread(NULL, 0, wait_and_release, mutex, 0, NULL);
    assert_true(ReleaseMutex(mutex) && ReleaseMutex(mutex));
    assert_false(ReleaseMutex(mutex));
    assert_int_equal(code_of(waiting), WAIT_OBJECT_0);
    /* Of several one at a time, and all at once. */
    assert_int_equal(code_of(CreateThread(NULL, 0, take_and_end, &both[1], 0, NULL)), 0);
    assert_int_equal(WaitForMultipleObjects(2, late, FALSE, 0), WAIT_ABANDONED_0 + 1);
    assert_true(ReleaseMutex(other));
    assert_int_equal(code_of(CreateThread(NULL, 0, take_and_end, &both[1], 0, NULL)), 0);
    assert_int_equal(WaitForMultipleObjects(2, both, TRUE, 0), WAIT_ABANDONED);
    assert_int_equal(WaitForMultipleObjects(2, both, TRUE, 0), WAIT_OBJECT_0);
    assert_true(ReleaseMutex(mutex) && ReleaseMutex(mutex) && ReleaseMutex(other) && ReleaseMutex(other));
    assert_int_equal(code_of(CreateThread(NULL, 0, take_and_end, both, 0, NULL)), 0);
    assert_int_equal(WaitForMultipleObjects(2, both, FALSE, 0), WAIT_ABANDONED);
    assert_true(ReleaseMutex(mutex));
    assert_int_equal(code_of(CreateThread(NULL, 0, wait_and_release, other, 0, NULL)), WAIT_ABANDONED);
    /* A thread of the system's. */
    pthread_t thread;
    void *result;
    assert_int_equal(pthread_create(&thread, NULL, system_thread, mutex), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_int_equal((uintptr_t)result, WAIT_OBJECT_0);
    assert_int_equal(code_of(CreateThread(NULL, 0, wait_and_release, mutex, 0, NULL)), WAIT_ABANDONED);
    assert_true(CloseHandle(mutex) && CloseHandle(other) && CloseHandle(late[0]));
}

static DWORD WINAPI add_under_section(LPVOID parameter)
{
    (void)parameter;
    for (int i = 0; i < 1000; i++) {
        EnterCriticalSection(&section);
        counter++;
        LeaveCriticalSection(&section);
    }
    return 0;
}

static DWORD WINAPI add_under_mutex(LPVOID parameter)
{
    for (int i = 0; i < 200; i++) {
        if (WaitForSingleObject(parameter, LONG_TIME) != WAIT_OBJECT_0)
            return 1;
        counter++;
        ReleaseMutex(parameter);
    }
    return 0;
}

static void test_many(void **state)
{
    (void)state;
    HANDLE mutex = CreateMutex(NULL, FALSE, NULL), threads[4];
    InitializeCriticalSection(&section);
    counter = 0;
    for (int i = 0; i < 4; i++)
        threads[i] = CreateThread(NULL, 0, add_under_section, NULL, 0, NULL);
    for (int i = 0; i < 4; i++)
        assert_int_equal(code_of(threads[i]), 0);
    for (int i = 0; i < 4; i++)
        threads[i] = CreateThread(NULL, 0, add_under_mutex, mutex, 0, NULL);
    for (int i = 0; i < 4; i++)
        assert_int_equal(code_of(threads[i]), 0);
    assert_int_equal(counter, 4800);
    DeleteCriticalSection(&section);
    assert_true(CloseHandle(mutex));
}

static void test_refused(void **state)
{
    (void)state;
    HANDLE event = CreateEvent(NULL, TRUE, TRUE, NULL);
    DWORD code;
    static const uintptr_t bad[] = {0, 4, 0x4F00000100000004, (uintptr_t)-1, (uintptr_t)-2, 0x4F000001FFFFFFFC};
    for (size_t i = 0; i < _countof(bad); i++) {
        if ((HANDLE)bad[i] == event)
            continue;
        SetLastError(0);
        assert_int_equal(WaitForSingleObject((HANDLE)bad[i], 0), WAIT_FAILED);
        assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
        assert_false(SetEvent((HANDLE)bad[i]));
        assert_false(CloseHandle((HANDLE)bad[i]));
    }
    assert_false(ReleaseMutex(event));
    assert_false(GetExitCodeThread(event, &code));
    assert_int_equal(ResumeThread(event), (DWORD)-1);
    assert_int_equal(WaitForMultipleObjects(0, &event, FALSE, 0), WAIT_FAILED);
    assert_int_equal(WaitForMultipleObjects(65, &event, FALSE, 0), WAIT_FAILED);
    assert_true(CloseHandle(event));
    assert_false(SetEvent(event));
    /* Handles of tokens are closed by the same name. */
    HANDLE token;
    assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token));
    assert_true(CloseHandle(token));
    assert_false(CloseHandle(token));
}

#define WITHOUT_KEYS "--without-keys"
#define EXIT_WITH "--exit-with"

static pthread_key_t keys[PTHREAD_KEYS_MAX];
static unsigned n_keys;

/* Before the constructors of the libraries: with this word all keys for what is a thread's own are used up when libopensspi-win32 begins. */
static void keys_use_up(int argc, char **argv, char **environment)
{
    (void)environment;
    if (argc != 2 || strcmp(argv[1], WITHOUT_KEYS) != 0)
        return;
    while (n_keys < PTHREAD_KEYS_MAX && pthread_key_create(&keys[n_keys], NULL) == 0) {
        (void)pthread_setspecific(keys[n_keys], &keys[n_keys]);
        n_keys++;
    }
}

__attribute__((section(".preinit_array"), used)) static void (*const early)(int, char **, char **) = keys_use_up;

static int line_without_keys(void)
{
    pthread_key_t another;
    if (n_keys < PTHREAD_KEYS_MAX / 2 || pthread_key_create(&another, NULL) == 0)
        return __LINE__;
    const void *first = pthread_getspecific(0); /* whosever it is */
    HANDLE mutex = CreateMutex(NULL, TRUE, NULL);
    if (mutex == NULL || pthread_getspecific(0) != first)
        return __LINE__;
    for (unsigned i = 0; i < n_keys; i++)
        if (pthread_getspecific(keys[i]) != &keys[i])
            return __LINE__;
    HANDLE waiting = CreateThread(NULL, 0, wait_and_release, mutex, 0, NULL);
    if (waiting == NULL || WaitForSingleObject(mutex, 0) != WAIT_OBJECT_0)
        return __LINE__;
    if (!ReleaseMutex(mutex) || !ReleaseMutex(mutex) || ReleaseMutex(mutex) || code_of(waiting) != WAIT_OBJECT_0)
        return __LINE__;
    /* The end of a thread of ours is noticed all the same. */
    HANDLE both[] = {mutex, mutex, NULL};
    if (code_of(CreateThread(NULL, 0, take_and_end, both, 0, NULL)) != 0 ||
        WaitForSingleObject(mutex, 0) != WAIT_ABANDONED)
        return __LINE__;
    return ReleaseMutex(mutex) && CloseHandle(mutex) && pthread_getspecific(0) == first ? 0 : __LINE__;
}

/* Other libraries have used up the keys: theirs stay as they are, and mutexes work. */
static void test_without_keys(void **state)
{
    int status = 0;
    pid_t child;
    char name[] = "threads", word[] = WITHOUT_KEYS, *words[] = {name, word, NULL};
    (void)state;
    assert_int_equal(posix_spawn(&child, "/proc/self/exe", NULL, NULL, words, environ), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* Who waits for a process sees 8 bits of its code, and never success for a failure. */
static void test_exit_code(void **state)
{
    static const struct {
        UINT code;
        int seen;
    } rows[] = {{0, 0}, {3, 3}, {0x103, 3}, {0x100, 0xFF}, {(UINT)SEC_E_INSUFFICIENT_MEMORY, 0xFF}, {0xFFFFFFFF, 0xFF}};
    (void)state;
    for (size_t i = 0; i < _countof(rows); i++) {
        char name[] = "threads", word[] = EXIT_WITH, code[16], *words[] = {name, word, code, NULL};
        pid_t child;
        int status = -1;
        snprintf(code, sizeof code, "%u", rows[i].code);
        assert_int_equal(posix_spawn(&child, "/proc/self/exe", NULL, NULL, words, environ), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), rows[i].seen);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], EXIT_WITH) == 0)
        ExitProcess((UINT)strtoull(argv[2], NULL, 10));
    if (argc == 2 && strcmp(argv[1], WITHOUT_KEYS) == 0) {
        int line = line_without_keys();
        if (line != 0)
            fprintf(stderr, "without keys: line %d\n", line);
        return line != 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thread),    cmocka_unit_test(test_crt_thread),   cmocka_unit_test(test_event),
        cmocka_unit_test(test_exclusion), cmocka_unit_test(test_many),         cmocka_unit_test(test_refused),
        cmocka_unit_test(test_abandoned), cmocka_unit_test(test_without_keys), cmocka_unit_test(test_exit_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
