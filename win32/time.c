#include <winbase.h>

#include <time.h>

#define TICKS_A_SECOND UINT64_C(10000000)
#define SECONDS_TO_1970 UINT64_C(11644473600) /* from 1601 */
#define SECONDS_A_DAY UINT64_C(86400)
#define DAYS_IN_400_YEARS 146097
#define YEAR_FIRST 1601
#define YEAR_LAST 30827 /* Microsoft, SYSTEMTIME: the last whole one */

static uint64_t ticks_of(const FILETIME *time)
{
    return (uint64_t)time->dwHighDateTime << 32 | time->dwLowDateTime;
}

static void ticks_put(uint64_t ticks, FILETIME *time)
{
    time->dwLowDateTime = (DWORD)ticks;
    time->dwHighDateTime = (DWORD)(ticks >> 32);
}

static BOOL refuse(void)
{
    SetLastError(ERROR_INVALID_PARAMETER);
    return FALSE;
}

static unsigned is_leap(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned days_of_month(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 ? is_leap(year) : 0);
}

/* Days from 1601-01-01, which began 400 years of the calendar, to the first of a year. */
static uint64_t days_to_year(unsigned year)
{
    uint64_t n = year - YEAR_FIRST;
    return n * 365 + n / 4 - n / 100 + n / 400;
}

BOOL FileTimeToSystemTime(const FILETIME *lpFileTime, LPSYSTEMTIME lpSystemTime)
{
    if (lpFileTime == NULL || lpSystemTime == NULL || ticks_of(lpFileTime) > INT64_MAX)
        return refuse();
    uint64_t ticks = ticks_of(lpFileTime), seconds = ticks / TICKS_A_SECOND, days = seconds / SECONDS_A_DAY;
    unsigned rest = (unsigned)(seconds % SECONDS_A_DAY);
    unsigned year = YEAR_FIRST + (unsigned)(days * 400 / DAYS_IN_400_YEARS), month = 1;
    while (days_to_year(year) > days)
        year--;
    while (days_to_year(year + 1) <= days)
        year++;
    unsigned day = (unsigned)(days - days_to_year(year));
    for (; day >= days_of_month(year, month); month++)
        day -= days_of_month(year, month);
    *lpSystemTime = (SYSTEMTIME){.wYear = (WORD)year,
                                 .wMonth = (WORD)month,
                                 .wDayOfWeek = (WORD)((days + 1) % 7), /* the first was a Monday */
                                 .wDay = (WORD)(day + 1),
                                 .wHour = (WORD)(rest / 3600),
                                 .wMinute = (WORD)(rest / 60 % 60),
                                 .wSecond = (WORD)(rest % 60),
                                 .wMilliseconds = (WORD)(ticks % TICKS_A_SECOND / 10000)};
    return TRUE;
}

BOOL SystemTimeToFileTime(const SYSTEMTIME *lpSystemTime, LPFILETIME lpFileTime)
{
    const SYSTEMTIME *t = lpSystemTime;
    if (t == NULL || lpFileTime == NULL || t->wYear < YEAR_FIRST || t->wYear > YEAR_LAST || t->wMonth < 1 ||
        t->wMonth > 12 || t->wDay < 1 || t->wDay > days_of_month(t->wYear, t->wMonth) || t->wHour > 23 ||
        t->wMinute > 59 || t->wSecond > 59 || t->wMilliseconds > 999)
        return refuse();
    uint64_t days = days_to_year(t->wYear) + t->wDay - 1u;
    for (unsigned month = 1; month < t->wMonth; month++)
        days += days_of_month(t->wYear, month);
    uint64_t seconds = days * SECONDS_A_DAY + (uint64_t)t->wHour * 3600 + (uint64_t)t->wMinute * 60 + t->wSecond;
    ticks_put(seconds * TICKS_A_SECOND + t->wMilliseconds * UINT64_C(10000), lpFileTime);
    return TRUE;
}

/* What local time is ahead of UTC now. */
static int64_t ahead(void)
{
    time_t now = time(NULL);
    struct tm local;
    return localtime_r(&now, &local) == NULL ? 0 : (int64_t)local.tm_gmtoff * (int64_t)TICKS_A_SECOND;
}

static BOOL shift(const FILETIME *from, int64_t by, FILETIME *to)
{
    if (from == NULL || to == NULL || ticks_of(from) > INT64_MAX)
        return refuse();
    int64_t ticks;
    if (__builtin_add_overflow((int64_t)ticks_of(from), by, &ticks) || ticks < 0)
        return refuse();
    ticks_put((uint64_t)ticks, to);
    return TRUE;
}

BOOL FileTimeToLocalFileTime(const FILETIME *lpFileTime, LPFILETIME lpLocalFileTime)
{
    return shift(lpFileTime, ahead(), lpLocalFileTime);
}

BOOL LocalFileTimeToFileTime(const FILETIME *lpLocalFileTime, LPFILETIME lpFileTime)
{
    return shift(lpLocalFileTime, -ahead(), lpFileTime);
}

LONG CompareFileTime(const FILETIME *lpFileTime1, const FILETIME *lpFileTime2)
{
    uint64_t a = ticks_of(lpFileTime1), b = ticks_of(lpFileTime2);
    return (a > b) - (a < b);
}

VOID GetSystemTimeAsFileTime(LPFILETIME lpSystemTimeAsFileTime)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    ticks_put(((uint64_t)now.tv_sec + SECONDS_TO_1970) * TICKS_A_SECOND + (uint64_t)now.tv_nsec / 100,
              lpSystemTimeAsFileTime);
}

VOID GetSystemTime(LPSYSTEMTIME lpSystemTime)
{
    FILETIME now;
    GetSystemTimeAsFileTime(&now);
    FileTimeToSystemTime(&now, lpSystemTime);
}

VOID GetLocalTime(LPSYSTEMTIME lpSystemTime)
{
    FILETIME now;
    GetSystemTimeAsFileTime(&now);
    FileTimeToLocalFileTime(&now, &now);
    FileTimeToSystemTime(&now, lpSystemTime);
}

ULONGLONG GetTickCount64(VOID)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (ULONGLONG)now.tv_sec * 1000 + (ULONGLONG)now.tv_nsec / 1000000;
}

DWORD GetTickCount(VOID)
{
    return (DWORD)GetTickCount64();
}

BOOL QueryPerformanceCounter(LARGE_INTEGER *lpPerformanceCount)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    lpPerformanceCount->QuadPart = (LONGLONG)now.tv_sec * 1000000000 + now.tv_nsec;
    return TRUE;
}

BOOL QueryPerformanceFrequency(LARGE_INTEGER *lpFrequency)
{
    lpFrequency->QuadPart = 1000000000;
    return TRUE;
}
