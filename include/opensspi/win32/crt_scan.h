/*
 * crt_scan.h: the scanf functions, included by crt.h, which replace the C library's as its printf functions do: %lu and %lx set 32 bits, %I64u 64, %S
 * and %ls are text of the other width and of 16 bits. OPENSSPI_WIN32_NO_PRINTF leaves the narrow ones alone.
 *
 * An argument that is a long * or an unsigned long *, which on Windows points to 32 bits, points to 64 here. The macros see that, and all of it is
 * set; so the variables of either spelling read right. A va_list does not tell: there such an argument has to be a LONG * or a DWORD *, or its
 * conversion %lld or %llu.
 *
 * As macros they take a compound literal in parentheses only, in C, and a function or a member of a program's that has such a name is declared and
 * called as (sscanf)(...) or (object.sscanf)(...). The C library's own conversions (%ms, %1$d, %'d) are none.
 *
 * Source: Microsoft, "scanf width specification", "scanf type field characters", scanf_s; ISO C11 7.21.6.2.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_CRT_SCAN_H
#define OPENSSPI_WIN32_CRT_SCAN_H

#include "crt.h"

OPENSSPI_BEGIN_DECLS

/*
 * Formatted input, of 16 bits where the name has a w; files are UTF-8. As C's: how many arguments were set, or EOF when the input ends before the
 * first. A format or a pointer that is none gives EOF with EINVAL. Text that the other width has no room for where a width is given ends the reading
 * with ERANGE.
 */
int opensspi_scanf(unsigned long long longs, const char *format, ...);
int opensspi_fscanf(unsigned long long longs, FILE *file, const char *format, ...);
int opensspi_sscanf(unsigned long long longs, const char *text, const char *format, ...);
int opensspi_wscanf(unsigned long long longs, const WCHAR *format, ...);
int opensspi_fwscanf(unsigned long long longs, FILE *file, const WCHAR *format, ...);
int opensspi_swscanf(unsigned long long longs, const WCHAR *text, const WCHAR *format, ...);
int opensspi_vscanf(const char *format, va_list arguments);
int opensspi_vfscanf(FILE *file, const char *format, va_list arguments);
int opensspi_vsscanf(const char *text, const char *format, va_list arguments);
int opensspi_vwscanf(const WCHAR *format, va_list arguments);
int opensspi_vfwscanf(FILE *file, const WCHAR *format, va_list arguments);
int opensspi_vswscanf(const WCHAR *text, const WCHAR *format, va_list arguments);
/*
 * The same, but behind each pointer of %s, %S, %c, %C and %[ stands how much room it has, an unsigned, in characters with the NUL. Text that is too
 * long ends the reading, with ERANGE and an empty text in the room, but for %c.
 */
int opensspi_scanf_s(unsigned long long longs, const char *format, ...);
int opensspi_fscanf_s(unsigned long long longs, FILE *file, const char *format, ...);
int opensspi_sscanf_s(unsigned long long longs, const char *text, const char *format, ...);
int opensspi_wscanf_s(unsigned long long longs, const WCHAR *format, ...);
int opensspi_fwscanf_s(unsigned long long longs, FILE *file, const WCHAR *format, ...);
int opensspi_swscanf_s(unsigned long long longs, const WCHAR *text, const WCHAR *format, ...);
int opensspi_vscanf_s(const char *format, va_list arguments);
int opensspi_vfscanf_s(FILE *file, const char *format, va_list arguments);
int opensspi_vsscanf_s(const char *text, const char *format, va_list arguments);
int opensspi_vwscanf_s(const WCHAR *format, va_list arguments);
int opensspi_vfwscanf_s(FILE *file, const WCHAR *format, va_list arguments);
int opensspi_vswscanf_s(const WCHAR *text, const WCHAR *format, va_list arguments);

OPENSSPI_END_DECLS

/* Which of the arguments are pointers to a long: a bit each, from the first. None is evaluated. */
#ifdef __cplusplus
extern "C++" {
template <class... T> struct OpenSspiLongs {
    static constexpr unsigned long long mask = 0;
};
template <class T> struct OpenSspiIsLong {
    static constexpr unsigned long long value = 0;
};
template <> struct OpenSspiIsLong<long *> {
    static constexpr unsigned long long value = 1;
};
template <> struct OpenSspiIsLong<unsigned long *> {
    static constexpr unsigned long long value = 1;
};
template <> struct OpenSspiIsLong<volatile long *> {
    static constexpr unsigned long long value = 1;
};
template <> struct OpenSspiIsLong<volatile unsigned long *> {
    static constexpr unsigned long long value = 1;
};
template <class T, class... Others> struct OpenSspiLongs<T, Others...> {
    static constexpr unsigned long long mask = OpenSspiIsLong<T>::value | OpenSspiLongs<Others...>::mask << 1;
};
template <class... T> OpenSspiLongs<T...> opensspi_longs(T...);
}
#define OPENSSPI_LONGS(...) (decltype(::opensspi_longs(__VA_ARGS__))::mask)
#else
#define OPENSSPI_IS_LONG(p, i)                                                                                     \
    (_Generic((p), long * : 1ull, unsigned long * : 1ull, volatile long * : 1ull, volatile unsigned long * : 1ull, \
              default : 0ull)                                                                                      \
     << (i))
