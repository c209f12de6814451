/*
 * crt.h: functions of Microsoft's C library, under their names; and those of wide text for programs whose wchar_t has 16 bits (-fshort-wchar), since
 * the C library here takes it for 32. Included by <windows.h> and <tchar.h>.
 *
 * With -fshort-wchar these are replaced: functions of <wchar.h> and <stdlib.h> that take or give wide text, and the printf and scanf functions, wide
 * and narrow, so that %ls, %S and %lu mean what they mean on Windows (%l is 32 bits; in wide formats %s is wide text). OPENSSPI_WIN32_NO_PRINTF
 * leaves the narrow ones alone. The conversions of <inttypes.h> go with them (crt_inttypes.h).
 *
 * Source: Microsoft, C run-time library reference; ISO C11 7.29, K.3.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_CRT_H
#define OPENSSPI_WIN32_CRT_H

/* What the macros below would change comes first. */
#ifdef __cplusplus
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <string>
#else
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#endif
#include "../wintypes.h"
#include "symbol.h"
#include <errno.h>
#include <ctype.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <wctype.h>

/* strdup, strtok_r, fileno and strnlen stand behind Microsoft's names; undeclared, C would take what they give for an int. */
#if defined(__GLIBC__) && !defined(__USE_XOPEN2K8)
#error "-std=c11 and its like hide functions that this needs: say -D_DEFAULT_SOURCE, as pkg-config opensspi-win32 does"
#endif

OPENSSPI_BEGIN_DECLS

/* As in <wchar.h>, for text of 16 bits. Comparing without case folds the basic plane. */
size_t opensspi_wcslen(const WCHAR *s);
size_t opensspi_wcsnlen(const WCHAR *s, size_t n);
WCHAR *opensspi_wcscpy(WCHAR *to, const WCHAR *from);
WCHAR *opensspi_wcsncpy(WCHAR *to, const WCHAR *from, size_t n);
WCHAR *opensspi_wcscat(WCHAR *to, const WCHAR *from);
WCHAR *opensspi_wcsncat(WCHAR *to, const WCHAR *from, size_t n);
int opensspi_wcscmp(const WCHAR *a, const WCHAR *b);
int opensspi_wcsncmp(const WCHAR *a, const WCHAR *b, size_t n);
int opensspi_wcsicmp(const WCHAR *a, const WCHAR *b);
int opensspi_wcsnicmp(const WCHAR *a, const WCHAR *b, size_t n);
WCHAR *opensspi_wcschr(const WCHAR *s, WCHAR c);
WCHAR *opensspi_wcsrchr(const WCHAR *s, WCHAR c);
WCHAR *opensspi_wcsstr(const WCHAR *s, const WCHAR *what);
WCHAR *opensspi_wcspbrk(const WCHAR *s, const WCHAR *any);
size_t opensspi_wcsspn(const WCHAR *s, const WCHAR *any);
size_t opensspi_wcscspn(const WCHAR *s, const WCHAR *any);
WCHAR *opensspi_wcstok(WCHAR *s, const WCHAR *any, WCHAR **state);
/* _tcstok of Microsoft's C library, which remembers for each thread where it was. */
WCHAR *opensspi_ms_wcstok(WCHAR *s, const WCHAR *any);
WCHAR *opensspi_wcsdup(const WCHAR *s);
/* Of numbers in text Microsoft's long has 32 bits: what is beyond answers its largest or least, with ERANGE. The narrow ones are for _tcstol and its
 * kin; strtol by its own name is the C library's. */
