/*
 * errhandlingapi.h: the code of the thread's last failure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_ERRHANDLINGAPI_H
#define OPENSSPI_WIN32_ERRHANDLINGAPI_H

#include "../sspi_ext.h"
#include "symbol.h"

#ifdef OPENSSPI_WIN32
OPENSSPI_BEGIN_DECLS

/* GetLastError gives the code (winerror.h) of this thread's last failure, in libopensspi or here; a success leaves it. Source: Microsoft,
 * GetLastError. */
DWORD WINAPI GetLastError(VOID) OPENSSPI_WIN32_SYMBOL(GetLastError);
/* SetLastError sets it. */
VOID WINAPI SetLastError(DWORD dwErrCode) OPENSSPI_WIN32_SYMBOL(SetLastError);

OPENSSPI_END_DECLS
#else
/* Without libopensspi-win32 the name GetLastError is left to whoever has a whole Windows behind it: see handleapi.h. */
#ifndef GetLastError
#define GetLastError OpenSspiLastError
#endif
#endif

#endif
