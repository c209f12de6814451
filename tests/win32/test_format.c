/* The printf functions and wsprintf. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

#define assert_narrow(expected, ...)                                                    \
    do {                                                                                \
        char text_[300];                                                                \
        assert_int_equal(snprintf(text_, sizeof text_, __VA_ARGS__), strlen(expected)); \
        assert_string_equal(text_, expected);                                           \
    } while (0)

#define assert_wide(expected, ...)                                                         \
    do {                                                                                   \
        WCHAR text_[300];                                                                  \
        assert_int_equal(swprintf(text_, _countof(text_), __VA_ARGS__), wcslen(expected)); \
        assert_int_equal(wcscmp(text_, expected), 0);                                      \
    } while (0)

static void test_text(void **state)
{
    (void)state;
    assert_narrow("a b c d e", "%s %S %ls %hs %ws", "a", L"b", L"c", "d", L"e");
    assert_wide(L"a b c d e", L"%s %S %ls %hs %ws", L"a", "b", L"c", "d", L"e");
    assert_narrow("x y z", "%c %C %lc", 'x', L'y', L'z');
    assert_wide(L"x y z", L"%c %C %hc", L'x', 'y', 'z');
    assert_narrow("\xC3\xBC\xF0\x9F\x98\x80", "%ls", L"ü\xD83D\xDE00");
    assert_wide(L"ü\xD83D\xDE00", L"%hs", "\xC3\xBC\xF0\x9F\x98\x80");
    assert_narrow("\xEF\xBF\xBD", "%ls", L"\xD800"); /* an unpaired surrogate */
    assert_wide(L"\xFFFD\xFFFDz", L"%hs", "\xE2\x82\xFFz");
    assert_narrow("[   ab] [ab   ] [ab]", "[%5s] [%-5s] [%.2s]", "ab", "ab", "abcd");
    assert_narrow("[   ab] [ab   ]", "[%*s] [%*s]", 5, "ab", -5, "ab");
    assert_narrow("[ab]", "[%.*s]", 2, "abcd");
    assert_narrow("[  \xC3\xBC]", "[%4ls]", L"ü"); /* bytes of the output */
    assert_narrow("(null) (null)", "%s %S", (char *)NULL, (wchar_t *)NULL);
    assert_narrow("100%", "%d%%", 100);
    assert_narrow("", "%");
    assert_narrow("end", "end%");
}

static void test_numbers(void **state)
{
    (void)state;
    DWORD dword = 0xFFFFFFFF;
    LONG negative = -1;
    assert_narrow("-5 +5  5 00005 5    ", "%d %+d % d %05d %-5d", -5, 5, 5, 5, 5);
    assert_narrow("ff FF 0xff 377", "%x %X %#x %o", 255, 255, 255, 255);
    assert_narrow("4294967295 ffffffff", "%lu %lx", dword, dword);
    assert_narrow("-1 -1", "%ld %li", negative, negative);
    assert_narrow("4294967295", "%lu", 4294967295ul);
    assert_narrow("-1", "%ld", -1l);
    assert_narrow("18446744073709551615 -1 7", "%I64u %I64d %I32d", ~0ull, -1ll, 7);
    assert_narrow("18446744073709551615 9", "%llu %Iu", ~0ull, (size_t)9);
    assert_narrow("12 34", "%zu %td", (size_t)12, (ptrdiff_t)34);
    assert_narrow("-1 65535 -1 255", "%hd %hu %hhd %hhu", 65535, 65535, 255, 255);
    assert_narrow("00001234", "%08lx", (unsigned long)0x1234);
    assert_narrow("0x8009030C", "0x%08lX", (unsigned long)SEC_E_LOGON_DENIED);
    assert_narrow("00000000DEADBEEF", "%p", (void *)0xDEADBEEF);
    assert_narrow("1.500000 1.5 1e+10", "%f %.1f %g", 1.5, 1.5, 1e10);
    assert_narrow("1.50 7 -2.5 x", "%.2Lf %d %Lg %s", 1.5L, 7, -2.5L,
                  "x"); /* what compilers here pass as long double */
    assert_wide(L"1.50|-7|0000000f", L"%.2f|%d|%08x", 1.5, -7, 15);
    assert_narrow("  007", "%5.3d", 7);
}

