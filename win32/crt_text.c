/* Wide text of 16 bits, by the C library's rules. */
#include "crt.h"

#include "unicode.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

size_t opensspi_wcslen(const WCHAR *s)
{
    size_t n = 0;
    while (s[n] != 0)
        n++;
    return n;
}

size_t opensspi_wcsnlen(const WCHAR *s, size_t n)
{
    size_t i = 0;
    while (i < n && s[i] != 0)
        i++;
    return i;
}

WCHAR *opensspi_wcscpy(WCHAR *to, const WCHAR *from)
{
    return opensspi_wmemcpy(to, from, opensspi_wcslen(from) + 1);
}

WCHAR *opensspi_wcsncpy(WCHAR *to, const WCHAR *from, size_t n)
{
    size_t len = opensspi_wcsnlen(from, n);
    opensspi_wmemcpy(to, from, len);
    opensspi_wmemset(to + len, 0, n - len);
    return to;
}

WCHAR *opensspi_wcscat(WCHAR *to, const WCHAR *from)
{
    opensspi_wcscpy(to + opensspi_wcslen(to), from);
    return to;
}

WCHAR *opensspi_wcsncat(WCHAR *to, const WCHAR *from, size_t n)
{
    WCHAR *end = to + opensspi_wcslen(to);
    size_t len = opensspi_wcsnlen(from, n);
    opensspi_wmemcpy(end, from, len);
    end[len] = 0;
    return to;
}

int opensspi_wcscmp(const WCHAR *a, const WCHAR *b)
{
    return opensspi_wcsncmp(a, b, SIZE_MAX);
}

int opensspi_wcsncmp(const WCHAR *a, const WCHAR *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i] || a[i] == 0)
            return (a[i] > b[i]) - (a[i] < b[i]);
    return 0;
}

int opensspi_wcsicmp(const WCHAR *a, const WCHAR *b)
{
    return opensspi_wcsnicmp(a, b, SIZE_MAX);
}

int opensspi_wcsnicmp(const WCHAR *a, const WCHAR *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        WCHAR x = wchar_lower(a[i]), y = wchar_lower(b[i]);
        if (x != y || x == 0)
            return (x > y) - (x < y);
    }
    return 0;
}

/* The C library takes const away in the same way. */
static WCHAR *mutable(const WCHAR *s)
{
    return (WCHAR *)(uintptr_t)s;
}

WCHAR *opensspi_wcschr(const WCHAR *s, WCHAR c)
{
    for (;; s++) {
        if (*s == c)
            return mutable(s);
        if (*s == 0)
            return NULL;
    }
}

WCHAR *opensspi_wcsrchr(const WCHAR *s, WCHAR c)
{
    for (size_t n = opensspi_wcslen(s) + 1; n > 0; n--)
        if (s[n - 1] == c)
            return mutable(s + n - 1);
    return NULL;
}

WCHAR *opensspi_wcsstr(const WCHAR *s, const WCHAR *what)
{
    size_t n = opensspi_wcslen(what);
    for (;; s++) {
        if (opensspi_wcsncmp(s, what, n) == 0)
            return mutable(s);
        if (*s == 0)
            return NULL;
    }
}

size_t opensspi_wcscspn(const WCHAR *s, const WCHAR *any)
{
    size_t n = 0;
    while (s[n] != 0 && opensspi_wcschr(any, s[n]) == NULL)
        n++;
    return n;
}

size_t opensspi_wcsspn(const WCHAR *s, const WCHAR *any)
{
    size_t n = 0;
    while (s[n] != 0 && opensspi_wcschr(any, s[n]) != NULL)
        n++;
    return n;
}

WCHAR *opensspi_wcspbrk(const WCHAR *s, const WCHAR *any)
{
    s += opensspi_wcscspn(s, any);
    return *s != 0 ? mutable(s) : NULL;
}

WCHAR *opensspi_wcstok(WCHAR *s, const WCHAR *any, WCHAR **state)
{
    if (s == NULL)
        s = *state;
    if (s == NULL)
        return NULL;
    s += opensspi_wcsspn(s, any);
    if (*s == 0) {
        *state = NULL;
        return NULL;
    }
    WCHAR *end = s + opensspi_wcscspn(s, any);
    *state = *end != 0 ? end + 1 : NULL;
    *end = 0;
    return s;
}

WCHAR *opensspi_ms_wcstok(WCHAR *s, const WCHAR *any)
{
    static __thread WCHAR *state;
    return opensspi_wcstok(s, any, &state);
}

WCHAR *opensspi_wcsdup(const WCHAR *s)
{
    size_t n = opensspi_wcslen(s) + 1;
    WCHAR *copy = malloc(n * sizeof *copy);
    return copy == NULL ? NULL : opensspi_wmemcpy(copy, s, n);
}

static int digit_of(WCHAR c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'Z')
        return c - 'A' + 10;
    return INT_MAX;
}

/* Windows' long has 32 bits: what is beyond answers ERANGE here as there. */
static uint64_t number_of(const WCHAR *s, WCHAR **end, int base, bool *negative, bool *over)
{
    const WCHAR *at = s;
    while (*at == ' ' || (*at >= '\t' && *at <= '\r'))
        at++;
    *negative = *at == '-';
    *over = false;
    if (*at == '-' || *at == '+')
        at++;
    if ((base == 0 || base == 16) && at[0] == '0' && (at[1] == 'x' || at[1] == 'X') && digit_of(at[2]) < 16) {
        at += 2;
        base = 16;
    } else if (base == 0) {
        base = *at == '0' ? 8 : 10;
    }
    uint64_t value = 0;
    const WCHAR *first = at;
    for (; digit_of(*at) < base; at++) {
        value = value * (uint64_t)base + (uint64_t)digit_of(*at);
        if (value > UINT32_MAX) {
            *over = true;
            value = UINT32_MAX;
        }
    }
    if (end != NULL)
        *end = mutable(at == first ? s : at);
    return value;
}

