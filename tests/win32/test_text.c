/* Text of 16 bits, the lstr functions, bounds, and <tchar.h> and <strsafe.h> in both widths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <strsafe.h>
#include <sys/mman.h>
#include <tchar.h>
#include <unistd.h>
#include <windows.h>

/* L"" is what WCHAR is. */
_Static_assert(sizeof(L'x') == 2 && sizeof(WCHAR) == 2, "built with -fshort-wchar");

static void test_search(void **state)
{
    (void)state;
    const wchar_t *s = L"one/two/three";
    assert_int_equal(wcslen(s), 13);
    assert_int_equal(wcslen(L""), 0);
    assert_int_equal(wcsnlen(s, 5), 5);
    assert_int_equal(wcsnlen(s, 50), 13);
    assert_ptr_equal(wcschr(s, '/'), s + 3);
    assert_ptr_equal(wcschr(s, 0), s + 13);
    assert_null(wcschr(s, '?'));
    assert_ptr_equal(wcsrchr(s, '/'), s + 7);
    assert_ptr_equal(wcsrchr(s, 0), s + 13);
    assert_null(wcsrchr(s, '?'));
    assert_ptr_equal(wcsstr(s, L"two"), s + 4);
    assert_ptr_equal(wcsstr(s, L""), s);
    assert_null(wcsstr(s, L"threes"));
    assert_ptr_equal(wcspbrk(s, L"tw"), s + 4);
    assert_null(wcspbrk(s, L"xyz"));
    assert_int_equal(wcsspn(s, L"eno"), 3);
    assert_int_equal(wcscspn(s, L"/"), 3);
    assert_ptr_equal(wmemchr(s, 't', 5), s + 4);
    assert_null(wmemchr(s, 't', 4));
}

static void test_compare(void **state)
{
    (void)state;
    assert_int_equal(wcscmp(L"abc", L"abc"), 0);
    assert_true(wcscmp(L"abc", L"abd") < 0 && wcscmp(L"abd", L"abc") > 0 && wcscmp(L"ab", L"abc") < 0);
    assert_true(wcscmp(L"\xFFFF", L"a") > 0); /* units are unsigned */
    assert_int_equal(wcsncmp(L"abc", L"abd", 2), 0);
    assert_int_equal(_wcsicmp(L"GRÜN", L"grün"), 0);
    assert_true(_wcsicmp(L"a", L"b") < 0 && _wcsicmp(L"B", L"a") > 0);
    assert_int_equal(_wcsnicmp(L"ABx", L"aby", 2), 0);
    assert_int_equal(wmemcmp(L"ab", L"ab", 2), 0);
    assert_true(wmemcmp(L"ab", L"ac", 2) < 0 && wmemcmp(L"b", L"a", 1) > 0);
}

static void test_copy(void **state)
{
    (void)state;
    wchar_t to[8];
    assert_ptr_equal(wcscpy(to, L"abc"), to);
    assert_int_equal(wcscmp(wcscat(to, L"de"), L"abcde"), 0);
    assert_int_equal(wcscmp(wcsncat(to, L"fgh", 1), L"abcdef"), 0);
    wcsncpy(to, L"xy", 8); /* the rest is filled */
    for (size_t i = 2; i < 8; i++)
        assert_int_equal(to[i], 0);
    wcsncpy(to, L"0123456789", 8);
    assert_int_equal(to[7], '7'); /* and no NUL where there is no room */
    wmemset(to, 'z', 3);
    assert_int_equal(to[2], 'z');
    assert_int_equal(to[3], '3');
    wmemmove(to + 1, to, 3);
    assert_int_equal(wmemcmp(to, L"zzzz", 4), 0);
    assert_int_equal(wmemcmp(wmemcpy(to, L"ab", 2), L"abzz", 4), 0);
    wchar_t *copy = _wcsdup(L"copy");
    assert_int_equal(wcscmp(_wcsupr(copy), L"COPY"), 0);
    assert_int_equal(wcscmp(_wcslwr(copy), L"copy"), 0);
    free(copy);
}

static void test_tokens(void **state)
{
    (void)state;
    wchar_t s[] = L",,a,bc,", *next;
    assert_int_equal(wcscmp(wcstok(s, L",", &next), L"a"), 0);
    assert_int_equal(wcscmp(wcstok(NULL, L",", &next), L"bc"), 0);
    assert_null(wcstok(NULL, L",", &next));
    assert_null(wcstok(NULL, L",", &next));
}

