/* The scanf functions. */
#include "crt.h"

#include "scan.h"

static int scan(bool wide, bool bounded, unsigned long long longs, const void *text, const void *format,
                va_list arguments)
{
    const struct scan what = {.wide = wide, .bounded = bounded, .longs = longs, .text = text};
    if (text != NULL)
        return scan_run(&what, format, arguments);
    errno = EINVAL;
    return EOF;
}

static int scan_file(bool wide, bool bounded, unsigned long long longs, FILE *file, const void *format,
                     va_list arguments)
{
    const struct scan what = {.wide = wide, .bounded = bounded, .longs = longs, .file = file};
    return scan_run(&what, format, arguments);
}

int opensspi_vscanf(const char *format, va_list arguments)
{
    return scan_file(false, false, 0, stdin, format, arguments);
}

int opensspi_vfscanf(FILE *file, const char *format, va_list arguments)
{
    return scan_file(false, false, 0, file, format, arguments);
}

int opensspi_vsscanf(const char *text, const char *format, va_list arguments)
{
    return scan(false, false, 0, text, format, arguments);
}

int opensspi_vwscanf(const WCHAR *format, va_list arguments)
{
    return scan_file(true, false, 0, stdin, format, arguments);
}

int opensspi_vfwscanf(FILE *file, const WCHAR *format, va_list arguments)
{
    return scan_file(true, false, 0, file, format, arguments);
}

int opensspi_vswscanf(const WCHAR *text, const WCHAR *format, va_list arguments)
{
    return scan(true, false, 0, text, format, arguments);
}

int opensspi_vscanf_s(const char *format, va_list arguments)
{
    return scan_file(false, true, 0, stdin, format, arguments);
}

int opensspi_vfscanf_s(FILE *file, const char *format, va_list arguments)
{
    return scan_file(false, true, 0, file, format, arguments);
}

int opensspi_vsscanf_s(const char *text, const char *format, va_list arguments)
{
    return scan(false, true, 0, text, format, arguments);
}

int opensspi_vwscanf_s(const WCHAR *format, va_list arguments)
{
    return scan_file(true, true, 0, stdin, format, arguments);
}

int opensspi_vfwscanf_s(FILE *file, const WCHAR *format, va_list arguments)
{
    return scan_file(true, true, 0, file, format, arguments);
}

int opensspi_vswscanf_s(const WCHAR *text, const WCHAR *format, va_list arguments)
{
    return scan(true, true, 0, text, format, arguments);
}

/* The forms with arguments of their own. `longs` begins with the arguments before the format and the format itself. */
#define WITH_ARGUMENTS(call)     \
    va_list arguments;           \
    va_start(arguments, format); \
    int result = call;           \
    va_end(arguments);           \
    return result

int opensspi_scanf(unsigned long long longs, const char *format, ...)
{
    WITH_ARGUMENTS(scan_file(false, false, longs >> 1, stdin, format, arguments));
}

int opensspi_fscanf(unsigned long long longs, FILE *file, const char *format, ...)
{
    WITH_ARGUMENTS(scan_file(false, false, longs >> 2, file, format, arguments));
}

int opensspi_sscanf(unsigned long long longs, const char *text, const char *format, ...)
{
    WITH_ARGUMENTS(scan(false, false, longs >> 2, text, format, arguments));
}

int opensspi_wscanf(unsigned long long longs, const WCHAR *format, ...)
{
    WITH_ARGUMENTS(scan_file(true, false, longs >> 1, stdin, format, arguments));
}

int opensspi_fwscanf(unsigned long long longs, FILE *file, const WCHAR *format, ...)
{
    WITH_ARGUMENTS(scan_file(true, false, longs >> 2, file, format, arguments));
}

int opensspi_swscanf(unsigned long long longs, const WCHAR *text, const WCHAR *format, ...)
{
    WITH_ARGUMENTS(scan(true, false, longs >> 2, text, format, arguments));
}

int opensspi_scanf_s(unsigned long long longs, const char *format, ...)
{
    WITH_ARGUMENTS(scan_file(false, true, longs >> 1, stdin, format, arguments));
}

int opensspi_fscanf_s(unsigned long long longs, FILE *file, const char *format, ...)
{
    WITH_ARGUMENTS(scan_file(false, true, longs >> 2, file, format, arguments));
}

int opensspi_sscanf_s(unsigned long long longs, const char *text, const char *format, ...)
{
    WITH_ARGUMENTS(scan(false, true, longs >> 2, text, format, arguments));
}

int opensspi_wscanf_s(unsigned long long longs, const WCHAR *format, ...)
{
    WITH_ARGUMENTS(scan_file(true, true, longs >> 1, stdin, format, arguments));
}

int opensspi_fwscanf_s(unsigned long long longs, FILE *file, const WCHAR *format, ...)
{
    WITH_ARGUMENTS(scan_file(true, true, longs >> 2, file, format, arguments));
}

int opensspi_swscanf_s(unsigned long long longs, const WCHAR *text, const WCHAR *format, ...)
{
    WITH_ARGUMENTS(scan(true, true, longs >> 2, text, format, arguments));
}
