#include "unicode.h"

#include "crt.h"
#include <limits.h>
#include <string.h>
#include <winbase.h>

enum page {
    PAGE_UTF8,
    PAGE_ASCII = 0x80,
    PAGE_LATIN1 = 0x100
}; /* the single-byte ones: their first character that is not there */

static bool page_of(UINT code_page, enum page *page, bool *strict)
{
    *strict = code_page == CP_UTF8;
    switch (code_page) {
    case CP_ACP:
    case CP_OEMCP:
    case CP_THREAD_ACP:
    case CP_UTF8:
        *page = PAGE_UTF8;
        return true;
    case 20127:
        *page = PAGE_ASCII;
        return true;
    case 28591:
        *page = PAGE_LATIN1;
        return true;
    default:
        return false;
    }
}

static int fail(DWORD error)
{
    SetLastError(error);
    return 0;
}

UINT GetACP(VOID)
{
    return CP_UTF8;
}

int MultiByteToWideChar(UINT CodePage, DWORD dwFlags, LPCSTR lpMultiByteStr, int cbMultiByte, LPWSTR lpWideCharStr,
                        int cchWideChar)
{
    enum page page;
    bool strict;
    if (!page_of(CodePage, &page, &strict) || lpMultiByteStr == NULL || cbMultiByte == 0 || cbMultiByte < -1 ||
        cchWideChar < 0 || (cchWideChar > 0 && lpWideCharStr == NULL) || (const void *)lpMultiByteStr == lpWideCharStr)
        return fail(ERROR_INVALID_PARAMETER);
    DWORD known =
        strict ? MB_ERR_INVALID_CHARS : MB_ERR_INVALID_CHARS | MB_PRECOMPOSED | MB_COMPOSITE | MB_USEGLYPHCHARS;
    if ((dwFlags & ~known) != 0 || (dwFlags & (MB_PRECOMPOSED | MB_COMPOSITE)) == (MB_PRECOMPOSED | MB_COMPOSITE))
        return fail(ERROR_INVALID_FLAGS);
    size_t len = cbMultiByte == -1 ? strlen(lpMultiByteStr) + 1 : (size_t)cbMultiByte, n = 0;
    for (size_t i = 0; i < len;) {
        uint32_t character = (unsigned char)lpMultiByteStr[i];
        bool bad = page != PAGE_UTF8 && character >= (uint32_t)page;
        WCHAR units[2];
        if (page == PAGE_UTF8)
            i += utf8_next(lpMultiByteStr + i, len - i, &character, &bad);
        else
            i++;
        if (bad && (dwFlags & MB_ERR_INVALID_CHARS) != 0)
            return fail(ERROR_NO_UNICODE_TRANSLATION);
        size_t n_units = utf16_put(bad ? REPLACEMENT : character, units);
        if (cchWideChar > 0 && (size_t)cchWideChar - n < n_units)
            return fail(ERROR_INSUFFICIENT_BUFFER);
        if (cchWideChar > 0)
            opensspi_wmemcpy(lpWideCharStr + n, units, n_units);
        n += n_units;
    }
    return n > INT_MAX ? fail(ERROR_ARITHMETIC_OVERFLOW) : (int)n;
}

/* What a character is in the page; TRUE when something stands for it. */
static bool encode(enum page page, uint32_t character, bool bad, LPCSTR instead, char *bytes, size_t *len)
{
    if (page == PAGE_UTF8 && !(bad && instead != NULL)) {
        *len = utf8_put(character, bytes);
        return bad;
    }
    if (!bad && page != PAGE_UTF8 && character < (uint32_t)page) {
        bytes[0] = (char)character;
        *len = 1;
        return false;
    }
    *len = instead == NULL ? 1 : strnlen(instead, 4);
    memcpy(bytes, instead == NULL ? "?" : instead, *len);
    return true;
}

int WideCharToMultiByte(UINT CodePage, DWORD dwFlags, LPCWSTR lpWideCharStr, int cchWideChar, LPSTR lpMultiByteStr,
                        int cbMultiByte, LPCSTR lpDefaultChar, LPBOOL lpUsedDefaultChar)
{
    enum page page;
    bool strict;
    if (!page_of(CodePage, &page, &strict) || lpWideCharStr == NULL || cchWideChar == 0 || cchWideChar < -1 ||
        cbMultiByte < 0 || (cbMultiByte > 0 && lpMultiByteStr == NULL) ||
        lpWideCharStr == (const void *)lpMultiByteStr ||
        (strict && (lpDefaultChar != NULL || lpUsedDefaultChar != NULL)))
        return fail(ERROR_INVALID_PARAMETER);
    DWORD known = WC_ERR_INVALID_CHARS;
    if (!strict)
        known |= WC_DISCARDNS | WC_SEPCHARS | WC_DEFAULTCHAR | WC_COMPOSITECHECK | WC_NO_BEST_FIT_CHARS;
    if ((dwFlags & ~known) != 0)
        return fail(ERROR_INVALID_FLAGS);
    size_t n = cchWideChar == -1 ? opensspi_wcslen(lpWideCharStr) + 1 : (size_t)cchWideChar, len = 0;
    BOOL used = FALSE;
    for (size_t i = 0; i < n;) {
        uint32_t character;
        bool bad;
        char bytes[4];
        size_t n_bytes;
        i += utf16_next(lpWideCharStr + i, n - i, &character, &bad);
        if (bad && (dwFlags & WC_ERR_INVALID_CHARS) != 0)
            return fail(ERROR_NO_UNICODE_TRANSLATION);
        if (encode(page, character, bad, lpDefaultChar, bytes, &n_bytes))
            used = TRUE;
        if (cbMultiByte > 0 && (size_t)cbMultiByte - len < n_bytes)
            return fail(ERROR_INSUFFICIENT_BUFFER);
        if (cbMultiByte > 0)
            memcpy(lpMultiByteStr + len, bytes, n_bytes);
        len += n_bytes;
    }
    if (lpUsedDefaultChar != NULL)
        *lpUsedDefaultChar = used;
    return len > INT_MAX ? fail(ERROR_ARITHMETIC_OVERFLOW) : (int)len;
}
