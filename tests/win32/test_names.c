/* Names, the environment, counted strings, the last error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ntstatus.h>
#include <pwd.h>
#include <stdlib.h>
#include <tchar.h>
#include <unistd.h>
#include <windows.h>
#include <winternl.h>

static TCHAR text[300];

static void test_user(void **state)
{
    (void)state;
    DWORD n = _countof(text), least;
    assert_true(GetUserName(text, &n));
    assert_int_equal(n, _tcslen(text) + 1);
    char expected[300];
    assert_true(snprintf(expected, sizeof expected, sizeof(TCHAR) == 2 ? "%ls" : "%s", text) > 0);
    assert_string_equal(expected, getpwuid(geteuid())->pw_name);
    least = n;
    n = least - 1;
    assert_false(GetUserName(text, &n));
    assert_int_equal(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
    assert_int_equal(n, least);
    assert_true(GetUserName(text, &n));
    assert_false(GetUserName(text, NULL));
}

/* As programs make the path of a library that they load. */
static void test_system_directory(void **state)
{
    (void)state;
    UINT n = GetSystemDirectory(text, _countof(text));
    assert_int_equal(n, _tcslen(text));
    assert_int_equal(GetSystemDirectory(text, n), n + 1);
    assert_int_equal(GetSystemDirectory(NULL, 0), n + 1);
    assert_int_equal(GetSystemDirectory(text, n + 1), n);
    _tcscat(text, _T("\\secur32.dll"));
    HMODULE module = LoadLibrary(text);
    assert_non_null(module);
    assert_ptr_equal(module, GetModuleHandle(_T("secur32.dll")));
    assert_true(GetWindowsDirectory(text, _countof(text)) < n);
}

static void test_computer(void **state)
{
    (void)state;
    TCHAR whole[300], host[300], domain[300];
    DWORD n = 0;
    assert_false(GetComputerNameEx(ComputerNameDnsFullyQualified, NULL, &n));
    assert_int_equal(GetLastError(), ERROR_MORE_DATA);
    assert_true(GetComputerNameEx(ComputerNameDnsFullyQualified, whole, &n));
    assert_int_equal(n, _tcslen(whole));
    n = _countof(host);
    assert_true(GetComputerNameEx(ComputerNameDnsHostname, host, &n));
    n = _countof(domain);
    assert_true(GetComputerNameEx(ComputerNameDnsDomain, domain, &n));
    assert_int_equal(_tcslen(whole), _tcslen(host) + _tcslen(domain) + (domain[0] != 0));
    n = _countof(text);
    assert_true(GetComputerName(text, &n));
    assert_true(n <= MAX_COMPUTERNAME_LENGTH && n == _tcslen(text));
    assert_int_equal(_tcsnicmp(text, host, n), 0);
    n = 1;
    assert_false(GetComputerName(text, &n));
    assert_int_equal(GetLastError(), ERROR_BUFFER_OVERFLOW);
    assert_true(GetComputerName(text, &n));
    assert_false(GetComputerNameEx(ComputerNameMax, text, &n));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
}

static void test_environment(void **state)
{
    (void)state;
    setenv("OPENSSPI_TEST_NAME", "gr\xC3\xBCn", 1);
    assert_int_equal(GetEnvironmentVariable(_T("OPENSSPI_TEST_NAME"), text, _countof(text)),
                     sizeof(TCHAR) == 2 ? 4 : 5);
    assert_int_equal(GetEnvironmentVariable(_T("OPENSSPI_TEST_NAME"), text, 2), sizeof(TCHAR) == 2 ? 5 : 6);
    assert_int_equal(GetEnvironmentVariable(_T("OPENSSPI_TEST_NONE"), text, 2), 0);
    assert_int_equal(GetLastError(), ERROR_ENVVAR_NOT_FOUND);
    OutputDebugString(_T("to nobody\n"));
}

static void test_counted(void **state)
{
    (void)state;
    UNICODE_STRING wide;
    ANSI_STRING narrow;
    RtlInitUnicodeString(&wide, L"NTLM");
    assert_int_equal(wide.Length, 8);
    assert_int_equal(wide.MaximumLength, 10);
    RtlInitUnicodeString(&wide, NULL);
    assert_int_equal(wide.Length + wide.MaximumLength, 0);
    assert_null(wide.Buffer);
    RtlInitAnsiString(&narrow, "NTLM");
    assert_int_equal(narrow.Length * 10 + narrow.MaximumLength, 45);
    static WCHAR longer[40000];
    wmemset(longer, 'x', 39999);
    RtlInitUnicodeString(&wide, longer);
    assert_int_equal(wide.Length, 65532);
    assert_int_equal(wide.MaximumLength, 65534);
    assert_int_equal(RtlNtStatusToDosError(STATUS_LOGON_FAILURE), ERROR_LOGON_FAILURE);
    assert_int_equal(RtlNtStatusToDosError(STATUS_SUCCESS), ERROR_SUCCESS);
    assert_int_equal(RtlNtStatusToDosError((NTSTATUS)0xC0DEC0DE), ERROR_MR_MID_NOT_FOUND);
    assert_int_equal(RtlNtStatusToDosError(STATUS_NO_SUCH_FILE), ERROR_FILE_NOT_FOUND);
    assert_int_equal(RtlNtStatusToDosError((NTSTATUS)0xC0000106),
                     206); /* STATUS_NAME_TOO_LONG: libopensspi's table is this one */
    assert_true(NT_SUCCESS(STATUS_PENDING) && !NT_SUCCESS(STATUS_LOGON_FAILURE) && NT_ERROR(STATUS_LOGON_FAILURE));
}

static void *other_thread(void *unused)
{
    (void)unused;
    SetLastError(7);
    return NULL;
}

static void test_last_error(void **state)
{
    (void)state;
    pthread_t thread;
    SetLastError(42);
    assert_int_equal(pthread_create(&thread, NULL, other_thread, NULL), 0);
    pthread_join(thread, NULL);
    assert_int_equal(GetLastError(), 42);
    /* The two libraries have one. */
    assert_false(IsValidSid(NULL));
    DWORD n = 0;
    assert_false(GetUserNameExA(NameSamCompatible, NULL, &n));
    assert_int_equal(GetLastError(), ERROR_MORE_DATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_user),        cmocka_unit_test(test_system_directory), cmocka_unit_test(test_computer),
        cmocka_unit_test(test_environment), cmocka_unit_test(test_counted),          cmocka_unit_test(test_last_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
