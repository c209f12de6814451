/*
 * timezoneapi.h: file times and times in parts.
 *
 * Source: Microsoft, time functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_TIMEZONEAPI_H
#define OPENSSPI_WIN32_TIMEZONEAPI_H

#include "minwinbase.h"

OPENSSPI_BEGIN_DECLS

/* FileTimeToSystemTime takes a file time (100 ns since 1601) apart. FALSE, ERROR_INVALID_PARAMETER for what is negative. */
BOOL WINAPI FileTimeToSystemTime(const FILETIME *lpFileTime, LPSYSTEMTIME lpSystemTime)
    OPENSSPI_WIN32_SYMBOL(FileTimeToSystemTime);
/* SystemTimeToFileTime puts one together; wDayOfWeek is not looked at. FALSE, ERROR_INVALID_PARAMETER for what is no date of the years
 * 1601 to 30827. */
BOOL WINAPI SystemTimeToFileTime(const SYSTEMTIME *lpSystemTime, LPFILETIME lpFileTime)
    OPENSSPI_WIN32_SYMBOL(SystemTimeToFileTime);

OPENSSPI_END_DECLS

#endif