static void test_numbers(void **state)
{
    (void)state;
    wchar_t *end;
    const wchar_t *s = L" \t-42x";
    assert_int_equal(wcstol(s, &end, 10), -42);
    assert_ptr_equal(end, s + 5);
    assert_int_equal(wcstol(L"0x1F", NULL, 0), 31);
    assert_int_equal(wcstol(L"017", NULL, 0), 15);
    assert_int_equal(wcstol(L"zz", NULL, 36), 35 * 36 + 35);
    s = L"0x";
    assert_int_equal(wcstol(s, &end, 16), 0);
    assert_ptr_equal(end, s + 1);
    s = L"none";
    assert_int_equal(wcstol(s, &end, 10), 0);
    assert_ptr_equal(end, s);
    errno = 0;
    assert_int_equal(wcstol(L"2147483648", NULL, 10), INT_MAX);
    assert_int_equal(errno, ERANGE);
    errno = 0;
    assert_int_equal(wcstol(L"-2147483648", NULL, 10), INT_MIN);
    assert_int_equal(errno, 0);
    assert_int_equal(wcstol(L"-2147483649", NULL, 10), INT_MIN);
    assert_int_equal(errno, ERANGE);
    assert_true(wcstoul(L"4294967295", NULL, 10) == 4294967295u);
    assert_true(wcstoul(L"-1", NULL, 10) == 4294967295u);
    errno = 0;
    assert_true(wcstoul(L"99999999999999999999999", NULL, 10) == 4294967295u);
    assert_int_equal(errno, ERANGE);
    assert_int_equal(_wtoi(L"123abc"), 123);
}

static void test_multibyte(void **state)
{
    (void)state;
    wchar_t wide[8];
    char narrow[16];
    assert_int_equal(mbstowcs(NULL, "a\xC3\xBC\xF0\x9F\x98\x80", 0), 4);
    assert_int_equal(mbstowcs(wide, "a\xC3\xBC\xF0\x9F\x98\x80", 8), 4);
    assert_int_equal(wcscmp(wide, L"aü\xD83D\xDE00"), 0);
    assert_int_equal(mbstowcs(wide, "a\xF0\x9F\x98\x80", 2), 1); /* no half of a pair */
    assert_int_equal(wcstombs(narrow, L"aü\xD83D\xDE00", sizeof narrow), 7);
    assert_string_equal(narrow, "a\xC3\xBC\xF0\x9F\x98\x80");
    assert_int_equal(wcstombs(NULL, L"ü", 0), 2);
    errno = 0;
    assert_true(mbstowcs(wide, "\xFF", 8) == (size_t)-1);
    assert_int_equal(errno, EILSEQ);
    assert_true(wcstombs(narrow, L"\xD800", 8) == (size_t)-1);
}

/* No more is looked at than is asked for: three characters at the end of a page, no NUL behind them, and what is no text behind what is wanted. */
static void test_multibyte_limit(void **state)
{
    (void)state;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), n = 0;
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED && mprotect(pages + page, page, PROT_NONE) == 0);
    const char *end = memcpy(pages + page - 3, "abc", 3);
    wchar_t wide[8] = L"xxxxx";
    char narrow[8] = "xxxxx";
    assert_int_equal(mbstowcs(wide, end, 3), 3);
    assert_int_equal(wcscmp(wide, L"abcxx"), 0);
    assert_int_equal(mbstowcs(wide, end, 0), 0);
    assert_int_equal(mbstowcs_s(&n, wide, 8, end, 3), 0);
    assert_true(n == 4 && wcscmp(wide, L"abc") == 0);
    const wchar_t *wide_end = (const wchar_t *)(void *)memcpy(pages + page - 6, L"abc", 6);
    assert_int_equal(wcstombs(narrow, wide_end, 3), 3);
    assert_string_equal(narrow, "abcxx");
    assert_int_equal(wcstombs_s(&n, narrow, 8, wide_end, 3), 0);
    assert_true(n == 4 && strcmp(narrow, "abc") == 0);
    munmap(pages, 2 * page);

    assert_int_equal(mbstowcs(wide, "abc\xff", 3), 3);
    assert_true(mbstowcs(wide, "abc\xff", 4) == (size_t)-1);
    assert_int_equal(wcstombs(narrow, L"abc\xD800", 3), 3);
    assert_true(wcstombs(narrow, L"abc\xD800", 4) == (size_t)-1);
    assert_true(mbstowcs(NULL, "abc\xff", 0) == (size_t)-1 && wcstombs(NULL, L"abc\xD800", 0) == (size_t)-1);
    assert_int_equal(mbstowcs_s(&n, wide, 8, "abc\xff", 3), 0);
    assert_true(n == 4 && wcscmp(wide, L"abc") == 0);
    assert_int_equal(wcstombs_s(&n, narrow, 8, L"abc\xD800", 3), 0);
    assert_true(n == 4 && strcmp(narrow, "abc") == 0);
    assert_int_equal(mbstowcs_s(&n, wide, 8, "abc\xff", 4), EILSEQ);
    assert_true(n == 0 && wide[0] == 0);
    assert_int_equal(mbstowcs_s(&n, wide, 4, "abc\xff", _TRUNCATE), STRUNCATE);
    assert_true(n == 4 && wcscmp(wide, L"abc") == 0);
    assert_int_equal(mbstowcs_s(&n, wide, 4, "abc", _TRUNCATE), 0);
    assert_int_equal(mbstowcs_s(&n, wide, 2, "a\360\237\230\200", 5), ERANGE); /* half of a pair has room */
    assert_true(n == 0 && wide[0] == 0);
    assert_int_equal(wcstombs_s(&n, narrow, 3, L"ab\u00fc", 5), ERANGE);
    assert_true(n == 0 && narrow[0] == 0);
}

