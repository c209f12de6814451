/*
 * sysinfoapi.h: clocks, and names of this computer.
 *
 * Source: Microsoft, system information functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_SYSINFOAPI_H
#define OPENSSPI_WIN32_SYSINFOAPI_H

#include "minwinbase.h"

OPENSSPI_BEGIN_DECLS

/* The time now, UTC and local. */
VOID WINAPI GetSystemTime(LPSYSTEMTIME lpSystemTime) OPENSSPI_WIN32_SYMBOL(GetSystemTime);
VOID WINAPI GetLocalTime(LPSYSTEMTIME lpSystemTime) OPENSSPI_WIN32_SYMBOL(GetLocalTime);
VOID WINAPI GetSystemTimeAsFileTime(LPFILETIME lpSystemTimeAsFileTime) OPENSSPI_WIN32_SYMBOL(GetSystemTimeAsFileTime);
/* Milliseconds since the system started; GetTickCount begins anew after 49.7 days. */
DWORD WINAPI GetTickCount(VOID) OPENSSPI_WIN32_SYMBOL(GetTickCount);
ULONGLONG WINAPI GetTickCount64(VOID) OPENSSPI_WIN32_SYMBOL(GetTickCount64);

typedef enum _COMPUTER_NAME_FORMAT {
    ComputerNameNetBIOS,
    ComputerNameDnsHostname,
    ComputerNameDnsDomain,
    ComputerNameDnsFullyQualified,
    ComputerNamePhysicalNetBIOS,
    ComputerNamePhysicalDnsHostname,
    ComputerNamePhysicalDnsDomain,
    ComputerNamePhysicalDnsFullyQualified,
    ComputerNameMax
} COMPUTER_NAME_FORMAT;

/*
 * GetComputerNameEx gives a name of this computer, all of them made of the host name that the kernel has (no name service is asked): up to its first
 * dot, behind that, or whole; for NetBIOS the first 15 characters in upper case.
 *
 * nSize  room in characters; then the length without the NUL, or, with ERROR_MORE_DATA, the room needed.
 */
BOOL WINAPI GetComputerNameExA(COMPUTER_NAME_FORMAT NameType, LPSTR lpBuffer, LPDWORD nSize)
    OPENSSPI_WIN32_SYMBOL(GetComputerNameExA);
BOOL WINAPI GetComputerNameExW(COMPUTER_NAME_FORMAT NameType, LPWSTR lpBuffer, LPDWORD nSize)
    OPENSSPI_WIN32_SYMBOL(GetComputerNameExW);
#define GetComputerNameEx OPENSSPI_AW(GetComputerNameEx)

/*
 * GetSystemDirectory and GetWindowsDirectory give the folders that Windows has: there is nothing in them, but a name made of one and "secur32.dll" is
 * what LoadLibrary takes. Characters without the NUL, or the room needed with it.
 */
UINT WINAPI GetSystemDirectoryA(LPSTR lpBuffer, UINT uSize) OPENSSPI_WIN32_SYMBOL(GetSystemDirectoryA);
UINT WINAPI GetSystemDirectoryW(LPWSTR lpBuffer, UINT uSize) OPENSSPI_WIN32_SYMBOL(GetSystemDirectoryW);
#define GetSystemDirectory OPENSSPI_AW(GetSystemDirectory)
UINT WINAPI GetWindowsDirectoryA(LPSTR lpBuffer, UINT uSize) OPENSSPI_WIN32_SYMBOL(GetWindowsDirectoryA);
UINT WINAPI GetWindowsDirectoryW(LPWSTR lpBuffer, UINT uSize) OPENSSPI_WIN32_SYMBOL(GetWindowsDirectoryW);
#define GetWindowsDirectory OPENSSPI_AW(GetWindowsDirectory)

OPENSSPI_END_DECLS

#endif
