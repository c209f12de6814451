/*
 * fileapi.h: file times, and reading and writing by the standard handles (processenv.h). Files themselves are the C library's.
 *
 * Source: Microsoft, time functions, file management functions.
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

/*
 * ReadFile reads from a standard handle.
 *
 * hFile                    of GetStdHandle; there are no other files.
 * lpBuffer                 room for nNumberOfBytesToRead.
 * lpNumberOfBytesRead      gets how many were read, at least one but at the end of the input.
 * lpOverlapped             NULL.
 *
 * From a terminal it reads what ReadConsoleA reads (consoleapi.h), lines with CR LF at their ends. Anything else is read as it is, past the C
 * library's own buffer.
 *
 * TRUE, at the end of a file or a terminal's input with no bytes. FALSE: ERROR_BROKEN_PIPE at the end of a pipe, ERROR_INVALID_HANDLE,
 * ERROR_INVALID_PARAMETER, ERROR_ACCESS_DENIED for what is open for writing only, and for a terminal by the handle of standard output or error,
 * ERROR_READ_FAULT. Source: Microsoft, ReadFile.
 */
BOOL WINAPI ReadFile(HANDLE hFile, LPVOID lpBuffer, DWORD nNumberOfBytesToRead, LPDWORD lpNumberOfBytesRead,
                     LPOVERLAPPED lpOverlapped) OPENSSPI_WIN32_SYMBOL(ReadFile);
/*
 * WriteFile writes all bytes to a standard handle, however long that takes; they are not kept in the C library's buffer. lpOverlapped is NULL.
 *
 * FALSE, with the bytes that went out in *lpNumberOfBytesWritten: ERROR_BROKEN_PIPE for a pipe that nobody reads, without a signal; ERROR_DISK_FULL,
 * ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_ACCESS_DENIED for what is open for reading only, and for a terminal by the handle of standard
 * input, ERROR_WRITE_FAULT. Source: Microsoft, WriteFile.
 */
BOOL WINAPI WriteFile(HANDLE hFile, LPCVOID lpBuffer, DWORD nNumberOfBytesToWrite, LPDWORD lpNumberOfBytesWritten,
                      LPOVERLAPPED lpOverlapped) OPENSSPI_WIN32_SYMBOL(WriteFile);

#define FILE_TYPE_UNKNOWN 0x0000
#define FILE_TYPE_DISK 0x0001
#define FILE_TYPE_CHAR 0x0002
#define FILE_TYPE_PIPE 0x0003

/* GetFileType says what a standard handle is connected to: a terminal or another device, a file, a pipe or a socket. FILE_TYPE_UNKNOWN with an error:
 * ERROR_INVALID_HANDLE; with NO_ERROR: something else. Source: Microsoft, GetFileType. */
DWORD WINAPI GetFileType(HANDLE hFile) OPENSSPI_WIN32_SYMBOL(GetFileType);

OPENSSPI_END_DECLS

#endif
