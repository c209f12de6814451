/*
 * sspi/packages.h: what a security package is, and which ones there are. Include <sspi.h>, not this file.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_SSPI_PACKAGES_H
#define OPENSSPI_SSPI_PACKAGES_H

#include "base.h"

OPENSSPI_BEGIN_DECLS

/* A description of a package. cbMaxToken is the largest token in bytes that it ever hands out. */
typedef struct _SecPkgInfoW {
    ULONG fCapabilities;
    unsigned short wVersion;
    unsigned short wRPCID;
    ULONG cbMaxToken;
    SEC_WCHAR *Name;
    SEC_WCHAR *Comment;
} SecPkgInfoW, *PSecPkgInfoW;

typedef struct _SecPkgInfoA {
    ULONG fCapabilities;
    unsigned short wVersion;
    unsigned short wRPCID;
    ULONG cbMaxToken;
    SEC_CHAR *Name;
    SEC_CHAR *Comment;
} SecPkgInfoA, *PSecPkgInfoA;

#define SecPkgInfo OPENSSPI_AW(SecPkgInfo)
#define PSecPkgInfo OPENSSPI_AW(PSecPkgInfo)

/* Bits of fCapabilities. */

#define SECPKG_FLAG_INTEGRITY 0x00000001                    /* signs messages */
#define SECPKG_FLAG_PRIVACY 0x00000002                      /* encrypts messages */
#define SECPKG_FLAG_TOKEN_ONLY 0x00000004                   /* needs nothing but the token */
#define SECPKG_FLAG_DATAGRAM 0x00000008                     /* datagram contexts */
#define SECPKG_FLAG_CONNECTION 0x00000010                   /* connection contexts */
#define SECPKG_FLAG_MULTI_REQUIRED 0x00000020               /* more than one leg is always needed */
#define SECPKG_FLAG_CLIENT_ONLY 0x00000040                  /* no server side */
#define SECPKG_FLAG_EXTENDED_ERROR 0x00000080               /* tells the peer why it failed */
#define SECPKG_FLAG_IMPERSONATION 0x00000100                /* a server can act as its client */
#define SECPKG_FLAG_ACCEPT_WIN32_NAME 0x00000200            /* account names are targets too */
#define SECPKG_FLAG_STREAM 0x00000400                       /* stream contexts */
#define SECPKG_FLAG_NEGOTIABLE 0x00000800                   /* Negotiate can choose it */
#define SECPKG_FLAG_GSS_COMPATIBLE 0x00001000               /* speaks GSS-API on the wire */
#define SECPKG_FLAG_LOGON 0x00002000                        /* LsaLogonUser takes it */
#define SECPKG_FLAG_ASCII_BUFFERS 0x00004000                /* tokens are text */
#define SECPKG_FLAG_FRAGMENT 0x00008000                     /* splits large tokens */
#define SECPKG_FLAG_MUTUAL_AUTH 0x00010000                  /* both sides can be authenticated */
#define SECPKG_FLAG_DELEGATION 0x00020000                   /* credentials can be delegated */
#define SECPKG_FLAG_READONLY_WITH_CHECKSUM 0x00040000       /* signs what it does not encrypt */
#define SECPKG_FLAG_RESTRICTED_TOKENS 0x00080000            /* serves restricted callers */
#define SECPKG_FLAG_NEGO_EXTENDER 0x00100000                /* extends Negotiate */
#define SECPKG_FLAG_NEGOTIABLE2 0x00200000                  /* NegoExtender can choose it */
#define SECPKG_FLAG_APPCONTAINER_PASSTHROUGH 0x00400000     /* callable from an app container */
#define SECPKG_FLAG_APPCONTAINER_CHECKS 0x00800000          /* checks app container callers itself */
#define SECPKG_FLAG_CREDENTIAL_ISOLATION_ENABLED 0x01000000 /* runs with isolated credentials */
#define SECPKG_FLAG_APPLY_LOOPBACK 0x02000000               /* has a way of its own for loopback */

/* wRPCID of a package that has none. */
#define SECPKG_ID_NONE 0xFFFF

/* What a package is told about its caller. */

#define SECPKG_CALLFLAGS_APPCONTAINER 0x00000001
#define SECPKG_CALLFLAGS_APPCONTAINER_AUTHCAPABLE 0x00000002
#define SECPKG_CALLFLAGS_FORCE_SUPPLIED 0x00000004
#define SECPKG_CALLFLAGS_APPCONTAINER_UPNCAPABLE 0x00000008

/*
 * EnumerateSecurityPackagesW lists the packages that can be used.
 *
 * pcPackages receives their number. ppPackageInfo receives an array of that many SecPkgInfoW, strings
 * included, in one block that the caller frees with FreeContextBuffer. The order is Windows': Negotiate comes
 * first.
 *
 * Returns SEC_E_OK; SEC_E_INVALID_TOKEN when a pointer is NULL; SEC_E_INSUFFICIENT_MEMORY. On failure
 * both outputs are untouched.
 *
 * Source: Microsoft SSPI reference, EnumerateSecurityPackages.
 */
SECURITY_STATUS SEC_ENTRY EnumerateSecurityPackagesW(ULONG *pcPackages, PSecPkgInfoW *ppPackageInfo);

typedef SECURITY_STATUS(SEC_ENTRY *ENUMERATE_SECURITY_PACKAGES_FN_W)(ULONG *, PSecPkgInfoW *);

/* EnumerateSecurityPackagesA does what EnumerateSecurityPackagesW does. A functions take and give UTF-8. */
SECURITY_STATUS SEC_ENTRY EnumerateSecurityPackagesA(ULONG *pcPackages, PSecPkgInfoA *ppPackageInfo);

