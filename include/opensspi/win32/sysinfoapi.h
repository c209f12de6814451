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

/* Versions: Windows 10, build 19041, as NTLM's messages say it. */

typedef struct _OSVERSIONINFOA {
    DWORD dwOSVersionInfoSize;
    DWORD dwMajorVersion;
    DWORD dwMinorVersion;
    DWORD dwBuildNumber;
    DWORD dwPlatformId;
    CHAR szCSDVersion[128]; /* empty */
} OSVERSIONINFOA, *POSVERSIONINFOA, *LPOSVERSIONINFOA;

typedef struct _OSVERSIONINFOW {
    DWORD dwOSVersionInfoSize;
    DWORD dwMajorVersion;
    DWORD dwMinorVersion;
    DWORD dwBuildNumber;
    DWORD dwPlatformId;
    WCHAR szCSDVersion[128];
} OSVERSIONINFOW, *POSVERSIONINFOW, *LPOSVERSIONINFOW, RTL_OSVERSIONINFOW, *PRTL_OSVERSIONINFOW;

typedef struct _OSVERSIONINFOEXA {
    DWORD dwOSVersionInfoSize;
    DWORD dwMajorVersion;
    DWORD dwMinorVersion;
    DWORD dwBuildNumber;
    DWORD dwPlatformId;
    CHAR szCSDVersion[128];
    WORD wServicePackMajor;
    WORD wServicePackMinor;
    WORD wSuiteMask;
    BYTE wProductType;
    BYTE wReserved;
} OSVERSIONINFOEXA, *POSVERSIONINFOEXA, *LPOSVERSIONINFOEXA;

typedef struct _OSVERSIONINFOEXW {
    DWORD dwOSVersionInfoSize;
    DWORD dwMajorVersion;
    DWORD dwMinorVersion;
    DWORD dwBuildNumber;
    DWORD dwPlatformId;
    WCHAR szCSDVersion[128];
    WORD wServicePackMajor;
    WORD wServicePackMinor;
    WORD wSuiteMask;
    BYTE wProductType;
    BYTE wReserved;
} OSVERSIONINFOEXW, *POSVERSIONINFOEXW, *LPOSVERSIONINFOEXW, RTL_OSVERSIONINFOEXW, *PRTL_OSVERSIONINFOEXW;

#ifdef UNICODE
typedef OSVERSIONINFOW OSVERSIONINFO, *POSVERSIONINFO, *LPOSVERSIONINFO;
typedef OSVERSIONINFOEXW OSVERSIONINFOEX, *POSVERSIONINFOEX, *LPOSVERSIONINFOEX;
#else
typedef OSVERSIONINFOA OSVERSIONINFO, *POSVERSIONINFO, *LPOSVERSIONINFO;
typedef OSVERSIONINFOEXA OSVERSIONINFOEX, *POSVERSIONINFOEX, *LPOSVERSIONINFOEX;
#endif

#define VER_PLATFORM_WIN32s 0
#define VER_PLATFORM_WIN32_WINDOWS 1
#define VER_PLATFORM_WIN32_NT 2
#define VER_NT_WORKSTATION 1
#define VER_NT_DOMAIN_CONTROLLER 2
#define VER_NT_SERVER 3
#define VER_SUITE_SINGLEUSERTS 0x0100

/* What to compare, and how. */
#define VER_MINORVERSION 0x0001
#define VER_MAJORVERSION 0x0002
#define VER_BUILDNUMBER 0x0004
#define VER_PLATFORMID 0x0008
#define VER_SERVICEPACKMINOR 0x0010
#define VER_SERVICEPACKMAJOR 0x0020
#define VER_SUITENAME 0x0040
#define VER_PRODUCT_TYPE 0x0080
#define VER_EQUAL 1
#define VER_GREATER 2
#define VER_GREATER_EQUAL 3
#define VER_LESS 4
#define VER_LESS_EQUAL 5
#define VER_AND 6
#define VER_OR 7

/* GetVersion gives the major version in the lowest byte, the minor one in the next, the build in the upper half. Source: Microsoft, GetVersion. */
DWORD WINAPI GetVersion(VOID) OPENSSPI_WIN32_SYMBOL(GetVersion);
/* GetVersionEx fills an OSVERSIONINFO, or an OSVERSIONINFOEX given as one, whose dwOSVersionInfoSize says which. FALSE, ERROR_INSUFFICIENT_BUFFER: it
 * says neither. Source: Microsoft, GetVersionEx. */
BOOL WINAPI GetVersionExA(LPOSVERSIONINFOA lpVersionInformation) OPENSSPI_WIN32_SYMBOL(GetVersionExA);
BOOL WINAPI GetVersionExW(LPOSVERSIONINFOW lpVersionInformation) OPENSSPI_WIN32_SYMBOL(GetVersionExW);
#define GetVersionEx OPENSSPI_AW(GetVersionEx)
/*
 * VerifyVersionInfo compares what dwTypeMask names, each by its condition in dwlConditionMask (VerSetConditionMask). Major and minor version and
 * service pack are compared as one number, by the condition of the first of them; suites by VER_AND or VER_OR.
 *
 * TRUE; FALSE: ERROR_OLD_WIN_VERSION when it does not hold, ERROR_BAD_ARGUMENTS. Source: Microsoft, VerifyVersionInfo.
 */
BOOL WINAPI VerifyVersionInfoA(LPOSVERSIONINFOEXA lpVersionInformation, DWORD dwTypeMask, DWORDLONG dwlConditionMask)
    OPENSSPI_WIN32_SYMBOL(VerifyVersionInfoA);
BOOL WINAPI VerifyVersionInfoW(LPOSVERSIONINFOEXW lpVersionInformation, DWORD dwTypeMask, DWORDLONG dwlConditionMask)
    OPENSSPI_WIN32_SYMBOL(VerifyVersionInfoW);
#define VerifyVersionInfo OPENSSPI_AW(VerifyVersionInfo)
/* VerSetConditionMask adds the condition for the lowest bit of TypeMask, and gives the mask. Source: Microsoft, VerSetConditionMask. */
ULONGLONG WINAPI VerSetConditionMask(ULONGLONG ConditionMask, DWORD TypeMask, BYTE Condition)
    OPENSSPI_WIN32_SYMBOL(VerSetConditionMask);
#define VER_SET_CONDITION(_m_, _t_, _c_) ((_m_) = VerSetConditionMask((_m_), (_t_), (_c_)))

OPENSSPI_END_DECLS

#endif