long opensspi_strtol(const char *s, char **end, int base);
unsigned long opensspi_strtoul(const char *s, char **end, int base);
long opensspi_atol(const char *s);
long opensspi_wcstol(const WCHAR *s, WCHAR **end, int base);
unsigned long opensspi_wcstoul(const WCHAR *s, WCHAR **end, int base);
int opensspi_wtoi(const WCHAR *s);
long opensspi_wtol(const WCHAR *s);
WCHAR *opensspi_wcsupr(WCHAR *s);
WCHAR *opensspi_wcslwr(WCHAR *s);
WCHAR *opensspi_wmemcpy(WCHAR *to, const WCHAR *from, size_t n);
WCHAR *opensspi_wmemmove(WCHAR *to, const WCHAR *from, size_t n);
WCHAR *opensspi_wmemset(WCHAR *to, WCHAR c, size_t n);
WCHAR *opensspi_wmemchr(const WCHAR *s, WCHAR c, size_t n);
int opensspi_wmemcmp(const WCHAR *a, const WCHAR *b, size_t n);
/* ASCII letters in upper and lower case, in place. */
char *opensspi_strupr(char *s);
char *opensspi_strlwr(char *s);
/* To and from UTF-8. (size_t)-1 with EILSEQ for what is no text. A NULL destination asks for the length. When n units are written nothing behind
 * what they stand for is looked at: it need not be text, nor be there. */
size_t opensspi_mbstowcs(WCHAR *to, const char *from, size_t n);
size_t opensspi_wcstombs(char *to, const WCHAR *from, size_t n);

/*
 * Formatted text, of 16 bits where the name has a w. As C's: characters written, or for snprintf wanted; negative for a failure, which for swprintf
 * too small a buffer is. The names with _ before them are Microsoft's: -1 when the text was cut off, and no NUL when it fills the buffer.
 * %Z is an ANSI_STRING *, %wZ a UNICODE_STRING *. A conversion that is none, and %n, is a failure with EINVAL.
 */
int opensspi_printf(const char *format, ...);
int opensspi_fprintf(FILE *file, const char *format, ...);
int opensspi_sprintf(char *to, const char *format, ...);
int opensspi_snprintf(char *to, size_t n, const char *format, ...);
int opensspi_vprintf(const char *format, va_list arguments);
int opensspi_vfprintf(FILE *file, const char *format, va_list arguments);
int opensspi_vsprintf(char *to, const char *format, va_list arguments);
int opensspi_vsnprintf(char *to, size_t n, const char *format, va_list arguments);
int opensspi_ms_snprintf(char *to, size_t n, const char *format, ...);
int opensspi_ms_vsnprintf(char *to, size_t n, const char *format, va_list arguments);
int opensspi_wprintf(const WCHAR *format, ...);
int opensspi_fwprintf(FILE *file, const WCHAR *format, ...);
int opensspi_vwprintf(const WCHAR *format, va_list arguments);
int opensspi_vfwprintf(FILE *file, const WCHAR *format, va_list arguments);
int opensspi_swprintf(WCHAR *to, size_t n, const WCHAR *format, ...);
int opensspi_vswprintf(WCHAR *to, size_t n, const WCHAR *format, va_list arguments);
int opensspi_ms_snwprintf(WCHAR *to, size_t n, const WCHAR *format, ...);
int opensspi_ms_vsnwprintf(WCHAR *to, size_t n, const WCHAR *format, va_list arguments);
/* _swprintf takes no size: the room has to be enough. */
int opensspi_ms_swprintf(WCHAR *to, const WCHAR *format, ...);
int opensspi_ms_vswprintf(WCHAR *to, const WCHAR *format, va_list arguments);
/* Only how many characters there would be. */
int opensspi_scprintf(const char *format, ...);
int opensspi_vscprintf(const char *format, va_list arguments);
int opensspi_scwprintf(const WCHAR *format, ...);
int opensspi_vscwprintf(const WCHAR *format, va_list arguments);
/* Text as it is, to a file as UTF-8. EOF on failure. */
int opensspi_fputws(const WCHAR *s, FILE *file);
int opensspi_putws(const WCHAR *s);
/* Reads a line of UTF-8, at most n - 1 units of UTF-16: of a character of two units that fills the room by half the other one comes next. U+FFFD for
 * what is no text. NULL when the file ends before. */
WCHAR *opensspi_fgetws(WCHAR *to, int n, FILE *file);
FILE *opensspi_wfopen(const WCHAR *path, const WCHAR *mode);

/*
 * With bounds (C11 K.3, and Microsoft's). 0, or ERANGE and EINVAL, with an empty text in `to`; sprintf_s and its kin give -1 then. They never end the
 * process. With `count` _TRUNCATE the text is cut off to fit, and the answer is STRUNCATE where that was needed; else so many characters are written
 * at most.
 */