static void test_lstr(void **state)
{
    (void)state;
    WCHAR wide[8];
    char narrow[8];
    assert_int_equal(lstrlenA(NULL) + lstrlenW(NULL), 0);
    assert_int_equal(lstrlenA("abc") + lstrlenW(L"de"), 5);
    assert_string_equal(lstrcpyA(narrow, "ab"), "ab");
    assert_string_equal(lstrcatA(narrow, "cd"), "abcd");
    assert_null(lstrcpyA(narrow, NULL));
    assert_string_equal(lstrcpynA(narrow, "hello", 4), "hel");
    assert_null(lstrcpynA(narrow, "hello", 0));
    assert_int_equal(wcscmp(lstrcpyW(wide, L"ab"), L"ab"), 0);
    assert_int_equal(wcscmp(lstrcatW(wide, L"cd"), L"abcd"), 0);
    assert_int_equal(wcscmp(lstrcpynW(wide, L"hello", 4), L"hel"), 0);
    assert_null(lstrcpyW(NULL, L"x"));
    assert_null(lstrcatA(NULL, "x"));
    assert_null(lstrcatW(wide, NULL));
    assert_null(lstrcpynW(wide, NULL, 3));
    assert_int_equal(lstrcmpA("a", "b"), -1);
    assert_int_equal(lstrcmpA(NULL, "b"), -1);
    assert_int_equal(lstrcmpA(NULL, NULL), 0);
    assert_int_equal(lstrcmpW(L"b", L"a"), 1);
    assert_int_equal(lstrcmpW(L"b", NULL), 1);
    assert_int_equal(lstrcmpiA("Secur32", "sECUR32"), 0);
    assert_int_equal(lstrcmpiW(L"Grün", L"GRÜN"), 0);
}

