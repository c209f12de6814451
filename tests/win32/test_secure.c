/* Functions of Microsoft's C library that tell failures by a number, and what typical sources use around them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <tchar.h>
#include <windows.h>
#include <sddl.h>

static void test_files(void **state)
{
    FILE *file = (FILE *)(void *)state; /* any, so that NULL is seen to come */
    assert_int_equal(_tfopen_s(&file, TEXT("/dev/null"), TEXT("r")), 0);
    assert_non_null(file);
    fclose(file);
    file = (FILE *)(void *)state;
    assert_int_equal(_tfopen_s(&file, TEXT("/nonexistent/file"), TEXT("r")), ENOENT);
    assert_null(file);
    assert_int_equal(_tfopen_s(NULL, TEXT("/dev/null"), TEXT("r")), EINVAL);
    file = (FILE *)(void *)state;
    assert_int_equal(_tfopen_s(&file, NULL, TEXT("r")), EINVAL);
    assert_null(file);
    assert_int_equal(_tfopen_s(&file, TEXT("/dev/null"), NULL), EINVAL);
}

static void test_calendar(void **state)
{
    (void)state;
    const time_t when = 86400 * 365;
    struct tm tm = {0}, local;
    static struct tm *no_tm;
    static const time_t *no_time;
    assert_int_equal(gmtime_s(&tm, &when), 0);
    assert_true(tm.tm_year == 71 && tm.tm_mon == 0 && tm.tm_mday == 1 && tm.tm_hour == 0);
    assert_int_equal(localtime_s(&tm, &when), 0);
    assert_non_null(localtime_r(&when, &local));
    assert_true(tm.tm_hour == local.tm_hour && tm.tm_mday == local.tm_mday && tm.tm_year == local.tm_year);
    assert_int_equal(localtime_s(no_tm, &when), EINVAL);
    assert_int_equal(localtime_s(&tm, no_time), EINVAL);
    assert_int_equal(gmtime_s(no_tm, &when), EINVAL);
    const time_t never = INT64_MAX; /* no year of an int */
    assert_int_equal(gmtime_s(&tm, &never), EINVAL);
    assert_int_equal(localtime_s(&tm, &never), EINVAL);
}

static void test_messages(void **state)
{
    (void)state;
    char text[100], few[5] = "abcd";
    errno = 77;
    assert_int_equal(strerror_s(text, sizeof text, ENOENT), 0);
    assert_string_equal(text, strerror(ENOENT));
    assert_int_equal(strerror_s(few, sizeof few, ENOENT), 0);
    assert_true(strlen(few) == 4 && strncmp(few, text, 4) == 0);
    assert_int_equal(strerror_s(NULL, 5, ENOENT), EINVAL);
    assert_int_equal(strerror_s(text, 0, ENOENT), EINVAL);
    assert_int_equal(errno, 77);
}

static void test_variables(void **state)
{
    (void)state;
    TCHAR *value, room[8];
    size_t n = 77;
    assert_true(SetEnvironmentVariable(TEXT("OPENSSPI_TEST_A"), TEXT("four")));
    assert_int_equal(_tdupenv_s(&value, &n, TEXT("OPENSSPI_TEST_A")), 0);
    assert_int_equal(n, 5);
    assert_int_equal(_tcscmp(value, TEXT("four")), 0);
    free(value);
    assert_int_equal(GetEnvironmentVariable(TEXT("OPENSSPI_TEST_A"), room, 8), 4);
    assert_true(SetEnvironmentVariable(TEXT("OPENSSPI_TEST_A"), TEXT("")));
    assert_int_equal(_tdupenv_s(&value, NULL, TEXT("OPENSSPI_TEST_A")), 0);
    assert_true(value != NULL && *value == 0);
    free(value);
    assert_true(SetEnvironmentVariable(TEXT("OPENSSPI_TEST_A"), NULL));
    n = 77;
    assert_int_equal(_tdupenv_s(&value, &n, TEXT("OPENSSPI_TEST_A")), 0);
    assert_true(value == NULL && n == 0);
    assert_int_equal(_tdupenv_s(NULL, &n, TEXT("PATH")), EINVAL);
    assert_int_equal(_tdupenv_s(&value, &n, NULL), EINVAL);
    assert_false(SetEnvironmentVariable(TEXT("OPENSSPI_TEST_A"), NULL));
    assert_int_equal(GetLastError(), ERROR_ENVVAR_NOT_FOUND);
    static const TCHAR *const names[] = {NULL, TEXT(""), TEXT("A=B")};
    for (size_t i = 0; i < _countof(names); i++) {
        SetLastError(0);
        assert_false(SetEnvironmentVariable(names[i], TEXT("x")));
        assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    }
}