long opensspi_wcstol(const WCHAR *s, WCHAR **end, int base)
{
    bool negative, over;
    uint64_t value = number_of(s, end, base, &negative, &over);
    if (over || value > (uint64_t)INT32_MAX + negative) {
        errno = ERANGE;
        return negative ? INT32_MIN : INT32_MAX;
    }
    return negative ? -(long)value : (long)value;
}

unsigned long opensspi_wcstoul(const WCHAR *s, WCHAR **end, int base)
{
    bool negative, over;
    uint64_t value = number_of(s, end, base, &negative, &over);
    if (over) {
        errno = ERANGE;
        return UINT32_MAX;
    }
    return (uint32_t)(negative ? 0 - value : value);
}

long opensspi_strtol(const char *s, char **end, int base)
{
    long value = strtol(s, end, base);
    if (value >= INT32_MIN && value <= INT32_MAX)
        return value;
    errno = ERANGE;
    return value < 0 ? INT32_MIN : INT32_MAX;
}

unsigned long opensspi_strtoul(const char *s, char **end, int base)
{
    const char *at = s;
    while (*at == ' ' || (*at >= '\t' && *at <= '\r'))
        at++;
    int before = errno;
    errno = 0;
    unsigned long value = strtoul(s, end, base), size = *at == '-' ? 0 - value : value;
    if (errno == ERANGE || size > UINT32_MAX) {
        errno = ERANGE;
        return UINT32_MAX;
    }
    if (errno == 0)
        errno = before;
    return (uint32_t)value;
}

long opensspi_atol(const char *s)
{
    return opensspi_strtol(s, NULL, 10);
}

int opensspi_wtoi(const WCHAR *s)
{
    return (int)opensspi_wcstol(s, NULL, 10);
}

long opensspi_wtol(const WCHAR *s)
{
    return opensspi_wcstol(s, NULL, 10);
}

char *opensspi_strupr(char *s)
{
    for (char *at = s; *at != '\0'; at++)
        if (*at >= 'a' && *at <= 'z')
            *at = (char)(*at - 'a' + 'A');
    return s;
}

char *opensspi_strlwr(char *s)
{
    for (char *at = s; *at != '\0'; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    return s;
}

WCHAR *opensspi_wcsupr(WCHAR *s)
{
    for (size_t i = 0; s[i] != 0; i++)
        s[i] = wchar_upper(s[i]);
    return s;
}

WCHAR *opensspi_wcslwr(WCHAR *s)
{
    for (size_t i = 0; s[i] != 0; i++)
        s[i] = wchar_lower(s[i]);
    return s;
}

WCHAR *opensspi_wmemcpy(WCHAR *to, const WCHAR *from, size_t n)
{
    return memcpy(to, from, n * sizeof *to);
}

WCHAR *opensspi_wmemmove(WCHAR *to, const WCHAR *from, size_t n)
{
    return memmove(to, from, n * sizeof *to);
}

WCHAR *opensspi_wmemset(WCHAR *to, WCHAR c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = c;
    return to;
}

WCHAR *opensspi_wmemchr(const WCHAR *s, WCHAR c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] == c)
            return mutable(s + i);
    return NULL;
}

int opensspi_wmemcmp(const WCHAR *a, const WCHAR *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i])
            return a[i] > b[i] ? 1 : -1;
    return 0;
}

/* utf8_next and utf16_next look no further than the first unit asks, and never past a NUL. */
#define UTF8_MAX 4
#define UTF16_MAX 2

size_t utf16_fill(WCHAR *to, const char **from, size_t n)
{
    size_t done = 0;
    while ((to == NULL || done < n) && **from != '\0') {
        uint32_t character;
        bool bad;
        WCHAR units[UTF16_MAX];
        size_t len = utf8_next(*from, UTF8_MAX, &character, &bad);
        if (bad) {
            errno = EILSEQ;
            return (size_t)-1;
        }
        size_t n_units = utf16_put(character, units);
        if (to != NULL && n - done < n_units)
            break;
        if (to != NULL)
            opensspi_wmemcpy(to + done, units, n_units);
        done += n_units;
        *from += len;
    }
    return done;
}

size_t utf8_fill(char *to, const WCHAR **from, size_t n)
{
    size_t done = 0;
    while ((to == NULL || done < n) && **from != 0) {
        uint32_t character;
        bool bad;
        char bytes[UTF8_MAX];
        size_t n_units = utf16_next(*from, UTF16_MAX, &character, &bad);
        if (bad) {
            errno = EILSEQ;
            return (size_t)-1;
        }
        size_t n_bytes = utf8_put(character, bytes);
        if (to != NULL && n - done < n_bytes)
            break;
        if (to != NULL)
            memcpy(to + done, bytes, n_bytes);
        done += n_bytes;
        *from += n_units;
    }
    return done;
}

/* With less than n there is a character that was looked at: the NUL, or one without room. */
size_t opensspi_mbstowcs(WCHAR *to, const char *from, size_t n)
{
    size_t done = utf16_fill(to, &from, n);
    if (to != NULL && done < n && *from == '\0')
        to[done] = 0;
    return done;
}

size_t opensspi_wcstombs(char *to, const WCHAR *from, size_t n)
{
    size_t done = utf8_fill(to, &from, n);
    if (to != NULL && done < n && *from == 0)
        to[done] = '\0';
    return done;
}
