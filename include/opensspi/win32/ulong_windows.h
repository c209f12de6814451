/*
 * ulong_windows.h: functions of <windows.h> for callers whose variables are `unsigned long`, as ulong.h has it for SSPI's.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_ULONG_WINDOWS_H
#define OPENSSPI_WIN32_ULONG_WINDOWS_H

/* What the macros below would change comes first. */
#include "winbase.h"
#include "wincon.h"
#include "ulong.h"

#ifndef OPENSSPI_WIN32_NO_ULONG
/* winbase.h and what it includes: lengths of names, of SIDs and of profiles, bytes read and written, threads. */
#define GetUserNameA(...) GetUserNameA(OPENSSPI_ULONG_ARGUMENTS(2_2, __VA_ARGS__))
#define GetUserNameW(...) GetUserNameW(OPENSSPI_ULONG_ARGUMENTS(2_2, __VA_ARGS__))
#define GetComputerNameA(...) GetComputerNameA(OPENSSPI_ULONG_ARGUMENTS(2_2, __VA_ARGS__))
#define GetComputerNameW(...) GetComputerNameW(OPENSSPI_ULONG_ARGUMENTS(2_2, __VA_ARGS__))
#define GetComputerNameExA(...) GetComputerNameExA(OPENSSPI_ULONG_ARGUMENTS(3_3, __VA_ARGS__))
#define GetComputerNameExW(...) GetComputerNameExW(OPENSSPI_ULONG_ARGUMENTS(3_3, __VA_ARGS__))
#define LookupAccountSidA(...) LookupAccountSidA(OPENSSPI_ULONG_ARGUMENTS(7_46, __VA_ARGS__))
#define LookupAccountSidW(...) LookupAccountSidW(OPENSSPI_ULONG_ARGUMENTS(7_46, __VA_ARGS__))
#define LookupAccountNameA(...) LookupAccountNameA(OPENSSPI_ULONG_ARGUMENTS(7_46, __VA_ARGS__))
#define LookupAccountNameW(...) LookupAccountNameW(OPENSSPI_ULONG_ARGUMENTS(7_46, __VA_ARGS__))
#define CreateWellKnownSid(...) CreateWellKnownSid(OPENSSPI_ULONG_ARGUMENTS(4_4, __VA_ARGS__))
#define LogonUserExA(...) LogonUserExA(OPENSSPI_ULONG_ARGUMENTS(10_9, __VA_ARGS__))
#define LogonUserExW(...) LogonUserExW(OPENSSPI_ULONG_ARGUMENTS(10_9, __VA_ARGS__))
#define ReadFile(...) ReadFile(OPENSSPI_ULONG_ARGUMENTS(5_4, __VA_ARGS__))
#define GetFileSize(...) GetFileSize(OPENSSPI_ULONG_ARGUMENTS(2_2, __VA_ARGS__))
#define WriteFile(...) WriteFile(OPENSSPI_ULONG_ARGUMENTS(5_4, __VA_ARGS__))
#define CreateThread(...) CreateThread(OPENSSPI_ULONG_ARGUMENTS(6_6, __VA_ARGS__))
#define GetExitCodeThread(...) GetExitCodeThread(OPENSSPI_ULONG_ARGUMENTS(2_2, __VA_ARGS__))
/* consoleapi.h. */
#define GetConsoleMode(...) GetConsoleMode(OPENSSPI_ULONG_ARGUMENTS(2_2, __VA_ARGS__))
#define ReadConsoleA(...) ReadConsoleA(OPENSSPI_ULONG_ARGUMENTS(5_4, __VA_ARGS__))
#define ReadConsoleW(...) ReadConsoleW(OPENSSPI_ULONG_ARGUMENTS(5_4, __VA_ARGS__))
#define WriteConsoleA(...) WriteConsoleA(OPENSSPI_ULONG_ARGUMENTS(5_4, __VA_ARGS__))
#define WriteConsoleW(...) WriteConsoleW(OPENSSPI_ULONG_ARGUMENTS(5_4, __VA_ARGS__))
#endif

#endif
