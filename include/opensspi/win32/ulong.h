/*
 * ulong.h: SSPI's functions for callers whose variables are `unsigned long`, as Windows' headers spell it, where that has 64 bits.
 * ulong_windows.h has those of <windows.h>; <wincrypt.h>, <ntsecapi.h>, <schannel.h>, <sddl.h> and <winsock2.h> have their own.
 *
 * A ULONG has 32 bits. Where a function writes one through a pointer, these macros take a pointer to an unsigned long, too: its upper half is
 * cleared, the function writes the lower, and the variable reads right. Nothing else changes: the macros give the functions' own names back, so that
 * they also work on the members of a SecurityFunctionTable, and a name without arguments is no macro.
 *
 * Not covered are pointers to functions under names of the program's own: there the type has to be ULONG. A program that defines one of these
 * functions itself says OPENSSPI_WIN32_NO_ULONG before it includes anything.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_WIN32_ULONG_H
#define OPENSSPI_WIN32_ULONG_H

/* What the macros below would change comes first. */
#include "../secext.h"
#include "../sspi.h"
#include "securitybaseapi.h"
#include <string.h>

#ifdef __BYTE_ORDER__
OPENSSPI_STATIC_ASSERT(sizeof(unsigned long) == sizeof(ULONG) || __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
                       "the lower half of an unsigned long comes first");
#endif

/* The lower half of an unsigned long, the upper one being cleared. */
static inline ULONG *OpenSspiUlongLow(unsigned long *p)
{
    if (p != NULL && sizeof *p > sizeof(ULONG))
        memset((char *)p + sizeof(ULONG), 0, sizeof *p - sizeof(ULONG));
    return (ULONG *)(void *)p;
}

#ifdef __cplusplus
extern "C++" {
/* What is such a pointer, decays into one, or converts to one, an array or an object; other types are an error, as they are on Windows. */
template <class T> struct OpenSspiUlong {
    static ULONG *of(ULONG *p)
    {
        return p;
    }
    static ULONG *of(unsigned long *p)
    {
        return OpenSspiUlongLow(p);
    }
};
template <class T> struct OpenSspiUlong<T &> : OpenSspiUlong<T> {
};
template <class T> struct OpenSspiUlong<const T> : OpenSspiUlong<T> {
};
/* NULL, 0 and nullptr, which would be either. */
struct OpenSspiUlongNull {
    static ULONG *of(ULONG *p)
    {
        return p;
    }
};
template <> struct OpenSspiUlong<long> : OpenSspiUlongNull {
};
template <> struct OpenSspiUlong<int> : OpenSspiUlongNull {
};
template <> struct OpenSspiUlong<unsigned int> : OpenSspiUlongNull {
};
template <> struct OpenSspiUlong<unsigned long> : OpenSspiUlongNull {
};
template <> struct OpenSspiUlong<decltype(nullptr)> : OpenSspiUlongNull {
};
}
#define OPENSSPI_ULONG_OUT(p) OpenSspiUlong<decltype(p)>::of(p)
#else
static inline ULONG *OpenSspiUlongSame(ULONG *p)
{
    return p;
}
#define OPENSSPI_ULONG_OUT(p) (_Generic((p), unsigned long * : OpenSspiUlongLow, default : OpenSspiUlongSame)(p))
#endif

/* How many arguments there are. A compound literal among them may make them look more; they are then passed on as they are. */
#define OPENSSPI_COUNT(...)                                                                                          \
    OPENSSPI_COUNT_(__VA_ARGS__, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, \
                    1, ~)
#define OPENSSPI_COUNT_(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, count, ...) count
#define OPENSSPI_JOIN(a, b) OPENSSPI_JOIN_(a, b)
#define OPENSSPI_JOIN_(a, b) a##b
#define OPENSSPI_SECOND(...) OPENSSPI_SECOND_(__VA_ARGS__, ~)
#define OPENSSPI_SECOND_(a, b, ...) b