int opensspi_strcpy_s(char *to, size_t n, const char *from);
int opensspi_strcat_s(char *to, size_t n, const char *from);
int opensspi_strncpy_s(char *to, size_t n, const char *from, size_t count);
int opensspi_wcscpy_s(WCHAR *to, size_t n, const WCHAR *from);
int opensspi_wcscat_s(WCHAR *to, size_t n, const WCHAR *from);
int opensspi_wcsncpy_s(WCHAR *to, size_t n, const WCHAR *from, size_t count);
int opensspi_strncat_s(char *to, size_t n, const char *from, size_t count);
int opensspi_wcsncat_s(WCHAR *to, size_t n, const WCHAR *from, size_t count);
int opensspi_memcpy_s(void *to, size_t n, const void *from, size_t count);
int opensspi_sprintf_s(char *to, size_t n, const char *format, ...);
int opensspi_vsprintf_s(char *to, size_t n, const char *format, va_list arguments);
int opensspi_snprintf_s(char *to, size_t n, size_t count, const char *format, ...);
int opensspi_vsnprintf_s(char *to, size_t n, size_t count, const char *format, va_list arguments);
int opensspi_swprintf_s(WCHAR *to, size_t n, const WCHAR *format, ...);
int opensspi_vswprintf_s(WCHAR *to, size_t n, const WCHAR *format, va_list arguments);
int opensspi_snwprintf_s(WCHAR *to, size_t n, size_t count, const WCHAR *format, ...);
int opensspi_vsnwprintf_s(WCHAR *to, size_t n, size_t count, const WCHAR *format, va_list arguments);

/* To and from UTF-8 with bounds; *converted, where it is not NULL, is the length with the NUL. A NULL destination of no size
 * asks for it. EILSEQ for what is no text, ERANGE where it has no room. What is behind `count` units is not looked at. */
int opensspi_mbstowcs_s(size_t *converted, WCHAR *to, size_t n, const char *from, size_t count);
int opensspi_wcstombs_s(size_t *converted, char *to, size_t n, const WCHAR *from, size_t count);

/*
 * 0, or what was wrong, as errno has it: EINVAL for a missing argument, with which nothing else happens. fopen_s gives *file NULL where it fails.
 * localtime_s and gmtime_s have Microsoft's order of arguments, not C11's. strerror_s cuts its text off to fit. _dupenv_s gives a fresh value for
 * free(), *n units with the NUL; NULL and 0 for a variable that is not set. _itoa_s writes a number to a base of 2 to 36, with a sign in base 10
 * alone; ERANGE and an empty text where it has no room.
 */
int opensspi_fopen_s(FILE **file, const char *path, const char *mode);
int opensspi_wfopen_s(FILE **file, const WCHAR *path, const WCHAR *mode);
int opensspi_localtime_s(struct tm *to, const time_t *from);
int opensspi_gmtime_s(struct tm *to, const time_t *from);
int opensspi_strerror_s(char *to, size_t n, int error);
int opensspi_dupenv_s(char **to, size_t *n, const char *name);
int opensspi_wdupenv_s(WCHAR **to, size_t *n, const WCHAR *name);
int opensspi_itoa_s(int value, char *to, size_t n, int radix);
int opensspi_itow_s(int value, WCHAR *to, size_t n, int radix);
/* Compares bytes, ASCII letters without case. */
int opensspi_memicmp(const void *a, const void *b, size_t n);
/* Numbers as strtod and strtoll read them. */
double opensspi_wcstod(const WCHAR *s, WCHAR **end);
double opensspi_wtof(const WCHAR *s);
long long opensspi_wtoi64(const WCHAR *s);

/* Runs a wmain: arguments and environment as text of 16 bits, which stays. */
int opensspi_run_wmain(int argc, char **argv, int (*user)(int, WCHAR **, WCHAR **));

OPENSSPI_END_DECLS

typedef int errno_t;
#define _TRUNCATE ((size_t)-1)
#define STRUNCATE 80
#ifndef _countof
#define _countof(array) (sizeof(array) / sizeof((array)[0]))
#endif

