/*
 * handleapi.h: closing handles.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_HANDLEAPI_H
#define OPENSSPI_WIN32_HANDLEAPI_H

#include "../sspi_ext.h"
#include "symbol.h"

#ifdef OPENSSPI_WIN32
OPENSSPI_BEGIN_DECLS

/* CloseHandle closes the handle of an access token, thread, event, mutex, semaphore or file, or a standard handle (processenv.h). A thread runs on.
 * FALSE, ERROR_INVALID_HANDLE for what is none. Source: Microsoft, CloseHandle. */
BOOL WINAPI CloseHandle(HANDLE hObject) OPENSSPI_WIN32_SYMBOL(CloseHandle);

OPENSSPI_END_DECLS
#else
/* Without libopensspi-win32 there are token handles only, and the name CloseHandle is left to whoever has all kinds of them: a program may be linked
 * with another library that exports it. */
#ifndef CloseHandle
#define CloseHandle OpenSspiCloseHandle
#endif
#endif

#endif
