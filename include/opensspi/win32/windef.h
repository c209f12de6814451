/*
 * windef.h: basic types and macros. The types are in ../wintypes.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_WINDEF_H
#define OPENSSPI_WIN32_WINDEF_H

#include "winnt.h"

#define MAX_PATH 260

#define LOWORD(l) ((WORD)(((DWORD_PTR)(l)) & 0xffff))
#define HIWORD(l) ((WORD)((((DWORD_PTR)(l)) >> 16) & 0xffff))
#define LOBYTE(w) ((BYTE)(((DWORD_PTR)(w)) & 0xff))
#define HIBYTE(w) ((BYTE)((((DWORD_PTR)(w)) >> 8) & 0xff))
#define MAKEWORD(a, b) ((WORD)(((BYTE)((a)&0xff)) | ((WORD)((BYTE)((b)&0xff))) << 8))
#define MAKELONG(a, b) ((LONG)(((WORD)((a)&0xffff)) | ((DWORD)((WORD)((b)&0xffff))) << 16))

#define LANG_NEUTRAL 0x00
#define LANG_ENGLISH 0x09
#define SUBLANG_NEUTRAL 0x00
#define SUBLANG_DEFAULT 0x01
#define SUBLANG_SYS_DEFAULT 0x02
#define SUBLANG_ENGLISH_US 0x01
#define MAKELANGID(p, s) ((((WORD)(s)) << 10) | (WORD)(p))
#define PRIMARYLANGID(l) ((WORD)(l)&0x3ff)
#define SUBLANGID(l) ((WORD)(l) >> 10)
typedef WORD LANGID;
typedef DWORD LCID;

#define MAXBYTE 0xff
#define MAXWORD 0xffff
#define MAXDWORD 0xffffffff
#define MAXUINT ((UINT) ~(UINT)0)
#define MAXULONG ((ULONG) ~(ULONG)0)
#define HandleToUlong(h) ((ULONG)(ULONG_PTR)(h))
#define HandleToLong(h) ((LONG)(LONG_PTR)(h))
#define PtrToUlong(p) ((ULONG)(ULONG_PTR)(p))
#define PtrToLong(p) ((LONG)(LONG_PTR)(p))
#define Int32x32To64(a, b) ((LONGLONG)(LONG)(a) * (LONGLONG)(LONG)(b))
#define UInt32x32To64(a, b) ((ULONGLONG)(DWORD)(a) * (ULONGLONG)(DWORD)(b))

typedef float FLOAT;
typedef FLOAT *PFLOAT;
typedef void *HKEY, **PHKEY;

#ifndef UNREFERENCED_PARAMETER
#define UNREFERENCED_PARAMETER(P) ((void)(P))
#endif
#ifndef ARRAYSIZE
#define ARRAYSIZE(A) (sizeof(A) / sizeof((A)[0]))
#endif
#ifndef FIELD_OFFSET
#define FIELD_OFFSET(type, field) ((LONG)offsetof(type, field))
#endif
#ifndef DECLARE_HANDLE
#define DECLARE_HANDLE(name) \
    struct name##__ {        \
        int unused;          \
    };                       \
    typedef struct name##__ *name
#endif

#ifndef PASCAL
#define PASCAL
#endif
#ifndef WINBASEAPI
#define WINBASEAPI
#endif
#ifndef WINADVAPI
#define WINADVAPI
#endif
#ifndef DECLSPEC_IMPORT
#define DECLSPEC_IMPORT
#endif
#ifndef _cdecl
#define _cdecl
#endif
#ifndef __fastcall
#define __fastcall
#endif
#ifndef __declspec
/* Each of these is what the compiler here has for it; another one does not compile, since it would be ignored otherwise. They begin attributes, which
 * __declspec ends, so that what stands behind a word in the source, as in deprecated("text"), stands behind it in the attribute. */
/* clang-format off */
#define __declspec(what) OPENSSPI_DECLSPEC_##what ))
#define OPENSSPI_DECLSPEC_dllexport __attribute__((__visibility__("default")
#define OPENSSPI_DECLSPEC_dllimport __attribute__((
#define OPENSSPI_DECLSPEC_noreturn __attribute__((__noreturn__
#define OPENSSPI_DECLSPEC_noinline __attribute__((__noinline__
#define OPENSSPI_DECLSPEC_align(n) __attribute__((__aligned__(n)
#define OPENSSPI_DECLSPEC_selectany __attribute__((__weak__
#define OPENSSPI_DECLSPEC_deprecated __attribute__((__deprecated__
#define OPENSSPI_DECLSPEC_restrict __attribute__((__malloc__
#define OPENSSPI_DECLSPEC_allocator __attribute__((
#define OPENSSPI_DECLSPEC_nothrow __attribute__((
#define OPENSSPI_DECLSPEC_novtable __attribute__((
#ifdef __cplusplus
#define OPENSSPI_DECLSPEC_thread thread_local __attribute__((
#else
#define OPENSSPI_DECLSPEC_thread _Thread_local __attribute__((
#endif
/* clang-format on */
#endif
#ifndef __forceinline
#define __forceinline __inline__ __attribute__((always_inline))
#endif
#ifndef __int64
#define __int64 long long
#define __int32 int
#define __int16 short
#define __int8 char
#endif
#ifndef IN
#define IN
#endif
#ifndef OUT
#define OUT
#endif
#ifndef OPTIONAL
#define OPTIONAL
#endif

/* Not in C++, where std::min and std::max are. */
#if !defined(NOMINMAX) && !defined(__cplusplus)
#ifndef max
#define max(a, b) (((a) > (b)) ? (a) : (b))
#endif
#ifndef min
#define min(a, b) (((a) < (b)) ? (a) : (b))
#endif
#endif

#endif