#define _stricmp strcasecmp
#define _strnicmp strncasecmp
#define stricmp strcasecmp
#define strnicmp strncasecmp
#define _strdup strdup
#define _fileno fileno
#define _strupr opensspi_strupr
#define _strlwr opensspi_strlwr
#define _atoi64 atoll
#define _strtoi64 strtoll
#define _strtoui64 strtoull
#define _scprintf opensspi_scprintf
#define _vscprintf opensspi_vscprintf
#define _snprintf opensspi_ms_snprintf
#define _vsnprintf opensspi_ms_vsnprintf
#define _memicmp opensspi_memicmp
#define _alloca __builtin_alloca
#define printf_s printf
#define fprintf_s fprintf
#define fopen_s opensspi_fopen_s
#define localtime_s opensspi_localtime_s
#define gmtime_s opensspi_gmtime_s
#define strerror_s opensspi_strerror_s
#define _dupenv_s opensspi_dupenv_s
#define _itoa_s opensspi_itoa_s
#define strtok_s strtok_r
#define strcpy_s opensspi_strcpy_s
#define strcat_s opensspi_strcat_s
#define strncpy_s opensspi_strncpy_s
#define strncat_s opensspi_strncat_s
#define memcpy_s opensspi_memcpy_s
#define sprintf_s opensspi_sprintf_s
#define vsprintf_s opensspi_vsprintf_s
#define _snprintf_s opensspi_snprintf_s
#define _vsnprintf_s opensspi_vsnprintf_s

#if OPENSSPI_SHORT_WCHAR
/* Macros of the C library where it checks bounds. */
#undef wprintf
#undef fwprintf
#undef swprintf
#define _wcsicmp opensspi_wcsicmp
#define _wcsnicmp opensspi_wcsnicmp
#define wcsicmp opensspi_wcsicmp
#define wcsnicmp opensspi_wcsnicmp
#define wcscasecmp opensspi_wcsicmp
#define wcsncasecmp opensspi_wcsnicmp
#define _wcsdup opensspi_wcsdup
#define wcsdup opensspi_wcsdup
#define _wcsupr opensspi_wcsupr
#define _wcslwr opensspi_wcslwr
#define _wtoi opensspi_wtoi
#define _wtol opensspi_wtol
#define _wtoi64 opensspi_wtoi64
#define _wtof opensspi_wtof
#define wcstod opensspi_wcstod
#define wcslen opensspi_wcslen
#define wcsnlen opensspi_wcsnlen
#define wcscpy opensspi_wcscpy
#define wcsncpy opensspi_wcsncpy
#define wcscat opensspi_wcscat
#define wcsncat opensspi_wcsncat
#define wcscmp opensspi_wcscmp
#define wcsncmp opensspi_wcsncmp
#define wcschr opensspi_wcschr
#define wcsrchr opensspi_wcsrchr
#define wcsstr opensspi_wcsstr
#define wcspbrk opensspi_wcspbrk
#define wcsspn opensspi_wcsspn
#define wcscspn opensspi_wcscspn
#define wcstok opensspi_wcstok
#define wcstok_s opensspi_wcstok
#define wcstol opensspi_wcstol
#define wcstoul opensspi_wcstoul
#define wmemcpy opensspi_wmemcpy
#define wmemmove opensspi_wmemmove
#define wmemset opensspi_wmemset
#define wmemchr opensspi_wmemchr
#define wmemcmp opensspi_wmemcmp
#define mbstowcs opensspi_mbstowcs
#define wcstombs opensspi_wcstombs
#define wprintf opensspi_wprintf
#define fwprintf opensspi_fwprintf
#define vwprintf opensspi_vwprintf
#define vfwprintf opensspi_vfwprintf
#define swprintf opensspi_swprintf
#define vswprintf opensspi_vswprintf
#define _snwprintf opensspi_ms_snwprintf
#define _vsnwprintf opensspi_ms_vsnwprintf
#define fputws opensspi_fputws
#define _putws opensspi_putws
#define fgetws opensspi_fgetws
#define _wfopen opensspi_wfopen
#define _wfopen_s opensspi_wfopen_s
#define _wdupenv_s opensspi_wdupenv_s
#define _itow_s opensspi_itow_s
#define wprintf_s wprintf
#define fwprintf_s fwprintf
#define _swprintf opensspi_ms_swprintf
#define _vswprintf opensspi_ms_vswprintf
#define _scwprintf opensspi_scwprintf
#define _vscwprintf opensspi_vscwprintf
#define mbstowcs_s opensspi_mbstowcs_s
#define wcstombs_s opensspi_wcstombs_s
#define wcsncat_s opensspi_wcsncat_s
#define wcscpy_s opensspi_wcscpy_s
#define wcscat_s opensspi_wcscat_s
#define wcsncpy_s opensspi_wcsncpy_s
#define swprintf_s opensspi_swprintf_s
#define vswprintf_s opensspi_vswprintf_s
#define _snwprintf_s opensspi_snwprintf_s
#define _vsnwprintf_s opensspi_vsnwprintf_s

