/*
 * strsafe.h: text that never runs over its buffer: StringCch counts characters, StringCb bytes.
 *
 * S_OK; STRSAFE_E_INVALID_PARAMETER for a size of 0 or beyond STRSAFE_MAX_CCH; STRSAFE_E_INSUFFICIENT_BUFFER when the text was cut off, with its NUL.
 * Length: for a text that does not end in so many characters STRSAFE_E_INVALID_PARAMETER. Printf: a format that is none counts as cut off there,
 * with its NUL, too. Formats are wsprintf's, with floating point. Source: Microsoft, strsafe.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_STRSAFE_H
#define OPENSSPI_WIN32_STRSAFE_H

#include "crt.h"
#include "winerror.h"

#define STRSAFE_MAX_CCH 2147483647
#define STRSAFE_E_INSUFFICIENT_BUFFER ((HRESULT)0x8007007A)
#define STRSAFE_E_INVALID_PARAMETER ((HRESULT)0x80070057)
#define STRSAFE_E_END_OF_FILE ((HRESULT)0x80070026)

#ifdef __cplusplus
extern "C" {
#endif

/* StringCchLength counts a text, without its NUL, within cchMax characters. */
static inline HRESULT StringCchLengthA(LPCSTR psz, size_t cchMax, size_t *pcchLength)
{
    size_t n = 0;
    if (pcchLength != NULL)
        *pcchLength = 0;
    if (psz == NULL || cchMax > STRSAFE_MAX_CCH)
        return STRSAFE_E_INVALID_PARAMETER;
    while (n < cchMax && psz[n] != 0)
        n++;
    if (n == cchMax)
        return STRSAFE_E_INVALID_PARAMETER;
    if (pcchLength != NULL)
        *pcchLength = n;
    return S_OK;
}

/* StringCchCopyN copies at most cchToCopy characters. */
static inline HRESULT StringCchCopyNA(LPSTR pszDest, size_t cchDest, LPCSTR pszSrc, size_t cchToCopy)
{
    size_t n = 0;
    if (pszDest == NULL || cchDest == 0 || cchDest > STRSAFE_MAX_CCH)
        return STRSAFE_E_INVALID_PARAMETER;
    if (cchToCopy > STRSAFE_MAX_CCH || (pszSrc == NULL && cchToCopy > 0)) {
        pszDest[0] = 0;
        return STRSAFE_E_INVALID_PARAMETER;
    }
    while (n < cchDest && n < cchToCopy && pszSrc[n] != 0) {
        pszDest[n] = pszSrc[n];
        n++;
    }
    pszDest[n < cchDest ? n : n - 1] = 0;
    return n < cchDest ? S_OK : STRSAFE_E_INSUFFICIENT_BUFFER;
}

/* StringCchCopy copies a text. */
static inline HRESULT StringCchCopyA(LPSTR pszDest, size_t cchDest, LPCSTR pszSrc)
{
    return StringCchCopyNA(pszDest, cchDest, pszSrc, STRSAFE_MAX_CCH);
}

/* StringCchCatN puts at most cchToAppend characters behind what is in pszDest. */
static inline HRESULT StringCchCatNA(LPSTR pszDest, size_t cchDest, LPCSTR pszSrc, size_t cchToAppend)
{
    size_t n;
    HRESULT result =
        pszDest == NULL || cchDest == 0 ? STRSAFE_E_INVALID_PARAMETER : StringCchLengthA(pszDest, cchDest, &n);
    return FAILED(result) ? result : StringCchCopyNA(pszDest + n, cchDest - n, pszSrc, cchToAppend);
}

/* StringCchCat puts a text behind what is in pszDest. */
static inline HRESULT StringCchCatA(LPSTR pszDest, size_t cchDest, LPCSTR pszSrc)
{
    return StringCchCatNA(pszDest, cchDest, pszSrc, STRSAFE_MAX_CCH);
}

/* StringCchVPrintf formats, the arguments being a list. */
static inline HRESULT StringCchVPrintfA(LPSTR pszDest, size_t cchDest, LPCSTR pszFormat, va_list argList)
{
    int n;
    if (pszDest == NULL || cchDest == 0 || cchDest > STRSAFE_MAX_CCH)
        return STRSAFE_E_INVALID_PARAMETER;
    n = opensspi_vsnprintf(pszDest, cchDest, pszFormat, argList);
    return n < 0 || (size_t)n >= cchDest ? STRSAFE_E_INSUFFICIENT_BUFFER : S_OK;
}