static void test_bounds(void **state)
{
    (void)state;
    char narrow[6];
    WCHAR wide[6];
    assert_int_equal(strcpy_s(narrow, 6, "hello"), 0);
    assert_int_equal(strcpy_s(narrow, 5, "hello"), ERANGE);
    assert_string_equal(narrow, "");
    assert_int_equal(strcpy_s(narrow, 0, "x"), EINVAL);
    assert_int_equal(strcpy_s(narrow, 6, NULL), EINVAL);
    assert_int_equal(strcpy_s(narrow, 6, "ab") + strcat_s(narrow, 6, "cde"), 0);
    assert_string_equal(narrow, "abcde");
    assert_int_equal(strcat_s(narrow, 6, "f"), ERANGE);
    assert_string_equal(narrow, "");
    assert_int_equal(strncpy_s(narrow, 6, "abcdefgh", 3), 0);
    assert_string_equal(narrow, "abc");
    assert_int_equal(strncpy_s(narrow, 6, "abcdefgh", _TRUNCATE), STRUNCATE);
    assert_string_equal(narrow, "abcde");
    assert_int_equal(strncpy_s(narrow, 6, "abcde", _TRUNCATE), 0);
    assert_int_equal(strncpy_s(narrow, 6, "ab", 2) + strncat_s(narrow, 6, "cdefg", 2), 0);
    assert_string_equal(narrow, "abcd");
    assert_int_equal(strncat_s(narrow, 6, "efg", _TRUNCATE), STRUNCATE);
    assert_string_equal(narrow, "abcde");
    assert_int_equal(strncat_s(narrow, 6, "fg", 2), ERANGE);
    memset(narrow, 'x', sizeof narrow);
    assert_int_equal(strcat_s(narrow, 6, "y"), EINVAL); /* no text */
    assert_int_equal(wcscpy_s(wide, 6, L"hello"), 0);
    assert_int_equal(wcscpy_s(wide, 5, L"hello"), ERANGE);
    assert_int_equal(wide[0], 0);
    assert_int_equal(wcscat_s(wide, 6, L"abc"), 0);
    assert_int_equal(wcscat_s(wide, 6, L"def"), ERANGE);
    assert_int_equal(wcsncpy_s(wide, 6, L"abcdef", _TRUNCATE), STRUNCATE);
    assert_int_equal(wcscmp(wide, L"abcde"), 0);
    assert_int_equal(wcscpy_s(wide, 6, L"ab") + wcsncat_s(wide, 6, L"cdef", 1), 0);
    assert_int_equal(wcscmp(wide, L"abc"), 0);
    assert_int_equal(memcpy_s(narrow, 6, "ab", 3), 0);
    assert_int_equal(memcpy_s(narrow, 2, "ab", 3), ERANGE);
    assert_int_equal(narrow[0], 0);
    assert_int_equal(memcpy_s(NULL, 2, "ab", 1), EINVAL);
    assert_int_equal(memcpy_s(narrow, 2, NULL, 1), EINVAL);
}

static void test_convert_with_bounds(void **state)
{
    (void)state;
    char narrow[8];
    WCHAR wide[8];
    size_t n;
    assert_int_equal(mbstowcs_s(&n, NULL, 0, "Gr\303\274n", 0), 0);
    assert_int_equal(n, 5);
    assert_int_equal(mbstowcs_s(&n, wide, 8, "Gr\303\274n", 7), 0);
    assert_true(n == 5 && wcscmp(wide, L"Gr\u00fcn") == 0);
    assert_int_equal(mbstowcs_s(NULL, wide, 8, "Gr\303\274n", 3), 0);
    assert_int_equal(wcscmp(wide, L"Gr\u00fc"), 0);
    assert_int_equal(mbstowcs_s(&n, wide, 4, "Gr\303\274n", 4), ERANGE);
    assert_true(n == 0 && wide[0] == 0);
    assert_int_equal(mbstowcs_s(&n, wide, 4, "Gr\303\274n", _TRUNCATE), STRUNCATE);
    assert_true(n == 4 && wide[3] == 0);
    assert_int_equal(mbstowcs_s(&n, wide, 3, "a\360\237\230\200b", _TRUNCATE), STRUNCATE); /* not within a pair */
    assert_true(n == 2 && wcscmp(wide, L"a") == 0);
    assert_int_equal(mbstowcs_s(&n, wide, 8, "\377", 7), EILSEQ);
    assert_int_equal(mbstowcs_s(&n, NULL, 8, "x", 1), EINVAL);
    assert_int_equal(mbstowcs_s(&n, wide, 8, NULL, 1), EINVAL);
    assert_int_equal(wcstombs_s(&n, NULL, 0, L"Gr\u00fcn", 0), 0);
    assert_int_equal(n, 6);
    assert_int_equal(wcstombs_s(&n, narrow, 8, L"Gr\u00fcn", 7), 0);
    assert_string_equal(narrow, "Gr\303\274n");
    assert_int_equal(wcstombs_s(&n, narrow, 5, L"Gr\u00fcn", 7), ERANGE);
    assert_int_equal(wcstombs_s(&n, narrow, 4, L"Gr\u00fcn", _TRUNCATE), STRUNCATE); /* not within a character */
    assert_true(n == 3 && strcmp(narrow, "Gr") == 0);
}

