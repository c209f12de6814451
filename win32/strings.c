/* The lstr functions: as the C library's, but NULL is fine where it is on Windows. */
#include "crt.h"

#include "unicode.h"
#include <winbase.h>

int lstrlenA(LPCSTR lpString)
{
    return lpString == NULL ? 0 : (int)strlen(lpString);
}

int lstrlenW(LPCWSTR lpString)
{
    return lpString == NULL ? 0 : (int)opensspi_wcslen(lpString);
}

LPSTR lstrcpyA(LPSTR lpString1, LPCSTR lpString2)
{
    if (lpString1 == NULL || lpString2 == NULL)
        return NULL;
    return memcpy(lpString1, lpString2, strlen(lpString2) + 1);
}

LPWSTR lstrcpyW(LPWSTR lpString1, LPCWSTR lpString2)
{
    if (lpString1 == NULL || lpString2 == NULL)
        return NULL;
    return opensspi_wcscpy(lpString1, lpString2);
}

LPSTR lstrcpynA(LPSTR lpString1, LPCSTR lpString2, int iMaxLength)
{
    if (lpString1 == NULL || lpString2 == NULL || iMaxLength <= 0)
        return NULL;
    size_t len = strnlen(lpString2, (size_t)iMaxLength - 1);
    memcpy(lpString1, lpString2, len);
    lpString1[len] = '\0';
    return lpString1;
}

LPWSTR lstrcpynW(LPWSTR lpString1, LPCWSTR lpString2, int iMaxLength)
{
    if (lpString1 == NULL || lpString2 == NULL || iMaxLength <= 0)
        return NULL;
    size_t len = opensspi_wcsnlen(lpString2, (size_t)iMaxLength - 1);
    opensspi_wmemcpy(lpString1, lpString2, len);
    lpString1[len] = 0;
    return lpString1;
}

LPSTR lstrcatA(LPSTR lpString1, LPCSTR lpString2)
{
    if (lpString1 == NULL || lpString2 == NULL)
        return NULL;
    lstrcpyA(lpString1 + strlen(lpString1), lpString2);
    return lpString1;
}

LPWSTR lstrcatW(LPWSTR lpString1, LPCWSTR lpString2)
{
    if (lpString1 == NULL || lpString2 == NULL)
        return NULL;
    return opensspi_wcscat(lpString1, lpString2);
}

/* NULL comes before every text. */
#define COMPARE(compare) \
    (lpString1 == NULL || lpString2 == NULL ? (lpString1 != NULL) - (lpString2 != NULL) : compare(lpString1, lpString2))

static int sign(int difference)
{
    return (difference > 0) - (difference < 0);
}

int lstrcmpA(LPCSTR lpString1, LPCSTR lpString2)
{
    return sign(COMPARE(strcmp));
}

int lstrcmpW(LPCWSTR lpString1, LPCWSTR lpString2)
{
    return COMPARE(opensspi_wcscmp);
}

int lstrcmpiA(LPCSTR lpString1, LPCSTR lpString2)
{
    return sign(COMPARE(strcasecmp));
}

int lstrcmpiW(LPCWSTR lpString1, LPCWSTR lpString2)
{
    return COMPARE(opensspi_wcsicmp);
}
