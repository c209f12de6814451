/*
 * processenv.h: the standard handles, and variables of the environment.
 *
 * Source: Microsoft, GetStdHandle, GetEnvironmentVariable.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_PROCESSENV_H
#define OPENSSPI_WIN32_PROCESSENV_H

#include "winnt.h"
#include "symbol.h"

OPENSSPI_BEGIN_DECLS

#define STD_INPUT_HANDLE ((DWORD)-10)
#define STD_OUTPUT_HANDLE ((DWORD)-11)
#define STD_ERROR_HANDLE ((DWORD)-12)

/*
 * GetStdHandle gives the handle of standard input, output or error: of the descriptor 0, 1 or 2, whatever it is connected to when it is used. It need
 * not be closed; once it was, with CloseHandle, the functions here refuse it, and the descriptor leads to /dev/null.
 *
 * NULL when the process was started without it; INVALID_HANDLE_VALUE, ERROR_INVALID_HANDLE, for another number.
 */
HANDLE WINAPI GetStdHandle(DWORD nStdHandle) OPENSSPI_WIN32_SYMBOL(GetStdHandle);

/* GetEnvironmentVariable gives a variable's value: characters without the NUL, or the room needed with it; 0: ERROR_ENVVAR_NOT_FOUND, or an empty
 * value. */
DWORD WINAPI GetEnvironmentVariableA(LPCSTR lpName, LPSTR lpBuffer, DWORD nSize)
    OPENSSPI_WIN32_SYMBOL(GetEnvironmentVariableA);
DWORD WINAPI GetEnvironmentVariableW(LPCWSTR lpName, LPWSTR lpBuffer, DWORD nSize)
    OPENSSPI_WIN32_SYMBOL(GetEnvironmentVariableW);
#define GetEnvironmentVariable OPENSSPI_AW(GetEnvironmentVariable)
/* SetEnvironmentVariable sets it, or removes it with NULL, as setenv does: no other thread may read the environment meanwhile. FALSE:
 * ERROR_INVALID_PARAMETER for no name or one with '=', ERROR_ENVVAR_NOT_FOUND for one to remove that is not there, ERROR_NOT_ENOUGH_MEMORY. */
BOOL WINAPI SetEnvironmentVariableA(LPCSTR lpName, LPCSTR lpValue) OPENSSPI_WIN32_SYMBOL(SetEnvironmentVariableA);
BOOL WINAPI SetEnvironmentVariableW(LPCWSTR lpName, LPCWSTR lpValue) OPENSSPI_WIN32_SYMBOL(SetEnvironmentVariableW);
#define SetEnvironmentVariable OPENSSPI_AW(SetEnvironmentVariable)

OPENSSPI_END_DECLS

#endif