/* A long of Microsoft's has 32 bits, in narrow text as in wide. */
static void check_limits(void)
{
    static const struct {
        const TCHAR *text;
        int base, error;
        uint32_t value;
    } rows[] = {
        {_T("4294967295"), 10, 0, UINT32_MAX},
        {_T("4294967296"), 10, ERANGE, UINT32_MAX},
        {_T("4294967297"), 10, ERANGE, UINT32_MAX},
        {_T("0x180090308"), 0, ERANGE, UINT32_MAX},
        {_T("-1"), 10, 0, UINT32_MAX},
        {_T(" -4294967295"), 10, 0, 1},
        {_T("-4294967296"), 10, ERANGE, UINT32_MAX},
        {_T("99999999999999999999"), 10, ERANGE, UINT32_MAX},
        {_T("-99999999999999999999"), 10, ERANGE, UINT32_MAX},
        {_T("0x80090308"), 16, 0, 0x80090308},
    };
    for (size_t i = 0; i < _countof(rows); i++) {
        TCHAR *end;
        errno = 0;
        assert_true(_tcstoul(rows[i].text, &end, rows[i].base) == rows[i].value);
        assert_int_equal(errno, rows[i].error);
        assert_int_equal(*end, 0);
    }
    errno = 0;
    assert_true(_tcstol(_T("2147483647"), NULL, 10) == INT32_MAX && _tcstol(_T("-2147483648"), NULL, 10) == INT32_MIN);
    assert_int_equal(errno, 0);
    assert_true(_tcstol(_T("2147483648"), NULL, 10) == INT32_MAX && errno == ERANGE);
    assert_true(_tcstol(_T("-2147483649"), NULL, 10) == INT32_MIN && _ttol(_T("4294967297")) == INT32_MAX);
    assert_true(_tstol(_T("-5")) == -5);
}

static void test_tchar(void **state)
{
    (void)state;
    TCHAR text[32];
    _tcscpy(text, _T("Nego"));
    _tcscat(text, TEXT("tiate"));
    assert_int_equal(_tcslen(text), 9);
    assert_int_equal(_tcsicmp(text, _T("NEGOTIATE")), 0);
    assert_int_equal(_tcsncmp(text, _T("Nego!"), 4), 0);
    assert_ptr_equal(_tcschr(text, _T('t')), text + 4);
    assert_ptr_equal(_tcsstr(text, _T("ate")), text + 6);
    assert_int_equal(_sntprintf(text, _countof(text), _T("%s-%u"), _T("x"), 7u), 3);
    assert_int_equal(_tcscmp(text, _T("x-7")), 0);
    assert_int_equal(_stprintf_s(text, _countof(text), _T("%d"), -5), 2);
    assert_int_equal(lstrlen(text), 2);
    assert_int_equal(_ttoi(_T("12")), 12);
    assert_int_equal(_tcstol(_T("-3"), NULL, 10), -3);
    TCHAR list[] = _T("a,b,,c");
    assert_int_equal(*_tcstok(list, _T(",")), 'a');
    assert_int_equal(*_tcstok(NULL, _T(",")), 'b');
    assert_int_equal(*_tcstok(NULL, _T(",")), 'c');
    assert_null(_tcstok(NULL, _T(",")));
    TCHAR letters[] = _T("Mixed 1");
    assert_int_equal(_tcscmp(_tcsupr(letters), _T("MIXED 1")), 0);
    assert_int_equal(_tcscmp(_tcslwr(letters), _T("mixed 1")), 0);
    assert_true(_istdigit(letters[6]) && _istspace(letters[5]) && _istalpha(letters[0]) &&
                _totupper(letters[0]) == 'M');
    assert_int_equal(_stprintf(list, _T("%d"), 12345), 5);
    assert_int_equal(_tstoi(list) + _ttol(list), 24690);
    assert_int_equal(_sctprintf(_T("%s!"), list), 6);
    check_limits();
    TCHAR *copy = _tcsdup(text);
    assert_int_equal(lstrcmp(copy, text), 0);
    free(copy);
    assert_int_equal(_tcscpy_s(text, 2, _T("abc")), ERANGE);
}

