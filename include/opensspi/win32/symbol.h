/*
 * symbol.h: how the functions of libopensspi-win32 are called by the linker. Their symbols bear a prefix, so that a program may be linked with other
 * libraries that export the same names.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_SYMBOL_H
#define OPENSSPI_WIN32_SYMBOL_H

#include "../wintypes.h"

#define OPENSSPI_WIN32_SYMBOL(name) __asm__("opensspi_" #name)

/* 1 where WCHAR is wchar_t, and functions of wide text have to be ours: the C library's take wchar_t for 32 bits. */
#if defined(__SIZEOF_WCHAR_T__) && __SIZEOF_WCHAR_T__ == 2
#define OPENSSPI_SHORT_WCHAR 1
#else
#define OPENSSPI_SHORT_WCHAR 0
#endif

#endif