#ifndef OPENSSPI_WIN32_NO_PRINTF
/* With arguments only, so that __attribute__((format(printf, ...))) stays what it is. */
#undef printf
#undef fprintf
#undef sprintf
#undef snprintf
#undef vprintf
#undef vfprintf
#undef vsprintf
#undef vsnprintf
#define printf(...) opensspi_printf(__VA_ARGS__)
#define fprintf(...) opensspi_fprintf(__VA_ARGS__)
#define sprintf(...) opensspi_sprintf(__VA_ARGS__)
#define snprintf(...) opensspi_snprintf(__VA_ARGS__)
#define vprintf(...) opensspi_vprintf(__VA_ARGS__)
#define vfprintf(...) opensspi_vfprintf(__VA_ARGS__)
#define vsprintf(...) opensspi_vsprintf(__VA_ARGS__)
#define vsnprintf(...) opensspi_vsnprintf(__VA_ARGS__)
#endif

/* A program that begins with wmain has a main before it that calls it. */
#ifdef __cplusplus
extern "C" int opensspi_wmain_any(int argc, WCHAR **argv, WCHAR **environment) __asm__("opensspi_wmain");
#define wmain                                                      \
    main(int argc, char **argv)                                    \
    {                                                              \
        return opensspi_run_wmain(argc, argv, opensspi_wmain_any); \
    }                                                              \
    extern "C" int opensspi_wmain
#else
int opensspi_wmain_any(int argc, WCHAR **argv, WCHAR **environment) __asm__("opensspi_wmain");
#define wmain                                                      \
    main(int argc, char **argv)                                    \
    {                                                              \
        return opensspi_run_wmain(argc, argv, opensspi_wmain_any); \
    }                                                              \
    int opensspi_wmain
#endif
#endif

