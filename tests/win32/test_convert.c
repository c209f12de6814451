/* MultiByteToWideChar and WideCharToMultiByte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <windows.h>

static WCHAR wide[32];
static char narrow[32];

static void test_there(void **state)
{
    (void)state;
    assert_int_equal(MultiByteToWideChar(CP_UTF8, 0, "gr\xC3\xBCn", -1, wide, 32), 5);
    assert_int_equal(wcscmp(wide, L"grün"), 0);
    assert_int_equal(MultiByteToWideChar(CP_UTF8, 0, "gr\xC3\xBCn", 5, wide, 32), 4); /* no NUL that was not given */
    assert_int_equal(MultiByteToWideChar(CP_ACP, MB_PRECOMPOSED, "gr\xC3\xBCn", -1, NULL, 0), 5);
    assert_int_equal(MultiByteToWideChar(CP_UTF8, 0, "\xF0\x9F\x98\x80", -1, wide, 32), 3);
    assert_int_equal(wcscmp(wide, L"\xD83D\xDE00"), 0);
    assert_int_equal(MultiByteToWideChar(28591, 0, "\xFC", 1, wide, 32), 1);
    assert_int_equal(wide[0], 0xFC);
    assert_int_equal(MultiByteToWideChar(20127, 0, "\xFC", 1, wide, 32), 1);
    assert_int_equal(wide[0], 0xFFFD);
    assert_int_equal(GetACP(), CP_UTF8);
}

static void assert_replaced(const char *bytes, const WCHAR *expected)
{
    assert_int_equal(MultiByteToWideChar(CP_UTF8, 0, bytes, -1, wide, 32), wcslen(expected) + 1);
    assert_int_equal(wcscmp(wide, expected), 0);
    SetLastError(0);
    assert_int_equal(MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, bytes, -1, wide, 32), 0);
    assert_int_equal(GetLastError(), ERROR_NO_UNICODE_TRANSLATION);
}

/* Unicode 15 3.9, table 3-8 and the rule above it. */
static void test_invalid(void **state)
{
    (void)state;
    assert_replaced("\xFF", L"\xFFFD");
    assert_replaced("\xC3z", L"\xFFFDz");
    assert_replaced("\xC0\xAF", L"\xFFFD\xFFFD");
    assert_replaced("\xE2\x82", L"\xFFFD");
    assert_replaced("\xE0\x80\x80", L"\xFFFD\xFFFD\xFFFD");
    assert_replaced("\xED\xA0\x80", L"\xFFFD\xFFFD\xFFFD");
    assert_replaced("\xF4\x91\x92\x93\xFF"
                    "A",
                    L"\xFFFD\xFFFD\xFFFD\xFFFD\xFFFD"
                    L"A");
    assert_replaced("\xF1\x80\x80\xE1\x80\xC2"
                    "b",
                    L"\xFFFD\xFFFD\xFFFD"
                    L"b");
}

static void test_back(void **state)
{
    (void)state;
    BOOL used = 7;
    assert_int_equal(WideCharToMultiByte(CP_UTF8, 0, L"grün", -1, narrow, 32, NULL, NULL), 6);
    assert_string_equal(narrow, "gr\xC3\xBCn");
    assert_int_equal(WideCharToMultiByte(CP_UTF8, 0, L"\xD83D\xDE00", 2, NULL, 0, NULL, NULL), 4);
    assert_int_equal(WideCharToMultiByte(CP_UTF8, 0, L"\xD83Dz", -1, narrow, 32, NULL, NULL), 5);
    assert_string_equal(narrow, "\xEF\xBF\xBDz");
    assert_int_equal(WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, L"\xDE00", -1, narrow, 32, NULL, NULL), 0);
    assert_int_equal(GetLastError(), ERROR_NO_UNICODE_TRANSLATION);
    assert_int_equal(WideCharToMultiByte(CP_ACP, 0, L"ok", -1, narrow, 32, NULL, &used), 3);
    assert_int_equal(used, FALSE);
    assert_int_equal(WideCharToMultiByte(CP_ACP, 0, L"\xDE00", -1, narrow, 32, "!", &used), 2);
    assert_string_equal(narrow, "!");
    assert_int_equal(used, TRUE);
    assert_int_equal(WideCharToMultiByte(28591, WC_NO_BEST_FIT_CHARS, L"ü\x20AC", -1, narrow, 32, NULL, &used), 3);
    assert_string_equal(narrow, "\xFC?");
    assert_int_equal(used, TRUE);
    assert_int_equal(WideCharToMultiByte(20127, 0, L"aü", -1, narrow, 32, "_", &used), 3);
    assert_string_equal(narrow, "a_");
}

