/*
 * lmcons.h: lengths of names.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_LMCONS_H
#define OPENSSPI_WIN32_LMCONS_H

#include "winnt.h"

typedef DWORD NET_API_STATUS;
#define NERR_Success 0
#define NERR_UserNotFound 2221
#define NERR_BadPassword 2203
#define NERR_DCNotFound 2453

#define CNLEN 15
#define UNCLEN (CNLEN + 2)
#define DNLEN CNLEN
#define UNLEN 256
#define GNLEN UNLEN
#define PWLEN 256
#define MAX_PREFERRED_LENGTH ((DWORD)-1)

#endif