static void test_digits(void **state)
{
    (void)state;
    static const struct {
        int value, radix;
        const TCHAR *text;
    } rows[] = {
        {0, 10, TEXT("0")},         {-17, 10, TEXT("-17")},     {INT_MIN, 10, TEXT("-2147483648")},
        {-1, 16, TEXT("ffffffff")}, {255, 2, TEXT("11111111")}, {-1, 2, TEXT("11111111111111111111111111111111")},
        {35, 36, TEXT("z")}};
    TCHAR text[40];
    for (size_t i = 0; i < _countof(rows); i++) {
        size_t len = _tcslen(rows[i].text);
        assert_int_equal(_itot_s(rows[i].value, text, len + 1, rows[i].radix), 0);
        assert_int_equal(_tcscmp(text, rows[i].text), 0);
        assert_int_equal(_itot_s(rows[i].value, text, len, rows[i].radix), ERANGE);
        assert_int_equal(text[0], 0);
    }
    assert_int_equal(_itot_s(1, text, 40, 1), EINVAL);
    assert_int_equal(_itot_s(1, text, 40, 37), EINVAL);
    assert_int_equal(_itot_s(1, NULL, 40, 10), EINVAL);
    assert_int_equal(_itot_s(1, text, 0, 10), EINVAL);
    const TCHAR *number = TEXT(" -2.5e1x");
    TCHAR *end;
    assert_true(_tcstod(number, &end) == -25 && end == number + 7);
    assert_true(_tcstod(TEXT("none"), &end) == 0 && *end == 'n');
    assert_true(_tstof(TEXT("0.5")) == 0.5);
    assert_true(_ttoi64(TEXT("-1234567890123")) == -1234567890123);
    assert_true(_istcntrl('\n') && !_istcntrl('a') && _tcsclen(TEXT("abc")) == 3);
    static char mixed[] = "aBc\0d", capital[] = "AbC\0D", after[] = "ABC\0e", z[] = "z";
    assert_int_equal(_memicmp(mixed, capital, 5), 0);
    assert_true(_memicmp(mixed, after, 5) < 0 && _memicmp(z, capital, 1) > 0 && _memicmp(z, capital, 0) == 0);
    assert_int_equal(_tprintf_s(TEXT("%s %lx\n"), TEXT("#"), (DWORD)0x80090308), 11);
    assert_int_equal(_ftprintf_s(stdout, TEXT("%d\n"), 7), 2);
}

static void test_macros(void **state)
{
    (void)state;
    LONGLONG big = 0xFFFFFFFF;
    LONG small = 5;
    char bytes[4] = "abc", *other = _alloca(4);
    assert_true(InterlockedIncrement64(&big) == 0x100000000 && InterlockedExchangeAdd64(&big, 2) == 0x100000000);
    assert_true(InterlockedCompareExchange64(&big, 3, 0x100000002) == 0x100000002 && big == 3);
    assert_true(InterlockedAdd(&small, 3) == 8 && InterlockedOr(&small, 7) == 8 && small == 15);
    assert_true(InterlockedAnd(&small, 6) == 15 && InterlockedXor(&small, 2) == 6 && small == 4);
    RtlCopyMemory(other, bytes, 4);
    RtlZeroMemory(bytes, sizeof bytes);
    assert_true(strcmp(other, "abc") == 0 && bytes[0] == 0 && bytes[2] == 0);
    RtlMoveMemory(other, other + 1, 3);
    assert_string_equal(other, "bc");
    assert_true(MAXDWORD == UINT32_MAX && MAXULONG == UINT32_MAX && HandleToUlong((HANDLE)0x123456789A) == 0x3456789A);
    assert_true(Int32x32To64(-2, INT_MAX) == -4294967294 && UInt32x32To64(2, UINT32_MAX) == 8589934590);
    CRITICAL_SECTION section;
    assert_true(InitializeCriticalSectionEx(&section, 4000, CRITICAL_SECTION_NO_DEBUG_INFO));
    EnterCriticalSection(&section);
    LeaveCriticalSection(&section);
    DeleteCriticalSection(&section);
    assert_false(InitializeCriticalSectionEx(&section, 4000, 1));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    HANDLE event = CreateEvent(NULL, TRUE, FALSE, NULL);
    assert_int_equal(WaitForSingleObjectEx(event, 0, TRUE), WAIT_TIMEOUT);
    SetEvent(event);
    assert_int_equal(WaitForSingleObjectEx(event, INFINITE, FALSE), WAIT_OBJECT_0);
    CloseHandle(event);
}

