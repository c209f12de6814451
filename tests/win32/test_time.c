/* File times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <time.h>
#include <windows.h>

static FILETIME of(uint64_t ticks)
{
    return (FILETIME){(DWORD)ticks, (DWORD)(ticks >> 32)};
}

static uint64_t ticks(FILETIME time)
{
    return (uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime;
}

static void assert_moment(uint64_t at, const SYSTEMTIME *expected)
{
    FILETIME time = of(at), back;
    SYSTEMTIME parts;
    assert_true(FileTimeToSystemTime(&time, &parts));
    assert_memory_equal(&parts, expected, sizeof parts);
    assert_true(SystemTimeToFileTime(&parts, &back));
    assert_true(ticks(back) == at);
}

static void test_moments(void **state)
{
    (void)state;
    assert_moment(0, &(SYSTEMTIME){1601, 1, 1, 1, 0, 0, 0, 0});
    assert_moment(116444736000000000, &(SYSTEMTIME){1970, 1, 4, 1, 0, 0, 0, 0});
    assert_moment(125963423990000000 + 123 * 10000, &(SYSTEMTIME){2000, 2, 2, 29, 23, 59, 59, 123}); /* a leap day */
    assert_moment(3155378975999990000 - 504911232000000000, &(SYSTEMTIME){9999, 12, 5, 31, 23, 59, 59, 999});
}

/* Against the C library, a moment of each month and leap year's end. */
static void test_years(void **state)
{
    (void)state;
    for (int64_t seconds = -11644473600; seconds < 253402300800; seconds += 86400 * 13 + 4021) {
        time_t at = seconds;
        struct tm expected;
        FILETIME time = of((uint64_t)(seconds + 11644473600) * 10000000);
        SYSTEMTIME parts;
        assert_non_null(gmtime_r(&at, &expected));
        assert_true(FileTimeToSystemTime(&time, &parts));
        assert_int_equal(parts.wYear, expected.tm_year + 1900);
        assert_int_equal(parts.wMonth, expected.tm_mon + 1);
        assert_int_equal(parts.wDay, expected.tm_mday);
        assert_int_equal(parts.wDayOfWeek, expected.tm_wday);
        assert_int_equal(parts.wHour * 3600 + parts.wMinute * 60 + parts.wSecond,
                         expected.tm_hour * 3600 + expected.tm_min * 60 + expected.tm_sec);
    }
}

static void test_refused(void **state)
{
    (void)state;
    FILETIME time = of(UINT64_C(0x8000000000000000));
    SYSTEMTIME parts = {2001, 2, 0, 29, 0, 0, 0, 0};
    assert_false(FileTimeToSystemTime(&time, &parts));
    assert_int_equal(parts.wYear, 2001);
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    time = of(INT64_MAX);
    assert_true(FileTimeToSystemTime(&time, &parts));
    assert_int_equal(parts.wYear, 30828);
    assert_int_equal(parts.wMonth, 9);
}

static void test_bad_parts(void **state)
{
    (void)state;
    static const SYSTEMTIME bad[] = {
        {2001, 2, 0, 29, 0, 0, 0, 0},   {1900, 2, 0, 29, 0, 0, 0, 0},  {2001, 0, 0, 1, 0, 0, 0, 0},
        {2001, 13, 0, 1, 0, 0, 0, 0},   {2001, 1, 0, 0, 0, 0, 0, 0},   {2001, 4, 0, 31, 0, 0, 0, 0},
        {2001, 1, 0, 1, 24, 0, 0, 0},   {2001, 1, 0, 1, 0, 60, 0, 0},  {2001, 1, 0, 1, 0, 0, 60, 0},
        {2001, 1, 0, 1, 0, 0, 0, 1000}, {1600, 12, 0, 31, 0, 0, 0, 0}, {30828, 1, 0, 1, 0, 0, 0, 0},
    };
    FILETIME time = of(7);
    for (size_t i = 0; i < _countof(bad); i++)
        assert_false(SystemTimeToFileTime(&bad[i], &time));
    assert_true(ticks(time) == 7);
}

static void test_local(void **state)
{
    (void)state;
    FILETIME time = of(116444736000000000), local, back;
    setenv("TZ", "UTC-5:30", 1);
    tzset();
    assert_true(FileTimeToLocalFileTime(&time, &local));
    assert_true(ticks(local) - ticks(time) == UINT64_C(198000000000));
    assert_true(LocalFileTimeToFileTime(&local, &back));
    assert_int_equal(CompareFileTime(&time, &back), 0);
    assert_int_equal(CompareFileTime(&time, &local), -1);
    assert_int_equal(CompareFileTime(&local, &time), 1);
    time = of(INT64_MAX);
    assert_false(FileTimeToLocalFileTime(&time, &local));
    time = of(0);
    assert_false(LocalFileTimeToFileTime(&time, &local));
    SYSTEMTIME now, here;
    GetSystemTime(&now);
    GetLocalTime(&here);
    assert_int_equal((here.wMinute + 60 - now.wMinute) % 60 / 15, 2); /* half an hour, and the hours besides */
    unsetenv("TZ");
    tzset();
}

static void test_clocks(void **state)
{
    (void)state;
    FILETIME now;
    struct timespec from, until;
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &from), 0);
    GetSystemTimeAsFileTime(&now);
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &until), 0);
    assert_in_range(ticks(now) / 10000000 - 11644473600, from.tv_sec, until.tv_sec);
    LARGE_INTEGER a, b, often;
    ULONGLONG before = GetTickCount64();
    assert_true(QueryPerformanceFrequency(&often) && often.QuadPart == 1000000000);
    assert_true(QueryPerformanceCounter(&a));
    Sleep(2);
    assert_true(QueryPerformanceCounter(&b));
    assert_true(b.QuadPart - a.QuadPart >= 2000000);
    assert_true(GetTickCount64() >= before);
    DWORD tick = GetTickCount();
    assert_true((DWORD)GetTickCount64() - tick < 0x80000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moments),   cmocka_unit_test(test_years), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_bad_parts), cmocka_unit_test(test_local), cmocka_unit_test(test_clocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
