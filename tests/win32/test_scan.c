/* The scanf functions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <tchar.h>
#include <windows.h>

#define CANARY 0xA5A5A5A5u

static struct guarded {
    DWORD before, value, after;
} guarded;

static void guard(void)
{
    guarded = (struct guarded){CANARY, 0, CANARY};
}

#define assert_dword(expected)                       \
    do {                                             \
        assert_int_equal(guarded.before, CANARY);    \
        assert_int_equal(guarded.value, (expected)); \
        assert_int_equal(guarded.after, CANARY);     \
    } while (0)

/* Whatever says 32 bits sets 32. */
static void test_widths(void **state)
{
    (void)state;
    static const struct {
        const char *text, *format;
        DWORD value;
    } rows[] = {
        {"12", "%lu", 12},
        {" 80090308", "%lx", 0x80090308},
        {"0x80090308", "%lX", 0x80090308},
        {"-1", "%ld", 0xFFFFFFFF},
        {"-1", "%d", 0xFFFFFFFF},
        {"-1", "%lu", 0xFFFFFFFF},
        {"+7", "%I32u", 7},
        {"0x1F", "%li", 31},
        {"017", "%i", 15},
        {"0", "%i", 0},
        {"17", "%o", 15},
        {"123456", "%3lu", 123},
        {"n=5;", "n = %u ;", 5},
        {"4294967295", "%u", 0xFFFFFFFF},
        {"4294967296", "%lu", 0}, /* its lower half */
        {"5%", "%u%%", 5},
        {"1 2 3", "%*d %*lu %lu", 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        guard();
        assert_int_equal(sscanf(rows[i].text, rows[i].format, &guarded.value), 1);
        assert_dword(rows[i].value);
        WCHAR text[32], format[32];
        mbstowcs(text, rows[i].text, 32);
        mbstowcs(format, rows[i].format, 32);
        guard();
        assert_int_equal(swscanf(text, format, &guarded.value), 1);
        assert_dword(rows[i].value);
    }
}

static void test_numbers(void **state)
{
    (void)state;
    unsigned __int64 big = 0;
    __int64 negative = 0;
    short narrow[2] = {0, 0x55};
    signed char narrowest[2] = {0, 0x55};
    size_t size = 0;
    void *pointer = NULL;
    int n = -1, m = -1;
    assert_int_equal(sscanf("18446744073709551615 -9223372036854775808", "%I64u%I64d", &big, &negative), 2);
    assert_true(big == ~0ull && negative == INT64_MIN);
    assert_int_equal(sscanf("123456789012 DEAD", "%llu %Ix", &big, &size), 2);
    assert_true(big == 123456789012ull && size == 0xDEAD);
    assert_int_equal(sscanf("99999999999999999999 -99999999999999999999", "%I64u %I64d", &big, &negative), 2);
    assert_true(big == ~0ull && negative == INT64_MIN);
    assert_int_equal(sscanf("-2 -3", "%hd %hhd", narrow, narrowest), 2);
    assert_true(narrow[0] == -2 && narrow[1] == 0x55 && narrowest[0] == -3 && narrowest[1] == 0x55);
    assert_int_equal(sscanf("00000000DEADBEEF", "%p", &pointer), 1);
    assert_ptr_equal(pointer, (void *)0xDEADBEEF);
    assert_int_equal(sscanf("12ab34", "%d%n%*2s%d", &n, &m, &n), 2);
    assert_true(n == 34 && m == 2);
}

/* A variable of the other spelling: all of it. */
static void test_longs(void **state)
{
    (void)state;
    unsigned long value = ~0ul, hex = ~0ul;
    long negative = ~0l, last = 1;
    assert_int_equal(sscanf("12 80090308 -5", "%lu %lx %ld", &value, &hex, &negative), 3);
    assert_true(value == 12 && hex == 0x80090308 && negative == -5);
    assert_int_equal(swscanf(L"13 -6", L"%lu %d", &value, &negative), 2);
    assert_true(value == 13 && negative == -6);
    char text[4];
    assert_int_equal(sscanf_s("ab 14", "%s %lu", text, 4u, &value), 2);
    assert_int_equal(value, 14);
    int d[17];
    assert_int_equal(sscanf("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 -18", "%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%ld",
                            &d[0], &d[1], &d[2], &d[3], &d[4], &d[5], &d[6], &d[7], &d[8], &d[9], &d[10], &d[11],
                            &d[12], &d[13], &d[14], &d[15], &d[16], &last),
                     18);
    assert_true(d[16] == 17 && last == -18);
    volatile unsigned long shared = ~0ul;
    volatile long ticks = ~0l;
    assert_int_equal(sscanf("3000000000 7", "%lu %ld", &shared, &ticks), 2);
    assert_true(shared == 3000000000 && ticks == 7);
}

static int read_narrow(const char *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int result = vsscanf(text, format, arguments);
    va_end(arguments);
    return result;
}

/* <inttypes.h>, whose macros are the system's long where that has 64 bits. */
#define BIG 0x1122334455667788
#define READ_AND_WRITE(type, scan, print)                                        \
    do {                                                                         \
        type number = 0;                                                         \
        char written[32];                                                        \
        assert_int_equal(read_narrow("1122334455667788", "%" scan, &number), 1); \
        assert_true(number == (type)BIG);                                        \
        assert_int_equal(sscanf("0", "%" scan, &number), 1);                     \
        assert_true(number == 0);                                                \
        (void)snprintf(written, sizeof written, "%" print, (type)BIG);           \
        assert_int_equal(read_narrow(written, "%" scan, &number), 1);            \
        assert_true(number == (type)BIG);                                        \
    } while (0)

static void test_inttypes(void **state)
{
    (void)state;
    char text[128];
    (void)snprintf(text, sizeof text, "%" PRIx64 " %" PRId64 " %" PRIu32, (uint64_t)BIG, INT64_MIN, UINT32_MAX);
    assert_string_equal(text, "1122334455667788 -9223372036854775808 4294967295");
    (void)snprintf(text, sizeof text, "%" PRIdMAX " %" PRIiPTR " %" PRIoLEAST64 " %" PRIuFAST64, INTMAX_MIN, INTPTR_MAX,
                   UINT64_MAX, UINT64_MAX);
    assert_string_equal(text, "-9223372036854775808 9223372036854775807 1777777777777777777777 18446744073709551615");
    WCHAR wide[32];
    assert_int_equal(swprintf(wide, _countof(wide), L"%" PRIX64, (uint64_t)BIG), 16);
    READ_AND_WRITE(uint64_t, SCNx64, PRIx64);
    READ_AND_WRITE(uint_least64_t, SCNxLEAST64, PRIxLEAST64);
    READ_AND_WRITE(uint_fast16_t, SCNxFAST16, PRIxFAST16);
    READ_AND_WRITE(uint_fast32_t, SCNxFAST32, PRIxFAST32);
    READ_AND_WRITE(uint_fast64_t, SCNxFAST64, PRIxFAST64);
    READ_AND_WRITE(uintmax_t, SCNxMAX, PRIxMAX);
    READ_AND_WRITE(uintptr_t, SCNxPTR, PRIxPTR);
    int64_t d = 0, i = 0;
    uint64_t u = 0, o = 0;
    assert_int_equal(read_narrow("-5000000000 -0x1122334455 5000000000 1777777777777777777777",
                                 "%" SCNd64 "%" SCNi64 "%" SCNu64 "%" SCNo64, &d, &i, &u, &o),
                     4);
    assert_true(d == -5000000000 && i == -0x1122334455 && u == 5000000000 && o == UINT64_MAX);
}

static void test_reals(void **state)
{
    (void)state;
    float brief = 0;
    double real = 0;
    long double longer = 0;
    assert_int_equal(sscanf("1.5 -2.25e2 0x1p4", "%f %lf %Lf", &brief, &real, &longer), 3);
    assert_true(brief == 1.5f && real == -225 && longer == 16);
    assert_int_equal(sscanf(".5 7.", "%g%le", &brief, &real), 2);
    assert_true(brief == 0.5f && real == 7);
    assert_int_equal(sscanf("INFINITY nan", "%lf %f", &real, &brief), 2);
    assert_true(isinf(real) && isnan(brief));
    assert_int_equal(sscanf("1.25", "%3lf", &real), 1);
    assert_true(real == 1.2);
    assert_int_equal(sscanf("1e", "%lf", &real), 0);
    assert_int_equal(sscanf(".", "%lf", &real), 0);
    assert_int_equal(swscanf(L"2.5", L"%lf", &real), 1);
    assert_true(real == 2.5);
}

static void test_text(void **state)
{
    (void)state;
    char narrow[16], other[16], c[4] = "....";
    WCHAR wide[16], unit;
    assert_int_equal(sscanf(" user:secret rest", "%[^:]:%s %c", narrow, other, c), 3);
    assert_string_equal(narrow, " user");
    assert_string_equal(other, "secret");
    assert_memory_equal(c, "r...", 4);
    assert_int_equal(sscanf("abcdef", "%3s%2c", narrow, c), 2);
    assert_string_equal(narrow, "abc");
    assert_memory_equal(c, "de..", 4);
    assert_int_equal(sscanf("]-a9x", "%[]a-]%1[0-9]%s", narrow, other, c), 3);
    assert_string_equal(narrow, "]-a");
    assert_string_equal(other, "9");
    assert_int_equal(sscanf("gr\xC3\xBCn \xC3\xBC", "%ls %C", wide, &unit), 2);
    assert_int_equal(wcscmp(wide, L"grün"), 0);
    assert_int_equal(unit, L'ü');
    assert_int_equal(sscanf("one two", "%S%hs", wide, narrow), 2);
    assert_int_equal(wcscmp(wide, L"one"), 0);
    assert_string_equal(narrow, "two");
    assert_int_equal(swscanf(L"grün äß x", L"%s %S %c", wide, narrow, &unit), 3);
    assert_int_equal(wcscmp(wide, L"grün"), 0);
    assert_string_equal(narrow, "\xC3\xA4\xC3\x9F");
    assert_int_equal(unit, L'x');
    assert_int_equal(swscanf(L"äöx", L"%l[ä-ö]%hc", wide, c), 2);
    assert_int_equal(wcscmp(wide, L"äö"), 0);
    assert_int_equal(c[0], 'x');
    /* The other width never takes more room than the width says. */
    assert_int_equal(swscanf(L"ääää", L"%4hs", narrow), 0);
    assert_string_equal(narrow, "");
    assert_int_equal(sscanf("\xF0\x9F\x98\x80", "%C", &unit), 0);
}

/* With rooms. */
static void test_bounded(void **state)
{
    (void)state;
    char narrow[8] = "before", letters[2] = {'.', '.'};
    WCHAR wide[4];
    int n = 0;
    assert_int_equal(sscanf_s("abc 5", "%s %d", narrow, (unsigned)sizeof narrow, &n), 2);
    assert_true(strcmp(narrow, "abc") == 0 && n == 5);
    assert_int_equal(sscanf_s("1234567 6", "%s %d", narrow, sizeof narrow, &n), 2);
    errno = 0;
    assert_int_equal(sscanf_s("12345678 7", "%s %d", narrow, (unsigned)sizeof narrow, &n), 0);
    assert_int_equal(errno, ERANGE);
    assert_string_equal(narrow, "");
    assert_int_equal(n, 6);
    assert_int_equal(sscanf_s("12345678", "%7s", narrow, (unsigned)sizeof narrow), 1);
    assert_int_equal(sscanf_s("5 abcd", "%d %[a-z]", &n, narrow, 4u), 1);
    assert_string_equal(narrow, "");
    assert_int_equal(narrow[1], '2'); /* not more than that */
    assert_int_equal(sscanf_s("abc", "%2c", letters, 1u), 0);
    assert_memory_equal(letters, "..", 2);
    assert_int_equal(sscanf_s("abc", "%2c", letters, 2u), 1);
    assert_memory_equal(letters, "ab", 2);
    assert_int_equal(sscanf_s("abc", "%s", letters, 0u), 0);
    assert_memory_equal(letters, "ab", 2);
    assert_int_equal(sscanf_s("skipped abc", "%*s %S", wide, (unsigned)_countof(wide)), 1);
    assert_int_equal(wcscmp(wide, L"abc"), 0);
    assert_int_equal(swscanf_s(L"abcd", L"%s", wide, (unsigned)_countof(wide)), 0);
    assert_int_equal(wide[0], 0);
    assert_int_equal(swscanf_s(L"äöü", L"%hs", narrow, 7u), 1);
    assert_int_equal(swscanf_s(L"äöü", L"%hs", narrow, 6u), 0);
}

static void test_ends(void **state)
{
    (void)state;
    int n = 7;
    char text[4];
    assert_int_equal(sscanf("", "%d", &n), EOF);
    assert_int_equal(sscanf("  ", "%d", &n), EOF);
    assert_int_equal(sscanf("", "%c", text), EOF);
    assert_int_equal(sscanf("", "x"), EOF);
    assert_int_equal(sscanf("x", "%d", &n), 0);
    assert_int_equal(sscanf("-", "%d", &n), 0);
    assert_int_equal(sscanf("0x", "%x", &n), 0);
    assert_int_equal(sscanf("x", "%[0-9]", text), 0);
    assert_int_equal(sscanf("a", "%2c", text), 0);
    assert_int_equal(n, 7);
    assert_int_equal(sscanf("5", "%d %d", &n, &n), 1);
    assert_int_equal(sscanf("5 x", "%d y", &n), 1);
    static const char *const wrong[] = {"%y", "%", "%[abc", "%0d", "%99999999999d", "%ms", "%[", "%[^]"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        errno = 0;
        assert_int_equal(sscanf("5", wrong[i], &n), EOF);
        assert_int_equal(errno, EINVAL);
    }
    errno = 0;
    assert_int_equal(sscanf("5", "%d", NULL), EOF);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(sscanf(NULL, "%d", &n), EOF);
    assert_int_equal(swscanf_s(L"5", NULL, &n), EOF);
}

static void test_files(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    char narrow[16];
    WCHAR wide[16], unit;
    assert_non_null(file);
    fputs("12x gr\xC3\xBCn\n\xF0\x9F\x98\x80!\xE2\x82z 5", file);
    rewind(file);
    guard();
    assert_int_equal(fscanf(file, "%lu", &guarded.value), 1);
    assert_dword(12);
    assert_int_equal(fgetc(file), 'x'); /* what does not belong to it stays */
    assert_int_equal(fwscanf(file, L"%s", wide), 1);
    assert_int_equal(wcscmp(wide, L"grün"), 0);
    assert_int_equal(fgetc(file), '\n');
    assert_int_equal(fwscanf(file, L"%c", &unit), 1); /* half of the character */
    assert_int_equal(unit, 0xD83D);
    assert_int_equal(fwscanf_s(file, L"%2[^x]", wide, (unsigned)_countof(wide)), 1);
    assert_int_equal(wcscmp(wide, L"\xDE00!"), 0);
    assert_int_equal(fwscanf(file, L"%2c", wide), 1); /* what is no text */
    assert_memory_equal(wide, L"\xFFFDz", 4);
    assert_int_equal(fscanf_s(file, "%s", narrow, (unsigned)sizeof narrow), 1);
    assert_string_equal(narrow, "5");
    assert_int_equal(fwscanf(file, L"%s", wide), EOF);
    assert_int_equal(fscanf(file, "%d", &guarded.value), EOF);
    fclose(file);
}

static int read_list(const TCHAR *text, const TCHAR *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
#ifdef _UNICODE
    int n = vswscanf(text, format, arguments);
#else
    int n = vsscanf(text, format, arguments);
#endif
    va_end(arguments);
    return n;
}

static void test_lists(void **state)
{
    (void)state;
    TCHAR text[4];
    guard();
    assert_int_equal(read_list(_T("abc 99"), _T("%s %lu"), text, &guarded.value), 2);
    assert_dword(99);
    assert_int_equal(_tcscmp(text, _T("abc")), 0);
    assert_int_equal(_stscanf_s(_T("abcd"), _T("%s"), text, (unsigned)_countof(text)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_widths),   cmocka_unit_test(test_numbers), cmocka_unit_test(test_longs),
        cmocka_unit_test(test_reals),    cmocka_unit_test(test_text),    cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_ends),     cmocka_unit_test(test_files),   cmocka_unit_test(test_lists),
        cmocka_unit_test(test_inttypes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
