/* Functions of Microsoft's C library that tell failures by a number, and numbers in wide text. */
#include "crt.h"

#include "environment.h"
#include "unicode.h"
#include <errno.h>
#include <stdlib.h>
#include <time.h>

int opensspi_fopen_s(FILE **file, const char *path, const char *mode)
{
    if (file == NULL)
        return EINVAL;
    *file = NULL;
    if (path == NULL || mode == NULL)
        return EINVAL;
    *file = fopen(path, mode);
    return *file != NULL ? 0 : errno;
}

int opensspi_wfopen_s(FILE **file, const WCHAR *path, const WCHAR *mode)
{
    if (file == NULL)
        return EINVAL;
    *file = NULL;
    if (path == NULL || mode == NULL)
        return EINVAL;
    *file = opensspi_wfopen(path, mode);
    return *file != NULL ? 0 : errno;
}

int opensspi_localtime_s(struct tm *to, const time_t *from)
{
    if (to == NULL || from == NULL)
        return EINVAL;
    return localtime_r(from, to) != NULL ? 0 : EINVAL;
}

int opensspi_gmtime_s(struct tm *to, const time_t *from)
{
    if (to == NULL || from == NULL)
        return EINVAL;
    return gmtime_r(from, to) != NULL ? 0 : EINVAL;
}

int opensspi_strerror_s(char *to, size_t n, int error)
{
    char room[256];
    int before = errno;
    if (to == NULL || n == 0)
        return EINVAL;
    const char *text = strerror_r(error, room, sizeof room); /* the C library's own form, which may not use the room */
    opensspi_strncpy_s(to, n, text, _TRUNCATE);
    errno = before;
    return 0;
}

/* A variable's value, fresh, in either form; NULL for one that is not set. */
static int duplicate(bool wide, void **to, size_t *n, const char *name)
{
    bool is_set;
    char *value = environment_copy(name, &is_set);
    if (value == NULL)
        return is_set ? ENOMEM : 0;
    if (wide) {
        *to = utf16_of(value);
        text_wipe(value);
    } else
        *to = value;
    if (*to == NULL)
        return ENOMEM;
    if (n != NULL)
        *n = (wide ? opensspi_wcslen(*to) : strlen(*to)) + 1;
    return 0;
}

int opensspi_dupenv_s(char **to, size_t *n, const char *name)
{
    void *value = NULL;
    if (n != NULL)
        *n = 0;
    if (to != NULL)
        *to = NULL;
    if (to == NULL || name == NULL)
        return EINVAL;
    int error = duplicate(false, &value, n, name);
    *to = value;
    return error;
}

int opensspi_wdupenv_s(WCHAR **to, size_t *n, const WCHAR *name)
{
    void *value = NULL;
    if (n != NULL)
        *n = 0;
    if (to != NULL)
        *to = NULL;
    if (to == NULL || name == NULL)
        return EINVAL;
    char *narrow = utf8_of(name);
    int error = narrow == NULL ? ENOMEM : duplicate(true, &value, n, narrow);
    free(narrow);
    *to = value;
    return error;
}

#define DIGITS_MAX 33 /* of 32 bits, and the NUL; the sign stands before ten digits */

/* The digits of a number, from the end of `room`. A sign is for radix 10 alone: others show the bits. */
static const char *digits_of(int value, unsigned radix, char room[DIGITS_MAX])
{
    bool negative = value < 0 && radix == 10;
    unsigned rest = negative ? 0u - (unsigned)value : (unsigned)value;
    char *at = room + (DIGITS_MAX - 1);
    *at = '\0';
    do {
        *--at = "0123456789abcdefghijklmnopqrstuvwxyz"[rest % radix];
        rest /= radix;
    } while (rest != 0);
    if (negative)
        *--at = '-';
    return at;
}

int opensspi_itoa_s(int value, char *to, size_t n, int radix)
{
    char room[DIGITS_MAX];
    if (to == NULL || n == 0)
        return EINVAL;
    *to = '\0';
    return radix < 2 || radix > 36 ? EINVAL : opensspi_strcpy_s(to, n, digits_of(value, (unsigned)radix, room));
}

int opensspi_itow_s(int value, WCHAR *to, size_t n, int radix)
{
    char room[DIGITS_MAX] = "";
    if (to == NULL || n == 0)
        return EINVAL;
    *to = 0;
    int error = opensspi_itoa_s(value, room, sizeof room, radix);
    size_t len = strlen(room);
    if (error != 0 || len >= n)
        return error != 0 ? error : ERANGE;
    for (size_t i = 0; i <= len; i++)
        to[i] = (WCHAR)room[i];
    return 0;
}

int opensspi_memicmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;
    for (size_t i = 0; i < n; i++) {
        int one = x[i] >= 'A' && x[i] <= 'Z' ? x[i] - 'A' + 'a' : x[i];
        int other = y[i] >= 'A' && y[i] <= 'Z' ? y[i] - 'A' + 'a' : y[i];
        if (one != other)
            return one - other;
    }
    return 0;
}

/* What a number may be, which is ASCII: the same text, narrow. NULL without memory. */
static char *narrow_number(const WCHAR *s)
{
    size_t len = 0;
    while (s[len] != 0 && s[len] < 0x80)
        len++;
    char *narrow = malloc(len + 1);
    for (size_t i = 0; narrow != NULL && i < len; i++)
        narrow[i] = (char)s[i];
    if (narrow != NULL)
        narrow[len] = '\0';
    return narrow;
}

double opensspi_wcstod(const WCHAR *s, WCHAR **end)
{
    char *narrow = narrow_number(s), *stop = narrow;
    double value = narrow == NULL ? 0 : strtod(narrow, &stop);
    if (end != NULL)
        *end = (WCHAR *)(uintptr_t)(s + (stop - narrow));
    free(narrow);
    return value;
}

double opensspi_wtof(const WCHAR *s)
{
    return opensspi_wcstod(s, NULL);
}

long long opensspi_wtoi64(const WCHAR *s)
{
    char *narrow = narrow_number(s);
    long long value = narrow == NULL ? 0 : strtoll(narrow, NULL, 10);
    free(narrow);
    return value;
}
