/*
 * wchar.h: the C library's, and in C for a wchar_t of 16 bits the functions of crt.h in place of those that take it for 32. In C++ include
 * <windows.h> or <tchar.h>.
 *
 * SPDX-License-Identifier: MIT
 */
#pragma GCC system_header
#include_next <wchar.h>
#if !defined(__cplusplus) && defined(__SIZEOF_WCHAR_T__) && __SIZEOF_WCHAR_T__ == 2
#include "crt.h"
#endif