typedef SECURITY_STATUS(SEC_ENTRY *ENUMERATE_SECURITY_PACKAGES_FN_A)(ULONG *, PSecPkgInfoA *);

#define EnumerateSecurityPackages OPENSSPI_AW(EnumerateSecurityPackages)
#define ENUMERATE_SECURITY_PACKAGES_FN OPENSSPI_AW_(ENUMERATE_SECURITY_PACKAGES_FN)

/*
 * QuerySecurityPackageInfoW describes one package.
 *
 * pszPackageName is its name, matched without regard to case. ppPackageInfo receives one block that holds the
 * SecPkgInfoW and both its strings; the caller frees it with FreeContextBuffer. cbMaxToken is the size in
 * bytes to give to token buffers.
 *
 * Returns SEC_E_OK; SEC_E_SECPKG_NOT_FOUND for an unknown name, or NULL; SEC_E_INVALID_TOKEN when
 * ppPackageInfo is NULL; SEC_E_INSUFFICIENT_MEMORY. On failure *ppPackageInfo is untouched.
 *
 * Source: Microsoft SSPI reference, QuerySecurityPackageInfo; observed behaviour of Windows.
 */
SECURITY_STATUS SEC_ENTRY QuerySecurityPackageInfoW(SEC_WCHAR *pszPackageName, PSecPkgInfoW *ppPackageInfo);

typedef SECURITY_STATUS(SEC_ENTRY *QUERY_SECURITY_PACKAGE_INFO_FN_W)(SEC_WCHAR *, PSecPkgInfoW *);

/* QuerySecurityPackageInfoA does what QuerySecurityPackageInfoW does, in UTF-8. */
SECURITY_STATUS SEC_ENTRY QuerySecurityPackageInfoA(SEC_CHAR *pszPackageName, PSecPkgInfoA *ppPackageInfo);

typedef SECURITY_STATUS(SEC_ENTRY *QUERY_SECURITY_PACKAGE_INFO_FN_A)(SEC_CHAR *, PSecPkgInfoA *);

#define QuerySecurityPackageInfo OPENSSPI_AW(QuerySecurityPackageInfo)
#define QUERY_SECURITY_PACKAGE_INFO_FN OPENSSPI_AW_(QUERY_SECURITY_PACKAGE_INFO_FN)

/* How a package is added. Size is sizeof(SECURITY_PACKAGE_OPTIONS); Type is SECPKG_OPTIONS_TYPE_. */
typedef struct _SECURITY_PACKAGE_OPTIONS {
    ULONG Size;
    ULONG Type;
    ULONG Flags;
    ULONG SignatureSize;
    void *Signature;
} SECURITY_PACKAGE_OPTIONS, *PSECURITY_PACKAGE_OPTIONS;

#define SECPKG_OPTIONS_TYPE_UNKNOWN 0 /* find out by looking at the module */
#define SECPKG_OPTIONS_TYPE_LSA 1     /* exports SpLsaModeInitialize */
#define SECPKG_OPTIONS_TYPE_SSPI 2    /* exports InitSecurityInterface */

#define SECPKG_OPTIONS_PERMANENT 0x00000001 /* keep it over a restart */

/*
 * AddSecurityPackageW loads a security package module and adds its packages to the list.
 *
 * pszPackageName is the module's absolute path; the file and the directories above it are writable only for root
 * and the process's user. pOptions says of which type it is; what the module exports decides. NULL means
 * SECPKG_OPTIONS_TYPE_UNKNOWN. Both stay the caller's. The packages stay until DeleteSecurityPackageW or the end of the process; adding a module
 * twice is adding it once.
 *
 * Returns SEC_E_OK; SEC_E_SECPKG_NOT_FOUND when there is no such file; SEC_E_CANNOT_INSTALL when it is not a
 * security package, its start failed, a name is taken, others can write it, or it took the place of a file that was
 * loaded before, whose code goes on; SEC_E_INVALID_PARAMETER;
 * SEC_E_INSUFFICIENT_MEMORY; SEC_E_UNSUPPORTED_FUNCTION for SECPKG_OPTIONS_PERMANENT.
 *
 * Source: Microsoft SSPI reference, AddSecurityPackage.
 */
SECURITY_STATUS SEC_ENTRY AddSecurityPackageW(LPWSTR pszPackageName, PSECURITY_PACKAGE_OPTIONS pOptions);

/* AddSecurityPackageA does what AddSecurityPackageW does, in UTF-8. */
SECURITY_STATUS SEC_ENTRY AddSecurityPackageA(LPSTR pszPackageName, PSECURITY_PACKAGE_OPTIONS pOptions);

#define AddSecurityPackage OPENSSPI_AW(AddSecurityPackage)

/*
 * DeleteSecurityPackageW takes packages off the list that AddSecurityPackageW added.
 *
 * pszPackageName is the path that AddSecurityPackageW, or the configuration, was given. Credentials and contexts
 * that exist go on.
 *
 * Returns SEC_E_OK; SEC_E_SECPKG_NOT_FOUND; SEC_E_UNSUPPORTED_FUNCTION for the name of a built-in package.
 *
 * Source: Microsoft SSPI reference, DeleteSecurityPackage.
 */
SECURITY_STATUS SEC_ENTRY DeleteSecurityPackageW(SEC_WCHAR *pszPackageName);

/* DeleteSecurityPackageA does what DeleteSecurityPackageW does, in UTF-8. */
SECURITY_STATUS SEC_ENTRY DeleteSecurityPackageA(SEC_CHAR *pszPackageName);

#define DeleteSecurityPackage OPENSSPI_AW(DeleteSecurityPackage)

OPENSSPI_END_DECLS

#endif