static void test_strsafe(void **state)
{
    (void)state;
    TCHAR text[8];
    size_t n = 99;
    assert_int_equal(StringCchCopy(text, _countof(text), _T("abc")), S_OK);
    assert_int_equal(StringCchLength(text, _countof(text), &n), S_OK);
    assert_int_equal(n, 3);
    assert_int_equal(StringCchLength(text, 3, &n), STRSAFE_E_INVALID_PARAMETER);
    assert_int_equal(n, 0);
    assert_int_equal(StringCchCat(text, _countof(text), _T("defg")), S_OK);
    assert_int_equal(StringCchCat(text, _countof(text), _T("h")), STRSAFE_E_INSUFFICIENT_BUFFER);
    assert_int_equal(_tcscmp(text, _T("abcdefg")), 0);
    assert_int_equal(StringCchCopy(text, 4, _T("12345")), STRSAFE_E_INSUFFICIENT_BUFFER);
    assert_int_equal(_tcscmp(text, _T("123")), 0);
    assert_int_equal(StringCchCopyN(text, 8, _T("12345"), 2), S_OK);
    assert_int_equal(_tcscmp(text, _T("12")), 0);
    assert_int_equal(StringCchCatN(text, 8, _T("345"), 1), S_OK);
    assert_int_equal(StringCchCopy(text, 0, _T("")), STRSAFE_E_INVALID_PARAMETER);
    assert_int_equal(StringCchCopy(text, (size_t)STRSAFE_MAX_CCH + 1, _T("")), STRSAFE_E_INVALID_PARAMETER);
    assert_int_equal(StringCchPrintf(text, 8, _T("%s%d"), _T("ab"), 12345), S_OK);
    assert_int_equal(StringCchPrintf(text, 8, _T("%s%d"), _T("ab"), 123456), STRSAFE_E_INSUFFICIENT_BUFFER);
    assert_int_equal(_tcscmp(text, _T("ab12345")), 0);
    assert_int_equal(StringCbCopy(text, sizeof text, _T("abcdefg")), S_OK);
    assert_int_equal(StringCbLength(text, sizeof text, &n), S_OK);
    assert_int_equal(n, 7 * sizeof(TCHAR));
    assert_int_equal(StringCbCat(text, sizeof text, _T("h")), STRSAFE_E_INSUFFICIENT_BUFFER);
    assert_int_equal(StringCbCopyN(text, sizeof text, _T("abc"), 2 * sizeof(TCHAR)), S_OK);
    assert_int_equal(StringCbCatN(text, sizeof text, _T("xyz"), sizeof(TCHAR)), S_OK);
    assert_int_equal(_tcscmp(text, _T("abx")), 0);
    assert_int_equal(StringCbPrintf(text, sizeof text, _T("%x"), 255), S_OK);
    assert_int_equal(_tcscmp(text, _T("ff")), 0);
}

/* A format that is none leaves no text, not what was in the buffer; one that fails behind some of it leaves that. */
static void test_strsafe_bad_format(void **state)
{
    (void)state;
    char narrow[16];
    WCHAR wide[16];
    memset(narrow, 'x', sizeof narrow);
    memset(wide, 'x', sizeof wide);
    assert_int_equal(StringCchPrintfA(narrow, 16, "%'d", 5), STRSAFE_E_INSUFFICIENT_BUFFER);
    assert_string_equal(narrow, "");
    assert_int_equal(StringCchPrintfW(wide, 16, L"%'d", 5), STRSAFE_E_INSUFFICIENT_BUFFER);
    assert_int_equal(wide[0], 0);
    memset(narrow, 'x', sizeof narrow);
    memset(wide, 'x', sizeof wide);
    assert_int_equal(StringCbPrintfA(narrow, sizeof narrow, "ab%'d", 5), STRSAFE_E_INSUFFICIENT_BUFFER);
    assert_string_equal(narrow, "ab");
    assert_int_equal(StringCbPrintfW(wide, sizeof wide, L"ab%'d", 5), STRSAFE_E_INSUFFICIENT_BUFFER);
    assert_int_equal(wcscmp(wide, L"ab"), 0);
    assert_int_equal(StringCchPrintfA(narrow, 4, "%s", "abc"), S_OK);
    assert_int_equal(StringCchPrintfA(narrow, 4, "%s", "abcd"), STRSAFE_E_INSUFFICIENT_BUFFER);
    assert_string_equal(narrow, "abc");
    assert_int_equal(StringCchPrintfW(wide, 4, L"%s", L"abcd"), STRSAFE_E_INSUFFICIENT_BUFFER);
    assert_int_equal(wcscmp(wide, L"abc"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_multibyte),
        cmocka_unit_test(test_multibyte_limit),
        cmocka_unit_test(test_lstr),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_convert_with_bounds),
        cmocka_unit_test(test_tchar),
        cmocka_unit_test(test_strsafe),
        cmocka_unit_test(test_strsafe_bad_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
