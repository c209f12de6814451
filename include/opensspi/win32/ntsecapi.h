/*
 * ntsecapi.h: the Local Security Authority, for callers whose variables are unsigned long. See ../ntsecapi.h and ulong.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_NTSECAPI_H
#define OPENSSPI_WIN32_NTSECAPI_H

#include "../ntsecapi.h"
#include "ulong.h"

#ifndef OPENSSPI_WIN32_NO_ULONG
/* Numbers of packages and of sessions, and lengths. */
#define LsaLookupAuthenticationPackage(...) LsaLookupAuthenticationPackage(OPENSSPI_ULONG_ARGUMENTS(3_3, __VA_ARGS__))
#define LsaCallAuthenticationPackage(...) LsaCallAuthenticationPackage(OPENSSPI_ULONG_ARGUMENTS(7_6, __VA_ARGS__))
#define LsaLogonUser(...) LsaLogonUser(OPENSSPI_ULONG_ARGUMENTS(14_10, __VA_ARGS__))
#define LsaEnumerateLogonSessions(...) LsaEnumerateLogonSessions(OPENSSPI_ULONG_ARGUMENTS(2_1, __VA_ARGS__))
#endif

#endif