/* StringCchPrintf formats. */
static inline HRESULT StringCchPrintfA(LPSTR pszDest, size_t cchDest, LPCSTR pszFormat, ...)
{
    HRESULT result;
    va_list argList;
    va_start(argList, pszFormat);
    result = StringCchVPrintfA(pszDest, cchDest, pszFormat, argList);
    va_end(argList);
    return result;
}

static inline HRESULT StringCbLengthA(LPCSTR psz, size_t cbMax, size_t *pcbLength)
{
    HRESULT result = StringCchLengthA(psz, cbMax / sizeof(CHAR), pcbLength);
    if (pcbLength != NULL)
        *pcbLength *= sizeof(CHAR);
    return result;
}

static inline HRESULT StringCbCopyNA(LPSTR pszDest, size_t cbDest, LPCSTR pszSrc, size_t cbToCopy)
{
    return StringCchCopyNA(pszDest, cbDest / sizeof(CHAR), pszSrc, cbToCopy / sizeof(CHAR));
}

static inline HRESULT StringCbCopyA(LPSTR pszDest, size_t cbDest, LPCSTR pszSrc)
{
    return StringCchCopyA(pszDest, cbDest / sizeof(CHAR), pszSrc);
}

static inline HRESULT StringCbCatNA(LPSTR pszDest, size_t cbDest, LPCSTR pszSrc, size_t cbToAppend)
{
    return StringCchCatNA(pszDest, cbDest / sizeof(CHAR), pszSrc, cbToAppend / sizeof(CHAR));
}

static inline HRESULT StringCbCatA(LPSTR pszDest, size_t cbDest, LPCSTR pszSrc)
{
    return StringCchCatA(pszDest, cbDest / sizeof(CHAR), pszSrc);
}

static inline HRESULT StringCbVPrintfA(LPSTR pszDest, size_t cbDest, LPCSTR pszFormat, va_list argList)
{
    return StringCchVPrintfA(pszDest, cbDest / sizeof(CHAR), pszFormat, argList);
}

static inline HRESULT StringCbPrintfA(LPSTR pszDest, size_t cbDest, LPCSTR pszFormat, ...)
{
    HRESULT result;
    va_list argList;
    va_start(argList, pszFormat);
    result = StringCchVPrintfA(pszDest, cbDest / sizeof(CHAR), pszFormat, argList);
    va_end(argList);
    return result;
}

static inline HRESULT StringCchLengthW(LPCWSTR psz, size_t cchMax, size_t *pcchLength)
{
    size_t n = 0;
    if (pcchLength != NULL)
        *pcchLength = 0;
    if (psz == NULL || cchMax > STRSAFE_MAX_CCH)
        return STRSAFE_E_INVALID_PARAMETER;
    while (n < cchMax && psz[n] != 0)
        n++;
    if (n == cchMax)
        return STRSAFE_E_INVALID_PARAMETER;
    if (pcchLength != NULL)
        *pcchLength = n;
    return S_OK;
}

static inline HRESULT StringCchCopyNW(LPWSTR pszDest, size_t cchDest, LPCWSTR pszSrc, size_t cchToCopy)
{
    size_t n = 0;
    if (pszDest == NULL || cchDest == 0 || cchDest > STRSAFE_MAX_CCH)
        return STRSAFE_E_INVALID_PARAMETER;
    if (cchToCopy > STRSAFE_MAX_CCH || (pszSrc == NULL && cchToCopy > 0)) {
        pszDest[0] = 0;
        return STRSAFE_E_INVALID_PARAMETER;
    }
    while (n < cchDest && n < cchToCopy && pszSrc[n] != 0) {
        pszDest[n] = pszSrc[n];
        n++;
    }
    pszDest[n < cchDest ? n : n - 1] = 0;
    return n < cchDest ? S_OK : STRSAFE_E_INSUFFICIENT_BUFFER;
}

static inline HRESULT StringCchCopyW(LPWSTR pszDest, size_t cchDest, LPCWSTR pszSrc)
{
    return StringCchCopyNW(pszDest, cchDest, pszSrc, STRSAFE_MAX_CCH);
}

static inline HRESULT StringCchCatNW(LPWSTR pszDest, size_t cchDest, LPCWSTR pszSrc, size_t cchToAppend)
{
    size_t n;
    HRESULT result =
        pszDest == NULL || cchDest == 0 ? STRSAFE_E_INVALID_PARAMETER : StringCchLengthW(pszDest, cchDest, &n);
    return FAILED(result) ? result : StringCchCopyNW(pszDest + n, cchDest - n, pszSrc, cchToAppend);
}