static void test_module_file(void **state)
{
    (void)state;
    TCHAR path[4096], again[8];
    DWORD n = GetModuleFileName(NULL, path, _countof(path));
    assert_true(n > 8 && n == _tcslen(path) && path[0] == '/' && _tcsstr(path, TEXT("unit.win32.secure")) != NULL);
    SetLastError(0);
    assert_int_equal(GetModuleFileName(NULL, again, 8), 8);
    assert_int_equal(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
    assert_true(_tcslen(again) == 7 && _tcsncmp(again, path, 7) == 0);
    assert_int_equal(GetModuleFileName(NULL, path, n), n); /* without room for the NUL */
    assert_int_equal(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
    assert_int_equal(GetModuleFileName(NULL, NULL, 0), 0);
    assert_int_equal(GetModuleFileName(GetModuleHandle(NULL), path, _countof(path)), n);
    assert_non_null(_tcsstr(path, TEXT("unit.win32.secure")));
    assert_true(GetModuleFileName(LoadLibrary(TEXT("secur32.dll")), path, _countof(path)) > 0);
    assert_non_null(_tcsstr(path, TEXT("libopensspi-win32.so")));
    HMODULE library = LoadLibrary(TEXT("libc.so.6"));
    assert_true(GetModuleFileName(library, path, _countof(path)) > 0);
    assert_non_null(_tcsstr(path, TEXT("libc")));
    FreeLibrary(library);
}

static BOOL is_called(const char *name)
{
    char path[4096];
    return GetModuleFileNameA(NULL, path, sizeof path) == strlen(name) && strcmp(path, name) == 0;
}

/* This program again, by a name of its own: with its file, without it, with another one in its place, and with one of the name that the system then
 * tells. */
static int run_replaced(const char *name)
{
    char other[4096];
    int result = 0;
    snprintf(other, sizeof other, "%s (deleted)", name);
    if (!is_called(name))
        result = 4;
    else if (unlink(name) != 0 || !is_called(name))
        result = 5;
    else if (symlink("/dev/null", name) != 0 || !is_called(name))
        result = 6;
    else if (symlink("/dev/null", other) != 0 || !is_called(name))
        result = 7;
    (void)unlink(other);
    return result;
}

/* A program has a name also when something else lies there by now. */
static void test_replaced_file(void **state)
{
    (void)state;
    char path[4096], name[sizeof path + 32], replaced[] = "replaced";
    int status = -1;
    assert_true(GetModuleFileNameA(NULL, path, sizeof path) > 0);
    snprintf(name, sizeof name, "%s.%d", path, (int)getpid());
    assert_int_equal(link(path, name), 0);
    char *const arguments[] = {name, replaced, NULL};
    pid_t child = fork();
    if (child == 0) {
        execv(name, arguments);
        _exit(3);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    (void)unlink(name);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* One is made with pointers from the parts of a text. */
static void test_descriptor(void **state)
{
    (void)state;
    static const TCHAR text[] = TEXT("O:BAG:SYD:(A;;GA;;;WD)");
    const SECURITY_INFORMATION all =
        OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    PSECURITY_DESCRIPTOR stored;
    SECURITY_DESCRIPTOR made;
    LPTSTR written;
    memset(&made, 0xFF, sizeof made);
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptor(text, SDDL_REVISION_1, &stored, NULL));
    const SECURITY_DESCRIPTOR_RELATIVE *parts = stored;
    assert_true(InitializeSecurityDescriptor(&made, SECURITY_DESCRIPTOR_REVISION));
    assert_true(IsValidSecurityDescriptor(&made) && made.Control == 0 && made.Dacl == NULL);
    assert_true(SetSecurityDescriptorOwner(&made, (char *)stored + parts->Owner, FALSE));
    assert_true(SetSecurityDescriptorGroup(&made, (char *)stored + parts->Group, FALSE));
    assert_true(SetSecurityDescriptorDacl(&made, TRUE, (PACL)(void *)((char *)stored + parts->Dacl), FALSE));
    assert_true(ConvertSecurityDescriptorToStringSecurityDescriptor(&made, SDDL_REVISION_1, all, &written, NULL));
    assert_int_equal(_tcscmp(written, text), 0);
    LocalFree(written);
    assert_true(SetSecurityDescriptorDacl(&made, TRUE, NULL, TRUE)); /* everybody */
    assert_int_equal(made.Control, SE_DACL_PRESENT | SE_DACL_DEFAULTED);
    assert_true(SetSecurityDescriptorOwner(&made, NULL, TRUE) && made.Owner == NULL);
    assert_true((made.Control & SE_OWNER_DEFAULTED) != 0);
    assert_true(SetSecurityDescriptorDacl(&made, FALSE, (PACL)(void *)state, TRUE));
    assert_true(made.Dacl == NULL && made.Control == SE_OWNER_DEFAULTED);
    BYTE nothing[8] = {9};
    assert_false(SetSecurityDescriptorGroup(&made, nothing, FALSE));
    assert_int_equal(GetLastError(), ERROR_INVALID_SID);
    assert_false(SetSecurityDescriptorDacl(stored, TRUE, NULL, FALSE));
    assert_int_equal(GetLastError(), ERROR_INVALID_SECURITY_DESCR);
    assert_false(InitializeSecurityDescriptor(&made, 2));
    assert_int_equal(GetLastError(), ERROR_UNKNOWN_REVISION);
    assert_false(InitializeSecurityDescriptor(NULL, SECURITY_DESCRIPTOR_REVISION));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    made.Revision = 7;
    assert_false(SetSecurityDescriptorDacl(&made, TRUE, NULL, FALSE));
    assert_int_equal(GetLastError(), ERROR_UNKNOWN_REVISION);
    LocalFree(stored);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "replaced") == 0)
        return run_replaced(argv[0]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),       cmocka_unit_test(test_calendar),      cmocka_unit_test(test_messages),
        cmocka_unit_test(test_variables),   cmocka_unit_test(test_digits),        cmocka_unit_test(test_macros),
        cmocka_unit_test(test_module_file), cmocka_unit_test(test_replaced_file), cmocka_unit_test(test_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
