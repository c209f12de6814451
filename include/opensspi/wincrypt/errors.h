/*
 * wincrypt/errors.h: codes of the last error that are no statuses of SSPI. Include <wincrypt.h>, not this file.
 *
 * Source: Microsoft, System Error Codes; COM Error Codes.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WINCRYPT_ERRORS_H
#define OPENSSPI_WINCRYPT_ERRORS_H

#include "../wintypes.h"

#ifndef ERROR_FILE_NOT_FOUND
#define ERROR_FILE_NOT_FOUND 2
#endif
#ifndef ERROR_INVALID_DATA
#define ERROR_INVALID_DATA 13
#endif
#ifndef ERROR_NOT_SUPPORTED
#define ERROR_NOT_SUPPORTED 50
#endif
#ifndef ERROR_INVALID_PASSWORD
#define ERROR_INVALID_PASSWORD 86
#endif
#ifndef ERROR_INVALID_PARAMETER
#define ERROR_INVALID_PARAMETER 87
#endif
#ifndef ERROR_MORE_DATA
#define ERROR_MORE_DATA 234
#endif
#ifndef ERROR_NO_MORE_FILES
#define ERROR_NO_MORE_FILES 18
#endif

#ifndef E_NOTIMPL
#define E_NOTIMPL ((HRESULT)0x80004001)
#endif
#ifndef E_ACCESSDENIED
#define E_ACCESSDENIED ((HRESULT)0x80070005)
#endif
#ifndef E_HANDLE
#define E_HANDLE ((HRESULT)0x80070006)
#endif
#ifndef E_OUTOFMEMORY
#define E_OUTOFMEMORY ((HRESULT)0x8007000E)
#endif
#ifndef E_INVALIDARG
#define E_INVALIDARG ((HRESULT)0x80070057)
#endif

/* The algorithm is not known. */
#define NTE_BAD_ALGID ((HRESULT)0x80090008)
/* The key and the certificate are no pair. */
#define NTE_BAD_PUBLIC_KEY ((HRESULT)0x80090015)
/* A key of this kind is not to be had from this provider. */
#define NTE_BAD_KEY_STATE ((HRESULT)0x8009000B)
/* The place that the certificate names as its key's holds none. */
#define NTE_BAD_KEYSET ((HRESULT)0x80090016)
/* This is not, or no longer, a handle. */
#define NTE_INVALID_HANDLE ((HRESULT)0x80090026)
/* The flags are not known. */
#define NTE_BAD_FLAGS ((HRESULT)0x80090009)

#endif