/* Longer than what fits on the stack. */
static void test_long(void **state)
{
    (void)state;
    char text[600];
    assert_int_equal(snprintf(text, sizeof text, "%400d", 7), 400);
    assert_int_equal(text[399], '7');
    assert_int_equal(snprintf(text, sizeof text, "%.300f", 0.5), 302);
    assert_int_equal(snprintf(NULL, 0, "%f", 1e300), 308);
}

static void test_room(void **state)
{
    (void)state;
    char narrow[4];
    WCHAR wide[4];
    assert_int_equal(snprintf(narrow, 4, "hello"), 5);
    assert_string_equal(narrow, "hel");
    assert_int_equal(_snprintf(narrow, 4, "hello"), -1);
    assert_memory_equal(narrow, "hell", 4);
    assert_int_equal(_snprintf(narrow, 4, "full"), 4);
    assert_int_equal(_snprintf(narrow, 4, "abc"), 3);
    assert_string_equal(narrow, "abc");
    assert_int_equal(_snprintf(NULL, 0, "hello"), 5);
    assert_int_equal(swprintf(wide, 4, L"hello"), -1);
    assert_int_equal(wcscmp(wide, L"hel"), 0);
    assert_int_equal(_snwprintf(wide, 4, L"hello"), -1);
    assert_memory_equal(wide, L"hell", 8);
    assert_int_equal(_snwprintf(wide, 4, L"abc"), 3);
    assert_int_equal(sprintf_s(narrow, 4, "abc"), 3);
    assert_int_equal(sprintf_s(narrow, 4, "abcd"), -1);
    assert_string_equal(narrow, "");
    assert_int_equal(_snprintf_s(narrow, 4, _TRUNCATE, "abcd"), -1);
    assert_string_equal(narrow, "abc");
    assert_int_equal(_snprintf_s(narrow, 4, 2, "abcd"), -1);
    assert_string_equal(narrow, "ab");
    assert_int_equal(swprintf_s(wide, 4, L"abc"), 3);
    assert_int_equal(swprintf_s(wide, 4, L"abcd"), -1);
    assert_int_equal(wide[0], 0);
    assert_int_equal(_snwprintf_s(wide, 4, _TRUNCATE, L"%d", 12345), -1);
    assert_int_equal(wcscmp(wide, L"123"), 0);
    assert_int_equal(sprintf_s(NULL, 4, "x"), -1);
    assert_int_equal(sprintf(narrow, "%d", 42), 2);
    assert_string_equal(narrow, "42");
}

/* Strings that are counted, with no NUL behind them; the arguments after them are theirs. */
static void test_counted(void **state)
{
    (void)state;
    char bytes[] = "grunting";
    WCHAR units[] = L"grüner";
    ANSI_STRING ansi = {4, 4, bytes}, none = {4, 4, NULL}, empty = {0, 8, bytes};
    UNICODE_STRING wide = {8, 8, units}, nowhere = {8, 8, NULL};
    assert_narrow("grun 1", "%Z %d", &ansi, 1);
    assert_narrow("gr\xC3\xBCn 2", "%wZ %d", &wide, 2);
    assert_narrow("grun gr\xC3\xBCn 3", "%hZ %lZ %d", &ansi, &wide, 3);
    assert_wide(L"grun grün 4", L"%Z %wZ %d", &ansi, &wide, 4);
    assert_narrow("[  grun] [grun  ] [gr]", "[%6Z] [%-6Z] [%.2Z]", &ansi, &ansi, &ansi);
    assert_narrow("(null) (null) [] 5", "%Z %wZ [%Z] %d", &none, &nowhere, &empty, 5);
    assert_narrow("(null) (null) 6", "%Z %wZ %d", (ANSI_STRING *)NULL, (UNICODE_STRING *)NULL, 6);
    bytes[1] = '\0';
    char text[8];
    assert_int_equal(snprintf(text, sizeof text, "%Z|", &ansi), 5);
    assert_memory_equal(text, "g\0un|", 6);
    assert_int_equal(wsprintfA(text, "%Z%d", &empty, 7), 1);
    assert_string_equal(text, "7");
}

