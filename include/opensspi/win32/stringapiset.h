/*
 * stringapiset.h: text of 8 and of 16 bits, translated.
 *
 * CP_ACP, CP_OEMCP and CP_THREAD_ACP are UTF-8, as everywhere in OpenSSPI; 20127 is US-ASCII, 28591 Latin 1. Source: Microsoft, MultiByteToWideChar,
 * WideCharToMultiByte.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_STRINGAPISET_H
#define OPENSSPI_WIN32_STRINGAPISET_H

#include "winnt.h"
#include "symbol.h"

OPENSSPI_BEGIN_DECLS

#define CP_ACP 0
#define CP_OEMCP 1
#define CP_THREAD_ACP 3
#define CP_UTF8 65001

#define MB_PRECOMPOSED 0x00000001
#define MB_COMPOSITE 0x00000002
#define MB_USEGLYPHCHARS 0x00000004
#define MB_ERR_INVALID_CHARS 0x00000008

#define WC_DISCARDNS 0x00000010
#define WC_SEPCHARS 0x00000020
#define WC_DEFAULTCHAR 0x00000040
#define WC_ERR_INVALID_CHARS 0x00000080
#define WC_COMPOSITECHECK 0x00000200
#define WC_NO_BEST_FIT_CHARS 0x00000400

/*
 * MultiByteToWideChar makes UTF-16 of a text.
 *
 * dwFlags      MB_ERR_INVALID_CHARS fails on what is no text; without it such bytes become U+FFFD. CP_UTF8 takes no other flag.
 * cbMultiByte  bytes; -1: up to and with its NUL.
 * cchWideChar  room in units; 0 asks how many there will be.
 *
 * Returns units written, or wanted; 0: ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_PARAMETER (another code page, too), ERROR_INVALID_FLAGS,
 * ERROR_NO_UNICODE_TRANSLATION.
 */
int WINAPI MultiByteToWideChar(UINT CodePage, DWORD dwFlags, LPCSTR lpMultiByteStr, int cbMultiByte,
                               LPWSTR lpWideCharStr, int cchWideChar) OPENSSPI_WIN32_SYMBOL(MultiByteToWideChar);
/*
 * WideCharToMultiByte does the reverse. WC_ERR_INVALID_CHARS fails on unpaired surrogates; without it they become U+FFFD, or lpDefaultChar ('?')
 * in a code page that has it not, and *lpUsedDefaultChar is TRUE. For CP_UTF8 both must be NULL.
 */
int WINAPI WideCharToMultiByte(UINT CodePage, DWORD dwFlags, LPCWSTR lpWideCharStr, int cchWideChar,
                               LPSTR lpMultiByteStr, int cbMultiByte, LPCSTR lpDefaultChar, LPBOOL lpUsedDefaultChar)
    OPENSSPI_WIN32_SYMBOL(WideCharToMultiByte);
/* GetACP gives the code page of A functions: 65001, UTF-8. */
UINT WINAPI GetACP(VOID) OPENSSPI_WIN32_SYMBOL(GetACP);

OPENSSPI_END_DECLS

#endif