/* One for each form: how many arguments, and which of them are pointers. */
#define OPENSSPI_FORM_2_1_2 ~, OPENSSPI_WRAP_2_1
#define OPENSSPI_FORM_2_2_2 ~, OPENSSPI_WRAP_2_2
#define OPENSSPI_FORM_3_2_3 ~, OPENSSPI_WRAP_3_2
#define OPENSSPI_FORM_3_3_3 ~, OPENSSPI_WRAP_3_3
#define OPENSSPI_FORM_4_3_4 ~, OPENSSPI_WRAP_4_3
#define OPENSSPI_FORM_4_4_4 ~, OPENSSPI_WRAP_4_4
#define OPENSSPI_FORM_5_4_5 ~, OPENSSPI_WRAP_5_4
#define OPENSSPI_FORM_5_5_5 ~, OPENSSPI_WRAP_5_5
#define OPENSSPI_FORM_6_5_6 ~, OPENSSPI_WRAP_6_5
#define OPENSSPI_FORM_6_6_6 ~, OPENSSPI_WRAP_6_6
#define OPENSSPI_FORM_7_37_7 ~, OPENSSPI_WRAP_7_37
#define OPENSSPI_FORM_7_4_7 ~, OPENSSPI_WRAP_7_4
#define OPENSSPI_FORM_7_45_7 ~, OPENSSPI_WRAP_7_45
#define OPENSSPI_FORM_7_46_7 ~, OPENSSPI_WRAP_7_46
#define OPENSSPI_FORM_7_567_7 ~, OPENSSPI_WRAP_7_567
#define OPENSSPI_FORM_7_6_7 ~, OPENSSPI_WRAP_7_6
#define OPENSSPI_FORM_7_7_7 ~, OPENSSPI_WRAP_7_7
#define OPENSSPI_FORM_8_67_8 ~, OPENSSPI_WRAP_8_67
#define OPENSSPI_FORM_8_8_8 ~, OPENSSPI_WRAP_8_8
#define OPENSSPI_FORM_9_8_9 ~, OPENSSPI_WRAP_9_8
#define OPENSSPI_FORM_10_9_10 ~, OPENSSPI_WRAP_10_9
#define OPENSSPI_FORM_11_678_11 ~, OPENSSPI_WRAP_11_678
#define OPENSSPI_FORM_12_11_12 ~, OPENSSPI_WRAP_12_11
#define OPENSSPI_FORM_14_10_14 ~, OPENSSPI_WRAP_14_10
#define OPENSSPI_KEEP(...) __VA_ARGS__
#define OPENSSPI_WRAP_2_1(a, b) OPENSSPI_ULONG_OUT(a), b
#define OPENSSPI_WRAP_2_2(a, b) a, OPENSSPI_ULONG_OUT(b)
#define OPENSSPI_WRAP_3_2(a, b, c) a, OPENSSPI_ULONG_OUT(b), c
#define OPENSSPI_WRAP_3_3(a, b, c) a, b, OPENSSPI_ULONG_OUT(c)
#define OPENSSPI_WRAP_4_3(a, b, c, d) a, b, OPENSSPI_ULONG_OUT(c), d
#define OPENSSPI_WRAP_4_4(a, b, c, d) a, b, c, OPENSSPI_ULONG_OUT(d)
#define OPENSSPI_WRAP_5_4(a, b, c, d, e) a, b, c, OPENSSPI_ULONG_OUT(d), e
#define OPENSSPI_WRAP_5_5(a, b, c, d, e) a, b, c, d, OPENSSPI_ULONG_OUT(e)
#define OPENSSPI_WRAP_6_5(a, b, c, d, e, f) a, b, c, d, OPENSSPI_ULONG_OUT(e), f
#define OPENSSPI_WRAP_6_6(a, b, c, d, e, f) a, b, c, d, e, OPENSSPI_ULONG_OUT(f)
#define OPENSSPI_WRAP_7_37(a, b, c, d, e, f, g) a, b, OPENSSPI_ULONG_OUT(c), d, e, f, OPENSSPI_ULONG_OUT(g)
#define OPENSSPI_WRAP_7_4(a, b, c, d, e, f, g) a, b, c, OPENSSPI_ULONG_OUT(d), e, f, g
#define OPENSSPI_WRAP_7_45(a, b, c, d, e, f, g) a, b, c, OPENSSPI_ULONG_OUT(d), OPENSSPI_ULONG_OUT(e), f, g
#define OPENSSPI_WRAP_7_46(a, b, c, d, e, f, g) a, b, c, OPENSSPI_ULONG_OUT(d), e, OPENSSPI_ULONG_OUT(f), g
#define OPENSSPI_WRAP_7_567(a, b, c, d, e, f, g) \
    a, b, c, d, OPENSSPI_ULONG_OUT(e), OPENSSPI_ULONG_OUT(f), OPENSSPI_ULONG_OUT(g)
#define OPENSSPI_WRAP_7_6(a, b, c, d, e, f, g) a, b, c, d, e, OPENSSPI_ULONG_OUT(f), g
#define OPENSSPI_WRAP_7_7(a, b, c, d, e, f, g) a, b, c, d, e, f, OPENSSPI_ULONG_OUT(g)
#define OPENSSPI_WRAP_8_8(a, b, c, d, e, f, g, h) a, b, c, d, e, f, g, OPENSSPI_ULONG_OUT(h)
#define OPENSSPI_WRAP_8_67(a, b, c, d, e, f, g, h) a, b, c, d, e, OPENSSPI_ULONG_OUT(f), OPENSSPI_ULONG_OUT(g), h
#define OPENSSPI_WRAP_9_8(a, b, c, d, e, f, g, h, i) a, b, c, d, e, f, g, OPENSSPI_ULONG_OUT(h), i
#define OPENSSPI_WRAP_10_9(a, b, c, d, e, f, g, h, i, j) a, b, c, d, e, f, g, h, OPENSSPI_ULONG_OUT(i), j
#define OPENSSPI_WRAP_11_678(a, b, c, d, e, f, g, h, i, j, k) \
    a, b, c, d, e, OPENSSPI_ULONG_OUT(f), OPENSSPI_ULONG_OUT(g), OPENSSPI_ULONG_OUT(h), i, j, k