static inline HRESULT StringCchCatW(LPWSTR pszDest, size_t cchDest, LPCWSTR pszSrc)
{
    return StringCchCatNW(pszDest, cchDest, pszSrc, STRSAFE_MAX_CCH);
}

static inline HRESULT StringCchVPrintfW(LPWSTR pszDest, size_t cchDest, LPCWSTR pszFormat, va_list argList)
{
    int n;
    if (pszDest == NULL || cchDest == 0 || cchDest > STRSAFE_MAX_CCH)
        return STRSAFE_E_INVALID_PARAMETER;
    n = opensspi_vswprintf(pszDest, cchDest, pszFormat, argList);
    return n < 0 ? STRSAFE_E_INSUFFICIENT_BUFFER : S_OK;
}

static inline HRESULT StringCchPrintfW(LPWSTR pszDest, size_t cchDest, LPCWSTR pszFormat, ...)
{
    HRESULT result;
    va_list argList;
    va_start(argList, pszFormat);
    result = StringCchVPrintfW(pszDest, cchDest, pszFormat, argList);
    va_end(argList);
    return result;
}

static inline HRESULT StringCbLengthW(LPCWSTR psz, size_t cbMax, size_t *pcbLength)
{
    HRESULT result = StringCchLengthW(psz, cbMax / sizeof(WCHAR), pcbLength);
    if (pcbLength != NULL)
        *pcbLength *= sizeof(WCHAR);
    return result;
}

static inline HRESULT StringCbCopyNW(LPWSTR pszDest, size_t cbDest, LPCWSTR pszSrc, size_t cbToCopy)
{
    return StringCchCopyNW(pszDest, cbDest / sizeof(WCHAR), pszSrc, cbToCopy / sizeof(WCHAR));
}

static inline HRESULT StringCbCopyW(LPWSTR pszDest, size_t cbDest, LPCWSTR pszSrc)
{
    return StringCchCopyW(pszDest, cbDest / sizeof(WCHAR), pszSrc);
}

static inline HRESULT StringCbCatNW(LPWSTR pszDest, size_t cbDest, LPCWSTR pszSrc, size_t cbToAppend)
{
    return StringCchCatNW(pszDest, cbDest / sizeof(WCHAR), pszSrc, cbToAppend / sizeof(WCHAR));
}

static inline HRESULT StringCbCatW(LPWSTR pszDest, size_t cbDest, LPCWSTR pszSrc)
{
    return StringCchCatW(pszDest, cbDest / sizeof(WCHAR), pszSrc);
}

static inline HRESULT StringCbVPrintfW(LPWSTR pszDest, size_t cbDest, LPCWSTR pszFormat, va_list argList)
{
    return StringCchVPrintfW(pszDest, cbDest / sizeof(WCHAR), pszFormat, argList);
}

static inline HRESULT StringCbPrintfW(LPWSTR pszDest, size_t cbDest, LPCWSTR pszFormat, ...)
{
    HRESULT result;
    va_list argList;
    va_start(argList, pszFormat);
    result = StringCchVPrintfW(pszDest, cbDest / sizeof(WCHAR), pszFormat, argList);
    va_end(argList);
    return result;
}

#ifdef __cplusplus
}
#endif

#define StringCchLength OPENSSPI_AW(StringCchLength)
#define StringCchCopyN OPENSSPI_AW(StringCchCopyN)
#define StringCchCopy OPENSSPI_AW(StringCchCopy)
#define StringCchCatN OPENSSPI_AW(StringCchCatN)
#define StringCchCat OPENSSPI_AW(StringCchCat)
#define StringCchVPrintf OPENSSPI_AW(StringCchVPrintf)
#define StringCchPrintf OPENSSPI_AW(StringCchPrintf)
#define StringCbLength OPENSSPI_AW(StringCbLength)
#define StringCbCopyN OPENSSPI_AW(StringCbCopyN)
#define StringCbCopy OPENSSPI_AW(StringCbCopy)
#define StringCbCatN OPENSSPI_AW(StringCbCatN)
#define StringCbCat OPENSSPI_AW(StringCbCat)
#define StringCbVPrintf OPENSSPI_AW(StringCbVPrintf)
#define StringCbPrintf OPENSSPI_AW(StringCbPrintf)

#endif
