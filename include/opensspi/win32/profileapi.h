/*
 * profileapi.h: a fine clock.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_PROFILEAPI_H
#define OPENSSPI_WIN32_PROFILEAPI_H

#include "winnt.h"
#include "symbol.h"

OPENSSPI_BEGIN_DECLS

/* A counter that never goes back, and how often it counts in a second: a thousand million times. TRUE. Source: Microsoft, QueryPerformanceCounter. */
BOOL WINAPI QueryPerformanceCounter(LARGE_INTEGER *lpPerformanceCount) OPENSSPI_WIN32_SYMBOL(QueryPerformanceCounter);
BOOL WINAPI QueryPerformanceFrequency(LARGE_INTEGER *lpFrequency) OPENSSPI_WIN32_SYMBOL(QueryPerformanceFrequency);

OPENSSPI_END_DECLS

#endif