#define OPENSSPI_WRAP_12_11(a, b, c, d, e, f, g, h, i, j, k, l) a, b, c, d, e, f, g, h, i, j, OPENSSPI_ULONG_OUT(k), l
#define OPENSSPI_WRAP_14_10(a, b, c, d, e, f, g, h, i, j, k, l, m, n) \
    a, b, c, d, e, f, g, h, i, OPENSSPI_ULONG_OUT(j), k, l, m, n
#define OPENSSPI_ULONG_ARGUMENTS(form, ...)                                                             \
    OPENSSPI_SECOND(OPENSSPI_JOIN(OPENSSPI_FORM_##form##_, OPENSSPI_COUNT(__VA_ARGS__)), OPENSSPI_KEEP) \
    (__VA_ARGS__)

#ifndef OPENSSPI_WIN32_NO_ULONG
/* sspi.h: pfContextAttr, pfQOP, pcPackages, and what is told of options and identities. */
#define InitializeSecurityContextA(...) InitializeSecurityContextA(OPENSSPI_ULONG_ARGUMENTS(12_11, __VA_ARGS__))
#define InitializeSecurityContextW(...) InitializeSecurityContextW(OPENSSPI_ULONG_ARGUMENTS(12_11, __VA_ARGS__))
#define SaslInitializeSecurityContextA(...) SaslInitializeSecurityContextA(OPENSSPI_ULONG_ARGUMENTS(12_11, __VA_ARGS__))
#define SaslInitializeSecurityContextW(...) SaslInitializeSecurityContextW(OPENSSPI_ULONG_ARGUMENTS(12_11, __VA_ARGS__))
#define AcceptSecurityContext(...) AcceptSecurityContext(OPENSSPI_ULONG_ARGUMENTS(9_8, __VA_ARGS__))
#define SaslAcceptSecurityContext(...) SaslAcceptSecurityContext(OPENSSPI_ULONG_ARGUMENTS(9_8, __VA_ARGS__))
#define DecryptMessage(...) DecryptMessage(OPENSSPI_ULONG_ARGUMENTS(4_4, __VA_ARGS__))
#define VerifySignature(...) VerifySignature(OPENSSPI_ULONG_ARGUMENTS(4_4, __VA_ARGS__))
#define UnsealMessage(...) UnsealMessage(OPENSSPI_ULONG_ARGUMENTS(4_4, __VA_ARGS__))
#define EnumerateSecurityPackagesA(...) EnumerateSecurityPackagesA(OPENSSPI_ULONG_ARGUMENTS(2_1, __VA_ARGS__))
#define EnumerateSecurityPackagesW(...) EnumerateSecurityPackagesW(OPENSSPI_ULONG_ARGUMENTS(2_1, __VA_ARGS__))
#define SaslEnumerateProfilesA(...) SaslEnumerateProfilesA(OPENSSPI_ULONG_ARGUMENTS(2_2, __VA_ARGS__))
#define SaslEnumerateProfilesW(...) SaslEnumerateProfilesW(OPENSSPI_ULONG_ARGUMENTS(2_2, __VA_ARGS__))
#define SspiMarshalAuthIdentity(...) SspiMarshalAuthIdentity(OPENSSPI_ULONG_ARGUMENTS(3_2, __VA_ARGS__))
#define SspiPrepareForCredRead(...) SspiPrepareForCredRead(OPENSSPI_ULONG_ARGUMENTS(4_3, __VA_ARGS__))
#define SspiPrepareForCredWrite(...) SspiPrepareForCredWrite(OPENSSPI_ULONG_ARGUMENTS(7_37, __VA_ARGS__))
#define SaslGetContextOption(...) SaslGetContextOption(OPENSSPI_ULONG_ARGUMENTS(5_5, __VA_ARGS__))
/* secext.h: nSize. */
#define GetUserNameExA(...) GetUserNameExA(OPENSSPI_ULONG_ARGUMENTS(3_3, __VA_ARGS__))
#define GetUserNameExW(...) GetUserNameExW(OPENSSPI_ULONG_ARGUMENTS(3_3, __VA_ARGS__))
#define GetComputerObjectNameA(...) GetComputerObjectNameA(OPENSSPI_ULONG_ARGUMENTS(3_3, __VA_ARGS__))
#define GetComputerObjectNameW(...) GetComputerObjectNameW(OPENSSPI_ULONG_ARGUMENTS(3_3, __VA_ARGS__))
#define TranslateNameA(...) TranslateNameA(OPENSSPI_ULONG_ARGUMENTS(5_5, __VA_ARGS__))
#define TranslateNameW(...) TranslateNameW(OPENSSPI_ULONG_ARGUMENTS(5_5, __VA_ARGS__))
/* securitybaseapi.h, winbase.h. */
#define GetTokenInformation(...) GetTokenInformation(OPENSSPI_ULONG_ARGUMENTS(5_5, __VA_ARGS__))
#define AccessCheck(...) AccessCheck(OPENSSPI_ULONG_ARGUMENTS(8_67, __VA_ARGS__))
#define MapGenericMask(...) MapGenericMask(OPENSSPI_ULONG_ARGUMENTS(2_1, __VA_ARGS__))
#endif

#endif
