/*
 * fileapi.h: file times. Files themselves are the C library's.
 *
 * Source: Microsoft, time functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_FILEAPI_H
#define OPENSSPI_WIN32_FILEAPI_H

#include "minwinbase.h"

OPENSSPI_BEGIN_DECLS

/* To local time and back, by the difference between local time and UTC that holds now, as on Windows. FALSE, ERROR_INVALID_PARAMETER. */
BOOL WINAPI FileTimeToLocalFileTime(const FILETIME *lpFileTime, LPFILETIME lpLocalFileTime)
    OPENSSPI_WIN32_SYMBOL(FileTimeToLocalFileTime);
BOOL WINAPI LocalFileTimeToFileTime(const FILETIME *lpLocalFileTime, LPFILETIME lpFileTime)
    OPENSSPI_WIN32_SYMBOL(LocalFileTimeToFileTime);
/* CompareFileTime gives -1, 0 or 1. */
LONG WINAPI CompareFileTime(const FILETIME *lpFileTime1, const FILETIME *lpFileTime2)
    OPENSSPI_WIN32_SYMBOL(CompareFileTime);

OPENSSPI_END_DECLS

#endif
