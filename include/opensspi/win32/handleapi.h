/*
 * handleapi.h: closing the handles of access tokens.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_HANDLEAPI_H
#define OPENSSPI_WIN32_HANDLEAPI_H

#include "../sspi_ext.h"

/* The library has token handles only, and leaves the name CloseHandle to whoever has all kinds of them: a program may be linked with
 * another library that exports it. */
#ifndef CloseHandle
#define CloseHandle OpenSspiCloseHandle
#endif

#endif
