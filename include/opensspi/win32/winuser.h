/*
 * winuser.h: formatted text.
 *
 * Source: Microsoft, wsprintf, wvsprintf.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_WINUSER_H
#define OPENSSPI_WIN32_WINUSER_H

#include "winnt.h"
#include "symbol.h"
#include <stdarg.h>

OPENSSPI_BEGIN_DECLS

/*
 * wsprintf formats at most 1023 characters and a NUL into a buffer that has room for them. %s is text of the function's own kind, %S of the other,
 * %hs of 8 and %ls of 16 bits, %c and %C likewise; %d %i %u %x %X %p with the sizes h, l (32 bits, as on Windows), ll, I64, I32, I and w; %Z
 * and %wZ are pointers to an ANSI_STRING and a UNICODE_STRING. No floating point.
 *
 * Returns characters without the NUL; something negative for a conversion that is none of these.
 */
int WINAPIV wsprintfA(LPSTR unnamedParam1, LPCSTR unnamedParam2, ...) OPENSSPI_WIN32_SYMBOL(wsprintfA);
int WINAPIV wsprintfW(LPWSTR unnamedParam1, LPCWSTR unnamedParam2, ...) OPENSSPI_WIN32_SYMBOL(wsprintfW);
#define wsprintf OPENSSPI_AW(wsprintf)
int WINAPI wvsprintfA(LPSTR unnamedParam1, LPCSTR unnamedParam2, va_list arglist) OPENSSPI_WIN32_SYMBOL(wvsprintfA);
int WINAPI wvsprintfW(LPWSTR unnamedParam1, LPCWSTR unnamedParam2, va_list arglist) OPENSSPI_WIN32_SYMBOL(wvsprintfW);
#define wvsprintf OPENSSPI_AW(wvsprintf)

OPENSSPI_END_DECLS

#endif
