/*
 * wintypes.h: the basic Windows types that SSPI is written in, for systems without <windows.h>.
 *
 * ULONG, LONG and DWORD have 32 bits although `unsigned long` has 64 here, and WCHAR has 16 bits. With
 * -fshort-wchar WCHAR is wchar_t, so that L"NTLM" is a WCHAR string; without it WCHAR is char16_t's type, and
 * u"NTLM" is. OPENSSPI_WIDE("NTLM") is right in both, and so is TEXT("NTLM") where UNICODE is defined.
 *
 * Layouts are those of 64-bit Windows. Source: Microsoft, Windows Data Types, and [MS-DTYP].
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WINTYPES_H
#define OPENSSPI_WINTYPES_H

#include <stddef.h>
#include <stdint.h>

/* Help for the headers themselves. */

#ifdef __cplusplus
#define OPENSSPI_BEGIN_DECLS extern "C" {
#define OPENSSPI_END_DECLS }
#define OPENSSPI_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define OPENSSPI_BEGIN_DECLS
#define OPENSSPI_END_DECLS
#define OPENSSPI_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

/* OPENSSPI_AW chooses the W or the A form of a name, as UNICODE asks. */
#ifdef UNICODE
#define OPENSSPI_AW(name) name##W
#define OPENSSPI_AW_(name) name##_W
#else
#define OPENSSPI_AW(name) name##A
#define OPENSSPI_AW_(name) name##_A
#endif

/* OPENSSPI_WIDE gives a string literal of WCHAR. */
#if defined(__SIZEOF_WCHAR_T__) && __SIZEOF_WCHAR_T__ == 2
#define OPENSSPI_WIDE_(text) L##text
#else
#define OPENSSPI_WIDE_(text) u##text
#endif
#define OPENSSPI_WIDE(text) OPENSSPI_WIDE_(text)

/* Calling conventions: there is one. */

#ifndef WINAPI
#define WINAPI
#endif
#ifndef NTAPI
#define NTAPI
#endif
#ifndef APIENTRY
#define APIENTRY
#endif
#ifndef CALLBACK
#define CALLBACK
#endif
#ifndef WINAPIV
#define WINAPIV
#endif
#ifndef __stdcall
#define __stdcall
#endif
#ifndef __cdecl
#define __cdecl
#endif
#ifndef FAR
#define FAR
#endif
#ifndef NEAR
#define NEAR
#endif
#ifndef CONST
#define CONST const
#endif
#ifndef VOID
#define VOID void
#endif

#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif

#ifndef ANYSIZE_ARRAY
#define ANYSIZE_ARRAY 1
#endif

/* Integers. */

typedef char CHAR, *PCHAR;
typedef unsigned char UCHAR, *PUCHAR;
typedef unsigned char BYTE, *PBYTE, *LPBYTE;
typedef unsigned char BOOLEAN, *PBOOLEAN;
typedef short SHORT, *PSHORT;
typedef unsigned short USHORT, *PUSHORT;
typedef unsigned short WORD, *PWORD, *LPWORD;
typedef int INT, *PINT, *LPINT;
typedef unsigned int UINT, *PUINT;
typedef int32_t LONG, *PLONG, *LPLONG;
typedef uint32_t ULONG, *PULONG;
typedef uint32_t DWORD, *PDWORD, *LPDWORD;
typedef int BOOL, *PBOOL, *LPBOOL;
typedef int8_t INT8;
typedef int16_t INT16;
typedef int32_t INT32, LONG32;
typedef uint8_t UINT8;
typedef uint16_t UINT16;
typedef uint32_t UINT32, ULONG32, DWORD32;
typedef long long INT64, LONG64, LONGLONG, *PLONGLONG;
typedef unsigned long long UINT64, ULONG64, DWORD64, ULONGLONG, DWORDLONG, *PULONG64, *PULONGLONG;

typedef intptr_t INT_PTR, LONG_PTR;
typedef uintptr_t UINT_PTR, ULONG_PTR, DWORD_PTR, *PULONG_PTR, *PDWORD_PTR;
typedef ULONG_PTR SIZE_T, *PSIZE_T;
typedef LONG_PTR SSIZE_T;

typedef LONG NTSTATUS, *PNTSTATUS;
typedef LONG HRESULT;
typedef DWORD ACCESS_MASK, *PACCESS_MASK;

/* Characters and strings. */

