/*
 * fileapi.h: file times, and files by handles, the standard handles (processenv.h) among them.
 *
 * Paths are the system's, as of fopen: names are parted by "/", and lower and upper case are two things.
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

/* dwCreationDisposition. */
#define CREATE_NEW 1
#define CREATE_ALWAYS 2
#define OPEN_EXISTING 3
#define OPEN_ALWAYS 4
#define TRUNCATE_EXISTING 5

/* dwShareMode: nobody is kept out. */
#define FILE_SHARE_READ 0x00000001
#define FILE_SHARE_WRITE 0x00000002
#define FILE_SHARE_DELETE 0x00000004

/* dwFlagsAndAttributes. */
#define FILE_ATTRIBUTE_READONLY 0x00000001
#define FILE_ATTRIBUTE_HIDDEN 0x00000002
#define FILE_ATTRIBUTE_SYSTEM 0x00000004
#define FILE_ATTRIBUTE_DIRECTORY 0x00000010
#define FILE_ATTRIBUTE_ARCHIVE 0x00000020
#define FILE_ATTRIBUTE_NORMAL 0x00000080
#define FILE_ATTRIBUTE_TEMPORARY 0x00000100
#define INVALID_FILE_ATTRIBUTES ((DWORD)-1)

#define FILE_FLAG_SEQUENTIAL_SCAN 0x08000000
#define FILE_FLAG_RANDOM_ACCESS 0x10000000
#define FILE_FLAG_WRITE_THROUGH 0x80000000

/*
 * CreateFile opens a file, or makes one.
 *
 * lpFileName             UTF-8 or UTF-16; "NUL" is /dev/null. The console, pipes and other devices by Windows' names are ERROR_NOT_SUPPORTED.
 * dwDesiredAccess        GENERIC_READ, GENERIC_WRITE, FILE_READ_DATA, FILE_WRITE_DATA; FILE_APPEND_DATA alone writes at the end only. 0 opens it for
 *                        GetFileSize and GetFileType.
 * dwShareMode            not used.
 * lpSecurityAttributes   not used: a new file has the mode 0666 but for the process's umask, and no handle is inherited by programs that are run.
 * dwCreationDisposition  CREATE_NEW (ERROR_FILE_EXISTS), CREATE_ALWAYS, OPEN_EXISTING, OPEN_ALWAYS, or TRUNCATE_EXISTING (with write access).
 * dwFlagsAndAttributes   FILE_ATTRIBUTE_ values change nothing; FILE_FLAG_WRITE_THROUGH writes to the disk at once; flags that are not above, such as
 *                        FILE_FLAG_OVERLAPPED, are ERROR_NOT_SUPPORTED.
 * hTemplateFile          not used.
 *
 * Returns a handle for CloseHandle; with CREATE_ALWAYS and OPEN_ALWAYS the last error is ERROR_ALREADY_EXISTS where the file was there, else 0.
 * INVALID_HANDLE_VALUE with ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_ACCESS_DENIED (for folders, too), ERROR_TOO_MANY_OPEN_FILES,
 * ERROR_DISK_FULL, ERROR_WRITE_PROTECT, ERROR_FILENAME_EXCED_RANGE, ERROR_SHARING_VIOLATION (a program that is running), ERROR_INVALID_NAME (no
 * text), ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY. Source: Microsoft, CreateFile.
 */
HANDLE WINAPI CreateFileA(LPCSTR lpFileName, DWORD dwDesiredAccess, DWORD dwShareMode,
                          LPSECURITY_ATTRIBUTES lpSecurityAttributes, DWORD dwCreationDisposition,
                          DWORD dwFlagsAndAttributes, HANDLE hTemplateFile) OPENSSPI_WIN32_SYMBOL(CreateFileA);
HANDLE WINAPI CreateFileW(LPCWSTR lpFileName, DWORD dwDesiredAccess, DWORD dwShareMode,
                          LPSECURITY_ATTRIBUTES lpSecurityAttributes, DWORD dwCreationDisposition,
                          DWORD dwFlagsAndAttributes, HANDLE hTemplateFile) OPENSSPI_WIN32_SYMBOL(CreateFileW);
#define CreateFile OPENSSPI_AW(CreateFile)

/* DeleteFile removes a file, or a link. FALSE: as CreateFile, and ERROR_ACCESS_DENIED for a folder. Source: Microsoft, DeleteFile. */
BOOL WINAPI DeleteFileA(LPCSTR lpFileName) OPENSSPI_WIN32_SYMBOL(DeleteFileA);
BOOL WINAPI DeleteFileW(LPCWSTR lpFileName) OPENSSPI_WIN32_SYMBOL(DeleteFileW);
#define DeleteFile OPENSSPI_AW(DeleteFile)