/* What must not happen. */
static void test_refused(void **state)
{
    (void)state;
    int written = 77;
    char text[32];
    assert_int_equal(snprintf(text, sizeof text, "ab%n", &written), -1);
    assert_int_equal(written, 77);
    assert_int_equal(snprintf(text, sizeof text, "%99999999999d", 1), -1);
    assert_int_equal(snprintf(text, sizeof text, "%*d", 0x7FFFFFFF, 1), -1);
    /* Nobody knows what its argument is, and which is the next one's. */
    errno = 0;
    assert_int_equal(snprintf(text, sizeof text, "a%y%d", 1, 2), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(_snprintf(text, sizeof text, "%Q", 1), -1);
    assert_int_equal(_scprintf("%wy", 1), -1);
    errno = 0;
    assert_int_equal(printf("%k", 1), -1);
    assert_int_equal(errno, EINVAL);
    assert_true(wsprintfA(text, "%f", 1.0) < 0);
}

static void test_wsprintf(void **state)
{
    (void)state;
    char narrow[1024];
    WCHAR wide[1024];
    assert_int_equal(wsprintfA(narrow, "%s %S %hs %ls %08lX %i", "a", L"b", "c", L"d", 0x80090308ul, -1), 19);
    assert_string_equal(narrow, "a b c d 80090308 -1");
    assert_int_equal(wsprintfW(wide, L"%s %S %hs %ls %c%C", L"a", "b", "c", L"d", L'e', 'f'), 10);
    assert_int_equal(wcscmp(wide, L"a b c d ef"), 0);
    char longer[2000];
    memset(longer, 'x', sizeof longer);
    longer[1999] = '\0';
    assert_int_equal(wsprintfA(narrow, "%s", longer), 1023);
    assert_int_equal(narrow[1023], 0);
    assert_int_equal(wsprintfW(wide, L"%hs", longer), 1023);
    assert_int_equal(wide[1023], 0);
    wsprintfA(narrow, "%d%%", 5);
    assert_string_equal(narrow, "5%");
}

static void test_files(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    char line[100];
    assert_non_null(file);
    assert_int_equal(fprintf(file, "%ls|%d\n", L"grün", 1), 8);
    assert_int_equal(fwprintf(file, L"%s|%hs\n", L"grün", "x"), 7);
    assert_true(fputws(L"\xD83D\xDE00\n", file) >= 0);
    rewind(file);
    assert_string_equal(fgets(line, sizeof line, file), "gr\xC3\xBCn|1\n");
    assert_string_equal(fgets(line, sizeof line, file), "gr\xC3\xBCn|x\n");
    WCHAR wide[16];
    assert_int_equal(wcscmp(fgetws(wide, 16, file), L"\xD83D\xDE00\n"), 0);
    assert_null(fgetws(wide, 16, file));
    fclose(file);
    assert_null(_wfopen(L"/nonexistent/grün", L"r"));
    file = _wfopen(L"/dev/null", L"w");
    assert_non_null(file);
    assert_int_equal(fprintf(file, "%s", ""), 0);
    fclose(file);
    assert_int_equal(wprintf(L"# %s\n", L"wide"), 7);
    assert_int_equal(printf("# %ls\n", L"narrow"), 9);
    assert_int_equal(_putws(L"# line"), 0);
}

/* Whatever the room is, the pieces are the text, and none is missing before its end. */
static void test_pieces(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        const WCHAR *text;
    } rows[] = {
        {"abcdef\n\nxy\n", L"abcdef\n\nxy\n"},
        {"gr\xC3\xBCn \xF0\x9F\x98\x80\xF0\x9F\x98\x81!\n", L"grün \xD83D\xDE00\xD83D\xDE01!\n"},
        {"\xF0\x9F\x98\x80", L"\xD83D\xDE00"},
        {"\xF0\x9F\x98z\xE2\x82\n", L"\xFFFDz\xFFFD\n"}, /* characters that are cut off */
        {"\xF0\x80\x80\x80z", L"\xFFFD\xFFFD\xFFFD\xFFFDz"},
        {"\xE0\x80z\xC0\xAF\xFF", L"\xFFFD\xFFFDz\xFFFD\xFFFD\xFFFD"},
        {"\xED\xA0\x80\xED\xB0", L"\xFFFD\xFFFD\xFFFD\xFFFD\xFFFD"},
        {"z\xE2\x82", L"z\xFFFD"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int n = 2; n < 8; n++) {
            FILE *file = tmpfile();
            WCHAR piece[8], text[40] = L"";
            assert_non_null(file);
            fputs(rows[i].bytes, file);
            rewind(file);
            while (fgetws(piece, n, file) != NULL) {
                assert_true(wcslen(piece) > 0 && wcslen(piece) < (size_t)n);
                assert_true(wcschr(piece, L'\n') == NULL || wcschr(piece, L'\n')[1] == 0);
                wcscat_s(text, _countof(text), piece);
            }
            assert_true(feof(file));
            assert_int_equal(wcscmp(text, rows[i].text), 0);
            rewind(file);
            assert_ptr_equal(fgetws(piece, 1, file), piece); /* room for no more than the NUL */
            assert_int_equal(piece[0], 0);
            assert_null(fgetws(piece, 0, file));
            fclose(file);
        }
    }
}