/* Of the first 24. */
#define OPENSSPI_LONGS(...) \
    OPENSSPI_LONGS_(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
#define OPENSSPI_LONGS_(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, ...)         \
    (OPENSSPI_IS_LONG(a, 0) | OPENSSPI_IS_LONG(b, 1) | OPENSSPI_IS_LONG(c, 2) | OPENSSPI_IS_LONG(d, 3) |     \
     OPENSSPI_IS_LONG(e, 4) | OPENSSPI_IS_LONG(f, 5) | OPENSSPI_IS_LONG(g, 6) | OPENSSPI_IS_LONG(h, 7) |     \
     OPENSSPI_IS_LONG(i, 8) | OPENSSPI_IS_LONG(j, 9) | OPENSSPI_IS_LONG(k, 10) | OPENSSPI_IS_LONG(l, 11) |   \
     OPENSSPI_IS_LONG(m, 12) | OPENSSPI_IS_LONG(n, 13) | OPENSSPI_IS_LONG(o, 14) | OPENSSPI_IS_LONG(p, 15) | \
     OPENSSPI_IS_LONG(q, 16) | OPENSSPI_IS_LONG(r, 17) | OPENSSPI_IS_LONG(s, 18) | OPENSSPI_IS_LONG(t, 19) | \
     OPENSSPI_IS_LONG(u, 20) | OPENSSPI_IS_LONG(v, 21) | OPENSSPI_IS_LONG(w, 22) | OPENSSPI_IS_LONG(x, 23))
#endif

#define scanf_s(...) opensspi_scanf_s(OPENSSPI_LONGS(__VA_ARGS__), __VA_ARGS__)
#define fscanf_s(...) opensspi_fscanf_s(OPENSSPI_LONGS(__VA_ARGS__), __VA_ARGS__)
#define sscanf_s(...) opensspi_sscanf_s(OPENSSPI_LONGS(__VA_ARGS__), __VA_ARGS__)
#define vscanf_s(...) opensspi_vscanf_s(__VA_ARGS__)
#define vfscanf_s(...) opensspi_vfscanf_s(__VA_ARGS__)
#define vsscanf_s(...) opensspi_vsscanf_s(__VA_ARGS__)
#if OPENSSPI_SHORT_WCHAR
#undef wscanf
#undef vwscanf
#undef fwscanf
#undef vfwscanf
#undef swscanf
#undef vswscanf
#define wscanf(...) opensspi_wscanf(OPENSSPI_LONGS(__VA_ARGS__), __VA_ARGS__)
#define vwscanf(...) opensspi_vwscanf(__VA_ARGS__)
#define wscanf_s(...) opensspi_wscanf_s(OPENSSPI_LONGS(__VA_ARGS__), __VA_ARGS__)
#define vwscanf_s(...) opensspi_vwscanf_s(__VA_ARGS__)
#define fwscanf(...) opensspi_fwscanf(OPENSSPI_LONGS(__VA_ARGS__), __VA_ARGS__)
#define vfwscanf(...) opensspi_vfwscanf(__VA_ARGS__)
#define fwscanf_s(...) opensspi_fwscanf_s(OPENSSPI_LONGS(__VA_ARGS__), __VA_ARGS__)
#define vfwscanf_s(...) opensspi_vfwscanf_s(__VA_ARGS__)
#define swscanf(...) opensspi_swscanf(OPENSSPI_LONGS(__VA_ARGS__), __VA_ARGS__)
#define vswscanf(...) opensspi_vswscanf(__VA_ARGS__)
#define swscanf_s(...) opensspi_swscanf_s(OPENSSPI_LONGS(__VA_ARGS__), __VA_ARGS__)
#define vswscanf_s(...) opensspi_vswscanf_s(__VA_ARGS__)
#ifndef OPENSSPI_WIN32_NO_PRINTF
#undef scanf
#undef vscanf
#undef fscanf
#undef vfscanf
#undef sscanf
#undef vsscanf
#define scanf(...) opensspi_scanf(OPENSSPI_LONGS(__VA_ARGS__), __VA_ARGS__)
#define vscanf(...) opensspi_vscanf(__VA_ARGS__)
#define fscanf(...) opensspi_fscanf(OPENSSPI_LONGS(__VA_ARGS__), __VA_ARGS__)
#define vfscanf(...) opensspi_vfscanf(__VA_ARGS__)
#define sscanf(...) opensspi_sscanf(OPENSSPI_LONGS(__VA_ARGS__), __VA_ARGS__)
#define vsscanf(...) opensspi_vsscanf(__VA_ARGS__)
#endif
#ifdef __cplusplus
extern "C++" {
namespace std
{
using ::opensspi_fscanf;
using ::opensspi_fwscanf;
using ::opensspi_scanf;
using ::opensspi_sscanf;
using ::opensspi_swscanf;
using ::opensspi_vfscanf;
using ::opensspi_vfwscanf;
using ::opensspi_vscanf;
using ::opensspi_vsscanf;
using ::opensspi_vswscanf;
using ::opensspi_vwscanf;
using ::opensspi_wscanf;
} // namespace std
}
#endif
#endif

#endif
