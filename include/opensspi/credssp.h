/*
 * credssp.h: credentials and attributes of the CredSSP package ([MS-CSSP]).
 *
 * Source: Microsoft SSPI reference, credssp.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef OPENSSPI_CREDSSP_H
#define OPENSSPI_CREDSSP_H
#define _INC_CREDSSP

#include "sspi.h"

/* Name of the package. */
#ifndef CREDSSP_NAME
#define CREDSSP_NAME_A "CREDSSP"
#define CREDSSP_NAME_W OPENSSPI_WIDE("CREDSSP")
#define CREDSSP_NAME OPENSSPI_AW_(CREDSSP_NAME)
#endif

/* Name of the package that speaks the same inside a TLS connection of the program's own. */
#ifndef TS_SSP_NAME
#define TS_SSP_NAME_A "TSSSP"
#define TS_SSP_NAME OPENSSPI_WIDE("TSSSP")
#endif

/* What pSpnegoCred of a CREDSSP_CRED gives to the server. */
typedef enum _CREDSSP_SUBMIT_TYPE {
    CredsspPasswordCreds = 2,
    CredsspSchannelCreds = 4,
    CredsspCertificateCreds = 13,
    CredsspSubmitBufferBoth = 50,
    CredsspSubmitBufferBothOld = 51,
    CredsspCredEx = 100
} CREDSPP_SUBMIT_TYPE;

/*
 * What pAuthData of AcquireCredentialsHandle is for CredSSP: a SCHANNEL_CRED for the channel and a
 * SEC_WINNT_AUTH_IDENTITY to authenticate with and to delegate. Either may be NULL for the defaults.
 */
typedef struct _CREDSSP_CRED {
    CREDSPP_SUBMIT_TYPE Type;
    PVOID pSchannelCred;
    PVOID pSpnegoCred;
} CREDSSP_CRED, *PCREDSSP_CRED;

#define CREDSSP_CRED_EX_VERSION 0
#define CREDSSP_FLAG_REDIRECT 0x1

typedef struct _CREDSSP_CRED_EX {
    CREDSPP_SUBMIT_TYPE Type;
    ULONG Version;
    ULONG Flags;
    ULONG Reserved;
    CREDSSP_CRED Cred;
} CREDSSP_CRED_EX, *PCREDSSP_CRED_EX;

/* Context attributes. */

/* SecPkgContext_AccessToken, on the server: both as SECPKG_ATTR_ACCESS_TOKEN, for no token here is a part of another. */
#define SECPKG_ATTR_C_ACCESS_TOKEN 0x80000012
#define SECPKG_ATTR_C_FULL_ACCESS_TOKEN 0x80000082

#define SECPKG_ATTR_CREDS 0x80000080               /* SecPkgContext_ClientCreds, on the server */
#define SECPKG_ATTR_NEGOTIATION_PACKAGE 0x80000081 /* SecPkgContext_PackageInfo: which package Negotiate chose */

#define SECPKG_ATTR_SERVER_AUTH_FLAGS 0x80000083 /* SecPkgContext_Flags, on the client: CREDSSP_SERVER_AUTH_ */
#define SECPKG_ATTR_CERT_TRUST_STATUS 0x80000084 /* CERT_TRUST_STATUS, on the client */
/* SecPkgContext_ClientCreds, on the server: a packed KERB_INTERACTIVE_LOGON or KERB_CERTIFICATE_LOGON, whose pointers are offsets. */
#define SECPKG_ATTR_CREDS_2 0x80000086

/* How a CredSSP server was authenticated. */
#define CREDSSP_SERVER_AUTH_NEGOTIATE 0x1
#define CREDSSP_SERVER_AUTH_CERTIFICATE 0x2
#define CREDSSP_SERVER_AUTH_LOOPBACK 0x4

/* The credentials that a server was given: a packed identity of AuthBufferLen bytes. */
typedef struct _SecPkgContext_ClientCreds {
    ULONG AuthBufferLen;
    PUCHAR AuthBuffer;
} SecPkgContext_ClientCreds, *PSecPkgContext_ClientCreds;

#endif
