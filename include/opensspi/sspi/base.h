/*
 * sspi/base.h: characters, handles and times, the ground of sspi.h. Include <sspi.h>, not this file.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_SSPI_BASE_H
#define OPENSSPI_SSPI_BASE_H

#include "../wintypes.h"
#include "../issperr.h"

/* The interface is Windows' user-mode, 32-bit-clean one, whether or not SECURITY_WIN32 is defined. */
#ifndef ISSP_LEVEL
#define ISSP_LEVEL 32
#endif
#ifndef ISSP_MODE
#define ISSP_MODE 1
#endif

typedef WCHAR SEC_WCHAR;
typedef CHAR SEC_CHAR;

#ifdef UNICODE
typedef SEC_WCHAR *SECURITY_PSTR;
typedef const SEC_WCHAR *SECURITY_PCSTR;
#else
typedef SEC_CHAR *SECURITY_PSTR;
typedef const SEC_CHAR *SECURITY_PCSTR;
#endif

#define SEC_TEXT TEXT
#define SEC_FAR
#define __SEC_FAR SEC_FAR
#define SEC_ENTRY WINAPI

/* SEC_SUCCESS is true for SEC_E_OK and for every SEC_I_ status. */
#ifndef SEC_SUCCESS
#define SEC_SUCCESS(Status) ((Status) >= 0)
#endif

/*
 * A handle to a credential or a context: two opaque words, a value to be copied freely. Zero-filled and
 * invalidated handles never name anything.
 */
#ifndef __SECHANDLE_DEFINED__
#define __SECHANDLE_DEFINED__
typedef struct _SecHandle {
    ULONG_PTR dwLower;
    ULONG_PTR dwUpper;
} SecHandle, *PSecHandle;
#endif

typedef SecHandle CredHandle;
typedef PSecHandle PCredHandle;
typedef SecHandle CtxtHandle;
typedef PSecHandle PCtxtHandle;

/* SecInvalidateHandle fills the handle at x with ones; SecIsValidHandle is false for such a handle. */
#define SecInvalidateHandle(x)                               \
    do {                                                     \
        ((PSecHandle)(x))->dwLower = (ULONG_PTR)(INT_PTR)-1; \
        ((PSecHandle)(x))->dwUpper = (ULONG_PTR)(INT_PTR)-1; \
    } while (0)
#define SecIsValidHandle(x) \
    (((PSecHandle)(x))->dwLower != (ULONG_PTR)(INT_PTR)-1 && ((PSecHandle)(x))->dwUpper != (ULONG_PTR)(INT_PTR)-1)

#define SEC_DELETED_HANDLE ((ULONG_PTR)(-2))

/* A time: 100 ns units since 1601-01-01. */
typedef LARGE_INTEGER _SECURITY_INTEGER, SECURITY_INTEGER, *PSECURITY_INTEGER;
typedef SECURITY_INTEGER TimeStamp;
typedef SECURITY_INTEGER *PTimeStamp;

/* A counted UTF-16 string; Length and MaximumLength are bytes. */
typedef struct _SECURITY_STRING {
    unsigned short Length;
    unsigned short MaximumLength;
    unsigned short *Buffer;
} SECURITY_STRING, *PSECURITY_STRING;

/* Byte order of a wire format chosen by TargetDataRep. */
#define SECURITY_NATIVE_DREP 0x00000010
#define SECURITY_NETWORK_DREP 0x00000000

#endif
