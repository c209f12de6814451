/* Copies with bounds, and the start of programs that have a wmain. */
#include "crt.h"

#include "exit_code.h"
#include "unicode.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Appends at `at`; a text that does not fit leaves an empty one. */
static int copy(bool wide, void *to, size_t n, size_t at, const void *from, size_t count)
{
    size_t unit = wide ? sizeof(WCHAR) : 1;
    if (to == NULL || n == 0)
        return EINVAL;
    if (from == NULL || at >= n) {
        memset(to, 0, unit);
        return EINVAL;
    }
    bool cut = count == _TRUNCATE;
    size_t limit = count < n - at ? count : n - at;
    size_t len = wide ? opensspi_wcsnlen(from, limit) : strnlen(from, limit);
    if (len == n - at && !cut) {
        memset(to, 0, unit);
        return ERANGE;
    }
    cut = len == n - at;
    if (cut)
        len--;
    memcpy((char *)to + at * unit, from, len * unit);
    memset((char *)to + (at + len) * unit, 0, unit);
    return cut ? STRUNCATE : 0;
}

int opensspi_strcpy_s(char *to, size_t n, const char *from)
{
    return copy(false, to, n, 0, from, SIZE_MAX - 1);
}

int opensspi_strcat_s(char *to, size_t n, const char *from)
{
    return copy(false, to, n, to == NULL ? 0 : strnlen(to, n), from, SIZE_MAX - 1);
}

int opensspi_strncpy_s(char *to, size_t n, const char *from, size_t count)
{
    return copy(false, to, n, 0, from, count);
}

int opensspi_wcscpy_s(WCHAR *to, size_t n, const WCHAR *from)
{
    return copy(true, to, n, 0, from, SIZE_MAX - 1);
}

int opensspi_wcscat_s(WCHAR *to, size_t n, const WCHAR *from)
{
    return copy(true, to, n, to == NULL ? 0 : opensspi_wcsnlen(to, n), from, SIZE_MAX - 1);
}

int opensspi_wcsncpy_s(WCHAR *to, size_t n, const WCHAR *from, size_t count)
{
    return copy(true, to, n, 0, from, count);
}

int opensspi_strncat_s(char *to, size_t n, const char *from, size_t count)
{
    return copy(false, to, n, to == NULL ? 0 : strnlen(to, n), from, count);
}

int opensspi_wcsncat_s(WCHAR *to, size_t n, const WCHAR *from, size_t count)
{
    return copy(true, to, n, to == NULL ? 0 : opensspi_wcsnlen(to, n), from, count);
}

/* To wide text or from it. Is the text's NUL behind what was converted? */
static size_t fill(bool to_wide, void *to, const void *from, size_t n, bool need_end, bool *end)
{
    const char *bytes = from;
    const WCHAR *units = from;
    size_t done = to_wide ? utf16_fill(to, &bytes, n) : utf8_fill(to, &units, n);
    if (need_end && done != (size_t)-1)
        *end = to_wide ? *bytes == '\0' : *units == 0;
    return done;
}

/* The length with the NUL, of so many units at most: what is behind them need not be text, nor be there. */
static int convert(bool to_wide, size_t *converted, void *to, size_t n, const void *from, size_t count)
{
    size_t unit = to_wide ? sizeof(WCHAR) : 1;
    if (converted != NULL)
        *converted = 0;
    if (to != NULL && n > 0)
        memset(to, 0, unit);
    if ((to == NULL) != (n == 0) || from == NULL)
        return EINVAL;
    bool room = to != NULL && count < n, end = true;
    size_t len = fill(to_wide, to, from, room ? count : n - 1, to != NULL && !room, &end);
    if (len == (size_t)-1 || (!end && count != _TRUNCATE)) {
        if (to != NULL)
            memset(to, 0, unit);
        return len == (size_t)-1 ? EILSEQ : ERANGE;
    }
    if (to != NULL)
        memset((char *)to + len * unit, 0, unit);
    if (converted != NULL)
        *converted = len + 1;
    return end ? 0 : STRUNCATE;
}

int opensspi_mbstowcs_s(size_t *converted, WCHAR *to, size_t n, const char *from, size_t count)
{
    return convert(true, converted, to, n, from, count);
}

int opensspi_wcstombs_s(size_t *converted, char *to, size_t n, const WCHAR *from, size_t count)
{
    return convert(false, converted, to, n, from, count);
}

int opensspi_memcpy_s(void *to, size_t n, const void *from, size_t count)
{
    if (count == 0)
        return 0;
    if (to == NULL)
        return EINVAL;
    if (from == NULL || n < count) {
        memset(to, 0, n);
        return from == NULL ? EINVAL : ERANGE;
    }
    memcpy(to, from, count);
    return 0;
}

/* The array ends with NULL; it stays as long as the program. */
static WCHAR **wide_list(char *const *list, size_t n)
{
    WCHAR **wide = calloc(n + 1, sizeof *wide);
    for (size_t i = 0; wide != NULL && i < n; i++)
        if ((wide[i] = utf16_of(list[i])) == NULL) {
            free(wide);
            return NULL;
        }
    return wide;
}

int opensspi_run_wmain(int argc, char **argv, int (*user)(int, WCHAR **, WCHAR **))
{
    size_t n = 0;
    while (environ != NULL && environ[n] != NULL)
        n++;
    WCHAR **arguments = wide_list(argv, (size_t)argc), **environment = wide_list(environ, n);
    if (arguments == NULL || environment == NULL) {
        free(arguments);
        free(environment);
        fputs("not enough memory\n", stderr);
        return EXIT_FAILURE;
    }
    /* They are reachable to the end, so that no tool takes them for lost. */
    __attribute__((used)) static WCHAR **volatile kept[2];
    kept[0] = arguments;
    kept[1] = environment;
    return exit_code_of((unsigned)user(argc, arguments, environment));
}
