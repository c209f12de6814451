/*
 * windows.h: what programs that use SSPI find in Windows' header of this name. Flags and libraries: pkg-config opensspi-win32. docs/porting.md tells
 * how a program moves here.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_WINDOWS_H
#define OPENSSPI_WIN32_WINDOWS_H
#define _WINDOWS_

#ifndef OPENSSPI_WIN32
#define OPENSSPI_WIN32 1
#endif

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "winnt.h"
#include "windef.h"
#include "winerror.h"
#include "sal.h"
#include "winbase.h"
#include "wincon.h"
#include "ulong_windows.h"
#include "winuser.h"
#include "crt.h"
#ifndef WIN32_LEAN_AND_MEAN
#include "wincrypt.h"
#include "winsock2.h"
#include "rpc.h"
#endif

#endif