#define assert_refused(call, error)              \
    do {                                         \
        SetLastError(0);                         \
        assert_int_equal(call, 0);               \
        assert_int_equal(GetLastError(), error); \
    } while (0)

static void test_refused(void **state)
{
    (void)state;
    BOOL used;
    assert_refused(MultiByteToWideChar(CP_UTF8, 0, "abc", -1, wide, 3), ERROR_INSUFFICIENT_BUFFER);
    assert_int_equal(MultiByteToWideChar(CP_UTF8, 0, "abc", -1, wide, 4), 4);
    assert_refused(MultiByteToWideChar(CP_UTF8, 0, "\xF0\x9F\x98\x80", 4, wide, 1), ERROR_INSUFFICIENT_BUFFER);
    assert_refused(MultiByteToWideChar(CP_UTF8, MB_PRECOMPOSED, "abc", -1, wide, 4), ERROR_INVALID_FLAGS);
    assert_refused(MultiByteToWideChar(CP_ACP, MB_PRECOMPOSED | MB_COMPOSITE, "abc", -1, wide, 4), ERROR_INVALID_FLAGS);
    assert_refused(MultiByteToWideChar(932, 0, "abc", -1, wide, 4), ERROR_INVALID_PARAMETER);
    assert_refused(MultiByteToWideChar(CP_UTF8, 0, NULL, -1, wide, 4), ERROR_INVALID_PARAMETER);
    assert_refused(MultiByteToWideChar(CP_UTF8, 0, "abc", 0, wide, 4), ERROR_INVALID_PARAMETER);
    assert_refused(MultiByteToWideChar(CP_UTF8, 0, "abc", -2, wide, 4), ERROR_INVALID_PARAMETER);
    assert_refused(MultiByteToWideChar(CP_UTF8, 0, "abc", -1, NULL, 4), ERROR_INVALID_PARAMETER);
    assert_refused(MultiByteToWideChar(CP_UTF8, 0, "abc", -1, wide, -1), ERROR_INVALID_PARAMETER);
    assert_refused(WideCharToMultiByte(CP_UTF8, 0, L"abc", -1, narrow, 3, NULL, NULL), ERROR_INSUFFICIENT_BUFFER);
    assert_refused(WideCharToMultiByte(CP_UTF8, 0, L"ü", 1, narrow, 1, NULL, NULL), ERROR_INSUFFICIENT_BUFFER);
    assert_refused(WideCharToMultiByte(CP_UTF8, 0, L"a", 1, narrow, 1, "?", NULL), ERROR_INVALID_PARAMETER);
    assert_refused(WideCharToMultiByte(CP_UTF8, 0, L"a", 1, narrow, 1, NULL, &used), ERROR_INVALID_PARAMETER);
    assert_refused(WideCharToMultiByte(CP_UTF8, WC_NO_BEST_FIT_CHARS, L"a", 1, narrow, 1, NULL, NULL),
                   ERROR_INVALID_FLAGS);
    assert_refused(WideCharToMultiByte(CP_ACP, 0, L"a", 0, narrow, 1, NULL, NULL), ERROR_INVALID_PARAMETER);
    assert_refused(WideCharToMultiByte(CP_ACP, 0, NULL, 1, narrow, 1, NULL, NULL), ERROR_INVALID_PARAMETER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_back),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