#if defined(__SIZEOF_WCHAR_T__) && __SIZEOF_WCHAR_T__ == 2
typedef wchar_t WCHAR;
#elif defined(__cplusplus)
typedef char16_t WCHAR;
#elif defined(__CHAR16_TYPE__)
typedef __CHAR16_TYPE__ WCHAR;
#else
typedef uint_least16_t WCHAR;
#endif

typedef WCHAR *PWCHAR, *LPWSTR, *PWSTR;
typedef const WCHAR *PCWCHAR, *LPCWSTR, *PCWSTR;
typedef CHAR *LPSTR, *PSTR;
typedef const CHAR *LPCSTR, *PCSTR;

#ifdef UNICODE
typedef WCHAR TCHAR, *PTCHAR;
typedef LPWSTR LPTSTR, PTSTR;
typedef LPCWSTR LPCTSTR, PCTSTR;
#else
typedef CHAR TCHAR, *PTCHAR;
typedef LPSTR LPTSTR, PTSTR;
typedef LPCSTR LPCTSTR, PCTSTR;
#endif

#ifndef TEXT
#ifdef UNICODE
#define TEXT(text) OPENSSPI_WIDE(text)
#else
#define TEXT(text) text
#endif
#endif

/* Pointers and handles. */

typedef void *PVOID, *LPVOID;
typedef const void *LPCVOID;
typedef void *HANDLE, **PHANDLE, **LPHANDLE;
typedef HANDLE HINSTANCE, HMODULE, HWND, HLOCAL, HGLOBAL;

#ifndef INVALID_HANDLE_VALUE
#define INVALID_HANDLE_VALUE ((HANDLE)(LONG_PTR)-1)
#endif

/* Small structures. __extension__ lets ISO C++ accept the nameless members that Windows has. */

typedef struct _LUID {
    DWORD LowPart;
    LONG HighPart;
} LUID, *PLUID;

