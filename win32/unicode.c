#include "unicode.h"

#include "crt.h"
#include <stdlib.h>
#include <string.h>
#include <winbase.h>
#include <wctype.h>

size_t utf8_next(const char *s, size_t len, uint32_t *character, bool *bad)
{
    const unsigned char *b = (const unsigned char *)s;
    *bad = false;
    if (b[0] < 0x80) {
        *character = b[0];
        return 1;
    }
    size_t more = b[0] >= 0xF0 ? 3 : b[0] >= 0xE0 ? 2 : 1;
    /* The second byte's range keeps out overlong forms, surrogates and what lies past U+10FFFF. */
    unsigned low = b[0] == 0xE0   ? 0xA0
                   : b[0] == 0xF0 ? 0x90
                                  : 0x80,
             high = b[0] == 0xED   ? 0x9F
                    : b[0] == 0xF4 ? 0x8F
                                   : 0xBF;
    uint32_t value = b[0] & (0x3Fu >> more);
    size_t n = 1;
    if (b[0] >= 0xC2 && b[0] <= 0xF4)
        while (n <= more && n < len && b[n] >= low && b[n] <= high) {
            value = value << 6 | (b[n] & 0x3Fu);
            low = 0x80;
            high = 0xBF;
            n++;
        }
    if (n == more + 1) {
        *character = value;
        return n;
    }
    *bad = true;
    *character = REPLACEMENT;
    return n;
}

size_t utf16_next(const WCHAR *s, size_t len, uint32_t *character, bool *bad)
{
    *bad = false;
    *character = s[0];
    if (s[0] < 0xD800 || s[0] > 0xDFFF)
        return 1;
    if (s[0] < 0xDC00 && len > 1 && s[1] >= 0xDC00 && s[1] <= 0xDFFF) {
        *character = 0x10000 + ((uint32_t)(s[0] - 0xD800) << 10) + (uint32_t)(s[1] - 0xDC00);
        return 2;
    }
    *bad = true;
    *character = REPLACEMENT;
    return 1;
}

size_t utf8_put(uint32_t character, char *to)
{
    if (character < 0x80) {
        to[0] = (char)character;
        return 1;
    }
    size_t more = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
    static const unsigned char first[] = {0, 0xC0, 0xE0, 0xF0};
    for (size_t i = more; i > 0; i--) {
        to[i] = (char)(0x80 | (character & 0x3F));
        character >>= 6;
    }
    to[0] = (char)(first[more] | character);
    return more + 1;
}

size_t utf16_put(uint32_t character, WCHAR *to)
{
    if (character < 0x10000) {
        to[0] = (WCHAR)character;
        return 1;
    }
    to[0] = (WCHAR)(0xD800 + ((character - 0x10000) >> 10));
    to[1] = (WCHAR)(0xDC00 + ((character - 0x10000) & 0x3FF));
    return 2;
}

char *utf8_of(const WCHAR *s)
{
    if (s == NULL)
        return NULL;
    size_t n = opensspi_wcslen(s), len = 0;
    char *to = malloc(3 * n + 1);
    if (to == NULL) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    for (size_t i = 0; i < n;) {
        uint32_t character;
        bool bad;
        i += utf16_next(s + i, n - i, &character, &bad);
        len += utf8_put(character, to + len);
    }
    to[len] = '\0';
    return to;
}

WCHAR *utf16_of(const char *s)
{
    if (s == NULL)
        return NULL;
    size_t len = strlen(s), n = 0;
    WCHAR *to = malloc((len + 1) * sizeof *to);
    if (to == NULL) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    for (size_t i = 0; i < len;) {
        uint32_t character;
        bool bad;
        i += utf8_next(s + i, len - i, &character, &bad);
        n += utf16_put(character, to + n);
    }
    to[n] = 0;
    return to;
}

void text_wipe(char *utf8)
{
    if (utf8 != NULL)
        explicit_bzero(utf8, strlen(utf8));
    free(utf8);
}

BOOL text_put(const char *utf8, bool wide, void *room, DWORD *n, DWORD small, bool with_nul)
{
    WCHAR *units = wide ? utf16_of(utf8) : NULL;
    if (wide && units == NULL)
        return FALSE;
    size_t len = wide ? opensspi_wcslen(units) : strlen(utf8);
    BOOL fits = room != NULL && *n > len;
    if (fits)
        memcpy(room, wide ? (const void *)units : utf8, (len + 1) * (wide ? sizeof *units : 1));
    else
        SetLastError(small);
    *n = (DWORD)(len + (with_nul || !fits ? 1 : 0));
    free(units);
    return fits;
}

/* The C library's tables, which know the basic plane only in a locale of UTF-8; the letters of Latin 1 in any. */
WCHAR wchar_upper(WCHAR c)
{
    if (c >= 'a' && c <= 'z')
        return (WCHAR)(c - 32);
    if (c < 0x80)
        return c;
    if (c >= 0xE0 && c <= 0xFE && c != 0xF7)
        return (WCHAR)(c - 32);
    wint_t upper = towupper(c);
    return upper < 0x10000 ? (WCHAR)upper : c;
}

WCHAR wchar_lower(WCHAR c)
{
    if (c >= 'A' && c <= 'Z')
        return (WCHAR)(c + 32);
    if (c < 0x80)
        return c;
    if (c >= 0xC0 && c <= 0xDE && c != 0xD7)
        return (WCHAR)(c + 32);
    wint_t lower = towlower(c);
    return lower < 0x10000 ? (WCHAR)lower : c;
}
