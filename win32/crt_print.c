/* The printf functions, wsprintf among them, and those that write text with bounds. */
#include "crt.h"
#include "format.h"
#include "scan.h"

#include "unicode.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>
#include <winuser.h>

/* Units that the text has, or -1; what fits is in `to`, with no NUL behind it. */
static int format_list(bool wide, void *to, size_t n, const void *format, va_list list, bool no_float,
                       struct text_out *out)
{
    va_list copy;
    va_copy(copy, list);
    struct format_arguments arguments = {.list = &copy, .no_float = no_float};
    size_t len = wide ? opensspi_wcslen(format) : strlen(format);
    *out = (struct text_out){.wide = wide, .room = to, .size = n};
    bool good = format_run(out, format, len, &arguments);
    va_end(copy);
    if (!good || out->n > INT_MAX) {
        errno = EINVAL;
        return -1;
    }
    return (int)out->n;
}

int opensspi_vsnprintf(char *to, size_t n, const char *format, va_list arguments)
{
    struct text_out out;
    int len = format_list(false, to, n, format, arguments, false, &out);
    text_out_end(&out);
    return len;
}

int opensspi_vsprintf(char *to, const char *format, va_list arguments)
{
    return opensspi_vsnprintf(to, SIZE_MAX, format, arguments);
}

int opensspi_vswprintf(WCHAR *to, size_t n, const WCHAR *format, va_list arguments)
{
    struct text_out out;
    int len = format_list(true, to, n, format, arguments, false, &out);
    text_out_end(&out);
    return len >= 0 && (size_t)len < n ? len : -1;
}

int opensspi_ms_vswprintf(WCHAR *to, const WCHAR *format, va_list arguments)
{
    return opensspi_vswprintf(to, SIZE_MAX / sizeof *to, format, arguments);
}

int opensspi_vscprintf(const char *format, va_list arguments)
{
    return opensspi_vsnprintf(NULL, 0, format, arguments);
}

int opensspi_vscwprintf(const WCHAR *format, va_list arguments)
{
    struct text_out out;
    return format_list(true, NULL, 0, format, arguments, false, &out);
}

static int microsoft(bool wide, void *to, size_t n, const void *format, va_list arguments)
{
    struct text_out out;
    int len = format_list(wide, to, n, format, arguments, false, &out);
    if (len < 0 || (size_t)len < n) /* also behind what a bad format left */
        text_out_end(&out);
    /* Without room it tells the length, as it does there. */
    return to == NULL || (len >= 0 && (size_t)len <= n) ? len : -1;
}

int opensspi_ms_vsnprintf(char *to, size_t n, const char *format, va_list arguments)
{
    return microsoft(false, to, n, format, arguments);
}

int opensspi_ms_vsnwprintf(WCHAR *to, size_t n, const WCHAR *format, va_list arguments)
{
    return microsoft(true, to, n, format, arguments);
}

/* To a file, as UTF-8. */
static int print(FILE *file, bool wide, const void *format, va_list list)
{
    va_list copy;
    va_copy(copy, list);
    struct format_arguments arguments = {.list = &copy};
    struct text_out out = {.wide = wide, .grows = true};
    bool good =
        format_run(&out, format, wide ? opensspi_wcslen(format) : strlen(format), &arguments) && out.n <= INT_MAX;
    if (!good)
        errno = out.failed ? ENOMEM : EINVAL;
    va_end(copy);
    size_t n = out.n;
    if (good && wide) {
        text_out_end(&out);
        char *narrow = out.failed ? NULL : utf8_of(out.room);
        good = narrow != NULL && fputs(narrow, file) != EOF;
        text_wipe(narrow);
    } else if (good) {
        good = n == 0 || fwrite(out.room, 1, n, file) == n;
    }
    text_out_free(&out);
    return good ? (int)n : -1;
}

int opensspi_vfprintf(FILE *file, const char *format, va_list arguments)
{
    return print(file, false, format, arguments);
}

int opensspi_vprintf(const char *format, va_list arguments)
{
    return print(stdout, false, format, arguments);
}

int opensspi_vfwprintf(FILE *file, const WCHAR *format, va_list arguments)
{
    return print(file, true, format, arguments);
}

int opensspi_vwprintf(const WCHAR *format, va_list arguments)
{
    return print(stdout, true, format, arguments);
}

/* Of microsoft's count: as many units at most, or as fit. */
static int bounded(bool wide, void *to, size_t n, size_t count, const void *format, va_list arguments)
{
    if (to == NULL || n == 0 || format == NULL) {
        errno = EINVAL;
        return -1;
    }
    bool cut = count < n;
    size_t room = cut ? count + 1 : n;
    struct text_out out;
    int len = format_list(wide, to, room, format, arguments, false, &out);
    text_out_end(&out);
    if (len >= 0 && (size_t)len < room)
        return len;
    if (len >= 0 && (cut || count == _TRUNCATE)) /* cut off, as was asked for */
        return -1;
    if (len >= 0)
        errno = ERANGE;
    memset(to, 0, wide ? sizeof(WCHAR) : 1);
    return -1;
}

int opensspi_vsprintf_s(char *to, size_t n, const char *format, va_list arguments)
{
    return bounded(false, to, n, n, format, arguments);
}

int opensspi_vswprintf_s(WCHAR *to, size_t n, const WCHAR *format, va_list arguments)
{
    return bounded(true, to, n, n, format, arguments);
}

int opensspi_vsnprintf_s(char *to, size_t n, size_t count, const char *format, va_list arguments)
{
    return bounded(false, to, n, count, format, arguments);
}

int opensspi_vsnwprintf_s(WCHAR *to, size_t n, size_t count, const WCHAR *format, va_list arguments)
{
    return bounded(true, to, n, count, format, arguments);
}

