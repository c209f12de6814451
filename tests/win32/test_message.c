/* FormatMessage in both widths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ntstatus.h>
#include <tchar.h>
#include <windows.h>

static TCHAR text[400];

#define FROM_STRING(flags, message, arguments) \
    FormatMessage(FORMAT_MESSAGE_FROM_STRING | (flags), message, 0, 0, text, _countof(text), arguments)

#define assert_text(expected)                         \
    do {                                              \
        if (_tcscmp(text, expected) != 0)             \
            _tprintf(_T("got [%s]\n"), text);         \
        assert_int_equal(_tcscmp(text, expected), 0); \
    } while (0)

/* With arguments on the stack. */
static DWORD format(DWORD flags, const TCHAR *message, ...)
{
    va_list list;
    va_start(list, message);
    DWORD n = FROM_STRING(flags, message, &list);
    va_end(list);
    return n;
}

static void test_system(void **state)
{
    (void)state;
    static const DWORD codes[] = {ERROR_SUCCESS,
                                  ERROR_MOD_NOT_FOUND,
                                  ERROR_LOGON_FAILURE,
                                  WSAECONNREFUSED,
                                  (DWORD)SEC_E_LOGON_DENIED,
                                  (DWORD)SEC_I_CONTINUE_NEEDED,
                                  (DWORD)SEC_E_ONLY_HTTPS_ALLOWED,
                                  (DWORD)CERT_E_UNTRUSTEDROOT,
                                  (DWORD)TRUST_E_CERT_SIGNATURE,
                                  (DWORD)CRYPT_E_NOT_FOUND,
                                  (DWORD)NTE_BAD_KEYSET,
                                  (DWORD)STATUS_ACCOUNT_LOCKED_OUT,
                                  (DWORD)HRESULT_FROM_NT(STATUS_LOGON_FAILURE),
                                  (DWORD)E_ACCESSDENIED,
                                  (DWORD)E_FAIL};
    for (size_t i = 0; i < _countof(codes); i++) {
        DWORD n = FormatMessage(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, codes[i],
                                MAKELANGID(LANG_NEUTRAL, SUBLANG_DEFAULT), text, _countof(text), NULL);
        assert_true(n > 4 && n == _tcslen(text));
        assert_int_equal(_tcscmp(text + n - 3, _T(".\r\n")), 0);
    }
    FormatMessage(FORMAT_MESSAGE_FROM_SYSTEM, NULL, ERROR_ACCESS_DENIED, 0, text, _countof(text), NULL);
    assert_text(_T("Access is denied.\r\n"));
    FormatMessage(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_MAX_WIDTH_MASK, NULL, (DWORD)E_ACCESSDENIED, 0, text,
                  _countof(text), NULL);
    assert_text(_T("Access is denied. "));
}