#define SECRET "the word is 4711 and nobody else's"
#define LARGEST 2048

/* Blocks of all sizes that malloc gives next: is there what was freed? An address sanitizer keeps freed memory to itself, and finds nothing. */
static bool secret_left(void)
{
    static void *blocks[16];
    bool found = false;
    for (size_t size = 32; size <= LARGEST; size += 16) {
        for (size_t i = 0; i < _countof(blocks); i++) {
            blocks[i] = malloc(size);
            __asm__ volatile("" : : "r"(blocks[i]) : "memory"); /* what is in it counts */
            found |= memmem(blocks[i], size, "nobody else", 11) != NULL ||
                     memmem(blocks[i], size, L"nobody else", 22) != NULL;
        }
        for (size_t i = 0; i < _countof(blocks); i++) {
            memset(blocks[i], 0, size);
            free(blocks[i]);
        }
    }
    return found;
}

static void test_nothing_left(void **state)
{
    (void)state;
    FILE *file = fopen("/dev/null", "w");
    char *message = NULL;
    DWORD_PTR arguments[] = {(DWORD_PTR)SECRET};
    assert_non_null(file);
    assert_false(secret_left());
    fprintf(file, "%s\n", SECRET);
    assert_false(secret_left());
    fwprintf(file, L"%hs\n", SECRET);
    assert_false(secret_left());
    fputws(L"" SECRET, file);
    assert_false(secret_left());
    assert_true(
        FormatMessageA(FORMAT_MESSAGE_FROM_STRING | FORMAT_MESSAGE_ARGUMENT_ARRAY | FORMAT_MESSAGE_ALLOCATE_BUFFER,
                       "%1", 0, 0, (LPSTR)&message, 0, (va_list *)(void *)arguments) > 0);
    assert_string_equal(message, SECRET);
    assert_false(secret_left());
    LocalFree(message);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),         cmocka_unit_test(test_numbers), cmocka_unit_test(test_long),
        cmocka_unit_test(test_room),         cmocka_unit_test(test_refused), cmocka_unit_test(test_wsprintf),
        cmocka_unit_test(test_counted),      cmocka_unit_test(test_pieces),  cmocka_unit_test(test_files),
        cmocka_unit_test(test_nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