#define WSPRINTF_MAX 1024 /* Microsoft, wsprintf: the largest buffer */

int wvsprintfA(LPSTR unnamedParam1, LPCSTR unnamedParam2, va_list arglist)
{
    struct text_out out;
    int len = format_list(false, unnamedParam1, WSPRINTF_MAX, unnamedParam2, arglist, true, &out);
    text_out_end(&out);
    return len < WSPRINTF_MAX ? len : WSPRINTF_MAX - 1;
}

int wvsprintfW(LPWSTR unnamedParam1, LPCWSTR unnamedParam2, va_list arglist)
{
    struct text_out out;
    int len = format_list(true, unnamedParam1, WSPRINTF_MAX, unnamedParam2, arglist, true, &out);
    text_out_end(&out);
    return len < WSPRINTF_MAX ? len : WSPRINTF_MAX - 1;
}

/* The forms with arguments of their own. */
#define WITH_ARGUMENTS(call, last) \
    va_list arguments;             \
    va_start(arguments, last);     \
    int result = call;             \
    va_end(arguments);             \
    return result

int opensspi_printf(const char *format, ...)
{
    WITH_ARGUMENTS(print(stdout, false, format, arguments), format);
}

int opensspi_fprintf(FILE *file, const char *format, ...)
{
    WITH_ARGUMENTS(print(file, false, format, arguments), format);
}

int opensspi_sprintf(char *to, const char *format, ...)
{
    WITH_ARGUMENTS(opensspi_vsnprintf(to, SIZE_MAX, format, arguments), format);
}

int opensspi_snprintf(char *to, size_t n, const char *format, ...)
{
    WITH_ARGUMENTS(opensspi_vsnprintf(to, n, format, arguments), format);
}

int opensspi_ms_snprintf(char *to, size_t n, const char *format, ...)
{
    WITH_ARGUMENTS(microsoft(false, to, n, format, arguments), format);
}

int opensspi_wprintf(const WCHAR *format, ...)
{
    WITH_ARGUMENTS(print(stdout, true, format, arguments), format);
}

int opensspi_fwprintf(FILE *file, const WCHAR *format, ...)
{
    WITH_ARGUMENTS(print(file, true, format, arguments), format);
}

int opensspi_swprintf(WCHAR *to, size_t n, const WCHAR *format, ...)
{
    WITH_ARGUMENTS(opensspi_vswprintf(to, n, format, arguments), format);
}

int opensspi_ms_swprintf(WCHAR *to, const WCHAR *format, ...)
{
    WITH_ARGUMENTS(opensspi_ms_vswprintf(to, format, arguments), format);
}

int opensspi_scprintf(const char *format, ...)
{
    WITH_ARGUMENTS(opensspi_vscprintf(format, arguments), format);
}

int opensspi_scwprintf(const WCHAR *format, ...)
{
    WITH_ARGUMENTS(opensspi_vscwprintf(format, arguments), format);
}

int opensspi_ms_snwprintf(WCHAR *to, size_t n, const WCHAR *format, ...)
{
    WITH_ARGUMENTS(microsoft(true, to, n, format, arguments), format);
}

int opensspi_sprintf_s(char *to, size_t n, const char *format, ...)
{
    WITH_ARGUMENTS(bounded(false, to, n, n, format, arguments), format);
}

int opensspi_snprintf_s(char *to, size_t n, size_t count, const char *format, ...)
{
    WITH_ARGUMENTS(bounded(false, to, n, count, format, arguments), format);
}

int opensspi_swprintf_s(WCHAR *to, size_t n, const WCHAR *format, ...)
{
    WITH_ARGUMENTS(bounded(true, to, n, n, format, arguments), format);
}

int opensspi_snwprintf_s(WCHAR *to, size_t n, size_t count, const WCHAR *format, ...)
{
    WITH_ARGUMENTS(bounded(true, to, n, count, format, arguments), format);
}

int wsprintfA(LPSTR unnamedParam1, LPCSTR unnamedParam2, ...)
{
    WITH_ARGUMENTS(wvsprintfA(unnamedParam1, unnamedParam2, arguments), unnamedParam2);
}

int wsprintfW(LPWSTR unnamedParam1, LPCWSTR unnamedParam2, ...)
{
    WITH_ARGUMENTS(wvsprintfW(unnamedParam1, unnamedParam2, arguments), unnamedParam2);
}

int opensspi_fputws(const WCHAR *s, FILE *file)
{
    char *narrow = utf8_of(s);
    int result = narrow == NULL ? EOF : fputs(narrow, file);
    text_wipe(narrow);
    return result;
}

int opensspi_putws(const WCHAR *s)
{
    return opensspi_fputws(s, stdout) == EOF || fputc('\n', stdout) == EOF ? EOF : 0;
}

WCHAR *opensspi_fgetws(WCHAR *to, int n, FILE *file)
{
    int done = 0, unit = 0;
    if (n <= 0)
        return NULL;
    flockfile(file);
    while (done < n - 1 && unit != '\n' && (unit = file_unit_get(file)) != EOF)
        to[done++] = (WCHAR)unit;
    funlockfile(file);
    if (done == 0 && unit == EOF)
        return NULL;
    to[done] = 0;
    return to;
}

FILE *opensspi_wfopen(const WCHAR *path, const WCHAR *mode)
{
    char *narrow_path = utf8_of(path), *narrow_mode = utf8_of(mode);
    FILE *file = narrow_path == NULL || narrow_mode == NULL ? NULL : fopen(narrow_path, narrow_mode);
    free(narrow_path);
    free(narrow_mode);
    return file;
}
