/* What Visual C++ takes beyond the standard, and <windows.h> makes mean the same here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define WIN32_LEAN_AND_MEAN
#define WIN32_NO_STATUS
#include <Windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <process.h>
#include <tchar.h>

static __forceinline DWORD twice(DWORD number)
{
    return number * 2;
}

__declspec(dllexport) int __cdecl exported(__in int a, __out int *b);

int __cdecl exported(__in int a, __out int *b)
{
    *b = a;
    return 1;
}

static __declspec(thread) int own;
__declspec(thread) static int own_too;
static __declspec(align(64)) unsigned char aligned[3];

static __declspec(noinline) unsigned __stdcall run(_In_ void *result)
{
    *(int *)result = own + own_too;
    own = own_too = 1;
    return 5;
}

static void test_threads_have_their_own(void **state)
{
    (void)state;
    int result = -1;
    DWORD code;
    own = 7;
    own_too = 8;
    HANDLE thread = (HANDLE)_beginthreadex(NULL, 0, run, &result, 0, NULL);
    assert_int_equal(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
    assert_true(GetExitCodeThread(thread, &code) && code == 5);
    CloseHandle(thread);
    assert_true(result == 0 && own == 7 && own_too == 8);
}

static void test_rest(void **state)
{
    (void)state;
    int b = 0;
    unsigned __int64 wide = 0x100000000;
    assert_int_equal(twice(4), 8);
    assert_true(exported(3, &b) && b == 3);
    assert_int_equal((uintptr_t)aligned % 64, 0);
    assert_true(sizeof wide == 8 && sizeof(__int32) == 4 && sizeof(__int16) == 2 && sizeof(__int8) == 1);
    assert_int_equal(STATUS_LOGON_FAILURE, (NTSTATUS)0xC000006D);
    assert_int_equal(max(1, 2) + min(1, 2), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads_have_their_own), cmocka_unit_test(test_rest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