typedef union _LARGE_INTEGER {
    __extension__ struct {
        DWORD LowPart;
        LONG HighPart;
    };
    struct {
        DWORD LowPart;
        LONG HighPart;
    } u;
    LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef union _ULARGE_INTEGER {
    __extension__ struct {
        DWORD LowPart;
        DWORD HighPart;
    };
    struct {
        DWORD LowPart;
        DWORD HighPart;
    } u;
    ULONGLONG QuadPart;
} ULARGE_INTEGER, *PULARGE_INTEGER;

/* FILETIME counts 100 ns since 1601-01-01 UTC. */
typedef struct _FILETIME {
    DWORD dwLowDateTime;
    DWORD dwHighDateTime;
} FILETIME, *PFILETIME, *LPFILETIME;

/* A time in parts. wMonth: 1 to 12; wDayOfWeek: 0 is Sunday. */
#ifndef _SYSTEMTIME_
#define _SYSTEMTIME_
typedef struct _SYSTEMTIME {
    WORD wYear;
    WORD wMonth;
    WORD wDayOfWeek;
    WORD wDay;
    WORD wHour;
    WORD wMinute;
    WORD wSecond;
    WORD wMilliseconds;
} SYSTEMTIME, *PSYSTEMTIME, *LPSYSTEMTIME;
#endif

#ifndef GUID_DEFINED
#define GUID_DEFINED
typedef struct _GUID {
    ULONG Data1;
    USHORT Data2;
    USHORT Data3;
    UCHAR Data4[8];
} GUID;
#endif

/* A counted string: Length and MaximumLength are bytes, without and with room for a terminator. */
typedef struct _UNICODE_STRING {
    USHORT Length;
    USHORT MaximumLength;
    PWSTR Buffer;
} UNICODE_STRING, *PUNICODE_STRING;

typedef const UNICODE_STRING *PCUNICODE_STRING;

typedef struct _STRING {
    USHORT Length;
    USHORT MaximumLength;
    PCHAR Buffer;
} STRING, *PSTRING, ANSI_STRING, *PANSI_STRING;

/* Security identifiers and access tokens, as far as the security package interface names them. */

typedef PVOID PSID, PSECURITY_DESCRIPTOR, PACCESS_TOKEN;
typedef DWORD SECURITY_INFORMATION, *PSECURITY_INFORMATION;

typedef struct _ACL {
    BYTE AclRevision;
    BYTE Sbz1;
    WORD AclSize;
    WORD AceCount;
    WORD Sbz2;
} ACL, *PACL;

typedef struct _SECURITY_ATTRIBUTES {
    DWORD nLength;
    LPVOID lpSecurityDescriptor;
    BOOL bInheritHandle;
} SECURITY_ATTRIBUTES, *PSECURITY_ATTRIBUTES, *LPSECURITY_ATTRIBUTES;

typedef DWORD(WINAPI *PTHREAD_START_ROUTINE)(LPVOID lpThreadParameter);
typedef PTHREAD_START_ROUTINE LPTHREAD_START_ROUTINE;

typedef enum _SECURITY_IMPERSONATION_LEVEL {
    SecurityAnonymous = 0,
    SecurityIdentification = 1,
    SecurityImpersonation = 2,
    SecurityDelegation = 3
} SECURITY_IMPERSONATION_LEVEL,
    *PSECURITY_IMPERSONATION_LEVEL;

typedef struct _SID_AND_ATTRIBUTES {
    PSID Sid;
    DWORD Attributes;
} SID_AND_ATTRIBUTES, *PSID_AND_ATTRIBUTES;

typedef struct _LUID_AND_ATTRIBUTES {
    LUID Luid;
    DWORD Attributes;
} LUID_AND_ATTRIBUTES, *PLUID_AND_ATTRIBUTES;

typedef struct _TOKEN_USER {
    SID_AND_ATTRIBUTES User;
} TOKEN_USER, *PTOKEN_USER;

typedef struct _TOKEN_GROUPS {
    DWORD GroupCount;
    SID_AND_ATTRIBUTES Groups[ANYSIZE_ARRAY];
} TOKEN_GROUPS, *PTOKEN_GROUPS;

typedef struct _TOKEN_PRIVILEGES {
    DWORD PrivilegeCount;
    LUID_AND_ATTRIBUTES Privileges[ANYSIZE_ARRAY];
} TOKEN_PRIVILEGES, *PTOKEN_PRIVILEGES;

typedef struct _TOKEN_OWNER {
    PSID Owner;
} TOKEN_OWNER, *PTOKEN_OWNER;

typedef struct _TOKEN_PRIMARY_GROUP {
    PSID PrimaryGroup;
} TOKEN_PRIMARY_GROUP, *PTOKEN_PRIMARY_GROUP;

typedef struct _TOKEN_DEFAULT_DACL {
    PACL DefaultDacl;
} TOKEN_DEFAULT_DACL, *PTOKEN_DEFAULT_DACL;

#define TOKEN_SOURCE_LENGTH 8

typedef struct _TOKEN_SOURCE {
    CHAR SourceName[TOKEN_SOURCE_LENGTH];
    LUID SourceIdentifier;
} TOKEN_SOURCE, *PTOKEN_SOURCE;

typedef struct _QUOTA_LIMITS {
    SIZE_T PagedPoolLimit;
    SIZE_T NonPagedPoolLimit;
    SIZE_T MinimumWorkingSetSize;
    SIZE_T MaximumWorkingSetSize;
    SIZE_T PagefileLimit;
    LARGE_INTEGER TimeLimit;
} QUOTA_LIMITS, *PQUOTA_LIMITS;

/* What everything above rests on. */

OPENSSPI_STATIC_ASSERT(sizeof(ULONG) == 4 && sizeof(LONG) == 4 && sizeof(DWORD) == 4, "32-bit types");
OPENSSPI_STATIC_ASSERT(sizeof(USHORT) == 2 && sizeof(WORD) == 2, "16-bit types");
OPENSSPI_STATIC_ASSERT(sizeof(UCHAR) == 1 && sizeof(BOOLEAN) == 1 && sizeof(BOOL) == 4, "8-bit types and BOOL");
OPENSSPI_STATIC_ASSERT(sizeof(ULONGLONG) == 8 && sizeof(LARGE_INTEGER) == 8, "64-bit types");
OPENSSPI_STATIC_ASSERT(sizeof(WCHAR) == 2, "WCHAR is a UTF-16 code unit");
OPENSSPI_STATIC_ASSERT(sizeof(HANDLE) == sizeof(ULONG_PTR), "a handle is as wide as a pointer");
OPENSSPI_STATIC_ASSERT(sizeof(LUID) == 8 && sizeof(FILETIME) == 8 && sizeof(GUID) == 16, "small structures");
OPENSSPI_STATIC_ASSERT(sizeof(UNICODE_STRING) == 2 * sizeof(void *), "counted strings");

#endif
