/*
 * consoleapi2.h: what was typed and not yet read, and code pages.
 *
 * Source: Microsoft, console functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_CONSOLEAPI2_H
#define OPENSSPI_WIN32_CONSOLEAPI2_H

#include "winnt.h"
#include "symbol.h"

OPENSSPI_BEGIN_DECLS

/* FlushConsoleInputBuffer forgets what was typed and not yet read; what the C library has read already it keeps. FALSE: ERROR_INVALID_HANDLE for what
 * is no terminal's input. */
BOOL WINAPI FlushConsoleInputBuffer(HANDLE hConsoleInput) OPENSSPI_WIN32_SYMBOL(FlushConsoleInputBuffer);
/* Terminals have UTF-8, 65001: SetConsoleCP and SetConsoleOutputCP take no other code page (FALSE, ERROR_INVALID_PARAMETER). */
BOOL WINAPI SetConsoleCP(UINT wCodePageID) OPENSSPI_WIN32_SYMBOL(SetConsoleCP);
BOOL WINAPI SetConsoleOutputCP(UINT wCodePageID) OPENSSPI_WIN32_SYMBOL(SetConsoleOutputCP);

OPENSSPI_END_DECLS

#endif