#ifdef __cplusplus
extern "C++" {
/* Microsoft's forms for arrays. */
template <size_t n> inline int opensspi_strcpy_s(char (&to)[n], const char *from)
{
    return opensspi_strcpy_s(to, n, from);
}
template <size_t n> inline int opensspi_strcat_s(char (&to)[n], const char *from)
{
    return opensspi_strcat_s(to, n, from);
}
template <size_t n> inline int opensspi_strncpy_s(char (&to)[n], const char *from, size_t count)
{
    return opensspi_strncpy_s(to, n, from, count);
}
template <size_t n> inline int opensspi_wcsncpy_s(WCHAR (&to)[n], const WCHAR *from, size_t count)
{
    return opensspi_wcsncpy_s(to, n, from, count);
}
template <size_t n> inline int opensspi_sprintf_s(char (&to)[n], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int result = opensspi_vsprintf_s(to, n, format, arguments);
    va_end(arguments);
    return result;
}
template <size_t n> inline int opensspi_swprintf_s(WCHAR (&to)[n], const WCHAR *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int result = opensspi_vswprintf_s(to, n, format, arguments);
    va_end(arguments);
    return result;
}
template <size_t n> inline int opensspi_wcscpy_s(WCHAR (&to)[n], const WCHAR *from)
{
    return opensspi_wcscpy_s(to, n, from);
}
template <size_t n> inline int opensspi_wcscat_s(WCHAR (&to)[n], const WCHAR *from)
{
    return opensspi_wcscat_s(to, n, from);
}
template <size_t n> inline int opensspi_strncat_s(char (&to)[n], const char *from, size_t count)
{
    return opensspi_strncat_s(to, n, from, count);
}
template <size_t n> inline int opensspi_wcsncat_s(WCHAR (&to)[n], const WCHAR *from, size_t count)
{
    return opensspi_wcsncat_s(to, n, from, count);
}
template <size_t n> inline int opensspi_vsprintf_s(char (&to)[n], const char *format, va_list arguments)
{
    return opensspi_vsprintf_s(to, n, format, arguments);
}
template <size_t n> inline int opensspi_vswprintf_s(WCHAR (&to)[n], const WCHAR *format, va_list arguments)
{
    return opensspi_vswprintf_s(to, n, format, arguments);
}
template <size_t n> inline int opensspi_vsnprintf_s(char (&to)[n], size_t count, const char *format, va_list arguments)
{
    return opensspi_vsnprintf_s(to, n, count, format, arguments);
}
template <size_t n>
inline int opensspi_vsnwprintf_s(WCHAR (&to)[n], size_t count, const WCHAR *format, va_list arguments)
{
    return opensspi_vsnwprintf_s(to, n, count, format, arguments);
}
template <size_t n> inline int opensspi_snprintf_s(char (&to)[n], size_t count, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int result = opensspi_vsnprintf_s(to, n, count, format, arguments);
    va_end(arguments);
    return result;
}
template <size_t n> inline int opensspi_snwprintf_s(WCHAR (&to)[n], size_t count, const WCHAR *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int result = opensspi_vsnwprintf_s(to, n, count, format, arguments);
    va_end(arguments);
    return result;
}
template <size_t n> inline int opensspi_mbstowcs_s(size_t *converted, WCHAR (&to)[n], const char *from, size_t count)
{
    return opensspi_mbstowcs_s(converted, to, n, from, count);
}
template <size_t n> inline int opensspi_wcstombs_s(size_t *converted, char (&to)[n], const WCHAR *from, size_t count)
{
    return opensspi_wcstombs_s(converted, to, n, from, count);
}
template <size_t n> inline int opensspi_strerror_s(char (&to)[n], int error)
{
    return opensspi_strerror_s(to, n, error);
}
template <size_t n> inline int opensspi_itoa_s(int value, char (&to)[n], int radix)
{
    return opensspi_itoa_s(value, to, n, radix);
}
template <size_t n> inline int opensspi_itow_s(int value, WCHAR (&to)[n], int radix)
{
    return opensspi_itow_s(value, to, n, radix);
}
#if OPENSSPI_SHORT_WCHAR
namespace std
{
using ::opensspi_fgetws;
using ::opensspi_fprintf;
using ::opensspi_fputws;
using ::opensspi_fwprintf;
using ::opensspi_mbstowcs;
using ::opensspi_printf;
using ::opensspi_snprintf;
using ::opensspi_sprintf;
using ::opensspi_swprintf;
using ::opensspi_vfprintf;
using ::opensspi_vfwprintf;
using ::opensspi_vprintf;
using ::opensspi_vsnprintf;
using ::opensspi_vsprintf;
using ::opensspi_vswprintf;
using ::opensspi_vwprintf;
using ::opensspi_wcscat;
using ::opensspi_wcschr;
using ::opensspi_wcscmp;
using ::opensspi_wcscpy;
using ::opensspi_wcscspn;
using ::opensspi_wcslen;
using ::opensspi_wcsncat;
using ::opensspi_wcsncmp;
using ::opensspi_wcsncpy;
using ::opensspi_wcspbrk;
using ::opensspi_wcsrchr;
using ::opensspi_wcsspn;
using ::opensspi_wcsstr;
using ::opensspi_wcstod;
using ::opensspi_wcstok;
using ::opensspi_wcstol;
using ::opensspi_wcstombs;
using ::opensspi_wcstoul;
using ::opensspi_wmemchr;
using ::opensspi_wmemcmp;
using ::opensspi_wmemcpy;
using ::opensspi_wmemmove;
using ::opensspi_wmemset;
using ::opensspi_wprintf;
} // namespace std
#endif
}
#endif

#include "crt_inttypes.h"
#include "crt_scan.h"

#endif