static void test_failures(void **state)
{
    (void)state;
    text[0] = 'x';
    SetLastError(0);
    assert_int_equal(FormatMessage(FORMAT_MESSAGE_FROM_SYSTEM, NULL, 0x12345678, 0, text, _countof(text), NULL), 0);
    assert_int_equal(GetLastError(), ERROR_MR_MID_NOT_FOUND);
    assert_int_equal(
        FormatMessage(FORMAT_MESSAGE_FROM_SYSTEM, NULL, 5, MAKELANGID(0x07, 1), text, _countof(text), NULL), 0);
    assert_int_equal(GetLastError(), ERROR_RESOURCE_LANG_NOT_FOUND);
    assert_int_equal(FormatMessage(FORMAT_MESSAGE_FROM_SYSTEM, NULL, 5, 0, text, 19, NULL), 0);
    assert_int_equal(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
    assert_int_equal(FormatMessage(FORMAT_MESSAGE_FROM_SYSTEM, NULL, 5, 0, text, 20, NULL), 19);
    assert_int_equal(FormatMessage(FORMAT_MESSAGE_FROM_STRING, NULL, 0, 0, text, _countof(text), NULL), 0);
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_int_equal(FormatMessage(FORMAT_MESSAGE_FROM_SYSTEM, NULL, 5, 0, NULL, 20, NULL), 0);
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_int_equal(FormatMessage(0, NULL, 5, 0, text, 20, NULL), 0);
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_int_equal(FormatMessage(FORMAT_MESSAGE_FROM_HMODULE, NULL, 5, 0, text, 20, NULL), 0);
    assert_int_equal(GetLastError(), ERROR_MR_MID_NOT_FOUND);
    assert_int_equal(FROM_STRING(0, _T("%1"), NULL), 0); /* there are no arguments */
    assert_int_equal(FROM_STRING(0, _T("%1!s"), NULL), 0);
}

static void test_inserts(void **state)
{
    (void)state;
    assert_int_equal(format(0, _T("%1 %2!d! %3!08lX!"), _T("a"), 5, 0x80090308), 12);
    assert_text(_T("a 5 80090308"));
    format(0, _T("%2 %1 %2"), _T("a"), _T("b"));
    assert_text(_T("b a b"));
    format(0, _T("[%1!5s!] [%1!-5s!] [%1!.1s!]"), _T("ab"));
    assert_text(_T("[   ab] [ab   ] [a]"));
    format(0, _T("[%1!*s!] [%3!*.*s!]"), 4, _T("ab"), 6, 2, _T("abcd"));
    assert_text(_T("[  ab] [    ab]"));
    format(0, _T("%1!c!%2!u!%3!I64d!"), _T('x'), 4000000000u, -1ll);
    assert_text(_T("x4000000000-1"));
    format(0, _T("%1!hs! %2!ls!"), "narrow", L"wide");
    assert_text(_T("narrow wide"));
    DWORD_PTR array[] = {(DWORD_PTR) _T("a"), (DWORD_PTR)-7, 255};
    FROM_STRING(FORMAT_MESSAGE_ARGUMENT_ARRAY, _T("%3!x! %2!d! %1"), (va_list *)array);
    assert_text(_T("ff -7 a"));
    DWORD_PTR many[12];
    for (size_t i = 0; i < 12; i++)
        many[i] = i + 1;
    FROM_STRING(FORMAT_MESSAGE_ARGUMENT_ARRAY, _T("%12!u!,%1!u!0"), (va_list *)many);
    assert_text(_T("12,10"));
}

static void test_escapes(void **state)
{
    (void)state;
    format(0, _T("a%%b%nc%td% e%.%!f"));
    assert_text(_T("a%b\r\nc\td e.!f"));
    format(0, _T("cut%0off"));
    assert_text(_T("cut"));
    format(0, _T("a\nb\r\nc"));
    assert_text(_T("a\r\nb\r\nc"));
    format(FORMAT_MESSAGE_MAX_WIDTH_MASK, _T("a\nb\r\nc%nd"));
    assert_text(_T("a b c\r\nd"));
    FROM_STRING(FORMAT_MESSAGE_IGNORE_INSERTS, _T("%1 and %2!d!"), NULL);
    assert_text(_T("%1 and %2!d!"));
    FROM_STRING(FORMAT_MESSAGE_IGNORE_INSERTS, _T("a%%b%.c% %!%n%r%t%0 gone"), NULL);
    assert_text(_T("a%%b%.c% %!\r\n\r\t"));
    assert_int_equal(FROM_STRING(FORMAT_MESSAGE_IGNORE_INSERTS, _T("a%"), NULL), 0);
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_int_equal(format(0, _T("a%")), 0);
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_int_equal(format(0, _T("%0gone")), 0);
    assert_int_equal(GetLastError(), ERROR_NO_WORK_DONE);
}

static void test_width(void **state)
{
    (void)state;
    format(10, _T("one two three\nfour five"));
    assert_text(_T("one two\r\nthree four\r\nfive"));
    format(3, _T("unbreakable word"));
    assert_text(_T("unbreakable\r\nword"));
    format(20, _T("%1"), _T("one two three four five"));
    assert_text(_T("one two three four\r\nfive"));
}

static void test_allocate(void **state)
{
    (void)state;
    LPTSTR made = NULL;
    DWORD n = FormatMessage(FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_SYSTEM, NULL,
                            (DWORD)SEC_E_LOGON_DENIED, 0, (LPTSTR)&made, 0, NULL);
    assert_non_null(made);
    assert_int_equal(n, _tcslen(made));
    assert_int_equal(LocalSize(made), (n + 1) * sizeof(TCHAR));
    assert_null(LocalFree(made));
    FormatMessage(FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_STRING, _T("a"), 0, 0, (LPTSTR)&made, 100, NULL);
    assert_int_equal(LocalSize(made), 100 * sizeof(TCHAR));
    assert_null(LocalFree(made));
    made = text;
    assert_int_equal(FormatMessage(FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_SYSTEM, NULL, 0x12345678, 0,
                                   (LPTSTR)&made, 0, NULL),
                     0);
    assert_null(made);
    made = NULL;
    assert_int_equal(FormatMessage(FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_STRING, _T(""), 0, 0,
                                   (LPTSTR)&made, 0, NULL),
                     0);
    assert_int_equal(GetLastError(), ERROR_NO_WORK_DONE);
    assert_null(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_system),  cmocka_unit_test(test_failures), cmocka_unit_test(test_inserts),
        cmocka_unit_test(test_escapes), cmocka_unit_test(test_width),    cmocka_unit_test(test_allocate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