/* GetFileAttributes gives FILE_ATTRIBUTE_DIRECTORY, _READONLY (this process may not write it) or _NORMAL; INVALID_FILE_ATTRIBUTES with the error when
 * there is no such file. Source: Microsoft, GetFileAttributes. */
DWORD WINAPI GetFileAttributesA(LPCSTR lpFileName) OPENSSPI_WIN32_SYMBOL(GetFileAttributesA);
DWORD WINAPI GetFileAttributesW(LPCWSTR lpFileName) OPENSSPI_WIN32_SYMBOL(GetFileAttributesW);
#define GetFileAttributes OPENSSPI_AW(GetFileAttributes)

#define INVALID_FILE_SIZE ((DWORD)0xFFFFFFFF)

/* GetFileSizeEx gives a file's bytes. FALSE: ERROR_INVALID_HANDLE; ERROR_INVALID_FUNCTION for what has no size, such as a pipe;
 * ERROR_INVALID_PARAMETER. Source: Microsoft, GetFileSizeEx. */
BOOL WINAPI GetFileSizeEx(HANDLE hFile, PLARGE_INTEGER lpFileSize) OPENSSPI_WIN32_SYMBOL(GetFileSizeEx);
/* GetFileSize gives the lower half, and the upper one in *lpFileSizeHigh, which may be NULL. INVALID_FILE_SIZE with a last error other than 0: as
 * GetFileSizeEx. Source: Microsoft, GetFileSize. */
DWORD WINAPI GetFileSize(HANDLE hFile, LPDWORD lpFileSizeHigh) OPENSSPI_WIN32_SYMBOL(GetFileSize);

/* dwMoveMethod. */
#define FILE_BEGIN 0
#define FILE_CURRENT 1
#define FILE_END 2

#define INVALID_SET_FILE_POINTER ((DWORD)-1)

/* SetFilePointerEx sets where the next byte is read or written; lpNewFilePointer receives it and may be NULL. FALSE: ERROR_NEGATIVE_SEEK,
 * ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_INVALID_FUNCTION for what has no places. Source: Microsoft, SetFilePointerEx. */
BOOL WINAPI SetFilePointerEx(HANDLE hFile, LARGE_INTEGER liDistanceToMove, PLARGE_INTEGER lpNewFilePointer,
                             DWORD dwMoveMethod) OPENSSPI_WIN32_SYMBOL(SetFilePointerEx);
/* SetFilePointer does so with 32 bits, or with 64 when lpDistanceToMoveHigh has the upper half, which it receives then. The lower half of the new
 * place; INVALID_SET_FILE_POINTER with a last error other than 0. Source: Microsoft, SetFilePointer. */
DWORD WINAPI SetFilePointer(HANDLE hFile, LONG lDistanceToMove, PLONG lpDistanceToMoveHigh, DWORD dwMoveMethod)
    OPENSSPI_WIN32_SYMBOL(SetFilePointer);
/* SetEndOfFile lets the file end where its pointer is. FALSE: ERROR_ACCESS_DENIED, ERROR_INVALID_HANDLE, ERROR_INVALID_FUNCTION, ERROR_DISK_FULL.
 * Source: Microsoft, SetEndOfFile. */
BOOL WINAPI SetEndOfFile(HANDLE hFile) OPENSSPI_WIN32_SYMBOL(SetEndOfFile);
/* FlushFileBuffers writes what the system keeps back to the disk. FALSE: ERROR_INVALID_HANDLE, ERROR_DISK_FULL, ERROR_WRITE_FAULT.
 * Source: Microsoft, FlushFileBuffers. */
BOOL WINAPI FlushFileBuffers(HANDLE hFile) OPENSSPI_WIN32_SYMBOL(FlushFileBuffers);

/*
 * ReadFile reads from a file or a standard handle.
 *
 * hFile                    of CreateFile or GetStdHandle.
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
 * WriteFile writes all bytes to a file or a standard handle, however long that takes; they are not kept in the C library's buffer.
 * lpOverlapped is NULL.
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

/* GetFileType says what a handle is of, or a standard handle connected to: a terminal or another device, a file, a pipe or a socket.
 * FILE_TYPE_UNKNOWN with an error: ERROR_INVALID_HANDLE; with NO_ERROR: something else. Source: Microsoft, GetFileType. */
DWORD WINAPI GetFileType(HANDLE hFile) OPENSSPI_WIN32_SYMBOL(GetFileType);

OPENSSPI_END_DECLS

#endif
